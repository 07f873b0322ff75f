//! Reductions over clauses and arrays: `sum prod min max any all count argmin argmax`, `reduce`.
//! Several axes are nested one-axis reductions, the last innermost.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::{BinaryOp, CompareOp, Order};
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::builtins::Args;
use super::call::{ArgValue, CallArg};
use super::coerce::Wanted;
use super::lambda::FnVal;
use super::{Around, Body};
use crate::codes;
use crate::typed::{Block, Expr, ExprKind, LoopAxis, ReduceOp, SiteKind, Size, Stmt, StmtKind, Type};

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
            return self.call_trait_fn(None, name, None, args.positional, hint, span);
        }
        let [array] = args.positional.as_slice() else {
            self.arity(&format!("`{name}`"), 1, args.positional.len(), span);
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

    /// One level of a reduction by name.
    fn reduce_level(
        &mut self,
        name: &'static str,
        level: Level,
        present: bool,
        has_init: bool,
        span: Span,
    ) -> Option<Expr> {
        let elem_ty = self.shallow(&level.elem.ty);
        if let Type::Array { .. } = elem_ty {
            let shown = self.show(&elem_ty);
            self.cx.report(
                Diagnostic::error(codes::BAD_ELEMENT, level.elem.span, format!("`{name}` combines scalars, tuples or records, this is `{shown}`"))
                    .with_note(format!("to combine arrays element by element: `[{name}(x[i, j] for i) for j]`, or `{name}(x, axis = 0)`")),
            );
            return None;
        }
        if matches!(name, "sum" | "prod") && level.innermost {
            self.warn_narrow(name, &elem_ty, level.elem.span);
        }
        match name {
            "sum" | "prod" => self.additive(name, level, span),
            "any" | "all" => {
                let elem = self.condition(level.elem);
                if elem.ty == Type::Error {
                    return None;
                }
                let op = if name == "any" { ReduceOp::Any } else { ReduceOp::All };
                Some(self.reduce_node(op, level.axis, level.mask, elem, Type::BOOL, span))
            }
            "count" => {
                let innermost = level.innermost;
                let elem = if innermost {
                    let elem = self.condition(level.elem);
                    if elem.ty == Type::Error {
                        return None;
                    }
                    self.convert(Expr { ty: Type::BOOL, ..elem }, Scalar::I64)
                } else {
                    level.elem
                };
                Some(self.reduce_node(ReduceOp::Sum, level.axis, level.mask, elem, Type::I64, span))
            }
            _ => self.extreme(name, level, present, has_init, span),
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

    /// `-W narrow`: sums of `u8` and its like wrap.
    fn warn_narrow(&mut self, name: &str, ty: &Type, span: Span) {
        if let Type::Scalar(scalar) = ty
            && scalar.is_int()
            && scalar.bits() <= 16
        {
            self.cx.report(
                Diagnostic::warning(
                    codes::NARROW_SUM,
                    span,
                    format!("this `{name}` of `{ty}` wraps at {} bits", scalar.bits(), ty = scalar.name()),
                )
                .with_note("widen the elements: `sum(v as i64 for v in x)`"),
            );
        }
    }

    fn reduce_node(
        &self,
        op: ReduceOp,
        axis: LoopAxis,
        mask: Option<Expr>,
        body: Expr,
        ty: Type,
        span: Span,
    ) -> Expr {
        let kind = ExprKind::Reduce { op, axis, mask: mask.map(Box::new), body: Box::new(body) };
        Expr { kind, ty, span }
    }

    /// `sum` and `prod`: in lanes; halves are widened, records and tuples combine by their operators.
    fn additive(&mut self, name: &'static str, level: Level, span: Span) -> Option<Expr> {
        let (op, scalar_op, constant) = match name {
            "sum" => ("add", ReduceOp::Sum, "zero"),
            _ => ("mul", ReduceOp::Prod, "one"),
        };
        let ty = self.resolve(&level.elem.ty);
        match &ty {
            Type::Scalar(Scalar::Bool) => {
                self.cx.report(
                    Diagnostic::error(codes::NOT_A_NUMBER, level.elem.span, format!("`{name}` of `bool`s"))
                        .with_fix("count them", Span { hi: span.lo + name.len() as u32, ..span }, "count"),
                );
                None
            }
            Type::Scalar(half @ (Scalar::F16 | Scalar::Bf16)) => {
                let half = *half;
                let elem = self.convert(level.elem, Scalar::F32);
                let value = self.reduce_node(
                    scalar_op,
                    level.axis,
                    level.mask,
                    elem,
                    Type::Scalar(Scalar::F32),
                    span,
                );
                Some(self.convert(value, half))
            }
            Type::Scalar(_) | Type::Infer(_) => {
                let ty = level.elem.ty.clone();
                Some(self.reduce_node(scalar_op, level.axis, level.mask, level.elem, ty, span))
            }
            Type::Array { .. } | Type::Tuple(_) | Type::Record(_) | Type::Param(_) | Type::Error => {
                let empty = self.constant_of(constant, &ty, span);
                let combine =
                    self.combine_with(&ty, span, &mut |body, a, b| body.component_wise(op, a, b, span))?;
                let reduce = ReduceOp::Combine { order: Order::Lanes, empty: Box::new(empty), combine };
                Some(self.reduce_node(reduce, level.axis, level.mask, level.elem, ty, span))
            }
        }
    }

    /// An operator on elements, part by part on tuples.
    pub fn component_wise(&mut self, op: &str, a: Expr, b: Expr, span: Span) -> Expr {
        let ty = self.shallow(&a.ty);
        let Type::Tuple(parts) = &ty else {
            if self.vector_record(&ty) && !self.record_has(None, op, &ty) && op == "add" {
                return self.binary_values(ast::BinOp::Add, span, a, b, span);
            }
            return self.trait_fn(op, vec![a, b], span, op);
        };
        let values: Vec<Expr> = parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let left = self.field_of(a.clone(), index as u32, part.clone(), span);
                let right = self.field_of(b.clone(), index as u32, part.clone(), span);
                self.component_wise(op, left, right, span)
            })
            .collect();
        if values.iter().any(|value| value.ty == Type::Error) {
            return self.error(span);
        }
        Expr { kind: ExprKind::Tuple(values), ty, span }
    }

    /// `zero` or `one` of a type, part by part on tuples.
    pub fn constant_of(&mut self, name: &str, ty: &Type, span: Span) -> Expr {
        match self.shallow(ty) {
            Type::Tuple(parts) => {
                let values = parts.iter().map(|part| self.constant_of(name, part, span)).collect();
                Expr { kind: ExprKind::Tuple(values), ty: ty.clone(), span }
            }
            Type::Record(record) if self.vector_record(ty) && !self.record_has(None, name, ty) => {
                let values = self
                    .fields(&record)
                    .into_iter()
                    .map(|field| self.constant_of(name, &field.ty, span))
                    .collect();
                Expr { kind: ExprKind::Tuple(values), ty: ty.clone(), span }
            }
            Type::Scalar(_)
            | Type::Array { .. }
            | Type::Record(_)
            | Type::Infer(_)
            | Type::Param(_)
            | Type::Error => {
                let of = self.cx.builtin_trait("Semiring");
                self.trait_const(of, name, ty, span)
            }
        }
    }

    /// `min`, `max`, `argmin`, `argmax`.
    fn extreme(
        &mut self,
        name: &'static str,
        level: Level,
        present: bool,
        has_init: bool,
        span: Span,
    ) -> Option<Expr> {
        let smaller = matches!(name, "min" | "argmin");
        let arg = matches!(name, "argmin" | "argmax");
        let Level { axis, mask, elem, innermost } = level;
        let elem = if present && innermost { self.with_present(elem, span) } else { elem };
        let ty = self.resolve(&elem.ty);
        let value = if present {
            let combine = self.present_combine(&ty, span, &mut |body, a, b| body.better(name, a, b, span))?;
            let empty = Box::new(self.blank_value(&ty, span));
            let op = ReduceOp::Combine { order: Order::Free, empty, combine };
            self.reduce_node(op, axis.clone(), mask, elem, ty, span)
        } else if !arg && matches!(ty, Type::Scalar(_) | Type::Infer(_)) {
            if ty == Type::BOOL {
                self.trait_fn(name, vec![elem], span, name);
                return None;
            }
            let op = if smaller { ReduceOp::Min } else { ReduceOp::Max };
            self.reduce_node(op, axis.clone(), mask, elem, ty, span)
        } else {
            let combine = self.combine_with(&ty, span, &mut |body, a, b| body.better(name, a, b, span))?;
            let empty = Box::new(self.blank_value(&ty, span));
            let order = if arg { Order::Free } else { Order::Pairs };
            self.reduce_node(ReduceOp::Combine { order, empty, combine }, axis.clone(), mask, elem, ty, span)
        };
        if present || has_init {
            return Some(value);
        }
        let mut pre = Vec::new();
        self.check_not_empty(name, &axis, &mut pre, span);
        Some(self.wrap(pre, value))
    }

    fn check_not_empty(&mut self, name: &str, axis: &LoopAxis, pre: &mut Vec<Stmt>, span: Span) {
        let proved = self.as_size(&axis.count).and_then(|size| size.as_constant());
        match proved {
            Some(count) if count > 0 => return,
            Some(_) => {
                self.cx.report(
                    Diagnostic::error(codes::BAD_SIZE, span, format!("`{name}` of nothing"))
                        .with_note(format!("`{name}(init = v, …)` allows an empty range")),
                );
                return;
            }
            None => {}
        }
        let site = self.site(span, SiteKind::EmptyReduction { name: name.to_owned() });
        let zero = self.int(0, span);
        let kind = ExprKind::Compare(CompareOp::Gt, axis.count.clone(), Box::new(zero));
        let cond = Expr { kind, ty: Type::BOOL, span };
        pre.push(Stmt { kind: StmtKind::Check { cond, site, notes: Vec::new() }, span });
    }

    /// `(true, value)`.
    fn with_present(&self, value: Expr, span: Span) -> Expr {
        let ty = Type::Tuple(vec![Type::BOOL, value.ty.clone()]);
        let yes = self.constant(Scalar::Bool, 1, span);
        Expr { kind: ExprKind::Tuple(vec![yes, value]), ty, span }
    }

    /// Combines `(present, value)` pairs; absent ones leave the other alone.
    fn present_combine(
        &mut self,
        ty: &Type,
        span: Span,
        make: &mut dyn FnMut(&mut Self, Expr, Expr) -> Expr,
    ) -> Option<crate::typed::Combine> {
        let Type::Tuple(parts) = ty else { return None };
        let inner = parts.get(1)?.clone();
        self.combine_with(ty, span, &mut |body, a, b| {
            let has_a = body.field_of(a.clone(), 0, Type::BOOL, span);
            let has_b = body.field_of(b.clone(), 0, Type::BOOL, span);
            let value_a = body.field_of(a, 1, inner.clone(), span);
            let value_b = body.field_of(b, 1, inner.clone(), span);
            let binary = |op, a: &Expr, b: &Expr| Expr {
                kind: ExprKind::Binary(op, Box::new(a.clone()), Box::new(b.clone()), None),
                ty: Type::BOOL,
                span,
            };
            let both = binary(BinaryOp::And, &has_a, &has_b);
            let either = binary(BinaryOp::Or, &has_a, &has_b);
            let combined = body.in_region(|body| make(body, value_a.clone(), value_b.clone()));
            if combined.ty == Type::Error {
                return combined;
            }
            let one = Expr {
                kind: ExprKind::Select(Box::new(has_a), Box::new(value_a), Box::new(value_b)),
                ty: inner.clone(),
                span,
            };
            let value = Expr {
                kind: ExprKind::If {
                    cond: Box::new(both),
                    then: Box::new(Block { stmts: Vec::new(), value: Some(Box::new(combined)) }),
                    otherwise: Box::new(Block { stmts: Vec::new(), value: Some(Box::new(one)) }),
                },
                ty: inner.clone(),
                span,
            };
            let ty = Type::Tuple(vec![Type::BOOL, inner.clone()]);
            Expr { kind: ExprKind::Tuple(vec![either, value]), ty, span }
        })
    }

    /// A value that nobody looks at.
    pub fn blank_value(&self, ty: &Type, span: Span) -> Expr {
        Expr { kind: ExprKind::Pending(u32::MAX, Vec::new()), ty: ty.clone(), span }
    }

    /// The better of two values, or of two `(value, position, binder)` triples.
    fn better(&mut self, name: &str, a: Expr, b: Expr, span: Span) -> Expr {
        match name {
            "min" | "max" => self.trait_fn(name, vec![a, b], span, name),
            _ => self.better_arg(name == "argmin", a, b, span),
        }
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
