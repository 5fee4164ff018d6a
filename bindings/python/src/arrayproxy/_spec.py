"""NiBabel's array proxy: an array whose layout the caller knows."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, Union, overload

import numpy as np

from ._base import BaseProxy, _asked
from ._errors import CHANGED, ArrayProxyError, UnsupportedError
from ._handles import FileSource, Handle, ObjectSource, Options, address, int64s, made
from ._library import BIG, DISK, FACTOR_TYPE, FLOAT32, FLOAT64, KEEP_OPEN, LITTLE, lib
from ._types import Array, FileLike, Header, Index, Order, PathLike, Place, code_of, is_big

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Self

    Shape = Sequence[int]
    Factor = Union[float, np.floating[Any]]
    # With an offset, a slope and an intercept, or some of them.
    Spec = Union[
        Header,
        tuple[Shape, npt.DTypeLike],
        tuple[Shape, npt.DTypeLike, int],
        tuple[Shape, npt.DTypeLike, int, Factor],
        tuple[Shape, npt.DTypeLike, int, Factor, Factor],
    ]
    Mmap = Literal[True, False, "c", "r"]

# For proxies that are not told; as `nibabel.arrayproxy` has it.
KEEP_FILE_OPEN_DEFAULT = False


_IS_BIG = sys.byteorder == "big"


class ArrayProxy(BaseProxy):
    """Array in a file, of a shape, type, offset, slope and intercept that are given.

    A stand-in for `nibabel.arrayproxy.ArrayProxy`, with its arguments and attributes. Files
    may be compressed by gzip, bzip2 or zstd. They are opened at the first read.

    file_like : path, or object with ``seek`` and ``read``. Objects give what is not
        compressed; a lock is held while they are read.
    spec : (shape, dtype[, offset[, slope[, inter]]]), or a header with ``get_data_shape``,
        ``get_data_dtype``, ``get_data_offset`` and ``get_slope_inter``. A slope of float32
        makes results of integers float32, as far as they fit; the intercept is rounded to
        float32, too.
    mmap : True or "c", "r", or False: whether unscaled data of plain files come as a
        `numpy.memmap`, and of which mode
    order : "F" or "C", order of the elements in the file; None for `_default_order`
    keep_file_open : whether the file stays open between reads; None for
        `KEEP_FILE_OPEN_DEFAULT`
    """

    _default_order: Order = "F"

    def __init__(
        self, file_like: PathLike | FileLike, spec: Spec, *, mmap: Mmap = True,
        order: Order | None = None, keep_file_open: bool | None = None,
    ):  # fmt: skip
        if mmap not in (True, False, "c", "r"):
            raise ValueError("mmap should be one of {True, False, 'c', 'r'}")
        if order not in (None, "C", "F"):
            raise ValueError("order should be one of {None, 'C', 'F'}")
        if keep_file_open is None:
            keep_file_open = KEEP_FILE_OPEN_DEFAULT
        if keep_file_open not in (True, False):
            raise ValueError("keep_file_open must be one of {None, True, False}")
        self.file_like = file_like
        self._shape, dtype, self._offset, self._slope, self._inter = _parts(spec)
        self._dtype = np.dtype(dtype)
        self._mmap: Mmap = mmap
        own_order: Any = getattr(type(self), "order", None)
        if own_order is not BaseProxy.order or "order" in vars(type(self)):
            warnings.warn(
                f"{type(self)} has a class variable `order`: name it `_default_order`",
                DeprecationWarning,
                stacklevel=2,
            )
            self._default_order = own_order
        self.order: Order = order or self._default_order
        self._keep_file_open = keep_file_open and not self._has_fh()
        # By whether bytes are left in the file's order.
        self._opened: dict[bool, Handle] = {}
        self._lock: AbstractContextManager[bool] = RLock()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what is stored."""
        return self._dtype

    @property
    def offset(self) -> int:
        return self._offset

    @property
    def slope(self) -> Factor:
        return self._slope

    @property
    def inter(self) -> Factor:
        return self._inter

    def _has_fh(self) -> bool:
        """Whether there is an open file, or a path."""
        return hasattr(self.file_like, "read") and hasattr(self.file_like, "seek")

    def _handle(self, is_raw: bool = False) -> Handle:
        with self._lock:
            if is_raw not in self._opened:
                self._opened[is_raw] = self._open(is_raw)
            return self._opened[is_raw]

    def _handle_for(self, code: int) -> Handle:
        """What is stored comes in the file's byte order, as NiBabel gives it: the library
        is not told of another order then, and swaps nothing."""
        return self._handle(code == DISK and is_big(self._dtype) != _IS_BIG)

    def _type_of(self, where: int, code: int, flags: int) -> np.dtype[Any]:
        return self._dtype if code == DISK else super()._type_of(where, code, flags)

    def _is_single(self) -> bool:
        """Whether factors are float32: the slope decides, but for an intercept of float64
        that is added to floats."""
        slope, inter = np.asanyarray(self._slope), np.asanyarray(self._inter)
        rules = self._dtype.kind in "iu" or inter.dtype.char == "f" or inter == 0
        return slope.dtype.char == "f" and bool(rules)

    def _open(self, is_raw: bool) -> Handle:
        code = code_of(self._dtype)
        if code is None:
            raise UnsupportedError(f"elements of type {self._dtype} cannot be read")
        shape = int64s(self._shape)
        size = self._offset + self.size * self._dtype.itemsize
        layout = (
            code, BIG if is_big(self._dtype) != is_raw else LITTLE, len(shape), address(shape),
            ord(self.order), self._offset, float(self._slope), float(self._inter),
        )  # fmt: skip
        file: Any = self.file_like
        settings: dict[str | int, Any] = {FACTOR_TYPE: FLOAT32 if self._is_single() else FLOAT64}
        if self._has_fh():
            settings["codec"] = "none"
            source: Any = ObjectSource(file, size, self._lock)
        else:
            settings[KEEP_OPEN] = int(self._keep_file_open)
            source = FileSource(file)
        with Options(settings) as options, source as where:
            return made(lib.ap_open_layout, where, *layout, options, keep=source)

    def _read(self, index: Index, code: int, flags: int = 0, order: Order | None = None) -> Any:
        try:
            return super()._read(index, code, flags, order)
        except ArrayProxyError as error:
            for opened in list(self._opened.values()):
                if isinstance(opened.keep, ObjectSource):
                    opened.keep.own_problem(error)
            if error.code != CHANGED or self._keep_file_open:
                raise
        # Each read has its own file, which may be another one by now.
        self._opened = {}
        return super()._read(index, code, flags, order)

    def _get_unscaled(self, slicer: Index) -> Any:
        """What is stored. NiBabel's tools ask for it by this name."""
        if self._mmap and isinstance(slicer, tuple) and not slicer and self.size:
            mapped = self._mapped()
            if mapped is not None:
                return mapped
        return self._read(slicer, DISK)

    def _mapped(self) -> Array | None:
        """The file itself in memory, if it is one and not compressed."""
        if self._has_fh() and not isinstance(getattr(self.file_like, "name", None), str):
            return None
        if not self._has_fh() and lib.ap_codec(self._handle().address) != b"none":
            return None
        file: Any = self.file_like
        mode: Literal["c", "r"] = "r" if self._mmap == "r" else "c"
        try:
            return np.memmap(file, self._dtype, mode, self._offset, tuple(self._shape), self.order)
        except (ValueError, TypeError, AttributeError, OSError):
            return None  # reading says what is wrong, if anything is

    def _get_scaled(self, dtype: npt.DTypeLike | None, slicer: Index) -> Any:
        is_scaled = (self._slope, self._inter) != (1, 0)
        wanted = None if dtype is None else np.dtype(dtype)
        if not is_scaled:
            found = self._get_unscaled(slicer)
        else:
            found = self._read(slicer, _asked(wanted))
        if wanted is not None:
            found = found.astype(np.promote_types(found.dtype, wanted), copy=False)
        return found

    def get_unscaled(self) -> Array:
        """All elements as they are stored."""
        return np.asanyarray(self._get_unscaled(slicer=()))

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        found = np.asanyarray(self._get_scaled(dtype=dtype, slicer=()))
        if copy is False and not isinstance(found, np.memmap):
            raise ValueError("this array is made when it is asked for, which is a copy")
        if dtype is not None:
            found = found.astype(dtype, copy=False)
        return np.array(found) if copy and isinstance(found, np.memmap) else found

    @overload
    def __getitem__(self, slicer: Place) -> Any: ...
    @overload
    def __getitem__(self, slicer: Index) -> Array: ...
    def __getitem__(self, slicer: Index) -> Any:
        return self._get_scaled(dtype=None, slicer=slicer)

    def reshape(self, shape: Shape) -> Self:
        """The same file with another shape of as many elements; one length may be -1."""
        shape, size = tuple(shape), self.size
        unknown = shape.count(-1)
        if unknown > 1:
            raise ValueError("can only specify one unknown dimension")
        if unknown:
            known = -int(np.prod(shape))
            shape = tuple(size // known if n == -1 else n for n in shape)
        if np.prod(shape) != size:
            raise ValueError(f"cannot reshape array of size {size:d} into shape {shape!s}")
        return self._with_shape(shape)

    def _with_shape(self, shape: Shape) -> Self:
        new = self.__class__(
            self.file_like,
            (shape, self._dtype, self._offset, self._slope, self._inter),
            mmap=self._mmap,
            keep_file_open=self._keep_file_open,
        )
        new.order = self.order
        if self._has_fh():
            new._lock = self._lock
        return new

    def copy(self) -> Self:
        """Another proxy of the same file. Those of one open file share its lock."""
        return self._with_shape(self._shape)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_lock"], state["_opened"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._opened, self._lock = {}, RLock()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {tuple(self._shape)} {self._dtype} of {self.file_like!r}>"


def _parts(spec: Any) -> tuple[Any, npt.DTypeLike, int, Factor, Factor]:
    """Shape, type, offset, slope and intercept."""
    if hasattr(spec, "get_data_shape"):
        slope, inter = spec.get_slope_inter()
        return (
            spec.get_data_shape(),
            spec.get_data_dtype(),
            spec.get_data_offset(),
            1.0 if slope is None else slope,
            0.0 if inter is None else inter,
        )
    if 2 <= len(spec) <= 5:
        optional = (0, 1.0, 0.0)
        return (*spec, *optional[len(spec) - 2 :])
    raise TypeError("spec must be tuple of length 2-5 or header object")


def is_proxy(obj: object) -> bool:
    """Whether an object says that it is an array proxy."""
    return bool(getattr(obj, "is_proxy", False))


def reshape_dataobj(obj: Any, shape: Shape) -> Any:
    """Reshape by the object's own method, if it has one, else by NumPy's."""
    return obj.reshape(shape) if hasattr(obj, "reshape") else np.reshape(obj, shape)
