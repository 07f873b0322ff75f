//! Every scalar operation on every type, special values against special values and random ones:
//! the same bits as `we3_ir::eval`, without optimisation and with all of it, from SSE2 to all that
//! this machine has, in loops (which LLVM vectorises) and on explicit vectors.

mod harness;

use harness::{Random, call, edges, from_bytes, load, parse, targets, to_bytes};
use we3_device::{ArgSlot, OutputLayout};
use we3_ir::{BinaryOp, CompareOp, Scalar, UnaryOp, eval};

type Meaning = Box<dyn Fn(&[u64]) -> u64>;

/// An entry of the test module: what it applies, and the meaning of that.
struct Case {
    name: String,
    opcode: String,
    operands: Vec<Scalar>,
    result: Scalar,
    meaning: Meaning,
}

const UNARY: [(UnaryOp, &str); 11] = [
    (UnaryOp::Neg, "neg"),
    (UnaryOp::Not, "not"),
    (UnaryOp::Abs, "abs"),
    (UnaryOp::Sqrt, "sqrt"),
    (UnaryOp::Floor, "floor"),
    (UnaryOp::Ceil, "ceil"),
    (UnaryOp::Trunc, "trunc"),
    (UnaryOp::RoundEven, "round_even"),
    (UnaryOp::CountOnes, "count_ones"),
    (UnaryOp::LeadingZeros, "leading_zeros"),
    (UnaryOp::TrailingZeros, "trailing_zeros"),
];

const BINARY: [(BinaryOp, &str); 18] = [
    (BinaryOp::Add, "add"),
    (BinaryOp::Sub, "sub"),
    (BinaryOp::Mul, "mul"),
    (BinaryOp::Div, "div"),
    (BinaryOp::Rem, "rem"),
    (BinaryOp::Min, "min"),
    (BinaryOp::Max, "max"),
    (BinaryOp::And, "and"),
    (BinaryOp::Or, "or"),
    (BinaryOp::Xor, "xor"),
    (BinaryOp::Shl, "shl"),
    (BinaryOp::Shr, "shr"),
    (BinaryOp::RotateLeft, "rotate_left"),
    (BinaryOp::MulHi, "mulhi"),
    (BinaryOp::CopySign, "copysign"),
    (BinaryOp::AddSat, "add_sat"),
    (BinaryOp::SubSat, "sub_sat"),
    (BinaryOp::MulSat, "mul_sat"),
];

const COMPARE: [(CompareOp, &str); 6] = [
    (CompareOp::Eq, "eq"),
    (CompareOp::Ne, "ne"),
    (CompareOp::Lt, "lt"),
    (CompareOp::Le, "le"),
    (CompareOp::Gt, "gt"),
    (CompareOp::Ge, "ge"),
];

/// All operations that take this type first.
fn cases(ty: Scalar) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |opcode: String, operands: Vec<Scalar>, result: Scalar, meaning: Meaning| {
        let name = opcode.replace('.', "_");
        cases.push(Case { name, opcode, operands, result, meaning });
    };
    for (op, name) in UNARY {
        add(name.into(), vec![ty], ty, Box::new(move |args| eval::unary(op, ty, args[0])));
    }
    for (op, name) in BINARY {
        add(name.into(), vec![ty; 2], ty, Box::new(move |args| eval::binary(op, ty, args[0], args[1])));
    }
    for (op, name) in COMPARE {
        let meaning = move |args: &[u64]| u64::from(eval::compare(op, ty, args[0], args[1]));
        add(name.into(), vec![ty; 2], Scalar::Bool, Box::new(meaning));
    }
    add("fma".into(), vec![ty; 3], ty, Box::new(move |args| eval::fma(ty, args[0], args[1], args[2])));
    for to in Scalar::ALL {
        add(format!("convert.{to}"), vec![ty], to, Box::new(move |args| eval::convert(ty, to, args[0])));
        if to.bits() == ty.bits() {
            add(format!("bitcast.{to}"), vec![ty], to, Box::new(|args| args[0]));
        }
    }
    cases.retain(|case| {
        let text = format!("loop module\n\n{}", case.text(1));
        we3_ir::verify::verify(&parse(&text)).is_ok()
    });
    cases
}

impl Case {
    /// An entry that applies the operation to each element, one by one or `lanes` at a time.
    fn text(&self, lanes: usize) -> String {
        let shaped = |ty: Scalar| if lanes == 1 { ty.to_string() } else { format!("{ty}x{lanes}") };
        let mut params = String::from("%0: i64");
        let mut loads = String::new();
        let mut list = Vec::new();
        for (number, ty) in self.operands.iter().enumerate() {
            params.push_str(&format!(", %{}: buffer {ty}", number + 1));
            loads.push_str(&format!("    %{}: {} = load %{}, %9\n", number + 10, shaped(*ty), number + 1));
            list.push(format!("%{}", number + 10));
        }
        format!(
            "entry func @{}_{lanes}({params}) -> () {{
  %5: buffer {result} = output.{result} 0 %0
  %6: i64 = const 0
  %7: i64 = const {lanes}
  for.parallel %6, %0, %7 {{
  b(%9: i64):
{loads}    %13: {shaped} = {} {}
    store %5, %9, %13
    yield
  }}
  return
}}
",
            self.name,
            self.opcode,
            list.join(", "),
            result = self.result,
            shaped = shaped(self.result),
        )
    }

    /// Operands: special values in all combinations (up to a number), then random ones.
    fn inputs(&self) -> Vec<Vec<u64>> {
        let mut random =
            Random(self.opcode.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31) + u64::from(byte)));
        let specials: Vec<Vec<u64>> = self.operands.iter().map(|ty| edges(*ty)).collect();
        let total: usize = specials.iter().map(Vec::len).product();
        let mut columns = vec![Vec::new(); self.operands.len()];
        let mut push = |tuple: &dyn Fn(usize, &mut Random) -> u64, random: &mut Random| {
            for (number, column) in columns.iter_mut().enumerate() {
                column.push(tuple(number, random));
            }
        };
        for index in 0..total.min(20_000) {
            // All combinations when there are few enough, else a random choice of them.
            let index = if total <= 20_000 { index } else { (random.next() % total as u64) as usize };
            let tuple = |number: usize, _: &mut Random| {
                let below: usize = specials[..number].iter().map(Vec::len).product();
                specials[number][index / below % specials[number].len()]
            };
            push(&tuple, &mut random);
        }
        for _ in 0..2000 {
            let tuple =
                |number: usize, random: &mut Random| random.next() >> (64 - self.operands[number].bits());
            push(&tuple, &mut random);
        }
        // A multiple of the vector length plus nothing: explicit vectors take whole ones.
        let whole = columns[0].len() / 8 * 8;
        columns.iter_mut().for_each(|column| column.truncate(whole));
        columns
    }
}

fn check_type(ty: Scalar) {
    let cases = cases(ty);
    assert!(cases.len() > 10, "{ty} has few operations: {}", cases.len());
    let mut text = String::from("loop module\n");
    for case in &cases {
        text.push_str(&format!("\n{}\n{}", case.text(1), case.text(8)));
    }
    let module = parse(&text);
    let inputs: Vec<Vec<Vec<u64>>> = cases.iter().map(Case::inputs).collect();
    let wanted: Vec<Vec<u64>> =
        cases.iter().zip(&inputs).map(|(case, columns)| expected(case, columns)).collect();
    for (number, target) in targets().into_iter().enumerate() {
        for opt_level in if number == 0 { vec![0, 3] } else { vec![3] } {
            let object = load(&module, &target, opt_level);
            for ((case, columns), wanted) in cases.iter().zip(&inputs).zip(&wanted) {
                for lanes in [1, 8] {
                    let got = run(&object, case, lanes, columns);
                    compare(
                        case,
                        columns,
                        wanted,
                        &got,
                        &format!("{lanes} lanes, -O{opt_level}, {}", target.cpu),
                    );
                }
            }
        }
    }
}

fn expected(case: &Case, columns: &[Vec<u64>]) -> Vec<u64> {
    (0..columns[0].len())
        .map(|row| {
            let tuple: Vec<u64> = columns.iter().map(|column| column[row]).collect();
            (case.meaning)(&tuple)
        })
        .collect()
}

fn run(object: &we3_device::LoadedObject, case: &Case, lanes: usize, columns: &[Vec<u64>]) -> Vec<u64> {
    let bytes: Vec<Vec<u8>> =
        case.operands.iter().zip(columns).map(|(ty, column)| to_bytes(*ty, column)).collect();
    let mut args = vec![ArgSlot::Scalar(columns[0].len() as u64)];
    args.extend(bytes.iter().map(|bytes| ArgSlot::Buffer(bytes)));
    let layout = OutputLayout::dense(0, case.result.bytes());
    let name = format!("{}_{lanes}", case.name);
    let outcome = call(object, &name, &args, 0, &[layout]).unwrap_or_else(|error| panic!("{name}: {error}"));
    from_bytes(case.result, outcome.groups[&0].as_slice())
}

fn compare(case: &Case, columns: &[Vec<u64>], wanted: &[u64], got: &[u64], how: &str) {
    assert_eq!(wanted.len(), got.len());
    let different: Vec<usize> = (0..wanted.len()).filter(|row| wanted[*row] != got[*row]).collect();
    if let Some(row) = different.first() {
        let tuple: Vec<String> = columns.iter().map(|column| format!("{:#x}", column[*row])).collect();
        panic!(
            "{} of {}({}): {:#x} instead of {:#x} ({} rows differ; {how})",
            case.opcode,
            case.operands[0],
            tuple.join(", "),
            got[*row],
            wanted[*row],
            different.len()
        );
    }
}

/// Every operation, as scalar and on vectors, in kernels for NVIDIA GPUs: what `ptxas` accepts.
#[test]
fn every_operation_assembles_for_gpus() {
    let mut text = String::from("loop module\n");
    for ty in Scalar::ALL {
        for case in cases(ty) {
            for lanes in [1, 4] {
                text.push_str(&format!("\n{}", case.text(lanes).replace("func @", &format!("func @{ty}_"))));
            }
        }
    }
    harness::ptx::assemble_everywhere(&parse(&text), &[0, 3]);
}

/// On other architectures than this machine's nothing can be run here, but an object that imports
/// nothing (the backend looks) calls no library.
#[test]
fn no_operation_calls_a_library_on_other_architectures() {
    use we3_backend_api::{Arch, Emit, Target};
    let mut text = String::from("loop module\n");
    for ty in Scalar::ALL {
        for case in cases(ty) {
            text.push_str(&format!("\n{}", case.text(1).replace("func @", &format!("func @{ty}_"))));
        }
    }
    let module = parse(&text);
    for arch in [Arch::Aarch64, Arch::Riscv64] {
        for opt_level in [0, 2] {
            let target = Target { arch, cpu: String::new(), features: Vec::new() };
            harness::compile(&module, &target, Emit::Object, opt_level);
        }
    }
}

macro_rules! types {
    ($($name:ident: $ty:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            check_type(Scalar::$ty);
        })*
    };
}

types! {
    every_operation_on_bool: Bool, every_operation_on_i8: I8, every_operation_on_i16: I16,
    every_operation_on_i32: I32, every_operation_on_i64: I64, every_operation_on_u8: U8,
    every_operation_on_u16: U16, every_operation_on_u32: U32, every_operation_on_u64: U64,
    every_operation_on_f16: F16, every_operation_on_bf16: Bf16, every_operation_on_f32: F32,
    every_operation_on_f64: F64,
}
