"""Proxies of image files, and of arrays whose layout is given, as Python sees them."""

import gc
import gzip
import io
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import numpy as np
import pytest

import arrayproxy
import arrayproxy.nibabel
from arrayproxy import ArrayProxy

SHAPE = (7, 6, 5, 4)


@pytest.fixture
def stored():
    return np.random.default_rng(1).integers(-1000, 1000, SHAPE).astype("i2")


@pytest.fixture
def path(stored, tmp_path):
    """With a slope and an intercept."""
    image = nibabel.Nifti1Image(stored, np.diag([2, 3, 4, 1]))
    image.header.set_data_dtype("i2")
    image.header.set_slope_inter(0.5, 10)
    path = tmp_path / "image.nii.gz"
    image.header["descrip"] = b"four axes"
    data = image.header.copy()
    data["vox_offset"] = 352
    data["magic"] = b"n+1"
    content = data.binaryblock + bytes(4) + stored.tobytes("F")
    path.write_bytes(gzip.compress(content))
    return path


@pytest.fixture
def meant(stored):
    return stored * 0.5 + 10


def test_what_an_image_tells(path, stored):
    image = arrayproxy.open(path, threads=2)
    assert (image.shape, image.ndim, image.size, len(image)) == (SHAPE, 4, stored.size, 7)
    assert (image.dtype, image.disk_dtype, image.is_scaled) == ("f8", "<i2", True)
    assert (image.format, image.codec, image.offset, image.order) == ("nifti1", "gzip", 352, "F")
    assert image.zooms == (2, 3, 4, 1)
    assert [float(x) for x in image.scale_factors] == [0.5, 10]
    assert image.field("descrip") == "four axes"
    assert image.field("dim") == [4, *SHAPE, 1, 1, 1]
    assert image.field("scl_slope") == 0.5
    assert "dim" in image.fields and len(image.header) == 348
    assert (image.extensions, image.warnings) == ([], [])
    assert image.is_proxy and arrayproxy.is_proxy(image)
    assert image.chunks == SHAPE and image.chunk_shape(500) == (7, 6, 5, 1)
    assert "nifti1" in repr(image)
    np.testing.assert_array_equal(image.affine, nibabel.load(path).affine)
    with pytest.raises(arrayproxy.ArgumentError, match="no_such"):
        image.field("no_such")


def test_reads(path, stored, meant):
    image = arrayproxy.open(path)
    for index in [0, -1, (1, 2), (..., 3), (slice(None, None, -2), None, 1), (), np.int8(3)]:
        got = image[index]
        np.testing.assert_array_equal(got, meant[index])
        assert got.dtype == meant.dtype
    assert isinstance(image[0, 0, 0, 0], np.float64)
    np.testing.assert_array_equal(np.asarray(image), meant)
    np.testing.assert_array_equal(image.get_unscaled(), stored)
    assert np.asarray(image).flags.f_contiguous
    assert image.read(order="C").flags.c_contiguous
    np.testing.assert_array_equal(image.read(0, raw=True), stored[0])
    for dtype in ("f4", "i2", "u1", "c16"):
        with np.errstate(invalid="ignore"):
            want = meant.astype(dtype)
        np.testing.assert_array_equal(np.asarray(image, dtype=dtype), want)
        np.testing.assert_array_equal(image.read(dtype=dtype), want)
    assert sum(1 for _ in image) == 7
    with pytest.raises(ValueError, match="copy"):
        np.asarray(image, copy=False)


def test_parts_and_shapes(path, meant):
    image = arrayproxy.open(path)
    part = image.slice((slice(1, 5), ..., 2))
    assert part.shape == (4, 6, 5)
    np.testing.assert_array_equal(part[1:], meant[2:5, :, :, 2])
    flat = image.reshape(-1, 4)
    np.testing.assert_array_equal(flat, meant.reshape((-1, 4), order="F"))
    again = pickle.loads(pickle.dumps(flat.slice((..., 1))))
    np.testing.assert_array_equal(again, meant.reshape((-1, 4), order="F")[:, 1])
    del image, part
    np.testing.assert_array_equal(flat[3], meant.reshape((-1, 4), order="F")[3])


def test_into_arrays(path, meant):
    image = arrayproxy.open(path)
    out = np.zeros((5, 6, 7), "f4").T
    assert image.read((..., 1), out=out) is out
    np.testing.assert_array_equal(out, meant[..., 1].astype("f4"))
    for bad in (np.zeros((7, 6), "f4"), np.zeros(SHAPE[:3], ">f4"), np.zeros(SHAPE[:3], "M8[s]")):
        with pytest.raises(arrayproxy.ArgumentError):
            image.read((..., 1), out=bad)
    out.flags.writeable = False
    with pytest.raises(arrayproxy.ArgumentError, match="written"):
        image.read((..., 1), out=out)
    with pytest.raises(arrayproxy.ArgumentError, match="another type"):
        image.read((..., 1), dtype="f8", out=np.zeros(SHAPE[:3], "f4"))


BAD_INDICES = [7, (0, 0, 0, 0, 0), (..., ...), 1.5, "x", [1, 2], np.array([1]), True, (slice(1.5),)]


@pytest.mark.parametrize("index", BAD_INDICES, ids=repr)
def test_bad_indices(index, path):
    for proxy in (arrayproxy.open(path), ArrayProxy(str(path), (SHAPE, "i2", 352))):
        with pytest.raises((IndexError, TypeError)):
            proxy[index]


def test_errors(path, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing") as caught:
        arrayproxy.open(tmp_path / "missing.nii")
    assert caught.value.errno == 2 and caught.value.name == "AP_ERR_NOT_FOUND"
    with pytest.raises(IndexError) as caught:
        arrayproxy.open(path)[7]
    assert isinstance(caught.value, ValueError) and caught.value.code == -3
    for settings in ({"threads": -5}, {"no_such": 1}, {"codec": "lzma"}):
        with pytest.raises(ValueError):
            arrayproxy.open(path, **settings)
    text = tmp_path / "a.txt"
    text.write_text("no image")
    with pytest.raises(arrayproxy.FormatError, match="a.txt"):
        arrayproxy.open(text)
    cut = tmp_path / "cut.nii"
    cut.write_bytes(gzip.decompress(path.read_bytes())[:1000])
    image = arrayproxy.open(cut)
    assert "cut short" in image.warnings[0]
    with pytest.raises(OSError, match="cut.nii.*byte"):
        image[..., -1]
    with pytest.raises(MemoryError):
        arrayproxy.open(path, max_bytes=100)[()]


def test_progress(path, meant):
    image, told = arrayproxy.open(path), []
    got = image.read(progress=lambda done, total: told.append((done, total)))
    np.testing.assert_array_equal(got, meant)
    assert told and told[-1][1] == meant.nbytes
    image.read(progress=True)
    with pytest.raises(arrayproxy.CancelledError):
        image.read(progress=lambda done, total: True)

    def fails(done, total):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        image.read(progress=fails)


def test_many_threads(path, meant):
    image = arrayproxy.open(path)
    with ThreadPoolExecutor(8) as pool:
        for t, got in enumerate(pool.map(lambda t: image[..., t % 4], range(400))):
            np.testing.assert_array_equal(got, meant[..., t % 4])


def test_seek_index(path, tmp_path):
    image = arrayproxy.open(path)
    image.build_index()
    image.save_index(tmp_path / "index")
    image.load_index(tmp_path / "index")
    image.save_index(tmp_path / "an, index")
    for name in (tmp_path / "an, index", str(tmp_path / "an, index")):
        assert arrayproxy.open(path, index_path=name, strict=1).warnings == []
    with pytest.raises(ValueError, match="no index file"):
        arrayproxy.open(path, index_path=path, strict=1)
    image.trim()
    assert (tmp_path / "index").stat().st_size > 0


# Of a layout that is given.


@pytest.mark.parametrize("order", "FC")
@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("kind", ["path", "gzip", "object"])
def test_layouts(kind, byte_order, order, stored, tmp_path):
    stored = stored.astype(f"{byte_order}i2")
    content = bytes(9) + stored.tobytes(order)
    name = tmp_path / "data.bin"
    name.write_bytes(gzip.compress(content) if kind == "gzip" else content)
    file = io.BytesIO(content) if kind == "object" else name
    for slope, inter in ((1.0, 0.0), (0.5, 2.0)):
        proxy = ArrayProxy(file, (SHAPE, stored.dtype, 9, slope, inter), order=order)
        meant = stored * slope + inter if slope != 1 else stored
        assert (proxy.dtype, proxy.offset, proxy.order) == (stored.dtype, 9, order)
        for index in [(), 0, (..., 1), (slice(2), None, -1)]:
            got = proxy[index]
            np.testing.assert_array_equal(got, meant[index])
            assert got.dtype == meant.dtype
        unscaled = proxy.get_unscaled()
        np.testing.assert_array_equal(unscaled, stored)
        assert isinstance(unscaled, np.memmap) == (kind == "path")
        np.testing.assert_array_equal(proxy._get_unscaled((..., 1)), stored[..., 1])
        with pytest.raises(IndexError):
            proxy[99]


def test_the_file_is_opened_late_and_closed(stored, tmp_path):
    name = tmp_path / "data.bin"
    proxy = ArrayProxy(name, (SHAPE, "i2"), mmap=False)
    with pytest.raises(FileNotFoundError):
        proxy[0]
    name.write_bytes(stored.tobytes("F"))
    assert proxy[1, 2, 3, 0] == stored[1, 2, 3, 0]
    assert not [link for link in os.listdir("/proc/self/fd") if _leads_to(link, name)]
    kept = ArrayProxy(name, (SHAPE, "i2"), keep_file_open=True, mmap=False)
    assert kept[1, 2, 3, 0] == stored[1, 2, 3, 0]
    assert [link for link in os.listdir("/proc/self/fd") if _leads_to(link, name)]
    # Another file by this name is another array, for the proxy that opens it anew.
    other = tmp_path / "other"
    other.write_bytes((stored + 1).tobytes("F") + b"more")
    other.replace(name)
    assert proxy[1, 2, 3, 0] == stored[1, 2, 3, 0] + 1
    assert kept[1, 2, 3, 0] == stored[1, 2, 3, 0]


def _leads_to(link, path):
    try:
        return os.readlink(f"/proc/self/fd/{link}") == str(path)
    except OSError:
        return False


def test_objects_that_fail():
    class Fails(io.BytesIO):
        def read(self, *_):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ArrayProxy(Fails(bytes(100)), ((5, 5), "i2"))[0]
    with pytest.raises(OSError, match="end before the array does"):
        ArrayProxy(io.BytesIO(bytes(10)), ((5, 5), "i2"))[:]


def test_objects_are_locked(stored):
    """Reads by many threads through one place in a file."""
    file = io.BytesIO(stored.tobytes("F"))
    proxy = ArrayProxy(file, (SHAPE, "i2"))
    copies = [proxy.copy() for _ in range(4)]
    assert all(copy._lock is proxy._lock for copy in copies)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: copies[i % 4][..., i % 4], range(400)))
    for i, got in enumerate(results):
        np.testing.assert_array_equal(got, stored[..., i % 4])


def test_subclasses(stored):
    class Named(ArrayProxy):
        _default_order = "C"

    file = io.BytesIO(stored.tobytes("C"))
    proxy = Named(file, (SHAPE, "i2"))
    assert proxy.order == "C" and isinstance(proxy.copy(), Named)
    flat = proxy.reshape((-1, 4))
    assert isinstance(flat, Named)
    np.testing.assert_array_equal(flat, stored.reshape(-1, 4))


def test_pickles(stored, tmp_path):
    name = tmp_path / "data.bin"
    name.write_bytes(stored.tobytes("F"))
    proxy = ArrayProxy(name, (SHAPE, "i2", 0, 2.0))
    assert proxy[0, 0, 0, 0] == 2 * stored[0, 0, 0, 0]
    again = pickle.loads(pickle.dumps(proxy))
    np.testing.assert_array_equal(again, stored * 2.0)


RGB = [("R", "u1"), ("G", "u1"), ("B", "u1")]


@pytest.mark.parametrize("dtype", ["?", "u1", "i8", "f2", "c8", "c16", RGB], ids=str)
def test_types(dtype):
    dtype = np.dtype(dtype)
    content = np.random.default_rng(2).integers(0, 2, 24 * dtype.itemsize, "u1")
    want = content.view(dtype).reshape((4, 3, 2), order="F")
    proxy = ArrayProxy(io.BytesIO(content.tobytes()), ((4, 3, 2), dtype))
    for index in [(), (1, ..., 0), (1, 2, 1)]:
        got = proxy[index]
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, want[index])


def test_factors_decide_the_precision(stored):
    """As NiBabel's: by the type of the slope."""
    from nibabel.arrayproxy import ArrayProxy as Theirs

    for type in ("i2", "u1", "f4", "f8", "i4"):
        data = stored.astype(type)
        for slope in (np.float32(0.1), np.float64(0.1), 2, np.array(0.1, "f4")):
            is_single = getattr(slope, "dtype", None) == np.float32
            for inter in (0.0, np.float32(0.3) if is_single else 0.3):
                spec = SHAPE, type, 0, slope, inter
                file = io.BytesIO(data.tobytes("F"))
                ours, theirs = ArrayProxy(file, spec), Theirs(file, spec)
                for dtype in (None, "f4", "f8"):
                    got, want = (np.asarray(proxy, dtype=dtype) for proxy in (ours, theirs))
                    assert got.dtype == want.dtype, (type, slope, inter, dtype)
                    np.testing.assert_array_equal(got, want)


def test_nibabel_uses_it(path, meant):
    plain = nibabel.load(path)
    arrayproxy.nibabel.enable()
    try:
        image = nibabel.load(path)
        assert type(image.dataobj) is ArrayProxy
        np.testing.assert_array_equal(image.get_fdata(), plain.get_fdata())
        np.testing.assert_array_equal(image.slicer[1:3].get_fdata(), meant[1:3])
    finally:
        arrayproxy.nibabel.disable()
    assert type(nibabel.load(path).dataobj) is not ArrayProxy


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_nothing_leaks(path, stored):
    """100,000 proxies that are opened, read and dropped."""

    def some(n):
        for _ in range(n):
            image = arrayproxy.open(path)
            image[0, 0, 0]
            file = io.BytesIO(stored.tobytes("F"))
            ArrayProxy(file, (SHAPE, "i2"))[0, 0, 0]
        gc.collect()

    some(2000)
    before = resident()
    some(50_000)
    assert resident() - before < 8 << 20


def test_fork(path):
    code = f"""
import multiprocessing, arrayproxy
image = arrayproxy.open({str(path)!r}, threads=2)
first = image[..., 0].sum()
def read(t):
    return image[..., t].sum()
with multiprocessing.get_context("fork").Pool(4) as pool:
    found = pool.map(read, range(4))
assert found == [image[..., t].sum() for t in range(4)] and found[0] == first
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=60)


def test_the_lock_is_free_while_a_read_goes_on(path):
    """Other threads of Python's run meanwhile."""
    image, ran = arrayproxy.open(path), threading.Event()
    thread = threading.Thread(target=ran.set)

    def told(done, total):
        thread.is_alive() or ran.is_set() or thread.start()
        return not ran.wait(10)

    image.read(progress=told)
    thread.join()
