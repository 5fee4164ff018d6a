"""The C ABI for ctypes: constants, structs and the argument types of every function."""

import ctypes as c
import os
from pathlib import Path

NONE = -(2**63)
RANGE, AT, ELLIPSIS, NEWAXIS = range(4)
ORDER_F, ORDER_C = ord("F"), ord("C")
LITTLE, BIG = 1, 2
AFFINE_BEST, AFFINE_SFORM, AFFINE_QFORM, AFFINE_BASE = range(4)
AUTO, DISK = 0, 1
READ_C, READ_RAW, READ_ROUND, READ_CHECKED, READ_UNCACHED, READ_PRIVATE = 1, 2, 4, 8, 16, 32
ARRAY_READONLY, ARRAY_MAPPED = 1, 2

OPTIONS = {
    "format": 1,
    "codec": 2,
    "mmap": 3,
    "keep_open": 4,
    "threads": 5,
    "cache_bytes": 6,
    "max_bytes": 7,
    "index_mode": 8,
    "index_spacing": 9,
    "index_path": 10,
    "verify": 11,
    "strict": 12,
    "scaling": 13,
    "truncated": 14,
    "sort": 15,
    "factor_type": 16,
    "open_files": 17,
}

STATUS = {
    "AP_OK": 0,
    "AP_ERR_NULL": -1,
    "AP_ERR_ARGUMENT": -2,
    "AP_ERR_INDEX": -3,
    "AP_ERR_BUFFER": -4,
    "AP_ERR_OPTION": -5,
    "AP_ERR_NOT_FOUND": -6,
    "AP_ERR_IO": -7,
    "AP_ERR_TRUNCATED": -8,
    "AP_ERR_FORMAT": -9,
    "AP_ERR_HEADER": -10,
    "AP_ERR_CODEC": -11,
    "AP_ERR_SEEKINDEX": -12,
    "AP_ERR_UNSUPPORTED": -13,
    "AP_ERR_NO_VIEW": -14,
    "AP_ERR_RANGE": -15,
    "AP_ERR_MEMORY": -16,
    "AP_ERR_CANCELLED": -17,
    "AP_ERR_CALLBACK": -18,
    "AP_ERR_CHANGED": -19,
    "AP_ERR_INTERNAL": -20,
}
STATUS_NAME = {code: name for name, code in STATUS.items()}


class Error(c.Structure):
    _fields_ = [
        ("code", c.c_int32),
        ("os_error", c.c_int32),
        ("detail", c.c_int64),
        ("message", c.c_char * 496),
    ]


class Slice(c.Structure):
    _fields_ = [(name, c.c_int64) for name in ("kind", "start", "stop", "step")]


class ApError(Exception):
    """A call failed. `name` is the code's name, such as "AP_ERR_INDEX"."""

    def __init__(self, code, error=None):
        self.code = code
        self.name = STATUS_NAME.get(code, str(code))
        self.detail = error.detail if error else 0
        self.os_error = error.os_error if error else 0
        self.message = error.message.decode() if error else ""
        super().__init__(f"{self.name}: {self.message}")


def check(result, error=None):
    """The result of a call if it is 0 or a count, else ApError."""
    if result >= 0:
        return result
    if error is not None and error.code != result:
        raise AssertionError(f"call returned {result} but filled in code {error.code}")
    raise ApError(result, error)


RELEASE_FN = c.CFUNCTYPE(None, c.c_void_p)
READ_AT_FN = c.CFUNCTYPE(c.c_int64, c.c_void_p, c.c_void_p, c.c_size_t, c.c_uint64)
SIZE_FN = c.CFUNCTYPE(c.c_int64, c.c_void_p)
PROGRESS_FN = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_uint64, c.c_uint64)

_handle, _out = c.c_void_p, c.POINTER(c.c_void_p)
_err, _text = c.POINTER(Error), c.c_char_p
_i32, _u32, _i64, _u64, _size = c.c_int32, c.c_uint32, c.c_int64, c.c_uint64, c.c_size_t
_i64s, _f64s, _slices = c.POINTER(c.c_int64), c.POINTER(c.c_double), c.POINTER(Slice)
_sizes = c.POINTER(c.c_size_t)

# name: (type of the result, types of the arguments)
FUNCTIONS = {
    "ap_version": (_i32, []),
    "ap_version_string": (_text, []),
    "ap_abi_version": (_i32, []),
    "ap_has": (_i32, [_text]),
    "ap_status_name": (_text, [_i32]),
    "ap_status_message": (_text, [_i32]),
    "ap_dtype_name": (_text, [_i32]),
    "ap_dtype_parse": (_i32, [_text]),
    "ap_options_new": (_handle, []),
    "ap_options_free": (None, [_handle]),
    "ap_options_set_int": (_i32, [_handle, _i32, _i64, _err]),
    "ap_options_set_text": (_i32, [_handle, _i32, _text, _err]),
    "ap_options_parse": (_i32, [_handle, _text, _err]),
    "ap_source_file": (_i32, [_text, _out, _err]),
    "ap_source_memory": (_i32, [_handle, _size, RELEASE_FN, _handle, _out, _err]),
    "ap_source_callbacks": (
        _i32,
        [READ_AT_FN, SIZE_FN, RELEASE_FN, _handle, _u32, _out, _err],
    ),
    "ap_source_free": (None, [_handle]),
    "ap_open": (_i32, [_text, _handle, _out, _err]),
    "ap_open_source": (_i32, [_handle, _handle, _handle, _out, _err]),
    "ap_open_layout": (
        _i32,
        [_handle, _i32, _i32, _i32, _i64s, _i32, _u64, c.c_double, c.c_double]
        + [_handle, _out, _err],
    ),
    "ap_reshape": (_i32, [_handle, _i32, _i64s, _out, _err]),
    "ap_slice_proxy": (_i32, [_handle, _slices, _i32, _out, _err]),
    "ap_series_new": (_handle, []),
    "ap_series_add": (_i32, [_handle, _text, _err]),
    "ap_open_series": (_i32, [_handle, _handle, _out, _err]),
    "ap_series_free": (None, [_handle]),
    "ap_clone": (_handle, [_handle]),
    "ap_free": (None, [_handle]),
    "ap_trim": (None, [_handle]),
    "ap_ndim": (_i32, [_handle]),
    "ap_shape": (_i32, [_handle, _i64s, _i32]),
    "ap_size": (_i64, [_handle]),
    "ap_disk_dtype": (_i32, [_handle]),
    "ap_auto_dtype": (_i32, [_handle]),
    "ap_order": (_i32, [_handle]),
    "ap_byte_order": (_i32, [_handle]),
    "ap_data_offset": (_i64, [_handle]),
    "ap_format": (_text, [_handle]),
    "ap_codec": (_text, [_handle]),
    "ap_is_scaled": (_i32, [_handle]),
    "ap_scale_shape": (_i32, [_handle, _i64s, _i32]),
    "ap_scale_factors": (_i32, [_handle, _f64s, _f64s, _size, _err]),
    "ap_affine": (_i32, [_handle, _i32, _f64s, _err]),
    "ap_zooms": (_i32, [_handle, _f64s, _i32, _err]),
    "ap_chunk_shape": (_i32, [_handle, _u64, _i64s, _i32]),
    "ap_header": (_handle, [_handle, c.POINTER(c.c_size_t)]),
    "ap_field_count": (_i32, [_handle]),
    "ap_field_name": (_text, [_handle, _i32]),
    "ap_field_ints": (_i32, [_handle, _text, _i64s, _i32, _err]),
    "ap_field_reals": (_i32, [_handle, _text, _f64s, _i32, _err]),
    "ap_field_text": (_i64, [_handle, _text, _text, _size, _err]),
    "ap_extension_count": (_i32, [_handle, _err]),
    "ap_extension": (_i64, [_handle, _i32, c.POINTER(_i32), _handle, _size, _err]),
    "ap_warning": (_text, [_handle, _i32]),
    "ap_slice_parse": (_i32, [_text, _slices, _i32, _err]),
    "ap_slice_shape": (_i32, [_handle, _slices, _i32, _i64s, _i32, _err]),
    "ap_slice_nbytes": (_i64, [_handle, _slices, _i32, _i32, _u32, _err]),
    "ap_read_slice": (
        _i32,
        [_handle, _slices, _i32, _i32, _u32, _handle, _size, _err],
    ),
    "ap_read_all": (_i32, [_handle, _i32, _u32, _handle, _size, _err]),
    "ap_read_box": (
        _i32,
        [_handle, _i32, _i64s, _i64s, _i64s, _i32, _u32, _handle, _size, _err],
    ),
    "ap_plan_new": (_i32, [_handle, _slices, _i32, _i32, _u32, _out, _err]),
    "ap_plan_lists": (
        _i32,
        [_handle, _i32, c.POINTER(_i64s), _i64s, _i32, _u32, _out, _err],
    ),
    "ap_plan_shape": (_i32, [_handle, _i64s, _i32]),
    "ap_plan_dtype": (_i32, [_handle]),
    "ap_plan_nbytes": (_i64, [_handle]),
    "ap_plan_cost": (_i64, [_handle]),
    "ap_plan_read": (_i32, [_handle, _handle, _size, _size, _i64s, _handle, _err]),
    "ap_read_batch": (
        _i32,
        [_handle, _slices, _i32, _i64, _i32, _u32, _handle, _size, _sizes, _handle, _err],
    ),
    "ap_plan_free": (None, [_handle]),
    "ap_control_new": (_handle, []),
    "ap_control_free": (None, [_handle]),
    "ap_control_cancel": (None, [_handle]),
    "ap_control_reset": (None, [_handle]),
    "ap_control_progress": (None, [_handle, _handle, _handle]),
    "ap_control_set_threads": (None, [_handle, _i32]),
    "ap_control_set_callback": (None, [_handle, PROGRESS_FN, _handle, _u32]),
    "ap_load": (_i32, [_handle, _slices, _i32, _i32, _u32, _handle, _out, _err]),
    "ap_view": (_i32, [_handle, _slices, _i32, _u32, _out, _err]),
    "ap_array_data": (_handle, [_handle]),
    "ap_array_shape": (_i32, [_handle, _i64s, _i32]),
    "ap_array_strides": (_i32, [_handle, _i64s, _i32]),
    "ap_array_dtype": (_i32, [_handle]),
    "ap_array_flags": (_u32, [_handle]),
    "ap_array_to_dlpack": (_i32, [_handle, _out, _err]),
    "ap_array_free": (None, [_handle]),
    "ap_array_new": (_i32, [_i32, _i32, _i64s, _i32, _out, _err]),
    "ap_array_from_dlpack": (_i32, [_handle, _out, _err]),
    "ap_array_wrap": (
        _i32,
        [_handle, _i32, _i32, _i64s, _i64s, _u32, RELEASE_FN, _handle, _out, _err],
    ),
    "ap_array_clone": (_handle, [_handle]),
    "ap_image_open": (_i32, [_text, _handle, _out, _err]),
    "ap_image_from_proxy": (_i32, [_handle, _out, _err]),
    "ap_image_from_array": (_i32, [_handle, _f64s, _handle, _size, _out, _err]),
    "ap_image_is_proxy": (_i32, [_handle]),
    "ap_image_in_memory": (_i32, [_handle]),
    "ap_image_proxy": (_handle, [_handle]),
    "ap_image_shape": (_i32, [_handle, _i64s, _i32]),
    "ap_image_header": (_handle, [_handle, c.POINTER(c.c_size_t)]),
    "ap_image_affine": (_i32, [_handle, _i32, _f64s, _err]),
    "ap_image_data": (_i32, [_handle, _i32, _u32, _handle, _out, _err]),
    "ap_image_uncache": (None, [_handle]),
    "ap_image_free": (None, [_handle]),
    "ap_seekindex_build": (_i32, [_handle, _handle, _err]),
    "ap_seekindex_save": (_i32, [_handle, _text, _err]),
    "ap_seekindex_load": (_i32, [_handle, _text, _err]),
    "ap_seekindex_info": (_i32, [_handle, _i64s, _i64s, _i64s, _err]),
}

ROOT = Path(__file__).resolve().parents[2]


def load(path=None):
    """The library, with the types of all functions set."""
    path = path or os.environ.get("AP_LIBRARY")
    path = path or ROOT / "target" / "release" / "libarrayproxy.so"
    library = c.CDLL(os.fspath(path))
    for name, (result, arguments) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library


_library = None


def lib():
    """The library, loaded when first asked for: the model's own tests run without it."""
    global _library
    if _library is None:
        _library = load()
    return _library
