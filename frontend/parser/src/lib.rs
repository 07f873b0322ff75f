//! Text to syntax tree: lexer, grammar, parse errors in words, formatter, printers.
//! Resolves nothing and reads no files.

pub mod ast;
