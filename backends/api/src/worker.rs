//! The messages between a driver and the worker program `we3-llvm`: one JSON value per line each way
//! (object bytes travel as a hex string), so that a log of them can be read and replayed.

use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Options, Unsupported};
use crate::target::Target;

/// A job.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Loop IR as text.
    pub module: String,
    /// For which machine.
    pub target: Target,
    /// How.
    pub options: Options,
    /// The same program for better processors, the best last: one object holds all, and the code for the
    /// processor it runs on is chosen when it is called.
    pub versions: Vec<Version>,
}

/// A program for another processor.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Version {
    /// Loop IR as text.
    pub module: String,
    /// For which machine.
    pub target: Target,
}

/// The answer to one job.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Response {
    /// Compiled.
    Done(Artifact),
    /// A limit of the backend.
    Unsupported(Unsupported),
    /// The text did not parse or verify, or the worker broke: a bug of ours.
    Bug(String),
}
