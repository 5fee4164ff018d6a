"""What holds for every format, with each compression where that can matter."""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from nibabel.volumeutils import shape_zoom_affine

import capi
from capi import READ_C, READ_RAW, Error, lib
from checks import check_description, check_indices, check_whole, fails
from compare import assert_same
from eltypes import NUMBERS, TYPES
from formats import FORMATS
from indices import index_outside, nibabel_reads
from model import expected
from packings import CODECS
from proxy import Callbacks, code_of, entries
from views import SHAPE as VIEWED
from views import VIEWS, check_view

EACH_FORMAT = pytest.mark.parametrize("format", FORMATS)
EACH_CODEC = pytest.mark.parametrize("codec", CODECS)


def _file(format, codec="plain", type="int16", shape=(6, 5, 4, 3), scaled=True, **what):
    """Of the last byte order that the format has: big-endian."""
    row = FORMATS[format]
    slope, inter = row.factors if scaled else (1.0, 0.0)
    order = row.byte_orders[-1]
    return row.file(type, shape, order, slope, inter, packing=codec, seed=len(format), **what)


def _check(proxy, file, count=20, second=None):
    rng = np.random.default_rng(count)
    what = file.type, file.stored(), file.scaling
    check_indices(proxy, *what, rng, count, second)
    for requested in (None, "disk", "f4"):
        check_whole(proxy, *what, requested, second)


@EACH_FORMAT
def test_description(format, tmp_path):
    row = FORMATS[format]
    for i, shape in enumerate(row.shapes):
        byte_order = row.byte_orders[i % len(row.byte_orders)]
        name = row.numbers[i % len(row.numbers)]
        file = row.file(name, shape, byte_order, *row.factors)
        path = file.write(tmp_path, f"{i}")
        image = file.nibabel(path)
        with file.open(path) as proxy:
            check_description(proxy, name, shape, file.scaling)
            assert proxy.format == format
            assert proxy.byte_order == file.byte_order
            assert proxy.header == file.header()
            assert lib().ap_ndim(proxy.handle) == len(shape)
            assert lib().ap_size(proxy.handle) == math.prod(shape)
            assert lib().ap_order(proxy.handle) == ord(file.order)
            begin = file.offset if file.pieces == 1 else capi.STATUS["AP_ERR_UNSUPPORTED"]
            assert lib().ap_data_offset(proxy.handle) == begin
            assert lib().ap_is_scaled(proxy.handle) == (not file.scaling.neutral)
            assert proxy.warnings == []
            assert image.dataobj.shape == shape
            check_whole(proxy, name, file.stored(), file.scaling, None, image.dataobj)


@EACH_FORMAT
def test_place_in_space(format, tmp_path):
    """Affines and zooms for each number of axes; exact but for the sign of zeros."""
    row = FORMATS[format]
    for i, shape in enumerate(row.shapes):
        file = row.file("uint8", shape)
        path = file.write(tmp_path, f"{i}")
        with file.open(path) as proxy:
            if not row.has_space:
                fails("AP_ERR_UNSUPPORTED", proxy.affine)
                fails("AP_ERR_UNSUPPORTED", proxy.zooms)
                continue
            image = file.nibabel(path)
            zooms = tuple(map(float, image.header.get_zooms()))
            assert proxy.zooms() == zooms
            base = shape_zoom_affine(*([x[i] for i in file.spatial] for x in (shape, zooms)))
            for which, want in [(capi.AFFINE_BEST, image.affine), (capi.AFFINE_BASE, base)]:
                got, code = proxy.affine(which)
                np.testing.assert_array_equal(got, want)
                assert code == 0
            for which in (capi.AFFINE_SFORM, capi.AFFINE_QFORM):
                if not format.startswith("nifti"):
                    fails("AP_ERR_UNSUPPORTED", proxy.affine, which)


INDICES = [
    (),
    (...,),
    (0, 0, 0, 0),
    (-1, -1, -1, -1),
    (2,),
    (slice(None), 3),
    (..., 1),
    (-4, ..., -2),
    (slice(1, 4), slice(2, None), slice(None, 3), slice(-2, None)),
    (slice(None, None, 2), slice(1, None, 3)),
    (slice(None, None, -1),),
    (slice(None, None, -1),) * 4,
    (slice(4, 1, -2), ..., slice(None, None, -2)),
    (None, 1, None, ..., None),
    (..., None, slice(0, 1)),
    (slice(3, 3),),
    (slice(2, 1), None, ..., 0),
    (slice(1, 3, -1), ..., slice(5, None)),
    (slice(-100, 100), slice(100, -100, -1)),
]


@EACH_CODEC
@EACH_FORMAT
def test_indices(format, codec, tmp_path):
    file = _file(format, codec)
    path = file.write(tmp_path)
    second = file.nibabel(path).dataobj
    whole = expected(file.type, file.stored(), file.scaling)
    with file.open(path) as proxy:
        for index in INDICES:
            want = np.asarray(whole[index])
            assert proxy.slice_shape(index) == want.shape
            for order in "FC":
                got = proxy.read(index, order=order)
                assert_same(got, want, f"{index}")
            if nibabel_reads(index, file.shape):
                assert_same(got, np.asarray(second[index]), f"{index} NiBabel")
        _check(proxy, file, 40, second)


@pytest.mark.parametrize("format, name", [(f, name) for f in FORMATS for name in FORMATS[f].types])
def test_types(format, name, tmp_path):
    """Every type on disk as every type asked for, with slope and intercept."""
    row, is_number = FORMATS[format], name in NUMBERS
    factors = row.factors if is_number or TYPES[name].is_rgb else (1.0, 0.0)
    asked = [TYPES[other].dtype for other in NUMBERS] if is_number else [name]
    for byte_order in row.byte_orders:
        file = row.file(name, (9, 5, 4), byte_order, *factors)
        path = file.write(tmp_path, f"{ord(byte_order)}")
        image = file.nibabel(path)
        second = image and image.dataobj
        with file.open(path) as proxy:
            check_description(proxy, name, file.shape, file.scaling)
            for requested in [None, "disk", *asked]:
                check_whole(proxy, name, file.stored(), file.scaling, requested, second)
            if is_number:
                raw = proxy.read_all("f4", READ_RAW)
                assert_same(raw, expected(name, file.stored(), requested="f4"), "raw")
            elif TYPES[name].is_rgb and file.slope != 1 and format != "analyze":
                assert proxy.warnings, "colours are not scaled"


@EACH_CODEC
@EACH_FORMAT
def test_strides(format, codec, tmp_path):
    if len(VIEWED) not in FORMATS[format].ndims:
        pytest.skip("the views have three axes")
    file = _file(format, codec, shape=VIEWED)
    with file.open(file.write(tmp_path)) as proxy:
        for dtype in (None, "disk", "f4", "c16", "u1"):
            want = expected(file.type, file.stored(), file.scaling, dtype)
            for flags in (0, READ_C):
                for view in VIEWS:
                    check_view(proxy, view, want, dtype, flags)


@EACH_CODEC
@EACH_FORMAT
def test_threads(format, codec, tmp_path):
    """Several read through one handle; calls do not hold Python's lock."""
    file = _file(format, codec, shape=(30, 15, 20, 3))
    with file.open(file.write(tmp_path)) as proxy:

        def work(seed):
            rng = np.random.default_rng(seed)
            check_indices(proxy, file.type, file.stored(), file.scaling, rng, 12)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(work, range(6)))


@EACH_CODEC
@EACH_FORMAT
def test_reshapes_and_clones(format, codec, tmp_path):
    """They share a file and outlive the handle they came from."""
    file = _file(format, codec)
    whole = expected(file.type, file.stored(), file.scaling)
    with file.open(file.write(tmp_path)) as proxy:
        # Pieces stay whole.
        shape = (10, 18, 2) if file.pieces == 1 else (10, 12, 3)
        reshaped, clone = proxy.reshape((10, -1, shape[2])), proxy.clone()
        space = FORMATS[format].has_space and (proxy.affine()[0].tolist(), proxy.zooms())
        fails("AP_ERR_ARGUMENT", proxy.reshape, (7, -1))
    with reshaped, clone:
        assert_same(clone.read((..., 1)), whole[..., 1])
        stored = file.stored().reshape(shape, order=file.order)
        check_description(reshaped, file.type, stored.shape, file.scaling)
        check_whole(reshaped, file.type, stored, file.scaling)
        check_indices(reshaped, file.type, stored, file.scaling, np.random.default_rng(2), 15)
        for other in (reshaped, clone):
            assert other.format == format
            if space:
                assert (other.affine()[0].tolist(), other.zooms()) == space


@EACH_FORMAT
def test_errors_of_reads(format, tmp_path):
    file = _file(format)
    with file.open(file.write(tmp_path)) as proxy:
        rng = np.random.default_rng(5)
        for index in [(6,), (-7,), (0,) * 5, (..., 3), (2**62,)]:
            fails("AP_ERR_INDEX", proxy.read, index)
        for _ in range(10):
            fails("AP_ERR_INDEX", proxy.read, index_outside(rng, file.shape))
        fails("AP_ERR_ARGUMENT", proxy.read, (slice(None, None, 0),))
        fails("AP_ERR_UNSUPPORTED", proxy.plan, (), "rgb24", 0)
        index, error, out = (slice(1, 4), 2), Error(), np.zeros(3 * 4 * 3 * 8, "u1")
        what = proxy.handle, *entries(index), code_of("f8"), 0, out.ctypes.data
        status = lib().ap_read_slice(*what, out.nbytes - 1, error)
        assert capi.STATUS_NAME[status] == "AP_ERR_BUFFER"
        assert error.detail == out.nbytes and not out.any()
        assert lib().ap_read_slice(*what, out.nbytes, error) == 0


REFUSED = [(format, case) for format in FORMATS for case in FORMATS[format].refused]


@pytest.mark.parametrize("format, case", REFUSED)
def test_headers_that_are_refused(format, case, tmp_path):
    """The message names the file and the byte of the field."""
    row = FORMATS[format]
    fields, byte = row.refused[case]
    for byte_order in row.byte_orders:
        for codec in ("plain", "zstd"):
            file = row.file(byte_order=byte_order, packing=codec, fields=fields)
            path = file.write(tmp_path)
            message = fails("AP_ERR_HEADER", file.open, path)
            assert f"{path}: " in message and f"(byte {byte})" in message, message
            assert "byte" in fails("AP_ERR_HEADER", file.open, path, strict=1)


def test_every_format_refuses_something():
    assert {format for format, _ in REFUSED} == set(FORMATS) - {"layout"}


@pytest.mark.parametrize("codec", ["plain", "gzip", "bzip2-fast", "zstd"])
@EACH_FORMAT
def test_data_cut_short(format, codec, tmp_path):
    """What exists can be read; what is missing is an error, whatever came before."""
    # Random bytes, so that a part of the stream holds about as large a part of the data.
    file = _file(format, codec, "uint8", (100, 60, 80), scaled=False)
    path = file.write(tmp_path)
    whole = expected(file.type, file.stored(), file.scaling)
    cut = file.paths(tmp_path)[-1]
    cut.write_bytes(cut.read_bytes()[: 300 + cut.stat().st_size // 2])
    with file.open(path) as proxy:
        for _ in range(2):
            # The slowest axis is the last, or the first.
            first = (slice(None), slice(None), slice(0, 9)) if file.order == "F" else slice(0, 9)
            assert_same(proxy.read(first), whole[first])
            last = (0, 0, 79) if file.order == "F" else (99, 0, 0)
            for index in [(), last, (-1, -1, -1)]:
                fails("AP_ERR_TRUNCATED", proxy.read, index)
        # How far a stream goes shows only when it is read.
        assert bool(proxy.warnings) == (codec == "plain")
        assert_same(proxy.read((3, 4, 5)), whole[3, 4, 5])
    if codec == "plain":
        assert str(cut) in fails("AP_ERR_TRUNCATED", file.open, path, strict=1)


def _open_files():
    links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return {os.readlink(link) for link in links if os.path.lexists(link)}


@pytest.mark.parametrize("mmap", [0, 1, 2])
@EACH_CODEC
@EACH_FORMAT
def test_mapped_or_not_and_kept_open_or_not(format, codec, mmap, tmp_path):
    file = _file(format, codec)
    path = file.write(tmp_path)
    if mmap == 2 and codec != "plain":
        fails("AP_ERR_UNSUPPORTED", file.open, path, mmap=mmap)
        return
    for keep_open in (0, 1):
        with file.open(path, mmap=mmap, keep_open=keep_open) as proxy:
            for _ in range(2):
                _check(proxy, file)
                if not keep_open and Path("/proc/self/fd").exists():
                    assert not _open_files() & {str(p) for p in file.paths(tmp_path)}
                lib().ap_trim(proxy.handle)


@EACH_CODEC
@EACH_FORMAT
def test_sources(format, codec, tmp_path):
    """The same from files, memory and callbacks, with and without the file's name."""
    file = _file(format, codec)
    file.write(tmp_path)
    served = [Callbacks(content) for content in file.packed()]
    for contents in (file.packed(), served, file.paths(tmp_path)):
        with file.open_sources(contents) as proxy:
            assert proxy.format == format
            assert proxy.header == file.header()
            _check(proxy, file)
    for one in served:
        assert one.calls and not one.bad and one.released == 1


PAIRS = [format for format in FORMATS if len(FORMATS[format].file().extensions) == 2]


def _upper(name):
    """All of it, but the ending of a compression that the header's name does not share."""
    own, brik, suffix = name.rpartition("BRIK")
    return own.upper() + brik + suffix if brik else name.upper()


@EACH_CODEC
@pytest.mark.parametrize("format", PAIRS)
def test_pairs_open_by_either_name(format, codec, tmp_path):
    file = _file(format, codec)
    file.write(tmp_path)
    names = [path.name for path in file.paths(tmp_path)]
    for upper in (False, True):
        for name in names:
            path = tmp_path / (_upper(name) if upper else name)
            if upper and name == names[0]:
                for old in names:
                    (tmp_path / old).rename(tmp_path / _upper(old))
            with file.open(path) as proxy:
                assert proxy.format == format
                second = file.nibabel(path).dataobj
                check_whole(proxy, file.type, file.stored(), file.scaling, None, second)


@pytest.mark.parametrize("format", PAIRS)
def test_pairs_without_one_of_their_files(format, tmp_path):
    file = _file(format)
    for name in file.extensions:
        path = file.write(tmp_path)
        lost = path.with_suffix(f".{name}")
        lost.unlink()
        for opened in file.paths(tmp_path):
            message = fails("AP_ERR_NOT_FOUND", file.open, opened)
            assert str(lost) in message or lost.name in message
    header, _ = file.packed()
    fails("AP_ERR_NOT_FOUND", file.open_sources, (header,))


@EACH_FORMAT
def test_formats_are_asked_for_by_name(format, tmp_path):
    assert lib().ap_has(format.encode()) == 1
    file = _file(format)
    path = file.write(tmp_path)
    with file.open(path, format=format) as proxy:
        assert proxy.format == format
        _check(proxy, file)
    fails("AP_ERR_OPTION", file.open, path, format=format.upper())


def test_what_is_built_in():
    for name in [*FORMATS, *CODECS[1:]]:
        assert lib().ap_has(name.encode()) == 1
    for name in ["", "plain", "none", "nifti", "NIFTI1", "gz", "lzma"]:
        assert lib().ap_has(name.encode()) == 0
