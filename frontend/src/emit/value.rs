//! What an expression's value is in IR: scalars and arrays, one per leaf field, and the tuples they make up.

use we3_ir::{Scalar, Value};

use crate::typed::{Program, Size, Type};

/// A value of any type of the tree.
#[derive(Clone, Debug)]
pub enum Val {
    /// A scalar.
    Scalar(Value),
    /// An array: the sizes of its own axes, and one IR array per leaf of its element type. A leaf that is
    /// an array inside the record has more axes, after these.
    Array {
        /// Sizes of the axes.
        dims: Vec<Value>,
        /// Leaf arrays.
        leaves: Vec<Value>,
    },
    /// A tuple or record, also `()`.
    Tuple(Vec<Val>),
}

impl Val {
    /// `()`.
    pub const UNIT: Val = Val::Tuple(Vec::new());

    /// All leaf values in order, without sizes.
    pub fn leaves(&self, out: &mut Vec<Value>) {
        match self {
            Val::Scalar(value) => out.push(*value),
            Val::Array { leaves, .. } => out.extend(leaves),
            Val::Tuple(parts) => parts.iter().for_each(|part| part.leaves(out)),
        }
    }

    /// The scalar this is.
    pub fn scalar(&self) -> Result<Value, String> {
        match self {
            Val::Scalar(value) => Ok(*value),
            Val::Array { .. } | Val::Tuple(_) => Err("a scalar was expected".into()),
        }
    }
}

/// A leaf of a type: its scalar and the sizes of all its axes.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Element type.
    pub elem: Scalar,
    /// Sizes; none for a scalar.
    pub sizes: Vec<Size>,
}

/// The leaves of a type in order: of its fields, of its elements.
pub fn leaves_of(program: &Program, ty: &Type) -> Vec<Leaf> {
    let mut out = Vec::new();
    collect(program, ty, &[], &mut out);
    out
}

fn collect(program: &Program, ty: &Type, outer: &[Size], out: &mut Vec<Leaf>) {
    match ty {
        Type::Scalar(elem) => out.push(Leaf { elem: *elem, sizes: outer.to_vec() }),
        Type::Array { elem, sizes } => {
            let mut all = outer.to_vec();
            all.extend(sizes.iter().cloned());
            collect(program, elem, &all, out);
        }
        Type::Tuple(_) | Type::Record(_) => {
            for part in parts_of(program, ty) {
                collect(program, &part, outer, out);
            }
        }
        Type::Infer(_) | Type::Param(_) | Type::Error => {}
    }
}

/// The parts of a tuple or record type.
pub fn parts_of(program: &Program, ty: &Type) -> Vec<Type> {
    match ty {
        Type::Tuple(parts) => parts.clone(),
        Type::Record(record) => program.fields(record).into_iter().map(|field| field.ty).collect(),
        Type::Scalar(_) | Type::Array { .. } | Type::Infer(_) | Type::Param(_) | Type::Error => Vec::new(),
    }
}

/// Number of leaves of a type.
pub fn leaf_count(program: &Program, ty: &Type) -> usize {
    leaves_of(program, ty).len()
}
