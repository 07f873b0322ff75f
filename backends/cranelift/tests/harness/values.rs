//! Values of every scalar type at which operations tend to go wrong, and a few random ones.

use we3_ir::Scalar;

/// A small generator (splitmix64), so that runs repeat.
pub struct Random(pub u64);

impl Random {
    pub fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next_bits() % limit as u64) as usize
    }
}

/// The patterns of a type that are worth trying, each once.
pub fn special(ty: Scalar) -> Vec<u64> {
    let mut values = match ty {
        Scalar::Bool => vec![0, 1],
        Scalar::F16 => half(10, 5),
        Scalar::Bf16 => half(7, 8),
        Scalar::F32 => single(),
        Scalar::F64 => double(),
        _ => integers(ty.bits()),
    };
    let mask = u64::MAX >> (64 - ty.bits());
    values.iter_mut().for_each(|value| *value &= mask);
    values.sort_unstable();
    values.dedup();
    values
}

/// A value for a program: NaNs with payloads often, since few operations make them.
pub fn pick(random: &mut Random, ty: Scalar) -> u64 {
    let payload = random.next_bits() & 0x0003_f1f3;
    match (ty, random.below(3)) {
        (Scalar::F32, 0) => 0xffa0_0000 | (payload & 0x000f_ffff),
        (Scalar::F64, 0) => 0xfff4_0000_0000_0000 | (payload << 20),
        _ => {
            let values = samples(ty, 120);
            values[random.below(values.len())]
        }
    }
}

/// Special values, and random patterns up to `count` values.
pub fn samples(ty: Scalar, count: usize) -> Vec<u64> {
    let mut values = special(ty);
    let mask = u64::MAX >> (64 - ty.bits());
    let mut random = Random(u64::from(ty.bits()) * 7919 + ty as u64);
    while values.len() < count && ty != Scalar::Bool {
        values.push(random.next_bits() & mask);
    }
    values
}

fn integers(bits: u32) -> Vec<u64> {
    let top = 1_u64 << (bits - 1);
    let mut values = vec![0, 1, 2, 3, 5, 7, 8, 10, 31, 63, 64, 100, 0x55, 0xaa, 0x5555_5555_5555_5555];
    values.extend([top, top - 1, top + 1, top >> 1, 0xdead_beef_cafe_f00d]);
    values.extend(values.clone().into_iter().map(u64::wrapping_neg));
    values.extend([24, 25, 53, 54].into_iter().filter(|shift| *shift < bits).map(|shift| (1 << shift) + 1));
    values
}

/// Patterns of a 16-bit float.
fn half(fraction: u32, exponent: u32) -> Vec<u64> {
    let one_field = (1_u64 << (exponent - 1)) - 1;
    let infinity = ((1 << exponent) - 1) << fraction;
    let at = |field: u64, bits: u64| (field << fraction) | bits;
    let last = (1 << fraction) - 1;
    let mut values =
        vec![0, 1, 2, last, at(1, 0), at(1, 1), at(one_field, 0), at(one_field, 1), at(one_field, last)];
    values.extend([
        at(one_field - 1, 0),
        at(one_field + 1, 0),
        at(one_field + 1, last / 2),
        at(one_field + 2, 5),
    ]);
    values.extend([
        infinity,
        infinity - 1,
        infinity | 1,
        infinity | (last / 2 + 1),
        infinity | last,
        0x5640,
        0x3c37,
    ]);
    values.extend(values.clone().into_iter().map(|value| value | 0x8000));
    values
}

fn single() -> Vec<u64> {
    let numbers = [
        0.0,
        1.0,
        1.5,
        0.5,
        2.5,
        3.0,
        3.5,
        0.1,
        1e10,
        1e-10,
        0.499_999_97,
        8_388_607.5,
        8_388_608.0,
        16_777_217.0,
        127.0,
        128.0,
        255.0,
        256.0,
        32767.5,
        65504.0,
        65519.0,
        65520.0,
        65535.0,
        65536.0,
        2_147_483_648.0,
        4_294_967_296.0,
        9.223_372e18,
        1.844_674_4e19,
        3e38,
        6e-8,
        6.1e-5,
        5.96e-8,
        2.98e-8,
        1e-40,
    ];
    let mut values: Vec<u64> = numbers.iter().map(|number: &f32| number.to_bits().into()).collect();
    values.extend([1, 2, 0x7f_ffff, 0x80_0000, 0x80_0001, 0x7f7f_ffff, 0x7f80_0000]);
    values.extend([
        0x7fc0_0000,
        0x7fc1_2345,
        0x7fa0_0001,
        0x3f80_8000,
        0x3f81_8000,
        0x3f80_1000,
        0x3f80_3000,
    ]);
    values.extend([
        0x4eff_ffff,
        0x4f7f_ffff,
        0x5eff_ffff,
        0x5f7f_ffff,
        0x3380_0000,
        0x3380_0001,
        0x477f_efff,
    ]);
    values.extend(values.clone().into_iter().map(|value| value | 0x8000_0000));
    values
}

fn double() -> Vec<u64> {
    let numbers = [
        0.0,
        1.0,
        1.5,
        0.5,
        2.5,
        3.0,
        3.5,
        0.1,
        1e10,
        1e300,
        1e-300,
        0.499_999_999_999_999_94,
        4_503_599_627_370_495.5,
        4_503_599_627_370_496.0,
        9_007_199_254_740_993.0,
        127.5,
        128.0,
        255.9,
        256.0,
        32768.0,
        65504.0,
        65519.999,
        65520.0,
        65536.0,
        2_147_483_647.0,
        2_147_483_647.5,
        2_147_483_648.0,
        4_294_967_295.0,
        4_294_967_296.0,
        9_223_372_036_854_774_784.0,
        9_223_372_036_854_775_808.0,
        18_446_744_073_709_549_568.0,
        18_446_744_073_709_551_616.0,
        3.5e38,
        1e-46,
        1.4e-45,
        5.960_464_477_539_063e-8,
        2.980_232_238_769_532e-8,
        1.000_000_059_604_644_8,
        1.000_488_281_25,
        1.001_464_843_75,
    ];
    let mut values: Vec<u64> = numbers.iter().map(|number: &f64| number.to_bits()).collect();
    values.extend([1, 2, 0x000f_ffff_ffff_ffff, 0x0010_0000_0000_0000, 0x0010_0000_0000_0001]);
    values.extend([
        0x7fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0x7ff8_0000_0000_0000,
        0x7ff8_dead_0000_beef,
    ]);
    values.extend([
        0x7ff0_0000_0000_0001,
        0x3ff0_0020_0000_0001,
        0x3ff0_0020_0000_0000,
        0x3ff0_0060_0000_0000,
    ]);
    values.extend([
        0x3ff0_1000_0000_0000,
        0x3ff0_1000_0000_0001,
        0x3ff0_0fff_ffff_ffff,
        0x3e60_0000_0000_0001,
    ]);
    values.extend(values.clone().into_iter().map(|value| value | (1 << 63)));
    values
}

/// Patterns as the bytes of an array.
pub fn to_bytes(ty: Scalar, patterns: &[u64]) -> Vec<u8> {
    patterns.iter().flat_map(|pattern| pattern.to_le_bytes()[..ty.bytes() as usize].to_vec()).collect()
}

/// The bytes of an array as patterns.
pub fn from_bytes(ty: Scalar, bytes: &[u8]) -> Vec<u64> {
    let pattern = |chunk: &[u8]| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    };
    bytes.chunks_exact(ty.bytes() as usize).map(pattern).collect()
}
