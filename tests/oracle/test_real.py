"""Real images: those beside the tests and those that come with NiBabel."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from analyze import IMAGES as IMAGE_CLASSES
from capi import AFFINE_BASE, AFFINE_QFORM, AFFINE_SFORM, ApError, lib
from compare import assert_same
from indices import nibabel_reads, random_index
from proxy import Proxy

OWN = Path(__file__).resolve().parents[1] / "data"
NIBABELS = Path(nibabel.__file__).parent / "tests" / "data"


def _images(folder):
    return sorted(p for p in folder.iterdir() if p.name.endswith((".nii", ".nii.gz", ".mgz")))


# Headers of NIfTI-2 are ones of NIfTI-1, too, for NiBabel.
FORMATS = {
    nibabel.Nifti2Header: "nifti2",
    nibabel.Nifti1Header: "nifti1",
    nibabel.MGHImage.header_class: "mgh",
}
IMAGES = [pytest.param(p, id=f"own-{p.name}") for p in _images(OWN)]
IMAGES += [pytest.param(p, id=f"nibabel-{p.name}") for p in _images(NIBABELS)]


def test_there_are_images():
    assert len(_images(OWN)) == 6
    assert len(_images(NIBABELS)) >= 9


@pytest.mark.parametrize("path", IMAGES)
def test_image(path):
    """CIFTI-2 files are NIfTI-2 here, whose first four axes NiBabel leaves out."""
    image = nibabel.load(path)
    cifti = isinstance(image, nibabel.Cifti2Image)
    header = image.nifti_header if cifti else image.header
    with Proxy.open(path) as proxy:
        shape = proxy.shape
        assert shape == (1,) * (4 * cifti) + image.shape
        assert proxy.zooms() == tuple(map(float, header.get_zooms()))
        format = next(name for made, name in FORMATS.items() if isinstance(header, made))
        assert proxy.format == format
        assert lib().ap_data_offset(proxy.handle) == image.dataobj.offset
        assert proxy.factors == (image.dataobj.slope, image.dataobj.inter)
        near = {"rtol": 0, "atol": 1e-14 * float(max(header.get_zooms()))}
        if format != "mgh":
            assert_same(proxy.affine(AFFINE_SFORM)[0], header.get_sform(), "sform")
            base, _ = proxy.affine(AFFINE_BASE)
            np.testing.assert_array_equal(base, header.get_base_affine())
            np.testing.assert_allclose(proxy.affine(AFFINE_QFORM)[0], header.get_qform(), **near)
        np.testing.assert_allclose(proxy.affine()[0], header.get_best_affine(), **near)

        data = image.dataobj.reshape(shape) if cifti else image.dataobj
        whole, disk = np.asarray(data), np.asarray(data.get_unscaled())
        assert_same(proxy.read_all(), whole, "whole")
        assert_same(proxy.read_all("disk", order="C"), disk, "disk")
        for requested in ("f4", "f8"):
            want = data.__array__(np.dtype(requested))
            assert_same(proxy.read_all(requested), want, requested)
        rng = np.random.default_rng(len(path.name))
        for index in [(), (0,), (..., 0), (..., -1), *(random_index(rng, shape) for _ in range(8))]:
            got = proxy.read(index)
            assert_same(got, np.asarray(whole[index]), f"{index}")
            if nibabel_reads(index, shape) and whole.nbytes < 2**22:
                assert_same(got, np.asarray(data[index]), f"{index} NiBabel")


def test_second_volume_of_example4d():
    path = OWN / "example4d.nii.gz"
    with Proxy.open(path) as proxy:
        assert_same(proxy.read((..., 1)), np.asarray(nibabel.load(path).dataobj[..., 1]))


@pytest.mark.parametrize("name", ["nifti1.hdr", "nifti2.hdr", "analyze.hdr"])
def test_headers_without_images(name):
    assert (NIBABELS / name).exists()
    with pytest.raises(ApError) as caught:
        Proxy.open(NIBABELS / name)
    assert caught.value.name == "AP_ERR_NOT_FOUND"


@pytest.mark.parametrize("flavour", ["", *IMAGE_CLASSES])
def test_header_of_spm_with_a_made_image(flavour, tmp_path):
    """Big-endian, with a slope and an origin."""
    header = NIBABELS / "analyze.hdr"
    shape = (91, 109, 91, 1)
    made = np.arange(np.prod(shape)).astype("u1")
    (tmp_path / "a.hdr").write_bytes(header.read_bytes())
    (tmp_path / "a.img").write_bytes(made.tobytes())
    image = IMAGE_CLASSES[flavour or "spm2"].load(tmp_path / "a.hdr")
    with Proxy.open(tmp_path / "a.img", **{"format": flavour} if flavour else {}) as proxy:
        assert proxy.format == (flavour or "spm2")
        assert proxy.shape == image.shape == shape
        assert proxy.header == header.read_bytes()
        assert proxy.zooms() == tuple(map(float, image.header.get_zooms()))
        np.testing.assert_array_equal(proxy.affine()[0], image.affine)
        for index in [(), (..., 45, 0), (40,)]:
            assert_same(proxy.read(index), np.asarray(image.dataobj[index]), f"{index}")
