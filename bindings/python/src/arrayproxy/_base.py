"""What all proxies do: read parts of an array that is behind a handle."""

from __future__ import annotations

import ctypes as c
from array import array
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np

from ._errors import ArgumentError, call
from ._handles import Handle, address, axes, int64s
from ._index import entries
from ._library import AUTO, DISK, PROGRESS, READ_C, READ_RAW, lib
from ._types import DTYPES, Array, Index, Order, Place, Progress, code_of

if TYPE_CHECKING:
    import numpy.typing as npt
    from tqdm import tqdm as Bar

    Scalar = TypeVar("Scalar", bound=np.generic)
    Out = TypeVar("Out", bound=Array)

SCALAR = ()
# Of 64 axes, the most that an array has.
ROOM = bytes(8 * 64)


class BaseProxy:
    """An array whose elements stay in a file until they are asked for."""

    order: Order = "F"
    _shape: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def is_proxy(self) -> bool:
        return True

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        size = 1
        for n in self.shape:
            size *= n
        return size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of an array without axes")
        return self.shape[0]

    def _handle(self) -> Handle:
        raise NotImplementedError

    def _handle_for(self, code: int) -> Handle:
        """The handle to read from, if what is stored is asked for or if not."""
        return self._handle()

    def _read(self, index: Index, code: int, flags: int = 0, order: Order | None = None) -> Any:
        """A new array of a selection, a scalar if it has no axes."""
        where = self._handle_for(code).address
        numbers = entries(index)
        what = where, address(numbers), len(numbers) // 4
        shape = array("q", ROOM)
        n = call(lib.ap_slice_shape, *what, address(shape), 64)
        order = order or self.order
        out: Array = np.empty(shape[:n].tolist(), self._type_of(where, code, flags), order)
        if order == "C":
            flags |= READ_C
        call(lib.ap_read_slice, *what, code, flags, _address_of(out), out.nbytes)
        return out if n else out[SCALAR]

    def _type_of(self, where: int, code: int, flags: int) -> np.dtype[Any]:
        if code == AUTO and not flags & READ_RAW:
            code = lib.ap_auto_dtype(where)
        elif code in (AUTO, DISK):
            code = lib.ap_disk_dtype(where)
        return DTYPES[code]

    @overload
    def read(
        self, index: Index = ..., dtype: None = ..., *, order: Order | None = ...,
        raw: bool = ..., out: Out, progress: Progress = ...,
    ) -> Out: ...  # fmt: skip
    @overload
    def read(
        self, index: Place, dtype: npt.DTypeLike | None = ..., *, order: Order | None = ...,
        raw: bool = ..., out: None = ..., progress: Progress = ...,
    ) -> Any: ...  # fmt: skip
    @overload
    def read(
        self, index: Index = ..., *, dtype: type[Scalar] | np.dtype[Scalar],
        order: Order | None = ..., raw: bool = ..., out: None = ..., progress: Progress = ...,
    ) -> npt.NDArray[Scalar]: ...  # fmt: skip
    @overload
    def read(
        self, index: Index = ..., dtype: npt.DTypeLike | None = ..., *,
        order: Order | None = ..., raw: bool = ..., out: None = ..., progress: Progress = ...,
    ) -> Array: ...  # fmt: skip
    def read(
        self, index: Index = (), dtype: npt.DTypeLike | None = None, *,
        order: Order | None = None, raw: bool = False, out: Array | None = None,
        progress: Progress = None,
    ) -> Any:  # fmt: skip
        """Read a selection.

        index : what ``proxy[index]`` takes
        dtype : type of the result; by default that of ``proxy[index]``. Integers are cast
            by NumPy, as NiBabel does.
        order : "F" or "C", order of a new array in memory; by default that of the file
        raw : leave the stored values as they are
        out : array to read into, of any strides, in the place of a new one. It decides the
            type: integers are rounded towards zero and kept within their range.
        progress : called as ``progress(done, total)`` with bytes of the result, or True for
            a bar by tqdm; a true result stops the read
        """
        flags = READ_RAW if raw else 0
        if out is None and progress is None:
            wanted = None if dtype is None else np.dtype(dtype)
            found = self._read(index, _asked(wanted), flags, order)
            return found if wanted is None else found.astype(wanted, copy=False)
        if out is None:
            out = np.empty(self._shape_of(index), self._resolved(dtype, flags), order or self.order)
        elif dtype is not None and np.dtype(dtype) != out.dtype:
            raise ArgumentError("the array to read into is of another type")
        with _Progress(progress) as control:
            self._read_into(index, flags, out, control)
        return out

    def _shape_of(self, index: Index) -> tuple[int, ...]:
        numbers = entries(index)
        what = self._handle().address, address(numbers), len(numbers) // 4
        return axes(lambda *room: call(lib.ap_slice_shape, *what, *room))

    def _resolved(self, dtype: npt.DTypeLike | None, flags: int) -> np.dtype[Any]:
        if dtype is not None:
            return np.dtype(dtype)
        return self._type_of(self._handle().address, AUTO, flags)

    def _read_into(self, index: Index, flags: int, out: Array, control: int | None) -> None:
        code = code_of(out.dtype)
        if code is None or not out.dtype.isnative:
            raise ArgumentError(f"elements cannot be read as {out.dtype}")
        if not out.flags.writeable:
            raise ArgumentError("the array to read into cannot be written")
        if out.shape != self._shape_of(index):
            raise ArgumentError("the array to read into has another shape")
        numbers, plan = entries(index), c.c_void_p()
        what = address(numbers), len(numbers) // 4, code, flags
        call(lib.ap_plan_new, self._handle().address, *what, c.addressof(plan))
        try:
            steps = int64s(out.strides)
            reaches = [(n - 1) * step for n, step in zip(out.shape, out.strides)]
            before = -sum(reach for reach in reaches if reach < 0)
            size = before + sum(reach for reach in reaches if reach > 0) + out.itemsize
            low = out.ctypes.data - before
            if out.size:
                call(lib.ap_plan_read, plan, low, size, before, address(steps), control)
        finally:
            lib.ap_plan_free(plan)


def _address_of(out: Array) -> int:
    """Of an array that was just made; in less time than NumPy's own way takes."""
    try:
        buffer: Any = out.T if out.flags.f_contiguous else out
        return c.addressof(c.c_char.from_buffer(buffer))
    except (TypeError, ValueError):  # nothing in it, or a type that has no buffers
        return out.ctypes.data


def _asked(dtype: np.dtype[Any] | None) -> int:
    """What to ask for: integers are cast by NumPy from what the file means."""
    if dtype is None or dtype.kind not in "fc":
        return AUTO
    return code_of(dtype) or AUTO


class _Progress:
    """A control that tells how far a read is."""

    def __init__(self, told: Progress):
        self.told = told
        self.bar: Bar[Any] | None = None
        self.control: int | None = None
        self.problem: BaseException | None = None

    def __enter__(self) -> int | None:
        if self.told is None or self.told is False:
            return None
        if self.told is True:
            from tqdm.auto import tqdm

            self.bar = tqdm(unit="B", unit_scale=True)
        self.callback = PROGRESS(self._step)
        self.control = lib.ap_control_new()
        lib.ap_control_set_callback(self.control, self.callback, None, 100)
        return self.control

    def _step(self, _user: object, done: int, total: int) -> int:
        try:
            if self.bar is not None:
                self.bar.total = total
                self.bar.update(done - self.bar.n)
                return 0
            return int(callable(self.told) and bool(self.told(done, total)))
        except BaseException as problem:  # none may cross the library
            self.problem = problem
            return 1

    def __exit__(self, *_: object) -> None:
        if self.control is not None:
            lib.ap_control_free(self.control)
        if self.bar is not None:
            self.bar.close()
        if self.problem is not None:
            raise self.problem from None
