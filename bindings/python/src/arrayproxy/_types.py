"""NumPy's types and the library's, and what hints name."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol, SupportsIndex, TypedDict, Union

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from types import EllipsisType

Array = npt.NDArray[Any]
Order = Literal["F", "C"]
PathLike = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Entry = Union[SupportsIndex, slice, "EllipsisType", None]
Index = Union[Entry, tuple[Entry, ...]]
# Integers for all axes give a scalar, for fewer an array: hints do not know.
Place = Union[SupportsIndex, tuple[SupportsIndex, ...]]
Progress = Union[Callable[[int, int], object], bool, None]
Field = Union[int, float, str, list[int], list[float]]


class FileLike(Protocol):
    """An open file."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> object: ...


class Header(Protocol):
    """What NiBabel's headers tell of an array."""

    def get_data_shape(self) -> tuple[int, ...]: ...

    def get_data_dtype(self) -> np.dtype[Any]: ...

    def get_data_offset(self) -> int: ...

    def get_slope_inter(self) -> tuple[float | None, float | None]: ...


class Settings(TypedDict, total=False):
    """The library's options, described in `arrayproxy.h`."""

    format: str
    codec: Literal["auto", "none", "gzip", "bzip2", "zstd"]
    mmap: int
    keep_open: int
    threads: int
    cache_bytes: int
    max_bytes: int
    index_mode: int
    index_spacing: int
    index_path: PathLike
    verify: int
    strict: int
    scaling: Literal["dv", "fp"]
    truncated: int
    sort: Literal["plain", "strict"]


_IS_BINARY128 = np.finfo(np.longdouble).nmant == 112
_RGB = [(name, "u1") for name in "RGB"]
DTYPES: dict[int, np.dtype[Any]] = {
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


def code_of(dtype: np.dtype[Any]) -> int | None:
    """The code of a type, whatever its byte order; `None` if the library has none."""
    native = dtype.newbyteorder("=")
    code = CODES.get(native)
    if code is None and native.kind in "iufc":
        code = CODES.get(np.dtype(f"{native.kind}{native.itemsize}"))
    if code is None and dtype.names and all(dtype[name] == "u1" for name in dtype.names):
        code = {3: 1283, 4: 1284}.get(dtype.itemsize)
    return code


def is_big(dtype: np.dtype[Any]) -> bool:
    """Whether numbers, or the parts of an element, are big-endian."""
    return dtype.newbyteorder("=") != dtype and dtype.newbyteorder(">") == dtype
