//! `we3-bench`: holds one compiled kernel with its arguments in memory and calls it when told to, so that
//! its calls can be timed in turns with those of other programs. One JSON request a line on standard
//! input, one JSON answer a line on standard output; `bench/harness` is the other side.

mod arrays;
mod clock;
mod protocol;
mod session;

use std::io::Write;
use std::process::ExitCode;

use protocol::{Answer, Request};

/// Deep programs recurse deep; the main thread's stack is whatever the system gives.
const STACK: usize = 256 << 20;

fn main() -> ExitCode {
    let worker = std::thread::Builder::new().name(String::from("we3-bench")).stack_size(STACK);
    match worker.spawn(serve).map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) | Err(_) => ExitCode::FAILURE,
    }
}

/// The first request loads a kernel; then it answers until its input ends.
fn serve() -> ExitCode {
    let mut requests = std::io::stdin().lines();
    let Some(Ok(first)) = requests.next() else { return ExitCode::SUCCESS };
    let ended = match serde_json::from_str(&first) {
        Ok(Request::Load(load)) => session::with_kernel(&load, |kernel| {
            if !say(&Answer::Loaded(kernel.loaded())) {
                return;
            }
            for line in requests.map_while(Result::ok) {
                let answer = match serde_json::from_str(&line) {
                    Ok(request) => kernel.answer(&request),
                    Err(error) => Answer::Failed(format!("not a request: {error}")),
                };
                if !say(&answer) {
                    return;
                }
            }
        }),
        Ok(_) => Err(String::from("the first request has to be `load`")),
        Err(error) => Err(format!("not a request: {error}")),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&Answer::Failed(why));
            ExitCode::FAILURE
        }
    }
}

/// Writes an answer; false when nobody reads it.
fn say(answer: &Answer) -> bool {
    let Ok(line) = serde_json::to_string(answer) else { return false };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}
