//! Line tables: an object with `-g` names the lines of its source, and has the code it has without.
#![cfg(feature = "llvm")]

use std::collections::BTreeSet;
use std::process::Command;

use we3_backend_api::Artifact;
use we3_driver::Emit;
use we3_driver::lines::LineIndex;
use we3_driver::plan::{BackendChoice, Plan, target_named};
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::stages::{Form, Stage, StageLog, run_to};

/// What is computed stands on lines 2, 3, 6 and 8.
const SOURCE: &str = "pub fn f(x: f64[n], y: f64[n]) -> f64[n] = [
    x[i] * 3.0
        + sqrt(y[i]) for i];
pub fn g(x: f64[n]) -> f64 = {
    // Nothing.
    let s = sum(x * x);

    s / exp(s)
};
";

fn session() -> Session {
    let session = Session::open(&Sources::from_text("/somewhere/p.we3", SOURCE), SessionOptions::default());
    assert!(!session.has_errors(), "{:?}", session.diagnostics());
    session
}

fn artifact(emit: Emit, debug: bool, target: &str) -> Artifact {
    let mut session = session();
    let module = session.ir().expect("array IR").module.as_ref().clone();
    let lines = debug.then(|| LineIndex::of(session.sources()));
    let target = target_named(target).expect("a target");
    let plan = Plan::host(BackendChoice::Llvm).for_target(target).with_lines(lines);
    let form = run_to(Form::Array(module), Stage::Artifact, &plan, emit, &mut StageLog::default());
    match form {
        Ok(Form::Artifact(artifact)) => artifact,
        other => panic!("{other:?}"),
    }
}

/// LLVM's own reader of line tables, which comes with LLVM.
fn line_table(object: &[u8], name: &str) -> String {
    let path = std::env::temp_dir().join(format!("we3-lines-{name}-{}.o", std::process::id()));
    std::fs::write(&path, object).expect("a file");
    let prefix = std::env::var("LLVM_SYS_221_PREFIX").unwrap_or_else(|_| "/usr/lib/llvm-22".to_owned());
    let program = format!("{prefix}/bin/llvm-dwarfdump");
    let output = Command::new(&program).args(["--debug-line", "--debug-info"]).arg(&path).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_file(&path).expect("it was there");
    String::from_utf8(output.stdout).expect("text")
}

/// Lines by the name of the file, from the rows of a table: `0x… line column file …`.
fn rows(table: &str) -> BTreeSet<(String, u32)> {
    let mut names: Vec<(u32, String)> = Vec::new();
    let mut found = BTreeSet::new();
    let mut number = 0;
    for line in table.lines() {
        if let Some(rest) = line.strip_prefix("file_names[") {
            number = rest.split(']').next().and_then(|text| text.trim().parse().ok()).expect("a number");
        } else if let Some(name) = line.trim().strip_prefix("name: \"") {
            names.push((number, name.trim_end_matches('"').to_owned()));
        } else if line.starts_with("0x") && !line.contains(": ") {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [_, line, _, file, ..] = words[..] else { continue };
            let (line, file): (u32, u32) = (line.parse().expect("a line"), file.parse().expect("a file"));
            let name = names.iter().rev().find(|(number, _)| *number == file);
            found.insert((name.map_or_else(String::new, |(_, name)| name.clone()), line));
        }
    }
    found
}

#[test]
fn line_tables_name_the_lines_of_the_source() {
    for (target, name) in [("x86-64-v3", "x86"), ("aarch64", "arm")] {
        let Artifact::Object(object) = artifact(Emit::Object, true, target) else { panic!("no object") };
        let table = line_table(&object, name);
        let found = rows(&table);
        let own: BTreeSet<u32> = found
            .iter()
            .filter(|(name, _)| name == "p.we3")
            .map(|(_, line)| *line)
            .filter(|line| *line > 0)
            .collect();
        for line in [2, 3, 6, 8] {
            assert!(own.contains(&line), "{target}: line {line} is not in {own:?}\n{table}");
        }
        // Line 1 and 4 have heads, 5 and 7 nothing.
        assert!(own.iter().all(|line| [1, 2, 3, 4, 6, 8].contains(line)), "{own:?}");
        assert!(found.iter().any(|(name, _)| name == "math64.we3"), "`exp` is of the library: {found:?}");
        // Line tables only: functions have their names in the symbol table.
        let unit = ["DW_AT_name\t(\"p.we3\")", "DW_AT_comp_dir\t(\"/somewhere\")"];
        assert!(unit.iter().all(|words| table.contains(words)), "{table}");
    }
}

#[test]
fn line_tables_change_no_instruction() {
    let code = |debug: bool| {
        let Artifact::Text(text) = artifact(Emit::Assembly, debug, "x86-64-v3") else { panic!("no text") };
        let instruction = |line: &&str| line.starts_with('\t') && !line.starts_with("\t.");
        let plain = |line: &str| line.split('#').next().unwrap_or_default().trim_end().to_owned();
        text.lines().filter(instruction).map(plain).collect::<Vec<_>>()
    };
    let without = code(false);
    assert!(without.len() > 100);
    assert_eq!(code(true), without);
}

#[test]
fn code_with_line_tables_runs_and_code_of_cranelift_has_none() {
    let mut session = session();
    let entry = session.entry("g").expect("an entry").clone();
    let kernel = session.kernel(&entry).expect("a kernel");
    let index = LineIndex::of(session.sources());
    let plan = |backend, lines| Plan::host(backend).with_lines(lines);
    let args = [we3_driver::value::HostValue::zero(&kernel.params[0].ty, &[10]).expect("zeros")];
    let mut results = Vec::new();
    for lines in [None, Some(index.clone())] {
        let executable =
            session.build(&|name| name == "g", &plan(BackendChoice::Llvm, lines)).expect("builds");
        let budget = we3_driver::executable::Budget::default();
        results.push(executable.call(&kernel, &args, budget).expect("runs"));
    }
    assert_eq!(we3_driver::compare::first_difference(&results[0], &results[1]), None);
    let refused = session.build(&|name| name == "g", &plan(BackendChoice::Cranelift, Some(index)));
    let message = refused.err().map(|failure| failure.summary()).unwrap_or_default();
    assert!(message.contains("--backend llvm"), "{message}");
}
