//! Loops that replace the inner part of an array by what is computed from the whole array: a stencil whose border
//! stays. The loop carries a second array with the same border; each turn writes the part into that one, and the two
//! change places. So nothing is built aside and copied back.
//!
//! Before: `loop { t = build f(x); x = update x[part] = t }` · after: `loop { y[part] = f(x); swap x and y }`.

use we3_ir::{BinaryOp, Block, CompareOp, Op, Opcode, Type, Value};

use super::product::Needs;
use super::state::{Dest, Lower};
use super::update::moves_with;
use super::wavefront::count_uses;
use crate::analysis::forms::Forms;

/// A part is all but so many rows along each axis: then the second copy costs no more than a turn of the loop.
const BORDER: i128 = 64;

/// An array that is updated so, while the loop is written.
#[derive(Clone, Debug)]
pub(super) struct Swap {
    /// Makes the new elements.
    pub build: Op,
    /// Puts them into the array.
    pub update: Op,
    /// Which of the carried values the array is.
    pub position: usize,
    /// The other array, once there is one.
    other: Option<Value>,
}

impl Lower<'_> {
    /// The arrays of a loop that it updates so.
    pub(super) fn swaps(&self, op: Op) -> Vec<Swap> {
        let src = self.src;
        let body = src.ops[op].regions[0];
        let params = &src.blocks[body].params[1..];
        let yields = src.yields(body).iter().zip(params).enumerate();
        yields.filter_map(|(position, (next, param))| self.swap(body, (position, *param, *next))).collect()
    }

    fn swap(&self, body: Block, (position, param, next): (usize, Value, Value)) -> Option<Swap> {
        let src = self.src;
        let ops = &src.blocks[body].ops;
        let update = src.def_op(next).filter(|op| ops.contains(op))?;
        let data = &src.ops[update];
        let Opcode::Update { rank, masked: false } = data.opcode else { return None };
        let rank = rank as usize;
        let sizes = src.ty(param).sizes();
        if rank == 0 || data.args[0] != param || sizes.len() != rank {
            return None;
        }
        let region = data.regions[0];
        let (element, cell) = src.yields(region).split_last()?;
        let subscripts = &src.blocks[region].params;
        let step_by_step =
            cell.iter().zip(subscripts).all(|(sub, param)| moves_with(src, *sub, *param, region));
        let outside = data.args[1..].iter().chain(cell).all(|value| self.is_fixed(&[body, region], *value));
        let index = src.def_op(*element).filter(|op| src.blocks[region].ops.contains(op))?;
        let read = &src.ops[index];
        let build = src.def_op(*read.args.first()?).filter(|op| ops.contains(op))?;
        let made = &src.ops[build];
        let reads_all = read.opcode == Opcode::Index && read.args[1..] == subscripts[..];
        let builds = matches!(made.opcode, Opcode::Build { rank: own } if own as usize == rank)
            && made.results.len() == 1
            && count_uses(src, body, made.results[0]) == 1;
        let fixed_sizes = sizes.iter().all(|size| !src.blocks[body].params.contains(size));
        let mut forms = Forms::default();
        let nearly_all = sizes.iter().zip(&made.args).all(|(whole, part)| {
            let border = forms.of(src, *whole).plus(-1, &forms.of(src, *part)).as_constant();
            border.is_some_and(|border| (0..=BORDER).contains(&border))
        });
        let plain = src.blocks[region].ops.len() == 2 + Needs::of(src, &[region], cell).ops.len();
        let fits = step_by_step && fixed_sizes && outside && reads_all && builds && nearly_all && plain;
        fits.then_some(Swap { build, update, position, other: None })
    }

    /// Whether a subscript is one of the region's parameters and something from outside the blocks, or a value from there.
    fn is_fixed(&self, blocks: &[Block], value: Value) -> bool {
        let src = self.src;
        let inner = blocks[blocks.len() - 1];
        let needs = Needs::of(src, blocks, &[value]);
        let arithmetic = needs.ops.iter().all(|op| {
            matches!(src.ops[*op].opcode, Opcode::Const(_) | Opcode::Binary(BinaryOp::Add | BinaryOp::Sub))
        });
        arithmetic && needs.params.iter().all(|param| src.blocks[inner].params.contains(param))
    }

    /// Whether the result of the loop is wanted in a place that the last turn may write.
    pub(super) fn has_place(&self, op: Op, swap: &Swap) -> bool {
        let result = self.src.ops[op].results[swap.position];
        let step = self.hints[result].map(|hint| match hint.dest {
            Dest::Output { step, .. } | Dest::Place { step, .. } => step,
        });
        step == Some(1)
    }

    /// The other array of each swap: when the loop begins, it is equal to the first. Where the result of the loop is
    /// wanted in a place, that is one of them: the one that is written last.
    pub(super) fn both_arrays(&mut self, op: Op, swaps: &[Swap], n: Value, init: &mut [Value]) -> Vec<Value> {
        let mut others = Vec::new();
        for swap in swaps {
            let result = self.src.ops[op].results[swap.position];
            let source = self.array(self.src.ops[op].args[1 + swap.position]);
            let sizes = self.sizes(self.src.ops[op].args[1 + swap.position]);
            let count = self.count(&sizes);
            let fresh = self.alloc(source.elem, count);
            let other = if self.has_place(op, swap) {
                let place = self.place_result(result).buffer;
                let types = [(); 2].map(|()| Type::Buffer(source.elem));
                let odd = self.is_odd(n);
                let both = self.if_else(odd, &types, |_| vec![fresh, place], |_| vec![place, fresh]);
                self.copy_elements(&source, both[0], 1, count);
                init[swap.position] = both[0];
                both[1]
            } else {
                fresh
            };
            self.b.append(Opcode::Copy, vec![other, init[swap.position], count], vec![], &[]);
            others.push(other);
        }
        others
    }

    pub(super) fn is_odd(&mut self, n: Value) -> Value {
        let zero = self.i64(0);
        let n = self.b.binary(BinaryOp::Max, n, zero);
        let one = self.i64(1);
        let rest = self.b.binary(BinaryOp::And, n, one);
        self.compare_const(CompareOp::Eq, rest, 1)
    }

    /// A turn of the loop begins: the arrays are read as they are, their new elements go to the others.
    pub(super) fn begin_swaps(&mut self, op: Op, swaps: &[Swap], others: &[Value]) {
        let params = &self.src.blocks[self.src.ops[op].regions[0]].params[1..];
        for (swap, other) in swaps.iter().zip(others) {
            let root = self.array(params[swap.position]).root;
            self.roots[root].owner = None;
            self.swaps.push(Swap { other: Some(*other), ..swap.clone() });
        }
    }

    /// A turn ends: what was read is written next.
    pub(super) fn end_swaps(&mut self, op: Op, swaps: &[Swap]) -> Vec<Value> {
        let params = &self.src.blocks[self.src.ops[op].regions[0]].params[1..];
        self.swaps.truncate(self.swaps.len() - swaps.len());
        swaps.iter().map(|swap| self.array(params[swap.position]).buffer).collect()
    }

    /// Builds new elements right where they belong, if this build makes them.
    pub(super) fn build_into_other(&mut self, op: Op) -> bool {
        let src = self.src;
        let Some((update, other)) =
            self.swaps.iter().find(|swap| swap.build == op).and_then(|swap| Some((swap.update, swap.other?)))
        else {
            return false;
        };
        let place = self.place_in_other(update, other);
        let sizes = self.scalars(&src.ops[update].args[1..]);
        self.lower_nest(op, &sizes, &[place], 0);
        true
    }

    /// Whether the array has been updated by the build already.
    pub(super) fn is_swapped(&self, update: Op) -> bool {
        self.swaps.iter().any(|swap| swap.update == update)
    }
}
