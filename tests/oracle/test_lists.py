"""Positions that need not be evenly spaced, against NumPy's `a[np.ix_(...)]`."""

import ctypes as c

import numpy as np
import pytest

from capi import AUTO, READ_C, READ_CHECKED, READ_RAW, STATUS, Error, lib
from checks import fails
from compare import assert_same
from formats import FORMATS
from model import expected
from nifti import Nifti
from packings import CODECS
from proxy import POISON, Callbacks, Plan, Proxy
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
    """Thousands of them, whose box is read by halves."""
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


@pytest.mark.parametrize("kept", [range(2), range(0, 40, 3)], ids=["far", "dense"])
def test_what_nobody_wants_need_not_fit(kept, tmp_path):
    """Between the positions lie values that are no uint8."""
    values = np.arange(200 * 6, dtype="i2").reshape((200, 6), order="F") % 200
    rows = [0, 1, *(n + 3 for n in kept), 199]
    values[np.setdiff1d(np.arange(200), rows)] = 999
    with Proxy.open_layout(values.tobytes("F"), "int16", values.shape) as proxy:
        got = _read(proxy, [rows[::-1], [5, 0, 2]], "u1", READ_CHECKED)
        assert_same(got, values[np.ix_(rows[::-1], [5, 0, 2])].astype("u1"))
        with Plan.of_lists(proxy, [[*rows, 2], [1]], "u1", READ_CHECKED) as plan:
            fails("AP_ERR_RANGE", lambda: plan.read(buffer_of(len(rows) + 1)))


@pytest.mark.parametrize("packing", ["plain", "gzip"])
def test_files_that_nobody_wants_need_not_be_there(packing, tmp_path):
    files = [Nifti(shape=(9, 8, 7), seed=i, packing=packing) for i in range(8)]
    paths = [file.write(tmp_path, f"f{i}") for i, file in enumerate(files)]
    with Proxy.open_series(paths) as proxy:
        paths[3].unlink()
        paths[5].write_bytes(paths[5].read_bytes()[:370])
        whole = np.stack([file.stored() for file in files], axis=-1)
        rng = np.random.default_rng(3)
        for last in ([0, 1, 2, 4, 6, 7], [6, 0, 2], [7, 7, 4]):
            for lists in ([None] * 3, [rng.permutation(n) for n in (9, 8, 7)]):
                assert_same(_read(proxy, [*lists, last], "disk"), _want(whole, [*lists, last]))
        with Plan.of_lists(proxy, [None, None, None, [0, 3, 4]], "disk") as plan:
            fails("AP_ERR_NOT_FOUND", lambda: plan.read(buffer_of(3 * 9 * 8 * 7 * 2)))


class Counted(Callbacks):
    """That count the bytes they give, too."""

    given = 0

    def read_at(self, user, buffer, length, offset):
        found = super().read_at(user, buffer, length, offset)
        self.given += found
        return found


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("axis", range(4))
def test_each_byte_is_decoded_once(axis, mode, threads, tmp_path):
    """In whatever order positions are named. Those named twice are read twice."""
    file = Volumes(packing="default")
    stored = file.stored()
    data = file.write(tmp_path, "large").read_bytes()
    rng = np.random.default_rng(axis)
    options = {"index_mode": mode, "cache_bytes": 0, "threads": threads}
    n = stored.shape[axis]
    for one in (rng.permutation(n), rng.permutation(n)[: n // 2], np.arange(n)[::-1]):
        lists = [None] * stored.ndim
        lists[axis] = one
        source = Counted(data)
        with Proxy.open_source(source, **options) as proxy:
            source.given = 0
            assert_same(_read(proxy, lists, "disk"), _want(stored, lists))
            assert source.given < 1.3 * len(data), f"{source.given} of {len(data)}"


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
