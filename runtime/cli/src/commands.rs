//! Dispatch: one file a command, each with its options and a `run` that gives an exit code or a failure.

pub mod compile;
pub mod completions;
pub mod doctor;
pub mod explain;
pub mod opt;

use std::process::ExitCode;
use std::time::Duration;

use we3_driver::failure::Failure;
use we3_driver::plan::BackendChoice;
use we3_driver::stages::StageLog;

use crate::args::{Cli, Command};
use crate::console::Console;

/// What a command ends with.
pub type Outcome = Result<ExitCode, Failure>;

/// Runs the command that was asked for and reports what stopped it.
pub fn run(cli: Cli) -> ExitCode {
    let console = Console::new(cli.message_format, cli.color);
    let outcome = match cli.command {
        Command::Compile(args) => compile::run(&args, console),
        Command::Opt(args) => opt::run(&args, console),
        Command::Explain(args) => explain::run(&args, console),
        Command::Doctor(args) => doctor::run(&args, console),
        Command::Completions(args) => completions::run(&args, console),
    };
    outcome.unwrap_or_else(|failure| console.failure(&failure))
}

/// The backend with this name.
fn backend(name: &str) -> Result<BackendChoice, Failure> {
    BackendChoice::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = BackendChoice::ALL.iter().map(|choice| choice.name()).collect();
        Failure::Usage(format!("there is no backend `{name}`; there are {}", known.join(", ")))
    })
}

/// How long each stage took, one line each, and the sum.
fn times(log: &StageLog) -> String {
    let line = |name: &str, time: Duration| format!("{:>10.3} ms  {name}\n", time.as_secs_f64() * 1e3);
    let stages: String = log.times.iter().map(|(name, time)| line(name, *time)).collect();
    stages + &line("in all", log.total())
}
