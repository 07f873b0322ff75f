//! `we3c opt`: passes over a file of IR, to see what each one does.

use std::process::ExitCode;

use we3_driver::opt::{OptRequest, all_passes, all_pipelines, optimise};
use we3_driver::plan::target_named;

use super::Outcome;
use super::compile::write_result;
use crate::console::Console;
use crate::files;

const EXAMPLES: &str = "\
Examples:
    we3c compile x.we3 --emit array-ir -o x.ir
    we3c opt x.ir --passes inline,simplify              print what these leave
    we3c opt x.ir --passes optimise --print-after all   every step of a pipeline
    we3c opt x.ir --passes optimise --timing -o /dev/null
    we3c opt --list-passes";

/// Options of `opt`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// A file of array or loop IR (`-`: standard input)
    #[arg(required_unless_present = "list_passes")]
    file: Option<String>,

    /// Passes and pipelines, in order, with commas between
    #[arg(long, value_delimiter = ',')]
    passes: Vec<String>,

    /// Print the IR after this pass, or after `all`
    #[arg(long, value_name = "PASS")]
    print_after: Vec<String>,

    /// Verify after every pass and name the guilty one
    #[arg(long)]
    verify_each: bool,

    /// Say how long each pass took
    #[arg(long)]
    timing: bool,

    /// List the passes and pipelines there are
    #[arg(long)]
    list_passes: bool,

    /// The machine whose facts the passes get
    #[arg(long, default_value = "host")]
    target: String,

    /// Write the result here instead of printing it
    #[arg(short, long)]
    output: Option<String>,
}

/// Runs the passes.
pub fn run(args: &Args, console: Console) -> Outcome {
    if args.list_passes {
        list(console);
        return Ok(ExitCode::SUCCESS);
    }
    let file = args.file.as_deref().unwrap_or("-");
    let target = target_named(&args.target)?;
    let request = OptRequest {
        text: files::read_text(file)?,
        passes: args.passes.clone(),
        print_after: args.print_after.clone(),
        verify_each: args.verify_each,
        target,
    };
    let outcome = optimise(&request)?;
    for (pass, text) in &outcome.dumps {
        console.message(&format!("; after {pass}\n{text}\n"));
    }
    if args.timing {
        for (pass, time) in &outcome.times {
            console.message(&format!("{:>10.3} ms  {pass}\n", time.as_secs_f64() * 1e3));
        }
    }
    write_result(args.output.as_deref(), outcome.text.as_bytes(), console)?;
    Ok(ExitCode::SUCCESS)
}

fn list(console: Console) {
    console.print("passes:\n");
    for (name, about) in all_passes() {
        console.print(&format!("  {name:<24} {about}\n"));
    }
    console.print("pipelines:\n");
    for (name, about, passes) in all_pipelines() {
        console.print(&format!("  {name:<24} {about}\n  {:<24} = {}\n", "", passes.join(",")));
    }
}
