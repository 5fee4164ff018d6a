/* Plans: what they tell, and reads into strided memory. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/numpy.h"

#include <stdlib.h>
#include <string.h>

static const int64_t shape[3] = {5, 4, 3};

static ap_plan *make_plan(const ap_proxy *proxy, const ap_slice *index, int n, ap_dtype dtype,
                          uint32_t flags)
{
    ap_plan *plan = NULL;
    err_mark();
    CHECK_OK(ap_plan_new(proxy, index, n, dtype, flags, &plan, &err));
    CHECK(err_untouched());
    CHECK(plan != NULL);
    return plan;
}

static void test_told(void)
{
    static const struct {
        ap_dtype asked;
        uint32_t flags;
        ap_dtype wanted;
    } cases[] = {{AP_AUTO, 0, AP_INT32},
                 {AP_DISK, 0, AP_INT32},
                 {AP_AUTO, AP_READ_RAW, AP_INT32},
                 {AP_FLOAT32, AP_READ_C, AP_FLOAT32},
                 {AP_COMPLEX128, 0, AP_COMPLEX128},
                 {AP_BOOL, AP_READ_CHECKED, AP_BOOL}};
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    ap_slice index[3] = {ap_at(1), ap_newaxis(), ap_range(3, AP_NONE, -2)};
    for (int i = 0; i < COUNT(cases); i++) {
        ap_plan *plan = make_plan(proxy, index, 3, cases[i].asked, cases[i].flags);
        CHECK_INT(ap_plan_dtype(plan), cases[i].wanted);
        CHECK_INT(ap_plan_nbytes(plan), 6 * (int64_t)size_of(cases[i].wanted));
        for (int capacity = 0; capacity <= 5; capacity++) {
            static const int64_t wanted[3] = {1, 2, 3};
            int64_t found[5] = {-9, -9, -9, -9, -9};
            CHECK_INT(ap_plan_shape(plan, found, capacity), 3);
            for (int k = 0; k < 5; k++)
                CHECK_INT(found[k], k < 3 && k < capacity ? wanted[k] : -9);
        }
        CHECK_INT(ap_plan_shape(plan, NULL, 0), 3);
        CHECK_STATUS(ap_plan_shape(plan, NULL, 1), AP_ERR_NULL);
        CHECK_STATUS(ap_plan_shape(plan, NULL, -1), AP_ERR_ARGUMENT);
        ap_plan_free(plan);
    }
    ap_free(proxy);
}

/* Scaled data: the type that the read gives, never AP_AUTO or AP_DISK. */
static void test_told_scaled(void)
{
    bytes b = {0};
    put_fill(&b, 1, 120);
    ap_proxy *proxy = layout_by(ACCESS_MEMORY, &b, AP_INT16, AP_LITTLE, 3, shape, AP_ORDER_F, 0,
                                2, 1);
    ap_plan *a = make_plan(proxy, NULL, 0, AP_AUTO, 0);
    ap_plan *c = make_plan(proxy, NULL, 0, AP_AUTO, AP_READ_RAW);
    ap_plan *d = make_plan(proxy, NULL, 0, AP_DISK, 0);
    CHECK_INT(ap_plan_dtype(a), AP_FLOAT64);
    CHECK_INT(ap_plan_nbytes(a), 480);
    CHECK_INT(ap_plan_dtype(c), AP_INT16);
    CHECK_INT(ap_plan_dtype(d), AP_INT16);
    CHECK_INT(ap_plan_nbytes(d), 120);
    ap_plan_free(a);
    ap_plan_free(c);
    ap_plan_free(d);
    ap_free(proxy);
    bytes_free(&b);
}

static void test_cost(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT32, 3, shape);
    bytes data = {0}, b = {0};
    ap_slice last[3] = {ap_at(4), ap_at(3), ap_at(2)};
    ap_slice first[3] = {ap_at(0), ap_at(0), ap_at(0)};
    ap_slice volume[2] = {ap_rest(), ap_at(1)};
    ap_slice none = ap_range(0, 0, 1);
    put_counted(&data, 60, AP_LITTLE);
    put_nifti(&b, &n, data.data, data.size);
    for (int access = 0; access < ACCESSES; access++) {
        int packed = access_compressed(access);
        ap_proxy *proxy = open_by(access, &b);
        ap_plan *plans[5] = {make_plan(proxy, NULL, 0, AP_AUTO, 0),
                             make_plan(proxy, last, 3, AP_FLOAT64, 0),
                             make_plan(proxy, volume, 2, AP_UINT8, AP_READ_C),
                             make_plan(proxy, first, 3, AP_UINT8, 0),
                             make_plan(proxy, &none, 1, AP_DISK, 0)};
        test_note("%s", access_name(access));
        CHECK_INT(ap_plan_cost(plans[0]), packed ? 352 + 240 : 240);
        CHECK_INT(ap_plan_cost(plans[4]), 0);
        if (packed) {
            CHECK_INT(ap_plan_cost(plans[1]), 352 + 240);
            CHECK_INT(ap_plan_cost(plans[2]), 352 + 160);
            CHECK_INT(ap_plan_cost(plans[3]), 352 + 4);
        } else {
            CHECK(ap_plan_cost(plans[1]) >= 4 && ap_plan_cost(plans[1]) <= 240);
            CHECK(ap_plan_cost(plans[2]) >= 80 && ap_plan_cost(plans[2]) <= 240);
            CHECK(ap_plan_cost(plans[3]) >= 4 && ap_plan_cost(plans[3]) <= 240);
        }
        for (int i = 0; i < 5; i++)
            ap_plan_free(plans[i]);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&data);
    bytes_free(&b);
}

/* Packed reads, at the start and further on; bytes around stay as they are. */
static void test_packed(void)
{
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    ap_slice index[2] = {ap_range(1, 4, 1), ap_range(AP_NONE, AP_NONE, -1)};
    for (uint32_t flags = 0; flags <= AP_READ_C; flags++)
        for (size_t offset = 0; offset < 5; offset++) {
            ap_plan *plan = make_plan(proxy, index, 2, AP_DISK, flags);
            unsigned char out[160];
            int32_t wanted[36];
            size_t n = (size_t)ap_plan_nbytes(plan);
            int wrong = 0;
            CHECK_INT(n, 144);
            CHECK_OK(ap_read_slice(proxy, index, 2, AP_DISK, flags, wanted, n, &err));
            memset(out, 0xa5, sizeof out);
            CHECK_OK(ap_plan_read(plan, out, sizeof out, offset, NULL, NULL, &err));
            CHECK_BYTES(out + offset, wanted, n);
            for (size_t i = 0; i < sizeof out; i++)
                wrong += (i < offset || i >= offset + n) && out[i] != 0xa5;
            CHECK_INT(wrong, 0);
            /* It fits exactly, or not at all. */
            memset(out, 0xa5, sizeof out);
            CHECK_OK(ap_plan_read(plan, out, offset + n, offset, NULL, NULL, &err));
            memset(out, 0xa5, sizeof out);
            CHECK_STATUS(ap_plan_read(plan, out, offset + n - 1, offset, NULL, NULL, &err),
                         AP_ERR_BUFFER);
            CHECK_INT(err.detail, offset + n);
            for (size_t i = 0; i < sizeof out; i++)
                wrong += out[i] != 0xa5;
            CHECK_INT(wrong, 0);
            ap_plan_free(plan);
        }
    ap_free(proxy);
}

/* The offset of the first element and the bytes that the elements span, when
 * axes in the order `axes` lie `gap` bytes further apart than need be and
 * those in `backwards` run back. */
static size_t lay_out(const int64_t *lengths, const int *axes, int backwards, int64_t size,
                      int64_t gap, int64_t *strides, size_t *offset)
{
    int64_t stride = size + gap, first = 0, span = size;
    for (int k = 0; k < 3; k++) {
        int axis = axes[k];
        int64_t reach = stride * (lengths[axis] - 1);
        strides[axis] = backwards >> axis & 1 ? -stride : stride;
        if (backwards >> axis & 1)
            first += reach;
        span += reach;
        stride = stride * lengths[axis] + gap;
    }
    *offset = (size_t)first;
    return (size_t)span;
}

/* Compare with a packed read; gaps and both sides must hold 0xa5. */
static void check_strided(const ap_plan *plan, const unsigned char *packed, const int64_t *lengths,
                          size_t size, const int64_t *strides, size_t offset, size_t span)
{
    enum { SIDE = 16 };
    unsigned char *out = need(span + 2 * SIDE), *wanted = need(span + 2 * SIDE);
    memset(out, 0xa5, span + 2 * SIDE);
    memset(wanted, 0xa5, span + 2 * SIDE);
    for (int64_t k = 0; k < lengths[2]; k++)
        for (int64_t j = 0; j < lengths[1]; j++)
            for (int64_t i = 0; i < lengths[0]; i++) {
                int64_t at = (int64_t)offset + i * strides[0] + j * strides[1] + k * strides[2];
                memcpy(wanted + SIDE + at, packed, size);
                packed += size;
            }
    CHECK_OK(ap_plan_read(plan, out + SIDE, span, offset, strides, NULL, &err));
    CHECK_BYTES(out, wanted, span + 2 * SIDE);

    /* One byte less on either side is refused, and nothing is written. */
    memset(out, 0xa5, span + 2 * SIDE);
    memset(wanted, 0xa5, span + 2 * SIDE);
    CHECK_STATUS(ap_plan_read(plan, out + SIDE, span - 1, offset, strides, NULL, &err),
                 AP_ERR_BUFFER);
    CHECK_INT(err.detail, span);
    if (offset > 0)
        CHECK_STATUS(ap_plan_read(plan, out + SIDE, span, offset - 1, strides, NULL, &err),
                     AP_ERR_ARGUMENT);
    CHECK_BYTES(out, wanted, span + 2 * SIDE);
    free(out);
    free(wanted);
}

/* All orders of axes, all signs, with and without gaps, several sizes. */
static void test_strided(void)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1},
                                     {2, 1, 0}};
    static const ap_dtype types[] = {AP_DISK, AP_UINT8, AP_INT16, AP_FLOAT64, AP_COMPLEX64,
                                     AP_COMPLEX128};
    static const ap_slice indices[][3] = {
        {{0, AP_NONE, AP_NONE, 1}, {0, AP_NONE, AP_NONE, 1}, {0, AP_NONE, AP_NONE, 1}},
        {{0, AP_NONE, AP_NONE, -2}, {0, 1, AP_NONE, 1}, {0, AP_NONE, AP_NONE, -1}},
    };
    for (int access = 0; access < ACCESSES; access += ACCESS_GZIP)
        for (int t = 0; t < COUNT(types); t++)
            for (int x = 0; x < COUNT(indices); x++) {
                unsigned char packed[60 * 16];
                int64_t lengths[3];
                bytes b = {0};
                put_counted(&b, 60, AP_BIG);
                ap_proxy *proxy = layout_by(access, &b, AP_INT32, AP_BIG, 3, shape, AP_ORDER_F,
                                            0, 1, 0);
                ap_plan *plan = make_plan(proxy, indices[x], 3, types[t],
                                          x ? AP_READ_C : 0);
                size_t size = size_of(ap_plan_dtype(plan));
                ap_plan_shape(plan, lengths, 3);
                CHECK_OK(ap_read_slice(proxy, indices[x], 3, types[t], 0, packed, sizeof packed,
                                       &err));
                for (int o = 0; o < 6; o++)
                    for (int back = 0; back < 8; back++)
                        for (int64_t gap = 0; gap <= 3; gap += test_small() ? 3 : 1) {
                            int64_t strides[3];
                            size_t offset;
                            size_t span = lay_out(lengths, orders[o], back, (int64_t)size, gap,
                                                  strides, &offset);
                            test_note("%s, type %d, index %d, order %d, back %d, gap %d",
                                      access_name(access), types[t], x, o, back, (int)gap);
                            check_strided(plan, packed, lengths, size, strides, offset, span);
                        }
                ap_plan_free(plan);
                ap_free(proxy);
                bytes_free(&b);
            }
    test_note("");
}

static void check_strides(int64_t n0, int64_t n1, int64_t s0, int64_t s1, size_t offset,
                          size_t nbytes, ap_status wanted)
{
    static const int64_t whole[2] = {6, 6};
    ap_proxy *proxy = open_counted(2, whole, AP_ORDER_F);
    ap_slice index[2] = {ap_range(0, n0, 1), ap_range(0, n1, 1)};
    int64_t strides[2] = {s0, s1};
    ap_plan *plan = make_plan(proxy, index, 2, AP_UINT8, 0);
    unsigned char out[200];
    int wrong = 0;
    test_note("%ld x %ld, strides %lld, %lld", (long)n0, (long)n1, (long long)s0, (long long)s1);
    memset(out, 0xa5, sizeof out);
    CHECK_STATUS(ap_plan_read(plan, out, nbytes, offset, strides, NULL, &err), wanted);
    for (size_t i = 0; i < sizeof out; i++)
        wrong += out[i] != 0xa5;
    CHECK((wrong == 0) == (wanted != AP_OK || n0 == 0 || n1 == 0));
    test_note("");
    ap_plan_free(plan);
    ap_free(proxy);
}

/* Axes longer than 1, sorted by stride: each stride is at least what those
 * before it span. */
static void test_overlap(void)
{
    check_strides(3, 2, 1, 3, 0, 200, AP_OK);
    check_strides(3, 2, 2, 5, 0, 200, AP_OK);
    check_strides(2, 2, 3, 2, 0, 200, AP_OK);
    check_strides(3, 2, 0, 3, 0, 200, AP_ERR_ARGUMENT);
    check_strides(3, 2, 1, 0, 0, 200, AP_ERR_ARGUMENT);
    check_strides(3, 2, 0, 0, 0, 200, AP_ERR_ARGUMENT);
    check_strides(3, 2, 1, 2, 0, 200, AP_ERR_ARGUMENT);
    check_strides(3, 2, 1, 1, 0, 200, AP_ERR_ARGUMENT);
    check_strides(3, 2, -1, 1, 100, 200, AP_ERR_ARGUMENT);
    check_strides(3, 2, 1, -2, 100, 200, AP_ERR_ARGUMENT);
    check_strides(3, 2, -1, -3, 100, 200, AP_OK);
    /* Interlaced: no two overlap, but the rule refuses it. */
    check_strides(2, 3, 3, 2, 0, 200, AP_ERR_ARGUMENT);
    /* An axis of one element has no say. */
    check_strides(3, 1, 1, 0, 0, 200, AP_OK);
    check_strides(3, 1, 1, 1, 0, 200, AP_OK);
    check_strides(3, 1, 1, INT64_MIN, 0, 200, AP_OK);
    check_strides(3, 1, 1, INT64_MAX, 0, 200, AP_OK);
    check_strides(1, 1, INT64_MIN, INT64_MAX, 199, 200, AP_OK);
    /* Nor has anything if there are no elements. */
    check_strides(0, 3, 0, 0, 0, 200, AP_OK);
    check_strides(3, 0, INT64_MIN, INT64_MAX, 0, 0, AP_OK);
}

static void test_bounds(void)
{
    check_strides(2, 1, 199, 1, 0, 200, AP_OK);
    check_strides(2, 1, 200, 1, 0, 200, AP_ERR_BUFFER);
    check_strides(2, 1, -199, 1, 199, 200, AP_OK);
    check_strides(2, 1, -200, 1, 199, 200, AP_ERR_ARGUMENT);
    check_strides(1, 1, 1, 1, 200, 200, AP_ERR_BUFFER);
    check_strides(1, 1, 1, 1, SIZE_MAX, 200, AP_ERR_BUFFER);
    check_strides(2, 1, INT64_MIN, 1, 100, 200, AP_ERR_ARGUMENT);
    check_strides(2, 1, INT64_MIN + 1, 1, 100, 200, AP_ERR_ARGUMENT);
    check_strides(2, 1, INT64_MAX, 1, 0, 200, AP_ERR_BUFFER);
    check_strides(1, 1, 1, 1, 0, 0, AP_ERR_BUFFER);
}

/* Sums that leave the range of 64 bits are refused, with one code or another. */
static void test_overflow(void)
{
    static const int64_t whole[2] = {6, 6};
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, INT64_MIN / 2, INT64_MIN / 5,
                                   INT64_MAX / 5, INT64_MAX / 2, INT64_MAX - 1, INT64_MAX};
    static const size_t offsets[] = {0, 100, SIZE_MAX / 2, SIZE_MAX};
    ap_proxy *proxy = open_counted(2, whole, AP_ORDER_F);
    ap_plan *plan = make_plan(proxy, NULL, 0, AP_UINT8, 0);
    unsigned char out[200];
    for (int a = 0; a < COUNT(ends); a++)
        for (int c = 0; c < COUNT(ends); c++)
            for (int o = 0; o < COUNT(offsets); o++) {
                int64_t strides[2] = {ends[a], ends[c]};
                test_note("strides %d and %d, offset %d", a, c, o);
                ap_status status = ap_plan_read(plan, out, sizeof out, offsets[o], strides, NULL,
                                                &err);
                CHECK(status == AP_ERR_ARGUMENT || status == AP_ERR_BUFFER);
                strides[1] = 1;
                status = ap_plan_read(plan, out, sizeof out, offsets[o], strides, NULL, &err);
                CHECK(status == AP_ERR_ARGUMENT || status == AP_ERR_BUFFER);
            }
    test_note("");
    ap_plan_free(plan);
    ap_free(proxy);
}

/* A read that fails half way may leave anything in the elements' places, but
 * nothing between them or beside them. */
static void test_failed_read(void)
{
    enum { SIDE = 64, GAP = 3, ROOM = 60 * (4 + GAP) + 2 * SIDE };
    for (int access = 0; access < ACCESSES; access++)
        for (int back = 0; back < 2; back++)
            for (size_t cut = 1; cut < 240; cut += 60) {
                bytes b = {0};
                unsigned char out[ROOM];
                int step = back ? -(4 + GAP) : 4 + GAP, wrong = 0;
                const int64_t strides[3] = {step, 5 * step, 20 * step};
                put_counted(&b, 60, AP_BIG);
                b.size -= cut;
                ap_proxy *proxy = layout_by(access, &b, AP_INT32, AP_BIG, 3, shape, AP_ORDER_F, 0,
                                            1, 0);
                ap_plan *plan = make_plan(proxy, NULL, 0, AP_DISK, 0);
                test_note("%s, %zu bytes missing", access_name(access), cut);
                memset(out, 0xa5, sizeof out);
                size_t first = SIDE + (back ? 59 * (4 + GAP) : 0);
                CHECK_STATUS(ap_plan_read(plan, out, sizeof out, first, strides, NULL, &err),
                             AP_ERR_TRUNCATED);
                for (int i = 0; i < ROOM; i++) {
                    int at = i - SIDE;
                    int inside = at >= 0 && at < 60 * (4 + GAP) && at % (4 + GAP) < 4;
                    wrong += !inside && out[i] != 0xa5;
                }
                CHECK_INT(wrong, 0);
                ap_plan_free(plan);
                ap_free(proxy);
                bytes_free(&b);
            }
    test_note("");
}

/* No elements need no buffer. One element of no axes needs one. */
static void test_empty(void)
{
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    ap_slice none = ap_range(2, 2, 1);
    ap_slice one[3] = {ap_at(1), ap_at(1), ap_at(1)};
    int64_t found[3];
    int32_t value = 0;
    ap_plan *plan = make_plan(proxy, &none, 1, AP_AUTO, 0);
    CHECK_INT(ap_plan_nbytes(plan), 0);
    CHECK_INTS(found, ap_plan_shape(plan, found, 3), INTS(0, 4, 3));
    CHECK_OK(ap_plan_read(plan, NULL, 0, 0, NULL, NULL, &err));
    ap_plan_free(plan);

    plan = make_plan(proxy, one, 3, AP_AUTO, 0);
    CHECK_INT(ap_plan_shape(plan, NULL, 0), 0);
    CHECK_INT(ap_plan_nbytes(plan), 4);
    CHECK_OK(ap_plan_read(plan, &value, sizeof value, 0, NULL, NULL, &err));
    CHECK_INT(value, 26);
    CHECK_STATUS(ap_plan_read(plan, NULL, 0, 0, NULL, NULL, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 4);
    CHECK_STATUS(ap_plan_read(plan, NULL, 4, 0, NULL, NULL, &err), AP_ERR_NULL);
    ap_plan_free(plan);
    ap_free(proxy);
}

/* A plan outlives its handle and reads as often as wanted. */
static void test_outlives(void)
{
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    ap_plan *plan = make_plan(proxy, NULL, 0, AP_UINT16, 0);
    uint16_t out[60];
    ap_trim(proxy);
    ap_free(proxy);
    for (int turn = 0; turn < 3; turn++) {
        int wrong = 0;
        memset(out, 0xff, sizeof out);
        CHECK_OK(ap_plan_read(plan, out, sizeof out, 0, NULL, NULL, &err));
        for (int i = 0; i < 60; i++)
            wrong += out[i] != i;
        CHECK_INT(wrong, 0);
    }
    ap_plan_free(plan);
}

/* Positions in any order, of arrays of shape (n, 4, 3), far apart and not. */
static void test_lists(void)
{
    for (int64_t n = 5; n <= 20000; n += 19995) {
        const int64_t long_shape[3] = {n, 4, 3};
        const int64_t first[3] = {n - 1, 0, n - 1}, last[2] = {-1, 0};
        const int64_t *lists[3] = {first, NULL, last}, counts[3] = {3, 77, 2};
        ap_proxy *proxy = open_counted(3, long_shape, AP_ORDER_F);
        ap_plan *plan = NULL;
        int64_t found[3];
        int32_t out[24];
        int wrong = 0;
        CHECK_OK(ap_plan_lists(proxy, 3, lists, counts, AP_AUTO, 0, &plan, &err));
        CHECK_INTS(found, ap_plan_shape(plan, found, 3), INTS(3, 4, 2));
        CHECK_INT(ap_plan_nbytes(plan), sizeof out);
        CHECK_OK(ap_plan_read(plan, out, sizeof out, 0, NULL, NULL, &err));
        for (int i = 0; i < 24; i++)
            wrong += out[i] != first[i % 3] + n * (i / 3 % 4) + n * 4 * (i < 12 ? 2 : 0);
        CHECK_INT(wrong, 0);
        CHECK_STATUS(ap_plan_read(plan, out, sizeof out - 1, 0, NULL, NULL, &err), AP_ERR_BUFFER);
        ap_plan_free(plan);
        ap_free(proxy);
    }
}

int main(void)
{
    test_lists();
    test_told();
    test_told_scaled();
    test_cost();
    test_packed();
    test_strided();
    test_overlap();
    test_bounds();
    test_overflow();
    test_failed_read();
    test_empty();
    test_outlives();
    return test_end("plan");
}
