"""Gzip of every make, and compression found by content."""

import nibabel
import numpy as np
import pytest

from capi import ApError, lib
from checks import check_indices, check_whole
from gzips import GZIPS
from model import Scaling
from nifti import Nifti
from proxy import Proxy

SHAPE = (31, 17, 9, 4)


@pytest.mark.parametrize("name", ["uint8", "float64", "complex64"])
@pytest.mark.parametrize("kind", GZIPS)
@pytest.mark.parametrize("pair", [False, True], ids=["single", "pair"])
def test_makes(pair, kind, name, tmp_path):
    # An odd offset, so that elements lie across blocks, buffers and members.
    file = Nifti(type=name, shape=SHAPE, pair=pair, gzip=kind, vox_offset=411, byte_order=">")
    path, stored = file.write(tmp_path), file.stored()
    second = nibabel.load(path).dataobj
    with Proxy.open(path) as proxy:
        assert lib().ap_codec(proxy.handle) == b"gzip"
        rng = np.random.default_rng(8)
        # Parts first, so that not all of them follow a read to the end.
        check_indices(proxy, name, stored, Scaling(), rng, 20)
        for requested in (None, "disk", "f4"):
            check_whole(proxy, name, stored, Scaling(), requested, second)
        check_indices(proxy, name, stored, Scaling(), rng, 20, second)


@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a", "a.dat", "A.NII.GZ", "a.b.c"])
def test_content_decides(name, compressed, tmp_path):
    """NiBabel goes by the name: semantics 0.7."""
    file = Nifti(gzip="single" if compressed else None)
    path = file.write(tmp_path, "written").rename(tmp_path / name)
    with Proxy.open(path) as proxy:
        assert lib().ap_codec(proxy.handle) == (b"gzip" if compressed else b"none")
        check_whole(proxy, "int16", file.stored(), Scaling())


@pytest.mark.parametrize("which", ["header", "image"])
def test_half_of_a_pair_compressed(which, tmp_path):
    """Each file of a pair is looked at by itself."""
    file = Nifti(pair=True, vox_offset=16)
    path = file.write(tmp_path)
    half = path if which == "header" else path.with_suffix(".img")
    half.write_bytes(GZIPS["single"](half.read_bytes()))
    with Proxy.open(path) as proxy:
        check_whole(proxy, "int16", file.stored(), Scaling())


@pytest.mark.parametrize("opened", ["hdr", "img"])
@pytest.mark.parametrize("gzip", [None, "single"])
def test_pairs_open_by_either_name(gzip, opened, tmp_path):
    file = Nifti(pair=True, gzip=gzip)
    path = file.write(tmp_path)
    path = path.with_name(path.name.replace("hdr", opened))
    with Proxy.open(path) as proxy:
        assert lib().ap_format(proxy.handle) == b"nifti1-pair"
        check_whole(proxy, "int16", file.stored(), Scaling(), None, nibabel.load(path).dataobj)


def _cut(tmp_path, keep, kind="single"):
    file = Nifti(type="uint8", shape=(50, 40, 30), gzip=kind)
    path = file.write(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path, file


def test_cut_short(tmp_path):
    """What is there can be read; what is missing is an error, whatever came before."""
    path, file = _cut(tmp_path, 0.5, "stored")
    with Proxy.open(path) as proxy:
        for _ in range(2):
            got = proxy.read((..., slice(0, 10)))
            assert (got == file.stored()[..., :10]).all()
            for index in [(), (..., 29), (-1, -1, -1)]:
                with pytest.raises(ApError) as caught:
                    proxy.read(index)
                assert caught.value.name == "AP_ERR_TRUNCATED"


def test_plain_data_cut_short(tmp_path):
    file = Nifti(shape=(10, 10, 10))
    path = file.write(tmp_path)
    path.write_bytes(path.read_bytes()[: 352 + 1000])
    with Proxy.open(path) as proxy:
        assert proxy.warnings
        assert (proxy.read((..., slice(0, 5))) == file.stored()[..., :5]).all()
        for index in [(), (9, 9, 9), (0, 0, 5)]:
            with pytest.raises(ApError) as caught:
                proxy.read(index)
            assert caught.value.name == "AP_ERR_TRUNCATED"
    with pytest.raises(ApError) as caught:
        Proxy.open(path, strict=1)
    assert caught.value.name == "AP_ERR_TRUNCATED"


@pytest.mark.parametrize("where", ["crc", "size", "middle"])
def test_damage_is_found_by_whole_reads(where, tmp_path):
    # Checksums count when members are read whole: nothing may follow the data.
    file = Nifti(type="uint8", shape=(50, 40, 30), gzip="stored", tail=0)
    path = file.write(tmp_path)
    data = bytearray(path.read_bytes())
    at = {"crc": len(data) - 6, "size": len(data) - 2, "middle": len(data) // 2}[where]
    data[at] ^= 1
    path.write_bytes(data)
    with Proxy.open(path) as proxy:
        with pytest.raises(ApError) as caught:
            proxy.read_all()
        assert caught.value.name == "AP_ERR_CODEC"
    with Proxy.open(path, verify=0) as proxy:
        differing = np.count_nonzero(proxy.read_all() != file.stored())
        assert differing == (where == "middle")
