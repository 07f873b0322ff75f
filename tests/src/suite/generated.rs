//! Generated programs: each operation at each type, on arrays of sizes 0, 1, a tail, several blocks, with
//! special values among the elements. Every configuration must give the interpreter's bits.
//! `make suite-list` prints them.

use std::path::Path;

use we3_device::Threads;
use we3_driver::Scalar;
use we3_driver::executable::{Budget, Executable};
use we3_driver::failure::Failure;
use we3_driver::generate::numbers;
use we3_driver::kernel::Kernel;
use we3_driver::plan::Plan;
use we3_driver::session::{Session, SessionOptions};
use we3_driver::sources::Sources;
use we3_driver::value::{HostType, HostValue};

use super::{FileReport, configs, guarded, program};

/// Sizes: nothing, one, less than a row of lanes, a tail, more than a block of 4096.
pub const SIZES: &[u64] = &[0, 1, 7, 67, 4099];

/// A program that was made up.
#[derive(Clone, Debug)]
pub struct GeneratedProgram {
    /// Its name: `f32 arithmetic`.
    pub name: String,
    /// Its element type.
    pub scalar: Scalar,
    /// Operations: the entry's name and its source.
    pub entries: Vec<(String, String)>,
}

impl GeneratedProgram {
    /// The whole source.
    pub fn source(&self) -> String {
        let mut text = format!("//! Generated: {}.\n", self.name);
        self.entries.iter().for_each(|(_, source)| text.push_str(source));
        text
    }
}

/// All of them.
pub fn programs() -> Vec<GeneratedProgram> {
    let mut all = Vec::new();
    for scalar in Scalar::ALL {
        let mut add = |kind: &str, bodies: Vec<Entry>| {
            if !bodies.is_empty() {
                let entries =
                    bodies.iter().map(|entry| (entry.name.to_owned(), entry.source(scalar))).collect();
                all.push(GeneratedProgram { name: format!("{scalar} {kind}"), scalar, entries });
            }
        };
        add("elementwise", elementwise(scalar));
        add("conversions", conversions(scalar));
        add("reductions", reductions(scalar));
        add("functions", functions(scalar));
    }
    all
}

/// An entry over `a: T[n], b: T[n]`.
struct Entry {
    name: String,
    result: &'static str,
    body: String,
}

impl Entry {
    fn source(&self, scalar: Scalar) -> String {
        let result = self.result.replace('T', scalar.name());
        let body = self.body.replace("$T", scalar.name());
        format!("pub fn {}(a: {scalar}[n], b: {scalar}[n]) -> {result} = {body};\n", self.name)
    }
}

fn map(name: &str, result: &'static str, expr: &str) -> Entry {
    Entry { name: name.to_owned(), result, body: format!("[{expr} for i in 0..n]") }
}

fn whole(name: &str, result: &'static str, body: &str) -> Entry {
    Entry { name: name.to_owned(), result, body: body.to_owned() }
}

fn elementwise(scalar: Scalar) -> Vec<Entry> {
    let mut entries = vec![
        map("eq", "bool[n]", "a[i] == b[i]"),
        map("ne", "bool[n]", "a[i] != b[i]"),
        map("pick", "T[n]", "if a[i] == b[i] { a[i] } else { b[i] }"),
        whole("choose", "T[n]", "select(a == b, a, b)"),
        map("reversed", "T[n]", "a[n - 1 - i]"),
    ];
    if scalar != Scalar::Bool {
        entries.extend([
            map("add", "T[n]", "a[i] + b[i]"),
            map("sub", "T[n]", "a[i] - b[i]"),
            map("mul", "T[n]", "a[i] * b[i]"),
            map("lt", "bool[n]", "a[i] < b[i]"),
            map("le", "bool[n]", "a[i] <= b[i]"),
            map("gt", "bool[n]", "a[i] > b[i]"),
            map("ge", "bool[n]", "a[i] >= b[i]"),
            map("smaller", "T[n]", "min(a[i], b[i])"),
            map("larger", "T[n]", "max(a[i], b[i])"),
            whole("sum_of_both", "T[n]", "a + b"),
        ]);
    }
    if scalar.is_int() {
        entries.extend([
            map("div", "T[n]", "if b[i] == 0 { a[i] } else { a[i] / b[i] }"),
            map("rem", "T[n]", "if b[i] == 0 { a[i] } else { a[i] % b[i] }"),
            map("shl", "T[n]", "a[i] << b[i]"),
            map("shr", "T[n]", "a[i] >> b[i]"),
            map("ones", "T[n]", "count_ones(a[i])"),
            map("leading", "T[n]", "leading_zeros(a[i])"),
            map("trailing", "T[n]", "trailing_zeros(a[i])"),
            map("rotated", "T[n]", "rotate_left(a[i], b[i])"),
            map("high", "T[n]", "mulhi(a[i], b[i])"),
        ]);
    }
    if !scalar.is_float() {
        entries.extend([
            map("and", "T[n]", "a[i] & b[i]"),
            map("or", "T[n]", "a[i] | b[i]"),
            map("xor", "T[n]", "a[i] ^ b[i]"),
            map("not", "T[n]", "!a[i]"),
        ]);
    }
    if scalar.is_signed_int() || scalar.is_float() {
        entries.extend([map("neg", "T[n]", "-a[i]"), map("absolute", "T[n]", "abs(a[i])")]);
    }
    if scalar.is_float() {
        entries.extend([
            map("div", "T[n]", "a[i] / b[i]"),
            map("rem", "T[n]", "a[i] % b[i]"),
            map("root", "T[n]", "sqrt(a[i])"),
            map("down", "T[n]", "floor(a[i])"),
            map("up", "T[n]", "ceil(a[i])"),
            map("cut", "T[n]", "trunc(a[i])"),
            map("rounded", "T[n]", "round_even(a[i])"),
            map("signed", "T[n]", "copysign(a[i], b[i])"),
        ]);
    }
    if matches!(scalar, Scalar::F32 | Scalar::F64) {
        entries.push(map("fused", "T[n]", "mul_add(a[i], b[i], a[n - 1 - i])"));
    }
    entries
}

fn conversions(scalar: Scalar) -> Vec<Entry> {
    let targets = Scalar::ALL.into_iter();
    targets
        .map(|target| {
            // Results have names of their own types; the static table keeps `result` simple.
            let result = match target {
                Scalar::Bool => "bool[n]",
                Scalar::I8 => "i8[n]",
                Scalar::I16 => "i16[n]",
                Scalar::I32 => "i32[n]",
                Scalar::I64 => "i64[n]",
                Scalar::U8 => "u8[n]",
                Scalar::U16 => "u16[n]",
                Scalar::U32 => "u32[n]",
                Scalar::U64 => "u64[n]",
                Scalar::F16 => "f16[n]",
                Scalar::Bf16 => "bf16[n]",
                Scalar::F32 => "f32[n]",
                Scalar::F64 => "f64[n]",
            };
            let name = format!("to_{target}_of_{scalar}");
            Entry { name, result, body: format!("[a[i] as {target} for i in 0..n]") }
        })
        .collect()
}

fn reductions(scalar: Scalar) -> Vec<Entry> {
    if scalar == Scalar::Bool {
        return vec![
            whole("some", "bool", "any(a[i] & b[i] for i in 0..n)"),
            whole("each", "bool", "all(a[i] | b[i] for i in 0..n)"),
            whole("how_many", "i64", "count(a[i] ^ b[i] for i in 0..n)"),
        ];
    }
    vec![
        whole("total", "T", "sum(a)"),
        whole("total_of_products", "T", "sum(a[i] * b[i] for i in 0..n)"),
        whole("total_of_some", "T", "sum(a[i] for i in 0..n if a[i] < b[i])"),
        whole("product", "T", "prod(a)"),
        whole("least", "T", "min(init = b[0], a[i] for i in 0..n)"),
        whole("largest", "T", "max(init = b[0], a[i] for i in 0..n)"),
        whole("where_least", "i64", "argmin(a)"),
        whole("where_largest", "i64", "argmax(a)"),
        whole("inner", "T", "dot(a, b)"),
        whole("sums_so_far", "T[n]", "scan(+, 0, a)"),
        whole("sums_before", "T[n]", "exscan(+, 0, a)"),
        whole("by_pairs", "T", "reduce(|x, y| x + y, 0, a)"),
        whole("by_turns", "T", "fold(|x, y| x - y, 0, a)"),
        whole("sorted", "T[n]", "sort(a)"),
        whole("buckets", "T[16]", "scatter(+, zeros(16), (i % 16, a[i]) for i in 0..n)"),
        whole("last_writes", "T[16]", "put(zeros(16), (i * 7 % 16, a[i]) for i in 0..n)"),
    ]
}

/// The math functions of `docs/semantics.md`.
fn functions(scalar: Scalar) -> Vec<Entry> {
    const UNARY: &[&str] = &[
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "sinpi", "cospi",
        "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "cbrt", "erf", "erfc",
        "lgamma", "tgamma", "rsqrt", "sigmoid",
    ];
    const BINARY: &[&str] = &["atan2", "pow", "hypot"];
    if !matches!(scalar, Scalar::F32 | Scalar::F64) {
        return Vec::new();
    }
    let unary = UNARY.iter().map(|name| map(&format!("every_{name}"), "T[n]", &format!("{name}(a[i])")));
    let binary =
        BINARY.iter().map(|name| map(&format!("every_{name}"), "T[n]", &format!("{name}(a[i], b[i])")));
    unary.chain(binary).collect()
}

/// Runs a program on every size and configuration.
pub fn run_program(generated: &GeneratedProgram) -> FileReport {
    guarded(Path::new(&format!("generated: {}", generated.name)), |report| {
        let sources = Sources::from_text(generated.name.clone(), generated.source());
        let mut session = Session::open(&sources, SessionOptions::default());
        if session.has_errors() {
            let errors = session.diagnostics().iter().filter(|found| found.is_error());
            let found: Vec<_> = errors.cloned().collect();
            return report.fail(0, session.render(&found[..found.len().min(5)], false));
        }
        if let Err(failure) = run_all(generated, &mut session, report) {
            report.fail(0, failure.summary());
        }
    })
}

fn run_all(
    generated: &GeneratedProgram,
    session: &mut Session,
    report: &mut FileReport,
) -> Result<(), Failure> {
    let entries = session.entries().to_vec();
    let kernels: Result<Vec<Kernel>, Failure> = entries.iter().map(|entry| session.kernel(entry)).collect();
    let kernels = kernels?;
    let reference = session.build(&|_| true, &configs::reference())?;
    let inputs: Vec<Vec<HostValue>> =
        SIZES.iter().filter_map(|size| inputs(generated.scalar, *size)).collect();
    let mut expected = Vec::new();
    for kernel in &kernels {
        let caller = reference.caller(kernel);
        let results = inputs.iter().map(|values| caller.call(values, Budget::default()));
        expected.push(results.collect::<Vec<_>>());
        report.cases += inputs.len();
    }
    for plan in configs::others() {
        match session.build(&|_| true, &plan) {
            Ok(executable) => {
                let run = Run { kernels: &kernels, inputs: &inputs, expected: &expected };
                run.compare(&executable, &plan, report);
            }
            Err(failure) => report.fail(0, format!("{}: {}", plan.describe(), failure.summary())),
        }
    }
    Ok(())
}

fn inputs(scalar: Scalar, size: u64) -> Option<Vec<HostValue>> {
    let array = |seed| numbers(&HostType::Scalar(scalar), vec![size], seed, true).map(HostValue::Array);
    Some(vec![array(size + 1)?, array(size + 2)?])
}

struct Run<'run> {
    kernels: &'run [Kernel],
    inputs: &'run [Vec<HostValue>],
    expected: &'run [Vec<Result<HostValue, Failure>>],
}

impl Run<'_> {
    fn compare(&self, executable: &Executable, plan: &Plan, report: &mut FileReport) {
        for (kernel, expected) in self.kernels.iter().zip(self.expected) {
            for threads in configs::ways(plan, kernel.name.len() as u64) {
                self.compare_one(executable, (kernel, expected), plan, threads, report);
            }
        }
    }

    fn compare_one(
        &self,
        executable: &Executable,
        (kernel, expected): (&Kernel, &[Result<HostValue, Failure>]),
        plan: &Plan,
        threads: Threads,
        report: &mut FileReport,
    ) {
        let caller = executable.caller(kernel);
        for (values, expected) in self.inputs.iter().zip(expected) {
            report.runs += 1;
            let found = caller.call(values, Budget { threads, ..Budget::default() });
            if let Some(fault) = program::disagreement(expected, &found) {
                let HostValue::Array(first) = &values[0] else { continue };
                let size = first.count();
                let place = configs::describe(plan, threads);
                report.fail(0, format!("{} of {size} elements on {place}: {fault}", kernel.name));
                // The other sizes say the same.
                break;
            }
        }
    }
}
