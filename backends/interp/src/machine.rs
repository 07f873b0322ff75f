//! Executing blocks: the dispatch over instructions, scalar ones in place.

use std::rc::Rc;

use crate::array::{Array, Budget};
use crate::memory::{Memory, Pointer};
use crate::program::{ArrayUse, BlockIndex, CheckCode, Flow, Inst, Moves, Program, Slot};
use crate::value::{Limits, Run, Stop, broken};
use we3_ir::eval as scalar;

/// The state of a run.
pub(crate) struct Machine<'p> {
    pub(crate) program: &'p Program,
    pub(crate) scalars: Vec<u64>,
    pub(crate) arrays: Vec<Option<Rc<Array>>>,
    pub(crate) buffers: Vec<Pointer>,
    pub(crate) memory: Memory,
    /// Tables of constants that were made.
    tables: Vec<Option<Rc<Array>>>,
    pub(crate) budget: Budget,
    pub(crate) backwards: bool,
    steps: u64,
    spare_scalars: Vec<u64>,
}

impl<'p> Machine<'p> {
    pub(crate) fn new(program: &'p Program, budget: Budget, limits: &Limits) -> Machine<'p> {
        Machine {
            program,
            scalars: vec![0; program.n_scalars as usize],
            arrays: (0..program.n_arrays).map(|_| None).collect(),
            buffers: vec![Pointer::default(); program.n_buffers as usize],
            memory: Memory::new(Rc::clone(&budget), program),
            tables: vec![None; program.tables.len()],
            budget,
            backwards: limits.backwards,
            steps: limits.steps,
            spare_scalars: Vec::new(),
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> u64 {
        self.scalars[slot as usize]
    }

    pub(crate) fn get_i64(&self, slot: Slot) -> i64 {
        self.scalars[slot as usize] as i64
    }

    pub(crate) fn set(&mut self, slot: Slot, bits: u64) {
        self.scalars[slot as usize] = bits;
    }

    pub(crate) fn get_all(&self, slots: &[Slot], into: &mut Vec<u64>) {
        into.clear();
        into.extend(slots.iter().map(|slot| self.get(*slot)));
    }

    pub(crate) fn set_all(&mut self, slots: &[Slot], values: &[u64]) {
        for (slot, value) in slots.iter().zip(values) {
            self.set(*slot, *value);
        }
    }

    pub(crate) fn set_array(&mut self, slot: Slot, array: Rc<Array>) {
        self.arrays[slot as usize] = Some(array);
    }

    /// An array, moved out of its slot at its last use.
    pub(crate) fn take_array(&mut self, from: ArrayUse) -> Run<Rc<Array>> {
        let cell = &mut self.arrays[from.slot as usize];
        let found = if from.take { cell.take() } else { cell.clone() };
        match found {
            Some(array) => Ok(array),
            None => broken("an array was used after its last use"),
        }
    }

    pub(crate) fn array(&self, slot: Slot) -> Run<&Array> {
        match &self.arrays[slot as usize] {
            Some(array) => Ok(array),
            None => broken("an array was used after its last use"),
        }
    }

    /// Counts steps of work that no block execution counts.
    pub(crate) fn spend_steps(&mut self, count: u64) -> Run<()> {
        match self.steps.checked_sub(count) {
            Some(rest) => {
                self.steps = rest;
                Ok(())
            }
            None => Err(Box::new(Stop::StepLimit)),
        }
    }

    pub(crate) fn run_moves(&mut self, moves: &Moves) -> Run<()> {
        if moves.overlapping {
            return self.run_overlapping_moves(moves);
        }
        for (from, to) in &moves.scalars {
            self.scalars[*to as usize] = self.scalars[*from as usize];
        }
        for (from, to) in &moves.arrays {
            let array = self.take_array(*from)?;
            self.set_array(*to, array);
        }
        for (from, to) in &moves.buffers {
            self.buffers[*to as usize] = self.buffers[*from as usize];
        }
        Ok(())
    }

    fn run_overlapping_moves(&mut self, moves: &Moves) -> Run<()> {
        let mut spare = std::mem::take(&mut self.spare_scalars);
        spare.clear();
        spare.extend(moves.scalars.iter().map(|(from, _)| self.get(*from)));
        for ((_, to), bits) in moves.scalars.iter().zip(&spare) {
            self.set(*to, *bits);
        }
        self.spare_scalars = spare;
        let mut arrays = Vec::new();
        for (from, _) in &moves.arrays {
            arrays.push(self.take_array(*from)?);
        }
        for ((_, to), array) in moves.arrays.iter().zip(arrays) {
            self.set_array(*to, array);
        }
        let buffers: Vec<Pointer> =
            moves.buffers.iter().map(|(from, _)| self.buffers[*from as usize]).collect();
        for ((_, to), buffer) in moves.buffers.iter().zip(buffers) {
            self.buffers[*to as usize] = buffer;
        }
        Ok(())
    }

    /// Runs a block of the array level, which no jump leaves.
    pub(crate) fn run_region(&mut self, index: BlockIndex) -> Run<()> {
        match self.run_block(index)? {
            Flow::Next => Ok(()),
            Flow::Leave(_) | Flow::Again(_) => broken("a jump left a region of an array operation"),
        }
    }

    /// Runs a block.
    pub(crate) fn run_block(&mut self, index: BlockIndex) -> Run<Flow> {
        let program = self.program;
        let code = &program.blocks[index as usize];
        self.spend_steps(code.cost)?;
        for inst in &code.insts {
            match inst {
                Inst::Const { dst, bits } => self.set(*dst, *bits),
                Inst::Move { dst, src } => self.set(*dst, self.get(*src)),
                Inst::Unary { op, ty, dst, a } => self.set(*dst, scalar::unary(*op, *ty, self.get(*a))),
                Inst::Binary { op, ty, dst, a, b } => {
                    self.set(*dst, scalar::binary(*op, *ty, self.get(*a), self.get(*b)));
                }
                Inst::Compare { op, ty, dst, a, b } => {
                    self.set(*dst, u64::from(scalar::compare(*op, *ty, self.get(*a), self.get(*b))));
                }
                Inst::Select { dst, cond, a, b } => {
                    self.set(*dst, self.get(if self.get(*cond) == 0 { *b } else { *a }));
                }
                Inst::Fma { ty, dst, a, b, c } => {
                    self.set(*dst, scalar::fma(*ty, self.get(*a), self.get(*b), self.get(*c)));
                }
                Inst::Convert { from, to, dst, a } => {
                    self.set(*dst, scalar::convert(*from, *to, self.get(*a)));
                }
                Inst::Index1 { dst, array, subscript } => self.index1(*dst, *array, *subscript)?,
                Inst::Index2 { dst, array, subscripts } => self.index(*dst, *array, subscripts)?,
                Inst::Index(code) => self.index(code.dst, code.array, &code.subscripts)?,
                Inst::Check(code) => self.check(code)?,
                Inst::Kill { array } => self.arrays[*array as usize] = None,
                Inst::If(_)
                | Inst::While(_)
                | Inst::Count(_)
                | Inst::Block(_)
                | Inst::Forever(_)
                | Inst::Jump(_) => match self.run_control(inst)? {
                    Flow::Next => {}
                    flow @ (Flow::Leave(_) | Flow::Again(_)) => return Ok(flow),
                },
                Inst::Call(code) => {
                    self.run_moves(&code.args)?;
                    self.run_region(code.body)?;
                    self.run_moves(&code.results)?;
                }
                Inst::Build(code) => self.build(code)?,
                Inst::Reduce(code) => self.reduce(code)?,
                Inst::Dot(code) => self.dot(code)?,
                Inst::DotBy(code) => self.dot_by(code)?,
                Inst::Scan(code) => self.scan(code)?,
                Inst::Scatter(code) => self.scatter(code)?,
                Inst::Update(code) => self.update(code)?,
                Inst::WithSizes(code) => self.with_sizes(code)?,
                Inst::Data { dst, table } => self.table(*dst, *table as usize)?,
                Inst::DataBuffer { .. }
                | Inst::Alloc { .. }
                | Inst::Stack { .. }
                | Inst::Free { .. }
                | Inst::Output { .. }
                | Inst::Offset { .. }
                | Inst::Load { .. }
                | Inst::Store { .. }
                | Inst::Masked { .. }
                | Inst::Copy(_) => self.run_memory(inst)?,
                Inst::Barrier => return broken("`barrier` has no meaning one thread at a time"),
            }
        }
        Ok(Flow::Next)
    }

    /// A table of constants, made when it is first asked for.
    fn table(&mut self, dst: Slot, number: usize) -> Run<()> {
        if self.tables[number].is_none() {
            let array = Array::adopt(&self.budget, self.program.tables[number].clone())?;
            self.tables[number] = Some(Rc::new(array));
        }
        self.arrays[dst as usize].clone_from(&self.tables[number]);
        Ok(())
    }

    fn check(&mut self, code: &CheckCode) -> Run<()> {
        if self.get(code.cond) != 0 {
            return Ok(());
        }
        let notes = code.notes.iter().map(|(ty, slot)| (*ty, self.get(*slot))).collect();
        Err(Box::new(Stop::Check { site: code.site, notes }))
    }
}
