//! Words that are keywords elsewhere.

use super::Answer;
use crate::chunks::opener_around;
use crate::codes;
use crate::expected::{Repair, Situation};
use crate::token::{Token, TokenKind as T};
use we3_ir::diagnostic::Diagnostic;

/// A word, where it stands (the token that does not fit or the one before), what it is here.
struct Replaced {
    word: &'static str,
    offset: isize,
    with: &'static [T],
    text: &'static str,
}

const fn replaced(word: &'static str, offset: isize, with: &'static [T], text: &'static str) -> Replaced {
    Replaced { word, offset, with, text }
}

const REPLACED: &[Replaced] = &[
    replaced("def", 0, &[T::Fn], "fn"),
    replaced("func", 0, &[T::Fn], "fn"),
    replaced("fun", 0, &[T::Fn], "fn"),
    replaced("function", 0, &[T::Fn], "fn"),
    replaced("import", 0, &[T::Use], "use"),
    replaced("var", -1, &[T::Let, T::Mut], "let mut"),
    replaced("val", -1, &[T::Let], "let"),
    replaced("auto", -1, &[T::Let], "let"),
    replaced("and", 0, &[T::AndAnd], "&&"),
    replaced("or", 0, &[T::OrOr], "||"),
    replaced("mod", 0, &[T::Percent], "%"),
    replaced("not", -1, &[T::Bang], "!"),
    replaced("elif", -1, &[T::Else, T::If], "else if"),
    replaced("elsif", -1, &[T::Else, T::If], "else if"),
    replaced("elseif", -1, &[T::Else, T::If], "else if"),
];

/// A word with one spelling here.
pub(super) fn replaced_word(at: &Situation<'_>) -> Answer {
    let entry = REPLACED.iter().find(|entry| is_word(at, entry.offset, entry.word) && fits(at, entry))?;
    let span = at.span_of(at.token(entry.offset)?);
    let found = Diagnostic::error(
        codes::FOREIGN_WORD,
        span,
        format!("`{}` is written `{}` here", entry.word, entry.text),
    )
    .with_fix(format!("write `{}`", entry.text), span, entry.text);
    Some((found, at.rewrite(entry.offset, entry.offset + 1, entry.with)))
}

fn is_word(at: &Situation<'_>, offset: isize, word: &str) -> bool {
    at.kind(offset) == Some(T::Name) && at.text(offset) == word
}

/// Whether the replacement could stand there at all.
fn fits(at: &Situation<'_>, entry: &Replaced) -> bool {
    match entry.with {
        [T::Fn] => at.expects("fn") && at.expects("const"),
        [T::Use] => at.expects("struct"),
        [T::AndAnd | T::OrOr | T::Percent] => at.expects("+"),
        [T::Else, T::If] => at.kind(-2) == Some(T::RBrace),
        _ => !at.kind(0).is_some_and(|kind| kind.is_closer() || kind == T::Eq),
    }
}

/// `lambda x, y: x + y`
pub(super) fn lambda(at: &Situation<'_>) -> Answer {
    if !is_word(at, -1, "lambda") || at.kind(0)? != T::Name {
        return None;
    }
    let colon = at.tokens[at.index..].iter().position(|token| !matches!(token.kind, T::Name | T::Comma))?;
    let colon = at.index + colon;
    let end = *at.tokens.get(colon)?;
    let found = Diagnostic::error(codes::FOREIGN_WORD, at.span_before(), "a lambda is `|x| x + 1`");
    if end.kind != T::Colon {
        return Some((found, Repair::Skip));
    }
    let open = at.span_before().to(at.span().start());
    let edits = vec![(open, "|".to_owned()), (at.span_of(end), "|".to_owned())];
    let mut tokens = vec![Token { kind: T::Or, ..at.token(-1)? }];
    tokens.extend_from_slice(&at.tokens[at.index..colon]);
    tokens.push(Token { kind: T::Or, ..end });
    let repair = Repair::Rewrite { range: at.index - 1..colon + 1, tokens };
    Some((found.with_edits("write the parameters between `|`", edits), repair))
}

const TYPES: [&str; 17] = [
    "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64", "int",
    "float", "double", "long",
];

/// `f32 x = 3.0;`, `fn f(float x)`
pub(super) fn type_before_name(at: &Situation<'_>) -> Answer {
    let ty = at.token(-1)?;
    let names = at.kind(0)? == T::Name && ty.kind == T::Name && !at.on_new_line();
    if !names || !TYPES.contains(&at.token_text(ty)) {
        return None;
    }
    let written = match at.token_text(ty) {
        "int" => "i32",
        "long" => "i64",
        "float" => "f32",
        "double" => "f64",
        other => other,
    };
    let name = at.token(0)?;
    let is_statement =
        at.kind(1) == Some(T::Eq) && matches!(at.kind(-2), Some(T::Semi | T::LBrace | T::RBrace));
    let declares = if is_statement { "let " } else { "" };
    let fixed = format!("{declares}{}: {written}", at.token_text(name));
    let span = at.span_of(ty).to(at.span_of(name));
    let found = Diagnostic::error(codes::TYPE_BEFORE_NAME, span, "the type stands after the name").with_fix(
        format!("write `{fixed}`"),
        span,
        fixed,
    );
    let colon = Token { kind: T::Colon, lo: name.hi, hi: name.hi };
    let mut tokens = vec![name, colon, ty];
    if is_statement {
        tokens.insert(0, Token { kind: T::Let, lo: ty.lo, hi: ty.lo });
    }
    Some((found, Repair::Rewrite { range: at.index - 1..at.index + 1, tokens }))
}

const EXPLAINED: &[(&str, &str)] = &[
    ("match", "there is no `match`: use `if` and `else if`"),
    ("switch", "there is no `switch`: use `if` and `else if`"),
    ("case", "there is no `case`: use `if` and `else if`"),
    ("loop", "there is no `loop`: write `while true { … }`"),
    ("do", "there is no `do`: use `while` or `for`"),
    ("enum", "there are no sum types yet"),
    ("class", "a record is a `struct`; its functions stand in an `impl`"),
    ("mod", "each file is a module; bring in its names with `use`"),
    ("module", "each file is a module; bring in its names with `use`"),
    ("from", "names come in with `use module::{name};`"),
    ("include", "names come in with `use module::{name};`"),
    ("extern", "there are no foreign functions"),
    ("unsafe", "nothing is unsafe here"),
    ("async", "functions are pure; the compiler runs them in parallel where it can"),
    ("await", "functions are pure; the compiler runs them in parallel where it can"),
    ("try", "a failed check stops the kernel; there is no `try`"),
    ("where", "bounds stand behind the parameter: `<T: Float>`"),
    ("static", "a value for all is a `const`"),
    ("then", "the branches of an `if` stand in braces"),
    ("end", "a block ends with `}`"),
    ("begin", "a block starts with `{`"),
    ("dyn", "traits are bounds of generic parameters: `<T: Num>`"),
    ("ref", "there are no references: arrays are values"),
    ("is", "to compare write `==`"),
    ("xor", "write `^`, or `!=` for two `bool`"),
];

/// A word that needs more than another spelling.
pub(super) fn explained_word(at: &Situation<'_>) -> Answer {
    let before_brace = opener_around(at.tokens, at.index)
        .filter(|open| at.tokens[*open].kind == T::LBrace)
        .and_then(|open| at.tokens.get(open.checked_sub(1)?))
        .filter(|token| matches!(at.token_text(**token), "loop" | "do" | "unsafe" | "try"))
        .copied();
    // `match x {` is read as far as the first arm.
    let before_subject = opener_around(at.tokens, at.index)
        .filter(|open| at.tokens[*open].kind == T::LBrace)
        .and_then(|open| at.tokens.get(open.checked_sub(2)?))
        .filter(|token| matches!(at.token_text(**token), "match" | "switch"))
        .copied();
    [before_brace, before_subject, at.token(-1), at.token(0)].into_iter().flatten().find_map(|token| {
        let text = at.token_text(token);
        let known = EXPLAINED.iter().find(|(word, _)| token.kind == T::Name && *word == text);
        let (_, meaning) = known?;
        Some((Diagnostic::error(codes::FOREIGN_WORD, at.span_of(token), *meaning), Repair::Skip))
    })
}

/// `let type = 3;`
pub(super) fn keyword_as_name(at: &Situation<'_>) -> Answer {
    let text = at.kind(0)?.fixed_text()?;
    let keyword = text.starts_with(|c: char| c.is_ascii_lowercase());
    let among_items = at.expects("struct") || at.expects("const");
    if !keyword || !at.expects("name") || among_items || (at.on_new_line() && !at.expects("let")) {
        return None;
    }
    let message = format!("`{text}` is a keyword and can be no name");
    let found = Diagnostic::error(codes::UNEXPECTED_TOKEN, at.span(), message).with_fix(
        "choose another name",
        at.span(),
        format!("{text}_"),
    );
    Some((found, at.rewrite(0, 1, &[T::Name])))
}
