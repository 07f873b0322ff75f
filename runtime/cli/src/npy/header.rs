//! The header of a `.npy` file: magic, version, and a dict with type, axis order and shape.

use std::io::Read;

use super::dtype::DType;
use super::literal::{Literal, parse_literal};

/// Longer headers than NumPy would ever write are refused before they are read.
const MAX_HEADER: usize = 1 << 20;

const MAGIC: &[u8] = b"\x93NUMPY";

/// What a header says.
#[derive(Clone, Debug)]
pub struct Header {
    /// The element type.
    pub dtype: DType,
    /// The first axis varies fastest.
    pub fortran: bool,
    /// The axis sizes.
    pub shape: Vec<u64>,
}

/// Reads the header; the reader stands at the first byte of data afterwards.
pub fn read_header(reader: &mut dyn Read) -> Result<Header, String> {
    let mut start = [0; 8];
    reader.read_exact(&mut start).map_err(|_| String::from("this is no .npy file (it is too short)"))?;
    if !start.starts_with(MAGIC) {
        return Err(String::from("this is no .npy file (its first bytes are others)"));
    }
    let len = match start[6] {
        1 => {
            let mut len = [0; 2];
            reader.read_exact(&mut len).map_err(|_| cut_short())?;
            usize::from(u16::from_le_bytes(len))
        }
        2 | 3 => {
            let mut len = [0; 4];
            reader.read_exact(&mut len).map_err(|_| cut_short())?;
            u32::from_le_bytes(len) as usize
        }
        version => return Err(format!("version {version} of the .npy format is not known")),
    };
    if len > MAX_HEADER {
        return Err(format!("a header of {len} bytes cannot be right"));
    }
    let mut text = vec![0; len];
    reader.read_exact(&mut text).map_err(|_| cut_short())?;
    let text = String::from_utf8(text).map_err(|_| String::from("the header is not text"))?;
    interpret(&text).ok_or_else(|| String::from("the header cannot be read"))
}

fn cut_short() -> String {
    String::from("the file ends inside its header")
}

fn interpret(text: &str) -> Option<Header> {
    let Literal::Dict(pairs) = parse_literal(text)? else { return None };
    let get = |wanted: &str| {
        pairs.iter().find_map(|(key, value)| match key {
            Literal::Text(name) if name == wanted => Some(value),
            Literal::Text(_) | Literal::Int(_) | Literal::Bool(_) | Literal::List(_) | Literal::Dict(_) => {
                None
            }
        })
    };
    let Literal::Bool(fortran) = get("fortran_order")? else { return None };
    let Literal::List(sizes) = get("shape")? else { return None };
    let shape = sizes
        .iter()
        .map(|size| match size {
            Literal::Int(size) => Some(*size),
            Literal::Text(_) | Literal::Bool(_) | Literal::List(_) | Literal::Dict(_) => None,
        })
        .collect::<Option<Vec<u64>>>()?;
    Some(Header { dtype: DType::from_literal(get("descr")?), fortran: *fortran, shape })
}

/// The bytes before the data, for version 1, padded to 64.
pub fn header_bytes(description: &str, shape: &[u64]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let sizes = if shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let mut text =
        format!("{{'descr': {description}, 'fortran_order': False, 'shape': ({sizes}), }}").into_bytes();
    let version: u8 = if text.len() > 60_000 { 2 } else { 1 };
    let before = if version == 1 { 10 } else { 12 };
    let total = (before + text.len() + 1).next_multiple_of(64);
    text.resize(total - before - 1, b' ');
    text.push(b'\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend((text.len() as u16).to_le_bytes()),
        _ => bytes.extend((text.len() as u32).to_le_bytes()),
    }
    bytes.extend(text);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        for shape in [vec![], vec![7], vec![2, 3]] {
            let bytes = header_bytes("'<f4'", &shape);
            assert_eq!(bytes.len() % 64, 0);
            let header = read_header(&mut &bytes[..]).unwrap();
            assert_eq!((header.shape, header.fortran), (shape, false));
        }
    }

    #[test]
    fn broken_headers_are_named() {
        for (bytes, part) in [
            (&b"no"[..], "too short"),
            (b"PK\x03\x04 something else", "its first bytes"),
            (b"\x93NUMPY\x01\x00\x76", "inside its header"),
            (b"\x93NUMPY\x01\x00\x04\x00xxxx", "cannot be read"),
            (b"\x93NUMPY\x09\x00\x04\x00xxxx", "version 9"),
            (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "cannot be right"),
        ] {
            let error = read_header(&mut &bytes[..]).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
