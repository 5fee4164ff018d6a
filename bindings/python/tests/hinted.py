"""Code of a user's, whose types mypy checks with the package as it is installed. What must
not pass has an ignore, which mypy refuses if it is not needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, assert_type

import numpy as np
import numpy.typing as npt

import arrayproxy
from arrayproxy import ArrayProxy, ImageProxy

Array = npt.NDArray[Any]


def opened(path: Path) -> None:
    image = arrayproxy.open(path, threads=2, mmap=False, index_path=path)
    assert_type(image, ImageProxy)
    assert_type(arrayproxy.open(b"bytes"), ImageProxy)
    arrayproxy.open(3)  # type: ignore[arg-type]
    arrayproxy.open(path, no_such=1)  # type: ignore[call-arg]
    arrayproxy.open(path, threads="two")  # type: ignore[arg-type]
    arrayproxy.open(path, codec="lzma")  # type: ignore[arg-type]
    assert_type(image.shape, tuple[int, ...])
    assert_type(image.dtype, np.dtype[Any])
    assert_type(image.affine, npt.NDArray[np.float64])
    assert_type(image.get_affine("qform"), tuple[npt.NDArray[np.float64], int])
    image.get_affine("other")  # type: ignore[arg-type]
    image.affine = np.eye(4)  # type: ignore[misc]
    assert_type(image.field("dim"), int | float | str | list[int] | list[float])
    assert_type(image.extensions, list[tuple[int, bytes]])
    assert_type(image.format, str)


def indexed(image: ImageProxy, proxy: ArrayProxy) -> None:
    assert_type(image[..., 0], Array)
    assert_type(image[1:3], Array)
    assert_type(image[::2, None, np.int64(3)], Array)
    assert_type(proxy[..., 0], Array)
    # Whether this is all of the axes, hints cannot know; NumPy's neither.
    assert_type(image[1, 2, 3], Any)
    assert_type(proxy[0], Any)
    image["x"]  # type: ignore[call-overload]
    image[[1, 2]]  # type: ignore[call-overload]
    image[1.5]  # type: ignore[call-overload]
    proxy[0, "x"]  # type: ignore[index]
    assert_type(len(image), int)
    assert_type(iter(image), Iterator[Any])


def as_arrays(image: ImageProxy, proxy: ArrayProxy) -> None:
    assert_type(np.asarray(image), Array)
    assert_type(np.asarray(proxy), Array)
    assert_type(np.asarray(image, np.float32), npt.NDArray[np.float32])
    assert_type(image.get_unscaled(), Array)
    assert_type(proxy.get_unscaled(), Array)


def read(image: ImageProxy, proxy: ArrayProxy) -> None:
    assert_type(image.read(), Array)
    assert_type(image.read((..., 1), order="C", raw=True), Array)
    assert_type(image.read(dtype="float32"), Array)
    assert_type(image.read(dtype=np.float32), npt.NDArray[np.float32])
    assert_type(proxy.read((..., 1), dtype=np.dtype(np.int16)), npt.NDArray[np.int16])
    assert_type(image.read((1, 2, 3)), Any)
    room = np.empty((3, 4), np.float32)
    assert_type(image.read((..., 1), out=room), np.ndarray[tuple[int, int], np.dtype[np.float32]])
    image.read(progress=lambda done, total: done > 5)
    image.read(progress=True)
    image.read(progress="bar")  # type: ignore[call-overload]
    image.read(order="A")  # type: ignore[call-overload]
    image.read(out=[1, 2])  # type: ignore[call-overload]


def reshaped(image: ImageProxy, proxy: ArrayProxy) -> None:
    assert_type(image.reshape(-1, 4), ImageProxy)
    assert_type(image.reshape((-1, 4)), ImageProxy)
    assert_type(image.reshape(np.int64(7), 4), ImageProxy)
    assert_type(image.slice((slice(1, 5), ..., 2)), ImageProxy)
    assert_type(proxy.reshape((-1, 4)), ArrayProxy)
    assert_type(proxy.copy(), ArrayProxy)
    image.reshape("x", 1)  # type: ignore[call-overload]
    image.slice("x")  # type: ignore[arg-type]


def of_a_layout(path: str, file: BinaryIO) -> None:
    assert_type(ArrayProxy(path, ((3, 4), "i2")), ArrayProxy)
    assert_type(ArrayProxy(path, ((3, 4), "i2")).offset, int)
    ArrayProxy(file, ([3, 4], np.int16, 352, 0.5, np.float32(2)), mmap="r", order="C")
    ArrayProxy(path, ((3, 4),))  # type: ignore[arg-type]
    ArrayProxy(path, ((3, 4), "i2"), mmap="w")  # type: ignore[arg-type]
    ArrayProxy(7, ((3, 4), "i2"))  # type: ignore[arg-type]


def failed(path: Path) -> None:
    try:
        arrayproxy.open(path)
    except arrayproxy.FileMissingError as error:
        assert_type(error.name, str)
        assert_type(error.errno, int | None)


def of_nibabel() -> None:
    import nibabel
    from nibabel.nifti1 import Nifti1Header

    import arrayproxy.nibabel

    arrayproxy.nibabel.enable()
    header = Nifti1Header()  # type: ignore[no-untyped-call]
    ArrayProxy("a.nii", header)
    assert_type(arrayproxy.is_proxy(nibabel.load("a.nii")), bool)


if __name__ == "__main__":
    # What the hints say holds when the code runs.
    proxy = arrayproxy.open(sys.argv[1])
    other = ArrayProxy(sys.argv[1], ((2, 3, 4), np.uint8))
    for found in (proxy[..., 0], np.asarray(proxy), proxy.read(dtype=np.float32), other[..., 0]):
        assert isinstance(found, np.ndarray)
    assert isinstance(proxy.reshape(-1), ImageProxy) and isinstance(other.copy(), ArrayProxy)
    assert isinstance(proxy.field("dim"), list) and isinstance(proxy.affine, np.ndarray)
