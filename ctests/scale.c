/* Scaling: work types, rounding, and what is left alone. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const ap_dtype stored_types[] = {AP_BOOL,    AP_INT8,    AP_INT16,   AP_INT32,
                                        AP_INT64,   AP_UINT8,   AP_UINT16,  AP_UINT32,
                                        AP_UINT64,  AP_FLOAT16, AP_FLOAT32, AP_FLOAT64,
                                        AP_COMPLEX64, AP_COMPLEX128};

static const ap_dtype asked_types[] = {AP_AUTO,   AP_BOOL,   AP_INT8,   AP_INT16,   AP_INT32,
                                       AP_INT64,  AP_UINT8,  AP_UINT16, AP_UINT32,  AP_UINT64,
                                       AP_FLOAT16, AP_FLOAT32, AP_FLOAT64, AP_COMPLEX64,
                                       AP_COMPLEX128};

static int is_complex(ap_dtype dtype)
{
    return kind_of(dtype) == KIND_COMPLEX;
}

/* Type of scaled results: with float32 factors the small types and float32
 * stay at single precision. */
static ap_dtype scaled_type(ap_dtype stored, int single)
{
    int small = size_of(stored) <= 2 || stored == AP_FLOAT32;
    if (is_complex(stored))
        return single && stored == AP_COMPLEX64 ? AP_COMPLEX64 : AP_COMPLEX128;
    return single && small ? AP_FLOAT32 : AP_FLOAT64;
}

/* One operation, rounded to the work type. */
static double rounded(double value, int single)
{
    volatile float narrow = (float)value;
    volatile double wide = value;
    return single ? narrow : wide;
}

/* value * slope + inter with two roundings; a neutral step is left out. */
static double scale_real(double value, double slope, double inter, int single)
{
    value = rounded(value, single);
    if (slope != 1)
        value = rounded(value * slope, single);
    if (inter != 0)
        value = rounded(value + inter, single);
    return value;
}

/* Complex numbers meet factors that are complex too, with 0 as their
 * imaginary part. */
static number scale(number n, ap_dtype stored, double slope, double inter, int single)
{
    number out = from_complex(real_of(n), n.im);
    if (!is_complex(stored))
        return from_real(scale_real(out.re, slope, inter, single));
    if (slope != 1) {
        double re = out.re, im = out.im;
        out.re = rounded(rounded(re * slope, single) - rounded(im * 0, single), single);
        out.im = rounded(rounded(re * 0, single) + rounded(im * slope, single), single);
    }
    if (inter != 0) {
        out.re = rounded(out.re + inter, single);
        out.im = rounded(out.im + 0, single);
    }
    return out;
}

enum { MOST = 40 };

static int fill(number *list, ap_dtype dtype)
{
    static const double reals[] = {0, 1, -1, 2, 3, 7, -100, 127, 0.5, -0.25, 33.75, 1000.5};
    int count = 0;
    for (int i = 0; i < COUNT(reals); i++) {
        number n = is_complex(dtype) ? from_complex(reals[i], reals[COUNT(reals) - 1 - i])
                                     : from_real(reals[i]);
        cast(n, dtype, 0, &list[count++]);
    }
    if (kind_of(dtype) == KIND_INT || kind_of(dtype) == KIND_UINT) {
        list[count++] = lowest(dtype);
        list[count++] = highest(dtype);
        cast(from_int(16777217), dtype, 0, &list[count++]);
        cast(from_int(9007199254740993), dtype, 0, &list[count++]);
    }
    if (kind_of(dtype) == KIND_FLOAT) {
        list[count++] = from_real(NAN);
        list[count++] = from_real(INFINITY);
        list[count++] = from_real(-INFINITY);
    }
    return count;
}

static ap_proxy *open_scaled(const bytes *b, ap_dtype dtype, int order, int64_t count,
                             double slope, double inter, int single)
{
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_set_int(o, AP_OPT_FACTOR_TYPE, single ? AP_FLOAT32 : AP_FLOAT64, &err));
    write_bytes(temp_path("scaled"), b);
    CHECK_OK(ap_source_file(temp_path("scaled"), &source, &err));
    CHECK_OK(ap_open_layout(source, dtype, order, 1, &count, AP_ORDER_F, 0, slope, inter, o,
                            &proxy, &err));
    ap_source_free(source);
    ap_options_free(o);
    return proxy;
}

/* Stored types x asked types x factors of both types. */
static void test_layouts(void)
{
    static const double factors[][2] = {{2, 0},    {1, 3},     {0.1, 0},   {0.1, -7.3},
                                        {1, 0.1},  {-1.75, 100}, {0, 5},   {1e-3, 1e6},
                                        {0.7, 0.3}};
    unsigned char out[MOST * 16];
    for (int a = 0; a < COUNT(stored_types); a++)
        for (int f = 0; f < COUNT(factors); f++)
            for (int single = 0; single < 2; single++) {
                ap_dtype stored = stored_types[a];
                double slope = factors[f][0], inter = factors[f][1], s, t;
                number list[MOST], wanted[MOST];
                int order = (a + f) % 2 ? AP_BIG : AP_LITTLE;
                bytes b = {0};
                int count = fill(list, stored);
                for (int i = 0; i < count; i++)
                    put_number(&b, stored, order, list[i]);
                ap_proxy *proxy = open_scaled(&b, stored, order, count, slope, inter, single);
                if (single) {
                    slope = (float)slope;
                    inter = (float)inter;
                }
                test_note("%s, slope %g, inter %g, %s factors", ap_dtype_name(stored), slope,
                          inter, single ? "float32" : "float64");
                CHECK_INT(ap_is_scaled(proxy), 1);
                CHECK_INT(ap_disk_dtype(proxy), stored);
                CHECK_INT(ap_auto_dtype(proxy), scaled_type(stored, single));
                CHECK_OK(ap_scale_factors(proxy, &s, &t, 1, &err));
                CHECK_REAL(s, slope);
                CHECK_REAL(t, inter);
                for (int c = 0; c < COUNT(asked_types); c++) {
                    ap_dtype asked = asked_types[c];
                    ap_dtype to = asked == AP_AUTO ? scaled_type(stored, single) : asked;
                    int narrow = size_of(scaled_type(stored, single)) == 4 ||
                                 scaled_type(stored, single) == AP_COMPLEX64;
                    /* float32 factors become float64 when that is asked for;
                     * which precision complex results have is not settled. */
                    if (single && is_complex(asked))
                        continue;
                    if (asked == AP_FLOAT64)
                        narrow = 0;
                    for (int i = 0; i < count; i++)
                        wanted[i] = scale(list[i], stored, slope, inter, narrow);
                    for (uint32_t flags = 0; flags <= AP_READ_ROUND; flags += AP_READ_ROUND) {
                        test_note("%s, slope %g, inter %g, %s factors, as %d",
                                  ap_dtype_name(stored), slope, inter,
                                  single ? "float32" : "float64", asked);
                        CHECK_OK(ap_read_all(proxy, asked, flags, out, sizeof out, &err));
                        CHECK_CASTS(out, to, flags, wanted, count);
                    }
                }
                /* Raw: as if there were no factors. */
                CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
                CHECK_CASTS(out, stored, 0, list, count);
                CHECK_OK(ap_read_all(proxy, AP_AUTO, AP_READ_RAW, out, sizeof out, &err));
                CHECK_CASTS(out, stored, 0, list, count);
                CHECK_OK(ap_read_all(proxy, AP_FLOAT32, AP_READ_RAW, out, sizeof out, &err));
                CHECK_CASTS(out, AP_FLOAT32, 0, list, count);
                CHECK_OK(ap_read_all(proxy, AP_INT16, AP_READ_RAW, out, sizeof out, &err));
                CHECK_CASTS(out, AP_INT16, 0, list, count);
                ap_free(proxy);
                bytes_free(&b);
            }
    test_note("");
}

/* Factors of a NIfTI file; NIfTI-1 has them as float32, used as float64. */
static void test_nifti(void)
{
    static const int64_t shape[2] = {50, 3};
    for (int version = 1; version <= 2; version++)
        for (int access = 0; access < ACCESSES; access++) {
            nifti n = nifti_new(version, AP_BIG, AP_INT16, 2, shape);
            bytes data = {0}, b = {0};
            double out[150], slope = 0.1, inter = -3.7;
            float narrow[150];
            int16_t raw[150];
            int wrong = 0;
            for (int i = 0; i < 150; i++)
                put_int(&data, (uint64_t)(i * 300 - 20000), 2, AP_BIG);
            n.slope = slope;
            n.inter = inter;
            put_nifti(&b, &n, data.data, data.size);
            ap_proxy *proxy = open_by(access, &b);
            if (version == 1) {
                slope = 0.1f;
                inter = -3.7f;
            }
            test_note("NIfTI-%d, %s", version, access_name(access));
            CHECK_INT(ap_auto_dtype(proxy), AP_FLOAT64);
            CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
            CHECK_OK(ap_read_all(proxy, AP_FLOAT32, 0, narrow, sizeof narrow, &err));
            CHECK_OK(ap_read_all(proxy, AP_DISK, 0, raw, sizeof raw, &err));
            for (int i = 0; i < 150; i++) {
                double wanted = scale_real(i * 300 - 20000, slope, inter, 0);
                wrong += out[i] != wanted || narrow[i] != (float)wanted ||
                         raw[i] != i * 300 - 20000;
            }
            CHECK_INT(wrong, 0);
            /* A part, in C order and walked back. */
            ap_slice part[2] = {ap_range(AP_NONE, AP_NONE, -7), ap_range(1, 3, 1)};
            CHECK_OK(ap_read_slice(proxy, part, 2, AP_FLOAT64, AP_READ_C, out, sizeof out, &err));
            wrong = 0;
            for (int i = 0; i < 8; i++)
                for (int k = 0; k < 2; k++)
                    wrong += out[i * 2 + k] !=
                             scale_real((49 - 7 * i + 50 * (k + 1)) * 300 - 20000, slope, inter,
                                        0);
            CHECK_INT(wrong, 0);
            ap_free(proxy);
            bytes_free(&data);
            bytes_free(&b);
        }
    test_note("");
}

/* Slopes of a header that mean no scaling at all. */
static void test_no_scaling(void)
{
    static const int64_t shape[1] = {3};
    static const double slopes[] = {0, NAN, INFINITY, -INFINITY};
    static const double inters[] = {0, 5, NAN, INFINITY};
    static const int16_t data[3] = {-1, 0, 1};
    for (int version = 1; version <= 2; version++)
        for (int i = 0; i < COUNT(slopes); i++)
            for (int k = 0; k < COUNT(inters); k++) {
                nifti n = nifti_new(version, native_order(), AP_INT16, 1, shape);
                bytes b = {0};
                int16_t out[3];
                double s, t;
                n.slope = slopes[i];
                n.inter = inters[k];
                put_nifti(&b, &n, data, sizeof data);
                ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
                test_note("slope %g, inter %g", n.slope, n.inter);
                CHECK_INT(ap_is_scaled(proxy), 0);
                CHECK_INT(ap_auto_dtype(proxy), AP_INT16);
                CHECK_OK(ap_scale_factors(proxy, &s, &t, 1, &err));
                CHECK_REAL(s, 1);
                CHECK_REAL(t, 0);
                CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
                CHECK_BYTES(out, data, sizeof data);
                ap_free(proxy);
                bytes_free(&b);
            }
    /* A good slope beside a bad intercept is an error. */
    for (int version = 1; version <= 2; version++)
        for (int k = 2; k < COUNT(inters); k++) {
            nifti n = nifti_new(version, AP_LITTLE, AP_INT16, 1, shape);
            ap_proxy *proxy = MARKED(ap_proxy);
            n.slope = 2;
            n.inter = inters[k];
            write_nifti(temp_path("bad.nii"), &n, data, sizeof data);
            CHECK_STATUS(ap_open(temp_path("bad.nii"), NULL, &proxy, &err), AP_ERR_HEADER);
            CHECK(proxy == NULL);
        }
    test_note("");
}

/* Zeros keep their sign unless an intercept is added, and the multiplication
 * is not fused with the addition. */
static void test_exactness(void)
{
    static const int64_t shape[1] = {2};
    double data[2] = {-0.0, 1.0 + 0x1p-30}, out[2];
    bytes b = {0};
    put(&b, data, sizeof data);
    ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, AP_FLOAT64, native_order(), 1, shape,
                                AP_ORDER_F, 0, 2, 0);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    CHECK(out[0] == 0 && signbit(out[0]));
    ap_free(proxy);
    /* (1 + 2^-30)^2 - 1 loses 2^-60 in the first rounding. */
    proxy = layout_by(ACCESS_MEMORY, &b, AP_FLOAT64, native_order(), 1, shape, AP_ORDER_F, 0,
                      data[1], -1);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_REAL(out[1], 0x1p-29);
    CHECK_REAL(out[0], -1);
    ap_free(proxy);
    bytes_free(&b);
}

/* A complex value is multiplied by a complex slope with no imaginary part. */
static void test_complex(void)
{
    static const int64_t shape[1] = {2};
    double data[4] = {3, -4, INFINITY, 1}, out[4];
    bytes b = {0};
    put(&b, data, sizeof data);
    ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, AP_COMPLEX128, native_order(), 1, shape,
                                AP_ORDER_F, 0, 2, 10);
    CHECK_INT(ap_auto_dtype(proxy), AP_COMPLEX128);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_REAL(out[0], 16);
    CHECK_REAL(out[1], -8);
    CHECK_REAL(out[2], INFINITY);
    CHECK_REAL(out[3], NAN);
    ap_free(proxy);
    bytes_free(&b);
}

/* Where the range of an integer type leaves the work type: float32 becomes
 * float64, float64 becomes infinite and a note says so. */
static void test_overflow(void)
{
    static const int16_t small[2] = {2, -32768};
    static const int32_t large[2] = {2, INT32_MAX};
    double out[2], slope = (float)3e38;
    bytes b = {0};
    put(&b, small, sizeof small);
    ap_proxy *proxy = open_scaled(&b, AP_INT16, native_order(), 2, 3e38, 0, 1);
    CHECK_INT(ap_auto_dtype(proxy), AP_FLOAT64);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_REAL(out[0], 2 * slope);
    CHECK_REAL(out[1], -32768 * slope);
    ap_free(proxy);
    b.size = 0;

    put(&b, large, sizeof large);
    proxy = open_scaled(&b, AP_INT32, native_order(), 2, 1e300, 0, 0);
    CHECK_INT(ap_auto_dtype(proxy), AP_FLOAT64);
    CHECK(ap_warning(proxy, 0) != NULL);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_REAL(out[0], 2e300);
    CHECK_REAL(out[1], INFINITY);
    ap_free(proxy);
    bytes_free(&b);
}

/* Colours are never scaled; factors beside them are noted. */
static void test_rgb(void)
{
    static const int64_t shape[1] = {2};
    nifti n = nifti_new(1, AP_LITTLE, AP_RGB24, 1, shape);
    unsigned char out[6];
    bytes b = {0};
    n.slope = 2;
    n.inter = 1;
    put_nifti(&b, &n, "abcdef", 6);
    ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
    CHECK_INT(ap_is_scaled(proxy), 0);
    CHECK_INT(ap_auto_dtype(proxy), AP_RGB24);
    CHECK(ap_warning(proxy, 0) != NULL);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_BYTES(out, "abcdef", 6);
    ap_free(proxy);
    proxy = layout_by(ACCESS_MEMORY, &b, AP_RGB24, AP_LITTLE, 1, shape, AP_ORDER_F, 352, 3, 4);
    CHECK_INT(ap_is_scaled(proxy), 0);
    CHECK(ap_warning(proxy, 0) != NULL);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_BYTES(out, "abcdef", 6);
    ap_free(proxy);
    bytes_free(&b);
}

/* AP_READ_CHECKED looks at the scaled value. */
static void test_checked(void)
{
    static const int64_t shape[1] = {3};
    static const unsigned char data[3] = {0, 100, 200};
    unsigned char out[3];
    bytes b = {0};
    put(&b, data, 3);
    ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, AP_UINT8, AP_LITTLE, 1, shape, AP_ORDER_F, 0,
                                1.5, -0.75);
    CHECK_STATUS(ap_read_all(proxy, AP_UINT8, AP_READ_CHECKED, out, 3, &err), AP_ERR_RANGE);
    CHECK_OK(ap_read_all(proxy, AP_UINT8, 0, out, 3, &err));
    CHECK_BYTES(out, "\0\x95\xff", 3);
    CHECK_OK(ap_read_all(proxy, AP_UINT8, AP_READ_CHECKED | AP_READ_RAW, out, 3, &err));
    CHECK_BYTES(out, data, 3);
    ap_slice two = ap_range(0, 2, 1);
    CHECK_OK(ap_read_slice(proxy, &two, 1, AP_UINT8, AP_READ_CHECKED, out, 3, &err));
    CHECK_STATUS(ap_read_slice(proxy, &two, 1, AP_UINT8, AP_READ_CHECKED | AP_READ_ROUND, out, 3,
                               &err),
                 AP_ERR_RANGE);
    ap_free(proxy);
    bytes_free(&b);
}

int main(void)
{
    test_layouts();
    test_nifti();
    test_no_scaling();
    test_exactness();
    test_complex();
    test_overflow();
    test_rgb();
    test_checked();
    return test_end("scale");
}
