/* Views of a small array in memory and in files. */
#include "views.h"
#include "access.h"
#include "entries.h"
#include "numpy.h"

#include <stdlib.h>
#include <string.h>

const int64_t viewed_shape[3] = {9, 7, 5};

void put_viewed(bytes *b, int byte_order)
{
    put_fill(b, 0x77, VIEWED_AT);
    put_counted(b, VIEWED, byte_order);
}

ap_proxy *open_parsed(const ap_source *source, ap_dtype dtype, int byte_order, int ndim,
                      const int64_t *sides, int order, uint64_t offset, double slope,
                      const char *options)
{
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_parse(o, options, &err));
    CHECK_OK(ap_open_layout(source, dtype, byte_order, ndim, sides, order, offset, slope, 0, o,
                            &proxy, &err));
    ap_options_free(o);
    return proxy;
}

ap_proxy *open_viewed_memory(const void *data, size_t size, int order)
{
    ap_source *source = NULL;
    CHECK_OK(ap_source_memory(data, size, NULL, NULL, &source, &err));
    ap_proxy *proxy =
        open_parsed(source, AP_INT32, native_order(), 3, viewed_shape, order, VIEWED_AT, 1, "");
    ap_source_free(source);
    return proxy;
}

const char *write_viewed(const char *name)
{
    bytes b = {0};
    put_viewed(&b, native_order());
    write_bytes(temp_path(name), &b);
    bytes_free(&b);
    return temp_path(name);
}

ap_proxy *open_viewed(const char *path, int order, const char *options)
{
    ap_source *source = NULL;
    CHECK_OK(ap_source_file(path, &source, &err));
    ap_proxy *proxy = open_parsed(source, AP_INT32, native_order(), 3, viewed_shape, order,
                                  VIEWED_AT, 1, options);
    ap_source_free(source);
    return proxy;
}

ap_array *view_of(const ap_proxy *proxy, const ap_slice *index, int nindex, uint32_t flags)
{
    ap_array *array = NULL;
    err_mark();
    if (CHECK_OK(ap_view(proxy, index, nindex, flags, &array, &err)))
        CHECK(err_untouched());
    return array;
}

void check_no_view(ap_status wanted, const ap_proxy *proxy, const ap_slice *index, int nindex,
                   uint32_t flags)
{
    ap_array *array = MARKED(ap_array);
    err_mark();
    CHECK_STATUS(ap_view(proxy, index, nindex, flags, &array, &err), wanted);
    CHECK_INT(err.code, wanted);
    CHECK(array == NULL);
}

int32_t read_first(const ap_proxy *proxy)
{
    ap_slice first[3] = {ap_at(0), ap_at(0), ap_at(0)};
    int32_t value = -1;
    CHECK_OK(ap_read_slice(proxy, first, 3, AP_DISK, 0, &value, sizeof value, &err));
    return value;
}

/* The last two have no elements. */
static const ap_slice selections[][3] = {
    {ALL, ALL, ALL},
    {AT(3), AT(-1), AT(2)},
    {ALL, ALL, AT(4)},
    {AT(0), ALL, ALL},
    {BACK, BACK, BACK},
    {RANGE(8, AP_NONE, -3), RANGE(1, 6, 2), AT(4)},
    {RANGE(2, 100, 5), BACK, RANGE(4, 1, -2)},
    {NEW, REST, RANGE(1, 4, 1)},
    {REST, NEW, AT(2)},
    {RANGE(2, 2, 1), ALL, ALL},
    {NEW, REST, RANGE(4, 0, 1)},
};

void check_views(const ap_proxy *proxy, uint32_t flags, uint32_t wanted_flags, const char *base)
{
    for (int i = 0; i < COUNT(selections); i++) {
        selection s;
        int64_t found[8], strides[8];
        CHECK_OK(model_select(3, viewed_shape, ap_order(proxy), selections[i], 3, AP_ORDER_F, &s));
        ap_array *array = view_of(proxy, selections[i], 3, flags);
        CHECK_INT(ap_array_dtype(array), AP_INT32);
        CHECK_INTS(found, ap_array_shape(array, found, 8), s.shape, s.ndim);
        CHECK_INT(ap_array_strides(array, strides, 8), s.ndim);
        const char *data = ap_array_data(array);
        CHECK_INT(data != NULL, s.count > 0);
        if (s.count == 0) {
            for (int k = 0; k < s.ndim; k++)
                CHECK_INT(strides[k], 0);
        } else {
            CHECK_INT(ap_array_flags(array), wanted_flags);
            CHECK_INT((uintptr_t)data % 4, 0);
            if (base)
                CHECK(data == base + 4 * s.element[0]);
        }
        int64_t at[8] = {0}, wrong = 0;
        for (int64_t e = 0; e < s.count && data; e++) {
            const char *p = data;
            int32_t value;
            for (int k = 0; k < s.ndim; k++)
                p += at[k] * strides[k];
            memcpy(&value, p, 4);
            wrong += value != s.element[e];
            for (int k = 0; k < s.ndim && ++at[k] == s.shape[k]; k++)
                at[k] = 0;
        }
        CHECK_INT(wrong, 0);
        ap_array_free(array);
        free(s.element);
    }
}
