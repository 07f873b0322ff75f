//! Inputs of tests: sizes first, then values of mixed magnitudes, from a seed; and smaller versions of an
//! input that failed.

use we3_frontend::typed::{Atom, Size, TestInput, TestSize};
use we3_ir::Scalar;

use crate::random::{Random, float_bits};
use crate::value::{HostArray, HostType, HostValue, write_bits};

/// Sizes that nothing bounds are chosen up to this.
const MAX_FREE_SIZE: u64 = 17;

/// What a test wants generated.
#[derive(Clone, Copy, Debug)]
pub struct Recipe<'test> {
    /// Sizes to choose.
    pub sizes: &'test [TestSize],
    /// One for each parameter.
    pub inputs: &'test [TestInput],
    /// Infinities, NaN, denormals and extremes too.
    pub edges: bool,
}

/// One generated input: everything needed to make it again, or a smaller one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The chosen sizes.
    pub sizes: Vec<i64>,
    /// Drives the values.
    pub seed: u64,
    /// How much values are simplified: 0 as generated; then small integers, then 0 and 1, then zeros.
    pub simpler: u8,
}

/// The highest level of simplification.
pub const SIMPLEST: u8 = 3;

impl Recipe<'_> {
    /// Case number `number` of a test with this seed. The first ones have the smallest sizes.
    pub fn case(&self, seed: u64, number: u64) -> Case {
        let mut random = Random::new(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let sizes = self.sizes.iter().map(|size| choose(size, number, &mut random)).collect();
        Case { sizes, seed: random.word(), simpler: 0 }
    }

    /// The values of a case; `None` when sizes come out negative or too large for the types.
    pub fn values(&self, case: &Case) -> Option<Vec<HostValue>> {
        let mut random = Random::new(case.seed);
        self.inputs.iter().map(|input| self.value(input, case, &mut random)).collect()
    }

    fn value(&self, input: &TestInput, case: &Case, random: &mut Random) -> Option<HostValue> {
        match input {
            TestInput::Chosen(number, scalar) => {
                let value = *case.sizes.get(*number as usize)?;
                Some(HostValue::scalar(*scalar, value as u64 & (u64::MAX >> (64 - scalar.bits()))))
            }
            TestInput::Value { ty, sizes } => {
                let mut axes = sizes.iter().map(|size| evaluate(size, &case.sizes));
                // Each input has a stream of its own, so that simplifying one leaves the others.
                let mut stream = Random::new(random.word());
                let maker = Maker { edges: self.edges, simpler: case.simpler };
                maker.value(ty, &mut axes, &mut stream)
            }
        }
    }

    /// Smaller cases to try, the smallest first.
    pub fn smaller(&self, case: &Case) -> Vec<Case> {
        let mut cases = Vec::new();
        for (number, size) in case.sizes.iter().enumerate() {
            let (least, step) = bounds(&self.sizes[number]);
            let halfway = least + (size - least) / 2 / step * step;
            for smaller in [least, halfway, size - step] {
                if smaller >= least && smaller < *size {
                    let mut sizes = case.sizes.clone();
                    sizes[number] = smaller;
                    cases.push(Case { sizes, ..case.clone() });
                }
            }
        }
        cases.extend((case.simpler + 1..=SIMPLEST).rev().map(|simpler| Case { simpler, ..case.clone() }));
        cases.dedup();
        cases
    }
}

fn bounds(size: &TestSize) -> (i64, i64) {
    size.range.map_or((0, 1), |(lo, _, step)| (lo, step.max(1)))
}

fn choose(size: &TestSize, number: u64, random: &mut Random) -> i64 {
    match size.range {
        None if number < 3 => number as i64,
        None => random.below(MAX_FREE_SIZE + 1) as i64,
        Some((lo, hi, step)) => {
            let step = step.max(1);
            let span = i128::from(hi) - i128::from(lo);
            let count = u64::try_from((span + i128::from(step) - 1) / i128::from(step)).unwrap_or(0);
            let pick = if number < count.min(2) { number } else { random.below(count) };
            lo.wrapping_add((pick as i64).wrapping_mul(step))
        }
    }
}

/// The value of a polynomial over a test's sizes; saturating, so that what is too large stays too large.
fn evaluate(size: &Size, chosen: &[i64]) -> i64 {
    size.terms()
        .iter()
        .map(|(atoms, coefficient)| {
            atoms
                .iter()
                .fold(*coefficient, |product, atom| product.saturating_mul(evaluate_atom(atom, chosen)))
        })
        .fold(0, i64::saturating_add)
}

fn evaluate_atom(atom: &Atom, chosen: &[i64]) -> i64 {
    match atom {
        Atom::Param(number) => chosen.get(*number as usize).copied().unwrap_or(0),
        Atom::FloorDiv(size, divisor) => evaluate(size, chosen).div_euclid((*divisor).max(1)),
        Atom::Min(a, b) => evaluate(a, chosen).min(evaluate(b, chosen)),
        Atom::Max(a, b) => evaluate(a, chosen).max(evaluate(b, chosen)),
        // These do not occur in the sizes of a test.
        Atom::Local(_) | Atom::Fresh(_) | Atom::Const(_) => 0,
    }
}

/// An array of everyday (or, with `edges`, of all) numbers, as tests get them.
pub fn numbers(elem: &HostType, sizes: Vec<u64>, seed: u64, edges: bool) -> Option<HostArray> {
    Maker { edges, simpler: 0 }.array(elem, sizes, &mut Random::new(seed))
}

/// Makes values of a type.
struct Maker {
    edges: bool,
    simpler: u8,
}

impl Maker {
    fn value(
        &self,
        ty: &HostType,
        axes: &mut dyn Iterator<Item = i64>,
        random: &mut Random,
    ) -> Option<HostValue> {
        Some(match ty {
            HostType::Scalar(scalar) => HostValue::scalar(*scalar, self.bits(*scalar, random)),
            HostType::Array { elem, sizes } => {
                let sizes: Option<Vec<u64>> =
                    sizes.iter().map(|_| u64::try_from(axes.next()?).ok()).collect();
                HostValue::Array(self.array(elem, sizes?, random)?)
            }
            HostType::Tuple(parts) => HostValue::Tuple(
                parts.iter().map(|part| self.value(part, axes, random)).collect::<Option<_>>()?,
            ),
            HostType::Record { name, fields } => {
                let mut values = Vec::new();
                for field in fields {
                    values.push((field.name.clone(), self.value(&field.ty, axes, random)?));
                }
                HostValue::Record { name: name.clone(), fields: values }
            }
        })
    }

    fn array(&self, elem: &HostType, sizes: Vec<u64>, random: &mut Random) -> Option<HostArray> {
        let mut array = HostArray::zeros(elem.clone(), sizes)?;
        let layout = array.layout().clone();
        for number in 0..array.count() {
            for leaf in &layout.leaves {
                let bits = self.bits(leaf.scalar, random);
                write_bits(leaf.scalar, bits, &mut array.bytes_mut()[number * layout.size + leaf.offset..]);
            }
        }
        Some(array)
    }

    fn bits(&self, ty: Scalar, random: &mut Random) -> u64 {
        // The same number of random words whatever the level, so that positions keep their meaning.
        let (choice, word) = (random.below(64), random.word());
        match self.simpler {
            0 if ty.is_float() => self.float(ty, choice, word),
            0 => self.integer(ty, choice, word),
            1 => small(ty, word % 8),
            2 => small(ty, word % 2),
            _ => 0,
        }
    }

    /// Finite, at most 2¹⁰, of mixed scales; ±0, ±1 often enough to meet each other.
    fn float(&self, ty: Scalar, choice: u64, word: u64) -> u64 {
        let sign = if word & 1 == 0 { 1.0 } else { -1.0 };
        let fraction = (word >> 11) as f64 / (1_u64 << 53) as f64;
        if self.edges && choice >= 52 {
            return edge(ty, word);
        }
        let magnitude = match choice {
            0..=2 => 0.0,
            3..=5 => 1.0,
            6..=11 => (word >> 40) as f64 % 1024.0,
            12..=31 => fraction,
            // 2 to the power of −20 … 9, times 1 … 2.
            _ => (1.0 + fraction) * two_to(((word >> 3) % 30) as i32 - 20),
        };
        // Narrow types round; 1024 is a number of every float type.
        float_bits(ty, sign * magnitude.clamp(0.0, 1024.0))
    }

    fn integer(&self, ty: Scalar, choice: u64, word: u64) -> u64 {
        let mask = u64::MAX >> (64 - ty.bits());
        let small = (word >> 8) % 201;
        let number = match choice {
            _ if ty == Scalar::Bool => word >> 17,
            0..=3 => 0,
            4..=6 => 1,
            7..=9 if ty.is_signed_int() => u64::MAX,
            50..=55 if self.edges => 1 << (ty.bits() - 1),
            56..=60 if self.edges => mask >> 1,
            61..=63 if self.edges => mask,
            10..=40 if ty.is_signed_int() => small.wrapping_sub(100),
            10..=40 => small,
            _ => word >> (word % 16),
        };
        number & mask
    }
}

fn two_to(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

fn small(ty: Scalar, number: u64) -> u64 {
    if ty == Scalar::Bool {
        number & 1
    } else if ty.is_float() {
        float_bits(ty, number as f64)
    } else {
        number
    }
}

/// Infinities, NaN, denormals, the largest and the least.
fn edge(ty: Scalar, word: u64) -> u64 {
    let sign = (word & 1) << (ty.bits() - 1);
    let infinity = float_bits(ty, f64::INFINITY);
    let largest = infinity - 1;
    let least_normal = infinity & infinity.wrapping_neg();
    match (word >> 1) % 8 {
        0 => infinity | sign,
        1 => float_bits(ty, f64::NAN),
        2 => 1 | sign,
        3 => (least_normal - 1) | sign,
        4 => least_normal | sign,
        5 => largest | sign,
        6 => sign,
        _ => ((word >> 20) % least_normal) | sign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::{ShowOptions, show};

    fn sizes() -> Vec<TestSize> {
        vec![
            TestSize { name: "n".into(), range: None },
            TestSize { name: "m".into(), range: Some((1, 9, 2)) },
        ]
    }

    fn inputs() -> Vec<TestInput> {
        let n = Size::atom(Atom::Param(0));
        vec![
            TestInput::Value {
                ty: HostType::array(HostType::Scalar(Scalar::F32), 2),
                sizes: vec![n.scaled(2), Size::atom(Atom::Param(1))],
            },
            TestInput::Chosen(1, Scalar::I64),
        ]
    }

    #[test]
    fn sizes_agree_between_inputs_and_stay_in_range() {
        let (sizes, inputs) = (sizes(), inputs());
        let recipe = Recipe { sizes: &sizes, inputs: &inputs, edges: false };
        for number in 0..100 {
            let case = recipe.case(7, number);
            assert!((0..=17).contains(&case.sizes[0]) && [1, 3, 5, 7].contains(&case.sizes[1]), "{case:?}");
            let values = recipe.values(&case).unwrap();
            let HostValue::Array(array) = &values[0] else { panic!("an array") };
            assert_eq!(array.sizes(), [2 * case.sizes[0] as u64, case.sizes[1] as u64]);
            assert_eq!(values[1], HostValue::scalar(Scalar::I64, case.sizes[1] as u64));
        }
    }

    #[test]
    fn floats_are_as_promised() {
        let plain = Maker { edges: false, simpler: 0 };
        let edges = Maker { edges: true, simpler: 0 };
        let mut random = Random::new(5);
        let (mut zeros, mut ones, mut infinite, mut tiny) = (0, 0, 0, 0);
        for _ in 0..20_000 {
            let value = f32::from_bits(plain.bits(Scalar::F32, &mut random) as u32);
            assert!(value.abs() <= 1024.0);
            zeros += usize::from(value == 0.0);
            ones += usize::from(value.abs() == 1.0);
            let value = f32::from_bits(edges.bits(Scalar::F32, &mut random) as u32);
            infinite += usize::from(value.is_infinite());
            tiny += usize::from(value.is_subnormal());
        }
        assert!(zeros > 100 && ones > 100 && infinite > 100 && tiny > 100);
    }

    #[test]
    fn shrinking_ends_at_the_least() {
        let (sizes, inputs) = (sizes(), inputs());
        let recipe = Recipe { sizes: &sizes, inputs: &inputs, edges: false };
        let mut case = recipe.case(7, 50);
        let mut rounds = 0;
        while let Some(smaller) = recipe.smaller(&case).into_iter().next() {
            case = smaller;
            rounds += 1;
            assert!(rounds < 50);
        }
        assert_eq!((case.sizes.as_slice(), case.simpler), (&[0, 1][..], SIMPLEST));
        let text = show(&recipe.values(&case).unwrap()[0], ShowOptions::whole());
        assert!(text.starts_with("[]"), "{text}");
    }
}
