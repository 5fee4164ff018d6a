"""The checksum of results, as server.h has it: sum = sum * K + (word ^ word >> 32),
mod 2^64. The shift is for floats, whose low bits are mostly 0.

NumPy has no such loop, so a block of words at a time is weighed with powers of
K, which gives the same.
"""

import numpy as np

K = 0x9E3779B97F4A7C15
BLOCK = 1 << 16
# Made by products that wrap, K^(BLOCK-1) first.
POWERS = np.cumprod(np.array([1] + [K] * (BLOCK - 1), np.uint64))[::-1].copy()


def words_of(array):
    """The bytes of an array in the order of memory, as words and what is left."""
    array = np.asarray(array)
    if not array.flags.f_contiguous:
        array = np.asfortranarray(array)
    data = array.reshape(-1, order="F").view(np.uint8)
    whole = len(data) // 8 * 8
    return data[:whole].view(np.uint64), data[whole:]


def checksum(arrays):
    """Of arrays, each in column-major order, one after the other."""
    total = 0
    for array in arrays:
        words, rest = words_of(array)
        if len(rest):
            words = np.append(words, np.frombuffer(rest.tobytes().ljust(8, b"\0"), np.uint64))
        for at in range(0, len(words), BLOCK):
            block = words[at : at + BLOCK]
            block = block ^ (block >> np.uint64(32))
            weighed = int((block * POWERS[BLOCK - len(block) :]).sum(dtype=np.uint64))
            total = (total * pow(K, len(block), 1 << 64) + weighed) % (1 << 64)
    return total
