//! NumPy's element types: from a header's description to the fields of a host type, and back.

use we3_driver::Scalar;
use we3_driver::layout::Layout;
use we3_driver::value::HostType;

use super::literal::Literal;
use super::type_code::{Kind, TypeCode, described};

/// An element type as a file describes it.
#[derive(Clone, Debug)]
pub enum DType {
    /// `<f4`
    Plain(TypeCode),
    /// `[('x', '<f4'), ('', '|V4')]`; unnamed raw fields are padding.
    Record(Vec<(String, DType)>),
    /// Something that a host type cannot be, as text.
    Other(String),
}

/// Copies one scalar of an element: where from, where to, how wide, and whether the bytes turn round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Move {
    /// Offset in the file's element.
    pub from: usize,
    /// Offset in the host's element.
    pub to: usize,
    /// Bytes.
    pub width: usize,
    /// Written by a machine of the other byte order.
    pub swap: bool,
}

impl DType {
    /// From the `descr` of a header.
    pub fn from_literal(literal: &Literal) -> DType {
        match literal {
            Literal::Text(text) => match text.parse() {
                Ok(plain) => DType::Plain(plain),
                Err(()) => DType::Other(described(text)),
            },
            Literal::List(fields) => match fields.iter().map(field).collect::<Option<Vec<_>>>() {
                Some(fields) => DType::Record(fields),
                None => DType::Other(String::from("a structured type with array fields")),
            },
            Literal::Int(_) | Literal::Bool(_) | Literal::Dict(_) => {
                DType::Other(String::from("an unknown description"))
            }
        }
    }

    /// Bytes of one element.
    pub fn bytes(&self) -> Option<usize> {
        match self {
            DType::Plain(plain) => Some(plain.bytes),
            DType::Record(fields) => {
                fields.iter().try_fold(0_usize, |sum, (_, field)| sum.checked_add(field.bytes()?))
            }
            DType::Other(_) => None,
        }
    }

    /// How to copy an element of this type into one of the host's, or why that cannot be.
    pub fn moves_to(&self, elem: &HostType) -> Result<Vec<Move>, String> {
        let layout = Layout::of(elem).ok_or_else(|| format!("{elem} holds arrays"))?;
        let mut leaves = layout.leaves.iter();
        let mut moves = Vec::new();
        let fits = self.append_moves(elem, 0, &mut |from, plain| {
            let Some(leaf) = leaves.next() else { return false };
            let width = leaf.scalar.bytes() as usize;
            if !plain.is(leaf.scalar) {
                return false;
            }
            let swap = width > 1 && plain.big_endian;
            moves.push(Move { from, to: leaf.offset, width, swap });
            true
        });
        match fits {
            true => Ok(moves),
            false => Err(self.mismatch(elem)),
        }
    }

    /// Walks file and host type together; `visit` gets each scalar, of a complex number both halves.
    fn append_moves(
        &self,
        elem: &HostType,
        at: usize,
        visit: &mut dyn FnMut(usize, TypeCode) -> bool,
    ) -> bool {
        match (self, elem) {
            (DType::Plain(plain), HostType::Scalar(_)) => visit(at, *plain),
            (DType::Plain(plain), HostType::Record { .. } | HostType::Tuple(_)) => {
                let parts = elem.fields();
                let scalars = parts.iter().all(|(_, part)| matches!(part, HostType::Scalar(_)));
                scalars
                    && parts.len() == 2
                    && plain.half().is_some_and(|half| visit(at, half) && visit(at + half.bytes, half))
            }
            (DType::Record(fields), HostType::Record { .. } | HostType::Tuple(_)) => {
                let named: Vec<&(String, DType)> =
                    fields.iter().filter(|(name, _)| !name.is_empty()).collect();
                let parts = elem.fields();
                // Record fields are found by name, tuple fields by position.
                let by_name = matches!(elem, HostType::Record { .. });
                parts.len() == named.len()
                    && parts.iter().enumerate().all(|(position, (name, part))| {
                        let wanted = |(number, field): (usize, &&(String, DType))| match by_name {
                            true => field.0 == *name,
                            false => number == position,
                        };
                        let Some(found) = named.iter().enumerate().find(|pair| wanted(*pair)) else {
                            return false;
                        };
                        let Some(offset) = self.offset_of(&found.1.0) else { return false };
                        found.1.1.append_moves(part, at + offset, visit)
                    })
            }
            (DType::Plain(_) | DType::Record(_) | DType::Other(_), _) => false,
        }
    }

    fn offset_of(&self, wanted: &str) -> Option<usize> {
        let DType::Record(fields) = self else { return None };
        let mut offset = 0_usize;
        for (name, field) in fields {
            if name == wanted {
                return Some(offset);
            }
            offset = offset.checked_add(field.bytes()?)?;
        }
        None
    }

    fn mismatch(&self, elem: &HostType) -> String {
        let hint = match elem {
            HostType::Scalar(scalar) => format!("; in NumPy: `x.astype({})`", numpy_name(*scalar)),
            HostType::Tuple(_) | HostType::Record { .. } | HostType::Array { .. } => {
                format!("; in NumPy: `np.dtype({})`", description(elem))
            }
        };
        format!("the file holds {self}, the parameter's elements are {elem}{hint}")
    }
}

fn field(literal: &Literal) -> Option<(String, DType)> {
    let Literal::List(parts) = literal else { return None };
    match parts.as_slice() {
        [Literal::Text(name), dtype] => Some((name.clone(), DType::from_literal(dtype))),
        // With a title: `(('title', 'name'), dtype)`.
        [Literal::List(names), dtype] => match names.as_slice() {
            [_, Literal::Text(name)] => Some((name.clone(), DType::from_literal(dtype))),
            _ => None,
        },
        _ => None,
    }
}

impl std::fmt::Display for DType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DType::Plain(plain) => match Scalar::ALL.into_iter().find(|scalar| plain.is(*scalar)) {
                Some(scalar) => write!(formatter, "{}", numpy_name(scalar).trim_start_matches("np.")),
                None if plain.kind == Kind::Complex => write!(formatter, "complex{}", plain.bytes * 8),
                None if plain.kind == Kind::Float => write!(formatter, "float{}", plain.bytes * 8),
                None => write!(formatter, "raw elements of {} bytes", plain.bytes),
            },
            DType::Record(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .filter(|(name, _)| !name.is_empty())
                    .map(|(name, field)| format!("{name}: {field}"))
                    .collect();
                write!(formatter, "records {{ {} }}", fields.join(", "))
            }
            DType::Other(text) => formatter.write_str(text),
        }
    }
}

fn numpy_name(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "np.bool",
        Scalar::I8 => "np.int8",
        Scalar::I16 => "np.int16",
        Scalar::I32 => "np.int32",
        Scalar::I64 => "np.int64",
        Scalar::U8 => "np.uint8",
        Scalar::U16 => "np.uint16",
        Scalar::U32 => "np.uint32",
        Scalar::U64 => "np.uint64",
        Scalar::F16 => "np.float16",
        Scalar::Bf16 => "ml_dtypes.bfloat16",
        Scalar::F32 => "np.float32",
        Scalar::F64 => "np.float64",
    }
}

/// The code that NumPy writes for this scalar.
pub fn code(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Bool => "|b1",
        Scalar::I8 => "|i1",
        Scalar::I16 => "<i2",
        Scalar::I32 => "<i4",
        Scalar::I64 => "<i8",
        Scalar::U8 => "|u1",
        Scalar::U16 => "<u2",
        Scalar::U32 => "<u4",
        Scalar::U64 => "<u8",
        Scalar::F16 => "<f2",
        Scalar::Bf16 => "|V2",
        Scalar::F32 => "<f4",
        Scalar::F64 => "<f8",
    }
}

/// The `descr` of a host type's C layout: records of two equal floats named `re`, `im` are complex.
pub fn description(elem: &HostType) -> String {
    if let HostType::Scalar(scalar) = elem {
        return format!("'{}'", code(*scalar));
    }
    let fields = elem.fields();
    if let [(re, HostType::Scalar(a)), (im, HostType::Scalar(b))] = fields.as_slice()
        && a == b
        && (re.as_str(), im.as_str()) == ("re", "im")
    {
        match a {
            Scalar::F32 => return String::from("'<c8'"),
            Scalar::F64 => return String::from("'<c16'"),
            Scalar::Bool
            | Scalar::I8
            | Scalar::I16
            | Scalar::I32
            | Scalar::I64
            | Scalar::U8
            | Scalar::U16
            | Scalar::U32
            | Scalar::U64
            | Scalar::F16
            | Scalar::Bf16 => {}
        }
    }
    let Some(whole) = Layout::of(elem) else { return String::from("'|V0'") };
    let mut text = String::from("[");
    let mut at = 0;
    for (name, part) in &fields {
        let Some(layout) = Layout::of(part) else { continue };
        let start = usize::next_multiple_of(at, layout.align);
        pad(&mut text, start - at);
        // NumPy names the fields of a tuple f0, f1, …
        let name = if matches!(elem, HostType::Tuple(_)) { format!("f{name}") } else { name.clone() };
        text.push_str(&format!("('{name}', {}), ", description(part)));
        at = start + layout.size;
    }
    pad(&mut text, whole.size - at);
    text.push(']');
    text
}

fn pad(text: &mut String, bytes: usize) {
    if bytes > 0 {
        text.push_str(&format!("('', '|V{bytes}'), "));
    }
}
