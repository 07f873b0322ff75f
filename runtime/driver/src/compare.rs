//! Whether two values have the same bits, and where they first differ.

use crate::value::{HostArray, HostValue};

/// Whether two values are the same bit for bit, and if not, where they first differ: `[3, 1].re`.
pub fn first_difference(left: &HostValue, right: &HostValue) -> Option<String> {
    match (left, right) {
        (HostValue::Scalar(a), HostValue::Scalar(b)) => (a != b).then(String::new),
        (HostValue::Array(a), HostValue::Array(b)) => array_difference(a, b),
        (HostValue::Tuple(a), HostValue::Tuple(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(number, (x, y))| first_difference(x, y).map(|inner| format!(".{number}{inner}"))),
        (HostValue::Record { fields: a, .. }, HostValue::Record { fields: b, .. }) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .find_map(|((name, x), (_, y))| first_difference(x, y).map(|inner| format!(".{name}{inner}"))),
        (HostValue::Scalar(_) | HostValue::Array(_) | HostValue::Tuple(_) | HostValue::Record { .. }, _) => {
            Some(String::from(" (another type)"))
        }
    }
}

fn array_difference(a: &HostArray, b: &HostArray) -> Option<String> {
    if a.sizes() != b.sizes() {
        return Some(format!(" (sizes {:?} and {:?})", a.sizes(), b.sizes()));
    }
    if a.layout() != b.layout() {
        return Some(String::from(" (another type)"));
    }
    if a.bytes() == b.bytes() {
        return None;
    }
    // Padding may differ; elements decide.
    (0..a.count()).find_map(|number| {
        let inner = first_difference(&a.element(number), &b.element(number))?;
        Some(format!("{}{inner}", subscripts(number, a.sizes())))
    })
}

fn subscripts(number: usize, sizes: &[u64]) -> String {
    let mut rest = number as u64;
    let mut parts = Vec::new();
    for size in sizes.iter().rev() {
        parts.push((rest % size).to_string());
        rest /= size;
    }
    parts.reverse();
    format!("[{}]", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bind::{NoFiles, bind};
    use crate::spec::parse_spec;
    use crate::value::HostType;
    use we3_ir::Scalar;

    fn value(text: &str, elem: Scalar, rank: usize) -> HostValue {
        let ty = HostType::array(HostType::Scalar(elem), rank);
        bind(&parse_spec(text).unwrap(), &ty, 1, &mut NoFiles).unwrap()
    }

    #[test]
    fn differences_are_named_by_their_place() {
        let a = value("[[1, 2], [3, 4]]", Scalar::F32, 2);
        let b = value("[[1, 2], [3, 5]]", Scalar::F32, 2);
        assert_eq!(first_difference(&a, &b).as_deref(), Some("[1, 1]"));
        let zero = value("[0.0]", Scalar::F32, 1);
        let minus = value("[-0.0]", Scalar::F32, 1);
        assert_eq!(first_difference(&zero, &minus).as_deref(), Some("[0]"));
    }
}
