//! Mutated IR texts and arguments for them: the material of the fuzz tests.

use we3_backend_interp::{RunArray, RunValue};
use we3_ir::{Module, Type};

use crate::ir_files::{cases, files};

/// The cases of `tests/ir`, to mutate.
pub fn originals() -> Vec<String> {
    let mut texts = Vec::new();
    for path in files("interp").into_iter().chain(files("verify")) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        texts.extend(cases(&text).into_iter().filter(|case| case.contains("module")));
    }
    assert!(texts.len() > 50, "only {} texts to mutate", texts.len());
    texts
}

/// How many mutations to try: 10,000, or as `WE3_FUZZ` says.
pub fn rounds() -> usize {
    std::env::var("WE3_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

/// A small generator of numbers (SplitMix64).
pub struct Random(pub u64);

impl Random {
    /// Any bits.
    pub fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next_bits() % limit.max(1) as u64) as usize
    }
}

const WORDS: &[&str] = &[
    "%0",
    "%1",
    "%2",
    "%3",
    "%4",
    "%99",
    "#0",
    "#1",
    "i64",
    "f32",
    "bool",
    "f16",
    "f32[%0]",
    "i64[%1, %0]",
    "buffer f32",
    "f32x4",
    "const",
    "build",
    "reduce.sum",
    "reduce.lanes.masked",
    "scatter.1.sum",
    "loop",
    "while",
    "if",
    "yield",
    "return",
    "call @f",
    "check.1",
    "update",
    "index",
    "reshape",
    "resize",
    "block",
    "forever",
    "break 0",
    "continue 1",
    "for.parallel",
    "for.serial",
    "load",
    "store",
    "alloc.f32",
    "free",
    "{",
    "}",
    "b(",
    "):",
    "->",
    "=",
    ",",
    "4000000000",
    "-1",
    "bits(0x7fc00001)",
    "9223372036854775807",
    "4611686018427387904",
    "entry",
    "func @f",
    "stride 2",
    "outputs (1, 2)",
    "dot",
    "dot_by.1",
    "scan",
    "\u{e9}",
    "@\"",
    "\0",
    ";",
];

/// A text with a few pieces removed, doubled, exchanged or replaced.
pub fn mutate(random: &mut Random, text: &str) -> String {
    let mut pieces: Vec<String> =
        text.split_inclusive([' ', '\n', ',', '(', ')']).map(str::to_owned).collect();
    for _ in 0..=random.below(4) {
        let at = random.below(pieces.len());
        let other = random.below(pieces.len());
        match random.below(6) {
            0 => drop(pieces.remove(at)),
            1 => pieces.insert(at, pieces[other].clone()),
            2 => pieces.swap(at, other),
            3 => pieces[at] = format!("{} ", WORDS[random.below(WORDS.len())]),
            4 => pieces.insert(at, format!("{} ", WORDS[random.below(WORDS.len())])),
            _ => {
                let mut characters: Vec<char> = pieces[at].chars().collect();
                let place = random.below(characters.len());
                if let Some(character) = characters.get_mut(place) {
                    *character = char::from(32 + random.below(96) as u8);
                }
                pieces[at] = characters.into_iter().collect();
            }
        }
        if pieces.is_empty() {
            break;
        }
    }
    pieces.concat()
}

/// Arguments that fit a function's parameters: small numbers, arrays of their sizes.
pub fn arguments(random: &mut Random, module: &Module, func: we3_ir::FuncId) -> Vec<RunValue> {
    let func = &module.funcs[func];
    let mut args: Vec<RunValue> = Vec::new();
    for param in func.params() {
        let ty = func.ty(*param);
        let bits = u64::MAX >> (64 - ty.element().bits());
        let arg = match ty {
            Type::Scalar(_) | Type::Vector(..) => RunValue::Scalar((random.next_bits() % 5) & bits),
            Type::Buffer(elem) => RunValue::Array(RunArray {
                elem: *elem,
                sizes: vec![4],
                data: vec![0; 4 * elem.bytes() as usize],
            }),
            Type::Array(elem, sizes) => {
                let size = |value| {
                    let number = func.params().iter().position(|param| *param == value);
                    match number.and_then(|number| args.get(number)) {
                        Some(RunValue::Scalar(bits)) => *bits as i64,
                        Some(RunValue::Array(_)) | None => 0,
                    }
                };
                let sizes: Vec<i64> = sizes.iter().map(|value| size(*value)).collect();
                let count: i64 = sizes.iter().product();
                RunValue::Array(RunArray {
                    elem: *elem,
                    sizes,
                    data: vec![0; count as usize * elem.bytes() as usize],
                })
            }
        };
        args.push(arg);
    }
    args
}
