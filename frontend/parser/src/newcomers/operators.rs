//! Operators of other languages.

use super::Answer;
use crate::codes;
use crate::expected::{Repair, Situation};
use crate::token::{Token, TokenKind as T};
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;

/// `x ** 2`
pub(super) fn power(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::StarStar {
        return None;
    }
    let found = Diagnostic::error(codes::POWER_OPERATOR, at.span(), "there is no operator `**`");
    let found = match (operand_before(at), operand_after(at)) {
        (Some(base), Some(exponent)) => {
            let text = |span: Span| at.source.get(span.range()).unwrap_or("");
            let fixed = format!("pow({}, {})", text(base), text(exponent));
            found.with_fix(format!("write `{fixed}`"), base.to(exponent), fixed)
        }
        _ => found.with_note("a power is `pow(x, y)`"),
    };
    Some((found, at.rewrite(0, 1, &[T::Star])))
}

/// The chain of names, fields, calls and subscripts that ends before the operator.
fn operand_before(at: &Situation<'_>) -> Option<Span> {
    let mut first = at.index;
    loop {
        let kind = at.tokens.get(first.checked_sub(1)?)?.kind;
        let group = match kind {
            T::Name | T::Int | T::Float => first - 1,
            T::RParen | T::RBracket => crate::chunks::opener_around(at.tokens, first - 1)?,
            _ => return None,
        };
        first = group;
        let before = first.checked_sub(1).and_then(|index| at.tokens.get(index)).map(|token| token.kind);
        let is_group = matches!(kind, T::RParen | T::RBracket);
        match before {
            Some(T::Dot | T::ColonColon) if !is_group => first -= 1,
            Some(T::Name | T::RParen | T::RBracket) if is_group => {}
            _ => break,
        }
    }
    let (from, to) = (at.tokens.get(first)?, at.token(-1)?);
    Some(at.span_of(*from).to(at.span_of(to)))
}

fn operand_after(at: &Situation<'_>) -> Option<Span> {
    let start = at.token(1)?;
    let end = match start.kind {
        T::Int | T::Float => start,
        T::Name | T::LParen => {
            let mut next = if start.kind == T::Name { at.index + 2 } else { end_of_group(at, at.index + 1) };
            while let Some(token) = at.tokens.get(next) {
                match token.kind {
                    T::LParen | T::LBracket => next = end_of_group(at, next),
                    T::Dot => next += 2,
                    _ => break,
                }
            }
            *at.tokens.get(next.checked_sub(1)?)?
        }
        _ => return None,
    };
    Some(at.span_of(start).to(at.span_of(end)))
}

fn end_of_group(at: &Situation<'_>, open: usize) -> usize {
    crate::chunks::after_group(at.tokens, open)
}

/// `i++`, `i--`, `++i`
pub(super) fn increment(at: &Situation<'_>) -> Answer {
    let plus = at.kind(0) == Some(T::Plus);
    let behind_plus = plus && at.kind(-1) == Some(T::Plus) && at.adjacent(-1);
    let before_plus = plus && at.kind(1) == Some(T::Plus) && at.adjacent(0);
    let behind_minus = at.kind(-1) == Some(T::Minus) && at.kind(-2) == Some(T::Minus) && at.adjacent(-2);
    let (from, to, update) = if behind_plus {
        (-1, 1, T::PlusEq)
    } else if behind_minus && !at.kind(0).is_some_and(|kind| kind == T::Name || kind == T::Int) {
        (-2, 0, T::MinusEq)
    } else if before_plus {
        (0, 2, T::PlusEq)
    } else {
        return None;
    };
    let span = at.span_of(at.token(from)?).to(at.span_of(at.token(to - 1)?));
    let found = Diagnostic::error(
        codes::INCREMENT,
        span,
        format!("there is no `{0}{0}`", &update.fixed_text()?[..1]),
    );
    if before_plus && !behind_plus {
        return Some((found.with_note("write `i += 1`"), Repair::Skip));
    }
    let fixed = format!(" {} 1", update.fixed_text()?);
    Some((
        found.with_fix(format!("write `{}`", fixed.trim()), span, fixed),
        at.rewrite(from, to, &[update, T::Int]),
    ))
}

/// `let x := 3`, `x := 3`
pub(super) fn colon_equals(at: &Situation<'_>) -> Answer {
    let behind = at.kind(0) == Some(T::Eq) && at.kind(-1) == Some(T::Colon) && at.adjacent(-1);
    let before = at.kind(0) == Some(T::Colon) && at.kind(1) == Some(T::Eq) && at.adjacent(0);
    let (from, to) = match (behind, before) {
        (true, _) => (-1, 1),
        (_, true) => (0, 2),
        _ => return None,
    };
    let span = at.span_of(at.token(from)?).to(at.span_of(at.token(to - 1)?));
    let found = Diagnostic::error(codes::COLON_EQUALS, span, "there is no `:=`");
    let after_let = matches!(at.kind(from - 2), Some(T::Let | T::Mut));
    let name = at.token(from - 1)?;
    let edits = if after_let || name.kind != T::Name {
        vec![(span, "=".to_owned())]
    } else {
        vec![(at.span_of(name).start(), "let ".to_owned()), (span, "=".to_owned())]
    };
    Some((found.with_edits("a `let` binds with `=`", edits), at.rewrite(from, to, &[T::Eq])))
}

/// `0..=n`
pub(super) fn inclusive_range(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Eq || at.kind(-1)? != T::DotDot || !at.adjacent(-1) {
        return None;
    }
    let span = at.span_before().to(at.span());
    let found = Diagnostic::error(codes::INCLUSIVE_RANGE, span, "a range ends before its upper bound")
        .with_note("`0..n` are the n numbers from 0 to n - 1; for one more write `0..n + 1`");
    let simple =
        matches!(at.kind(2), Some(T::RParen | T::RBracket | T::LBrace | T::Comma | T::By | T::For | T::If));
    let found = match at.token(1) {
        Some(bound) if simple && matches!(bound.kind, T::Name | T::Int) => {
            let edits = vec![(span, "..".to_owned()), (at.span_of(bound).end(), " + 1".to_owned())];
            found.with_edits("write `..` and add 1 to the bound", edits)
        }
        _ => found,
    };
    Some((found, at.rewrite(0, 1, &[])))
}

/// `a === b`, `a !== b`
pub(super) fn triple_equals(at: &Situation<'_>) -> Answer {
    let before = at.kind(-1)?;
    if at.kind(0)? != T::Eq || !matches!(before, T::EqEq | T::NotEq) || !at.adjacent(-1) {
        return None;
    }
    let span = at.span_before().to(at.span());
    let right = before.fixed_text()?;
    let found = Diagnostic::error(codes::UNEXPECTED_TOKEN, span, format!("there is no `{right}=`")).with_fix(
        format!("write `{right}`"),
        span,
        right,
    );
    Some((found, at.rewrite(0, 1, &[])))
}

/// `a <> b`
pub(super) fn angle_not_equal(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Gt || at.kind(-1)? != T::Lt || !at.adjacent(-1) || at.expects(">") {
        return None;
    }
    let span = at.span_before().to(at.span());
    let found = Diagnostic::error(codes::UNEXPECTED_TOKEN, span, "there is no `<>`").with_fix(
        "write `!=`",
        span,
        "!=",
    );
    Some((found, at.rewrite(-1, 1, &[T::NotEq])))
}

/// `if x = 3 {`
pub(super) fn assignment_in_condition(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::Eq {
        return None;
    }
    let head = before_at_same_level(at).find(|token| !is_operand(token.kind))?;
    if !matches!(head.kind, T::If | T::While) {
        return None;
    }
    let found =
        Diagnostic::error(codes::ASSIGNMENT_IN_CONDITION, at.span(), "`=` assigns and gives no `bool`")
            .with_label(at.span_of(head), "in the condition of this")
            .with_fix("to compare write `==`", at.span(), "==");
    Some((found, at.rewrite(0, 1, &[T::EqEq])))
}

/// The tokens before, back to the opener around; groups are stepped over.
pub(super) fn before_at_same_level<'s>(at: &'s Situation<'_>) -> impl Iterator<Item = Token> + 's {
    let mut index = at.index.min(at.tokens.len());
    std::iter::from_fn(move || {
        index = index.checked_sub(1)?;
        let token = at.tokens[index];
        if token.kind.is_opener() {
            return None;
        }
        if token.kind.is_closer() {
            index = crate::chunks::opener_around(at.tokens, index)?;
        }
        Some(token)
    })
}

fn is_operand(kind: T) -> bool {
    !matches!(
        kind,
        T::If | T::While | T::Semi | T::RBrace | T::Comma | T::Eq | T::Let | T::Else | T::For | T::In
    )
}

/// `&x`, `&mut x`, `*x`
pub(super) fn reference(at: &Situation<'_>) -> Answer {
    let is_sign = |kind: Option<T>| matches!(kind, Some(T::And | T::Star | T::AndAnd));
    let from = if is_sign(at.kind(0)) && (at.expects_expression() || at.expects_type()) && !at.expects(".") {
        0
    } else if is_sign(at.kind(-1)) && matches!(at.kind(-2), Some(T::LParen | T::Comma | T::Eq)) {
        -1
    } else {
        return None;
    };
    let to = from + 1 + isize::from(at.kind(from + 1) == Some(T::Mut));
    let span = at.span_of(at.token(from)?).to(at.span_of(at.token(to - 1)?));
    let found = Diagnostic::error(codes::REFERENCE, span, "there are no references and no pointers")
        .with_note("arrays are values; what is not changed is never copied")
        .with_fix("remove it", span, "");
    Some((found, at.rewrite(from, to, &[])))
}

/// `x -> x + 1`, `(x) => x`, `fn f(x: f32): f32`, `fn f(x: f32) => x`
pub(super) fn arrow(at: &Situation<'_>) -> Answer {
    let kind = at.kind(0)?;
    if at.expects("->") && at.kind(-1) == Some(T::RParen) {
        return result_arrow(at, kind);
    }
    let before = at.kind(-1)?;
    if !matches!(kind, T::Arrow | T::FatArrow) || !(before.ends_expression() || before == T::Underscore) {
        return None;
    }
    let text = kind.fixed_text()?;
    if at.expects("=") && !at.expects("+") {
        let found = Diagnostic::error(codes::WRONG_ARROW, at.span(), format!("`{text}` may not stand here"))
            .with_fix("write `=`", at.span(), "=");
        return Some((found, at.rewrite(0, 1, &[T::Eq])));
    }
    let found =
        Diagnostic::error(codes::WRONG_ARROW, at.span(), format!("a lambda is not written with `{text}`"))
            .with_note("a lambda is `|x| x + 1`, with two parameters `|x, y| x + y`");
    let name = at.token(-1)?;
    if name.kind != T::Name || at.kind(-2) == Some(T::Dot) {
        return Some((found, Repair::Skip));
    }
    let fixed = format!("|{}|", at.token_text(name));
    let span = at.span_of(name).to(at.span());
    let bar = |token: Token| Token { kind: T::Or, ..token };
    let tokens = vec![bar(name), name, bar(at.token(0)?)];
    let repair = Repair::Rewrite { range: at.index - 1..at.index + 1, tokens };
    Some((found.with_fix(format!("write `{fixed}`"), span, fixed), repair))
}

/// Between the parameters of a function and its result.
fn result_arrow(at: &Situation<'_>, kind: T) -> Answer {
    let here = at.end_of_previous();
    match kind {
        T::Colon | T::FatArrow => {
            let found = Diagnostic::error(codes::WRONG_ARROW, at.span(), "the result type stands after `->`")
                .with_fix("write `->`", here.to(at.span()), " ->");
            let body = kind == T::FatArrow && !matches!(at.kind(2), Some(T::LBrace | T::Eq));
            let with = if body { T::Eq } else { T::Arrow };
            Some((found, at.rewrite(0, 1, &[with])))
        }
        T::Name => {
            let found = Diagnostic::error(codes::WRONG_ARROW, here, "`->` is missing before the result type")
                .with_fix("add `->`", here, " ->");
            Some((found, at.rewrite(0, 0, &[T::Arrow])))
        }
        _ => None,
    }
}

/// A range where none may stand.
pub(super) fn range(at: &Situation<'_>) -> Answer {
    if at.kind(0)? != T::DotDot {
        return None;
    }
    let found = Diagnostic::error(codes::MISPLACED_RANGE, at.span(), "a range may not stand here")
        .with_note("ranges stand in subscripts and after `in`; the array 0, 1, …, n - 1 is `iota(n)`");
    Some((found, Repair::Skip))
}
