//! Tests that are files of IR: what the verifier says about them, what the interpreter makes of them.
//!
//! A file holds cases, each headed by `; case: name`. In `tests/ir/verify` the lines `; error: …` of a case
//! are all errors it has. In `tests/ir/interp` every line `; run: @f(args) == results` is a run; a stop is
//! written `check 3 (notes)`, `out of memory`, `step limit` or `broken: …`, and `; limit: steps 1000`
//! sets a limit. `WE3_BLESS=1` rewrites what is expected.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use we3_backend_interp::{Limits, Stop, run_entry};
use we3_ir::Module;
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;

use crate::ir_values::{parse_run, print_values};

/// All `.ir` files of a directory under `tests/ir`, sorted.
pub fn files(directory: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("ir").join(directory);
    let mut found = Vec::new();
    collect(&root, &mut found);
    found.sort();
    found
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "ir") {
            found.push(path);
        }
    }
}

/// The cases of a file: everything from one `; case:` to the next.
pub fn cases(text: &str) -> Vec<String> {
    let mut cases = vec![String::new()];
    for line in text.lines() {
        if line.starts_with("; case:") {
            cases.push(String::new());
        }
        if let Some(case) = cases.last_mut() {
            case.push_str(line);
            case.push('\n');
        }
    }
    cases.retain(|case| !case.is_empty());
    cases
}

/// Runs a file through a function from a case to the case as it should be; the difference is the failure.
pub fn check_file(path: &Path, expected: impl Fn(&str) -> String) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let wanted: String = cases(&text)
        .iter()
        .map(|case| if case.starts_with("; case:") { expected(case) } else { case.clone() })
        .collect();
    if wanted == text {
        return Ok(());
    }
    if std::env::var_os("WE3_BLESS").is_some() {
        return std::fs::write(path, wanted).map_err(|error| error.to_string());
    }
    let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display();
    Err(format!(
        "tests/{name} differs (- the file, + what happens):\n{}accept with: WE3_BLESS=1 cargo test -p we3-tests --test ir",
        difference(&text, &wanted)
    ))
}

/// The lines that differ, with their numbers.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let start = old.iter().zip(&new).take_while(|(left, right)| left == right).count();
    let rest = old.len().min(new.len()) - start;
    let end =
        old.iter().rev().zip(new.iter().rev()).take_while(|(left, right)| left == right).count().min(rest);
    let mut text = String::new();
    for (number, line) in old[start..old.len() - end].iter().enumerate() {
        let _ = writeln!(text, "{:4} - {line}", start + number + 1);
    }
    for line in &new[start..new.len() - end] {
        let _ = writeln!(text, "     + {line}");
    }
    text
}

/// What a text's reader says: the module, or errors in words.
pub fn read(text: &str) -> Result<Module, Vec<String>> {
    let module =
        parse_module(text).map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let printed = print_module(&module);
    let again = parse_module(&printed).map(|module| print_module(&module));
    if again.as_ref() != Ok(&printed) {
        return Err(vec![format!("does not print as it reads:\n{printed}\n{again:?}")]);
    }
    Ok(module)
}

/// A case of `tests/ir/verify` with the errors it has.
pub fn verified_case(case: &str) -> String {
    let body = case.lines().filter(|line| !line.starts_with("; error:"));
    let mut text: String = body.map(|line| format!("{line}\n")).collect();
    let kept = text.trim_end().len();
    let tail = text.split_off(kept).trim_start_matches('\n').len();
    text.push('\n');
    let errors = match read(case) {
        Ok(module) => match verify(&module) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        },
        Err(errors) => errors.into_iter().map(|error| format!("{error} (parser)")).collect(),
    };
    for error in errors {
        let _ = writeln!(text, "; error: {error}");
    }
    text.push_str(&"\n".repeat(tail.min(1)));
    text
}

/// A case of `tests/ir/interp` with the results it has.
pub fn interpreted_case(case: &str) -> String {
    let module = match read(case) {
        Ok(module) => module,
        Err(errors) => return format!("{case}; {}\n", errors.join("\n; ")),
    };
    let limits = limits(case);
    case.lines()
        .map(|line| match line.strip_prefix("; run: ") {
            Some(run) => {
                let call = run.split_once(" == ").map_or(run, |(call, _)| call);
                format!("; run: {call} == {}\n", outcome(&module, call, &limits))
            }
            None => format!("{line}\n"),
        })
        .collect()
}

fn limits(case: &str) -> Limits {
    let mut limits = Limits { bytes: 1 << 28, ..Limits::default() };
    for words in case.lines().filter_map(|line| line.strip_prefix("; limit: ")) {
        match words.split_once(' ').map(|(what, number)| (what, number.parse())) {
            Some(("steps", Ok(steps))) => limits.steps = steps,
            Some(("bytes", Ok(bytes))) => limits.bytes = bytes,
            Some(_) | None => panic!("`; limit: {words}` is no limit"),
        }
    }
    limits
}

/// What a run gives, in words.
fn outcome(module: &Module, call: &str, limits: &Limits) -> String {
    let verified = match verify(module) {
        Ok(verified) => verified,
        Err(errors) => return format!("verifier: {}", errors[0]),
    };
    let (func, args) = match parse_run(module, call) {
        Ok(parsed) => parsed,
        Err(message) => return format!("test: {message}"),
    };
    match run_entry(verified, func, args, limits) {
        Ok(results) => print_values(&module.funcs[func], &results),
        Err(Stop::Check { site, notes }) if notes.is_empty() => format!("check {site}"),
        Err(Stop::Check { site, notes }) => format!("check {site} {}", crate::ir_values::print_notes(&notes)),
        Err(stop) => stop.to_string(),
    }
}
