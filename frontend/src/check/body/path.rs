//! Names and paths in expressions: variables, constants, items of traits and types, functions.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::builtins;
use super::lambda::{FnVal, Target};
use super::literal::Literal;
use super::{BindingKind, Body, Pending, VarKind};
use crate::check::defs::{Def, Owner, TraitId};
use crate::check::suggest::closest;
use crate::check::traits::ImplArgs;
use crate::codes;
use crate::typed::{Atom, ConstArg, Expr, ExprKind, Local, Size, Type};

/// What `A::b` leads to when `A` is a type or trait.
pub enum Assoc<'a> {
    Fn(FnVal<'a>),
    Const(Expr),
}

impl<'a> Body<'_, 'a, '_> {
    /// A path as a value.
    pub fn path_value(&mut self, path: &'a ast::Path, hint: Option<&Type>, span: Span) -> Expr {
        if let Some(name) = path.as_name() {
            return self.name_value(name, hint, span);
        }
        if let Some(assoc) = self.assoc_path(path) {
            return match assoc {
                Assoc::Const(value) => value,
                Assoc::Fn(_) => self.function_as_value(path.span),
            };
        }
        let names: Vec<&ast::Name> = path.segments.iter().map(|segment| &segment.name).collect();
        match self.cx.find_item(self.module, &names) {
            Some(def) => self.item_value(def, path.span),
            None => {
                self.unknown_path(path);
                self.error(span)
            }
        }
    }

    fn name_value(&mut self, name: &'a ast::Name, hint: Option<&Type>, span: Span) -> Expr {
        match self.lookup(&name.text) {
            Some(BindingKind::Local(local)) => return self.variable(local, span),
            Some(BindingKind::Fn(_)) => return self.function_as_value(span),
            None => {}
        }
        if let Some(index) = self.generics.consts.iter().rposition(|c| c.name == name.text) {
            return self.const_param_value(index, span);
        }
        if let Some(def) = self.cx.own_name(self.module, &name.text) {
            self.cx.name(self.module, &name.text);
            return self.item_value(def, span);
        }
        match name.text.as_str() {
            "pi" => return self.open_literal(Literal::Named("pi"), VarKind::Float, hint, span),
            "inf" => return self.open_literal(Literal::Named("inf"), VarKind::Float, hint, span),
            "nan" => return self.open_literal(Literal::Named("nan"), VarKind::Float, hint, span),
            _ => {}
        }
        if let Some(def) = self.cx.name(self.module, &name.text) {
            return self.item_value(def, span);
        }
        if builtins::is_builtin(&name.text) || self.cx.defs.trait_fns.contains_key(&name.text) {
            return self.function_as_value(span);
        }
        self.unknown_name(name);
        self.error(span)
    }

    /// The value of a variable now; an open one has its present sizes.
    pub fn variable(&mut self, local: Local, span: Span) -> Expr {
        self.local_mut(local).used = true;
        let Some(open) = self.local(local).open.clone() else { return self.read(local, span) };
        let mut pre = Vec::new();
        let sizes = self.sizes_of_open(local, &mut pre, span);
        let value = Expr { kind: ExprKind::Local(local), ty: open.with_sizes(&sizes), span };
        self.wrap(pre, value)
    }

    fn const_param_value(&mut self, index: usize, span: Span) -> Expr {
        let ty = self.generics.consts[index].ty;
        match self.consts.get(index) {
            Some(ConstArg::Value(value)) => self.constant(value.ty, value.bits, span),
            Some(ConstArg::Param(outer)) => {
                Expr { kind: ExprKind::Size(Size::atom(Atom::Const(*outer))), ty: Type::Scalar(ty), span }
            }
            None => self.error(span),
        }
    }

    fn item_value(&mut self, def: Def, span: Span) -> Expr {
        match def {
            Def::Const(id) => self.const_item_value(id, span),
            Def::Fn(_) => self.function_as_value(span),
            Def::Module(_) | Def::Struct(_) | Def::Trait(_) | Def::Alias(_) => {
                let text = self.cx.text(span);
                let mut error = Diagnostic::error(
                    codes::WRONG_KIND_OF_NAME,
                    span,
                    format!("`{text}` is {}, not a value", def.describe()),
                );
                if let Def::Struct(_) = def {
                    error = error.with_note(format!("make one with `{text} {{ … }}`"));
                }
                self.cx.report(error);
                self.error(span)
            }
        }
    }

    /// A constant item: its value, or a call of its function.
    pub fn const_item_value(&mut self, id: crate::check::defs::ConstId, span: Span) -> Expr {
        let Some(info) = self.cx.const_info(id, span) else { return self.error(span) };
        if let Some(value) = info.value {
            return self.constant(value.ty, value.bits, span);
        }
        match info.func {
            Some(func) => {
                let kind = ExprKind::Call { func, sizes: Vec::new(), args: Vec::new(), fresh: Vec::new() };
                Expr { kind, ty: info.ty, span }
            }
            None => Expr { kind: ExprKind::Error, ty: info.ty, span },
        }
    }

    fn function_as_value(&mut self, span: Span) -> Expr {
        let text = self.cx.text(span);
        self.cx.report(
            Diagnostic::error(codes::NEEDS_FUNCTION, span, format!("`{text}` is a function, not a value"))
                .with_note(format!("call it, `{text}(…)`, or pass it to a parameter of function type")),
        );
        self.error(span)
    }

    /// Reports a name nobody knows.
    pub fn unknown_name(&mut self, name: &ast::Name) {
        if self.cx.defs.modules[self.module.index()].unresolved.contains(&name.text) {
            self.cx.errors += 1;
            return;
        }
        if let Some(binder) = self.binders_beside.iter().find(|binder| binder.text == name.text) {
            let message = format!("this range depends on `{}`", name.text);
            let error = Diagnostic::error(codes::DEPENDENT_RANGE, name.span, message)
                .with_label(binder.span, "an axis of the same array")
                .with_note("the axes of an array do not depend on each other; reductions and `for` statements may go over a triangle");
            self.cx.report(error);
            return;
        }
        let mut candidates: Vec<String> = self.scopes.iter().rev().map(|b| b.name.clone()).collect();
        candidates.extend(self.generics.consts.iter().map(|c| c.name.clone()));
        candidates.extend(
            self.cx.visible_names(self.module, &|def| {
                matches!(def, Def::Fn(_) | Def::Const(_) | Def::Module(_))
            }),
        );
        candidates.extend(builtins::NAMES.iter().map(|name| (*name).to_owned()));
        candidates.extend(self.cx.defs.trait_fns.keys().cloned());
        let foreign = builtins::foreign_name(&name.text);
        let mut error =
            Diagnostic::error(codes::UNKNOWN_NAME, name.span, format!("there is no `{}` here", name.text));
        if let Some((text, note)) = foreign {
            if !text.is_empty() {
                error = error.with_fix(format!("in we3: `{text}`"), name.span, text);
            }
            if !note.is_empty() {
                error = error.with_note(note);
            }
        } else if let Some(close) = closest(&name.text, candidates.iter().map(String::as_str)) {
            error = error.with_fix(format!("did you mean `{close}`?"), name.span, close);
        } else if let Some(module) = self.cx.module_with(&name.text) {
            error = error.with_note(format!("it is in `{module}`: write `use {module}::{{{}}};`", name.text));
        }
        self.cx.report(error);
    }

    fn unknown_path(&mut self, path: &ast::Path) {
        let Some(last) = path.segments.last() else { return };
        let text = self.cx.text(path.span);
        let mut error =
            Diagnostic::error(codes::UNKNOWN_NAME, last.name.span, format!("there is no `{text}`"));
        let front: Vec<&ast::Name> =
            path.segments[..path.segments.len() - 1].iter().map(|segment| &segment.name).collect();
        if let Some(Def::Module(module)) = self.cx.find_item(self.module, &front) {
            let names = self.cx.visible_names(module, &|_| true);
            if let Some(close) = closest(&last.name.text, names.iter().map(String::as_str)) {
                error = error.with_fix(format!("did you mean `{close}`?"), last.name.span, close);
            }
        } else if path.segments.first().is_some_and(|first| first.name.text == "std") {
            let front: Vec<&str> = front.iter().map(|name| name.text.as_str()).collect();
            error = error.with_note(format!(
                "bring it in first: `use {}::{{{}}};`",
                front.join("::"),
                last.name.text
            ));
        }
        self.cx.report(error);
    }

    /// `T::zero`, `Mod::<7>::one`, `Shape::area`: what the last name is in the type or trait before it.
    pub fn assoc_path(&mut self, path: &'a ast::Path) -> Option<Assoc<'a>> {
        let (last, front) = path.segments.split_last()?;
        let (front_span, first) = (front.first()?.span, front.first()?);
        let front_span = front_span.to(front.last()?.span);
        let names: Vec<&ast::Name> = front.iter().map(|segment| &segment.name).collect();
        let simple = front.len() == 1;
        let known_type = simple
            && (first.name.text == "Self"
                || Scalar::from_name(&first.name.text).is_some()
                || self.generics.types.iter().any(|param| param.name == first.name.text));
        let def = if known_type { None } else { self.cx.find_item(self.module, &names) };
        let self_ty = match def {
            Some(Def::Struct(_) | Def::Alias(_)) => self.type_or_open(front, front_span),
            Some(Def::Trait(of)) => return Some(self.trait_item(of, last, path.span)),
            Some(_) => return None,
            None if known_type => self.type_of_path(front, front_span),
            None => return None,
        };
        if self_ty == Type::Error {
            return Some(Assoc::Const(self.error(path.span)));
        }
        Some(self.assoc_of(&self_ty, &last.name, last.args.as_deref(), path.span))
    }

    /// A record type in a path, its arguments open if they are not written.
    fn type_or_open(&mut self, segments: &'a [ast::PathSegment], span: Span) -> Type {
        let names: Vec<&ast::Name> = segments.iter().map(|segment| &segment.name).collect();
        if segments.last().is_some_and(|last| last.args.is_none())
            && let Some(Def::Struct(id)) = self.cx.find_item(self.module, &names)
        {
            let info = self.cx.struct_info(id);
            if let Some(Type::Record(record)) = &self.self_ty
                && record.def == id
            {
                return Type::Record(record.clone());
            }
            if info.generics.consts.is_empty() && info.generics.sizes.is_empty() {
                let types =
                    (0..info.generics.types.len()).map(|_| self.new_var(VarKind::Any, span)).collect();
                return Type::Record(crate::typed::RecordType {
                    def: id,
                    types,
                    consts: vec![],
                    sizes: vec![],
                });
            }
        }
        self.type_of_path(segments, span)
    }

    fn trait_item(&mut self, of: TraitId, last: &'a ast::PathSegment, span: Span) -> Assoc<'a> {
        let def = &self.cx.defs.traits[of.index()];
        let name = last.name.text.clone();
        if def.fns.contains_key(&name) {
            let explicit = last.args.as_deref().unwrap_or(&[]);
            return Assoc::Fn(FnVal::TraitFn { of: Some(of), name, self_ty: None, explicit });
        }
        if def.consts.contains_key(&name) {
            let ty = self.new_var(VarKind::Any, span);
            return Assoc::Const(self.trait_const(Some(of), &name, &ty, span));
        }
        let names: Vec<String> = def.fns.keys().chain(def.consts.keys()).cloned().collect();
        let trait_name = self.cx.trait_name(of);
        let mut error = Diagnostic::error(
            codes::UNKNOWN_NAME,
            last.name.span,
            format!("the trait `{trait_name}` has no `{name}`"),
        );
        if let Some(close) = closest(&name, names.iter().map(String::as_str)) {
            error = error.with_fix(format!("did you mean `{close}`?"), last.name.span, close);
        }
        self.cx.report(error);
        Assoc::Const(self.error(span))
    }

    /// An item of a type: its own, or a trait's.
    fn assoc_of(
        &mut self,
        self_ty: &Type,
        name: &'a ast::Name,
        args: Option<&'a [ast::GenericArg]>,
        span: Span,
    ) -> Assoc<'a> {
        let ty = self.resolve(self_ty);
        if let Some((id, outer)) = self.cx.inherent_item(&ty, &name.text) {
            let def = &self.cx.defs.impls[id.index()];
            if let Some(fn_id) = def.fns.get(&name.text).copied() {
                let outer = self.fill_outer(outer, id, &ty, span);
                let explicit = args.unwrap_or(&[]);
                return Assoc::Fn(FnVal::Def(Target { id: fn_id, outer, explicit }));
            }
            if let Some(const_id) = def.consts.get(&name.text).copied() {
                return Assoc::Const(self.impl_const(const_id, outer, &ty, span));
            }
        }
        let holders: Vec<TraitId> = (0..self.cx.defs.traits.len())
            .map(|index| TraitId(index as u32))
            .filter(|of| {
                let def = &self.cx.defs.traits[of.index()];
                def.fns.contains_key(&name.text) || def.consts.contains_key(&name.text)
            })
            .collect();
        let generics = self.generics.clone();
        let of = holders.iter().copied().find(|of| self.cx.implements(&ty, *of, &generics));
        match of {
            Some(of) => {
                if self.cx.defs.traits[of.index()].consts.contains_key(&name.text) {
                    Assoc::Const(self.trait_const(Some(of), &name.text, &ty, span))
                } else {
                    let explicit = args.unwrap_or(&[]);
                    let (name, self_ty) = (name.text.clone(), Some(ty));
                    Assoc::Fn(FnVal::TraitFn { of: Some(of), name, self_ty, explicit })
                }
            }
            None => {
                self.unknown_assoc(&ty, name, &holders);
                Assoc::Const(self.error(span))
            }
        }
    }

    fn unknown_assoc(&mut self, ty: &Type, name: &ast::Name, holders: &[TraitId]) {
        let shown = self.show(ty);
        let message = format!("`{shown}` has no `{}`", name.text);
        let error = match (ty, holders.first()) {
            (Type::Param(index), Some(of)) => {
                let of = self.cx.trait_name(*of);
                let span = super::Checker::param_span(&self.generics, *index);
                Diagnostic::error(codes::MISSING_BOUND, name.span, message)
                    .with_label(span, format!("it would with the bound `{shown}: {of}`"))
            }
            (_, Some(of)) => {
                let of = self.cx.trait_name(*of);
                Diagnostic::error(codes::NOT_IMPLEMENTED_TRAIT, name.span, message).with_note(format!(
                    "`{}` is an item of the trait `{of}`, which `{shown}` does not implement",
                    name.text
                ))
            }
            (_, None) => Diagnostic::error(codes::UNKNOWN_NAME, name.span, message),
        };
        self.cx.report(error);
    }

    /// The arguments of an `impl` that its type does not fix are open.
    fn fill_outer(
        &mut self,
        outer: ImplArgs,
        id: crate::check::defs::ImplId,
        ty: &Type,
        span: Span,
    ) -> ImplArgs {
        let info = self.cx.impl_info(id);
        let types: Vec<Type> = outer
            .types
            .into_iter()
            .map(|ty| if ty == Type::Error { self.new_var(VarKind::Any, span) } else { ty })
            .collect();
        let filled = ImplArgs { types, consts: outer.consts };
        // Ties the open arguments to the type they came from.
        let want = info.self_ty.subst(&ImplSubst(&filled));
        self.unify_elem(&want, ty);
        filled
    }

    fn impl_const(
        &mut self,
        id: crate::check::defs::ConstId,
        outer: ImplArgs,
        ty: &Type,
        span: Span,
    ) -> Expr {
        if self.abstract_mode {
            let ty = self.cx.const_type(id, ty).unwrap_or(Type::Error);
            return Expr { kind: ExprKind::Error, ty, span };
        }
        self.cx.impl_const_value(id, &outer, ty, span).unwrap_or_else(|| self.error(span))
    }

    /// A constant of a trait for a type.
    pub fn trait_const(&mut self, of: Option<TraitId>, name: &str, ty: &Type, span: Span) -> Expr {
        if let Type::Scalar(scalar) = self.shallow(ty)
            && of.is_none_or(|of| self.cx.scalar_implements(scalar, of))
            && let Some(value) = self.native_const(name, scalar, span)
        {
            return value;
        }
        let result = self.trait_const_type(of, name, ty);
        self.pending.push(Pending::TraitConst { of, name: name.to_owned(), self_ty: ty.clone() });
        let kind = ExprKind::Pending(self.pending.len() as u32 - 1, Vec::new());
        Expr { kind, ty: result, span }
    }

    fn trait_const_type(&mut self, of: Option<TraitId>, name: &str, self_ty: &Type) -> Type {
        let Some(of) = of else { return self_ty.clone() };
        let Some(id) = self.cx.defs.traits[of.index()].consts.get(name).copied() else {
            return self_ty.clone();
        };
        self.cx.const_type(id, self_ty).unwrap_or_else(|| self_ty.clone())
    }

    /// The function a path names, if it names one. Reports nothing.
    pub fn path_fn(&mut self, path: &'a ast::Path) -> Option<FnVal<'a>> {
        let last = path.segments.last()?;
        let explicit = last.args.as_deref().unwrap_or(&[]);
        if path.segments.len() == 1 {
            let name = &last.name.text;
            match self.lookup(name) {
                Some(BindingKind::Fn(function)) => return Some((*function).clone()),
                Some(BindingKind::Local(_)) => return None,
                None => {}
            }
            match self.cx.own_name(self.module, name) {
                Some(Def::Fn(id)) => {
                    self.cx.name(self.module, name);
                    return Some(FnVal::Def(Target { id, outer: ImplArgs::default(), explicit }));
                }
                Some(_) => return None,
                None => {}
            }
            if let Some(name) = builtins::builtin_name(name) {
                return Some(FnVal::Builtin(name, explicit));
            }
            if let Some(Def::Fn(id)) = self.cx.name(self.module, name) {
                return Some(FnVal::Def(Target { id, outer: ImplArgs::default(), explicit }));
            }
            if self.cx.defs.trait_fns.contains_key(name) {
                return Some(FnVal::TraitFn { of: None, name: name.clone(), self_ty: None, explicit });
            }
            return None;
        }
        if let Some(Assoc::Fn(function)) = self.assoc_path(path) {
            return Some(function);
        }
        let names: Vec<&ast::Name> = path.segments.iter().map(|segment| &segment.name).collect();
        let Def::Fn(id) = self.cx.find_item(self.module, &names)? else { return None };
        (self.cx.defs.fns[id.index()].owner == Owner::Module)
            .then(|| FnVal::Def(Target { id, outer: ImplArgs::default(), explicit }))
    }
}

/// An `impl`'s parameters by their arguments.
pub struct ImplSubst<'t>(pub &'t ImplArgs);

impl crate::typed::Substitution for ImplSubst<'_> {
    fn type_param(&self, index: u32) -> Option<Type> {
        self.0.types.get(index as usize).cloned()
    }

    fn const_param(&self, index: u32) -> Option<ConstArg> {
        self.0.consts.get(index as usize).copied()
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        let Atom::Const(index) = atom else { return None };
        match self.0.consts.get(*index as usize)? {
            ConstArg::Value(value) => Some(crate::check::signature::const_size(*value)),
            ConstArg::Param(outer) => Some(Size::atom(Atom::Const(*outer))),
        }
    }
}
