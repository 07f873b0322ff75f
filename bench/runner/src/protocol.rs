//! What is said between the benchmark driver and this program, as data.

use serde::{Deserialize, Serialize};

/// A line of input.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Compile an entry and read its arguments; the first request.
    Load(Load),
    /// Call it this many times, dropping each result.
    Run {
        /// Number of calls.
        calls: u64,
        /// Where results go.
        #[serde(default)]
        results: Results,
    },
    /// Call it once and write the arrays and scalars of the result, in order, to raw files
    /// `folder/0`, `folder/1`, ….
    Save {
        /// An existing folder.
        folder: String,
        /// Where results go.
        #[serde(default)]
        results: Results,
    },
}

/// Where the result of a call goes.
#[derive(Deserialize, Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Results {
    /// Into memory that the call asks for; it is given back before the next.
    #[default]
    Fresh,
    /// Into arrays that an earlier call left (`out=`).
    Out,
}

/// What to load.
#[derive(Deserialize, Debug)]
pub struct Load {
    /// The root module.
    pub file: String,
    /// The entry.
    pub entry: String,
    /// `interp`, `cranelift` or `llvm`.
    pub backend: String,
    /// Its arguments.
    pub args: Vec<Argument>,
}

/// An argument.
#[derive(Deserialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Argument {
    /// A scalar as the command line writes it.
    Text(String),
    /// An array: raw elements, row-major, in C layout.
    Raw {
        /// The file with the bytes.
        path: String,
        /// The axis sizes.
        sizes: Vec<u64>,
    },
}

/// A line of output.
#[derive(Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The kernel is ready.
    Loaded(Loaded),
    /// The calls are done.
    Ran(Ran),
    /// What was written.
    Saved(Vec<Saved>),
    /// It did not work.
    Failed(String),
}

/// How long it took to get ready.
#[derive(Serialize, Debug, Clone, Copy)]
pub struct Loaded {
    /// Source text to typed program.
    pub check_ms: f64,
    /// Typed program to loaded machine code, the LLVM worker's start included.
    pub build_ms: f64,
}

/// Time of all calls together.
#[derive(Serialize, Debug, Clone, Copy)]
pub struct Ran {
    /// By the clock.
    pub wall_ns: u64,
    /// Of all threads of this process.
    pub cpu_ns: u64,
}

/// An array or scalar of a result.
#[derive(Serialize, Debug)]
pub struct Saved {
    /// The type of an element.
    pub elem: String,
    /// The axis sizes; none for a scalar.
    pub sizes: Vec<u64>,
}
