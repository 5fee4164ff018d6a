"""Arrays and images in memory of the library's, as Python objects over the C ABI."""

import ctypes as c
import math
import os

import numpy as np

import capi
from arguments import Options, axes, code_of, entries, int64s
from capi import Error, check, lib
from eltypes import BY_CODE, TYPES
from proxy import Proxy


class _Interface:
    def __init__(self, owner, address, dtype, shape, strides, readonly):
        self.owner = owner
        self.__array_interface__ = {
            "version": 3,
            "data": (address, readonly),
            "typestr": dtype.str,
            "descr": dtype.descr,
            "shape": shape,
            "strides": strides,
        }


class Array:
    """A handle of `ap_array`."""

    def __init__(self, function, *arguments, keep=None):
        """Call a function that ends in (…, array, err). `keep` lives as long."""
        self.handle, error = c.c_void_p(), Error()
        status = function(*arguments, c.byref(self.handle), c.byref(error))
        if status < 0:
            assert self.handle.value is None
        check(status, error)
        self.keep = keep

    @classmethod
    def new(cls, type, shape, order="F"):
        arguments = TYPES[type].code, len(shape), int64s(shape), ord(order)
        return cls(lib().ap_array_new, *arguments)

    @classmethod
    def wrap(cls, array, type, flags=0):
        """The memory of a NumPy array."""
        arguments = array.ctypes.data, TYPES[type].code, array.ndim, int64s(array.shape)
        strides = int64s(array.strides)
        nothing = capi.RELEASE_FN(), None
        return cls(lib().ap_array_wrap, *arguments, strides, flags, *nothing, keep=array)

    @classmethod
    def view_of(cls, proxy, index=(), flags=0):
        return cls(lib().ap_view, proxy.handle, *entries(index), flags)

    @classmethod
    def load(cls, proxy, index=(), dtype=None, flags=0):
        what = *entries(index), code_of(dtype), flags, None
        return cls(lib().ap_load, proxy.handle, *what)

    def clone(self):
        def made(out, _):
            out._obj.value = lib().ap_array_clone(self.handle)
            return 0

        return Array(made, keep=self.keep)

    def free(self):
        lib().ap_array_free(self.handle)
        self.handle = c.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.free()

    @property
    def shape(self):
        return axes(lib().ap_array_shape, self.handle)

    @property
    def strides(self):
        return axes(lib().ap_array_strides, self.handle)

    @property
    def type(self):
        return BY_CODE[lib().ap_array_dtype(self.handle)].name

    @property
    def flags(self):
        return lib().ap_array_flags(self.handle)

    @property
    def address(self):
        return lib().ap_array_data(self.handle)

    def numpy(self):
        """The memory itself. It must not be used after the array is freed."""
        dtype, shape = TYPES[self.type].dtype, self.shape
        if math.prod(shape) == 0:
            assert self.address is None
            return np.empty(shape, dtype)
        readonly = bool(self.flags & capi.ARRAY_READONLY)
        what = self.address, dtype, shape, self.strides, readonly
        return np.asarray(_Interface(self, *what))


class Image:
    """A handle of `ap_image`."""

    def __init__(self, function, *arguments):
        self.handle, error = c.c_void_p(), Error()
        status = function(*arguments, c.byref(self.handle), c.byref(error))
        if status < 0:
            assert self.handle.value is None
        check(status, error)

    @classmethod
    def open(cls, path, **options):
        with Options(**options) as handle:
            return cls(lib().ap_image_open, os.fsencode(path), handle)

    @classmethod
    def from_proxy(cls, proxy):
        return cls(lib().ap_image_from_proxy, proxy.handle)

    @classmethod
    def from_array(cls, array, affine=None, header=None):
        numbers = None if affine is None else (c.c_double * 16)(*np.ravel(affine))
        buffer = None if header is None else c.create_string_buffer(header, len(header))
        address = None if buffer is None else c.addressof(buffer)
        size = 0 if header is None else len(header)
        return cls(lib().ap_image_from_array, array.handle, numbers, address, size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        lib().ap_image_free(self.handle)
        self.handle = c.c_void_p()

    @property
    def is_proxy(self):
        return check(lib().ap_image_is_proxy(self.handle))

    @property
    def in_memory(self):
        return check(lib().ap_image_in_memory(self.handle))

    @property
    def shape(self):
        return axes(lib().ap_image_shape, self.handle)

    @property
    def header(self):
        size = c.c_size_t(99)
        address = lib().ap_image_header(self.handle, c.byref(size))
        return c.string_at(address, size.value) if address else None

    def affine(self, which=capi.AFFINE_BEST):
        numbers, error = (c.c_double * 16)(), Error()
        code = check(lib().ap_image_affine(self.handle, which, numbers, c.byref(error)), error)
        return np.array(numbers).reshape(4, 4), code

    def proxy(self):
        """A new handle; None if there is none."""
        handle = lib().ap_image_proxy(self.handle)
        if handle is None:
            return None

        def made(out, _):
            out._obj.value = handle
            return 0

        return Proxy(made)

    def data(self, dtype=None, flags=0):
        what = code_of(dtype), flags, None
        return Array(lib().ap_image_data, self.handle, *what)

    def uncache(self):
        lib().ap_image_uncache(self.handle)
