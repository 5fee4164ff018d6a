/* ap_slice_proxy: slices as arrays of their own, slices of them, and both
 * reshaped. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/parts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ELEMENTS = 5 * 4 * 3 * 2, OFFSET = 20 };

static const int64_t shape[4] = {5, 4, 3, 2};

#define ALL {AP_SLICE_RANGE, AP_NONE, AP_NONE, 1}
#define RANGE(start, stop, step) {AP_SLICE_RANGE, start, stop, step}
#define AT(i) {AP_SLICE_AT, i, 0, 1}
#define NEW {AP_SLICE_NEWAXIS, 0, 0, 1}
#define REST {AP_SLICE_ELLIPSIS, 0, 0, 1}

/* All that a slice tells and holds. The data of the file begin at `offset`. */
static void check_slice(const ap_proxy *proxy, const selection *wanted, int64_t offset)
{
    static const ap_slice turned[] = {REST, RANGE(AP_NONE, AP_NONE, -1)};
    static const ap_slice first[] = {RANGE(1, AP_NONE, 2), REST, NEW};
    int64_t found[AP_MAX_NDIM], count = 1;
    CHECK_INT(ap_ndim(proxy), wanted->ndim);
    CHECK_INTS(found, ap_shape(proxy, found, AP_MAX_NDIM), wanted->shape, wanted->ndim);
    CHECK_INT(ap_size(proxy), wanted->count);
    if (wanted->count > 0)
        CHECK_INT(ap_data_offset(proxy), offset + 4 * wanted->element[0]);
    CHECK_INT(ap_scale_shape(proxy, NULL, 0), 0);
    CHECK_INT(ap_chunk_shape(proxy, 100, found, AP_MAX_NDIM), wanted->ndim);
    for (int i = 0; i < wanted->ndim; i++) {
        CHECK(found[i] >= 1 && (found[i] <= wanted->shape[i] || found[i] == 1));
        count *= found[i];
    }
    CHECK(count <= 25);
    for (int c = 0; c < 2; c++) {
        int order = c ? AP_ORDER_C : AP_ORDER_F;
        check_part(proxy, wanted, NULL, 0, order);
        if (wanted->ndim == 0)
            continue;
        check_part(proxy, wanted, turned, 2, order);
        if (wanted->ndim < AP_MAX_NDIM)
            check_part(proxy, wanted, first, 3, order);
    }
    size_t nbytes = (size_t)wanted->count * 8;
    double *all = need(nbytes);
    int wrong = 0;
    CHECK_OK(ap_read_all(proxy, AP_FLOAT64, 0, all, nbytes, &err));
    for (int64_t i = 0; i < wanted->count; i++)
        wrong += all[i] != (double)wanted->element[i];
    CHECK_INT(wrong, 0);
    free(all);
}

/* What stays the file's. */
static void check_kept(const ap_proxy *proxy, const ap_proxy *parent)
{
    size_t size = 0, wanted = 0;
    const void *header = ap_header(parent, &wanted), *found = ap_header(proxy, &size);
    CHECK_INT(ap_disk_dtype(proxy), ap_disk_dtype(parent));
    CHECK_INT(ap_auto_dtype(proxy), ap_auto_dtype(parent));
    CHECK_INT(ap_is_scaled(proxy), ap_is_scaled(parent));
    CHECK_INT(ap_order(proxy), ap_order(parent));
    CHECK_INT(ap_byte_order(proxy), ap_byte_order(parent));
    CHECK_TEXT(ap_format(proxy), ap_format(parent));
    CHECK_TEXT(ap_codec(proxy), ap_codec(parent));
    CHECK_INT(size, wanted);
    CHECK_INT(found != NULL, header != NULL);
    if (found && header)
        CHECK_BYTES(found, header, size);
    for (int i = 0; i < 3; i++)
        CHECK_TEXT(ap_warning(proxy, i), ap_warning(parent, i));
}

static ap_proxy *slice(const ap_proxy *proxy, const ap_slice *index, int nindex)
{
    ap_proxy *out = MARKED(ap_proxy);
    err_mark();
    CHECK_OK(ap_slice_proxy(proxy, index, nindex, &out, &err));
    CHECK(err_untouched());
    return out;
}

/* Slices of slices, whose parents are gone when they are read. */
static void test_random(void)
{
    bytes b = {0};
    put_fill(&b, 0xee, OFFSET);
    put_counted(&b, ELEMENTS, native_order());
    for (int access = 0; access < ACCESSES; access++)
        for (int c = 0; c < 2; c++) {
            int order = c ? AP_ORDER_C : AP_ORDER_F;
            ap_proxy *file =
                layout_by(access, &b, AP_INT32, native_order(), 4, shape, order, OFFSET, 1, 0);
            for (int turn = 0; turn < (test_small() ? 3 : 40); turn++) {
                ap_proxy *proxy = ap_clone(file);
                selection wanted = whole_of(4, shape, order);
                for (int depth = 0; depth < 4; depth++) {
                    ap_slice index[AP_MAX_NDIM];
                    char text[500];
                    selection part;
                    int n = draw_index(&wanted, index);
                    show_index(text, sizeof text, index, n);
                    test_note("%s, order %c, turn %d, depth %d, %s", access_name(access), order,
                              turn, depth, text);
                    if (!CHECK_OK(part_of(&wanted, index, n, AP_ORDER_F, &part)))
                        break;
                    ap_proxy *next = slice(proxy, index, n);
                    check_kept(next, file);
                    ap_free(proxy);
                    free(wanted.element);
                    proxy = next;
                    wanted = part;
                    check_slice(proxy, &wanted, OFFSET);
                }
                ap_free(proxy);
                free(wanted.element);
            }
            ap_free(file);
        }
    test_note("");
    bytes_free(&b);
}

/* Every other way to read one: boxes, plans, batches, arrays. */
static void test_ways(void)
{
    static const ap_slice index[] = {RANGE(4, AP_NONE, -2), AT(1), ALL, RANGE(1, AP_NONE, 1)};
    /* a[4::-2, 1, :, 1:] of shape (3, 3, 1): x + 5 * (1 + 4 * (z + 3)). */
    ap_proxy *file = open_counted(4, shape, AP_ORDER_F), *proxy = slice(file, index, 4);
    static const int64_t start[3] = {2, 0, 0}, count[3] = {2, 2, 1}, step[3] = {-1, 2, 1};
    static const int32_t box[4] = {65, 67, 105, 107};
    static const int64_t strides[3] = {-4, 12, 100};
    int32_t out[12];
    ap_plan *plan = NULL;
    ap_array *array = NULL;
    ap_free(file);
    CHECK_OK(ap_read_box(proxy, 3, start, count, step, AP_AUTO, 0, out, 16, &err));
    CHECK_BYTES(out, box, 16);
    CHECK_STATUS(ap_read_box(proxy, 4, start, count, step, AP_AUTO, 0, out, 16, &err),
                 AP_ERR_INDEX);
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, 35, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 36);

    CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_AUTO, 0, &plan, &err));
    CHECK_OK(ap_load(proxy, NULL, 0, AP_INT16, AP_READ_C, NULL, &array, &err));
    ap_slice two[2] = {ap_at(0), ap_at(-1)};
    CHECK_OK(ap_read_batch(proxy, two, 1, 2, AP_AUTO, 0, out, 24, NULL, NULL, &err));
    static const int32_t batch[6] = {69, 89, 109, 65, 85, 105};
    CHECK_BYTES(out, batch, 24);
    ap_free(proxy);

    int64_t found[3];
    CHECK_INTS(found, ap_plan_shape(plan, found, 3), INTS(3, 3, 1));
    CHECK_INT(ap_plan_nbytes(plan), 36);
    CHECK_OK(ap_plan_read(plan, out, 36, 8, strides, NULL, &err));
    static const int32_t turned[9] = {65, 67, 69, 85, 87, 89, 105, 107, 109};
    CHECK_BYTES(out, turned, 36);
    ap_plan_free(plan);

    CHECK_INTS(found, ap_array_shape(array, found, 3), INTS(3, 3, 1));
    static const int16_t rows[9] = {69, 89, 109, 67, 87, 107, 65, 85, 105};
    CHECK_BYTES(ap_array_data(array), rows, sizeof rows);
    ap_array_free(array);
}

/* The elements in the memory that they came from. */
static void test_view(void)
{
    static const ap_slice index[] = {ALL, RANGE(3, AP_NONE, -2), AT(2)};
    bytes b = {0};
    ap_source *source = NULL;
    ap_proxy *file = NULL;
    ap_array *array = NULL;
    put_counted(&b, ELEMENTS, native_order());
    CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_INT32, native_order(), 4, shape, AP_ORDER_F, 0, 1, 0, NULL,
                            &file, &err));
    ap_source_free(source);
    ap_proxy *proxy = slice(file, index, 3);
    ap_free(file);
    CHECK_OK(ap_view(proxy, NULL, 0, 0, &array, &err));
    ap_free(proxy);
    int64_t found[3];
    CHECK(ap_array_data(array) == b.data + 4 * (3 * 5 + 2 * 20));
    CHECK_INTS(found, ap_array_shape(array, found, 3), INTS(5, 2, 2));
    CHECK_INTS(found, ap_array_strides(array, found, 3), INTS(4, -40, 240));
    ap_array_free(array);
    bytes_free(&b);
}

static nifti image(int ndim)
{
    static const double rows[12] = {1.5, 0.25, -3, 10, 2, -4, 0.5, 20, 0, 1, 8, -30.75};
    nifti n = nifti_new(2, AP_BIG, AP_INT32, ndim, shape);
    n.pixdim[1] = 2;
    n.pixdim[2] = 3;
    n.pixdim[3] = 4.5;
    n.pixdim[4] = 1.25;
    n.sform_code = 2;
    memcpy(n.srow, rows, sizeof rows);
    n.qform_code = 1;
    n.quatern[2] = 0.6;
    n.qoffset[0] = -7;
    return n;
}

static ap_proxy *open_image(const nifti *n, int64_t count)
{
    bytes data = {0}, b = {0};
    put_counted(&data, count, n->order);
    put_nifti(&b, n, data.data, data.size);
    ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
    bytes_free(&data);
    bytes_free(&b);
    return proxy;
}

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
    nifti n = image(4);
    ap_proxy *file = open_image(&n, ELEMENTS);
    for (int i = 0; i < COUNT(cases); i++) {
        ap_proxy *proxy = slice(file, cases[i].index, cases[i].nindex);
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
    ap_proxy *first = slice(file, one, 3), *second = slice(first, two, 4);
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
    nifti n = image(4);
    ap_proxy *file = open_image(&n, ELEMENTS);
    for (int i = 0; i < COUNT(cases); i++) {
        ap_proxy *proxy = slice(file, cases[i].index, cases[i].nindex);
        ap_slice back = ap_rest();
        ap_proxy *again = slice(proxy, &back, 1);
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
        nifti n = image(ndim);
        ap_proxy *file = open_image(&n, model_size(ndim, shape));
        ap_proxy *proxy = slice(file, ndim == 1 ? line : plane, 2 * ndim);
        test_note("%d axes", ndim);
        check_affines(proxy, file, start[ndim - 1], step[ndim - 1]);
        check_zooms(proxy, zooms[ndim - 1], 2 * ndim);
        ap_free(proxy);
        proxy = slice(file, moved, 2);
        CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err), AP_ERR_UNSUPPORTED);
        ap_free(proxy);
        proxy = slice(file, point, 1);
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
    ap_proxy *file = open_counted(4, shape, AP_ORDER_F), *proxy = slice(file, index, 1);
    CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, found, &err), AP_ERR_UNSUPPORTED);
    CHECK_STATUS(ap_zooms(proxy, found, 4, &err), AP_ERR_UNSUPPORTED);
    ap_free(proxy);
    ap_free(file);
    nifti n = image(3);
    n.sform_code = 0;
    n.quatern[0] = n.quatern[1] = 1;
    file = open_image(&n, 60);
    proxy = slice(file, index, 1);
    CHECK_STATUS(ap_affine(proxy, AP_AFFINE_QFORM, found, &err), AP_ERR_HEADER);
    CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, found, &err), AP_ERR_HEADER);
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BASE, found, &err), 0);
    ap_free(proxy);
    ap_free(file);
}

/* Factors and notes go along. */
static void test_scaled(void)
{
    static const ap_slice index[] = {RANGE(3, 0, -1), AT(2), REST, AT(-1)};
    nifti n = image(4);
    n.slope = 0.5;
    n.inter = -3;
    n.qform_code = 99;
    ap_proxy *file = open_image(&n, ELEMENTS), *proxy = slice(file, index, 4);
    double slope = 0, inter = 0, out[9];
    CHECK_INT(ap_is_scaled(proxy), 1);
    CHECK_INT(ap_auto_dtype(proxy), AP_FLOAT64);
    CHECK(ap_warning(proxy, 0) != NULL);
    check_kept(proxy, file);
    CHECK_INT(ap_scale_shape(proxy, NULL, 0), 0);
    CHECK_OK(ap_scale_factors(proxy, &slope, &inter, 1, &err));
    CHECK_REAL(slope, 0.5);
    CHECK_REAL(inter, -3);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    for (int x = 0; x < 3; x++)
        for (int z = 0; z < 3; z++)
            CHECK_REAL(out[x + 3 * z], 0.5 * (3 - x + 5 * (2 + 4 * (z + 3))) - 3);
    ap_free(proxy);
    ap_free(file);
}

typedef struct {
    ap_slice index[4];
    int nindex;
    int ndim;
    int64_t sides[5];
    ap_status status;
} reshape_case;

static void check_reshapes(const int64_t *sides, int ndim, int order, const reshape_case *cases,
                           int count)
{
    int64_t full[4];
    /* In row-major order the same, with the axes turned round. */
    for (int k = 0; k < ndim; k++)
        full[k] = sides[order == AP_ORDER_F ? k : ndim - 1 - k];
    ap_proxy *file = open_counted(ndim, full, order);
    for (int i = 0; i < count; i++) {
        selection whole = whole_of(ndim, full, order), part;
        const reshape_case *one = cases + i;
        ap_slice index[4];
        int64_t asked[5];
        char text[200];
        for (int k = 0; k < one->nindex; k++)
            index[k] = one->index[order == AP_ORDER_F ? k : one->nindex - 1 - k];
        for (int k = 0; k < one->ndim; k++)
            asked[k] = one->sides[order == AP_ORDER_F ? k : one->ndim - 1 - k];
        show_index(text, sizeof text, index, one->nindex);
        test_note("order %c, case %d, %s", order, i, text);
        CHECK_OK(part_of(&whole, index, one->nindex, AP_ORDER_F, &part));
        ap_proxy *proxy = slice(file, index, one->nindex), *out = MARKED(ap_proxy);
        CHECK_STATUS(ap_reshape(proxy, one->ndim, asked, &out, &err), one->status);
        ap_free(proxy);
        if (one->status == AP_OK && out) {
            selection wanted = reshaped_part(&part, order, one->ndim, asked);
            check_slice(out, &wanted, 0);
            /* And a slice of that. */
            ap_slice turned = ap_range(AP_NONE, AP_NONE, -2);
            ap_proxy *again = slice(out, &turned, 1);
            selection last;
            CHECK_OK(part_of(&wanted, &turned, 1, AP_ORDER_F, &last));
            check_slice(again, &last, 0);
            ap_free(again);
            free(last.element);
            free(wanted.element);
            ap_free(out);
        } else {
            CHECK(out == NULL);
        }
        free(whole.element);
        free(part.element);
    }
    test_note("");
    ap_free(file);
}

/* As NumPy does it without a copy. */
static void test_reshape(void)
{
    static const reshape_case cases[] = {
        /* Whole volumes are one block. */
        {{ALL, ALL, ALL, RANGE(1, 2, 1)}, 4, 1, {60}, AP_OK},
        {{ALL, ALL, ALL, AT(1)}, 4, 2, {5, 12}, AP_OK},
        {{ALL, ALL, ALL, RANGE(1, 2, 1)}, 4, 5, {1, 10, 1, 2, 3}, AP_OK},
        {{ALL, ALL, ALL, RANGE(AP_NONE, AP_NONE, -1)}, 4, 3, {4, 15, 2}, AP_OK},
        {{ALL, ALL, ALL, RANGE(AP_NONE, AP_NONE, -1)}, 4, 1, {120}, AP_ERR_UNSUPPORTED},
        /* Half of the rows of each plane. */
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 3, {10, 3, 2}, AP_OK},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 3, {5, 2, 6}, AP_OK},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 5, {2, 5, 1, 2, 3}, AP_OK},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 3, {5, 6, 2}, AP_ERR_UNSUPPORTED},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 1, {60}, AP_ERR_UNSUPPORTED},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 3, {4, 5, 3}, AP_ERR_UNSUPPORTED},
        /* Every other element of the fastest axis. */
        {{RANGE(AP_NONE, AP_NONE, 2), ALL, ALL, ALL}, 4, 2, {3, 24}, AP_OK},
        {{RANGE(AP_NONE, AP_NONE, 2), ALL, ALL, ALL}, 4, 2, {12, 6}, AP_ERR_UNSUPPORTED},
        /* One index of the fastest axis: what is left is evenly spaced. */
        {{AT(2), ALL, ALL, ALL}, 4, 1, {24}, AP_OK},
        {{RANGE(2, 3, 1), ALL, ALL, ALL}, 4, 4, {3, 2, 2, 2}, AP_OK},
        {{AT(2), RANGE(AP_NONE, AP_NONE, 2), ALL, ALL}, 4, 2, {12, 1}, AP_OK},
        {{AT(2), RANGE(AP_NONE, 2, 1), ALL, ALL}, 4, 2, {12, 1}, AP_ERR_UNSUPPORTED},
        {{AT(2), AT(1), AT(2), AT(0)}, 4, 3, {1, 1, 1}, AP_OK},
        /* No elements, no bounds; but as many of them. */
        {{ALL, RANGE(2, 2, 1), ALL, ALL}, 4, 3, {7, 0, 2}, AP_OK},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 1, {59}, AP_ERR_ARGUMENT},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 2, {7, -1}, AP_ERR_ARGUMENT},
        {{ALL, RANGE(1, 3, 1), ALL, ALL}, 4, 2, {-1, -1}, AP_ERR_ARGUMENT},
    };
    static const int64_t plane[2] = {8, 3};
    static const reshape_case planes[] = {
        {{RANGE(AP_NONE, AP_NONE, 2), ALL}, 2, 3, {2, 2, 3}, AP_OK},
        {{RANGE(1, AP_NONE, 2), ALL}, 2, 1, {12}, AP_OK},
        {{RANGE(1, AP_NONE, 2), ALL}, 2, 2, {3, 4}, AP_OK},
        {{RANGE(1, AP_NONE, 3), ALL}, 2, 1, {9}, AP_ERR_UNSUPPORTED},
        {{RANGE(AP_NONE, AP_NONE, -1), RANGE(AP_NONE, AP_NONE, -1)}, 2, 1, {24}, AP_OK},
        {{RANGE(AP_NONE, AP_NONE, -2), RANGE(AP_NONE, AP_NONE, -1)}, 2, 2, {6, 2}, AP_OK},
        {{RANGE(AP_NONE, AP_NONE, -1), ALL}, 2, 1, {24}, AP_ERR_UNSUPPORTED},
        {{RANGE(AP_NONE, AP_NONE, -1), ALL}, 2, 3, {2, 4, 3}, AP_OK},
        {{RANGE(AP_NONE, AP_NONE, -1), NEW, ALL}, 3, 3, {4, 2, 3}, AP_OK},
    };
    for (int c = 0; c < 2; c++) {
        int order = c ? AP_ORDER_C : AP_ORDER_F;
        check_reshapes(shape, 4, order, cases, COUNT(cases));
        check_reshapes(plane, 2, order, planes, COUNT(planes));
    }
    /* A length that is left out. */
    static const ap_slice last[] = {REST, AT(1)};
    static const int64_t left[2] = {-1, 6};
    ap_proxy *file = open_counted(4, shape, AP_ORDER_F), *proxy = slice(file, last, 2), *out;
    int64_t found[2];
    CHECK_OK(ap_reshape(proxy, 2, left, &out, &err));
    CHECK_INTS(found, ap_shape(out, found, 2), INTS(10, 6));
    ap_free(out);
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
    nifti n = image(4);
    ap_proxy *file = open_image(&n, ELEMENTS), *proxy = slice(file, crop, 4), *out = NULL, *part;
    static const int64_t split[4] = {2, 2, 2, 3};
    CHECK_OK(ap_reshape(proxy, 4, split, &out, &err));
    check_affines(out, file, start, steps);
    check_zooms(out, zooms, 3);
    ap_free(out);
    ap_free(proxy);

    static const int64_t same[5] = {5, 4, 3, 1, 2}, other[3] = {5, 4, 6}, line[1] = {-1};
    CHECK_OK(ap_reshape(file, 5, same, &out, &err));
    part = slice(out, step, 3);
    check_affines(part, file, begin, by);
    ap_free(part);
    ap_free(out);
    CHECK_OK(ap_reshape(file, 3, other, &out, &err));
    part = slice(out, step, 3);
    CHECK_STATUS(ap_affine(part, AP_AFFINE_BEST, NULL, &err), AP_ERR_UNSUPPORTED);
    CHECK_STATUS(ap_affine(part, AP_AFFINE_BASE, NULL, &err), AP_ERR_UNSUPPORTED);
    CHECK_INT(ap_affine(out, AP_AFFINE_BEST, NULL, &err), 2);
    ap_free(part);
    ap_free(out);
    CHECK_OK(ap_reshape(file, 1, line, &out, &err));
    part = slice(out, step, 1);
    CHECK_STATUS(ap_affine(part, AP_AFFINE_SFORM, NULL, &err), AP_ERR_UNSUPPORTED);
    CHECK_INT(ap_affine(out, AP_AFFINE_SFORM, NULL, &err), 2);
    ap_free(part);
    ap_free(out);
    ap_free(file);
}

/* How often the caller's function was called. */
typedef struct {
    const bytes *b;
    int calls;
} counted;

static int64_t read_counted(void *user, void *buf, size_t len, uint64_t offset)
{
    counted *c = user;
    c->calls++;
    if (offset >= c->b->size)
        return 0;
    if (len > c->b->size - offset)
        len = c->b->size - (size_t)offset;
    memcpy(buf, c->b->data + offset, len);
    return (int64_t)len;
}

static int64_t size_counted(void *user)
{
    return (int64_t)((counted *)user)->b->size;
}

static void test_nothing_is_read(void)
{
    static const ap_slice index[] = {RANGE(AP_NONE, AP_NONE, -1), AT(1), REST};
    bytes b = {0};
    put_counted(&b, ELEMENTS, native_order());
    counted c = {&b, 0};
    ap_source *source = NULL;
    ap_proxy *file = NULL;
    CHECK_OK(ap_source_callbacks(read_counted, size_counted, NULL, &c, 0, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_INT32, native_order(), 4, shape, AP_ORDER_F, 0, 1, 0, NULL,
                            &file, &err));
    ap_source_free(source);
    int calls = c.calls;
    ap_proxy *proxy = slice(file, index, 3), *again = slice(proxy, index, 3), *clone;
    int64_t flat[1] = {-1};
    ap_proxy *line = NULL;
    ap_slice volume[2] = {ap_rest(), ap_at(1)};
    ap_proxy *block = slice(file, volume, 2);
    CHECK_OK(ap_reshape(block, 1, flat, &line, &err));
    clone = ap_clone(again);
    CHECK_INT(ap_size(again), 5 * 2);
    CHECK_INT(c.calls, calls);
    int32_t one = -1;
    ap_slice at[2] = {ap_at(0), ap_at(1)};
    CHECK_OK(ap_read_slice(clone, at, 2, AP_AUTO, 0, &one, 4, &err));
    CHECK_INT(one, 0 + 5 * (1 + 4 * (1 + 3)));
    CHECK(c.calls > calls);
    ap_free(block);
    ap_free(line);
    ap_free(clone);
    ap_free(again);
    ap_free(proxy);
    ap_free(file);
    bytes_free(&b);
}

/* A slice is made of a file that is gone; reading it fails. */
static void test_file_gone(void)
{
    static const ap_slice index[] = {RANGE(1, AP_NONE, 1)};
    nifti n = image(4);
    bytes data = {0};
    ap_options *o = ap_options_new();
    ap_proxy *file = NULL;
    int32_t out[ELEMENTS];
    put_counted(&data, ELEMENTS, n.order);
    write_nifti(temp_path("gone.nii"), &n, data.data, data.size);
    CHECK_OK(ap_options_parse(o, "keep_open=0,mmap=0", &err));
    CHECK_OK(ap_open(temp_path("gone.nii"), o, &file, &err));
    CHECK(remove(temp_path("gone.nii")) == 0);
    ap_proxy *proxy = slice(file, index, 1);
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err), AP_ERR_NOT_FOUND);
    CHECK_PART(err.message, "gone.nii");
    ap_free(proxy);
    ap_free(file);
    ap_options_free(o);
    bytes_free(&data);
}

/* Limits on results hold for slices too; what is missing of the data matters
 * only if it is asked for. */
static void test_limits(void)
{
    static const int64_t line[1] = {120}, vast[3] = {1 << 20, 1 << 20, 1 << 10};
    bytes b = {0};
    put_fill(&b, 9, 120);
    uint8_t out[240];
    ap_source *source = source_by(ACCESS_MEMORY, &b);
    ap_options *o = ap_options_new();
    ap_proxy *file = NULL;
    ap_slice most = ap_range(1, AP_NONE, 1), rest = ap_rest();
    CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 119, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, line, AP_ORDER_F, 0, 1, 0, o, &file,
                            &err));
    ap_proxy *all = slice(file, &rest, 1), *part = slice(file, &most, 1);
    CHECK_STATUS(ap_read_all(all, AP_AUTO, 0, out, sizeof out, &err), AP_ERR_MEMORY);
    CHECK_OK(ap_read_all(part, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_STATUS(ap_read_all(part, AP_INT16, 0, out, sizeof out, &err), AP_ERR_MEMORY);
    ap_free(all);
    ap_free(part);
    ap_free(file);

    static const ap_slice near[] = {RANGE(119, AP_NONE, -1), AT(0), AT(0)};
    static const ap_slice far[] = {AT(-1), RANGE(AP_NONE, AP_NONE, -1), RANGE(5, 900, 3)};
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 3, vast, AP_ORDER_F, 0, 1, 0, NULL, &file,
                            &err));
    ap_proxy *there = slice(file, near, 3), *missing = slice(file, far, 3);
    ap_free(file);
    CHECK_OK(ap_read_all(there, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_INT(out[119], 9);
    int64_t found[2];
    CHECK_INTS(found, ap_shape(missing, found, 2), INTS(1 << 20, 299));
    ap_array *array = MARKED(ap_array);
    CHECK_STATUS(ap_load(missing, NULL, 0, AP_AUTO, 0, NULL, &array, &err), AP_ERR_TRUNCATED);
    CHECK(array == NULL);
    ap_free(there);
    ap_free(missing);
    ap_source_free(source);
    ap_options_free(o);
    bytes_free(&b);
}

/* Steps as long as they can be. */
static void test_long_steps(void)
{
    static const int64_t steps[] = {INT64_MAX, INT64_MIN, INT64_MIN + 1, INT64_MAX / 5, 1};
    nifti n = image(3);
    ap_proxy *file = open_image(&n, 60);
    for (int i = 0; i < COUNT(steps); i++)
        for (int k = 0; k < COUNT(steps); k++) {
            ap_slice one[3] = {ap_range(3, steps[i] < 0 ? 0 : 4, steps[i]), ap_at(1), ap_at(2)};
            ap_slice two[1] = {ap_range(AP_NONE, AP_NONE, steps[k])};
            ap_proxy *proxy = slice(file, one, 3), *again = slice(proxy, two, 1);
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

/* The seek index and the cache are the file's, whoever fills them. */
static void test_shared(void)
{
    static const ap_slice index[] = {REST, AT(1)};
    bytes b = {0};
    put_counted(&b, ELEMENTS, native_order());
    ap_proxy *file = layout_by(ACCESS_MEMBERS, &b, AP_INT32, native_order(), 4, shape, AP_ORDER_F,
                               0, 1, 0);
    ap_proxy *proxy = slice(file, index, 2);
    int64_t found[3], wanted[3];
    CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
    CHECK_OK(ap_seekindex_info(file, wanted, wanted + 1, wanted + 2, &err));
    CHECK_OK(ap_seekindex_info(proxy, found, found + 1, found + 2, &err));
    CHECK_INTS(found, 3, wanted, 3);
    CHECK(found[1] >= 4 * ELEMENTS);
    ap_trim(proxy);
    selection whole = whole_of(4, shape, AP_ORDER_F), part;
    CHECK_OK(part_of(&whole, index, 2, AP_ORDER_F, &part));
    ap_free(file);
    ap_trim(proxy);
    check_slice(proxy, &part, 0);
    ap_free(proxy);
    free(whole.element);
    free(part.element);
    bytes_free(&b);
}

static void test_refused(void)
{
    static const struct {
        ap_slice index[5];
        int nindex;
        ap_status status;
    } cases[] = {
        {{AT(5)}, 1, AP_ERR_INDEX},
        {{ALL, AT(-5)}, 2, AP_ERR_INDEX},
        {{ALL, ALL, ALL, ALL, ALL}, 5, AP_ERR_INDEX},
        {{REST, REST}, 2, AP_ERR_INDEX},
        {{RANGE(0, 1, 0)}, 1, AP_ERR_ARGUMENT},
        {{{77, 0, 0, 1}}, 1, AP_ERR_ARGUMENT},
        {{ALL}, -1, AP_ERR_ARGUMENT},
    };
    ap_proxy *file = open_counted(4, shape, AP_ORDER_F), *out;
    for (int i = 0; i < COUNT(cases); i++) {
        test_note("case %d", i);
        out = MARKED(ap_proxy);
        CHECK_STATUS(ap_slice_proxy(file, cases[i].index, cases[i].nindex, &out, &err),
                     cases[i].status);
        CHECK_INT(err.code, cases[i].status);
        CHECK(out == NULL);
        out = MARKED(ap_proxy);
        CHECK_STATUS(ap_slice_proxy(file, cases[i].index, cases[i].nindex, &out, NULL),
                     cases[i].status);
        CHECK(out == NULL);
    }
    test_note("");
    /* The slice's own shape counts. */
    ap_slice head[1] = {ap_range(0, 2, 1)}, third[1] = {ap_at(2)};
    ap_proxy *part = slice(file, head, 1);
    CHECK_STATUS(ap_slice_proxy(part, third, 1, &out, &err), AP_ERR_INDEX);
    CHECK_STATUS(ap_read_slice(part, third, 1, AP_AUTO, 0, NULL, 0, &err), AP_ERR_INDEX);
    ap_free(part);

    ap_slice many[AP_MAX_NDIM];
    for (int i = 0; i < AP_MAX_NDIM; i++)
        many[i] = ap_newaxis();
    CHECK_STATUS(ap_slice_proxy(file, many, 61, &out, &err), AP_ERR_INDEX);
    part = slice(file, many, 60);
    CHECK_INT(ap_ndim(part), 64);
    CHECK_STATUS(ap_slice_proxy(part, many, 1, &out, &err), AP_ERR_INDEX);
    for (int i = 0; i < AP_MAX_NDIM; i++)
        many[i] = ap_at(i < 61 ? 0 : 1);
    ap_proxy *element = slice(part, many, 64);
    int32_t value = -1;
    CHECK_INT(ap_ndim(element), 0);
    CHECK_OK(ap_read_all(element, AP_AUTO, 0, &value, 4, &err));
    CHECK_INT(value, 0 + 5 * (1 + 4 * (1 + 3)));
    ap_free(element);
    ap_free(part);

    ap_slice all = ap_all();
    for (int with = 0; with < 2; with++) {
        ap_error *e = with ? &err : NULL;
        out = MARKED(ap_proxy);
        CHECK_STATUS(ap_slice_proxy(NULL, &all, 1, &out, e), AP_ERR_NULL);
        CHECK(out == NULL);
        out = MARKED(ap_proxy);
        CHECK_STATUS(ap_slice_proxy(file, NULL, 1, &out, e), AP_ERR_NULL);
        CHECK(out == NULL);
        CHECK_STATUS(ap_slice_proxy(file, &all, 1, NULL, e), AP_ERR_NULL);
        CHECK_OK(ap_slice_proxy(file, NULL, 0, &out, e));
        CHECK_INT(ap_size(out), ELEMENTS);
        ap_free(out);
    }
    ap_free(file);
}

/* Many threads slice one handle, each its own way, and free in their order. */
enum { THREADS = 4 };

typedef struct {
    ap_proxy *file;
    int number, wrong;
} job;

static void *slice_and_read(void *given)
{
    job *j = given;
    ap_error mine;
    for (int turn = 0; turn < (test_small() ? 10 : 200); turn++) {
        int x = (j->number + turn) % 5, v = turn % 2;
        ap_slice volume[2] = {ap_rest(), ap_at(v)};
        ap_slice column[2] = {ap_at(x), ap_range(AP_NONE, AP_NONE, -1)};
        ap_proxy *one = NULL, *two = NULL, *line = NULL;
        const int64_t flat[1] = {60};
        int32_t out[60];
        j->wrong += ap_slice_proxy(j->file, volume, 2, &one, &mine) != AP_OK;
        j->wrong += ap_slice_proxy(one, column, 2, &two, &mine) != AP_OK;
        j->wrong += ap_reshape(one, 1, flat, &line, &mine) != AP_OK;
        ap_free(one);
        j->wrong += ap_read_all(two, AP_AUTO, 0, out, sizeof out, &mine) != AP_OK;
        for (int i = 0; i < 12; i++)
            j->wrong += out[i] != x + 5 * (3 - i % 4 + 4 * (i / 4 + 3 * v));
        j->wrong += ap_read_all(line, AP_AUTO, 0, out, sizeof out, &mine) != AP_OK;
        for (int i = 0; i < 60; i++)
            j->wrong += out[i] != i + 60 * v;
        if (turn % 16 == 3)
            ap_trim(line);
        ap_free(line);
        ap_free(two);
    }
    return NULL;
}

static void test_threads(void)
{
    bytes b = {0};
    put_counted(&b, ELEMENTS, native_order());
    for (int access = 0; access < ACCESSES; access++) {
        job jobs[THREADS];
        pthread_t threads[THREADS];
        ap_proxy *file = layout_by(access, &b, AP_INT32, native_order(), 4, shape, AP_ORDER_F, 0,
                                   1, 0);
        test_note("%s", access_name(access));
        for (int i = 0; i < THREADS; i++) {
            jobs[i].file = file;
            jobs[i].number = i;
            jobs[i].wrong = 0;
            if (pthread_create(&threads[i], NULL, slice_and_read, &jobs[i]))
                abort();
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            CHECK_INT(jobs[i].wrong, 0);
        }
        ap_free(file);
    }
    test_note("");
    bytes_free(&b);
}

int main(void)
{
    test_random();
    test_ways();
    test_view();
    test_affines();
    test_affines_refused();
    test_affines_of_few_axes();
    test_no_affine();
    test_scaled();
    test_reshape();
    test_reshape_and_affine();
    test_nothing_is_read();
    test_file_gone();
    test_limits();
    test_long_steps();
    test_shared();
    test_refused();
    test_threads();
    return test_end("sliceproxy");
}
