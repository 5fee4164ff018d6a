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
