"""Checks that many tests share: one proxy against the elements that were written."""

import numpy as np
import pytest

import model
from capi import ApError
from compare import assert_same
from eltypes import TYPES
from indices import nibabel_reads, random_index
from second import assert_agrees, has_opinion


def fails(name, function, *arguments, **options):
    """The message of the error of that name that a call gives."""
    with pytest.raises(ApError) as caught:
        function(*arguments, **options)
    assert caught.value.name == name, caught.value
    return caught.value.message


def check_description(proxy, name, shape, scaling):
    """Shape, types and factors as the proxy tells them."""
    assert proxy.shape == shape
    assert proxy.type == name
    assert proxy.factors == (scaling.slope * scaling.more, scaling.inter)
    few = model.expected(name, np.zeros(1, TYPES[name].dtype), scaling)
    assert proxy.auto_dtype == few.dtype


def check_whole(proxy, name, stored, scaling, requested=None, second=None, context=""):
    """Whole reads of one type in both orders, and NiBabel's opinion if it has one."""
    want = model.expected(name, stored, scaling, requested)
    context = f"{context} as {requested}"
    # Nothing was computed: payloads of NaN must be kept.
    kept = requested == "disk" or (scaling.neutral and want.dtype == stored.dtype)
    for order in "FC":
        got = proxy.read_all(requested, order=order)
        assert_same(got, want, f"{context} order {order}", exact_nan=kept)
    if second is None or not has_opinion(name, scaling) or 0 in stored.shape:
        return  # [BUG] whole reads of no elements lose their shape: semantics 4
    if requested == "disk" or TYPES[name].is_rgb:
        # Some of its proxies do not give what is stored.
        ask = getattr(second, "get_unscaled", None)
        if TYPES[name].kind != "bool" and ask:
            theirs = np.asarray(ask())
            assert_same(got, theirs, f"{context} NiBabel", exact_nan=True)
    else:
        assert_agrees(got, second, name, scaling, requested, context)


def check_indices(proxy, name, stored, scaling, rng, count, second=None, requested=None):
    """Random parts, each in a random order, against NumPy's indexing."""
    whole = model.expected(name, stored, scaling, requested)
    ask = has_opinion(name, scaling) and requested is None and TYPES[name].kind != "bool"
    for _ in range(count):
        index = random_index(rng, stored.shape)
        want = np.asarray(whole[index])
        order = "FC"[rng.integers(2)]
        context = f"[{index}] order {order}"
        assert proxy.slice_shape(index) == want.shape, context
        got = proxy.read(index, requested, order=order)
        assert_same(got, want, context)
        if second is not None and ask and nibabel_reads(index, stored.shape):
            theirs = np.asarray(second[index])
            if theirs.dtype.kind != "c":  # compared whole, as signs of zero may differ
                assert_same(got, theirs, f"{context} NiBabel")
