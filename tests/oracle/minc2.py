"""MINC 2's files, which are HDF5, as h5py writes them."""

from dataclasses import dataclass
from io import BytesIO

import h5py
import numpy as np
from nibabel.minc1 import MincImageArrayProxy
from nibabel.minc2 import Minc2File

from eltypes import TYPES
from minc import Minc
from second import Whole

IMAGE = "minc-2.0/image/0"


@dataclass
class Minc2(Minc):
    """`how` is what h5py's `create_dataset` takes beside the array: chunks and filters.

    Without `written`, a part of the image, all of it is; what is not is `filled`.
    """

    byte_order: str = "<"
    how: dict = None
    libver: object = "earliest"
    userblock: int = 0
    # Of variable length, not of the text's.
    long_texts: bool = False
    written: tuple = None
    filled: int = None
    # More attributes of each variable than a header holds.
    crowd: int = 0

    format = "minc2"
    byte_orders = "<>"

    def header(self):
        return b""

    def stored(self):
        whole = self.elements()
        if self.written is None:
            return whole
        out = np.full(whole.shape, self.filled or 0, whole.dtype)
        out[self.written] = whole[self.written]
        return out

    def _place(self, variable):
        """The path of a variable."""
        if variable in ("image", "image-max", "image-min"):
            return f"{IMAGE}/{variable}"
        if variable in self.names:
            return f"minc-2.0/dimensions/{variable}"
        return f"minc-2.0/info/{variable}" if variable else "minc-2.0"

    def __post_init__(self):
        super().__post_init__()
        if TYPES[self.type].dtype.itemsize == 1:
            self.byte_order = "<"

    def _create(self, file, name, value):
        place = self._place(name)
        if name != "image":
            return file.create_dataset(place, data=value, track_times=False)
        how = {"track_times": False, "fillvalue": self.filled} | (self.how or {})
        dtype = TYPES[self.type].dtype.newbyteorder(self.byte_order)
        return file.create_dataset(place, value.shape, dtype, **how)

    def _write(self, file):
        for group in ("info", "dimensions", "image/0"):
            file.require_group(f"minc-2.0/{group}")
        for name, (dimensions, value) in self.variables().items():
            dataset = self._create(file, name, value)
            if dimensions:
                dataset.attrs["dimorder"] = np.bytes_(",".join(dimensions))
            for i in range(self.crowd):
                dataset.attrs[f"crowd {i}"] = float(i)
        for name, value in self.attributes().items():
            variable, _, attribute = name.partition(":")
            # What signs numbers have, their types tell.
            if attribute == "signtype" or self._place(variable) not in file:
                continue
            if isinstance(value, str) and not self.long_texts:
                value = np.bytes_(value.encode())
            elif not isinstance(value, str) and value.size == 1:
                value = value.reshape(())[()]
            file[self._place(variable)].attrs[attribute] = value
        # Last, so that they can be cut off.
        if self.written is None:
            file[self._place("image")][...] = self.elements()
        else:
            file[self._place("image")][self.written] = self.elements()[self.written]

    def factors(self):
        # NumPy's numbers without axes keep their precision, too.
        low, high = self.valid_ends
        with np.errstate(all="ignore"):
            slopes = np.float64(1) * (self.highs - self.lows) / np.float64(high - low)
            return slopes, np.float64(1) * self.lows - low * slopes

    def parts(self):
        content = BytesIO()
        what = {"libver": self.libver, "userblock_size": self.userblock}
        with h5py.File(content, "w", **what) as file:
            self._write(file)
        return (content.getvalue() + self.behind(),)

    def byte_of(self, variable):
        """Where the header of a variable's object begins."""
        with self.opened() as file:
            return h5py.h5o.get_info(file[self._place(variable)].id).addr

    def opened(self):
        return h5py.File(BytesIO(self.parts()[0]), "r")

    @property
    def offset(self):
        """-1 where the image is in several places."""
        with self.opened() as file:
            offset = file[self._place("image")].id.get_offset()
        return -1 if offset is None else offset

    def nibabel_image(self, path):
        """Of the file as it is before it is compressed, which it does not read."""
        with self.opened() as file:
            own = Minc2File(file)
            whole = np.asarray(MincImageArrayProxy(own))
            header = _Zooms(own.get_zooms())
            return Whole(own.get_affine(), header, whole)


class _Zooms:
    def __init__(self, zooms):
        self.zooms = zooms

    def get_zooms(self):
        return self.zooms
