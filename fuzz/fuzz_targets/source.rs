//! Any text: the parser gives diagnostics, formatting keeps the tree and is idempotent.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    we3_parser::fuzz::check(source);
});
