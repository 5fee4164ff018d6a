/* bzip2 and zstd: streams and frames, what stands between and behind them,
 * damage, cut files. gzip.c has the like for gzip. */
#include "test.h"
#include "support/access.h"
#include "support/bzip2.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/streams.h"
#include "support/zstd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two images of 50 columns: one made here, whose element i has the value i, and
 * that of support/streams.h. */
typedef struct {
    int64_t column;                 /* elements of a column */
    int (*element)(int64_t i);
} image;

static int count(int64_t i)
{
    return (int)i;
}

enum { COLUMN = 300, COLUMNS = 50, MOST = STRIPE * COLUMNS };
static const image counted = {COLUMN, count}, striped = {STRIPE, stripe};
static const int64_t shape[2] = {COLUMN, COLUMNS};

static void put_image(bytes *b)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT32, 2, shape);
    bytes data = {0};
    put_counted(&data, COLUMN * COLUMNS, AP_LITTLE);
    put_nifti(b, &n, data.data, data.size);
    bytes_free(&data);
}

/* The status of reading some columns; whatever is read must be right. */
static ap_status read_columns(const ap_proxy *proxy, image of, int64_t from, int64_t to)
{
    static int32_t out[MOST];
    ap_slice part[2] = {ap_all(), ap_range(from, to, 1)};
    int wrong = 0;
    memset(out, 0xff, sizeof out);
    ap_status status = ap_read_slice(proxy, part, 2, AP_INT32, 0, out, sizeof out, &err);
    for (int64_t i = 0; i < of.column * (to - from) && !status; i++)
        wrong += out[i] != of.element(of.column * from + i);
    CHECK_INT(wrong, 0);
    return status;
}

static ap_status read_all(const ap_proxy *proxy)
{
    return read_columns(proxy, counted, 0, COLUMNS);
}

/* Far on, back, all, and again without what was kept. */
static void check_reads(const ap_proxy *proxy, image of)
{
    CHECK_OK(read_columns(proxy, of, 40, 43));
    CHECK_OK(read_columns(proxy, of, 0, 1));
    CHECK_OK(read_columns(proxy, of, 49, 50));
    CHECK_OK(read_columns(proxy, of, 0, 50));
    ap_trim(proxy);
    CHECK_OK(read_columns(proxy, of, 25, 30));
    for (int i = 0; i < (test_small() ? 2 : 20); i++)
        CHECK_OK(read_columns(proxy, of, i * 37 % 50, i * 37 % 50 + 1));
    CHECK_OK(read_columns(proxy, of, 0, 50));
}

static void check_good(const bytes *b, int codec, const char *what)
{
    ap_proxy *proxy;
    test_note("%s, %s", codec_name(codec), what);
    if (CHECK_OK(open_with_int(b, AP_OPT_STRICT, 1, &proxy))) {
        CHECK_TEXT(ap_codec(proxy), codec_name(codec));
        CHECK_TEXT(ap_format(proxy), "nifti1");
        CHECK(ap_warning(proxy, 0) == NULL);
        check_reads(proxy, counted);
        ap_free(proxy);
    }
    test_note("");
}

/* What the tools of the compressions make. */
static void test_tools(void)
{
    for (int i = 0; i < streams_count; i++)
        for (int keep_open = 0; keep_open < 2; keep_open++)
            for (int mmap = 0; mmap < (test_small() ? 1 : 2); mmap++) {
                const stream *s = streams + i;
                ap_options *o = ap_options_new();
                ap_proxy *proxy = NULL;
                test_note("%s, keep_open %d, mmap %d", s->made_by, keep_open, mmap);
                write_file(temp_path("tools"), s->data, s->size);
                CHECK_OK(ap_options_set_int(o, AP_OPT_KEEP_OPEN, keep_open, &err));
                CHECK_OK(ap_options_set_int(o, AP_OPT_MMAP, mmap, &err));
                if (CHECK_OK(ap_open(temp_path("tools"), o, &proxy, &err))) {
                    CHECK_TEXT(ap_codec(proxy), codec_name(s->codec));
                    CHECK(ap_warning(proxy, 0) == NULL);
                    check_reads(proxy, striped);
                }
                ap_free(proxy);
                CHECK_OK(ap_options_set_int(o, AP_OPT_MMAP, 2, &err));
                CHECK_STATUS(ap_open(temp_path("tools"), o, &proxy, &err), AP_ERR_UNSUPPORTED);
                ap_options_free(o);
            }
    test_note("");
}

/* An object behind callbacks, which gives little at a time. */
static int64_t read_bites(void *user, void *buf, size_t len, uint64_t offset)
{
    const stream *s = user;
    if (offset >= s->size)
        return 0;
    if (len > s->size - offset)
        len = s->size - (size_t)offset;
    if (len > 7)
        len = 7;
    memcpy(buf, s->data + offset, len);
    return (int64_t)len;
}

static int64_t size_of_stream(void *user)
{
    return (int64_t)((const stream *)user)->size;
}

static void test_callbacks(void)
{
    for (int i = 0; i < streams_count; i++) {
        stream s = streams[i];
        ap_source *source = NULL;
        ap_proxy *proxy = NULL;
        test_note("%s", s.made_by);
        CHECK_OK(ap_source_callbacks(read_bites, size_of_stream, NULL, &s, 0, &source, &err));
        CHECK_OK(ap_open_source(source, NULL, NULL, &proxy, &err));
        ap_source_free(source);
        CHECK_TEXT(ap_codec(proxy), codec_name(s.codec));
        check_reads(proxy, striped);
        ap_free(proxy);
    }
    test_note("");
}

static ap_status open_memory(const void *data, size_t n, const char *codec, ap_proxy **proxy)
{
    ap_source *source = NULL;
    ap_options *o = ap_options_new();
    ap_status status;
    *proxy = MARKED(ap_proxy);
    CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, codec, &err));
    CHECK_OK(ap_source_memory(data, n, NULL, NULL, &source, &err));
    status = ap_open_source(source, NULL, o, proxy, &err);
    CHECK((status == AP_OK) == (*proxy != NULL));
    ap_source_free(source);
    ap_options_free(o);
    return status;
}

/* The codec asked for is taken, right or wrong. */
static void test_option(void)
{
    for (int i = 0; i < streams_count; i++)
        for (int asked = 0; asked < CODECS; asked++) {
            const stream *s = streams + i;
            ap_proxy *proxy;
            test_note("%s as %s", s->made_by, codec_name(asked));
            CHECK_STATUS(open_memory(s->data, s->size, codec_name(asked), &proxy),
                         asked == s->codec     ? AP_OK
                         : asked == CODEC_NONE ? AP_ERR_FORMAT
                                               : AP_ERR_CODEC);
            ap_free(proxy);
        }
    test_note("");
}

static void put_parts(bytes *b, int codec, const bytes *plain, size_t part)
{
    for (size_t at = 0; at < plain->size; at += part) {
        size_t left = plain->size - at;
        put_packed(b, codec, plain->data + at, left < part ? left : part);
    }
}

static void test_parts(const bytes *plain)
{
    static const size_t parts[] = {300, 348, 4096, 30000, 60351};
    char what[60];
    for (int codec = CODEC_BZIP2; codec < CODECS; codec++) {
        bytes b = {0};
        put_packed(&b, codec, plain->data, plain->size);
        check_good(&b, codec, "one stream");
        for (int i = test_small() ? 2 : 0; i < COUNT(parts); i++) {
            b.size = 0;
            put_parts(&b, codec, plain, parts[i]);
            snprintf(what, sizeof what, "streams of %zu bytes", parts[i]);
            check_good(&b, codec, what);
        }
        /* Empty streams before, between and behind. */
        b.size = 0;
        put_packed(&b, codec, "", 0);
        put_packed(&b, codec, "", 0);
        put_packed(&b, codec, plain->data, 1000);
        put_packed(&b, codec, "", 0);
        put_packed(&b, codec, plain->data + 1000, plain->size - 1000);
        put_packed(&b, codec, "", 0);
        check_good(&b, codec, "empty streams");
        bytes_free(&b);
    }
}

/* Every kind of frame header, and skippable frames wherever they may be. */
static void test_frames(const bytes *plain)
{
    static const int flags[] = {ZSTD_PLAIN, ZSTD_SIZED, ZSTD_CHECKED, ZSTD_SIZED | ZSTD_CHECKED};
    static const size_t sizes[] = {0, 1, 300, 539, 540, 100000};
    bytes b = {0};
    char what[60];
    for (int i = 0; i < COUNT(flags); i++) {
        b.size = 0;
        put_zstd(&b, plain->data, plain->size, flags[i]);
        snprintf(what, sizeof what, "flags %d", flags[i]);
        check_good(&b, CODEC_ZSTD, what);
    }
    for (int i = 0; i < COUNT(sizes); i++) {
        b.size = 0;
        put_zstd_skippable(&b, i, sizes[i]);
        put_zstd_skippable(&b, 15 - i, 3);
        put_zstd(&b, plain->data, 20000, ZSTD_PLAIN);
        put_zstd_skippable(&b, 15, sizes[i]);
        put_zstd(&b, plain->data + 20000, plain->size - 20000, ZSTD_CHECKED);
        put_zstd_skippable(&b, 0, sizes[i]);
        snprintf(what, sizeof what, "skippable frames of %zu bytes", sizes[i]);
        check_good(&b, CODEC_ZSTD, what);
    }
    bytes_free(&b);
}

/* What follows the last stream and is none does not matter. */
static void test_trailing(const bytes *plain)
{
    static const size_t sizes[] = {1, 3, 9, 512, 100000};
    for (int codec = CODEC_BZIP2; codec < CODECS; codec++)
        for (int i = 0; i < COUNT(sizes); i++)
            for (int junk = 0; junk < 3; junk++) {
                bytes b = {0};
                put_parts(&b, codec, plain, 30000);
                size_t end = b.size;
                put_fill(&b, junk ? 0xc3 : 0, sizes[i]);
                if (junk == 2)                      /* begins like a stream */
                    memcpy(b.data + end, codec == CODEC_ZSTD ? "\x28\xb5\x2f" : "BZh",
                           sizes[i] < 3 ? sizes[i] : 3);
                check_good(&b, codec, junk ? "junk behind" : "zeros behind");
                bytes_free(&b);
            }
}

/* Checksums are looked at whether or not that was asked for. Reads before the
 * place where the checksum counts are sound. */
static void test_checksums(const bytes *plain)
{
    static const struct {
        int codec, flags;
    } faults[] = {{CODEC_BZIP2, BZIP2_BAD_BLOCK},
                  {CODEC_BZIP2, BZIP2_BAD_STREAM},
                  {CODEC_ZSTD, ZSTD_CHECKED | ZSTD_BAD_SUM},
                  {CODEC_ZSTD, ZSTD_SIZED | ZSTD_CHECKED | ZSTD_BAD_SUM}};
    for (int i = 0; i < COUNT(faults); i++)
        for (int verify = 0; verify < 2; verify++)
            for (int middle = 0; middle < 2; middle++) {
                bytes b = {0};
                ap_proxy *proxy;
                size_t end = middle ? 50000 : plain->size;
                test_note("%s, flags %d, verify %d, middle %d", codec_name(faults[i].codec),
                          faults[i].flags, verify, middle);
                if (faults[i].codec == CODEC_BZIP2)
                    put_bzip2(&b, plain->data, end, faults[i].flags);
                else
                    put_zstd(&b, plain->data, end, faults[i].flags);
                if (middle)
                    put_packed(&b, faults[i].codec, plain->data + end, plain->size - end);
                CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, verify, &proxy));
                CHECK_STATUS(read_all(proxy), AP_ERR_CODEC);
                CHECK_STATUS(read_all(proxy), AP_ERR_CODEC);
                CHECK_INT(err.code, AP_ERR_CODEC);
                CHECK_OK(read_columns(proxy, counted, 0, 35));
                ap_free(proxy);
                bytes_free(&b);
            }
    test_note("");
}

/* Damage half way: what lies before it can still be read, the error names the
 * file and a byte near the damage. */
static void test_damage(const bytes *plain)
{
    for (int codec = CODEC_BZIP2; codec < CODECS; codec++)
        for (int parts = 0; parts < 2; parts++) {
            bytes b = {0};
            ap_proxy *proxy = NULL;
            const char *path = temp_path("damaged.nii");
            test_note("%s, several streams %d", codec_name(codec), parts);
            put_parts(&b, codec, plain, parts ? 7000 : plain->size);
            memset(b.data + b.size / 2, 0xff, 4000);
            write_bytes(path, &b);
            CHECK_OK(ap_open(path, NULL, &proxy, &err));
            CHECK_STATUS(read_all(proxy), AP_ERR_CODEC);
            CHECK_PART(err.message, path);
            CHECK_PART(err.message, "(byte ");
            CHECK_STATUS(read_columns(proxy, counted, 45, 46), AP_ERR_CODEC);
            CHECK_OK(read_columns(proxy, counted, 0, 20));
            CHECK_STATUS(read_all(proxy), AP_ERR_CODEC);
            ap_free(proxy);
            bytes_free(&b);
        }
    test_note("");
}

/* Cut anywhere: what is there can be read, what is missing is TRUNCATED. */
static void test_cut(const bytes *plain)
{
    for (int codec = CODEC_BZIP2; codec < CODECS; codec++)
        for (int parts = 0; parts < 2; parts++) {
            bytes b = {0};
            ap_proxy *proxy;
            put_parts(&b, codec, plain, parts ? 4500 : plain->size);
            size_t whole = b.size;
            for (size_t tenth = 1; tenth <= 9; tenth++) {
                b.size = whole * tenth / 10 + tenth;
                test_note("%zu tenths, %s, several streams %d", tenth, codec_name(codec), parts);
                if (!CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy)))
                    continue;
                CHECK_STATUS(read_all(proxy), AP_ERR_TRUNCATED);
                CHECK_INT(err.code, AP_ERR_TRUNCATED);
                CHECK_OK(read_columns(proxy, counted, 0, tenth < 5 ? 1 : 15));
                CHECK_STATUS(read_columns(proxy, counted, 49, 50), AP_ERR_TRUNCATED);
                CHECK_OK(read_columns(proxy, counted, 0, 1));
                ap_free(proxy);
            }
            /* The data are all there, the end of the stream is not: both answers
             * are fair. */
            for (size_t missing = 1; missing <= 10; missing++) {
                b.size = whole - missing;
                test_note("end short by %zu, %s", missing, codec_name(codec));
                CHECK_OK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy));
                ap_status status = read_all(proxy);
                CHECK(status == AP_OK || status == AP_ERR_TRUNCATED);
                CHECK_OK(read_columns(proxy, counted, 0, 40));
                ap_free(proxy);
            }
            /* Too short for the header of the image. */
            for (size_t size = 0; size < 300; size += test_small() ? 50 : 7) {
                b.size = size;
                test_note("%zu bytes, %s", size, codec_name(codec));
                CHECK(open_with_int(&b, AP_OPT_VERIFY, 1, &proxy) < 0);
            }
            bytes_free(&b);
        }
    test_note("");
}

/* A layout of bytes with the codec given. */
static ap_status read_bytes(const bytes *b, const char *codec, int64_t n, void *out)
{
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, codec, &err));
    CHECK_OK(ap_source_memory(b->data, b->size, NULL, NULL, &source, &err));
    ap_status status = ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, &n, AP_ORDER_F, 0, 1, 0, o,
                                      &proxy, &err);
    if (status == AP_OK)
        status = ap_read_all(proxy, AP_DISK, 0, out, (size_t)n, &err);
    ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
    return status;
}

/* Every bit of a small file turned over: no crash, no hang, no wrong values.
 * Flipped, zstd's header can ask for what the library does not do. */
static void test_flipped_bits(int codec)
{
    unsigned char data[90], out[90];
    bytes b = {0};
    int wrong = 0, refused = 0;
    for (int i = 0; i < 90; i++)
        data[i] = (unsigned char)(i / 7 * 31);
    put_packed(&b, codec, data, sizeof data);
    test_note("%s", codec_name(codec));
    CHECK_OK(read_bytes(&b, codec_name(codec), 90, out));
    for (size_t at = 0; at < b.size; at++)
        for (int bit = 0; bit < 8; bit += test_small() ? 5 : 1) {
            b.data[at] ^= (unsigned char)(1 << bit);
            ap_status status = read_bytes(&b, codec_name(codec), 90, out);
            CHECK(status == AP_OK || status == AP_ERR_CODEC || status == AP_ERR_TRUNCATED ||
                  (codec == CODEC_ZSTD && status == AP_ERR_UNSUPPORTED));
            refused += status != AP_OK;
            wrong += status == AP_OK && memcmp(out, data, sizeof out) != 0;
            b.data[at] ^= (unsigned char)(1 << bit);
        }
    CHECK_INT(wrong, 0);
    CHECK(refused > 0);
    bytes_free(&b);
    test_note("");
}

/* What a frame's header may ask for: windows up to 128 MiB, no dictionary. */
static void test_windows(const bytes *plain)
{
    static const int logs[] = {12, 17, 23, 27, 28, 31, 41};
    bytes b = {0};
    ap_proxy *proxy;
    for (int i = 0; i < COUNT(logs); i++) {
        b.size = 0;
        test_note("window of 2^%d bytes", logs[i]);
        put_zstd_window(&b, plain->data, plain->size, ZSTD_CHECKED, logs[i]);
        if (logs[i] <= 27) {
            check_good(&b, CODEC_ZSTD, "windows");
        } else {
            CHECK_STATUS(open_with_int(&b, AP_OPT_STRICT, 0, &proxy), AP_ERR_UNSUPPORTED);
            CHECK_PART(err.message, "zstd");
        }
    }
    test_note("dictionary");
    b.size = 0;
    put_zstd(&b, plain->data, plain->size, ZSTD_DICTIONARY);
    CHECK_STATUS(open_with_int(&b, AP_OPT_STRICT, 0, &proxy), AP_ERR_UNSUPPORTED);
    CHECK_PART(err.message, "zstd");
    /* Behind a frame that is fine. */
    test_note("window of 2^28 bytes behind");
    b.size = 0;
    put_zstd(&b, plain->data, 20000, 0);
    put_zstd_window(&b, plain->data + 20000, plain->size - 20000, 0, 28);
    CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy));
    CHECK_OK(read_columns(proxy, counted, 0, 10));
    CHECK_STATUS(read_all(proxy), AP_ERR_UNSUPPORTED);
    ap_free(proxy);
    bytes_free(&b);
    test_note("");
}

/* Bytes that are nearly a stream are read as they are. */
static void test_no_streams(void)
{
    static const struct {
        size_t n;
        const char *head;
    } heads[] = {
        {10, "BZh01AY&SY"},             /* level 0 */
        {10, "BZh:1AY&SY"},
        {10, "BZH91AY&SY"},
        {10, "BZh91AY&S0"},
        {10, "BZh91AY&SY"},             /* right, but no block follows */
        {10, "BZh9\x17rE8P\x91"},
        {4, "\x28\xb5\x2f\xfc"},
        {4, "\x28\xb5\x2f\xfd"},        /* right, but no frame follows */
        {12, "\x50\x2a\x4d\x18\x04\0\0\0abcd"},     /* no frame behind */
        {4, "\x4f\x2a\x4d\x18"},
        {4, "\x02\x21\x4c\x18"},        /* other tools */
        {6, "\xfd" "7zXZ\0"},
        {3, "\x1f\x9d\x90"},
    };
    for (int i = 0; i < COUNT(heads); i++) {
        unsigned char out[500];
        bytes b = {0};
        put(&b, heads[i].head, heads[i].n);
        put_fill(&b, 0xff, 500 - b.size);
        test_note("head %d", i);
        CHECK_OK(read_bytes(&b, "auto", 500, out));
        CHECK_BYTES(out, b.data, 500);
        bytes_free(&b);
    }
    test_note("");
}

/* A stream without bytes, or with bytes of no format. */
static void test_nothing_inside(void)
{
    for (int codec = CODEC_BZIP2; codec < CODECS; codec++)
        for (size_t n = 0; n <= 600; n += 300) {
            bytes b = {0}, junk = {0};
            ap_proxy *proxy;
            test_note("%s of %zu bytes", codec_name(codec), n);
            put_fill(&junk, 'x', n);
            put_packed(&b, codec, junk.data, n);
            CHECK_STATUS(open_with_int(&b, AP_OPT_STRICT, 0, &proxy), AP_ERR_FORMAT);
            bytes_free(&b);
            bytes_free(&junk);
        }
    test_note("");
}

int main(void)
{
    bytes plain = {0};
    put_image(&plain);
    test_tools();
    test_callbacks();
    test_option();
    test_parts(&plain);
    test_frames(&plain);
    test_trailing(&plain);
    test_checksums(&plain);
    test_damage(&plain);
    test_cut(&plain);
    test_flipped_bits(CODEC_BZIP2);
    test_flipped_bits(CODEC_ZSTD);
    test_windows(&plain);
    test_no_streams();
    test_nothing_inside();
    bytes_free(&plain);
    return test_end("codecs");
}
