//! Complaints: what the checker says must be what the file says it says, line by line.

use we3_driver::session::Session;

use super::FileReport;
use super::directives::{Directive, Kind};

/// Compares the errors of a session with the `// error:` lines of its file.
pub fn compare(session: &Session, directives: &[Directive], report: &mut FileReport) {
    let mut expected: Vec<(usize, usize, &str)> = Vec::new();
    for directive in directives {
        if let Kind::Complaint { at, part } = &directive.kind {
            expected.push((directive.line, *at, part));
            report.cases += 1;
        }
    }
    for found in session.diagnostics() {
        let (line, _) = session.sources().line_column(found.primary_span());
        let text = format!("{} {}", found.code.0, found.message);
        let here = expected.iter().position(|(_, at, part)| *at == line && contains(&text, part));
        match here {
            Some(position) => {
                expected.remove(position);
            }
            None if found.is_error() => report.fail(line, format!("unexpected error: {text}")),
            None => {}
        }
    }
    for (line, at, part) in expected {
        report.fail(line, format!("no complaint at line {at} contains `{part}`"));
    }
}

/// Every word-like part of the expectation occurs, in order, whatever its case.
pub fn contains(text: &str, part: &str) -> bool {
    let text = text.to_lowercase();
    let part = part.to_lowercase();
    match part.split_once(' ') {
        // `E0301 sizes differ`: the code, then a part of the message.
        Some((code, rest)) if code.starts_with('e') && code[1..].parse::<u32>().is_ok() => {
            text.starts_with(code) && text.contains(rest.trim())
        }
        Some(_) | None => text.contains(&part),
    }
}
