//! The intermediate representation: plain data at two levels (array IR and loop IR), its text form,
//! its verifier and the exact meaning of every scalar operation. Nothing here transforms a program.

pub mod builder;
pub mod clone;
pub mod diagnostic;
pub mod entity;
pub mod eval;
pub mod hash;
pub mod module;
pub mod op;
pub mod schedule;
pub mod span;
pub mod text;
pub mod types;
pub mod verify;

pub use builder::FuncBuilder;
pub use entity::{Block, FuncId, Op, Value};
pub use module::{BlockData, EntryAbi, Func, Level, Module, OpData, ValueData, ValueDef};
pub use op::{BinaryOp, CompareOp, Const, ForKind, Opcode, Order, ReduceKind, UnaryOp};
pub use schedule::Schedule;
pub use types::{Scalar, Type};
