//! Parses one item, however broken: asks for an explanation of the first error, repairs the tokens
//! (or replaces the statement around it by an `Error` token) and parses again.

use crate::ast::{Item, ItemKind};
use crate::builder::Builder;
use crate::chunks;
use crate::expected::{Repair, Situation, explain};
use crate::grammar::ItemParser;
use crate::token::{Token, TokenKind};
use lalrpop_util::ParseError;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::{FileId, Span};

/// How many repairs one item gets before all of it is given up.
const MAX_REPAIRS: usize = 40;

/// What an item is parsed from.
pub(crate) struct Chunk<'s> {
    pub(crate) file: FileId,
    pub(crate) source: &'s str,
    pub(crate) tokens: Vec<Token>,
    /// The token after the item.
    pub(crate) following: Option<Token>,
    /// Whether its delimiters were at fault; its errors were explained by that.
    pub(crate) silent: bool,
}

/// Where the grammar could not go on.
struct Failure {
    /// The token that does not fit; the number of tokens if more were needed.
    index: usize,
    expected: BTreeSet<String>,
}

/// Parses an item and what, by mistake, stands behind it.
pub(crate) fn parse_item(mut chunk: Chunk<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Item> {
    let mut repaired_up_to: Option<usize> = None;
    for _ in 0..MAX_REPAIRS {
        let builder = Builder::new(chunk.file, chunk.source);
        let failure = match attempt(&builder, &chunk.tokens) {
            Ok(item) => {
                diagnostics.extend(builder.into_diagnostics());
                return vec![item];
            }
            Err(failure) => failure,
        };
        if failure.expected.is_empty() && failure.index < chunk.tokens.len() {
            return split_off(chunk, failure.index, diagnostics);
        }
        let stuck = repaired_up_to.is_some_and(|last| failure.index <= last);
        let at_error = chunk.tokens.get(failure.index).is_some_and(|token| token.kind == TokenKind::Error);
        if stuck || at_error {
            repaired_up_to = Some(apply(Repair::Skip, failure.index, &mut chunk.tokens));
        } else {
            let (diagnostic, repair) = explain(&situation(&chunk, &failure));
            let settled = apply(repair, failure.index, &mut chunk.tokens);
            // Without a complaint the next failure, wherever it is, still has to be explained.
            repaired_up_to = if diagnostic.is_some() { Some(settled) } else { repaired_up_to };
            diagnostics.extend(diagnostic.filter(|_| !chunk.silent));
        }
        if chunk.tokens.iter().all(|token| token.kind == TokenKind::Error) {
            break;
        }
    }
    vec![error_item(span_of(&chunk))]
}

fn situation<'c>(chunk: &'c Chunk<'_>, failure: &'c Failure) -> Situation<'c> {
    Situation {
        file: chunk.file,
        source: chunk.source,
        tokens: &chunk.tokens,
        index: failure.index,
        expected: &failure.expected,
        following: chunk.following,
    }
}

fn attempt(builder: &Builder<'_>, tokens: &[Token]) -> Result<Item, Failure> {
    let taken = Cell::new(0_usize);
    let stream = tokens.iter().map(|token| {
        taken.set(taken.get() + 1);
        (token.lo, token.kind, token.hi)
    });
    ItemParser::new().parse(builder, stream).map_err(|error| match error {
        ParseError::UnrecognizedEof { expected, .. } => failure(tokens.len(), expected),
        ParseError::UnrecognizedToken { expected, .. } => failure(taken.get() - 1, expected),
        ParseError::ExtraToken { .. } | ParseError::InvalidToken { .. } | ParseError::User { .. } => {
            failure(taken.get().saturating_sub(1), vec![])
        }
    })
}

fn failure(index: usize, expected: Vec<String>) -> Failure {
    Failure { index, expected: expected.iter().map(|name| name.trim_matches('"').to_owned()).collect() }
}

/// The item is whole at `index`; what follows is none.
fn split_off(mut chunk: Chunk<'_>, index: usize, diagnostics: &mut Vec<Diagnostic>) -> Vec<Item> {
    let rest = chunk.tokens.split_off(index);
    let following = chunk.following;
    chunk.following = rest.first().copied();
    let (file, source, silent) = (chunk.file, chunk.source, chunk.silent);
    let mut items = parse_item(chunk, diagnostics);
    if rest.iter().all(|token| token.kind == TokenKind::Semi) {
        let spans = rest.iter().map(|token| Span::new(file, token.lo, token.hi));
        diagnostics.extend(spans.map(crate::messages::lone_semicolon));
        return items;
    }
    let rest = Chunk { file, source, tokens: rest, following, silent };
    items.extend(parse_item(rest, diagnostics));
    items
}

/// What stands in the tree where an item did not parse.
pub(crate) fn error_item(span: Span) -> Item {
    Item { docs: vec![], attrs: vec![], is_pub: None, kind: ItemKind::Error, span }
}

fn span_of(chunk: &Chunk<'_>) -> Span {
    let lo = chunk.tokens.first().map_or(0, |token| token.lo);
    let hi = chunk.tokens.last().map_or(lo, |token| token.hi);
    Span::new(chunk.file, lo, hi)
}

/// Changes the tokens; returns the last index that is now settled.
fn apply(repair: Repair, index: usize, tokens: &mut Vec<Token>) -> usize {
    let (range, new) = match repair {
        Repair::Rewrite { range, tokens } => (range, tokens),
        Repair::Skip => {
            let range = stretch_around(tokens, index);
            let lo = tokens.get(range.start).map_or(0, |token| token.lo);
            let hi = tokens.get(range.end.saturating_sub(1)).map_or(lo, |token| token.hi.max(lo));
            (range, vec![Token { kind: TokenKind::Error, lo, hi }])
        }
    };
    let settled = index.max(range.start + new.len().saturating_sub(1));
    let settled = if new.len() < range.len() { range.start + new.len().saturating_sub(1) } else { settled };
    tokens.splice(range, new);
    settled
}

/// The smallest statement around a token that was not skipped before; else all tokens.
fn stretch_around(tokens: &[Token], index: usize) -> Range<usize> {
    let mut index = index;
    while let Some(open) = chunks::opener_around(tokens, index) {
        let end = chunks::after_group(tokens, open) - 1;
        if tokens[open].kind == TokenKind::LBrace {
            let inside = chunks::statements(tokens, open + 1..end);
            // A `}` that came too early belongs to the statement before it.
            let found = inside.iter().rev().find(|range| range.start <= index && index <= range.end);
            let found =
                found.filter(|range| tokens[(*range).clone()].iter().any(|t| t.kind != TokenKind::Error));
            if let Some(range) = found {
                return range.clone();
            }
        }
        index = open;
    }
    0..tokens.len()
}
