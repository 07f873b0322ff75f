//! Argument texts: `3`, `[1.0, 2.0]`, `(1, true)`, `Point { x: 1.0 }`, `random:f32[1000, 3]`, `x.npz:weights`.
//! Parsing only; `bind` gives them a type.

mod reader;

use reader::Reader;
use we3_ir::Scalar;

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
    pub(super) fn from_name(name: &str) -> Option<Rule> {
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

pub(super) fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
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
