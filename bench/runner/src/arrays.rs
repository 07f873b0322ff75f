//! Raw files to arguments, results to raw files.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use we3_driver::bind::{NoFiles, bind};
use we3_driver::spec::parse_spec;
use we3_driver::value::{HostArray, HostType, HostValue, write_bits};

use crate::protocol::{Argument, Saved};

/// The value of an argument for a parameter of this type.
pub fn read(argument: &Argument, ty: &HostType) -> Result<HostValue, String> {
    match (argument, ty) {
        (Argument::Text(text), _) => {
            let spec = parse_spec(text).map_err(|fault| format!("`{text}`: {fault}"))?;
            bind(&spec, ty, 0, &mut NoFiles)
        }
        (Argument::Raw { path, sizes }, HostType::Array { elem, sizes: axes })
            if sizes.len() == axes.len() =>
        {
            let mut array = HostArray::zeros((**elem).clone(), sizes.clone())
                .ok_or_else(|| format!("no memory for {ty} of sizes {sizes:?}"))?;
            fill(&mut array, path).map_err(|error| format!("{path}: {error}"))?;
            Ok(HostValue::Array(array))
        }
        (Argument::Raw { sizes, .. }, _) => Err(format!("an array of sizes {sizes:?} is no {ty}")),
    }
}

/// The file has to have exactly as many bytes as the array.
fn fill(array: &mut HostArray, path: &str) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    let (expected, found) = (array.bytes().len() as u64, file.metadata()?.len());
    if expected != found {
        return Err(std::io::Error::other(format!("{found} bytes where {expected} were expected")));
    }
    file.read_exact(array.bytes_mut())
}

/// Writes every array and scalar of a result, in order, to `folder/0`, `folder/1`, ….
pub fn write(value: &HostValue, folder: &Path, saved: &mut Vec<Saved>) -> std::io::Result<()> {
    let path = folder.join(saved.len().to_string());
    match value {
        HostValue::Scalar(constant) => {
            let mut bytes = vec![0; constant.ty.bytes() as usize];
            write_bits(constant.ty, constant.bits, &mut bytes);
            saved.push(Saved { elem: constant.ty.to_string(), sizes: Vec::new() });
            File::create(path)?.write_all(&bytes)
        }
        HostValue::Array(array) => {
            saved.push(Saved { elem: array.elem().to_string(), sizes: array.sizes().to_vec() });
            File::create(path)?.write_all(array.bytes())
        }
        HostValue::Tuple(parts) => parts.iter().try_for_each(|part| write(part, folder, saved)),
        HostValue::Record { fields, .. } => {
            fields.iter().try_for_each(|(_, field)| write(field, folder, saved))
        }
    }
}
