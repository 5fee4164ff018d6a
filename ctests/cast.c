/* Casts between all types, checked against a plain model of the rules. */
#include "test.h"
#include "support/access.h"
#include "support/numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const ap_dtype types[] = {AP_BOOL,    AP_INT8,    AP_INT16,   AP_INT32,
                                 AP_INT64,   AP_UINT8,   AP_UINT16,  AP_UINT32,
                                 AP_UINT64,  AP_FLOAT16, AP_FLOAT32, AP_FLOAT64,
                                 AP_COMPLEX64, AP_COMPLEX128};

enum { MOST = 400 };

typedef struct {
    number n[MOST];
    int count;
} values;

static void add(values *v, number n)
{
    if (v->count < MOST)
        v->n[v->count++] = n;
}

/* The limits of every integer type and their neighbours, as far as `dtype`
 * holds them. */
static void add_integers(values *v, ap_dtype dtype)
{
    for (int i = 0; i < COUNT(types); i++) {
        if (kind_of(types[i]) == KIND_FLOAT || kind_of(types[i]) == KIND_COMPLEX)
            continue;
        for (int side = 0; side < 2; side++)
            for (int near = -2; near <= 2; near++) {
                number limit = side ? highest(types[i]) : lowest(types[i]);
                uint64_t bits = limit.negative ? 0 - limit.magnitude : limit.magnitude;
                int is_signed = kind_of(dtype) == KIND_INT;
                number n = is_signed ? from_int((int64_t)(bits + (uint64_t)near))
                                     : from_uint(bits + (uint64_t)near);
                /* What the type does not hold is cut down to it. */
                cast(n, dtype, 0, &n);
                add(v, n);
            }
    }
    /* Numbers that float32 and float64 have to round. */
    static const int64_t wide[] = {16777217, 16777219, 33554433, 2147483583,
                                   9007199254740993, 9007199791611905, 9007199791611907,
                                   4611686293305294849};
    for (int i = 0; i < COUNT(wide); i++) {
        number n;
        cast(from_int(wide[i]), dtype, 0, &n);
        add(v, n);
        cast(from_int(-wide[i]), dtype, 0, &n);
        add(v, n);
    }
}

static const double reals[] = {
    0.0, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 3.5, 100.49, 126.5, 127, 127.4, 127.5, 127.75, 128, 128.5,
    254.5, 255, 255.25, 255.5, 256, 1000, 32767, 32767.5, 32768, 65504, 65519, 65520, 65535,
    65535.5, 65536, 1e-8, 6e-8, 3e-5, 1e-40, 1e-300, 0.1, 2147483520.0, 2147483647.0, 2147483647.5,
    2147483648.0, 4294967040.0, 4294967295.0, 4294967295.5, 4294967296.0, 9223372036854774784.0,
    9223372036854775808.0, 18446744073709549568.0, 18446744073709551616.0, 1e20, 3.4028234e38,
    3.4028235677973366e38, 3.5e38, 1e300, 0x1.00200004p0, 16777217, 9007199254740992.0, INFINITY, NAN};

static void add_reals(values *v, ap_dtype dtype)
{
    int complex = kind_of(dtype) == KIND_COMPLEX, n = COUNT(reals);
    for (int i = 0; i < n; i++)
        for (int sign = 0; sign < 2; sign++) {
            number value = from_real(sign ? -reals[i] : reals[i]);
            cast(value, dtype, 0, &value);
            add(v, value);
            if (!complex)
                continue;
            value = from_complex(value.re, reals[(i * 7 + 3) % n]);
            cast(value, dtype, 0, &value);
            add(v, value);
        }
    if (complex) {
        add(v, from_complex(0, 1));
        add(v, from_complex(0, -0.0));
        add(v, from_complex(0, NAN));
        add(v, from_complex(INFINITY, 0));
    }
}

static values values_of(ap_dtype dtype)
{
    values v;
    memset(&v, 0, sizeof v);
    if (kind_of(dtype) == KIND_FLOAT || kind_of(dtype) == KIND_COMPLEX)
        add_reals(&v, dtype);
    else
        add_integers(&v, dtype);
    return v;
}

static void check_checked(const ap_proxy *proxy, const values *v, ap_dtype to, uint32_t flags)
{
    unsigned char out[16];
    int step = test_small() ? 7 : 1;
    for (int i = 0; i < v->count; i += step) {
        ap_slice at = ap_at(i);
        number wanted;
        int fits = cast(v->n[i], to, flags, &wanted);
        char text[60];
        show_number(text, sizeof text, v->n[i]);
        test_note("%s as %s, flags %u", text, ap_dtype_name(to), flags);
        ap_status status = ap_read_slice(proxy, &at, 1, to, flags | AP_READ_CHECKED, out,
                                         sizeof out, &err);
        if (CHECK_STATUS(status, fits ? AP_OK : AP_ERR_RANGE) && fits)
            CHECK(same_number(get_number(out, to), wanted));
    }
}

/* Every pair of types, both byte orders, cutting and rounding, unchecked for
 * the whole list and checked one by one. */
static void test_pairs(void)
{
    static unsigned char out[MOST * 16];
    for (int a = 0; a < COUNT(types); a++) {
        values v = values_of(types[a]);
        int64_t shape[1] = {v.count};
        for (int order = AP_LITTLE; order <= AP_BIG; order++) {
            bytes b = {0};
            for (int i = 0; i < v.count; i++)
                put_number(&b, types[a], order, v.n[i]);
            ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, types[a], order, 1, shape,
                                        AP_ORDER_F, 0, 1, 0);
            for (int c = 0; c < COUNT(types); c++)
                for (uint32_t flags = 0; flags <= AP_READ_ROUND; flags += AP_READ_ROUND) {
                    test_note("%s, byte order %d, as %s, flags %u", ap_dtype_name(types[a]),
                              order, ap_dtype_name(types[c]), flags);
                    if (!CHECK_OK(ap_read_all(proxy, types[c], flags, out, sizeof out, &err)))
                        continue;
                    CHECK_CASTS(out, types[c], flags, v.n, v.count);
                    if (order == AP_LITTLE)
                        check_checked(proxy, &v, types[c], flags);
                }
            ap_free(proxy);
            bytes_free(&b);
        }
    }
    test_note("");
}

/* The same casts when elements are not neighbours: walked back, thinned out. */
static void test_strided(void)
{
    static unsigned char out[MOST * 16];
    for (int a = 0; a < COUNT(types); a++)
        for (int c = 0; c < COUNT(types); c++) {
            values v = values_of(types[a]), picked;
            int64_t shape[1] = {v.count};
            bytes b = {0};
            ap_slice back = ap_range(AP_NONE, AP_NONE, -2);
            memset(&picked, 0, sizeof picked);
            for (int i = 0; i < v.count; i++)
                put_number(&b, types[a], AP_BIG, v.n[i]);
            for (int i = v.count - 1; i >= 0; i -= 2)
                add(&picked, v.n[i]);
            ap_proxy *proxy = layout_by(ACCESS_READ, &b, types[a], AP_BIG, 1, shape, AP_ORDER_F,
                                        0, 1, 0);
            test_note("%s as %s", ap_dtype_name(types[a]), ap_dtype_name(types[c]));
            CHECK_OK(ap_read_slice(proxy, &back, 1, types[c], 0, out, sizeof out, &err));
            CHECK_CASTS(out, types[c], 0, picked.n, picked.count);
            ap_free(proxy);
            bytes_free(&b);
        }
    test_note("");
}

/* One bad element in a long array, wherever it stands. */
static void test_checked_position(void)
{
    enum { LONG = 1000 };
    static unsigned char out[LONG * 2];
    int16_t data[LONG];
    int64_t shape[1] = {LONG};
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    memset(data, 0, sizeof data);
    CHECK_OK(ap_source_memory(data, sizeof data, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_INT16, native_order(), 1, shape, AP_ORDER_F, 0, 1, 0,
                            NULL, &proxy, &err));
    CHECK_OK(ap_read_all(proxy, AP_UINT8, AP_READ_CHECKED, out, sizeof out, &err));
    for (int i = 0; i < LONG; i += 37) {
        data[i] = i % 2 ? 256 : -1;
        test_note("element %d", i);
        CHECK_STATUS(ap_read_all(proxy, AP_UINT8, AP_READ_CHECKED, out, sizeof out, &err),
                     AP_ERR_RANGE);
        CHECK_INT(err.code, AP_ERR_RANGE);
        CHECK_OK(ap_read_all(proxy, AP_UINT8, 0, out, sizeof out, &err));
        CHECK_INT(out[i], i % 2 ? 255 : 0);
        data[i] = 255;
    }
    test_note("");
    ap_free(proxy);
    ap_source_free(source);
}

/* Any stored byte but 0 is true, and results are 0 or 1. */
static void test_bool(void)
{
    unsigned char out[256 * 8];
    int64_t shape[1] = {256};
    static const ap_dtype asked[] = {AP_AUTO, AP_DISK, AP_BOOL, AP_UINT8, AP_INT64, AP_FLOAT32};
    bytes b = {0};
    for (int i = 0; i < 256; i++)
        put_u8(&b, (unsigned)i);
    ap_proxy *proxy = open_elements(&b, AP_BOOL, 1, shape, AP_ORDER_F);
    for (int k = 0; k < COUNT(asked); k++) {
        ap_dtype to = asked[k] > 1 ? asked[k] : AP_BOOL;
        int wrong = 0;
        test_note("%d", asked[k]);
        CHECK_OK(ap_read_all(proxy, asked[k], AP_READ_CHECKED, out, sizeof out, &err));
        for (size_t i = 0; i < 256; i++)
            wrong += real_of(get_number(out + i * size_of(to), to)) != (i ? 1.0 : 0.0);
        CHECK_INT(wrong, 0);
    }
    test_note("");
    ap_free(proxy);
    bytes_free(&b);
}

/* Floats of 128 bits in both formats, both byte orders, to every other type. */
static void test_float128(void)
{
    static unsigned char out[2 * 64 * 16];
    static const double list[] = {0.0, -0.0, 1, -1.5, 2.5, 0.1, 127.5, 300, -40000.25, 1e30,
                                  -1e300, 1e-300, 3e9, 9007199254740993.0, INFINITY, -INFINITY,
                                  NAN};
    for (int order = AP_LITTLE; order <= AP_BIG; order++)
        for (int complex = 0; complex < 2; complex++) {
            ap_dtype dtype = complex ? AP_COMPLEX256 : AP_FLOAT128;
            number from[64];
            int64_t shape[1] = {0};
            bytes b = {0}, native = {0};
            for (int i = 0; i < COUNT(list); i++)
                for (int quad = 0; quad < 2; quad++) {
                    void (*put_it)(bytes *, double, int) = quad ? put_quad : put_x87;
                    put_it(&b, list[i], order);
                    put_it(&native, list[i], native_order());
                    if (complex) {
                        put_it(&b, i, order);
                        put_it(&native, i, native_order());
                    }
                    from[shape[0]++] = from_complex(list[i], complex ? i : 0);
                }
            ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, dtype, order, 1, shape, AP_ORDER_F,
                                        0, 1, 0);
            test_note("byte order %d, %s", order, ap_dtype_name(dtype));
            CHECK_INT(ap_disk_dtype(proxy), dtype);
            CHECK_INT(ap_auto_dtype(proxy), complex ? AP_COMPLEX128 : AP_FLOAT64);
            CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
            CHECK_CASTS(out, ap_auto_dtype(proxy), 0, from, (int)shape[0]);
            CHECK_OK(ap_read_all(proxy, AP_AUTO, AP_READ_RAW, out, sizeof out, &err));
            CHECK_CASTS(out, ap_auto_dtype(proxy), 0, from, (int)shape[0]);
            for (int c = 0; c < COUNT(types); c++) {
                CHECK_OK(ap_read_all(proxy, types[c], 0, out, sizeof out, &err));
                CHECK_CASTS(out, types[c], 0, from, (int)shape[0]);
                CHECK_OK(ap_read_all(proxy, types[c], AP_READ_ROUND, out, sizeof out, &err));
                CHECK_CASTS(out, types[c], AP_READ_ROUND, from, (int)shape[0]);
            }
            CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
            CHECK_BYTES(out, native.data, native.size);
            CHECK_OK(ap_read_all(proxy, dtype, AP_READ_CHECKED, out, sizeof out, &err));
            CHECK_BYTES(out, native.data, native.size);
            ap_free(proxy);
            bytes_free(&b);
            bytes_free(&native);
        }
    test_note("");
}

/* 64 bits of mantissa become 53: to the nearest, ties to even. */
static void test_float128_rounding(void)
{
    static const struct {
        uint64_t mantissa;
        double wanted;
    } cases[] = {
        {UINT64_C(0x8000000000000000), 1.0},
        {UINT64_C(0x80000000000003ff), 1.0},
        {UINT64_C(0x8000000000000400), 1.0},
        {UINT64_C(0x8000000000000401), 1.0 + 0x1p-52},
        {UINT64_C(0x8000000000000bff), 1.0 + 0x1p-52},
        {UINT64_C(0x8000000000000c00), 1.0 + 0x1p-51},
        {UINT64_C(0xffffffffffffffff), 2.0},
    };
    int64_t shape[1] = {2 * COUNT(cases)};
    double out[2 * COUNT(cases)];
    bytes b = {0};
    for (int i = 0; i < COUNT(cases); i++) {
        /* 80 bits, then the same value in 128. */
        put_int(&b, cases[i].mantissa, 8, AP_LITTLE);
        put_int(&b, 16383, 8, AP_LITTLE);
        uint64_t fraction = cases[i].mantissa << 1;
        put_int(&b, fraction << 48, 8, AP_LITTLE);
        put_int(&b, fraction >> 16, 6, AP_LITTLE);
        put_int(&b, 16383, 2, AP_LITTLE);
    }
    ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, AP_FLOAT128, AP_LITTLE, 1, shape, AP_ORDER_F,
                                0, 1, 0);
    CHECK_OK(ap_read_all(proxy, AP_FLOAT64, 0, out, sizeof out, &err));
    for (int i = 0; i < 2 * COUNT(cases); i++) {
        test_note("%s of case %d", i % 2 ? "binary128" : "x87", i / 2);
        CHECK_REAL(out[i], cases[i / 2].wanted);
    }
    test_note("");
    ap_free(proxy);
    bytes_free(&b);
}

/* Finite in 128 bits, infinite in 64. */
static void test_float128_range(void)
{
    static const int64_t shape[1] = {2};
    double out[2] = {0, 0};
    bytes b = {0};
    for (int quad = 0; quad < 2; quad++) {
        put_int(&b, quad ? 0 : UINT64_C(1) << 63, 8, AP_LITTLE);
        put_int(&b, quad ? 0 : 16383 + 5000, 6, AP_LITTLE);
        put_int(&b, quad ? 16383 + 5000 : 0, 2, AP_LITTLE);
    }
    ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, AP_FLOAT128, AP_LITTLE, 1, shape, AP_ORDER_F,
                                0, 1, 0);
    CHECK_OK(ap_read_all(proxy, AP_FLOAT64, 0, out, sizeof out, &err));
    CHECK_REAL(out[0], INFINITY);
    CHECK_REAL(out[1], INFINITY);
    for (int i = 0; i < 2; i++) {
        ap_slice at = ap_at(i);
        CHECK_STATUS(ap_read_slice(proxy, &at, 1, AP_AUTO, AP_READ_CHECKED, out, sizeof out,
                                   &err),
                     AP_ERR_RANGE);
    }
    ap_free(proxy);
    bytes_free(&b);
}

static void check_unsupported(ap_dtype from, ap_dtype to)
{
    static unsigned char zeros[64], out[64];
    static const int64_t shape[1] = {2};
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_plan *plan = MARKED(ap_plan);
    test_note("%s as %s", ap_dtype_name(from), ap_dtype_name(to));
    CHECK_OK(ap_source_memory(zeros, sizeof zeros, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, from, AP_LITTLE, 1, shape, AP_ORDER_F, 0, 1, 0, NULL, &proxy,
                            &err));
    CHECK_STATUS(ap_read_all(proxy, to, 0, out, sizeof out, &err), AP_ERR_UNSUPPORTED);
    CHECK_INT(err.code, AP_ERR_UNSUPPORTED);
    CHECK_STATUS(ap_plan_new(proxy, NULL, 0, to, 0, &plan, &err), AP_ERR_UNSUPPORTED);
    CHECK(plan == NULL);
    ap_free(proxy);
    ap_source_free(source);
    test_note("");
}

static void test_unsupported(void)
{
    for (int i = 0; i < COUNT(types); i++) {
        check_unsupported(AP_RGB24, types[i]);
        check_unsupported(AP_RGBA32, types[i]);
        check_unsupported(types[i], AP_RGB24);
        check_unsupported(types[i], AP_RGBA32);
        check_unsupported(types[i], AP_FLOAT128);
        check_unsupported(types[i], AP_COMPLEX256);
    }
    check_unsupported(AP_RGB24, AP_RGBA32);
    check_unsupported(AP_RGBA32, AP_RGB24);
    check_unsupported(AP_FLOAT128, AP_COMPLEX256);
    check_unsupported(AP_COMPLEX256, AP_FLOAT128);
    check_unsupported(AP_FLOAT128, AP_RGB24);
    check_unsupported(AP_RGB24, AP_FLOAT128);
}

static void test_rgb(void)
{
    static const int64_t shape[2] = {2, 3};
    for (int alpha = 0; alpha < 2; alpha++) {
        ap_dtype dtype = alpha ? AP_RGBA32 : AP_RGB24;
        size_t size = size_of(dtype);
        unsigned char data[24], out[24], wanted[24];
        bytes b = {0};
        ap_slice swap[2] = {ap_range(AP_NONE, AP_NONE, -1), ap_all()};
        for (size_t i = 0; i < 24; i++)
            data[i] = (unsigned char)(i * 11 + 1);
        put(&b, data, 6 * size);
        ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, dtype, AP_BIG, 2, shape, AP_ORDER_F, 0, 1,
                                    0);
        CHECK_INT(ap_auto_dtype(proxy), dtype);
        CHECK_OK(ap_read_all(proxy, AP_AUTO, AP_READ_CHECKED, out, sizeof out, &err));
        CHECK_BYTES(out, data, 6 * size);
        for (size_t i = 0; i < 6; i++)
            memcpy(wanted + i * size, data + (i ^ 1) * size, size);
        CHECK_OK(ap_read_slice(proxy, swap, 2, dtype, 0, out, sizeof out, &err));
        CHECK_BYTES(out, wanted, 6 * size);
        ap_free(proxy);
        bytes_free(&b);
    }
}

int main(void)
{
    test_pairs();
    test_strided();
    test_checked_position();
    test_bool();
    test_float128();
    test_float128_rounding();
    test_float128_range();
    test_unsupported();
    test_rgb();
    return test_end("cast");
}
