/* ap_slice_proxy: slices as arrays of their own, and slices of them. */
#include "test.h"
#include "support/access.h"
#include "support/entries.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/parts.h"

#include <stdlib.h>

enum { OFFSET = 20 };

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

/* Slices of slices, whose parents are gone when they are read. */
static void test_random(void)
{
    bytes b = {0};
    put_fill(&b, 0xee, OFFSET);
    put_counted(&b, PARTED, native_order());
    for (int access = 0; access < ACCESSES; access++)
        for (int c = 0; c < 2; c++) {
            int order = c ? AP_ORDER_C : AP_ORDER_F;
            ap_proxy *file = layout_by(access, &b, AP_INT32, native_order(), 4, parted_shape,
                                       order, OFFSET, 1, 0);
            for (int turn = 0; turn < (test_small() ? 3 : 40); turn++) {
                ap_proxy *proxy = ap_clone(file);
                selection wanted = whole_of(4, parted_shape, order);
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
                    ap_proxy *next = slice_of(proxy, index, n);
                    check_kept(next, file);
                    ap_free(proxy);
                    free(wanted.element);
                    proxy = next;
                    wanted = part;
                    check_slice_proxy(proxy, &wanted, OFFSET);
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
    ap_proxy *file = open_counted(4, parted_shape, AP_ORDER_F), *proxy = slice_of(file, index, 4);
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
    put_counted(&b, PARTED, native_order());
    CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_INT32, native_order(), 4, parted_shape, AP_ORDER_F, 0, 1, 0,
                            NULL, &file, &err));
    ap_source_free(source);
    ap_proxy *proxy = slice_of(file, index, 3);
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

/* Factors and notes go along. */
static void test_scaled(void)
{
    static const ap_slice index[] = {RANGE(3, 0, -1), AT(2), REST, AT(-1)};
    nifti n = parted_header(4);
    n.slope = 0.5;
    n.inter = -3;
    n.qform_code = 99;
    ap_proxy *file = open_parted(&n), *proxy = slice_of(file, index, 4);
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
    ap_proxy *all = slice_of(file, &rest, 1), *part = slice_of(file, &most, 1);
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
    ap_proxy *there = slice_of(file, near, 3), *missing = slice_of(file, far, 3);
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
    ap_proxy *file = open_counted(4, parted_shape, AP_ORDER_F), *out;
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
    ap_proxy *part = slice_of(file, head, 1);
    CHECK_STATUS(ap_slice_proxy(part, third, 1, &out, &err), AP_ERR_INDEX);
    CHECK_STATUS(ap_read_slice(part, third, 1, AP_AUTO, 0, NULL, 0, &err), AP_ERR_INDEX);
    ap_free(part);

    ap_slice many[AP_MAX_NDIM];
    for (int i = 0; i < AP_MAX_NDIM; i++)
        many[i] = ap_newaxis();
    CHECK_STATUS(ap_slice_proxy(file, many, 61, &out, &err), AP_ERR_INDEX);
    part = slice_of(file, many, 60);
    CHECK_INT(ap_ndim(part), 64);
    CHECK_STATUS(ap_slice_proxy(part, many, 1, &out, &err), AP_ERR_INDEX);
    for (int i = 0; i < AP_MAX_NDIM; i++)
        many[i] = ap_at(i < 61 ? 0 : 1);
    ap_proxy *element = slice_of(part, many, 64);
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
        CHECK_INT(ap_size(out), PARTED);
        ap_free(out);
    }
    ap_free(file);
}

int main(void)
{
    test_random();
    test_ways();
    test_view();
    test_scaled();
    test_limits();
    test_refused();
    return test_end("sliceproxy");
}
