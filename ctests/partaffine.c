/* Affines and zooms of slices as proxies, and of what is reshaped. */
#include "test.h"
#include "support/access.h"
#include "support/entries.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/parts.h"

/* Of every kind of affine: times start and step of the three axes. */
static void check_affines(const ap_proxy *proxy, const ap_proxy *file, const double *start,
                          const double *step)
{
    for (int which = AP_AFFINE_BEST; which <= AP_AFFINE_BASE; which++) {
        double all[16], found[16];
        int32_t code = ap_affine(file, which, all, &err);
        test_note("affine %d", which);
        CHECK(code >= 0);
        err_mark();
        CHECK_INT(ap_affine(proxy, which, found, &err), code);
        CHECK_INT(ap_affine(proxy, which, NULL, &err), code);
        CHECK(err_untouched());
        for (int row = 0; row < 3; row++) {
            const double *a = all + 4 * row;
            for (int k = 0; k < 3; k++)
                CHECK_NEAR(found[4 * row + k], a[k] * step[k], 1e-9);
            CHECK_NEAR(found[4 * row + 3],
                       a[3] + a[0] * start[0] + a[1] * start[1] + a[2] * start[2], 1e-9);
        }
        for (int k = 0; k < 4; k++)
            CHECK_REAL(found[12 + k], k == 3);
    }
    test_note("");
}

static void check_zooms(const ap_proxy *proxy, const double *wanted, int n)
{
    double found[AP_MAX_NDIM];
    for (int capacity = 0; capacity <= n + 1; capacity++) {
        for (int i = 0; i < n + 1; i++)
            found[i] = -1;
        CHECK_INT(ap_zooms(proxy, found, capacity, &err), n);
        for (int i = 0; i < n + 1; i++)
            CHECK_REAL(found[i], i < n && i < capacity ? wanted[i] : -1);
    }
}

static void test_affines(void)
{
    static const struct {
        ap_slice index[6];
        int nindex;
        double start[3], step[3], zooms[6];
        int nzooms;
    } cases[] = {
        {{REST}, 1, {0, 0, 0}, {1, 1, 1}, {2, 3, 4.5, 1.25}, 4},
        {{RANGE(1, AP_NONE, 1), RANGE(AP_NONE, AP_NONE, 2), RANGE(AP_NONE, AP_NONE, -1)}, 3,
         {1, 0, 2}, {1, 2, -1}, {2, 6, 4.5, 1.25}, 4},
        {{RANGE(-2, 0, -3), RANGE(-99, 99, 1), RANGE(99, -99, -2)}, 3,
         {3, 0, 2}, {-3, 1, -2}, {6, 3, 9, 1.25}, 4},
        /* One voxel left: the step is what was asked for. */
        {{RANGE(4, AP_NONE, 7), RANGE(2, 1, -5), RANGE(1, 2, 1)}, 3,
         {4, 2, 1}, {7, -5, 1}, {14, 15, 4.5, 1.25}, 4},
        /* The fourth axis goes, is stepped, moves; others come behind the third. */
        {{REST, AT(1)}, 2, {0, 0, 0}, {1, 1, 1}, {2, 3, 4.5}, 3},
        {{REST, RANGE(AP_NONE, AP_NONE, -2)}, 2, {0, 0, 0}, {1, 1, 1}, {2, 3, 4.5, 2.5}, 4},
        {{ALL, ALL, RANGE(1, AP_NONE, 1), NEW}, 4, {0, 0, 1}, {1, 1, 1}, {2, 3, 4.5, 1, 1.25}, 5},
        {{ALL, RANGE(1, AP_NONE, 1), REST, NEW, AT(0), NEW}, 6, {0, 1, 0}, {1, 1, 1},
         {2, 3, 4.5, 1, 1}, 5},
    };
    nifti n = parted_header(4);
    ap_proxy *file = open_parted(&n);
    for (int i = 0; i < COUNT(cases); i++) {
        ap_proxy *proxy = slice_of(file, cases[i].index, cases[i].nindex);
        test_note("case %d", i);
        check_zooms(proxy, cases[i].zooms, cases[i].nzooms);
        check_affines(proxy, file, cases[i].start, cases[i].step);
        CHECK_STATUS(ap_affine(proxy, 4, NULL, &err), AP_ERR_ARGUMENT);
        ap_free(proxy);
    }
    test_note("");

    /* Slices of slices. */
    static const ap_slice one[] = {RANGE(AP_NONE, AP_NONE, -2), ALL, RANGE(1, AP_NONE, 1)};
    static const ap_slice two[] = {RANGE(2, AP_NONE, -1), RANGE(3, AP_NONE, -2), REST, AT(0)};
    static const double start[3] = {0, 3, 1}, step[3] = {2, -2, 1}, zooms[3] = {4, 6, 4.5};
    ap_proxy *first = slice_of(file, one, 3), *second = slice_of(first, two, 4);
    ap_free(first);
    check_affines(second, file, start, step);
    check_zooms(second, zooms, 3);
    ap_free(second);
    ap_free(file);
}

/* Without all of its spatial axes in their places it has no affine. */
static void test_affines_refused(void)
{
    static const struct {
        ap_slice index[5];
        int nindex;
        double zooms[5];
        int nzooms;
    } cases[] = {
        {{AT(0)}, 1, {3, 4.5, 1.25}, 3},
        {{ALL, AT(-1)}, 2, {2, 4.5, 1.25}, 3},
        {{ALL, ALL, AT(2)}, 3, {2, 3, 1.25}, 3},
        {{NEW, REST}, 2, {1, 2, 3, 4.5, 1.25}, 5},
        {{ALL, NEW}, 2, {2, 1, 3, 4.5, 1.25}, 5},
        {{ALL, RANGE(AP_NONE, AP_NONE, 2), NEW, REST}, 4, {2, 6, 1, 4.5, 1.25}, 5},
        /* An axis in the place of another is none of the file's. */
        {{NEW, AT(1), REST}, 3, {1, 3, 4.5, 1.25}, 4},
        {{AT(1), AT(1), AT(1), AT(1)}, 4, {0}, 0},
    };
    nifti n = parted_header(4);
    ap_proxy *file = open_parted(&n);
    for (int i = 0; i < COUNT(cases); i++) {
        ap_proxy *proxy = slice_of(file, cases[i].index, cases[i].nindex);
        ap_slice back = ap_rest();
        ap_proxy *again = slice_of(proxy, &back, 1);
        double found[16];
        test_note("case %d", i);
        for (int which = AP_AFFINE_BEST; which <= AP_AFFINE_BASE; which++) {
            CHECK_STATUS(ap_affine(proxy, which, found, &err), AP_ERR_UNSUPPORTED);
            CHECK_STATUS(ap_affine(proxy, which, NULL, &err), AP_ERR_UNSUPPORTED);
            CHECK_STATUS(ap_affine(again, which, found, &err), AP_ERR_UNSUPPORTED);
        }
        check_zooms(proxy, cases[i].zooms, cases[i].nzooms);
        check_zooms(again, cases[i].zooms, cases[i].nzooms);
        ap_free(proxy);
        ap_free(again);
    }
    test_note("");
    ap_free(file);
}

/* A file of fewer axes has fewer that count. */
static void test_affines_of_few_axes(void)
{
    static const ap_slice plane[] = {RANGE(1, AP_NONE, 2), RANGE(AP_NONE, AP_NONE, -1), NEW, NEW};
    static const ap_slice line[] = {RANGE(4, AP_NONE, -2), NEW};
    static const ap_slice moved[] = {NEW, REST}, point[] = {AT(0)};
    static const double start[2][3] = {{4, 0, 0}, {1, 3, 0}}, step[2][3] = {{-2, 1, 1}, {2, -1, 1}};
    static const double zooms[2][4] = {{4, 1}, {4, 3, 1, 1}};
    for (int ndim = 1; ndim <= 2; ndim++) {
        nifti n = parted_header(ndim);
        ap_proxy *file = open_parted(&n);
        ap_proxy *proxy = slice_of(file, ndim == 1 ? line : plane, 2 * ndim);
        test_note("%d axes", ndim);
        check_affines(proxy, file, start[ndim - 1], step[ndim - 1]);
        check_zooms(proxy, zooms[ndim - 1], 2 * ndim);
        ap_free(proxy);
        proxy = slice_of(file, moved, 2);
        CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err), AP_ERR_UNSUPPORTED);
        ap_free(proxy);
        proxy = slice_of(file, point, 1);
        CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err), AP_ERR_UNSUPPORTED);
        ap_free(proxy);
        ap_free(file);
    }
    test_note("");
}

/* What the file has not, a slice has not. */
static void test_no_affine(void)
{
    static const ap_slice index[] = {RANGE(1, AP_NONE, 1)};
    double found[16];
    ap_proxy *file = open_counted(4, parted_shape, AP_ORDER_F), *proxy = slice_of(file, index, 1);
    CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, found, &err), AP_ERR_UNSUPPORTED);
    CHECK_STATUS(ap_zooms(proxy, found, 4, &err), AP_ERR_UNSUPPORTED);
    ap_free(proxy);
    ap_free(file);
    nifti n = parted_header(3);
    n.sform_code = 0;
    n.quatern[0] = n.quatern[1] = 1;
    file = open_parted(&n);
    proxy = slice_of(file, index, 1);
    CHECK_STATUS(ap_affine(proxy, AP_AFFINE_QFORM, found, &err), AP_ERR_HEADER);
    CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, found, &err), AP_ERR_HEADER);
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BASE, found, &err), 0);
    ap_free(proxy);
    ap_free(file);
}

/* Reshaping keeps the slice's affine; slicing what was reshaped has one only if
 * the spatial axes are still the file's. */
static void test_reshape_and_affine(void)
{
    static const ap_slice crop[] = {RANGE(1, AP_NONE, 2), RANGE(AP_NONE, AP_NONE, -1), ALL, AT(1)};
    static const ap_slice step[] = {RANGE(1, AP_NONE, 1), RANGE(AP_NONE, AP_NONE, 2), ALL};
    static const double zooms[3] = {4, 3, 4.5}, start[3] = {1, 3, 0}, steps[3] = {2, -1, 1};
    static const double begin[3] = {1, 0, 0}, by[3] = {1, 2, 1};
    nifti n = parted_header(4);
    ap_proxy *file = open_parted(&n), *proxy = slice_of(file, crop, 4), *out = NULL, *part;
    static const int64_t split[4] = {2, 2, 2, 3};
    CHECK_OK(ap_reshape(proxy, 4, split, &out, &err));
    check_affines(out, file, start, steps);
    check_zooms(out, zooms, 3);
    ap_free(out);
    ap_free(proxy);

    static const int64_t same[5] = {5, 4, 3, 1, 2}, other[3] = {5, 4, 6}, line[1] = {-1};
    CHECK_OK(ap_reshape(file, 5, same, &out, &err));
    part = slice_of(out, step, 3);
    check_affines(part, file, begin, by);
    ap_free(part);
    ap_free(out);
    CHECK_OK(ap_reshape(file, 3, other, &out, &err));
    part = slice_of(out, step, 3);
    CHECK_STATUS(ap_affine(part, AP_AFFINE_BEST, NULL, &err), AP_ERR_UNSUPPORTED);
    CHECK_STATUS(ap_affine(part, AP_AFFINE_BASE, NULL, &err), AP_ERR_UNSUPPORTED);
    CHECK_INT(ap_affine(out, AP_AFFINE_BEST, NULL, &err), 2);
    ap_free(part);
    ap_free(out);
    CHECK_OK(ap_reshape(file, 1, line, &out, &err));
    part = slice_of(out, step, 1);
    CHECK_STATUS(ap_affine(part, AP_AFFINE_SFORM, NULL, &err), AP_ERR_UNSUPPORTED);
    CHECK_INT(ap_affine(out, AP_AFFINE_SFORM, NULL, &err), 2);
    ap_free(part);
    ap_free(out);
    ap_free(file);
}

/* Steps as long as they can be. */
static void test_long_steps(void)
{
    static const int64_t steps[] = {INT64_MAX, INT64_MIN, INT64_MIN + 1, INT64_MAX / 5, 1};
    nifti n = parted_header(3);
    ap_proxy *file = open_parted(&n);
    for (int i = 0; i < COUNT(steps); i++)
        for (int k = 0; k < COUNT(steps); k++) {
            ap_slice one[3] = {ap_range(3, steps[i] < 0 ? 0 : 4, steps[i]), ap_at(1), ap_at(2)};
            ap_slice two[1] = {ap_range(AP_NONE, AP_NONE, steps[k])};
            ap_proxy *proxy = slice_of(file, one, 3), *again = slice_of(proxy, two, 1);
            int32_t out[2] = {-1, -1};
            double zoom[2] = {-1, -1};
            test_note("steps %d, %d", i, k);
            CHECK_INT(ap_size(proxy), 1);
            CHECK_INT(ap_size(again), 1);
            CHECK_OK(ap_read_all(again, AP_AUTO, 0, out, sizeof out, &err));
            CHECK_INT(out[0], 3 + 5 * (1 + 4 * 2));
            CHECK_INT(ap_zooms(proxy, zoom, 1, &err), 1);
            CHECK_REAL(zoom[0], 2 * (steps[i] < 0 ? -(double)steps[i] : (double)steps[i]));
            CHECK_INT(ap_zooms(again, zoom, 1, &err), 1);
            CHECK(zoom[0] > 0);
            ap_free(again);
            ap_free(proxy);
        }
    test_note("");
    ap_free(file);
}

int main(void)
{
    test_affines();
    test_affines_refused();
    test_affines_of_few_axes();
    test_no_affine();
    test_reshape_and_affine();
    test_long_steps();
    return test_end("partaffine");
}
