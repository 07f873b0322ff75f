//! Every operation with every type it takes, as text and as its definition in `eval`.

use std::fmt::Write as _;

use we3_ir::{BinaryOp, CompareOp, Opcode, Scalar, UnaryOp, eval};

/// An operation at one type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    Unary(UnaryOp, Scalar),
    Binary(BinaryOp, Scalar),
    Compare(CompareOp, Scalar),
    Select(Scalar),
    Fma(Scalar),
    Convert(Scalar, Scalar),
    Bitcast(Scalar, Scalar),
}

const UNARY: [(UnaryOp, &str); 11] = [
    (UnaryOp::Neg, "neg"),
    (UnaryOp::Not, "not"),
    (UnaryOp::Abs, "abs"),
    (UnaryOp::Sqrt, "sqrt"),
    (UnaryOp::Floor, "floor"),
    (UnaryOp::Ceil, "ceil"),
    (UnaryOp::Trunc, "trunc"),
    (UnaryOp::RoundEven, "round_even"),
    (UnaryOp::CountOnes, "count_ones"),
    (UnaryOp::LeadingZeros, "leading_zeros"),
    (UnaryOp::TrailingZeros, "trailing_zeros"),
];

const BINARY: [(BinaryOp, &str); 18] = [
    (BinaryOp::Add, "add"),
    (BinaryOp::Sub, "sub"),
    (BinaryOp::Mul, "mul"),
    (BinaryOp::Div, "div"),
    (BinaryOp::Rem, "rem"),
    (BinaryOp::Min, "min"),
    (BinaryOp::Max, "max"),
    (BinaryOp::And, "and"),
    (BinaryOp::Or, "or"),
    (BinaryOp::Xor, "xor"),
    (BinaryOp::Shl, "shl"),
    (BinaryOp::Shr, "shr"),
    (BinaryOp::RotateLeft, "rotate_left"),
    (BinaryOp::MulHi, "mulhi"),
    (BinaryOp::CopySign, "copysign"),
    (BinaryOp::AddSat, "add_sat"),
    (BinaryOp::SubSat, "sub_sat"),
    (BinaryOp::MulSat, "mul_sat"),
];

const COMPARE: [(CompareOp, &str); 6] = [
    (CompareOp::Eq, "eq"),
    (CompareOp::Ne, "ne"),
    (CompareOp::Lt, "lt"),
    (CompareOp::Le, "le"),
    (CompareOp::Gt, "gt"),
    (CompareOp::Ge, "ge"),
];

/// All of them.
pub fn all() -> Vec<Operation> {
    let mut all = Vec::new();
    for ty in Scalar::ALL {
        all.extend(UNARY.iter().map(|(op, _)| Operation::Unary(*op, ty)));
        all.extend(BINARY.iter().map(|(op, _)| Operation::Binary(*op, ty)));
        all.extend(COMPARE.iter().map(|(op, _)| Operation::Compare(*op, ty)));
        all.extend([Operation::Select(ty), Operation::Fma(ty)]);
        for to in Scalar::ALL {
            all.push(Operation::Convert(ty, to));
            if ty.bits() == to.bits() {
                all.push(Operation::Bitcast(ty, to));
            }
        }
    }
    all.retain(|operation| operation.is_verified());
    all
}

impl Operation {
    /// The type of the operands (of the arms, for `select`).
    pub fn operand(self) -> Scalar {
        match self {
            Operation::Unary(_, ty)
            | Operation::Binary(_, ty)
            | Operation::Compare(_, ty)
            | Operation::Select(ty)
            | Operation::Fma(ty)
            | Operation::Convert(ty, _)
            | Operation::Bitcast(ty, _) => ty,
        }
    }

    /// The type of each operand.
    pub fn operands(self) -> Vec<Scalar> {
        let ty = self.operand();
        match self {
            Operation::Unary(..) | Operation::Convert(..) | Operation::Bitcast(..) => vec![ty],
            Operation::Binary(..) | Operation::Compare(..) => vec![ty; 2],
            Operation::Select(_) => vec![Scalar::Bool, ty, ty],
            Operation::Fma(_) => vec![ty; 3],
        }
    }

    /// The type of the result.
    pub fn result(self) -> Scalar {
        match self {
            Operation::Unary(_, ty)
            | Operation::Binary(_, ty)
            | Operation::Select(ty)
            | Operation::Fma(ty) => ty,
            Operation::Compare(..) => Scalar::Bool,
            Operation::Convert(_, to) | Operation::Bitcast(_, to) => to,
        }
    }

    /// The opcode's text.
    pub fn text(self) -> String {
        let name = |table: &[(UnaryOp, &str)], op| {
            table.iter().find(|(known, _)| *known == op).unwrap().1.to_owned()
        };
        match self {
            Operation::Unary(op, _) => name(&UNARY, op),
            Operation::Binary(op, _) => BINARY.iter().find(|(known, _)| *known == op).unwrap().1.to_owned(),
            Operation::Compare(op, _) => COMPARE.iter().find(|(known, _)| *known == op).unwrap().1.to_owned(),
            Operation::Select(_) => "select".to_owned(),
            Operation::Fma(_) => "fma".to_owned(),
            Operation::Convert(_, to) => format!("convert.{to}"),
            Operation::Bitcast(_, to) => format!("bitcast.{to}"),
        }
    }

    /// The opcode.
    pub fn opcode(self) -> Opcode {
        match self {
            Operation::Unary(op, _) => Opcode::Unary(op),
            Operation::Binary(op, _) => Opcode::Binary(op),
            Operation::Compare(op, _) => Opcode::Compare(op),
            Operation::Select(_) => Opcode::Select,
            Operation::Fma(_) => Opcode::Fma,
            Operation::Convert(_, to) => Opcode::Convert(to),
            Operation::Bitcast(_, to) => Opcode::Bitcast(to),
        }
    }

    /// What it must return.
    pub fn expected(self, args: &[u64]) -> u64 {
        match self {
            Operation::Unary(op, ty) => eval::unary(op, ty, args[0]),
            Operation::Binary(op, ty) => eval::binary(op, ty, args[0], args[1]),
            Operation::Compare(op, ty) => eval::compare(op, ty, args[0], args[1]).into(),
            Operation::Select(_) => args[if args[0] != 0 { 1 } else { 2 }],
            Operation::Fma(ty) => eval::fma(ty, args[0], args[1], args[2]),
            Operation::Convert(from, to) => eval::convert(from, to, args[0]),
            Operation::Bitcast(..) => args[0],
        }
    }

    /// Whether the verifier lets it stand.
    fn is_verified(self) -> bool {
        let params: Vec<String> =
            self.operands().iter().enumerate().map(|(k, ty)| format!("%{k}: {ty}")).collect();
        let args: Vec<String> = (0..params.len()).map(|k| format!("%{k}")).collect();
        let (n, result) = (params.len(), self.result());
        let text = format!(
            "loop module\n\nentry func @f({}) -> ({result}) {{\n  %{n}: {result} = {} {}\n  return %{n}\n}}\n",
            params.join(", "),
            self.text(),
            args.join(", "),
        );
        let module = we3_ir::text::parse_module(&text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}"));
        we3_ir::verify::verify(&module).is_ok()
    }
}

/// An entry that applies the operation to arrays, element by element or `lanes` at a time.
fn array_entry(name: &str, operation: Operation, lanes: usize) -> String {
    let operands = operation.operands();
    let n_args = operands.len();
    let shaped = |ty: Scalar| if lanes > 1 { format!("{ty}x{lanes}") } else { ty.to_string() };
    let mut text = format!("entry func @{name}(%0: i64");
    for (k, ty) in operands.iter().enumerate() {
        let _ = write!(text, ", %{}: buffer {ty}", k + 1);
    }
    let result = operation.result();
    let [out, zero, step, index, first] = [1, 2, 3, 4, 5].map(|k| n_args + k);
    let _ = write!(
        text,
        ") -> () {{\n  %{out}: buffer {result} = output.{result} 0 %0\n  %{zero}: i64 = const 0\n  \
         %{step}: i64 = const {lanes}\n  for.serial %{zero}, %0, %{step} {{\n  b(%{index}: i64):\n"
    );
    let mut args = Vec::new();
    for (k, ty) in operands.iter().enumerate() {
        let _ = writeln!(text, "    %{}: {} = load %{}, %{index}", first + k, shaped(*ty), k + 1);
        args.push(format!("%{}", first + k));
    }
    let value = first + n_args;
    let _ = write!(
        text,
        "    %{value}: {} = {} {}\n    store %{out}, %{index}, %{value}\n    yield\n  }}\n  return\n}}\n\n",
        shaped(result),
        operation.text(),
        args.join(", "),
    );
    text
}

/// All operations in one object, each as an entry `oN`.
pub fn array_module(operations: &[Operation], lanes: usize) -> String {
    let mut text = String::from("loop module\n\n");
    for (number, operation) in operations.iter().enumerate() {
        text.push_str(&array_entry(&format!("o{number}"), *operation, lanes));
    }
    text
}
