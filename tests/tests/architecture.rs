//! The dependency test: reads every `Cargo.toml` and fails on an arrow or an external crate that
//! `docs/architecture.md` does not draw. A new one is written there first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Room, rooms it may import, external crates it may use.
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    ("ir", &[], &["cranelift-entity"]),
    ("frontend/parser", &["we3-ir"], &["logos", "lalrpop", "lalrpop-util"]),
    ("frontend", &["we3-ir", "we3-parser"], &["codespan-reporting", "serde_json"]),
    ("passes", &["we3-ir"], &["petgraph"]),
    ("backends/api", &["we3-ir"], &["serde"]),
    ("backends/interp", &["we3-ir", "we3-backend-api"], &[]),
    (
        "backends/cranelift",
        &["we3-ir", "we3-backend-api"],
        &["cranelift-codegen", "cranelift-frontend", "cranelift-module", "cranelift-object"],
    ),
    ("backends/llvm", &["we3-ir", "we3-backend-api"], &["inkwell", "libc", "serde_json"]),
    (
        "runtime/device",
        &["we3-backend-api"],
        &["blake3", "memmap2", "object", "rayon", "serde", "serde_json"],
    ),
    (
        "runtime/driver",
        &[
            "we3-ir",
            "we3-frontend",
            "we3-parser",
            "we3-passes",
            "we3-backend-api",
            "we3-backend-interp",
            "we3-backend-cranelift",
            "we3-device",
            "we3-stdlib",
        ],
        &[],
    ),
    ("runtime/cli", &["we3-driver"], &["clap", "clap_complete", "flate2", "mimalloc", "png", "serde_json"]),
    ("runtime/capi", &["we3-driver"], &[]),
    ("python", &["we3-driver"], &["pyo3"]),
    ("stdlib", &[], &[]),
    ("bench/runner", &["we3-driver"], &["rustix", "serde", "serde_json"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names in the `[dependencies]`-like tables of a manifest, development ones apart.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = matches!(line, "[dependencies]" | "[build-dependencies]");
        } else if inside && !line.is_empty() && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            names.insert(name.to_owned());
        }
    }
    names
}

#[test]
fn every_dependency_is_an_arrow_the_architecture_draws() {
    let mut faults = Vec::new();
    for (room, arrows, crates) in ROOMS {
        let path = root().join(room).join("Cargo.toml");
        let manifest = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{room}: {error}"));
        for name in dependencies(&manifest) {
            if !arrows.contains(&name.as_str()) && !crates.contains(&name.as_str()) {
                faults.push(format!("{room} may not use {name}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}\n(see docs/architecture.md, \"Rooms and arrows\")", faults.join("\n"));
}

#[test]
fn every_room_is_in_the_table() {
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = workspace.split("default-members").next().unwrap_or_default();
    let listed: BTreeSet<&str> =
        members.split('"').filter(|part| root().join(part).join("Cargo.toml").exists()).collect();
    let known: BTreeSet<&str> = ROOMS.iter().map(|(room, _, _)| *room).chain(["tests"]).collect();
    let missing: Vec<_> = listed.iter().filter(|room| !room.is_empty() && !known.contains(**room)).collect();
    assert!(listed.len() > 5 && missing.is_empty(), "rooms without a row in ROOMS: {missing:?}");
}
