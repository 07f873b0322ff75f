//! Trees and tokens as readable text for `--emit ast` and `--emit tokens`. Spans are left out, so
//! that equal text means equal trees whatever the layout of the source was.

mod exprs;
mod items;
mod sexp;

use crate::ast::Module;
use crate::lexer;
use std::fmt::Write as _;
use we3_ir::span::FileId;

/// The tree of a module, as nested lists.
pub fn print_ast(module: &Module) -> String {
    let mut text = items::module(module).to_text();
    text.push('\n');
    text
}

/// The tokens of a source, one on a line, comments included.
pub fn print_tokens(source: &str) -> String {
    let (tokens, _) = lexer::lex(FileId(0), source);
    let mut text = String::new();
    for token in tokens {
        let written = source.get(token.lo as usize..token.hi as usize).unwrap_or("");
        // Writing to a string cannot fail.
        _ = writeln!(text, "{}..{} {:?} {written:?}", token.lo, token.hi, token.kind);
    }
    text
}
