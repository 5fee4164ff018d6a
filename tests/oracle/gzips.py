"""Gzip as different writers make it."""

import struct
import zlib


def member(data, level=6, flags=0, extra=b""):
    """One gzip member (RFC 1952). `extra` is what the flags announce."""
    header = b"\x1f\x8b\x08" + struct.pack("<BIBB", flags, 0, 0, 255) + extra
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    trailer = struct.pack("<II", zlib.crc32(data), len(data) % 2**32)
    return header + deflate.compress(data) + deflate.flush() + trailer


def _single(data):
    return member(data)


def uneven(data):
    """Five pieces, an empty one among them, so that elements lie across ends."""
    ends = [0, 5, len(data) // 3 | 1, len(data) // 3 | 1, len(data) // 2, len(data)]
    ends = sorted(min(end, len(data)) for end in ends)
    return [data[a:b] for a, b in zip(ends, ends[1:])]


def _members(data):
    return b"".join(member(piece, level) for level, piece in enumerate(uneven(data), 1))


def _padded(data):
    """Zeros after the end, as tapes and block devices leave them."""
    return member(data) + bytes(512)


def _stored(data):
    return member(data, level=0)


def _fast(data):
    return member(data, level=1)


def _best(data):
    return member(data, level=9)


def _named(data):
    """All optional header fields: extra, name, comment, header checksum."""
    fields = struct.pack("<H", 5) + b"ab\x01\x00z" + b"volume.nii\0" + b"comment\0"
    start = b"\x1f\x8b\x08" + struct.pack("<BIBB", 0x1E, 0, 0, 255) + fields
    crc = struct.pack("<H", zlib.crc32(start) & 0xFFFF)
    return member(data, flags=0x1E, extra=fields + crc)


def _flushed(data):
    """Full flushes: empty stored blocks between the others."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    out = b"\x1f\x8b\x08" + struct.pack("<BIBB", 0, 0, 0, 255)
    for start in range(0, len(data), 1000):
        out += deflate.compress(data[start : start + 1000])
        out += deflate.flush(zlib.Z_FULL_FLUSH)
    return out + deflate.flush() + struct.pack("<II", zlib.crc32(data), len(data) % 2**32)


def _fixed(data):
    """Blocks with the fixed Huffman codes only."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31, 8, zlib.Z_FIXED)
    return deflate.compress(data) + deflate.flush()


GZIPS = {
    "single": _single,
    "members": _members,
    "padded": _padded,
    "stored": _stored,
    "fast": _fast,
    "best": _best,
    "named": _named,
    "flushed": _flushed,
    "fixed": _fixed,
}
