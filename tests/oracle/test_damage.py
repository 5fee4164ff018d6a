"""Damaged and foreign index files, and data damaged after their index was made.

What may come is an error or the right values. Only parts of data of which nobody read
whole members may be wrong, by an index without checksums."""

import resource
import time

import numpy as np
import pytest

from capi import ApError
from checks import fails
from compare import assert_same
from gzidx import HEADER_SIZE, Gzidx, Point, by_indexed_gzip, by_rapidgzip
from proxy import Proxy
from seekables import GZ, Volumes

SPACING = 65536
MAKERS = ["ours", "indexed_gzip", "rapidgzip"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Files with an index by each maker: what, where, elements, and the index files."""
    known, folder = {}, tmp_path_factory.mktemp("damage")

    def make(way="default", seed=0):
        if (way, seed) not in known:
            file = Volumes(packing=way, seed=seed)
            path = file.write(folder, f"{way}-{seed}")
            indices = {maker: folder / f"{way}-{seed}.{maker}" for maker in MAKERS}
            with Proxy.open(path, index_mode=2, index_spacing=SPACING) as proxy:
                if way in GZ:
                    proxy.save_index(indices["ours"])
            if way in GZ:
                by_indexed_gzip(path, indices["indexed_gzip"])
                by_rapidgzip(path, indices["rapidgzip"])
            known[way, seed] = file, path, file.stored(), indices
        return known[way, seed]

    return make


def _load(proxy, index):
    """Whether a damaged index is taken; if not, the error is right and nothing changes."""
    before = proxy.index_info
    try:
        proxy.load_index(index)
    except ApError as error:
        assert error.name == "AP_ERR_SEEKINDEX" and str(index) in error.message, error
        assert proxy.index_info == before
        return False
    return True


def _check_parts(proxy, stored, sure, rng):
    """Some parts. Those that are not sure are only read, and may fail by what was damaged."""
    for t in rng.permutation(stored.shape[3])[:3]:
        index = (..., slice(int(rng.integers(32)), None), int(t))
        got = proxy.read(index, "disk")
        if sure:
            assert_same(got, stored[index], f"{index}")


def _check_damaged(made, way, maker, damaged, tmp_path, seed):
    """Whole reads are right with an index that may be wrong; parts too, if it is ours."""
    _, path, stored, _ = made(way)
    index = tmp_path / "damaged"
    index.write_bytes(damaged)
    rng = np.random.default_rng(seed)
    options = {"threads": 1 + seed % 2, "cache_bytes": (0, 300_000, 32 << 20)[seed % 3]}
    with Proxy.open(path, **options) as proxy:
        taken = _load(proxy, index)
        _check_parts(proxy, stored, maker == "ours" or not taken, rng)
        assert_same(proxy.read_all("disk"), stored, f"{maker} {seed}")
        _check_parts(proxy, stored, True, rng)
    return taken


def _places(rng, size, head, count):
    """Of bytes in a file: some everywhere, more at its begin and end."""
    places = [*rng.integers(0, size, count), *rng.integers(0, head, count)]
    return [int(at) for at in [*places, *rng.integers(size - 500, size, count // 2)]]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("way", ["default", "members", "pigz"])
def test_flipped_bytes_of_an_index(way, maker, made, tmp_path):
    _, _, _, indices = made(way)
    content = indices[maker].read_bytes()
    head = HEADER_SIZE + 18 * len(Gzidx.load(indices[maker]).points)
    rng = np.random.default_rng(len(way))
    for seed, at in enumerate(_places(rng, len(content), head, 16)):
        damaged = bytearray(content)
        damaged[at] ^= 1 << int(rng.integers(8))
        taken = _check_damaged(made, way, maker, bytes(damaged), tmp_path, seed)
        # Ours has checksums of everything; those of windows are looked at when they are used.
        if maker == "ours":
            windows = head + 32768 * sum(bool(p.window) for p in Gzidx.parse(content).points)
            assert not taken or head <= at < windows, f"byte {at}"


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("way", ["default", "members"])
def test_cut_index(way, maker, made, tmp_path):
    _, _, _, indices = made(way)
    content = indices[maker].read_bytes()
    index = Gzidx.parse(content)
    head = HEADER_SIZE + 18 * len(index.points)
    whole = len(content) - len(index.tail)
    rng = np.random.default_rng(3)
    cuts = {0, 1, 6, 34, 35, 36, head - 1, head, head + 1, whole - 1, whole, whole + 1}
    cuts |= {whole + 8, len(content) - 4, len(content) - 1}
    cuts |= {int(cut) for cut in rng.integers(0, len(content), 20)}
    for seed, cut in enumerate(sorted(cut for cut in cuts if 0 <= cut < len(content))):
        taken = _check_damaged(made, way, "ours", content[:cut], tmp_path, seed)
        # Without our part it is one like others'.
        assert taken == (cut == whole), f"cut at {cut} of {len(content)}"


WRONG = {
    "magic": lambda x: b"GZIDY" + x.bytes()[5:],
    "version": lambda x: x.but(version=2).bytes(),
    "reserved": lambda x: x.bytes()[:6] + b"\1" + x.bytes()[7:],
    "compressed size": lambda x: x.but(compressed=x.compressed + 1).bytes(),
    "size": lambda x: x.but(size=x.points[-2].position - 1).bytes(),
    "size of nothing": lambda x: x.but(size=1).bytes(),
    "endless size": lambda x: x.but(size=2**64 - 1).bytes(),
    "window of nothing": lambda x: x.but(window=0).bytes(),
    "small window": lambda x: x.but(window=32767).bytes(),
    "endless window": lambda x: x.but(window=2**32 - 1).bytes(),
    "more points": lambda x: x.but(count=len(x.points) + 1).bytes(),
    "very many points": lambda x: x.but(count=2**32 - 1).bytes(),
    "many points": lambda x: x.but(count=2**31).bytes(),
    "at the end of numbers": lambda x: x.but_point(4, at=2**64 - 1).bytes(),
    "at half of them": lambda x: x.but_point(4, at=2**63).bytes(),
    "behind the file": lambda x: x.but_point(-1, at=x.compressed + 1).bytes(),
    "before the one before": lambda x: x.but_point(4, at=x.points[3].at - 1).bytes(),
    "position endless": lambda x: x.but_point(-1, position=2**64 - 1).bytes(),
    "position before": lambda x: x.but_point(4, position=x.points[3].position - 1).bytes(),
    "position behind": lambda x: x.but_point(-1, position=x.size + 1).bytes(),
    "bits": lambda x: x.but_point(3, bits=8).bytes(),
    "all bits": lambda x: x.but_point(3, bits=255).bytes(),
    "at nothing": lambda x: x.but_point(0, at=0, bits=3).bytes(),
    "dense": lambda x: x.but(
        size=2**50, points=(x.points[0], Point(x.points[1].at, 2**49, 0, x.points[1].window))
    ).bytes(),
}


@pytest.mark.parametrize("case", WRONG)
def test_absurd_numbers(case, made, tmp_path):
    """Told at once, whatever they are: no memory is taken and no time."""
    _, path, stored, indices = made()
    index = Gzidx.load(indices["indexed_gzip"])
    (tmp_path / "index").write_bytes(WRONG[case](index))
    peak, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with Proxy.open(path) as proxy:
        taken = _load(proxy, tmp_path / "index")
        assert time.monotonic() - start < 1
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < peak + (32 << 10)
        assert not taken, case
        assert_same(proxy.read_all("disk"), stored)
    fails("AP_ERR_SEEKINDEX", Proxy.open, path, index_path=str(tmp_path / "index"), strict=1)
    with Proxy.open(path, index_path=str(tmp_path / "index")) as proxy:
        assert len(proxy.warnings) == 1


def test_many_points_in_a_file_with_holes(made, tmp_path):
    """A file of 450 MB that takes no room: the points are wrong from the second on."""
    _, path, _, indices = made()
    count = 25_000_000
    head = Gzidx.load(indices["indexed_gzip"]).but(points=(), count=count).bytes()
    with open(tmp_path / "index", "wb") as file:
        file.write(head)
        file.truncate(len(head) + 18 * count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with Proxy.open(path) as proxy:
        assert not _load(proxy, tmp_path / "index")
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < peak + (64 << 10)


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("way", ["default", "members", "stored", "bgzf"])
def test_index_of_another_file(way, maker, made, tmp_path):
    """Of the same size too: with zeros behind the shorter one. Stored ones are even divided
    alike."""
    (_, first, _, _), (_, second, stored, _) = made(way), made(way, 1)
    paths, size = [], max(path.stat().st_size for path in (first, second))
    for path in (first, second):
        paths.append(tmp_path / f"padded-{path.name}")
        paths[-1].write_bytes(path.read_bytes().ljust(size, b"\0"))
    if maker == "ours":
        with Proxy.open(paths[0], index_mode=2, index_spacing=SPACING) as proxy:
            proxy.save_index(tmp_path / "index")
    else:
        # The zeros are more than rapidgzip takes.
        Gzidx.load(made(way)[3][maker]).but(compressed=size).save(tmp_path / "index")
    for threads in (1, 2):
        with Proxy.open(paths[1], threads=threads) as proxy:
            taken = _load(proxy, tmp_path / "index")
            assert_same(proxy.read((..., 3), "disk"), stored[..., 3])
            assert_same(proxy.read_all("disk"), stored, f"taken: {taken}")
    with Proxy.open(second) as proxy:
        if first.stat().st_size != second.stat().st_size:
            assert not _load(proxy, made(way)[3][maker])


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("maker", MAKERS)
def test_wrong_windows(maker, threads, made, tmp_path):
    """All windows changed, and single ones: read in any order first, then whole."""
    _, path, stored, indices = made("best")
    index = Gzidx.load(indices[maker])
    rng = np.random.default_rng(threads)
    with_window = [i for i, point in enumerate(index.points) if point.window][:-1]
    for trial in range(10):
        changed = index
        for i in with_window if trial == 0 else rng.choice(with_window, 2):
            window = np.frombuffer(index.points[i].window, "u1").copy()
            window[rng.integers(0, len(window), 3000)] ^= 0x55
            changed = changed.but_point(i, window=window.tobytes())
        changed.save(tmp_path / "index")
        options = {"threads": threads, "cache_bytes": (0, 400_000, 32 << 20)[trial % 3]}
        with Proxy.open(path, index_path=str(tmp_path / "index"), **options) as proxy:
            for _ in range(int(rng.integers(0, 20))):
                start = int(rng.integers(0, 32))
                part = (..., slice(start, start + int(rng.integers(1, 9))), int(rng.integers(8)))
                got = proxy.read(part, "disk")
                if maker == "ours":
                    assert_same(got, stored[part], f"{part}")
            for _ in range(2):
                assert_same(proxy.read_all("disk"), stored, f"trial {trial}")
            for t in range(7, -1, -1):
                assert_same(proxy.read((..., t), "disk"), stored[..., t], f"trial {trial}, {t}")


@pytest.mark.parametrize("how", ["cut", "zeros", "removed", "replaced"])
@pytest.mark.parametrize("maker", ["ours", "indexed_gzip"])
def test_index_file_changed_after_loading(maker, how, made, tmp_path):
    """Windows are read when they are needed, and what cannot be read is not used."""
    _, path, stored, indices = made("best")
    index, content = tmp_path / "index", indices[maker].read_bytes()
    index.write_bytes(content)
    with Proxy.open(path, index_path=str(index), cache_bytes=0) as proxy:
        assert_same(proxy.read((..., 5), "disk"), stored[..., 5])
        if how == "cut":
            with open(index, "r+b") as file:
                file.truncate(HEADER_SIZE + 18 * 5 + 40_000)
        elif how == "zeros":
            with open(index, "r+b") as file:
                file.write(bytes(len(content)))
        else:
            index.unlink()
            if how == "replaced":
                index.write_bytes(bytes(len(content)))
        for t in (6, 2, 7, 0, 3):
            got = proxy.read((..., t), "disk")
            if (maker, how) != ("indexed_gzip", "zeros"):
                assert_same(got, stored[..., t], f"{t}")
        assert_same(proxy.read_all("disk"), stored)
