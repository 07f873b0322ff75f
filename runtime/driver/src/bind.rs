//! Gives argument texts the type of the parameter they stand for. Files are read by whoever implements
//! `FileLoader`; errors name what was expected.

use we3_ir::text::parse_constant;
use we3_ir::{Const, Scalar};

use crate::random::Random;
use crate::spec::{Generated, Rule, Spec};
use crate::value::{HostArray, HostField, HostType, HostValue, byte_len, write_bits};

/// Reads arrays from files.
pub trait FileLoader {
    /// The value in a file (and the array of that name in an archive), for a parameter of this type.
    fn load(&mut self, path: &str, member: Option<&str>, ty: &HostType) -> Result<HostValue, String>;
}

/// For places where no files are read.
pub struct NoFiles;

impl FileLoader for NoFiles {
    fn load(&mut self, path: &str, _: Option<&str>, _: &HostType) -> Result<HostValue, String> {
        Err(format!("`{path}` would have to be read from a file, which is not possible here"))
    }
}

/// The value an argument text means for a parameter of this type. `seed` drives `random:`.
pub fn bind(spec: &Spec, ty: &HostType, seed: u64, files: &mut dyn FileLoader) -> Result<HostValue, String> {
    match (spec, ty) {
        (Spec::File { path, member }, _) => files.load(path, member.as_deref(), ty),
        (Spec::Generated(rule), _) => generate(rule, ty, seed),
        (_, HostType::Scalar(scalar)) => Ok(HostValue::Scalar(bind_scalar(spec, *scalar)?)),
        (_, HostType::Array { elem, sizes }) => bind_array(spec, elem, sizes),
        (_, HostType::Tuple(parts)) => bind_tuple(spec, parts, seed, files),
        (_, HostType::Record { name, fields }) => bind_record(spec, name, fields, seed, files),
    }
}

/// A scalar literal of a type; integers that a float holds exactly are taken too.
pub fn bind_scalar(spec: &Spec, ty: Scalar) -> Result<Const, String> {
    match spec {
        Spec::Bool(truth) if ty == Scalar::Bool => Ok(Const { ty, bits: u64::from(*truth) }),
        Spec::Bits(bits) if ty.bits() == 64 || bits >> ty.bits() == 0 => Ok(Const { ty, bits: *bits }),
        Spec::Number { text, suffix } => {
            if suffix.is_some_and(|suffix| suffix != ty) {
                return Err(format!("expected {ty}, got `{text}{}`", suffix.map_or("", Scalar::name)));
            }
            bind_number(text, ty)
        }
        Spec::Bits(_)
        | Spec::Bool(_)
        | Spec::List(_)
        | Spec::Tuple(_)
        | Spec::Record(_)
        | Spec::File { .. }
        | Spec::Generated(_) => Err(format!("expected {ty}, got {}", describe(spec))),
    }
}

fn bind_number(text: &str, ty: Scalar) -> Result<Const, String> {
    if ty == Scalar::Bool {
        return Err(format!("expected `true` or `false`, got `{text}`"));
    }
    let decimal = match integer(text) {
        Some(number) if ty.is_float() => {
            if !holds_exactly(number, ty) {
                return Err(format!("{ty} does not hold {text} exactly; write `{text}.0` to round it"));
            }
            // `-0` is an integer literal, and integers have one zero.
            format!("{number}.0")
        }
        Some(number) => number.to_string(),
        None if ty.is_int() => return Err(format!("expected {ty}, got `{text}`")),
        None => text.to_owned(),
    };
    parse_constant(ty, &decimal).ok_or_else(|| format!("`{text}` does not fit {ty}"))
}

fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let magnitude = match digits.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn holds_exactly(number: i128, ty: Scalar) -> bool {
    let precision = if ty == Scalar::F64 {
        53
    } else if ty == Scalar::F32 {
        24
    } else if ty == Scalar::F16 {
        11
    } else {
        8
    };
    let magnitude = number.unsigned_abs();
    let used = 128 - magnitude.leading_zeros();
    let fits_range = ty != Scalar::F16 || magnitude <= 65504;
    fits_range && (magnitude == 0 || used - magnitude.trailing_zeros() <= precision)
}

fn bind_array(spec: &Spec, elem: &HostType, sizes: &[String]) -> Result<HostValue, String> {
    let mut found = Vec::new();
    measure(spec, elem, sizes, &mut found)?;
    let mut array = HostArray::zeros(elem.clone(), found.clone())
        .ok_or_else(|| format!("an array of {found:?} elements of {elem} does not fit in memory"))?;
    let mut next = 0;
    fill(spec, sizes.len(), elem, &mut array, &mut next)?;
    Ok(HostValue::Array(array))
}

/// The sizes of nested lists, from the first element of each level; `fill` finds ragged ones.
fn measure(spec: &Spec, elem: &HostType, sizes: &[String], found: &mut Vec<u64>) -> Result<(), String> {
    if found.len() == sizes.len() {
        if rank(spec) > 0 && matches!(elem, HostType::Scalar(_)) {
            let (wanted, given) = (found.len(), found.len() + rank(spec));
            return Err(format!("expected an array of rank {wanted}, got lists of rank {given}"));
        }
        return Ok(());
    }
    let Spec::List(items) = spec else {
        return Err(match found.len() {
            0 => format!("expected an array of rank {}, got {}", sizes.len(), describe(spec)),
            depth => format!("expected rank {}, got a list of rank {depth}", sizes.len()),
        });
    };
    found.push(items.len() as u64);
    match items.first() {
        Some(first) => measure(first, elem, sizes, found),
        None => {
            // An empty list says nothing about its inner axes; a literal size does.
            let inner = &sizes[found.len()..];
            found.extend(inner.iter().map(|size| size.parse::<u64>().unwrap_or(0)));
            Ok(())
        }
    }
}

/// How many lists stand in each other.
fn rank(spec: &Spec) -> usize {
    let mut rank = 0;
    let mut inner = Some(spec);
    while let Some(Spec::List(items)) = inner {
        rank += 1;
        inner = items.first();
    }
    rank
}

fn fill(
    spec: &Spec,
    depth: usize,
    elem: &HostType,
    array: &mut HostArray,
    next: &mut usize,
) -> Result<(), String> {
    if depth == 0 {
        if *next >= array.count() {
            return Err(String::from("the rows of a nested list differ in length"));
        }
        let value = bind(spec, elem, 0, &mut NoFiles)?;
        array.set_element(*next, &value);
        *next += 1;
        return Ok(());
    }
    let expected = array.sizes()[array.sizes().len() - depth];
    match spec {
        Spec::List(items) if items.len() as u64 == expected => {
            items.iter().try_for_each(|item| fill(item, depth - 1, elem, array, next))
        }
        Spec::List(items) => {
            Err(format!("the rows of a nested list differ in length ({} after {expected})", items.len()))
        }
        Spec::Number { .. }
        | Spec::Bits(_)
        | Spec::Bool(_)
        | Spec::Tuple(_)
        | Spec::Record(_)
        | Spec::File { .. }
        | Spec::Generated(_) => Err(format!("expected a list, got {}", describe(spec))),
    }
}

fn bind_tuple(
    spec: &Spec,
    parts: &[HostType],
    seed: u64,
    files: &mut dyn FileLoader,
) -> Result<HostValue, String> {
    let Spec::Tuple(items) = spec else {
        return Err(format!("expected a tuple of {}, got {}", parts.len(), describe(spec)));
    };
    if items.len() != parts.len() {
        return Err(format!("expected a tuple of {}, got one of {}", parts.len(), items.len()));
    }
    let values: Result<Vec<_>, String> =
        items.iter().zip(parts).map(|(item, part)| bind(item, part, seed, files)).collect();
    Ok(HostValue::Tuple(values?))
}

/// A record from `{ x: …, y: … }` in any order, or from a tuple in the order of the fields.
fn bind_record(
    spec: &Spec,
    name: &str,
    fields: &[HostField],
    seed: u64,
    files: &mut dyn FileLoader,
) -> Result<HostValue, String> {
    let mut values = Vec::new();
    match spec {
        Spec::Tuple(items) if items.len() == fields.len() => {
            for (item, field) in items.iter().zip(fields) {
                values.push((field.name.clone(), bind(item, &field.ty, seed, files)?));
            }
        }
        Spec::Record(given) => {
            if let Some((odd, _)) =
                given.iter().find(|(odd, _)| fields.iter().all(|field| field.name != *odd))
            {
                return Err(format!("{name} has no field `{odd}`"));
            }
            for HostField { name: field, ty } in fields {
                let Some((_, item)) = given.iter().find(|(given, _)| given == field) else {
                    return Err(format!("field `{field}` of {name} is missing"));
                };
                let value =
                    bind(item, ty, seed, files).map_err(|fault| format!("field `{field}`: {fault}"))?;
                values.push((field.clone(), value));
            }
        }
        Spec::Tuple(_)
        | Spec::Number { .. }
        | Spec::Bits(_)
        | Spec::Bool(_)
        | Spec::List(_)
        | Spec::File { .. }
        | Spec::Generated(_) => {
            let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            return Err(format!(
                "expected {name}, as `{{ {}: … }}` or `({})`, got {}",
                names.join(": …, "),
                names.join(", "),
                describe(spec)
            ));
        }
    }
    Ok(HostValue::Record { name: name.to_owned(), fields: values })
}

fn generate(rule: &Generated, ty: &HostType, seed: u64) -> Result<HostValue, String> {
    let (elem, rank) = match ty {
        HostType::Array { elem, sizes } => (&**elem, sizes.len()),
        HostType::Scalar(_) => (ty, 0),
        HostType::Tuple(_) | HostType::Record { .. } => {
            return Err(format!("expected {ty}; generated values are arrays and numbers"));
        }
    };
    if rule.sizes.len() != rank {
        return Err(format!("expected {ty} (rank {rank}), got rank {}", rule.sizes.len()));
    }
    let wrong = |wanted: &Scalar| rule.elem.is_some_and(|given| given != *wanted);
    if let HostType::Scalar(wanted) = elem
        && wrong(wanted)
    {
        return Err(format!(
            "expected elements of type {wanted}, got {}",
            rule.elem.map_or("", Scalar::name)
        ));
    }
    let mut array = HostArray::zeros(elem.clone(), rule.sizes.clone())
        .ok_or_else(|| format!("{} elements of {elem} do not fit in memory", shown_sizes(&rule.sizes)))?;
    let layout = array.layout().clone();
    let mut random = Random::new(seed);
    let count = byte_len(&rule.sizes, 1).unwrap_or(0) as usize;
    for number in 0..count {
        for leaf in &layout.leaves {
            let bits = generated_bits(rule, leaf.scalar, number, &mut random)?;
            write_bits(leaf.scalar, bits, &mut array.bytes_mut()[number * layout.size + leaf.offset..]);
        }
    }
    Ok(if rank == 0 { array.element(0) } else { HostValue::Array(array) })
}

fn generated_bits(rule: &Generated, ty: Scalar, number: usize, random: &mut Random) -> Result<u64, String> {
    let one = if ty.is_float() { "1.0" } else { "1" };
    match rule.rule {
        Rule::Zeros => Ok(0),
        Rule::Ones => Ok(parse_constant(ty, one).map_or(1, |constant| constant.bits)),
        Rule::Iota if ty == Scalar::Bool => Ok(number as u64 & 1),
        Rule::Iota if ty.is_float() => {
            Ok(parse_constant(ty, &format!("{number}.0")).map_or(0, |constant| constant.bits))
        }
        Rule::Iota => Ok(number as u64 & (u64::MAX >> (64 - ty.bits()))),
        Rule::Random => match &rule.range {
            Some((lo, hi)) => random.between(ty, lo, hi),
            None => Ok(random.ordinary(ty)),
        },
    }
}

fn shown_sizes(sizes: &[u64]) -> String {
    sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" × ")
}

/// What was written, in words.
fn describe(spec: &Spec) -> String {
    match spec {
        Spec::Number { text, .. } => format!("the number {text}"),
        Spec::Bits(bits) => format!("bits({bits:#x})"),
        Spec::Bool(truth) => format!("`{truth}`"),
        Spec::List(items) => format!("a list of {}", items.len()),
        Spec::Tuple(items) => format!("a tuple of {}", items.len()),
        Spec::Record(_) => String::from("a record"),
        Spec::File { path, .. } => format!("the file {path}"),
        Spec::Generated(_) => String::from("a generated array"),
    }
}

/// The type a literal has when nothing says otherwise: `i64`, `f64`, arrays and tuples of those.
/// Gives generic parameters of an entry their types.
pub fn default_type(spec: &Spec) -> Option<HostType> {
    match spec {
        Spec::Number { text, suffix } => Some(HostType::Scalar(suffix.unwrap_or(match integer(text) {
            Some(_) => Scalar::I64,
            None => Scalar::F64,
        }))),
        Spec::Bool(_) => Some(HostType::Scalar(Scalar::Bool)),
        Spec::List(items) => match default_type(items.first()?)? {
            HostType::Array { elem, mut sizes } => {
                sizes.insert(0, String::from("?"));
                Some(HostType::Array { elem, sizes })
            }
            elem @ (HostType::Scalar(_) | HostType::Tuple(_) | HostType::Record { .. }) => {
                Some(HostType::array(elem, 1))
            }
        },
        Spec::Tuple(items) => Some(HostType::Tuple(items.iter().map(default_type).collect::<Option<_>>()?)),
        Spec::Generated(rule) => {
            let elem = HostType::Scalar(rule.elem?);
            Some(if rule.sizes.is_empty() { elem } else { HostType::array(elem, rule.sizes.len()) })
        }
        Spec::Bits(_) | Spec::Record(_) | Spec::File { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::parse_spec;

    fn bound(text: &str, ty: &HostType) -> Result<HostValue, String> {
        bind(&parse_spec(text).unwrap(), ty, 1, &mut NoFiles)
    }

    fn f32s(rank: usize) -> HostType {
        HostType::array(HostType::Scalar(Scalar::F32), rank)
    }

    #[test]
    fn nested_lists_become_row_major_arrays() {
        let HostValue::Array(array) = bound("[[1, 2.5], [3.0, -4.0]]", &f32s(2)).unwrap() else { panic!() };
        assert_eq!(array.sizes(), [2, 2]);
        assert_eq!(array.element(1), HostValue::scalar(Scalar::F32, u64::from(2.5f32.to_bits())));
        let HostValue::Array(empty) = bound("[]", &f32s(2)).unwrap() else { panic!() };
        assert_eq!(empty.sizes(), [0, 0]);
    }

    #[test]
    fn faults_say_what_was_expected() {
        let u8_ty = HostType::Scalar(Scalar::U8);
        let pair = HostType::Tuple(vec![u8_ty.clone(), u8_ty.clone()]);
        for (text, ty, part) in [
            ("[[1], [2, 3]]", &f32s(2), "differ in length"),
            ("[1, 2]", &f32s(2), "expected rank 2, got a list of rank 1"),
            ("[[1]]", &f32s(1), "expected an array of rank 1, got lists of rank 2"),
            ("256", &u8_ty, "does not fit u8"),
            ("1.5", &u8_ty, "expected u8"),
            ("true", &u8_ty, "expected u8, got `true`"),
            ("1f32", &u8_ty, "expected u8, got `1f32`"),
            ("16777217", &HostType::Scalar(Scalar::F32), "does not hold 16777217 exactly"),
            ("(1, 2, 3)", &pair, "a tuple of 2, got one of 3"),
            ("random:f32[2, 3]", &f32s(1), "rank 1), got rank 2"),
            ("random:f64[2]", &f32s(1), "expected elements of type f32"),
            ("zeros:f32[1000000000000000]", &f32s(1), "do not fit"),
        ] {
            let fault = bound(text, ty).unwrap_err();
            assert!(fault.contains(part), "{text}: {fault}");
        }
    }

    #[test]
    fn records_take_names_in_any_order_or_a_tuple() {
        let ty = HostType::Record {
            name: "P".into(),
            fields: vec![
                HostField { name: "x".into(), ty: HostType::Scalar(Scalar::F64) },
                HostField { name: "n".into(), ty: HostType::Scalar(Scalar::I8) },
            ],
        };
        assert_eq!(bound("{ n: -1, x: 2 }", &ty).unwrap(), bound("(2, -1)", &ty).unwrap());
        assert!(bound("{ n: 1 }", &ty).unwrap_err().contains("field `x` of P is missing"));
        assert!(bound("{ n: 1, x: 2, y: 3 }", &ty).unwrap_err().contains("no field `y`"));
    }

    #[test]
    fn generated_arrays_depend_only_on_the_seed() {
        let spec = parse_spec("random:f32[100]").unwrap();
        let one = bind(&spec, &f32s(1), 1, &mut NoFiles).unwrap();
        assert_eq!(one, bind(&spec, &f32s(1), 1, &mut NoFiles).unwrap());
        assert_ne!(one, bind(&spec, &f32s(1), 2, &mut NoFiles).unwrap());
    }

    #[test]
    fn literals_have_the_types_of_the_language() {
        let shown = |text| default_type(&parse_spec(text).unwrap()).map(|ty| ty.to_string());
        assert_eq!(shown("[[1.0], [2.0]]").as_deref(), Some("f64[?, ?]"));
        assert_eq!(shown("(1, [true])").as_deref(), Some("(i64, bool[?])"));
        assert_eq!(shown("zeros:f32[2,2]").as_deref(), Some("f32[?, ?]"));
    }
}
