//! `we3c bench`: times the `bench` items of a program.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use we3_driver::bench_runner::{BenchOutcome, run_benches};
use we3_driver::executable::Budget;
use we3_driver::failure::Failure;
use we3_driver::plan::Plan;
use we3_driver::session::SessionOptions;

use super::{Outcome, nothing_ran, open, report, shown};
use crate::console::{Console, EXIT_FAILED, MessageFormat};
use crate::files;

const EXAMPLES: &str = "\
Prints the median of repeated calls, and half the width of the middle half of the samples.

Examples:
    we3c bench kernels.we3
    we3c bench kernels.we3 --save before.json       and after a change:
    we3c bench kernels.we3 --against before.json    0.80 x is a fifth less time
    we3c bench kernels.we3 --backend llvm --versus cranelift
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

    /// Keep the results in this file, a JSON object a line
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,

    /// Say how many times as long as in this file each bench takes
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,

    /// Say how many times as long as on this backend each bench takes
    #[arg(long, value_name = "BACKEND", conflicts_with = "against")]
    versus: Option<String>,
}

/// Runs the benches.
pub fn run(args: &Args, console: Console) -> Outcome {
    let plan = Plan::host(super::backend(&args.backend)?).with_schedules(super::schedules(args.no_tune));
    let mut before = args.against.as_deref().map(Saved::read).transpose()?;
    let mut session = open(&args.file, SessionOptions { with_tests: true, warn_sizes: false })?;
    report(&session, console);
    if session.has_errors() {
        return Ok(ExitCode::from(EXIT_FAILED));
    }
    let budget = Budget::default().on_threads(args.threads);
    let filter = args.filter.as_deref();
    if let Some(backend) = &args.versus {
        let other = plan.clone().on_backend(super::backend(backend)?);
        match run_benches(&mut session, &other, filter, budget, &mut |_| {}) {
            Ok(outcomes) => before = Some(Saved::of(&outcomes)),
            Err(failure) => return super::failed(&session, failure, console),
        }
    }
    let mut lines = String::new();
    let outcomes = run_benches(&mut session, &plan, filter, budget, &mut |outcome| {
        let ratio = before.as_ref().and_then(|before| before.ratio(outcome));
        lines.push_str(&json(outcome, &plan, None));
        console.print(&match console.format {
            MessageFormat::Human => line(outcome, ratio),
            MessageFormat::Json => json(outcome, &plan, ratio),
        });
    });
    match outcomes {
        Ok(run) if run.is_empty() => console.message(&nothing_ran("bench", &args.file, filter)),
        Ok(_) => {}
        Err(failure) => return super::failed(&session, failure, console),
    }
    if let Some(path) = &args.save {
        files::write_output(path, lines.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The medians of another run, by name and sizes.
struct Saved(BTreeMap<(String, String), f64>);

impl Saved {
    fn of(outcomes: &[BenchOutcome]) -> Saved {
        let entry = |one: &BenchOutcome| (key(one), one.median.as_nanos() as f64);
        Saved(outcomes.iter().map(entry).collect())
    }

    /// What `--save` wrote.
    fn read(path: &Path) -> Result<Saved, Failure> {
        let text = files::read_text(&path.display().to_string())?;
        let entry = |line: &str| {
            let object: serde_json::Value = serde_json::from_str(line).ok()?;
            let name = object.get("bench")?.as_str()?.to_owned();
            Some(((name, object.get("sizes")?.to_string()), object.get("median_ns")?.as_f64()?))
        };
        let entries: Option<BTreeMap<_, _>> = text.lines().map(entry).collect();
        entries.map(Saved).ok_or_else(|| {
            Failure::Usage(format!("{} was not written by `we3c bench --save`", path.display()))
        })
    }

    /// How many times as long as the other run this one takes, if that has the same bench with the same sizes.
    fn ratio(&self, outcome: &BenchOutcome) -> Option<f64> {
        let other = self.0.get(&key(outcome)).filter(|other| **other > 0.0)?;
        Some(outcome.median.as_nanos() as f64 / other)
    }
}

fn key(outcome: &BenchOutcome) -> (String, String) {
    (outcome.name.clone(), sizes(outcome).to_string())
}

fn sizes(outcome: &BenchOutcome) -> serde_json::Value {
    outcome.sizes.iter().map(|(name, size)| (name.clone(), serde_json::Value::from(*size))).collect()
}

fn line(outcome: &BenchOutcome, ratio: Option<f64>) -> String {
    let sizes: Vec<String> = outcome.sizes.iter().map(|(name, size)| format!("{name} = {size}")).collect();
    format!(
        "{:>12} ± {:<10} {}{}{}  ({} samples)\n",
        shown(outcome.median),
        shown(outcome.spread),
        ratio.map_or_else(String::new, |ratio| format!("{ratio:>6.2} x  ")),
        outcome.name,
        if sizes.is_empty() { String::new() } else { format!(" [{}]", sizes.join(", ")) },
        outcome.samples,
    )
}

fn json(outcome: &BenchOutcome, plan: &Plan, ratio: Option<f64>) -> String {
    let mut object = serde_json::json!({
        "bench": outcome.name,
        "plan": plan.describe(),
        "sizes": sizes(outcome),
        "median_ns": outcome.median.as_nanos() as u64,
        "fastest_ns": outcome.fastest.as_nanos() as u64,
        "spread_ns": outcome.spread.as_nanos() as u64,
        "samples": outcome.samples,
    });
    if let Some(ratio) = ratio {
        object["ratio"] = ratio.into();
    }
    format!("{object}\n")
}
