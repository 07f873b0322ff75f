//! Lowering keeps every bit: each array-level operation, at sizes around every block and run length,
//! runs as array IR and as loop IR (plain and optimised, parallel loops also backwards) and must
//! return the same.

use we3_backend_interp::{Limits, RunArray, RunValue, Stop, run_entry};
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_ir::{FuncId, Module, Scalar, Type};
use we3_passes::pipelines::{OPTIMISE, Pipeline, QUICK};
use we3_passes::{PassContext, RunOptions, TargetFacts, run_passes};

const SIZES: &[i64] =
    &[0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128, 511, 512, 513, 1000, 1024, 1025, 4095, 4096, 4097, 9000];
const SHORT: &[i64] = &[0, 1, 2, 3, 7, 33, 64, 65, 130, 600];

/// A small generator of bits (splitmix64).
struct Random(u64);

impl Random {
    fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Bits of a scalar: mostly ordinary numbers, `special` in a thousand are any bits at all.
    fn scalar(&mut self, ty: Scalar, special: u64, below: u64) -> u64 {
        let bits = self.next_bits();
        if ty == Scalar::I64 {
            return bits % below.max(1);
        }
        let mask = u64::MAX >> (64 - ty.bits());
        let small = (bits % 2001) as f64 / 64.0 - 15.0;
        let any = self.next_bits() % 1000 < special;
        let number = match ty {
            Scalar::F64 if !any => small.to_bits(),
            Scalar::F32 if !any => u64::from((small as f32).to_bits()),
            Scalar::Bf16 if !any => u64::from((small as f32).to_bits() >> 16),
            Scalar::F16 if !any => bits & 0xbfff,
            _ => bits,
        };
        number & mask
    }
}

fn array(random: &mut Random, elem: Scalar, sizes: Vec<i64>, special: u64, below: u64) -> RunValue {
    let count = sizes.iter().product::<i64>();
    let mut data = Vec::new();
    for _ in 0..count {
        let bits = random.scalar(elem, special, below);
        data.extend_from_slice(&bits.to_le_bytes()[..elem.bytes() as usize]);
    }
    RunValue::Array(RunArray { elem, sizes, data })
}

/// Arguments: `i64` parameters take the given sizes in order; `i64` arrays hold subscripts.
fn arguments(module: &Module, sizes: &[i64], special: u64) -> Vec<RunValue> {
    let func = &module.funcs[entry(module)];
    let mut random = Random(sizes.iter().sum::<i64>() as u64 + special);
    let mut left = sizes.iter();
    let mut args: Vec<RunValue> = Vec::new();
    for param in func.params() {
        args.push(match func.ty(*param) {
            Type::Scalar(Scalar::I64) => RunValue::Scalar(*left.next().expect("enough sizes") as u64),
            Type::Scalar(ty) => RunValue::Scalar(random.scalar(*ty, special, 0)),
            Type::Array(elem, axes) => {
                let axis = |size: &we3_ir::Value| {
                    let number = func.params().iter().position(|param| param == size).expect("a parameter");
                    match args[number] {
                        RunValue::Scalar(bits) => bits as i64,
                        RunValue::Array(_) => unreachable!(),
                    }
                };
                let axes: Vec<i64> = axes.iter().map(axis).collect();
                array(&mut random, *elem, axes, special, sizes[0] as u64)
            }
            other => panic!("a parameter of type {other:?}"),
        });
    }
    args
}

fn entry(module: &Module) -> FuncId {
    module.funcs.iter().find(|(_, func)| func.entry.is_some()).expect("an entry").0
}

/// Scalars, then the bytes of arrays; or that a check failed.
type Outcome = Option<(Vec<u64>, Vec<Vec<u8>>)>;

fn run(module: &Module, args: &[RunValue], backwards: bool) -> Outcome {
    let verified = verify(module).expect("verifies");
    let limits = Limits { backwards, bytes: 64 << 20, ..Limits::default() };
    let results = match run_entry(verified, entry(module), args.to_vec(), &limits) {
        Ok(results) => results,
        Err(Stop::Check { .. }) => return None,
        Err(stop) => panic!("{stop:?}\n{}", print_module(module)),
    };
    let mut scalars = Vec::new();
    let mut arrays = Vec::new();
    for result in results {
        match result {
            RunValue::Scalar(bits) => scalars.push(bits),
            RunValue::Array(array) => arrays.push(array.data),
        }
    }
    Some((scalars, arrays))
}

fn lowered(module: &Module, pipeline: Pipeline, facts: &TargetFacts) -> Module {
    let ctx = PassContext { facts: facts.clone() };
    let mut options = RunOptions { verify_each: true, ..RunOptions::default() };
    match run_passes(module.clone(), pipeline.passes, &ctx, &mut options) {
        Ok(outcome) => outcome.module,
        Err(bug) => panic!("{bug}\n{}", bug.before),
    }
}

/// The program returns the same before and after lowering, for each list of sizes.
fn check(text: &str, sizes: &[Vec<i64>]) {
    let module =
        parse_module(&format!("array module\n{text}")).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    if let Err(errors) = verify(&module) {
        panic!("{errors:?}\n{text}");
    }
    let narrow = TargetFacts::default();
    let variants = [
        lowered(&module, QUICK, &narrow),
        lowered(&module, OPTIMISE, &narrow),
        lowered(&module, OPTIMISE, &TargetFacts::wide()),
    ];
    for sizes in sizes {
        for special in [0, 20] {
            let args = arguments(&module, sizes, special);
            let expected = run(&module, &args, false);
            for variant in &variants {
                for backwards in [false, true] {
                    let found = run(variant, &args, backwards);
                    if found != expected {
                        report(text, variant, sizes, &expected, &found);
                    }
                }
            }
        }
    }
}

fn report(text: &str, variant: &Module, sizes: &[i64], expected: &Outcome, found: &Outcome) {
    let (Some(expected), Some(found)) = (expected, found) else {
        panic!("sizes {sizes:?}: a check fails in one and not the other\n{text}\n{}", print_module(variant));
    };
    assert_eq!(expected.0, found.0, "scalars at sizes {sizes:?} of\n{text}\n{}", print_module(variant));
    for (expected, found) in expected.1.iter().zip(&found.1) {
        let place = expected.iter().zip(found).position(|(a, b)| a != b);
        let lengths = (expected.len(), found.len());
        assert!(
            expected == found,
            "at sizes {sizes:?}, byte {place:?} of {lengths:?}\n{text}\n{}",
            print_module(variant)
        );
    }
    panic!("numbers of results differ");
}

fn one(sizes: &[i64]) -> Vec<Vec<i64>> {
    sizes.iter().map(|size| vec![*size]).collect()
}

fn pairs(sizes: &[i64]) -> Vec<Vec<i64>> {
    sizes.iter().flat_map(|size| [vec![3, *size], vec![*size, 2]]).collect()
}

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
    for n in [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 64, 100, 512, 513, 4096, 4097] {
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
