//! The checker of one body: its variables, scopes, regions and inference state. The parts of the
//! language stand in the files of `body/`.

mod arguments;
mod arrays;
mod builtins;
mod call;
mod clause;
mod coerce;
mod expr;
mod filtered;
mod finish;
mod flatten;
mod index;
mod infer;
mod lambda;
mod lift;
mod literal;
mod loops;
mod native;
mod newcomers;
mod open;
mod ops;
mod path;
mod place;
mod probe;
mod record;
mod reduce;
mod reduce_level;
mod reduce_more;
mod reduce_with;
mod scan;
mod schedule;
mod solve_sizes;
mod stmt;
mod type_env;

use std::collections::BTreeMap;
use std::rc::Rc;

use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::defs::*;
use super::instances::FnArg;
use super::session::Checker;
use crate::typed::{
    Atom, Const, ConstArg, Expr, ExprKind, FuncId, Local, LocalInfo, SiteId, SiteKind, Size, Stmt, StmtKind,
    Type,
};

pub use call::CallArg;
pub use coerce::Wanted;
pub use expr::ends as reaches_end;
pub use lambda::{FnVal, Target};
pub use native::is_operation;

/// What is known of a variable besides its type.
#[derive(Clone, Debug)]
pub struct LocalData {
    pub info: LocalInfo,
    /// The region it is bound in.
    pub depth: u32,
    /// An immutable `i64` whose value is this size.
    pub size: Option<Size>,
    /// Its value, if known at compile time.
    pub constant: Option<Const>,
    /// An index: 0 ≤ value < this.
    pub below: Option<Size>,
    /// Known to be ≥ 0.
    pub nonneg: bool,
    pub used: bool,
    pub assigned: bool,
    /// Made by the checker.
    pub hidden: bool,
    /// `let mut x: T[?]`, `let mut s: Series<?>`: its type, apart from the sizes of the moment.
    pub open: Option<Rc<open::OpenType>>,
}

/// A name in scope.
#[derive(Clone)]
pub struct Binding<'a> {
    pub name: String,
    pub kind: BindingKind<'a>,
}

/// What a name in scope is.
#[derive(Clone)]
pub enum BindingKind<'a> {
    Local(Local),
    Fn(Rc<FnVal<'a>>),
}

/// Why control may not leave, or where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Around {
    /// A loop statement.
    Loop,
    /// The element of an array form or a reduction.
    ArrayForm,
}

/// What the function returns.
pub struct ResultSpec {
    pub ty: Type,
    pub span: Span,
    pub fresh: u32,
    /// A lambda: the first value decides.
    pub inferred: bool,
    /// What some of the fresh sizes must be.
    pub opaque: Vec<(u32, Size)>,
}

/// A type variable.
#[derive(Clone, Debug)]
pub struct Var {
    pub kind: VarKind,
    pub value: Option<Type>,
    pub span: Span,
}

/// What a type variable may become.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum VarKind {
    Any,
    /// An unsuffixed integer literal.
    Int,
    /// An unsuffixed float literal.
    Float,
}

/// Something decided when all types are known.
#[derive(Clone, Debug)]
pub enum Pending {
    Literal(literal::Literal),
    /// A function of a trait on this type; `None`: of whichever trait of the prelude has it.
    TraitFn {
        of: Option<TraitId>,
        name: String,
        self_ty: Type,
    },
    /// A constant of a trait for this type.
    TraitConst {
        of: Option<TraitId>,
        name: String,
        self_ty: Type,
    },
    Call(PendingCall),
}

/// A call of an instance that is requested when all types are known.
#[derive(Clone, Debug)]
pub struct PendingCall {
    pub id: FnId,
    pub types: Vec<Type>,
    pub consts: Vec<ConstArg>,
    /// Function arguments, in order; lambdas checked here.
    pub fns: Vec<PendingFn>,
    pub sizes: Vec<Size>,
    pub fresh: Vec<Local>,
}

/// A lambda given to a pending call; its function is made when types are known.
#[derive(Clone, Debug)]
pub struct PendingFn {
    pub params: Vec<Local>,
    pub body: Box<Expr>,
    pub fresh: u32,
    pub result: Type,
    pub returned: Vec<Size>,
    pub commutative: bool,
}

/// The checker of one body.
pub struct Body<'c, 'a, 's> {
    pub cx: &'c mut Checker<'a, 's>,
    pub module: ModuleId,
    pub generics: Rc<Generics>,
    pub types: Vec<Type>,
    pub consts: Vec<ConstArg>,
    pub self_ty: Option<Type>,
    /// Checked for its errors only, type parameters opaque.
    pub abstract_mode: bool,
    pub vars: Vec<Var>,
    pub locals: Vec<LocalData>,
    pub scopes: Vec<Binding<'a>>,
    pub pending: Vec<Pending>,
    /// Bounds to verify when types are known.
    pub obligations: Vec<(Type, TraitId, Span)>,
    pub result: ResultSpec,
    pub depth: u32,
    pub around: Vec<(Around, u32)>,
    /// Equalities that have been checked: the atom is this size.
    pub facts: Vec<(Atom, Size)>,
    /// Sizes of records that no field has, with what was found for each.
    pub holes: Vec<(Local, Option<Size>)>,
    /// Present sizes of open variables.
    pub open_sizes: BTreeMap<Local, Vec<Size>>,
    /// The instance this body belongs to, for the depth of instantiation.
    pub origin: u32,
    /// Errors reported before this body.
    pub errors_before: u32,
    /// Binders of the array form whose ranges are being read: not known in them.
    pub binders_beside: Vec<&'a ast::Name>,
    /// Instances of function parameters given to this body.
    pub fn_args: Vec<FnArg>,
    /// `let`-bound lambdas being applied, to stop recursion.
    pub applying: u32,
    /// How many have been applied here.
    pub applied: u32,
    /// Expressions being checked inside each other.
    pub nested: u32,
    /// Statements that sizes of a type being read need before it.
    pub type_pre: Vec<Stmt>,
    /// What stands for each `?` of the `let mut` whose type is being read.
    pub marks: Option<Vec<Local>>,
}

impl<'a, 's> Body<'_, 'a, 's> {
    /// A new variable in the present region.
    pub fn new_local(&mut self, name: &str, ty: Type, span: Span) -> Local {
        let local = Local(self.locals.len() as u32);
        self.locals.push(LocalData {
            info: LocalInfo { name: name.to_owned(), ty, mutable: false, open: false, span },
            depth: self.depth,
            size: None,
            constant: None,
            below: None,
            nonneg: false,
            used: false,
            assigned: false,
            hidden: false,
            open: None,
        });
        local
    }

    /// A hidden `i64` that is ≥ 0.
    pub fn hidden_index(&mut self, name: &str, below: Option<Size>, span: Span) -> Local {
        let local = self.new_local(name, Type::I64, span);
        let data = self.local_mut(local);
        data.below = below;
        data.nonneg = true;
        data.hidden = true;
        local
    }

    pub fn local(&self, local: Local) -> &LocalData {
        &self.locals[local.0 as usize]
    }

    pub fn local_mut(&mut self, local: Local) -> &mut LocalData {
        &mut self.locals[local.0 as usize]
    }

    /// Makes a variable known by its name.
    pub fn bind_name(&mut self, name: &str, local: Local) {
        self.scopes.push(Binding { name: name.to_owned(), kind: BindingKind::Local(local) });
    }

    /// What a name stands for in the scopes.
    pub fn lookup(&self, name: &str) -> Option<BindingKind<'a>> {
        self.scopes.iter().rev().find(|binding| binding.name == name).map(|b| b.kind.clone())
    }

    /// Runs `inner` in a region of its own.
    pub fn in_region<R>(&mut self, inner: impl FnOnce(&mut Self) -> R) -> R {
        let facts = self.facts.len();
        let open = self.open_sizes.clone();
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        self.facts.truncate(facts);
        self.open_sizes = open;
        result
    }

    /// Runs `inner` with names bound inside forgotten after.
    pub fn in_scope<R>(&mut self, inner: impl FnOnce(&mut Self) -> R) -> R {
        let names = self.scopes.len();
        let result = inner(self);
        self.scopes.truncate(names);
        result
    }

    /// A new site; abstract bodies need none.
    pub fn site(&mut self, span: Span, kind: SiteKind) -> SiteId {
        if self.abstract_mode || self.cx.quiet > 0 {
            return SiteId(0);
        }
        self.cx.site(span, kind)
    }

    /// Binds a value to a hidden variable, unless it costs nothing to repeat.
    pub fn hoist(&mut self, pre: &mut Vec<Stmt>, value: Expr, name: &str) -> Expr {
        if self.is_trivial(&value) {
            return value;
        }
        let span = value.span;
        let local = self.hoist_local(pre, value, name);
        self.read(local, span)
    }

    /// Binds a value to a hidden variable.
    pub fn hoist_local(&mut self, pre: &mut Vec<Stmt>, value: Expr, name: &str) -> Local {
        let size = self.as_size(&value);
        let local = self.new_local(name, value.ty.clone(), value.span);
        let data = self.local_mut(local);
        data.hidden = true;
        data.size = size;
        let span = value.span;
        pre.push(Stmt { kind: StmtKind::Let(local, value), span });
        local
    }

    /// The value of a variable.
    pub fn read(&mut self, local: Local, span: Span) -> Expr {
        let ty = self.local(local).info.ty.clone();
        Expr { kind: ExprKind::Local(local), ty, span }
    }

    /// Whether evaluating it twice costs nothing and gives the same.
    pub fn is_trivial(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Const(_) | ExprKind::Size(_) | ExprKind::Error => true,
            ExprKind::Local(local) => !self.local(*local).info.mutable,
            ExprKind::Field(base, _) => self.is_trivial(base),
            ExprKind::Pending(index, args) => {
                args.is_empty()
                    && matches!(
                        self.pending.get(*index as usize),
                        Some(Pending::Literal(_) | Pending::TraitConst { .. })
                    )
            }
            ExprKind::Len(..)
            | ExprKind::Unary(..)
            | ExprKind::Binary(..)
            | ExprKind::Compare(..)
            | ExprKind::Fma(..)
            | ExprKind::Select(..)
            | ExprKind::Convert(_)
            | ExprKind::Bitcast(_)
            | ExprKind::Tuple(_)
            | ExprKind::Array(_)
            | ExprKind::Build { .. }
            | ExprKind::Index { .. }
            | ExprKind::Reshape(_)
            | ExprKind::Reduce { .. }
            | ExprKind::Dot { .. }
            | ExprKind::DotBy { .. }
            | ExprKind::Scan { .. }
            | ExprKind::Scatter { .. }
            | ExprKind::Update { .. }
            | ExprKind::If { .. }
            | ExprKind::Block(_)
            | ExprKind::Call { .. } => false,
        }
    }

    /// An `i64` constant.
    pub fn int(&self, value: i64, span: Span) -> Expr {
        Expr { kind: ExprKind::Size(Size::constant(value)), ty: Type::I64, span }
    }

    /// The value of a size.
    pub fn size_expr(&self, size: Size, span: Span) -> Expr {
        Expr { kind: ExprKind::Size(size), ty: Type::I64, span }
    }

    /// What was wrong has been reported.
    pub fn error(&self, span: Span) -> Expr {
        Expr { kind: ExprKind::Error, ty: Type::Error, span }
    }

    /// `()`.
    pub fn unit(&self, span: Span) -> Expr {
        Expr { kind: ExprKind::Tuple(Vec::new()), ty: Type::UNIT, span }
    }

    /// Statements before a value.
    pub fn wrap(&self, pre: Vec<Stmt>, value: Expr) -> Expr {
        if pre.is_empty() {
            return value;
        }
        let (ty, span) = (value.ty.clone(), value.span);
        let block = crate::typed::Block { stmts: pre, value: Some(Box::new(value)) };
        Expr { kind: ExprKind::Block(Box::new(block)), ty, span }
    }

    /// A constant of a scalar type.
    pub fn constant(&self, ty: Scalar, bits: u64, span: Span) -> Expr {
        let kind = ExprKind::Const(Const { ty, bits });
        Expr { kind, ty: Type::Scalar(ty), span }
    }

    /// An instance that is being asked for is one deeper than this.
    pub fn request(
        &mut self,
        id: FnId,
        types: Vec<Type>,
        consts: Vec<ConstArg>,
        fns: Vec<FnArg>,
        span: Span,
    ) -> FuncId {
        let origin = self.origin;
        self.cx.request(id, types, consts, fns, origin, span)
    }

    /// Whether an `ast` attribute list asks for unrolling.
    pub fn wants_unroll(attrs: &[ast::Attr]) -> bool {
        Checker::has_attr(attrs, "unroll")
    }
}
