/* Arrays of a layout that the caller gives, and arrays seen in another shape. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/numpy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shape[3] = {4, 3, 2};

static const ap_dtype types[] = {AP_BOOL,   AP_INT8,   AP_INT16,   AP_INT32,     AP_INT64,
                                 AP_UINT8,  AP_UINT16, AP_UINT32,  AP_UINT64,    AP_FLOAT16,
                                 AP_FLOAT32, AP_FLOAT64, AP_FLOAT128, AP_COMPLEX64,
                                 AP_COMPLEX128, AP_COMPLEX256, AP_RGB24, AP_RGBA32};

/* Every type in both orders of storage and of bytes, at odd offsets. */
static void test_types(void)
{
    for (int t = 0; t < COUNT(types); t++)
        for (int order = AP_ORDER_C; order <= AP_ORDER_F; order += AP_ORDER_F - AP_ORDER_C)
            for (int byte_order = AP_LITTLE; byte_order <= AP_BIG; byte_order++) {
                size_t size = size_of(types[t]);
                ap_dtype as_float = kind_of(types[t]) == KIND_RGB ? AP_DISK : AP_FLOAT64;
                unsigned char out[24 * 8];
                bytes b = {0};
                uint64_t offset = (uint64_t)t * 3 + 1;
                put_fill(&b, 0xbb, (size_t)offset);
                for (int i = 0; i < 24; i++) {
                    number n;
                    cast(from_int(i), types[t], 0, &n);
                    if (size == 16 && types[t] == AP_FLOAT128)
                        put_quad(&b, i, byte_order);
                    else if (kind_of(types[t]) == KIND_RGB)
                        put_fill(&b, i, size);
                    else
                        put_number(&b, types[t], byte_order, n);
                }
                ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, types[t], byte_order, 3, shape,
                                            order, offset, 1, 0);
                int64_t found[3];
                test_note("%s, order %c, byte order %d", ap_dtype_name(types[t]), order,
                          byte_order);
                CHECK_INTS(found, ap_shape(proxy, found, 3), INTS(4, 3, 2));
                CHECK_INT(ap_size(proxy), 24);
                CHECK_INT(ap_disk_dtype(proxy), types[t]);
                CHECK_INT(ap_order(proxy), order);
                CHECK_INT(ap_byte_order(proxy), byte_order);
                CHECK_INT(ap_data_offset(proxy), offset);
                CHECK_TEXT(ap_format(proxy), "layout");
                CHECK_TEXT(ap_codec(proxy), "none");
                CHECK_INT(ap_is_scaled(proxy), 0);
                CHECK(ap_warning(proxy, 0) == NULL);
                uint32_t flags = order == AP_ORDER_C ? AP_READ_C : 0;
                CHECK_OK(ap_read_all(proxy, as_float, flags, out, sizeof out, &err));
                int wrong = 0;
                for (size_t i = 0; i < 24; i++)
                    if (as_float == AP_FLOAT64)
                        wrong += get_number(out + i * 8, AP_FLOAT64).re !=
                                 (types[t] == AP_BOOL ? i > 0 : i);
                    else
                        wrong += out[i * size] != i || out[i * size + size - 1] != i;
                CHECK_INT(wrong, 0);
                ap_free(proxy);
                bytes_free(&b);
            }
    test_note("");
}

static void test_no_header(void)
{
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    double affine[16], zooms[3];
    size_t size = 77;
    CHECK(ap_header(proxy, &size) == NULL);
    CHECK_INT(size, 0);
    for (int which = AP_AFFINE_BEST; which <= AP_AFFINE_BASE; which++) {
        CHECK_STATUS(ap_affine(proxy, which, affine, &err), AP_ERR_UNSUPPORTED);
        CHECK_STATUS(ap_affine(proxy, which, NULL, &err), AP_ERR_UNSUPPORTED);
    }
    CHECK_STATUS(ap_zooms(proxy, zooms, 3, &err), AP_ERR_UNSUPPORTED);
    ap_free(proxy);
}

static void check_refused(ap_dtype dtype, int byte_order, int ndim, const int64_t *sides,
                          int order, uint64_t offset, double slope, double inter)
{
    static const char byte = 0;
    ap_source *source = NULL;
    ap_proxy *proxy = MARKED(ap_proxy);
    CHECK_OK(ap_source_memory(&byte, 1, NULL, NULL, &source, &err));
    CHECK_STATUS(ap_open_layout(source, dtype, byte_order, ndim, sides, order, offset, slope,
                                inter, NULL, &proxy, &err),
                 AP_ERR_ARGUMENT);
    CHECK(proxy == NULL);
    CHECK_INT(err.code, AP_ERR_ARGUMENT);
    ap_source_free(source);
}

static void test_refused(void)
{
    static const int64_t negative[3] = {4, -1, 2};
    static const int64_t lowest_side[3] = {4, INT64_MIN, 2};
    static const int64_t wide[3] = {INT64_C(1) << 31, INT64_C(1) << 31, 2};
    static const int64_t wider[3] = {INT64_MAX, INT64_MAX, INT64_MAX};
    static const int64_t bytes_overflow[1] = {INT64_C(1) << 61};
    int64_t many[66];
    for (int i = 0; i < 66; i++)
        many[i] = 1;
    check_refused(AP_AUTO, AP_LITTLE, 3, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_DISK, AP_LITTLE, 3, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(777, AP_LITTLE, 3, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(-1, AP_LITTLE, 3, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, 0, 3, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, 3, 3, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, '<', 3, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, -1, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, INT32_MIN, shape, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 65, many, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, INT32_MAX, many, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, negative, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, lowest_side, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, wide, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, wider, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_FLOAT64, AP_LITTLE, 1, bytes_overflow, AP_ORDER_F, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, shape, 0, 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, shape, 'f', 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, shape, 'A', 0, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, shape, AP_ORDER_F, UINT64_MAX, 1, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, shape, AP_ORDER_F, 0, NAN, 0);
    check_refused(AP_INT8, AP_LITTLE, 3, shape, AP_ORDER_F, 0, INFINITY, 0);
    check_refused(AP_FLOAT32, AP_LITTLE, 3, shape, AP_ORDER_F, 0, 1, -INFINITY);
    check_refused(AP_FLOAT32, AP_LITTLE, 3, shape, AP_ORDER_F, 0, 1, NAN);
}

/* No elements, however long the other axes are. */
static void test_no_elements(void)
{
    static const int64_t none[3] = {INT64_C(1) << 40, 0, 7};
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    int64_t found[3];
    CHECK_OK(ap_source_memory("", 0, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_FLOAT64, AP_LITTLE, 3, none, AP_ORDER_C, 0, 1, 0, NULL,
                            &proxy, &err));
    CHECK_INTS(found, ap_shape(proxy, found, 3), INTS(INT64_C(1) << 40, 0, 7));
    CHECK_INT(ap_size(proxy), 0);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, NULL, 0, &err));
    ap_free(proxy);
    ap_source_free(source);
}

static void check_codec(const bytes *b, const char *option, const char *wanted)
{
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    static const int64_t eight[1] = {8};
    CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, option, &err));
    CHECK_OK(ap_source_memory(b->data, b->size, NULL, NULL, &source, &err));
    ap_status status = ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, eight, AP_ORDER_F, 0, 1, 0,
                                      o, &proxy, &err);
    if (wanted) {
        CHECK_OK(status);
        CHECK_TEXT(ap_codec(proxy), wanted);
    } else {
        /* Found when opening or, as a layout has no header, when reading. */
        unsigned char out[8];
        if (status == AP_OK)
            status = ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err);
        CHECK_STATUS(status, AP_ERR_CODEC);
    }
    ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
}

/* Elements may look like the begin of a gzip file: then they are taken for
 * one only if the first block decodes. */
static void test_looks_compressed(void)
{
    static const unsigned char bad_block[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 7, 0, 0, 0, 0,
                                              0, 0, 0, 0, 0, 0, 0, 0, 0};
    static const unsigned char bad_method[] = {0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0,
                                               0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    bytes b = {0}, good = {0};
    put(&b, bad_block, sizeof bad_block);
    check_codec(&b, "auto", "none");
    check_codec(&b, "none", "none");
    b.size = 0;
    put(&b, bad_method, sizeof bad_method);
    check_codec(&b, "auto", "none");
    check_codec(&b, "gzip", NULL);
    b.size = 0;
    put_fill(&b, 'x', 100);
    check_codec(&b, "gzip", NULL);
    put_gzip(&good, b.data, b.size, GZIP_FIXED);
    check_codec(&good, "auto", "gzip");
    check_codec(&good, "gzip", "gzip");
    check_codec(&good, "none", "none");
    bytes_free(&b);
    bytes_free(&good);
}

/* The elements of `proxy`, all of AP_INT32, in the order of storage: 0, 1, ... */
static int in_order(const ap_proxy *proxy)
{
    int64_t n = ap_size(proxy);
    int32_t *out = need((size_t)n * 4);
    int wrong = 0;
    uint32_t flags = ap_order(proxy) == AP_ORDER_C ? AP_READ_C : 0;
    CHECK_OK(ap_read_all(proxy, AP_DISK, flags, out, (size_t)n * 4, &err));
    for (int64_t i = 0; i < n; i++)
        wrong += out[i] != i;
    free(out);
    return wrong == 0;
}

static void check_reshape(const ap_proxy *proxy, int ndim, const int64_t *asked,
                          const int64_t *wanted)
{
    ap_proxy *out = NULL;
    int64_t found[AP_MAX_NDIM];
    ap_slice back[1] = {ap_range(AP_NONE, AP_NONE, -2)};
    err_mark();
    if (!CHECK_OK(ap_reshape(proxy, ndim, asked, &out, &err)))
        return;
    CHECK(err_untouched());
    test_ints(found, ap_shape(out, found, AP_MAX_NDIM), wanted, ndim, "reshape", __FILE__,
              __LINE__);
    CHECK_INT(ap_size(out), ap_size(proxy));
    CHECK_INT(ap_order(out), ap_order(proxy));
    CHECK_TEXT(ap_format(out), ap_format(proxy));
    CHECK(in_order(out));
    CHECK_INDEX(out, back, ndim ? 1 : 0, AP_ORDER_F);
    ap_free(out);
}

static void test_reshape(void)
{
    static const int64_t asked[][4] = {{24},      {-1},      {6, 4},     {6, -1},
                                       {-1, 6},   {2, 3, 4}, {1, 24, 1}, {2, -1, 2, 2},
                                       {4, 3, 2}, {24, -1},  {1, 1, -1}};
    static const int64_t wanted[][4] = {{24},      {24},      {6, 4},     {6, 4},
                                        {4, 6},    {2, 3, 4}, {1, 24, 1}, {2, 3, 2, 2},
                                        {4, 3, 2}, {24, 1},   {1, 1, 24}};
    static const int ndims[] = {1, 1, 2, 2, 2, 3, 3, 4, 3, 2, 3};
    for (int access = 0; access < ACCESSES; access++)
        for (int order = AP_ORDER_C; order <= AP_ORDER_F; order += AP_ORDER_F - AP_ORDER_C) {
            bytes b = {0};
            put_counted(&b, 24, AP_BIG);
            ap_proxy *proxy = layout_by(access, &b, AP_INT32, AP_BIG, 3, shape, order, 0, 1, 0);
            for (int i = 0; i < COUNT(asked); i++) {
                test_note("%s, order %c, case %d", access_name(access), order, i);
                check_reshape(proxy, ndims[i], asked[i], wanted[i]);
            }
            ap_free(proxy);
            bytes_free(&b);
        }
    test_note("");
}

static void test_reshape_refused(void)
{
    static const int64_t asked[][3] = {{23},       {25},        {5, -1},          {-1, -1},
                                       {-2, -12},  {-24},       {0},              {0, -1},
                                       {-1, 0},    {INT64_MAX, INT64_MAX}, {INT64_MIN},
                                       {24, 0},    {-1, 24, -1}, {-1, INT64_MAX},
                                       {INT64_C(1) << 32, INT64_C(1) << 32}};
    static const int ndims[] = {1, 1, 2, 2, 2, 1, 1, 2, 2, 2, 1, 2, 3, 2, 2};
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F), *out;
    int64_t many[66];
    for (int i = 0; i < 66; i++)
        many[i] = i == 3 ? 24 : 1;
    for (int i = 0; i < COUNT(asked); i++) {
        out = MARKED(ap_proxy);
        test_note("case %d", i);
        CHECK_STATUS(ap_reshape(proxy, ndims[i], asked[i], &out, &err), AP_ERR_ARGUMENT);
        CHECK(out == NULL);
    }
    test_note("");
    CHECK_STATUS(ap_reshape(proxy, -1, many, &out, &err), AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_reshape(proxy, 65, many, &out, &err), AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_reshape(proxy, 0, NULL, &out, &err), AP_ERR_ARGUMENT);
    CHECK(out == NULL);
    CHECK_OK(ap_reshape(proxy, 64, many, &out, &err));
    CHECK_INT(ap_ndim(out), 64);
    CHECK(in_order(out));
    ap_free(out);
    ap_free(proxy);
}

/* One element becomes no axes; no elements keep being none. */
static void test_reshape_ends(void)
{
    static const int64_t one[2] = {1, 1}, none[2] = {0, 5}, also_none[3] = {3, 0, 9};
    static const int64_t unknown[2] = {0, -1};
    ap_proxy *proxy = open_counted(2, one, AP_ORDER_F), *out = NULL, *again = NULL;
    CHECK_OK(ap_reshape(proxy, 0, NULL, &out, &err));
    CHECK_INT(ap_ndim(out), 0);
    CHECK(in_order(out));
    CHECK_OK(ap_reshape(out, 2, one, &again, &err));
    CHECK(in_order(again));
    ap_free(proxy);
    ap_free(out);
    ap_free(again);
    proxy = open_counted(2, none, AP_ORDER_F);
    CHECK_OK(ap_reshape(proxy, 3, also_none, &out, &err));
    CHECK_INT(ap_size(out), 0);
    ap_free(out);
    out = MARKED(ap_proxy);
    CHECK_STATUS(ap_reshape(proxy, 2, unknown, &out, &err), AP_ERR_ARGUMENT);
    CHECK(out == NULL);
    ap_free(proxy);
}

/* A reshaped image keeps scaling, affine, zooms, header and notes, outlives its
 * parent and can be reshaped again. */
static void test_reshape_image(void)
{
    nifti n = nifti_new(1, AP_BIG, AP_INT32, 3, shape);
    bytes data = {0}, b = {0};
    static const int64_t flat[1] = {-1}, square[2] = {12, 2};
    ap_proxy *out = NULL, *again = NULL;
    double values[24], affine[16], before[16], zooms[3];
    size_t size = 0;
    n.slope = 0.5;
    n.inter = 3;
    n.sform_code = 2;
    n.pixdim[1] = -2;
    for (int i = 0; i < 12; i++)
        n.srow[i] = i + 1;
    put_counted(&data, 24, AP_BIG);
    put_nifti(&b, &n, data.data, data.size);
    ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, before, &err), 2);
    CHECK_OK(ap_reshape(proxy, 1, flat, &out, &err));
    ap_free(proxy);
    CHECK_OK(ap_reshape(out, 2, square, &again, &err));
    ap_free(out);
    CHECK_OK(ap_read_all(again, AP_AUTO, 0, values, sizeof values, &err));
    for (int i = 0; i < 24; i++)
        CHECK_REAL(values[i], i * 0.5 + 3);
    CHECK_INT(ap_affine(again, AP_AFFINE_BEST, affine, &err), 2);
    CHECK_BYTES(affine, before, sizeof affine);
    CHECK_INT(ap_zooms(again, zooms, 3, &err), 3);
    CHECK_REAL(zooms[0], 2);
    CHECK(ap_header(again, &size) != NULL);
    CHECK_INT(size, 348);
    CHECK_TEXT(ap_format(again), "nifti1");
    CHECK_INT(ap_is_scaled(again), 1);
    CHECK(ap_warning(again, 0) != NULL);
    ap_free(again);
    bytes_free(&data);
    bytes_free(&b);
}

int main(void)
{
    test_types();
    test_no_header();
    test_refused();
    test_no_elements();
    test_looks_compressed();
    test_reshape();
    test_reshape_refused();
    test_reshape_ends();
    test_reshape_image();
    return test_end("layout");
}
