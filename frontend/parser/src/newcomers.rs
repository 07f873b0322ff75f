//! What somebody who comes from another language types: each such thing gets the we3 spelling.
//! A rule looks at the tokens around the one that does not fit; the first rule that knows it speaks.

mod forms;
mod operators;
mod words;

use crate::expected::{Repair, Situation};
use we3_ir::diagnostic::Diagnostic;

/// A complaint and how to go on, if the rule knows the case.
type Answer = Option<(Diagnostic, Repair)>;

/// Rules in the order they are asked.
const RULES: &[fn(&Situation<'_>) -> Answer] = &[
    operators::power,
    operators::increment,
    operators::colon_equals,
    operators::inclusive_range,
    operators::triple_equals,
    operators::angle_not_equal,
    operators::assignment_in_condition,
    operators::reference,
    operators::arrow,
    forms::colon_slice,
    forms::record_in_condition,
    forms::ternary,
    forms::let_without_value,
    forms::attribute,
    forms::doc_comment,
    forms::field_separator,
    forms::block_with_colon,
    forms::dangling_else,
    forms::macro_call,
    words::replaced_word,
    words::lambda,
    words::type_before_name,
    words::explained_word,
    forms::nested_item,
    words::keyword_as_name,
    operators::range,
    forms::glob_use,
];

/// Asks every rule.
pub(crate) fn explain(at: &Situation<'_>) -> Answer {
    RULES.iter().find_map(|rule| rule(at))
}
