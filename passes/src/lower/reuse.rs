//! Builds that write over what they read: when a build reads an array at exactly the cell that it is
//! about to write, and nothing else needs that array, the result takes its memory.

use we3_ir::{Block, Func, Op, Opcode, Type, Value};

use super::slices::{Slices, slices_read};
use super::state::{Array, Lower};
use super::update::reads_at;

impl Lower<'_> {
    /// The memory of a dying array of this frame that the result of a build may write over, and what of that has to be
    /// copied before.
    pub(super) fn reused(&mut self, op: Op, result: Value) -> Option<(Array, Slices)> {
        // (What a joined matrix is made of is still read.)
        if self.hints[result].is_some() || self.joined.is_some() || !is_scalar_build(self.src, op, result) {
            return None;
        }
        let region = self.src.ops[op].regions[0];
        let cell = self.src.blocks[region].params.as_slice();
        let (found, slices) =
            candidates(self.src, region, self.src.ty(result)).into_iter().find_map(|value| {
                let array = self.array(value);
                let names = &self.roots[array.root].values;
                if !self.owned_and_dying(array.root) || array.step != 1 {
                    return None;
                }
                if reads_at(self.src, names, region, cell) {
                    return Some((value, Vec::new()));
                }
                // The size of the slices has to be known before what they are read for.
                let alone = self.src.ops[op].results.len() == 1 && !self.facts.grid;
                let slices = slices_read(self.src, names, region).filter(|_| alone)?;
                Some((value, slices))
            })?;
        let array = self.array(found);
        self.bind_alias(result, array.buffer, 1, array.root);
        Some((self.array(result), slices))
    }

    /// A build of this block whose result may be built where `value` goes, because the build of
    /// `value` then writes over it cell by cell.
    pub(super) fn shares_place(&self, block: Block, op: Op, value: Value) -> Option<Value> {
        let src = self.src;
        if !is_scalar_build(src, op, value) {
            return None;
        }
        let region = src.ops[op].regions[0];
        let cell = src.blocks[region].params.as_slice();
        let ops = &src.blocks[block].ops;
        let index = ops.iter().position(|other| *other == op)? as u32;
        candidates(src, region, src.ty(value)).into_iter().find(|before| {
            let made_here = src
                .def_op(*before)
                .is_some_and(|def| ops.contains(&def) && matches!(src.ops[def].opcode, Opcode::Build { .. }));
            let renamed = ops.iter().any(|other| {
                let data = &src.ops[*other];
                matches!(data.opcode, Opcode::Reshape | Opcode::Resize) && data.args[0] == *before
            });
            made_here
                && !renamed
                && self.uses.last(block, *before) == Some(index)
                && reads_at(src, &[*before], region, cell)
        })
    }
}

/// Whether this result of a build is one scalar per iteration.
fn is_scalar_build(src: &Func, op: Op, result: Value) -> bool {
    let data = &src.ops[op];
    let number = data.results.iter().position(|other| *other == result);
    let yielded = number.and_then(|number| src.yields(*data.regions.first()?).get(number).copied());
    matches!(data.opcode, Opcode::Build { .. })
        && yielded.is_some_and(|value| matches!(src.ty(value), Type::Scalar(_)))
}

/// Arrays of this type that the region reads.
fn candidates(src: &Func, region: Block, ty: &Type) -> Vec<Value> {
    let mut found = Vec::new();
    for op in &src.blocks[region].ops {
        let data = &src.ops[*op];
        if data.opcode == Opcode::Index && src.ty(data.args[0]) == ty && !found.contains(&data.args[0]) {
            found.push(data.args[0]);
        }
    }
    found
}
