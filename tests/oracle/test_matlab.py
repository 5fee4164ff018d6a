"""SPM's affines in .mat files beside an image, against NiBabel, which asks SciPy."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.io

import matlab
from analyze import Analyze
from capi import AFFINE_BASE
from checks import check_whole, fails
from matlab import array5, cell5, level4, level5, matrix5, sparse5, struct5, text5
from model import Scaling
from nifti import Nifti
from packings import CODECS, PACKINGS

FLAVOURS = pytest.mark.parametrize("flavour", ["spm99", "spm2"])
MAT = np.array(
    [[-2.1, 0.05, 0.3, 91.7], [0.01, 2.2, -0.4, -127.1], [0.2, 0.35, 1.9, -73.3], [0, 0, 0, 1]]
)
M = MAT * [[1.25], [1], [1.5], [1]]
OTHER = np.arange(12.0).reshape(3, 4)


def _near(got, want):
    """The translation is a sum, in which NumPy's order of steps is open."""
    np.testing.assert_array_equal(got[:, :3], want[:, :3])
    np.testing.assert_allclose(got[:, 3], want[:, 3], rtol=1e-15, atol=1e-13)


def _check(content, folder, flavour="spm2", **what):
    """Open with such a .mat file beside the image; NiBabel's affine and the warnings."""
    file = Analyze(flavour=flavour, **what)
    path = file.write(folder)
    path.with_suffix(".mat").write_bytes(content)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        image = file.nibabel(path)
    with file.open(path) as proxy:
        got, code = proxy.affine()
        _near(got, image.affine)
        assert code == 0
        np.testing.assert_array_equal(proxy.affine(AFFINE_BASE)[0], image.header.get_base_affine())
        assert proxy.warnings == [] or said
        return got, proxy.warnings


def _saved(**variables):
    """As SciPy writes a file: variables by name, and options that begin with an underscore."""
    options = {name[1:]: variables.pop(name) for name in list(variables) if name[0] == "_"}
    out = io.BytesIO()
    scipy.io.savemat(out, variables, **options)
    return out.getvalue()


SCIPYS = {
    "level 4": {"_format": "4"},
    "level 5": {"_format": "5"},
    "level 5 compressed": {"_format": "5", "_do_compression": True},
}


@FLAVOURS
@pytest.mark.parametrize("writer", SCIPYS)
@pytest.mark.parametrize("names", [["mat"], ["M"], ["mat", "M"], ["M", "mat"]], ids=str)
def test_written_by_scipy(names, writer, flavour, tmp_path):
    both = {"mat": MAT, "M": M}
    content = _saved(**{name: both[name] for name in names}, **SCIPYS[writer])
    got, said = _check(content, tmp_path, flavour)
    turned = MAT if "mat" in names else np.diag([-1, 1, 1, 1]) @ M
    np.testing.assert_array_equal(got[:, :3], turned[:, :3])
    assert not said


LEVEL_5 = {
    "plain": lambda *variables, byte_order: level5(*variables, byte_order=byte_order),
    "compressed": lambda *variables, byte_order: level5(
        *variables, byte_order=byte_order, compressed=True
    ),
}
EACH_ORDER = pytest.mark.parametrize("byte_order", "<>")
EACH_LEVEL_5 = pytest.mark.parametrize("write", LEVEL_5)


@EACH_ORDER
@pytest.mark.parametrize("kind", matlab.LEVEL_4)
@pytest.mark.parametrize("name", ["mat", "M"])
def test_types_of_level_4(name, kind, byte_order, tmp_path):
    matrix = (abs(MAT) if kind[0] == "u" else MAT).astype(kind)
    _check(level4({"a": OTHER, name: matrix, "b": OTHER}, byte_order), tmp_path)


@EACH_ORDER
@EACH_LEVEL_5
@pytest.mark.parametrize("kind", matlab.CLASSES)
def test_types_of_level_5(kind, write, byte_order, tmp_path):
    """Each class, each type that its numbers may be stored in."""
    whole = np.arange(16.0).reshape(4, 4)
    own = MAT if kind[0] == "f" else np.rint(abs(MAT))
    variables = [matrix5("mat", own.astype(kind), byte_order, small=s) for s in (True, False)]
    variables += [matrix5("mat", whole.astype(kind), byte_order, s) for s in matlab.STORED]
    for variable in variables:
        _check(LEVEL_5[write](variable, byte_order=byte_order), tmp_path)


def _others(byte_order):
    """Variables of every kind that may stand before an affine."""
    number = matrix5("", np.arange(3.0).reshape(1, 3), byte_order)
    empty = np.zeros((0, 0))
    return {
        "text": text5("Comment", "mat = not this", byte_order),
        "empty text": text5("e", "", byte_order),
        "cell": cell5("cells", [number, matrix5("mat", MAT, byte_order)], byte_order),
        "struct": struct5("mat_", ["mat", "M"], [number, number], byte_order),
        "sparse": sparse5("sparse", byte_order),
        "logical": matrix5("flag", np.ones((1, 1), "u1"), byte_order, flags=matlab.LOGICAL),
        "complex": matrix5("z", OTHER + 1j, byte_order),
        "bytes": matrix5("bytes", np.arange(5, dtype="u1").reshape(1, 5), byte_order),
        "empty": matrix5("none", empty, byte_order),
        "empty by one": matrix5("no_rows", np.zeros((0, 4)), byte_order),
        "global": matrix5("g", OTHER, byte_order, flags=matlab.GLOBAL),
        "scalar": matrix5("x", np.ones((1, 1)), byte_order, stored="u1"),
        "large": matrix5("large", np.ones((100, 70)), byte_order),
        "another affine": matrix5("Mat", -MAT, byte_order),
        "long name": matrix5("mat" * 21, -MAT, byte_order),
        "cube": matrix5("cube", np.ones((2, 3, 4, 5)), byte_order),
    }


@EACH_ORDER
@EACH_LEVEL_5
@pytest.mark.parametrize("case", [*_others("<"), "all"])
def test_other_variables_before(case, write, byte_order, tmp_path):
    others = _others(byte_order)
    before = list(others.values()) if case == "all" else [others[case]]
    for flags in (0, matlab.GLOBAL):
        variable = matrix5("M", M, byte_order, flags=flags)
        _check(LEVEL_5[write](*before, variable, *before, byte_order=byte_order), tmp_path)


@EACH_ORDER
def test_other_variables_of_level_4(byte_order, tmp_path):
    def mixed(*parts):
        return b"".join(level4({name: array}, byte_order, kind) for name, array, kind in parts)

    sparse = np.array([[1, 1, 5.0], [4, 4, 0.0]])
    text = np.frombuffer(b"not the mat", "u1").astype("f8")[None]
    content = mixed(
        ("text", text, 1),
        ("sparse", sparse, 2),
        ("empty", np.zeros((0, 0)), 0),
        ("z", OTHER * 1j, 0),
        ("mat", MAT, 0),
    )
    _check(content, tmp_path)


@pytest.mark.parametrize("writer", SCIPYS)
def test_of_two_with_one_name_the_last_counts(writer, tmp_path):
    """As SciPy has it, with a warning."""
    if writer == "level 4":
        content = level4({"mat": M}) + level4({"mat": MAT})
    else:
        two = matrix5("mat", M), matrix5("mat", MAT)
        content = level5(*two, compressed=writer.endswith("compressed"))
    got, _ = _check(content, tmp_path)
    np.testing.assert_array_equal(got[:, :3], MAT[:, :3])


@FLAVOURS
@EACH_ORDER
@EACH_LEVEL_5
def test_one_affine_for_each_volume(write, byte_order, flavour, tmp_path):
    """The first counts, with a warning."""
    for count in (1, 2, 30):
        stack = np.stack([MAT + i for i in range(count)], axis=-1)
        variable = matrix5("mat", stack, byte_order)
        content = LEVEL_5[write](variable, byte_order=byte_order)
        got, said = _check(content, tmp_path, flavour)
        np.testing.assert_array_equal(got[:, :3], MAT[:, :3])
        assert said


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("upper", [False, True], ids=["lower", "upper"])
def test_names(upper, codec, tmp_path):
    """Beside the file that was opened, compressed as it is or not at all."""
    file = Analyze(packing=codec)
    suffix = PACKINGS[codec].suffix
    names = {"hdr": None, "img": None, "mat": level4({"mat": MAT})}
    names["hdr"], names["img"] = file.parts()
    for packed in sorted({suffix, ""}):
        folder = tmp_path / f"packed{packed}"
        folder.mkdir()
        for end, content in names.items():
            own = suffix if end != "mat" else packed
            name = f"image.{end}{own}"
            pack = PACKINGS[codec].pack if own else bytes
            (folder / (name.upper() if upper else name)).write_bytes(pack(content))
        for end in ("hdr", "img"):
            name = f"image.{end}{suffix}"
            path = folder / (name.upper() if upper else name)
            with file.open(path) as proxy:
                np.testing.assert_array_equal(proxy.affine()[0][:, :3], MAT[:, :3])
                if packed == suffix:
                    _near(proxy.affine()[0], file.nibabel(path).affine)


@pytest.mark.parametrize("flavour", ["analyze", "spm99", "spm2"])
def test_which_formats_have_one(flavour, tmp_path):
    """Analyze has none, whatever is in it; nor have sources without a name."""
    file = Analyze(flavour=flavour)
    path = file.write(tmp_path)
    path.with_suffix(".mat").write_bytes(level4({"mat": MAT}))
    with file.open(path) as proxy, file.open_sources(file.packed()) as nameless:
        found = proxy.affine()[0][0, 0] == MAT[0, 0]
        assert found == (flavour != "analyze")
        assert nameless.affine()[0][0, 0] == -2
        np.testing.assert_array_equal(proxy.affine(AFFINE_BASE)[0], nameless.affine()[0])
        _near(proxy.affine()[0], file.nibabel(path).affine)


def test_where_none_is_sought(tmp_path):
    """Not beside NIfTI, and not compressed where the image is not."""
    for file in (Nifti(pair=True), Analyze()):
        path = file.write(tmp_path)
        for packing in PACKINGS.values():
            if file.format == "nifti1-pair" or packing.suffix:
                mat = path.with_suffix(f".mat{packing.suffix}")
                mat.write_bytes(packing.pack(level4({"mat": MAT})))
        with file.open(path) as proxy:
            assert proxy.affine()[0][0, 0] == -2
        path.with_suffix(".mat").unlink(missing_ok=True)


def test_a_folder_of_that_name(tmp_path):
    file = Analyze()
    path = file.write(tmp_path)
    path.with_suffix(".mat").mkdir()
    with file.open(path) as proxy:
        assert len(proxy.warnings) == 1
        fails("AP_ERR_IO", proxy.affine)
        check_whole(proxy, "int16", file.stored(), Scaling())
    fails("AP_ERR_IO", file.open, path, strict=1)


@FLAVOURS
def test_an_empty_file_changes_nothing(flavour, tmp_path):
    got, said = _check(b"", tmp_path, flavour)
    assert got[0, 0] == -2 and not said


FSL = b"1.0 0.0 0.0 90.0\n0.0 1.0 0.0 -126.0\n0.0 0.0 1.0 -72.0\n0.0 0.0 0.0 1.0\n"
GOOD = level5(matrix5("mat", MAT))
PACKED = level5(matrix5("mat", MAT), compressed=True)
USELESS = {
    "an affine of FSL": FSL,
    "a short text": b"1 0 0\n",
    "zeros": bytes(500),
    "level 5 without variables": GOOD[:128],
    "neither variable": level5(text5("x", "y"), matrix5("Mat", MAT)),
    "neither variable, level 4": level4({"m": MAT, "matM": MAT}),
    "3 by 4": level5(matrix5("mat", OTHER)),
    "3 by 4, level 4": level4({"mat": OTHER}),
    "4 by 4 by 2 by 2": level5(matrix5("mat", np.ones((4, 4, 2, 2)))),
    "16 numbers": level5(matrix5("mat", np.ones((1, 16)))),
    "no numbers": level5(matrix5("mat", np.ones((4, 0)))),
    "complex": level5(matrix5("mat", MAT + 1j)),
    "complex, level 4": level4({"mat": MAT + 1j}),
    "text": level5(array5("mat", matlab.CHAR, (4, 4), matlab.numbers(np.ones((4, 4), "u2")))),
    "text, level 4": level4({"mat": MAT}, kind=1),
    "sparse": level5(sparse5("mat")),
    "sparse, level 4": level4({"mat": MAT}, kind=2),
    "a cell": level5(cell5("mat", [matrix5("", MAT)] * 16)),
    "a good M beside a bad mat": level5(matrix5("M", M), matrix5("mat", OTHER)),
    "cut in the header": GOOD[:100],
    "cut in a tag": GOOD[:133],
    "cut in the numbers": GOOD[:-40],
    "cut, level 4": level4({"mat": MAT})[:-1],
    "cut, compressed": PACKED[:-20],
    "another level": GOOD[:124] + b"\x00\x03" + GOOD[126:],
    "another mark": GOOD[:126] + b"MM" + GOOD[128:],
    "level 7.3": GOOD[:124] + b"\x00\x02" + GOOD[126:],
    "another element": GOOD[:128] + b"\x07" + GOOD[129:],
    "no zlib stream": PACKED[:136] + b"\xff" * 8 + PACKED[144:],
    "level 4 of VAX": level4({"mat": MAT})[:1].replace(b"\0", b"\xd0") + b"\x07\0\0" + bytes(200),
}


@FLAVOURS
@pytest.mark.parametrize("case", USELESS)
def test_useless_files(case, flavour, tmp_path):
    """Only the affine is unknown, and a warning says why; NiBabel refuses the image."""
    file = Analyze(flavour=flavour)
    path = file.write(tmp_path)
    mat = path.with_suffix(".mat")
    mat.write_bytes(USELESS[case])
    # Of level 7.3 all is well but that it cannot be read.
    error = "AP_ERR_UNSUPPORTED" if case == "level 7.3" else "AP_ERR_HEADER"
    with file.open(path) as proxy:
        assert len(proxy.warnings) == 1 and str(mat) in proxy.warnings[0]
        for _ in range(2):
            assert str(mat) in fails(error, proxy.affine)
        assert proxy.affine(AFFINE_BASE)[0][0, 0] == -2
        assert proxy.zooms() == (2, 3, 4)
        check_whole(proxy, "int16", file.stored(), Scaling())
    assert str(mat) in fails(error, file.open, path, strict=1)


MATLABS = sorted((Path(scipy.io.__file__).parent / "matlab/tests/data").glob("*.mat"))


def _load(content):
    """What SciPy finds; None where it fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return scipy.io.loadmat(io.BytesIO(content))
        except Exception:
            return None


def _own(content):
    """Our matrix as a variable to append to a file."""
    if content[124:128] in (b"\0\1IM", b"\1\0MI"):
        return matrix5("mat", MAT, "<" if content[126:].startswith(b"IM") else ">")
    return level4({"mat": MAT}, ">" if content[0] == 0 and content[3] else "<")


def test_there_are_files_of_matlab():
    assert len(MATLABS) > 90


@pytest.mark.parametrize("source", MATLABS, ids=lambda path: path.stem)
def test_files_of_matlab(source, tmp_path):
    """Written by Matlab of many versions, damaged ones among them: as they are, and with our
    matrix behind theirs, which is found if SciPy finds it."""
    file = Analyze()
    path = file.write(tmp_path)
    content = source.read_bytes()
    for added in (b"", _own(content)):
        path.with_suffix(".mat").write_bytes(content + added)
        loaded = _load(content + added)
        wanted = loaded is not None and "mat" in loaded
        with file.open(path) as proxy:
            if wanted:
                np.testing.assert_array_equal(proxy.affine()[0][:, :3], MAT[:, :3])
                continue
            # What SciPy fails at may be no hindrance on the way to the matrix.
            if added and not proxy.warnings:
                assert loaded is None
                np.testing.assert_array_equal(proxy.affine()[0][:, :3], MAT[:, :3])
                continue
            assert str(path.with_suffix(".mat")) in proxy.warnings[0]
            fails("AP_ERR_UNSUPPORTED" if "hdf5" in source.stem else "AP_ERR_HEADER", proxy.affine)
