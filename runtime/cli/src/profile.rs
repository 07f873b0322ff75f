//! A profile as a person reads it, as JSON lines, and as a trace that chrome://tracing and Perfetto show.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use we3_driver::failure::Failure;
use we3_driver::profile::{Event, Nest, Profile};
use we3_driver::stages::StageLog;

use crate::console::{Console, MessageFormat};
use crate::files;

/// Shows the table, or an object a nest.
pub fn show(profile: &Profile, name: &str, console: Console) {
    match console.format {
        MessageFormat::Human => console.message(&profile.table(name, |text| console.bold(text))),
        MessageFormat::Json => {
            for nest in &profile.nests {
                console.message(&format!("{}\n", object(nest)));
            }
        }
    }
}

fn object(nest: &Nest) -> Value {
    let totals = &nest.totals;
    json!({
        "nest": nest.place,
        "text": nest.text,
        "times": totals.calls,
        "seconds": totals.time.as_secs_f64(),
        "bytes": totals.bytes,
        "flops": totals.flops,
        "thread_seconds": totals.in_parts.as_secs_f64(),
    })
}

/// Writes stages, calls, nests and what each thread did as a trace.
pub fn write_trace(path: &Path, profile: &Profile, log: &StageLog) -> Result<(), Failure> {
    files::write_output(path, trace(profile, log).to_string().as_bytes())
}

fn trace(profile: &Profile, log: &StageLog) -> Value {
    let origin = log.times.iter().map(|stage| stage.start).chain([profile.begun]).min();
    let origin = origin.unwrap_or(profile.begun);
    let begun = profile.begun.saturating_duration_since(origin);
    let mut events =
        vec![json!({ "ph": "M", "name": "process_name", "pid": 1, "args": { "name": "we3c run" } })];
    let threads = profile.record.events.iter().map(|event| event.thread).max().unwrap_or(0);
    events.extend((0..=threads).map(|thread| {
        let name = if thread == 0 { String::from("main") } else { format!("helper {thread}") };
        json!({ "ph": "M", "name": "thread_name", "pid": 1, "tid": thread, "args": { "name": name } })
    }));
    for stage in &log.times {
        events.push(slice(
            stage.name.trim(),
            "compile",
            0,
            since(stage.start, origin),
            stage.time,
            json!({}),
        ));
    }
    for (number, (start, time)) in (1..).zip(&profile.each) {
        events.push(slice("call", "call", 0, begun + *start, *time, json!({ "number": number })));
    }
    events.extend(profile.record.events.iter().map(|event| nest_slice(profile, event, begun)));
    json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": { "left out": profile.record.left_out },
    })
}

fn since(start: Instant, origin: Instant) -> Duration {
    start.saturating_duration_since(origin)
}

fn nest_slice(profile: &Profile, event: &Event, begun: Duration) -> Value {
    let nest = event.nest.and_then(|number| profile.nests.iter().find(|nest| nest.number == number));
    let place = nest.map_or("a loop outside of nests", |nest| nest.place.as_str());
    let args = json!({ "expression": nest.map(|nest| nest.text.as_str()) });
    let category = if event.part { "part" } else { "nest" };
    slice(place, category, event.thread, begun + event.start, event.time, args)
}

/// A complete event; times in microseconds.
fn slice(name: &str, category: &str, thread: usize, start: Duration, time: Duration, args: Value) -> Value {
    let micros = |time: Duration| time.as_nanos() as f64 / 1e3;
    json!({
        "ph": "X", "name": name, "cat": category, "pid": 1, "tid": thread,
        "ts": micros(start), "dur": micros(time), "args": args,
    })
}
