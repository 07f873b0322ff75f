//! What goes in and out: values of the host, limits, and why a run stopped.

use we3_ir::Scalar;

/// A dense, row-major array: little-endian elements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunArray {
    /// The element type.
    pub elem: Scalar,
    /// One size per axis. (Loop level: of a result, the one number of elements; of an argument, ignored.)
    pub sizes: Vec<i64>,
    /// The elements.
    pub data: Vec<u8>,
}

/// An argument or a result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunValue {
    /// The bits of a scalar, zero-extended.
    Scalar(u64),
    /// An array.
    Array(RunArray),
}

/// An argument of an entry.
pub type ArgValue = RunValue;
/// A result of an entry.
pub type ResultValue = RunValue;

/// What a run may use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Operations executed, about.
    pub steps: u64,
    /// Bytes of arrays alive at one time.
    pub bytes: u64,
    /// Runs iterations that may run in any order from the last to the first, to find those that may not.
    pub backwards: bool,
}

impl Default for Limits {
    /// No limit on steps, 8 GiB.
    fn default() -> Limits {
        Limits { steps: u64::MAX, bytes: 8 << 30, backwards: false }
    }
}

/// Why a run ended without results.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// A `check` failed.
    Check {
        /// Its site number.
        site: u32,
        /// The values for its message.
        notes: Vec<(Scalar, u64)>,
    },
    /// More memory than the limit or the machine has (calls nested too deep count as memory).
    OutOfMemory,
    /// An array of more than 2^47 bytes.
    TooLarge,
    /// More steps than the limit.
    StepLimit,
    /// A bug of ours, or arguments that do not fit the entry: a subscript out of range, a use of freed memory.
    Broken(String),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Check { site, .. } => write!(formatter, "check {site} failed"),
            Stop::OutOfMemory => formatter.write_str("out of memory"),
            Stop::TooLarge => formatter.write_str("an array is too large"),
            Stop::StepLimit => formatter.write_str("step limit reached"),
            Stop::Broken(message) => write!(formatter, "broken: {message}"),
        }
    }
}

impl std::error::Error for Stop {}

/// The result of anything that runs; boxed, so that the common case stays small.
pub(crate) type Run<T> = Result<T, Box<Stop>>;

/// A bug of ours, in words.
pub(crate) fn broken<T>(message: impl Into<String>) -> Run<T> {
    Err(Box::new(Stop::Broken(message.into())))
}
