//! Every program of `examples/c`, built by the C compilers that there are, warnings being errors, and run against the library.

use std::path::{Path, PathBuf};
use std::process::Command;

fn library_folder() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let mut folders = own.ancestors().skip(1).take(2);
    folders
        .find(|folder| folder.join("libwe3.so").is_file())
        .expect("cargo builds the library before its tests")
        .to_owned()
}

fn compilers() -> Vec<&'static str> {
    let there =
        |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|found| found.status.success());
    ["gcc", "clang", "clang-22", "cc"].iter().filter(there).copied().collect()
}

fn ran(source: &Path, compiler: &str, extra: &[&str]) -> String {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let name = source.file_stem().expect("a file has a name").to_string_lossy();
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{compiler}"));
    let folder = library_folder();
    let mut build = Command::new(compiler);
    build
        .args(["-Wall", "-Wextra", "-Werror", "-pedantic", "-O1", "-I"])
        .arg(room.join("include"))
        .args(extra);
    build.arg(source).arg("-L").arg(&folder).arg("-lwe3").arg("-lm").arg("-o").arg(&program);
    build.arg(format!("-Wl,-rpath,{}", folder.display()));
    let built = build.output().expect("the compiler starts");
    assert!(built.status.success(), "{compiler}: {}", String::from_utf8_lossy(&built.stderr));
    let done = Command::new(&program).output().expect("the program starts");
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{compiler}: {out}\n{}", String::from_utf8_lossy(&done.stderr));
    out
}

#[test]
fn examples_build_without_a_warning_and_say_what_they_should() {
    let compilers = compilers();
    assert!(!compilers.is_empty(), "a C compiler is there where Rust links");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/c/softmax.c");
    for compiler in compilers {
        let out = ran(&source, compiler, &["-std=c99"]);
        for expected in [
            "3 functions, the first is softmax(x: f64[n, m]) -> f64[n, m]",
            "softmax 0.090031 0.244728 0.665241",
            "spread 1\nspread 3\nof 3\n",
            "index 3 is out of range for an axis of size 3",
            "softmax.we3:4:41",
            "did you mean `softmax`?",
        ] {
            assert!(out.contains(expected), "{compiler}: `{expected}` is missing in\n{out}");
        }
    }
}
