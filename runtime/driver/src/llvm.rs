//! The LLVM backend as the driver sees it: text to the worker program, an artifact back.

use std::sync::OnceLock;

use we3_backend_api::worker::{Request, Response};
use we3_backend_api::{Artifact, Options, Target};
use we3_device::LlvmWorker;
use we3_ir::Module;
use we3_ir::text::print_module;

use crate::failure::Failure;

/// One worker for the whole process: starting it loads LLVM, which costs more than a small job.
fn worker() -> Result<&'static LlvmWorker, Failure> {
    static WORKER: OnceLock<Result<LlvmWorker, String>> = OnceLock::new();
    let found = WORKER.get_or_init(|| LlvmWorker::find().map_err(|error| error.to_string()));
    found.as_ref().map_err(|error| Failure::Unavailable(error.clone()))
}

/// Whether the worker program is there and starts; else why not.
pub fn available() -> Result<std::path::PathBuf, Failure> {
    let worker = worker()?;
    worker.start().map_err(|error| Failure::Unavailable(error.to_string()))?;
    Ok(worker.program().to_owned())
}

/// Compiles loop IR in the worker.
pub fn compile(module: &Module, target: &Target, options: &Options) -> Result<Artifact, Failure> {
    let text = print_module(module);
    let request = Request { module: text.clone(), target: target.clone(), options: options.clone() };
    let response = worker()?.request(&request).map_err(|error| Failure::Unavailable(error.to_string()))?;
    match response {
        Response::Done(artifact) => Ok(artifact),
        Response::Unsupported(limit) => Err(Failure::Unsupported(limit)),
        Response::Bug(what) => Err(Failure::Bug { what: format!("the LLVM worker: {what}"), ir: Some(text) }),
    }
}
