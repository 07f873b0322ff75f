//! Machine code of a module's functions. They do not depend on each other, so other cores begin with the first
//! ones while the later ones are still being emitted.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::entity::EntitySet;
use cranelift_codegen::ir::Function;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetIsa};
use we3_backend_api::Unsupported;

use crate::bug;

/// A function's context after compilation, or what Cranelift did not like.
pub type Compiled = Result<Context, Unsupported>;

/// How often code runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Runs {
    /// Once a call, or once a loop, if it has no loop itself: there the faster compilation counts.
    Once,
    /// In a loop of another function.
    Often,
}

/// Fewer instructions than this are compiled before another thread has begun.
const WORTH_A_THREAD: usize = 200;

/// How code is generated for one target.
#[derive(Clone)]
pub struct Generators {
    /// With the register allocator that makes fast code.
    pub fast_code: OwnedTargetIsa,
    /// With the one that needs a fraction of the time: for code that runs once a call.
    pub fast_compile: OwnedTargetIsa,
}

/// Compiles functions as they are handed over.
pub struct Generation {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
    /// Instructions handed over so far.
    instructions: usize,
}

struct Shared {
    generators: Generators,
    disassemble: bool,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// By size and number: with the longest last, one thread would work on it alone.
    waiting: BTreeMap<(usize, usize), (Runs, Function)>,
    done: Vec<Option<Compiled>>,
    /// Nothing more will come.
    closed: bool,
}

impl Generation {
    /// Nothing handed over yet.
    pub fn new(generators: Generators, disassemble: bool) -> Generation {
        let (queue, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { generators, disassemble, queue, changed });
        Generation { shared, helpers: Vec::new(), instructions: 0 }
    }

    /// Hands over the next function.
    pub fn push(&mut self, runs: Runs, function: Function) {
        let size = function.dfg.num_insts();
        let mut queue = self.shared.queue();
        let number = queue.done.len();
        queue.done.push(None);
        queue.waiting.insert((size, number), (runs, function));
        drop(queue);
        self.shared.changed.notify_one();
        self.instructions += size;
        self.hire(number + 1);
    }

    /// One thread for each core but this one, when there is enough to do.
    fn hire(&mut self, functions: usize) {
        let enough = self.instructions >= WORTH_A_THREAD && self.helpers.len() < functions;
        if !enough || self.helpers.len() + 1 >= thread::available_parallelism().map_or(1, usize::from) {
            return;
        }
        let shared = Arc::clone(&self.shared);
        // Without a thread this one does everything.
        let helper = thread::Builder::new().name(String::from("we3-generate")).spawn(move || shared.work());
        self.helpers.extend(helper);
    }

    /// What became of the functions, in the order in which they were handed over.
    pub fn finish(mut self) -> Vec<Compiled> {
        self.shared.close();
        self.shared.work();
        for helper in self.helpers.drain(..) {
            if let Err(panic) = helper.join() {
                // Cranelift panicked there: the same panic here, where it is reported.
                std::panic::resume_unwind(panic);
            }
        }
        let done = std::mem::take(&mut self.shared.queue().done);
        done.into_iter().map(|one| one.unwrap_or_else(|| Err(bug("a function was not compiled")))).collect()
    }
}

impl Drop for Generation {
    /// When emission failed, the helpers finish what waits and end.
    fn drop(&mut self) {
        self.shared.queue().waiting.clear();
        self.shared.close();
    }
}

impl Shared {
    /// Nothing panics while the queue is locked.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.queue().closed = true;
        self.changed.notify_all();
    }

    /// Compiles what waits until nothing more will come.
    fn work(&self) {
        while let Some((number, runs, function)) = self.next() {
            let compiled = self.compile(runs, function);
            self.queue().done[number] = Some(compiled);
        }
    }

    fn next(&self) -> Option<(usize, Runs, Function)> {
        let mut queue = self.queue();
        loop {
            if let Some(((_, number), (runs, function))) = queue.waiting.pop_last() {
                return Some((number, runs, function));
            }
            if queue.closed {
                return None;
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn compile(&self, runs: Runs, function: Function) -> Compiled {
        let generators = &self.generators;
        let often = runs == Runs::Often || has_loop(&function);
        let isa = if often { &generators.fast_code } else { &generators.fast_compile };
        compile(&**isa, function, self.disassemble)
    }
}

/// Whether a branch leads back. Blocks are laid out in the order in which they were emitted, loops from their head.
fn has_loop(function: &Function) -> bool {
    let mut above = EntitySet::new();
    function.layout.blocks().any(|block| {
        above.insert(block);
        function.block_successors(block).any(|next| above.contains(next))
    })
}

fn compile(isa: &dyn TargetIsa, function: Function, disassemble: bool) -> Compiled {
    let mut context = Context::for_function(function);
    context.set_disasm(disassemble);
    let outcome = context.compile(isa, &mut ControlPlane::default()).map(|_| ());
    outcome.map_err(|error| bug(format!("{:?}", error.inner)))?;
    Ok(context)
}
