//! A kernel function (`map_to_grid`) as a PTX entry: it leaves at once when a check has failed
//! before, and tells a failing check to the error cell.

use we3_backend_api::launch::ERROR_CELL;
use we3_backend_api::{Unsupported, entry_symbol};
use we3_ir::Func;

use crate::emit::regions::Region;
use crate::emit::{Emitter, Exit, unsupported};
use crate::facts::Facts;
use crate::text::{ModuleText, Ty, Val};

/// Emits one kernel. Its first parameter is the state.
pub fn emit_kernel(func: &Func, facts: &Facts, module: &mut ModuleText) -> Result<(), Unsupported> {
    let mut emitter = Emitter::new(func, facts, module, false);
    let mut params = Vec::new();
    for (number, param) in func.params().iter().enumerate() {
        if emitter.ty(*param) != Ty::PTR {
            return Err(unsupported("a scalar parameter of a GPU kernel"));
        }
        params.push(format!("ptr addrspace(1) %q{number}"));
        let generic =
            emitter.text.inst(Ty::PTR, format_args!("addrspacecast ptr addrspace(1) %q{number} to ptr"));
        emitter.regions.insert(&generic, Region::Parameter(number));
        emitter.define(*param, generic);
    }
    let state =
        emitter.get(*func.params().first().ok_or_else(|| unsupported("a GPU kernel without a state"))?)?;
    let error = emitter.text.element(&state, Ty::I64, &Val::int(Ty::I64, i128::from(ERROR_CELL)), true);
    let [done, work] = [emitter.text.make_block(), emitter.text.make_block()];
    let code = emitter.text.load(Ty::I64, &error, "");
    let sound = emitter.text.icmp_const("eq", &code, 0);
    emitter.text.branch(&sound, work, done);
    emitter.text.start(done);
    emitter.text.line(format_args!("ret void"));
    emitter.text.start(work);
    emitter.block(func.body)?;
    for (exit, label) in std::mem::take(&mut emitter.exits) {
        emitter.text.start(label);
        if exit == Exit::CheckFailed {
            emitter.text.store(&Val::int(Ty::I64, 1), &error, "");
        }
        emitter.text.line(format_args!("ret void"));
    }
    let symbol = entry_symbol(&func.name);
    let definition = emitter.text.finish(&format!("define ptx_kernel void @{symbol}({})", params.join(", ")));
    module.add_function(&definition);
    Ok(())
}
