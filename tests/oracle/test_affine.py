"""Affines and zooms of SPM's headers and of MGH against NiBabel's."""

import math
import struct
from concurrent.futures import ThreadPoolExecutor

import nibabel
import numpy as np
import pytest

import capi
from analyze import Analyze
from capi import AFFINE_BASE, lib
from mgh import FOOTER, TAGS, Mgh
from proxy import Proxy


def _pixdim(*zooms):
    return [0.0, *zooms, *[1.0] * 7][:8]


# The shape is (5, 4, 3): voxels from 1 are near, so are -n + 1 to 2 n - 1.
ORIGINS = {
    "none": [0, 0, 0, 0, 0],
    "inside": [3, 2, 1, 0, 0],
    "partly zero": [0, 2, 0, 0, 0],
    "at the lower edges": [-4, -3, -2, 0, 0],
    "at the upper edges": [9, 7, 5, 0, 0],
    "below": [-5, 2, 2, 0, 0],
    "beyond": [3, 8, 2, 0, 0],
    "absurd": [32767, -32768, 2, 0, 0],
    "others do not count": [0, 0, 0, 7, -9],
}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("flavour", ["spm99", "spm2", "analyze"])
def test_origins(flavour, origin, tmp_path):
    """Fractional zooms show that the translation is single precision, as NiBabel's."""
    far = origin in ("below", "beyond", "absurd") and flavour != "analyze"
    for byte_order in "<>":
        for i, zooms in enumerate([(2.0, 3.0, 4.0), (1 / 3, 2.7, 0.1), (1e-30, 1e30, 0.9375)]):
            fields = {"origin": ORIGINS[origin], "pixdim": _pixdim(*zooms)}
            file = Analyze(flavour=flavour, byte_order=byte_order, fields=fields)
            path = file.write(tmp_path, f"{ord(byte_order)}{i}")
            image = file.nibabel(path)
            with file.open(path) as proxy:
                got, code = proxy.affine()
                np.testing.assert_array_equal(got, image.affine)
                assert code == 0
                base, code = proxy.affine(AFFINE_BASE)
                np.testing.assert_array_equal(base, image.header.get_base_affine())
                assert code == 0
                assert proxy.zooms() == tuple(map(float, image.header.get_zooms()))
                assert bool(proxy.warnings) == far
            if far:
                with pytest.raises(capi.ApError, match="AP_ERR_HEADER.*byte 253"):
                    file.open(path, strict=1)
            else:
                file.open(path, strict=1).__exit__()


@pytest.mark.parametrize("origin", [0, 2])
@pytest.mark.parametrize(
    "dim", [[1, 7, 0, 0], [1, 7, 1, 1], [2, 5, 4, 9], [0, 0, 0, 0], [2, 5, 4, -3]], ids=str
)
def test_origins_with_few_axes(dim, origin, tmp_path):
    """The three lengths behind dim[0] count, whether they are axes or not."""
    fields = {"dim": [*dim, 1, 1, 1, 1], "origin": [origin] * 3 + [0, 0]}
    for flavour in ("spm99", "spm2", "analyze"):
        file = Analyze("uint8", flavour=flavour, fields=fields)
        path = file.write(tmp_path)
        image = file.nibabel(path)
        with file.open(path) as proxy:
            np.testing.assert_array_equal(proxy.affine()[0], image.affine)
            base = image.header.get_base_affine()
            np.testing.assert_array_equal(proxy.affine(AFFINE_BASE)[0], base)
            assert proxy.zooms() == tuple(map(float, image.header.get_zooms()))


def test_origins_of_long_axes(tmp_path):
    """[BUG] NiBabel doubles lengths in 16 bits: from 16384 on no origin is near."""
    fields = {"origin": [20000, 1, 1, 0, 0], "pixdim": _pixdim(0.5, 2.0, 2.0)}
    file = Analyze("uint8", (20000, 1, 1), fields=fields)
    path = file.write(tmp_path)
    assert file.nibabel(path).affine[0, 3] == 9999.5 / 2
    with file.open(path) as proxy:
        assert proxy.affine()[0][0].tolist() == [-0.5, 0, 0, 19999 / 2]
        assert proxy.warnings == []


@pytest.mark.parametrize("zooms", [(0.0, 3.0, 4.0), (-2.0, 3.0, 4.0), (2.0, -1.5, 0.0)], ids=str)
@pytest.mark.parametrize("flavour", ["spm99", "spm2", "analyze"])
def test_odd_zooms(flavour, zooms, tmp_path):
    file = Analyze(shape=(5, 4, 3, 2), flavour=flavour, fields={"pixdim": _pixdim(*zooms, -7.0)})
    path = file.write(tmp_path)
    image = file.nibabel(path)
    with file.open(path) as proxy:
        np.testing.assert_array_equal(proxy.affine()[0], image.affine)
        got = proxy.zooms()
        assert got == tuple(map(float, image.header.get_zooms()))
        assert min(got[:3]) > 0 and got[3] == -7
        assert len(proxy.warnings) == sum(zoom <= 0 for zoom in zooms)
    with pytest.raises(capi.ApError) as caught:
        file.open(path, strict=1)
    first = 80 + 4 * [zoom <= 0 for zoom in zooms].index(True)
    assert caught.value.name == "AP_ERR_HEADER" and f"(byte {first})" in caught.value.message


def _turned(seed):
    """The directions of three axes, one after the other."""
    rng = np.random.default_rng(seed)
    return np.linalg.qr(rng.normal(size=(3, 3)))[0].astype("f4").ravel().tolist()


@pytest.mark.parametrize("good", [1, -1, 256, 0])
@pytest.mark.parametrize("shape", [(5, 4, 3), (1, 1, 1), (31, 257, 7), (5, 4, 3, 6)], ids=str)
def test_mgh(shape, good, tmp_path):
    """The centre is at half the size. Nothing but the flag counts if it is 0."""
    for seed in range(8):
        fields = {
            "goodRAS": good,
            "Mdc": _turned(seed),
            "delta": [1.0, 1 / 3, 7.7] if seed % 2 else [0.9375, 0.9375, 3.3],
            "Pxyz_c": [10.1, -20.2, 3e4 / 7],
        }
        file = Mgh("uint8", shape, fields=fields)
        path = file.write(tmp_path, f"{seed}")
        image = file.nibabel(path)
        with file.open(path, strict=1) as proxy:
            got, code = proxy.affine()
            np.testing.assert_array_equal(got, image.affine)
            assert code == 0
            assert proxy.zooms() == tuple(map(float, image.header.get_zooms()))
            assert len(proxy.zooms()) == len(shape)
            if good == 0:
                assert proxy.zooms()[:3] == (1, 1, 1)
                assert got[0].tolist() == [-1, 0, 0, shape[0] / 2]


FOOTERS = [b"", FOOTER, FOOTER + TAGS, *(FOOTER[:n] for n in (1, 3, 4, 7, 19))]
FOOTERS += [struct.pack(">f", tr) for tr in (0.0, -1.0, 1e30)]


@pytest.mark.parametrize("codec", ["plain", "gzip", "bzip2", "zstd"])
@pytest.mark.parametrize("footer", FOOTERS, ids=lambda footer: f"{len(footer)}-{footer[:4].hex()}")
def test_repetition_time_of_mgh(footer, codec, tmp_path):
    """Behind the data, if the file has it; what is missing of it is zero."""
    for shape in [(5, 4, 3), (5, 4, 3, 2)]:
        file = Mgh(shape=shape, footer=footer, packing=codec)
        path = file.write(tmp_path)
        want = tuple(map(float, file.nibabel(path).header.get_zooms()))
        with file.open(path) as proxy:
            with ThreadPoolExecutor(3) as threads:
                assert set(threads.map(lambda _: proxy.zooms(), range(6))) == {want}
            with proxy.clone() as clone, proxy.reshape((-1,)) as reshaped:
                assert clone.zooms() == reshaped.zooms() == want
            few = (capi.c.c_double * 3)()
            assert lib().ap_zooms(proxy.handle, few, 3, None) == len(shape)
            assert tuple(few) == want[:3]


def test_mgh_zooms_without_the_data(tmp_path):
    """The first three are in the header; only the fourth needs what stands behind the data."""
    file = Mgh("uint8", (50, 60, 40, 3), packing="zstd")
    path = file.write(tmp_path)
    path.write_bytes(path.read_bytes()[:200_000])
    with file.open(path) as proxy:
        few = (capi.c.c_double * 4)()
        assert lib().ap_zooms(proxy.handle, few, 3, None) == 4
        assert few[0] == np.float32(1.1)
        assert lib().ap_zooms(proxy.handle, None, 0, None) == 4
        # A stream that was cut has no footer; NiBabel fails at it.
        assert proxy.zooms()[3] == 0


def test_infinite_zooms(tmp_path):
    """Whatever the numbers are, they are told."""
    nan = math.nan
    path = Analyze(fields={"pixdim": _pixdim(math.inf, nan, 1.0)}).write(tmp_path)
    with Proxy.open(path) as proxy:
        np.testing.assert_array_equal(proxy.zooms(), (math.inf, nan, 1.0))
        theirs = nibabel.Spm2AnalyzeImage.load(path)
        np.testing.assert_array_equal(proxy.affine()[0][:3, :3], theirs.affine[:3, :3])
