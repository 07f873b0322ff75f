//! Which builds are products. Of matrices: one operand of a dot follows the last axes of the build (the columns), the
//! other the axes before (the rows), as in a matrix product, a convolution, a distance matrix. Of a matrix and a vector:
//! one operand follows the last axis, the other does not. Nothing is written here.

use we3_ir::{Block, Func, Op, Opcode, Scalar, Value, ValueDef};

use super::guard::{Guard, always_in_range, guard_of};
use crate::analysis::effects::is_pure_scalar;
use crate::analysis::forms::{Form, Forms};
use crate::facts::TargetFacts;

/// Rows, columns and tiles of a product. The row axes, then the column axes, are the innermost of the nest's order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PackedSchedule {
    /// The dot.
    pub dot: Op,
    /// The branch that the dot stands in.
    pub guard: Option<Guard>,
    /// Operations of the body that the dot's sizes need, in order.
    pub sizes: Vec<Op>,
    /// Operations of the body that its operands need, in order.
    pub before: Vec<Op>,
    /// Which operand follows the columns.
    pub follows_column: usize,
    /// How the operand of the rows, and that of the columns, lie in memory, if they do so evenly.
    pub lines: [Option<Line>; 2],
    /// The neighbouring axes of the build along which tiles have rows.
    pub row_axes: Vec<u32>,
    /// The axes along which panels are cut: the last ones.
    pub column_axes: Vec<u32>,
    /// Rows of a tile.
    pub rows: u32,
    /// Vectors of columns in a panel, and lanes in a vector.
    pub vectors: u32,
    /// Lanes of a vector.
    pub lanes: u32,
    /// Whether panels of one vector are worth code of their own.
    pub narrow: bool,
}

impl PackedSchedule {
    /// Columns of a panel.
    pub fn width(&self) -> i64 {
        i64::from(self.vectors * self.lanes)
    }
}

/// An operand whose elements lie evenly along the dot's only axis.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Line {
    /// The `index` that reads it.
    pub index: Op,
    /// How far each subscript moves in one step of the dot.
    pub steps: Vec<i64>,
    /// How far each subscript moves from a column (or row) to the next, where that is even.
    pub across: Vec<i64>,
    /// Operations of the body and of the dot's region that the subscripts need, in order.
    pub needs: Vec<Op>,
}

impl Line {
    /// Whether neighbouring columns are neighbours in memory.
    pub fn is_along_columns(&self) -> bool {
        is_last_unit(&self.across)
    }
}

/// Dots of the rows of a matrix with something that does not depend on the row, the last axis of the build.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct RowsSchedule {
    /// The dot.
    pub dot: Op,
    /// Operations of the body that the dot's sizes need, in order.
    pub sizes: Vec<Op>,
    /// Operations of the body that its operands need, in order.
    pub before: Vec<Op>,
    /// Which operand follows the rows.
    pub follows_row: usize,
    /// How that operand lies in memory.
    pub line: Line,
    /// Rows of a block: lanes of a vector.
    pub lanes: u32,
    /// Bytes of an element.
    pub bytes: u32,
}

impl RowsSchedule {
    /// Elements of a row that are read together: 16 bytes.
    pub fn piece(&self) -> u32 {
        16 / self.bytes
    }
}

/// Finds rows. Narrow vectors hold too few of them.
pub fn rows_schedule(func: &Func, build: Op, facts: &TargetFacts) -> Option<RowsSchedule> {
    let body = func.ops[build].regions[0];
    let found = find_dot(func, body).filter(|found| found.branch.is_none())?;
    let operands = func.ops[found.dot].regions[0];
    let elem = func.ty(func.ops[found.dot].results[0]).element();
    let lanes = u32::from(facts.lanes(elem.bytes())?);
    let sizes = Needs::of(func, &[body], &func.ops[found.dot].args);
    if facts.vector_bytes < 32
        || !matches!(elem.bytes(), 4 | 8)
        || !func.blocks[operands].ops.iter().all(|op| is_scalar_code(func, *op))
        || !sizes.params.is_empty()
        || sizes.reads(func)
    {
        return None;
    }
    let row = *func.blocks[body].params.last()?;
    let blocks = [body, operands];
    let needs = [0, 1].map(|operand| Needs::of(func, &blocks, &[func.yields(operands)[operand]]));
    let follows = |operand: usize| needs[operand].params.contains(&row);
    let follows_row = (0..2).find(|one| follows(*one) && !follows(1 - one))?;
    let value = func.yields(operands)[follows_row];
    let line = line_of(func, &blocks, value, Some(row), elem)?;
    if line.across.is_empty() || !is_last_unit(&line.steps) {
        return None;
    }
    let both = [needs[0].ops.as_slice(), &needs[1].ops].concat();
    let before = in_order(func, &[body], &both);
    let sizes = in_order(func, &[body], &sizes.ops);
    Some(RowsSchedule { dot: found.dot, sizes, before, follows_row, line, lanes, bytes: elem.bytes() })
}

/// Whether the last subscript moves by one, and no other.
fn is_last_unit(steps: &[i64]) -> bool {
    steps.split_last().is_some_and(|(last, others)| *last == 1 && others.iter().all(|step| *step == 0))
}

/// Rows and vectors of a tile whose accumulators fill most registers.
const TILE_OF_MANY_REGISTERS: (u32, u32) = (6, 4);
const TILE_OF_FEW_REGISTERS: (u32, u32) = (6, 2);
/// Half as much code.
const COMPACT_TILE: (u32, u32) = (4, 2);

/// Finds rows and columns.
pub fn packed_schedule(func: &Func, build: Op, rank: usize, facts: &TargetFacts) -> Option<PackedSchedule> {
    let body = func.ops[build].regions[0];
    let found = find_dot(func, body)?;
    let operands = func.ops[found.dot].regions[0];
    if rank < 2 || !func.blocks[operands].ops.iter().all(|op| is_scalar_code(func, *op)) {
        return None;
    }
    let mut blocks = vec![body];
    blocks.extend(found.branch);
    let sizes = Needs::of(func, &blocks, &func.ops[found.dot].args);
    if !sizes.params.is_empty() || sizes.reads(func) {
        return None;
    }
    blocks.push(operands);
    let needs = [0, 1].map(|operand| Needs::of(func, &blocks, &[func.yields(operands)[operand]]));
    let params = &func.blocks[body].params;
    let follows = |operand: usize, axis: usize| needs[operand].params.contains(&params[axis]);
    let follows_column = (0..2).find(|one| follows(*one, rank - 1) && !follows(1 - one, rank - 1))?;
    let is_column = |axis: &usize| follows(follows_column, *axis) && !follows(1 - follows_column, *axis);
    let is_row = |axis: &usize| follows(1 - follows_column, *axis) && !follows(follows_column, *axis);
    let first_column = (0..rank).rev().take_while(is_column).last()?;
    let last_row = (0..first_column).rev().find(is_row)?;
    let first_row = (0..=last_row).rev().take_while(is_row).last()?;
    if found.branch.is_some() && !always_in_range(func, build, found.dot, &needs) {
        return None;
    }
    let elem = func.ty(func.ops[found.dot].results[0]).element();
    let acc = if matches!(elem, Scalar::F16 | Scalar::Bf16) { Scalar::F32 } else { elem };
    let lanes = u32::from(facts.lanes(acc.bytes())?);
    let many = facts.vector_registers >= 32;
    let (rows, vectors) = match (facts.compact, many) {
        (true, _) => COMPACT_TILE,
        (false, true) => TILE_OF_MANY_REGISTERS,
        (false, false) => TILE_OF_FEW_REGISTERS,
    };
    let last_column = (first_column + 1 == rank).then(|| params[rank - 1]);
    let line = |operand: usize| line_of(func, &blocks, func.yields(operands)[operand], last_column, acc);
    let lines = [line(1 - follows_column), line(follows_column)];
    if facts.compact && lines.iter().any(Option::is_none) {
        // Tiles are long; where code has to be short they are for products of stored matrices.
        return None;
    }
    let both = [needs[0].ops.as_slice(), &needs[1].ops].concat();
    let one_column = first_column + 1 == rank && first_row == last_row;
    let guard = found.condition.map(|(condition, truth)| {
        guard_of(func, build, condition, truth, one_column.then(|| [params[last_row], params[rank - 1]]))
    });
    Some(PackedSchedule {
        dot: found.dot,
        guard,
        sizes: in_order(func, &blocks, &sizes.ops),
        before: in_order(func, &blocks[..blocks.len() - 1], &both),
        follows_column,
        lines,
        row_axes: (first_row as u32..=last_row as u32).collect(),
        column_axes: (first_column as u32..rank as u32).collect(),
        rows,
        vectors,
        lanes,
        narrow: many && !facts.compact,
    })
}

/// The dot of a body.
struct Found {
    dot: Op,
    /// The region of an `if` in the body that it stands in.
    branch: Option<Block>,
    /// The condition, and its value where the dot counts.
    condition: Option<(Value, bool)>,
}

/// The only dot of a body of scalar code, in it or in one branch of its only `if`.
fn find_dot(func: &Func, body: Block) -> Option<Found> {
    let mut others = func.blocks[body].ops.iter().filter(|op| !is_scalar_code(func, **op));
    let (op, None) = (*others.next()?, others.next()) else { return None };
    if let Opcode::Dot { .. } = func.ops[op].opcode {
        return Some(Found { dot: op, branch: None, condition: None });
    }
    let scalar = func.ops[op].results.iter().all(|result| func.ty(*result).as_scalar().is_some());
    if func.ops[op].opcode != Opcode::If || !scalar {
        return None;
    }
    let [yes, no] = func.ops[op].regions[..] else { return None };
    let plain = |block: Block| func.blocks[block].ops.iter().all(|op| is_scalar_code(func, *op));
    let (branch, truth) = match (plain(yes), plain(no)) {
        (false, true) => (yes, true),
        (true, false) => (no, false),
        (true, true) | (false, false) => return None,
    };
    let inner = find_dot(func, branch).filter(|inner| inner.branch.is_none())?;
    Some(Found { branch: Some(branch), condition: Some((func.ops[op].args[0], truth)), ..inner })
}

/// Whether an operation computes scalars from scalars and elements, and does nothing else.
pub(crate) fn is_scalar_code(func: &Func, op: Op) -> bool {
    let data = &func.ops[op];
    let scalars = data.results.iter().all(|result| func.ty(*result).as_scalar().is_some());
    scalars && (is_pure_scalar(&data.opcode) || matches!(data.opcode, Opcode::Index | Opcode::Yield))
}

/// What values in some blocks are made of.
#[derive(Default)]
pub(crate) struct Needs {
    /// Parameters of the blocks.
    pub params: Vec<Value>,
    /// Operations that stand in them.
    pub ops: Vec<Op>,
}

impl Needs {
    pub fn of(func: &Func, blocks: &[Block], values: &[Value]) -> Needs {
        let mut needs = Needs::default();
        for value in values {
            needs.collect(func, blocks, *value);
        }
        needs
    }

    fn collect(&mut self, func: &Func, blocks: &[Block], value: Value) {
        match func.values[value].def {
            ValueDef::Param(block, _) if blocks.contains(&block) => self.params.push(value),
            ValueDef::Result(op, _) if blocks.iter().any(|block| func.blocks[*block].ops.contains(&op)) => {
                if !self.ops.contains(&op) {
                    self.ops.push(op);
                    for arg in &func.ops[op].args {
                        self.collect(func, blocks, *arg);
                    }
                }
            }
            ValueDef::Param(..) | ValueDef::Result(..) | ValueDef::ResultRef(_) => {}
        }
    }

    /// Whether any of them is more than arithmetic.
    pub fn reads(&self, func: &Func) -> bool {
        self.ops.iter().any(|op| !is_pure_scalar(&func.ops[*op].opcode))
    }
}

/// Those of the operations that stand in these blocks, in the order in which they stand there.
pub(super) fn in_order(func: &Func, blocks: &[Block], wanted: &[Op]) -> Vec<Op> {
    let ops = blocks.iter().flat_map(|block| &func.blocks[*block].ops);
    ops.filter(|op| wanted.contains(op)).copied().collect()
}

/// How an operand lies in memory, if it is read as it is and moves evenly along the dot's only axis.
fn line_of(
    func: &Func,
    blocks: &[Block],
    value: Value,
    last_column: Option<Value>,
    acc: Scalar,
) -> Option<Line> {
    let operands = *blocks.last()?;
    let [inner] = func.blocks[operands].params[..] else { return None };
    let index =
        func.def_op(value).filter(|op| blocks.iter().any(|block| func.blocks[*block].ops.contains(op)))?;
    let data = &func.ops[index];
    if data.opcode != Opcode::Index || func.ty(value).element() != acc {
        return None;
    }
    let subscripts = &data.args[1..];
    let needs = Needs::of(func, blocks, subscripts);
    if needs.reads(func) {
        return None;
    }
    let mut forms = Forms::default();
    let forms: Vec<Form> = subscripts.iter().map(|subscript| forms.of(func, *subscript)).collect();
    let opaque =
        |atom: &Value| matches!(func.values[*atom].def, ValueDef::Result(op, _) if needs.ops.contains(&op));
    if forms.iter().flat_map(Form::monomials).flat_map(|monomial| monomial.iter()).any(opaque) {
        return None;
    }
    let steps: Option<Vec<i64>> = forms.iter().map(|form| coefficient(form, inner)).collect();
    let across = last_column
        .and_then(|column| forms.iter().map(|form| coefficient(form, column)).collect::<Option<Vec<i64>>>());
    let needs = in_order(func, blocks, &needs.ops);
    Some(Line { index, steps: steps?, across: across.unwrap_or_default(), needs })
}

/// How much the form grows with the value, if evenly and by a small number.
fn coefficient(form: &Form, value: Value) -> Option<i64> {
    let mut found = 0;
    for (monomial, factor) in form.terms() {
        if monomial[..] == [value] {
            found = i64::try_from(*factor).ok().filter(|factor| factor.unsigned_abs() < 1 << 20)?;
        } else if monomial.contains(&value) {
            return None;
        }
    }
    Some(found)
}
