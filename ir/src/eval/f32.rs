//! `f32` operations on bit patterns. Host arithmetic is used where IEEE 754 fixes the answer to the
//! last bit; everything else is integer work, so that no C library and no host instruction set decides.

/// The NaN that every operation here returns.
pub const NAN: u32 = 0x7fc0_0000;
const SIGN: u32 = 0x8000_0000;
const INFINITY: u32 = 0x7f80_0000;
const FRACTION_BITS: i32 = 23;
const IMPLICIT: u32 = 1 << FRACTION_BITS;

/// Whether the pattern is a NaN.
pub const fn is_nan(a: u32) -> bool {
    a & !SIGN > INFINITY
}

/// The pattern itself, or the canonical NaN for any NaN.
pub const fn canonical(a: u32) -> u32 {
    if is_nan(a) { NAN } else { a }
}

fn finish(value: f32) -> u32 {
    canonical(value.to_bits())
}

/// `a + b`.
pub fn add(a: u32, b: u32) -> u32 {
    finish(f32::from_bits(a) + f32::from_bits(b))
}

/// `a - b`.
pub fn sub(a: u32, b: u32) -> u32 {
    finish(f32::from_bits(a) - f32::from_bits(b))
}

/// `a * b`.
pub fn mul(a: u32, b: u32) -> u32 {
    finish(f32::from_bits(a) * f32::from_bits(b))
}

/// `a / b`.
pub fn div(a: u32, b: u32) -> u32 {
    finish(f32::from_bits(a) / f32::from_bits(b))
}

/// Square root.
pub fn sqrt(a: u32) -> u32 {
    finish(f32::from_bits(a).sqrt())
}

/// `a * b + c` with one rounding. The product is exact in `f64`; the sum is rounded to odd there, and
/// odd rounding with 29 spare bits makes the second rounding as good as the only one.
pub fn fma(a: u32, b: u32, c: u32) -> u32 {
    let product = f64::from(f32::from_bits(a)) * f64::from(f32::from_bits(b));
    let addend = f64::from(f32::from_bits(c));
    let sum = product + addend;
    // Knuth's two-sum: `sum + error` is exact (no overflow, no underflow at these magnitudes).
    let addend_part = sum - product;
    let error = (product - (sum - addend_part)) + (addend - addend_part);
    let bits = sum.to_bits();
    let odd = if error == 0.0 || error.is_nan() || bits & 1 == 1 {
        bits
    } else if (error > 0.0) == (sum > 0.0) {
        bits + 1
    } else {
        bits - 1
    };
    finish(f64::from_bits(odd) as f32)
}

/// IEEE 754-2019 `minimum`: NaN wins, −0 < +0.
pub const fn min(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        NAN
    } else if order_key(a) <= order_key(b) {
        a
    } else {
        b
    }
}

/// IEEE 754-2019 `maximum`: NaN wins, −0 < +0.
pub const fn max(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) {
        NAN
    } else if order_key(a) >= order_key(b) {
        a
    } else {
        b
    }
}

/// An integer that orders the numbers, with −0 just below +0.
const fn order_key(a: u32) -> i32 {
    if a & SIGN == 0 { a as i32 } else { !(a & !SIGN) as i32 }
}

/// `-a`.
pub const fn neg(a: u32) -> u32 {
    canonical(canonical(a) ^ SIGN)
}

/// Magnitude.
pub const fn abs(a: u32) -> u32 {
    canonical(a & !SIGN)
}

/// Magnitude of `a`, sign of `b`; the canonical NaN if `a` is one.
pub const fn copysign(a: u32, b: u32) -> u32 {
    canonical((a & !SIGN) | (b & SIGN))
}

/// `a == b`.
pub fn eq(a: u32, b: u32) -> bool {
    f32::from_bits(a) == f32::from_bits(b)
}

/// `a < b`.
pub fn lt(a: u32, b: u32) -> bool {
    f32::from_bits(a) < f32::from_bits(b)
}

/// `a <= b`.
pub fn le(a: u32, b: u32) -> bool {
    f32::from_bits(a) <= f32::from_bits(b)
}

/// To an integral value, towards zero.
pub const fn trunc(a: u32) -> u32 {
    let exponent = exponent(a);
    if exponent >= FRACTION_BITS {
        canonical(a)
    } else if exponent < 0 {
        a & SIGN
    } else {
        a & !((IMPLICIT - 1) >> exponent)
    }
}

/// To an integral value, downwards.
pub const fn floor(a: u32) -> u32 {
    away_from_zero_if(a, a & SIGN != 0)
}

/// To an integral value, upwards.
pub const fn ceil(a: u32) -> u32 {
    away_from_zero_if(a, a & SIGN == 0)
}

/// To the nearest integral value, ties to even.
pub const fn round_even(a: u32) -> u32 {
    let exponent = exponent(a);
    if exponent >= FRACTION_BITS {
        return canonical(a);
    }
    if exponent < -1 {
        return a & SIGN;
    }
    if exponent == -1 {
        // In [0.5, 1): only 0.5 itself ties, to zero.
        let one = 127 << FRACTION_BITS;
        let half = 126 << FRACTION_BITS;
        return (a & SIGN) | if a & !SIGN > half { one } else { 0 };
    }
    let unit = IMPLICIT >> exponent;
    // For exponent 0 the unit is the implicit bit; the exponent field's lowest bit stands there, set.
    let odd = a & unit != 0;
    // Just under a half, or exactly a half when odd, carries into the integral bits as it should.
    (a + (unit >> 1) - 1 + odd as u32) & !(unit - 1)
}

/// Unbiased exponent; 128 for infinities and NaN, −127 for zeros and denormals.
const fn exponent(a: u32) -> i32 {
    ((a >> FRACTION_BITS) & 0xff) as i32 - 127
}

const fn away_from_zero_if(a: u32, away: bool) -> u32 {
    let truncated = trunc(a);
    if !away || truncated == a || is_nan(a) {
        return truncated;
    }
    if truncated & !SIGN == 0 {
        return (a & SIGN) | (127 << FRACTION_BITS);
    }
    // Not integral, so the exponent is below 23 and the unit is a bit of the pattern.
    truncated + (IMPLICIT >> exponent(a))
}

/// Exact remainder with the dividend's sign (C's `fmod`).
pub const fn rem(a: u32, b: u32) -> u32 {
    if is_nan(a) || is_nan(b) || a & !SIGN == INFINITY || b & !SIGN == 0 {
        return NAN;
    }
    if a & !SIGN < b & !SIGN {
        return a;
    }
    let (mut rest, mut shift) = split(a);
    let (divisor, low) = split(b);
    rest %= divisor;
    // 24 significant bits leave room for 8 more at a time.
    while shift > low && rest != 0 {
        let step = if shift - low < 8 { shift - low } else { 8 };
        rest = (rest << step) % divisor;
        shift -= step;
    }
    (a & SIGN) | join(rest, low)
}

/// Magnitude as `significand * 2^(exponent - 150)`, exponent ≥ 1, significand < 2^24.
const fn split(a: u32) -> (u32, i32) {
    let field = ((a >> FRACTION_BITS) & 0xff) as i32;
    let fraction = a & (IMPLICIT - 1);
    if field == 0 { (fraction, 1) } else { (fraction | IMPLICIT, field) }
}

/// The inverse of `split` for a significand that may have leading zeros.
const fn join(significand: u32, exponent: i32) -> u32 {
    if significand == 0 {
        return 0;
    }
    let spare = significand.leading_zeros() as i32 - 8;
    if exponent > spare {
        let field = (exponent - spare) as u32;
        (field << FRACTION_BITS) | ((significand << spare) & (IMPLICIT - 1))
    } else {
        significand << (exponent - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::samples::{Random, f32_edges};

    fn check_unary(ours: impl Fn(u32) -> u32, reference: impl Fn(f32) -> f32) {
        let mut random = Random::new("f32 unary");
        let samples = (0..200_000).map(|_| random.f32_bits());
        for a in f32_edges().into_iter().chain(samples) {
            let expected = canonical(reference(f32::from_bits(a)).to_bits());
            assert_eq!(ours(a), expected, "{a:#x} {}", f32::from_bits(a));
        }
    }

    fn check_binary(ours: impl Fn(u32, u32) -> u32, reference: impl Fn(f32, f32) -> f32) {
        let mut random = Random::new("f32 binary");
        let samples = (0..200_000).map(|_| (random.f32_bits(), random.f32_bits()));
        let edges = f32_edges();
        let pairs = edges.iter().flat_map(|&a| edges.iter().map(move |&b| (a, b)));
        for (a, b) in pairs.chain(samples) {
            let expected = canonical(reference(f32::from_bits(a), f32::from_bits(b)).to_bits());
            assert_eq!(ours(a, b), expected, "{a:#x} {b:#x}");
        }
    }

    #[test]
    fn rounding_to_integral_agrees_with_the_host() {
        check_unary(trunc, f32::trunc);
        check_unary(floor, f32::floor);
        check_unary(ceil, f32::ceil);
        check_unary(round_even, f32::round_ties_even);
    }

    #[test]
    fn rounding_is_right_at_every_half() {
        for half in -70_000..70_000 {
            let value = half as f32 * 0.5;
            for a in [value.next_down(), value, value.next_up()] {
                assert_eq!(round_even(a.to_bits()), a.round_ties_even().to_bits(), "{a}");
                assert_eq!(floor(a.to_bits()), a.floor().to_bits(), "{a}");
                assert_eq!(ceil(a.to_bits()), a.ceil().to_bits(), "{a}");
            }
        }
    }

    #[test]
    fn sign_operations_keep_numbers_and_make_nan_canonical() {
        check_unary(neg, |a| -a);
        check_unary(abs, f32::abs);
        check_binary(copysign, f32::copysign);
        assert_eq!(neg(0xffc0_0001), NAN);
        assert_eq!(abs(0xff80_0001), NAN);
        assert_eq!(copysign(NAN, SIGN), NAN);
        assert_eq!(copysign(0, 0xffc0_0000), SIGN);
    }

    #[test]
    fn arithmetic_returns_the_canonical_nan() {
        check_binary(add, |a, b| a + b);
        check_binary(sub, |a, b| a - b);
        check_binary(mul, |a, b| a * b);
        check_binary(div, |a, b| a / b);
        check_unary(sqrt, f32::sqrt);
        assert_eq!(sub(INFINITY, INFINITY), NAN);
        assert_eq!(add(0xffff_ffff, 0), NAN);
        assert_eq!(sqrt(SIGN | 1), NAN);
    }

    #[test]
    fn remainder_is_exact() {
        check_binary(rem, |a, b| a % b);
        let mut random = Random::new("f32 rem near");
        for _ in 0..100_000 {
            let (a, b) = (random.f32_near_one(), random.f32_near_one());
            let expected = f32::from_bits(a) % f32::from_bits(b);
            assert_eq!(rem(a, b), expected.to_bits(), "{a:#x} {b:#x}");
        }
        assert_eq!(rem(1e10f32.to_bits(), 3f32.to_bits()), 1f32.to_bits());
    }

    #[test]
    fn minimum_and_maximum_order_zeros_and_let_nan_win() {
        assert_eq!(min(0, SIGN), SIGN);
        assert_eq!(max(SIGN, 0), 0);
        assert_eq!(min(0x7f80_0001, 0), NAN);
        assert_eq!(max(0, 0xffff_ffff), NAN);
        let edges = f32_edges();
        for &a in edges.iter().filter(|&&a| !is_nan(a)) {
            for &b in edges.iter().filter(|&&b| !is_nan(b)) {
                let (x, y) = (f32::from_bits(a), f32::from_bits(b));
                if x < y {
                    assert_eq!((min(a, b), max(a, b)), (a, b));
                } else if x > y {
                    assert_eq!((min(a, b), max(a, b)), (b, a));
                }
            }
        }
    }

    #[test]
    fn fma_rounds_once() {
        let mut random = Random::new("f32 fma");
        let edges = f32_edges();
        let check = |a: u32, b: u32, c: u32| {
            let expected = f32::from_bits(a).mul_add(f32::from_bits(b), f32::from_bits(c));
            let ours = fma(a, b, c);
            assert_eq!(ours, canonical(expected.to_bits()), "{a:#x} {b:#x} {c:#x}");
        };
        for &a in &edges {
            for &b in &edges {
                for &c in &edges {
                    check(a, b, c);
                }
            }
        }
        for _ in 0..500_000 {
            let (a, b) = (random.f32_near_one(), random.f32_near_one());
            // An addend that nearly cancels the product, one of like size, one of any size.
            let product = f32::from_bits(a) * f32::from_bits(b);
            check(a, b, (-product).to_bits());
            check(a, b, random.f32_near_one());
            check(a, b, random.f32_bits());
            check(random.f32_bits(), random.f32_bits(), random.f32_bits());
        }
    }

    #[test]
    fn comparisons_are_false_on_nan() {
        for a in f32_edges() {
            assert!(!lt(a, NAN) && !le(a, NAN) && !eq(a, NAN));
        }
        assert!(eq(0, SIGN) && le(0, SIGN) && !lt(SIGN, 0));
    }
}
