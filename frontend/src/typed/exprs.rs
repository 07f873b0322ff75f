//! Expressions, statements and blocks. Scalar operations are the IR's; everything on whole arrays
//! has become `Build`, reductions and updates with explicit subscripts.

use super::{FuncId, Local, SiteId, Size, Type};
use we3_ir::Schedule;
use we3_ir::op::{BinaryOp, CompareOp, Order, UnaryOp};
use we3_ir::span::Span;

pub use we3_ir::op::Const;

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Which expression.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// Where it came from.
    pub span: Span,
}

/// The expressions there are. Operands are evaluated left to right, each once.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A scalar.
    Const(Const),
    /// The value of a variable at this moment.
    Local(Local),
    /// The value of a size (`i64`); computed with `add_sat`, `sub_sat`, `mul_sat`.
    Size(Size),
    /// The present size of an axis of an open variable (`LocalInfo::open`).
    Len(Local, u32),

    /// A scalar operation.
    Unary(UnaryOp, Box<Expr>),
    /// A scalar operation. With a site: an integer `div` or `rem` that fails there when the divisor is 0.
    Binary(BinaryOp, Box<Expr>, Box<Expr>, Option<SiteId>),
    /// A comparison of scalars.
    Compare(CompareOp, Box<Expr>, Box<Expr>),
    /// `a * b + c` on scalars with one rounding (wrapping on integers).
    Fma(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `c`, then one of two values, both evaluated. Any type without arrays; leaf by leaf.
    Select(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A scalar to the scalar type of this expression.
    Convert(Box<Expr>),
    /// The same bits as the scalar type of this expression.
    Bitcast(Box<Expr>),

    /// A tuple or record (the type says which) from its parts in order.
    Tuple(Vec<Expr>),
    /// Part k of a tuple or record. If the base is an array of them: the array of that part
    /// (a part that is itself an array adds its axes at the end).
    Field(Box<Expr>, u32),

    /// `[a, b, …]`: the parts along a new outer axis of that length; parts are elements or arrays of equal shape.
    Array(Vec<Expr>),
    /// The array of `body` for all indices, row-major; `body` is an element or an array (which adds
    /// inner axes whose sizes are known outside).
    Build {
        /// The new axes, outermost first.
        axes: Vec<Axis>,
        /// What stands at each index.
        body: Box<Expr>,
        /// How its loops are to be arranged, if the program says so.
        schedule: Option<Box<Schedule>>,
    },
    /// One element: as many subscripts as the base has axes.
    Index {
        /// The array.
        base: Box<Expr>,
        /// One per axis.
        subs: Vec<Sub>,
    },
    /// The same elements in row-major order under the sizes of this expression's type (their products are equal).
    Reshape(Box<Expr>),

    /// One axis reduced. `body` is evaluated only where `mask` holds.
    Reduce {
        /// How elements combine.
        op: ReduceOp,
        /// The axis.
        axis: LoopAxis,
        /// Which elements are there; `None`: all.
        mask: Option<Box<Expr>>,
        /// The element.
        body: Box<Expr>,
    },
    /// Strict inner product of two scalars (`f32`, `f64`, integers) over a rectangular domain.
    Dot {
        /// The axes, outermost first.
        axes: Vec<LoopAxis>,
        /// The left factor.
        a: Box<Expr>,
        /// The right factor.
        b: Box<Expr>,
    },
    /// The same for other types: chains of `step` from `zero` in runs of 512, runs joined from the left.
    DotBy {
        /// The axes, outermost first.
        axes: Vec<LoopAxis>,
        /// Where a chain starts; evaluated before.
        zero: Box<Expr>,
        /// What each index gives (of the type of `step.elem`).
        body: Box<Expr>,
        /// The next accumulator.
        step: Step,
        /// Joins two chains.
        join: Combine,
    },
    /// Prefix results along one axis; an array of that size.
    Scan {
        /// Position i holds what precedes it.
        exclusive: bool,
        /// The axis.
        axis: Axis,
        /// Combined with every prefix from the left.
        init: Box<Expr>,
        /// The element.
        body: Box<Expr>,
        /// Combines two.
        combine: Combine,
    },
    /// `dest` with `op(cell, tree of the cell's updates in index order)` in every cell that has some.
    Scatter {
        /// How updates combine with each other and with the cell.
        op: ScatterOp,
        /// The array before.
        dest: Box<Expr>,
        /// The axis updates run over.
        axis: LoopAxis,
        /// Which updates are there; subscripts and value are evaluated only for these.
        mask: Option<Box<Expr>>,
        /// What is bound before both subscripts and value, for each update.
        prelude: Vec<Stmt>,
        /// Where it goes: one subscript per axis of `dest`.
        subs: Vec<Sub>,
        /// What arrives; of the element type of `dest`.
        value: Box<Expr>,
    },
    /// `dest` with cells replaced, in row-major order of the domain, the last write wins. No axes: one cell.
    Update {
        /// The array before.
        dest: Box<Expr>,
        /// The domain; may be empty.
        axes: Vec<LoopAxis>,
        /// Which writes happen; subscripts and value are evaluated only for these.
        mask: Option<Box<Expr>>,
        /// What is bound before both subscripts and value, for each write.
        prelude: Vec<Stmt>,
        /// Where it goes: one subscript per axis of `dest`.
        subs: Vec<Sub>,
        /// What is written; of the element type of `dest`.
        value: Box<Expr>,
    },

    /// Only one arm is evaluated. An arm whose block has no value though this expression's type is
    /// not `()` does not reach its end (it returns, breaks or continues).
    If {
        /// A `bool`.
        cond: Box<Expr>,
        /// Its value if it holds.
        then: Box<Block>,
        /// Its value otherwise.
        otherwise: Box<Block>,
    },
    /// Statements, then a value.
    Block(Box<Block>),
    /// `func(sizes…, args…)`.
    Call {
        /// Which function.
        func: FuncId,
        /// Values of its leading size parameters.
        sizes: Vec<Size>,
        /// Its other arguments.
        args: Vec<Expr>,
        /// Variables that take its leading `i64` results (`Func::fresh` many).
        fresh: Vec<Local>,
    },

    /// Only inside the checker: something decided when all types are known, by number.
    Pending(u32, Vec<Expr>),
    /// Only inside the checker: something was wrong and has been reported.
    Error,
}

/// A new axis: `index` runs from 0 to `size` − 1 (the size is ≥ 0).
#[derive(Clone, Debug)]
pub struct Axis {
    /// The `i64` variable.
    pub index: Local,
    /// Its number of values.
    pub size: Size,
}

/// An axis that becomes no size of a type: `index` runs from 0 to `count` − 1 (none if `count` ≤ 0).
#[derive(Clone, Debug)]
pub struct LoopAxis {
    /// The `i64` variable.
    pub index: Local,
    /// Its number of values (`i64`), evaluated before; may be negative.
    pub count: Box<Expr>,
}

/// A subscript.
#[derive(Clone, Debug)]
pub struct Sub {
    /// An `i64`.
    pub index: Expr,
    /// Where to fail unless 0 ≤ index < size (notes: index, size); `None`: it is in range.
    pub site: Option<SiteId>,
}

/// How a reduction combines.
#[derive(Clone, Debug)]
pub enum ReduceOp {
    /// Of numbers; +0 if nothing is there. Halves are widened before and rounded after by the checker.
    Sum,
    /// Of numbers; 1 if nothing is there.
    Prod,
    /// Of scalars, in the order of `min`; that something is there has been checked.
    Min,
    /// Of scalars, in the order of `max`; that something is there has been checked.
    Max,
    /// Of `bool`.
    Any,
    /// Of `bool`.
    All,
    /// By an expression.
    Combine {
        /// The shape of the tree.
        order: Order,
        /// The value if nothing is there; evaluated before.
        empty: Box<Expr>,
        /// Combines two elements.
        combine: Combine,
    },
}

/// How updates of a scatter combine.
#[derive(Clone, Debug)]
pub enum ScatterOp {
    /// `+` on scalars.
    Sum,
    /// `*` on scalars.
    Prod,
    /// `min` on scalars.
    Min,
    /// `max` on scalars.
    Max,
    /// By an expression.
    Combine {
        /// The shape of the tree.
        order: Order,
        /// Combines two elements (the cell is on the left).
        combine: Combine,
    },
}

/// `|a, b| body` where all three have one type.
#[derive(Clone, Debug)]
pub struct Combine {
    /// The left one.
    pub a: Local,
    /// The right one.
    pub b: Local,
    /// Their combination; may use variables from around it.
    pub body: Box<Expr>,
}

/// `|acc, elem| body`.
#[derive(Clone, Debug)]
pub struct Step {
    /// The accumulator.
    pub acc: Local,
    /// The element.
    pub elem: Local,
    /// The next accumulator.
    pub body: Box<Expr>,
}

/// Statements and a value.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// The value; `None`: `()`, or the end is not reached.
    pub value: Option<Box<Expr>>,
}

/// A statement.
#[derive(Clone, Debug)]
pub struct Stmt {
    /// Which statement.
    pub kind: StmtKind,
    /// Where it came from.
    pub span: Span,
}

/// The statements there are.
#[derive(Clone, Debug)]
pub enum StmtKind {
    /// Binds a variable. Its name stays known to the end of the region (see `docs/typed-tree.md`).
    Let(Local, Expr),
    /// Replaces a mutable variable, or the part of it that the path of fields names (a field of an
    /// array of records: the whole array of that field).
    Assign {
        /// Which variable.
        local: Local,
        /// Fields, outermost first; empty: all of it.
        path: Vec<u32>,
        /// The new value.
        value: Expr,
    },
    /// Evaluated for its checks and calls; the value is dropped.
    Expr(Expr),
    /// Fails at the site when the condition is false. The notes (`i64`) go into the message.
    Check {
        /// What must hold.
        cond: Expr,
        /// Where and why it fails.
        site: SiteId,
        /// Numbers for the message.
        notes: Vec<Expr>,
    },
    /// In order, `index` from 0 to `count` − 1.
    For {
        /// The counter.
        axis: LoopAxis,
        /// What is repeated; its `value` is `None`.
        body: Block,
    },
    /// Repeated while the condition, evaluated before every round, holds.
    While {
        /// The condition.
        cond: Expr,
        /// What is repeated; its `value` is `None`.
        body: Block,
    },
    /// Leaves the innermost `For` or `While`.
    Break,
    /// Next round of the innermost `For` or `While`.
    Continue,
    /// Leaves the function.
    Return(Returned),
}

/// What a function returns.
#[derive(Clone, Debug)]
pub struct Returned {
    /// The values of `Atom::Fresh(0..)`; may mention variables that `value` binds.
    pub fresh: Vec<Size>,
    /// The value.
    pub value: Expr,
}

/// The value of an integer constant, sign-extended; the bits of any other.
pub fn const_as_i64(value: Const) -> i64 {
    let unused = 64 - value.ty.bits();
    if value.ty.is_signed_int() { ((value.bits << unused) as i64) >> unused } else { value.bits as i64 }
}
