//! Expressions, statements and clauses as nested lists.

use super::items::{name, path, ty};
use super::sexp::Sexp;
use crate::ast::*;

pub(super) fn attrs(attrs: &[Attr]) -> impl Iterator<Item = Sexp> {
    attrs.iter().map(|attr| {
        let args = attr.args.iter().map(arg);
        Sexp::list("attr", std::iter::once(name(&attr.name)).chain(args))
    })
}

pub(super) fn block(block: &Block) -> Sexp {
    let value = block.value.iter().map(|value| Sexp::list("value", [expr(value)]));
    Sexp::list("block", attrs(&block.attrs).chain(block.stmts.iter().map(stmt)).chain(value))
}

fn stmt(stmt: &Stmt) -> Sexp {
    let whole = match &stmt.kind {
        StmtKind::Let { pattern: bound, ty: typed, value } => {
            let typed = typed.iter().map(ty);
            Sexp::list("let", std::iter::once(pattern(bound)).chain(typed).chain([expr(value)]))
        }
        StmtKind::Assign { place: to, op, value } => {
            let head = op.map_or("=".to_owned(), |op| format!("{}=", op.symbol()));
            Sexp::list(&head, [place(to), expr(value)])
        }
        StmtKind::While { cond, body } => Sexp::list("while", [expr(cond), block(body)]),
        StmtKind::For { clause: over, body } => Sexp::list("loop", [clause(over), block(body)]),
        StmtKind::Break => Sexp::list("break", []),
        StmtKind::Continue => Sexp::list("continue", []),
        StmtKind::Return(value) => Sexp::list("return", value.iter().map(expr)),
        StmtKind::Assert { cond, message } => {
            let message = message.iter().map(|message| Sexp::atom(format!("{:?}", message.text)));
            Sexp::list("assert", std::iter::once(expr(cond)).chain(message))
        }
        StmtKind::Expr(value) => Sexp::list("do", [expr(value)]),
        StmtKind::Error => Sexp::atom("<error stmt>"),
    };
    if stmt.attrs.is_empty() { whole } else { Sexp::list("with", attrs(&stmt.attrs).chain([whole])) }
}

fn pattern(pattern_of: &Pattern) -> Sexp {
    match &pattern_of.kind {
        PatternKind::Name { mutable: None, name: bound } => name(bound),
        PatternKind::Name { mutable: Some(_), name: bound } => Sexp::list("mut", [name(bound)]),
        PatternKind::Wildcard => Sexp::atom("_"),
        PatternKind::Tuple(parts) => Sexp::list("tuple", parts.iter().map(pattern)),
        PatternKind::Error => Sexp::atom("<error pattern>"),
    }
}

fn place(place_of: &Place) -> Sexp {
    match &place_of.kind {
        PlaceKind::Var { name: var, steps } => steps.iter().fold(name(var), |base, step| match step {
            PlaceStep::Field(part) => Sexp::list(".", [base, field(part)]),
            PlaceStep::Index { subscripts, .. } => {
                Sexp::list("index", std::iter::once(base).chain(subscripts.iter().map(subscript)))
            }
        }),
        PlaceKind::Tuple(parts) => Sexp::list("tuple", parts.iter().map(place)),
        PlaceKind::Error => Sexp::atom("<error place>"),
    }
}

fn field(field: &FieldName) -> Sexp {
    match field {
        FieldName::Named(named) => name(named),
        FieldName::Index { index, .. } => Sexp::atom(index.to_string()),
    }
}

fn suffixed(text: String, suffix: Option<&Name>) -> Sexp {
    Sexp::atom(text + suffix.map_or("", |suffix| &suffix.text))
}

fn all<'a>(first: Sexp, rest: &'a [Expr]) -> impl Iterator<Item = Sexp> + 'a {
    std::iter::once(first).chain(rest.iter().map(expr))
}

pub(super) fn expr(value: &Expr) -> Sexp {
    match &value.kind {
        ExprKind::Int(lit) => suffixed(lit.value.to_string(), lit.suffix.as_ref()),
        ExprKind::Float(lit) => suffixed(lit.text.clone(), lit.suffix.as_ref()),
        ExprKind::Bool(value) => Sexp::atom(value.to_string()),
        ExprKind::Str(lit) => Sexp::atom(format!("{:?}", lit.text)),
        ExprKind::Path(named) => path(named),
        ExprKind::Operator(op) => Sexp::list("op", [Sexp::atom(op.symbol())]),
        ExprKind::Unary { op, operand, .. } => Sexp::list(op.symbol(), [expr(operand)]),
        ExprKind::Binary { op, lhs, rhs, .. } => Sexp::list(op.symbol(), [expr(lhs), expr(rhs)]),
        ExprKind::Cast { value, ty: to } => Sexp::list("as", [expr(value), ty(to)]),
        ExprKind::Call { callee, args, clause: over } => {
            let args = args.iter().map(arg).chain(over.iter().map(|over| clause(over)));
            Sexp::list("call", std::iter::once(expr(callee)).chain(args))
        }
        ExprKind::Field { base, field: part } => Sexp::list(".", [expr(base), field(part)]),
        ExprKind::Index { base, subscripts } => {
            Sexp::list("index", std::iter::once(expr(base)).chain(subscripts.iter().map(subscript)))
        }
        ExprKind::Paren(inner) => Sexp::list("paren", [expr(inner)]),
        ExprKind::Tuple(parts) => Sexp::List(all(Sexp::atom("tuple"), parts).collect()),
        ExprKind::Array(parts) => Sexp::List(all(Sexp::atom("list"), parts).collect()),
        ExprKind::Comprehension { attrs: before, body, clause: over } => {
            Sexp::list("build", attrs(before).chain([expr(body), clause(over)]))
        }
        ExprKind::Record { path: of, fields, base } => {
            let fields = fields.iter().map(|given| match given.short {
                true => name(&given.name),
                false => Sexp::List(vec![name(&given.name), expr(&given.value)]),
            });
            let base = base.iter().map(|base| Sexp::list("..", [expr(base)]));
            Sexp::list("record", std::iter::once(path(of)).chain(fields).chain(base))
        }
        ExprKind::If { cond, then, otherwise } => {
            Sexp::list("if", [expr(cond), block(then)].into_iter().chain(otherwise.iter().map(|e| expr(e))))
        }
        ExprKind::Block(inner) => block(inner),
        ExprKind::Lambda { params, body } => {
            let params = params.iter().map(|param| match &param.ty {
                None => pattern(&param.pattern),
                Some(typed) => Sexp::list(":", [pattern(&param.pattern), ty(typed)]),
            });
            Sexp::list("lambda", [Sexp::List(params.collect()), expr(body)])
        }
        ExprKind::Precompute(inner) => Sexp::list("precompute", [expr(inner)]),
        ExprKind::Error => Sexp::atom("<error>"),
    }
}

fn arg(arg: &Arg) -> Sexp {
    match &arg.name {
        None => expr(&arg.value),
        Some(named) => Sexp::list("named", [name(named), expr(&arg.value)]),
    }
}

fn subscript(subscript: &Subscript) -> Sexp {
    match subscript {
        Subscript::At(index) => expr(index),
        Subscript::Slice { lo, hi, step, .. } => {
            let bound = |bound: &Option<Expr>| bound.as_ref().map_or(Sexp::atom("_"), expr);
            let step = step.iter().map(|step| Sexp::list("by", [expr(step)]));
            Sexp::list("..", [bound(lo), bound(hi)].into_iter().chain(step))
        }
    }
}

fn clause(clause: &ForClause) -> Sexp {
    let binders = clause.binders.iter().map(|binder| match &binder.source {
        None => pattern(&binder.pattern),
        Some(over) => Sexp::list("in", std::iter::once(pattern(&binder.pattern)).chain(source(over))),
    });
    let filter = clause.filter.iter().map(|filter| Sexp::list("if", [expr(filter)]));
    Sexp::list("for", binders.chain(filter))
}

pub(super) fn source(source: &Source) -> impl Iterator<Item = Sexp> {
    let whole = match source {
        Source::Values(values) => expr(values),
        Source::Range(range) => {
            let head = if range.reversed { "rev" } else { ".." };
            let step = range.step.iter().map(|step| Sexp::list("by", [expr(step)]));
            Sexp::list(head, [expr(&range.lo), expr(&range.hi)].into_iter().chain(step))
        }
    };
    std::iter::once(whole)
}
