/* ap_load: selections in memory of the library's. */
#include "test.h"
#include "support/access.h"
#include "support/entries.h"
#include "support/numbers.h"
#include "support/numpy.h"

#include <stdlib.h>
#include <string.h>

static const int64_t shape[3] = {9, 7, 5};
enum { ELEMENTS = 9 * 7 * 5 };

/* Selections of results with 0 to 4 axes, one without elements. */
static const ap_slice selections[][3] = {
    {ALL, ALL, ALL},
    {AT(3), AT(-1), AT(2)},
    {RANGE(8, AP_NONE, -3), ALL, AT(4)},
    {NEW, REST, RANGE(1, 4, 1)},
    {RANGE(2, 2, 1), ALL, ALL},
};

static void check_load(const ap_proxy *proxy, const ap_slice *index, ap_dtype dtype,
                       uint32_t flags)
{
    selection s;
    int order = flags & AP_READ_C ? AP_ORDER_C : AP_ORDER_F;
    CHECK_OK(model_select(3, shape, ap_order(proxy), index, 3, order, &s));
    ap_array *array = MARKED(ap_array);
    err_mark();
    CHECK_OK(ap_load(proxy, index, 3, dtype, flags, NULL, &array, &err));
    CHECK(err_untouched());
    CHECK_INT(ap_array_dtype(array), dtype);
    CHECK_INT(ap_array_flags(array), 0);

    int64_t found[8], strides[8], wanted[8], step = (int64_t)size_of(dtype);
    int ndim = ap_array_shape(array, found, 8);
    CHECK_INTS(found, ndim, s.shape, s.ndim);
    for (int k = 0; k < ndim; k++) {
        int axis = order == AP_ORDER_C ? ndim - 1 - k : k;
        wanted[axis] = s.count > 0 ? step : 0;
        step *= s.shape[axis];
    }
    CHECK_INTS(strides, ap_array_strides(array, strides, 8), wanted, ndim);
    CHECK_INT(ap_array_shape(array, NULL, 0), ndim);
    CHECK_INT(ap_array_strides(array, NULL, 0), ndim);

    char *data = ap_array_data(array);
    CHECK_INT(data != NULL, s.count > 0);
    CHECK_INT((uintptr_t)data % 64, 0);
    number values[ELEMENTS];
    for (int64_t e = 0; e < s.count; e++)
        values[e] = from_int(s.element[e]);
    CHECK_CASTS(data, dtype, flags, values, (int)s.count);
    /* The memory is the caller's. */
    if (s.count > 0)
        memset(data, 0xa5, (size_t)s.count * size_of(dtype));
    ap_array_free(array);
    free(s.element);
}

static void test_values(void)
{
    static const ap_dtype dtypes[] = {AP_INT32, AP_FLOAT64, AP_INT8, AP_COMPLEX64};
    for (int order = 0; order < 2; order++) {
        ap_proxy *proxy = open_counted(3, shape, order ? AP_ORDER_C : AP_ORDER_F);
        for (int i = 0; i < COUNT(selections); i++)
            for (int d = 0; d < COUNT(dtypes); d++) {
                test_note("order %d, selection %d, type %d", order, i, d);
                check_load(proxy, selections[i], dtypes[d], 0);
                check_load(proxy, selections[i], dtypes[d], AP_READ_C);
            }
        ap_free(proxy);
    }
}

/* Each array is new memory, and outlives the proxy. */
static void test_apart(void)
{
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    ap_array *a = NULL, *b = NULL;
    CHECK_OK(ap_load(proxy, NULL, 0, AP_AUTO, 0, NULL, &a, &err));
    CHECK_OK(ap_load(proxy, NULL, 0, AP_AUTO, 0, NULL, &b, &err));
    ap_free(proxy);
    CHECK(ap_array_data(a) != ap_array_data(b));
    memset(ap_array_data(a), 0, 4 * ELEMENTS);
    ap_array_free(a);
    int32_t *values = ap_array_data(b);
    for (int i = 0; i < ELEMENTS; i++)
        CHECK_INT(values[i], i);
    ap_array_free(b);
}

static void test_refused(void)
{
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    ap_slice far = ap_at(9);
    ap_array *array = MARKED(ap_array);
    CHECK_STATUS(ap_load(proxy, &far, 1, AP_AUTO, 0, NULL, &array, &err), AP_ERR_INDEX);
    CHECK(array == NULL);
    array = MARKED(ap_array);
    CHECK_STATUS(ap_load(proxy, NULL, 0, AP_RGB24, 0, NULL, &array, &err), AP_ERR_UNSUPPORTED);
    CHECK(array == NULL);
    ap_free(proxy);
}

/* A limit on results, and a file that is too short, before memory is taken. */
static void test_limits(void)
{
    static const int64_t vast[3] = {1 << 20, 1 << 20, 1 << 10};
    bytes b = {0};
    put_fill(&b, 1, 120);
    ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, AP_UINT8, AP_LITTLE, 3, vast, AP_ORDER_F, 0, 1,
                                0);
    ap_array *array = MARKED(ap_array);
    CHECK_STATUS(ap_load(proxy, NULL, 0, AP_AUTO, 0, NULL, &array, &err), AP_ERR_TRUNCATED);
    CHECK(array == NULL);
    /* With its slowest axis the fastest of the result. */
    array = MARKED(ap_array);
    CHECK_STATUS(ap_load(proxy, NULL, 0, AP_AUTO, AP_READ_C, NULL, &array, &err),
                 AP_ERR_TRUNCATED);
    CHECK(array == NULL);
    ap_free(proxy);

    static const int64_t small[1] = {120};
    ap_options *o = ap_options_new();
    ap_source *source = source_by(ACCESS_MEMORY, &b);
    CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 119, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, small, AP_ORDER_F, 0, 1, 0, o, &proxy,
                            &err));
    ap_slice part = ap_range(1, AP_NONE, 1);
    array = MARKED(ap_array);
    CHECK_STATUS(ap_load(proxy, NULL, 0, AP_AUTO, 0, NULL, &array, &err), AP_ERR_MEMORY);
    CHECK(array == NULL);
    CHECK_OK(ap_load(proxy, &part, 1, AP_AUTO, 0, NULL, &array, &err));
    ap_array_free(array);
    ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
    bytes_free(&b);
}

/* As large as takes large pages, and runs across the source. */
static void test_large(void)
{
    static const int64_t large[3] = {130, 90, 120};
    enum { COUNT_LARGE = 130 * 90 * 120 };
    ap_proxy *proxy = open_counted(3, large, AP_ORDER_F);
    ap_array *array = NULL;
    for (int c = 0; c < 2; c++) {
        CHECK_OK(ap_load(proxy, NULL, 0, AP_FLOAT64, c ? AP_READ_C : 0, NULL, &array, &err));
        const double *values = ap_array_data(array);
        CHECK_INT((uintptr_t)values % 64, 0);
        int wrong = 0;
        for (int i = 0; i < COUNT_LARGE; i++) {
            int x = i / (120 * 90), y = i / 120 % 90, z = i % 120;
            wrong += values[i] != (c ? x + 130 * (y + 90 * z) : i);
        }
        CHECK_INT(wrong, 0);
        ap_array_free(array);
    }
    ap_free(proxy);
}

int main(void)
{
    test_values();
    test_apart();
    test_refused();
    test_limits();
    test_large();
    return test_end("load");
}
