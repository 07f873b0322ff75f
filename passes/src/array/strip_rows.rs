//! `strip-rows`: rows that are each multiplied by the same matrix go through together, a strip of rows at a time, so
//! that each multiplication is a product of matrices. A strip is small enough for what it computes to stay in cache.
//!
//! Before: `build %n { b(%i): %r = build %m { b(%j): dot … row i … column j … } … yield %y }`
//! After:  `build %strips { b(%s): %r = build %rows, %m {…}  %y = build %rows { b(%k): … } yield %y }`, and its rows.

use std::collections::{HashMap, HashSet};

use we3_ir::clone::{Cloner, ValueMap, mapped};
use we3_ir::{BinaryOp, Block, Func, FuncBuilder, Level, Module, Op, Opcode, Type, Value};

use crate::analysis::effects::block_has_effect;
use crate::lower::product::{Needs, is_scalar_code};
use crate::manager::{Pass, PassContext};
use crate::rewrite::{Replacements, blocks_in_order, compact};

/// The pass.
pub const STRIP_ROWS: Pass = Pass {
    name: "strip-rows",
    about: "rows that meet the same matrix meet it together",
    from: Some(Level::Array),
    to: Some(Level::Array),
    run,
};

/// Most rows of a strip.
const STRIP: i64 = 48;
/// Domains known to be smaller are left alone.
const SMALL: i64 = 16;

fn run(mut module: Module, ctx: &PassContext) -> Module {
    // A thread of a GPU has one row.
    if ctx.facts.grid {
        return module;
    }
    for func in module.funcs.values_mut() {
        let mut replacements = Replacements::default();
        for block in blocks_in_order(func, func.body) {
            for op in func.blocks[block].ops.clone() {
                if let Some(plan) = Plan::of(func, op) {
                    let written = write(func, op, &plan, &mut replacements);
                    let ops = &mut func.blocks[block].ops;
                    if let Some(position) = ops.iter().position(|other| *other == op) {
                        ops.splice(position..=position, written);
                    }
                }
            }
        }
        if !replacements.is_empty() {
            replacements.apply(func);
            *func = compact(func);
        }
    }
    module
}

/// What is done for all rows of a strip before the next step.
enum Step {
    /// A build of dots that meets every row.
    Product(Op),
    /// Operations of a row, with those of their results that later steps need.
    Rows(Vec<Op>, Vec<Value>),
}

/// How a build of rows is cut.
struct Plan {
    rank: usize,
    body: Block,
    /// Scalar code that depends on subscripts only: each step has it anew.
    repeated: Vec<Op>,
    steps: Vec<Step>,
}

impl Plan {
    fn of(func: &Func, build: Op) -> Option<Plan> {
        let Opcode::Build { rank } = func.ops[build].opcode else { return None };
        let body = func.ops[build].regions[0];
        let rank = rank as usize;
        let small = func.ops[build].args[rank - 1..rank].iter().any(|size| is_small(func, *size));
        let ops = func.blocks[body].ops.split_last()?.1;
        let asked = func.schedules[build].as_ref().is_some_and(|schedule| schedule.arranges_loops());
        if asked || small || !ops.iter().any(|op| matches!(func.ops[*op].opcode, Opcode::Build { .. })) {
            return None;
        }
        let repeated = repeated(func, body);
        let is_product = |op: &&Op| is_product(func, body, **op, &repeated);
        let products: Vec<Op> = ops.iter().filter(is_product).copied().collect();
        if products.is_empty() || block_has_effect(func, body) {
            return None;
        }
        let mut plan = Plan { rank, body, repeated, steps: Vec::new() };
        plan.cut(func, ops, &products);
        plan.fits(func).then_some(plan)
    }

    /// Products stand alone; what is between two of them is a step.
    fn cut(&mut self, func: &Func, ops: &[Op], products: &[Op]) {
        let mut pending = Vec::new();
        for op in ops.iter().filter(|op| !self.repeated.contains(op)) {
            if products.contains(op) {
                self.steps.push(Step::Rows(std::mem::take(&mut pending), Vec::new()));
                self.steps.push(Step::Product(*op));
            } else {
                pending.push(*op);
            }
        }
        self.steps.push(Step::Rows(pending, Vec::new()));
        // From the last step to the first: what is wanted behind each.
        let mut wanted: HashSet<Value> = func.yields(self.body).iter().copied().collect();
        for step in self.steps.iter_mut().rev() {
            match step {
                Step::Product(op) => uses(func, *op, &mut wanted),
                Step::Rows(ops, outputs) => {
                    let results = ops.iter().flat_map(|op| &func.ops[*op].results);
                    outputs.extend(results.filter(|result| wanted.contains(result)));
                    ops.iter().for_each(|op| uses(func, *op, &mut wanted));
                }
            }
        }
        self.steps.retain(|step| !matches!(step, Step::Rows(_, outputs) if outputs.is_empty()));
    }

    /// Values that go from step to step.
    fn crossing<'a>(&'a self, func: &'a Func) -> impl Iterator<Item = Value> + 'a {
        self.steps.iter().flat_map(|step| match step {
            Step::Product(op) => func.ops[*op].results.clone(),
            Step::Rows(_, outputs) => outputs.clone(),
        })
    }

    /// Whether values that go from step to step have sizes known outside and are read element by element.
    fn fits(&self, func: &Func) -> bool {
        let body_ops = &func.blocks[self.body].ops;
        let crossing: HashSet<Value> = self.crossing(func).collect();
        let inside = |size: &Value| match func.values[*size].def {
            we3_ir::ValueDef::Param(block, _) => block == self.body,
            we3_ir::ValueDef::Result(op, _) => body_ops.contains(&op),
            we3_ir::ValueDef::ResultRef(_) => false,
        };
        let regular = |value: &Value| !func.ty(*value).sizes().iter().any(inside);
        let own_step = |op: Op| {
            self.steps.iter().find_map(|step| match step {
                Step::Rows(ops, _) if ops.contains(&op) => Some(ops.as_slice()),
                Step::Rows(..) | Step::Product(_) => None,
            })
        };
        let read_well = body_ops.iter().filter(|op| func.ops[**op].opcode != Opcode::Yield).all(|op| {
            let own = own_step(*op).unwrap_or(&[]);
            let foreign = |value: &Value| {
                crossing.contains(value) && func.def_op(*value).is_some_and(|def| !own.contains(&def))
            };
            reads_elements(func, *op, &foreign)
        });
        crossing.iter().all(regular)
            && read_well
            && func.yields(self.body).iter().all(|value| crossing.contains(value))
    }
}

fn is_small(func: &Func, size: Value) -> bool {
    func.as_const(size).is_some_and(|constant| (constant.bits as i64) < SMALL)
}

/// Scalar code of the body that depends on nothing but subscripts and what is outside.
fn repeated(func: &Func, body: Block) -> Vec<Op> {
    let mut found: Vec<Op> = Vec::new();
    for op in &func.blocks[body].ops {
        let outside = |arg: &Value| match func.def_op(*arg) {
            Some(def) => found.contains(&def) || !func.blocks[body].ops.contains(&def),
            None => true,
        };
        if func.ops[*op].opcode != Opcode::Yield
            && is_scalar_code(func, *op)
            && func.ops[*op].args.iter().all(outside)
        {
            found.push(*op);
        }
    }
    found
}

/// Whether an operation of the body is a build of dots of something of the row with something of the last subscript.
fn is_product(func: &Func, body: Block, op: Op, repeated: &[Op]) -> bool {
    let data = &func.ops[op];
    let Opcode::Build { rank } = data.opcode else { return false };
    let own = data.regions[0];
    let mut others = func.blocks[own].ops.iter().filter(|op| !is_scalar_code(func, **op));
    let (Some(dot), None) = (others.next(), others.next()) else { return false };
    if !matches!(func.ops[*dot].opcode, Opcode::Dot { .. }) {
        return false;
    }
    let operands = func.ops[*dot].regions[0];
    if !func.blocks[operands].ops.iter().all(|op| is_scalar_code(func, *op)) {
        return false;
    }
    let blocks = [body, own, operands];
    let sizes = [data.args.as_slice(), &func.ops[*dot].args].concat();
    let sizes_needed = Needs::of(func, &blocks, &sizes);
    if !sizes_needed.params.is_empty() || !sizes_needed.ops.is_empty() {
        return false;
    }
    let (row, column) = (func.blocks[body].params.last(), func.blocks[own].params[rank as usize - 1]);
    if sizes[rank as usize - 1..].iter().any(|size| is_small(func, *size)) {
        return false;
    }
    let needs = [0, 1].map(|number| Needs::of(func, &blocks, &[func.yields(operands)[number]]));
    let of_row = |needs: &Needs| {
        let own_row = |op: &Op| func.blocks[body].ops.contains(op) && !repeated.contains(op);
        needs.params.iter().any(|param| Some(param) == row) || needs.ops.iter().any(own_row)
    };
    let of_column = |needs: &Needs| needs.params.contains(&column);
    let [left, right] = &needs;
    let meet =
        |row: &Needs, column: &Needs| of_row(row) && !of_column(row) && of_column(column) && !of_row(column);
    meet(left, right) || meet(right, left)
}

/// Adds what an operation and its regions use.
fn uses(func: &Func, op: Op, found: &mut HashSet<Value>) {
    found.extend(&func.ops[op].args);
    for region in &func.ops[op].regions {
        for nested in &func.blocks[*region].ops {
            uses(func, *nested, found);
        }
    }
}

/// Whether arrays of other steps are read by `index` only.
fn reads_elements(func: &Func, op: Op, foreign: &dyn Fn(&Value) -> bool) -> bool {
    let data = &func.ops[op];
    let first = usize::from(data.opcode == Opcode::Index);
    let is_array = |value: &&Value| !func.ty(**value).sizes().is_empty();
    let reads = !data.args.iter().skip(first).filter(is_array).any(foreign);
    let types = data.results.iter().all(|result| !func.ty(*result).sizes().iter().any(foreign));
    let nested = data.regions.iter().flat_map(|region| &func.blocks[*region].ops);
    reads && types && nested.copied().collect::<Vec<Op>>().iter().all(|op| reads_elements(func, *op, foreign))
}

/// Values that all steps of a strip know.
struct Strip {
    /// Subscripts of the outer axes, then the number of the strip.
    subscripts: Vec<Value>,
    rows: Value,
    last: Value,
    /// What values of the row have become: with an axis for the rows in front.
    stored: HashMap<Value, Value>,
}

/// Writes the strips and the build that takes the rows from them; returns the operations.
fn write(func: &mut Func, build: Op, plan: &Plan, replacements: &mut Replacements) -> Vec<Op> {
    let data = func.ops[build].clone();
    let target = func.make_block();
    let span = func.spans[build];
    let mut b = FuncBuilder::at(func, target);
    b.span = span;
    let n = data.args[plan.rank - 1];
    let (most, fill, one) = (b.i64(STRIP), b.i64(STRIP - 1), b.i64(1));
    let sum = b.binary(BinaryOp::Add, n, fill);
    let n_strips = b.binary(BinaryOp::Div, sum, most);
    let some = b.binary(BinaryOp::Max, n_strips, one);
    let sum = b.binary(BinaryOp::Add, n, some);
    let sum = b.binary(BinaryOp::Sub, sum, one);
    let rows = b.binary(BinaryOp::Div, sum, some);
    let last = b.binary(BinaryOp::Sub, n, one);
    let subscripts = b.begin_region(&vec![Type::I64; plan.rank]);
    let mut strip = Strip { subscripts, rows, last, stored: HashMap::new() };
    for step in &plan.steps {
        write_step(&mut b, plan, step, &mut strip);
    }
    let yields: Vec<Value> = b.func.yields(plan.body).iter().map(|value| strip.stored[value]).collect();
    let mut sizes = data.args.clone();
    sizes[plan.rank - 1] = n_strips;
    let types: Vec<Type> = yields.iter().map(|value| with_axes(&sizes, b.func.ty(*value))).collect();
    let region = b.end_region(yields);
    let opcode = Opcode::Build { rank: plan.rank as u32 };
    let strips = b.append(opcode, sizes, vec![region], &types);
    for (number, old) in data.results.iter().enumerate() {
        let strips = b.func.ops[strips].results[number];
        let new = take_rows(&mut b, strips, *old, (plan.rank, rows));
        replacements.replace(*old, new);
    }
    std::mem::take(&mut func.blocks[target].ops)
}

/// The array with axes of these sizes in front.
fn with_axes(sizes: &[Value], ty: &Type) -> Type {
    Type::Array(ty.element(), [sizes, ty.sizes()].concat())
}

/// One step for all rows of a strip.
fn write_step(b: &mut FuncBuilder<'_>, plan: &Plan, step: &Step, strip: &mut Strip) {
    let (ops, outputs, sizes, own) = match step {
        Step::Rows(ops, outputs) => (ops.clone(), outputs.clone(), vec![strip.rows], Vec::new()),
        Step::Product(op) => {
            let data = b.func.ops[*op].clone();
            let region = data.regions[0];
            let ops = b.func.blocks[region].ops.split_last().map_or(Vec::new(), |(_, ops)| ops.to_vec());
            let sizes = [&[strip.rows], data.args.as_slice()].concat();
            (ops, b.func.yields(region).to_vec(), sizes, b.func.blocks[region].params.clone())
        }
    };
    let params = b.begin_region(&vec![Type::I64; sizes.len()]);
    let block = b.block();
    let mut map = ValueMap::default();
    let (number, outer) = (strip.subscripts[plan.rank - 1], &strip.subscripts[..plan.rank - 1]);
    // Past the last row, that one again.
    let first = b.binary(BinaryOp::Mul, number, strip.rows);
    let row = b.binary(BinaryOp::Add, first, params[0]);
    let row = b.binary(BinaryOp::Min, row, strip.last);
    map.extend(b.func.blocks[plan.body].params.clone().into_iter().zip([outer, &[row]].concat()));
    map.extend(own.into_iter().zip(params[1..].iter().copied()));
    for (old, stored) in &sorted(&strip.stored) {
        let scalar = b.func.ty(*old).as_scalar().is_some();
        map.insert(*old, if scalar { b.index(*stored, &params[..1]) } else { *stored });
    }
    let mut cloner = Cloner::within(b.func);
    cloner.map = map;
    let before = cloner.dest.blocks[block].ops.len();
    cloner.ops(&plan.repeated, block);
    cloner.ops(&ops, block);
    let map = cloner.map;
    let stored: HashSet<Value> = strip.stored.values().copied().collect();
    let copied = b.func.blocks[block].ops[before..].to_vec();
    copied.into_iter().for_each(|op| read_row(b.func, op, &stored, params[0]));
    let yields: Vec<Value> = outputs.iter().map(|value| mapped(&map, *value)).collect();
    let types: Vec<Type> = yields.iter().map(|value| with_axes(&sizes, b.func.ty(*value))).collect();
    let region = b.end_region(yields);
    let rank = sizes.len() as u32;
    let new = b.append(Opcode::Build { rank }, sizes, vec![region], &types);
    let results = b.func.ops[new].results.clone();
    let olds = match step {
        Step::Rows(_, outputs) => outputs.clone(),
        Step::Product(op) => b.func.ops[*op].results.clone(),
    };
    strip.stored.extend(olds.into_iter().zip(results));
}

/// The pairs of a map in an order that is always the same.
fn sorted(map: &HashMap<Value, Value>) -> Vec<(Value, Value)> {
    let mut pairs: Vec<(Value, Value)> = map.iter().map(|(old, new)| (*old, *new)).collect();
    pairs.sort_unstable();
    pairs
}

/// Elements of stored arrays are those of this row.
fn read_row(func: &mut Func, op: Op, stored: &HashSet<Value>, row: Value) {
    let data = &mut func.ops[op];
    if data.opcode == Opcode::Index && stored.contains(&data.args[0]) {
        data.args.insert(1, row);
    }
    for region in data.regions.clone() {
        for nested in func.blocks[region].ops.clone() {
            read_row(func, nested, stored, row);
        }
    }
}

/// The rows of all strips one after the other.
fn take_rows(b: &mut FuncBuilder<'_>, strips: Value, old: Value, (rank, rows): (usize, Value)) -> Value {
    let ty = b.func.ty(old).clone();
    let params = b.begin_region(&vec![Type::I64; ty.sizes().len()]);
    let row = params[rank - 1];
    let strip = b.binary(BinaryOp::Div, row, rows);
    let number = b.binary(BinaryOp::Rem, row, rows);
    let subscripts = [&params[..rank - 1], &[strip, number], &params[rank..]].concat();
    let value = b.index(strips, &subscripts);
    let region = b.end_region(vec![value]);
    let opcode = Opcode::Build { rank: ty.sizes().len() as u32 };
    b.value(opcode, ty.sizes().to_vec(), vec![region], ty)
}
