//! The ordered lists of passes, with a reason wherever the order matters, and the table of all passes.

use crate::array::canon_sizes::CANON_SIZES;
use crate::array::carry_padded::CARRY_PADDED;
use crate::array::flatten_builds::FLATTEN_BUILDS;
use crate::array::fuse_maps::FUSE_MAPS;
use crate::array::fuse_siblings::FUSE_SIBLINGS;
use crate::array::inline::INLINE;
use crate::array::merge_columns::MERGE_COLUMNS;
use crate::array::strip_notes::STRIP_NOTES;
use crate::array::strip_rows::STRIP_ROWS;
use crate::array::turn_carried::TURN_CARRIED;
use crate::loops::bind_sizes::BIND_SIZES;
use crate::loops::reduce_remainders::REDUCE_REMAINDERS;
use crate::loops::split_ranges::SPLIT_RANGES;
use crate::loops::stream_stores::STREAM_STORES;
use crate::loops::vectorise::VECTORISE;
use crate::lower::LOWER;
use crate::manager::Pass;
use crate::scalar::deduplicate::DEDUPLICATE;
use crate::scalar::hoist::{HOIST, HOIST_REDUCTIONS};
use crate::scalar::remove_checks::REMOVE_CHECKS;
use crate::scalar::remove_dead::REMOVE_DEAD;
use crate::scalar::simplify::SIMPLIFY;

/// Every pass there is, for `--passes` and `--list-passes`.
pub const ALL: &[Pass] = &[
    INLINE,
    STRIP_NOTES,
    CANON_SIZES,
    SIMPLIFY,
    DEDUPLICATE,
    HOIST,
    HOIST_REDUCTIONS,
    REMOVE_CHECKS,
    REMOVE_DEAD,
    FLATTEN_BUILDS,
    FUSE_MAPS,
    FUSE_SIBLINGS,
    MERGE_COLUMNS,
    STRIP_ROWS,
    CARRY_PADDED,
    TURN_CARRIED,
    LOWER,
    BIND_SIZES,
    SPLIT_RANGES,
    VECTORISE,
    REDUCE_REMAINDERS,
    STREAM_STORES,
];

/// A named list of passes.
#[derive(Clone, Copy, Debug)]
pub struct Pipeline {
    /// Its command-line name.
    pub name: &'static str,
    /// One line for a list.
    pub about: &'static str,
    /// The passes in order.
    pub passes: &'static [Pass],
}

/// Array IR of a whole program to loop IR of its entries, as fast as possible.
pub const QUICK: Pipeline =
    Pipeline { name: "quick", about: "array IR to loop IR without optimising", passes: &[INLINE, LOWER] };

/// Array IR of a whole program to loop IR of its entries, optimised.
pub const OPTIMISE: Pipeline = Pipeline {
    name: "optimise",
    about: "array IR to optimised loop IR",
    passes: &[
        INLINE,
        STRIP_NOTES,
        // Sizes first: operations on arrays are equal when their sizes are.
        CANON_SIZES,
        SIMPLIFY,
        DEDUPLICATE,
        // Before fusion: what holds checks is not fused.
        REMOVE_CHECKS,
        // Comparisons that turned out to be sure decide branches and selects.
        SIMPLIFY,
        // No check stands in their way any more, and no nest has been made one with the loop around it.
        HOIST_REDUCTIONS,
        REMOVE_DEAD,
        FLATTEN_BUILDS,
        FUSE_MAPS,
        // After maps: a producer inside its only consumer is better than beside it.
        FUSE_SIBLINGS,
        SIMPLIFY,
        DEDUPLICATE,
        // Rows are read where they lie now, so more reductions depend on nothing inside.
        HOIST_REDUCTIONS,
        // Equal elements are one value now.
        MERGE_COLUMNS,
        // Sizes that do not depend on a nest's axes stand before it, where its schedule can use them.
        HOIST,
        // What rows have in common has left them; what strips need twice and do not use goes.
        STRIP_ROWS,
        // A padded array that is fused into its reader is none any more.
        CARRY_PADDED,
        REMOVE_DEAD,
        // Who else reads a matrix that a loop carries has been fused with its readers, or left.
        TURN_CARRIED,
        LOWER,
        // The paths that lowering made for other sizes go in what follows.
        BIND_SIZES,
        // Lowering writes constants and size arithmetic wherever it needs them.
        SIMPLIFY,
        HOIST,
        // After it: moved operations meet equal ones in the outer region.
        DEDUPLICATE,
        REMOVE_DEAD,
        // Limits that an index is compared with stand before its loop now.
        SPLIT_RANGES,
        // What does not depend on the index has left the loop and needs no lanes.
        VECTORISE,
        // Of lanes; scalars the backends know how to divide.
        REDUCE_REMAINDERS,
        // Only vectors go past the caches.
        STREAM_STORES,
        // Splats and ranges of lanes move out of the loops in turn.
        HOIST,
        DEDUPLICATE,
        REMOVE_DEAD,
    ],
};

/// Every pipeline there is.
pub const PIPELINES: &[Pipeline] = &[QUICK, OPTIMISE];

/// The pass with this name.
pub fn find_pass(name: &str) -> Option<Pass> {
    ALL.iter().copied().find(|pass| pass.name == name)
}
