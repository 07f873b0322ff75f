//! One axis of a reduction: what `sum prod min max any all count argmin argmax` do along it, with a filter and without.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::op::{BinaryOp, CompareOp, Order};
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::Body;
use super::reduce::Level;
use crate::codes;
use crate::typed::{Block, Expr, ExprKind, LoopAxis, ReduceOp, SiteKind, Stmt, StmtKind, Type};

impl<'a> Body<'_, 'a, '_> {
    /// One level of a reduction by name.
    pub fn reduce_level(
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

    pub fn reduce_node(
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
    pub fn with_present(&self, value: Expr, span: Span) -> Expr {
        let ty = Type::Tuple(vec![Type::BOOL, value.ty.clone()]);
        let yes = self.constant(Scalar::Bool, 1, span);
        Expr { kind: ExprKind::Tuple(vec![yes, value]), ty, span }
    }

    /// Combines `(present, value)` pairs; absent ones leave the other alone.
    pub fn present_combine(
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
}
