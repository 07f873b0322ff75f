//! Every function of `std::math` on the vectors of `tests/data/math`, against correctly rounded results of mpmath
//! (`scripts/math_vectors.py --check` computes them anew), with the bound that `docs/math.md` states, on every
//! configuration, bit for bit the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use we3_driver::executable::Budget;
use we3_driver::plan::Plan;
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::value::{HostArray, HostType, HostValue};
use we3_driver::{Const, Scalar};
use we3_tests::suite::{configs, pool, repository};

/// A file: one function at one type.
struct Vectors {
    function: String,
    ty: Scalar,
    /// One list of bits for each argument.
    inputs: Vec<Vec<u64>>,
    results: Vec<u64>,
}

fn read_vectors(path: &PathBuf) -> Vectors {
    let stem = path.file_stem().expect("a name").to_string_lossy();
    let (function, ty) = stem.rsplit_once('_').expect("`name_f32` or `name_f64`");
    let text = std::fs::read_to_string(path).expect("a file of vectors");
    let bits = |text: &str| u64::from_str_radix(text, 16).expect("bits in hexadecimal");
    let rows: Vec<Vec<u64>> = text.lines().skip(1).map(|line| line.split(',').map(bits).collect()).collect();
    let n_args = rows[0].len() - 1;
    Vectors {
        function: function.to_owned(),
        ty: Scalar::from_name(ty).expect("a float type"),
        inputs: (0..n_args).map(|arg| rows.iter().map(|row| row[arg]).collect()).collect(),
        results: rows.iter().map(|row| row[n_args]).collect(),
    }
}

fn all_vectors() -> Vec<Vectors> {
    let folder = repository().join("tests/data/math");
    let entries = std::fs::read_dir(folder).expect("tests/data/math");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    paths.sort();
    paths.iter().map(read_vectors).collect()
}

/// The bounds in ulps that the tables of `docs/math.md` state, by type and function.
fn stated_bounds() -> BTreeMap<(String, String), f64> {
    let text = std::fs::read_to_string(repository().join("docs/math.md")).expect("docs/math.md");
    let mut bounds = BTreeMap::new();
    let mut section = "";
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, names, _, errors, ..] = cells.as_slice() else { continue };
        let names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        let errors: Vec<f64> = errors.split(',').filter_map(largest).collect();
        for (number, name) in names.iter().enumerate() {
            let bound = errors.get(number).or(errors.last()).expect("a row with its error");
            bounds.insert((section.to_owned(), (*name).to_owned()), *bound);
        }
    }
    bounds
}

/// The largest number of `0.51; 0.75 where it is denormal`.
fn largest(cell: &str) -> Option<f64> {
    let numbers = cell.split([';', ' ']).filter_map(|word| word.parse::<f64>().ok());
    numbers.fold(None, |most: Option<f64>, number| Some(most.map_or(number, |most| most.max(number))))
}

fn array(ty: Scalar, bits: &[u64]) -> HostValue {
    let mut array = HostArray::zeros(HostType::Scalar(ty), vec![bits.len() as u64]).expect("a small array");
    for (number, bits) in bits.iter().enumerate() {
        array.set_element(number, &HostValue::scalar(ty, *bits));
    }
    HostValue::Array(array)
}

/// What the function gives on one configuration.
fn results(vectors: &Vectors, plan: &Plan) -> Result<Vec<u64>, String> {
    let (params, args): (Vec<String>, Vec<String>) = (0..vectors.inputs.len())
        .map(|number| (format!("x{number}: {}[n]", vectors.ty), format!("x{number}")))
        .unzip();
    let (ty, function) = (vectors.ty, &vectors.function);
    let text = format!("pub fn f({}) -> {ty}[n] = {function}({});", params.join(", "), args.join(", "));
    let mut session = Session::open(&Sources::from_text("vectors.we3", text), SessionOptions::default());
    let run = |session: &mut Session| {
        let entry = session.entry("f")?.clone();
        let kernel = session.kernel(&entry)?;
        let executable = session.build(&|_| true, plan)?;
        let args: Vec<HostValue> = vectors.inputs.iter().map(|bits| array(ty, bits)).collect();
        executable.call(&kernel, &args, Budget::default())
    };
    match run(&mut session) {
        Ok(HostValue::Array(found)) => Ok((0..found.count()).map(|number| bits_of(&found, number)).collect()),
        Ok(other) => Err(format!("gave {}", other.ty())),
        Err(failure) => Err(failure.summary()),
    }
}

fn bits_of(array: &HostArray, number: usize) -> u64 {
    match array.element(number) {
        HostValue::Scalar(Const { bits, .. }) => bits,
        other => panic!("an element of type {}", other.ty()),
    }
}

/// Places of the finite floats and infinities of a type in their order; a NaN has none.
fn place(ty: Scalar, bits: u64) -> Option<i64> {
    let (sign, infinity) = match ty {
        Scalar::F32 => (1 << 31, 0x7f80_0000),
        _ => (1 << 63, 0x7ff0_0000_0000_0000),
    };
    let size = (bits & (sign - 1)) as i64;
    let place = if bits & sign == 0 { size } else { -size };
    (size <= infinity).then_some(place)
}

/// Whether a result is within the bound of the exact one, of which `wanted` is the nearest float: then it is at most
/// `bound + 1/2` from that. Where an input is zero, infinite or NaN, the bits are those of C's Annex F.
fn is_near(vectors: &Vectors, row: usize, found: u64, bound: f64) -> bool {
    let wanted = vectors.results[row];
    let special =
        |bits: u64| place(vectors.ty, bits).is_none_or(|place| place == 0 || is_infinite(vectors.ty, bits));
    if found == wanted {
        return true;
    }
    if vectors.inputs.iter().any(|input| special(input[row])) {
        return false;
    }
    match (place(vectors.ty, found), place(vectors.ty, wanted)) {
        // Zeros of two signs have one place, and are a wrong sign.
        (Some(found), Some(wanted)) => found != wanted && (found - wanted).abs() as f64 <= bound + 0.5,
        _ => false,
    }
}

fn is_infinite(ty: Scalar, bits: u64) -> bool {
    let infinity = if ty == Scalar::F32 { 0x7f80_0000 } else { 0x7ff0_0000_0000_0000 };
    place(ty, bits).is_some_and(|place| place.abs() == infinity)
}

/// Failures of one file, and how many rows are not the nearest float.
fn tried(vectors: &Vectors, bounds: &BTreeMap<(String, String), f64>) -> (Vec<String>, usize) {
    let name = format!("{}_{}", vectors.function, vectors.ty);
    let Some(bound) = bounds.get(&(vectors.ty.to_string(), vectors.function.clone())) else {
        return (vec![format!("{name}: docs/math.md states no bound")], 0);
    };
    let reference = match results(vectors, &configs::reference()) {
        Ok(reference) => reference,
        Err(fault) => return (vec![format!("{name}: {fault}")], 0),
    };
    let mut failures = Vec::new();
    for (row, found) in reference.iter().enumerate() {
        if !is_near(vectors, row, *found, *bound) {
            let inputs: Vec<String> =
                vectors.inputs.iter().map(|input| format!("{:x}", input[row])).collect();
            let wanted = vectors.results[row];
            failures.push(format!("{name}({}): {found:x}, correctly rounded {wanted:x}", inputs.join(", ")));
        }
    }
    for plan in configs::others() {
        match results(vectors, &plan) {
            Ok(found) if found == reference => {}
            Ok(_) => failures.push(format!("{name}: other bits on {}", plan.describe())),
            Err(fault) => failures.push(format!("{name} on {}: {fault}", plan.describe())),
        }
    }
    let off = reference.iter().zip(&vectors.results).filter(|(found, wanted)| found != wanted).count();
    (failures, off)
}

#[test]
fn math_functions_are_within_their_stated_bounds_on_every_backend() {
    let (all, bounds) = (all_vectors(), stated_bounds());
    assert!(bounds.values().all(|bound| (0.5..1.0).contains(bound)), "no bound reaches one ulp: {bounds:?}");
    for (ty, function) in bounds.keys() {
        let there = all.iter().any(|one| one.ty.to_string() == *ty && one.function == *function);
        assert!(there, "docs/math.md names {function} of {ty}, which has no vectors");
    }
    let outcomes = pool::map(&all, |vectors| tried(vectors, &bounds));
    let rows: usize = all.iter().map(|vectors| vectors.results.len()).sum();
    let off: usize = outcomes.iter().map(|(_, off)| off).sum();
    println!("math vectors: {} files, {rows} rows, {off} not the nearest float", all.len());
    let failures: Vec<String> = outcomes.into_iter().flat_map(|(failures, _)| failures).collect();
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}
