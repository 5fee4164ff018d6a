"""What makes a file MGH's, which has no magic: its content, or its name."""

import numpy as np
import pytest

from checks import check_description, check_whole, fails
from compare import assert_same
from eltypes import file_bytes
from mgh import CODES, SIZE, Mgh
from model import Scaling
from nifti import Nifti
from packings import CODECS, PACKINGS
from proxy import Proxy

EACH_CODEC = pytest.mark.parametrize("codec", CODECS)


@EACH_CODEC
@pytest.mark.parametrize("footer", [b"", b"\xee" * 7, bytes(20)], ids=len)
@pytest.mark.parametrize("name", CODES)
def test_by_content(name, footer, codec):
    """Version, type and shape are possible, and all the data are there."""
    for shape in [(5, 4, 3), (1, 1, 1), (2, 3, 1, 4), (70, 1, 1)]:
        file = Mgh(name, shape, footer=footer, packing=codec)
        with file.open_sources(file.packed(), strict=1) as proxy:
            assert proxy.format == "mgh"
            check_description(proxy, name, shape, Scaling())
            check_whole(proxy, name, file.stored(), Scaling())


@pytest.mark.parametrize("missing", [1, 50, 118])
def test_data_cut_short(missing, tmp_path):
    """Only the name tells then that it is one."""
    file = Mgh(footer=b"")
    (content,) = file.parts()
    fails("AP_ERR_FORMAT", file.open_sources, [content[:-missing]])
    for name in ("a.mgh", "a.mgz", "A.MGH", "a.mgh.gz"):
        path = tmp_path / name
        path.write_bytes(content[:-missing])
        with Proxy.open(path) as proxy:
            assert len(proxy.warnings) == 1
            assert_same(proxy.read((0, 0, 0)), file.stored()[0, 0, 0])
            fails("AP_ERR_TRUNCATED", proxy.read_all)
        fails("AP_ERR_TRUNCATED", Proxy.open, path, strict=1)
    path = path.rename(tmp_path / "a.dat")
    assert str(path) in fails("AP_ERR_FORMAT", Proxy.open, path)
    with Proxy.open(path, format="mgh") as proxy:
        assert proxy.warnings


@EACH_CODEC
def test_more_than_the_file_can_hold(codec, tmp_path):
    fields = {"dims": [30000, 30000, 30000, 1]}
    file = Mgh("uint8", packing=codec, fields=fields)
    fails("AP_ERR_FORMAT", file.open_sources, file.packed())
    path = file.write(tmp_path)
    with file.open(path) as proxy:
        assert proxy.warnings and proxy.shape == (30000, 30000, 30000)
        assert_same(proxy.read((4, 0, 0)), file.stored()[4, 0, 0])
        fails("AP_ERR_TRUNCATED", proxy.read, (-1, -1, -1))
    fails("AP_ERR_TRUNCATED", file.open, path, strict=1)
    file = Mgh("float32", packing=codec, fields={"dims": [2**31 - 1] * 4})
    fails("AP_ERR_FORMAT", file.open_sources, file.packed())
    assert str(path) in fails("AP_ERR_HEADER", file.open, file.write(tmp_path))


IMPOSSIBLE = [({"version": v}, 0) for v in (0, 2, -1, 0x01000000)]
IMPOSSIBLE += [({"type": t}, 20) for t in (-1, 2, 5, 6, 7, 8, 9, 11)]
IMPOSSIBLE += [({"dims": d}, at) for d, at in [
    ([0, 4, 3, 1], 4), ([5, -1, 3, 1], 8), ([5, 4, 0, 1], 12), ([5, 4, 3, -(2**31)], 16)
]]  # fmt: skip


@pytest.mark.parametrize("fields, byte", IMPOSSIBLE, ids=str)
def test_headers_that_cannot_be(fields, byte, tmp_path):
    """A file that is named so is told what is wrong with it."""
    file = Mgh(fields=fields)
    fails("AP_ERR_FORMAT", file.open_sources, file.packed())
    path = file.write(tmp_path)
    assert f"(byte {byte})" in fails("AP_ERR_HEADER", file.open, path)
    assert f"(byte {byte})" in fails("AP_ERR_HEADER", file.open_sources, [path], format="mgh")


def test_headers_too_short(tmp_path):
    (content,) = Mgh().parts()
    path = tmp_path / "a.mgh"
    for size in (1, 28, SIZE - 1):
        path.write_bytes(content[:size])
        assert str(path) in fails("AP_ERR_HEADER", Proxy.open, path)
        fails("AP_ERR_FORMAT", Proxy.open_source, content[:size])
    path.write_bytes(b"")
    assert str(path) in fails("AP_ERR_FORMAT", Proxy.open, path)


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("name", ["a.mgh", "a.mgz", "a.mgh.gz"])
def test_nifti_of_that_name_stays_nifti(name, version, byte_order, tmp_path):
    for codec in ("plain", "gzip"):
        file = Nifti(version=version, byte_order=byte_order, packing=codec)
        path = file.write(tmp_path).rename(tmp_path / name)
        with Proxy.open(path) as proxy:
            assert proxy.format == file.format
            check_whole(proxy, "int16", file.stored(), Scaling())
        fails("AP_ERR_HEADER", Proxy.open, path, format="mgh")


def test_the_name_settles_what_content_leaves_open(tmp_path):
    """Data in which NIfTI's magic stands where its header would have it."""
    file = Mgh("uint8", (50, 4, 3))
    content = bytearray(file.parts()[0])
    content[344:348] = b"n+1\0"
    stored = np.frombuffer(content, "u1", 600, SIZE).reshape((50, 4, 3), order="F")
    assert file_bytes("uint8", stored)[60:64] == b"n+1\0"
    for name, options in [("a.mgh", {}), ("a.MGZ", {}), ("a.nii", {"format": "mgh"})]:
        for codec in CODECS:
            path = tmp_path / name
            path.write_bytes(PACKINGS[codec].pack(bytes(content)))
            with Proxy.open(path, **options) as proxy:
                assert proxy.format == "mgh"
                assert_same(proxy.read_all(), stored)


def test_an_image_beside_it():
    """It is one file: a second is a mistake."""
    file = Mgh()
    both = *file.packed(), bytes(500)
    fails("AP_ERR_ARGUMENT", file.open_sources, both)
    fails("AP_ERR_OPTION", file.open_sources, both, format="mgh")
