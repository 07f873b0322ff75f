//! `we3c`, the command line.
mod npy;
mod picture;
fn main() {}
