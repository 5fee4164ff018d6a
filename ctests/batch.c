/* ap_read_batch: many selections in one call. */
#include "test.h"
#include "support/entries.h"
#include "support/numbers.h"
#include "support/numpy.h"
#include "support/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shape[3] = {9, 7, 5};
enum { ELEMENTS = 9 * 7 * 5, MOST_READS = 12 };

/* Element i has the value i, or i / 2 - 100 if scaled. */
static ap_proxy *open_small(int access, int order, int scaled, const char *text)
{
    bytes b = {0};
    ap_proxy *proxy = NULL;
    put_fill(&b, 0x33, 17);
    put_counted(&b, ELEMENTS, AP_BIG);
    ap_source *source = source_by(access, &b);
    ap_options *o = options_by(access);
    CHECK_OK(ap_options_parse(o, text, &err));
    CHECK_OK(ap_open_layout(source, AP_INT32, AP_BIG, 3, shape, order, 17, scaled ? 0.5 : 1,
                            scaled ? -100 : 0, o, &proxy, &err));
    ap_options_free(o);
    ap_source_free(source);
    bytes_free(&b);
    return proxy;
}

static number value_of(int64_t element, int scaled)
{
    return scaled ? from_real((double)element * 0.5 - 100) : from_int(element);
}

/* Selections of different shapes, each of three entries. */
static const ap_slice selections[MOST_READS][3] = {
    {AT(3), AT(-1), AT(2)},
    {ALL, ALL, AT(4)},
    {REST, AT(0), RANGE(1, 4, 1)},
    {RANGE(AP_NONE, AP_NONE, -1), ALL, AT(1)},
    {NEW, REST, RANGE(4, AP_NONE, -2)},
    {RANGE(2, 2, 1), ALL, ALL},
    {ALL, RANGE(1, AP_NONE, 3), RANGE(-1, -3, -1)},
    {AT(8), RANGE(6, 2, -1), REST},
    {REST, NEW, AT(-5)},
    {ALL, ALL, ALL},
    {AT(0), AT(0), AT(0)},
    {RANGE(8, AP_NONE, -3), RANGE(-2, 100, 1), RANGE(1, 2, 5)},
};

/* Read the selections from `first` on and compare each with the model; what
 * lies between and around the results must stay. Layouts of results: one after
 * the other, apart in the same order, apart and backwards. */
static void check_batch(const ap_proxy *proxy, int scaled, int first, int n, ap_dtype dtype,
                        uint32_t flags, int layout)
{
    selection s[MOST_READS];
    size_t offsets[MOST_READS], gap = layout ? 13 : 0, size = size_of(dtype), end = 0;
    for (int i = 0; i < n; i++)
        CHECK_OK(model_select(3, shape, ap_order(proxy), selections[first + i], 3,
                              flags & AP_READ_C ? AP_ORDER_C : AP_ORDER_F, &s[i]));
    for (int k = 0; k < n; k++) {
        int i = layout == 2 ? n - 1 - k : k;
        offsets[i] = end += gap;
        end += size * (size_t)s[i].count;
    }
    unsigned char *out = need(end + gap);
    memset(out, 0xa5, end + gap);
    err_mark();
    CHECK_OK(ap_read_batch(proxy, selections[first], 3, n, dtype, flags, out, end + gap,
                           layout ? offsets : NULL, NULL, &err));
    CHECK(err_untouched());
    int touched = 0;
    size_t last = 0;
    for (int k = 0; k < n; k++) {
        int i = layout == 2 ? n - 1 - k : k;
        number wanted[ELEMENTS];
        for (int64_t e = 0; e < s[i].count; e++)
            wanted[e] = value_of(s[i].element[e], scaled);
        CHECK_CASTS(out + offsets[i], dtype, flags, wanted, (int)s[i].count);
        for (; last < offsets[i]; last++)
            touched += out[last] != 0xa5;
        last += size * (size_t)s[i].count;
    }
    for (; last < end + gap; last++)
        touched += out[last] != 0xa5;
    CHECK_INT(touched, 0);

    /* It fits exactly, or nothing is read; NULL tells how much is needed. */
    if (end > 0) {
        memset(out, 0xa5, end);
        CHECK_STATUS(ap_read_batch(proxy, selections[first], 3, n, dtype, flags, out, end - 1,
                                   layout ? offsets : NULL, NULL, &err),
                     AP_ERR_BUFFER);
        CHECK_INT(err.detail, end);
        for (size_t i = 0; i < end; i++)
            touched += out[i] != 0xa5;
        CHECK_INT(touched, 0);
        CHECK_STATUS(ap_read_batch(proxy, selections[first], 3, n, dtype, flags, NULL, 0,
                                   layout ? offsets : NULL, NULL, &err),
                     AP_ERR_BUFFER);
        CHECK_INT(err.detail, end);
    }
    free(out);
    for (int i = 0; i < n; i++)
        free(s[i].element);
}

static void test_accesses(void)
{
    static const char *threads[] = {"", "threads=2", "threads=0,cache_bytes=0", "index_mode=0"};
    for (int access = 0; access < ACCESSES; access++)
        for (int t = 0; t < (test_small() ? 2 : COUNT(threads)); t++)
            for (int order = 0; order < 2; order++) {
                ap_proxy *proxy = open_small(access, order ? AP_ORDER_C : AP_ORDER_F, t % 2,
                                             threads[t]);
                for (int layout = 0; layout < 3; layout++) {
                    test_note("%s, %s, order %d, layout %d", access_name(access), threads[t],
                              order, layout);
                    check_batch(proxy, t % 2, 0, MOST_READS, AP_FLOAT64, 0, layout);
                    check_batch(proxy, t % 2, 0, MOST_READS, AP_INT16, AP_READ_C, layout);
                    check_batch(proxy, t % 2, 3, 1, AP_FLOAT32, 0, layout);
                    check_batch(proxy, t % 2, 4, 3, AP_INT32, AP_READ_C, layout);
                }
                ap_free(proxy);
            }
    test_note("");
}

static void test_types(void)
{
    static const ap_dtype types[] = {AP_BOOL,   AP_INT8,   AP_INT16,   AP_INT32,   AP_INT64,
                                     AP_UINT8,  AP_UINT16, AP_UINT32,  AP_UINT64,  AP_FLOAT16,
                                     AP_FLOAT32, AP_FLOAT64, AP_COMPLEX64, AP_COMPLEX128};
    for (int scaled = 0; scaled < 2; scaled++) {
        ap_proxy *proxy = open_small(scaled ? ACCESS_GZIP : ACCESS_READ, AP_ORDER_F, scaled, "");
        for (int i = 0; i < COUNT(types); i++)
            for (uint32_t flags = 0; flags <= (AP_READ_C | AP_READ_ROUND); flags++) {
                test_note("%s, flags %u, scaled %d", ap_dtype_name(types[i]), flags, scaled);
                if (!(flags & AP_READ_RAW))
                    check_batch(proxy, scaled, 0, MOST_READS, types[i], flags, (int)flags % 3);
            }
        /* AUTO and DISK. */
        char out[8 * ELEMENTS];
        number wanted[ELEMENTS], raw[ELEMENTS];
        for (int i = 0; i < ELEMENTS; i++) {
            wanted[i] = value_of(i, scaled);
            raw[i] = value_of(i, 0);
        }
        CHECK_OK(ap_read_batch(proxy, NULL, 0, 1, AP_AUTO, 0, out, sizeof out, NULL, NULL, &err));
        CHECK_CASTS(out, scaled ? AP_FLOAT64 : AP_INT32, 0, wanted, ELEMENTS);
        CHECK_OK(ap_read_batch(proxy, NULL, 0, 1, AP_DISK, 0, out, sizeof out, NULL, NULL, &err));
        CHECK_CASTS(out, AP_INT32, 0, raw, ELEMENTS);
        CHECK_OK(ap_read_batch(proxy, NULL, 0, 1, AP_FLOAT32, AP_READ_RAW, out, sizeof out, NULL,
                               NULL, &err));
        CHECK_CASTS(out, AP_FLOAT32, 0, raw, ELEMENTS);
        /* Some selection has a value that does not fit. */
        CHECK_STATUS(ap_read_batch(proxy, selections[0], 3, MOST_READS, AP_UINT8, AP_READ_CHECKED,
                                   out, sizeof out, NULL, NULL, &err),
                     AP_ERR_RANGE);
        CHECK_OK(ap_read_batch(proxy, selections[0], 3, 4, AP_INT16, AP_READ_CHECKED, out,
                               sizeof out, NULL, NULL, &err));
        ap_free(proxy);
    }
    test_note("");
}

static ap_status batch_at(const ap_proxy *proxy, size_t a, size_t b, size_t nbytes)
{
    static const ap_slice two[2][1] = {{AT(0)}, {AT(1)}};       /* 140 bytes each */
    static char out[1000];
    size_t offsets[2] = {a, b};
    return ap_read_batch(proxy, two[0], 1, 2, AP_DISK, 0, out, nbytes, offsets, NULL, &err);
}

static void test_offsets(void)
{
    static const ap_slice none[3][1] = {{RANGE(1, 1, 1)}, {RANGE(0, 0, 1)}, {AT(2)}};
    static const size_t same[3] = {40, 40, 0};
    char out[140];
    ap_proxy *proxy = open_small(ACCESS_MEMORY, AP_ORDER_F, 0, "");
    CHECK_OK(batch_at(proxy, 0, 140, 280));
    CHECK_OK(batch_at(proxy, 140, 0, 280));
    CHECK_OK(batch_at(proxy, 860, 0, 1000));
    CHECK_STATUS(batch_at(proxy, 0, 139, 1000), AP_ERR_ARGUMENT);
    CHECK_STATUS(batch_at(proxy, 139, 0, 1000), AP_ERR_ARGUMENT);
    CHECK_STATUS(batch_at(proxy, 0, 0, 1000), AP_ERR_ARGUMENT);
    CHECK_STATUS(batch_at(proxy, 861, 0, 1000), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 1001);
    CHECK_STATUS(batch_at(proxy, 0, 1000000, 1000), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 1000140);
    /* Beyond all addresses. */
    CHECK(batch_at(proxy, SIZE_MAX, 0, 1000) < 0);
    CHECK(batch_at(proxy, 0, SIZE_MAX - 139, 1000) < 0);
    CHECK(batch_at(proxy, 0, SIZE_MAX - 60, 1000) < 0);
    CHECK(batch_at(proxy, SIZE_MAX / 2, SIZE_MAX / 2 + 141, 1000) < 0);
    /* What is empty lies nowhere. */
    CHECK_OK(ap_read_batch(proxy, none[0], 1, 3, AP_DISK, 0, out, 140, same, NULL, &err));
    CHECK_OK(ap_read_batch(proxy, none[0], 1, 2, AP_DISK, 0, NULL, 0, NULL, NULL, &err));
    CHECK_OK(ap_read_batch(proxy, none[0], 1, 2, AP_DISK, 0, NULL, 0, same, NULL, &err));
    CHECK_OK(ap_read_batch(proxy, NULL, 0, 0, AP_DISK, 0, NULL, 0, NULL, NULL, &err));
    CHECK_OK(ap_read_batch(proxy, none[0], 1, 0, AP_DISK, 0, out, 140, same, NULL, &err));
    ap_free(proxy);
}

/* No entries: all of the array, as often as asked. */
static void test_no_entries(void)
{
    for (int access = ACCESS_READ; access < ACCESSES; access++) {
        static int32_t out[3 * ELEMENTS];
        int wrong = 0;
        ap_proxy *proxy = open_small(access, AP_ORDER_F, 0, "threads=2");
        test_note("%s", access_name(access));
        CHECK_STATUS(ap_read_batch(proxy, NULL, 0, 3, AP_DISK, 0, NULL, 0, NULL, NULL, &err),
                     AP_ERR_BUFFER);
        CHECK_INT(err.detail, sizeof out);
        memset(out, 0xff, sizeof out);
        CHECK_OK(ap_read_batch(proxy, NULL, 0, 3, AP_DISK, 0, out, sizeof out, NULL, NULL, &err));
        for (int i = 0; i < 3 * ELEMENTS; i++)
            wrong += out[i] != i % ELEMENTS;
        CHECK_INT(wrong, 0);
        ap_free(proxy);
    }
    test_note("");
}

static void test_errors(void)
{
    enum { BAD = 2 };
    static const struct {
        ap_slice entry;
        ap_status wanted;
    } bad[] = {{AT(9), AP_ERR_INDEX},
               {AT(-10), AP_ERR_INDEX},
               {RANGE(0, 3, 0), AP_ERR_ARGUMENT},
               {{17, 0, 1, 1}, AP_ERR_ARGUMENT}};
    ap_proxy *proxy = open_small(ACCESS_GZIP, AP_ORDER_F, 0, "");
    ap_slice index[5][3];
    int32_t out[5 * ELEMENTS];
    for (int i = 0; i < COUNT(bad); i++) {
        memcpy(index, selections, sizeof index);
        index[BAD][0] = bad[i].entry;
        test_note("entry %d", i);
        CHECK_STATUS(ap_read_batch(proxy, index[0], 3, 5, AP_DISK, 0, out, sizeof out, NULL, NULL,
                                   &err),
                     bad[i].wanted);
        CHECK_INT(err.code, bad[i].wanted);
        CHECK_PART(err.message, "selection 2");
        CHECK_OK(ap_read_batch(proxy, index[0], 3, BAD, AP_DISK, 0, out, sizeof out, NULL, NULL,
                               &err));
    }
    test_note("");
    const ap_slice *good = selections[0];
    CHECK_STATUS(ap_read_batch(proxy, good, 3, -1, AP_DISK, 0, out, sizeof out, NULL, NULL, &err),
                 AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_read_batch(proxy, good, 3, INT64_MIN, AP_DISK, 0, out, 4, NULL, NULL, &err),
                 AP_ERR_ARGUMENT);
    CHECK(ap_read_batch(proxy, good, 3, INT64_MAX, AP_DISK, 0, out, 4, NULL, NULL, &err) < 0);
    CHECK(ap_read_batch(proxy, good, -1, 2, AP_DISK, 0, out, sizeof out, NULL, NULL, &err) < 0);
    CHECK(ap_read_batch(proxy, good, 65, 1, AP_DISK, 0, out, sizeof out, NULL, NULL, &err) < 0);
    CHECK_STATUS(ap_read_batch(proxy, good, 3, 2, 4242, 0, out, sizeof out, NULL, NULL, &err),
                 AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_read_batch(proxy, good, 3, 2, AP_DISK, 1u << 30, out, sizeof out, NULL, NULL,
                               &err),
                 AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_read_batch(proxy, good, 3, 2, AP_RGB24, 0, out, sizeof out, NULL, NULL, &err),
                 AP_ERR_UNSUPPORTED);
    ap_free(proxy);

    /* All results together count. Selections 1, 3: 252 bytes each. */
    proxy = open_small(ACCESS_READ, AP_ORDER_F, 0, "max_bytes=504");
    memcpy(index[0], selections[1], sizeof index[0]);
    memcpy(index[1], selections[3], sizeof index[1]);
    memcpy(index[2], selections[0], sizeof index[2]);
    CHECK_OK(ap_read_batch(proxy, index[0], 3, 2, AP_DISK, 0, out, sizeof out, NULL, NULL, &err));
    CHECK_STATUS(ap_read_batch(proxy, index[0], 3, 3, AP_DISK, 0, out, sizeof out, NULL, NULL,
                               &err),
                 AP_ERR_MEMORY);
    CHECK_STATUS(ap_read_batch(proxy, index[0], 3, 2, AP_INT64, 0, out, sizeof out, NULL, NULL,
                               &err),
                 AP_ERR_MEMORY);
    ap_free(proxy);
}

/* Rows of a long image: some twice, some overlapping, in a wild order, two at a
 * time; behind each other or scattered. */
static void check_rows(const ap_proxy *proxy, int64_t rows, int scattered)
{
    enum { READS = 100, EACH = 2 * ROW };
    static ap_slice index[READS][2];
    static size_t offsets[READS];
    int32_t *out = need(sizeof *out * READS * EACH);
    int wrong = 0;
    for (int i = 0; i < READS; i++) {
        int64_t row = (int64_t)i * i * 7919 % (rows - 1);
        index[i][0] = i % 3 ? ap_all() : ap_range(AP_NONE, AP_NONE, -1);
        index[i][1] = ap_range(row, row + 2, 1);
        offsets[i] = 4 * EACH * (size_t)(i * 37 % READS);
    }
    CHECK_OK(ap_read_batch(proxy, index[0], 2, READS, AP_DISK, 0, out, sizeof *out * READS * EACH,
                           scattered ? offsets : NULL, NULL, &err));
    for (int i = 0; i < READS; i++) {
        const int32_t *found = out + (scattered ? offsets[i] / 4 : EACH * (size_t)i);
        int32_t first = (int32_t)(ROW * index[i][1].start);
        for (int k = 0; k < EACH; k++)
            wrong += found[k] != first + (i % 3 ? k : k / ROW * ROW + ROW - 1 - k % ROW);
    }
    CHECK_INT(wrong, 0);
    free(out);
}

static void test_rows(void)
{
    static const char *options[] = {"threads=1", "threads=2", "threads=0", "threads=5,cache_bytes=0",
                                    "threads=2,index_mode=0", "threads=2,index_mode=2",
                                    "threads=3,index_mode=2,index_spacing=65536,keep_open=0"};
    int64_t rows = test_small() ? 270 : 600;
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        const char *path = write_series(kind, rows), *index = temp_path("rows.gzidx");
        for (int i = 0; i < COUNT(options); i += test_small() ? 3 : 1) {
            ap_proxy *proxy = open_series(path, options[i]);
            test_note("%s, %s", series_name(kind), options[i]);
            check_rows(proxy, rows, i % 2);
            ap_trim(proxy);
            check_rows(proxy, rows, 1);
            CHECK_OK(read_rows(proxy, 5, 6, &err));
            if (series_is_gzip(kind) && strstr(options[i], "index_mode=2"))
                CHECK_OK(ap_seekindex_save(proxy, index, &err));
            ap_free(proxy);
        }
        if (series_is_gzip(kind) && !test_small())
            for (int threads = 1; threads < 4; threads++) {
                char text[40];
                snprintf(text, sizeof text, "threads=%d", threads);
                ap_proxy *proxy = open_series(path, text);
                test_note("%s, loaded, %s", series_name(kind), text);
                CHECK_OK(ap_seekindex_load(proxy, index, &err));
                check_rows(proxy, rows, 0);
                ap_free(proxy);
            }
    }
    test_note("");
}

/* What cannot be read fails the batch; the rest can be read without it. */
static void test_damage(void)
{
    int64_t rows = test_small() ? 60 : 300;
    for (int kind = 0; kind < SERIES_KINDS; kind++)
        for (int threads = 1; threads < 3; threads++) {
            bytes b = {0};
            char text[40];
            int32_t out[3 * ROW];
            ap_slice good[3][2] = {{ALL, AT(1)}, {ALL, AT(0)}, {ALL, AT(2)}}, bad[3][2];
            snprintf(text, sizeof text, "threads=%d", threads);
            put_series(&b, kind, rows);
            b.size = b.size / 4 * 3;
            write_bytes(temp_path("cut.nii"), &b);
            test_note("%s, %s", series_name(kind), text);
            ap_proxy *proxy = open_series(temp_path("cut.nii"), text);
            memcpy(bad, good, sizeof bad);
            bad[1][1] = ap_at(rows - 1);
            CHECK_STATUS(ap_read_batch(proxy, bad[0], 2, 3, AP_DISK, 0, out, sizeof out, NULL,
                                       NULL, &err),
                         AP_ERR_TRUNCATED);
            CHECK_PART(err.message, temp_path("cut.nii"));
            CHECK_OK(ap_read_batch(proxy, good[0], 2, 3, AP_DISK, 0, out, sizeof out, NULL, NULL,
                                   &err));
            CHECK(out[0] == ROW && out[ROW] == 0 && out[3 * ROW - 1] == 3 * ROW - 1);
            ap_free(proxy);
            bytes_free(&b);
        }
    test_note("");
}

int main(void)
{
    test_accesses();
    test_types();
    test_offsets();
    test_no_entries();
    test_errors();
    test_rows();
    test_damage();
    return test_end("batch");
}
