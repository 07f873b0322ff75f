//! Reading arrays for a parameter of a known type: byte order, axis order and padding are put right,
//! anything else that does not fit is an error.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use we3_driver::value::{HostArray, HostType, HostValue, byte_len};

use super::archive::{members, unpack};
use super::dtype::Move;
use super::header::{Header, read_header};

/// The value in a `.npy` file.
pub fn load_npy(path: &Path, ty: &HostType) -> Result<HostValue, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    read_value(&mut BufReader::new(file), ty)
}

/// The value in a member of a `.npz` archive; without a name, its only one or the one called `hint`.
pub fn load_npz(path: &Path, member: Option<&str>, hint: &str, ty: &HostType) -> Result<HostValue, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut archive = BufReader::new(file);
    let members = members(&mut archive)?;
    let names: Vec<String> =
        members.iter().filter_map(|member| member.name.strip_suffix(".npy")).map(str::to_owned).collect();
    let chosen = match (member, names.as_slice()) {
        (Some(member), _) => member.to_owned(),
        (None, [only]) => only.clone(),
        (None, _) if names.iter().any(|name| name == hint) => hint.to_owned(),
        (None, _) => return Err(format!("which array? {}", listed(names))),
    };
    let found = members.iter().find(|member| member.name.strip_suffix(".npy") == Some(chosen.as_str()));
    let found = found.ok_or_else(|| format!("no array `{chosen}` in it; {}", listed(names)))?;
    let value = unpack(&mut archive, found).and_then(|bytes| read_value(&mut bytes.as_slice(), ty));
    value.map_err(|fault| format!("array `{chosen}`: {fault}"))
}

fn listed(mut names: Vec<String>) -> String {
    names.sort();
    match names.as_slice() {
        [] => String::from("the archive has none"),
        [..] => format!("there are {} (write `x.npz:{}`)", names.join(", "), names[0]),
    }
}

/// Reads header and data.
pub fn read_value(reader: &mut dyn Read, ty: &HostType) -> Result<HostValue, String> {
    let header = read_header(reader)?;
    let (elem, rank) = match ty {
        HostType::Array { elem, sizes } => (&**elem, sizes.len()),
        HostType::Scalar(_) => (ty, 0),
        HostType::Tuple(_) | HostType::Record { .. } if header.shape.is_empty() => (ty, 0),
        HostType::Tuple(_) | HostType::Record { .. } => {
            return Err(format!("expected {ty}; the file holds an array of shape {}", shown(&header.shape)));
        }
    };
    if header.shape.len() != rank {
        let (found, shape) = (header.shape.len(), shown(&header.shape));
        return Err(format!("expected rank {rank}, the file has rank {found} (shape {shape})"));
    }
    let moves = header.dtype.moves_to(elem)?;
    let too_big = || format!("shape {} of {elem} does not fit in memory", shown(&header.shape));
    let file_bytes = header.dtype.bytes().ok_or_else(too_big)?;
    let len = byte_len(&header.shape, file_bytes).ok_or_else(too_big)?;
    let data = read_data(reader, len)?;
    let mut array = HostArray::zeros(elem.clone(), header.shape.clone()).ok_or_else(too_big)?;
    place(&header, &moves, file_bytes, &data, &mut array);
    Ok(if rank == 0 { array.element(0) } else { HostValue::Array(array) })
}

/// Exactly this many bytes; memory grows with what is really there, not with what a header claims.
fn read_data(reader: &mut dyn Read, len: u64) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    let found = reader.take(len).read_to_end(&mut data).map_err(|error| error.to_string())? as u64;
    if found < len {
        return Err(format!(
            "the file is cut short: its header promises {len} bytes of data, {found} are there"
        ));
    }
    Ok(data)
}

fn place(header: &Header, moves: &[Move], file_bytes: usize, data: &[u8], array: &mut HostArray) {
    let size = array.layout().size;
    let same_bytes = !header.fortran && size == file_bytes && moves.iter().all(|m| !m.swap && m.from == m.to);
    if same_bytes {
        array.bytes_mut().copy_from_slice(data);
        return;
    }
    let count = array.count();
    let strides = file_strides(&header.shape, header.fortran);
    let mut position = vec![0_u64; header.shape.len()];
    for number in 0..count {
        let from: u64 = position.iter().zip(&strides).map(|(index, stride)| index * stride).sum();
        let source = &data[from as usize * file_bytes..];
        let target = &mut array.bytes_mut()[number * size..];
        moves.iter().for_each(|one| copy_scalar(*one, source, target));
        advance(&mut position, &header.shape);
    }
}

fn copy_scalar(one: Move, source: &[u8], target: &mut [u8]) {
    let target = &mut target[one.to..one.to + one.width];
    target.copy_from_slice(&source[one.from..one.from + one.width]);
    if one.swap {
        target.reverse();
    }
}

/// Elements from one index to the next, for each axis.
fn file_strides(shape: &[u64], fortran: bool) -> Vec<u64> {
    let mut strides = vec![0; shape.len()];
    let mut stride = 1_u64;
    let mut axes: Vec<usize> = (0..shape.len()).collect();
    if !fortran {
        axes.reverse();
    }
    for axis in axes {
        strides[axis] = stride;
        // Bounded by the check of the byte length unless some axis is empty, and then nothing is read.
        stride = stride.saturating_mul(shape[axis]);
    }
    strides
}

/// The next row-major position.
fn advance(position: &mut [u64], shape: &[u64]) {
    for (index, size) in position.iter_mut().zip(shape).rev() {
        *index += 1;
        if *index < *size {
            return;
        }
        *index = 0;
    }
}

fn shown(shape: &[u64]) -> String {
    match shape {
        [] => String::from("()"),
        [..] => shape.iter().map(u64::to_string).collect::<Vec<_>>().join(" × "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::header::header_bytes;
    use we3_driver::Scalar;
    use we3_driver::show::{ShowOptions, show};
    use we3_driver::value::HostField;

    fn file(description: &str, order: &str, shape: &[u64], data: &[u8]) -> Vec<u8> {
        let mut bytes = header_bytes(description, shape);
        let text = String::from_utf8_lossy(&bytes[10..]).replace("False", order);
        bytes.truncate(10);
        bytes.extend(text.as_bytes());
        let len = (bytes.len() - 10) as u16;
        bytes[8..10].copy_from_slice(&len.to_le_bytes());
        bytes.extend(data);
        bytes
    }

    fn read(bytes: &[u8], ty: &HostType) -> Result<String, String> {
        read_value(&mut &bytes[..], ty).map(|value| show(&value, ShowOptions::whole()))
    }

    fn array(scalar: Scalar, rank: usize) -> HostType {
        HostType::array(HostType::Scalar(scalar), rank)
    }

    #[test]
    fn byte_order_and_axis_order_are_put_right() {
        let data: Vec<u8> = [1_i16, 2, 3, 4, 5, 6].iter().flat_map(|n| n.to_be_bytes()).collect();
        let bytes = file("'>i2'", "True ", &[2, 3], &data);
        assert_eq!(read(&bytes, &array(Scalar::I16, 2)).unwrap(), "[[1, 3, 5], [2, 4, 6]]");
    }

    #[test]
    fn records_match_by_name_whatever_order_and_padding() {
        let ty = HostType::array(
            HostType::Record {
                name: "P".into(),
                fields: vec![
                    HostField { name: "tag".into(), ty: HostType::Scalar(Scalar::U8) },
                    HostField { name: "x".into(), ty: HostType::Scalar(Scalar::F32) },
                ],
            },
            1,
        );
        let mut data = 1.5_f32.to_be_bytes().to_vec();
        data.extend([0, 0, 7]);
        let bytes = file("[('x', '>f4'), ('', '|V2'), ('tag', '|u1')]", "False", &[1], &data);
        assert_eq!(read(&bytes, &ty).unwrap(), "[P { tag: 7, x: 1.5 }]");
        let wrong = file("[('y', '<f4'), ('tag', '|u1')]", "False", &[1], &[0; 5]);
        assert!(read(&wrong, &ty).unwrap_err().contains("records { y: float32, tag: uint8 }"));
    }

    #[test]
    fn complex_numbers_are_pairs_of_floats() {
        let part = |name: &str| HostField { name: name.into(), ty: HostType::Scalar(Scalar::F32) };
        let ty = HostType::Record { name: "Complex<f32>".into(), fields: vec![part("re"), part("im")] };
        let data: Vec<u8> = [1.0_f32, -2.0].iter().flat_map(|n| n.to_le_bytes()).collect();
        let bytes = file("'<c8'", "False", &[1], &data);
        assert_eq!(read(&bytes, &HostType::array(ty, 1)).unwrap(), "[Complex<f32> { re: 1.0, im: -2.0 }]");
    }

    #[test]
    fn narrow_floats_and_scalars_read() {
        let half = file("'<f2'", "False", &[2], &[0x00, 0x3c, 0x00, 0xc0]);
        assert_eq!(read(&half, &array(Scalar::F16, 1)).unwrap(), "[1.0, -2.0]");
        let bf16 = file("'|V2'", "False", &[1], &[0x80, 0x3f]);
        assert_eq!(read(&bf16, &array(Scalar::Bf16, 1)).unwrap(), "[1.0]");
        let scalar = file("'<i8'", "False", &[], &5_i64.to_le_bytes());
        assert_eq!(read(&scalar, &HostType::Scalar(Scalar::I64)).unwrap(), "5");
    }

    #[test]
    fn bad_files_get_clear_errors() {
        let f64s = array(Scalar::F64, 1);
        for (bytes, part) in [
            (file("'<f4'", "False", &[1], &[0; 4]), "holds float32, the parameter's elements are f64"),
            (file("'<f4'", "False", &[1], &[0; 4]), "x.astype(np.float64)"),
            (file("'<f8'", "False", &[2, 2], &[0; 32]), "expected rank 1, the file has rank 2 (shape 2 × 2)"),
            (file("'<f8'", "False", &[3], &[0; 17]), "promises 24 bytes of data, 17 are there"),
            (file("'<f8'", "False", &[1 << 62], &[]), "does not fit in memory"),
            (file("'<U5'", "False", &[1], &[0; 20]), "holds text (`<U5`)"),
            (file("'|O'", "False", &[1], &[0; 8]), "holds Python objects (`|O`)"),
            (file("'<f16'", "False", &[1], &[0; 16]), "holds float128"),
            (file("'<c8'", "False", &[1], &[0; 8]), "holds complex64"),
        ] {
            let error = read(&bytes, &f64s).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        let empty = file("'<f8'", "True ", &[1 << 62, 0], &[]);
        assert!(read(&empty, &array(Scalar::F64, 2)).is_ok());
    }
}
