//! How fast compiled kernels are here: `cargo bench -p we3-backend-llvm`.

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "reads its programs, prints its times")]

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::time::Instant;

use harness::{call, load};
use we3_device::{ArgSlot, OutputLayout};
use we3_passes::pipelines::OPTIMISE;
use we3_passes::{PassContext, RunOptions, run_passes};

fn program(name: &str) -> we3_ir::Module {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name);
    let module = harness::parse(&std::fs::read_to_string(path).expect("a program"));
    let mut options = RunOptions::default();
    match run_passes(module, OPTIMISE.passes, &PassContext::default(), &mut options) {
        Ok(outcome) => outcome.module,
        Err(bug) => panic!("{bug}"),
    }
}

/// The best of several runs, in seconds.
fn best(mut run: impl FnMut()) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn floats(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| ((number % 1000) as f32 / 100.0).to_le_bytes()).collect()
}

fn main() {
    let host = we3_device::host_target();
    let start = Instant::now();
    let object = load(&program("reduce.array.ir"), &host, 3);
    println!("compile reduce (48 entries): {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    for count in [10_000usize, 1_000_000] {
        let data = floats(2 * count);
        let args = [ArgSlot::Scalar(count as u64), ArgSlot::Buffer(&data)];
        for name in ["sum_f32_0", "sum_f32_1", "max_f32_0", "sum_u64_0"] {
            let time = best(|| drop(call(&object, name, &args, 1, &[]).expect("runs")));
            println!("{name} {count}: {:.2} Gelem/s", count as f64 / time / 1e9);
        }
    }
    let start = Instant::now();
    let object = load(&program("matmul.array.ir"), &host, 3);
    println!("compile matmul: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    for n in [64usize, 256, 512] {
        let data = floats(n * n);
        let size = ArgSlot::Scalar(n as u64);
        let args = [size, size, ArgSlot::Buffer(&data), size, size, ArgSlot::Buffer(&data)];
        let layout = [OutputLayout::dense(0, 4)];
        let time = best(|| drop(call(&object, "matmul", &args, 2, &layout).expect("runs")));
        println!("matmul {n}: {:.2} GFLOP/s", 2.0 * (n * n * n) as f64 / time / 1e9);
    }
}
