//! Which pairs of loops run along anti-diagonals: an outer loop hands a row of cells from turn to turn, an inner
//! one makes a row cell by cell, and each cell needs only cells above, to the left and between. Then the cells of
//! a diagonal (i + j fixed) need none of each other. This file only finds out; `diagonals` writes the loops.

use we3_ir::{BinaryOp, Block, Func, Op, Opcode, Scalar, Type, Value};

use super::state::{Lower, Lowered};
use crate::analysis::effects::is_pure_scalar;

/// Shorter rows or columns are not worth the way to the diagonals, when that is known.
const SHORT: i64 = 16;
/// What each cell computes again from the number of its row may have so many operations.
const AGAIN: usize = 8;
/// Cells further to the left are not remembered.
const REACH: i64 = 8;

/// Two loops that run along diagonals.
#[derive(Debug)]
pub(super) struct Wavefront {
    /// The body of the outer loop, the inner loop and its body.
    pub outer: Block,
    pub inner: Op,
    pub body: Block,
    /// What cells make and other cells read: elements of rows, then scalars carried from cell to cell.
    pub cells: Vec<Cell>,
    /// What all cells together add up to.
    pub folds: Vec<Fold>,
    /// Operations of the outer body that every cell may need.
    pub shared: Vec<Op>,
    /// Reads of cells.
    pub reads: Vec<(Op, Read)>,
}

/// A value that each cell has.
#[derive(Debug)]
pub(super) struct Cell {
    pub elem: Scalar,
    /// Its value while a row begins: an array or a scalar of the outer body.
    pub init: Value,
    /// The result of the inner loop that is the row, and the place of the row among what the outer loop carries.
    pub kind: CellKind,
    /// How far to the left and how many diagonals back it is read, and whether from the row below.
    pub reach: i64,
    pub age: i64,
    pub from_below: bool,
}

#[derive(Debug)]
pub(super) enum CellKind {
    /// Column `j` writes place `j + shift` by this operation; the array is carried at this position outside.
    Row { update: Op, shift: i64, position: usize, in_place: bool },
    /// The parameter of the inner loop, and what it becomes.
    Scalar { param: Value, next: Value },
}

/// `total = op(total, element)` over all cells, in any order.
#[derive(Debug)]
pub(super) struct Fold {
    pub op: Op,
    pub kind: BinaryOp,
    pub element: Value,
    /// Its position among what the outer loop carries.
    pub position: usize,
}

/// A read of the cell `down` rows above and `left` columns to the left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    pub cell: usize,
    pub down: i64,
    pub left: i64,
}

/// The pair of loops while it is looked at.
struct Search<'a, 'b> {
    lower: &'a Lower<'b>,
    src: &'a Func,
    outer_op: Op,
    found: Wavefront,
}

impl Lower<'_> {
    /// Whether the loop and the one in it run along diagonals, and how.
    pub(super) fn wavefront(&self, op: Op) -> Option<Wavefront> {
        let src = self.src;
        let outer = src.ops[op].regions[0];
        let ops = &src.blocks[outer].ops;
        // The inner loop is the last thing that a turn does.
        let inner = *ops.get(ops.len().checked_sub(2)?)?;
        let data = &src.ops[inner];
        if data.opcode != Opcode::Loop || data.args.len() < 2 {
            return None;
        }
        let body = data.regions[0];
        let found = Wavefront {
            outer,
            inner,
            body,
            cells: Vec::new(),
            folds: Vec::new(),
            shared: Vec::new(),
            reads: Vec::new(),
        };
        let mut search = Search { lower: self, src, outer_op: op, found };
        search.bounds()?;
        search.carried()?;
        search.outer_ops()?;
        search.body_ops(body)?;
        search.ages()?;
        Some(search.found)
    }
}

impl Search<'_, '_> {
    /// Both loops have counts that are known outside.
    fn bounds(&self) -> Option<()> {
        let counts = [self.src.ops[self.outer_op].args[0], self.src.ops[self.found.inner].args[0]];
        let long = counts.iter().all(|count| self.lower.const_i64(*count).is_none_or(|n| n >= SHORT));
        (long && self.is_outside(counts[1])).then_some(())
    }

    /// Whether a value has been lowered already, so that it stands outside both loops.
    fn is_outside(&self, value: Value) -> bool {
        !matches!(self.lower.env[value], Lowered::Nothing) && !self.is_own(value)
    }

    /// Loops are lowered once, but a value of a body may have been met in another copy of it.
    fn is_own(&self, value: Value) -> bool {
        let inside = |block: Block| {
            self.src.blocks[block].params.contains(&value)
                || self.src.def_op(value).is_some_and(|op| self.src.blocks[block].ops.contains(&op))
        };
        inside(self.found.outer) || inside(self.found.body)
    }

    /// What the inner loop carries: rows, totals, scalars from cell to cell. What the outer one carries is one of the
    /// first two.
    fn carried(&mut self) -> Option<()> {
        let src = self.src;
        let (inner, outer) = (&src.ops[self.found.inner], &src.ops[self.outer_op]);
        let outer_yields = src.yields(self.found.outer);
        let mut outer_known = 0;
        let mut scalars = Vec::new();
        for (number, param) in src.blocks[self.found.body].params[1..].iter().enumerate() {
            let (init, result) = (inner.args[1 + number], inner.results[number]);
            let next = src.yields(self.found.body)[number];
            let positions: Vec<usize> =
                (0..outer_yields.len()).filter(|position| outer_yields[*position] == result).collect();
            match src.ty(*param) {
                Type::Array(elem, sizes) => {
                    let [position] = positions[..] else { return None };
                    if sizes.len() != 1 {
                        return None;
                    }
                    let cell = self.row(*param, init, next, (*elem, position))?;
                    self.found.cells.push(cell);
                    outer_known += 1;
                }
                Type::Scalar(elem) => match positions[..] {
                    [] => {
                        let kind = CellKind::Scalar { param: *param, next };
                        let cell = Cell { elem: *elem, init, kind, reach: 1, age: 1, from_below: false };
                        scalars.push(cell);
                    }
                    [position] => {
                        let from_outside = src.blocks[self.found.outer].params[1 + position];
                        if init != from_outside || self.n_uses(from_outside) != 1 {
                            return None;
                        }
                        self.found.folds.push(self.fold(*param, next, position)?);
                        outer_known += 1;
                    }
                    [..] => return None,
                },
                Type::Buffer(_) | Type::Vector(..) => return None,
            }
        }
        let n_rows = self.found.cells.len();
        self.found.cells.extend(scalars);
        (n_rows > 0 && outer_known == outer.results.len()).then_some(())
    }

    /// An array that each column writes at one place.
    fn row(&self, param: Value, init: Value, next: Value, (elem, position): (Scalar, usize)) -> Option<Cell> {
        let src = self.src;
        let update = src.def_op(next)?;
        let data = &src.ops[update];
        let plain = matches!(data.opcode, Opcode::Update { rank: 0, masked: false });
        if !plain || data.args[0] != param || !src.blocks[self.found.body].ops.contains(&update) {
            return None;
        }
        let [place, _] = src.yields(data.regions[0]) else { return None };
        if src.blocks[data.regions[0]].ops.len() != 1 {
            return None;
        }
        let shift = self.column_plus(*place)?;
        let above = src.blocks[self.found.outer].params[1 + position];
        let in_place = init == above;
        let kind = CellKind::Row { update, shift, position, in_place };
        (shift >= 0 && (in_place || self.begins_plainly(init, shift))).then_some(Cell {
            elem,
            init,
            kind,
            reach: 0,
            age: 0,
            from_below: false,
        })
    }

    /// Whether a row begins as an array whose elements are computed one by one, with some places before the first
    /// column replaced.
    fn begins_plainly(&self, init: Value, shift: i64) -> bool {
        let src = self.src;
        let Some(op) = src.def_op(init).filter(|op| src.blocks[self.found.outer].ops.contains(op)) else {
            return false;
        };
        let data = &src.ops[op];
        #[expect(clippy::wildcard_enum_match_arm, reason = "any other array is not known element by element")]
        match data.opcode {
            Opcode::Build { rank: 1 } => src.blocks[data.regions[0]]
                .ops
                .iter()
                .all(|op| is_pure_scalar(&src.ops[*op].opcode) || src.ops[*op].opcode == Opcode::Yield),
            Opcode::Update { rank: 0, masked: false } => {
                let place = src.yields(data.regions[0])[0];
                let before = self.lower.const_i64(place).is_some_and(|place| place < shift);
                before
                    && src.blocks[data.regions[0]].ops.len() == 1
                    && self.begins_plainly(data.args[0], shift)
            }
            _ => false,
        }
    }

    /// `column + constant`: the constant.
    fn column_plus(&self, value: Value) -> Option<i64> {
        let column = self.src.blocks[self.found.body].params[0];
        if value == column {
            return Some(0);
        }
        let data = &self.src.ops[self.src.def_op(value)?];
        #[expect(clippy::wildcard_enum_match_arm, reason = "no other operation moves an index")]
        let by = match data.opcode {
            Opcode::Binary(BinaryOp::Add) if data.args[0] == column => self.lower.const_i64(data.args[1])?,
            Opcode::Binary(BinaryOp::Add) if data.args[1] == column => self.lower.const_i64(data.args[0])?,
            Opcode::Binary(BinaryOp::Sub) if data.args[0] == column => {
                self.lower.const_i64(data.args[1])?.checked_neg()?
            }
            _ => return None,
        };
        (-REACH..=REACH).contains(&by).then_some(by)
    }

    fn fold(&self, param: Value, next: Value, position: usize) -> Option<Fold> {
        let src = self.src;
        let op = src.def_op(next).filter(|op| src.blocks[self.found.body].ops.contains(op))?;
        let data = &src.ops[op];
        let Opcode::Binary(kind) = data.opcode else { return None };
        let (left, right) = (data.args[0], data.args[1]);
        let element = if left == param { right } else { left };
        let once = self.n_uses(param) == 1 && self.n_uses(next) == 1 && element != param;
        let own = left == param || right == param;
        (own && once && any_order(kind, src.ty(param).element())).then_some(Fold {
            op,
            kind,
            element,
            position,
        })
    }

    /// How often operations of both bodies name a value.
    fn n_uses(&self, value: Value) -> usize {
        count_uses(self.src, self.found.outer, value)
    }

    /// The outer body only computes scalars and makes the beginnings of rows.
    fn outer_ops(&mut self) -> Option<()> {
        let src = self.src;
        let ops = &src.blocks[self.found.outer].ops;
        for op in &ops[..ops.len() - 2] {
            let data = &src.ops[*op];
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "anything else is no part of a row's beginning"
            )]
            match &data.opcode {
                Opcode::Build { .. } | Opcode::Update { .. } => {
                    let begins = |cell: &Cell| self.is_part_of(data.results[0], cell.init);
                    if data.results.len() != 1 || !self.found.cells.iter().any(begins) {
                        return None;
                    }
                }
                Opcode::Index if self.is_outside(data.args[0]) => self.found.shared.push(*op),
                opcode if is_pure_scalar(opcode) && src.ty(data.results[0]).as_scalar().is_some() => {
                    self.found.shared.push(*op);
                }
                _ => return None,
            }
        }
        // What a turn carries is read as the row above, or by the inner loop.
        let computes = |op: &&Op| !matches!(src.ops[**op].opcode, Opcode::Const(_));
        (self.found.shared.iter().filter(computes).count() <= AGAIN).then_some(())
    }

    /// Whether an array of the outer body becomes another by updates there, and nobody else reads it.
    fn is_part_of(&self, array: Value, whole: Value) -> bool {
        if array == whole {
            return self.n_uses(array) == 1;
        }
        let Some(op) = self.src.def_op(whole) else { return false };
        let data = &self.src.ops[op];
        matches!(data.opcode, Opcode::Update { .. })
            && self.n_uses(array) == 1
            && self.is_part_of(array, data.args[0])
    }

    /// Every operation of the inner body computes, reads what stands outside or a cell that is done.
    fn body_ops(&mut self, block: Block) -> Option<()> {
        let src = self.src;
        for op in &src.blocks[block].ops {
            let data = &src.ops[*op];
            #[expect(
                clippy::wildcard_enum_match_arm,
                reason = "anything else has an effect or an order of its own"
            )]
            match &data.opcode {
                Opcode::Index => {
                    if self.is_outside(data.args[0]) || self.is_table(data.args[0]) {
                        continue;
                    }
                    let read = self.read(data.args[0], *data.args.get(1)?)?;
                    self.found.reads.push((*op, read));
                }
                Opcode::Update { .. } => {
                    let is_row =
                        |cell: &Cell| matches!(cell.kind, CellKind::Row { update, .. } if update == *op);
                    if !self.found.cells.iter().any(is_row) {
                        return None;
                    }
                }
                Opcode::If => {
                    let scalars = data.results.iter().all(|result| src.ty(*result).as_scalar().is_some());
                    if !scalars {
                        return None;
                    }
                    for region in &data.regions {
                        self.body_ops(*region)?;
                    }
                }
                Opcode::Check { .. } | Opcode::Yield => {}
                opcode if is_pure_scalar(opcode) => {}
                _ => return None,
            }
        }
        Some(())
    }

    fn is_table(&self, array: Value) -> bool {
        self.src.def_op(array).is_some_and(|op| matches!(self.src.ops[op].opcode, Opcode::Data { .. }))
    }

    /// Which cell `array[subscript]` is.
    fn read(&self, array: Value, subscript: Value) -> Option<Read> {
        let src = self.src;
        let place = self.column_plus(subscript)?;
        self.found.cells.iter().enumerate().find_map(|(cell, known)| {
            let CellKind::Row { update, shift, position, in_place } = known.kind else { return None };
            let left = shift - place;
            let before = src.ops[update].args[0];
            let down = if array == src.ops[update].results[0] {
                0
            } else if array == before {
                // A place that this row has not written yet holds what the row above left.
                if left > 0 {
                    0
                } else if in_place {
                    1
                } else {
                    return None;
                }
            } else if array == src.blocks[self.found.outer].params[1 + position] {
                1
            } else {
                return None;
            };
            let is_done = left >= 0 && (down + left >= 1 || array != before);
            (is_done && left <= REACH).then_some(Read { cell, down, left })
        })
    }

    /// How long cells are remembered.
    fn ages(&mut self) -> Option<()> {
        for (_, read) in &self.found.reads {
            let cell = &mut self.found.cells[read.cell];
            cell.reach = cell.reach.max(read.left);
            cell.age = cell.age.max(read.left + read.down);
            cell.from_below |= read.down > 0;
        }
        // Without a read from the row above all rows are independent, and nothing has to be skewed.
        self.found.cells.iter().any(|cell| cell.from_below).then_some(())
    }
}

/// Whether elements may be combined in any order without changing a bit.
fn any_order(kind: BinaryOp, ty: Scalar) -> bool {
    match kind {
        BinaryOp::Min | BinaryOp::Max | BinaryOp::And | BinaryOp::Or => true,
        BinaryOp::Add | BinaryOp::Mul | BinaryOp::Xor => !ty.is_float() && ty != Scalar::Bool,
        BinaryOp::Sub
        | BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Shl
        | BinaryOp::Shr
        | BinaryOp::RotateLeft
        | BinaryOp::MulHi
        | BinaryOp::CopySign
        | BinaryOp::AddSat
        | BinaryOp::SubSat
        | BinaryOp::MulSat => false,
    }
}

/// How often operations of a block and of the regions in it name a value.
pub(super) fn count_uses(func: &Func, block: Block, value: Value) -> usize {
    let ops = func.blocks[block].ops.iter();
    ops.map(|op| {
        let data = &func.ops[*op];
        let own = data.args.iter().filter(|arg| **arg == value).count();
        own + data.regions.iter().map(|region| count_uses(func, *region, value)).sum::<usize>()
    })
    .sum()
}
