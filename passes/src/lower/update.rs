//! `update`: cells of an array replaced, in place when nothing needs the old array, else in a copy.

use we3_ir::{BinaryOp, Block, CompareOp, Func, Op, Opcode, Scalar, Type, Value, ValueDef};

use super::product::Needs;
use super::state::{Array, Lower};

/// An update being lowered.
struct Update<'a> {
    sizes: &'a [Value],
    body: Block,
    target: &'a Array,
    masked: bool,
}

impl Lower<'_> {
    pub(super) fn lower_update(&mut self, op: Op, rank: usize, masked: bool) {
        if self.is_swapped(op) {
            return;
        }
        let src = self.src;
        let data = &src.ops[op];
        let (dest, result, body) = (data.args[0], data.results[0], data.regions[0]);
        let sizes = self.scalars(&data.args[1..=rank]);
        let old = self.array(dest);
        let reads_old = self.used_in_region(old.root, body);
        let (target, in_place) = self.writable(dest, result);
        let update = Update { sizes: &sizes, body, target: &target, masked };
        if in_place && reads_old && rank > 0 && !self.reads_own_cells_only(&old, body, masked) {
            self.update_through_memory(&update);
        } else if let (false, Some(needs)) = (masked, part(src, body, rank)) {
            self.update_part(op, &update, &needs);
        } else {
            self.update_axis(&update, &mut Vec::new());
        }
    }

    /// Every cell of a part of the array: the loops of a build, into that part.
    fn update_part(&mut self, op: Op, update: &Update<'_>, needs: &[Op]) {
        let src = self.src;
        let zero = self.i64(0);
        let (_, cell) = src.yields(update.body).split_last().unzip();
        let cell = cell.unwrap_or_default();
        self.enter(update.body);
        self.bind_scalar_params(update.body, &vec![zero; update.sizes.len()]);
        for op in needs {
            self.op(*op);
        }
        let first = self.scalars(cell);
        self.frames.pop();
        let offset = self.row_offset(update.target, &first);
        let ty = Type::Buffer(update.target.elem);
        let buffer = self.b.value(Opcode::Offset, vec![update.target.buffer, offset], vec![], ty);
        let strides = update.target.strides[cell.len() - update.sizes.len()..].into();
        let place = Array { buffer, strides, ..update.target.clone() };
        self.lower_nest(op, update.sizes, &[place], cell.len());
    }

    /// Memory with the contents of `dest` that becomes `result`: the same memory when `dest` dies
    /// here, a wished-for place, or fresh memory. Also says whether it is the same memory.
    pub(super) fn writable(&mut self, dest: Value, result: Value) -> (Array, bool) {
        let array = self.array(dest);
        if self.hints[result].is_none() && self.owned_and_dying(array.root) && array.step == 1 {
            self.bind_alias(result, array.buffer, 1, array.root);
            return (self.array(result), true);
        }
        if !self.owned_and_dying(array.root) {
            self.note_copy(dest);
        }
        let place = self.place_result(result);
        let sizes = self.sizes(dest);
        let count = self.count(&sizes);
        self.copy_elements(&array, place.buffer, place.step, count);
        (place, false)
    }

    fn update_axis(&mut self, update: &Update<'_>, subscripts: &mut Vec<Value>) {
        let Some(size) = update.sizes.get(subscripts.len()) else {
            let (present, offset, value) = self.update_element(update, subscripts);
            self.store_if(present, update.target.buffer, offset, value);
            return;
        };
        let zero = self.i64(0);
        self.for_each(zero, *size, |this, i| {
            subscripts.push(i);
            this.update_axis(update, subscripts);
            subscripts.pop();
        });
    }

    /// One iteration: (present?, offset in the target, value).
    fn update_element(&mut self, update: &Update<'_>, subscripts: &[Value]) -> (Option<Value>, Value, Value) {
        let mut yields = self.scalar_region(update.body, subscripts);
        let present = update.masked.then(|| yields.remove(0));
        let cell = &yields[..yields.len() - 1];
        let offset = self.row_offset(update.target, cell);
        (present, offset, yields[yields.len() - 1])
    }

    pub(super) fn store_if(&mut self, present: Option<Value>, buffer: Value, offset: Value, value: Value) {
        match present {
            Some(present) => self.if_then(present, |this| this.store(buffer, offset, value)),
            None => self.store(buffer, offset, value),
        }
    }

    /// First all values and where they go (−1: nowhere) into memory, then the writes.
    fn update_through_memory(&mut self, update: &Update<'_>) {
        let count = self.count(update.sizes);
        let offsets = self.alloc(Scalar::I64, count);
        let values = self.alloc(update.target.elem, count);
        self.evaluate_axis(update, (offsets, values), &mut Vec::new(), None);
        let zero = self.i64(0);
        self.for_each(zero, count, |this, k| {
            let offset = this.load(Scalar::I64, offsets, k);
            let value = this.load_elem(values, k);
            let present = this.compare_const(CompareOp::Ge, offset, 0);
            this.store_if(update.masked.then_some(present), update.target.buffer, offset, value);
        });
        self.free(offsets);
        self.free(values);
    }

    fn evaluate_axis(
        &mut self,
        update: &Update<'_>,
        (offsets, values): (Value, Value),
        subscripts: &mut Vec<Value>,
        outer: Option<Value>,
    ) {
        let Some(size) = update.sizes.get(subscripts.len()).copied() else {
            let k = outer.unwrap_or_else(|| self.i64(0));
            let (present, offset, value) = self.update_element(update, subscripts);
            let nowhere = self.i64(-1);
            let offset = present.map_or(offset, |present| self.b.select(present, offset, nowhere));
            self.store(offsets, k, offset);
            self.store(values, k, value);
            return;
        };
        let base = outer.map(|outer| self.mul(outer, size));
        let zero = self.i64(0);
        self.for_each(zero, size, |this, i| {
            subscripts.push(i);
            let k = base.map_or(i, |base| this.add(base, i));
            this.evaluate_axis(update, (offsets, values), subscripts, Some(k));
            subscripts.pop();
        });
    }

    /// Whether each iteration reads the old array only at the cell that it writes, and no two
    /// iterations write the same cell: then order does not matter and reading in place is right.
    fn reads_own_cells_only(&self, old: &Array, body: Block, masked: bool) -> bool {
        let src = self.src;
        let yields = src.yields(body);
        let cell = &yields[usize::from(masked)..yields.len() - 1];
        let params = &src.blocks[body].params;
        let separate = params.iter().all(|param| cell.iter().any(|sub| moves_with(src, *sub, *param, body)));
        separate && reads_at(src, &self.roots[old.root].values, body, cell)
    }
}

/// Whether an update writes a part of the array in order: its cells are something fixed, then each of its subscripts
/// or that and something fixed. The operations that say where are given, in order.
pub(super) fn part(src: &Func, body: Block, rank: usize) -> Option<Vec<Op>> {
    let cell = src.yields(body).split_last()?.1;
    let params = &src.blocks[body].params;
    let (fixed, moving) = cell.split_at(cell.len().checked_sub(rank).filter(|_| rank > 0)?);
    let in_order = moving.iter().zip(params).all(|(sub, param)| moves_with(src, *sub, *param, body));
    let needs = Needs::of(src, &[body], cell);
    let is_fixed = Needs::of(src, &[body], fixed).params.is_empty();
    (in_order && is_fixed && !needs.reads(src))
        .then(|| src.blocks[body].ops.iter().filter(|op| needs.ops.contains(op)).copied().collect())
}

/// Whether `subscript` is the parameter, or the parameter plus or minus something fixed.
pub(super) fn moves_with(src: &Func, subscript: Value, param: Value, body: Block) -> bool {
    if subscript == param {
        return true;
    }
    let Some(op) = src.def_op(subscript) else { return false };
    let data = &src.ops[op];
    let Opcode::Binary(kind) = data.opcode else { return false };
    let fixed = |value: Value| {
        let inside = src.def_op(value).is_some_and(|op| src.blocks[body].ops.contains(&op));
        let is_param = matches!(src.values[value].def, ValueDef::Param(block, _) if block == body);
        src.as_const(value).is_some() || !(inside || is_param)
    };
    match kind {
        BinaryOp::Add => {
            (data.args[0] == param && fixed(data.args[1])) || (data.args[1] == param && fixed(data.args[0]))
        }
        BinaryOp::Sub => data.args[0] == param && fixed(data.args[1]),
        BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Rem
        | BinaryOp::Min
        | BinaryOp::Max
        | BinaryOp::And
        | BinaryOp::Or
        | BinaryOp::Xor
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

/// Whether every use of `arrays` in the region is an `index` at exactly `cell`.
pub(super) fn reads_at(src: &Func, arrays: &[Value], region: Block, cell: &[Value]) -> bool {
    src.blocks[region].ops.iter().all(|op| {
        let data = &src.ops[*op];
        let uses = data.args.iter().any(|arg| arrays.contains(arg));
        let own = matches!(data.opcode, Opcode::Index) && &data.args[1..] == cell;
        (!uses || own) && data.regions.iter().all(|nested| reads_at(src, arrays, *nested, cell))
    })
}
