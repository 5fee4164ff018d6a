"""Deflate streams by the encoders that there are, which choose blocks, codes and
matches in ways of their own."""

import gzip
import shutil
import subprocess
import zlib

import deflate
import numpy as np
import pytest
import zopfli.gzip
from isal import isal_zlib
from zlib_ng import zlib_ng

from compare import assert_same
from nifti import Nifti
from proxy import Proxy

SHAPE = (40, 30, 25, 8)


def _values():
    """Elements from noise to nothing, as images have them."""
    rng = np.random.default_rng(11)
    x = np.arange(np.prod(SHAPE)).reshape(SHAPE, order="F")
    return {
        "noise": rng.integers(-(2**15), 2**15, SHAPE),
        "smooth": 900 + 300 * np.sin(x / 77) + rng.normal(0, 7, SHAPE),
        "labels": (x // 500 % 7) * (x // 20_000 % 2),
        "sparse": np.where(rng.random(SHAPE) < 0.01, 1000, 0),
        "steps": x // 8 % 4096,
        "zero": 0 * x,
    }


VALUES = {name: values.astype("<i2") for name, values in _values().items()}


def _strategy(which):
    """The strategies of zlib: RLE alone, codes alone, fixed codes."""

    def pack(data):
        encoder = zlib.compressobj(9, zlib.DEFLATED, 31, 9, which)
        return encoder.compress(data) + encoder.flush()

    return pack


def _small_window(data):
    encoder = zlib.compressobj(6, zlib.DEFLATED, 16 + 9, 1)
    return encoder.compress(data) + encoder.flush()


def _program(*command):
    def pack(data):
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    return pack


def _ways():
    for level in range(10):
        yield f"zlib-{level}", lambda data, level=level: gzip.compress(data, level, mtime=0)
        yield f"zlib-ng-{level}", lambda data, level=level: zlib_ng.compress(data, level, 31)
    for level in range(4):
        yield f"isal-{level}", lambda data, level=level: isal_zlib.compress(data, level, 31)
    for level in range(1, 13):
        yield (
            f"libdeflate-{level}",
            lambda data, level=level: bytes(deflate.gzip_compress(data, level)),
        )
    yield "zopfli", lambda data: zopfli.gzip.compress(data, numiterations=2)
    for name in ("Z_RLE", "Z_HUFFMAN_ONLY", "Z_FIXED", "Z_FILTERED"):
        yield f"zlib-{name}", _strategy(getattr(zlib, name))
    yield "zlib-window-512", _small_window
    # Where the programs are.
    for name, command in {
        "gzip": ["gzip", "-c"],
        "pigz": ["pigz", "-c"],
        "7z": ["7z", "a", "-tgzip", "-si", "-so", "-an", "-mx=9"],
    }.items():
        if shutil.which(command[0]):
            yield name, _program(*command)


WAYS = dict(_ways())


@pytest.mark.parametrize("way", WAYS)
def test_streams_of_encoders(way, tmp_path):
    for name, values in VALUES.items():
        file = Nifti(shape=SHAPE)
        plain = file.parts()[0][: file.offset] + values.tobytes("F")
        path = tmp_path / f"{name}.nii.gz"
        path.write_bytes(WAYS[way](plain))
        with Proxy.open(path, cache_bytes=0, index_spacing=65536) as proxy:
            assert_same(proxy.read_all("disk"), values)
            for t in (7, 0, 3):
                assert_same(proxy.read((..., t), "disk"), values[..., t])
