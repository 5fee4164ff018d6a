"""NiBabel with this package's proxies.

    import arrayproxy.nibabel
    arrayproxy.nibabel.enable()

From then on ``nibabel.load``, and ``load`` of NiBabel's modules, give images whose
``dataobj`` is an `arrayproxy.ArrayProxy` (NIfTI, Analyze, SPM, MGH, CIFTI-2, and AFNI without
factors) or a `FileProxy` (AFNI, ECAT, PAR/REC, MINC 1 and 2).

A `FileProxy` reads the header when the image is loaded, to see that it means what NiBabel
says; no file stays open. NiBabel's proxy stays where it does not: where shape, type, or the
place of any image or frame differ, as in PAR/REC whose lines are not in the order of their
images; and where files are objects or bear names of their own, or MINC has something to
warn of. Of MINC the header is the library's, too, since NiBabel's reads all of MINC 1.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from nibabel.analyze import AnalyzeImage
from nibabel.brikhead import AFNIArrayProxy, AFNIImage
from nibabel.ecat import BLOCK_SIZE, EcatImage, EcatImageArrayProxy
from nibabel.fileholders import FileHolder
from nibabel.freesurfer.mghformat import MGHImage
from nibabel.minc1 import Minc1Image, MincImageArrayProxy
from nibabel.minc2 import Minc2Image
from nibabel.openers import Opener
from nibabel.parrec import PARRECArrayProxy, PARRECImage

from . import _spec
from ._errors import ArrayProxyError
from ._image import ImageProxy
from ._spec import ArrayProxy


class FileProxy(ImageProxy):
    """The array of an image file in the place of NiBabel's proxy."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what is stored, as NiBabel's proxies have it."""
        return self.disk_dtype


def _frames(image: Any) -> npt.NDArray[np.int64]:
    """Where frames begin, in the order of their ids; of those of one id the first alone."""
    rows = np.asarray(image.get_mlist(), np.int64)
    ids, first = np.unique(rows[:, 0], return_index=True)
    begins: npt.NDArray[np.int64] = rows[first[ids > 0], 1] * BLOCK_SIZE
    return begins


def _images(image: Any) -> npt.NDArray[np.int64]:
    """Where images begin, in the order that NiBabel's header gives them."""
    order = np.asarray(image.header.get_sorted_slice_indices(), np.int64)
    size: int = math.prod(image.shape[:2]) * image.get_data_dtype().itemsize
    return order * size


class _Format(NamedTuple):
    name: str
    proxy: type
    options: frozenset[str] = frozenset({"mmap", "keep_file_open"})
    # Bytes at which parts begin, and how many axes a part has.
    begins: Callable[[Any], npt.NDArray[np.int64]] | None = None
    axes: int = 0


_PARREC = frozenset({"mmap", "scaling", "strict_sort", "permit_truncated"})
_FORMATS: dict[type, _Format] = {
    AFNIImage: _Format("afni", AFNIArrayProxy),
    EcatImage: _Format("ecat", EcatImageArrayProxy, begins=_frames, axes=3),
    PARRECImage: _Format("parrec", PARRECArrayProxy, _PARREC, _images, 2),
    Minc1Image: _Format("minc1", MincImageArrayProxy),
    Minc2Image: _Format("minc2", MincImageArrayProxy),
}
_own_loaders: dict[Any, Any] = {image: vars(image)["from_file_map"] for image in _FORMATS}
_own_proxies: dict[Any, Any] = {image: image.ImageArrayProxy for image in (AnalyzeImage, MGHImage)}


def enable() -> None:
    """Make images that are loaded from now on have this package's proxies."""
    for image in _own_proxies:
        image.ImageArrayProxy = ArrayProxy
    for image, own in _own_loaders.items():
        image.from_file_map = _loader(own.__func__, _FORMATS[image])


def disable() -> None:
    """Make them have NiBabel's again."""
    for image, proxy in _own_proxies.items():
        image.ImageArrayProxy = proxy
    for image, own in _own_loaders.items():
        image.from_file_map = own


def _loader(own: Callable[..., Any], format: _Format) -> object:
    """NiBabel's loader of a format, with another proxy in the image where it may be."""

    def from_file_map(klass: Any, file_map: Mapping[str, FileHolder], **options: Any) -> Any:
        if klass.ImageArrayProxy is not format.proxy or not options.keys() <= format.options:
            return own(klass, file_map, **options)
        if format.proxy is MincImageArrayProxy:
            # NiBabel's loader reads all of MINC 1.
            image = _image_of(klass, _opened(format, file_map, options), file_map)
            return own(klass, file_map, **options) if image is None else image
        image = own(klass, file_map, **options)
        image._dataobj = _in_place_of(image._dataobj, image, format, options)
        return image

    loader: Any = functools.wraps(own)(from_file_map)
    return classmethod(loader)


def _opened(
    format: _Format, file_map: Mapping[str, FileHolder], options: Mapping[str, Any]
) -> FileProxy | None:
    """The array of the files that are named, if they are named and can be opened."""
    name = file_map["image"].filename
    if name is None or any(holder.fileobj is not None for holder in file_map.values()):
        return None
    keep = options.get("keep_file_open")
    settings: dict[str, Any] = {
        "format": format.name,
        "mmap": int(bool(options.get("mmap", True))),
        "keep_open": int(bool(_spec.KEEP_FILE_OPEN_DEFAULT if keep is None else keep)),
    }
    if format.options is _PARREC:
        settings["scaling"] = options.get("scaling", "dv")
        settings["sort"] = "strict" if options.get("strict_sort") else "plain"
        settings["truncated"] = int(bool(options.get("permit_truncated")))
    try:
        return FileProxy(os.path.abspath(name), settings, ())
    except ArrayProxyError:
        return None


def _image_of(klass: Any, ours: FileProxy | None, file_map: Mapping[str, FileHolder]) -> Any:
    """An image of MINC, if there is nothing to warn of, which NiBabel may refuse."""
    if ours is None or ours.warnings:
        return None
    header = klass.header_class(ours.disk_dtype, ours.shape, ours.zooms)
    return klass(ours, ours.affine, header, extra=None, file_map=file_map)


def _in_place_of(theirs: Any, image: Any, format: _Format, options: Mapping[str, Any]) -> Any:
    """A proxy for NiBabel's; that itself if ours would give other elements."""
    ours: Any
    if isinstance(theirs, AFNIArrayProxy) and theirs.scaling is None:
        spec = theirs.shape, theirs.dtype, theirs.offset
        ours = ArrayProxy(theirs.file_like, spec, **options)
    else:
        ours = _opened(format, image.file_map, options)
        if ours is None or not _agrees(ours, theirs, image, format):
            return theirs
    if isinstance(theirs, AFNIArrayProxy):
        ours.scaling = theirs.scaling
    if isinstance(getattr(theirs, "file_like", None), Opener):
        theirs.file_like.close_if_mine()
    return ours


def _agrees(ours: FileProxy, theirs: Any, image: Any, format: _Format) -> bool:
    """Whether it is the array that NiBabel's header describes."""
    if ours.shape != theirs.shape or ours.dtype != getattr(theirs, "dtype", ours.dtype):
        return False
    names = [os.fspath(image.file_map[key].filename) for key in ("header", "image")]
    if names[0] != names[1] and Path(names[0]).read_bytes() != ours.header:
        return False  # the library looked for the header by the image's name
    if format.begins is None:
        return True
    begins = format.begins(image)
    rest = ours.shape[format.axes :]
    if len(begins) != math.prod(rest):
        return False
    size = math.prod(ours.shape[: format.axes]) * ours.dtype.itemsize
    # The first axis of these moves fastest.
    places = (place[::-1] for place in np.ndindex(rest[::-1]))
    try:
        firsts = [ours.slice((0,) * format.axes + place).offset for place in places]
    except ArrayProxyError:  # there are no elements
        return False
    # Axes may go backwards: the first element lies anywhere in its part.
    return all(0 <= first - begin < size for first, begin in zip(firsts, begins))
