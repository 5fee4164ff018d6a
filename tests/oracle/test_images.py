"""Images: real ones against NiBabel's data, ones in memory against NumPy."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

import capi
from arrays import Array, Image
from capi import AFFINE_BASE, READ_C, READ_CHECKED, READ_RAW, READ_ROUND, READ_UNCACHED, lib
from checks import fails
from compare import assert_same
from eltypes import NUMBERS, TYPES, native, values
from formats import FORMATS
from model import cast, expected
from nifti import Nifti
from packings import CODECS
from proxy import Proxy

OWN = Path(__file__).resolve().parents[1] / "data"
REAL = sorted(p for p in OWN.iterdir() if p.name.endswith((".nii", ".nii.gz", ".mgz")))


def _data(image, dtype=None, flags=0):
    """A copy of the data, the address and the strides."""
    with image.data(dtype, flags) as array:
        return array.numpy().copy(order="K"), array.address, array.strides


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real(path):
    theirs = nibabel.load(path)
    near = {"rtol": 0, "atol": 1e-14 * float(max(theirs.header.get_zooms()))}
    with Image.open(path) as image, Proxy.open(path) as proxy:
        assert image.shape == theirs.shape
        assert image.is_proxy == 1 and image.in_memory == 0
        assert image.header == proxy.header
        np.testing.assert_allclose(image.affine()[0], theirs.affine, **near)
        assert image.affine()[1] == proxy.affine()[1]
        for which in (capi.AFFINE_SFORM, capi.AFFINE_QFORM, AFFINE_BASE):
            try:
                want = proxy.affine(which)
            except capi.ApError as error:
                fails(error.name, image.affine, which)
                continue
            got = image.affine(which)
            assert_same(got[0], want[0])
            assert got[1] == want[1]
        assert image.in_memory == 0

        got, address, _ = _data(image)
        assert_same(got, np.asanyarray(theirs.dataobj), "as it is meant")
        assert image.in_memory == 1
        assert _data(image)[1] == address
        assert_same(_data(image, "f8")[0], theirs.get_fdata(), "get_fdata")
        single = theirs.get_fdata(dtype=np.float32, caching="unchanged")
        assert_same(_data(image, "f4")[0], single, "get_fdata, single")
        assert_same(_data(image, "disk")[0], theirs.dataobj.get_unscaled(), "unscaled")
        raw = _data(image, None, READ_RAW)[0]
        assert_same(raw, theirs.dataobj.get_unscaled(), "raw")
        image.uncache()
        assert image.in_memory == 0
        with image.proxy() as other:
            assert other.shape == proxy.shape
            assert_same(other.read((0,)), proxy.read((0,)))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("format", [name for name in FORMATS if name != "layout"])
def test_formats(format, codec, tmp_path):
    row = FORMATS[format]
    file = row.file("int16", (6, 5, 4, 3), row.byte_orders[-1], *row.factors, packing=codec)
    path = file.write(tmp_path)
    theirs = file.nibabel(path)
    with Image.open(path, **file.options) as image:
        assert image.shape == file.shape
        assert (image.header or b"") == file.header()
        np.testing.assert_allclose(image.affine()[0], theirs.affine, rtol=1e-12, atol=1e-12)
        for requested in (None, "disk", "f8", "f4", "i4", "u1"):
            want = expected("int16", file.stored(), file.scaling, requested)
            for flags in (0, READ_C):
                got, address, steps = _data(image, requested, flags)
                assert_same(got, want, f"{requested}, {flags}")
                packed = np.empty(want.shape, want.dtype, order="C" if flags else "F")
                assert steps == packed.strides
                assert address % 64 == 0
        with image.data("f8") as whole:
            assert whole.flags == 0
            whole.numpy()[0, 0, 0, 0] = 1e9
        # It is the cache that was written to.
        assert _data(image, "f8")[0][0, 0, 0, 0] == 1e9
        image.uncache()
        assert _data(image, "f8")[0][0, 0, 0, 0] != 1e9


def test_cache(tmp_path):
    """One array for each resolved type and flags, until it is forgotten."""
    file = Nifti(shape=(6, 5, 4), slope=0.5)
    with Image.open(file.write(tmp_path)) as image:
        with image.data("f8", READ_UNCACHED) as one, image.data("f8", READ_UNCACHED) as two:
            assert image.in_memory == 0
            assert one.address != two.address
        with image.data() as auto, image.data("f8") as wide, image.data("f8", READ_C) as rows:
            assert image.in_memory == 1
            # What AP_AUTO means is float64.
            assert auto.address == wide.address != rows.address
            with image.data("f8", READ_UNCACHED) as one:
                assert one.address == auto.address
            with image.data("disk") as disk, image.data("int16") as scaled:
                assert disk.address != scaled.address
                assert_same(disk.numpy().copy(), file.stored())
                assert_same(scaled.numpy().copy(), cast(wide.numpy(), "i2"))
            image.uncache()
            assert image.in_memory == 0
            with image.data() as again:
                assert again.address != auto.address
                assert_same(again.numpy().copy(), auto.numpy().copy())
        image.uncache()
        for flags in (READ_ROUND, READ_CHECKED):
            with image.data("f8", flags) as one:
                assert_same(one.numpy().copy(), file.stored() * 0.5)
        fails("AP_ERR_ARGUMENT", image.data, None, 1 << 20)
        fails("AP_ERR_ARGUMENT", image.data, None, capi.READ_PRIVATE)
        fails("AP_ERR_RANGE", image.data, "u1", READ_CHECKED)


def test_arrays_outlive_the_image(tmp_path):
    file = Nifti(shape=(6, 5, 4))
    with Image.open(file.write(tmp_path)) as image:
        data, proxy = image.data(), image.proxy()
    with data, proxy:
        assert_same(data.numpy().copy(), file.stored())
        assert_same(proxy.read_all(), file.stored())


def test_of_proxies(tmp_path):
    """Slices and series make images like any other proxy."""
    files = [Nifti(shape=(6, 5, 4), slope=0.5 + i, seed=i) for i in range(3)]
    paths = [file.write(tmp_path, f"{i}") for i, file in enumerate(files)]
    whole = np.stack([expected("int16", f.stored(), f.scaling) for f in files], axis=-1)
    index = (slice(1, None, 2), slice(None, None, -1), ..., 1)
    with Proxy.open_series(paths) as series, series.slice(index) as part:
        image, every = Image.from_proxy(part), Image.from_proxy(series)
        affine = part.affine()[0]
    with image, every:
        assert image.is_proxy == 1
        assert image.shape == (3, 5, 4) and every.shape == (6, 5, 4, 3)
        assert_same(image.affine()[0], affine)
        assert image.header == every.header == files[0].header()
        assert_same(_data(image)[0], whole[index])
        assert_same(_data(every, "f4")[0], whole.astype("f4"))


@pytest.mark.parametrize("type", NUMBERS)
def test_conversions_in_memory(type):
    """As NumPy casts, but that integers saturate; NaN becomes 0."""
    stored = native(type, values(type, 120, 5)).reshape(5, 4, 3, 2)
    for source in (stored, np.asfortranarray(stored), stored[::2, :, ::-1]):
        with Array.wrap(source, type) as array, Image.from_array(array) as image:
            for requested in NUMBERS:
                want = cast(source, TYPES[requested].dtype)
                if requested == type:
                    want = source
                got, address, _ = _data(image, requested)
                assert_same(got, want, f"{type} as {requested}")
                assert (address == source.ctypes.data) == (requested == type)
                assert _data(image, requested)[1] == address
                if TYPES[requested].kind in ("int", "uint") and requested != type:
                    want = cast(source, TYPES[requested].dtype, round_half_even=True)
                    assert_same(_data(image, requested, READ_ROUND)[0], want, f"{requested}")
                rows = _data(image, requested, READ_C)
                assert_same(rows[0], _data(image, requested)[0])
                assert rows[2] == np.empty(source.shape, TYPES[requested].dtype).strides


@pytest.mark.parametrize("type", ["rgb24", "rgba32", "float128", "complex256"])
def test_types_without_casts_in_memory(type):
    with Array.new(type, (3, 2)) as array, Image.from_array(array) as image:
        for dtype in (type, "disk"):
            with image.data(dtype) as own:
                assert own.address == array.address and own.type == type
        with image.data() as own:
            assert own.address == array.address
        if TYPES[type].is_rgb:
            fails("AP_ERR_UNSUPPORTED", image.data, "f4")
        else:
            with image.data("f8") as copy:
                assert copy.address != array.address and copy.type == "float64"
        # Nothing else is cast to what has no casts.
        with Array.new("int16", (3, 2)) as other, Image.from_array(other) as one:
            fails("AP_ERR_UNSUPPORTED", one.data, type)


def test_in_memory():
    data = np.arange(24, dtype="i2").reshape(4, 3, 2)
    affine = np.array([[2.0, 0, 0.5, -9], [0, 3, 0, 1], [0.25, 0, 4, 7], [0, 0, 0, 1]])
    with Array.wrap(data, "int16") as array:
        image, bare = Image.from_array(array, affine, b"any\0bytes"), Image.from_array(array)
    with image, bare:
        assert image.is_proxy == 0 and image.in_memory == 1
        assert image.shape == (4, 3, 2)
        assert image.proxy() is None
        assert image.header == b"any\0bytes"
        assert_same(image.affine()[0], affine)
        assert image.affine()[1] == 0
        assert bare.header is None
        fails("AP_ERR_UNSUPPORTED", bare.affine)
        for dtype in (None, "disk", "i2"):
            assert _data(image, dtype)[1] == data.ctypes.data
        # The same memory; copies that were converted are of their time.
        wide = _data(image, "f8")
        data[0, 0, 0] = 77
        assert _data(image)[0][0, 0, 0] == 77
        assert _data(image, "f8")[0][0, 0, 0] == 0
        image.uncache()
        assert image.in_memory == 1
        assert _data(image, "f8")[0][0, 0, 0] == 77
        assert wide[0][1, 1, 1] == 9
        with image.data("f8", READ_UNCACHED) as cached, image.data("f8") as other:
            assert cached.address == other.address
        image.uncache()
        with image.data("f8", READ_UNCACHED) as fresh, image.data("f8") as other:
            assert fresh.address != other.address
        data[0, 0, 0] = 300
        fails("AP_ERR_RANGE", image.data, "i1", READ_CHECKED)
        assert _data(image, "i1")[0][0, 0, 0] == 127


def test_images_of_nothing():
    with Array.new("int16", (3, 0, 2)) as array, Image.from_array(array) as image:
        assert image.shape == (3, 0, 2)
        got, address, _ = _data(image, "f8")
        assert got.shape == (3, 0, 2) and address is None
    assert lib().ap_image_is_proxy(None) == lib().ap_image_in_memory(None) == -1
    assert lib().ap_image_proxy(None) is None
