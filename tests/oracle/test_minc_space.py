"""MINC's axes in space, and its arrays cut, reshaped and in series, beside AFNI's."""

import itertools
from io import BytesIO

import numpy as np
import pytest
from nibabel.externals.netcdf import netcdf_file
from nibabel.minc1 import Minc1File

from afni import Afni
from capi import AFFINE_BASE, AFFINE_QFORM, lib
from checks import fails
from compare import assert_same
from indices import random_index
from minc import NAMES, Minc1, load, ranges
from minc2 import Minc2
from model import Scaling, scaled
from packings import CODECS, PACKINGS
from proxy import Proxy
from test_minc1 import SHAPE, check

ORDERS = {
    "xyz": ("xspace", "yspace", "zspace"),
    "yzx": ("yspace", "zspace", "xspace"),
    "zxy": ("zspace", "xspace", "yspace"),
    "txyz": ("time", "xspace", "yspace", "zspace"),
    "ztyx": ("zspace", "time", "yspace", "xspace"),
    "yxtz": ("yspace", "xspace", "time", "zspace"),
    "zyxt": ("zspace", "yspace", "xspace", "time"),
    "5": ("echo", "time", "zspace", "yspace", "xspace"),
    "vectors": ("zspace", "yspace", "xspace", "vector_dimension"),
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("order", ORDERS)
def test_orders_of_axes(order, codec, tmp_path):
    names = ORDERS[order]
    shape = (2, 5, 4, 3, 6)[: len(names)]
    file = Minc1("int16", shape, names=names, packing=codec, **ranges(shape[:1]))
    path = file.write(tmp_path)
    image = load(path)
    with Proxy.open(path, strict=1) as proxy:
        assert proxy.codec == PACKINGS[codec].codec
        check(proxy, file, path)
        np.testing.assert_array_equal(proxy.affine()[0], file.affine())
        np.testing.assert_array_equal(image.affine, file.affine())
        with netcdf_file(BytesIO(file.parts()[0])) as theirs:
            assert proxy.zooms() == Minc1File(theirs).get_zooms()
        sizes = [proxy.zooms()[axis] for axis in file.spatial]
        middles = [(shape[axis] - 1) / 2 for axis in file.spatial]
        base = np.diag([-sizes[0], *sizes[1:], 1.0])
        base[:3, 3] = [sizes[0] * middles[0], *(-s * m for s, m in zip(sizes[1:], middles[1:]))]
        np.testing.assert_array_equal(proxy.affine(AFFINE_BASE)[0], base)
        fails("AP_ERR_UNSUPPORTED", proxy.affine, AFFINE_QFORM)
        check_parts_in_space(proxy, file)


def check_parts_in_space(proxy, file):
    """Axes that are not of space may go; those of space may be cut and turned."""
    other = [0 if axis not in file.spatial else slice(None) for axis in range(len(file.shape))]
    turned = list(other)
    turned[file.spatial[1]] = slice(None, None, -2)
    change = np.eye(4)
    change[1, 1], change[1, 3] = -2, file.shape[file.spatial[1]] - 1
    for index, want in [(other, file.affine()), (turned, file.affine() @ change)]:
        with proxy.slice(tuple(index)) as part:
            np.testing.assert_array_equal(part.affine()[0], want)
            assert_same(part.read_all(), file.scaled()[tuple(index)])
    for axis in file.spatial:
        index = (slice(None),) * axis + (0,)
        with proxy.slice(index) as part:
            fails("AP_ERR_UNSUPPORTED", part.affine)
    with proxy.slice((None,)) as part:
        fails("AP_ERR_UNSUPPORTED", part.affine)
    with proxy.slice((..., None)) as part:
        np.testing.assert_array_equal(part.affine()[0], file.affine())


DEFAULTS = {
    "steps": ({f"{name}:step": None for name in NAMES[3]}, ()),
    "starts": ({f"{name}:start": None for name in NAMES[3]}, ()),
    "cosines": ({f"{name}:direction_cosines": None for name in NAMES[3]}, ()),
    "one cosine": ({"yspace:direction_cosines": None}, ()),
    "integers": ({"xspace:step": np.array([-3], "i4"), "yspace:start": np.array([7], "i2")}, ()),
    "singles": ({"zspace:step": np.array([0.1], "f4")}, ()),
    "zero": ({"zspace:step": np.array([0.0])}, ()),
}


@pytest.mark.parametrize("fields, without", DEFAULTS.values(), ids=DEFAULTS)
def test_places_by_default(fields, without, tmp_path):
    file = Minc1("uint8", (5, 4, 3), fields=fields, without=without)
    path = file.write(tmp_path)
    with Proxy.open(path, strict=1) as proxy:
        np.testing.assert_array_equal(proxy.affine()[0], load(path).affine)
        with netcdf_file(BytesIO(file.parts()[0])) as theirs:
            assert proxy.zooms() == Minc1File(theirs).get_zooms()


def test_without_a_place(tmp_path):
    """NiBabel refuses these; the data can be read."""
    strange = {"names": ("zspace", "wspace", "xspace")}
    bad = {"fields": {"yspace:direction_cosines": np.array([1.0, 2.0])}}
    for name, what in {
        "three axes": {"names": ("time", "yspace", "xspace")},
        "wspace": strange,
        "yspace": bad,
        "three axes ": {"shape": (5, 4), "names": NAMES[2]},
        "three axes  ": {"shape": (2, 3, 4, 5), "names": ("aspace", *NAMES[3])},
    }.items():
        file = Minc1("uint8", **what)
        path = file.write(tmp_path)
        with pytest.raises(Exception):
            load(path)
        with Proxy.open(path) as proxy:
            assert len(proxy.warnings) == 1 and name.strip() in proxy.warnings[0]
            check(proxy, file)
            assert name.strip() in fails("AP_ERR_HEADER", proxy.affine)
        message = fails("AP_ERR_HEADER", Proxy.open, path, strict=1)
        where = name if name.endswith("space") else "image"
        assert f"(byte {file.byte_of(where)})" in message


def test_dimensions_without_variables(tmp_path):
    """They have the places that MINC gives them; NiBabel refuses them."""
    file = Minc1("int16", (5, 4, 3), without=NAMES[3])
    path = file.write(tmp_path)
    with pytest.raises(KeyError):
        load(path)
    with Proxy.open(path, strict=1) as proxy:
        check(proxy, file)
        assert proxy.zooms() == (1, 1, 1)
        want = [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
        assert proxy.affine()[0].tolist() == want


@pytest.mark.parametrize("spacing", ["irregular", "", "odd"])
def test_irregular_spacing(spacing, tmp_path):
    """NiBabel refuses it."""
    file = Minc1("int16", SHAPE, fields={"time:spacing": spacing})
    path = file.write(tmp_path)
    with pytest.raises(ValueError):
        load(path)
    with Proxy.open(path) as proxy:
        assert len(proxy.warnings) == 1
        assert "time" in proxy.warnings[0] and f"'{spacing}'" in proxy.warnings[0]
        check(proxy, file)
        assert proxy.zooms()[0] == 2.25
    message = fails("AP_ERR_HEADER", Proxy.open, path, strict=1)
    assert f"(byte {file.byte_of('time')})" in message


def test_irregular_spacing_with_its_values(tmp_path):
    """A variable of a dimension may have its places, which come in records as well."""
    places = np.array([0.0, 1.0, 4.0, 9.0, 16.0, 25.0])
    what = {"more": {"time": (("time",), places)}, "fields": {"time:spacing": "irregular"}}
    file = Minc1("int16", SHAPE, records=True, **what, **ranges(SHAPE[:1]))
    with Proxy.open(file.write(tmp_path)) as proxy:
        assert "irregular" in proxy.warnings[0]
        check(proxy, file)


def test_reshapes_may_not_split_ranges(tmp_path):
    file = Minc1("int16", SHAPE, **ranges(SHAPE[:2]))
    want = file.scaled()
    with Proxy.open(file.write(tmp_path)) as proxy:
        for shape in [(30, 12), (30, 4, 3), (6, 5, 12), (2, 3, 5, 2, 6), (15, 2, 12), (10, 36)]:
            with proxy.reshape(shape) as other:
                assert_same(other.read_all(), want.reshape(shape), f"{shape}")
        for shape in [(9, 40), (4, 90), (40, 9), (8, 45), (5, 8, 9)]:
            fails("AP_ERR_UNSUPPORTED", proxy.reshape, shape)
        fails("AP_ERR_ARGUMENT", proxy.reshape, (7, -1))
    plain = Minc1("int16", SHAPE, **ranges(()))
    with plain.open_sources(plain.packed()) as proxy, proxy.reshape((9, 40)) as other:
        assert_same(other.read_all(), plain.scaled().reshape((9, 40)))


def test_factors_of_parts(tmp_path):
    file = Minc1("int16", SHAPE, **ranges(SHAPE[:2]))
    slopes = np.broadcast_to(file.factors()[0][:, :, None, None], SHAPE)
    rng = np.random.default_rng(4)
    with Proxy.open(file.write(tmp_path)) as proxy:
        for _ in range(60):
            index = random_index(rng, SHAPE)
            left = np.asarray(slopes[index])
            if left.size == 0:
                continue
            with proxy.slice(index) as part:
                assert_same(part.read_all(), np.asarray(file.scaled()[index]), f"{index}")
                found = part.scales[0]
                assert found.ndim in (0, left.ndim)
                assert_same(np.array(np.broadcast_to(found, left.shape)), left, f"{index}")


def series(files, folder):
    return Proxy.open_series([file.write(folder, f"f{i}") for i, file in enumerate(files)])


@pytest.mark.parametrize("overs", [(1, 1, 1), (2, 2), (0, 1, 2), (1, 0), (0, 0, 0), (2, 0, 1, 3)])
@pytest.mark.parametrize("names", ["zyx", "tzyx"])
def test_series(names, overs, tmp_path):
    """The new axis is first; files may have ranges over other axes than others."""
    shape = (5, 4, 3) if names == "zyx" else SHAPE
    files = [
        Minc1("int16", shape, packing=CODECS[i % 4], seed=i, valid=(-99, 1000 * i),
              **ranges(shape[: min(over, len(shape))], i))
        for i, over in enumerate(overs)
    ]  # fmt: skip
    want = np.stack([file.scaled() for file in files])
    rng = np.random.default_rng(len(overs))
    with series(files, tmp_path) as proxy:
        assert proxy.shape == want.shape
        assert lib().ap_order(proxy.handle) == ord("C")
        rest = (1,) * (len(shape) - max(overs))
        assert proxy.scale_shape == (len(files), *shape[: max(overs)], *rest)
        for order in "FC":
            assert_same(proxy.read_all(order=order), want)
        for _ in range(40):
            index = random_index(rng, want.shape)
            assert_same(proxy.read(index), np.asarray(want[index]), f"{index}")
        np.testing.assert_array_equal(proxy.affine()[0], files[0].affine())
        with files[0].open(tmp_path / "f0.mnc") as first:
            assert proxy.zooms() == (1.0, *first.zooms())
        with proxy.slice((1,)) as one:
            assert_same(one.read_all(), want[1])
            np.testing.assert_array_equal(one.affine()[0], files[0].affine())
        with proxy.slice((slice(None, None, -1),)) as turned:
            assert_same(turned.read_all(), want[::-1])
            np.testing.assert_array_equal(turned.affine()[0], files[0].affine())
        shape = (len(files) * shape[0], *shape[1:])
        with proxy.reshape(shape) as flat:
            assert_same(flat.read_all(), want.reshape(shape))


def test_series_of_records(tmp_path):
    """Where slices lie at other steps in each file."""
    files = [Minc1("uint8", (3, 3, 3, 3), records=True, seed=i, **ranges((3,)[:i], i))
             for i in (0, 1)]  # fmt: skip
    with series(files, tmp_path) as proxy:
        assert_same(proxy.read_all(), np.stack([file.scaled() for file in files]))
    files.append(Minc1("uint8", (3, 3, 3, 3), seed=9))
    with series(files, tmp_path) as proxy:
        assert_same(proxy.read_all(), np.stack([file.scaled() for file in files]))


CHUNKS = [(8, 4, 6), (4, 4, 3), (8, 6, 6), None, (1, 9, 12)]


@pytest.mark.parametrize("pair", list(itertools.permutations(CHUNKS, 2)), ids=str)
def test_series_of_other_chunks(pair, tmp_path):
    files = [
        Minc2("int16", (8, 9, 12), seed=i, how=chunks and {"chunks": chunks, "compression": 1})
        for i, chunks in enumerate(pair)
    ]
    want = np.stack([file.scaled() for file in files])
    rng = np.random.default_rng(5)
    with series(files, tmp_path) as proxy:
        assert_same(proxy.read_all(), want)
        for _ in range(20):
            index = random_index(rng, want.shape)
            assert_same(proxy.read(index), np.asarray(want[index]), f"{index}")


EACH = [1, 2, 3]


@pytest.mark.parametrize("facs", [(EACH, [0.5, 2, 3]), (EACH, [0] * 3), ([0] * 3, EACH)], ids=str)
def test_series_of_afni(facs, tmp_path):
    """Factors of sub-bricks of each file."""
    files = [Afni("int16", (5, 4, 2, 3), seed=i, facs=one) for i, one in enumerate(facs)]
    parts = []
    for file in files:
        scalings = [Scaling(x, -0.0, arithmetic="double") for x in file.facs]
        plain = not any(file.facs)
        parts.append(np.stack([
            file.stored()[..., i] if plain else scaled(file.stored()[..., i], scaling)
            for i, scaling in enumerate(scalings)
        ], axis=3))  # fmt: skip
    want = np.stack(parts, axis=4)
    rng = np.random.default_rng(1)
    with series(files, tmp_path) as proxy:
        assert proxy.shape == (5, 4, 2, 3, 2)
        assert proxy.scale_shape == (1, 1, 1, 3, 2)
        assert_same(proxy.read_all(), want)
        for _ in range(30):
            index = random_index(rng, want.shape)
            assert_same(proxy.read(index), np.asarray(want[index]), f"{index}")
