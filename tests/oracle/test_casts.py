"""Casts with rounding and with checks, raw reads, and casts that do not exist."""

import numpy as np
import pytest

from capi import READ_CHECKED, READ_RAW, READ_ROUND, ApError, lib
from compare import assert_same
from eltypes import COMPLEX, FLOATS, INTEGERS, NUMBERS, TYPES, file_bytes, values
from model import Scaling, cast, expected
from proxy import Proxy


def _open(name, stored, scaling=Scaling()):
    data = file_bytes(name, stored)
    return Proxy.open_layout(data, name, stored.shape, slope=scaling.slope, inter=scaling.inter)


@pytest.mark.parametrize("requested", INTEGERS)
@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("slope", [1.0, 0.7], ids=["plain", "scaled"])
def test_rounded_integers(slope, name, requested):
    """AP_READ_ROUND: to the nearest, ties to even, then to the limits."""
    stored, scaling = values(name, 300, 11), Scaling(slope)
    dtype = TYPES[requested].dtype
    with _open(name, stored, scaling) as proxy:
        want = expected(name, stored, scaling, dtype, rounded=True)
        assert_same(proxy.read_all(dtype, READ_ROUND), want)
        raw = expected(name, stored, scaling, dtype, raw=True, rounded=True)
        assert_same(proxy.read_all(dtype, READ_ROUND | READ_RAW), raw)


def test_ties():
    halves = np.arange(-400, 401) / 2
    for name in FLOATS:
        stored = halves.astype(TYPES[name].dtype)
        with _open(name, stored) as proxy:
            assert_same(proxy.read_all("i2", READ_ROUND), np.rint(halves).astype("i2"))
            assert_same(proxy.read_all("i2"), np.trunc(halves).astype("i2"))
    with _open("int16", np.arange(-9, 9, dtype="i2"), Scaling(0.5)) as proxy:
        want = [-4, -4, -4, -3, -2, -2, -2, -1, 0, 0, 0, 1, 2, 2, 2, 3, 4, 4]
        assert proxy.read_all("i1", READ_ROUND).tolist() == want


def _passes(values, requested, rounded):
    """Which elements AP_READ_CHECKED lets through: the header's list of failures."""
    dtype = np.dtype(requested)
    ok = np.ones(values.shape, bool)
    if dtype.kind == "b":
        return ok
    if values.dtype.kind == "c" and dtype.kind != "c":
        ok &= values.imag == 0
        values = values.real
    if values.dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        return _passes(values.real, part, rounded) & _passes(values.imag, part, rounded)
    if dtype.kind in "iu":
        if values.dtype.kind in "biu":
            whole = [int(v) for v in values]
        else:
            doubles = values.astype("f8")
            ok &= np.isfinite(doubles)
            doubles = np.where(np.isfinite(doubles), doubles, 0)
            whole = [int(v) for v in (np.rint if rounded else np.trunc)(doubles)]
        info = np.iinfo(dtype)
        return ok & np.array([info.min <= v <= info.max for v in whole])
    part = np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
    return ok & (np.isfinite(cast(values, part)) | ~np.isfinite(values))


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("slope", [1.0, 0.7], ids=["plain", "scaled"])
def test_checked(slope, name):
    """Every element alone fails as it must, and those that pass do so together."""
    stored, scaling = values(name, 40, 12), Scaling(slope)
    failed = 0
    with _open(name, stored, scaling) as proxy:
        for requested in NUMBERS:
            dtype = TYPES[requested].dtype
            for rounded in (0, READ_ROUND):
                with np.errstate(all="ignore"):
                    # The work type may depend on the type asked for: double here.
                    natural = expected(name, stored, scaling)
                    passes = _passes(natural, dtype, rounded)
                want = expected(name, stored, scaling, dtype, rounded=bool(rounded))
                flags = READ_CHECKED | rounded
                for i in range(len(stored)):
                    context = f"{natural[i]!r} as {requested}"
                    if passes[i]:
                        assert_same(proxy.read(i, dtype, flags), np.array(want[i]), context)
                        continue
                    failed += 1
                    with pytest.raises(ApError) as caught:
                        proxy.read(i, dtype, flags)
                    assert caught.value.name == "AP_ERR_RANGE", context
                if passes.all():
                    assert_same(proxy.read_all(dtype, flags), want)
                else:
                    with pytest.raises(ApError, match="AP_ERR_RANGE"):
                        proxy.read_all(dtype, flags)
    assert failed or name == "bool"


@pytest.mark.parametrize("name", [*INTEGERS, "bool", *FLOATS, *COMPLEX])
def test_flags_do_not_change_what_fits(name):
    stored = np.array([0, 1, 5, 100]).astype(TYPES[name].dtype)
    with _open(name, stored) as proxy:
        for requested in NUMBERS:
            want = expected(name, stored, requested=TYPES[requested].dtype)
            for flags in (0, READ_ROUND, READ_CHECKED, READ_ROUND | READ_CHECKED | READ_RAW):
                assert_same(proxy.read_all(requested, flags), want, requested)


REFUSED = [
    ("rgb24", "uint8"),
    ("rgb24", "rgba32"),
    ("rgba32", "float32"),
    ("rgba32", "bool"),
    ("uint8", "rgb24"),
    ("int32", "rgba32"),
    ("float64", "float128"),
    ("complex128", "complex256"),
    ("float128", "complex256"),
    ("complex256", "float128"),
    ("bool", "float128"),
]


@pytest.mark.parametrize("name, requested", REFUSED)
def test_casts_that_do_not_exist(name, requested):
    stored = values(name, 12, 1)
    with _open(name, stored) as proxy:
        with pytest.raises(ApError) as caught:
            proxy.plan((), requested, 0)
        assert caught.value.name == "AP_ERR_UNSUPPORTED"


@pytest.mark.parametrize("dtype", [2, -1, 257 + 2, 6 * 256 + 2, 255, 1 << 20])
def test_unknown_types_are_refused(dtype):
    with _open("int16", values("int16", 4, 1)) as proxy:
        assert lib().ap_slice_nbytes(proxy.handle, None, 0, dtype, 0, None) == -2
        assert lib().ap_read_all(proxy.handle, dtype, 0, None, 0, None) == -2
