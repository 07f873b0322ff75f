//! Dispatch: one file a command, each with its options and a `run` that gives an exit code or a failure.

pub mod bench;
pub mod check;
pub mod compile;
pub mod completions;
pub mod doc;
pub mod doctor;
pub mod explain;
pub mod fmt;
pub mod opt;
pub mod run;
pub mod test;

use std::process::ExitCode;

use we3_driver::failure::Failure;

use crate::args::{Cli, Command};
use crate::console::Console;

/// What a command ends with.
pub type Outcome = Result<ExitCode, Failure>;

/// Runs the command that was asked for and reports what stopped it.
pub fn run(cli: Cli) -> ExitCode {
    let console = Console::new(cli.message_format, cli.color);
    let outcome = match cli.command {
        Command::Check(args) => check::run(&args, console),
        Command::Run(args) => self::run::run(&args, console),
        Command::Test(args) => test::run(&args, console),
        Command::Bench(args) => bench::run(&args, console),
        Command::Compile(args) => compile::run(&args, console),
        Command::Opt(args) => opt::run(&args, console),
        Command::Fmt(args) => fmt::run(&args, console),
        Command::Doc(args) => doc::run(&args, console),
        Command::Explain(args) => explain::run(&args, console),
        Command::Doctor(args) => doctor::run(&args, console),
        Command::Completions(args) => completions::run(&args, console),
    };
    outcome.unwrap_or_else(|failure| console.failure(&failure))
}
