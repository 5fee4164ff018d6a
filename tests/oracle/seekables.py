"""Compressed files with many places at which decoding can begin, or with none."""

import bz2
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from backports import zstd

from bzip2s import BZIP2S
from gzips import GZIPS, member
from nifti import Nifti
from packings import Packing
from zstds import ZSTDS, skippable


def _pieces(data, size):
    return [data[at : at + size] for at in range(0, max(len(data), 1), size)]


def _deflated(strategy, level=6, memory=8):
    def pack(data):
        deflate = zlib.compressobj(level, zlib.DEFLATED, 31, memory, strategy)
        return deflate.compress(data) + deflate.flush()

    return pack


def _members(size, level=6):
    return lambda data: b"".join(member(piece, level) for piece in _pieces(data, size))


def _empties(data):
    """Members of no bytes: first, last, and several in a row."""
    out = member(b"") * 2
    for piece in _pieces(data, 150_001):
        out += member(piece) + member(b"", level=0) * 3
    return out


def _zeros_between(data):
    pieces = _pieces(data, 90_001)
    return b"".join(member(piece) + bytes(i % 3 * 700) for i, piece in enumerate(pieces))


def _fields(data):
    """Header fields by turns, one longer than a deflate window, in several members."""
    fields = [(8, b"name\0"), (16, b"c" * 40_000 + b"\0"), (4, b"\x03\x00abc"), (1, b"")]
    out = b""
    for i, piece in enumerate(_pieces(data, 200_003)):
        flags, extra = fields[i % len(fields)]
        start = b"\x1f\x8b\x08" + struct.pack("<BIBB", flags | 2, 0, 0, 255) + extra
        checksum = struct.pack("<H", zlib.crc32(start) & 0xFFFF)
        out += member(piece, 6, flags | 2, extra + checksum)
    return out


def _flushed(flush, size):
    def pack(data):
        deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
        out = b"".join(deflate.compress(p) + deflate.flush(flush) for p in _pieces(data, size))
        return out + deflate.flush()

    return pack


def _pigz(independent):
    """One member of blocks that were compressed apart, each with the data before it as a
    dictionary or, as `pigz -i` does, without; an empty stored block behind each."""

    def pack(data):
        out, pieces = member(b"")[:10], _pieces(data, 128 << 10)
        for i, piece in enumerate(pieces):
            before = {} if independent or i == 0 else {"zdict": pieces[i - 1][-(32 << 10) :]}
            deflate = zlib.compressobj(6, zlib.DEFLATED, -15, **before)
            out += deflate.compress(piece)
            if i + 1 < len(pieces):
                out += deflate.flush(zlib.Z_SYNC_FLUSH)
                out += b"\0\0\0\xff\xff" if independent else b""
            else:
                out += deflate.flush()
        return out + struct.pack("<II", zlib.crc32(data), len(data) % 2**32)

    return pack


def bgzf_member(data, said=0):
    """A member that tells its size, or `said` bytes more."""
    size = len(member(data)) + 8
    extra = struct.pack("<HBBHH", 6, 66, 67, 2, size - 1 + said)
    return member(data, 6, 4, extra)


BGZF_END = bgzf_member(b"")


def _bgzf(data):
    return b"".join(map(bgzf_member, _pieces(data, 65280))) + BGZF_END


def _bgzf_lies(data):
    """Sizes in the middle are wrong, which matters only to who believes them."""
    pieces = _pieces(data, 65280)
    lies = (bgzf_member(piece, said=40 * (i % 7 == 3)) for i, piece in enumerate(pieces))
    return b"".join(lies) + BGZF_END


def _bgzf_begins(data):
    """Only the first members are such."""
    head, rest = data[:200_000], data[200_000:]
    return b"".join(map(bgzf_member, _pieces(head, 65280))) + member(rest) + BGZF_END


def _bgzf_inside(data):
    """Ends without the empty member; one in the middle."""
    pieces = [*_pieces(data[:300_000], 40_000), b"", *_pieces(data[300_000:], 50_000)]
    return b"".join(map(bgzf_member, pieces))


def _decoys(data):
    """Stored blocks, in whose data members and flushes seem to be: see `Volumes.decoys`."""
    return b"".join(member(piece, 0) for piece in _pieces(data, 700_001))


def _frames(size, **options):
    made = {getattr(zstd.CompressionParameter, name): value for name, value in options.items()}
    return lambda data: b"".join(zstd.compress(p, options=made) for p in _pieces(data, size))


def _seekable(checked, size=64 << 10):
    """Zstd's seekable format: frames, and a table of their sizes in a skippable one."""

    def pack(data):
        out, table = b"", b""
        for piece in _pieces(data, size):
            packed = zstd.compress(piece, options={zstd.CompressionParameter.checksum_flag: 1})
            out += packed
            table += struct.pack("<II", len(packed), len(piece))
            # The same sum of the data as the frame ends with.
            table += packed[-4:] if checked else b""
        count = len(_pieces(data, size))
        footer = struct.pack("<IBI", count, checked << 7, 0x8F92EAB1)
        return out + skippable(table + footer, 0x0E)

    return pack


def _bz2_streams(data):
    """Levels by turns, in streams of unequal size."""
    pieces = _pieces(data, 333_331)
    return b"".join(bz2.compress(piece, 1 + 4 * i % 9) for i, piece in enumerate(pieces))


GZ = {
    "stored": GZIPS["stored"],
    "fast": GZIPS["fast"],
    "default": GZIPS["single"],
    "best": GZIPS["best"],
    "huffman": _deflated(zlib.Z_HUFFMAN_ONLY),
    "fixed": _deflated(zlib.Z_FIXED),
    "short blocks": _deflated(zlib.Z_DEFAULT_STRATEGY, memory=1),
    "five members": GZIPS["members"],
    "members": _members(100_003),
    "small members": _members(5_003),
    "tiny members": _members(499),
    "stored members": _members(70_001, level=0),
    "empty members": _empties,
    "zeros": GZIPS["padded"],
    "zeros between": _zeros_between,
    "junk": lambda data: member(data) + b"\x1f\x8b\x09 no member" * 900,
    "junk like a member": lambda data: member(data) + b"\0\x1f\x8b\x08\xff" + bytes(99),
    "named": GZIPS["named"],
    "fields": _fields,
    "sync flushes": _flushed(zlib.Z_SYNC_FLUSH, 50_001),
    "full flushes": _flushed(zlib.Z_FULL_FLUSH, 50_001),
    "pigz": _pigz(False),
    "pigz -i": _pigz(True),
    "bgzf": _bgzf,
    "bgzf lies": _bgzf_lies,
    "bgzf begins": _bgzf_begins,
    "bgzf inside": _bgzf_inside,
    "decoys": _decoys,
}
BZ2 = {
    "bzip2": BZIP2S["single"],
    "bzip2 fast": BZIP2S["fast"],
    "bzip2 streams": _bz2_streams,
    "bzip2 parallel": BZIP2S["parallel"],
    "bzip2 junk": BZIP2S["junk"],
}
ZST = {
    "zstd": ZSTDS["single"],
    "zstd streamed": ZSTDS["streamed"],
    "zstd frames": _frames(100_003),
    "zstd small frames": _frames(5_003, checksum_flag=1),
    "zstd frames without size": _frames(100_003, content_size_flag=0),
    "zstd skippables": ZSTDS["skippables"],
    "zstd seekable": _seekable(0),
    "zstd seekable checked": _seekable(1),
}
SEEKABLES = {}
for codec, suffix, ways in [("gzip", ".gz", GZ), ("bzip2", ".bz2", BZ2), ("zstd", ".zst", ZST)]:
    SEEKABLES |= {name: Packing(codec, suffix, pack) for name, pack in ways.items()}


@dataclass
class Volumes(Nifti):
    """Volumes like each other: what is behind refers to what is before, so that no decoder
    gets on without it."""

    shape: tuple = (56, 48, 32, 8)
    slope: float = 0.5
    inter: float = -3.0
    packing: str = "default"

    def stored(self):
        rng = np.random.default_rng(self.seed)
        planes = np.empty((np.prod(self.shape[2:]), self.shape[0] * self.shape[1]), self.type)
        plane = rng.integers(0, 250, planes.shape[1])
        for row in planes:
            changed = rng.random(plane.size) < 0.25
            plane[changed] = rng.integers(0, 250, np.count_nonzero(changed))
            row[:] = plane
        if self.packing == "decoys":
            content = bgzf_member(b"decoy") + b"\0\0\xff\xff" + member(b"") + BGZF_END
            flat = planes.reshape(-1).view("u1")
            for at in range(5000, flat.size - 5000, 30_011):
                flat[at : at + len(content)] = np.frombuffer(content, "u1")
        return planes.reshape(-1).reshape(self.shape, order="F")

    def packed(self):
        return tuple(SEEKABLES[self.packing].pack(part) for part in self.parts())

    def paths(self, folder, stem="image"):
        return [folder / f"{stem}.nii{SEEKABLES[self.packing].suffix}"]
