//! The formatter: one layout for every program, comments and single blank lines kept.
//!
//! It walks the tree and takes the source's tokens one by one as it prints them (`tokens.rs`), so
//! that no token and no comment can get lost; layout itself is a document of groups that either fit
//! on a line or break (`doc.rs`).

mod doc;
mod exprs;
mod items;
mod lists;
mod stmts;
mod tokens;
mod types;

use crate::parse_module;
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::FileId;

/// The widest line.
const WIDTH: usize = 100;

/// The formatted source, or what is wrong with it. Formatting twice changes nothing more, and the
/// formatted source has the same tree.
pub fn format_module(source: &str) -> Result<String, Vec<Diagnostic>> {
    let (module, diagnostics) = parse_module(FileId(0), source);
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(diagnostics);
    }
    let mut formatter = tokens::Formatter::new(source);
    let document = formatter.module(&module);
    // A mismatch between tree and tokens would be our fault; the source is then left as it is.
    let formatted = formatter.finished().then(|| doc::render(&document, WIDTH));
    debug_assert!(formatted.is_some(), "the formatter lost its place in {source:?}");
    Ok(formatted.unwrap_or_else(|| source.to_owned()))
}
