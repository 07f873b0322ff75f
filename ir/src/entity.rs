//! Ids of everything in a function: small integers that index arenas and print as the text form does.

use cranelift_entity::entity_impl;
/// The arenas and dense maps that the IR is made of, for whoever walks it.
pub use cranelift_entity::packed_option::PackedOption;
pub use cranelift_entity::{EntityRef, PrimaryMap, SecondaryMap};

/// A function of a module, printed `@name` (the id itself prints as `fn3`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FuncId(u32);
entity_impl!(FuncId, "fn");

/// An SSA value: a block parameter or a result of an operation. Prints as `%3`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(u32);
entity_impl!(Value, "%");

/// An operation inside a block. Prints as `op3`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Op(u32);
entity_impl!(Op, "op");

/// A region with parameters and a list of operations; the last one is its terminator. Prints as `b0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block(u32);
entity_impl!(Block, "b");
