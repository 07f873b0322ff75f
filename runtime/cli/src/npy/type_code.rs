//! NumPy's short codes of element types: `<f4` is a byte order, a kind and a width.

use std::str::FromStr;

use we3_driver::Scalar;

/// What the bits of an element are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `b`, one byte
    Bool,
    /// `i`
    Int,
    /// `u`
    Uint,
    /// `f`
    Float,
    /// `c`, two floats
    Complex,
    /// `V`, bytes without a meaning
    Raw,
}

/// A code that a host type may match. Text, dates and objects have codes too; those are no `TypeCode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TypeCode {
    /// Written by a machine of the other byte order.
    pub big_endian: bool,
    /// What the bits are.
    pub kind: Kind,
    /// Bytes of an element.
    pub bytes: usize,
}

/// Wider elements are refused: nothing that NumPy writes comes near.
const MAX_BYTES: usize = 1 << 20;

impl FromStr for TypeCode {
    type Err = ();

    /// The order may be left out, as in `u1`; `=` is the machine's own, which is little-endian wherever we3 runs.
    fn from_str(text: &str) -> Result<TypeCode, ()> {
        let rest = text.strip_prefix(['<', '>', '=', '|']).unwrap_or(text);
        let mut letters = rest.chars();
        let kind = match letters.next() {
            Some('b' | '?') => Kind::Bool,
            Some('i') => Kind::Int,
            Some('u') => Kind::Uint,
            Some('f') => Kind::Float,
            Some('c') => Kind::Complex,
            Some('V') => Kind::Raw,
            Some(_) | None => return Err(()),
        };
        let digits = letters.as_str();
        let bytes = match digits {
            "" if rest == "?" => 1,
            _ if digits.bytes().all(|digit| digit.is_ascii_digit()) => digits.parse().map_err(|_| ())?,
            _ => return Err(()),
        };
        if bytes > MAX_BYTES {
            return Err(());
        }
        Ok(TypeCode { big_endian: text.starts_with('>'), kind, bytes })
    }
}

impl TypeCode {
    /// Whether an element is this scalar.
    pub fn is(self, scalar: Scalar) -> bool {
        let kind = match self.kind {
            Kind::Bool => scalar == Scalar::Bool,
            Kind::Int => scalar.is_signed_int(),
            Kind::Uint => scalar.is_int() && !scalar.is_signed_int(),
            Kind::Float => scalar.is_float() && scalar != Scalar::Bf16,
            // NumPy has no bf16; ml_dtypes saves it as two raw bytes.
            Kind::Raw => scalar == Scalar::Bf16,
            Kind::Complex => false,
        };
        kind && self.bytes == scalar.bytes() as usize
    }

    /// Real and imaginary part of a complex number.
    pub fn half(self) -> Option<TypeCode> {
        (self.kind == Kind::Complex).then_some(TypeCode { kind: Kind::Float, bytes: self.bytes / 2, ..self })
    }
}

/// What a code stands for that is no `TypeCode`.
pub fn described(code: &str) -> String {
    let rest = code.trim_start_matches(['<', '>', '=', '|']);
    let what = match rest.chars().next() {
        Some('U' | 'S' | 'a') => "text",
        Some('M') => "dates",
        Some('m') => "time spans",
        Some('O') => "Python objects",
        Some(_) | None => "an unknown type",
    };
    format!("{what} (`{code}`)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read() {
        let code = |text: &str| text.parse::<TypeCode>();
        assert_eq!(code("<f4"), Ok(TypeCode { big_endian: false, kind: Kind::Float, bytes: 4 }));
        assert_eq!(code(">i2"), Ok(TypeCode { big_endian: true, kind: Kind::Int, bytes: 2 }));
        assert_eq!(code("|b1"), code("?"));
        assert_eq!(code("u8"), code("=u8"));
        assert!(code("|V2").is_ok_and(|raw| raw.is(Scalar::Bf16) && !raw.is(Scalar::F16)));
        assert!(code(">c16").is_ok_and(|complex| complex.half().is_some_and(|half| half.is(Scalar::F64))));
        for text in [
            "",
            "<",
            "<f",
            "<f4x",
            "<f+4",
            "<U5",
            "|O",
            "<M8[ns]",
            "<é4",
            "<f99999999999999999999",
            "|V9999999",
        ] {
            assert_eq!(code(text), Err(()), "{text}");
        }
    }

    #[test]
    fn every_scalar_has_one_code() {
        for scalar in Scalar::ALL {
            let text = super::super::dtype::code(scalar);
            let read: TypeCode = text.parse().unwrap();
            let matching: Vec<Scalar> = Scalar::ALL.into_iter().filter(|other| read.is(*other)).collect();
            assert_eq!(matching, [scalar], "{text}");
        }
    }
}
