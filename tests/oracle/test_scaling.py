"""Slope and intercept as each format has them: every type on disk, every type asked for."""

import zlib

import nibabel
import numpy as np
import pytest

from analyze import ANALYZE_TYPES, Analyze
from capi import READ_RAW, ApError, lib
from checks import check_description, check_indices, check_whole
from compare import assert_same
from eltypes import NIFTI_NUMBERS, NUMBERS, TYPES
from model import Scaling, expected
from nifti import Nifti
from packings import NOT_NIBABELS, PACKINGS
from proxy import Proxy
from scalings import COMMON, DOUBLE, NIFTI_NONE, NO_INTER, NO_RANGES, RANGES, SINGLE, WRAPPED_RANGES
from second import has_opinion

SHAPE = (9, 5, 4)
ANALYZE_NUMBERS = [name for name in ANALYZE_TYPES if name in NUMBERS]
EACH_TYPE = pytest.mark.parametrize("name", NIFTI_NUMBERS)
EACH_ANALYZE_TYPE = pytest.mark.parametrize("name", ANALYZE_NUMBERS)
FACTORS = {**NIFTI_NONE, **COMMON, **DOUBLE, **SINGLE, **NO_INTER}
NIFTI_CASES = [(1, case) for case in [*NIFTI_NONE, *COMMON]]
NIFTI_CASES += [(2, case) for case in [*NIFTI_NONE, *COMMON, *DOUBLE]]


def _varied(*words):
    """Compression and byte order that vary from case to case, the same ones every time."""
    seed = zlib.crc32(" ".join(map(str, words)).encode())
    packings = [name for name in PACKINGS if name not in NOT_NIBABELS]
    packing = packings[(seed >> 2) % len(packings)]
    return {"byte_order": "<>"[seed >> 1 & 1], "packing": packing, "seed": seed}


def _check(file, folder, ask=True):
    """Description, warnings, and reads of every type; NiBabel is asked if it has an answer."""
    scaling, stored, path = file.scaling, file.stored(), file.write(folder)
    image = file.nibabel(path) if ask else None
    second = image and image.dataobj
    with file.open(path) as proxy:
        check_description(proxy, file.type, SHAPE, scaling)
        assert lib().ap_is_scaled(proxy.handle) == (not scaling.neutral)
        for requested in [None, "disk", *(TYPES[other].dtype for other in NUMBERS)]:
            check_whole(proxy, file.type, stored, scaling, requested, second)
        rng = np.random.default_rng(1)
        check_indices(proxy, file.type, stored, scaling, rng, 5, second)
        raw = proxy.read_all("float32", READ_RAW)
        assert_same(raw, expected(file.type, stored, requested="f4"), "raw as float32")
        # Results that NiBabel gives as longdouble: float64, with a warning.
        assert proxy.warnings or has_opinion(file.type, scaling)
        return proxy.warnings


@EACH_TYPE
@pytest.mark.parametrize("version, case", NIFTI_CASES, ids=str)
def test_nifti(version, case, name, tmp_path):
    varied = _varied(version, name, case)
    pair = bool(varied["seed"] & 1)
    slope, inter = FACTORS[case]
    file = Nifti(name, SHAPE, version=version, pair=pair, slope=slope, inter=inter, **varied)
    assert file.scaling.neutral == (case in NIFTI_NONE)
    _check(file, tmp_path)


@EACH_ANALYZE_TYPE
@pytest.mark.parametrize("case", [*NIFTI_NONE, *COMMON, *SINGLE])
def test_spm99(case, name, tmp_path):
    """A slope of single precision, and no intercept."""
    slope, inter = FACTORS[case]
    varied = _varied("spm99", name, case)
    file = Analyze(name, SHAPE, flavour="spm99", slope=slope, inter=inter, **varied)
    assert file.scaling.neutral == (case in NIFTI_NONE or slope == 1)
    _check(file, tmp_path)


@EACH_ANALYZE_TYPE
@pytest.mark.parametrize("case", [*NIFTI_NONE, *COMMON, *SINGLE, *NO_INTER])
def test_spm2(case, name, tmp_path):
    slope, inter = FACTORS[case]
    file = Analyze(name, SHAPE, slope=slope, inter=inter, **_varied("spm2", name, case))
    assert file.scaling.neutral == (case in NIFTI_NONE or case == "slope-1-nan-inter")
    _check(file, tmp_path)


@EACH_ANALYZE_TYPE
@pytest.mark.parametrize("slope", [0.0, float("nan"), float("-inf")])
@pytest.mark.parametrize("case", [*RANGES, *WRAPPED_RANGES, *NO_RANGES])
def test_ranges_of_spm2(case, slope, name, tmp_path):
    """glmin to glmax mean cal_min to cal_max where the slope means nothing."""
    fields = {**RANGES, **WRAPPED_RANGES, **NO_RANGES}[case]
    varied = _varied("ranges", name, case, slope)
    file = Analyze(name, SHAPE, slope=slope, inter=5.0, fields=fields, **varied)
    nothing = case in [*NO_RANGES, "only-slope-1", "gl-equal", "cal-equal", "none"]
    assert file.scaling.neutral == nothing
    warnings = _check(file, tmp_path, ask=case in RANGES)
    assert bool(warnings) == (case in NO_RANGES)


@pytest.mark.parametrize("name", ANALYZE_TYPES)
def test_analyze_is_never_scaled(name, tmp_path):
    for slope, fields in [(2.5, {}), (0.0, RANGES["plain"])]:
        file = Analyze(name, SHAPE, flavour="analyze", slope=slope, inter=3.0, fields=fields)
        path = file.write(tmp_path)
        with file.open(path) as proxy:
            check_description(proxy, name, SHAPE, Scaling())
            second = file.nibabel(path).dataobj
            check_whole(proxy, name, file.stored(), Scaling(), None, second)
            assert proxy.warnings == []


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


@pytest.mark.parametrize("what", ["rgb24", "rgba32", "spm99", "spm2"])
def test_scaled_rgb_is_read_as_stored(what, tmp_path):
    """NiBabel fails at them."""
    if what.startswith("spm"):
        file = Analyze("rgb24", flavour=what, slope=2.0, inter=1.0)
    else:
        file = Nifti(what, slope=2.0, inter=1.0)
    with file.open(file.write(tmp_path)) as proxy:
        check_whole(proxy, file.type, file.stored(), Scaling())
        assert lib().ap_is_scaled(proxy.handle) == 0
        assert proxy.warnings
