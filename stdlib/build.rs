//! Lists `std/*.we3`, so that every module there is embedded.
#![expect(clippy::disallowed_methods, reason = "a build script reads and writes files and cargo's variables")]

use std::path::Path;

fn main() -> std::io::Result<()> {
    // Asked for when it runs: a build folder that was copied holds programs that were compiled elsewhere.
    let folder = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("std");
    // Cargo looks at the times of the files in it too.
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = std::fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<_> = entries.iter().map(std::fs::DirEntry::path).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "we3"));
    files.sort();
    let mut table = String::from("&[\n");
    for file in &files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        table.push_str(&format!("    ({name:?}, include_str!({:?})),\n", file.display().to_string()));
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&out).join("modules.rs"), table)
}
