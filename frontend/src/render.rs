//! Diagnostics as text for people (with or without colour) and as JSON for programs, one object a line.

use codespan_reporting::diagnostic::{Diagnostic as Shown, Label as ShownLabel, Severity as ShownSeverity};
use codespan_reporting::files::{Error as FilesError, Files, line_starts};
use codespan_reporting::term::{self, Config, Styles, StylesWriter, termcolor::Ansi};
use serde_json::{Value, json};
use we3_ir::diagnostic::{Diagnostic, Severity};
use we3_ir::span::{FileId, Span};

use crate::source::SourceMap;

/// All diagnostics as text, in order, each followed by an empty line.
pub fn render_text(sources: &SourceMap, diagnostics: &[Diagnostic], colour: bool) -> String {
    let config = Config { tab_width: 4, ..Config::default() };
    let files = Lines::of(sources);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render_one(&files, &config, &shown(sources, diagnostic), colour));
    }
    text
}

fn render_one(files: &Lines<'_>, config: &Config, shown: &Shown<FileId>, colour: bool) -> String {
    let rendered = if colour {
        let styles = Styles::default();
        let mut buffer = Ansi::new(Vec::new());
        let mut writer = StylesWriter::new(&mut buffer, &styles);
        term::emit_to_write_style(&mut writer, config, files, shown)
            .map(|()| String::from_utf8_lossy(&buffer.into_inner()).into_owned())
    } else {
        term::emit_into_string(config, files, shown)
    };
    // A span that fits no file still deserves its message.
    rendered.unwrap_or_else(|_| {
        let code = shown.code.as_deref().unwrap_or("?");
        format!("[{code}]: {}\n", shown.message)
    })
}

/// One diagnostic as a JSON object on one line; `rendered` holds the text without colour.
pub fn render_json(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    let labels: Vec<Value> = diagnostic
        .labels
        .iter()
        .map(|label| {
            let mut place = place(sources, label.span);
            place["primary"] = json!(label.primary);
            place["label"] = json!(label.message);
            place
        })
        .collect();
    let fixes: Vec<Value> = diagnostic
        .fixes
        .iter()
        .map(|fix| {
            let edits = fix.edits.iter().map(|(span, text)| {
                let mut edit = place(sources, *span);
                edit["text"] = json!(text);
                edit
            });
            json!({ "message": fix.message, "edits": edits.collect::<Vec<_>>() })
        })
        .collect();
    json!({
        "severity": severity_name(diagnostic.severity),
        "code": diagnostic.code.0,
        "message": diagnostic.message,
        "labels": labels,
        "notes": diagnostic.notes,
        "fixes": fixes,
        "rendered": render_text(sources, std::slice::from_ref(diagnostic), false),
    })
    .to_string()
}

/// File, byte range, line and column (both from 1).
fn place(sources: &SourceMap, span: Span) -> Value {
    let (line, column) = sources.line_column(span);
    json!({ "file": sources.name(span.file), "lo": span.lo, "hi": span.hi, "line": line, "column": column })
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn shown(sources: &SourceMap, diagnostic: &Diagnostic) -> Shown<FileId> {
    let severity = match diagnostic.severity {
        Severity::Error => ShownSeverity::Error,
        Severity::Warning => ShownSeverity::Warning,
        Severity::Note => ShownSeverity::Note,
    };
    let labels = diagnostic.labels.iter().map(|label| {
        let range = clamped(sources, label.span);
        let shown = if label.primary {
            ShownLabel::primary(label.span.file, range)
        } else {
            ShownLabel::secondary(label.span.file, range)
        };
        shown.with_message(&label.message)
    });
    let mut notes = diagnostic.notes.clone();
    notes.extend(diagnostic.fixes.iter().map(|fix| format!("help: {}", fix.message)));
    Shown::new(severity)
        .with_code(diagnostic.code.0)
        .with_message(&diagnostic.message)
        .with_labels(labels.collect())
        .with_notes(notes)
}

/// The bytes of a span, moved inside its file and onto character boundaries.
fn clamped(sources: &SourceMap, span: Span) -> std::ops::Range<usize> {
    let text = sources.text(span.file);
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let lo = floor(span.lo as usize);
    lo..floor(span.hi as usize).max(lo)
}

/// The files with the starts of their lines.
struct Lines<'a> {
    sources: &'a SourceMap,
    starts: Vec<Vec<usize>>,
}

impl<'a> Lines<'a> {
    fn of(sources: &'a SourceMap) -> Lines<'a> {
        let starts = sources.files().iter().map(|file| line_starts(&file.text).collect()).collect();
        Lines { sources, starts }
    }

    fn starts(&self, id: FileId) -> Result<&[usize], FilesError> {
        self.starts.get(id.0 as usize).map(Vec::as_slice).ok_or(FilesError::FileMissing)
    }
}

impl<'a> Files<'a> for Lines<'_> {
    type FileId = FileId;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, id: FileId) -> Result<&'a str, FilesError> {
        Ok(self.sources.name(id))
    }

    fn source(&'a self, id: FileId) -> Result<&'a str, FilesError> {
        self.starts(id)?;
        Ok(self.sources.text(id))
    }

    fn line_index(&'a self, id: FileId, byte_index: usize) -> Result<usize, FilesError> {
        Ok(self.starts(id)?.partition_point(|start| *start <= byte_index).saturating_sub(1))
    }

    fn line_range(&'a self, id: FileId, line: usize) -> Result<std::ops::Range<usize>, FilesError> {
        let starts = self.starts(id)?;
        let start = *starts.get(line).ok_or(FilesError::LineTooLarge { given: line, max: starts.len() })?;
        let end = starts.get(line + 1).copied().unwrap_or(self.sources.text(id).len());
        Ok(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceText;
    use we3_ir::diagnostic::Code;

    fn sample() -> (SourceMap, Diagnostic) {
        let mut sources = SourceMap::default();
        let text = "pub fn f(x: f32[n]) -> f32 = y;\n";
        let file = sources.add(SourceText { name: "a.we3".into(), text: text.into() });
        let diagnostic = Diagnostic::error(Code("E0100"), Span::new(file, 29, 30), "there is no `y` here")
            .with_here("not found")
            .with_label(Span::new(file, 9, 10), "`x` is near")
            .with_note("names are case-sensitive")
            .with_fix("write `x`", Span::new(file, 29, 30), "x");
        (sources, diagnostic)
    }

    #[test]
    fn text_shows_place_labels_notes_and_fix() {
        let (sources, diagnostic) = sample();
        let text = render_text(&sources, &[diagnostic], false);
        for part in [
            "error[E0100]: there is no `y` here",
            "a.we3:1:30",
            "not found",
            "`x` is near",
            "help: write `x`",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(!text.contains('\u{1b}'), "no colour was asked for");
    }

    #[test]
    fn colour_is_on_request() {
        let (sources, diagnostic) = sample();
        assert!(render_text(&sources, &[diagnostic], true).contains('\u{1b}'));
    }

    #[test]
    fn json_is_one_line_with_places() {
        let (sources, diagnostic) = sample();
        let line = render_json(&sources, &diagnostic);
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["labels"][0]["column"], 30);
        assert_eq!(value["fixes"][0]["edits"][0]["text"], "x");
    }

    #[test]
    fn spans_outside_the_text_are_moved_inside() {
        let (sources, mut diagnostic) = sample();
        diagnostic.labels[0].span = Span::new(FileId(0), 900, 1000);
        diagnostic.labels[1].span = Span::new(FileId(7), 0, 1);
        assert!(render_text(&sources, &[diagnostic], false).contains("E0100"));
    }
}
