"""Many selections read in one call."""

import numpy as np
import pytest

from capi import READ_RAW, STATUS, Error, lib
from checks import fails
from compare import assert_same
from formats import FORMATS
from indices import random_index
from model import expected
from nifti import Nifti
from packings import CODECS
from proxy import Proxy, code_of, entries
from seekables import SEEKABLES, Volumes

WAYS = ["default", "stored", "members", "pigz -i", "bgzf", "bzip2 streams", "bzip2 parallel"]
WAYS += ["zstd", "zstd frames", "zstd seekable"]


def _selections(rng, shape, count):
    """Random indices, made as long as each other."""
    made = []
    while len(made) < count:
        index = random_index(rng, shape)
        used = sum(item is not None and item is not Ellipsis for item in index)
        full = [slice(None)] * (len(shape) - used)
        if Ellipsis in index:
            at = index.index(Ellipsis)
            index = (*index[:at], *full, *index[at + 1 :])
        else:
            index = (*index, *full)
        index = tuple(item for item in index if item is not None)
        made.append(index)
    return made


def _spread(rng, sizes):
    """Places of results in an order of their own, with bytes between."""
    places, at = [0] * len(sizes), int(rng.integers(9))
    for i in rng.permutation(len(sizes)):
        places[i] = at
        at += sizes[i] + int(rng.choice([0, 0, 1, 7, 100]))
    return places


def _check(proxy, whole, rng, count, requested=None, flags=0):
    """A batch, packed or in places of its own, against NumPy's indexing of the whole."""
    indices = _selections(rng, whole.shape, count)
    want = [np.asarray(whole[index]) for index in indices]
    order = "FC"[rng.integers(2)]
    offsets = _spread(rng, [one.nbytes for one in want]) if rng.random() < 0.6 else None
    got = proxy.read_batch(indices, requested, flags, order, offsets, gap=int(rng.integers(40)))
    for index, one, other in zip(indices, got, want, strict=True):
        assert_same(one, other, f"[{index}] order {order} as {requested}")


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("format", FORMATS)
def test_formats(format, codec, tmp_path):
    row = FORMATS[format]
    file = row.file("int16", (9, 8, 7, 3), row.byte_orders[-1], *row.factors, packing=codec)
    with file.open(file.write(tmp_path), threads=2) as proxy:
        rng = np.random.default_rng(len(format))
        for requested in (None, "disk", "f4", "c16", "u1"):
            whole = expected("int16", file.stored(), file.scaling, requested)
            _check(proxy, whole, rng, int(rng.integers(1, 30)), requested)
        _check(proxy, expected("int16", file.stored(), requested="f4"), rng, 9, "f4", READ_RAW)
        with proxy.reshape((8, -1)) as reshaped:
            stored = file.stored().reshape((8, -1), order=file.order)
            _check(reshaped, expected("int16", stored, file.scaling), rng, 9)


@pytest.mark.parametrize("name", ["bool", "int8", "uint64", "float16", "float128", "rgb24"])
@pytest.mark.parametrize("codec", ["plain", "gzip"])
@pytest.mark.parametrize("order", "FC")
def test_types(name, codec, order, tmp_path):
    row = FORMATS["layout"]
    file = row.file(name, (12, 5, 9), ">", packing=codec)
    file.order = order
    with file.open(file.write(tmp_path)) as proxy:
        rng = np.random.default_rng(len(name))
        _check(proxy, expected(name, file.stored(), file.scaling, "disk"), rng, 25, "disk")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    made, folder = {}, tmp_path_factory.mktemp("batch")

    def write(way):
        if way not in made:
            shape = (40, 30, 20, 8) if way.startswith("bzip2") else Volumes.shape
            file = Volumes(shape=shape, packing=way)
            made[way] = file, file.write(folder, way.replace(" ", "-")), file.stored()
        return made[way]

    yield write


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("way", WAYS)
def test_large_files(way, threads, written):
    """Each index mode and several sizes of cache, one batch after the other."""
    file, path, stored = written(way)
    whole = {None: expected("int16", stored, file.scaling), "disk": stored}
    for mode, cache in [(0, 0), (2, 300_000), (1, 32 << 20)]:
        options = {"index_mode": mode, "cache_bytes": cache, "index_spacing": 65536}
        with Proxy.open(path, threads=threads, **options) as proxy:
            rng = np.random.default_rng([mode, cache])
            for requested in (None, "disk"):
                _check(proxy, whole[requested], rng, 12, requested)
            # Patches all over, as programs that learn from images want them.
            starts = [[int(rng.integers(n - 6)) for n in stored.shape[:3]] for _ in range(80)]
            patches = [
                (*(slice(at, at + 6) for at in start), int(rng.integers(8))) for start in starts
            ]
            for index, got in zip(patches, proxy.read_batch(patches, "disk")):
                assert_same(got, stored[index], f"{index}")
            # All volumes backwards: each byte is wanted once, and then twice.
            volumes = [(slice(None),) * 3 + (t,) for t in range(7, -1, -1)] * 2
            for index, got in zip(volumes, proxy.read_batch(volumes, "disk")):
                assert_same(got, stored[index], f"{index}")
    assert SEEKABLES[way].codec == proxy_codec(path)


def proxy_codec(path):
    with Proxy.open(path) as proxy:
        return proxy.codec


@pytest.fixture(params=["plain", "gzip"])
def image(request, tmp_path):
    file = Nifti(shape=(6, 5, 4), packing=request.param, slope=0.5)
    with Proxy.open(file.write(tmp_path)) as proxy:
        yield proxy, file


def test_bytes_needed(image):
    """Asked for without a buffer, or found when it is too small; nothing is written."""
    proxy, _ = image
    indices, error = [(i % 6, slice(i % 5, None), slice(None)) for i in range(7)], Error()
    sizes = [(5 - i % 5) * 4 * 8 for i in range(7)]
    far = [10_000 * i for i in range(7)]
    for offsets, need in [(None, sum(sizes)), (far, far[-1] + sizes[-1])]:
        for out in (None, np.zeros(need - 1, "u1"), np.zeros(0, "u1")):
            with pytest.raises(Exception, match="AP_ERR_BUFFER") as caught:
                proxy.read_batch_into(out, indices, "f8", offsets=offsets)
            assert caught.value.detail == need
            assert out is None or not out.any()
        proxy.read_batch_into(np.zeros(need, "u1"), indices, "f8", offsets=offsets)
    # No selections, and selections of nothing, need no bytes.
    row, n = entries(indices[0])
    tail = code_of("f8"), 0, None, 0, None, None, error
    assert lib().ap_read_batch(proxy.handle, row, n, 0, *tail) == 0
    assert proxy.read_batch([(slice(3, 3),), (slice(2, 1),)], offsets=[99, 98])[1].size == 0


def test_what_is_refused(image):
    """All or nothing: a wrong one among many, and results that overlap."""
    proxy, _ = image
    good, out = (2, slice(None), slice(None)), np.zeros(4000, "u1")
    for bad, name in [
        ((6, 0, slice(None)), "AP_ERR_INDEX"),
        ((0, slice(None, None, 0), slice(None)), "AP_ERR_ARGUMENT"),
    ]:
        message = fails(name, proxy.read_batch_into, out, [good, good, bad, good])
        assert "2" in message, message
    size = 20 * 8
    for offsets in [[0, 0], [0, size - 1], [size, 1], [5, 5]]:
        fails("AP_ERR_ARGUMENT", proxy.read_batch_into, out, [good, good], offsets=offsets)
    huge = [0, 2**64 - 1]
    with pytest.raises(Exception, match="AP_ERR_(BUFFER|ARGUMENT)"):
        proxy.read_batch_into(out, [good, good], offsets=huge)
    assert not out.any()
    tail = code_of("f8"), 0, out.ctypes.data, out.nbytes, None, None, Error()
    row, n = entries(good)
    assert lib().ap_read_batch(proxy.handle, row, n, -1, *tail) == STATUS["AP_ERR_ARGUMENT"]
    assert lib().ap_read_batch(None, row, n, 1, *tail) == STATUS["AP_ERR_NULL"]
    tail = code_of("f8"), 1 << 31, out.ctypes.data, out.nbytes, None, None, Error()
    assert lib().ap_read_batch(proxy.handle, row, n, 1, *tail) == STATUS["AP_ERR_ARGUMENT"]


def test_results_without_elements_overlap_nothing(image):
    proxy, file = image
    whole = expected("int16", file.stored(), file.scaling)
    indices = [(slice(1, 3),), (slice(2, 2),), (slice(5, 1),), (slice(4, 6),)]
    offsets = [0, 3, 7, whole[1:3].nbytes]
    for got, index in zip(proxy.read_batch(indices, offsets=offsets), indices):
        assert_same(got, whole[index], f"{index}")


def test_most_bytes(tmp_path):
    """The limit holds for all results together."""
    file = Nifti(shape=(10, 10, 10))
    with Proxy.open(file.write(tmp_path), max_bytes=1000) as proxy:
        row = (3, slice(None), slice(None))
        assert len(proxy.read_batch([row] * 5)) == 5
        fails("AP_ERR_MEMORY", proxy.read_batch_into, np.zeros(5000, "u1"), [row] * 6)
