//! Edges that seeded bugs found uncovered: nothing to reduce, the order of operands, memory reused in place.

use crate::harness::*;

#[test]
fn reductions_at_their_edges_keep_their_bits() {
    // Nothing at all, or nothing present: the identity, which for integers is the least or greatest number.
    for ty in ["i8", "u16", "i64", "f32"] {
        for kind in ["min", "max", "sum", "prod"] {
            for absent in ["const false", "ne %7, %7"] {
                check(
                    &format!(
                        "
entry func @r(%0: i64, %1: {ty}[%0]) -> ({ty}, {ty}) {{
  %2: {ty} = reduce.{kind} %0 {{ b(%3: i64): %4: {ty} = index %1, %3 yield %4 }}
  %5: {ty} = reduce.{kind}.masked %0 {{
  b(%7: i64):
    %6: bool = {absent}
    %8: {ty} = index %1, %7
    yield %6, %8
  }}
  return %2, %5
}}"
                    ),
                    &one(&[0, 1, 2, 70]),
                );
            }
        }
    }
    // One NaN with a payload, or zeros that are all negative.
    check(
        "
entry func @r(%0: i64, %1: i64) -> (f32, f32, f32) {
  %2: i64 = const 1
  %3: f32 = const bits(0x7fc12345)
  %4: f32 = const -0.0
  %5: f32 = const 1.0
  %6: f32 = reduce.sum %2 { b(%7: i64): yield %3 }
  %8: f32 = dot %0, %1 { b(%9: i64, %10: i64): yield %4, %5 }
  %11: f32 = reduce.sum %1 { b(%12: i64): yield %4 }
  return %6, %8, %11
}",
        &pairs(SHORT),
    );
    // Operands in the right order.
    for order in ["lanes", "pairs"] {
        check(
            &format!(
                "
entry func @r(%0: i64, %1: i64[%0]) -> (i64, i64[#0], i64) {{
  %2: i64 = const 7
  %3: i64 = reduce.{order} %0, %2 {{
  b(%4: i64):
    %5: i64 = index %1, %4
    yield %5
  }} {{
  b(%6: i64, %7: i64):
    %8: i64 = const 3
    %9: i64 = mul %6, %8
    %10: i64 = add %9, %7
    yield %10
  }}
  %11: i64[%0] = scatter.1.{order} %0, %1 {{
  b(%12: i64):
    %13: i64 = index %1, %12
    yield %13, %12
  }} {{
  b(%14: i64, %15: i64):
    %16: i64 = const 3
    %17: i64 = mul %14, %16
    %18: i64 = add %17, %15
    yield %18
  }}
  return %0, %11, %3
}}"
            ),
            &one(SHORT),
        );
    }
}

/// What is returned goes straight into its output; only what is read again can take over memory.
#[test]
fn memory_that_is_taken_over_keeps_its_bits() {
    let program = |reuse: &str| {
        format!(
            "
entry func @m(%0: i64, %1: i64[%0]) -> (i64, i64[#0]) {{
  %2: i64[%0] = build %0 {{ b(%3: i64): %4: i64 = index %1, %3 %5: i64 = add %4, %3 yield %5 }}
  %6: i64 = const 1
  %7: i64 = sub %0, %6
  %8: i64 = const 3
{reuse}
  %90: i64[%0] = exscan %0, %8 {{
  b(%91: i64):
    %92: i64 = index %9, %91
    yield %92
  }} {{
  b(%93: i64, %94: i64):
    %95: i64 = add %93, %94
    yield %95
  }}
  return %0, %90
}}"
        )
    };
    let reuses = [
        // An update from the other end, and one that writes each cell three times.
        "  %9: i64[%0] = update %2, %0 {
  b(%10: i64):
    %11: i64 = sub %7, %10
    %12: i64 = index %2, %11
    yield %10, %12
  }",
        "  %9: i64[%0] = update %2, %0, %8 {
  b(%10: i64, %13: i64):
    %11: i64 = index %2, %10
    %12: i64 = add %11, %13
    yield %10, %12
  }",
        // A scatter that reads the cells it writes.
        "  %9: i64[%0] = scatter.1.max %0, %2 {
  b(%10: i64):
    %11: i64 = index %1, %10
    %12: i64 = index %2, %11
    %13: i64 = add %12, %12
    yield %11, %13
  }",
        // A loop whose body reads the array that it started from.
        "  %14: i64, %9: i64[%0] = while %8, %2 {
  b(%10: i64, %11: i64[%0]):
    %12: i64 = const 0
    %13: bool = gt %10, %12
    yield %13
  } {
  b(%15: i64, %16: i64[%0]):
    %17: i64 = sub %15, %6
    %18: i64[%0] = build %0 {
    b(%19: i64):
      %20: i64 = index %2, %19
      %21: i64 = index %16, %19
      %22: i64 = add %20, %21
      yield %22
    }
    yield %17, %18
  }",
    ];
    for reuse in reuses {
        check(&program(reuse), &one(SHORT));
    }
}
