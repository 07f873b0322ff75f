//! Decoded code: instructions over dense slots. Scalars, arrays and buffers have a file of slots each; a
//! vector is a run of scalar slots, and its operations are decoded lane by lane. As calls form no circle,
//! every function has its own slots for good, and a call only moves values.

use we3_ir::{BinaryOp, CompareOp, Scalar, UnaryOp};

use crate::value::RunArray;

/// A slot of one of the files.
pub(crate) type Slot = u32;
/// A decoded block.
pub(crate) type BlockIndex = u32;

/// All functions that an entry reaches.
#[derive(Default)]
pub(crate) struct Program {
    pub(crate) blocks: Vec<BlockCode>,
    pub(crate) n_scalars: u32,
    pub(crate) n_arrays: u32,
    pub(crate) n_buffers: u32,
    /// Number of `stack` operations.
    pub(crate) n_stacks: u32,
    /// The tables of `data` operations.
    pub(crate) tables: Vec<RunArray>,
}

/// A block's instructions. Its terminator became moves of the owner, or a jump.
pub(crate) struct BlockCode {
    pub(crate) insts: Box<[Inst]>,
    /// Steps that one execution counts.
    pub(crate) cost: u64,
}

/// A use of an array; `take` when it is the last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ArrayUse {
    pub(crate) slot: Slot,
    pub(crate) take: bool,
}

/// Values that go from slots to slots, all at once.
#[derive(Default)]
pub(crate) struct Moves {
    /// Source and destination.
    pub(crate) scalars: Vec<(Slot, Slot)>,
    pub(crate) arrays: Vec<(ArrayUse, Slot)>,
    pub(crate) buffers: Vec<(Slot, Slot)>,
    /// Whether a destination is a later source, so that everything is read before anything is written.
    pub(crate) overlapping: bool,
}

/// Where a value of the host goes or comes from.
pub(crate) enum Place {
    Scalar(Slot),
    Array(Slot),
    Buffer(Slot),
}

/// An instruction.
pub(crate) enum Inst {
    Const {
        dst: Slot,
        bits: u64,
    },
    Move {
        dst: Slot,
        src: Slot,
    },
    Unary {
        op: UnaryOp,
        ty: Scalar,
        dst: Slot,
        a: Slot,
    },
    Binary {
        op: BinaryOp,
        ty: Scalar,
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Compare {
        op: CompareOp,
        ty: Scalar,
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    Select {
        dst: Slot,
        cond: Slot,
        a: Slot,
        b: Slot,
    },
    Fma {
        ty: Scalar,
        dst: Slot,
        a: Slot,
        b: Slot,
        c: Slot,
    },
    Convert {
        from: Scalar,
        to: Scalar,
        dst: Slot,
        a: Slot,
    },
    Index1 {
        dst: Slot,
        array: Slot,
        subscript: Slot,
    },
    Index2 {
        dst: Slot,
        array: Slot,
        subscripts: [Slot; 2],
    },
    Index(Box<IndexCode>),
    Check(Box<CheckCode>),
    Kill {
        array: Slot,
    },
    If(Box<IfCode>),
    While(Box<WhileCode>),
    Count(Box<CountCode>),
    Call(Box<CallCode>),
    Build(Box<BuildCode>),
    Reduce(Box<ReduceCode>),
    Dot(Box<DotCode>),
    DotBy(Box<DotByCode>),
    Scan(Box<ScanCode>),
    Scatter(Box<ScatterCode>),
    Update(Box<UpdateCode>),
    WithSizes(Box<WithSizesCode>),
    Data {
        dst: Slot,
        table: u32,
    },
    DataBuffer {
        dst: Slot,
        table: u32,
    },
    Alloc {
        dst: Slot,
        elem: Scalar,
        count: Slot,
    },
    Stack {
        dst: Slot,
        elem: Scalar,
        len: u32,
        number: u32,
    },
    Free {
        buffer: Slot,
    },
    Output {
        dst: Slot,
        elem: Scalar,
        count: Slot,
        index: u32,
    },
    Offset {
        dst: Slot,
        buffer: Slot,
        by: Slot,
    },
    Load {
        dst: Slot,
        elem: Scalar,
        buffer: Slot,
        offset: Slot,
        lane: u32,
    },
    Store {
        src: Slot,
        elem: Scalar,
        buffer: Slot,
        offset: Slot,
        lane: u32,
    },
    /// A load or store of one lane, done when the mask's is true.
    Masked {
        mask: Slot,
        access: Box<Inst>,
    },
    Copy(Box<CopyCode>),
    Block(Box<JumpTargetCode>),
    Forever(Box<JumpTargetCode>),
    Jump(Box<JumpCode>),
    Barrier,
}

// Instructions are read in order in every inner loop: they stay small, larger ones are boxed.
const _: () = assert!(size_of::<Inst>() <= 24);

pub(crate) struct IndexCode {
    pub(crate) dst: Slot,
    pub(crate) array: Slot,
    pub(crate) subscripts: Vec<Slot>,
}

pub(crate) struct CheckCode {
    pub(crate) cond: Slot,
    pub(crate) site: u32,
    pub(crate) notes: Vec<(Scalar, Slot)>,
}

pub(crate) struct IfCode {
    pub(crate) cond: Slot,
    /// When false, when true.
    pub(crate) arms: [(BlockIndex, Moves); 2],
}

pub(crate) struct WhileCode {
    pub(crate) init: Moves,
    pub(crate) cond: BlockIndex,
    pub(crate) holds: Slot,
    pub(crate) body: BlockIndex,
    pub(crate) next: Moves,
}

/// `loop` and `for`.
pub(crate) struct CountCode {
    /// `None`: from 0, by 1.
    pub(crate) lo_step: Option<(Slot, Slot)>,
    pub(crate) hi: Slot,
    pub(crate) init: Moves,
    pub(crate) counter: Slot,
    pub(crate) body: BlockIndex,
    pub(crate) next: Moves,
    /// Whether iterations may run in any order.
    pub(crate) unordered: bool,
}

pub(crate) struct CallCode {
    pub(crate) args: Moves,
    pub(crate) body: BlockIndex,
    pub(crate) results: Moves,
}

/// What a region over a domain yields: whether an element is there, then values.
pub(crate) struct Body {
    pub(crate) block: BlockIndex,
    pub(crate) subscripts: Vec<Slot>,
    pub(crate) present: Option<Slot>,
    pub(crate) values: Vec<Slot>,
}

pub(crate) struct BuildCode {
    pub(crate) sizes: Vec<Slot>,
    pub(crate) body: BlockIndex,
    pub(crate) subscripts: Vec<Slot>,
    pub(crate) outputs: Vec<BuildOutput>,
}

pub(crate) struct BuildOutput {
    pub(crate) dst: Slot,
    pub(crate) elem: Scalar,
    /// All sizes of the result.
    pub(crate) sizes: Vec<Slot>,
    pub(crate) source: BuildSource,
}

pub(crate) enum BuildSource {
    Scalar(Slot),
    Array(ArrayUse),
}

/// How two partial results become one.
pub(crate) enum Combiner {
    /// A scalar operation; identity is its neutral element, the value of nothing may be another.
    Op {
        op: BinaryOp,
        ty: Scalar,
        identity: u64,
    },
    Region(RegionCombiner),
}

pub(crate) struct RegionCombiner {
    pub(crate) block: BlockIndex,
    pub(crate) left: Vec<Slot>,
    pub(crate) right: Vec<Slot>,
    pub(crate) results: Vec<Slot>,
}

/// The shape of a reduction's tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tree {
    /// One after the other.
    Fold,
    Lanes,
    Pairs,
}

/// A combiner, its tree, and the narrow float whose elements are widened to `f32` for it.
pub(crate) struct Combining {
    pub(crate) combiner: Combiner,
    pub(crate) tree: Tree,
    pub(crate) narrow: Option<Scalar>,
}

/// The value of a reduction of nothing.
pub(crate) enum Nothing {
    Bits(u64),
    Slots(Vec<Slot>),
}

pub(crate) struct ReduceCode {
    pub(crate) size: Slot,
    pub(crate) body: Body,
    pub(crate) combining: Combining,
    pub(crate) nothing: Nothing,
    pub(crate) results: Vec<Slot>,
}

pub(crate) struct DotCode {
    pub(crate) sizes: Vec<Slot>,
    pub(crate) body: Body,
    pub(crate) ty: Scalar,
    pub(crate) dst: Slot,
}

pub(crate) struct DotByCode {
    pub(crate) sizes: Vec<Slot>,
    pub(crate) body: Body,
    pub(crate) zeros: Vec<Slot>,
    /// Left: the accumulators. Right: the elements.
    pub(crate) step: RegionCombiner,
    pub(crate) join: Combiner,
    pub(crate) results: Vec<Slot>,
}

pub(crate) struct ScanCode {
    pub(crate) size: Slot,
    pub(crate) init: Vec<Slot>,
    pub(crate) body: Body,
    pub(crate) combiner: Combiner,
    pub(crate) exclusive: bool,
    /// Destination and element type.
    pub(crate) results: Vec<(Slot, Scalar)>,
}

pub(crate) struct ScatterCode {
    pub(crate) size: Slot,
    pub(crate) rank: usize,
    /// The values are the subscripts, then the elements.
    pub(crate) body: Body,
    pub(crate) combining: Combining,
    pub(crate) dests: Vec<ArrayUse>,
    pub(crate) results: Vec<Slot>,
}

pub(crate) struct UpdateCode {
    pub(crate) dest: ArrayUse,
    pub(crate) sizes: Vec<Slot>,
    /// The values are the subscripts, then the element.
    pub(crate) body: Body,
    pub(crate) result: Slot,
}

/// `reshape` and `resize`.
pub(crate) struct WithSizesCode {
    pub(crate) array: ArrayUse,
    pub(crate) sizes: Vec<Slot>,
    pub(crate) dst: Slot,
}

pub(crate) struct CopyCode {
    pub(crate) elem: Scalar,
    pub(crate) dest: Slot,
    pub(crate) source: Slot,
    pub(crate) count: Slot,
}

/// `block` and `forever`.
pub(crate) struct JumpTargetCode {
    pub(crate) init: Moves,
    pub(crate) body: BlockIndex,
    /// To the results of a `block`, to the parameters of a `forever`.
    pub(crate) next: Moves,
}

pub(crate) struct JumpCode {
    pub(crate) moves: Moves,
    pub(crate) flow: Flow,
}

/// How a block ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flow {
    /// At its end.
    Next,
    /// `break`, with the levels still to leave.
    Leave(u32),
    /// `continue`, with the levels still to leave.
    Again(u32),
}
