//! The only file that calls LLVM: text in, optimised text, assembly or an object out.

use std::sync::Once;

use inkwell::OptimizationLevel;
use inkwell::context::Context;
use inkwell::memory_buffer::MemoryBuffer;
use inkwell::module::Module;
use inkwell::passes::PassBuilderOptions;
use inkwell::targets::{
    CodeModel, FileType, InitializationConfig, RelocMode, Target, TargetMachine, TargetTriple,
};
use we3_backend_api::{Artifact, Emit, Options};

use crate::facts::Facts;

static INITIALIZED: Once = Once::new();

/// Registers the targets with LLVM; once in a process.
pub fn initialize() {
    INITIALIZED.call_once(|| {
        let config = InitializationConfig::default();
        Target::initialize_x86(&config);
        Target::initialize_aarch64(&config);
        Target::initialize_riscv(&config);
        Target::initialize_nvptx(&config);
    });
}

/// LLVM's version (`22.1.8`).
pub fn llvm_version() -> String {
    let (major, minor, patch) = inkwell::support::get_llvm_version();
    format!("{major}.{minor}.{patch}")
}

/// Compiles a module. An error is a bug of ours: text that LLVM does not take.
pub fn compile(text: &str, facts: &Facts, options: &Options) -> Result<Artifact, String> {
    initialize();
    let machine = target_machine(facts, options.opt_level)?;
    let context = Context::create();
    let buffer = MemoryBuffer::create_from_memory_range_copy(text.as_bytes(), "we3");
    let module = context.create_module_from_ir(buffer).map_err(|error| error.to_string())?;
    module.set_data_layout(&machine.get_target_data().get_data_layout());
    module.verify().map_err(|error| error.to_string())?;
    optimize(&module, &machine, pipeline(facts, options.opt_level))?;
    match options.emit {
        Emit::BackendIr => Ok(Artifact::Text(module.print_to_string().to_string())),
        Emit::Assembly => {
            let bytes = write(&machine, &module, FileType::Assembly)?;
            String::from_utf8(bytes).map(Artifact::Text).map_err(|error| error.to_string())
        }
        Emit::Object => write(&machine, &module, FileType::Object).map(Artifact::Object),
    }
}

fn target_machine(facts: &Facts, opt_level: u8) -> Result<TargetMachine, String> {
    let triple = TargetTriple::create(facts.triple);
    let target = Target::from_triple(&triple).map_err(|error| error.to_string())?;
    let level = match opt_level {
        0 => OptimizationLevel::None,
        1 => OptimizationLevel::Less,
        2 => OptimizationLevel::Default,
        _ => OptimizationLevel::Aggressive,
    };
    target
        .create_target_machine(&triple, &facts.cpu, &facts.features, level, RelocMode::PIC, CodeModel::Small)
        .ok_or_else(|| format!("LLVM has no machine for {}", facts.triple))
}

/// The passes for a CPU. Loops arrive as they should run: tiled, in lanes, hoisted. What is left for LLVM: values out
/// of memory, what became equal or constant, loops of a few known iterations written out (after which small
/// scratch arrays are registers), and lanes for the serial loops that ours leaves alone. Inlining, unswitching, unrolling
/// and the second and third round of everything found nothing that shows in the speed of a kernel, and took two thirds
/// of the time, their own and that of the code they add.
const FOR_CPUS: &str = concat!(
    "function<eager-inv>(sroa,early-cse,simplifycfg,loop-mssa(licm<allowspeculation>),",
    "loop(loop-unroll-full),sroa,early-cse<memssa>,loop-mssa(licm<allowspeculation>),",
    "loop-vectorize,instcombine<max-iterations=1;no-verify-fixpoint>,simplifycfg)"
);

/// The same without what may make code longer.
const FOR_CPUS_QUICK: &str = "function<eager-inv>(early-cse,loop-mssa(licm<allowspeculation>),simplifycfg)";

/// The passes of a level. Kernels for GPUs are short, one scalar thread, and LLVM's own list is made for them.
fn pipeline(facts: &Facts, opt_level: u8) -> &'static str {
    match (opt_level, facts.gpu) {
        (0, _) => "",
        (1, false) => FOR_CPUS_QUICK,
        (_, false) => FOR_CPUS,
        (1, true) => "default<O1>",
        (2, true) => "default<O2>",
        (_, true) => "default<O3>",
    }
}

fn optimize(module: &Module<'_>, machine: &TargetMachine, pipeline: &str) -> Result<(), String> {
    if pipeline.is_empty() {
        return Ok(());
    }
    let options = PassBuilderOptions::create();
    options.set_loop_slp_vectorization(true);
    module.run_passes(pipeline, machine, options).map_err(|error| error.to_string())
}

fn write(machine: &TargetMachine, module: &Module<'_>, kind: FileType) -> Result<Vec<u8>, String> {
    let buffer = machine.write_to_memory_buffer(module, kind).map_err(|error| error.to_string())?;
    let mut bytes = buffer.as_slice().to_vec();
    // inkwell shows a terminating zero that is not part of the file.
    if kind == FileType::Assembly && bytes.last() == Some(&0) {
        bytes.pop();
    }
    Ok(bytes)
}
