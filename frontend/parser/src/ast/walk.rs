//! From a node to the nodes directly inside it, in source order; and from there, how deep it is.

use super::{
    Arg, Attr, Block, Expr, ExprKind, ForClause, GenericArg, Path, Place, PlaceKind, PlaceStep, Size, Source,
    Stmt, StmtKind, Subscript, Type, TypeKind,
};
use we3_ir::span::Span;

/// A node directly inside another.
#[derive(Clone, Copy, Debug)]
pub enum Child<'a> {
    /// An expression.
    Expr(&'a Expr),
    /// A type.
    Type(&'a Type),
    /// A path with its generic arguments.
    Path(&'a Path),
    /// A block.
    Block(&'a Block),
}

impl Child<'_> {
    fn depth(&self) -> u32 {
        match self {
            Child::Expr(expr) => expr.depth,
            Child::Type(ty) => ty.depth,
            Child::Path(path) => path.depth,
            Child::Block(block) => block.depth(),
        }
    }
}

/// Takes one child after the other.
pub type Visit<'v, 'a> = &'v mut dyn FnMut(Child<'a>);

fn deepest<'a>(each_child: impl FnOnce(Visit<'_, 'a>)) -> u32 {
    let mut depth = 0;
    each_child(&mut |child| depth = depth.max(child.depth()));
    depth
}

impl Expr {
    /// A node of the tree.
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        let depth = 1 + deepest(|visit| each_in_expr(&kind, visit));
        Expr { kind, span, depth }
    }

    /// Calls `visit` for every expression, type, path and block directly inside.
    pub fn each_child<'a>(&'a self, visit: Visit<'_, 'a>) {
        each_in_expr(&self.kind, visit);
    }
}

impl Type {
    /// A node of the tree.
    pub fn new(kind: TypeKind, span: Span) -> Type {
        let depth = 1 + deepest(|visit| each_in_type(&kind, visit));
        Type { kind, span, depth }
    }

    /// Calls `visit` for every type, path and expression directly inside.
    pub fn each_child<'a>(&'a self, visit: Visit<'_, 'a>) {
        each_in_type(&self.kind, visit);
    }
}

impl Path {
    /// A node of the tree.
    pub fn new(segments: Vec<super::PathSegment>, span: Span) -> Path {
        let path = Path { segments, span, depth: 0 };
        let depth = 1 + deepest(|visit| path.each_child(visit));
        Path { depth, ..path }
    }

    /// Calls `visit` for everything between the path's `<` and `>`.
    pub fn each_child<'a>(&'a self, visit: Visit<'_, 'a>) {
        for arg in self.segments.iter().filter_map(|segment| segment.args.as_ref()).flatten() {
            match arg {
                GenericArg::Path(path) => visit(Child::Path(path)),
                GenericArg::Type(ty) => visit(Child::Type(ty)),
                GenericArg::Size(size) => each_in_size(size, visit),
            }
        }
    }
}

impl Block {
    /// How deep the deepest chain of nodes inside is.
    fn depth(&self) -> u32 {
        1 + deepest(|visit| self.each_child(visit))
    }

    /// Calls `visit` for every expression, type and block directly inside, through its statements.
    pub fn each_child<'a>(&'a self, visit: Visit<'_, 'a>) {
        each_in_attrs(&self.attrs, visit);
        for stmt in &self.stmts {
            stmt.each_child(visit);
        }
        if let Some(value) = &self.value {
            visit(Child::Expr(value));
        }
    }
}

impl Stmt {
    /// Calls `visit` for every expression, type and block directly inside.
    pub fn each_child<'a>(&'a self, visit: Visit<'_, 'a>) {
        each_in_attrs(&self.attrs, visit);
        self.each_child_after_attrs(visit);
    }

    /// The same without what its attributes hold.
    pub fn each_child_after_attrs<'a>(&'a self, visit: Visit<'_, 'a>) {
        match &self.kind {
            StmtKind::Let { pattern: _, ty, value } => {
                each_in_option(ty.as_ref().map(Child::Type), visit);
                visit(Child::Expr(value));
            }
            StmtKind::Assign { place, op: _, value } => {
                each_in_place(place, visit);
                visit(Child::Expr(value));
            }
            StmtKind::While { cond, body } => {
                visit(Child::Expr(cond));
                visit(Child::Block(body));
            }
            StmtKind::For { clause, body } => {
                clause.each_child(visit);
                visit(Child::Block(body));
            }
            StmtKind::Return(value) => each_in_option(value.as_ref().map(Child::Expr), visit),
            StmtKind::Assert { cond, message: _ } => visit(Child::Expr(cond)),
            StmtKind::Expr(expr) => visit(Child::Expr(expr)),
            StmtKind::Break | StmtKind::Continue | StmtKind::Error => {}
        }
    }
}

impl ForClause {
    /// Calls `visit` for every expression directly inside.
    pub fn each_child<'a>(&'a self, visit: Visit<'_, 'a>) {
        for source in self.binders.iter().filter_map(|binder| binder.source.as_ref()) {
            source.each_child(visit);
        }
        each_in_option(self.filter.as_ref().map(Child::Expr), visit);
    }
}

impl Source {
    /// Calls `visit` for every expression directly inside.
    pub fn each_child<'a>(&'a self, visit: Visit<'_, 'a>) {
        match self {
            Source::Values(values) => visit(Child::Expr(values)),
            Source::Range(range) => {
                visit(Child::Expr(&range.lo));
                visit(Child::Expr(&range.hi));
                each_in_option(range.step.as_ref().map(Child::Expr), visit);
            }
        }
    }
}

fn each_in_option<'a>(child: Option<Child<'a>>, visit: Visit<'_, 'a>) {
    child.into_iter().for_each(visit);
}

fn each_in_attrs<'a>(attrs: &'a [Attr], visit: Visit<'_, 'a>) {
    for attr in attrs {
        each_in_args(&attr.args, visit);
    }
}

fn each_in_args<'a>(args: &'a [Arg], visit: Visit<'_, 'a>) {
    args.iter().map(|arg| Child::Expr(&arg.value)).for_each(visit);
}

fn each_in_size<'a>(size: &'a Size, visit: Visit<'_, 'a>) {
    match size {
        Size::Expr(expr) => visit(Child::Expr(expr)),
        Size::Fresh { .. } | Size::Open(_) => {}
    }
}

fn each_in_subscripts<'a>(subscripts: &'a [Subscript], visit: Visit<'_, 'a>) {
    for subscript in subscripts {
        match subscript {
            Subscript::At(index) => visit(Child::Expr(index)),
            Subscript::Slice { lo, hi, step, span: _ } => {
                [lo, hi, step].into_iter().flatten().map(Child::Expr).for_each(&mut *visit);
            }
        }
    }
}

fn each_in_place<'a>(place: &'a Place, visit: Visit<'_, 'a>) {
    match &place.kind {
        PlaceKind::Var { name: _, steps } => {
            for step in steps {
                match step {
                    PlaceStep::Field(_) => {}
                    PlaceStep::Index { subscripts, span: _ } => each_in_subscripts(subscripts, visit),
                }
            }
        }
        PlaceKind::Tuple(places) => {
            for place in places {
                each_in_place(place, visit);
            }
        }
        PlaceKind::Error => {}
    }
}

fn each_in_type<'a>(kind: &'a TypeKind, visit: Visit<'_, 'a>) {
    match kind {
        TypeKind::Path(path) => visit(Child::Path(path)),
        TypeKind::Array { elem, sizes } => {
            visit(Child::Type(elem));
            for size in sizes {
                each_in_size(size, visit);
            }
        }
        TypeKind::Tuple(types) => types.iter().map(Child::Type).for_each(visit),
        TypeKind::Fn { params, result } => {
            params.iter().map(Child::Type).for_each(&mut *visit);
            visit(Child::Type(result));
        }
        TypeKind::Error => {}
    }
}

fn each_in_expr<'a>(kind: &'a ExprKind, visit: Visit<'_, 'a>) {
    match kind {
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Str(_) => {}
        ExprKind::Operator(_) | ExprKind::Error => {}
        ExprKind::Path(path) => visit(Child::Path(path)),
        ExprKind::Unary { operand, op: _, op_span: _ } => visit(Child::Expr(operand)),
        ExprKind::Binary { lhs, rhs, op: _, op_span: _ } => {
            visit(Child::Expr(lhs));
            visit(Child::Expr(rhs));
        }
        ExprKind::Cast { value, ty } => {
            visit(Child::Expr(value));
            visit(Child::Type(ty));
        }
        ExprKind::Call { callee, args, clause } => {
            visit(Child::Expr(callee));
            each_in_args(args, visit);
            if let Some(clause) = clause {
                clause.each_child(visit);
            }
        }
        ExprKind::Field { base, field: _ } => visit(Child::Expr(base)),
        ExprKind::Index { base, subscripts } => {
            visit(Child::Expr(base));
            each_in_subscripts(subscripts, visit);
        }
        ExprKind::Paren(inner) | ExprKind::Precompute(inner) => visit(Child::Expr(inner)),
        ExprKind::Tuple(parts) | ExprKind::Array(parts) => parts.iter().map(Child::Expr).for_each(visit),
        ExprKind::Comprehension { attrs, body, clause } => {
            each_in_attrs(attrs, visit);
            visit(Child::Expr(body));
            clause.each_child(visit);
        }
        ExprKind::Record { path, fields, base } => {
            visit(Child::Path(path));
            fields.iter().map(|field| Child::Expr(&field.value)).for_each(&mut *visit);
            each_in_option(base.as_deref().map(Child::Expr), visit);
        }
        ExprKind::If { cond, then, otherwise } => {
            visit(Child::Expr(cond));
            visit(Child::Block(then));
            each_in_option(otherwise.as_deref().map(Child::Expr), visit);
        }
        ExprKind::Block(block) => visit(Child::Block(block)),
        ExprKind::Lambda { params, body } => {
            params.iter().filter_map(|param| param.ty.as_ref()).map(Child::Type).for_each(&mut *visit);
            visit(Child::Expr(body));
        }
    }
}
