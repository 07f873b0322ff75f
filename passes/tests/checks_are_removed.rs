//! Which checks the range analysis removes, and which it must keep.

use we3_ir::text::{parse_module, print_module};
use we3_passes::scalar::deduplicate::DEDUPLICATE;
use we3_passes::scalar::remove_checks::REMOVE_CHECKS;
use we3_passes::{PassContext, RunOptions, run_passes};

/// How many checks are left of a function with parameters `%0`, `%1`: sizes; `%2`: `f32[%0]`,
/// `%3`: any `i64`; `%4`: `i64[%1]`.
fn left(body: &str) -> usize {
    let text = format!(
        "array module\nentry func @f(%0: i64, %1: i64, %2: f32[%0], %3: i64, %4: i64[%1]) -> () {{
  %5: i64 = const 0
  %6: i64 = const 1
  %7: i64 = const 2
{body}
  return
}}"
    );
    let module = parse_module(&text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let mut options = RunOptions { verify_each: true, ..RunOptions::default() };
    let passes = [DEDUPLICATE, REMOVE_CHECKS];
    let outcome = run_passes(module, &passes, &PassContext::default(), &mut options);
    let module =
        outcome.unwrap_or_else(|bug| panic!("{bug}\n{}", bug.before.as_deref().unwrap_or_default())).module;
    print_module(&module).matches("check.").count()
}

/// A check that `0 ≤ %SUBSCRIPT < %SIZE`, with value numbers from 90 on.
fn inside(subscript: &str, size: &str) -> String {
    format!(
        "%90: bool = ge {subscript}, %5 %91: bool = lt {subscript}, {size} %92: bool = and %90, %91 check.1 %92"
    )
}

/// A build over `size` with subscript `%10` around this.
fn for_each(size: &str, body: &str) -> String {
    format!("%80: i64[{size}] = build {size} {{ b(%10: i64): {body} yield %10 }}")
}

#[test]
fn a_subscript_inside_its_own_axis_needs_no_check() {
    assert_eq!(left(&for_each("%0", &inside("%10", "%0"))), 0);
}

#[test]
fn another_axis_needs_one() {
    assert_eq!(left(&for_each("%1", &inside("%10", "%0"))), 1);
}

#[test]
fn equal_sizes_that_were_checked_count() {
    let body = format!("%11: bool = eq %0, %1 check.0 %11 {}", for_each("%1", &inside("%10", "%0")));
    assert_eq!(left(&body), 1, "only the equality itself");
}

#[test]
fn shifted_subscripts_in_a_shorter_range() {
    let size = "%11: i64 = sub_sat %0, %7";
    for (shift, kept) in [("%6", 0), ("%7", 0), ("%5", 0), ("%3", 1)] {
        let body = format!("%12: i64 = add %10, {shift} {}", inside("%12", "%0"));
        assert_eq!(left(&format!("{size} {}", for_each("%11", &body))), kept, "shift {shift}");
    }
    let before = format!("%12: i64 = sub %10, %6 {}", inside("%12", "%0"));
    assert_eq!(left(&format!("{size} {}", for_each("%11", &before))), 1);
}

#[test]
fn flattened_subscripts() {
    let body = format!(
        "%11: i64 = mul_sat %0, %1
  %12: i64[%0, %1] = build %0, %1 {{ b(%13: i64, %14: i64):
    %15: i64 = mul %13, %1 %16: i64 = add %15, %14 {}
    yield %16 }}",
        inside("%16", "%11")
    );
    assert_eq!(left(&body), 0);
}

#[test]
fn quotients_and_rests() {
    let double = "%11: i64 = mul_sat %0, %7";
    let half = format!("%12: i64 = div %10, %7 {}", inside("%12", "%0"));
    assert_eq!(left(&format!("{double} {}", for_each("%11", &half))), 0);
    let rest = format!("%12: i64 = rem %10, %0 {}", inside("%12", "%0"));
    assert_eq!(left(&for_each("%0", &rest)), 0);
    let rest = format!("%12: i64 = rem %10, %1 {}", inside("%12", "%0"));
    assert_eq!(left(&for_each("%0", &rest)), 0, "at most the subscript itself");
    let rest = format!("%12: i64 = rem %3, %0 {}", inside("%12", "%0"));
    assert_eq!(left(&for_each("%0", &rest)), 1, "a rest may be negative");
}

#[test]
fn branches_count_inside_only() {
    let inner = inside("%3", "%0");
    let both = "%11: bool = ge %3, %5 %12: bool = lt %3, %0 %13: bool = and %11, %12";
    assert_eq!(left(&format!("{both} if %13 {{ {inner} yield }} {{ yield }}")), 0);
    assert_eq!(left(&format!("{both} if %13 {{ yield }} {{ {inner} yield }}")), 1);
}

#[test]
fn clamped_subscripts() {
    let body = "%11: i64 = max %3, %5 %12: i64 = sub %0, %6 %13: i64 = min %11, %12";
    let check =
        format!("%14: bool = gt %0, %5 if %14 {{ {body} {} yield }} {{ yield }}", inside("%13", "%0"));
    assert_eq!(left(&check), 0);
}

#[test]
fn arithmetic_on_data_may_wrap() {
    // x ≥ 0 does not make x + x or x * x ≥ 0.
    for op in ["add", "mul"] {
        let body =
            format!("%11: bool = ge %3, %5 check.0 %11 %12: i64 = {op} %3, %3 {}", inside("%12", "%0"));
        assert_eq!(left(&body), 2, "{op}");
    }
    // A product of sizes that nobody checked may wrap, too.
    let body = "%12: i64 = mul %0, %1 %13: bool = ge %12, %5 check.0 %13";
    assert_eq!(left(body), 1);
}

#[test]
fn a_counter_in_a_while_loop() {
    let body = format!(
        "%11: i64 = while %5 {{ b(%12: i64): %13: bool = lt %12, %0 yield %13 }}
         {{ b(%14: i64): {} %15: i64 = add %14, %6 yield %15 }}",
        inside("%14", "%0")
    );
    assert_eq!(left(&body), 0);
}

#[test]
fn a_factor_of_a_product_has_no_worst_extreme() {
    // For %3 = 1 and %0 = 2 it is false, though at the least %3 there is it holds.
    let body =
        "%11: bool = le %6, %0 check.0 %11 %12: i64 = mul_sat %0, %3 %13: bool = le %12, %3 check.1 %13";
    assert_eq!(left(body), 2);
}

#[test]
fn a_proof_whose_numbers_overflow_is_none() {
    // 2 %3 and 2 %12 %13 are equal for %3 = 4, %12 = %13 = 2.
    let body = "%11: i64 = mul_sat %3, %7 %12: i64 = index %4, %5 %13: i64 = index %4, %6
        %14: bool = lt %12, %11 check.0 %14 %15: bool = le %5, %13 check.1 %15
        %16: i64 = mul_sat %13, %12 %17: i64 = mul_sat %16, %7 %18: bool = ne %11, %17 check.2 %18";
    assert_eq!(left(body), 3);
}
