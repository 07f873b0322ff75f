//! In a user's run only the items of the library that a program can reach by name are parsed: programs mean the
//! same, and errors are found with all names.
#![expect(clippy::disallowed_methods, reason = "the tests are about files of the repository")]

use std::path::Path;

use we3_frontend::{CheckOptions, CheckResult, SourceProvider, SourceText, check};
use we3_ir::text::print_module;

/// A root, a module `std::extra`, and the library of the repository.
struct Sources {
    root: String,
    extra: &'static str,
}

impl SourceProvider for Sources {
    fn load(&self, path: &[String]) -> Option<SourceText> {
        let text = match path {
            [] => self.root.clone(),
            [first, name] if first == "std" && name == "extra" => self.extra.to_owned(),
            [first, name] if first == "std" => {
                let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stdlib/std");
                std::fs::read_to_string(library.join(format!("{name}.we3"))).ok()?
            }
            _ => return None,
        };
        Some(SourceText { name: path.join("::"), text })
    }
}

/// What `all_tests` wants is in all modules, so they are read as a whole; `skip_tests` leaves it out again.
fn checked(root: &str, extra: &'static str, reached: bool) -> CheckResult {
    let options =
        CheckOptions { trust_std: true, skip_tests: true, all_tests: !reached, ..CheckOptions::default() };
    check(&Sources { root: root.to_owned(), extra }, options)
}

fn array_ir(result: &CheckResult) -> String {
    let program = result.program.as_ref().unwrap_or_else(|| panic!("{:?}", result.diagnostics));
    print_module(&we3_frontend::emit::emit(program).expect("it can be emitted"))
}

const EXTRA: &str = "
pub use std::math64::{exp_f64 as e_to_the};
const STEP: i64 = 2;
fn twice(x: i64) -> i64 = STEP * x;
pub fn quadrupled(x: i64) -> i64 = twice(twice(x));
pub fn broken(x: i64) -> i64 = x + ;
";

#[test]
fn what_is_not_named_is_not_parsed() {
    let root = "use std::extra::quadrupled; pub fn f(x: i64) -> i64 = quadrupled(x);";
    assert!(checked(root, EXTRA, true).program.is_some());
    assert!(checked(root, EXTRA, false).program.is_none());
}

#[test]
fn what_is_named_is_parsed_with_all_it_names() {
    let root = "use std::extra::{broken}; pub fn f(x: i64) -> i64 = broken(x);";
    assert!(checked(root, EXTRA, true).program.is_none());
    let root = "use std::extra::e_to_the; pub fn f(x: f64) -> f64 = e_to_the(x);";
    assert!(array_ir(&checked(root, EXTRA, true)).contains("exp_f64"));
}

#[test]
fn a_wrong_name_meets_every_name_of_the_library() {
    let root = "use std::linalg::transpos; pub fn f(x: f32[n, m]) -> f32[m, n] = transpos(x);";
    let suggestion = |trust| {
        let result = checked(root, EXTRA, trust);
        result.diagnostics.iter().map(|diagnostic| format!("{diagnostic:?}")).collect::<Vec<_>>()
    };
    assert_eq!(suggestion(true), suggestion(false));
}

#[test]
fn programs_mean_the_same() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut compared = 0;
    for entry in std::fs::read_dir(examples).expect("the folder is there").flatten() {
        if entry.path().extension().is_none_or(|extension| extension != "we3") {
            continue;
        }
        let root = std::fs::read_to_string(entry.path()).expect("the file can be read");
        let (reached, whole) = (checked(&root, "", true), checked(&root, "", false));
        if whole.program.is_none() {
            // Some examples have modules beside them, which these sources do not.
            continue;
        }
        let whole = functions(&array_ir(&whole));
        for function in functions(&array_ir(&reached)) {
            assert!(whole.contains(&function), "{}:\n{function}", entry.path().display());
        }
        compared += 1;
    }
    assert!(compared >= 20, "{compared}");
}

/// The functions of a module, without the numbers in the names of instances and lambdas.
fn functions(text: &str) -> Vec<String> {
    text.split("\n\n").map(|function| without_numbers(&without_numbers(function, "#"), "|lambda")).collect()
}

fn without_numbers(text: &str, before: &str) -> String {
    let mut parts = text.split(before);
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |text, part| text + part.trim_start_matches(|c: char| c.is_ascii_digit()))
}
