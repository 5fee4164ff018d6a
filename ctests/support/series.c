/* Images of many rows, in every compression, and walks over them. */
#include "series.h"
#include "bzip2.h"
#include "gzip.h"
#include "nifti.h"
#include "zstd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int codec;
} kinds[SERIES_KINDS] = {
    [SERIES_PLAIN] = {"not compressed", CODEC_NONE},
    [SERIES_GZIP] = {"gzip", CODEC_GZIP},
    [SERIES_STORED] = {"gzip, stored blocks", CODEC_GZIP},
    [SERIES_MEMBERS] = {"gzip, members", CODEC_GZIP},
    [SERIES_BGZF] = {"BGZF", CODEC_GZIP},
    [SERIES_BZIP2] = {"bzip2", CODEC_BZIP2},
    [SERIES_ZSTD] = {"zstd", CODEC_ZSTD},
};

const char *series_name(int kind)
{
    return kinds[kind].name;
}

int series_codec(int kind)
{
    return kinds[kind].codec;
}

int series_is_gzip(int kind)
{
    return kinds[kind].codec == CODEC_GZIP;
}

int64_t series_bytes(int64_t rows)
{
    return SERIES_HEAD + rows * ROW_BYTES;
}

void pack_series(bytes *b, int kind, const bytes *plain)
{
    if (kind == SERIES_GZIP || kind == SERIES_STORED)
        put_gzip_blocks(b, plain->data, plain->size, SERIES_BLOCK,
                        kind == SERIES_GZIP ? GZIP_FIXED : GZIP_STORED);
    else if (kind == SERIES_MEMBERS)
        put_gzip_parts(b, plain->data, plain->size, 20000, GZIP_FIXED);
    else if (kind == SERIES_BGZF)
        put_bgzf(b, plain->data, plain->size, 50000);
    else if (kind == SERIES_ZSTD)
        for (size_t at = 0; at < plain->size; at += 50000)
            put_zstd(b, plain->data + at, plain->size - at < 50000 ? plain->size - at : 50000,
                     ZSTD_CHECKED | ZSTD_SIZED);
    else
        put_packed(b, kinds[kind].codec, plain->data, plain->size);
}

void put_series(bytes *b, int kind, int64_t rows)
{
    const int64_t shape[2] = {ROW, rows};
    nifti n = nifti_new(1, AP_LITTLE, AP_INT32, 2, shape);
    bytes data = {0}, plain = {0};
    put_counted(&data, ROW * rows, AP_LITTLE);
    put_nifti(&plain, &n, data.data, data.size);
    pack_series(b, kind, &plain);
    bytes_free(&plain);
    bytes_free(&data);
}

const char *write_series(int kind, int64_t rows)
{
    static int number;
    char name[40];
    bytes b = {0};
    snprintf(name, sizeof name, "series%d.nii%s", number++, codec_suffix(kinds[kind].codec));
    put_series(&b, kind, rows);
    write_bytes(temp_path(name), &b);
    bytes_free(&b);
    return temp_path(name);
}

ap_status try_series(const char *path, const char *options, ap_proxy **proxy)
{
    ap_options *o = ap_options_new();
    *proxy = MARKED(ap_proxy);
    CHECK_OK(ap_options_parse(o, options, &err));
    ap_status status = ap_open(path, o, proxy, &err);
    CHECK((status == AP_OK) == (*proxy != NULL));
    ap_options_free(o);
    return status;
}

ap_proxy *open_series(const char *path, const char *options)
{
    ap_proxy *proxy;
    CHECK_OK(try_series(path, options, &proxy));
    return proxy;
}

/* Read `n` elements as int32 or float64, which must be first, first + step, ... */
static ap_status read_run(const ap_proxy *proxy, const ap_slice *index, int nindex, int64_t n,
                          int64_t first, int64_t step, int wide, ap_error *e)
{
    size_t nbytes = (size_t)n * (wide ? 8 : 4);
    void *out = malloc(nbytes + 1);
    int wrong = 0;
    if (!out)
        abort();
    ap_status status =
        ap_read_slice(proxy, index, nindex, wide ? AP_FLOAT64 : AP_INT32, 0, out, nbytes, e);
    if (status == AP_OK && wide)
        for (int64_t i = 0; i < n; i++)
            wrong |= ((double *)out)[i] != (double)(first + i * step);
    else if (status == AP_OK)
        for (int64_t i = 0; i < n; i++)
            wrong |= ((int32_t *)out)[i] != first + i * step;
    free(out);
    return status ? status : wrong ? WRONG_VALUES : AP_OK;
}

ap_status read_rows(const ap_proxy *proxy, int64_t from, int64_t to, ap_error *e)
{
    ap_slice part[2] = {ap_all(), ap_range(from, to, 1)};
    return read_run(proxy, part, 2, ROW * (to - from), ROW * from, 1, from % 2, e);
}

ap_status walk_series(const ap_proxy *proxy, int64_t rows, int walk, ap_error *e)
{
    ap_slice turned[2] = {ap_range(AP_NONE, AP_NONE, -1), ap_range(AP_NONE, AP_NONE, -1)};
    ap_slice column[2] = {ap_at(7), ap_all()};
    ap_status status = AP_OK;
    int64_t step = rows > 100 ? 3 : 1;
    if (walk == WALK_FORWARD)
        for (int64_t row = 0; row < rows && !status; row += step)
            status = read_rows(proxy, row, row + 1, e);
    else if (walk == WALK_BACKWARD)
        for (int64_t row = rows - 1; row >= 0 && !status; row -= step)
            status = read_rows(proxy, row, row + 1, e);
    else if (walk == WALK_RANDOM)
        for (int64_t i = 0; i < 12 && rows && !status; i++) {
            int64_t row = i * i * 7919 % rows;
            status = read_rows(proxy, row, row + i < rows ? row + i : rows, e);
        }
    else if (walk == WALK_COLUMN)
        return read_run(proxy, column, 2, rows, 7, ROW, 0, e);
    else if (walk == WALK_TURNED)
        return read_run(proxy, turned, 2, ROW * rows, ROW * rows - 1, -1, 0, e);
    else
        for (int wide = 0; wide < 2 && !status; wide++)
            status = read_run(proxy, NULL, 0, ROW * rows, 0, 1, wide, e);
    return status;
}

info info_of(const ap_proxy *proxy)
{
    info i = {-1, -1, -1};
    CHECK_OK(ap_seekindex_info(proxy, &i.points, &i.covered, &i.memory, &err));
    CHECK(i.points >= 0 && i.covered >= 0 && i.memory >= 0);
    return i;
}

int same_info(info a, info b)
{
    return a.points == b.points && a.covered == b.covered && a.memory == b.memory;
}
