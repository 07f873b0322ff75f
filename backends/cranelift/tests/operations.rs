//! Every operation × every type × special values, on arrays, with constant operands and on vectors,
//! compared with the definition in `we3_ir::eval`, on every target this machine can run.

mod harness;

use std::fmt::Write as _;
use std::sync::OnceLock;

use harness::operations::{Operation, all, array_module};
use harness::values::{Random, from_bytes, samples, special, to_bytes};
use harness::{call, load, targets};
use we3_backend_api::Target;
use we3_device::{ArgSlot, LoadedObject, OutputLayout};
use we3_ir::{BinaryOp, Scalar, eval};

/// Columns of arguments: every special value against every other one.
fn columns(operation: Operation) -> Vec<Vec<u64>> {
    let operands = operation.operands();
    let count = match operands.len() {
        1 => 2000,
        2 => 90,
        _ => 24,
    };
    let sets: Vec<Vec<u64>> = operands
        .iter()
        .map(|ty| {
            let mut set = samples(*ty, count);
            if operands.len() == 3 && set.len() > 40 {
                // All cubes of all specials would be too many: every third, from both ends.
                set = set.iter().step_by(3).copied().collect();
            }
            set
        })
        .collect();
    let total: usize = sets.iter().map(Vec::len).product();
    // A multiple of the widest vector.
    let total = total.next_multiple_of(64);
    let mut columns = vec![Vec::with_capacity(total); sets.len()];
    for row in 0..total {
        let mut rest = row;
        for (column, set) in columns.iter_mut().zip(&sets) {
            column.push(set[rest % set.len()]);
            rest /= set.len();
        }
    }
    columns
}

/// What every operation returns for its columns; computed once for all tests.
fn expectations() -> &'static [Vec<u64>] {
    static TABLE: OnceLock<Vec<Vec<u64>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        all()
            .iter()
            .map(|operation| expected(&columns(*operation), |args| operation.expected(args)))
            .collect()
    })
}

/// A function of every row.
fn expected(columns: &[Vec<u64>], of: impl Fn(&[u64]) -> u64) -> Vec<u64> {
    let row = |row: usize| -> Vec<u64> { columns.iter().map(|column| column[row]).collect() };
    (0..columns[0].len()).map(|number| of(&row(number))).collect()
}

fn check_columns(
    object: &LoadedObject,
    name: &str,
    operation: Operation,
    result: Scalar,
    target: &Target,
    columns: &[Vec<u64>],
    expected: &[u64],
) {
    let n = columns[0].len();
    let operands = operation.operands();
    let buffers: Vec<Vec<u8>> =
        operands.iter().zip(columns).map(|(ty, column)| to_bytes(*ty, column)).collect();
    let mut args = vec![ArgSlot::Scalar(n as u64)];
    args.extend(buffers.iter().map(|buffer| ArgSlot::Buffer(buffer)));
    let outcome = call(object, name, &args, 0, &[OutputLayout::dense(0, result.bytes())]).expect("runs");
    let got = from_bytes(result, outcome.groups[&0].as_slice());
    assert_eq!(got.len(), expected.len());
    if let Some(row) = (0..got.len()).find(|row| got[*row] != expected[*row]) {
        let args: Vec<u64> = columns.iter().map(|column| column[row]).collect();
        panic!(
            "{operation:?} of {args:x?} on {:?}: {:#x}, not {:#x}",
            target.features, got[row], expected[row]
        );
    }
}

fn check_arrays(lanes: usize, opt_level: u8) {
    let operations = all();
    assert!(operations.len() > 500, "only {} operations", operations.len());
    let text = array_module(&operations, lanes);
    for target in targets() {
        let object = load(&text, &target, opt_level);
        for (number, operation) in operations.iter().enumerate() {
            let (columns, expected) = (columns(*operation), &expectations()[number]);
            check_columns(
                &object,
                &format!("o{number}"),
                *operation,
                operation.result(),
                &target,
                &columns,
                expected,
            );
        }
    }
}

#[test]
fn every_operation_on_arrays_is_what_eval_says() {
    check_arrays(1, 3);
}

#[test]
fn every_operation_unoptimised_is_what_eval_says() {
    check_arrays(1, 0);
}

#[test]
fn every_operation_on_vectors_is_what_eval_says() {
    for lanes in [2, 16] {
        check_arrays(lanes, 3);
    }
}

#[test]
fn every_operation_on_wide_vectors_is_what_eval_says() {
    check_arrays(64, 0);
}

/// `select` of vectors by a comparison of them, which need not become `bool` lanes.
fn selecting_entry(name: &str, compare: Operation, lanes: usize) -> String {
    let ty = compare.operand();
    let op = compare.text();
    format!(
        "entry func @{name}(%0: i64, %1: buffer {ty}, %2: buffer {ty}) -> () {{
  %3: buffer {ty} = output.{ty} 0 %0
  %4: i64 = const 0
  %5: i64 = const {lanes}
  for.serial %4, %0, %5 {{
  b(%6: i64):
    %7: {ty}x{lanes} = load %1, %6
    %8: {ty}x{lanes} = load %2, %6
    %9: boolx{lanes} = {op} %7, %8
    %10: {ty}x{lanes} = select %9, %7, %8
    store %3, %6, %10
    yield
  }}
  return
}}

"
    )
}

#[test]
fn a_select_by_a_comparison_of_vectors_takes_the_right_lanes() {
    let compares: Vec<Operation> =
        all().into_iter().filter(|operation| matches!(operation, Operation::Compare(..))).collect();
    for lanes in [4, 16] {
        let mut text = String::from("loop module\n\n");
        for (number, compare) in compares.iter().enumerate() {
            text.push_str(&selecting_entry(&format!("o{number}"), *compare, lanes));
        }
        for target in targets() {
            let object = load(&text, &target, 3);
            for (number, compare) in compares.iter().enumerate() {
                let columns = columns(*compare);
                let expected =
                    expected(&columns, |args| args[if compare.expected(args) != 0 { 0 } else { 1 }]);
                let name = format!("o{number}");
                check_columns(&object, &name, *compare, compare.operand(), &target, &columns, &expected);
            }
        }
    }
}

/// An entry that returns the operation of its parameter and each constant as second operand.
fn constant_entry(name: &str, operation: Operation, constants: &[u64]) -> String {
    let ty = operation.operand();
    let result = operation.result();
    let results = vec![result.to_string(); constants.len()].join(", ");
    let mut text = format!("entry func @{name}(%0: {ty}) -> ({results}) {{\n");
    let mut returned = Vec::new();
    for (k, constant) in constants.iter().enumerate() {
        let [right, value] = [2 * k + 1, 2 * k + 2];
        let constant = we3_ir::text::print_constant(we3_ir::Const { ty, bits: *constant });
        let _ = writeln!(text, "  %{right}: {ty} = const {constant}");
        let _ = writeln!(text, "  %{value}: {result} = {} %0, %{right}", operation.text());
        returned.push(format!("%{value}"));
    }
    let _ = write!(text, "  return {}\n}}\n\n", returned.join(", "));
    text
}

#[test]
fn constant_right_operands_change_nothing() {
    let operations: Vec<Operation> = all()
        .into_iter()
        .filter(|operation| matches!(operation, Operation::Binary(..) | Operation::Compare(..)))
        .collect();
    let mut text = String::from("loop module\n\n");
    for (number, operation) in operations.iter().enumerate() {
        text.push_str(&constant_entry(&format!("o{number}"), *operation, &special(operation.operand())));
    }
    for target in [targets()[0].clone(), we3_device::host_target()] {
        let object = load(&text, &target, 3);
        for (number, operation) in operations.iter().enumerate() {
            let values = special(operation.operand());
            for left in &values {
                let args = [ArgSlot::Scalar(*left)];
                let outcome = call(&object, &format!("o{number}"), &args, values.len(), &[]).expect("runs");
                for (right, got) in values.iter().zip(outcome.results) {
                    let expected = operation.expected(&[*left, *right]);
                    assert_eq!(got, expected, "{operation:?} of {left:#x} and the constant {right:#x}");
                }
            }
        }
    }
}

/// An entry without parameters: everything can be folded while compiling.
fn folded_entry(name: &str, operation: Operation, rows: &[Vec<u64>]) -> String {
    let result = operation.result();
    let results = vec![result.to_string(); rows.len()].join(", ");
    let mut text = format!("entry func @{name}() -> ({results}) {{\n");
    let mut returned = Vec::new();
    let mut next = 0;
    for row in rows {
        let mut args = Vec::new();
        for (ty, bits) in operation.operands().into_iter().zip(row) {
            let constant = we3_ir::text::print_constant(we3_ir::Const { ty, bits: *bits });
            let _ = writeln!(text, "  %{next}: {ty} = const {constant}");
            args.push(format!("%{next}"));
            next += 1;
        }
        let _ = writeln!(text, "  %{next}: {result} = {} {}", operation.text(), args.join(", "));
        returned.push(format!("%{next}"));
        next += 1;
    }
    let _ = write!(text, "  return {}\n}}\n\n", returned.join(", "));
    text
}

#[test]
fn folding_constants_changes_nothing() {
    let operations = all();
    let rows = |operation: Operation| -> Vec<Vec<u64>> {
        let columns = columns(operation);
        // A stride without common factor with the sets' sizes meets all kinds of pairs.
        (0..columns[0].len())
            .step_by(columns[0].len().div_ceil(61))
            .map(|row| columns.iter().map(|c| c[row]).collect())
            .collect()
    };
    let mut text = String::from("loop module\n\n");
    for (number, operation) in operations.iter().enumerate() {
        text.push_str(&folded_entry(&format!("o{number}"), *operation, &rows(*operation)));
    }
    let object = load(&text, &we3_device::host_target(), 3);
    for (number, operation) in operations.iter().enumerate() {
        let rows = rows(*operation);
        let outcome = call(&object, &format!("o{number}"), &[], rows.len(), &[]).expect("runs");
        for (row, got) in rows.iter().zip(outcome.results) {
            assert_eq!(got, operation.expected(row), "{operation:?} of the constants {row:x?}");
        }
    }
}

/// Triples whose product and addend nearly cancel, are far apart, or end among the denormals.
fn close_triples(ty: Scalar, count: usize) -> Vec<Vec<u64>> {
    let mut random = Random(42);
    let (fraction, bias) = if ty == Scalar::F64 { (52, 1023) } else { (23, 127) };
    let sign = 1 << (ty.bits() - 1);
    let mut columns = vec![Vec::new(); 3];
    for _ in 0..count {
        let mut float = |exponent: i64, bits: u64| {
            let field = exponent.clamp(0, 2 * bias) as u64;
            (random.next_bits() & sign) | (field << fraction) | (bits & ((1 << fraction) - 1))
        };
        let mut parts = Random(columns[0].len() as u64 ^ 0x5eed);
        let mut near = |wide: usize| parts.below(wide) as i64 - wide as i64 / 2;
        let [far, b_exponent] = [near(2 * bias as usize), near(bias as usize)];
        let a_exponent = if far % 3 == 0 { far + bias } else { bias };
        // Few significant bits make exact products and ties.
        let thin = |bits: u64| if bits.is_multiple_of(2) { bits << (fraction - 12) } else { bits };
        let (a, b) = (thin(parts.next_bits()), thin(parts.next_bits()));
        let a = float(a_exponent, a);
        let b = float(bias + b_exponent, b);
        let product = eval::binary(BinaryOp::Mul, ty, a, b);
        let c = match parts.below(4) {
            0 => product ^ sign,
            1 => (product ^ sign).wrapping_add(parts.below(5) as u64).wrapping_sub(2),
            2 => float(a_exponent + b_exponent + parts.below(120) as i64 - 60, parts.next_bits()),
            _ => float(a_exponent + b_exponent - fraction as i64 + parts.below(5) as i64 - 2, 0),
        };
        for (column, value) in columns.iter_mut().zip([a, b, c]) {
            column.push(value & (u64::MAX >> (64 - ty.bits())));
        }
    }
    columns
}

#[test]
fn multiply_add_without_the_instruction_rounds_once() {
    for ty in [Scalar::F32, Scalar::F64] {
        let operation = Operation::Fma(ty);
        let text = array_module(&[operation], 1);
        let columns = close_triples(ty, 100_000);
        let expected = expected(&columns, |args| operation.expected(args));
        for target in targets() {
            let object = load(&text, &target, 3);
            check_columns(&object, "o0", operation, ty, &target, &columns, &expected);
        }
    }
}
