//! Other machines: every operation compiles for AArch64 and RISC-V, and no object imports a symbol.

mod harness;

use harness::operations::{all, array_module};
use object::{Object, ObjectSymbol};
use we3_backend_api::{Arch, Artifact, Backend, Emit, Options, Target};
use we3_backend_cranelift::CraneliftBackend;

fn target(arch: Arch, features: &[&str]) -> Target {
    let features = features.iter().map(|name| (*name).to_owned()).collect();
    Target { arch, cpu: String::new(), features }
}

fn assert_imports_nothing(text: &str, target: &Target) {
    for opt_level in [0, 2] {
        let bytes = harness::object(text, target, opt_level);
        let file = object::File::parse(&*bytes).expect("an object");
        let mut entries = 0;
        for symbol in file.symbols() {
            assert!(symbol.name() == Ok("") || !symbol.is_undefined(), "{target:?} imports {symbol:?}");
            entries += usize::from(symbol.is_global());
        }
        assert!(entries > 500, "{entries} entries");
    }
}

#[test]
fn every_operation_compiles_for_every_architecture() {
    let arm = target(Arch::Aarch64, &[]);
    let risc = target(Arch::Riscv64, &[]);
    let risc_more = target(Arch::Riscv64, &["zba", "zbb", "zbs"]);
    let levels = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"];
    let x86 = levels.map(|cpu| Target { cpu: cpu.into(), ..Target::x86_64_baseline() });
    for target in [arm, risc, risc_more].iter().chain(&x86) {
        for lanes in [1, 4, 16] {
            assert_imports_nothing(&array_module(&all(), lanes), target);
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let text = array_module(&all(), 1);
    let target = Target::x86_64_baseline();
    assert_eq!(harness::object(&text, &target, 3), harness::object(&text, &target, 3));
}

#[test]
fn a_ptx_target_is_a_limit_in_words() {
    let module = we3_ir::text::parse_module("loop module\n").expect("parses");
    let verified = we3_ir::verify::verify(&module).expect("verifies");
    let error = CraneliftBackend.compile(verified, &Target::ptx(75, false), &Options::default());
    assert_eq!(error.expect_err("no PTX").to_string(), "Cranelift has no PTX target (use the LLVM backend)");
}

#[test]
fn text_forms_show_each_function() {
    let text = "loop module

entry func @nan(%0: f32, %1: f32) -> (f32) {
  %2: f32 = mul %0, %1
  %3: f32 = add %2, %1
  return %3
}
";
    let baseline = Target::x86_64_baseline();
    let emit = |emit| match harness::compile(text, &baseline, &Options { emit, opt_level: 2, lines: None }) {
        Artifact::Text(text) => text,
        other @ (Artifact::Object(_) | Artifact::Kernels { .. }) => panic!("{other:?}"),
    };
    insta::assert_snapshot!("clif", emit(Emit::BackendIr));
    insta::assert_snapshot!("assembly", emit(Emit::Assembly));
}
