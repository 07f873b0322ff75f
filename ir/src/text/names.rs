//! The words that opcodes, their kinds and orders are printed as, and the way back.

use crate::op::{BinaryOp, CompareOp, ForKind, Opcode, Order, ReduceKind, UnaryOp};

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

const REDUCE: [(ReduceKind, &str); 9] = [
    (ReduceKind::Sum, "sum"),
    (ReduceKind::Prod, "prod"),
    (ReduceKind::Min, "min"),
    (ReduceKind::Max, "max"),
    (ReduceKind::Any, "any"),
    (ReduceKind::All, "all"),
    (ReduceKind::Combine(Order::Lanes), "lanes"),
    (ReduceKind::Combine(Order::Pairs), "pairs"),
    (ReduceKind::Combine(Order::Free), "free"),
];

const FOR: [(ForKind, &str); 3] =
    [(ForKind::Serial, "serial"), (ForKind::Parallel, "parallel"), (ForKind::Grid, "grid")];

/// Opcodes that carry nothing, with their words.
const PLAIN: [(Opcode, &str); 25] = [
    (Opcode::Select, "select"),
    (Opcode::Fma, "fma"),
    (Opcode::If, "if"),
    (Opcode::While, "while"),
    (Opcode::Yield, "yield"),
    (Opcode::Return, "return"),
    (Opcode::Index, "index"),
    (Opcode::Scan { exclusive: false }, "scan"),
    (Opcode::Scan { exclusive: true }, "exscan"),
    (Opcode::Loop, "loop"),
    (Opcode::Reshape, "reshape"),
    (Opcode::Resize, "resize"),
    (Opcode::Free, "free"),
    (Opcode::Offset, "offset"),
    (Opcode::Load, "load"),
    (Opcode::Store, "store"),
    (Opcode::Stream, "stream"),
    (Opcode::Copy, "copy"),
    (Opcode::Block, "block"),
    (Opcode::Forever, "forever"),
    (Opcode::LoadLanes, "load_lanes"),
    (Opcode::StoreLanes, "store_lanes"),
    (Opcode::AnyLane, "any_lane"),
    (Opcode::AllLanes, "all_lanes"),
    (Opcode::Barrier, "barrier"),
];

fn name_in<T: PartialEq>(table: &[(T, &'static str)], wanted: &T) -> &'static str {
    // Every table holds all variants (a test counts them), so the default is never seen.
    table.iter().find(|(item, _)| item == wanted).map_or("?", |(_, name)| name)
}

fn find_in<T: Clone>(table: &[(T, &'static str)], wanted: &str) -> Option<T> {
    table.iter().find(|(_, name)| *name == wanted).map(|(item, _)| item.clone())
}

/// The word for a reduction kind.
pub(super) fn reduce_name(kind: ReduceKind) -> &'static str {
    name_in(&REDUCE, &kind)
}

/// The reduction kind a word means.
pub(super) fn reduce_kind(name: &str) -> Option<ReduceKind> {
    find_in(&REDUCE, name)
}

/// The words for a kind of `for`.
pub(super) fn for_name(kind: ForKind) -> String {
    match kind {
        ForKind::Lanes(lanes) => format!("lanes.{lanes}"),
        ForKind::Serial | ForKind::Parallel | ForKind::Grid => name_in(&FOR, &kind).to_owned(),
    }
}

/// The kind of `for` a word means.
pub(super) fn for_kind(name: &str) -> Option<ForKind> {
    find_in(&FOR, name)
}

/// An opcode that is one word without attributes.
pub(super) fn plain_opcode(name: &str) -> Option<Opcode> {
    find_in(&UNARY, name)
        .map(Opcode::Unary)
        .or_else(|| find_in(&BINARY, name).map(Opcode::Binary))
        .or_else(|| find_in(&COMPARE, name).map(Opcode::Compare))
        .or_else(|| find_in(&PLAIN, name))
}

impl UnaryOp {
    /// The word in the text form.
    pub fn name(self) -> &'static str {
        name_in(&UNARY, &self)
    }
}

impl BinaryOp {
    /// The word in the text form.
    pub fn name(self) -> &'static str {
        name_in(&BINARY, &self)
    }
}

impl CompareOp {
    /// The word in the text form.
    pub fn name(self) -> &'static str {
        name_in(&COMPARE, &self)
    }
}

impl Opcode {
    /// The first word of the text form, without attributes (`reduce`, `mul`, `for`).
    pub fn name(&self) -> &'static str {
        match self {
            Opcode::Const(_) => "const",
            Opcode::Unary(op) => op.name(),
            Opcode::Binary(op) => op.name(),
            Opcode::Compare(op) => op.name(),
            Opcode::Convert(_) => "convert",
            Opcode::Bitcast(_) => "bitcast",
            Opcode::Data { .. } => "data",
            Opcode::Check { .. } => "check",
            Opcode::Call(_) => "call",
            Opcode::Build { .. } => "build",
            Opcode::Reduce { .. } => "reduce",
            Opcode::Dot { .. } => "dot",
            Opcode::DotBy { .. } => "dot_by",
            Opcode::Scatter { .. } => "scatter",
            Opcode::Update { .. } => "update",
            Opcode::Alloc(_) => "alloc",
            Opcode::Stack { .. } => "stack",
            Opcode::Output { .. } => "output",
            Opcode::For(_) => "for",
            Opcode::Break(_) => "break",
            Opcode::Continue(_) => "continue",
            Opcode::Splat(_) => "splat",
            Opcode::Iota { .. } => "iota",
            Opcode::Extract(_) => "extract",
            Opcode::Insert(_) => "insert",
            Opcode::Shuffle(_) => "shuffle",
            Opcode::Probe { .. } => "probe",
            Opcode::Select
            | Opcode::Fma
            | Opcode::If
            | Opcode::While
            | Opcode::Yield
            | Opcode::Return
            | Opcode::Index
            | Opcode::Scan { .. }
            | Opcode::Loop
            | Opcode::Reshape
            | Opcode::Resize
            | Opcode::Free
            | Opcode::Offset
            | Opcode::Load
            | Opcode::Store
            | Opcode::Stream
            | Opcode::Copy
            | Opcode::Block
            | Opcode::Forever
            | Opcode::LoadLanes
            | Opcode::StoreLanes
            | Opcode::AnyLane
            | Opcode::AllLanes
            | Opcode::Barrier => name_in(&PLAIN, self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_what_it_names() {
        for (op, name) in UNARY {
            assert_eq!(plain_opcode(name), Some(Opcode::Unary(op)));
        }
        for (op, name) in BINARY {
            assert_eq!(plain_opcode(name), Some(Opcode::Binary(op)));
        }
        for (op, name) in COMPARE {
            assert_eq!(plain_opcode(name), Some(Opcode::Compare(op)));
        }
        for (op, name) in PLAIN {
            assert_eq!(op.name(), name);
            assert_eq!(plain_opcode(name), Some(op));
        }
        for (kind, name) in REDUCE {
            assert_eq!(reduce_kind(name), Some(kind));
        }
    }
}
