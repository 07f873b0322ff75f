//! Pairs up delimiters before anything is parsed. Missing ones are put in and surplus ones taken
//! out, with a complaint each, so that later steps see balanced tokens of bounded depth.

use crate::codes;
use crate::messages;
use crate::token::{Token, TokenKind};
use TokenKind as T;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::{FileId, Span};

/// The deepest nesting of delimiters.
pub(crate) const MAX_NESTING: usize = 200;

/// How much blank space at the start of a line is looked at.
const MAX_INDENTATION: usize = 400;

/// How many complaints about delimiters one file gets.
const MAX_COMPLAINTS: usize = 50;

/// Tokens whose delimiters all have partners.
#[derive(Debug)]
pub(crate) struct Balanced {
    pub(crate) tokens: Vec<Token>,
    /// The tokens (by index, ascending) at which something was put in or taken out.
    pub(crate) faults: Vec<usize>,
    /// The tokens at which nesting gets too deep.
    pub(crate) too_deep: Vec<usize>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Pairs up the delimiters of a file.
pub(crate) fn balance(file: FileId, source: &str, tokens: Vec<Token>) -> Balanced {
    if well_paired(&tokens) {
        return Balanced { tokens, faults: vec![], too_deep: vec![], diagnostics: vec![] };
    }
    let mut pass = Pass::new(file, source, tokens.len(), false);
    tokens.iter().enumerate().for_each(|(index, token)| pass.add(*token, &tokens[index + 1..]));
    pass.finish();
    if pass.out.faults.is_empty() {
        return pass.out;
    }
    // Something is missing: now an item at the left margin also ends what is still open.
    let mut pass = Pass::new(file, source, tokens.len(), true);
    tokens.iter().enumerate().for_each(|(index, token)| pass.add(*token, &tokens[index + 1..]));
    pass.finish();
    pass.out
}

/// Whether every delimiter has its partner and none nests too deep, as in nearly every file.
fn well_paired(tokens: &[Token]) -> bool {
    let mut open: Vec<TokenKind> = vec![];
    for token in tokens {
        if token.kind.is_opener() {
            open.push(token.kind);
        } else if token.kind.is_closer() && open.pop().and_then(T::closer) != Some(token.kind) {
            return false;
        }
        if open.len() > MAX_NESTING {
            return false;
        }
    }
    open.is_empty()
}

struct Pass<'s> {
    file: FileId,
    source: &'s str,
    open: Vec<Token>,
    /// A pair of braces whose lines are indented differently: `(opener, closer)`.
    crooked: Option<(Token, Token)>,
    items_close: bool,
    line_starts: Vec<u32>,
    out: Balanced,
}

impl<'s> Pass<'s> {
    fn new(file: FileId, source: &'s str, capacity: usize, items_close: bool) -> Pass<'s> {
        let tokens = Vec::with_capacity(capacity);
        let out = Balanced { tokens, faults: vec![], too_deep: vec![], diagnostics: vec![] };
        let newlines = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(at, _)| at as u32 + 1)).collect();
        Pass { file, source, open: vec![], crooked: None, items_close, line_starts, out }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.out.diagnostics.len() < MAX_COMPLAINTS {
            self.out.diagnostics.push(diagnostic);
        }
    }

    fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.lo, token.hi)
    }

    fn add(&mut self, token: Token, after: &[Token]) {
        if self.items_close && !self.open.is_empty() && self.starts_item_at_margin(token, after) {
            self.close_all(token.lo);
        }
        if self.items_close && token.kind == T::Semi {
            self.close_before_semicolon(token, after);
        }
        if token.kind.is_opener() {
            if self.open.len() == MAX_NESTING {
                self.out.too_deep.push(self.out.tokens.len());
                self.report(messages::nested_too_deep(self.span(token)));
            }
            self.open.push(token);
        } else if token.kind.is_closer() && !self.close(token) {
            return;
        }
        self.out.tokens.push(token);
    }

    /// A `;` never stands directly inside `(` or `[`, unless the closer follows on its line.
    fn close_before_semicolon(&mut self, semicolon: Token, after: &[Token]) {
        while let Some(open) = self.open.last()
            && open.kind != T::LBrace
        {
            let line = self.line_start(semicolon);
            let mut rest =
                after.iter().take(MAX_NESTING).take_while(|token| self.line_start(**token) == line);
            if rest.any(|token| open.kind.closer() == Some(token.kind)) {
                return;
            }
            self.unclosed(Some(semicolon), semicolon.lo);
        }
    }

    /// Pairs a closer with its opener; false if it has none.
    fn close(&mut self, closer: Token) -> bool {
        let fits = |open: &Token| open.kind.closer() == Some(closer.kind);
        // A closer reaches over a few openers that were never closed, but not out of a block,
        // unless it ends a block itself.
        let reach = self
            .open
            .iter()
            .rev()
            .take(MAX_NESTING)
            .take_while(|open| fits(open) || open.kind != T::LBrace)
            .count();
        let reach = if closer.kind == T::RBrace { MAX_NESTING } else { reach };
        let Some(up) = self.open.iter().rev().take(reach.max(1)).position(fits) else {
            self.unmatched(closer);
            return false;
        };
        for _ in 0..up {
            self.unclosed(Some(closer), closer.lo);
        }
        if let Some(open) = self.open.pop() {
            self.note_indentation(open, closer);
        }
        true
    }

    fn unmatched(&mut self, closer: Token) {
        let text = closer.kind.fixed_text().unwrap_or("");
        let message = format!("this `{text}` closes nothing");
        let mut found = Diagnostic::error(codes::UNMATCHED_DELIMITER, self.span(closer), message);
        if let Some(open) = self.open.last() {
            found = found.with_label(self.span(*open), "this is still open");
        } else if let Some((open, close)) = self.crooked.take() {
            found = found
                .with_label(self.span(open), "this `{` is closed too early?")
                .with_label(self.span(close), "its `}` is indented differently");
        }
        self.out.faults.push(self.out.tokens.len());
        self.report(found.with_fix("remove it", self.span(closer), ""));
    }

    /// Closes the innermost opener before byte `at`, because of `reason` or the end of an item.
    fn unclosed(&mut self, reason: Option<Token>, at: u32) {
        let Some(open) = self.open.pop() else { return };
        let Some(kind) = open.kind.closer() else { return };
        let closer = kind.fixed_text().unwrap_or("");
        let opener = open.kind.fixed_text().unwrap_or("");
        let message = format!("this `{opener}` is never closed");
        let mut found = Diagnostic::error(codes::UNCLOSED_DELIMITER, self.span(open), message);
        if let Some(reason) = reason {
            found = found.with_label(self.span(reason), format!("`{closer}` is missing before this"));
        } else if let Some((open, close)) = self.crooked.take() {
            found = found
                .with_label(self.span(open), "this `{` may be the one:")
                .with_label(self.span(close), "its `}` is indented differently");
        }
        let end = self.out.tokens.last().map_or(at, |last| last.hi);
        let end = Span::new(self.file, end, end);
        self.out.faults.push(self.out.tokens.len());
        self.report(found.with_fix(format!("add `{closer}`"), end, closer));
        self.out.tokens.push(Token { kind, lo: end.lo, hi: end.lo });
    }

    fn close_all(&mut self, at: u32) {
        while !self.open.is_empty() {
            self.unclosed(None, at);
        }
    }

    fn finish(&mut self) {
        self.close_all(self.source.len() as u32);
    }

    fn note_indentation(&mut self, open: Token, closer: Token) {
        let differs = open.kind == T::LBrace
            && self.starts_line(closer)
            && self.indentation(open) != self.indentation(closer);
        if differs && self.crooked.is_none() {
            self.crooked = Some((open, closer));
        }
    }

    fn line_start(&self, token: Token) -> usize {
        let line = self.line_starts.partition_point(|start| *start <= token.lo);
        self.line_starts.get(line.saturating_sub(1)).map_or(0, |start| *start as usize)
    }

    /// The width of the blank space at the start of the token's line.
    fn indentation(&self, token: Token) -> usize {
        let line = self.source.get(self.line_start(token)..).unwrap_or("");
        line.bytes().take(MAX_INDENTATION).take_while(|byte| *byte == b' ' || *byte == b'\t').count()
    }

    fn starts_line(&self, token: Token) -> bool {
        self.line_start(token) + self.indentation(token) == token.lo as usize
    }

    fn starts_item_at_margin(&self, token: Token, after: &[Token]) -> bool {
        let next = after.first().map(|next| next.kind);
        let at_margin = self.line_start(token) == token.lo as usize;
        at_margin && starts_item(token.kind, next)
    }
}

/// Whether a token starts an item, wherever it stands; `pub` and attributes count.
pub(crate) fn starts_item(kind: TokenKind, next: Option<TokenKind>) -> bool {
    match kind {
        T::Use | T::Type | T::Struct | T::Trait | T::Impl | T::Pub | T::Test | T::Bench => true,
        T::Fn => next == Some(T::Name),
        T::Const => next == Some(T::Name),
        _ => false,
    }
}
