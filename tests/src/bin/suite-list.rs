//! Lists the generated part of the suite: every program with its operations, in the source language and in
//! array IR; with a name, its source.

use we3_tests::generated_ir;
use we3_tests::suite::generated::{SIZES, programs};

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for program in programs() {
        if wanted.is_empty() {
            let names: Vec<&str> = program.entries.iter().map(|(name, _)| name.as_str()).collect();
            println!("{:<20} × sizes {SIZES:?}: {}", program.name, names.join(" "));
        } else if wanted.contains(&program.name) {
            print!("{}", program.source());
        }
    }
    for group in generated_ir::all() {
        for case in &group.cases {
            if wanted.is_empty() {
                println!("{:<20} × sizes {:?}: {}", format!("ir {}", group.name), case.sizes, case.name);
            } else if wanted.contains(&case.name) {
                print!("{}", case.text);
            }
        }
    }
}
