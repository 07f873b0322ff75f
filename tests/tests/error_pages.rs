//! The pages of `docs/errors` keep what they promise: the wrong program gives exactly that error, the
//! right one none.

use std::collections::BTreeSet;

use we3_driver::const_eval::InterpretedConsts;
use we3_frontend::check::{CheckOptions, CheckResult, check};
use we3_frontend::{codes, render::render_text};
use we3_ir::span::FileId;
use we3_tests::pages::{Page, Program, read_pages};

/// Codes below are the parser's, whose own tests try their pages.
const FIRST_OF_CHECKER: &str = "E0100";
/// What stops a kernel at run time.
const FIRST_OF_RUN_TIME: &str = "E0901";
/// Reported by passes, not by the checker.
const OF_PASSES: &[&str] = &["E0861", "E0863"];
/// A fault of the checker: no program is meant to show it.
const FAULT: &str = codes::CHECKER_FAULT.0;

fn later_pages() -> Vec<Page> {
    read_pages().into_iter().filter(|page| page.code.as_str() >= FIRST_OF_CHECKER).collect()
}

fn checked(program: &Program, code: &str) -> CheckResult {
    let warn_sizes = code == codes::RUN_TIME_SIZE.0;
    check(
        program,
        CheckOptions {
            const_eval: Some(&InterpretedConsts),
            warn_sizes,
            trust_std: true,
            ..CheckOptions::default()
        },
    )
}

fn said(result: &CheckResult) -> String {
    render_text(&result.sources, &result.diagnostics, false)
}

#[test]
fn both_programs_of_a_page_parse() {
    for page in later_pages() {
        for text in page.wrong.modules.values().chain(page.right.modules.values()) {
            let said = we3_parser::parse_module(FileId(0), text).1;
            assert_eq!(said, [], "{}:\n{text}", page.code);
        }
    }
}

#[test]
fn titles_are_one_short_line_without_a_full_stop() {
    for page in read_pages() {
        assert!(page.title.len() <= 72 && !page.title.ends_with('.'), "{}: {}", page.code, page.title);
    }
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let pages: BTreeSet<String> = later_pages().into_iter().map(|page| page.code).collect();
    let checker = codes::TITLES.iter().map(|(code, _)| (*code).to_owned()).filter(|code| code != FAULT);
    let checker: BTreeSet<String> = checker.chain(OF_PASSES.iter().map(|code| (*code).to_owned())).collect();
    let of_checker = |code: &&String| code.as_str() < FIRST_OF_RUN_TIME;
    assert_eq!(pages.iter().filter(of_checker).cloned().collect::<BTreeSet<_>>(), checker);
    for page in later_pages() {
        if let Some(title) = codes::title(&page.code) {
            assert_eq!(page.title, title, "{}", page.code);
        }
    }
}

#[test]
fn a_wrong_program_gives_exactly_its_error() {
    let mut failures = Vec::new();
    for page in later_pages().iter().filter(|page| page.code.as_str() < FIRST_OF_RUN_TIME) {
        let result = checked(&page.wrong, &page.code);
        let only_it = result.diagnostics.iter().all(|one| one.code.0 == page.code);
        let of_passes = OF_PASSES.contains(&page.code.as_str());
        if result.diagnostics.is_empty() != of_passes || !only_it {
            failures.push(format!("{}: {}\n{}", page.code, page.title, said(&result)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_right_program_gives_none() {
    let mut failures = Vec::new();
    for page in &later_pages() {
        let result = checked(&page.right, &page.code);
        if !result.diagnostics.is_empty() {
            failures.push(format!("{}: {}\n{}", page.code, page.title, said(&result)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
