"""NIfTI files written byte by byte, so that what they hold owes nothing to a reader."""

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from eltypes import TYPES, file_bytes, values
from gzips import GZIPS
from model import Scaling

# field: (offset, struct format)
FIELDS_1 = {
    "sizeof_hdr": (0, "i"),
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "glmax": (140, "i"),
    "glmin": (144, "i"),
    "qform_code": (252, "h"),
    "sform_code": (254, "h"),
    "quatern": (256, "3f"),
    "qoffset": (268, "3f"),
    "srow": (280, "12f"),
    "magic": (344, "4s"),
}
FIELDS_2 = {
    "sizeof_hdr": (0, "i"),
    "magic": (4, "4s"),
    "eol": (8, "4s"),
    "datatype": (12, "h"),
    "bitpix": (14, "h"),
    "dim": (16, "8q"),
    "pixdim": (104, "8d"),
    "vox_offset": (168, "q"),
    "scl_slope": (176, "d"),
    "scl_inter": (184, "d"),
    "qform_code": (344, "i"),
    "sform_code": (348, "i"),
    "quatern": (352, "3d"),
    "qoffset": (376, "3d"),
    "srow": (400, "12d"),
}
HEADER_SIZE = {1: 348, 2: 540}
# Bytes that belong to nothing: a wrong offset shows at once.
JUNK = 0xEE


def pack_header(version, byte_order="<", **fields):
    """Header bytes; fields not given are zero."""
    table = FIELDS_1 if version == 1 else FIELDS_2
    out = bytearray(HEADER_SIZE[version])
    for name, value in fields.items():
        offset, form = table[name]
        value = tuple(value) if isinstance(value, (list, tuple)) else (value,)
        if form[-1] in "fd":
            value = tuple(np.array(value, f"{form[-1]}"))
        struct.pack_into(byte_order + form, out, offset, *value)
    return bytes(out)


@dataclass
class Nifti:
    """What to write. `fields` overrides any header field."""

    type: str = "int16"
    shape: tuple = (5, 4, 3)
    version: int = 1
    pair: bool = False
    byte_order: str = "<"
    slope: float = 1.0
    inter: float = 0.0
    vox_offset: float | None = None
    gzip: str | None = None
    seed: int = 0
    tail: int = 7  # bytes behind the data
    fields: dict = field(default_factory=dict)

    @property
    def format(self):
        return f"nifti{self.version}" + ("-pair" if self.pair else "")

    @property
    def offset(self):
        """Byte at which the data begin."""
        if self.vox_offset is not None:
            return int(self.vox_offset)
        return 0 if self.pair else HEADER_SIZE[self.version] + 4

    @property
    def scaling(self):
        """The factors that hold: those of NIfTI-1 are single precision numbers."""
        real = np.float32 if self.version == 1 else np.float64
        with np.errstate(over="ignore"):
            slope, inter = float(real(self.slope)), float(real(self.inter))
        if slope == 0 or not math.isfinite(slope):
            return Scaling()
        return Scaling(slope, inter)

    def header(self):
        t = TYPES[self.type]
        fields = {
            "sizeof_hdr": HEADER_SIZE[self.version],
            "dim": ([len(self.shape), *self.shape] + [1] * 7)[:8],
            "datatype": t.nifti,
            "bitpix": t.dtype.itemsize * 8,
            "pixdim": [1.0, 2.0, 3.0, 4.0, 1.5, 1.0, 1.0, 1.0],
            "vox_offset": self.offset if self.vox_offset is None else self.vox_offset,
            "scl_slope": self.slope,
            "scl_inter": self.inter,
            "magic": (b"ni" if self.pair else b"n+") + b"%d\0" % self.version,
        }
        if self.version == 2:
            fields["eol"] = b"\r\n\x1a\n"
        return pack_header(self.version, self.byte_order, **fields | self.fields)

    def stored(self):
        """The elements, as an array of `shape`."""
        count = math.prod(self.shape)
        return values(self.type, count, self.seed).reshape(self.shape, order="F")

    def parts(self):
        """Uncompressed contents: (single file, None) or (header, image) of a pair."""
        header = self.header()
        data = file_bytes(self.type, self.stored(), "F", self.byte_order)
        data += bytes([JUNK] * self.tail)
        if self.pair:
            return header, bytes([JUNK] * self.offset) + data
        lead = header + bytes(4)  # no extensions
        return lead + bytes([JUNK] * (self.offset - len(lead))) + data, None

    def write(self, folder, stem="image"):
        """Write the file or both; the path to open is returned."""
        folder = Path(folder)
        first, image = self.parts()
        suffix = ".gz" if self.gzip else ""
        pack = GZIPS[self.gzip] if self.gzip else bytes
        if self.pair:
            (folder / f"{stem}.img{suffix}").write_bytes(pack(image))
            path = folder / f"{stem}.hdr{suffix}"
        else:
            path = folder / f"{stem}.nii{suffix}"
        path.write_bytes(pack(first))
        return path
