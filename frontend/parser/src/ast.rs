//! The syntax tree as plain data: what was written, nothing resolved, every node with its span.
//! Shapes the grammar cannot promise (places, string positions) were checked before a node is made.
//! Depth is bounded (`MAX_DEPTH`), so recursion over a tree needs no guard.

mod exprs;
mod items;
mod stmts;
mod types;
mod walk;

pub use exprs::{
    Arg, BinOp, Binder, Expr, ExprKind, FieldInit, FieldName, FloatLit, ForClause, IntLit, LambdaParam,
    Range, Source, Subscript, UnOp,
};
pub use items::{
    AssocItem, AssocKind, Attr, BenchItem, ConstItem, Doc, FieldDef, FnBody, FnItem, ImplItem, Item,
    ItemKind, Module, Param, StructItem, TestInput, TestInputKind, TestItem, TraitItem, TypeAlias, UseKind,
    UseTree,
};
pub use stmts::{Block, Pattern, PatternKind, Place, PlaceKind, PlaceStep, Stmt, StmtKind};
pub use types::{
    GenericArg, GenericParam, GenericParamKind, Generics, Path, PathSegment, Size, Type, TypeKind,
};
pub use walk::{Child, Visit};

use we3_ir::span::Span;

/// The deepest chain of nodes a tree may have; what is deeper became an error node.
pub const MAX_DEPTH: u32 = 400;

/// An identifier as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The characters.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A string literal with its escapes resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrLit {
    /// The characters it stands for.
    pub text: String,
    /// The literal with its quotes.
    pub span: Span,
}
