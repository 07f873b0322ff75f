//! From "this token does not fit" to a complaint in words and a repair.
//! What other languages would have here is in `newcomers.rs`; this is the plain case.

use crate::codes;
use crate::newcomers;
use crate::token::{Token, TokenKind};
use TokenKind as T;
use std::collections::BTreeSet;
use std::ops::Range;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::{FileId, Span};

/// Everything that is known where the grammar could not go on.
pub(crate) struct Situation<'c> {
    pub(crate) file: FileId,
    pub(crate) source: &'c str,
    /// The tokens of the item.
    pub(crate) tokens: &'c [Token],
    /// The token that does not fit; the number of tokens if more were needed.
    pub(crate) index: usize,
    /// The grammar's names of what would have fitted.
    pub(crate) expected: &'c BTreeSet<String>,
    /// The token after the item.
    pub(crate) following: Option<Token>,
}

/// How to go on.
pub(crate) enum Repair {
    /// Other tokens in the place of some.
    Rewrite {
        /// Which tokens.
        range: Range<usize>,
        /// What stands there instead.
        tokens: Vec<Token>,
    },
    /// Give up the statement or item around.
    Skip,
}

impl<'c> Situation<'c> {
    /// The token `offset` places from the one that does not fit.
    pub(crate) fn token(&self, offset: isize) -> Option<Token> {
        self.index.checked_add_signed(offset).and_then(|index| self.tokens.get(index)).copied()
    }

    /// The kind of the token `offset` places away.
    pub(crate) fn kind(&self, offset: isize) -> Option<TokenKind> {
        self.token(offset).map(|token| token.kind)
    }

    /// The text of the token `offset` places away.
    pub(crate) fn text(&self, offset: isize) -> &'c str {
        self.token(offset).map_or("", |token| self.token_text(token))
    }

    /// The text of a token.
    pub(crate) fn token_text(&self, token: Token) -> &'c str {
        self.source.get(token.lo as usize..token.hi as usize).unwrap_or("")
    }

    /// Where a token stands.
    pub(crate) fn span_of(&self, token: Token) -> Span {
        Span::new(self.file, token.lo, token.hi)
    }

    /// Where the token that does not fit stands; after the last one if more were needed.
    pub(crate) fn span(&self) -> Span {
        self.token(0).map_or(self.end_of_previous(), |token| self.span_of(token))
    }

    /// Where the token before stands.
    pub(crate) fn span_before(&self) -> Span {
        self.token(-1).map_or(self.span().start(), |token| self.span_of(token))
    }

    /// Just behind the token before.
    pub(crate) fn end_of_previous(&self) -> Span {
        let end = self.token(-1).map_or(0, |token| token.hi);
        Span::new(self.file, end, end)
    }

    /// Whether the grammar would have taken `name`.
    pub(crate) fn expects(&self, name: &str) -> bool {
        self.expected.contains(name)
    }

    /// Whether an expression would have fitted.
    pub(crate) fn expects_expression(&self) -> bool {
        self.expects("name") && self.expects("int") && self.expects("[")
    }

    /// Whether a type would have fitted.
    pub(crate) fn expects_type(&self) -> bool {
        self.expects("name") && self.expects("fn") && !self.expects("int") && !self.expects("struct")
    }

    /// Whether the tokens at the two offsets touch.
    pub(crate) fn adjacent(&self, offset: isize) -> bool {
        match (self.token(offset), self.token(offset + 1)) {
            (Some(left), Some(right)) => left.hi == right.lo,
            _ => false,
        }
    }

    /// Whether a line starts between the token before and this one.
    pub(crate) fn on_new_line(&self) -> bool {
        let (Some(before), Some(here)) = (self.token(-1), self.token(0)) else { return true };
        let between = self.source.get(before.hi as usize..here.lo as usize);
        between.is_some_and(|between| between.contains('\n'))
    }

    /// Puts tokens in the place of those at `from..to`, counted from the one that does not fit.
    pub(crate) fn rewrite(&self, from: isize, to: isize, kinds: &[TokenKind]) -> Repair {
        let start = self.index.saturating_add_signed(from).min(self.tokens.len());
        let end = self.index.saturating_add_signed(to).clamp(start, self.tokens.len());
        let lo = self.tokens.get(start).map_or(self.end_of_previous().lo, |token| token.lo);
        let hi = self.tokens[start..end].last().map_or(lo, |token| token.hi);
        let tokens = kinds.iter().enumerate().map(|(nth, kind)| {
            let lo = if nth == 0 { lo } else { hi };
            Token { kind: *kind, lo, hi }
        });
        Repair::Rewrite { range: start..end, tokens: tokens.collect() }
    }
}

/// The complaint about a token that does not fit, and how to go on. No complaint: nothing is wrong,
/// the tokens were only cut differently.
pub(crate) fn explain(at: &Situation<'_>) -> (Option<Diagnostic>, Repair) {
    if let Some(repair) = uncut_closer(at) {
        return (None, repair);
    }
    let (diagnostic, repair) = newcomers::explain(at)
        .or_else(|| missing_separator(at))
        .unwrap_or_else(|| (unexpected(at), Repair::Skip));
    (Some(diagnostic), repair)
}

/// The `>=` of `let x: Mod<7>= …` is two tokens there.
fn uncut_closer(at: &Situation<'_>) -> Option<Repair> {
    if !at.expects(">") {
        return None;
    }
    let rest = match at.kind(0)? {
        T::GtEq => T::Eq,
        T::ShrEq => T::GtEq,
        _ => return None,
    };
    let token = at.token(0)?;
    let first = Token { kind: T::Gt, lo: token.lo, hi: token.lo + 1 };
    let second = Token { kind: rest, lo: token.lo + 1, hi: token.hi };
    Some(Repair::Rewrite { range: at.index..at.index + 1, tokens: vec![first, second] })
}

/// A line or statement that should have ended in `;` or `,`.
fn missing_separator(at: &Situation<'_>) -> Option<(Diagnostic, Repair)> {
    let next = at.kind(0).or(at.following.map(|token| token.kind));
    let starts_statement = matches!(
        next,
        Some(T::Let | T::While | T::Return | T::Break | T::Continue | T::Assert | T::RBrace) | None
    );
    let here = at.end_of_previous();
    if at.expects(";") && !at.expects("let") && (starts_statement || at.on_new_line()) {
        let found = Diagnostic::error(codes::MISSING_SEMICOLON, here, "expected `;`");
        return Some((found.with_fix("add `;`", here, ";"), at.rewrite(0, 0, &[T::Semi])));
    }
    if at.expects(",") && at.on_new_line() && at.kind(0).is_some_and(|kind| !kind.is_closer()) {
        let list = ["}", ")", "]"].into_iter().find(|closer| at.expects(closer))?;
        let found = Diagnostic::error(codes::UNEXPECTED_TOKEN, here, format!("expected `,` or `{list}`"));
        return Some((found.with_fix("add `,`", here, ","), at.rewrite(0, 0, &[T::Comma])));
    }
    None
}

/// The plain complaint: what was expected and what was found.
pub(crate) fn unexpected(at: &Situation<'_>) -> Diagnostic {
    let found = found_words(at);
    let words = expected_words(at);
    let message = match words.split_last() {
        None => format!("{found} may not stand here"),
        Some((only, [])) => format!("expected {only}, found {found}"),
        Some((last, first)) => format!("expected {} or {last}, found {found}", first.join(", ")),
    };
    let diagnostic = Diagnostic::error(codes::UNEXPECTED_TOKEN, at.span(), message);
    match crate::chunks::opener_around(at.tokens, at.index).and_then(|open| at.tokens.get(open)) {
        Some(open) if closes_here(at, open.kind) => {
            let opener = open.kind.fixed_text().unwrap_or("");
            diagnostic.with_label(at.span_of(*open), format!("inside this `{opener}`"))
        }
        _ => diagnostic,
    }
}

fn closes_here(at: &Situation<'_>, open: TokenKind) -> bool {
    let closer = open.closer().and_then(TokenKind::fixed_text);
    closer.is_some_and(|closer| at.expects(closer)) && !at.expects("let")
}

fn found_words(at: &Situation<'_>) -> String {
    match at.token(0) {
        Some(token) => token_words(token.kind, at.token_text(token)),
        None if at.following.is_some() => "the next item".to_owned(),
        None => "the end of the file".to_owned(),
    }
}

fn token_words(kind: TokenKind, text: &str) -> String {
    match kind {
        T::Str => "a string".to_owned(),
        T::Doc => "a doc comment".to_owned(),
        T::Int | T::Float => format!("the number `{text}`"),
        _ if text.is_empty() => kind.fixed_text().map_or("this".to_owned(), |text| format!("`{text}`")),
        _ if kind.fixed_text().is_some_and(|text| text.starts_with(char::is_alphabetic)) => {
            format!("the keyword `{text}`")
        }
        _ => format!("`{text}`"),
    }
}

const INFIX: [&str; 24] = [
    "+", "-", "*", "/", "%", "@", "^", "&", "|", "&&", "||", "==", "!=", "<", "<=", ">=", "<<", ">>", "as",
    ".", "(", "[", "::", ">",
];
const EXPRESSION: [&str; 18] = [
    "name",
    "int",
    "float",
    "string",
    "true",
    "false",
    "(",
    "[",
    "{",
    "#[",
    "-",
    "!",
    "if",
    "|",
    "||",
    "precompute",
    "error",
    "doc",
];
const STATEMENT: [&str; 9] = ["let", "for", "while", "break", "continue", "return", "assert", ";", "#["];
const ITEM: [&str; 14] = [
    "use", "const", "type", "struct", "trait", "impl", "fn", "test", "bench", "pub", "#[", "doc", "error",
    "name",
];
const OPERATOR_VALUES: [&str; 10] = ["+", "*", "/", "%", "@", "^", "&", "&&", "-", "||"];

/// What would have fitted, in words, most general first.
fn expected_words(at: &Situation<'_>) -> Vec<String> {
    let mut left: BTreeSet<&str> = at.expected.iter().map(String::as_str).collect();
    let mut words: Vec<String> = vec![];
    if has(&left, &["struct", "impl"]) {
        words.push("an item such as `fn`".to_owned());
        remove(&ITEM, &mut left);
    } else if has(&left, &["let", "while"]) {
        words.push("a statement".to_owned());
        remove(&STATEMENT, &mut left);
        remove(&EXPRESSION, &mut left);
    } else if has(&left, &["?", "int", "-"]) {
        words.push("a size".to_owned());
        remove(&EXPRESSION, &mut left);
        remove(&["?", "fn"], &mut left);
    } else if has(&left, &["name", "int", "["]) {
        words.push("an expression".to_owned());
        remove(&EXPRESSION, &mut left);
        remove(&OPERATOR_VALUES, &mut left);
    } else if has(&left, &["name", "fn", "("]) && !left.contains("const") {
        words.push("a type".to_owned());
        remove(&["name", "fn", "("], &mut left);
    } else if has(&left, &["name", "_"]) {
        words.push("a pattern".to_owned());
        remove(&["name", "_", "(", "mut"], &mut left);
    } else if has(&left, &["name", "const", "fn"]) || has(&left, &["const", "fn"]) {
        words.push("`const` or `fn`".to_owned());
        remove(&["const", "fn", "pub", "doc", "#[", "error"], &mut left);
    }
    if has(&left, &["+", "*"]) {
        // After a whole expression a longer one is always possible: that goes without saying.
        remove(&INFIX, &mut left);
        if left.contains(";") || left.contains(",") || left.contains(")") {
            remove(&["{"], &mut left);
        }
        let assigns = ["+=", "-=", "*=", "/=", "%=", "@=", "&=", "|=", "^=", "<<=", ">>="];
        if has(&left, &["+=", "="]) {
            remove(&assigns, &mut left);
        }
        if left.is_empty() {
            words.push("an operator".to_owned());
        }
    }
    if left.len() > 1 {
        remove(&["doc", "#[", "error", "::", ">>"], &mut left);
    }
    words.extend(left.into_iter().map(terminal_words));
    words.truncate(if words.len() > 7 { 0 } else { 7 });
    words
}

fn has(left: &BTreeSet<&str>, names: &[&str]) -> bool {
    names.iter().all(|name| left.contains(name))
}

fn remove(names: &[&str], left: &mut BTreeSet<&str>) {
    left.retain(|name| !names.contains(name));
}

fn terminal_words(name: &str) -> String {
    match name {
        "name" => "a name".to_owned(),
        "int" => "an integer".to_owned(),
        "float" => "a float".to_owned(),
        "string" => "a string in double quotes".to_owned(),
        "doc" => "a doc comment".to_owned(),
        "error" => "something else".to_owned(),
        other => format!("`{other}`"),
    }
}
