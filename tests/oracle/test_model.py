"""The model of scaling and casts against NiBabel's own results. Needs no library."""

import io
from fractions import Fraction

import numpy as np
import pytest
from nibabel.arrayproxy import ArrayProxy

import model
import wide
from compare import assert_same
from eltypes import NUMBERS, TYPES, file_bytes, values
from model import Scaling
from scalings import COMMON, DOUBLE
from second import assert_agrees, has_opinion

COUNT = 200
CASES = {"neutral": (1.0, 0.0), "zero-slope": (0.0, 2.5), **COMMON}


@pytest.mark.parametrize("case", [*CASES, *DOUBLE])
@pytest.mark.parametrize("name", NUMBERS)
def test_scaling_and_casts_are_nibabels(name, case):
    """Every type asked for, for slopes of either precision."""
    slope, inter = {**CASES, **DOUBLE}[case]
    stored = values(name, COUNT, seed=1)
    compared = 0
    for factor in [np.float64] if case in DOUBLE else [np.float64, np.float32]:
        slope, inter = float(factor(slope)), float(factor(inter))
        scaling = Scaling(slope, inter, factor)
        spec = (stored.shape, TYPES[name].dtype, 0, factor(slope), factor(inter))
        proxy = ArrayProxy(io.BytesIO(file_bytes(name, stored)), spec)
        if not has_opinion(name, scaling):
            with np.errstate(all="ignore"):
                assert np.asarray(proxy).dtype == np.longdouble
            assert model.expected(name, stored, scaling).dtype == np.float64
            continue
        for requested in [None, *(TYPES[other].dtype for other in NUMBERS)]:
            got = model.expected(name, stored, scaling, requested)
            context = f"{np.dtype(factor)} factors, as {requested}"
            assert_agrees(got, proxy, name, scaling, requested, context)
            compared += 1
    assert compared or case in DOUBLE


def test_integer_casts_saturate():
    doubles = np.array([300.7, -300.7, np.inf, -np.inf, np.nan, 2.5, 3.5, -0.5, 127.9])
    cut = model.cast(doubles, "i1")
    assert cut.tolist() == [127, -128, 127, -128, 0, 2, 3, 0, 127]
    rounded = model.cast(doubles, "i1", round_half_even=True)
    assert rounded.tolist() == [127, -128, 127, -128, 0, 2, 4, 0, 127]
    edge = np.array([2.0**63, -(2.0**63), 2.0**64, 1e300, -1.0])
    assert model.cast(edge, "i8").tolist() == [2**63 - 1, -(2**63)] + [2**63 - 1] * 2 + [-1]
    assert model.cast(edge, "u8").tolist() == [2**63, 0, 2**64 - 1, 2**64 - 1, 0]
    wide_integers = np.array([2**64 - 1, 2**63, 2**53 + 1], "u8")
    assert model.cast(wide_integers, "i8").tolist() == [2**63 - 1, 2**63 - 1, 2**53 + 1]


def test_x87_is_this_machines_longdouble():
    if np.finfo(np.longdouble).nmant != 63:
        pytest.skip("longdouble is not x87 here")
    numbers = [Fraction(1), Fraction(1, 3), Fraction(355, 113), Fraction(2**63 + 1)]
    numbers += [1 + Fraction(1, 2**64), 1 + Fraction(3, 2**64), Fraction(1, 2**63 - 1)]
    for number in numbers:
        for scale in (0, 16000, -16000, -16440):
            raw = wide.x87(number * Fraction(2) ** scale)
            element = np.frombuffer(raw, np.longdouble)[0]
            ratio = np.longdouble(number.numerator) / np.longdouble(number.denominator)
            if number.denominator < 2**64:
                assert element == np.ldexp(ratio, scale)
            for dtype in ("f2", "f4", "f8"):
                assert wide.to_float(raw, dtype) == element.astype(dtype)
    assert np.isinf(np.frombuffer(wide.x87("inf", True), np.longdouble)[0])
    assert np.isnan(np.frombuffer(wide.x87("nan"), np.longdouble)[0])


def test_binary128_encoding():
    """Against encodings worked out by hand from IEEE 754."""
    assert wide.binary128(1)[::-1].hex() == "3fff" + "0" * 28
    assert wide.binary128(-2)[::-1].hex() == "c000" + "0" * 28
    assert wide.binary128(Fraction(1, 3))[::-1].hex() == "3ffd" + "5" * 28
    assert wide.binary128("inf", True)[::-1].hex() == "ffff" + "0" * 28
    assert wide.binary128(Fraction(2) ** -16494)[::-1].hex() == "0" * 31 + "1"
    for number in [Fraction(1, 10), Fraction(2**113 - 1), Fraction(3, 2**16400)]:
        raw = wide.binary128(number)
        again = wide.binary128(wide.exact(raw)[0])
        assert raw == again


def test_wide_to_double_rounds_once():
    """Numbers a hair above a tie: through a shorter type they would round down."""
    above = 1 + Fraction(1, 2**24) + Fraction(1, 2**60)
    for encode in (wide.x87, wide.binary128):
        assert wide.to_float(encode(above), "f4") == np.float32(1 + 2**-23)
        assert np.float32(wide.to_float(encode(above), "f8")) == 1
        assert wide.to_int(encode(-(2**62) - 1), "i8") == -(2**62) - 1
    negative_zero = wide.to_float(wide.binary128(0, negative=True), "f8")
    assert_same(np.array(negative_zero), np.array(-0.0))


def test_bits_are_compared():
    """Differences that == overlooks."""
    with pytest.raises(AssertionError, match="1 of 2"):
        assert_same(np.array([0.0, 1.0]), np.array([-0.0, 1.0]))
    with pytest.raises(AssertionError, match="1 of 1"):
        assert_same(np.array(0.0), np.array(-0.0))
    with pytest.raises(AssertionError, match="1 of 3"):
        assert_same(np.frombuffer(b"\1\2\0", "?"), np.array([True, True, False]))
    with pytest.raises(AssertionError, match="float32"):
        assert_same(np.array([1], "f4"), np.array([1], "f8"))
    quiet, other = np.array([0x7FC00000, 0x7FC00001], "u4").view("f4")
    assert_same(np.array(quiet), np.array(other))
    with pytest.raises(AssertionError):
        assert_same(np.array(quiet), np.array(other), exact_nan=True)
