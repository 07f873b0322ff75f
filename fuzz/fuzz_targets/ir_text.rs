//! Any text as IR: the parser gives errors, what it accepts prints as it reads, the verifier gives errors.
#![no_main]

use libfuzzer_sys::fuzz_target;
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;

fuzz_target!(|text: &str| {
    let Ok(module) = parse_module(text) else { return };
    if verify(&module).is_err() {
        return;
    }
    let printed = print_module(&module);
    let again = parse_module(&printed).expect("what is printed reads back");
    assert_eq!(print_module(&again), printed);
});
