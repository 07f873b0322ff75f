//! Ten thousand broken sources: diagnostics only, no panic, in bounded time. The seed is fixed; `WE3_FUZZ`
//! gives another one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use we3_driver::failure::Failure;
use we3_driver::random::Random;
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_tests::clock::Clock;
use we3_tests::suite::{files, pool};

const PROGRAMS: u64 = 10_000;

/// For one source.
const LIMIT: Duration = Duration::from_secs(1);

/// Words that the language gives a meaning, and some that only look so.
const WORDS: &[&str] = &[
    "fn",
    "pub",
    "let",
    "mut",
    "for",
    "in",
    "if",
    "else",
    "while",
    "return",
    "break",
    "struct",
    "trait",
    "impl",
    "const",
    "type",
    "use",
    "test",
    "bench",
    "as",
    "by",
    "rev",
    "sum",
    "max",
    "dot",
    "reduce",
    "scan",
    "scatter",
    "build",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "::",
    ":",
    ";",
    ",",
    ".",
    "..",
    "=",
    "==",
    "->",
    "|",
    "||",
    "&&",
    "+",
    "-",
    "*",
    "/",
    "%",
    "@",
    "!",
    "?",
    "#",
    "#[",
    "1",
    "0",
    "1.0",
    "1e400",
    "0x",
    "18446744073709551616",
    "4611686018427387904",
    "zeros(4611686018427387904)",
    "i64[4611686018427387904]",
    "0x1.8p9999",
    "f::<N + 1>()",
    "x",
    "n",
    "T",
    "f64",
    "i64[n]",
    "T[n, m]",
    "\"",
    "//",
    "\u{0}",
    "é",
    "∞",
    "\n",
    "x[-1]",
    "**",
    "lambda",
];

fn seed() -> u64 {
    std::env::var("WE3_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(20_260_101)
}

fn corpus() -> Vec<String> {
    let folders = ["tests/suite", "tests/diagnostics", "examples", "stdlib/std"];
    let files = folders.iter().flat_map(|folder| files(folder));
    let texts = files.filter_map(|path| std::fs::read_to_string(path).ok());
    texts.filter(|text| text.len() < 20_000).collect()
}

/// A place between two characters.
fn place(text: &str, random: &mut Random) -> usize {
    let mut at = random.below(text.len() as u64 + 1) as usize;
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn mutate(corpus: &[String], random: &mut Random) -> String {
    let pick = |random: &mut Random| &corpus[random.below(corpus.len() as u64) as usize];
    let mut text = pick(random).clone();
    for _ in 0..=random.below(6) {
        let a = place(&text, random);
        let lo = place(&text, random);
        // Short pieces, so that most of a program stays as it was.
        let hi = (lo..=(lo + 1 + random.below(100) as usize).min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(lo);
        let word = WORDS[random.below(WORDS.len() as u64) as usize];
        match random.below(8) {
            0 => text.replace_range(lo..hi, ""),
            1 => text.insert_str(a, word),
            2 => text.truncate(a),
            3 => {
                let piece = text[lo..hi].to_owned();
                text.insert_str(a, &piece);
            }
            4 => {
                let other = pick(random);
                let from = place(other, random);
                let to = (from..=(from + 120).min(other.len())).rev().find(|at| other.is_char_boundary(*at));
                text.insert_str(a, &other[from..to.unwrap_or(from)]);
            }
            5 => text.insert_str(a, &word.repeat(random.below(300) as usize + 1)),
            6 => text.replace_range(lo..hi, word),
            _ => text = swap_words(&text, random),
        }
    }
    text
}

/// Exchanges two words, which keeps most programs well formed.
fn swap_words(text: &str, random: &mut Random) -> String {
    let mut words: Vec<&str> = text.split_inclusive(|letter: char| !letter.is_alphanumeric()).collect();
    if !words.is_empty() {
        let (a, b) = (random.below(words.len() as u64) as usize, random.below(words.len() as u64) as usize);
        words.swap(a, b);
    }
    words.concat()
}

/// What is wrong with how we treat a source, if anything is.
fn fault(text: &str) -> Option<String> {
    let clock = Clock::start();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let sources = Sources::from_text("fuzz.we3", text);
        let mut session = Session::open(&sources, SessionOptions { with_tests: true, warn_sizes: true });
        let rendered =
            session.render(session.diagnostics(), false) + &session.render_json(session.diagnostics());
        if session.has_errors() {
            return if rendered.is_empty() { Some(String::from("refused without a word")) } else { None };
        }
        match session.ir() {
            Err(Failure::Bug { what, .. }) => Some(what),
            Ok(_) | Err(_) => None,
        }
    }));
    match outcome {
        Err(panic) => {
            Some(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| String::from("a panic")))
        }
        Ok(Some(what)) => Some(what),
        Ok(None) if clock.elapsed() > LIMIT => Some(format!("took {:?}", clock.elapsed())),
        Ok(None) => None,
    }
}

#[test]
fn broken_sources_give_diagnostics_and_nothing_worse() {
    let corpus = corpus();
    assert!(corpus.len() > 10, "no sources to break");
    let numbers: Vec<u64> = (0..PROGRAMS).collect();
    let faults: Vec<String> = pool::map(&numbers, |number| {
        let mut random = Random::new(seed().wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let text = mutate(&corpus, &mut random);
        fault(&text).map(|what| format!("program {number}: {what}\n----\n{text}\n----"))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(
        faults.is_empty(),
        "{} of {PROGRAMS} programs\n{}",
        faults.len(),
        faults[..faults.len().min(5)].join("\n")
    );
}

#[test]
fn monsters_get_a_clear_error_within_a_second() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("pub fn f(x: i64) -> i64 = {}{inner}{};", open.repeat(depth), close.repeat(depth))
    };
    for (name, text) in [
        ("parentheses", nested("(", "x", ")", 100_000)),
        ("brackets", nested("[", "x", "]", 100_000)),
        ("blocks", nested("{", "x", "}", 100_000)),
        ("minuses", nested("-", "x", "", 100_000)),
        ("sums", nested("x + ", "x", "", 20_000)),
        ("ifs", nested("if true { ", "x", " } else { x }", 20_000)),
        ("calls", nested("abs(", "x", ")", 20_000)),
        ("a huge literal", format!("pub fn f() -> i64 = {};", "9".repeat(100_000))),
        ("a huge float", format!("pub fn f() -> f64 = 1.{}e-9;", "9".repeat(100_000))),
        (
            "an endless const",
            String::from(
                "fn g<const N: i64>(x: i64) -> i64 = g::<{ N - 1 }>(x);\npub fn f(x: i64) -> i64 = g::<9>(x);",
            ),
        ),
        ("an endless string", format!("pub fn f(x: i64) -> i64 {{ assert(true, \"{}", "a".repeat(200_000))),
        (
            "a const that grows",
            String::from(
                "fn g<const N: i64>(x: i64) -> i64 = g::<{ N * 2 }>(x) + g::<{ N + 1 }>(x);\npub fn f(x: i64) -> i64 = g::<9>(x);",
            ),
        ),
        (
            "a size of 2^62",
            String::from(
                "pub fn f() -> f64[4611686018427387904] = zeros(4611686018427387904);\n\
                 pub fn g(x: f64[4611686018427387904 * n]) -> i64 = n * 4611686018427387904;",
            ),
        ),
        (
            "a const array of 2^62",
            String::from(
                "const X: i64[4611686018427387904] = iota(4611686018427387904);\npub fn f() -> i64 = X[1];",
            ),
        ),
        (
            "a const loop without end",
            String::from(
                "fn g() -> i64 { let mut i = 0; while true { i += 1; } i }\nconst X: i64 = g();\npub fn f() -> i64 = X;",
            ),
        ),
        ("a const without end", String::from("const A: i64 = B;\nconst B: i64 = A;\npub fn f() -> i64 = A;")),
    ] {
        assert_eq!(fault(&text), None, "{name}");
    }
}
