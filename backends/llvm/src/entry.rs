//! An entry for the CPU: the exported function of the calling convention, which reads its argument
//! slots, and behind it the body, whose buffer parameters are declared not to overlap what is written; then
//! the bodies of its parallel loops.

use we3_backend_api::estimate::Rates;
use we3_backend_api::{Unsupported, outlines};
use we3_ir::{Func, Opcode, Type, Value};

use crate::emit::Emitter;
use crate::emit::regions::Region;
use crate::facts::Facts;
use crate::text::{FuncText, Lane, ModuleText, Ty, Val};

/// Emits one entry function under this symbol.
pub fn emit_entry(
    func: &Func,
    symbol: &str,
    facts: &Facts,
    module: &mut ModuleText,
) -> Result<(), Unsupported> {
    emit_wrapper(func, symbol, module);
    emit_body(func, symbol, facts, module)
}

/// How fast LLVM's code is: it vectorises what it can.
const RATES: Rates = Rates { scalar: 10, index: 2, vector: 80, vector_bytes: 64 };

fn emit_body(func: &Func, symbol: &str, facts: &Facts, module: &mut ModuleText) -> Result<(), Unsupported> {
    let disjoint = !writes_parameters(func);
    let alias = if disjoint { "noalias " } else { "" };
    let mut emitter = Emitter::new(func, facts, module, disjoint);
    let name = format!("body.{symbol}");
    emitter.text.begin(&name);
    emitter.outline_loops(outlines(func, RATES), symbol);
    let mut params = vec!["ptr %context".to_owned(), "ptr noalias %results".to_owned()];
    for (number, param) in func.params().iter().enumerate() {
        let val = Val::new(emitter.ty(*param), format!("%p{number}"));
        if matches!(func.ty(*param), Type::Buffer(_)) {
            params.push(format!("ptr {alias}{}", val.text));
            emitter.regions.insert(&val, Region::Parameter(number));
        } else {
            params.push(val.to_string());
        }
        emitter.define(*param, val);
    }
    emitter.begin_entry();
    emitter.block(func.body)?;
    emitter.finish_exits();
    let head = format!("define internal i32 @\"{name}\"({}) noinline", params.join(", "));
    let bodies = std::mem::take(&mut emitter.bodies);
    let shared = emitter.shared();
    let text = emitter.text.finish(&head);
    module.add_function(&text);
    bodies.into_iter().try_for_each(|body| body.emit(func, facts, &shared, module))
}

/// Whether memory of a parameter is written, as kernels for GPUs do (and tests run on the CPU):
/// then two parameters may be the same memory. Entries read their parameters only.
fn writes_parameters(func: &Func) -> bool {
    func.ops.values().any(|data| {
        matches!(data.opcode, Opcode::Store | Opcode::Stream | Opcode::StoreLanes | Opcode::Copy)
            && is_parameter(func, data.args[0])
    })
}

fn is_parameter(func: &Func, buffer: Value) -> bool {
    match func.def_op(buffer) {
        Some(op) => func.ops[op].opcode == Opcode::Offset && is_parameter(func, func.ops[op].args[0]),
        None => func.params().contains(&buffer),
    }
}

fn emit_wrapper(func: &Func, symbol: &str, module: &mut ModuleText) {
    let mut text = FuncText::new(module);
    text.begin(symbol);
    let arguments = Val::new(Ty::PTR, "%arguments");
    let mut list = "ptr %context, ptr %results".to_owned();
    for (number, param) in func.params().iter().enumerate() {
        let slot = text.element(&arguments, Ty::I64, &Val::int(Ty::I64, number as i128), true);
        let ty = Ty::of(func.ty(*param));
        let val = if ty.lane == Lane::Ptr {
            text.load(Ty::PTR, &slot, "")
        } else {
            let bits = text.load(Ty::I64, &slot, "");
            let narrow = text.resize_unsigned(&bits, ty.bits());
            text.cast("bitcast", &narrow, ty)
        };
        list.push_str(&format!(", {val}"));
    }
    let status = text.inst(Ty::I32, format_args!("tail call i32 @\"body.{symbol}\"({list})"));
    text.line(format_args!("ret {status}"));
    let definition =
        text.finish(&format!("define i32 @{symbol}(ptr %context, ptr %arguments, ptr %results)"));
    module.add_function(&definition);
}
