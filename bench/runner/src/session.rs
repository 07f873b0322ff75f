//! A loaded kernel and the requests it answers.

use std::cell::RefCell;
use std::path::Path;
use std::time::Instant;

use we3_driver::executable::{Budget, Caller};
use we3_driver::failure::Failure;
use we3_driver::plan::{BackendChoice, Plan};
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::value::HostValue;

use crate::protocol::{Answer, Load, Loaded, Ran, Request, Results};
use crate::{arrays, clock};

/// A kernel with its arguments.
pub struct LoadedKernel<'run> {
    caller: Caller<'run>,
    args: Vec<HostValue>,
    /// The arrays for results, once some call left them.
    out: RefCell<Option<HostValue>>,
    /// Read once: a call should cost what it costs a program that holds the kernel.
    budget: Budget,
    loaded: Loaded,
}

/// Compiles, reads the arguments, and hands the kernel on.
pub fn with_kernel(load: &Load, serve: impl FnOnce(&LoadedKernel<'_>)) -> Result<(), String> {
    let backend = BackendChoice::from_name(&load.backend)
        .ok_or_else(|| format!("there is no backend `{}`", load.backend))?;
    let start = Instant::now();
    let sources = Sources::from_file(Path::new(&load.file)).map_err(|failure| failure.summary())?;
    let mut session = Session::open(&sources, SessionOptions::default());
    let check_ms = millis(start);
    let say = |session: &Session, failure: &Failure| match failure {
        Failure::Diagnostics(found) => session.render(found, false),
        Failure::Usage(_)
        | Failure::Unsupported(_)
        | Failure::OutOfMemory
        | Failure::TooManySteps
        | Failure::Unavailable(_)
        | Failure::Bug { .. } => failure.summary(),
    };
    let entry = session.entry(&load.entry).cloned().map_err(|failure| say(&session, &failure))?;
    let kernel = session.kernel(&entry).map_err(|failure| say(&session, &failure))?;
    let start = Instant::now();
    let built = session.build(&|name| name == kernel.name, &Plan::host(backend));
    let executable = built.map_err(|failure| say(&session, &failure))?;
    let loaded = Loaded { check_ms, build_ms: millis(start) };
    if load.args.len() != kernel.params.len() {
        return Err(format!("{} takes {} arguments", kernel.signature(), kernel.params.len()));
    }
    let args: Result<Vec<HostValue>, String> = load
        .args
        .iter()
        .zip(&kernel.params)
        .map(|(argument, param)| {
            arrays::read(argument, &param.ty).map_err(|fault| format!("argument `{}`: {fault}", param.name))
        })
        .collect();
    serve(&LoadedKernel {
        caller: executable.caller(&kernel),
        args: args?,
        out: RefCell::new(None),
        budget: Budget::default(),
        loaded,
    });
    Ok(())
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

impl LoadedKernel<'_> {
    /// How long it took to get here.
    pub fn loaded(&self) -> Loaded {
        self.loaded
    }

    /// Does what is asked for.
    pub fn answer(&self, request: &Request) -> Answer {
        let answer = match request {
            Request::Load(_) => Err(String::from("a kernel is loaded already")),
            Request::Run { calls, results } => self.run(*calls, *results).map(Answer::Ran),
            Request::Save { folder, results } => self.save(Path::new(folder), *results),
        };
        answer.unwrap_or_else(Answer::Failed)
    }

    fn call(&self) -> Result<HostValue, String> {
        self.caller.call(&self.args, self.budget).map_err(|failure| failure.summary())
    }

    /// Calls it so many times with results in the same arrays.
    fn call_into(&self, out: &mut HostValue, calls: u64) -> Result<(), String> {
        let mut call = || self.caller.call_into(&self.args, out, self.budget);
        (0..calls).try_for_each(|_| call()).map_err(|failure| failure.summary())
    }

    /// The arrays for results, made by a call if there are none.
    fn take_out(&self) -> Result<HostValue, String> {
        self.out.take().map_or_else(|| self.call(), Ok)
    }

    fn run(&self, calls: u64, results: Results) -> Result<Ran, String> {
        let (outcome, ran) = match results {
            Results::Fresh => clock::timed(|| (0..calls).try_for_each(|_| self.call().map(drop))),
            Results::Out => {
                let mut out = self.take_out()?;
                let timed = clock::timed(|| self.call_into(&mut out, calls));
                self.out.replace(Some(out));
                timed
            }
        };
        outcome.map(|()| ran)
    }

    fn save(&self, folder: &Path, results: Results) -> Result<Answer, String> {
        let value = match results {
            Results::Fresh => self.call()?,
            Results::Out => {
                let mut out = self.take_out()?;
                self.call_into(&mut out, 1)?;
                out
            }
        };
        let mut saved = Vec::new();
        arrays::write(&value, folder, &mut saved).map_err(|error| error.to_string())?;
        Ok(Answer::Saved(saved))
    }
}
