//! `we3c doctor`: what is installed, what it enables, how to get the rest.

use std::process::ExitCode;

use we3_driver::doctor::{Finding, examine, variables};

use super::Outcome;
use crate::console::{Console, MessageFormat};

/// Options of `doctor`.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Looks around and prints what there is.
pub fn run(_args: &Args, console: Console) -> Outcome {
    let findings = examine();
    match console.format {
        MessageFormat::Json => console.print(&format!("{}\n", as_json(&findings))),
        MessageFormat::Human => console.print(&as_text(&findings)),
    }
    Ok(ExitCode::SUCCESS)
}

fn as_text(findings: &[Finding]) -> String {
    let mut text = format!("we3c {}\n\n", we3_driver::VERSION_TEXT);
    for finding in findings {
        let mark = if finding.found { "ok     " } else { "missing" };
        text.push_str(&format!("{mark} {}: {}\n        {}\n", finding.name, finding.detail, finding.enables));
        if !finding.found {
            text.push_str(&format!("        to get it: {}\n", finding.advice));
        }
    }
    text.push_str("\nvariables of the environment:\n");
    for (name, meaning, default) in variables() {
        text.push_str(&format!("  {name:<20} {meaning} (default: {default})\n"));
    }
    text
}

fn as_json(findings: &[Finding]) -> serde_json::Value {
    findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "name": finding.name,
                "found": finding.found,
                "detail": finding.detail,
                "enables": finding.enables,
                "advice": finding.advice,
            })
        })
        .collect()
}
