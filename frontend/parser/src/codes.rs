//! The codes of everything this crate complains about: E0001 to E0099. What each one means is told
//! in `docs/errors/`.

use we3_ir::diagnostic::Code;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: Code = Code($text);)*

        /// Every code of this crate, in order.
        pub const ALL: &[Code] = &[$($name),*];

        /// The page that teaches a code of this crate.
        pub fn explain(code: &str) -> Option<&'static str> {
            match code {
                $($text => Some(include_str!(concat!("../../../docs/errors/", $text, ".md"))),)*
                _ => None,
            }
        }
    };
}

codes! {
    /// A character that has no meaning here.
    UNKNOWN_CHARACTER = "E0001";
    /// A number that cannot be read.
    MALFORMED_NUMBER = "E0002";
    /// An integer literal that fits no type.
    INTEGER_TOO_LARGE = "E0003";
    /// A float without a digit before or after its dot.
    FLOAT_NEEDS_DIGITS = "E0004";
    /// A string without its closing quote.
    STRING_NOT_CLOSED = "E0005";
    /// A backslash followed by something unknown.
    UNKNOWN_ESCAPE = "E0006";
    /// Text in single quotes.
    SINGLE_QUOTES = "E0007";
    /// A comment written as in another language.
    FOREIGN_COMMENT = "E0008";
    /// A file that is too large.
    FILE_TOO_LARGE = "E0009";
    /// Something else was expected.
    UNEXPECTED_TOKEN = "E0010";
    /// An opening delimiter without its partner.
    UNCLOSED_DELIMITER = "E0011";
    /// A closing delimiter without its partner.
    UNMATCHED_DELIMITER = "E0012";
    /// Nesting that is too deep.
    NESTED_TOO_DEEP = "E0013";
    /// A statement or item without its `;`.
    MISSING_SEMICOLON = "E0014";
    /// `**` for a power.
    POWER_OPERATOR = "E0015";
    /// `:` in a slice.
    COLON_SLICE = "E0016";
    /// `++` or `--`.
    INCREMENT = "E0017";
    /// `:=`.
    COLON_EQUALS = "E0018";
    /// A word from another language.
    FOREIGN_WORD = "E0019";
    /// `=` in a condition.
    ASSIGNMENT_IN_CONDITION = "E0020";
    /// `a < b < c`.
    CHAINED_COMPARISON = "E0021";
    /// An assignment to something that cannot change.
    NOT_A_PLACE = "E0022";
    /// A string outside of `assert`, attributes and names of tests.
    MISPLACED_STRING = "E0023";
    /// A doc comment before nothing that has documentation.
    UNUSED_DOC = "E0024";
    /// A range outside of subscripts and `in`.
    MISPLACED_RANGE = "E0025";
    /// A record literal right before a block.
    RECORD_IN_CONDITION = "E0026";
    /// `T[n][m]`.
    ARRAY_OF_ARRAYS = "E0027";
    /// A `;` that ends nothing.
    LONE_SEMICOLON = "E0028";
    /// A `pub` that means nothing.
    MISPLACED_PUB = "E0029";
    /// An arrow, or its lack, as in another language.
    WRONG_ARROW = "E0030";
    /// An attribute before something that has none.
    MISPLACED_ATTRIBUTE = "E0031";
    /// A `let` without a value.
    LET_WITHOUT_VALUE = "E0032";
    /// A declaration with its type first.
    TYPE_BEFORE_NAME = "E0033";
    /// `rev` of something that is no range.
    REV_OF_VALUES = "E0034";
    /// A parameter without a type.
    PARAMETER_WITHOUT_TYPE = "E0035";
    /// A function without body, a constant without value or type.
    INCOMPLETE_ITEM = "E0036";
    /// A result thrown away by the `;` behind it.
    RESULT_DISCARDED = "E0037";
    /// Empty brackets where something has to stand.
    EMPTY_BRACKETS = "E0038";
    /// Generic arguments in the wrong form.
    GENERIC_ARGUMENTS = "E0039";
    /// A tuple field that is no plain number.
    TUPLE_FIELD = "E0040";
    /// `&x` or `*x`.
    REFERENCE = "E0041";
    /// `..=`.
    INCLUSIVE_RANGE = "E0042";
    /// A conditional expression as in another language.
    FOREIGN_CONDITIONAL = "E0043";
}

#[cfg(test)]
mod tests {
    use we3_ir::span::FileId;

    /// The two programs on the page of a code.
    fn examples(code: &str) -> (String, String) {
        let page = super::explain(code).unwrap_or_default();
        assert!(page.starts_with(&format!("# {code}: ")), "docs/errors/{code}.md has another title");
        let mut programs = page.split("```we3\n").skip(1).filter_map(|rest| rest.split("```").next());
        match (programs.next(), programs.next()) {
            (Some(wrong), Some(right)) => (wrong.to_owned(), right.to_owned()),
            _ => panic!("{code} needs a wrong and a right program"),
        }
    }

    #[test]
    fn codes_are_numbered_without_gaps() {
        for (index, code) in super::ALL.iter().enumerate() {
            assert_eq!(code.0, format!("E{:04}", index + 1));
        }
    }

    #[test]
    fn every_page_shows_its_error_and_a_program_without() {
        for code in super::ALL {
            let (wrong, right) = examples(code.0);
            let said = |source: &str| crate::parse_module(FileId(0), source).1;
            // No page shows a file of a gigabyte.
            let shown = *code == super::FILE_TOO_LARGE || said(&wrong).iter().any(|d| d.code == *code);
            assert!(shown, "{}: the wrong program gives {:?}", code.0, said(&wrong));
            assert_eq!(said(&right), [], "{}: the right program", code.0);
        }
    }
}
