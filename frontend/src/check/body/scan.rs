//! `scan(op, init, e for …)`, `exscan`: prefix results in the order of the binders, the last fastest.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast;

use super::builtins::Args;
use super::call::ArgValue;
use super::{Around, Body};
use crate::codes;
use crate::typed::{Axis, Expr, ExprKind, Size, Stmt, Type};

/// What is scanned, and the shape of the result if it is not one axis.
struct Scanned {
    axis: Axis,
    body: Expr,
    shape: Vec<Size>,
}

impl<'a> Body<'_, 'a, '_> {
    /// `scan(op, init, e for i)`, `exscan`.
    pub fn scan_call(
        &mut self,
        exclusive: bool,
        args: Args<'a>,
        clause: Option<&'a ast::ForClause>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let name = if exclusive { "exscan" } else { "scan" };
        let Some((function, init, source)) = self.op_init_source(name, &args, span) else {
            return self.error(span);
        };
        let elem_hint = hint.map(|hint| self.shallow(hint).elem().clone());
        let init = self.arg(&init, elem_hint.as_ref());
        if init.ty == Type::Error {
            return init;
        }
        let want = init.ty.clone();
        let mut pre = Vec::new();
        let init = self.hoist(&mut pre, init, "init");
        let scanned = match (clause, &source.value) {
            (Some(clause), ArgValue::Ast(expr)) => self.scan_clause(clause, expr, &want, &mut pre, span),
            _ => {
                let array = self.source_array(&source, name, &mut pre, span);
                array.and_then(|array| self.scan_array(array, name, &want))
            }
        };
        let Some(Scanned { axis, body, shape }) = scanned else { return self.error(span) };
        let Some(combine) = self.combine(&function, &want, span) else { return self.error(span) };
        let ty = want.with_axes(vec![axis.size.clone()]);
        let kind = ExprKind::Scan { exclusive, axis, init: Box::new(init), body: Box::new(body), combine };
        let value = Expr { kind, ty, span };
        let value = if shape.len() > 1 { self.unflatten(value, shape, &mut pre, span) } else { value };
        self.wrap(pre, value)
    }

    fn scan_clause(
        &mut self,
        clause: &'a ast::ForClause,
        expr: &'a ast::Expr,
        want: &Type,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<Scanned> {
        if let Some(filter) = &clause.filter {
            let passing = self.filtered(expr, clause, filter, Some(want), span);
            if passing.ty == Type::Error {
                return None;
            }
            let passing = self.hoist(pre, passing, "passing");
            return self.scan_array(passing, "scan", want);
        }
        let Some(domains) = self.axis_domains(&clause.binders, &[expr]) else {
            self.check_body_anyway(expr, clause);
            return None;
        };
        let shape = domains.iter().map(|domain| domain.size.clone().unwrap_or_default()).collect();
        let flat = self.flatten_domains(&clause.binders, domains, pre, span);
        let mut stmts = Vec::new();
        let depth = self.depth;
        let (index, body) = self.in_region(|body| {
            body.in_scope(|body| {
                let index = body.enter_flat(&flat, &[expr], &mut stmts, span)?;
                body.around.push((Around::ArrayForm, depth));
                let elem = body.expr(expr, Some(want));
                let elem = body.coerce(elem, want, Self::plain("the initial value"));
                body.around.pop();
                (elem.ty != Type::Error).then(|| (index, body.wrap(stmts, elem)))
            })
        })?;
        Some(Scanned { axis: Axis { index, size: flat.total.clone() }, body, shape })
    }

    fn scan_array(&mut self, array: Expr, name: &str, want: &Type) -> Option<Scanned> {
        let span = array.span;
        let sizes = self.shallow(&array.ty).sizes().to_vec();
        let [size] = sizes.as_slice() else {
            self.cx.report(
                Diagnostic::error(codes::WRONG_RANK, span, format!("`{name}` runs along one axis")).with_note(
                    format!("for each row of a matrix: `[{name}(op, init, r) for r in x]`; through all rows: `{name}(op, init, x[i, j] for i, j)`"),
                ),
            );
            return None;
        };
        let (index, body) = self.in_region(|body| {
            let index = body.hidden_index("k", Some(size.clone()), span);
            let at = body.read(index, span);
            let elem = body.element(array.clone(), vec![at]);
            (index, body.coerce(elem, want, Self::plain("the initial value")))
        });
        let axis = Axis { index, size: size.clone() };
        (body.ty != Type::Error).then(|| Scanned { axis, body, shape: Vec::new() })
    }

    /// A vector in row-major order as an array of a shape.
    fn unflatten(&mut self, vector: Expr, shape: Vec<Size>, pre: &mut Vec<Stmt>, span: Span) -> Expr {
        let vector = self.hoist(pre, vector, "scanned");
        let widths = shape.clone();
        self.build(shape, span, &mut |body, locals| {
            let mut at = body.read(locals[0], span);
            for (local, width) in locals.iter().zip(&widths).skip(1) {
                at = body.row_major(at, width, *local, span);
            }
            body.element(vector.clone(), vec![at])
        })
    }
}
