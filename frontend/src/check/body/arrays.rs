//! Array literals, and matrix products.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast;

use super::coerce::Wanted;
use super::{Body, VarKind};
use crate::codes;
use crate::typed::{Expr, ExprKind, Size, Type};

impl<'a> Body<'_, 'a, '_> {
    /// `[a, b, c]`.
    pub fn array_literal(&mut self, parts: &'a [ast::Expr], hint: Option<&Type>, span: Span) -> Expr {
        let hint_ty = hint.map(|hint| self.shallow(hint));
        let elem_hint = hint_ty.as_ref().map(|ty| {
            let inner: Vec<Size> = ty.sizes().iter().skip(1).cloned().collect();
            ty.elem().clone().with_axes(inner)
        });
        let mut values: Vec<Expr> = Vec::new();
        for part in parts {
            let first = values.first().map(|value| value.ty.clone());
            let value = self.expr(part, first.as_ref().or(elem_hint.as_ref()));
            let value = match values.first() {
                Some(first) => {
                    let (ty, at) = (first.ty.clone(), first.span);
                    self.coerce(value, &ty, Wanted { span: Some(at), what: "the first element" })
                }
                None => value,
            };
            values.push(value);
        }
        if values.iter().any(|value| value.ty == Type::Error) {
            return self.error(span);
        }
        let size = Size::constant(values.len() as i64);
        let ty = match values.first() {
            Some(first) => first.ty.clone(),
            None => match elem_hint {
                Some(ty) if hint_ty.as_ref().is_some_and(|ty| ty.rank() == 1) => ty,
                _ => self.new_var(VarKind::Any, span),
            },
        };
        if self.shallow(&ty) == Type::UNIT {
            self.cx.report(Diagnostic::error(
                codes::BAD_ELEMENT,
                span,
                "the elements of this array have no value",
            ));
            return self.error(span);
        }
        let ty = ty.with_axes(vec![size]);
        Expr { kind: ExprKind::Array(values), ty, span }
    }

    /// `a @ b`: matrices, vectors, and stacks of matrices, as in NumPy.
    pub fn matmul(&mut self, a: Expr, b: Expr, span: Span) -> Expr {
        if a.ty == Type::Error || b.ty == Type::Error {
            return self.error(span);
        }
        let (a_sizes, b_sizes) = (self.shallow(&a.ty).sizes().to_vec(), self.shallow(&b.ty).sizes().to_vec());
        if a_sizes.is_empty() || b_sizes.is_empty() {
            let (left, right) = (self.show(&a.ty), self.show(&b.ty));
            self.cx.report(
                Diagnostic::error(codes::NOT_AN_ARRAY, span, format!("`@` between `{left}` and `{right}`"))
                    .with_note("`@` multiplies matrices and vectors; for numbers write `*`"),
            );
            return self.error(span);
        }
        if !self.unify_elem(&a.ty.elem().clone(), &b.ty.elem().clone()) {
            let (left, right) = (self.show(&a.ty), self.show(&b.ty));
            self.cx.report(Diagnostic::error(
                codes::TYPE_MISMATCH,
                span,
                format!("`@` between `{left}` and `{right}`"),
            ));
            return self.error(span);
        }
        let mut pre = Vec::new();
        let a = self.hoist(&mut pre, a, "left");
        let b = self.hoist(&mut pre, b, "right");
        let inner = a_sizes.last().cloned().unwrap_or_default();
        let b_inner =
            if b_sizes.len() == 1 { b_sizes[0].clone() } else { b_sizes[b_sizes.len() - 2].clone() };
        let wanted = Wanted { span: Some(a.span), what: "the last axis of the left side" };
        if !self.same_size(&mut pre, &inner, &b_inner, b.span, wanted) {
            return self.error(span);
        }
        let rows: Vec<Size> = a_sizes[a_sizes.len().saturating_sub(2)..a_sizes.len() - 1].to_vec();
        let cols: Vec<Size> =
            if b_sizes.len() >= 2 { vec![b_sizes[b_sizes.len() - 1].clone()] } else { vec![] };
        let a_batch = &a_sizes[..a_sizes.len().saturating_sub(2)];
        let b_batch = &b_sizes[..b_sizes.len().saturating_sub(2)];
        if !a_batch.is_empty() && !b_batch.is_empty() && a_batch.len() != b_batch.len() {
            self.cx.report(Diagnostic::error(
                codes::NOT_BROADCAST,
                span,
                "the stacks of matrices on both sides have different numbers of axes",
            ));
            return self.error(span);
        }
        for (left, right) in a_batch.iter().zip(b_batch) {
            let wanted = Wanted { span: Some(a.span), what: "the left side" };
            if !self.same_size(&mut pre, left, right, b.span, wanted) {
                return self.error(span);
            }
        }
        let batch = if a_batch.is_empty() { b_batch.to_vec() } else { a_batch.to_vec() };
        let (n_batch, n_rows) = (batch.len(), rows.len());
        let (a_stacked, b_stacked) = (!a_batch.is_empty(), !b_batch.is_empty());
        let sizes: Vec<Size> = batch.into_iter().chain(rows).chain(cols).collect();
        let product = &mut |body: &mut Self, outer: &[crate::typed::Local]| {
            let read = |body: &mut Self, locals: &[crate::typed::Local]| -> Vec<Expr> {
                locals.iter().map(|local| body.read(*local, span)).collect()
            };
            let (a, b, inner) = (a.clone(), b.clone(), inner.clone());
            body.dot_over(inner, span, &mut |body, k| {
                let at = body.read(k, span);
                let mut left = if a_stacked { read(body, &outer[..n_batch]) } else { Vec::new() };
                left.extend(read(body, &outer[n_batch..n_batch + n_rows]));
                left.push(at.clone());
                let mut right = if b_stacked { read(body, &outer[..n_batch]) } else { Vec::new() };
                right.push(at);
                right.extend(read(body, &outer[n_batch + n_rows..]));
                (body.element(a.clone(), left), body.element(b.clone(), right))
            })
        };
        let value = if sizes.is_empty() {
            product(self, &[])
        } else {
            self.build(sizes, span, &mut |body, locals| product(body, &locals))
        };
        if value.ty == Type::Error { value } else { self.wrap(pre, value) }
    }
}
