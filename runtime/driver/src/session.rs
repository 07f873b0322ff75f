//! One program from its sources on: checked once, emitted once, then called, tested or compiled.

use std::rc::Rc;

use we3_frontend::check::{CheckOptions, CheckResult, check};
use we3_frontend::emit::{emit, func_id};
use we3_frontend::render::{render_json, render_text};
use we3_frontend::source::SourceMap;
use we3_frontend::typed::{Entry, FuncId, Program};
use we3_ir::Module;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::verify::verify;

use crate::const_eval::InterpretedConsts;
use crate::executable::{Executable, ProgramIr};
use crate::failure::Failure;
use crate::instances::{FunctionKind, function_kind};
use crate::kernel::Kernel;
use crate::plan::Plan;
use crate::sources::Sources;
use crate::stages::{StageLog, wrong_module};

/// What to check and report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SessionOptions {
    /// Check and keep tests and benches.
    pub with_tests: bool,
    /// `-W sizes`: report sizes that are checked at run time.
    pub warn_sizes: bool,
}

/// A checked program.
#[derive(Debug)]
pub struct Session {
    sources: SourceMap,
    diagnostics: Vec<Diagnostic>,
    program: Option<Program>,
    ir: Option<ProgramIr>,
    /// How long the stages took.
    pub log: StageLog,
}

impl Session {
    /// Reads and checks a program. Errors in it are kept, not returned: `diagnostics` has them.
    pub fn open(sources: &Sources, options: SessionOptions) -> Session {
        let mut log = StageLog::default();
        let CheckResult { program, diagnostics, sources } = log.time("check", || {
            let options = CheckOptions {
                skip_tests: !options.with_tests,
                warn_sizes: options.warn_sizes,
                trust_std: !sources.is_library(),
                all_tests: sources.all_tests(),
                const_eval: Some(&InterpretedConsts),
            };
            check(sources, options)
        });
        Session { sources, diagnostics, program, ir: None, log }
    }

    /// Everything found, in source order.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether some of that are errors.
    pub fn has_errors(&self) -> bool {
        self.program.is_none() || self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The files that were read.
    pub fn sources(&self) -> &SourceMap {
        &self.sources
    }

    /// Diagnostics as text for a person.
    pub fn render(&self, diagnostics: &[Diagnostic], colored: bool) -> String {
        render_text(&self.sources, diagnostics, colored)
    }

    /// Diagnostics as JSON, one object a line.
    pub fn render_json(&self, diagnostics: &[Diagnostic]) -> String {
        let lines = diagnostics.iter().map(|diagnostic| render_json(&self.sources, diagnostic));
        lines.map(|line| line.trim_end().to_owned() + "\n").collect()
    }

    /// The typed program, or its errors.
    pub fn program(&self) -> Result<&Program, Failure> {
        match &self.program {
            Some(program) if !self.has_errors() => Ok(program),
            Some(_) | None => Err(Failure::Diagnostics(self.diagnostics.clone())),
        }
    }

    /// The array IR, emitted on first need.
    pub fn ir(&mut self) -> Result<ProgramIr, Failure> {
        if let Some(ir) = &self.ir {
            return Ok(ir.clone());
        }
        let start = std::time::Instant::now();
        let program = self.program()?;
        let mut module = emit(program).map_err(|what| Failure::bug(format!("emitting array IR: {what}")))?;
        name_entries(program, &mut module);
        if let Err(errors) = verify(&module) {
            return Err(wrong_module(&module, &errors));
        }
        let ir = ProgramIr { module: Rc::new(module), sites: Rc::new(program.sites.clone()) };
        self.log.note("emit", start);
        self.ir = Some(ir.clone());
        Ok(ir)
    }

    /// What a host may call.
    pub fn entries(&self) -> &[Entry] {
        self.program.as_ref().map_or(&[], |program| &program.entries)
    }

    /// The entry with this name; the failure lists what there is.
    pub fn entry(&self, name: &str) -> Result<&Entry, Failure> {
        self.program()?;
        let found = self.entries().iter().find(|entry| entry.name == name);
        found.ok_or_else(|| self.no_entry(name))
    }

    fn no_entry(&self, name: &str) -> Failure {
        let root = self.sources.files().first().map_or("", |file| file.text.as_str());
        match function_kind(root, name) {
            Some(FunctionKind::Private) => Failure::Usage(format!(
                "`{name}` is private to its module: write `pub fn {name}` to make it an entry"
            )),
            Some(FunctionKind::Generic) => Failure::Usage(format!(
                "`{name}` has type parameters; an entry needs types, as a `pub fn` that calls it with some has"
            )),
            Some(FunctionKind::Plain) | None => match self.entries() {
                [] => Failure::Usage(format!("there is no `pub fn {name}`, nor any other entry")),
                entries => {
                    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
                    Failure::unknown("entry", name, &names)
                }
            },
        }
    }

    /// The name in the IR of a function of the program.
    pub fn ir_name(&mut self, func: FuncId) -> Result<String, Failure> {
        let ir = self.ir()?;
        let found = ir.module.funcs.get(func_id(func));
        found.map(|func| func.name.clone()).ok_or_else(|| Failure::bug("an entry without a function"))
    }

    /// How to call an entry (or a test, which is called like one).
    pub fn kernel(&mut self, entry: &Entry) -> Result<Kernel, Failure> {
        let ir = self.ir()?;
        match ir.module.funcs.get(func_id(entry.func)) {
            Some(func) => Kernel::new(entry, func),
            None => Err(Failure::bug(format!("the emitter made no function for `{}`", entry.name))),
        }
    }

    /// Makes functions callable, by their names in the IR.
    pub fn build(&mut self, wanted: &dyn Fn(&str) -> bool, plan: &Plan) -> Result<Executable, Failure> {
        let ir = self.ir()?;
        Executable::build(&ir, wanted, plan, &mut self.log)
    }
}

/// Entries are called by the names of the source: the wrapper that a host calls takes the name, and the
/// function it wraps takes another.
fn name_entries(program: &Program, module: &mut Module) {
    for entry in &program.entries {
        let id = func_id(entry.func);
        if let Some(wrapped) = module.find(&entry.name).filter(|found| *found != id) {
            module.funcs[wrapped].name = format!("{} (inner)", entry.name);
        }
        if let Some(wrapper) = module.funcs.get_mut(id) {
            wrapper.name.clone_from(&entry.name);
        }
    }
}
