//! What we tell the user: a message with a code, labelled spans, notes and fixes, as plain data.
//! Rendering lives in the frontend; this file knows no text of any source.

use crate::span::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is compiled.
    Error,
    /// Compiled, but look at it.
    Warning,
    /// Information that was asked for.
    Note,
}

/// A diagnostic's stable name, such as `E0012`; `we3c explain` teaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

/// A span with something to say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there; may be empty.
    pub message: String,
    /// Whether this is the place the diagnostic is about.
    pub primary: bool,
}

/// A change to the source that would likely help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, as an imperative: "write `x[2..4]`".
    pub message: String,
    /// Replacements; an empty span inserts.
    pub edits: Vec<(Span, String)>,
}

/// One thing to tell the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Which kind it is.
    pub code: Code,
    /// One line, lower case, no full stop.
    pub message: String,
    /// The places it is about, primary first.
    pub labels: Vec<Label>,
    /// Further lines of explanation.
    pub notes: Vec<String>,
    /// Changes that would likely help.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// An error with its primary place.
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, span, message)
    }

    /// A warning with its primary place.
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, span, message)
    }

    /// A note with its primary place.
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Severity::Note, code, span, message)
    }

    /// A diagnostic whose one label is primary and still silent.
    pub fn new(severity: Severity, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        let label = Label { span, message: String::new(), primary: true };
        Diagnostic {
            severity,
            code,
            message: message.into(),
            labels: vec![label],
            notes: vec![],
            fixes: vec![],
        }
    }

    /// Says something at the primary place.
    #[must_use]
    pub fn with_here(mut self, message: impl Into<String>) -> Diagnostic {
        if let Some(label) = self.labels.iter_mut().find(|label| label.primary) {
            label.message = message.into();
        }
        self
    }

    /// Points at one more place.
    #[must_use]
    pub fn with_label(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into(), primary: false });
        self
    }

    /// Adds a line of explanation.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// Suggests to replace `span` with `text`.
    #[must_use]
    pub fn with_fix(self, message: impl Into<String>, span: Span, text: impl Into<String>) -> Diagnostic {
        self.with_edits(message, vec![(span, text.into())])
    }

    /// Suggests a change made of several edits.
    #[must_use]
    pub fn with_edits(mut self, message: impl Into<String>, edits: Vec<(Span, String)>) -> Diagnostic {
        self.fixes.push(Fix { message: message.into(), edits });
        self
    }

    /// Whether it stops compilation.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The place it is about.
    pub fn primary_span(&self) -> Span {
        self.labels.iter().find(|label| label.primary).map_or(Span::default(), |label| label.span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::FileId;

    #[test]
    fn a_builder_chain_keeps_the_primary_place_first() {
        let span = Span::new(FileId(0), 3, 5);
        let built = Diagnostic::error(Code("E0001"), span, "odd")
            .with_here("here")
            .with_label(span.end(), "there")
            .with_note("because")
            .with_fix("write `x`", span, "x");
        assert_eq!(built.primary_span(), span);
        assert_eq!(built.labels[0].message, "here");
        assert!(built.is_error() && !built.labels[1].primary && built.fixes.len() == 1);
    }
}
