//! Sites: what a failed check has to say. Artifacts hold only site numbers; the driver keeps this table.

use we3_ir::diagnostic::{Code, Diagnostic};
use we3_ir::span::Span;

/// The number of a site in `Program::sites`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SiteId(pub u32);

/// A place where a kernel may stop.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    /// What failed there.
    pub span: Span,
    /// How.
    pub kind: SiteKind,
}

/// The ways to fail. The notes a `check` carries are named behind each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SiteKind {
    /// A subscript outside its axis. Notes: index, size.
    Bounds,
    /// A slice outside its axis. Notes: lo, hi, size.
    SliceBounds,
    /// Two sizes that should be equal. Notes: left, right.
    SizeMismatch {
        /// The left size as written.
        left: String,
        /// Where it came from.
        left_span: Span,
        /// The right size as written.
        right: String,
        /// Where it came from.
        right_span: Span,
    },
    /// A size that should be a multiple, as in `T[2 * n]`. Notes: size, factor.
    SizeNotMultiple,
    /// A size below zero, or beyond 2⁴⁷. Notes: size.
    BadSize,
    /// Integer division or remainder by zero.
    DivisionByZero,
    /// A failed `assert`.
    Assert {
        /// Its message.
        message: Option<String>,
    },
    /// `min`, `max`, `argmin` or `argmax` of nothing.
    EmptyReduction {
        /// Which one.
        name: String,
    },
    /// A range's step that is not positive. Notes: step.
    BadStep,
    /// `reshape` to another number of elements. Notes: old count, new count.
    ReshapeCount,
}

impl Site {
    /// What to tell the user, given the notes of the failed check (missing ones are left out).
    pub fn diagnostic(&self, notes: &[i64]) -> Diagnostic {
        let note = |index: usize| notes.get(index).map_or("?".to_owned(), i64::to_string);
        let error = |code, message| Diagnostic::error(Code(code), self.span, message);
        match &self.kind {
            SiteKind::Bounds => {
                let message = format!("index {} is out of range for an axis of size {}", note(0), note(1));
                let error = error("E0901", message);
                match notes.first() {
                    Some(index) if *index < 0 => {
                        error.with_note("negative indices do not count from the end: write `x[len(x) - 1]`")
                    }
                    _ => error,
                }
            }
            SiteKind::SliceBounds => error(
                "E0902",
                format!("slice {}..{} is out of range for an axis of size {}", note(0), note(1), note(2)),
            ),
            SiteKind::SizeMismatch { left, left_span, right, right_span } => {
                error("E0903", format!("sizes differ: {} is not {}", note(0), note(1)))
                    .with_label(*left_span, format!("`{left}` is {} here", note(0)))
                    .with_label(*right_span, format!("`{right}` is {} here", note(1)))
            }
            SiteKind::SizeNotMultiple => {
                error("E0904", format!("size {} is not a multiple of {}", note(0), note(1)))
            }
            SiteKind::BadSize => error("E0905", format!("{} cannot be a size", note(0)))
                .with_note("a size is at least 0, and an array has at most 2^47 bytes"),
            SiteKind::DivisionByZero => error("E0906", "integer division by zero".to_owned()),
            SiteKind::Assert { message } => error(
                "E0907",
                message
                    .as_ref()
                    .map_or("assertion failed".to_owned(), |text| format!("assertion failed: {text}")),
            ),
            SiteKind::EmptyReduction { name } => error("E0908", format!("`{name}` of nothing"))
                .with_note(format!("write `{name}(init = v, …)` to allow an empty range")),
            SiteKind::BadStep => error("E0909", format!("a step must be positive, this one is {}", note(0))),
            SiteKind::ReshapeCount => {
                error("E0910", format!("cannot reshape {} elements into {}", note(0), note(1)))
            }
        }
    }
}

/// What is said when a run meets an array that is too large although each of its axes is a size.
pub fn too_large(function: Span, name: &str) -> Diagnostic {
    let message = format!("an array in `{name}` would have more than 2^47 bytes");
    Diagnostic::error(Code("E0905"), function, message)
        .with_note("each of its axes can be a size; what their product needs, no machine has")
}
