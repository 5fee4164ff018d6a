"""Seek indices and batches: what proxies have for compressed files and many selections."""

import ctypes as c
import math
import os
from collections import namedtuple

import numpy as np

import capi
from arguments import GUARD, POISON, code_of, element_of, entries
from capi import Error, Slice, check, lib

IndexInfo = namedtuple("IndexInfo", "points covered memory")


class Seeking:
    """A part of `Proxy`."""

    def read_batch(self, indices, dtype=None, flags=0, order="F", offsets=None, gap=0):
        """`ap_read_batch`: the results, each found at its offset. Without offsets they are
        one after the other; `gap` bytes more are at the end of the buffer. Checks that
        nothing else was touched."""
        flags |= capi.READ_C if order == "C" else 0
        element = element_of(self.handle, dtype)
        shapes = [self.slice_shape(index) for index in indices]
        sizes = [element.itemsize * math.prod(shape) for shape in shapes]
        starts = offsets
        if offsets is None:
            starts = [sum(sizes[:i]) for i in range(len(sizes))]
        end = max((at + size for at, size in zip(starts, sizes) if size), default=0) + gap
        buffer = np.full(end + 2 * GUARD, POISON, "u1")
        out = buffer[GUARD : GUARD + end]
        self.read_batch_into(out, indices, dtype, flags, offsets)
        got = []
        for at, size, shape in zip(starts, sizes, shapes):
            got.append(np.ndarray(shape, element, out[at : at + size].copy(), order=order))
            out[at : at + size] = POISON
        assert (buffer == POISON).all(), "bytes outside the results were touched"
        return got

    def read_batch_into(self, out, indices, dtype=None, flags=0, offsets=None):
        """`ap_read_batch` into a 1-D uint8 array; None asks for the bytes needed."""
        rows = [entries(index) for index in indices]
        (nindex,) = {n for _, n in rows} or {0}
        flat = [entry for row, n in rows for entry in (row or ())[:n]]
        index = (Slice * len(flat))(*flat) if flat else None
        places = None if offsets is None else (c.c_size_t * len(offsets))(*offsets)
        target = (None, 0) if out is None else (out.ctypes.data, out.nbytes)
        what = index, nindex, len(rows), code_of(dtype), flags, *target, places, None
        error = Error()
        check(lib().ap_read_batch(self.handle, *what, c.byref(error)), error)

    def build_index(self):
        error = Error()
        check(lib().ap_seekindex_build(self.handle, None, c.byref(error)), error)

    def save_index(self, path):
        error = Error()
        check(lib().ap_seekindex_save(self.handle, os.fsencode(path), c.byref(error)), error)

    def load_index(self, path):
        error = Error()
        check(lib().ap_seekindex_load(self.handle, os.fsencode(path), c.byref(error)), error)

    @property
    def index_info(self):
        """Points, bytes that they cover, and bytes of memory."""
        numbers, error = [c.c_int64(-9) for _ in range(3)], Error()
        pointers = [c.byref(number) for number in numbers]
        check(lib().ap_seekindex_info(self.handle, *pointers, c.byref(error)), error)
        return IndexInfo(*(number.value for number in numbers))

    def cost(self, index=()):
        """`ap_plan_cost` of a selection."""
        with self.plan(index) as plan:
            return check(lib().ap_plan_cost(plan.handle))
