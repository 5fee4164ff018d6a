/* Reads: orders, byte orders, sources, buffers, boxes. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/numpy.h"

#include <stdlib.h>
#include <string.h>

static const int64_t shape[4] = {6, 5, 4, 3};

/* The same selections through every kind of source, both orders of storage,
 * both byte orders. */
static void test_everywhere(void)
{
    const ap_slice indices[][4] = {
        {ap_all(), ap_all(), ap_all(), ap_all()},
        {ap_at(2), ap_all(), ap_all(), ap_all()},
        {ap_all(), ap_at(-1), ap_all(), ap_all()},
        {ap_all(), ap_all(), ap_at(1), ap_all()},
        {ap_all(), ap_all(), ap_all(), ap_at(2)},
        {ap_at(3), ap_at(2), ap_at(1), ap_at(0)},
        {ap_range(AP_NONE, AP_NONE, -1), ap_range(1, 4, 1), ap_range(AP_NONE, AP_NONE, -2),
         ap_all()},
        {ap_range(1, 6, 2), ap_range(4, AP_NONE, -3), ap_all(), ap_range(2, 0, -1)},
        {ap_range(2, 3, 1), ap_range(2, 2, 1), ap_all(), ap_all()},
        {ap_newaxis(), ap_rest(), ap_at(0), ap_newaxis()},
    };
    for (int access = 0; access < ACCESSES; access++)
        for (int stored = 0; stored < 2; stored++)
            for (int byte_order = AP_LITTLE; byte_order <= AP_BIG; byte_order++) {
                bytes b = {0};
                put_fill(&b, 0xee, 7);
                put_counted(&b, 360, byte_order);
                ap_proxy *proxy =
                    layout_by(access, &b, AP_INT32, byte_order, 4, shape,
                              stored ? AP_ORDER_C : AP_ORDER_F, 7, 1, 0);
                test_note("%s, stored %c, byte order %d", access_name(access),
                          stored ? 'C' : 'F', byte_order);
                CHECK_INDEX(proxy, NULL, 0, AP_ORDER_F);
                CHECK_INDEX(proxy, NULL, 0, AP_ORDER_C);
                for (int i = 0; i < COUNT(indices); i++) {
                    CHECK_INDEX(proxy, indices[i], 4, AP_ORDER_F);
                    CHECK_INDEX(proxy, indices[i], 4, AP_ORDER_C);
                }
                ap_trim(proxy);
                CHECK_INDEX(proxy, indices[6], 4, AP_ORDER_F);
                bytes_free(&b);
                ap_free(proxy);
            }
    test_note("");
}

/* Every element size, in both byte orders and at odd offsets, as stored. */
static void test_sizes(void)
{
    static const ap_dtype types[] = {AP_INT8,    AP_UINT16,   AP_UINT32,     AP_INT64,
                                     AP_FLOAT16, AP_FLOAT32,  AP_FLOAT64,    AP_FLOAT128,
                                     AP_COMPLEX64, AP_COMPLEX128, AP_COMPLEX256, AP_RGB24,
                                     AP_RGBA32};
    static const int64_t sides[2] = {7, 5};
    unsigned char out[35 * 32], wanted[35 * 32];
    for (int i = 0; i < COUNT(types); i++)
        for (int byte_order = AP_LITTLE; byte_order <= AP_BIG; byte_order++)
            for (uint64_t offset = 0; offset < 4; offset += 3) {
                int complex = kind_of(types[i]) == KIND_COMPLEX;
                size_t size = size_of(types[i]), part = complex ? size / 2 : size;
                int swap = byte_order != native_order() && kind_of(types[i]) != KIND_RGB;
                bytes b = {0};
                put_fill(&b, 0xee, (size_t)offset);
                for (size_t k = 0; k < 35 * size; k++)
                    put_u8(&b, (unsigned)(k * 37 + k / 256) & 0x3f);
                for (size_t k = 0; k < 35 * size; k++) {
                    size_t first = k - k % part;
                    size_t from = swap ? first + part - 1 - k % part : k;
                    wanted[k] = b.data[offset + from];
                }
                ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, types[i], byte_order, 2, sides,
                                            AP_ORDER_F, offset, 1, 0);
                test_note("%s, byte order %d, offset %d", ap_dtype_name(types[i]), byte_order,
                          (int)offset);
                CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
                CHECK_BYTES(out, wanted, 35 * size);
                CHECK_OK(ap_read_all(proxy, types[i], 0, out, sizeof out, &err));
                CHECK_BYTES(out, wanted, 35 * size);
                /* A column walked back, so that elements move. */
                ap_slice back[2] = {ap_range(AP_NONE, AP_NONE, -1), ap_at(2)};
                CHECK_OK(ap_read_slice(proxy, back, 2, AP_DISK, 0, out, sizeof out, &err));
                for (size_t k = 0; k < 7; k++)
                    CHECK_BYTES(out + k * size, wanted + (14 + 6 - k) * size, size);
                ap_free(proxy);
                bytes_free(&b);
            }
    test_note("");
}

/* Longer rows, so that whole vectors and their rests are converted. */
static void test_lengths(void)
{
    int16_t out[300];
    bytes b = {0};
    for (int i = 0; i < 300; i++)
        put_int(&b, (uint64_t)(i * 7), 2, AP_BIG);
    for (int64_t n = 0; n < 300; n += n < 70 ? 1 : 23) {
        ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, AP_INT16, AP_BIG, 1, &n, AP_ORDER_F,
                                    0, 1, 0);
        int wrong = 0;
        memset(out, 0x55, sizeof out);
        CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, (size_t)n * 2, &err));
        for (int i = 0; i < 300; i++)
            wrong += out[i] != (i < n ? i * 7 : 0x5555);
        CHECK_INT(wrong, 0);
        ap_free(proxy);
    }
    bytes_free(&b);
}

/* Too small a buffer: nothing is read, and the error tells the size. */
static void test_buffer(void)
{
    ap_proxy *proxy = open_counted(4, shape, AP_ORDER_F);
    ap_slice index[2] = {ap_range(0, 2, 1), ap_rest()};
    unsigned char out[600], before[600];
    static const size_t small[] = {0, 1, 479};
    for (int i = 0; i < COUNT(small); i++) {
        memset(out, 0xa5, sizeof out);
        memcpy(before, out, sizeof out);
        CHECK_STATUS(ap_read_slice(proxy, index, 2, AP_DISK, 0, out, small[i], &err),
                     AP_ERR_BUFFER);
        CHECK_INT(err.code, AP_ERR_BUFFER);
        CHECK_INT(err.detail, 480);
        CHECK_BYTES(out, before, sizeof out);
    }
    CHECK_STATUS(ap_read_slice(proxy, index, 2, AP_DISK, 0, NULL, 0, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 480);
    CHECK_STATUS(ap_read_slice(proxy, index, 2, AP_FLOAT64, 0, NULL, 0, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 960);
    CHECK_STATUS(ap_read_slice(proxy, index, 2, AP_DISK, 0, NULL, 480, &err), AP_ERR_NULL);
    CHECK_STATUS(ap_read_all(proxy, AP_UINT8, 0, NULL, 0, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 360);
    CHECK_STATUS(ap_read_all(proxy, AP_UINT8, 0, out, 359, NULL), AP_ERR_BUFFER);

    /* A larger buffer is fine, and its end stays as it was. */
    memset(out, 0xa5, sizeof out);
    err_mark();
    CHECK_OK(ap_read_slice(proxy, index, 2, AP_DISK, 0, out, sizeof out, &err));
    CHECK(err_untouched());
    CHECK_BYTES(out + 480, before, 120);
    ap_free(proxy);
}

/* No elements: no buffer is needed, none is touched. */
static void test_empty(void)
{
    static const int64_t none[3] = {3, 0, 5};
    ap_proxy *empty = open_counted(3, none, AP_ORDER_F);
    ap_proxy *full = open_counted(4, shape, AP_ORDER_F);
    ap_slice nothing = ap_range(3, 3, 1);
    char out[4] = "abc";
    CHECK_INT(ap_size(empty), 0);
    CHECK_OK(ap_read_all(empty, AP_AUTO, 0, NULL, 0, &err));
    CHECK_OK(ap_read_all(empty, AP_FLOAT64, AP_READ_C | AP_READ_CHECKED, out, 4, &err));
    CHECK_OK(ap_read_slice(full, &nothing, 1, AP_DISK, 0, NULL, 0, &err));
    CHECK_OK(ap_read_slice(full, &nothing, 1, AP_DISK, 0, out, 4, &err));
    CHECK_BYTES(out, "abc", 4);
    CHECK_INT(ap_slice_nbytes(full, &nothing, 1, AP_DISK, 0, &err), 0);
    ap_free(empty);
    ap_free(full);
}

/* No axes: one element. */
static void test_no_axes(void)
{
    ap_proxy *proxy;
    bytes b = {0};
    int32_t out = 0;
    ap_slice rest = ap_rest(), at = ap_at(0);
    put_int(&b, 4711, 4, native_order());
    proxy = open_elements(&b, AP_INT32, 0, NULL, AP_ORDER_C);
    CHECK_INT(ap_ndim(proxy), 0);
    CHECK_INT(ap_size(proxy), 1);
    CHECK_INT(ap_shape(proxy, NULL, 0), 0);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, &out, sizeof out, &err));
    CHECK_INT(out, 4711);
    out = 0;
    CHECK_OK(ap_read_slice(proxy, &rest, 1, AP_AUTO, AP_READ_C, &out, sizeof out, &err));
    CHECK_INT(out, 4711);
    CHECK_STATUS(ap_read_slice(proxy, &at, 1, AP_AUTO, 0, &out, sizeof out, &err),
                 AP_ERR_INDEX);
    out = 0;
    CHECK_OK(ap_read_box(proxy, 0, NULL, NULL, NULL, AP_AUTO, 0, &out, sizeof out, &err));
    CHECK_INT(out, 4711);
    ap_free(proxy);
    bytes_free(&b);
}

static void test_flags(void)
{
    ap_proxy *proxy = open_counted(4, shape, AP_ORDER_F);
    static char out[360 * 16];
    static const ap_dtype unknown[] = {-1, 2, 256, 777, 1536, INT32_MAX, INT32_MIN};
    uint32_t known = AP_READ_C | AP_READ_RAW | AP_READ_ROUND | AP_READ_CHECKED;
    CHECK_OK(ap_read_all(proxy, AP_INT32, known, out, sizeof out, &err));
    for (uint32_t flag = 16; flag; flag <<= 1) {
        CHECK_STATUS(ap_read_all(proxy, AP_DISK, flag, out, sizeof out, &err), AP_ERR_ARGUMENT);
        CHECK_STATUS(ap_read_slice(proxy, NULL, 0, AP_DISK, flag | known, out, sizeof out, &err),
                     AP_ERR_ARGUMENT);
        ap_plan *plan = MARKED(ap_plan);
        CHECK_STATUS(ap_plan_new(proxy, NULL, 0, AP_DISK, flag, &plan, &err), AP_ERR_ARGUMENT);
        CHECK(plan == NULL);
    }
    for (int i = 0; i < COUNT(unknown); i++) {
        test_note("%d", unknown[i]);
        CHECK_STATUS(ap_read_all(proxy, unknown[i], 0, out, sizeof out, &err), AP_ERR_ARGUMENT);
    }
    test_note("");
    ap_free(proxy);
}

/* Boxes give what the slices with the same elements give. */
static void test_boxes(void)
{
    static const int64_t sides[3] = {5, 4, 3};
    static const struct {
        int64_t start[3], count[3], step[3];
    } boxes[] = {
        {{0, 0, 0}, {5, 4, 3}, {1, 1, 1}},  {{1, 2, 0}, {3, 1, 2}, {1, 1, 1}},
        {{4, 3, 2}, {5, 4, 3}, {-1, -1, -1}}, {{0, 3, 0}, {3, 2, 2}, {2, -3, 2}},
        {{4, 0, 1}, {1, 1, 1}, {1, 1, 1}},  {{2, 1, 0}, {1, 2, 1}, {100, 2, -100}},
        {{2, 1, 0}, {1, 1, 1}, {INT64_MAX, INT64_MIN, -1}},
        {{0, 0, 0}, {5, 0, 3}, {1, 1, 1}},
    };
    for (int stored = 0; stored < 2; stored++) {
        ap_proxy *proxy = open_counted(3, sides, stored ? AP_ORDER_C : AP_ORDER_F);
        for (int i = 0; i < COUNT(boxes); i++)
            for (uint32_t flags = 0; flags <= AP_READ_C; flags++) {
                int32_t out[60], wanted[60];
                ap_slice index[3];
                size_t n = (size_t)model_size(3, boxes[i].count) * 4;
                for (int k = 0; k < 3; k++) {
                    int64_t step = boxes[i].step[k], start = boxes[i].start[k];
                    int64_t count = boxes[i].count[k];
                    int64_t stop = count > 1 ? start + step * (count - 1) + (step > 0 ? 1 : -1)
                                             : start + (step > 0) * 2 - 1;
                    index[k] = ap_range(start, count == 0 ? start : stop < 0 ? AP_NONE : stop,
                                        step);
                }
                test_note("box %d, stored %d, flags %u", i, stored, flags);
                memset(out, 0x77, sizeof out);
                memset(wanted, 0x77, sizeof wanted);
                CHECK_OK(ap_read_slice(proxy, index, 3, AP_DISK, flags, wanted, n, &err));
                CHECK_OK(ap_read_box(proxy, 3, boxes[i].start, boxes[i].count, boxes[i].step,
                                     AP_DISK, flags, out, n, &err));
                CHECK_BYTES(out, wanted, sizeof out);
            }
        /* Without steps. */
        int32_t one[60], two[60];
        CHECK_OK(ap_read_box(proxy, 3, boxes[1].start, boxes[1].count, NULL, AP_DISK, 0, one,
                             sizeof one, &err));
        CHECK_OK(ap_read_box(proxy, 3, boxes[1].start, boxes[1].count, boxes[1].step, AP_DISK, 0,
                             two, sizeof two, &err));
        CHECK_BYTES(one, two, 24);
        CHECK_STATUS(ap_read_box(proxy, 3, boxes[0].start, boxes[0].count, NULL, AP_DISK, 0,
                                 NULL, 0, &err),
                     AP_ERR_BUFFER);
        CHECK_INT(err.detail, 240);
        ap_free(proxy);
    }
    test_note("");
}

static void check_box(const ap_proxy *proxy, int64_t start, int64_t count, int64_t step,
                      ap_status wanted)
{
    int32_t out[60];
    int64_t starts[2] = {start, 0}, counts[2] = {count, 1}, steps[2] = {step, 1};
    test_note("start %ld, count %ld, step %ld", (long)start, (long)count, (long)step);
    CHECK_STATUS(ap_read_box(proxy, 2, starts, counts, steps, AP_DISK, 0, out, sizeof out,
                             &err),
                 wanted);
    test_note("");
}

static void test_boxes_refused(void)
{
    static const int64_t sides[2] = {5, 4}, zeros[3] = {0, 0, 0}, ones[3] = {1, 1, 1};
    int32_t out[20];
    ap_proxy *proxy = open_counted(2, sides, AP_ORDER_F);
    check_box(proxy, 4, 1, 1, AP_OK);
    check_box(proxy, 5, 1, 1, AP_ERR_INDEX);
    check_box(proxy, -1, 1, 1, AP_ERR_INDEX);
    check_box(proxy, 3, 3, 1, AP_ERR_INDEX);
    check_box(proxy, 0, 6, 1, AP_ERR_INDEX);
    check_box(proxy, 1, 3, -1, AP_ERR_INDEX);
    check_box(proxy, 0, 3, 3, AP_ERR_INDEX);
    check_box(proxy, 0, 2, INT64_MAX, AP_ERR_INDEX);
    check_box(proxy, 4, 2, INT64_MIN, AP_ERR_INDEX);
    check_box(proxy, 4, 3, INT64_MAX, AP_ERR_INDEX);
    check_box(proxy, 0, INT64_MAX, 1, AP_ERR_INDEX);
    check_box(proxy, 0, INT64_MAX, INT64_MAX, AP_ERR_INDEX);
    check_box(proxy, INT64_MAX, 1, 1, AP_ERR_INDEX);
    check_box(proxy, INT64_MIN, 1, 1, AP_ERR_INDEX);
    check_box(proxy, 0, -1, 1, AP_ERR_ARGUMENT);
    check_box(proxy, 0, INT64_MIN, 1, AP_ERR_ARGUMENT);
    check_box(proxy, 0, 1, 0, AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_read_box(proxy, 1, zeros, ones, NULL, AP_DISK, 0, out, 80, &err),
                 AP_ERR_INDEX);
    CHECK_STATUS(ap_read_box(proxy, 3, zeros, ones, NULL, AP_DISK, 0, out, 80, &err),
                 AP_ERR_INDEX);
    CHECK(ap_read_box(proxy, -1, zeros, ones, NULL, AP_DISK, 0, out, 80, &err) < 0);
    CHECK_STATUS(ap_read_box(proxy, 2, NULL, ones, NULL, AP_DISK, 0, out, 80, &err),
                 AP_ERR_NULL);
    CHECK_STATUS(ap_read_box(proxy, 2, zeros, NULL, NULL, AP_DISK, 0, out, 80, &err),
                 AP_ERR_NULL);
    ap_free(proxy);
}

/* A whole NIfTI file read in both orders. */
static void test_nifti(void)
{
    static const int64_t sides[3] = {3, 2, 2};
    for (int version = 1; version <= 2; version++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++)
            for (int access = 0; access < ACCESSES; access++) {
                nifti n = nifti_new(version, order, AP_INT32, 3, sides);
                bytes data = {0}, b = {0};
                put_counted(&data, 12, order);
                put_nifti(&b, &n, data.data, data.size);
                ap_proxy *proxy = open_by(access, &b);
                test_note("NIfTI-%d, byte order %d, %s", version, order, access_name(access));
                CHECK_INDEX(proxy, NULL, 0, AP_ORDER_F);
                CHECK_INDEX(proxy, NULL, 0, AP_ORDER_C);
                ap_free(proxy);
                bytes_free(&data);
                bytes_free(&b);
            }
    test_note("");
}

int main(void)
{
    test_everywhere();
    test_sizes();
    test_lengths();
    test_buffer();
    test_empty();
    test_no_axes();
    test_flags();
    test_boxes();
    test_boxes_refused();
    test_nifti();
    return test_end("read");
}
