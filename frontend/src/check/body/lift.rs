//! Element-wise: any function of elements over arrays, with the broadcasting of the language (only an
//! axis written as the literal 1, or missing on the left, stretches).

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;

use super::Body;
use super::coerce::{Verdict, Wanted};
use crate::codes;
use crate::typed::{Axis, Expr, ExprKind, Local, Size, Stmt, Sub, Type};

impl Body<'_, '_, '_> {
    /// Applies `function` to elements of the arguments; scalars stand for themselves everywhere.
    pub fn lift(
        &mut self,
        args: Vec<Expr>,
        span: Span,
        function: &mut dyn FnMut(&mut Self, Vec<Expr>) -> Expr,
    ) -> Expr {
        if args.iter().any(|arg| arg.ty == Type::Error) {
            return self.error(span);
        }
        if !args.iter().any(|arg| self.is_array(&arg.ty)) {
            return function(self, args);
        }
        let mut pre = Vec::new();
        let args: Vec<Expr> = args.into_iter().map(|arg| self.hoist(&mut pre, arg, "operand")).collect();
        let Some(sizes) = self.broadcast(&mut pre, &args, span) else { return self.error(span) };
        let rank = sizes.len();
        let value = self.build(sizes, span, &mut |body, indices| {
            let elems = args.iter().map(|arg| body.stretched(arg, &indices, rank)).collect();
            function(body, elems)
        });
        if value.ty == Type::Error {
            return value;
        }
        self.wrap(pre, value)
    }

    /// The element of an operand at an index of the result.
    fn stretched(&mut self, arg: &Expr, indices: &[Local], rank: usize) -> Expr {
        let sizes = self.shallow(&arg.ty).sizes().to_vec();
        if sizes.is_empty() {
            return arg.clone();
        }
        let missing = rank - sizes.len();
        let subs: Vec<Expr> = sizes
            .iter()
            .zip(&indices[missing..])
            .map(|(size, index)| match size.as_constant() {
                Some(1) => self.int(0, arg.span),
                _ => self.read(*index, arg.span),
            })
            .collect();
        self.element(arg.clone(), subs)
    }

    /// `base[subs]` with subscripts known to be in range, one per axis.
    pub fn element(&mut self, base: Expr, subs: Vec<Expr>) -> Expr {
        let (ty, span) = (self.shallow(&base.ty).elem().clone(), base.span);
        let subs = subs.into_iter().map(|index| Sub { index, site: None }).collect();
        Expr { kind: ExprKind::Index { base: Box::new(base), subs }, ty, span }
    }

    /// The axes of the result; `None` after a report.
    fn broadcast(&mut self, pre: &mut Vec<Stmt>, args: &[Expr], span: Span) -> Option<Vec<Size>> {
        let shapes: Vec<(Vec<Size>, Span)> = args
            .iter()
            .map(|arg| (self.shallow(&arg.ty).sizes().to_vec(), arg.span))
            .filter(|(sizes, _)| !sizes.is_empty())
            .collect();
        let rank = shapes.iter().map(|(sizes, _)| sizes.len()).max()?;
        let mut out: Vec<Option<(Size, Span)>> = vec![None; rank];
        for (sizes, from) in &shapes {
            let missing = rank - sizes.len();
            for (axis, size) in sizes.iter().enumerate() {
                let slot = &mut out[missing + axis];
                match slot {
                    None => *slot = Some((size.clone(), *from)),
                    Some((known, _)) if known.as_constant() == Some(1) => {
                        *slot = Some((size.clone(), *from));
                    }
                    Some((known, first)) => {
                        if size.as_constant() == Some(1) {
                            continue;
                        }
                        let (known, first) = (known.clone(), *first);
                        if self.compare_sizes(&known, size) == Verdict::Different {
                            self.report_broadcast(&shapes, missing + axis, span);
                            return None;
                        }
                        let wanted = Wanted { span: Some(first), what: "the other operand" };
                        self.same_size(pre, &known, size, *from, wanted);
                    }
                }
            }
        }
        Some(out.into_iter().map(|slot| slot.map_or(Size::constant(1), |(size, _)| size)).collect())
    }

    fn report_broadcast(&mut self, shapes: &[(Vec<Size>, Span)], axis: usize, span: Span) {
        let shown: Vec<String> = shapes
            .iter()
            .map(|(sizes, _)| {
                let sizes: Vec<String> = sizes.iter().map(|size| self.show_size(size)).collect();
                format!("[{}]", sizes.join(", "))
            })
            .collect();
        let rank = shapes.iter().map(|(sizes, _)| sizes.len()).max().unwrap_or(0);
        let mut error = Diagnostic::error(
            codes::NOT_BROADCAST,
            span,
            format!("shapes {} do not fit together", shown.join(" and ")),
        );
        let mut values = Vec::new();
        for ((sizes, from), shown) in shapes.iter().zip(&shown) {
            let missing = rank - sizes.len();
            if axis >= missing {
                let size = self.show_size(&sizes[axis - missing]);
                error = error
                    .with_label(*from, format!("shape {shown}: axis {} has size `{size}`", axis - missing));
                values.push(sizes[axis - missing].clone());
            }
        }
        if shapes.iter().any(|(sizes, _)| sizes.len() < rank) {
            error = error.with_note("shapes are aligned at their last axis; to align at the first, index: `[x[i, j] + y[i] for i, j]`");
        }
        if let [a, b, ..] = values.as_slice()
            && let Some(by) = a.minus(b).as_constant()
            && a.as_constant().is_none()
        {
            let (a, b) = (self.show_size(a), self.show_size(b));
            error = error.with_note(format!("`{a}` and `{b}` differ by {}", by.unsigned_abs()));
        }
        self.cx.report(error);
    }

    /// An array of these axes from an index function.
    pub fn build(
        &mut self,
        sizes: Vec<Size>,
        span: Span,
        element: &mut dyn FnMut(&mut Self, Vec<Local>) -> Expr,
    ) -> Expr {
        let mut locals = Vec::new();
        let body = self.in_region(|body| {
            for (axis, size) in sizes.iter().enumerate() {
                let name = format!("i{axis}");
                locals.push(body.hidden_index(&name, Some(size.clone()), span));
            }
            element(body, locals.clone())
        });
        if body.ty == Type::Error {
            return self.error(span);
        }
        let ty = body.ty.clone().with_axes(sizes.clone());
        let axes = locals.into_iter().zip(sizes).map(|(index, size)| Axis { index, size }).collect();
        Expr { kind: ExprKind::Build { axes, body: Box::new(body), schedule: None }, ty, span }
    }
}
