//! The pages of `docs/errors` keep what they promise: the wrong program gives exactly that error, the
//! right one none.

use std::collections::BTreeSet;

use we3_driver::const_eval::InterpretedConsts;
use we3_driver::reports;
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_frontend::check::{CheckOptions, CheckResult, check};
use we3_frontend::typed::{Site, SiteKind};
use we3_frontend::{codes, render::render_text};
use we3_ir::span::{FileId, Span};
use we3_tests::pages::{Page, Program, read_pages};
use we3_tests::suite::directives::{Expected, Kind, directives};
use we3_tests::suite::program::run_sources;
use we3_tests::suite::{FileReport, guarded};

/// Codes below are the parser's, whose own tests try their pages.
const FIRST_OF_CHECKER: &str = "E0100";
/// What stops a kernel at run time.
const FIRST_OF_RUN_TIME: &str = "E0901";
/// Reported by passes, not by the checker.
const OF_PASSES: &[&str] = &["E0861", "E0863"];

/// The pages behind the parser's, but for that of a fault of the checker: no program is meant to show it.
fn later_pages() -> Vec<Page> {
    let mut pages = read_pages();
    pages.retain(|page| page.code.as_str() >= FIRST_OF_CHECKER && page.code != codes::CHECKER_FAULT.0);
    pages
}

/// Codes of kernels that stop, one of each kind.
fn codes_of_run_time() -> BTreeSet<String> {
    let span = Span::default();
    let text = String::new;
    let kinds = [
        SiteKind::Bounds,
        SiteKind::SliceBounds,
        SiteKind::SizeMismatch { left: text(), left_span: span, right: text(), right_span: span },
        SiteKind::SizeNotMultiple,
        SiteKind::BadSize,
        SiteKind::DivisionByZero,
        SiteKind::Assert { message: None },
        SiteKind::EmptyReduction { name: text() },
        SiteKind::BadStep,
        SiteKind::ReshapeCount,
    ];
    kinds.map(|kind| Site { span, kind }.diagnostic(&[]).code.0.to_owned()).into()
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
    let pages = read_pages().into_iter().filter(|page| page.code.as_str() >= FIRST_OF_CHECKER);
    let pages: Vec<Page> = pages.collect();
    let of_checker = codes::TITLES.iter().map(|(code, _)| *code).chain(OF_PASSES.iter().copied());
    let mut known: BTreeSet<String> = of_checker.map(str::to_owned).collect();
    known.extend(codes_of_run_time());
    assert_eq!(pages.iter().map(|page| page.code.clone()).collect::<BTreeSet<_>>(), known);
    for page in pages {
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

/// The `// run:` lines of a page's program, each expected error made to name the page's code.
fn with_code(program: &Program, code: &str) -> String {
    program.root().replace("!error: ", &format!("!error: {code} "))
}

fn ran(page: &Page, text: &str) -> FileReport {
    guarded(std::path::Path::new(&format!("docs/errors/{}.md", page.code)), |report| {
        run_sources(Sources::from_text(format!("{}.we3", page.code), text), report);
    })
}

#[test]
fn kernels_of_pages_stop_with_their_error_and_the_right_ones_do_not() {
    let mut failures = Vec::new();
    for page in later_pages().iter().filter(|page| page.code.as_str() >= FIRST_OF_RUN_TIME) {
        let wrong = with_code(&page.wrong, &page.code);
        let expects = |text: &str, error: bool| {
            let (found, _) = directives(text);
            found.iter().any(|one| match &one.kind {
                Kind::Run { expected: Expected::Error(part), .. } => error && part.starts_with(&page.code),
                Kind::Run { .. } => !error,
                Kind::Complaint { .. } | Kind::Structure { .. } | Kind::Skip { .. } => false,
            })
        };
        if !expects(&wrong, true) || !expects(page.right.root(), false) {
            failures.push(format!("{}: a program without its `// run:` line", page.code));
        }
        failures.extend(ran(page, &wrong).failures);
        failures.extend(ran(page, page.right.root()).failures);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What `we3c check -W bounds -W copies` says of a program.
fn reported(program: &Program) -> Vec<&'static str> {
    let sources = Sources::from_text("page.we3", program.root());
    let mut session = Session::open(&sources, SessionOptions::default());
    let bounds = reports::bounds(&mut session).expect("the page's program compiles");
    let copies = reports::copies(&mut session).expect("the page's program compiles");
    bounds.iter().chain(&copies).map(|one| one.code.0).collect()
}

#[test]
fn reports_say_what_their_pages_show() {
    for page in later_pages().iter().filter(|page| OF_PASSES.contains(&page.code.as_str())) {
        let code = page.code.as_str();
        assert!(reported(&page.wrong).contains(&code), "{code}: the first program does not show it");
        assert!(!reported(&page.right).contains(&code), "{code}: the second program shows it too");
    }
}
