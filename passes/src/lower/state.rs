//! What is known while lowering one function: what each source value has become, and the chain of
//! regions being lowered (frames), each of which owns buffers.

use std::rc::Rc;

use we3_ir::entity::SecondaryMap;
use we3_ir::span::Span;
use we3_ir::{Block, Func, FuncBuilder, Op, Scalar, Type, Value};

use super::columns::Joined;
use super::copies::CopyReason;
use super::diagonals::Diagonal;
use super::nests::PlacedNest;
use super::slices::Copied;
use super::two_buffers::Swap;
use crate::analysis::array_uses::ArrayUses;
use crate::facts::TargetFacts;
use crate::manager::PassContext;

/// An array value in memory.
#[derive(Clone, Debug)]
pub(super) struct Array {
    /// Address of element 0.
    pub buffer: Value,
    /// Element type.
    pub elem: Scalar,
    /// Distance between consecutive elements, in elements.
    pub step: u32,
    /// Distance along each axis but the last (which is 1), in array elements.
    pub strides: Rc<[Value]>,
    /// Which memory this is.
    pub root: RootId,
}

/// What a source value has become.
#[derive(Clone, Debug, Default)]
pub(super) enum Lowered {
    /// Not lowered yet.
    #[default]
    Nothing,
    /// A scalar.
    Scalar(Value),
    /// An array.
    Array(Array),
}

/// Where a value that leaves a region should be built.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dest {
    /// An output of the entry that is not asked for yet.
    Output { index: u32, step: u32 },
    /// Memory with this distance between elements.
    Place { buffer: Value, step: u32 },
}

/// A wish: build this value there, because the current frame yields it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    /// Where.
    pub dest: Dest,
    /// Its position among the yielded values; none: it only shares the place of another value, which
    /// takes it over later.
    pub position: Option<usize>,
    /// The value that takes the place over.
    pub then: Option<Value>,
}

/// Number of a piece of memory known while compiling: one buffer at run time for each execution.
pub(super) type RootId = usize;

/// A piece of memory and everything that names it.
#[derive(Debug)]
pub(super) struct Root {
    /// Id of the frame that must free it or give it away; none: borrowed, given away or freed.
    pub owner: Option<usize>,
    /// Source values that live in it (`resize`, `reshape` and updates in place share memory).
    pub values: Vec<Value>,
    /// Its address.
    pub buffer: Value,
}

/// A region being lowered.
#[derive(Debug)]
pub(super) struct Frame {
    /// Unique in the function, so that memory of a finished frame is never mistaken for ours.
    pub id: usize,
    /// The source block.
    pub block: Block,
    /// The position of the operation being lowered.
    pub index: u32,
    /// Which of the yielded values already lie in their destination.
    pub delivered: Vec<bool>,
}

/// The lowering of one function.
pub(super) struct Lower<'a> {
    /// The array-level function.
    pub src: &'a Func,
    /// Writes the loop-level function.
    pub b: FuncBuilder<'a>,
    /// The machine.
    pub facts: &'a TargetFacts,
    /// What source values have become.
    pub env: SecondaryMap<Value, Lowered>,
    /// How many frames deep a source value was defined.
    pub depth: SecondaryMap<Value, u32>,
    /// Wishes: build this value there.
    pub hints: SecondaryMap<Value, Option<Hint>>,
    /// All memory met so far.
    pub roots: Vec<Root>,
    /// The regions being lowered, outermost first.
    pub frames: Vec<Frame>,
    /// How many frames there have been.
    pub n_frames: usize,
    /// Last uses of arrays in the source.
    pub uses: ArrayUses,
    /// Copies of whole arrays, for the report.
    pub copies: Vec<(Span, CopyReason)>,
    /// How each nest was arranged, for the report.
    pub nests: Vec<PlacedNest>,
    /// Whether a parallel loop encloses the operation being lowered.
    pub in_parallel: bool,
    /// Whether the next nest gets a probe: they were asked for, and we stand in none.
    pub probes: bool,
    /// Whether the code being written runs once for thousands of elements (`rarely`).
    pub rare: bool,
    /// A dot whose result has been computed already, and that.
    pub known_dot: Option<(Op, Value)>,
    /// The diagonal whose cells are being written.
    pub diagonal: Option<Diagonal>,
    /// Parts of arrays that are written over, as they were.
    pub copied: Vec<Copied>,
    /// A cell that goes through turns of a loop: what reads it, and what it is.
    pub cell: Option<(Vec<Op>, Value)>,
    /// The arrays of enclosing loops that change places with another.
    pub swaps: Vec<Swap>,
    /// The matrix that is made with the sums of its columns.
    pub joined: Option<Rc<Joined>>,
}

impl<'a> Lower<'a> {
    pub(super) fn new(src: &'a Func, dest: &'a mut Func, ctx: &'a PassContext) -> Lower<'a> {
        Lower {
            src,
            b: FuncBuilder::new(dest),
            facts: &ctx.facts,
            env: SecondaryMap::new(),
            depth: SecondaryMap::new(),
            hints: SecondaryMap::new(),
            roots: Vec::new(),
            frames: Vec::new(),
            n_frames: 0,
            uses: ArrayUses::new(src),
            copies: Vec::new(),
            nests: Vec::new(),
            in_parallel: false,
            probes: ctx.probes,
            rare: false,
            known_dot: None,
            diagonal: None,
            copied: Vec::new(),
            cell: None,
            swaps: Vec::new(),
            joined: None,
        }
    }

    /// Declares the parameters: arrays become borrowed buffers.
    pub(super) fn params(&mut self, element_strides: &[u32]) {
        for (number, param) in self.src.params().iter().copied().enumerate() {
            let ty = self.src.ty(param);
            let own = match ty {
                Type::Array(elem, _) => Type::Buffer(*elem),
                Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => ty.clone(),
            };
            let value = self.b.add_region_param(own);
            if ty.as_scalar().is_some() {
                self.set_scalar(param, value);
            } else {
                let step = element_strides.get(number).copied().unwrap_or(1);
                self.bind_array(param, value, step, None);
            }
        }
    }

    /// A source scalar has become this value.
    pub(super) fn set_scalar(&mut self, source: Value, value: Value) {
        self.env[source] = Lowered::Scalar(value);
        self.depth[source] = self.frames.len() as u32;
    }

    /// What a source scalar has become. Operands of a verified function are lowered before their uses.
    #[expect(clippy::panic, reason = "the verifier guarantees definition before use and scalar operands")]
    pub(super) fn scalar(&self, source: Value) -> Value {
        match &self.env[source] {
            Lowered::Scalar(value) => *value,
            Lowered::Nothing | Lowered::Array(_) => panic!("{source} is not a lowered scalar"),
        }
    }

    /// The scalars that these source values have become.
    pub(super) fn scalars(&self, sources: &[Value]) -> Vec<Value> {
        sources.iter().map(|source| self.scalar(*source)).collect()
    }

    /// The memory that a source array has become.
    #[expect(clippy::panic, reason = "the verifier guarantees definition before use and array operands")]
    pub(super) fn array(&self, source: Value) -> Array {
        match &self.env[source] {
            Lowered::Array(array) => array.clone(),
            Lowered::Nothing | Lowered::Scalar(_) => panic!("{source} is not a lowered array"),
        }
    }

    /// The sizes of a source array, as lowered values.
    pub(super) fn sizes(&self, source: Value) -> Vec<Value> {
        self.scalars(self.src.ty(source).sizes())
    }

    /// The constant that a source value is, if it is one.
    pub(super) fn const_i64(&self, source: Value) -> Option<i64> {
        self.src.as_const(source).map(|constant| constant.bits as i64)
    }

    /// A source array lives in this buffer from now on; its memory is new.
    pub(super) fn bind_array(&mut self, source: Value, buffer: Value, step: u32, owner: Option<usize>) {
        self.roots.push(Root { owner, values: Vec::new(), buffer });
        self.bind_alias(source, buffer, step, self.roots.len() - 1);
    }

    /// A source array lives in memory that other values share.
    pub(super) fn bind_alias(&mut self, source: Value, buffer: Value, step: u32, root: RootId) {
        self.roots[root].values.push(source);
        let elem = self.src.ty(source).element();
        let sizes = self.sizes(source);
        let strides = self.row_strides(&sizes);
        self.env[source] = Lowered::Array(Array { buffer, elem, step, strides, root });
    }

    /// Position of the innermost frame.
    pub(super) fn frame(&self) -> usize {
        self.frames.len().saturating_sub(1)
    }

    /// What memory of the innermost frame has for an owner.
    pub(super) fn owner(&self) -> Option<usize> {
        self.frames.last().map(|frame| frame.id)
    }

    /// Distance along each axis but the last.
    pub(super) fn row_strides(&mut self, sizes: &[Value]) -> Rc<[Value]> {
        let mut strides = Vec::new();
        let mut stride: Option<Value> = None;
        for size in sizes.iter().skip(1).rev() {
            let next = match stride {
                Some(inner) => self.mul(*size, inner),
                None => *size,
            };
            strides.push(next);
            stride = Some(next);
        }
        strides.reverse();
        strides.into()
    }
}
