//! Compiles loop IR text for several machines, loads the objects, and calls their entries.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod author;
pub mod plan;
pub mod ptx;

use we3_backend_api::{Arch, Artifact, Emit, Options, Target, entry_symbol};
use we3_backend_llvm::LlvmBackend;
use we3_device::{
    ArgSlot, CallError, CallLimits, CallOutcome, LoadedObject, OutputLayout, Threads, call_entry,
};
use we3_ir::{Module, Scalar};

/// Baseline SSE2, SSE4.1, AVX2 with FMA, and all that this machine has (AVX-512 where it does).
pub fn targets() -> Vec<Target> {
    let with = |cpu: &str, features: &[&str]| Target {
        arch: Arch::X86_64,
        cpu: cpu.into(),
        features: features.iter().map(|name| (*name).to_owned()).collect(),
    };
    let host = we3_device::host_target();
    let mut targets = vec![
        with("x86-64", &[]),
        with("x86-64-v2", &["sse4.1"]),
        with("x86-64-v3", &["avx", "avx2", "f16c", "fma"]),
    ];
    targets.retain(|target| target.features.iter().all(|feature| host.has(feature)));
    targets.push(host);
    targets
}

/// Reads loop IR.
pub fn parse(text: &str) -> Module {
    we3_ir::text::parse_module(text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
}

/// Compiles a module.
pub fn compile(module: &Module, target: &Target, emit: Emit, opt_level: u8) -> Artifact {
    let verified = we3_ir::verify::verify(module).unwrap_or_else(|errors| panic!("{errors:?}"));
    LlvmBackend
        .try_compile(verified, target, &Options { emit, opt_level, lines: None })
        .unwrap_or_else(|failure| panic!("{failure:?} for {target:?}"))
}

/// Compiles and loads.
pub fn load(module: &Module, target: &Target, opt_level: u8) -> LoadedObject {
    match compile(module, target, Emit::Object, opt_level) {
        Artifact::Object(bytes) => LoadedObject::load(&bytes).unwrap_or_else(|error| panic!("{error}")),
        other @ (Artifact::Text(_) | Artifact::Kernels { .. }) => panic!("no object: {other:?}"),
    }
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

/// Bit patterns as the bytes of an array.
pub fn to_bytes(ty: Scalar, bits: &[u64]) -> Vec<u8> {
    let size = ty.bytes() as usize;
    bits.iter().flat_map(|bits| bits.to_le_bytes().into_iter().take(size)).collect()
}

/// The bytes of an array as bit patterns.
pub fn from_bytes(ty: Scalar, bytes: &[u8]) -> Vec<u64> {
    let size = ty.bytes() as usize;
    bytes
        .chunks_exact(size)
        .map(|chunk| chunk.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
        .collect()
}

/// A splitmix64 generator.
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Special values of a type, as bits: zeros, extremes, neighbours of powers of two, halves,
/// denormals, infinities and several NaNs, each with both signs.
pub fn edges(ty: Scalar) -> Vec<u64> {
    let mask = u64::MAX >> (64 - ty.bits());
    let magnitudes: Vec<u64> = match ty {
        Scalar::Bool => return vec![0, 1],
        Scalar::F64 => vec![
            0,
            1,
            3,
            0x000f_ffff_ffff_ffff,
            0x0010_0000_0000_0000,
            0x0010_0000_0000_0001,
            0x3690_0000_0000_0000,
            0x3810_0000_0000_0000,
            0x380f_ffff_e000_0000,
            0x3f10_0000_0000_0000,
            0x3fdf_ffff_ffff_ffff,
            0x3fe0_0000_0000_0000,
            0x3fe0_0000_0000_0001,
            0x3fef_ffff_ffff_ffff,
            0x3ff0_0000_0000_0000,
            0x3ff0_0000_0000_0001,
            0x3ff0_0000_1000_0000,
            0x3ff0_0000_3000_0000,
            0x3ff0_2000_0000_0000,
            0x3ff8_0000_0000_0000,
            0x4004_0000_0000_0000,
            0x4008_0000_0000_0000,
            0x405f_c000_0000_0000,
            0x406f_e000_0000_0000,
            0x40df_ffff_ffff_ffff,
            0x41df_ffff_ffc0_0000,
            0x41e0_0000_0000_0000,
            0x41ef_ffff_fff0_0000,
            0x432f_ffff_ffff_ffff,
            0x4330_0000_0000_0000,
            0x433f_ffff_ffff_ffff,
            0x4340_0000_0000_0000,
            0x43df_ffff_ffff_ffff,
            0x43e0_0000_0000_0000,
            0x43f0_0000_0000_0000,
            0x47ef_ffff_e000_0000,
            0x47ef_ffff_f000_0000,
            0x7fe0_0000_0000_0000,
            0x7fef_ffff_ffff_ffff,
            0x7ff0_0000_0000_0000,
            0x7ff0_0000_0000_0001,
            0x7ff8_0000_0000_0000,
            0x7ff8_0000_dead_beef,
            0x7fff_ffff_ffff_ffff,
        ],
        Scalar::F32 => vec![
            0,
            1,
            3,
            0x007f_ffff,
            0x0080_0000,
            0x0080_0001,
            0x3300_0000,
            0x3380_0000,
            0x3300_0001,
            0x387f_c000,
            0x3880_0000,
            0x3eff_ffff,
            0x3f00_0000,
            0x3f00_0001,
            0x3f7f_ffff,
            0x3f80_0000,
            0x3f80_0001,
            0x3f80_1000,
            0x3f80_3000,
            0x3f80_8000,
            0x3f81_8000,
            0x3fc0_0000,
            0x4020_0000,
            0x4040_0000,
            0x42fe_0000,
            0x437f_0000,
            0x46ff_fe00,
            0x477f_e000,
            0x477f_efff,
            0x477f_f000,
            0x4aff_ffff,
            0x4b00_0000,
            0x4b00_0001,
            0x4b7f_ffff,
            0x4b80_0000,
            0x4eff_ffff,
            0x4f00_0000,
            0x4f7f_ffff,
            0x4f80_0000,
            0x5eff_ffff,
            0x5f00_0000,
            0x5f80_0000,
            0x7f7f_7fff,
            0x7f7f_8000,
            0x7f7f_ffff,
            0x7f80_0000,
            0x7f80_0001,
            0x7fc0_0000,
            0x7fc0_beef,
            0x7fff_ffff,
        ],
        Scalar::F16 => vec![
            0, 1, 2, 3, 0x03ff, 0x0400, 0x0401, 0x37ff, 0x3800, 0x3801, 0x3bff, 0x3c00, 0x3c01, 0x3e00,
            0x4100, 0x57f0, 0x5bf8, 0x63ff, 0x6400, 0x6401, 0x7bff, 0x7c00, 0x7c01, 0x7e00, 0x7fff,
        ],
        Scalar::Bf16 => vec![
            0, 1, 2, 3, 0x007f, 0x0080, 0x0081, 0x3eff, 0x3f00, 0x3f01, 0x3f7f, 0x3f80, 0x3f81, 0x3fc0,
            0x4020, 0x42fe, 0x437f, 0x4aff, 0x4b00, 0x4f00, 0x5f00, 0x7f7f, 0x7f80, 0x7f81, 0x7fc0, 0x7fff,
        ],
        Scalar::I8
        | Scalar::I16
        | Scalar::I32
        | Scalar::I64
        | Scalar::U8
        | Scalar::U16
        | Scalar::U32
        | Scalar::U64 => {
            let mut values =
                vec![0, 1, 2, 3, 5, 7, 10, 31, 32, 33, 63, 64, 65, 100, mask >> 1, (mask >> 1) - 1, mask / 3];
            for shift in [8, 16, 23, 24, 25, 31, 32, 53, 54] {
                if shift < ty.bits() {
                    values.extend([1 << shift, (1 << shift) - 1, (1 << shift) + 1]);
                }
            }
            let negated: Vec<u64> =
                values.iter().flat_map(|value| [value.wrapping_neg() & mask, !value & mask]).collect();
            values.extend(negated);
            values.sort_unstable();
            values.dedup();
            return values;
        }
    };
    let sign = 1 << (ty.bits() - 1);
    magnitudes.into_iter().flat_map(|bits| [bits, bits | sign]).collect()
}
