//! Searches for faster schedules with real calls: nest by nest, each candidate compiled, run, compared bit for bit with the
//! heuristic's result and timed. It cannot change a result; one that did would be a bug, and is reported as one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use we3_device::store::Store;
use we3_ir::Schedule;
use we3_ir::entity::EntityRef as _;
use we3_ir::schedule::Vector;
use we3_passes::TargetFacts;
use we3_passes::lower::nests::{NestNote, nests};
use we3_passes::manager::PassContext;

use crate::compare::first_difference;
use crate::executable::{Budget, Executable};
use crate::failure::Failure;
use crate::kernel::{Kernel, with_entries};
use crate::plan::{Choice, Plan, Schedules};
use crate::session::Session;
use crate::stages::optimised;
use crate::tuned;
use crate::value::HostValue;

/// A candidate has to be faster by this much to be kept: less is noise.
const WORTH: f64 = 0.97;
/// A candidate is called for about this long, and at least so often.
const TIME_FOR_ONE: Duration = Duration::from_millis(80);
const LEAST_CALLS: usize = 3;

/// One candidate that was tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The nest.
    pub nest: NestNote,
    /// The candidate.
    pub schedule: Schedule,
    /// Its fastest call; none: it cannot be followed.
    pub time: Option<Duration>,
    /// Whether it is the best so far.
    pub kept: bool,
    /// How many were tried, this one included, and how many there are.
    pub number: (usize, usize),
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The heuristic's time.
    pub before: Duration,
    /// The best time.
    pub after: Duration,
    /// The nests that run faster otherwise.
    pub winners: Vec<(NestNote, Schedule)>,
    /// Whether every candidate was tried.
    pub complete: bool,
    /// Where the winners are kept, or why they are not; none: there are none.
    pub kept: Option<Result<PathBuf, String>>,
}

/// Tunes one entry for these arguments; `heard` is told of every trial.
pub fn tune(
    session: &mut Session,
    kernel: &Kernel,
    values: &[HostValue],
    plan: &Plan,
    (time, budget): (Duration, Budget),
    heard: &mut dyn FnMut(&Trial),
) -> Result<Found, Failure> {
    let start = Instant::now();
    let module = with_entries(&session.ir()?.module, &|name| name == kernel.name);
    let module = optimised(module, plan)?;
    let facts = plan.facts();
    let notes: Vec<NestNote> = nests(&module, &PassContext::for_target(facts.clone()))
        .into_iter()
        .flat_map(|(_, notes)| notes)
        .collect();
    let mut search = Search { session, kernel, values, plan, budget, choices: Vec::new() };
    let base = search.build()?;
    let expected = base.call(kernel, values, budget)?;
    let before = search.time(&base)?;
    let mut best = before;
    let trials: Vec<(NestNote, Schedule)> = notes
        .into_iter()
        .flat_map(|nest| candidates(&nest, &facts).into_iter().map(move |schedule| (nest.clone(), schedule)))
        .collect();
    let (mut winners, total): (Vec<(NestNote, Schedule)>, usize) = (Vec::new(), trials.len());
    let mut complete = true;
    for (number, (nest, schedule)) in trials.into_iter().enumerate() {
        if start.elapsed() > time {
            complete = false;
            break;
        }
        let taken = search.choices.clone();
        search.choose(&nest, schedule.clone());
        let found = search.trial(&expected)?;
        let kept = found.is_some_and(|time| time.as_secs_f64() < best.as_secs_f64() * WORTH);
        if let (true, Some(time)) = (kept, found) {
            best = time;
            winners.retain(|(other, _)| other.op != nest.op);
            winners.push((nest.clone(), schedule.clone()));
        } else {
            search.choices = taken;
        }
        heard(&Trial { nest, schedule, time: found, kept, number: (number + 1, total) });
    }
    let choices = search.choices;
    let kept = match Store::ours() {
        _ if choices.is_empty() => None,
        Some(store) => Some(tuned::write(&store, &module, plan, &choices)),
        None => Some(Err(String::from("there is no place for it; set WE3_CACHE to a folder"))),
    };
    Ok(Found { before, after: best, winners, complete, kept })
}

struct Search<'a> {
    session: &'a mut Session,
    kernel: &'a Kernel,
    values: &'a [HostValue],
    plan: &'a Plan,
    budget: Budget,
    choices: Vec<Choice>,
}

impl Search<'_> {
    fn choose(&mut self, nest: &NestNote, schedule: Schedule) {
        let op = nest.op.index() as u32;
        self.choices.retain(|choice| choice.op != op);
        self.choices.push(Choice { entry: self.kernel.name.clone(), op, schedule });
    }

    fn build(&mut self) -> Result<Executable, Failure> {
        let plan = self.plan.clone().with_schedules(Schedules::Given(self.choices.clone()));
        let name = &self.kernel.name;
        self.session.build(&|one| one == name, &plan)
    }

    /// The time of the choices as they are; none if one of them cannot be followed.
    fn trial(&mut self, expected: &HostValue) -> Result<Option<Duration>, Failure> {
        let executable = match self.build() {
            Ok(executable) => executable,
            Err(Failure::Diagnostics(_)) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let result = executable.call(self.kernel, self.values, self.budget)?;
        if let Some(place) = first_difference(expected, &result) {
            let choices: Vec<String> =
                self.choices.iter().map(|choice| choice.schedule.to_string()).collect();
            return Err(Failure::bug(format!(
                "a schedule changed the result at `result{place}`: {}",
                choices.join("; ")
            )));
        }
        self.time(&executable).map(Some)
    }

    /// The fastest of several calls.
    fn time(&self, executable: &Executable) -> Result<Duration, Failure> {
        let caller = executable.caller(self.kernel);
        let start = Instant::now();
        let mut fastest = Duration::MAX;
        let mut calls = 0;
        while calls < LEAST_CALLS || start.elapsed() < TIME_FOR_ONE {
            let begin = Instant::now();
            caller.call(self.values, self.budget)?;
            fastest = fastest.min(begin.elapsed());
            calls += 1;
        }
        Ok(fastest)
    }
}

/// What is tried for a nest: other lanes, other orders, blocks, copies. What a program asked for is not touched, and what
/// stands inside another nest has no threads to share.
fn candidates(nest: &NestNote, facts: &TargetFacts) -> Vec<Schedule> {
    let rank = nest.sizes.len() as u32;
    if nest.asked || rank == 0 {
        return Vec::new();
    }
    let base = Schedule::default;
    let last = rank - 1;
    let mut found = Vec::new();
    if nest.no_lanes.is_none() {
        let most = facts.vector_bytes.min(64);
        let lanes = [4, 8, 16, 32].into_iter().filter(|lanes| *lanes <= 2 * most);
        found.extend(lanes.map(|lanes| Schedule { vector: Vector::Axis(last, lanes), ..base() }));
        found.push(Schedule { vector: Vector::Scalar, ..base() });
    }
    let vector = if nest.no_lanes.is_none() { Vector::Axis(last, 0) } else { Vector::Open };
    if rank >= 2 {
        for (outer, inner) in [(8, 64), (32, 32), (32, 256), (128, 128)] {
            let tiles = vec![(last - 1, outer), (last, inner)];
            found.push(Schedule { tiles, vector, parallel: Some(vec![0]), ..base() });
        }
        let mut order: Vec<u32> = (0..rank).collect();
        order.swap(last as usize - 1, last as usize);
        found.push(Schedule { order: order.clone(), vector: Vector::Scalar, ..base() });
        if nest.no_lanes.is_none() {
            found.push(Schedule { order, vector: Vector::Axis(last - 1, 0), ..base() });
        }
    }
    for size in [16, 256] {
        found.push(Schedule { tiles: vec![(0, size)], vector, parallel: Some(vec![0]), ..base() });
    }
    for copies in [2, 4] {
        let vector = if rank == 1 { Vector::Scalar } else { vector };
        found.push(Schedule {
            unroll: vec![(if rank == 1 { 0 } else { last - 1 }, copies)],
            vector,
            ..base()
        });
    }
    found.push(Schedule { parallel: Some(Vec::new()), ..base() });
    found.retain(|schedule| schedule.problem(rank).is_none());
    found
}
