//! Types of values: scalars, dependent arrays (array level), buffers and vectors (loop level).

use crate::entity::Value;

/// An element type. Integers are two's complement; floats are IEEE 754 (`bf16`: the upper half of `f32`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Scalar {
    /// One byte in memory, 0 or 1.
    Bool,
    /// Signed, 8 bits.
    I8,
    /// Signed, 16 bits.
    I16,
    /// Signed, 32 bits.
    I32,
    /// Signed, 64 bits: sizes and subscripts.
    I64,
    /// Unsigned, 8 bits.
    U8,
    /// Unsigned, 16 bits.
    U16,
    /// Unsigned, 32 bits.
    U32,
    /// Unsigned, 64 bits.
    U64,
    /// IEEE binary16.
    F16,
    /// The upper 16 bits of a binary32.
    Bf16,
    /// IEEE binary32.
    F32,
    /// IEEE binary64.
    F64,
}

impl Scalar {
    /// Every scalar type, in declaration order.
    pub const ALL: [Scalar; 13] = [
        Scalar::Bool,
        Scalar::I8,
        Scalar::I16,
        Scalar::I32,
        Scalar::I64,
        Scalar::U8,
        Scalar::U16,
        Scalar::U32,
        Scalar::U64,
        Scalar::F16,
        Scalar::Bf16,
        Scalar::F32,
        Scalar::F64,
    ];

    /// The name in source and in the text form.
    pub const fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I8 => "i8",
            Scalar::I16 => "i16",
            Scalar::I32 => "i32",
            Scalar::I64 => "i64",
            Scalar::U8 => "u8",
            Scalar::U16 => "u16",
            Scalar::U32 => "u32",
            Scalar::U64 => "u64",
            Scalar::F16 => "f16",
            Scalar::Bf16 => "bf16",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
        }
    }

    /// The type with this name.
    pub fn from_name(name: &str) -> Option<Scalar> {
        Scalar::ALL.into_iter().find(|scalar| scalar.name() == name)
    }

    /// Size of one element in memory.
    pub const fn bytes(self) -> u32 {
        match self {
            Scalar::Bool | Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 | Scalar::F16 | Scalar::Bf16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 => 8,
        }
    }

    /// Width of the value: 1 for `bool`, else eight times the bytes.
    pub const fn bits(self) -> u32 {
        match self {
            Scalar::Bool => 1,
            Scalar::I8
            | Scalar::I16
            | Scalar::I32
            | Scalar::I64
            | Scalar::U8
            | Scalar::U16
            | Scalar::U32
            | Scalar::U64
            | Scalar::F16
            | Scalar::Bf16
            | Scalar::F32
            | Scalar::F64 => self.bytes() * 8,
        }
    }

    /// `f16`, `bf16`, `f32`, `f64`.
    pub const fn is_float(self) -> bool {
        matches!(self, Scalar::F16 | Scalar::Bf16 | Scalar::F32 | Scalar::F64)
    }

    /// Any signed or unsigned integer (not `bool`).
    pub const fn is_int(self) -> bool {
        !self.is_float() && !matches!(self, Scalar::Bool)
    }

    /// A signed integer.
    pub const fn is_signed_int(self) -> bool {
        matches!(self, Scalar::I8 | Scalar::I16 | Scalar::I32 | Scalar::I64)
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The type of a value. Two array types are equal when element and size *values* are identical.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Type {
    /// A scalar.
    Scalar(Scalar),
    /// Array level: a dense, row-major array value of rank ≥ 1; sizes are `i64` values ≥ 0.
    Array(Scalar, Vec<Value>),
    /// Loop level: the address of a run of elements in memory.
    Buffer(Scalar),
    /// Loop level: a fixed number of lanes (a power of two, 2..=64) of one scalar type.
    Vector(Scalar, u16),
}

impl Type {
    /// Shorthand for `Type::Scalar(Scalar::I64)`.
    pub const I64: Type = Type::Scalar(Scalar::I64);
    /// Shorthand for `Type::Scalar(Scalar::Bool)`.
    pub const BOOL: Type = Type::Scalar(Scalar::Bool);

    /// The element type, whatever the shape.
    pub const fn element(&self) -> Scalar {
        match self {
            Type::Scalar(scalar)
            | Type::Array(scalar, _)
            | Type::Buffer(scalar)
            | Type::Vector(scalar, _) => *scalar,
        }
    }

    /// The sizes of an array; empty for everything else.
    pub fn sizes(&self) -> &[Value] {
        match self {
            Type::Array(_, sizes) => sizes,
            Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => &[],
        }
    }

    /// The scalar type if this is one.
    pub const fn as_scalar(&self) -> Option<Scalar> {
        match self {
            Type::Scalar(scalar) => Some(*scalar),
            Type::Array(..) | Type::Buffer(_) | Type::Vector(..) => None,
        }
    }
}

impl From<Scalar> for Type {
    fn from(scalar: Scalar) -> Type {
        Type::Scalar(scalar)
    }
}
