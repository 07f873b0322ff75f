//! Values that lie in memory already, as arguments and captures do: they are read where they are used, and before an
//! innermost loop that uses them. Kept in registers from the start they would have to be spilled around every loop that
//! does not need them, and finding that out takes the register allocator a sixth of its time. (Giving other values a
//! slot of the stack in the same way costs as much in emission as it saves.)

use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type as ClifType};
use we3_backend_api::Unsupported;
use we3_ir::{Block, Func, OpData, Opcode, Value};

use crate::bug;
use crate::emit::{Clif, Emitter, Flow};

/// Where a value lies.
#[derive(Clone, Debug)]
pub struct Home {
    /// The address of the record, to which nothing writes during the call.
    pub record: Clif,
    /// Type and byte offset of each piece.
    pub pieces: Vec<(ClifType, i32)>,
}

impl Emitter<'_, '_> {
    /// Reads a value from its home.
    pub fn read_home(&mut self, value: Value) -> Result<Vec<Clif>, Unsupported> {
        let Some(home) = self.homes.get(&value) else {
            return Err(bug(format!("{value} is used before it is emitted")));
        };
        let flags = MemFlagsData::trusted().with_readonly();
        let read = |(ty, offset): &(ClifType, i32)| self.builder.ins().load(*ty, flags, home.record, *offset);
        Ok(home.pieces.iter().map(read).collect())
    }

    /// Emits a loop; if no other one is inside, what it uses is in registers meanwhile.
    pub fn around_loop(
        &mut self,
        data: &OpData,
        emit: impl FnOnce(&mut Self) -> Result<Flow, Unsupported>,
    ) -> Result<Flow, Unsupported> {
        let held = self.hold(&data.regions)?;
        let flow = emit(self)?;
        held.into_iter().for_each(|value| self.unset(value));
        Ok(flow)
    }

    /// Before regions that run again and again: reads what they use if there is no loop in them. Returns what was read.
    pub fn hold(&mut self, regions: &[Block]) -> Result<Vec<Value>, Unsupported> {
        let mut held = Vec::new();
        if self.homes.is_empty() {
            return Ok(held);
        }
        let func = self.func;
        if regions.iter().any(|region| has_loop(func, *region)) {
            return Ok(held);
        }
        for value in used_in(func, regions) {
            if self.homes.contains_key(&value) && !self.is_set(value) {
                let pieces = self.read_home(value)?;
                self.set(value, &pieces);
                held.push(value);
            }
        }
        Ok(held)
    }
}

/// Every operand in these regions, some several times.
fn used_in(func: &Func, regions: &[Block]) -> Vec<Value> {
    let (mut used, mut waiting) = (Vec::new(), regions.to_vec());
    while let Some(region) = waiting.pop() {
        for op in &func.blocks[region].ops {
            used.extend_from_slice(&func.ops[*op].args);
            waiting.extend_from_slice(&func.ops[*op].regions);
        }
    }
    used
}

fn is_loop(opcode: &Opcode) -> bool {
    matches!(opcode, Opcode::For(_) | Opcode::While | Opcode::Forever)
}

fn has_loop(func: &Func, region: Block) -> bool {
    func.blocks[region].ops.iter().any(|op| {
        let data = &func.ops[*op];
        is_loop(&data.opcode) || data.regions.iter().any(|inner| has_loop(func, *inner))
    })
}
