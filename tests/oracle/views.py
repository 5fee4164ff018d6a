"""Arrays of one shape that lie in an allocation with other strides each."""

import numpy as np

from proxy import POISON

SHAPE = (6, 5, 4)


def _array(buffer, shape, dtype, order="C", offset=0):
    return np.ndarray(shape, dtype, buffer, offset, order=order)


VIEWS = {
    "packed F": lambda b, d: _array(b, SHAPE, d, "F"),
    "packed C": lambda b, d: _array(b, SHAPE, d, "C"),
    "reversed": lambda b, d: _array(b, SHAPE, d)[::-1, ::-1, ::-1],
    "reversed F": lambda b, d: _array(b, SHAPE, d, "F")[::-1, :, ::-1],
    "transposed": lambda b, d: _array(b, (5, 4, 6), d).transpose(2, 0, 1),
    "every other": lambda b, d: _array(b, (12, 5, 8), d)[::2, :, 1::2],
    "sliced F": lambda b, d: _array(b, (9, 7, 8), d, "F")[2:8, 1:6, ::-2],
    "thin": lambda b, d: _array(b, (6, 5, 4, 3), d)[..., 1],
    "unaligned": lambda b, d: _array(b, SHAPE, d, "F", offset=3),
    "field": lambda b, d: np.ndarray(SHAPE, np.dtype([("a", "u1"), ("b", d)]), b)["b"],
}


def buffer_of(nbytes):
    """An allocation whose every byte is known."""
    return np.full(nbytes, POISON, "u1")


def check_view(proxy, view, want, dtype=None, flags=0):
    """A whole read lands where the view's strides say; bytes between are not touched."""
    buffer, reference = buffer_of(16384), buffer_of(16384)
    VIEWS[view](reference, want.dtype)[...] = want
    with proxy.plan(dtype=dtype, flags=flags) as plan:
        plan.read_into(VIEWS[view](buffer, want.dtype), buffer)
    assert (buffer == reference).all(), view
