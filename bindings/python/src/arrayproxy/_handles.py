"""Handles of the library, and what they are made from."""

from __future__ import annotations

import ctypes as c
import os
import threading
from array import array
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NoReturn

from ._errors import ArrayProxyError, call
from ._library import INDEX_PATH, READ_AT, RELEASE, SIZE, lib
from ._types import FileLike, PathLike


class Handle:
    """What `ap_free` frees. `keep` is what it reads from."""

    def __init__(self, address: int, keep: object = None):
        self.address, self.keep = address, keep

    def __del__(self, free: Callable[[int], object] = lib.ap_free) -> None:
        free(self.address)


def new(function: Callable[..., int], *arguments: Any) -> int:
    """The address of what a function makes."""
    out = c.c_void_p()
    call(function, *arguments, c.addressof(out))
    return out.value or 0


def made(function: Callable[..., int], *arguments: Any, keep: object = None) -> Handle:
    """The proxy that a function makes."""
    return Handle(new(function, *arguments), keep)


class Options:
    """Settings by their names, for the time of a `with`."""

    address: int

    def __init__(self, settings: Mapping[str, Any] | Mapping[str | int, Any]):
        self.settings = settings

    def __enter__(self) -> int:
        self.address = lib.ap_options_new()
        try:
            for name, value in self.settings.items():
                self._set(name, value)
        except BaseException:
            self.__exit__()
            raise
        return self.address

    def _set(self, name: str | int, value: Any) -> None:
        if value is None:
            return
        if isinstance(name, int):
            call(lib.ap_options_set_int, self.address, name, value)
            return
        if name == "index_path":  # the one that may hold a comma
            call(lib.ap_options_set_text, self.address, INDEX_PATH, os.fsencode(value))
            return
        text = str(int(value)) if isinstance(value, bool) else str(value)
        call(lib.ap_options_parse, self.address, f"{name}={text}".encode())

    def __exit__(self, *_: object) -> None:
        lib.ap_options_free(self.address)


def int64s(values: Iterable[int]) -> array[int]:
    return array("q", values)


def address(numbers: array[Any]) -> int:
    return numbers.buffer_info()[0]


def axes(function: Callable[..., int], *arguments: Any) -> tuple[int, ...]:
    """What a function writes that gives as many numbers as axes."""
    numbers = array("q", bytes(8 * 64))
    n = function(*arguments, address(numbers), 64)
    return tuple(numbers[:n])


class FileSource:
    """A file by its path, for the time of a `with`."""

    address: int

    def __init__(self, path: PathLike):
        self.path = os.fsencode(path)

    def __enter__(self) -> int:
        self.address = new(lib.ap_source_file, self.path)
        return self.address

    def __exit__(self, *_: object) -> None:
        lib.ap_source_free(self.address)


class ObjectSource:
    """An object with `seek` and `read`, of which so many bytes are wanted. The lock is
    held while its place changes."""

    address: int

    def __init__(self, file: FileLike, size: int, lock: AbstractContextManager[bool]):
        self.file, self.size, self.lock = file, size, lock
        # What went wrong in a callback, which runs on the thread that called.
        self.problems = threading.local()
        self.read_at = READ_AT(self._read_at)
        self.tell_size = SIZE(lambda _user: self.size)

    def _read_at(self, _user: object, buffer: int, length: int, offset: int) -> int:
        try:
            with self.lock:
                self.file.seek(offset)
                data = self.file.read(length)
            c.memmove(buffer, data, len(data))
            return len(data)
        except BaseException as problem:  # none may cross the library
            self.problems.last = problem
            return -1

    def __enter__(self) -> int:
        what = self.read_at, self.tell_size, RELEASE(0), None, 0
        self.address = new(lib.ap_source_callbacks, *what)
        return self.address

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        lib.ap_source_free(self.address)
        if isinstance(error, ArrayProxyError):
            self.own_problem(error)

    def own_problem(self, error: ArrayProxyError) -> NoReturn:
        """Raise what the object raised, if that is behind an error."""
        problem, self.problems.last = getattr(self.problems, "last", None), None
        if problem is not None:
            raise problem from None
        raise error
