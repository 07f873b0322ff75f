//! The source's tokens, taken one after the other as the tree is printed, each with the comments
//! around it. Doc comments are comments here.

use super::doc::Doc;
use crate::lexer;
use crate::token::{Token, TokenKind};
use we3_ir::span::FileId;

/// A token with the comments between it and the token before it.
struct Taken<'s> {
    text: &'s str,
    kind: TokenKind,
    /// Comments on lines of their own before it.
    before: Vec<Comment<'s>>,
    /// Whether a blank line stands before it (and behind the comments before it).
    blank_before: bool,
    /// Whether it starts a line.
    starts_line: bool,
    /// Comments behind it on its line.
    behind: Vec<&'s str>,
}

struct Comment<'s> {
    text: &'s str,
    blank_before: bool,
}

/// Prints a tree, taking its tokens.
pub(super) struct Formatter<'s> {
    tokens: Vec<Taken<'s>>,
    next: usize,
    /// Whether a token was expected that was not there.
    lost: bool,
}

impl<'s> Formatter<'s> {
    pub(super) fn new(source: &'s str) -> Formatter<'s> {
        let (all, _) = lexer::lex(FileId(0), source);
        Formatter { tokens: gather(source, &all), next: 0, lost: false }
    }

    /// Whether every token was taken and none was missing.
    pub(super) fn finished(&self) -> bool {
        !self.lost && self.next + 1 == self.tokens.len()
    }

    /// The kind of the token that comes next.
    pub(super) fn peek(&self) -> TokenKind {
        self.tokens.get(self.next).map_or(TokenKind::Error, |token| token.kind)
    }

    /// Whether the next token starts a line or has comments before it.
    pub(super) fn next_starts_line(&self) -> bool {
        self.tokens.get(self.next).is_some_and(|token| token.starts_line || !token.before.is_empty())
    }

    /// The next token, which has to be `text`. A longer token gives only its start: the `>=` of
    /// `Mod<7>= 3`, the `0.1` of `x.0.1`.
    pub(super) fn token(&mut self, text: &'static str) -> Doc<'s> {
        let Some(token) = self.tokens.get_mut(self.next) else { return self.lose() };
        match token.text.strip_prefix(text) {
            Some("") => self.any_token(),
            Some(rest) => {
                let before = leading(std::mem::take(&mut token.before), &mut token.blank_before);
                token.text = rest;
                token.starts_line = false;
                Doc::concat(vec![before, Doc::Text(text)])
            }
            None => self.lose(),
        }
    }

    /// The next token, whatever it is.
    pub(super) fn any_token(&mut self) -> Doc<'s> {
        self.take(Doc::Text)
    }

    /// A number behind a dot, perhaps the start of what was read as a float.
    pub(super) fn tuple_index(&mut self) -> Doc<'s> {
        let Some(token) = self.tokens.get_mut(self.next) else { return self.lose() };
        match token.text.split_once('.') {
            Some((index, _)) if !index.is_empty() => {
                let before = leading(std::mem::take(&mut token.before), &mut token.blank_before);
                let text = token.text;
                token.text = &text[index.len()..];
                Doc::concat(vec![before, Doc::Text(&text[..index.len()])])
            }
            _ => self.any_token(),
        }
    }

    /// The comma behind the last element, which stands only if the list is broken.
    pub(super) fn trailing_comma(&mut self) -> Doc<'s> {
        if self.peek() == TokenKind::Comma { self.take(|_| Doc::IfBroken(",")) } else { Doc::IfBroken(",") }
    }

    /// A comma behind the last element of what never ends in one.
    pub(super) fn no_trailing_comma(&mut self) -> Doc<'s> {
        if self.peek() == TokenKind::Comma { self.take(|_| Doc::Nil) } else { Doc::Nil }
    }

    /// Semicolons that end nothing: only their comments stay.
    pub(super) fn surplus_semicolons(&mut self) -> Doc<'s> {
        let mut kept = vec![];
        while self.peek() == TokenKind::Semi {
            kept.push(self.take(|_| Doc::Nil));
        }
        Doc::concat(kept)
    }

    /// The comments before the next token, without the token: what stands last inside brackets.
    pub(super) fn comments_before_next(&mut self) -> Doc<'s> {
        let Some(token) = self.tokens.get_mut(self.next) else { return Doc::Nil };
        let mut no_blank = false;
        leading(std::mem::take(&mut token.before), &mut no_blank)
    }

    /// Whether comments stand before the next token.
    pub(super) fn has_comments_before_next(&self) -> bool {
        self.tokens.get(self.next).is_some_and(|token| !token.before.is_empty())
    }

    /// Keeps a blank line before the next token, or before the comments that belong to it.
    pub(super) fn blank_before_next(&mut self) -> Doc<'s> {
        match self.tokens.get(self.next) {
            Some(token) if token.before.is_empty() && token.blank_before => Doc::Blank,
            _ => Doc::Nil,
        }
    }

    fn take(&mut self, text: impl FnOnce(&'s str) -> Doc<'s>) -> Doc<'s> {
        // The last entry stands for the end of the file and is never taken.
        if self.next + 1 >= self.tokens.len() {
            return self.lose();
        }
        let token = &mut self.tokens[self.next];
        self.next += 1;
        let before = leading(std::mem::take(&mut token.before), &mut token.blank_before);
        let mut docs = vec![before, text(token.text)];
        docs.extend(token.behind.iter().map(|comment| Doc::Suffix(comment)));
        Doc::concat(docs)
    }

    fn lose(&mut self) -> Doc<'s> {
        self.lost = true;
        Doc::Nil
    }
}

/// The comments before a token, with the blank lines between them and before the token.
fn leading<'s>(comments: Vec<Comment<'s>>, blank_before_token: &mut bool) -> Doc<'s> {
    if comments.is_empty() {
        return Doc::Nil;
    }
    let mut docs = vec![];
    for comment in comments {
        docs.extend(comment.blank_before.then_some(Doc::Blank));
        docs.push(Doc::Comment(comment.text));
    }
    docs.extend(std::mem::take(blank_before_token).then_some(Doc::Blank));
    Doc::concat(docs)
}

/// Tokens with their comments, and one entry more for the end of the file.
fn gather<'s>(source: &'s str, all: &[Token]) -> Vec<Taken<'s>> {
    let mut tokens: Vec<Taken<'s>> = vec![];
    let mut before: Vec<Comment<'s>> = vec![];
    let mut end = 0;
    let stop = Token { kind: TokenKind::Error, lo: source.len() as u32, hi: source.len() as u32 };
    for token in all.iter().chain([&stop]) {
        let gap = source.get(end..token.lo as usize).unwrap_or("");
        let newlines = gap.bytes().filter(|byte| *byte == b'\n').count();
        let text = source.get(token.lo as usize..token.hi as usize).unwrap_or("");
        end = token.hi as usize;
        if !token.kind.is_trivia() && token.kind != TokenKind::Doc {
            tokens.push(Taken {
                text,
                kind: token.kind,
                before: std::mem::take(&mut before),
                blank_before: newlines > 1,
                starts_line: newlines > 0,
                behind: vec![],
            });
            continue;
        }
        let comment = Comment { text: text.trim_end(), blank_before: newlines > 1 };
        match tokens.last_mut() {
            Some(last) if newlines == 0 && before.is_empty() => last.behind.push(comment.text),
            _ => before.push(comment),
        }
    }
    tokens
}
