//! Reductions, inner products and scans against a direct transcription of `docs/semantics.md`, "Reductions
//! have one order", on sizes around every boundary. Combining operations are not associative, so that
//! any other tree gives other bits.

use we3_backend_interp::{Limits, RunArray, RunValue, run_entry};
use we3_ir::eval::{binary, convert, fma};
use we3_ir::text::parse_module;
use we3_ir::verify::verify;
use we3_ir::{BinaryOp, Scalar};

type Op<'a> = &'a dyn Fn(u64, u64) -> u64;

/// The rule for 64 lanes, literally; `None` is absent.
fn lanes_tree(mut x: Vec<Option<u64>>, identity: Option<u64>, op: Op<'_>) -> Option<u64> {
    let join = |left: Option<u64>, right: Option<u64>| match (left, right) {
        (Some(left), Some(right)) => Some(op(left, right)),
        (left, right) => left.or(right),
    };
    loop {
        let mut y = Vec::new();
        for block in x.chunks(4096) {
            let mut s = [identity; 64];
            for (i, element) in block.iter().enumerate() {
                s[i % 64] = join(s[i % 64], *element);
            }
            for w in [32, 16, 8, 4, 2, 1] {
                for l in 0..w {
                    s[l] = join(s[l], s[l + w]);
                }
            }
            y.push(s[0]);
        }
        if y.len() == 1 {
            return y[0];
        }
        x = y;
    }
}

/// Adjacent pairs, padded with absent ones to a power of two.
fn pairs_tree(mut x: Vec<Option<u64>>, op: Op<'_>) -> Option<u64> {
    x.resize(x.len().next_power_of_two(), None);
    while x.len() > 1 {
        x = x
            .chunks(2)
            .map(|pair| match (pair[0], pair[1]) {
                (Some(left), Some(right)) => Some(op(left, right)),
                (left, right) => left.or(right),
            })
            .collect();
    }
    x[0]
}

/// Runs of 512, from −0.0, added from the left.
fn dot_rule(ty: Scalar, a: &[u64], b: &[u64]) -> u64 {
    let start = if ty.is_float() { 1_u64 << (ty.bits() - 1) } else { 0 };
    let mut runs = Vec::new();
    for (a, b) in a.chunks(512).zip(b.chunks(512)) {
        runs.push(a.iter().zip(b).fold(start, |acc, (a, b)| fma(ty, *a, *b, acc)));
    }
    runs.into_iter().reduce(|left, right| binary(BinaryOp::Add, ty, left, right)).unwrap_or(0)
}

/// Rows of 32 by Kogge–Stone, with `EX` as the page defines it.
fn scan_rule(x: &[u64], op: Op<'_>) -> Vec<u64> {
    let kogge_stone = |row: &[u64]| {
        let mut k = row.to_vec();
        for d in [1, 2, 4, 8, 16] {
            k = (0..k.len()).map(|i| if i >= d { op(k[i - d], k[i]) } else { k[i] }).collect();
        }
        k
    };
    let rows: Vec<Vec<u64>> = x.chunks(32).map(kogge_stone).collect();
    let mut totals: Vec<u64> = rows.iter().map(|row| row[row.len() - 1]).collect();
    // K(level), flat.
    let mut levels = Vec::new();
    while totals.len() > 1 {
        let groups: Vec<Vec<u64>> = totals.chunks(32).map(kogge_stone).collect();
        levels.push(groups.concat());
        totals = groups.iter().map(|group| group[group.len() - 1]).collect();
    }
    fn ex(levels: &[Vec<u64>], level: usize, r: usize, op: Op<'_>) -> Option<u64> {
        if r == 0 {
            return None;
        }
        let above = ex(levels, level + 1, r / 32, op);
        if r.is_multiple_of(32) {
            return above;
        }
        let own = levels[level][r - 1];
        Some(above.map_or(own, |above| op(above, own)))
    }
    let mut out = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let before = ex(&levels, 0, number, op);
        out.extend(row.iter().map(|k| before.map_or(*k, |before| op(before, *k))));
    }
    out
}

fn sizes() -> Vec<usize> {
    (0..=200).chain([511, 512, 513, 1023, 1024, 1025, 1056, 2048, 4095, 4096, 4097, 9000, 32_769]).collect()
}

/// Numbers of mixed sizes and signs.
fn numbers(ty: Scalar, count: usize) -> Vec<u64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    (0..count)
        .map(|_| {
            let scale = f64::from(1_u32 << (next() % 12));
            let value = (next() as f64 / f64::from(1_u32 << 31) - 0.5) * scale;
            convert(Scalar::F64, ty, value.to_bits())
        })
        .collect()
}

fn array(ty: Scalar, values: &[u64]) -> RunValue {
    let width = ty.bytes() as usize;
    let data = values.iter().flat_map(|bits| bits.to_le_bytes()[..width].to_vec()).collect();
    RunValue::Array(RunArray { elem: ty, sizes: vec![values.len() as i64], data })
}

fn run(text: &str, args: Vec<RunValue>) -> Vec<RunValue> {
    let module = parse_module(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let verified = verify(&module).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let func = module.find("f").unwrap_or_else(|| panic!("no @f"));
    run_entry(verified, func, args, &Limits::default()).unwrap_or_else(|stop| panic!("{stop}"))
}

fn run_scalar(text: &str, args: Vec<RunValue>) -> u64 {
    match run(text, args)[..] {
        [RunValue::Scalar(bits)] => bits,
        ref other => panic!("{other:?}"),
    }
}

fn reduction(ty: Scalar, head: &str, args: &str, combine: &str) -> String {
    format!(
        "array module
func @f(%0: i64, %1: {ty}[%0], %2: bool[%0], %3: {ty}) -> ({ty}) {{
  %4: {ty} = {head} %0{args} {{
  b(%5: i64):
    %6: {ty} = index %1, %5
    %7: bool = index %2, %5
    yield {}%6
  }}{combine}
  return %4
}}
",
        if head.ends_with("masked") { "%7, " } else { "" }
    )
}

fn combine(ty: Scalar) -> String {
    format!(
        " {{
  b(%8: {ty}, %9: {ty}):
    %10: {ty} = add %8, %8
    %11: {ty} = sub %10, %9
    yield %11
  }}"
    )
}

/// 2a − b: neither associative nor commutative.
fn odd(ty: Scalar) -> impl Fn(u64, u64) -> u64 {
    move |a, b| binary(BinaryOp::Sub, ty, binary(BinaryOp::Add, ty, a, a), b)
}

fn check_reductions(ty: Scalar, count: usize) {
    let values = numbers(ty, count);
    let mask: Vec<u64> = (0..count as u64).map(|k| u64::from(k % 7 != 3 && k % 64 != 5)).collect();
    let fallback = numbers(ty, 1)[0];
    let args = || {
        vec![
            RunValue::Scalar(count as u64),
            array(ty, &values),
            array(Scalar::Bool, &mask),
            RunValue::Scalar(fallback),
        ]
    };
    let all: Vec<Option<u64>> = values.iter().map(|value| Some(*value)).collect();
    let some: Vec<Option<u64>> =
        values.iter().zip(&mask).map(|(value, present)| (*present == 1).then_some(*value)).collect();
    for (masked, elements) in [("", &all), (".masked", &some)] {
        let is_nothing = elements.iter().all(Option::is_none);
        for (name, op, identity, nothing) in
            [("sum", BinaryOp::Add, -0.0_f64, 0.0_f64), ("prod", BinaryOp::Mul, 1.0, 1.0)]
        {
            let narrow = matches!(ty, Scalar::F16 | Scalar::Bf16);
            let wide = if narrow { Scalar::F32 } else { ty };
            let expected = if is_nothing {
                convert(Scalar::F64, ty, nothing.to_bits())
            } else {
                let widened = elements.iter().map(|e| e.map(|e| convert(ty, wide, e))).collect();
                let identity = convert(Scalar::F64, wide, identity.to_bits());
                let total = lanes_tree(widened, Some(identity), &|a, b| binary(op, wide, a, b));
                convert(wide, ty, total.unwrap_or(0))
            };
            let found = run_scalar(&reduction(ty, &format!("reduce.{name}{masked}"), "", ""), args());
            assert_eq!(found, expected, "{name}{masked} of {count} {ty}");
        }
        for (name, expected) in [
            ("lanes", if is_nothing { None } else { lanes_tree(elements.clone(), None, &odd(ty)) }),
            ("pairs", if is_nothing { None } else { pairs_tree(elements.clone(), &odd(ty)) }),
        ] {
            let text = reduction(ty, &format!("reduce.{name}{masked}"), ", %3", &combine(ty));
            assert_eq!(
                run_scalar(&text, args()),
                expected.unwrap_or(fallback),
                "{name}{masked} of {count} {ty}"
            );
        }
    }
}

#[test]
fn reductions_follow_their_trees() {
    for count in sizes() {
        check_reductions(Scalar::F32, count);
    }
    for count in [0, 1, 63, 64, 65, 4097, 9000] {
        check_reductions(Scalar::F64, count);
        check_reductions(Scalar::F16, count);
        check_reductions(Scalar::Bf16, count);
    }
}

#[test]
fn a_sum_of_three_levels_follows_its_tree() {
    let count = 4096 * 4096 + 1;
    let values = numbers(Scalar::F32, count);
    let elements = values.iter().map(|value| Some(*value)).collect();
    let add = |a, b| binary(BinaryOp::Add, Scalar::F32, a, b);
    let expected = lanes_tree(elements, Some(0x8000_0000), &add);
    let text = reduction(Scalar::F32, "reduce.sum", "", "");
    let mask =
        RunValue::Array(RunArray { elem: Scalar::Bool, sizes: vec![count as i64], data: vec![1; count] });
    let args = vec![RunValue::Scalar(count as u64), array(Scalar::F32, &values), mask, RunValue::Scalar(0)];
    assert_eq!(Some(run_scalar(&text, args)), expected);
}

#[test]
fn inner_products_are_chains_in_runs() {
    for ty in [Scalar::F32, Scalar::F64] {
        let text = format!(
            "array module
func @f(%0: i64, %1: {ty}[%0], %2: {ty}[%0]) -> ({ty}) {{
  %3: {ty} = dot %0 {{
  b(%4: i64):
    %5: {ty} = index %1, %4
    %6: {ty} = index %2, %4
    yield %5, %6
  }}
  return %3
}}
"
        );
        for count in sizes() {
            let values = numbers(ty, 2 * count);
            let (a, b) = values.split_at(count);
            let args = vec![RunValue::Scalar(count as u64), array(ty, a), array(ty, b)];
            assert_eq!(run_scalar(&text, args), dot_rule(ty, a, b), "dot of {count} {ty}");
        }
    }
}

#[test]
fn dot_by_joins_its_runs_from_the_left() {
    // step: acc − e; join: 2p − q.
    let text = "array module
func @f(%0: i64, %1: f32[%0], %2: f32) -> (f32) {
  %3: f32 = dot_by.1 %0, %2 {
  b(%4: i64):
    %5: f32 = index %1, %4
    yield %5
  } {
  b(%6: f32, %7: f32):
    %8: f32 = sub %6, %7
    yield %8
  } {
  b(%9: f32, %10: f32):
    %11: f32 = add %9, %9
    %12: f32 = sub %11, %10
    yield %12
  }
  return %3
}
";
    let zero = 0x3f80_0000;
    for count in [0, 1, 511, 512, 513, 1024, 1025, 3000] {
        let values = numbers(Scalar::F32, count);
        let runs = values
            .chunks(512)
            .map(|run| run.iter().fold(zero, |acc, e| binary(BinaryOp::Sub, Scalar::F32, acc, *e)));
        let expected = runs.reduce(odd(Scalar::F32)).unwrap_or(zero);
        let args = vec![RunValue::Scalar(count as u64), array(Scalar::F32, &values), RunValue::Scalar(zero)];
        assert_eq!(run_scalar(text, args), expected, "dot_by of {count}");
    }
}

#[test]
fn scans_are_kogge_stone_in_rows() {
    let ty = Scalar::F32;
    let text = |name: &str| {
        format!(
            "array module
func @f(%0: i64, %1: f32[%0], %2: f32) -> (f32[%0]) {{
  %3: f32[%0] = {name} %0, %2 {{
  b(%4: i64):
    %5: f32 = index %1, %4
    yield %5
  }}{}
  return %3
}}
",
            combine(ty)
        )
    };
    for count in sizes() {
        let values = numbers(ty, count);
        let init = 0x4000_0000;
        let op = odd(ty);
        let prefixes = scan_rule(&values, &op);
        let inclusive: Vec<u64> = prefixes.iter().map(|prefix| op(init, *prefix)).collect();
        let mut exclusive = inclusive.clone();
        exclusive.rotate_right(usize::from(count > 0));
        if let Some(first) = exclusive.first_mut() {
            *first = init;
        }
        for (name, expected) in [("scan", inclusive), ("exscan", exclusive)] {
            let args = vec![RunValue::Scalar(count as u64), array(ty, &values), RunValue::Scalar(init)];
            assert_eq!(run(&text(name), args), vec![array(ty, &expected)], "{name} of {count}");
        }
    }
}

#[test]
fn a_cell_of_a_scatter_takes_the_tree_of_its_updates() {
    let ty = Scalar::F32;
    for count in [0, 1, 2, 63, 64, 65, 200, 5000] {
        for (name, is_sum) in [("sum", true), ("lanes", false), ("pairs", false)] {
            let values = numbers(ty, count);
            let text = format!(
                "array module
func @f(%0: i64, %1: f32[%0], %2: i64, %3: f32[%2]) -> (f32[%2]) {{
  %4: f32[%2] = scatter.1.{name} %0, %3 {{
  b(%5: i64):
    %6: f32 = index %1, %5
    %7: i64 = rem %5, %2
    yield %7, %6
  }}{}
  return %4
}}
",
                if is_sum { String::new() } else { combine(ty) }
            );
            let cells = numbers(ty, 3);
            let op = odd(ty);
            let add = |a, b| binary(BinaryOp::Add, ty, a, b);
            let expected: Vec<u64> = (0..3)
                .map(|cell| {
                    let updates: Vec<Option<u64>> =
                        values.iter().skip(cell).step_by(3).map(|v| Some(*v)).collect();
                    if updates.is_empty() {
                        return cells[cell];
                    }
                    match name {
                        "sum" => add(cells[cell], lanes_tree(updates, Some(0x8000_0000), &add).unwrap_or(0)),
                        "lanes" => op(cells[cell], lanes_tree(updates, None, &op).unwrap_or(0)),
                        _ => op(cells[cell], pairs_tree(updates, &op).unwrap_or(0)),
                    }
                })
                .collect();
            let args = vec![
                RunValue::Scalar(count as u64),
                array(ty, &values),
                RunValue::Scalar(3),
                array(ty, &cells),
            ];
            assert_eq!(run(&text, args), vec![array(ty, &expected)], "scatter {name} of {count}");
        }
    }
}
