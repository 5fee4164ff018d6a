"""Arrays to and from NumPy by DLPack, as Python's libraries hand them on."""

import ctypes as c
import weakref

import numpy as np
import pytest

import capi
from arrays import Array, Image
from capi import ARRAY_READONLY, Error, check, lib
from checks import fails
from compare import assert_same
from eltypes import BY_CODE, NUMBERS, TYPES, native, values
from layouts import LayoutFile
from model import cast

python = c.pythonapi
python.PyCapsule_New.restype = c.py_object
python.PyCapsule_New.argtypes = [c.c_void_p, c.c_char_p, c.c_void_p]
python.PyCapsule_GetPointer.restype = c.c_void_p
python.PyCapsule_GetPointer.argtypes = [c.py_object, c.c_char_p]
python.PyCapsule_IsValid.argtypes = [c.py_object, c.c_char_p]
python.PyCapsule_SetName.argtypes = [c.py_object, c.c_char_p]

# Capsules keep the address of their names.
NAME, USED = b"dltensor_versioned", b"used_dltensor_versioned"
CPU = 1


class Tensor(c.Structure):
    pass


DELETER = c.CFUNCTYPE(None, c.POINTER(Tensor))
Tensor._fields_ = [
    ("major", c.c_uint32),
    ("minor", c.c_uint32),
    ("manager_ctx", c.c_void_p),
    ("deleter", DELETER),
    ("flags", c.c_uint64),
    ("data", c.c_void_p),
    ("device_type", c.c_int32),
    ("device_id", c.c_int32),
    ("ndim", c.c_int32),
    ("code", c.c_uint8),
    ("bits", c.c_uint8),
    ("lanes", c.c_uint16),
    ("shape", c.POINTER(c.c_int64)),
    ("strides", c.POINTER(c.c_int64)),
    ("byte_offset", c.c_uint64),
]


def _tensor(array):
    """A tensor of ours, which its consumer must delete."""
    out, error = c.c_void_p(), Error()
    check(lib().ap_array_to_dlpack(array.handle, c.byref(out), c.byref(error)), error)
    return out.value


class Exporter:
    """Hands on one tensor, as NumPy's from_dlpack wants it."""

    def __init__(self, array):
        self.capsule = python.PyCapsule_New(_tensor(array), NAME, None)

    def __dlpack_device__(self):
        return CPU, 0

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        assert max_version[0] >= 1
        return self.capsule

    @property
    def is_used(self):
        return bool(python.PyCapsule_IsValid(self.capsule, USED))


def _to_numpy(array):
    exporter = Exporter(array)
    out = np.from_dlpack(exporter)
    assert exporter.is_used
    return out


def _from_numpy(array):
    capsule = array.__dlpack__(max_version=(1, 0))
    pointer = python.PyCapsule_GetPointer(capsule, NAME)
    # A failure leaves the tensor to the capsule.
    out = Array(lib().ap_array_from_dlpack, pointer)
    assert python.PyCapsule_SetName(capsule, USED) == 0
    return out


def _bits(array):
    return np.ascontiguousarray(array).tobytes()


def test_struct():
    assert c.sizeof(Tensor) == 80


@pytest.mark.parametrize("order", "FC")
@pytest.mark.parametrize("type", NUMBERS)
def test_to_numpy(type, order):
    for shape in [(), (7,), (5, 4), (5, 4, 3, 2), (1, 3, 1)]:
        with Array.new(type, shape, order) as array:
            mine = array.numpy()
            count = int(np.prod(shape))
            mine[...] = native(type, values(type, count, 3)).reshape(shape)
            kept = mine.copy(order="K")
            theirs = _to_numpy(array)
            assert theirs.dtype == TYPES[type].dtype and theirs.shape == shape
            assert theirs.flags.writeable
            assert theirs.ctypes.data == array.address
            assert [s for s, n in zip(theirs.strides, shape) if n > 1] == [
                s for s, n in zip(array.strides, shape) if n > 1
            ]
        del mine
        # The memory lives on, and is theirs to write to.
        assert_same(theirs, kept)
        theirs[...] = np.zeros((), theirs.dtype)
        assert not any(_bits(theirs))


@pytest.mark.parametrize("type", NUMBERS)
def test_from_numpy(type):
    stored = native(type, values(type, 5 * 4 * 3 * 2, 9))
    base = stored.reshape(5, 4, 3, 2)
    views = {
        "C": base,
        "F": np.asfortranarray(base),
        "sliced": base[::2, 1:, ::-1],
        "transposed": base.transpose(2, 0, 3, 1),
        "dropped": base[3, :, 1],
        "scalar": base[1, 1, 1, 1:].reshape(()),
        "new axes": base[None, :, None],
        "broadcast": np.broadcast_to(base[:1], (3, 4, 3, 2)),
        "empty": base[:, 2:2],
    }
    for name, view in views.items():
        with _from_numpy(view) as array:
            assert array.type == type, name
            assert array.shape == view.shape, name
            assert bool(array.flags & ARRAY_READONLY) == (not view.flags.writeable), name
            if view.size:
                assert array.address == view.ctypes.data, name
                long = [k for k, n in enumerate(view.shape) if n > 1]
                assert [array.strides[k] for k in long] == [view.strides[k] for k in long]
            assert_same(array.numpy().copy(), np.array(view), name)


def test_writability():
    writable = np.arange(24, dtype="i4").reshape(4, 6)
    fixed = writable.copy()
    fixed.flags.writeable = False
    for source in (writable, fixed):
        with _from_numpy(source) as array:
            assert array.flags == (0 if source is writable else ARRAY_READONLY)
            back = _to_numpy(array)
        assert back.flags.writeable == source.flags.writeable
        assert back.ctypes.data == source.ctypes.data
        np.testing.assert_array_equal(back, source)
    back = None
    with _from_numpy(writable) as array:
        array.numpy()[1, 2] = -5
    assert writable[1, 2] == -5
    wrapped = np.zeros((3, 2), "f4", order="F")
    for flags in (0, ARRAY_READONLY):
        with Array.wrap(wrapped, "float32", flags) as array:
            assert _to_numpy(array).flags.writeable == (flags == 0)


def test_lifetimes():
    """Memory of NumPy's goes when our last handle has gone, and not before."""
    source = np.arange(1000.0)
    gone = weakref.ref(source)
    array = _from_numpy(source)
    clone, theirs = array.clone(), _to_numpy(array)
    del source
    array.free()
    assert gone() is not None
    clone.free()
    assert gone() is not None
    assert theirs.sum() == 499500
    del theirs
    assert gone() is None


def test_lifetimes_of_images():
    source = np.arange(24, dtype="i2").reshape(4, 3, 2)
    gone = weakref.ref(source)
    with _from_numpy(source) as array:
        image = Image.from_array(array)
    del source
    with image:
        data = image.data()
        wide = image.data("f8")
    assert gone() is not None
    data.free()
    assert gone() is None
    theirs = _to_numpy(wide)
    wide.free()
    np.testing.assert_array_equal(theirs, np.arange(24.0).reshape(4, 3, 2))


def test_many_times():
    """Tensors of one array, each with an end of its own."""
    source = np.arange(60, dtype="u2")
    gone = weakref.ref(source)
    with _from_numpy(source) as array:
        every = [_to_numpy(array) for _ in range(50)]
    del source
    for one in every:
        assert one[7] == 7
    del one
    while every:
        assert gone() is not None
        every.pop()
    assert gone() is None


def test_of_files(tmp_path):
    """Loaded arrays may be written to, views of the file may not."""
    file = LayoutFile("float32", (6, 5, 4), "<", offset=64)
    want = file.stored()
    with file.open(file.write(tmp_path), mmap=2) as proxy:
        index = (slice(None, None, -2), 1, slice(1, None))
        loaded, seen = Array.load(proxy, index), Array.view_of(proxy, index)
        private = Array.view_of(proxy, index, capi.READ_PRIVATE)
        narrow = Array.load(proxy, index, "i2", capi.READ_C)
    with loaded, seen, private, narrow:
        arrays = [_to_numpy(a) for a in (loaded, seen, private, narrow)]
    assert [a.flags.writeable for a in arrays] == [True, False, True, True]
    for one in arrays[:3]:
        assert_same(np.array(one), want[index])
    assert_same(np.array(arrays[3]), cast(want[index], "i2"))
    arrays[2][...] = 1
    assert_same(np.array(arrays[1]), want[index])


@pytest.mark.parametrize("type", [name for name in TYPES if name not in NUMBERS])
def test_types_that_have_no_tensor(type):
    with Array.new(type, (3, 2)) as array:
        fails("AP_ERR_UNSUPPORTED", _tensor, array)


def test_odd_strides():
    fields = np.zeros((4, 3), np.dtype([("a", "u1"), ("b", "i4")]))
    with Array.wrap(fields["b"], "int32") as array:
        fails("AP_ERR_UNSUPPORTED", _tensor, array)


def _read(pointer):
    return c.cast(pointer, c.POINTER(Tensor)).contents


@pytest.mark.parametrize("type", NUMBERS)
def test_as_numpy_describes_it(type):
    """Our tensor of an array says what NumPy's says."""
    codes = {"int": 0, "uint": 1, "float": 2, "complex": 5, "bool": 6}
    source = np.zeros((5, 4, 3), TYPES[type].dtype)[::2, :, ::-1]
    capsule = source.__dlpack__(max_version=(1, 0))
    theirs = _read(python.PyCapsule_GetPointer(capsule, NAME))
    with Array.wrap(source, type) as array:
        pointer = _tensor(array)
    ours = _read(pointer)
    for name in ("major", "device_type", "device_id", "ndim", "code", "bits", "lanes"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.code == codes[BY_CODE[TYPES[type].code].kind]
    assert ours.shape[:3] == theirs.shape[:3]
    assert ours.strides[:3] == theirs.strides[:3]
    assert ours.data + ours.byte_offset == theirs.data + theirs.byte_offset
    assert ours.flags & 1 == theirs.flags & 1 == 0
    ours.deleter(c.cast(pointer, c.POINTER(Tensor)))


@pytest.mark.parametrize(
    "change",
    [
        {"lanes": 2},
        {"code": 4, "bits": 16},
        {"code": 3},
        {"code": 10, "bits": 8},
        {"bits": 4},
        {"bits": 24},
        {"major": 2},
        {"major": 0},
        {"device_type": 2},
        {"device_type": 8},
    ],
    ids=str,
)
def test_refused_tensors(change):
    """A failure leaves the tensor, and its memory, to the caller."""
    source = np.arange(12, dtype="i4")
    gone = weakref.ref(source)
    capsule = source.__dlpack__(max_version=(1, 0))
    pointer = python.PyCapsule_GetPointer(capsule, NAME)
    tensor = _read(pointer)
    kept = {name: getattr(tensor, name) for name in change}
    for name, value in change.items():
        setattr(tensor, name, value)
    for _ in range(3):
        fails("AP_ERR_UNSUPPORTED", Array, lib().ap_array_from_dlpack, pointer)
    for name, value in kept.items():
        setattr(tensor, name, value)
    del source
    assert gone() is not None
    with Array(lib().ap_array_from_dlpack, pointer) as array:
        python.PyCapsule_SetName(capsule, USED)
        np.testing.assert_array_equal(array.numpy(), np.arange(12))
    assert gone() is None


@pytest.mark.parametrize("device", [1, 3, 11, 13])
def test_memory_that_the_processor_can_read(device):
    source = np.arange(12, dtype="i4")
    capsule = source.__dlpack__(max_version=(1, 0))
    pointer = python.PyCapsule_GetPointer(capsule, NAME)
    _read(pointer).device_type = device
    with Array(lib().ap_array_from_dlpack, pointer) as array:
        python.PyCapsule_SetName(capsule, USED)
        np.testing.assert_array_equal(array.numpy(), source)


def test_packed_if_no_strides_are_given():
    source = np.arange(24, dtype="i4").reshape(4, 3, 2)
    capsule = source.__dlpack__(max_version=(1, 0))
    pointer = python.PyCapsule_GetPointer(capsule, NAME)
    tensor = _read(pointer)
    kept = c.cast(tensor.strides, c.c_void_p).value
    tensor.strides = None
    tensor.byte_offset = 4
    tensor.shape[0] = 3
    with Array(lib().ap_array_from_dlpack, pointer) as array:
        python.PyCapsule_SetName(capsule, USED)
        assert array.strides == (24, 8, 4)
        assert array.address == source.ctypes.data + 4
        assert _bits(array.numpy()) == _bits(np.arange(1, 19, dtype="i4"))
        # For NumPy's own deleter, whatever it does with it.
        tensor.strides = c.cast(kept, c.POINTER(c.c_int64))
