/*
 * numbers.h - elements of every type: writing, reading and a model of casts
 */
#ifndef NUMBERS_H
#define NUMBERS_H

#include "../test.h"
#include "files.h"

enum { KIND_INT = 1, KIND_UINT, KIND_FLOAT, KIND_COMPLEX, KIND_RGB, KIND_BOOL };

/* The value of an element: an integer of up to 64 bits, or real numbers. */
typedef struct {
    int whole;          /* 1: the integer is the value, 0: re and im are */
    int negative;       /* sign and size of the integer */
    uint64_t magnitude;
    double re, im;
} number;

number from_int(int64_t value);
number from_uint(uint64_t value);
number from_real(double re);
number from_complex(double re, double im);

int kind_of(ap_dtype dtype);
size_t size_of(ap_dtype dtype);
/* Smallest and largest value of an integer type or of AP_BOOL. */
number lowest(ap_dtype dtype);
number highest(ap_dtype dtype);

/* Real part as the nearest float64. */
double real_of(number n);
/* The nearest float16, ties to even, as its value. */
double half_of(double value);

/* Append an element that holds `n`, which the type must be able to hold, up to
 * the rounding of floats. Floats of 128 bits: see put_x87 and put_quad. */
void put_number(bytes *b, ap_dtype dtype, int order, number n);
/* Intel's 80-bit format padded to 16 bytes, and IEEE's binary128. */
void put_x87(bytes *b, double value, int order);
void put_quad(bytes *b, double value, int order);
/* Element in native byte order. */
number get_number(const void *element, ap_dtype dtype);

/* What an element becomes as `dtype`, with `flags` of AP_READ_ROUND. Returns
 * 1 if it fits in the sense of AP_READ_CHECKED. */
int cast(number n, ap_dtype dtype, uint32_t flags, number *out);

/* Equal, with NaN equal to NaN and -0 different from 0. */
int same_number(number a, number b);
void show_number(char *text, size_t room, number n);

/* Compare `count` elements with what casting `from` gives: one check. */
#define CHECK_CASTS(found, dtype, flags, from, count) \
    test_casts(found, dtype, flags, from, count, #found, __FILE__, __LINE__)
int test_casts(const void *found, ap_dtype dtype, uint32_t flags, const number *from, int count,
               const char *text, const char *file, int line);

#endif
