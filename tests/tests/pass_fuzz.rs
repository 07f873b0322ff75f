//! Mutated programs keep their meaning: every mutation of a file that still verifies goes through the
//! pipelines, and the loop IR gives what the array IR gave, bit for bit, on the interpreter.

use we3_backend_interp::{Limits, RunValue, Stop, run_entry};
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_ir::{EntryAbi, FuncId, Level, Module};
use we3_passes::pipelines::{OPTIMISE, QUICK};
use we3_passes::{PassContext, RunOptions, TargetFacts, run_passes};
use we3_tests::ir_mutation::{Random, arguments, mutate, originals, rounds};

/// Makes one function the only entry.
fn as_entry(module: &mut Module, entry: FuncId) {
    for (id, func) in &mut module.funcs {
        let abi = EntryAbi {
            param_strides: vec![1; func.blocks[func.body].params.len()],
            result_strides: vec![1; func.results.len()],
        };
        func.entry = (id == entry).then_some(abi);
    }
}

/// Scalars, then arrays without their shape, as the loop level gives them.
fn flat(results: Vec<RunValue>) -> Vec<RunValue> {
    let (mut scalars, mut arrays) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            RunValue::Scalar(_) => scalars.push(result),
            RunValue::Array(mut array) => {
                array.sizes = vec![array.sizes.iter().product()];
                arrays.push(RunValue::Array(array));
            }
        }
    }
    scalars.extend(arrays);
    scalars
}

fn run(module: &Module, func: FuncId, args: Vec<RunValue>, limits: &Limits) -> Result<Vec<RunValue>, Stop> {
    let verified = verify(module).unwrap_or_else(|errors| panic!("{errors:?}\n{}", print_module(module)));
    run_entry(verified, func, args, limits).map(flat)
}

#[test]
fn mutated_programs_keep_their_meaning() {
    let (texts, rounds) = (originals(), rounds());
    let mut random = Random(3);
    let limits = Limits { steps: 20_000, bytes: 1 << 20, backwards: false };
    let wide = Limits { steps: 2_000_000, bytes: 1 << 24, backwards: false };
    let mut compared = 0;
    for _ in 0..rounds {
        let original = &texts[random.below(texts.len())];
        let text = mutate(&mut random, original);
        let Ok(mut module) = parse_module(&text) else { continue };
        if module.level != Level::Array || verify(&module).is_err() {
            continue;
        }
        let Some(entry) = module.funcs.keys().next_back() else { continue };
        as_entry(&mut module, entry);
        let args = arguments(&mut random, &module, entry);
        let before = run(&module, entry, args.clone(), &limits);
        if matches!(before, Err(Stop::Broken(_) | Stop::OutOfMemory | Stop::TooLarge | Stop::StepLimit)) {
            continue;
        }
        let narrow = TargetFacts::default();
        let streaming = TargetFacts { last_level_bytes: 256, ..TargetFacts::wide() };
        for (pipeline, facts) in [(QUICK, &narrow), (OPTIMISE, &narrow), (OPTIMISE, &streaming)] {
            let context = PassContext::for_target(facts.clone());
            let lowered = run_passes(module.clone(), pipeline.passes, &context, &mut RunOptions::default());
            let lowered = lowered.unwrap_or_else(|bug| panic!("{bug}\n{}", print_module(&module))).module;
            let Some(id) = lowered.find(&module.funcs[entry].name) else { panic!("the entry is gone") };
            let after = run(&lowered, id, args.clone(), &wide);
            let same = match (&before, &after) {
                // Which check fails first is found by the array interpreter.
                (Err(Stop::Check { .. }), Err(Stop::Check { .. })) => true,
                (before, after) => before == after,
            };
            assert!(
                same,
                "{}: {before:?} became {after:?} with {args:?}\n{}\n{}",
                pipeline.name,
                print_module(&module),
                print_module(&lowered)
            );
            compared += 1;
        }
    }
    assert!(compared > rounds / 20, "only {compared} comparisons");
}
