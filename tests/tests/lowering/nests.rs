//! Nests: arrays inside arrays, and what fusion makes one loop of.

use crate::harness::*;

#[test]
fn rows_of_rows_keep_their_bits() {
    check(
        "
entry func @softish(%0: i64, %1: i64, %2: f32[%0, %1]) -> (i64, i64, f32[#0, #1] stride 3, f32[#1, #0]) {
  %3: f32[%0, %1] = build %0 {
  b(%4: i64):
    %5: f32[%1] = build %1 {
    b(%6: i64):
      %7: f32 = index %2, %4, %6
      %8: f32 = abs %7
      yield %8
    }
    %9: f32 = reduce.sum %1 {
    b(%10: i64):
      %11: f32 = index %5, %10
      yield %11
    }
    %30: f32 = const 0.0
    %31: bool = gt %9, %30
    %12: f32[%1] = if %31 {
      %32: f32[%1] = build %1 {
      b(%13: i64):
        %14: f32 = index %5, %13
        %15: f32 = div %14, %9
        yield %15
      }
      yield %32
    } {
      yield %5
    }
    yield %12
  }
  %20: f32[%1, %0] = build %1, %0 {
  b(%21: i64, %22: i64):
    %23: f32 = index %3, %22, %21
    yield %23
  }
  return %0, %1, %3, %20
}",
        &pairs(SHORT),
    );
}

#[test]
fn fused_programs_keep_their_bits() {
    // A chain with a stencil, a transposition, a broadcast, a reduction and an update.
    check(
        "
entry func @f(%0: i64, %1: i64, %2: f32[%0, %1], %3: f32[%1]) -> (i64, i64, f32[#1, #0], f32, f32[#0], f32[#1]) {
  %4: f32[%0, %1] = build %0, %1 {
  b(%5: i64, %6: i64):
    %7: f32 = index %2, %5, %6
    %8: f32 = index %3, %6
    %9: f32 = mul %7, %8
    yield %9
  }
  %10: f32[%1, %0] = build %1, %0 {
  b(%11: i64, %12: i64):
    %13: f32 = index %4, %12, %11
    yield %13
  }
  %14: f32[%1, %0] = build %1, %0 {
  b(%15: i64, %16: i64):
    %17: f32 = index %10, %15, %16
    %18: f32 = sqrt %17
    yield %18
  }
  %19: f32 = reduce.sum %1 {
  b(%20: i64):
    %21: f32 = reduce.sum %0 {
    b(%22: i64):
      %23: f32 = index %14, %20, %22
      yield %23
    }
    yield %21
  }
  %24: f32[%0] = build %0 {
  b(%25: i64):
    %26: f32[%1] = build %1 {
    b(%27: i64):
      %28: f32 = index %4, %25, %27
      yield %28
    }
    %29: f32 = reduce.max %1 {
    b(%30: i64):
      %31: f32 = index %26, %30
      yield %31
    }
    yield %29
  }
  %32: f32[%1] = update %3, %1 {
  b(%33: i64):
    %34: i64 = const 1
    %35: i64 = sub %1, %34
    %36: i64 = sub %35, %33
    %37: f32 = index %3, %36
    %38: f32 = add %37, %37
    yield %33, %38
  }
  return %0, %1, %14, %19, %24, %32
}",
        &pairs(SHORT),
    );
    // What is read after its source is updated.
    check(
        "
entry func @g(%0: i64, %1: f32[%0]) -> (i64, f32[#0]) {
  %20: f32[%0] = loop %0, %1 {
  b(%21: i64, %22: f32[%0]):
    %2: f32[%0] = build %0 {
    b(%3: i64):
      %4: f32 = index %22, %3
      %5: f32 = abs %4
      yield %5
    }
    %6: f32[%0] = update %22 {
      %7: f32 = index %22, %21
      %8: f32 = neg %7
      yield %21, %8
    }
    %9: f32[%0] = build %0 {
    b(%10: i64):
      %11: f32 = index %2, %10
      %12: f32 = index %6, %10
      %13: f32 = sub %11, %12
      yield %13
    }
    yield %9
  }
  return %0, %20
}",
        &one(&[0, 1, 2, 3, 7, 33, 130]),
    );
}

#[test]
fn long_rows_keep_their_bits() {
    // Rows of many blocks, summed inside a parallel nest; with gaps; by an operation of two values.
    for (kind, result, region) in [
        ("reduce.sum %1", "%30: f32", ""),
        ("reduce.sum.masked %1", "%30: f32", ""),
        ("reduce.lanes %1, %20", "%30: f32", "{ b(%21: f32, %22: f32): %23: f32 = sub %21, %22 yield %23 }"),
        (
            "reduce.lanes.masked %1, %20",
            "%30: f32",
            "{ b(%21: f32, %22: f32): %23: f32 = sub %21, %22 yield %23 }",
        ),
    ] {
        let present = if kind.contains("masked") { "%9, " } else { "" };
        check(
            &format!(
                "
entry func @r(%0: i64, %1: i64) -> (i64, f32[#0]) {{
  %20: f32 = const 5.0
  %2: f32[%0] = build %0 {{
  b(%3: i64):
    {result} = {kind} {{
    b(%4: i64):
      %5: i64 = add %4, %3
      %6: f32 = convert.f32 %5
      %7: f32 = const 0.1
      %8: f32 = mul %6, %7
      %10: i64 = const 5000
      %9: bool = gt %5, %10
      yield {present}%8
    }} {region}
    yield %30
  }}
  return %0, %2
}}"
            ),
            &[
                vec![3, 4096],
                vec![2, 4097],
                vec![2, 64 * 4096],
                vec![1, 65 * 4096 + 7],
                vec![2, 130 * 4096 + 100],
            ],
        );
    }
}

#[test]
fn rows_of_three_levels_keep_their_bits() {
    check(
        "
entry func @r(%0: i64, %1: i64) -> (i64, f32[#0]) {
  %2: f32[%0] = build %0 {
  b(%3: i64):
    %4: f32 = reduce.sum %1 { b(%5: i64): %6: f32 = convert.f32 %5 yield %6 }
    yield %4
  }
  return %0, %2
}",
        &[vec![1, 4096 * 4096 + 4097]],
    );
}

#[test]
fn tiles_of_dots_keep_their_bits() {
    // Rows times rows (strided), several axes in the sum, a matrix times a vector, pairs of values.
    check(
        "
entry func @t(%0: i64, %1: i64, %2: i64, %3: f32[%0, %1], %4: f32[%2, %1]) -> (i64, i64, f32[#0, #1], f32[#0], f32[#1, #0], i64[#0]) {
  %5: f32[%0, %2] = build %0, %2 {
  b(%6: i64, %7: i64):
    %8: f32 = dot %1 { b(%9: i64): %10: f32 = index %3, %6, %9 %11: f32 = index %4, %7, %9 yield %10, %11 }
    yield %8
  }
  %12: f32[%0] = build %0 {
  b(%13: i64):
    %15: f32 = dot %2, %1 {
    b(%16: i64, %17: i64):
      %18: f32 = index %3, %13, %17
      %19: f32 = index %4, %16, %17
      yield %18, %19
    }
    yield %15
  }
  %20: f32[%2, %0], %40: f32[%2, %0] = build %2, %0 {
  b(%21: i64, %22: i64):
    %41: i64 = const 0
    %23: f32 = const 1.5
    %42: f32 = convert.f32 %22
    %24: f32, %25: f32 = dot_by.2 %2, %1, %23, %23 {
    b(%26: i64, %27: i64):
      %28: f32 = index %4, %26, %27
      %29: f32 = index %3, %22, %27
      %43: f32 = add %29, %42
      yield %28, %43
    } {
    b(%30: f32, %31: f32, %32: f32, %33: f32):
      %34: f32 = fma %32, %33, %30
      %35: f32 = sub %31, %32
      yield %34, %35
    } {
    b(%36: f32, %37: f32, %38: f32, %39: f32):
      %44: f32 = add %36, %38
      %45: f32 = add %37, %39
      yield %44, %45
    }
    %46: f32 = index %4, %21, %41
    %47: f32 = add %46, %24
    yield %47, %25
  }
  %50: i64[%0] = build %0 {
  b(%51: i64):
    %52: i64 = dot %0 { b(%53: i64): %54: i64 = mul %53, %51 yield %54, %53 }
    yield %52
  }
  return %0, %2, %5, %12, %20, %50
}",
        &[vec![0, 3, 2], vec![1, 1, 1], vec![17, 5, 18], vec![3, 600, 65], vec![33, 40, 130], vec![5, 513, 3]],
    );
}
