"""Comparing arrays bit for bit."""

import numpy as np


def _bits(array):
    """The elements as unsigned numbers of their own size."""
    return np.ascontiguousarray(array).view(f"u{array.itemsize}").reshape(array.shape)


def _differs(got, want):
    """Mask of elements that differ; any NaN equals any other."""
    if got.dtype.kind == "c":
        return _differs(got.real, want.real) | _differs(got.imag, want.imag)
    if got.dtype.kind == "f":
        return (_bits(got) != _bits(want)) & ~(np.isnan(got) & np.isnan(want))
    return _bits(got) != _bits(want)


def assert_same(got, want, context="", exact_nan=False):
    """Same dtype, shape and bits. NaN may differ in payload unless `exact_nan`."""
    want = np.asarray(want)
    want = want.astype(want.dtype.newbyteorder("="), copy=False)
    assert got.dtype == want.dtype, f"{context}: {got.dtype}, expected {want.dtype}"
    assert got.shape == want.shape, f"{context}: {got.shape}, expected {want.shape}"
    if exact_nan or got.dtype.kind == "V":
        size = (got.dtype.itemsize,)
        got_bytes, want_bytes = (
            np.frombuffer(a.tobytes(), "u1").reshape(a.shape + size) for a in (got, want)
        )
        wrong = (got_bytes != want_bytes).any(axis=-1)
    else:
        wrong = np.asarray(_differs(got, want))
    if wrong.any():
        at = tuple(np.argwhere(wrong)[0])
        raise AssertionError(
            f"{context}: {np.count_nonzero(wrong)} of {wrong.size} elements differ, "
            f"first at {tuple(map(int, at))}: {got[at]!r}, expected {want[at]!r}"
        )


def zeros_unsigned(array):
    """A copy in which -0.0 is 0.0."""
    out = np.array(array)
    parts = [out.real, out.imag] if out.dtype.kind == "c" else [out]
    for part in parts:
        if part.dtype.kind == "f":
            part[part == 0] = 0
    return out
