"""Works on files that are not compressed, held against plain code that knows
what is in them (`peers/src/limit.rs`), and against NiBabel."""

import dataclasses
import struct

import numpy as np

from measure import Row
from readers import Job
from rows import PATCHES
from truth import Boxes

# The voxel whose course is read, and the slices.
VOXEL = (48, 48, 30)
SAGITTAL, AXIAL = 40, 30
FEW, MANY = 20, 40


def write_mgh(nifti, to):
    """The same image as MGH has it: big-endian behind a header of 284 bytes."""
    head = np.fromfile(nifti, "<i2", 176)
    shape = head[21 : 21 + head[20]].tolist()
    header = struct.pack(">7i", 1, *shape, 1, 4, 0).ljust(284, b"\0")
    stored = np.fromfile(nifti, "<i2", offset=352)
    to.write_bytes(header + stored.astype(">i2").tobytes())


class PlainRows:
    """Slices become float64, as scaled data do if nothing else is asked for."""

    def __init__(self, data, rows):
        self.data, self.rows = data, rows
        self.series = data.plain("fmri")
        size = data.shape[:3]
        last = data.volumes
        boxes = lambda name, *parts, **more: Boxes(data, f"plain_{name}", list(parts), **more)
        self.voxel = boxes("voxel", ((*VOXEL, 0), (1, 1, 1, last)))
        self.sagittal = boxes("sagittal", ((SAGITTAL, 0, 0, 0), (1, *size[1:], last)))
        self.axial = boxes("axial", ((0, 0, AXIAL, 0), (*size[:2], 1, last)))
        self.every = boxes("every", ((0,) * 4, (*[n // 2 for n in size], 1)), step=2)
        self.one = boxes("one", ((*VOXEL, last // 2), (1,) * 4))
        rng = np.random.default_rng(11)
        places = lambda n: rng.integers(0, last, n).tolist()
        volume = lambda t: ((0, 0, 0, t), (*size, 1))
        self.volumes = boxes("volumes", *map(volume, places(FEW)))
        self.shared = boxes("shared", *map(volume, places(MANY)))
        self.patches = boxes("patches", *rows.patches())

    def whole(self, reader, dtype="disk", file=None, **args):
        return Job(reader, "whole", file or self.series, dtype, None, args)

    def slices(self, reader, boxes, dtype="float64", work="slices", scale=1.0, **args):
        if boxes.step != 1:
            args["step"] = boxes.step
        return Job(reader, work, self.series, dtype, boxes, args, scale)

    def all(self):
        yield from self.wholes()
        yield from self.parts()
        yield from self.threads()
        yield from self.others()

    def wholes(self):
        for dtype, reaches in (("float32", (0.10, 0.10)), ("float64", (0.35, 0.20))):
            for threads, nibabel in zip((1, 2), reaches):
                args = {"fresh": 1, "threads": threads}
                yield self.row(
                    f"whole to {dtype}, new memory, {threads} thread{'s' * (threads > 1)}",
                    lambda name, dtype=dtype, args=args: self.whole(name, dtype, **args),
                    (1.10, nibabel),
                    ["nibabel", "numpy", "simpleitk", "niftilib", "nifti"],
                )
        for dtype in ("disk", "float64"):
            title = "as stored" if dtype == "disk" else f"to {dtype}"
            yield self.row(
                f"whole {title}, memory used before",
                lambda name, dtype=dtype: self.whole(name, dtype),
                (1.05, None),
                [],
            )
        yield self.row(
            "whole to float32, row-major, memory used before",
            lambda name: self.whole(name, "float32", order="C", **self.by(name, "kept")),
            (1.15, 0.25),
            ["nibabel", "numpy"],
        )

    def by(self, name, way):
        """How plain code reads: it has no rules of its own."""
        return {"by": way} if name == "limit" else {}

    def parts(self):
        readers = ["nibabel", "numpy"]
        for title, boxes, way, reaches, more in (
            ("[..., t], one of 20", self.volumes, "runs", (1.10, 0.10), {"scale": 1 / FEW}),
            ("[i, j, k, :], first time", self.voxel, "runs", (1.15, 0.20), {}),
            ("[i, j, k, :], again", self.voxel, "kept", (1.15, 0.03), {"again": 2}),
            ("[i, :, :, :]", self.sagittal, "rows", (1.15, 0.25), {}),
            ("[i, :, :, :], again", self.sagittal, "kept", (None, None), {"again": 2}),
            ("[:, :, k, :]", self.axial, "runs", (1.15, 0.15), {}),
            ("[::2, ::2, ::2, 0]", self.every, "rows", (1.15, 0.15), {}),
        ):
            job = lambda name, b=boxes, w=way, m=more: self.slices(name, b, **m, **self.by(name, w))
            yield self.row(title, job, reaches, readers)
        for title, work in (("one call each", "slices"), ("one ap_read_batch", "batch")):
            yield self.row(
                f"{PATCHES:,} random 32³ patches, {title}",
                lambda name, work=work: self.slices(
                    name, self.patches, work=work if name == "ours" else "slices",
                    **self.by(name, "map"),
                ),
                (1.15, 0.08),
                readers,
            )

    def threads(self):
        """What a second thread gains where reads are gathered."""
        for title, job in (
            ("[i, :, :, :]", lambda **more: self.slices("ours", self.sagittal, **more)),
            (
                f"{PATCHES:,} random 32³ patches, one ap_read_batch",
                lambda **more: self.slices("ours", self.patches, work="batch", **more),
            ),
            (
                "whole to float32, row-major",
                lambda **more: self.whole("ours", "float32", order="C", **more),
            ),
        ):
            yield Row(f"{title}, 2 threads", job(threads=2), ("ours, 1 thread", job(), 1))

    def others(self):
        yield self.row(
            "open and read one voxel",
            lambda name: self.slices(name, self.one, open="counted"),
            (3, 0.03),
            ["nibabel"],
        )
        yield self.row(
            "2 threads read different volumes by one handle, one of 40",
            lambda name: self.slices(
                name, self.shared, readers=2, scale=1 / MANY, **{"threads": 2} if name == "limit" else {}
            ),
            (1.10, 0.15),
            ["nibabel", "numpy"],
        )
        t1, mgh = self.data.plain("t1"), self.data.plain("t1").with_suffix(".mgh")
        if not mgh.exists():
            write_mgh(t1, mgh)
        same = self.whole("ours", file=t1)
        yield Row(
            "big-endian MGH image of 256³ int16, as stored",
            self.whole("ours", file=mgh),
            ("ours, the same little-endian", same, 1),
            1.10,
            [self.whole("nibabel", file=mgh)],
        )

    def row(self, title, job, reaches, others):
        """Others take memory as their users' programs do."""
        limit, nibabel = reaches
        against = ("plain code", job("limit"), 1)
        others = [dataclasses.replace(one, args={**one.args, "default": 1}) for one in map(job, others)]
        return Row(title, job("ours"), against, limit, others, nibabel)

    def memory(self):
        """What is read for the bound on memory, and how large the result is."""
        nbytes = self.data.nbytes
        for threads in (1, 2):
            title = f"whole to float64, {threads} threads"
            yield title, self.whole("ours", "float64", threads=threads), 4 * nbytes
        yield "whole to float64, new memory", self.whole("ours", "float64", fresh=1), 4 * nbytes
        yield "[i, j, k, :]", self.slices("ours", self.voxel), 8 * self.data.volumes
        yield "whole to float32, row-major", self.whole("ours", "float32", order="C"), 2 * nbytes
        yield "[i, :, :, :]", self.slices("ours", self.sagittal), 4 * nbytes // self.data.shape[0]
        patches = self.slices("ours", self.patches, work="batch")
        yield "patches by a batch", patches, 8 * 32**3 * PATCHES
