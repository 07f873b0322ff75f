//! Random kernels over arrays give the same bits as on the interpreter, compiled for every machine
//! and split into GPU kernels: what LLVM is told of memory (which regions are disjoint, which
//! iterations independent) is true, and launch plans keep the order of things.

mod harness;

use harness::author::kernel;
use harness::plan::run_plan;
use harness::{Random, call, edges, from_bytes, load, targets, to_bytes};
use we3_backend_interp::{Limits, RunArray, RunValue, Stop, run_entry};
use we3_device::{ArgSlot, CallError, OutputLayout};
use we3_ir::text::print_module;
use we3_ir::{Module, Scalar};

const KERNELS: u64 = 80;

/// Scalar results and array results as bits, or nothing after a failed check.
type Results = Option<(Vec<u64>, Vec<Vec<u64>>)>;

struct Args {
    n: usize,
    arrays: Vec<(Scalar, Vec<u8>)>,
    scalars: [u64; 2],
}

impl Args {
    fn new(n: usize, random: &mut Random) -> Args {
        let arrays = [Scalar::F32, Scalar::F64, Scalar::I64]
            .into_iter()
            .map(|ty| {
                let edges = edges(ty);
                let bits: Vec<u64> = (0..n)
                    .map(|_| match random.next() % 3 {
                        0 => edges[(random.next() % edges.len() as u64) as usize],
                        _ => random.next() >> (64 - ty.bits()),
                    })
                    .collect();
                (ty, to_bytes(ty, &bits))
            })
            .collect();
        Args { n, arrays, scalars: [random.next() >> 32, random.next()] }
    }

    fn slots(&self) -> Vec<ArgSlot<'_>> {
        let mut slots = vec![ArgSlot::Scalar(self.n as u64)];
        slots.extend(self.arrays.iter().map(|(_, bytes)| ArgSlot::Buffer(bytes)));
        slots.extend(self.scalars.map(ArgSlot::Scalar));
        slots
    }

    fn values(&self) -> Vec<RunValue> {
        let mut values = vec![RunValue::Scalar(self.n as u64)];
        for (elem, data) in &self.arrays {
            let array = RunArray { elem: *elem, sizes: vec![self.n as i64], data: data.clone() };
            values.push(RunValue::Array(array));
        }
        values.extend(self.scalars.map(RunValue::Scalar));
        values
    }
}

fn interpreted(module: &Module, args: &Args, outputs: &[Scalar]) -> Results {
    let verified = we3_ir::verify::verify(module)
        .unwrap_or_else(|errors| panic!("{}\n{}", errors[0], print_module(module)));
    match run_entry(verified, module.find("f").expect("the entry"), args.values(), &Limits::default()) {
        Ok(results) => {
            let (mut scalars, mut arrays) = (Vec::new(), Vec::new());
            for result in results {
                match result {
                    RunValue::Scalar(bits) => scalars.push(bits),
                    RunValue::Array(array) => arrays.push(from_bytes(outputs[arrays.len()], &array.data)),
                }
            }
            Some((scalars, arrays))
        }
        Err(Stop::Check { .. }) => None,
        Err(stop) => panic!("{stop:?}\n{}", print_module(module)),
    }
}

fn same(seed: u64, module: &Module, n: usize, wanted: &Results, got: &Results, how: &str) {
    if wanted != got {
        panic!("kernel {seed}, n = {n}, {how}:\n{wanted:x?}\n{got:x?}\n{}", print_module(module));
    }
}

#[test]
fn random_kernels_give_what_the_interpreter_gives() {
    let targets = targets();
    let host = we3_device::host_target();
    for seed in 0..KERNELS {
        let (module, outputs) = kernel(seed);
        let target = &targets[seed as usize % targets.len()];
        let level = [3, 2, 3, 0][seed as usize % 4];
        let object = load(&module, target, level);
        let (kernels, plan) = we3_backend_llvm::ptx::map_to_grid(&module).expect("a plan");
        let kernels = load(&kernels, &host, 2);
        let layouts: Vec<OutputLayout> =
            outputs.iter().enumerate().map(|(k, ty)| OutputLayout::dense(k as u32, ty.bytes())).collect();
        let sizes: Vec<u32> = outputs.iter().map(|ty| ty.bytes()).collect();
        let n_scalars = module.funcs.values().next().expect("one").results.len();
        for n in [0, 1, 7, 16, 100, 257] {
            let args = Args::new(n, &mut Random(seed * 1000 + n as u64));
            let wanted = interpreted(&module, &args, &outputs);
            let compiled = match call(&object, "f", &args.slots(), n_scalars, &layouts) {
                Ok(outcome) => {
                    let array = |k: usize| from_bytes(outputs[k], outcome.groups[&(k as u32)].as_slice());
                    Some((outcome.results.clone(), (0..outputs.len()).map(array).collect()))
                }
                Err(CallError::CheckFailed) => None,
                Err(error) => panic!("{error}"),
            };
            same(seed, &module, n, &wanted, &compiled, &format!("-O{level} on {:?}", target.features));
            let planned = run_plan(&plan.entries[0], &kernels, &args.slots(), &sizes).ok().map(|outcome| {
                let array = |k: usize| from_bytes(outputs[k], &outcome.outputs[&(k as u32)]);
                (outcome.results.clone(), (0..outputs.len()).map(array).collect())
            });
            same(seed, &module, n, &wanted, &planned, "launch plan");
        }
    }
}

#[test]
fn random_kernels_assemble_for_gpus() {
    let mut together = Module::new(we3_ir::Level::Loop);
    for seed in 0..25 {
        for (_, mut func) in kernel(seed).0.funcs {
            func.name = format!("f{seed}");
            together.funcs.push(func);
        }
    }
    harness::ptx::assemble_everywhere(&together, &[3]);
}
