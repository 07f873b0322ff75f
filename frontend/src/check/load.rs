//! Reads the root module and everything it reaches by `use`, parsed. Resolves no names but modules'.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;
use we3_parser::Outline;
use we3_parser::ast::{AssocKind, ItemKind, Module, UseKind, UseTree};

use super::reach::{Partial, Reach};
use crate::codes;
use crate::source::{SourceMap, SourceProvider};

/// A parsed module with its path; the root's is empty.
pub struct Loaded {
    pub path: Vec<String>,
    pub ast: Module,
    /// Modules it imports, with the place.
    pub imports: Vec<(Vec<String>, Span)>,
    /// What is known of a module that is parsed in part.
    partial: Option<Partial>,
}

/// How much of the library is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading {
    /// Every module that is imported.
    Whole,
    /// What the program can reach by name.
    Reached,
}

/// Every module reached, root first.
pub struct Modules {
    pub modules: Vec<Loaded>,
    pub index: BTreeMap<Vec<String>, usize>,
}

/// Loads a program.
pub fn load(
    provider: &dyn SourceProvider,
    sources: &mut SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
    reading: Reading,
) -> Modules {
    let mut loader = Loader {
        provider,
        reading,
        reach: Reach::default(),
        sources,
        diagnostics,
        out: Modules { modules: Vec::new(), index: BTreeMap::new() },
        missing: BTreeMap::new(),
        queue: VecDeque::new(),
    };
    loader.module(&[]);
    let prelude = loader.module(&std_path("prelude"));
    loader.drain();
    // The math functions are long: they are read only if a program names one.
    if let Some(prelude) = prelude
        && loader.mentions_math(prelude)
    {
        loader.module(&std_path("math"));
        loader.drain();
    }
    for module in &mut loader.out.modules {
        if let Some(partial) = &module.partial {
            partial.prune(&mut module.ast.items);
        }
    }
    loader.out
}

fn std_path(name: &str) -> Vec<String> {
    vec!["std".to_owned(), name.to_owned()]
}

struct Loader<'p> {
    provider: &'p dyn SourceProvider,
    reading: Reading,
    reach: Reach,
    sources: &'p mut SourceMap,
    diagnostics: &'p mut Vec<Diagnostic>,
    out: Modules,
    missing: BTreeMap<Vec<String>, ()>,
    queue: VecDeque<usize>,
}

impl Loader<'_> {
    fn module(&mut self, path: &[String]) -> Option<usize> {
        if let Some(number) = self.out.index.get(path) {
            return Some(*number);
        }
        if self.missing.contains_key(path) {
            return None;
        }
        let Some(source) = self.provider.load(path) else {
            self.missing.insert(path.to_vec(), ());
            return None;
        };
        let file = self.sources.add(source);
        let outline = Outline::new(file, self.sources.text(file));
        let partial = self.reading == Reading::Reached && path.first().is_some_and(|first| first == "std");
        let (mut ast, mut found) = outline.parse(|_| !partial);
        self.diagnostics.append(&mut found);
        let partial = if partial {
            let partial = Partial::new(outline);
            ast.items = partial.frame();
            // The traits of the prelude name every function there is.
            if path.last().is_none_or(|last| last != "prelude") {
                self.reach.add(partial.names_in_frame());
            }
            Some(partial)
        } else {
            (0..outline.len()).for_each(|item| self.reach.add(outline.names(item)));
            None
        };
        let number = self.out.modules.len();
        self.out.modules.push(Loaded { path: path.to_vec(), ast, imports: Vec::new(), partial });
        self.out.index.insert(path.to_vec(), number);
        self.queue.push_back(number);
        Some(number)
    }

    fn imports_of(&mut self, number: usize) {
        if self.out.modules.get(number).is_some_and(|loaded| loaded.partial.is_some()) {
            return;
        }
        for name in self.std_paths(number) {
            self.module(&["std".to_owned(), name]);
        }
        let leaves = self.out.modules.get(number).map_or_else(Vec::new, |loaded| leaves_of(&loaded.ast));
        self.import(number, leaves);
    }

    /// Reads the modules that these `use`s name.
    fn import(&mut self, number: usize, leaves: Vec<Leaf>) {
        for Leaf { path, span, .. } in leaves {
            let target = self.module_of_leaf(&path);
            match target {
                Some(target) => {
                    let path = self.out.modules.get(target).map(|m| m.path.clone());
                    if let (Some(loaded), Some(path)) = (self.out.modules.get_mut(number), path) {
                        loaded.imports.push((path, span));
                    }
                }
                None => {
                    let name = path[..path.len().saturating_sub(1).max(1)].join("::");
                    self.diagnostics.push(
                        Diagnostic::error(codes::UNKNOWN_MODULE, span, format!("there is no module `{name}`"))
                            .with_note("modules of the program are files beside the root file; those of the standard library begin with `std::`"),
                    );
                }
            }
        }
    }

    fn drain(&mut self) {
        loop {
            while let Some(number) = self.queue.pop_front() {
                self.imports_of(number);
            }
            let mut found = false;
            for number in 0..self.out.modules.len() {
                found |= self.reach_more(number);
            }
            if !found {
                return;
            }
        }
    }

    /// Parses and imports what the program has come to reach of a module; whether there was something.
    fn reach_more(&mut self, number: usize) -> bool {
        let Some(loaded) = self.out.modules.get_mut(number) else { return false };
        let Some(partial) = &mut loaded.partial else { return false };
        let items = partial.more(&mut self.reach);
        let mut found = !items.is_empty();
        loaded.ast.items.extend(items);
        let mut leaves = leaves_of(&loaded.ast);
        leaves.retain(|leaf| self.reach.wants(&leaf.name) && partial.follow(&leaf.path));
        self.reach.add(leaves.iter().filter_map(|leaf| leaf.path.last()).map(String::as_str));
        found |= !leaves.is_empty();
        self.import(number, leaves);
        found
    }

    /// Whether a module other than the prelude names a function of `Float` that is no operation of its own.
    fn mentions_math(&self, prelude: usize) -> bool {
        let mut names = BTreeSet::new();
        for item in &self.out.modules[prelude].ast.items {
            let ItemKind::Trait(item) = &item.kind else { continue };
            for assoc in item.items.iter().filter(|_| item.name.text == "Float") {
                if let AssocKind::Fn(function) = &assoc.kind
                    && !super::body::is_operation(&function.name.text)
                {
                    names.insert(function.name.text.as_str());
                }
            }
        }
        if self.reading == Reading::Reached {
            return self.reach.mentions(&names);
        }
        self.out.modules.iter().enumerate().filter(|(number, _)| *number != prelude).any(|(_, module)| {
            let text = self.sources.text(module.ast.span.file);
            text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| names.contains(word))
        })
    }

    /// Modules named by full paths, `std::random::uniform(…)`, wherever they stand in the text.
    fn std_paths(&self, number: usize) -> Vec<String> {
        let Some(loaded) = self.out.modules.get(number) else { return Vec::new() };
        let text = self.sources.text(loaded.ast.span.file);
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let mut names: Vec<String> = code
            .flat_map(|line| line.split("std::").skip(1))
            .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// The module a `use` path reaches: the one that holds the last name, or the one it names.
    fn module_of_leaf(&mut self, path: &[String]) -> Option<usize> {
        let (last, front) = path.split_last()?;
        if !front.is_empty()
            && let Some(number) = self.module(front)
            && declares(&self.out.modules[number], last)
        {
            return Some(number);
        }
        if let Some(number) = self.module(path) {
            return Some(number);
        }
        if front.is_empty() { None } else { self.module(front) }
    }
}

/// The end of a branch of a `use`.
struct Leaf {
    /// The full path.
    path: Vec<String>,
    /// The name that comes in.
    name: String,
    span: Span,
}

fn leaves_of(module: &Module) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    for item in &module.items {
        if let ItemKind::Use(tree) = &item.kind {
            collect_leaves(tree, &[], &mut leaves);
        }
    }
    leaves
}

fn collect_leaves(tree: &UseTree, before: &[String], out: &mut Vec<Leaf>) {
    let mut path = before.to_vec();
    path.extend(tree.path.iter().map(|name| name.text.clone()));
    match &tree.kind {
        UseKind::Leaf { alias } => {
            if let Some(last) = path.last() {
                let name = alias.as_ref().map_or(last, |alias| &alias.text).clone();
                out.push(Leaf { path, name, span: tree.span });
            }
        }
        UseKind::Group(trees) => trees.iter().for_each(|tree| collect_leaves(tree, &path, out)),
    }
}

fn declares(module: &Loaded, name: &str) -> bool {
    let unparsed = module.partial.as_ref().is_some_and(|partial| partial.declares(name));
    unparsed
        || module.ast.items.iter().any(|item| match &item.kind {
            ItemKind::Const(item) => item.name.text == name,
            ItemKind::TypeAlias(item) => item.name.text == name,
            ItemKind::Struct(item) => item.name.text == name,
            ItemKind::Trait(item) => item.name.text == name,
            ItemKind::Fn(item) => item.name.text == name,
            ItemKind::Use(tree) => item.is_pub.is_some() && use_gives(tree, name),
            ItemKind::Impl(_) | ItemKind::Test(_) | ItemKind::Bench(_) | ItemKind::Error => false,
        })
}

fn use_gives(tree: &UseTree, name: &str) -> bool {
    match &tree.kind {
        UseKind::Leaf { alias } => alias.as_ref().or(tree.path.last()).is_some_and(|last| last.text == name),
        UseKind::Group(trees) => trees.iter().any(|tree| use_gives(tree, name)),
    }
}

/// One diagnostic for each circle of imports.
pub fn check_cycles(modules: &Modules, diagnostics: &mut Vec<Diagnostic>) {
    // 0: not seen, 1: on the path, 2: done.
    let mut state = vec![0u8; modules.modules.len()];
    for start in 0..modules.modules.len() {
        let mut path: Vec<(usize, usize)> = Vec::new();
        if state[start] == 0 {
            state[start] = 1;
            path.push((start, 0));
        }
        while let Some((node, next)) = path.last_mut() {
            let Some((target, span)) = modules.modules[*node].imports.get(*next) else {
                state[*node] = 2;
                path.pop();
                continue;
            };
            *next += 1;
            let from = *node;
            let Some(&target) = modules.index.get(target) else { continue };
            match state[target] {
                0 => {
                    state[target] = 1;
                    path.push((target, 0));
                }
                1 if target != from || !modules.modules[from].path.is_empty() => {
                    let at = path.iter().position(|(node, _)| *node == target).unwrap_or(0);
                    let mut names: Vec<String> =
                        path[at..].iter().map(|(node, _)| module_name(modules, *node)).collect();
                    names.push(module_name(modules, target));
                    diagnostics.push(
                        Diagnostic::error(
                            codes::IMPORT_CYCLE,
                            *span,
                            "modules import each other in a circle",
                        )
                        .with_here("this `use` closes the circle")
                        .with_note(names.join(" → ")),
                    );
                }
                _ => {}
            }
        }
    }
}

fn module_name(modules: &Modules, number: usize) -> String {
    let path = &modules.modules[number].path;
    if path.is_empty() { "the root file".to_owned() } else { format!("`{}`", path.join("::")) }
}

/// The places of the items that hold an error.
pub fn items_with_errors(modules: &Modules, diagnostics: &[Diagnostic]) -> Vec<Span> {
    let errors: Vec<Span> =
        diagnostics.iter().filter(|one| one.is_error()).map(Diagnostic::primary_span).collect();
    let items = modules.modules.iter().flat_map(|module| &module.ast.items).map(|item| item.span);
    items
        .filter(|item| errors.iter().any(|e| e.file == item.file && item.lo <= e.lo && e.hi <= item.hi))
        .collect()
}
