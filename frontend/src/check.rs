//! Text to typed tree: modules, names, signatures, bodies, instances. `check` is the way in.

mod collect;
mod defs;
mod elaborate;
mod entries;
mod extent;
mod hints;
mod impls;
mod instances;
mod items;
mod load;
mod reach;
mod round;
mod session;
mod show;
mod signature;
pub mod suggest;
mod traits;

mod body;
mod const_order;
mod consts;

pub use consts::ConstEval;
pub use session::{CheckOptions, CheckResult, check};
