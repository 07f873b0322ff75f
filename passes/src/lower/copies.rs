//! Which copies of whole arrays lowering could not avoid, for `we3c check -W copies`.

use we3_ir::span::Span;
use we3_ir::{Module, Value};

use super::state::Lower;
use crate::manager::PassContext;

/// Why an array had to be copied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum CopyReason {
    /// It belongs to the host, or to code around the loop or element that changes it.
    Borrowed,
    /// Its old value is needed afterwards.
    NeededLater,
}

/// A copy of a whole array.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CopyNote {
    /// The entry.
    pub func: String,
    /// The operation that needs an array of its own.
    pub span: Span,
    /// Why.
    pub reason: CopyReason,
}

/// The copies that lowering this array-level module makes, in order of their places. Give it what the
/// pipeline gives to `lower`.
pub fn copies(module: &Module, ctx: &PassContext) -> Vec<CopyNote> {
    let mut notes = Vec::new();
    for (_, func) in &module.funcs {
        let copies = super::lower_func(func, ctx).copies;
        let note = |(span, reason)| CopyNote { func: func.name.clone(), span, reason };
        notes.extend(copies.into_iter().map(note));
    }
    notes.sort();
    notes.dedup();
    notes
}

impl Lower<'_> {
    /// Notes that the current operation copies an array.
    pub(super) fn note_copy(&mut self, source: Value) {
        let later = self.used_after(self.array(source).root);
        let reason = if later { CopyReason::NeededLater } else { CopyReason::Borrowed };
        self.copies.push((self.b.span, reason));
    }
}
