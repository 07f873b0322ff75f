//! Walking a block: hints for what it yields, one operation after the other, then what leaves it.

use we3_ir::{Block, Op, Opcode, Type, Value};

use super::state::{Dest, Frame, Hint, Lower};

impl Lower<'_> {
    /// Lowers the function's body; returns the scalar results.
    pub(super) fn function_body(&mut self, dests: &[Option<Dest>]) -> Vec<Value> {
        self.enter(self.src.body);
        self.block_ops(dests);
        self.leave(dests)
    }

    /// Lowers a region whose parameters are scalars and that yields scalars, where we stand.
    pub(super) fn scalar_region(&mut self, block: Block, params: &[Value]) -> Vec<Value> {
        self.enter(block);
        self.bind_scalar_params(block, params);
        self.block_ops(&[]);
        self.leave(&[])
    }

    /// Gives the parameters of a region their values.
    pub(super) fn bind_scalar_params(&mut self, block: Block, values: &[Value]) {
        for (param, value) in self.src.blocks[block].params.iter().zip(values) {
            self.set_scalar(*param, *value);
        }
    }

    /// Starts a frame.
    pub(super) fn enter(&mut self, block: Block) {
        let delivered = vec![false; self.src.yields(block).len()];
        self.n_frames += 1;
        self.frames.push(Frame { id: self.n_frames, block, index: 0, delivered });
    }

    /// Lowers all operations of the innermost frame but the terminator.
    pub(super) fn block_ops(&mut self, dests: &[Option<Dest>]) {
        let src = self.src;
        let frame = self.frame();
        let block = self.frames[frame].block;
        self.hint_yields(block, dests);
        let ops = &src.blocks[block].ops;
        for (index, op) in ops.iter().enumerate() {
            self.frames[frame].index = index as u32;
            if index + 1 < ops.len() {
                self.b.span = src.spans[*op];
                let probe = if self.is_nest(*op) { self.open_probe(*op) } else { None };
                self.op(*op);
                self.close_probe(probe);
                self.release_dead(&src.ops[*op].results);
            }
        }
    }

    /// Ends the innermost frame. What it yields goes to its destination or, if it has none, is
    /// returned: scalars, and arrays as memory that the receiver owns.
    pub(super) fn leave(&mut self, dests: &[Option<Dest>]) -> Vec<Value> {
        let block = self.frames[self.frame()].block;
        let yields = self.src.yields(block);
        let mut values = Vec::new();
        for (position, value) in yields.iter().enumerate() {
            match (dests.get(position).copied().flatten(), self.src.ty(*value)) {
                (Some(dest), _) => self.deliver(*value, position, dest),
                (None, Type::Array(..)) => values.push(self.take(*value)),
                (None, Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..)) => {
                    values.push(self.scalar(*value));
                }
            }
        }
        self.release_dead(&[]);
        self.frames.pop();
        values
    }

    /// Wishes that what the block yields be built where it should go.
    fn hint_yields(&mut self, block: Block, dests: &[Option<Dest>]) {
        for op in &self.src.blocks[block].ops {
            for result in &self.src.ops[*op].results {
                self.hints[*result] = None;
            }
        }
        for (position, value) in self.src.yields(block).iter().enumerate() {
            if let Some(dest) = dests.get(position).copied().flatten() {
                self.hint(block, *value, Hint { dest, position: Some(position), then: None });
            }
        }
    }

    fn hint(&mut self, block: Block, value: Value, hint: Hint) {
        let Some(op) = self.src.def_op(value) else { return };
        if !self.src.blocks[block].ops.contains(&op) || self.hints[value].is_some() {
            return;
        }
        let data = &self.src.ops[op];
        if matches!(data.opcode, Opcode::Reshape | Opcode::Resize) {
            self.hint(block, data.args[0], hint);
            return;
        }
        self.hints[value] = Some(hint);
        let (Dest::Output { step, .. } | Dest::Place { step, .. }) = hint.dest;
        if step == 1
            && let Some(before) = self.updated_from(block, op, value)
        {
            self.hint(block, before, Hint { position: None, then: Some(value), ..hint });
        }
        if let Some(before) = self.shares_place(block, op, value) {
            self.hint(block, before, Hint { position: None, then: Some(value), ..hint });
        }
    }

    /// Lowers one operation.
    pub(super) fn op(&mut self, op: Op) {
        let src = self.src;
        let data = &src.ops[op];
        match &data.opcode {
            Opcode::Const(_)
            | Opcode::Unary(_)
            | Opcode::Binary(_)
            | Opcode::Compare(_)
            | Opcode::Select
            | Opcode::Fma
            | Opcode::Convert(_)
            | Opcode::Bitcast(_) => self.scalar_op(op),
            Opcode::If => self.lower_if(op),
            Opcode::While => self.lower_while(op),
            Opcode::Check { site } => {
                let condition = self.scalar(data.args[0]);
                self.b.check(condition, *site, &[]);
            }
            Opcode::Build { rank } => self.lower_build(op, *rank as usize),
            Opcode::Index => self.lower_index(op),
            Opcode::Reduce { kind, masked } => self.lower_reduce(op, *kind, *masked),
            Opcode::Dot { rank } | Opcode::DotBy { rank } => self.lower_dot(op, *rank as usize),
            Opcode::Scan { exclusive } => self.lower_scan(op, *exclusive),
            Opcode::Loop => self.lower_loop(op),
            Opcode::Scatter { kind, rank, masked } => self.lower_scatter(op, *kind, *rank as usize, *masked),
            Opcode::Update { rank, masked } => self.lower_update(op, *rank as usize, *masked),
            Opcode::Data { elem, bits } => {
                let opcode = Opcode::Data { elem: *elem, bits: bits.clone() };
                let buffer = self.b.value(opcode, vec![], vec![], Type::Buffer(*elem));
                self.bind_array(data.results[0], buffer, 1, None);
            }
            Opcode::Reshape | Opcode::Resize => self.lower_alias(op),
            Opcode::Call(_)
            | Opcode::Yield
            | Opcode::Return
            | Opcode::Alloc(_)
            | Opcode::Stack { .. }
            | Opcode::Free
            | Opcode::Output { .. }
            | Opcode::Offset
            | Opcode::Load
            | Opcode::Store
            | Opcode::Stream
            | Opcode::Copy
            | Opcode::For(_)
            | Opcode::Block
            | Opcode::Forever
            | Opcode::Break(_)
            | Opcode::Continue(_)
            | Opcode::Splat(_)
            | Opcode::Iota { .. }
            | Opcode::Extract(_)
            | Opcode::Insert(_)
            | Opcode::Shuffle(_)
            | Opcode::LoadLanes
            | Opcode::StoreLanes
            | Opcode::AnyLane
            | Opcode::AllLanes
            | Opcode::Barrier
            | Opcode::Probe { .. } => not_here(&data.opcode),
        }
    }

    fn scalar_op(&mut self, op: Op) {
        let data = &self.src.ops[op];
        let args = self.scalars(&data.args);
        let result = data.results[0];
        let value = self.b.value(data.opcode.clone(), args, vec![], self.src.ty(result).clone());
        self.set_scalar(result, value);
    }

    fn lower_alias(&mut self, op: Op) {
        let data = &self.src.ops[op];
        let array = self.array(data.args[0]);
        self.bind_alias(data.results[0], array.buffer, array.step, array.root);
    }
}

/// Calls are inlined before, terminators are handled by the frame, the rest is of the other level.
#[expect(clippy::panic, reason = "the verifier keeps these out of array IR without calls")]
fn not_here(opcode: &Opcode) {
    panic!("{opcode:?} cannot be lowered: it is not a plain array-level operation")
}
