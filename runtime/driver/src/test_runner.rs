//! Runs the `test` items of a program on one backend: once, or on generated inputs; a failing input is made
//! smaller while it fails at the same place.

use we3_frontend::typed::Test;

use crate::executable::{Budget, Caller};
use crate::failure::Failure;
use crate::generate::{Case, Recipe};
use crate::plan::Plan;
use crate::random::seed_of_name;
use crate::session::Session;
use crate::value::HostValue;

/// Inputs that a test with inputs runs on.
pub const CASES: u64 = 100;

/// Calls that making an input smaller may take.
const MAX_SHRINKS: usize = 300;

/// Which tests run and how.
#[derive(Clone, Debug)]
pub struct TestOptions {
    /// With what.
    pub plan: Plan,
    /// Only tests whose name contains this.
    pub filter: Option<String>,
    /// Inputs for each.
    pub cases: u64,
    /// Instead of the seed that the name gives.
    pub seed: Option<u64>,
    /// What each call may use.
    pub budget: Budget,
}

impl TestOptions {
    /// Everything, with this plan.
    pub fn new(plan: Plan) -> TestOptions {
        TestOptions { plan, filter: None, cases: CASES, seed: None, budget: Budget::default() }
    }
}

/// How a test ended.
#[derive(Clone, Debug)]
pub struct TestOutcome {
    /// Its name, after its modules.
    pub name: String,
    /// The inputs it ran on.
    pub cases: u64,
    /// What the inputs were made from; none if it has no inputs.
    pub seed: Option<u64>,
    /// What went wrong.
    pub failure: Option<TestFailure>,
}

/// A failing input.
#[derive(Clone, Debug)]
pub struct TestFailure {
    /// What was reported.
    pub failure: Failure,
    /// The smallest input found: names and values.
    pub inputs: Vec<(String, HostValue)>,
    /// The number of the generated input.
    pub case: u64,
    /// How many times it was made smaller.
    pub shrinks: usize,
}

/// Runs the tests; `done` hears of each one as it ends.
pub fn run_tests(
    session: &mut Session,
    options: &TestOptions,
    done: &mut dyn FnMut(&TestOutcome),
) -> Result<Vec<TestOutcome>, Failure> {
    let tests: Vec<Test> = session.program()?.tests.clone();
    let wanted: Vec<&Test> = tests.iter().filter(|test| selected(test, options.filter.as_deref())).collect();
    let mut names = Vec::new();
    for test in &wanted {
        names.push(session.ir_name(test.entry.func)?);
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let executable = session.build(&|name| names.iter().any(|one| one == name), &options.plan)?;
    let mut outcomes = Vec::new();
    for test in wanted {
        let kernel = session.kernel(&test.entry)?;
        let outcome = Runner { caller: executable.caller(&kernel), test, options }.run();
        done(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

fn full_name(test: &Test) -> String {
    let mut parts = test.module.clone();
    parts.push(test.name.clone());
    parts.join("::")
}

fn selected(test: &Test, filter: Option<&str>) -> bool {
    filter.is_none_or(|filter| full_name(test).contains(filter))
}

struct Runner<'run> {
    caller: Caller<'run>,
    test: &'run Test,
    options: &'run TestOptions,
}

impl Runner<'_> {
    fn recipe(&self) -> Recipe<'_> {
        Recipe { sizes: &self.test.sizes, inputs: &self.test.inputs, edges: self.test.edges }
    }

    fn run(&self) -> TestOutcome {
        let name = full_name(self.test);
        if self.test.inputs.is_empty() {
            let failure = self.call(&[]).err().map(|failure| TestFailure {
                failure,
                inputs: Vec::new(),
                case: 0,
                shrinks: 0,
            });
            return TestOutcome { name, cases: 1, seed: None, failure };
        }
        let seed = self.options.seed.unwrap_or_else(|| seed_of_name(&self.test.name));
        for number in 0..self.options.cases {
            let case = self.recipe().case(seed, number);
            // Sizes that fit together for no value (`T[n - 20]`) make no input.
            let Some(values) = self.recipe().values(&case) else { continue };
            if let Err(failure) = self.call(&values) {
                let failure = self.shrink(case, failure, number);
                return TestOutcome { name, cases: number + 1, seed: Some(seed), failure: Some(failure) };
            }
        }
        TestOutcome { name, cases: self.options.cases, seed: Some(seed), failure: None }
    }

    fn call(&self, values: &[HostValue]) -> Result<(), Failure> {
        self.caller.call(values, self.options.budget).map(|_| ())
    }

    /// Takes the first smaller case that fails at the same place, again and again.
    fn shrink(&self, case: Case, failure: Failure, number: u64) -> TestFailure {
        let (mut case, mut failure, mut shrinks, mut calls) = (case, failure, 0, 0);
        'smaller: while calls < MAX_SHRINKS {
            for candidate in self.recipe().smaller(&case) {
                let Some(values) = self.recipe().values(&candidate) else { continue };
                calls += 1;
                if let Err(found) = self.call(&values)
                    && same_place(&found, &failure)
                {
                    (case, failure) = (candidate, found);
                    shrinks += 1;
                    continue 'smaller;
                }
            }
            break;
        }
        let values = self.recipe().values(&case).unwrap_or_default();
        let names = self.test.entry.params.iter().map(|param| param.name.clone());
        TestFailure { failure, inputs: names.zip(values).collect(), case: number, shrinks }
    }
}

fn same_place(a: &Failure, b: &Failure) -> bool {
    match (a, b) {
        (Failure::Diagnostics(a), Failure::Diagnostics(b)) => {
            let place = |found: &[we3_ir::diagnostic::Diagnostic]| {
                found.first().map(|first| (first.code, first.primary_span()))
            };
            place(a) == place(b)
        }
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}
