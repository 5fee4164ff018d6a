"""Floats of 128 bits by exact arithmetic: x87 extended (80 bits, padded) and binary128.

Elements are 16 little-endian bytes. Those whose bytes 10 to 15 are zero are x87.
"""

import functools
import math
from fractions import Fraction

import numpy as np

BIAS = 16383


def round_to(value, bits, lowest):
    """`value` as (mantissa of `bits` bits, exponent of its last bit), ties to even.

    `lowest` is the smallest exponent of a normal number's first bit.
    """
    if value == 0:
        return 0, lowest - bits + 1
    first = value.numerator.bit_length() - value.denominator.bit_length()
    if Fraction(2) ** first > value:
        first -= 1
    last = max(first, lowest) - bits + 1
    mantissa = round(value / Fraction(2) ** last)
    if mantissa == 2**bits:
        mantissa, last = mantissa // 2, last + 1
    return mantissa, last


def x87(value, negative=False):
    """16 bytes of the x87 float nearest to `value`, a number or "inf" or "nan"."""
    if value in ("inf", "nan"):
        mantissa, exponent = (2**63 if value == "inf" else 3 * 2**62), 0x7FFF
    else:
        value = Fraction(value)
        negative = negative or value < 0
        mantissa, last = round_to(abs(value), 64, 1 - BIAS)
        exponent = last + 63 + BIAS if mantissa >= 2**63 else 0
    exponent |= negative << 15
    return mantissa.to_bytes(8, "little") + exponent.to_bytes(2, "little") + bytes(6)


def binary128(value, negative=False):
    """16 bytes of the binary128 float nearest to `value`, a number, "inf" or "nan"."""
    if value in ("inf", "nan"):
        mantissa, exponent = (0 if value == "inf" else 2**111), 0x7FFF
    else:
        value = Fraction(value)
        negative = negative or value < 0
        mantissa, last = round_to(abs(value), 113, 1 - BIAS)
        exponent = last + 112 + BIAS if mantissa >= 2**112 else 0
        mantissa %= 2**112
    return (mantissa | exponent << 112 | negative << 127).to_bytes(16, "little")


@functools.lru_cache(100_000)
def exact(raw):
    """(number, negative) that 16 bytes mean: a Fraction, or "inf" or "nan"."""
    if any(raw[10:]):
        bits = int.from_bytes(raw, "little")
        negative, exponent = bool(bits >> 127), bits >> 112 & 0x7FFF
        mantissa, width = bits % 2**112, 112
        fraction = mantissa
        mantissa += 2**112 if exponent else 0
    else:
        mantissa = int.from_bytes(raw[:8], "little")
        exponent = int.from_bytes(raw[8:10], "little")
        negative, exponent = bool(exponent >> 15), exponent & 0x7FFF
        if exponent and mantissa < 2**63:
            return "nan", negative  # invalid to the x87: no leading bit
        width, fraction = 63, mantissa % 2**63
    if exponent == 0x7FFF:
        return ("nan" if fraction else "inf"), negative
    return mantissa * Fraction(2) ** (max(exponent, 1) - BIAS - width), negative


@functools.lru_cache(100_000)
def to_float(raw, dtype):
    """The float16, float32 or float64 nearest to 16 bytes, rounded once."""
    value, negative = exact(raw)
    info = np.finfo(dtype)
    if value == "nan":
        number = math.nan
    elif value == "inf":
        number = math.inf
    else:
        mantissa, last = round_to(value, info.nmant + 1, int(info.minexp))
        nearest = mantissa * Fraction(2) ** last
        number = float(nearest) if nearest <= Fraction(float(info.max)) else math.inf
    return np.dtype(dtype).type(-number if negative else number)


def to_int(raw, dtype):
    """16 bytes cut towards zero, at the limits of the type; NaN is 0."""
    value, negative = exact(raw)
    info = np.iinfo(dtype)
    if value == "nan":
        return np.dtype(dtype).type(0)
    if value == "inf":
        return np.dtype(dtype).type(info.min if negative else info.max)
    number = math.trunc(-value if negative else value)
    return np.dtype(dtype).type(min(max(number, info.min), info.max))


def cast(parts, dtype):
    """Every element of an array of 16-byte elements as `dtype`, in the same shape."""
    dtype = np.dtype(dtype)
    one = to_float if dtype.kind == "f" else to_int
    out = np.empty(parts.shape, dtype)
    for at in np.ndindex(parts.shape):
        out[at] = one(parts[at].tobytes(), dtype)
    return out


def values(count, rng):
    """`count` elements, x87 and binary128 by turns, special ones among them."""
    tie = 1 + Fraction(1, 2**53)
    numbers = [0, 1, Fraction(1, 10), tie, tie + Fraction(1, 2**63), Fraction(10) ** 400]
    numbers += [Fraction(2) ** -16400, Fraction(2) ** -1074, Fraction(2) ** -1075]
    numbers += [Fraction(2) ** 63, 2**53 + 1, Fraction(5, 2), "inf", "nan"]
    elements = []
    for i in range(count):
        if rng.integers(0, 3):
            value = numbers[rng.integers(len(numbers))]
        else:
            value = Fraction(int(rng.integers(2**62)), int(rng.integers(1, 2**40)))
        encode = x87 if i % 2 else binary128
        elements.append(encode(value, bool(rng.integers(2))))
    return np.frombuffer(b"".join(elements), "V16").copy()
