//! Something that can be called with values: a program on one backend. When compiled code finds that a
//! check failed, the interpreter runs the unoptimised program to tell which one.

use std::cell::OnceCell;
use std::num::NonZeroUsize;
use std::rc::Rc;

use we3_backend_api::{Artifact, Emit};
use we3_backend_interp::{Interpreter, Limits, ResultValue, RunArray, RunValue, Stop};
use we3_device::{CallError, LoadedObject, Recorder, Threads, knobs};
use we3_frontend::typed::{Site, too_large};
use we3_ir::Module;
use we3_ir::verify::verify;

use crate::failure::Failure;
use crate::flatten::{FlatArg, FlatResults, Slot, flatten, scatter_leaf, unflatten};
use crate::kernel::{Kernel, with_entries};
use crate::native::{Native, NativeError};
use crate::out;
use crate::plan::{BackendChoice, Plan};
use crate::profile::{NestSpans, spans_of_nests};
use crate::stages::{Form, Stage, StageLog, run_to, wrong_module};
use crate::value::{HostArray, HostValue};

/// What a call may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Operations of the interpreters.
    pub steps: u64,
    /// Bytes of arrays alive at one time; none: what the knob `WE3_MEMORY_LIMIT` or the machine allows.
    pub bytes: Option<u64>,
    /// Threads that compiled code works on; by default what the knob `WE3_THREADS` allows.
    pub threads: Threads,
}

impl Default for Budget {
    fn default() -> Budget {
        let threads = Threads { count: knobs::threads(), disorder: None };
        Budget { steps: u64::MAX, bytes: knobs::memory_limit(), threads }
    }
}

impl Budget {
    /// On so many threads, if that is said.
    #[must_use]
    pub fn on_threads(self, count: Option<NonZeroUsize>) -> Budget {
        let count = count.or(self.threads.count);
        Budget { threads: Threads { count, ..self.threads }, ..self }
    }
}

/// The unoptimised program that every backend starts from.
#[derive(Clone, Debug)]
pub struct ProgramIr {
    /// Array IR as emitted, every function.
    pub module: Rc<Module>,
    /// What failed checks have to say.
    pub sites: Rc<Vec<Site>>,
}

enum Engine {
    Array,
    Loop(Module),
    Native(LoadedObject),
}

/// A program on one backend.
pub struct Executable {
    ir: ProgramIr,
    engine: Engine,
    /// Where the nests with probes come from.
    nests: NestSpans,
}

impl std::fmt::Debug for Executable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self.engine {
            Engine::Array => "Executable(interp)",
            Engine::Loop(_) => "Executable(loop-interp)",
            Engine::Native(_) => "Executable(native)",
        })
    }
}

impl Executable {
    /// Makes the wanted entries of a program callable.
    pub fn build(
        ir: &ProgramIr,
        wanted: &dyn Fn(&str) -> bool,
        plan: &Plan,
        log: &mut StageLog,
    ) -> Result<Executable, Failure> {
        let mut nests = NestSpans::new();
        let engine = match plan.backend {
            BackendChoice::Interpreter => Engine::Array,
            BackendChoice::LoopInterpreter => {
                let form = Form::Array(with_entries(&ir.module, wanted));
                match run_to(form, Stage::LoopIr, plan, Emit::Object, log)? {
                    Form::Loop(module) => Engine::Loop(module),
                    Form::Array(_) | Form::Artifact(_) => {
                        return Err(Failure::bug("lowering made no loop IR"));
                    }
                }
            }
            BackendChoice::Cranelift | BackendChoice::Llvm => {
                let mut form = Form::Array(with_entries(&ir.module, wanted));
                if plan.probes {
                    form = run_to(form, Stage::LoopIr, plan, Emit::Object, log)?;
                    nests = spans_of_nests(&form);
                }
                match run_to(form, Stage::Artifact, plan, Emit::Object, log)? {
                    Form::Artifact(artifact) => Engine::Native(load(&artifact, log)?),
                    Form::Array(_) | Form::Loop(_) => {
                        return Err(Failure::bug("the backend made no artifact"));
                    }
                }
            }
        };
        Ok(Executable { ir: ir.clone(), engine, nests })
    }

    /// Calls an entry once.
    pub fn call(&self, kernel: &Kernel, args: &[HostValue], budget: Budget) -> Result<HostValue, Failure> {
        self.caller(kernel).call(args, budget)
    }

    /// Where the nests come from whose probes speak.
    pub fn nests(&self) -> &NestSpans {
        &self.nests
    }

    /// An entry ready to be called again and again.
    pub fn caller<'run>(&'run self, kernel: &'run Kernel) -> Caller<'run> {
        let native = match &self.engine {
            Engine::Native(object) => Some(Native::new(object, kernel)),
            Engine::Array | Engine::Loop(_) => None,
        };
        Caller { executable: self, kernel, native, array: OnceCell::new(), lowered: OnceCell::new() }
    }
}

/// An entry of an executable. What an interpreter needs is verified and decoded on first need, and kept.
pub struct Caller<'run> {
    executable: &'run Executable,
    kernel: &'run Kernel,
    native: Option<Native<'run>>,
    array: OnceCell<Result<Interpreter<'run>, Failure>>,
    lowered: OnceCell<Result<Interpreter<'run>, Failure>>,
}

impl<'run> Caller<'run> {
    /// Calls it.
    pub fn call(&self, args: &[HostValue], budget: Budget) -> Result<HostValue, Failure> {
        if let Some(native) = &self.native {
            return native.call(args, budget).map_err(|error| self.explained(error, args, budget));
        }
        match &self.executable.engine {
            Engine::Loop(module) => self.interpret_loops(module, args, budget),
            Engine::Array | Engine::Native(_) => self.interpret(args, budget),
        }
    }

    /// Calls it while somebody listens to its probes. Only compiled code has some.
    pub fn call_recorded(
        &self,
        args: &[HostValue],
        budget: Budget,
        recorder: &Recorder,
    ) -> Result<HostValue, Failure> {
        match &self.native {
            Some(native) => {
                let called = native.recorded(args, budget, Some(recorder));
                called.map_err(|error| self.explained(error, args, budget))
            }
            None => self.call(args, budget),
        }
    }

    /// Calls it and puts the result into `out`: its arrays are written where they lie, its scalars replaced. It has
    /// to have the result's type and sizes, and memory that neither an argument nor any other value shares;
    /// else that is the failure. After a failure it holds some value of its type.
    pub fn call_into(&self, args: &[HostValue], out: &mut HostValue, budget: Budget) -> Result<(), Failure> {
        out::check(self.kernel, args, out)?;
        match &self.native {
            Some(native) => {
                let called = native.call_into(args, out, budget);
                called.map_err(|error| self.explained(error, args, budget))
            }
            None => out::replace(self.kernel, out, self.call(args, budget)?),
        }
    }

    /// What the failure of a compiled call means to the user.
    fn explained(&self, error: NativeError, args: &[HostValue], budget: Budget) -> Failure {
        match error {
            NativeError::Call(CallError::CheckFailed) => self.failed_check(args, budget),
            NativeError::Call(CallError::OutOfMemory) => Failure::OutOfMemory,
            NativeError::Call(CallError::TooLarge) => self.too_large(),
            NativeError::Call(error) => Failure::bug(error.to_string()),
            NativeError::Shape => wrong_results(self.kernel),
            NativeError::Out(failure) => failure,
        }
    }

    fn interpret_loops(
        &self,
        module: &'run Module,
        args: &[HostValue],
        budget: Budget,
    ) -> Result<HostValue, Failure> {
        let interpreter = self.lowered.get_or_init(|| decoded(module, self.kernel));
        let interpreter = interpreter.as_ref().map_err(Failure::clone)?;
        match interpreter.run(gathered(args), &limits(budget)) {
            Ok(results) => collect(self.kernel, results_of_loop_level(self.kernel, results)?),
            Err(Stop::Check { .. }) => Err(self.failed_check(args, budget)),
            Err(stop) => Err(self.stopped(stop)),
        }
    }

    fn interpret(&self, args: &[HostValue], budget: Budget) -> Result<HostValue, Failure> {
        let module: &'run Module = &self.executable.ir.module;
        let interpreter = self.array.get_or_init(|| decoded(module, self.kernel));
        let interpreter = interpreter.as_ref().map_err(Failure::clone)?;
        match interpreter.run(gathered(args), &limits(budget)) {
            Ok(results) => collect(self.kernel, results),
            Err(stop) => Err(self.stopped(stop)),
        }
    }

    /// The first failure in source order, as the sequential program finds it.
    fn failed_check(&self, args: &[HostValue], budget: Budget) -> Failure {
        match self.interpret(args, budget) {
            Err(failure) => failure,
            Ok(_) => Failure::bug(format!(
                "compiled code says that a check of `{}` failed, the reference interpreter finds none",
                self.kernel.name
            )),
        }
    }

    /// Only whoever makes an array knows that it is too large: no check of the program says where.
    fn too_large(&self) -> Failure {
        let func = self.executable.ir.module.funcs.values().find(|func| func.name == self.kernel.name);
        let span = func.and_then(|func| Some(func.spans[*func.blocks[func.body].ops.first()?]));
        Failure::Diagnostics(vec![too_large(span.unwrap_or_default(), &self.kernel.name)])
    }

    fn stopped(&self, stop: Stop) -> Failure {
        match stop {
            Stop::Check { site, notes } => match self.executable.ir.sites.get(site as usize) {
                Some(found) => {
                    let notes: Vec<i64> = notes.iter().map(|(_, bits)| *bits as i64).collect();
                    Failure::Diagnostics(vec![found.diagnostic(&notes)])
                }
                None => Failure::Usage(format!("check {site} failed")),
            },
            Stop::OutOfMemory => Failure::OutOfMemory,
            Stop::TooLarge => self.too_large(),
            Stop::StepLimit => Failure::TooManySteps,
            Stop::Broken(what) => Failure::bug(what),
        }
    }
}

fn load(artifact: &Artifact, log: &mut StageLog) -> Result<LoadedObject, Failure> {
    let Artifact::Object(bytes) = artifact else {
        return Err(Failure::Usage(String::from("this target's code does not run on this machine")));
    };
    log.time("load", || LoadedObject::load(bytes)).map_err(|error| Failure::bug(error.to_string()))
}

fn wrong_results(kernel: &Kernel) -> Failure {
    Failure::bug(format!("the results of `{}` do not fit {}", kernel.name, kernel.result))
}

// ---- interpreters ----

fn decoded<'run>(module: &'run Module, kernel: &Kernel) -> Result<Interpreter<'run>, Failure> {
    let verified = verify(module).map_err(|errors| wrong_module(module, &errors))?;
    let func = module
        .find(&kernel.name)
        .ok_or_else(|| Failure::bug(format!("the module has no function `{}`", kernel.name)))?;
    Interpreter::new(verified, func).map_err(|stop| Failure::bug(stop.to_string()))
}

fn limits(budget: Budget) -> Limits {
    let defaults = Limits::default();
    Limits { steps: budget.steps, bytes: budget.bytes.unwrap_or(defaults.bytes), ..defaults }
}

/// Flat arguments with leaves copied into dense arrays.
fn gathered(args: &[HostValue]) -> Vec<RunValue> {
    flatten(args)
        .iter()
        .map(|arg| match arg {
            FlatArg::Bits(bits) => RunValue::Scalar(*bits),
            FlatArg::Leaf { array, leaf } => RunValue::Array(gather(array, *leaf)),
        })
        .collect()
}

fn gather(array: &HostArray, leaf: usize) -> RunArray {
    let layout = array.layout();
    let place = &layout.leaves[leaf];
    let width = place.scalar.bytes() as usize;
    let sizes = array.sizes().iter().map(|size| *size as i64).collect();
    let data = if layout.size == width {
        array.bytes().to_vec()
    } else {
        let mut data = Vec::with_capacity(array.count() * width);
        for element in array.bytes().chunks_exact(layout.size) {
            data.extend_from_slice(&element[place.offset..place.offset + width]);
        }
        data
    };
    RunArray { elem: place.scalar, sizes, data }
}

/// At loop level scalars come first and arrays after them; back into the order of the entry.
fn results_of_loop_level(kernel: &Kernel, results: Vec<ResultValue>) -> Result<Vec<ResultValue>, Failure> {
    let (mut scalars, mut arrays) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            RunValue::Scalar(_) => scalars.push(result),
            RunValue::Array(_) => arrays.push(result),
        }
    }
    let (mut scalars, mut arrays) = (scalars.into_iter(), arrays.into_iter());
    let ordered: Option<Vec<ResultValue>> = kernel
        .result_slots
        .iter()
        .map(|slot| match slot {
            Slot::Scalar(_) | Slot::Size { .. } => scalars.next(),
            Slot::Leaf { .. } => arrays.next(),
        })
        .collect();
    ordered.ok_or_else(|| wrong_results(kernel))
}

fn collect(kernel: &Kernel, results: Vec<ResultValue>) -> Result<HostValue, Failure> {
    unflatten(&kernel.result, &mut Interpreted(results.into_iter())).ok_or_else(|| wrong_results(kernel))
}

struct Interpreted(std::vec::IntoIter<ResultValue>);

impl FlatResults for Interpreted {
    fn scalar(&mut self) -> Option<u64> {
        match self.0.next()? {
            RunValue::Scalar(bits) => Some(bits),
            RunValue::Array(_) => None,
        }
    }

    fn fill(&mut self, array: &mut HostArray) -> Option<()> {
        for leaf in 0..array.layout().leaves.len() {
            let RunValue::Array(found) = self.0.next()? else { return None };
            let width = found.elem.bytes() as usize;
            if found.elem != array.layout().leaves[leaf].scalar || found.data.len() != array.count() * width {
                return None;
            }
            let scalar = found.elem;
            let bits = found.data.chunks_exact(width).map(|one| crate::value::read_bits(scalar, one));
            scatter_leaf(array, leaf, bits);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::{NoFiles, bind};
    use crate::show::{ShowOptions, show};
    use crate::spec::parse_spec;
    use crate::stages::read_ir;
    use crate::value::{HostField, HostType};
    use we3_frontend::typed::{Entry, FuncId, HostParam, SiteKind};
    use we3_ir::Scalar;
    use we3_ir::span::Span;

    /// Swaps the fields of every record, and gives back a scalar that must be small.
    const SWAP: &str = "array module

entry func @swap(%0: i64, %1: u8[%0] stride 16, %2: f64[%0] stride 2, %3: i64) \
        -> (i64, f64[#0] stride 2, u8[#0] stride 16, i64) {
  %4: bool = lt %3, %0
  check.0 %4, %3, %0
  %5: f64[%0] = build %0 {
  b(%6: i64):
    %7: f64 = index %2, %6
    yield %7
  }
  %8: u8[%0] = build %0 {
  b(%9: i64):
    %10: u8 = index %1, %9
    yield %10
  }
  return %0, %5, %8, %3
}
";

    fn pair(first: Scalar, second: Scalar) -> HostType {
        let field = |name: &str, ty| HostField { name: name.into(), ty: HostType::Scalar(ty) };
        HostType::Record { name: "P".into(), fields: vec![field("a", first), field("b", second)] }
    }

    fn swap_kernel(func: &we3_ir::Func) -> Kernel {
        let param =
            |name: &str, ty| HostParam { name: name.into(), ty, mutable: false, span: Span::default() };
        let entry = Entry {
            name: "swap".into(),
            func: FuncId(0),
            params: vec![
                param("x", HostType::array(pair(Scalar::U8, Scalar::F64), 1)),
                param("k", HostType::Scalar(Scalar::I64)),
            ],
            result: HostType::Tuple(vec![
                HostType::array(pair(Scalar::F64, Scalar::U8), 1),
                HostType::Scalar(Scalar::I64),
            ]),
            docs: Vec::new(),
            span: Span::default(),
        };
        Kernel::new(&entry, func).unwrap()
    }

    #[test]
    fn records_go_through_every_backend_in_c_layout() {
        let Form::Array(module) = read_ir(SWAP).unwrap() else { panic!("array IR") };
        let kernel = swap_kernel(module.funcs.values().next().unwrap());
        let site = Site { span: Span::default(), kind: SiteKind::Bounds };
        let ir = ProgramIr { module: Rc::new(module), sites: Rc::new(vec![site]) };
        let x = bind(&parse_spec("[(1, 2.5), (3, -0.0)]").unwrap(), &kernel.params[0].ty, 0, &mut NoFiles)
            .unwrap();
        for backend in [BackendChoice::Interpreter, BackendChoice::LoopInterpreter, BackendChoice::Cranelift]
        {
            let executable =
                Executable::build(&ir, &|_| true, &Plan::host(backend), &mut StageLog::default()).unwrap();
            let call = |k: u64| {
                executable.call(&kernel, &[x.clone(), HostValue::scalar(Scalar::I64, k)], Budget::default())
            };
            let text = show(&call(1).unwrap(), ShowOptions::whole());
            assert_eq!(text, "([P { a: 2.5, b: 1 }, P { a: -0.0, b: 3 }], 1)", "{backend:?}");
            let failure = call(2).unwrap_err();
            assert_eq!(failure.summary(), "index 2 is out of range for an axis of size 2", "{backend:?}");
        }
    }
}
