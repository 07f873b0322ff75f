//! Every diagnostic code of the checker with its one-line title. Parse errors (E0001–E0099) live in
//! the parser, run-time errors (E0901–E0910) in `typed::sites`. `docs/errors/` teaches each.

use we3_ir::diagnostic::Code;

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal;)*) => {
        $(#[doc = $title] pub const $name: Code = Code($code);)*
        /// Codes and titles in order.
        pub const TITLES: &[(&str, &str)] = &[$(($code, $title)),*];
    };
}

codes! {
    UNKNOWN_NAME = "E0100", "a name is not known here";
    UNKNOWN_MODULE = "E0101", "a module cannot be found";
    DUPLICATE_NAME = "E0102", "two things have the same name";
    PRIVATE_ITEM = "E0103", "an item is not `pub`";
    IMPORT_CYCLE = "E0104", "modules import each other in a circle";
    WRONG_KIND_OF_NAME = "E0105", "a name stands for something else than needed here";
    UNKNOWN_FIELD = "E0106", "a record has no such field";
    UNKNOWN_TYPE = "E0107", "a type is not known";
    UNKNOWN_TRAIT = "E0108", "a trait is not known";
    UNKNOWN_ATTRIBUTE = "E0109", "an attribute is not known";
    TYPE_MISMATCH = "E0200", "two types differ";
    CANNOT_INFER = "E0201", "a type cannot be inferred";
    NOT_A_NUMBER = "E0202", "an operator is used on types that do not have it";
    WRONG_RANK = "E0203", "two arrays have different numbers of axes";
    NOT_AN_ARRAY = "E0204", "something is subscripted or iterated that is not an array";
    NOT_A_RECORD = "E0205", "a field is asked of something that has none";
    LITERAL_DOES_NOT_FIT = "E0206", "a literal does not fit its type";
    BAD_CAST = "E0207", "`as` cannot convert this";
    NOT_BOOL = "E0208", "a condition is not `bool`";
    BAD_TYPE = "E0209", "a type cannot stand here";
    BAD_ELEMENT = "E0210", "an element is not a scalar, tuple or record";
    BAD_SUBSCRIPT = "E0211", "a subscript is not an integer";
    TOO_MANY_SUBSCRIPTS = "E0212", "there are more subscripts than axes";
    NOT_A_FUNCTION = "E0213", "something is called that is not a function";
    MISSING_VALUE = "E0214", "a value is missing";
    ARRAY_LOGIC = "E0215", "`&&` or `||` between arrays";
    SIZE_MISMATCH = "E0300", "two sizes differ";
    SIZE_UNKNOWN = "E0301", "a size cannot be known here";
    UNBOUND_SIZE = "E0302", "a size name is not bound by the parameters";
    NO_RANGE = "E0303", "the range of a binder cannot be inferred";
    IRREGULAR = "E0304", "the elements of an array would have different sizes";
    BAD_SIZE = "E0305", "this cannot be a size";
    DEPENDENT_RANGE = "E0306", "a range of an array form uses an earlier binder";
    NOT_BROADCAST = "E0307", "shapes cannot be broadcast";
    CONSTANT_INDEX = "E0308", "a constant subscript is out of range";
    ARGUMENT_COUNT = "E0400", "a call has too many or too few arguments";
    UNKNOWN_ARGUMENT = "E0401", "a function has no such parameter";
    DUPLICATE_ARGUMENT = "E0402", "an argument is given twice";
    NEEDS_FUNCTION = "E0403", "an argument must be a function";
    NEEDS_CLAUSE = "E0404", "a call needs a `for` clause, or cannot take one";
    NEEDS_CONSTANT = "E0405", "an argument must be known at compile time";
    RECURSION = "E0406", "a function calls itself at run time";
    GENERIC_ARGUMENTS = "E0407", "wrong generic arguments";
    MISSING_BOUND = "E0500", "a type parameter lacks a bound";
    NOT_IMPLEMENTED_TRAIT = "E0501", "a type does not implement a trait";
    TRAIT_ITEM_MISSING = "E0502", "an `impl` lacks an item";
    NOT_IN_TRAIT = "E0503", "an `impl` has an item its trait does not have";
    OVERLAPPING_IMPLS = "E0504", "two `impl`s for the same type";
    BAD_SIGNATURE = "E0505", "an item of an `impl` differs from its trait";
    BAD_DERIVE = "E0506", "a `derive` that does not exist or does not fit";
    RECURSIVE_TYPE = "E0507", "a type contains itself";
    NOT_MUTABLE = "E0600", "something immutable is assigned";
    NOT_A_PLACE = "E0601", "something is assigned that is no place";
    OUTSIDE_LOOP = "E0602", "`break` or `continue` outside a loop";
    BAD_RETURN = "E0603", "`return` inside an array form";
    ASSIGNS_OUTER = "E0604", "an array element's block assigns a variable from outside";
    UNREACHABLE = "E0605", "code that is never reached";
    BAD_PATTERN = "E0606", "a pattern does not fit its value";
    NOT_CONST = "E0700", "something is not known at compile time";
    CONST_CYCLE = "E0701", "a constant depends on itself";
    CONST_FAILED = "E0702", "a constant cannot be evaluated";
    TOO_MANY_INSTANCES = "E0703", "a generic function is instantiated without end";
    NOT_YET = "E0800", "a feature is not available yet";
    METHOD_CALL = "E0801", "we3 has no method calls";
    NEGATIVE_INDEX = "E0802", "negative indices do not count from the end";
    NUMPY_ATTRIBUTE = "E0803", "a NumPy attribute";
    BAD_SCHEDULE = "E0804", "a schedule cannot be followed";
    CHECKER_FAULT = "E0849", "a fault of the checker itself";
    UNUSED_VARIABLE = "E0850", "a variable is never used";
    UNUSED_MUT = "E0851", "a `mut` that is not needed";
    UNUSED_IMPORT = "E0852", "an import is never used";
    RUN_TIME_SIZE = "E0860", "a size is checked at run time";
    RUN_TIME_BOUNDS = "E0861", "a subscript is checked at run time";
    NARROW_SUM = "E0862", "a sum in a narrow integer type wraps";
}

/// The title of a code of this file.
pub fn title(code: &str) -> Option<&'static str> {
    TITLES.iter().find(|(known, _)| *known == code).map(|(_, title)| *title)
}
