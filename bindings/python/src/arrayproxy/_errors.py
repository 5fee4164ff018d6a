"""What the library's codes are in Python: errors that those who catch NumPy's, or
NiBabel's, catch too."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable
from typing import Any

from ._library import Error, lib


class ArrayProxyError(Exception):
    """A call failed. `code` and `name` are the library's, such as "AP_ERR_IO"."""

    code = 0
    detail = 0

    @property
    def name(self) -> str:
        return str(lib.ap_status_name(self.code), "ascii")


class ArgumentError(ArrayProxyError, ValueError):
    """An argument or option is none that there is."""


class IndexingError(ArrayProxyError, IndexError, ValueError):
    """An index is out of bounds, or no index."""


class FileMissingError(ArrayProxyError, FileNotFoundError):
    """There is no such file."""


class ReadError(ArrayProxyError, OSError):
    """The file cannot be read, ends too soon or is damaged."""


class FormatError(ArrayProxyError, ValueError):
    """The file is of no known format, or its header cannot be right."""


class UnsupportedError(ArrayProxyError, NotImplementedError, ValueError):
    """This cannot be done, at least with this file."""


class ValueRangeError(ArrayProxyError, OverflowError, ValueError):
    """A value does not fit the type that was asked for."""


class MemoryLimitError(ArrayProxyError, MemoryError):
    """Memory ran out, or the result is larger than allowed."""


class CancelledError(ArrayProxyError, InterruptedError):
    """The read was told to stop."""


KINDS = {
    -2: ArgumentError,
    -3: IndexingError,
    -5: ArgumentError,
    -6: FileMissingError,
    -7: ReadError,
    -8: ReadError,
    -9: FormatError,
    -10: FormatError,
    -11: ReadError,
    -12: ArgumentError,
    -13: UnsupportedError,
    -14: UnsupportedError,
    -15: ValueRangeError,
    -16: MemoryLimitError,
    -17: CancelledError,
    -19: ReadError,
}
CHANGED = -19


def raised(code: int, error: Error) -> ArrayProxyError:
    """The exception for a code."""
    found = KINDS.get(code, ArrayProxyError)(error.message.decode(errors="replace"))
    found.code, found.detail = code, error.detail
    if isinstance(found, OSError):
        # Its own text would be that of the number alone.
        found.errno = error.os_error or None
    return found


def call(function: Callable[..., int], *arguments: Any) -> int:
    """The count that a function gives, which ends in an `ap_error`."""
    error = Error()
    result = function(*arguments, c.addressof(error))
    if result < 0:
        raise raised(result, error)
    return result
