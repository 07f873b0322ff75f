//! NumPy's `.npy` and `.npz`: reading into C layout whatever the file's byte order, axis order and padding,
//! and writing. Types are never converted silently; errors say what NumPy call would.

mod archive;
mod dtype;
mod header;
mod literal;
mod read;
mod type_code;
mod write;

pub use read::{load_npy, load_npz};
pub use write::{save_npy, save_npz};
