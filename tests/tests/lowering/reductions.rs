//! Reductions, inner products and prefix results.

use crate::harness::*;

#[test]
fn builtin_reductions_keep_their_bits() {
    for ty in ["f16", "bf16", "f32", "f64", "i8", "u16", "i32", "u64"] {
        for kind in ["sum", "prod", "min", "max"] {
            check(
                &format!(
                    "
entry func @r(%0: i64, %1: {ty}[%0]) -> ({ty}) {{
  %2: {ty} = reduce.{kind} %0 {{
  b(%3: i64):
    %5: {ty} = index %1, %3
    yield %5
  }}
  return %2
}}"
                ),
                &one(SIZES),
            );
        }
    }
}

#[test]
fn masked_reductions_keep_their_bits() {
    for ty in ["f16", "f32", "f64", "i16"] {
        for kind in ["sum", "prod", "min", "max"] {
            check(
                &format!(
                    "
entry func @r(%0: i64, %1: {ty}[%0], %2: {ty}) -> ({ty}) {{
  %4: {ty} = reduce.{kind}.masked %0 {{
  b(%3: i64):
    %5: {ty} = index %1, %3
    %6: bool = lt %5, %2
    yield %6, %5
  }}
  return %4
}}"
                ),
                &one(SIZES),
            );
        }
    }
    for kind in ["any", "all"] {
        check(
            &format!(
                "
entry func @r(%0: i64, %1: f32[%0], %2: f32) -> (bool) {{
  %4: bool = reduce.{kind} %0 {{
  b(%3: i64):
    %5: f32 = index %1, %3
    %6: bool = lt %5, %2
    yield %6
  }}
  return %4
}}"
            ),
            &one(SIZES),
        );
    }
}

#[test]
fn reductions_of_constant_size_keep_their_bits() {
    for n in [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 64, 100, 512, 513, 1000, 4096, 4097] {
        for kind in ["sum", "prod", "lanes", "pairs"] {
            let (empty, region) = match kind {
                "sum" | "prod" => ("", ""),
                _ => (", %9", "{ b(%10: f32, %11: f32): %12: f32 = add %10, %11 yield %12 }"),
            };
            check(
                &format!(
                    "
entry func @r(%0: i64, %1: f32[%0]) -> (f32, f32) {{
  %2: i64 = const {n}
  %9: f32 = const 7.0
  %4: f32 = reduce.{kind} %2{empty} {{
  b(%3: i64):
    %5: f32 = index %1, %3
    yield %5
  }} {region}
  %20: f32 = dot %2 {{
  b(%21: i64):
    %22: f32 = index %1, %21
    yield %22, %22
  }}
  return %4, %20
}}"
                ),
                &one(&[4097]),
            );
        }
    }
}

#[test]
fn combining_reductions_keep_their_bits() {
    for order in ["lanes", "pairs", "free", "lanes.masked", "pairs.masked", "free.masked"] {
        let present = if order.contains("masked") { "%20, " } else { "" };
        // Floats in any order only with an operation that allows it.
        let op = if order.starts_with("free") { "max" } else { "add" };
        check(
            &format!(
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
    %14: f32 = {op} %10, %12
    %15: i64 = max %11, %13
    yield %14, %15
  }}
  return %5, %6
}}"
            ),
            &one(SIZES),
        );
    }
}

#[test]
fn sums_of_large_arrays_keep_their_bits() {
    let text = "
entry func @r(%0: i64) -> (f32) {
  %2: f32 = reduce.sum %0 {
  b(%3: i64):
    %4: f32 = convert.f32 %3
    %5: f32 = const 0.1
    %6: f32 = mul %4, %5
    yield %6
  }
  return %2
}";
    check(text, &one(&[4096 * 63 + 1, 4096 * 65]));
}

#[test]
fn dots_keep_their_bits() {
    for ty in ["f32", "f64", "i32"] {
        check(
            &format!(
                "
entry func @d(%0: i64, %1: {ty}[%0], %2: {ty}[%0]) -> ({ty}) {{
  %3: {ty} = dot %0 {{
  b(%4: i64):
    %5: {ty} = index %1, %4
    %6: {ty} = index %2, %4
    yield %5, %6
  }}
  return %3
}}"
            ),
            &one(SIZES),
        );
        check(
            &format!(
                "
entry func @d(%0: i64, %1: i64, %2: {ty}[%0, %1]) -> ({ty}) {{
  %3: {ty} = dot %0, %1 {{
  b(%4: i64, %5: i64):
    %6: {ty} = index %2, %4, %5
    yield %6, %6
  }}
  return %3
}}"
            ),
            &pairs(SIZES),
        );
    }
    check(
        "
entry func @d(%0: i64, %1: i64, %2: f32[%0, %1]) -> (f32, f64) {
  %20: f32 = const 0.5
  %21: f64 = const -0.0
  %3: f32, %4: f64 = dot_by.2 %0, %1, %20, %21 {
  b(%5: i64, %6: i64):
    %7: f32 = index %2, %5, %6
    yield %7
  } {
  b(%8: f32, %9: f64, %10: f32):
    %11: f32 = fma %10, %10, %8
    %12: f64 = convert.f64 %10
    %13: f64 = sub %9, %12
    yield %11, %13
  } {
  b(%14: f32, %15: f64, %16: f32, %17: f64):
    %18: f32 = sub %14, %16
    %19: f64 = add %15, %17
    yield %18, %19
  }
  return %3, %4
}",
        &pairs(SIZES),
    );
}

#[test]
fn matrix_products_keep_their_bits() {
    for ty in ["f32", "f64"] {
        let text = format!(
            "
entry func @m(%0: i64, %1: i64, %2: i64, %3: {ty}[%0, %1], %4: {ty}[%1, %2], %5: {ty}[%2]) -> (i64, i64, {ty}[#0, #1]) {{
  %6: {ty}[%0, %2] = build %0, %2 {{
  b(%7: i64, %8: i64):
    %9: {ty} = dot %1 {{
    b(%10: i64):
      %11: {ty} = index %3, %7, %10
      %12: {ty} = index %4, %10, %8
      yield %11, %12
    }}
    %13: {ty} = index %5, %8
    %14: {ty} = add %9, %13
    yield %14
  }}
  return %0, %2, %6
}}"
        );
        let mut sizes = Vec::new();
        for k in [0, 1, 5, 512, 513, 1100] {
            for (m, n) in [(0, 3), (1, 1), (3, 0), (5, 33), (17, 64), (2, 65), (3, 130)] {
                sizes.push(vec![m, k, n]);
            }
        }
        check(&text, &sizes);
    }
}

#[test]
fn scans_keep_their_bits() {
    for scan in ["scan", "exscan"] {
        check(
            &format!(
                "
entry func @s(%0: i64, %1: f32[%0], %2: f32, %20: u8) -> (i64, f32[#0] stride 2, u8[#0]) {{
  %3: f32[%0], %4: u8[%0] = {scan} %0, %2, %20 {{
  b(%7: i64):
    %8: f32 = index %1, %7
    %9: u8 = convert.u8 %7
    yield %8, %9
  }} {{
  b(%10: f32, %11: u8, %12: f32, %13: u8):
    %14: f32 = add %10, %12
    %15: u8 = sub %11, %13
    yield %14, %15
  }}
  return %0, %3, %4
}}"
            ),
            &one(&[SIZES, &[32768, 32769, 33 * 1024, 40000]].concat()),
        );
    }
}
