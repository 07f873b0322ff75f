//! Passes from loop IR to loop IR, one a file.

pub mod vectorise;
