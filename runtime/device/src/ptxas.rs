//! NVIDIA's assembler `ptxas`: finding it and running it over PTX text. It is no part of running
//! kernels (the driver has its own copy inside); tests assemble everything that is emitted with it.
#![expect(clippy::disallowed_methods, reason = "this is the runtime, which may use files")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::knobs;

/// An installed `ptxas`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ptxas {
    program: PathBuf,
}

impl Ptxas {
    /// Looks where the knob says, else in these Python environments (PyPI: `nvidia-cuda-nvcc`), in the
    /// active one, and on the search path.
    pub fn find(environments: &[PathBuf]) -> Option<Ptxas> {
        let named = knobs::ptxas().into_iter();
        let in_environments = environments.iter().cloned().chain(knobs::python_environment());
        let in_wheels = in_environments.flat_map(|environment| in_wheels(&environment));
        let on_path = knobs::search_path().into_iter().map(|folder| folder.join("ptxas"));
        let program = named.chain(in_wheels).chain(on_path).find(|path| path.is_file())?;
        Some(Ptxas { program })
    }

    /// The program.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Assembles a text for a processor (`sm_90a`) at level 0 … 3, or says what is wrong with it.
    pub fn assemble(&self, ptx: &str, processor: &str, opt_level: u8) -> Result<Vec<u8>, String> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let stem = std::env::temp_dir().join(format!("we3-ptxas-{}-{number}", std::process::id()));
        let (source, object) = (stem.with_extension("ptx"), stem.with_extension("cubin"));
        let result = self.run(ptx, processor, opt_level, &source, &object);
        // Either may not be there.
        let _ = std::fs::remove_file(&source);
        let _ = std::fs::remove_file(&object);
        result
    }

    fn run(
        &self,
        ptx: &str,
        processor: &str,
        opt_level: u8,
        source: &Path,
        object: &Path,
    ) -> Result<Vec<u8>, String> {
        std::fs::write(source, ptx).map_err(|error| error.to_string())?;
        let output = Command::new(&self.program)
            .args(["--gpu-name", processor, "--opt-level", &opt_level.to_string(), "--output-file"])
            .arg(object)
            .arg(source)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        std::fs::read(object).map_err(|error| error.to_string())
    }
}

/// `lib/python3.x/site-packages/nvidia/*/bin/ptxas`, in order of the folders' names.
fn in_wheels(environment: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for python in folders(&environment.join("lib")) {
        for package in folders(&python.join("site-packages").join("nvidia")) {
            found.push(package.join("bin").join("ptxas"));
        }
    }
    found
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_environment_has_no_assembler() {
        assert_eq!(in_wheels(Path::new("/nonexistent")), Vec::<PathBuf>::new());
    }
}
