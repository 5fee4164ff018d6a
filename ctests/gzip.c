/* gzip: members, what follows them, damage, cut files. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numpy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Longer than a stored block can be. */
static const int64_t shape[2] = {500, 50};
enum { ELEMENTS = 25000 };

static void put_image(bytes *b)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT32, 2, shape);
    bytes data = {0};
    put_counted(&data, ELEMENTS, AP_LITTLE);
    put_nifti(b, &n, data.data, data.size);
    bytes_free(&data);
}

static ap_status read_all(const ap_proxy *proxy)
{
    static int32_t out[ELEMENTS];
    int wrong = 0;
    memset(out, 0xff, sizeof out);
    ap_status status = ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err);
    for (int i = 0; i < ELEMENTS && !status; i++)
        wrong += out[i] != i;
    CHECK_INT(wrong, 0);
    return status;
}

static ap_status read_rows(const ap_proxy *proxy, int64_t from, int64_t to)
{
    static int32_t out[ELEMENTS];
    ap_slice part[2] = {ap_all(), ap_range(from, to, 1)};
    int wrong = 0;
    ap_status status = ap_read_slice(proxy, part, 2, AP_DISK, 0, out, sizeof out, &err);
    for (int64_t i = 0; i < 500 * (to - from) && !status; i++)
        wrong += out[i] != 500 * from + i;
    CHECK_INT(wrong, 0);
    return status;
}

static void check_good(const bytes *b, const char *what)
{
    ap_proxy *proxy;
    test_note("%s", what);
    if (CHECK_OK(open_with_int(b, AP_OPT_VERIFY, 1, &proxy))) {
        CHECK_TEXT(ap_codec(proxy), "gzip");
        CHECK_TEXT(ap_format(proxy), "nifti1");
        CHECK_OK(read_rows(proxy, 40, 43));     /* far on, then back */
        CHECK_OK(read_rows(proxy, 0, 1));
        CHECK_OK(read_rows(proxy, 49, 50));
        CHECK_OK(read_all(proxy));
        ap_trim(proxy);
        CHECK_OK(read_rows(proxy, 25, 30));
        CHECK_OK(read_all(proxy));
        ap_free(proxy);
    }
    test_note("");
}

static void test_members(const bytes *plain)
{
    static const int flags[] = {GZIP_STORED, GZIP_FIXED, GZIP_NAMED, GZIP_NAMED | GZIP_FIXED};
    static const size_t parts[] = {100, 348, 352, 4096, 65535, 65536, 99999};
    bytes b = {0};
    char what[60];
    for (int f = 0; f < COUNT(flags); f++) {
        b.size = 0;
        put_gzip(&b, plain->data, plain->size, flags[f]);
        snprintf(what, sizeof what, "one member, flags %d", flags[f]);
        check_good(&b, what);
        for (int i = 0; i < COUNT(parts); i++) {
            b.size = 0;
            put_gzip_parts(&b, plain->data, plain->size, parts[i], flags[f]);
            snprintf(what, sizeof what, "members of %zu, flags %d", parts[i], flags[f]);
            check_good(&b, what);
        }
    }
    /* Empty members before, between and after. */
    b.size = 0;
    put_gzip(&b, "", 0, 0);
    put_gzip(&b, plain->data, 1000, GZIP_FIXED);
    put_gzip(&b, "", 0, GZIP_FIXED);
    put_gzip(&b, "", 0, GZIP_NAMED);
    put_gzip(&b, plain->data + 1000, plain->size - 1000, 0);
    put_gzip(&b, "", 0, 0);
    check_good(&b, "empty members");
    bytes_free(&b);
}

/* Runs of equal bytes, so that matches of fixed codes are decoded. */
static void test_matches(void)
{
    static const int64_t side[1] = {100000};
    static unsigned char out[100000];
    bytes plain = {0}, b = {0};
    for (int i = 0; i < 20; i++)
        put_fill(&plain, i * 13, 5000);
    put_gzip(&b, plain.data, plain.size, GZIP_FIXED);
    CHECK(b.size < 5000);
    ap_proxy *proxy = layout_by(ACCESS_READ, &b, AP_UINT8, AP_LITTLE, 1, side, AP_ORDER_F, 0, 1, 0);
    CHECK_TEXT(ap_codec(proxy), "gzip");
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    CHECK_BYTES(out, plain.data, sizeof out);
    ap_free(proxy);
    bytes_free(&plain);
    bytes_free(&b);
}

/* Padding and junk behind the last member do not matter. */
static void test_trailing(const bytes *plain)
{
    static const size_t sizes[] = {1, 2, 9, 511, 512, 100000};
    for (int i = 0; i < COUNT(sizes); i++)
        for (int junk = 0; junk < 3; junk++) {
            bytes b = {0};
            put_gzip_parts(&b, plain->data, plain->size, 60000, 0);
            put_fill(&b, junk ? 0xc3 : 0, sizes[i]);
            if (junk == 2)
                b.data[b.size - sizes[i]] = 0x1f;   /* begins like a member */
            check_good(&b, junk ? "junk behind" : "zeros behind");
            bytes_free(&b);
        }
}

static void test_checksums(const bytes *plain)
{
    static const int faults[] = {GZIP_BAD_CRC, GZIP_BAD_SIZE, GZIP_BAD_CRC | GZIP_BAD_SIZE};
    for (int i = 0; i < COUNT(faults); i++) {
        bytes b = {0};
        ap_proxy *proxy;
        test_note("fault %d", faults[i]);
        put_gzip(&b, plain->data, plain->size, faults[i]);
        CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy));
        CHECK_STATUS(read_all(proxy), AP_ERR_CODEC);
        CHECK_STATUS(read_all(proxy), AP_ERR_CODEC);
        CHECK_OK(read_rows(proxy, 0, 2));
        ap_free(proxy);
        CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 0, &proxy));
        CHECK_OK(read_all(proxy));
        ap_free(proxy);

        /* In the second of three members: what lies before it is sound. */
        b.size = 0;
        put_gzip(&b, plain->data, 40000, 0);
        put_gzip(&b, plain->data + 40000, 30000, faults[i]);
        put_gzip(&b, plain->data + 70000, plain->size - 70000, 0);
        CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy));
        CHECK_OK(read_rows(proxy, 0, 15));
        CHECK_STATUS(read_all(proxy), AP_ERR_CODEC);
        CHECK_OK(read_rows(proxy, 0, 15));
        ap_free(proxy);
        CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 0, &proxy));
        CHECK_OK(read_all(proxy));
        ap_free(proxy);
        bytes_free(&b);
    }
    test_note("");
}

/* Damage in the second block of a stream: the first can still be read. */
static void test_damage(const bytes *plain)
{
    static const struct {
        size_t at;              /* behind the header of the second block */
        unsigned char value;
        const char *what;
    } faults[] = {{0, 7, "block of type 3"}, {3, 0, "length and its complement"}};
    for (int i = 0; i < COUNT(faults); i++)
        for (int verify = 0; verify < 2; verify++) {
            bytes b = {0};
            ap_proxy *proxy;
            test_note("%s, verify %d", faults[i].what, verify);
            put_gzip(&b, plain->data, plain->size, 0);
            b.data[10 + 5 + 65535 + faults[i].at] = faults[i].value;
            CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, verify, &proxy));
            CHECK_STATUS(read_all(proxy), AP_ERR_CODEC);
            CHECK_INT(err.code, AP_ERR_CODEC);
            CHECK_STATUS(read_rows(proxy, 45, 46), AP_ERR_CODEC);
            CHECK_OK(read_rows(proxy, 0, 20));
            ap_free(proxy);
            bytes_free(&b);
        }
    test_note("");
}

/* A match that reaches back before the begin of the data. */
static void test_bad_distance(void)
{
    /* One block of fixed codes: 'a', then length 3 at distance 4. */
    static const unsigned char stream[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255,
                                           0x4b, 0x04, 0x62, 0x00, 0, 0, 0, 0, 4, 0, 0, 0};
    static const int64_t four[1] = {4};
    char out[4];
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, "gzip", &err));
    CHECK_OK(ap_source_memory(stream, sizeof stream, NULL, NULL, &source, &err));
    ap_status status = ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, four, AP_ORDER_F, 0, 1, 0,
                                      o, &proxy, &err);
    if (status == AP_OK)
        status = ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err);
    CHECK_STATUS(status, AP_ERR_CODEC);
    ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
}

/* Cut anywhere: what is there can be read, what is missing is TRUNCATED. */
static void test_cut(const bytes *plain)
{
    for (int flags = GZIP_STORED; flags <= GZIP_FIXED; flags++) {
        bytes b = {0};
        put_gzip(&b, plain->data, plain->size, flags);
        size_t whole = b.size;
        for (int tenth = 1; tenth <= 9; tenth++) {
            ap_proxy *proxy;
            b.size = whole * (size_t)tenth / 10;
            test_note("%d tenths, flags %d", tenth, flags);
            if (!CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy)))
                continue;
            CHECK_STATUS(read_all(proxy), AP_ERR_TRUNCATED);
            CHECK_INT(err.code, AP_ERR_TRUNCATED);
            CHECK_OK(read_rows(proxy, 0, tenth < 5 ? 1 : 10));
            CHECK_STATUS(read_rows(proxy, 49, 50), AP_ERR_TRUNCATED);
            CHECK_OK(read_rows(proxy, 0, 1));
            ap_free(proxy);
        }
        /* The data are all there, the trailer is not: both answers are fair. */
        for (size_t missing = 1; missing <= 8; missing++) {
            ap_proxy *proxy;
            b.size = whole - missing;
            test_note("trailer short by %zu, flags %d", missing, flags);
            CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy));
            ap_status status = read_all(proxy);
            CHECK(status == AP_OK || status == AP_ERR_TRUNCATED);
            CHECK_OK(read_rows(proxy, 0, 40));
            ap_free(proxy);
        }
        /* Too short for the header of the image. */
        for (size_t size = 2; size < 300; size += test_small() ? 50 : 7) {
            ap_proxy *proxy;
            b.size = size;
            test_note("%zu bytes, flags %d", size, flags);
            CHECK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy) < 0);
        }
        bytes_free(&b);
    }
    /* The last of several members is missing altogether. */
    bytes b = {0};
    ap_proxy *proxy;
    put_gzip(&b, plain->data, 50000, 0);
    test_note("member missing");
    CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy));
    CHECK_STATUS(read_all(proxy), AP_ERR_TRUNCATED);
    CHECK_OK(read_rows(proxy, 0, 20));
    ap_free(proxy);
    bytes_free(&b);
    test_note("");
}

/* Every bit of a small file turned over: no crash, no hang. A stored block
 * keeps its length, so a whole read sees the checksum and never gives wrong
 * values; codes may grow longer than what is read. */
static void test_flipped_bits(int flags)
{
    static const int64_t side[1] = {64};
    unsigned char data[64], out[64];
    bytes b = {0};
    int wrong = 0, refused = 0;
    for (int i = 0; i < 64; i++)
        data[i] = (unsigned char)(i / 5);
    put_gzip(&b, data, sizeof data, flags);
    for (size_t at = 0; at < b.size; at++)
        for (int bit = 0; bit < 8; bit += test_small() ? 5 : 1) {
            ap_source *source = NULL;
            ap_proxy *proxy = NULL;
            ap_options *o = ap_options_new();
            ap_status status;
            b.data[at] ^= (unsigned char)(1 << bit);
            CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, "gzip", &err));
            CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
            status = ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, side, AP_ORDER_F, 0, 1, 0,
                                    o, &proxy, &err);
            if (status == AP_OK)
                status = ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err);
            CHECK(status == AP_OK || status == AP_ERR_CODEC || status == AP_ERR_TRUNCATED);
            refused += status != AP_OK;
            wrong += status == AP_OK && memcmp(out, data, sizeof out) != 0;
            ap_free(proxy);
            ap_source_free(source);
            ap_options_free(o);
            b.data[at] ^= (unsigned char)(1 << bit);
        }
    if (flags & GZIP_FIXED)
        CHECK(wrong < refused);
    else
        CHECK_INT(wrong, 0);
    CHECK(refused > 0);
    bytes_free(&b);
}

int main(void)
{
    bytes plain = {0};
    put_image(&plain);
    test_members(&plain);
    test_matches();
    test_trailing(&plain);
    test_checksums(&plain);
    test_damage(&plain);
    test_bad_distance();
    test_cut(&plain);
    test_flipped_bits(GZIP_STORED);
    test_flipped_bits(GZIP_FIXED | GZIP_NAMED);
    bytes_free(&plain);
    return test_end("gzip");
}
