"""MINC's images: what both versions have in common, and MINC 1's files, which are NetCDF."""

import math
import struct
import warnings
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from nibabel.externals.netcdf import netcdf_file
from nibabel.minc1 import Minc1File, Minc1Image

from eltypes import TYPES, file_bytes
from files import JUNK, ImageFile
from model import Scaling
from second import Whole

NAMES = {
    1: ("xspace",),
    2: ("yspace", "xspace"),
    3: ("zspace", "yspace", "xspace"),
    4: ("time", "zspace", "yspace", "xspace"),
}
# step, start, direction_cosines: exact, and oblique.
PLACES = {
    "xspace": (1.5, -60.25, [0.75, 0.5, -0.125]),
    "yspace": (-2.0, 87.0, [-0.5, 0.875, 0.25]),
    "zspace": (3.5, -54.5, [0.125, -0.25, 1.0]),
    "time": (2.25, 7.0, None),
}


def ranges(shape, seed=0):
    """Lower and upper ends, all of them different."""
    rng = np.random.default_rng(seed)
    lows = rng.normal(size=shape) * 100
    return {"lows": lows, "highs": lows + rng.uniform(0.5, 1000, shape)}


@dataclass
class Minc(ImageFile):
    """`fields` overrides attributes, as "variable:name", or leaves them out if `None`.

    One range holds for all, from slope and intercept, unless there are `lows` and `highs`:
    arrays over the first axes.
    """

    byte_order: str = ">"
    names: tuple = None
    lows: np.ndarray = None
    highs: np.ndarray = None
    range_type: str = "f8"
    # What is valid, and the attributes that say it.
    valid: tuple = None
    valid_as: tuple = ("valid_range",)
    # Variables that are left out, and others: dimensions' names and values.
    without: tuple = ()
    more: dict = field(default_factory=dict)

    extensions = ("mnc",)
    order = "C"

    def __post_init__(self):
        if self.names is None:
            self.names = NAMES[len(self.shape)]
        if self.lows is None:
            ends = [end * self.slope + self.inter for end in self.valid_ends]
            self.lows, self.highs = (np.array(end) for end in ends)
        self.lows, self.highs = (np.asarray(x, self.range_type) for x in (self.lows, self.highs))

    @property
    def is_integer(self):
        return TYPES[self.type].kind in ("int", "uint")

    @property
    def range_of_type(self):
        if not self.is_integer:
            return 0.0, 1.0
        info = np.iinfo(TYPES[self.type].dtype)
        return float(info.min), float(info.max)

    @property
    def valid_ends(self):
        return tuple(map(float, self.valid or self.range_of_type))

    @property
    def spatial(self):
        return tuple(i for i, name in enumerate(self.names) if name.endswith("space"))

    @property
    def is_raw(self):
        """Whether numbers are as stored."""
        return not self.is_integer or bool({"image-min", "image-max"} & set(self.without))

    def factors(self):
        """Slopes and intercepts, over the axes of the ranges."""
        low, high = self.valid_ends
        # Single precision counts, but for a number without axes.
        ends = [x if x.ndim else np.float64(x) for x in (self.highs, self.lows)]
        with np.errstate(all="ignore"):
            slopes = np.float64(1) * (ends[0] - ends[1]) / np.float64(high - low)
            return slopes, np.float64(1) * ends[1] - low * slopes

    def scalings(self):
        """Of each range what it makes of stored numbers."""
        clip = None if self.valid_ends == self.range_of_type else self.valid_ends
        factors = (np.ravel(x).tolist() for x in self.factors())
        what = {"arithmetic": "double", "clip": clip}
        return [Scaling(slope, inter, **what) for slope, inter in zip(*factors)]

    @property
    def scaling(self):
        """That of files with one range."""
        if self.is_raw:
            return Scaling()
        (scaling,) = set(self.scalings())
        return scaling

    def scaled(self):
        """What is meant, in plain NumPy."""
        if self.is_raw:
            return self.stored()
        slopes, inters = self.factors()
        rest = (1,) * (len(self.shape) - slopes.ndim)
        with np.errstate(all="ignore"):
            out = np.clip(self.stored(), *map(np.float64, self.valid_ends))
            out = out * slopes.reshape(slopes.shape + rest)
            return out + inters.reshape(inters.shape + rest)

    def affine(self):
        out = np.zeros((4, 4))
        out[3, 3] = 1
        for column, axis in enumerate(self.spatial):
            step, start, cosines = PLACES[self.names[axis]]
            out[:3, column] = np.array(cosines) * step
            out[:3, 3] += np.array(cosines) * start
        return out

    def attributes(self):
        """Texts and arrays, by variable and name; those of no variable are the file's."""
        own = {
            ":ident": "nobody:2001.02.03.04.05.06:7",
            ":history": "rawtominc one\nand 'two' Größe\n",
            "image:complete": "true_",
            "image:signtype": "unsigned" if TYPES[self.type].kind == "uint" else "signed__",
            "image-max:units": "arbitrary",
        }
        if self.valid is not None:
            valid = np.array(self.valid, "f8")
            whole = len(self.valid_as) == 1
            own |= {f"image:{name}": valid if whole else valid[i : i + 1]
                    for i, name in enumerate(self.valid_as)}  # fmt: skip
        for name in dict.fromkeys(self.names):
            step, start, cosines = PLACES.get(name, (1.0, 0.0, None))
            own[f"{name}:spacing"] = "regular__"
            own[f"{name}:step"], own[f"{name}:start"] = np.array([step]), np.array([start])
            own[f"{name}:units"] = "s" if name == "time" else "mm"
            if cosines is not None:
                own[f"{name}:direction_cosines"] = np.array(cosines, "f8")
        return {name: x for name, x in (own | self.fields).items() if x is not None}

    def variables(self):
        """Names of dimensions and values, by name; those of the image are last."""
        over = self.names[: self.lows.ndim]
        own = {"rootvariable": ((), np.array(0, "i4"))}
        own |= {name: ((), np.array(0.0)) for name in dict.fromkeys(self.names)}
        own |= self.more
        own |= {"image-max": (over, self.highs), "image-min": (over, self.lows)}
        own["image"] = self.names, self.stored()
        return {name: one for name, one in own.items() if name not in self.without}


# Of NetCDF, by NumPy's letters; signs are MINC's.
NC_TYPES = {"i1": 1, "u1": 1, "S1": 2, "i2": 3, "u2": 3, "i4": 4, "u4": 4, "f4": 5, "f8": 6}


def padded(content):
    return content + bytes(-len(content) % 4)


def _name(text):
    content = text.encode()
    return struct.pack(">I", len(content)) + padded(content)


def _list(tag, items):
    return struct.pack(">2I", tag if items else 0, len(items)) + b"".join(items)


def _attribute(name, value):
    if isinstance(value, str):
        content, code, count = value.encode(), 2, len(value.encode())
    else:
        content, count = value.astype(value.dtype.newbyteorder(">")).tobytes(), value.size
        code = NC_TYPES[value.dtype.str[1:]]
    return _name(name) + struct.pack(">2I", code, count) + padded(content)


@dataclass
class Minc1(Minc):
    """`records`: the first axis is NetCDF's unlimited one."""

    version: int = 1
    records: bool = False
    # nc_type of the image, if it is none of its type's.
    nc_type: int = None

    format = "minc1"

    def _own(self, variable):
        """Attributes of one variable."""
        split = (name.partition(":") + (value,) for name, value in self.attributes().items())
        return [_attribute(name, value) for own, _, name, value in split if own == variable]

    def _dimensions(self):
        """Lengths by name."""
        out = dict(zip(self.names, self.shape))
        for dimensions, value in self.more.values():
            out |= {name: n for name, n in zip(dimensions, value.shape) if name not in out}
        return out

    def _in_records(self, dimensions):
        return self.records and dimensions[:1] == self.names[:1]

    def _places(self, start):
        """Of each variable the byte at which it begins; bytes of a record; the end."""
        fixed, slabs = {}, {}
        for name, (dimensions, value) in self.variables().items():
            if self._in_records(dimensions):
                slabs[name] = math.prod(value.shape[1:]) * value.itemsize
            else:
                fixed[name] = value.nbytes
        places, at = {}, start
        for name, size in fixed.items():
            places[name], at = at, at + size + -size % 4
        first = at
        for name, size in slabs.items():
            # A variable that is alone is not padded.
            places[name], at = at, at + size + (-size % 4 if len(slabs) > 1 else 0)
        return places, at - first, first + (at - first) * (self.shape[0] if self.records else 0)

    def _entries(self, places):
        numbers = {name: i for i, name in enumerate(self._dimensions())}
        for name, (dimensions, value) in self.variables().items():
            axes = [numbers[one] for one in dimensions]
            code = NC_TYPES[value.dtype.str[1:]]
            if name == "image" and self.nc_type is not None:
                code = self.nc_type
            size = value.nbytes
            if self._in_records(dimensions):
                size = math.prod(value.shape[1:]) * value.itemsize
            yield name, (
                _name(name) + struct.pack(f">{1 + len(axes)}I", len(axes), *axes)
                + _list(12, self._own(name)) + struct.pack(">2I", code, size + -size % 4)
                + struct.pack(">Q" if self.version == 2 else ">I", places[name])
            )  # fmt: skip

    def _front(self):
        """What stands before the entries of variables."""
        lengths = dict(self._dimensions())
        if self.records:
            lengths[self.names[0]] = 0
        dimensions = [_name(name) + struct.pack(">I", n) for name, n in lengths.items()]
        records = self.shape[0] if self.records else 0
        magic = b"CDF" + bytes([self.version]) + struct.pack(">I", records)
        return magic + _list(10, dimensions) + _list(12, self._own(""))

    def header(self):
        front = self._front()
        zeros = dict.fromkeys(self.variables(), 0)
        size = len(front) + 8 + sum(len(entry) for _, entry in self._entries(zeros))
        entries = [entry for _, entry in self._entries(self._places(size)[0])]
        return front + _list(11, entries)

    def byte_of(self, variable):
        """Where the entry of a variable begins."""
        at = len(self._front()) + 8
        for name, entry in self._entries(dict.fromkeys(self.variables(), 0)):
            if name == variable:
                return at
            at += len(entry)
        raise KeyError(variable)

    @property
    def places(self):
        return self._places(len(self.header()))[0]

    @property
    def offset(self):
        return self.places["image"]

    def parts(self):
        header = self.header()
        places, record, end = self._places(len(header))
        out = bytearray(header + bytes([JUNK] * (end - len(header))))
        for name, (dimensions, value) in self.variables().items():
            type = self.type if name == "image" else _type_of(value)
            pieces, step = [value], 0
            if self._in_records(dimensions):
                pieces, step = list(value), record
            for i, piece in enumerate(pieces):
                content = file_bytes(type, np.asarray(piece), "C", ">")
                at = places[name] + i * step
                out[at : at + len(content)] = content
        return (bytes(out) + self.behind(),)

    def nibabel_image(self, path):
        """[BUG] single integers of several bytes have the wrong order in its own slices, and
        its images change zooms where time is first, or where cosines are no unit vectors."""
        image = load(path)
        header = Minc1File(netcdf_file(BytesIO(self.parts()[0])))
        return Whole(image.affine, header, np.asarray(image.dataobj))


def _type_of(value):
    return next(name for name, t in TYPES.items() if t.dtype == value.dtype)


def load(path):
    """NiBabel's image. Its class reads version 2 of NetCDF, too, which it does not find."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Minc1Image.from_filename(path)
