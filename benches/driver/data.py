"""The images that are read: made once, the same on every machine.

Values are noise about a smooth head, as a scanner gives them, so that gzip
makes about a half of the series: neither random numbers nor a flat picture.
Compressed files lie in a folder without the plain ones, since niftilib and ITK
read X.nii when asked for X.nii.gz.
"""

import hashlib
import math
import os
import struct
from pathlib import Path

import numpy as np
from scipy import ndimage

import packing

SERIES = (96, 96, 60)
VOLUMES = 300
SMALL_VOLUMES = 30
HEADER = 352


class Data:
    """Where the files are."""

    def __init__(self, folder, small):
        self.folder = Path(folder) / ("small" if small else "full")
        self.volumes = SMALL_VOLUMES if small else VOLUMES
        self.shape = SERIES + (self.volumes,)
        self.nbytes = 2 * math.prod(self.shape)

    def plain(self, name):
        return self.folder / "plain" / f"{name}.nii"

    def packed(self, name):
        return self.folder / "packed" / name

    def index(self, name):
        return self.folder / "index" / name

    def jobs(self, name):
        return self.folder / "jobs" / name

    def make(self, long=False):
        """Make what is not there yet."""
        for part in ("plain", "packed", "index", "jobs"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        stamp, now = self.folder / "made-by", made_by()
        if not stamp.exists() or stamp.read_text() != now:
            for old in self.folder.glob("*/*"):
                old.unlink()
            stamp.write_text(now)
        series = self.plain("fmri")
        unless_there(series, lambda to: write_series(to, self.volumes))
        unless_there(self.plain("cut"), lambda to: cut(series, self.volumes // 10, to))
        few = self.volumes // 10
        unless_there(self.plain("varied"), lambda to: cut(series, few, to, (1.0, 0.0)))
        for name in ("t1", "f32"):
            unless_there(self.plain(name), lambda to, name=name: write_anatomy(name, to))
        unless_there(self.plain("text"), write_text)
        for name, (source, pack) in packing.FORMS.items():
            plain = self.plain(source)
            unless_there(self.packed(name), lambda to, p=pack, s=plain: p(s, to))
        if long:
            name = self.packed("long.nii.gz")
            unless_there(name, lambda to: packing.long(series, 10 * self.volumes, to))


def made_by():
    """Changes with the code that makes the data."""
    here = Path(__file__)
    sources = [here, Path(packing.__file__), here.with_name("formats.py")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def unless_there(path, write):
    """Make a file under another name first, so that a half is never taken for it."""
    if path.exists():
        return
    print(f"making {path.name}", flush=True)
    unfinished = path.with_name("unfinished")
    write(unfinished)
    os.rename(unfinished, path)


def header(shape, code, bits, slope, inter):
    """Of a NIfTI-1 file: only what readers ask for."""
    head = bytearray(HEADER)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(shape), *shape, *[1] * (7 - len(shape)))
    struct.pack_into("<hh", head, 70, code, bits)
    struct.pack_into("<8f", head, 76, 1, 2, 2, 2, *[1] * 4)
    struct.pack_into("<fff", head, 108, HEADER, slope, inter)
    head[123] = 10  # mm, seconds
    struct.pack_into("<hh", head, 252, 1, 1)
    struct.pack_into("<fff", head, 268, -96, -96, -60)
    struct.pack_into("<12f", head, 280, 2, 0, 0, -96, 0, 2, 0, -96, 0, 0, 2, -60)
    head[344:348] = b"n+1\0"
    return bytes(head)


def smooth(rng, shape, cells):
    """A random field that changes slowly: so many knots on each axis."""
    knots = rng.standard_normal([c + 1 for c in cells]).astype(np.float32)
    places = [np.linspace(0, c, s) for c, s in zip(cells, shape)]
    grid = np.meshgrid(*places, indexing="ij")
    return ndimage.map_coordinates(knots, grid, order=1).astype(np.float32)


def head_of(rng, shape):
    """Scalp, skull and a brain of three tissues; and where the brain is."""
    x, y, z = np.meshgrid(*[np.linspace(-1, 1, s, dtype=np.float32) for s in shape], indexing="ij")
    radius = np.sqrt((x / 0.72) ** 2 + (y / 0.85) ** 2 + (z / 0.8) ** 2)
    radius += 0.03 * smooth(rng, shape, (6, 6, 6))
    tissue = smooth(rng, shape, tuple(max(4, s // 6) for s in shape))
    tissue += 0.6 * smooth(rng, shape, (9, 9, 9))
    values = np.zeros(shape, np.float32)
    values[radius < 1] = 250
    values[radius < 0.93] = 60
    brain = radius < 0.86
    kinds = np.where(tissue > 0.45, 900, np.where(tissue > -0.25, 700, 450)) + 40 * tissue
    values[brain] = kinds[brain]
    values = ndimage.gaussian_filter(values, 0.7)
    return values * (1 + 0.12 * smooth(rng, shape, (2, 2, 2))), brain


def noisy(rng, signal, noise):
    """A magnitude, so noise in both parts of a complex number."""
    parts = [rng.standard_normal(signal.shape, dtype=np.float32) for _ in range(2)]
    return np.sqrt((signal + noise * parts[0]) ** 2 + (noise * parts[1]) ** 2)


def write_series(to, volumes):
    """The fMRI series, or its beginning: int16 with slope and intercept."""
    rng = np.random.default_rng(20240501)
    base, brain = head_of(rng, SERIES)
    drift = np.cumsum(rng.standard_normal(VOLUMES) * 0.002).astype(np.float32)
    activity = smooth(rng, SERIES, (8, 8, 6)) * 10 * brain
    with open(to, "wb") as file:
        file.write(header(SERIES + (volumes,), 4, 16, 0.25, 1.0))
        for t in range(volumes):
            signal = base * (1 + drift[t]) + activity * np.float32(np.sin(t / 9.0))
            file.write(np.rint(noisy(rng, signal, 9)).astype("<i2").tobytes("F"))


def write_anatomy(name, to):
    """256^3: int16 with a slope, or float32 with nothing around the head."""
    rng = np.random.default_rng(2)
    shape = (256,) * 3
    values, _ = head_of(rng, shape)
    t1 = np.rint(noisy(rng, values * 0.6, 4)).astype("<i2")
    if name == "t1":
        head, data = header(shape, 4, 16, 1.5, 0.0), t1
    else:
        data = (t1 / (1 + 0.1 * smooth(rng, shape, (2, 2, 2)))).astype("<f4")
        data[values < 30] = 0
        head = header(shape, 16, 32, 0.0, 0.0)
    Path(to).write_bytes(head + data.tobytes("F"))


def write_text(to):
    """Words of a made language, some far more often than others, as an image of
    uint8: what decoders are usually measured with."""
    rng = np.random.default_rng(3)
    letters = np.frombuffer(b"etaoinshrdlucmfwypvbgk", np.uint8)
    words = [rng.choice(letters, n).tobytes() for n in rng.integers(2, 11, 20_000)]
    shape = (1024, 1024, 32)
    size, parts = math.prod(shape), []
    while size > sum(map(len, parts)):
        chosen = np.minimum(rng.zipf(1.2, 500_000), len(words)) - 1
        parts.append(b" ".join(words[i] for i in chosen))
    Path(to).write_bytes(header(shape, 2, 8, 0.0, 0.0) + b" ".join(parts)[:size])


def cut(series, volumes, to, factors=(0.25, 1.0)):
    """The first volumes of the series as a file of their own."""
    size = volumes * int(np.prod(SERIES)) * 2
    with open(series, "rb") as file:
        file.seek(HEADER)
        data = file.read(size)
    Path(to).write_bytes(header(SERIES + (volumes,), 4, 16, *factors) + data)
