//! `we3c fmt`: one layout for every source.

use std::path::Path;
use std::process::ExitCode;

use we3_driver::failure::Failure;
use we3_driver::format::format_source;

use super::Outcome;
use crate::console::{Console, EXIT_FAILED, MessageFormat};
use crate::files;

const EXAMPLES: &str = "\
Examples:
    we3c fmt model.we3           rewrites the file
    we3c fmt --check *.we3       only says which files would change (exit code 1)
    we3c fmt - < model.we3       from standard input to standard output";

/// Options of `fmt`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Sources (`-`: from standard input to standard output)
    #[arg(required = true)]
    files: Vec<String>,

    /// Change nothing; fail if a file would change
    #[arg(long)]
    check: bool,
}

/// Formats every file.
pub fn run(args: &Args, console: Console) -> Outcome {
    let mut failed = false;
    for file in &args.files {
        let text = files::read_text(file)?;
        match format_source(file, &text) {
            Ok(formatted) => failed |= !finish(file, &text, &formatted, args, console)?,
            Err(fault) => {
                failed = true;
                console.message(&match console.format {
                    MessageFormat::Human => fault.render(console.colored()),
                    MessageFormat::Json => fault.render_json(),
                });
            }
        }
    }
    Ok(if failed { ExitCode::from(EXIT_FAILED) } else { ExitCode::SUCCESS })
}

/// Whether all is well with a file that parses.
fn finish(file: &str, text: &str, formatted: &str, args: &Args, console: Console) -> Result<bool, Failure> {
    if args.check {
        if text != formatted {
            console.print(&format!("{file} would change\n"));
        }
        return Ok(text == formatted);
    }
    if file == "-" {
        console.print(formatted);
    } else if text != formatted {
        files::write_output(Path::new(file), formatted.as_bytes())?;
    }
    Ok(true)
}
