//! The wording of every complaint whose place is known without the parser's help.
//! Complaints about unexpected tokens are in `expected.rs`.

use crate::ast::{Expr, Size, Type};
use crate::codes;
use we3_ir::diagnostic::{Diagnostic, Severity};
use we3_ir::span::Span;

pub(crate) fn unknown_character(span: Span, text: &str, instead: Option<&str>) -> Diagnostic {
    let found =
        Diagnostic::error(codes::UNKNOWN_CHARACTER, span, format!("{} has no meaning here", visible(text)));
    match instead {
        Some(instead) => found.with_fix(format!("write `{instead}`"), span, instead),
        None => found,
    }
}

/// A character that nobody sees is named by its number.
fn visible(text: &str) -> String {
    match text.chars().next() {
        Some(c)
            if c.is_control()
                || c.is_whitespace()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}') =>
        {
            format!("the invisible character U+{:04X}", u32::from(c))
        }
        Some(_) | None => format!("`{text}`"),
    }
}

pub(crate) fn foreign_name(span: Span, text: &str) -> Diagnostic {
    Diagnostic::error(codes::UNKNOWN_CHARACTER, span, format!("`{text}` is no name"))
        .with_note("names consist of the letters a to z and A to Z, digits and `_`")
}

pub(crate) fn malformed_number(span: Span, message: String) -> Diagnostic {
    Diagnostic::error(codes::MALFORMED_NUMBER, span, message)
}

pub(crate) fn unknown_suffix(span: Span, suffix: &str, allowed: &[&str]) -> Diagnostic {
    let mut found = Diagnostic::error(
        codes::MALFORMED_NUMBER,
        span,
        format!("`{suffix}` is not a type this number can have"),
    )
    .with_note(format!("the suffixes are {}", allowed.join(", ")));
    let float = allowed.len() == 4;
    let likely = match suffix {
        "f" | "F" => Some("f32"),
        "d" | "D" | "lf" => Some("f64"),
        "u" | "U" | "usize" | "ul" | "UL" | "ull" if !float => Some("u64"),
        "isize" | "l" | "L" | "ll" if !float => Some("i64"),
        _ => None,
    };
    if let Some(likely) = likely {
        found = found.with_fix(format!("write `{likely}`"), span, likely);
    }
    found
}

pub(crate) fn integer_too_large(span: Span) -> Diagnostic {
    Diagnostic::error(codes::INTEGER_TOO_LARGE, span, "this integer is too large for every type")
        .with_note("the largest integer type, `u64`, ends at 18446744073709551615")
}

pub(crate) fn float_needs_digits(span: Span, fixed: String) -> Diagnostic {
    Diagnostic::error(codes::FLOAT_NEEDS_DIGITS, span, "a float has a digit on both sides of its dot")
        .with_fix(format!("write `{fixed}`"), span, fixed)
}

pub(crate) fn string_not_closed(span: Span) -> Diagnostic {
    Diagnostic::error(codes::STRING_NOT_CLOSED, span, "this string has no closing `\"` on its line").with_fix(
        "close the string",
        span.end(),
        "\"",
    )
}

pub(crate) fn unknown_escape(span: Span, escaped: char) -> Diagnostic {
    Diagnostic::error(codes::UNKNOWN_ESCAPE, span, format!("`\\{escaped}` stands for nothing"))
        .with_note("the escapes are `\\n`, `\\t`, `\\\\` and `\\\"`")
}

pub(crate) fn single_quotes(span: Span, inner: &str) -> Diagnostic {
    Diagnostic::error(codes::SINGLE_QUOTES, span, "strings are written in double quotes").with_fix(
        "use double quotes",
        span,
        format!("\"{inner}\""),
    )
}

pub(crate) fn hash_comment(span: Span) -> Diagnostic {
    let sign = Span::new(span.file, span.lo, span.lo + 1);
    Diagnostic::error(codes::FOREIGN_COMMENT, sign, "a comment starts with `//`").with_fix(
        "write `//`",
        sign,
        "//",
    )
}

pub(crate) fn block_comment(span: Span) -> Diagnostic {
    Diagnostic::error(codes::FOREIGN_COMMENT, span, "there are no block comments")
        .with_note("write `//` at the start of each line")
}

pub(crate) fn file_too_large(span: Span) -> Diagnostic {
    Diagnostic::error(codes::FILE_TOO_LARGE, span, "this file is larger than 1 GiB")
}

pub(crate) fn nested_too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(codes::NESTED_TOO_DEEP, span, "this is nested too deep")
        .with_note("split it into several functions or `let`s")
}

pub(crate) fn public_field(public: Span, name: Span) -> Diagnostic {
    Diagnostic::error(codes::MISPLACED_PUB, public, "every field of a record is visible").with_fix(
        "remove `pub`",
        Span::new(public.file, public.lo, name.lo),
        "",
    )
}

pub(crate) fn misplaced_pub(public: Span, what: &str) -> Diagnostic {
    Diagnostic::error(codes::MISPLACED_PUB, public, format!("{what} is never `pub`")).with_fix(
        "remove `pub`",
        public,
        "",
    )
}

pub(crate) fn no_sizes(span: Span) -> Diagnostic {
    Diagnostic::error(codes::EMPTY_BRACKETS, span, "an array type needs its sizes")
        .with_note("name the size of each axis: `f32[n]`, `f32[n, m]`; a size that may change is `?`")
}

pub(crate) fn no_subscripts(span: Span) -> Diagnostic {
    Diagnostic::error(codes::EMPTY_BRACKETS, span, "a subscript is missing")
        .with_note("all of an axis is `..`")
}

pub(crate) fn no_generic_args(span: Span) -> Diagnostic {
    Diagnostic::error(codes::EMPTY_BRACKETS, span, "generic arguments are missing").with_fix(
        "remove them",
        span,
        "",
    )
}

pub(crate) fn generic_args_twice(span: Span) -> Diagnostic {
    Diagnostic::error(codes::GENERIC_ARGUMENTS, span, "generic arguments are given twice")
}

/// `T[n][m]`: `elem` is `T[n]`, `outer` its sizes, `inner` the further sizes.
pub(crate) fn array_of_arrays(elem: &Type, outer: &[Size], inner: &[Size], span: Span) -> Diagnostic {
    let found = Diagnostic::error(codes::ARRAY_OF_ARRAYS, span, "the elements of an array are never arrays")
        .with_note("one pair of brackets holds the sizes of all axes: `f32[n, m]`");
    let (Some(last), Some(first)) = (outer.last(), inner.first()) else { return found };
    let seam = Span::new(span.file, last.span().hi.max(elem.span.lo), first.span().lo);
    found.with_fix("join the sizes", seam, ", ")
}

pub(crate) fn bad_tuple_field(span: Span) -> Diagnostic {
    Diagnostic::error(codes::TUPLE_FIELD, span, "a part of a tuple is a plain number: `.0`, `.1`")
}

pub(crate) fn reversed_values(span: Span, values: Span) -> Diagnostic {
    let open = Span::new(span.file, span.lo, values.lo);
    Diagnostic::error(codes::REV_OF_VALUES, span, "`rev` turns a range around, such as `rev(0..n)`").with_fix(
        "an array is turned around by `reverse`",
        open,
        "reverse(",
    )
}

pub(crate) fn lone_semicolon(span: Span) -> Diagnostic {
    Diagnostic::warning(codes::LONE_SEMICOLON, span, "this `;` ends nothing").with_fix("remove it", span, "")
}

pub(crate) fn not_a_place(span: Span) -> Diagnostic {
    Diagnostic::error(codes::NOT_A_PLACE, span, "this cannot be assigned to").with_note(
        "the left side is a `mut` variable, perhaps with fields and subscripts, or a tuple of such places",
    )
}

pub(crate) fn misplaced_string(span: Span) -> Diagnostic {
    Diagnostic::error(codes::MISPLACED_STRING, span, "a string may not stand here")
        .with_note("strings are no values; they stand in `assert`, in attributes and as names of tests")
}

pub(crate) fn unused_doc(severity: Severity, span: Span) -> Diagnostic {
    let message = "this documents nothing";
    let marker = Span::new(span.file, span.lo, span.lo + 3);
    Diagnostic::new(severity, codes::UNUSED_DOC, span, message).with_fix("make it a comment", marker, "//")
}

pub(crate) fn late_module_doc(span: Span) -> Diagnostic {
    let marker = Span::new(span.file, span.lo, span.lo + 3);
    Diagnostic::warning(codes::UNUSED_DOC, span, "`//!` stands only at the top of a file").with_fix(
        "make it a comment",
        marker,
        "//",
    )
}

/// `a < b < c`; `first` is `a < b`, `middle` is `b`, `op` the second operator.
pub(crate) fn chained_comparison(first: &Expr, middle: &Expr, text: &str, op: Span) -> Diagnostic {
    Diagnostic::error(codes::CHAINED_COMPARISON, op, "comparisons do not chain")
        .with_label(first.span, "this is a `bool`")
        .with_fix("compare twice", middle.span.end(), format!(" && {text}"))
}

pub(crate) fn generic_args_in_expression(open: Span) -> Diagnostic {
    Diagnostic::error(codes::GENERIC_ARGUMENTS, open, "`<` compares here").with_fix(
        "generic arguments in an expression start with `::<`",
        open.start(),
        "::",
    )
}

pub(crate) fn parameter_without_type(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(codes::PARAMETER_WITHOUT_TYPE, span, format!("the type of `{name}` is missing"))
        .with_note("types may be left out only in lambdas and inside an `impl` of a trait")
        .with_fix("write its type", span.end(), ": f32")
}

pub(crate) fn incomplete_item(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::INCOMPLETE_ITEM, span, message)
}

pub(crate) fn result_discarded(semicolon: Span, result: Span) -> Diagnostic {
    Diagnostic::error(codes::RESULT_DISCARDED, semicolon, "this `;` throws the result away")
        .with_label(result, "the function gives this")
        .with_fix("remove the `;`", semicolon, "")
}
