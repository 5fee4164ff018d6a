"""AFNI's datasets, NiBabel's own and made ones: factors of sub-bricks, names, attributes."""

import gzip
import math
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel import aff2axcodes
from nibabel.brikhead import AFNIHeader, AFNIImage, parse_AFNI_header

from afni import CODES, Afni, attribute
from capi import READ_RAW, lib
from checks import check_description, check_whole, fails
from compare import assert_same
from eltypes import TYPES
from indices import nibabel_reads, random_index
from model import Scaling, cast, expected, scaled
from packings import CODECS, PACKINGS
from proxy import Proxy

NIBABELS = Path(nibabel.__file__).parent / "tests" / "data"
EXAMPLES = {"example4d+orig": ".BRIK.gz", "scaled+tlrc": ".BRIK"}
EACH_CODEC = pytest.mark.parametrize("codec", CODECS)


@pytest.mark.parametrize("given", ["HEAD", "BRIK"])
@pytest.mark.parametrize("name", EXAMPLES)
def test_nibabels_own(name, given):
    head = NIBABELS / f"{name}.HEAD"
    path = head if given == "HEAD" else NIBABELS / f"{name}{EXAMPLES[name]}"
    image = nibabel.load(path)
    with Proxy.open(path, strict=1) as proxy:
        assert proxy.format == "afni"
        assert proxy.warnings == []
        assert proxy.shape == image.shape and len(proxy.shape) == 4
        assert proxy.header == head.read_bytes()
        assert proxy.zooms() == tuple(map(float, image.header.get_zooms()))
        np.testing.assert_array_equal(proxy.affine()[0], image.affine)
        assert proxy.codec == ("gzip" if EXAMPLES[name].endswith("gz") else "none")
        whole = np.asarray(image.dataobj)
        assert_same(proxy.read_all(), whole)
        assert_same(proxy.read_all("disk"), np.asarray(image.dataobj.get_unscaled()))
        assert_same(proxy.read_all("f8", order="C"), image.get_fdata())
        rng = np.random.default_rng(3)
        for _ in range(20):
            index = random_index(rng, proxy.shape)
            assert_same(proxy.read(index), np.asarray(whole[index]), f"{index}")
        check_attributes(proxy, head)


def check_attributes(proxy, head):
    info = parse_AFNI_header(str(head))
    assert proxy.field_names == [*info, "space_unit", "time_unit", "orientation"]
    for name, value in info.items():
        if isinstance(value, str):
            assert proxy.field_text(name) == value
            fails("AP_ERR_UNSUPPORTED", proxy.field_ints, name)
            fails("AP_ERR_UNSUPPORTED", proxy.field_reals, name)
            continue
        values = value if isinstance(value, list) else [value]
        assert proxy.field_reals(name) == values
        assert len(proxy.field_text(name).split(", ")) == len(values)
        if all(isinstance(x, int) for x in values):
            assert proxy.field_ints(name) == values
        else:
            fails("AP_ERR_UNSUPPORTED", proxy.field_ints, name)
    assert proxy.field_text("space_unit") == "mm"
    units = {77001: "msec", 77002: "sec", 77003: "hz"}
    code = info["TAXIS_NUMS"][2] if "TAXIS_NUMS" in info else 0
    assert proxy.field_text("time_unit") == units.get(code, "unknown")
    assert proxy.field_text("orientation") == "".join(aff2axcodes(proxy.affine()[0]))
    fails("AP_ERR_ARGUMENT", proxy.field_ints, "NOT_THERE")


@pytest.mark.parametrize("name, wrong", [("datatype", "BRICK_TYPES"), ("attribute", "BYTEORDER")])
def test_nibabels_bad_ones(name, wrong, tmp_path):
    """Refused with or without an image."""
    head = NIBABELS / f"bad_{name}+orig.HEAD"
    image = (NIBABELS / "example4d+orig.BRIK.gz").read_bytes()
    (tmp_path / "a.BRIK.gz").write_bytes(image)
    (tmp_path / "a.HEAD").write_bytes(head.read_bytes())
    for path in (head, tmp_path / "a.HEAD", tmp_path / "a.BRIK.gz"):
        message = fails("AP_ERR_HEADER", Proxy.open, path)
        assert wrong in message and "(byte " in message


# Of five sub-bricks: those that the header has.
FACS = {
    "none": None,
    "zero": [0] * 5,
    "one": [0.25] * 5,
    "of 1": [1] * 5,
    "each": [0.25, 3, -1e-7, 1.7, 1],
    "some 0": [0, 2, 0, 0.1, 2],
    "few": [0.5, 3],
    "1 to be filled up": [1, 1],
}


def in_full(file):
    """What a read gives, sub-brick by sub-brick."""
    facs = file.facs or []
    if not any(facs):
        return expected(file.type, file.stored())
    facs = [x or 1 for x in facs] + [1] * (file.shape[3] - len(facs))
    stored = file.stored()
    with np.errstate(all="ignore"):
        scalings = [Scaling(x, -0.0, arithmetic="double") for x in facs]
        bricks = [scaled(stored[..., i], scaling) for i, scaling in enumerate(scalings)]
    return np.stack(bricks, axis=3)


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("facs", FACS)
@EACH_CODEC
@pytest.mark.parametrize("type", CODES)
def test_factors_of_sub_bricks(type, codec, facs, byte_order, tmp_path):
    file = Afni(type, (7, 4, 6, 5), byte_order, packing=codec, seed=len(facs), facs=FACS[facs])
    if file.facs is None:
        file.fields = {"BRICK_FLOAT_FACS": None}
    path, whole, stored = file.write(tmp_path), in_full(file), file.stored()
    image = file.nibabel(path)
    rng = np.random.default_rng(len(codec + facs))
    with file.open(path, strict=1) as proxy:
        assert proxy.byte_order == byte_order and proxy.codec == PACKINGS[codec].codec
        assert proxy.type == type and proxy.auto_dtype == whole.dtype
        is_scaled = any(file.facs or [])
        assert lib().ap_is_scaled(proxy.handle) == is_scaled
        for order in "FC":
            assert_same(proxy.read_all(order=order), whole)
            assert_same(proxy.read_all("disk", order=order), stored, exact_nan=True)
            for requested in ("f4", "f8", "i2", "u1"):
                with np.errstate(all="ignore"):
                    want = cast(whole, requested)
                assert_same(proxy.read_all(requested, order=order), want, requested)
            assert_same(proxy.read_all("f4", READ_RAW), expected(type, stored, requested="f4"))
        indices = [(..., i) for i in (0, 3, -1)] + [(2, 3, 1), (..., slice(None, None, -2))]
        for index in [*indices, *(random_index(rng, file.shape) for _ in range(15))]:
            got = proxy.read(index)
            assert_same(got, np.asarray(whole[index]), f"{index}")
            if type != "complex64" and nibabel_reads(index, file.shape):
                assert_same(got, np.asarray(image.dataobj[index]), f"{index} NiBabel")
        with proxy.slice((slice(1, 5), ..., slice(1, 4))) as part:
            assert_same(part.read_all(), whole[1:5, ..., 1:4])
        with proxy.reshape((28, -1)) as flat:
            assert_same(flat.read_all(), whole.reshape((28, -1), order="F"))
        # Sub-bricks that do not mean the same would be split.
        if np.prod(proxy.scale_shape) > 1:
            fails("AP_ERR_UNSUPPORTED", proxy.reshape, (5, -1))
        theirs = np.asarray(image.dataobj)
        if type == "complex64":
            # By 1, too, they multiply in full: infinities make NaN. Signs of zeros may differ.
            fine = np.isfinite(whole)
            assert_same(*(np.where(fine, x, 0) + 0 for x in (proxy.read_all(), theirs)))
        else:
            assert_same(proxy.read_all(), theirs)
            assert_same(proxy.read_all("f8"), image.get_fdata())
        theirs = image.dataobj.scaling
        assert (theirs is not None) == is_scaled
        if is_scaled:
            slopes, inters = proxy.scales
            assert slopes.shape in [(), (1, 1, 1, 5)]
            np.testing.assert_array_equal(np.broadcast_to(slopes, (1, 1, 1, 5)).ravel(), theirs)
            assert not inters.any() and not np.signbit(inters).any()


def test_blocks_have_no_one_offset(tmp_path):
    file = Afni(shape=(3, 4, 5, 2), facs=[1, 2])
    with file.open(file.write(tmp_path)) as proxy:
        assert proxy.scale_shape == (1, 1, 1, 2)
        assert lib().ap_data_offset(proxy.handle) < 0


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".zst"])
@pytest.mark.parametrize("head, brik", [("HEAD", "BRIK"), ("head", "brik")])
def test_names(head, brik, suffix, tmp_path):
    """Either file is given. The header is not compressed, the image in any way."""
    codec = dict(zip(["", ".gz", ".bz2", ".zst"], CODECS))[suffix]
    file = Afni(packing=codec)
    header, image = file.packed()
    for stem in ("a+orig", "A.B+tlrc"):
        paths = [tmp_path / f"{stem}.{head}", tmp_path / f"{stem}.{brik}{suffix}"]
        paths[0].write_bytes(header)
        paths[1].write_bytes(image)
        for path in paths:
            with Proxy.open(path) as proxy:
                assert proxy.format == "afni" and proxy.warnings == []
                check_whole(proxy, "int16", file.stored(), Scaling())
            theirs = AFNIImage.from_filename(path)
            assert_same(file.stored()[..., :], np.asarray(theirs.dataobj))


def test_a_compressed_header(tmp_path):
    """NiBabel takes none."""
    file = Afni()
    header, image = file.parts()
    (tmp_path / "a.HEAD.gz").write_bytes(gzip.compress(header))
    (tmp_path / "a.BRIK.gz").write_bytes(gzip.compress(image))
    for name in ("a.HEAD.gz", "a.BRIK.gz"):
        with Proxy.open(tmp_path / name) as proxy:
            check_whole(proxy, "int16", file.stored(), Scaling())
            assert proxy.header == header


def test_other_names(tmp_path):
    """The content tells what it is."""
    file = Afni()
    header, image = file.packed()
    for name in ("a.txt", "b", "c.nii", "d.mgh", "e.hdr"):
        path = tmp_path / name
        path.write_bytes(header)
        assert path.stem in fails("AP_ERR_NOT_FOUND", Proxy.open, path)
        path.with_suffix(".brik").write_bytes(image)
        with Proxy.open(path) as proxy:
            assert proxy.format == "afni"
            check_whole(proxy, "int16", file.stored(), Scaling())
    for content in (b"", b"no header", b"type = integer-attribute", bytes(400)):
        (tmp_path / "f.HEAD").write_bytes(content)
        with pytest.raises(Exception) as caught:
            Proxy.open(tmp_path / "f.HEAD")
        assert caught.value.name in ("AP_ERR_HEADER", "AP_ERR_FORMAT")


def test_without_a_place(tmp_path):
    """NiBabel refuses these; the data can be read."""
    for name in ("IJK_TO_DICOM_REAL", "DELTA"):
        for value in (None, [1.0, 2.0]):
            file = Afni(fields={name: value})
            path = file.write(tmp_path)
            with file.open(path) as proxy:
                assert len(proxy.warnings) == 1 and name in proxy.warnings[0]
                check_whole(proxy, "int16", file.stored(), Scaling())
                if name == "DELTA":
                    assert proxy.zooms() == (1, 1, 1, 2.25)
                else:
                    assert name in fails("AP_ERR_HEADER", proxy.affine)
            assert name in fails("AP_ERR_HEADER", file.open, path, strict=1)
    file = Afni(fields={"TAXIS_FLOATS": None, "TAXIS_NUMS": None})
    path = file.write(tmp_path)
    with file.open(path, strict=1) as proxy:
        assert proxy.zooms() == tuple(map(float, file.nibabel(path).header.get_zooms()))
        assert proxy.field_text("time_unit") == "unknown"


REFUSED = [
    ("BYTEORDER_STRING", None), ("BRICK_TYPES", None), ("DATASET_RANK", None),
    ("DATASET_DIMENSIONS", None), ("BRICK_TYPES", [1, 3]), ("BRICK_TYPES", [2]),
    ("BRICK_TYPES", [4]), ("BRICK_TYPES", "1"), ("DATASET_RANK", [3]),
    ("BRICK_FLOAT_FACS", [1.0, 2.0, 3.0]),
]  # fmt: skip


@pytest.mark.parametrize("name, value", REFUSED, ids=str)
def test_what_nibabel_refuses_too(name, value, tmp_path):
    file = Afni(shape=(5, 4, 3, 2), fields={name: value})
    path = file.write(tmp_path)
    with pytest.raises(Exception):
        AFNIImage.from_filename(path)
    byte = file.byte_of(name) if value else len(file.header())
    message = fails("AP_ERR_HEADER", file.open, path)
    assert str(path) in message and f"(byte {byte})" in message and name in message


def test_byte_order_of_no_name(tmp_path):
    file = Afni(fields={"BYTEORDER_STRING": "NATIVE"})
    path = file.write(tmp_path)
    with file.open(path) as proxy:
        assert proxy.byte_order == "<" and len(proxy.warnings) == 1
        check_whole(proxy, "int16", file.stored(), Scaling(), None, file.nibabel(path).dataobj)


def test_attributes(tmp_path):
    """Made ones, with lines that end as on Windows, too."""
    texts = {"QUOTES": "'a' 'b'", "EMPTY": "", "TILDES": "#0~#1", "NUMBER": "12"}
    numbers = {"ONE": [7], "REAL": [1.5], "ODD": [1e-300, -0.0, math.inf, 3.0], "BIG": [2**62]}
    file = Afni(fields=texts | numbers)
    path = file.write(tmp_path)
    for windows in (False, True):
        if windows:
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        with file.open(path, strict=1) as proxy:
            check_attributes(proxy, path)
            check_description(proxy, "int16", file.shape, Scaling())
    two = file.header() + attribute("ONE", [8]).encode()
    path.write_bytes(two)
    with file.open(path) as proxy:
        assert proxy.field_ints("ONE") == [8] and len(proxy.warnings) == 1
        assert AFNIHeader(parse_AFNI_header(str(path))).info["ONE"] == 8


def test_complex_numbers_are_two_singles(tmp_path):
    file = Afni("complex64", (3, 4, 5, 2))
    path = file.write(tmp_path)
    with file.open(path) as proxy:
        assert proxy.type == "complex64" and TYPES[proxy.type].dtype.itemsize == 8
        assert_same(proxy.read_all(), file.stored())


def test_compress_is_named(tmp_path):
    """Nothing here reads what Unix's compress makes."""
    file = Afni("uint8", (5, 4, 3, 2))
    header, image = file.parts()
    head, packed = tmp_path / "a.HEAD", tmp_path / "a.BRIK.Z"
    head.write_bytes(header)
    packed.write_bytes(b"\x1f\x9d\x90" + bytes(40))
    for path in (head, packed):
        message = fails("AP_ERR_UNSUPPORTED", Proxy.open, path)
        assert f"{packed}: " in message and "compress (.Z)" in message
    fails("AP_ERR_UNSUPPORTED", file.open_sources, (header, packed.read_bytes()))
    fails("AP_ERR_UNSUPPORTED", Proxy.open_source, packed.read_bytes())
    # Data may begin so, too.
    begin = b"\x1f\x9d\x90" + image[3:]
    with file.open_sources((header, begin)) as proxy:
        assert proxy.read((slice(3), 0, 0, 0)).tolist() == [0x1F, 0x9D, 0x90]
