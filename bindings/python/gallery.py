r"""Draws three middle planes of an image and the time course of a series' middle voxel.

    python bindings/python/gallery.py tests/data/mni152_t1.nii.gz tests/data/functional.nii \
        bindings/python/gallery.png
"""

import sys

import arrayproxy
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

image, series = (arrayproxy.open(path) for path in sys.argv[1:3])
x, y, z = (n // 2 for n in image.shape)
planes = image[x, :, :], image[:, y, :], image[:, :, z]
sizes = image.zooms
voxel = tuple(n // 2 for n in series.shape[:3])
course = series[voxel]

figure, axes = plt.subplots(1, 4, figsize=(11, 2.8), width_ratios=[1, 1, 1, 1.4])
for across, plane, axis in zip(range(3), planes, axes):
    left = [n for n in range(3) if n != across]
    ratio = sizes[left[1]] / sizes[left[0]]
    axis.imshow(plane.T, cmap="gray", origin="lower", aspect=ratio)
    axis.set_title(f"{'xyz'[across]} = {(x, y, z)[across]}", fontsize=10)
    axis.axis("off")
axes[3].plot(course, color="#2a78b5", marker=".")
axes[3].set_title(f"voxel {voxel}", fontsize=10)
axes[3].set_xlabel("volume")
axes[3].spines[["top", "right"]].set_visible(False)
figure.tight_layout()
figure.savefig(sys.argv[3], dpi=90, metadata={"Software": None})
