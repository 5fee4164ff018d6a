"""Every make of gzip, bzip2 and zstd, found by content: cut short, damaged, and forced."""

import numpy as np
import pytest

from analyze import Analyze
from capi import ApError
from checks import check_indices, check_whole, fails
from compare import assert_same
from formats import FORMATS
from mgh import Mgh
from model import Scaling
from nifti import Nifti
from packings import CODECS, PACKINGS, SEVERAL
from proxy import Callbacks, Proxy
from zstds import frame, skippable

SHAPE = (31, 17, 9, 3)
COMPRESSED = CODECS[1:]
MAKES = [name for name in PACKINGS if name != "plain"]


def _pack(packing, data):
    return PACKINGS[packing].pack(data)


@pytest.mark.parametrize("name", ["uint8", "float64", "complex64"])
@pytest.mark.parametrize("packing", MAKES)
@pytest.mark.parametrize("pair", [False, True], ids=["single", "pair"])
def test_makes(pair, packing, name, tmp_path):
    # An odd offset, so that elements lie across blocks, buffers and streams.
    file = Nifti(name, SHAPE, ">", packing=packing, pair=pair, vox_offset=411)
    path, stored = file.write(tmp_path), file.stored()
    image = file.nibabel(path)
    second = image and image.dataobj
    with Proxy.open(path) as proxy:
        assert proxy.codec == PACKINGS[packing].codec
        rng = np.random.default_rng(8)
        # Parts first, so that not all of them follow a read to the end.
        check_indices(proxy, name, stored, Scaling(), rng, 20)
        for requested in (None, "disk", "f4"):
            check_whole(proxy, name, stored, Scaling(), requested, second)
        check_indices(proxy, name, stored, Scaling(), rng, 20, second)


@pytest.mark.parametrize("packing", MAKES)
@pytest.mark.parametrize("options", [{}, {"keep_open": 0}, {"verify": 0}], ids=str)
def test_any_order(packing, options):
    """Backwards, and from several places by turns, with little data in between."""
    file = Nifti("int32", (48, 40, 40), packing=packing, slope=0.5)
    served = Callbacks(*file.packed())
    want = file.stored() * 0.5
    planes = [39, 0, 38, 1, 20, 20, 21, 22, 5, 6, 23, 7, 24, 8, 39]
    with file.open_sources([served], **options) as proxy:
        for z in planes:
            assert_same(proxy.read((..., z)), want[..., z], f"{z}")
        assert_same(proxy.read((3, slice(None, None, -9))), want[3, ::-9])


NAMES = ["a.nii", "a.nii.gz", "a.nii.bz2", "a.NII.ZST", "a", "a.dat", "A.NII.GZ", "a.b.c", "a.gz"]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", NAMES)
def test_content_decides(name, codec, tmp_path):
    """NiBabel goes by the name: semantics 0.7."""
    file = Nifti(packing=codec)
    path = file.write(tmp_path, "written").rename(tmp_path / name)
    with Proxy.open(path) as proxy:
        assert proxy.codec == PACKINGS[codec].codec
        check_whole(proxy, "int16", file.stored(), Scaling())


@pytest.mark.parametrize("header", CODECS)
@pytest.mark.parametrize("image", CODECS)
@pytest.mark.parametrize("make", [Nifti, Analyze], ids=["nifti1-pair", "spm2"])
def test_pairs_in_two_compressions(make, image, header, tmp_path):
    """Each file of a pair is looked at by itself; names may say so, or be the plain ones."""
    file = make(vox_offset=16, **{"pair": True} if make is Nifti else {})
    path = file.write(tmp_path)
    for half, codec in zip(file.paths(tmp_path), (header, image)):
        packed = half.with_name(half.name + PACKINGS[codec].suffix)
        content = _pack(codec, half.read_bytes())
        half.write_bytes(content)
        (tmp_path / "named").mkdir(exist_ok=True)
        (tmp_path / "named" / packed.name).write_bytes(content)
    named = sorted((tmp_path / "named").iterdir())
    assert [p.name[:9] for p in named] == ["image.hdr", "image.img"]
    for opened in [path, path.with_suffix(".img"), *named]:
        with Proxy.open(opened) as proxy:
            assert proxy.format == file.format
            assert proxy.codec == PACKINGS[image].codec  # that of the data
            check_whole(proxy, "int16", file.stored(), Scaling())


def test_the_sibling_of_the_same_compression_comes_first(tmp_path):
    for seed, codec in enumerate(CODECS):
        Analyze(packing=codec, seed=seed).write(tmp_path)
    for seed, codec in enumerate(CODECS):
        file = Analyze(packing=codec, seed=seed)
        for path in file.paths(tmp_path):
            with Proxy.open(path) as proxy:
                assert proxy.codec == PACKINGS[codec].codec
                check_whole(proxy, "int16", file.stored(), Scaling())


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", ["a.mgz", "a.mgh", "a.MGH.GZ", "a.mgh.zst", "a.nii.gz", "a"])
def test_mgh_by_name_and_content(name, codec, tmp_path):
    file = Mgh(packing=codec)
    path = file.write(tmp_path, "written").rename(tmp_path / name)
    with Proxy.open(path) as proxy:
        assert (proxy.format, proxy.codec) == ("mgh", PACKINGS[codec].codec)
        check_whole(proxy, "int16", file.stored(), Scaling())


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("format", FORMATS)
def test_the_option_settles_it(format, codec, tmp_path):
    file = FORMATS[format].file(packing=codec)
    path, own = file.write(tmp_path), PACKINGS[codec].codec
    for asked in ("auto", own):
        with file.open(path, codec=asked) as proxy:
            assert proxy.codec == own
            check_whole(proxy, file.type, file.stored(), file.scaling)
    for name in ("", "plain", "gz", "GZIP", "lzma"):
        fails("AP_ERR_OPTION", file.open, path, codec=name)


@pytest.mark.parametrize("asked", ["none", *COMPRESSED])
@pytest.mark.parametrize("codec", CODECS)
def test_the_wrong_option(codec, asked):
    """A layout takes any bytes as they are; no codec takes what is not its own."""
    data = _pack(codec, bytes(range(200)))
    own = PACKINGS[codec].codec
    if asked == own:
        return
    layout = data, "uint8", (len(data),)
    if asked == "none":
        with Proxy.open_layout(*layout, codec=asked) as proxy:
            assert proxy.codec == "none"
            assert proxy.read_all().tobytes() == data
        return
    with Proxy.open_layout(*layout, codec=asked) as proxy:
        assert "byte 0" in fails("AP_ERR_CODEC", proxy.read_all)


LOOKALIKES = {
    "gzip": b"\x1f\x8b\x08" + bytes([0xFF] * 61),
    "gzip, no block": b"\x1f\x8b\x08" + bytes(7) + bytes([0xFF] * 54),
    "bzip2": b"BZh9" + bytes(range(60)),
    "bzip2, no block": b"BZh9\x31\x41\x59\x26\x53\x59" + bytes([0xAA] * 54),
    "bzip2, level 0": b"BZh0\x31\x41\x59\x26\x53\x59" + bytes(54),
    "zstd": b"\x28\xb5\x2f\xfd" + bytes([0xFF] * 60),
    "zstd, reserved bit": b"\x28\xb5\x2f\xfd\x28" + bytes(59),
    "zstd, no block": b"\x28\xb5\x2f\xfd\x20\x40" + bytes([0xFF] * 58),
    "zstd, skippable": skippable(bytes(20)) + bytes([0xAA] * 36),
    "zstd, long skippable": b"\x50\x2a\x4d\x18\xff\xff\xff\x7f" + bytes(56),
}


@pytest.mark.parametrize("case", LOOKALIKES)
def test_data_that_only_begin_like_a_stream(case):
    """Magic numbers, but no block follows: plain data."""
    data = LOOKALIKES[case]
    assert len(data) == 64
    with Proxy.open_layout(data, "uint8", (64,)) as proxy:
        assert proxy.codec == "none"
        assert_same(proxy.read_all(), np.frombuffer(data, "u1"))
    image = Analyze("uint8", (64,))
    with image.open_sources((image.header(), data)) as proxy:
        assert proxy.codec == "none"
        assert_same(proxy.read_all(), np.frombuffer(data, "u1"))


@pytest.mark.parametrize("packing", SEVERAL)
def test_cut_between_streams(packing):
    """The first streams are whole; what the others held is missing."""
    one = PACKINGS[packing].codec
    data = bytes(range(250)) * 40
    start = len(_pack(one, data[:5000]))
    whole = _pack(one, data[:5000]) + _pack(one, data[5000:])
    for cut in (start, start + 1, start + 5, len(whole) - 20):
        with Proxy.open_layout(whole[:cut], "uint8", (10000,)) as proxy:
            assert proxy.codec == one
            assert proxy.read((slice(0, 5000),)).tobytes() == data[:5000]
            fails("AP_ERR_TRUNCATED", proxy.read, (9999,))
            assert proxy.read((4999,)) == data[4999]


@pytest.mark.parametrize("codec", COMPRESSED)
def test_cut_in_the_header(codec, tmp_path):
    path = Nifti(packing=codec).write(tmp_path)
    content = path.read_bytes()
    for size in (1, 4, 8, 12, 20, 40):
        path.write_bytes(content[:size])
        with pytest.raises(ApError) as caught:
            Proxy.open(path)
        assert caught.value.name in ("AP_ERR_TRUNCATED", "AP_ERR_FORMAT", "AP_ERR_CODEC")
        assert str(path) in caught.value.message


def _damaged(packing, at, tmp_path):
    """A file of several blocks with one bit changed. Nothing follows the data, so that whole
    reads reach the checksum."""
    file = Nifti("uint8", (50, 40, 130), packing=packing, tail=0)
    path = file.write(tmp_path)
    data = bytearray(path.read_bytes())
    data[at % len(data) if isinstance(at, int) else int(at * len(data))] ^= 1
    path.write_bytes(data)
    return path, file.stored()


DAMAGES = {
    "gzip-stored": {"crc": -6, "size": -2, "middle": 0.5},
    "bzip2-fast": {"crc of the first block": 10, "crc of all": -3, "middle": 0.5},
    "zstd-checked": {"checksum": -3, "middle": 0.5},
}


@pytest.mark.parametrize("packing, where", [(p, where) for p in DAMAGES for where in DAMAGES[p]])
def test_damage_is_found_by_whole_reads(packing, where, tmp_path):
    path, stored = _damaged(packing, DAMAGES[packing][where], tmp_path)
    with Proxy.open(path) as proxy:
        for _ in range(2):
            message = fails("AP_ERR_CODEC", proxy.read_all)
            assert str(path) in message and "byte" in message
        assert_same(proxy.read((3, 4, 5)), stored[3, 4, 5])
    with Proxy.open(path, verify=0) as proxy:
        if packing.startswith("gzip"):
            differing = np.count_nonzero(proxy.read_all() != stored)
            assert differing == (where == "middle")
        else:
            fails("AP_ERR_CODEC", proxy.read_all)


def test_windows_of_zstd():
    """128 MiB is the most, as for the zstd program. A byte holds exponent and mantissa."""
    file = Nifti("uint8", (10, 10, 10))
    (content,) = file.parts()
    for exponent, mantissa in [(0, 0), (9, 7), (17, 0)]:
        data = frame(content, exponent << 3 | mantissa)
        with file.open_sources([data]) as proxy:
            check_whole(proxy, "uint8", file.stored(), Scaling())
    for exponent, mantissa in [(17, 1), (18, 0), (31, 7)]:
        data = frame(content, exponent << 3 | mantissa)
        message = fails("AP_ERR_UNSUPPORTED", file.open_sources, [data])
        assert "zstd" in message


@pytest.mark.parametrize("codec", COMPRESSED)
def test_repeated_bytes(codec):
    """Megabytes from few bytes: read in parts that do not follow each other."""
    file = Nifti("uint8", (100, 100, 400), packing=codec)
    header, stored = file.header() + bytes(4), np.zeros(file.shape, "u1")
    stored[1, 2, 3::50] = 7
    data = _pack(codec, header + stored.tobytes("F"))
    assert len(data) < 20_000
    with file.open_sources([data]) as proxy:
        for index in [(1, 2), (..., 399), (..., 3), (slice(None, None, 50), 2, 53)]:
            assert_same(proxy.read(index), np.asarray(stored[index]))
