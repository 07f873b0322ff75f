//! A program as a host program holds it (Python, C, Rust): checked once, each entry compiled when it is first called,
//! called from any thread with memory of the caller's. Nothing of a language binding lives here.

use std::rc::Rc;
use std::sync::OnceLock;

use we3_backend_api::{Artifact, Emit};
use we3_device::{ArgSlot, CallError, CallLimits, LoadedObject, OutputLayout, call_entry_into};
pub use we3_device::{CallOutcome, Given, HostMemory};
use we3_frontend::render::render_text;
use we3_frontend::source::SourceMap;
use we3_frontend::typed::Site;
use we3_ir::Module;

use crate::arguments::default_text;
use crate::bind::{NoFiles, bind};
use crate::executable::{Budget, Executable, ProgramIr};
use crate::failure::Failure;
use crate::kernel::{Kernel, with_entries};
use crate::layout::Layout;
use crate::native::output_layouts;
use crate::plan::{BackendChoice, Plan};
use crate::session::{Session, SessionOptions};
use crate::sources::Sources;
use crate::spec::parse_spec;
use crate::stages::{Form, Stage, StageLog, run_to};
use crate::value::{HostArray, HostType, HostValue, byte_len};

/// Deep programs recurse deep, and a host's thread may have little stack.
const STACK: usize = 256 << 20;

/// Why there is no program or no result, as text for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostError {
    /// The program has errors: its diagnostics, rendered.
    Program(String),
    /// The kernel stopped: a check in it failed. Its diagnostic, rendered.
    Stopped(String),
    /// The arguments do not fit.
    Argument(String),
    /// More memory than there is or is allowed.
    Memory(String),
    /// A limit or a bug of ours, or something that is not installed.
    Unavailable(String),
}

impl std::fmt::Display for HostError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (HostError::Program(text)
        | HostError::Stopped(text)
        | HostError::Argument(text)
        | HostError::Memory(text)
        | HostError::Unavailable(text)) = self;
        formatter.write_str(text)
    }
}

impl std::error::Error for HostError {}

/// One argument. Those of a tuple or record stand one after the other, field by field.
#[derive(Clone, Copy, Debug)]
pub enum HostArg<'a> {
    /// A scalar's bits, zero-extended.
    Scalar(u64),
    /// An array in C layout.
    Array {
        /// Its axis sizes.
        sizes: &'a [u64],
        /// Its memory.
        bytes: &'a [u8],
    },
}

/// A checked program.
#[derive(Debug)]
pub struct HostProgram {
    sources: SourceMap,
    module: Module,
    sites: Vec<Site>,
    entries: Vec<HostEntry>,
    plan: Plan,
    /// What the checker warned of, rendered.
    pub warnings: String,
}

/// What a host may call.
#[derive(Debug)]
pub struct HostEntry {
    /// Its name and types.
    pub kernel: Kernel,
    /// The `///` lines.
    pub docs: Vec<String>,
    /// What stands for each parameter that is left out.
    pub defaults: Vec<Option<HostValue>>,
    shapes: Vec<Shape>,
    outputs: Vec<OutputLayout>,
    n_scalars: usize,
    symbol: String,
    code: OnceLock<Result<LoadedObject, HostError>>,
}

/// What one argument has to be.
#[derive(Debug)]
enum Shape {
    Scalar,
    Array { rank: usize, elem_bytes: usize, offsets: Vec<usize> },
}

impl HostProgram {
    /// Checks a program, for entries that `plan` says how to compile.
    pub fn open(sources: &Sources, plan: Plan) -> Result<HostProgram, HostError> {
        on_deep_stack(|| HostProgram::open_here(sources, plan))
    }

    fn open_here(sources: &Sources, plan: Plan) -> Result<HostProgram, HostError> {
        let mut session = Session::open(sources, SessionOptions::default());
        let told = session.render(session.diagnostics(), false);
        if session.has_errors() {
            return Err(HostError::Program(told));
        }
        let mut entries = Vec::new();
        for entry in session.entries().to_vec() {
            let kernel = session.kernel(&entry).map_err(|failure| told_by(&session, failure))?;
            let default = |param: &we3_frontend::typed::HostParam| {
                let spec = parse_spec(&default_text(sources.root_text(), &entry.name, &param.name)?).ok()?;
                bind(&spec, &param.ty, 0, &mut NoFiles).ok()
            };
            let defaults = entry.params.iter().map(default).collect();
            entries.push(HostEntry::new(kernel, entry.docs.clone(), defaults));
        }
        let ir = session.ir().map_err(|failure| told_by(&session, failure))?;
        let (module, sites) = ((*ir.module).clone(), (*ir.sites).clone());
        Ok(HostProgram { sources: session.sources().clone(), module, sites, entries, plan, warnings: told })
    }

    /// What may be called.
    pub fn entries(&self) -> &[HostEntry] {
        &self.entries
    }

    /// The number of the entry with this name; the failure says what there is.
    pub fn entry_named(&self, name: &str) -> Result<usize, HostError> {
        let found = self.entries.iter().position(|entry| entry.kernel.name == name);
        let names = || self.entries.iter().map(|entry| entry.kernel.name.as_str()).collect::<Vec<_>>();
        found.ok_or_else(|| told(Failure::unknown("entry", name, &names())))
    }

    /// How many bytes argument `number` has with these axis sizes, if it is an array of so many axes.
    pub fn argument_bytes(&self, entry: usize, number: usize, sizes: &[u64]) -> Result<usize, HostError> {
        let entry = self.entry(entry)?;
        let wrong =
            |what: &str| HostError::Argument(format!("`{}`: argument {number} {what}", entry.kernel.name));
        match entry.shapes.get(number) {
            None => Err(wrong("is one too many")),
            Some(Shape::Scalar) => Err(wrong("is an array where a scalar belongs")),
            Some(Shape::Array { rank, elem_bytes, .. }) => {
                let bytes = byte_len(sizes, *elem_bytes).filter(|_| sizes.len() == *rank);
                let bytes = bytes.and_then(|bytes| usize::try_from(bytes).ok());
                bytes.ok_or_else(|| wrong("has sizes that it cannot have"))
            }
        }
    }

    /// How it is compiled.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Compiles an entry if that has not happened; who calls at the same time waits.
    pub fn compile(&self, entry: usize) -> Result<(), HostError> {
        let entry = self.entry(entry)?;
        match self.plan.backend {
            BackendChoice::Interpreter | BackendChoice::LoopInterpreter => Ok(()),
            BackendChoice::Cranelift | BackendChoice::Llvm => self.code(entry).map(|_| ()),
        }
    }

    /// Calls an entry. The arguments are those of its parameters in order, `given` memory for arrays of its result by
    /// their numbers; it is used where it is as long as the result. No argument may lie in it.
    pub fn call(
        &self,
        entry: usize,
        args: &[HostArg<'_>],
        given: Given<'_>,
        budget: Budget,
    ) -> Result<CallOutcome, HostError> {
        let entry = self.entry(entry)?;
        let slots = entry.slots(args)?;
        if self.plan.backend == BackendChoice::Interpreter
            || self.plan.backend == BackendChoice::LoopInterpreter
        {
            let value = self.interpret(entry, args, budget)?;
            return outcome_of(&value, given).ok_or_else(|| HostError::Memory(String::from("out of memory")));
        }
        let code = self.code(entry)?;
        let limits = CallLimits { memory: budget.bytes, threads: budget.threads, recorder: None };
        let symbol = &entry.symbol;
        let called = call_entry_into(code, symbol, &slots, entry.n_scalars, &entry.outputs, given, limits);
        called.map_err(|error| self.explained(entry, args, &error, budget))
    }

    fn entry(&self, number: usize) -> Result<&HostEntry, HostError> {
        let none = || HostError::Argument(format!("there is no entry {number}"));
        self.entries.get(number).ok_or_else(none)
    }

    fn code<'a>(&self, entry: &'a HostEntry) -> Result<&'a LoadedObject, HostError> {
        let code = entry.code.get_or_init(|| on_deep_stack(|| self.compile_here(&entry.kernel.name)));
        code.as_ref().map_err(HostError::clone)
    }

    fn compile_here(&self, name: &str) -> Result<LoadedObject, HostError> {
        let form = Form::Array(with_entries(&self.module, &|one| one == name));
        let compiled = run_to(form, Stage::Artifact, &self.plan, Emit::Object, &mut StageLog::default());
        match compiled.map_err(|failure| self.told(failure))? {
            Form::Artifact(Artifact::Object(bytes)) => {
                LoadedObject::load(&bytes).map_err(|error| HostError::Unavailable(error.to_string()))
            }
            Form::Array(_) | Form::Loop(_) | Form::Artifact(_) => {
                Err(HostError::Unavailable(String::from("the backend made no code for this machine")))
            }
        }
    }

    /// What an error of compiled code means: the interpreter finds the check that failed.
    fn explained(
        &self,
        entry: &HostEntry,
        args: &[HostArg<'_>],
        error: &CallError,
        budget: Budget,
    ) -> HostError {
        match error {
            CallError::CheckFailed | CallError::TooLarge => match self.interpret(entry, args, budget) {
                Err(told) => told,
                Ok(_) => HostError::Unavailable(format!(
                    "bug in we3: compiled code says that `{}` fails ({error}), the interpreter does not",
                    entry.kernel.name
                )),
            },
            CallError::OutOfMemory => HostError::Memory(error.to_string()),
            CallError::NoSuchEntry(_) | CallError::Broken(_) => {
                HostError::Unavailable(format!("bug in we3: {error}"))
            }
        }
    }

    fn interpret(
        &self,
        entry: &HostEntry,
        args: &[HostArg<'_>],
        budget: Budget,
    ) -> Result<HostValue, HostError> {
        on_deep_stack(|| {
            let mut args = args.iter();
            let values: Option<Vec<HostValue>> =
                entry.kernel.params.iter().map(|param| value_of(&param.ty, &mut args)).collect();
            let values = values.ok_or_else(|| HostError::Memory(String::from("out of memory")))?;
            let ir = ProgramIr { module: Rc::new(self.module.clone()), sites: Rc::new(self.sites.clone()) };
            let plan = self.plan.clone().on_backend(BackendChoice::Interpreter);
            Executable::build(&ir, &|_| true, &plan, &mut StageLog::default())
                .and_then(|executable| executable.call(&entry.kernel, &values, budget))
                .map_err(|failure| self.told(failure))
        })
    }

    fn told(&self, failure: Failure) -> HostError {
        if let Failure::Diagnostics(list) = &failure {
            return HostError::Stopped(render_text(&self.sources, list, false));
        }
        told(failure)
    }
}

impl HostEntry {
    fn new(kernel: Kernel, docs: Vec<String>, defaults: Vec<Option<HostValue>>) -> HostEntry {
        let mut shapes = Vec::new();
        kernel.params.iter().for_each(|param| append_shapes(&param.ty, &mut shapes));
        let (n_scalars, outputs) = output_layouts(&kernel);
        let symbol = we3_backend_api::entry_symbol(&kernel.name);
        HostEntry { kernel, docs, defaults, shapes, outputs, n_scalars, symbol, code: OnceLock::new() }
    }

    /// The arguments as the code takes them; memory is as long as the sizes say, or this is an error.
    fn slots<'a>(&self, args: &[HostArg<'a>]) -> Result<Vec<ArgSlot<'a>>, HostError> {
        let wrong = |what: String| HostError::Argument(format!("`{}`: {what}", self.kernel.name));
        if args.len() != self.shapes.len() {
            return Err(wrong(format!("{} arguments where {} belong", args.len(), self.shapes.len())));
        }
        let mut slots = Vec::with_capacity(self.kernel.param_slots.len());
        for (number, (arg, shape)) in args.iter().zip(&self.shapes).enumerate() {
            match (arg, shape) {
                (HostArg::Scalar(bits), Shape::Scalar) => slots.push(ArgSlot::Scalar(*bits)),
                (HostArg::Array { sizes, bytes }, Shape::Array { rank, elem_bytes, offsets }) => {
                    let needed = byte_len(sizes, *elem_bytes);
                    if sizes.len() != *rank || needed != Some(bytes.len() as u64) {
                        return Err(wrong(format!(
                            "array {number} has {} bytes for sizes {sizes:?}",
                            bytes.len()
                        )));
                    }
                    slots.extend(sizes.iter().map(|size| ArgSlot::Scalar(*size)));
                    // An empty array has no byte at a field's offset.
                    slots.extend(offsets.iter().map(|at| ArgSlot::Buffer(&bytes[(*at).min(bytes.len())..])));
                }
                (HostArg::Scalar(_), Shape::Array { .. }) => {
                    return Err(wrong(format!("argument {number} is a scalar where an array belongs")));
                }
                (HostArg::Array { .. }, Shape::Scalar) => {
                    return Err(wrong(format!("argument {number} is an array where a scalar belongs")));
                }
            }
        }
        Ok(slots)
    }
}

fn append_shapes(ty: &HostType, shapes: &mut Vec<Shape>) {
    match ty {
        HostType::Scalar(_) => shapes.push(Shape::Scalar),
        HostType::Array { elem, sizes } => {
            // `Kernel::new` refused elements that hold arrays.
            let layout = Layout::of(elem);
            let elem_bytes = layout.as_ref().map_or(0, |layout| layout.size);
            let offsets =
                layout.iter().flat_map(|layout| layout.leaves.iter().map(|leaf| leaf.offset)).collect();
            shapes.push(Shape::Array { rank: sizes.len(), elem_bytes, offsets });
        }
        HostType::Tuple(parts) => parts.iter().for_each(|part| append_shapes(part, shapes)),
        HostType::Record { fields, .. } => fields.iter().for_each(|field| append_shapes(&field.ty, shapes)),
    }
}

/// The next arguments as a value of this type, copied.
fn value_of<'a>(ty: &HostType, args: &mut impl Iterator<Item = &'a HostArg<'a>>) -> Option<HostValue> {
    Some(match ty {
        HostType::Scalar(scalar) => match args.next()? {
            HostArg::Scalar(bits) => HostValue::scalar(*scalar, *bits),
            HostArg::Array { .. } => return None,
        },
        HostType::Array { elem, .. } => match args.next()? {
            HostArg::Array { sizes, bytes } => HostValue::Array(HostArray::from_memory(
                (**elem).clone(),
                sizes.to_vec(),
                HostMemory::copy_of(bytes)?,
            )?),
            HostArg::Scalar(_) => return None,
        },
        HostType::Tuple(parts) => {
            HostValue::Tuple(parts.iter().map(|part| value_of(part, args)).collect::<Option<_>>()?)
        }
        HostType::Record { name, fields } => {
            let mut values = Vec::new();
            for field in fields {
                values.push((field.name.clone(), value_of(&field.ty, args)?));
            }
            HostValue::Record { name: name.clone(), fields: values }
        }
    })
}

/// A value of the interpreter as compiled code would have left it.
fn outcome_of(value: &HostValue, mut given: Given<'_>) -> Option<CallOutcome> {
    let mut outcome = CallOutcome { results: Vec::new(), counts: Vec::new(), groups: Default::default() };
    append_outcome(value, &mut 0, &mut given, &mut outcome)?;
    Some(outcome)
}

fn append_outcome(
    value: &HostValue,
    next: &mut u32,
    given: &mut Given<'_>,
    outcome: &mut CallOutcome,
) -> Option<()> {
    match value {
        HostValue::Scalar(constant) => outcome.results.push(constant.bits),
        HostValue::Array(array) => {
            outcome.results.extend(array.sizes());
            match given.remove(next) {
                Some(memory) if memory.len() == array.bytes().len() => memory.copy_from_slice(array.bytes()),
                Some(_) | None => {
                    outcome.groups.insert(*next, HostMemory::copy_of(array.bytes())?);
                }
            }
            *next += 1;
        }
        HostValue::Tuple(parts) => {
            parts.iter().try_for_each(|part| append_outcome(part, next, given, outcome))?;
        }
        HostValue::Record { fields, .. } => {
            fields.iter().try_for_each(|(_, part)| append_outcome(part, next, given, outcome))?;
        }
    }
    Some(())
}

fn told_by(session: &Session, failure: Failure) -> HostError {
    if let Failure::Diagnostics(list) = &failure {
        return HostError::Program(session.render(list, false));
    }
    told(failure)
}

fn told(failure: Failure) -> HostError {
    let text = failure.summary();
    match failure {
        Failure::OutOfMemory => HostError::Memory(text),
        Failure::Usage(_) => HostError::Argument(text),
        Failure::Diagnostics(_) | Failure::TooManySteps => HostError::Stopped(text),
        Failure::Unsupported(_) | Failure::Unavailable(_) | Failure::Bug { .. } => {
            HostError::Unavailable(text)
        }
    }
}

/// Runs work on a thread with a deep stack. A panic there, which is a bug of ours, becomes an error.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, HostError> + Send) -> Result<T, HostError> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name(String::from("we3-compile")).stack_size(STACK);
        let spawned = builder.spawn_scoped(scope, work);
        let thread =
            spawned.map_err(|error| HostError::Unavailable(format!("no thread to compile on: {error}")))?;
        thread.join().unwrap_or_else(|_| {
            Err(HostError::Unavailable(String::from("bug in we3: the compiler panicked")))
        })
    })
}
