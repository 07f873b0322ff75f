//! The constructors the grammar calls: spans from byte positions, nodes from parts.
//! A node deeper than `MAX_DEPTH` becomes an error node here, so that no tree is too deep to walk.

mod exprs;
mod items;
mod stmts;

pub(crate) use items::{Head, Lead};
pub(crate) use stmts::Piece;

use crate::ast::{Name, StrLit};
use crate::literal;
use crate::messages;
use std::cell::{Cell, RefCell};
use we3_ir::diagnostic::Diagnostic;
use we3_ir::span::{FileId, Span};

/// What the actions need: the text under the tokens and a place to put complaints.
pub(crate) struct Builder<'s> {
    file: FileId,
    source: &'s str,
    diagnostics: RefCell<Vec<Diagnostic>>,
    too_deep: Cell<bool>,
}

impl<'s> Builder<'s> {
    pub(crate) fn new(file: FileId, source: &'s str) -> Builder<'s> {
        Builder { file, source, diagnostics: RefCell::default(), too_deep: Cell::new(false) }
    }

    /// What the actions complained about.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics.into_inner()
    }

    pub(crate) fn span(&self, lo: u32, hi: u32) -> Span {
        Span::new(self.file, lo, hi)
    }

    fn text(&self, lo: u32, hi: u32) -> &'s str {
        self.source.get(lo as usize..hi as usize).unwrap_or("")
    }

    fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Whether a node of this depth may stand; the first that may not is reported.
    fn allows_depth(&self, depth: u32, span: Span) -> bool {
        if depth <= crate::ast::MAX_DEPTH {
            return true;
        }
        if !self.too_deep.replace(true) {
            self.report(messages::nested_too_deep(span));
        }
        false
    }

    pub(crate) fn push<T>(&self, mut list: Vec<T>, item: T) -> Vec<T> {
        list.push(item);
        list
    }

    pub(crate) fn prepend<T>(&self, item: T, mut list: Vec<T>) -> Vec<T> {
        list.insert(0, item);
        list
    }

    pub(crate) fn name(&self, lo: u32, hi: u32) -> Name {
        Name { text: self.text(lo, hi).to_owned(), span: self.span(lo, hi) }
    }

    pub(crate) fn string(&self, lo: u32, hi: u32) -> StrLit {
        StrLit { text: literal::unescape(self.text(lo, hi)), span: self.span(lo, hi) }
    }
}
