//! Tests that are we3 programs: `tests/suite/**/*.we3`, the examples and the library.
//!
//! Directives are comments, each one test:
//! `// run: f(1.0, [2.0]) == [3.0]` (bits), `~= 3.1 within 1e-12`, `== g(2)` (another call), or
//! `!error: part of the message`; a selector may follow the call: `f(3)[0, 1].re`.
//! `// error: part` beside (or above) a line: the checker must complain there, and nowhere else.
//! `// expect: 1 nest, 0 copies, 0 allocs, 0 checks` counts what the optimiser made of the `pub fn` above (or
//! of the one that is named: `// expect: f: 1 nest`).
//! `// skip: llvm: reason` leaves out what a word names (`interp`, `loop-interp`, `cranelift`, `llvm`, `ptx`).
//! Every run, and every `test` item, goes through the interpreter first and then through each other
//! configuration; results and errors must be the same bit for bit.

pub mod configs;
pub mod diagnostics;
pub mod directives;
pub mod generated;
pub mod pool;
pub mod program;
pub mod ptx;
pub mod structure;

use std::path::{Path, PathBuf};

/// What became of one file.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Directives and tests that were looked at.
    pub cases: usize,
    /// Single executions, over all configurations.
    pub runs: usize,
    /// Kernels that ptxas took.
    pub kernels: usize,
    /// What went wrong, one entry each.
    pub failures: Vec<String>,
}

impl FileReport {
    /// Nothing yet.
    pub fn new(path: &Path) -> FileReport {
        FileReport { path: path.to_owned(), ..FileReport::default() }
    }

    /// Notes a failure at a line.
    pub fn fail(&mut self, line: usize, what: impl std::fmt::Display) {
        let path = self.path.strip_prefix(repository()).unwrap_or(&self.path);
        self.failures.push(format!("{}:{line}: {what}", path.display()));
    }
}

/// Writes a line to the terminal even where the test harness keeps the output of tests that pass.
pub fn say(line: &str) {
    use std::io::Write;
    // A terminal that has gone away is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Does the work for a file; a panic becomes a failure of it and leaves the other files alone.
pub fn guarded(path: &Path, work: impl FnOnce(&mut FileReport)) -> FileReport {
    let mut report = FileReport::new(path);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&mut report)));
    if let Err(panic) = outcome {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        report.fail(0, format!("PANIC: {text}"));
    }
    report
}

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All `.we3` files below a folder of the repository, sorted; `WE3_SUITE` keeps those whose path contains it.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&repository().join(folder), &mut found);
    if let Ok(filter) = std::env::var("WE3_SUITE") {
        found.retain(|path| path.to_string_lossy().contains(&filter));
    }
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "we3") {
            found.push(path);
        }
    }
}

/// Says the sums, loudly, and fails if any file did.
pub fn conclude(what: &str, reports: &[FileReport]) {
    let sum = |part: fn(&FileReport) -> usize| reports.iter().map(part).sum::<usize>();
    say(&format!(
        "{what}: {} files, {} cases, {} runs, {}, {} failures",
        reports.len(),
        sum(|report| report.cases),
        sum(|report| report.runs),
        ptx::spoken(sum(|report| report.kernels)),
        sum(|report| report.failures.len()),
    ));
    let failures: Vec<&str> =
        reports.iter().flat_map(|report| &report.failures).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "{} failures (WE3_SUITE=part-of-a-path runs fewer files)\n{}",
        failures.len(),
        failures.join("\n")
    );
}
