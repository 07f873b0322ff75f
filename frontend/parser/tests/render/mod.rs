//! Diagnostics as short text, for snapshots: message, places with the text under them, notes, and
//! for each fix the lines it changes.

use we3_ir::diagnostic::{Diagnostic, Fix, Severity};
use we3_ir::span::Span;

/// All diagnostics of a source.
pub fn render(source: &str, diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|diagnostic| render_one(source, diagnostic)).collect::<Vec<_>>().join("\n")
}

fn render_one(source: &str, diagnostic: &Diagnostic) -> String {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut text = format!("{severity}[{}]: {}\n", diagnostic.code.0, diagnostic.message);
    for label in &diagnostic.labels {
        let mark = if label.primary { "^" } else { "-" };
        let under = source.get(label.span.range()).expect("a span lies on character boundaries");
        text += &format!("  {mark} {} {under:?} {}\n", place(source, label.span), label.message);
    }
    for note in &diagnostic.notes {
        text += &format!("  = {note}\n");
    }
    for fix in &diagnostic.fixes {
        text += &format!("  fix: {}\n{}", fix.message, fixed_lines(source, fix));
    }
    text
}

fn place(source: &str, span: Span) -> String {
    let before = &source[..span.lo as usize];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!("{line}:{column}")
}

/// The source with the fix applied.
pub fn apply(source: &str, fix: &Fix) -> String {
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|(span, _)| span.lo);
    let mut fixed = source.to_owned();
    for (span, new) in edits.iter().rev() {
        fixed.replace_range(span.range(), new);
    }
    fixed
}

fn fixed_lines(source: &str, fix: &Fix) -> String {
    let fixed = apply(source, fix);
    let old: Vec<&str> = source.lines().collect();
    let changed = fixed.lines().filter(|line| !old.contains(line));
    changed.map(|line| format!("    {line}\n")).collect()
}
