"""What a read must give, in plain NumPy: scaling and casts."""

from dataclasses import dataclass

import numpy as np

import wide
from eltypes import TYPES, native


@dataclass(frozen=True)
class Scaling:
    """Factors that hold, after the format's rules: (1, 0) means none, unless they are always
    applied."""

    slope: float = 1.0
    inter: float = 0.0
    factor: type = np.float64  # type the factors were given in
    always: bool = False

    @property
    def neutral(self):
        return not self.always and self.slope == 1 and self.inter == 0


def stays_finite(dtype, scaling, work):
    """Whether both ends of an integer type survive scaling in `work`."""
    info = np.iinfo(dtype)
    ends = np.array([info.min, info.max], dtype)
    with np.errstate(all="ignore"):
        return bool(np.isfinite(_apply(ends, scaling, work)).all())


def work_type(stored, scaling, requested=None):
    """Real type that slope and intercept act in, for elements of dtype `stored`.

    Factors go up to double precision if that is asked for, and if the range of an
    integer type, scaled, does not fit the type of the factors. A range that does not
    fit doubles either gives infinities.
    """
    factor = np.dtype(scaling.factor)
    wanted = np.dtype(requested) if requested is not None else None
    if wanted is not None and wanted in (np.dtype("f8"), np.dtype("c16")):
        factor = np.dtype("f8")
    if stored.kind in "iu":
        # Factors cast to a complex type count as no float: double precision again.
        if wanted is not None and wanted.kind == "c":
            factor = np.dtype("f8")
        work = np.promote_types(stored, factor)
        return work if stays_finite(stored, scaling, work) else np.dtype("f8")
    real = np.dtype(f"f{stored.itemsize // 2}") if stored.kind == "c" else stored
    return np.promote_types(real, factor)


def _apply(array, scaling, work):
    """array * slope + inter, each rounded to `work`, neutral steps left out."""
    slope, inter = (np.dtype(scaling.factor).type(f) for f in (scaling.slope, scaling.inter))
    slope, inter = work.type(slope), work.type(inter)
    zero = work.type(0)
    if array.dtype.kind != "c":
        out = array.astype(work)
        if slope != 1:
            out = out * slope
        if inter != 0:
            out = out + inter
        return out
    real, imag = array.real.astype(work), array.imag.astype(work)
    if slope != 1:
        # Times slope + 0i in full, so that an infinite part makes the other NaN.
        real, imag = real * slope - imag * zero, real * zero + imag * slope
    if inter != 0:
        real, imag = real + inter, imag + zero
    return join(real, imag)


def join(real, imag):
    """Complex array of two parts; 1j * imag would turn infinities into NaN."""
    out = np.empty(np.shape(real), np.result_type(real.dtype, np.complex64))
    out.real, out.imag = real, imag
    return out


def scaled(array, scaling, requested=None):
    """Scaled elements, before any cast to `requested`."""
    if scaling.neutral:
        return array
    return _apply(array, scaling, work_type(array.dtype, scaling, requested))


def to_integers(array, dtype, round_half_even=False):
    """Cut (or rounded) and saturated; NaN is 0."""
    info = np.iinfo(dtype)
    if array.dtype.kind == "b":
        return array.astype(dtype)
    if array.dtype.kind in "iu":
        own = np.iinfo(array.dtype)
        return array.clip(max(own.min, info.min), min(own.max, info.max)).astype(dtype)
    whole = array.astype("f8")  # exact
    whole = np.rint(whole) if round_half_even else np.trunc(whole)
    # The lower limit is a float of its own; the upper may round up to 2**bits.
    low, high = whole < float(info.min), whole >= float(int(info.max) + 1)
    fits = ~(low | high | np.isnan(whole))
    out = np.where(fits, whole, 0).astype(dtype)
    return np.where(low, info.min, np.where(high, info.max, out)).astype(dtype)


def cast(array, dtype, round_half_even=False):
    """As NumPy casts, but integers saturate."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return array != 0
    if array.dtype.kind == "c" and dtype.kind != "c":
        array = array.real
    if dtype.kind in "iu":
        return to_integers(array, dtype, round_half_even)
    # By way of the common type: 64-bit integers become float32 in two steps.
    return array.astype(np.promote_types(array.dtype, dtype)).astype(dtype)


def cast_wide(name, stored, dtype):
    """128-bit floats, not scaled, rounded once to `dtype`."""
    dtype = np.dtype(dtype)
    part = np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype
    parts = np.ascontiguousarray(stored).view("V16")
    parts = parts.reshape(stored.shape + (TYPES[name].dtype.itemsize // 16,))
    real = wide.cast(parts[..., 0], part)
    if dtype.kind != "c":
        return real
    imag = wide.cast(parts[..., 1], part) if name == "complex256" else np.zeros_like(real)
    return join(real, imag)


def expected(name, stored, scaling=Scaling(), requested=None, raw=False, rounded=False):
    """Result of a read of `stored` elements.

    `requested` is None for `AP_AUTO`, "disk" for `AP_DISK`, or a NumPy dtype. Types
    without arithmetic may be asked for by their own name, as they are stored.
    """
    own = requested == name and (TYPES[name].is_rgb or TYPES[name].is_wide)
    if requested == "disk" or TYPES[name].is_rgb or own:
        return native(name, stored)
    scaling = Scaling() if raw else scaling
    if TYPES[name].is_wide:
        if scaling.neutral and requested is not None:
            return cast_wide(name, stored, requested)
        array = cast_wide(name, stored, "c16" if name == "complex256" else "f8")
    else:
        array = native(name, stored)
    with np.errstate(all="ignore"):
        array = scaled(array, scaling, requested)
        return array if requested is None else cast(array, requested, rounded)
