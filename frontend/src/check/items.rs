//! Names of items: where a path leads from a module, and which names are visible there.

use we3_ir::diagnostic::Diagnostic;
use we3_parser::ast;

use super::defs::*;
use super::session::Checker;
use crate::codes;

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
}
