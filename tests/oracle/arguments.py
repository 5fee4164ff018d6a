"""What functions of the C ABI take: indices, types, options and sources from Python's."""

import ctypes as c
import os

import numpy as np

import capi
from capi import AUTO, DISK, Error, Slice, check, lib
from eltypes import BY_CODE, TYPES

# Written around and into buffers before a read.
POISON = 0xA5
GUARD = 64


def entries(index):
    """An index in Python's terms as `ap_slice` entries and their number."""
    index = index if isinstance(index, tuple) else (index,)
    out = []
    for item in index:
        if item is None:
            out.append((capi.NEWAXIS, 0, 0, 1))
        elif item is Ellipsis:
            out.append((capi.ELLIPSIS, 0, 0, 1))
        elif isinstance(item, slice):
            bounds = (capi.NONE if b is None else b for b in (item.start, item.stop))
            out.append((capi.RANGE, *bounds, 1 if item.step is None else item.step))
        else:
            out.append((capi.AT, int(item), 0, 1))
    return (Slice * len(out))(*out) if out else None, len(out)


def int64s(numbers):
    return (c.c_int64 * len(numbers))(*numbers)


def code_of(dtype):
    """Type code of None (auto), "disk", a type's name or a NumPy dtype."""
    if dtype is None:
        return AUTO
    if isinstance(dtype, str) and dtype == "disk":
        return DISK
    if isinstance(dtype, str) and dtype in TYPES:
        return TYPES[dtype].code
    return TYPES[np.dtype(dtype).name].code


def element_of(handle, dtype):
    """NumPy's type of what a proxy gives when read as `dtype`."""
    code = code_of(dtype)
    if code == AUTO:
        code = lib().ap_auto_dtype(handle)
    elif code == DISK:
        code = lib().ap_disk_dtype(handle)
    return BY_CODE[code].dtype


def axes(function, *arguments, error=None):
    """The shape that a function of (..., shape, capacity[, err]) writes."""
    buffer = (c.c_int64 * 64)(*[-9] * 64)
    tail = () if error is None else (c.byref(error),)
    ndim = check(function(*arguments, buffer, 64, *tail), error)
    return tuple(buffer[:ndim])


class Options:
    def __init__(self, **options):
        self.handle = lib().ap_options_new()
        for name, value in options.items():
            error = Error()
            if isinstance(value, str):
                setter, value = lib().ap_options_set_text, value.encode()
            else:
                setter = lib().ap_options_set_int
            check(setter(self.handle, capi.OPTIONS[name], value, c.byref(error)), error)

    def __enter__(self):
        return self.handle

    def __exit__(self, *_):
        lib().ap_options_free(self.handle)


class Callbacks:
    """Bytes behind callbacks that count their calls and check their arguments."""

    USER = 77

    def __init__(self, data):
        self.data, self.calls, self.released, self.bad = data, 0, 0, []
        self.functions = (
            capi.READ_AT_FN(self.read_at),
            capi.SIZE_FN(lambda user: len(self.data)),
            capi.RELEASE_FN(self.release),
        )

    def read_at(self, user, buffer, length, offset):
        self.calls += 1
        if user != self.USER or offset > len(self.data):
            self.bad.append((user, length, offset))
        piece = self.data[offset : offset + length]
        c.memmove(buffer, piece, len(piece))
        return len(piece)

    def release(self, user):
        self.released += 1


class Source:
    """A file, bytes in memory, or `Callbacks`."""

    def __init__(self, content):
        self.handle, error = c.c_void_p(), Error()
        self.content, out = content, c.byref(self.handle)
        if isinstance(content, bytes):
            self.memory = c.create_string_buffer(content, len(content))
            make = lib().ap_source_memory
            arguments = (c.addressof(self.memory), len(content), capi.RELEASE_FN(), None)
        elif isinstance(content, Callbacks):
            make, arguments = lib().ap_source_callbacks, (*content.functions, content.USER, 0)
        else:
            make, arguments = lib().ap_source_file, (os.fsencode(content),)
        check(make(*arguments, out, c.byref(error)), error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        lib().ap_source_free(self.handle)
