"""Arrays whose layout the caller tells, against NiBabel's proxies of the same layout."""

import numpy as np
import pytest
from nibabel.arrayproxy import ArrayProxy

from capi import ORDER_C, ORDER_F, ApError, lib
from checks import check_description, check_indices, check_whole
from compare import assert_same
from eltypes import NUMBERS, TYPES, file_bytes, values
from model import Scaling, expected
from proxy import Proxy
from scalings import COMMON, DOUBLE

FLOAT32 = {"factor_type": TYPES["float32"].code}


def _open(tmp_path, name, shape, order="F", byte_order="<", offset=0, scaling=Scaling(), seed=0):
    """A file, our proxy of it, NiBabel's, and its elements."""
    stored = values(name, int(np.prod(shape)), seed).reshape(shape)
    data = bytes([0xEE] * offset) + file_bytes(name, stored, order, byte_order) + b"\xee"
    path = tmp_path / "array.bin"
    path.write_bytes(data)
    dtype = TYPES[name].dtype.newbyteorder(byte_order)
    factors = scaling.factor(scaling.slope), scaling.factor(scaling.inter)
    second = ArrayProxy(str(path), (shape, dtype, offset, *factors), order=order)
    options = FLOAT32 if scaling.factor == np.float32 else {}
    proxy = Proxy.open_layout(
        path, name, shape, order, byte_order, offset, scaling.slope, scaling.inter, **options
    )
    return proxy, second, stored


SHAPES = [(17,), (1, 1, 1), (4, 1, 6), (2, 3, 4, 5), (3, 2, 1, 2, 2, 1, 3, 2), (1,) * 30]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("order", "FC")
def test_orders_and_shapes(order, shape, tmp_path):
    for offset, byte_order in [(0, "<"), (1, ">"), (4097, "<")]:
        proxy, second, stored = _open(tmp_path, "int32", shape, order, byte_order, offset)
        with proxy:
            assert lib().ap_order(proxy.handle) == {"F": ORDER_F, "C": ORDER_C}[order]
            assert lib().ap_data_offset(proxy.handle) == offset
            assert lib().ap_format(proxy.handle) == b"layout"
            check_description(proxy, "int32", shape, Scaling())
            for requested in (None, "disk", "f4"):
                check_whole(proxy, "int32", stored, Scaling(), requested, second)
            rng = np.random.default_rng(4)
            check_indices(proxy, "int32", stored, Scaling(), rng, 60, second)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (0, 0)], ids=str)
@pytest.mark.parametrize("order", "FC")
def test_no_axes_and_no_elements(order, shape, tmp_path):
    """NiBabel has no right answer to some of these: semantics 4, [BUG]."""
    for scaling in (Scaling(), Scaling(2.0, 1.0)):
        proxy, _, stored = _open(tmp_path, "int16", shape, order, scaling=scaling)
        with proxy:
            check_description(proxy, "int16", shape, scaling)
            for requested in (None, "disk", "f4"):
                check_whole(proxy, "int16", stored, scaling, requested)
            for index in [(), (...,), (None, ...), (..., None)]:
                want = np.asarray(expected("int16", stored, scaling)[index])
                assert_same(proxy.read(index), want, f"{index}")


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("case", ["zero-slope", *COMMON])
@pytest.mark.parametrize("factor", ["float32", "float64"])
def test_factors_of_either_precision(factor, case, name, tmp_path):
    """AP_OPT_FACTOR_TYPE against NiBabel given slope and intercept of that type."""
    factor = getattr(np, factor)
    slope, inter = {"zero-slope": (0.0, 2.5), **COMMON}[case]
    scaling = Scaling(float(factor(slope)), float(factor(inter)), factor)
    proxy, second, stored = _open(tmp_path, name, (8, 5, 4), scaling=scaling, seed=6)
    with proxy:
        check_description(proxy, name, stored.shape, scaling)
        for requested in [None, "disk", *(TYPES[other].dtype for other in NUMBERS)]:
            check_whole(proxy, name, stored, scaling, requested, second)
        check_indices(proxy, name, stored, scaling, np.random.default_rng(3), 5, second)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("shape", [(5003,), (67, 71)], ids=str)
def test_long_rows(shape, name, tmp_path):
    """More elements than any inner loop or buffer takes at once, by several steps."""
    for byte_order, scaling in [("<", Scaling()), (">", Scaling(0.7, -3.0))]:
        opened = _open(tmp_path, name, shape, "F", byte_order, 3, scaling, seed=8)
        proxy, second, stored = opened
        with proxy:
            for requested in (None, "disk", "f4", "f8", "i2", "u8", "c8"):
                check_whole(proxy, name, stored, scaling, requested, second)
                whole = expected(name, stored, scaling, requested)
                for step in (2, -1, -3, 7):
                    index = (slice(None, None, step),)
                    assert_same(proxy.read(index, requested), whole[index], f"{requested}")


@pytest.mark.parametrize("case", DOUBLE)
@pytest.mark.parametrize("name", NUMBERS)
def test_factors_of_double_precision_only(name, case, tmp_path):
    scaling = Scaling(*DOUBLE[case])
    proxy, second, stored = _open(tmp_path, name, (8, 5, 4), "C", scaling=scaling, seed=7)
    with proxy:
        check_description(proxy, name, stored.shape, scaling)
        for requested in (None, "f4", "f8", "c16", "i8"):
            check_whole(proxy, name, stored, scaling, requested, second)


def test_single_precision_factors_are_rounded():
    """0.1 with float32 factors is the float32 nearest to 0.1."""
    stored = np.arange(-500, 500, dtype="i2")
    data = stored.tobytes()
    with Proxy.open_layout(data, "int16", (1000,), slope=0.1, inter=3.7, **FLOAT32) as proxy:
        want = stored.astype("f4") * np.float32(0.1) + np.float32(3.7)
        assert_same(proxy.read_all(), want)
        wide = stored.astype("f8") * float(np.float32(0.1)) + float(np.float32(3.7))
        assert_same(proxy.read_all("f8"), wide)
        assert proxy.factors == (float(np.float32(0.1)), float(np.float32(3.7)))


@pytest.mark.parametrize(
    "change",
    [
        {"slope": float("nan")},
        {"inter": float("inf")},
        {"shape": (-1, 2)},
        {"shape": (2**40, 2**40)},
        {"shape": (1,) * 65},
        {"order": "A"},
    ],
    ids=str,
)
def test_layouts_that_cannot_be(change):
    arguments = {"type": "int16", "shape": (2, 3)} | change
    with pytest.raises(ApError) as caught:
        Proxy.open_layout(bytes(64), **arguments)
    assert caught.value.name == "AP_ERR_ARGUMENT"
