//! That fusion happened: how many nests, buffers and copies the optimised loop IR has.

use we3_ir::text::{parse_module, print_module};
use we3_passes::pipelines::OPTIMISE;
use we3_passes::{PassContext, RunOptions, TargetFacts, run_passes};

struct Counts {
    loops: usize,
    allocs: usize,
    copies: usize,
    checks: usize,
}

fn optimise(text: &str) -> (Counts, String) {
    let module =
        parse_module(&format!("array module\n{text}")).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let mut options = RunOptions { verify_each: true, ..RunOptions::default() };
    // Loops in lanes are written twice, for whole vectors and for what is left; here nests are counted.
    let facts = TargetFacts { vector_bytes: 0, ..TargetFacts::default() };
    let outcome = run_passes(module, OPTIMISE.passes, &PassContext::for_target(facts), &mut options);
    let text = print_module(
        &outcome.unwrap_or_else(|bug| panic!("{bug}\n{}", bug.before.as_deref().unwrap_or_default())).module,
    );
    let count = |word: &str| text.matches(word).count();
    let counts = Counts {
        loops: count("for."),
        allocs: count("alloc."),
        copies: count("copy "),
        checks: count("check."),
    };
    (counts, text)
}

#[test]
fn a_chain_of_maps_is_one_nest() {
    let (counts, text) = optimise(
        "
entry func @chain(%0: i64, %1: f32[%0], %2: f32[%0]) -> (i64, f32[#0]) {
  %3: f32[%0] = build %0 { b(%4: i64): %5: f32 = index %1, %4 %6: f32 = sqrt %5 yield %6 }
  %7: f32[%0] = build %0 { b(%8: i64): %9: f32 = index %3, %8 %10: f32 = index %2, %8 %11: f32 = div %9, %10 yield %11 }
  %12: f32[%0] = build %0 { b(%13: i64): %14: f32 = index %7, %13 %15: f32 = neg %14 yield %15 }
  return %0, %12
}",
    );
    assert_eq!((counts.loops, counts.allocs, counts.copies), (1, 0, 0), "{text}");
}

#[test]
fn a_transposition_is_never_stored() {
    let (counts, text) = optimise(
        "
entry func @gram(%0: i64, %1: i64, %2: f32[%0, %1]) -> (i64, f32[#0, #0]) {
  %3: f32[%1, %0] = build %1, %0 { b(%4: i64, %5: i64): %6: f32 = index %2, %5, %4 yield %6 }
  %7: f32[%0, %0] = build %0, %0 {
  b(%8: i64, %9: i64):
    %10: f32 = dot %1 { b(%11: i64): %12: f32 = index %2, %8, %11 %13: f32 = index %3, %11, %9 yield %12, %13 }
    yield %10
  }
  return %0, %7
}",
    );
    assert_eq!(counts.allocs, 0, "{text}");
}

#[test]
fn expensive_work_is_not_repeated() {
    // Read by every column.
    let (counts, text) = optimise(
        "
entry func @outer(%0: i64, %1: f32[%0]) -> (i64, f32[#0, #0]) {
  %3: f32[%0] = build %0 { b(%4: i64): %5: f32 = index %1, %4 %6: f32 = sqrt %5 yield %6 }
  %7: f32[%0, %0] = build %0, %0 { b(%8: i64, %9: i64): %10: f32 = index %3, %8 yield %10 }
  return %0, %7
}",
    );
    assert_eq!(counts.allocs, 1, "{text}");
}

#[test]
fn rows_become_one_nest() {
    let (counts, text) = optimise(
        "
entry func @rows(%0: i64, %1: i64, %2: f32[%0, %1]) -> (i64, i64, f32[#0, #1]) {
  %3: f32[%0, %1] = build %0 {
  b(%4: i64):
    %5: f32[%1] = build %1 { b(%6: i64): %7: f32 = index %2, %4, %6 %8: f32 = neg %7 yield %8 }
    yield %5
  }
  %9: f32[%0, %1] = build %0, %1 { b(%10: i64, %11: i64): %12: f32 = index %3, %10, %11 %13: f32 = sqrt %12 yield %13 }
  return %0, %1, %9
}",
    );
    assert_eq!((counts.loops, counts.allocs), (2, 0), "{text}");
}

#[test]
fn a_step_that_reads_only_its_own_cell_runs_in_place() {
    let (counts, text) = optimise(
        "
entry func @decay(%0: i64, %1: f32[%0], %2: f32) -> (i64, f32[#0]) {
  %3: f32[%0] = loop %0, %1 {
  b(%4: i64, %5: f32[%0]):
    %6: f32[%0] = build %0 { b(%7: i64): %8: f32 = index %5, %7 %9: f32 = mul %8, %2 yield %9 }
    yield %6
  }
  return %0, %3
}",
    );
    assert_eq!((counts.allocs, counts.copies), (1, 2), "the input once, the output once: {text}");
}

#[test]
fn a_row_that_is_scaled_needs_no_second_row() {
    let (counts, text) = optimise(
        "
entry func @norm(%0: i64, %1: i64, %2: f32[%0, %1]) -> (i64, i64, f32[#0, #1]) {
  %3: f32[%0, %1] = build %0 {
  b(%4: i64):
    %5: f32[%1] = build %1 { b(%6: i64): %7: f32 = index %2, %4, %6 %8: f32 = sqrt %7 yield %8 }
    %9: f32 = reduce.max %1 { b(%10: i64): %11: f32 = index %5, %10 yield %11 }
    %12: f32[%1] = build %1 { b(%13: i64): %14: f32 = index %5, %13 %15: f32 = div %14, %9 yield %15 }
    yield %12
  }
  return %0, %1, %3
}",
    );
    assert_eq!((counts.allocs, counts.copies), (0, 0), "{text}");
}

#[test]
fn proved_checks_do_not_keep_nests_apart() {
    let (counts, text) = optimise(
        "
entry func @checked(%0: i64, %1: i64, %2: f32[%0], %3: f32[%1]) -> (i64, f32[#0]) {
  %4: bool = eq %0, %1
  check.1 %4
  %5: f32[%0] = build %0 { b(%6: i64): %7: bool = lt %6, %1 check.2 %7, %6 %8: f32 = index %3, %6 %9: f32 = sqrt %8 yield %9 }
  %10: f32[%0] = build %0 { b(%11: i64): %12: f32 = index %5, %11 %13: f32 = index %2, %11 %14: f32 = add %12, %13 yield %14 }
  return %0, %10
}",
    );
    assert_eq!((counts.loops, counts.allocs, counts.checks), (1, 0, 1), "{text}");
}

#[test]
fn siblings_share_a_nest() {
    let (counts, text) = optimise(
        "
entry func @both(%0: i64, %1: f32[%0]) -> (i64, f32[#0], f32[#0]) {
  %2: f32[%0] = build %0 { b(%3: i64): %4: f32 = index %1, %3 %5: f32 = sqrt %4 yield %5 }
  %6: f32[%0] = build %0 { b(%7: i64): %8: f32 = index %1, %7 %9: f32 = neg %8 yield %9 }
  return %0, %2, %6
}",
    );
    assert_eq!((counts.loops, counts.allocs, counts.copies), (1, 0, 0), "{text}");
    assert_eq!(text.matches("load").count(), 1, "{text}");
}

#[test]
fn sizes_written_in_two_ways_are_one() {
    let (counts, text) = optimise(
        "
entry func @sizes(%0: i64, %1: i64, %2: f32[%0]) -> (i64, f32[#0]) {
  %3: i64 = mul_sat %0, %1
  %4: f32[%3] = build %3 { b(%5: i64): %6: f32 = convert.f32 %5 yield %6 }
  %7: i64 = mul_sat %1, %0
  %8: bool = eq %3, %7
  check.1 %8
  %9: f32[%7] = resize %4, %7
  %10: f32[%7] = build %7 { b(%11: i64): %12: f32 = index %9, %11 %13: f32 = neg %12 yield %13 }
  return %7, %10
}",
    );
    assert_eq!((counts.loops, counts.allocs, counts.checks), (1, 0, 0), "{text}");
}
