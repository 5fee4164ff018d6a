/* Elements of the library in R's types. */
#include "glue.h"

#include <limits.h>
#include <string.h>

/* What R's type can hold without loss is read as that at once. */
static ap_dtype direct(ap_dtype dtype)
{
    switch (dtype) {
    case AP_INT8:
    case AP_UINT8:
    case AP_INT16:
    case AP_UINT16:
        return AP_INT32;
    case AP_UINT32:
    case AP_FLOAT16:
    case AP_FLOAT32:
        return AP_FLOAT64;
    case AP_COMPLEX64:
        return AP_COMPLEX128;
    default:
        return dtype;
    }
}

static SEXPTYPE r_type(ap_dtype dtype)
{
    switch (dtype) {
    case AP_BOOL:
        return LGLSXP;
    case AP_INT8:
    case AP_UINT8:
    case AP_INT16:
    case AP_UINT16:
    case AP_INT32:
    case AP_RGB24:
    case AP_RGBA32:
        return INTSXP;
    case AP_COMPLEX64:
    case AP_COMPLEX128:
        return CPLXSXP;
    default:
        return REALSXP;
    }
}

element element_of(const ap_proxy *proxy, SEXP how)
{
    element e = {AP_AUTO, 0, REALSXP, 1, 8};
    const char *name = how == R_NilValue ? "auto" : CHAR(STRING_ELT(VECTOR_ELT(how, 0), 0));
    int as_is = 1;
    if (strcmp(name, "auto") == 0) {
        e.dtype = ap_auto_dtype(proxy);
        as_is = !ap_is_scaled(proxy);
    } else if (strcmp(name, "disk") == 0) {
        e.dtype = ap_disk_dtype(proxy);
        e.flags = AP_READ_RAW;
    } else {
        e.dtype = ap_dtype_parse(name);
        if (e.dtype < 0)
            refuse(AP_ERR_ARGUMENT, "unknown dtype '%s'", name);
        if (e.dtype == AP_FLOAT16)
            refuse(AP_ERR_ARGUMENT, "R has no float16: ask for float32 or float64");
        as_is = 0;
    }
    if (how != R_NilValue)
        e.flags |= (uint32_t)INTEGER(VECTOR_ELT(how, 1))[0];
    /* R has nothing longer than doubles. */
    if (e.dtype == AP_FLOAT128)
        e.dtype = AP_FLOAT64;
    if (e.dtype == AP_COMPLEX256)
        e.dtype = AP_COMPLEX128;
    e.type = r_type(e.dtype);
    if (e.dtype == AP_RGB24 || e.dtype == AP_RGBA32)
        e.parts = e.dtype & 255;
    else if (as_is)
        e.dtype = direct(e.dtype);
    e.size = (size_t)(e.dtype & 255);
    return e;
}

SEXP allocate(element e, R_xlen_t voxels)
{
    if (voxels > R_XLEN_T_MAX / e.parts)
        refuse(AP_ERR_MEMORY, "the result is too large for R");
    return Rf_allocVector(e.type, voxels * e.parts);
}

/* In place: the narrow elements fill the head of the memory, so from the last
 * one on each lands behind those that are still to be read. */
#define WIDEN(from, to, what)                       \
    do {                                            \
        to *out_ = (to *)memory;                    \
        for (R_xlen_t i_ = n; i_-- > 0;) {          \
            from v;                                 \
            memcpy(&v, memory + i_ * sizeof v, sizeof v); \
            out_[i_] = (to)(what);                  \
        }                                           \
    } while (0)

#define TWO_TO_63 9223372036854775808.0

static int holds_signed(int64_t v)
{
    double d = (double)v;
    return d < TWO_TO_63 && (int64_t)d == v;
}

static int holds_unsigned(uint64_t v)
{
    double d = (double)v;
    return d < 2 * TWO_TO_63 && (uint64_t)d == v;
}

/* A whole array passes through this: loops without branches over blocks of one
 * length, which compilers make vectors of. 8 KiB stay in the nearest cache. */
#define BLOCK 1024

static int holds_int_min(const int *v, R_xlen_t n)
{
    int found = 0;
    for (; n >= BLOCK && !found; n -= BLOCK, v += BLOCK)
        for (int k = 0; k < BLOCK; k++)
            found |= v[k] == INT_MIN;
    for (R_xlen_t k = 0; k < n; k++)
        found |= v[k] == INT_MIN;
    return found;
}

/* R's NA is -2^31: where that is a value, all become doubles. */
static SEXP without_na(SEXP out)
{
    R_xlen_t n = XLENGTH(out);
    if (!holds_int_min(INTEGER(out), n))
        return out;
    PROTECT(out);
    SEXP wide = Rf_allocVector(REALSXP, n);
    for (R_xlen_t i = 0; i < n; i++)
        REAL(wide)[i] = INTEGER(out)[i];
    UNPROTECT(1);
    return wide;
}

static uint64_t bits_of(const double *at)
{
    uint64_t bits;
    memcpy(&bits, at, sizeof bits);
    return bits;
}

/* Whether all of a block are from -`bias` to 2^53 - 1; if so, they are made
 * doubles. */
static int small_longs(double *v, uint64_t bias)
{
    uint64_t any = 0;
    for (int k = 0; k < BLOCK; k++)
        any |= bits_of(&v[k]) + bias;
    if (any >= ((uint64_t)1 << 53) + bias)
        return 0;
    for (int k = 0; k < BLOCK; k++)
        v[k] = (double)(int64_t)bits_of(&v[k]);
    return 1;
}

static R_xlen_t longs_one_by_one(double *v, R_xlen_t n, int is_signed)
{
    R_xlen_t lost = 0;
    for (R_xlen_t k = 0; k < n; k++) {
        uint64_t bits = bits_of(&v[k]);
        lost += is_signed ? !holds_signed((int64_t)bits) : !holds_unsigned(bits);
        v[k] = is_signed ? (double)(int64_t)bits : (double)bits;
    }
    return lost;
}

/* Integers of 64 bits become doubles in place. Returns how many are rounded. */
static R_xlen_t doubles_of_longs(double *v, R_xlen_t n, int is_signed)
{
    R_xlen_t lost = 0;
    for (; n >= BLOCK; n -= BLOCK, v += BLOCK)
        if (!small_longs(v, is_signed ? (uint64_t)1 << 53 : 0))
            lost += longs_one_by_one(v, BLOCK, is_signed);
    return lost + longs_one_by_one(v, n, is_signed);
}

static void complex_of_floats(char *memory, R_xlen_t n)
{
    WIDEN(float, double, v); /* n parts, real and imaginary */
}

SEXP widen(SEXP out, element e, R_xlen_t *inexact)
{
    R_xlen_t n = XLENGTH(out);
    if (n == 0)
        return out;
    char *memory = e.type == REALSXP   ? (char *)REAL(out)
                   : e.type == CPLXSXP ? (char *)COMPLEX(out)
                   : e.type == LGLSXP  ? (char *)LOGICAL(out)
                                       : (char *)INTEGER(out);
    switch (e.dtype) {
    case AP_BOOL:
    case AP_UINT8:
    case AP_RGB24:
    case AP_RGBA32:
        WIDEN(uint8_t, int, v);
        break;
    case AP_INT8:
        WIDEN(int8_t, int, v);
        break;
    case AP_UINT16:
        WIDEN(uint16_t, int, v);
        break;
    case AP_INT16:
        WIDEN(int16_t, int, v);
        break;
    case AP_INT32:
        return without_na(out);
    case AP_UINT32:
        WIDEN(uint32_t, double, v);
        break;
    case AP_INT64:
    case AP_UINT64:
        *inexact = doubles_of_longs((double *)memory, n, e.dtype == AP_INT64);
        break;
    case AP_FLOAT32:
        WIDEN(float, double, v);
        break;
    case AP_COMPLEX64:
        complex_of_floats(memory, 2 * n);
        break;
    default: /* float64 and complex128 are R's own */
        break;
    }
    return out;
}
