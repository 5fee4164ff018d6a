"""Positions that need not be evenly spaced, against NumPy's `a[np.ix_(...)]`."""

import ctypes as c

import numpy as np
import pytest

from capi import AUTO, READ_C, READ_RAW, STATUS, Error, lib
from checks import fails
from compare import assert_same
from formats import FORMATS
from model import expected
from nifti import Nifti
from packings import CODECS
from proxy import POISON, Plan, Proxy
from seekables import Volumes
from views import buffer_of


def _list(rng, n):
    """Positions of one axis: none, whole, few, many, with others twice, from the end."""
    kind = rng.integers(8)
    if kind == 0:
        return None
    if kind == 1:
        return np.flatnonzero(rng.random(n) < 0.6)
    if kind == 2:
        return rng.permutation(n)
    if kind == 3:
        return np.arange(n)[:: rng.choice([-3, -1, 1, 2])]
    if kind == 4 and rng.random() < 0.2:
        return np.empty(0, int)
    count = int(rng.integers(1, n + 3))
    return rng.integers(-n, n, count)


def _want(whole, lists):
    full = [range(n) if one is None else one for one, n in zip(lists, whole.shape)]
    return whole[np.ix_(*[np.asarray(one, int) for one in full])]


def _read(proxy, lists, dtype=None, flags=0, order="F"):
    flags |= READ_C if order == "C" else 0
    with Plan.of_lists(proxy, lists, dtype, flags) as plan:
        nbytes = int(np.prod(plan.shape)) * plan.dtype.itemsize
        assert lib().ap_plan_nbytes(plan.handle) == nbytes
        buffer = buffer_of(nbytes + 48)
        plan.read(buffer, 24)
        assert (buffer[:24] == POISON).all() and (buffer[24 + nbytes :] == POISON).all()
        return np.ndarray(plan.shape, plan.dtype, buffer, 24, order=order).copy()


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("format", FORMATS)
def test_formats(format, codec, tmp_path):
    row = FORMATS[format]
    file = row.file("int16", (9, 8, 7, 3), row.byte_orders[-1], *row.factors, packing=codec)
    rng = np.random.default_rng(len(format))
    with file.open(file.write(tmp_path), threads=2) as proxy:
        for requested in (None, "disk", "f4", "u1"):
            whole = expected("int16", file.stored(), file.scaling, requested)
            for _ in range(6):
                lists = [_list(rng, n) for n in whole.shape]
                got = _read(proxy, lists, requested, order="FC"[rng.integers(2)])
                assert_same(got, _want(whole, lists), str(lists))
        raw = expected("int16", file.stored(), requested="f4")
        lists = [_list(rng, n) for n in raw.shape]
        assert_same(_read(proxy, lists, "f4", READ_RAW), _want(raw, lists))
        with proxy.slice((slice(None, None, -2), ..., slice(1, 3))) as part:
            stored = whole = expected("int16", file.stored(), file.scaling)
            whole = stored[::-2, ..., 1:3]
            lists = [_list(rng, n) for n in whole.shape]
            assert_same(_read(part, lists), _want(whole, lists), str(lists))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("way", ["default", "bgzf", "zstd seekable"])
def test_large_files(way, threads, tmp_path):
    """Few positions far apart, which are read by themselves, and dense ones, which are
    picked; what costs less must be the same."""
    file = Volumes(packing=way)
    path, stored = file.write(tmp_path, "large"), file.stored()
    rng = np.random.default_rng(5)
    with Proxy.open(path, threads=threads) as proxy:
        for axis, n in enumerate(stored.shape):
            far = np.array([0, n - 1, 1, n - 2, n - 1])
            for one in (far, rng.permutation(n), np.flatnonzero(rng.random(n) < 0.5)):
                lists = [None] * stored.ndim
                lists[axis] = one
                assert_same(_read(proxy, lists, "disk"), _want(stored, lists))
        lists = [rng.integers(0, n, 30) for n in stored.shape]
        assert_same(_read(proxy, lists, "disk"), _want(stored, lists))


def test_many_parts(tmp_path):
    """More of them than are read at a time, in a box that is much larger."""
    file = Nifti(shape=(400, 400, 90))
    with Proxy.open(file.write(tmp_path)) as proxy:
        lists = [np.arange(n) ** 2 % n for n in (397, 389, 83)]
        lists = [np.unique(one)[::-1] // 5 * 5 for one in lists]
        lists = [np.unique(one)[::2] for one in lists]
        assert np.prod([len(one) for one in lists]) > 4096
        assert_same(_read(proxy, lists, "disk"), _want(file.stored(), lists))


def test_less_is_read_than_the_box(tmp_path):
    file = Nifti(shape=(64, 64, 64))
    with Proxy.open(file.write(tmp_path)) as proxy:
        with Plan.of_lists(proxy, [None, None, [0, 63, 1]]) as plan:
            assert lib().ap_plan_cost(plan.handle) == 3 * 64 * 64 * 2
        with Plan.of_lists(proxy, [None, None, [5]]) as plan:
            assert lib().ap_plan_cost(plan.handle) == 64 * 64 * 2


def test_limit_of_memory(tmp_path):
    """What is kept meanwhile may not pass it, the result may reach it."""
    file = Nifti(shape=(30, 30, 30))
    with Proxy.open(file.write(tmp_path), max_bytes=2 * 15 * 30 * 30) as proxy:
        lists = [np.array([*range(0, 28, 2), 29]), None, None]
        assert_same(_read(proxy, lists, "disk"), _want(file.stored(), lists))
        more = [[*range(0, 28, 2), 28, 29], None, None]
        fails("AP_ERR_MEMORY", lambda: Plan.of_lists(proxy, more, "disk"))


def test_strides(tmp_path):
    file = Nifti(shape=(9, 8, 7), slope=2.0)
    whole = expected("int16", file.stored(), file.scaling)
    lists = [[8, 0, 0, 3], None, [-1, 2]]
    with Proxy.open(file.write(tmp_path)) as proxy, Plan.of_lists(proxy, lists) as plan:
        buffer = buffer_of(2 * 4 * 8 * 2 * 8)
        view = np.ndarray((2, 8, 8), "f8", buffer)[::-1, :, ::2].transpose(2, 1, 0)
        plan.read_into(view, buffer)
        assert_same(view.copy(), _want(whole, lists))


@pytest.mark.parametrize(
    ("lists", "name"),
    [
        ([[0, 9], None, None], "AP_ERR_INDEX"),
        ([None, [-9], None], "AP_ERR_INDEX"),
        ([None, None, [2**63 - 1]], "AP_ERR_INDEX"),
        ([None, None, [-(2**63)]], "AP_ERR_INDEX"),
        ([None, None], "AP_ERR_INDEX"),
        ([None] * 4, "AP_ERR_INDEX"),
        ([None] * 65, "AP_ERR_INDEX"),
    ],
    ids=str,
)
def test_wrong_positions(lists, name, tmp_path):
    with Proxy.open(Nifti(shape=(9, 8, 7)).write(tmp_path)) as proxy:
        fails(name, lambda: Plan.of_lists(proxy, lists))


def test_wrong_arguments(tmp_path):
    with Proxy.open(Nifti(shape=(9,)).write(tmp_path)) as proxy:
        one = (c.c_int64 * 1)(3)
        lists = (c.POINTER(c.c_int64) * 1)(one)
        plan, error = c.c_void_p(1), Error()
        make = lambda ndim, count: lib().ap_plan_lists(
            proxy.handle, ndim, lists, (c.c_int64 * 1)(count), AUTO, 0, c.byref(plan), error
        )
        for ndim, count, name in [(1, -1, "ARGUMENT"), (1, 2**62, "ARGUMENT"), (-1, 1, "ARGUMENT")]:
            assert make(ndim, count) == STATUS[f"AP_ERR_{name}"], error.message
            assert plan.value is None
        assert make(1, 1) == 0
        lib().ap_plan_free(plan)
