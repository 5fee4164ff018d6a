"""NumPy's indices as the library has them."""

from __future__ import annotations

from array import array
from operator import index as as_int
from typing import SupportsIndex

from ._errors import IndexingError
from ._library import AT, ELLIPSIS, NEWAXIS, NONE, RANGE
from ._types import Index

FIRST, LAST = -(2**63) + 1, 2**63 - 1


def entries(index: Index) -> array[int]:
    """Four numbers for each entry."""
    numbers = array("q")
    for entry in index if isinstance(index, tuple) else (index,):
        if type(entry) is int:
            numbers.extend((AT, _bound(entry), 0, 1))
        elif isinstance(entry, slice):
            start, stop, step = entry.start, entry.stop, entry.step
            numbers.extend(
                (
                    RANGE,
                    NONE if start is None else _bound(start),
                    NONE if stop is None else _bound(stop),
                    1 if step is None else _bound(step),
                )
            )
        elif entry is Ellipsis:
            numbers.extend((ELLIPSIS, 0, 0, 1))
        elif entry is None:
            numbers.extend((NEWAXIS, 0, 0, 1))
        else:
            numbers.extend((AT, _place(entry), 0, 1))
    return numbers


def _bound(value: SupportsIndex) -> int:
    """Beyond 64 bits all bounds are the same."""
    value = as_int(value)
    return value if FIRST <= value <= LAST else FIRST if value < 0 else LAST


def _place(entry: SupportsIndex) -> int:
    if isinstance(entry, bool) or getattr(entry, "shape", ()) != ():
        raise IndexingError(f"{entry!r} is no index: only integers, slices, ... and None are")
    try:
        return _bound(entry)
    except TypeError:
        text = f"{entry!r} is no index: only integers, slices, ... and None are"
        raise IndexingError(text) from None
