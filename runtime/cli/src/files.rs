//! Reading and writing files by their kind: sources, arrays, pictures. `-` is standard input.

use std::io::Read;
use std::path::Path;

use we3_driver::arguments::ArgumentLoader;
use we3_driver::bind::FileLoader;
use we3_driver::failure::Failure;
use we3_driver::value::{HostType, HostValue};

use crate::{npy, picture};

/// Larger sources are refused; nobody writes them by hand, and spans are 32 bits.
const MAX_SOURCE: u64 = 64 << 20;

/// The text of a source or IR file.
pub fn read_text(path: &str) -> Result<String, Failure> {
    let mut text = Vec::new();
    let outcome = match path {
        "-" => std::io::stdin().take(MAX_SOURCE + 1).read_to_end(&mut text),
        _ => std::fs::File::open(path).and_then(|file| file.take(MAX_SOURCE + 1).read_to_end(&mut text)),
    };
    outcome.map_err(|error| Failure::Usage(format!("cannot read {path}: {error}")))?;
    if text.len() as u64 > MAX_SOURCE {
        return Err(Failure::Usage(format!("{path} is too long for a source file")));
    }
    String::from_utf8(text).map_err(|_| Failure::Usage(format!("{path} is not UTF-8 text")))
}

/// Writes a whole file.
pub fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    std::fs::File::create(path)?.write_all(bytes)
}

/// Writes a whole file, making its folder if it is missing.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    make_folder(path)?;
    write(path, bytes).map_err(|error| Failure::Usage(format!("cannot write {}: {error}", path.display())))
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|error| Failure::Usage(format!("cannot make {}: {error}", folder.display()))),
        Some(_) | None => Ok(()),
    }
}

/// Loads the files that arguments name.
#[derive(Clone, Debug, Default)]
pub struct ArgumentFiles {
    /// The parameter being filled: the array of that name is taken out of an archive.
    pub parameter: String,
}

impl ArgumentLoader for ArgumentFiles {
    fn begin(&mut self, parameter: &str) {
        self.parameter = parameter.to_owned();
    }
}

impl FileLoader for ArgumentFiles {
    fn load(&mut self, path: &str, member: Option<&str>, ty: &HostType) -> Result<HostValue, String> {
        let file = Path::new(path);
        let value = match file.extension().and_then(|ending| ending.to_str()) {
            Some("npy") => npy::load_npy(file, ty),
            Some("npz") => npy::load_npz(file, member, &self.parameter, ty),
            Some("png") => picture::load_picture(file, ty),
            Some(_) | None => Err(String::from("only .npy, .npz and .png files are read")),
        };
        value.map_err(|fault| format!("{path}: {fault}"))
    }
}

/// Saves a result by the ending of the path.
pub fn save(path: &Path, value: &HostValue) -> Result<(), Failure> {
    make_folder(path)?;
    let saved = match path.extension().and_then(|ending| ending.to_str()) {
        Some("npy") => npy::save_npy(path, value),
        Some("npz") => npy::save_npz(path, &named_parts(value)),
        Some("png") => picture::save_picture(path, value),
        Some(_) | None => Err(String::from("the ending says how: .npy, .npz or .png")),
    };
    saved.map_err(|fault| Failure::Usage(format!("cannot save {}: {fault}", path.display())))
}

/// What an archive holds: the fields of a record, the parts of a tuple, or one `result`.
fn named_parts(value: &HostValue) -> Vec<(String, &HostValue)> {
    match value {
        HostValue::Record { fields, .. } => fields.iter().map(|(name, part)| (name.clone(), part)).collect(),
        HostValue::Tuple(parts) => {
            parts.iter().enumerate().map(|(number, part)| (format!("arr_{number}"), part)).collect()
        }
        HostValue::Scalar(_) | HostValue::Array(_) => vec![(String::from("result"), value)],
    }
}
