"""Each format with each type and each compression. The case's name is the table's cell."""

import zlib

import numpy as np
import pytest

from checks import check_description, check_indices, check_whole
from formats import FORMATS
from packings import CODECS, PACKINGS

SHAPE = (7, 4, 5, 3)
CELLS = [(format, name) for format, row in FORMATS.items() for name in row.types]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("format, name", CELLS)
def test_cell(format, name, codec, tmp_path):
    row = FORMATS[format]
    for byte_order in row.byte_orders:
        for order in "FC" if format == "layout" else "F":
            seed = zlib.crc32(f"{format}-{name}-{codec}-{byte_order}{order}".encode())
            what = {"order": order} if format == "layout" else {}
            file = row.file(name, SHAPE, byte_order, packing=codec, seed=seed, **what)
            path = file.write(tmp_path, stem=f"{ord(byte_order)}{order}")
            image = file.nibabel(path)
            second = image and image.dataobj
            with file.open(path) as proxy:
                assert proxy.format == format
                assert proxy.codec == PACKINGS[codec].codec
                # Formats with two factors keep the second, and some apply even factors of 1 and 0.
                scaling = file.scaling
                check_description(proxy, name, SHAPE, scaling)
                stored, rng = file.stored(), np.random.default_rng(seed)
                for requested in (None, "disk", name):
                    check_whole(proxy, name, stored, scaling, requested, second)
                check_indices(proxy, name, stored, scaling, rng, 25, second)
