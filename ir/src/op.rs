//! The operations of both levels, as data. What each one means, with its operands, regions and
//! results, is in `docs/ir.md`; what each scalar one returns, bit for bit, is in `eval`.

use crate::entity::FuncId;
use crate::types::Scalar;

/// A scalar constant: its type and its bits, zero-extended (integers in two's complement, `bool` 0 or 1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Const {
    /// The type.
    pub ty: Scalar,
    /// The bit pattern.
    pub bits: u64,
}

/// Scalar operations of one operand; the result has the operand's type unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum UnaryOp {
    /// Wrapping for integers; sign flip, NaN canonical, for floats.
    Neg,
    /// Bitwise for integers, logical for `bool`.
    Not,
    /// Wrapping for signed integers, identity for unsigned; NaN canonical for floats.
    Abs,
    /// Correctly rounded square root.
    Sqrt,
    /// To an integral value, downwards.
    Floor,
    /// To an integral value, upwards.
    Ceil,
    /// To an integral value, towards zero.
    Trunc,
    /// To the nearest integral value, ties to even.
    RoundEven,
    /// Population count of an integer, in the same type.
    CountOnes,
    /// Leading zero bits of an integer (its width for 0), in the same type.
    LeadingZeros,
    /// Trailing zero bits of an integer (its width for 0), in the same type.
    TrailingZeros,
}

/// Scalar operations of two operands of one type, with a result of that type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum BinaryOp {
    /// Wrapping, or one rounding.
    Add,
    /// Wrapping, or one rounding.
    Sub,
    /// Wrapping, or one rounding.
    Mul,
    /// Integers truncate, MIN / −1 = MIN and x / 0 = 0 (sources check first); floats IEEE.
    Div,
    /// Sign of the dividend; MIN % −1 = 0 and x % 0 = 0; floats: exact fmod.
    Rem,
    /// Integers; floats IEEE 754-2019 `minimum`.
    Min,
    /// Integers; floats IEEE 754-2019 `maximum`.
    Max,
    /// Bitwise; `bool` too.
    And,
    /// Bitwise; `bool` too.
    Or,
    /// Bitwise; `bool` too.
    Xor,
    /// Left shift, amount taken modulo the width.
    Shl,
    /// Right shift, arithmetic for signed, amount modulo the width.
    Shr,
    /// Left rotation, amount modulo the width.
    RotateLeft,
    /// Upper half of the double-width product.
    MulHi,
    /// Magnitude of the first, sign of the second; NaN canonical.
    CopySign,
    /// `i64` only: saturating, for size arithmetic.
    AddSat,
    /// `i64` only: saturating, for size arithmetic.
    SubSat,
    /// `i64` only: saturating, for size arithmetic.
    MulSat,
}

/// Comparisons, result `bool` (or a vector of `bool`). Ordered on floats except `Ne`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`, true when a NaN is involved.
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// How a combining region may be associated (`docs/semantics.md`, "Reductions have one order").
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Order {
    /// 64 lanes in blocks of 4096, then the halving tree.
    Lanes,
    /// Adjacent pairs, level by level.
    Pairs,
    /// Any order gives the same bits (the author of the operation guarantees it).
    Free,
}

/// What `reduce` and `scatter` combine with.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ReduceKind {
    /// `sum` of numbers, lanes order for floats.
    Sum,
    /// `prod` of numbers, lanes order for floats.
    Prod,
    /// Order-free minimum; of nothing: the type's largest value (+inf for floats). Sources check first.
    Min,
    /// Order-free maximum; of nothing: the type's least value (−inf for floats). Sources check first.
    Max,
    /// Logical or.
    Any,
    /// Logical and.
    All,
    /// The op's combining region, in this order.
    Combine(Order),
}

/// How the iterations of a loop-level `for` may run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum ForKind {
    /// In order.
    Serial,
    /// Independent: any order, any thread; carries nothing.
    Parallel,
    /// Independent: one iteration per GPU thread of the grid.
    Grid,
    /// Independent, on one thread: so many neighbours at a time when `vectorise` can.
    Lanes(u16),
}

/// An operation: its code and its attributes. Operands, regions and results are in `OpData`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Opcode {
    // ---- scalar operations, both levels (also lane-wise on loop-level vectors) ----
    /// `() -> s`
    Const(Const),
    /// `(s) -> s`
    Unary(UnaryOp),
    /// `(s, s) -> s`
    Binary(BinaryOp),
    /// `(s, s) -> bool`
    Compare(CompareOp),
    /// `(bool, t, t) -> t`: scalars (or vectors); both sides are evaluated.
    Select,
    /// `(s, s, s) -> s`: `a * b + c` with one rounding; `f32`, `f64`; wrapping for integers.
    Fma,
    /// `(s) -> to`: numeric conversion (`as`).
    Convert(Scalar),
    /// `(s) -> to`: same width, same bits.
    Bitcast(Scalar),

    // ---- control, both levels ----
    /// `(bool) {then} {else} -> results`: each region yields the results.
    If,
    /// `(init…) {cond} {body} -> carried`: `cond` takes the carried values and yields one `bool`;
    /// `body` takes them and yields the next.
    While,
    /// `(bool, note…)`: stops the kernel at this site when false. Notes are values for the message.
    Check {
        /// Index into the site table of the driver.
        site: u32,
    },
    /// `(arg…) -> results`.
    Call(FuncId),
    /// Ends a region: gives its values to the op that owns it.
    Yield,
    /// Ends a function's body.
    Return,

    /// Array level: `(size…) -> array`; loop level: `() -> buffer` that is only read. A table of constants,
    /// row-major; the sizes' product is the number of elements.
    Data {
        /// Element type.
        elem: Scalar,
        /// The bits of each element, zero-extended.
        bits: Vec<u64>,
    },

    // ---- array level ----
    /// `(size × rank) {body(i…) -> e…} -> arrays`: one array per yielded value; a yielded array
    /// adds its own sizes after the domain's.
    Build {
        /// Number of domain axes, ≥ 1.
        rank: u32,
    },
    /// `(array, i…) -> scalar`: one element; subscripts are in range (a `check` came before).
    Index,
    /// `(n, empty…) {body(k) -> [present,] e…} [{combine(a…, b…) -> c…}] -> scalars`.
    Reduce {
        /// What combines.
        kind: ReduceKind,
        /// The body's first yielded value says whether the element is there.
        masked: bool,
    },
    /// `(size × rank) {body(k…) -> a, b} -> scalar`: strict inner product over the flattened domain.
    Dot {
        /// Number of domain axes, ≥ 1.
        rank: u32,
    },
    /// `(size × rank, zero…) {body(k…) -> e…} {step(acc…, e…) -> acc…} {join(p…, q…) -> r…} -> scalars`:
    /// `dot` for other types: chains of `step` in runs of 512, runs joined from the left.
    DotBy {
        /// Number of domain axes, ≥ 1.
        rank: u32,
    },
    /// `(n, init…) {body(k) -> e…} {combine(a…, b…) -> c…} -> arrays`.
    Scan {
        /// `exscan`: position i holds what precedes it, starting with `init`.
        exclusive: bool,
    },
    /// `(n, init…) {body(i, carried…) -> carried…} -> carried`: i = 0 … n−1 in order.
    Loop,
    /// `(n, dest…) {body(k) -> [present,] index × rank, e…} [{combine}] -> arrays`.
    Scatter {
        /// What combines.
        kind: ReduceKind,
        /// Rank of the destinations.
        rank: u32,
        /// The body's first yielded value says whether the update is there.
        masked: bool,
    },
    /// `(dest, size × rank) {body(i…) -> [present,] index…, e} -> array`: the array with these cells
    /// replaced, in row-major order of the domain (the last write wins). `rank` may be 0.
    Update {
        /// Number of domain axes, ≥ 0.
        rank: u32,
        /// The body's first yielded value says whether the write happens.
        masked: bool,
    },
    /// `(array, size…) -> array`: same elements in row-major order, other sizes of equal product.
    Reshape,
    /// `(array, size…) -> array`: same shape under other size values (proved or checked equal). Free.
    Resize,

    // ---- loop level ----
    /// `(count) -> buffer`: fresh memory; ends the kernel with "out of memory" when there is none.
    Alloc(Scalar),
    /// `() -> buffer`: `len` elements of scratch, private to this execution of its block.
    Stack {
        /// Element type.
        elem: Scalar,
        /// Number of elements.
        len: u32,
    },
    /// `(buffer)`: gives back what `Alloc` gave.
    Free,
    /// `(count) -> buffer`: memory of the entry's result number `index` (counted over array results).
    Output {
        /// Which array result.
        index: u32,
        /// Its element type.
        elem: Scalar,
    },
    /// `(buffer, offset) -> buffer`: the same memory from an element offset on.
    Offset,
    /// `(buffer, offset) -> s`: reads an element, or consecutive ones when the result is a vector.
    Load,
    /// `(buffer, offset, s)`: writes an element or a vector.
    Store,
    /// `(buffer, offset, vector, bool)`: writes a vector; if the truth value is true, nobody reads it soon and caches
    /// need not keep it.
    Stream,
    /// `(dest, source, count)`: moves elements between buffers that do not overlap.
    Copy,
    /// `(lo, hi, step, init…) {body(i, carried…) -> carried…} -> carried`: i = lo, lo + step … < hi, step > 0.
    For(ForKind),
    /// `() {body} -> results`: `Break` leaves it with the results; the end of the body too.
    Block,
    /// `(init…) {body(carried…) -> carried…} -> results`: for ever, until a `Break`.
    Forever,
    /// `(value…)`: leaves this many enclosing `Block`/`Forever` regions plus one.
    Break(u32),
    /// `(value…)`: next round of the `Forever` this many levels out.
    Continue(u32),
    /// `(s) -> vector`: every lane the same.
    Splat(u16),
    /// `() -> vector`: 0, 1, 2, …
    Iota {
        /// Lane type, an integer.
        elem: Scalar,
        /// Number of lanes.
        lanes: u16,
    },
    /// `(vector) -> s`: one lane.
    Extract(u16),
    /// `(vector, s) -> vector`: one lane replaced.
    Insert(u16),
    /// `(vector, vector) -> vector`: lanes picked from both, numbered one after the other.
    Shuffle(Vec<u16>),
    /// `(buffer, offset, mask) -> vector`: elements where the mask is true, zero elsewhere. `offset`: that of
    /// lane 0, the others follow; or a vector, each lane its own.
    LoadLanes,
    /// `(buffer, offset, mask, vector)`: writes the lanes where the mask is true, lane 0 first.
    StoreLanes,
    /// `(bools) -> bool`: whether any lane is true.
    AnyLane,
    /// `(bools) -> bool`: whether all lanes are true.
    AllLanes,
    /// `()`: all threads of a GPU block meet here.
    Barrier,
    /// `()` before a nest, `(flops, bytes)` behind it: tells whoever profiles the call. Only where that was asked for.
    Probe {
        /// The number of the nest's operation in the array IR it was lowered from.
        nest: u32,
        /// Behind the nest; the operands, `i64`s, are what it computed and moved, −1 where that is not known.
        leave: bool,
    },
}
