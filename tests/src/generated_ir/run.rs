//! Runs the cases of a group on the array interpreter, and then with both pipelines on the loop interpreter,
//! on Cranelift and (feature `llvm`) on LLVM for several machines: same bits everywhere.

use std::sync::OnceLock;

use we3_backend_api::{Arch, Artifact, Emit, Target, entry_symbol};
use we3_backend_interp::{Limits, RunArray, RunValue, run_entry};
use we3_device::ptxas::Ptxas;
use we3_device::{ArgSlot, CallLimits, LoadedObject, OutputLayout, Threads, call_entry, host_target};
use we3_driver::plan::{BackendChoice, Plan, target_from_name};
use we3_driver::stages::{StageLog, generate, lower};
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_ir::{Func, Module, Scalar, Type};

use super::values::{Random, samples, special, to_bytes};
use super::{Case, Group};

/// Scalar results in order, then the bytes of the array results in order.
type Outcome = (Vec<u64>, Vec<Vec<u8>>);

/// One call and what the array interpreter returns for it.
struct Call<'a> {
    case: &'a Case,
    size: i64,
    wild: bool,
    args: Vec<RunValue>,
    expected: Outcome,
}

/// How many special values the arguments hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Data {
    /// All special values in every combination of two, then any bits.
    Grid,
    /// Ordinary numbers once, and once with special ones among them: else every sum is NaN.
    CalmAndWild,
}

/// Runs a group everywhere.
pub fn check(group: &Group, data: Data) {
    let text = group.text();
    let module = parse_module(&text).unwrap_or_else(|errors| panic!("{}: {errors:?}\n{text}", group.name));
    verify(&module).unwrap_or_else(|errors| panic!("{}: {errors:?}\n{}", group.name, print_module(&module)));
    let calls = calls(group, &module, data);
    for plan in plans() {
        let lowered = lower(module.clone(), &plan, &mut StageLog::default())
            .unwrap_or_else(|failure| panic!("{}, {}: {failure:?}", group.name, plan.describe()));
        if plan.backend == BackendChoice::LoopInterpreter {
            calls.iter().for_each(|call| same(call, &interpret(&lowered, call.case, &call.args), &plan));
            continue;
        }
        let artifact = generate(&lowered, &plan, Emit::Object, &mut StageLog::default())
            .unwrap_or_else(|failure| panic!("{}, {}: {failure:?}", group.name, plan.describe()));
        let Artifact::Object(bytes) = artifact else { panic!("{} made no object", plan.describe()) };
        let object = LoadedObject::load(&bytes).unwrap_or_else(|error| panic!("{error}"));
        for call in &calls {
            for threads in [Threads::ONE, Threads::disordered(4, call.size.unsigned_abs())] {
                same(call, &native(&object, &module, call, threads), &plan);
            }
        }
    }
    assemble(group, &module);
}

/// Interpreter and compilers, with and without optimisation, on the least and the most that this machine has.
fn plans() -> Vec<Plan> {
    let host = host_target();
    let v3 = target_from_name("x86-64-v3").filter(|target| target.features.iter().all(|f| host.has(f)));
    let mut plans = Vec::new();
    for level in [0, 3] {
        plans.push(Plan::host(BackendChoice::LoopInterpreter).at_level(level));
        let mut targets = vec![host.clone()];
        if host.arch == Arch::X86_64 {
            targets.push(Target::x86_64_baseline());
        }
        for target in &targets {
            plans.push(Plan::host(BackendChoice::Cranelift).for_target(target.clone()).at_level(level));
        }
        if cfg!(feature = "llvm") {
            for target in targets.iter().chain(&v3) {
                plans.push(Plan::host(BackendChoice::Llvm).for_target(target.clone()).at_level(level));
            }
        }
    }
    plans
}

/// Every kernel goes through the real assembler, where it is installed.
fn assemble(group: &Group, module: &Module) {
    static ASSEMBLER: OnceLock<Option<Ptxas>> = OnceLock::new();
    if !cfg!(feature = "llvm") {
        return;
    }
    let environment = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.venv");
    let assembler = ASSEMBLER.get_or_init(|| Ptxas::find(&[environment]));
    let processor = "sm_75";
    let target = target_from_name(processor).expect("a target");
    let plan = Plan::host(BackendChoice::Llvm).for_target(target);
    let lowered = lower(module.clone(), &plan, &mut StageLog::default())
        .unwrap_or_else(|failure| panic!("{}, PTX: {failure:?}", group.name));
    let artifact = generate(&lowered, &plan, Emit::Object, &mut StageLog::default())
        .unwrap_or_else(|failure| panic!("{}, PTX: {failure:?}", group.name));
    let Artifact::Kernels { ptx, .. } = artifact else { panic!("no kernels for {}", group.name) };
    if let Some(assembler) = assembler {
        assembler.assemble(&ptx, processor, 0).unwrap_or_else(|error| panic!("{}: {error}", group.name));
    }
}

// ---- calls ----

fn calls<'a>(group: &'a Group, module: &Module, data: Data) -> Vec<Call<'a>> {
    let wilds: &[bool] = match data {
        Data::Grid => &[true],
        Data::CalmAndWild => &[false, true],
    };
    let mut calls = Vec::new();
    for case in &group.cases {
        for size in case.sizes {
            for wild in wilds {
                let args = arguments(function(module, case), *size, *wild, data);
                let expected = interpret(module, case, &args);
                calls.push(Call { case, size: *size, wild: *wild, args, expected });
            }
        }
    }
    calls
}

fn function<'a>(module: &'a Module, case: &Case) -> &'a Func {
    &module.funcs[module.find(&case.name).unwrap_or_else(|| panic!("no entry {}", case.name))]
}

/// The size for the first parameter, values for all others.
fn arguments(func: &Func, size: i64, wild: bool, data: Data) -> Vec<RunValue> {
    let mut random = Random(size as u64 * 2 + u64::from(wild));
    let mut stride = 1;
    let mut args = vec![RunValue::Scalar(size as u64)];
    for param in &func.params()[1..] {
        let ty = func.ty(*param);
        let elem = ty.element();
        let values = match data {
            Data::Grid => grid(&mut random, elem, size, &mut stride),
            Data::CalmAndWild => (0..size.max(1)).map(|_| ordinary(&mut random, elem, wild)).collect(),
        };
        args.push(match ty {
            Type::Scalar(_) => RunValue::Scalar(values[0]),
            Type::Array(..) | Type::Buffer(_) | Type::Vector(..) => {
                let data = to_bytes(elem, &values[..size as usize]);
                RunValue::Array(RunArray { elem, sizes: vec![size], data })
            }
        });
    }
    args
}

/// A column that turns through the special values: the first at every row, the second a round later.
fn grid(random: &mut Random, ty: Scalar, size: i64, stride: &mut usize) -> Vec<u64> {
    let values = samples(ty, special(ty).len() + 8);
    let start = random.below(values.len());
    let column = (0..size as usize).map(|row| values[(start + row / *stride) % values.len()]).collect();
    *stride *= values.len();
    if *stride > size.max(1) as usize {
        *stride = 7;
    }
    column
}

/// Small numbers of many exponents; one in fifty is special if `wild`.
fn ordinary(random: &mut Random, ty: Scalar, wild: bool) -> u64 {
    let bits = random.next_bits();
    let mask = u64::MAX >> (64 - ty.bits());
    if wild && random.below(50) == 0 {
        let values = special(ty);
        return values[random.below(values.len())];
    }
    let number = (bits % 200_001) as f64 / 65536.0 - 1.5;
    let bits = match ty {
        Scalar::F64 => number.to_bits(),
        Scalar::F32 => u64::from((number as f32).to_bits()),
        Scalar::Bf16 => u64::from((number as f32).to_bits() >> 16),
        // From 2⁻¹¹ to 2, either sign.
        Scalar::F16 => (0x1000 + bits % 0x3000) | (bits >> 32 & 0x8000),
        _ => bits,
    };
    bits & mask
}

// ---- running ----

fn interpret(module: &Module, case: &Case, args: &[RunValue]) -> Outcome {
    let verified = verify(module).unwrap_or_else(|errors| panic!("{errors:?}"));
    let func = module.find(&case.name).unwrap_or_else(|| panic!("no entry {}", case.name));
    let results = run_entry(verified, func, args.to_vec(), &Limits::default())
        .unwrap_or_else(|stop| panic!("{}: {stop}", case.name));
    let (mut scalars, mut arrays) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            RunValue::Scalar(bits) => scalars.push(bits),
            RunValue::Array(array) => arrays.push(array.data),
        }
    }
    (scalars, arrays)
}

fn native(object: &LoadedObject, module: &Module, call: &Call<'_>, threads: Threads) -> Outcome {
    let slots: Vec<ArgSlot<'_>> = call
        .args
        .iter()
        .map(|arg| match arg {
            RunValue::Scalar(bits) => ArgSlot::Scalar(*bits),
            RunValue::Array(array) => ArgSlot::Buffer(&array.data),
        })
        .collect();
    let results = &function(module, call.case).results;
    let outputs: Vec<OutputLayout> = results
        .iter()
        .filter(|ty| !matches!(ty, Type::Scalar(_)))
        .enumerate()
        .map(|(number, ty)| OutputLayout::dense(number as u32, ty.element().bytes()))
        .collect();
    let n_scalars = results.len() - outputs.len();
    let symbol = entry_symbol(&call.case.name);
    let limits = CallLimits { threads, ..CallLimits::default() };
    let outcome = call_entry(object, &symbol, &slots, n_scalars, &outputs, limits)
        .unwrap_or_else(|error| panic!("{} of size {}: {error}", call.case.name, call.size));
    let arrays = outcome.groups.values().map(|memory| memory.as_slice().to_vec()).collect();
    (outcome.results, arrays)
}

fn same(call: &Call<'_>, found: &Outcome, plan: &Plan) {
    if *found == call.expected {
        return;
    }
    let place = call
        .expected
        .1
        .iter()
        .zip(&found.1)
        .find_map(|(expected, found)| expected.iter().zip(found).position(|(left, right)| left != right));
    panic!(
        "{} of size {} ({}) on {}: scalars {:x?}, not {:x?}; byte {place:?} of the arrays differs first\n{}",
        call.case.name,
        call.size,
        if call.wild { "special values" } else { "ordinary values" },
        plan.describe(),
        found.0,
        call.expected.0,
        call.case.text
    );
}
