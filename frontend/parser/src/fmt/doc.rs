//! Layout: a document of texts, possible line breaks and groups. A group stands on one line if it
//! fits there and holds nothing that needs several; otherwise all its own breaks are taken.

/// A piece of a document.
#[derive(Debug)]
pub(super) enum Doc<'s> {
    Nil,
    Text(&'s str),
    /// A space, or a new line if the group breaks.
    Line,
    /// Nothing, or a new line if the group breaks.
    Soft,
    /// A new line.
    Hard,
    /// Makes the next new line leave one line blank.
    Blank,
    /// A comment on a line of its own.
    Comment(&'s str),
    /// A comment that ends the line.
    Suffix(&'s str),
    /// A text that stands only if the group breaks.
    IfBroken(&'s str),
    Concat(Vec<Doc<'s>>, Needs),
    Group(Box<Doc<'s>>, Needs),
    Indent(Box<Doc<'s>>, Needs),
    /// A space, or a new line if what is inside does not fit; then what is inside.
    Fill(Box<Doc<'s>>, Needs),
    /// What stands behind `=`.
    Rhs(Box<Doc<'s>>, RhsStyle, Needs),
}

/// Where the right side of `=` goes if it does not fit behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RhsStyle {
    /// It starts behind `=` and breaks inside: blocks.
    Block,
    /// On the next line if it fits there; else it starts behind `=` and breaks inside.
    Delimited,
    /// On the next line.
    Next,
}

/// What a document asks of the group around it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    /// It cannot stand on one line.
    lines: bool,
    /// It ends in a comment, so that a new line has to follow.
    newline_after: bool,
}

impl<'s> Doc<'s> {
    fn needs(&self) -> Needs {
        match self {
            Doc::Nil | Doc::Text(_) | Doc::Line | Doc::Soft | Doc::Blank | Doc::IfBroken(_) => {
                Needs::default()
            }
            Doc::Hard | Doc::Comment(_) => Needs { lines: true, newline_after: false },
            Doc::Suffix(_) => Needs { lines: false, newline_after: true },
            Doc::Concat(_, needs) | Doc::Group(_, needs) | Doc::Indent(_, needs) => *needs,
            Doc::Fill(_, needs) | Doc::Rhs(_, _, needs) => *needs,
        }
    }

    pub(super) fn concat(docs: Vec<Doc<'s>>) -> Doc<'s> {
        let mut whole = Needs::default();
        for doc in &docs {
            if matches!(doc, Doc::Nil | Doc::Blank) {
                continue;
            }
            let needs = doc.needs();
            whole.lines |=
                needs.lines || (whole.newline_after && !matches!(doc, Doc::Suffix(_) | Doc::IfBroken(_)));
            whole.newline_after =
                needs.newline_after || (whole.newline_after && matches!(doc, Doc::IfBroken(_)));
        }
        Doc::Concat(docs, whole)
    }

    pub(super) fn group(docs: Vec<Doc<'s>>) -> Doc<'s> {
        let inner = Doc::concat(docs);
        let needs = inner.needs();
        Doc::Group(Box::new(inner), needs)
    }

    pub(super) fn indent(docs: Vec<Doc<'s>>) -> Doc<'s> {
        let inner = Doc::concat(docs);
        let needs = inner.needs();
        Doc::Indent(Box::new(inner), needs)
    }

    pub(super) fn fill(docs: Vec<Doc<'s>>) -> Doc<'s> {
        let inner = Doc::concat(docs);
        let needs = inner.needs();
        Doc::Fill(Box::new(inner), needs)
    }

    pub(super) fn rhs(style: RhsStyle, inner: Doc<'s>) -> Doc<'s> {
        let needs = inner.needs();
        Doc::Rhs(Box::new(inner), style, needs)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Break,
}

const INDENT: usize = 4;

/// A document that is still to be printed, with its indentation.
type Open<'d, 's> = (usize, Mode, &'d Doc<'s>);

struct Printer<'s> {
    out: String,
    column: usize,
    /// A new line that is due, with its indentation; the last request counts.
    newline: Option<usize>,
    blank: bool,
    /// A comment that waits for the end of the line.
    suffix: Option<&'s str>,
    width: usize,
}

/// The document as text, without trailing spaces, with a new line at its end.
pub(super) fn render(doc: &Doc<'_>, width: usize) -> String {
    let mut printer =
        Printer { out: String::new(), column: 0, newline: None, blank: false, suffix: None, width };
    let mut stack = vec![(0, Mode::Break, doc)];
    while let Some((indent, mode, doc)) = stack.pop() {
        printer.step(indent, mode, doc, &mut stack);
    }
    printer.finish()
}

impl<'s> Printer<'s> {
    fn step<'d>(&mut self, indent: usize, mode: Mode, doc: &'d Doc<'s>, stack: &mut Vec<Open<'d, 's>>) {
        match doc {
            Doc::Nil => {}
            Doc::Text(text) => {
                // A comment waits for the comma behind it, and for nothing else.
                if self.suffix.is_some() && !matches!(*text, "," | ";" | " ") {
                    self.newline = self.newline.or(Some(indent));
                }
                self.write(text);
            }
            Doc::Line if mode == Mode::Flat => self.write(" "),
            Doc::Soft if mode == Mode::Flat => {}
            Doc::Line | Doc::Soft | Doc::Hard => self.newline = Some(indent),
            Doc::Blank => self.blank = true,
            Doc::Suffix(text) if self.suffix.is_none() => self.suffix = Some(text),
            Doc::Comment(text) | Doc::Suffix(text) => {
                self.newline = self.newline.or(Some(indent));
                self.write(text);
                self.newline = Some(indent);
            }
            Doc::IfBroken(text) if mode == Mode::Break => self.write(text),
            Doc::IfBroken(_) => {}
            Doc::Concat(docs, _) => stack.extend(docs.iter().rev().map(|doc| (indent, mode, doc))),
            Doc::Indent(inner, _) => stack.push((indent + INDENT, mode, inner)),
            Doc::Group(inner, needs) => {
                let flat = mode == Mode::Flat || (!needs.lines && self.fits(self.here(), inner, stack));
                stack.push((indent, if flat { Mode::Flat } else { Mode::Break }, inner));
            }
            Doc::Fill(inner, _) => {
                let here =
                    mode == Mode::Flat || (self.suffix.is_none() && self.fits(self.here() + 1, inner, &[]));
                if here {
                    self.write(" ");
                } else {
                    self.newline = Some(indent);
                }
                stack.push((indent, mode, inner));
            }
            Doc::Rhs(inner, style, needs) => self.rhs(indent, mode, inner, *style, *needs, stack),
        }
    }

    fn rhs<'d>(
        &mut self,
        indent: usize,
        mode: Mode,
        inner: &'d Doc<'s>,
        style: RhsStyle,
        needs: Needs,
        stack: &mut Vec<Open<'d, 's>>,
    ) {
        let below = indent + INDENT;
        if self.suffix.is_some() {
            self.newline = Some(below);
            stack.push((below, Mode::Break, inner));
        } else if mode == Mode::Flat || (!needs.lines && self.fits(self.here() + 1, inner, stack)) {
            self.write(" ");
            stack.push((indent, Mode::Flat, inner));
        } else if style == RhsStyle::Delimited && !needs.lines && self.fits(below, inner, stack) {
            self.newline = Some(below);
            stack.push((below, Mode::Flat, inner));
        } else if style == RhsStyle::Next {
            self.newline = Some(below);
            stack.push((below, Mode::Break, inner));
        } else {
            self.write(" ");
            stack.push((indent, Mode::Break, inner));
        }
    }

    /// The column the next text will start at.
    fn here(&self) -> usize {
        self.newline.unwrap_or(self.column)
    }

    fn write(&mut self, text: &str) {
        if let Some(indent) = self.newline {
            if text == " " {
                return;
            }
            self.break_line(indent, text);
        }
        self.blank = false;
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    /// Makes the new line that is due, before `text`.
    fn break_line(&mut self, indent: usize, text: &str) {
        self.newline = None;
        self.column = indent;
        if self.out.is_empty() {
            return;
        }
        self.end_line();
        let opened = self.out.ends_with(['{', '(', '[']);
        if self.blank && !opened && !text.starts_with(['}', ')', ']']) {
            self.out.push('\n');
        }
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Ends a line with the comment that waits for it.
    fn end_line(&mut self) {
        let kept = self.out.trim_end_matches(' ').len();
        self.out.truncate(kept);
        if let Some(suffix) = self.suffix.take() {
            self.out.push(' ');
            self.out.push_str(suffix);
        }
    }

    /// Whether a document fits on one line from `column` on, with what follows up to the next break.
    fn fits<'d>(&self, column: usize, doc: &'d Doc<'s>, rest: &[Open<'d, 's>]) -> bool {
        let Some(mut room) = self.width.checked_sub(column) else { return false };
        let mut todo = vec![(Mode::Flat, doc)];
        let mut rest = rest.iter().rev();
        loop {
            let Some((mode, doc)) = todo.pop().or_else(|| rest.next().map(|(_, mode, doc)| (*mode, *doc)))
            else {
                return true;
            };
            let width = match doc {
                Doc::Text(text) => text.chars().count(),
                Doc::Line | Doc::Soft if mode == Mode::Break => return true,
                Doc::Hard | Doc::Comment(_) => return true,
                Doc::Line => 1,
                Doc::IfBroken(text) if mode == Mode::Break => text.len(),
                Doc::Nil | Doc::Soft | Doc::Blank | Doc::Suffix(_) | Doc::IfBroken(_) => 0,
                Doc::Concat(docs, _) => {
                    todo.extend(docs.iter().rev().map(|doc| (mode, doc)));
                    0
                }
                Doc::Indent(inner, _) | Doc::Group(inner, _) => {
                    todo.push((mode, inner));
                    0
                }
                Doc::Fill(..) if mode == Mode::Break => return true,
                Doc::Fill(inner, _) => {
                    todo.push((mode, inner));
                    1
                }
                Doc::Rhs(_, style, _) if mode == Mode::Break && *style != RhsStyle::Block => return true,
                Doc::Rhs(inner, ..) => {
                    todo.push((mode, inner));
                    1
                }
            };
            match room.checked_sub(width) {
                Some(left) => room = left,
                None => return false,
            }
        }
    }

    fn finish(mut self) -> String {
        self.end_line();
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'s>(args: &[&'s str]) -> Doc<'s> {
        let mut inside = vec![Doc::Soft];
        for (nth, arg) in args.iter().enumerate() {
            inside.extend((nth > 0).then_some([Doc::Text(","), Doc::Line]).into_iter().flatten());
            inside.push(Doc::Text(arg));
        }
        inside.push(Doc::IfBroken(","));
        Doc::group(vec![Doc::Text("f("), Doc::indent(inside), Doc::Soft, Doc::Text(")")])
    }

    #[test]
    fn a_group_breaks_as_a_whole() {
        assert_eq!(render(&call(&["aaa", "bbb"]), 20), "f(aaa, bbb)\n");
        assert_eq!(render(&call(&["aaa", "bbb"]), 10), "f(\n    aaa,\n    bbb,\n)\n");
    }

    #[test]
    fn comments_break_the_group_but_not_at_its_end() {
        let doc = Doc::group(vec![Doc::Text("a"), Doc::Suffix("// c"), Doc::Line, Doc::Text("b")]);
        assert_eq!(render(&doc, 20), "a // c\nb\n");
        let doc = Doc::group(vec![Doc::Text("a"), Doc::Line, Doc::Text("b"), Doc::Suffix("// c")]);
        assert_eq!(render(&doc, 20), "a b // c\n");
    }

    #[test]
    fn a_right_side_moves_below_only_if_it_then_fits() {
        let with = |style| Doc::concat(vec![Doc::Text("let x ="), Doc::rhs(style, call(&["aaaa", "bbbb"]))]);
        assert_eq!(render(&with(RhsStyle::Delimited), 17), "let x =\n    f(aaaa, bbbb)\n");
        assert_eq!(render(&with(RhsStyle::Delimited), 14), "let x = f(\n    aaaa,\n    bbbb,\n)\n");
        assert_eq!(render(&with(RhsStyle::Block), 17), "let x = f(\n    aaaa,\n    bbbb,\n)\n");
        assert_eq!(
            render(&with(RhsStyle::Next), 14),
            "let x =\n    f(\n        aaaa,\n        bbbb,\n    )\n"
        );
    }

    #[test]
    fn blank_lines_stand_alone_and_not_at_the_edges_of_a_block() {
        let doc = Doc::concat(vec![
            Doc::Text("{"),
            Doc::Blank,
            Doc::Hard,
            Doc::Text("a"),
            Doc::Blank,
            Doc::Hard,
            Doc::Blank,
            Doc::Text("b"),
            Doc::Blank,
            Doc::Hard,
            Doc::Text("}"),
        ]);
        assert_eq!(render(&doc, 20), "{\na\n\nb\n}\n");
    }
}
