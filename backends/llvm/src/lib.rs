//! Code generation through LLVM 22: loop IR to an ELF object, assembly, LLVM IR text or PTX. The
//! emitter writes LLVM IR as text; only `machine` calls LLVM. LLVM can abort a process, so programs
//! reach this crate through the worker `we3-llvm`.

mod dispatch;
mod emit;
mod entry;
mod facts;
mod finite;
mod machine;
mod payloads;
pub mod ptx;
mod symbols;
mod text;
pub mod worker;
mod zygote;

use we3_backend_api::{Arch, Artifact, Backend, Emit, Options, Target, Unsupported, entry_symbol};
use we3_ir::verify::Verified;
use we3_ir::{Func, Module};

use crate::facts::Facts;
use crate::text::ModuleText;

pub use crate::machine::{initialize, llvm_version};

/// The LLVM backend.
#[derive(Clone, Copy, Default, Debug)]
pub struct LlvmBackend;

/// Why there is no artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// A limit of the backend.
    Unsupported(Unsupported),
    /// LLVM did not take our text, or the object imports a symbol: a bug of ours.
    Bug(String),
}

impl From<Unsupported> for Failure {
    fn from(unsupported: Unsupported) -> Failure {
        Failure::Unsupported(unsupported)
    }
}

impl LlvmBackend {
    /// Compiles, telling limits and bugs apart.
    pub fn try_compile(
        &self,
        module: Verified<'_>,
        target: &Target,
        options: &Options,
    ) -> Result<Artifact, Failure> {
        let facts = Facts::of(target);
        if facts.gpu {
            known_processor(target)?;
            return compile_for_gpu(module, &facts, options);
        }
        let mut text = ModuleText::default();
        if let Some(lines) = &options.lines {
            text.begin_debug(lines);
        }
        let of_funcs = options.lines.iter().flat_map(|lines| lines.funcs.iter().map(Some));
        let of_funcs = of_funcs.chain(std::iter::repeat(None));
        for (func, lines) in module.module().funcs.values().zip(of_funcs) {
            if let Some(lines) = lines {
                text.debug_function(func, lines);
            }
            if func.entry.is_some() {
                entry::emit_entry(func, &entry_symbol(&func.name), &facts, &mut text)?;
            }
        }
        for_cpu(&text, &facts, options)
    }

    /// The same program for several processors in one object: what it was for each, the least first, and a choice
    /// by the processor that it runs on.
    pub fn compile_versions(
        &self,
        versions: &[(Verified<'_>, Target)],
        options: &Options,
    ) -> Result<Artifact, Failure> {
        let levels = dispatch::levels(versions.iter().map(|(_, target)| target))?;
        if options.lines.is_some() {
            let instead = Some(String::from("one target has them"));
            return Err(Unsupported { what: "line tables of several versions".to_owned(), instead }.into());
        }
        let (Some((first, least)), Some(base)) = (versions.first(), levels.first()) else {
            return Err(Failure::Bug("no version at all".into()));
        };
        let mut text = ModuleText::default();
        for (module, target) in versions {
            let facts = Facts::of(target);
            text.begin_group(dispatch::attributes(&facts));
            for func in entries(module.module()) {
                let symbol = dispatch::symbol(&entry_symbol(&func.name), target);
                entry::emit_entry(func, &symbol, &facts, &mut text)?;
            }
        }
        for func in entries(first.module()) {
            let targets = versions.iter().map(|(_, target)| target).zip(&levels);
            dispatch::emit(&entry_symbol(&func.name), *base, targets, &mut text);
        }
        for_cpu(&text, &Facts::of(least), options)
    }
}

impl Backend for LlvmBackend {
    fn name(&self) -> &'static str {
        "llvm"
    }

    fn compile(
        &self,
        module: Verified<'_>,
        target: &Target,
        options: &Options,
    ) -> Result<Artifact, Unsupported> {
        self.try_compile(module, target, options).map_err(|failure| match failure {
            Failure::Unsupported(unsupported) => unsupported,
            Failure::Bug(message) => Unsupported {
                what: format!("this kernel, because of a bug in the LLVM backend: {message}"),
                instead: None,
            },
        })
    }
}

/// LLVM makes up instructions sets for processors that it does not know.
fn known_processor(target: &Target) -> Result<(), Unsupported> {
    const PLAIN: [u32; 10] = [75, 80, 86, 87, 89, 90, 100, 103, 120, 121];
    match target.arch {
        Arch::Ptx { sm, accelerated } if !PLAIN.contains(&sm) || (accelerated && sm < 90) => {
            let name = format!("sm_{sm}{}", if accelerated { "a" } else { "" });
            let instead = Some("sm_75 runs on every newer GPU".to_owned());
            Err(Unsupported { what: format!("the GPU {name}"), instead })
        }
        Arch::Ptx { .. } | Arch::X86_64 | Arch::Aarch64 | Arch::Riscv64 => Ok(()),
    }
}

fn for_cpu(text: &ModuleText, facts: &Facts, options: &Options) -> Result<Artifact, Failure> {
    let artifact = machine::compile(&finished(text, facts), facts, options).map_err(Failure::Bug)?;
    if let Artifact::Object(bytes) = &artifact {
        refuse_imports(bytes)?;
    }
    Ok(artifact)
}

fn entries(module: &Module) -> impl Iterator<Item = &Func> {
    module.funcs.values().filter(|func| func.entry.is_some())
}

fn finished(text: &ModuleText, facts: &Facts) -> String {
    text.finish(facts.triple, &facts.attributes)
}

fn compile_for_gpu(module: Verified<'_>, facts: &Facts, options: &Options) -> Result<Artifact, Failure> {
    let (kernels, plan) = ptx::map_to_grid(module.module())?;
    we3_ir::verify::verify(&kernels)
        .map_err(|errors| Failure::Bug(format!("`map_to_grid` made a bad kernel: {}", errors[0])))?;
    let mut text = ModuleText::default();
    for func in entries(&kernels) {
        ptx::emit_kernel(func, facts, &mut text)?;
    }
    let wants_plan = options.emit == Emit::Object;
    let emit = if wants_plan { Emit::Assembly } else { options.emit };
    let options = Options { emit, ..options.clone() };
    let artifact = machine::compile(&finished(&text, facts), facts, &options).map_err(Failure::Bug)?;
    match artifact {
        Artifact::Text(ptx) if emit == Emit::Assembly => {
            if let Some(line) = ptx::inexact_instructions(&ptx) {
                return Err(Failure::Bug(format!("the PTX has an inexact instruction: {line}")));
            }
            Ok(if wants_plan { Artifact::Kernels { ptx, plan } } else { Artifact::Text(ptx) })
        }
        other @ (Artifact::Text(_) | Artifact::Object(_) | Artifact::Kernels { .. }) => Ok(other),
    }
}

fn refuse_imports(object: &[u8]) -> Result<(), Failure> {
    let names =
        symbols::imported_symbols(object).ok_or_else(|| Failure::Bug("LLVM wrote no ELF object".into()))?;
    if names.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = names.into_iter().collect();
    Err(Failure::Bug(format!("the object imports {}", list.join(", "))))
}
