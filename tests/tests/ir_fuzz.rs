//! 10,000 mutated IR files: the parser, the verifier, the printer and the interpreter give errors, never
//! a panic, and what is accepted prints as it reads. The seed is fixed; `WE3_FUZZ=n` runs more.

use std::time::Duration;

use we3_backend_interp::{Limits, Stop, run_entry};
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_tests::clock::Clock;
use we3_tests::ir_mutation::{Random, arguments, mutate, originals, rounds};

/// For one text.
const LIMIT: Duration = Duration::from_secs(1);

/// How far a text came.
#[derive(Default)]
struct Stages {
    parsed: bool,
    verified: bool,
    /// Functions that gave a result.
    ran: usize,
}

fn tried(text: &str, random: &mut Random) -> Stages {
    let mut stages = Stages::default();
    let limits = Limits { steps: 20_000, bytes: 1 << 20, backwards: false };
    let Ok(module) = parse_module(text) else { return stages };
    stages.parsed = true;
    let printed = print_module(&module);
    let Ok(verified) = verify(&module) else { return stages };
    stages.verified = true;
    let again = parse_module(&printed).unwrap_or_else(|errors| panic!("{errors:?}\n{printed}"));
    assert_eq!(print_module(&again), printed);
    for func in module.funcs.keys() {
        let args = arguments(random, &module, func);
        let outcome = run_entry(verified, func, args, &limits);
        if let Err(Stop::Broken(message)) = &outcome {
            assert!(!message.contains("after its last use"), "{message}\n{printed}");
        }
        stages.ran += usize::from(outcome.is_ok());
    }
    stages
}

/// Texts that ask for too much.
fn monsters() -> Vec<(&'static str, String)> {
    let deep = |open: &str, close: &str, depth: usize| {
        format!(
            "array module\n\nentry func @f(%0: bool) -> () {{\n{}{}return\n}}\n",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    let body = |body: &str| format!("array module\n\nentry func @f(%0: i64) -> (i64) {{\n{body}}}\n");
    let chain: String = (1..20_000).map(|k| format!("  %{k}: i64 = add %{}, %{}\n", k - 1, k - 1)).collect();
    vec![
        ("deep regions", deep("if %0 {\n", "}\n", 100_000)),
        ("brackets without end", deep("{", "", 200_000)),
        ("a huge literal", body(&format!("  %1: i64 = const {}\n  return %1\n", "9".repeat(100_000)))),
        ("a huge float", body(&format!("  %1: f64 = const 1.{}\n  return %0\n", "9".repeat(100_000)))),
        ("a long chain", body(&format!("{chain}  return %19999\n"))),
        (
            "a build of 2^62",
            body(
                "  %1: i64 = const 4611686018427387904\n  %2: i64[%1] = build %1 {\n  b(%3: i64):\n    yield %3\n  }\n  return %0\n",
            ),
        ),
        (
            "a loop of 2^62",
            body(
                "  %1: i64 = const 4611686018427387904\n  %2: i64 = loop %1, %0 {\n  b(%3: i64, %4: i64):\n    yield %4\n  }\n  return %2\n",
            ),
        ),
        ("a name without end", format!("array module\n\nfunc @\"{}", "a".repeat(200_000))),
    ]
}

#[test]
fn texts_that_ask_for_too_much_end_within_a_second() {
    for (name, text) in monsters() {
        let clock = Clock::start();
        tried(&text, &mut Random(4));
        assert!(clock.elapsed() < LIMIT, "{name} took {:?}", clock.elapsed());
    }
}

#[test]
fn mutated_files_give_errors_only() {
    let (texts, rounds) = (originals(), rounds());
    let mut random = Random(2);
    let (mut parsed, mut verified_count, mut ran) = (0, 0, 0);
    for _ in 0..rounds {
        let original = &texts[random.below(texts.len())];
        let text = mutate(&mut random, original);
        let clock = Clock::start();
        let stages = tried(&text, &mut random);
        assert!(clock.elapsed() < LIMIT, "took {:?}\n{text}", clock.elapsed());
        parsed += usize::from(stages.parsed);
        verified_count += usize::from(stages.verified);
        ran += stages.ran;
    }
    // The mutations are mild enough that every stage sees many of them.
    assert!(
        parsed > rounds / 20 && verified_count > rounds / 50 && ran > rounds / 100,
        "{parsed} {verified_count} {ran}"
    );
}
