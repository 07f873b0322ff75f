//! The LLVM backend as the driver sees it: text to the worker program, an artifact back.

use std::cell::OnceCell;
use std::path::PathBuf;

use we3_backend_api::worker::{Request, Response, Version};
use we3_backend_api::{Artifact, Emit, Options, Target};
use we3_device::LlvmWorker;
use we3_ir::text::print_module;
use we3_ir::{Level, Module};

use crate::failure::Failure;

thread_local! {
    /// One worker a thread: starting it loads LLVM, which costs more than a small job, and a worker does
    /// one job at a time.
    static WORKER: OnceCell<Result<LlvmWorker, String>> = const { OnceCell::new() };
}

fn with_worker<T>(work: impl FnOnce(&LlvmWorker) -> Result<T, Failure>) -> Result<T, Failure> {
    WORKER.with(|worker| {
        let found = worker.get_or_init(|| LlvmWorker::find().map_err(|error| error.to_string()));
        work(found.as_ref().map_err(|error| Failure::Unavailable(error.clone()))?)
    })
}

/// Whether the worker program is there and compiles; else why not.
pub fn available() -> Result<PathBuf, Failure> {
    let module = Module::new(Level::Loop);
    let options = Options { emit: Emit::BackendIr, opt_level: 0, lines: None };
    compile(&module, &Target::x86_64_baseline(), &options)?;
    with_worker(|worker| Ok(worker.program().to_owned()))
}

/// Compiles loop IR in the worker.
pub fn compile(module: &Module, target: &Target, options: &Options) -> Result<Artifact, Failure> {
    let versions = Vec::new();
    send(Request { module: print_module(module), target: target.clone(), options: options.clone(), versions })
}

/// The same for several processors in one object, the least first.
pub fn compile_versions(programs: &[(Module, Target)], options: &Options) -> Result<Artifact, Failure> {
    let version = |(module, target): &(Module, Target)| Version {
        module: print_module(module),
        target: target.clone(),
    };
    let [first, rest @ ..] = programs else { return Err(Failure::bug("no version to compile")) };
    let Version { module, target } = version(first);
    let versions = rest.iter().map(version).collect();
    send(Request { module, target, options: options.clone(), versions })
}

fn send(request: Request) -> Result<Artifact, Failure> {
    let response = with_worker(|worker| {
        worker.request(&request).map_err(|error| Failure::Unavailable(error.to_string()))
    })?;
    match response {
        Response::Done(artifact) => Ok(artifact),
        Response::Unsupported(limit) => Err(Failure::Unsupported(limit)),
        Response::Bug(what) => {
            Err(Failure::Bug { what: format!("the LLVM worker: {what}"), ir: Some(request.module) })
        }
    }
}
