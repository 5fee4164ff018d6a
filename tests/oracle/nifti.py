"""NIfTI files."""

import math
from dataclasses import dataclass

import nibabel
import numpy as np

from analyze import FIELDS
from eltypes import TYPES
from files import ImageFile, pack_fields
from model import Scaling

# field: (offset, struct format)
FIELDS_1 = FIELDS | {
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


@dataclass
class Nifti(ImageFile):
    version: int = 1
    pair: bool = False
    vox_offset: float | None = None

    @property
    def format(self):
        return f"nifti{self.version}" + ("-pair" if self.pair else "")

    @property
    def extensions(self):
        return ("hdr", "img") if self.pair else ("nii",)

    @property
    def offset(self):
        if self.vox_offset is not None:
            return int(self.vox_offset)
        return 0 if self.pair else HEADER_SIZE[self.version] + 4

    @property
    def scaling(self):
        """Those of NIfTI-1 are single precision numbers."""
        real = np.float32 if self.version == 1 else np.float64
        with np.errstate(over="ignore"):
            slope, inter = float(real(self.slope)), float(real(self.inter))
        if slope == 0 or not math.isfinite(slope) or TYPES[self.type].is_rgb:
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
        table = FIELDS_1 if self.version == 1 else FIELDS_2
        size = HEADER_SIZE[self.version]
        return pack_fields(table, size, self.byte_order, fields | self.fields)

    def parts(self):
        first, *image = super().parts()
        if not self.pair:
            # No extensions.
            size = HEADER_SIZE[self.version]
            first = first[:size] + bytes(4) + first[size + 4 :]
        return first, *image

    def nibabel_image(self, path):
        return nibabel.load(path)
