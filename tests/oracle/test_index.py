"""NumPy's basic indexing: random indices, edges of the rules, and what is refused."""

import ctypes as c

import nibabel
import numpy as np
import pytest

import capi
from capi import NONE, ApError, Error, Slice, check, lib
from checks import check_indices
from compare import assert_same
from eltypes import file_bytes, values
from indices import index_outside
from model import Scaling, expected
from nifti import Nifti
from packings import CODECS, SEVERAL
from proxy import Proxy, axes, code_of, entries, int64s

SHAPES = [(50,), (1,), (13, 11), (7, 6, 5), (64, 3, 2, 4), (3, 1, 4, 1, 2), (2, 3, 1, 2, 3, 2, 2)]


@pytest.mark.parametrize("packing", [*CODECS, *SEVERAL])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_indices(shape, packing, tmp_path):
    file = Nifti(shape=shape, packing=packing, slope=0.25 if len(shape) % 2 else 1.0)
    path = file.write(tmp_path)
    second = nibabel.load(path).dataobj
    with Proxy.open(path) as proxy:
        rng = np.random.default_rng(len(shape))
        check_indices(proxy, "int16", file.stored(), file.scaling, rng, 150, second)


@pytest.mark.parametrize("order", "FC")
@pytest.mark.parametrize("name", ["uint8", "float64", "complex128", "rgb24"])
def test_random_indices_of_layouts(name, order):
    shape = (12, 5, 9, 2)
    stored = values(name, 1080, 3).reshape(shape)
    data = file_bytes(name, stored, order, ">")
    with Proxy.open_layout(data, name, shape, order, ">") as proxy:
        rng = np.random.default_rng(ord(order))
        check_indices(proxy, name, stored, Scaling(), rng, 150)


@pytest.mark.parametrize("packing", ["plain", "gzip", "gzip-members", "zstd-frames"])
@pytest.mark.parametrize("name, slope", [("uint16", 1.0), ("float64", 0.3)])
def test_larger_file_in_pieces(name, slope, packing, tmp_path):
    """Several decoded blocks and pages: megabytes, thin slices along every axis."""
    for byte_order in "<>":
        file = Nifti(name, (86, 80, 25, 2), byte_order=byte_order, packing=packing, slope=slope)
        stored = expected(name, file.stored(), file.scaling)
        with Proxy.open(file.write(tmp_path)) as proxy:
            for index in [
                (slice(None, None, -1),),
                (40,),
                (slice(None), 79),
                (slice(None), slice(None), slice(None, None, 7)),
                (..., 1),
                (3, 4, 5),
                (slice(90, None, -13), slice(1, 80, 9), -1),
                (..., slice(None, None, -1), slice(None, None, -1)),
            ]:
                assert_same(proxy.read(index), np.asarray(stored[index]), f"{index}")


@pytest.fixture
def small(tmp_path):
    file = Nifti(shape=(5, 4, 3))
    with Proxy.open(file.write(tmp_path)) as proxy:
        yield proxy, file.stored()


FAR = [2**63 - 1, 2**62, -(2**63) + 1, -(2**62), 2**32, -(2**32), 2**31, -(2**31) - 1]


@pytest.mark.parametrize("step", [1, -1, 3, -3, 2**63 - 1, -(2**63) + 1, 2**32 + 1])
def test_bounds_far_outside_are_clipped(small, step):
    proxy, stored = small
    for start in [None, 2, *FAR]:
        for stop in [None, 3, *FAR]:
            index = (slice(start, stop, step), 1)
            assert_same(proxy.read(index), stored[index], f"{index}")


def test_empty_results_keep_their_shape(small):
    proxy, stored = small
    for index in [
        (slice(5, 5),),
        (slice(3, 2), None, slice(None)),
        (slice(1, 3, -1), 0),
        (slice(2, 4, -7), slice(9, None), ...),
        (..., slice(0, 0)),
    ]:
        want = stored[index]
        assert want.size == 0
        assert proxy.slice_shape(index) == want.shape
        nindex = entries(index)
        nbytes = lib().ap_slice_nbytes(proxy.handle, *nindex, capi.AUTO, 0, None)
        assert nbytes == 0
        status = lib().ap_read_slice(proxy.handle, *nindex, capi.AUTO, 0, None, 0, None)
        assert status == 0


def _fails(small, raw):
    """Name of the error that raw entries give, the same from every function."""
    proxy, _ = small
    index, count = (Slice * len(raw))(*raw), len(raw)
    error, out = Error(), (c.c_uint8 * 4096)()
    plan = c.c_void_p()
    shape = (c.c_int64 * 64)()
    results = [
        lib().ap_slice_shape(proxy.handle, index, count, shape, 64, error),
        lib().ap_slice_nbytes(proxy.handle, index, count, 0, 0, error),
        lib().ap_read_slice(proxy.handle, index, count, 0, 0, out, 4096, error),
        lib().ap_plan_new(proxy.handle, index, count, 0, 0, c.byref(plan), error),
    ]
    assert len(set(results)) == 1 and error.code == results[0], results
    assert plan.value is None
    return capi.STATUS_NAME[results[0]]


ALL = (capi.RANGE, NONE, NONE, 1)


@pytest.mark.parametrize(
    "raw, name",
    [
        ([(capi.AT, 5, 0, 1)], "AP_ERR_INDEX"),
        ([(capi.AT, -6, 0, 1)], "AP_ERR_INDEX"),
        ([ALL, ALL, (capi.AT, -4, 0, 1)], "AP_ERR_INDEX"),
        ([(capi.AT, NONE, 0, 1)], "AP_ERR_INDEX"),
        ([ALL] * 4, "AP_ERR_INDEX"),
        ([(capi.AT, 0, 0, 1)] * 4, "AP_ERR_INDEX"),
        ([(capi.ELLIPSIS, 0, 0, 1)] * 2, "AP_ERR_INDEX"),
        ([(capi.ELLIPSIS, 0, 0, 1)] + [ALL] * 4, "AP_ERR_INDEX"),
        ([(capi.NEWAXIS, 0, 0, 1)] * 62, "AP_ERR_INDEX"),
        ([(capi.RANGE, 0, 3, 0)], "AP_ERR_ARGUMENT"),
        ([(0, 0, 0, 0)], "AP_ERR_ARGUMENT"),
        ([(4, 0, 0, 1)], "AP_ERR_ARGUMENT"),
        ([(-1, 0, 0, 1)], "AP_ERR_ARGUMENT"),
    ],
    ids=str,
)
def test_refused(small, raw, name):
    assert _fails(small, raw) == name


def test_sixty_four_axes_are_allowed(small):
    proxy, stored = small
    index = (None,) * 61
    assert_same(proxy.read(index), stored[index])


def test_random_integers_outside(small):
    proxy, stored = small
    rng = np.random.default_rng(9)
    for _ in range(200):
        index = index_outside(rng, stored.shape)
        with pytest.raises(IndexError):
            stored[index]
        with pytest.raises(ApError) as caught:
            proxy.slice_shape(index)
        assert caught.value.name == "AP_ERR_INDEX", index
        raw = [(e.kind, e.start, e.stop, e.step) for e in entries(index)[0]]
        assert _fails(small, raw) == "AP_ERR_INDEX", index


def test_fields_that_an_entry_does_not_use(small):
    """Only ranges use stop and step; ellipsis and newaxis use kind alone."""
    proxy, stored = small
    raw = [(capi.NEWAXIS, 77, NONE, 0), (capi.ELLIPSIS, -9, 3, 0), (capi.AT, -1, NONE, 0)]
    index = (Slice * 3)(*raw)
    assert axes(lib().ap_slice_shape, proxy.handle, index, 3, error=Error()) == (1, 5, 4)
    out = np.empty((1, 5, 4), "i2", order="F")
    read = lib().ap_read_slice(
        proxy.handle, index, 3, capi.AUTO, 0, out.ctypes.data, out.nbytes, None
    )
    assert read == 0
    assert_same(out, stored[None, ..., -1])


@pytest.mark.parametrize("dtype", [None, "disk", "f4", "c16"])
def test_buffer_too_small_tells_the_bytes_needed(small, dtype):
    proxy, stored = small
    index = (slice(1, 4), 2)
    need = expected("int16", stored, requested=dtype)[index].nbytes
    error, out = Error(), np.zeros(need, "u1")
    for address, nbytes in [(out.ctypes.data, need - 1), (None, 0), (out.ctypes.data, 0)]:
        what = *entries(index), code_of(dtype), 0
        status = lib().ap_read_slice(proxy.handle, *what, address, nbytes, c.byref(error))
        assert capi.STATUS_NAME[status] == "AP_ERR_BUFFER"
        assert error.detail == need
    assert not out.any()


TEXTS = {
    "": (),
    "0": (0,),
    "-1, ...": (-1, ...),
    "1:3, ::-1, 2": (slice(1, 3), slice(None, None, -1), 2),
    "[..., 0]": (..., 0),
    "newaxis, 1:, None": (None, slice(1, None), None),
    " : , -2 : , : -1 : 2 ": (slice(None), slice(-2, None), slice(None, -1, 2)),
}


@pytest.mark.parametrize("text", TEXTS)
def test_index_from_text(small, text):
    proxy, stored = small
    parsed, error = (Slice * 8)(), Error()
    count = check(lib().ap_slice_parse(text.encode(), parsed, 8, c.byref(error)), error)
    want, number = entries(TEXTS[text])
    assert count == number
    for got, entry in zip(parsed[:count], want or []):
        # Only the fields that the entry's kind uses.
        used = {capi.RANGE: 4, capi.AT: 2}.get(entry.kind, 1)
        fields = [(e.kind, e.start, e.stop, e.step)[:used] for e in (got, entry)]
        assert fields[0] == fields[1]
    shape = axes(lib().ap_slice_shape, proxy.handle, parsed, count, error=Error())
    assert shape == np.asarray(stored[TEXTS[text]]).shape


@pytest.mark.parametrize("text", ["a", "1:2:3:4", "1;2", "1.5", "[1", "1:2:0x", "1,,2", "--1"])
def test_bad_text_is_refused(text):
    parsed = (Slice * 8)()
    status = lib().ap_slice_parse(text.encode(), parsed, 8, None)
    assert capi.STATUS_NAME[status] == "AP_ERR_ARGUMENT"


def test_shape_with_little_room(small):
    """The count of axes is told even if there is no room for them."""
    proxy, _ = small
    assert lib().ap_shape(proxy.handle, None, 0) == 3
    shape = int64s([-9] * 3)
    assert lib().ap_shape(proxy.handle, shape, 2) == 3
    assert list(shape) == [5, 4, -9]
    assert lib().ap_ndim(proxy.handle) == 3
    assert lib().ap_size(proxy.handle) == 60
