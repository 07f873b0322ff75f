//! Tests of passes that are files: `tests/ir/passes/*.ir`. A case is headed by `; case: name` and
//! `; pass: a, b` (and `; facts: wide`: for wide vectors with masks, or `; facts: small caches`: that and last-level caches of 4 KiB); then stand the input, the line `; becomes:` and the output. `WE3_BLESS=1` rewrites
//! what is expected (`ir_files`).

use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_passes::pipelines::find_pass;
use we3_passes::{Pass, PassContext, RunOptions, TargetFacts, run_passes};

/// The line between input and output.
const BECOMES: &str = "; becomes:";

/// A case as it should be.
pub fn passed_case(case: &str) -> String {
    let input: String = match case.split_once(BECOMES) {
        Some((input, _)) => input.trim_end().to_owned(),
        None => case.trim_end().to_owned(),
    };
    let output = transformed(&input).unwrap_or_else(|fault| format!("; {fault}"));
    format!("{input}\n{BECOMES}\n{}\n\n", output.trim_end())
}

fn transformed(input: &str) -> Result<String, String> {
    let names =
        input.lines().find_map(|line| line.strip_prefix("; pass:")).ok_or("no line `; pass: NAME`")?;
    let passes: Vec<Pass> = names
        .split(',')
        .map(|name| find_pass(name.trim()).ok_or(format!("no pass is called {name}")))
        .collect::<Result<_, _>>()?;
    let module = parse_module(input).map_err(|errors| format!("does not parse: {errors:?}"))?;
    verify(&module).map_err(|errors| format!("does not verify: {errors:?}"))?;
    let mut options = RunOptions { verify_each: true, ..RunOptions::default() };
    let wide = input.lines().any(|line| line == "; facts: wide");
    let small = input.lines().any(|line| line == "; facts: small caches");
    let facts = match (wide, small) {
        (_, true) => TargetFacts { last_level_bytes: 4096, ..TargetFacts::wide() },
        (true, false) => TargetFacts::wide(),
        (false, false) => TargetFacts::default(),
    };
    let outcome = run_passes(module, &passes, &PassContext::for_target(facts), &mut options);
    outcome.map(|outcome| print_module(&outcome.module)).map_err(|bug| bug.to_string())
}
