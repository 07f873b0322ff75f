//! Stores that go past the caches: the same bits wherever the memory starts, on one thread and on several.

use we3_backend_api::{Artifact, Emit};
use we3_device::{ArgSlot, CallLimits, Given, LoadedObject, OutputLayout, Threads, call_entry_into};
use we3_driver::plan::{BackendChoice, Plan, target_named};
use we3_driver::stages::{StageLog, generate};
use we3_ir::Module;
use we3_ir::text::parse_module;

/// Negates runs of 48 in vectors of 16, 8 and 4 elements.
const NEGATES: &str = "loop module

entry func @negates(%0: i64, %1: buffer f32, %2: bool) -> () outputs (1) {
  %3: i64 = const 48
  %4: i64 = mul %0, %3
  %5: buffer f32 = output.f32 0 %4
  %6: i64 = const 0
  %7: i64 = const 1
  %8: i64 = const 16
  for.parallel %6, %0, %7 {
  b(%9: i64):
    %10: i64 = mul %9, %3
    %11: f32x16 = load %1, %10
    %12: f32x16 = neg %11
    stream %5, %10, %12, %2
    %13: i64 = add %10, %8
    %14: i64 = const 8
    for.serial %6, %8, %14 {
    b(%15: i64):
      %16: i64 = add %13, %15
      %17: f32x8 = load %1, %16
      %18: f32x8 = neg %17
      stream %5, %16, %18, %2
      yield
    }
    %19: i64 = add %13, %8
    %20: i64 = const 4
    for.serial %6, %8, %20 {
    b(%21: i64):
      %22: i64 = add %19, %21
      %23: f32x4 = load %1, %22
      %24: f32x4 = neg %23
      stream %5, %22, %24, %2
      yield
    }
    yield
  }
  return
}
";

fn module() -> Module {
    parse_module(NEGATES).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn generated(plan: &Plan, emit: Emit) -> Artifact {
    generate(&module(), plan, emit, &mut StageLog::default())
        .unwrap_or_else(|failure| panic!("{}: {failure:?}", plan.describe()))
}

fn plans() -> Vec<Plan> {
    let mut plans = vec![Plan::host(BackendChoice::Cranelift)];
    if cfg!(feature = "llvm") {
        let host = Plan::host(BackendChoice::Llvm);
        let baseline = host.clone().for_target(target_named("x86-64").expect("a target"));
        plans.extend([host.clone(), host.at_level(0)]);
        if cfg!(target_arch = "x86_64") {
            plans.push(baseline);
        }
    }
    plans
}

/// Elements that a wrong or missing one would stand out from.
fn bytes(count: usize, sign: f32) -> Vec<u8> {
    (0..count).flat_map(|number| (sign * (number as f32 + 0.5)).to_le_bytes()).collect()
}

#[test]
fn every_start_of_the_memory_gives_the_same_bits() {
    for plan in plans() {
        let Artifact::Object(object) = generated(&plan, Emit::Object) else { panic!("an object") };
        let object = LoadedObject::load(&object).unwrap_or_else(|error| panic!("{error}"));
        let layouts = [OutputLayout::dense(0, 4)];
        for runs in [0_usize, 1, 7, 2000] {
            let (input, expected) = (bytes(runs * 48, 1.0), bytes(runs * 48, -1.0));
            for start in (0..64).step_by(4) {
                for (past, threads) in
                    [(0, Threads::ONE), (1, Threads::ONE), (1, Threads::disordered(3, start as u64))]
                {
                    let mut memory = vec![0xee; expected.len() + 128];
                    // Aligned to 64, then moved by `start`.
                    let first = memory.as_ptr().align_offset(64) + start;
                    let place = &mut memory[first..first + expected.len()];
                    let args = [ArgSlot::Scalar(runs as u64), ArgSlot::Buffer(&input), ArgSlot::Scalar(past)];
                    let given = Given::from([(0, &mut *place)]);
                    let limits = CallLimits { threads, ..CallLimits::default() };
                    call_entry_into(&object, "we3_negates", &args, 0, &layouts, given, limits)
                        .unwrap_or_else(|error| panic!("{error}"));
                    assert!(place == expected, "{} {runs} {start} {past}", plan.describe());
                    let outside = memory[..first].iter().chain(&memory[first + expected.len()..]);
                    assert!(outside.into_iter().all(|byte| *byte == 0xee), "nothing beside it");
                }
            }
        }
    }
}

/// What the tests above would not notice: that the stores are what they should be, with a fence behind them.
#[test]
fn llvm_emits_stores_past_the_caches() {
    if !cfg!(all(feature = "llvm", target_arch = "x86_64")) {
        return;
    }
    let text = |plan: &Plan| match generated(plan, Emit::Assembly) {
        Artifact::Text(text) => text,
        other => panic!("{other:?}"),
    };
    let host = Plan::host(BackendChoice::Llvm);
    for (name, stores) in [("x86-64", 1), ("x86-64-v3", 2), ("x86-64-v4", 3)] {
        let found = text(&host.clone().for_target(target_named(name).expect("a target")));
        assert!(found.matches("movntp").count() >= stores, "{name}:\n{found}");
        assert!(found.contains("sfence"), "{name}:\n{found}");
    }
}
