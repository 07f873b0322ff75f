//! Lists the generated part of the suite: every program with its operations, in the source language and in
//! array IR; with a name, its source. At the end it counts what is written by hand.

use we3_tests::generated_ir;
use we3_tests::suite::directives::{Kind, directives};
use we3_tests::suite::files;
use we3_tests::suite::generated::{SIZES, programs};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for program in programs() {
        if wanted.is_empty() {
            let names: Vec<&str> = program.entries.iter().map(|(name, _)| name.as_str()).collect();
            println!("{:<20} × sizes {SIZES:?}: {}", program.name, names.join(" "));
        } else if wanted.contains(&program.name) {
            print!("{}", program.source());
        }
    }
    for group in generated_ir::all() {
        for case in &group.cases {
            if wanted.is_empty() {
                println!("{:<20} × sizes {:?}: {}", format!("ir {}", group.name), case.sizes, case.name);
            } else if wanted.contains(&case.name) {
                print!("{}", case.text);
            }
        }
    }
    if wanted.is_empty() {
        for folder in ["tests/suite", "examples", "stdlib/std"] {
            println!("{}", hand_written(folder));
        }
    }
}

/// Counts the cases of a folder's files.
fn hand_written(folder: &str) -> String {
    let paths = files(folder);
    let (mut runs, mut structures, mut tests) = (0, 0, 0);
    for path in &paths {
        #[expect(clippy::disallowed_methods, reason = "tests read their files")]
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for directive in directives(&text).0 {
            match directive.kind {
                Kind::Run { .. } => runs += 1,
                Kind::Structure { .. } => structures += 1,
                Kind::Complaint { .. } | Kind::Skip { .. } => {}
            }
        }
        tests += text.lines().filter(|line| line.starts_with("test \"")).count();
    }
    let n_files = paths.len();
    format!(
        "written by hand in {folder}: {runs} runs, {structures} structures, {tests} test items in {n_files} files"
    )
}
