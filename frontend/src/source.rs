//! Where source text comes from, and the table of files that spans point into. Opens no files itself.

use we3_ir::span::{FileId, Span};

/// Finds the text of a module. The driver implements it over a folder and the standard library.
pub trait SourceProvider: Sync {
    /// The module with this path (`["std", "linalg"]`); the empty path is the root. `None`: there is none.
    fn load(&self, path: &[String]) -> Option<SourceText>;

    /// The modules that every program can import: where a name that is missing is looked for.
    fn library(&self) -> Vec<Vec<String>> {
        Vec::new()
    }
}

/// A text and what to call it.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// The name shown in diagnostics.
    pub name: String,
    /// The text.
    pub text: String,
}

/// The files of one run; a `FileId` is an index.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceText>,
}

impl SourceMap {
    /// Adds a file.
    pub fn add(&mut self, source: SourceText) -> FileId {
        let id = FileId(self.files.len() as u32);
        self.files.push(source);
        id
    }

    /// A file's name.
    pub fn name(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("?", |file| file.name.as_str())
    }

    /// A file's text.
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |file| file.text.as_str())
    }

    /// All files in order.
    pub fn files(&self) -> &[SourceText] {
        &self.files
    }

    /// The text a span covers.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.file).get(span.range()).unwrap_or("")
    }

    /// Line and column, both from 1, of a span's start.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let text = self.text(span.file);
        let before = text.get(..(span.lo as usize).min(text.len())).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        (line, column)
    }
}
