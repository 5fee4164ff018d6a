"""NumPy's types and the library's."""

from __future__ import annotations

import numpy as np

_IS_BINARY128 = np.finfo(np.longdouble).nmant == 112
_RGB = [(name, "u1") for name in "RGB"]
DTYPES = {
    1537: np.dtype("?"),
    257: np.dtype("i1"),
    258: np.dtype("i2"),
    260: np.dtype("i4"),
    264: np.dtype("i8"),
    513: np.dtype("u1"),
    514: np.dtype("u2"),
    516: np.dtype("u4"),
    520: np.dtype("u8"),
    770: np.dtype("f2"),
    772: np.dtype("f4"),
    776: np.dtype("f8"),
    1032: np.dtype("c8"),
    1040: np.dtype("c16"),
    1283: np.dtype(_RGB),
    1284: np.dtype([*_RGB, ("A", "u1")]),
    # As bytes where NumPy has no such numbers.
    784: np.dtype(np.longdouble if _IS_BINARY128 else "V16"),
    1056: np.dtype(np.clongdouble if _IS_BINARY128 else "V32"),
}
CODES = {dtype: code for code, dtype in DTYPES.items()}


def code_of(dtype: np.dtype) -> int | None:
    """The code of a type, whatever its byte order; `None` if the library has none."""
    native = dtype.newbyteorder("=")
    code = CODES.get(native)
    if code is None and native.kind in "iufc":
        code = CODES.get(np.dtype(f"{native.kind}{native.itemsize}"))
    if code is None and dtype.names and all(dtype[name] == "u1" for name in dtype.names):
        code = {3: 1283, 4: 1284}.get(dtype.itemsize)
    return code


def is_big(dtype: np.dtype) -> bool:
    """Whether numbers, or the parts of an element, are big-endian."""
    return dtype.newbyteorder("=") != dtype and dtype.newbyteorder(">") == dtype
