//! LLVM IR as text: types, values, one function under construction, one module. Text rather than
//! LLVM's builder, because it needs no `unsafe`, folds nothing behind our back, and reads in a log.

mod debug;
mod func;
mod inst;
mod module;
mod ty;

pub use func::{FuncText, Label, PhiId};
pub use module::ModuleText;
pub use ty::{Lane, Ty, Val};
