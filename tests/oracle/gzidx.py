"""Index files of gzip: taking them apart and making them, and those that others write."""

import struct
from dataclasses import dataclass, field, replace

import indexed_gzip
import rapidgzip

HEADER = "<5sBBQQIII"
HEADER_SIZE = struct.calcsize(HEADER)
WINDOW = 32 << 10


@dataclass(frozen=True)
class Point:
    at: int  # byte of the file
    position: int  # decoded bytes before
    bits: int = 0
    window: bytes = b""  # none where a member begins


@dataclass(frozen=True)
class Gzidx:
    """A GZIDX file as indexed_gzip's zran.h describes it."""

    compressed: int
    size: int
    points: tuple = field(repr=False)
    tail: bytes = field(default=b"", repr=False)  # what others pass over
    version: int = 1
    spacing: int = 1 << 20
    window: int = WINDOW
    count: int | None = None  # as told, if not as it is

    @classmethod
    def parse(cls, data):
        head = struct.unpack_from(HEADER, data)
        magic, version, reserved, compressed, size, spacing, window, count = head
        assert (magic, version, reserved) == (b"GZIDX", 1, 0)
        points, end = [], HEADER_SIZE + 18 * count
        for at in range(HEADER_SIZE, end, 18):
            *place, has_window = struct.unpack_from("<QQBB", data, at)
            points.append(Point(*place, data[end : end + window] if has_window else b""))
            end += window * has_window
        assert end <= len(data)
        return cls(compressed, size, tuple(points), data[end:], 1, spacing, window)

    @classmethod
    def load(cls, path):
        return cls.parse(path.read_bytes())

    def bytes(self):
        count = len(self.points) if self.count is None else self.count
        sizes = self.compressed, self.size, self.spacing, self.window
        out = struct.pack(HEADER, b"GZIDX", self.version, 0, *sizes, count)
        for point in self.points:
            out += struct.pack("<QQB", point.at, point.position, point.bits)
            # Version 0 knows no points without a window but the first.
            out += bytes([bool(point.window)]) if self.version else b""
        return out + b"".join(point.window for point in self.points) + self.tail

    def save(self, path):
        path.write_bytes(self.bytes())

    def but(self, **changes):
        return replace(self, **changes)

    def but_point(self, i, **changes):
        points = list(self.points)
        points[i] = replace(points[i], **changes)
        return replace(self, points=tuple(points))


def by_indexed_gzip(path, index, spacing=65536):
    with indexed_gzip.IndexedGzipFile(path, spacing=spacing) as file:
        file.build_full_index()
        file.export_index(index)


def by_rapidgzip(path, index):
    """Points stand about a MiB apart. It aborts if a file is not closed before the end."""
    with rapidgzip.open(str(path), parallelization=2) as file:
        file.block_offsets()
        file.export_index(str(index))
