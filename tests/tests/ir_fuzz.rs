//! 10,000 mutated IR files: the parser, the verifier, the printer and the interpreter give errors, never
//! a panic, and what is accepted prints as it reads. The seed is fixed; `WE3_FUZZ=n` runs more.

use we3_backend_interp::{Limits, Stop, run_entry};
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_tests::ir_mutation::{Random, arguments, mutate, originals, rounds};

#[test]
fn mutated_files_give_errors_only() {
    let (texts, rounds) = (originals(), rounds());
    let mut random = Random(2);
    let limits = Limits { steps: 20_000, bytes: 1 << 20, backwards: false };
    let (mut parsed, mut verified_count, mut ran) = (0, 0, 0);
    for _ in 0..rounds {
        let original = &texts[random.below(texts.len())];
        let text = mutate(&mut random, original);
        let Ok(module) = parse_module(&text) else { continue };
        parsed += 1;
        let printed = print_module(&module);
        let Ok(verified) = verify(&module) else { continue };
        verified_count += 1;
        let again = parse_module(&printed).unwrap_or_else(|errors| panic!("{errors:?}\n{printed}"));
        assert_eq!(print_module(&again), printed);
        for func in module.funcs.keys() {
            let args = arguments(&mut random, &module, func);
            let outcome = run_entry(verified, func, args, &limits);
            if let Err(Stop::Broken(message)) = &outcome {
                assert!(!message.contains("after its last use"), "{message}\n{printed}");
            }
            ran += usize::from(outcome.is_ok());
        }
    }
    // The mutations are mild enough that every stage sees many of them.
    assert!(
        parsed > rounds / 20 && verified_count > rounds / 50 && ran > rounds / 100,
        "{parsed} {verified_count} {ran}"
    );
}
