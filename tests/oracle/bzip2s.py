"""Bzip2 as different writers make it."""

import bz2

from gzips import uneven


def _streams(data):
    """Levels 1 to 5, and a stream without a block."""
    return b"".join(bz2.compress(piece, level) for level, piece in enumerate(uneven(data), 1))


def _parallel(data):
    """Streams of equal size, as parallel compressors make them."""
    pieces = (data[at : at + 20_000] for at in range(0, max(len(data), 1), 20_000))
    return b"".join(bz2.compress(piece) for piece in pieces)


BZIP2S = {
    "single": bz2.compress,
    "fast": lambda data: bz2.compress(data, 1),
    "streams": _streams,
    "parallel": _parallel,
    "empty-first": lambda data: bz2.compress(b"") + bz2.compress(data),
    "junk": lambda data: bz2.compress(data) + b"BZh9 no stream",
}
