//! Reads argument texts: one function for each form.

use we3_ir::Scalar;

use super::{Generated, Rule, Spec, SpecError, is_identifier};

/// Literals may nest this deep.
const MAX_DEPTH: usize = 64;

pub(super) struct Reader<'text> {
    text: &'text str,
    pub(super) at: usize,
}

impl<'text> Reader<'text> {
    pub(super) fn new(text: &'text str) -> Reader<'text> {
        Reader { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'text str {
        &self.text[self.at..]
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Result<T, SpecError> {
        Err(SpecError { at: self.at, message: message.into() })
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// Takes characters while they are wanted.
    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'text str {
        let rest = self.rest();
        let len = rest.find(|letter| !wanted(letter)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    pub(super) fn argument_name(&mut self) -> Option<String> {
        let start = self.at;
        let name = self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        let after = self.rest().trim_start();
        if is_identifier(name) && after.starts_with('=') && !after.starts_with("==") {
            self.skip_space();
            self.eat('=');
            return Some(name.to_owned());
        }
        self.at = start;
        None
    }

    pub(super) fn spec(&mut self, depth: usize) -> Result<Spec, SpecError> {
        if depth > MAX_DEPTH {
            return self.fail("the value nests too deep");
        }
        self.skip_space();
        match self.rest().chars().next() {
            None => self.fail("expected a value"),
            Some('[') => Ok(Spec::List(self.items('[', ']', depth)?.0)),
            Some('(') => self.tuple(depth),
            Some('{') => self.record(depth),
            Some('"') => self.quoted_path(),
            Some('@') => {
                self.eat('@');
                Ok(self.path())
            }
            Some(first) if first.is_ascii_digit() || first == '-' || first == '+' => self.number_or_path(),
            Some(_) => self.word(depth),
        }
    }

    /// What stands between brackets, and whether a comma ended it.
    fn items(&mut self, open: char, close: char, depth: usize) -> Result<(Vec<Spec>, bool), SpecError> {
        self.eat(open);
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            self.skip_space();
            if self.eat(close) {
                return Ok((items, comma));
            }
            if !items.is_empty() && !comma {
                return self.fail(format!("expected `,` or `{close}`"));
            }
            items.push(self.spec(depth + 1)?);
            self.skip_space();
            comma = self.eat(',');
        }
    }

    fn tuple(&mut self, depth: usize) -> Result<Spec, SpecError> {
        let (mut items, comma) = self.items('(', ')', depth)?;
        match items.pop() {
            // Parentheses around one value mean the value.
            Some(only) if items.is_empty() && !comma => Ok(only),
            Some(last) => {
                items.push(last);
                Ok(Spec::Tuple(items))
            }
            None => Ok(Spec::Tuple(items)),
        }
    }

    fn record(&mut self, depth: usize) -> Result<Spec, SpecError> {
        self.eat('{');
        let mut fields = Vec::new();
        loop {
            self.skip_space();
            if self.eat('}') {
                return Ok(Spec::Record(fields));
            }
            let name = self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            self.skip_space();
            if !is_identifier(name) || !self.eat(':') {
                return self.fail("expected a field, `name: value`");
            }
            fields.push((name.to_owned(), self.spec(depth + 1)?));
            self.skip_space();
            if !self.eat(',') && !self.rest().starts_with('}') {
                return self.fail("expected `,` or `}` after a field");
            }
        }
    }

    fn quoted_path(&mut self) -> Result<Spec, SpecError> {
        self.eat('"');
        let inside = self.take_while(|letter| letter != '"');
        if !self.eat('"') {
            return self.fail("the path has no closing `\"`");
        }
        Ok(file_spec(inside))
    }

    pub(super) fn path(&mut self) -> Spec {
        file_spec(
            self.take_while(|letter| !matches!(letter, ',' | ')' | ']' | '}') && !letter.is_whitespace()),
        )
    }

    /// A number; something that only starts like one (`2024-01.npy`) is a path.
    fn number_or_path(&mut self) -> Result<Spec, SpecError> {
        let start = self.at;
        let Spec::File { path, .. } = self.path() else { return self.fail("expected a value") };
        match number(&path) {
            Some(spec) => Ok(spec),
            None if looks_like_a_file(&self.text[start..self.at]) => {
                Ok(file_spec(&self.text[start..self.at]))
            }
            None => {
                self.at = start;
                self.fail(format!("`{path}` is not a number"))
            }
        }
    }

    fn word(&mut self, depth: usize) -> Result<Spec, SpecError> {
        let start = self.at;
        let name = self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        match name {
            "true" => return Ok(Spec::Bool(true)),
            "false" => return Ok(Spec::Bool(false)),
            "inf" | "nan" => return Ok(Spec::Number { text: name.to_owned(), suffix: None }),
            "bits" if self.rest().starts_with('(') => return self.bits(),
            _ => {}
        }
        if let (Some(rule), true) = (Rule::from_name(name), self.rest().starts_with(':')) {
            self.eat(':');
            return self.generated(rule);
        }
        if is_identifier(name) && (self.rest().trim_start().starts_with('{') || self.rest().starts_with('<'))
        {
            self.take_while(|letter| letter != '{');
            return self.record(depth);
        }
        self.at = start;
        let path = self.path();
        if looks_like_a_file(&self.text[start..self.at]) {
            return Ok(path);
        }
        let text = &self.text[start..self.at];
        self.at = start;
        self.fail(format!("`{text}` is not a value; a file needs a path with an ending, or `@{text}`"))
    }

    pub(super) fn bits(&mut self) -> Result<Spec, SpecError> {
        self.eat('(');
        let digits = self.take_while(|letter| letter.is_ascii_alphanumeric());
        let parsed = match digits.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => digits.parse().ok(),
        };
        match parsed {
            Some(bits) if self.eat(')') => Ok(Spec::Bits(bits)),
            Some(_) | None => self.fail("expected a bit pattern such as `bits(0x7fc00001)`"),
        }
    }

    fn generated(&mut self, rule: Rule) -> Result<Spec, SpecError> {
        let name = self.take_while(|letter| letter.is_ascii_alphanumeric());
        let elem = match name {
            "" => None,
            _ => match Scalar::from_name(name) {
                Some(scalar) => Some(scalar),
                None => return self.fail(format!("`{name}` is not an element type (f32, i64, u8, …)")),
            },
        };
        let mut sizes = Vec::new();
        if self.eat('[') {
            while !self.eat(']') {
                self.skip_space();
                let digits = self.take_while(|letter| letter.is_ascii_digit() || letter == '_');
                let Ok(size) = digits.replace('_', "").parse() else {
                    return self.fail("expected a size, as in `random:f32[1000, 3]`");
                };
                sizes.push(size);
                self.skip_space();
                if !self.eat(',') && !self.rest().starts_with(']') {
                    return self.fail("expected `,` or `]` after a size");
                }
            }
        }
        let range = if self.eat(':') { Some(self.range()?) } else { None };
        Ok(Spec::Generated(Generated { rule, elem, sizes, range }))
    }

    pub(super) fn range(&mut self) -> Result<(String, String), SpecError> {
        let text = self.take_while(|letter| !matches!(letter, ',' | ')' | ']') && !letter.is_whitespace());
        match text.split_once("..") {
            Some((lo, hi)) if number(lo).is_some() && number(hi).is_some() => Ok((lo.into(), hi.into())),
            Some(_) | None => self.fail("expected a range such as `-1.0..1.0`"),
        }
    }
}

fn file_spec(text: &str) -> Spec {
    match text.split_once(".npz:") {
        Some((stem, member)) => Spec::File { path: format!("{stem}.npz"), member: Some(member.to_owned()) },
        None => Spec::File { path: text.to_owned(), member: None },
    }
}

fn looks_like_a_file(text: &str) -> bool {
    text.contains('/')
        || text.contains(".npz:")
        || text.rsplit_once('.').is_some_and(|(stem, ending)| {
            !stem.is_empty() && matches!(ending, "npy" | "npz" | "png" | "we3" | "txt" | "csv")
        })
}

/// `-1_000`, `1.5e-3f32`, `0xff`, `-inf`.
pub(super) fn number(text: &str) -> Option<Spec> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let clean = text.replace('_', "");
    let magnitude = clean.strip_prefix('-').unwrap_or(&clean);
    if matches!(magnitude, "inf" | "nan") {
        return Some(Spec::Number { text: clean, suffix: None });
    }
    let hex = magnitude.starts_with("0x");
    let suffix = Scalar::ALL.into_iter().find(|scalar| {
        let name = scalar.name();
        // In hexadecimal `f16` could be digits; no suffix is read there.
        !hex && *scalar != Scalar::Bool && magnitude.ends_with(name) && magnitude.len() > name.len()
    });
    // `bf16` ends with `f16` too, and stands before it nowhere: take the longest.
    let suffix = if !hex && magnitude.ends_with("bf16") { Some(Scalar::Bf16) } else { suffix };
    let digits = &clean[..clean.len() - suffix.map_or(0, |scalar| scalar.name().len())];
    let plain = digits.strip_prefix('-').unwrap_or(digits);
    let valid = match plain.strip_prefix("0x") {
        Some(hex) => !hex.is_empty() && hex.chars().all(|digit| digit.is_ascii_hexdigit()),
        None => plain.starts_with(|first: char| first.is_ascii_digit()) && plain.parse::<f64>().is_ok(),
    };
    valid.then(|| Spec::Number { text: digits.to_owned(), suffix })
}
