//! Which operations and types each level allows.

use crate::module::Level;
use crate::op::Opcode;
use crate::types::Type;

/// Whether an operation may stand in a function of this level.
pub fn allowed_at(level: Level, opcode: &Opcode) -> bool {
    let (array, loops) = columns(opcode);
    match level {
        Level::Array => array,
        Level::Loop => loops,
    }
}

/// The table: allowed at array level, allowed at loop level.
fn columns(opcode: &Opcode) -> (bool, bool) {
    match opcode {
        Opcode::Const(_)
        | Opcode::Unary(_)
        | Opcode::Binary(_)
        | Opcode::Compare(_)
        | Opcode::Select
        | Opcode::Fma
        | Opcode::Convert(_)
        | Opcode::Bitcast(_)
        | Opcode::If
        | Opcode::While
        | Opcode::Check { .. }
        | Opcode::Yield
        | Opcode::Data { .. }
        | Opcode::Return => (true, true),

        Opcode::Call(_)
        | Opcode::Build { .. }
        | Opcode::Index
        | Opcode::Reduce { .. }
        | Opcode::Dot { .. }
        | Opcode::DotBy { .. }
        | Opcode::Scan { .. }
        | Opcode::Loop
        | Opcode::Scatter { .. }
        | Opcode::Update { .. }
        | Opcode::Reshape
        | Opcode::Resize => (true, false),

        Opcode::Alloc(_)
        | Opcode::Stack { .. }
        | Opcode::Free
        | Opcode::Output { .. }
        | Opcode::Offset
        | Opcode::Load
        | Opcode::Store
        | Opcode::Stream
        | Opcode::Copy
        | Opcode::For(_)
        | Opcode::Block
        | Opcode::Forever
        | Opcode::Break(_)
        | Opcode::Continue(_)
        | Opcode::Splat(_)
        | Opcode::Iota { .. }
        | Opcode::Extract(_)
        | Opcode::Insert(_)
        | Opcode::Shuffle(_)
        | Opcode::LoadLanes
        | Opcode::StoreLanes
        | Opcode::AnyLane
        | Opcode::AllLanes
        | Opcode::Barrier
        | Opcode::Probe { .. } => (false, true),
    }
}

/// Why a type may not occur at this level, if so.
pub(super) fn type_fault(level: Level, ty: &Type) -> Option<String> {
    match (ty, level) {
        (Type::Scalar(_), _) | (Type::Buffer(_), Level::Loop) => None,
        (Type::Array(_, sizes), Level::Array) => {
            sizes.is_empty().then(|| String::from("an array type needs at least one size"))
        }
        (Type::Vector(_, lanes), Level::Loop) => (!lanes_allowed(usize::from(*lanes)))
            .then(|| String::from("a vector has 2, 4, 8, 16, 32 or 64 lanes")),
        (Type::Array(..), Level::Loop) => Some("there are no array values at loop level".into()),
        (Type::Buffer(_) | Type::Vector(..), Level::Array) => {
            Some("there are no buffers or vectors at array level".into())
        }
    }
}

/// Whether a vector may have this many lanes.
pub(super) fn lanes_allowed(lanes: usize) -> bool {
    lanes.is_power_of_two() && (2..=64).contains(&lanes)
}
