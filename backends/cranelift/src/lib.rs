//! The Cranelift backend: loop IR to a relocatable ELF object, CLIF text or a disassembly. Compile
//! time comes first here; LLVM is the backend for speed. Both return the same bits.

mod bitcount;
mod control;
mod convert;
mod emit;
mod entry;
mod float;
mod generate;
mod half;
mod home;
mod integer;
mod machine;
mod masked;
mod memory;
mod nan;
mod object;
mod outline;
mod packed;
mod round;
mod scalar;
mod soft;
mod vector;

use we3_backend_api::{Artifact, Backend, Options, Target, Unsupported};
use we3_ir::verify::Verified;

/// Compiles with Cranelift.
#[derive(Clone, Copy, Debug, Default)]
pub struct CraneliftBackend;

impl Backend for CraneliftBackend {
    fn name(&self) -> &'static str {
        "cranelift"
    }

    fn compile(
        &self,
        module: Verified<'_>,
        target: &Target,
        options: &Options,
    ) -> Result<Artifact, Unsupported> {
        // Cranelift panics on what it does not cover; that costs this job, not the process.
        let compiled = std::panic::catch_unwind(|| object::compile(module.module(), target, options));
        compiled.unwrap_or_else(|panic| Err(bug(panic_message(&*panic))))
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    literal.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}

/// A limit of ours, with what would work.
fn unsupported(what: impl Into<String>, instead: Option<&str>) -> Unsupported {
    Unsupported { what: what.into(), instead: instead.map(str::to_owned) }
}

/// Something that verified input should never lead to: reported, never a panic.
fn bug(what: impl std::fmt::Display) -> Unsupported {
    unsupported(
        format!("the Cranelift backend broke: {what}"),
        Some("this is a bug of ours; another backend may work"),
    )
}
