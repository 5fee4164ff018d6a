"""Data damaged after their index was made: an error that names a byte, or right values."""

import ctypes as c

import numpy as np
import pytest

from capi import ApError
from checks import fails
from compare import assert_same
from gzidx import Gzidx
from proxy import Proxy
from seekables import SEEKABLES, Volumes

SPACING = 65536
CHECKED = ["default", "stored", "fixed", "members", "small members", "pigz", "bgzf"]
CHECKED += ["bzip2 fast", "zstd small frames", "zstd seekable"]


@pytest.fixture(scope="module")
def packed():
    """Contents of files and their elements, made when first asked for."""
    known = {}

    def make(way):
        if way not in known:
            # Nothing follows the data, so that whole reads reach the last checksum.
            shape = (40, 30, 20, 8) if way.startswith("bzip2") else Volumes.shape
            file = Volumes(shape=shape, packing=way, tail=0)
            known[way] = file, file.packed()[0], file.stored()
        return known[way]

    return make


def _damage(proxy, at, bit):
    """Change the memory that a proxy of `open_source` reads."""
    memory = (c.c_ubyte * 1).from_buffer(proxy.keep.memory, at)
    memory[0] ^= 1 << bit


def _whole(proxy, stored):
    """The error of a whole read, or None if it is right."""
    try:
        got = proxy.read_all("disk")
    except ApError as error:
        assert error.name in ("AP_ERR_CODEC", "AP_ERR_TRUNCATED", "AP_ERR_UNSUPPORTED"), error
        assert "byte" in error.message, error
        return error
    assert_same(got, stored)
    return None


@pytest.mark.parametrize("mode", ["built", "growing", "off"])
@pytest.mark.parametrize("way", CHECKED)
def test_flipped_bits(way, mode, packed):
    """Whole reads, by one thread and two, after the index was made. What lies before the
    damage can be read."""
    _, content, stored = packed(way)
    rng = np.random.default_rng(len(way))
    places = [*rng.integers(0, len(content), 10), *rng.integers(len(content) - 20, len(content), 4)]
    failed = 0
    for i, at in enumerate(map(int, places)):
        options = {"threads": 1 + i % 2, "cache_bytes": 0, "index_spacing": SPACING}
        options["index_mode"] = {"off": 0, "growing": 1, "built": 2}[mode]
        with Proxy.open_source(content, **options) as proxy:
            if mode == "growing" and i % 4 > 1:
                proxy.read((..., 4))
            _damage(proxy, at, int(rng.integers(8)))
            for _ in range(2):
                failed += _whole(proxy, stored) is not None
            if at > 2 * len(content) / 3:
                assert_same(proxy.read((..., 1), "disk"), stored[..., 1], f"byte {at}")
    assert failed >= len(places), "most bits matter"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("way", ["default", "fixed", "short blocks", "members", "empty members"])
def test_damage_that_adds_or_takes_bytes(way, threads, packed):
    """At the end of the data, where no others follow that would be in the wrong place."""
    file, content, _ = packed(way)
    data = np.frombuffer(file.parts()[0], "u1")
    rng = np.random.default_rng(threads)
    layout = content, "uint8", data.shape
    for trial in range(60):
        options = {"threads": threads, "index_mode": trial % 3, "index_spacing": SPACING}
        with Proxy.open_layout(*layout, cache_bytes=0, **options) as proxy:
            last = 10_000 if trial % 2 else 30
            at = int(rng.integers(len(content) - last, len(content)))
            _damage(proxy, at, trial % 8)
            for part in (slice(len(data) - 150_000, None), ...):
                try:
                    got = proxy.read(part)
                except ApError as error:
                    assert error.name in ("AP_ERR_CODEC", "AP_ERR_TRUNCATED"), error
                    continue
                # Only where a member is read from its begin must its checksum be right.
                if part is ... or options["index_mode"] == 2:
                    context = f"{options} byte {at} bit {trial % 8} {part}"
                    assert_same(got, data[part], context)


@pytest.mark.parametrize("way", ["default", "stored", "fixed", "pigz", "members", "bgzf"])
def test_parts_are_checked_at_the_end_of_their_span(way, packed, tmp_path):
    """By the checksums taken when the index was made. A part that ends before is not."""
    file, content, stored = packed(way)
    flat = stored.reshape(-1, order="F")
    rng = np.random.default_rng(4)
    with Proxy.open_source(content, index_mode=2, index_spacing=SPACING) as proxy:
        proxy.save_index(tmp_path / "index")
    points = Gzidx.load(tmp_path / "index").points
    found = 0
    for trial in range(24):
        i = int(rng.integers(1, len(points) - 1))
        here, behind = points[i], points[i + 1]
        at = int(rng.integers(here.at + 40, behind.at - 40))
        options = {"cache_bytes": (0, 32 << 20)[trial % 2], "threads": 1 + trial % 2}
        options |= {"index_spacing": SPACING, "index_mode": 1 + trial % 2}
        with Proxy.open_source(content, **options) as image, image.reshape((-1,)) as proxy:
            if trial % 2 == 0:
                image.load_index(tmp_path / "index")
            if trial % 4 == 0:
                image.read_all()
            _damage(image, at, trial % 8)
            # Elements from within the span, or before it, to its end.
            end = -(-(behind.position - file.offset) // 2)
            first = max(end - int(rng.integers(2000, 60_000)), 0)
            part = slice(first, end)
            try:
                got = proxy.read(part, "disk")
            except ApError as error:
                assert error.name in ("AP_ERR_CODEC", "AP_ERR_TRUNCATED") and "byte" in str(error)
                found += 1
            else:
                # The bit did not matter, or what was in the cache was right.
                assert_same(got, flat[part], f"trial {trial}")
            # The spans before are as they were.
            before = slice(0, (here.position - file.offset) // 2)
            assert_same(proxy.read(before, "disk"), flat[before], f"trial {trial}")
    assert found >= 10


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("way", ["members", "small members", "empty members", "bgzf"])
def test_members_by_themselves(way, threads, packed):
    """A wrong checksum of one member fails reads of it, not of the others."""
    _, content, stored = packed(way)
    # That of a member before the last one that has data.
    at = content.rindex(b"\x1f\x8b\x08", 0, len(content) - 4000) - 8
    while content[at + 4 : at + 8] == bytes(4):
        at = content.rindex(b"\x1f\x8b\x08", 0, at - 8) - 8
    for verify in (1, 0):
        options = {"threads": threads, "index_spacing": SPACING, "cache_bytes": 0}
        with Proxy.open_source(content, verify=verify, **options) as proxy:
            _damage(proxy, at, 0)
            assert_same(proxy.read((..., 0), "disk"), stored[..., 0])
            if verify:
                for _ in range(2):
                    message = fails("AP_ERR_CODEC", proxy.read_all)
                    assert "byte" in message and "checksum" in message
                    first = (..., slice(0, 6))
                    assert_same(proxy.read(first, "disk"), stored[first])
            else:
                assert_same(proxy.read_all("disk"), stored)
        assert _whole_of(content, stored, **options)


def _whole_of(content, stored, **options):
    with Proxy.open_source(content, **options) as proxy:
        return _whole(proxy, stored) is None


@pytest.mark.parametrize("way", ["default", "members", "bzip2 parallel", "zstd frames"])
def test_cut_data(way, packed):
    """At many lengths, by one thread and two: what there is can be read, the rest is told."""
    _, content, stored = packed(way)
    rng = np.random.default_rng(1)
    for i, cut in enumerate(sorted(map(int, rng.integers(len(content) // 3, len(content), 10)))):
        options = {"threads": 1 + i % 2, "index_spacing": SPACING, "index_mode": 1 + i // 2 % 2}
        with Proxy.open_source(content[:cut], **options) as proxy:
            fails("AP_ERR_TRUNCATED", proxy.read_all)
            fails("AP_ERR_TRUNCATED", proxy.read, (-1, -1, -1, -1))
            assert_same(proxy.read((..., 0), "disk"), stored[..., 0], f"{cut}")
            proxy.build_index()
            assert proxy.index_info.covered < len(content) * 8
            fails("AP_ERR_TRUNCATED", proxy.read_all)


def test_zstd_tables_that_lie(packed):
    """Of the seekable format: frames as they are count, or it is an error."""
    _, content, stored = packed("zstd seekable")
    end = len(content)
    count = int.from_bytes(content[end - 9 : end - 5], "little")
    rng = np.random.default_rng(2)
    for trial in range(12):
        with Proxy.open_source(content, threads=1 + trial % 2, cache_bytes=0) as proxy:
            at = end - 9 - 8 * count + int(rng.integers(8 * count + 9))
            _damage(proxy, at, trial % 8)
            for index in [(..., 5), (..., 2), ()]:
                try:
                    assert_same(proxy.read(index, "disk"), stored[index], f"{trial} {index}")
                except ApError as error:
                    assert error.name in ("AP_ERR_CODEC", "AP_ERR_TRUNCATED"), error
    assert SEEKABLES["zstd seekable"].codec == "zstd"
