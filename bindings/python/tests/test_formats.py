"""NiBabel's loaders of AFNI, ECAT, PAR/REC and MINC with our proxies, beside NiBabel's own."""

import gzip
import os
import pickle
import re
import struct
import sys
import warnings
from io import BytesIO
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel.brikhead import AFNIArrayProxy, AFNIImage
from nibabel.ecat import EcatImage, EcatImageArrayProxy
from nibabel.fileholders import FileHolder
from nibabel.minc1 import Minc1Image, MincImageArrayProxy
from nibabel.minc2 import Minc2Image
from nibabel.openers import Opener
from nibabel.parrec import PARRECArrayProxy, PARRECImage

import arrayproxy.nibabel
from arrayproxy import ArrayProxy
from arrayproxy.nibabel import FileProxy

NIBABELS = Path(nibabel.__file__).parent / "tests/data"
# NiBabel's own loaders leave their files open.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(autouse=True)
def restored():
    yield
    arrayproxy.nibabel.disable()


def load(image, file, enabled=True, **options):
    """By a path, or by a map of files."""
    (arrayproxy.nibabel.enable if enabled else arrayproxy.nibabel.disable)()
    how = image.from_file_map if isinstance(file, dict) else image.from_filename
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return how(file, **options)


def whole(proxy):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NiBabel's `__array__` has no `copy`
        return np.asarray(proxy)


def leads_to(path):
    """Whether a file is open."""
    found = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return str(path) in [os.readlink(link) for link in found if os.path.islink(link)]


INDICES = [0, (..., -1), (slice(None, None, -2), 1), (..., slice(1, None)), (1, 2, 0),
           (slice(2, 5), None, ..., slice(None, None, 2))]  # fmt: skip


def check(image, file, kind=FileProxy, **options):
    """Ours, and NiBabel's array is what its parts are of."""
    own, ours = load(image, file, False, **options), load(image, file, **options)
    assert type(ours) is type(own) is image
    assert type(ours.dataobj) is kind and ours.dataobj.is_proxy
    assert ours.shape == own.shape == ours.dataobj.shape and ours.dataobj.ndim == len(own.shape)
    if hasattr(own.dataobj, "dtype"):
        assert ours.dataobj.dtype == own.dataobj.dtype
    want = whole(own.dataobj)
    got = np.asarray(ours.dataobj)
    np.testing.assert_array_equal(got, want)
    assert got.dtype == want.dtype
    for dtype in (np.float64, np.float32):
        np.testing.assert_array_equal(ours.get_fdata(dtype=dtype), want.astype(dtype))
        ours.uncache()
    for index in INDICES:
        np.testing.assert_array_equal(ours.dataobj[index], want[index])
    if hasattr(own.dataobj, "get_unscaled"):
        stored = ours.dataobj.get_unscaled()
        np.testing.assert_array_equal(stored, own.dataobj.get_unscaled())
    np.testing.assert_array_equal(ours.affine, own.affine)
    if image is not EcatImage:
        assert ours.header.get_zooms() == own.header.get_zooms()
        assert ours.get_data_dtype() == own.get_data_dtype()
    return ours


def check_theirs(image, file, kind, **options):
    """NiBabel's proxy, as it is by itself."""
    found = load(image, file, **options)
    assert type(found.dataobj) is kind
    want = whole(load(image, file, False, **options).dataobj)
    np.testing.assert_array_equal(whole(found.dataobj), want)


def files(image, header=None):
    """File objects."""
    holders = {"image": FileHolder(fileobj=BytesIO(Path(image).read_bytes()))}
    if header:
        holders["header"] = FileHolder(fileobj=Opener(header, "rt"))
    return holders


OWN = [
    *((AFNIImage, name, ArrayProxy) for name in ("example4d+orig.HEAD", "example4d+orig.BRIK.gz")),
    *((AFNIImage, name, FileProxy) for name in ("scaled+tlrc.HEAD", "scaled+tlrc.BRIK")),
    (EcatImage, "tinypet.v", FileProxy),
    *((PARRECImage, f"phantom_{name}", FileProxy)
      for name in ("EPI_asc_CLEAR_2_1.PAR", "varscale.PAR", "varscale.REC")),
    *((Minc1Image, f"{name}.mnc", FileProxy)
      for name in ("tiny", "minc1_1_scale", "minc1_4d", "minc1-no-att")),
    *((Minc2Image, f"{name}.mnc", FileProxy)
      for name in ("small", "minc2_1_scale", "minc2_4d", "minc2-no-att", "minc2-4d-d")),
]  # fmt: skip


@pytest.mark.parametrize(
    "image, name, kind", OWN, ids=lambda value: getattr(value, "__name__", value)
)
def test_nibabels_own_files(image, name, kind):
    ours = check(image, NIBABELS / name, kind)
    again = pickle.loads(pickle.dumps(ours.dataobj))
    np.testing.assert_array_equal(again[0], ours.dataobj[0])
    if image is not EcatImage:  # which `nibabel.load` does not know
        assert type(nibabel.load(NIBABELS / name).dataobj) is kind
        arrayproxy.nibabel.disable()
        assert type(nibabel.load(NIBABELS / name).dataobj) is not kind


@pytest.mark.parametrize("name", ["scaled+tlrc.BRIK", "phantom_varscale.REC", "tiny.mnc"])
def test_no_file_stays_open(name):
    """Unless that is asked for. NiBabel's ECAT images have theirs."""
    arrayproxy.nibabel.enable()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        image = nibabel.load(NIBABELS / name)
    assert told == []  # as of a file that was left open
    assert not leads_to(NIBABELS / name)
    image.dataobj[0]
    assert not leads_to(NIBABELS / name)
    if not name.endswith("REC"):
        kept = nibabel.load(NIBABELS / name, keep_file_open=True)
        kept.dataobj[0]
        assert leads_to(NIBABELS / name)


def test_afni_may_be_mapped(tmp_path):
    """Where nothing is scaled; the file is not read when it is loaded."""
    (tmp_path / "a.HEAD").write_bytes((NIBABELS / "example4d+orig.HEAD").read_bytes())
    arrayproxy.nibabel.enable()
    image = AFNIImage.load(tmp_path / "a.HEAD")
    content = gzip.decompress((NIBABELS / "example4d+orig.BRIK.gz").read_bytes())
    (tmp_path / "a.brik").write_bytes(content)
    (tmp_path / "a.BRIK").write_bytes(content)
    assert isinstance(np.asanyarray(image.dataobj), np.memmap)
    check(AFNIImage, tmp_path / "a.HEAD", ArrayProxy, mmap="r")
    image = load(AFNIImage, tmp_path / "a.HEAD", mmap=False)
    assert type(image.dataobj.get_unscaled()) is np.ndarray
    assert image.dataobj.scaling is None
    scaling = load(AFNIImage, NIBABELS / "scaled+tlrc.HEAD").dataobj.scaling
    np.testing.assert_array_equal(scaling, [3.88336300e-08])


def test_afni_of_other_files(tmp_path):
    head, brik = NIBABELS / "scaled+tlrc.HEAD", NIBABELS / "scaled+tlrc.BRIK"
    check_theirs(AFNIImage, files(brik, head) | {"header": FileHolder(head)}, AFNIArrayProxy)
    zeros = FileHolder(str(brik), BytesIO(bytes(brik.stat().st_size)))
    check_theirs(AFNIImage, {"header": FileHolder(str(head)), "image": zeros}, AFNIArrayProxy)
    # A header of another name is not found beside the image; a copy of it there is as good.
    other = tmp_path / "other.HEAD"
    other.write_text(head.read_text().replace("3.88336", "1.5"))
    pair = {"header": FileHolder(str(other)), "image": FileHolder(str(brik))}
    check_theirs(AFNIImage, pair, AFNIArrayProxy)
    other.write_text(head.read_text())
    check(AFNIImage, pair)
    # NiBabel takes complex numbers for twice as large.
    text = re.sub(r"(BRICK_TYPES\ncount = 1\n) 1", r"\1 5", head.read_text())
    (tmp_path / "a.HEAD").write_text(text)
    (tmp_path / "a.BRIK").write_bytes(bytes(16 * 47 * 54 * 43))
    check_theirs(AFNIImage, tmp_path / "a.HEAD", AFNIArrayProxy)


def recording(folder, change, stem="a"):
    """NiBabel's, with its lines of images changed."""
    text = (NIBABELS / "phantom_varscale.PAR").read_text()
    lines = text.splitlines()
    of_images = [i for i, line in enumerate(lines) if re.match(r" +\d+ +\d+ +\d+ ", line)]
    first, last = of_images[0], of_images[-1] + 1
    rows = change([line.split() for line in lines[first:last]])
    path = folder / f"{stem}.PAR"
    path.write_text("\n".join([*lines[:first], *map(" ".join, rows), *lines[last:], ""]))
    path.with_suffix(".REC").write_bytes((NIBABELS / "phantom_varscale.REC").read_bytes())
    return path


@pytest.mark.parametrize("strict_sort", [False, True])
@pytest.mark.parametrize("scaling", ["dv", "fp"])
def test_par_in_any_order(scaling, strict_sort, tmp_path):
    """Of slices and volumes; lines are in the order of images, as NiBabel wants them."""
    options = {"scaling": scaling, "strict_sort": strict_sort}
    seen = []
    for seed in range(5):

        def shuffled(rows, seed=seed):
            rows = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
            return [[*row[:6], str(i), *row[7:]] for i, row in enumerate(rows)]

        path = recording(tmp_path, shuffled, f"{seed}")
        image = check(PARRECImage, path, **options)
        seen.append(image.header.get_sorted_slice_indices().tolist())
    assert all(sorted(order) != order for order in seen)
    plain, strict = (load(PARRECImage, path, strict_sort=sort).get_fdata() for sort in (0, 1))
    assert not np.array_equal(plain, strict)


def test_par_whose_images_are_elsewhere(tmp_path):
    """NiBabel takes images in the order of the lines, the library by their numbers."""

    def swapped(rows):
        return [[*row[:6], str(i ^ 1 if i < 26 else i), *row[7:]] for i, row in enumerate(rows)]

    check_theirs(PARRECImage, recording(tmp_path, swapped), PARRECArrayProxy)

    def impossible(rows):
        return [[*row[:6], str(100 + i), *row[7:]] for i, row in enumerate(rows)]

    check(PARRECImage, recording(tmp_path, impossible))


def test_par_that_is_cut_short(tmp_path):
    for path in (NIBABELS / "phantom_truncated.PAR", recording(tmp_path, lambda rows: rows[:-2])):
        with pytest.raises(nibabel.parrec.PARRECError):
            load(PARRECImage, path)
        check(PARRECImage, path, permit_truncated=True)
    # NiBabel's strict order puts volumes that lack slices before the others.
    check_theirs(PARRECImage, path, PARRECArrayProxy, permit_truncated=True, strict_sort=True)


def test_par_of_objects():
    names = [NIBABELS / f"phantom_varscale.{ext}" for ext in ("REC", "PAR")]
    pair = files(names[0]) | {"header": FileHolder(names[1])}
    check_theirs(PARRECImage, pair, PARRECArrayProxy)


def frames(folder, ids, orientation=0, **changed):
    """ECAT of a frame of NiBabel's for each id; `changed` are columns of the second."""
    theirs = load(EcatImage, NIBABELS / "tinypet.v", False)
    header, sub = (x.copy() for x in (theirs.header, theirs.get_subheaders().subheaders[0]))
    header["num_frames"], header["patient_orientation"] = len(ids), orientation
    shape = tuple(int(sub[f"{axis}_dimension"]) for axis in "xyz")
    rng, data, rows = np.random.default_rng(len(ids)), b"", [31 - len(ids), 2, 0, len(ids)]
    for i, id in enumerate(ids):
        own = sub.copy()
        own["scale_factor"] = i + 0.5
        for name, value in changed.items() if i == 1 else ():
            own[name] = value
        stored = rng.integers(-999, 999, shape).astype(">i2")
        rows += [id, 3 + len(data) // 512, 0, 1]
        data += own.tobytes().ljust(512, b"\0") + stored.tobytes("F")
        data += bytes(-len(data) % 512)
    rows = struct.pack(f">{len(rows)}i", *rows).ljust(512, b"\0")
    path = folder / "a.v"
    path.write_bytes(header.binaryblock.ljust(512, b"\0") + rows + data)
    return path


@pytest.mark.filterwarnings("ignore:Frames stored out of order")
@pytest.mark.parametrize("orientation", [0, 1, 8])
@pytest.mark.parametrize("ids", [(1, 2, 3), (3, 1, 2), (5, 0, 4, -1, 2)], ids=str)
def test_frames_in_any_order(ids, orientation, tmp_path):
    image = check(EcatImage, frames(tmp_path, ids, orientation))
    assert image.shape[3] == 3
    for i, (row, _) in nibabel.ecat.get_frame_order(image.get_mlist()).items():
        np.testing.assert_array_equal(image.get_frame(row), image.dataobj[..., i])


def test_frames_that_differ(tmp_path):
    """Those of one id have no order; of other sizes there is no array."""
    check_theirs(EcatImage, frames(tmp_path, (2, 1, 2)), EcatImageArrayProxy)
    found = load(EcatImage, frames(tmp_path, (1, 2, 3), z_dimension=2))
    assert type(found.dataobj) is EcatImageArrayProxy
    check_theirs(EcatImage, {
        name: FileHolder(fileobj=BytesIO((NIBABELS / "tinypet.v").read_bytes()))
        for name in ("header", "image")
    }, EcatImageArrayProxy)  # fmt: skip


@pytest.mark.parametrize("pack", [None, gzip.compress], ids=["plain", "gzip"])
def test_minc1_is_not_read_when_it_is_loaded(pack, tmp_path, monkeypatch):
    """As NiBabel's loader does."""
    content = (NIBABELS / "tiny.mnc").read_bytes()
    path = tmp_path / ("a.mnc.gz" if pack else "a.mnc")
    path.write_bytes(pack(content) if pack else content)
    image = check(Minc1Image, path)
    monkeypatch.setattr(nibabel.minc1, "netcdf_file", None)
    assert nibabel.load(path).shape == image.shape
    np.testing.assert_array_equal(image.slicer[2:5].get_fdata(), image.get_fdata()[2:5])


def test_minc2_needs_no_h5py(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError):
        load(Minc2Image, NIBABELS / "small.mnc", False)
    image = load(Minc2Image, NIBABELS / "small.mnc")
    assert image.get_fdata().shape == image.shape == (18, 28, 29)


def test_minc_stays_nibabels(tmp_path):
    check_theirs(Minc1Image, files(NIBABELS / "tiny.mnc"), MincImageArrayProxy)
    # What there is to warn of.
    check_theirs(Minc2Image, NIBABELS / "minc2_baddim.mnc", MincImageArrayProxy)
    with pytest.warns(UserWarning, match="spacing"):
        nibabel.load(NIBABELS / "minc2_baddim.mnc")
    path = tmp_path / "a.mnc"
    path.write_bytes((NIBABELS / "tiny.mnc").read_bytes().replace(b"regular__", b"irregular"))
    arrayproxy.nibabel.enable()
    with pytest.raises(ValueError, match="Irregular"):
        nibabel.load(path)
    with pytest.raises(Exception, match="No data|not|NetCDF"):
        Minc1Image.load(NIBABELS / "small.mnc")


def test_options_that_there_are_not():
    """What NiBabel says of them."""
    for image, name, _ in OWN:
        for enabled in (False, True):
            files = image.filespec_to_file_map(NIBABELS / name)
            with pytest.raises(TypeError, match="no_such"):
                load(image, files, enabled, no_such=1)
    for options in ({"scaling": "other"}, {"mmap": "w"}):
        with pytest.raises(ValueError):
            load(PARRECImage, NIBABELS / "phantom_varscale.PAR", **options)


def test_proxies_of_others_stay():
    """Classes that have a proxy of their own keep it."""

    class Own(MincImageArrayProxy):
        pass

    class Image(Minc1Image):
        ImageArrayProxy = Own

    class Plain(Minc1Image):
        pass

    assert type(load(Image, NIBABELS / "tiny.mnc").dataobj) is Own
    found = load(Plain, NIBABELS / "tiny.mnc")
    assert type(found) is Plain and type(found.dataobj) is FileProxy


def test_a_file_that_is_another_by_now(tmp_path):
    """Its header may mean something else."""
    path = tmp_path / "a.mnc"
    path.write_bytes((NIBABELS / "tiny.mnc").read_bytes())
    image = load(Minc1Image, path)
    path.write_bytes((NIBABELS / "minc1_4d.mnc").read_bytes())
    with pytest.raises(arrayproxy.ReadError):
        image.dataobj[0]
