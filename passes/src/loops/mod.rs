//! Passes from loop IR to loop IR, one a file.

pub mod bind_sizes;
pub mod reduce_remainders;
pub mod split_ranges;
pub mod stream_stores;
pub mod vectorise;
