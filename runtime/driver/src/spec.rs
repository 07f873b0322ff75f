//! Argument texts: `3`, `[1.0, 2.0]`, `(1, true)`, `Point { x: 1.0 }`, `random:f32[1000, 3]`, `x.npz:weights`.
//! Parsing only; `bind` gives them a type.

use we3_ir::Scalar;

/// Literals may nest this deep.
const MAX_DEPTH: usize = 64;

/// An argument as written.
#[derive(Clone, PartialEq, Debug)]
pub enum Spec {
    /// `42`, `-1.5e3`, `inf`, `0xff`, with the type its suffix names.
    Number {
        /// Without suffix and underscores.
        text: String,
        /// `f32` in `2.0f32`.
        suffix: Option<Scalar>,
    },
    /// `bits(0x7fc00001)`: a bit pattern of whatever type is asked for.
    Bits(u64),
    /// `true`, `false`
    Bool(bool),
    /// `[a, b]`
    List(Vec<Spec>),
    /// `(a, b)`
    Tuple(Vec<Spec>),
    /// `Point { x: 1.0 }` or `{ x: 1.0 }`
    Record(Vec<(String, Spec)>),
    /// A path, perhaps with the name of an array in it.
    File {
        /// The file.
        path: String,
        /// What stands after the colon of `x.npz:name`.
        member: Option<String>,
    },
    /// `random:f32[1000, 3]`, `zeros:[4]`, `iota:i64[10]`
    Generated(Generated),
}

/// A value made by rule.
#[derive(Clone, PartialEq, Debug)]
pub struct Generated {
    /// Which rule.
    pub rule: Rule,
    /// The element type, if written.
    pub elem: Option<Scalar>,
    /// The axis sizes.
    pub sizes: Vec<u64>,
    /// `lo..hi` after a second colon.
    pub range: Option<(String, String)>,
}

/// How a generated value is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rule {
    /// Uniform numbers: floats in 0..1, integers in 0..100 (or their range, if smaller), bools.
    Random,
    /// All zero.
    Zeros,
    /// All one.
    Ones,
    /// 0, 1, 2, … in row-major order.
    Iota,
}

impl Rule {
    fn from_name(name: &str) -> Option<Rule> {
        match name {
            "random" => Some(Rule::Random),
            "zeros" => Some(Rule::Zeros),
            "ones" => Some(Rule::Ones),
            "iota" => Some(Rule::Iota),
            _ => None,
        }
    }
}

/// Why a text is no argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpecError {
    /// The byte where it went wrong.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for SpecError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} (at character {})", self.message, self.at + 1)
    }
}

/// Reads one argument: the whole text.
pub fn parse_spec(text: &str) -> Result<Spec, SpecError> {
    let mut reader = Reader::new(text);
    let spec = reader.spec(0)?;
    reader.skip_space();
    if reader.at < text.len() {
        return reader.fail("unexpected characters after the value");
    }
    Ok(spec)
}

/// A call as `// run:` lines write it: `f(1.0, k = 2)`.
#[derive(Clone, PartialEq, Debug)]
pub struct CallSpec {
    /// The function, with explicit generic arguments as written.
    pub entry: String,
    /// Arguments with their names, if given.
    pub args: Vec<(Option<String>, Spec)>,
}

/// Reads a call from the start of a text; gives the rest too.
pub fn parse_call(text: &str) -> Result<(CallSpec, &str), SpecError> {
    let mut reader = Reader::new(text);
    reader.skip_space();
    let start = reader.at;
    let open = text[start..].find('(').map(|found| start + found);
    let Some(open) = open else { return reader.fail("expected a call such as `f(1.0)`") };
    let entry = text[start..open].trim().to_owned();
    reader.at = open + 1;
    let mut args = Vec::new();
    loop {
        reader.skip_space();
        if reader.eat(')') {
            break;
        }
        let name = reader.argument_name();
        args.push((name, reader.spec(0)?));
        reader.skip_space();
        if !reader.eat(',') && !reader.rest().starts_with(')') {
            return reader.fail("expected `,` or `)` after an argument");
        }
    }
    Ok((CallSpec { entry, args }, &text[reader.at..]))
}

/// Splits `name=value` as the command line writes it; a value alone has no name.
pub fn split_name(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((name, value)) if is_identifier(name.trim()) && !value.starts_with('=') => {
            (Some(name.trim()), value.trim())
        }
        Some(_) | None => (None, text),
    }
}

fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

struct Reader<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Reader<'text> {
    fn new(text: &'text str) -> Reader<'text> {
        Reader { text, at: 0 }
    }

    fn rest(&self) -> &'text str {
        &self.text[self.at..]
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, SpecError> {
        Err(SpecError { at: self.at, message: message.into() })
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, wanted: char) -> bool {
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

    fn argument_name(&mut self) -> Option<String> {
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

    fn spec(&mut self, depth: usize) -> Result<Spec, SpecError> {
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

    fn path(&mut self) -> Spec {
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

    fn bits(&mut self) -> Result<Spec, SpecError> {
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

    fn range(&mut self) -> Result<(String, String), SpecError> {
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
fn number(text: &str) -> Option<Spec> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn number_spec(text: &str) -> Spec {
        Spec::Number { text: text.into(), suffix: None }
    }

    #[test]
    fn literals_of_every_kind_parse() {
        assert_eq!(parse_spec(" -1_000 ").unwrap(), number_spec("-1000"));
        assert_eq!(
            parse_spec("2.5bf16").unwrap(),
            Spec::Number { text: "2.5".into(), suffix: Some(Scalar::Bf16) }
        );
        assert_eq!(parse_spec("-inf").unwrap(), number_spec("-inf"));
        assert_eq!(parse_spec("0xf16").unwrap(), number_spec("0xf16"));
        assert_eq!(parse_spec("((1))").unwrap(), number_spec("1"));
        assert_eq!(parse_spec("(1,)").unwrap(), Spec::Tuple(vec![number_spec("1")]));
        assert_eq!(parse_spec("[]").unwrap(), Spec::List(vec![]));
        assert_eq!(
            parse_spec("Point<f32> { x: 1, y: true }").unwrap(),
            Spec::Record(vec![("x".into(), number_spec("1")), ("y".into(), Spec::Bool(true))])
        );
        assert_eq!(parse_spec("bits(0x7fc00001)").unwrap(), Spec::Bits(0x7fc0_0001));
    }

    #[test]
    fn files_and_generated_arrays_parse() {
        let file = |path: &str, member: Option<&str>| Spec::File {
            path: path.into(),
            member: member.map(String::from),
        };
        assert_eq!(parse_spec("data/x.npz:w").unwrap(), file("data/x.npz", Some("w")));
        assert_eq!(parse_spec("2024-01.npy").unwrap(), file("2024-01.npy", None));
        assert_eq!(parse_spec("@odd").unwrap(), file("odd", None));
        assert_eq!(
            parse_spec("random:f32[1_000, 3]:-1..1").unwrap(),
            Spec::Generated(Generated {
                rule: Rule::Random,
                elem: Some(Scalar::F32),
                sizes: vec![1000, 3],
                range: Some(("-1".into(), "1".into())),
            })
        );
    }

    #[test]
    fn faults_are_said_with_their_place() {
        for (text, part) in [
            ("", "expected a value"),
            ("[1, 2", "expected"),
            ("[1 2]", "expected `,` or `]`"),
            ("1.2.3", "not a number"),
            ("xyz", "not a value"),
            ("random:f33[2]", "not an element type"),
            ("random:f32[x]", "expected a size"),
            ("1 2", "after the value"),
            ("{x 1}", "expected a field"),
            ("é", "not a value"),
        ] {
            let error = parse_spec(text).unwrap_err();
            assert!(error.message.contains(part), "{text}: {error}");
        }
        let deep = "[".repeat(100_000);
        assert!(parse_spec(&deep).unwrap_err().message.contains("too deep"));
    }

    #[test]
    fn calls_take_positional_and_named_arguments() {
        let (call, rest) = parse_call("f::<f32>(1.0, [2], k = 3) == 4").unwrap();
        assert_eq!(call.entry, "f::<f32>");
        assert_eq!(call.args.len(), 3);
        assert_eq!(call.args[2], (Some("k".into()), number_spec("3")));
        assert_eq!(rest.trim(), "== 4");
        assert_eq!(split_name("k=3"), (Some("k"), "3"));
        assert_eq!(split_name("data/a=b.npy"), (None, "data/a=b.npy"));
    }
}
