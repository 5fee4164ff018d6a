"""AFNI's datasets: a text of attributes (.HEAD) and an image (.BRIK)."""

from dataclasses import dataclass
from unittest.mock import patch

from nibabel import brikhead

from files import ImageFile
from model import Scaling
from packings import PACKINGS

CODES = {"uint8": 0, "int16": 1, "float32": 3, "complex64": 5}
# DICOM's axes: x to the left, y to the back. The sizes of its voxels are exact: NiBabel's images
# take them from here, its headers from DELTA.
OBLIQUE = [-1.5, 2, 0, 60.5, 2, 1.5, 0, 87, 0, 0, 3.5, -54.25]


def attribute(name, value):
    """A block, of the type of its value: a text, integers or other numbers."""
    if isinstance(value, str):
        kind, count, text = "string", len(value) + 1, f"'{value}~"
    else:
        real = any(isinstance(x, float) for x in value)
        kind, count = "float" if real else "integer", len(value)
        lines = [value[i : i + 5] for i in range(0, count, 5)]
        text = "\n".join("".join(f" {x!r:>14}" for x in line) for line in lines)
    return f"\ntype = {kind}-attribute\nname = {name}\ncount = {count}\n{text}\n"


@dataclass
class Afni(ImageFile):
    """Of four axes always: others are filled up. `fields` overrides attributes, `None` leaves
    one out; `facs` are factors of sub-bricks in the place of the one slope."""

    facs: list = None

    format = "afni"
    offset = 0
    extensions = ("HEAD", "BRIK")

    def __post_init__(self):
        self.shape = (*self.shape, 1, 1, 1)[:4]

    @property
    def scaling(self):
        # No sub-bricks have no factors. A product is all that there is.
        is_scaled = self.slope != 1 and self.shape[3]
        return Scaling(self.slope, -0.0, arithmetic="double") if is_scaled else Scaling()

    def attributes(self):
        n = self.shape[3]
        facs = self.facs
        if facs is None:
            facs = [0.0 if self.slope == 1 else self.slope] * n
        own = {
            "TYPESTRING": "3DIM_HEAD_ANAT",
            "SCENE_DATA": [0, 2, 0, -999, -999, -999, -999, -999],
            "ORIENT_SPECIFIC": [0, 3, 4],
            "DELTA": [2.5, -2.5, 3.5],
            "IJK_TO_DICOM_REAL": [float(x) for x in OBLIQUE],
            "TAXIS_NUMS": [n, 25, 77002, -999, -999, -999, -999, -999],
            "TAXIS_FLOATS": [0.0, 2.25, 0.0, -54.25, 3.5],
            "DATASET_RANK": [3, n, 0, 0, 0, 0, 0, 0],
            "DATASET_DIMENSIONS": [*self.shape[:3], 0, 0],
            "BRICK_TYPES": [CODES[self.type]] * n or [CODES[self.type]],
            "BRICK_FLOAT_FACS": [float(x) for x in facs],
            "TEMPLATE_SPACE": "ORIG",
            "HISTORY_NOTE": "it's [a] ~ note\\n of 'two' lines",
            "BYTEORDER_STRING": {"<": "LSB_FIRST", ">": "MSB_FIRST"}[self.byte_order],
        }
        return {name: value for name, value in (own | self.fields).items() if value is not None}

    def header(self):
        blocks = [attribute(name, value) for name, value in self.attributes().items()]
        return "".join(blocks).encode()

    def byte_of(self, name):
        """Where the block of an attribute begins."""
        head = self.header()
        return head.rindex(b"type", 0, head.index(f"name = {name}\n".encode()))

    def packed(self):
        """The header is never compressed."""
        header, image = self.parts()
        return header, PACKINGS[self.packing].pack(image)

    def paths(self, folder, stem="image"):
        header, image = super().paths(folder, stem)
        return [header.with_name(f"{stem}.HEAD"), image]

    def nibabel_image(self, path):
        # [BUG] it takes complex numbers for twice as large.
        with patch.dict(brikhead._dtype_dict, {5: "F"}):
            return brikhead.AFNIImage.from_filename(path)
