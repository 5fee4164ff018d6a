"""Proxies and plans as Python objects over the C ABI, for the tests."""

import ctypes as c
import os

import numpy as np

import capi
from arguments import (  # noqa: F401 - tests take some of them from here
    GUARD, POISON, Callbacks, Options, Source, axes, code_of, element_of, entries, int64s,
)  # fmt: skip
from capi import Error, check, lib
from eltypes import BY_CODE, TYPES
from fields import Fields
from seeking import Seeking


class Proxy(Seeking, Fields):
    def __init__(self, function, *arguments, keep=None):
        """Call a function that ends in (…, proxy, err). `keep` lives as long."""
        self.handle, error = c.c_void_p(), Error()
        status = function(*arguments, c.byref(self.handle), c.byref(error))
        if status < 0:
            assert self.handle.value is None
        check(status, error)
        self.keep = keep

    @classmethod
    def open(cls, path, **options):
        with Options(**options) as handle:
            return cls(lib().ap_open, os.fsencode(path), handle)

    @classmethod
    def open_source(cls, header, image=None, **options):
        """From what `Source` takes: `image` for a pair."""
        with Options(**options) as handle, Source(header) as first:
            if image is None:
                return cls(lib().ap_open_source, first.handle, None, handle, keep=first)
            with Source(image) as second:
                pair = first.handle, second.handle
                return cls(lib().ap_open_source, *pair, handle, keep=(first, second))

    @classmethod
    def open_layout(
        cls, content, type, shape, order="F", byte_order="<", offset=0,
        slope=1.0, inter=0.0, **options,
    ):  # fmt: skip
        little = capi.LITTLE if byte_order == "<" else capi.BIG
        layout = TYPES[type].code, little, len(shape), int64s(shape), ord(order), offset
        with Options(**options) as handle, Source(content) as source:
            return cls(
                lib().ap_open_layout, source.handle, *layout, slope, inter, handle, keep=source
            )

    @classmethod
    def open_series(cls, paths, **options):
        """`ap_open_series` of a list that is freed at once."""
        series = lib().ap_series_new()
        try:
            for path in paths:
                error = Error()
                check(lib().ap_series_add(series, os.fsencode(path), c.byref(error)), error)
            with Options(**options) as handle:
                return cls(lib().ap_open_series, series, handle)
        finally:
            lib().ap_series_free(series)

    def slice(self, index):
        """`ap_slice_proxy`."""
        return Proxy(lib().ap_slice_proxy, self.handle, *entries(index), keep=self.keep)

    def reshape(self, shape):
        arguments = self.handle, len(shape), int64s(shape)
        return Proxy(lib().ap_reshape, *arguments, keep=self.keep)

    def clone(self):
        def made(out, _):
            out._obj.value = lib().ap_clone(self.handle)
            return 0

        return Proxy(made, keep=self.keep)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        lib().ap_free(self.handle)
        self.handle = c.c_void_p()

    @property
    def format(self):
        return lib().ap_format(self.handle).decode()

    @property
    def codec(self):
        return lib().ap_codec(self.handle).decode()

    @property
    def byte_order(self):
        return {capi.LITTLE: "<", capi.BIG: ">"}[lib().ap_byte_order(self.handle)]

    @property
    def shape(self):
        return axes(lib().ap_shape, self.handle)

    @property
    def type(self):
        return BY_CODE[lib().ap_disk_dtype(self.handle)].name

    @property
    def auto_dtype(self):
        return BY_CODE[lib().ap_auto_dtype(self.handle)].dtype

    @property
    def factors(self):
        """The one slope and intercept."""
        slope, inter, error = c.c_double(-9), c.c_double(-9), Error()
        arguments = c.byref(slope), c.byref(inter), 1, c.byref(error)
        check(lib().ap_scale_factors(self.handle, *arguments), error)
        return slope.value, inter.value

    @property
    def scale_shape(self):
        return axes(lib().ap_scale_shape, self.handle)

    @property
    def scales(self):
        """All slopes and intercepts, as arrays of `scale_shape`."""
        shape, error = self.scale_shape, Error()
        slopes, inters = np.full(shape, -9.0, order="F"), np.full(shape, -9.0, order="F")
        pointers = [a.ctypes.data_as(c.POINTER(c.c_double)) for a in (slopes, inters)]
        check(
            lib().ap_scale_factors(self.handle, *pointers, slopes.size, c.byref(error)), error
        )
        return slopes, inters

    @property
    def data_offset(self):
        return check(lib().ap_data_offset(self.handle))

    @property
    def warnings(self):
        texts = []
        while (text := lib().ap_warning(self.handle, len(texts))) is not None:
            texts.append(text.decode())
        return texts

    @property
    def header(self):
        size = c.c_size_t()
        address = lib().ap_header(self.handle, c.byref(size))
        return c.string_at(address, size.value) if address else b""

    def affine(self, which=capi.AFFINE_BEST):
        """The matrix and its code."""
        numbers, error = (c.c_double * 16)(), Error()
        code = check(lib().ap_affine(self.handle, which, numbers, c.byref(error)), error)
        return np.array(numbers).reshape(4, 4), code

    def zooms(self):
        numbers, error = (c.c_double * 64)(), Error()
        count = check(lib().ap_zooms(self.handle, numbers, 64, c.byref(error)), error)
        return tuple(numbers[:count])

    def slice_shape(self, index):
        return axes(lib().ap_slice_shape, self.handle, *entries(index), error=Error())

    def _packed(self, shape, dtype, order, function, *arguments):
        """Read into a guarded buffer and check that nothing else was touched."""
        element = element_of(self.handle, dtype)
        nbytes = element.itemsize * int(np.prod(shape, dtype=object))
        buffer = np.full(nbytes + 2 * GUARD, POISON, "u1")
        out, error = buffer[GUARD : GUARD + nbytes], Error()
        check(function(*arguments, out.ctypes.data, nbytes, c.byref(error)), error)
        assert (buffer[:GUARD] == POISON).all() and (buffer[GUARD + nbytes :] == POISON).all()
        return np.ndarray(shape, element, out.copy(), order=order)

    def read(self, index=(), dtype=None, flags=0, order="F"):
        """`ap_read_slice`."""
        flags |= capi.READ_C if order == "C" else 0
        shape, what = self.slice_shape(index), (*entries(index), code_of(dtype), flags)
        return self._packed(shape, dtype, order, lib().ap_read_slice, self.handle, *what)

    def read_all(self, dtype=None, flags=0, order="F"):
        flags |= capi.READ_C if order == "C" else 0
        what = lib().ap_read_all, self.handle, code_of(dtype), flags
        return self._packed(self.shape, dtype, order, *what)

    def read_box(self, start, count, step=None, dtype=None, flags=0, order="F"):
        flags |= capi.READ_C if order == "C" else 0
        steps = None if step is None else int64s(step)
        what = len(start), int64s(start), int64s(count), steps, code_of(dtype), flags
        return self._packed(tuple(count), dtype, order, lib().ap_read_box, self.handle, *what)

    def plan(self, index=(), dtype=None, flags=0):
        return Plan(self, index, dtype, flags)


class Plan:
    def __init__(self, proxy, index, dtype, flags):
        self._make(lib().ap_plan_new, proxy, *entries(index), code_of(dtype), flags)

    def _make(self, function, proxy, *what):
        self.handle, error = c.c_void_p(), Error()
        check(function(proxy.handle, *what, c.byref(self.handle), c.byref(error)), error)

    @classmethod
    def of_lists(cls, proxy, lists, dtype=None, flags=0):
        """`ap_plan_lists`: a list for each axis, or None for all of it."""
        plan = cls.__new__(cls)
        kept = [None if one is None else int64s([int(i) for i in one]) for one in lists]
        pointers = (c.POINTER(c.c_int64) * len(lists))()
        for i, one in enumerate(kept):
            if one is not None:
                pointers[i] = c.cast(one, c.POINTER(c.c_int64))
        counts = int64s([0 if one is None else len(one) for one in lists])
        what = len(lists), pointers, counts, code_of(dtype), flags
        plan._make(lib().ap_plan_lists, proxy, *what)
        return plan

    def __enter__(self):
        return self

    def __exit__(self, *_):
        lib().ap_plan_free(self.handle)
        self.handle = c.c_void_p()

    @property
    def shape(self):
        return axes(lib().ap_plan_shape, self.handle)

    @property
    def dtype(self):
        return BY_CODE[lib().ap_plan_dtype(self.handle)].dtype

    def read(self, buffer, offset=0, strides=None):
        """Into `buffer`, a 1-D uint8 array."""
        error, steps = Error(), None if strides is None else int64s(strides)
        status = lib().ap_plan_read(
            self.handle, buffer.ctypes.data, buffer.nbytes, offset, steps, None, c.byref(error)
        )
        check(status, error)

    def read_into(self, view, buffer):
        """Into an array of any strides that is a view of `buffer`."""
        offset = view.__array_interface__["data"][0] - buffer.__array_interface__["data"][0]
        self.read(buffer, offset, view.strides)
