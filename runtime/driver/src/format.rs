//! Formatting of one source, with its complaints rendered where it does not parse.

use we3_frontend::render::{render_json, render_text};
use we3_frontend::source::{SourceMap, SourceText};
use we3_ir::diagnostic::Diagnostic;
use we3_parser::format_module;

/// Why a source cannot be formatted.
#[derive(Clone, Debug)]
pub struct Unparsable {
    sources: SourceMap,
    diagnostics: Vec<Diagnostic>,
}

impl Unparsable {
    /// As text for a person.
    pub fn render(&self, colored: bool) -> String {
        render_text(&self.sources, &self.diagnostics, colored)
    }

    /// As JSON, one object a line.
    pub fn render_json(&self) -> String {
        let lines = self.diagnostics.iter().map(|diagnostic| render_json(&self.sources, diagnostic));
        lines.map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// The formatted source.
pub fn format_source(name: &str, text: &str) -> Result<String, Unparsable> {
    format_module(text).map_err(|diagnostics| {
        let mut sources = SourceMap::default();
        sources.add(SourceText { name: name.to_owned(), text: text.to_owned() });
        Unparsable { sources, diagnostics }
    })
}
