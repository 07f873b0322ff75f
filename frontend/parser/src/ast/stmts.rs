//! Statements, blocks, patterns and places.

use super::{Attr, BinOp, Expr, FieldName, ForClause, Name, StrLit, Subscript, Type};
use we3_ir::span::Span;

/// `{ s; s; e }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The attributes before its `{`.
    pub attrs: Vec<Attr>,
    /// What is done.
    pub stmts: Vec<Stmt>,
    /// Its value: the last expression, if no `;` follows it.
    pub value: Option<Box<Expr>>,
    /// From `{` to `}`.
    pub span: Span,
}

/// A statement with the attributes before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stmt {
    /// Its attributes (only `let`, `for` and `while` have any).
    pub attrs: Vec<Attr>,
    /// Which statement.
    pub kind: StmtKind,
    /// With its `;`, without its attributes.
    pub span: Span,
}

/// The statements there are. `if` and blocks are expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum StmtKind {
    /// `let p: T = e;`
    Let {
        /// What it binds.
        pattern: Pattern,
        /// The type, if written.
        ty: Option<Type>,
        /// The value.
        value: Expr,
    },
    /// `place = e;` or `place op= e;`
    Assign {
        /// What changes.
        place: Place,
        /// The operator before `=`.
        op: Option<BinOp>,
        /// The right side.
        value: Expr,
    },
    /// `while c { … }`
    While {
        /// The condition.
        cond: Expr,
        /// What is repeated.
        body: Block,
    },
    /// `for i in 0..n { … }`
    For {
        /// What it runs over.
        clause: ForClause,
        /// What is repeated.
        body: Block,
    },
    /// `break;`
    Break,
    /// `continue;`
    Continue,
    /// `return e;`
    Return(Option<Expr>),
    /// `assert(c, "message");`
    Assert {
        /// What must hold.
        cond: Expr,
        /// What to say if it does not.
        message: Option<StrLit>,
    },
    /// `e;`, or an `if` or block that stands as a statement.
    Expr(Expr),
    /// Something that did not parse; it was reported.
    Error,
}

/// What a `let`, a lambda or a `for` binds.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Which pattern.
    pub kind: PatternKind,
    /// Where it stands.
    pub span: Span,
}

impl Pattern {
    /// The name, if the pattern binds a single one.
    pub fn as_name(&self) -> Option<&Name> {
        if let PatternKind::Name { name, .. } = &self.kind { Some(name) } else { None }
    }
}

/// The patterns there are.
#[derive(Clone, Debug, PartialEq)]
pub enum PatternKind {
    /// `x` or `mut x`
    Name {
        /// Where `mut` stands, if it does.
        mutable: Option<Span>,
        /// What is bound.
        name: Name,
    },
    /// `_`
    Wildcard,
    /// `(a, b)`
    Tuple(Vec<Pattern>),
    /// Something that did not parse; it was reported.
    Error,
}

/// What an assignment changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Which place.
    pub kind: PlaceKind,
    /// Where it stands.
    pub span: Span,
}

/// The places there are.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaceKind {
    /// `x`, `x.f[i].g`
    Var {
        /// The variable.
        name: Name,
        /// The way into it, outermost first.
        steps: Vec<PlaceStep>,
    },
    /// `(a, b[i])`
    Tuple(Vec<Place>),
    /// Something that is no place; it was reported.
    Error,
}

/// One step into a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum PlaceStep {
    /// `.f` or `.0`
    Field(FieldName),
    /// `[i, lo..hi]`
    Index {
        /// One for each axis given.
        subscripts: Vec<Subscript>,
        /// From `[` to `]`.
        span: Span,
    },
}
