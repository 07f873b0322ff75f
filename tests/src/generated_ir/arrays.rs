//! Reductions of every kind, dots, scans, scatters, updates and loops over arrays of one element type.
//! The combining regions are commutative where the order demands it but not associative, so that
//! every other order gives other bits.

use we3_ir::Scalar;

use super::Case;

/// Around lanes (64), runs of a dot (512), blocks (4096), and several blocks.
const SIZES: &[i64] = &[0, 1, 63, 64, 65, 513, 4097, 9000];

/// Every case for arrays of this type.
pub fn cases(ty: Scalar) -> Vec<Case> {
    let mut cases = Vec::new();
    let kinds: &[&str] = if ty == Scalar::Bool { &["any", "all"] } else { &["sum", "prod", "min", "max"] };
    for masked in [false, true] {
        cases.extend(kinds.iter().map(|kind| reduce(ty, kind, masked)));
        cases.extend(ORDERS.iter().map(|order| reduce_by(ty, order, masked)));
        cases.extend(kinds.iter().map(|kind| scatter(ty, kind, "", masked)));
        cases.extend(ORDERS.iter().map(|order| scatter(ty, order, &combine(ty, order), masked)));
        cases.push(update(ty, masked));
    }
    if !matches!(ty, Scalar::Bool | Scalar::F16 | Scalar::Bf16) {
        cases.push(dot(ty));
    }
    cases.push(dot_by(ty));
    cases.extend(["scan", "exscan"].map(|code| scan(ty, code)));
    cases.extend([update_one(ty), sequential_loop(ty), while_loop(ty), rows(ty)]);
    cases
}

const ORDERS: &[&str] = &["lanes", "pairs", "free"];

fn case(kind: &str, ty: Scalar, text: String) -> Case {
    let name = format!("{kind}_{ty}").replace('.', "_");
    let text = text.replace("@f(", &format!("@{name}(")).replace("TY", ty.name());
    Case { name, text, sizes: SIZES }
}

/// A region of two parameters `%40`, `%41`.
fn region(body: &str) -> String {
    format!("{{\n  b(%40: TY, %41: TY):\n{body}    yield %49\n  }}")
}

/// What combines in this order.
fn combine(ty: Scalar, order: &str) -> String {
    region(match (order, ty) {
        ("lanes", Scalar::Bool) => "    %42: TY = and %40, %41\n    %49: TY = not %42\n",
        ("lanes", ty) if ty.is_float() => {
            "    %42: TY = mul %40, %41\n    %43: TY = add %40, %41\n    %49: TY = sub %42, %43\n"
        }
        ("lanes", _) => {
            "    %42: TY = mul %40, %41\n    %43: TY = add %40, %41\n    %49: TY = xor %42, %43\n"
        }
        ("pairs", Scalar::Bool) => "    %42: TY = not %41\n    %49: TY = or %40, %42\n",
        ("pairs", _) => "    %42: TY = add %40, %40\n    %49: TY = sub %42, %41\n",
        (_, ty) if ty.is_float() => "    %49: TY = max %40, %41\n",
        (_, _) => "    %49: TY = xor %40, %41\n",
    })
}

/// `present` before the element, in masked operations.
fn mask(masked: bool) -> (&'static str, &'static str) {
    if masked { (".masked", "%30, ") } else { ("", "") }
}

fn reduce(ty: Scalar, kind: &str, masked: bool) -> Case {
    let (suffix, present) = mask(masked);
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0], %2: bool[%0]) -> (TY) {{
  %3: TY = reduce.{kind}{suffix} %0 {{
  b(%4: i64):
    %5: TY = index %1, %4
    %30: bool = index %2, %4
    yield {present}%5
  }}
  return %3
}}
"
    );
    case(&format!("reduce.{kind}{suffix}"), ty, text)
}

fn reduce_by(ty: Scalar, order: &str, masked: bool) -> Case {
    let (suffix, present) = mask(masked);
    let combine = combine(ty, order);
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0], %2: bool[%0], %3: TY) -> (TY) {{
  %4: TY = reduce.{order}{suffix} %0, %3 {{
  b(%5: i64):
    %6: TY = index %1, %5
    %30: bool = index %2, %5
    yield {present}%6
  }} {combine}
  return %4
}}
"
    );
    case(&format!("reduce.{order}{suffix}"), ty, text)
}

/// Two cells get thousands of updates each when built-in, 37 get many, and all others none.
fn scatter(ty: Scalar, kind: &str, combine: &str, masked: bool) -> Case {
    let (suffix, present) = mask(masked);
    let cells = if masked { 37 } else { 2 };
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0], %2: u32[%0], %3: TY[%0], %4: bool[%0]) -> (i64, TY[#0]) {{
  %5: i64 = const {cells}
  %6: TY[%0] = scatter.1.{kind}{suffix} %0, %1 {{
  b(%7: i64):
    %8: u32 = index %2, %7
    %9: i64 = convert.i64 %8
    %10: i64 = rem %9, %5
    %11: i64 = rem %10, %0
    %12: TY = index %3, %7
    %30: bool = index %4, %7
    yield {present}%11, %12
  }} {combine}
  return %0, %6
}}
"
    );
    case(&format!("scatter.{kind}{suffix}"), ty, text)
}

/// Elements move to places computed from data; the old array is read at other places, and again later.
fn update(ty: Scalar, masked: bool) -> Case {
    let (suffix, present) = mask(masked);
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0], %2: u32[%0], %3: bool[%0]) -> (i64, TY[#0], TY) {{
  %4: i64 = const 1
  %5: i64 = sub %0, %4
  %14: TY[%0] = build %0 {{
  b(%15: i64):
    %16: TY = index %1, %15
    yield %16
  }}
  %6: TY[%0] = update{suffix} %14, %0 {{
  b(%7: i64):
    %8: u32 = index %2, %7
    %9: i64 = convert.i64 %8
    %10: i64 = rem %9, %0
    %11: i64 = sub %5, %7
    %12: TY = index %14, %11
    %30: bool = index %3, %7
    yield {present}%10, %12
  }}
  %20: bool = gt %0, %4
  %21: TY = if %20 {{
    %22: TY = index %14, %4
    yield %22
  }} {{
    %24: bool = const false
    %23: TY = convert.TY %24
    yield %23
  }}
  return %0, %6, %21
}}
"
    );
    case(&format!("update{suffix}"), ty, text)
}

/// One element changes in a loop that reads its neighbour: no copy may be shared, none forgotten.
fn update_one(ty: Scalar) -> Case {
    let text = "entry func @f(%0: i64, %1: TY[%0], %2: u32[%0]) -> (i64, TY[#0]) {
  %3: TY[%0] = loop %0, %1 {
  b(%4: i64, %5: TY[%0]):
    %6: u32 = index %2, %4
    %7: i64 = convert.i64 %6
    %8: i64 = rem %7, %0
    %9: TY = index %5, %8
    %10: TY[%0] = update %5 {
      yield %4, %9
    }
    yield %10
  }
  return %0, %3
}
";
    case("update_one", ty, text.to_owned())
}

fn dot(ty: Scalar) -> Case {
    let text = "entry func @f(%0: i64, %1: TY[%0], %2: TY[%0]) -> (TY) {
  %3: TY = dot %0 {
  b(%4: i64):
    %5: TY = index %1, %4
    %6: TY = index %2, %4
    yield %5, %6
  }
  return %3
}
";
    case("dot", ty, text.to_owned())
}

fn dot_by(ty: Scalar) -> Case {
    let step = match ty {
        Scalar::Bool => "    %9: TY = and %7, %8\n    %10: TY = xor %9, %6\n",
        Scalar::F16 | Scalar::Bf16 => "    %9: TY = mul %7, %8\n    %10: TY = add %9, %6\n",
        _ => "    %10: TY = fma %7, %8, %6\n",
    };
    let combine = combine(ty, "pairs");
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0], %2: TY[%0], %3: TY) -> (TY) {{
  %20: TY = dot_by.1 %0, %3 {{
  b(%4: i64):
    %5: TY = index %1, %4
    %11: TY = index %2, %4
    yield %5, %11
  }} {{
  b(%6: TY, %7: TY, %8: TY):
{step}    yield %10
  }} {combine}
  return %20
}}
"
    );
    case("dot_by", ty, text)
}

fn scan(ty: Scalar, code: &str) -> Case {
    let combine = combine(ty, "pairs");
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0], %2: TY) -> (i64, TY[#0]) {{
  %3: TY[%0] = {code} %0, %2 {{
  b(%4: i64):
    %5: TY = index %1, %4
    yield %5
  }} {combine}
  return %0, %3
}}
"
    );
    case(code, ty, text)
}

fn sequential_loop(ty: Scalar) -> Case {
    let step = combine(ty, "pairs");
    let (_, body) = step.split_once("):\n").expect("a region");
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0], %2: TY) -> (TY, i64) {{
  %50: i64 = const 3
  %3: TY, %4: i64 = loop %0, %2, %50 {{
  b(%5: i64, %40: TY, %6: i64):
    %41: TY = index %1, %5
    %7: i64 = add %6, %5
{body}",
    )
    .replace("yield %49\n  }", "yield %49, %7\n  }\n  return %3, %4\n}\n");
    case("loop", ty, text)
}

fn while_loop(ty: Scalar) -> Case {
    let step = combine(ty, "pairs");
    let (_, body) = step.split_once("):\n").expect("a region");
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0], %2: TY) -> (i64, TY) {{
  %50: i64 = const 0
  %51: i64 = const 1
  %3: i64, %4: TY = while %50, %2 {{
  b(%5: i64, %6: TY):
    %7: bool = lt %5, %0
    yield %7
  }} {{
  b(%8: i64, %40: TY):
    %41: TY = index %1, %8
    %9: i64 = add %8, %51
{body}",
    )
    .replace("yield %49\n  }", "yield %9, %49\n  }\n  return %3, %4\n}\n");
    case("while", ty, text)
}

/// Three rows, each reduced, and the array of another shape that they make.
fn rows(ty: Scalar) -> Case {
    let kind = if ty == Scalar::Bool { "any" } else { "sum" };
    let text = format!(
        "entry func @f(%0: i64, %1: TY[%0]) -> (i64, TY[#0]) {{
  %2: i64 = const 3
  %3: TY[%2, %0] = build %2, %0 {{
  b(%4: i64, %5: i64):
    %6: i64 = add %4, %5
    %7: i64 = rem %6, %0
    %8: TY = index %1, %7
    yield %8
  }}
  %9: TY[%2] = build %2 {{
  b(%10: i64):
    %11: TY = reduce.{kind} %0 {{
    b(%12: i64):
      %13: TY = index %3, %10, %12
      yield %13
    }}
    yield %11
  }}
  return %2, %9
}}
"
    );
    case("rows", ty, text)
}
