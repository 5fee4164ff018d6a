"""Shapes from one to seven axes in every format, reshapes, and boxes."""

import ctypes as c
import zlib

import numpy as np
import pytest

from capi import STATUS_NAME, ApError, lib
from checks import check_description, check_indices, check_whole
from compare import assert_same
from eltypes import file_bytes, values
from formats import FORMATS
from model import Scaling, expected
from nifti import Nifti
from packings import CODECS
from proxy import Proxy, int64s

CASES = [(format, shape) for format, row in FORMATS.items() for shape in row.shapes]


@pytest.mark.parametrize("format, shape", CASES, ids=str)
def test_shapes(format, shape, tmp_path):
    row = FORMATS[format]
    seed = zlib.crc32(f"{format} {shape}".encode())
    for packing in ("plain", CODECS[1 + seed % 3]):
        name = row.numbers[seed % len(row.numbers)]
        factors = row.factors if seed >> 8 & 1 else (1.0, 0.0)
        byte_order = row.byte_orders[(seed >> 9) % len(row.byte_orders)]
        file = row.file(name, shape, byte_order, *factors, packing=packing)
        path, stored = file.write(tmp_path), file.stored()
        second = file.nibabel(path).dataobj
        with file.open(path) as proxy:
            check_description(proxy, name, shape, file.scaling)
            for requested in (None, "disk", "f4"):
                check_whole(proxy, name, stored, file.scaling, requested, second)
            rng = np.random.default_rng(seed)
            check_indices(proxy, name, stored, file.scaling, rng, 30, second)


RESHAPES = {
    (360,): (360,),
    (-1,): (360,),
    (4, -1): (4, 90),
    (5, 6, 12): (5, 6, 12),
    (-1, 1, 1, 2, 3): (60, 1, 1, 2, 3),
    (3, 4, 5, 6, -1): (3, 4, 5, 6, 1),
}


@pytest.mark.parametrize("order", "FC")
@pytest.mark.parametrize("shape", RESHAPES, ids=str)
def test_reshape_keeps_storage_order(shape, order):
    stored = values("int16", 360, 2).reshape(6, 5, 4, 3)
    data, scaling = file_bytes("int16", stored, order), Scaling(0.5, 1.0)
    with Proxy.open_layout(data, "int16", stored.shape, order, slope=0.5, inter=1.0) as proxy:
        with proxy.reshape(shape) as other:
            want = stored.reshape(RESHAPES[shape], order=order)
            check_description(other, "int16", want.shape, scaling)
            check_whole(other, "int16", want, scaling)
            check_indices(other, "int16", want, scaling, np.random.default_rng(0), 20)


@pytest.mark.parametrize(
    "shape", [(7, -1), (359,), (-1, -1), (-2, -180), (), (0, -1), (2**40,) * 2]
)
def test_reshapes_that_cannot_be(shape):
    with Proxy.open_layout(bytes(720), "int16", (6, 5, 4, 3)) as proxy:
        with pytest.raises(ApError) as caught:
            proxy.reshape(shape)
        assert caught.value.name == "AP_ERR_ARGUMENT"


def test_reshape_without_elements():
    with Proxy.open_layout(b"", "int16", (3, 0)) as proxy:
        with proxy.reshape((0, 5, 7)) as other:
            assert_same(other.read_all(), np.empty((0, 5, 7), "i2"))
        with pytest.raises(ApError, match="AP_ERR_ARGUMENT"):
            proxy.reshape((0, -1))


def test_reshape_of_a_file_keeps_its_affine(tmp_path):
    with Proxy.open(Nifti(shape=(5, 4, 3)).write(tmp_path)) as proxy:
        with proxy.reshape((60,)) as other:
            assert_same(other.affine()[0], proxy.affine()[0])
            assert other.zooms() == proxy.zooms()


def test_boxes(tmp_path):
    file = Nifti(shape=(9, 8, 7), slope=0.25, inter=1.0)
    want = expected("int16", file.stored(), file.scaling)
    rng = np.random.default_rng(6)
    with Proxy.open(file.write(tmp_path)) as proxy:
        for _ in range(100):
            start = [int(rng.integers(n)) for n in want.shape]
            step = [int(s) for s in rng.choice([1, 1, 2, 3, -1, -2], 3)]
            room = [
                (n - 1 - a) // s if s > 0 else a // -s for n, a, s in zip(want.shape, start, step)
            ]
            count = [int(rng.integers(0, r + 2)) for r in room]
            rows = [a + s * np.arange(k) for a, s, k in zip(start, step, count)]
            order = "FC"[rng.integers(2)]
            got = proxy.read_box(start, count, step, order=order)
            assert_same(got, want[np.ix_(*rows)], f"{start} {count} {step}")
        assert_same(proxy.read_box([1, 2, 3], [4, 3, 2]), want[1:5, 2:5, 3:5])


@pytest.mark.parametrize(
    "start, count, step, name",
    [
        ([0, 0, 0], [10, 1, 1], None, "AP_ERR_INDEX"),
        ([-1, 0, 0], [1, 1, 1], None, "AP_ERR_INDEX"),
        ([9, 0, 0], [1, 1, 1], None, "AP_ERR_INDEX"),
        ([1, 0, 0], [3, 1, 1], [-1, 1, 1], "AP_ERR_INDEX"),
        ([0, 0, 0], [2, 1, 1], [2**62, 1, 1], "AP_ERR_INDEX"),
        ([0, 0], [1, 1], None, "AP_ERR_INDEX"),
        ([0, 0, 0], [-1, 1, 1], None, "AP_ERR_ARGUMENT"),
        ([0, 0, 0], [1, 1, 1], [1, 0, 1], "AP_ERR_ARGUMENT"),
    ],
)
def test_boxes_outside(start, count, step, name):
    out = (c.c_uint8 * 8192)()
    with Proxy.open_layout(bytes(1008), "int16", (9, 8, 7)) as proxy:
        box = len(start), int64s(start), int64s(count), step and int64s(step)
        status = lib().ap_read_box(proxy.handle, *box, 0, 0, out, 8192, None)
        assert STATUS_NAME[status] == name
