//! Scalar operations as element-wise builds over arrays.

use std::fmt::Write as _;

use we3_ir::Scalar;

use super::Case;
use super::operations::{self, Operation};

/// None, one, a tail of every vector length, and more than a block of special values in all pairs.
const SIZES: &[i64] = &[0, 1, 17, 4101];

/// Every operation whose first operand (arm, for `select`) has this type.
pub fn cases(ty: Scalar) -> Vec<Case> {
    operations::all().into_iter().filter(|operation| operation.operand() == ty).map(case).collect()
}

fn case(operation: Operation) -> Case {
    let name = format!("{}_{}", operation.text().replace('.', "_"), operation.operand());
    let operands = operation.operands();
    let result = operation.result();
    let mut text = format!("entry func @{name}(%0: i64");
    for (number, ty) in operands.iter().enumerate() {
        let _ = write!(text, ", %{}: {ty}[%0]", number + 1);
    }
    let _ = write!(text, ") -> (i64, {result}[#0]) {{\n  %10: {result}[%0] = build %0 {{\n  b(%11: i64):\n");
    let mut args = Vec::new();
    for (number, ty) in operands.iter().enumerate() {
        let _ = writeln!(text, "    %{}: {ty} = index %{}, %11", number + 12, number + 1);
        args.push(format!("%{}", number + 12));
    }
    let (code, args) = (operation.text(), args.join(", "));
    let _ = write!(text, "    %20: {result} = {code} {args}\n    yield %20\n  }}\n  return %0, %10\n}}\n");
    Case { name, text, sizes: SIZES }
}
