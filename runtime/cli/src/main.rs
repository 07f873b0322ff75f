//! `we3c`, the command line.
fn main() {}
