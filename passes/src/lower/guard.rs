//! A dot that stands in a branch: where its tiles may be left out, and whether it may be computed where it does not
//! count.

use we3_ir::op::Const;
use we3_ir::{BinaryOp, CompareOp, Func, Op, Opcode, Value};

use super::product::{Needs, in_order};
use crate::analysis::forms::Forms;

/// A dot that counts only where a condition holds: elsewhere it is computed and not used.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Guard {
    /// Comparisons of rows with columns, all of which hold where the dot counts (unless negated: it counts where
    /// the comparison does not hold). Each is false in a whole tile when it is at the corners.
    pub conditions: Vec<(Op, bool)>,
    /// Operations of the body that they need, in order.
    pub needs: Vec<Op>,
}

/// The sizes of the domain of a build, an update or a dot.
fn domain(func: &Func, op: Op) -> &[Value] {
    let first = usize::from(matches!(func.ops[op].opcode, Opcode::Update { .. }));
    &func.ops[op].args[first..]
}

/// Whether every element that the operands read is there for all subscripts of the domains.
pub(super) fn always_in_range(func: &Func, build: Op, dot: Op, needs: &[Needs; 2]) -> bool {
    let size_of = |value: &Value| {
        [build, dot].iter().find_map(|op| {
            let params = &func.blocks[func.ops[*op].regions[0]].params;
            let axis = params.iter().position(|param| param == value)?;
            domain(func, *op).get(axis).copied()
        })
    };
    let fits = |subscript: &Value, size: &Value| {
        size_of(subscript).is_some_and(|domain| domain == *size || is_size_clamped(func, domain, *size))
    };
    let mut reads =
        needs.iter().flat_map(|need| &need.ops).filter(|op| func.ops[**op].opcode == Opcode::Index);
    reads.all(|op| {
        let args = &func.ops[*op].args;
        args[1..].iter().zip(func.ty(args[0]).sizes()).all(|(subscript, size)| fits(subscript, size))
    })
}

/// Whether `value` is `max(size, 0)`.
fn is_size_clamped(func: &Func, value: Value, size: Value) -> bool {
    let Some(op) = func.def_op(value) else { return false };
    let data = &func.ops[op];
    let zero = |value: &Value| func.as_const(*value).is_some_and(|constant: Const| constant.bits == 0);
    data.opcode == Opcode::Binary(BinaryOp::Max) && data.args.contains(&size) && data.args.iter().any(zero)
}

/// The comparisons whose truth at the corners of a tile decides the whole tile.
pub(super) fn guard_of(
    func: &Func,
    build: Op,
    condition: Value,
    truth: bool,
    cell: Option<[Value; 2]>,
) -> Guard {
    let mut conditions = Vec::new();
    if let Some(cell) = cell {
        collect_conditions(func, build, condition, truth, cell, &mut conditions);
    }
    let body = func.ops[build].regions[0];
    let values: Vec<Value> =
        conditions.iter().flat_map(|(op, _): &(Op, bool)| func.ops[*op].results.clone()).collect();
    let needs = Needs::of(func, &[body], &values);
    Guard { conditions, needs: in_order(func, &[body], &needs.ops) }
}

fn collect_conditions(
    func: &Func,
    build: Op,
    condition: Value,
    truth: bool,
    cell: [Value; 2],
    found: &mut Vec<(Op, bool)>,
) {
    let body = func.ops[build].regions[0];
    let Some(op) = func.def_op(condition).filter(|op| func.blocks[body].ops.contains(op)) else { return };
    let data = &func.ops[op];
    // A conjunction fails where any part does; a disjunction that has to be false is one too.
    let joins = if truth { BinaryOp::And } else { BinaryOp::Or };
    if data.opcode == Opcode::Binary(joins) {
        for part in &data.args {
            collect_conditions(func, build, *part, truth, cell, found);
        }
    }
    let order = [CompareOp::Lt, CompareOp::Le, CompareOp::Gt, CompareOp::Ge];
    let is_order = matches!(data.opcode, Opcode::Compare(compare) if order.contains(&compare));
    if is_order && data.args.iter().all(|arg| is_even(func, build, *arg, cell)) {
        found.push((op, truth));
    }
}

/// Whether a value grows evenly with row and column and stays far from overflow.
fn is_even(func: &Func, build: Op, value: Value, cell: [Value; 2]) -> bool {
    let sizes = domain(func, build);
    let form = Forms::default().of(func, value);
    form.is_small()
        && form.terms().iter().all(|(monomial, factor)| {
            let known = monomial.iter().all(|atom| cell.contains(atom) || sizes.contains(atom));
            known
                && monomial.len() <= 1
                && factor.unsigned_abs() < 1 << if monomial.is_empty() { 48 } else { 10 }
        })
}
