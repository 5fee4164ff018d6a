"""Makes what the tests of all bindings read: files, and cases.json with what NumPy makes
of parts of them.

    python bindings/cases.py FOLDER

A case a line, in JSON of numbers, texts and flat lists, so that a language without a
reader of JSON needs only a few lines for it:

    file     in FOLDER
    dtype    type that is asked for; "auto" leaves it to the file, "disk" is as stored
    text     the index as NumPy has it, without newaxis
    start, count, step, drop
             of each axis: the first index, how many, how far apart (negative
             steps walk backwards), and 1 if the axis is dropped
    type     of the result
    shape    of the result
    sum      of value i (in column-major order, from 0) times 1 + i mod 97; of
             complex numbers the real part and twice the imaginary part

All values are small multiples of powers of two, so that the sums are exact in float64,
whatever the order.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests/oracle"))
from files import holding
from mgh import Mgh
from minc2 import Minc2
from nifti import Nifti
from parrec import Parrec

CHUNKS = {"chunks": (2, 3, 2), "compression": 4, "shuffle": True}


def numbers(type, shape, seed):
    """From -100 to 100, or from 0 on; of floats quarters, of complex numbers both parts."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(type)
    whole = rng.integers(0 if dtype.kind == "u" else -100, 101, shape)
    if dtype.kind == "c":
        return (whole + 1j * rng.integers(-100, 101, shape)).astype(dtype)
    return (whole / 4 if dtype.kind == "f" else whole).astype(dtype)


def files():
    """Name: what writes it, and what its values mean."""
    made = {}

    def add(stem, kind, type, shape, slope=1.0, inter=0.0, **what):
        values = numbers(type, shape, len(made))
        file = holding(kind, values, slope=slope, inter=inter, **what)
        is_scaled = (slope, inter) != (1, 0)
        made[stem] = file, values, values * slope + inter if is_scaled else values

    add("scaled", Nifti, "int16", (7, 6, 5, 4), 0.5, 10.0, packing="gzip")
    add("plain", Nifti, "uint8", (9, 8, 7), packing="plain")
    add("big", Nifti, "float32", (6, 5, 4), byte_order=">", version=2, packing="zstd")
    add("pair", Nifti, "int32", (5, 4, 3), 0.25, 0.0, pair=True, packing="bzip2")
    add("complex", Nifti, "complex64", (4, 3, 2))
    add("long", Nifti, "int64", (3, 3), version=2)
    add("line", Nifti, "float64", (11,))
    add("head", Mgh, "float32", (5, 4, 3), byte_order=">", packing="gzip")
    add("slices", Parrec, "uint16", (5, 4, 3, 2), 0.5, -2.0)
    add("chunks", Minc2, "float64", (5, 7, 3), how=CHUNKS)
    return made


def indices(shape, rng):
    """Of each axis a slice, or a number that drops it."""
    yield (slice(None),) * len(shape)
    yield tuple(n - 1 for n in shape)
    yield (slice(None, None, -1),) * len(shape)
    yield (*(slice(None) for _ in shape[1:]), shape[-1] // 2)
    yield (shape[0] // 2, *(slice(None) for _ in shape[1:]))
    yield (slice(1, 1), *(slice(0, None, 2) for _ in shape[1:]))
    for _ in range(6):
        yield tuple(one_index(n, rng) for n in shape)


def one_index(n, rng):
    start, stop = sorted(rng.integers(0, n + 1, 2).tolist())
    step = int(rng.integers(1, 4))
    kind = rng.integers(4)
    if kind == 0:
        return int(rng.integers(n))
    if kind == 1 and stop > start:
        return slice(stop - 1, start - 1 if start else None, -step)
    return slice(start, stop, step)


def described(index, shape):
    entries = {"text": [], "start": [], "count": [], "step": [], "drop": []}
    for entry, n in zip(index, shape):
        if isinstance(entry, slice):
            start, stop, step = entry.indices(n)
            count, drop = len(range(start, stop, step)), 0
            bounds = ["" if x is None else str(x) for x in (entry.start, entry.stop)]
            text = ":".join([*bounds, *([str(step)] if step != 1 else [])])
        else:
            start, count, step, drop, text = entry, 1, 1, 1, str(entry)
        for name, value in zip(entries, (text, start, count, step, drop)):
            entries[name].append(value)
    return entries | {"text": ", ".join(entries["text"])}


def weighed(values):
    flat = values.reshape(-1, order="F")
    if flat.dtype.kind == "c":
        flat = flat.real.astype("f8") + 2 * flat.imag.astype("f8")
    weights = 1 + np.arange(len(flat)) % 97
    return float((flat.astype("f8") * weights).sum())


def cases(name, stored, meant):
    rng = np.random.default_rng(len(name))
    for number, index in enumerate(indices(stored.shape, rng)):
        wanted = ["auto", "disk", "float32", "int16"][number % 4 if number < 8 else 0]
        if stored.dtype.kind == "c" and wanted in ("float32", "int16"):
            wanted = "complex128"
        part = (stored if wanted == "disk" else meant)[index]
        if wanted not in ("auto", "disk"):
            part = part.astype(wanted)
        yield {
            "file": name, "dtype": wanted, **described(index, stored.shape),
            "type": part.dtype.name, "shape": list(part.shape), "sum": weighed(part),
        }  # fmt: skip


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for stem, (file, stored, meant) in files().items():
        path = file.write(folder, stem)
        lines += [json.dumps(case) for case in cases(path.name, stored, meant)]
    (folder / "cases.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{len(lines)} cases in {folder / 'cases.json'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
