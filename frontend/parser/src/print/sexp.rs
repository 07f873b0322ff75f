//! Nested lists and their layout: a list that fits stands on one line, else each part on its own.

const WIDTH: usize = 100;

/// An atom or a list.
pub(super) enum Sexp {
    Atom(String),
    List(Vec<Sexp>),
}

impl Sexp {
    pub(super) fn atom(text: impl Into<String>) -> Sexp {
        Sexp::Atom(text.into())
    }

    /// A list with its head.
    pub(super) fn list(head: &str, parts: impl IntoIterator<Item = Sexp>) -> Sexp {
        Sexp::List(std::iter::once(Sexp::atom(head)).chain(parts).collect())
    }

    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(0, &mut text);
        text
    }

    /// The width on one line, or `None` if that is more than `room`.
    fn width(&self, room: usize) -> Option<usize> {
        match self {
            Sexp::Atom(text) => Some(text.len()).filter(|width| *width <= room),
            Sexp::List(parts) => {
                let mut width = 1;
                for part in parts {
                    width += part.width(room.checked_sub(width)?)? + 1;
                }
                Some(width.max(2)).filter(|width| *width <= room)
            }
        }
    }

    fn write(&self, indent: usize, text: &mut String) {
        match self {
            Sexp::Atom(atom) => text.push_str(atom),
            Sexp::List(parts) => {
                let fits = self.width(WIDTH.saturating_sub(indent)).is_some();
                // Very deep trees go on in the same column, to keep the text in proportion.
                let inner = (indent + 2).min(WIDTH);
                text.push('(');
                for (nth, part) in parts.iter().enumerate() {
                    if nth > 0 && fits {
                        text.push(' ');
                    } else if nth > 0 {
                        text.push('\n');
                        text.extend(std::iter::repeat_n(' ', inner));
                    }
                    part.write(inner, text);
                }
                text.push(')');
            }
        }
    }
}
