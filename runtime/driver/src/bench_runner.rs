//! Times the `bench` items of a program: medians over repeated calls on generated inputs.

use std::time::{Duration, Instant};

use we3_frontend::typed::Bench;

use crate::executable::{Budget, Executable};
use crate::failure::Failure;
use crate::generate::{Case, Recipe};
use crate::kernel::Kernel;
use crate::plan::Plan;
use crate::random::seed_of_name;
use crate::session::Session;
use crate::value::HostValue;

/// Calls are repeated for about this long.
const TIME_FOR_ONE: Duration = Duration::from_millis(700);
/// At least and at most so many samples.
const SAMPLES: std::ops::Range<usize> = 5..1001;
/// A sample of calls that are too short for the clock is made of several.
const SHORTEST_SAMPLE: Duration = Duration::from_micros(20);

/// What was measured.
#[derive(Clone, PartialEq, Debug)]
pub struct BenchOutcome {
    /// Its name, after its modules.
    pub name: String,
    /// The sizes it ran with.
    pub sizes: Vec<(String, i64)>,
    /// The median of the samples, for one call.
    pub median: Duration,
    /// The fastest.
    pub fastest: Duration,
    /// Half of the samples are no further from the median than this.
    pub spread: Duration,
    /// Number of samples.
    pub samples: usize,
}

/// Runs the benches whose name contains the filter; `done` hears of each one as it ends.
pub fn run_benches(
    session: &mut Session,
    plan: &Plan,
    filter: Option<&str>,
    budget: Budget,
    done: &mut dyn FnMut(&BenchOutcome),
) -> Result<Vec<BenchOutcome>, Failure> {
    let benches: Vec<Bench> = session.program()?.benches.clone();
    let wanted: Vec<&Bench> =
        benches.iter().filter(|bench| filter.is_none_or(|filter| bench.name.contains(filter))).collect();
    let mut names = Vec::new();
    for bench in &wanted {
        names.push(session.ir_name(bench.entry.func)?);
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let executable = session.build(&|name| names.iter().any(|one| one == name), plan)?;
    let mut outcomes = Vec::new();
    for bench in wanted {
        let kernel = session.kernel(&bench.entry)?;
        let outcome = measure(&executable, &kernel, bench, budget)?;
        done(&outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Benches run on the largest sizes that their ranges allow.
fn measure(
    executable: &Executable,
    kernel: &Kernel,
    bench: &Bench,
    budget: Budget,
) -> Result<BenchOutcome, Failure> {
    let recipe = Recipe { sizes: &bench.sizes, inputs: &bench.inputs, edges: false };
    let sizes: Vec<i64> = bench
        .sizes
        .iter()
        .map(|size| match size.range {
            Some((lo, hi, step)) if hi > lo => lo + (hi - 1 - lo) / step.max(1) * step.max(1),
            Some((lo, _, _)) => lo,
            None => 1000,
        })
        .collect();
    let case = Case { sizes: sizes.clone(), seed: seed_of_name(&bench.name), simpler: 0 };
    let values = recipe.values(&case).ok_or_else(|| {
        Failure::Usage(format!("the inputs of bench \"{}\" do not fit in memory", bench.name))
    })?;
    let samples = sample(executable, kernel, &values, budget)?;
    let names = bench.sizes.iter().map(|size| size.name.clone());
    let mut name = bench.module.clone();
    name.push(bench.name.clone());
    Ok(summarise(name.join("::"), names.zip(sizes).collect(), samples))
}

fn sample(
    executable: &Executable,
    kernel: &Kernel,
    values: &[HostValue],
    budget: Budget,
) -> Result<Vec<Duration>, Failure> {
    let caller = executable.caller(kernel);
    let call = || caller.call(values, budget);
    let start = Instant::now();
    // The first call warms caches up and says how many belong in a sample.
    call()?;
    let first = start.elapsed().max(Duration::from_nanos(1));
    let per_sample = (SHORTEST_SAMPLE.as_nanos() / first.as_nanos()).clamp(1, 10_000) as u32;
    let mut samples = Vec::new();
    while samples.len() < SAMPLES.start || (start.elapsed() < TIME_FOR_ONE && samples.len() < SAMPLES.end) {
        let begin = Instant::now();
        for _ in 0..per_sample {
            call()?;
        }
        samples.push(begin.elapsed() / per_sample);
    }
    Ok(samples)
}

fn summarise(name: String, sizes: Vec<(String, i64)>, mut samples: Vec<Duration>) -> BenchOutcome {
    samples.sort();
    let median = samples[samples.len() / 2];
    let mut distances: Vec<Duration> = samples.iter().map(|one| one.abs_diff(median)).collect();
    distances.sort();
    BenchOutcome {
        name,
        sizes,
        median,
        fastest: samples[0],
        spread: distances[distances.len() / 2],
        samples: samples.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_not_moved_by_one_slow_call() {
        let samples = [5, 3, 4, 900, 4].map(Duration::from_millis).to_vec();
        let outcome = summarise("b".into(), vec![], samples);
        assert_eq!(outcome.median, Duration::from_millis(4));
        assert_eq!(outcome.fastest, Duration::from_millis(3));
        assert_eq!(outcome.spread, Duration::from_millis(1));
    }
}
