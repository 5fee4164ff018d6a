"""NiBabel, by one of three ways to decode gzip: its own (Python's gzip module),
indexed_gzip, or rapidgzip as the file below it.

Files stay open between reads. Slices as stored come from a proxy without
factors, so that no side converts what another does not.
"""

import os
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import nibabel
import numpy as np
from nibabel import _compression
from nibabel.arrayproxy import ArrayProxy
from nibabel.ecat import EcatImage
from server import Clock, boxes_of, index_of, serve

way = sys.argv[1]
name = f"NiBabel {nibabel.__version__}"
if way == "indexed_gzip":
    import indexed_gzip

    name += f" + indexed_gzip {indexed_gzip.__version__}"
elif way == "rapidgzip":
    import rapidgzip

    name += f" + rapidgzip {rapidgzip.__version__}"
else:
    _compression.HAVE_INDEXED_GZIP = False

made = {}


def open_file(file, args, index=None):
    """The file below NiBabel, with an index of the file's if one is given."""
    if way == "indexed_gzip":
        return indexed_gzip.IndexedGzipFile(file, index_file=index)
    opened = rapidgzip.open(file, parallelization=int(args.get("threads", 1)))
    if index:
        opened.import_index(index)
    return opened


def make_index(file, args, to):
    """Build an index to its end; the seconds are those of building alone."""
    with open_file(file, args) as opened, Clock() as clock:
        if way == "indexed_gzip":
            opened.build_full_index()
        else:
            opened.block_offsets()
        clock.__exit__()
        opened.export_index(to)
        seconds = clock.seconds
    return seconds


def index_for(file, args):
    """A file to load. An index in memory is one that was loaded before the
    clock started: both readers then hold all of it."""
    index = args.get("index", "none")
    if index == "memory":
        if file not in made:
            made[file] = os.path.join(tempfile.mkdtemp(prefix="index-"), "index")
            make_index(file, args, made[file])
        index = made[file]
    return None if index == "none" else index


def prepare(file, args):
    """What NiBabel opens: a path, or an open file with its index."""
    index = index_for(file, args)
    if way == "nibabel" or (way == "indexed_gzip" and not index):
        return file
    return open_file(file, args, index)


def image_of(prepared):
    if isinstance(prepared, str):
        if prepared.endswith(".v"):  # which nibabel.load does not know
            return EcatImage.load(prepared)
        kept = {"keep_file_open": True} if ".nii" in prepared or ".mgh" in prepared else {}
        return nibabel.load(prepared, **kept)
    files = nibabel.Nifti1Image.make_file_map({"image": prepared, "header": prepared})
    return nibabel.Nifti1Image.from_file_map(files)


def in_order(array, args):
    """With the first axis the fastest, which is the last of some formats."""
    return array.T if args.get("reversed") else array


def close(image):
    """rapidgzip ends the process if its threads are left to the end."""
    if "image" not in image.file_map:
        return
    opened = image.file_map["image"].fileobj
    if opened is not None:
        opened.close()


def proxy_of(image, args):
    proxy = image.dataobj
    if args.get("dtype", "disk") != "disk":
        return proxy
    spec = (proxy.shape, proxy.dtype, proxy.offset)
    return ArrayProxy(proxy.file_like, spec, keep_file_open=True)


def is_opened_before(args):
    """rapidgzip decodes ahead, on threads of its own, from the first byte on
    that is asked for, so that reading the header belongs to what is timed."""
    return args.get("open", "before") == "before" and way != "rapidgzip"


def open_work(file, args):
    times = int(args.get("times", 1))
    with Clock() as clock:
        for _ in range(times):
            close(image_of(prepare(file, args)))
    return clock.seconds / times, []


def whole(file, args):
    dtype = args.get("dtype", "disk")
    prepared = prepare(file, args)
    image = image_of(prepared) if is_opened_before(args) else None
    with Clock() as clock:
        image = image or image_of(prepared)
        if dtype == "disk":
            result = image.dataobj.get_unscaled()
        else:
            result = image.get_fdata(dtype=np.dtype(dtype), caching="unchanged")
        result = in_order(result, args)
        # What is not compressed is a map, of which nothing was read yet.
        if args.get("order") == "C":
            result = np.ascontiguousarray(result).T
        elif isinstance(result, np.memmap):
            result = np.array(result, result.dtype.newbyteorder("="))
    close(image)
    return clock.seconds, [result]


def slices(file, args):
    index = [index_of(box, args) for box in boxes_of(args["boxes"])]
    index = [entry[::-1] for entry in index] if args.get("reversed") else index
    when = args.get("open", "before")
    prepared = prepare(file, args) if when == "before" else None
    image = image_of(prepared) if is_opened_before(args) else None
    proxy = proxy_of(image, args) if image else None
    results = []
    for _ in range(int(args.get("again", 0))):
        [proxy[entry] for entry in index]
    with Clock() as clock:
        if "readers" in args:
            with ThreadPoolExecutor(int(args["readers"])) as pool:
                results = list(pool.map(proxy.__getitem__, index))
            index = []
        for entry in index:
            if image is None:
                image = image_of(prepared or prepare(file, args))
                proxy = proxy_of(image, args)
            results.append(in_order(proxy[entry], args))
            if when == "each":
                close(image)
                image = None
    if image:
        close(image)
    return clock.seconds, results


def build(file, args):
    with tempfile.TemporaryDirectory() as folder:
        return make_index(file, args, args.get("to", os.path.join(folder, "index"))), []


works = {"open": open_work, "whole": whole, "slices": slices, "build": build, "save": build}
serve(name, works)
