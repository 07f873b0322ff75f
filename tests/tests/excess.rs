//! Sources that ask for too much: deep nesting, huge numbers, sizes and instantiations without end. Each
//! gets its error within a second, and nothing overflows.

use std::panic::catch_unwind;
use std::time::Duration;

use we3_driver::const_eval::InterpretedConsts;
use we3_frontend::check::{CheckOptions, check};
use we3_tests::clock::Clock;
use we3_tests::pages::Program;

/// Texts that ask for too much, and the code of what must be said; none: that is not too much for the checker.
fn excesses() -> Vec<(&'static str, String)> {
    let deep = |open: &str, close: &str| {
        format!("fn f(x: f64) -> f64 = {}x{};", open.repeat(5_000), close.repeat(5_000))
    };
    let sum = |n: usize| format!("fn f(x: f64) -> f64 = {}x;", "x + ".repeat(n));
    let digits = "9".repeat(100_000);
    vec![
        ("E0013", deep("(", ")")),
        ("E0013", deep("-", "")),
        ("E0013", deep("sqrt(", ")")),
        ("E0013", format!("fn f(x: f64) -> f64 {{ {} x {} }}", "if x > 0.0 { ".repeat(5_000), "} else { x }".repeat(5_000))),
        ("", sum(200)),
        ("E0013", sum(100_000)),
        ("E0003", format!("const N: i64 = {digits};")),

        ("E0305", "fn f() -> f64[4611686018427387904] = zeros(4611686018427387904);\npub fn g() -> f64 = sum(f());".into()),
        ("", "pub fn f() -> f64 = sum(full(1.0, 3000000000, 3000000000, 3000000000));".into()),
        ("", "const N: i64 = 9223372036854775807;\npub fn f(x: f64[n]) -> f64[n * N] = concat(x, x);".into()),
        ("E0703", "fn f<const N: i64>() -> i64 = f::<N + 1>() + f::<N + 2>();\npub fn g() -> i64 = f::<0>();".into()),
        ("E0507", "type A<T> = (T, T);\ntype B = A<B>;\nfn f(x: B) -> i64 = 0;".into()),
        ("E0507", "struct A { b: B }\nstruct B { c: C[2] }\nstruct C { a: A }".into()),
        ("E0701", (0..2_000).map(|k| format!("const A{k}: i64 = A{} + 1;\n", (k + 1) % 2_000)).collect()),
        ("", (0..2_000).map(|k| format!("const A{k}: i64 = A{} + 1;\n", k + 1)).collect::<String>() + "const A2000: i64 = 1;"),
        ("E0703", "fn f<A>(x: A) -> i64 = 1 + f((x, x));\npub fn g(x: i64) -> i64 = f(x);".into()),
        ("E0703", "fn f<A>(x: A) -> i64 = 1 + f((x,));\npub fn g(x: i64) -> i64 = f(x);".into()),
        ("E0703", "struct P<A> { a: A, b: A }\nfn f<A>(x: A) -> i64 = 1 + f(P { a: x, b: x });\npub fn g(x: i64) -> i64 = f(x);".into()),
        ("E0703", "struct W<A> { a: A }\nfn f<A>(x: A) -> i64 = 1 + f(W { a: x });\npub fn g(x: i64) -> i64 = f(x);".into()),
        ("E0703", "struct W<A, B> { a: A, b: B }\nfn f<A, B>(x: A, y: B) -> i64 = f(W { a: x, b: y }, x);\npub fn g(x: i64) -> i64 = f(x, x);".into()),
        ("E0703", format!("fn f<const N: i64>(x: f64) -> f64 {{ {} f::<N + 1>(y) + f::<N * 2>(y) }}\npub fn g() -> f64 = f::<1>(1.0);", "let y = sqrt(x) + 2.0 * x; ".repeat(100))),
        ("E0703", "fn f(h: fn(f64) -> f64, x: f64) -> f64 = f(|y| h(y) + 1.0, x);\npub fn g(x: f64) -> f64 = f(|y| y, x);".into()),
        ("E0209", format!("fn f(x: i64) -> i64 {{ let a0 = (x, x);\n{} 1 }}", (0..40).map(|k| format!("let a{} = (a{k}, a{k});\n", k + 1)).collect::<String>())),
        ("E0209", format!("struct S0 {{ a: i64, b: i64 }}\n{}pub fn f(x: S40) -> i64 = x.a.a.a.b;", (0..40).map(|k| format!("struct S{} {{ a: S{k}, b: S{k} }}\n", k + 1)).collect::<String>())),
        ("E0209", format!("type S0 = (i64, i64);\n{}pub fn f(x: S40) -> i64 = 1;", (0..40).map(|k| format!("type S{} = (S{k}, S{k});\n", k + 1)).collect::<String>())),
        ("E0703", format!("fn f(x: f64) -> f64 {{ let g0 = |y| y + 1.0;\n{} g40(x) }}", (0..40).map(|k| format!("let g{} = |y| g{k}(g{k}(y));\n", k + 1)).collect::<String>())),
        ("", format!("pub fn f(a: i64, b: i64) -> i64 {{ let s0 = a + b + 1;\n{} s40 }}", (0..40).map(|k| format!("let s{} = s{k} * s{k};\n", k + 1)).collect::<String>())),
        ("", format!("pub fn f(a: i64, b: i64) -> i64 {{ let s0 = a + b + 1;\n{} s40 }}", (0..40).map(|k| format!("let s{} = min(s{k} + a, s{k} * 2);\n", k + 1)).collect::<String>())),
        ("E0305", format!("fn f(x: f64[{}a]) -> f64 = 1.0;", "(a + b + c + d + e + f + g + h) * ".repeat(40))),
        ("E0507", "type A = (A, A);\nfn f(x: A) -> i64 = 1;".into()),
        ("E07", "fn f<const N: i64>() -> i64 = if N == 0 { 0 } else { f::<N - 1>() };\nconst X: i64 = f::<1000000>();".into()),
        ("E0702", "fn forever() -> i64 { let mut n = 0; while true { n += 1; } n }\nconst X: i64 = forever();".into()),
        ("", "const X: f64[1000000000000] = zeros(1000000000000);\npub fn f() -> f64 = X[0];".into()),
        ("E0406", "fn a(x: f64) -> f64 = b(x);\nfn b(x: f64) -> f64 = a(x);\npub fn c(x: f64) -> f64 = a(x);".into()),
        ("E0", format!("fn f(x: {}f64{}) -> f64 = 0.0;", "(".repeat(3_000), ",)".repeat(3_000))),
        ("", format!("fn f(x: ({})) -> f64 = x.0;", "f64, ".repeat(2_000))),
        ("", format!("pub fn f(x: f64) -> f64 {{\n{} x }}", "let x = x * 2.0;\n".repeat(3_000))),
        ("", format!("{}pub fn g() -> i64 = 0;", (0..3_000).map(|k| format!("fn f{k}(x: f64) -> f64 = x;\n")).collect::<String>())),
    ]
}

#[test]
fn what_is_too_much_gets_a_clear_error_within_a_second() {
    let mut failures = Vec::new();
    for (code, text) in excesses() {
        let program = Program::single("excess.we3", text.clone());
        let clock = Clock::start();
        let outcome = catch_unwind(|| {
            let options = CheckOptions {
                const_eval: Some(&InterpretedConsts),
                trust_std: true,
                ..CheckOptions::default()
            };
            let result = check(&program, options);
            result.diagnostics.iter().filter(|one| one.is_error()).map(|one| one.code.0).collect::<Vec<_>>()
        });
        let time = clock.elapsed();
        let shown: String = text.chars().take(120).collect();
        match outcome {
            Err(_) => failures.push(format!("a panic: {shown}")),
            Ok(codes) if code.is_empty() && !codes.is_empty() => failures.push(format!("{codes:?}: {shown}")),
            Ok(codes) if !codes.iter().any(|one| one.starts_with(code)) && !code.is_empty() => {
                failures.push(format!("{codes:?} without {code}: {shown}"));
            }
            // One excess is one error.
            Ok(codes) if codes.len() > 3 && code.starts_with("E07") => {
                failures.push(format!("{} errors: {shown}", codes.len()));
            }
            Ok(_) if time > Duration::from_secs(1) => failures.push(format!("{time:?}: {shown}")),
            Ok(_) => {}
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
