//! Expressions: one arm per form, each a call. `hint` is the type the surroundings would like (only
//! its element type and rank mean anything); `coerce` is what insists.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast::{self, ExprKind as Ast};

use super::coerce::Wanted;
use super::{Around, Body, VarKind};
use crate::codes;
use crate::typed::effects::Effects;
use crate::typed::{Block, Expr, ExprKind, Size, Type};

/// Expressions being checked inside each other.
const MAX_NESTED: u32 = ast::MAX_DEPTH + 200;

impl<'a> Body<'_, 'a, '_> {
    /// Checks an expression.
    pub fn expr(&mut self, expr: &'a ast::Expr, hint: Option<&Type>) -> Expr {
        // The parser bounds the depth of a tree; bodies of lambdas stand inside each other besides.
        if self.nested >= MAX_NESTED {
            self.report_applications(expr.span);
            return self.error(expr.span);
        }
        self.nested += 1;
        let value = self.expr_form(expr, hint);
        self.nested -= 1;
        value
    }

    fn expr_form(&mut self, expr: &'a ast::Expr, hint: Option<&Type>) -> Expr {
        let span = expr.span;
        match &expr.kind {
            Ast::Int(literal) => self.int_literal(literal, false, hint, span),
            Ast::Float(literal) => self.float_literal(literal, false, hint, span),
            Ast::Bool(value) => self.constant(Scalar::Bool, u64::from(*value), span),
            Ast::Str(_) => {
                // The parser has said so.
                self.cx.errors += 1;
                self.error(span)
            }
            Ast::Path(path) => self.path_value(path, hint, span),
            Ast::Operator(op) => {
                let symbol = op.symbol();
                self.cx.report(
                    Diagnostic::error(codes::NEEDS_FUNCTION, span, format!("`{symbol}` alone is no value"))
                        .with_note("a bare operator is the first argument of `reduce`, `scan`, `exscan` and `scatter`"),
                );
                self.error(span)
            }
            Ast::Unary { op, operand, .. } => self.unary(*op, operand, hint, span),
            Ast::Binary { op, op_span, lhs, rhs } => self.binary(*op, *op_span, lhs, rhs, hint, span),
            Ast::Cast { value, ty } => self.cast(value, ty, span),
            Ast::Call { callee, args, clause } => self.call(callee, args, clause.as_deref(), hint, span),
            Ast::Field { base, field } => self.field_expr(base, field, span),
            Ast::Index { base, subscripts } => self.index_expr(base, subscripts, span),
            Ast::Paren(inner) => self.expr(inner, hint),
            Ast::Tuple(parts) => self.tuple(parts, hint, span),
            Ast::Array(parts) => self.array_literal(parts, hint, span),
            Ast::Comprehension { attrs, body, clause } => {
                self.attributes(attrs, &[super::stmt::HOW, &["schedule"]].concat());
                self.comprehension(attrs, body, clause, hint, span)
            }
            Ast::Record { path, fields, base } => {
                self.record_literal(path, fields, base.as_deref(), hint, span)
            }
            Ast::If { cond, then, otherwise } => self.if_expr(cond, then, otherwise.as_deref(), hint, span),
            Ast::Block(block) => self.block_expr(block, hint, span),
            // The place was wrong already.
            Ast::Lambda { .. } if hint == Some(&Type::Error) => {
                self.cx.errors += 1;
                self.error(span)
            }
            Ast::Lambda { .. } => {
                self.cx.report(
                    Diagnostic::error(codes::NEEDS_FUNCTION, span, "a function cannot stand here")
                        .with_note("functions are arguments, or bound by `let f = |x| …;`"),
                );
                self.error(span)
            }
            Ast::Precompute(inner) => self.expr(inner, hint),
            Ast::Error => self.error(span),
        }
    }

    /// An integer of any type, as `i64`.
    pub fn index_value(&mut self, expr: &'a ast::Expr) -> Expr {
        let value = self.expr(expr, Some(&Type::I64));
        self.as_index(value)
    }

    /// Converts an integer to `i64`; reports anything else.
    pub fn as_index(&mut self, value: Expr) -> Expr {
        let span = value.span;
        self.default_int(&value.ty);
        match self.shallow(&value.ty) {
            Type::Error => self.error(span),
            Type::Scalar(Scalar::I64) => Expr { ty: Type::I64, ..value },
            Type::Scalar(scalar) if scalar.is_int() => {
                self.convert(Expr { ty: Type::Scalar(scalar), ..value }, Scalar::I64)
            }
            Type::Param(_) if self.has_trait(&value.ty, "Int") => {
                Expr { kind: ExprKind::Convert(Box::new(value)), ty: Type::I64, span }
            }
            Type::Infer(_) if self.unify_elem(&Type::I64, &value.ty) => Expr { ty: Type::I64, ..value },
            other @ (Type::Scalar(_)
            | Type::Array { .. }
            | Type::Tuple(_)
            | Type::Record(_)
            | Type::Infer(_)
            | Type::Param(_)) => {
                self.not_an_index(&other, span);
                self.error(span)
            }
        }
    }

    fn not_an_index(&mut self, ty: &Type, span: Span) {
        let shown = self.show(ty);
        let error = Diagnostic::error(
            codes::BAD_SUBSCRIPT,
            span,
            format!("a subscript is an integer, this is `{shown}`"),
        );
        let error = match ty {
            Type::Scalar(Scalar::Bool) | Type::Array { .. } if *ty.elem() == Type::BOOL => {
                error.with_note("to keep the elements where a condition holds: `[v for v in x if …]`")
            }
            Type::Array { .. } => error.with_note("to take several elements: `[x[k] for k in indices]`"),
            Type::Scalar(_) => {
                let text = self.cx.text(span);
                error.with_fix("convert it", span, format!("{text} as i64"))
            }
            Type::Tuple(_) | Type::Record(_) | Type::Infer(_) | Type::Param(_) | Type::Error => error,
        };
        self.cx.report(error);
    }

    fn tuple(&mut self, parts: &'a [ast::Expr], hint: Option<&Type>, span: Span) -> Expr {
        let hints = match hint.map(|hint| self.shallow(hint)) {
            Some(Type::Tuple(hints)) if hints.len() == parts.len() => hints.into_iter().map(Some).collect(),
            _ => vec![None; parts.len()],
        };
        let parts: Vec<Expr> = parts
            .iter()
            .zip(&hints)
            .map(|(part, hint): (&'a ast::Expr, &Option<Type>)| self.expr(part, hint.as_ref()))
            .collect();
        if parts.iter().any(|part| part.ty == Type::Error) {
            return self.error(span);
        }
        let ty = Type::Tuple(parts.iter().map(|part| part.ty.clone()).collect());
        if !self.value_fits(&ty, span) {
            return self.error(span);
        }
        Expr { kind: ExprKind::Tuple(parts), ty, span }
    }

    /// `e as T`.
    fn cast(&mut self, value: &'a ast::Expr, ty: &'a ast::Type, span: Span) -> Expr {
        let target = self.type_of(ty);
        let literal = is_literal(value);
        let mut value = self.expr(value, None);
        if !literal {
            self.default_elem(&mut value);
        }
        self.cast_value(value, &target, ty.span, span)
    }

    /// A conversion asks for no type: what is open takes its default, unless it is a literal.
    fn default_elem(&mut self, value: &mut Expr) {
        if self.var_kind(value.ty.elem()).is_some_and(|kind| kind != VarKind::Any) {
            let elem = value.ty.elem().clone();
            self.default_var(&elem);
        }
    }

    /// Converts element by element.
    pub fn cast_value(&mut self, value: Expr, target: &Type, target_span: Span, span: Span) -> Expr {
        if *target == Type::Error {
            return self.error(span);
        }
        if target.rank() > 0 || matches!(target, Type::Tuple(_)) {
            self.cx.report(
                Diagnostic::error(
                    codes::BAD_CAST,
                    target_span,
                    "after `as` stands a scalar type or a type parameter",
                )
                .with_note("`as` works element by element: `x as f32` for an array `x`"),
            );
            return self.error(span);
        }
        let target = target.clone();
        self.lift(vec![value], span, &mut |body, mut args| {
            let value = args.remove(0);
            body.cast_elem(value, &target, span)
        })
    }

    fn bad_cast(&mut self, from: &Type, target: &Type, span: Span) -> Expr {
        let (from, to) = (self.show(from), self.show(target));
        self.cx.report(
            Diagnostic::error(
                codes::BAD_CAST,
                span,
                format!("`{from}` cannot be converted to `{to}` with `as`"),
            )
            .with_note("`as` converts between numbers and `bool`"),
        );
        self.error(span)
    }

    /// Whether a record can be made of a number.
    fn has_from(&mut self, from: Scalar, target: &Type) -> bool {
        let of = self.cx.builtin_trait(if from.is_float() { "Float" } else { "Num" });
        let generics = self.generics.clone();
        of.is_none_or(|of| self.cx.implements(target, of, &generics))
    }

    fn cast_elem(&mut self, value: Expr, target: &Type, span: Span) -> Expr {
        if self.var_kind(&value.ty).is_some_and(|kind| kind != VarKind::Any) {
            // `1 as u8`: a literal takes the type if it can, and is converted from its default if not.
            let fits = match (self.var_kind(&value.ty), target) {
                (Some(VarKind::Int), Type::Scalar(scalar)) => scalar.is_float(),
                (Some(VarKind::Float), Type::Scalar(scalar)) => scalar.is_float(),
                _ => false,
            };
            if !fits || !self.unify_elem(target, &value.ty) {
                self.default_var(&value.ty);
            }
        }
        match (self.shallow(&value.ty), target) {
            (Type::Error, _) => self.error(span),
            (Type::Scalar(from), Type::Scalar(to)) => {
                self.convert(Expr { ty: Type::Scalar(from), ..value }, *to)
            }
            (Type::Scalar(_), Type::Infer(_))
            | (Type::Param(_), Type::Scalar(_))
            | (Type::Param(_) | Type::Scalar(_), Type::Param(_)) => {
                Expr { kind: ExprKind::Convert(Box::new(value)), ty: target.clone(), span }
            }
            (Type::Record(_) | Type::Tuple(_), Type::Scalar(_) | Type::Param(_)) => {
                self.bad_cast(&value.ty, target, span)
            }
            (Type::Scalar(from), Type::Record(_)) if !self.has_from(from, target) => {
                self.bad_cast(&Type::Scalar(from), target, span)
            }
            (Type::Scalar(from), Type::Record(_)) => {
                let (name, of, through) = if from.is_float() {
                    ("from_f64", "Float", Scalar::F64)
                } else {
                    ("from_int", "Num", Scalar::I64)
                };
                let value = self.convert(Expr { ty: Type::Scalar(from), ..value }, through);
                let of = self.cx.builtin_trait(of);
                self.trait_fn_typed(of, name, target, target.clone(), vec![value], span, "as")
            }
            (from, _) if from == *target => value,
            (from, _) => self.bad_cast(&from, target, span),
        }
    }

    fn field_expr(&mut self, base: &'a ast::Expr, field: &'a ast::FieldName, span: Span) -> Expr {
        if let Some(error) = self.newcomer_field(base, field, span) {
            return error;
        }
        let base = self.expr(base, None);
        self.field(base, field, span)
    }

    /// `if c { a } else { b }`; a condition known at compile time keeps one branch.
    pub fn if_expr(
        &mut self,
        cond: &'a ast::Expr,
        then: &'a ast::Block,
        otherwise: Option<&'a ast::Expr>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let cond_value = self.expr(cond, Some(&Type::BOOL));
        let cond_value = self.condition(cond_value);
        if let Some(value) = self.fold(&cond_value) {
            return if value.bits != 0 {
                self.block_expr(then, hint, span)
            } else {
                match otherwise {
                    Some(otherwise) => self.expr(otherwise, hint),
                    None => self.unit(span),
                }
            };
        }
        // In a generic definition a condition on const parameters is open: only one branch will be
        // checked in each instance, so neither must be right here.
        let open = self.abstract_mode && self.is_const_condition(&cond_value);
        if open {
            self.cx.quiet += 1;
        }
        let errors = self.cx.errors;
        let result = self.if_branches(cond_value, then, otherwise, hint, span);
        if open {
            self.cx.quiet -= 1;
            if self.cx.errors > errors {
                self.cx.errors = errors;
                let ty = hint.cloned().unwrap_or(Type::Error);
                return Expr { kind: ExprKind::Error, ty, span };
            }
        }
        result
    }

    fn if_branches(
        &mut self,
        cond: Expr,
        then: &'a ast::Block,
        otherwise: Option<&'a ast::Expr>,
        hint: Option<&Type>,
        span: Span,
    ) -> Expr {
        let open_before: Vec<_> = self.open_sizes.keys().copied().collect();
        let (then_block, then_ty) =
            self.in_region(|body| body.arm(|body| body.block_expr(then, hint, then.span)));
        let hint_then = if then_ty == Type::Error { None } else { Some(then_ty.clone()) };
        let hint = hint_then.as_ref().or(hint);
        let (mut else_block, else_ty) = match otherwise {
            Some(otherwise) => self.in_region(|body| body.arm(|body| body.expr(otherwise, hint))),
            None => (Block::default(), Type::UNIT),
        };
        self.refresh_after_arms(&open_before, then, otherwise);
        let then_ends = ends(&then_block);
        let else_ends = ends(&else_block);
        let bad = cond.ty == Type::Error;
        let mut then_block = then_block;
        let ty = match (then_ends, else_ends) {
            (false, false) => Type::UNIT,
            (true, false) => then_ty,
            (false, true) => else_ty,
            (true, true) => {
                if otherwise.is_none() && then_ty != Type::UNIT && then_ty != Type::Error {
                    let shown = self.show(&then_ty);
                    let at = then_block.value.as_ref().map_or(then.span, |value| value.span);
                    self.cx.report(
                        Diagnostic::error(
                            codes::MISSING_VALUE,
                            at,
                            format!("this `if` gives `{shown}`, but has no `else`"),
                        )
                        .with_note("write an `else`, or end the value with `;` if it is not wanted"),
                    );
                    return self.error(span);
                }
                match self.join_arms(&mut then_block, then_ty, &mut else_block, else_ty, span) {
                    Some(ty) => ty,
                    None => return self.error(span),
                }
            }
        };
        if bad || ty == Type::Error {
            return self.error(span);
        }
        if ty == Type::UNIT {
            drop_unit(&mut then_block);
            drop_unit(&mut else_block);
        }
        let kind = ExprKind::If {
            cond: Box::new(cond),
            then: Box::new(then_block),
            otherwise: Box::new(else_block),
        };
        Expr { kind, ty, span }
    }

    /// The statements and value of an arm.
    fn arm(&mut self, check: impl FnOnce(&mut Self) -> Expr) -> (Block, Type) {
        let value = check(self);
        let ty = value.ty.clone();
        (into_block(value), ty)
    }

    /// Makes the types of two arms one.
    fn join_arms(
        &mut self,
        then: &mut Block,
        then_ty: Type,
        otherwise: &mut Block,
        else_ty: Type,
        span: Span,
    ) -> Option<Type> {
        if then_ty == Type::Error || else_ty == Type::Error {
            return None;
        }
        if then_ty == Type::UNIT && else_ty == Type::UNIT {
            return Some(Type::UNIT);
        }
        if then.value.is_none() || otherwise.value.is_none() {
            let (empty, other, ty) = if then.value.is_none() {
                (&*then, &*otherwise, else_ty)
            } else {
                (&*otherwise, &*then, then_ty)
            };
            let at = empty.stmts.last().map_or(span, |stmt| stmt.span);
            let shown = self.show(&ty);
            let other = other.value.as_ref().map_or(span, |value| value.span);
            self.cx.report(
                Diagnostic::error(codes::MISSING_VALUE, at, "this arm has no value")
                    .with_label(other, format!("the other one gives `{shown}`"))
                    .with_note("the value of a block is its last expression, without `;`"),
            );
            return None;
        }
        let outside = |body: &Self, ty: &Type| {
            let mut ok = true;
            ty.for_each_size(&mut |size| ok &= body.known_outside(size));
            ok
        };
        let then_span = then.value.as_ref().map_or(span, |value| value.span);
        if !outside(self, &then_ty) {
            if outside(self, &else_ty) {
                // The other arm says what the size is outside.
                let value = then.value.take()?;
                let wanted = Wanted {
                    span: Some(otherwise.value.as_ref().map_or(span, |v| v.span)),
                    what: "the other arm",
                };
                let value = self.in_region(|body| body.coerce(*value, &else_ty, wanted));
                then.value = Some(Box::new(value));
                return Some(else_ty);
            }
            self.cx.report(
                Diagnostic::error(codes::SIZE_UNKNOWN, span, "the size of this value is known only inside its arms")
                    .with_note("declare a variable whose size may change before: `let mut x: T[?] = …;`, and assign it in the arms"),
            );
            return None;
        }
        let value = otherwise.value.take()?;
        let wanted = Wanted { span: Some(then_span), what: "the first arm" };
        let errors = self.cx.errors;
        let value = self.in_region(|body| body.coerce(*value, &then_ty, wanted));
        otherwise.value = Some(Box::new(value));
        (self.cx.errors == errors).then_some(then_ty)
    }

    /// Whether every variable of a size is bound outside the regions that just ended.
    pub fn known_outside(&self, size: &Size) -> bool {
        let mut ok = true;
        size.for_each_atom(&mut |atom| {
            if let crate::typed::Atom::Local(local) = atom {
                ok &= self.local(*local).depth <= self.depth;
            }
        });
        ok
    }

    /// Whether control may leave with `return` here.
    pub fn inside(&self, around: Around) -> bool {
        self.around.iter().any(|(kind, _)| *kind == around)
    }
}

/// A value as a block; blocks are not nested.
pub fn into_block(value: Expr) -> Block {
    if let ExprKind::Block(block) = &value.kind
        && block.value.as_ref().is_some_and(|inner| inner.ty != value.ty)
    {
        return Block { stmts: Vec::new(), value: Some(Box::new(value)) };
    }
    if let ExprKind::Block(block) = value.kind {
        *block
    } else {
        Block { stmts: Vec::new(), value: Some(Box::new(value)) }
    }
}

/// Whether the end of a block may be reached.
pub fn ends(block: &Block) -> bool {
    if block.value.is_some() {
        return block.stmts.iter().all(|stmt| !leaves(&stmt.kind));
    }
    block.stmts.last().is_none_or(|stmt| !leaves(&stmt.kind) && !loops_until_it_returns(&stmt.kind))
}

/// `while true` without `break`: what follows is never reached.
fn loops_until_it_returns(kind: &crate::typed::StmtKind) -> bool {
    let crate::typed::StmtKind::While { cond, body } = kind else { return false };
    let effects = Effects::of_block(body);
    let forever = matches!(&cond.kind, ExprKind::Const(value) if value.bits != 0);
    forever && effects.returns && !effects.breaks
}

fn leaves(kind: &crate::typed::StmtKind) -> bool {
    use crate::typed::StmtKind;
    match kind {
        StmtKind::Return(_) | StmtKind::Break | StmtKind::Continue => true,
        StmtKind::Expr(expr) => !expr_ends(expr),
        StmtKind::Let(..)
        | StmtKind::Assign { .. }
        | StmtKind::Check { .. }
        | StmtKind::For { .. }
        | StmtKind::While { .. } => false,
    }
}

fn expr_ends(expr: &Expr) -> bool {
    if let ExprKind::If { then, otherwise, .. } = &expr.kind {
        ends(then) || ends(otherwise)
    } else if let ExprKind::Block(block) = &expr.kind {
        ends(block)
    } else {
        true
    }
}

/// The value `()` need not be there.
fn drop_unit(block: &mut Block) {
    if let Some(value) = &block.value
        && matches!(&value.kind, ExprKind::Tuple(parts) if parts.is_empty())
    {
        block.value = None;
    } else if let Some(value) = block.value.take() {
        let span = value.span;
        if value.ty == Type::UNIT {
            block.stmts.push(crate::typed::Stmt { kind: crate::typed::StmtKind::Expr(*value), span });
        } else {
            block.value = Some(value);
        }
    }
}

/// Whether an expression is a number, or an array of them, as written.
fn is_literal(expr: &ast::Expr) -> bool {
    if let Ast::Paren(inner) | Ast::Unary { operand: inner, .. } = &expr.kind {
        return is_literal(inner);
    }
    if let Ast::Array(parts) = &expr.kind {
        return parts.iter().all(is_literal);
    }
    matches!(expr.kind, Ast::Int(_) | Ast::Float(_))
}
