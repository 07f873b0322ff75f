//! What the checker says: `tests/diagnostics/*.we3`. A line that is wrong ends with
//! `// error: E0123 part of the text` (or `// warning: …`); further ones stand below it, after `// ^`.
//! Everything said must be expected, on its line, and the other way round; the full text is a snapshot.

use std::fs;
use std::path::{Path, PathBuf};

use we3_driver::const_eval::InterpretedConsts;
use we3_frontend::check::{CheckOptions, CheckResult, check};
use we3_frontend::render::render_text;
use we3_ir::diagnostic::{Diagnostic, Severity};
use we3_tests::pages::Program;

/// One expectation.
#[derive(Debug)]
struct Expected {
    line: usize,
    severity: Severity,
    code: String,
    part: String,
}

/// The text behind a `// error:` or `// warning:`.
fn annotation(comment: &str) -> Option<(Severity, &str)> {
    let comment = comment.trim();
    let error = comment.strip_prefix("error:").map(|rest| (Severity::Error, rest));
    error.or_else(|| comment.strip_prefix("warning:").map(|rest| (Severity::Warning, rest)))
}

fn expectations(text: &str) -> Vec<Expected> {
    let mut found = Vec::new();
    let mut last_code_line = 0;
    for (index, line) in text.lines().enumerate() {
        let below = line.trim_start().strip_prefix("// ^");
        if below.is_none() {
            last_code_line = index + 1;
        }
        let comment = below.or_else(|| line.split_once("// ").map(|(_, comment)| comment));
        if let Some((severity, rest)) = comment.and_then(annotation) {
            let (code, part) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
            let (code, part) = (code.to_owned(), part.trim().to_owned());
            found.push(Expected { line: last_code_line, severity, code, part });
        }
    }
    found
}

/// Everything a diagnostic says, in one text.
fn everything_said(diagnostic: &Diagnostic) -> String {
    let labels = diagnostic.labels.iter().map(|label| label.message.as_str());
    let fixes = diagnostic.fixes.iter().map(|fix| fix.message.as_str());
    let notes = diagnostic.notes.iter().map(String::as_str);
    let all: Vec<&str> =
        std::iter::once(diagnostic.message.as_str()).chain(labels).chain(notes).chain(fixes).collect();
    all.join("\n")
}

fn run(file: &Path) -> (String, CheckResult) {
    let text = fs::read_to_string(file).expect("a text file");
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let warn_sizes = text.lines().any(|line| line == "// options: sizes");
    let program = Program::single(name, text.clone());
    (
        text,
        check(
            &program,
            CheckOptions {
                const_eval: Some(&InterpretedConsts),
                warn_sizes,
                trust_std: true,
                ..CheckOptions::default()
            },
        ),
    )
}

/// What is wrong about the diagnostics of one file.
fn complaints(text: &str, result: &CheckResult) -> Vec<String> {
    let mut expected = expectations(text);
    let mut wrong = Vec::new();
    for diagnostic in &result.diagnostics {
        let span = diagnostic.primary_span();
        let (line, _) = result.sources.line_column(span);
        let said = everything_said(diagnostic);
        let fits = |one: &Expected| {
            span.file.0 == 0
                && one.line == line
                && one.severity == diagnostic.severity
                && one.code == diagnostic.code.0
                && said.contains(&one.part)
        };
        match expected.iter().position(fits) {
            Some(found) => drop(expected.remove(found)),
            None => wrong.push(format!("line {line}: unexpected {} {said:?}", diagnostic.code.0)),
        }
    }
    wrong
        .extend(expected.iter().map(|one| format!("line {}: missing {} {:?}", one.line, one.code, one.part)));
    wrong
}

/// A fix that can be applied leaves less to say.
fn bad_fixes(text: &str, result: &CheckResult) -> Vec<String> {
    let mut bad = Vec::new();
    for diagnostic in &result.diagnostics {
        for fix in &diagnostic.fixes {
            let mut edits = fix.edits.clone();
            edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.lo));
            let mut fixed = text.to_owned();
            for (span, new) in &edits {
                assert!(fixed.get(span.range()).is_some(), "a fix outside its file: {fix:?}");
                fixed.replace_range(span.range(), new);
            }
            if fixed == text {
                bad.push(format!("{}: a fix that changes nothing: {}", diagnostic.code.0, fix.message));
            }
        }
    }
    bad
}

#[test]
fn every_error_is_told_where_it_is_and_nothing_else_is() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("diagnostics");
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "we3"));
    files.sort();
    let (mut failures, mut cases) = (Vec::new(), 0);
    for file in &files {
        let stem = file.file_stem().expect("a name").to_string_lossy().into_owned();
        let Ok((text, result)) = std::panic::catch_unwind(|| run(file)) else {
            failures.push(format!("{stem}.we3: the checker panics"));
            continue;
        };
        cases += expectations(&text).len();
        let mut wrong = complaints(&text, &result);
        wrong.extend(bad_fixes(&text, &result));
        if !wrong.is_empty() {
            failures.push(format!("{stem}.we3:\n  {}", wrong.join("\n  ")));
        }
        let rendered = render_text(&result.sources, &result.diagnostics, false);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "../diagnostics/snapshots" }, {
            insta::assert_snapshot!(stem, rendered);
        });
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(cases >= 100, "only {cases} cases were found");
}
