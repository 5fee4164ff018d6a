"""MGH files."""

import struct
from dataclasses import dataclass

from nibabel.arrayproxy import ArrayProxy
from nibabel.freesurfer.mghformat import MGHHeader, MGHImage
from nibabel.openers import ImageOpener

from files import ImageFile, pack_fields
from packings import PACKINGS

# field: (offset, struct format)
FIELDS = {
    "version": (0, "i"),
    "dims": (4, "4i"),
    "type": (20, "i"),
    "dof": (24, "i"),
    "goodRAS": (28, "h"),
    "delta": (30, "3f"),
    "Mdc": (42, "9f"),
    "Pxyz_c": (78, "3f"),
}
SIZE = 284
CODES = {"uint8": 0, "int32": 1, "float32": 3, "int16": 4, "uint16": 10}
# tr, flip angle, te, ti, field of view.
FOOTER = struct.pack(">5f", 2300.0, 0.157, 2.98, 900.0, 256.0)
OBLIQUE = [0.8, 0.6, 0.0, -0.36, 0.48, 0.8, 0.48, -0.64, 0.6]


def tag(code, content):
    return struct.pack(">iq", code, len(content)) + content


TAGS = tag(3, b"mri_convert a.nii a.mgz\0") + tag(41, b"ok\0")


@dataclass
class Mgh(ImageFile):
    """Of three or four axes. The byte order is that of all MGH files."""

    byte_order: str = ">"
    footer: bytes = FOOTER + TAGS

    format = "mgh"
    offset = SIZE

    @property
    def extensions(self):
        return ("mgz" if PACKINGS[self.packing].codec == "gzip" else "mgh",)

    def paths(self, folder, stem="image"):
        return [path.with_suffix("") if path.match("*.mgz.gz") else path
                for path in super().paths(folder, stem)]  # fmt: skip

    def behind(self):
        return self.footer

    def header(self):
        fields = {
            "version": 1,
            "dims": (*self.shape, 1)[:4],
            "type": CODES[self.type],
            "goodRAS": 1,
            "delta": [1.1, 0.9, 2.5],
            "Mdc": OBLIQUE,
            "Pxyz_c": [10.5, -20.25, 30.1],
        }
        return pack_fields(FIELDS, SIZE, self.byte_order, fields | self.fields)

    def nibabel_image(self, path):
        """What its class does, but that leaves the file open, and names it by gzip only."""
        with ImageOpener(str(path)) as file:
            header = MGHHeader.from_fileobj(file)
        return MGHImage(ArrayProxy(str(path), header), header.get_affine(), header)
