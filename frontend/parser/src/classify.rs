//! From all tokens to those the grammar reads: comments go, words that are keywords only in some
//! places are told from names, and numbers around dots are sorted out. Valid programs never meet
//! a wrong choice here: each rule looks for neighbours that no name could have.

use crate::ast::Doc;
use crate::token::{Token, TokenKind};
use crate::{messages, trivia};
use TokenKind as T;
use we3_ir::diagnostic::{Diagnostic, Severity};
use we3_ir::span::{FileId, Span};

/// What the grammar gets to see.
pub(crate) struct Classified {
    pub(crate) tokens: Vec<Token>,
    /// The `//!` lines at the top.
    pub(crate) docs: Vec<Doc>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Prepares the tokens of a file for the grammar.
pub(crate) fn classify(file: FileId, source: &str, all: &[Token]) -> Classified {
    let mut pass = Pass { file, source, docs: vec![], diagnostics: vec![] };
    let tokens = pass.without_trivia(all);
    let tokens = pass.sort_out_dots(&tokens);
    let tokens = pass.name_contextual_words(tokens);
    Classified { tokens, docs: pass.docs, diagnostics: pass.diagnostics }
}

struct Pass<'s> {
    file: FileId,
    source: &'s str,
    docs: Vec<Doc>,
    diagnostics: Vec<Diagnostic>,
}

impl<'s> Pass<'s> {
    fn text(&self, token: Token) -> &'s str {
        self.source.get(token.lo as usize..token.hi as usize).unwrap_or("")
    }

    fn span(&self, token: Token) -> Span {
        Span::new(self.file, token.lo, token.hi)
    }

    fn without_trivia(&mut self, all: &[Token]) -> Vec<Token> {
        let mut kept = Vec::with_capacity(all.len());
        let documents = documented(all);
        for (token, documents) in all.iter().zip(documents) {
            match token.kind {
                T::ModuleDoc if kept.is_empty() => {
                    self.docs.push(trivia::doc_line(self.text(*token), self.span(*token)));
                }
                T::ModuleDoc => self.diagnostics.push(messages::late_module_doc(self.span(*token))),
                T::Doc if !documents => {
                    self.diagnostics.push(messages::unused_doc(Severity::Warning, self.span(*token)));
                }
                kind if kind.is_trivia() => {}
                _ => kept.push(*token),
            }
        }
        kept
    }

    /// `x.0.1` holds no float, and `1.` and `.5` were meant as floats.
    fn sort_out_dots(&mut self, tokens: &[Token]) -> Vec<Token> {
        let mut sorted: Vec<Token> = Vec::with_capacity(tokens.len());
        let mut rest = tokens;
        while let [token, after @ ..] = rest {
            let before = sorted.last().map(|before| before.kind);
            let taken = match token.kind {
                T::Float if before == Some(T::Dot) => self.split_float(*token, &mut sorted),
                T::Int if before != Some(T::Dot) => self.float_without_end(*token, after, &mut sorted),
                T::Dot if !before.is_some_and(T::ends_expression) => {
                    self.float_without_start(*token, after, &mut sorted)
                }
                _ => 0,
            };
            if taken == 0 {
                sorted.push(*token);
            }
            rest = &rest[taken.max(1)..];
        }
        sorted
    }

    /// `0.1` behind a dot is two fields. Returns how many tokens were taken.
    fn split_float(&self, token: Token, sorted: &mut Vec<Token>) -> usize {
        let text = self.text(token);
        let Some((whole, part)) = text.split_once('.') else { return 0 };
        if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return 0;
        }
        let middle = token.lo + whole.len() as u32;
        debug_assert_eq!(middle + 1 + part.len() as u32, token.hi);
        sorted.push(Token { kind: T::Int, lo: token.lo, hi: middle });
        sorted.push(Token { kind: T::Dot, lo: middle, hi: middle + 1 });
        sorted.push(Token { kind: T::Int, lo: middle + 1, hi: token.hi });
        1
    }

    /// `1.` and `1.e5`.
    fn float_without_end(&mut self, number: Token, after: &[Token], sorted: &mut Vec<Token>) -> usize {
        let [dot, rest @ ..] = after else { return 0 };
        if dot.kind != T::Dot || dot.lo != number.hi {
            return 0;
        }
        let tail = rest.first().filter(|tail| tail.lo == dot.hi && matches!(tail.kind, T::Name | T::Int));
        let tail_text = tail.map_or("", |tail| self.text(*tail));
        if !tail_text.is_empty() && !continues_float(tail_text) {
            return 0;
        }
        let whole = Token { kind: T::Float, lo: number.lo, hi: tail.map_or(dot.hi, |tail| tail.hi) };
        let fixed = format!("{}.0{tail_text}", self.text(number));
        self.diagnostics.push(messages::float_needs_digits(self.span(whole), fixed));
        sorted.push(whole);
        2 + usize::from(tail.is_some())
    }

    /// `.5`.
    fn float_without_start(&mut self, dot: Token, after: &[Token], sorted: &mut Vec<Token>) -> usize {
        let [number, ..] = after else { return 0 };
        let digits = matches!(number.kind, T::Int | T::Float) && !self.text(*number).contains('.');
        if !digits || number.lo != dot.hi {
            return 0;
        }
        let whole = Token { kind: T::Float, lo: dot.lo, hi: number.hi };
        self.diagnostics
            .push(messages::float_needs_digits(self.span(whole), format!("0{}", self.text(whole))));
        sorted.push(whole);
        2
    }

    fn name_contextual_words(&self, mut tokens: Vec<Token>) -> Vec<Token> {
        for index in 0..tokens.len() {
            let token = tokens[index];
            let before = index.checked_sub(1).map(|before| tokens[before].kind);
            let after = tokens.get(index + 1).copied();
            tokens[index].kind = match token.kind {
                T::Name => contextual(self.text(token), before, after.map(|after| after.kind)),
                T::Gt => match after {
                    Some(after) if after.kind == T::Gt && after.lo == token.hi => T::GtJoint,
                    _ => T::Gt,
                },
                kind => kind,
            };
        }
        tokens
    }
}

/// Whether what stands behind the dot of `1.…` was meant as the rest of a float.
fn continues_float(tail: &str) -> bool {
    let exponent = tail.strip_prefix(['e', 'E']);
    let exponent = exponent.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    exponent || matches!(tail, "f16" | "bf16" | "f32" | "f64" | "f" | "e")
}

/// The kind of a word between its neighbours.
fn contextual(word: &str, before: Option<TokenKind>, after: Option<TokenKind>) -> TokenKind {
    let starts_value = matches!(after, Some(T::Name | T::Int | T::LParen));
    match word {
        "by" if before.is_some_and(T::ends_expression) => T::By,
        "by" if before == Some(T::DotDot) && starts_value => T::By,
        "size" if matches!(before, Some(T::Lt | T::Comma)) && after == Some(T::Name) => T::Size,
        "test" if after == Some(T::Str) => T::Test,
        "bench" if after == Some(T::Str) => T::Bench,
        "rev" if before == Some(T::In) && after == Some(T::LParen) => T::Rev,
        _ => T::Name,
    }
}

/// For each token: whether, as a doc comment, it stands before something that has documentation.
fn documented(all: &[Token]) -> Vec<bool> {
    let mut documents = vec![false; all.len()];
    let mut next_documents = false;
    let mut depth_in_attr = 0_u32;
    let mut after: Option<TokenKind> = None;
    for (index, token) in all.iter().enumerate().rev() {
        documents[index] = next_documents;
        match token.kind {
            T::Doc => {}
            kind if kind.is_trivia() => {}
            // An attribute is stepped over, back to its `#[`.
            T::RBracket => depth_in_attr += 1,
            T::LBracket if depth_in_attr > 0 => depth_in_attr -= 1,
            T::HashBracket if depth_in_attr > 0 => depth_in_attr -= 1,
            _ if depth_in_attr > 0 => {}
            kind => {
                next_documents = starts_documented(kind, after);
                after = Some(kind);
            }
        }
    }
    documents
}

fn starts_documented(kind: TokenKind, after: Option<TokenKind>) -> bool {
    match kind {
        T::Use | T::Const | T::Type | T::Struct | T::Trait | T::Impl | T::Fn | T::Pub => true,
        T::Name => matches!(after, Some(T::Str | T::Colon)),
        _ => false,
    }
}
