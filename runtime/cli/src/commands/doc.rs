//! `we3c doc`: the public items of modules with their doc comments, as Markdown or as one HTML page.

use std::process::ExitCode;

use clap::ValueEnum;
use we3_driver::docs::{html_page, module_markdown};

use super::Outcome;
use super::compile::write_result;
use crate::console::Console;

const EXAMPLES: &str = "\
Examples:
    we3c doc model.we3
    we3c doc std::linalg
    we3c doc --format html model.we3 -o model.html";

/// How documentation is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// As it stands in the comments
    Markdown,
    /// One page that needs nothing else
    Html,
}

/// Options of `doc`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct Args {
    /// Modules, or those of the library as std::linalg
    #[arg(required = true)]
    files: Vec<String>,

    /// Markdown or HTML
    #[arg(long, value_enum, default_value = "markdown")]
    format: Format,

    /// Where to write
    #[arg(short, long)]
    output: Option<String>,
}

/// Writes the documentation.
pub fn run(args: &Args, console: Console) -> Outcome {
    let mut text = String::new();
    for file in &args.files {
        let sources = super::sources(file)?;
        text.push_str(&module_markdown(file, sources.root_text()));
    }
    if args.format == Format::Html {
        text = html_page(&args.files.join(", "), &text);
    }
    write_result(args.output.as_deref(), text.as_bytes(), console)?;
    Ok(ExitCode::SUCCESS)
}
