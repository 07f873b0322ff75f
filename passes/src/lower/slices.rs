//! Builds that write over an array although they read rows, columns or single elements of it besides the cell that they
//! are about to write: those are few, so they are copied before, and the array is updated in place.
//!
//! `d = [min(d[i, j], d[i, k] + d[k, j]) for i, j]` copies column and row `k` of `d`, and needs no second `d`.

use we3_ir::{Block, CompareOp, Func, Op, Opcode, Type, Value, ValueDef};

use super::state::{Array, Lower, Root};

/// More slices are not copied.
const MOST: usize = 4;

/// A part of an array with some subscripts fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    array: Value,
    pub subscripts: Vec<Value>,
    /// The axes whose subscripts are parameters of the build.
    pub axes: Vec<usize>,
}

/// Slices, with the operations that read each.
pub(super) type Slices = Vec<(Slice, Vec<Op>)>;

/// A slice as it was before the build, while that is written.
#[derive(Clone, Debug)]
pub(super) struct Copied {
    index: Op,
    params: Vec<Value>,
    place: Array,
}

/// The slices that a region reads of arrays besides their own cell; none if
/// it reads in any other way.
pub(super) fn slices_read(src: &Func, arrays: &[Value], region: Block) -> Option<Slices> {
    let mut found = Vec::new();
    collect(src, arrays, (region, region), &mut found)?;
    // What a check guards must not be read before it.
    (found.len() <= MOST && !has_check(src, region)).then_some(found)
}

fn collect(src: &Func, arrays: &[Value], (region, block): (Block, Block), found: &mut Slices) -> Option<()> {
    let cell = &src.blocks[region].params;
    for op in &src.blocks[block].ops {
        let data = &src.ops[*op];
        for nested in &data.regions {
            collect(src, arrays, (region, *nested), found)?;
        }
        if !data.args.iter().any(|arg| arrays.contains(arg)) {
            continue;
        }
        let subscripts = data.args[1..].to_vec();
        if data.opcode != Opcode::Index {
            return None;
        }
        if subscripts == *cell {
            continue;
        }
        let mut axes = Vec::new();
        for (axis, subscript) in subscripts.iter().enumerate() {
            if cell.contains(subscript) {
                let again = axes.iter().any(|other: &usize| subscripts[*other] == *subscript);
                if again {
                    return None;
                }
                axes.push(axis);
            } else if !is_outside(src, region, *subscript) {
                return None;
            }
        }
        // What is read in a branch may be out of range elsewhere.
        if axes.len() == subscripts.len() || axes.len() >= cell.len() || block != region {
            return None;
        }
        let slice = Slice { array: data.args[0], subscripts, axes };
        match found.iter_mut().find(|(other, _)| *other == slice) {
            Some((_, readers)) => readers.push(*op),
            None => found.push((slice, vec![*op])),
        }
    }
    Some(())
}

fn has_check(src: &Func, block: Block) -> bool {
    src.blocks[block].ops.iter().any(|op| {
        let data = &src.ops[*op];
        matches!(data.opcode, Opcode::Check { .. })
            || data.regions.iter().any(|nested| has_check(src, *nested))
    })
}

/// Whether a value is there before a region begins.
fn is_outside(src: &Func, region: Block, value: Value) -> bool {
    match src.values[value].def {
        ValueDef::Param(block, _) => !is_within(src, region, block),
        ValueDef::Result(op, _) => !holds(src, region, op),
        ValueDef::ResultRef(_) => false,
    }
}

fn is_within(src: &Func, region: Block, block: Block) -> bool {
    region == block
        || src.blocks[region]
            .ops
            .iter()
            .any(|op| src.ops[*op].regions.iter().any(|nested| is_within(src, *nested, block)))
}

fn holds(src: &Func, region: Block, op: Op) -> bool {
    src.blocks[region]
        .ops
        .iter()
        .any(|other| *other == op || src.ops[*other].regions.iter().any(|nested| holds(src, *nested, op)))
}

impl Lower<'_> {
    /// Copies slices; whoever reads them reads the copies from now on. Returns what has to be freed.
    pub(super) fn copy_slices(&mut self, slices: &[(Slice, Vec<Op>)], sizes: &[Value]) -> Vec<Value> {
        let mut buffers = Vec::new();
        // A build without elements reads nothing, and there may be nothing.
        let n_elements = self.count(sizes);
        let some = self.compare_const(CompareOp::Gt, n_elements, 0);
        for (slice, readers) in slices {
            let array = self.array(slice.array);
            let all_sizes = self.sizes(slice.array);
            let sizes: Vec<Value> = slice.axes.iter().map(|axis| all_sizes[*axis]).collect();
            let count = self.count(&sizes);
            let buffer = self.alloc(array.elem, count);
            self.roots.push(Root { owner: None, values: Vec::new(), buffer });
            let strides = self.row_strides(&sizes);
            let place = Array { buffer, elem: array.elem, step: 1, strides, root: self.roots.len() - 1 };
            self.if_then(some, |this| this.copy_slice((slice, &array), &place, &sizes, &mut Vec::new()));
            self.read_from(slice, readers, &place);
            buffers.push(buffer);
        }
        buffers
    }

    /// Whoever reads a slice reads it in this place from now on.
    pub(super) fn read_from(&mut self, slice: &Slice, readers: &[Op], place: &Array) {
        let params: Vec<Value> = slice.axes.iter().map(|axis| slice.subscripts[*axis]).collect();
        for index in readers {
            self.copied.push(Copied { index: *index, params: params.clone(), place: place.clone() });
        }
    }

    fn copy_slice(
        &mut self,
        (slice, array): (&Slice, &Array),
        place: &Array,
        sizes: &[Value],
        inner: &mut Vec<Value>,
    ) {
        if let Some(size) = sizes.get(inner.len()) {
            let zero = self.i64(0);
            return self.for_each(zero, *size, |this, i| {
                inner.push(i);
                this.copy_slice((slice, array), place, sizes, inner);
                inner.pop();
            });
        }
        let mut subscripts = Vec::new();
        for (axis, subscript) in slice.subscripts.iter().enumerate() {
            let moving = slice.axes.iter().position(|other| *other == axis);
            subscripts.push(match moving {
                Some(position) => inner[position],
                None => self.scalar(*subscript),
            });
        }
        let from = self.row_offset(array, &subscripts);
        let value = self.load(array.elem, array.buffer, from);
        let to = self.row_offset(place, inner);
        self.store(place.buffer, to, value);
    }

    /// What an operation reads that reads a copied slice.
    pub(super) fn index_of_slice(&mut self, op: Op) -> Option<Value> {
        let copied = self.copied.iter().rev().find(|copied| copied.index == op)?.clone();
        let subscripts = self.scalars(&copied.params);
        let offset = self.row_offset(&copied.place, &subscripts);
        let elem = copied.place.elem;
        Some(self.b.value(Opcode::Load, vec![copied.place.buffer, offset], vec![], Type::Scalar(elem)))
    }
}
