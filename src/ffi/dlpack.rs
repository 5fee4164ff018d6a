//! Arrays to and from other libraries, by DLPack 1.0 (dlpack.h).

use std::ffi::c_void;

use super::array::{ap_array, array_of};
use super::guard::{call, handle, place};
use super::status::{AP_OK, ap_error, ap_status};
use crate::error::{Error, ErrorKind, Result};
use crate::{Access, Array, DType, Kind, MAX_NDIM, Order, Strides};

/// The major version that is read and written.
const MAJOR: u32 = 1;

/// Kinds of elements.
const INT: u8 = 0;
const UINT: u8 = 1;
const FLOAT: u8 = 2;
const COMPLEX: u8 = 5;
const BOOL: u8 = 6;

/// Memory of the CPU, and kinds of memory that it can read as well: pinned for
/// CUDA and for ROCm, and managed by CUDA.
const CPU: i32 = 1;
const READABLE: [i32; 4] = [CPU, 3, 11, 13];

const READ_ONLY: u64 = 1;

#[repr(C)]
#[derive(Clone, Copy)]
struct Version {
    major: u32,
    minor: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Device {
    kind: i32,
    id: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Type {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct Tensor {
    data: *mut c_void,
    device: Device,
    ndim: i32,
    dtype: Type,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

/// DLPack's tensor.
#[repr(C)]
pub struct DLManagedTensorVersioned {
    version: Version,
    manager_ctx: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut DLManagedTensorVersioned)>,
    flags: u64,
    tensor: Tensor,
}

/// A tensor that was handed out, with all that it points to. The tensor stands
/// first.
#[repr(C)]
struct Given {
    managed: DLManagedTensorVersioned,
    shape: Vec<i64>,
    strides: Vec<i64>,
    _array: Array,
}

/// # Safety
/// `managed` is one of [`Given`], and is not used any more.
unsafe extern "C" fn delete(managed: *mut DLManagedTensorVersioned) {
    // SAFETY: the caller's promise; it was made from a box.
    unsafe { super::guard::free(managed.cast::<Given>()) }
}

/// Another library's tensor, which is the array's.
struct Taken(*mut DLManagedTensorVersioned);

// SAFETY: DLPack's deleters may be called on any thread, and the tensor itself
// is not looked at any more.
unsafe impl Send for Taken {}
// SAFETY: as above; nothing but dropping uses it.
unsafe impl Sync for Taken {}

impl Drop for Taken {
    fn drop(&mut self) {
        // SAFETY: it was taken over, and this is its end.
        unsafe {
            if let Some(deleter) = (*self.0).deleter {
                deleter(self.0);
            }
        }
    }
}

fn type_of(dtype: DType) -> Result<Type> {
    let code = match (dtype, dtype.kind()) {
        (DType::Float128 | DType::Complex256, _) | (_, Kind::Rgb) => {
            let text = format!("DLPack has no type for elements of type {dtype}");
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        (_, Kind::Int) => INT,
        (_, Kind::UInt) => UINT,
        (_, Kind::Float) => FLOAT,
        (_, Kind::Complex) => COMPLEX,
        (_, Kind::Bool) => BOOL,
    };
    Ok(Type {
        code,
        bits: 8 * dtype.size() as u8,
        lanes: 1,
    })
}

fn dtype_of(found: Type) -> Result<DType> {
    let same = |dtype: &DType| {
        type_of(*dtype).is_ok_and(|of| (of.code, of.bits) == (found.code, found.bits))
    };
    let dtype = DType::all().find(same).filter(|_| found.lanes == 1);
    dtype.ok_or_else(|| {
        let Type { code, bits, lanes } = found;
        let text = format!("the tensor's type has code {code}, {bits} bits and {lanes} lanes");
        Error::new(ErrorKind::Unsupported, text)
    })
}

/// Hand the memory to another library, by DLPack 1.0. The tensor keeps it
/// alive by itself; its consumer calls the tensor's deleter. `array` still has
/// to be freed. Strides are in elements, the data pointer is NULL if there
/// are none, and the read-only flag follows `AP_ARRAY_READONLY`. RGB, floats
/// of 128 bits, elements that are not aligned and strides that are no multiple
/// of the element size give `AP_ERR_UNSUPPORTED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_to_dlpack(
    array: *const ap_array,
    tensor: *mut *mut DLManagedTensorVersioned,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(tensor, "tensor")?;
            let array = array_of(array)?;
            let dtype = type_of(array.dtype())?;
            let item = array.dtype().size() as i64;
            let mut strides = Vec::with_capacity(array.strides().len());
            for (axis, &stride) in array.strides().iter().enumerate() {
                if stride % item != 0 && array.shape()[axis] > 1 {
                    let text = format!(
                        "the stride of axis {axis} is {stride} bytes, no multiple of {item}"
                    );
                    return Err(Error::new(ErrorKind::Unsupported, text));
                }
                strides.push(stride / item);
            }
            let unit = match dtype.code {
                COMPLEX => item as usize / 2,
                _ => item as usize,
            };
            if array.as_ptr() as usize % unit != 0 && !array.shape().contains(&0) {
                let text = format!("the elements are not aligned to {unit} bytes");
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            let data = match array.shape().contains(&0) {
                true => std::ptr::null_mut(),
                false => array.as_ptr().cast(),
            };
            let mut given = Box::new(Given {
                managed: DLManagedTensorVersioned {
                    version: Version {
                        major: MAJOR,
                        minor: 0,
                    },
                    manager_ctx: std::ptr::null_mut(),
                    deleter: Some(delete),
                    flags: if array.access().readonly {
                        READ_ONLY
                    } else {
                        0
                    },
                    tensor: Tensor {
                        data,
                        device: Device { kind: CPU, id: 0 },
                        ndim: array.shape().len() as i32,
                        dtype,
                        shape: std::ptr::null_mut(),
                        strides: std::ptr::null_mut(),
                        byte_offset: 0,
                    },
                },
                shape: array.shape().to_vec(),
                strides,
                _array: array.clone(),
            });
            given.managed.tensor.shape = given.shape.as_mut_ptr();
            given.managed.tensor.strides = given.strides.as_mut_ptr();
            *place = Box::into_raw(given).cast();
            Ok(AP_OK)
        })
    }
}

/// Take over another library's tensor: the array's on success, still the
/// caller's on failure. Major versions other than 1, memory that the CPU
/// cannot read, and types that the library does not have give
/// `AP_ERR_UNSUPPORTED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ap_array_from_dlpack(
    tensor: *mut DLManagedTensorVersioned,
    array: *mut *mut ap_array,
    err: *mut ap_error,
) -> ap_status {
    // SAFETY: pointers are NULL or valid, as the header asks.
    unsafe {
        call(err, || {
            let place = place(array, "array")?;
            // Of other versions nothing else can be relied on.
            let version = handle(tensor.cast::<Version>().cast_const(), "tensor")?.major;
            if version != MAJOR {
                let text = format!("the tensor is of DLPack {version}, wanted {MAJOR}");
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            let managed = handle(tensor.cast_const(), "tensor")?;
            let access = Access {
                readonly: managed.flags & READ_ONLY != 0,
                mapped: false,
            };
            let found = &managed.tensor;
            if !READABLE.contains(&found.device.kind) {
                let text = format!("the tensor is on a device of kind {}", found.device.kind);
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            let dtype = dtype_of(found.dtype)?;
            let (shape, strides) = axes_of(found, dtype)?;
            if found.data.is_null() && !shape.contains(&0) {
                let text = "the tensor has elements, but no data";
                return Err(Error::new(ErrorKind::Argument, text));
            }
            let offset = usize::try_from(found.byte_offset).map_err(|_| {
                Error::new(ErrorKind::Argument, "the tensor's byte_offset is too large")
            })?;
            let first = found.data.cast::<u8>().wrapping_add(offset);
            let keeper = || Taken(tensor);
            let strides = match &strides {
                Some(strides) => Strides::Of(strides),
                None => Strides::Packed(Order::C),
            };
            let taken = Array::from_raw(keeper, first, dtype, &shape, strides, access)?;
            *place = ap_array::boxed(taken);
            Ok(AP_OK)
        })
    }
}

/// Shape, and strides in bytes, of a tensor; `None` if it is packed.
///
/// # Safety
/// `tensor` points to as many lengths and strides as it says, or to none.
unsafe fn axes_of(tensor: &Tensor, dtype: DType) -> Result<(Vec<i64>, Option<Vec<i64>>)> {
    let wrong = |text: String| Err(Error::new(ErrorKind::Argument, text));
    let ndim = match usize::try_from(tensor.ndim) {
        Ok(ndim) if ndim <= MAX_NDIM => ndim,
        _ => return wrong(format!("the tensor has {} axes", tensor.ndim)),
    };
    if ndim == 0 {
        return Ok((Vec::new(), None));
    }
    if tensor.shape.is_null() {
        return wrong("the tensor has axes, but no shape".into());
    }
    // SAFETY: the caller's promise.
    let shape = unsafe { std::slice::from_raw_parts(tensor.shape, ndim) }.to_vec();
    // What has none is packed, row-major.
    if tensor.strides.is_null() {
        return Ok((shape, None));
    }
    // SAFETY: the caller's promise.
    let strides = unsafe { std::slice::from_raw_parts(tensor.strides, ndim) };
    let item = dtype.size() as i64;
    let mut bytes = Vec::with_capacity(ndim);
    for (axis, &stride) in strides.iter().enumerate() {
        match stride.checked_mul(item) {
            Some(stride) => bytes.push(stride),
            // Where there is no second element it has no meaning.
            None if shape[axis] < 2 => bytes.push(0),
            None => return wrong(format!("the stride of axis {axis} is {stride} elements")),
        }
    }
    Ok((shape, Some(bytes)))
}
