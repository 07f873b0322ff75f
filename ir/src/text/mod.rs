//! The text form of a module (`docs/ir.md`): printing, and parsing what was printed. Parsing is total:
//! it returns errors with positions for any input. Whether a module is well formed is `verify`'s question.

mod constant;
mod lex;
mod names;
mod parse;
mod parse_op;
mod parse_type;
mod print;

pub use constant::{parse_constant, print_constant};
pub use parse::{ParseError, parse_module};
pub(crate) use print::Naming;
pub use print::{print_func, print_module};

/// How deep regions may nest, in text and in verified modules; every recursive walk relies on it.
pub const MAX_NESTING: usize = 256;
