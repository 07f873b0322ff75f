//! The operands of a product at an element: their values, where they lie, the loops and subscripts that lead there.

use we3_ir::{BinaryOp, Block, Value};

use super::build::Nest;
use super::pack::{Outer, Product};
use super::product::Line;
use super::state::Lower;

/// log₂ of how many elements of a row are copied between two looks at the other axes.
const BLOCK_SHIFT: i64 = 6;

impl Lower<'_> {
    /// Loops over the dot's axes; the body gets the subscripts and their place in row-major order.
    pub(super) fn inner_loops(
        &mut self,
        sizes: &[Value],
        subscripts: &mut Vec<Value>,
        flat: Value,
        body: &mut dyn FnMut(&mut Self, &[Value], Value),
    ) {
        let Some((size, rest)) = sizes.split_first() else {
            body(self, subscripts, flat);
            return;
        };
        let before = self.mul(flat, *size);
        let zero = self.i64(0);
        self.for_each(zero, *size, |this, k| {
            subscripts.push(k);
            let flat = this.add(before, k);
            this.inner_loops(rest, subscripts, flat, body);
            subscripts.pop();
        });
    }

    /// The same with the last axis in blocks, outside of the other loops: who reads memory in another order finds
    /// the neighbours of what was read before still in cache.
    pub(super) fn inner_blocks(&mut self, sizes: &[Value], body: &mut dyn FnMut(&mut Self, &[Value], Value)) {
        let zero = self.i64(0);
        let Some((last, others)) = sizes.split_last().filter(|(_, others)| !others.is_empty()) else {
            return self.inner_loops(sizes, &mut Vec::new(), zero, body);
        };
        let n_blocks = self.ceil_shift(*last, BLOCK_SHIFT);
        self.for_each(zero, n_blocks, |this, block| {
            let lo = this.mul_const(block, 1 << BLOCK_SHIFT);
            let end = this.add_const(lo, 1 << BLOCK_SHIFT);
            let hi = this.min(end, *last);
            this.inner_loops(others, &mut Vec::new(), zero, &mut |this, outer, flat| {
                let before = this.mul(flat, *last);
                this.for_each(lo, hi, |this, k| {
                    let flat = this.add(before, k);
                    body(this, &[outer, &[k]].concat(), flat);
                });
            });
        });
    }

    /// The subscripts of a place in row-major order.
    pub(super) fn split_flat(&mut self, sizes: &[Value], flat: Value) -> Vec<Value> {
        let mut rest = flat;
        let mut subscripts = Vec::new();
        for size in sizes.iter().skip(1).rev() {
            subscripts.push(self.b.binary(BinaryOp::Rem, rest, *size));
            rest = self.b.binary(BinaryOp::Div, rest, *size);
        }
        subscripts.push(rest);
        subscripts.reverse();
        subscripts
    }

    /// Both operands of the dot, as accumulated, at a row and a column. An operand that nobody uses is removed later.
    pub(super) fn operands(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        cell: (&[Value], &[Value]),
        inner: &[Value],
    ) -> [Value; 2] {
        self.enter_cell(product, outer, cell);
        for op in &product.schedule.before {
            self.op(*op);
        }
        let pair = self.scalar_region(product.operands, inner);
        let pair = [self.narrow(pair[0], product.acc), self.narrow(pair[1], product.acc)];
        self.frames.pop();
        pair
    }

    /// Where a line of elements along the dot begins at a row and a column.
    pub(super) fn line_base(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        cell: (&[Value], &[Value]),
        line: &Line,
    ) -> Value {
        let all = cell_of(product, outer, cell);
        self.line_offset((product.nest.body, product.operands), &all, line)
    }

    /// The same for all subscripts of the build.
    pub(super) fn line_offset(
        &mut self,
        (body, operands): (Block, Block),
        cell: &[Value],
        line: &Line,
    ) -> Value {
        let src = self.src;
        let data = &src.ops[line.index];
        self.enter(body);
        self.bind_scalar_params(body, cell);
        self.enter(operands);
        let zero = self.i64(0);
        self.bind_scalar_params(operands, &vec![zero; src.blocks[operands].params.len()]);
        for op in &line.needs {
            self.op(*op);
        }
        let array = self.array(data.args[0]);
        let base = self.element_offset(&array, &data.args[1..]);
        self.frames.pop();
        self.frames.pop();
        base
    }

    /// The memory that a line lies in, and how far it is from one element to the next.
    pub(super) fn line_step(&mut self, line: &Line) -> (Value, Value) {
        let array = self.array(self.src.ops[line.index].args[0]);
        (array.buffer, self.distance(line, &line.steps))
    }

    /// How far it is in a line's memory when the subscripts move like this.
    pub(super) fn distance(&mut self, line: &Line, steps: &[i64]) -> Value {
        let array = self.array(self.src.ops[line.index].args[0]);
        let mut sum: Option<Value> = None;
        for (axis, by) in steps.iter().enumerate().filter(|(_, by)| **by != 0) {
            let term = match array.strides.get(axis) {
                Some(stride) => self.mul_const(*stride, *by),
                None => self.i64(*by),
            };
            sum = Some(sum.map_or(term, |sum| self.add(sum, term)));
        }
        let sum = sum.unwrap_or_else(|| self.i64(0));
        self.mul_const(sum, i64::from(array.step))
    }

    /// Enters the body of the build for one element; returns all its subscripts.
    pub(super) fn enter_cell(
        &mut self,
        product: &Product<'_>,
        outer: Outer<'_>,
        (row, column): (&[Value], &[Value]),
    ) -> Vec<Value> {
        let all = cell_of(product, outer, (row, column));
        self.enter(product.nest.body);
        self.bind_scalar_params(product.nest.body, &all);
        all
    }
}

/// All subscripts of an element.
fn cell_of(product: &Product<'_>, outer: Outer<'_>, (row, column): (&[Value], &[Value])) -> Vec<Value> {
    let mut all = outer.to_vec();
    let axes = product.schedule.row_axes.iter().chain(&product.schedule.column_axes);
    for (axis, subscript) in axes.zip(row.iter().chain(column)) {
        all[*axis as usize] = Some(*subscript);
    }
    all.into_iter().flatten().collect()
}

/// The sizes of some axes of a nest.
pub(super) fn sizes_of(nest: &Nest<'_>, axes: &[u32]) -> Vec<Value> {
    axes.iter().map(|axis| nest.sizes[*axis as usize]).collect()
}
