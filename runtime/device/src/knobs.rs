//! The only reader of environment variables: `WE3_*`, and where programs are looked for.
#![expect(clippy::disallowed_methods, reason = "this is the place that the lint points to")]

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

/// A variable that changes how the toolchain runs, never what it computes.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub meaning: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

const CACHE: &str = "WE3_CACHE";
const DEBUG_INFO: &str = "WE3_DEBUG_INFO";
const LLVM_WORKER: &str = "WE3_LLVM_WORKER";
const LLVM_TIMEOUT: &str = "WE3_LLVM_TIMEOUT";
const MEMORY_LIMIT: &str = "WE3_MEMORY_LIMIT";
const POOL: &str = "WE3_POOL";
const PTXAS: &str = "WE3_PTXAS";
const THREADS: &str = "WE3_THREADS";

/// Every knob.
pub const KNOBS: &[Knob] = &[
    Knob { name: CACHE, meaning: "folder of what is kept between runs", default: "~/.cache/we3" },
    Knob { name: DEBUG_INFO, meaning: "1: line tables in code of LLVM, as with `-g`", default: "none" },
    Knob { name: LLVM_WORKER, meaning: "path of the worker program we3-llvm", default: "beside we3c" },
    Knob { name: LLVM_TIMEOUT, meaning: "seconds that one LLVM job may take", default: "120" },
    Knob { name: MEMORY_LIMIT, meaning: "bytes that one kernel may allocate", default: "no limit" },
    Knob {
        name: POOL,
        meaning: "bytes of freed memory kept for later results; 0: none",
        default: "an eighth of the memory",
    },
    Knob { name: THREADS, meaning: "threads that one kernel may use", default: "every core" },
    Knob { name: PTXAS, meaning: "path of NVIDIA's assembler", default: "in .venv or on PATH" },
];

fn read(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn read_number(name: &str) -> Option<u64> {
    read(name)?.to_str()?.trim().parse().ok()
}

/// Where things are kept between runs: said, or the system's place for caches; none without a home.
pub fn cache() -> Option<PathBuf> {
    let ours = |folder: OsString| PathBuf::from(folder).join("we3");
    let in_home = || read("HOME").map(|home| PathBuf::from(home).join(".cache").join("we3"));
    read(CACHE).map(PathBuf::from).or_else(|| read("XDG_CACHE_HOME").map(ours)).or_else(in_home)
}

/// Whether code should have line tables where it can.
pub fn debug_info() -> bool {
    read(DEBUG_INFO).is_some_and(|value| value != "0")
}

/// Where the LLVM worker is, if that was said.
pub fn llvm_worker() -> Option<PathBuf> {
    read(LLVM_WORKER).map(PathBuf::from)
}

/// How long an LLVM job may take.
pub fn llvm_timeout() -> Duration {
    Duration::from_secs(read_number(LLVM_TIMEOUT).unwrap_or(120))
}

/// Whether colours are not wanted (no-color.org).
pub fn no_color() -> bool {
    read("NO_COLOR").is_some()
}

/// How much memory a kernel may allocate, if that was limited.
pub fn memory_limit() -> Option<u64> {
    read_number(MEMORY_LIMIT)
}

/// How much freed memory may be kept for later results, if that was said.
pub fn pool() -> Option<u64> {
    read_number(POOL)
}

/// How many threads a kernel may use, if that was limited.
pub fn threads() -> Option<NonZeroUsize> {
    NonZeroUsize::new(usize::try_from(read_number(THREADS)?).ok()?)
}

/// Where `ptxas` is, if that was said.
pub fn ptxas() -> Option<PathBuf> {
    read(PTXAS).map(PathBuf::from)
}

/// The active Python environment.
pub fn python_environment() -> Option<PathBuf> {
    read("VIRTUAL_ENV").map(PathBuf::from)
}

/// The folders in which programs are looked for.
pub fn search_path() -> Vec<PathBuf> {
    read("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}
