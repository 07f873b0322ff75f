//! A loaded kernel and the requests it answers.

use std::path::Path;
use std::time::Instant;

use we3_driver::executable::{Budget, Caller};
use we3_driver::failure::Failure;
use we3_driver::plan::{BackendChoice, Plan};
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::value::HostValue;

use crate::protocol::{Answer, Load, Loaded, Ran, Request};
use crate::{arrays, clock};

/// A kernel with its arguments.
pub struct LoadedKernel<'run> {
    caller: Caller<'run>,
    args: Vec<HostValue>,
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
    serve(&LoadedKernel { caller: executable.caller(&kernel), args: args?, loaded });
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
            Request::Run { calls } => self.run(*calls).map(Answer::Ran),
            Request::Save { folder } => self.save(Path::new(folder)),
        };
        answer.unwrap_or_else(Answer::Failed)
    }

    fn call(&self) -> Result<HostValue, String> {
        self.caller.call(&self.args, Budget::default()).map_err(|failure| failure.summary())
    }

    fn run(&self, calls: u64) -> Result<Ran, String> {
        let (outcome, ran) = clock::timed(|| (0..calls).try_for_each(|_| self.call().map(drop)));
        outcome.map(|()| ran)
    }

    fn save(&self, folder: &Path) -> Result<Answer, String> {
        let value = self.call()?;
        let mut saved = Vec::new();
        arrays::write(&value, folder, &mut saved).map_err(|error| error.to_string())?;
        Ok(Answer::Saved(saved))
    }
}
