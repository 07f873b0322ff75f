//! `we3c completions`: a completion script for a shell.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::Outcome;
use crate::args::Cli;
use crate::console::Console;

/// Options of `completions`.
#[derive(clap::Args, Debug)]
#[command(
    after_long_help = "Example:\n    we3c completions bash > ~/.local/share/bash-completion/completions/we3c"
)]
pub struct Args {
    /// Which shell
    shell: Shell,
}

/// Writes the script.
pub fn run(args: &Args, console: Console) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "we3c", &mut script);
    console.print_bytes(&script);
    Ok(ExitCode::SUCCESS)
}
