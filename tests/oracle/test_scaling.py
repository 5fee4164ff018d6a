"""NIfTI's slope and intercept: every type on disk, every type asked for."""

import zlib

import nibabel
import numpy as np
import pytest

from capi import READ_RAW, ApError, lib
from checks import check_description, check_indices, check_whole
from compare import assert_same
from eltypes import NIFTI_NUMBERS, NUMBERS, TYPES
from gzips import GZIPS
from model import Scaling, expected
from nifti import Nifti
from proxy import Proxy
from scalings import COMMON, DOUBLE, NIFTI_NONE
from second import has_opinion

SHAPE = (9, 5, 4)
CASES = [(1, case) for case in [*NIFTI_NONE, *COMMON]]
CASES += [(2, case) for case in [*NIFTI_NONE, *COMMON, *DOUBLE]]


def _file(version, name, case):
    """Container and byte order vary from case to case, the same ones every time."""
    slope, inter = {**NIFTI_NONE, **COMMON, **DOUBLE}[case]
    seed = zlib.crc32(f"{version} {name} {case}".encode())
    return Nifti(
        type=name,
        shape=SHAPE,
        version=version,
        pair=bool(seed & 1),
        byte_order="<>"[seed >> 1 & 1],
        gzip=[None, *GZIPS][(seed >> 2) % (len(GZIPS) + 1)],
        slope=slope,
        inter=inter,
        seed=seed,
    )


@pytest.mark.parametrize("version, case", CASES, ids=lambda value: str(value))
@pytest.mark.parametrize("name", NIFTI_NUMBERS)
def test_scaled(version, case, name, tmp_path):
    file = _file(version, name, case)
    scaling, stored = file.scaling, file.stored()
    assert scaling.neutral == (case in NIFTI_NONE)
    path = file.write(tmp_path)
    second = nibabel.load(path).dataobj
    with Proxy.open(path) as proxy:
        check_description(proxy, name, SHAPE, scaling)
        assert lib().ap_is_scaled(proxy.handle) == (not scaling.neutral)
        for requested in [None, "disk", *(TYPES[other].dtype for other in NUMBERS)]:
            check_whole(proxy, name, stored, scaling, requested, second)
        check_indices(proxy, name, stored, scaling, np.random.default_rng(1), 5, second)
        raw = proxy.read_all("float32", READ_RAW)
        assert_same(raw, expected(name, stored, requested="f4"), "raw as float32")
        if not has_opinion(name, scaling):
            # Results that NiBabel gives as longdouble: float64, with a warning.
            assert proxy.warnings


@pytest.mark.parametrize("requested", ["f4", "f8", "c16", "i2"])
@pytest.mark.parametrize("name", ["int16", "float32", "complex64"])
def test_parts_asked_for_as_another_type(name, requested, tmp_path):
    """A part is the part of the whole, whatever the type."""
    file = Nifti(type=name, shape=SHAPE, slope=0.37, inter=-2.5, byte_order=">")
    with Proxy.open(file.write(tmp_path)) as proxy:
        rng = np.random.default_rng(2)
        arguments = name, file.stored(), file.scaling, rng, 40, None
        check_indices(proxy, *arguments, np.dtype(requested))


@pytest.mark.parametrize("inter", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("version", [1, 2])
def test_good_slope_with_bad_intercept_is_refused(version, inter, tmp_path):
    path = Nifti(version=version, slope=2.0, inter=inter).write(tmp_path)
    with pytest.raises(nibabel.spatialimages.HeaderDataError):
        nibabel.load(path)
    with pytest.raises(ApError) as caught:
        Proxy.open(path)
    assert caught.value.name == "AP_ERR_HEADER"


def test_scaled_rgb_is_read_as_stored(tmp_path):
    for name in ("rgb24", "rgba32"):
        file = Nifti(type=name, slope=2.0, inter=1.0)
        with Proxy.open(file.write(tmp_path, name)) as proxy:
            check_whole(proxy, name, file.stored(), Scaling())
            assert lib().ap_is_scaled(proxy.handle) == 0
            assert proxy.warnings
