//! What has to hold for every text, as one function for fuzzers and property tests. It panics if
//! something does not hold; nothing else may call it.

use crate::print::{print_ast, print_tokens};
use crate::{format_module, parse_module};
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::{FileId, Span};

/// Parses, prints and formats a text and checks what must hold for all of them: spans cut no
/// character, error nodes have complaints, and formatting keeps the tree and is idempotent.
/// Returns the complaints.
///
/// # Panics
/// If one of these does not hold.
pub fn check(source: &str) -> Vec<Diagnostic> {
    let (module, diagnostics) = parse_module(FileId(0), source);
    print_tokens(source);
    let tree = print_ast(&module);
    for span in diagnostics.iter().flat_map(spans) {
        assert!(source.get(span.range()).is_some(), "{span:?} cuts a character in {source:?}");
    }
    let broken = diagnostics.iter().any(Diagnostic::is_error);
    assert!(broken || !tree.contains("<error"), "an error node without a complaint in {source:?}");
    if let Ok(formatted) = format_module(source) {
        let (module, found) = parse_module(FileId(0), &formatted);
        assert!(
            !found.iter().any(Diagnostic::is_error),
            "{source:?} was formatted to {formatted:?}: {found:?}"
        );
        assert_eq!(print_ast(&module), tree, "{source:?} was formatted to {formatted:?}");
        assert_eq!(format_module(&formatted).as_ref(), Ok(&formatted), "{source:?} is not settled");
    }
    diagnostics
}

fn spans(diagnostic: &Diagnostic) -> impl Iterator<Item = Span> {
    let labels = diagnostic.labels.iter().map(|label| label.span);
    labels.chain(diagnostic.fixes.iter().flat_map(|fix| &fix.edits).map(|(span, _)| *span))
}
