"""Index files exchanged with indexed_gzip and rapidgzip, both ways."""

from dataclasses import replace

import indexed_gzip
import nibabel
import numpy as np
import pytest
import rapidgzip

from checks import check_indices, check_whole
from compare import assert_same
from gzidx import HEADER_SIZE, Gzidx, by_indexed_gzip
from proxy import Proxy
from seekables import GZ, Volumes
from test_seekindex import OTHERS, REFUSED, SPACING

SOME = ["default", "stored", "best", "members", "small members", "named", "pigz", "pigz -i", "bgzf"]
EXCHANGED = [(way, other) for way in GZ for other in OTHERS if way not in REFUSED[other]]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Files of each make, written when first asked for: what, where, and decoded bytes."""
    made, folder = {}, tmp_path_factory.mktemp("exchange")

    def write(way):
        if way not in made:
            file = Volumes(packing=way, seed=len(way))
            made[way] = file, file.write(folder, way.replace(" ", "-")), file.parts()[0]
        return made[way]

    yield write


def _check_seeks(file, data, seed):
    """Random places, then all of it."""
    rng = np.random.default_rng(seed)
    for at in [*rng.integers(0, len(data), 25), len(data) - 1, 0]:
        size = int(rng.integers(1, 100_000))
        file.seek(int(at))
        assert file.read(size) == data[at : at + size], f"{size} bytes from {at}"
    file.seek(0)
    assert file.read() == data
    assert file.read(1) == b""


def check_others(other, path, index, data):
    """That another program reads right by an index file."""
    if other == "indexed_gzip":
        with indexed_gzip.IndexedGzipFile(path) as file:
            file.import_index(index)
            _check_seeks(file, data, 1)
    else:
        with rapidgzip.open(str(path), parallelization=2) as file:
            file.import_index(str(index))
            _check_seeks(file, data, 2)


def check_ours(proxy, file, seed=5):
    stored = file.stored()
    rng = np.random.default_rng(seed)
    check_indices(proxy, "int16", stored, file.scaling, rng, 6)
    assert_same(proxy.read((..., 7), "disk"), stored[..., 7])
    check_whole(proxy, "int16", stored, file.scaling)
    check_indices(proxy, "int16", stored, file.scaling, rng, 6)


def _positions(proxy, path):
    proxy.save_index(path)
    return {point.position for point in Gzidx.load(path).points}


@pytest.mark.parametrize("way, other", EXCHANGED)
def test_ours_read_by_others(way, other, written, tmp_path):
    _, path, data = written(way)
    with Proxy.open(path, index_mode=2, index_spacing=SPACING) as proxy:
        points = proxy.index_info.points
        proxy.save_index(tmp_path / "index")
    made = Gzidx.load(tmp_path / "index")
    assert (made.compressed, made.size) == (path.stat().st_size, len(data))
    assert len(made.points) == points
    check_others(other, path, tmp_path / "index", data)


@pytest.mark.parametrize("way", SOME)
def test_ours_half_grown(way, written, tmp_path):
    """What a few reads found. rapidgzip takes no index that does not reach the end."""
    _, path, data = written(way)
    with Proxy.open(path, index_spacing=SPACING, cache_bytes=0) as proxy:
        for step, index in enumerate([(..., 0), (..., 3), (5, 5, 5, 4)]):
            proxy.read(index)
            proxy.save_index(tmp_path / f"{step}")
            check_others("indexed_gzip", path, tmp_path / f"{step}", data)
        assert Gzidx.load(tmp_path / "2").points[-1].position < len(data) * 3 / 4
        proxy.build_index()
        proxy.save_index(tmp_path / "2")
        check_others("indexed_gzip", path, tmp_path / "2", data)


@pytest.mark.parametrize("way, other", EXCHANGED)
def test_others_read_by_ours(way, other, written, tmp_path):
    """All points are taken over, reads begin at them, and none is lost on the way."""
    file, path, data = written(way)
    index = tmp_path / "index"
    OTHERS[other](path, index)
    positions = {point.position for point in Gzidx.load(index).points} - {len(data)}
    for how in ("option", "load"):
        options = {"index_path": str(index), "strict": 1} if how == "option" else {}
        with Proxy.open(path, cache_bytes=0, **options) as proxy:
            if how == "load":
                proxy.load_index(index)
            info = proxy.index_info
            assert (info.points, info.covered) == (len(positions), len(data))
            for t in range(8):
                first = file.offset + t * 2 * 56 * 48 * 32
                begin = max(position for position in positions if position <= first)
                assert proxy.cost((0, 0, 0, t)) == first + 2 - begin
            check_ours(proxy, file)
            assert _positions(proxy, tmp_path / "after") >= positions
    with Proxy.open(path, index_path=str(index), threads=2, cache_bytes=0) as proxy:
        assert_same(proxy.read_all("disk"), file.stored())
        assert _positions(proxy, tmp_path / "after") >= positions


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("way", SOME)
def test_others_saved_by_us(way, other, written, tmp_path):
    """And read by all three again."""
    file, path, data = written(way)
    OTHERS[other](path, tmp_path / "theirs")
    with Proxy.open(path, index_path=str(tmp_path / "theirs"), strict=1) as proxy:
        check_ours(proxy, file)
        proxy.save_index(tmp_path / "ours")
    for program in OTHERS:
        check_others(program, path, tmp_path / "ours", data)
    with Proxy.open(path, index_path=str(tmp_path / "ours"), strict=1) as proxy:
        check_ours(proxy, file)


@pytest.mark.parametrize("way", ["default", "stored", "best", "pigz"])
def test_version_0(way, written, tmp_path):
    """Entries of 17 bytes: all points but the first have a window."""
    file, path, data = written(way)
    by_indexed_gzip(path, tmp_path / "one")
    made = Gzidx.load(tmp_path / "one")
    # The same position twice may be a member's begin, which this version cannot tell.
    points = [made.points[0], *(point for point in made.points[1:] if point.window)]
    zero = made.but(version=0, points=tuple(points))
    zero.save(tmp_path / "zero")
    assert len(zero.bytes()) == HEADER_SIZE + 17 * len(points) + (32768 * (len(points) - 1))
    check_others("indexed_gzip", path, tmp_path / "zero", data)
    with Proxy.open(path, index_path=str(tmp_path / "zero"), strict=1, cache_bytes=0) as proxy:
        info = proxy.index_info
        assert info.points == len({point.position for point in points} - {len(data)})
        check_ours(proxy, file)
        assert proxy.index_info >= info


def test_larger_windows(written, tmp_path):
    """The last 32 KiB of each count."""
    file, path, _ = written("best")
    by_indexed_gzip(path, tmp_path / "index")
    made = Gzidx.load(tmp_path / "index")
    points = tuple(
        replace(point, window=point.window and bytes(5000) + point.window) for point in made.points
    )
    made.but(points=points, window=32768 + 5000).save(tmp_path / "index")
    with Proxy.open(path, index_path=str(tmp_path / "index"), strict=1, cache_bytes=0) as proxy:
        check_ours(proxy, file)
        assert _positions(proxy, tmp_path / "after") >= {p.position for p in points[:-1]}


def test_an_index_grows_on(written, tmp_path):
    """From where a loaded one ends."""
    file, path, data = written("default")
    with indexed_gzip.IndexedGzipFile(path, spacing=131072) as theirs:
        theirs.seek(400_000)
        theirs.read(10)
        theirs.export_index(tmp_path / "index")
    with Proxy.open(path, index_path=str(tmp_path / "index"), strict=1) as proxy:
        before = proxy.index_info
        assert 0 < before.covered < len(data)
        check_ours(proxy, file)
        assert proxy.index_info.points > before.points
        proxy.build_index()
        assert proxy.index_info.covered == len(data)
        proxy.save_index(tmp_path / "index")
    for other in OTHERS:
        check_others(other, path, tmp_path / "index", data)


@pytest.mark.parametrize("way", SOME)
def test_nibabel_with_indexed_gzip(way, written, tmp_path):
    """It reads by an index of its own; ours reads by the same, and by ours."""
    file, path, data = written(way)
    theirs = nibabel.load(path, keep_file_open=True).dataobj
    with Proxy.open(path, index_mode=2, index_spacing=SPACING) as proxy:
        rng = np.random.default_rng(3)
        check_indices(proxy, "int16", file.stored(), file.scaling, rng, 15, theirs)
        check_whole(proxy, "int16", file.stored(), file.scaling, None, theirs)
        proxy.save_index(tmp_path / "ours")
    opener = theirs._opener.fobj
    assert isinstance(opener, indexed_gzip.IndexedGzipFile)
    opener.import_index(tmp_path / "ours")
    with Proxy.open(path, index_path=str(tmp_path / "ours"), strict=1) as proxy:
        check_indices(proxy, "int16", file.stored(), file.scaling, rng, 15, theirs)
    opener.build_full_index()
    opener.export_index(tmp_path / "theirs")
    with Proxy.open(path, index_path=str(tmp_path / "theirs"), strict=1) as proxy:
        check_ours(proxy, file)
