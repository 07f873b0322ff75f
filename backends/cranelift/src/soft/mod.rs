//! Soft routines: local functions for what the target has no instruction for, and for what would be the same code at
//! many places. An object holds only the ones its entries call, and imports nothing.

mod copy;
mod fma;
mod fmod;
mod run_loop;

use cranelift_codegen::ir::{AbiParam, Function, Signature, Type as ClifType, types};
use cranelift_frontend::FunctionBuilder;
use cranelift_module::Module as _;
use cranelift_object::ObjectModule;
use we3_backend_api::Unsupported;

use crate::generate::Runs;
use crate::object::Assembler;

/// A local function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Routine {
    /// `a · b + c` of `f32`, rounded once.
    FmaF32,
    /// `a · b + c` of `f64`, rounded once.
    FmaF64,
    /// Exact remainder of `f32` with the sign of the dividend.
    FmodF32,
    /// Exact remainder of `f64` with the sign of the dividend.
    FmodF64,
    /// `(dest, source, bytes)`, eight bytes at a time at any address.
    CopyBytes,
    /// `(dest, source, bytes)` in units of 1 byte.
    CopyElements1,
    /// `(dest, source, bytes)` in units of 2 bytes.
    CopyElements2,
    /// `(dest, source, bytes)` in units of 4 bytes.
    CopyElements4,
    /// `(dest, source, bytes)` in units of 8 bytes.
    CopyElements8,
    /// `(context, body, environment, lo, hi, work) -> status`: the iterations of a parallel loop.
    RunLoop,
}

impl Routine {
    /// Its local symbol.
    pub fn symbol(self) -> &'static str {
        match self {
            Routine::FmaF32 => "soft_fma_f32",
            Routine::FmaF64 => "soft_fma_f64",
            Routine::FmodF32 => "soft_fmod_f32",
            Routine::FmodF64 => "soft_fmod_f64",
            Routine::CopyBytes => "copy_bytes",
            Routine::CopyElements1 => "copy_elements_1",
            Routine::CopyElements2 => "copy_elements_2",
            Routine::CopyElements4 => "copy_elements_4",
            Routine::CopyElements8 => "copy_elements_8",
            Routine::RunLoop => "run_loop",
        }
    }

    fn types(self) -> (Vec<ClifType>, Option<ClifType>) {
        match self {
            Routine::FmaF32 => (vec![types::F32; 3], Some(types::F32)),
            Routine::FmaF64 => (vec![types::F64; 3], Some(types::F64)),
            Routine::FmodF32 => (vec![types::F32; 2], Some(types::F32)),
            Routine::FmodF64 => (vec![types::F64; 2], Some(types::F64)),
            Routine::CopyBytes
            | Routine::CopyElements1
            | Routine::CopyElements2
            | Routine::CopyElements4
            | Routine::CopyElements8 => (vec![types::I64; 3], None),
            Routine::RunLoop => (vec![types::I64; 6], Some(types::I32)),
        }
    }

    /// How often its code runs.
    pub fn runs(self) -> Runs {
        if self == Routine::RunLoop { Runs::Once } else { Runs::Often }
    }

    /// Its signature.
    pub fn signature(self, object: &ObjectModule) -> Signature {
        let (params, result) = self.types();
        let mut signature = object.make_signature();
        signature.params.extend(params.into_iter().map(AbiParam::new));
        signature.returns.extend(result.map(AbiParam::new));
        signature
    }
}

/// Emits the body of a routine.
pub fn emit(routine: Routine, code: &mut Function, assembler: &mut Assembler) -> Result<(), Unsupported> {
    let mut scratch = std::mem::take(&mut assembler.scratch);
    let config = assembler.object.isa().frontend_config();
    let mut builder = FunctionBuilder::new(code, &mut scratch);
    let start = builder.create_block();
    builder.append_block_params_for_function_params(start);
    builder.switch_to_block(start);
    match routine {
        Routine::FmaF32 => fma::single(&mut builder, start),
        Routine::FmaF64 => fma::double(&mut builder, start),
        Routine::FmodF32 => fmod::emit(&mut builder, start, fmod::SINGLE),
        Routine::FmodF64 => fmod::emit(&mut builder, start, fmod::DOUBLE),
        Routine::CopyBytes => copy::bytes(&mut builder, start),
        Routine::CopyElements1 => copy::elements(&mut builder, start, types::I8),
        Routine::CopyElements2 => copy::elements(&mut builder, start, types::I16),
        Routine::CopyElements4 => copy::elements(&mut builder, start, types::I32),
        Routine::CopyElements8 => copy::elements(&mut builder, start, types::I64),
        Routine::RunLoop => run_loop::emit(&mut builder, start),
    }
    builder.seal_all_blocks();
    builder.finalize(config);
    assembler.scratch = scratch;
    Ok(())
}
