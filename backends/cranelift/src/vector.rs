//! Vectors: how many pieces of which register type each one is, and the operations that move lanes.

use cranelift_codegen::ir::Type as ClifType;
use we3_backend_api::Unsupported;
use we3_ir::{Const, OpData, Opcode, Type, Value};

use crate::bug;
use crate::emit::Emitter;
use crate::scalar::{clif_type, constant};

impl Emitter<'_, '_> {
    /// The register types of a value's pieces.
    pub fn piece_types(&self, value: Value) -> Vec<ClifType> {
        match self.func.ty(value) {
            Type::Scalar(elem) => vec![clif_type(*elem)],
            Type::Buffer(_) | Type::Array(..) => vec![cranelift_codegen::ir::types::I64],
            Type::Vector(elem, lanes) => vec![clif_type(*elem); usize::from(*lanes)],
        }
    }

    /// `splat`, `iota`, `extract`, `insert`, `shuffle`.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the dispatch calls this for these only")]
    pub fn emit_lane_op(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let result = data.results[0];
        let lanes = match &data.opcode {
            Opcode::Splat(lanes) => {
                vec![self.moved_into(data.args[0], result)?[0]; usize::from(*lanes)]
            }
            Opcode::Iota { elem, lanes } => (0..u64::from(*lanes))
                .map(|lane| constant(&mut self.builder, Const { ty: *elem, bits: lane }))
                .collect(),
            Opcode::Extract(lane) => {
                let source = self.moved_into(data.args[0], result)?;
                vec![lane_of(&source, *lane)?]
            }
            Opcode::Insert(lane) => {
                let mut lanes = self.moved_into(data.args[0], result)?;
                let new = self.moved_into(data.args[1], result)?[0];
                match lanes.get_mut(usize::from(*lane)) {
                    Some(place) => *place = new,
                    None => return Err(bug("insert past the last lane")),
                }
                lanes
            }
            Opcode::Shuffle(picks) => {
                let mut source = self.moved_into(data.args[0], result)?;
                source.extend(self.moved_into(data.args[1], result)?);
                picks.iter().map(|pick| lane_of(&source, *pick)).collect::<Result<_, _>>()?
            }
            opcode => return Err(bug(format!("{opcode:?} moves no lanes"))),
        };
        self.set(result, &lanes);
        Ok(())
    }
}

fn lane_of<T: Copy>(lanes: &[T], lane: u16) -> Result<T, Unsupported> {
    lanes.get(usize::from(lane)).copied().ok_or_else(|| bug("a lane past the last one"))
}
