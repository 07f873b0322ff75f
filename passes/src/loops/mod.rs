//! Passes from loop IR to loop IR, one a file.

pub mod stream_stores;
pub mod vectorise;
