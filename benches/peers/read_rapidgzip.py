"""rapidgzip alone, decoding to memory: it knows nothing of images."""

import numpy as np
import rapidgzip
from server import Clock, serve

HEADER = 352


def whole(file, args):
    threads = int(args.get("threads", 1))
    with rapidgzip.open(file, parallelization=threads) as opened:
        if "/" in args.get("index", ""):
            opened.import_index(args["index"])
        with Clock() as clock:
            opened.read(HEADER)
            result = np.empty(int(args["nbytes"]), np.uint8)
            view, at = memoryview(result), 0
            while at < len(result):
                n = opened.readinto(view[at:])
                if n == 0:
                    raise EOFError(f"ends after {at} bytes")
                at += n
    return clock.seconds, [result]


def save(file, args):
    """Its own index, into a file."""
    with rapidgzip.open(file, parallelization=int(args.get("threads", 1))) as opened:
        with Clock() as clock:
            opened.block_offsets()
        opened.export_index(args["to"])
    return clock.seconds, []


serve(f"rapidgzip {rapidgzip.__version__}", {"whole": whole, "save": save})
