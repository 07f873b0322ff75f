//! No text makes the parser panic, hang or lose track: random token soup, mutated programs, deep
//! nesting. Runs with a small stack, as tests do.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::time::{Duration, Instant};
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::FileId;

/// Does with a text all that can be done, checks what always holds, and how long it takes.
fn survive(source: &str) -> Vec<Diagnostic> {
    let start = Instant::now();
    let diagnostics = we3_parser::fuzz::check(source);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?} for {} bytes", start.elapsed(), source.len());
    diagnostics
}

/// The same for texts of a megabyte, which are only parsed.
fn survive_parsing(source: &str) -> Vec<Diagnostic> {
    let start = Instant::now();
    let (_, diagnostics) = we3_parser::parse_module(FileId(0), source);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?} for {} bytes", start.elapsed(), source.len());
    diagnostics
}

const WORDS: &[&str] = &[
    "fn",
    "let",
    "mut",
    "if",
    "else",
    "while",
    "for",
    "in",
    "struct",
    "impl",
    "trait",
    "use",
    "const",
    "type",
    "pub",
    "break",
    "continue",
    "return",
    "assert",
    "true",
    "precompute",
    "as",
    "by",
    "size",
    "test",
    "bench",
    "rev",
    "x",
    "y",
    "f32",
    "0",
    "1.5",
    "1u8",
    "0x1p3",
    "\"s\"",
    "'q'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "#[",
    ",",
    ";",
    ":",
    "::",
    "->",
    "=>",
    ".",
    "..",
    "?",
    "_",
    "+",
    "-",
    "*",
    "/",
    "%",
    "@",
    "^",
    "&",
    "|",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "<<",
    "=",
    "+=",
    ">>=",
    "**",
    "// c\n",
    "/// d\n",
    "//! m\n",
    "# h\n",
    "/*",
    "*/",
    "\n",
    "é",
    "$",
    "def",
    "lambda",
    "elif",
    "and",
    "not",
    "loop",
    "match",
    "\"open\n",
    "1.",
    ".5",
];

/// Longer pieces, so that some programs are right.
const PIECES: &[&str] = &[
    "x",
    "1",
    "2.5f32",
    "a::b::<T, 3>(y)",
    "f(1, axis = 2)",
    "sum(x[i] for i, j in 0..n if c)",
    "[x for i]",
    "[1, 2,]",
    "(a, b)",
    "(x)",
    "S { a: 1, b, ..c }",
    "if a { b } else { c }",
    "if a { b }",
    "{ y }",
    "{ let z = 1; z }",
    "|x, y| x",
    "|| 1",
    "precompute x",
    "x.0.1",
    "x[.., 1..n by 2]",
    "-",
    "!",
    "+",
    "*",
    "<",
    "==",
    "&&",
    "||",
    "|",
    ">>",
    "as f32",
    "as T",
    ".re",
    "[0]",
    "(1)",
    ";",
    "let x = 1;",
    "let (a, mut b): (f32, i64[?k]) = c;",
    "x += 1;",
    "(a, b[0]) = c;",
    "while a { b(); }",
    "for i in rev(0..n by 2) { continue }",
    "return x;",
    "break;",
    "assert(a, \"b\");",
    "// c\n",
    "\n",
    "\n\n",
    "reduce(+, 0, x for i)",
    "#[fast] { x }",
    "#[schedule(a = 1)] [x for i]",
    "#[unroll] for i in x { }",
    "else { d }",
    "else if a { e }",
];

proptest! {
    // The seed is fixed, so that a run says the same each time; the fuzz targets of `fuzz/` look further.
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn token_soup(words in prop::collection::vec(prop::sample::select(WORDS), 0..60), gap in "[ \n]?") {
        survive(&words.join(&gap));
    }

    #[test]
    fn token_soup_in_a_function(words in prop::collection::vec(prop::sample::select(WORDS), 0..25)) {
        survive(&format!("fn f(x: f32[n]) -> f32 {{\n    let y = {};\n    y\n}}\nfn g() = 1;", words.join(" ")));
    }

    #[test]
    fn programs_from_grammatical_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 1..30)) {
        survive(&format!("fn f() = {};", pieces.join(" ")));
        survive(&format!("fn f() {{ {} }}", pieces.join(" ")));
    }

    #[test]
    fn any_text(text in "\\PC{0,80}") {
        survive(&text);
    }

    #[test]
    fn mutated_programs(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..12usize, prop::sample::select(WORDS)), 1..6)
    ) {
        let mut source = include_str!("programs/tour.we3").to_owned();
        for (at, length, word) in edits {
            let marks: Vec<usize> = source.char_indices().map(|(at, _)| at).collect();
            let nth = at.index(marks.len());
            let end = marks.get(nth + length).copied().unwrap_or(source.len());
            source.replace_range(marks[nth]..end, word);
        }
        survive(&source);
    }
}

fn complains_of_depth(source: &str) {
    let diagnostics = survive_parsing(source);
    assert!(diagnostics.iter().any(|d| d.code.0 == "E0013"), "{:?}", diagnostics.first());
}

#[test]
fn deep_nesting_is_an_error_in_every_form() {
    let n = 100_000;
    let around = |open: &str, close: &str| format!("fn f() = {}1{};", open.repeat(n), close.repeat(n));
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("x[", "]"), ("if a {", "}"), ("-(", ")")]
    {
        complains_of_depth(&around(open, close));
    }
    for prefix in ["-", "!", "|x| ", "precompute ", "if a { } else "] {
        let end = if prefix.starts_with("if") { "{ }" } else { "1" };
        complains_of_depth(&format!("fn f() = {}{end};", prefix.repeat(n)));
    }
    for suffix in [" + x", ".a", "[0]", "()", " as f32", " < x", " && x", "{ }"] {
        survive_parsing(&format!("fn f() = x{};", suffix.repeat(n)));
    }
    complains_of_depth(&format!("fn f() = x{};", " + x".repeat(n)));
    complains_of_depth(&format!("type A = {}f32;", "fn() -> ".repeat(n)));
    complains_of_depth(&format!("type A = {}f32{};", "A<".repeat(n), ">".repeat(n)));
    complains_of_depth(&format!("fn f() = {}f32{};", "g::<".repeat(n), ">".repeat(n)));
}

#[test]
fn unbalanced_depth_is_survived() {
    let n = 50_000;
    for text in
        ["(", ")", "[", "{", "}", "#[", "((]", "fn f() {", "fn f(", "x(", "/*", "\"", "'", ";", "if ", "::"]
    {
        survive_parsing(&text.repeat(n));
        survive_parsing(&format!("fn f() {{ {} }}", text.repeat(n)));
    }
    survive_parsing(&("(".repeat(n) + &"]".repeat(n)));
    survive_parsing(&("{".repeat(n) + &")".repeat(n)));
}

#[test]
fn large_inputs_take_time_in_proportion() {
    let program = include_str!("programs/tour.we3");
    survive_parsing(&program.repeat(100));
    survive_parsing(&"fn f() { let x = ; }\n".repeat(5_000));
    survive_parsing(&format!("fn f() {{ {} }}", "let x = 1; ".repeat(50_000)));
    survive_parsing(&format!("fn f() {{ {} }}", "let x = ; ".repeat(10_000)));
    survive_parsing(&format!("fn f() = [{}];", "1, ".repeat(100_000)));
    survive_parsing(&format!("fn f() = a{};", "::b".repeat(100_000)));
    survive_parsing(&format!("fn f() = a{};", "::<b>::c".repeat(50_000)));
}

#[test]
fn complaints_have_a_bound() {
    assert!(survive_parsing(&"fn f() { $ }\n".repeat(1_000)).len() <= 100);
}
