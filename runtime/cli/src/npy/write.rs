//! Writing values as `.npy`, and several named ones as `.npz`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use npyz::zip::ZipWriter;
use npyz::zip::write::FileOptions;
use we3_driver::value::{HostArray, HostValue};

use super::dtype::description;
use super::header::header_bytes;

/// Writes one value.
pub fn save_npy(path: &Path, value: &HostValue) -> Result<(), String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    write_value(&mut BufWriter::new(file), value)
}

/// Writes named values into an archive, stored without compression as `np.savez` does.
pub fn save_npz(path: &Path, values: &[(String, &HostValue)]) -> Result<(), String> {
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut archive = ZipWriter::new(BufWriter::new(file));
    for (name, value) in values {
        let options =
            FileOptions::default().compression_method(npyz::zip::CompressionMethod::Stored).large_file(true);
        archive.start_file(format!("{name}.npy"), options).map_err(|error| error.to_string())?;
        write_value(&mut archive, value)?;
    }
    archive.finish().map(|_| ()).map_err(|error| error.to_string())
}

fn write_value(writer: &mut dyn Write, value: &HostValue) -> Result<(), String> {
    let mut put = |bytes: &[u8]| writer.write_all(bytes).map_err(|error| error.to_string());
    if let HostValue::Array(array) = value {
        put(&header_bytes(&description(array.elem()), array.sizes()))?;
        return put(array.bytes());
    }
    let Some(mut single) = HostArray::zeros(value.ty(), Vec::new()) else {
        return Err(format!("{} holds arrays; save it as .npz", value.ty()));
    };
    single.set_element(0, value);
    put(&header_bytes(&description(single.elem()), &[]))?;
    put(single.bytes())
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
        let mut bytes = Vec::new();
        write_value(&mut bytes, &value).unwrap();
        assert_eq!(read_value(&mut &bytes[..], &HostType::array(elem, 1)).unwrap(), value);
        let mut scalar = Vec::new();
        write_value(&mut scalar, &element).unwrap();
        assert_eq!(read_value(&mut &scalar[..], &element.ty()).unwrap(), element);
    }
}
