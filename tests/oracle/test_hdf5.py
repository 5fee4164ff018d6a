"""HDF5 files that are rare or made to mislead, as MINC 2."""

import gzip
import itertools
import random
import zlib

import h5py
import numpy as np
import pytest

from checks import fails
from compare import assert_same
from minc2 import IMAGE, Minc2
from proxy import Proxy


def replaced(path, libver, name, shape, dtype, **how):
    """Another dataset in the place of the image or one of its ranges; the open file and it."""
    Minc2("uint8", (4, 4, 4), libver=libver).write(path.parent, path.stem)
    file = h5py.File(path, "r+", libver=libver)
    attributes = dict(file[f"{IMAGE}/{name}"].attrs)
    del file[f"{IMAGE}/{name}"]
    dataset = file.create_dataset(f"{IMAGE}/{name}", shape, dtype, **how)
    for key, value in attributes.items():
        dataset.attrs[key] = value
    return file, dataset


@pytest.mark.parametrize("growing", [0, 1, 2])
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_lists_of_chunks_that_lie_anywhere(libver, growing, tmp_path):
    """Written in any order, their B-tree's nodes lie in all of the file."""
    shape, path = (128, 128, 128), tmp_path / "image.mnc"
    how = {"chunks": (4, 4, 4), "compression": 1}
    how["maxshape"] = (None,) * growing + shape[growing:]
    whole = np.random.default_rng(growing).integers(0, 255, shape, "u1")
    places = list(itertools.product(range(0, 128, 4), repeat=3))
    random.Random(growing).shuffle(places)
    file, dataset = replaced(path, libver, "image", shape, "u1", **how)
    with file:
        for place in places:
            x, y, z = place
            chunk = whole[x : x + 4, y : y + 4, z : z + 4].tobytes()
            dataset.id.write_direct_chunk(place, zlib.compress(chunk, 1))
    packed = tmp_path / "packed.mnc.gz"
    packed.write_bytes(gzip.compress(path.read_bytes(), 1))
    for name, codec in ((path, "deflate"), (packed, "gzip")):
        with Proxy.open(name) as proxy:
            assert proxy.codec == codec
            assert_same(proxy.read_all("disk"), whole)


def test_ranges_in_huge_chunks(tmp_path):
    """A few bytes hold a chunk far larger than the array."""
    path, length = tmp_path / "image.mnc", 1 << 24
    what = {"chunks": (1, length), "maxshape": (2, length), "compression": "gzip"}
    file, dataset = replaced(path, "latest", "image-min", (2, 2), "f8", **what)
    with file:
        dataset.id.write_direct_chunk((0, 0), zlib.compress(bytes(8 * length), 9))
    message = fails("AP_ERR_UNSUPPORTED", Proxy.open, path)
    assert "too large for a small array" in message


@pytest.mark.parametrize("size", [4, 64])
def test_tiny_chunks_that_nothing_lists(size, tmp_path):
    path = tmp_path / "image.mnc"
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1, 1, size))
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    Minc2("uint8", (4, 4, 4), libver="latest").write(tmp_path)
    shape = (64, 64, 16 * size)
    with h5py.File(path, "r+", libver="latest") as file:
        order = file[f"{IMAGE}/image"].attrs["dimorder"]
        del file[f"{IMAGE}/image"]
        space = h5py.h5s.create_simple(shape)
        dataset = h5py.h5d.create(
            file[IMAGE].id, b"image", h5py.h5t.STD_U8LE, space, plist
        )
        h5py.Dataset(dataset).attrs["dimorder"] = order
        whole = np.random.default_rng(1).integers(0, 255, shape, "u1")
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, whole)
    if size == 4:
        message = fails("AP_ERR_UNSUPPORTED", Proxy.open, path)
        assert "65536 chunks of 4 bytes are too many" in message
    else:
        with Proxy.open(path) as proxy:
            assert_same(proxy.read_all("disk"), whole)
