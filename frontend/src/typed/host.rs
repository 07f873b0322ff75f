//! What a host sees: entry points with plain signatures, tests with their generated inputs.

use super::{FuncId, Size};
use we3_ir::span::Span;
use we3_ir::types::Scalar;

/// A function that a host may call.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name in the source.
    pub name: String,
    /// A wrapper made for this purpose: each axis of each array parameter is a size of its own (a
    /// `Func::sizes` variable, in the order of `HostType::Array` axes met depth first); its body
    /// binds the written sizes, checks them and calls. A record or tuple parameter that holds arrays
    /// is one wrapper parameter per field (recursively), so the flattened order is the host's.
    pub func: FuncId,
    /// The parameters as a host sees them.
    pub params: Vec<HostParam>,
    /// The result as a host sees it.
    pub result: HostType,
    /// The `///` lines.
    pub docs: Vec<String>,
    /// The signature in the source.
    pub span: Span,
}

/// A parameter of an entry.
#[derive(Clone, Debug)]
pub struct HostParam {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: HostType,
    /// Whether the body may change its copy (a host may donate the buffer).
    pub mutable: bool,
    /// Where it stands.
    pub span: Span,
}

/// A type as a host sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostType {
    /// A number or `bool`.
    Scalar(Scalar),
    /// An array.
    Array {
        /// What it holds: scalars, or tuples and records of scalars.
        elem: Box<HostType>,
        /// The size of each axis as written; its length is the rank.
        sizes: Vec<String>,
    },
    /// A tuple.
    Tuple(Vec<HostType>),
    /// A record.
    Record {
        /// Its name with arguments: `Complex<f32>`.
        name: String,
        /// Its fields in order.
        fields: Vec<HostField>,
    },
}

/// A field as a host sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostField {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: HostType,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// The string after `test`.
    pub name: String,
    /// How to call it; one parameter per input, result `()`.
    pub entry: Entry,
    /// The sizes its inputs name; chosen first.
    pub sizes: Vec<TestSize>,
    /// How each parameter is generated; empty: it runs once.
    pub inputs: Vec<TestInput>,
    /// `#[edges]`: infinities, NaN, denormals, extremes too.
    pub edges: bool,
    /// The modules it stands in; empty: the root.
    pub module: Vec<String>,
}

/// A bench; like a test.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The string after `bench`.
    pub name: String,
    /// How to call it.
    pub entry: Entry,
    /// The sizes its inputs name.
    pub sizes: Vec<TestSize>,
    /// How each parameter is generated.
    pub inputs: Vec<TestInput>,
    /// The modules it stands in; empty: the root.
    pub module: Vec<String>,
}

/// A size to choose.
#[derive(Clone, Debug)]
pub struct TestSize {
    /// Its name.
    pub name: String,
    /// `lo`, `hi`, `step` of `n in lo..hi by step`; `None`: 0..=17.
    pub range: Option<(i64, i64, i64)>,
}

/// How an input of a test is generated.
#[derive(Clone, Debug)]
pub enum TestInput {
    /// A value of this type; the sizes of its arrays, depth first, are polynomials over the test's
    /// sizes (`Atom::Param(k)` is `sizes[k]`).
    Value {
        /// The type.
        ty: HostType,
        /// The sizes of the axes in the order they are met.
        sizes: Vec<Size>,
    },
    /// The chosen value of `sizes[k]`, as an integer of this type.
    Chosen(u32, Scalar),
}

impl HostType {
    /// An array type of this rank whose sizes have no names.
    pub fn array(elem: HostType, rank: usize) -> HostType {
        HostType::Array { elem: Box::new(elem), sizes: vec![String::from("?"); rank] }
    }

    /// The parts of a tuple or record with their names (`0`, `1`, … in a tuple); none of anything else.
    pub fn fields(&self) -> Vec<(String, &HostType)> {
        match self {
            HostType::Tuple(parts) => {
                parts.iter().enumerate().map(|(number, part)| (number.to_string(), part)).collect()
            }
            HostType::Record { fields, .. } => {
                fields.iter().map(|field| (field.name.clone(), &field.ty)).collect()
            }
            HostType::Scalar(_) | HostType::Array { .. } => Vec::new(),
        }
    }
}

impl std::fmt::Display for HostType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HostType::Scalar(scalar) => write!(formatter, "{scalar}"),
            HostType::Array { elem, sizes } => write!(formatter, "{elem}[{}]", sizes.join(", ")),
            HostType::Record { name, .. } => formatter.write_str(name),
            HostType::Tuple(parts) => {
                formatter.write_str("(")?;
                for (number, part) in parts.iter().enumerate() {
                    write!(formatter, "{}{part}", if number > 0 { ", " } else { "" })?;
                }
                formatter.write_str(if parts.len() == 1 { ",)" } else { ")" })
            }
        }
    }
}
