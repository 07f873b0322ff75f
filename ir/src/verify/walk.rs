//! Walking a body: who owns what, where values are visible, where terminators stand. Typing rules of
//! the operations are called from here.

use std::cell::OnceCell;

use cranelift_entity::SecondaryMap;

use super::levels::{allowed_at, type_fault};
use super::{NESTS_TOO_DEEP, VerifyError};
use crate::entity::{Block, FuncId, Op, Value};
use crate::module::{Func, Module, OpData, ValueDef};
use crate::op::{ForKind, Opcode};
use crate::text::{MAX_NESTING, Naming};
use crate::types::Type;

/// More errors than this are not worth reading.
const MAX_ERRORS: usize = 100;

/// Checks one function's body.
pub(super) fn verify_body(module: &Module, id: FuncId, errors: &mut Vec<VerifyError>) {
    let func = &module.funcs[id];
    let mut checker = Checker {
        module,
        func,
        errors,
        naming: OnceCell::new(),
        op: None,
        visible: SecondaryMap::new(),
        owned_blocks: SecondaryMap::new(),
        owned_ops: SecondaryMap::new(),
        owned_values: SecondaryMap::new(),
        enclosing: Vec::new(),
        depth: 0,
    };
    if func.blocks.is_valid(func.body) {
        checker.block(func.body);
    } else {
        checker.report("the body is no block of the function");
    }
}

/// What surrounds the operation being checked, as jumps see it.
#[derive(Clone, Copy)]
pub(super) enum Enclosing {
    /// A `block` or `forever`, which jumps count.
    Target(Op),
    /// A region that no jump may leave.
    Wall,
}

pub(super) struct Checker<'a, 'e> {
    pub(super) module: &'a Module,
    pub(super) func: &'a Func,
    errors: &'e mut Vec<VerifyError>,
    /// Numbers of values as the text shows them; made when the first message needs it.
    naming: OnceCell<Naming>,
    /// The operation that messages are about.
    op: Option<Op>,
    visible: SecondaryMap<Value, bool>,
    owned_blocks: SecondaryMap<Block, bool>,
    owned_ops: SecondaryMap<Op, bool>,
    owned_values: SecondaryMap<Value, bool>,
    pub(super) enclosing: Vec<Enclosing>,
    depth: usize,
}

impl<'a> Checker<'a, '_> {
    pub(super) fn report(&mut self, message: impl AsRef<str>) {
        if self.errors.len() >= MAX_ERRORS {
            return;
        }
        let mut message = message.as_ref().to_owned();
        if let Some(op) = self.op {
            message = format!("at `{}`: {message}", self.naming().op_head(self.module, self.func, op));
        }
        self.errors.push(VerifyError { func: self.func.name.clone(), message });
    }

    fn naming(&self) -> &Naming {
        self.naming.get_or_init(|| Naming::new(self.func))
    }

    /// A value as the text shows it.
    pub(super) fn show(&self, value: Value) -> String {
        self.naming().value(self.func, value)
    }

    /// A type as the text shows it.
    pub(super) fn show_type(&self, ty: &Type) -> String {
        self.naming().ty(self.func, ty)
    }

    /// The type of a value whose id was checked.
    pub(super) fn ty(&self, value: Value) -> &'a Type {
        static NOTHING: Type = Type::BOOL;
        self.func.values.get(value).map_or(&NOTHING, |data| &data.ty)
    }

    fn block(&mut self, block: Block) {
        if self.owned_blocks[block] {
            return self.report(format!("block {block} stands in two places"));
        }
        self.owned_blocks[block] = true;
        if self.depth > MAX_NESTING {
            return self.report(format!("{NESTS_TOO_DEEP} {MAX_NESTING}"));
        }
        self.depth += 1;
        let outside = self.op;
        let data = &self.func.blocks[block];
        for (number, value) in data.params.iter().enumerate() {
            self.define(*value, ValueDef::Param(block, number as u32));
        }
        for (number, op) in data.ops.iter().enumerate() {
            self.op = Some(*op);
            self.operation(*op, block, number + 1 == data.ops.len());
        }
        self.op = outside;
        if data.ops.is_empty() {
            self.report(format!("block {block} is empty: it needs a terminator"));
        }
        for op in &data.ops {
            for value in self.func.ops.get(*op).map_or(&[][..], |op| &op.results) {
                self.visible[*value] = false;
            }
        }
        for value in &data.params {
            self.visible[*value] = false;
        }
        self.depth -= 1;
    }

    /// A definition: it stands where its value says, and its type names visible sizes.
    fn define(&mut self, value: Value, def: ValueDef) {
        let Some(data) = self.func.values.get(value) else {
            return self.report(format!("defines a value that is none of the function ({value})"));
        };
        if std::mem::replace(&mut self.owned_values[value], true) {
            return self.report(format!("a second definition of {}", self.show(value)));
        }
        if data.def != def {
            self.report(format!("{} is recorded as defined elsewhere", self.show(value)));
        }
        if let Some(fault) = type_fault(self.module.level, &data.ty) {
            self.report(format!("type of {}: {fault}", self.show(value)));
        }
        for size in data.ty.sizes() {
            if !self.is_visible(*size) {
                self.report(format!(
                    "type of {} names {}, not visible here",
                    self.show(value),
                    self.show(*size)
                ));
            } else if *self.ty(*size) != Type::I64 {
                self.report(format!(
                    "type of {} names {}, which is no i64",
                    self.show(value),
                    self.show(*size)
                ));
            }
        }
        self.visible[value] = true;
    }

    fn is_visible(&self, value: Value) -> bool {
        self.func.values.is_valid(value) && self.visible[value]
    }

    fn operation(&mut self, op: Op, block: Block, is_last: bool) {
        let Some(data) = self.func.ops.get(op) else {
            self.op = None;
            return self.report(format!("{block} holds {op}, which is no operation of the function"));
        };
        if std::mem::replace(&mut self.owned_ops[op], true) {
            return self.report(format!("{op} stands in two places"));
        }
        if !allowed_at(self.module.level, &data.opcode) {
            self.report("the operation is not allowed at this level");
        }
        if is_terminator(&data.opcode) != is_last {
            self.report(if is_last {
                "a block ends with a terminator"
            } else {
                "a terminator is not the last"
            });
        }
        let well_formed = self.arguments(data) & self.regions(op, data);
        self.op = Some(op);
        if well_formed && data.results.iter().all(|value| self.func.values.is_valid(*value)) {
            self.rule(data, block);
        }
        for (number, value) in data.results.iter().enumerate() {
            self.define(*value, ValueDef::Result(op, number as u32));
        }
    }

    fn arguments(&mut self, data: &OpData) -> bool {
        let mut all_valid = true;
        for value in &data.args {
            if !self.is_visible(*value) {
                self.report(format!("{} is not visible here", self.show(*value)));
                all_valid &= self.func.values.is_valid(*value);
            }
        }
        all_valid
    }

    fn regions(&mut self, op: Op, data: &OpData) -> bool {
        let enclosing = if matches!(data.opcode, Opcode::Block | Opcode::Forever) {
            Some(Enclosing::Target(op))
        } else if matches!(data.opcode, Opcode::For(ForKind::Parallel | ForKind::Grid | ForKind::Lanes(_))) {
            Some(Enclosing::Wall)
        } else {
            None
        };
        self.enclosing.extend(enclosing);
        let mut all_valid = true;
        for region in &data.regions {
            if self.func.blocks.is_valid(*region) {
                self.block(*region);
            } else {
                self.op = Some(op);
                self.report(format!("has a region that is no block of the function ({region})"));
                all_valid = false;
            }
        }
        if enclosing.is_some() {
            self.enclosing.pop();
        }
        all_valid
    }

    /// Only a build has a schedule, and one that fits.
    fn schedule(&mut self, data: &OpData) {
        let Some(Some(schedule)) = self.op.and_then(|op| self.func.schedules.get(op)) else { return };
        let problem = if let Opcode::Build { rank } = data.opcode {
            schedule.problem(rank)
        } else {
            Some(String::from("only a build has a schedule"))
        };
        if let Some(problem) = problem {
            self.report(problem);
        }
    }

    /// The typing rule of an operation whose ids are all valid.
    fn rule(&mut self, data: &'a OpData, block: Block) {
        self.schedule(data);
        match &data.opcode {
            Opcode::Const(constant) => self.constant(data, *constant),
            Opcode::Unary(unary) => self.unary(data, *unary),
            Opcode::Binary(binary) => self.binary(data, *binary),
            Opcode::Compare(_) => self.compare(data),
            Opcode::Select => self.select(data),
            Opcode::Fma => self.fma(data),
            Opcode::Convert(to) => self.convert(data, *to),
            Opcode::Bitcast(to) => self.bitcast(data, *to),
            Opcode::If => self.if_else(data),
            Opcode::While => self.while_loop(data),
            Opcode::Check { .. } => self.check(data),
            Opcode::Call(callee) => self.call(data, *callee),
            Opcode::Yield => self.yield_op(data, block),
            Opcode::Return => self.return_op(data, block),
            Opcode::Build { rank } => self.build(data, *rank),
            Opcode::Index => self.index(data),
            Opcode::Reduce { kind, masked } => self.reduce(data, *kind, *masked),
            Opcode::Dot { rank } => self.dot(data, *rank),
            Opcode::DotBy { rank } => self.dot_by(data, *rank),
            Opcode::Scan { .. } => self.scan(data),
            Opcode::Loop => self.counted_loop(data, 1),
            Opcode::Scatter { kind, rank, masked } => self.scatter(data, *kind, *rank, *masked),
            Opcode::Update { rank, masked } => self.update(data, *rank, *masked),
            Opcode::Reshape => self.reshape(data),
            Opcode::Resize => self.resize(data),
            Opcode::Data { elem, bits } => self.data(data, *elem, bits),
            Opcode::Alloc(elem) => self.alloc(data, *elem),
            Opcode::Stack { elem, .. } => self.stack(data, *elem),
            Opcode::Free => self.free(data),
            Opcode::Output { elem, .. } => self.alloc(data, *elem),
            Opcode::Offset => self.offset(data),
            Opcode::Load => self.load(data),
            Opcode::Store => self.store(data),
            Opcode::Stream => self.stream(data),
            Opcode::Copy => self.copy(data),
            Opcode::For(kind) => self.for_loop(data, *kind),
            Opcode::Block => self.block_op(data),
            Opcode::Forever => self.forever(data),
            Opcode::Break(levels) => self.break_op(data, *levels),
            Opcode::Continue(levels) => self.continue_op(data, *levels),
            Opcode::Splat(lanes) => self.splat(data, *lanes),
            Opcode::Iota { elem, lanes } => self.iota(data, *elem, *lanes),
            Opcode::Extract(lane) => self.extract(data, *lane),
            Opcode::Insert(lane) => self.insert(data, *lane),
            Opcode::Shuffle(lanes) => self.shuffle(data, lanes),
            Opcode::LoadLanes => self.load_lanes(data),
            Opcode::StoreLanes => self.store_lanes(data),
            Opcode::AnyLane | Opcode::AllLanes => self.lanes_to_one(data),
            Opcode::Barrier => {
                self.counts(data, Some(0), 0, 0);
            }
            Opcode::Probe { leave, .. } => self.probe(data, *leave),
        }
    }
}

fn is_terminator(opcode: &Opcode) -> bool {
    matches!(opcode, Opcode::Yield | Opcode::Return | Opcode::Break(_) | Opcode::Continue(_))
}
