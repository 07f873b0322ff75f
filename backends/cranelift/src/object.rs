//! A whole module: one exported function per entry, the bodies of its parallel loops as local ones, then
//! the soft routines that they asked for, as an ELF object or as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cranelift_codegen::ir::{Function, Signature, UserFuncName};
use cranelift_frontend::FunctionBuilderContext;
use cranelift_module::{
    DataDescription, DataId, FuncId, Linkage, Module as _, ModuleReloc, default_libcall_names,
};
use cranelift_object::{ObjectBuilder, ObjectModule};
use we3_backend_api::{Artifact, Emit, Options, Target, Unsupported, entry_symbol};
use we3_ir::{Level, Module, Scalar};

use crate::generate::{Compiled, Generation, Runs};
use crate::machine::{Machine, generators, machine};
use crate::soft::{self, Routine};
use crate::{bug, entry, outline, unsupported};

/// Alignment of tables in bytes: a vector of the widest kind.
const TABLE_ALIGN: u64 = 64;

/// Compiles every entry of a loop-level module.
pub fn compile(module: &Module, target: &Target, options: &Options) -> Result<Artifact, Unsupported> {
    if module.level != Level::Loop {
        return Err(unsupported("the Cranelift backend takes loop IR", Some("lower the module first")));
    }
    let mut assembler = Assembler::new(target, options)?;
    let mut declared = Vec::new();
    for (_, func) in module.funcs.iter().filter(|(_, func)| func.entry.is_some()) {
        let symbol = entry_symbol(&func.name);
        let signature = entry::signature(&assembler.object);
        let id = assembler.object.declare_function(&symbol, Linkage::Export, &signature).map_err(bug)?;
        declared.push((id, func, signature));
    }
    for (id, func, signature) in declared {
        let shared = entry::Shared::of(func);
        let mut code = function(id, signature);
        let bodies = entry::emit(&shared, &mut code, &mut assembler)?;
        // An entry that is nothing but scalar code may be called in a loop of the host.
        let runs = if bodies.is_empty() { Runs::Often } else { Runs::Once };
        assembler.define(id, runs, code);
        for body in bodies {
            let mut code = function(body.id, outline::signature(&assembler.object));
            outline::emit(&body, &shared, &mut code, &mut assembler)?;
            assembler.define(body.id, Runs::Often, code);
        }
    }
    assembler.define_routines()?;
    assembler.finish()
}

fn function(id: FuncId, signature: Signature) -> Function {
    Function::with_name_signature(UserFuncName::user(0, id.as_u32()), signature)
}

/// The object under construction.
pub struct Assembler {
    /// Cranelift's writer of ELF objects.
    pub object: ObjectModule,
    /// What the target can do.
    pub machine: Machine,
    /// Scratch space of `FunctionBuilder`.
    pub scratch: FunctionBuilderContext,
    /// Where finished functions go.
    sink: Sink,
    tables: BTreeMap<Vec<u8>, DataId>,
    routines: BTreeMap<Routine, FuncId>,
    defined: BTreeSet<Routine>,
}

/// What becomes of functions in Cranelift's IR.
enum Sink {
    /// They are printed.
    Text(String),
    /// They are compiled, to an object or to its disassembly; their names in the same order.
    Code { ids: Vec<FuncId>, generation: Generation, disassemble: bool },
}

impl Assembler {
    fn new(target: &Target, options: &Options) -> Result<Assembler, Unsupported> {
        let mut generators = generators(target)?;
        if options.opt_level == 0 {
            generators.fast_code = generators.fast_compile.clone();
        }
        let isa = generators.fast_code.clone();
        let builder = ObjectBuilder::new(isa, "we3", default_libcall_names()).map_err(bug)?;
        let code = |disassemble| Sink::Code {
            ids: Vec::new(),
            generation: Generation::new(generators, disassemble),
            disassemble,
        };
        let sink = match options.emit {
            Emit::BackendIr => Sink::Text(String::new()),
            Emit::Assembly => code(true),
            Emit::Object => code(false),
        };
        Ok(Assembler {
            object: ObjectModule::new(builder),
            machine: machine(target),
            scratch: FunctionBuilderContext::new(),
            sink,
            tables: BTreeMap::new(),
            routines: BTreeMap::new(),
            defined: BTreeSet::new(),
        })
    }

    /// A read-only table of elements, aligned for whole vectors; equal tables are one.
    pub fn table(&mut self, elem: Scalar, bits: &[u64]) -> Result<DataId, Unsupported> {
        let mut bytes = Vec::with_capacity(bits.len() * elem.bytes() as usize);
        for element in bits {
            bytes.extend_from_slice(&element.to_le_bytes()[..elem.bytes() as usize]);
        }
        if let Some(id) = self.tables.get(&bytes) {
            return Ok(*id);
        }
        let name = format!("we3.table.{}", self.tables.len());
        let id = self.object.declare_data(&name, Linkage::Local, false, false).map_err(bug)?;
        let mut description = DataDescription::new();
        description.define(bytes.clone().into_boxed_slice());
        description.set_align(TABLE_ALIGN);
        self.object.define_data(id, &description).map_err(bug)?;
        self.tables.insert(bytes, id);
        Ok(id)
    }

    /// A local function for a loop's body.
    pub fn loop_body(&mut self, entry: &str, number: usize) -> Result<FuncId, Unsupported> {
        let name = format!("loop{number}.{}", entry_symbol(entry));
        let signature = outline::signature(&self.object);
        self.object.declare_function(&name, Linkage::Local, &signature).map_err(bug)
    }

    /// The local function of a soft routine; its body follows in `define_routines`.
    pub fn routine(&mut self, routine: Routine) -> Result<FuncId, Unsupported> {
        if let Some(id) = self.routines.get(&routine) {
            return Ok(*id);
        }
        let signature = routine.signature(&self.object);
        let id = self.object.declare_function(routine.symbol(), Linkage::Local, &signature).map_err(bug)?;
        self.routines.insert(routine, id);
        Ok(id)
    }

    /// Soft routines may call each other, so this goes on until none is new.
    fn define_routines(&mut self) -> Result<(), Unsupported> {
        loop {
            let next = self.routines.iter().find(|(routine, _)| !self.defined.contains(routine));
            let Some((routine, id)) = next.map(|(routine, id)| (*routine, *id)) else { return Ok(()) };
            let mut code = function(id, routine.signature(&self.object));
            soft::emit(routine, &mut code, self)?;
            self.define(id, routine.runs(), code);
            self.defined.insert(routine);
        }
    }

    /// A finished function.
    fn define(&mut self, id: FuncId, runs: Runs, code: Function) {
        match &mut self.sink {
            Sink::Text(text) => {
                // Writing to a `String` cannot fail.
                let _ = writeln!(text, "; {}\n{}", symbol(&self.object, id), code.display());
            }
            Sink::Code { ids, generation, .. } => {
                ids.push(id);
                generation.push(runs, code);
            }
        }
    }

    fn finish(self) -> Result<Artifact, Unsupported> {
        match self.sink {
            Sink::Text(text) => Ok(Artifact::Text(text)),
            Sink::Code { ids, generation, disassemble: true } => {
                assembly_text(&self.object, &ids, generation.finish()).map(Artifact::Text)
            }
            Sink::Code { ids, generation, disassemble: false } => {
                object_bytes(self.object, &ids, generation.finish()).map(Artifact::Object)
            }
        }
    }
}

fn assembly_text(
    object: &ObjectModule,
    ids: &[FuncId],
    compiled: Vec<Compiled>,
) -> Result<String, Unsupported> {
    let mut text = String::new();
    for (id, compiled) in ids.iter().zip(compiled) {
        let compiled = compiled?;
        let code = compiled.compiled_code().and_then(|code| code.vcode.as_deref()).unwrap_or("");
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}:\n{code}", symbol(object, *id));
    }
    Ok(text)
}

fn object_bytes(
    mut object: ObjectModule,
    ids: &[FuncId],
    compiled: Vec<Compiled>,
) -> Result<Vec<u8>, Unsupported> {
    for (id, context) in ids.iter().zip(compiled) {
        let context = context?;
        let code = context.compiled_code().ok_or_else(|| bug("a function without code"))?;
        let moved = |reloc| ModuleReloc::from_mach_reloc(reloc, &context.func, *id);
        let relocs: Vec<ModuleReloc> = code.buffer.relocs().iter().map(moved).collect();
        let align = u64::from(code.buffer.alignment);
        object.define_function_bytes(*id, align, code.buffer.data(), &relocs).map_err(bug)?;
    }
    object.finish().emit().map_err(bug)
}

fn symbol(object: &ObjectModule, id: FuncId) -> String {
    object.declarations().get_function_decl(id).linkage_name(id).into_owned()
}
