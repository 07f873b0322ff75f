//! Where items and statements begin, seen from the tokens alone. A valid program is never cut in
//! the wrong place; in a broken one this keeps one error from swallowing what follows.

use crate::nesting::starts_item;
use crate::token::{Token, TokenKind};
use TokenKind as T;
use std::ops::Range;

/// The stretches of tokens that are one item each. Delimiters must be balanced.
pub(crate) fn items(tokens: &[Token]) -> Vec<Range<usize>> {
    split(tokens, 0..tokens.len(), |before, kind, after| {
        // A `const` may also stand among generic parameters.
        let in_generics = kind == T::Const && matches!(before, T::Lt | T::Comma);
        starts_item(kind, after) && !in_generics
    })
}

/// The stretches that are one statement (or item of an `impl`) each, inside braces.
pub(crate) fn statements(tokens: &[Token], inside: Range<usize>) -> Vec<Range<usize>> {
    split(tokens, inside, |before, kind, after| match kind {
        T::Let | T::While | T::Return | T::Break | T::Continue | T::Assert => true,
        T::If | T::For | T::Name => before == T::RBrace,
        T::Const | T::Fn => after == Some(T::Name) && !matches!(before, T::Lt | T::Comma),
        _ => false,
    })
}

/// Cuts after each `;` and before each token that `starts` something, together with the docs,
/// attributes and `pub` before it. Sees only what is at the outermost level of the range.
fn split(
    tokens: &[Token],
    range: Range<usize>,
    starts: impl Fn(TokenKind, TokenKind, Option<TokenKind>) -> bool,
) -> Vec<Range<usize>> {
    let mut cuts = vec![range.start];
    let mut lead: Option<usize> = None;
    let mut index = range.start;
    while index < range.end {
        let token = tokens[index];
        let next = if token.kind.is_opener() { after_group(tokens, index) } else { index + 1 };
        match token.kind {
            T::Doc | T::Pub | T::HashBracket => lead = lead.or(Some(index)),
            T::Semi => {
                cuts.push(next);
                lead = None;
            }
            kind => {
                let before = index.checked_sub(1).map_or(T::Semi, |before| tokens[before].kind);
                let after = tokens.get(index + 1).map(|after| after.kind);
                if starts(before, kind, after) {
                    cuts.push(lead.unwrap_or(index));
                }
                lead = None;
            }
        }
        index = next;
    }
    // Docs or attributes at the end belong to no item of before.
    cuts.extend(lead);
    cuts.push(range.end);
    cuts.dedup();
    cuts.windows(2).map(|pair| pair[0]..pair[1]).filter(|chunk| !chunk.is_empty()).collect()
}

/// The index behind the group that is opened at `open`.
pub(crate) fn after_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.kind.is_opener() {
            depth += 1;
        } else if token.kind.is_closer() {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return index + 1;
            }
        }
    }
    tokens.len()
}

/// The index of the innermost opener around the token at `index`.
pub(crate) fn opener_around(tokens: &[Token], index: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in (0..index.min(tokens.len())).rev() {
        let kind = tokens[at].kind;
        if kind.is_closer() {
            depth += 1;
        } else if kind.is_opener() {
            match depth.checked_sub(1) {
                None => return Some(at),
                Some(outer) => depth = outer,
            }
        }
    }
    None
}
