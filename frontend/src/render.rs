//! Diagnostics as text for people (with or without colour) and as JSON for programs, one object a line.

use std::collections::BTreeMap;

use codespan_reporting::diagnostic::{Diagnostic as Shown, Label as ShownLabel, Severity as ShownSeverity};
use codespan_reporting::files::{Error as FilesError, Files, line_starts};
use codespan_reporting::term::{self, Config, Styles, StylesWriter, termcolor::Ansi};
use serde_json::{Value, json};
use we3_ir::diagnostic::{Diagnostic, Severity};
use we3_ir::span::{FileId, Span};

mod cut;

use cut::{CutText, clamped, cut_texts};

use crate::source::SourceMap;

/// All diagnostics as text, in order, each followed by an empty line.
pub fn render_text(sources: &SourceMap, diagnostics: &[Diagnostic], colour: bool) -> String {
    let config = Config { tab_width: 4, ..Config::default() };
    let mut files = Lines::of(sources);
    let mut text = String::new();
    for diagnostic in diagnostics {
        let shown = files.show(diagnostic);
        text.push_str(&render_one(&files, &config, &shown, colour));
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

fn shown(diagnostic: &Diagnostic, ranges: Vec<std::ops::Range<usize>>) -> Shown<FileId> {
    let severity = match diagnostic.severity {
        Severity::Error => ShownSeverity::Error,
        Severity::Warning => ShownSeverity::Warning,
        Severity::Note => ShownSeverity::Note,
    };
    let labels = diagnostic.labels.iter().zip(ranges).map(|(label, range)| {
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

/// The files with the starts of their lines; for the present diagnostic, those with long lines are cut.
struct Lines<'a> {
    sources: &'a SourceMap,
    starts: Vec<Vec<usize>>,
    cut: BTreeMap<FileId, (CutText, Vec<usize>)>,
}

impl<'a> Lines<'a> {
    fn of(sources: &'a SourceMap) -> Lines<'a> {
        let starts = sources.files().iter().map(|file| line_starts(&file.text).collect()).collect();
        Lines { sources, starts, cut: BTreeMap::new() }
    }

    /// A diagnostic as it is shown, over the texts that are shown.
    fn show(&mut self, diagnostic: &Diagnostic) -> Shown<FileId> {
        let labels: Vec<_> = diagnostic
            .labels
            .iter()
            .map(|label| (label.span.file, clamped(self.sources, label.span)))
            .collect();
        let cut = cut_texts(self.sources, &labels).into_iter();
        self.cut = cut
            .map(|(file, cut)| {
                let starts = line_starts(&cut.text).collect();
                (file, (cut, starts))
            })
            .collect();
        let ranges = labels.into_iter().map(|(file, range)| match self.cut.get(&file) {
            Some((cut, _)) => cut.shown(range.start)..cut.shown(range.end),
            None => range,
        });
        shown(diagnostic, ranges.collect())
    }

    fn starts(&self, id: FileId) -> Result<&[usize], FilesError> {
        match self.cut.get(&id) {
            Some((_, starts)) => Ok(starts),
            None => self.starts.get(id.0 as usize).map(Vec::as_slice).ok_or(FilesError::FileMissing),
        }
    }

    fn text(&self, id: FileId) -> &str {
        self.cut.get(&id).map_or_else(|| self.sources.text(id), |(cut, _)| &cut.text)
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
        Ok(self.text(id))
    }

    fn line_index(&'a self, id: FileId, byte_index: usize) -> Result<usize, FilesError> {
        Ok(self.starts(id)?.partition_point(|start| *start <= byte_index).saturating_sub(1))
    }

    /// The column in the real line, from 1.
    fn column_number(&'a self, id: FileId, line: usize, byte_index: usize) -> Result<usize, FilesError> {
        let at = self.cut.get(&id).map_or(byte_index, |(cut, _)| cut.real(byte_index));
        let start = self.starts.get(id.0 as usize).and_then(|starts| starts.get(line)).copied();
        let before = start.and_then(|start| self.sources.text(id).get(start..at));
        Ok(before.map_or(0, |before| before.chars().count()) + 1)
    }

    fn line_range(&'a self, id: FileId, line: usize) -> Result<std::ops::Range<usize>, FilesError> {
        let starts = self.starts(id)?;
        let start = *starts.get(line).ok_or(FilesError::LineTooLarge { given: line, max: starts.len() })?;
        let end = starts.get(line + 1).copied().unwrap_or(self.text(id).len());
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

    /// A line of many terms, with an error far inside and another label at its end.
    fn long_line() -> (SourceMap, Diagnostic, u32) {
        let mut sources = SourceMap::default();
        let terms = "ä + ".repeat(400);
        let text = format!("// first\npub fn f() -> f64 = {terms}wrong + {terms}1.0; // end\n");
        let at = text.find("wrong").unwrap() as u32;
        let end = text.find("1.0").unwrap() as u32;
        let file = sources.add(SourceText { name: "a.we3".into(), text });
        let diagnostic =
            Diagnostic::error(Code("E0100"), Span::new(file, at, at + 5), "there is no `wrong` here")
                .with_label(Span::new(file, end, end + 3), "the last one");
        (sources, diagnostic, at)
    }

    #[test]
    fn long_lines_are_cut_around_the_labels() {
        let (sources, diagnostic, _) = long_line();
        let text = render_text(&sources, &[diagnostic], false);
        let line = text.lines().find(|line| line.contains("wrong +")).unwrap();
        assert!(line.chars().count() < 200, "{line}");
        for part in ["2 │ …", "ä + wrong + ä", "ä…ä", "1.0; // end"] {
            assert!(line.contains(part), "{part} is missing in\n{text}");
        }
        // 4 characters a term, 20 before the first.
        assert!(text.contains("a.we3:2:1621"), "the true column is missing in\n{text}");
        let under = text.lines().find(|line| line.contains("^^^^^")).unwrap();
        let column = |line: &str, part: &str| line.split(part).next().map(|before| before.chars().count());
        assert_eq!(column(line, "wrong"), column(under, "^^^^^"), "{text}");
    }

    #[test]
    fn json_keeps_the_true_span_of_a_long_line() {
        let (sources, diagnostic, at) = long_line();
        let value: Value = serde_json::from_str(&render_json(&sources, &diagnostic)).unwrap();
        assert_eq!(value["labels"][0]["lo"], at);
        assert_eq!(value["labels"][0]["column"], 1621);
        assert!(value["rendered"].as_str().unwrap().len() < 1000);
    }

    #[test]
    fn an_error_that_spans_a_long_line_shows_both_ends() {
        let mut sources = SourceMap::default();
        let text = format!("[{}]\n{}\nend", "1, ".repeat(500), "2, ".repeat(500));
        let file = sources.add(SourceText { name: "a.we3".into(), text: text.clone() });
        for (lo, hi) in [(0, 1502), (0, text.len()), (3, 3), (1600, 3003), (1501, 1504)] {
            let span = Span::new(file, lo as u32, hi as u32);
            let text = render_text(&sources, &[Diagnostic::error(Code("E0100"), span, "here")], false);
            assert!(text.len() < 1500, "{text}");
        }
    }

    #[test]
    fn spans_outside_the_text_are_moved_inside() {
        let (sources, mut diagnostic) = sample();
        diagnostic.labels[0].span = Span::new(FileId(0), 900, 1000);
        diagnostic.labels[1].span = Span::new(FileId(7), 0, 1);
        assert!(render_text(&sources, &[diagnostic], false).contains("E0100"));
    }
}
