//! `we3c check`: everything that is wrong with programs, and on request what stays to be checked at run time.

use std::process::ExitCode;

use clap::ValueEnum;
use we3_driver::Diagnostic;
use we3_driver::failure::Failure;
use we3_driver::reports::{bounds, copies};
use we3_driver::session::{Session, SessionOptions};

use super::{Outcome, open, report};
use crate::console::{Console, EXIT_FAILED};

const EXAMPLES: &str = "\
Examples:
    we3c check model.we3
    we3c check -W sizes model.we3           which sizes are compared only at run time
    we3c check -W bounds -W copies model.we3
    we3c check --message-format json *.we3  for editors";

/// What may be reported besides errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Warning {
    /// Sizes that are compared at run time
    Sizes,
    /// Subscripts that are checked at run time
    Bounds,
    /// Arrays that are copied
    Copies,
    /// Sums of small integers, which wrap (always reported)
    Narrow,
}

/// Options of `check`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Root modules (`-`: standard input; `std`, `std::linalg`: the library, or a module of it)
    #[arg(required = true)]
    files: Vec<String>,

    /// Report this too
    #[arg(short = 'W', value_enum, value_name = "WHAT")]
    warnings: Vec<Warning>,

    /// Say how long it took
    #[arg(long)]
    time: bool,
}

/// Checks every file.
pub fn run(args: &Args, console: Console) -> Outcome {
    let options = SessionOptions { with_tests: true, warn_sizes: args.warnings.contains(&Warning::Sizes) };
    let mut failed = false;
    for file in &args.files {
        let mut session = open(file, options)?;
        report(&session, console);
        if session.has_errors() {
            failed = true;
        } else {
            for warning in &args.warnings {
                let found = more(*warning, &mut session)?;
                super::show(&session, &found, console);
            }
        }
        if args.time {
            console.message(&super::times(&session.log));
        }
    }
    Ok(if failed { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

/// What the optimised program shows.
fn more(warning: Warning, session: &mut Session) -> Result<Vec<Diagnostic>, Failure> {
    match warning {
        // The checker reported these.
        Warning::Sizes | Warning::Narrow => Ok(Vec::new()),
        Warning::Bounds => bounds(session),
        Warning::Copies => copies(session),
    }
}
