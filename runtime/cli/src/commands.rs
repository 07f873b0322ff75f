//! Dispatch: one file a command, each with its options and a `run` that gives an exit code or a failure;
//! and the few steps that several commands share.

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
pub mod tune;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use we3_driver::Diagnostic;
use we3_driver::failure::Failure;
use we3_driver::plan::{BackendChoice, Schedules};
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::stages::StageLog;

use crate::args::{Cli, Command};
use crate::console::{Console, EXIT_FAILED, MessageFormat};
use crate::files;

/// What a command ends with.
pub type Outcome = Result<ExitCode, Failure>;

/// Runs the command that was asked for and reports what stopped it.
pub fn run(cli: Cli) -> ExitCode {
    let console = Console::new(cli.message_format, cli.color);
    let outcome = match cli.command {
        Command::Check(args) => check::run(&args, console),
        Command::Run(args) => self::run::run(&args, console),
        Command::Test(args) => test::run(&args, console),
        Command::Tune(args) => tune::run(&args, console),
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

/// The sources of a program: a file, standard input as `-`, a library module as `std::linalg`, or the whole
/// library as `std`.
fn sources(file: &str) -> Result<Sources, Failure> {
    if file == "-" {
        return Ok(Sources::from_text("<stdin>", files::read_text(file)?));
    }
    if file == "std" {
        return Ok(Sources::library());
    }
    if let Some(module) = file.strip_prefix("std::") {
        return Sources::std_named(module);
    }
    Sources::from_file(Path::new(file))
}

fn open(file: &str, options: SessionOptions) -> Result<Session, Failure> {
    Ok(Session::open(&sources(file)?, options))
}

/// Shows what the check found.
fn report(session: &Session, console: Console) {
    show(session, session.diagnostics(), console);
}

/// Shows diagnostics with their places.
fn show(session: &Session, found: &[Diagnostic], console: Console) {
    if !found.is_empty() {
        console.message(&match console.format {
            MessageFormat::Human => session.render(found, console.colored()),
            MessageFormat::Json => session.render_json(found),
        });
    }
}

/// Shows a failure; one that has a place in the sources with it.
fn failed(session: &Session, failure: Failure, console: Console) -> Outcome {
    match failure {
        Failure::Diagnostics(found) => {
            show(session, &found, console);
            Ok(ExitCode::from(EXIT_FAILED))
        }
        Failure::Usage(_)
        | Failure::Unsupported(_)
        | Failure::OutOfMemory
        | Failure::TooManySteps
        | Failure::Unavailable(_)
        | Failure::Bug { .. } => Ok(console.failure(&failure)),
    }
}

/// The backend with this name.
fn backend(name: &str) -> Result<BackendChoice, Failure> {
    BackendChoice::from_name(name)
        .ok_or_else(|| Failure::unknown("backend", name, &BackendChoice::ALL.map(BackendChoice::name)))
}

/// Where schedules come from that the program does not say.
fn schedules(no_tune: bool) -> Schedules {
    if no_tune { Schedules::Heuristic } else { Schedules::Stored }
}

/// Whether line tables are wanted: said here, or in general for code that can have them.
fn wants_lines(asked: bool, backend: BackendChoice) -> bool {
    asked || (backend == BackendChoice::Llvm && we3_driver::knobs::debug_info())
}

/// Said when a file has nothing of the kind, or the filter leaves nothing.
fn nothing_ran(kind: &str, file: &str, filter: Option<&str>) -> String {
    match filter {
        Some(filter) => format!("note: no `{kind}` of {file} has `{filter}` in its name\n"),
        None => format!("note: there is no `{kind}` in {file}\n"),
    }
}

/// How long each stage took, one line each, and the sum.
fn times(log: &StageLog) -> String {
    let line = |name: &str, time: Duration| format!("{:>10.3} ms  {name}\n", time.as_secs_f64() * 1e3);
    let stages: String = log.times.iter().map(|one| line(&one.name, one.time)).collect();
    stages + &line("in all", log.total())
}

/// A time with three digits and its unit.
fn shown(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let (value, unit) = match nanos {
        _ if nanos < 1e3 => (nanos, "ns"),
        _ if nanos < 1e6 => (nanos / 1e3, "µs"),
        _ if nanos < 1e9 => (nanos / 1e6, "ms"),
        _ => (nanos / 1e9, "s"),
    };
    let digits = if value < 10.0 {
        3
    } else if value < 100.0 {
        2
    } else {
        1
    };
    format!("{value:.digits$} {unit}")
}
