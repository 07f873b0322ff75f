//! `f64` operations on bit patterns. Host arithmetic is used where IEEE 754 fixes the answer to the
//! last bit; everything else is integer work, so that no C library and no host instruction set decides.

/// The NaN that every operation here returns.
pub const NAN: u64 = 0x7ff8_0000_0000_0000;
const SIGN: u64 = 0x8000_0000_0000_0000;
const INFINITY: u64 = 0x7ff0_0000_0000_0000;
const FRACTION_BITS: i64 = 52;
const IMPLICIT: u64 = 1 << FRACTION_BITS;

/// Whether the pattern is a NaN.
pub const fn is_nan(a: u64) -> bool {
    a & !SIGN > INFINITY
}

/// The pattern itself, or the canonical NaN for any NaN.
pub const fn canonical(a: u64) -> u64 {
    if is_nan(a) { NAN } else { a }
}

fn finish(value: f64) -> u64 {
    canonical(value.to_bits())
}

/// `a + b`.
pub fn add(a: u64, b: u64) -> u64 {
    finish(f64::from_bits(a) + f64::from_bits(b))
}

/// `a - b`.
pub fn sub(a: u64, b: u64) -> u64 {
    finish(f64::from_bits(a) - f64::from_bits(b))
}

/// `a * b`.
pub fn mul(a: u64, b: u64) -> u64 {
    finish(f64::from_bits(a) * f64::from_bits(b))
}

/// `a / b`.
pub fn div(a: u64, b: u64) -> u64 {
    finish(f64::from_bits(a) / f64::from_bits(b))
}

/// Square root.
pub fn sqrt(a: u64) -> u64 {
    finish(f64::from_bits(a).sqrt())
}

/// `a * b + c` with one rounding, in 128-bit integers.
pub fn fma(a: u64, b: u64, c: u64) -> u64 {
    let infinite = |x: u64| x & !SIGN == INFINITY;
    let zero = |x: u64| x & !SIGN == 0;
    if is_nan(a) || is_nan(b) || is_nan(c) {
        return NAN;
    }
    let product_sign = (a ^ b) & SIGN;
    if infinite(a) || infinite(b) {
        let invalid = zero(a) || zero(b) || (infinite(c) && c & SIGN != product_sign);
        return if invalid { NAN } else { product_sign | INFINITY };
    }
    if infinite(c) {
        return c;
    }
    if zero(a) || zero(b) {
        return add(product_sign, c);
    }
    if zero(c) {
        return mul(a, b);
    }
    fma_finite(a, b, c)
}

/// `fma` of finite numbers other than zero.
fn fma_finite(a: u64, b: u64, c: u64) -> u64 {
    let ((x, x_scale), (y, y_scale), (z, z_scale)) = (normal(a), normal(b), normal(c));
    // Both terms get their top bit at 124 or 125, so that a sum cannot overflow and a shifted-out
    // tail (kept as one sticky bit) is far below what rounding looks at, even after cancellation.
    let mut product = (u128::from(x) * u128::from(y)) << 20;
    let mut addend = u128::from(z) << 72;
    let product_scale = x_scale + y_scale - 20;
    let addend_scale = z_scale - 72;
    let scale = product_scale.max(addend_scale);
    product = shift_right_sticky(product, scale - product_scale);
    addend = shift_right_sticky(addend, scale - addend_scale);

    let product_sign = (a ^ b) & SIGN;
    if product_sign == c & SIGN {
        return round(product_sign, product + addend, scale);
    }
    if product == addend {
        return 0;
    }
    if product > addend {
        round(product_sign, product - addend, scale)
    } else {
        round(c & SIGN, addend - product, scale)
    }
}

/// Magnitude of a nonzero number as `significand * 2^scale` with the significand's bit 52 set.
const fn normal(a: u64) -> (u64, i64) {
    let (significand, exponent) = split(a);
    let spare = significand.leading_zeros() as i64 - 11;
    (significand << spare, exponent - 1075 - spare)
}

/// `value >> amount`, the lowest bit set if any one bit was lost.
const fn shift_right_sticky(value: u128, amount: i64) -> u128 {
    if amount == 0 {
        value
    } else if amount > 127 {
        (value != 0) as u128
    } else {
        let lost = value & ((1 << amount) - 1) != 0;
        (value >> amount) | lost as u128
    }
}

/// The number nearest to `magnitude * 2^scale`, ties to even; `magnitude` is not zero.
const fn round(sign: u64, magnitude: u128, scale: i64) -> u64 {
    let top = 127 - magnitude.leading_zeros() as i64;
    // The last bit kept has weight 2^lowest; denormals keep fewer bits.
    let lowest = if scale + top - 52 < -1074 { -1074 } else { scale + top - 52 };
    let dropped = lowest - scale;
    if dropped <= 0 {
        // Exact: shift up and let the fields fall into place.
        let significand = (magnitude << -dropped) as u64;
        return sign | assemble(significand, lowest);
    }
    if dropped > 127 {
        return sign;
    }
    let rest = magnitude & ((1 << dropped) - 1);
    let half = 1 << (dropped - 1);
    let significand = (magnitude >> dropped) as u64;
    let up = rest > half || (rest == half && significand & 1 == 1);
    sign | assemble(significand + up as u64, lowest)
}

/// The pattern of `significand * 2^lowest`, where a significand below bit 52 means a denormal.
const fn assemble(significand: u64, lowest: i64) -> u64 {
    // The implicit bit adds one to the exponent field, and so does a carry out of the significand.
    let field = (lowest + 1074) as u64;
    if field >= 0x7fe { INFINITY } else { (field << FRACTION_BITS) + significand }
}

/// IEEE 754-2019 `minimum`: NaN wins, −0 < +0.
pub const fn min(a: u64, b: u64) -> u64 {
    if is_nan(a) || is_nan(b) {
        NAN
    } else if order_key(a) <= order_key(b) {
        a
    } else {
        b
    }
}

/// IEEE 754-2019 `maximum`: NaN wins, −0 < +0.
pub const fn max(a: u64, b: u64) -> u64 {
    if is_nan(a) || is_nan(b) {
        NAN
    } else if order_key(a) >= order_key(b) {
        a
    } else {
        b
    }
}

/// An integer that orders the numbers, with −0 just below +0.
const fn order_key(a: u64) -> i64 {
    if a & SIGN == 0 { a as i64 } else { !(a & !SIGN) as i64 }
}

/// `-a`.
pub const fn neg(a: u64) -> u64 {
    canonical(canonical(a) ^ SIGN)
}

/// Magnitude.
pub const fn abs(a: u64) -> u64 {
    canonical(a & !SIGN)
}

/// Magnitude of `a`, sign of `b`; the canonical NaN if `a` is one.
pub const fn copysign(a: u64, b: u64) -> u64 {
    canonical((a & !SIGN) | (b & SIGN))
}

/// `a == b`.
pub fn eq(a: u64, b: u64) -> bool {
    f64::from_bits(a) == f64::from_bits(b)
}

/// `a < b`.
pub fn lt(a: u64, b: u64) -> bool {
    f64::from_bits(a) < f64::from_bits(b)
}

/// `a <= b`.
pub fn le(a: u64, b: u64) -> bool {
    f64::from_bits(a) <= f64::from_bits(b)
}

/// To an integral value, towards zero.
pub const fn trunc(a: u64) -> u64 {
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
pub const fn floor(a: u64) -> u64 {
    away_from_zero_if(a, a & SIGN != 0)
}

/// To an integral value, upwards.
pub const fn ceil(a: u64) -> u64 {
    away_from_zero_if(a, a & SIGN == 0)
}

/// To the nearest integral value, ties to even.
pub const fn round_even(a: u64) -> u64 {
    let exponent = exponent(a);
    if exponent >= FRACTION_BITS {
        return canonical(a);
    }
    if exponent < -1 {
        return a & SIGN;
    }
    if exponent == -1 {
        // In [0.5, 1): only 0.5 itself ties, to zero.
        let one = 1023 << FRACTION_BITS;
        let half = 1022 << FRACTION_BITS;
        return (a & SIGN) | if a & !SIGN > half { one } else { 0 };
    }
    let unit = IMPLICIT >> exponent;
    // For exponent 0 the unit is the implicit bit; the exponent field's lowest bit stands there, set.
    let odd = a & unit != 0;
    // Just under a half, or exactly a half when odd, carries into the integral bits as it should.
    (a + (unit >> 1) - 1 + odd as u64) & !(unit - 1)
}

/// Unbiased exponent; 1024 for infinities and NaN, −1023 for zeros and denormals.
const fn exponent(a: u64) -> i64 {
    ((a >> FRACTION_BITS) & 0x7ff) as i64 - 1023
}

const fn away_from_zero_if(a: u64, away: bool) -> u64 {
    let truncated = trunc(a);
    if !away || truncated == a || is_nan(a) {
        return truncated;
    }
    if truncated & !SIGN == 0 {
        return (a & SIGN) | (1023 << FRACTION_BITS);
    }
    // Not integral, so the exponent is below 52 and the unit is a bit of the pattern.
    truncated + (IMPLICIT >> exponent(a))
}

/// Exact remainder with the dividend's sign (C's `fmod`).
pub const fn rem(a: u64, b: u64) -> u64 {
    if is_nan(a) || is_nan(b) || a & !SIGN == INFINITY || b & !SIGN == 0 {
        return NAN;
    }
    if a & !SIGN < b & !SIGN {
        return a;
    }
    let (mut rest, mut shift) = split(a);
    let (divisor, low) = split(b);
    rest %= divisor;
    // 53 significant bits leave room for 11 more at a time.
    while shift > low && rest != 0 {
        let step = if shift - low < 11 { shift - low } else { 11 };
        rest = (rest << step) % divisor;
        shift -= step;
    }
    (a & SIGN) | join(rest, low)
}

/// Magnitude as `significand * 2^(exponent - 1075)`, exponent ≥ 1, significand < 2^53.
const fn split(a: u64) -> (u64, i64) {
    let field = ((a >> FRACTION_BITS) & 0x7ff) as i64;
    let fraction = a & (IMPLICIT - 1);
    if field == 0 { (fraction, 1) } else { (fraction | IMPLICIT, field) }
}

/// The inverse of `split` for a significand that may have leading zeros.
const fn join(significand: u64, exponent: i64) -> u64 {
    if significand == 0 {
        return 0;
    }
    let spare = significand.leading_zeros() as i64 - 11;
    if exponent > spare {
        let field = (exponent - spare) as u64;
        (field << FRACTION_BITS) | ((significand << spare) & (IMPLICIT - 1))
    } else {
        significand << (exponent - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::samples::{Random, f64_edges};

    fn check_unary(ours: impl Fn(u64) -> u64, reference: impl Fn(f64) -> f64) {
        let mut random = Random::new("f64 unary");
        let samples = (0..200_000).map(|_| random.f64_bits());
        for a in f64_edges().into_iter().chain(samples) {
            let expected = canonical(reference(f64::from_bits(a)).to_bits());
            assert_eq!(ours(a), expected, "{a:#x} {}", f64::from_bits(a));
        }
    }

    fn check_binary(ours: impl Fn(u64, u64) -> u64, reference: impl Fn(f64, f64) -> f64) {
        let mut random = Random::new("f64 binary");
        let samples = (0..200_000).map(|_| (random.f64_bits(), random.f64_bits()));
        let edges = f64_edges();
        let pairs = edges.iter().flat_map(|&a| edges.iter().map(move |&b| (a, b)));
        for (a, b) in pairs.chain(samples) {
            let expected = canonical(reference(f64::from_bits(a), f64::from_bits(b)).to_bits());
            assert_eq!(ours(a, b), expected, "{a:#x} {b:#x}");
        }
    }

    #[test]
    fn rounding_to_integral_agrees_with_the_host() {
        check_unary(trunc, f64::trunc);
        check_unary(floor, f64::floor);
        check_unary(ceil, f64::ceil);
        check_unary(round_even, f64::round_ties_even);
    }

    #[test]
    fn rounding_is_right_at_every_half() {
        for half in -70_000..70_000 {
            let value = f64::from(half) * 0.5;
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
        check_unary(abs, f64::abs);
        check_binary(copysign, f64::copysign);
        assert_eq!(neg(0xfff8_0000_0000_0001), NAN);
        assert_eq!(abs(0xfff0_0000_0000_0001), NAN);
        assert_eq!(copysign(NAN, SIGN), NAN);
        assert_eq!(copysign(0, 0xfff8_0000_0000_0000), SIGN);
    }

    #[test]
    fn arithmetic_returns_the_canonical_nan() {
        check_binary(add, |a, b| a + b);
        check_binary(sub, |a, b| a - b);
        check_binary(mul, |a, b| a * b);
        check_binary(div, |a, b| a / b);
        check_unary(sqrt, f64::sqrt);
        assert_eq!(sub(INFINITY, INFINITY), NAN);
        assert_eq!(add(u64::MAX, 0), NAN);
        assert_eq!(sqrt(SIGN | 1), NAN);
    }

    #[test]
    fn remainder_is_exact() {
        check_binary(rem, |a, b| a % b);
        let mut random = Random::new("f64 rem near");
        for _ in 0..100_000 {
            let (a, b) = (random.f64_near_one(), random.f64_near_one());
            let expected = f64::from_bits(a) % f64::from_bits(b);
            assert_eq!(rem(a, b), expected.to_bits(), "{a:#x} {b:#x}");
        }
        assert_eq!(rem(1e10f64.to_bits(), 3f64.to_bits()), 1f64.to_bits());
    }

    #[test]
    fn minimum_and_maximum_order_zeros_and_let_nan_win() {
        assert_eq!(min(0, SIGN), SIGN);
        assert_eq!(max(SIGN, 0), 0);
        assert_eq!(min(0x7ff0_0000_0000_0001, 0), NAN);
        assert_eq!(max(0, u64::MAX), NAN);
        let edges = f64_edges();
        for &a in edges.iter().filter(|&&a| !is_nan(a)) {
            for &b in edges.iter().filter(|&&b| !is_nan(b)) {
                let (x, y) = (f64::from_bits(a), f64::from_bits(b));
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
        let mut random = Random::new("f64 fma");
        let edges = f64_edges();
        let check = |a: u64, b: u64, c: u64| {
            let expected = f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c));
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
            let (a, b) = (random.f64_near_one(), random.f64_near_one());
            // An addend that nearly cancels the product, one of like size, one of any size.
            let product = f64::from_bits(a) * f64::from_bits(b);
            check(a, b, (-product).to_bits());
            check(a, b, random.f64_near_one());
            // Products and sums among the denormals, and a last bit decided far below.
            let tiny = b & 0x800f_ffff_ffff_ffff | (1 + (b >> 52) % 32) << 52;
            check(a, tiny, random.f64_bits() & 0x803f_ffff_ffff_ffff);
            check(a, tiny & 0x800f_ffff_ffff_ffff, random.f64_bits() & 0x800f_ffff_ffff_ffff);
            check(a, b, random.f64_near_one() ^ (60 << 52));
            check(a, b, random.f64_bits());
            check(random.f64_bits(), random.f64_bits(), random.f64_bits());
        }
    }

    #[test]
    fn comparisons_are_false_on_nan() {
        for a in f64_edges() {
            assert!(!lt(a, NAN) && !le(a, NAN) && !eq(a, NAN));
        }
        assert!(eq(0, SIGN) && le(0, SIGN) && !lt(SIGN, 0));
    }
}
