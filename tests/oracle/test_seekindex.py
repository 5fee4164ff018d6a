"""Compressed files by way of a seek index: none, one that grows, is built, or was loaded.

The same elements in any order, with one thread and several, with caches of any size."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from checks import check_indices, fails
from compare import assert_same
from gzidx import by_indexed_gzip, by_rapidgzip
from model import expected
from proxy import Proxy
from seekables import GZ, SEEKABLES, Volumes

SPACING = 65536
MODES = ["off", "growing", "built at opening", "built", "saved"]
FIXED = {"off": 0, "built at opening": 2}
OTHERS = {"indexed_gzip": by_indexed_gzip, "rapidgzip": by_rapidgzip}
# What follows a member and is none they take for damage; rapidgzip zeros too.
REFUSED = {"indexed_gzip": ["junk", "junk like a member"]}
REFUSED["rapidgzip"] = [*REFUSED["indexed_gzip"], "zeros", "zeros between"]
CASES = [(way, mode) for way in SEEKABLES for mode in MODES if way in GZ or mode != "saved"]
CASES += [(way, mode) for way in GZ for mode in OTHERS if way not in REFUSED[mode]]
# Threads and bytes of cache.
SETTINGS = [(1, 0), (1, 32 << 20), (2, 300_000), (2, 0)]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Files of each make, written when first asked for: what and where they are."""
    made, folder = {}, tmp_path_factory.mktemp("seekindex")

    def write(way):
        if way not in made:
            # Bzip2 takes ten times as long.
            shape = (40, 30, 20, 8) if way.startswith("bzip2") else Volumes.shape
            file = Volumes(shape=shape, packing=way, seed=len(way))
            made[way] = file, file.write(folder, way.replace(" ", "-")), file.stored()
        return made[way]

    yield write


def _opened(path, mode, tmp_path, **options):
    """A proxy whose seek index is as `mode` says."""
    options = {"index_spacing": SPACING} | options
    proxy = Proxy.open(path, index_mode=FIXED.get(mode, 1), **options)
    if mode == "built":
        proxy.build_index()
    elif mode == "saved":
        with Proxy.open(path, index_mode=2, **options) as first:
            first.save_index(tmp_path / "index")
        proxy.load_index(tmp_path / "index")
    elif mode in OTHERS:
        index = tmp_path / "index"
        if not index.exists():
            OTHERS[mode](path, index)
        proxy.load_index(index)
    return proxy


def _walks(proxy, stored, rng):
    """Checks of one proxy, in an order of their own."""

    def forward():
        for t in range(stored.shape[3]):
            assert_same(proxy.read((..., t), "disk"), stored[..., t], f"forward {t}")

    def backward():
        for t in reversed(range(stored.shape[3])):
            assert_same(proxy.read((..., t), "disk"), stored[..., t], f"backward {t}")

    def whole():
        for requested in ("disk", "f4"):
            order = "FC"[rng.integers(2)]
            want = expected("int16", stored, Volumes().scaling, requested)
            assert_same(proxy.read_all(requested, order=order), want, f"whole as {requested}")

    def randomly():
        for requested in (None, "u1", "c8"):
            check_indices(proxy, "int16", stored, Volumes().scaling, rng, 5, None, requested)

    def boxes():
        for _ in range(5):
            start = [int(rng.integers(n)) for n in stored.shape]
            count = [int(rng.integers(1, n - at + 1)) for n, at in zip(stored.shape, start)]
            box = tuple(slice(at, at + n) for at, n in zip(start, count))
            assert_same(proxy.read_box(start, count, dtype="disk"), stored[box], f"{box}")

    walks = [forward, backward, whole, randomly, boxes]
    return [walks[i] for i in rng.permutation(len(walks))]


@pytest.mark.parametrize("way, mode", CASES)
def test_any_order(way, mode, written, tmp_path):
    _, path, stored = written(way)
    number = CASES.index((way, mode))
    for seed in (number, number + 2)[: 1 + (number % 5 == 0)]:
        threads, cache = SETTINGS[seed % 4]
        rng = np.random.default_rng(seed)
        options = {"threads": threads, "cache_bytes": cache}
        with _opened(path, mode, tmp_path, **options) as proxy:
            assert proxy.codec == SEEKABLES[way].codec
            assert proxy.warnings == []
            for walk in _walks(proxy, stored, rng)[:2]:
                walk()


@pytest.mark.parametrize("mode", ["growing", "known"])
@pytest.mark.parametrize("way", SEEKABLES)
def test_many_threads(way, mode, written, tmp_path):
    """On a handle, its clone and its reshape; each call by itself, or by two threads."""
    if mode == "known":
        mode = "saved" if way in GZ else "built"
    _, path, stored = written(way)
    scaling = Volumes().scaling
    flat = stored.reshape(-1, order="F")
    options = {"threads": 1 + len(way) % 2, "cache_bytes": 400_000 * (len(way) % 3)}
    with _opened(path, mode, tmp_path, **options) as proxy:
        with proxy.clone() as clone, proxy.reshape((-1,)) as reshaped:

            def work(seed):
                rng = np.random.default_rng([seed, len(way)])
                for _ in range(2):
                    check_indices((proxy, clone)[seed % 2], "int16", stored, scaling, rng, 1)
                    at = int(rng.integers(flat.size - 1000))
                    some = slice(at, at + 1000)
                    assert_same(reshaped.read(some, "disk"), flat[some], f"{some}")

            with ThreadPoolExecutor(12) as threads:
                list(threads.map(work, range(12)))


@pytest.mark.parametrize("mode", ["growing", "built", "built at opening"])
@pytest.mark.parametrize("way", SEEKABLES)
def test_what_is_told(way, mode, written, tmp_path):
    """Points, what they cover and their memory; the cost of a read from the nearest point."""
    file, path, stored = written(way)
    size = len(file.parts()[0])
    with _opened(path, mode, tmp_path, cache_bytes=0) as proxy:
        if mode == "growing":
            before = proxy.index_info
            assert before.points <= 1 or way.startswith("zstd seekable")
            read = 0
            for t in (0, 5, 2, 7):
                proxy.read((..., t))
                read = max(read, t + 1)
                info = proxy.index_info
                assert info.points >= before.points and info.covered >= before.covered
                before = info
        info = proxy.index_info
        if mode != "growing":
            assert info.covered == size
        assert info.covered <= size
        assert info.memory <= 8 * path.stat().st_size + (1 << 20)
        most = size // SPACING + 1
        assert 1 <= info.points <= max(most, size // 499 + 9)
        costs = [proxy.cost((..., t)) for t in range(stored.shape[3])]
        volume = stored[..., 0].nbytes
        if way not in ("bzip2", "zstd", "zstd streamed", "stored"):
            # A point stands no further apart than blocks are long: bzip2's have 900 kB.
            long = 2 * SPACING if not way.startswith("bzip2") else 900_000 + SPACING
            apart = max(3 * long, 2 * size // info.points)
            assert max(costs) <= volume + apart, costs
        assert min(costs) >= volume


@pytest.mark.parametrize("way", SEEKABLES)
def test_small_data(way, tmp_path):
    """No bytes, one, fewer than a window, and fewer than the spacing."""
    rng = np.random.default_rng(4)
    is_gzip = way in GZ
    for size in (0, 1, 700, 60_000):
        data = rng.integers(0, 9, size, dtype="u1")
        path = tmp_path / f"{size}"
        path.write_bytes(SEEKABLES[way].pack(data.tobytes()))
        for mode in MODES if is_gzip else MODES[:-1]:
            layout = path, "uint8", (size,)
            options = {"index_spacing": SPACING, "codec": SEEKABLES[way].codec}
            with Proxy.open_layout(*layout, index_mode=FIXED.get(mode, 1), **options) as proxy:
                if mode not in ("off", "growing"):
                    proxy.build_index()
                    assert proxy.index_info.covered == size
                if mode == "saved":
                    proxy.save_index(tmp_path / "index")
                    proxy.load_index(tmp_path / "index")
                    with Proxy.open_layout(*layout, **options) as other:
                        other.load_index(tmp_path / "index")
                        assert_same(other.read(slice(None, None, -1)), data[::-1], mode)
                for index in [slice(None, None, -3), slice(size // 2, None), ...]:
                    assert_same(proxy.read(index), data[index], f"{size} {mode} {index}")


def test_without_an_index(written, tmp_path):
    _, path, stored = written("default")
    with Proxy.open(path, index_mode=2) as proxy:
        proxy.save_index(tmp_path / "index")
    with Proxy.open(path, index_mode=0, index_path=str(tmp_path / "index")) as proxy:
        assert_same(proxy.read((..., 7), "disk"), stored[..., 7])
        assert proxy.index_info == (0, 0, 0)
        for function in (proxy.save_index, proxy.load_index):
            fails("AP_ERR_ARGUMENT", function, tmp_path / "index")
        fails("AP_ERR_ARGUMENT", proxy.build_index)


@pytest.mark.parametrize("way", ["bzip2 parallel", "zstd frames"])
def test_index_files_are_for_gzip(way, written, tmp_path):
    _, path, stored = written(way)
    with Proxy.open(path, index_mode=2) as proxy:
        fails("AP_ERR_UNSUPPORTED", proxy.save_index, tmp_path / "index")
        fails("AP_ERR_NOT_FOUND", proxy.load_index, tmp_path / "index")
        assert not list(tmp_path.iterdir())
        assert_same(proxy.read((..., 3), "disk"), stored[..., 3])
