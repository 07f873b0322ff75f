#!/usr/bin/env python3
"""Writes the results in tests/data/math/*.csv anew from their inputs: correctly rounded, by mpmath.

usage: math_vectors.py [--check] FILE…        (needs `pip install mpmath`)
A file NAME_f64.csv or NAME_f32.csv has rows `x,result` or `x,y,result`, bits in hexadecimal; NaN is
7ff8000000000000 or 7fc00000.
With --check nothing is written and the exit status says whether every row was right.
"""
import math
import pathlib
import struct
import sys
from typing import NamedTuple

import mpmath
from mpmath import mp, mpf

INF, NAN = math.inf, math.nan
TWO = {"pow", "atan2", "hypot"}


class Format(NamedTuple):
    """A binary float: what `struct` calls it, its NaN, bits of the significand, exponents as `frexp` has them."""

    code: str
    nan: str
    precision: int
    least: int
    greatest: int


FORMATS = {
    "f64": Format(">d", "7ff8000000000000", 53, -1021, 1024),
    "f32": Format(">f", "7fc00000", 24, -125, 128),
}
# The format of the file at hand; `main` sets it.
target = FORMATS["f64"]


def to_float(bits):
    return struct.unpack(target.code, bytes.fromhex(bits))[0]


def to_bits(value):
    return target.nan if math.isnan(value) else struct.pack(target.code, value).hex()


def rounded(value):
    """The nearest float of the target, ties to even, denormals and overflow included."""
    if value == 0:
        return 0.0
    precision = target.precision
    mantissa, exponent = mpmath.frexp(abs(value))
    exponent = max(exponent, target.least)
    units = int(mpmath.nint(mpmath.ldexp(abs(value), precision - exponent)))
    # 2^1024 (2^128) is the first that does not fit.
    over = exponent > target.greatest or (exponent == target.greatest and units >= 1 << precision)
    size = INF if over else math.ldexp(units, exponent - precision)
    return math.copysign(size, float(mpmath.sign(value)))


def sign_bit(x):
    return math.copysign(1.0, x) < 0


def unary_special(name, x):
    """The result where the limit or the sign of a zero decides; None elsewhere."""
    if math.isnan(x):
        return NAN
    odd = {"expm1", "sin", "tan", "sinpi", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "cbrt", "erf", "log1p"}
    if x == 0 and name in odd:
        return x
    if math.isinf(x):
        up = x > 0
        return {
            "exp": INF if up else 0.0, "exp2": INF if up else 0.0, "expm1": INF if up else -1.0,
            "log": INF if up else NAN, "log2": INF if up else NAN, "log10": INF if up else NAN,
            "log1p": INF if up else NAN, "atan": rounded(mp.pi / 2) * (1 if up else -1), "sinh": x, "cosh": INF,
            "tanh": math.copysign(1.0, x), "asinh": x, "acosh": INF if up else NAN, "cbrt": x,
            "erf": math.copysign(1.0, x), "erfc": 0.0 if up else 2.0, "rsqrt": 0.0 if up else NAN,
            "sigmoid": 1.0 if up else 0.0, "lgamma": INF, "tgamma": INF if up else NAN,
        }.get(name, NAN)
    whole = x == math.floor(x)
    if name in {"log", "log2", "log10"} and x <= 0:
        return -INF if x == 0 else NAN
    if name == "rsqrt" and x <= 0:
        return math.copysign(INF, x) if x == 0 else NAN
    if name == "log1p" and x <= -1:
        return -INF if x == -1 else NAN
    if name in {"asin", "acos"} and abs(x) > 1 or name == "acosh" and x < 1:
        return NAN
    if name == "atanh" and abs(x) >= 1:
        return math.copysign(INF, x) if abs(x) == 1 else NAN
    if name == "sinpi" and whole:
        return math.copysign(0.0, x)
    if name == "tgamma" and x <= 0 and whole:
        return math.copysign(INF, x) if x == 0 else NAN
    if name == "lgamma" and x <= 0 and whole:
        return INF
    return None


def exponent_of(x):
    return math.frexp(x)[1]


def unary_value(name, x):
    """The value to a few hundred bits; x is finite."""
    v = mpf(x)
    if name in {"exp", "sinh", "cosh", "expm1"} and abs(x) > 800:
        v = mpf(math.copysign(800, x))
    if name == "exp2" and abs(x) > 1200:
        v = mpf(math.copysign(1200, x))
    if name in {"sigmoid", "tanh"} and abs(x) > 800:
        v = mpf(math.copysign(800, x))
    if name in {"erf", "erfc"} and abs(x) > 40:
        v = mpf(math.copysign(40, x))
    if name == "tgamma" and x > 180:
        v = mpf(180)
    if name == "tgamma" and x < -200:
        # Too small for a float; the sign alternates with the integer below.
        return mpf(2) ** -2000 * (-1 if math.floor(x) % 2 else 1)
    functions = {
        "exp2": lambda: mpf(2) ** v, "log2": lambda: mpmath.log(v) / mpmath.log(2), "rsqrt": lambda: 1 / mpmath.sqrt(v),
        "log10": lambda: mpmath.log(v) / mpmath.log(10), "sigmoid": lambda: 1 / (1 + mpmath.exp(-v)),
        "cbrt": lambda: mpmath.sign(v) * mpmath.cbrt(abs(v)), "tgamma": lambda: mpmath.gamma(v),
        "lgamma": lambda: mpmath.log(abs(mpmath.gamma(v))) if v < 0 else mpmath.loggamma(v),
    }
    if name == "lgamma" and x < -1e4:
        # The reflection formula: gamma itself is too small for its logarithm to be found.
        fraction = v - mpmath.floor(v)
        return mpmath.log(mp.pi / (mpmath.sin(mp.pi * fraction) * -v)) - mpmath.loggamma(-v)
    if name in functions:
        return functions[name]()
    return getattr(mpmath, name)(v)


def unary(name, x):
    special = unary_special(name, x)
    if special is not None:
        return special
    # Small arguments cancel against 1, large ones lose whole turns.
    mp.prec = 300 + 3 * abs(exponent_of(x))
    return rounded(unary_value(name, x))


def power(x, y):
    whole = math.isinf(y) or math.fmod(y, 1) == 0
    odd = not math.isinf(y) and whole and math.fmod(y, 2) != 0
    if x == 1 or y == 0:
        return 1.0
    if math.isnan(x) or math.isnan(y):
        return NAN
    sign = -1.0 if odd and sign_bit(x) else 1.0
    if math.isinf(y):
        return 1.0 if abs(x) == 1 else INF if (abs(x) > 1) == (y > 0) else 0.0
    if x == 0 or math.isinf(x):
        return sign * (INF if (x == 0) == (y < 0) else 0.0)
    if x < 0 and not whole:
        return NAN
    exponent = mpf(y) * mpmath.log(abs(mpf(x)))
    exponent = max(min(exponent, mpf(800)), mpf(-800))
    return sign * rounded(mpmath.exp(exponent))


def arctangent(y, x):
    if math.isnan(x) or math.isnan(y) or math.isinf(x) or math.isinf(y) or x == 0 or y == 0:
        quarters = {True: 2, False: 0}[sign_bit(x)]
        if math.isnan(x) or math.isnan(y):
            return NAN
        if math.isinf(y):
            quarters = (3 if x < 0 else 1) / 2 if math.isinf(x) else 1
        elif x == 0 and y != 0:
            quarters = 1
        return math.copysign(rounded(mp.pi / 2 * quarters), y)
    return rounded(mpmath.atan2(mpf(y), mpf(x)))


def binary(name, x, y):
    mp.prec = 300 + sum(3 * abs(exponent_of(v)) for v in (x, y) if math.isfinite(v))
    if name == "pow":
        return power(x, y)
    if name == "atan2":
        return arctangent(x, y)
    if math.isinf(x) or math.isinf(y):
        return INF
    if math.isnan(x) or math.isnan(y):
        return NAN
    return rounded(mpmath.sqrt(mpf(x) ** 2 + mpf(y) ** 2))


def main(arguments):
    global target
    check = "--check" in arguments
    wrong = 0
    for path in map(pathlib.Path, (a for a in arguments if a != "--check")):
        name, suffix = path.stem.rsplit("_", 1)
        target = FORMATS[suffix]
        head, *rows = path.read_text().split()
        out = [head]
        for row in rows:
            inputs = row.split(",")[: 2 if name in TWO else 1]
            values = map(to_float, inputs)
            result = to_bits(binary(name, *values) if name in TWO else unary(name, *values))
            out.append(",".join([*inputs, result]))
            wrong += out[-1] != row
        if not check:
            path.write_text("\n".join(out) + "\n")
    if check and wrong:
        print(f"{wrong} rows are not correctly rounded")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
