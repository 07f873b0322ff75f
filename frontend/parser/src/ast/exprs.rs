//! Expressions and the `for` clauses inside them.

use super::{Attr, Block, Name, Path, Pattern, StrLit, Type};
use we3_ir::span::Span;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// Which expression.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
    pub(crate) depth: u32,
}

impl Expr {
    /// The expression inside any parentheses around it.
    pub fn without_parens(&self) -> &Expr {
        let mut expr = self;
        while let ExprKind::Paren(inner) = &expr.kind {
            expr = inner;
        }
        expr
    }

    /// The name, if the expression is nothing but one name.
    pub fn as_name(&self) -> Option<&Name> {
        if let ExprKind::Path(path) = &self.kind { path.as_name() } else { None }
    }
}

/// The expressions there are.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `42`, `0xff`, `1u8`
    Int(IntLit),
    /// `1.5e-3`, `0x1.8p3`, `2.0f32`
    Float(FloatLit),
    /// `true`, `false`
    Bool(bool),
    /// `"text"`; only inside attributes.
    Str(StrLit),
    /// A name, perhaps with modules, types and generic arguments before or after it.
    Path(Path),
    /// A bare operator as an argument: the `+` of `reduce(+, 0, x)`.
    Operator(BinOp),
    /// `-x`, `!x`
    Unary {
        /// Which operator.
        op: UnOp,
        /// Where the operator stands.
        op_span: Span,
        /// What it applies to.
        operand: Box<Expr>,
    },
    /// `a + b`
    Binary {
        /// Which operator.
        op: BinOp,
        /// Where the operator stands.
        op_span: Span,
        /// The left operand.
        lhs: Box<Expr>,
        /// The right operand.
        rhs: Box<Expr>,
    },
    /// `e as T`
    Cast {
        /// What is converted.
        value: Box<Expr>,
        /// What it becomes; always a path without generic arguments.
        ty: Type,
    },
    /// `f(a, axis = 1)`, `sum(e for i)`
    Call {
        /// What is called.
        callee: Box<Expr>,
        /// The arguments in order.
        args: Vec<Arg>,
        /// The clause after the last argument.
        clause: Option<Box<ForClause>>,
    },
    /// `x.f`, `x.0`
    Field {
        /// The record or tuple.
        base: Box<Expr>,
        /// Which part.
        field: FieldName,
    },
    /// `x[i, lo..hi by s, ..]`
    Index {
        /// The array.
        base: Box<Expr>,
        /// One for each axis given; never empty.
        subscripts: Vec<Subscript>,
    },
    /// `(e)`, kept as written; it means `e`.
    Paren(Box<Expr>),
    /// `(a, b)`; `()` has no parts, `(a,)` has one.
    Tuple(Vec<Expr>),
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `[e for i, j in 0..n if c]`
    Comprehension {
        /// The attributes before its `[`.
        attrs: Vec<Attr>,
        /// The element.
        body: Box<Expr>,
        /// What it runs over.
        clause: Box<ForClause>,
    },
    /// `S { f: e, ..old }`
    Record {
        /// The type.
        path: Path,
        /// The fields given.
        fields: Vec<FieldInit>,
        /// The record that gives the others.
        base: Option<Box<Expr>>,
    },
    /// `if c { a } else { b }`
    If {
        /// The condition.
        cond: Box<Expr>,
        /// Its value if the condition holds.
        then: Box<Block>,
        /// Its value otherwise: a block or another `if`.
        otherwise: Option<Box<Expr>>,
    },
    /// `{ s; e }`
    Block(Box<Block>),
    /// `|x, y| e`
    Lambda {
        /// What it takes.
        params: Vec<LambdaParam>,
        /// What it gives.
        body: Box<Expr>,
    },
    /// `precompute e`
    Precompute(Box<Expr>),
    /// Something that did not parse; it was reported.
    Error,
}

/// An integer literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntLit {
    /// Its value; a larger one was reported.
    pub value: u128,
    /// The type written after it, one of the numeric scalars' names.
    pub suffix: Option<Name>,
}

/// A float literal. It is kept as text, because it is rounded once, to the type it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FloatLit {
    /// Its digits without `_` and suffix: `1.5e-3` or `0x1.8p3`.
    pub text: String,
    /// The type written after it, one of the float scalars' names.
    pub suffix: Option<Name>,
}

/// An argument of a call or an attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The name before `=`.
    pub name: Option<Name>,
    /// What is given.
    pub value: Expr,
    /// All of it.
    pub span: Span,
}

/// What stands after a `.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldName {
    /// `.f`
    Named(Name),
    /// `.0`
    Index {
        /// Which part of a tuple.
        index: u32,
        /// The number.
        span: Span,
    },
}

impl FieldName {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            FieldName::Named(name) => name.span,
            FieldName::Index { span, .. } => *span,
        }
    }
}

/// One field of a record literal.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldInit {
    /// Which field.
    pub name: Name,
    /// Its value; for the short form `S { f }` the path `f`.
    pub value: Expr,
    /// Whether the short form was written.
    pub short: bool,
    /// All of it.
    pub span: Span,
}

/// One parameter of a lambda.
#[derive(Clone, Debug, PartialEq)]
pub struct LambdaParam {
    /// What it binds.
    pub pattern: Pattern,
    /// The type, if written.
    pub ty: Option<Type>,
    /// All of it.
    pub span: Span,
}

/// What stands between the commas of `x[…]`.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few, and a box would be in every reader's way")]
pub enum Subscript {
    /// `i`
    At(Expr),
    /// `lo..hi by s`, each part optional.
    Slice {
        /// The first index.
        lo: Option<Expr>,
        /// One past the last index.
        hi: Option<Expr>,
        /// The step.
        step: Option<Expr>,
        /// All of it.
        span: Span,
    },
}

impl Subscript {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Subscript::At(expr) => expr.span,
            Subscript::Slice { span, .. } => *span,
        }
    }
}

/// `for i, j in 0..n, v in xs if c`.
#[derive(Clone, Debug, PartialEq)]
pub struct ForClause {
    /// The binders, left to right; never empty.
    pub binders: Vec<Binder>,
    /// The condition after `if`.
    pub filter: Option<Expr>,
    /// From `for` to its end.
    pub span: Span,
}

/// One binder with its own `in`.
#[derive(Clone, Debug, PartialEq)]
pub struct Binder {
    /// What it binds.
    pub pattern: Pattern,
    /// What it runs over; `None`: inferred from the body.
    pub source: Option<Source>,
    /// All of it.
    pub span: Span,
}

/// What stands after `in`.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few, and a box would be in every reader's way")]
pub enum Source {
    /// `lo..hi by s`, `rev(lo..hi)`
    Range(Range),
    /// An array, whose elements along the outer axis are taken.
    Values(Expr),
}

/// A range of integers.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// The first.
    pub lo: Expr,
    /// One past the last.
    pub hi: Expr,
    /// The step.
    pub step: Option<Expr>,
    /// Whether it stands in `rev(…)`.
    pub reversed: bool,
    /// All of it.
    pub span: Span,
}

/// A prefix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnOp {
    /// `-`
    Neg,
    /// `!`
    Not,
}

impl UnOp {
    /// As written.
    pub const fn symbol(self) -> &'static str {
        match self {
            UnOp::Neg => "-",
            UnOp::Not => "!",
        }
    }
}

/// An infix operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BinOp {
    /// `||`
    Or,
    /// `&&`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `&`
    BitAnd,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `@`
    MatMul,
}

impl BinOp {
    /// As written.
    pub const fn symbol(self) -> &'static str {
        match self {
            BinOp::Or => "||",
            BinOp::And => "&&",
            BinOp::Eq => "==",
            BinOp::Ne => "!=",
            BinOp::Lt => "<",
            BinOp::Le => "<=",
            BinOp::Gt => ">",
            BinOp::Ge => ">=",
            BinOp::BitOr => "|",
            BinOp::BitXor => "^",
            BinOp::BitAnd => "&",
            BinOp::Shl => "<<",
            BinOp::Shr => ">>",
            BinOp::Add => "+",
            BinOp::Sub => "-",
            BinOp::Mul => "*",
            BinOp::Div => "/",
            BinOp::Rem => "%",
            BinOp::MatMul => "@",
        }
    }
}
