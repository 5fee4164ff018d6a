"""What makes a header Analyze's, SPM99's or SPM2's, and what is odd in one."""

import math

import nibabel
import numpy as np
import pytest

from analyze import IMAGES, Analyze
from capi import ApError
from checks import check_description, check_whole, fails
from compare import assert_same
from model import Scaling, expected
from nifti import Nifti
from proxy import Proxy

FLAVOURS = pytest.mark.parametrize("flavour", IMAGES)


@pytest.mark.parametrize("name", ["a.hdr", "A.HDR", "a.dat", "a.nii", "a", "a.b.hdr", "a.mgh"])
def test_every_such_header_is_spm2(name, tmp_path):
    for byte_order in "<>":
        file = Analyze(byte_order=byte_order, slope=0.5)
        header, image = file.packed()
        path = tmp_path / name
        path.write_bytes(header)
        beside = path.with_suffix(".IMG" if name.isupper() else ".img")
        beside.write_bytes(image)
        with Proxy.open(path) as proxy:
            assert proxy.format == "spm2"
            check_whole(proxy, "int16", file.stored(), file.scaling)


@pytest.mark.parametrize("magic", [b"ni1\0", b"n+1\0", b"ni2\0", b"n+2\0", b"ni1 ", b"NI1\0"])
def test_but_those_of_nifti(magic, tmp_path):
    file = Nifti(pair=True, vox_offset=352, fields={"magic": magic})
    path = file.write(tmp_path)
    image = nibabel.load(path)
    with Proxy.open(path) as proxy:
        is_nifti = magic in (b"ni1\0", b"n+1\0")
        assert proxy.format == ("nifti1-pair" if is_nifti else "spm2")
        assert isinstance(image, nibabel.Spm2AnalyzeImage) == (not is_nifti)
        check_whole(proxy, "int16", file.stored(), Scaling(), None, image.dataobj)


@FLAVOURS
@pytest.mark.parametrize("byte_order", "<>")
def test_nifti_asked_for_as_analyze(byte_order, flavour, tmp_path):
    """All but the name of the format is NiBabel's; SPM's origin is where the qform is."""
    codes = {"qform_code": 2, "sform_code": 1}
    for fields in ({}, codes):
        file = Nifti("int16", (5, 4, 3, 2), byte_order, 0.5, 3.0, fields=fields, pair=True)
        path = file.write(tmp_path)
        image = IMAGES[flavour].load(path)
        scaling = Analyze(flavour=flavour, slope=0.5, inter=3.0).scaling
        with Proxy.open(path, format=flavour) as proxy:
            assert proxy.format == flavour
            check_description(proxy, "int16", file.shape, scaling)
            np.testing.assert_array_equal(proxy.affine()[0], image.affine)
            for requested in (None, "disk", "f4"):
                check_whole(proxy, "int16", file.stored(), scaling, requested, image.dataobj)


@FLAVOURS
def test_other_formats_asked_for(flavour, tmp_path):
    file = Analyze(flavour=flavour)
    path = file.write(tmp_path)
    for name in ("nifti1", "nifti1-pair", "nifti2", "nifti2-pair", "mgh"):
        with pytest.raises(ApError) as caught:
            Proxy.open(path, format=name)
        assert caught.value.name in ("AP_ERR_HEADER", "AP_ERR_FORMAT")
    fails("AP_ERR_OPTION", Proxy.open, path, format="layout")
    fails("AP_ERR_OPTION", Proxy.open, path, format="dicom")


@FLAVOURS
def test_any_348_bytes_if_asked_for(flavour, tmp_path):
    """Without their size in front, level 30, they are found by the option only."""
    for byte_order in "<>":
        file = Analyze(flavour=flavour, byte_order=byte_order, fields={"sizeof_hdr": 0})
        path = file.write(tmp_path)
        second = file.nibabel(path).dataobj
        with Proxy.open(path, format=flavour) as proxy:
            assert len(proxy.warnings) == 1
            check_whole(proxy, "int16", file.stored(), Scaling(), None, second)
        message = fails("AP_ERR_HEADER", Proxy.open, path, format=flavour, strict=1)
        assert "(byte 0)" in message
        fails("AP_ERR_FORMAT", Proxy.open, path)


@FLAVOURS
def test_headers_too_short_and_longer(flavour, tmp_path):
    file = Analyze(flavour=flavour)
    path = file.write(tmp_path)
    header = path.read_bytes()
    path.write_bytes(header + bytes(100))
    with file.open(path) as proxy:
        assert proxy.header == header
        check_whole(proxy, "int16", file.stored(), Scaling())
    for size in (0, 3, 40, 347):
        path.write_bytes(header[:size])
        asked = "format" in file.options
        fails("AP_ERR_HEADER" if asked else "AP_ERR_FORMAT", file.open, path)


@FLAVOURS
def test_byte_order_by_the_number_of_axes(flavour, tmp_path):
    """dim[0] tells it, as in NiBabel, whatever order the header's size is in; 0 axes do not."""
    for byte_order in "<>":
        swapped = int.from_bytes((348).to_bytes(4, "big"), "little")
        file = Analyze(flavour=flavour, byte_order=byte_order, fields={"sizeof_hdr": swapped})
        path = file.write(tmp_path)
        image = file.nibabel(path)
        with file.open(path) as proxy:
            assert proxy.byte_order == byte_order
            assert len(proxy.warnings) == 1
            check_whole(proxy, "int16", file.stored(), Scaling(), None, image.dataobj)
        assert "(byte 0)" in fails("AP_ERR_HEADER", file.open, path, strict=1)
        file = Analyze(flavour=flavour, byte_order=byte_order, fields={"dim": [0] + [9] * 7})
        path = file.write(tmp_path)
        assert file.nibabel(path).shape == (0,)
        with file.open(path, strict=1) as proxy:
            assert proxy.shape == (0,)
            assert proxy.byte_order == byte_order
            assert_same(proxy.read_all(), np.empty(0, "i2"))


@FLAVOURS
@pytest.mark.parametrize("vox_offset", [0, 1, 16.75, 352, 1001, 65536, -0.9])
def test_offsets(vox_offset, flavour, tmp_path):
    """Cut towards zero."""
    for byte_order in "<>":
        file = Analyze("float32", flavour=flavour, byte_order=byte_order, vox_offset=vox_offset)
        path = file.write(tmp_path)
        with file.open(path, strict=1) as proxy:
            second = file.nibabel(path).dataobj
            check_whole(proxy, "float32", file.stored(), Scaling(), None, second)


@FLAVOURS
def test_offsets_that_cannot_be(flavour, tmp_path):
    """NiBabel fails at them when it reads, or when it opens."""
    for vox_offset in (-1.0, -1e30, math.nan, -math.inf):
        file = Analyze(flavour=flavour, fields={"vox_offset": vox_offset})
        assert "(byte 108)" in fails("AP_ERR_HEADER", file.open, file.write(tmp_path))


@FLAVOURS
def test_a_wrong_number_of_bits_is_let_pass(flavour, tmp_path):
    """Level 10: the type counts."""
    file = Analyze(flavour=flavour, fields={"bitpix": 32})
    path = file.write(tmp_path)
    with file.open(path, strict=1) as proxy:
        second = file.nibabel(path).dataobj
        check_whole(proxy, "int16", file.stored(), Scaling(), None, second)


def test_one_header_in_three_ways(tmp_path):
    """What the format asked for makes of slope and intercept."""
    file = Analyze(slope=0.1, inter=3.0)
    path, stored = file.write(tmp_path), file.stored()
    single = Scaling(float(np.float32(0.1)), 0.0, np.float32)
    double = Scaling(float(np.float32(0.1)), 3.0)
    for options, scaling in [
        ({"format": "analyze"}, Scaling()),
        ({"format": "spm99"}, single),
        ({"format": "spm2"}, double),
        ({}, double),
    ]:
        with Proxy.open(path, **options) as proxy:
            assert_same(proxy.read_all(), expected("int16", stored, scaling))
