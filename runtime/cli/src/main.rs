//! `we3c`, the command line of we3: reads arguments, runs one command, ends with its exit code.

mod args;
mod commands;
mod console;
mod files;
mod npy;
mod panics;
mod picture;
mod profile;

use std::process::ExitCode;

use clap::Parser;

/// A compiler makes and drops many small values, on several threads: the system's allocator takes a third longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Deep programs recurse deep; the main thread's stack is whatever the system gives.
const STACK: usize = 256 << 20;

fn main() -> ExitCode {
    panics::install();
    let cli = args::Cli::parse();
    let worker = std::thread::Builder::new().name(String::from("we3c")).stack_size(STACK);
    match worker.spawn(move || commands::run(cli)).map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) | Err(_) => ExitCode::from(panics::EXIT_BUG),
    }
}
