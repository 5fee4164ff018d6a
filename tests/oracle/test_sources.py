"""The same values whichever way the bytes come and whatever the options."""

import ctypes as c

import numpy as np
import pytest

import capi
from capi import Error, check, lib
from checks import check_indices, check_whole
from compare import assert_same
from gzips import GZIPS
from model import expected
from nifti import Nifti
from proxy import Options, Proxy

SHAPE = (11, 7, 5, 3)


def _file(gzip, pair=False):
    return Nifti(
        type="int16", shape=SHAPE, byte_order=">", slope=0.5, inter=2.0, gzip=gzip, pair=pair
    )


def _check(proxy, file):
    rng = np.random.default_rng(1)
    check_indices(proxy, file.type, file.stored(), file.scaling, rng, 30)
    for requested in (None, "disk", "f4", "i1"):
        check_whole(proxy, file.type, file.stored(), file.scaling, requested)


@pytest.mark.parametrize("gzip", [None, "single", "members"])
@pytest.mark.parametrize(
    "options",
    [{"mmap": 0}, {"mmap": 1}, {"keep_open": 0}, {"mmap": 0, "keep_open": 0}, {"verify": 0}],
    ids=str,
)
def test_options(options, gzip, tmp_path):
    file = _file(gzip)
    with Proxy.open(file.write(tmp_path), **options) as proxy:
        _check(proxy, file)
        lib().ap_trim(proxy.handle)
        _check(proxy, file)


def test_forced_map_codec_and_format(tmp_path):
    file = _file(None)
    path = file.write(tmp_path)
    for options in ({"mmap": 2}, {"codec": "none"}, {"format": "nifti1"}, {"codec": "auto"}):
        with Proxy.open(path, **options) as proxy:
            _check(proxy, file)
    packed = _file("single")
    with Proxy.open(packed.write(tmp_path), codec="gzip") as proxy:
        _check(proxy, packed)


@pytest.mark.parametrize("gzip", [None, "single"])
@pytest.mark.parametrize("pair", [False, True], ids=["single", "pair"])
def test_memory(pair, gzip):
    file = _file(gzip, pair)
    pack = GZIPS[gzip] if gzip else bytes
    contents = [pack(part) for part in file.parts() if part is not None]
    with Proxy.open_source(*contents) as proxy:
        assert lib().ap_format(proxy.handle) == file.format.encode()
        _check(proxy, file)


class Served:
    """Bytes behind callbacks that count their calls and check their arguments."""

    def __init__(self, data, most=None):
        self.data, self.most, self.calls, self.released, self.bad = data, most, 0, 0, []
        self.functions = (
            capi.READ_AT_FN(self.read_at),
            capi.SIZE_FN(lambda user: len(self.data)),
            capi.RELEASE_FN(self.release),
        )

    def read_at(self, user, buffer, length, offset):
        self.calls += 1
        if user != 77 or offset > len(self.data):
            self.bad.append((user, length, offset))
        piece = self.data[offset : offset + length]
        c.memmove(buffer, piece, len(piece))
        return len(piece)

    def release(self, user):
        self.released += 1

    def source(self):
        handle, error = c.c_void_p(), Error()
        made = lib().ap_source_callbacks(*self.functions, 77, 0, c.byref(handle), c.byref(error))
        check(made, error)
        return handle


@pytest.mark.parametrize("gzip", [None, "single", "members"])
def test_callbacks(gzip):
    file = _file(gzip)
    served = Served(GZIPS[gzip](file.parts()[0]) if gzip else file.parts()[0])
    source = served.source()
    with Options() as options:
        proxy = Proxy(lib().ap_open_source, source, None, options)
    lib().ap_source_free(source)
    assert served.released == 0
    with proxy:
        _check(proxy, file)
        assert served.calls and not served.bad
    assert served.released == 1


def test_clones_and_reshapes_share_and_outlive(tmp_path):
    file = _file("single")
    stored, scaling = file.stored(), file.scaling
    first = Proxy.open(file.write(tmp_path))
    with first:
        second = Proxy(lambda out, error: _clone(first, out))
        third = first.reshape((77, -1))
    want = expected("int16", stored, scaling)
    with second, third:
        assert_same(second.read_all(), want)
        assert_same(third.read_all(), want.reshape((77, 15), order="F"))


def _clone(proxy, out):
    out._obj.value = lib().ap_clone(proxy.handle)
    return 0
