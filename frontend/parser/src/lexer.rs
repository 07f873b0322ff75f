//! Source text to tokens, comments included. Complains about what cannot be read and goes on.

use crate::token::{Token, TokenKind};
use crate::{literal, messages, trivia};
use logos::Logos;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::{FileId, Span};

/// The largest source that is read.
const MAX_BYTES: usize = 1 << 30;

/// The tokens of a source, comments included, and what was wrong with them.
pub fn lex(file: FileId, source: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    if source.len() > MAX_BYTES {
        return (vec![], vec![messages::file_too_large(Span::new(file, 0, 0))]);
    }
    let mut lexing =
        Lexing { file, source, tokens: Vec::with_capacity(source.len() / 4), diagnostics: vec![] };
    for (result, range) in TokenKind::lexer(source).spanned() {
        // Some editors begin a file with a byte order mark.
        if range.start == 0 && source.get(range.clone()) == Some("\u{feff}") {
            continue;
        }
        lexing.add(result.unwrap_or(TokenKind::Error), range.start as u32, range.end as u32);
    }
    lexing.finish()
}

struct Lexing<'s> {
    file: FileId,
    source: &'s str,
    tokens: Vec<Token>,
    diagnostics: Vec<Diagnostic>,
}

impl<'s> Lexing<'s> {
    fn text(&self, lo: u32, hi: u32) -> &'s str {
        self.source.get(lo as usize..hi as usize).unwrap_or("")
    }

    fn add(&mut self, kind: TokenKind, lo: u32, hi: u32) {
        if self.extends_foreign_word(kind, lo) {
            if let Some(word) = self.tokens.last_mut() {
                word.hi = hi;
            }
            return;
        }
        let text = self.text(lo, hi);
        let kind = match kind {
            TokenKind::Comment => trivia::comment_kind(text),
            TokenKind::QuotedStr => TokenKind::Str,
            TokenKind::UnclosedStr => return self.add_unclosed_string(text, lo),
            other => other,
        };
        self.tokens.push(Token { kind, lo, hi });
    }

    /// A string that was not closed likely ends before the punctuation that ends its line.
    fn add_unclosed_string(&mut self, text: &str, lo: u32) {
        let string = text.trim_end_matches([')', ']', '}', ';', ',', ' ', '\r', '\t']);
        let string = if string.len() > 1 { string } else { text };
        self.tokens.push(Token { kind: TokenKind::Str, lo, hi: lo + string.len() as u32 });
        for (at, c) in text.char_indices().skip_while(|(at, _)| *at < string.len()) {
            let kind = match c {
                ')' => TokenKind::RParen,
                ']' => TokenKind::RBracket,
                '}' => TokenKind::RBrace,
                ';' => TokenKind::Semi,
                ',' => TokenKind::Comma,
                _ => continue,
            };
            let lo = lo + at as u32;
            self.tokens.push(Token { kind, lo, hi: lo + 1 });
        }
    }

    /// Letters that are not ASCII are gathered into one token with the rest of their word.
    fn extends_foreign_word(&self, kind: TokenKind, lo: u32) -> bool {
        let Some(last) = self.tokens.last().filter(|last| last.hi == lo) else { return false };
        let may_be_word = |kind| matches!(kind, TokenKind::Error | TokenKind::Name | TokenKind::Int);
        if !may_be_word(last.kind) || !may_be_word(kind) {
            return false;
        }
        let text = self.text(last.lo, last.hi);
        let word = |text: &str| text.chars().any(char::is_alphabetic);
        let here = self.source.get(lo as usize..).and_then(|rest| rest.chars().next());
        match (last.kind, kind) {
            (TokenKind::Error | TokenKind::Name, TokenKind::Name | TokenKind::Int) => {
                word(text) && !text.is_ascii()
            }
            (TokenKind::Error | TokenKind::Name, TokenKind::Error) => {
                word(text) == here.is_some_and(char::is_alphanumeric)
            }
            _ => false,
        }
    }

    fn finish(mut self) -> (Vec<Token>, Vec<Diagnostic>) {
        let mut tokens = std::mem::take(&mut self.tokens);
        let ascii = self.source.is_ascii();
        tokens.retain_mut(|token| (ascii && token.kind == TokenKind::Name) || self.check(token));
        (tokens, self.diagnostics)
    }

    /// Complains about a token; false if it should be forgotten.
    fn check(&mut self, token: &mut Token) -> bool {
        let span = Span::new(self.file, token.lo, token.hi);
        let text = self.text(token.lo, token.hi);
        match token.kind {
            TokenKind::Int => self.diagnostics.extend(literal::check_int(text, span)),
            TokenKind::Float => self.diagnostics.extend(literal::check_float(text, span)),
            TokenKind::Str => self.check_string(text, span),
            TokenKind::HashComment => self.diagnostics.push(messages::hash_comment(span)),
            TokenKind::BlockComment => self.diagnostics.push(messages::block_comment(span)),
            TokenKind::Name if !text.is_ascii() => {
                self.diagnostics.push(messages::foreign_name(span, text));
            }
            TokenKind::Error => return self.check_unknown(token, text, span),
            _ => {}
        }
        true
    }

    fn check_string(&mut self, text: &str, span: Span) {
        if let Some(inner) = text.strip_prefix('\'') {
            self.diagnostics.push(messages::single_quotes(span, inner.strip_suffix('\'').unwrap_or(inner)));
            return;
        }
        let closed = text.len() > 1 && text.ends_with('"') && !ends_in_escape(text);
        if !closed {
            self.diagnostics.push(messages::string_not_closed(span));
        }
        self.diagnostics.extend(literal::check_escapes(text, span));
    }

    fn check_unknown(&mut self, token: &mut Token, text: &str, span: Span) -> bool {
        if text.chars().any(char::is_alphabetic) {
            self.diagnostics.push(messages::foreign_name(span, text));
            token.kind = TokenKind::Name;
            return true;
        }
        let (instead, kind) = lookalike(text);
        self.diagnostics.push(messages::unknown_character(span, text, instead));
        token.kind = kind.unwrap_or(TokenKind::Error);
        kind.is_some()
    }
}

/// Whether the last quote is itself escaped.
fn ends_in_escape(text: &str) -> bool {
    let before = text.strip_suffix('"').unwrap_or(text);
    before.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1
}

/// What was likely meant by a character that is none of ours.
fn lookalike(text: &str) -> (Option<&'static str>, Option<TokenKind>) {
    match text {
        "×" | "·" | "∗" | "⋅" => (Some("*"), Some(TokenKind::Star)),
        "−" | "–" | "—" => (Some("-"), Some(TokenKind::Minus)),
        "÷" | "∕" => (Some("/"), Some(TokenKind::Slash)),
        "≤" => (Some("<="), Some(TokenKind::LtEq)),
        "≥" => (Some(">="), Some(TokenKind::GtEq)),
        "≠" => (Some("!="), Some(TokenKind::NotEq)),
        "→" => (Some("->"), Some(TokenKind::Arrow)),
        "…" => (Some(".."), Some(TokenKind::DotDot)),
        "~" => (Some("!"), Some(TokenKind::Bang)),
        "“" | "”" | "„" | "«" | "»" => (Some("\""), None),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &str) -> Vec<TokenKind> {
        lex(FileId(0), source).0.iter().map(|token| token.kind).collect()
    }

    #[test]
    fn ranges_are_not_floats() {
        use TokenKind as T;
        assert_eq!(
            kinds("0..n 1.5 2e3 x.0"),
            [T::Int, T::DotDot, T::Name, T::Float, T::Float, T::Name, T::Dot, T::Int]
        );
        assert_eq!(kinds("0x1.8p3 0xff 1u8 2.0f32"), [T::Float, T::Int, T::Int, T::Float]);
    }

    #[test]
    fn comments_are_told_apart() {
        use TokenKind as T;
        assert_eq!(
            kinds("//! a\n/// b\n// c\n//// d\n//"),
            [T::ModuleDoc, T::Doc, T::Comment, T::Comment, T::Comment]
        );
    }

    #[test]
    fn unreadable_text_is_reported_once_and_skipped() {
        let (tokens, diagnostics) = lex(FileId(0), "größe + $$ × \"open");
        assert_eq!(tokens.len(), 4);
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code.0).collect();
        assert_eq!(codes, ["E0001", "E0001", "E0001", "E0005"]);
    }

    #[test]
    fn block_comments_end_where_they_should() {
        use TokenKind as T;
        assert_eq!(kinds("a /* b */ c"), [T::Name, T::BlockComment, T::Name]);
        assert_eq!(kinds("a /* b"), [T::Name, T::BlockComment]);
        assert_eq!(lex(FileId(0), &"/* ".repeat(100_000)).0.len(), 1);
    }
}
