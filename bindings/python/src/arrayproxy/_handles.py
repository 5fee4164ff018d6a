"""Handles of the library, and what they are made from."""

from __future__ import annotations

import ctypes as c
import os
import threading
from array import array

from ._errors import ArrayProxyError, call
from ._library import INDEX_PATH, READ_AT, RELEASE, SIZE, lib


class Handle:
    """What `ap_free` frees. `keep` is what it reads from."""

    def __init__(self, address: int, keep=None):
        self.address, self.keep = address, keep

    def __del__(self, free=lib.ap_free):
        free(self.address)


def made(function, *arguments, keep=None) -> Handle:
    """The proxy that a function makes."""
    out = c.c_void_p()
    call(function, *arguments, c.addressof(out))
    return Handle(out.value, keep)


class Options:
    """Settings by their names, for the time of a `with`."""

    def __init__(self, settings: dict):
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

    def _set(self, name, value):
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

    def __exit__(self, *_):
        lib.ap_options_free(self.address)


def int64s(values) -> array:
    return array("q", values)


def address(numbers: array) -> int:
    return numbers.buffer_info()[0]


def axes(function, *arguments) -> tuple[int, ...]:
    """What a function writes that gives as many numbers as axes."""
    numbers = array("q", bytes(8 * 64))
    n = function(*arguments, address(numbers), 64)
    return tuple(numbers[:n])


class FileSource:
    """A file by its path, for the time of a `with`."""

    def __init__(self, path):
        self.path = os.fsencode(path)

    def __enter__(self) -> int:
        out = c.c_void_p()
        call(lib.ap_source_file, self.path, c.addressof(out))
        self.address = out.value
        return self.address

    def __exit__(self, *_):
        lib.ap_source_free(self.address)


class ObjectSource:
    """An object with `seek` and `read`, of which so many bytes are wanted. The lock is
    held while its place changes."""

    def __init__(self, file, size: int, lock):
        self.file, self.size, self.lock = file, size, lock
        # What went wrong in a callback, which runs on the thread that called.
        self.problems = threading.local()
        self.read_at = READ_AT(self._read_at)
        self.tell_size = SIZE(lambda _user: self.size)

    def _read_at(self, _user, buffer, length, offset):
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
        out = c.c_void_p()
        call(
            lib.ap_source_callbacks,
            self.read_at, self.tell_size, RELEASE(0), None, 0, c.addressof(out),
        )  # fmt: skip
        self.address = out.value
        return self.address

    def __exit__(self, _kind, error, _trace):
        lib.ap_source_free(self.address)
        if isinstance(error, ArrayProxyError):
            self.own_problem(error)

    def own_problem(self, error: ArrayProxyError):
        """Raise what the object raised, if that is behind an error."""
        problem, self.problems.last = getattr(self.problems, "last", None), None
        if problem is not None:
            raise problem from None
        raise error
