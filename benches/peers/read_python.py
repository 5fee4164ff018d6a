"""The binding for Python. Works: `voxel`, `times` reads of the box's first voxel, and
`whole`, into an array used before; as float64 or as stored."""

import arrayproxy
import numpy as np
from server import Clock, boxes_of, serve


def voxel(file, args):
    proxy, times = arrayproxy.open(file), int(args["times"])
    i, j, k, t = boxes_of(args["boxes"])[0][0]
    with Clock() as clock:
        for _ in range(times):
            value = proxy[i, j, k, t]
    return clock.seconds / times, [value]


def whole(file, args):
    proxy = arrayproxy.open(file)
    raw = args["dtype"] == "disk"
    result = np.ones(proxy.shape, proxy.disk_dtype if raw else args["dtype"], "F")
    with Clock() as clock:
        proxy.read(out=result, raw=raw)
    return clock.seconds, [result]


serve("Python binding", {"voxel": voxel, "whole": whole})
