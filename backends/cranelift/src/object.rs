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

use crate::generate::generate;
use crate::machine::{Machine, machine, target_isa};
use crate::soft::{self, Routine};
use crate::{bug, entry, outline, unsupported};

/// Alignment of tables in bytes: a vector of the widest kind.
const TABLE_ALIGN: u64 = 64;

/// Compiles every entry of a loop-level module.
pub fn compile(module: &Module, target: &Target, options: &Options) -> Result<Artifact, Unsupported> {
    if module.level != Level::Loop {
        return Err(unsupported("the Cranelift backend takes loop IR", Some("lower the module first")));
    }
    let mut assembler = Assembler::new(target)?;
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
        assembler.define(id, code);
        for body in bodies {
            let mut code = function(body.id, outline::signature(&assembler.object));
            outline::emit(&body, &shared, &mut code, &mut assembler)?;
            assembler.define(body.id, code);
        }
    }
    assembler.define_routines()?;
    assembler.finish(options)
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
    /// Functions in Cranelift's IR, in order.
    bodies: Vec<(FuncId, Function)>,
    tables: BTreeMap<Vec<u8>, DataId>,
    routines: BTreeMap<Routine, FuncId>,
    defined: BTreeSet<Routine>,
}

impl Assembler {
    fn new(target: &Target) -> Result<Assembler, Unsupported> {
        let isa = target_isa(target)?;
        let builder = ObjectBuilder::new(isa, "we3", default_libcall_names()).map_err(bug)?;
        Ok(Assembler {
            object: ObjectModule::new(builder),
            machine: machine(target),
            scratch: FunctionBuilderContext::new(),
            bodies: Vec::new(),
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
            self.define(id, code);
            self.defined.insert(routine);
        }
    }

    fn define(&mut self, id: FuncId, code: Function) {
        self.bodies.push((id, code));
    }

    fn finish(mut self, options: &Options) -> Result<Artifact, Unsupported> {
        let bodies = std::mem::take(&mut self.bodies);
        match options.emit {
            Emit::BackendIr => Ok(Artifact::Text(self.ir_text(&bodies))),
            Emit::Assembly => self.assembly_text(bodies).map(Artifact::Text),
            Emit::Object => self.object_bytes(bodies).map(Artifact::Object),
        }
    }

    fn ir_text(&self, bodies: &[(FuncId, Function)]) -> String {
        bodies.iter().map(|(id, code)| format!("; {}\n{}\n", self.symbol(*id), code.display())).collect()
    }

    fn assembly_text(&self, bodies: Vec<(FuncId, Function)>) -> Result<String, Unsupported> {
        let (ids, functions): (Vec<FuncId>, Vec<Function>) = bodies.into_iter().unzip();
        let mut text = String::new();
        for (id, compiled) in ids.into_iter().zip(generate(self.object.isa(), functions, true)) {
            let compiled = compiled?;
            let code = compiled.compiled_code().and_then(|code| code.vcode.as_deref()).unwrap_or("");
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{}:\n{code}", self.symbol(id));
        }
        Ok(text)
    }

    fn object_bytes(mut self, bodies: Vec<(FuncId, Function)>) -> Result<Vec<u8>, Unsupported> {
        let (ids, functions): (Vec<FuncId>, Vec<Function>) = bodies.into_iter().unzip();
        let compiled = generate(self.object.isa(), functions, false);
        for (id, context) in ids.into_iter().zip(compiled) {
            let context = context?;
            let code = context.compiled_code().ok_or_else(|| bug("a function without code"))?;
            let moved = |reloc| ModuleReloc::from_mach_reloc(reloc, &context.func, id);
            let relocs: Vec<ModuleReloc> = code.buffer.relocs().iter().map(moved).collect();
            let align = u64::from(code.buffer.alignment);
            self.object.define_function_bytes(id, align, code.buffer.data(), &relocs).map_err(bug)?;
        }
        self.object.finish().emit().map_err(bug)
    }

    fn symbol(&self, id: FuncId) -> String {
        self.object.declarations().get_function_decl(id).linkage_name(id).into_owned()
    }
}
