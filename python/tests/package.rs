//! Runs the tests of the Python package (`python/tests/*.py`) on the library as cargo has just built it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where cargo put the library: beside the test, or one folder up.
fn library() -> PathBuf {
    let own = std::env::current_exe().expect("a test has a path");
    let places = own.ancestors().skip(1).take(2).map(|folder| folder.join("lib_native.so"));
    places.into_iter().find(|path| path.is_file()).expect("cargo builds the library before its tests")
}

/// A copy of the package with its native part.
fn package() -> PathBuf {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let target = folder.join("we3");
    std::fs::create_dir_all(&target).expect("cargo's temporary folder can be written");
    for entry in std::fs::read_dir(room.join("we3")).expect("the package is there") {
        let path = entry.expect("the folder can be read").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "py" || extension == "pyi" || extension == "typed")
        {
            let name = path.file_name().expect("a file has a name");
            std::fs::copy(&path, target.join(name)).expect("the file can be copied");
        }
    }
    let native = target.join("_native.abi3.so");
    // Another process may have the old one mapped.
    let _ = std::fs::remove_file(&native);
    std::fs::copy(library(), native).expect("the library can be copied");
    folder
}

#[test]
fn the_package_passes_its_tests() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = room.join("../.venv/bin/python");
    let has_tools = Command::new(&python).args(["-c", "import numpy, pytest"]).output();
    if !has_tools.is_ok_and(|found| found.status.success()) {
        #[expect(clippy::disallowed_methods, reason = "a test, not the runtime")]
        let in_ci = std::env::var_os("CI").is_some();
        assert!(!in_ci, "CI needs NumPy and pytest in .venv (make setup)");
        eprintln!("NOT TESTED: the Python package (no NumPy and pytest in .venv: make setup)");
        return;
    }
    let mut run = Command::new(&python);
    let package = package();
    // Not in the room: its folder would come before the copy that has the native part.
    run.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no"]).arg(room.join("tests"));
    run.current_dir(&package)
        .env("PYTHONPATH", &package)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("WE3_BACKEND");
    let worker = library().with_file_name("we3-llvm");
    let worker = if worker.is_file() { worker } else { library().join("../../we3-llvm") };
    if worker.is_file() {
        run.env("WE3_LLVM_WORKER", worker);
    }
    let done = run.output().expect("Python starts");
    let (out, error) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{out}\n{error}");
}
