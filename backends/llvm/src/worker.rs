//! The worker's protocol: a line with a request in, a line with a response out. Each job runs in a
//! process of its own, so that an abort inside LLVM costs one answer and not the worker.

use std::io::{BufRead, Write};

use we3_backend_api::Artifact;
use we3_backend_api::worker::{Request, Response};
use we3_ir::Module;
use we3_ir::text::{ParseError, parse_module};
use we3_ir::verify::{Verified, verify};

use crate::zygote::{Outcome, run_in_child};
use crate::{Failure, LlvmBackend, initialize};

/// Answers requests until the input ends. Returns early only when the answers cannot be written.
pub fn serve(input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
    initialize();
    for line in input.split(b'\n') {
        // What is not UTF-8 is no request; the answer says so.
        let line = String::from_utf8_lossy(&line?).into_owned();
        if line.trim().is_empty() {
            continue;
        }
        let answer = answer_isolated(&line);
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// The response to one request line, computed in a child process.
fn answer_isolated(line: &str) -> String {
    match run_in_child(|| answer(line)) {
        Outcome::Done(response) => response,
        Outcome::Died { how, stderr } => {
            let said = if stderr.is_empty() { "nothing".to_owned() } else { stderr };
            encode(&Response::Bug(format!("LLVM's process {how}; it said: {said}")))
        }
    }
}

/// The response to one request line.
fn answer(line: &str) -> String {
    encode(&respond(line))
}

fn respond(line: &str) -> Response {
    let request: Request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(error) => return Response::Bug(format!("not a request: {error}")),
    };
    match compiled(&request) {
        Ok(artifact) => Response::Done(artifact),
        Err(Failure::Unsupported(unsupported)) => Response::Unsupported(unsupported),
        Err(Failure::Bug(message)) => Response::Bug(message),
    }
}

fn compiled(request: &Request) -> Result<Artifact, Failure> {
    let module = parsed(&request.module)?;
    if request.versions.is_empty() {
        return LlvmBackend.try_compile(verified(&module)?, &request.target, &request.options);
    }
    let others = request.versions.iter().map(|version| parsed(&version.module));
    let others: Vec<Module> = others.collect::<Result<_, Failure>>()?;
    let mut versions = vec![(verified(&module)?, request.target.clone())];
    for (module, version) in others.iter().zip(&request.versions) {
        versions.push((verified(module)?, version.target.clone()));
    }
    LlvmBackend.compile_versions(&versions, &request.options)
}

fn parsed(text: &str) -> Result<Module, Failure> {
    let wrong =
        |errors: Vec<ParseError>| Failure::Bug(format!("the module does not parse: {}", listed(&errors)));
    parse_module(text).map_err(wrong)
}

fn verified(module: &Module) -> Result<Verified<'_>, Failure> {
    verify(module)
        .map_err(|errors| Failure::Bug(format!("the module is not well formed: {}", listed(&errors))))
}

fn listed(errors: &[impl ToString]) -> String {
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

fn encode(response: &Response) -> String {
    serde_json::to_string(response).unwrap_or_else(|error| format!("{{\"Bug\":\"no JSON: {error}\"}}"))
}
