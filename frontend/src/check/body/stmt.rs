//! Blocks and statements.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, PatternKind, StmtKind as Ast};

use super::coerce::Wanted;
use super::{Around, Binding, BindingKind, Body};
use crate::check::suggest::closest;
use crate::codes;
use crate::typed::{Atom, Block, Expr, ExprKind, Returned, SiteKind, Size, Stmt, StmtKind, Type};

/// Attributes that say how code is compiled, wherever code stands: a `let`, a loop, a block, an array form.
pub const HOW: &[&str] = &["unroll", "fast", "stable", "strict"];

impl<'a> Body<'_, 'a, '_> {
    /// A block as an expression.
    pub fn block_expr(&mut self, block: &'a ast::Block, hint: Option<&Type>, span: Span) -> Expr {
        self.attributes(&block.attrs, HOW);
        let block = self.in_scope(|body| body.block(block, hint));
        let ty = block.value.as_ref().map_or(Type::UNIT, |value| value.ty.clone());
        if ty == Type::Error {
            return self.error(span);
        }
        if block.stmts.is_empty()
            && let Some(value) = block.value
        {
            return *value;
        }
        Expr { kind: ExprKind::Block(Box::new(block)), ty, span }
    }

    /// Statements and value of a block, in the present scope.
    pub fn block(&mut self, block: &'a ast::Block, hint: Option<&Type>) -> Block {
        let mut stmts = Vec::new();
        let mut reported = false;
        for (index, stmt) in block.stmts.iter().enumerate() {
            if !reported && stmts.last().is_some_and(|stmt: &Stmt| never_ends(&stmt.kind)) && index > 0 {
                reported = true;
                self.cx.report(Diagnostic::warning(codes::UNREACHABLE, stmt.span, "this is never reached"));
            }
            self.stmt(stmt, &mut stmts);
        }
        if let Some(value) = &block.value
            && !reported
            && stmts.last().is_some_and(|stmt| never_ends(&stmt.kind))
        {
            self.cx.report(Diagnostic::warning(codes::UNREACHABLE, value.span, "this is never reached"));
        }
        let value = block.value.as_deref().map(|value| Box::new(self.expr(value, hint)));
        Block { stmts, value }
    }

    pub fn stmt(&mut self, stmt: &'a ast::Stmt, out: &mut Vec<Stmt>) {
        let span = stmt.span;
        match &stmt.kind {
            Ast::Let { pattern, ty, value } => {
                self.attributes(&stmt.attrs, HOW);
                self.let_stmt(pattern, ty.as_ref(), value, span, out);
            }
            Ast::Assign { place, op, value } => self.assign(place, *op, value, span, out),
            Ast::While { cond, body } => self.while_stmt(cond, body, span, out),
            Ast::For { clause, body } => {
                self.attributes(&stmt.attrs, &[HOW, &["checkpoint"]].concat());
                let unroll = Self::wants_unroll(&stmt.attrs);
                self.for_stmt(clause, body, unroll, span, out);
            }
            Ast::Break => self.leave(StmtKind::Break, "break", span, out),
            Ast::Continue => self.leave(StmtKind::Continue, "continue", span, out),
            Ast::Return(value) => self.return_stmt(value.as_ref(), span, out),
            Ast::Assert { cond, message } => self.assert_stmt(cond, message.as_ref(), span, out),
            Ast::Expr(value) => {
                let value = self.expr(value, None);
                if value.ty != Type::Error
                    && !matches!(&value.kind, ExprKind::Tuple(parts) if parts.is_empty())
                {
                    out.push(Stmt { kind: StmtKind::Expr(value), span });
                }
            }
            Ast::Error => {}
        }
    }

    fn let_stmt(
        &mut self,
        pattern: &'a ast::Pattern,
        ty: Option<&'a ast::Type>,
        value: &'a ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        if let Some(kind) = self.let_function(pattern, value, out) {
            self.scopes.push(kind);
            return;
        }
        let Some(ty) = ty else {
            let value = self.expr(value, None);
            self.bind_pattern(pattern, value, span, out);
            return;
        };
        if super::open::has_open_size(ty) {
            self.let_open(pattern, ty, value, span, out);
            return;
        }
        // The value comes first: the type may bind names from its sizes.
        let hint = self.type_hint(ty);
        let value = self.expr(value, hint.as_ref());
        let mut pre = Vec::new();
        let want = self.let_type(ty, &value.ty, &mut pre);
        // Names that stand for the value's sizes come after the value.
        let value =
            if pre.is_empty() || value.ty == Type::Error { value } else { self.hoist(out, value, "value") };
        out.append(&mut pre);
        let wanted = Wanted { span: Some(ty.span), what: "the type written" };
        let value = if want == Type::Error { self.error(span) } else { self.coerce(value, &want, wanted) };
        let value =
            if value.ty == Type::Error { Expr { kind: ExprKind::Error, ty: want, span } } else { value };
        self.bind_pattern(pattern, value, span, out);
    }

    /// Binds the names of a pattern.
    pub fn bind_pattern(&mut self, pattern: &'a ast::Pattern, value: Expr, span: Span, out: &mut Vec<Stmt>) {
        match &pattern.kind {
            PatternKind::Error => {}
            PatternKind::Wildcard => out.push(Stmt { kind: StmtKind::Expr(value), span }),
            PatternKind::Name { mutable, name } => {
                let size = if mutable.is_none() { self.as_size(&value) } else { None };
                let constant = if mutable.is_none() { self.fold(&value) } else { None };
                let local = self.new_local(&name.text, value.ty.clone(), name.span);
                let data = self.local_mut(local);
                data.info.mutable = mutable.is_some();
                data.size = size;
                data.constant = constant;
                out.push(Stmt { kind: StmtKind::Let(local, value), span });
                self.bind_name(&name.text, local);
            }
            PatternKind::Tuple(parts) => {
                if value.ty == Type::Error {
                    parts.iter().for_each(|part| self.bind_pattern(part, value.clone(), span, out));
                    return;
                }
                let elem = self.shallow(self.shallow(&value.ty).elem());
                let Some(types) = elem.parts().filter(|types| types.len() == parts.len()) else {
                    let shown = self.show(&elem);
                    self.cx.report(Diagnostic::error(
                        codes::BAD_PATTERN,
                        pattern.span,
                        format!("this pattern has {} parts, the value is `{shown}`", parts.len()),
                    ));
                    let error = self.error(span);
                    parts.iter().for_each(|part| self.bind_pattern(part, error.clone(), span, out));
                    return;
                };
                let value = opened(value, out);
                // Each part by itself: one that is a size stays one.
                if let (ExprKind::Tuple(values), Type::Tuple(_)) = (&value.kind, self.shallow(&value.ty)) {
                    for (part, value) in parts.iter().zip(values) {
                        self.bind_pattern(part, value.clone(), part.span, out);
                    }
                    return;
                }
                let value = self.hoist(out, value, "tuple");
                for (index, (part, ty)) in parts.iter().zip(types).enumerate() {
                    let field = self.field_of(value.clone(), index as u32, ty.clone(), part.span);
                    self.bind_pattern(part, field, part.span, out);
                }
            }
        }
    }

    /// `let f = |x| …;` or `let f = some_function;`.
    fn let_function(
        &mut self,
        pattern: &'a ast::Pattern,
        value: &'a ast::Expr,
        out: &mut Vec<Stmt>,
    ) -> Option<Binding<'a>> {
        let PatternKind::Name { name, .. } = &pattern.kind else { return None };
        let mut function = self.fn_value_if_function(value)?;
        self.capture(&mut function, value, out);
        Some(Binding { name: name.text.clone(), kind: BindingKind::Fn(std::rc::Rc::new(function)) })
    }

    fn return_stmt(&mut self, value: Option<&'a ast::Expr>, span: Span, out: &mut Vec<Stmt>) {
        if self.inside(Around::ArrayForm) {
            self.cx.report(
                Diagnostic::error(codes::BAD_RETURN, span, "`return` cannot leave an array form")
                    .with_note("the elements of an array form are independent; make the value the last expression of the block"),
            );
            return;
        }
        if self.result.inferred {
            self.cx.report(
                Diagnostic::error(codes::BAD_RETURN, span, "`return` cannot stand in a lambda or a test")
                    .with_note("make the value the last expression"),
            );
            return;
        }
        let want = self.result.ty.clone();
        let value = match value {
            Some(value) => self.expr(value, Some(&want)),
            None => self.unit(span),
        };
        if let Some(returned) = self.returned(value, span) {
            out.push(Stmt { kind: StmtKind::Return(returned), span });
        }
    }

    /// A value as the result of the function.
    pub fn returned(&mut self, value: Expr, span: Span) -> Option<Returned> {
        if value.ty == Type::Error {
            return None;
        }
        let mut pairs = Vec::new();
        let want = self.result.ty.clone();
        let result_span = self.result.span;
        let wanted = Wanted { span: Some(result_span), what: "the result" };
        if let Err(mismatch) = self.unify(&want, &value.ty, &mut pairs) {
            let value_span = if value.span.is_empty() { span } else { value.span };
            if want == Type::UNIT {
                let shown = self.show(&value.ty);
                self.cx.report(
                    Diagnostic::error(
                        codes::TYPE_MISMATCH,
                        value_span,
                        format!("this returns `{shown}`, but the signature has no result"),
                    )
                    .with_label(result_span, format!("write `-> {shown}` here")),
                );
            } else if value.ty == Type::UNIT {
                let shown = self.show(&want);
                self.cx.report(
                    Diagnostic::error(
                        codes::MISSING_VALUE,
                        value_span,
                        format!("this has no value, `{shown}` is promised"),
                    )
                    .with_label(result_span, "promised here")
                    .with_note("the value of a block is its last expression, without `;`"),
                );
            } else {
                self.mismatch(mismatch, &want, &value.ty, value_span, wanted);
            }
            return None;
        }
        let mut fresh: Vec<Option<Size>> = vec![None; self.result.fresh as usize];
        for (want, have) in &pairs {
            if let Some(Atom::Fresh(index)) = want.as_atom()
                && let Some(slot) = fresh.get_mut(*index as usize)
                && slot.is_none()
            {
                *slot = Some(have.clone());
            }
        }
        let fill = |size: &Size| {
            size.subst(&|atom| {
                let Atom::Fresh(index) = atom else { return None };
                fresh.get(*index as usize).cloned().flatten()
            })
        };
        let mut checks = Vec::new();
        let mut ok = true;
        for (want, have) in &pairs {
            ok &= self.same_size(&mut checks, &fill(want), have, value.span, wanted);
        }
        for (index, size) in self.result.opaque.clone() {
            if let Some(Some(have)) = fresh.get(index as usize) {
                ok &= self.same_size(&mut checks, &size, &have.clone(), value.span, wanted);
            }
        }
        let value = if checks.is_empty() {
            value
        } else {
            let mut stmts = Vec::new();
            let value = self.hoist(&mut stmts, value, "result");
            stmts.append(&mut checks);
            self.wrap(stmts, value)
        };
        let fresh = fresh.into_iter().map(Option::unwrap_or_default).collect();
        ok.then_some(Returned { fresh, value })
    }

    fn assert_stmt(
        &mut self,
        cond: &'a ast::Expr,
        message: Option<&'a ast::StrLit>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let value = self.expr(cond, Some(&Type::BOOL));
        let cond = self.condition(value);
        if cond.ty == Type::Error {
            return;
        }
        let message = message.map(|message| message.text.clone());
        let site = self.site(span, SiteKind::Assert { message });
        self.learn_condition(&cond);
        out.push(Stmt { kind: StmtKind::Check { cond, site, notes: Vec::new() }, span });
    }

    /// An `assert` of an equality of sizes is a fact.
    fn learn_condition(&mut self, cond: &Expr) {
        if let ExprKind::Compare(we3_ir::op::CompareOp::Eq, a, b) = &cond.kind
            && let (Some(a), Some(b)) = (self.as_size(a), self.as_size(b))
        {
            self.learn_equal(&a, &b);
        }
    }

    /// Reports attributes that do not exist.
    pub fn attributes(&mut self, attrs: &[ast::Attr], known: &[&str]) {
        for attr in attrs {
            let name = attr.name.text.as_str();
            if known.contains(&name) {
                continue;
            }
            let mut error = Diagnostic::error(
                codes::UNKNOWN_ATTRIBUTE,
                attr.name.span,
                format!("there is no attribute `{name}` here"),
            );
            if name == "schedule" {
                error = error.with_note("it stands before the comprehension whose loops it arranges");
            }
            if let Some(close) = closest(name, known.iter().copied()) {
                error = error.with_fix(format!("did you mean `{close}`?"), attr.name.span, close);
            }
            self.cx.report(error);
        }
    }

    /// Binds a pattern's names to values of unknown type, after an error.
    pub fn bind_unknown(&mut self, pattern: &ast::Pattern) {
        match &pattern.kind {
            PatternKind::Name { name, .. } => {
                let local = self.new_local(&name.text, Type::Error, name.span);
                self.local_mut(local).used = true;
                self.bind_name(&name.text, local);
            }
            PatternKind::Tuple(parts) => parts.iter().for_each(|part| self.bind_unknown(part)),
            PatternKind::Wildcard | PatternKind::Error => {}
        }
    }
}

/// The value at the end of a block whose statements are put before.
fn opened(mut value: Expr, out: &mut Vec<Stmt>) -> Expr {
    while let ExprKind::Block(block) = &mut value.kind
        && block.value.as_ref().is_some_and(|inner| inner.ty == value.ty)
        && let Some(inner) = block.value.take()
    {
        out.append(&mut block.stmts);
        value = *inner;
    }
    value
}

fn never_ends(kind: &StmtKind) -> bool {
    matches!(kind, StmtKind::Return(_) | StmtKind::Break | StmtKind::Continue)
}

/// Names that a block assigns, in any depth.
pub fn assigned_names(block: &ast::Block) -> Vec<String> {
    let mut names = Vec::new();
    super::probe::assigned_in_block(block, &mut names);
    names
}
