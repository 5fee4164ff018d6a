/* The header by itself: included twice, as C and as C++; sizes, places and
 * values that never change. Nothing here calls the library. */
#include "arrayproxy.h"
#include "arrayproxy.h"

/* A size that is negative if the condition does not hold. */
#define HOLDS(name, condition) typedef char holds_##name[(condition) ? 1 : -1]
#define VALUE(name, value) typedef char value_of_##name[(name) == (value) ? 1 : -1]

HOLDS(status, sizeof(ap_status) == 4 && (ap_status)-1 < 0);
HOLDS(dtype, sizeof(ap_dtype) == 4 && (ap_dtype)-1 < 0);

HOLDS(error_size, sizeof(ap_error) == 512);
HOLDS(error_code, offsetof(ap_error, code) == 0);
HOLDS(error_os_error, offsetof(ap_error, os_error) == 4);
HOLDS(error_detail, offsetof(ap_error, detail) == 8);
HOLDS(error_message, offsetof(ap_error, message) == 16);

HOLDS(slice_size, sizeof(ap_slice) == 32);
HOLDS(slice_kind, offsetof(ap_slice, kind) == 0);
HOLDS(slice_start, offsetof(ap_slice, start) == 8);
HOLDS(slice_stop, offsetof(ap_slice, stop) == 16);
HOLDS(slice_step, offsetof(ap_slice, step) == 24);

HOLDS(version, AP_VERSION_NUMBER == AP_VERSION_MAJOR * 10000 + AP_VERSION_MINOR * 100 +
                                        AP_VERSION_PATCH);
VALUE(AP_ABI_VERSION, 0);

VALUE(AP_OPT_FORMAT, 1);
VALUE(AP_OPT_CODEC, 2);
VALUE(AP_OPT_MMAP, 3);
VALUE(AP_OPT_KEEP_OPEN, 4);
VALUE(AP_OPT_MAX_BYTES, 7);
VALUE(AP_OPT_VERIFY, 11);
VALUE(AP_OPT_STRICT, 12);
VALUE(AP_OPT_FACTOR_TYPE, 16);
VALUE(AP_SOURCE_CONCURRENT, 1);

VALUE(AP_ORDER_F, 70);
VALUE(AP_ORDER_C, 67);
VALUE(AP_LITTLE, 1);
VALUE(AP_BIG, 2);
VALUE(AP_AFFINE_BEST, 0);
VALUE(AP_AFFINE_SFORM, 1);
VALUE(AP_AFFINE_QFORM, 2);
VALUE(AP_AFFINE_BASE, 3);

VALUE(AP_SLICE_RANGE, 0);
VALUE(AP_SLICE_AT, 1);
VALUE(AP_SLICE_ELLIPSIS, 2);
VALUE(AP_SLICE_NEWAXIS, 3);
VALUE(AP_NONE, -9223372036854775807 - 1);
VALUE(AP_MAX_NDIM, 64);

VALUE(AP_READ_C, 1);
VALUE(AP_READ_RAW, 2);
VALUE(AP_READ_ROUND, 4);
VALUE(AP_READ_CHECKED, 8);

VALUE(AP_OK, 0);
VALUE(AP_ERR_NULL, -1);
VALUE(AP_ERR_ARGUMENT, -2);
VALUE(AP_ERR_INDEX, -3);
VALUE(AP_ERR_BUFFER, -4);
VALUE(AP_ERR_OPTION, -5);
VALUE(AP_ERR_NOT_FOUND, -6);
VALUE(AP_ERR_IO, -7);
VALUE(AP_ERR_TRUNCATED, -8);
VALUE(AP_ERR_FORMAT, -9);
VALUE(AP_ERR_HEADER, -10);
VALUE(AP_ERR_CODEC, -11);
VALUE(AP_ERR_SEEKINDEX, -12);
VALUE(AP_ERR_UNSUPPORTED, -13);
VALUE(AP_ERR_NO_VIEW, -14);
VALUE(AP_ERR_RANGE, -15);
VALUE(AP_ERR_MEMORY, -16);
VALUE(AP_ERR_CANCELLED, -17);
VALUE(AP_ERR_CALLBACK, -18);
VALUE(AP_ERR_CHANGED, -19);
VALUE(AP_ERR_INTERNAL, -20);

VALUE(AP_AUTO, 0);
VALUE(AP_DISK, 1);
VALUE(AP_BOOL, 6 * 256 + 1);
VALUE(AP_INT8, 256 + 1);
VALUE(AP_INT16, 256 + 2);
VALUE(AP_INT32, 256 + 4);
VALUE(AP_INT64, 256 + 8);
VALUE(AP_UINT8, 2 * 256 + 1);
VALUE(AP_UINT16, 2 * 256 + 2);
VALUE(AP_UINT32, 2 * 256 + 4);
VALUE(AP_UINT64, 2 * 256 + 8);
VALUE(AP_FLOAT16, 3 * 256 + 2);
VALUE(AP_FLOAT32, 3 * 256 + 4);
VALUE(AP_FLOAT64, 3 * 256 + 8);
VALUE(AP_FLOAT128, 3 * 256 + 16);
VALUE(AP_COMPLEX64, 4 * 256 + 8);
VALUE(AP_COMPLEX128, 4 * 256 + 16);
VALUE(AP_COMPLEX256, 4 * 256 + 32);
VALUE(AP_RGB24, 5 * 256 + 3);
VALUE(AP_RGBA32, 5 * 256 + 4);

#ifndef AP_NO_INLINE
/* The helpers, used as a caller would. */
int header_helpers(void);
int header_helpers(void)
{
    ap_slice s[5];
    s[0] = ap_range(1, AP_NONE, -2);
    s[1] = ap_at(3);
    s[2] = ap_all();
    s[3] = ap_rest();
    s[4] = ap_newaxis();
    return s[0].kind == AP_SLICE_RANGE && s[0].step == -2 && s[1].start == 3 &&
           s[2].start == AP_NONE && s[2].step == 1 && s[3].kind == AP_SLICE_ELLIPSIS &&
           s[4].kind == AP_SLICE_NEWAXIS;
}
#endif

int main(void)
{
#ifndef AP_NO_INLINE
    return header_helpers() ? 0 : 1;
#else
    return 0;
#endif
}
