//! The way from source to artifact as one loop of named stages. Every form can be printed, and a run can
//! start from any of them.

use std::time::{Duration, Instant};

use we3_backend_api::{Artifact, Backend, Emit, Options, Unsupported};
use we3_backend_cranelift::CraneliftBackend;
use we3_ir::span::FileId;
use we3_ir::text::{MAX_NESTING, parse_module, print_module};
use we3_ir::verify::{NESTS_TOO_DEEP, verify};
use we3_ir::{Func, Level, Module};
use we3_parser::parse_module as parse_source;
use we3_parser::print::{print_ast, print_tokens};
use we3_passes::analysis::operations::{executed, written};
use we3_passes::lower::LOWER;
use we3_passes::manager::{Pass, PassTime};
use we3_passes::{PassBug, PassContext, RunOptions, pipelines, run_passes};

use crate::failure::Failure;
use crate::llvm;
use crate::plan::{BackendChoice, Plan};
use crate::{schedules, tuned};

/// A form a program takes on its way.
#[derive(Clone, Debug)]
pub enum Form {
    /// Array IR as the frontend emitted it.
    Array(Module),
    /// Loop IR after all passes.
    Loop(Module),
    /// What a backend made of it.
    Artifact(Artifact),
}

/// The stages in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Array IR.
    ArrayIr,
    /// Loop IR.
    LoopIr,
    /// Object or text.
    Artifact,
}

impl Stage {
    /// As logs and the command line write it.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::ArrayIr => "array-ir",
            Stage::LoopIr => "loop-ir",
            Stage::Artifact => "artifact",
        }
    }

    /// The ending of a file that holds this form.
    pub const fn extension(self) -> &'static str {
        match self {
            Stage::ArrayIr => "ir",
            Stage::LoopIr => "loop.ir",
            Stage::Artifact => "o",
        }
    }
}

impl Form {
    /// Where on the way it stands.
    pub const fn stage(&self) -> Stage {
        match self {
            Form::Array(_) => Stage::ArrayIr,
            Form::Loop(_) => Stage::LoopIr,
            Form::Artifact(_) => Stage::Artifact,
        }
    }

    /// As text, or the bytes of an object.
    pub fn dump(&self) -> Vec<u8> {
        match self {
            Form::Array(module) | Form::Loop(module) => print_module(module).into_bytes(),
            Form::Artifact(Artifact::Text(text)) => text.clone().into_bytes(),
            Form::Artifact(Artifact::Kernels { ptx, .. }) => ptx.clone().into_bytes(),
            Form::Artifact(Artifact::Object(bytes)) => bytes.clone(),
        }
    }
}

/// What happened on the way: how long each stage and pass took.
#[derive(Clone, Debug, Default)]
pub struct StageLog {
    /// In order.
    pub times: Vec<StageTime>,
}

/// How long a stage took, or a pass.
#[derive(Clone, Debug)]
pub struct StageTime {
    /// Its name; that of a pass is indented.
    pub name: String,
    /// When it began.
    pub start: Instant,
    /// How long it took.
    pub time: Duration,
}

impl StageLog {
    /// Runs and times a piece of work.
    pub fn time<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let value = work();
        self.note(name, start);
        value
    }

    /// Notes a piece of work that began then and has just ended.
    pub fn note(&mut self, name: &str, start: Instant) {
        self.times.push(StageTime { name: name.to_owned(), start, time: start.elapsed() });
    }

    /// The sum of all that is not indented.
    pub fn total(&self) -> Duration {
        self.times.iter().filter(|one| !one.name.starts_with(' ')).map(|one| one.time).sum()
    }
}

/// Takes a form on to a stage.
pub fn run_to(
    mut form: Form,
    goal: Stage,
    plan: &Plan,
    emit: Emit,
    log: &mut StageLog,
) -> Result<Form, Failure> {
    while form.stage() < goal {
        form = match form {
            Form::Array(module) => Form::Loop(lower(module, plan, log)?),
            Form::Loop(module) => Form::Artifact(generate(&module, plan, emit, log)?),
            Form::Artifact(_) => form,
        };
    }
    Ok(form)
}

/// Array IR to loop IR with the pipeline of the plan's level.
pub fn lower(module: Module, plan: &Plan, log: &mut StageLog) -> Result<Module, Failure> {
    let start = Instant::now();
    let (array_passes, rest) = passes_of(plan);
    let mut times = Vec::new();
    // Fusion decides what a nest computes, so schedules are looked at when nothing is left but to lower it.
    let module = if schedules::any_asked(&module) || tuned::may_choose(plan) {
        let mut module = some_passes(module, array_passes, plan, &mut times)?;
        tuned::choose(&mut module, plan);
        schedules::refused(&module)?;
        some_passes(module, rest, plan, &mut times)?
    } else {
        some_passes(module, pipeline_of(plan), plan, &mut times)?
    };
    log.note("passes", start);
    let pass =
        |one: &PassTime| StageTime { name: format!("  {}", one.pass), start: one.start, time: one.time };
    log.times.extend(times.iter().map(pass));
    Ok(module)
}

/// Array IR as `lower` gets it.
pub fn optimised(module: Module, plan: &Plan) -> Result<Module, Failure> {
    some_passes(module, passes_of(plan).0, plan, &mut Vec::new())
}

fn pipeline_of(plan: &Plan) -> &'static [Pass] {
    if plan.opt_level == 0 { pipelines::QUICK.passes } else { pipelines::OPTIMISE.passes }
}

/// The passes over array IR, then those from `lower` on.
fn passes_of(plan: &Plan) -> (&'static [Pass], &'static [Pass]) {
    let passes = pipeline_of(plan);
    passes.split_at(passes.iter().position(|pass| pass.name == LOWER.name).unwrap_or(passes.len()))
}

fn some_passes(
    module: Module,
    passes: &[Pass],
    plan: &Plan,
    times: &mut Vec<PassTime>,
) -> Result<Module, Failure> {
    let ctx = PassContext { facts: plan.facts(), only_call: plan.only_call.clone(), probes: plan.probes };
    let mut options = RunOptions { verify_each: plan.verify_each, after: None };
    let mut outcome = run_passes(module, passes, &ctx, &mut options).map_err(broken_pass)?;
    times.append(&mut outcome.times);
    Ok(outcome.module)
}

/// Loop IR to an artifact.
pub fn generate(module: &Module, plan: &Plan, emit: Emit, log: &mut StageLog) -> Result<Artifact, Failure> {
    // Who looks at the code wants to see the code that counts.
    let watched = plan.probes || plan.lines.is_some();
    let hurry = plan.only_call.is_some() && !watched && module.funcs.values().all(is_short);
    let lines = plan.lines.as_ref().map(|index| index.lines(module));
    let options = Options { emit, opt_level: if hurry { 0 } else { plan.opt_level }, lines };
    match plan.backend {
        BackendChoice::Llvm => log.time("llvm", || llvm::compile(module, &plan.target, &options)),
        BackendChoice::Cranelift if plan.lines.is_some() => {
            let instead = Some(String::from("code of LLVM has them: `--backend llvm`"));
            Err(Failure::Unsupported(Unsupported {
                what: String::from("line tables of Cranelift's code"),
                instead,
            }))
        }
        BackendChoice::Cranelift => log.time("cranelift", || {
            let verified = verify(module).map_err(|errors| wrong_module(module, &errors))?;
            Ok(CraneliftBackend.compile(verified, &plan.target, &options)?)
        }),
        BackendChoice::Interpreter | BackendChoice::LoopInterpreter => {
            Err(Failure::Usage(String::from("the interpreter makes no artifact; use cranelift or llvm")))
        }
    }
}

/// Whether a call that is made once takes less time than what faster code would cost to compile: some microseconds
/// an operation, against a nanosecond for each time that it runs.
fn is_short(func: &Func) -> bool {
    executed(func).is_some_and(|count| count < SHORT * written(func))
}

/// How often each operation may run in a call that is short.
const SHORT: u64 = 1000;

/// The report of a pass that left a wrong module.
fn broken_pass(bug: PassBug) -> Failure {
    if bug.errors.iter().any(|error| error.contains(NESTS_TOO_DEEP)) {
        return nests_too_deep();
    }
    Failure::Bug { what: bug.to_string(), ir: bug.before }
}

fn nests_too_deep() -> Failure {
    Failure::Unsupported(Unsupported {
        what: format!(
            "branches and loops that nest deeper than {MAX_NESTING}, functions that are called included"
        ),
        instead: Some(String::from(
            "a table instead of a chain of `else if`, or halves of the chain by one `if`",
        )),
    })
}

/// The report of a module that should have verified.
pub fn wrong_module(module: &Module, errors: &[we3_ir::verify::VerifyError]) -> Failure {
    if errors.iter().any(|error| error.message.contains(NESTS_TOO_DEEP)) {
        return nests_too_deep();
    }
    let first = errors.first().map_or_else(String::new, ToString::to_string);
    Failure::Bug { what: format!("a module does not verify: {first}"), ir: Some(print_module(module)) }
}

/// The words of a source, one a line.
pub fn tokens(source: &str) -> String {
    print_tokens(source)
}

/// The syntax tree of a source as nested lists; what does not parse is an error node.
pub fn syntax_tree(source: &str) -> String {
    print_ast(&parse_source(FileId(0), source).0)
}

/// Reads a dumped form back: array or loop IR.
pub fn read_ir(text: &str) -> Result<Form, Failure> {
    let module = parse_module(text).map_err(|errors| {
        let lines: Vec<String> = errors.iter().take(20).map(ToString::to_string).collect();
        Failure::Usage(format!("the file does not parse:\n  {}", lines.join("\n  ")))
    })?;
    if let Err(errors) = verify(&module) {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return Err(Failure::Usage(format!("the module is not well formed:\n  {}", lines.join("\n  "))));
    }
    Ok(match module.level {
        Level::Array => Form::Array(module),
        Level::Loop => Form::Loop(module),
    })
}
