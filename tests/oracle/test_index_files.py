"""Where index files are: in the cache folder, or not there; and what they are for."""

import os

import pytest

from checks import check_whole, fails
from compare import assert_same
from gzidx import Gzidx, by_indexed_gzip, by_rapidgzip
from nifti import Nifti
from proxy import Proxy
from seekables import Volumes
from test_exchange import check_others, check_ours
from test_seekindex import SPACING


@pytest.fixture
def image(tmp_path):
    file = Volumes()
    return file, file.write(tmp_path), file.parts()[0]


def test_index_of_the_cache_folder(image, tmp_path, monkeypatch):
    """ "auto": saved when the last handle is freed, loaded by who opens the file next."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file, path, data = image
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
    check_others("indexed_gzip", path, saved, data)
    with Proxy.open(path, **options) as proxy:
        info = proxy.index_info
        assert info[:2] == grown[:2]
        assert info.memory < grown.memory
        assert proxy.cost((0, 0, 0, 7)) < len(data) / 2
        check_ours(proxy, file)
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
            check_ours(proxy, file)
        (again,) = found()
        assert again == saved and Gzidx.load(saved).points == Gzidx.parse(content).points


def test_the_fuller_index_stays_in_the_cache_folder(image, tmp_path, monkeypatch):
    """Whatever the order in which handles of several programs are freed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file, path, _ = image
    options = {"index_path": "auto", "strict": 1, "cache_bytes": 0}
    for full_first in (True, False):
        full, part = Proxy.open(path, **options), Proxy.open(path, **options)
        assert_same(full.read_all("disk"), file.stored())
        points = full.index_info.points
        part.read((..., slice(0, 4)), "disk")
        assert 1 < part.index_info.points < points
        for proxy in (full, part) if full_first else (part, full):
            with proxy:
                pass
        with Proxy.open(path, **options) as proxy:
            assert proxy.index_info.points == points
            check_ours(proxy, file)
        for saved in (tmp_path / "cache").rglob("*.gzidx"):
            saved.unlink()


def test_what_is_unproven_stays_out_of_the_cache_folder(image, tmp_path, monkeypatch):
    """Windows of others may be wrong: not every program is to believe them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file, path, _ = image
    by_indexed_gzip(path, tmp_path / "theirs")
    options = {"index_path": "auto", "strict": 1, "cache_bytes": 0}
    for whole in (False, True):
        with Proxy.open(path, **options) as proxy:
            proxy.load_index(tmp_path / "theirs")
            proxy.read((..., slice(8, 9)), "disk")
            if whole:
                assert_same(proxy.read_all("disk"), file.stored())
        found = [one for one in (tmp_path / "cache").rglob("*") if one.is_file()]
        assert len(found) == whole


def test_no_index_file(image, tmp_path):
    """One that is not there is none; a folder, or what is no index, is told."""
    file, path, _ = image
    with Proxy.open(path, index_path=str(tmp_path / "none"), strict=1) as proxy:
        assert proxy.warnings == []
        fails("AP_ERR_NOT_FOUND", proxy.load_index, tmp_path / "none")
        fails("AP_ERR_SEEKINDEX", proxy.load_index, path)
        check_ours(proxy, file)
    fails("AP_ERR_SEEKINDEX", Proxy.open, path, index_path=str(path), strict=1)
    with Proxy.open(path, index_path=str(path)) as proxy:
        assert len(proxy.warnings) == 1 and str(path) in proxy.warnings[0]
        check_ours(proxy, file)


def test_pairs_and_plain_files(tmp_path):
    """An index file is about one compressed file: the data's of a pair, too."""
    with Proxy.open(Nifti().write(tmp_path)) as proxy:
        assert proxy.index_info == (0, 0, 0)
        proxy.build_index()
        fails("AP_ERR_UNSUPPORTED", proxy.save_index, tmp_path / "index")
    file = Nifti("int16", (60, 50, 40, 3), pair=True, packing="gzip")
    with Proxy.open(file.write(tmp_path), index_mode=2, index_spacing=SPACING) as proxy:
        proxy.save_index(tmp_path / "index")
        data = file.parts()[1]
        assert proxy.index_info.covered == len(data)
        check_others("indexed_gzip", file.paths(tmp_path)[1], tmp_path / "index", data)
        by_rapidgzip(file.paths(tmp_path)[1], tmp_path / "theirs")
        proxy.load_index(tmp_path / "theirs")
        check_whole(proxy, "int16", file.stored(), file.scaling)
