"""Analyze 7.5, SPM99 and SPM2: one header, read in three ways."""

import math
from dataclasses import dataclass

import nibabel
import numpy as np

from eltypes import TYPES
from files import ImageFile, pack_fields
from model import Scaling

# field: (offset, struct format). NIfTI-1 kept these; SPM's are in places free in Analyze.
FIELDS = {
    "sizeof_hdr": (0, "i"),
    "dim": (40, "8h"),
    "datatype": (70, "h"),
    "bitpix": (72, "h"),
    "pixdim": (76, "8f"),
    "vox_offset": (108, "f"),
    "scl_slope": (112, "f"),
    "scl_inter": (116, "f"),
    "cal_max": (124, "f"),
    "cal_min": (128, "f"),
    "glmax": (140, "i"),
    "glmin": (144, "i"),
}
ORIGIN = {"origin": (253, "5h")}
SIZE = 348
ANALYZE_TYPES = ["uint8", "int16", "int32", "float32", "complex64", "float64", "rgb24"]
IMAGES = {
    "analyze": nibabel.AnalyzeImage,
    "spm99": nibabel.Spm99AnalyzeImage,
    "spm2": nibabel.Spm2AnalyzeImage,
}


def is_factor(slope):
    return slope != 0 and math.isfinite(slope)


@dataclass
class Analyze(ImageFile):
    flavour: str = "spm2"
    vox_offset: float = 0

    extensions = ("hdr", "img")

    @property
    def format(self):
        return self.flavour

    @property
    def options(self):
        """SPM2 is what content tells."""
        return {} if self.flavour == "spm2" else {"format": self.flavour}

    @property
    def offset(self):
        return int(self.vox_offset)

    @property
    def scaling(self):
        if self.flavour == "analyze" or TYPES[self.type].is_rgb:
            return Scaling()
        with np.errstate(over="ignore"):
            slope, inter = float(np.float32(self.slope)), float(np.float32(self.inter))
        if self.flavour == "spm99":
            return Scaling(slope, 0.0, np.float32) if is_factor(slope) else Scaling()
        if is_factor(slope):
            return Scaling(slope, inter if math.isfinite(inter) else 0.0)
        return self._ranges()

    def _ranges(self):
        """SPM2: from glmin to glmax as stored, from cal_min to cal_max as meant."""
        glmax, glmin, cal_max, cal_min = (
            self.fields.get(name, 0) for name in ("glmax", "glmin", "cal_max", "cal_min")
        )
        with np.errstate(all="ignore"):
            meant = float(np.float32(cal_max) - np.float32(cal_min))
        stored = glmax - glmin
        if not stored or not meant:
            return Scaling()
        slope = meant / stored
        inter = float(np.float32(cal_min)) - slope * glmin
        # What NiBabel would make all of the data NaN with means no scaling.
        return Scaling(slope, inter) if math.isfinite(slope + inter) else Scaling()

    def header(self):
        t = TYPES[self.type]
        fields = {
            "sizeof_hdr": SIZE,
            "dim": ([len(self.shape), *self.shape] + [1] * 7)[:8],
            "datatype": t.nifti,
            "bitpix": t.dtype.itemsize * 8,
            "pixdim": [0.0, 2.0, 3.0, 4.0, 1.5, 1.0, 1.0, 1.0],
            "vox_offset": self.vox_offset,
            "scl_slope": self.slope,
            "scl_inter": self.inter,
        }
        return pack_fields(FIELDS | ORIGIN, SIZE, self.byte_order, fields | self.fields)

    def nibabel_image(self, path):
        return IMAGES[self.flavour].load(path)
