//! The pages of `docs/errors` keep what they promise.

use we3_ir::span::FileId;
use we3_tests::pages::{Page, read_pages};

/// Codes below are the parser's, whose own tests try their pages.
const FIRST_OF_CHECKER: &str = "E0100";

fn later_pages() -> Vec<Page> {
    read_pages().into_iter().filter(|page| page.code.as_str() >= FIRST_OF_CHECKER).collect()
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
