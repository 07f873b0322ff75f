//! Traits: what they require, what their `impl`s give, who implements what.

use std::collections::BTreeSet;
use std::rc::Rc;

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_ir::types::Scalar;
use we3_parser::ast;

use super::defs::*;
use super::session::Checker;
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

    /// Traits are about one type, `Self`.
    pub fn check_trait(&mut self, id: TraitId) {
        let ast = self.defs.traits[id.index()].ast;
        if !ast.generics.params.is_empty() {
            let message = format!("the trait `{}` cannot have parameters", ast.name.text);
            self.report(Diagnostic::error(codes::GENERIC_ARGUMENTS, ast.generics.span, message).with_note(
                "a trait is about `Self`; its functions may have parameters of their own: `fn f<T: Num>(…)`",
            ));
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
