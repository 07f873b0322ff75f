//! Items of all modules into numbered tables, and `use` into names. Looks at no bodies and no types.

use std::collections::{BTreeMap, BTreeSet};

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::ast::{self, AssocKind, ItemKind, UseKind, UseTree};

use super::defs::*;
use super::load::Modules;
use super::suggest::closest;
use crate::codes;
use crate::typed::RecordId;

/// Numbers every item.
pub fn collect<'a>(modules: &'a Modules, diagnostics: &mut Vec<Diagnostic>) -> Defs<'a> {
    let mut collector = Collector { defs: Defs::default(), diagnostics };
    for loaded in &modules.modules {
        collector.defs.modules.push(ModuleDef {
            path: loaded.path.clone(),
            names: BTreeMap::new(),
            unresolved: BTreeSet::new(),
        });
    }
    collector.defs.prelude = modules
        .index
        .get(["std".to_owned(), "prelude".to_owned()].as_slice())
        .map(|number| ModuleId(*number as u32));
    for (number, loaded) in modules.modules.iter().enumerate() {
        let module = ModuleId(number as u32);
        loaded.ast.items.iter().for_each(|item| collector.item(module, item));
    }
    // `pub use` may go through several modules: each round resolves what the one before made known.
    for round in 0..=modules.modules.len() {
        let mut changed = false;
        for (number, loaded) in modules.modules.iter().enumerate() {
            for item in &loaded.ast.items {
                if let ItemKind::Use(tree) = &item.kind {
                    let place = Place { module: ModuleId(number as u32), is_pub: item.is_pub.is_some() };
                    let last = round == modules.modules.len();
                    changed |= collector.use_tree(modules, place, tree, &[], last);
                }
            }
        }
        if !changed && round < modules.modules.len() {
            // One last round to report what stays unknown.
            for (number, loaded) in modules.modules.iter().enumerate() {
                for item in &loaded.ast.items {
                    if let ItemKind::Use(tree) = &item.kind {
                        let place = Place { module: ModuleId(number as u32), is_pub: item.is_pub.is_some() };
                        collector.use_tree(modules, place, tree, &[], true);
                    }
                }
            }
            break;
        }
    }
    collector.defs
}

#[derive(Clone, Copy)]
struct Place {
    module: ModuleId,
    is_pub: bool,
}

struct Collector<'a, 'd> {
    defs: Defs<'a>,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'a> Collector<'a, '_> {
    fn item(&mut self, module: ModuleId, item: &'a ast::Item) {
        let is_pub = item.is_pub.is_some();
        match &item.kind {
            ItemKind::Use(_) | ItemKind::Error => {}
            ItemKind::Const(def) => {
                let id = self.constant(module, Owner::Module, def, item.span);
                self.name(module, &def.name, Def::Const(id), is_pub);
            }
            ItemKind::TypeAlias(def) => {
                let id = AliasId(self.defs.aliases.len() as u32);
                self.defs.aliases.push(AliasDef { ast: def, module });
                self.name(module, &def.name, Def::Alias(id), is_pub);
            }
            ItemKind::Struct(def) => {
                let id = RecordId(self.defs.structs.len() as u32);
                self.defs.structs.push(StructDef { ast: def, attrs: &item.attrs, module });
                self.name(module, &def.name, Def::Struct(id), is_pub);
            }
            ItemKind::Trait(def) => self.trait_item(module, def, is_pub),
            ItemKind::Impl(def) => self.impl_item(module, def, item.span),
            ItemKind::Fn(def) => {
                let id = self.function(module, Owner::Module, def, &item.attrs, &item.docs, is_pub);
                self.name(module, &def.name, Def::Fn(id), is_pub);
            }
            ItemKind::Test(def) => self.defs.tests.push(TestDef {
                module,
                name: &def.name,
                inputs: &def.inputs,
                body: &def.body,
                attrs: &item.attrs,
                span: item.span,
                is_bench: false,
            }),
            ItemKind::Bench(def) => self.defs.tests.push(TestDef {
                module,
                name: &def.name,
                inputs: &def.inputs,
                body: &def.body,
                attrs: &item.attrs,
                span: item.span,
                is_bench: true,
            }),
        }
    }

    fn function(
        &mut self,
        module: ModuleId,
        owner: Owner,
        ast: &'a ast::FnItem,
        attrs: &'a [ast::Attr],
        docs: &'a [ast::Doc],
        is_pub: bool,
    ) -> FnId {
        let id = FnId(self.defs.fns.len() as u32);
        let name = ast.name.text.clone();
        self.defs.fns.push(FnDef { name, ast, attrs, docs, module, owner, is_pub });
        id
    }

    fn constant(&mut self, module: ModuleId, owner: Owner, ast: &'a ast::ConstItem, span: Span) -> ConstId {
        let id = ConstId(self.defs.consts.len() as u32);
        self.defs.consts.push(ConstDef { ast, module, owner, span });
        id
    }

    fn trait_item(&mut self, module: ModuleId, ast: &'a ast::TraitItem, is_pub: bool) {
        let id = TraitId(self.defs.traits.len() as u32);
        let builtin = Some(module) == self.defs.prelude;
        self.defs.traits.push(TraitDef {
            ast,
            module,
            fns: BTreeMap::new(),
            consts: BTreeMap::new(),
            builtin,
        });
        let (fns, consts) = self.assoc_items(module, Owner::Trait(id), &ast.items);
        if builtin {
            self.defs.trait_fns.extend(fns.iter().map(|(name, id)| (name.clone(), *id)));
        }
        let def = &mut self.defs.traits[id.index()];
        (def.fns, def.consts) = (fns, consts);
        self.name(module, &ast.name, Def::Trait(id), is_pub);
    }

    fn impl_item(&mut self, module: ModuleId, ast: &'a ast::ImplItem, span: Span) {
        let id = ImplId(self.defs.impls.len() as u32);
        let header = ast.of_trait.as_ref().map_or(ast.ty.span, |path| path.span.to(ast.ty.span));
        let span = if header.file == span.file { Span::new(span.file, span.lo, header.hi) } else { span };
        self.defs.impls.push(ImplDef { ast, module, fns: BTreeMap::new(), consts: BTreeMap::new(), span });
        let (fns, consts) = self.assoc_items(module, Owner::Impl(id), &ast.items);
        let def = &mut self.defs.impls[id.index()];
        (def.fns, def.consts) = (fns, consts);
    }

    fn assoc_items(
        &mut self,
        module: ModuleId,
        owner: Owner,
        items: &'a [ast::AssocItem],
    ) -> (BTreeMap<String, FnId>, BTreeMap<String, ConstId>) {
        let (mut fns, mut consts) = (BTreeMap::new(), BTreeMap::new());
        for item in items {
            match &item.kind {
                AssocKind::Error => {}
                AssocKind::Const(def) => {
                    if consts.contains_key(&def.name.text) || fns.contains_key(&def.name.text) {
                        self.duplicate(&def.name, None);
                    }
                    let id = self.constant(module, owner, def, item.span);
                    consts.insert(def.name.text.clone(), id);
                }
                AssocKind::Fn(def) => {
                    if consts.contains_key(&def.name.text) || fns.contains_key(&def.name.text) {
                        self.duplicate(&def.name, None);
                    }
                    let is_pub = item.is_pub.is_some();
                    let id = self.function(module, owner, def, &item.attrs, &item.docs, is_pub);
                    fns.insert(def.name.text.clone(), id);
                }
            }
        }
        (fns, consts)
    }

    fn name(&mut self, module: ModuleId, name: &ast::Name, def: Def, is_pub: bool) {
        let entry = NameEntry { def, span: name.span, is_pub, imported: false };
        let names = &mut self.defs.modules[module.index()].names;
        match names.get(&name.text) {
            Some(first) => {
                let span = first.span;
                self.duplicate(name, Some(span));
            }
            None => {
                names.insert(name.text.clone(), entry);
            }
        }
    }

    fn duplicate(&mut self, name: &ast::Name, first: Option<Span>) {
        let message = format!("`{}` is declared twice", name.text);
        let mut error =
            Diagnostic::error(codes::DUPLICATE_NAME, name.span, message).with_here("declared again here");
        if let Some(span) = first {
            error = error.with_label(span, "first declared here");
        }
        self.diagnostics.push(error);
    }

    /// Resolves the leaves of a `use`; true if a name was added. Errors are reported in the last round.
    fn use_tree(
        &mut self,
        modules: &Modules,
        place: Place,
        tree: &'a UseTree,
        before: &[String],
        last: bool,
    ) -> bool {
        let mut path = before.to_vec();
        path.extend(tree.path.iter().map(|name| name.text.clone()));
        match &tree.kind {
            UseKind::Group(trees) => {
                let mut changed = false;
                for tree in trees {
                    changed |= self.use_tree(modules, place, tree, &path, last);
                }
                changed
            }
            UseKind::Leaf { alias } => {
                let Some(name) = alias.as_ref().or(tree.path.last()) else { return false };
                self.use_leaf(modules, place, tree, &path, name, last)
            }
        }
    }

    fn use_leaf(
        &mut self,
        modules: &Modules,
        place: Place,
        tree: &'a UseTree,
        path: &[String],
        name: &'a ast::Name,
        last: bool,
    ) -> bool {
        if let Some(entry) = self.defs.modules[place.module.index()].names.get(&name.text) {
            if entry.span != name.span && last {
                let span = entry.span;
                self.duplicate(name, Some(span));
            }
            return false;
        }
        let Some((item, front)) = path.split_last() else { return false };
        let holder = modules.index.get(front).copied();
        let mut found = None;
        if let Some(holder) = holder
            && !front.is_empty()
        {
            found = self.defs.modules[holder].names.get(item).copied();
        }
        if found.is_none() {
            found = modules.index.get(path).map(|number| NameEntry {
                def: Def::Module(ModuleId(*number as u32)),
                span: name.span,
                is_pub: true,
                imported: true,
            });
        }
        let Some(entry) = found else {
            if last {
                if let Some(holder) = holder {
                    self.unknown_import(holder, tree, item, front);
                }
                // What could not be imported is not complained about again where it is used.
                self.defs.modules[place.module.index()].unresolved.insert(name.text.clone());
            }
            return false;
        };
        if !entry.is_pub && holder != Some(place.module.index()) {
            let span = tree.path.last().map_or(tree.span, |name| name.span);
            self.diagnostics.push(
                Diagnostic::error(codes::PRIVATE_ITEM, span, format!("`{item}` is not `pub`"))
                    .with_here(format!("private to `{}`", front.join("::")))
                    .with_label(entry.span, "declared here; write `pub` before it"),
            );
        }
        let entry = NameEntry { def: entry.def, span: name.span, is_pub: place.is_pub, imported: true };
        self.defs.modules[place.module.index()].names.insert(name.text.clone(), entry);
        true
    }

    fn unknown_import(&mut self, holder: usize, tree: &UseTree, item: &str, front: &[String]) {
        let span = tree.path.last().map_or(tree.span, |name| name.span);
        let module = &self.defs.modules[holder];
        let names = module.names.iter().filter(|(_, e)| e.is_pub).map(|(name, _)| name.as_str());
        let message = format!("there is no `{item}` in `{}`", front.join("::"));
        let mut error = Diagnostic::error(codes::UNKNOWN_NAME, span, message);
        if let Some(close) = closest(item, names) {
            error = error.with_fix(format!("did you mean `{close}`?"), span, close);
        }
        self.diagnostics.push(error);
    }
}
