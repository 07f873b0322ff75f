//! Constructors of expressions and clauses.

use super::Builder;
use crate::ast::*;
use crate::{literal, messages};
use we3_ir::span::Span;

impl Builder<'_> {
    fn expr(&self, l: u32, kind: ExprKind, r: u32) -> Expr {
        let built = Expr::new(kind, self.span(l, r));
        if self.allows_depth(built.depth, built.span) {
            built
        } else {
            Expr::new(ExprKind::Error, built.span)
        }
    }

    pub(crate) fn int(&self, l: u32, r: u32) -> Expr {
        self.expr(l, ExprKind::Int(literal::int(self.text(l, r), self.span(l, r))), r)
    }

    pub(crate) fn float(&self, l: u32, r: u32) -> Expr {
        self.expr(l, ExprKind::Float(literal::float(self.text(l, r), self.span(l, r))), r)
    }

    pub(crate) fn boolean(&self, l: u32, value: bool, r: u32) -> Expr {
        self.expr(l, ExprKind::Bool(value), r)
    }

    pub(crate) fn string_expr(&self, string: StrLit) -> Expr {
        self.expr(string.span.lo, ExprKind::Str(string.clone()), string.span.hi)
    }

    pub(crate) fn path_expr(&self, path: Path) -> Expr {
        let span = path.span;
        self.expr(span.lo, ExprKind::Path(path), span.hi)
    }

    pub(crate) fn operator(&self, l: u32, op: BinOp, r: u32) -> Expr {
        self.expr(l, ExprKind::Operator(op), r)
    }

    /// `l..m` is the operator.
    pub(crate) fn unary(&self, l: u32, op: UnOp, m: u32, operand: Expr, r: u32) -> Expr {
        self.expr(l, ExprKind::Unary { op, op_span: self.span(l, m), operand: Box::new(operand) }, r)
    }

    pub(crate) fn binary(&self, lhs: Expr, (op, op_span): (BinOp, Span), rhs: Expr) -> Expr {
        let (l, r) = (lhs.span.lo, rhs.span.hi);
        self.expr(l, ExprKind::Binary { op, op_span, lhs: Box::new(lhs), rhs: Box::new(rhs) }, r)
    }

    pub(crate) fn cast(&self, value: Expr, ty: Type) -> Expr {
        let (l, r) = (value.span.lo, ty.span.hi);
        self.expr(l, ExprKind::Cast { value: Box::new(value), ty }, r)
    }

    pub(crate) fn call(&self, l: u32, callee: Expr, args: (Vec<Arg>, Option<ForClause>), r: u32) -> Expr {
        let (args, clause) = args;
        self.expr(l, ExprKind::Call { callee: Box::new(callee), args, clause: clause.map(Box::new) }, r)
    }

    pub(crate) fn field(&self, l: u32, base: Expr, name: Name, r: u32) -> Expr {
        self.expr(l, ExprKind::Field { base: Box::new(base), field: FieldName::Named(name) }, r)
    }

    /// `l..r` is the number.
    pub(crate) fn tuple_field(&self, base: Expr, l: u32, r: u32) -> Expr {
        let span = self.span(l, r);
        let Ok(index) = self.text(l, r).parse() else {
            self.report(messages::bad_tuple_field(span));
            return self.expr(base.span.lo, ExprKind::Error, r);
        };
        let field = FieldName::Index { index, span };
        self.expr(base.span.lo, ExprKind::Field { base: Box::new(base), field }, r)
    }

    pub(crate) fn index(&self, l: u32, base: Expr, subscripts: Vec<Subscript>, r: u32) -> Expr {
        if subscripts.is_empty() {
            self.report(messages::no_subscripts(self.span(base.span.hi, r)));
            return self.expr(l, ExprKind::Error, r);
        }
        self.expr(l, ExprKind::Index { base: Box::new(base), subscripts }, r)
    }

    pub(crate) fn slice(
        &self,
        l: u32,
        lo: Option<Expr>,
        hi: Option<Expr>,
        step: Option<Expr>,
        r: u32,
    ) -> Subscript {
        Subscript::Slice { lo, hi, step, span: self.span(l, r) }
    }

    pub(crate) fn paren(&self, l: u32, inner: Expr, r: u32) -> Expr {
        self.expr(l, ExprKind::Paren(Box::new(inner)), r)
    }

    pub(crate) fn tuple(&self, l: u32, parts: Vec<Expr>, r: u32) -> Expr {
        self.expr(l, ExprKind::Tuple(parts), r)
    }

    pub(crate) fn array(&self, l: u32, parts: Vec<Expr>, r: u32) -> Expr {
        self.expr(l, ExprKind::Array(parts), r)
    }

    pub(crate) fn comprehension(&self, l: u32, attrs: Vec<Attr>, parts: (Expr, ForClause), r: u32) -> Expr {
        let (body, clause) = parts;
        self.expr(l, ExprKind::Comprehension { attrs, body: Box::new(body), clause: Box::new(clause) }, r)
    }

    pub(crate) fn record(
        &self,
        l: u32,
        path: Path,
        fields: Vec<FieldInit>,
        base: Option<Expr>,
        r: u32,
    ) -> Expr {
        self.expr(l, ExprKind::Record { path, fields, base: base.map(Box::new) }, r)
    }

    pub(crate) fn field_init(&self, l: u32, name: Name, value: Expr, r: u32) -> FieldInit {
        FieldInit { name, value, short: false, span: self.span(l, r) }
    }

    pub(crate) fn short_field(&self, name: Name) -> FieldInit {
        let span = name.span;
        let value = self.path_expr(self.path(name.clone()));
        FieldInit { name, value, short: true, span }
    }

    pub(crate) fn block_expr(&self, attrs: Vec<Attr>, block: Block) -> Expr {
        let l = attrs.first().map_or(block.span.lo, |attr| attr.span.lo);
        let r = block.span.hi;
        self.expr(l, ExprKind::Block(Box::new(Block { attrs, ..block })), r)
    }

    pub(crate) fn conditional(
        &self,
        l: u32,
        cond: Expr,
        then: Block,
        otherwise: Option<Expr>,
        r: u32,
    ) -> Expr {
        let otherwise = otherwise.map(Box::new);
        self.expr(l, ExprKind::If { cond: Box::new(cond), then: Box::new(then), otherwise }, r)
    }

    pub(crate) fn lambda(&self, l: u32, params: Vec<LambdaParam>, body: Expr, r: u32) -> Expr {
        self.expr(l, ExprKind::Lambda { params, body: Box::new(body) }, r)
    }

    pub(crate) fn lambda_param(&self, l: u32, pattern: Pattern, ty: Option<Type>, r: u32) -> LambdaParam {
        LambdaParam { pattern, ty, span: self.span(l, r) }
    }

    pub(crate) fn precompute(&self, l: u32, inner: Expr, r: u32) -> Expr {
        self.expr(l, ExprKind::Precompute(Box::new(inner)), r)
    }

    pub(crate) fn arg(&self, l: u32, name: Option<Name>, value: Expr, r: u32) -> Arg {
        Arg { name, value, span: self.span(l, r) }
    }

    pub(crate) fn clause(&self, l: u32, binders: Vec<Binder>, filter: Option<Expr>, r: u32) -> ForClause {
        ForClause { binders, filter, span: self.span(l, r) }
    }

    /// The clause with its `for`.
    pub(crate) fn whole_clause(&self, l: u32, clause: ForClause, r: u32) -> ForClause {
        ForClause { span: self.span(l, r), ..clause }
    }

    pub(crate) fn binder(&self, l: u32, pattern: Pattern, source: Option<Source>, r: u32) -> Binder {
        Binder { pattern, source, span: self.span(l, r) }
    }

    pub(crate) fn range(&self, l: u32, lo: Expr, hi: Expr, step: Option<Expr>, r: u32) -> Source {
        Source::Range(Range { lo, hi, step, reversed: false, span: self.span(l, r) })
    }

    pub(crate) fn reversed(&self, l: u32, lo: Expr, hi: Expr, step: Option<Expr>, r: u32) -> Source {
        Source::Range(Range { lo, hi, step, reversed: true, span: self.span(l, r) })
    }

    pub(crate) fn reversed_values(&self, l: u32, values: Expr, r: u32) -> Source {
        self.report(messages::reversed_values(self.span(l, r), values.span));
        Source::Values(values)
    }
}
