//! Types and values of LLVM IR as this backend uses them.

use std::fmt;
use std::rc::Rc;

use we3_ir::{Scalar, Type};

/// What one lane is. `f16` and `bf16` values are held as `i16` everywhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lane {
    /// `iN`.
    Int(u32),
    /// `half`: only around the hardware's conversions.
    Half,
    /// `float`.
    Float,
    /// `double`.
    Double,
    /// `ptr`.
    Ptr,
}

/// A first-class LLVM type: a scalar (`lanes` = 1) or a vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ty {
    /// The lane type.
    pub lane: Lane,
    /// Number of lanes; 1 is a scalar.
    pub lanes: u16,
}

impl Ty {
    /// `i1`.
    pub const I1: Ty = Ty::int(1);
    /// `i8`.
    pub const I8: Ty = Ty::int(8);
    /// `i32`.
    pub const I32: Ty = Ty::int(32);
    /// `i64`.
    pub const I64: Ty = Ty::int(64);
    /// `ptr`.
    pub const PTR: Ty = Ty { lane: Lane::Ptr, lanes: 1 };

    /// A scalar integer type.
    pub const fn int(bits: u32) -> Ty {
        Ty { lane: Lane::Int(bits), lanes: 1 }
    }

    /// The same number of lanes of another type.
    pub const fn with(self, lane: Lane) -> Ty {
        Ty { lane, lanes: self.lanes }
    }

    /// One lane of this type.
    pub const fn scalar(self) -> Ty {
        Ty { lane: self.lane, lanes: 1 }
    }

    /// Width of a lane in bits.
    pub const fn bits(self) -> u32 {
        match self.lane {
            Lane::Int(bits) => bits,
            Lane::Half => 16,
            Lane::Float => 32,
            Lane::Double | Lane::Ptr => 64,
        }
    }

    /// The integer type of the same width and number of lanes.
    pub const fn as_int(self) -> Ty {
        self.with(Lane::Int(self.bits()))
    }

    /// How a value of this IR type is held.
    pub fn of(ty: &Type) -> Ty {
        match ty {
            Type::Scalar(scalar) => Ty { lane: lane_of(*scalar), lanes: 1 },
            Type::Vector(scalar, lanes) => Ty { lane: lane_of(*scalar), lanes: *lanes },
            Type::Buffer(_) | Type::Array(..) => Ty::PTR,
        }
    }

    /// How it lies in memory: `bool` is a byte.
    pub fn in_memory(self) -> Ty {
        match self.lane {
            Lane::Int(1) => self.with(Lane::Int(8)),
            Lane::Int(_) | Lane::Half | Lane::Float | Lane::Double | Lane::Ptr => self,
        }
    }

    /// The suffix of an overloaded intrinsic: `v4f32`.
    pub fn mangled(self) -> String {
        let lane = match self.lane {
            Lane::Int(bits) => format!("i{bits}"),
            Lane::Half => "f16".into(),
            Lane::Float => "f32".into(),
            Lane::Double => "f64".into(),
            Lane::Ptr => "p0".into(),
        };
        if self.lanes == 1 { lane } else { format!("v{}{lane}", self.lanes) }
    }
}

fn lane_of(scalar: Scalar) -> Lane {
    match scalar {
        Scalar::Bool => Lane::Int(1),
        Scalar::I8 | Scalar::U8 => Lane::Int(8),
        Scalar::I16 | Scalar::U16 | Scalar::F16 | Scalar::Bf16 => Lane::Int(16),
        Scalar::I32 | Scalar::U32 => Lane::Int(32),
        Scalar::I64 | Scalar::U64 => Lane::Int(64),
        Scalar::F32 => Lane::Float,
        Scalar::F64 => Lane::Double,
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lane::Int(bits) => write!(formatter, "i{bits}"),
            Lane::Half => formatter.write_str("half"),
            Lane::Float => formatter.write_str("float"),
            Lane::Double => formatter.write_str("double"),
            Lane::Ptr => formatter.write_str("ptr"),
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lanes == 1 {
            write!(formatter, "{}", self.lane)
        } else {
            write!(formatter, "<{} x {}>", self.lanes, self.lane)
        }
    }
}

/// An operand: a type and a name or constant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Val {
    /// The type.
    pub ty: Ty,
    /// `%t3`, `7`, `splat (i32 7)`.
    pub text: Rc<str>,
}

impl Val {
    /// A value by its text.
    pub fn new(ty: Ty, text: impl Into<Rc<str>>) -> Val {
        Val { ty, text: text.into() }
    }

    /// An integer constant, in every lane. The bits are taken modulo the width.
    pub fn int(ty: Ty, value: i128) -> Val {
        let Lane::Int(bits) = ty.lane else { return Val::new(ty, "poison") };
        let text = match bits {
            1 => (if value & 1 == 1 { "true" } else { "false" }).to_owned(),
            128 => value.to_string(),
            _ => {
                let unused = 128 - bits;
                ((value << unused) >> unused).to_string()
            }
        };
        Val::splat(ty, &text)
    }

    /// A float constant from its bits, in every lane. NaNs go through an integer, since LLVM's
    /// hexadecimal form of a `float` is that of a `double` and might not keep a payload.
    pub fn float(ty: Ty, bits: u64) -> Val {
        let text = match ty.lane {
            Lane::Double if f64::from_bits(bits).is_nan() => {
                format!("bitcast (i64 {} to double)", bits as i64)
            }
            Lane::Double => format!("0x{bits:016X}"),
            Lane::Float => {
                let value = f32::from_bits(bits as u32);
                if value.is_nan() {
                    format!("bitcast (i32 {} to float)", bits as u32 as i32)
                } else {
                    format!("0x{:016X}", f64::from(value).to_bits())
                }
            }
            Lane::Int(_) | Lane::Half | Lane::Ptr => "poison".into(),
        };
        Val::splat(ty, &text)
    }

    /// A float constant from its value.
    pub fn number(ty: Ty, value: f64) -> Val {
        match ty.lane {
            Lane::Float => Val::float(ty, u64::from((value as f32).to_bits())),
            Lane::Int(_) | Lane::Half | Lane::Double | Lane::Ptr => Val::float(ty, value.to_bits()),
        }
    }

    /// The canonical NaN of `float` or `double`.
    pub fn nan(ty: Ty) -> Val {
        match ty.lane {
            Lane::Float => Val::float(ty, 0x7fc0_0000),
            Lane::Int(_) | Lane::Half | Lane::Double | Lane::Ptr => Val::float(ty, 0x7ff8_0000_0000_0000),
        }
    }

    /// No particular value.
    pub fn poison(ty: Ty) -> Val {
        Val::new(ty, "poison")
    }

    fn splat(ty: Ty, text: &str) -> Val {
        if ty.lanes == 1 { Val::new(ty, text) } else { Val::new(ty, format!("splat ({} {text})", ty.lane)) }
    }
}

impl fmt::Display for Val {
    /// With its type, as operands are mostly written.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.ty, self.text)
    }
}
