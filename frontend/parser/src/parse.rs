//! One file from text to tree, with everything that is wrong with it.

use crate::ast::{Doc, Item, Module};
use crate::nesting::Balanced;
use crate::recover::Chunk;
use crate::token::{Token, TokenKind};
use crate::{chunks, classify, lexer, nesting, recover, validate};
use std::collections::BTreeSet;
use std::ops::Range;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::{FileId, Span};

/// How many complaints one file gets.
const MAX_DIAGNOSTICS: usize = 100;

/// Parses a file. Total: any text gives a module, with error nodes where it did not parse, and the
/// complaints in source order.
pub fn parse_module(file: FileId, source: &str) -> (Module, Vec<Diagnostic>) {
    Outline::new(file, source).parse(|_| true)
}

/// A file cut into its items, none of which is parsed yet. The library is long, and a program uses little of it.
#[derive(Debug)]
pub struct Outline {
    file: FileId,
    source: String,
    docs: Vec<Doc>,
    balanced: Balanced,
    diagnostics: Vec<Diagnostic>,
    /// The tokens of each item.
    items: Vec<Range<usize>>,
}

/// What an item of an outline is, as far as its first tokens say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heading<'s> {
    /// `use …`
    Use,
    /// `fn` or `const` with this name.
    Value(&'s str),
    /// `test` or `bench`.
    Test,
    /// Anything else.
    Other,
}

impl Outline {
    /// Cuts a file.
    pub fn new(file: FileId, source: &str) -> Outline {
        let (all, mut diagnostics) = lexer::lex(file, source);
        let classified = classify::classify(file, source, &all);
        diagnostics.extend(classified.diagnostics);
        let mut balanced = nesting::balance(file, source, classified.tokens);
        diagnostics.append(&mut balanced.diagnostics);
        let items = chunks::items(&balanced.tokens);
        Outline { file, source: source.to_owned(), docs: classified.docs, balanced, diagnostics, items }
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What an item is.
    #[expect(clippy::wildcard_enum_match_arm, reason = "only few tokens begin an item that is told apart")]
    pub fn heading(&self, item: usize) -> Heading<'_> {
        let mut tokens = self.tokens(item);
        while let [token, rest @ ..] = tokens {
            tokens = match token.kind {
                TokenKind::Doc | TokenKind::Pub => rest,
                TokenKind::HashBracket => &tokens[chunks::after_group(tokens, 0)..],
                TokenKind::Use => return Heading::Use,
                TokenKind::Test | TokenKind::Bench => return Heading::Test,
                TokenKind::Fn | TokenKind::Const => {
                    return rest.first().map_or(Heading::Other, |name| Heading::Value(self.text(*name)));
                }
                _ => return Heading::Other,
            };
        }
        Heading::Other
    }

    /// The names that stand in an item, its own too.
    pub fn names(&self, item: usize) -> impl Iterator<Item = &str> {
        self.tokens(item).iter().filter(|token| token.kind == TokenKind::Name).map(|token| self.text(*token))
    }

    fn tokens(&self, item: usize) -> &[Token] {
        self.items.get(item).map_or(&[], |range| &self.balanced.tokens[range.clone()])
    }

    fn text(&self, token: Token) -> &str {
        self.source.get(token.lo as usize..token.hi as usize).unwrap_or("")
    }

    /// Parses the items that are wanted, by number; the module holds no others.
    pub fn parse(&self, wanted: impl Fn(usize) -> bool) -> (Module, Vec<Diagnostic>) {
        let mut diagnostics = self.diagnostics.clone();
        let mut items = vec![];
        for number in (0..self.items.len()).filter(|number| wanted(*number)) {
            self.parse_item(number, &mut items, &mut diagnostics);
        }
        let hi = self.source.len().min(u32::MAX as usize) as u32;
        let module = Module { docs: self.docs.clone(), items, span: Span::new(self.file, 0, hi) };
        diagnostics.extend(validate::validate(&self.source, &module));
        (module, tidy(diagnostics))
    }

    fn parse_item(&self, number: usize, items: &mut Vec<Item>, diagnostics: &mut Vec<Diagnostic>) {
        let range = self.items[number].clone();
        let tokens = &self.balanced.tokens;
        let holds = |marks: &[usize]| {
            let first = marks.partition_point(|mark| *mark < range.start);
            marks.get(first).is_some_and(|mark| *mark < range.end)
        };
        if holds(&self.balanced.too_deep) {
            let (lo, hi) = (tokens[range.start].lo, tokens[range.end - 1].hi);
            items.push(recover::error_item(Span::new(self.file, lo, hi)));
            return;
        }
        let chunk = Chunk {
            file: self.file,
            source: &self.source,
            tokens: tokens[range.clone()].to_vec(),
            following: tokens.get(range.end).copied(),
            silent: holds(&self.balanced.faults),
        };
        items.extend(recover::parse_item(chunk, diagnostics));
    }
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
