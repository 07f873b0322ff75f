//! `we3c bench`: times the `bench` items of a program.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use we3_driver::bench_runner::{BenchOutcome, run_benches};
use we3_driver::executable::Budget;
use we3_driver::plan::Plan;
use we3_driver::session::SessionOptions;

use super::{Outcome, nothing_ran, open, report, shown};
use crate::console::{Console, EXIT_FAILED, MessageFormat};

const EXAMPLES: &str = "\
Prints the median of repeated calls, and half the width of the middle half of the samples.

Examples:
    we3c bench kernels.we3
    we3c bench kernels.we3 --filter matmul --backend llvm --message-format json";

/// Options of `bench`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// The root module
    file: String,

    /// Only benches whose name contains this
    #[arg(long)]
    filter: Option<String>,

    /// interp, cranelift or llvm
    #[arg(long, default_value = "cranelift")]
    backend: String,

    /// How many threads a call may use (default: WE3_THREADS, else every core)
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,

    /// Do not use what `we3c tune` found
    #[arg(long)]
    no_tune: bool,
}

/// Runs the benches.
pub fn run(args: &Args, console: Console) -> Outcome {
    let plan = Plan::host(super::backend(&args.backend)?).with_schedules(super::schedules(args.no_tune));
    let mut session = open(&args.file, SessionOptions { with_tests: true, warn_sizes: false })?;
    report(&session, console);
    if session.has_errors() {
        return Ok(ExitCode::from(EXIT_FAILED));
    }
    let budget = Budget::default().on_threads(args.threads);
    let outcomes = run_benches(&mut session, &plan, args.filter.as_deref(), budget, &mut |outcome| {
        console.print(&line(outcome, &plan, console));
    });
    match outcomes {
        Ok(run) => {
            if run.is_empty() {
                console.message(&nothing_ran("bench", &args.file, args.filter.as_deref()));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => super::failed(&session, failure, console),
    }
}

fn line(outcome: &BenchOutcome, plan: &Plan, console: Console) -> String {
    match console.format {
        MessageFormat::Human => {
            let sizes: Vec<String> =
                outcome.sizes.iter().map(|(name, size)| format!("{name} = {size}")).collect();
            format!(
                "{:>12} ± {:<10} {}{}  ({} samples)\n",
                shown(outcome.median),
                shown(outcome.spread),
                outcome.name,
                if sizes.is_empty() { String::new() } else { format!(" [{}]", sizes.join(", ")) },
                outcome.samples,
            )
        }
        MessageFormat::Json => {
            let sizes: serde_json::Map<String, serde_json::Value> =
                outcome.sizes.iter().map(|(name, size)| (name.clone(), (*size).into())).collect();
            let object = serde_json::json!({
                "bench": outcome.name,
                "plan": plan.describe(),
                "sizes": sizes,
                "median_ns": outcome.median.as_nanos() as u64,
                "fastest_ns": outcome.fastest.as_nanos() as u64,
                "spread_ns": outcome.spread.as_nanos() as u64,
                "samples": outcome.samples,
            });
            format!("{object}\n")
        }
    }
}
