/* Seek index: building, growing, saving, loading, and what it tells. Damaged
 * files of it are in badindex.c, AP_OPT_INDEX_PATH in indexpath.c. */
#include "test.h"
#include "support/gzidx.h"
#include "support/gzip.h"
#include "support/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPACING = 65536 };

static int64_t rows(void)
{
    return test_small() ? 48 : 160;
}

/* Seek points of the first `nbytes` bytes of deflate blocks: where the first
 * block begins behind each multiple of the spacing. No block begins right at
 * one. The last of the points goes to `last`. */
static int64_t blocks_in(int64_t nbytes, int64_t spacing, int64_t *last)
{
    int64_t count = 0, due = 0;
    for (int64_t at = 0; at < nbytes; at += SERIES_BLOCK)
        if (at >= due) {
            count++;
            due = (at / spacing + 1) * spacing;
            *last = at;
        }
    return count;
}

static int64_t blocks(int64_t spacing)
{
    int64_t last;
    return blocks_in(series_bytes(rows()), spacing, &last);
}

static void check_built(const ap_proxy *proxy, int kind, int64_t spacing)
{
    info i = info_of(proxy);
    CHECK_INT(i.covered, kind == SERIES_PLAIN ? 0 : series_bytes(rows()));
    if (kind == SERIES_PLAIN) {
        CHECK_INT(i.points, 0);
        CHECK_INT(i.memory, 0);
    } else if (kind == SERIES_GZIP || kind == SERIES_STORED) {
        CHECK_INT(i.points, blocks(spacing));
        CHECK(i.memory > 0 && i.memory < i.points * 40000);
    } else {
        /* The structure may tell more. */
        int64_t widest = kind == SERIES_BZIP2 ? INT64_MAX : spacing + 50000;
        CHECK(i.points >= series_bytes(rows()) / widest);
        CHECK(i.points > 0 && i.memory > 0);
    }
}

/* Before any read, on the way, at the end; the second time nothing is new. */
static void test_build(void)
{
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        ap_proxy *proxy = open_series(write_series(kind, rows()), "index_spacing=65536"), *clone;
        int packed = kind != SERIES_PLAIN;
        test_note("%s", series_name(kind));
        info first = info_of(proxy);
        CHECK(first.points <= packed && first.covered < SPACING);
        CHECK_OK(read_rows(proxy, rows() / 2, rows() / 2 + 1, &err));
        info half = info_of(proxy);
        CHECK(packed ? half.points >= first.points : half.points == 0);
        if (kind == SERIES_GZIP || kind == SERIES_STORED) {
            int64_t end = SERIES_HEAD + (rows() / 2 + 1) * ROW_BYTES, last;
            CHECK_INT(half.points, blocks_in(end, SPACING, &last));
            CHECK_INT(half.covered, last);
        }
        /* All handles of the file share it. */
        clone = ap_clone(proxy);
        CHECK(same_info(info_of(clone), half));
        CHECK_OK(ap_seekindex_build(clone, NULL, &err));
        check_built(clone, kind, SPACING);
        info all = info_of(proxy);
        CHECK(same_info(info_of(clone), all));
        ap_free(clone);
        CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
        CHECK(same_info(info_of(proxy), all));
        CHECK_WALKS(proxy, rows(), WALK_BACKWARD);
        ap_trim(proxy);
        CHECK_OK(walk_series(proxy, rows(), WALK_RANDOM, &err));
        CHECK_INT(info_of(proxy).points, all.points);
        CHECK_INT(info_of(proxy).covered, all.covered);
        ap_free(proxy);
    }
    test_note("");
}

/* It grows in the same way whatever is read first. */
static void test_grow(void)
{
    for (int first = 0; first < WALKS; first++)
        for (int cached = 0; cached < 2; cached++) {
            ap_proxy *proxy = open_series(write_series(SERIES_GZIP, rows()),
                                          cached ? "index_spacing=65536"
                                                 : "index_spacing=65536,cache_bytes=0");
            test_note("walk %d, cached %d", first, cached);
            CHECK_WALKS(proxy, rows(), first);
            CHECK_INT(info_of(proxy).points, blocks(SPACING));
            CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
            check_built(proxy, SERIES_GZIP, SPACING);
            ap_free(proxy);
        }
    test_note("");
}

static void test_options(void)
{
    const char *path = write_series(SERIES_GZIP, rows());
    static const int64_t spacings[] = {65536, 65537, 100001, 131072, 1 << 20, 1 << 30, INT64_MAX};
    char text[80];
    int64_t points, covered, memory;
    for (int i = 0; i < COUNT(spacings); i++) {
        snprintf(text, sizeof text, "index_mode=2,index_spacing=%lld", (long long)spacings[i]);
        test_note("%s", text);
        ap_proxy *proxy = open_series(path, text);
        check_built(proxy, SERIES_GZIP, spacings[i]);
        CHECK_WALKS(proxy, rows(), WALK_RANDOM);
        check_built(proxy, SERIES_GZIP, spacings[i]);
        ap_free(proxy);
    }
    test_note("");
    /* By the size of the data: 256 KiB for small ones. */
    ap_proxy *proxy = open_series(path, "index_mode=2");
    check_built(proxy, SERIES_GZIP, 256 << 10);
    /* Any of the three pointers may be missing. */
    CHECK_OK(ap_seekindex_info(proxy, NULL, NULL, NULL, NULL));
    CHECK_OK(ap_seekindex_info(proxy, &points, NULL, NULL, NULL));
    CHECK_OK(ap_seekindex_info(proxy, NULL, &covered, NULL, NULL));
    CHECK_OK(ap_seekindex_info(proxy, NULL, NULL, &memory, NULL));
    info i = {points, covered, memory};
    CHECK(same_info(info_of(proxy), i));
    ap_free(proxy);

    /* Where memory is to be spared, little is kept. */
    proxy = open_series(path, "keep_open=0,index_spacing=65536");
    CHECK_WALKS(proxy, rows(), WALK_FORWARD);
    CHECK(info_of(proxy).points > 1 && info_of(proxy).memory <= (256 << 10) + 4096);
    ap_free(proxy);
}

/* No index at all: it never appears, and cannot be asked for. */
static void test_none(void)
{
    const char *saved = temp_path("none.gzidx");
    for (int kind = SERIES_PLAIN; kind < SERIES_KINDS; kind++) {
        const char *path = write_series(kind, rows());
        ap_proxy *proxy = open_series(path, "index_mode=2"), *none;
        test_note("%s", series_name(kind));
        none = open_series(path, "index_mode=0,index_spacing=65536");
        ap_status refused = kind == SERIES_PLAIN ? AP_ERR_UNSUPPORTED : AP_ERR_ARGUMENT;
        write_file(saved, "old", 3);
        if (series_is_gzip(kind))
            CHECK_OK(ap_seekindex_save(proxy, saved, &err));
        for (int turn = 0; turn < 2; turn++) {
            info i = info_of(none);
            CHECK(i.points == 0 && i.memory == 0);
            CHECK_STATUS(ap_seekindex_build(none, NULL, &err),
                         kind == SERIES_PLAIN ? AP_OK : AP_ERR_ARGUMENT);
            CHECK_STATUS(ap_seekindex_load(none, saved, &err), refused);
            CHECK_STATUS(ap_seekindex_save(none, saved, &err), refused);
            CHECK_WALKS(none, rows(), turn);
        }
        ap_free(none);
        ap_free(proxy);
    }
    test_note("");
}

/* Not gzip: nothing is written, nothing taken. */
static void test_unsupported(void)
{
    static const int others[] = {SERIES_PLAIN, SERIES_BZIP2, SERIES_ZSTD};
    const char *index = temp_path("other.gzidx"), *kept = temp_path("kept.gzidx");
    ap_proxy *proxy = open_series(write_series(SERIES_GZIP, 20), "index_mode=2");
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    ap_free(proxy);
    for (int i = 0; i < COUNT(others); i++) {
        bytes b = {0};
        const char *path = write_series(others[i], rows());
        proxy = open_series(path, "index_mode=2,index_spacing=65536");
        test_note("%s", series_name(others[i]));
        check_built(proxy, others[i], SPACING);
        info before = info_of(proxy);
        write_file(kept, "kept", 4);
        CHECK_STATUS(ap_seekindex_save(proxy, kept, &err), AP_ERR_UNSUPPORTED);
        CHECK_INT(err.code, AP_ERR_UNSUPPORTED);
        CHECK_PART(err.message, path);
        read_file(&b, kept);
        CHECK(b.size == 4 && memcmp(b.data, "kept", 4) == 0);
        CHECK_STATUS(ap_seekindex_load(proxy, index, &err), AP_ERR_UNSUPPORTED);
        CHECK(same_info(info_of(proxy), before));
        CHECK_WALKS(proxy, rows(), WALK_FORWARD);
        ap_free(proxy);
        bytes_free(&b);
    }
    test_note("");
}

static unsigned bits_at(const bytes *b, uint64_t bit, int n)
{
    unsigned value = 0;
    for (int i = 0; i < n; i++)
        value |= (unsigned)(b->data[(bit + (unsigned)i) / 8] >> (bit + (unsigned)i) % 8 & 1) << i;
    return value;
}

/* The saved file against the compressed one, which was made by hand. */
static void test_fields(int kind)
{
    static gzidx found;
    bytes plain = {0}, packed = {0}, saved = {0};
    const char *path = write_series(kind, rows()), *index = temp_path("fields.gzidx");
    ap_proxy *proxy = open_series(path, "index_mode=2,index_spacing=65536");
    test_note("%s", series_name(kind));
    put_series(&plain, SERIES_PLAIN, rows());
    read_file(&packed, path);
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    read_file(&saved, index);
    if (CHECK(gzidx_of(&found, &saved))) {
        CHECK_INT(found.compressed, packed.size);
        CHECK_INT(found.decoded, plain.size);
        CHECK_INT(found.spacing, SPACING);
        CHECK_INT(found.points, info_of(proxy).points);
        CHECK(saved.size == found.ours ||
              (saved.size > found.ours + 8 && !memcmp(saved.data + found.ours, "ARRAYPX1", 8)));
    }
    for (int i = 0; i < found.points; i++) {
        const gzidx_point *p = &found.point[i];
        uint64_t bit = p->at * 8 - p->bits;
        test_note("%s, point %d", series_name(kind), i);
        CHECK(p->bits < 8 && p->at < packed.size);
        CHECK(p->window || p->bits == 0);
        if (kind == SERIES_MEMBERS) {
            CHECK_INT(p->position % 20000, 0);
            CHECK(p->window == NULL);
            CHECK_INT(packed.data[p->at - 10], 0x1f);       /* right behind its header */
            continue;
        }
        int64_t place;
        blocks_in((int64_t)i * SPACING + SERIES_BLOCK, SPACING, &place);
        CHECK_INT(p->position, place);
        CHECK((p->window == NULL) == (i == 0));
        if (p->window)
            CHECK_BYTES(p->window, plain.data + p->position - GZIDX_WINDOW, GZIDX_WINDOW);
        if (kind == SERIES_STORED)
            CHECK_INT(bit / 8, 10 + p->position / SERIES_BLOCK * (SERIES_BLOCK + 5));
        /* A block begins there: last or not, and its type. */
        int last = p->position + SERIES_BLOCK >= plain.size;
        CHECK_INT(bits_at(&packed, bit, 3), kind == SERIES_STORED ? last : 2 + last);
    }
    test_note("");
    ap_free(proxy);
    bytes_free(&plain);
    bytes_free(&packed);
    bytes_free(&saved);
}

/* Saved, loaded by another handle, read in every order, and saved again. */
static void test_load(int kind)
{
    const char *path = write_series(kind, rows()), *index = temp_path("load.gzidx");
    const char *again = temp_path("again.gzidx");
    static gzidx found;
    bytes first = {0}, second = {0};
    int files = open_files();
    ap_proxy *proxy = open_series(path, "index_mode=2,index_spacing=65536");
    info built = info_of(proxy);
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    ap_free(proxy);
    read_file(&first, index);
    CHECK(gzidx_of(&found, &first));
    for (int walk = 0; walk < WALKS; walk++)
        for (int cached = 0; cached < 2; cached++) {
            test_note("%s, walk %d, cached %d", series_name(kind), walk, cached);
            proxy = open_series(path, cached ? "threads=2" : "cache_bytes=0");
            err_mark();
            CHECK_OK(ap_seekindex_load(proxy, index, &err));
            CHECK(err_untouched());
            info loaded = info_of(proxy);
            CHECK_INT(loaded.points, built.points);
            CHECK_INT(loaded.covered, built.covered);
            CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
            CHECK_INT(info_of(proxy).points, built.points);
            CHECK_WALKS(proxy, rows(), walk);
            CHECK_INT(info_of(proxy).points, built.points);
            CHECK_OK(ap_seekindex_load(proxy, index, &err));
            CHECK_INT(info_of(proxy).points, built.points);
            /* It holds the places that it was loaded from. */
            second.size = 0;
            CHECK_OK(ap_seekindex_save(proxy, again, &err));
            read_file(&second, again);
            if (CHECK(second.size >= found.ours))
                CHECK_BYTES(second.data + 31, first.data + 31, found.ours - 31);
            CHECK_OK(ap_seekindex_save(proxy, index, &err));    /* the one in use */
            CHECK_OK(walk_series(proxy, rows(), WALK_BACKWARD, &err));
            ap_free(proxy);
        }
    test_note("");
    CHECK_INT(open_files(), files);
    bytes_free(&first);
    bytes_free(&second);
}

/* What there is at half way, loaded before or after other reads. */
static void test_partial(int kind)
{
    const char *path = write_series(kind, rows()), *index = temp_path("partial.gzidx");
    ap_proxy *proxy = open_series(path, "index_spacing=65536"), *other;
    static gzidx found;
    bytes saved = {0};
    test_note("%s", series_name(kind));
    CHECK_OK(read_rows(proxy, rows() / 2, rows() / 2 + 1, &err));
    info half = info_of(proxy);
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    ap_free(proxy);
    read_file(&saved, index);
    CHECK(gzidx_of(&found, &saved));
    CHECK_INT(found.points, half.points);
    CHECK(found.decoded == 0 || found.decoded == (uint64_t)series_bytes(rows()));
    for (int before = 0; before < 3; before++) {
        other = open_series(path, "index_spacing=65536");
        if (before == 1)
            CHECK_OK(read_rows(other, rows() / 4, rows() / 4 + 1, &err));
        if (before == 2)
            CHECK_OK(ap_seekindex_build(other, NULL, &err));
        CHECK_OK(ap_seekindex_load(other, index, &err));
        CHECK(info_of(other).points >= half.points);
        CHECK_WALKS(other, rows(), WALK_BACKWARD);
        CHECK_OK(ap_seekindex_build(other, NULL, &err));
        check_built(other, kind, SPACING);
        ap_free(other);
    }
    bytes_free(&saved);
    test_note("");
}

/* No data, or fewer than the spacing. */
static void test_tiny(void)
{
    static const int64_t none[1] = {0};
    const char *index = temp_path("tiny.gzidx");
    for (int64_t n = 0; n < 5; n++)
        for (int kind = SERIES_GZIP; kind <= SERIES_BGZF; kind++) {
            bytes plain = {0}, b = {0};
            ap_proxy *proxy = NULL, *other;
            const char *path = write_series(kind, n);
            test_note("%s, %d rows", series_name(kind), (int)n);
            proxy = open_series(path, "index_mode=2,index_spacing=65536");
            other = open_series(path, "");
            CHECK(info_of(proxy).points <= 1);
            CHECK_INT(info_of(proxy).covered, series_bytes(n));
            CHECK_OK(ap_seekindex_save(proxy, index, &err));
            CHECK_OK(ap_seekindex_load(other, index, &err));
            CHECK_WALKS(other, n, WALK_BACKWARD);
            CHECK_WALKS(proxy, n, WALK_WHOLE);
            ap_free(proxy);
            ap_free(other);
            bytes_free(&plain);
            bytes_free(&b);
        }
    test_note("nothing");
    bytes b = {0};
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    put_gzip(&b, "", 0, 0);
    CHECK_OK(ap_options_parse(o, "codec=gzip", &err));
    CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, none, AP_ORDER_F, 0, 1, 0, o, &proxy,
                            &err));
    CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
    CHECK_INT(info_of(proxy).covered, 0);
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    CHECK_OK(ap_seekindex_load(proxy, index, &err));
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, NULL, 0, &err));
    test_note("");
    ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
    bytes_free(&b);
}

/* From the start before, from the place before the row afterwards. */
static void test_cost(void)
{
    const char *path = write_series(SERIES_GZIP, rows()), *index = temp_path("cost.gzidx");
    ap_proxy *proxy = open_series(path, "index_spacing=65536"), *loaded = open_series(path, "");
    for (int turn = 0; turn < 3; turn++) {
        for (int64_t row = 0; row < rows(); row++) {
            ap_slice one[2] = {ap_all(), ap_at(row)};
            ap_plan *plan = NULL;
            int64_t start = SERIES_HEAD + row * ROW_BYTES, place;
            blocks_in(start + 1, SPACING, &place);
            test_note("turn %d, row %d", turn, (int)row);
            CHECK_OK(ap_plan_new(turn == 2 ? loaded : proxy, one, 2, AP_AUTO, 0, &plan, &err));
            CHECK_INT(ap_plan_cost(plan), start + ROW_BYTES - (turn ? place : 0));
            ap_plan_free(plan);
        }
        CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
        CHECK_OK(ap_seekindex_save(proxy, index, &err));
        CHECK_OK(ap_seekindex_load(loaded, index, &err));
    }
    test_note("");
    ap_free(proxy);
    ap_free(loaded);
}

int main(void)
{
    static const int kinds[] = {SERIES_GZIP, SERIES_STORED, SERIES_MEMBERS};
    test_build();
    test_grow();
    test_options();
    test_none();
    test_unsupported();
    for (int i = 0; i < COUNT(kinds); i++) {
        test_fields(kinds[i]);
        test_load(kinds[i]);
        test_partial(kinds[i]);
    }
    test_tiny();
    test_cost();
    return test_end("seekindex");
}
