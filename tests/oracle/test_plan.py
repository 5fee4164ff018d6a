"""Plans: reads into memory of any strides, and what they refuse."""

import numpy as np
import pytest

from capi import AUTO, READ_C, ApError, lib
from compare import assert_same
from model import expected
from nifti import Nifti
from proxy import POISON, Proxy, entries

SHAPE = (6, 5, 4)


@pytest.fixture(params=[None, "members"], ids=["plain", "gzip"])
def image(request, tmp_path):
    file = Nifti(shape=SHAPE, slope=0.5, inter=-1.0, gzip=request.param, byte_order=">")
    with Proxy.open(file.write(tmp_path)) as proxy:
        yield proxy, file


def _buffer(nbytes):
    return np.full(nbytes, POISON, "u1")


def _array(buffer, shape, dtype, order="C", offset=0):
    return np.ndarray(shape, dtype, buffer, offset, order=order)


# Views of an allocation, all of the shape (6, 5, 4), each with other strides.
VIEWS = {
    "packed F": lambda b, d: _array(b, SHAPE, d, "F"),
    "packed C": lambda b, d: _array(b, SHAPE, d, "C"),
    "reversed": lambda b, d: _array(b, SHAPE, d)[::-1, ::-1, ::-1],
    "reversed F": lambda b, d: _array(b, SHAPE, d, "F")[::-1, :, ::-1],
    "transposed": lambda b, d: _array(b, (5, 4, 6), d).transpose(2, 0, 1),
    "every other": lambda b, d: _array(b, (12, 5, 8), d)[::2, :, 1::2],
    "sliced F": lambda b, d: _array(b, (9, 7, 8), d, "F")[2:8, 1:6, ::-2],
    "thin": lambda b, d: _array(b, (6, 5, 4, 3), d)[..., 1],
    "unaligned": lambda b, d: _array(b, SHAPE, d, "F", offset=3),
    "field": lambda b, d: np.ndarray(SHAPE, np.dtype([("a", "u1"), ("b", d)]), b)["b"],
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("dtype", [None, "disk", "f4", "c16", "u1"])
def test_strides(image, dtype, view):
    """Elements land where the strides say; bytes between them are not touched."""
    proxy, file = image
    want = expected("int16", file.stored(), file.scaling, dtype)
    for flags in (0, READ_C):
        buffer = _buffer(16384)
        target = VIEWS[view](buffer, want.dtype)
        with proxy.plan(dtype=dtype, flags=flags) as plan:
            plan.read_into(target, buffer)
        assert_same(np.array(target), want, view)
        reference = _buffer(16384)
        VIEWS[view](reference, want.dtype)[...] = want
        assert (buffer == reference).all()


@pytest.mark.parametrize(
    "index",
    [
        (),
        (slice(None, None, -2), 3),
        (..., slice(1, 3), None),
        (2, 3, 1),
        (slice(2, 2),),
        (None, slice(4, None, -1), slice(1, None, 2), slice(None, None, -3)),
    ],
    ids=str,
)
def test_plan_of_a_part(image, index):
    """Shape, type and size as told, and the same elements by every way of reading."""
    proxy, file = image
    want = np.asarray(expected("int16", file.stored(), file.scaling)[index])
    for order, flags in (("F", 0), ("C", READ_C)):
        with proxy.plan(index, flags=flags) as plan:
            assert plan.shape == want.shape
            assert plan.dtype == want.dtype
            assert lib().ap_plan_nbytes(plan.handle) == want.nbytes
            nbytes = lib().ap_slice_nbytes(proxy.handle, *entries(index), AUTO, flags, None)
            assert nbytes == want.nbytes
            offset = 24
            buffer = _buffer(want.nbytes + 2 * offset)
            for _ in range(2):  # a plan may be read as often as wanted
                plan.read(buffer, offset)
                got = _array(buffer, want.shape, want.dtype, order, offset)
                assert_same(got.copy(), want)
                assert (buffer[:offset] == POISON).all()
                assert (buffer[offset + want.nbytes :] == POISON).all()


def test_cost_of_plain_data(tmp_path):
    """Bytes that are taken from the file; reads of less cost no more."""
    file = Nifti(shape=(10, 10, 10))
    with Proxy.open(file.write(tmp_path)) as proxy:
        with proxy.plan() as whole, proxy.plan((..., 3)) as plane, proxy.plan((0, 0, 0)) as one:
            costs = [lib().ap_plan_cost(p.handle) for p in (whole, plane, one)]
        assert costs == [2000, 200, 2]


def _code(plan, buffer, offset, strides):
    with pytest.raises(ApError) as caught:
        plan.read(buffer, offset, strides)
    return caught.value.name, caught.value.detail


def test_targets_that_are_refused(image):
    proxy, _ = image
    with proxy.plan(dtype="f8") as plan:
        size = 6 * 5 * 4 * 8
        packed = (8, 48, 240)
        buffer = _buffer(3 * size)
        exact = buffer[:size]
        assert _code(plan, exact[:-1], 0, packed) == ("AP_ERR_BUFFER", size)
        assert _code(plan, exact, 1, packed) == ("AP_ERR_BUFFER", size + 1)
        assert _code(plan, exact, 8, None) == ("AP_ERR_BUFFER", size + 8)
        before_start = "AP_ERR_ARGUMENT", 0
        assert _code(plan, exact, 39, (-8, 48, 240)) == before_start
        overlaps = [(8, 8, 240), (0, 8, 40), (8, 47, 240), (8, -40, 240), (4, 48, 240)]
        for strides in overlaps:
            assert _code(plan, buffer, 400, strides)[0] == "AP_ERR_ARGUMENT", strides
        huge = 2**62
        for strides in [(8, 48, huge), (8, huge, huge), (8, 48, 2**63 - 1)]:
            assert _code(plan, buffer, 0, strides)[0] in ("AP_ERR_BUFFER", "AP_ERR_ARGUMENT")
        for strides in [(8, 48, -huge), (8, 48, -(2**63))]:
            assert _code(plan, buffer, 0, strides)[0] == "AP_ERR_ARGUMENT"
        assert (buffer == POISON).all()


def test_strides_of_axes_of_length_one_do_not_matter(image):
    proxy, file = image
    want = expected("int16", file.stored(), file.scaling)[:, 2:3, 1:2]
    with proxy.plan((slice(None), slice(2, 3), slice(1, 2))) as plan:
        buffer = _buffer(48)
        plan.read(buffer, 0, (8, 0, -(2**63)))
        assert_same(_array(buffer, want.shape, want.dtype, "F").copy(), want)


def test_plan_outlives_its_proxy(tmp_path):
    file = Nifti(shape=SHAPE)
    proxy = Proxy.open(file.write(tmp_path))
    with proxy.plan((1,)) as plan:
        with proxy:
            pass
        buffer = _buffer(40)
        plan.read(buffer)
        assert_same(_array(buffer, (5, 4), "i2", "F").copy(), file.stored()[1])
