//! Lists in brackets: all on one line, or each element on its own with a comma behind the last.

use super::doc::Doc;
use super::tokens::Formatter;

/// The shape of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// `(a, b)`, with a comma behind the last element if broken.
    Tight,
    /// `[a, b]` where no comma may follow.
    TightNoComma,
    /// `[1, 2, 3]`: if broken, as many elements on each line as fit.
    Filled,
    /// `{ a, ..b }` where no comma may follow.
    SpacedNoComma,
    /// `{ a, b }`, with a comma behind the last element if broken.
    Spaced,
}

impl<'s> Formatter<'s> {
    /// A bracketed list. Elements are printed by `element`, in order.
    pub(super) fn list<T>(
        &mut self,
        open: &'static str,
        elements: &[T],
        close: &'static str,
        shape: Shape,
        element: impl FnMut(&mut Self, &T) -> Doc<'s>,
    ) -> Doc<'s> {
        let open = self.token(open);
        if elements.is_empty() {
            return self.empty(open, close);
        }
        self.opened_list(open, elements, close, shape, element)
    }

    /// The rest of a list whose opener was taken.
    pub(super) fn opened_list<T>(
        &mut self,
        open: Doc<'s>,
        elements: &[T],
        close: &'static str,
        shape: Shape,
        element: impl FnMut(&mut Self, &T) -> Doc<'s>,
    ) -> Doc<'s> {
        let spaced = matches!(shape, Shape::Spaced | Shape::SpacedNoComma);
        let edge = || if spaced { Doc::Line } else { Doc::Soft };
        let mut inside = vec![edge()];
        if shape == Shape::Filled {
            self.filled(&mut inside, elements, element);
        } else {
            self.elements(&mut inside, elements, element);
        }
        inside.push(match shape {
            Shape::TightNoComma | Shape::SpacedNoComma => self.no_trailing_comma(),
            Shape::Tight | Shape::Spaced | Shape::Filled => self.trailing_comma(),
        });
        inside.push(self.comments_before_next());
        Doc::group(vec![open, Doc::indent(inside), edge(), self.token(close)])
    }

    fn filled<T>(
        &mut self,
        docs: &mut Vec<Doc<'s>>,
        elements: &[T],
        mut element: impl FnMut(&mut Self, &T) -> Doc<'s>,
    ) {
        for (nth, one) in elements.iter().enumerate() {
            let blank = self.blank_before_next();
            let mut whole = vec![element(self, one)];
            if nth + 1 < elements.len() {
                whole.push(self.token(","));
            }
            if nth == 0 {
                docs.extend(whole);
            } else {
                docs.extend([blank, Doc::fill(whole)]);
            }
        }
    }

    /// A list that never breaks of itself: sizes and generic arguments.
    pub(super) fn flat_list<T>(
        &mut self,
        open: &'static str,
        elements: &[T],
        close: &'static str,
        mut element: impl FnMut(&mut Self, &T) -> Doc<'s>,
    ) -> Doc<'s> {
        let mut inside = vec![self.token(open)];
        for (nth, one) in elements.iter().enumerate() {
            if nth > 0 {
                inside.extend([self.token(","), Doc::Text(" ")]);
            }
            inside.push(element(self, one));
        }
        inside.extend([self.no_trailing_comma(), self.comments_before_next()]);
        Doc::concat(vec![Doc::indent(inside), self.token(close)])
    }

    /// Elements with commas and possible breaks between them.
    pub(super) fn elements<T>(
        &mut self,
        docs: &mut Vec<Doc<'s>>,
        elements: &[T],
        mut element: impl FnMut(&mut Self, &T) -> Doc<'s>,
    ) {
        for (nth, one) in elements.iter().enumerate() {
            if nth > 0 {
                docs.push(self.token(","));
                docs.push(Doc::Line);
                docs.push(self.blank_before_next());
            }
            docs.push(element(self, one));
        }
    }

    /// Brackets with nothing but perhaps comments between them.
    pub(super) fn empty(&mut self, open: Doc<'s>, close: &'static str) -> Doc<'s> {
        let inside = Doc::indent(vec![Doc::Soft, self.comments_before_next()]);
        Doc::group(vec![open, inside, Doc::Soft, self.token(close)])
    }
}
