"""float128 and complex256: x87 and binary128, told apart element by element."""

from fractions import Fraction

import numpy as np
import pytest
from nibabel.arrayproxy import ArrayProxy

import wide
from compare import assert_same
from eltypes import COMPLEX, FLOATS, INTEGERS, TYPES, file_bytes, swap, values
from model import Scaling, expected
from nifti import Nifti
from proxy import Proxy

X87_HERE = np.finfo(np.longdouble).nmant == 63
# Ties and near-ties of every shorter float, limits, and numbers beyond float64.
NUMBERS = [0, 1, -1, Fraction(1, 3), -Fraction(1, 10), 127, 255, -129, 2**63, -(2**63)]
NUMBERS += [Fraction(5, 2), Fraction(7, 2), 2**62 + 1, 2**64 - 1, Fraction(2**53 + 1)]
NUMBERS += [1 + Fraction(1, 2**k) for k in (11, 24, 53, 60)]
NUMBERS += [1 + Fraction(3, 2**k) for k in (11, 24, 53)]
NUMBERS += [1 + Fraction(1, 2**k) + Fraction(1, 2**62) for k in (11, 24, 53)]
NUMBERS += [Fraction(2) ** 1024, Fraction(2**54 - 1) * Fraction(2) ** 970, Fraction(10) ** 4000]
NUMBERS += [Fraction(2) ** k for k in (-1074, -1075, -1076, -149, -150, -24, -25, -16300)]
NUMBERS += [3 * Fraction(2) ** k for k in (-1076, -151, -26)]


def _elements(encode):
    """All numbers with both signs, infinities and NaN."""
    raw = [encode(number) for number in NUMBERS] + [encode(-n) for n in NUMBERS]
    raw += [encode(0, True), encode("inf"), encode("inf", True), encode("nan")]
    return np.frombuffer(b"".join(raw), "V16").copy()


def _open(name, stored, byte_order="<", **options):
    data = file_bytes(name, stored, byte_order=byte_order)
    return Proxy.open_layout(data, name, stored.shape, byte_order=byte_order, **options)


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("encoding", ["x87", "binary128", "mixed"])
def test_reals(encoding, byte_order):
    """As every type, each rounded or cut once from the exact number."""
    if encoding == "mixed":
        stored = np.concatenate([_elements(wide.x87), _elements(wide.binary128)])
        stored = np.random.default_rng(0).permutation(stored)
    else:
        stored = _elements(getattr(wide, encoding))
    with _open("float128", stored, byte_order) as proxy:
        assert proxy.auto_dtype == np.float64
        assert_same(proxy.read_all(), wide.cast(stored, "f8"), "auto")
        assert_same(proxy.read_all("disk"), stored, "disk")
        assert_same(proxy.read_all("float128"), stored, "own type")
        for requested in FLOATS + INTEGERS + COMPLEX:
            want = expected("float128", stored, requested=TYPES[requested].dtype)
            assert_same(proxy.read_all(requested), want, requested)


@pytest.mark.parametrize("byte_order", "<>")
def test_complex(byte_order):
    stored = values("complex256", 200, 3)
    with _open("complex256", stored, byte_order) as proxy:
        assert proxy.auto_dtype == np.complex128
        assert_same(proxy.read_all(), expected("complex256", stored), "auto")
        assert_same(proxy.read_all("disk"), stored, "disk")
        for requested in FLOATS + INTEGERS + COMPLEX:
            want = expected("complex256", stored, requested=TYPES[requested].dtype)
            assert_same(proxy.read_all(requested), want, requested)


@pytest.mark.skipif(not X87_HERE, reason="longdouble is not x87 here")
@pytest.mark.parametrize("name", ["float128", "complex256"])
def test_x87_against_nibabel(name, tmp_path):
    """NumPy's longdouble reads the same bytes and casts them in hardware."""
    stored = _elements(wide.x87)
    if name == "complex256":
        stored = stored[: len(stored) // 2 * 2].view("V32")
    path = tmp_path / "array.bin"
    path.write_bytes(stored.tobytes())
    dtype = np.longdouble if name == "float128" else np.clongdouble
    second = ArrayProxy(str(path), (stored.shape, dtype))
    with Proxy.open_layout(path, name, stored.shape) as proxy:
        # NumPy casts longdouble to float16 by way of double, which rounds twice.
        floats = [other for other in FLOATS + COMPLEX if other != "float16"]
        for requested in floats:
            requested = TYPES[requested].dtype
            want = second.__array__(requested)
            assert_same(proxy.read_all(requested), want, f"{requested}")
        same = proxy.read_all("disk").view("u1").reshape(-1, 16)[:, :10]
        assert (same == np.asarray(second).view("u1").reshape(-1, 16)[:, :10]).all()


@pytest.mark.skipif(not X87_HERE, reason="longdouble is not x87 here")
def test_x87_bit_patterns():
    """Any ten bytes: numbers without their leading bit are NaN to the hardware."""
    raw = np.zeros((4000, 16), "u1")
    raw[:, :10] = np.random.default_rng(3).integers(0, 256, (4000, 10))
    # Exponents near the range of doubles and at both ends, so that not all overflow.
    heads = np.random.default_rng(4).choice([0, 1, 0x3BCD, 0x3FFF, 0x43FE, 0x7FFF], 4000)
    raw[::2, 8:10] = heads[::2, None] >> np.array([0, 8]) & 255
    raw[0] = list(bytes(8) + b"\xff\x7f" + bytes(6))  # infinity without a leading bit
    stored = np.ascontiguousarray(raw).view("V16")[:, 0]
    want = raw.view(np.longdouble)[:, 0].astype("f8")
    assert np.isnan(want).any() and np.isfinite(want).any()
    with _open("float128", stored) as proxy:
        assert_same(proxy.read_all(), want)


@pytest.mark.parametrize("name", ["float128", "complex256"])
def test_scaled(name):
    """Scaled in double precision or better; exact where double precision is."""
    rng = np.random.default_rng(5)
    numbers = [Fraction(int(n), 16) for n in rng.integers(-(2**30), 2**30, 64)]
    encoders = wide.x87, wide.binary128
    raw = b"".join(encoders[i % 2](number) for i, number in enumerate(numbers))
    stored = np.frombuffer(raw, TYPES[name].dtype).copy()
    for scaling in [Scaling(0.5, 3.0), Scaling(-4.0), Scaling(1.0, 0.25), Scaling(0.0, 7.0)]:
        with _open(name, stored, slope=scaling.slope, inter=scaling.inter) as proxy:
            assert_same(proxy.read_all(), expected(name, stored, scaling))
    with _open(name, stored, slope=0.1, inter=3.7) as proxy:
        got = proxy.read_all()
        parts = got.view("f8") if name == "complex256" else got
        inter = [3.7, 0.0] if name == "complex256" else [3.7]
        for i, number in enumerate(numbers):
            exact = number * Fraction(0.1) + Fraction(inter[i % len(inter)])
            # Two roundings: each at most half a unit of the larger operand.
            slack = (abs(number) * Fraction(0.1) + 4) * Fraction(1, 2**52)
            assert abs(Fraction(float(parts[i])) - exact) <= slack


@pytest.mark.parametrize("codec", ["plain", "gzip"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("name", ["float128", "complex256"])
def test_in_nifti_files(name, version, codec, tmp_path):
    """Codes 1536 and 2048, which NiBabel refuses where longdouble is x87."""
    for byte_order in "<>":
        file = Nifti(name, (6, 5, 3), byte_order, version=version, packing=codec)
        stored = file.stored()
        with Proxy.open(file.write(tmp_path, f"{ord(byte_order)}")) as proxy:
            assert_same(proxy.read_all(), expected(name, stored))
            index = (slice(None, None, -2), 3)
            for requested in (None, "disk", np.dtype("f4")):
                want = expected(name, stored, requested=requested)[index]
                assert_same(proxy.read(index, requested), want, f"{requested}")


def test_elements_are_told_apart_in_either_byte_order():
    """Big-endian x87 has its zeros in front."""
    raw = wide.x87(Fraction(3, 2)) + wide.binary128(Fraction(-5, 4))
    data = swap("float128", raw)
    assert data[:6] == bytes(6) and data[16:18] == b"\xbf\xff"
    with Proxy.open_layout(data, "float128", (2,), byte_order=">") as proxy:
        assert proxy.read_all().tolist() == [1.5, -1.25]
        assert proxy.read_all("disk").tobytes() == raw
