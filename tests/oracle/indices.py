"""Random basic indices, and which of them NiBabel reads rightly."""

import numpy as np


def _bound(rng, n):
    """A start or stop: none, inside, or beyond either end."""
    return None if rng.random() < 0.3 else int(rng.integers(-n - 3, n + 4))


def _step(rng):
    return rng.choice([None, 1, 1, 2, 3, 7, -1, -2, -5])


def random_index(rng, shape):
    """An index that NumPy takes for an array of this shape."""
    out = []
    axes = list(shape[: rng.integers(0, len(shape) + 1)])
    gap = rng.integers(0, len(axes) + 1) if rng.random() < 0.5 else None
    if gap is not None:
        # The ellipsis stands for the axes left out, so those after it are the last.
        axes = axes[:gap] + list(shape[len(shape) - (len(axes) - gap) :])
    for i, n in enumerate(axes + [None]):
        if i == gap:
            out.append(Ellipsis)
        while rng.random() < 0.1 and len(out) < 12:
            out.append(None)
        if n is None:
            break
        if n > 0 and rng.random() < 0.35:
            out.append(int(rng.integers(-n, n)))
        elif rng.random() < 0.2:
            out.append(slice(None))
        else:
            step = _step(rng)
            out.append(slice(_bound(rng, n), _bound(rng, n), step and int(step)))
    return tuple(out)


def index_outside(rng, shape):
    """An index with one integer out of bounds, all else as above."""
    axis = int(rng.integers(len(shape)))
    n = shape[axis]
    beyond = [n, n + 1, -n - 1, -2 * n - 1, 2**62, -(2**63) + 1, 2**63 - 1]
    before = tuple(slice(None) if n == 0 else -1 for n in shape[:axis])
    return (*before, int(rng.choice(np.array(beyond))), *[...] * int(rng.integers(2)))


def nibabel_reads(index, shape):
    """Whether NiBabel's answer is right: semantics 6.1, its [BUG] cases left out."""
    used = iter(shape)
    left = len(shape) - sum(i is not None and i is not Ellipsis for i in index)
    for item in index:
        if item is None:
            continue
        if item is Ellipsis:
            for _ in range(left):
                next(used)
            continue
        n = next(used)
        if isinstance(item, slice):
            if any(b is not None and b < -n for b in (item.start, item.stop)):
                return False  # [BUG] bounds below -n are not clamped
    return 0 not in np.empty(shape, "V0")[index].shape  # [BUG] empty results
