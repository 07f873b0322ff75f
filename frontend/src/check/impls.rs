//! `impl` blocks: what they declare, and whether they give what their trait asks for.

use std::collections::BTreeSet;
use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_parser::ast;

use super::defs::*;
use super::elaborate::elaborate;
use super::session::Checker;
use super::signature::{ImplInfo, SigEnv};
use super::suggest::closest;
use super::traits::match_impl;
use crate::codes;
use crate::typed::{Atom, ConstArg, Size, Type};

impl<'a, 's> Checker<'a, 's> {
    /// An `impl`'s header.
    pub fn impl_info(&mut self, id: ImplId) -> Rc<ImplInfo> {
        if let Some(info) = &self.impls[id.index()] {
            return info.clone();
        }
        let def = &self.defs.impls[id.index()];
        let (module, ast) = (def.module, def.ast);
        let generics = self.generics_of(module, &Generics::default(), &ast.generics);
        let mut env = SigEnv {
            checker: self,
            module,
            generics,
            self_ty: None,
            value_params: Vec::new(),
            binds: false,
            fresh: None,
            opaque: Vec::new(),
        };
        let self_ty = elaborate(&mut env, &ast.ty);
        let generics = Rc::new(env.generics);
        let of_trait = ast.of_trait.as_ref().and_then(|path| self.trait_path(module, path));
        let info = Rc::new(ImplInfo { generics, of_trait, self_ty });
        self.impls[id.index()] = Some(info.clone());
        info
    }

    /// Items against the trait, and against other `impl`s.
    pub fn check_impl(&mut self, id: ImplId) {
        let info = self.impl_info(id);
        let Some(of_trait) = info.of_trait else { return };
        let span = self.defs.impls[id.index()].span;
        for other in 0..id.index() {
            let before = self.impl_info(ImplId(other as u32));
            if before.of_trait == Some(of_trait)
                && (match_impl(&before.self_ty, &info.self_ty, &before.generics).is_some()
                    || match_impl(&info.self_ty, &before.self_ty, &info.generics).is_some())
                && info.self_ty != Type::Error
            {
                let name = self.trait_name(of_trait);
                let first = self.defs.impls[other].span;
                let ty = self.type_text(&info.self_ty, &info.generics);
                self.report(
                    Diagnostic::error(
                        codes::OVERLAPPING_IMPLS,
                        span,
                        format!("`{name}` is implemented twice for `{ty}`"),
                    )
                    .with_label(first, "the first one"),
                );
            }
        }
        if let Some(scalar) = info.self_ty.as_scalar()
            && self.scalar_implements(scalar, of_trait)
        {
            let name = self.trait_name(of_trait);
            self.report(Diagnostic::error(
                codes::OVERLAPPING_IMPLS,
                span,
                format!("`{scalar}` implements `{name}` already"),
            ));
        }
        self.check_impl_items(id, of_trait, &info);
    }

    fn check_impl_items(&mut self, id: ImplId, of_trait: TraitId, info: &ImplInfo) {
        let all = self.supers(of_trait);
        let mut known = BTreeSet::new();
        for of in all.iter() {
            let def = &self.defs.traits[of.index()];
            known.extend(def.fns.keys().cloned());
            known.extend(def.consts.keys().cloned());
        }
        let trait_name = self.trait_name(of_trait);
        for item in &self.defs.impls[id.index()].ast.items {
            let name = match &item.kind {
                ast::AssocKind::Const(def) => &def.name,
                ast::AssocKind::Fn(def) => &def.name,
                ast::AssocKind::Error => continue,
            };
            if !known.contains(&name.text) {
                let mut error = Diagnostic::error(
                    codes::NOT_IN_TRAIT,
                    name.span,
                    format!("`{trait_name}` has no `{}`", name.text),
                );
                if let Some(close) = closest(&name.text, known.iter().map(String::as_str)) {
                    error = error.with_fix(format!("did you mean `{close}`?"), name.span, close);
                }
                self.report(error);
            }
        }
        if info.self_ty == Type::Error {
            return;
        }
        let mut missing = Vec::new();
        for of in all.iter() {
            let def = &self.defs.traits[of.index()];
            let fns: Vec<(String, bool)> = def
                .fns
                .iter()
                .map(|(name, id)| (name.clone(), self.defs.fns[id.index()].ast.body.is_some()))
                .chain(
                    def.consts
                        .iter()
                        .map(|(name, id)| (name.clone(), self.defs.consts[id.index()].ast.value.is_some())),
                )
                .collect();
            for (name, has_default) in fns {
                if !has_default && self.impl_item_for(&info.self_ty, *of, &name).is_none() {
                    missing.push(name);
                }
            }
        }
        if !missing.is_empty() {
            let span = self.defs.impls[id.index()].span;
            let list: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
            self.report(Diagnostic::error(
                codes::TRAIT_ITEM_MISSING,
                span,
                format!("this `impl` of `{trait_name}` lacks {}", list.join(", ")),
            ));
        }
    }

    /// For a function of an `impl` of a trait: the trait's signature in the `impl`'s terms.
    pub fn trait_model(&mut self, id: FnId, self_ty: Option<&Type>) -> Option<Rc<Signature<'a>>> {
        let def = &self.defs.fns[id.index()];
        let Owner::Impl(owner) = def.owner else { return None };
        let name = def.name.clone();
        let of = self.impl_info(owner).of_trait?;
        let self_ty = self_ty?.clone();
        let all = self.supers(of);
        let model = all.iter().find_map(|of| self.defs.traits[of.index()].fns.get(&name).copied())?;
        let signature = self.signature(model);
        let outer = self.impl_info(owner).generics.clone();
        let shift = SelfType { self_ty, types: outer.types.len() as u32, consts: outer.consts.len() as u32 };
        let mut copy = (*signature).clone();
        copy.generics = Rc::new(moved_behind(&outer, &signature.generics));
        for param in &mut copy.params {
            param.ty = match &param.ty {
                ParamType::Value(ty) => ParamType::Value(ty.subst(&shift)),
                ParamType::Fn { params, result } => ParamType::Fn {
                    params: params.iter().map(|ty| ty.subst(&shift)).collect(),
                    result: result.subst(&shift),
                },
            };
        }
        copy.result = copy.result.subst(&shift);
        Some(Rc::new(copy))
    }

    /// Reports parameters in `<…>` that differ from the trait's: other kinds, or bounds the trait does not promise.
    fn same_generics(&mut self, id: FnId, own: &Generics, model: &Generics) -> bool {
        let def = &self.defs.fns[id.index()];
        let (name, span) = (def.name.clone(), def.ast.signature);
        if own.types.len() != model.types.len() || own.consts.len() != model.consts.len() {
            let count = |generics: &Generics| {
                generics.types.len() + generics.consts.len() - generics.outer.0 - generics.outer.1
            };
            let (theirs, mine) = (count(model), count(own));
            let message = format!("`{name}` has {theirs} generic parameters in its trait, {mine} here");
            self.report(
                Diagnostic::error(codes::BAD_SIGNATURE, span, message)
                    .with_note("leave them out here, or write those of the trait"),
            );
            return false;
        }
        for (mine, theirs) in own.types.iter().zip(&model.types) {
            let more: Vec<TraitId> =
                mine.bounds.iter().copied().filter(|bound| !theirs.bounds.contains(bound)).collect();
            // The one that brings the others with it.
            if let Some(first) = more.iter().max_by_key(|bound| self.supers(**bound).len()) {
                let bound = self.trait_name(*first);
                let message =
                    format!("the trait's `{name}` takes every `{}`, not only a `{bound}`", theirs.name);
                self.report(
                    Diagnostic::error(codes::BAD_SIGNATURE, mine.span, message)
                        .with_label(theirs.span, format!("without the bound `{bound}`")),
                );
                return false;
            }
        }
        true
    }

    /// Reports an `impl`'s function that differs from its trait's.
    pub fn compare_with_model(&mut self, id: FnId, own: &Signature<'_>, model: &Signature<'_>) {
        let def = &self.defs.fns[id.index()];
        let (name, span) = (def.name.clone(), def.ast.signature);
        if own.params.len() != model.params.len() {
            self.report(Diagnostic::error(
                codes::BAD_SIGNATURE,
                span,
                format!(
                    "`{name}` takes {} parameters in its trait, {} here",
                    model.params.len(),
                    own.params.len()
                ),
            ));
            return;
        }
        if !self.same_generics(id, &own.generics, &model.generics) {
            return;
        }
        for (mine, theirs) in own.params.iter().zip(&model.params) {
            let kinds = (&mine.ty, &theirs.ty);
            if matches!(
                kinds,
                (ParamType::Value(_), ParamType::Fn { .. }) | (ParamType::Fn { .. }, ParamType::Value(_))
            ) || matches!(kinds, (ParamType::Fn { params: a, result: b }, ParamType::Fn { params: c, result: d }) if a != c || b != d)
            {
                let name = &mine.name;
                self.report(
                    Diagnostic::error(
                        codes::BAD_SIGNATURE,
                        mine.span,
                        format!("the parameter `{name}` has another type in the trait"),
                    )
                    .with_label(theirs.span, "declared here"),
                );
            }
            if let (ParamType::Value(a), ParamType::Value(b)) = (&mine.ty, &theirs.ty)
                && a != b
                && *a != Type::Error
                && *b != Type::Error
            {
                let (a, b) = (self.type_text(a, &own.generics), self.type_text(b, &own.generics));
                let name = &mine.name;
                self.report(Diagnostic::error(
                    codes::BAD_SIGNATURE,
                    mine.span,
                    format!("the trait says `{name}: {b}`, this says `{a}`"),
                ));
            }
        }
        if own.result != model.result && own.result != Type::Error && model.result != Type::Error {
            let a = self.type_text(&own.result, &own.generics);
            let b = self.type_text(&model.result, &own.generics);
            self.report(Diagnostic::error(
                codes::BAD_SIGNATURE,
                own.result_span,
                format!("the trait's `{name}` returns `{b}`, this one `{a}`"),
            ));
        }
    }
}

/// The parameters of a trait's function, behind those of an `impl`.
fn moved_behind(outer: &Generics, own: &Generics) -> Generics {
    let (types, consts) = own.outer;
    let mut all = outer.clone();
    all.outer = (outer.types.len(), outer.consts.len());
    all.types.extend(own.types[types.min(own.types.len())..].iter().cloned());
    all.consts.extend(own.consts[consts.min(own.consts.len())..].iter().cloned());
    all.sizes.clone_from(&own.sizes);
    all
}

/// `Self` and the trait function's own parameters in the terms of an `impl`.
struct SelfType {
    self_ty: Type,
    /// How many parameters the `impl` has.
    types: u32,
    consts: u32,
}

impl crate::typed::Substitution for SelfType {
    fn type_param(&self, index: u32) -> Option<Type> {
        if index == 0 { Some(self.self_ty.clone()) } else { Some(Type::Param(self.types + index - 1)) }
    }

    fn const_param(&self, index: u32) -> Option<ConstArg> {
        Some(ConstArg::Param(self.consts + index))
    }

    fn atom(&self, atom: &Atom) -> Option<Size> {
        let Atom::Const(index) = atom else { return None };
        Some(Size::atom(Atom::Const(self.consts + index)))
    }
}
