//! Element-wise built-ins and those on whole values: `map`, `zip`, `select`, `mean`, `std`, bits,
//! `assert_close`, `assert_eq`.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::{BinaryOp, CompareOp};
use we3_ir::span::Span;
use we3_parser::ast::BinOp;

use super::Args;
use crate::check::body::Body;
use crate::check::body::call::{ArgValue, CallArg};
use crate::check::body::coerce::Wanted;
use crate::codes;
use crate::typed::{Expr, ExprKind, LoopAxis, ReduceOp, SiteKind, Size, Stmt, StmtKind, Type};

impl<'a> Body<'_, 'a, '_> {
    /// `map(f, x, …)`.
    pub fn map(&mut self, args: &Args<'a>, span: Span) -> Expr {
        let Some((function, values)) = args.positional.split_first() else {
            self.arity("`map`", 2, 0, span);
            return self.error(span);
        };
        let ArgValue::Ast(function) = &function.value else { return self.error(span) };
        let Some(function) = self.fn_value(function, "the first argument of `map`") else {
            return self.error(span);
        };
        if values.is_empty() {
            self.arity("`map`", 2, 1, span);
            return self.error(span);
        }
        let values: Vec<Expr> = values.iter().map(|arg| self.arg(arg, None)).collect();
        let depth = self.depth;
        self.lift(values, span, &mut |body, elems| {
            body.around.push((crate::check::body::Around::ArrayForm, depth));
            let value = body.apply(&function, elems, span);
            body.around.pop();
            value
        })
    }

    /// `zip(x, y)`: the array of tuples.
    pub fn zip(&mut self, args: &Args<'a>, span: Span) -> Expr {
        let values: Vec<Expr> = args.positional.iter().map(|arg| self.arg(arg, None)).collect();
        if values.len() < 2 {
            self.arity("`zip`", 2, values.len(), span);
            return self.error(span);
        }
        self.lift(values, span, &mut |_, elems| {
            let ty = Type::Tuple(elems.iter().map(|elem| elem.ty.clone()).collect());
            Expr { kind: ExprKind::Tuple(elems), ty, span }
        })
    }

    /// `select(c, a, b)`.
    pub fn select(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let [cond, a, b] = args.positional.as_slice() else {
            self.arity("`select`", 3, args.positional.len(), span);
            return self.error(span);
        };
        let elem_hint = hint.map(|hint| self.shallow(hint).elem().clone());
        let cond = self.arg(cond, Some(&Type::BOOL));
        let a = self.arg(a, elem_hint.as_ref());
        let a_elem = self.shallow(&a.ty).elem().clone();
        let b = self.arg(b, if a_elem == Type::Error { None } else { Some(&a_elem) });
        let b_span = b.span;
        let a_span = a.span;
        self.lift(vec![cond, a, b], span, &mut |body, mut elems| {
            let (b, a, cond) = (elems.pop(), elems.pop(), elems.pop());
            let (Some(cond), Some(a), Some(b)) = (cond, a, b) else { return body.error(span) };
            let cond = body.condition(cond);
            let ty = a.ty.clone();
            if let Err(mismatch) = body.unify(&ty, &b.ty, &mut Vec::new()) {
                let have = b.ty.clone();
                body.mismatch(
                    mismatch,
                    &ty,
                    &have,
                    b_span,
                    Wanted { span: Some(a_span), what: "the first choice" },
                );
                return body.error(span);
            }
            if cond.ty == Type::Error {
                return cond;
            }
            let kind = ExprKind::Select(Box::new(cond), Box::new(a), Box::new(b));
            Expr { kind, ty, span }
        })
    }

    /// `mean(x)`, `std(x)` (population), also with `axis`.
    pub fn mean_std(&mut self, name: &'static str, args: &Args<'a>, span: Span) -> Expr {
        let [array] = args.positional.as_slice() else {
            self.arity(&format!("`{name}`"), 1, args.positional.len(), span);
            return self.error(span);
        };
        let value = self.arg(array, None);
        if value.ty == Type::Error {
            return value;
        }
        let sizes = self.shallow(&value.ty).sizes().to_vec();
        if sizes.is_empty() {
            let shown = self.show(&value.ty);
            self.cx.report(Diagnostic::error(
                codes::NOT_AN_ARRAY,
                array.span,
                format!("`{name}` of `{shown}`, which is no array"),
            ));
            return self.error(span);
        }
        let mut pre = Vec::new();
        let array = self.hoist(&mut pre, value, "array");
        let axis = match args.named("axis") {
            None => None,
            Some(axis) => match self.axis_number(&axis, sizes.len()) {
                Some(axis) => Some(axis),
                None => return self.error(span),
            },
        };
        let count = match axis {
            Some(axis) => sizes[axis].clone(),
            None => sizes.iter().fold(Size::constant(1), |total, size| total.times(size)),
        };
        let mean = self.mean_of(array.clone(), axis, &sizes, &count, span);
        if name == "mean" || mean.ty == Type::Error {
            return if mean.ty == Type::Error { mean } else { self.wrap(pre, mean) };
        }
        let mean = self.hoist(&mut pre, mean, "mean");
        let deviation = self.deviation(&array, &mean, axis, &sizes, span);
        if deviation.ty == Type::Error {
            return deviation;
        }
        let deviation = self.hoist(&mut pre, deviation, "deviation");
        let variance = self.mean_of(deviation, axis, &sizes, &count, span);
        let root =
            self.lift(vec![variance], span, &mut |body, elems| body.trait_fn("sqrt", elems, span, "sqrt"));
        if root.ty == Type::Error { root } else { self.wrap(pre, root) }
    }

    fn mean_of(
        &mut self,
        array: Expr,
        axis: Option<usize>,
        sizes: &[Size],
        count: &Size,
        span: Span,
    ) -> Expr {
        let elem = self.shallow(array.ty.elem());
        if !matches!(elem, Type::Infer(_)) && !self.has_trait(&elem, "Float") {
            let shown = self.show(&elem);
            self.cx.report(
                Diagnostic::error(
                    codes::NOT_A_NUMBER,
                    array.span,
                    format!("a mean of `{shown}` needs a float type"),
                )
                .with_note("convert first: `mean(x as f64)`"),
            );
            return self.error(span);
        }
        let total = self.sum_of(array, axis, sizes, span);
        let count = self.size_expr(count.clone(), span);
        self.lift(vec![total], span, &mut |body, mut elems| {
            let total = elems.remove(0);
            let ty = total.ty.clone();
            let count = body.cast_value(count.clone(), &ty, span, span);
            body.trait_fn("div", vec![total, count], span, "/")
        })
    }

    fn sum_of(&mut self, array: Expr, axis: Option<usize>, sizes: &[Size], span: Span) -> Expr {
        let args = Args { positional: vec![CallArg::value(array)], named: Vec::new() };
        match axis {
            None => self.reduction("sum", args, None, None, span),
            Some(axis) => {
                let Some(array) = args.positional.into_iter().next() else { return self.error(span) };
                let ArgValue::Value(array) = array.value else { return self.error(span) };
                self.sum_axis(&array, axis, sizes, span)
            }
        }
    }

    fn sum_axis(&mut self, array: &Expr, axis: usize, sizes: &[Size], span: Span) -> Expr {
        let outer: Vec<Size> =
            sizes.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, s)| s.clone()).collect();
        let along = sizes[axis].clone();
        let one = |body: &mut Self, fixed: &[Expr]| {
            let (index, elem) = body.in_region(|body| {
                let index = body.hidden_index("k", Some(along.clone()), span);
                let mut subs = fixed.to_vec();
                subs.insert(axis, body.read(index, span));
                (index, body.element(array.clone(), subs))
            });
            let ty = elem.ty.clone();
            let count = Box::new(body.size_expr(along.clone(), span));
            let kind = ExprKind::Reduce {
                op: ReduceOp::Sum,
                axis: LoopAxis { index, count },
                mask: None,
                body: Box::new(elem),
            };
            Expr { kind, ty, span }
        };
        if outer.is_empty() {
            return one(self, &[]);
        }
        self.build(outer, span, &mut |body, locals| {
            let fixed: Vec<Expr> = locals.iter().map(|local| body.read(*local, span)).collect();
            one(body, &fixed)
        })
    }

    /// Squares of the distances from the mean.
    fn deviation(
        &mut self,
        array: &Expr,
        mean: &Expr,
        axis: Option<usize>,
        sizes: &[Size],
        span: Span,
    ) -> Expr {
        self.build(sizes.to_vec(), span, &mut |body, locals| {
            let subs: Vec<Expr> = locals.iter().map(|local| body.read(*local, span)).collect();
            let elem = body.element(array.clone(), subs.clone());
            let mean = match axis {
                Some(axis) if body.is_array(&mean.ty) => {
                    let mut subs = subs;
                    subs.remove(axis);
                    body.element(mean.clone(), subs)
                }
                _ => mean.clone(),
            };
            let mut pre = Vec::new();
            let distance = body.trait_fn("sub", vec![elem, mean], span, "-");
            let distance = body.hoist(&mut pre, distance, "distance");
            let square = body.trait_fn("mul", vec![distance.clone(), distance], span, "*");
            body.wrap(pre, square)
        })
    }

    /// `bitcast(x)`: the same bits as the type that is asked for.
    pub fn bitcast(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let [value] = args.positional.as_slice() else {
            self.arity("`bitcast`", 1, args.positional.len(), span);
            return self.error(span);
        };
        let value = self.arg(value, None);
        let target = hint.map(|hint| self.shallow(self.shallow(hint).elem()));
        let Some(Type::Scalar(target)) = target else {
            self.cx.report(
                Diagnostic::error(
                    codes::CANNOT_INFER,
                    span,
                    "the type to cast the bits to is not known here",
                )
                .with_note("give it a place with a type: `let y: u32 = bitcast(x);`"),
            );
            return self.error(span);
        };
        self.lift(vec![value], span, &mut |body, mut elems| {
            let value = elems.remove(0);
            body.default_var(&value.ty);
            let from = body.shallow(&value.ty);
            if from == Type::Error {
                return value;
            }
            if from.as_scalar().is_some_and(|from| from.bits() == target.bits()) {
                return Expr { kind: ExprKind::Bitcast(Box::new(value)), ty: Type::Scalar(target), span };
            }
            let shown = body.show(&from);
            body.cx.report(Diagnostic::error(
                codes::BAD_CAST,
                span,
                format!("`{shown}` and `{target}` have different widths"),
            ));
            body.error(span)
        })
    }

    /// `mul_wide(a, b)` = (low, high); `add_carry(a, b, c)` = (sum, carry).
    pub fn wide(&mut self, name: &'static str, args: &Args<'a>, span: Span) -> Expr {
        let wanted = if name == "mul_wide" { 2 } else { 3 };
        if args.positional.len() != wanted {
            self.arity(&format!("`{name}`"), wanted, args.positional.len(), span);
            return self.error(span);
        }
        let mut values = Vec::new();
        let mut hint: Option<Type> = None;
        for arg in args.positional.iter().take(2) {
            let value = self.arg(arg, hint.as_ref());
            hint = Some(self.shallow(&value.ty).elem().clone());
            values.push(value);
        }
        if let Some(carry) = args.positional.get(2) {
            values.push(self.arg(carry, Some(&Type::BOOL)));
        }
        self.lift(values, span, &mut |body, elems| {
            let mut pre = Vec::new();
            let elems: Vec<Expr> = elems.into_iter().map(|elem| body.hoist(&mut pre, elem, "word")).collect();
            if !body.unify_elem(&elems[0].ty, &elems[1].ty) {
                return body.binary_values(BinOp::Add, span, elems[0].clone(), elems[1].clone(), span);
            }
            let ty = elems[0].ty.clone();
            let Type::Scalar(scalar) = body.resolve(&ty) else {
                body.cx.report(Diagnostic::error(
                    codes::CANNOT_INFER,
                    span,
                    format!("the integer type of `{name}` is not known here"),
                ));
                return body.error(span);
            };
            if !scalar.is_int() {
                let shown = body.show(&ty);
                body.cx.report(Diagnostic::error(
                    codes::NOT_A_NUMBER,
                    span,
                    format!("`{name}` is for integers, this is `{shown}`"),
                ));
                return body.error(span);
            }
            let binary = |op, a: &Expr, b: &Expr| Expr {
                kind: ExprKind::Binary(op, Box::new(a.clone()), Box::new(b.clone()), None),
                ty: ty.clone(),
                span,
            };
            let less = |a: &Expr, b: &Expr| Expr {
                kind: ExprKind::Compare(CompareOp::Lt, Box::new(a.clone()), Box::new(b.clone())),
                ty: Type::BOOL,
                span,
            };
            let (low, high) = if name == "mul_wide" {
                (binary(BinaryOp::Mul, &elems[0], &elems[1]), binary(BinaryOp::MulHi, &elems[0], &elems[1]))
            } else {
                let carry_in = body.condition(elems[2].clone());
                let carry_in = body.convert(carry_in, scalar);
                let first = binary(BinaryOp::Add, &elems[0], &elems[1]);
                let first = body.hoist(&mut pre, first, "sum");
                let second = binary(BinaryOp::Add, &first, &carry_in);
                let second = body.hoist(&mut pre, second, "sum");
                let carry = Expr {
                    kind: ExprKind::Binary(
                        BinaryOp::Or,
                        Box::new(less(&first, &elems[0])),
                        Box::new(less(&second, &first)),
                        None,
                    ),
                    ty: Type::BOOL,
                    span,
                };
                (second, carry)
            };
            let tuple = Type::Tuple(vec![low.ty.clone(), high.ty.clone()]);
            let value = Expr { kind: ExprKind::Tuple(vec![low, high]), ty: tuple, span };
            body.wrap(pre, value)
        })
    }

    /// `assert_close(a, b, rtol = …, atol = …)`: |a − b| ≤ atol + rtol · |b|, or both NaN or equal.
    pub fn assert_close(&mut self, args: &Args<'a>, span: Span) -> Expr {
        let [a, b] = args.positional.as_slice() else {
            self.arity("`assert_close`", 2, args.positional.len(), span);
            return self.error(span);
        };
        let a = self.arg(a, None);
        let elem = self.shallow(&a.ty).elem().clone();
        let b = self.arg(b, if elem == Type::Error { None } else { Some(&elem) });
        let mut tolerance = Vec::new();
        for name in ["rtol", "atol"] {
            let value = match args.named(name) {
                Some(arg) => self.arg(&arg, Some(&elem)),
                None => self.constant_of("zero", &elem, span),
            };
            tolerance.push(value);
        }
        let (atol, rtol) = (tolerance.pop(), tolerance.pop());
        let (Some(atol), Some(rtol)) = (atol, rtol) else { return self.error(span) };
        let mut pre = Vec::new();
        let atol = self.hoist(&mut pre, atol, "atol");
        let rtol = self.hoist(&mut pre, rtol, "rtol");
        let Some((a, b)) = self.same_shape(a, b, &mut pre, span) else { return self.error(span) };
        let close = self.lift(vec![a, b], span, &mut |body, mut elems| {
            let (b, a) = (elems.pop(), elems.pop());
            let (Some(a), Some(b)) = (a, b) else { return body.error(span) };
            if !body.unify_elem(&a.ty, &b.ty)
                || !body.unify_elem(&a.ty, &rtol.ty)
                || !body.unify_elem(&a.ty, &atol.ty)
            {
                return body.binary_values(BinOp::Sub, span, a, b, span);
            }
            body.is_close(a, b, rtol.clone(), atol.clone(), span)
        });
        self.assert_all(close, pre, "the values are not close", span)
    }

    fn is_close(&mut self, a: Expr, b: Expr, rtol: Expr, atol: Expr, span: Span) -> Expr {
        let mut pre = Vec::new();
        let a = self.hoist(&mut pre, a, "a");
        let b = self.hoist(&mut pre, b, "b");
        let difference = self.trait_fn("sub", vec![a.clone(), b.clone()], span, "-");
        let difference = self.trait_fn("abs", vec![difference], span, "abs");
        let size = self.trait_fn("abs", vec![b.clone()], span, "abs");
        let scaled = self.trait_fn("mul", vec![rtol, size], span, "*");
        let limit = self.trait_fn("add", vec![atol, scaled], span, "+");
        let near = self.trait_fn("le", vec![difference, limit], span, "<=");
        let equal = self.trait_fn("eq", vec![a.clone(), b.clone()], span, "==");
        let a_nan = self.trait_fn("ne", vec![a.clone(), a], span, "!=");
        let b_nan = self.trait_fn("ne", vec![b.clone(), b], span, "!=");
        if [&near, &equal, &a_nan, &b_nan].iter().any(|value| value.ty == Type::Error) {
            return self.error(span);
        }
        let logic = |op, a: Expr, b: Expr| Expr {
            kind: ExprKind::Binary(op, Box::new(a), Box::new(b), None),
            ty: Type::BOOL,
            span,
        };
        let value = logic(BinaryOp::Or, near, logic(BinaryOp::Or, equal, logic(BinaryOp::And, a_nan, b_nan)));
        self.wrap(pre, value)
    }

    /// `assert_eq(a, b)`: equal everywhere.
    pub fn assert_eq(&mut self, args: &Args<'a>, span: Span) -> Expr {
        let [a, b] = args.positional.as_slice() else {
            self.arity("`assert_eq`", 2, args.positional.len(), span);
            return self.error(span);
        };
        let a = self.arg(a, None);
        let elem = self.shallow(&a.ty).elem().clone();
        let b = self.arg(b, if elem == Type::Error { None } else { Some(&elem) });
        let mut pre = Vec::new();
        let Some((a, b)) = self.same_shape(a, b, &mut pre, span) else { return self.error(span) };
        let equal = self.binary_values(BinOp::Eq, span, a, b, span);
        self.assert_all(equal, pre, "the values are not equal", span)
    }

    /// Both sides of an assertion have one shape; nothing stretches.
    fn same_shape(&mut self, a: Expr, b: Expr, pre: &mut Vec<Stmt>, span: Span) -> Option<(Expr, Expr)> {
        if a.ty == Type::Error || b.ty == Type::Error {
            return None;
        }
        let a = self.hoist(pre, a, "left");
        let b = self.hoist(pre, b, "right");
        let (left, right) = (self.shallow(&a.ty), self.shallow(&b.ty));
        if left.rank() != right.rank() {
            let (left, right) = (self.show(&left), self.show(&right));
            self.cx.report(Diagnostic::error(
                codes::WRONG_RANK,
                span,
                format!("`{left}` is compared with `{right}`"),
            ));
            return None;
        }
        for (x, y) in left.sizes().iter().zip(right.sizes()) {
            let wanted = Wanted { span: Some(a.span), what: "the left side" };
            if !self.same_size(pre, x, y, b.span, wanted) {
                return None;
            }
        }
        Some((a, b))
    }

    fn assert_all(&mut self, value: Expr, mut pre: Vec<Stmt>, message: &str, span: Span) -> Expr {
        if value.ty == Type::Error {
            return value;
        }
        let cond = if self.is_array(&value.ty) {
            let args = Args { positional: vec![CallArg::value(value)], named: Vec::new() };
            self.reduction("all", args, None, None, span)
        } else {
            self.condition(value)
        };
        if cond.ty == Type::Error {
            return cond;
        }
        let site = self.site(span, SiteKind::Assert { message: Some(message.to_owned()) });
        pre.push(Stmt { kind: StmtKind::Check { cond, site, notes: Vec::new() }, span });
        let unit = self.unit(span);
        self.wrap(pre, unit)
    }
}
