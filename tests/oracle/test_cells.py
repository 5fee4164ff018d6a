"""Each format with each type, plain and gzip. The case's name is the table's cell."""

import zlib

import nibabel
import numpy as np
import pytest
from nibabel.arrayproxy import ArrayProxy

from capi import BIG, LITTLE, lib
from checks import check_description, check_indices, check_whole
from eltypes import NIFTI_TYPES, TYPES, file_bytes, values
from gzips import GZIPS
from model import Scaling
from nifti import Nifti
from proxy import Proxy

SHAPE = (7, 4, 5, 3)
CODECS = ["plain", "gzip"]


def _seed(*words):
    return zlib.crc32("-".join(words).encode())


def _check(proxy, name, stored, second, seed, codec):
    rng = np.random.default_rng(seed)
    check_description(proxy, name, SHAPE, Scaling())
    assert lib().ap_codec(proxy.handle) == (b"gzip" if codec == "gzip" else b"none")
    for requested in (None, "disk", name):
        check_whole(proxy, name, stored, Scaling(), requested, second)
    check_indices(proxy, name, stored, Scaling(), rng, 25, second)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", NIFTI_TYPES)
@pytest.mark.parametrize("format", ["nifti1", "nifti1-pair", "nifti2", "nifti2-pair"])
def test_nifti(format, name, codec, tmp_path):
    for byte_order in "<>":
        seed = _seed(format, name, codec, byte_order)
        file = Nifti(
            type=name,
            shape=SHAPE,
            version=int(format[5]),
            pair=format.endswith("pair"),
            byte_order=byte_order,
            gzip="single" if codec == "gzip" else None,
            seed=seed,
        )
        path = file.write(tmp_path, stem="little" if byte_order == "<" else "big")
        # NiBabel refuses 128-bit floats where longdouble is not binary128.
        second = None if TYPES[name].is_wide else nibabel.load(path).dataobj
        with Proxy.open(path) as proxy:
            assert lib().ap_format(proxy.handle) == format.encode()
            assert lib().ap_byte_order(proxy.handle) == (LITTLE if byte_order == "<" else BIG)
            assert lib().ap_data_offset(proxy.handle) == file.offset
            assert proxy.header == file.header()
            _check(proxy, name, file.stored(), second, seed, codec)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("name", list(TYPES))
def test_layout(name, codec, tmp_path):
    offset = 21
    for byte_order in "<>":
        for order in "FC":
            seed = _seed("layout", name, codec, byte_order, order)
            stored = values(name, int(np.prod(SHAPE)), seed).reshape(SHAPE)
            data = bytes(offset) + file_bytes(name, stored, order, byte_order)
            path = tmp_path / f"{ord(byte_order)}{order}.bin{'.gz' * (codec == 'gzip')}"
            path.write_bytes(GZIPS["single"](data) if codec == "gzip" else data)
            second = None
            if not TYPES[name].is_wide:
                dtype = TYPES[name].dtype.newbyteorder(byte_order)
                second = ArrayProxy(str(path), (SHAPE, dtype, offset), order=order)
            with Proxy.open_layout(path, name, SHAPE, order, byte_order, offset) as proxy:
                _check(proxy, name, stored, second, seed, codec)
