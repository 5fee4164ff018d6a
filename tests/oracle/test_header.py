"""Affines, zooms, shapes and offsets of NIfTI headers against NiBabel's."""

import math

import nibabel
import numpy as np
import pytest

from capi import AFFINE_BASE, AFFINE_BEST, AFFINE_QFORM, AFFINE_SFORM, ApError
from checks import check_whole
from compare import assert_same
from model import Scaling
from nifti import HEADER_SIZE, Nifti
from packings import CODECS
from proxy import Proxy

SROW = [-2.0, 0.1, 0.0, 90.5, 0.0, 2.25, -0.3, -126.0, 0.05, 0.2, 3.0, -72.0]
TURNS = {
    "none": [0.0, 0.0, 0.0],
    "about x": [math.sin(0.3), 0.0, 0.0],
    "oblique": [0.1, -0.25, 0.4],
    "half turn": [0.0, 1.0, 0.0],
    # Below the threshold of NIfTI-1 for a half turn, above that of NIfTI-2.
    "nearly half": [0.6, 0.7999999, 0.0],
    "half turn oblique": [0.36, 0.48, 0.8],
}


def _affine_file(version, turn, qfac, sform, qform, shape=(5, 4, 3)):
    return Nifti(
        version=version,
        shape=shape,
        byte_order=">",
        fields={
            "pixdim": [qfac, 2.5, 0.9, 3.1, 2.0, 1.0, 1.0, 1.0],
            "quatern": TURNS[turn],
            "qoffset": [10.5, -20.25, 30.1],
            "srow": SROW,
            "sform_code": sform,
            "qform_code": qform,
        },
    )


def _near(got, want, size, slack=4e-15):
    """NiBabel turns quaternions in longdouble where there is one."""
    np.testing.assert_allclose(got, want, rtol=0, atol=slack * size)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("qfac", [1.0, -1.0])
def test_qform(qfac, version, turn, tmp_path):
    path = _affine_file(version, turn, qfac, sform=0, qform=1).write(tmp_path)
    header = nibabel.load(path).header
    with Proxy.open(path) as proxy:
        got, code = proxy.affine(AFFINE_QFORM)
        # Close to a half turn, 1 - b^2 - c^2 - d^2 has few digits left.
        _near(got, header.get_qform(), 4, 1e-12 if turn == "nearly half" else 4e-15)
        assert code == 1
        best, code = proxy.affine(AFFINE_BEST)
        assert_same(best, got)
        assert code == 1


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("sform, qform", [(0, 0), (0, 2), (1, 0), (4, 3), (5, 1)])
def test_which_affine(sform, qform, version, tmp_path):
    path = _affine_file(version, "oblique", 1.0, sform, qform).write(tmp_path)
    image = nibabel.load(path)
    with Proxy.open(path) as proxy:
        got, code = proxy.affine(AFFINE_SFORM)
        assert_same(got, image.header.get_sform(), "sform")
        assert code == sform
        assert proxy.affine(AFFINE_QFORM)[1] == qform
        base, code = proxy.affine(AFFINE_BASE)
        np.testing.assert_array_equal(base, image.header.get_base_affine())
        assert code == 0
        best, code = proxy.affine()
        _near(best, image.affine, 4 if not sform and qform else 0)
        assert code == (sform or qform)


@pytest.mark.parametrize("shape", [(7,), (7, 4), (6, 5, 4, 3), (1, 1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize("version", [1, 2])
def test_base_affine_and_zooms(version, shape, tmp_path):
    path = _affine_file(version, "none", 1.0, 0, 0, shape).write(tmp_path)
    header = nibabel.load(path).header
    with Proxy.open(path) as proxy:
        # Exact but for the sign of zeros.
        np.testing.assert_array_equal(proxy.affine()[0], header.get_base_affine())
        assert proxy.zooms() == tuple(map(float, header.get_zooms()))


@pytest.mark.parametrize("version", [1, 2])
def test_quaternion_that_cannot_be(version, tmp_path):
    """Found when asked for, not at opening."""
    file = _affine_file(version, "none", 1.0, 0, 1)
    file.fields["quatern"] = [0.8, 0.8, 0.8]
    with Proxy.open(file.write(tmp_path)) as proxy:
        for which in (AFFINE_QFORM, AFFINE_BEST):
            with pytest.raises(ApError) as caught:
                proxy.affine(which)
            assert caught.value.name == "AP_ERR_HEADER"
        assert proxy.affine(AFFINE_BASE)[0][0, 0] == -np.float32(2.5) or version == 2


ODD_FIELDS = {
    "zero zoom": {"pixdim": [1.0, 0.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0]},
    "negative zooms": {"pixdim": [1.0, -2.0, 2.0, -3.0, 1.0, 1.0, 1.0, 1.0]},
    "qfac 0": {"pixdim": [0.0, 2.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0], "qform_code": 1},
    "bitpix": {"bitpix": 32},
    "sform code": {"sform_code": 9, "srow": SROW},
    "qform code": {"qform_code": -1},
}


@pytest.mark.parametrize("odd", ODD_FIELDS)
@pytest.mark.parametrize("version", [1, 2])
def test_odd_fields_are_mended_as_nibabel_does(version, odd, tmp_path):
    file = Nifti(version=version, shape=(5, 4, 3), fields=ODD_FIELDS[odd])
    path = file.write(tmp_path)
    image = nibabel.load(path)
    with Proxy.open(path) as proxy:
        assert proxy.warnings or odd == "bitpix"  # level 10 may go unmentioned
        _near(proxy.affine()[0], image.affine, 4)
        assert proxy.zooms() == tuple(map(float, image.header.get_zooms()))
        check_whole(proxy, "int16", file.stored(), Scaling(), None, image.dataobj)


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("version", [1, 2])
def test_no_dimensions_mean_no_elements(version, byte_order, tmp_path):
    dim = [0] + [9] * 7
    path = Nifti(version=version, byte_order=byte_order, fields={"dim": dim}).write(tmp_path)
    assert nibabel.load(path).shape == (0,)
    with Proxy.open(path) as proxy:
        assert proxy.shape == (0,)
        assert_same(proxy.read_all(), np.empty(0, "i2"))


def test_dimensions_past_the_last_are_ignored(tmp_path):
    file = Nifti(fields={"dim": [3, 5, 4, 3, -7, 0, 30000, 2]})
    with Proxy.open(file.write(tmp_path)) as proxy:
        check_whole(proxy, "int16", file.stored(), Scaling())


@pytest.mark.parametrize("rest", [(), (2,)], ids=["3-D", "4-D"])
def test_freesurfer_shapes(rest, tmp_path):
    """Vertex counts that int16 cannot hold: in glmin, or 27307 x 1 x 6."""
    long = Nifti(type="uint8", shape=(40000, 1, 1, *rest))
    ndim = len(long.shape)
    long.fields = {"dim": [ndim, -1, 1, 1, *rest, 1, 1, 1, 1][:8], "glmin": 40000}
    cortex = Nifti(type="uint8", shape=(163842, 1, 1, *rest))
    cortex.fields = {"dim": [ndim, 27307, 1, 6, *rest, 1, 1, 1, 1][:8]}
    for stem, file in (("long", long), ("cortex", cortex)):
        path = file.write(tmp_path, stem)
        with Proxy.open(path) as proxy:
            assert proxy.shape == nibabel.load(path).shape == file.shape
            second = nibabel.load(path).dataobj
            check_whole(proxy, "uint8", file.stored(), Scaling(), None, second)


OFFSETS = [352, 353, 367.75, 400, 1001, 65536]


@pytest.mark.parametrize("vox_offset", OFFSETS)
@pytest.mark.parametrize("codec", CODECS)
def test_offsets_in_single_files(codec, vox_offset, tmp_path):
    for version in (1, 2):
        offset = vox_offset if version == 1 else int(vox_offset) + 192
        file = Nifti(type="float32", version=version, vox_offset=offset, packing=codec)
        path = file.write(tmp_path, f"{version}")
        with Proxy.open(path) as proxy:
            second = nibabel.load(path).dataobj
            check_whole(proxy, "float32", file.stored(), Scaling(), None, second)


@pytest.mark.parametrize(
    "magic, vox_offset",
    [(b"ni1\0", offset) for offset in (0, 1, 16.5, 352, 1001)]
    + [(b"n+1\0", offset) for offset in (0, 352, 1001)],
)
def test_offsets_in_pairs(magic, vox_offset, tmp_path):
    """Any offset into the image file, whichever magic the header has."""
    file = Nifti(pair=True, vox_offset=vox_offset, fields={"magic": magic})
    path = file.write(tmp_path)
    with Proxy.open(path) as proxy:
        second = nibabel.load(path).dataobj
        check_whole(proxy, "int16", file.stored(), Scaling(), None, second)


@pytest.mark.parametrize("vox_offset", [1, 16, 351, -16])
@pytest.mark.parametrize("pair", [False, True], ids=["single", "pair"])
def test_single_magic_with_an_offset_inside_the_header(pair, vox_offset, tmp_path):
    """Level 40, in NiBabel too."""
    file = Nifti(pair=pair, fields={"magic": b"n+1\0", "vox_offset": vox_offset})
    path = file.write(tmp_path)
    with pytest.raises(nibabel.spatialimages.HeaderDataError):
        nibabel.load(path)
    with pytest.raises(ApError) as caught:
        Proxy.open(path)
    assert caught.value.name == "AP_ERR_HEADER"


@pytest.mark.parametrize("version, magic, offset", [(1, b"n+1\0", 0), (2, b"n+2\0", 0)] + [
    (1, b"ni1\0", 1), (1, b"ni1\0", 351), (1, b"ni1\0", 0),
])  # fmt: skip
def test_offsets_inside_the_header_mean_behind_it(version, magic, offset, tmp_path):
    """NiBabel reads the header as data: semantics 18, [BUG] 13."""
    file = Nifti(version=version, fields={"vox_offset": offset, "magic": magic})
    assert file.offset == HEADER_SIZE[version] + 4
    with Proxy.open(file.write(tmp_path)) as proxy:
        assert proxy.warnings
        check_whole(proxy, "int16", file.stored(), Scaling())
