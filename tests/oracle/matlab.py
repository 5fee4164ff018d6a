"""Matlab's files of level 4 and 5 ("MAT-File Format", MathWorks)."""

import struct
import zlib

import numpy as np

LEVEL_4 = {"f8": 0, "f4": 1, "i4": 2, "i2": 3, "u2": 4, "u1": 5}
# Storage types and array classes of level 5.
STORED = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 9}
STORED |= {"i8": 12, "u8": 13}
CLASSES = {"f8": 6, "f4": 7, "i1": 8, "u1": 9, "i2": 10, "u2": 11, "i4": 12, "u4": 13}
CLASSES |= {"i8": 14, "u8": 15}
CELL, STRUCT, CHAR, SPARSE = 1, 2, 4, 5
LOGICAL, GLOBAL, COMPLEX = 0x200, 0x400, 0x800
MATRIX, COMPRESSED = 14, 15


def _short(array):
    return np.asarray(array).dtype.str[1:]


def level4(variables, byte_order="<", kind=0):
    """A file of variables by name. `kind` 1 is text, 2 sparse."""
    out = b""
    for name, array in variables.items():
        array = np.asarray(array)
        parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
        code = 1000 * (byte_order == ">") + 10 * LEVEL_4[_short(parts[0])] + kind
        text = name.encode() + b"\0"
        sizes = *array.shape, len(parts) - 1, len(text)
        out += struct.pack(byte_order + "5i", code, *sizes) + text
        out += b"".join(p.astype(p.dtype.newbyteorder(byte_order)).tobytes("F") for p in parts)
    return out


def element(code, data, byte_order, small=True):
    """One element of level 5; up to four bytes fit beside its type."""
    if small and 0 < len(data) <= 4:
        return struct.pack(byte_order + "I", len(data) << 16 | code) + data.ljust(4, b"\0")
    return struct.pack(byte_order + "II", code, len(data)) + data + bytes(-len(data) % 8)


def numbers(array, byte_order="<", stored=None, small=True):
    """Numbers as an element, perhaps in a shorter type than that of their array."""
    array = np.asarray(array)
    array = array.astype(stored or array.dtype)
    data = array.astype(array.dtype.newbyteorder(byte_order)).tobytes("F")
    return element(STORED[_short(array)], data, byte_order, small)


def array5(name, array_class, shape, content, byte_order="<", flags=0, small=True):
    """An array of level 5: flags, dimensions, name, and what its class has."""
    start = numbers(np.array([flags | array_class, 0], "u4"), byte_order)
    start += numbers(np.array(shape, "i4"), byte_order)
    start += element(STORED["i1"], name.encode(), byte_order, small)
    return element(MATRIX, start + content, byte_order)


def matrix5(name, array, byte_order="<", stored=None, flags=0, small=True):
    """A matrix of numbers."""
    array = np.asarray(array)
    parts = [array.real, array.imag] if array.dtype.kind == "c" else [array]
    flags |= COMPLEX * (len(parts) - 1)
    content = b"".join(numbers(part, byte_order, stored, small) for part in parts)
    array_class = CLASSES[_short(parts[0])]
    return array5(name, array_class, array.shape, content, byte_order, flags, small)


def text5(name, text, byte_order="<"):
    content = element(STORED["u2"], text.encode(f"utf-16-{'lb'[byte_order == '>']}e"), byte_order)
    return array5(name, CHAR, (1, len(text)), content, byte_order)


def cell5(name, items, byte_order="<"):
    return array5(name, CELL, (1, len(items)), b"".join(items), byte_order)


def struct5(name, names, items, byte_order="<"):
    width = numbers(np.array([8], "i4"), byte_order)
    content = element(STORED["i1"], b"".join(n.encode().ljust(8, b"\0") for n in names), byte_order)
    return array5(name, STRUCT, (1, 1), width + content + b"".join(items), byte_order)


def sparse5(name, byte_order="<"):
    """Of 4 by 4 with ones on its diagonal."""
    rows, starts = np.arange(4, dtype="i4"), np.arange(5, dtype="i4")
    parts = rows, starts, np.ones(4)
    content = b"".join(numbers(part, byte_order) for part in parts)
    return array5(name, SPARSE, (4, 4), content, byte_order)


def level5(*variables, byte_order="<", compressed=False):
    """A file of variables that the functions above made."""
    text = b"MATLAB 5.0 MAT-file".ljust(116)
    out = text + bytes(8) + struct.pack(byte_order + "HH", 0x100, 0x4D49)
    for variable in variables:
        if compressed:
            packed = zlib.compress(variable)
            out += struct.pack(byte_order + "II", COMPRESSED, len(packed)) + packed
        else:
            out += variable
    return out
