//! An entry becomes kernels and a plan for the host. Each outermost nest of parallel loops is a
//! kernel with one grid iteration per iteration of the nest; what stands between nests is gathered
//! into sequential kernels; allocation, results and the control flow around nests are steps of the host.
//!
//! ```text
//! before                              after
//!   %3 = mul %0, %1                     kernel k0: cell 3 = cell 1 · cell 2
//!   %4 = alloc.f32 %3                   step: alloc, count in cell 3
//!   for.parallel 0, %0 {…}              kernel k1: for.grid 0, cell 1 {…}
//! ```

use std::collections::HashMap;

use we3_backend_api::Unsupported;
use we3_backend_api::launch::{
    Amount, Binding, BufferVar, Cell, ERROR_CELL, EntryPlan, LaunchPlan, PlanParam, Step,
};
use we3_ir::{Block, Func, Level, Module, Op, Opcode, Type, Value};

use super::classify::Classes;
use super::kernel::{Kernel, Place, Places, is_recomputed};
use super::private_memory::share_private_memory;
use crate::emit::{Flow, unsupported};

/// Maps every entry of a loop-level module. The kernels are entries of the returned module.
pub fn map_to_grid(module: &Module) -> Result<(Module, LaunchPlan), Unsupported> {
    let mut kernels = Module::new(Level::Loop);
    let mut plan = LaunchPlan::default();
    for func in module.funcs.values().filter(|func| func.entry.is_some()) {
        let mut func = func.clone();
        share_private_memory(&mut func);
        let mut mapper = Mapper::new(&func, &mut kernels);
        mapper.params();
        mapper.block(func.body)?;
        plan.entries.push(mapper.finish());
    }
    Ok((kernels, plan))
}

/// A loop of the plan, as jumps of the entry see it.
pub(super) struct Enclosing {
    /// The `block` or `forever`; `None` for loops that jumps do not count.
    pub op: Option<Op>,
    /// Where the carried values of a `forever` live.
    pub params: Vec<Value>,
}

/// The state while one entry is mapped.
pub(super) struct Mapper<'a> {
    pub func: &'a Func,
    pub classes: Classes,
    kernels: &'a mut Module,
    n_kernels: usize,
    assigned: Assigned,
    /// Sequential code that is not launched yet.
    pending: Option<Kernel>,
    /// Lists of steps being filled, innermost last.
    steps: Vec<Vec<Step>>,
    /// Buffers of `stack` operations that the host meets: made before the first step.
    scratch: Vec<Step>,
    pub enclosing: Vec<Enclosing>,
    params: Vec<PlanParam>,
    results: Vec<Cell>,
}

/// Cells and variables given out so far.
struct Assigned {
    places: HashMap<Value, Place>,
    n_cells: Cell,
    n_buffers: BufferVar,
}

impl Assigned {
    fn cell(&mut self) -> Cell {
        self.n_cells += 1;
        self.n_cells - 1
    }

    fn buffer(&mut self) -> BufferVar {
        self.n_buffers += 1;
        self.n_buffers - 1
    }

    fn assign(&mut self, value: Value, ty: &Type) -> Place {
        if let Some(place) = self.places.get(&value) {
            return *place;
        }
        let place = if matches!(ty, Type::Buffer(_)) {
            Place::Buffer(self.buffer())
        } else {
            Place::Cell(self.cell())
        };
        self.places.insert(value, place);
        place
    }
}

impl Places for Assigned {
    fn place(&mut self, value: Value) -> Result<Place, Unsupported> {
        self.places.get(&value).copied().ok_or_else(|| unsupported("a value that no step computes"))
    }
}

impl<'a> Mapper<'a> {
    fn new(func: &'a Func, kernels: &'a mut Module) -> Mapper<'a> {
        Mapper {
            func,
            classes: Classes::of(func),
            kernels,
            n_kernels: 0,
            assigned: Assigned { places: HashMap::new(), n_cells: ERROR_CELL + 1, n_buffers: 0 },
            pending: None,
            steps: vec![Vec::new()],
            scratch: Vec::new(),
            enclosing: Vec::new(),
            params: Vec::new(),
            results: Vec::new(),
        }
    }

    fn params(&mut self) {
        for param in self.func.params() {
            let place = self.assigned.assign(*param, self.func.ty(*param));
            self.params.push(match place {
                Place::Cell(cell) => PlanParam::Scalar(cell),
                Place::Buffer(buffer) => PlanParam::Buffer(buffer),
            });
        }
    }

    fn finish(mut self) -> EntryPlan {
        let mut steps = self.scratch;
        steps.append(&mut self.steps.swap_remove(0));
        EntryPlan {
            name: self.func.name.clone(),
            params: self.params,
            n_cells: self.assigned.n_cells,
            n_buffers: self.assigned.n_buffers,
            steps,
            results: self.results,
        }
    }

    /// Maps the operations of a block that the host steps through.
    pub fn block(&mut self, block: Block) -> Result<Flow, Unsupported> {
        let func = self.func;
        for op in &func.blocks[block].ops {
            if self.op(*op)? == Flow::Ended {
                return Ok(Flow::Ended);
            }
        }
        Ok(Flow::Falls)
    }

    fn op(&mut self, op: Op) -> Result<Flow, Unsupported> {
        let func = self.func;
        let data = &func.ops[op];
        // Made anew wherever it is used; `yield` is read by whoever owns the region.
        if is_recomputed(&data.opcode) || data.opcode == Opcode::Yield {
            return Ok(Flow::Falls);
        }
        if self.classes.is_kernel_nest(func, op) {
            self.parallel_nest(op)?;
            return Ok(Flow::Falls);
        }
        if !self.classes.is_host(op) && !matches!(data.opcode, Opcode::Stack { .. } | Opcode::Return) {
            self.sequential(op)?;
            return Ok(Flow::Falls);
        }
        self.host_op(op)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the host meets the operations named here only")]
    fn host_op(&mut self, op: Op) -> Result<Flow, Unsupported> {
        let func = self.func;
        let data = &func.ops[op];
        match &data.opcode {
            Opcode::Alloc(elem) => {
                let count = self.amount(data.args[0])?;
                let buffer = self.new_buffer(data.results[0]);
                self.step(Step::Alloc { buffer, count, element_bytes: elem.bytes() })?;
            }
            Opcode::Stack { elem, len } => {
                let buffer = self.new_buffer(data.results[0]);
                let count = Amount::Known(i64::from(*len));
                self.scratch.push(Step::Alloc { buffer, count, element_bytes: elem.bytes() });
            }
            Opcode::Output { index, .. } => {
                let count = self.amount(data.args[0])?;
                let buffer = self.new_buffer(data.results[0]);
                self.step(Step::Output { buffer, index: *index, count })?;
            }
            Opcode::Free => {
                // A buffer that went through control flow is freed when the entry ends.
                if let Some(Place::Buffer(buffer)) = self.assigned.places.get(&data.args[0]).copied()
                    && func
                        .def_op(data.args[0])
                        .is_some_and(|def| matches!(func.ops[def].opcode, Opcode::Alloc(_)))
                {
                    self.step(Step::Free(buffer))?;
                }
            }
            Opcode::Copy => self.parallel_copy(op)?,
            Opcode::Return => {
                self.return_values(op)?;
                return Ok(Flow::Ended);
            }
            Opcode::Break(levels) => return self.break_out(op, *levels),
            Opcode::Continue(levels) => return self.next_round(op, *levels),
            Opcode::If => self.host_if(op)?,
            Opcode::While => self.host_while(op)?,
            Opcode::For(_) => self.host_for(op)?,
            Opcode::Block => self.host_block(op)?,
            Opcode::Forever => self.host_forever(op)?,
            _ => self.sequential(op)?,
        }
        Ok(Flow::Falls)
    }

    /// Gathers an operation into the sequential kernel that will be launched next.
    fn sequential(&mut self, op: Op) -> Result<(), Unsupported> {
        let mut kernel = self.take_pending();
        kernel.append(self.func, op, &mut self.assigned)?;
        self.pending = Some(kernel);
        Ok(())
    }

    pub fn take_pending(&mut self) -> Kernel {
        self.pending.take().unwrap_or_else(|| self.new_kernel())
    }

    pub fn put_pending(&mut self, kernel: Kernel) {
        self.pending = Some(kernel);
    }

    pub fn new_kernel(&mut self) -> Kernel {
        let number = self.n_kernels;
        self.n_kernels += 1;
        Kernel::new(format!("{}.k{number}", self.func.name))
    }

    /// The local copy of a value in the pending kernel.
    pub fn local(&mut self, kernel: &mut Kernel, value: Value) -> Result<Value, Unsupported> {
        kernel.local(self.func, value, &mut self.assigned)
    }

    pub fn import_free(&mut self, kernel: &mut Kernel, op: Op) -> Result<(), Unsupported> {
        kernel.import_free(self.func, op, &mut self.assigned)
    }

    /// Launches the pending kernel, which leaves what is used later in cells.
    pub fn flush(&mut self) -> Result<(), Unsupported> {
        if let Some(mut kernel) = self.pending.take() {
            self.keep_results(&mut kernel)?;
            self.launch(kernel, Amount::Known(1))?;
        }
        Ok(())
    }

    fn keep_results(&mut self, kernel: &mut Kernel) -> Result<(), Unsupported> {
        for value in std::mem::take(&mut kernel.computed) {
            if self.classes.used_outside(value, &kernel.ops) {
                let Place::Cell(cell) = self.assigned.assign(value, self.func.ty(value)) else {
                    return Err(unsupported("a buffer chosen inside a sequential GPU kernel"));
                };
                let local = self.local(kernel, value)?;
                kernel.store(cell, local);
            }
        }
        Ok(())
    }

    /// Ends a kernel and starts it.
    pub fn launch(&mut self, kernel: Kernel, threads: Amount) -> Result<(), Unsupported> {
        let (func, buffers) = kernel.finish()?;
        let name = func.name.clone();
        self.kernels.funcs.push(func);
        self.push(Step::Launch { kernel: we3_backend_api::entry_symbol(&name), buffers, threads });
        Ok(())
    }

    /// A step after everything before it was launched.
    pub fn step(&mut self, step: Step) -> Result<(), Unsupported> {
        self.flush()?;
        self.push(step);
        Ok(())
    }

    pub fn push(&mut self, step: Step) {
        if let Some(steps) = self.steps.last_mut() {
            steps.push(step);
        }
    }

    /// Steps that are carried out under a condition or repeatedly.
    pub fn nested(
        &mut self,
        fill: impl FnOnce(&mut Self) -> Result<(), Unsupported>,
    ) -> Result<Vec<Step>, Unsupported> {
        self.flush()?;
        self.steps.push(Vec::new());
        fill(self)?;
        self.flush()?;
        Ok(self.steps.pop().unwrap_or_default())
    }

    /// A number for the host, after everything before it was launched.
    pub fn amount(&mut self, value: Value) -> Result<Amount, Unsupported> {
        if let Some(constant) = self.func.as_const(value) {
            return Ok(Amount::Known(constant.bits as i64));
        }
        let result = self.cell_of(value)?;
        self.flush()?;
        Ok(Amount::InCell(result))
    }

    /// The cell of a scalar that is no constant.
    pub fn cell_of(&mut self, value: Value) -> Result<Cell, Unsupported> {
        match self.assigned.assign(value, self.func.ty(value)) {
            Place::Cell(cell) => Ok(cell),
            Place::Buffer(_) => Err(unsupported("a buffer where a number belongs")),
        }
    }

    pub fn fresh_cell(&mut self) -> Cell {
        self.assigned.cell()
    }

    fn new_buffer(&mut self, value: Value) -> BufferVar {
        match self.assigned.assign(value, self.func.ty(value)) {
            Place::Buffer(buffer) => buffer,
            Place::Cell(_) => self.assigned.buffer(),
        }
    }

    /// Lets values be found where others are (parameters of a loop and its results).
    pub fn same_places(&mut self, values: &[Value], others: &[Value]) {
        for (value, other) in values.iter().zip(others) {
            let place = self.assigned.assign(*other, self.func.ty(*other));
            self.assigned.places.insert(*value, place);
        }
    }

    /// Moves values into the places of others: scalars in the pending kernel, buffers by the host.
    pub fn pass(&mut self, values: &[Value], into: &[Value]) -> Result<(), Unsupported> {
        let (mut bindings, mut scalars) = (Vec::new(), Vec::new());
        for (value, into) in values.iter().zip(into) {
            match self.assigned.assign(*into, self.func.ty(*into)) {
                Place::Cell(cell) => scalars.push((*value, cell)),
                Place::Buffer(to) => bindings.extend(self.binding(*value, to)?),
            }
        }
        // Buffers first: their offsets are read from cells that the scalars may replace.
        if !bindings.is_empty() {
            self.step(Step::Bind(bindings))?;
        }
        for (value, cell) in scalars {
            let mut kernel = self.take_pending();
            let local = self.local(&mut kernel, value)?;
            kernel.store(cell, local);
            self.put_pending(kernel);
        }
        Ok(())
    }

    fn binding(&mut self, value: Value, to: BufferVar) -> Result<Option<Binding>, Unsupported> {
        let from = self.variable(value)?;
        let element_bytes = self.func.ty(value).element().bytes();
        let binding = Binding { to, from, offset: Amount::Known(0), element_bytes };
        Ok((from != to).then_some(binding))
    }

    /// The variable that holds a buffer. What kernels make anew gets one of its own here.
    fn variable(&mut self, value: Value) -> Result<BufferVar, Unsupported> {
        let element_bytes = self.func.ty(value).element().bytes();
        let data = self.func.def_op(value).map(|op| &self.func.ops[op]);
        match data.map(|data| (&data.opcode, &data.args)) {
            Some((Opcode::Offset, args)) => {
                let from = self.variable(args[0])?;
                let offset = self.amount(args[1])?;
                let to = self.assigned.buffer();
                self.step(Step::Bind(vec![Binding { to, from, offset, element_bytes }]))?;
                Ok(to)
            }
            Some((Opcode::Data { bits, .. }, _)) => {
                let buffer = self.assigned.buffer();
                let count = Amount::Known(bits.len() as i64);
                self.step(Step::Alloc { buffer, count, element_bytes })?;
                self.copy_table(value, buffer, bits.len() as i64)?;
                Ok(buffer)
            }
            Some(_) | None => match self.assigned.place(value)? {
                Place::Buffer(buffer) => Ok(buffer),
                Place::Cell(_) => Err(unsupported("a number where a buffer belongs")),
            },
        }
    }

    fn return_values(&mut self, op: Op) -> Result<(), Unsupported> {
        for arg in &self.func.ops[op].args {
            if self.func.as_const(*arg).is_none() {
                let cell = self.cell_of(*arg)?;
                self.results.push(cell);
                continue;
            }
            let cell = self.fresh_cell();
            let mut kernel = self.take_pending();
            let local = self.local(&mut kernel, *arg)?;
            kernel.store(cell, local);
            self.put_pending(kernel);
            self.results.push(cell);
        }
        self.flush()
    }
}
