"""What the readers in Python have in common: jobs in, answers out.

The lines are those of server.h.
"""

import sys
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1] / "driver"))
from checksum import checksum


class Clock:
    """Seconds that its block takes."""

    def __enter__(self):
        self.start = perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = perf_counter() - self.start


def boxes_of(path):
    """The boxes of a file of eight numbers a line: starts and counts."""
    lines = Path(path).read_text().splitlines()
    boxes = [[int(number) for number in line.split()] for line in lines]
    return [(box[:4], box[4:]) for box in boxes]


def index_of(box, args):
    """Of a box, with the steps that a job has on the first three axes."""
    step = int(args.get("step", 1))
    steps = [step, step, step, 1]
    return tuple(slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(*box, steps))


def serve(name, works):
    """Do jobs until there are no more. A work gives seconds and arrays."""
    print(name, flush=True)
    for line in sys.stdin:
        work, file, *rest = line.rstrip("\n").split("\t")
        args = dict(part.split("=", 1) for part in rest)
        try:
            seconds, arrays = works[work](file, args)
            print(f"ok\t{seconds:.9f}\t{checksum(arrays):016x}", flush=True)
        except Exception as error:  # the driver says it and goes on
            text = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"error\t{text}", flush=True)
        arrays = None
