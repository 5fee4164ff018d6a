"""The cases that the tests of all bindings share (bindings/cases.py)."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

import arrayproxy

FOLDER = Path(os.environ["AP_CASES"])
CASES = json.loads((FOLDER / "cases.json").read_text())


def index_of(case):
    axes = zip(case["start"], case["count"], case["step"], case["drop"])
    return tuple(start if drop else part(start, count, step) for start, count, step, drop in axes)


def part(start, count, step):
    stop = start + count * step
    return slice(start, stop if stop >= 0 else None, step)


def weighed(array):
    flat = np.asarray(array).reshape(-1, order="F")
    if flat.dtype.kind == "c":
        flat = flat.real.astype("f8") + 2 * flat.imag.astype("f8")
    return float((flat.astype("f8") * (1 + np.arange(flat.size) % 97)).sum())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['file']}[{case['text']}]")
def test_case(case):
    image = arrayproxy.open(FOLDER / case["file"])
    index, wanted = index_of(case), case["dtype"]
    if wanted == "disk":
        got = image.slice(index).get_unscaled()
    elif wanted == "auto":
        got = image[index]
    else:
        got = image.read(index, dtype=wanted)
    assert (got.dtype.name, list(got.shape), weighed(got)) == (
        case["type"], case["shape"], case["sum"],
    )  # fmt: skip
    if wanted == "disk" or not got.shape:
        return
    # Into memory of other strides, with the axes turned round.
    room = np.full(tuple(2 * n + 1 for n in got.shape[::-1]), 99, got.dtype).T
    view = room[tuple(slice(1, None, 2) for _ in got.shape)][(slice(None, None, -1),) * got.ndim]
    if wanted != "int16":  # cut by the library as by NumPy, but only within range
        image.read(index, out=view)
        np.testing.assert_array_equal(view, got)
        assert (room == 99).sum() >= room.size - got.size


def test_there_are_cases():
    assert len(CASES) > 100
    assert {case["type"] for case in CASES} >= {"float64", "int16", "uint8", "complex64"}
