"""The wrapper against the header, and the names that the library gives to codes."""

import ctypes as c
import re

import numpy as np
import pytest

import capi
from capi import lib
from eltypes import TYPES

HEADER = capi.ROOT / "include" / "arrayproxy.h"

PLAIN = {
    "int32_t": c.c_int32,
    "ap_status": c.c_int32,
    "ap_dtype": c.c_int32,
    "uint32_t": c.c_uint32,
    "int64_t": c.c_int64,
    "uint64_t": c.c_uint64,
    "size_t": c.c_size_t,
    "double": c.c_double,
    "ap_read_at_fn": capi.READ_AT_FN,
    "ap_size_fn": capi.SIZE_FN,
    "ap_release_fn": capi.RELEASE_FN,
    "ap_progress_fn": capi.PROGRESS_FN,
    "void": None,
}
POINTERS = {
    "char": c.c_char_p,
    "int32_t": c.POINTER(c.c_int32),
    "int64_t": c.POINTER(c.c_int64),
    "double": c.POINTER(c.c_double),
    "size_t": c.POINTER(c.c_size_t),
    "ap_slice": c.POINTER(capi.Slice),
    "ap_error": c.POINTER(capi.Error),
}


def _ctype(text):
    """The ctypes type for a C type; pointers to handles and void are void pointers."""
    words = text.replace("const", "").replace("*", " * ").split()
    stars = words.count("*")
    if stars == 0:
        return PLAIN[words[0]]
    if stars == 2:
        return c.POINTER(POINTERS.get(words[0], c.c_void_p))
    return POINTERS.get(words[0], c.c_void_p)


def _prototypes():
    text = re.sub(r"//.*", "", HEADER.read_text())
    for result, name, arguments in re.findall(r"AP_API\s+([^;(]*?)(ap_\w+)\(([^;]*)\);", text):
        # The last word of an argument is its name.
        types = [re.sub(r"\w+$", "", a.strip()) for a in arguments.split(",")]
        yield name, _ctype(result), [] if arguments == "void" else [_ctype(t) for t in types]


def test_prototypes():
    """Same functions, same types, as in the header."""
    assert {name: (r, a) for name, r, a in _prototypes()} == capi.FUNCTIONS


def test_constants():
    defines = dict(re.findall(r"#define (AP_\w+) (\w+|-\d+)$", HEADER.read_text(), re.M))
    want = dict(capi.STATUS)
    want |= {f"AP_OPT_{name.upper()}": key for name, key in capi.OPTIONS.items()}
    want |= {f"AP_{t.name.upper()}": t.code for t in TYPES.values()}
    for name in "AUTO DISK ORDER_F ORDER_C LITTLE BIG READ_C READ_RAW READ_ROUND".split():
        want[f"AP_{name}"] = getattr(capi, name)
    for name in "READ_UNCACHED READ_PRIVATE ARRAY_READONLY ARRAY_MAPPED".split():
        want[f"AP_{name}"] = getattr(capi, name)
    for name in "READ_CHECKED AFFINE_BEST AFFINE_SFORM AFFINE_QFORM AFFINE_BASE".split():
        want[f"AP_{name}"] = getattr(capi, name)
    for name in "RANGE AT ELLIPSIS NEWAXIS".split():
        want[f"AP_SLICE_{name}"] = getattr(capi, name)
    assert {name: defines.get(name) for name in want} == {n: str(v) for n, v in want.items()}
    assert defines["AP_NONE"] == "INT64_MIN" and capi.NONE == -(2**63)


def test_structs():
    assert c.sizeof(capi.Error) == 512
    assert c.sizeof(capi.Slice) == 32


def test_names_of_codes():
    for name, code in capi.STATUS.items():
        assert lib().ap_status_name(code).decode() == name
        assert lib().ap_status_message(code)
    assert lib().ap_status_name(7) == b"AP_OK"
    assert lib().ap_status_name(-9999) == b"AP_ERR_UNKNOWN"


@pytest.mark.parametrize("name", TYPES)
def test_names_of_types(name):
    t = TYPES[name]
    assert t.code & 255 == t.dtype.itemsize
    assert lib().ap_dtype_name(t.code).decode() == name
    assert lib().ap_dtype_parse(name.encode()) == t.code


def test_short_names_of_types():
    """NumPy's, with any mark for byte order."""
    for t in TYPES.values():
        if t.is_rgb:
            continue
        letter = {"int": "i", "uint": "u", "float": "f", "complex": "c", "bool": "b"}[t.kind]
        short = f"{letter}{t.dtype.itemsize}"
        if not t.is_wide:
            assert np.dtype(short) == t.dtype
        for mark in ["", "<", ">", "=", "|"]:
            assert lib().ap_dtype_parse(f"{mark}{short}".encode()) == t.code, mark + short
    assert lib().ap_dtype_parse(b"?") == TYPES["bool"].code
    for bad in [b"", b"f3", b"int", b"float32 ", b"<", b"<<f4", b"V16", b"i16", b"Float32"]:
        assert lib().ap_dtype_parse(bad) == capi.STATUS["AP_ERR_ARGUMENT"], bad
