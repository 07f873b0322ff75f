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

#[test]
fn the_deepest_nest_of_regions_runs() {
    let mut text = String::from("array module\nfunc @f(%0: i64) -> (i64) {\n");
    for depth in 0..MAX_NESTING {
        let (result, counter) = (2 * depth + 1, 2 * depth + 2);
        let _ = writeln!(text, "%{result}: i64 = reduce.sum %0 {{ b(%{counter}: i64):");
    }
    text.push_str("yield %0\n");
    for depth in (1..MAX_NESTING).rev() {
        let _ = writeln!(text, "}} yield %{}", 2 * depth + 1);
    }
    text.push_str("}\nreturn %1\n}\n");
    assert_eq!(run(text), Ok(vec![RunValue::Scalar(1)]));
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
