/* Indices: NumPy's basic indexing, checked against a plain model of it. */
#include "test.h"
#include "support/access.h"
#include "support/numpy.h"

#include <stdlib.h>
#include <string.h>

static ap_slice entry(int64_t kind, int64_t start, int64_t stop, int64_t step)
{
    ap_slice s;
    s.kind = kind;
    s.start = start;
    s.stop = stop;
    s.step = step;
    return s;
}

/* Every start, stop and step around the length of short axes. */
static void test_every_range(void)
{
    int reach = test_small() ? 1 : 2;
    for (int64_t n = 0; n <= 5; n++) {
        int64_t edge = n + reach;
        ap_proxy *proxy = open_counted(1, &n, AP_ORDER_F);
        for (int64_t start = -edge - 1; start <= edge; start++)
            for (int64_t stop = -edge - 1; stop <= edge; stop++)
                for (int64_t step = -edge; step <= edge; step++) {
                    ap_slice s = ap_range(start < -edge ? AP_NONE : start,
                                          stop < -edge ? AP_NONE : stop, step);
                    if (step != 0)
                        CHECK_INDEX(proxy, &s, 1, AP_ORDER_F);
                }
        for (int64_t i = -edge; i <= edge; i++) {
            ap_slice s = ap_at(i);
            CHECK_INDEX(proxy, &s, 1, AP_ORDER_F);
        }
        ap_free(proxy);
    }
}

/* The ends of the 64-bit range in every field. */
static void test_extremes(void)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MIN + 1, INT64_MIN + 2, -(INT64_C(1) << 32),
                                   -2, -1, 0, 1, 2, INT64_C(1) << 32, INT64_MAX - 1, INT64_MAX};
    static const int64_t shape[2] = {3, 4};
    ap_proxy *proxy = open_counted(2, shape, AP_ORDER_F);
    for (int a = 0; a < COUNT(ends); a++) {
        ap_slice at = ap_at(ends[a]);
        CHECK_INDEX(proxy, &at, 1, AP_ORDER_F);
        for (int b = 0; b < COUNT(ends); b++)
            for (int c = 0; c < COUNT(ends); c++) {
                ap_slice s[2] = {ap_range(ends[a], ends[b], ends[c]), ap_all()};
                if (ends[c] == 0)
                    continue;
                CHECK_INDEX(proxy, s, 2, AP_ORDER_F);
                s[1] = s[0];
                s[0] = ap_range(AP_NONE, AP_NONE, -1);
                CHECK_INDEX(proxy, s, 2, AP_ORDER_F);
            }
    }
    ap_free(proxy);
}

/* All indices of up to four entries out of a small set. */
static void test_every_mixture(int ndim, const int64_t *shape, int stored)
{
    const ap_slice set[] = {ap_all(),           ap_at(1),     ap_at(-2),  ap_range(1, AP_NONE, 2),
                            ap_range(5, 0, -1), ap_newaxis(), ap_rest()};
    int most = test_small() ? 3 : 4, n = COUNT(set);
    ap_proxy *proxy = open_counted(ndim, shape, stored);
    for (int length = 0; length <= most; length++) {
        int total = 1;
        for (int i = 0; i < length; i++)
            total *= n;
        for (int pick = 0; pick < total; pick++) {
            ap_slice index[4];
            for (int i = 0, rest = pick; i < length; i++, rest /= n)
                index[i] = set[rest % n];
            CHECK_INDEX(proxy, index, length, AP_ORDER_F);
            CHECK_INDEX(proxy, index, length, AP_ORDER_C);
        }
    }
    ap_free(proxy);
}

static void test_mixtures(void)
{
    static const int64_t some[4] = {4, 3, 2, 3};
    static const int64_t empty[3] = {3, 0, 2};
    test_every_mixture(3, some, AP_ORDER_F);
    test_every_mixture(3, some, AP_ORDER_C);
    test_every_mixture(4, some, AP_ORDER_F);
    test_every_mixture(2, some, AP_ORDER_C);
    test_every_mixture(1, some, AP_ORDER_F);
    test_every_mixture(3, empty, AP_ORDER_F);
    test_every_mixture(0, NULL, AP_ORDER_F);
}

/* Fields that an entry does not use may hold anything. */
static void test_unused_fields(void)
{
    static const int64_t shape[2] = {3, 4};
    static const int64_t odd[] = {0, -1, 99, INT64_MIN, INT64_MAX};
    ap_proxy *proxy = open_counted(2, shape, AP_ORDER_F);
    for (int i = 0; i < COUNT(odd); i++) {
        ap_slice index[3] = {entry(AP_SLICE_NEWAXIS, odd[i], odd[i], odd[i]),
                             entry(AP_SLICE_ELLIPSIS, odd[i], odd[i], odd[i]),
                             entry(AP_SLICE_AT, 2, odd[i], odd[i])};
        CHECK_INDEX(proxy, index, 3, AP_ORDER_F);
    }
    ap_free(proxy);
}

static void check_status(const ap_proxy *proxy, const ap_slice *index, int n, ap_status wanted)
{
    char out[1000];
    ap_plan *plan = MARKED(ap_plan);
    CHECK_STATUS(ap_slice_shape(proxy, index, n, NULL, 0, &err), wanted);
    CHECK_INT(err.code, wanted);
    CHECK_STATUS(ap_slice_nbytes(proxy, index, n, AP_AUTO, 0, &err), wanted);
    CHECK_STATUS(ap_read_slice(proxy, index, n, AP_AUTO, 0, out, sizeof out, &err), wanted);
    CHECK_STATUS(ap_plan_new(proxy, index, n, AP_AUTO, 0, &plan, &err), wanted);
    CHECK(plan == NULL);
    CHECK_STATUS(ap_slice_shape(proxy, index, n, NULL, 0, NULL), wanted);
}

static void test_refused(void)
{
    static const int64_t shape[2] = {3, 4};
    ap_proxy *proxy = open_counted(2, shape, AP_ORDER_F);
    ap_slice zero = entry(0, 0, 0, 0);
    ap_slice two_rests[2] = {ap_rest(), ap_rest()};
    ap_slice three[3] = {ap_at(0), ap_all(), ap_all()};
    ap_slice three_rest[4] = {ap_at(0), ap_rest(), ap_at(0), ap_at(0)};
    static const int64_t kinds[] = {-1, 4, 5, INT64_MIN, INT64_MAX, INT64_C(1) << 32};
    check_status(proxy, &zero, 1, AP_ERR_ARGUMENT);
    check_status(proxy, two_rests, 2, AP_ERR_INDEX);
    check_status(proxy, three, 3, AP_ERR_INDEX);
    check_status(proxy, three_rest, 4, AP_ERR_INDEX);
    check_status(proxy, three, -1, AP_ERR_ARGUMENT);
    check_status(proxy, NULL, -1, AP_ERR_ARGUMENT);
    check_status(proxy, NULL, 1, AP_ERR_NULL);
    for (int i = 0; i < COUNT(kinds); i++) {
        ap_slice s = entry(kinds[i], 0, 1, 1);
        check_status(proxy, &s, 1, AP_ERR_ARGUMENT);
    }
    ap_free(proxy);
}

/* Up to 64 entries and 64 axes of the result. */
static void test_many_axes(void)
{
    ap_slice index[AP_MAX_NDIM + 2];
    int64_t shape[AP_MAX_NDIM + 2];
    int64_t ones[AP_MAX_NDIM];
    for (int i = 0; i < COUNT(index); i++)
        index[i] = ap_newaxis();
    for (int i = 0; i < COUNT(ones); i++)
        ones[i] = 1;
    ones[7] = 3;
    ones[50] = 2;

    ap_proxy *proxy = open_counted(0, NULL, AP_ORDER_F);
    CHECK_INDEX(proxy, index, 64, AP_ORDER_C);
    CHECK_INT(ap_slice_shape(proxy, index, 64, shape, 66, &err), 64);
    check_status(proxy, index, 65, AP_ERR_INDEX);
    check_status(proxy, index, 66, AP_ERR_INDEX);
    ap_free(proxy);

    proxy = open_counted(64, ones, AP_ORDER_F);
    CHECK_INT(ap_ndim(proxy), 64);
    CHECK_INDEX(proxy, NULL, 0, AP_ORDER_F);
    CHECK_INDEX(proxy, NULL, 0, AP_ORDER_C);
    check_status(proxy, index, 1, AP_ERR_INDEX);
    /* One axis dropped makes room for a new one. */
    index[0] = ap_at(0);
    CHECK_INDEX(proxy, index, 2, AP_ORDER_F);
    for (int i = 0; i < 64; i++)
        index[i] = ones[i] > 1 ? ap_range(AP_NONE, AP_NONE, -1) : ap_at(0);
    CHECK_INDEX(proxy, index, 64, AP_ORDER_F);
    index[64] = ap_all();
    check_status(proxy, index, 65, AP_ERR_INDEX);
    ap_free(proxy);
}

/* As ap_shape: the whole length each time, no more written than asked for. */
static void test_shape_capacity(void)
{
    static const int64_t whole[3] = {5, 4, 3};
    ap_proxy *proxy = open_counted(3, whole, AP_ORDER_F);
    ap_slice index[3] = {ap_range(1, 4, 2), ap_newaxis(), ap_rest()};
    static const int64_t wanted[4] = {2, 1, 4, 3};
    for (int capacity = 0; capacity <= 6; capacity++) {
        int64_t shape[6] = {-9, -9, -9, -9, -9, -9};
        CHECK_INT(ap_slice_shape(proxy, index, 3, shape, capacity, &err), 4);
        for (int i = 0; i < 6; i++)
            CHECK_INT(shape[i], i < 4 && i < capacity ? wanted[i] : -9);
    }
    CHECK_INT(ap_slice_shape(proxy, index, 3, NULL, 0, &err), 4);
    CHECK_STATUS(ap_slice_shape(proxy, index, 3, NULL, 2, &err), AP_ERR_NULL);
    CHECK_STATUS(ap_slice_shape(proxy, index, 3, NULL, -1, &err), AP_ERR_ARGUMENT);
    ap_free(proxy);
}

static void test_nbytes(void)
{
    static const int64_t whole[3] = {5, 4, 3};
    ap_proxy *proxy = open_counted(3, whole, AP_ORDER_F);
    ap_slice index[2] = {ap_at(2), ap_range(AP_NONE, AP_NONE, -3)};
    CHECK_INT(ap_slice_nbytes(proxy, NULL, 0, AP_AUTO, 0, &err), 240);
    CHECK_INT(ap_slice_nbytes(proxy, NULL, 0, AP_FLOAT64, AP_READ_C, &err), 480);
    CHECK_INT(ap_slice_nbytes(proxy, index, 2, AP_DISK, 0, &err), 24);
    CHECK_INT(ap_slice_nbytes(proxy, index, 2, AP_UINT8, AP_READ_ROUND, &err), 6);
    CHECK_INT(ap_slice_nbytes(proxy, index, 2, AP_COMPLEX128, AP_READ_RAW, &err), 96);
    CHECK_STATUS(ap_slice_nbytes(proxy, index, 2, 999, 0, &err), AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_slice_nbytes(proxy, index, 2, AP_DISK, 1u << 20, &err), AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_slice_nbytes(proxy, index, 2, AP_RGB24, 0, &err), AP_ERR_UNSUPPORTED);
    ap_free(proxy);
}

static void test_helpers(void)
{
    ap_slice s = ap_range(1, -2, 3);
    CHECK(s.kind == AP_SLICE_RANGE && s.start == 1 && s.stop == -2 && s.step == 3);
    s = ap_at(-4);
    CHECK(s.kind == AP_SLICE_AT && s.start == -4);
    s = ap_all();
    CHECK(s.kind == AP_SLICE_RANGE && s.start == AP_NONE && s.stop == AP_NONE && s.step == 1);
    s = ap_rest();
    CHECK(s.kind == AP_SLICE_ELLIPSIS);
    s = ap_newaxis();
    CHECK(s.kind == AP_SLICE_NEWAXIS);
}

static void check_text(const char *text, int n, const ap_slice *wanted)
{
    ap_slice found[6];
    test_note("\"%s\"", text);
    memset(found, 0x11, sizeof found);
    err_mark();
    CHECK_INT(ap_slice_parse(text, found, 6, &err), n);
    CHECK(err_untouched());
    for (int i = 0; i < n; i++) {
        int64_t kind = wanted[i].kind;
        CHECK_INT(found[i].kind, kind);
        if (kind == AP_SLICE_RANGE || kind == AP_SLICE_AT)
            CHECK_INT(found[i].start, wanted[i].start);
        if (kind == AP_SLICE_RANGE) {
            CHECK_INT(found[i].stop, wanted[i].stop);
            CHECK_INT(found[i].step, wanted[i].step);
        }
    }
    for (int i = n; i < 6; i++)
        CHECK_INT(found[i].kind, INT64_C(0x1111111111111111));
    test_note("");
}

static void test_parse(void)
{
    const ap_slice example[] = {ap_range(10, 20, 1), ap_rest(),
                                ap_range(AP_NONE, AP_NONE, -1), ap_at(0), ap_newaxis()};
    const ap_slice all = ap_all(), at = ap_at(-12), from = ap_range(3, AP_NONE, 1);
    const ap_slice to = ap_range(AP_NONE, -3, 1), step = ap_range(AP_NONE, AP_NONE, 2);
    const ap_slice whole = ap_range(-5, 7, -2), rest = ap_rest(), add = ap_newaxis();
    const ap_slice most = ap_at(INT64_MAX);
    check_text("10:20, ..., ::-1, 0", 4, example);
    check_text("10:20, ..., ::-1, 0, newaxis", 5, example);
    check_text("10:20,...,::-1,0,None", 5, example);
    check_text("[10:20, ..., ::-1, 0]", 4, example);
    check_text("  10 : 20 ,  ... , : : -1 , 0 ", 4, example);
    check_text("", 0, NULL);
    check_text("[]", 0, NULL);
    check_text("  ", 0, NULL);
    check_text(":", 1, &all);
    check_text("::", 1, &all);
    check_text("-12", 1, &at);
    check_text("[-12]", 1, &at);
    check_text("3:", 1, &from);
    check_text("3::", 1, &from);
    check_text(":-3", 1, &to);
    check_text("::2", 1, &step);
    check_text("-5:7:-2", 1, &whole);
    check_text("...", 1, &rest);
    check_text("newaxis", 1, &add);
    check_text("None", 1, &add);
    check_text("9223372036854775807", 1, &most);
    /* The one bound that is AP_NONE becomes the next. */
    const ap_slice lowest = ap_range(INT64_MIN + 1, AP_NONE, 1);
    check_text("-9223372036854775808:", 1, &lowest);
}

static void test_parse_capacity(void)
{
    for (int capacity = 0; capacity <= 4; capacity++) {
        ap_slice found[5];
        memset(found, 0x11, sizeof found);
        CHECK_INT(ap_slice_parse("1, 2, 3", found, capacity, &err), 3);
        for (int i = 0; i < 5; i++)
            CHECK_INT(found[i].kind, i < capacity && i < 3 ? AP_SLICE_AT
                                                           : INT64_C(0x1111111111111111));
    }
    CHECK_INT(ap_slice_parse("1, 2, 3", NULL, 0, &err), 3);
    CHECK_STATUS(ap_slice_parse("1, 2, 3", NULL, 3, &err), AP_ERR_NULL);
    CHECK_STATUS(ap_slice_parse("1, 2, 3", NULL, -1, &err), AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_slice_parse(NULL, NULL, 0, &err), AP_ERR_NULL);
}

static void test_parse_refused(void)
{
    static const char *bad[] = {"a", "1.5", "0x10", "1:2:3:4", "1,,2", ",1", "[1", "1]", "[1]]",
                                ". . .", "..", "....", "1 2", "--1", "-", "new", "newaxis1",
                                "none", "1;2", "99999999999999999999", "1:2:a", "\xff", "(1",
                                "1:...", "1e3"};
    ap_slice found[8];
    for (int i = 0; i < COUNT(bad); i++) {
        test_note("\"%s\"", bad[i]);
        CHECK_STATUS(ap_slice_parse(bad[i], found, 8, &err), AP_ERR_ARGUMENT);
        CHECK_INT(err.code, AP_ERR_ARGUMENT);
    }
    test_note("");
    /* A step of 0 is refused here or, at the latest, when used. */
    static const int64_t shape[1] = {4};
    ap_proxy *proxy = open_counted(1, shape, AP_ORDER_F);
    int n = ap_slice_parse("::0", found, 8, &err);
    if (n == 1)
        n = ap_slice_shape(proxy, found, 1, NULL, 0, &err);
    CHECK_STATUS(n, AP_ERR_ARGUMENT);
    /* What was parsed reads as if written in C. */
    CHECK_INT(ap_slice_parse("::-2, newaxis", found, 8, &err), 2);
    CHECK_INDEX(proxy, found, 2, AP_ORDER_F);
    ap_free(proxy);
}

int main(void)
{
    test_every_range();
    test_extremes();
    test_mixtures();
    test_unused_fields();
    test_refused();
    test_many_axes();
    test_shape_capacity();
    test_nbytes();
    test_helpers();
    test_parse();
    test_parse_capacity();
    test_parse_refused();
    return test_end("slice");
}
