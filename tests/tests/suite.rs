//! Programs of `tests/suite`, the examples and the library, on every configuration of this machine.

use we3_driver::sources::Sources;
use we3_tests::suite::generated::{programs, run_program};
use we3_tests::suite::program::{run_file, run_sources};
use we3_tests::suite::{conclude, files, guarded, pool, ptx, say};

#[test]
fn suite_programs_give_what_they_say_on_every_backend() {
    let reports = pool::map(&files("tests/suite"), |path| run_file(path));
    conclude("suite", &reports);
    let kernels: usize = reports.iter().map(|report| report.kernels).sum();
    assert!(kernels > 0 || !ptx::is_tested() || reports.is_empty(), "ptxas is there and got no kernel");
}

#[test]
fn emitted_ptx_is_assembled_in_ci() {
    let there = ptx::assembler().is_some();
    if !there {
        say("NOT TESTED: no ptxas, so emitted PTX is not assembled (make setup installs it)");
    }
    assert!(there || !ptx::must_be_tested(), "CI=true, and there is no ptxas: make setup installs it");
}

#[test]
fn every_operation_agrees_at_every_type_and_size() {
    conclude("generated", &pool::map(&programs(), run_program));
}

#[test]
fn examples_give_what_they_say_on_every_backend() {
    conclude("examples", &pool::map(&files("examples"), |path| run_file(path)));
}

#[test]
fn the_library_passes_its_tests_on_every_backend() {
    let reports = pool::map(we3_stdlib::MODULES, |(name, _)| {
        guarded(std::path::Path::new(&format!("std/{name}.we3")), |report| {
            run_sources(Sources::from_std(name).expect("a module of the table"), report);
        })
    });
    conclude("library", &reports);
}
