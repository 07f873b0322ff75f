//! Arguments for a program, its runs before and after lowering, and their comparison.

use we3_backend_interp::{Limits, RunArray, RunValue, Stop, run_entry};
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_ir::{FuncId, Module, Scalar, Type};
use we3_passes::pipelines::{OPTIMISE, Pipeline, QUICK};
use we3_passes::{PassContext, RunOptions, TargetFacts, run_passes};
use we3_tests::ir_mutation::Random;

pub const SIZES: &[i64] =
    &[0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128, 511, 512, 513, 1000, 1024, 1025, 4095, 4096, 4097, 9000];
pub const SHORT: &[i64] = &[0, 1, 2, 3, 7, 33, 64, 65, 130, 600];

/// Bits of a scalar: mostly ordinary numbers, `special` in a thousand are any bits at all.
fn scalar(random: &mut Random, ty: Scalar, special: u64, below: u64) -> u64 {
    let bits = random.next_bits();
    if ty == Scalar::I64 {
        return bits % below.max(1);
    }
    let mask = u64::MAX >> (64 - ty.bits());
    let small = (bits % 2001) as f64 / 64.0 - 15.0;
    let any = random.next_bits() % 1000 < special;
    let number = match ty {
        Scalar::F64 if !any => small.to_bits(),
        Scalar::F32 if !any => u64::from((small as f32).to_bits()),
        Scalar::Bf16 if !any => u64::from((small as f32).to_bits() >> 16),
        Scalar::F16 if !any => bits & 0xbfff,
        _ => bits,
    };
    number & mask
}

fn array(random: &mut Random, elem: Scalar, sizes: Vec<i64>, special: u64, below: u64) -> RunValue {
    let count = sizes.iter().product::<i64>();
    let mut data = Vec::new();
    for _ in 0..count {
        let bits = scalar(random, elem, special, below);
        data.extend_from_slice(&bits.to_le_bytes()[..elem.bytes() as usize]);
    }
    RunValue::Array(RunArray { elem, sizes, data })
}

/// Arguments: `i64` parameters take the given sizes in order; `i64` arrays hold subscripts.
fn arguments(module: &Module, sizes: &[i64], special: u64) -> Vec<RunValue> {
    let func = &module.funcs[entry(module)];
    let mut random = Random(sizes.iter().sum::<i64>() as u64 + special);
    let mut left = sizes.iter();
    let mut args: Vec<RunValue> = Vec::new();
    for param in func.params() {
        args.push(match func.ty(*param) {
            Type::Scalar(Scalar::I64) => RunValue::Scalar(*left.next().expect("enough sizes") as u64),
            Type::Scalar(ty) => RunValue::Scalar(scalar(&mut random, *ty, special, 0)),
            Type::Array(elem, axes) => {
                let axis = |size: &we3_ir::Value| {
                    let number = func.params().iter().position(|param| param == size).expect("a parameter");
                    match args[number] {
                        RunValue::Scalar(bits) => bits as i64,
                        RunValue::Array(_) => unreachable!(),
                    }
                };
                let axes: Vec<i64> = axes.iter().map(axis).collect();
                array(&mut random, *elem, axes, special, sizes[0] as u64)
            }
            other => panic!("a parameter of type {other:?}"),
        });
    }
    args
}

fn entry(module: &Module) -> FuncId {
    module.funcs.iter().find(|(_, func)| func.entry.is_some()).expect("an entry").0
}

/// Scalars, then the bytes of arrays; or that a check failed.
type Outcome = Option<(Vec<u64>, Vec<Vec<u8>>)>;

fn run(module: &Module, args: &[RunValue], backwards: bool) -> Outcome {
    let verified = verify(module).expect("verifies");
    let limits = Limits { backwards, bytes: 64 << 20, ..Limits::default() };
    let results = match run_entry(verified, entry(module), args.to_vec(), &limits) {
        Ok(results) => results,
        Err(Stop::Check { .. }) => return None,
        Err(stop) => panic!("{stop:?}\n{}", print_module(module)),
    };
    let mut scalars = Vec::new();
    let mut arrays = Vec::new();
    for result in results {
        match result {
            RunValue::Scalar(bits) => scalars.push(bits),
            RunValue::Array(array) => arrays.push(array.data),
        }
    }
    Some((scalars, arrays))
}

fn lowered(module: &Module, pipeline: Pipeline, facts: &TargetFacts) -> Module {
    let ctx = PassContext::for_target(facts.clone());
    let mut options = RunOptions { verify_each: true, ..RunOptions::default() };
    match run_passes(module.clone(), pipeline.passes, &ctx, &mut options) {
        Ok(outcome) => outcome.module,
        Err(bug) => panic!("{bug}\n{}", bug.before.as_deref().unwrap_or_default()),
    }
}

/// The program returns the same before and after lowering, for each list of sizes.
pub fn check(text: &str, sizes: &[Vec<i64>]) {
    let module =
        parse_module(&format!("array module\n{text}")).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    if let Err(errors) = verify(&module) {
        panic!("{errors:?}\n{text}");
    }
    let narrow = TargetFacts::default();
    let variants = [
        lowered(&module, QUICK, &narrow),
        lowered(&module, OPTIMISE, &narrow),
        lowered(&module, OPTIMISE, &TargetFacts { last_level_bytes: 256, ..TargetFacts::wide() }),
    ];
    for sizes in sizes {
        for special in [0, 20] {
            let args = arguments(&module, sizes, special);
            let expected = run(&module, &args, false);
            for variant in &variants {
                for backwards in [false, true] {
                    let found = run(variant, &args, backwards);
                    if found != expected {
                        report(text, variant, sizes, &expected, &found);
                    }
                }
            }
        }
    }
}

fn report(text: &str, variant: &Module, sizes: &[i64], expected: &Outcome, found: &Outcome) {
    let (Some(expected), Some(found)) = (expected, found) else {
        panic!("sizes {sizes:?}: a check fails in one and not the other\n{text}\n{}", print_module(variant));
    };
    assert_eq!(expected.0, found.0, "scalars at sizes {sizes:?} of\n{text}\n{}", print_module(variant));
    for (expected, found) in expected.1.iter().zip(&found.1) {
        let place = expected.iter().zip(found).position(|(a, b)| a != b);
        let lengths = (expected.len(), found.len());
        assert!(
            expected == found,
            "at sizes {sizes:?}, byte {place:?} of {lengths:?}\n{text}\n{}",
            print_module(variant)
        );
    }
    panic!("numbers of results differ");
}

pub fn one(sizes: &[i64]) -> Vec<Vec<i64>> {
    sizes.iter().map(|size| vec![*size]).collect()
}

pub fn pairs(sizes: &[i64]) -> Vec<Vec<i64>> {
    sizes.iter().flat_map(|size| [vec![3, *size], vec![*size, 2]]).collect()
}
