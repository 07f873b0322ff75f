//! 10,000 mutated IR files: the parser, the verifier, the printer and the interpreter give errors, never
//! a panic, and what is accepted prints as it reads. The seed is fixed; `WE3_FUZZ=n` runs more.

use we3_backend_interp::{Limits, RunArray, RunValue, Stop, run_entry};
use we3_ir::text::{parse_module, print_module};
use we3_ir::verify::verify;
use we3_ir::{Module, Type};
use we3_tests::ir_files::{cases, files};

/// A small generator of numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
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
fn mutate(random: &mut Random, text: &str) -> String {
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
fn arguments(random: &mut Random, module: &Module, func: we3_ir::FuncId) -> Vec<RunValue> {
    let func = &module.funcs[func];
    let mut args: Vec<RunValue> = Vec::new();
    for param in func.params() {
        let ty = func.ty(*param);
        let bits = u64::MAX >> (64 - ty.element().bits());
        let arg = match ty {
            Type::Scalar(_) | Type::Vector(..) => RunValue::Scalar(random.next() % 5 & bits),
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

#[test]
fn mutated_files_give_errors_only() {
    let mut texts = Vec::new();
    for path in files("interp").into_iter().chain(files("verify")) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        texts.extend(cases(&text).into_iter().filter(|case| case.contains("module")));
    }
    assert!(texts.len() > 50, "only {} files to mutate", texts.len());
    let rounds = std::env::var("WE3_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let mut random = Random(2);
    let limits = Limits { steps: 20_000, bytes: 1 << 20, backwards: false };
    let (mut parsed, mut verified_count, mut ran) = (0, 0, 0);
    for _ in 0..rounds {
        let original = &texts[random.below(texts.len())];
        let text = mutate(&mut random, original);
        let Ok(module) = parse_module(&text) else { continue };
        parsed += 1;
        let printed = print_module(&module);
        let Ok(verified) = verify(&module) else { continue };
        verified_count += 1;
        let again = parse_module(&printed).unwrap_or_else(|errors| panic!("{errors:?}\n{printed}"));
        assert_eq!(print_module(&again), printed);
        for func in module.funcs.keys() {
            let args = arguments(&mut random, &module, func);
            let outcome = run_entry(verified, func, args, &limits);
            if let Err(Stop::Broken(message)) = &outcome {
                assert!(!message.contains("after its last use"), "{message}\n{printed}");
            }
            ran += usize::from(outcome.is_ok());
        }
    }
    // The mutations are mild enough that every stage sees many of them.
    assert!(
        parsed > rounds / 20 && verified_count > rounds / 50 && ran > rounds / 100,
        "{parsed} {verified_count} {ran}"
    );
}
