//! Open variables: arrays whose sizes change when they are assigned, and are read again after a loop or choice.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, PatternKind};

use super::coerce::Wanted;
use super::stmt::assigned_names;
use super::{BindingKind, Body};
use crate::codes;
use crate::typed::{Expr, ExprKind, Local, Size, Stmt, StmtKind, Type};

impl<'a> Body<'_, 'a, '_> {
    /// `let mut x: T[?] = e`.
    pub fn let_open(
        &mut self,
        pattern: &'a ast::Pattern,
        (elem, open): (Type, Vec<Option<Size>>),
        value: &'a ast::Expr,
        ty_span: Span,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let value = self.expr(value, Some(&elem));
        let have = self.shallow(&value.ty).sizes().to_vec();
        if value.ty != Type::Error && have.len() != open.len() {
            let shown = self.show(&value.ty);
            self.cx.report(
                Diagnostic::error(
                    codes::WRONG_RANK,
                    value.span,
                    format!("expected {} axes, this is `{shown}`", open.len()),
                )
                .with_label(ty_span, "the type written"),
            );
            return;
        }
        let sizes: Vec<Size> = open
            .iter()
            .zip(&have)
            .map(|(fixed, have)| fixed.clone().unwrap_or_else(|| have.clone()))
            .collect();
        let want = elem.with_axes(sizes.clone());
        let value = self.coerce(value, &want, Wanted { span: Some(ty_span), what: "the type written" });
        let PatternKind::Name { mutable, name } = &pattern.kind else {
            self.cx.report(Diagnostic::error(
                codes::BAD_PATTERN,
                pattern.span,
                "a variable whose size may change has one name",
            ));
            return;
        };
        if mutable.is_none() {
            self.cx.report(
                Diagnostic::error(codes::BAD_SIZE, ty_span, "`?` is for a `let mut`, whose size may change")
                    .with_fix("write `mut`", name.span.start(), "mut "),
            );
        }
        let local = self.new_local(&name.text, want, name.span);
        let data = self.local_mut(local);
        data.info.mutable = true;
        data.info.open = true;
        self.open_sizes.insert(local, sizes);
        out.push(Stmt { kind: StmtKind::Let(local, value), span });
        self.bind_name(&name.text, local);
    }

    /// After assignments that may have happened: the open variables' sizes are read again.
    pub fn refresh_open(&mut self, names: &[String], out: &mut Vec<Stmt>, span: Span) {
        let mut locals: Vec<Local> = Vec::new();
        for name in names {
            if let Some(BindingKind::Local(local)) = self.lookup(name)
                && self.local(local).info.open
                && !locals.contains(&local)
            {
                locals.push(local);
            }
        }
        for local in locals {
            self.refresh_one(local, out, span);
        }
    }

    fn refresh_one(&mut self, local: Local, out: &mut Vec<Stmt>, span: Span) {
        let rank = self.local(local).info.ty.rank();
        let mut sizes = Vec::new();
        for axis in 0..rank {
            let name = format!("len({})", self.local(local).info.name);
            let hidden = self.hidden_index(&name, None, span);
            let kind = ExprKind::Len(local, axis as u32);
            let value = Expr { kind, ty: Type::I64, span };
            out.push(Stmt { kind: StmtKind::Let(hidden, value), span });
            sizes.push(Size::local(hidden));
        }
        self.open_sizes.insert(local, sizes);
    }

    /// After an `if`: open variables that an arm assigned have unknown sizes, read at their next use.
    pub fn refresh_after_arms(&mut self, before: &[Local], then: &ast::Block, otherwise: Option<&ast::Expr>) {
        let mut names = assigned_names(then);
        if let Some(otherwise) = otherwise {
            super::probe::assigned_in_expr(otherwise, &mut names);
        }
        for local in before {
            let name = self.local(*local).info.name.clone();
            if names.contains(&name) {
                self.open_sizes.remove(local);
            }
        }
    }

    /// The present sizes of an open variable; reads them if they are not known.
    pub fn sizes_of_open(&mut self, local: Local, pre: &mut Vec<Stmt>, span: Span) -> Vec<Size> {
        if let Some(sizes) = self.open_sizes.get(&local) {
            return sizes.clone();
        }
        self.refresh_one(local, pre, span);
        self.open_sizes.get(&local).cloned().unwrap_or_default()
    }
}
