"""PAR/REC: NiBabel's own files and made ones; scalings, orders, recordings that are cut short."""

import gzip
import warnings
from io import BytesIO
from pathlib import Path

import nibabel
import numpy as np
import pytest
from nibabel import aff2axcodes
from nibabel.fileholders import FileHolder
from nibabel.parrec import PARRECError, PARRECImage

from capi import lib
from checks import check_whole, fails
from compare import assert_same
from indices import nibabel_reads, random_index
from model import Scaling, cast
from packings import CODECS
from parrec import COLUMNS, COUNTS, KEYS, Parrec, images
from proxy import Proxy

NIBABELS = Path(nibabel.__file__).parent / "tests" / "data"
OWN = sorted(path.name for path in NIBABELS.glob("*.PAR") if path.name != "NA.PAR")
# Those that have fewer volumes or b values than they say, and what NiBabel's error names.
CUT = {"phantom_truncated.PAR": "dynamic scan", "ADC_Map.PAR": "diffusion b value"}
# Its images are some of a larger file, by their numbers.
PART = "ASL_3D_Multiecho.PAR"
EACH_SCALING = pytest.mark.parametrize("scaling", ["dv", "fp"])
EACH_ORDER = pytest.mark.parametrize("sort", ["plain", "strict"])


def theirs(path, scaling="dv", sort="plain", truncated=False):
    """NiBabel keeps files open: it gets their bytes."""
    files = {
        "header": FileHolder(filename=path),
        "image": FileHolder(fileobj=BytesIO(path.with_suffix(".REC").read_bytes())),
    }
    strict = sort == "strict"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PARRECImage.from_file_map(
            files, permit_truncated=truncated, scaling=scaling, strict_sort=strict
        )


def in_order(rows, max_slices, strict=False, diffusion=False):
    """Numbers of the rows that an array has, and its slices and volumes."""
    numbers = list(range(len(rows)))
    if strict:
        names = ["image_type_mr", "dynamic scan number", "label type"]
        names += ["diffusion b value number", "gradient orientation number"] * diffusion
        names += ["cardiac phase number", "echo number", "slice number"]
        numbers.sort(key=lambda i: [rows[i][name] for name in names if name in rows[i]])
    volumes = {}
    for i in numbers:
        kept = [volume for volume in volumes.values() if rows[i]["slice number"] not in volume]
        (kept or [volumes.setdefault(len(volumes), {})])[0][rows[i]["slice number"]] = i
    whole = [volume for volume in volumes.values() if len(volume) == max_slices]
    chosen = whole or [volumes[0]]
    return [volume[s] for volume in chosen for s in sorted(volume)], len(chosen[0]), len(chosen)


def check_space(proxy, image):
    """Zooms are the header's; NiBabel's images make theirs from the affine."""
    np.testing.assert_allclose(proxy.affine()[0], image.affine, rtol=1e-13, atol=1e-12)
    header = image.header
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = type(header)(header.general_info, header.image_defs, permit_truncated=True)
    assert proxy.zooms() == tuple(map(float, own.get_zooms()))


def check_fields(proxy, header):
    """Every key and column."""
    columns = header.image_defs
    own = {"diffusion": "image diffusion"}
    names = {own.get(name, name): name for name in columns.dtype.names}
    derived = ["space_unit", "time_unit", "orientation"]
    assert sorted(proxy.field_names) == sorted([*header.general_info, *names, *derived])
    for name, value in header.general_info.items():
        if isinstance(value, str):
            assert proxy.field_text(name) == value
            fails("AP_ERR_UNSUPPORTED", proxy.field_reals, name)
        else:
            assert proxy.field_reals(name) == np.ravel(value).tolist()
            if np.asarray(value).dtype.kind == "i":
                assert proxy.field_ints(name) == np.ravel(value).tolist()
    for ours, name in names.items():
        column = columns[name].ravel()
        if column.dtype.kind == "S":
            assert proxy.field_text(ours) == " ".join(word.decode() for word in column)
        elif column.dtype.kind == "i":
            assert proxy.field_ints(ours) == column.tolist()
        else:
            np.testing.assert_array_equal(proxy.field_reals(ours), column)
            fails("AP_ERR_UNSUPPORTED", proxy.field_ints, ours)
    assert proxy.field_text("space_unit") == "mm"
    time = "sec" if header.general_info["dyn_scan"] else "unknown"
    assert proxy.field_text("time_unit") == time
    assert proxy.field_text("orientation") == "".join(aff2axcodes(proxy.affine()[0]))


def beside(name, folder):
    """A file of NiBabel's with its images, or random ones."""
    path = NIBABELS / name
    if path.with_suffix(".REC").exists():
        return path
    (folder / name).write_bytes(path.read_bytes())
    header = theirs_header(path)
    count = int(np.prod(header.get_rec_shape()))
    data = np.random.default_rng(count).integers(0, 65536, count).astype("<u2")
    (folder / name).with_suffix(".REC").write_bytes(data.tobytes())
    return folder / name


def theirs_header(path):
    with warnings.catch_warnings(), open(path) as file:
        warnings.simplefilter("ignore")
        return PARRECImage.header_class.from_fileobj(file, permit_truncated=True)


@EACH_ORDER
@EACH_SCALING
@pytest.mark.parametrize("name", OWN)
def test_nibabels_own(name, scaling, sort, tmp_path):
    path = beside(name, tmp_path)
    options = {"scaling": scaling, "sort": sort}
    if name in CUT:
        with pytest.raises(PARRECError, match=CUT[name]):
            theirs(path, scaling, sort)
        message = fails("AP_ERR_TRUNCATED", Proxy.open, path, **options)
        assert str(path) in message and CUT[name] in message
        options["truncated"] = 1
    image = theirs(path, scaling, sort, truncated=name in CUT)
    for given in (path, path.with_suffix(".REC")):
        with Proxy.open(given, strict=1, **options) as proxy:
            assert proxy.format == "parrec" and proxy.byte_order == "<"
            assert proxy.header == path.read_bytes()
            assert proxy.shape == image.shape and proxy.type == "uint16"
            assert proxy.auto_dtype == np.dtype("f8") and lib().ap_is_scaled(proxy.handle) == 1
            odd = [*CUT, PART, "phantom_fake_dualTR.PAR"]
            assert bool(proxy.warnings) == (name in odd), proxy.warnings
            check_space(proxy, image)
            if given != path:
                continue
            check_fields(proxy, image.header)
            slopes, inters = proxy.scales
            for got, want in zip((slopes, inters), image.header.get_data_scaling(scaling)):
                shape = (1, 1, *image.shape[2:])
                np.testing.assert_array_equal(np.broadcast_to(got, shape), want)
            if image.dataobj.get_unscaled().nbytes < 1 << 24:
                whole = np.asarray(image.dataobj)
                assert_same(proxy.read_all(), whole)
                assert_same(proxy.read_all("disk"), image.dataobj.get_unscaled())
                assert_same(proxy.read_all("f4", order="C"), whole.astype("f4"))
            rng = np.random.default_rng(7)
            for _ in range(8):
                index = random_index(rng, proxy.shape)
                if nibabel_reads(index, proxy.shape):
                    assert_same(proxy.read(index), np.asarray(image.dataobj[index]), f"{index}")


def test_nibabels_of_three_orientations(tmp_path):
    path = NIBABELS / "NA.PAR"
    (tmp_path / "a.par").write_bytes(path.read_bytes())
    (tmp_path / "a.rec").write_bytes(bytes(9 * 256 * 256 * 2))
    assert "slice orientation" in fails("AP_ERR_UNSUPPORTED", Proxy.open, tmp_path / "a.par")


def in_full(file, scaling="dv", **how):
    """What a read gives: the images in order, each by its own factors."""
    rows, stored = file.table(), images(file)
    order, slices, volumes = in_order(rows, file.general()["max_slices"], **how)
    out = []
    for i in order:
        row = rows[i]
        intercept, slope, scale = (
            np.float64(row[name]) for name in ("rescale intercept", "rescale slope", "scale slope")
        )
        with np.errstate(all="ignore"):
            factors = slope, intercept
            if scaling == "fp":
                factors = 1 / scale, intercept / (slope * scale)
            at = row["index in REC file"]
            out.append(stored[at].astype("f8") * factors[0] + factors[1])
    shape = (*file.shape[:2], slices) + ((volumes,) if volumes > 1 else ())
    return np.moveaxis(np.array(out), 0, -1).reshape(shape, order="F")


def shuffled(rng, slices, volumes, version):
    """Lines in any order, of echoes, phases and the like, with factors of their own."""
    names = ["echo number", "dynamic scan number", "image_type_mr", "cardiac phase number"]
    if version != "V4":
        names += ["gradient orientation number", "diffusion b value number"]
    if version == "V4.2":
        names += ["label type"]
    kinds = [{name: int(rng.integers(1, 3)) for name in names} for _ in range(volumes)]
    rows = [
        {
            "slice number": s + 1, **kinds[v], "rescale slope": float(rng.choice([0.5, 1.7, 3])),
            "rescale intercept": float(rng.choice([0, -2.25])),
            "scale slope": float(rng.choice([0.1, 2.5])),
        }
        for v in range(volumes) for s in range(slices)
    ]  # fmt: skip
    rows = [rows[i] for i in rng.permutation(len(rows))]
    counts = {"max_echoes": "echo number", "max_dynamics": "dynamic scan number"}
    if version != "V4":
        counts["max_diffusion_values"] = "diffusion b value number"
        counts["max_gradient_orient"] = "gradient orientation number"
    return rows, {key: len({row[name] for row in rows}) for key, name in counts.items()}


@EACH_ORDER
@EACH_SCALING
@pytest.mark.parametrize("diffusion", [0, 1])
@pytest.mark.parametrize("version", COUNTS)
def test_any_order(version, diffusion, scaling, sort, tmp_path):
    for seed in range(6):
        rng = np.random.default_rng([seed, diffusion, *version.encode()])
        type, slices, volumes = ("uint8", "uint16")[seed % 2], 1 + seed % 4, 1 + (seed * 3) % 7
        rows, counts = shuffled(rng, slices, volumes, version)
        if diffusion and version == "V4":
            for row in rows:
                row["diffusion_b_factor"] = 1000.0
        shape = (5, 4, slices, volumes)
        fields = {"diffusion": diffusion, "angulation": (12.5, -20.25, 33), **counts}
        fields["slice orientation"] = 1 + seed % 3
        codec = CODECS[seed % len(CODECS)]
        what = {"version": version, "fields": fields, "rows": rows}
        file = Parrec(type, shape, seed=seed, packing=codec, **what)
        path = file.write(tmp_path, f"{seed}")
        strict = sort == "strict"
        whole = in_full(file, scaling, strict=strict, diffusion=diffusion)
        image = file.nibabel_by(scaling=scaling, strict_sort=strict)
        with file.open(path, scaling=scaling, sort=sort, strict=1) as proxy:
            assert proxy.warnings == []
            assert proxy.shape == whole.shape == image.shape
            assert_same(whole, np.asarray(image.dataobj))
            check_space(proxy, image)
            check_fields_of_names(proxy, file)
            for order in "FC":
                assert_same(proxy.read_all(order=order), whole)
                for requested in ("f4", "i2", "u1"):
                    assert_same(proxy.read_all(requested, order=order), cast(whole, requested))
            assert_same(proxy.read_all("disk"), image.dataobj.get_unscaled())
            for _ in range(15):
                index = random_index(rng, proxy.shape)
                got = proxy.read(index)
                assert_same(got, np.asarray(whole[index]), f"{index}")
            with proxy.reshape((20, -1)) as flat:
                assert_same(flat.read_all(), whole.reshape((20, -1), order="F"))
            # Images that do not mean the same would be split.
            if len(rows) % 3 == 0:
                fails("AP_ERR_UNSUPPORTED", proxy.reshape, (3, -1))


def check_fields_of_names(proxy, file):
    names = [*file.general(), *list(COLUMNS)[: COUNTS[file.version]]]
    assert len(proxy.field_names) == len(names) + 3
    assert proxy.field_text("exam_name") == "t\u00eate"


def test_b_factors_serve_for_their_numbers(tmp_path):
    rows = [
        {"slice number": s, "diffusion_b_factor": b} for b in (800.5, 0.0, 800.25) for s in (2, 1)
    ]
    file = Parrec(shape=(3, 4, 2, 3), version="V4", rows=rows)
    file.fields = {"diffusion": 1, "max_dynamics": 1}
    image = file.nibabel_by(strict_sort=True)
    with file.open(file.write(tmp_path), sort="strict", strict=1) as proxy:
        assert_same(proxy.read_all(), np.asarray(image.dataobj))
        stored = images(file)
        want = np.moveaxis(stored[[3, 2, 5, 4, 1, 0]], 0, -1).reshape(file.shape, order="F")
        assert_same(proxy.read_all("disk"), want)


@EACH_ORDER
def test_cut_short(sort, tmp_path):
    """[BUG] NiBabel's strict order puts volumes that lack slices before the others."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        slices, volumes = 2 + seed % 3, 1 + seed % 4
        places = [(s + 1, v + 1) for v in range(volumes) for s in range(slices)]
        kept = places[: max(1, len(places) - 1 - seed % 2)]
        if seed % 2:
            kept = [kept[i] for i in rng.permutation(len(kept))]
        rows = [{"slice number": s, "dynamic scan number": v} for s, v in kept]
        file = Parrec(shape=(4, 3, len(rows)), seed=seed, rows=rows)
        file.fields = {"max_slices": slices, "max_dynamics": volumes, "dyn_scan": 1}
        path = file.write(tmp_path, f"{seed}")
        strict = sort == "strict"
        message = fails("AP_ERR_TRUNCATED", file.open, path, sort=sort)
        assert str(path) in message and "truncated" in message
        with pytest.raises(PARRECError):
            file.nibabel_by(strict_sort=strict)
        whole = in_full(file, strict=strict)
        with file.open(path, sort=sort, truncated=1, strict=1) as proxy:
            assert proxy.warnings
            assert proxy.shape == whole.shape
            assert_same(proxy.read_all(), whole)
            if not strict:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    image = file.nibabel_by(permit_truncated=True)
                assert_same(np.asarray(image.dataobj), whole)
                check_space(proxy, image)


@pytest.mark.parametrize(
    "name, count",
    [("max_echoes", 2), ("max_dynamics", 3), ("max_diffusion_values", 0),
     ("max_gradient_orient", 5)],
)  # fmt: skip
def test_counts(name, count, tmp_path):
    file = Parrec(shape=(3, 4, 2), fields={name: count})
    path = file.write(tmp_path)
    with pytest.raises(PARRECError):
        file.nibabel(path)
    message = fails("AP_ERR_TRUNCATED", file.open, path)
    assert name in message and f"(byte {file.byte_of(name)})" in message
    with file.open(path, truncated=1) as proxy:
        assert len(proxy.warnings) == 1 and name in proxy.warnings[0]
        check_whole(proxy, file.type, file.stored(), file.scaling)


def test_the_index_counts(tmp_path):
    """[BUG] NiBabel takes images in the order of their lines."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        places = [(s + 1, v + 1) for v in range(3) for s in range(2)]
        rows = [
            {"slice number": s, "dynamic scan number": v, "index in REC file": int(i),
             "rescale slope": 1.0 + s}
            for (s, v), i in zip(places, rng.permutation(6))
        ]  # fmt: skip
        file = Parrec(shape=(3, 4, 2, 3), rows=rows, seed=seed)
        with file.open(file.write(tmp_path), strict=1) as proxy:
            assert proxy.warnings == []
            assert_same(proxy.read_all(), in_full(file))
        # Where it cannot be so, the lines count, as NiBabel has it.
        rows[seed]["index in REC file"] += 6
        path = file.write(tmp_path)
        with file.open(path, strict=1) as proxy:
            assert len(proxy.warnings) == 1 and "index in REC file" in proxy.warnings[0]
            assert_same(proxy.read_all(), np.asarray(file.nibabel(path).dataobj))


@pytest.mark.parametrize("slope, scale", [(0.0, 2.0), (1.5, 0.0), (0.0, 0.0), (-0.5, 2.0)])
def test_odd_factors(slope, scale, tmp_path):
    """What is divided by 0 is not finite, as in NiBabel; the sign of zeros may differ."""
    file = Parrec(shape=(3, 4, 2), slope=slope, inter=-3.0, fields={"scale slope": scale})
    path = file.write(tmp_path)
    for scaling in ("dv", "fp"):
        with np.errstate(all="ignore"):
            image = file.nibabel_by(scaling=scaling)
            want = np.asarray(image.dataobj)
        with file.open(path, scaling=scaling) as proxy:
            assert len(proxy.warnings) == (not np.isfinite(want).all())
            assert_same(proxy.read_all() + 0, want + 0)


def test_versions(tmp_path):
    for version in ("V3", "V4.3", "V5"):
        path = Parrec(version=version).write(tmp_path)
        assert version in fails("AP_ERR_UNSUPPORTED", Proxy.open, path)
    file = Parrec(version="V4")
    path = file.write(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"export tool", b"import tool"))
    fails("AP_ERR_FORMAT", Proxy.open, path)
    assert "version" in fails("AP_ERR_HEADER", Proxy.open, path, format="parrec")


@pytest.mark.parametrize(
    "name, other, many",
    [("image pixel size", 8, 16), ("recon resolution", (4, 5), (5, 4)), ("slice gap", 1.0, 2.0),
     ("slice thickness", 1.0, 2.0), ("pixel spacing", (1.0, 2.0), (1.0, 1.0)),
     ("slice orientation", 1, 2)],
)  # fmt: skip
def test_what_must_not_vary(name, other, many, tmp_path):
    rows = [{"slice number": s + 1, name: other if s == 2 else many} for s in range(3)]
    file = Parrec(rows=rows)
    path = file.write(tmp_path)
    with pytest.raises(PARRECError):
        file.nibabel(path)
    byte = file.header().index(file.lines()[2].encode())
    message = fails("AP_ERR_UNSUPPORTED", file.open, path)
    assert name in message and f"(byte {byte})" in message


def test_without_a_place(tmp_path):
    """NiBabel refuses these; the data can be read."""
    for fields in ({"angulation": None}, {"off_center": (1, 2)}, {"slice orientation": 4}):
        file = Parrec(fields=fields)
        path, (name,) = file.write(tmp_path), fields
        with pytest.raises(Exception):
            file.nibabel(path)
        with file.open(path) as proxy:
            assert any(name in text for text in proxy.warnings)
            assert name in fails("AP_ERR_HEADER", proxy.affine)
            check_whole(proxy, file.type, file.stored(), file.scaling)
        assert name in fails("AP_ERR_HEADER", file.open, path, strict=1)


def test_keys(tmp_path):
    """Other words for some, in any case and spacing; and unknown ones, which NiBabel refuses."""
    others = [
        ("Series Type", "Series_data_type"),
        ("Patient position", "Patient  Position"),
        ("Repetition time [ms]", "Repetition time [msec]"),
        ("Presaturation     <0", "PRESATURATION <0"),
    ]
    file = Parrec()
    path = file.write(tmp_path)
    text = path.read_bytes()
    for old, new in others:
        assert old.encode() in text
        text = text.replace(old.encode(), new.encode())
    path.write_bytes(text)
    with file.open(path, strict=1) as proxy:
        assert proxy.field_names[: len(KEYS)] == list(KEYS)
        assert proxy.field_reals("repetition_time") == [2250.5]
        assert proxy.field_text("series_type") == "Image   MRSERIES"
    file.fields = {"Some new key": "with: a value"}
    path = file.write(tmp_path)
    with file.open(path) as proxy:
        assert len(proxy.warnings) == 1 and "Some new key" in proxy.warnings[0]
        assert proxy.field_text("Some new key") == "with: a value"
    assert "Some new key" in fails("AP_ERR_HEADER", file.open, path, strict=1)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("par, rec", [("PAR", "REC"), ("par", "rec"), ("Par", "rec")])
def test_names(par, rec, suffix, tmp_path):
    file = Parrec()
    header, image = file.parts()
    packed = gzip.compress(image) if suffix else image
    (tmp_path / f"a.b.{par}").write_bytes(header)
    (tmp_path / f"a.b.{rec}{suffix}").write_bytes(packed)
    for name in (f"a.b.{par}", f"a.b.{rec}{suffix}"):
        if par == "Par" and name.startswith("a.b.rec"):
            continue  # the other one is sought in lower case
        with Proxy.open(tmp_path / name) as proxy:
            assert proxy.format == "parrec" and proxy.warnings == []
            check_whole(proxy, file.type, file.stored(), Scaling(arithmetic="double"))


def test_other_formats_ignore_the_options(tmp_path):
    path = NIBABELS / "example4d.nii.gz"
    with Proxy.open(path, scaling="fp", sort="strict", truncated=1, strict=1) as proxy:
        assert proxy.format == "nifti1"
        assert_same(proxy.read((0, 0, 0, 0)), np.asarray(nibabel.load(path).dataobj[0, 0, 0, 0]))
