//! One suite file: checked, emitted, then every run and test on every configuration.

use std::collections::BTreeSet;
use std::path::Path;

use we3_driver::arguments::{NamedSpec, bind_arguments, default_text};
use we3_driver::bind::{NoFiles, bind};
use we3_driver::compare::first_difference;
use we3_driver::executable::{Budget, Executable};
use we3_driver::failure::Failure;
use we3_driver::instances::{EntryName, instance_of};
use we3_driver::kernel::Kernel;
use we3_driver::plan::Plan;
use we3_driver::session::{Session, SessionOptions};
use we3_driver::show::{ShowOptions, show};
use we3_driver::sources::Sources;
use we3_driver::spec::{CallSpec, Spec};
use we3_driver::stages::{Form, Stage, StageLog, run_to};
use we3_driver::test_runner::{TestOptions, run_tests};
use we3_driver::value::{HostArray, HostValue};
use we3_driver::{Emit, Scalar};

use super::directives::{Directive, Expected, Kind, Selector, directives};
use super::{FileReport, configs, diagnostics, guarded, ptx, structure};

/// Inputs for each test item: fewer than `we3c test` takes, times all configurations.
const CASES: u64 = 25;

/// Steps of the interpreters for one run; a program that needs more is no test.
const STEPS: u64 = 200_000_000;

/// Runs everything in a file.
pub fn run_file(path: &Path) -> FileReport {
    guarded(path, |report| match Sources::from_file(path) {
        Ok(sources) => run_sources(sources, report),
        Err(failure) => report.fail(0, failure.summary()),
    })
}

/// Runs everything in a program.
pub fn run_sources(sources: Sources, report: &mut FileReport) {
    let (directives, faults) = directives(sources.root_text());
    for (line, fault) in faults {
        report.fail(line, fault);
    }
    let root = sources.root_text().to_owned();
    let sources = with_instances(sources, &root, &directives, report);
    let mut session = Session::open(&sources, SessionOptions { with_tests: true, warn_sizes: true });
    diagnostics::compare(&session, &directives, report);
    if session.has_errors() {
        return;
    }
    let mut program = match Program::new(&mut session, &root, &directives, report) {
        Ok(program) => program,
        Err(failure) => return report.fail(0, failure.summary()),
    };
    program.runs(report);
    program.structure(report);
    program.kernels(report);
    program.tests(report);
}

/// Adds a wrapper for each generic function that is called.
fn with_instances(
    mut sources: Sources,
    root: &str,
    directives: &[Directive],
    report: &mut FileReport,
) -> Sources {
    let mut names = BTreeSet::new();
    for directive in directives {
        for call in calls(directive) {
            match instance(root, call) {
                Ok(Some(instance)) => {
                    if names.insert(instance.name.clone()) {
                        sources = sources.with_appended(&instance.text);
                    }
                }
                Ok(None) => {}
                Err(failure) => report.fail(directive.line, failure.summary()),
            }
        }
    }
    sources
}

fn instance(root: &str, call: &CallSpec) -> Result<Option<we3_driver::instances::Instance>, Failure> {
    let specs: Vec<Spec> = call.args.iter().map(|(_, spec)| spec.clone()).collect();
    instance_of(root, &EntryName::parse(&call.entry), &specs)
}

fn calls(directive: &Directive) -> Vec<&CallSpec> {
    match &directive.kind {
        Kind::Run { call, expected: Expected::SameAs(other), .. } => vec![call, other],
        Kind::Run { call, .. } => vec![call],
        Kind::Complaint { .. } | Kind::Structure { .. } | Kind::Skip { .. } => Vec::new(),
    }
}

/// A call with its arguments bound.
struct Bound {
    line: usize,
    kernel: Kernel,
    values: Vec<HostValue>,
    /// What the reference gave.
    result: Result<HostValue, Failure>,
}

struct Program<'run> {
    session: &'run mut Session,
    root: &'run str,
    directives: &'run [Directive],
    skipped: BTreeSet<String>,
    reference: Executable,
}

impl<'run> Program<'run> {
    fn new(
        session: &'run mut Session,
        root: &'run str,
        directives: &'run [Directive],
        _report: &mut FileReport,
    ) -> Result<Program<'run>, Failure> {
        let skipped = directives.iter().filter_map(|directive| match &directive.kind {
            Kind::Skip { what } => Some(what.clone()),
            Kind::Run { .. } | Kind::Complaint { .. } | Kind::Structure { .. } => None,
        });
        let skipped = skipped.collect();
        let reference = session.build(&|_| true, &configs::reference())?;
        Ok(Program { session, root, directives, skipped, reference })
    }

    fn skips(&self, plan: &Plan) -> bool {
        self.skipped.contains(plan.backend.name())
    }

    /// Every `// run:` on the reference, compared with what it should be; then elsewhere with that.
    fn runs(&mut self, report: &mut FileReport) {
        let mut bound = Vec::new();
        for directive in self.directives {
            let Kind::Run { call, selectors, expected } = &directive.kind else { continue };
            report.cases += 1;
            match self.bind(directive.line, call) {
                Ok(one) => {
                    report.runs += 1;
                    if let Err(fault) = self.judge(&one.result, selectors, expected) {
                        report.fail(directive.line, format!("{} {fault}", call.entry));
                    }
                    bound.push(one);
                }
                Err(failure) => report.fail(directive.line, failure.summary()),
            }
        }
        let names: BTreeSet<String> = bound.iter().map(|one| one.kernel.name.clone()).collect();
        if names.is_empty() {
            return;
        }
        for plan in configs::others() {
            if !self.skips(&plan) {
                self.runs_with(&plan, &names, &bound, report);
            }
        }
        for one in &bound {
            self.runs_alone(one, report);
        }
    }

    /// Compiled for one call, whose sizes are constants, as `we3c run` does.
    fn runs_alone(&mut self, one: &Bound, report: &mut FileReport) {
        let plan = configs::compiled_here().for_call(&one.kernel.name, &one.values);
        if self.skips(&plan) {
            return;
        }
        let place = format!("{} for this call alone", plan.describe());
        let executable = match self.session.build(&|name| name == one.kernel.name, &plan) {
            Ok(executable) => executable,
            Err(failure) => return report.fail(one.line, format!("{place}: {}", failure.summary())),
        };
        report.runs += 1;
        let result = executable.call(&one.kernel, &one.values, Budget { steps: STEPS, ..Budget::default() });
        if let Some(fault) = disagreement(&one.result, &result) {
            report.fail(one.line, format!("{} on {place}: {fault}", one.kernel.name));
        }
    }

    fn runs_with(&mut self, plan: &Plan, names: &BTreeSet<String>, bound: &[Bound], report: &mut FileReport) {
        let executable = match self.session.build(&|name| names.contains(name), plan) {
            Ok(executable) => executable,
            Err(failure) => return report.fail(0, format!("{}: {}", plan.describe(), failure.summary())),
        };
        for one in bound {
            for threads in configs::ways(plan, one.line as u64) {
                report.runs += 1;
                let budget = Budget { steps: STEPS, threads, ..Budget::default() };
                let result = executable.call(&one.kernel, &one.values, budget);
                if let Some(fault) = disagreement(&one.result, &result) {
                    let place = configs::describe(plan, threads);
                    report.fail(one.line, format!("{} on {place}: {fault}", one.kernel.name));
                }
            }
        }
    }

    fn bind(&mut self, line: usize, call: &CallSpec) -> Result<Bound, Failure> {
        let name = EntryName::parse(&call.entry);
        let entry_name = match instance(self.root, call)? {
            Some(instance) => instance.name,
            None => call.entry.clone(),
        };
        let entry = self.session.entry(&entry_name)?.clone();
        let kernel = self.session.kernel(&entry)?;
        let root = self.root;
        let defaults = |param: &str| default_text(root, &name.base, param);
        let args: &[NamedSpec] = &call.args;
        let values = bind_arguments(&entry.name, &entry.params, args, &defaults, 0, &mut NoFiles)?;
        let budget = Budget { steps: STEPS, ..Budget::default() };
        let result = self.reference.call(&kernel, &values, budget);
        Ok(Bound { line, kernel, values, result })
    }

    fn judge(
        &mut self,
        result: &Result<HostValue, Failure>,
        selectors: &[Selector],
        expected: &Expected,
    ) -> Result<(), String> {
        let value = match (result, expected) {
            (Err(failure), Expected::Error(part)) => {
                let message = told(failure);
                let is_ours = matches!(failure, Failure::Bug { .. } | Failure::Unsupported(_));
                return match !is_ours && diagnostics::contains(&message, part) {
                    true => Ok(()),
                    false => Err(format!("failed with `{message}`, expected `{part}`")),
                };
            }
            (Err(failure), _) => return Err(format!("failed: {}", failure.summary())),
            (Ok(value), Expected::Error(part)) => {
                return Err(format!("gave {}, expected the error `{part}`", short(value)));
            }
            (Ok(value), _) => selected(value, selectors)?,
        };
        match expected {
            Expected::Exactly(spec) => {
                let wanted = bind(spec, &value.ty(), 0, &mut NoFiles)
                    .map_err(|fault| format!("gave {}; the expectation: {fault}", short(&value)))?;
                same(&value, &wanted)
            }
            Expected::Near(spec, bound) => {
                let wanted = bind(spec, &value.ty(), 0, &mut NoFiles)?;
                near(&value, &wanted, *bound)
            }
            Expected::SameAs(call) => {
                let other = self.bind(0, call).map_err(|failure| failure.summary())?;
                match other.result {
                    Ok(wanted) => same(&value, &wanted),
                    Err(failure) => Err(format!("the other call failed: {}", failure.summary())),
                }
            }
            Expected::Error(_) => Ok(()),
        }
    }

    /// The counts of `// expect:` lines, in loop IR for a target that every machine can make.
    fn structure(&mut self, report: &mut FileReport) {
        for directive in self.directives {
            let Kind::Structure { entry, counts } = &directive.kind else { continue };
            report.cases += 1;
            if let Err(fault) = self.counts(entry, counts) {
                report.fail(directive.line, fault);
            }
        }
    }

    fn counts(&mut self, entry: &str, counts: &[(usize, String)]) -> Result<(), String> {
        let found = self.session.entry(entry).map_err(|failure| failure.summary())?.clone();
        let kernel = self.session.kernel(&found).map_err(|failure| failure.summary())?;
        let ir = self.session.ir().map_err(|failure| failure.summary())?;
        let module = we3_driver::kernel::with_entries(&ir.module, &|name| name == kernel.name);
        let target = we3_driver::plan::target_from_name("x86-64-v3").ok_or("no target")?;
        let plan = configs::reference().for_target(target);
        let form = run_to(Form::Array(module), Stage::LoopIr, &plan, Emit::Object, &mut StageLog::default());
        let Form::Loop(module) = form.map_err(|failure| failure.summary())? else {
            return Err(String::from("no loop IR came out"));
        };
        let func = module.find(&kernel.name).ok_or("the entry is gone")?;
        for (expected, what) in counts {
            let found =
                structure::count(&module.funcs[func], what).ok_or(format!("cannot count `{what}`"))?;
            if found != *expected {
                return Err(format!("{found} {what}(s), expected {expected}"));
            }
        }
        Ok(())
    }

    /// PTX of all entries through ptxas.
    fn kernels(&mut self, report: &mut FileReport) {
        if self.skipped.contains("ptx") || !ptx::is_tested() {
            return;
        }
        let entries = self.session.entries().to_vec();
        let kernels: Result<Vec<Kernel>, Failure> =
            entries.iter().map(|entry| self.session.kernel(entry)).collect();
        let kernels = match kernels {
            Ok(kernels) if kernels.is_empty() => return,
            Ok(kernels) => kernels,
            Err(failure) => return report.fail(0, failure.summary()),
        };
        for processor in ptx::PROCESSORS {
            match ptx::assemble(self.session, &kernels, processor) {
                Ok(count) => report.kernels += count,
                Err(fault) => report.fail(0, format!("PTX for {processor}: {fault}")),
            }
        }
    }

    /// `test` items on every configuration; they pass on each.
    fn tests(&mut self, report: &mut FileReport) {
        let has_tests = self.session.program().is_ok_and(|program| !program.tests.is_empty());
        if !has_tests {
            return;
        }
        for plan in std::iter::once(configs::reference()).chain(configs::others()) {
            if self.skips(&plan) {
                continue;
            }
            let threads = configs::ways(&plan, CASES).pop().unwrap_or_default();
            let budget = Budget { threads, ..Budget::default() };
            let options = TestOptions { cases: CASES, budget, ..TestOptions::new(plan.clone()) };
            let outcomes = match run_tests(self.session, &options, &mut |_| ()) {
                Ok(outcomes) => outcomes,
                Err(failure) => {
                    report.fail(0, format!("tests on {}: {}", plan.describe(), failure.summary()));
                    continue;
                }
            };
            for outcome in outcomes {
                report.cases += 1;
                report.runs += outcome.cases as usize;
                if let Some(found) = outcome.failure {
                    let inputs: Vec<String> = found
                        .inputs
                        .iter()
                        .map(|(name, value)| format!("{name} = {}", short(value)))
                        .collect();
                    let what = found.failure.summary();
                    let (name, inputs) = (outcome.name, inputs.join(", "));
                    report.fail(0, format!("test \"{name}\" on {}: {what} [{inputs}]", plan.describe()));
                }
            }
        }
    }
}

/// What an expectation is compared with: the code, then the message.
fn told(failure: &Failure) -> String {
    if let Failure::Diagnostics(diagnostics) = failure
        && let Some(first) = diagnostics.first()
    {
        return format!("{} {}", first.code.0, first.message);
    }
    failure.summary()
}

fn short(value: &HostValue) -> String {
    show(value, ShowOptions { threshold: 40, width: usize::MAX, ..ShowOptions::default() })
}

fn same(value: &HostValue, wanted: &HostValue) -> Result<(), String> {
    match first_difference(value, wanted) {
        None => Ok(()),
        Some(place) => Err(format!("gave {}, expected {} (at `{place}`)", short(value), short(wanted))),
    }
}

/// How two results of one call differ, if they do.
pub fn disagreement(
    reference: &Result<HostValue, Failure>,
    found: &Result<HostValue, Failure>,
) -> Option<String> {
    match (reference, found) {
        (Ok(reference), Ok(found)) => first_difference(found, reference)
            .map(|place| format!("gave {}, the reference {} (at `{place}`)", short(found), short(reference))),
        (Err(reference), Err(found)) if reference == found => None,
        (Err(reference), Err(found)) => {
            Some(format!("failed with `{}`, the reference with `{}`", found.summary(), reference.summary()))
        }
        (Ok(_), Err(found)) => Some(format!("failed: {}", found.summary())),
        (Err(reference), Ok(found)) => {
            Some(format!("gave {}, the reference failed: {}", short(found), reference.summary()))
        }
    }
}

fn selected(value: &HostValue, selectors: &[Selector]) -> Result<HostValue, String> {
    let mut value = value.clone();
    for selector in selectors {
        value = match (selector, &value) {
            (Selector::Index(index), HostValue::Array(array)) => element(array, index)?,
            (Selector::Field(name), HostValue::Record { fields, .. }) => {
                let found = fields.iter().find(|(field, _)| field == name);
                found.map(|(_, value)| value.clone()).ok_or(format!("no field `{name}`"))?
            }
            (Selector::Field(name), HostValue::Tuple(parts)) => {
                let number = name.parse::<usize>().ok();
                number.and_then(|number| parts.get(number)).cloned().ok_or(format!("no part `{name}`"))?
            }
            _ => return Err(format!("{} has no such part", value.ty())),
        };
    }
    Ok(value)
}

fn element(array: &HostArray, index: &[u64]) -> Result<HostValue, String> {
    let fits = index.len() == array.sizes().len() && index.iter().zip(array.sizes()).all(|(i, n)| i < n);
    if !fits {
        return Err(format!("{index:?} is no element of {}", array.ty()));
    }
    let number = index.iter().zip(array.sizes()).fold(0, |number, (i, n)| number * n + i);
    Ok(array.element(number as usize))
}

/// Whether floats are no further apart than the bound; everything else is the same.
fn near(value: &HostValue, wanted: &HostValue, bound: f64) -> Result<(), String> {
    let far = || Err(format!("gave {}, expected {} within {bound:e}", short(value), short(wanted)));
    match (value, wanted) {
        (HostValue::Scalar(a), HostValue::Scalar(b)) if a.ty.is_float() => {
            let (a, b) = (as_f64(a.ty, a.bits), as_f64(b.ty, b.bits));
            if (a - b).abs() <= bound || a == b || (a.is_nan() && b.is_nan()) { Ok(()) } else { far() }
        }
        (HostValue::Array(a), HostValue::Array(b)) if a.sizes() == b.sizes() => {
            (0..a.count()).try_for_each(|number| near(&a.element(number), &b.element(number), bound))
        }
        (HostValue::Tuple(a), HostValue::Tuple(b)) => {
            a.iter().zip(b).try_for_each(|(a, b)| near(a, b, bound))
        }
        (HostValue::Record { fields: a, .. }, HostValue::Record { fields: b, .. }) => {
            a.iter().zip(b).try_for_each(|((_, a), (_, b))| near(a, b, bound))
        }
        _ if value == wanted => Ok(()),
        _ => far(),
    }
}

fn as_f64(ty: Scalar, bits: u64) -> f64 {
    we3_driver::show::show_scalar(we3_driver::Const { ty, bits }).parse().unwrap_or(f64::NAN)
}
