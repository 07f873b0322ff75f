//! Profiles: calls with probes around nests, and what they said, nest by nest, under the names of the source.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use we3_device::Recorder;
pub use we3_device::profile::{Event, Record, Totals};
use we3_frontend::source::SourceMap;
use we3_ir::Opcode;
use we3_ir::span::Span;

use crate::executable::Budget;
use crate::failure::Failure;
use crate::kernel::Kernel;
use crate::plan::{BackendChoice, Plan};
use crate::schedules::place;
use crate::session::Session;
use crate::stages::Form;
use crate::value::HostValue;

/// The expression that each nest computes, by the number that its probes have.
pub type NestSpans = BTreeMap<u32, Span>;

/// As much of an expression as a table shows.
const SHOWN: usize = 44;

/// What calls of an entry took.
#[derive(Debug)]
pub struct Profile {
    /// How often it was called.
    pub calls: u32,
    /// From the beginning of the first call to the end of the last.
    pub time: Duration,
    /// When that began.
    pub begun: Instant,
    /// When each call began after that, and how long it took.
    pub each: Vec<(Duration, Duration)>,
    /// Nests, the one that took the longest first.
    pub nests: Vec<Nest>,
    /// What happened when.
    pub record: Record,
}

/// A nest of a profile.
#[derive(Clone, Debug)]
pub struct Nest {
    /// The number that events name it by.
    pub number: u32,
    /// `file:line:column`, as a report names it.
    pub place: String,
    /// The first words of its expression.
    pub text: String,
    /// What it took.
    pub totals: Totals,
}

/// Calls an entry so often and listens. Compiles it for that: with a probe on each side of every nest.
pub fn profile(
    session: &mut Session,
    kernel: &Kernel,
    values: &[HostValue],
    plan: &Plan,
    budget: Budget,
    calls: NonZeroU32,
) -> Result<(HostValue, Profile), Failure> {
    if matches!(plan.backend, BackendChoice::Interpreter | BackendChoice::LoopInterpreter) {
        return Err(Failure::Usage(format!(
            "the interpreter has no nests whose time would say anything: profile with `--backend cranelift` \
             or `--backend llvm`, not `{}`",
            plan.backend.name()
        )));
    }
    // What is measured is the code that every call gets.
    let plan = Plan { only_call: None, ..plan.clone() }.with_probes();
    let executable = session.build(&|name| name == kernel.name, &plan)?;
    let caller = executable.caller(kernel);
    let recorder = Recorder::new();
    let begun = recorder.begun();
    let mut each = Vec::new();
    let mut call = || {
        let start = begun.elapsed();
        let result = caller.call_recorded(values, budget, &recorder);
        each.push((start, begun.elapsed().saturating_sub(start)));
        result
    };
    let mut result = call()?;
    for _ in 1..calls.get() {
        // The memory of the one before is there for the next.
        drop(result);
        result = call()?;
    }
    let time = begun.elapsed();
    session.log.note(&format!("run on {}", plan.backend.name()), begun);
    let record = recorder.record();
    let nests = named(&record, executable.nests(), session.sources());
    Ok((result, Profile { calls: calls.get(), time, begun, each, nests, record }))
}

fn named(record: &Record, spans: &NestSpans, sources: &SourceMap) -> Vec<Nest> {
    let nest = |(number, totals): (&u32, &Totals)| {
        let span = spans.get(number).copied().unwrap_or_default();
        Nest {
            number: *number,
            place: place(span, Some(sources)),
            text: first_words(sources.slice(span)),
            totals: *totals,
        }
    };
    let mut nests: Vec<Nest> = record.totals.iter().map(nest).collect();
    nests.sort_by_key(|nest| std::cmp::Reverse(nest.totals.time));
    nests
}

/// The expression on one line, cut where it gets long.
fn first_words(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    let cut: String = line.chars().take(SHOWN - 1).collect();
    format!("{}…", cut.trim_end())
}

/// The spans of the nests that loop IR has probes around.
pub(crate) fn spans_of_nests(form: &Form) -> NestSpans {
    let mut spans = NestSpans::new();
    let Form::Loop(module) = form else { return spans };
    for func in module.funcs.values() {
        for (op, data) in &func.ops {
            if let Opcode::Probe { nest, leave: false } = data.opcode {
                spans.insert(nest, func.spans[op]);
            }
        }
    }
    spans
}

impl Profile {
    /// Time of the calls that no nest took: allocation, scalars, what stands between nests.
    pub fn elsewhere(&self) -> Duration {
        let calls: Duration = self.each.iter().map(|(_, time)| *time).sum();
        calls.saturating_sub(self.nests.iter().map(|nest| nest.totals.time).sum())
    }

    /// The table: a line a nest, then the rest and the sum.
    pub fn table(&self, name: &str, bold: impl Fn(&str) -> String) -> String {
        let whole: Duration = self.each.iter().map(|(_, time)| *time).sum();
        let calls = if self.calls == 1 { String::new() } else { format!(", {} calls", self.calls) };
        let head = format!(
            "{:>10} {:>6} {:>9} {:>8} {:>8} {:>7}  nest",
            "ms", "share", "times", "GB/s", "GFLOP/s", "threads"
        );
        let mut text = format!("{}\n", bold(&format!("{name}{calls}\n{head}")));
        for nest in &self.nests {
            let totals = &nest.totals;
            let threads = if totals.in_parts.is_zero() {
                String::from("1")
            } else {
                format!("{:.2}", totals.in_parts.as_secs_f64() / at_least_a_nanosecond(totals.time))
            };
            // Writing to a `String` cannot fail.
            let _ = writeln!(
                text,
                "{} {:>9} {:>8} {:>8} {threads:>7}  {}  {}",
                time_and_share(totals.time, whole),
                totals.calls,
                rate(totals.bytes, totals.time),
                rate(totals.flops, totals.time),
                nest.place,
                nest.text
            );
        }
        let nothing = format!("{:>9} {:>8} {:>8} {:>7}", "", "", "", "");
        let _ = writeln!(text, "{} {nothing}  outside of nests", time_and_share(self.elsewhere(), whole));
        let _ = writeln!(text, "{} {nothing}  in all", time_and_share(whole, whole));
        text
    }
}

fn time_and_share(time: Duration, whole: Duration) -> String {
    let share = 100.0 * time.as_secs_f64() / at_least_a_nanosecond(whole);
    format!("{:>10.4} {share:>5.1}%", time.as_secs_f64() * 1e3)
}

/// 10⁹ a second.
fn rate(amount: Option<f64>, time: Duration) -> String {
    match amount {
        Some(amount) => format!("{:.2}", amount / at_least_a_nanosecond(time) / 1e9),
        None => String::from("?"),
    }
}

/// In seconds, to be divided by.
fn at_least_a_nanosecond(time: Duration) -> f64 {
    time.max(Duration::from_nanos(1)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_expressions_are_cut() {
        assert_eq!(first_words("[a +\n    b for i]"), "[a + b for i]");
        let long = first_words(&"ab ".repeat(40));
        assert!(long.ends_with('…') && long.chars().count() <= SHOWN, "{long}");
    }

    #[test]
    fn a_nest_without_a_known_amount_has_no_rate() {
        assert_eq!(rate(None, Duration::from_secs(1)), "?");
        assert_eq!(rate(Some(3e9), Duration::from_secs(2)), "1.50");
    }
}
