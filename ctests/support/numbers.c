/* Elements of every type, and a model of casts. */
#include "numbers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

number from_int(int64_t value)
{
    number n = {1, 0, 0, 0, 0};
    n.negative = value < 0;
    n.magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    return n;
}

number from_uint(uint64_t value)
{
    number n = {1, 0, 0, 0, 0};
    n.magnitude = value;
    return n;
}

number from_complex(double re, double im)
{
    number n = {0, 0, 0, 0, 0};
    n.re = re;
    n.im = im;
    return n;
}

number from_real(double re)
{
    return from_complex(re, 0);
}

int kind_of(ap_dtype dtype)
{
    return dtype >> 8;
}

size_t size_of(ap_dtype dtype)
{
    return (size_t)(dtype & 255);
}

number lowest(ap_dtype dtype)
{
    if (kind_of(dtype) != KIND_INT)
        return from_uint(0);
    return from_int(INT64_MIN >> (64 - 8 * (int)size_of(dtype)));
}

number highest(ap_dtype dtype)
{
    int bits = 8 * (int)size_of(dtype);
    if (kind_of(dtype) == KIND_BOOL)
        return from_uint(1);
    if (kind_of(dtype) == KIND_INT)
        return from_int(INT64_MAX >> (64 - bits));
    return from_uint(UINT64_MAX >> (64 - bits));
}

double real_of(number n)
{
    if (!n.whole)
        return n.re;
    return n.negative ? -(double)n.magnitude : (double)n.magnitude;
}

double half_of(double value)
{
    double size = fabs(value), unit;
    int exponent;
    if (!(size < 65520))
        return isnan(value) ? value : copysign(INFINITY, value);
    frexp(size, &exponent);
    if (exponent < -13)
        exponent = -13;             /* below 2^-14 the spacing stays 2^-24 */
    unit = ldexp(1, exponent - 11);
    return copysign(nearbyint(size / unit) * unit, value);
}

static uint64_t half_bits(double value)
{
    uint64_t sign = signbit(value) ? 0x8000 : 0;
    double size = half_of(fabs(value));
    int exponent;
    if (isnan(value))
        return sign | 0x7e00;
    if (isinf(size))
        return sign | 0x7c00;
    frexp(size, &exponent);
    if (size < ldexp(1, -14))
        return sign | (uint64_t)ldexp(size, 24);
    return sign | ((uint64_t)(exponent + 14) << 10) |
           ((uint64_t)ldexp(size, 11 - exponent) & 0x3ff);
}

static double half_value(unsigned bits)
{
    int exponent = (int)(bits >> 10) & 31;
    double fraction = bits & 0x3ff, size;
    if (exponent == 31)
        size = fraction > 0 ? NAN : INFINITY;
    else if (exponent == 0)
        size = ldexp(fraction, -24);
    else
        size = ldexp(fraction + 1024, exponent - 25);
    return bits & 0x8000 ? -size : size;
}

static void put_reversed(bytes *b, const unsigned char *little, int order)
{
    for (int i = 0; i < 16; i++)
        put_u8(b, little[order == AP_LITTLE ? i : 15 - i]);
}

/* Sign and 15-bit exponent of the two formats of 16 bytes; the mantissa is in
 * 1 <= m < 2, or 0. */
static unsigned wide_head(double value, double *mantissa)
{
    unsigned sign = signbit(value) ? 0x8000 : 0;
    int exponent;
    *mantissa = 0;
    if (value == 0)
        return sign;
    if (isnan(value) || isinf(value))
        return sign | 0x7fff;
    *mantissa = 2 * frexp(fabs(value), &exponent);
    return sign | (unsigned)(exponent - 1 + 16383);
}

void put_x87(bytes *b, double value, int order)
{
    unsigned char little[16] = {0};
    double mantissa;
    unsigned head = wide_head(value, &mantissa);
    uint64_t bits = (uint64_t)ldexp(mantissa, 63);
    if (isnan(value))
        bits = UINT64_C(3) << 62;
    if (isinf(value))
        bits = UINT64_C(1) << 63;
    for (int i = 0; i < 8; i++)
        little[i] = (unsigned char)(bits >> (8 * i));
    little[8] = (unsigned char)head;
    little[9] = (unsigned char)(head >> 8);
    put_reversed(b, little, order);
}

void put_quad(bytes *b, double value, int order)
{
    unsigned char little[16] = {0};
    double mantissa;
    unsigned head = wide_head(value, &mantissa);
    /* The upper 48 of the 112 bits of fraction, and 64 below. */
    double fraction = mantissa > 0 ? mantissa - 1 : 0;
    double upper = floor(ldexp(fraction, 48));
    uint64_t high = (uint64_t)upper;
    uint64_t low = (uint64_t)ldexp(ldexp(fraction, 48) - upper, 64);
    if (isnan(value))
        high = UINT64_C(1) << 47;
    for (int i = 0; i < 8; i++)
        little[i] = (unsigned char)(low >> (8 * i));
    for (int i = 0; i < 6; i++)
        little[8 + i] = (unsigned char)(high >> (8 * i));
    little[14] = (unsigned char)head;
    little[15] = (unsigned char)(head >> 8);
    put_reversed(b, little, order);
}

static void put_float(bytes *b, size_t size, int order, double value)
{
    if (size == 2)
        put_int(b, half_bits(value), 2, order);
    else if (size == 4)
        put_f32(b, (float)value, order);
    else if (size == 8)
        put_f64(b, value, order);
    else
        put_x87(b, value, order);
}

void put_number(bytes *b, ap_dtype dtype, int order, number n)
{
    size_t size = size_of(dtype);
    uint64_t bits = n.negative ? 0 - n.magnitude : n.magnitude;
    switch (kind_of(dtype)) {
    case KIND_FLOAT:
        put_float(b, size, order, real_of(n));
        break;
    case KIND_COMPLEX:
        put_float(b, size / 2, order, real_of(n));
        put_float(b, size / 2, order, n.whole ? 0 : n.im);
        break;
    default:
        put_int(b, bits, (int)size, order);
    }
}

static double get_float(const unsigned char *p, size_t size)
{
    uint16_t bits;
    float single;
    double value;
    if (size == 2) {
        memcpy(&bits, p, 2);
        return half_value(bits);
    }
    if (size == 4) {
        memcpy(&single, p, 4);
        return single;
    }
    memcpy(&value, p, 8);
    return value;
}

number get_number(const void *element, ap_dtype dtype)
{
    const unsigned char *p = element;
    size_t size = size_of(dtype);
    uint64_t bits = 0;
    if (kind_of(dtype) == KIND_FLOAT)
        return from_real(get_float(p, size));
    if (kind_of(dtype) == KIND_COMPLEX)
        return from_complex(get_float(p, size / 2), get_float(p + size / 2, size / 2));
    for (size_t i = 0; i < size; i++)
        bits |= (uint64_t)p[native_order() == AP_LITTLE ? i : size - 1 - i] << (8 * i);
    if (kind_of(dtype) == KIND_INT && bits >> (8 * size - 1)) {
        number n = from_uint(0 - bits);
        if (size < 8)
            n.magnitude &= (UINT64_C(1) << (8 * size)) - 1;
        n.negative = 1;
        return n;
    }
    return from_uint(bits);
}

/* -1, 0, 1 as a is below, at, above b. */
static int compare(number a, number b)
{
    if (a.negative != b.negative && (a.magnitude || b.magnitude))
        return a.negative ? -1 : 1;
    if (a.magnitude == b.magnitude)
        return 0;
    return (a.magnitude < b.magnitude) == !a.negative ? -1 : 1;
}

static int cast_to_integer(number n, ap_dtype dtype, uint32_t flags, number *out)
{
    number low = lowest(dtype), high = highest(dtype);
    int fits = n.whole || n.im == 0;
    if (!n.whole) {
        double value = flags & AP_READ_ROUND ? nearbyint(n.re) : trunc(n.re);
        if (isnan(value)) {
            *out = from_uint(0);
            return 0;
        }
        if (fabs(value) >= 18446744073709551616.0) {
            *out = value < 0 ? low : high;
            return 0;
        }
        n = from_uint((uint64_t)fabs(value));
        n.negative = value < 0;
    }
    *out = n;
    if (compare(n, low) < 0)
        *out = low;
    else if (compare(n, high) > 0)
        *out = high;
    else
        return fits;
    return 0;
}

static int cast_to_float(double value, size_t size, double *out)
{
    if (size == 2)
        *out = half_of(value);
    else if (size == 4)
        *out = (float)value;
    else
        *out = value;
    return !isinf(*out) || isinf(value);
}

int cast(number n, ap_dtype dtype, uint32_t flags, number *out)
{
    size_t size = size_of(dtype);
    int fits;
    switch (kind_of(dtype)) {
    case KIND_BOOL:
        *out = from_uint(n.whole ? n.magnitude != 0 : n.re != 0 || n.im != 0);
        return 1;
    case KIND_FLOAT:
        *out = from_real(0);
        fits = cast_to_float(real_of(n), size, &out->re);
        return fits && (n.whole || n.im == 0);
    case KIND_COMPLEX:
        *out = from_complex(0, 0);
        fits = cast_to_float(real_of(n), size / 2, &out->re);
        return cast_to_float(n.whole ? 0 : n.im, size / 2, &out->im) && fits;
    default:
        return cast_to_integer(n, dtype, flags, out);
    }
}

static int same_real(double a, double b)
{
    if (isnan(a) || isnan(b))
        return isnan(a) && isnan(b);
    return a == b && !signbit(a) == !signbit(b);
}

int same_number(number a, number b)
{
    if (a.whole != b.whole)
        return 0;
    if (a.whole)
        return compare(a, b) == 0;
    return same_real(a.re, b.re) && same_real(a.im, b.im);
}

void show_number(char *text, size_t room, number n)
{
    if (n.whole)
        snprintf(text, room, "%s%llu", n.negative ? "-" : "", (unsigned long long)n.magnitude);
    else if (n.im != 0)
        snprintf(text, room, "%.17g%+.17gi", n.re, n.im);
    else
        snprintf(text, room, "%.17g", n.re);
}

int test_casts(const void *found, ap_dtype dtype, uint32_t flags, const number *from, int count,
               const char *text, const char *file, int line)
{
    char what[300], a[60], b[60], c[60];
    for (int i = 0; i < count; i++) {
        number wanted;
        number got = get_number((const char *)found + (size_t)i * size_of(dtype), dtype);
        cast(from[i], dtype, flags, &wanted);
        if (same_number(got, wanted))
            continue;
        show_number(a, sizeof a, got);
        show_number(b, sizeof b, wanted);
        show_number(c, sizeof c, from[i]);
        snprintf(what, sizeof what, "%s[%d]: %s as %s: found %s, wanted %s", text, i, c,
                 ap_dtype_name(dtype), a, b);
        return test_true(0, what, file, line);
    }
    return test_true(1, text, file, line);
}
