"""What readers have to get, taken from the plain files by NumPy alone: the
readers cannot agree on something wrong."""

from functools import lru_cache

import numpy as np

from checksum import checksum


class Boxes:
    """Parts of a series, in a file for the readers: starts and counts. `step` is
    that on the first three axes."""

    def __init__(self, data, name, parts, step=1):
        self.path, self.parts, self.step = data.jobs(name), parts, step
        lines = [" ".join(map(str, [*start, *count])) for start, count in parts]
        self.path.write_text("\n".join(lines) + "\n")

    def __len__(self):
        return len(self.parts)


def factors(volumes):
    """Of a series in which each volume has its own. They round nothing."""
    return 0.25 * 2.0 ** (np.arange(volumes) % 3)


class Truth:
    def __init__(self, data):
        self.data, self.known = data, {}

    def checksum(self, job):
        """Of the result of a job; 0 for jobs without one."""
        if job.work not in ("whole", "slices", "batch", "voxel"):
            return 0
        source = job.file.name.split(".")[0].split("_")[0]
        boxes = job.boxes.path if job.boxes else None
        dtype = job.dtype
        if job.reader == "simpleitk" and dtype == "disk" and source != "f32":
            dtype = "float32"  # the type that it scales to by itself
        order = job.args.get("order", "F")
        key = (source, dtype, boxes, order)
        if key not in self.known:
            self.known[key] = checksum(self.arrays(source, dtype, job.boxes, order))
        return self.known[key]

    def arrays(self, source, dtype, boxes, order):
        stored, slope, inter = self.plain("fmri" if source == "long" else source)
        if boxes is not None:
            parts = [box_of(stored, *box, boxes.step) for box in boxes.parts]
        elif stored.ndim < 4 or order == "C":
            parts = [slice(None)]
        else:
            parts = volumes_of(stored)
        for part in parts:
            array = stored[part]
            if source == "varied":
                slope = factors(stored.shape[3])[part[-1]]
            array = array if dtype == "disk" else (array * slope + inter).astype(dtype)
            yield array.T if order == "C" else array

    @lru_cache
    def plain(self, source):
        path = self.data.plain(source)
        head = np.fromfile(path, "<i2", 176)
        shape = tuple(head[21 : 21 + head[20]].tolist())
        dtype = {2: "u1", 4: "<i2", 16: "<f4"}[int(head[35])]
        slope, inter = np.frombuffer(head.tobytes(), "<f4", 2, 112).astype(float)
        stored = np.memmap(path, dtype, "r", 352, shape, order="F")
        return stored, slope or 1.0, inter


def volumes_of(stored):
    return [(..., slice(t, t + 1)) for t in range(stored.shape[-1])]


def box_of(stored, start, count, step):
    """As slices. The long series repeats the one that there is."""
    start = [*start[:3], start[3] % stored.shape[3]]
    steps = [step, step, step, 1]
    return tuple(slice(a, a + (n - 1) * s + 1, s) for a, n, s in zip(start, count, steps))
