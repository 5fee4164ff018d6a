/* Parts of series: scaling, slices, other shapes and affines. */
#include "test.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/parts.h"
#include "support/volumes.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    double slope, inter;
} factors;

/* Files of 16 bits, with factors of their own. */
static ap_proxy *open_scaled(const factors *f, int n, const char *options)
{
    const char *paths[8];
    for (int i = 0; i < n; i++) {
        nifti header = nifti_new(2, AP_LITTLE, AP_INT16, 3, volume_shape);
        bytes data = {0};
        char name[30];
        header.slope = f[i].slope;
        header.inter = f[i].inter;
        for (int e = 0; e < VOXELS; e++)
            put_int(&data, (uint64_t)(e - 5 + 100 * i), 2, AP_LITTLE);
        snprintf(name, sizeof name, "scaled%d.nii", i);
        paths[i] = temp_path(name);
        write_nifti(paths[i], &header, data.data, data.size);
        bytes_free(&data);
    }
    return open_paths(paths, n, options);
}

/* Scaling is each file's own. */
static void test_scaling(void)
{
    static const factors own[5] = {{1, 0}, {0.5, -3}, {0, 9}, {-2, 0}, {1, 7}};
    static const int scaled[5] = {0, 1, 0, 1, 1};
    ap_proxy *proxy = open_scaled(own, 5, "open_files=2");
    double slope[6], inter[6], out[VOXELS * 5];
    int64_t found[4];
    CHECK_INT(ap_is_scaled(proxy), 1);
    CHECK_INT(ap_disk_dtype(proxy), AP_INT16);
    CHECK_INT(ap_auto_dtype(proxy), AP_FLOAT64);
    CHECK_INTS(found, ap_scale_shape(proxy, found, 4), INTS(1, 1, 1, 5));
    slope[5] = inter[5] = -777;
    CHECK_OK(ap_scale_factors(proxy, slope, inter, 5, &err));
    CHECK_STATUS(ap_scale_factors(proxy, slope, inter, 4, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 5 * sizeof(double));
    for (int i = 0; i < 5; i++) {
        CHECK_REAL(slope[i], scaled[i] ? own[i].slope : 1);
        CHECK_REAL(inter[i], scaled[i] ? own[i].inter : 0);
    }
    CHECK_REAL(slope[5], -777);
    CHECK_REAL(inter[5], -777);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    for (int i = 0; i < 5; i++)
        for (int e = 0; e < VOXELS; e++)
            CHECK_REAL(out[e + VOXELS * i], (e - 5 + 100 * i) * slope[i] + inter[i]);

    /* One voxel of all, the last file first; raw; cast. */
    ap_slice column[4] = {ap_at(3), ap_at(2), ap_at(1), ap_range(AP_NONE, AP_NONE, -1)};
    int16_t few[5];
    CHECK_INT(ap_slice_nbytes(proxy, column, 4, AP_AUTO, 0, &err), 40);
    CHECK_OK(ap_read_slice(proxy, column, 4, AP_AUTO, 0, out, sizeof out, &err));
    for (int i = 0; i < 5; i++)
        CHECK_REAL(out[4 - i], (18 + 100 * i) * slope[i] + inter[i]);
    CHECK_INT(ap_slice_nbytes(proxy, column, 4, AP_DISK, 0, &err), 10);
    CHECK_OK(ap_read_slice(proxy, column, 4, AP_DISK, 0, few, sizeof few, &err));
    for (int i = 0; i < 5; i++)
        CHECK_INT(few[4 - i], 18 + 100 * i);
    CHECK_OK(ap_read_slice(proxy, column, 4, AP_FLOAT64, AP_READ_RAW, out, sizeof out, &err));
    for (int i = 0; i < 5; i++)
        CHECK_REAL(out[4 - i], 18 + 100 * i);
    CHECK_OK(ap_read_slice(proxy, column, 4, AP_INT16, 0, few, sizeof few, &err));
    for (int i = 0; i < 5; i++)
        CHECK_INT(few[4 - i], (int)((18 + 100 * i) * slope[i] + inter[i]));

    /* Of the files that are left. */
    ap_slice odd[3] = {ap_all(), ap_rest(), ap_range(AP_NONE, AP_NONE, -2)};
    ap_slice one[2] = {ap_rest(), ap_at(1)};
    ap_proxy *part = NULL;
    CHECK_OK(ap_slice_proxy(proxy, odd, 3, &part, &err));
    CHECK_INTS(found, ap_scale_shape(part, found, 4), INTS(1, 1, 1, 3));
    CHECK_OK(ap_scale_factors(part, slope, inter, 3, &err));
    CHECK_REAL(slope[0], 1);
    CHECK_REAL(inter[0], 7);
    CHECK_REAL(inter[1], 0);
    ap_free(part);
    CHECK_OK(ap_slice_proxy(proxy, one, 2, &part, &err));
    CHECK_INT(ap_scale_shape(part, found, 4), 0);
    CHECK_OK(ap_scale_factors(part, slope, inter, 1, &err));
    CHECK_REAL(slope[0], 0.5);
    CHECK_REAL(inter[0], -3);
    CHECK_INT(ap_auto_dtype(part), AP_FLOAT64);
    CHECK_OK(ap_read_all(part, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_REAL(out[7], 0.5 * 102 - 3);
    ap_free(part);
    ap_free(proxy);

    /* All the same, or none. */
    static const factors same[3] = {{0.25, 1}, {0.25, 1}, {0.25, 1}}, none[2] = {{1, 0}, {0, 5}};
    proxy = open_scaled(same, 3, "");
    CHECK_INT(ap_scale_shape(proxy, found, 4), 0);
    CHECK_INT(ap_is_scaled(proxy), 1);
    CHECK_OK(ap_scale_factors(proxy, slope, inter, 1, &err));
    CHECK_REAL(slope[0], 0.25);
    CHECK_REAL(inter[0], 1);
    ap_free(proxy);
    proxy = open_scaled(none, 2, "");
    CHECK_INT(ap_scale_shape(proxy, found, 4), 0);
    CHECK_INT(ap_is_scaled(proxy), 0);
    CHECK_INT(ap_auto_dtype(proxy), AP_INT16);
    CHECK_OK(ap_scale_factors(proxy, slope, inter, 1, &err));
    CHECK_REAL(slope[0], 1);
    CHECK_REAL(inter[0], 0);
    ap_free(proxy);
}

/* Slices of slices, as proxies, of series in their own and in other shapes. */
static void check_slices(const ap_proxy *proxy, const selection *whole, int turns)
{
    check_part(proxy, whole, NULL, 0, AP_ORDER_F);
    check_part(proxy, whole, NULL, 0, AP_ORDER_C);
    for (int turn = 0; turn < turns; turn++) {
        ap_proxy *from = ap_clone(proxy);
        selection part = *whole;
        for (int depth = 0; depth < 3; depth++) {
            ap_slice index[AP_MAX_NDIM];
            int64_t found[AP_MAX_NDIM];
            char text[500];
            selection next;
            ap_proxy *sliced = MARKED(ap_proxy);
            int n = draw_index(&part, index);
            show_index(text, sizeof text, index, n);
            test_note("turn %d, depth %d, %s", turn, depth, text);
            CHECK_OK(part_of(&part, index, n, AP_ORDER_F, &next));
            check_part(from, &part, index, n, turn % 2 ? AP_ORDER_C : AP_ORDER_F);
            CHECK_OK(ap_slice_proxy(from, index, n, &sliced, &err));
            ap_free(from);
            if (depth)
                free(part.element);
            from = sliced;
            part = next;
            CHECK_INTS(found, ap_shape(from, found, AP_MAX_NDIM), part.shape, part.ndim);
            CHECK_INT(ap_size(from), part.count);
            check_part(from, &part, NULL, 0, AP_ORDER_F);
        }
        ap_free(from);
        free(part.element);
    }
    test_note("");
}

static void test_slices(void)
{
    enum { N = 6 };
    static const int64_t sides[4] = {4, 3, 2, N};
    static const struct {
        int ndim;
        int64_t sides[5], wanted[5];
    } shapes[] = {
        {2, {VOXELS, N}, {VOXELS, N}},
        {2, {-1, N}, {VOXELS, N}},
        {3, {4, 3, 2 * N}, {4, 3, 2 * N}},
        {5, {4, 3, 2, N / 2, 2}, {4, 3, 2, N / 2, 2}},
        {5, {4, 3, 2, 2, -1}, {4, 3, 2, 2, N / 2}},
        {2, {12, 2 * N}, {12, 2 * N}},
        {5, {2, 2, 3, 2, N}, {2, 2, 3, 2, N}},
        {4, {4, 3, 2, N}, {4, 3, 2, N}},
    };
    static const int64_t irregular[][2] = {{9, 16}, {16, 9}, {18, 8}};
    ap_proxy *proxy = open_volumes(N, 2, "open_files=2");
    selection whole = whole_of(4, sides, AP_ORDER_F);
    int turns = test_small() ? 3 : 40;
    check_slices(proxy, &whole, turns);
    for (int i = 0; i < COUNT(shapes); i++) {
        ap_proxy *out = MARKED(ap_proxy);
        int64_t found[5];
        test_note("shape %d", i);
        if (!CHECK_OK(ap_reshape(proxy, shapes[i].ndim, shapes[i].sides, &out, &err)))
            continue;
        CHECK_INTS(found, ap_shape(out, found, 5), shapes[i].wanted, shapes[i].ndim);
        selection other = reshaped_part(&whole, AP_ORDER_F, shapes[i].ndim, shapes[i].wanted);
        check_slices(out, &other, turns / 3);
        /* And back. */
        ap_proxy *again = NULL;
        CHECK_OK(ap_reshape(out, 4, sides, &again, &err));
        check_volumes(again);
        ap_free(again);
        ap_free(out);
        free(other.element);
    }
    for (int i = 0; i < COUNT(irregular); i++) {
        ap_proxy *out = MARKED(ap_proxy);
        test_note("irregular %d", i);
        CHECK_STATUS(ap_reshape(proxy, 2, irregular[i], &out, &err), AP_ERR_UNSUPPORTED);
        CHECK(out == NULL);
    }
    test_note("");
    static const int64_t wrong[2] = {7, 21};
    ap_proxy *out = MARKED(ap_proxy);
    CHECK_STATUS(ap_reshape(proxy, 2, wrong, &out, &err), AP_ERR_ARGUMENT);
    CHECK(out == NULL);
    free(whole.element);
    ap_free(proxy);
}

/* A slice has the affine of the voxels left, whatever files are left. */
static void test_affine(void)
{
    ap_proxy *proxy = open_volumes(5, 1, ""), *part = NULL;
    ap_slice index[4] = {ap_range(1, AP_NONE, 2), ap_all(), ap_range(AP_NONE, AP_NONE, -1),
                         ap_range(AP_NONE, AP_NONE, -2)};
    ap_slice one[2] = {ap_rest(), ap_at(3)}, dropped[1] = {ap_at(0)};
    double whole[16], found[16], zooms[4];
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, whole, &err), 2);
    CHECK_OK(ap_slice_proxy(proxy, index, 4, &part, &err));
    CHECK_INT(ap_affine(part, AP_AFFINE_BEST, found, &err), 2);
    for (int row = 0; row < 3; row++) {
        const double *a = whole + 4 * row;
        CHECK_NEAR(found[4 * row], 2 * a[0], 1e-9);
        CHECK_NEAR(found[4 * row + 1], a[1], 1e-9);
        CHECK_NEAR(found[4 * row + 2], -a[2], 1e-9);
        CHECK_NEAR(found[4 * row + 3], a[3] + a[0] + a[2], 1e-9);
    }
    CHECK_INT(ap_zooms(part, zooms, 4, &err), 4);
    CHECK_REAL(zooms[0], 4);
    CHECK_REAL(zooms[1], 3);
    CHECK_REAL(zooms[2], 4.5);
    ap_free(part);
    CHECK_OK(ap_slice_proxy(proxy, one, 2, &part, &err));
    CHECK_INT(ap_affine(part, AP_AFFINE_BEST, found, &err), 2);
    CHECK_BYTES(found, whole, sizeof whole);
    CHECK_INT(ap_zooms(part, zooms, 4, &err), 3);
    ap_free(part);
    CHECK_OK(ap_slice_proxy(proxy, dropped, 1, &part, &err));
    CHECK_STATUS(ap_affine(part, AP_AFFINE_BEST, NULL, &err), AP_ERR_UNSUPPORTED);
    ap_free(part);
    ap_free(proxy);
}

int main(void)
{
    test_scaling();
    test_slices();
    test_affine();
    return test_end("seriesparts");
}
