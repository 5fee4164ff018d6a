"""ECAT 7 files."""

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from nibabel.ecat import EcatImage
from nibabel.fileholders import FileHolder

from eltypes import TYPES, file_bytes, values
from files import JUNK, ImageFile, pack_fields
from model import Scaling
from second import Whole

BLOCK = 512
ENTRIES = 31

# field: (offset, struct format)
MAIN = {
    "magic_number": (0, "14s"),
    "original_filename": (14, "32s"),
    "sw_version": (46, "H"),
    "file_type": (50, "H"),
    "scan_start_time": (62, "I"),
    "isotope_name": (66, "8s"),
    "isotope_halflife": (74, "f"),
    "ecat_calibration_factor": (144, "f"),
    "patient_name": (182, "32s"),
    "patient_sex": (214, "1s"),
    "patient_orientation": (330, "H"),
    "num_frames": (354, "H"),
    "bed_position": (364, "15f"),
    "data_units": (466, "32s"),
}
SUBHEADER = {
    "data_type": (0, "H"),
    "num_dimensions": (2, "H"),
    "dimensions": (4, "3H"),
    "offsets": (10, "3f"),
    "scale_factor": (26, "f"),
    "pixel_sizes": (34, "3f"),
    "frame_duration": (46, "I"),
}
# data_type: what its elements are.
CODES = {1: "uint8", 2: "int16", 3: "int32", 4: "float32", 5: "float32", 6: "int16", 7: "int32"}
VAX_FLOATS = 4


@dataclass
class Ecat(ImageFile):
    """`shape` has the frames on its last axis, in the order of the file. `fields` overrides
    those of the main header and of all subheaders."""

    shape: tuple = (5, 4, 3, 2)
    byte_order: str = ">"
    # By default that of the type.
    code: int = None
    orientation: int = 8
    calibration: float = 0.37
    # Of the frames in the order of the file; matrix ids count from 1 unless told.
    ids: tuple = ()
    scales: tuple = ()
    # The scale of all frames is the slope.
    uniform: bool = False
    # Fields of single subheaders, by the frame's number in the file.
    subfields: dict = None

    format = "ecat"
    extensions = ("v",)

    def __post_init__(self):
        self.shape = (*self.shape, 1, 1, 1)[:4]
        if self.code is None:
            self.code = max(code for code, name in CODES.items() if name == self.type)
        self.type = CODES[self.code]

    @property
    def count(self):
        return self.shape[3]

    @property
    def pieces(self):
        return len(self.in_order)

    @property
    def frame_ids(self):
        return self.ids or tuple(range(1, self.count + 1))

    def scale(self, frame):
        if self.uniform:
            return self.slope
        return self.scales[frame] if self.scales else 0.1 * frame + 0.7

    def frame(self, number):
        """Elements as stored."""
        shape = self.shape[:3]
        found = values(self.type, int(np.prod(shape)), self.seed + 100 * number)
        return found.reshape(shape, order="F")

    @property
    def in_order(self):
        """Numbers of the frames that are used, by their ids."""
        used = [i for i, id in enumerate(self.frame_ids) if id > 0]
        return sorted(used, key=lambda i: self.frame_ids[i])

    def stored(self):
        """All as the array has them, unscaled."""
        whole = np.stack([self.frame(i) for i in self.in_order], axis=3)
        if self.orientation in (1, 3, 5, 7):
            return whole[::-1, ::-1, ::-1]
        return whole[:, ::-1, ::-1] if self.orientation in (0, 2, 4, 6) else whole

    @property
    def scaling(self):
        """That of uniform files."""
        assert self.uniform
        factors = [float(np.float32(x)) for x in (self.calibration, self.slope)]
        return Scaling(factors[0], -0.0, more=factors[1], arithmetic="stored")

    def scaled(self):
        """What is meant, in plain NumPy: factors one after the other."""
        out = np.empty(self.stored().shape)
        work = np.dtype("f4" if self.type == "float32" else "f8").type
        calibration = work(np.float32(self.calibration))
        with np.errstate(all="ignore"):
            for to, i in enumerate(self.in_order):
                once = self.stored()[..., to].astype(work) * calibration
                out[..., to] = once * work(np.float32(self.scale(i)))
        return out

    @property
    def frame_blocks(self):
        return 1 + -(-int(np.prod(self.shape[:3])) * TYPES[self.type].dtype.itemsize // BLOCK)

    def places(self):
        """Blocks of the directory, and of the subheaders."""
        directory, frames, next_block = [2], [], 3
        for i in range(self.count):
            if i and i % ENTRIES == 0:
                directory.append(next_block)
                next_block += 1
            frames.append(next_block)
            next_block += self.frame_blocks
        return directory, frames, next_block

    @property
    def offset(self):
        """Of the first frame's lowest element."""
        return self.places()[1][0] * BLOCK

    def header(self):
        fields = {
            "magic_number": b"MATRIX72v",
            "original_filename": "Größe.v".encode(),
            "sw_version": 74,
            "file_type": 7,
            "scan_start_time": 2**32 - 5,
            "isotope_name": b"F-18",
            "isotope_halflife": 6586.2,
            "ecat_calibration_factor": self.calibration,
            "patient_sex": b"F",
            "patient_orientation": self.orientation,
            "num_frames": self.count,
            "bed_position": [0.1 * i for i in range(15)],
            "data_units": b"Bq/cc",
        }
        return self._packed(MAIN, fields)

    def _packed(self, table, fields):
        others = {name: value for name, value in self.fields.items() if name in table}
        return pack_fields(table, BLOCK, self.byte_order, fields | others)

    def subheader(self, number):
        fields = {
            "data_type": self.code,
            "num_dimensions": 3,
            "dimensions": self.shape[:3],
            "offsets": [1.1, -2.3, 0.7],
            "scale_factor": self.scale(number),
            "pixel_sizes": [0.22, 0.23, 0.3125],
            "frame_duration": 30000,
        }
        return self._packed(SUBHEADER, fields | (self.subfields or {}).get(number, {}))

    def parts(self):
        directory, frames, end = self.places()
        out = bytearray([JUNK] * ((end - 1) * BLOCK))

        def put(block, content):
            at = (block - 1) * BLOCK
            out[at : at + len(content)] = content

        put(1, self.header())
        for d, block in enumerate(directory):
            rows = list(range(self.count))[d * ENTRIES : (d + 1) * ENTRIES]
            following = directory[d + 1] if d + 1 < len(directory) else 2
            numbers = [ENTRIES - len(rows), following, directory[d - 1] if d else 0, len(rows)]
            for i in rows:
                numbers += [self.frame_ids[i], frames[i], frames[i] + self.frame_blocks - 1, 1]
            put(block, struct.pack(f"{self.byte_order}{len(numbers)}i", *numbers))
        for i, block in enumerate(frames):
            put(block, self.subheader(i))
            put(block + 1, file_bytes(self.type, self.frame(i), "F", self.byte_order))
        return (bytes(out) + self.behind(),)

    def nibabel_image(self, path):
        """[BUG] its own slices of the fourth axis are wrong, with one frame or many."""
        image = load(self.parts()[0])
        return Whole(image.affine, image.get_subheaders(), whole(image))


def load(file):
    """NiBabel's image of a path or bytes, without what it says of frames that are out of order
    or differ. Of a copy in memory, as it never closes its files."""
    content = file if isinstance(file, bytes) else Path(file).read_bytes()
    holder = FileHolder(fileobj=BytesIO(content))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return EcatImage.from_file_map({"header": holder, "image": holder})


def whole(image):
    """NiBabel's array."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(image.dataobj)
