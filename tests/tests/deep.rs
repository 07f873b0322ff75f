//! Deep programs on a stack of 2 MB, as a thread of a program that uses the library has: parsed, checked,
//! emitted, formatted and dropped without an overflow, up to the nesting that docs/language.md states and past it.

use std::thread;

use we3_frontend::check::{CheckOptions, check};
use we3_frontend::emit::emit;
use we3_frontend::render::render_text;
use we3_parser::format_module;
use we3_tests::pages::Program;

const STACK: usize = 2 << 20;

/// Programs that nest `n` deep, in every way there is.
fn nested(n: usize) -> Vec<(&'static str, String)> {
    let around =
        |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
    let float = |body: String| format!("pub fn f(x: f64) -> f64 = {body};");
    let array = |body: String| format!("pub fn f(x: f64[n]) -> f64[n] = {body};");
    let block = |body: String| format!("pub fn f(x: f64) -> f64 {{ let mut y = x; {body} y }}");
    let chain = |first: &str, next: &str| format!("{first}{}", next.repeat(n));
    vec![
        ("brackets", float(around("(", "x", ")"))),
        ("minus", float(around("-", "x", ""))),
        ("a sum", float(chain("x", " + x"))),
        ("a sum from the right", float(around("x - (", "x", ")"))),
        ("calls", "fn g<T: Float>(x: T) -> T = x;\n".to_owned() + &float(around("g(", "x", ")"))),
        ("a math function", array(around("exp(", "x", ")"))),
        ("lambdas", {
            let lambdas: String = (0..n).map(|k| format!("g(|x{k}| ")).collect();
            format!(
                "fn g(h: fn(f64) -> f64, x: f64) -> f64 = h(x);\npub fn f(x: f64) -> f64 = {lambdas}x{};",
                ", x)".repeat(n)
            )
        }),
        ("lambdas of lambdas", {
            let lets: String = (0..n).map(|k| format!("let g{} = |y| -(-(-g{k}(y)));\n", k + 1)).collect();
            format!("pub fn f(x: f64) -> f64 {{ let g0 = |y| y;\n{lets} g{n}(x) }}")
        }),
        ("if", float(around("if x > 0.0 { ", "x", " } else { x }"))),
        ("else if", float(around("if x > 0.0 { x } else ", "{ x }", ""))),
        ("blocks", float(around("{ let y = ", "x", "; y }"))),
        ("reductions", float(around("sum(", "x", " for _ in 0..2)"))),
        ("array forms", float(around("[", "x", " for _ in 0..1][0]"))),
        ("subscripts", format!("pub fn f(x: i64[n]) -> i64 = {};", around("x[", "0", "]"))),
        ("slices", array(chain("x", "[0..n]"))),
        ("tuples", float(around("(", "x", ",).0"))),
        ("records", format!("struct S<T> {{ a: T }}\n{}", float(around("S { a: ", "x", " }.a")))),
        ("fields", "struct S { a: f64 }\n".to_owned() + &float(chain("x", ".a"))),
        ("while", block(around("while y < 1.0 { ", "y += 1.0;", " }"))),
        ("for", block(around("for _ in 0..2 { ", "y += 1.0;", " }"))),
        ("if statements", block(around("if y < 1.0 { ", "y += 1.0;", " }"))),
        ("and", format!("pub fn f(x: bool) -> bool = {};", around("x && (", "x", ")"))),
        ("array literals", format!("pub fn f() -> i64 = sum({});", around("[", "1", "]"))),
        ("types", format!("fn f(x: {}) -> f64 = 1.0;", around("(", "f64", ",)"))),
        (
            "record types",
            format!("struct S<T> {{ a: T }}\nfn f(x: {}) -> f64 = 1.0;", around("S<", "f64", ">")),
        ),
        ("sizes", format!("fn f(n: i64, x: f64[{}]) -> f64 = 1.0;", around("(", "n", ")"))),
        ("map", array(around("map(|v| v, ", "x", ")"))),
        ("scatter", array(around("scatter(+, ", "x", ", (i, 1.0) for i in 0..n)"))),
        ("fold", float(around("fold(|a, b| a + b, ", "x", ", 1.0 for _ in 0..1)"))),
        (
            "filters",
            format!("pub fn f(x: i64[n]) -> i64 = {};", around("len([v for v in 0..", "n", " if v > 1])")),
        ),
        ("casts", float(chain("x", " as f64"))),
        ("ranges", format!("pub fn f(n: i64) -> i64 = {};", around("sum(i for i in 0..", "n", ")"))),
        ("places", block(format!("let mut z = [1.0]; z[{}] = 1.0;", around("iota(1)[", "0", "]")))),
        ("patterns", float(format!("{{ let {} = x; x }}", around("(", "a", ",)")))),
        ("precompute", float(around("precompute ", "x", ""))),
        ("select", array(around("select(x > 0.0, x, ", "x", ")"))),
        ("constants", format!("const C: i64 = {};", around("(1 + ", "1", ")"))),
        (
            "const arguments",
            format!(
                "fn g<const N: i64>() -> i64 = N;\nfn f() -> i64 = {};",
                around("g::<{ 1 + ", "1", " }>()")
            ),
        ),
        ("modules", format!("use {};", around("a::{", "b", "}"))),
        ("attributes", format!("#[a{}]\nfn f() -> i64 = 1;", around("(", "b", ")"))),
        ("tuple places", block(format!("{} = y;", around("(", "y", ",)")))),
    ]
}

/// Does all there is to do with one program; whether something was said against it.
fn survive(name: &str, text: &str) -> bool {
    let program = Program::single("deep.we3", text);
    let result = check(&program, CheckOptions { trust_std: true, ..CheckOptions::default() });
    let errors = result.diagnostics.iter().any(we3_ir::diagnostic::Diagnostic::is_error);
    drop(render_text(&result.sources, &result.diagnostics, false));
    assert_eq!(result.program.is_some(), !errors, "{name}");
    if let Some(program) = &result.program {
        let module = emit(program).unwrap_or_else(|bug| panic!("{name}: {bug}"));
        drop(we3_ir::verify::verify(&module));
        assert!(format_module(text).is_ok(), "{name} cannot be formatted");
    }
    errors
}

fn on_a_small_stack(n: usize) -> Vec<&'static str> {
    let programs = nested(n);
    let run = move || {
        programs.into_iter().filter(|(name, text)| survive(name, text)).map(|(name, _)| name).collect()
    };
    let worker = thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread");
    worker.join().expect("nothing panics")
}

#[test]
fn programs_nest_forty_deep() {
    let wrong = on_a_small_stack(40);
    let expected = ["fields", "patterns", "const arguments", "modules", "attributes", "tuple places"];
    assert!(wrong.iter().all(|name| expected.contains(name)), "{wrong:?}");
}

#[test]
fn nothing_overflows_at_the_limit_or_past_it() {
    for n in [90, 190, 199, 390, 399, 2_000] {
        on_a_small_stack(n);
    }
}
