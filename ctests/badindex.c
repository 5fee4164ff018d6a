/* Index files that are missing, damaged, cut, foreign, or changed behind the
 * library's back: an error, or right values all the same. */
#include "test.h"
#include "support/gzidx.h"
#include "support/gzip.h"
#include "support/series.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS = 40, SPACING = 65536 };

/* An image, and its index as the library saves it. */
typedef struct {
    int kind;
    const char *path, *index;
    bytes saved;
    gzidx fields;
} subject;

static void make_subject(subject *s, int kind)
{
    memset(s, 0, sizeof *s);
    s->kind = kind;
    s->path = write_series(kind, ROWS);
    s->index = temp_path("subject.gzidx");
    ap_proxy *proxy = open_series(s->path, "index_mode=2,index_spacing=65536");
    CHECK_OK(ap_seekindex_save(proxy, s->index, &err));
    read_file(&s->saved, s->index);
    CHECK(gzidx_of(&s->fields, &s->saved));
    ap_free(proxy);
}

/* Read what stands right behind the seek points: all that is in the windows is
 * needed for it. */
static ap_status read_behind(const ap_proxy *proxy, const subject *s)
{
    for (int i = 1; i < s->fields.points; i++) {
        int64_t first = ((int64_t)s->fields.point[i].position - SERIES_HEAD) / 4 + 1;
        int64_t n = ROW - first % ROW;
        ap_slice part[2] = {ap_range(first % ROW, AP_NONE, 1), ap_at(first / ROW)};
        int32_t out[ROW];
        ap_status status = ap_read_slice(proxy, part, 2, AP_DISK, 0, out, sizeof out, &err);
        for (int64_t k = 0; k < n && !status; k++)
            if (out[k] != first + k)
                status = WRONG_VALUES;
        if (status)
            return status;
    }
    return AP_OK;
}

/* A file loads, or gives AP_ERR_SEEKINDEX and changes nothing; in both cases
 * all that is read is right. Returns the status. */
static ap_status check_index(const subject *s, const bytes *file, int walks)
{
    const char *path = temp_path("tried.gzidx");
    ap_error *e = &err;
    unlink(path);               /* or the system writes the old one out first */
    write_bytes(path, file);
    ap_proxy *proxy = open_series(s->path, "index_spacing=65536");
    info before = info_of(proxy);
    ap_status status = ap_seekindex_load(proxy, path, e);
    CHECK(status == AP_OK || status == AP_ERR_SEEKINDEX);
    if (status != AP_OK) {
        CHECK_INT(err.code, AP_ERR_SEEKINDEX);
        CHECK_PART(err.message, path);
        CHECK(same_info(info_of(proxy), before));
    }
    CHECK_OK(read_behind(proxy, s));
    CHECK_OK(read_rows(proxy, ROWS - 1, ROWS, e));
    CHECK_OK(read_rows(proxy, 1, 2, e));
    if (walks)
        CHECK_WALKS(proxy, ROWS, WALK_BACKWARD);
    ap_free(proxy);
    return status;
}

/* Whether a byte is tried: all but those inside windows, of which some are, the
 * last before all. */
static int is_tried(const subject *s, size_t at)
{
    size_t every = test_small() ? 4001 : 257;
    size_t dense = test_small() ? 7 : 1;
    int inside = at > s->fields.windows + 2 && at + 2 < s->fields.ours;
    inside = inside && (at - s->fields.windows) % GZIDX_WINDOW < GZIDX_WINDOW - 20;
    return at % (inside ? every : dense) == 0;
}

static void test_cut(subject *s)
{
    bytes cut = s->saved;
    for (size_t size = 0; size < s->saved.size; size++)
        if (is_tried(s, size)) {
            test_note("%s, cut to %zu of %zu", series_name(s->kind), size, s->saved.size);
            cut.size = size;
            ap_status status = check_index(s, &cut, size % 10 == 0);
            /* Without what is the library's own it is another program's. */
            CHECK_INT(status, size == s->fields.ours ? AP_OK : AP_ERR_SEEKINDEX);
        }
    test_note("whole");
    CHECK_OK(check_index(s, &s->saved, 1));
    /* And longer than it should be. */
    for (size_t more = 1; more < 50; more += 7) {
        bytes longer = {0};
        put(&longer, s->saved.data, s->saved.size);
        put_fill(&longer, 0, more);
        CHECK_STATUS(check_index(s, &longer, 0), AP_ERR_SEEKINDEX);
        bytes_free(&longer);
    }
    test_note("");
}

static void test_flipped(subject *s)
{
    for (size_t at = 0; at < s->saved.size; at++)
        if (is_tried(s, at)) {
            unsigned char bit = (unsigned char)(1 << at % 8);
            int window = at >= s->fields.windows && at < s->fields.ours;
            test_note("%s, bit of byte %zu flipped", series_name(s->kind), at);
            s->saved.data[at] ^= bit;
            ap_status status = check_index(s, &s->saved, at % 10 == 0);
            /* Windows may be looked at when they are needed. */
            if (!window && status != AP_OK)
                CHECK_INT(status, AP_ERR_SEEKINDEX);
            else
                CHECK(window);
            s->saved.data[at] ^= bit;
        }
    test_note("");
}

/* What other programs write has no checksums: never a crash, and right values
 * where whole members are read, on however many threads. */
static void test_foreign_flipped(subject *s)
{
    const char *path = temp_path("foreign.gzidx");
    bytes b = {0};
    put_gzidx(&b, &s->fields);
    CHECK_OK(check_index(s, &b, 1));
    for (size_t at = 0; at < b.size; at++)
        for (int partly = 0; is_tried(s, at) && partly < 2; partly++) {
            unsigned char bit = (unsigned char)(1 << at % 8);
            ap_proxy *proxy =
                open_series(s->path, at % 2 ? "index_spacing=65536"
                                            : "index_spacing=65536,threads=2");
            info before = info_of(proxy);
            test_note("%s, bit of byte %zu flipped, read before %d", series_name(s->kind), at,
                      partly);
            b.data[at] ^= bit;
            unlink(path);
            write_bytes(path, &b);
            ap_status status = ap_seekindex_load(proxy, path, &err);
            CHECK(status == AP_OK || status == AP_ERR_SEEKINDEX);
            CHECK(status == AP_OK || same_info(info_of(proxy), before));
            if (partly) {
                status = read_behind(proxy, s);
                CHECK(status >= 0 || status == AP_ERR_CODEC || status == AP_ERR_TRUNCATED);
            }
            CHECK_OK(walk_series(proxy, ROWS, WALK_WHOLE, &err));
            CHECK_OK(walk_series(proxy, ROWS, WALK_TURNED, &err));
            ap_free(proxy);
            b.data[at] ^= bit;
        }
    test_note("");
    bytes_free(&b);
}

/* Fields that cannot be, and some that can. */
static void test_fields(subject *s)
{
    static const struct {
        const char *what;
        size_t at;
        int size, fine;
        uint64_t value;
    } changes[] = {
        {"version 2", 5, 1, 0, 2},
        {"flags", 6, 1, 0, 1},
        {"file of 0 bytes", 7, 8, 0, 0},
        {"file of 2^64 - 1 bytes", 7, 8, 0, UINT64_MAX},
        {"size not known", 15, 8, 1, 0},
        {"1 byte decoded", 15, 8, 0, 1},
        {"spacing 0", 23, 4, 1, 0},
        {"spacing 2^32 - 1", 23, 4, 1, UINT32_MAX},
        {"windows of 0 bytes", 27, 4, 0, 0},
        {"windows of 32767 bytes", 27, 4, 0, 32767},
        {"windows of 2^32 - 1 bytes", 27, 4, 0, UINT32_MAX},
        {"no points", 31, 4, 0, 0},
        {"2^32 - 1 points", 31, 4, 0, UINT32_MAX},
        {"3 points more", 31, 4, 0, 6},
        {"second point at 0", 35 + 18, 8, 0, 0},
        {"second point behind the file", 35 + 18, 8, 0, UINT64_C(1) << 40},
        {"second point behind the third", 35 + 18 + 8, 8, 0, 150000},
        {"second point at 2^63", 35 + 18 + 8, 8, 0, UINT64_C(1) << 63},
        {"8 bits", 35 + 18 + 16, 1, 0, 8},
        {"window flag 2", 35 + 18 + 17, 1, 0, 2},
    };
    for (int i = 0; i < COUNT(changes); i++) {
        bytes b = {0}, field = {0};
        put_gzidx(&b, &s->fields);
        put_int(&field, changes[i].value, changes[i].size, AP_LITTLE);
        memcpy(b.data + changes[i].at, field.data, field.size);
        test_note("%s", changes[i].what);
        ap_status status = check_index(s, &b, 1);
        CHECK_INT(status, changes[i].fine ? AP_OK : AP_ERR_SEEKINDEX);
        bytes_free(&b);
        bytes_free(&field);
    }
    test_note("");
}

/* Version 0 has no flags for windows; some writers have a point at the end. */
static void test_other_writers(subject *s)
{
    gzidx more = s->fields;
    bytes b = {0}, old = {0};
    gzidx_point *last = &more.point[more.points++];
    last->at = more.compressed - 8;
    last->position = more.decoded;
    last->window = s->fields.point[1].window;
    put_gzidx(&b, &more);
    test_note("point at the end");
    CHECK_OK(check_index(s, &b, 1));

    b.size = 0;
    put_gzidx(&b, &s->fields);
    put(&old, b.data, GZIDX_HEAD);
    old.data[5] = 0;
    for (int i = 0; i < s->fields.points; i++)
        put(&old, b.data + GZIDX_HEAD + GZIDX_POINT * i, GZIDX_POINT - 1);
    put(&old, b.data + s->fields.windows, b.size - s->fields.windows);
    test_note("version 0");
    CHECK_OK(check_index(s, &old, 1));
    test_note("");
    bytes_free(&b);
    bytes_free(&old);
}

/* No index, or that of another file. */
static void test_others(void)
{
    static const char *texts[] = {"", "G", "GZIDX", "not an index at all, but long enough for one"};
    static subject s, other;
    bytes b = {0};
    make_subject(&s, SERIES_GZIP);
    ap_proxy *proxy = open_series(s.path, "");
    info before = info_of(proxy);
    CHECK_STATUS(ap_seekindex_load(proxy, temp_path("missing.gzidx"), &err), AP_ERR_NOT_FOUND);
    CHECK_PART(err.message, temp_path("missing.gzidx"));
    CHECK_STATUS(ap_seekindex_load(proxy, temp_path("."), &err), AP_ERR_IO);
    CHECK(same_info(info_of(proxy), before));
    for (int i = 0; i < COUNT(texts); i++) {
        test_note("\"%s\"", texts[i]);
        b.size = 0;
        put(&b, texts[i], strlen(texts[i]));
        CHECK_STATUS(check_index(&s, &b, 0), AP_ERR_SEEKINDEX);
    }
    test_note("the data");
    b.size = 0;
    read_file(&b, s.path);
    CHECK_STATUS(check_index(&s, &b, 0), AP_ERR_SEEKINDEX);
    test_note("other data");
    make_subject(&other, SERIES_STORED);
    CHECK_STATUS(check_index(&s, &other.saved, 1), AP_ERR_SEEKINDEX);
    CHECK_STATUS(check_index(&other, &s.saved, 1), AP_ERR_SEEKINDEX);
    test_note("");
    ap_free(proxy);
    bytes_free(&b);
    bytes_free(&s.saved);
    bytes_free(&other.saved);
}

/* Another file of the same size, with blocks at the same places: its index
 * may load, but not spoil what is read. */
static void test_twins(int kind)
{
    static subject s;
    bytes plain = {0}, packed = {0};
    make_subject(&s, kind);
    put_series(&plain, SERIES_PLAIN, ROWS);
    for (size_t i = SERIES_HEAD; i < plain.size; i++)
        plain.data[i] ^= 0x41;
    pack_series(&packed, kind, &plain);
    if (packed.size == s.fields.compressed) {
        static const char *options[] = {"", "threads=2", "cache_bytes=0", "verify=0"};
        const char *path = temp_path("twin.nii.gz");
        write_bytes(path, &packed);
        for (int i = 0; i < COUNT(options); i++) {
            static int32_t out[ROW * ROWS];
            int wrong = 0;
            ap_proxy *proxy = open_series(path, options[i]);
            test_note("%s, %s", series_name(kind), options[i]);
            ap_status status = ap_seekindex_load(proxy, s.index, &err);
            CHECK(status == AP_OK || status == AP_ERR_SEEKINDEX);
            for (int row = ROWS - 1; row >= -1; row--) {
                ap_slice one[2] = {ap_all(), ap_at(row)};
                int64_t first = row < 0 ? 0 : row * ROW, n = row < 0 ? ROW * ROWS : ROW;
                CHECK_OK(ap_read_slice(proxy, one, row < 0 ? 0 : 2, AP_DISK, 0, out, sizeof out,
                                       &err));
                for (int64_t i = 0; i < n; i++)
                    wrong += out[i] != ((first + i) ^ 0x41414141);
            }
            CHECK_INT(wrong, 0);
            ap_free(proxy);
        }
    }
    CHECK(kind != SERIES_STORED || packed.size == s.fields.compressed);
    test_note("");
    bytes_free(&plain);
    bytes_free(&packed);
    bytes_free(&s.saved);
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *list = opendir(folder);
    while (list && readdir(list))
        count++;
    closedir(list);
    return count - 2;
}

/* Where a file can be saved, and where not. */
static void test_places(void)
{
    char name[400];
    static subject s;
    bytes found = {0};
    const char *folder = temp_path("folder");
    make_subject(&s, SERIES_GZIP);
    ap_proxy *proxy = open_series(s.path, "index_mode=2,index_spacing=65536");
    CHECK(mkdir(folder, 0700) == 0);
    const char *good = temp_path("folder/good.gzidx");
    write_file(good, "what was there before", 21);
    CHECK_OK(ap_seekindex_save(proxy, good, &err));
    CHECK_OK(ap_seekindex_save(proxy, good, &err));
    read_file(&found, good);
    CHECK(found.size == s.saved.size);
    CHECK_BYTES(found.data, s.saved.data, found.size < s.saved.size ? found.size : s.saved.size);
    memset(name, 'n', sizeof name);
    memcpy(name, "folder/", 7);
    name[300] = 0;
    const char *bad[] = {temp_path("nowhere/index.gzidx"), folder, temp_path("folder/good.gzidx/x"),
                         temp_path(name), "/", ""};
    for (int i = 0; i < COUNT(bad); i++) {
        test_note("\"%s\"", bad[i]);
        ap_status status = ap_seekindex_save(proxy, bad[i], &err);
        CHECK(status == (i ? AP_ERR_IO : AP_ERR_NOT_FOUND) || (i > 3 && status < 0));
        CHECK_INT(err.code, status);
        CHECK_PART(err.message, i > 3 ? "" : bad[i]);
        CHECK_INT(entries(folder), 1);
    }
    test_note("");
    CHECK_OK(read_rows(proxy, 20, 21, &err));
    ap_free(proxy);
    bytes_free(&found);
    bytes_free(&s.saved);
}

/* The index file is no more what it was when it was loaded. */
static void test_changed(void)
{
    static subject s;
    make_subject(&s, SERIES_GZIP);
    for (int change = 0; change < 6; change++)
        for (int used = 0; used < 2; used++) {
            bytes junk = {0};
            const char *path = temp_path("changed.gzidx"), *other = temp_path("new.gzidx");
            ap_proxy *proxy = open_series(s.path, used ? "cache_bytes=0" : "");
            test_note("change %d, used %d", change, used);
            unlink(path);
            write_bytes(path, &s.saved);
            put_fill(&junk, 0x5a, s.saved.size);
            CHECK_OK(ap_seekindex_load(proxy, path, &err));
            if (used)
                CHECK_OK(read_rows(proxy, ROWS / 2, ROWS / 2 + 1, &err));
            if (change == 0) {
                unlink(path);
            } else if (change == 1) {
                write_bytes(path, &junk);       /* in place */
            } else if (change == 2) {
                write_file(path, "", 0);
            } else if (change == 3) {
                CHECK(truncate(path, (off_t)s.saved.size / 2) == 0);
            } else if (change == 4) {
                write_bytes(other, &junk);
                CHECK(rename(other, path) == 0);
            } else {
                set_mtime(path, 1000);          /* the same content */
            }
            CHECK_WALKS(proxy, ROWS, WALK_BACKWARD);
            ap_trim(proxy);
            CHECK_WALKS(proxy, ROWS, WALK_RANDOM);
            /* It can still be saved, if its windows can be read; or not. */
            ap_status status = ap_seekindex_save(proxy, other, &err);
            CHECK(status == AP_OK || status == AP_ERR_SEEKINDEX);
            if (status == AP_OK) {
                bytes saved = {0};
                read_file(&saved, other);
                CHECK_OK(check_index(&s, &saved, 1));
                bytes_free(&saved);
            }
            ap_free(proxy);
            bytes_free(&junk);
        }
    test_note("");
    bytes_free(&s.saved);
}

int main(void)
{
    static const int kinds[] = {SERIES_GZIP, SERIES_MEMBERS};
    static const int twins[] = {SERIES_STORED, SERIES_GZIP, SERIES_MEMBERS, SERIES_BGZF};
    static subject s;
    for (int i = 0; i < COUNT(kinds); i++) {
        make_subject(&s, kinds[i]);
        test_cut(&s);
        test_flipped(&s);
        test_foreign_flipped(&s);
        if (kinds[i] == SERIES_GZIP) {
            test_fields(&s);
            test_other_writers(&s);
        }
        bytes_free(&s.saved);
    }
    test_others();
    for (int i = 0; i < COUNT(twins); i++)
        test_twins(twins[i]);
    test_places();
    test_changed();
    return test_end("badindex");
}
