//! Deterministic random numbers for generated arguments and tests: SplitMix64 (Steele, Lea, Flood,
//! OOPSLA 2014), so that a seed means the same values everywhere.

use we3_ir::Scalar;
use we3_ir::text::parse_constant;

/// A stream of random words.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    /// A stream whose seed is a text (FNV-1a).
    pub fn from_name(name: &str) -> Random {
        Random::new(seed_of_name(name))
    }

    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound` (0 when it is 0); the tiny bias does not matter here.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.word()) * u128::from(bound)) >> 64) as u64
    }

    /// Uniform in 0..1, 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Everyday bits of a type: floats in 0..1, integers in 0..100, any bool.
    pub fn ordinary(&mut self, ty: Scalar) -> u64 {
        if ty == Scalar::Bool {
            self.word() & 1
        } else if ty.is_float() {
            // Kept below 1 by cutting to the type's precision instead of rounding.
            let bits = if ty == Scalar::F64 {
                53
            } else if ty == Scalar::F32 {
                24
            } else {
                8
            };
            let unit = (self.word() >> (64 - bits)) as f64 / (1_u64 << bits) as f64;
            float_bits(ty, unit)
        } else if ty == Scalar::U8 {
            self.below(256)
        } else {
            self.below(100)
        }
    }

    /// Bits of a number in lo..hi, both as written.
    pub fn between(&mut self, ty: Scalar, lo: &str, hi: &str) -> Result<u64, String> {
        if ty.is_float() {
            let (Ok(lo), Ok(hi)) = (lo.parse::<f64>(), hi.parse::<f64>()) else {
                return Err(format!("`{lo}..{hi}` is not a range of {ty}"));
            };
            if !(lo < hi && (hi - lo).is_finite()) {
                return Err(format!("the range {lo}..{hi} is empty or too wide"));
            }
            return Ok(float_bits(ty, lo + (hi - lo) * self.unit()));
        }
        let (Ok(lo), Ok(hi)) = (lo.parse::<i128>(), hi.parse::<i128>()) else {
            return Err(format!("`{lo}..{hi}` is not a range of {ty}"));
        };
        let width = hi.checked_sub(lo).and_then(|width| u64::try_from(width).ok()).unwrap_or(0);
        if width == 0 {
            return Err(format!("the range {lo}..{hi} is empty or too wide"));
        }
        let number = lo + i128::from(self.below(width));
        parse_constant(ty, &number.to_string())
            .map(|constant| constant.bits)
            .ok_or_else(|| format!("{number} does not fit {ty}"))
    }
}

/// The seed that a name stands for.
pub fn seed_of_name(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The nearest bits of a float type.
pub fn float_bits(ty: Scalar, value: f64) -> u64 {
    if ty == Scalar::F64 {
        return value.to_bits();
    }
    if ty == Scalar::F32 {
        return u64::from((value as f32).to_bits());
    }
    parse_constant(ty, &format!("{value:?}")).map_or(0, |constant| constant.bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // First outputs of SplitMix64 from seed 1234567, as in the reference implementation.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.word(), 6_457_827_717_110_365_317);
        assert_eq!(random.word(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn ordinary_floats_stay_below_one() {
        let mut random = Random::new(3);
        for ty in [Scalar::F16, Scalar::Bf16, Scalar::F32, Scalar::F64] {
            let one = float_bits(ty, 1.0);
            for _ in 0..2000 {
                assert!(random.ordinary(ty) < one);
            }
        }
    }

    #[test]
    fn ranges_are_kept() {
        let mut random = Random::new(4);
        for _ in 0..1000 {
            let bits = random.between(Scalar::I8, "-3", "2").unwrap() as u8 as i8;
            assert!((-3..2).contains(&bits));
        }
        assert!(random.between(Scalar::I8, "3", "3").is_err());
    }
}
