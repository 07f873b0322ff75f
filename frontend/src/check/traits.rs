//! Names of items, traits and their `impl`s: which exist, what they give, who implements what.

use std::collections::BTreeSet;
use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::defs::*;
use super::elaborate::elaborate;
use super::session::Checker;
use super::signature::{ImplInfo, SigEnv};
use super::suggest::closest;
use crate::codes;
use crate::typed::{ConstArg, Type};

/// The type and const arguments an `impl`'s parameters take for a type.
#[derive(Clone, Debug, Default)]
pub struct ImplArgs {
    pub types: Vec<Type>,
    pub consts: Vec<ConstArg>,
}

impl<'a, 's> Checker<'a, 's> {
    /// A name a module declares or imports.
    pub fn own_name(&self, module: ModuleId, name: &str) -> Option<Def> {
        self.defs.modules[module.index()].names.get(name).map(|entry| entry.def)
    }

    /// A name visible in a module: its own, else the prelude's.
    pub fn name(&mut self, module: ModuleId, name: &str) -> Option<Def> {
        if let Some(def) = self.own_name(module, name) {
            self.used_names.insert((module, name.to_owned()));
            return Some(def);
        }
        let prelude = self.defs.prelude?;
        let entry = self.defs.modules[prelude.index()].names.get(name)?;
        (entry.is_pub || module == prelude).then_some(entry.def)
    }

    /// What a path of names leads to. Reports nothing but private items.
    pub fn find_item(&mut self, module: ModuleId, names: &[&ast::Name]) -> Option<Def> {
        let (first, rest) = names.split_first()?;
        let mut def = match self.name(module, &first.text) {
            Some(def) => def,
            None => return self.absolute_item(names),
        };
        let mut at = 0;
        for name in rest {
            let Def::Module(inner) = def else { return None };
            at += 1;
            def = self.member(inner, module, names[at])?;
            let _ = name;
        }
        Some(def)
    }

    /// `std::linalg::matmul` without a `use`, if the module was loaded.
    fn absolute_item(&mut self, names: &[&ast::Name]) -> Option<Def> {
        let (last, front) = names.split_last()?;
        let path: Vec<&str> = front.iter().map(|name| name.text.as_str()).collect();
        let holder = self.defs.modules.iter().position(|module| {
            !module.path.is_empty() && module.path.iter().map(String::as_str).eq(path.iter().copied())
        })?;
        let entry = self.defs.modules[holder].names.get(&last.text).filter(|entry| entry.is_pub)?;
        Some(entry.def)
    }

    fn member(&mut self, of: ModuleId, from: ModuleId, name: &ast::Name) -> Option<Def> {
        let entry = *self.defs.modules[of.index()].names.get(&name.text)?;
        if !entry.is_pub && of != from {
            self.report(
                Diagnostic::error(codes::PRIVATE_ITEM, name.span, format!("`{}` is not `pub`", name.text))
                    .with_label(entry.span, "declared here; write `pub` before it"),
            );
        }
        Some(entry.def)
    }

    /// Names visible in a module, for suggestions.
    pub fn visible_names(&self, module: ModuleId, wanted: &dyn Fn(Def) -> bool) -> Vec<String> {
        let own = self.defs.modules[module.index()].names.iter();
        let prelude = self.defs.prelude.filter(|prelude| *prelude != module);
        let prelude = prelude.map(|id| self.defs.modules[id.index()].names.iter());
        own.chain(prelude.into_iter().flatten().filter(|(_, entry)| entry.is_pub))
            .filter(|(_, entry)| wanted(entry.def))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The trait a path names.
    pub fn trait_path(&mut self, module: ModuleId, path: &ast::Path) -> Option<TraitId> {
        let names: Vec<&ast::Name> = path.segments.iter().map(|segment| &segment.name).collect();
        match self.find_item(module, &names) {
            Some(Def::Trait(id)) => Some(id),
            Some(def) => {
                self.report(Diagnostic::error(
                    codes::WRONG_KIND_OF_NAME,
                    path.span,
                    format!("`{}` is {}, not a trait", self.text(path.span), def.describe()),
                ));
                None
            }
            None => {
                let name = path.segments.last().map_or("", |s| s.name.text.as_str());
                let names = self.visible_names(module, &|def| matches!(def, Def::Trait(_)));
                let foreign = match name {
                    "Add" | "Sub" | "Mul" | "Number" | "Numeric" | "Ring" => Some("Num"),
                    "Real" | "Floating" | "Field" => Some("Float"),
                    "Integer" | "Integral" => Some("Int"),
                    "PartialOrd" => Some("Ord"),
                    "PartialEq" => Some("Eq"),
                    _ => None,
                };
                let close = foreign.or_else(|| closest(name, names.iter().map(String::as_str)));
                let mut error =
                    Diagnostic::error(codes::UNKNOWN_TRAIT, path.span, format!("there is no trait `{name}`"));
                if let Some(close) = close {
                    error = error.with_fix(format!("did you mean `{close}`?"), path.span, close);
                }
                self.report(error);
                None
            }
        }
    }

    /// A trait of the prelude by name.
    pub fn builtin_trait(&self, name: &str) -> Option<TraitId> {
        let prelude = self.defs.prelude?;
        match self.defs.modules[prelude.index()].names.get(name)?.def {
            Def::Trait(id) => Some(id),
            Def::Module(_) | Def::Fn(_) | Def::Struct(_) | Def::Const(_) | Def::Alias(_) => None,
        }
    }

    /// A trait's name.
    pub fn trait_name(&self, id: TraitId) -> &'a str {
        &self.defs.traits[id.index()].ast.name.text
    }

    /// A trait and all it builds on.
    pub fn supers(&mut self, id: TraitId) -> Rc<Vec<TraitId>> {
        if let Some(known) = &self.supers[id.index()] {
            return known.clone();
        }
        // A circle of supertraits ends here.
        self.supers[id.index()] = Some(Rc::new(vec![id]));
        let def = &self.defs.traits[id.index()];
        let (module, ast) = (def.module, def.ast);
        let mut all = BTreeSet::from([id]);
        for path in &ast.supertraits {
            if let Some(above) = self.trait_path(module, path) {
                all.extend(self.supers(above).iter().copied());
            }
        }
        let all = Rc::new(all.into_iter().collect::<Vec<_>>());
        self.supers[id.index()] = Some(all.clone());
        all
    }

    /// Bounds with everything they require.
    pub fn with_supers(&mut self, bounds: &[TraitId]) -> Vec<TraitId> {
        let mut all = BTreeSet::new();
        for bound in bounds {
            all.extend(self.supers(*bound).iter().copied());
        }
        all.into_iter().collect()
    }

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

    /// The `impl` that gives an item of a trait for a type, and its arguments.
    pub fn impl_item_for(&mut self, ty: &Type, of: TraitId, name: &str) -> Option<(ImplId, ImplArgs)> {
        for index in 0..self.defs.impls.len() {
            let id = ImplId(index as u32);
            let info = self.impl_info(id);
            let Some(given) = info.of_trait else { continue };
            let def = &self.defs.impls[index];
            if !(def.fns.contains_key(name) || def.consts.contains_key(name)) {
                continue;
            }
            if self.supers(given).contains(&of)
                && let Some(args) = match_impl(&info.self_ty, ty, &info.generics)
            {
                return Some((id, args));
            }
        }
        None
    }

    /// A function or constant of a type's own `impl`s.
    pub fn inherent_item(&mut self, ty: &Type, name: &str) -> Option<(ImplId, ImplArgs)> {
        for index in 0..self.defs.impls.len() {
            let def = &self.defs.impls[index];
            if !(def.fns.contains_key(name) || def.consts.contains_key(name)) {
                continue;
            }
            let id = ImplId(index as u32);
            let info = self.impl_info(id);
            if info.of_trait.is_none()
                && let Some(args) = match_impl(&info.self_ty, ty, &info.generics)
            {
                return Some((id, args));
            }
        }
        None
    }

    /// Whether a type implements a trait; type parameters have what `generics` says.
    pub fn implements(&mut self, ty: &Type, of: TraitId, generics: &Generics) -> bool {
        match ty {
            Type::Error | Type::Infer(_) => true,
            Type::Param(index) => {
                generics.types.get(*index as usize).is_some_and(|param| param.bounds.contains(&of))
            }
            Type::Scalar(scalar) => self.scalar_implements(*scalar, of) || self.has_impl(ty, of),
            Type::Tuple(_) | Type::Record(_) => self.has_impl(ty, of),
            Type::Array { .. } => false,
        }
    }

    fn has_impl(&mut self, ty: &Type, of: TraitId) -> bool {
        for index in 0..self.defs.impls.len() {
            let info = self.impl_info(ImplId(index as u32));
            if let Some(given) = info.of_trait
                && self.supers(given).contains(&of)
                && match_impl(&info.self_ty, ty, &info.generics).is_some()
            {
                return true;
            }
        }
        false
    }

    /// Whether a scalar implements a trait of the prelude by nature.
    pub fn scalar_implements(&self, scalar: Scalar, of: TraitId) -> bool {
        let def = &self.defs.traits[of.index()];
        let bool_ty = scalar == Scalar::Bool;
        def.builtin
            && match def.ast.name.text.as_str() {
                "Eq" | "Ord" => true,
                "Semiring" | "Num" | "Div" => !bool_ty,
                "Int" => scalar.is_int(),
                "Bits" => scalar.is_int() || bool_ty,
                "Float" => scalar.is_float(),
                _ => false,
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
        let outer = self.impl_info(owner).generics.types.len() as u32;
        let shift = SelfType { self_ty, outer };
        let mut copy = (*signature).clone();
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
        for (mine, theirs) in own.params.iter().zip(&model.params) {
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

    /// Where a trait item of this name is declared among some bounds.
    pub fn bound_item(&mut self, bounds: &[TraitId], name: &str) -> Option<TraitId> {
        bounds.iter().copied().find(|of| {
            let def = &self.defs.traits[of.index()];
            def.fns.contains_key(name) || def.consts.contains_key(name)
        })
    }

    /// A span to point at for a type parameter.
    pub fn param_span(generics: &Generics, index: u32) -> Span {
        generics.types.get(index as usize).map_or(Span::default(), |param| param.span)
    }
}

/// `Self` and the trait function's own type parameters in the terms of an `impl`.
struct SelfType {
    self_ty: Type,
    outer: u32,
}

impl crate::typed::Substitution for SelfType {
    fn type_param(&self, index: u32) -> Option<Type> {
        if index == 0 { Some(self.self_ty.clone()) } else { Some(Type::Param(self.outer + index - 1)) }
    }

    fn const_param(&self, _: u32) -> Option<ConstArg> {
        None
    }

    fn atom(&self, _: &crate::typed::Atom) -> Option<crate::typed::Size> {
        None
    }
}

/// Matches the type of an `impl` with a concrete type.
pub fn match_impl(template: &Type, ty: &Type, generics: &Generics) -> Option<ImplArgs> {
    let mut found =
        Found { types: vec![None; generics.types.len()], consts: vec![None; generics.consts.len()] };
    if !found.matches(template, ty) {
        return None;
    }
    Some(ImplArgs {
        types: found.types.into_iter().map(|ty| ty.unwrap_or(Type::Error)).collect(),
        consts: found
            .consts
            .into_iter()
            .enumerate()
            .map(|(index, value)| value.unwrap_or(ConstArg::Param(index as u32)))
            .collect(),
    })
}

struct Found {
    types: Vec<Option<Type>>,
    consts: Vec<Option<ConstArg>>,
}

impl Found {
    fn matches(&mut self, template: &Type, ty: &Type) -> bool {
        match (template, ty) {
            (Type::Param(index), _) => match self.types.get_mut(*index as usize) {
                Some(Some(known)) => known == ty,
                Some(slot) => {
                    *slot = Some(ty.clone());
                    true
                }
                None => false,
            },
            (Type::Scalar(a), Type::Scalar(b)) => a == b,
            (_, Type::Infer(_)) => true,
            (Type::Tuple(a), Type::Tuple(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.matches(a, b))
            }
            (Type::Record(a), Type::Record(b)) => {
                a.def == b.def
                    && a.types.iter().zip(&b.types).all(|(a, b)| self.matches(a, b))
                    && a.consts.iter().zip(&b.consts).all(|(a, b)| self.matches_const(*a, *b))
            }
            _ => false,
        }
    }

    fn matches_const(&mut self, template: ConstArg, value: ConstArg) -> bool {
        match template {
            ConstArg::Value(_) => template == value,
            ConstArg::Param(index) => match self.consts.get_mut(index as usize) {
                Some(Some(known)) => *known == value,
                Some(slot) => {
                    *slot = Some(value);
                    true
                }
                None => false,
            },
        }
    }
}
