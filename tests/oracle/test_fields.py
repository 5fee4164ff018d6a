"""Headers' fields by name, in numbers and in words, against NiBabel's structs."""

import math
import struct

import nibabel
import nibabel.ecat
import numpy as np
import pytest
from nibabel import aff2axcodes
from nibabel.freesurfer.mghformat import MGHHeader
from nibabel.freesurfer.mghformat import data_type_codes as mgh_types
from nibabel.nifti1 import (
    data_type_codes, intent_codes, slice_order_codes, unit_codes, xform_codes
)  # fmt: skip
from nibabel.volumeutils import Recoder

from analyze import Analyze
from capi import AFFINE_BASE, ApError
from checks import fails
from ecat import Ecat
from layouts import LayoutFile
from mgh import FOOTER, Mgh
from nifti import Nifti
from packings import CODECS
from proxy import Proxy
from test_real import IMAGES

HEADERS = {
    "nifti1": nibabel.Nifti1Header,
    "nifti1-pair": nibabel.Nifti1Pair.header_class,
    "nifti2": nibabel.Nifti2Header,
    "nifti2-pair": nibabel.Nifti2Pair.header_class,
    "analyze": nibabel.AnalyzeHeader,
    "spm99": nibabel.Spm99AnalyzeImage.header_class,
    "spm2": nibabel.Spm2AnalyzeImage.header_class,
    "mgh": MGHHeader,
    "ecat": nibabel.ecat.EcatHeader,
}
DERIVED = ["space_unit", "time_unit", "orientation"]
FOOTER_NAMES = ["tr", "flip_angle", "te", "ti", "fov"]
# Those that decide whether and where there is an array.
FIXED = "sizeof_hdr magic eol_check dim datatype bitpix vox_offset scl_slope scl_inter glmin"
FIXED = [*FIXED.split(), "version", "dims", "type", "magic_number", "sw_version", "num_frames"]

EACH_FORMAT = pytest.mark.parametrize("format", HEADERS)


def file_of(format, byte_order="<", **what):
    if format == "mgh":
        return Mgh(**what)
    if format == "ecat":
        return Ecat(byte_order=byte_order, **what)
    if format.startswith("nifti"):
        pair = format.endswith("-pair")
        return Nifti(version=int(format[5]), pair=pair, byte_order=byte_order, **what)
    return Analyze(flavour=format, byte_order=byte_order, **what)


def theirs(format, content, byte_order, footer=FOOTER):
    """NiBabel's struct over the same bytes; its classes change some fields on the way."""
    dtype = HEADERS[format].template_dtype.newbyteorder(byte_order)
    if format == "mgh":
        # The footer follows in it.
        content = content[: dtype.itemsize - len(footer)] + footer
    return np.frombuffer(content, dtype, 1)[0]


def text_of(raw, size):
    """Of the bytes that NumPy has of `size`; it leaves out zeros at their end."""
    text = raw.split(b"\0")[0]
    try:
        return text.decode()
    except UnicodeDecodeError:
        pass
    if len(text) == size:
        # Cut within a character, which others before it show it to be.
        for cut in (1, 2, 3):
            if cut <= size and text[-cut] >= 0xC0:
                try:
                    whole = text[:-cut].decode()
                except UnicodeDecodeError:
                    break
                if not whole.isascii() and _begins_a_character(text[-cut:]):
                    return whole
                break
    return text.decode("latin-1")


def _begins_a_character(part):
    try:
        part.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False


def check_field(proxy, name, value):
    """One against NumPy's value of it, whose type tells the kind."""
    kind, values = value.dtype.kind, value.ravel()
    if kind == "S":
        raw = value.tobytes()
        assert proxy.field_text(name) == text_of(raw, len(raw))
        fails("AP_ERR_UNSUPPORTED", proxy.field_ints, name)
        fails("AP_ERR_UNSUPPORTED", proxy.field_reals, name)
        return
    with np.errstate(invalid="ignore"):
        wide = values.astype("f8")
    np.testing.assert_array_equal(proxy.field_reals(name), wide, name)
    if kind in "iu":
        assert proxy.field_ints(name) == [int(n) for n in values], name
        return
    fails("AP_ERR_UNSUPPORTED", proxy.field_ints, name)
    parts = proxy.field_text(name).split(", ")
    for part, number in zip(parts, values, strict=True):
        if np.isnan(number):
            assert part == "NaN"
            continue
        assert values.dtype.type(part) == number, (name, part)
        # Not one digit more than it takes; of several that are as near, any.
        digits = np.format_float_scientific(number, unique=True)
        assert len(significant(part)) == len(significant(digits)), (name, part, digits)


def significant(text):
    """The digits of a number that count."""
    text = text.lower().lstrip("-").split("e")[0]
    return text if "inf" in text else text.replace(".", "").strip("0")


# The fields of ECAT's subheaders are beside those of its header.
FRAMES = [name for name in nibabel.ecat.subhdr_dtype.names if not name.startswith("fill")]


def names_of(format):
    own = HEADERS[format].template_dtype.names
    return [*own, *(FRAMES if format == "ecat" else []), *DERIVED]


def check_all(proxy, stored):
    assert proxy.field_names == names_of(proxy.format)
    for name in stored.dtype.names:
        check_field(proxy, name, np.asarray(stored[name]))


@EACH_FORMAT
def test_names(format):
    """Those of NiBabel's struct, in its order, and what is derived."""
    with open_it(file_of(format)) as proxy:
        assert proxy.field_names == names_of(format)
        for name in ("", "no such field", "DIM", "space_unit "):
            for ask in (proxy.field_ints, proxy.field_reals, proxy.field_text):
                message = fails("AP_ERR_ARGUMENT", ask, name)
                assert f"'{name}'" in message and f"format {format}" in message


def test_layouts_have_none():
    file = LayoutFile()
    with file.open_sources(file.packed()) as proxy:
        assert proxy.field_names == []
        assert "layout" in fails("AP_ERR_ARGUMENT", proxy.field_text, "orientation")
        assert proxy.extensions == []


def open_it(file, contents=None):
    """From memory. Of some, content does not tell the format."""
    options = {"format": file.format} if file.format in ("analyze", "spm99", "mgh") else {}
    return Proxy.open_source(*(contents or file.parts()), **options)


@pytest.mark.parametrize("byte_order", "<>")
@EACH_FORMAT
def test_random_headers(format, byte_order):
    """Any bytes in all the fields that do not make it another array."""
    byte_order = ">" if format == "mgh" else byte_order
    file = file_of(format, byte_order)
    first, *rest = file.parts()
    dtype = HEADERS[format].template_dtype.newbyteorder(byte_order)
    size = min(dtype.itemsize, len(first) - 4)
    if format == "mgh":
        size -= 20
    for seed in range(60):
        random = np.random.default_rng(seed)
        # Small numbers and texts, or anything.
        most = [256, 3, 128][seed % 3]
        content = bytearray(first)
        content[:size] = random.integers(0, most, size, "u1").tobytes()
        for name in set(FIXED) & set(dtype.names):
            kind, at = dtype.fields[name][:2]
            content[at : at + kind.itemsize] = first[at : at + kind.itemsize]
        content = bytes(content)
        with open_it(file, (content, *rest)) as proxy:
            assert proxy.byte_order == byte_order
            check_all(proxy, theirs(format, content, byte_order))


def _labels(pairs):
    return Recoder(pairs, fields=("code", "label"))


LABELS = [
    ("datatype", data_type_codes, "nifti"),
    ("intent_code", intent_codes, "nifti"),
    ("qform_code", xform_codes, "nifti"),
    ("sform_code", xform_codes, "nifti"),
    ("slice_code", slice_order_codes, "nifti"),
    ("datatype", nibabel.analyze.data_type_codes, ("analyze", "spm99", "spm2")),
    ("type", mgh_types, "mgh"),
    ("file_type", _labels(nibabel.ecat.ft_defs), "ecat"),
    ("patient_orientation", _labels(nibabel.ecat.patient_orient_defs), "ecat"),
]


@pytest.mark.parametrize("byte_order", "<>")
@EACH_FORMAT
def test_codes(format, byte_order):
    """Every code that has a name, and some that have none."""
    file = file_of(format, ">" if format == "mgh" else byte_order)
    dtype = HEADERS[format].template_dtype.newbyteorder(file.byte_order)
    first, *rest = file.parts()
    seen = 0
    for name, codes, formats in LABELS:
        if not (format.startswith(formats) if formats == "nifti" else format in formats):
            continue
        known = codes.value_set()
        for code in sorted(known) + [7, 2010, -3]:
            kind, at = dtype.fields[name][:2]
            if not np.iinfo(kind).min <= code <= np.iinfo(kind).max:
                continue
            stored = np.array(code, kind).tobytes()
            content = first[:at] + stored + first[at + kind.itemsize :]
            # Wide enough for any type.
            try:
                proxy = open_it(file, (content, *rest))
            except ApError as error:
                assert name in ("datatype", "type") and error.name == "AP_ERR_HEADER"
                continue
            with proxy:
                assert proxy.field_ints(name) == [code]
                want = codes.label[code] if code in known else str(code)
                assert proxy.field_text(name) == want
                seen += 1
    assert seen >= {"nifti": 90, "mgh": 5}.get(format[:5], 7)


@pytest.mark.parametrize("version", [1, 2])
def test_units(version):
    """Every pair of units, and codes that NiBabel fails at."""
    file = Nifti(version=version)
    (content,) = file.parts()
    kind, at = HEADERS[f"nifti{version}"].template_dtype.fields["xyzt_units"][:2]
    for code in [*range(256), *([256, 2**31 - 1, -1, -8] if version == 2 else [])]:
        stored = np.array(code, kind.newbyteorder("<")).tobytes()
        with open_it(file, (content[:at] + stored + content[at + kind.itemsize :],)) as proxy:
            parts = code % 8, code - code % 8
            label = unit_codes.label
            space, time = (label[p] if p in unit_codes.value_set() else str(p) for p in parts)
            assert proxy.field_text("space_unit") == space
            assert proxy.field_text("time_unit") == time
            assert proxy.field_text("xyzt_units") == f"{space}, {time}"
            assert proxy.field_ints("xyzt_units") == [code]
            for name in ("space_unit", "time_unit", "orientation"):
                fails("AP_ERR_UNSUPPORTED", proxy.field_ints, name)
                fails("AP_ERR_UNSUPPORTED", proxy.field_reals, name)


@pytest.mark.parametrize("format", ["analyze", "spm99", "spm2", "mgh", "ecat"])
def test_units_that_formats_imply(format):
    with open_it(file_of(format)) as proxy:
        assert proxy.field_text("space_unit") == "mm"
        assert proxy.field_text("time_unit") == {"mgh": "msec"}.get(format, "unknown")


@pytest.mark.parametrize("version", [1, 2])
def test_dim_info(version):
    file = Nifti(version=version)
    (content,) = file.parts()
    header = HEADERS[f"nifti{version}"]
    at = header.template_dtype.fields["dim_info"][1]
    for code in range(256):
        changed = content[:at] + bytes([code]) + content[at + 1 :]
        axes = header(changed[: header.sizeof_hdr], "<", check=False).get_dim_info()
        told = zip(("freq", "phase", "slice"), axes)
        want = ", ".join(f"{name} {axis}" for name, axis in told if axis is not None)
        with open_it(file, (changed,)) as proxy:
            assert proxy.field_text("dim_info") == want
            assert proxy.field_ints("dim_info") == [code]


TEXTS = [b"", b"plain", b"\0hidden", b"two\0parts", "Grün".encode(), b"Gr\xfcn", b"\xff" * 80]
TEXTS += ["日本語".encode(), b"x" * 78 + "ü".encode(), b"x" * 79 + b"\xc3", b"a\0\xff"]
# Cut by the field's end.
TEXTS += ["é".encode() * 39 + b"x\xc3", "語".encode() * 26 + b"\xe8\xaa"]


@pytest.mark.parametrize("raw", TEXTS)
@pytest.mark.parametrize("format", [name for name in HEADERS if name not in ("mgh", "ecat")])
def test_texts(format, raw):
    file = file_of(format)
    first, *rest = file.parts()
    kind, at = HEADERS[format].template_dtype.fields["descrip"][:2]
    assert kind.itemsize == 80
    content = first[:at] + raw.ljust(80, b"\0") + first[at + 80 :]
    with open_it(file, (content, *rest)) as proxy:
        assert proxy.field_text("descrip") == text_of(raw, 80)


def _matrices():
    random = np.random.default_rng(5)
    for _ in range(400):
        yield random.normal(size=(3, 3)) * 10 ** random.uniform(-3, 3, 3)
    # Near to straight axes, as scanners have them, and sheared.
    for _ in range(200):
        order = np.eye(3)[random.permutation(3)] * random.choice([-1, 1], 3)
        yield (order + random.normal(size=(3, 3)) * 0.2) * random.uniform(0.5, 4, 3)
    # Of fewer dimensions.
    for _ in range(100):
        flat = random.normal(size=(3, 3))
        flat[:, random.integers(3)] = 0
        yield flat
    for _ in range(100):
        line = np.zeros((3, 3))
        line[:, random.integers(3)] = random.normal(size=3)
        yield line
    # Two axes alike but for their length, and one that is a mix of both others.
    for _ in range(100):
        plane = random.normal(size=(3, 3)) * [1, 1, 0]
        a, b = random.normal(size=2)
        plane[:, 2] = a * plane[:, 0] + b * plane[:, 1]
        yield plane[:, random.permutation(3)]
    yield np.zeros((3, 3))
    yield np.diag([1e-30, 1e30, 1])
    yield np.diag([1.0, -1, 0])


def _ties(matrix):
    """Whether NiBabel's answer hangs on the last bits: on which singular values are zero, or
    which of two numbers is larger."""
    zooms = np.sqrt((matrix**2).sum(0))
    zooms[zooms == 0] = 1
    p, s, q = np.linalg.svd(matrix / zooms)
    if ((s > s.max() * 1e-17) & (s < s.max() * 1e-10)).any():
        s[s < s.max() * 1e-10] = 0
        small = np.linalg.svd(matrix / zooms)[1]
        if (small[s == 0] > 2e-16 * small.max()).any():
            return True
    keep = s > s.max() * 1e-12
    r = np.abs(p[:, keep] @ q[keep])
    if not (r > 1e-8).any():
        return False
    sizes = np.sort(r[r > 1e-8].ravel())
    return (np.diff(sizes) < 1e-9).any() and len(set(np.round(sizes, 9)) - {1.0}) > 0


@pytest.mark.parametrize("version", [1, 2])
def test_orientation(version):
    """By NiBabel's own numbers, whatever the precision of the file makes of them."""
    asked = letters = 0
    for matrix in _matrices():
        rows = np.column_stack([matrix, [1, 2, 3]])
        fields = {"sform_code": 1, "srow": rows.ravel().tolist()}
        file = Nifti(version=version, fields=fields)
        with open_it(file) as proxy:
            affine = proxy.affine()[0]
            if _ties(affine[:3, :3]):
                continue
            want = "".join(code or "?" for code in aff2axcodes(affine))
            assert proxy.field_text("orientation") == want, affine
        asked += 1
        letters += "?" in want
    assert asked > 700 and letters > 150, (asked, letters)


def test_orientation_of_what_is_no_affine():
    for number in (math.nan, math.inf, -math.inf):
        srow = [1, 0, 0, 0, 0, number, 0, 0, 0, 0, 1, 0]
        with open_it(Nifti(fields={"sform_code": 1, "srow": srow})) as proxy:
            assert proxy.field_text("orientation") == "???"
    # A quaternion that cannot be: the affine's error.
    fields = {"qform_code": 1, "quatern": [1.0, 1.0, 0.0]}
    with open_it(Nifti(fields=fields)) as proxy:
        fails("AP_ERR_HEADER", proxy.affine)
        assert "byte 256" in fails("AP_ERR_HEADER", proxy.field_text, "orientation")
        assert proxy.field_reals("quatern_b") == [1]


@EACH_FORMAT
def test_orientation_of_formats(format, tmp_path):
    with open_it(file_of(format)) as proxy:
        best, _ = proxy.affine()
        assert proxy.field_text("orientation") == "".join(aff2axcodes(best))
        base, _ = proxy.affine(AFFINE_BASE)
        assert aff2axcodes(base) == tuple("LAS")


FOOTERS = [FOOTER, b"", FOOTER[:4], FOOTER[:19], struct.pack(">5f", 1, -2, 3e-7, math.nan, 1e30)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("footer", FOOTERS, ids=lambda footer: f"{len(footer)}-{footer[:4].hex()}")
def test_footers(footer, codec, tmp_path):
    """What is missing of one is zero."""
    for shape in [(5, 4, 3), (5, 4, 3, 2)]:
        file = Mgh(shape=shape, footer=footer, packing=codec)
        want = np.frombuffer(footer[: len(footer) // 4 * 4].ljust(20, b"\0"), ">f4")
        if len(footer) == 19:
            want = np.frombuffer(footer + b"\0", ">f4")
        with file.open(file.write(tmp_path)) as proxy:
            for name, number in zip(FOOTER_NAMES, want):
                np.testing.assert_array_equal(proxy.field_reals(name), [number])
                check_field(proxy, name, np.array(number, "f4"))


def test_names_do_not_read_the_footer(tmp_path):
    """Only the value of one does: what stands before it is damaged."""
    file = Mgh("uint8", (50, 60, 40, 3), packing="gzip")
    path = file.write(tmp_path)
    content = bytearray(path.read_bytes())
    content[-2000:-1000] = bytes(1000)
    path.write_bytes(content)
    with file.open(path) as proxy:
        assert proxy.field_names[8:13] == FOOTER_NAMES
        assert proxy.field_ints("dims") == [50, 60, 40, 3]
        assert proxy.field_text("orientation") and proxy.field_text("type") == "uint8"
        fails("AP_ERR_CODEC", proxy.field_text, "tr")


@pytest.mark.parametrize("path", IMAGES)
def test_real_images(path):
    image = nibabel.load(path)
    cifti = isinstance(image, nibabel.Cifti2Image)
    header = image.nifti_header if cifti else image.header
    with Proxy.open(path) as proxy:
        footer = b""
        if proxy.format == "mgh":
            footer = b"".join(header[name].astype(">f4").tobytes() for name in FOOTER_NAMES)
        check_all(proxy, theirs(proxy.format, proxy.header, proxy.byte_order, footer))
        best = header.get_best_affine()
        assert proxy.field_text("orientation") == "".join(aff2axcodes(best))
        if proxy.format == "mgh":
            assert proxy.field_text("type") == mgh_types.label[int(header["type"])]
            return
        space, time = header.get_xyzt_units()
        assert (proxy.field_text("space_unit"), proxy.field_text("time_unit")) == (space, time)
        stored = HEADERS[proxy.format](proxy.header, proxy.byte_order, check=False)
        for name in ("datatype", "intent_code", "qform_code", "sform_code", "slice_code"):
            assert proxy.field_text(name) == stored.get_value_label(name)


def test_clones_and_reshaped():
    with open_it(Nifti()) as proxy, proxy.clone() as clone, proxy.reshape((-1,)) as flat:
        for other in (clone, flat):
            assert other.field_names == proxy.field_names
            for name in proxy.field_names:
                assert other.field_text(name) == proxy.field_text(name)
