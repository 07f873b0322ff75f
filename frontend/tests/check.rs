//! Checks every example, suite file and std module, and the diagnostics of `tests/diagnostics`.
#![expect(clippy::disallowed_methods, reason = "the tests are about files of the repository")]

use std::path::{Path, PathBuf};

use we3_frontend::render::render_text;
use we3_frontend::{CheckOptions, CheckResult, SourceProvider, SourceText, check};

/// A root text, std modules from the folder, other modules beside the root.
struct Folder {
    root: PathBuf,
    text: String,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate stands in the repository").into()
}

impl SourceProvider for Folder {
    fn load(&self, path: &[String]) -> Option<SourceText> {
        let file = match path {
            [] => {
                let name = self.root.file_name()?.to_string_lossy().into_owned();
                return Some(SourceText { name, text: self.text.clone() });
            }
            [first, rest @ ..] if first == "std" => {
                repository().join("stdlib/std").join(format!("{}.we3", rest.join("/")))
            }
            path => self.root.parent()?.join(format!("{}.we3", path.join("/"))),
        };
        let text = std::fs::read_to_string(&file).ok()?;
        Some(SourceText { name: path.join("::"), text })
    }
}

fn check_file(root: &Path) -> CheckResult {
    let text = std::fs::read_to_string(root).expect("the file can be read");
    let options = CheckOptions { trust_std: true, ..CheckOptions::default() };
    check(&Folder { root: root.into(), text }, options)
}

/// What the emitter or the verifier of the IR has against a checked program.
fn emit_fault(program: &we3_frontend::typed::Program) -> Option<String> {
    let module = match we3_frontend::emit::emit(program) {
        Ok(module) => module,
        Err(bug) => return Some(format!("emit: {bug}\n{}", unfinished(program))),
    };
    match we3_ir::verify::verify(&module) {
        Ok(_) => None,
        Err(errors) => {
            let shown: Vec<String> = errors.iter().take(5).map(|error| format!("{error:?}")).collect();
            Some(format!("verify: {} errors\n{}", errors.len(), shown.join("\n")))
        }
    }
}

/// Where something pending was left behind.
fn unfinished(program: &we3_frontend::typed::Program) -> String {
    use we3_frontend::typed::{ExprKind, walk};
    let mut found = String::new();
    for func in &program.funcs {
        let mut func = func.clone();
        let name = func.name.clone();
        let mut visit = |expr: &mut we3_frontend::typed::Expr| {
            if matches!(expr.kind, ExprKind::Pending(..) | ExprKind::Error) {
                found.push_str(&format!("{name}: {:?} at {:?}\n", expr.kind, expr.span));
            }
        };
        walk::block_mut(&mut func.body, &mut visit);
        if let Some(tail) = &mut func.tail {
            walk::exprs_mut(&mut tail.value, &mut visit);
        }
    }
    found
}

fn files_under(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository().join(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "we3") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Everything in these folders checks without an error.
fn no_errors_in(folder: &str) {
    let mut failures = String::new();
    // Constants that call functions are evaluated by the driver; the suite itself runs these files.
    let by_the_driver = |file: &PathBuf| file.components().any(|part| part.as_os_str() == "consts");
    for file in files_under(folder).into_iter().filter(|file| !by_the_driver(file)) {
        let result = check_file(&file);
        if let Some(program) = &result.program
            && let Some(fault) = emit_fault(program)
        {
            failures.push_str(&format!("==== {}\n{fault}\n", file.display()));
        }
        let errors: Vec<_> = result.diagnostics.into_iter().filter(|d| d.is_error()).collect();
        if !errors.is_empty() {
            failures.push_str(&format!(
                "==== {}\n{}",
                file.display(),
                render_text(&result.sources, &errors, false)
            ));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn the_standard_library_checks() {
    let mut text = String::from("//! Reaches every module of the standard library.\n");
    for file in files_under("stdlib/std") {
        let name = file.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        text.push_str(&format!("use std::{name};\n"));
    }
    let options = CheckOptions { all_tests: true, ..CheckOptions::default() };
    let root = repository().join("all.we3");
    let result = check(&Folder { root, text }, options);
    let fault = result.program.as_ref().and_then(emit_fault);
    let errors: Vec<_> = result.diagnostics.into_iter().filter(|d| d.is_error()).collect();
    let shown = render_text(&result.sources, &errors, false);
    assert!(errors.is_empty(), "{shown}");
    assert!(fault.is_none(), "{}", fault.unwrap_or_default());
}

#[test]
fn the_examples_check() {
    no_errors_in("examples");
}

#[test]
fn the_suite_checks() {
    no_errors_in("tests/suite");
}
