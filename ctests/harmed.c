/* Damaged streams, read with and without an index, on one thread and several:
 * an error that names the byte, or right values where the damage is not. */
#include "test.h"
#include "support/gzidx.h"
#include "support/gzip.h"
#include "support/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int64_t rows(void)
{
    return test_small() ? 70 : 280;
}

static void check_message(const char *path)
{
    const char *byte = strstr(err.message, "(byte ");
    CHECK_INT(err.code, AP_ERR_CODEC);
    CHECK_PART(err.message, path);
    CHECK(byte != NULL && strtoll(byte + 6, NULL, 10) > 0);
}

/* All in one read, in several ways: never an answer. */
static void check_whole(const ap_proxy *proxy, const char *path)
{
    static const int walks[] = {WALK_WHOLE, WALK_TURNED, WALK_WHOLE};
    for (int i = 0; i < COUNT(walks); i++) {
        if (CHECK_STATUS(walk_series(proxy, rows(), walks[i], &err), AP_ERR_CODEC))
            check_message(path);
        if (i == 1)
            ap_trim(proxy);
    }
}

/* A bit in the middle, in streams of every kind. */
static void test_flipped(void)
{
    static const char *options[] = {"threads=1", "threads=2", "threads=2,cache_bytes=0",
                                    "threads=2,index_mode=0", "threads=4,index_spacing=65536"};
    const char *path = temp_path("flipped.nii");
    for (int kind = SERIES_GZIP; kind < SERIES_KINDS; kind++)
        for (int place = 1; place < 8; place += test_small() ? 3 : 1) {
            bytes b = {0};
            put_series(&b, kind, rows());
            size_t at = b.size / 8 * (size_t)place + (size_t)place;
            b.data[at] ^= (unsigned char)(1 << place);
            write_bytes(path, &b);
            for (int i = 0; i < COUNT(options); i += test_small() ? 2 : 1) {
                test_note("%s, byte %zu, %s", series_name(kind), at, options[i]);
                ap_proxy *proxy = open_series(path, options[i]);
                check_whole(proxy, path);
                /* What lies well before it is there. */
                CHECK_OK(read_rows(proxy, 0, 2, &err));
                CHECK_STATUS(ap_seekindex_build(proxy, NULL, &err),
                             strstr(options[i], "mode=0") ? AP_ERR_ARGUMENT : AP_ERR_CODEC);
                check_whole(proxy, path);
                CHECK_OK(read_rows(proxy, 1, 3, &err));
                ap_free(proxy);
            }
            ap_proxy *none;
            CHECK_STATUS(try_series(path, "index_mode=2", &none), AP_ERR_CODEC);
            check_message(path);
            bytes_free(&b);
        }
    test_note("");
}

/* Only the checksum or the size behind the data is wrong. */
static void test_trailers(void)
{
    static const int faults[] = {GZIP_BAD_CRC, GZIP_BAD_SIZE};
    const char *path = temp_path("trailer.nii.gz");
    bytes plain = {0};
    put_series(&plain, SERIES_PLAIN, rows());
    for (int i = 0; i < COUNT(faults); i++)
        for (int stored = 0; stored < 2; stored++)
            for (int threads = 1; threads < 4; threads++)
                for (int verify = 0; verify < 2; verify++) {
                    bytes b = {0};
                    char text[60];
                    put_gzip_blocks(&b, plain.data, plain.size, SERIES_BLOCK,
                                    faults[i] | (stored ? GZIP_STORED : GZIP_FIXED));
                    write_bytes(path, &b);
                    snprintf(text, sizeof text, "threads=%d,verify=%d,index_spacing=65536",
                             threads, verify);
                    test_note("fault %d, stored %d, %s", i, stored, text);
                    ap_proxy *proxy = open_series(path, text);
                    for (int turn = 0; turn < 2; turn++) {
                        CHECK_OK(read_rows(proxy, rows() / 2, rows() / 2 + 1, &err));
                        if (verify)
                            check_whole(proxy, path);
                        else
                            CHECK_OK(walk_series(proxy, rows(), WALK_WHOLE, &err));
                    }
                    ap_free(proxy);
                    bytes_free(&b);
                }
    bytes_free(&plain);
    test_note("");
}

/* The index was saved before the damage came. Whole reads fail; rows are right,
 * but for those that are decoded through the damage: they fail, or, where no
 * checksum was reached, hold anything. */
static void test_indexed(int kind, const char *options)
{
    static gzidx found;
    bytes b = {0}, saved = {0};
    const char *path = write_series(kind, rows()), *index = temp_path("before.gzidx");
    ap_proxy *proxy = open_series(path, "index_mode=2,index_spacing=65536");
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    ap_free(proxy);
    read_file(&saved, index);
    read_file(&b, path);
    CHECK(gzidx_of(&found, &saved));
    for (int k = 0; k < found.points; k += test_small() ? 2 : 1) {
        const gzidx_point *here = &found.point[k];
        if (here->position == found.decoded)
            break;                  /* BGZF's empty member: no data */
        int last = k + 1 == found.points;
        uint64_t end = last ? found.compressed - 8 : here[1].at;
        size_t at = (size_t)(here->at + (end - here->at) * 3 / 5);
        if (kind == SERIES_STORED && (at - 10) % (SERIES_BLOCK + 5) == 0)
            at++;                   /* a block's first byte has bits that mean nothing */
        b.data[at] ^= 0x10;
        write_bytes(path, &b);
        test_note("%s, %s, byte %zu behind point %d", series_name(kind), options, at, k);
        proxy = open_series(path, options);
        ap_status status = ap_seekindex_load(proxy, index, &err);
        CHECK(status == AP_OK || status == AP_ERR_SEEKINDEX);
        for (int pass = 0; pass < 2; pass++) {
            for (int64_t row = rows() - 1; row >= 0; row -= 3) {
                uint64_t start = (uint64_t)(SERIES_HEAD + row * ROW_BYTES), stop = start + ROW_BYTES;
                int touched = stop > here->position && (last || start < here[1].position);
                ap_status got = read_rows(proxy, row, row + 1, &err);
                if (status == AP_OK && !touched && !CHECK_OK(got))
                    break;
                CHECK(got >= 0 || got == AP_ERR_CODEC || got == AP_ERR_TRUNCATED);
                if (got < 0)
                    check_message(path);
            }
            check_whole(proxy, path);
            ap_trim(proxy);
        }
        ap_free(proxy);
        b.data[at] ^= 0x10;
    }
    /* Whole again, the index fits as before. */
    write_bytes(path, &b);
    proxy = open_series(path, options);
    CHECK_OK(ap_seekindex_load(proxy, index, &err));
    CHECK_WALKS(proxy, rows(), WALK_BACKWARD);
    ap_free(proxy);
    bytes_free(&b);
    bytes_free(&saved);
    test_note("");
}

/* Another program's index with wrong windows, one or all, in a whole read that
 * begins at many of its places at once: the index is dropped, not the read. */
static void test_wrong_windows(void)
{
    static const char *options[] = {"threads=2", "threads=3,cache_bytes=0", "threads=1"};
    static gzidx found;
    bytes saved = {0}, b = {0};
    const char *path = write_series(SERIES_GZIP, rows()), *index = temp_path("windows.gzidx");
    ap_proxy *proxy = open_series(path, "index_mode=2,index_spacing=65536");
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    ap_free(proxy);
    read_file(&saved, index);
    CHECK(gzidx_of(&found, &saved));
    put_gzidx(&b, &found);
    for (int wrong = 1; wrong <= found.points; wrong += test_small() ? 2 : 1)
        for (int i = 0; i < COUNT(options); i++)
            for (int walk = WALK_WHOLE; walk <= WALK_TURNED; walk++) {
                bytes harmed = {0};
                test_note("window %d, %s, walk %d", wrong, options[i], walk);
                put(&harmed, b.data, b.size);
                for (int k = 1; k < found.points; k++)
                    if (k == wrong || wrong == found.points)
                        for (int byte = 1; byte <= 12; byte++)
                            harmed.data[found.windows + (size_t)(k * GZIDX_WINDOW - byte)] ^= 0x55;
                write_bytes(index, &harmed);
                proxy = open_series(path, options[i]);
                CHECK_OK(ap_seekindex_load(proxy, index, &err));
                CHECK_OK(walk_series(proxy, rows(), walk, &err));
                CHECK_OK(walk_series(proxy, rows(), WALK_WHOLE, &err));
                ap_trim(proxy);
                CHECK_OK(walk_series(proxy, rows(), WALK_BACKWARD, &err));
                CHECK_OK(walk_series(proxy, rows(), walk, &err));
                ap_free(proxy);
                bytes_free(&harmed);
            }
    test_note("");
    bytes_free(&saved);
    bytes_free(&b);
}

/* Half of a span is read, then all: what was read without a checksum must not
 * come out of the cache as if it had one. */
static void test_after_part(void)
{
    const char *path = temp_path("part.nii.gz");
    for (int kind = SERIES_GZIP; kind <= SERIES_BGZF; kind++)
        for (int threads = 1; threads < 3; threads++)
            for (int part = 0; part < 3; part++) {
                bytes b = {0};
                char text[60];
                put_series(&b, kind, rows());
                b.data[b.size / 2] ^= 2;
                write_bytes(path, &b);
                snprintf(text, sizeof text, "threads=%d", threads);
                test_note("%s, %s, part %d", series_name(kind), text, part);
                ap_proxy *proxy = open_series(path, text);
                for (int64_t row = rows() / 2 - 8; part && row < rows() / 2 + 8; row += part) {
                    ap_status status = read_rows(proxy, row, row + 1, &err);
                    CHECK(status >= 0 || status == AP_ERR_CODEC);
                }
                check_whole(proxy, path);
                ap_free(proxy);
                bytes_free(&b);
            }
    test_note("");
}

int main(void)
{
    static const int kinds[] = {SERIES_GZIP, SERIES_STORED, SERIES_MEMBERS, SERIES_BGZF};
    static const char *options[] = {"threads=1", "threads=2", "threads=2,cache_bytes=0"};
    test_flipped();
    test_trailers();
    for (int i = 0; i < COUNT(kinds); i++)
        for (int k = 0; k < COUNT(options); k++)
            test_indexed(kinds[i], options[k]);
    test_wrong_windows();
    test_after_part();
    return test_end("harmed");
}
