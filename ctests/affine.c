/* From voxels to the world: best, sform, qform, base. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shape[4] = {5, 4, 3, 2};

static ap_proxy *open_image(const nifti *n)
{
    bytes b = {0};
    ap_proxy *proxy;
    put_nifti(&b, n, "", 0);
    put_fill(&b, 0, 120);
    proxy = open_by(ACCESS_MEMORY, &b);
    bytes_free(&b);
    return proxy;
}

static nifti image(int version, int ndim)
{
    nifti n = nifti_new(version, version == 1 ? AP_LITTLE : AP_BIG, AP_UINT8, ndim, shape);
    n.pixdim[1] = 2;
    n.pixdim[2] = 3;
    n.pixdim[3] = 4.5;
    return n;
}

static void check_affine(const ap_proxy *proxy, int which, int code, const double *wanted)
{
    double found[16];
    test_note("affine %d", which);
    for (int i = 0; i < 16; i++)
        found[i] = -777;
    err_mark();
    CHECK_INT(ap_affine(proxy, which, found, &err), code);
    CHECK_INT(ap_affine(proxy, which, NULL, &err), code);
    CHECK(err_untouched());
    for (int i = 0; i < 16; i++)
        CHECK_NEAR(found[i], wanted[i], 1e-5);
    test_note("");
}

/* Zooms with x turned round; the middle voxel is at the origin. */
static void test_base(void)
{
    static const double wanted[] = {-2, 0, 0, 4,  0, 3, 0, -4.5,  0, 0, 4.5, -4.5,  0, 0, 0, 1};
    static const double plane[] = {-2, 0, 0, 4,  0, 3, 0, -4.5,  0, 0, 1, 0,  0, 0, 0, 1};
    static const double line[] = {-2, 0, 0, 4,  0, 1, 0, 0,  0, 0, 1, 0,  0, 0, 0, 1};
    for (int version = 1; version <= 2; version++)
        for (int ndim = 1; ndim <= 4; ndim++) {
            nifti n = image(version, ndim);
            const double *want = ndim == 1 ? line : ndim == 2 ? plane : wanted;
            ap_proxy *proxy = open_image(&n);
            check_affine(proxy, AP_AFFINE_BASE, 0, want);
            check_affine(proxy, AP_AFFINE_BEST, 0, want);
            ap_free(proxy);
        }
}

static void test_sform(void)
{
    static const double rows[12] = {1.5, 0.25, -3, 10, 2, -4, 0.5, 20, 0, 1, 8, -30.75};
    double wanted[16];
    memcpy(wanted, rows, sizeof rows);
    wanted[12] = wanted[13] = wanted[14] = 0;
    wanted[15] = 1;
    for (int version = 1; version <= 2; version++)
        for (int code = 0; code <= 5; code++) {
            nifti n = image(version, 3);
            memcpy(n.srow, rows, sizeof rows);
            n.sform_code = code;
            n.qform_code = 1;
            ap_proxy *proxy = open_image(&n);
            /* Given whatever its code; best only if the code is not 0. */
            check_affine(proxy, AP_AFFINE_SFORM, code, wanted);
            CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err), code ? code : 1);
            if (code)
                check_affine(proxy, AP_AFFINE_BEST, code, wanted);
            ap_free(proxy);
        }
}

static void check_qform(const double *bcd, double qfac, const double *rotation)
{
    double wanted[16] = {0};
    static const double zooms[3] = {2, 3, 4.5}, offset[3] = {-10.5, 7, 3.25};
    for (int version = 1; version <= 2; version++) {
        nifti n = image(version, 3);
        n.qform_code = 3;
        n.pixdim[0] = qfac;
        memcpy(n.quatern, bcd, sizeof n.quatern);
        memcpy(n.qoffset, offset, sizeof n.qoffset);
        n.srow[0] = 99;
        for (int row = 0; row < 3; row++) {
            for (int k = 0; k < 3; k++)
                wanted[row * 4 + k] = rotation[row * 3 + k] * zooms[k] * (k == 2 ? qfac : 1);
            wanted[row * 4 + 3] = offset[row];
        }
        wanted[15] = 1;
        ap_proxy *proxy = open_image(&n);
        check_affine(proxy, AP_AFFINE_QFORM, 3, wanted);
        check_affine(proxy, AP_AFFINE_BEST, 3, wanted);
        ap_free(proxy);
    }
}

static void test_qform(void)
{
    static const double none[3] = {0, 0, 0};
    static const double identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    static const double half_x[3] = {1, 0, 0};
    static const double turn_x[9] = {1, 0, 0, 0, -1, 0, 0, 0, -1};
    static const double cycle[3] = {0.5, 0.5, 0.5};
    static const double cycled[9] = {0, 0, 1, 1, 0, 0, 0, 1, 0};
    /* 0.8 + 0.6 k: cosine 0.28, sine 0.96. */
    static const double about_z[3] = {0, 0, 0.6};
    static const double turn_z[9] = {0.28, -0.96, 0, 0.96, 0.28, 0, 0, 0, 1};
    for (int qfac = -1; qfac <= 1; qfac += 2) {
        check_qform(none, qfac, identity);
        check_qform(half_x, qfac, turn_x);
        check_qform(cycle, qfac, cycled);
        check_qform(about_z, qfac, turn_z);
    }
}

/* A quaternion longer than 1 opens, and is refused when asked for. */
static void test_bad_quaternion(void)
{
    for (int version = 1; version <= 2; version++) {
        nifti n = image(version, 3);
        double found[16];
        n.qform_code = 1;
        n.quatern[0] = n.quatern[1] = n.quatern[2] = 1;
        ap_proxy *proxy = open_image(&n);
        CHECK_STATUS(ap_affine(proxy, AP_AFFINE_QFORM, found, &err), AP_ERR_HEADER);
        CHECK_INT(err.code, AP_ERR_HEADER);
        CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, found, &err), AP_ERR_HEADER);
        CHECK_INT(ap_affine(proxy, AP_AFFINE_BASE, found, &err), 0);
        CHECK_INT(ap_affine(proxy, AP_AFFINE_SFORM, found, &err), 0);
        ap_free(proxy);
        /* With an sform it does not matter. */
        n.sform_code = 4;
        proxy = open_image(&n);
        CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, found, &err), 4);
        ap_free(proxy);
    }
    /* Barely longer than 1 by the rounding of float32 is taken as 1. */
    static const double wanted[] = {2, 0, 0, 0,  0, -3, 0, 0,  0, 0, -4.5, 0,  0, 0, 0, 1};
    nifti n = image(1, 3);
    n.qform_code = 1;
    n.quatern[0] = 1.0f + 1.2e-7f;
    ap_proxy *proxy = open_image(&n);
    check_affine(proxy, AP_AFFINE_QFORM, 1, wanted);
    ap_free(proxy);
}

static void test_arguments(void)
{
    static const int32_t unknown[] = {-1, 4, 100, INT32_MIN, INT32_MAX};
    nifti n = image(1, 3);
    double found[16];
    ap_proxy *proxy = open_image(&n);
    for (int i = 0; i < COUNT(unknown); i++) {
        CHECK_STATUS(ap_affine(proxy, unknown[i], found, &err), AP_ERR_ARGUMENT);
        CHECK_STATUS(ap_affine(proxy, unknown[i], NULL, &err), AP_ERR_ARGUMENT);
    }
    ap_free(proxy);
}

int main(void)
{
    test_base();
    test_sform();
    test_qform();
    test_bad_quaternion();
    test_arguments();
    return test_end("affine");
}
