//! Passes from array IR to array IR, one per file.

pub mod canon_sizes;
pub mod carry_padded;
pub mod flatten_builds;
pub mod fuse_maps;
pub mod fuse_siblings;
pub mod inline;
pub mod merge_columns;
pub mod strip_notes;
pub mod strip_rows;
pub mod turn_carried;
