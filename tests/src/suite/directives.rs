//! The comments that say what a suite file does.

use we3_driver::spec::{CallSpec, Spec, parse_call, parse_spec};

/// One directive and its line, from 1.
#[derive(Clone, Debug)]
pub struct Directive {
    /// The line of the comment.
    pub line: usize,
    /// What it says.
    pub kind: Kind,
}

/// What a directive says.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A call and what it gives.
    Run {
        /// The call.
        call: CallSpec,
        /// A part of the result: `[0, 1]`, `re`.
        selectors: Vec<Selector>,
        /// What must come out.
        expected: Expected,
    },
    /// A complaint of the checker at `at`.
    Complaint {
        /// The line it is about.
        at: usize,
        /// Part of its code and message.
        part: String,
    },
    /// Counts in the loop IR of an entry (of the one above, if it has no name).
    Structure {
        /// Which entry.
        entry: String,
        /// Numbers and what they count.
        counts: Vec<(usize, String)>,
    },
    /// What is left out here, and why.
    Skip {
        /// A configuration's word.
        what: String,
    },
}

/// A way into a result.
#[derive(Clone, Debug)]
pub enum Selector {
    /// `[1, 2]`
    Index(Vec<u64>),
    /// `.re`, `.0`
    Field(String),
}

/// What a run must give.
#[derive(Clone, Debug)]
pub enum Expected {
    /// These bits.
    Exactly(Spec),
    /// No further than this from it.
    Near(Spec, f64),
    /// The bits that another call gives.
    SameAs(CallSpec),
    /// An error whose message contains this.
    Error(String),
}

/// Every directive of a file; those that cannot be read are errors with their line.
pub fn directives(text: &str) -> (Vec<Directive>, Vec<(usize, String)>) {
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some(start) = line.find("// ") else { continue };
        let comment = line[start + 3..].trim();
        let Some((word, rest)) = comment.split_once(':') else { continue };
        let alone = line[..start].trim().is_empty();
        let kind = match word {
            "run" if alone => run(rest.trim()),
            "error" | "warning" => Ok(Kind::Complaint {
                at: if alone { next_code_line(&lines, index) } else { index + 1 },
                part: rest.trim().to_owned(),
            }),
            "expect" if alone => structure(rest.trim(), function_above(&lines[..index])),
            "skip" if alone => {
                let what = rest.trim().split([':', ' ']).next().unwrap_or_default().to_owned();
                Ok(Kind::Skip { what })
            }
            _ => continue,
        };
        match kind {
            Ok(kind) => found.push(Directive { line: index + 1, kind }),
            Err(fault) => faults.push((index + 1, fault)),
        }
    }
    (found, faults)
}

fn next_code_line(lines: &[&str], from: usize) -> usize {
    let rest = lines.iter().enumerate().skip(from + 1);
    rest.filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, _)| index + 1)
        .next()
        .unwrap_or(from + 1)
}

fn run(text: &str) -> Result<Kind, String> {
    let (call, rest) = parse_call(text).map_err(|error| error.to_string())?;
    let (selectors, rest) = selectors(rest.trim())?;
    let expected = expected(rest.trim())?;
    Ok(Kind::Run { call, selectors, expected })
}

fn selectors(mut rest: &str) -> Result<(Vec<Selector>, &str), String> {
    let mut found = Vec::new();
    loop {
        if let Some(inside) = rest.strip_prefix('[') {
            let (index, after) = inside.split_once(']').ok_or("a selector without `]`")?;
            let numbers: Result<Vec<u64>, _> = index.split(',').map(|part| part.trim().parse()).collect();
            found.push(Selector::Index(numbers.map_err(|_| format!("`{index}` is no index"))?));
            rest = after;
        } else if let Some(name) = rest.strip_prefix('.') {
            let len = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
            found.push(Selector::Field(name[..len].to_owned()));
            rest = &name[len..];
        } else {
            return Ok((found, rest));
        }
    }
}

fn expected(text: &str) -> Result<Expected, String> {
    if let Some(message) = text.strip_prefix("!error") {
        return Ok(Expected::Error(message.trim_start_matches(':').trim().to_owned()));
    }
    if let Some(near) = text.strip_prefix("~=") {
        let (value, bound) = near.split_once(" within ").ok_or("`~=` needs `within`")?;
        let bound: f64 = bound.trim().parse().map_err(|_| format!("`{bound}` is no bound"))?;
        return Ok(Expected::Near(parse_spec(value).map_err(|error| error.to_string())?, bound));
    }
    let value = text.strip_prefix("==").ok_or("expected `==`, `~=` or `!error` after the call")?;
    match parse_spec(value) {
        Ok(spec) => Ok(Expected::Exactly(spec)),
        Err(error) => match parse_call(value) {
            Ok((call, rest)) if rest.trim().is_empty() && !call.entry.is_empty() => {
                Ok(Expected::SameAs(call))
            }
            _ => Err(error.to_string()),
        },
    }
}

/// The last `pub fn` of these lines.
fn function_above(lines: &[&str]) -> Option<String> {
    let name = |line: &&str| {
        let rest = line.trim_start().strip_prefix("pub fn ")?;
        Some(rest.split(['(', '<']).next().unwrap_or_default().trim().to_owned())
    };
    lines.iter().rev().find_map(name)
}

fn structure(text: &str, above: Option<String>) -> Result<Kind, String> {
    let (entry, counts) = match text.split_once(':') {
        Some((entry, counts)) => (entry.trim().to_owned(), counts),
        None => (above.ok_or("no `pub fn` stands above")?, text),
    };
    let counts: Result<Vec<(usize, String)>, String> = counts
        .split(',')
        .map(|part| {
            let (number, what) = part.trim().split_once(' ').ok_or("expected `1 nest`")?;
            let number = number.parse().map_err(|_| format!("`{number}` is no number"))?;
            Ok((number, what.trim().trim_end_matches('s').to_owned()))
        })
        .collect();
    Ok(Kind::Structure { entry, counts: counts? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_understood() {
        let text = "pub fn g(x: i64) -> i64 = x;\n// run: f(1, k = 2)[0].re == 3.0\n// run: f() ~= 1.0 within 1e-9\n// run: f(1) !error: range\n\
                    // run: f(1) == g(2)\n// error: E0301\nlet x = 1; // error: unused\n// expect: 1 nest, 0 copies\n\
                    // skip: llvm: too slow\n// a comment: nothing\n";
        let (found, faults) = directives(text);
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(found.len(), 8);
        assert!(matches!(&found[4].kind, Kind::Complaint { at: 7, .. }));
        assert!(matches!(&found[5].kind, Kind::Complaint { at: 7, .. }));
        assert!(matches!(&found[6].kind, Kind::Structure { entry, .. } if entry == "g"));
        assert!(matches!(&found[3].kind, Kind::Run { expected: Expected::SameAs(_), .. }));
    }

    #[test]
    fn what_cannot_be_read_is_a_fault() {
        let (_, faults) = directives("// run: f(1 == 2\n// run: f(1) = 2\n// expect: 1 nest\n");
        assert_eq!(faults.len(), 3);
    }
}
