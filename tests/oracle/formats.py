"""The formats: how to write each, and what it has. A new one is one row."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from afni import CODES as AFNI_CODES
from afni import Afni
from analyze import ANALYZE_TYPES, Analyze
from ecat import CODES as ECAT_CODES
from ecat import Ecat
from eltypes import NIFTI_TYPES, NUMBERS, TYPES
from files import ImageFile
from layouts import LayoutFile
from mgh import CODES, Mgh
from minc import Minc1
from minc2 import Minc2
from nifti import Nifti
from parrec import Parrec

UP_TO_SEVEN = [
    (200,),
    (23, 1),
    (1, 9, 7),
    (6, 5, 1, 4),
    (1, 1, 1, 1, 20),
    (3, 2, 4, 1, 3, 2),
    (2, 3, 2, 1, 2, 3, 2),
    (1, 1, 1, 1, 1, 1, 1),
]
EMPTY = [(0,), (4, 0), (0, 0, 0), (3, 0, 2, 1), (2, 1, 3, 0, 1, 2, 2)]


@dataclass(frozen=True)
class Format:
    # Takes the arguments of `ImageFile`.
    file: Callable[..., ImageFile]
    types: list[str]
    shapes: list[tuple]
    # Headers that are refused: fields, and the byte that the error names.
    refused: dict[str, tuple[dict, int]]
    byte_orders: str = "<>"
    # Slope and intercept for the tests that scale, if the format does.
    factors: tuple[float, float] = (1.0, 0.0)
    # Affine and zooms.
    has_space: bool = True
    # Numbers of axes that an array can have.
    ndims: tuple = tuple(range(8))

    @property
    def numbers(self):
        return [name for name in self.types if name in NUMBERS]


def _refused(datatype, dim, width):
    """For headers like Analyze's, by the places of two fields."""
    return {
        "type": ({"datatype": 77}, datatype),
        "no type": ({"datatype": 0}, datatype),
        "bits": ({"datatype": 1}, datatype),
        "negative length": ({"dim": [3, 5, -4, 3, 1, 1, 1, 1]}, dim + 2 * width),
        "negative axes": ({"dim": [-1, 5, 4, 3, 1, 1, 1, 1]}, dim),
        "too many axes": ({"dim": [8, 5, 4, 3, 1, 1, 1, 1]}, dim),
    }


def _nifti(version, pair):
    refused = _refused(70, 40, 2) if version == 1 else _refused(12, 16, 8)
    file = partial(Nifti, version=version, pair=pair)
    return Format(file, NIFTI_TYPES, UP_TO_SEVEN + EMPTY, refused, factors=(0.37, -2.5))


def _analyze(flavour, **what):
    refused = _refused(70, 40, 2)
    refused |= {"type of NIfTI": ({"datatype": 512}, 70)}
    refused |= {"offset": ({"vox_offset": -1}, 108), "endless": ({"vox_offset": 1e999}, 108)}
    file = partial(Analyze, flavour=flavour)
    return Format(file, ANALYZE_TYPES, UP_TO_SEVEN + EMPTY, refused, **what)


def _afni():
    refused = {}
    for name, value in [
        ("BRICK_TYPES", [2]),
        ("BRICK_TYPES", [0, 1]),
        ("DATASET_RANK", [4, 1]),
        ("DATASET_RANK", [3, -1]),
        ("DATASET_DIMENSIONS", [5, -4, 3]),
        ("BRICK_FLOAT_FACS", [1.0, 2.0]),
        ("BYTEORDER_STRING", [1]),
    ]:
        fields = {name: value}
        refused[f"{name} {value}"] = fields, Afni(fields=fields).byte_of(name)
    shapes = [(1, 1, 1, 1), (200, 1, 1, 1), (5, 1, 7, 2), (1, 1, 1, 20), (5, 4, 3, 2)]
    shapes += [(0, 1, 1, 1), (3, 0, 2, 1), (3, 2, 1, 0)]
    return Format(
        Afni, list(AFNI_CODES), shapes, refused, factors=(0.37, 0.0), ndims=(4,)
    )


def _ecat():
    refused = {f"type {code}": ({"data_type": code}, 1024) for code in (0, 8, 65535)}
    refused["more frames"] = {"num_frames": 1}, 354
    shapes = [(1, 1, 1, 1), (200, 1, 1, 1), (5, 1, 7, 2), (1, 1, 1, 20), (5, 4, 3, 2)]
    types = list(dict.fromkeys(ECAT_CODES.values()))
    file = partial(Ecat, uniform=True)
    return Format(file, types, shapes, refused, factors=(0.37, 0.0), ndims=(4,))


def _minc1():
    refused = {}
    for name, value in [
        ("signtype", "signed"),
        ("signtype", ""),
        ("valid_range", np.array([0.0, 1.0, 2.0])),
        ("valid_range", np.array([0.0])),
        ("valid_range", np.array([-32769.0, 5.0])),
        ("valid_range", np.array([0.0, 32768.0])),
    ]:
        fields = {f"image:{name}": value}
        refused[f"{name} {value}"] = fields, Minc1(fields=fields).byte_of("image")
    types = ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float64"]
    shapes = [(1, 1, 1), (200, 1, 1), (5, 1, 7), (1, 1, 1, 20), (5, 4, 3, 2)]
    factors = {"byte_orders": ">", "factors": (0.37, -2.5)}
    return Format(Minc1, types, shapes, refused, ndims=(3, 4), **factors)


def _minc2():
    refused = {}
    for value in ([0.0, 1.0, 2.0], [0.0], [-32769.0, 5.0], [0.0, 32768.0]):
        fields = {"image:valid_range": np.array(value)}
        refused[f"valid_range {value}"] = fields, Minc2(fields=fields).byte_of("image")
    row = _minc1()
    return replace(row, file=Minc2, refused=refused, byte_orders="<>")


def _parrec():
    refused = {}
    for name, value in [
        ("max_slices", None),
        ("max_slices", 2),
        ("max_slices", "many"),
        ("slice number", 0),
        ("image pixel size", 12),
        ("recon resolution", (5, -4)),
        ("echo number", 1.5),
        ("rescale slope", "x"),
        ("diffusion_b_factor", ""),
    ]:
        file = Parrec(fields={name: value})
        # Slices that are too many are told by the line that has one.
        line = file.header().index(file.lines()[2].encode()) if value == 2 else None
        byte = len(file.header()) if value is None else line or file.byte_of(name)
        refused[f"{name} {value}"] = file.fields, byte
    shapes = [(1, 1, 1), (200, 1, 1), (5, 1, 7), (1, 1, 1, 20), (5, 4, 3, 2), (0, 1, 1), (3, 0, 2)]
    return Format(
        Parrec, ["uint8", "uint16"], shapes, refused, "<", factors=(0.37, -2.5), ndims=(3, 4)
    )


FORMATS = {
    "nifti1": _nifti(1, False),
    "nifti1-pair": _nifti(1, True),
    "nifti2": _nifti(2, False),
    "nifti2-pair": _nifti(2, True),
    "analyze": _analyze("analyze"),
    "spm99": _analyze("spm99", factors=(0.37, 0.0)),
    "spm2": _analyze("spm2", factors=(0.37, -2.5)),
    "mgh": Format(
        Mgh,
        list(CODES),
        [(1, 1, 1), (200, 1, 1), (5, 1, 7), (1, 1, 1, 20), (5, 4, 3, 2)],
        {
            "version": ({"version": 2}, 0),
            "type": ({"type": 2}, 20),
            "type of tensors": ({"type": 6}, 20),
            "negative length": ({"dims": [5, -4, 3, 1]}, 8),
            "no length": ({"dims": [5, 4, 3, 0]}, 16),
        },
        byte_orders=">",
        ndims=(3, 4),
    ),
    "afni": _afni(),
    "ecat": _ecat(),
    "minc1": _minc1(),
    "minc2": _minc2(),
    "parrec": _parrec(),
    "layout": Format(
        LayoutFile, list(TYPES), UP_TO_SEVEN + EMPTY, {}, factors=(0.37, -2.5), has_space=False
    ),
}
