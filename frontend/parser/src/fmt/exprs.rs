//! Expressions and clauses.

use super::doc::{Doc, RhsStyle};
use super::lists::Shape;
use super::tokens::Formatter;
use crate::ast::*;
use crate::token::TokenKind as T;

/// How tightly an infix operator binds; operators of one level form one chain.
fn level(op: BinOp) -> u32 {
    match op {
        BinOp::Or => 0,
        BinOp::And => 1,
        BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge => 2,
        BinOp::BitOr => 3,
        BinOp::BitXor => 4,
        BinOp::BitAnd => 5,
        BinOp::Shl | BinOp::Shr => 6,
        BinOp::Add | BinOp::Sub => 7,
        BinOp::Mul | BinOp::Div | BinOp::Rem | BinOp::MatMul => 8,
    }
}

impl<'s> Formatter<'s> {
    /// What stands behind the `=` of a statement or constant.
    pub(super) fn right_side(&mut self, value: &Expr) -> Doc<'s> {
        let style = if self.has_comments_before_next() { RhsStyle::Next } else { self.style_of(value) };
        let value = self.expr(value);
        Doc::rhs(style, value)
    }

    /// Where a right side goes if it does not fit behind its `=`.
    pub(super) fn style_of(&self, value: &Expr) -> RhsStyle {
        match &value.kind {
            ExprKind::Block(_) | ExprKind::If { .. } | ExprKind::Record { .. } => RhsStyle::Block,
            ExprKind::Lambda { body, .. } | ExprKind::Precompute(body) => self.style_of(body),
            ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Bool(_)
            | ExprKind::Str(_)
            | ExprKind::Path(_)
            | ExprKind::Operator(_)
            | ExprKind::Unary { .. }
            | ExprKind::Binary { .. }
            | ExprKind::Cast { .. }
            | ExprKind::Call { .. }
            | ExprKind::Field { .. }
            | ExprKind::Index { .. }
            | ExprKind::Paren(_)
            | ExprKind::Tuple(_)
            | ExprKind::Array(_)
            | ExprKind::Comprehension { .. }
            | ExprKind::Error => RhsStyle::Delimited,
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Doc<'s> {
        match &expr.kind {
            ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) | ExprKind::Str(_) => self.any_token(),
            ExprKind::Path(path) => self.path(path),
            ExprKind::Operator(op) => self.operator(*op),
            ExprKind::Unary { op, operand, .. } => {
                let sign = self.token(op.symbol());
                // `--x` would be read again, but not by people.
                let gap = matches!(&operand.kind, ExprKind::Unary { op: inner, .. } if inner == op);
                let gap = if gap { Doc::Text(" ") } else { Doc::Nil };
                Doc::concat(vec![sign, gap, self.expr(operand)])
            }
            ExprKind::Binary { op, lhs, rhs, .. } => {
                let mut rest = vec![];
                let first = self.chain(level(*op), lhs, &mut rest);
                self.link(*op, rhs, &mut rest);
                Doc::group(vec![first, Doc::indent(rest)])
            }
            ExprKind::Cast { value, ty } => {
                let value = self.expr(value);
                Doc::concat(vec![value, Doc::Text(" "), self.token("as"), Doc::Text(" "), self.ty(ty)])
            }
            ExprKind::Call { callee, args, clause } => {
                let callee = self.expr(callee);
                Doc::concat(vec![callee, self.args(args, clause.as_deref())])
            }
            ExprKind::Field { base, field } => {
                let base = self.expr(base);
                Doc::concat(vec![base, self.field(field)])
            }
            ExprKind::Index { base, subscripts } => {
                let base = self.expr(base);
                let subscripts = self.list("[", subscripts, "]", Shape::TightNoComma, Self::subscript);
                Doc::concat(vec![base, subscripts])
            }
            ExprKind::Paren(inner) => {
                let open = self.token("(");
                let inner = Doc::indent(vec![Doc::Soft, self.expr(inner), self.comments_before_next()]);
                Doc::group(vec![open, inner, Doc::Soft, self.token(")")])
            }
            ExprKind::Tuple(parts) => self.tuple(parts, Self::expr),
            ExprKind::Array(parts) => {
                let shape = if parts.iter().all(is_short) { Shape::Filled } else { Shape::Tight };
                self.list("[", parts, "]", shape, Self::expr)
            }
            ExprKind::Comprehension { attrs, body, clause } => self.comprehension(attrs, body, clause),
            ExprKind::Record { path, fields, base } => self.record(path, fields, base.as_deref()),
            ExprKind::If { .. } => Doc::group(vec![self.conditional(expr)]),
            ExprKind::Block(block) => self.block(block),
            ExprKind::Lambda { params, body } => self.lambda(params, body),
            ExprKind::Precompute(inner) => {
                Doc::concat(vec![self.token("precompute"), Doc::Text(" "), self.expr(inner)])
            }
            ExprKind::Error => Doc::Nil,
        }
    }

    /// The start of a chain of operators of one level; its links go to `rest`.
    fn chain(&mut self, chain_level: u32, expr: &Expr, rest: &mut Vec<Doc<'s>>) -> Doc<'s> {
        match &expr.kind {
            ExprKind::Binary { op, lhs, rhs, .. } if level(*op) == chain_level => {
                let first = self.chain(chain_level, lhs, rest);
                self.link(*op, rhs, rest);
                first
            }
            _ => self.expr(expr),
        }
    }

    fn link(&mut self, op: BinOp, rhs: &Expr, rest: &mut Vec<Doc<'s>>) {
        rest.extend([Doc::Line, self.operator(op), Doc::Text(" "), self.expr(rhs)]);
    }

    fn operator(&mut self, op: BinOp) -> Doc<'s> {
        match op {
            BinOp::Shr => Doc::concat(vec![self.token(">"), self.token(">")]),
            other => self.token(other.symbol()),
        }
    }

    /// The arguments of a call. One argument that has brackets of its own hugs those of the call.
    fn args(&mut self, args: &[Arg], clause: Option<&ForClause>) -> Doc<'s> {
        let hugs = match args {
            [only] if only.name.is_none() => hugs(&only.value, clause.is_some()),
            _ => false,
        };
        let open = self.token("(");
        if args.is_empty() {
            return self.empty(open, ")");
        }
        if hugs && !self.has_comments_before_next() {
            let mut docs = vec![open, self.arg(&args[0])];
            docs.extend(clause.map(|clause| Doc::concat(vec![Doc::Text(" "), self.clause(clause)])));
            docs.extend([self.no_trailing_comma(), self.comments_before_next(), self.token(")")]);
            return Doc::concat(docs);
        }
        let Some(clause) = clause else { return self.opened_list(open, args, ")", Shape::Tight, Self::arg) };
        let mut inside = vec![Doc::Soft];
        self.elements(&mut inside, args, Self::arg);
        inside.extend([Doc::Line, self.clause(clause), self.comments_before_next()]);
        Doc::group(vec![open, Doc::indent(inside), Doc::Soft, self.token(")")])
    }

    pub(super) fn arg(&mut self, arg: &Arg) -> Doc<'s> {
        if arg.name.is_none() {
            return self.expr(&arg.value);
        }
        let name = vec![self.any_token(), Doc::Text(" "), self.token("="), Doc::Text(" ")];
        Doc::concat(vec![Doc::concat(name), self.expr(&arg.value)])
    }

    pub(super) fn field(&mut self, field: &FieldName) -> Doc<'s> {
        let dot = self.token(".");
        Doc::concat(vec![
            dot,
            match field {
                FieldName::Named(_) => self.any_token(),
                FieldName::Index { .. } => self.tuple_index(),
            },
        ])
    }

    pub(super) fn subscript(&mut self, subscript: &Subscript) -> Doc<'s> {
        match subscript {
            Subscript::At(index) => self.expr(index),
            Subscript::Slice { lo, hi, step, .. } => self.range(lo.as_ref(), hi.as_ref(), step.as_ref()),
        }
    }

    fn range(&mut self, lo: Option<&Expr>, hi: Option<&Expr>, step: Option<&Expr>) -> Doc<'s> {
        let lo = lo.map_or(Doc::Nil, |lo| self.expr(lo));
        let dots = self.token("..");
        let hi = hi.map_or(Doc::Nil, |hi| self.expr(hi));
        let step = step.map_or(Doc::Nil, |step| {
            Doc::concat(vec![Doc::Text(" "), self.token("by"), Doc::Text(" "), self.expr(step)])
        });
        Doc::concat(vec![lo, dots, hi, step])
    }

    fn comprehension(&mut self, attrs: &[Attr], body: &Expr, clause: &ForClause) -> Doc<'s> {
        let mut docs = vec![];
        for attr in attrs {
            docs.extend([self.attr(attr), Doc::Text(" ")]);
        }
        docs.push(self.token("["));
        let hugs = match &body.kind {
            ExprKind::Block(block) => block.attrs.is_empty(),
            ExprKind::Record { .. } => true,
            _ => false,
        };
        if hugs && !self.has_comments_before_next() {
            docs.extend([self.expr(body), Doc::Text(" "), self.clause(clause)]);
            docs.extend([self.comments_before_next(), self.token("]")]);
            return Doc::concat(docs);
        }
        let inside =
            vec![Doc::Soft, self.expr(body), Doc::Line, self.clause(clause), self.comments_before_next()];
        docs.extend([Doc::indent(inside), Doc::Soft, self.token("]")]);
        Doc::group(docs)
    }

    /// `for` with its binders and filter.
    pub(super) fn clause(&mut self, clause: &ForClause) -> Doc<'s> {
        let mut inside = vec![self.token("for"), Doc::Text(" ")];
        self.elements(&mut inside, &clause.binders, |this, binder| {
            let pattern = this.pattern(&binder.pattern);
            let source = binder.source.as_ref().map_or(Doc::Nil, |source| this.source(source));
            Doc::concat(vec![pattern, source])
        });
        if let Some(filter) = &clause.filter {
            inside.extend([Doc::Line, self.token("if"), Doc::Text(" "), self.expr(filter)]);
        }
        Doc::group(vec![Doc::indent(inside)])
    }

    /// `in` and what stands behind it.
    pub(super) fn source(&mut self, source: &Source) -> Doc<'s> {
        let head = vec![Doc::Text(" "), self.token("in"), Doc::Text(" ")];
        let over = match source {
            Source::Values(values) => self.expr(values),
            Source::Range(range) if range.reversed => {
                let open = vec![self.token("rev"), self.token("(")];
                let range = self.range(Some(&range.lo), Some(&range.hi), range.step.as_ref());
                Doc::concat(vec![Doc::concat(open), range, self.token(")")])
            }
            Source::Range(range) => self.range(Some(&range.lo), Some(&range.hi), range.step.as_ref()),
        };
        Doc::concat(vec![Doc::concat(head), over])
    }

    fn record(&mut self, path: &Path, fields: &[FieldInit], base: Option<&Expr>) -> Doc<'s> {
        let open = vec![self.path(path), Doc::Text(" "), self.token("{")];
        let open = Doc::concat(open);
        let parts: Vec<Result<&FieldInit, &Expr>> = fields.iter().map(Ok).chain(base.map(Err)).collect();
        if parts.is_empty() {
            return self.empty(open, "}");
        }
        let shape = if base.is_some() { Shape::SpacedNoComma } else { Shape::Spaced };
        self.opened_list(open, &parts, "}", shape, |this, part| match part {
            Ok(field) if field.short => this.any_token(),
            Ok(field) => {
                let name = vec![this.any_token(), this.token(":"), Doc::Text(" ")];
                Doc::concat(vec![Doc::concat(name), this.expr(&field.value)])
            }
            Err(base) => Doc::concat(vec![this.token(".."), this.expr(base)]),
        })
    }

    /// An `if` whose blocks break together, with those of the `if`s behind its `else`.
    fn conditional(&mut self, expr: &Expr) -> Doc<'s> {
        let ExprKind::If { cond, then, otherwise } = &expr.kind else {
            let ExprKind::Block(block) = &expr.kind else { return self.expr(expr) };
            return self.open_block(block);
        };
        let head = vec![self.token("if"), Doc::Text(" "), self.expr(cond), Doc::Text(" ")];
        let mut docs = vec![Doc::concat(head), self.open_block(then)];
        if let Some(otherwise) = otherwise {
            docs.extend([Doc::Text(" "), self.token("else"), Doc::Text(" "), self.conditional(otherwise)]);
        }
        Doc::concat(docs)
    }

    fn lambda(&mut self, params: &[LambdaParam], body: &Expr) -> Doc<'s> {
        let params = if self.peek() == T::OrOr {
            self.token("||")
        } else {
            let mut docs = vec![self.token("|")];
            for (nth, param) in params.iter().enumerate() {
                if nth > 0 {
                    docs.extend([self.token(","), Doc::Text(" ")]);
                }
                docs.extend([self.pattern(&param.pattern), self.type_note(param.ty.as_ref())]);
            }
            docs.extend([self.no_trailing_comma(), self.token("|")]);
            Doc::concat(docs)
        };
        Doc::concat(vec![params, Doc::Text(" "), self.expr(body)])
    }
}

/// Whether many of its kind may share a line.
fn is_short(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_) => true,
        ExprKind::Path(path) => path.as_name().is_some_and(|name| name.text.len() <= 10),
        ExprKind::Unary { operand, .. } => is_short(operand),
        _ => false,
    }
}

/// Whether a lone argument may share the brackets of its call.
fn hugs(value: &Expr, with_clause: bool) -> bool {
    match &value.kind {
        ExprKind::Block(_) => true,
        ExprKind::Lambda { body, .. } => !with_clause && matches!(body.kind, ExprKind::Block(_)),
        ExprKind::Comprehension { .. }
        | ExprKind::Array(_)
        | ExprKind::Record { .. }
        | ExprKind::Call { .. } => !with_clause,
        _ => false,
    }
}
