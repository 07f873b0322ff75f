//! What the probes of a call say, with times: how often each nest ran, how long, on which threads. Numbers of
//! nests mean nothing here; whoever compiled the code knows their names.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// More events than this are counted but not kept.
const MOST_EVENTS: usize = 1 << 18;

/// Listens to calls. Every thread of a call may talk to it.
#[derive(Debug)]
pub struct Recorder {
    begun: Instant,
    state: Mutex<State>,
}

/// What a nest did, in all of its executions.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Totals {
    /// How often it was executed.
    pub calls: u64,
    /// How long it took, from its beginning to its end.
    pub time: Duration,
    /// What its operations were, if that is known of every execution.
    pub flops: Option<f64>,
    /// What it moved, if that is known of every execution.
    pub bytes: Option<f64>,
    /// How long threads were inside parts of it that were handed out; zero if none was.
    pub in_parts: Duration,
}

/// Something that took time, for a picture of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// The nest; none: a loop outside of nests.
    pub nest: Option<u32>,
    /// The number of the thread; 0 called the entry.
    pub thread: usize,
    /// When it began, after the recorder was made.
    pub start: Duration,
    /// How long it took.
    pub time: Duration,
    /// Whether it is a part of a nest that was handed to a thread, and not the nest.
    pub part: bool,
}

/// All that was heard.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// By nest.
    pub totals: BTreeMap<u32, Totals>,
    /// In the order in which they ended.
    pub events: Vec<Event>,
    /// Events that were too many to be kept.
    pub left_out: u64,
}

#[derive(Debug, Default)]
struct State {
    open: Vec<(u32, Instant)>,
    threads: HashMap<ThreadId, usize>,
    record: Record,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder::new()
    }
}

impl Recorder {
    /// Nothing heard yet; made on the thread that calls the entry.
    pub fn new() -> Recorder {
        let threads = HashMap::from([(std::thread::current().id(), 0)]);
        let state = State { threads, ..State::default() };
        Recorder { begun: Instant::now(), state: Mutex::new(state) }
    }

    /// When it was made: the beginning of every event's time.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// What was heard. A nest that did not end, because a check failed in it, is not in it.
    pub fn record(self) -> Record {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).record
    }

    /// Nothing panics while the state is locked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The nest that runs now.
    pub(crate) fn nest(&self) -> Option<u32> {
        self.state().open.last().map(|(nest, _)| *nest)
    }

    pub(crate) fn enter(&self, nest: i64) {
        let mut state = self.state();
        state.open.push((nest as u32, Instant::now()));
    }

    pub(crate) fn leave(&self, nest: i64, flops: i64, bytes: i64) {
        let end = Instant::now();
        let mut state = self.state();
        let nest = nest as u32;
        // What a call that failed left open is in the way of the next.
        let Some(start) = std::iter::from_fn(|| state.open.pop()).find(|(open, _)| *open == nest) else {
            return;
        };
        let time = end.duration_since(start.1);
        let totals = state.record.totals.entry(nest).or_insert_with(Totals::nothing);
        totals.calls += 1;
        totals.time += time;
        totals.flops = known(totals.flops, flops);
        totals.bytes = known(totals.bytes, bytes);
        self.event(&mut state, Some(nest), start.1, time, false);
    }

    /// A part of a nest has ended, on the thread that it ran on.
    pub(crate) fn part(&self, nest: Option<u32>, start: Instant) {
        let time = start.elapsed();
        let mut state = self.state();
        if let Some(nest) = nest {
            state.record.totals.entry(nest).or_insert_with(Totals::nothing).in_parts += time;
        }
        self.event(&mut state, nest, start, time, true);
    }

    fn event(&self, state: &mut State, nest: Option<u32>, start: Instant, time: Duration, part: bool) {
        if state.record.events.len() >= MOST_EVENTS {
            state.record.left_out += 1;
            return;
        }
        let next = state.threads.len();
        let thread = *state.threads.entry(std::thread::current().id()).or_insert(next);
        let start = start.saturating_duration_since(self.begun);
        state.record.events.push(Event { nest, thread, start, time, part });
    }
}

impl Totals {
    fn nothing() -> Totals {
        Totals { flops: Some(0.0), bytes: Some(0.0), ..Totals::default() }
    }
}

/// A sum with a number that is below 0 where it is not known.
fn known(sum: Option<f64>, more: i64) -> Option<f64> {
    Some(sum? + u64::try_from(more).ok()? as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_of_a_nest_are_summed_up() {
        let recorder = Recorder::new();
        for (flops, bytes) in [(10, 4), (20, -1)] {
            recorder.enter(7);
            assert_eq!(recorder.nest(), Some(7));
            std::thread::scope(|scope| {
                scope.spawn(|| recorder.part(Some(7), Instant::now()));
            });
            recorder.leave(7, flops, bytes);
        }
        // This one does not end.
        recorder.enter(8);
        recorder.enter(9);
        recorder.leave(9, 0, 0);
        let record = recorder.record();
        let totals = record.totals[&7];
        assert_eq!((totals.calls, totals.flops, totals.bytes), (2, Some(30.0), None));
        assert_eq!(record.totals.keys().copied().collect::<Vec<_>>(), [7, 9]);
        let kinds: Vec<_> = record.events.iter().map(|event| (event.nest, event.part)).collect();
        let expected = [(7, true), (7, false), (7, true), (7, false), (9, false)];
        assert_eq!(kinds, expected.map(|(nest, part)| (Some(nest), part)));
        assert!(record.events.iter().all(|event| (event.thread == 0) != event.part));
    }
}
