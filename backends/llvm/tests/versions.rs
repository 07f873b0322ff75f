//! Objects with versions for several processors: the best one that runs here is called, and each can be.

use we3_backend_api::{Arch, Artifact, Emit, Options, Target};
use we3_backend_llvm::{Failure, LlvmBackend};
use we3_device::{CallLimits, LoadedObject, call_entry, host_target};
use we3_ir::text::parse_module;
use we3_ir::verify::verify;

const LEVELS: [&str; 4] = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"];

fn target(cpu: &str) -> Target {
    Target { arch: Arch::X86_64, cpu: cpu.to_owned(), features: Vec::new() }
}

/// A version whose entry returns its level, so that it shows which one was taken.
fn compiled(levels: &[&str]) -> Result<Artifact, Failure> {
    let number = |level: &str| LEVELS.iter().position(|name| *name == level).map_or(0, |at| at + 1);
    let modules: Vec<_> = levels
        .iter()
        .map(|level| {
            let number = number(level);
            let text = format!(
                "loop module\n\nentry func @level() -> (i64) {{\n  %0: i64 = const {number}\n  return %0\n}}\n"
            );
            parse_module(&text).unwrap_or_else(|errors| panic!("{errors:?}"))
        })
        .collect();
    let versions: Vec<_> = modules
        .iter()
        .zip(levels)
        .map(|(module, level)| (verify(module).unwrap_or_else(|errors| panic!("{errors:?}")), target(level)))
        .collect();
    LlvmBackend.compile_versions(&versions, &Options { emit: Emit::Object, opt_level: 3, lines: None })
}

fn called(object: &LoadedObject, symbol: &str) -> u64 {
    let outcome = call_entry(object, symbol, &[], 1, &[], CallLimits::default());
    outcome.unwrap_or_else(|error| panic!("{symbol}: {error}")).results[0]
}

#[test]
fn the_best_version_that_runs_here_is_called() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let host = host_target().cpu;
    let here = LEVELS.iter().position(|name| *name == host).expect("a level") as u64 + 1;
    for levels in [&LEVELS[..], &LEVELS[1..], &LEVELS[..2], &LEVELS[2..3], &["x86-64", "x86-64-v3"]] {
        let Artifact::Object(bytes) = compiled(levels).unwrap_or_else(|failure| panic!("{failure:?}")) else {
            panic!("no object")
        };
        let object = LoadedObject::load(&bytes).expect("loads");
        let all = levels.iter().map(|name| LEVELS.iter().position(|one| one == name).unwrap_or(0) as u64 + 1);
        let numbers: Vec<u64> = all.collect();
        for (name, number) in levels.iter().zip(&numbers) {
            assert_eq!(called(&object, &format!("we3_level.{name}")), *number);
        }
        let best = numbers.iter().copied().filter(|number| *number <= here).max();
        // Who leaves out what runs here takes the least for granted.
        let expected = best.unwrap_or(numbers[0]);
        for _ in 0..3 {
            assert_eq!(called(&object, "we3_level"), expected, "{levels:?} on {host}");
        }
    }
}

#[test]
fn versions_have_to_rise() {
    for wrong in [&["x86-64-v3", "x86-64-v2"][..], &["x86-64", "x86-64"], &["znver5"]] {
        let Err(Failure::Unsupported(limit)) = compiled(wrong) else { panic!("{wrong:?}") };
        assert!(limit.to_string().contains("in this order"), "{limit}");
    }
}
