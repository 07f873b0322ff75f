//! The tree of every construct, as printed text.

use we3_ir::span::FileId;
use we3_parser::parse_module;
use we3_parser::print::{print_ast, print_tokens};

mod render;

fn tree(source: &str) -> String {
    let (module, diagnostics) = parse_module(FileId(0), source);
    assert_eq!(render::render(source, &diagnostics), "", "{source}");
    // On one line, and without the module around it.
    let text = print_ast(&module).split_whitespace().collect::<Vec<_>>().join(" ");
    text.trim_start_matches("(module ").trim_end_matches(')').to_owned() + &")".repeat(closing(&text) - 1)
}

fn closing(text: &str) -> usize {
    text.len() - text.trim_end_matches(')').len()
}

#[test]
fn a_tour_of_the_language() {
    let source = include_str!("programs/tour.we3");
    let (module, diagnostics) = parse_module(FileId(0), source);
    assert_eq!(render::render(source, &diagnostics), "");
    insta::assert_snapshot!(print_ast(&module));
}

#[test]
fn tokens_are_listed_one_on_a_line() {
    insta::assert_snapshot!(print_tokens("//! m\nfn f(x: f32) = x.0.1 >> 0x1.8p3; // é\n"));
}

/// Each expression and its tree.
const EXPRESSIONS: &[(&str, &str)] = &[
    // Precedence, loosest first.
    ("a || b && c", "(|| a (&& b c))"),
    ("a && b == c", "(&& a (== b c))"),
    ("a == b | c", "(== a (| b c))"),
    ("a | b ^ c & d", "(| a (^ b (& c d)))"),
    ("a & b << c + d", "(& a (<< b (+ c d)))"),
    ("a + b * c - d", "(- (+ a (* b c)) d)"),
    ("a - b - c", "(- (- a b) c)"),
    ("a * b as f32", "(* a (as b f32))"),
    ("a @ b % c / d", "(/ (% (@ a b) c) d)"),
    ("-a as i64", "(as (- a) i64)"),
    ("-a.b[0]", "(- (index (. a b) 0))"),
    ("!a == b", "(== (! a) b)"),
    ("a >> b > c", "(> (>> a b) c)"),
    ("a as u8 < b", "(< (as a u8) b)"),
    ("- -a", "(- (- a))"),
    // Literals.
    ("0xff + 0b11 + 0o17 + 1_000u8", "(+ (+ (+ 255 3) 15) 1000u8)"),
    ("1.5e-3 + 1e5 + 0x1.8p3 + 2.0f32", "(+ (+ (+ 1.5e-3 1e5) 0x1.8p3) 2.0f32)"),
    ("true && false", "(&& true false)"),
    ("()", "(tuple)"),
    ("(a)", "(paren a)"),
    ("(a,)", "(tuple a)"),
    ("(a, b,)", "(tuple a b)"),
    ("[]", "(list)"),
    ("[1, [2]]", "(list 1 (list 2))"),
    // Paths, calls, fields.
    ("T::zero", "T::zero"),
    ("f::<T, 3, f32[n]>(x)", "(call (path f (T 3 (array f32 n))) x)"),
    ("a::<T>::b", "(path a (T) ::b)"),
    ("f(a, axis = 1)", "(call f a (named axis 1))"),
    ("x.0.1.re", "(. (. (. x 0) 1) re)"),
    ("f(x)(y)[0].z", "(. (index (call (call f x) y) 0) z)"),
    ("f()", "(call f)"),
    // Subscripts.
    ("x[i, j + 1]", "(index x i (+ j 1))"),
    ("x[..]", "(index x (.. _ _))"),
    ("x[a.., ..b, a..b, .. by 2, a.. by 2]", INDEXES),
    ("x[by..n by by]", "(index x (.. by n (by by)))"),
    // Array expressions and reductions.
    ("[x[i] for i]", "(build (index x i) (for i))"),
    (
        "[v for v in xs, _ in 0..n by 2 if v > 0]",
        "(build v (for (in v xs) (in _ (.. 0 n (by 2))) (if (> v 0))))",
    ),
    ("[a for (a, mut b) in rev(0..n)]", "(build a (for (in (tuple a (mut b)) (rev 0 n))))"),
    ("sum(e for i, j in 0..n)", "(call sum e (for i (in j (.. 0 n))))"),
    ("dot(a[k], b[k] for k)", "(call dot (index a k) (index b k) (for k))"),
    ("max(init = 0, e for i)", "(call max (named init 0) e (for i))"),
    ("reduce(+, 0, e for i)", "(call reduce (op +) 0 e (for i))"),
    ("scan(|, a, b) + scan(*, c, d) - f(-, &&)", OPERATORS),
    ("scatter(min, d, (i, v) for i)", "(call scatter min d (tuple i v) (for i))"),
    ("[{ let a = 1; a } for i]", "(build (block (let a 1) (value a)) (for i))"),
    ("#[fast] [e for i]", "(build (attr fast) e (for i))"),
    // Records.
    ("S {}", "(record S)"),
    ("S { a: 1, b, ..c }", "(record S (a 1) b (.. c))"),
    ("a::S::<3> { ..c }", "(record (path a::S (3)) (.. c))"),
    // Conditions and blocks.
    (
        "if a { b } else if c { d } else { e }",
        "(if a (block (value b)) (if c (block (value d)) (block (value e))))",
    ),
    ("if a { b } else { c } + 1", "(+ (if a (block (value b)) (block (value c))) 1)"),
    ("if a == (S { b: 1 }) { c }", "(if (== a (paren (record S (b 1)))) (block (value c)))"),
    ("if f(S { b: 1 }) { c }", "(if (call f (record S (b 1))) (block (value c)))"),
    ("#[fast] { a }", "(block (attr fast) (value a))"),
    ("{ a; b }", "(block (do a) (value b))"),
    ("{ if a { } b }", "(block (do (if a (block))) (value b))"),
    ("{ if a { } -b }", "(block (do (if a (block))) (value (- b)))"),
    ("{ if a { }; }", "(block (do (if a (block))))"),
    ("{ x = 1; x.a[0] += 2; (x, y) = z; }", PLACES),
    ("{ return; }", "(block (return))"),
    ("{ return a }", "(block (return a))"),
    (
        "{ let test = 1; let size = bench + rev; size }",
        "(block (let test 1) (let size (+ bench rev)) (value size))",
    ),
    // Lambdas and the rest.
    ("|x, y| x + y", "(lambda (x y) (+ x y))"),
    ("|| 1", "(lambda () 1)"),
    ("| | 1", "(lambda () 1)"),
    ("|(a, _): (f32, i64), c: T| a", "(lambda ((: (tuple a _) (tuple f32 i64)) (: c T)) a)"),
    ("map(|x| |y| x, z)", "(call map (lambda (x) (lambda (y) x)) z)"),
    ("precompute f(x) + 1", "(precompute (+ (call f x) 1))"),
];
const INDEXES: &str = "(index x (.. a _) (.. _ b) (.. a b) (.. _ _ (by 2)) (.. a _ (by 2)))";
const OPERATORS: &str = "(- (+ (call scan (op |) a b) (call scan (op *) c d)) (call f (op -) (op &&)))";
const PLACES: &str = "(block (= x 1) (+= (index (. x a) 0) 2) (= (tuple x y) z))";

#[test]
fn expressions() {
    for (source, expected) in EXPRESSIONS {
        let found = tree(&format!("fn f() = {source};"));
        assert_eq!(found, format!("(fn f (params) (= {expected}))"), "{source}");
    }
}

/// Each type and its tree.
const TYPES: &[(&str, &str)] = &[
    ("f32", "f32"),
    ("a::B<T, n, 7, 2 * n + 1, ?, ?k>", "(path a::B (T n 7 (+ (* 2 n) 1) ? ?k))"),
    ("A<B<C<f32>>>", "(path A ((path B ((path C (f32))))))"),
    ("A<f32[n], (f32, B), fn(T) -> U, (n + 1) * 2, -1, min(a, b)>", GENERIC),
    ("f32[n, 2 * m, ?k, ?, len(x, axis = 1)]", "(array f32 n (* 2 m) ?k ? (call len x (named axis 1)))"),
    ("(f32, i64[n])", "(tuple f32 (array i64 n))"),
    ("()", "(tuple)"),
    ("fn(f32, T) -> f32[n]", "(fn (f32 T) (array f32 n))"),
    ("fn() -> fn() -> T", "(fn () (fn () T))"),
];
const GENERIC: &str =
    "(path A ((array f32 n) (tuple f32 B) (fn (T) U) (* (paren (+ n 1)) 2) (- 1) (call min a b)))";

#[test]
fn types() {
    for (source, expected) in TYPES {
        assert_eq!(tree(&format!("type A = {source};")), format!("(type A {expected})"), "{source}");
    }
}

/// Each item and its tree.
const ITEMS: &[(&str, &str)] = &[
    ("use a;", "(use a)"),
    ("use a::{b as c, d::{e,},};", "(use (group a (as b c) (group d e)))"),
    ("pub const N: i64 = 3;", "(const pub N i64 (= 3))"),
    ("type V<T: A + B<T>, size n, const P: u64> = T[n];", GENERICS),
    ("struct S { #[x] a: f32, }", "(struct S (field (attr x) a f32))"),
    ("trait T: A + B { const c: f32; fn f(a: Self); }", TRAIT),
    (
        "impl<T> A<T> for B<T> { const c = 1; }",
        "(impl (generics T) (of (path A (T))) (path B (T)) (const c (= 1)))",
    ),
    ("impl f32[n] { pub fn f() = 1; }", "(impl (array f32 n) (fn pub f (params) (= 1)))"),
    (
        "test \"t\" for x: f32[n], n in 1..9 { }",
        "(test \"t\" (input x (array f32 n)) (in n (.. 1 9)) (block))",
    ),
    ("#[edges] bench \"b\" { }", "(bench (attr edges) \"b\" (block))"),
    ("#[a(b, c = \"d\", e(1))] fn f() { }", "(fn (attr a b (named c \"d\") (call e 1)) f (params) (block))"),
    ("fn f() { let x: Mod<7>= y; }", "(fn f (params) (block (let x (path Mod (7)) y)))"),
];
const GENERICS: &str = "(type V (generics (: T A (path B (T))) (size n) (const P u64)) (array T n))";
const TRAIT: &str = "(trait T (supertraits A B) (const c f32) (fn f (params (param a Self))))";

#[test]
fn items() {
    for (source, expected) in ITEMS {
        assert_eq!(tree(source), *expected, "{source}");
    }
}

#[test]
fn spans_cover_their_text() {
    use we3_parser::ast::{ExprKind, FnBody, ItemKind, Subscript};
    let source = "/// d\n#[a]\npub fn f(x: f32[n]) -> f32 = g(x[1..n], -x.0);\n";
    let (module, _) = parse_module(FileId(0), source);
    let text = |span: we3_ir::span::Span| &source[span.range()];
    let item = &module.items[0];
    assert_eq!(text(item.span), "pub fn f(x: f32[n]) -> f32 = g(x[1..n], -x.0);");
    let ItemKind::Fn(function) = &item.kind else { panic!("not a function") };
    assert_eq!(text(function.signature), "fn f(x: f32[n]) -> f32");
    assert_eq!(text(function.params[0].span), "x: f32[n]");
    let Some(FnBody::Expr(body)) = &function.body else { panic!("not an expression") };
    assert_eq!(text(body.span), "g(x[1..n], -x.0)");
    let ExprKind::Call { args, .. } = &body.kind else { panic!("not a call") };
    assert_eq!((text(args[0].span), text(args[1].span)), ("x[1..n]", "-x.0"));
    let ExprKind::Index { subscripts, .. } = &args[0].value.kind else { panic!("not an index") };
    assert!(matches!(&subscripts[0], Subscript::Slice { span, .. } if text(*span) == "1..n"));
}
