//! NVIDIA's assembler, if it is installed: whether emitted PTX is accepted.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where ptxas is: in the `.venv` of this folder or one above (`make setup` puts it there), in that of the
/// program's own folders, or on the PATH.
pub fn find() -> Option<PathBuf> {
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    let folders = here.iter().chain(&program).flat_map(|start| start.ancestors());
    if let Some(found) = folders.filter_map(in_environment).next() {
        return Some(found);
    }
    let answers = Command::new("ptxas").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    answers.is_ok_and(|status| status.success()).then(|| PathBuf::from("ptxas"))
}

/// `.venv/lib/python3*/site-packages/nvidia/*/bin/ptxas`
fn in_environment(folder: &Path) -> Option<PathBuf> {
    let children = |folder: PathBuf| -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    children(folder.join(".venv/lib"))
        .into_iter()
        .flat_map(|python| children(python.join("site-packages/nvidia")))
        .map(|package| package.join("bin/ptxas"))
        .find(|candidate| candidate.is_file())
}

/// Assembles PTX text for a processor such as `sm_75` and throws the result away. `Err`: what ptxas says.
pub fn assemble(ptxas: &Path, text: &str, processor: &str) -> Result<(), String> {
    let mut child = Command::new(ptxas)
        .args(["-arch", processor, "-o", "/dev/null", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    if let Some(mut input) = child.stdin.take() {
        // An assembler that stops reading says why on standard error.
        let _ = input.write_all(text.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let said = [output.stdout, output.stderr].concat();
            Err(String::from_utf8_lossy(&said).trim().to_owned())
        }
    }
}
