//! `we3c explain`: the page of an error code.

use std::process::ExitCode;

use we3_driver::failure::Failure;

use super::Outcome;
use crate::console::Console;

/// Codes and their pages, sorted. A page opens with its code.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// Options of `explain`.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "Example:\n    we3c explain E0012")]
pub struct Args {
    /// The code, as E0012; without one, a list of all
    code: Option<String>,
}

/// Prints the page.
pub fn run(args: &Args, console: Console) -> Outcome {
    let Some(code) = &args.code else {
        for (_, page) in PAGES {
            console.print(&format!("{}\n", title(page)));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let wanted = normal(code);
    match PAGES.iter().find(|(code, _)| *code == wanted) {
        Some((_, page)) => {
            console.print(page);
            Ok(ExitCode::SUCCESS)
        }
        None => Err(Failure::Usage(format!(
            "there is no error code `{code}`; `we3c explain` without a code lists all"
        ))),
    }
}

/// `12`, `e12` and `E0012` are the same code.
fn normal(code: &str) -> String {
    match code.trim_start_matches(['E', 'e']).parse::<u32>() {
        Ok(number) => format!("E{number:04}"),
        Err(_) => code.to_owned(),
    }
}

fn title(page: &str) -> &str {
    page.lines().next().unwrap_or_default().trim_start_matches('#').trim()
}
