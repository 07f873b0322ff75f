//! `reduce(op, init, x)`: a reduction with an operator or function of the caller, and the arguments that `scan` and
//! `fold` share with it.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::Order;
use we3_ir::span::Span;
use we3_parser::ast;

use super::Body;
use super::builtins::Args;
use super::call::{ArgValue, CallArg};
use super::lambda::FnVal;
use super::reduce::Level;
use crate::codes;
use crate::typed::{Block, Expr, ExprKind, ReduceOp, Stmt, Type};

impl<'a> Body<'_, 'a, '_> {
    /// `reduce(op, init, e for …)`.
    pub fn reduce_call(
        &mut self,
        args: Args<'a>,
        clause: Option<&'a ast::ForClause>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let Some((function, init, source)) = self.op_init_source("reduce", &args, span) else {
            return self.error(span);
        };
        let order = if self.is_commutative(&function) { Order::Lanes } else { Order::Pairs };
        let init = self.arg(&init, hint);
        if init.ty == Type::Error {
            return init;
        }
        let mut pre = Vec::new();
        let init = self.hoist(&mut pre, init, "init");
        let want = init.ty.clone();
        let Some(value) = self.present_reduce(&function, order, &want, &source, clause, span) else {
            return self.error(span);
        };
        // `init` if nothing was there, else `op(init, tree)`.
        let pair = self.hoist(&mut pre, value, "reduced");
        let cond = self.field_of(pair.clone(), 0, Type::BOOL, span);
        let tree = self.field_of(pair, 1, want.clone(), span);
        let joined = self.in_region(|body| {
            let joined = body.apply(&function, vec![init.clone(), tree], span);
            body.coerce(joined, &want, Self::plain("the initial value"))
        });
        if joined.ty == Type::Error {
            return joined;
        }
        let kind = ExprKind::If {
            cond: Box::new(cond),
            then: Box::new(Block { stmts: Vec::new(), value: Some(Box::new(joined)) }),
            otherwise: Box::new(Block { stmts: Vec::new(), value: Some(Box::new(init)) }),
        };
        self.wrap(pre, Expr { kind, ty: want, span })
    }

    fn present_reduce(
        &mut self,
        function: &FnVal<'a>,
        order: Order,
        want: &Type,
        source: &CallArg<'a>,
        clause: Option<&'a ast::ForClause>,
        span: Span,
    ) -> Option<Expr> {
        let pair = Type::Tuple(vec![Type::BOOL, want.clone()]);
        let mut wrap = |body: &mut Self, level: Level| {
            let combine = body.present_combine(&pair, span, &mut |body, a, b| {
                let value = body.apply(function, vec![a, b], span);
                body.coerce(value, want, Self::plain("the elements"))
            })?;
            let empty = Box::new(body.blank_value(&pair, span));
            let op = ReduceOp::Combine { order, empty, combine };
            Some(body.reduce_node(op, level.axis, level.mask, level.elem, pair.clone(), span))
        };
        let mut element = |body: &mut Self, elem: Expr| {
            let elem = body.coerce(elem, want, Self::plain("the initial value"));
            if elem.ty == Type::Error { elem } else { body.with_present(elem, span) }
        };
        match (clause, &source.value) {
            (Some(clause), ArgValue::Ast(expr)) => {
                let mut bodies = vec![*expr];
                bodies.extend(&clause.filter);
                self.nest_clause(
                    &clause.binders,
                    clause.filter.as_ref(),
                    &bodies,
                    &mut |body| {
                        let elem = body.expr(expr, Some(want));
                        element(body, elem)
                    },
                    &mut wrap,
                )
            }
            _ => {
                let mut pre = Vec::new();
                let array = self.source_array(source, "reduce", &mut pre, span)?;
                let sizes = self.shallow(&array.ty).sizes().to_vec();
                let value = self.nest_array(&array, &sizes, &mut Vec::new(), &mut element, &mut wrap)?;
                Some(self.wrap(pre, value))
            }
        }
    }

    /// The array after `op, init`.
    pub fn source_array(
        &mut self,
        source: &CallArg<'a>,
        name: &str,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<Expr> {
        let value = self.arg(source, None);
        if value.ty == Type::Error {
            return None;
        }
        if !self.is_array(&value.ty) {
            let shown = self.show(&value.ty);
            self.cx.report(
                Diagnostic::error(
                    codes::NEEDS_CLAUSE,
                    span,
                    format!("`{name}` needs an array or a `for` clause"),
                )
                .with_label(value.span, format!("this is `{shown}`")),
            );
            return None;
        }
        Some(self.hoist(pre, value, "array"))
    }

    /// The three arguments of `reduce`, `scan`, `fold`.
    pub fn op_init_source(
        &mut self,
        name: &str,
        args: &Args<'a>,
        span: Span,
    ) -> Option<(FnVal<'a>, CallArg<'a>, CallArg<'a>)> {
        let [op, init, source] = args.positional.as_slice() else {
            self.cx.report(
                Diagnostic::error(
                    codes::ARGUMENT_COUNT,
                    span,
                    format!("`{name}` takes an operation, a first value, and what it runs over"),
                )
                .with_note(format!("as in `{name}(+, 0.0, x[i] for i)`")),
            );
            return None;
        };
        let ArgValue::Ast(op) = &op.value else {
            self.cx.report(Diagnostic::error(
                codes::NEEDS_FUNCTION,
                op.span,
                format!("the first argument of `{name}` must be a function"),
            ));
            return None;
        };
        let function = self.fn_value(op, &format!("the first argument of `{name}`"))?;
        if name != "fold" {
            self.may_associate(&function, op.span)?;
        }
        Some((function, init.clone(), source.clone()))
    }
}
