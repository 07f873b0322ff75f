//! `[e for … if c]`: how many pass, where each goes, then a `put` of those.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast;

use super::flatten::Flat;
use super::{Around, Body};
use crate::codes;
use crate::typed::{Axis, Expr, ExprKind, Local, LoopAxis, Size, Stmt, Sub, Type};

impl<'a> Body<'_, 'a, '_> {
    /// `[body for clause if filter]`: one axis of size `?`, in the order of the binders, the last fastest.
    pub fn filtered(
        &mut self,
        body: &'a ast::Expr,
        clause: &'a ast::ForClause,
        filter: &'a ast::Expr,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let mut pre = Vec::new();
        let bodies = [body, filter];
        let Some(flat) = self.flatten(&clause.binders, &bodies, true, &mut pre, span) else {
            self.check_body_anyway(body, clause);
            return self.error(span);
        };
        let Some(mask) = self.passes(&flat, &bodies, filter, span) else {
            self.check_body_anyway(body, clause);
            return self.error(span);
        };
        let mask = self.hoist_local(&mut pre, mask, "passes");
        let Some(position) = self.exclusive_sums(mask, &flat.total, span) else { return self.error(span) };
        let position = self.hoist_local(&mut pre, position, "position");
        let count = self.total_of(mask, &flat.total, span);
        let count = self.hoist_local(&mut pre, count, "?");
        self.local_mut(count).nonneg = true;
        match self.put_passing(&flat, body, hint, Passing { mask, position, count }, span) {
            Some(value) => self.wrap(pre, value),
            None => self.error(span),
        }
    }

    /// Which elements pass.
    fn passes(
        &mut self,
        flat: &Flat<'a>,
        bodies: &[&'a ast::Expr],
        filter: &'a ast::Expr,
        span: Span,
    ) -> Option<Expr> {
        let (index, cond) = self.in_flat(flat, bodies, &mut Vec::new(), span, &mut |checker, stmts| {
            let cond = checker.expr(filter, Some(&Type::BOOL));
            let cond = checker.condition(cond);
            if cond.ty == Type::Error { cond } else { checker.wrap(std::mem::take(stmts), cond) }
        })?;
        if cond.ty == Type::Error {
            return None;
        }
        let ty = Type::BOOL.with_axes(vec![flat.total.clone()]);
        let axes = vec![Axis { index, size: flat.total.clone() }];
        Some(Expr {
            kind: ExprKind::Build { axes, body: Box::new(cond), schedule: None },
            ty,
            span: filter.span,
        })
    }

    /// Checks the inside of an array form at all binders of a clause.
    fn in_flat(
        &mut self,
        flat: &Flat<'a>,
        bodies: &[&'a ast::Expr],
        stmts: &mut Vec<Stmt>,
        span: Span,
        inside: &mut dyn FnMut(&mut Self, &mut Vec<Stmt>) -> Expr,
    ) -> Option<(Local, Expr)> {
        let depth = self.depth;
        self.in_region(|checker| {
            checker.in_scope(|checker| {
                let index = checker.enter_flat(flat, bodies, stmts, span)?;
                checker.around.push((Around::ArrayForm, depth));
                let value = inside(checker, stmts);
                checker.around.pop();
                Some((index, value))
            })
        })
    }

    fn put_passing(
        &mut self,
        flat: &Flat<'a>,
        body: &'a ast::Expr,
        hint: Option<&Type>,
        passing: Passing,
        span: Span,
    ) -> Option<Expr> {
        let mut stmts = Vec::new();
        let (index, elem) =
            self.in_flat(flat, &[body], &mut stmts, span, &mut |checker, _| checker.expr(body, hint))?;
        if elem.ty == Type::Error || !self.is_element(&elem) {
            return None;
        }
        if self.is_array(&elem.ty) {
            self.cx.report(Diagnostic::error(
                codes::BAD_ELEMENT,
                body.span,
                "the elements of a filtered array form are scalars, tuples or records",
            ));
            return None;
        }
        let at = self.read(index, span);
        let present = self.read_at(passing.mask, at.clone(), span);
        let target = self.read_at(passing.position, at, span);
        let elem_ty = elem.ty.clone();
        let size = Size::local(passing.count);
        let dest = self.blank(&elem_ty, vec![size.clone()], span);
        let kind = ExprKind::Update {
            dest: Box::new(dest),
            axes: vec![LoopAxis { index, count: Box::new(flat.count.clone()) }],
            mask: Some(Box::new(present)),
            prelude: stmts,
            subs: vec![Sub { index: target, site: None }],
            value: Box::new(elem),
        };
        Some(Expr { kind, ty: elem_ty.with_axes(vec![size]), span })
    }
}

/// Which elements pass, where each goes, and how many there are.
struct Passing {
    mask: Local,
    position: Local,
    count: Local,
}
