//! Inputs for the tests of this module: a small seeded generator and lists of special patterns.

/// A splitmix64 generator, seeded by a name so that tests are independent and repeatable.
pub struct Random(u64);

impl Random {
    /// A generator of its own for each name.
    pub fn new(name: &str) -> Random {
        Random(
            name.bytes()
                .fold(0x9e37_79b9, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)),
        )
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Any `f32` pattern.
    pub fn f32_bits(&mut self) -> u32 {
        self.next() as u32
    }

    /// Any `f64` pattern.
    pub fn f64_bits(&mut self) -> u64 {
        self.next()
    }

    /// An `f32` with an exponent within 16 of zero.
    pub fn f32_near_one(&mut self) -> u32 {
        let random = self.next() as u32;
        (random & 0x807f_ffff) | ((111 + ((random >> 23) & 0x1f)) << 23)
    }

    /// An `f64` with an exponent within 32 of zero.
    pub fn f64_near_one(&mut self) -> u64 {
        let random = self.next();
        (random & 0x800f_ffff_ffff_ffff) | ((991 + ((random >> 52) & 0x3f)) << 52)
    }
}

/// Zeros, denormals, powers of two, neighbours of these, extremes, infinities and several NaN.
pub fn f32_edges() -> Vec<u32> {
    let magnitudes = [
        0,
        1,
        2,
        0x007f_ffff,
        0x0080_0000,
        0x0080_0001,
        0x3effffff,
        0x3f00_0000,
        0x3f00_0001,
        0x3f7f_ffff,
        0x3f80_0000,
        0x3f80_0001,
        0x3fc0_0000,
        0x4020_0000,
        0x4b00_0000,
        0x4b00_0001,
        0x4eff_ffff,
        0x4f00_0000,
        0x5f00_0000,
        0x7f7f_ffff,
        0x7f80_0000,
        0x7f80_0001,
        0x7fc0_0000,
        0x7fff_ffff,
    ];
    magnitudes.into_iter().flat_map(|a| [a, a | 0x8000_0000]).collect()
}

/// The same for `f64`.
pub fn f64_edges() -> Vec<u64> {
    let magnitudes = [
        0,
        1,
        2,
        0x000f_ffff_ffff_ffff,
        0x0010_0000_0000_0000,
        0x0010_0000_0000_0001,
        0x3fdf_ffff_ffff_ffff,
        0x3fe0_0000_0000_0000,
        0x3fe0_0000_0000_0001,
        0x3fef_ffff_ffff_ffff,
        0x3ff0_0000_0000_0000,
        0x3ff0_0000_0000_0001,
        0x3ff8_0000_0000_0000,
        0x4004_0000_0000_0000,
        0x4330_0000_0000_0000,
        0x4330_0000_0000_0001,
        0x43df_ffff_ffff_ffff,
        0x43e0_0000_0000_0000,
        0x7fef_ffff_ffff_ffff,
        0x7ff0_0000_0000_0000,
        0x7ff0_0000_0000_0001,
        0x7ff8_0000_0000_0000,
        0x7fff_ffff_ffff_ffff,
    ];
    magnitudes.into_iter().flat_map(|a| [a, a | (1 << 63)]).collect()
}
