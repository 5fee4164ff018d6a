"""Element types: names, codes, NumPy's dtypes, and how elements look in a file."""

from dataclasses import dataclass

import numpy as np

import wide

KINDS = {"int": 1, "uint": 2, "float": 3, "complex": 4, "rgb": 5, "bool": 6}


@dataclass(frozen=True)
class ElementType:
    name: str
    kind: str
    dtype: np.dtype  # native order; floats of 128 bits as plain bytes
    nifti: int | None  # datatype code, None where NIfTI has no such type
    part: int  # bytes that change places together when byte order changes

    @property
    def code(self):
        return KINDS[self.kind] * 256 + self.dtype.itemsize

    @property
    def is_wide(self):
        return self.name in ("float128", "complex256")

    @property
    def is_rgb(self):
        return self.kind == "rgb"


def _rgb(letters):
    return np.dtype([(letter, "u1") for letter in letters])


TYPES = {
    t.name: t
    for t in [
        ElementType("bool", "bool", np.dtype("?"), None, 1),
        ElementType("int8", "int", np.dtype("i1"), 256, 1),
        ElementType("int16", "int", np.dtype("i2"), 4, 2),
        ElementType("int32", "int", np.dtype("i4"), 8, 4),
        ElementType("int64", "int", np.dtype("i8"), 1024, 8),
        ElementType("uint8", "uint", np.dtype("u1"), 2, 1),
        ElementType("uint16", "uint", np.dtype("u2"), 512, 2),
        ElementType("uint32", "uint", np.dtype("u4"), 768, 4),
        ElementType("uint64", "uint", np.dtype("u8"), 1280, 8),
        ElementType("float16", "float", np.dtype("f2"), None, 2),
        ElementType("float32", "float", np.dtype("f4"), 16, 4),
        ElementType("float64", "float", np.dtype("f8"), 64, 8),
        ElementType("float128", "float", np.dtype("V16"), 1536, 16),
        ElementType("complex64", "complex", np.dtype("c8"), 32, 4),
        ElementType("complex128", "complex", np.dtype("c16"), 1792, 8),
        ElementType("complex256", "complex", np.dtype("V32"), 2048, 16),
        ElementType("rgb24", "rgb", _rgb("RGB"), 128, 1),
        ElementType("rgba32", "rgb", _rgb("RGBA"), 2304, 1),
    ]
}
BY_CODE = {t.code: t for t in TYPES.values()}
NIFTI_TYPES = [t.name for t in TYPES.values() if t.nifti is not None]
# Types with arithmetic of NumPy's own; the rest have tests of their own.
NUMBERS = [t.name for t in TYPES.values() if not t.is_wide and not t.is_rgb]
NIFTI_NUMBERS = [name for name in NUMBERS if name in NIFTI_TYPES]
FLOATS = [name for name in NUMBERS if TYPES[name].kind == "float"]
COMPLEX = [name for name in NUMBERS if TYPES[name].kind == "complex"]
INTEGERS = [name for name in NUMBERS if TYPES[name].kind in ("int", "uint")]


def _float_values(dtype, count, rng):
    """Special values, wild bit patterns (signalling NaN too) and everyday numbers."""
    info = np.finfo(dtype)
    tiny = info.smallest_subnormal
    special = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, np.inf, -np.inf, np.nan]
    special += [info.max, info.min, info.tiny, -info.tiny, tiny, -tiny, info.eps]
    # Edges of the integer types, where casts saturate.
    special += [127.5, -128.5, 255.9, 32767.5, -32769, 65535.5, 2.0**31, -(2.0**31)]
    special += [2.0**32, 2.0**63, -(2.0**63), 2.0**64, -0.9, 3.4e38, 1e300]
    with np.errstate(over="ignore"):
        special = np.array(special).astype(dtype)
    wild = rng.integers(0, 256, count * dtype.itemsize, dtype="u1").view(dtype)
    everyday = (rng.normal(size=count) * 1000).astype(dtype)
    return special, np.where(rng.integers(0, 2, count) == 0, wild, everyday)


def values(name, count, seed):
    """`count` elements: shuffled, extremes among them. Always the same for a seed."""
    t = TYPES[name]
    rng = np.random.default_rng([seed, t.code])
    if t.is_wide:
        parts = count * (t.dtype.itemsize // 16)
        return wide.values(parts, rng).view(t.dtype)[:count]
    if t.kind == "complex":
        part = np.dtype(f"f{t.part}")
        special, filler = _float_values(part, 2 * count, rng)
        pairs = rng.choice(special, 2 * count)
        use = rng.integers(0, 2, 2 * count) == 0
        return np.where(use, pairs, filler).astype(part).view(t.dtype)
    if t.kind == "float":
        special, filler = _float_values(t.dtype, count, rng)
    elif t.kind == "bool":
        # Bytes other than 0 and 1 occur in files and mean true.
        return rng.integers(0, 3, count, dtype="u1").view("?")
    else:
        filler = rng.integers(0, 256, count * t.dtype.itemsize, dtype="u1").view(t.dtype)
        special = filler[:0]
        if t.kind in ("int", "uint"):
            info = np.iinfo(t.dtype)
            # Near 2**53 and 2**24 conversion to a float starts to round.
            edges = [0, 1, info.min, info.max, info.min + 1, info.max - 1]
            edges += [2**53 + 1, 2**24 + 1, 2**60 + 2**36 + 1, 126, 255, -129]
            special = np.array([e for e in edges if info.min <= e <= info.max], t.dtype)
    out = filler.copy()
    kept = min(len(special), count)
    out[:kept] = rng.permutation(special)[:kept]
    return rng.permutation(out)


def native(name, stored):
    """What `AP_DISK` gives for elements that `values` made."""
    return stored.view("u1") != 0 if name == "bool" else stored


def swap(name, data):
    """The bytes of elements in the other byte order."""
    part = TYPES[name].part
    return np.frombuffer(data, "u1").reshape(-1, part)[:, ::-1].tobytes()


def file_bytes(name, array, order="F", byte_order="<"):
    """The bytes of `array` as a file has them. Elements are little-endian in memory."""
    data = array.tobytes(order)
    return swap(name, data) if byte_order == ">" else data
