"""Index files exchanged with indexed_gzip and rapidgzip, both ways."""

import os
from dataclasses import replace

import indexed_gzip
import nibabel
import numpy as np
import pytest
import rapidgzip

from checks import check_indices, check_whole, fails
from compare import assert_same
from gzidx import HEADER_SIZE, Gzidx, by_indexed_gzip, by_rapidgzip
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


def _check_others(other, path, index, data):
    """That another program reads right by an index file."""
    if other == "indexed_gzip":
        with indexed_gzip.IndexedGzipFile(path) as file:
            file.import_index(index)
            _check_seeks(file, data, 1)
    else:
        with rapidgzip.open(str(path), parallelization=2) as file:
            file.import_index(str(index))
            _check_seeks(file, data, 2)


def _check_ours(proxy, file, seed=5):
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
    assert (made.compressed, made.size, len(made.points)) == (path.stat().st_size, len(data), points)
    _check_others(other, path, tmp_path / "index", data)


@pytest.mark.parametrize("way", SOME)
def test_ours_half_grown(way, written, tmp_path):
    """What a few reads found. rapidgzip takes no index that does not reach the end."""
    _, path, data = written(way)
    with Proxy.open(path, index_spacing=SPACING, cache_bytes=0) as proxy:
        for step, index in enumerate([(..., 0), (..., 3), (5, 5, 5, 4)]):
            proxy.read(index)
            proxy.save_index(tmp_path / f"{step}")
            _check_others("indexed_gzip", path, tmp_path / f"{step}", data)
        assert Gzidx.load(tmp_path / "2").points[-1].position < len(data) * 3 / 4
        proxy.build_index()
        proxy.save_index(tmp_path / "2")
        _check_others("indexed_gzip", path, tmp_path / "2", data)


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
            _check_ours(proxy, file)
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
        _check_ours(proxy, file)
        proxy.save_index(tmp_path / "ours")
    for program in OTHERS:
        _check_others(program, path, tmp_path / "ours", data)
    with Proxy.open(path, index_path=str(tmp_path / "ours"), strict=1) as proxy:
        _check_ours(proxy, file)


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
    _check_others("indexed_gzip", path, tmp_path / "zero", data)
    with Proxy.open(path, index_path=str(tmp_path / "zero"), strict=1, cache_bytes=0) as proxy:
        info = proxy.index_info
        assert info.points == len({point.position for point in points} - {len(data)})
        _check_ours(proxy, file)
        assert proxy.index_info[:2] == info[:2]


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
        _check_ours(proxy, file)
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
        _check_ours(proxy, file)
        assert proxy.index_info.points > before.points
        proxy.build_index()
        assert proxy.index_info.covered == len(data)
        proxy.save_index(tmp_path / "index")
    for other in OTHERS:
        _check_others(other, path, tmp_path / "index", data)


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
        _check_ours(proxy, file)


def test_index_of_the_cache_folder(written, tmp_path, monkeypatch):
    """ "auto": saved when the last handle is freed, loaded by who opens the file next."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file, path, data = written("default")
    options = {"index_path": "auto", "strict": 1, "cache_bytes": 0}
    with Proxy.open(path, **options) as proxy:
        assert proxy.index_info.points <= 1
        clone = proxy.clone()
        assert_same(proxy.read_all("disk"), file.stored())
        grown = proxy.index_info

    def found():
        return [one for one in (tmp_path / "cache").rglob("*") if one.is_file()]

    assert found() == []
    with clone:
        pass
    (saved,) = found()
    _check_others("indexed_gzip", path, saved, data)
    with Proxy.open(path, **options) as proxy:
        info = proxy.index_info
        assert info[:2] == grown[:2]
        assert info.memory < grown.memory
        assert proxy.cost((0, 0, 0, 7)) < len(data) / 2
        _check_ours(proxy, file)
    # A file that changed is another.
    os.utime(path, ns=(10**18, 10**18))
    with Proxy.open(path, **options) as proxy:
        assert proxy.index_info.points <= 1
    assert found() == [saved]
    # What is damaged there is made anew.
    saved.unlink()
    with Proxy.open(path, **options) as proxy:
        proxy.read_all("disk")
    (saved,) = found()
    content = saved.read_bytes()
    for one in (b"", content[: len(content) // 2], content[:-1], content[:-9] + bytes(9)):
        saved.write_bytes(one)
        with Proxy.open(path, **options) as proxy:
            assert proxy.index_info.points <= 1 and proxy.warnings == []
            _check_ours(proxy, file)
        (again,) = found()
        assert again == saved and Gzidx.load(saved).points == Gzidx.parse(content).points


def test_no_index_file(written, tmp_path):
    """One that is not there is none; a folder, or what is no index, is told."""
    file, path, _ = written("default")
    with Proxy.open(path, index_path=str(tmp_path / "none"), strict=1) as proxy:
        assert proxy.warnings == []
        fails("AP_ERR_NOT_FOUND", proxy.load_index, tmp_path / "none")
        fails("AP_ERR_SEEKINDEX", proxy.load_index, path)
        _check_ours(proxy, file)
    fails("AP_ERR_SEEKINDEX", Proxy.open, path, index_path=str(path), strict=1)
    with Proxy.open(path, index_path=str(path)) as proxy:
        assert len(proxy.warnings) == 1 and str(path) in proxy.warnings[0]
        _check_ours(proxy, file)


def test_pairs_and_plain_files(tmp_path):
    """An index file is about one compressed file: the data's of a pair, too."""
    from nifti import Nifti

    with Proxy.open(Nifti().write(tmp_path)) as proxy:
        assert proxy.index_info == (0, 0, 0)
        proxy.build_index()
        fails("AP_ERR_UNSUPPORTED", proxy.save_index, tmp_path / "index")
    file = Nifti("int16", (60, 50, 40, 3), pair=True, packing="gzip")
    with Proxy.open(file.write(tmp_path), index_mode=2, index_spacing=SPACING) as proxy:
        proxy.save_index(tmp_path / "index")
        data = file.parts()[1]
        assert proxy.index_info.covered == len(data)
        _check_others("indexed_gzip", file.paths(tmp_path)[1], tmp_path / "index", data)
        by_rapidgzip(file.paths(tmp_path)[1], tmp_path / "theirs")
        proxy.load_index(tmp_path / "theirs")
        check_whole(proxy, "int16", file.stored(), file.scaling)
