//! Machine code of many functions at once: they do not depend on each other, so each free thread takes the next.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::TargetIsa;
use we3_backend_api::Unsupported;

use crate::bug;

/// A function's context after compilation, or what Cranelift did not like.
pub type Compiled = Result<Context, Unsupported>;

/// Fewer instructions than this are compiled before a second thread has begun.
const WORTH_A_THREAD: usize = 200;

/// Compiles each function; the results stand in the same order.
pub fn generate(isa: &dyn TargetIsa, functions: Vec<Function>, disassemble: bool) -> Vec<Compiled> {
    let total: usize = functions.iter().map(|function| function.dfg.num_insts()).sum();
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let threads =
        if functions.len() < 2 || total < WORTH_A_THREAD { 1 } else { cores().min(functions.len()) };
    let mut jobs: Vec<Job> =
        functions.into_iter().map(|function| Mutex::new((Some(function), None))).collect();
    let order = largest_first(&mut jobs);
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(number) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            // Only the thread that drew the number touches the job.
            let mut job = jobs[*number].lock().unwrap_or_else(PoisonError::into_inner);
            job.1 = job.0.take().map(|function| compile(isa, function, disassemble));
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    jobs.into_iter().map(finished).collect()
}

/// A function, then what became of it.
type Job = Mutex<(Option<Function>, Option<Compiled>)>;

/// The numbers of the jobs: with the longest last, one thread would work on it alone.
fn largest_first(jobs: &mut [Job]) -> Vec<usize> {
    let size = |job: &mut Job| {
        let job = job.get_mut().unwrap_or_else(PoisonError::into_inner);
        job.0.as_ref().map_or(0, |function| function.dfg.num_insts())
    };
    let sizes: Vec<usize> = jobs.iter_mut().map(size).collect();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|number| Reverse(sizes[*number]));
    order
}

fn finished(job: Job) -> Compiled {
    let (_, compiled) = job.into_inner().unwrap_or_else(PoisonError::into_inner);
    compiled.unwrap_or_else(|| Err(bug("a function was not compiled")))
}

fn compile(isa: &dyn TargetIsa, function: Function, disassemble: bool) -> Compiled {
    let mut context = Context::for_function(function);
    context.set_disasm(disassemble);
    let outcome = context.compile(isa, &mut ControlPlane::default()).map(|_| ());
    outcome.map_err(|error| bug(format!("{:?}", error.inner)))?;
    Ok(context)
}
