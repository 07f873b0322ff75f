//! Lists `docs/errors/*.md`, so that `we3c explain` carries every page that there is.
#![expect(clippy::disallowed_methods, reason = "a build script reads and writes files and cargo's variables")]

use std::path::Path;

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    // Cargo compares the folder's time too: a new page is noticed.
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut pages: Vec<_> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.collect::<Result<Vec<_>, _>>()?.iter().map(std::fs::DirEntry::path).collect(),
        Err(_) => Vec::new(),
    };
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    pages.sort();
    let mut table = String::from("&[\n");
    for page in &pages {
        println!("cargo::rerun-if-changed={}", page.display());
        let code = page.file_stem().unwrap_or_default().to_string_lossy();
        table.push_str(&format!("    ({code:?}, include_str!({:?})),\n", page.display().to_string()));
    }
    table.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&out).join("error_pages.rs"), table)
}
