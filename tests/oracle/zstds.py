"""Zstd as different writers make it; some frames byte by byte (RFC 8878)."""

import struct

from backports import zstd

from gzips import uneven


def _options(**options):
    return {getattr(zstd.CompressionParameter, name): value for name, value in options.items()}


def _with(**options):
    return lambda data: zstd.compress(data, options=_options(**options))


def _streamed(data, **options):
    """A frame that was begun before its size was known, flushed now and then."""
    made = zstd.ZstdCompressor(options=_options(**options))
    out = b""
    for at in range(0, len(data), 5000):
        out += made.compress(data[at : at + 5000], zstd.ZstdCompressor.FLUSH_BLOCK)
    return out + made.flush()


def skippable(content, number=0):
    """A frame that holds something else."""
    return struct.pack("<II", 0x184D2A50 + number, len(content)) + content


def frame(data, window=None):
    """Blocks of bytes as they are, or of one byte repeated. The frame tells its size or,
    if given, the byte `window` that describes one."""
    head = b"\xe0" + struct.pack("<Q", len(data)) if window is None else bytes([0, window])
    out = b"\x28\xb5\x2f\xfd" + head
    pieces = [data[at : at + 1000] for at in range(0, max(len(data), 1), 1000)]
    for i, piece in enumerate(pieces, 1):
        repeats = len(set(piece)) == 1
        out += struct.pack("<I", len(piece) << 3 | repeats << 1 | (i == len(pieces)))[:3]
        out += piece[:1] if repeats else piece
    return out


def _frames(data):
    """With and without checksum and size, and one of no bytes."""
    first, *others = uneven(data)
    out = zstd.compress(first, 1)
    for i, piece in enumerate(others):
        checked = _streamed(piece, checksum_flag=1)
        out += checked if i % 2 else zstd.compress(piece, 19)
    return out


def _skippables(data):
    """In front, between and behind, one of no bytes and one beyond any look at the head."""
    out = skippable(b"") + skippable(bytes(5000), 15)
    for i, piece in enumerate(uneven(data)):
        out += zstd.compress(piece) + skippable(b"\x28\xb5\x2f\xfd" * i, i)
    return out


ZSTDS = {
    "single": zstd.compress,
    "fast": lambda data: zstd.compress(data, 1),
    "best": lambda data: zstd.compress(data, 19),
    "long": lambda data: _streamed(data, enable_long_distance_matching=1, window_log=27),
    "checked": _with(checksum_flag=1),
    "sizeless": _with(content_size_flag=0),
    "streamed": _streamed,
    "raw": frame,
    "frames": _frames,
    "empty-first": lambda data: zstd.compress(b"") + zstd.compress(data),
    "skippables": _skippables,
    "junk": lambda data: zstd.compress(data) + b"\x28\xb5\x2f no frame",
}
