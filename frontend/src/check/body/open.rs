//! Open variables: arrays and records whose sizes change when they are assigned, and are read again after a loop or
//! choice. The sizes of an array's axes travel with it; those of a record are kept in hidden variables beside it.

use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, PatternKind, TypeKind};

use super::coerce::Wanted;
use super::infer::Mismatch;
use super::stmt::assigned_names;
use super::{BindingKind, Body};
use crate::check::elaborate::elaborate;
use crate::codes;
use crate::typed::{Atom, ConstArg, Expr, ExprKind, Local, Size, Stmt, StmtKind, Substitution, Type};

/// The type of an open variable.
#[derive(Clone, Debug)]
pub struct OpenType {
    /// With a mark for each size that may change.
    ty: Type,
    sizes: Vec<OpenSize>,
}

/// A size that may change.
#[derive(Clone, Debug)]
struct OpenSize {
    mark: Local,
    now: Now,
}

/// Where the present value of an open size is.
#[derive(Clone, Copy, Debug)]
enum Now {
    /// The variable has it: an axis of an array.
    Axis(u32),
    /// A hidden variable, assigned together with the open one.
    Kept(Local),
}

impl OpenType {
    /// The type when its open sizes are these.
    pub fn with_sizes(&self, sizes: &[Size]) -> Type {
        self.ty.subst(&Marked { open: &self.sizes, sizes })
    }
}

struct Marked<'m> {
    open: &'m [OpenSize],
    sizes: &'m [Size],
}

impl Substitution for Marked<'_> {
    fn type_param(&self, _: u32) -> Option<Type> {
        None
    }

    fn const_param(&self, _: u32) -> Option<ConstArg> {
        None
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        let Atom::Local(local) = atom else { return None };
        let at = self.open.iter().position(|open| open.mark == *local)?;
        self.sizes.get(at).cloned()
    }
}

/// Whether a type holds a `?`.
pub fn has_open_size(ty: &ast::Type) -> bool {
    let open = |size: &ast::Size| matches!(size, ast::Size::Open(_));
    match &ty.kind {
        TypeKind::Array { elem, sizes } => sizes.iter().any(open) || has_open_size(elem),
        TypeKind::Tuple(parts) => parts.iter().any(has_open_size),
        TypeKind::Path(path) => {
            let args = path.segments.iter().flat_map(|segment| segment.args.iter().flatten());
            args.into_iter().any(|arg| match arg {
                ast::GenericArg::Size(size) => open(size),
                ast::GenericArg::Type(ty) => has_open_size(ty),
                ast::GenericArg::Path(_) => false,
            })
        }
        TypeKind::Fn { .. } | TypeKind::Error => false,
    }
}

impl<'a> Body<'_, 'a, '_> {
    /// `let mut x: T[?] = e`, `let mut s: Series<?> = e`.
    pub fn let_open(
        &mut self,
        pattern: &'a ast::Pattern,
        ty: &'a ast::Type,
        value: &'a ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let hint = self.open_hint(ty);
        let value = self.expr(value, hint.as_ref());
        let mut pre = Vec::new();
        self.bind_let_sizes(ty, &value.ty, &mut pre);
        let (written, marks) = self.marked_type(ty);
        pre.append(&mut self.type_pre);
        let value =
            if pre.is_empty() || value.ty == Type::Error { value } else { self.hoist(out, value, "value") };
        out.append(&mut pre);
        let PatternKind::Name { mutable, name } = &pattern.kind else {
            self.cx.report(Diagnostic::error(
                codes::BAD_PATTERN,
                pattern.span,
                "a variable whose size may change has one name",
            ));
            self.bind_unknown(pattern);
            return;
        };
        if mutable.is_none() {
            self.cx.report(
                Diagnostic::error(codes::BAD_SIZE, ty.span, "`?` is for a `let mut`, whose size may change")
                    .with_fix("write `mut`", name.span.start(), "mut "),
            );
        }
        let open = OpenType { sizes: self.open_sizes_of(&written, marks, span), ty: written };
        let Some(sizes) = self.first_sizes(&open, &value, ty.span) else {
            self.bind_unknown(pattern);
            return;
        };
        let want = open.with_sizes(&sizes);
        let value = self.coerce(value, &want, Wanted { span: Some(ty.span), what: "the type written" });
        let local = self.new_local(&name.text, want, name.span);
        let data = self.local_mut(local);
        data.info.mutable = true;
        data.info.open = true;
        let open = Rc::new(open);
        data.open = Some(open.clone());
        out.push(Stmt { kind: StmtKind::Let(local, value), span });
        for (open, size) in open.sizes.iter().zip(&sizes) {
            if let Now::Kept(kept) = open.now {
                let value = self.size_expr(size.clone(), span);
                out.push(Stmt { kind: StmtKind::Let(kept, value), span });
            }
        }
        self.open_sizes.insert(local, sizes);
        self.bind_name(&name.text, local);
    }

    /// The type written, with a new mark for every `?`.
    fn marked_type(&mut self, ty: &'a ast::Type) -> (Type, Vec<Local>) {
        let outer = self.marks.replace(Vec::new());
        let written = elaborate(self, ty);
        (written, std::mem::replace(&mut self.marks, outer).unwrap_or_default())
    }

    /// The type as a hint: nothing is reported.
    fn open_hint(&mut self, ty: &'a ast::Type) -> Option<Type> {
        let (errors, pre) = (self.cx.errors, self.type_pre.len());
        self.cx.quiet += 1;
        let (hint, _) = self.marked_type(ty);
        self.cx.quiet -= 1;
        self.cx.errors = errors;
        self.type_pre.truncate(pre);
        (hint != Type::Error).then_some(hint)
    }

    fn open_sizes_of(&mut self, written: &Type, marks: Vec<Local>, span: Span) -> Vec<OpenSize> {
        let mut sizes = Vec::new();
        for mark in marks {
            let axis = written.sizes().iter().position(|size| size.as_atom() == Some(&Atom::Local(mark)));
            let now = match axis {
                Some(axis) => Now::Axis(axis as u32),
                None => {
                    let kept = self.hidden_index("size", None, span);
                    self.local_mut(kept).info.mutable = true;
                    Now::Kept(kept)
                }
            };
            sizes.push(OpenSize { mark, now });
        }
        sizes
    }

    /// The open sizes of the first value; `None` after a report.
    fn first_sizes(&mut self, open: &OpenType, value: &Expr, ty_span: Span) -> Option<Vec<Size>> {
        if value.ty == Type::Error || open.ty == Type::Error {
            return None;
        }
        let (want, have) = (open.ty.rank(), self.shallow(&value.ty).rank());
        if want != have && want > 0 {
            let shown = self.show(&value.ty);
            self.cx.report(
                Diagnostic::error(
                    codes::WRONG_RANK,
                    value.span,
                    format!("expected {}, this is `{shown}`", super::coerce::axes(want)),
                )
                .with_label(ty_span, "the type written"),
            );
            return None;
        }
        match self.sizes_for_open(open, &value.ty) {
            Ok(sizes) => Some(sizes),
            Err(mismatch) => {
                let wanted = Wanted { span: Some(ty_span), what: "the type written" };
                self.mismatch(mismatch, &open.ty, &value.ty, value.span, wanted);
                None
            }
        }
    }

    /// What the open sizes are when a variable gets a value of this type.
    pub fn sizes_for_open(&mut self, open: &OpenType, have: &Type) -> Result<Vec<Size>, Mismatch> {
        let mut pairs = Vec::new();
        self.unify(&open.ty, have, &mut pairs)?;
        let size_of = |size: &OpenSize| {
            let mark = Atom::Local(size.mark);
            pairs.iter().find(|(want, _)| want.as_atom() == Some(&mark)).map(|(_, have)| have.clone())
        };
        Ok(open.sizes.iter().map(|size| size_of(size).unwrap_or_default()).collect())
    }

    /// After an assignment: the sizes that are kept beside the variable.
    pub fn keep_sizes(&mut self, local: Local, open: &OpenType, span: Span, out: &mut Vec<Stmt>) {
        let Some(sizes) = self.open_sizes.get(&local).cloned() else { return };
        for (open, size) in open.sizes.iter().zip(sizes) {
            if let Now::Kept(kept) = open.now {
                let value = self.size_expr(size, span);
                out.push(Stmt { kind: StmtKind::Assign { local: kept, path: Vec::new(), value }, span });
            }
        }
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
        let Some(open) = self.local(local).open.clone() else { return };
        let name = format!("len({})", self.local(local).info.name);
        let mut sizes = Vec::new();
        for size in &open.sizes {
            let hidden = self.hidden_index(&name, None, span);
            let kind = match size.now {
                Now::Axis(axis) => ExprKind::Len(local, axis),
                Now::Kept(kept) => ExprKind::Local(kept),
            };
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
