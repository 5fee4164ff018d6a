"""NiBabel as the second opinion, and the clauses under which it is not asked.

`assert_agrees` compares one read with NiBabel's, as far as NiBabel's is defined.
"""

import warnings

import numpy as np

from compare import assert_same, zeros_unsigned
from eltypes import TYPES
from model import stays_finite


class Whole:
    """An image of NiBabel's by its whole array, where its own slices are wrong."""

    def __init__(self, affine, header, whole):
        self.affine, self.header, self.dataobj = affine, header, WholeProxy(whole)


class WholeProxy:
    def __init__(self, whole):
        self.whole, self.shape = whole, whole.shape

    def __array__(self, dtype=None, copy=None):
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
            return self.whole if dtype is None else self.whole.astype(dtype)

    def __getitem__(self, index):
        return self.whole[index]


def has_opinion(name, scaling):
    """Whether NiBabel can read this type with this scaling."""
    t = TYPES[name]
    if t.is_wide:
        return False  # NiBabel's longdouble is the platform's; refused in NIfTI on x86
    if t.is_rgb:
        return scaling.neutral  # TypeError when scaled
    if t.kind in ("int", "uint") and not scaling.neutral:
        # Longdouble results where the range test fails; ours are float64.
        return stays_finite(t.dtype, scaling, np.dtype("f8"))
    return True


def _castable(array, dtype):
    """Mask of elements whose cast to an integer type is defined in NumPy."""
    if array.dtype.kind == "c":
        array = array.real
    info = np.iinfo(dtype)
    if array.dtype.kind in "iu":
        inside = (array >= max(info.min, np.iinfo(array.dtype).min)) & (
            array <= min(info.max, np.iinfo(array.dtype).max)
        )
        if np.promote_types(array.dtype, dtype).kind == "f":
            # uint64 and int64 have only float64 in common, which rounds.
            inside &= array.astype("f8") < 2.0**53
            inside &= array.astype("f8") > -(2.0**53)
        return inside
    cut = np.trunc(array.astype("f8"))
    return (cut >= float(info.min)) & (cut < float(int(info.max) + 1))


def assert_agrees(got, proxy, name, scaling, requested=None, context=""):
    """`got`, a whole read as `requested`, is what NiBabel's proxy gives."""
    context = f"{context} NiBabel"
    auto = np.asarray(proxy)
    if requested is None:
        if auto.dtype.kind == "b":
            auto = auto.view("u1") != 0
        if auto.dtype.kind == "c" and not scaling.neutral:
            # A fused multiply-add keeps the sign of parts that underflow to zero.
            got, auto = zeros_unsigned(got), zeros_unsigned(auto)
        return assert_same(got, auto, context)
    requested = np.dtype(requested)
    theirs = proxy.__array__(requested)
    if TYPES[name].kind == "bool":
        # NumPy's casts of bytes other than 0 and 1 are undefined.
        clean = proxy.get_unscaled().view("u1") < 2
        got, theirs, auto = got[clean], theirs[clean], auto[clean]
    if requested.kind in "iu" and auto.dtype.kind != "b":
        inside = _castable(auto, requested)
        return assert_same(got[inside], theirs[inside], context)
    if requested.kind == "c" and not scaling.neutral:
        if TYPES[name].kind != "complex":
            # NiBabel multiplies complex factors with floats: infinities get a NaN
            # imaginary part and its zeros get signs. Ours is 0.
            assert_same(got.imag, np.zeros_like(got.imag), f"{context} imaginary part")
            got, theirs = got.real, theirs.real
        got, theirs = zeros_unsigned(got), zeros_unsigned(theirs)
    elif auto.dtype.kind == "c" and not scaling.neutral:
        got, theirs = zeros_unsigned(got), zeros_unsigned(theirs)
    assert_same(got, theirs, context)
