//! The generated part of the suite at the level of array IR: every operation × every element type × sizes
//! around the edges, as programs (`scalars`, `arrays`), and one function that runs them everywhere (`run`).
//! What can be said in the source language is in `suite::generated`.

pub mod arrays;
#[path = "../../../backends/cranelift/tests/harness/operations.rs"]
pub mod operations;
pub mod run;
pub mod scalars;
#[path = "../../../backends/cranelift/tests/harness/values.rs"]
pub mod values;

use we3_ir::Scalar;

/// One entry function and the sizes it is called with.
pub struct Case {
    /// The entry's name, which says what it does: `reduce_sum_f32`.
    pub name: String,
    /// Its text, without the head of the module.
    pub text: String,
    /// The values of its first parameter.
    pub sizes: &'static [i64],
}

/// The cases that are compiled together.
pub struct Group {
    /// `scalars f32`.
    pub name: String,
    /// One entry each.
    pub cases: Vec<Case>,
}

impl Group {
    /// The module of all cases.
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.cases.iter().map(|case| case.text.as_str()).collect();
        format!("array module\n\n{}", texts.join("\n"))
    }
}

/// Element-wise operations on this type.
pub fn scalars(ty: Scalar) -> Group {
    Group { name: format!("scalars {ty}"), cases: scalars::cases(ty) }
}

/// Reductions, scans, scatters, updates and loops over arrays of this type.
pub fn arrays(ty: Scalar) -> Group {
    Group { name: format!("arrays {ty}"), cases: arrays::cases(ty) }
}

/// Everything, for the list.
pub fn all() -> Vec<Group> {
    Scalar::ALL.into_iter().flat_map(|ty| [scalars(ty), arrays(ty)]).collect()
}
