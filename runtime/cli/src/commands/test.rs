//! `we3c test`: runs the `test` items of programs and of library modules.

use std::process::ExitCode;

use we3_driver::plan::Plan;
use we3_driver::session::{Session, SessionOptions};
use we3_driver::show::{ShowOptions, show};
use we3_driver::test_runner::{CASES, TestFailure, TestOptions, TestOutcome, run_tests};

use super::{Outcome, nothing_ran, open, report};
use crate::console::{Console, EXIT_FAILED};

const EXAMPLES: &str = "\
A test with inputs runs on 100 generated ones; a failing input is made smaller before it is shown.

Examples:
    we3c test model.we3
    we3c test model.we3 --filter softmax --backend llvm
    we3c test std::linalg                    a module of the standard library
    we3c test model.we3 --seed 7 --cases 10000";

/// Options of `test`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Root modules, modules of the library as std::linalg, or the whole library as std
    #[arg(required = true)]
    files: Vec<String>,

    /// Only tests whose name contains this
    #[arg(long)]
    filter: Option<String>,

    /// interp, cranelift or llvm
    #[arg(long, default_value = "cranelift")]
    backend: String,

    /// Inputs for each test that has inputs
    #[arg(long, default_value_t = CASES)]
    cases: u64,

    /// Instead of the seed that each test's name gives
    #[arg(long)]
    seed: Option<u64>,

    /// Show only failures and the count
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the tests of every file.
pub fn run(args: &Args, console: Console) -> Outcome {
    let plan = Plan::host(super::backend(&args.backend)?);
    let options = TestOptions {
        filter: args.filter.clone(),
        cases: args.cases,
        seed: args.seed,
        ..TestOptions::new(plan)
    };
    let (mut passed, mut failed) = (0, 0);
    for file in &args.files {
        let mut session = open(file, SessionOptions { with_tests: true, warn_sizes: false })?;
        report(&session, console);
        if session.has_errors() {
            failed += 1;
            continue;
        }
        let outcomes = run_tests(&mut session, &options, &mut |outcome| {
            if !args.quiet && outcome.failure.is_none() {
                console.print(&format!("ok      {}\n", described(outcome)));
            }
        });
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(failure) => {
                // The others may still be worth a look.
                super::failed(&session, failure, console)?;
                failed += 1;
                continue;
            }
        };
        if outcomes.is_empty() {
            console.message(&nothing_ran("test", file, args.filter.as_deref()));
        }
        for outcome in &outcomes {
            match &outcome.failure {
                None => passed += 1,
                Some(failure) => {
                    failed += 1;
                    console.print(&format!("FAILED  {}\n", described(outcome)));
                    show_failure(&session, failure, console);
                }
            }
        }
    }
    console.print(&format!("{passed} passed, {failed} failed\n"));
    Ok(if failed > 0 { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

fn described(outcome: &TestOutcome) -> String {
    match outcome.seed {
        Some(seed) => format!("{} ({} inputs, seed {seed})", outcome.name, outcome.cases),
        None => outcome.name.clone(),
    }
}

fn show_failure(session: &Session, found: &TestFailure, console: Console) {
    for (name, value) in &found.inputs {
        let text = show(value, ShowOptions { threshold: 200, ..ShowOptions::default() });
        let indented = text.replace('\n', &format!("\n{}", " ".repeat(name.len() + 11)));
        console.print(&format!("        {name} = {indented}\n"));
    }
    if found.shrinks > 0 {
        console.print(&format!("        (input {}, made smaller {} times)\n", found.case, found.shrinks));
    }
    // The exit code is this command's, whatever the failure's would be.
    let _ = super::failed(session, found.failure.clone(), console);
}
