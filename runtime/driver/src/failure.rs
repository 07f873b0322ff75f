//! Why something did not work: the three kinds of errors (the user's, our limit, our bug), and the two
//! ways a kernel ends outside them (memory, steps).

use we3_backend_api::Unsupported;
use we3_frontend::check::suggest::closest;
use we3_ir::diagnostic::Diagnostic;

/// Why there is no result.
#[derive(Clone, PartialEq, Debug)]
pub enum Failure {
    /// What the user's program or a check in it says.
    Diagnostics(Vec<Diagnostic>),
    /// The command or its arguments do not fit: one line.
    Usage(String),
    /// A limit of ours, with what would work.
    Unsupported(Unsupported),
    /// More memory than there is or is allowed.
    OutOfMemory,
    /// More steps than the budget.
    TooManySteps,
    /// Something this backend needs is not installed or broke; another backend may work.
    Unavailable(String),
    /// A bug of ours: what happened, and IR to reproduce it if there is some.
    Bug {
        /// One line.
        what: String,
        /// Text of the IR at hand.
        ir: Option<String>,
    },
}

impl Failure {
    /// A bug without IR.
    pub fn bug(what: impl Into<String>) -> Failure {
        Failure::Bug { what: what.into(), ir: None }
    }

    /// A name that is not among the known ones: the closest, or all of them.
    pub fn unknown(kind: &str, name: &str, known: &[&str]) -> Failure {
        Failure::Usage(match closest(name, known.iter().copied()) {
            Some(close) => format!("there is no {kind} `{name}`; did you mean `{close}`?"),
            None => format!("there is no {kind} `{name}`; there are {}", known.join(", ")),
        })
    }

    /// One line that names the failure, the same on every backend: suites compare it.
    pub fn summary(&self) -> String {
        match self {
            Failure::Diagnostics(diagnostics) => match diagnostics.first() {
                Some(first) => first.message.clone(),
                None => String::from("errors"),
            },
            Failure::Usage(message) | Failure::Unavailable(message) => message.clone(),
            Failure::Unsupported(limit) => format!("not supported: {limit}"),
            Failure::OutOfMemory => String::from("out of memory"),
            Failure::TooManySteps => String::from("too many steps"),
            Failure::Bug { what, .. } => format!("bug in we3: {what}"),
        }
    }
}

impl From<Unsupported> for Failure {
    fn from(limit: Unsupported) -> Failure {
        Failure::Unsupported(limit)
    }
}
