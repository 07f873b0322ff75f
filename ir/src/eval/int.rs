//! Integer operations on bit patterns: two's complement, zero-extended to `u64`, `width` 8, 16, 32 or 64.
//! Every function takes such patterns and returns one; nothing here can panic or overflow.

/// The bits below `width`.
pub const fn mask(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

/// The value of a signed pattern.
pub const fn signed(width: u32, a: u64) -> i64 {
    let unused = 64 - width;
    ((a << unused) as i64) >> unused
}

/// The pattern of a value, wrapped to `width` bits.
pub const fn wrap(width: u32, value: i64) -> u64 {
    value as u64 & mask(width)
}

/// `a + b`, wrapping.
pub const fn add(width: u32, a: u64, b: u64) -> u64 {
    a.wrapping_add(b) & mask(width)
}

/// `a - b`, wrapping.
pub const fn sub(width: u32, a: u64, b: u64) -> u64 {
    a.wrapping_sub(b) & mask(width)
}

/// `a * b`, wrapping.
pub const fn mul(width: u32, a: u64, b: u64) -> u64 {
    a.wrapping_mul(b) & mask(width)
}

/// `-a`, wrapping.
pub const fn neg(width: u32, a: u64) -> u64 {
    a.wrapping_neg() & mask(width)
}

/// Magnitude of a signed integer; `MIN` stays `MIN`.
pub const fn abs_signed(width: u32, a: u64) -> u64 {
    if signed(width, a) < 0 { neg(width, a) } else { a }
}

/// Unsigned quotient; `x / 0` is 0 by definition (sources check first).
pub const fn div_unsigned(a: u64, b: u64) -> u64 {
    match a.checked_div(b) {
        Some(quotient) => quotient,
        None => 0,
    }
}

/// Unsigned remainder; `x % 0` is 0 by definition.
pub const fn rem_unsigned(a: u64, b: u64) -> u64 {
    match a.checked_rem(b) {
        Some(rest) => rest,
        None => 0,
    }
}

/// Signed quotient, truncated; `MIN / -1` wraps to `MIN`, `x / 0` is 0.
pub const fn div_signed(width: u32, a: u64, b: u64) -> u64 {
    if b == 0 { 0 } else { wrap(width, signed(width, a).wrapping_div(signed(width, b))) }
}

/// Signed remainder with the dividend's sign; `MIN % -1` and `x % 0` are 0.
pub const fn rem_signed(width: u32, a: u64, b: u64) -> u64 {
    if b == 0 { 0 } else { wrap(width, signed(width, a).wrapping_rem(signed(width, b))) }
}

/// `a < b` for signed patterns.
pub const fn less_signed(width: u32, a: u64, b: u64) -> bool {
    signed(width, a) < signed(width, b)
}

/// Left shift by `b` modulo the width.
pub const fn shl(width: u32, a: u64, b: u64) -> u64 {
    (a << (b & (width as u64 - 1))) & mask(width)
}

/// Logical right shift by `b` modulo the width.
pub const fn shr_unsigned(width: u32, a: u64, b: u64) -> u64 {
    a >> (b & (width as u64 - 1))
}

/// Arithmetic right shift by `b` modulo the width.
pub const fn shr_signed(width: u32, a: u64, b: u64) -> u64 {
    wrap(width, signed(width, a) >> (b & (width as u64 - 1)))
}

/// Left rotation by `b` modulo the width.
pub const fn rotate_left(width: u32, a: u64, b: u64) -> u64 {
    let amount = b & (width as u64 - 1);
    if amount == 0 { a } else { ((a << amount) | (a >> (width as u64 - amount))) & mask(width) }
}

/// Upper half of the double-width unsigned product.
pub const fn mulhi_unsigned(width: u32, a: u64, b: u64) -> u64 {
    ((a as u128 * b as u128) >> width) as u64
}

/// Upper half of the double-width signed product.
pub const fn mulhi_signed(width: u32, a: u64, b: u64) -> u64 {
    let product = signed(width, a) as i128 * signed(width, b) as i128;
    wrap(width, (product >> width) as i64)
}

/// Number of one bits.
pub const fn count_ones(a: u64) -> u64 {
    a.count_ones() as u64
}

/// Zero bits above the highest one; the width for 0.
pub const fn leading_zeros(width: u32, a: u64) -> u64 {
    (a.leading_zeros() - (64 - width)) as u64
}

/// Zero bits below the lowest one; the width for 0.
pub const fn trailing_zeros(width: u32, a: u64) -> u64 {
    if a == 0 { width as u64 } else { a.trailing_zeros() as u64 }
}

/// `a + b` of `i64`, clamped to its range.
pub const fn add_saturating(a: u64, b: u64) -> u64 {
    (a as i64).saturating_add(b as i64) as u64
}

/// `a - b` of `i64`, clamped to its range.
pub const fn sub_saturating(a: u64, b: u64) -> u64 {
    (a as i64).saturating_sub(b as i64) as u64
}

/// `a * b` of `i64`, clamped to its range.
pub const fn mul_saturating(a: u64, b: u64) -> u64 {
    (a as i64).saturating_mul(b as i64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All pairs of 8-bit patterns against Rust's own operations, one closure for each signedness.
    fn check_all_bytes(ours: impl Fn(u64, u64) -> u64, reference: impl Fn(u8, u8) -> u8) {
        for a in 0..=255u8 {
            for b in 0..=255u8 {
                assert_eq!(ours(a.into(), b.into()), u64::from(reference(a, b)), "{a:#x} {b:#x}");
            }
        }
    }

    #[test]
    fn arithmetic_on_bytes_agrees_with_rust() {
        check_all_bytes(|a, b| add(8, a, b), u8::wrapping_add);
        check_all_bytes(|a, b| sub(8, a, b), u8::wrapping_sub);
        check_all_bytes(|a, b| mul(8, a, b), u8::wrapping_mul);
        check_all_bytes(|a, _| neg(8, a), |a, _| a.wrapping_neg());
        check_all_bytes(|a, _| abs_signed(8, a), |a, _| (a as i8).wrapping_abs() as u8);
        check_all_bytes(div_unsigned, |a, b| a.checked_div(b).unwrap_or(0));
        check_all_bytes(rem_unsigned, |a, b| a.checked_rem(b).unwrap_or(0));
        check_all_bytes(
            |a, b| div_signed(8, a, b),
            |a, b| if b == 0 { 0 } else { (a as i8).wrapping_div(b as i8) as u8 },
        );
        check_all_bytes(
            |a, b| rem_signed(8, a, b),
            |a, b| if b == 0 { 0 } else { (a as i8).wrapping_rem(b as i8) as u8 },
        );
        check_all_bytes(|a, b| mulhi_unsigned(8, a, b), |a, b| ((u16::from(a) * u16::from(b)) >> 8) as u8);
        check_all_bytes(
            |a, b| mulhi_signed(8, a, b),
            |a, b| ((i16::from(a as i8) * i16::from(b as i8)) >> 8) as u8,
        );
    }

    #[test]
    fn shifts_of_bytes_mask_their_amount() {
        check_all_bytes(|a, b| shl(8, a, b), |a, b| a.wrapping_shl(b.into()));
        check_all_bytes(|a, b| shr_unsigned(8, a, b), |a, b| a.wrapping_shr(b.into()));
        check_all_bytes(|a, b| shr_signed(8, a, b), |a, b| (a as i8).wrapping_shr(b.into()) as u8);
        check_all_bytes(|a, b| rotate_left(8, a, b), |a, b| a.rotate_left(b.into()));
    }

    #[test]
    fn bit_counts_of_bytes_agree_with_rust() {
        check_all_bytes(|a, _| count_ones(a), |a, _| a.count_ones() as u8);
        check_all_bytes(|a, _| leading_zeros(8, a), |a, _| a.leading_zeros() as u8);
        check_all_bytes(|a, _| trailing_zeros(8, a), |a, _| a.trailing_zeros() as u8);
    }

    #[test]
    fn wide_patterns_keep_to_their_width() {
        let min32 = 0x8000_0000u64;
        assert_eq!(div_signed(32, min32, mask(32)), min32);
        assert_eq!(rem_signed(32, min32, mask(32)), 0);
        assert_eq!(div_signed(64, i64::MIN as u64, u64::MAX), i64::MIN as u64);
        assert_eq!(rem_signed(64, i64::MIN as u64, u64::MAX), 0);
        assert_eq!(mulhi_unsigned(64, u64::MAX, u64::MAX), u64::MAX - 1);
        assert_eq!(mulhi_signed(64, u64::MAX, u64::MAX), 0);
        assert_eq!(mulhi_signed(64, i64::MIN as u64, i64::MIN as u64), 1 << 62);
        assert_eq!(mulhi_signed(32, min32, min32), 1 << 30);
        assert_eq!(shl(64, 1, 65), 2);
        assert_eq!(shr_signed(16, 0x8000, 15), 0xffff);
        assert_eq!(rotate_left(64, 0x8000_0000_0000_0001, 1), 3);
        assert_eq!(leading_zeros(64, 0), 64);
        assert_eq!(trailing_zeros(16, 0), 16);
    }

    #[test]
    fn size_arithmetic_saturates() {
        let (min, max) = (i64::MIN as u64, i64::MAX as u64);
        assert_eq!(add_saturating(max, 1), max);
        assert_eq!(sub_saturating(min, 1), min);
        assert_eq!(mul_saturating(max, u64::MAX), (-i64::MAX) as u64);
        assert_eq!(mul_saturating(min, u64::MAX), max);
        assert_eq!(mul_saturating(6, 7), 42);
    }
}
