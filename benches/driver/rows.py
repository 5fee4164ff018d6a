"""The works, and what they are held against."""

import numpy as np

import packing
from measure import Row
from readers import Job
from truth import Boxes

RANDOM_VOLUMES = 10
PATCH = 32
PATCHES = 1000
# They give bytes, whatever is asked for.
DECODERS = ("zlib-rs", "libdeflate", "isal")


class Rows:
    """Jobs on the data. Unless a title says otherwise elements are read as
    stored, so that the cost of conversion hides nothing."""

    def __init__(self, data):
        self.data = data
        self.series = data.packed("fmri.nii.gz")
        self.middle = self.volumes("middle", [data.volumes // 2])
        self.index = data.index("fmri.gzidx")
        self.rapid_index = data.index("fmri.rapidgzip")

    # Selections.

    def volumes(self, name, places):
        size = self.data.shape[:3]
        return Boxes(self.data, name, [((0, 0, 0, t), (*size, 1)) for t in places])

    def spread(self, n, volumes=None):
        """Places in the middle of n equal parts: what readers that start over
        take for them is on average what it is for all."""
        volumes = volumes or self.data.volumes
        return [int((k + 0.5) * volumes / n) for k in range(n)]

    def random_volumes(self, name, volumes):
        rng = np.random.default_rng(5)
        n = min(RANDOM_VOLUMES, volumes)
        return self.volumes(name, rng.permutation(volumes)[:n].tolist())

    def patches(self):
        rng = np.random.default_rng(7)
        limits = [n - PATCH + 1 for n in self.data.shape[:3]] + [self.data.volumes]
        starts = np.stack([rng.integers(0, n, PATCHES) for n in limits], axis=1)
        size = (PATCH, PATCH, PATCH, 1)
        return [(tuple(start), size) for start in starts.tolist()]

    def some_patches(self, n):
        """A part of them whose volumes are spread evenly."""
        patches = sorted(self.patches(), key=lambda patch: patch[0][3])
        return Boxes(self.data, f"patches{n}", [patches[i] for i in self.spread(n, PATCHES)])

    # Jobs.

    def job(self, reader, work, file=None, dtype="disk", boxes=None, scale=1.0, **args):
        file = file or self.series
        return Job(reader, work, file, dtype, boxes, args, scale)

    def whole(self, reader, dtype="disk", file=None, **args):
        if reader == "rapidgzip":
            args["nbytes"] = self.data.nbytes
        if reader in DECODERS:
            dtype = "disk"
        return self.job(reader, "whole", file, dtype, **args)

    def slices(self, reader, boxes, of=None, **args):
        """`of`: how many the boxes stand for, or how many one is asked of."""
        scale = (of or len(boxes)) / len(boxes)
        if reader == "niftilib":
            args.pop("dtype", None)  # it has no other than the stored
        return self.job(reader, "slices", boxes=boxes, scale=scale, **args)

    # Rows.

    def all(self, long=False):
        yield from self.wholes()
        yield from self.structured()
        yield from self.walks()
        yield from self.single()
        yield from self.many()
        yield from self.sizes(long)
        yield from self.codecs()
        yield from self.anatomy()
        yield from self.decoding()

    def wholes(self):
        whole = self.whole
        limit = ("zlib-rs decoding to memory", whole("zlib-rs"), 1)
        converting = ["nibabel", "indexed_gzip", "simpleitk", "niftilib", "nifti"]
        decoding = ["libdeflate", "zlib-rs", "rapidgzip", "nibabel", "indexed_gzip"]
        yield Row(
            "whole, 1 thread",
            whole("ours"),
            limit,
            1.05,
            [whole(name) for name in decoding + ["niftilib", "nifti"]],
        )
        for dtype, reach in (("float32", 1.25), ("float64", 1.45)):
            yield Row(
                f"whole to {dtype}, 1 thread",
                whole("ours", dtype),
                limit,
                reach,
                [whole(name, dtype) for name in converting],
            )
        yield Row(
            "whole to float64, 2 threads, no index",
            whole("ours", "float64", threads=2),
            ("ours, 1 thread", whole("ours", "float64"), 1),
            0.70,
            [whole("nibabel_rapidgzip", "float64", threads=2), whole("simpleitk", "float64")],
        )
        yield Row(
            "whole, 2 threads, index in memory",
            whole("ours", threads=2, index="memory"),
            ("ours, 1 thread, no index", whole("ours"), 1),
            0.55,
            [whole("nibabel_rapidgzip", threads=2, index="memory"), whole("libdeflate")],
        )
        rapid = whole("rapidgzip", threads=2, index=self.rapid_index)
        yield Row(
            "whole, 2 threads, index loaded",
            whole("ours", threads=2, index=self.index),
            ("rapidgzip, 2 threads, its index", rapid, 1),
            0.65,
            [rapid, whole("indexed_gzip", index=self.index), whole("libdeflate")],
        )

    def structured(self):
        """Files whose parts can be found and decoded by themselves."""
        forms = [("BGZF", "bgzf", 0.55), ("pigz -i", "pigz_i", None)]
        for title, name, reach in forms + [("many members", "members", None)]:
            file = self.data.packed(f"fmri_{name}.nii.gz")
            yield Row(
                f"{title}, whole, 2 threads",
                self.whole("ours", file=file, threads=2),
                ("ours, 1 thread", self.whole("ours", file=file), 1),
                reach,
                [
                    self.whole("rapidgzip", file=file, threads=2),
                    self.whole("nibabel", file=file),
                    self.whole("niftilib", file=file),
                ],
            )
        file = self.data.packed("fmri_bgzf.nii.gz")
        blocks = self.whole("libdeflate", file=file)
        yield Row(
            "BGZF, whole, 2 threads, held against libdeflate",
            self.whole("ours", file=file, threads=2),
            ("libdeflate, block by block", blocks, 1),
            0.60,
            [blocks],
        )
        for title, name in (("gzip level 1", "level1"), ("pigz", "pigz")):
            file = self.data.packed(f"fmri_{name}.nii.gz")
            limit = self.whole("zlib-rs", file=file)
            yield Row(
                f"{title}, whole, 1 thread",
                self.whole("ours", file=file),
                ("zlib-rs decoding to memory", limit, 1),
                None,
                [limit, self.whole("libdeflate", file=file), self.whole("nibabel", file=file)],
            )

    def walks(self):
        n = self.data.volumes
        once = ("one whole read of ours", self.whole("ours"), 1)
        forward = self.volumes("forward", range(n))
        few = self.volumes("few", self.spread(5))
        yield Row(
            "walk forward [..., t], no index",
            self.slices("ours", forward),
            once,
            1.10,
            [self.slices(name, forward) for name in ("nibabel", "indexed_gzip", "nifti")]
            + [self.slices("nibabel_rapidgzip", forward, threads=2)]
            + [self.slices(name, few, n) for name in ("simpleitk", "niftilib")],
        )
        back = self.volumes("back", range(n - 1, -1, -1))
        back_few = self.volumes("back_few", self.spread(5)[::-1])
        back_some = self.volumes("back_some", self.spread(min(n, 20))[::-1])
        yield Row(
            "walk backward, index in memory",
            self.slices("ours", back, index="memory"),
            once,
            1.30,
            [
                self.slices("indexed_gzip", back_some, n, index="memory"),
                self.slices("nibabel_rapidgzip", back_some, n, threads=2, index="memory"),
            ]
            + [self.slices(name, back_few, n) for name in ("nibabel", "simpleitk", "niftilib")],
        )

    def single(self):
        once = ("one whole read of ours", self.whole("ours"), 1)
        half = ("half a whole read of ours", self.whole("ours"), 0.5)
        start_over = ["nibabel", "simpleitk", "niftilib"]
        yield Row(
            f"first slice [..., {self.data.volumes // 2}], no index, opening counted",
            self.slices("ours", self.middle, open="counted"),
            half,
            1.15,
            [
                self.slices(name, self.middle, open="counted")
                for name in start_over + ["indexed_gzip", "nibabel_rapidgzip"]
            ],
        )
        some = self.random_volumes("random", self.data.volumes)
        two = self.volumes("two", self.spread(2))
        cold = {"dtype": "float64", "of": 1, "open": "each"}
        peer = self.slices("indexed_gzip", some, index=self.index, **cold)
        yield Row(
            "random volume to float64, index loaded, cold, opening counted",
            self.slices("ours", some, index=self.index, **cold),
            ("NiBabel + indexed_gzip, same index", peer, 1),
            0.12,
            [peer, self.slices("nibabel_rapidgzip", some, index=self.rapid_index, **cold)]
            + [self.slices(name, two, **cold) for name in start_over],
        )
        voxel = Boxes(self.data, "voxel", [((40, 50, 30, 0), (1, 1, 1, self.data.volumes))])
        yield Row(
            "voxel time course [40, 50, 30, :], index loaded, cold",
            self.slices("ours", voxel, index=self.index),
            once,
            0.60,
            [self.slices(name, voxel) for name in start_over]
            + [self.slices("indexed_gzip", voxel, index=self.index)]
            + [self.slices("nibabel_rapidgzip", voxel, index=self.rapid_index)],
        )

    def many(self):
        patches = Boxes(self.data, "patches", self.patches())
        few, some = self.some_patches(5), self.some_patches(20)
        peer = self.slices("indexed_gzip", some, PATCHES, index="memory")
        others = [peer, self.slices("nibabel_rapidgzip", some, PATCHES, index="memory")]
        others += [self.slices(name, few, PATCHES) for name in ("nibabel", "simpleitk", "niftilib")]
        yield Row(
            f"{PATCHES:,} random 32³ patches, one call each, index in memory",
            self.slices("ours", patches, index="memory"),
            ("NiBabel + indexed_gzip", peer, 1),
            0.05,
            others,
        )
        memory = {"threads": 2, "index": "memory"}
        yield Row(
            "the same patches by one ap_read_batch, 2 threads",
            self.job("ours", "batch", boxes=patches, **memory),
            ("one whole read of ours, 2 threads, index in memory", self.whole("ours", **memory), 1),
            1.20,
            others[:2],
        )
        yield Row(
            "build the index, 1 thread",
            self.job("ours", "build"),
            ("one whole read of ours", self.whole("ours"), 1),
            1.05,
            [self.job("indexed_gzip", "build"), self.job("nibabel_rapidgzip", "build")],
        )
        opened = [
            self.job(name, "open", times=20)
            for name in ("nibabel", "indexed_gzip", "simpleitk", "niftilib", "nifti")
        ]
        yield Row(
            "open",
            self.job("ours", "open", times=100),
            ("NiBabel without indexed_gzip", opened[0], 1),
            0.10,
            opened,
        )

    def sizes(self, long):
        """Volumes at random places, in files of one kind and other sizes, with
        places every MiB in all of them."""

        def random(name, volumes):
            boxes = self.random_volumes(f"random_{name}", volumes)
            index = self.data.index(f"{name}_even.gzidx")
            file = self.data.packed(f"{name}.nii.gz")
            args = {"dtype": "float64", "open": "each", "index": index}
            return self.job("ours", "slices", file, boxes=boxes, scale=1 / len(boxes), **args)

        n = self.data.volumes
        pairs = [("fmri", n, "cut", n // 10)]
        if long:
            pairs.append(("long", 10 * n, "fmri", n))
        for name, volumes, other, fewer in pairs:
            yield Row(
                f"cost over size: random volume of {volumes}, index loaded, opening counted",
                random(name, volumes),
                (f"the same in a file of {fewer}", random(other, fewer), 1),
                1.25,
            )

    def codecs(self):
        """zstd, and bzip2 in a smaller file since it is slow."""
        for title, name, volumes in (
            ("zstd", "fmri.nii.zst", self.data.volumes),
            ("bzip2", "cut.nii.bz2", self.data.volumes // 10),
        ):
            file = self.data.packed(name)
            peer = self.whole("nibabel", file=file)
            yield Row(
                f"{title}, whole ({volumes} volumes), 1 thread",
                self.whole("ours", file=file),
                ("NiBabel", peer, 1),
                others=[peer],
            )
            n = min(volumes, 10)
            boxes = self.volumes(f"last_{name}", range(volumes - 1, volumes - 1 - n, -1))
            last = self.volumes(f"last_few_{name}", [volumes - n // 2 - 1])
            peer = self.job("nibabel", "slices", file, boxes=last, scale=float(n))
            yield Row(
                f"{title}, the last {n} volumes backward",
                self.job("ours", "slices", file, boxes=boxes),
                ("NiBabel", peer, 1),
                others=[peer],
            )

    def anatomy(self):
        """Single images, which fit the cache."""
        for title, name, dtype in (
            ("T1 image of 256³ int16 to float32, whole", "t1", "float32"),
            ("image of 256³ float32, whole", "f32", "disk"),
        ):
            file = self.data.packed(f"{name}.nii.gz")
            names = ["nibabel", "indexed_gzip", "simpleitk", "niftilib", "nifti"]
            limit = self.whole("zlib-rs", file=file)
            yield Row(
                title,
                self.whole("ours", dtype, file),
                ("zlib-rs decoding to memory", limit, 1),
                others=[self.whole(reader, dtype, file) for reader in names],
            )

    def decoding(self):
        """The decoder alone, but for the little that reading bytes adds to it:
        nothing is kept for later reads."""
        names = {"cut": "series", "t1": "T1 image", "f32": "float32 image", "text": "text"}
        forms = [("level 1", "_level1"), ("level 6", ""), ("level 9", "_level9")]
        for kind in packing.KINDS:
            for form, suffix in forms + [("pigz", "_pigz")]:
                file = self.data.packed(f"{kind}{suffix}.nii.gz")
                peers = [self.whole(reader, file=file) for reader in DECODERS]
                yield Row(
                    f"decoding: {names[kind]}, {form}",
                    self.whole("ours", file=file, index="never"),
                    ("the faster of libdeflate and ISA-L", peers[1:], 1),
                    1.05 if kind == "cut" else 1.10,
                    peers,
                )
