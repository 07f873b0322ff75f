//! Comments: which of them are documentation, and what a line of documentation says.

use crate::ast::Doc;
use crate::token::TokenKind;
use we3_ir::span::Span;

/// Which kind of comment a text that starts with `//` is.
pub(crate) fn comment_kind(text: &str) -> TokenKind {
    if text.starts_with("//!") {
        TokenKind::ModuleDoc
    } else if text.starts_with("///") && !text.starts_with("////") {
        TokenKind::Doc
    } else {
        TokenKind::Comment
    }
}

/// A line of documentation without its marker.
pub(crate) fn doc_line(text: &str, span: Span) -> Doc {
    let line = text.get(3..).unwrap_or("").trim_end();
    Doc { text: line.strip_prefix(' ').unwrap_or(line).to_owned(), span }
}
