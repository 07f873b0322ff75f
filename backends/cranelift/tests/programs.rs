//! Random programs return the same bits as on the interpreter, on every target this machine can run.

mod harness;

use harness::operations::all;
use harness::programs::{PARAMS, program};
use harness::values::{Random, pick};
use harness::{call, load, targets};
use we3_backend_api::{Backend, Emit, Options};
use we3_backend_cranelift::CraneliftBackend;
use we3_backend_interp::{ArgValue, Interpreter, Limits, ResultValue, Stop};
use we3_device::ArgSlot;
use we3_ir::Module;
use we3_ir::text::print_module;

const PROGRAMS: u64 = 1000;
const RUNS: usize = 4;

fn expected(module: &Module, args: &[u64]) -> Option<Vec<u64>> {
    let verified = we3_ir::verify::verify(module).unwrap_or_else(|errors| {
        panic!("{}\n{}", errors[0], print_module(module));
    });
    let func = module.find("f").expect("an entry");
    let limits = Limits { steps: 2_000_000, ..Limits::default() };
    let args = args.iter().map(|bits| ArgValue::Scalar(*bits)).collect();
    let interpreter = Interpreter::new(verified, func).expect("decodes");
    match interpreter.run(args, &limits) {
        Ok(results) => Some(
            results
                .iter()
                .map(|result| match result {
                    ResultValue::Scalar(bits) => *bits,
                    ResultValue::Array(_) => panic!("no arrays"),
                })
                .collect(),
        ),
        Err(Stop::StepLimit) => None,
        Err(stop) => panic!("{stop}\n{}", print_module(module)),
    }
}

#[test]
fn random_programs_return_what_the_interpreter_returns() {
    let operations = all();
    let targets = targets();
    let mut compared = 0;
    for seed in 0..PROGRAMS {
        let module = program(seed, &operations);
        let text = print_module(&module);
        let target = &targets[seed as usize % targets.len()];
        let object = load(&text, target, if seed % 5 == 0 { 0 } else { 3 });
        let mut random = Random(seed ^ 0xabcd);
        for _ in 0..RUNS {
            let args = PARAMS.map(|ty| pick(&mut random, ty));
            let Some(expected) = expected(&module, &args) else { continue };
            let slots = args.map(ArgSlot::Scalar);
            let outcome = call(&object, "f", &slots, expected.len(), &[]).expect("runs");
            compared += expected.len();
            if let Some(place) = (0..expected.len()).find(|k| outcome.results[*k] != expected[*k]) {
                panic!(
                    "program {seed}, result {place}: {:#x}, not {:#x}, of {args:x?} on {:?}\n{text}",
                    outcome.results[place], expected[place], target.features
                );
            }
        }
    }
    assert!(compared > 50_000, "only {compared} values compared");
}

/// Tokens of a program's text that may stand for each other.
fn mutated(text: &str, random: &mut Random) -> String {
    let mut words: Vec<&str> = text.split_inclusive([' ', ',', '\n', ')', '(', '.']).collect();
    for _ in 0..=random.below(3) {
        let place = random.below(words.len());
        let other = random.below(words.len());
        match random.below(4) {
            0 => words.swap(place, other),
            1 => {
                words.remove(place);
            }
            _ => {
                // A word of the same beginning, so that more of the results still verify.
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
fn whatever_verifies_compiles() {
    let operations = all();
    let targets = targets();
    let mut random = Random(77);
    let mut compiled = 0;
    for seed in 0..150 {
        let original = print_module(&program(seed, &operations));
        for _ in 0..20 {
            let text = mutated(&original, &mut random);
            let Ok(module) = we3_ir::text::parse_module(&text) else { continue };
            let Ok(verified) = we3_ir::verify::verify(&module) else { continue };
            let target = &targets[random.below(targets.len())];
            let options = Options { emit: Emit::Object, opt_level: random.below(4) as u8, lines: None };
            if let Err(limit) = CraneliftBackend.compile(verified, target, &options) {
                panic!("{limit}\n{text}");
            }
            compiled += 1;
        }
    }
    assert!(compiled > 300, "only {compiled} programs verified");
}
