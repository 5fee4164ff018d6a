"""The same series in formats of several blocks, each with a factor of its own,
held against NiBabel."""

import functools
import sys
from pathlib import Path

import numpy as np

from measure import Row
from readers import Job
from truth import Boxes, factors

# Writers that owe nothing to a reader.
sys.path.insert(0, str(Path(__file__).parents[2] / "tests/oracle"))
from afni import Afni
from ecat import Ecat
from files import holding
from minc import Minc1
from minc2 import Minc2
from parrec import Parrec

VOXEL = (48, 48, 30)
FEW = 10
CHUNKS = {"chunks": (1, 20, 48, 48), "compression": 4, "shuffle": True}


def afni(values):
    return holding(Afni, values, tail=0, facs=factors(values.shape[3]).tolist())


def ecat(values):
    return holding(Ecat, values, tail=0, calibration=1.0, scales=tuple(factors(values.shape[3])))


def parrec(values):
    """A factor for each slice."""
    rows = [
        {"slice number": z + 1, "dynamic scan number": t + 1, "rescale slope": factor}
        for t, factor in enumerate(factors(values.shape[3]).tolist())
        for z in range(values.shape[2])
    ]
    return holding(Parrec, values, tail=0, rows=rows)


def minc(kind, values, **how):
    """Ranges for each slice; axes go from the slowest to the fastest."""
    values = values.T
    # So that a slope is the very factor.
    top = 2**15 - 1
    highs = np.repeat(top * factors(len(values))[:, None], values.shape[1], axis=1)
    what = {"lows": 0 * highs, "highs": highs, "valid": (0, top)}
    return holding(kind, values, tail=0, **what, **how)


FILES = {
    "AFNI": ("varied.HEAD", afni),
    "ECAT 7": ("varied.v", ecat),
    "PAR/REC": ("varied.PAR", parrec),
    "MINC 1": ("varied.mnc", functools.partial(minc, Minc1)),
    "MINC 2, in one piece": ("varied_whole.mnc", functools.partial(minc, Minc2)),
    "MINC 2, deflated chunks": ("varied_chunks.mnc", functools.partial(minc, Minc2, how=CHUNKS)),
}
# NiBabel takes wrong frames of it.
NO_SLICES = "ECAT 7"


class FormatRows:
    """Whole reads and slices become float64."""

    def __init__(self, data, truth):
        self.data, self.truth = data, truth
        shape = truth.plain("varied")[0].shape
        size, last = shape[:3], shape[3]
        self.few = min(FEW, last)
        places = np.random.default_rng(17).permutation(last)[: self.few].tolist()
        boxes = lambda name, *parts: Boxes(data, f"formats_{name}", list(parts))
        self.volumes = boxes("volumes", *[((0, 0, 0, t), (*size, 1)) for t in places])
        self.voxel = boxes("voxel", ((*VOXEL, 0), (1, 1, 1, last)))

    def make(self):
        values = None
        for name, maker in FILES.values():
            path = self.data.plain("varied").with_name(name)
            if not path.exists():
                values = np.array(self.truth.plain("varied")[0]) if values is None else values
                print(f"making {name}", flush=True)
                maker(values).write(path.parent, path.stem)

    def all(self):
        for title, (name, _) in FILES.items():
            path = self.data.plain("varied").with_name(name)
            args = {"reversed": 1} if "MINC" in title else {}
            job = lambda reader, work, boxes=None, scale=1.0, p=path, a=args, **more: Job(
                reader, work, p, "float64", boxes, {**a, **more}, scale
            )
            yield self.row(f"{title}: open", lambda r: job(r, "open", times=5))
            yield self.row(f"{title}: whole", lambda r: job(r, "whole"))
            if title != NO_SLICES:
                each = 1 / self.few
                yield self.row(
                    f"{title}: [..., t], one of {self.few}",
                    lambda r: job(r, "slices", self.volumes, each, open="each"),
                )
                yield self.row(
                    f"{title}: [i, j, k, :]", lambda r: job(r, "slices", self.voxel, open="counted")
                )

    def row(self, title, job):
        nibabel = job("nibabel")
        return Row(title, job("ours"), ("NiBabel", nibabel, 1), 1.0, [nibabel])
