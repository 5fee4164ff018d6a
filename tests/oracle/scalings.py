"""Slopes and intercepts that the tests go through."""

import math

# As a NIfTI header may hold them. The first group means no scaling at all.
NIFTI_NONE = {
    "zero": (0.0, 5.0),
    "nan": (math.nan, 5.0),
    "inf": (math.inf, 5.0),
    "minus-inf": (-math.inf, math.nan),
    "zero-nan": (0.0, math.nan),
    "identity": (1.0, 0.0),
}
COMMON = {
    "slope": (0.1, 0.0),
    "inter": (1.0, -3.7),
    "both": (0.0037, 12.3),
    "negative": (-1.5, 0.25),
    "integral-slope": (2.0, 0.0),
    "integral": (3.0, -7.0),
    "denormal-single": (1e-45, 0.0),
    "tiny": (1e-30, 1e-35),
    "huge": (1e30, 0.0),
    "large": (1e35, 5.0),
}
# Only double precision holds these.
DOUBLE = {
    "tiny-double": (1e-300, 0.0),
    "denormal-double": (5e-324, 0.0),
    "huge-double": (1e300, 1.0),
    "at-the-limit": (1.7e308, 0.0),
    "huge-inter": (1.0, 1.7e308),
}

# SPM99's slopes are single precision, as is what they give, where the range of the type
# times the slope fits: not that of uint8 here, of int16, of any.
SINGLE = {
    "beyond-uint8": (2e36, 0.0),
    "beyond-int16": (1.1e34, 0.0),
    "largest": (3.4028235e38, 0.0),
    "smallest-normal": (1.1754944e-38, 0.0),
}
# SPM2 takes an intercept that is no number as 0.
NO_INTER = {
    "nan-inter": (2.5, math.nan),
    "inf-inter": (-0.3, math.inf),
    "slope-1-nan-inter": (1.0, math.nan),
}


def _ranges(glmax, glmin, cal_max, cal_min):
    return {"glmax": glmax, "glmin": glmin, "cal_max": cal_max, "cal_min": cal_min}


# Where SPM2 finds no slope: the range of the data as stored, and as meant.
RANGES = {
    "plain": _ranges(200, -100, 30.5, -1.25),
    "thirds": _ranges(3, 0, 1.0, 0.0),
    "rounded-to-single": _ranges(1000, 0, 16777216.0, 0.7),
    "reversed": _ranges(0, 100, 1.0, 0.0),
    "cal-reversed": _ranges(100, 0, -1.0, 1.0),
    "wide": _ranges(2**31 - 1, 0, 1e-3, 0.0),
    "denormal": _ranges(2**31 - 1, 7, 1e-45, 0.0),
    "only-slope-1": _ranges(10, 0, 10.0, 0.0),
    "only-inter": _ranges(10, 0, 15.0, 5.0),
    "gl-equal": _ranges(7, 7, 1.0, 0.0),
    "cal-equal": _ranges(10, 0, 2.5, 2.5),
    "none": _ranges(0, 0, 0.0, 0.0),
}
# [BUG] NiBabel lets glmax - glmin wrap at 32 bits.
WRAPPED_RANGES = {
    "all-of-int32": _ranges(2**31 - 1, -(2**31), 1.0, 0.0),
    "more-than-half": _ranges(2_000_000_000, -2_000_000_000, 100.0, -100.0),
}
# [BUG] NiBabel makes infinities and NaN of all elements, or fails. Here: no scaling.
NO_RANGES = {
    "cal-too-wide": _ranges(100, 0, 3e38, -3e38),
    "cal-max-inf": _ranges(100, 0, math.inf, 0.0),
    "cal-min-nan": _ranges(100, 0, 1.0, math.nan),
}
