//! One file from text to tree, with everything that is wrong with it.

use crate::ast::Module;
use crate::recover::{Chunk, parse_item};
use crate::{chunks, classify, lexer, nesting, validate};
use std::collections::BTreeSet;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::{FileId, Span};

/// How many complaints one file gets.
const MAX_DIAGNOSTICS: usize = 100;

/// Parses a file. Total: any text gives a module, with error nodes where it did not parse, and the
/// complaints in source order.
pub fn parse_module(file: FileId, source: &str) -> (Module, Vec<Diagnostic>) {
    let (all, mut diagnostics) = lexer::lex(file, source);
    let classified = classify::classify(file, source, &all);
    diagnostics.extend(classified.diagnostics);
    let balanced = nesting::balance(file, source, classified.tokens);
    diagnostics.extend(balanced.diagnostics);

    let tokens = &balanced.tokens;
    let mut items = vec![];
    for range in chunks::items(tokens) {
        let holds = |marks: &[usize]| {
            let first = marks.partition_point(|mark| *mark < range.start);
            marks.get(first).is_some_and(|mark| *mark < range.end)
        };
        let too_deep = holds(&balanced.too_deep);
        let chunk = Chunk {
            file,
            source,
            tokens: if too_deep { vec![] } else { tokens[range.clone()].to_vec() },
            following: tokens.get(range.end).copied(),
            silent: too_deep || holds(&balanced.faults),
        };
        if too_deep {
            let (lo, hi) = (tokens[range.start].lo, tokens[range.end - 1].hi);
            items.push(crate::recover::error_item(Span::new(file, lo, hi)));
        } else {
            items.extend(parse_item(chunk, &mut diagnostics));
        }
    }
    let hi = source.len().min(u32::MAX as usize) as u32;
    let module = Module { docs: classified.docs, items, span: Span::new(file, 0, hi) };
    diagnostics.extend(validate::validate(source, &module));
    (module, tidy(diagnostics))
}

/// Source order, nothing twice, and not endlessly many.
fn tidy(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| diagnostic.primary_span());
    let mut seen = BTreeSet::new();
    diagnostics.retain(|diagnostic| seen.insert((diagnostic.code, diagnostic.primary_span())));
    if diagnostics.len() > MAX_DIAGNOSTICS && diagnostics.iter().any(Diagnostic::is_error) {
        diagnostics.retain(Diagnostic::is_error);
    }
    diagnostics.truncate(MAX_DIAGNOSTICS);
    diagnostics
}
