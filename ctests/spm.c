/* SPM99 and SPM2 beside Analyze: what they put into the fields that it leaves
 * free. Scaling, and the affine of an origin. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/small.h"

#include <math.h>
#include <string.h>

static void check_factors(const ap_proxy *proxy, double slope, double inter)
{
    double s = -9, t = -9;
    CHECK_INT(ap_is_scaled(proxy), slope != 1 || inter != 0);
    CHECK_INT(ap_scale_shape(proxy, NULL, 0), 0);
    CHECK_OK(ap_scale_factors(proxy, &s, &t, 1, &err));
    CHECK_REAL(s, slope);
    CHECK_REAL(t, inter);
}

/* Analyze has no factors, SPM99 a slope, SPM2 slope and intercept; an intercept
 * that is no number is none. */
static void test_factors(void)
{
    static const double slopes[] = {1, 2, -0.5, 0, NAN, INFINITY, -INFINITY};
    static const double inters[] = {0, 5, NAN, INFINITY};
    for (int i = 0; i < COUNT(slopes); i++)
        for (int k = 0; k < COUNT(inters); k++) {
            nifti n = small_analyze(AP_BIG);
            int none = slopes[i] == 0 || !isfinite(slopes[i]);
            n.slope = slopes[i];
            n.inter = inters[k];
            for (int f = 0; f < COUNT(analyze_formats); f++) {
                ap_proxy *proxy = open_small_pair(&n, analyze_formats[f]);
                test_note("%s, slope %g, inter %g", analyze_formats[f], n.slope, n.inter);
                check_factors(proxy, f == 0 || none ? 1 : n.slope,
                              f < 2 || none || !isfinite(n.inter) ? 0 : n.inter);
                CHECK(small_right(proxy));
                ap_free(proxy);
            }
        }
    test_note("");
}

/* Without a slope, SPM2 goes by the ranges of stored and calibrated values. */
static void test_ranges(void)
{
    static const struct {
        double cal_max, cal_min;
        int32_t glmax, glmin;
        double slope, inter;
    } cases[] = {
        {10, 0, 20, 0, 0.5, 0},      {7, 3, 12, 4, 0.5, 1},     {3, 7, 12, 4, -0.5, 9},
        {10, 0, 0, 20, -0.5, 10},    {10, 10, 20, 0, 1, 0},     {10, 0, 20, 20, 1, 0},
        {-4, -8, -2, -10, 0.5, -3},  {0, 0, 255, 0, 1, 0},
    };
    for (int i = 0; i < COUNT(cases); i++)
        for (int k = 0; k < 2; k++) {
            nifti n = small_analyze(AP_LITTLE);
            n.slope = k ? NAN : 0;
            n.inter = 77;
            n.cal_max = cases[i].cal_max;
            n.cal_min = cases[i].cal_min;
            n.glmax = cases[i].glmax;
            n.glmin = cases[i].glmin;
            test_note("case %d", i);
            for (int f = 0; f < COUNT(analyze_formats); f++) {
                ap_proxy *proxy = open_small_pair(&n, analyze_formats[f]);
                check_factors(proxy, f < 2 ? 1 : cases[i].slope, f < 2 ? 0 : cases[i].inter);
                ap_free(proxy);
            }
        }
    test_note("");
}

/* The types of scaled results; SPM99's slope is of single precision. */
static void test_scaled_types(void)
{
    static const struct {
        ap_dtype stored, spm99, spm2;
    } types[] = {
        {AP_UINT8, AP_FLOAT32, AP_FLOAT64},     {AP_INT16, AP_FLOAT32, AP_FLOAT64},
        {AP_INT32, AP_FLOAT64, AP_FLOAT64},     {AP_FLOAT32, AP_FLOAT32, AP_FLOAT64},
        {AP_FLOAT64, AP_FLOAT64, AP_FLOAT64},   {AP_COMPLEX64, AP_COMPLEX64, AP_COMPLEX128},
        {AP_RGB24, AP_RGB24, AP_RGB24},
    };
    for (int t = 0; t < COUNT(types); t++)
        for (int f = 0; f < COUNT(analyze_formats); f++) {
            nifti n = analyze_new(AP_LITTLE, types[t].stored, 3, small_shape);
            n.slope = 0.1;
            write_nifti_header(temp_path("pair.hdr"), &n);
            test_note("%s, %s", analyze_formats[f], ap_dtype_name(types[t].stored));
            ap_proxy *proxy;
            CHECK_OK(open_as(temp_path("pair.hdr"), analyze_formats[f], 0, &proxy));
            CHECK_INT(ap_auto_dtype(proxy),
                      f == 0 ? types[t].stored : f == 1 ? types[t].spm99 : types[t].spm2);
            CHECK_INT(ap_is_scaled(proxy), f > 0 && types[t].stored != AP_RGB24);
            ap_free(proxy);
        }
    test_note("");
}

/* Arithmetic in the type that the result has. */
static void test_scaled_values(void)
{
    nifti n = small_analyze(AP_LITTLE);
    float narrow[24];
    double wide[24], slope = 0.1f, inter = -3.7f;
    int wrong = 0;
    n.slope = 0.1;
    n.inter = -3.7;
    ap_proxy *proxy = open_small_pair(&n, "spm99");
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, narrow, sizeof narrow, &err));
    CHECK_OK(ap_read_all(proxy, AP_FLOAT64, 0, wide, sizeof wide, &err));
    for (int i = 0; i < 24; i++) {
        volatile float single = (float)(100 + i) * 0.1f;
        wrong += narrow[i] != single || wide[i] != (100 + i) * slope;
    }
    CHECK_INT(wrong, 0);
    ap_free(proxy);
    proxy = open_small_pair(&n, "spm2");
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, wide, sizeof wide, &err));
    CHECK_OK(ap_read_all(proxy, AP_FLOAT32, 0, narrow, sizeof narrow, &err));
    for (int i = 0; i < 24; i++) {
        volatile double product = (100 + i) * slope;
        wrong += wide[i] != product + inter || narrow[i] != (float)(product + inter);
    }
    CHECK_INT(wrong, 0);
    ap_free(proxy);
    /* What float32 cannot hold is float64: 32768 * 1e35. */
    n.slope = 1e35;
    proxy = open_small_pair(&n, "spm99");
    CHECK_INT(ap_auto_dtype(proxy), AP_FLOAT64);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, wide, sizeof wide, &err));
    CHECK_REAL(wide[23], 123 * (double)1e35f);
    ap_free(proxy);
}

/* Colours are not scaled; a factor beside them is noted. */
static void test_colours(void)
{
    nifti n = analyze_new(AP_LITTLE, AP_RGB24, 3, small_shape);
    n.slope = 2;
    for (int f = 0; f < COUNT(analyze_formats); f++) {
        ap_proxy *proxy = open_small_pair(&n, analyze_formats[f]);
        test_note("%s", analyze_formats[f]);
        CHECK_INT(ap_is_scaled(proxy), 0);
        CHECK((ap_warning(proxy, 0) != NULL) >= (f > 0));
        ap_free(proxy);
    }
    test_note("");
}

static void check_affine(const ap_proxy *proxy, int which, const double *wanted)
{
    double found[16];
    for (int i = 0; i < 16; i++)
        found[i] = -777;
    err_mark();
    CHECK_INT(ap_affine(proxy, which, found, &err), 0);
    CHECK_INT(ap_affine(proxy, which, NULL, &err), 0);
    CHECK(err_untouched());
    for (int i = 0; i < 16; i++)
        CHECK_REAL(found[i], wanted[i]);
    for (int i = 0; i < 16; i++)
        CHECK(!(found[i] == 0 && signbit(found[i])));
}

/* SPM's origin is a voxel counted from 1; an absurd or absent one means the
 * middle, which is all that Analyze knows. */
static void test_affines(void)
{
    static const double middle[] = {-2, 0, 0, 3,  0, 3, 0, -3,  0, 0, 4.5, -2.25,  0, 0, 0, 1};
    static const double by_origin[] = {-2, 0, 0, 2,  0, 3, 0, -6,  0, 0, 4.5, 0,  0, 0, 0, 1};
    static const double by_zeros[] = {-2, 0, 0, -2,  0, 3, 0, -3,  0, 0, 4.5, 4.5,  0, 0, 0, 1};
    static const double by_limits[] = {-2, 0, 0, -8,  0, 3, 0, -12,  0, 0, 4.5, 9,  0, 0, 0, 1};
    static const struct {
        int origin[5];
        const double *wanted;
    } cases[] = {{{0, 0, 0, 9, 9}, middle},
                 {{2, 3, 1, 0, 0}, by_origin},
                 {{0, 2, 0, 0, 0}, by_zeros},
                 {{-3, 5, -1, 0, 0}, by_limits},
                 {{-4, 2, 1, 0, 0}, middle},        /* -n and 2 n are too far */
                 {{8, 2, 1, 0, 0}, middle},
                 {{2, 6, 1, 0, 0}, middle},
                 {{2, 3, 4, 0, 0}, middle},
                 {{-32768, 3, 1, 0, 0}, middle}};
    for (int i = 0; i < COUNT(cases); i++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++)
            for (int f = 0; f < COUNT(analyze_formats); f++) {
                nifti n = small_analyze(order);
                double found[16];
                memcpy(n.origin, cases[i].origin, sizeof n.origin);
                n.pixdim[1] = 2;
                n.pixdim[2] = 3;
                n.pixdim[3] = 4.5;
                ap_proxy *proxy = open_small_pair(&n, analyze_formats[f]);
                test_note("case %d, %s", i, analyze_formats[f]);
                check_affine(proxy, AP_AFFINE_BASE, middle);
                check_affine(proxy, AP_AFFINE_BEST, f ? cases[i].wanted : middle);
                CHECK_STATUS(ap_affine(proxy, AP_AFFINE_SFORM, found, &err), AP_ERR_UNSUPPORTED);
                CHECK_STATUS(ap_affine(proxy, AP_AFFINE_QFORM, found, &err), AP_ERR_UNSUPPORTED);
                CHECK_STATUS(ap_affine(proxy, 4, found, &err), AP_ERR_ARGUMENT);
                ap_free(proxy);
            }
    /* Zooms are put right. */
    nifti n = small_analyze(AP_LITTLE);
    n.pixdim[1] = -2;
    n.pixdim[2] = 0;
    double zooms[3];
    ap_proxy *proxy = open_small_pair(&n, NULL);
    static const double put_right[] = {-2, 0, 0, 3, 0, 1, 0, -1, 0, 0, 1, -0.5, 0, 0, 0, 1};
    CHECK_INT(ap_zooms(proxy, zooms, 3, &err), 3);
    CHECK_REAL(zooms[0], 2);
    CHECK_REAL(zooms[1], 1);
    check_affine(proxy, AP_AFFINE_BEST, put_right);
    ap_free(proxy);
    test_note("");
}

int main(void)
{
    test_factors();
    test_ranges();
    test_scaled_types();
    test_scaled_values();
    test_colours();
    test_affines();
    return test_end("spm");
}
