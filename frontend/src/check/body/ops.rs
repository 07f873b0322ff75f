//! Operators and trait functions on elements: resolved now if the type is known, else later.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::{self, BinOp, UnOp};

use super::{Body, Pending, VarKind};
use crate::check::defs::TraitId;
use crate::codes;
use crate::typed::{Block, Expr, ExprKind, Stmt, Type};

/// The trait function behind an operator.
pub fn operator_fn(op: BinOp) -> &'static str {
    match op {
        BinOp::Eq => "eq",
        BinOp::Ne => "ne",
        BinOp::Lt => "lt",
        BinOp::Le => "le",
        BinOp::Gt => "gt",
        BinOp::Ge => "ge",
        BinOp::BitOr | BinOp::Or => "or",
        BinOp::BitXor => "xor",
        BinOp::BitAnd | BinOp::And => "and",
        BinOp::Shl => "shl",
        BinOp::Shr => "shr",
        BinOp::Add => "add",
        BinOp::Sub => "sub",
        BinOp::Mul => "mul",
        BinOp::Div => "div",
        BinOp::Rem => "rem",
        BinOp::MatMul => "matmul",
    }
}

impl<'a> Body<'_, 'a, '_> {
    /// `-x`, `!x`.
    pub fn unary(&mut self, op: UnOp, operand: &'a ast::Expr, hint: Option<&Type>, span: Span) -> Expr {
        if op == UnOp::Neg {
            let operand = operand.without_parens();
            if let ast::ExprKind::Int(literal) = &operand.kind {
                return self.int_literal(literal, true, hint, span);
            }
            if let ast::ExprKind::Float(literal) = &operand.kind {
                return self.float_literal(literal, true, hint, span);
            }
        }
        let value = self.expr(operand, hint);
        let name = match op {
            UnOp::Neg => "neg",
            UnOp::Not => "not",
        };
        let symbol = op.symbol();
        self.lift(vec![value], span, &mut |body, mut args| {
            let arg = args.remove(0);
            let ty = arg.ty.clone();
            if op == UnOp::Neg && body.vector_record(&ty) {
                return body.field_wise(vec![arg], span, &mut |body, mut parts| {
                    let part = parts.remove(0);
                    body.lift(vec![part], span, &mut |body, args| body.trait_fn("neg", args, span, "-"))
                });
            }
            body.trait_fn(name, vec![arg], span, symbol)
        })
    }

    /// `a op b`.
    pub fn binary(
        &mut self,
        op: BinOp,
        op_span: Span,
        lhs: &'a ast::Expr,
        rhs: &'a ast::Expr,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        if matches!(op, BinOp::And | BinOp::Or) {
            return self.logic(op, lhs, rhs, span);
        }
        if op == BinOp::MatMul {
            let a = self.expr(lhs, None);
            let b = self.expr(rhs, None);
            return self.matmul(a, b, span);
        }
        let compares = matches!(op, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge);
        let elem_hint = if compares { None } else { hint.map(|ty| self.shallow(ty).elem().clone()) };
        // A literal on the left learns its type from the right.
        let (a, b) = if is_literal(lhs) && !is_literal(rhs) {
            let b = self.expr(rhs, elem_hint.as_ref());
            let other = self.shallow(&b.ty).elem().clone();
            let a = self.expr(lhs, Some(&other));
            (a, b)
        } else {
            let a = self.expr(lhs, elem_hint.as_ref());
            let other = self.shallow(&a.ty).elem().clone();
            let other = if op == BinOp::MatMul { None } else { Some(other) };
            let b = self.expr(rhs, other.as_ref());
            (a, b)
        };
        self.binary_values(op, op_span, a, b, span)
    }

    /// `a op b` on values: element-wise on arrays.
    pub fn binary_values(&mut self, op: BinOp, op_span: Span, a: Expr, b: Expr, span: Span) -> Expr {
        if op == BinOp::MatMul {
            return self.matmul(a, b, span);
        }
        let (a_span, b_span) = (a.span, b.span);
        self.lift(vec![a, b], span, &mut |body, mut args| {
            let b = args.pop();
            let a = args.pop();
            match (a, b) {
                (Some(a), Some(b)) => body.elem_binary(op, op_span, (a, a_span), (b, b_span), span),
                _ => body.error(span),
            }
        })
    }

    /// `a op b` on elements.
    pub fn elem_binary(
        &mut self,
        op: BinOp,
        op_span: Span,
        (a, a_span): (Expr, Span),
        (b, b_span): (Expr, Span),
        span: Span,
    ) -> Expr {
        if a.ty == Type::Error || b.ty == Type::Error {
            return self.error(span);
        }
        if let Some(result) = self.vector_op(op, &a, &b, span) {
            return result;
        }
        if !self.unify_elem(&a.ty, &b.ty) {
            self.operand_mismatch(op, op_span, (&a.ty, a_span), (&b.ty, b_span));
            return self.error(span);
        }
        self.trait_fn(operator_fn(op), vec![a, b], span, op.symbol())
    }

    fn operand_mismatch(&mut self, op: BinOp, op_span: Span, a: (&Type, Span), b: (&Type, Span)) {
        let shown = |ty: &Type| {
            let open = matches!(self.shallow(ty), Type::Infer(_));
            if open { self.show(ty) } else { format!("`{}`", self.show(ty)) }
        };
        let (left, right) = (shown(a.0), shown(b.0));
        let symbol = op.symbol();
        let message = format!("`{symbol}` between {left} and {right}");
        let mut error = Diagnostic::error(codes::TYPE_MISMATCH, op_span, message)
            .with_label(a.1, left)
            .with_label(b.1, right);
        let (a_ty, b_ty) = (self.shallow(a.0), self.shallow(b.0));
        if a_ty == Type::BOOL || b_ty == Type::BOOL {
            error = error.with_note("count conditions with `count(…)`, or convert: `c as i64`");
        } else if let (Type::Scalar(x), Type::Scalar(y)) = (&a_ty, &b_ty) {
            // To what holds more.
            let more = |scalar: &Scalar| (scalar.is_float(), scalar.bits());
            let (span, to) = if more(y) > more(x) { (a.1, *y) } else { (b.1, *x) };
            let fixed = self.converted_text(span, &to.to_string());
            error = error
                .with_note(
                    "both sides of an operator have the same type; numbers are never converted silently",
                )
                .with_fix(format!("convert with `as {to}`"), span, fixed);
        } else if self.var_kind(&a_ty) == Some(VarKind::Float) || self.var_kind(&b_ty) == Some(VarKind::Float)
        {
            error = error.with_note("a literal with a dot is a float; it cannot become an integer");
            let sides = [(&a_ty, a.1), (&b_ty, b.1)];
            let integer = sides.into_iter().find(|(ty, _)| ty.as_scalar().is_some_and(Scalar::is_int));
            if let Some((_, span)) = integer {
                error = error.with_fix("convert with `as f64`", span, self.converted_text(span, "f64"));
            }
        }
        self.cx.report(error);
    }

    fn converted_text(&self, span: Span, to: &str) -> String {
        let text = self.cx.sources.slice(span);
        let simple = text.chars().all(|c| c.is_alphanumeric() || "_.[]".contains(c));
        if simple { format!("{text} as {to}") } else { format!("({text}) as {to}") }
    }

    /// A function of a trait of the prelude on elements of one type.
    pub fn trait_fn(&mut self, name: &str, args: Vec<Expr>, span: Span, written: &str) -> Expr {
        let Some(first) = args.first() else { return self.error(span) };
        let self_ty = self.resolve(&first.ty);
        let result = self.trait_fn_result(name, &self_ty);
        self.trait_fn_typed(None, name, &self_ty, result, args, span, written)
    }

    /// Comparisons give `bool`, the other operators their operands' type.
    fn trait_fn_result(&mut self, name: &str, self_ty: &Type) -> Type {
        match name {
            "eq" | "ne" | "lt" | "le" | "gt" | "ge" => Type::BOOL,
            _ => match self.builtin_fn_signature(name).map(|signature| signature.result.clone()) {
                Some(Type::Param(0)) | None => self_ty.clone(),
                Some(other) => other,
            },
        }
    }

    fn builtin_fn_signature(&mut self, name: &str) -> Option<std::rc::Rc<crate::check::defs::Signature<'a>>> {
        let id = *self.cx.defs.trait_fns.get(name)?;
        Some(self.cx.signature(id))
    }

    /// A function of a trait with its `Self` known or to be known.
    #[expect(clippy::too_many_arguments, reason = "one call with all it needs; a struct would be used once")]
    pub fn trait_fn_typed(
        &mut self,
        of: Option<TraitId>,
        name: &str,
        self_ty: &Type,
        result: Type,
        args: Vec<Expr>,
        span: Span,
        written: &str,
    ) -> Expr {
        match self.shallow(self_ty) {
            Type::Error => return self.error(span),
            Type::Scalar(scalar) if of.is_none_or(|of| self.cx.scalar_implements(scalar, of)) => {
                return match self.native(name, scalar, &args, span) {
                    Some(value) => value,
                    None => {
                        self.no_operator(written, self_ty, span);
                        self.error(span)
                    }
                };
            }
            Type::Param(index) => {
                let bounds =
                    self.generics.types.get(index as usize).map(|p| p.bounds.clone()).unwrap_or_default();
                let found = match of {
                    Some(of) => bounds.contains(&of),
                    None => self.cx.bound_item(&bounds, name).is_some(),
                };
                if !found {
                    self.missing_bound(index, name, of, written, span);
                    return self.error(span);
                }
            }
            Type::Record(_) | Type::Tuple(_) | Type::Scalar(_) => {
                if !self.record_has(of, name, self_ty) {
                    self.no_operator(written, self_ty, span);
                    return self.error(span);
                }
            }
            Type::Infer(_) => {}
            Type::Array { .. } => {
                self.no_operator(written, self_ty, span);
                return self.error(span);
            }
        }
        self.pending.push(Pending::TraitFn { of, name: name.to_owned(), self_ty: self_ty.clone() });
        let kind = ExprKind::Pending(self.pending.len() as u32 - 1, args);
        Expr { kind, ty: result, span }
    }

    /// Whether a record (or any type by an `impl`) has a trait's function.
    pub fn record_has(&mut self, of: Option<TraitId>, name: &str, ty: &Type) -> bool {
        let ty = self.resolve(ty);
        self.trait_of(of, name, &ty).is_some()
    }

    /// The trait that gives a function or constant for a type.
    pub fn trait_of(&mut self, of: Option<TraitId>, name: &str, ty: &Type) -> Option<TraitId> {
        let generics = self.generics.clone();
        match of {
            Some(of) => self.cx.implements(ty, of, &generics).then_some(of),
            None => {
                let candidates: Vec<TraitId> = (0..self.cx.defs.traits.len())
                    .map(|index| TraitId(index as u32))
                    .filter(|id| {
                        let def = &self.cx.defs.traits[id.index()];
                        def.builtin && (def.fns.contains_key(name) || def.consts.contains_key(name))
                    })
                    .collect();
                candidates.into_iter().find(|id| self.cx.implements(ty, *id, &generics))
            }
        }
    }

    fn missing_bound(&mut self, index: u32, name: &str, of: Option<TraitId>, written: &str, span: Span) {
        let of = of.or_else(|| {
            (0..self.cx.defs.traits.len()).map(|i| TraitId(i as u32)).find(|id| {
                let def = &self.cx.defs.traits[id.index()];
                def.builtin && (def.fns.contains_key(name) || def.consts.contains_key(name))
            })
        });
        let param = self.generics.types.get(index as usize).cloned();
        let (Some(param), Some(of)) = (param, of) else { return };
        if param.doubtful {
            self.cx.errors += 1;
            return;
        }
        let trait_name = self.cx.trait_name(of);
        let bound =
            if param.bounds.is_empty() { format!(": {trait_name}") } else { format!(" + {trait_name}") };
        let end = if param.bounds.is_empty() { Some(param.span.end()) } else { None };
        let mut error = Diagnostic::error(
            codes::MISSING_BOUND,
            span,
            format!("`{}` may be a type without `{written}`", param.name),
        )
        .with_label(param.span, "this type parameter");
        error = match end {
            Some(end) => error.with_fix(format!("require it: `{}: {trait_name}`", param.name), end, bound),
            None => {
                error.with_note(format!("add the bound `{trait_name}`: `{}: … + {trait_name}`", param.name))
            }
        };
        self.cx.report(error);
    }

    fn no_operator(&mut self, written: &str, ty: &Type, span: Span) {
        let shown = self.show(ty);
        let mut error = Diagnostic::error(codes::NOT_A_NUMBER, span, format!("`{shown}` has no `{written}`"));
        let ty = self.shallow(ty);
        match &ty {
            Type::Record(_) => {
                error = error.with_note("operators on records come from `impl Num for …`, `impl Eq for …` and so on, or `#[derive(Vector)]`");
            }
            Type::Scalar(Scalar::Bool) => {
                error = error.with_note("count conditions with `count(…)`, or convert: `c as i64`");
            }
            Type::Scalar(_) if written == "^" => {
                error = error.with_note(
                    "`^` is the exclusive or of integers; a power is `pow(x, 2.0)`, a square `x * x`",
                );
            }
            Type::Scalar(scalar) if scalar.is_int() => {
                error = error.with_note(format!("convert to a float first: `x as f64` (it is `{scalar}`)"));
            }
            Type::Tuple(_) => {
                error = error.with_note("take a tuple apart with `let (a, b) = …` or `.0`, `.1`")
            }
            Type::Scalar(_) | Type::Array { .. } | Type::Infer(_) | Type::Param(_) | Type::Error => {}
        }
        self.cx.report(error);
    }

    /// `a && b`, `a || b`.
    fn logic(&mut self, op: BinOp, lhs: &'a ast::Expr, rhs: &'a ast::Expr, span: Span) -> Expr {
        let a = self.expr(lhs, Some(&Type::BOOL));
        let b = self.in_region(|body| body.expr(rhs, Some(&Type::BOOL)));
        for value in [&a, &b] {
            if self.is_array(&value.ty) {
                let symbol = op.symbol();
                let single = &symbol[..1];
                self.cx.report(
                    Diagnostic::error(
                        codes::ARRAY_LOGIC,
                        value.span,
                        format!("`{symbol}` is for single `bool`s"),
                    )
                    .with_note(format!("element by element: `{single}`; as one answer: `all(…)`, `any(…)`")),
                );
                return self.error(span);
            }
        }
        let a = self.condition(a);
        let b = self.condition(b);
        if a.ty == Type::Error || b.ty == Type::Error {
            return self.error(span);
        }
        let b = Block { stmts: Vec::<Stmt>::new(), value: Some(Box::new(b)) };
        let constant = self.constant(Scalar::Bool, u64::from(op == BinOp::Or), span);
        let constant = Block { stmts: Vec::new(), value: Some(Box::new(constant)) };
        let (then, otherwise) = if op == BinOp::And { (b, constant) } else { (constant, b) };
        let kind = ExprKind::If { cond: Box::new(a), then: Box::new(then), otherwise: Box::new(otherwise) };
        Expr { kind, ty: Type::BOOL, span }
    }

    /// A value that must be `bool`.
    pub fn condition(&mut self, value: Expr) -> Expr {
        if self.unify_elem(&Type::BOOL, &value.ty) {
            return value;
        }
        let shown = self.show(&value.ty);
        let mut error = Diagnostic::error(
            codes::NOT_BOOL,
            value.span,
            format!("a condition is `bool`, this is `{shown}`"),
        );
        error = if self.is_array(&value.ty) {
            error.with_note(
                "ask `all(…)` or `any(…)` of the array, or choose element by element with `select(c, a, b)`",
            )
        } else {
            error.with_note("there is no truth of numbers: write `x != 0`")
        };
        self.cx.report(error);
        self.error(value.span)
    }
}

/// Whether it is an unsuffixed number.
pub fn is_literal(expr: &ast::Expr) -> bool {
    match &expr.without_parens().kind {
        ast::ExprKind::Int(literal) => literal.suffix.is_none(),
        ast::ExprKind::Float(literal) => literal.suffix.is_none(),
        ast::ExprKind::Unary { op: UnOp::Neg, operand, .. } => is_literal(operand),
        ast::ExprKind::Binary { lhs, rhs, .. } => is_literal(lhs) && is_literal(rhs),
        ast::ExprKind::Bool(_)
        | ast::ExprKind::Str(_)
        | ast::ExprKind::Path(_)
        | ast::ExprKind::Operator(_)
        | ast::ExprKind::Unary { .. }
        | ast::ExprKind::Cast { .. }
        | ast::ExprKind::Call { .. }
        | ast::ExprKind::Field { .. }
        | ast::ExprKind::Index { .. }
        | ast::ExprKind::Paren(_)
        | ast::ExprKind::Tuple(_)
        | ast::ExprKind::Array(_)
        | ast::ExprKind::Comprehension { .. }
        | ast::ExprKind::Record { .. }
        | ast::ExprKind::If { .. }
        | ast::ExprKind::Block(_)
        | ast::ExprKind::Lambda { .. }
        | ast::ExprKind::Precompute(_)
        | ast::ExprKind::Error => false,
    }
}
