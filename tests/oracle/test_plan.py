"""Plans: what they tell, read and refuse. Reads into any strides: test_contract.py."""

import numpy as np
import pytest

from capi import AUTO, READ_C, ApError, lib
from compare import assert_same
from model import expected
from nifti import Nifti
from proxy import POISON, Proxy, entries
from views import SHAPE, buffer_of


@pytest.fixture(params=["plain", "gzip-members"])
def image(request, tmp_path):
    file = Nifti(shape=SHAPE, slope=0.5, inter=-1.0, packing=request.param, byte_order=">")
    with Proxy.open(file.write(tmp_path)) as proxy:
        yield proxy, file


def _array(buffer, shape, dtype, order="C", offset=0):
    return np.ndarray(shape, dtype, buffer, offset, order=order)


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
            buffer = buffer_of(want.nbytes + 2 * offset)
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
        buffer = buffer_of(3 * size)
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
        buffer = buffer_of(48)
        plan.read(buffer, 0, (8, 0, -(2**63)))
        assert_same(_array(buffer, want.shape, want.dtype, "F").copy(), want)


def test_plan_outlives_its_proxy(tmp_path):
    file = Nifti(shape=SHAPE)
    proxy = Proxy.open(file.write(tmp_path))
    with proxy.plan((1,)) as plan:
        with proxy:
            pass
        buffer = buffer_of(40)
        plan.read(buffer)
        assert_same(_array(buffer, (5, 4), "i2", "F").copy(), file.stored()[1])
