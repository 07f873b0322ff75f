//! What only the whole of a check can say about its diagnostics: which module of the library has a missing name, and
//! that two errors have one cause.

use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::FileId;
use we3_parser::ast::ItemKind;
use we3_parser::{Heading, Outline, codes as syntax};

use crate::codes;
use crate::source::{SourceMap, SourceProvider};

/// Adds and removes.
pub fn complete(provider: &dyn SourceProvider, sources: &SourceMap, diagnostics: &mut Vec<Diagnostic>) {
    point_to_library(provider, sources, diagnostics);
    drop_consequences(sources, diagnostics);
}

/// "it is in `std::linalg`", whether the program imports anything from there or not.
fn point_to_library(provider: &dyn SourceProvider, sources: &SourceMap, diagnostics: &mut [Diagnostic]) {
    let unknown: Vec<&mut Diagnostic> = diagnostics
        .iter_mut()
        .filter(|one| [codes::UNKNOWN_NAME, codes::UNKNOWN_TYPE, codes::UNKNOWN_TRAIT].contains(&one.code))
        .filter(|one| one.notes.is_empty())
        .collect();
    if unknown.is_empty() {
        return;
    }
    let modules: Vec<(Vec<String>, Outline)> = provider
        .library()
        .into_iter()
        .filter_map(|path| {
            let source = provider.load(&path)?;
            Some((path, Outline::new(FileId(0), &source.text)))
        })
        .collect();
    for diagnostic in unknown {
        let text = sources.slice(diagnostic.primary_span());
        let name = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(text);
        if let Some((path, _)) = modules.iter().find(|(_, outline)| exports(outline, name)) {
            let path = path.join("::");
            diagnostic.fixes.clear();
            diagnostic.notes.push(format!("it is in `{path}`: write `use {path}::{{{name}}};`"));
        }
    }
}

/// Whether a module has a public item of this name.
fn exports(outline: &Outline, name: &str) -> bool {
    let may_be = |item| match outline.heading(item) {
        Heading::Value(value) => value == name,
        Heading::Other => true,
        Heading::Use | Heading::Test => false,
    };
    let (module, _) = outline.parse(may_be);
    module.items.iter().any(|item| item.is_pub.is_some() && item_name(&item.kind) == Some(name))
}

fn item_name(item: &ItemKind) -> Option<&str> {
    match item {
        ItemKind::Fn(item) => Some(&item.name.text),
        ItemKind::Const(item) => Some(&item.name.text),
        ItemKind::TypeAlias(item) => Some(&item.name.text),
        ItemKind::Struct(item) => Some(&item.name.text),
        ItemKind::Trait(item) => Some(&item.name.text),
        ItemKind::Use(_) | ItemKind::Impl(_) | ItemKind::Test(_) | ItemKind::Bench(_) | ItemKind::Error => {
            None
        }
    }
}

/// A block that throws its result away with a `;` has none: that is one fault.
fn drop_consequences(sources: &SourceMap, diagnostics: &mut Vec<Diagnostic>) {
    let thrown: Vec<_> = diagnostics
        .iter()
        .filter(|one| one.code == syntax::RESULT_DISCARDED)
        .map(Diagnostic::primary_span)
        .collect();
    diagnostics.retain(|one| {
        let at = one.primary_span();
        one.code != codes::MISSING_VALUE
            || !thrown.iter().any(|semicolon| {
                let between = sources.text(at.file).get(semicolon.hi as usize..at.lo as usize);
                semicolon.file == at.file && between.is_some_and(|text| text.trim().is_empty())
            })
    });
}
