"""MINC 2 against NiBabel and plain NumPy: files of h5py and of Debian's minc-tools."""

import subprocess
import warnings
from pathlib import Path

import h5py
import nibabel
import numpy as np
import pytest
from nibabel.minc2 import Minc2Image

from capi import lib
from checks import fails
from compare import assert_same
from eltypes import TYPES
from indices import random_index
from minc2 import IMAGE, Minc2
from proxy import Callbacks, Proxy
from test_minc1 import TOOLS

NIBABELS = Path(nibabel.__file__).parent / "tests" / "data"
KINDS = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float64"]
LIBVERS = ["earliest", "v108", ("v110", "v110"), "latest"]


def check(proxy, file, count=20):
    """All of it and parts of it, against NumPy."""
    want = file.scaled()
    assert (proxy.format, proxy.type, proxy.byte_order) == ("minc2", file.type, file.byte_order)
    assert (proxy.shape, proxy.auto_dtype) == (want.shape, want.dtype)
    for order in "FC":
        assert_same(proxy.read_all(order=order), want)
        assert_same(proxy.read_all("disk", order=order), file.stored(), exact_nan=True)
    rng = np.random.default_rng(count)
    for _ in range(count):
        index = random_index(rng, want.shape)
        got = proxy.read(index, order="FC"[rng.integers(2)])
        assert_same(got, np.asarray(want[index]), f"{index}")


def nibabels(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Minc2Image.from_filename(str(path))


# Each with the number of its warnings.
OWN = {"small": 0, "minc2_1_scale": 0, "minc2_4d": 0, "minc2-no-att": 0, "minc2-4d-d": 0,
       "minc2_baddim": 1}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
def test_nibabels_own(name):
    path = NIBABELS / f"{name}.mnc"
    image = nibabels(path)
    whole = np.asarray(image.dataobj)
    with Proxy.open(path) as proxy:
        assert proxy.format == "minc2" and len(proxy.warnings) == OWN[name]
        assert_same(proxy.read_all(), whole)
        np.testing.assert_array_equal(proxy.affine()[0], image.affine)
        rng = np.random.default_rng(3)
        for _ in range(40):
            index = random_index(rng, whole.shape)
            assert_same(proxy.read(index), np.asarray(whole[index]), f"{index}")


def random_file(rng, seed):
    """Of any type, in one piece or in chunks with any filters, with any ranges."""
    shape = tuple(map(int, rng.integers(1, 14, rng.integers(1, 5))))
    how = {}
    if rng.random() < 0.8:
        how["chunks"] = tuple(int(rng.integers(1, n + 1)) for n in shape)
        how |= {"compression": int(rng.integers(1, 9))} if rng.random() < 0.7 else {}
        how |= {name: True for name in ("shuffle", "fletcher32") if rng.random() < 0.4}
        if rng.random() < 0.5:
            how["maxshape"] = tuple(None if rng.random() < 0.5 else n for n in shape)
    over = shape[: rng.integers(0, min(len(shape), 3) + 1)]
    lows = rng.normal(size=over)
    what = {"lows": lows, "highs": lows + 10 * rng.random(over)}
    type = str(rng.choice(KINDS))
    if type.startswith(("int", "uint")) and rng.random() < 0.5:
        what["valid"] = 3, 100
    if how and rng.random() < 0.3:
        what["written"] = tuple(slice(int(rng.integers(0, n)), None) for n in shape)
        what["filled"] = 7
    return Minc2(
        type, shape, str(rng.choice([*"<>"])), seed=seed, how=how,
        range_type=str(rng.choice(["f4", "f8"])), long_texts=bool(rng.random() < 0.3),
        crowd=int(rng.choice([0, 0, 20])), **what,
    )  # fmt: skip


@pytest.mark.parametrize("libver", LIBVERS, ids=str)
@pytest.mark.parametrize("seed", range(12))
def test_random_files(seed, libver, tmp_path):
    rng = np.random.default_rng([seed, LIBVERS.index(libver)])
    for turn in range(8):
        file = random_file(rng, turn)
        file.libver = libver
        with file.open(file.write(tmp_path)) as proxy:
            check(proxy, file, 8)
            has_space = len(file.shape) > 2
            assert bool(proxy.warnings) != has_space
            # NiBabel has two axes of ranges at most, and reads few texts.
            if has_space and file.lows.ndim < 3 and not file.long_texts:
                image = file.nibabel(tmp_path / "image.mnc")
                assert_same(proxy.read_all(), np.asarray(image.dataobj), "NiBabel")


DEFLATED = {"chunks": (3, 2, 4), "compression": 4, "shuffle": True}


def test_what_is_in_front_of_the_file(tmp_path):
    """HDF5's library looks for it, but the format is to be named."""
    file = Minc2(shape=(7, 5, 9), userblock=512, how=DEFLATED)
    path = file.write(tmp_path)
    fails("AP_ERR_FORMAT", file.open, path)
    with file.open(path, format="minc2") as proxy:
        check(proxy, file)


@pytest.mark.parametrize("how", [{}, DEFLATED], ids=["whole", "chunks"])
def test_never_written(how, tmp_path):
    for filled in (None, 5):
        file = Minc2("int32", (7, 5, 9), how=how, written=(slice(0, 0),), filled=filled)
        with file.open(file.write(tmp_path)) as proxy:
            check(proxy, file)


@pytest.mark.parametrize("options", [{}, {"cache_bytes": 0}, {"keep_open": 0}, {"threads": 2}])
def test_chunks_are_read_as_options_say(options, tmp_path):
    file = Minc2("int16", (40, 50, 60), how={"chunks": (7, 16, 16), "compression": 1})
    with file.open(file.write(tmp_path), **options) as proxy:
        for _ in range(2):
            check(proxy, file)
            assert proxy.codec == "deflate"
            lib().ap_trim(proxy.handle)
    fails("AP_ERR_UNSUPPORTED", file.open, tmp_path / "image.mnc", mmap=2)


class Counted(Callbacks):
    """Says which bytes were asked for."""

    def __init__(self, data):
        super().__init__(data)
        self.asked = []

    def read_at(self, user, buffer, length, offset):
        self.asked.append((offset, offset + length))
        return super().read_at(user, buffer, length, offset)


def test_a_slice_reads_the_chunks_that_it_touches(tmp_path):
    how = {"chunks": (4, 16, 32), "compression": 1}
    file = Minc2("int16", (40, 64, 64), how=how)
    with file.opened() as stored:
        image = stored[f"{IMAGE}/image"].id
        chunks = [image.get_chunk_info(i) for i in range(image.get_num_chunks())]
    source = Counted(file.packed()[0])
    with file.open_sources((source,)) as proxy:
        for index in [(5, 17, 40), (slice(3, 5), slice(0, 16), 3), (7,)]:
            source.asked.clear()
            lib().ap_trim(proxy.handle)
            assert_same(proxy.read(index), np.asarray(file.scaled()[index]))
            touched = np.zeros(file.shape, bool)
            touched[index] = True
            wanted = set()
            for chunk in chunks:
                place = tuple(slice(a, a + n) for a, n in zip(chunk.chunk_offset, how["chunks"]))
                if touched[place].any():
                    wanted.add((chunk.byte_offset, chunk.byte_offset + chunk.size))
            assert set(source.asked) == wanted
            assert len(source.asked) == len(wanted)


def test_a_damaged_chunk_leaves_the_others(tmp_path):
    how = {"chunks": (1, 16, 32), "compression": 1, "fletcher32": True}
    file = Minc2("int16", (8, 16, 32), how=how)
    with file.opened() as stored:
        chunk = stored[f"{IMAGE}/image"].id.get_chunk_info(3)
    content = bytearray(file.packed()[0])
    content[chunk.byte_offset + chunk.size // 2] ^= 0x10
    path = tmp_path / "a.mnc"
    path.write_bytes(content)
    with file.open(path) as proxy:
        for _ in range(2):
            message = fails("AP_ERR_CODEC", proxy.read, (3, 0, 0))
            at = chunk.byte_offset + chunk.size - 4
            assert f"{path}: " in message and f"(byte {at})" in message
            for i in (0, 2, 4, 7):
                assert_same(proxy.read((i,)), file.scaled()[i])
        fails("AP_ERR_CODEC", proxy.read)


def test_chunks_cut_short(tmp_path):
    file = Minc2("int16", (40, 16, 32), how={"chunks": (1, 16, 32), "compression": 1}, tail=0)
    path = file.write(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with file.open(path) as proxy:
        (warning,) = proxy.warnings
        assert "cut short" in warning
        assert_same(proxy.read((slice(0, 9),)), file.scaled()[:9])
        fails("AP_ERR_TRUNCATED", proxy.read)
    fails("AP_ERR_TRUNCATED", file.open, path, strict=1)


def test_a_chunk_larger_than_the_cache(tmp_path):
    """Reads in a row decode it once: a row takes far less than all rows."""
    file = Minc2("int16", (60, 64, 64), how={"chunks": (60, 64, 64), "compression": 1})
    source = Counted(file.packed()[0])
    with file.open_sources((source,), cache_bytes=1000) as proxy:
        source.asked.clear()
        check(proxy, file, 0)
        reads = len(source.asked)
        assert_same(proxy.read((slice(None, None, 7), 3, slice(None, None, 5))),
                    file.scaled()[::7, 3, ::5])  # fmt: skip
        assert reads <= 8 and len(source.asked) == reads + 1


@pytest.mark.parametrize("over", [0, 1, 2])
def test_factors_and_parts(over, tmp_path):
    shape = (5, 6, 7, 8)
    lows = np.arange(np.prod(shape[:over], dtype=int)).reshape(shape[:over]) / 8
    how = {"chunks": (2, 4, 3, 8), "compression": 1}
    file = Minc2("int16", shape, how=how, lows=lows, highs=lows * 2 + 1, valid=(-100, 3000))
    slopes, inters = file.factors()
    with file.open(file.write(tmp_path)) as proxy:
        check(proxy, file)
        assert proxy.scale_shape == (shape[:over] + (1,) * (4 - over) if over else ())
        for got, wanted in zip(proxy.scales, (slopes, inters)):
            np.testing.assert_array_equal(got.ravel(), wanted.ravel())
        index = slice(1, None, 2), slice(None), 3
        with proxy.slice(index) as part:
            assert_same(part.read_all(), file.scaled()[index])
        # Chunks would be divided.
        fails("AP_ERR_UNSUPPORTED", proxy.reshape, (5, 6, -1))
        with proxy.reshape((5, 6, 7, 4, 2)) as shaped:
            assert_same(shaped.read_all(), file.scaled().reshape(5, 6, 7, 4, 2))


def test_series(tmp_path):
    files = [Minc2("int16", (7, 5, 9), "<>"[i % 2], slope=i + 1.5, seed=i, how=DEFLATED)
             for i in range(4)]  # fmt: skip
    paths = [file.write(tmp_path, f"{i}") for i, file in enumerate(files)]
    want = np.stack([file.scaled() for file in files])
    for options in ({}, {"open_files": 1}, {"threads": 2}):
        with Proxy.open_series(paths, **options) as proxy:
            assert_same(proxy.read_all(), want)
            assert_same(proxy.read((slice(None), 3, 2, 1)), want[:, 3, 2, 1])
            np.testing.assert_array_equal(proxy.slice((2,)).affine()[0], files[0].affine())


def test_fields(tmp_path):
    more = {"acquisition": ((), np.array(0, "i4"))}
    fields = {"acquisition:echo_time": np.array([0.03]), "acquisition:scanner": "a B"}
    for long_texts in (False, True):
        for libver in LIBVERS:
            file = Minc2(more=more, fields=fields, long_texts=long_texts, libver=libver, crowd=12)
            with file.open(file.write(tmp_path)) as proxy:
                assert proxy.field_text(":history").split() == file.attributes()[":history"].split()
                assert proxy.field_reals("acquisition:echo_time") == [0.03]
                assert proxy.field_text("acquisition:scanner") == "a B"
                assert proxy.field_reals("xspace:direction_cosines") == [0.75, 0.5, -0.125]
                assert proxy.field_text("image:dimorder") == "zspace,yspace,xspace"
                assert proxy.field_reals("image:crowd 11") == [11]
                assert proxy.field_text("space_unit") == "mm"
                assert proxy.field_text("orientation") == "".join(
                    nibabel.aff2axcodes(file.affine())
                )


@pytest.mark.parametrize("name", ["image-min", "image-max"])
def test_without_ranges(name, tmp_path):
    """As mincconvert makes of some; NiBabel fails."""
    file = Minc2("int16", without=(name,), how=DEFLATED, shape=(7, 5, 9))
    path = file.write(tmp_path)
    with file.open(path) as proxy:
        (warning,) = proxy.warnings
        assert "image-min or image-max is missing" in warning
        assert proxy.auto_dtype == np.int16 and proxy.factors == (1, 0)
        assert_same(proxy.read_all(), file.stored())
    fails("AP_ERR_HEADER", file.open, path, strict=1)


def test_other_files_of_hdf5(tmp_path):
    path = tmp_path / "a.mnc"
    with h5py.File(path, "w") as file:
        file["data"] = np.arange(5)
    assert "/minc-2.0/image/0/image" in fails("AP_ERR_FORMAT", Proxy.open, path)


@pytest.mark.parametrize("filter, name", [("lzf", "lzf"), (6, "scaleoffset")])
def test_filters_that_are_not_read(filter, name, tmp_path):
    how = {"chunks": (2, 2, 2)} | ({"scaleoffset": 3} if filter == 6 else {"compression": filter})
    file = Minc2(shape=(7, 5, 9), how=how)
    assert name in fails("AP_ERR_UNSUPPORTED", file.open, file.write(tmp_path))


@pytest.mark.parametrize("dtype", ["S5", "c8", [("r", "u1"), ("g", "u1")]], ids=str)
def test_types_that_are_not_read(dtype, tmp_path):
    path = tmp_path / "a.mnc"
    with h5py.File(path, "w") as file:
        file[f"{IMAGE}/image"] = np.zeros((2, 3), dtype)
    fails("AP_ERR_UNSUPPORTED", Proxy.open, path)


def test_ranges_over_other_axes(tmp_path):
    for shape in [(5,), (4, 5), (1,)]:
        values = np.zeros(shape)
        file = Minc2(shape=(4, 5, 3), lows=values, highs=values + 1)
        file.names = ("zspace", "yspace", "xspace")
        message = fails("AP_ERR_HEADER", file.open, _with_order(file, tmp_path))
        assert "image-max" in message


def _with_order(file, folder):
    """A file whose ranges are over its last axes."""
    path = file.write(folder)
    with h5py.File(path, "r+") as stored:
        for name in ("image-min", "image-max"):
            axes = file.names[-file.lows.ndim :]
            stored[f"{IMAGE}/{name}"].attrs["dimorder"] = np.bytes_(",".join(axes))
    return path


@TOOLS
@pytest.mark.parametrize("chunk", [None, 0, 5, 16])
@pytest.mark.parametrize("name", ["tiny", "minc1_4d", "minc1-no-att", "minc1_1_scale"])
def test_files_of_mincconvert(name, chunk, tmp_path):
    """NiBabel's MINC 1, in chunks of several sizes and compressed."""
    source, path = NIBABELS / f"{name}.mnc", tmp_path / "a.mnc"
    how = [] if chunk is None else ["-compress", 4, "-chunk", chunk]
    subprocess.run(["mincconvert", "-2", *map(str, how), source, path], check=True)
    with h5py.File(path) as file:
        is_chunked = file[f"{IMAGE}/image"].chunks is not None
        has_ranges = "image-max" in file[IMAGE]
    with Proxy.open(path) as proxy, Proxy.open(source) as before:
        assert proxy.format == "minc2" and has_ranges
        assert proxy.codec == ("deflate" if is_chunked and chunk is not None else "none")
        assert_same(proxy.read_all(), before.read_all())
        np.testing.assert_array_equal(proxy.affine()[0], before.affine()[0])
        assert proxy.zooms() == before.zooms()
        image = nibabels(path)
        assert_same(proxy.read_all(), np.asarray(image.dataobj))
        assert proxy.read_all("disk").dtype == TYPES[proxy.type].dtype
