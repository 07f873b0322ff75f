//! Scatters, updates, carried and growing arrays, checks.

use crate::harness::*;

#[test]
fn scatters_keep_their_bits() {
    for ty in ["f16", "f32", "f64", "i32"] {
        for kind in
            ["sum", "prod", "min", "max", "lanes", "pairs", "sum.masked", "pairs.masked", "max.masked"]
        {
            let present = if kind.contains("masked") { "%20, " } else { "" };
            let region = if kind.starts_with("lanes") || kind.starts_with("pairs") {
                format!("{{ b(%10: {ty}, %11: {ty}): %12: {ty} = add %10, %11 yield %12 }}")
            } else {
                String::new()
            };
            check(
                &format!(
                    "
entry func @s(%0: i64, %1: {ty}[%0], %2: i64[%0], %22: {ty}[%0]) -> (i64, {ty}[#0]) {{
  %25: i64 = const 5
  %3: {ty}[%0] = scatter.1.{kind} %0, %1 {{
  b(%7: i64):
    %8: {ty} = index %22, %7
    %9: i64 = index %2, %7
    %26: i64 = div %9, %25
    %20: bool = gt %9, %7
    yield {present}%26, %8
  }} {region}
  return %0, %3
}}"
                ),
                &one(SHORT),
            );
        }
    }
    // In place although the updates read the destination, with many updates to one cell.
    check(
        "
entry func @s(%0: i64, %2: i64[%0], %22: f32[%0]) -> (i64, f32[#0], i64[#0]) {
  %1: f32[%0] = build %0 { b(%23: i64): %24: f32 = index %22, %23 %25: f32 = neg %24 yield %25 }
  %40: i64[%0] = build %0 { b(%41: i64): yield %41 }
  %3: f32[%0] = scatter.1.sum %0, %1 {
  b(%7: i64):
    %8: f32 = index %1, %7
    %9: i64 = const 0
    yield %9, %8
  }
  %43: i64[%0] = scatter.1.max %0, %40 {
  b(%44: i64):
    %45: i64 = index %2, %44
    %46: i64 = index %40, %45
    %47: i64 = add %46, %46
    yield %45, %47
  }
  return %0, %3, %43
}",
        &one(&[1, 2, 65, 5000]),
    );
}

#[test]
fn updates_keep_their_bits() {
    // Reads other cells of the old array; later writes win.
    for (read, write) in [("%5", "%5"), ("%7", "%5"), ("%5", "%7"), ("%6", "%5"), ("%5", "%6")] {
        for masked in ["", ".masked"] {
            let present = if masked.is_empty() { "" } else { "%12, " };
            check(
                &format!(
                    "
entry func @u(%0: i64, %1: i64[%0]) -> (i64, i64[#0]) {{
  %2: i64[%0] = build %0 {{ b(%3: i64): %4: i64 = index %1, %3 yield %4 }}
  %20: i64 = const 1
  %21: i64 = sub %0, %20
  %22: i64 = const 3
  %9: i64[%0] = update{masked} %2, %0 {{
  b(%5: i64):
    %6: i64 = sub %21, %5
    %7: i64 = div %5, %22
    %10: i64 = index %2, {read}
    %11: i64 = add %10, %10
    %12: bool = gt %10, %5
    yield {present}{write}, %11
  }}
  return %0, %9
}}"
                ),
                &one(SHORT),
            );
        }
    }
    // A row of a matrix from another row, in a loop.
    check(
        "
entry func @u(%0: i64, %1: i64, %2: f32[%0, %1]) -> (i64, i64, f32[#0, #1]) {
  %3: f32[%0, %1] = loop %0, %2 {
  b(%4: i64, %5: f32[%0, %1]):
    %6: i64 = const 1
    %7: i64 = add %4, %6
    %8: bool = lt %7, %0
    %9: f32[%0, %1] = if %8 {
      %10: f32[%0, %1] = update %5, %1 {
      b(%11: i64):
        %12: f32 = index %5, %4, %11
        %13: f32 = index %5, %7, %11
        %14: f32 = sub %13, %12
        yield %7, %11, %14
      }
      yield %10
    } {
      yield %5
    }
    yield %9
  }
  return %0, %1, %3
}",
        &pairs(SHORT),
    );
}

#[test]
fn carried_arrays_keep_their_bits() {
    // Swapped, duplicated, replaced, read after the loop, returned twice.
    check(
        "
entry func @c(%0: i64, %1: f32[%0]) -> (i64, f32[#0], f32[#0], f32[#0], f32) {
  %2: f32[%0] = build %0 { b(%3: i64): %4: f32 = index %1, %3 %5: f32 = neg %4 yield %5 }
  %6: i64 = const 3
  %7: f32[%0], %8: f32[%0], %9: f32[%0] = loop %6, %2, %1, %2 {
  b(%10: i64, %11: f32[%0], %12: f32[%0], %13: f32[%0]):
    %14: f32[%0] = build %0 { b(%15: i64): %16: f32 = index %11, %15 %17: f32 = index %2, %15 %18: f32 = add %16, %17 yield %18 }
    yield %12, %14, %14
  }
  %19: f32 = reduce.sum %0 { b(%20: i64): %21: f32 = index %2, %20 yield %21 }
  %22: i64, %23: f32[%0] = while %6, %9 {
  b(%24: i64, %25: f32[%0]):
    %26: i64 = const 0
    %27: bool = gt %24, %26
    yield %27
  } {
  b(%28: i64, %29: f32[%0]):
    %30: i64 = const 1
    %31: i64 = sub %28, %30
    yield %31, %8
  }
  return %0, %7, %7, %23, %19
}",
        &one(SHORT),
    );
}

#[test]
fn reshaped_and_strided_arrays_keep_their_bits() {
    check(
        "
entry func @r(%0: i64, %1: i64, %2: f32[%0, %1] stride 2, %3: f32[%0, %1] stride 2) -> (i64, f32[#0] stride 2, f32[#0] stride 2) {
  %4: i64 = mul %0, %1
  %5: f32[%4] = reshape %2, %4
  %6: f32[%4] = build %4 {
  b(%7: i64):
    %8: i64 = div %7, %1
    %9: i64 = rem %7, %1
    %10: f32 = index %3, %8, %9
    %11: f32 = index %5, %7
    %12: f32 = sub %10, %11
    yield %12
  }
  return %4, %5, %6
}",
        &pairs(SHORT),
    );
}

#[test]
fn arrays_that_grow_keep_their_bits() {
    check(
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
      %16: i64 = add %15, %13
      yield %16
    }
    yield %11, %12
  }
  return %4, %5
}",
        &one(SHORT),
    );
}

#[test]
fn checks_keep_failing() {
    check(
        "
entry func @c(%0: i64, %1: i64[%0]) -> (i64) {
  %2: i64 = const 60
  %3: i64[%0] = build %0 {
  b(%4: i64):
    %5: i64 = index %1, %4
    %6: bool = lt %5, %2
    check.3 %6
    yield %5
  }
  return %0
}",
        &one(SHORT),
    );
}
