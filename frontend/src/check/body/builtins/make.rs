//! Arrays from nothing: `zeros`, `full`, `like`; `len`.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;

use super::Args;
use crate::check::body::call::{ArgValue, CallArg};
use crate::check::body::{Body, VarKind};
use crate::codes;
use crate::typed::{Expr, Size, Stmt, Type};

impl<'a> Body<'_, 'a, '_> {
    /// Size arguments.
    pub fn size_args(&mut self, args: &[CallArg<'a>], pre: &mut Vec<Stmt>) -> Option<Vec<Size>> {
        let mut sizes = Vec::new();
        for arg in args {
            let value = self.arg(arg, Some(&Type::I64));
            if value.ty != Type::Error && self.is_array(&value.ty) {
                self.cx.report(
                    Diagnostic::error(codes::BAD_SIZE, arg.span, "sizes are given one by one")
                        .with_note("as in `zeros(n, m)`"),
                );
                return None;
            }
            let value = self.as_index(value);
            let span = value.span;
            let size = self.size_of_value(value, pre)?;
            if !self.size_nonneg(&size) || size.as_constant().is_some() {
                self.check_size(&size, pre, span)?;
            }
            sizes.push(size);
        }
        Some(sizes)
    }

    /// `zeros(n, m)`.
    pub fn zeros(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let mut pre = Vec::new();
        if args.positional.is_empty() {
            self.arity("`zeros`", 1, 0, span);
            return self.error(span);
        }
        let Some(sizes) = self.size_args(&args.positional, &mut pre) else { return self.error(span) };
        let elem = match hint.map(|hint| self.shallow(hint).elem().clone()) {
            Some(elem) if elem != Type::Error => elem,
            _ => self.new_var(VarKind::Any, span),
        };
        let value = self.build(sizes, span, &mut |body, _| {
            if matches!(body.shallow(&elem), Type::Scalar(we3_ir::types::Scalar::Bool)) {
                return body.constant(we3_ir::types::Scalar::Bool, 0, span);
            }
            body.constant_of("zero", &elem, span)
        });
        if value.ty == Type::Error { value } else { self.wrap(pre, value) }
    }

    /// `full(v, n, m)`.
    pub fn full(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let Some((value, sizes)) = args.positional.split_first() else {
            self.arity("`full`", 2, 0, span);
            return self.error(span);
        };
        if sizes.is_empty() {
            self.cx.report(
                Diagnostic::error(codes::ARGUMENT_COUNT, span, "`full` takes a value and sizes")
                    .with_note("as in `full(1.0, n, m)`"),
            );
            return self.error(span);
        }
        let hint = hint.map(|hint| self.shallow(hint).elem().clone());
        let mut pre = Vec::new();
        let value = self.arg(value, hint.as_ref());
        if value.ty == Type::Error {
            return value;
        }
        let value = self.hoist(&mut pre, value, "value");
        let Some(sizes) = self.size_args(sizes, &mut pre) else { return self.error(span) };
        let array = self.build(sizes, span, &mut |_, _| value.clone());
        self.wrap(pre, array)
    }

    /// `like(x, v)`: the shape of `x`, the value `v`; without `v` zeros.
    pub fn like(&mut self, args: &Args<'a>, hint: Option<&Type>, span: Span) -> Expr {
        let (model, value) = match args.positional.as_slice() {
            [model] => (model, None),
            [model, value] => (model, Some(value)),
            other => {
                self.arity("`like`", 2, other.len(), span);
                return self.error(span);
            }
        };
        let model = self.arg(model, None);
        if model.ty == Type::Error {
            return model;
        }
        let ty = self.shallow(&model.ty);
        let sizes = ty.sizes().to_vec();
        let elem = ty.elem().clone();
        let _ = hint;
        let value = match value {
            Some(value) => self.arg(value, Some(&elem)),
            None => self.constant_of("zero", &elem, span),
        };
        if value.ty == Type::Error || sizes.is_empty() {
            return value;
        }
        let mut pre = Vec::new();
        let value = self.hoist(&mut pre, value, "value");
        let array = self.build(sizes, span, &mut |_, _| value.clone());
        self.wrap(pre, array)
    }

    /// `len(x)`, `len(x, axis = k)`.
    pub fn len(&mut self, args: &Args<'a>, span: Span) -> Expr {
        let [array] = args.positional.as_slice() else {
            self.arity("`len`", 1, args.positional.len(), span);
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
                format!("`len` of `{shown}`, which is no array"),
            ));
            return self.error(span);
        }
        let axis = match args.named("axis") {
            None => 0,
            Some(axis) => match self.axis_number(&axis, sizes.len()) {
                Some(axis) => axis,
                None => return self.error(span),
            },
        };
        let mut pre = Vec::new();
        if !matches!(array.value, ArgValue::Ast(_)) || !self.is_trivial(&value) {
            // What the source evaluates is checked even if only its size is used.
            self.hoist(&mut pre, value, "array");
        }
        let size = self.size_expr(sizes[axis].clone(), span);
        self.wrap(pre, size)
    }
}
