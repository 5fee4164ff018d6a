"""Extensions of NIfTI headers: NiBabel's files, and ones that it reads otherwise or not at all."""

import gzip
import os
import struct

import nibabel
import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Extension, extension_codes

import capi
from capi import check, lib
from checks import fails
from nifti import HEADER_SIZE, Nifti
from packings import CODECS, PACKINGS
from proxy import Proxy
from test_fields import file_of
from test_real import IMAGES

IMAGE_CLASSES = {
    (1, False): nibabel.Nifti1Image,
    (1, True): nibabel.Nifti1Pair,
    (2, False): nibabel.Nifti2Image,
    (2, True): nibabel.Nifti2Pair,
}
EACH_KIND = pytest.mark.parametrize("version, pair", IMAGE_CLASSES)
EACH_ORDER = pytest.mark.parametrize("byte_order", "<>")


def extension(byte_order, code, content, size=None):
    size = len(content) + 8 if size is None else size
    return struct.pack(byte_order + "ii", size, code) + content


def parts(file, extensions, flags=b"\1\0\0\0"):
    """The file's contents with these bytes behind its header."""
    size = HEADER_SIZE[file.version]
    file.vox_offset = file.vox_offset or (0 if file.pair else size + 4 + len(extensions))
    first, *image = file.parts()
    behind = first[size + 4 + len(extensions) :] if not file.pair else b""
    return first[:size] + flags + extensions + behind, *image


def same(found, image):
    """NiBabel takes zeros off the end."""
    mine = [(code, content.rstrip(b"\0")) for code, content in found]
    assert mine == [(e.get_code(), e._raw) for e in image.header.extensions]


@pytest.mark.parametrize("codec", ["plain", "gzip"])
@EACH_ORDER
@EACH_KIND
def test_written_by_nibabel(version, pair, byte_order, codec, tmp_path):
    made = IMAGE_CLASSES[version, pair]
    header = made.header_class(endianness=byte_order)
    image = made(np.arange(60, dtype="i2").reshape(5, 4, 3), np.eye(4), header)
    codes = sorted(extension_codes.value_set() - {2, 32, 44}) + [999, -1]
    random = np.random.default_rng(version)
    for i, code in enumerate(codes):
        content = b"comment %d" % i + random.integers(1, 256, i * 37 % 300, "u1").tobytes()
        image.header.extensions.append(Nifti1Extension(code, content))
    ending = ".gz" if codec == "gzip" else ""
    path = tmp_path / (("a.hdr" if pair else "a.nii") + ending)
    image.to_filename(path)
    again = made.from_filename(path)
    assert len(again.header.extensions) == len(codes)
    with Proxy.open(path) as proxy:
        same(proxy.extensions, again)
        assert [code for code, _ in proxy.extensions] == codes
        np.testing.assert_array_equal(proxy.read_all(), np.asarray(again.dataobj))


@pytest.mark.parametrize("codec", CODECS)
@EACH_ORDER
@EACH_KIND
def test_contents(version, pair, byte_order, codec, tmp_path):
    """Whole, in parts, and with the code alone."""
    made = [(6, b"one\0\0\0\0\0"), (-7, bytes(range(200))), (4, b""), (44, os.urandom(5000))]
    packed = b"".join(extension(byte_order, *each) for each in made)
    file = Nifti(version=version, pair=pair, byte_order=byte_order, packing=codec)
    contents = parts(file, packed)
    with file.open_sources([PACKINGS[codec].pack(part) for part in contents]) as proxy:
        assert proxy.extensions == made
        for i, (code, content) in enumerate(made):
            for room in (1, 7, len(content), len(content) + 9):
                out, found = capi.c.create_string_buffer(b"\xee" * 9000), capi.c.c_int32()
                arguments = proxy.handle, i, capi.c.byref(found), out, room, None
                assert check(lib().ap_extension(*arguments)) == len(content)
                assert found.value == code
                assert out.raw[:room] == (content + b"\xee" * 9)[:room]
                assert out.raw[room:9000] == b"\xee" * (9000 - room)
        for i in (-1, len(made), 2**31 - 1, -(2**31)):
            error = capi.Error()
            status = lib().ap_extension(proxy.handle, i, None, None, 0, error)
            assert status == capi.STATUS["AP_ERR_INDEX"] == error.code


@EACH_ORDER
@EACH_KIND
def test_flags(version, pair, byte_order):
    """Only the first of four tells."""
    packed = extension(byte_order, 6, bytes(24))
    for flags in (b"\1\0\0\0", b"\xff\1\2\3", b"\0\1\1\1", bytes(4)):
        file = Nifti(version=version, pair=pair, byte_order=byte_order)
        with file.open_sources(parts(file, packed, flags)) as proxy:
            assert len(proxy.extensions) == (flags[0] != 0)
    # A header of a pair may end right behind its struct.
    if pair:
        for flags in (b"", b"\1", b"\1\0\0"):
            file = Nifti(version=version, pair=True, byte_order=byte_order)
            with file.open_sources(parts(file, b"", flags)) as proxy:
                assert proxy.extensions == []


@EACH_ORDER
@EACH_KIND
def test_sizes_and_padding(version, pair, byte_order):
    """[BUG] NiBabel reads data as extensions behind a wrong size, and fails at padding."""
    good = extension(byte_order, 6, b"12345678")
    start = HEADER_SIZE[version] + 4
    for second, count in [
        (bytes(8), 1),
        (bytes(160), 1),
        (bytes(20) + b"\xff" * 20, 1),
        (extension(byte_order, 4, b"odd size"[:5] + bytes(3), 13) + bytes(16), 2),
    ]:
        file = Nifti(version=version, pair=pair, byte_order=byte_order)
        with file.open_sources(parts(file, good + second)) as proxy:
            assert len(proxy.extensions) == count
    for size in (0, 7, -1, -(2**31), 33, 2**31 - 1):
        file = Nifti(version=version, pair=pair, byte_order=byte_order)
        contents = parts(file, good + extension(byte_order, 4, bytes(24), size))
        with file.open_sources(contents) as proxy:
            message = fails("AP_ERR_HEADER", lambda: proxy.extensions)
            assert f"(byte {start + 16})" in message and "extension 1" in message
            assert proxy.read((0, 0, 0)) is not None


@pytest.mark.parametrize("codec", CODECS)
def test_errors_name_the_file(codec, tmp_path):
    for pair in (False, True):
        file = Nifti(pair=pair, packing=codec)
        paths = file.paths(tmp_path)
        contents = parts(file, extension("<", 4, bytes(24), 5))
        for path, content in zip(paths, contents):
            path.write_bytes(PACKINGS[codec].pack(content))
        with Proxy.open(paths[-1]) as proxy:
            assert str(paths[0]) in fails("AP_ERR_HEADER", lambda: proxy.extensions)


def _open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("codec", CODECS)
def test_pairs_hold_no_second_file(codec, tmp_path):
    """The header's is opened again when it is asked for, and must be the same."""
    file = Nifti(pair=True, packing=codec)
    path, image = file.paths(tmp_path)
    header, data = parts(file, extension("<", 6, b"x" * 24) + extension("<", 6, b"y" * 24))
    path.write_bytes(PACKINGS[codec].pack(header))
    image.write_bytes(PACKINGS[codec].pack(data))
    before = _open_files()
    with Proxy.open(path, mmap=0) as proxy:
        assert _open_files() == before + 1
        assert proxy.extensions == [(6, b"x" * 24), (6, b"y" * 24)]
        assert _open_files() == before + 1
        # The list is kept, contents are not.
        path.write_bytes(PACKINGS[codec].pack(header + b"more"))
        assert lib().ap_extension_count(proxy.handle, None) == 2
        assert str(path) in fails("AP_ERR_CHANGED", lambda: proxy.extensions)
        assert _open_files() == before + 1
        path.unlink()
        fails("AP_ERR_NOT_FOUND", lambda: proxy.extensions)
        assert proxy.read_all().shape == file.shape
    assert _open_files() == before


def test_many():
    for count, fine in [(10_000, True), (10_001, False)]:
        for pair in (False, True):
            file = Nifti(pair=pair)
            contents = parts(file, extension("<", 6, b"12345678") * count)
            with file.open_sources(contents) as proxy:
                if fine:
                    assert lib().ap_extension_count(proxy.handle, None) == count
                else:
                    message = fails("AP_ERR_HEADER", lambda: proxy.extensions)
                    assert f"(byte {352 + 16 * 10_000})" in message


def test_where_data_begin_inside_the_header():
    """[BUG] NiBabel takes all that follows for extensions."""
    file = Nifti(fields={"vox_offset": 0})
    (content,) = file.parts()
    content = content[:348] + b"\1\0\0\0" + extension("<", 6, bytes(8)) * 9 + bytes(300)
    with file.open_sources([content]) as proxy:
        assert proxy.extensions == []


@pytest.mark.parametrize("format", ["analyze", "spm99", "spm2", "mgh"])
def test_other_formats_have_none(format):
    file = file_of(format)
    first, *rest = file.parts()
    if rest:
        first += b"\1\0\0\0" + extension("<", 6, bytes(24))
    options = {"format": format} if format in ("analyze", "spm99") else {}
    with Proxy.open_source(first, *rest, **options) as proxy:
        assert proxy.extensions == []


@pytest.mark.parametrize("path", IMAGES)
def test_real_images(path):
    image = nibabel.load(path)
    with Proxy.open(path) as proxy:
        if isinstance(image, nibabel.Cifti2Image):
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
            (code, xml) = proxy.extensions[0]
            assert code == 32 and xml.lstrip().startswith(b"<") and xml in content
        elif isinstance(image, nibabel.MGHImage):
            assert proxy.extensions == []
        else:
            same(proxy.extensions, image)
