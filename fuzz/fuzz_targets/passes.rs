//! Any text that is array IR and verifies: both pipelines give loop IR that returns, for small arguments,
//! what the array IR returned, bit for bit. Start it with `tests/ir/interp` as corpus.
#![no_main]

use libfuzzer_sys::fuzz_target;
use we3_backend_interp::{Limits, RunArray, RunValue, Stop, run_entry};
use we3_ir::text::parse_module;
use we3_ir::verify::verify;
use we3_ir::{EntryAbi, Func, FuncId, Level, Module, Type, Value};
use we3_passes::pipelines::{OPTIMISE, QUICK};
use we3_passes::{PassContext, RunOptions, run_passes};

fuzz_target!(|text: &str| {
    let Ok(mut module) = parse_module(text) else { return };
    let Some(entry) = module.funcs.keys().last() else { return };
    if module.level != Level::Array || verify(&module).is_err() {
        return;
    }
    as_entry(&mut module, entry);
    if verify(&module).is_err() {
        return;
    }
    let args = arguments(&module.funcs[entry]);
    let before = run(&module, entry, &args, 20_000);
    if matches!(before, Err(Stop::Broken(_) | Stop::OutOfMemory | Stop::TooLarge | Stop::StepLimit)) {
        return;
    }
    for pipeline in [QUICK, OPTIMISE] {
        let lowered =
            run_passes(module.clone(), pipeline.passes, &PassContext::default(), &mut RunOptions::default())
                .unwrap_or_else(|bug| panic!("{bug}\n{text}"))
                .module;
        let id = lowered.find(&module.funcs[entry].name).expect("the entry stays");
        let after = run(&lowered, id, &args, 2_000_000);
        let checks = matches!((&before, &after), (Err(Stop::Check { .. }), Err(Stop::Check { .. })));
        assert!(checks || before == after, "{}: {before:?} became {after:?}\n{text}", pipeline.name);
    }
});

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

/// Small numbers, and arrays of the sizes that the parameters before them say.
fn arguments(func: &Func) -> Vec<RunValue> {
    let mut args: Vec<RunValue> = Vec::new();
    for (number, param) in func.params().iter().enumerate() {
        let ty = func.ty(*param);
        args.push(match ty {
            Type::Scalar(_) | Type::Vector(..) => {
                RunValue::Scalar((number as u64 * 3 + 2) % 5 & u64::MAX >> (64 - ty.element().bits()))
            }
            Type::Array(..) | Type::Buffer(_) => {
                let sizes: Vec<i64> = ty.sizes().iter().map(|size| size_of(func, *size, &args)).collect();
                let count: i64 = sizes.iter().product();
                let elem = ty.element();
                RunValue::Array(RunArray { elem, sizes, data: vec![0; count as usize * elem.bytes() as usize] })
            }
        });
    }
    args
}

fn size_of(func: &Func, size: Value, args: &[RunValue]) -> i64 {
    let number = func.params().iter().position(|param| *param == size);
    match number.and_then(|number| args.get(number)) {
        Some(RunValue::Scalar(bits)) => *bits as i64,
        Some(RunValue::Array(_)) | None => 0,
    }
}

/// Scalars, then arrays without their shape, as the loop level gives them.
fn run(module: &Module, func: FuncId, args: &[RunValue], steps: u64) -> Result<Vec<RunValue>, Stop> {
    let verified = verify(module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let limits = Limits { steps, bytes: 1 << 24, backwards: false };
    let results = run_entry(verified, func, args.to_vec(), &limits)?;
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
    Ok(scalars)
}
