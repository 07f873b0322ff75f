//! How vectors lie in registers: 128-bit pieces where the machine has such registers and the lanes
//! fill them, single lanes otherwise. Conversion between the two, and the operations that move lanes.

use cranelift_codegen::ir::{ConstantData, InstBuilder, Type as ClifType, types};
use we3_backend_api::Unsupported;
use we3_ir::{Const, OpData, Opcode, Scalar, Type, Value};

use crate::bug;
use crate::emit::{Clif, Emitter};
use crate::scalar::{Family, clif_type, constant, family};

/// Bits of a vector register.
const REGISTER: u32 = 128;

/// Whether lanes of this type lie side by side in a register.
pub fn packs(elem: Scalar) -> bool {
    elem != Scalar::Bool && family(elem) != Family::Half
}

impl Emitter<'_, '_> {
    /// The register type of a piece, when vectors of this type lie in whole registers.
    pub fn packed_type(&self, ty: &Type) -> Option<ClifType> {
        let Type::Vector(elem, lanes) = ty else { return None };
        let lane = clif_type(*elem);
        let fills = (lane.bits() * u32::from(*lanes)).is_multiple_of(REGISTER);
        if self.machine.simd && packs(*elem) && fills { lane.by(REGISTER / lane.bits()) } else { None }
    }

    /// The register types of a value's pieces.
    pub fn piece_types(&self, value: Value) -> Vec<ClifType> {
        let ty = self.func.ty(value);
        match ty {
            Type::Scalar(elem) => vec![clif_type(*elem)],
            Type::Buffer(_) | Type::Array(..) => vec![types::I64],
            Type::Vector(elem, lanes) => match self.packed_type(ty) {
                Some(piece) => vec![piece; usize::from(*lanes) / piece.lane_count() as usize],
                None => vec![clif_type(*elem); usize::from(*lanes)],
            },
        }
    }

    /// Every lane of these pieces in a register of its own.
    pub fn unpack(&mut self, pieces: Vec<Clif>) -> Vec<Clif> {
        let mut lanes = Vec::new();
        for piece in pieces {
            let ty = self.builder.func.dfg.value_type(piece);
            if !ty.is_vector() {
                lanes.push(piece);
                continue;
            }
            for lane in 0..ty.lane_count() as u8 {
                lanes.push(self.builder.ins().extractlane(piece, lane));
            }
        }
        lanes
    }

    /// The pieces of a vector of type `ty` from its lanes.
    pub fn pack(&mut self, ty: &Type, lanes: Vec<Clif>) -> Vec<Clif> {
        match self.packed_type(ty) {
            None => lanes,
            Some(piece) => {
                let chunks = lanes.chunks(piece.lane_count() as usize);
                chunks.map(|chunk| self.pack_piece(piece, chunk)).collect()
            }
        }
    }

    fn pack_piece(&mut self, ty: ClifType, lanes: &[Clif]) -> Clif {
        let first = lanes[0];
        if lanes.iter().all(|lane| *lane == first) {
            return self.builder.ins().splat(ty, first);
        }
        let mut piece = if ty.lane_bits() < 32 {
            let wide = self.builder.ins().uextend(types::I32, first);
            let register = self.builder.ins().scalar_to_vector(types::I32X4, wide);
            self.cast_register(ty, register)
        } else {
            self.builder.ins().scalar_to_vector(ty, first)
        };
        for (place, lane) in lanes.iter().enumerate().skip(1) {
            piece = self.builder.ins().insertlane(piece, *lane, place as u8);
        }
        piece
    }

    /// `splat`, `iota`, `extract`, `insert`, `shuffle`.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the dispatch calls this for these only")]
    pub fn emit_lane_op(&mut self, data: &OpData) -> Result<(), Unsupported> {
        let result = data.results[0];
        let pieces = match &data.opcode {
            Opcode::Splat(_) => self.splat(data)?,
            Opcode::Iota { elem, lanes } => self.iota(*elem, *lanes),
            Opcode::Extract(lane) => {
                let source = self.moved_into(data.args[0], result)?;
                vec![self.lane_of(&source, *lane)?]
            }
            Opcode::Insert(lane) => self.insert(data, *lane)?,
            Opcode::Shuffle(picks) => self.shuffle(data, picks)?,
            opcode => return Err(bug(format!("{opcode:?} moves no lanes"))),
        };
        self.set(result, &pieces);
        Ok(())
    }

    fn splat(&mut self, data: &OpData) -> Result<Vec<Clif>, Unsupported> {
        let result = data.results[0];
        if let Some(constant) = self.func.as_const(data.args[0])
            && constant.ty != Scalar::Bool
            && let Some(ty) = self.packed_type(self.func.ty(result))
        {
            let lane = constant.bits.to_le_bytes()[..constant.ty.bytes() as usize].to_vec();
            let register = lane.repeat(ty.lane_count() as usize);
            let piece = self.vector_constant(ty, &register);
            return Ok(vec![piece; self.piece_types(result).len()]);
        }
        let lane = self.moved_into(data.args[0], result)?[0];
        let piece = match self.packed_type(self.func.ty(result)) {
            Some(ty) => self.builder.ins().splat(ty, lane),
            None => lane,
        };
        Ok(vec![piece; self.piece_types(result).len()])
    }

    fn iota(&mut self, elem: Scalar, lanes: u16) -> Vec<Clif> {
        let Some(ty) = self.packed_type(&Type::Vector(elem, lanes)) else {
            return (0..u64::from(lanes))
                .map(|lane| constant(&mut self.builder, Const { ty: elem, bits: lane }))
                .collect();
        };
        let bytes: Vec<u8> = (0..u64::from(lanes))
            .flat_map(|lane| lane.to_le_bytes()[..elem.bytes() as usize].to_vec())
            .collect();
        bytes.chunks(REGISTER as usize / 8).map(|register| self.vector_constant(ty, register)).collect()
    }

    fn vector_constant(&mut self, ty: ClifType, register: &[u8]) -> Clif {
        let handle = self.builder.func.dfg.constants.insert(ConstantData::from(register));
        self.builder.ins().vconst(ty, handle)
    }

    fn insert(&mut self, data: &OpData, lane: u16) -> Result<Vec<Clif>, Unsupported> {
        let result = data.results[0];
        let mut pieces = self.moved_into(data.args[0], result)?;
        let new = self.moved_into(data.args[1], result)?[0];
        let (piece, inner) = self.place_of(&pieces, lane)?;
        pieces[piece] = match inner {
            Some(inner) => self.builder.ins().insertlane(pieces[piece], new, inner),
            None => new,
        };
        Ok(pieces)
    }

    /// Which piece holds a lane, and which lane of the piece it is when that has several.
    fn place_of(&self, pieces: &[Clif], lane: u16) -> Result<(usize, Option<u8>), Unsupported> {
        let lane = usize::from(lane);
        let ty = pieces.first().map_or(types::I8, |piece| self.builder.func.dfg.value_type(*piece));
        let per_piece = ty.lane_count() as usize;
        if lane / per_piece >= pieces.len() {
            return Err(bug("a lane past the last one"));
        }
        let inner = ty.is_vector().then_some((lane % per_piece) as u8);
        Ok((lane / per_piece, inner))
    }

    fn lane_of(&mut self, pieces: &[Clif], lane: u16) -> Result<Clif, Unsupported> {
        let (piece, inner) = self.place_of(pieces, lane)?;
        Ok(match inner {
            Some(inner) => self.builder.ins().extractlane(pieces[piece], inner),
            None => pieces[piece],
        })
    }

    fn shuffle(&mut self, data: &OpData, picks: &[u16]) -> Result<Vec<Clif>, Unsupported> {
        let result = data.results[0];
        let mut source = self.moved_into(data.args[0], result)?;
        source.extend(self.moved_into(data.args[1], result)?);
        let packed = self.packed_type(self.func.ty(result));
        let both_packed = packed.is_some() && self.packed_type(self.func.ty(data.args[0])).is_some();
        let (Some(ty), true) = (packed, both_packed) else {
            let lanes = picks.iter().map(|pick| self.lane_of(&source, *pick)).collect::<Result<_, _>>()?;
            return Ok(self.pack(self.func.ty(result), lanes));
        };
        let chunks = picks.chunks(ty.lane_count() as usize);
        chunks.map(|chunk| self.shuffle_piece(ty, &source, chunk)).collect()
    }

    /// One register of a shuffle's result: a source register as it is, lanes of two, or of many.
    fn shuffle_piece(&mut self, ty: ClifType, source: &[Clif], picks: &[u16]) -> Result<Clif, Unsupported> {
        let per_piece = ty.lane_count() as u16;
        let first = picks[0];
        let in_order = picks.iter().enumerate().all(|(place, pick)| *pick == first + place as u16);
        if in_order && first.is_multiple_of(per_piece) {
            return source.get(usize::from(first / per_piece)).copied().ok_or_else(|| bug("a lane too far"));
        }
        let mut used: Vec<u16> = picks.iter().map(|pick| pick / per_piece).collect();
        used.sort_unstable();
        used.dedup();
        if used.len() > 2 || !self.machine.byte_shuffle {
            let lanes =
                picks.iter().map(|pick| self.lane_of(source, *pick)).collect::<Result<Vec<_>, _>>()?;
            return Ok(self.pack_piece(ty, &lanes));
        }
        let [left, right] =
            [used[0], *used.last().unwrap_or(&used[0])].map(|piece| source[usize::from(piece)]);
        let lane_bytes = (ty.lane_bits() / 8) as u8;
        let mask: Vec<u8> = picks
            .iter()
            .flat_map(|pick| {
                let register = if pick / per_piece == used[0] { 0 } else { 16 };
                let start = register + (pick % per_piece) as u8 * lane_bytes;
                start..start + lane_bytes
            })
            .collect();
        Ok(self.shuffle_bytes(ty, left, right, &mask))
    }

    fn shuffle_bytes(&mut self, ty: ClifType, left: Clif, right: Clif, mask: &[u8]) -> Clif {
        let [left, right] = [left, right].map(|piece| self.cast_register(types::I8X16, piece));
        let mask = self.builder.func.dfg.immediates.push(ConstantData::from(mask));
        let bytes = self.builder.ins().shuffle(left, right, mask);
        self.cast_register(ty, bytes)
    }

    /// A register seen as lanes of another type.
    pub fn cast_register(&mut self, ty: ClifType, piece: Clif) -> Clif {
        if self.builder.func.dfg.value_type(piece) == ty {
            return piece;
        }
        self.builder.ins().bitcast(ty, crate::float::vector_bits(), piece)
    }
}
