"""Image files written byte by byte, so that what they hold owes nothing to a reader."""

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eltypes import TYPES, file_bytes, values
from model import Scaling
from packings import NOT_NIBABELS, PACKINGS
from proxy import Proxy

# Bytes that belong to nothing: a wrong offset shows at once.
JUNK = 0xEE


def pack_fields(table, size, byte_order, fields):
    """A header of `size` bytes. `table` has (offset, struct format) of each field; those not
    given are zero."""
    out = bytearray(size)
    for name, value in fields.items():
        offset, form = table[name]
        value = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        if form[-1] in "fd":
            with np.errstate(over="ignore"):
                value = tuple(np.array(value, f"{form[-1]}"))
        struct.pack_into(byte_order + form, out, offset, *value)
    return bytes(out)


def holding(kind, values, **what):
    """A file of these values, in the place of random ones."""

    class Holding(kind):
        def elements(self):
            return values

        def frame(self, number):
            return values[..., number]

    return Holding(values.dtype.name, values.shape, **what)


@dataclass
class ImageFile:
    """What to write. `fields` overrides any field of the header."""

    type: str = "int16"
    shape: tuple = (5, 4, 3)
    byte_order: str = "<"
    slope: float = 1.0
    inter: float = 0.0
    packing: str = "plain"
    seed: int = 0
    tail: int = 7  # bytes behind the data
    fields: dict = field(default_factory=dict)

    # Of the file that has the header, and of that with the image in a pair.
    extensions = ("bin",)
    # Without these the format is not found.
    options = {}
    order = "F"
    # Pieces in which the array is stored.
    pieces = 1

    @property
    def format(self):
        """The name that `ap_format` gives."""
        raise NotImplementedError

    @property
    def offset(self):
        """Byte at which the data begin."""
        raise NotImplementedError

    @property
    def spatial(self):
        """Axes that the affine is of."""
        return tuple(range(min(3, len(self.shape))))

    @property
    def scaling(self):
        """The factors that hold."""
        return Scaling()

    def header(self):
        """The bytes that `ap_header` gives."""
        raise NotImplementedError

    def nibabel_image(self, path):
        """As NiBabel opens it."""
        raise NotImplementedError

    def nibabel(self, path):
        """NiBabel's image; None where it refuses the file."""
        # It reads 128-bit floats only where longdouble is binary128.
        refused = TYPES[self.type].is_wide or self.packing in NOT_NIBABELS
        return None if refused else self.nibabel_image(path)

    def stored(self):
        """The elements, as an array of `shape`."""
        return self.elements()

    def elements(self):
        """What is written."""
        count = math.prod(self.shape)
        return values(self.type, count, self.seed).reshape(self.shape, order="F")

    def behind(self):
        """What stands behind the data."""
        return bytes([JUNK] * self.tail)

    def parts(self):
        """Uncompressed contents of the file, or of header and image."""
        header = self.header()
        data = file_bytes(self.type, self.stored(), self.order, self.byte_order) + self.behind()
        if len(self.extensions) == 2:
            return header, bytes([JUNK] * self.offset) + data
        return (header + bytes([JUNK] * (self.offset - len(header))) + data,)

    def packed(self):
        """The contents as the files have them."""
        return tuple(PACKINGS[self.packing].pack(part) for part in self.parts())

    def paths(self, folder, stem="image"):
        suffix = PACKINGS[self.packing].suffix
        return [Path(folder) / f"{stem}.{end}{suffix}" for end in self.extensions]

    def write(self, folder, stem="image"):
        """Write the file or both; the path to open is returned."""
        paths = self.paths(folder, stem)
        for path, content in zip(paths, self.packed()):
            path.write_bytes(content)
        return paths[0]

    def open(self, path, **options):
        return Proxy.open(path, **self.options | options)

    def open_sources(self, contents, **options):
        """From what `Source` takes, one for each file."""
        return Proxy.open_source(*contents, **self.options | options)
