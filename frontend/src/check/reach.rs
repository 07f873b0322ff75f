//! Which items of the library a program can reach by name: in a user's run only those are parsed and checked. An
//! item that no name in the kept text means cannot be found by resolving names, so leaving it out changes nothing
//! for a program without errors; one with errors is checked again with the whole library (`session.rs`), where
//! suggestions find every name.

use std::collections::BTreeSet;

use we3_ir::Scalar;
use we3_parser::ast::{Item, ItemKind, UseKind, UseTree};
use we3_parser::{Heading, Outline};

/// The names that stand in what is kept of a program.
#[derive(Default)]
pub struct Reach {
    names: BTreeSet<String>,
}

impl Reach {
    /// These names stand in something that is kept.
    pub fn add<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        for name in names {
            if !self.names.contains(name) {
                self.names.insert(name.to_owned());
            }
        }
    }

    /// Whether an item with this name may be asked for: by its name, or, as `exp_f64`, by `exp` of an `f64`.
    pub fn wants(&self, name: &str) -> bool {
        self.names.contains(name) || without_type(name).is_some_and(|function| self.names.contains(function))
    }

    /// Whether one of these names stands in what is kept.
    pub fn mentions(&self, names: &BTreeSet<&str>) -> bool {
        names.iter().any(|name| self.names.contains(*name))
    }
}

/// `exp` for `exp_f64`.
fn without_type(name: &str) -> Option<&str> {
    let (function, ty) = name.rsplit_once('_')?;
    Scalar::from_name(ty).map(|_| function)
}

/// A module of the library of which only a part is parsed.
pub struct Partial {
    outline: Outline,
    kept: BTreeSet<usize>,
    /// Paths of the `use`s that are followed.
    followed: BTreeSet<Vec<String>>,
}

impl Partial {
    /// Nothing of it is kept yet.
    pub fn new(outline: Outline) -> Partial {
        Partial { outline, kept: BTreeSet::new(), followed: BTreeSet::new() }
    }

    /// Whether it declares a function or constant with this name.
    pub fn declares(&self, name: &str) -> bool {
        (0..self.outline.len()).any(|item| self.outline.heading(item) == Heading::Value(name))
    }

    /// Parses its `use`s and what is neither a function nor a constant: traits and records mean more than their names.
    pub fn frame(&self) -> Vec<Item> {
        let in_frame = |item| matches!(self.outline.heading(item), Heading::Use | Heading::Other);
        self.outline.parse(in_frame).0.items
    }

    /// The names in its traits, records and implementations.
    pub fn names_in_frame(&self) -> impl Iterator<Item = &str> {
        let frame = (0..self.outline.len()).filter(|item| self.outline.heading(*item) == Heading::Other);
        frame.flat_map(|item| self.outline.names(item))
    }

    /// Parses what is wanted and was not before; the names in it are reached too.
    pub fn more(&mut self, reach: &mut Reach) -> Vec<Item> {
        let wanted = |item| matches!(self.outline.heading(item), Heading::Value(name) if reach.wants(name));
        let fresh: Vec<usize> =
            (0..self.outline.len()).filter(|item| !self.kept.contains(item) && wanted(*item)).collect();
        if fresh.is_empty() {
            return Vec::new();
        }
        fresh.iter().for_each(|item| reach.add(self.outline.names(*item)));
        let items = self.outline.parse(|item| fresh.contains(&item)).0.items;
        self.kept.extend(fresh);
        items
    }

    /// A `use` is followed from now on; false if it was before.
    pub fn follow(&mut self, path: &[String]) -> bool {
        self.followed.insert(path.to_vec())
    }

    /// Takes the `use`s that nobody follows out of the module's items.
    pub fn prune(&self, items: &mut Vec<Item>) {
        items.retain_mut(|item| {
            if let ItemKind::Use(tree) = &mut item.kind { self.prune_tree(tree, &[]) } else { true }
        });
    }

    /// Whether something is left of the tree.
    fn prune_tree(&self, tree: &mut UseTree, before: &[String]) -> bool {
        let mut path = before.to_vec();
        path.extend(tree.path.iter().map(|name| name.text.clone()));
        match &mut tree.kind {
            UseKind::Leaf { .. } => self.followed.contains(&path),
            UseKind::Group(trees) => {
                trees.retain_mut(|tree| self.prune_tree(tree, &path));
                !trees.is_empty()
            }
        }
    }
}
