"""The shared library and the types of its functions."""

from __future__ import annotations

import ctypes as c
import ctypes.util
import os
import sys
from pathlib import Path

NAMES = {"win32": "arrayproxy.dll", "darwin": "libarrayproxy.dylib"}
NAME = NAMES.get(sys.platform, "libarrayproxy.so")

NONE = -(2**63)
RANGE, AT, ELLIPSIS, NEWAXIS = range(4)
AUTO, DISK = 0, 1
READ_C, READ_RAW = 1, 2
LITTLE, BIG = 1, 2
KEEP_OPEN, INDEX_PATH, FACTOR_TYPE = 4, 10, 16
FLOAT32, FLOAT64 = 772, 776


class Error(c.Structure):
    """`ap_error`."""

    _fields_ = [
        ("code", c.c_int32),
        ("os_error", c.c_int32),
        ("detail", c.c_int64),
        ("message", c.c_char * 496),
    ]


RELEASE = c.CFUNCTYPE(None, c.c_void_p)
READ_AT = c.CFUNCTYPE(c.c_int64, c.c_void_p, c.c_void_p, c.c_size_t, c.c_uint64)
SIZE = c.CFUNCTYPE(c.c_int64, c.c_void_p)
PROGRESS = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_uint64, c.c_uint64)

_p, _text, _i32, _u32 = c.c_void_p, c.c_char_p, c.c_int32, c.c_uint32
_i64, _u64, _size, _real = c.c_int64, c.c_uint64, c.c_size_t, c.c_double

# name: type of the result, types of the arguments. Pointers are addresses.
FUNCTIONS = {
    "ap_version_string": (_text, []),
    "ap_status_name": (_text, [_i32]),
    "ap_options_new": (_p, []),
    "ap_options_free": (None, [_p]),
    "ap_options_set_int": (_i32, [_p, _i32, _i64, _p]),
    "ap_options_set_text": (_i32, [_p, _i32, _text, _p]),
    "ap_options_parse": (_i32, [_p, _text, _p]),
    "ap_source_file": (_i32, [_text, _p, _p]),
    "ap_source_callbacks": (_i32, [READ_AT, SIZE, RELEASE, _p, _u32, _p, _p]),
    "ap_source_free": (None, [_p]),
    "ap_open": (_i32, [_text, _p, _p, _p]),
    "ap_open_layout": (
        _i32,
        [_p, _i32, _i32, _i32, _p, _i32, _u64, _real, _real, _p, _p, _p],
    ),
    "ap_reshape": (_i32, [_p, _i32, _p, _p, _p]),
    "ap_slice_proxy": (_i32, [_p, _p, _i32, _p, _p]),
    "ap_free": (None, [_p]),
    "ap_trim": (None, [_p]),
    "ap_shape": (_i32, [_p, _p, _i32]),
    "ap_disk_dtype": (_i32, [_p]),
    "ap_auto_dtype": (_i32, [_p]),
    "ap_order": (_i32, [_p]),
    "ap_byte_order": (_i32, [_p]),
    "ap_data_offset": (_i64, [_p]),
    "ap_format": (_text, [_p]),
    "ap_codec": (_text, [_p]),
    "ap_is_scaled": (_i32, [_p]),
    "ap_scale_shape": (_i32, [_p, _p, _i32]),
    "ap_scale_factors": (_i32, [_p, _p, _p, _size, _p]),
    "ap_affine": (_i32, [_p, _i32, _p, _p]),
    "ap_zooms": (_i32, [_p, _p, _i32, _p]),
    "ap_chunk_shape": (_i32, [_p, _u64, _p, _i32]),
    "ap_header": (_p, [_p, _p]),
    "ap_warning": (_text, [_p, _i32]),
    "ap_field_count": (_i32, [_p]),
    "ap_field_name": (_text, [_p, _i32]),
    "ap_field_ints": (_i32, [_p, _text, _p, _i32, _p]),
    "ap_field_reals": (_i32, [_p, _text, _p, _i32, _p]),
    "ap_field_text": (_i64, [_p, _text, _p, _size, _p]),
    "ap_extension_count": (_i32, [_p, _p]),
    "ap_extension": (_i64, [_p, _i32, _p, _p, _size, _p]),
    "ap_slice_shape": (_i32, [_p, _p, _i32, _p, _i32, _p]),
    "ap_read_slice": (_i32, [_p, _p, _i32, _i32, _u32, _p, _size, _p]),
    "ap_plan_new": (_i32, [_p, _p, _i32, _i32, _u32, _p, _p]),
    "ap_plan_read": (_i32, [_p, _p, _size, _size, _p, _p, _p]),
    "ap_plan_free": (None, [_p]),
    "ap_control_new": (_p, []),
    "ap_control_free": (None, [_p]),
    "ap_control_set_callback": (None, [_p, PROGRESS, _p, _u32]),
    "ap_seekindex_build": (_i32, [_p, _p, _p]),
    "ap_seekindex_save": (_i32, [_p, _text, _p]),
    "ap_seekindex_load": (_i32, [_p, _text, _p]),
}


def _find() -> str:
    """AP_LIBRARY, the copy in the package, or one that the system knows."""
    given = os.environ.get("AP_LIBRARY")
    own = Path(__file__).with_name(NAME)
    return given or (str(own) if own.exists() else ctypes.util.find_library("arrayproxy") or NAME)


def _load() -> c.CDLL:
    library = c.CDLL(_find())
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


lib = _load()
