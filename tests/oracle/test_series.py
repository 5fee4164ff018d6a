"""Series of files against numpy.stack and NiBabel's concat_images."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from capi import lib
from checks import fails
from compare import assert_same
from eltypes import NIFTI_NUMBERS
from formats import FORMATS
from indices import random_index
from model import expected
from nifti import Nifti
from packings import CODECS
from proxy import Proxy

OWN = Path(__file__).resolve().parents[1] / "data"
STORED_IN_FILES = [name for name in FORMATS if name != "layout"]
FACTORS = [(1.0, 0.0), (0.37, -2.5), (2.0, 0.0), (0.0, 3.0), (1.0, 4.0)]


def _write(files, folder):
    return [file.write(folder, f"f{i}") for i, file in enumerate(files)]


def _stacked(files, requested=None):
    """What NumPy makes of all files, each scaled by its own factors."""
    parts = [expected(f.type, f.stored(), f.scaling, requested) for f in files]
    return np.stack(parts, axis=-1 if files[0].order == "F" else 0)


def _check_reads(proxy, files, rng, count=20, requested=None):
    want = _stacked(files, requested)
    assert proxy.shape == want.shape
    for order in "FC":
        assert_same(proxy.read_all(requested, order=order), want, f"{requested} {order}")
    for _ in range(count):
        index = random_index(rng, want.shape)
        part = np.asarray(want[index])
        assert proxy.slice_shape(index) == part.shape
        got = proxy.read(index, requested, order="FC"[rng.integers(2)])
        assert_same(got, part, f"[{index}] {requested}")


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("format", STORED_IN_FILES)
def test_formats(format, codec, tmp_path):
    row = FORMATS[format]
    for count, shape in [(1, (5, 4, 3)), (4, (5, 4, 3)), (3, (5, 4, 3, 2))]:
        files = [
            row.file("int16", shape, row.byte_orders[i % len(row.byte_orders)], *row.factors,
                     packing=CODECS[(i + CODECS.index(codec)) % 4], seed=i)
            for i in range(count)
        ]  # fmt: skip
        folder = tmp_path / f"{count}"
        folder.mkdir()
        paths = _write(files, folder)
        rng = np.random.default_rng(count)
        for options in ({}, {"open_files": 1}, {"keep_open": 0, "threads": 2}):
            with Proxy.open_series(paths, **files[0].options | options) as proxy:
                assert proxy.format == files[0].format
                assert proxy.codec == ("none" if codec == "plain" else codec)
                assert proxy.header == files[0].header()
                assert proxy.type == files[0].type
                assert proxy.scale_shape == ()
                scaling = files[0].scaling
                assert proxy.factors == (scaling.slope * scaling.more, scaling.inter)
                if count > 1:
                    assert lib().ap_data_offset(proxy.handle) == -13
                _check_reads(proxy, files, rng)
                with files[0].open(paths[0]) as first:
                    np.testing.assert_array_equal(proxy.affine()[0], first.affine()[0])
                    at = 0 if files[0].order == "F" else 1
                    assert proxy.zooms()[at : at + 3] == first.zooms()[:3]


@pytest.mark.parametrize("type", NIFTI_NUMBERS)
def test_scaling_of_each_file(type, tmp_path):
    """The type is the widest of the files' own."""
    for picked in [(0, 1), (1, 2, 0, 4), (0, 3), (3, 0, 2), (1, 1, 1)]:
        files = [
            Nifti(type, (4, 3, 2), "<>"[i % 2], *FACTORS[k], version=2, seed=i)
            for i, k in enumerate(picked)
        ]
        factors = [(f.scaling.slope, f.scaling.inter) for f in files]
        folder = tmp_path / "-".join(map(str, picked))
        folder.mkdir()
        rng = np.random.default_rng(len(picked))
        with Proxy.open_series(_write(files, folder)) as proxy:
            autos = [expected(type, f.stored()[:0], f.scaling).dtype for f in files]
            assert proxy.auto_dtype == np.result_type(*autos)
            assert bool(lib().ap_is_scaled(proxy.handle)) == any(f != (1, 0) for f in factors)
            if len(set(factors)) == 1:
                assert proxy.scale_shape == ()
                assert proxy.factors == factors[0]
            else:
                assert proxy.scale_shape == (1, 1, 1, len(files))
                slopes, inters = proxy.scales
                assert list(zip(slopes.ravel(), inters.ravel())) == factors
            for requested in (None, "disk", "f4", "f8", "c8"):
                _check_reads(proxy, files, rng, 5, requested)


def _regular(count):
    return [
        (24, count),
        (4, 3, 2 * count),
        (4, 3, 2, 2, count // 2),
        (4, 3, 2, count // 2, 2),
        (12, 2 * count),
        (2, 2, 3, 2, count),
        (4, 3, 1, 2, count, 1),
        (-1, count),
    ]


def test_slices_and_reshapes(tmp_path):
    """Proxies of slices of series, and of series in other shapes."""
    count = 6
    files = [Nifti(shape=(4, 3, 2), packing=CODECS[i % 4], seed=i) for i in range(count)]
    stacked = np.asfortranarray(_stacked(files))
    rng = np.random.default_rng(5)
    with Proxy.open_series(_write(files, tmp_path), open_files=2) as proxy:
        for shape in [stacked.shape, *_regular(count)]:
            want = stacked.reshape(shape, order="F")
            with proxy.reshape(shape) as other:
                assert other.shape == want.shape
                assert_same(other.read_all(), want, f"{shape}")
                for _ in range(25):
                    view, part = want, other.clone()
                    chain = []
                    for _ in range(int(rng.integers(1, 4))):
                        index = random_index(rng, view.shape)
                        chain.append(index)
                        view = view[index]
                        with part as parent:
                            part = parent.slice(index)
                    view, context = np.asarray(view), f"{shape} {chain}"
                    with part:
                        assert part.shape == view.shape, context
                        order = "FC"[rng.integers(2)]
                        assert_same(part.read_all(order=order), view, context)
                        index = random_index(rng, view.shape)
                        assert_same(part.read(index), np.asarray(view[index]), context)
        for shape in [(9, 16), (16, 9), (18, 8)]:
            fails("AP_ERR_UNSUPPORTED", proxy.reshape, shape)
        fails("AP_ERR_ARGUMENT", proxy.reshape, (25, -1))


def test_factors_of_slices(tmp_path):
    """Those of the files that are left, in the order in which they are left."""
    files = [Nifti("int16", (4, 3, 2), "<", *FACTORS[k], version=2) for k in (0, 1, 2, 1, 4, 1)]
    want = [np.array([getattr(f.scaling, name) for f in files]) for name in ("slope", "inter")]
    rng = np.random.default_rng(11)
    with Proxy.open_series(_write(files, tmp_path)) as proxy:
        for _ in range(100):
            index = random_index(rng, proxy.shape)
            left = [np.asarray(np.broadcast_to(w, proxy.shape)[index]) for w in want]
            if left[0].size == 0:
                continue
            with proxy.slice(index) as part:
                pairs = set(zip(left[0].ravel(), left[1].ravel()))
                if len(pairs) == 1:
                    assert part.scale_shape == (), index
                    assert part.factors == pairs.pop()
                    continue
                assert len(part.scale_shape) == left[0].ndim
                for found, one in zip(part.scales, left):
                    assert found.size <= 6
                    assert_same(np.array(np.broadcast_to(found, one.shape)), one, f"{index}")


def _image(affine, seed, folder):
    rng = np.random.default_rng(seed)
    data = rng.integers(-99, 99, (5, 4, 3)).astype("i2")
    path = folder / f"i{seed}.nii"
    image = nibabel.Nifti2Image(data, affine)
    image.header.set_slope_inter(1, 0)
    nibabel.save(image, path)
    return path


AFFINE = np.array(
    [[1.5, 0.25, -3, 10], [2, -4, 0.5, 20], [0.0, 1, 8, -30.75], [0, 0, 0, 1]], dtype=float
)


@pytest.mark.parametrize("size", [0, 1e-12, 1e-7, 1e-3, 1.0])
@pytest.mark.parametrize("at", [(0, 0), (1, 1), (2, 3), (2, 0)], ids=str)
def test_affines_that_agree(at, size, tmp_path):
    """As near as NumPy's allclose wants them; NiBabel's concat_images wants them equal."""
    other = AFFINE.copy()
    # One entry is 0, where only absolute nearness counts.
    other[at] += size * (abs(AFFINE[at]) or 1e-3)
    affines = [AFFINE, AFFINE, other, AFFINE]
    paths = [_image(affine, i, tmp_path) for i, affine in enumerate(affines)]
    images = [nibabel.load(path) for path in paths]
    if not np.allclose(other, AFFINE):
        assert "i2.nii" in fails("AP_ERR_HEADER", Proxy.open_series, paths)
        return
    theirs = nibabel.concat_images(images, check_affines=False)
    with Proxy.open_series(paths) as proxy:
        np.testing.assert_array_equal(proxy.affine()[0], theirs.affine)
        # NiBabel's values are float64 whatever the files hold.
        data = np.stack([np.asarray(image.dataobj) for image in images], axis=-1)
        np.testing.assert_array_equal(data, theirs.dataobj)
        assert_same(proxy.read_all(), data)
        assert proxy.shape == theirs.shape
        with proxy.slice((slice(1, None, 2), ..., 2)) as part:
            want = theirs.slicer[1::2, ..., 2]
            np.testing.assert_allclose(part.affine()[0], want.affine, rtol=1e-12)
            assert_same(part.read_all(), data[1::2, ..., 2])


def test_what_must_agree(tmp_path):
    good = Nifti(shape=(4, 3, 2))
    paths = _write([good, replace(good, seed=1)], tmp_path)
    others = {
        "shape": replace(good, shape=(4, 2, 3)),
        "axes": replace(good, shape=(4, 3, 2, 1)),
        "type": replace(good, type="uint16"),
        "wider": replace(good, type="int32"),
        "zooms": replace(good, fields={"pixdim": [1.0, 2.0, 3.5, 4.0, 1.5, 1, 1, 1]}),
        "sform": replace(good, fields={"sform_code": 1, "srow": [1.0, 0, 0, 0] * 3}),
    }
    for name, file in others.items():
        bad = file.write(tmp_path, name)
        assert f"{name}.nii" in fails("AP_ERR_HEADER", Proxy.open_series, [*paths, bad, *paths])
    # These may differ.
    fine = {
        "order": replace(good, byte_order=">"),
        "offset": replace(good, vox_offset=416),
        "version": replace(good, version=2),
        "pair": replace(good, pair=True),
        "scaled": replace(good, slope=0.5),
        "zstd": replace(good, packing="zstd"),
        "time": replace(good, fields={"pixdim": [1.0, 2.0, 3.0, 4.0, 2.5, 1, 1, 1]}),
    }
    files = [good, *fine.values()]
    paths = [file.write(tmp_path, name) for name, file in {"good": good, **fine}.items()]
    with Proxy.open_series(paths) as proxy:
        _check_reads(proxy, files, np.random.default_rng(2))
    fails("AP_ERR_ARGUMENT", Proxy.open_series, [])
    missing = tmp_path / "missing.nii"
    assert "missing.nii" in fails("AP_ERR_NOT_FOUND", Proxy.open_series, [paths[0], missing])


def test_volumes_of_a_real_image(tmp_path):
    """A run of volumes, each written by NiBabel, is the run."""
    image = nibabel.load(OWN / "functional.nii")
    data = np.asarray(image.dataobj.get_unscaled())
    count = min(data.shape[3], 12)
    paths = []
    for i in range(count):
        paths.append(tmp_path / f"v{i}.nii{['', '.gz'][i % 2]}")
        volume = type(image)(data[..., i], image.affine, image.header)
        volume.header.set_slope_inter(1, 0)
        nibabel.save(volume, paths[-1])
    rng = np.random.default_rng(0)
    with Proxy.open_series(paths, open_files=3, threads=2) as proxy:
        want = data[..., :count]
        assert proxy.shape == want.shape
        theirs = nibabel.concat_images([nibabel.load(path) for path in paths])
        np.testing.assert_array_equal(proxy.affine()[0], theirs.affine)
        for index in [(3, 2, 1), (..., -1), *(random_index(rng, want.shape) for _ in range(10))]:
            assert_same(proxy.read(index), np.asarray(want[index]), f"{index}")
