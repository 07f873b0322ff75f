//! The reference interpreter: what every operation means, at both levels. Array IR runs as the source
//! says it (elements in row-major order, reductions in their one order, checks where they stand); loop IR
//! runs on checked memory, to test lowering. Code is decoded once into dense slots; nothing is optimised.

mod array;
mod arrays;
mod combine;
mod decode;
mod decode_array;
mod decode_control;
mod decode_loop;
mod entry;
mod last_use;
mod loops;
mod machine;
mod memory;
mod program;
mod reduce;
mod scan;
mod scatter;
mod value;

pub use entry::{Interpreter, run_entry};
pub use value::{ArgValue, Limits, ResultValue, RunArray, RunValue, Stop};
