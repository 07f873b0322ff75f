//! Numbers and strings: what a literal's text stands for, and what is wrong with it.
//! The lexer calls `check_…` and reports; the builder calls the readers, which never fail.

use crate::ast::{FloatLit, IntLit, Name};
use crate::messages;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::Span;

const INT_SUFFIXES: [&str; 8] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];
const FLOAT_SUFFIXES: [&str; 4] = ["bf16", "f16", "f32", "f64"];

/// A number's text in parts.
struct Number<'s> {
    radix: u32,
    /// Everything up to the suffix, with prefix and underscores.
    body: &'s str,
    suffix: &'s str,
}

fn split(text: &str) -> Number<'_> {
    let (radix, prefix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, 2),
        [b'0', b'o' | b'O', ..] => (8, 2),
        [b'0', b'b' | b'B', next, ..] if *next != b'f' => (2, 2),
        _ => (10, 0),
    };
    let mut end = prefix;
    let mut in_exponent = false;
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(end) {
        let starts_exponent = match radix {
            16 => matches!(byte, b'p' | b'P'),
            10 => matches!(byte, b'e' | b'E'),
            _ => false,
        };
        let belongs = match byte {
            b'_' | b'.' => true,
            b'+' | b'-' => in_exponent,
            b'0'..=b'9' => true,
            b'a'..=b'f' | b'A'..=b'F' if radix == 16 && !in_exponent => true,
            _ => starts_exponent && !in_exponent,
        };
        if !belongs {
            break;
        }
        in_exponent |= starts_exponent;
        end += 1;
    }
    Number { radix, body: &text[..end], suffix: &text[end..] }
}

fn suffix_name(suffix: &str, span: Span) -> Option<Name> {
    let known = INT_SUFFIXES.contains(&suffix) || FLOAT_SUFFIXES.contains(&suffix);
    let lo = span.hi.saturating_sub(u32::try_from(suffix.len()).unwrap_or(0));
    known.then(|| Name { text: suffix.to_owned(), span: Span::new(span.file, lo, span.hi) })
}

fn digits(number: &Number<'_>) -> String {
    let skip = if number.radix == 10 { 0 } else { 2 };
    number.body[skip..].chars().filter(|c| *c != '_').collect()
}

/// The integer a literal stands for; zero if it cannot be read.
pub(crate) fn int(text: &str, span: Span) -> IntLit {
    let number = split(text);
    let value = u128::from_str_radix(&digits(&number), number.radix).unwrap_or(0);
    IntLit { value, suffix: suffix_name(number.suffix, span) }
}

/// The float a literal stands for.
pub(crate) fn float(text: &str, span: Span) -> FloatLit {
    let number = split(text);
    let prefix = if number.radix == 16 { "0x" } else { "" };
    FloatLit { text: prefix.to_owned() + &digits(&number), suffix: suffix_name(number.suffix, span) }
}

/// What is wrong with an integer literal.
pub(crate) fn check_int(text: &str, span: Span) -> Option<Diagnostic> {
    // Nearly all are plain and short.
    if text.len() < 18 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = split(text);
    let digits = digits(&number);
    if digits.is_empty() {
        return Some(messages::malformed_number(span, format!("`{}` needs a digit behind it", number.body)));
    }
    if let Some(bad) = digits.chars().find(|c| !c.is_digit(number.radix)) {
        let base = if number.radix == 2 { "binary" } else { "octal" };
        return Some(messages::malformed_number(span, format!("`{bad}` is no {base} digit")));
    }
    if u128::from_str_radix(&digits, number.radix).is_err() {
        return Some(messages::integer_too_large(span));
    }
    check_suffix(&number, &[INT_SUFFIXES.as_slice(), FLOAT_SUFFIXES.as_slice()].concat(), span)
}

/// What is wrong with a float literal.
pub(crate) fn check_float(text: &str, span: Span) -> Option<Diagnostic> {
    let number = split(text);
    if number.radix == 16 && !number.body.contains(['p', 'P']) {
        let message = "a hexadecimal float ends in a power of two, such as `p0`";
        return Some(messages::malformed_number(span, message.to_owned()));
    }
    check_suffix(&number, &FLOAT_SUFFIXES, span)
}

fn check_suffix(number: &Number<'_>, allowed: &[&str], span: Span) -> Option<Diagnostic> {
    if number.suffix.is_empty() || allowed.contains(&number.suffix) {
        return None;
    }
    let size = u32::try_from(number.suffix.len()).unwrap_or(0);
    let at = Span::new(span.file, span.hi - size, span.hi);
    Some(messages::unknown_suffix(at, number.suffix, allowed))
}

/// The text a string literal stands for, quotes removed.
pub(crate) fn unescape(text: &str) -> String {
    let inner = text.strip_prefix(['"', '\'']).unwrap_or(text);
    let inner = inner.strip_suffix(['"', '\'']).unwrap_or(inner);
    let mut result = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => result.push('\n'),
            Some('t') => result.push('\t'),
            Some(other) => result.push(other),
            None => {}
        }
    }
    result
}

/// What is wrong with the escapes of a string literal; positions are those of the backslashes.
pub(crate) fn check_escapes(text: &str, span: Span) -> Vec<Diagnostic> {
    let mut found = vec![];
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            continue;
        }
        if let Some((_, escaped)) = chars.next()
            && !matches!(escaped, 'n' | 't' | '\\' | '"')
        {
            let lo = span.lo + u32::try_from(at).unwrap_or(0);
            let hi = lo + 1 + u32::try_from(escaped.len_utf8()).unwrap_or(1);
            found.push(messages::unknown_escape(Span::new(span.file, lo, hi), escaped));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int_of(text: &str) -> (u128, Option<String>) {
        let lit = int(text, Span::default());
        (lit.value, lit.suffix.map(|name| name.text))
    }

    #[test]
    fn integers_are_read_in_every_base() {
        assert_eq!(int_of("1_000"), (1000, None));
        assert_eq!(int_of("0xffu8"), (255, Some("u8".into())));
        assert_eq!(int_of("0b101i64"), (5, Some("i64".into())));
        assert_eq!(int_of("0o17"), (15, None));
        assert_eq!(int_of("0xf32"), (0xf32, None));
        assert_eq!(int_of("0xbeef"), (0xbeef, None));
    }

    #[test]
    fn floats_keep_their_digits() {
        let lit = float("1_0.5e-3f32", Span::new(Default::default(), 0, 11));
        assert_eq!((lit.text.as_str(), lit.suffix.map(|n| n.text)), ("10.5e-3", Some("f32".into())));
        assert_eq!(float("0x1.8p+3", Span::default()).text, "0x1.8p+3");
        assert_eq!(float("1e5", Span::default()).text, "1e5");
    }

    #[test]
    fn faults_are_found() {
        let span = Span::new(Default::default(), 0, 50);
        for text in ["0x", "0b12", "0o8", "1foo", "0bf", "999999999999999999999999999999999999999999"] {
            assert!(check_int(text, span).is_some(), "{text}");
        }
        for text in ["0x1.8", "1.5u8", "1.0f128", "1.0f"] {
            assert!(check_float(text, span).is_some(), "{text}");
        }
        for text in ["1", "0", "1u8", "1f32", "0bf16", "0xffi64", "1_000_", "0b1"] {
            assert!(check_int(text, span).is_none(), "{text}");
        }
        assert_eq!(check_escapes(r#""a\n\q""#, span).len(), 1);
    }

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(unescape(r#""a\n\"b\\""#), "a\n\"b\\");
        assert_eq!(unescape("\""), "");
    }
}
