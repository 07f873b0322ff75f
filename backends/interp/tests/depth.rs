//! Deep programs: what the verifier lets through runs on a small stack or stops in an orderly way.

use std::fmt::Write;

use we3_backend_interp::{Limits, RunValue, Stop, run_entry};
use we3_ir::text::{MAX_NESTING, parse_module};
use we3_ir::verify::verify;

/// The stack of a thread that a program starts without asking for more.
const STACK: usize = 2 << 20;

fn run(text: String) -> Result<Vec<RunValue>, Stop> {
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let module = parse_module(&text).unwrap_or_else(|errors| panic!("{errors:?}"));
        let verified = verify(&module).unwrap_or_else(|errors| panic!("{errors:?}"));
        let func = module.find("f").unwrap_or_else(|| panic!("no @f"));
        run_entry(verified, func, vec![RunValue::Scalar(1)], &Limits::default())
    });
    match worker.map(std::thread::JoinHandle::join) {
        Ok(Ok(outcome)) => outcome,
        other => panic!("{other:?}"),
    }
}

/// A function of the deepest nest of reductions there may be, around one operation.
fn nest(name: &str, innermost: &str) -> String {
    let mut text = format!("func @{name}(%0: i64) -> (i64) {{\n");
    for depth in 0..MAX_NESTING {
        let (result, counter) = (2 * depth + 1, 2 * depth + 2);
        let _ = writeln!(text, "%{result}: i64 = reduce.pairs %0, %0 {{ b(%{counter}: i64):");
    }
    let _ = writeln!(text, "%9999: i64 = {innermost} %0\nyield %9999");
    for depth in (0..MAX_NESTING).rev() {
        let (a, b) = (10_000 + 2 * depth, 10_001 + 2 * depth);
        let result = if depth == 0 { "return" } else { "yield" };
        let _ = writeln!(text, "}} {{ b(%{a}: i64, %{b}: i64): yield %{a} }} {result} %{}", 2 * depth + 1);
    }
    text + "}\n"
}

#[test]
fn the_deepest_nest_of_regions_runs() {
    assert_eq!(run(format!("array module\n{}", nest("f", "abs"))), Ok(vec![RunValue::Scalar(1)]));
}

#[test]
fn deep_nests_that_call_each_other_run() {
    let (first, second, third) = (nest("f", "call @g"), nest("g", "call @h"), nest("h", "abs"));
    assert_eq!(run(format!("array module\n{first}{second}{third}")), Ok(vec![RunValue::Scalar(1)]));
}

fn chain(length: usize) -> String {
    let mut text =
        String::from("array module\nfunc @f(%0: i64) -> (i64) {\n%1: i64 = call @g0 %0\nreturn %1\n}\n");
    for number in 0..length {
        let next = number + 1;
        let _ =
            writeln!(text, "func @g{number}(%0: i64) -> (i64) {{\n%1: i64 = call @g{next} %0\nreturn %1\n}}");
    }
    let _ = writeln!(text, "func @g{length}(%0: i64) -> (i64) {{\nreturn %0\n}}");
    text
}

#[test]
fn long_chains_of_calls_run_and_longer_ones_stop() {
    assert_eq!(run(chain(900)), Ok(vec![RunValue::Scalar(1)]));
    assert_eq!(run(chain(20_000)), Err(Stop::OutOfMemory));
}
