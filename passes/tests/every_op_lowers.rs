//! Every array-level operation lowers to loop IR that verifies, in the shapes that need care.

use we3_ir::text::{parse_module, print_module};
use we3_passes::pipelines::{OPTIMISE, QUICK};
use we3_passes::{PassContext, RunOptions, run_passes};

/// Lowers a module given without its first line.
fn lower(text: &str) -> String {
    let module = parse_module(&format!("array module\n{text}")).expect("the test parses");
    we3_ir::verify::verify(&module).expect("the test verifies");
    let mut options = RunOptions { verify_each: true, ..RunOptions::default() };
    let optimised = run_passes(module.clone(), OPTIMISE.passes, &PassContext::default(), &mut options);
    if let Err(bug) = optimised {
        panic!("{bug}\n{}", bug.before.as_deref().unwrap_or_default());
    }
    let outcome = run_passes(module, QUICK.passes, &PassContext::default(), &mut options);
    match outcome {
        Ok(outcome) => print_module(&outcome.module),
        Err(bug) => panic!("{bug}\n{}", bug.before.as_deref().unwrap_or_default()),
    }
}

fn count(text: &str, word: &str) -> usize {
    text.matches(word).count()
}

const SCALE: &str = "
entry func @scale(%0: i64, %1: f32[%0], %2: f32) -> (i64, f32[#0]) {
  %3: f32[%0] = build %0 {
  b(%4: i64):
    %5: f32 = index %1, %4
    %6: f32 = mul %5, %2
    yield %6
  }
  return %0, %3
}";

#[test]
fn a_returned_build_is_written_into_the_output() {
    let text = lower(SCALE);
    assert_eq!(count(&text, "output.f32"), 1, "{text}");
    assert_eq!(count(&text, "alloc") + count(&text, "copy"), 0, "{text}");
    assert_eq!(count(&text, "for.parallel"), 1, "{text}");
}

#[test]
fn calls_are_inlined_with_their_sizes() {
    let text = lower(
        "
func @twice(%0: i64, %1: f32[%0]) -> (f32[%0]) {
  %2: f32[%0] = build %0 {
  b(%3: i64):
    %4: f32 = index %1, %3
    %5: f32 = add %4, %4
    yield %5
  }
  return %2
}
entry func @four(%0: i64, %1: f32[%0]) -> (i64, f32[#0]) {
  %2: f32[%0] = call @twice %0, %1
  %3: f32[%0] = call @twice %0, %2
  return %0, %3
}",
    );
    assert_eq!(count(&text, "func"), 1, "{text}");
    assert_eq!(count(&text, "alloc"), 0, "the second map writes over the first: {text}");
}

#[test]
fn rows_are_built_in_place() {
    let text = lower(
        "
entry func @softmax(%0: i64, %1: i64, %2: f32[%0, %1]) -> (i64, i64, f32[#0, #1]) {
  %3: f32[%0, %1] = build %0 {
  b(%4: i64):
    %5: f32[%1] = build %1 {
    b(%6: i64):
      %7: f32 = index %2, %4, %6
      %8: f32 = neg %7
      yield %8
    }
    %9: f32 = reduce.sum %1 {
    b(%10: i64):
      %11: f32 = index %5, %10
      yield %11
    }
    %12: f32[%1] = build %1 {
    b(%13: i64):
      %14: f32 = index %5, %13
      %15: f32 = div %14, %9
      yield %15
    }
    yield %12
  }
  return %0, %1, %3
}",
    );
    assert_eq!(count(&text, "alloc"), 0, "{text}");
    assert_eq!(count(&text, "copy"), 0, "{text}");
}

#[test]
fn a_loop_updates_in_place() {
    let text = lower(
        "
entry func @fill(%0: i64) -> (i64, i64[#0]) {
  %1: i64[%0] = build %0 {
  b(%2: i64):
    yield %2
  }
  %3: i64[%0] = loop %0, %1 {
  b(%4: i64, %5: i64[%0]):
    %6: i64[%0] = update %5 {
      %7: i64 = index %5, %4
      %8: i64 = mul %7, %7
      yield %4, %8
    }
    yield %6
  }
  return %0, %3
}",
    );
    assert_eq!(count(&text, "copy"), 0, "in the output from the start: {text}");
    assert_eq!(count(&text, "alloc"), 0, "{text}");
}

#[test]
fn a_carried_array_that_is_replaced_is_freed() {
    let text = lower(
        "
entry func @steps(%0: i64, %1: f32[%0]) -> (i64, f32[#0]) {
  %3: f32[%0] = loop %0, %1 {
  b(%4: i64, %5: f32[%0]):
    %6: f32[%0] = build %0 {
    b(%7: i64):
      %10: i64 = rem %4, %0
      %8: f32 = index %5, %10
      %9: f32 = sqrt %8
      yield %9
    }
    yield %6
  }
  return %0, %3
}",
    );
    assert_eq!(count(&text, "copy"), 2, "the input once, the output once: {text}");
    assert_eq!(count(&text, "free"), 2, "{text}");
}

#[test]
fn branches_take_over_what_dies_in_them() {
    let text = lower(
        "
entry func @maybe(%0: i64, %1: bool) -> (i64, f32[#0]) {
  %2: f32[%0] = build %0 {
  b(%3: i64):
    %4: f32 = convert.f32 %3
    yield %4
  }
  %5: f32[%0] = if %1 {
    %6: i64 = const 0
    %7: f32 = const 1.0
    %8: f32[%0] = update %2 {
      yield %6, %7
    }
    yield %8
  } {
    yield %2
  }
  %9: i64 = const 0
  %10: f32 = index %5, %9
  %11: f32[%0] = build %0 {
  b(%12: i64):
    yield %10
  }
  return %0, %11
}",
    );
    assert_eq!(count(&text, "copy"), 0, "{text}");
    assert_eq!(count(&text, "free"), 1, "{text}");
}

#[test]
fn all_reductions_scans_scatters_and_loops_lower() {
    for kind in ["sum", "prod", "min", "max"] {
        for ty in ["f16", "f32", "f64", "i8", "u64"] {
            for masked in [false, true] {
                let (suffix, present) = if masked { (".masked", "%4, ") } else { ("", "") };
                lower(&format!(
                    "
entry func @r(%0: i64, %1: {ty}[%0]) -> ({ty}) {{
  %2: {ty} = reduce.{kind}{suffix} %0 {{
  b(%3: i64):
    %4: bool = const true
    %5: {ty} = index %1, %3
    yield {present}%5
  }}
  return %2
}}"
                ));
            }
        }
    }
    for order in ["lanes", "pairs", "free", "lanes.masked", "pairs.masked", "free.masked"] {
        let present = if order.contains("masked") { "%20, " } else { "" };
        lower(&format!(
            "
entry func @r(%0: i64, %1: f32[%0], %2: i64[%0]) -> (f32, i64) {{
  %3: f32 = const 0.0
  %4: i64 = const 7
  %5: f32, %6: i64 = reduce.{order} %0, %3, %4 {{
  b(%7: i64):
    %8: f32 = index %1, %7
    %9: i64 = index %2, %7
    %20: bool = gt %9, %7
    yield {present}%8, %9
  }} {{
  b(%10: f32, %11: i64, %12: f32, %13: i64):
    %14: f32 = add %10, %12
    %15: i64 = max %11, %13
    yield %14, %15
  }}
  return %5, %6
}}"
        ));
    }
    for kind in ["sum", "max", "lanes", "pairs", "free", "sum.masked", "pairs.masked"] {
        let present = if kind.contains("masked") { "%20, " } else { "" };
        let region = if kind.starts_with("sum") || kind == "max" {
            ""
        } else {
            "{ b(%10: f32, %11: f32): %12: f32 = add %10, %11 yield %12 }"
        };
        lower(&format!(
            "
entry func @s(%0: i64, %1: f32[%0], %2: i64[%0]) -> (i64, f32[#0]) {{
  %3: f32[%0] = scatter.1.{kind} %0, %1 {{
  b(%7: i64):
    %8: f32 = index %1, %7
    %9: i64 = index %2, %7
    %20: bool = gt %9, %7
    yield {present}%9, %8
  }} {region}
  return %0, %3
}}"
        ));
    }
    for scan in ["scan", "exscan"] {
        lower(&format!(
            "
entry func @s(%0: i64, %1: f32[%0], %2: f32) -> (i64, f32[#0] stride 2, f32[#0] stride 2) {{
  %3: f32[%0], %4: f32[%0] = {scan} %0, %2, %2 {{
  b(%7: i64):
    %8: f32 = index %1, %7
    yield %8, %8
  }} {{
  b(%10: f32, %11: f32, %12: f32, %13: f32):
    %14: f32 = add %10, %12
    %15: f32 = mul %11, %13
    yield %14, %15
  }}
  return %0, %3, %4
}}"
        ));
    }
}

#[test]
fn dots_of_every_rank_lower() {
    for ty in ["f32", "f64", "i32"] {
        lower(&format!(
            "
entry func @d(%0: i64, %1: i64, %2: {ty}[%0, %1] stride 3) -> ({ty}, {ty}) {{
  %3: {ty} = dot %0, %1 {{
  b(%4: i64, %5: i64):
    %6: {ty} = index %2, %4, %5
    yield %6, %6
  }}
  %10: i64 = const 0
  %7: {ty} = dot %1 {{
  b(%8: i64):
    %9: {ty} = index %2, %10, %8
    yield %9, %9
  }}
  return %3, %7
}}"
        ));
    }
    lower(
        "
entry func @d(%0: i64, %1: f32[%0]) -> (f32, f32) {
  %2: f32 = const 0.0
  %3: f32, %4: f32 = dot_by.1 %0, %2, %2 {
  b(%5: i64):
    %6: f32 = index %1, %5
    yield %6, %6
  } {
  b(%7: f32, %8: f32, %9: f32, %10: f32):
    %11: f32 = fma %7, %9, %10
    yield %11, %8
  } {
  b(%12: f32, %13: f32, %14: f32, %15: f32):
    %16: f32 = add %12, %14
    yield %16, %15
  }
  return %3, %4
}",
    );
}

#[test]
fn a_while_loop_carries_arrays_whose_sizes_change() {
    let text = lower(
        "
entry func @grow(%0: i64) -> (i64, i64[#0]) {
  %1: i64 = const 1
  %2: i64[%1] = build %1 {
  b(%3: i64):
    yield %3
  }
  %4: i64, %5: i64[%4] = while %1, %2 {
  b(%6: i64, %7: i64[%6]):
    %8: bool = lt %6, %0
    yield %8
  } {
  b(%9: i64, %10: i64[%9]):
    %11: i64 = add %9, %9
    %12: i64[%11] = build %11 {
    b(%13: i64):
      %14: i64 = rem %13, %9
      %15: i64 = index %10, %14
      yield %15
    }
    yield %11, %12
  }
  return %4, %5
}",
    );
    assert_eq!(count(&text, "free"), 2, "{text}");
}

#[test]
fn copies_that_are_needed_are_reported() {
    use we3_passes::lower::copies::{CopyReason, copies};
    let module = parse_module(
        "array module
entry func @f(%0: i64, %1: f32[%0]) -> (i64, f32[#0], f32[#0]) {
  %2: i64 = const 0
  %3: f32 = const 1.0
  %4: f32[%0] = update %1 { yield %2, %3 }
  %5: f32[%0] = update %4 { yield %2, %3 }
  %6: f32[%0] = update %5 { yield %2, %3 }
  return %0, %5, %6
}",
    )
    .expect("parses");
    let notes = copies(&module, &PassContext::default());
    let reasons: Vec<CopyReason> = notes.iter().map(|note| note.reason).collect();
    assert_eq!(reasons, [CopyReason::Borrowed, CopyReason::NeededLater]);
}
