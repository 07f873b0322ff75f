//! Paths, types, sizes and generics.

use super::{Expr, Name};
use we3_ir::span::Span;

/// `a::b::<T>::c` in an expression, `a::B<T>` in a type.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Its parts; never empty.
    pub segments: Vec<PathSegment>,
    /// All of it.
    pub span: Span,
    pub(crate) depth: u32,
}

impl Path {
    /// The name, if the path is nothing but one name.
    pub fn as_name(&self) -> Option<&Name> {
        match self.segments.as_slice() {
            [only] if only.args.is_none() => Some(&only.name),
            _ => None,
        }
    }
}

/// One part of a path.
#[derive(Clone, Debug, PartialEq)]
pub struct PathSegment {
    /// The name.
    pub name: Name,
    /// What stands between `<` and `>`, if they do.
    pub args: Option<Vec<GenericArg>>,
    /// Name and arguments.
    pub span: Span,
}

/// What may stand between `<` and `>` at a use.
#[derive(Clone, Debug, PartialEq)]
pub enum GenericArg {
    /// A path that may name a type, a size or a constant; resolving decides (`f32`, `n`, `Mod<7>`).
    Path(Path),
    /// What can only be a type: arrays, tuples, functions.
    Type(Type),
    /// What can only be a size or a constant: `7`, `2 * n`, `?k`, `?`.
    Size(Size),
}

impl GenericArg {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            GenericArg::Path(path) => path.span,
            GenericArg::Type(ty) => ty.span,
            GenericArg::Size(size) => size.span(),
        }
    }
}

/// `<T: Float, size n, const P: u64>`; empty where nothing was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Generics {
    /// The parameters in order.
    pub params: Vec<GenericParam>,
    /// From `<` to `>`; empty where nothing was written.
    pub span: Span,
}

/// One generic parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct GenericParam {
    /// What it is called.
    pub name: Name,
    /// What it ranges over.
    pub kind: GenericParamKind,
    /// All of it.
    pub span: Span,
}

/// What a generic parameter ranges over.
#[derive(Clone, Debug, PartialEq)]
pub enum GenericParamKind {
    /// `T` or `T: A + B`: types.
    Type {
        /// The traits it must have.
        bounds: Vec<Path>,
    },
    /// `size n`: sizes.
    Size,
    /// `const P: u64`: values of a type.
    Const {
        /// The type.
        ty: Type,
    },
}

/// A type as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    /// Which type.
    pub kind: TypeKind,
    /// Where it stands.
    pub span: Span,
    pub(crate) depth: u32,
}

/// The types there are.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// A scalar (`f32` is a name like any other here), a type parameter, a record, an alias.
    Path(Path),
    /// `T[n, 2 * m, ?k, ?]`
    Array {
        /// What it holds.
        elem: Box<Type>,
        /// The size of each axis; never empty.
        sizes: Vec<Size>,
    },
    /// `(A, B)`; `()` has no parts, one part does not occur.
    Tuple(Vec<Type>),
    /// `fn(A, B) -> C`
    Fn {
        /// What it takes.
        params: Vec<Type>,
        /// What it gives.
        result: Box<Type>,
    },
    /// Something that did not parse; it was reported.
    Error,
}

/// The size of one axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Size {
    /// `n`, `2 * n + 1`, `len(x)`: any expression; what the prover cannot read is opaque to it.
    Expr(Expr),
    /// `?k`: a new size, known after the call.
    Fresh {
        /// What it is called.
        name: Name,
        /// With its `?`.
        span: Span,
    },
    /// `?`: a size that may change.
    Open(Span),
}

impl Size {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Size::Expr(expr) => expr.span,
            Size::Fresh { span, .. } | Size::Open(span) => *span,
        }
    }
}
