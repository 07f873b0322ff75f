//! What a newcomer does wrong, and what is said: each message names the argument or the place and what would be
//! right, the code says whose fault it is, and nothing panics.

mod harness;

use std::process::{Command, Stdio};

use harness::{Folder, we3c};

const PROGRAM: &str = "\
pub fn first(x: f64[n]) -> f64 = x[0];
pub fn product(a: f64[n], b: f64[n]) -> f64 = sum(a[i] * b[i] for i);
pub fn turned(a: f64[n, m]) -> f64[m, n] = [a[j, i] for i, j];
pub fn next(x: i64) -> i64 = x + 1;
pub fn grey(x: u8[h, w]) -> u8[h, w] = x;
fn hidden(x: i64) -> i64 = x;
pub fn twice<T: Num>(x: T[n]) -> T[n] = x + x;
";

/// Runs each call and looks for the code and a part of what is said.
fn expect(program: &str, cases: &[(&[&str], i32, &str)]) {
    for (call, code, part) in cases {
        let mut command = vec!["run", program];
        command.extend_from_slice(call);
        let ran = we3c(&command);
        assert_eq!(ran.code, *code, "{call:?}: {}", ran.err);
        assert!(ran.err.contains(part), "{call:?}: {}", ran.err);
    }
}

#[test]
fn names_that_are_nearly_right_are_guessed() {
    let folder = Folder::new("names");
    let program = folder.file("p.we3", PROGRAM);
    expect(
        &program,
        &[
            (&["frist", "[1]"], 2, "there is no entry `frist`; did you mean `first`?"),
            (&["banana", "1"], 2, "there is no entry `banana`; there are first, product"),
            (&["hidden", "1"], 2, "`hidden` is private to its module: write `pub fn hidden`"),
            (&["next", "1", "--backend", "craneleft"], 2, "did you mean `cranelift`?"),
            (&["twice::<f99>", "[1]"], 2, "entry `twice::<f99>`: there is no type `f99`"),
            (&["twice::<bool>", "[true]"], 2, "entry `twice::<bool>`"),
            (&["twice::<f32", "[1]"], 2, "there is no entry `twice::<f32`"),
        ],
    );
    for (args, part) in [
        (&["compile", &program, "--target", "aarch65"][..], "did you mean `aarch64`?"),
        (&["compile", &program, "--entry", "twice"], "`twice` has type parameters"),
        (&["compile", &program, "--emit", "clif", "--backend", "llvm"], "use `--backend cranelift`"),
        (&["compile", &program, "--emit", "asm", "--backend", "interp"], "the interpreter makes no code"),
        (&["check", "std::linag"], "did you mean `linalg`?"),
        (&["opt", "-", "--passes", "fuse-map"], "did you mean `fuse-maps`?"),
    ] {
        let ran = we3c(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(part), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_chain_that_is_too_long_is_a_limit_and_no_bug() {
    let folder = Folder::new("chain");
    let branches: Vec<String> = (0..300).map(|n| format!("if x == {n} {{ {n} }}")).collect();
    let text = format!("pub fn f(x: i64) -> i64 = {} else {{ -1 }};", branches.join(" else "));
    let program = folder.file("p.we3", text);
    expect(&program, &[(&["f", "5"], 1, "branches and loops that nest deeper than 256")]);
}

#[test]
fn arguments_that_do_not_fit_say_what_would() {
    let folder = Folder::new("values");
    let program = folder.file("p.we3", PROGRAM);
    expect(
        &program,
        &[
            (&["first", "[1]", "[2]"], 2, "`first` takes 1 argument, 2 were given; it is x: f64[n]"),
            (&["product", "[1]"], 2, "argument `b` of `product` is missing"),
            (&["product", "a=[1]", "a=[1]"], 2, "argument `a` of `product` is given twice"),
            (&["product", "[1]", "[1, 2]"], 1, "sizes differ: 2 is not 1"),
            (
                &["first", "[[1]]"],
                2,
                "argument `x: f64[n]`: expected an array of rank 1, got lists of rank 2",
            ),
            (&["first", "3"], 2, "expected an array of rank 1, got the number 3"),
            (&["first", "[1, true]"], 2, "expected f64, got `true`"),
            (&["first", "[1, 2"], 2, "expected `,` or `]`"),
            (&["first", "[]"], 1, "index 0 is out of range for an axis of size 0"),
            (&["next", ""], 2, "expected a value"),
            (&["next", "1.5"], 2, "expected i64, got `1.5`"),
            (&["next", "9223372036854775808"], 2, "does not fit i64"),
            (&["next", "values.csv"], 2, "only .npy, .npz and .png files are read"),
            (&["first", "random:[-1]"], 2, "expected a size"),
            (&["first", "random:[2, 3]"], 2, "(rank 1), got rank 2"),
            (&["first", "random:f32[3]"], 2, "expected elements of type f64, got f32"),
            (&["first", "random:[999999999999999]"], 2, "do not fit in memory"),
            (&["first", "random:[3]:9..1"], 2, "the range 9..1 is empty or too wide"),
            (&["first", "random:[3]:0..nan"], 2, "empty or too wide"),
        ],
    );
    let empty = we3c(&["run", &program, "turned", "random:[0, 7]"]);
    assert_eq!((empty.code, empty.out.trim()), (0, "[] (sizes 7 × 0)"), "{}", empty.err);
}

fn npy(descr: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn files_that_do_not_fit_say_why() {
    let folder = Folder::new("files");
    let program = folder.file("p.we3", PROGRAM);
    let file = |name: &str, descr: &str, order: &str, shape: &str, data: &[u8]| {
        folder.file(name, npy(descr, order, shape, data))
    };
    let doubles: Vec<u8> = (1..=6).flat_map(|n| f64::from(n).to_le_bytes()).collect();
    let matrix = file("m.npy", "'<f8'", "False", "(2, 3)", &doubles);
    let narrow = file("f4.npy", "'<f4'", "False", "(1,)", &[0; 4]);
    let short = file("short.npy", "'<f8'", "False", "(9,)", &doubles);
    let objects = file("o.npy", "'|O'", "False", "(1,)", &[0; 8]);
    let negative = file("neg.npy", "'<f8'", "False", "(-3,)", &[]);
    let nothing = folder.file("empty.npy", "");
    let text = folder.file("text.npy", "1, 2, 3 and more text\n");
    let no_archive = folder.file("bad.npz", "hello");
    let missing = folder.0.join("none.npy").display().to_string();
    let directory = folder.0.join("d.npy");
    std::fs::create_dir_all(&directory).expect("a folder");
    let directory = directory.display().to_string();
    expect(
        &program,
        &[
            (&["first", &matrix], 2, "expected rank 1, the file has rank 2 (shape 2 × 3)"),
            (&["first", &narrow], 2, "in NumPy: `x.astype(np.float64)`"),
            (&["first", &short], 2, "promises 72 bytes of data, 48 are there"),
            (&["first", &objects], 2, "holds Python objects (`|O`)"),
            (&["first", &negative], 2, "the header cannot be read"),
            (&["first", &nothing], 2, "it is too short"),
            (&["first", &text], 2, "its first bytes are others"),
            (&["first", &no_archive], 2, "this is no .npz archive"),
            (&["first", &missing], 2, "No such file"),
            (&["first", &directory], 2, "argument `x: f64[n]`"),
        ],
    );
    let columns = file("fortran.npy", "'<f8'", "True", "(3, 2)", &doubles);
    let turned = we3c(&["run", &program, "turned", &columns]);
    assert_eq!(turned.out, "[[1.0, 2.0, 3.0],\n [4.0, 5.0, 6.0]]\n", "{}", turned.err);
    let archive = folder.0.join("a.npz").display().to_string();
    assert_eq!(we3c(&["run", &program, "turned", &matrix, "--save", &archive]).code, 0);
    let inside = format!("{archive}:other");
    expect(
        &program,
        &[
            (&["turned", &inside], 2, "no array `other` in it; there are result"),
            (&["first", &archive], 2, "array `result`: expected rank 1"),
        ],
    );
}

#[test]
fn sources_of_any_kind_are_taken_or_refused() {
    let folder = Folder::new("sources");
    for (name, bytes, code, part) in [
        ("crlf.we3", &b"pub fn f(x: i64) -> i64 =\r\n    y;\r\n"[..], 1, "crlf.we3:2:5"),
        ("bom.we3", b"\xef\xbb\xbfpub fn f(x: i64) -> i64 = x;\n", 0, ""),
        (
            "nul.we3",
            b"pub fn f(x: i64) -> i64 = x;\0\n",
            1,
            "the invisible character U+0000 has no meaning here",
        ),
        ("latin.we3", b"// caf\xe9\n", 2, "it is not UTF-8 text"),
        ("utf16.we3", b"\xff\xfep\0u\0b\0", 2, "it is not UTF-8 text"),
        ("empty.we3", b"", 0, ""),
    ] {
        let source = folder.file(name, bytes);
        let ran = we3c(&["check", &source]);
        assert_eq!(ran.code, code, "{name}: {}", ran.err);
        assert!(ran.err.contains(part), "{name}: {}", ran.err);
    }
    let here = folder.0.display().to_string();
    assert!(we3c(&["check", &here]).err.contains("Is a directory"));
    let deep = format!("pub fn f(x: i64) -> i64 = {}x{};", "(".repeat(50_000), ")".repeat(50_000));
    let ran = we3c(&["check", &folder.file("deep.we3", deep)]);
    assert_eq!(ran.code, 1, "{}", ran.err);
}

#[test]
fn nothing_to_run_is_said() {
    let folder = Folder::new("nothing");
    let program = folder.file("p.we3", PROGRAM);
    assert!(we3c(&["test", &program]).err.contains("note: there is no `test` in"));
    assert!(we3c(&["bench", &program]).err.contains("note: there is no `bench` in"));
    let tested = folder.file("t.we3", "test \"adds\" { assert(1 + 1 == 2); }\n");
    assert!(we3c(&["test", &tested, "--filter", "zzz"]).err.contains("has `zzz` in its name"));
}

#[test]
fn a_reader_that_leaves_is_no_error_and_a_full_disk_is_one() {
    let folder = Folder::new("pipe");
    let many: String = (0..2000).map(|n| format!("pub fn f{n}(x: i64) -> i64 = x + {n};\n")).collect();
    let program = folder.file("many.we3", many);
    let mut child = Command::new(env!("CARGO_BIN_EXE_we3c"))
        .args(["compile", &program, "--emit", "array-ir"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("we3c starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("we3c ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    let Ok(full) = std::fs::File::create("/dev/full") else { return };
    let output =
        Command::new(env!("CARGO_BIN_EXE_we3c")).arg("explain").stdout(full).output().expect("we3c runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to standard output"));
}

#[test]
fn the_whole_library_is_one_program() {
    let ran = we3c(&["check", "std", "--time"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.err.contains("error"), "{}", ran.err);
}
