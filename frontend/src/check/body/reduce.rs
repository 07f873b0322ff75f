//! Reductions over clauses and arrays: `sum prod min max any all count argmin argmax`, `reduce`.
//! Several axes are nested one-axis reductions, the last innermost.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast;

use super::builtins::Args;
use super::call::{ArgValue, CallArg};
use super::coerce::Wanted;
use super::lambda::FnVal;
use super::{Around, Body};
use crate::codes;
use crate::typed::{Expr, ExprKind, LoopAxis, SiteKind, Size, Stmt, StmtKind, Type};

/// One level of a nest: its axis, which elements are there, the element.
pub struct Level {
    pub axis: LoopAxis,
    pub mask: Option<Expr>,
    pub elem: Expr,
    /// Whether this is the innermost one.
    pub innermost: bool,
}

/// What is nested: levels to put around an innermost element.
pub type WrapLevel<'f, B> = &'f mut dyn FnMut(&mut B, Level) -> Option<Expr>;

impl<'a> Body<'_, 'a, '_> {
    /// Nests levels over a clause: `element` is checked innermost, `wrap` makes each level.
    pub fn nest_clause(
        &mut self,
        binders: &'a [ast::Binder],
        filter: Option<&'a ast::Expr>,
        bodies: &[&'a ast::Expr],
        element: &mut dyn FnMut(&mut Self) -> Expr,
        wrap: WrapLevel<'_, Self>,
    ) -> Option<Expr> {
        let (binder, rest) = binders.split_first()?;
        let Some(domain) = self.domain(binder, Some(bodies), false) else {
            // Other errors inside are worth knowing.
            let depth = self.depth;
            self.in_region(|body| {
                body.in_scope(|body| {
                    binders.iter().for_each(|binder| body.bind_unknown(&binder.pattern));
                    body.around.push((Around::ArrayForm, depth));
                    element(body);
                    body.around.pop();
                });
            });
            return None;
        };
        let pre = domain.pre.clone();
        let mut stmts = Vec::new();
        let mut index = None;
        let depth = self.depth;
        let (mask, elem) = self.in_region(|body| {
            body.in_scope(|body| {
                index = Some(body.enter_domain(&domain, binder, &mut stmts));
                if !rest.is_empty() {
                    return (Some(None), body.nest_clause(rest, filter, bodies, element, wrap));
                }
                body.around.push((Around::ArrayForm, depth));
                let mask = filter.map(|filter| {
                    let cond = body.expr(filter, Some(&Type::BOOL));
                    body.condition(cond)
                });
                let elem = element(body);
                body.around.pop();
                let bad = elem.ty == Type::Error || mask.as_ref().is_some_and(|mask| mask.ty == Type::Error);
                (Some(mask), (!bad).then_some(elem))
            })
        });
        let (mask, elem, index) = (mask?, elem?, index?);
        let (mask, elem) = match mask {
            Some(mask) => (Some(self.wrap(stmts, mask)), elem),
            None => (None, self.wrap(stmts, elem)),
        };
        let axis = LoopAxis { index, count: Box::new(domain.count.clone()) };
        let value = wrap(self, Level { axis, mask, elem, innermost: rest.is_empty() })?;
        Some(self.wrap(pre, value))
    }

    /// Nests levels over all axes of an array.
    pub fn nest_array(
        &mut self,
        array: &Expr,
        sizes: &[Size],
        outer: &mut Vec<Expr>,
        element: &mut dyn FnMut(&mut Self, Expr) -> Expr,
        wrap: WrapLevel<'_, Self>,
    ) -> Option<Expr> {
        let span = array.span;
        let (size, rest) = sizes.split_first()?;
        let (index, elem) = self.in_region(|body| {
            let index = body.hidden_index("k", Some(size.clone()), span);
            outer.push(body.read(index, span));
            let elem = if rest.is_empty() {
                let value = body.element(array.clone(), outer.clone());
                let value = element(body, value);
                (value.ty != Type::Error).then_some(value)
            } else {
                body.nest_array(array, rest, outer, element, wrap)
            };
            outer.pop();
            (index, elem)
        });
        let elem = elem?;
        let count = Box::new(self.size_expr(size.clone(), span));
        let axis = LoopAxis { index, count };
        wrap(self, Level { axis, mask: None, elem, innermost: rest.is_empty() })
    }

    /// `sum(…)` and its relatives.
    pub fn reduction(
        &mut self,
        name: &'static str,
        args: Args<'a>,
        clause: Option<&'a ast::ForClause>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let init = args.named("init");
        if let (Some(init), false) = (&init, matches!(name, "min" | "max")) {
            self.cx.report(
                Diagnostic::error(codes::UNKNOWN_ARGUMENT, init.span, format!("`{name}` has no `init`"))
                    .with_note("`reduce(op, init, …)` starts from a value"),
            );
            return self.error(span);
        }
        if let Some(clause) = clause {
            let [body] = args.positional.as_slice() else {
                self.arity(&format!("`{name}` with a `for` clause"), 1, args.positional.len(), span);
                return self.error(span);
            };
            let ArgValue::Ast(body) = &body.value else { return self.error(span) };
            return self.reduce_clause(name, body, clause, init, hint, span);
        }
        if matches!(name, "min" | "max") && args.positional.len() == 2 {
            let name = name.to_owned();
            let function = FnVal::TraitFn { of: None, name, self_ty: None, explicit: &[] };
            return self.call_trait_fn(&function, args.positional, hint, span);
        }
        let [array] = args.positional.as_slice() else {
            let given = args.positional.len();
            let mut error = Diagnostic::error(
                codes::ARGUMENT_COUNT,
                span,
                format!("`{name}` takes 1 argument, {given} given"),
            );
            if given == 2 {
                error = error.with_note(format!("an axis is always named: `{name}(x, axis = 0)`"));
            }
            self.cx.report(error);
            return self.error(span);
        };
        let hint = hint
            .map(|hint| self.shallow(hint).elem().clone())
            .filter(|_| matches!(name, "sum" | "prod" | "min" | "max"));
        let value = self.arg(array, hint.as_ref());
        if value.ty == Type::Error {
            return value;
        }
        self.reduce_array(name, value, args.named("axis"), init, span)
    }

    fn reduce_clause(
        &mut self,
        name: &'static str,
        body: &'a ast::Expr,
        clause: &'a ast::ForClause,
        init: Option<CallArg<'a>>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let masked = clause.filter.is_some();
        let arg = matches!(name, "argmin" | "argmax");
        let present = masked && init.is_none() && (arg || matches!(name, "min" | "max"));
        let hint = hint.filter(|_| matches!(name, "sum" | "prod" | "min" | "max")).cloned();
        let mut bodies = vec![body];
        bodies.extend(&clause.filter);
        let bodies_of = bodies;
        let result = self.nest_clause(
            &clause.binders,
            clause.filter.as_ref(),
            &bodies_of,
            &mut |checker| {
                let elem = checker.expr(body, hint.as_ref());
                if arg { checker.arg_element(elem, &clause.binders, span) } else { elem }
            },
            &mut |checker, level| checker.reduce_level(name, level, present, init.is_some(), span),
        );
        match result {
            Some(value) => self.finish_reduction(name, value, present, init, span),
            None => self.error(span),
        }
    }

    fn reduce_array(
        &mut self,
        name: &'static str,
        value: Expr,
        axis: Option<CallArg<'a>>,
        init: Option<CallArg<'a>>,
        span: Span,
    ) -> Expr {
        let sizes = self.shallow(&value.ty).sizes().to_vec();
        if sizes.is_empty() {
            let shown = self.show(&value.ty);
            self.cx.report(
                Diagnostic::error(
                    codes::NOT_AN_ARRAY,
                    value.span,
                    format!("`{name}` reduces an array, this is `{shown}`"),
                )
                .with_note(format!("with an index: `{name}(… for i in 0..n)`")),
            );
            return self.error(span);
        }
        let mut pre = Vec::new();
        let array = self.hoist(&mut pre, value, "array");
        let Some(axis) = axis else {
            let result = self.reduce_axes(name, &array, &sizes, &mut Vec::new(), init, span);
            return if result.ty == Type::Error { result } else { self.wrap(pre, result) };
        };
        let Some(axis) = self.axis_number(&axis, sizes.len()) else { return self.error(span) };
        let outer: Vec<Size> =
            sizes.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, s)| s.clone()).collect();
        if outer.is_empty() {
            let result = self.reduce_axes(name, &array, &sizes, &mut Vec::new(), init, span);
            return if result.ty == Type::Error { result } else { self.wrap(pre, result) };
        }
        let along = sizes[axis].clone();
        let result = self.build(outer, span, &mut |body, locals| {
            let fixed: Vec<Expr> = locals.iter().map(|local| body.read(*local, span)).collect();
            let array = array.clone();
            let init = init.clone();
            body.reduce_one(name, &array, &along, axis, &fixed, init, span)
        });
        if result.ty == Type::Error { result } else { self.wrap(pre, result) }
    }

    fn reduce_axes(
        &mut self,
        name: &'static str,
        array: &Expr,
        sizes: &[Size],
        outer: &mut Vec<Expr>,
        init: Option<CallArg<'a>>,
        span: Span,
    ) -> Expr {
        let arg = matches!(name, "argmin" | "argmax");
        let mut indices: Vec<Expr> = Vec::new();
        let has_init = init.is_some();
        let rank = sizes.len();
        let result = self.nest_array(
            array,
            sizes,
            outer,
            &mut |body, elem| {
                if !arg {
                    return elem;
                }
                indices.clear();
                if let ExprKind::Index { subs, .. } = &elem.kind {
                    indices.extend(subs.iter().map(|sub| sub.index.clone()));
                }
                body.indexed(elem, indices.clone(), rank, span)
            },
            &mut |body, level| body.reduce_level(name, level, false, has_init, span),
        );
        match result {
            Some(value) => self.finish_reduction(name, value, false, init, span),
            None => self.error(span),
        }
    }

    /// Reduces one axis of an array at fixed other indices.
    #[expect(clippy::too_many_arguments, reason = "the parts of one reduction, used once")]
    fn reduce_one(
        &mut self,
        name: &'static str,
        array: &Expr,
        along: &Size,
        axis: usize,
        fixed: &[Expr],
        init: Option<CallArg<'a>>,
        span: Span,
    ) -> Expr {
        let arg = matches!(name, "argmin" | "argmax");
        let (index, elem) = self.in_region(|body| {
            let index = body.hidden_index("k", Some(along.clone()), span);
            let at = body.read(index, span);
            let mut subs = fixed.to_vec();
            subs.insert(axis, at.clone());
            let elem = body.element(array.clone(), subs);
            (index, if arg { body.indexed(elem, vec![at], 1, span) } else { elem })
        });
        let count = Box::new(self.size_expr(along.clone(), span));
        let level = Level { axis: LoopAxis { index, count }, mask: None, elem, innermost: true };
        match self.reduce_level(name, level, false, init.is_some(), span) {
            Some(value) => self.finish_reduction(name, value, false, init, span),
            None => self.error(span),
        }
    }

    /// The number after `axis =`.
    pub fn axis_number(&mut self, axis: &CallArg<'a>, rank: usize) -> Option<usize> {
        let value = self.arg(axis, Some(&Type::I64));
        if value.ty == Type::Error {
            return None;
        }
        let number = self.as_size(&value).and_then(|size| size.as_constant());
        match number {
            Some(number) if 0 <= number && (number as usize) < rank => Some(number as usize),
            Some(number) => {
                let mut error = Diagnostic::error(
                    codes::CONSTANT_INDEX,
                    axis.span,
                    format!("there is no axis {number}: the array has {rank}, numbered from 0"),
                );
                if number < 0 && rank as i64 + number >= 0 {
                    let spelled = (rank as i64 + number).to_string();
                    error = error.with_fix("count from the front", value.span, spelled);
                }
                self.cx.report(error);
                None
            }
            None => {
                self.cx.report(Diagnostic::error(
                    codes::NEEDS_CONSTANT,
                    axis.span,
                    "`axis` must be known at compile time",
                ));
                None
            }
        }
    }

    /// Operators that are not associative have no fixed result in a tree; `None` after a report.
    pub fn may_associate(&mut self, function: &FnVal<'a>, span: Span) -> Option<()> {
        use ast::BinOp::{Add, BitAnd, BitOr, BitXor, MatMul, Mul};
        let FnVal::Operator(op) = function else { return Some(()) };
        if matches!(op, Add | Mul | BitAnd | BitOr | BitXor | MatMul) {
            return Some(());
        }
        let message = format!("`{}` is not associative", op.symbol());
        self.cx.report(Diagnostic::error(codes::NEEDS_FUNCTION, span, message).with_note(
            "here stands `+ * & | ^`, `min`, `max` or a function; from left to right it is `fold`",
        ));
        None
    }

    /// After the last level: presence is checked, `init` joins, `arg…` gives the binder.
    fn finish_reduction(
        &mut self,
        name: &'static str,
        value: Expr,
        present: bool,
        init: Option<CallArg<'a>>,
        span: Span,
    ) -> Expr {
        let arg = matches!(name, "argmin" | "argmax");
        let mut pre = Vec::new();
        let mut value = value;
        if present {
            let Type::Tuple(parts) = self.shallow(&value.ty) else { return self.error(span) };
            let pair = self.hoist(&mut pre, value, name);
            let cond = self.field_of(pair.clone(), 0, Type::BOOL, span);
            let site = self.site(span, SiteKind::EmptyReduction { name: name.to_owned() });
            pre.push(Stmt { kind: StmtKind::Check { cond, site, notes: Vec::new() }, span });
            value = self.field_of(pair, 1, parts[1].clone(), span);
        }
        if arg {
            let Type::Tuple(parts) = self.shallow(&value.ty) else { return self.error(span) };
            let triple = self.hoist(&mut pre, value, name);
            value = self.field_of(triple, 2, parts[2].clone(), span);
        }
        if let Some(init) = init {
            let ty = value.ty.clone();
            let first = self.arg(&init, Some(&ty));
            let first = self.coerce(first, &ty, Wanted { span: Some(value.span), what: "the elements" });
            value = self.trait_fn(name, vec![first, value], span, name);
        }
        if value.ty == Type::Error { value } else { self.wrap(pre, value) }
    }
}
