//! Built-ins that move elements: all of them become index functions.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::{BinaryOp, CompareOp};
use we3_ir::span::Span;
use we3_parser::ast::ExprKind as Ast;

use super::Args;
use crate::check::body::Body;
use crate::check::body::call::{ArgValue, CallArg};
use crate::check::body::coerce::{Verdict, Wanted};
use crate::check::body::lambda::Target;
use crate::check::defs::Def;
use crate::check::traits::ImplArgs;
use crate::codes;
use crate::typed::{Block, Expr, ExprKind, Local, SiteKind, Size, Stmt, StmtKind, Type};

impl<'a> Body<'_, 'a, '_> {
    /// The array argument of a built-in, bound, with its sizes.
    fn array_arg(
        &mut self,
        name: &str,
        arg: &CallArg<'a>,
        hint: Option<&Type>,
        pre: &mut Vec<Stmt>,
    ) -> Option<(Expr, Vec<Size>)> {
        let value = self.arg(arg, hint);
        if value.ty == Type::Error {
            return None;
        }
        let sizes = self.shallow(&value.ty).sizes().to_vec();
        if sizes.is_empty() {
            let shown = self.show(&value.ty);
            self.cx.report(Diagnostic::error(
                codes::NOT_AN_ARRAY,
                arg.span,
                format!("`{name}` takes an array, this is `{shown}`"),
            ));
            return None;
        }
        Some((self.hoist(pre, value, "array"), sizes))
    }

    fn one_array(
        &mut self,
        name: &str,
        args: &Args<'a>,
        hint: Option<&Type>,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<(Expr, Vec<Size>)> {
        let [array] = args.positional.as_slice() else {
            self.arity(&format!("`{name}`"), 1, args.positional.len(), span);
            return None;
        };
        self.array_arg(name, array, hint, pre)
    }

    fn axis_or(&mut self, args: &Args<'a>, default: usize, rank: usize) -> Option<usize> {
        match args.named("axis") {
            None => Some(default),
            Some(axis) => self.axis_number(&axis, rank),
        }
    }

    fn reads(&mut self, locals: &[Local], span: Span) -> Vec<Expr> {
        locals.iter().map(|local| self.read(*local, span)).collect()
    }

    fn arithmetic(&self, op: BinaryOp, a: Expr, b: Expr, span: Span) -> Expr {
        Expr { kind: ExprKind::Binary(op, Box::new(a), Box::new(b), None), ty: Type::I64, span }
    }

    fn choose(&self, cond: Expr, then: Expr, otherwise: Expr, span: Span) -> Expr {
        let ty = then.ty.clone();
        let block = |value: Expr| Box::new(Block { stmts: Vec::new(), value: Some(Box::new(value)) });
        let kind = ExprKind::If { cond: Box::new(cond), then: block(then), otherwise: block(otherwise) };
        Expr { kind, ty, span }
    }

    fn less(&self, a: Expr, b: Expr, span: Span) -> Expr {
        Expr { kind: ExprKind::Compare(CompareOp::Lt, Box::new(a), Box::new(b)), ty: Type::BOOL, span }
    }

    /// `transpose(x)`: the axes in reverse; `transpose(x, axes = (1, 0, 2))`: in this order.
    pub fn transpose(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let mut pre = Vec::new();
        let Some((array, sizes)) = self.one_array("transpose", args, hint, &mut pre, span) else {
            return self.error(span);
        };
        let rank = sizes.len();
        let order = match args.named("axes") {
            None => (0..rank).rev().collect(),
            Some(axes) => match self.axis_order(&axes, rank) {
                Some(order) => order,
                None => return self.error(span),
            },
        };
        let permuted: Vec<Size> = order.iter().map(|axis: &usize| sizes[*axis].clone()).collect();
        let value = self.build(permuted, span, &mut |body, locals| {
            let mut subs: Vec<Expr> = body.reads(&locals, span);
            for (at, axis) in order.iter().enumerate() {
                subs[*axis] = body.read(locals[at], span);
            }
            body.element(array.clone(), subs)
        });
        self.wrap(pre, value)
    }

    fn axis_order(&mut self, axes: &CallArg<'a>, rank: usize) -> Option<Vec<usize>> {
        let mut order = Vec::new();
        if let ArgValue::Ast(expr) = &axes.value
            && let Ast::Tuple(parts) = &expr.kind
        {
            for part in parts {
                let arg = CallArg { name: None, value: ArgValue::Ast(part), span: part.span };
                order.push(self.axis_number(&arg, rank)?);
            }
        }
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if sorted.iter().copied().eq(0..rank) {
            return Some(order);
        }
        self.cx.report(
            Diagnostic::error(
                codes::NEEDS_CONSTANT,
                axes.span,
                format!("`axes` must name each of the {rank} axes once"),
            )
            .with_note("as in `transpose(x, axes = (0, 2, 1))`"),
        );
        None
    }

    /// `reshape(x, d…)`.
    pub fn reshape(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let Some((array, dims)) = args.positional.split_first() else {
            self.arity("`reshape`", 2, 0, span);
            return self.error(span);
        };
        let mut pre = Vec::new();
        let Some((array, old)) = self.array_arg("reshape", array, hint, &mut pre) else {
            return self.error(span);
        };
        if dims.is_empty() {
            self.arity("`reshape`", 2, 1, span);
            return self.error(span);
        }
        let Some(new) = self.size_args(dims, &mut pre) else { return self.error(span) };
        let product = |sizes: &[Size]| sizes.iter().fold(Size::constant(1), |total, size| total.times(size));
        let (have, want) = (product(&old), product(&new));
        match self.compare_sizes(&have, &want) {
            Verdict::Equal => {}
            Verdict::Different => {
                let (a, b) = (self.show_size(&have), self.show_size(&want));
                self.cx.report(
                    Diagnostic::error(
                        codes::SIZE_MISMATCH,
                        span,
                        format!("cannot reshape `{a}` elements into `{b}`"),
                    )
                    .with_label(array.span, format!("this has `{a}` elements")),
                );
                return self.error(span);
            }
            Verdict::Unknown => {
                let site = self.site(span, SiteKind::ReshapeCount);
                let (a, b) = (self.size_expr(have.clone(), span), self.size_expr(want.clone(), span));
                let kind = ExprKind::Compare(CompareOp::Eq, Box::new(a.clone()), Box::new(b.clone()));
                let cond = Expr { kind, ty: Type::BOOL, span };
                pre.push(Stmt { kind: StmtKind::Check { cond, site, notes: vec![a, b] }, span });
                self.learn_equal(&have, &want);
            }
        }
        let ty = self.shallow(&array.ty).elem().clone().with_axes(new);
        let value = Expr { kind: ExprKind::Reshape(Box::new(array)), ty, span };
        self.wrap(pre, value)
    }

    /// Several arrays of one element type and rank, bound.
    fn arrays(
        &mut self,
        name: &str,
        args: &Args<'a>,
        hint: Option<&Type>,
        pre: &mut Vec<Stmt>,
        span: Span,
    ) -> Option<Vec<(Expr, Vec<Size>)>> {
        let mut out: Vec<(Expr, Vec<Size>)> = Vec::new();
        let mut hint = hint.map(|hint| self.shallow(hint).elem().clone());
        for arg in &args.positional {
            let (value, sizes) = self.array_arg(name, arg, hint.as_ref(), pre)?;
            let elem = self.shallow(&value.ty).elem().clone();
            if let Some((first, first_sizes)) = out.first() {
                let first_elem = self.shallow(&first.ty).elem().clone();
                if !self.unify_elem(&first_elem, &elem) || first_sizes.len() != sizes.len() {
                    let (a, b) = (self.show(&first.ty), self.show(&value.ty));
                    let at = first.span;
                    self.cx.report(
                        Diagnostic::error(
                            codes::TYPE_MISMATCH,
                            value.span,
                            format!("`{name}` of `{a}` and `{b}`"),
                        )
                        .with_label(at, "the first one"),
                    );
                    return None;
                }
            }
            hint = Some(elem);
            out.push((value, sizes));
        }
        if out.is_empty() {
            self.arity(&format!("`{name}`"), 2, 0, span);
            return None;
        }
        Some(out)
    }

    /// `concat(a, b, …, axis = 0)`.
    pub fn concat(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let mut pre = Vec::new();
        let Some(arrays) = self.arrays("concat", args, hint, &mut pre, span) else { return self.error(span) };
        let first = arrays[0].1.clone();
        let Some(axis) = self.axis_or(args, 0, first.len()) else { return self.error(span) };
        let mut total = Size::default();
        for (value, sizes) in &arrays {
            for (at, (want, have)) in first.iter().zip(sizes).enumerate() {
                let wanted = Wanted { span: Some(arrays[0].0.span), what: "the first array" };
                if at != axis && !self.same_size(&mut pre, want, have, value.span, wanted) {
                    return self.error(span);
                }
            }
            total = total.plus(&sizes[axis]);
        }
        let mut sizes = first;
        sizes[axis] = total;
        let value = self.build(sizes, span, &mut |body, locals| {
            let mut start = Size::default();
            let mut starts = Vec::new();
            for (_, sizes) in &arrays {
                starts.push(start.clone());
                start = start.plus(&sizes[axis]);
            }
            let mut result: Option<Expr> = None;
            for ((array, sizes), start) in arrays.iter().zip(&starts).rev() {
                let mut subs = body.reads(&locals, span);
                let at = body.read(locals[axis], span);
                let offset = body.size_expr(start.clone(), span);
                if start.as_constant() != Some(0) {
                    subs[axis] = body.arithmetic(BinaryOp::Sub, at.clone(), offset, span);
                }
                let elem = body.element(array.clone(), subs);
                result = Some(match result {
                    None => elem,
                    Some(later) => {
                        let end = body.size_expr(start.plus(&sizes[axis]), span);
                        let cond = body.less(at, end, span);
                        body.choose(cond, elem, later, span)
                    }
                });
            }
            result.unwrap_or_else(|| body.error(span))
        });
        if value.ty == Type::Error { value } else { self.wrap(pre, value) }
    }

    /// `stack(a, b, …, axis = 0)`: along a new axis.
    pub fn stack(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let mut pre = Vec::new();
        let Some(arrays) = self.arrays("stack", args, hint, &mut pre, span) else { return self.error(span) };
        let first = arrays[0].1.clone();
        let Some(axis) = self.axis_or(args, 0, first.len() + 1) else { return self.error(span) };
        for (value, sizes) in &arrays {
            for (want, have) in first.iter().zip(sizes) {
                let wanted = Wanted { span: Some(arrays[0].0.span), what: "the first array" };
                if !self.same_size(&mut pre, want, have, value.span, wanted) {
                    return self.error(span);
                }
            }
        }
        let count = Size::constant(arrays.len() as i64);
        let elem = self.shallow(&arrays[0].0.ty).elem().clone();
        let mut sizes = first.clone();
        sizes.insert(axis, count.clone());
        if axis == 0 {
            let values = arrays.into_iter().map(|(value, _)| value).collect();
            let value = Expr { kind: ExprKind::Array(values), ty: elem.with_axes(sizes), span };
            return self.wrap(pre, value);
        }
        let value = self.build(sizes, span, &mut |body, locals| {
            let mut outer = locals.clone();
            let which = outer.remove(axis);
            let mut result: Option<Expr> = None;
            for (number, (array, _)) in arrays.iter().enumerate().rev() {
                let subs = body.reads(&outer, span);
                let elem = body.element(array.clone(), subs);
                result = Some(match result {
                    None => elem,
                    Some(later) => {
                        let at = body.read(which, span);
                        let end = body.int(number as i64 + 1, span);
                        let cond = body.less(at, end, span);
                        body.choose(cond, elem, later, span)
                    }
                });
            }
            result.unwrap_or_else(|| body.error(span))
        });
        if value.ty == Type::Error { value } else { self.wrap(pre, value) }
    }

    /// `pad(x, before, after, v)`: widths for all axes, or a tuple with one for each.
    pub fn pad(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let [array, before, after, fill] = args.positional.as_slice() else {
            self.arity("`pad`", 4, args.positional.len(), span);
            return self.error(span);
        };
        let mut pre = Vec::new();
        let Some((array, sizes)) = self.array_arg("pad", array, hint, &mut pre) else {
            return self.error(span);
        };
        let elem = self.shallow(&array.ty).elem().clone();
        let before = self.widths(before, sizes.len(), &mut pre);
        let after = self.widths(after, sizes.len(), &mut pre);
        let fill = self.arg(fill, Some(&elem));
        let fill = self.coerce(fill, &elem, Wanted { span: Some(array.span), what: "the element" });
        let (Some(before), Some(after), true) = (before, after, fill.ty != Type::Error) else {
            return self.error(span);
        };
        let fill = self.hoist(&mut pre, fill, "fill");
        let padded =
            sizes.iter().zip(before.iter().zip(&after)).map(|(n, (a, b))| n.plus(a).plus(b)).collect();
        let value = self.build(padded, span, &mut |body, locals| {
            let mut inside: Option<Expr> = None;
            let mut subs = Vec::new();
            for (axis, local) in locals.iter().enumerate() {
                let start = body.size_expr(before[axis].clone(), span);
                let at = body.read(*local, span);
                let at = body.arithmetic(BinaryOp::Sub, at, start, span);
                let size = body.size_expr(sizes[axis].clone(), span);
                let zero = body.int(0, span);
                let low = Expr {
                    kind: ExprKind::Compare(CompareOp::Ge, Box::new(at.clone()), Box::new(zero)),
                    ty: Type::BOOL,
                    span,
                };
                let high = body.less(at.clone(), size, span);
                let both = body.arithmetic(BinaryOp::And, low, high, span);
                let both = Expr { ty: Type::BOOL, ..both };
                inside = Some(match inside {
                    None => both,
                    Some(before) => {
                        Expr { ty: Type::BOOL, ..body.arithmetic(BinaryOp::And, before, both, span) }
                    }
                });
                subs.push(at);
            }
            let elem = body.element(array.clone(), subs);
            match inside {
                Some(cond) => body.choose(cond, elem, fill.clone(), span),
                None => elem,
            }
        });
        if value.ty == Type::Error { value } else { self.wrap(pre, value) }
    }

    fn widths(&mut self, arg: &CallArg<'a>, rank: usize, pre: &mut Vec<Stmt>) -> Option<Vec<Size>> {
        if let ArgValue::Ast(expr) = &arg.value
            && let Ast::Tuple(parts) = &expr.without_parens().kind
        {
            let parts: Vec<CallArg<'a>> = parts
                .iter()
                .map(|part| CallArg { name: None, value: ArgValue::Ast(part), span: part.span })
                .collect();
            if parts.len() != rank {
                self.cx.report(Diagnostic::error(
                    codes::ARGUMENT_COUNT,
                    arg.span,
                    format!("{} widths for {rank} axes", parts.len()),
                ));
                return None;
            }
            return self.size_args(&parts, pre);
        }
        let sizes = self.size_args(std::slice::from_ref(arg), pre)?;
        Some(vec![sizes.first()?.clone(); rank])
    }

    /// `reverse(x, axis = 0)`.
    pub fn reverse(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let mut pre = Vec::new();
        let Some((array, sizes)) = self.one_array("reverse", args, hint, &mut pre, span) else {
            return self.error(span);
        };
        let Some(axis) = self.axis_or(args, 0, sizes.len()) else { return self.error(span) };
        let last = sizes[axis].minus(&Size::constant(1));
        let value = self.build(sizes, span, &mut |body, locals| {
            let mut subs = body.reads(&locals, span);
            let last = body.size_expr(last.clone(), span);
            subs[axis] = body.arithmetic(BinaryOp::Sub, last, subs[axis].clone(), span);
            body.element(array.clone(), subs)
        });
        self.wrap(pre, value)
    }

    /// `roll(x, k, axis = 0)`: element i moves to i + k, around the end.
    pub fn roll(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let [array, by] = args.positional.as_slice() else {
            self.arity("`roll`", 2, args.positional.len(), span);
            return self.error(span);
        };
        let mut pre = Vec::new();
        let Some((array, sizes)) = self.array_arg("roll", array, hint, &mut pre) else {
            return self.error(span);
        };
        let by = self.arg(by, Some(&Type::I64));
        let by = self.as_index(by);
        let Some(axis) = self.axis_or(args, 0, sizes.len()) else { return self.error(span) };
        if by.ty == Type::Error {
            return by;
        }
        // k mod n, from 0 to n − 1 (n ≥ 1 so that an empty axis does not divide by zero).
        let by = self.hoist(&mut pre, by, "by");
        let n = self.size_expr(sizes[axis].max_with(&Size::constant(1)), span);
        let rest = self.arithmetic(BinaryOp::Rem, by, n.clone(), span);
        let rest = self.arithmetic(BinaryOp::Add, rest, n.clone(), span);
        let rest = self.arithmetic(BinaryOp::Rem, rest, n.clone(), span);
        let rest = self.arithmetic(BinaryOp::Sub, n.clone(), rest, span);
        let shift = self.hoist(&mut pre, rest, "shift");
        let value = self.build(sizes, span, &mut |body, locals| {
            let mut subs = body.reads(&locals, span);
            let moved = body.arithmetic(BinaryOp::Add, subs[axis].clone(), shift.clone(), span);
            subs[axis] = body.arithmetic(BinaryOp::Rem, moved, n.clone(), span);
            body.element(array.clone(), subs)
        });
        self.wrap(pre, value)
    }

    /// `sort(x)`: ascending and stable, along the last axis or `axis =`; the work is the prelude's `sort_vector`.
    pub fn sort(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let mut pre = Vec::new();
        let Some((array, sizes)) = self.one_array("sort", args, hint, &mut pre, span) else {
            return self.error(span);
        };
        let rank = sizes.len();
        let Some(axis) = self.axis_or(args, rank - 1, rank) else { return self.error(span) };
        let prelude = self.cx.defs.prelude;
        let Some(Def::Fn(id)) = prelude.and_then(|module| self.cx.own_name(module, "sort_vector")) else {
            self.cx.report(Diagnostic::error(
                codes::NOT_YET,
                span,
                "`sort` is not available yet: `std::prelude` has no `sort_vector`",
            ));
            return self.error(span);
        };
        let target = Target { id, outer: ImplArgs::default(), explicit: &[] };
        if rank == 1 {
            let value = self.call_def(&target, vec![CallArg::value(array)], None, span);
            return if value.ty == Type::Error { value } else { self.wrap(pre, value) };
        }
        let along = sizes[axis].clone();
        let outer: Vec<Size> =
            sizes.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, s)| s.clone()).collect();
        let sorted = self.build(outer, span, &mut |body, locals| {
            let row = body.build(vec![along.clone()], span, &mut |body, inner| {
                let mut subs = body.reads(&locals, span);
                subs.insert(axis, body.read(inner[0], span));
                body.element(array.clone(), subs)
            });
            body.call_def(&target, vec![CallArg::value(row)], None, span)
        });
        if sorted.ty == Type::Error {
            return sorted;
        }
        if axis == rank - 1 {
            return self.wrap(pre, sorted);
        }
        let sorted = self.hoist(&mut pre, sorted, "sorted");
        let value = self.build(sizes, span, &mut |body, locals| {
            let mut order = locals.clone();
            let moved = order.remove(axis);
            order.push(moved);
            let subs = body.reads(&order, span);
            body.element(sorted.clone(), subs)
        });
        self.wrap(pre, value)
    }
}
