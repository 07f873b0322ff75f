//! Runs passes: verifies after each one and names the guilty one, hands the IR to a dump hook, times.
//! What the passes are and in which order they run is in `pipelines`.

use std::time::{Duration, Instant};

use we3_ir::text::print_module;
use we3_ir::verify::verify;
use we3_ir::{Level, Module};

use crate::facts::TargetFacts;
use crate::loops::bind_sizes::OnlyCall;
use crate::rewrite::compact;

/// What a pass may look at besides the module.
#[derive(Clone, Debug, Default)]
pub struct PassContext {
    /// The machine to compile for.
    pub facts: TargetFacts,
    /// The only call that will be made, if there is but one.
    pub only_call: Option<OnlyCall>,
    /// Whether lowering writes probes around nests, for profiles.
    pub probes: bool,
}

impl PassContext {
    /// For this machine and any call.
    pub fn for_target(facts: TargetFacts) -> PassContext {
        PassContext { facts, only_call: None, probes: false }
    }
}

/// A pass is a value. Its command-line name is `name`.
#[derive(Clone, Copy)]
pub struct Pass {
    /// A verb, with dashes: `fuse-maps`.
    pub name: &'static str,
    /// One line for `--list-passes`.
    pub about: &'static str,
    /// The level of the module it takes; none: either.
    pub from: Option<Level>,
    /// The level of the module it returns; none: that of its input.
    pub to: Option<Level>,
    /// The work. Must return a module that verifies for every module that verifies.
    pub run: fn(Module, &PassContext) -> Module,
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// Called with the name of a pass and the module it left.
pub type DumpHook<'a> = dyn FnMut(&'static str, &Module) + 'a;

/// How to run a list of passes.
#[derive(Default)]
pub struct RunOptions<'a> {
    /// Verify after every pass, not only at the end.
    pub verify_each: bool,
    /// Called with the name of every pass and the module it left.
    pub after: Option<&'a mut DumpHook<'a>>,
}

/// How long one pass took.
#[derive(Clone, Debug)]
pub struct PassTime {
    /// The pass.
    pub pass: &'static str,
    /// When it began.
    pub start: Instant,
    /// Without verification.
    pub time: Duration,
}

/// What a run returns.
#[derive(Debug)]
pub struct Outcome {
    /// The module after the last pass.
    pub module: Module,
    /// One entry per pass that ran, in order.
    pub times: Vec<PassTime>,
}

/// A bug of ours: a pass left a module that does not verify, or was given the wrong level.
#[derive(Clone, Debug)]
pub struct PassBug {
    /// The guilty pass (`input` if the module was wrong before the first one).
    pub pass: &'static str,
    /// What is wrong with its output, one line per error.
    pub errors: Vec<String>,
    /// The input of the pass as text, to reproduce it with `we3c opt --passes NAME`. None where only the last output
    /// was verified: an earlier pass may be guilty then.
    pub before: Option<String>,
}

impl std::fmt::Display for PassBug {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let errors = self.errors.join("; ");
        match self.before {
            Some(_) => write!(formatter, "the pass `{}` made a wrong module: {errors}", self.pass),
            None => {
                write!(formatter, "the passes made a wrong module (`--verify-each` says which): {errors}")
            }
        }
    }
}

impl std::error::Error for PassBug {}

/// Runs `passes` in order. The module given must verify. The one returned holds nothing that its functions do not
/// reach; between passes, operations that were taken out of their blocks may still be there.
pub fn run_passes(
    mut module: Module,
    passes: &[Pass],
    ctx: &PassContext,
    options: &mut RunOptions<'_>,
) -> Result<Outcome, PassBug> {
    let mut times = Vec::with_capacity(passes.len());
    for (position, pass) in passes.iter().enumerate() {
        let last = position + 1 == passes.len();
        if let Some(level) = pass.from.filter(|level| *level != module.level) {
            let errors = vec![format!("it takes the {level:?} level")];
            return Err(PassBug { pass: pass.name, errors, before: Some(print_module(&module)) });
        }
        let before = options.verify_each.then(|| module.clone());
        let to = pass.to.unwrap_or(module.level);
        let start = Instant::now();
        module = (pass.run)(module, ctx);
        times.push(PassTime { pass: pass.name, start, time: start.elapsed() });
        if options.verify_each || last {
            check_output(pass, to, before.as_ref(), &module)?;
        }
        if let Some(after) = options.after.as_mut() {
            after(pass.name, &module);
        }
    }
    for func in module.funcs.values_mut() {
        *func = compact(func);
    }
    Ok(Outcome { module, times })
}

fn check_output(pass: &Pass, to: Level, before: Option<&Module>, module: &Module) -> Result<(), PassBug> {
    let mut errors: Vec<String> = Vec::new();
    if module.level != to {
        errors.push(format!("it left the {:?} level", module.level));
    }
    if let Err(found) = verify(module) {
        errors.extend(found.iter().map(ToString::to_string));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(PassBug { pass: pass.name, errors, before: before.map(print_module) })
}
