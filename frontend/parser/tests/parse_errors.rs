//! What is said about programs that do not parse. One snapshot each: source, then complaints.
//! Every case is also held to this: a suggested fix, once applied, takes its complaint away.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::FileId;
use we3_parser::parse_module;
use we3_parser::print::print_ast;

mod render;

fn check(name: &str, source: &str) {
    let (module, diagnostics) = parse_module(FileId(0), source);
    assert!(!diagnostics.is_empty(), "nothing was said about {name}");
    for diagnostic in &diagnostics {
        for fix in &diagnostic.fixes {
            let fixed = render::apply(source, fix);
            let (_, after) = parse_module(FileId(0), &fixed);
            let count = |list: &[Diagnostic]| list.iter().filter(|d| d.code == diagnostic.code).count();
            assert!(
                count(&after) < count(&diagnostics),
                "{name}: the fix {:?} leaves its complaint:\n{fixed}\n{}",
                fix.message,
                render::render(&fixed, &after),
            );
        }
    }
    let whole = if print_ast(&module).contains("<error") { "has error nodes" } else { "is whole" };
    let shown = format!("{source}\n---- the tree {whole}\n{}", render::render(source, &diagnostics));
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "parse_errors" }, {
        insta::assert_snapshot!(name, shown);
    });
}

macro_rules! cases {
    ($($name:ident: $source:expr;)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name), $source);
        })*
    };
}

cases! {
    // What newcomers type.
    power: "fn f(x: f32) -> f32 = x ** 2 + a.b[i](3) ** n;";
    colon_slice: "fn f(x: f32[n]) -> f32[m] = g(x[2:4], x[:, 0], x[::2], x[1:9:3], x[a::2]);";
    increment: "fn f() {\n    let mut i = 0;\n    i++;\n    i--;\n}";
    colon_equals: "fn f() {\n    let x := 3;\n    y := 4;\n}";
    def: "def f(x: f32) -> f32 = x;\nfunc g() = 1;";
    import: "import std::math;\nfn f() = 1;";
    and_or_not: "fn f(a: bool, b: bool) -> bool = a and b or not a;";
    elif: "fn f(a: i64) -> i64 {\n    if a > 1 { 1 } elif a > 0 { 2 } else { 3 }\n}";
    lambda: "fn f(x: f32[n]) -> f32[n] = map(lambda a, b: a + b, x, x);";
    arrow_lambda: "fn f(x: f32[n]) -> f32[n] = map(a -> a + 1, map(b => b, x));";
    single_quotes: "fn f(x: bool) { assert(x, 'must hold'); }";
    hash_comment: "# a comment\nfn f() = 1; # another";
    block_comment: "/* a\n comment */ fn f() = 1;";
    float_without_digits: "fn f() -> f32 = 1. + .5 + 2.e3;";
    var: "fn f() {\n    var x = 3;\n    auto y = 4;\n}";
    type_first: "fn f(float x, f64 y) {\n    int z = 3;\n}";
    equals_in_condition: "fn f(x: i64) {\n    if x = 3 { }\n    while x = 4 { }\n}";
    triple_equals: "fn f(x: i64) -> bool = x === 3 && x !== 4;";
    angle_not_equal: "fn f(x: i64) -> bool = x <> 3;";
    references: "fn f(x: &f32, y: &mut f32[n]) -> f32 = g(&x, *y) + &x;";
    inclusive_range: "fn f(n: i64) -> i64 = sum(i for i in 0..=n);";
    result_colon: "fn f(x: f32): f32 { x }";
    result_without_arrow: "fn f(x: f32) f32 { x }";
    fat_arrow_body: "fn f(x: f32) -> f32 => x;";
    ternary: "fn f(c: bool) -> i64 = c ? 1 : 2;";
    python_conditional: "fn f(c: bool) -> i64 = 1 if c else 2;";
    python_block: "fn f(x: i64) {\n    if x > 1:\n        x\n}";
    match_expression: "fn f(x: i64) -> i64 {\n    match x { 1 => 2, _ => 3 }\n}";
    loop_expression: "fn f(x: i64) -> i64 {\n    loop { break; }\n}";
    enums: "enum Shape { Circle, Square }\nfn f() = 1;";
    where_clause: "fn f<T>(x: T) -> T where T: Float { x }";
    macros: "fn f() {\n    assert!(true);\n    println!(\"hello\");\n}";
    nested_function: "fn f() -> i64 {\n    fn g() -> i64 { 1 }\n    g()\n}";
    lookalikes: "fn f(a: f32, b: f32) → f32 = a × b − a ≤ b;";
    not_ascii: "fn größe(α: f32) -> f32 = α;";
    tilde: "fn f(a: i64) -> i64 = ~a;";

    // Statements and semicolons.
    missing_semicolons: "fn f(n: i64) -> i64 {\n    let x = n\n    let y = x + 1\n    g(y)\n    y\n}";
    missing_semicolon_after_item: "fn f() = 1\nfn g() = 2\nconst N: i64 = 3";
    discarded_result: "fn f(x: f32) -> f32 {\n    x + 1.0;\n}";
    lone_semicolons: "struct S { a: f32 };\nfn f() { ; let x = 1;; }";
    let_without_value: "fn f() {\n    let x: f32;\n    let y;\n}";
    not_a_place: "fn f() {\n    g(x) = 3;\n    1 += 2;\n    (a, b + c) = (1, 2);\n}";
    misplaced_attribute: "fn f() {\n    #[fast] x = 3;\n    y\n}";
    else_after_semicolon: "fn f(a: bool) {\n    if a { g(); }; else { h(); }\n}";
    record_in_condition: "fn f(s: S) {\n    if s == S { a: 1, b: 2 } { g(); }\n}";
    several_errors: "fn f() {\n    let x = ;\n    let y = 3 +;\n    g(1 2);\n    let z = 4;\n}\nfn g( -> 3;\nfn h() = );";

    // Delimiters.
    unclosed_paren: "fn f() {\n    let x = g(1, 2;\n    let y = 3;\n}\nfn h() = 1;";
    unclosed_brace: "fn f() {\n    if a {\n        g();\n}\n\nfn h() = 1;";
    unmatched_brace: "fn f() {\n    g();\n}}\nfn h() = 1;";
    mismatched: "fn f() = g([1, 2);";
    end_of_file: "fn f() -> f32 = x +";

    // Types, generics, items.
    array_of_arrays: "fn f(x: f32[n][m]) = 1;";
    empty_brackets: "fn f(x: f32[], y: Mod<>) = x[];";
    chained_comparison: "fn f(a: i64, b: i64) -> bool = 0 <= a < b;";
    generic_call: "fn f() = g<f32>(3) + h<2>(1, 2);";
    public_field: "struct S { pub a: f32, pub b: f32 }";
    semicolon_fields: "struct S { a: f32; b: f32; }";
    missing_comma: "struct S {\n    a: f32\n    b: f32\n}";
    public_test: "pub test \"t\" { }\npub impl S { }";
    missing_types: "fn f(x, y: f32) -> f32 = x;\nconst N = 3;";
    misplaced_self: "trait A {\n    fn ok(self, by: f32) -> f32;\n    fn bad(by: f32, self) -> f32;\n}\nfn f(self) -> f32 = 1.0;";
    missing_bodies: "fn f(x: f32) -> f32;\nconst N: i64;";
    nested_items: "fn f() -> i64 {\n    const N: i64 = 3;\n    struct S { a: f32 }\n    N\n}";
    keyword_as_name: "fn f(in: f32) -> f32 {\n    let type = 3;\n    type\n}";
    strings: "fn f() { let s = \"text\"; g(\"a\"); }";
    unclosed_string: "fn f(x: bool) { assert(x, \"must hold); }";
    unknown_escape: "fn f(x: bool) { assert(x, \"a\\qb\"); }";
    numbers: "fn f() = 1foo + 0b12 + 0x + 1.5u8 + 2.0f + 3usize + 0x1.8;";
    huge_integer: "fn f() = 999999999999999999999999999999999999999999;";
    unused_docs: "fn f() {\n    /// about x\n    let x = 1;\n}\n//! late\nfn g(x: f32) -> f32 = h(\n    /// odd\n    x: y);";
    misplaced_range: "fn f() = g(0..3) + [0..4];";
    rev_of_array: "fn f(x: f32[n]) = sum(v for v in rev(x));";
    repeated_value: "fn f() = [0.0; 8];";
    junk_between_items: "fn f() = 1;\nx = 3;\nfn g() = 2;";
    glob_use: "use std::math::*;\nfn f() = 1;";
    tuple_field: "fn f(x: (f32, f32)) -> f32 = x.0u8;";
    unknown_token_in_expression: "fn f() = 1 + $ 2;";
}
