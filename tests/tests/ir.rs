//! Runs the files of `tests/ir`.

use we3_tests::ir_files::{check_file, files, interpreted_case, verified_case};
use we3_tests::pass_files::passed_case;

fn check_all(directory: &str, expected: impl Fn(&str) -> String) {
    let files = files(directory);
    assert!(!files.is_empty(), "there are no files in tests/ir/{directory}");
    let failures: Vec<String> = files.iter().filter_map(|path| check_file(path, &expected).err()).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_verifier_says_what_the_files_say() {
    check_all("verify", verified_case);
}

#[test]
fn the_interpreter_gives_what_the_files_say() {
    check_all("interp", interpreted_case);
}

#[test]
fn passes_turn_files_into_what_they_say() {
    check_all("passes", passed_case);
}
