"""Slices as proxies: values, affines and reshapes against NumPy and NiBabel."""

import itertools
import zlib

import nibabel
import numpy as np
import pytest

import capi
from capi import AFFINE_BASE, AFFINE_QFORM, AFFINE_SFORM, ApError, lib
from checks import check_description, fails
from compare import assert_same
from eltypes import NUMBERS, TYPES, file_bytes, values
from formats import FORMATS
from indices import index_outside, random_index
from layouts import LayoutFile
from mgh import Mgh
from model import expected
from nifti import Nifti
from packings import CODECS
from proxy import Proxy

SHAPE = (6, 5, 4, 3)
SPACED = [name for name, row in FORMATS.items() if row.has_space]


def _numbers(shape, order):
    """Of each element its number in the file."""
    return np.arange(int(np.prod(shape))).reshape(shape, order=order)


def _views(rng, shape, depth=3):
    """Indices, each of what the one before it left."""
    chain = []
    for _ in range(int(rng.integers(1, depth + 1))):
        index = random_index(rng, shape)
        chain.append(index)
        shape = np.empty(shape, "V0")[index].shape
        if len(shape) > 12:
            break
    return chain


def _apply(array, chain):
    for index in chain:
        array = array[index]
    return np.asarray(array)


def _sliced(proxy, chain):
    """The proxy of a slice of a slice, of which all but the last are freed."""
    out = proxy.clone()
    for index in chain:
        with out as parent:
            out = parent.slice(index)
    return out


def _check_reads(proxy, want, rng, requested=None, context="", count=3):
    order = "FC"[rng.integers(2)]
    assert_same(proxy.read_all(requested, order=order), want, context)
    for _ in range(count):
        index = random_index(rng, want.shape)
        part = np.asarray(want[index])
        assert proxy.slice_shape(index) == part.shape, f"{context} [{index}]"
        assert_same(proxy.read(index, requested, order="FC"[rng.integers(2)]), part, context)


@pytest.mark.parametrize("order", "FC")
@pytest.mark.parametrize("type", TYPES)
def test_values(type, order, tmp_path):
    scaled = not TYPES[type].is_rgb and not TYPES[type].is_wide
    rng = np.random.default_rng(zlib.crc32(f"{type} {order}".encode()))
    for byte_order in "<>":
        for factors in [(1.0, 0.0), (0.37, -2.5)][: 1 + scaled]:
            file = LayoutFile(type, SHAPE, byte_order, *factors, order=order)
            stored, numbers = file.stored(), _numbers(SHAPE, order)
            with file.open(file.write(tmp_path)) as proxy:
                for _ in range(25):
                    chain = _views(rng, SHAPE)
                    left = _apply(numbers, chain)
                    with _sliced(proxy, chain) as part:
                        check_description(part, type, left.shape, file.scaling)
                        assert part.scale_shape == ()
                        assert part.byte_order == byte_order
                        assert lib().ap_order(part.handle) == ord(order)
                        assert lib().ap_size(part.handle) == left.size
                        if left.size:
                            first = int(left.flat[0]) * TYPES[type].dtype.itemsize
                            assert part.data_offset == file.offset + first
                        for requested in [None, "disk"] + ["f4"] * (type in NUMBERS):
                            whole = expected(type, stored, file.scaling, requested)
                            want = _apply(whole, chain)
                            _check_reads(part, want, rng, requested, f"{chain} {requested}")


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("format", FORMATS)
def test_formats(format, codec, tmp_path):
    row = FORMATS[format]
    file = row.file("int16", (7, 5, 4, 3), row.byte_orders[-1], *row.factors, packing=codec)
    whole = expected("int16", file.stored(), file.scaling)
    rng = np.random.default_rng(len(format + codec))
    with file.open(file.write(tmp_path), threads=2) as proxy:
        for _ in range(15):
            chain = _views(rng, whole.shape)
            want = _apply(whole, chain)
            with _sliced(proxy, chain) as part:
                assert part.format == proxy.format and part.codec == proxy.codec
                assert part.header == proxy.header and part.warnings == proxy.warnings
                _check_reads(part, want, rng, None, f"{chain}")
                if want.ndim:
                    with part.plan() as plan:
                        assert plan.shape == want.shape and plan.dtype == want.dtype


def test_batches_and_boxes(tmp_path):
    file = Nifti(shape=SHAPE, slope=0.5, packing="gzip-members")
    want = expected("int16", file.stored(), file.scaling)[4:0:-1, ..., 1:, None]
    with file.open(file.write(tmp_path)) as proxy:
        with proxy.slice((slice(4, 0, -1), ..., slice(1, None), None)) as part:
            indices = [(i, slice(None, None, s), ...) for i, s in [(0, 1), (-1, -1), (2, 1)]]
            for index, got in zip(indices, part.read_batch(indices), strict=True):
                assert_same(got, want[index])
            got = part.read_box([3, 0, 1, 1, 0], [2, 2, 3, 1, 1], [-2, 3, 1, 1, 1])
            assert_same(got, want[3:0:-2, 0:4:3, 1:4, 1:2, 0:1])


def test_indices_outside():
    rng = np.random.default_rng(3)
    with Proxy.open_layout(bytes(720), "int16", SHAPE) as proxy:
        for _ in range(50):
            index = index_outside(rng, SHAPE)
            fails("AP_ERR_INDEX", proxy.slice, index)
        with proxy.slice((slice(1, 3),)) as part:
            fails("AP_ERR_INDEX", part.slice, (2,))
            fails("AP_ERR_INDEX", part.read, (-3,))
            fails("AP_ERR_ARGUMENT", part.slice, (slice(None, None, 0),))


class Space:
    """Of each axis of a view: the axis of the file, first voxel and step; None if it is new."""

    def __init__(self, shape):
        self.axes = [(k, 0, 1) for k in range(len(shape))]
        self.shape = shape

    def __getitem__(self, index):
        used = sum(i is not None and i is not Ellipsis for i in index)
        gap = [slice(None)] * (len(self.axes) - used)
        at = index.index(Ellipsis) if Ellipsis in index else len(index)
        out = Space(self.shape)
        out.axes, old = [], iter(zip(self.axes, self.shape, strict=True))
        shape = []
        for item in [*index[:at], *gap, *index[at + 1 :]]:
            if item is None:
                out.axes.append(None)
                shape.append(1)
                continue
            axis, n = next(old)
            if isinstance(item, slice):
                start, stop, step = item.indices(n)
                out.axes.append(axis and (axis[0], axis[1] + start * axis[2], axis[2] * step))
                shape.append(len(range(start, stop, step)))
        out.shape = tuple(shape)
        return out

    def affine(self, affine, spatial):
        """None if an axis of space is gone, or stands behind a new one."""
        old = list(itertools.takewhile(lambda axis: axis is not None, self.axes))
        left = [axis for axis in old if axis[0] in spatial]
        if [axis[0] for axis in left] != list(spatial):
            return None
        change = np.eye(4)
        for k, (_, start, step) in enumerate(left):
            change[k, k], change[k, 3] = step, start
        return affine @ change

    def zooms(self, zooms):
        return tuple(1.0 if a is None else zooms[a[0]] * abs(a[2]) for a in self.axes)


KINDS = [capi.AFFINE_BEST, AFFINE_SFORM, AFFINE_QFORM, AFFINE_BASE]


def _has(proxy, which):
    try:
        return proxy.affine(which)
    except ApError as error:
        assert error.name == "AP_ERR_UNSUPPORTED"
        return None


def _oblique(version):
    return {
        "sform_code": 2,
        "qform_code": 1,
        "srow": [1.5, 0.25, -3, 10, 2, -4, 0.5, 20, 0.125, 1, 8, -30.75],
        "quatern": [0.1, 0.2, -0.3],
        "qoffset": [-7, 8, 9.5],
        "pixdim": [-1.0, 2.0, 3.0, 4.0, 1.5, 1.0, 1.0, 1.0],
    }


SHAPES = [(7, 6, 5), (6, 5, 4, 3), (5, 4), (9,), (3, 4, 2, 2, 3)]
PLACED = [(f, shape) for f in SPACED for shape in SHAPES if len(shape) in FORMATS[f].ndims]


@pytest.mark.parametrize("format, shape", PLACED, ids=str)
def test_affines(format, shape, tmp_path):
    row = FORMATS[format]
    file = row.file("int16", shape, row.byte_orders[-1])
    if isinstance(file, Nifti):
        file.fields = _oblique(file.version)
    rng = np.random.default_rng(len(shape))
    with file.open(file.write(tmp_path)) as proxy:
        zooms = proxy.zooms()
        whole = {which: found for which in KINDS if (found := _has(proxy, which))}
        assert capi.AFFINE_BEST in whole
        kept = 0
        for _ in range(60):
            chain = _views(rng, shape)
            space = Space(shape)
            with _sliced(proxy, chain) as part:
                for index in chain:
                    space = space[index]
                if 0 in space.shape:
                    continue
                assert space.shape == part.shape
                np.testing.assert_allclose(part.zooms(), space.zooms(zooms), rtol=1e-14)
                for which in KINDS:
                    found = _has(part, which)
                    want = which in whole and space.affine(whole[which][0], file.spatial)
                    if want is None or want is False:
                        assert found is None, chain
                        continue
                    kept += 1
                    np.testing.assert_allclose(found[0], want, rtol=1e-12, atol=1e-9)
                    assert found[1] == whole[which][1]
        assert kept


def _crop(rng, n):
    """From a voxel that is inside, forwards or back, never empty."""
    start = int(rng.integers(n))
    step = int(rng.choice([1, 1, 2, 3, -1, -2]))
    if step > 0:
        return slice(start, int(rng.integers(start + 1, n + 3)), step)
    stop = int(rng.integers(-1, start))
    return slice(start, None if stop < 0 else stop, step)


@pytest.mark.parametrize("shape", [(7, 6, 5), (6, 5, 4, 3)], ids=str)
@pytest.mark.parametrize("format", SPACED)
def test_affines_of_slicer(format, shape, tmp_path):
    """NiBabel's own crops of images. [BUG] it takes the start of a[::-1] for 0."""
    row = FORMATS[format]
    file = row.file("int16", shape, row.byte_orders[-1], *row.factors)
    if isinstance(file, Nifti):
        file.fields = _oblique(file.version)
    path = file.write(tmp_path)
    image = file.nibabel(path)
    if not hasattr(image, "slicer"):
        pytest.skip("NiBabel's slices of the array are wrong")
    rng = np.random.default_rng(7)
    with file.open(path) as proxy:
        for _ in range(40):
            index = tuple(_crop(rng, n) for n in shape[:3])
            if len(shape) > 3 and rng.random() < 0.5:
                index += (int(rng.integers(3)),)
            theirs = image.slicer[index]
            with proxy.slice(index) as part:
                assert part.shape == theirs.shape
                got, _ = part.affine()
                np.testing.assert_allclose(got, theirs.affine, rtol=1e-12, atol=1e-9)
                assert_same(part.read_all(), np.asarray(theirs.dataobj))
                sizes = nibabel.affines.voxel_sizes(got)
                if format not in ("nifti1", "nifti2", "nifti1-pair", "nifti2-pair"):
                    np.testing.assert_allclose(part.zooms()[:3], sizes, rtol=1e-6)


@pytest.mark.parametrize("codec", CODECS)
def test_time_step_of_mgh(codec, tmp_path):
    """Behind the data; stepped like any other axis, or gone."""
    file = Mgh(shape=(5, 4, 3, 6), packing=codec)
    with file.open(file.write(tmp_path)) as proxy:
        with proxy.slice((..., slice(None, None, -2))) as part, proxy.slice((..., 1)) as one:
            assert len(one.zooms()) == 3
            assert part.zooms() == (*one.zooms(), 4600.0)
            with part.slice((slice(1, 2), ..., 0)) as other:
                assert other.zooms() == one.zooms()


def _factored(rng, size):
    """A random shape of `size` elements."""
    if size == 0:
        return tuple(int(n) for n in rng.permutation([0, *rng.integers(1, 4, 2)]))
    out = []
    while size > 1 and len(out) < 5:
        divisors = [d for d in range(1, size + 1) if size % d == 0]
        out.append(int(rng.choice(divisors)))
        size //= out[-1]
    return tuple(int(n) for n in [*out, size][: 6 if size > 1 else None])


def _near(rng, shape, size):
    """Often one that merges or splits axes that are neighbours."""
    out = list(shape)
    for _ in range(int(rng.integers(1, 4))):
        if len(out) > 1 and rng.random() < 0.6:
            at = int(rng.integers(len(out) - 1))
            out[at : at + 2] = [out[at] * out[at + 1]]
        elif out:
            at = int(rng.integers(len(out)))
            divisors = [d for d in range(1, out[at] + 1) if out[at] % d == 0] or [1]
            part = int(rng.choice(divisors))
            out[at : at + 1] = [part, out[at] // part]
    return tuple(out) if size else _factored(rng, 0)


@pytest.mark.parametrize("order", "FC")
def test_reshapes_of_views(order):
    """What NumPy's reshape can do without a copy, in the order of the file, works."""
    shape = (6, 8, 4, 3)
    stored = np.asarray(values("int16", 576, 4)).reshape(shape, order=order)
    if order == "F":
        stored = np.asfortranarray(stored)
    data = file_bytes("int16", stored, order)
    rng = np.random.default_rng(ord(order))
    done = {True: 0, False: 0}
    with Proxy.open_layout(data, "int16", shape, order) as proxy:
        for _ in range(600):
            chain = _views(rng, shape, 2)
            # A view of the same memory, so that its strides count.
            view = stored
            for index in chain:
                view = view[index]
            view = np.asarray(view)
            if view.ndim > 8:
                continue
            make = _near if rng.random() < 0.7 else lambda r, s, n: _factored(r, n)
            asked = make(rng, view.shape, view.size)
            try:
                want = np.reshape(view, asked, order=order, copy=False)
            except ValueError:
                want = None
            done[want is not None] += 1
            with _sliced(proxy, chain) as part:
                if want is None:
                    fails("AP_ERR_UNSUPPORTED", part.reshape, asked)
                    continue
                with part.reshape(asked) as other:
                    context = f"{chain} as {asked}"
                    assert other.shape == want.shape, context
                    _check_reads(other, want, rng, None, context, 2)
                    index = random_index(rng, want.shape)
                    with other.slice(index) as again:
                        assert_same(again.read_all(), np.asarray(want[index]), context)
    assert min(done.values()) > 20, done


def test_reshape_keeps_affine_and_slice_of_it_may_not(tmp_path):
    file = Nifti(shape=(6, 5, 4, 2), fields=_oblique(1))
    with file.open(file.write(tmp_path)) as proxy:
        with proxy.slice((slice(1, None), slice(None, None, -1), ..., 1)) as part:
            affine, zooms = part.affine()[0], part.zooms()
            with part.reshape((5, 5, 2, 2)) as other:
                assert_same(other.affine()[0], affine)
                assert other.zooms() == zooms
                with other.slice((..., 1)) as split:
                    fails("AP_ERR_UNSUPPORTED", split.affine)
            with part.reshape((5, 5, 4, 1)) as other, other.slice((slice(2, 4), ..., 0)) as crop:
                want = affine @ [[1, 0, 0, 2], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
                np.testing.assert_allclose(crop.affine()[0], want, rtol=1e-12)


def test_nothing_is_read(tmp_path):
    """Not even the file is looked at."""
    file = Nifti(shape=(6, 5, 4))
    path = file.write(tmp_path)
    with file.open(path, keep_open=0, mmap=0) as proxy:
        path.unlink()
        with proxy.slice((slice(None, None, 2),)) as part, part.slice((..., 0)) as other:
            assert other.shape == (3, 5)
            with other.reshape((3, 5, 1)) as third:
                assert third.shape == (3, 5, 1)
            assert "image.nii" in fails("AP_ERR_NOT_FOUND", other.read_all)
