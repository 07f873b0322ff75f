//! `we3c tune`: searches for faster schedules of a function's nests, with real calls.

use std::process::ExitCode;
use std::time::Duration;

use we3_driver::plan::Plan;
use we3_driver::schedules::{axis_names, place, words};
use we3_driver::session::Session;
use we3_driver::tune::{Found, Trial, tune};

use super::run::{CallArgs, Program};
use super::{Outcome, report, shown};
use crate::console::{Console, EXIT_FAILED, MessageFormat};

const EXAMPLES: &str = "\
Each candidate is compiled, called with your arguments, compared bit for bit with the compiler's own choice and timed.
Winners are kept by the content of the program, the backend and the processor (in WE3_CACHE), and used by `run`, `bench`
and `compile` from then on, unless `--no-tune` is given. Sizes matter: tune with those that you will call with.

Examples:
    we3c tune blur.we3 blur random:f32[2048,2048] --backend llvm
    we3c tune blur.we3 blur photo.npy --budget 60 --threads 1";

/// Options of `tune`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    call: CallArgs,

    /// cranelift or llvm
    #[arg(long, default_value = "cranelift")]
    backend: String,

    /// Seconds to spend
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0, value_parser = seconds)]
    budget: f64,
}

fn seconds(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| String::from("a number of seconds is needed"))?;
    if number > 0.0 && number <= 1e6 {
        Ok(number)
    } else {
        Err(String::from("from above 0 to a million seconds"))
    }
}

/// Tunes the function.
pub fn run(args: &Args, console: Console) -> Outcome {
    let mut program = Program::open(&args.call)?;
    report(&program.session, console);
    if program.session.has_errors() {
        return Ok(ExitCode::from(EXIT_FAILED));
    }
    let (kernel, values) = program.bind()?;
    let plan = Plan::host(super::backend(&args.backend)?);
    let limits = (Duration::from_secs_f64(args.budget), args.call.budget());
    let mut heard = |trial: &Trial| console.progress(&progress(trial));
    let outcome = tune(&mut program.session, &kernel, &values, &plan, limits, &mut heard);
    console.progress("");
    match outcome {
        Ok(found) => {
            console.print(&match console.format {
                MessageFormat::Human => summary(&program.session, &kernel.name, &found),
                MessageFormat::Json => json(&program.session, &kernel.name, &found),
            });
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => super::failed(&program.session, failure, console),
    }
}

fn progress(trial: &Trial) -> String {
    let (number, total) = trial.number;
    let time = trial.time.map_or_else(|| String::from("does not fit"), shown);
    format!(
        "{number} of {total}: {} {time}{}",
        trial.schedule,
        if trial.kept { ", the best so far" } else { "" }
    )
}

fn summary(session: &Session, name: &str, found: &Found) -> String {
    let mut text = format!(
        "{name}: {} as the compiler has it, {} tuned ({:.2} times as fast)\n",
        shown(found.before),
        shown(found.after),
        found.before.as_secs_f64() / found.after.as_secs_f64()
    );
    for line in winners(session, found) {
        text.push_str(&format!("  {line}\n"));
    }
    if found.winners.is_empty() {
        text.push_str("  no other schedule is faster\n");
    }
    if !found.complete {
        text.push_str("  the time was up before all candidates were tried: --budget gives more\n");
    }
    match &found.kept {
        Some(Ok(path)) => text.push_str(&format!("  kept in {}\n", path.display())),
        Some(Err(why)) => text.push_str(&format!("  not kept: {why}\n")),
        None => {}
    }
    text
}

/// `file:3:5 #[schedule(…)]` for each nest that runs otherwise now.
fn winners(session: &Session, found: &Found) -> Vec<String> {
    let sources = Some(session.sources());
    let line = |(nest, schedule): &(_, _)| {
        let nest: &we3_driver::schedules::NestNote = nest;
        format!("{} #[schedule({})]", place(nest.span, sources), words(schedule, &axis_names(nest, sources)))
    };
    found.winners.iter().map(line).collect()
}

fn json(session: &Session, name: &str, found: &Found) -> String {
    let value = serde_json::json!({
        "entry": name,
        "before_seconds": found.before.as_secs_f64(),
        "after_seconds": found.after.as_secs_f64(),
        "winners": winners(session, found),
        "complete": found.complete,
        "path": found.kept.as_ref().and_then(|kept| kept.as_ref().ok()),
    });
    format!("{value}\n")
}
