//! Parallel loops for threads: the body becomes a function of a range of iterations, called here when
//! the estimate is small, else handed to the context's `parallel`. What it captures goes into a record
//! on the stack of the entry.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use we3_backend_api::estimate::{Estimate, MOST_WORK, Step};
use we3_backend_api::parallel::CHUNK_PICOSECONDS;
use we3_backend_api::{
    Outline, STATUS_CHECK_FAILED, STATUS_OK, STATUS_OUT_OF_MEMORY, Unsupported, context_offset,
};
use we3_ir::{BinaryOp, Func, Op, Value};

use super::control::Counting;
use super::regions::{Region, Regions};
use super::{Emitter, Exit, unsupported};
use crate::facts::Facts;
use crate::payloads::Payloads;
use crate::text::{Lane, ModuleText, Ty, Val};

/// A body that is called and still has to be emitted.
pub struct LoopBody {
    op: Op,
    name: String,
    /// The type of the record.
    record: String,
    fields: Vec<Field>,
    /// Captured values that are the same text everywhere: constants and tables.
    fixed: Vec<(Value, Val)>,
    /// For a step other than 1, the numbers of the fields with the first index and the step: `lo` and
    /// `hi` then count iterations.
    counts: Option<[usize; 2]>,
    ops: Vec<Op>,
}

struct Field {
    value: Option<Value>,
    ty: Ty,
    region: Option<Region>,
}

/// What the functions of one entry know together.
pub struct Shared {
    regions: Regions,
    payloads: Rc<Payloads>,
}

/// The iterations of a loop as its body counts them.
struct Range {
    lo: Val,
    hi: Val,
    trips: Val,
}

impl Emitter<'_, '_> {
    /// Makes functions of these loops' bodies.
    pub fn outline_loops(&mut self, outlines: BTreeMap<Op, Outline>, symbol: &str) {
        self.outlines = Rc::new(outlines);
        self.symbol = Rc::from(symbol);
    }

    /// Allocates the large scratch that the entry itself uses.
    pub fn begin_entry(&mut self) {
        let outlines = Rc::clone(&self.outlines);
        let elsewhere: BTreeSet<Op> =
            outlines.values().flat_map(|outline| outline.ops.iter().copied()).collect();
        let func = self.func;
        self.allocate_large_scratch(func.ops.keys().filter(|op| !elsewhere.contains(op)));
    }

    /// What the bodies of this entry need.
    pub fn shared(&self) -> Shared {
        Shared { regions: self.regions.for_function(), payloads: Rc::clone(&self.payloads) }
    }

    /// The blocks that failed checks and failed allocations go to.
    pub fn finish_exits(&mut self) {
        for (exit, label) in std::mem::take(&mut self.exits) {
            let status = match exit {
                Exit::CheckFailed => STATUS_CHECK_FAILED,
                Exit::OutOfMemory => STATUS_OUT_OF_MEMORY,
            };
            self.text.start(label);
            self.leave_function(status);
        }
    }

    /// Returns. Stores that went past the caches are not ordered like others: a fence stands between them and
    /// whoever learns that this function is done.
    pub(super) fn leave_function(&mut self, status: i32) {
        if self.streams {
            let fence = self.text.module.declare("llvm.x86.sse.sfence", &[], "void", &[]);
            self.text.line(format_args!("call void @{fence}()"));
        }
        self.text.line(format_args!("ret i32 {status}"));
    }

    pub(super) fn emit_outlined_loop(&mut self, op: Op) -> Result<(), Unsupported> {
        let outlines = Rc::clone(&self.outlines);
        let outline = outlines.get(&op).ok_or_else(|| unsupported("a loop that is not outlined"))?;
        let args = &self.func.ops[op].args;
        let mut record = Record::default();
        for value in &outline.captures {
            let val = self.get(*value)?;
            let region = self.regions.of(&val);
            record.capture(*value, val, region);
        }
        let (lo, hi) = (self.get(args[0])?, self.get(args[1])?);
        let any = self.text.icmp("slt", &lo, &hi);
        let (range, counts) = if self.step_constant(args[2]) == Some(1) {
            let span = self.text.binary("sub", &hi, &lo);
            let trips = self.text.select(&any, &span, &Val::int(Ty::I64, 0));
            (Range { lo, hi, trips }, None)
        } else {
            let shape = self.count_iterations(&lo, &hi, args[2], &any)?;
            let step = shape.step.clone().unwrap_or_else(|| Val::int(Ty::I64, 1));
            let counts = [record.add(None, shape.first, None), record.add(None, step, None)];
            (Range { lo: shape.start, hi: shape.end.clone(), trips: shape.end }, Some(counts))
        };
        let work = self.estimate(&outline.work)?;
        let name = format!("loop{}.{}", self.bodies.len(), self.symbol);
        self.call_body(&name, &record, &range, &work);
        let record_type = record.ty();
        let Record { fields, fixed, .. } = record;
        self.bodies.push(LoopBody {
            op,
            name,
            record: record_type,
            fields,
            fixed,
            counts,
            ops: outline.ops.clone(),
        });
        Ok(())
    }

    fn estimate(&mut self, estimate: &Estimate) -> Result<Val, Unsupported> {
        let mut vals: Vec<Val> = Vec::new();
        for step in &estimate.steps {
            vals.push(match *step {
                Step::Number(number) => Val::int(Ty::I64, number.into()),
                Step::Outside(value) => self.get(value)?,
                Step::Binary(op, left, right) => {
                    let (left, right) = (vals[left].clone(), vals[right].clone());
                    self.estimate_step(op, &left, &right)?
                }
            });
        }
        Ok(vals[estimate.result].clone())
    }

    /// Shifts are in range and divisors above 0.
    fn estimate_step(&mut self, op: BinaryOp, left: &Val, right: &Val) -> Result<Val, Unsupported> {
        let name = match op {
            BinaryOp::Add => "add",
            BinaryOp::Sub => "sub",
            BinaryOp::Mul => "mul",
            BinaryOp::And => "and",
            BinaryOp::Shr => "ashr",
            BinaryOp::Div => "sdiv",
            BinaryOp::Min => return Ok(self.text.lanewise("llvm.smin", &[left, right])),
            BinaryOp::Max => return Ok(self.text.lanewise("llvm.smax", &[left, right])),
            BinaryOp::Rem
            | BinaryOp::Or
            | BinaryOp::Xor
            | BinaryOp::Shl
            | BinaryOp::RotateLeft
            | BinaryOp::MulHi
            | BinaryOp::CopySign
            | BinaryOp::AddSat
            | BinaryOp::SubSat
            | BinaryOp::MulSat => return Err(unsupported("an estimate with other operations")),
        };
        Ok(self.text.binary(name, left, right))
    }

    /// Calls the body at once or through the context, and ends the kernel as it says.
    fn call_body(&mut self, name: &str, record: &Record, range: &Range, work: &Val) {
        let [here, threads, join, failed, next] = [(); 5].map(|()| self.text.make_block());
        let most = Val::int(Ty::I64, MOST_WORK.into());
        let trips = self.text.lanewise("llvm.umin", &[&range.trips, &most]);
        let total = self.text.binary("mul", &trips, work);
        let from = self.context_field(context_offset::PARALLEL_FROM, Ty::I64);
        let small = self.text.icmp("ult", &total, &from);
        let (status, phi) = self.text.phi(join, Ty::I32);
        let context = self.context.clone();
        let (lo, hi) = (&range.lo, &range.hi);
        let environment = self.fill(record);
        self.text.branch(&small, here, threads);

        self.text.start(here);
        let gave = self
            .text
            .inst(Ty::I32, format_args!("call i32 @\"{name}\"({context}, {environment}, {lo}, {hi})"));
        self.text.incoming(phi, &gave);
        self.text.jump(join);

        self.text.start(threads);
        let whole = Val::int(Ty::I64, CHUNK_PICOSECONDS.into());
        let grain = self.text.binary("udiv", &whole, work);
        let grain = self.text.lanewise("llvm.umax", &[&grain, &Val::int(Ty::I64, 1)]);
        let function = self.context_field(context_offset::PARALLEL, Ty::PTR);
        let gave = self.text.inst(
            Ty::I32,
            format_args!(
                "call i32 {}({context}, ptr @\"{name}\", {environment}, {lo}, {hi}, {grain})",
                function.text
            ),
        );
        self.text.incoming(phi, &gave);
        self.text.jump(join);

        self.text.start(join);
        let well = self.text.icmp_const("eq", &status, 0);
        self.text.branch(&well, next, failed);
        self.text.start(failed);
        self.text.line(format_args!("ret {status}"));
        self.text.start(next);
    }

    /// Puts what the body captures into a record on the stack.
    fn fill(&mut self, record: &Record) -> Val {
        let ty = record.ty();
        let place = self.text.alloca_record(&ty);
        for (number, val) in record.vals.iter().enumerate() {
            let held = self.text.cast("zext", val, val.ty.in_memory());
            let address = self.field(&place, &ty, number);
            self.text.store(&held, &address, "");
        }
        place
    }

    fn field(&mut self, record: &Val, ty: &str, number: usize) -> Val {
        self.text.inst(Ty::PTR, format_args!("getelementptr inbounds {ty}, {record}, i32 0, i32 {number}"))
    }
}

/// What a body captures, in the making.
#[derive(Default)]
struct Record {
    fields: Vec<Field>,
    vals: Vec<Val>,
    fixed: Vec<(Value, Val)>,
}

impl Record {
    fn capture(&mut self, value: Value, val: Val, region: Option<Region>) {
        if val.text.starts_with('%') {
            self.add(Some(value), val, region);
        } else {
            self.fixed.push((value, val));
        }
    }

    fn add(&mut self, value: Option<Value>, val: Val, region: Option<Region>) -> usize {
        self.fields.push(Field { value, ty: val.ty, region });
        self.vals.push(val);
        self.fields.len() - 1
    }

    fn ty(&self) -> String {
        let types: Vec<String> = self.fields.iter().map(|field| field.ty.in_memory().to_string()).collect();
        format!("{{ {} }}", types.join(", "))
    }
}

impl LoopBody {
    /// Emits the function.
    pub fn emit(
        self,
        func: &Func,
        facts: &Facts,
        shared: &Shared,
        module: &mut ModuleText,
    ) -> Result<(), Unsupported> {
        let regions = shared.regions.for_function();
        let mut emitter = Emitter::with(func, facts, module, regions, Rc::clone(&shared.payloads));
        emitter.text.begin(&self.name);
        let fields = self.load_fields(&mut emitter);
        for (value, val) in &self.fixed {
            emitter.define(*value, val.clone());
        }
        let scratch = emitter.allocate_large_scratch(self.ops.iter().copied());
        let (lo, hi) = (Val::new(Ty::I64, "%lo"), Val::new(Ty::I64, "%hi"));
        let any = emitter.text.icmp("slt", &lo, &hi);
        let (first, step) = match self.counts {
            Some([first, step]) => (fields[first].clone(), Some(fields[step].clone())),
            None => (lo.clone(), None),
        };
        let node = emitter.open_parallel();
        emitter.counted_loop(self.op, &any, Counting { start: lo, end: hi, first, step }, Some(node))?;
        emitter.close_parallel();
        scratch.iter().for_each(|address| emitter.give_back(address));
        emitter.leave_function(STATUS_OK);
        emitter.finish_exits();
        let head = format!(
            "define internal i32 @\"{}\"(ptr %context, ptr noalias readonly %environment, i64 %lo, i64 %hi)",
            self.name
        );
        let text = emitter.text.finish(&head);
        module.add_function(&text);
        Ok(())
    }

    fn load_fields(&self, emitter: &mut Emitter<'_, '_>) -> Vec<Val> {
        let environment = Val::new(Ty::PTR, "%environment");
        let mut vals = Vec::new();
        for (number, field) in self.fields.iter().enumerate() {
            let address = emitter.field(&environment, &self.record, number);
            let held = emitter.text.load(field.ty.in_memory(), &address, "");
            let val = match field.ty.lane {
                Lane::Int(1) => emitter.text.icmp_const("ne", &held, 0),
                Lane::Int(_) | Lane::Half | Lane::Float | Lane::Double | Lane::Ptr => held,
            };
            if let Some(region) = field.region {
                emitter.regions.insert(&val, region);
            }
            if let Some(value) = field.value {
                emitter.define(value, val.clone());
            }
            vals.push(val);
        }
        vals
    }
}
