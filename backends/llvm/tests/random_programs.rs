//! Random programs (the generator of Cranelift's tests: every operation, nested control with carried
//! values, jumps, memory, vectors, NaNs with payloads) return the same bits as on the interpreter, on
//! every machine and at every level; and through launch plans; and assemble for GPUs.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "the generator is shared with another room's tests"
)]

mod harness;
#[path = "../../cranelift/tests/harness/operations.rs"]
mod operations;
#[path = "../../cranelift/tests/harness/programs.rs"]
mod programs;
#[path = "../../cranelift/tests/harness/values.rs"]
mod values;

use harness::plan::run_plan;
use harness::{call, load, targets};
use programs::{PARAMS, program};
use values::{Random, pick};
use we3_backend_api::{Emit, Options};
use we3_backend_interp::{ArgValue, Interpreter, Limits, ResultValue, Stop};
use we3_backend_llvm::{Failure, LlvmBackend};
use we3_device::ArgSlot;
use we3_ir::Module;
use we3_ir::text::print_module;

const PROGRAMS: u64 = 300;
const RUNS: usize = 6;

fn expected(module: &Module, args: &[u64]) -> Option<Vec<u64>> {
    let verified = we3_ir::verify::verify(module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let func = module.find("f").expect("an entry");
    let limits = Limits { steps: 2_000_000, ..Limits::default() };
    let args = args.iter().map(|bits| ArgValue::Scalar(*bits)).collect();
    match Interpreter::new(verified, func).expect("decodes").run(args, &limits) {
        Ok(results) => Some(results.iter().map(scalar).collect()),
        Err(Stop::StepLimit) => None,
        Err(stop) => panic!("{stop}\n{}", print_module(module)),
    }
}

fn scalar(result: &ResultValue) -> u64 {
    match result {
        ResultValue::Scalar(bits) => *bits,
        ResultValue::Array(_) => panic!("no arrays"),
    }
}

fn same(seed: u64, module: &Module, args: &[u64], wanted: &[u64], got: &[u64], how: &str) {
    if let Some(place) = (0..wanted.len()).find(|place| wanted[*place] != got[*place]) {
        panic!(
            "program {seed}, result {place}: {:#x}, not {:#x}, of {args:x?}, {how}\n{}",
            got[place],
            wanted[place],
            print_module(module)
        );
    }
}

#[test]
fn random_programs_return_what_the_interpreter_returns() {
    let operations = operations::all();
    let targets = targets();
    let mut compared = 0;
    for seed in 0..PROGRAMS {
        let module = program(seed, &operations);
        let target = &targets[seed as usize % targets.len()];
        let level = [3, 3, 0, 2, 3, 1, 3][seed as usize % 7];
        let object = load(&module, target, level);
        let mut random = Random(seed ^ 0x5eed);
        for _ in 0..RUNS {
            let args = PARAMS.map(|ty| pick(&mut random, ty));
            let Some(wanted) = expected(&module, &args) else { continue };
            let slots = args.map(ArgSlot::Scalar);
            let outcome = call(&object, "f", &slots, wanted.len(), &[]).expect("runs");
            compared += wanted.len();
            same(
                seed,
                &module,
                &args,
                &wanted,
                &outcome.results,
                &format!("-O{level} on {:?}", target.features),
            );
        }
    }
    assert!(compared > 50_000, "only {compared} values compared");
}

/// A program's text with a few words swapped, left out or replaced by similar ones.
fn mutated(text: &str, random: &mut Random) -> String {
    let mut words: Vec<&str> = text.split_inclusive([' ', ',', '\n', ')', '(', '.']).collect();
    for _ in 0..=random.below(3) {
        let (place, other) = (random.below(words.len()), random.below(words.len()));
        match random.below(4) {
            0 => words.swap(place, other),
            1 => drop(words.remove(place)),
            _ => {
                let first = words[place].chars().next();
                let alike: Vec<&str> =
                    words.iter().copied().filter(|word| word.chars().next() == first).collect();
                words[place] = alike[random.below(alike.len())];
            }
        }
    }
    words.concat()
}

#[test]
fn whatever_verifies_compiles_or_is_refused_in_words() {
    let operations = operations::all();
    let mut machines = targets();
    machines.extend([75, 90].map(|sm| we3_backend_api::Target::ptx(sm, sm == 90)));
    let mut random = Random(78);
    let mut compiled = 0;
    for seed in 0..60 {
        let original = print_module(&program(seed, &operations));
        for _ in 0..20 {
            let text = mutated(&original, &mut random);
            let Ok(module) = we3_ir::text::parse_module(&text) else { continue };
            let Ok(verified) = we3_ir::verify::verify(&module) else { continue };
            let options = Options { emit: Emit::Object, opt_level: random.below(4) as u8, lines: None };
            let target = &machines[random.below(machines.len())];
            match LlvmBackend.try_compile(verified, target, &options) {
                Ok(_) => compiled += 1,
                Err(Failure::Unsupported(_)) => {}
                Err(Failure::Bug(what)) => panic!("{what}\n{text}"),
            }
        }
    }
    assert!(compiled > 100, "only {compiled} programs verified");
}

#[test]
fn random_programs_survive_being_split_into_kernels() {
    let operations = operations::all();
    let host = we3_device::host_target();
    for seed in PROGRAMS..PROGRAMS + 60 {
        let module = program(seed, &operations);
        let (kernels, plan) = we3_backend_llvm::ptx::map_to_grid(&module).expect("a plan");
        let object = load(&kernels, &host, 1);
        let mut random = Random(seed);
        for _ in 0..RUNS {
            let args = PARAMS.map(|ty| pick(&mut random, ty));
            let Some(wanted) = expected(&module, &args) else { continue };
            let outcome = run_plan(&plan.entries[0], &object, &args.map(ArgSlot::Scalar), &[]).expect("runs");
            same(seed, &module, &args, &wanted, &outcome.results, "launch plan");
        }
    }
}

#[test]
fn random_programs_assemble_for_gpus() {
    let operations = operations::all();
    let mut together = we3_ir::Module::new(we3_ir::Level::Loop);
    for seed in PROGRAMS..PROGRAMS + 12 {
        for mut func in program(seed, &operations).funcs.into_iter().map(|(_, func)| func) {
            func.name = format!("f{seed}");
            together.funcs.push(func);
        }
    }
    harness::ptx::assemble_everywhere(&together, &[3]);
}
