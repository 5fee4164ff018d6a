"""Arrays in image files, whose layout the header tells."""

from __future__ import annotations

import ctypes as c
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, Union, overload

import numpy as np

from ._base import BaseProxy, _asked
from ._errors import call
from ._handles import Handle, Options, address, axes, int64s, made
from ._index import entries
from ._library import AUTO, BIG, DISK, lib
from ._types import DTYPES, Array, Field, Index, PathLike, Place, Settings

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Self, Unpack

# A shape, or a slice in numbers as bytes.
Step = tuple[Literal["reshape", "slice"], Union[tuple[int, ...], bytes]]

# Bytes of a part that is read at a time, as stored.
CHUNK = 16 << 20
AFFINES = {"best": 0, "sform": 1, "qform": 2, "base": 3}


def open(path: PathLike, **options: Unpack[Settings]) -> ImageProxy:  # noqa: A001 - as `gzip.open`
    """Open an image file. Only its header is read.

    Options are the library's, by their names: ``threads``, ``mmap``, ``keep_open``,
    ``cache_bytes``, ``index_path``, ``strict``, ``format``, ``codec`` and others; those that
    there are not raise a ValueError.
    """
    path = os.path.abspath(os.fspath(path))
    return ImageProxy(path, options, ())


class ImageProxy(BaseProxy):
    """Array in an image file. ``proxy[index]`` reads a part of it.

    Affine, zooms and fields are the file's. Parts (`slice`) and other shapes (`reshape`)
    are proxies too, which read nothing.
    """

    _steps: tuple[Step, ...] = ()

    def __init__(
        self, path: str | bytes, options: Settings | dict[str, Any], steps: tuple[Step, ...]
    ):
        self.path, self.options = path, dict(options)
        with Options(self.options) as settings:
            self._take(made(lib.ap_open, os.fsencode(path), settings))
        for step in steps:
            self._take(_derived(self._opened, step))
        self._steps = steps

    def _take(self, handle: Handle) -> None:
        where = handle.address
        self._opened = handle
        self._shape = axes(lib.ap_shape, where)
        self.order = "C" if lib.ap_order(where) == ord("C") else "F"

    def _handle(self) -> Handle:
        return self._opened

    def _after(self, step: Step) -> Self:
        new = object.__new__(type(self))
        new.path, new.options, new._steps = self.path, self.options, (*self._steps, step)
        new._take(_derived(self._opened, step))
        return new

    def __reduce__(self) -> tuple[Any, ...]:
        """Opened anew where it arrives: files are not copied."""
        return type(self), (self.path, self.options, self._steps)

    def __dask_tokenize__(self) -> tuple[object, ...]:
        told = os.stat(self.path)
        return self.path, told.st_size, told.st_mtime_ns, sorted(self.options.items()), self._steps

    # What there is.

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what reading gives."""
        return DTYPES[lib.ap_auto_dtype(self._opened.address)]

    @property
    def disk_dtype(self) -> np.dtype[Any]:
        """Of what is stored."""
        dtype = DTYPES[lib.ap_disk_dtype(self._opened.address)]
        return dtype.newbyteorder(">" if self._is_big() else "<")

    def _is_big(self) -> bool:
        return bool(lib.ap_byte_order(self._opened.address) == BIG)

    @property
    def is_scaled(self) -> bool:
        return bool(lib.ap_is_scaled(self._opened.address))

    @property
    def offset(self) -> int:
        """Byte of the data, not compressed, at which the first element is."""
        return call(lambda where, _: lib.ap_data_offset(where), self._opened.address)

    @property
    def format(self) -> str:
        return str(lib.ap_format(self._opened.address), "ascii")

    @property
    def codec(self) -> str:
        return str(lib.ap_codec(self._opened.address), "ascii")

    @property
    def scale_factors(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Slopes and intercepts, of as many axes as vary, or none."""
        shape = axes(lib.ap_scale_shape, self._opened.address)
        slopes, inters = (np.empty(shape, np.float64, "F") for _ in range(2))
        what = slopes.ctypes.data, inters.ctypes.data, slopes.size
        call(lib.ap_scale_factors, self._opened.address, *what)
        return slopes, inters

    @property
    def affine(self) -> npt.NDArray[np.float64]:
        """Voxel to world: 4 by 4, RAS+ in mm."""
        return self.get_affine()[0]

    def get_affine(
        self, which: Literal["best", "sform", "qform", "base"] = "best"
    ) -> tuple[npt.NDArray[np.float64], int]:
        """The affine that NiBabel would choose ("best"), "sform", "qform" or "base"; and the
        xform code."""
        matrix = np.empty((4, 4))
        code = call(lib.ap_affine, self._opened.address, AFFINES[which], matrix.ctypes.data)
        return matrix, code

    @property
    def zooms(self) -> tuple[float, ...]:
        """Voxel sizes in mm; the fourth is the time step in the header's unit."""
        numbers = array("d", bytes(8 * 64))
        n = call(lib.ap_zooms, self._opened.address, address(numbers), 64)
        return tuple(numbers[:n])

    @property
    def header(self) -> bytes:
        """As it is stored, without extensions."""
        size = c.c_size_t()
        where = lib.ap_header(self._opened.address, c.addressof(size))
        return c.string_at(where, size.value) if where else b""

    @property
    def warnings(self) -> list[str]:
        """What was odd in the header, but read all the same."""
        return _texts(lib.ap_warning, self._opened.address)

    @property
    def fields(self) -> list[str]:
        """Names of the header's fields, as NiBabel has them."""
        return _texts(lib.ap_field_name, self._opened.address)

    def field(self, name: str) -> Field:
        """A field of the header: a number, a list of them, or a text."""
        where, key = self._opened.address, name.encode()
        numbers = self._numbers(lib.ap_field_ints, "q", key)
        if numbers is None:
            numbers = self._numbers(lib.ap_field_reals, "d", key)
        if numbers is not None:
            found: Field = numbers[0] if len(numbers) == 1 else numbers
            return found
        size = call(lib.ap_field_text, where, key, None, 0)
        text = c.create_string_buffer(size)
        call(lib.ap_field_text, where, key, c.addressof(text), size)
        return text.value.decode()

    def _numbers(
        self, function: Callable[..., int], kind: Literal["q", "d"], key: bytes
    ) -> list[Any] | None:
        """`None` if the field is of another kind."""
        where = self._opened.address
        if function(where, key, None, 0, None) == -13:
            return None
        room = call(function, where, key, None, 0)
        numbers: array[Any] = array(kind, bytes(8 * room))
        call(function, where, key, address(numbers), room)
        return numbers.tolist()

    @property
    def extensions(self) -> list[tuple[int, bytes]]:
        """Codes and contents of NIfTI's header extensions."""
        where = self._opened.address
        found = []
        for i in range(call(lib.ap_extension_count, where)):
            code = c.c_int32()
            size = call(lib.ap_extension, where, i, c.addressof(code), None, 0)
            content = c.create_string_buffer(size)
            call(lib.ap_extension, where, i, None, c.addressof(content), size)
            found.append((code.value, content.raw))
        return found

    @property
    def chunks(self) -> tuple[int, ...]:
        """Shape of a part that is cheap to read, which dask takes by itself."""
        return self.chunk_shape(CHUNK)

    def chunk_shape(self, nbytes: int) -> tuple[int, ...]:
        """Of at most so many bytes, as stored."""
        return axes(lambda *room: lib.ap_chunk_shape(self._opened.address, nbytes, *room))

    # What is read.

    @overload
    def __getitem__(self, index: Place) -> Any: ...
    @overload
    def __getitem__(self, index: Index) -> Array: ...
    def __getitem__(self, index: Index) -> Any:
        return self._read(index, AUTO)

    def get_unscaled(self) -> Array:
        """All elements as they are stored, in this machine's byte order."""
        return np.asarray(self._read((), DISK))

    def _get_unscaled(self, slicer: Index) -> Any:
        return self._read(slicer, DISK)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("this array is made when it is asked for, which is a copy")
        wanted = None if dtype is None else np.dtype(dtype)
        found = np.asarray(self._read((), _asked(wanted)))
        return found if wanted is None else found.astype(wanted, copy=False)

    @overload
    def reshape(self, shape: SupportsIndex | Sequence[SupportsIndex], /) -> Self: ...
    @overload
    def reshape(self, *shape: SupportsIndex) -> Self: ...
    def reshape(self, *shape: Any) -> Self:
        """The same elements, in the order in which they are stored, in another shape."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        return self._after(("reshape", tuple(int(n) for n in wanted)))

    def slice(self, index: Index) -> Self:
        """The part that an index selects, as a proxy that reads nothing until asked."""
        return self._after(("slice", entries(index).tobytes()))

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    # The seek index of compressed files.

    def build_index(self) -> None:
        """Build the seek index to the end."""
        call(lib.ap_seekindex_build, self._opened.address, None)

    def save_index(self, path: PathLike) -> None:
        """Save it as a file that indexed_gzip reads too."""
        call(lib.ap_seekindex_save, self._opened.address, os.fsencode(path))

    def load_index(self, path: PathLike) -> None:
        call(lib.ap_seekindex_load, self._opened.address, os.fsencode(path))

    def trim(self) -> None:
        """Give back what can be made again: cached data and the open file."""
        lib.ap_trim(self._opened.address)

    def __repr__(self) -> str:
        return f"<ImageProxy {self.shape} {self.dtype} of {self.path!r} ({self.format})>"


def _derived(handle: Handle, step: Step) -> Handle:
    kind, value = step
    if kind == "reshape":
        shape = int64s(value)
        return made(lib.ap_reshape, handle.address, len(shape), address(shape), keep=handle.keep)
    numbers = array("q", value)
    what = address(numbers), len(numbers) // 4
    return made(lib.ap_slice_proxy, handle.address, *what, keep=handle.keep)


def _texts(function: Callable[[int, int], bytes | None], where: int) -> list[str]:
    texts: list[str] = []
    while (text := function(where, len(texts))) is not None:
        texts.append(text.decode())
    return texts
