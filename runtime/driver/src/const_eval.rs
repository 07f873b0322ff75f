//! Compile-time evaluation for the checker: the function is emitted and interpreted, within a budget of
//! steps and memory, so that no source can make the compiler run for long.

use we3_backend_interp::{Limits, RunValue, Stop, run_entry};
use we3_frontend::check::ConstEval;
use we3_frontend::emit::{emit_reachable, func_id};
use we3_frontend::typed::{Const, FuncId, Program};
use we3_ir::verify::verify;

/// Steps that one constant may take: below half a second.
const MAX_STEPS: u64 = 10_000_000;
/// Bytes of arrays that are alive meanwhile.
const MAX_BYTES: u64 = 256 << 20;

/// Evaluates with the reference interpreter.
#[derive(Clone, Copy, Debug, Default)]
pub struct InterpretedConsts;

impl ConstEval for InterpretedConsts {
    fn eval(&self, program: &Program, func: FuncId) -> Result<Const, String> {
        let module = emit_reachable(program, func)?;
        let verified = verify(&module).map_err(|errors| match errors.first() {
            Some(error) => format!("a bug in we3: {error}"),
            None => String::from("a bug in we3"),
        })?;
        let limits = Limits { steps: MAX_STEPS, bytes: MAX_BYTES, ..Limits::default() };
        let results = run_entry(verified, func_id(func), Vec::new(), &limits)
            .map_err(|stop| in_words(program, stop))?;
        let ty = module.funcs[func_id(func)].results.first().and_then(|ty| ty.as_scalar());
        match (results.as_slice(), ty) {
            ([RunValue::Scalar(bits)], Some(ty)) => Ok(Const { ty, bits: *bits }),
            _ => Err(String::from("it is not a scalar")),
        }
    }
}

fn in_words(program: &Program, stop: Stop) -> String {
    match stop {
        Stop::Check { site, notes } => {
            let notes: Vec<i64> = notes.iter().map(|(_, bits)| *bits as i64).collect();
            let found = program.sites.get(site as usize);
            found.map_or_else(|| String::from("a check fails"), |site| site.diagnostic(&notes).message)
        }
        Stop::OutOfMemory | Stop::TooLarge => format!("it needs more than {} MB", MAX_BYTES >> 20),
        Stop::StepLimit => format!("it takes more than {MAX_STEPS} steps"),
        Stop::Broken(what) => format!("a bug in we3: {what}"),
    }
}
