//! Statements, blocks and lists as other languages write them.

use super::Answer;
use super::operators::before_at_same_level;
use crate::chunks::{after_group, opener_around};
use crate::codes;
use crate::expected::{Repair, Situation};
use crate::messages;
use crate::token::{Token, TokenKind as T};
use we3_ir::diagnostic::{Diagnostic, Severity};

fn opener(at: &Situation<'_>) -> Option<Token> {
    opener_around(at.tokens, at.index).and_then(|open| at.tokens.get(open)).copied()
}

/// `x[2:4]`, `x[::2]`, `x[:, 0]`
pub(super) fn colon_slice(at: &Situation<'_>) -> Answer {
    let open = opener_around(at.tokens, at.index)?;
    if at.tokens.get(open)?.kind != T::LBracket {
        return None;
    }
    let before = |kind| at.kind(-1) == Some(kind);
    let step = at.expects("by") && !at.expects("..");
    let (from, to, with, text): (isize, isize, &[T], &str) = match at.kind(0)? {
        T::Colon if step => (0, 1, &[T::By], " by "),
        T::Colon if at.expects("..") => (0, 1, &[T::DotDot], ".."),
        T::ColonColon if at.expects("..") => (0, 1, &[T::DotDot, T::By], ".. by "),
        _ if before(T::ColonColon) && at.kind(0)? != T::Name => (-1, 0, &[T::DotDot, T::By], ".. by "),
        // `x[2:]`: what is missing is nothing.
        _ => return None,
    };
    let span = at.span_of(at.token(from)?).to(at.span_of(at.token(to - 1)?));
    let found = Diagnostic::error(codes::COLON_SLICE, span, "slices are written with `..`")
        .with_note("`x[lo..hi]`, `x[lo..hi by step]`, all of an axis is `..`")
        .with_fix(format!("write `{}`", text.trim()), span, text);
    Some((found, at.rewrite(from, to, with)))
}

/// `if S { a: 1 } == s {`
pub(super) fn record_in_condition(at: &Situation<'_>) -> Answer {
    let open = opener_around(at.tokens, at.index)?;
    let first_field = at.index == open + 2 && matches!(at.kind(0)?, T::Colon | T::Comma);
    if at.tokens.get(open)?.kind != T::LBrace || !first_field {
        return None;
    }
    let mut start = open.checked_sub(1)?;
    while start >= 2 && at.tokens[start - 1].kind == T::ColonColon && at.tokens[start].kind == T::Name {
        start -= 2;
    }
    let end = after_group(at.tokens, open);
    let inside = Situation { index: start, ..*at };
    let head = before_at_same_level(&inside).find(|token| is_head(token.kind) || token.kind == T::Semi)?;
    if at.tokens[start].kind != T::Name || !is_head(head.kind) {
        return None;
    }
    let record = at.span_of(at.tokens[start]).to(at.span_of(*at.tokens.get(end - 1)?));
    let edits = vec![(record.start(), "(".to_owned()), (record.end(), ")".to_owned())];
    let found =
        Diagnostic::error(codes::RECORD_IN_CONDITION, record, "a record literal here takes parentheses")
            .with_label(at.span_of(head), "the next `{` would be the block of this")
            .with_edits("put it in parentheses", edits);
    let mut tokens = vec![Token { kind: T::LParen, lo: record.lo, hi: record.lo }];
    tokens.extend_from_slice(&at.tokens[start..end]);
    tokens.push(Token { kind: T::RParen, lo: record.hi, hi: record.hi });
    Some((found, Repair::Rewrite { range: start..end, tokens }))
}

fn is_head(kind: T) -> bool {
    matches!(kind, T::If | T::While | T::For | T::In)
}

/// `c ? a : b`, `a if c else b`
pub(super) fn ternary(at: &Situation<'_>) -> Answer {
    let question = at.kind(0)? == T::Question && at.expects("+");
    let rest = &at.tokens[at.index..];
    let same_line = !at.on_new_line();
    let python = at.kind(0)? == T::If
        && at.kind(-1)?.ends_expression()
        && same_line
        && rest
            .iter()
            .take_while(|token| token.kind != T::Semi && token.kind != T::LBrace)
            .any(|t| t.kind == T::Else);
    if !question && !python {
        return None;
    }
    let found =
        Diagnostic::error(codes::FOREIGN_CONDITIONAL, at.span(), "a conditional expression starts with `if`")
            .with_note("write `if c { a } else { b }`; element by element on arrays it is `select(c, a, b)`");
    Some((found, Repair::Skip))
}

/// `let x;`, `let x: f32;`
pub(super) fn let_without_value(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Semi || !at.expects("=") || at.expects("+") && !at.expects(":") {
        return None;
    }
    let head = before_at_same_level(at).find(|token| matches!(token.kind, T::Let | T::Semi | T::Const))?;
    if head.kind != T::Let {
        return None;
    }
    let found = Diagnostic::error(codes::LET_WITHOUT_VALUE, at.span(), "this `let` has no value")
        .with_label(at.span_of(head), "declared here")
        .with_fix("give it one", at.span().start(), " = 0.0");
    Some((found, at.rewrite(0, 0, &[T::Eq, T::Int])))
}

/// `#[fast] x + 1`
pub(super) fn attribute(at: &Situation<'_>) -> Answer {
    if at.kind(-1)? != T::RBracket {
        return None;
    }
    let open = opener_around(at.tokens, at.index - 1)?;
    if at.tokens.get(open)?.kind != T::HashBracket || !at.expects("#[") {
        return None;
    }
    let span = at.span_of(at.tokens[open]).to(at.span_before());
    let found = Diagnostic::error(codes::MISPLACED_ATTRIBUTE, span, "an attribute may not stand here")
        .with_note("attributes stand before items, `let`, `for`, `while`, blocks and `[… for …]`");
    Some((found, Repair::Rewrite { range: open..at.index, tokens: vec![] }))
}

/// `/// …` inside an expression
pub(super) fn doc_comment(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Doc {
        return None;
    }
    Some((messages::unused_doc(Severity::Error, at.span()), at.rewrite(0, 1, &[])))
}

/// `struct S { a: f32; b: f32 }`, `[1; 2]`
pub(super) fn field_separator(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Semi || !at.expects(",") {
        return None;
    }
    let open = opener(at)?;
    let message = match open.kind {
        T::LBrace => "fields are separated by `,`",
        _ => "`,` separates here",
    };
    let mut found =
        Diagnostic::error(codes::UNEXPECTED_TOKEN, at.span(), message).with_fix("write `,`", at.span(), ",");
    if open.kind == T::LBracket {
        found = found.with_note("n equal elements are `full(v, n)` or `[v for _ in 0..n]`");
    }
    Some((found, at.rewrite(0, 1, &[T::Comma])))
}

/// `if x:`
pub(super) fn block_with_colon(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Colon || !at.expects("{") || at.expects(":") {
        return None;
    }
    let head = before_at_same_level(at).find(|token| is_head(token.kind) || token.kind == T::Semi);
    let is_block = at.kind(-1) == Some(T::Else) || head.is_some_and(|head| is_head(head.kind));
    let found = Diagnostic::error(codes::FOREIGN_WORD, at.span(), "a block stands in braces, not after `:`")
        .with_fix("write `{` and end the block with `}`", at.span(), " {");
    is_block.then_some((found, Repair::Skip))
}

/// `if a { … }; else { … }`
pub(super) fn dangling_else(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Else {
        return None;
    }
    let mut found = Diagnostic::error(codes::UNEXPECTED_TOKEN, at.span(), "this `else` belongs to no `if`");
    if at.kind(-1)? == T::Semi && at.kind(-2)? == T::RBrace {
        found = found.with_fix("remove the `;` before it", at.span_before(), "");
        return Some((found, at.rewrite(-1, 0, &[])));
    }
    Some((found, Repair::Skip))
}

/// `assert!(…)`
pub(super) fn macro_call(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Bang || !at.adjacent(-1) || !matches!(at.kind(-1)?, T::Name | T::Assert) {
        return None;
    }
    let found = Diagnostic::error(codes::UNEXPECTED_TOKEN, at.span(), "there are no macros").with_fix(
        "remove the `!`",
        at.span(),
        "",
    );
    Some((found, at.rewrite(0, 1, &[])))
}

/// `use std::math::*;`
pub(super) fn glob_use(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Star || at.kind(-1)? != T::ColonColon || !at.expects("{") {
        return None;
    }
    let found = Diagnostic::error(codes::UNEXPECTED_TOKEN, at.span(), "the names that come in are listed")
        .with_note("write `use module::{a, b};`, or `use module;` and then `module::a`");
    Some((found, at.rewrite(-1, 1, &[])))
}

/// An item among statements.
pub(super) fn nested_item(at: &Situation<'_>) -> Answer {
    let what = match at.kind(0)? {
        T::Fn => "a function",
        T::Struct => "a `struct`",
        T::Trait => "a `trait`",
        T::Impl => "an `impl`",
        T::Use => "a `use`",
        T::Type => "a `type`",
        T::Const => "a `const`",
        _ => return None,
    };
    let names = matches!(at.kind(1)?, T::Name | T::Lt);
    if !names || !at.expects("let") {
        return None;
    }
    let message = format!("{what} may not stand inside a function");
    let mut found = Diagnostic::error(codes::UNEXPECTED_TOKEN, at.span(), message);
    found = match at.kind(0)? {
        T::Fn => found.with_note("declare it beside this one, or bind a lambda: `let f = |x| x + 1;`"),
        T::Const => found.with_fix("inside a function write `let`", at.span(), "let"),
        _ => found.with_note("declare it beside the function"),
    };
    let repair = if at.kind(0)? == T::Const { at.rewrite(0, 1, &[T::Let]) } else { Repair::Skip };
    Some((found, repair))
}
