//! Building one kernel as a loop-level function: its first parameter is the state, the others are
//! buffers. Values that the kernel does not compute are read from their cells at its start; values
//! that later steps need are written to theirs at its end.

use std::collections::{BTreeMap, HashSet};

use we3_backend_api::Unsupported;
use we3_backend_api::launch::{BufferVar, Cell};
use we3_ir::clone::{Cloner, ValueMap};
use we3_ir::{EntryAbi, Func, FuncBuilder, Op, Opcode, Scalar, Type, Value};

use crate::emit::unsupported;

/// Where a value of the entry is found by kernels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A scalar.
    Cell(Cell),
    /// A buffer.
    Buffer(BufferVar),
}

/// Says where values are.
pub trait Places {
    /// The place of a value that an earlier step computed.
    fn place(&mut self, value: Value) -> Result<Place, Unsupported>;
}

/// A kernel under construction.
pub struct Kernel {
    /// The function.
    pub func: Func,
    /// Buffers passed after the state, in order.
    pub buffers: Vec<BufferVar>,
    /// The operations of the entry that went into it (with everything inside them).
    pub ops: HashSet<Op>,
    /// Values of the entry that were computed here.
    pub computed: Vec<Value>,
    state: Value,
    map: ValueMap,
    stores: BTreeMap<Cell, Value>,
}

impl Kernel {
    /// An empty kernel.
    pub fn new(name: String) -> Kernel {
        let mut func = Func::new(name);
        let state = func.add_param(func.body, Type::Buffer(Scalar::U64));
        Kernel {
            func,
            buffers: Vec::new(),
            ops: HashSet::new(),
            computed: Vec::new(),
            state,
            map: ValueMap::default(),
            stores: BTreeMap::new(),
        }
    }

    /// Appends to the kernel's body.
    pub fn builder(&mut self) -> FuncBuilder<'_> {
        FuncBuilder::new(&mut self.func)
    }

    /// Copies an operation of the entry, with everything in it.
    pub fn append(&mut self, entry: &Func, op: Op, places: &mut dyn Places) -> Result<(), Unsupported> {
        self.import_free(entry, op, places)?;
        let copy = self.clone_op(entry, op);
        let body = self.func.body;
        self.func.blocks[body].ops.push(copy);
        self.ops.insert(op);
        self.computed.extend(&entry.ops[op].results);
        Ok(())
    }

    /// Copies operations of the entry, but for a terminator, into a block of the kernel.
    pub fn append_ops(&mut self, entry: &Func, ops: &[Op], into: we3_ir::Block) {
        for op in ops {
            if entry.ops[*op].opcode != Opcode::Yield {
                let copy = self.clone_op(entry, *op);
                self.func.blocks[into].ops.push(copy);
            }
        }
    }

    /// Says what a value of the entry is in the kernel.
    pub fn rename(&mut self, value: Value, local: Value) {
        self.map.insert(value, local);
    }

    fn clone_op(&mut self, entry: &Func, op: Op) -> Op {
        let mut cloner =
            Cloner { source: Some(entry), dest: &mut self.func, map: std::mem::take(&mut self.map) };
        let copy = cloner.op(op);
        self.map = cloner.map;
        copy
    }

    /// Makes every value available that the operation (or one inside it) takes from outside.
    pub fn import_free(&mut self, entry: &Func, op: Op, places: &mut dyn Places) -> Result<(), Unsupported> {
        let mut free = Vec::new();
        free_values(entry, op, &mut HashSet::new(), &mut free);
        for value in free {
            self.local(entry, value, places)?;
        }
        Ok(())
    }

    /// The value in the kernel: computed here, a copy of a constant or address, or read from its cell.
    pub fn local(
        &mut self,
        entry: &Func,
        value: Value,
        places: &mut dyn Places,
    ) -> Result<Value, Unsupported> {
        if let Some(local) = self.map.get(&value) {
            return Ok(*local);
        }
        if let Some(op) = entry.def_op(value)
            && is_recomputed(&entry.ops[op].opcode)
        {
            for arg in &entry.ops[op].args {
                self.local(entry, *arg, places)?;
            }
            let copy = self.clone_op(entry, op);
            let body = self.func.body;
            self.func.blocks[body].ops.push(copy);
            return Ok(self.map[&value]);
        }
        let local = match places.place(value)? {
            Place::Cell(cell) => self.read(cell, entry.ty(value))?,
            Place::Buffer(buffer) => self.buffer(buffer, entry.ty(value).element()),
        };
        self.map.insert(value, local);
        Ok(local)
    }

    /// A parameter for a buffer.
    pub fn buffer(&mut self, buffer: BufferVar, elem: Scalar) -> Value {
        let body = self.func.body;
        self.buffers.push(buffer);
        self.func.add_param(body, Type::Buffer(elem))
    }

    fn read(&mut self, cell: Cell, ty: &Type) -> Result<Value, Unsupported> {
        let Some(scalar) = ty.as_scalar() else {
            return Err(unsupported("a vector that several GPU kernels use"));
        };
        let state = self.state;
        let mut builder = self.builder();
        let at = builder.i64(i64::from(cell));
        let bits = builder.value(Opcode::Load, vec![state, at], vec![], Type::Scalar(Scalar::U64));
        Ok(from_cell(&mut builder, scalar, bits))
    }

    /// Remembers that this local value goes to a cell at the end.
    pub fn store(&mut self, cell: Cell, local: Value) {
        self.stores.insert(cell, local);
    }

    /// Writes cells and ends the function.
    pub fn finish(mut self) -> Result<(Func, Vec<BufferVar>), Unsupported> {
        let state = self.state;
        for (cell, local) in std::mem::take(&mut self.stores) {
            let Some(scalar) = self.func.ty(local).as_scalar() else {
                return Err(unsupported("a vector that several GPU kernels use"));
            };
            let mut builder = self.builder();
            let bits = to_cell(&mut builder, scalar, local);
            let at = builder.i64(i64::from(cell));
            builder.append(Opcode::Store, vec![state, at, bits], vec![], &[]);
        }
        self.builder().ret(vec![]);
        let strides = vec![1; self.func.params().len()];
        self.func.entry = Some(EntryAbi { param_strides: strides, result_strides: vec![] });
        Ok((self.func, self.buffers))
    }
}

/// Constants and addresses are made anew in every kernel.
pub fn is_recomputed(opcode: &Opcode) -> bool {
    matches!(opcode, Opcode::Const(_) | Opcode::Data { .. } | Opcode::Offset)
}

fn free_values(entry: &Func, op: Op, defined: &mut HashSet<Value>, free: &mut Vec<Value>) {
    let data = &entry.ops[op];
    free.extend(data.args.iter().filter(|arg| !defined.contains(arg)));
    for region in &data.regions {
        defined.extend(&entry.blocks[*region].params);
        for inner in &entry.blocks[*region].ops {
            free_values(entry, *inner, defined, free);
            defined.extend(&entry.ops[*inner].results);
        }
    }
}

/// The unsigned integer of the same width.
fn carrier(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::Bool => Scalar::Bool,
        Scalar::I8 | Scalar::U8 => Scalar::U8,
        Scalar::I16 | Scalar::U16 | Scalar::F16 | Scalar::Bf16 => Scalar::U16,
        Scalar::I32 | Scalar::U32 | Scalar::F32 => Scalar::U32,
        Scalar::I64 | Scalar::U64 | Scalar::F64 => Scalar::U64,
    }
}

fn to_cell(builder: &mut FuncBuilder<'_>, scalar: Scalar, value: Value) -> Value {
    let carrier = carrier(scalar);
    let bits = if carrier == scalar { value } else { builder.bitcast(carrier, value) };
    if carrier == Scalar::U64 { bits } else { builder.convert(Scalar::U64, bits) }
}

fn from_cell(builder: &mut FuncBuilder<'_>, scalar: Scalar, bits: Value) -> Value {
    let carrier = carrier(scalar);
    let narrow = if carrier == Scalar::U64 { bits } else { builder.convert(carrier, bits) };
    if carrier == scalar { narrow } else { builder.bitcast(scalar, narrow) }
}
