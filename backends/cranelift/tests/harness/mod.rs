//! Compiles loop IR text for this machine, loads it, and calls its entries.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "test code")]

pub mod operations;
pub mod programs;
pub mod values;

use we3_backend_api::{Arch, Artifact, Backend, Emit, Options, Target, entry_symbol};
use we3_backend_cranelift::CraneliftBackend;
use we3_device::{
    ArgSlot, CallError, CallLimits, CallOutcome, LoadedObject, OutputLayout, Threads, call_entry,
};

/// A baseline machine, one with rounding instructions, one with FMA, and all that this one has.
pub fn targets() -> Vec<Target> {
    let with = |features: &[&str]| Target {
        arch: Arch::X86_64,
        cpu: "x86-64".into(),
        features: features.iter().map(|name| (*name).to_owned()).collect(),
    };
    let host = we3_device::host_target();
    let mut targets = vec![with(&[]), with(&["sse4.1"]), with(&["avx2", "fma"])];
    targets.retain(|target| target.features.iter().all(|feature| host.has(feature)));
    targets.push(host);
    targets
}

/// Compiles verified text.
pub fn compile(text: &str, target: &Target, options: &Options) -> Artifact {
    let module = we3_ir::text::parse_module(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    let verified = we3_ir::verify::verify(&module).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
    CraneliftBackend.compile(verified, target, options).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// The bytes of an object.
pub fn object(text: &str, target: &Target, opt_level: u8) -> Vec<u8> {
    match compile(text, target, &Options { emit: Emit::Object, opt_level, lines: None }) {
        Artifact::Object(bytes) => bytes,
        other @ (Artifact::Text(_) | Artifact::Kernels { .. }) => panic!("no object: {other:?}"),
    }
}

/// Compiles and loads.
pub fn load(text: &str, target: &Target, opt_level: u8) -> LoadedObject {
    LoadedObject::load(&object(text, target, opt_level)).unwrap_or_else(|error| panic!("{error}"))
}

/// Calls the entry `@name`: on one thread, and with its parallel loops torn apart on several; both must
/// do the same.
pub fn call(
    object: &LoadedObject,
    name: &str,
    args: &[ArgSlot<'_>],
    n_results: usize,
    outputs: &[OutputLayout],
) -> Result<CallOutcome, CallError> {
    let on = |threads| {
        let limits = CallLimits { threads, ..CallLimits::default() };
        call_entry(object, &entry_symbol(name), args, n_results, outputs, limits)
    };
    let alone = on(Threads::ONE);
    for seed in 0..3 {
        assert_eq!(shown(&alone), shown(&on(Threads::disordered(4, seed))), "`{name}` with disorder {seed}");
    }
    alone
}

/// What a call gave, to be compared.
fn shown(outcome: &Result<CallOutcome, CallError>) -> Result<(Vec<u64>, Vec<Vec<u8>>), String> {
    match outcome {
        Ok(outcome) => {
            let memory = outcome.groups.values().map(|memory| memory.as_slice().to_vec());
            Ok((outcome.results.clone(), memory.collect()))
        }
        Err(error) => Err(error.to_string()),
    }
}
