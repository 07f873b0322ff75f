//! Writing values as `.npy`, and several named ones as `.npz`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use we3_driver::value::{HostArray, HostValue};

use super::archive::ArchiveWriter;
use super::dtype::description;
use super::header::header_bytes;

/// Writes one value.
pub fn save_npy(path: &Path, value: &HostValue) -> Result<(), String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut writer = BufWriter::new(file);
    with_parts(value, |header, data| {
        writer.write_all(header)?;
        writer.write_all(data)?;
        writer.flush()
    })
}

/// Writes named values into an archive.
pub fn save_npz(path: &Path, values: &[(String, &HostValue)]) -> Result<(), String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut archive = ArchiveWriter::new(BufWriter::new(file));
    for (name, value) in values {
        with_parts(value, |header, data| archive.add(format!("{name}.npy"), &[header, data]))?;
    }
    archive.finish().map_err(|error| error.to_string())
}

/// Hands over the header and the data of a value.
fn with_parts(
    value: &HostValue,
    mut put: impl FnMut(&[u8], &[u8]) -> std::io::Result<()>,
) -> Result<(), String> {
    let written = if let HostValue::Array(array) = value {
        put(&header_bytes(&description(array.elem()), array.sizes()), array.bytes())
    } else {
        let Some(mut single) = HostArray::zeros(value.ty(), Vec::new()) else {
            return Err(format!("{} holds arrays; save it as .npz", value.ty()));
        };
        single.set_element(0, value);
        put(&header_bytes(&description(single.elem()), &[]), single.bytes())
    };
    written.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::read::read_value;
    use we3_driver::Scalar;
    use we3_driver::value::{HostField, HostType};

    #[test]
    fn padded_records_survive_a_file() {
        let inner = HostType::Tuple(vec![HostType::Scalar(Scalar::U8), HostType::Scalar(Scalar::F64)]);
        let elem = HostType::Record {
            name: "R".into(),
            fields: vec![
                HostField { name: "a".into(), ty: HostType::Scalar(Scalar::Bool) },
                HostField { name: "b".into(), ty: inner },
                HostField { name: "c".into(), ty: HostType::Scalar(Scalar::I16) },
            ],
        };
        let mut array = HostArray::zeros(elem.clone(), vec![2]).unwrap();
        let element = HostValue::Record {
            name: "R".into(),
            fields: vec![
                ("a".into(), HostValue::scalar(Scalar::Bool, 1)),
                (
                    "b".into(),
                    HostValue::Tuple(vec![
                        HostValue::scalar(Scalar::U8, 9),
                        HostValue::scalar(Scalar::F64, 0.5_f64.to_bits()),
                    ]),
                ),
                ("c".into(), HostValue::scalar(Scalar::I16, 0xffff)),
            ],
        };
        array.set_element(1, &element);
        let value = HostValue::Array(array);
        let written = |value: &HostValue| {
            let mut bytes = Vec::new();
            let put =
                |header: &[u8], data: &[u8]| bytes.write_all(header).and_then(|()| bytes.write_all(data));
            with_parts(value, put).unwrap();
            bytes
        };
        let bytes = written(&value);
        assert_eq!(read_value(&mut &bytes[..], &HostType::array(elem, 1)).unwrap(), value);
        let scalar = written(&element);
        assert_eq!(read_value(&mut &scalar[..], &element.ty()).unwrap(), element);
    }
}
