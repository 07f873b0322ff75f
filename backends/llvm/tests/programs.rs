//! Whole programs: array IR from `tests/programs`, lowered by both pipelines, run by the interpreter
//! (on the array IR) and by LLVM at every optimisation level for several machines, and split into GPU
//! kernels whose launch plan is carried out on the CPU. All give the same bits, or all fail.

#![allow(clippy::disallowed_methods, reason = "reads its programs")]

mod harness;

use std::collections::HashMap;

use harness::plan::{PlanOutcome, run_plan};
use harness::{Random, call, edges, load, targets};
use we3_backend_interp::{ArgValue, Limits, RunArray, RunValue, Stop, run_entry};
use we3_device::{ArgSlot, CallError, LoadedObject, OutputLayout};
use we3_ir::{Func, Module, Scalar, Type, Value};
use we3_passes::pipelines::{OPTIMISE, Pipeline, QUICK};
use we3_passes::{PassContext, RunOptions, TargetFacts, run_passes};

/// What a run gave: scalar results and the elements of array results, or a failed check.
type Results = Result<(Vec<u64>, Vec<Vec<u8>>), &'static str>;

fn programs() -> Vec<(String, Module)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).expect("a program");
            (name, harness::parse(&text))
        })
        .collect()
}

fn lower(name: &str, module: &Module, pipeline: Pipeline, facts: &TargetFacts) -> Module {
    let ctx = PassContext::for_target(facts.clone());
    let mut options = RunOptions { verify_each: true, ..RunOptions::default() };
    match run_passes(module.clone(), pipeline.passes, &ctx, &mut options) {
        Ok(outcome) => outcome.module,
        Err(bug) => panic!("{name}: {bug}\n{}", bug.before.as_deref().unwrap_or_default()),
    }
}

/// Sizes and contents for an entry's parameters: sizes are the `i64` that array types name.
fn arguments(func: &Func, size: i64, random: &mut Random) -> Vec<ArgValue> {
    let mut sizes: HashMap<Value, i64> = HashMap::new();
    for param in func.params() {
        for named in func.ty(*param).sizes() {
            sizes.entry(*named).or_insert(size);
        }
    }
    func.params()
        .iter()
        .map(|param| match func.ty(*param) {
            Type::Scalar(Scalar::I64) => RunValue::Scalar(sizes.get(param).copied().unwrap_or(size) as u64),
            Type::Scalar(scalar) => RunValue::Scalar(element(*scalar, random)),
            Type::Array(elem, axes) => {
                let axes: Vec<i64> = axes.iter().map(|axis| sizes[axis]).collect();
                let count = axes.iter().product::<i64>();
                let bits: Vec<u64> = (0..count).map(|_| element(*elem, random)).collect();
                RunValue::Array(RunArray { elem: *elem, sizes: axes, data: harness::to_bytes(*elem, &bits) })
            }
            Type::Buffer(_) | Type::Vector(..) => panic!("no type of array level"),
        })
        .collect()
}

/// Mostly ordinary numbers, a special value now and then.
fn element(ty: Scalar, random: &mut Random) -> u64 {
    let edges = edges(ty);
    let bits = random.next();
    match ty {
        _ if bits.is_multiple_of(97) => edges[(random.next() % edges.len() as u64) as usize],
        Scalar::F32 => u64::from((((bits >> 20) as i32 % 4096) as f32 / 512.0).to_bits()),
        Scalar::F64 => (((bits >> 20) as i32 % 4096) as f64 / 512.0).to_bits(),
        Scalar::F16 => bits % 0x0c00 + 0x3400,
        Scalar::Bf16 => bits % 0x0400 + 0x3d80,
        Scalar::Bool => bits & 1,
        Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => bits >> (64 - ty.bits()),
    }
}

fn interpreted(module: &Module, name: &str, args: &[ArgValue]) -> Results {
    let verified = we3_ir::verify::verify(module).expect("a verified module");
    let func = module.find(name).expect("the entry");
    match run_entry(verified, func, args.to_vec(), &Limits::default()) {
        Ok(results) => {
            let (mut scalars, mut arrays) = (Vec::new(), Vec::new());
            for result in results {
                match result {
                    RunValue::Scalar(bits) => scalars.push(bits),
                    RunValue::Array(array) => arrays.push(array.data),
                }
            }
            Ok((scalars, arrays))
        }
        Err(Stop::Check { .. }) => Err("a check failed"),
        Err(stop) => panic!("{name}: {stop:?}"),
    }
}

/// Memory of the arguments as compiled code takes it: elements `stride` apart.
fn argument_bytes(func: &Func, args: &[ArgValue]) -> Vec<Vec<u8>> {
    let strides = &func.entry.as_ref().expect("an entry").param_strides;
    args.iter()
        .zip(strides)
        .map(|(arg, stride)| match arg {
            RunValue::Scalar(_) => Vec::new(),
            RunValue::Array(array) => {
                let size = array.elem.bytes() as usize;
                let mut bytes = vec![0xa5; array.data.len() * *stride as usize];
                for (number, element) in array.data.chunks_exact(size).enumerate() {
                    let start = number * size * *stride as usize;
                    bytes[start..start + size].copy_from_slice(element);
                }
                bytes
            }
        })
        .collect()
}

fn slots<'a>(args: &[ArgValue], bytes: &'a [Vec<u8>]) -> Vec<ArgSlot<'a>> {
    args.iter()
        .zip(bytes)
        .map(|(arg, bytes)| match arg {
            RunValue::Scalar(bits) => ArgSlot::Scalar(*bits),
            RunValue::Array(_) => ArgSlot::Buffer(bytes),
        })
        .collect()
}

/// Element sizes and strides of the array results.
fn array_results(func: &Func) -> Vec<(u32, u32)> {
    let strides = &func.entry.as_ref().expect("an entry").result_strides;
    func.results
        .iter()
        .zip(strides)
        .filter(|(ty, _)| matches!(ty, Type::Array(..)))
        .map(|(ty, stride)| (ty.element().bytes(), *stride))
        .collect()
}

fn dense(bytes: &[u8], elem_bytes: u32, stride: u32) -> Vec<u8> {
    bytes
        .chunks(elem_bytes as usize * stride as usize)
        .flat_map(|record| record[..elem_bytes as usize].to_vec())
        .collect()
}

fn compiled(object: &LoadedObject, func: &Func, args: &[ArgValue]) -> Results {
    let bytes = argument_bytes(func, args);
    let shapes = array_results(func);
    let layouts: Vec<OutputLayout> = shapes
        .iter()
        .enumerate()
        .map(|(number, (elem_bytes, stride))| OutputLayout {
            group: number as u32,
            byte_offset: 0,
            elem_bytes: *elem_bytes,
            stride: *stride,
        })
        .collect();
    let n_scalars = func.results.len() - shapes.len();
    match call(object, &func.name, &slots(args, &bytes), n_scalars, &layouts) {
        Ok(outcome) => {
            let arrays = shapes
                .iter()
                .enumerate()
                .map(|(number, (elem, stride))| {
                    dense(outcome.groups[&(number as u32)].as_slice(), *elem, *stride)
                })
                .collect();
            Ok((outcome.results, arrays))
        }
        Err(CallError::CheckFailed) => Err("a check failed"),
        Err(error) => panic!("{}: {error}", func.name),
    }
}

/// The kernels of the launch plan, compiled for this machine.
struct Planned {
    kernels: LoadedObject,
    plan: we3_backend_api::launch::LaunchPlan,
}

impl Planned {
    fn new(lowered: &Module) -> Planned {
        let (kernels, plan) = we3_backend_llvm::ptx::map_to_grid(lowered).expect("a plan");
        Planned { kernels: load(&kernels, &we3_device::host_target(), 3), plan }
    }

    fn run(&self, func: &Func, args: &[ArgValue]) -> Results {
        let plan = self.plan.entries.iter().find(|plan| plan.name == func.name).expect("the entry's plan");
        let bytes = argument_bytes(func, args);
        let shapes = array_results(func);
        let record_bytes: Vec<u32> = shapes.iter().map(|(elem_bytes, stride)| elem_bytes * stride).collect();
        match run_plan(plan, &self.kernels, &slots(args, &bytes), &record_bytes) {
            Ok(PlanOutcome { results, outputs }) => {
                let arrays = shapes
                    .iter()
                    .enumerate()
                    .map(|(number, (elem, stride))| dense(&outputs[&(number as u32)], *elem, *stride))
                    .collect();
                Ok((results, arrays))
            }
            Err(we3_backend_api::STATUS_CHECK_FAILED) => Err("a check failed"),
            Err(status) => panic!("{}: status {status}", func.name),
        }
    }
}

/// Fails with the first difference.
fn same(got: &Results, wanted: &Results, place: &str) {
    match (got, wanted) {
        (Ok((scalars, arrays)), Ok((wanted_scalars, wanted_arrays))) => {
            assert_eq!(scalars, wanted_scalars, "{place}");
            assert_eq!(arrays.len(), wanted_arrays.len(), "{place}");
            for (number, (array, wanted)) in arrays.iter().zip(wanted_arrays).enumerate() {
                assert_eq!(array.len(), wanted.len(), "{place}, array {number}");
                let first = (0..array.len()).find(|byte| array[*byte] != wanted[*byte]);
                assert_eq!(first, None, "{place}, array {number}: first byte that differs");
            }
        }
        _ => assert_eq!(got.is_ok(), wanted.is_ok(), "{place}: one of them failed a check"),
    }
}

#[test]
fn all_programs_give_the_same_bits_everywhere() {
    let machines = targets();
    for (file, module) in programs() {
        for (pipeline_name, pipeline) in [("quick", QUICK), ("optimise", OPTIMISE)] {
            let lowered = lower(&file, &module, pipeline, &TargetFacts::default());
            let streaming = TargetFacts { last_level_bytes: 256, ..TargetFacts::wide() };
            let wide = lower(&file, &module, pipeline, &streaming);
            let mut objects: Vec<(String, LoadedObject)> = Vec::new();
            // Baseline and everything there is; each level with one of the pipelines at least.
            let levels = if pipeline_name == "quick" { [[0, 3], [0, 3]] } else { [[2, 3], [1, 3]] };
            for (machine, levels) in [&machines[0], machines.last().expect("one")].into_iter().zip(levels) {
                for level in levels {
                    objects.push((format!("{} -O{level}", machine.cpu), load(&lowered, machine, level)));
                }
            }
            let host = machines.last().expect("one");
            objects.push((format!("{} -O3, wide", host.cpu), load(&wide, host, 3)));
            let planned = Planned::new(&lower(&file, &module, pipeline, &TargetFacts::gpu()));
            for func in module.funcs.values().filter(|func| func.entry.is_some()) {
                for size in [0, 1, 5, 33, 130, 4097] {
                    if size > 1000 && func.params().iter().any(|param| func.ty(*param).sizes().len() > 1) {
                        continue;
                    }
                    let mut random = Random(size as u64 + 1);
                    let args = arguments(func, size, &mut random);
                    let wanted = interpreted(&module, &func.name, &args);
                    let place = format!("{file} @{} ({pipeline_name}), size {size}", func.name);
                    assert_eq!(
                        interpreted(&lowered, &func.name, &args),
                        wanted,
                        "{place}, loop IR interpreted"
                    );
                    for (how, object) in &objects {
                        same(&compiled(object, func, &args), &wanted, &format!("{place}, {how}"));
                    }
                    same(&planned.run(func, &args), &wanted, &format!("{place}, launch plan"));
                }
            }
        }
    }
}

#[test]
fn all_programs_assemble_for_gpus() {
    for (file, module) in programs() {
        let lowered = lower(&file, &module, OPTIMISE, &TargetFacts::gpu());
        harness::ptx::assemble_everywhere(&lowered, &[3]);
    }
}
