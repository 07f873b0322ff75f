//! The piece of Python that a `.npy` header is written in: dicts, tuples, lists, strings, integers, booleans.
//! A header is untrusted: nesting is bounded, and so is every number.

/// Nothing that NumPy writes nests deeper.
const MAX_DEPTH: usize = 16;

/// A Python literal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Literal {
    /// `'text'`
    Text(String),
    /// `42`
    Int(u64),
    /// `True`, `False`
    Bool(bool),
    /// `(…)` or `[…]`
    List(Vec<Literal>),
    /// `{…: …}`, keys in order
    Dict(Vec<(Literal, Literal)>),
}

/// Reads a whole header; `None` when it is no literal.
pub fn parse_literal(text: &str) -> Option<Literal> {
    let mut reader = Reader { rest: text };
    let literal = reader.literal(0)?;
    reader.rest.trim().is_empty().then_some(literal)
}

struct Reader<'text> {
    rest: &'text str,
}

impl Reader<'_> {
    fn eat(&mut self, wanted: char) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn literal(&mut self, depth: usize) -> Option<Literal> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.rest = self.rest.trim_start();
        match self.rest.chars().next()? {
            quote @ ('\'' | '"') => self.text(quote),
            '(' => self.list('(', ')', depth),
            '[' => self.list('[', ']', depth),
            '{' => self.dict(depth),
            digit if digit.is_ascii_digit() => self.int(),
            _ => self.word(),
        }
    }

    fn text(&mut self, quote: char) -> Option<Literal> {
        let mut text = String::new();
        let mut letters = self.rest[1..].char_indices();
        while let Some((at, letter)) = letters.next() {
            if letter == quote {
                self.rest = &self.rest[1 + at + 1..];
                return Some(Literal::Text(text));
            }
            text.push(if letter == '\\' { letters.next()?.1 } else { letter });
        }
        None
    }

    fn list(&mut self, open: char, close: char, depth: usize) -> Option<Literal> {
        self.eat(open);
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.literal(depth + 1)?);
            if !self.eat(',') && !self.rest.starts_with(close) {
                return None;
            }
        }
        Some(Literal::List(items))
    }

    fn dict(&mut self, depth: usize) -> Option<Literal> {
        self.eat('{');
        let mut pairs = Vec::new();
        while !self.eat('}') {
            let key = self.literal(depth + 1)?;
            if !self.eat(':') {
                return None;
            }
            pairs.push((key, self.literal(depth + 1)?));
            if !self.eat(',') && !self.rest.starts_with('}') {
                return None;
            }
        }
        Some(Literal::Dict(pairs))
    }

    /// Python 2 wrote sizes as `3L`.
    fn int(&mut self) -> Option<Literal> {
        let len = self.rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest.strip_prefix('L').unwrap_or(rest);
        digits.parse().ok().map(Literal::Int)
    }

    fn word(&mut self) -> Option<Literal> {
        for (word, truth) in [("True", true), ("False", false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(Literal::Bool(truth));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numpys_own_header_reads() {
        let text = "{'descr': [('a', '<f4'), ('', '|V4')], 'fortran_order': False, 'shape': (3, 4), }   \n";
        let Some(Literal::Dict(pairs)) = parse_literal(text) else { panic!("no dict") };
        assert_eq!(pairs.len(), 3);
        assert_eq!(pairs[2].1, Literal::List(vec![Literal::Int(3), Literal::Int(4)]));
    }

    #[test]
    fn garbage_is_refused_in_bounded_space() {
        for text in ["", "{", "{'a' 1}", "{'a': 1} x", "(1 2)", "'open", "{'a': 99999999999999999999999}"] {
            assert_eq!(parse_literal(text), None, "{text}");
        }
        assert_eq!(parse_literal(&"[".repeat(100_000)), None);
    }
}
