//! The program as a person meets it: what each command prints and which code it ends with.

mod harness;

use harness::{Folder, we3c, we3c_in, we3c_with};

const PROGRAM: &str = "\
/// Adds.
pub fn add(a: f64[n, m], b: f64[m], k: i64 = 2) -> f64[n, m] = [a[i, j] + b[j] * k as f64 for i, j];
pub fn pick(x: i64[n], i: i64) -> i64 = x[i];
pub fn same<T: Num>(x: T[n]) -> T[n] = x + x;
pub struct P { x: f32, tag: u8 }
pub fn swap(p: P[n]) -> (u8[n], f32[n]) = (p.tag, p.x);
test \"sums\" for x: i64[n] { assert(sum(x) == sum(reverse(x)), \"same sum\"); }
";

#[test]
fn help_teaches_and_versions_are_named() {
    for command in ["check", "run", "test", "bench", "compile", "opt", "fmt", "doc", "explain", "doctor"] {
        let ran = we3c(&[command, "--help"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command}");
        assert!(ran.out.contains("Usage: we3c"), "{command}: {}", ran.out);
    }
    assert!(we3c(&["--help"]).out.contains("we3c run softmax.we3"));
    assert!(we3c(&["--version"]).out.contains("numerics"));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for args in [
        &["frobnicate"][..],
        &["run"],
        &["check", "/no/such/file.we3"],
        &["explain", "E9999"],
        &["compile", "/no/such.ir"],
        &["opt", "-", "--passes", "no-such-pass"],
    ] {
        let ran = we3c(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(!ran.err.is_empty(), "{args:?}");
    }
}

#[test]
fn forms_on_the_way_are_written_and_taken_back() {
    let folder = Folder::new("forms");
    let source = folder.file("p.we3", PROGRAM);
    let array = folder.path("p.ir");
    let ran = we3c(&["compile", &source, "--emit", "array-ir", "-o", &array]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let direct = we3c(&["compile", &source, "--emit", "loop-ir", "--entry", "pick"]);
    assert!(direct.out.starts_with("loop module") && direct.out.contains("@pick"), "{}", direct.out);
    let opt = we3c(&["opt", &array, "--passes", "optimise", "--verify-each", "--timing"]);
    assert!(opt.out.starts_with("loop module") && opt.err.contains("lower"), "{}{}", opt.out, opt.err);
    let clif = we3c(&["compile", &array, "--emit", "clif"]);
    assert!(clif.out.contains("function"), "{}", clif.out);
    let object = folder.path("p.o");
    assert_eq!(we3c(&["compile", &source, "-o", &object, "--target", "aarch64"]).code, 0);
    let header = we3c(&["compile", &source, "--emit", "header"]);
    assert!(header.out.contains("int32_t we3_add(struct we3_context"), "{}", header.out);
    let tokens = we3c_with(&["compile", "-", "--emit", "tokens"], "fn");
    assert_eq!(tokens.code, 0);
}

#[test]
fn schedules_are_shown_in_the_words_that_ask_for_them() {
    let folder = Folder::new("schedules");
    let asked = "#[schedule(tile(i = 8), order(j, i), serial, vectorise(i = 4))]";
    let source = folder.file(
        "s.we3",
        format!(
            "pub fn f(x: f32[n, m]) -> f32[n, m] = {asked} [x[i, j] + 1.0 for i, j];\n\
             pub fn g(x: f32[n, m]) -> f32[n] = [sum(x[i]) for i];\n\
             pub fn h(x: f32[n, m]) -> f32[n] = #[schedule(vectorise(i))] [sum(x[i]) for i];\n"
        ),
    );
    let shown = we3c(&["compile", &source, "--emit", "schedule", "--entry", "f", "--entry", "g"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert!(shown.out.contains(&format!("[i, j]  {asked}")), "{}", shown.out);
    assert!(shown.out.contains("[i]  #[schedule(parallel(i), scalar)]"), "{}", shown.out);
    let report = we3c(&["compile", &source, "--report", "--emit", "clif", "--entry", "f", "--entry", "g"]);
    for said in [
        "(asked for)",
        "1 flops",
        "4 bytes read, 4 written",
        "limit      memory",
        "no lanes   each has a reduction",
    ] {
        assert!(report.err.contains(said), "{said}: {}", report.err);
    }
    assert!(report.out.contains("function"), "{}", report.out);
    let refused = we3c(&["compile", &source, "--emit", "schedule", "--entry", "h"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("E0804") && refused.err.contains("s.we3:3:"), "{}", refused.err);
    let run = we3c(&["run", &source, "h", "[[1, 2]]"]);
    assert!(run.code == 1 && run.err.contains("E0804"), "{}", run.err);
}

#[test]
fn benches_are_compared_with_a_saved_run_and_with_another_backend() {
    let folder = Folder::new("bench");
    let source =
        folder.file("b.we3", "bench \"sum\" for x: f64[n], n in 8..9 { let s = sum(x); assert(s == s); }\n");
    let saved = folder.path("before.json");
    let first = we3c(&["bench", &source, "--save", &saved]);
    assert!(
        first.code == 0 && first.out.contains("sum [n = 8]") && !first.out.contains(" x "),
        "{}{}",
        first.out,
        first.err
    );
    let second = we3c(&["bench", &source, "--against", &saved]);
    assert!(second.code == 0 && second.out.contains(" x  sum [n = 8]"), "{}{}", second.out, second.err);
    let json = we3c(&["bench", &source, "--versus", "interp", "--message-format", "json"]);
    assert!(json.code == 0 && json.out.contains("\"ratio\":"), "{}{}", json.out, json.err);
    let other = folder.file("other.json", "{}\n");
    let wrong = we3c(&["bench", &source, "--against", &other]);
    assert!(wrong.code == 2 && wrong.err.contains("--save"), "{}", wrong.err);
    assert_eq!(we3c(&["bench", &source, "--against", &saved, "--versus", "interp"]).code, 2);
}

#[test]
fn tuning_reports_what_it_tried_and_keeps_what_won() {
    let folder = Folder::new("tune");
    let source = folder.file(
        "t.we3",
        "pub fn f(x: f32[n, m]) -> f32[m, n] = [x[j, i] + 1.0 for i, j];\npub fn g() -> i64 = 3;\n",
    );
    let cache = folder.path("cache");
    let tuned =
        we3c_in(&[("WE3_CACHE", &cache)], &["tune", &source, "f", "random:[300,200]", "--budget", "3"]);
    assert_eq!(tuned.code, 0, "{}", tuned.err);
    assert!(tuned.out.starts_with("f: ") && tuned.out.contains("as the compiler has it"), "{}", tuned.out);
    assert!(tuned.err.is_empty(), "progress is for terminals: {}", tuned.err);
    // Whatever won, the result is the same and the winner's words are those of the attribute.
    let with = we3c_in(&[("WE3_CACHE", &cache)], &["run", &source, "f", "random:[30,20]", "--full"]);
    let without =
        we3c_in(&[("WE3_CACHE", &cache)], &["run", &source, "f", "random:[30,20]", "--full", "--no-tune"]);
    assert_eq!((with.code, &with.out), (0, &without.out), "{}", with.err);
    if tuned.out.contains("kept in") {
        let shown =
            we3c_in(&[("WE3_CACHE", &cache)], &["compile", &source, "--emit", "schedule", "--entry", "f"]);
        let plain = we3c_in(
            &[("WE3_CACHE", &cache)],
            &["compile", &source, "--emit", "schedule", "--entry", "f", "--no-tune"],
        );
        assert_ne!(shown.out, plain.out);
    }
    let json = we3c_in(
        &[("WE3_CACHE", &cache)],
        &["tune", &source, "g", "--budget", "1", "--message-format", "json"],
    );
    assert!(json.out.starts_with('{') && json.out.contains("\"winners\":[]"), "{}{}", json.out, json.err);
    assert_eq!(we3c(&["tune", &source, "f", "random:[3,2]", "--budget", "0"]).code, 2);
    let wrong = we3c(&["tune", &source, "f", "random:[3]"]);
    assert!(wrong.code != 0 && wrong.err.contains("x: f32[n, m]"), "{}", wrong.err);
}

#[test]
fn functions_run_with_literals_names_and_defaults() {
    let folder = Folder::new("run");
    let source = folder.file("p.we3", PROGRAM);
    for backend in ["interp", "cranelift"] {
        let ran = we3c(&["run", &source, "add", "[[1, 2], [3, 4]]", "[0.5, 0.25]", "--backend", backend]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "[[2.0, 2.5],\n [4.0, 4.5]]\n"), "{}", ran.err);
    }
    let named = we3c(&["run", &source, "add", "k=0", "b=[9.0]", "a=[[1.0]]"]);
    assert_eq!(named.out, "[[1.0]]\n", "{}", named.err);
    let generic = we3c(&["run", &source, "same::<f32>", "[0.1]"]);
    assert_eq!(generic.out, "[0.2]\n", "{}", generic.err);
    let same = we3c(&["run", &source, "pick", "[5, 6]", "1", "--same-bits"]);
    assert!(same.out == "6\n" && same.err.contains("same bits on "), "{}{}", same.out, same.err);
}

#[test]
fn a_profile_names_nests_and_writes_a_trace() {
    let folder = Folder::new("profile");
    let source = folder.file(
        "p.we3",
        "pub fn f(x: f32[n], t: i64) -> f32[n] = {\n    let mut a = x;\n    for _s in 0..t {\n        \
         a = [a[n - 1 - i] * 0.5 for i in 0..n];\n    }\n    a\n};\n",
    );
    let plain = we3c(&["run", &source, "f", "iota:f32[50]", "20", "--full"]);
    let trace = folder.path("trace.json");
    let flag = format!("--profile={trace}");
    let ran = we3c(&["run", &source, "f", "iota:f32[50]", "20", "--full", &flag, "--calls", "3"]);
    assert_eq!((ran.code, &ran.out), (0, &plain.out), "{}", ran.err);
    let line = ran.err.lines().find(|line| line.contains("p.we3:4:")).expect("a line for the nest");
    assert!(line.split_whitespace().any(|word| word == "60"), "3 calls of 20 steps: {line}");
    assert!(ran.err.contains("GFLOP/s") && ran.err.contains("outside of nests"), "{}", ran.err);
    assert!(!ran.err.contains('\u{1b}'), "colours are for terminals: {}", ran.err);
    let trace: serde_json::Value = serde_json::from_str(&folder.read("trace.json")).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    let count = |category: &str| events.iter().filter(|event| event["cat"] == category).count();
    assert_eq!((count("nest"), count("call")), (60, 3));
    assert!(events.iter().any(|event| event["name"] == "lower" && event["ph"] == "X"), "stages are there");
    let end = |event: &serde_json::Value| Some(event["ts"].as_f64()? + event["dur"].as_f64()?);
    let last = |category: &str| {
        events
            .iter()
            .filter(|event| event["cat"] == category)
            .filter_map(end)
            .fold(0.0, |last, end| if end > last { end } else { last })
    };
    assert!(last("nest") <= last("call"), "nests lie in their calls");
    let json = we3c(&["run", &source, "f", "[1, 2]", "2", "--profile", "--message-format", "json"]);
    assert!(json.err.starts_with('{') && json.err.contains("\"times\":2"), "{}", json.err);
    let wrong = we3c(&["run", &source, "f", "[1, 2]", "2", "--profile", "--backend", "interp"]);
    assert!(wrong.code == 2 && wrong.err.contains("--backend cranelift"), "{}", wrong.err);
    assert_eq!(we3c(&["run", &source, "f", "[1]", "2", "--calls", "3"]).code, 2);
}

#[test]
fn a_failed_check_points_into_the_source() {
    let folder = Folder::new("fails");
    let source = folder.file("p.we3", PROGRAM);
    let mut texts = Vec::new();
    for backend in ["interp", "cranelift"] {
        let ran = we3c(&["run", &source, "pick", "[5, 6]", "2", "--backend", backend]);
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(ran.err.contains("index 2 is out of range") && ran.err.contains("p.we3:3"), "{}", ran.err);
        texts.push(ran.err);
    }
    assert_eq!(texts[0], texts[1]);
    let json = we3c(&["run", &source, "pick", "[5]", "-1", "--message-format", "json"]);
    assert!(json.err.trim_start().starts_with('{') && json.err.contains("E0901"), "{}", json.err);
}

#[test]
fn wrong_arguments_are_named() {
    let folder = Folder::new("arguments");
    let source = folder.file("p.we3", PROGRAM);
    let wrong_type = folder.file("x.npy", npy("'<f4'", "(1, 1)", &[0; 4]));
    let short = folder.file("short.npy", npy("'<f8'", "(3, 3)", &[0; 10]));
    let flat = folder.file("flat.npy", npy("'<f8'", "(2,)", &[0; 16]));
    for (args, part) in [
        (&["add", &wrong_type, "[1.0]"][..], "argument `a: f64[n, m]`"),
        (&["add", &wrong_type, "[1.0]"], "float32"),
        (&["add", &short, "[1.0]"], "cut short"),
        (&["add", &flat, "[1.0]"], "expected rank 2, the file has rank 1"),
        (&["add", "[[1.0]]"], "argument `b` of `add` is missing"),
        (&["add", "[[1.0]]", "[1.0]", "c=3"], "no parameter `c`"),
        (&["add", "[[1.0], [1.0, 2.0]]", "[1.0]"], "differ in length"),
        (&["nothing"], "no entry `nothing`"),
        (&["pick", "nope.npy", "1"], "nope.npy"),
    ] {
        let mut command = vec!["run", &source];
        command.extend_from_slice(args);
        let ran = we3c(&command);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(part), "{args:?}: {}", ran.err);
    }
}

#[test]
fn numpy_files_go_in_and_out() {
    let folder = Folder::new("numpy");
    let source = folder.file("p.we3", PROGRAM);
    let big: Vec<u8> = [1.5_f64, -2.0].iter().flat_map(|value| value.to_be_bytes()).collect();
    let input = folder.file("a.npy", npy("'>f8'", "(1, 2)", &big));
    let output = folder.path("new/y.npz");
    let ran = we3c(&["run", &source, "add", &input, "[0.0, 0.0]", "--save", &output]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let back = we3c(&["run", &source, "add", &format!("{output}:result"), "zeros:[2]"]);
    assert_eq!(back.out, "[[ 1.5, -2.0]]\n", "{}", back.err);
    let mut packed = 0.5_f32.to_le_bytes().to_vec();
    packed.push(7);
    let records = folder.file("r.npy", npy("[('x', '<f4'), ('tag', '|u1')]", "(1,)", &packed));
    let ran = we3c(&["run", &source, "swap", &records]);
    assert_eq!(ran.out, "([7], [0.5])\n", "{}", ran.err);
}

#[test]
fn tests_are_run_and_counted() {
    let folder = Folder::new("tests");
    let good = folder.file("good.we3", PROGRAM);
    let ran = we3c(&["test", &good]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("1 passed, 0 failed") && ran.out.contains("seed"), "{}", ran.out);
    let bad = folder
        .file("bad.we3", "test \"small\" for x: i64[n] { assert(all(v < 100 for v in x), \"small\"); }");
    let ran = we3c(&["test", &bad]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("FAILED  small") && ran.out.contains("x = ["), "{}", ran.out);
}

#[test]
fn errors_are_diagnostics_with_code_1() {
    let ran = we3c_with(&["check", "-"], "pub fn f(x: i64) -> i64 = y;\n");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("<stdin>:1:") && !ran.err.contains('\u{1b}'), "{}", ran.err);
    let colored = we3c_with(&["check", "-", "--color", "always"], "pub fn f(x: i64) -> i64 = y;\n");
    assert!(colored.err.contains('\u{1b}'));
}

fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}
