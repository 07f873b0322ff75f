//! The formatter: its layout, and what it never does. It never changes the tree, never loses a
//! comment, and has nothing to change in what it made.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::path::{Path, PathBuf};
use we3_ir::span::FileId;
use we3_parser::lexer::lex;
use we3_parser::print::print_ast;
use we3_parser::token::TokenKind;
use we3_parser::{format_module, parse_module};

fn tree(source: &str) -> String {
    print_ast(&parse_module(FileId(0), source).0)
}

/// The comments of a source in order, whatever their kind.
fn comments(source: &str) -> Vec<String> {
    let is_comment = |kind| matches!(kind, TokenKind::Comment | TokenKind::Doc | TokenKind::ModuleDoc);
    let tokens = lex(FileId(0), source).0.into_iter().filter(|token| is_comment(token.kind));
    tokens.map(|token| source[token.lo as usize..token.hi as usize].trim_end().to_owned()).collect()
}

/// Fails at the first line in which two texts differ.
fn same(what: &str, left: &str, right: &str) {
    for (nth, (left, right)) in left.lines().zip(right.lines()).enumerate() {
        assert_eq!(left, right, "{what}: line {}", nth + 1);
    }
    assert_eq!(left.lines().count(), right.lines().count(), "{what}: number of lines");
}

/// Formats, and checks what always holds.
fn format(source: &str) -> String {
    let formatted = format_module(source).unwrap_or_else(|found| panic!("{found:?}\n{source}"));
    same("the tree changed", &tree(&formatted), &tree(source));
    same("comments changed", &comments(&formatted).join("\n"), &comments(source).join("\n"));
    let again = format_module(&formatted).unwrap_or_else(|found| panic!("{found:?}\n{formatted}"));
    same("formatting twice changes more", &again, &formatted);
    for line in formatted.lines() {
        assert_eq!(line, line.trim_end(), "trailing space:\n{formatted}");
    }
    assert!(formatted.is_empty() || formatted.ends_with('\n') && !formatted.ends_with("\n\n"));
    formatted
}

fn we3_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            we3_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "we3") {
            found.push(path);
        }
    }
}

#[test]
fn semicolons_that_end_nothing_leave_no_lines() {
    assert_eq!(format("fn f() { \n ; }"), "fn f() {}\n");
    assert_eq!(format("fn f() { ;\n // c\n ; }"), format("fn f() {\n// c\n}"));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test is about the files of the repository")]
fn every_program_of_the_repository_keeps_its_tree_and_comments() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = vec![];
    for folder in ["stdlib", "examples", "tests", "bench", "frontend"] {
        we3_files(&root.join(folder), &mut files);
    }
    assert!(!files.is_empty());
    for file in files {
        let source = std::fs::read_to_string(&file).expect("a program is readable text");
        // Programs that show errors are not formatted.
        if format_module(&source).is_ok() {
            format(&source);
        }
    }
}

macro_rules! layouts {
    ($($name:ident: $source:expr;)*) => {
        $(#[test]
        fn $name() {
            let source = $source;
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "format" }, {
                insta::assert_snapshot!(stringify!($name), format(source));
            });
        })*
    };
}

layouts! {
    tour: include_str!("programs/tour.we3");
    ugly: include_str!("programs/ugly.we3");
    comments_everywhere: include_str!("programs/comments.we3");
    nothing: "\n\n";
    only_comments: "\n\n// a\n\n\n\n// b   \n";
}

/// The tour with white space and comments put between its tokens.
fn scattered(gaps: &[usize]) -> String {
    let source = include_str!("programs/tour.we3");
    let (tokens, _) = lex(FileId(0), source);
    let mut text = String::new();
    let mut end = 0;
    for (nth, token) in tokens.iter().enumerate() {
        let between = &source[end..token.lo as usize];
        let comment = matches!(token.kind, TokenKind::Doc | TokenKind::ModuleDoc);
        // A joined `>>` and the dot of `.0` stay as they are, and lines that end in comments end.
        let gap = if between.contains('\n') || (!between.is_empty() && !comment) {
            gaps[nth % gaps.len()]
        } else {
            9
        };
        match gap {
            0 => text += "\n",
            1 => text += &format!(" // c{nth}\n"),
            2 => text += &format!("\n// c{nth}\n"),
            3 => text += &format!("\n\n\n   // c{nth}\n\n// d{nth}\n"),
            4 => text += &format!("  // c{nth}\n\n"),
            5 if !between.contains('\n') || nth > 0 && !is_line_comment(tokens[nth - 1].kind) => text += " ",
            _ => text += between,
        }
        text += &source[token.lo as usize..token.hi as usize];
        end = token.hi as usize;
    }
    text + "\n"
}

fn is_line_comment(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Comment | TokenKind::Doc | TokenKind::ModuleDoc)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn layout_and_comments_of_the_source_do_not_matter(gaps in prop::collection::vec(0..40usize, 1..200)) {
        format(&scattered(&gaps));
    }

    #[test]
    fn dense_comments(gaps in prop::collection::vec(0..7usize, 1..200)) {
        format(&scattered(&gaps));
    }

    #[test]
    fn names_of_any_length(length in 1..120usize) {
        let long = "x".repeat(length);
        format(&include_str!("programs/tour.we3").replace("beta", &long).replace("softmax", &long));
    }
}
