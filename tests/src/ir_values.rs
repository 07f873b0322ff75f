//! Arguments and results in the `; run:` lines of IR tests: scalars as IR constants, arrays as nested lists
//! or `count * value`.

use we3_backend_interp::{RunArray, RunValue};
use we3_ir::text::{parse_constant, print_constant};
use we3_ir::{Const, Func, FuncId, Module, Scalar, Type};

/// The function and arguments of `@f(1, [1.0, 2.0])`.
pub fn parse_run(module: &Module, call: &str) -> Result<(FuncId, Vec<RunValue>), String> {
    let (name, args) = call.split_once('(').ok_or("expected `@f(…)`")?;
    let name = name.trim().trim_start_matches('@');
    let func = module.find(name).ok_or_else(|| format!("there is no @{name}"))?;
    let args = args.trim().strip_suffix(')').ok_or("expected `)`")?;
    let types: Vec<&Type> =
        module.funcs[func].params().iter().map(|param| module.funcs[func].ty(*param)).collect();
    let texts = split(args);
    if texts.len() != types.len() {
        return Err(format!("{} arguments for {} parameters", texts.len(), types.len()));
    }
    let mut values: Vec<RunValue> = Vec::new();
    for (text, ty) in texts.iter().zip(types) {
        let value = match ty {
            Type::Scalar(scalar) => RunValue::Scalar(scalar_bits(*scalar, text)?),
            Type::Array(elem, _) | Type::Buffer(elem) | Type::Vector(elem, _) => {
                let mut array = array(*elem, text)?;
                if array.data.is_empty() {
                    // An empty list says nothing about its axes: the arguments before it do.
                    array.sizes = sizes_before(&module.funcs[func], ty, &values);
                }
                RunValue::Array(array)
            }
        };
        values.push(value);
    }
    Ok((func, values))
}

fn sizes_before(func: &Func, ty: &Type, values: &[RunValue]) -> Vec<i64> {
    let size = |value: &we3_ir::Value| {
        let number = func.params().iter().position(|param| param == value);
        match number.and_then(|number| values.get(number)) {
            Some(RunValue::Scalar(bits)) => *bits as i64,
            Some(RunValue::Array(_)) | None => 0,
        }
    };
    match ty {
        Type::Array(_, sizes) => sizes.iter().map(size).collect(),
        Type::Scalar(_) | Type::Buffer(_) | Type::Vector(..) => vec![0],
    }
}

/// Splits at commas outside brackets.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in text.char_indices() {
        match character {
            '[' | '(' => depth += 1,
            ']' | ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text[start..].trim().is_empty() {
        parts.push(text[start..].trim());
    }
    parts
}

fn scalar_bits(ty: Scalar, text: &str) -> Result<u64, String> {
    if let Some(bits) = text.strip_prefix("bits(").and_then(|rest| rest.strip_suffix(')')) {
        return parse_constant(Scalar::U64, bits)
            .map(|constant| constant.bits)
            .ok_or(format!("{text}: no bits"));
    }
    parse_constant(ty, text).map(|constant| constant.bits).ok_or_else(|| format!("`{text}` is no {ty}"))
}

fn array(elem: Scalar, text: &str) -> Result<RunArray, String> {
    let (mut sizes, mut data) = (Vec::new(), Vec::new());
    fill(elem, text, 0, &mut sizes, &mut data)?;
    Ok(RunArray { elem, sizes, data })
}

fn fill(
    elem: Scalar,
    text: &str,
    axis: usize,
    sizes: &mut Vec<i64>,
    data: &mut Vec<u8>,
) -> Result<(), String> {
    let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else {
        let bits = scalar_bits(elem, text)?.to_le_bytes();
        data.extend_from_slice(&bits[..elem.bytes() as usize]);
        return Ok(());
    };
    if sizes.len() == axis {
        sizes.push(0);
    }
    let mut count = 0;
    for part in split(inner) {
        let (times, item) = match part.split_once(" * ") {
            Some((times, item)) => {
                (times.trim().parse::<i64>().map_err(|error| error.to_string())?, item.trim())
            }
            None => (1, part),
        };
        for _ in 0..times {
            fill(elem, item, axis + 1, sizes, data)?;
        }
        count += times;
    }
    sizes[axis] = count;
    Ok(())
}

/// Results as a `; run:` line shows them.
pub fn print_values(func: &Func, values: &[RunValue]) -> String {
    let texts: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(number, value)| match value {
            RunValue::Scalar(bits) => {
                let ty = func.results.get(number).map_or(Scalar::U64, Type::element);
                print_constant(Const { ty, bits: *bits })
            }
            RunValue::Array(array) => print_array(array),
        })
        .collect();
    if let [one] = &texts[..] { one.clone() } else { format!("({})", texts.join(", ")) }
}

/// The notes of a failed check.
pub fn print_notes(notes: &[(Scalar, u64)]) -> String {
    let texts: Vec<String> =
        notes.iter().map(|(ty, bits)| print_constant(Const { ty: *ty, bits: *bits })).collect();
    format!("({})", texts.join(", "))
}

fn print_array(array: &RunArray) -> String {
    let width = array.elem.bytes() as usize;
    let mut level: Vec<String> = array
        .data
        .chunks(width)
        .map(|element| {
            let mut bits = [0; 8];
            bits[..element.len()].copy_from_slice(element);
            print_constant(Const { ty: array.elem, bits: u64::from_le_bytes(bits) })
        })
        .collect();
    for (axis, size) in array.sizes.iter().enumerate().rev() {
        let size = usize::try_from(*size).unwrap_or(0);
        level = if size == 0 {
            let rows: i64 = array.sizes[..axis].iter().product();
            vec!["[]".into(); usize::try_from(rows).unwrap_or(0)]
        } else {
            level.chunks(size).map(|row| format!("[{}]", row.join(", "))).collect()
        };
    }
    level.into_iter().next().unwrap_or_else(|| "[]".into())
}
