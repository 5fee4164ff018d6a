/* The same bytes through every kind of source. */
#include "access.h"
#include "bzip2.h"
#include "gzip.h"
#include "numpy.h"
#include "zstd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *codec_name(int codec)
{
    static const char *names[] = {"none", "gzip", "bzip2", "zstd"};
    return names[codec];
}

const char *codec_suffix(int codec)
{
    static const char *suffixes[] = {"", ".gz", ".bz2", ".zst"};
    return suffixes[codec];
}

void put_packed(bytes *b, int codec, const void *data, size_t n)
{
    if (codec == CODEC_GZIP)
        put_gzip(b, data, n, GZIP_FIXED);
    else if (codec == CODEC_BZIP2)
        put_bzip2(b, data, n, 0);
    else if (codec == CODEC_ZSTD)
        put_zstd(b, data, n, ZSTD_CHECKED);
    else
        put(b, data, n);
}

static const struct {
    const char *name;
    int codec;
} accesses[] = {
    [ACCESS_MEMORY] = {"memory", CODEC_NONE},
    [ACCESS_MAPPED] = {"mapped file", CODEC_NONE},
    [ACCESS_READ] = {"read file", CODEC_NONE},
    [ACCESS_REOPEN] = {"reopened file", CODEC_NONE},
    [ACCESS_CALLBACKS] = {"callbacks", CODEC_NONE},
    [ACCESS_GZIP] = {"gzip in memory", CODEC_GZIP},
    [ACCESS_MEMBERS] = {"gzip members in a file", CODEC_GZIP},
    [ACCESS_BZIP2] = {"bzip2 in a reopened file", CODEC_BZIP2},
    [ACCESS_ZSTD] = {"zstd in memory", CODEC_ZSTD},
};

const char *access_name(int access)
{
    return accesses[access].name;
}

int access_compressed(int access)
{
    return accesses[access].codec != CODEC_NONE;
}

static int64_t read_copy(void *user, void *buf, size_t len, uint64_t offset)
{
    const bytes *b = user;
    if (offset >= b->size)
        return 0;
    if (len > b->size - offset)
        len = b->size - (size_t)offset;
    memcpy(buf, b->data + offset, len);
    return (int64_t)len;
}

static int64_t size_of_copy(void *user)
{
    return (int64_t)((const bytes *)user)->size;
}

static void free_copy(void *user)
{
    bytes_free(user);
    free(user);
}

ap_source *source_by(int access, const bytes *b)
{
    static int number;
    ap_source *source = NULL;
    char name[40];
    const char *path;
    bytes *copy = need(sizeof *copy);
    if (access == ACCESS_MEMBERS)
        put_gzip_parts(copy, b->data, b->size, 100 + b->size / 20, GZIP_NAMED);
    else
        put_packed(copy, accesses[access].codec, b->data, b->size);

    if (access == ACCESS_MEMORY || access == ACCESS_GZIP || access == ACCESS_ZSTD) {
        if (!CHECK_OK(ap_source_memory(copy->data, copy->size, free_copy, copy, &source, &err)))
            free_copy(copy);
        return source;
    }
    if (access == ACCESS_CALLBACKS) {
        if (!CHECK_OK(ap_source_callbacks(read_copy, size_of_copy, free_copy, copy, 0, &source,
                                          &err)))
            free_copy(copy);
        return source;
    }
    snprintf(name, sizeof name, "access%d", number++);
    path = temp_path(name);
    write_bytes(path, copy);
    free_copy(copy);
    CHECK_OK(ap_source_file(path, &source, &err));
    return source;
}

ap_options *options_by(int access)
{
    ap_options *options = ap_options_new();
    int mapped = access == ACCESS_MAPPED || access == ACCESS_MEMORY;
    CHECK_OK(ap_options_set_int(options, AP_OPT_MMAP, mapped ? 2 : 0, &err));
    int reopened = access == ACCESS_REOPEN || access == ACCESS_BZIP2;
    CHECK_OK(ap_options_set_int(options, AP_OPT_KEEP_OPEN, !reopened, &err));
    return options;
}

ap_proxy *open_by(int access, const bytes *b)
{
    ap_proxy *proxy = NULL;
    ap_source *source = source_by(access, b);
    ap_options *options = options_by(access);
    if (source)
        CHECK_OK(ap_open_source(source, NULL, options, &proxy, &err));
    ap_options_free(options);
    ap_source_free(source);
    return proxy;
}

ap_proxy *layout_by(int access, const bytes *b, ap_dtype dtype, int byte_order, int ndim,
                    const int64_t *shape, int order, uint64_t offset, double slope,
                    double inter)
{
    ap_proxy *proxy = NULL;
    ap_source *source = source_by(access, b);
    ap_options *options = options_by(access);
    if (source)
        CHECK_OK(ap_open_layout(source, dtype, byte_order, ndim, shape, order, offset, slope,
                                inter, options, &proxy, &err));
    ap_options_free(options);
    ap_source_free(source);
    return proxy;
}

ap_status open_with_int(const bytes *b, int32_t key, int64_t value, ap_proxy **proxy)
{
    ap_source *source = NULL;
    ap_options *o = ap_options_new();
    ap_status status;
    *proxy = MARKED(ap_proxy);
    CHECK_OK(ap_options_set_int(o, key, value, &err));
    CHECK_OK(ap_source_memory(b->data, b->size, NULL, NULL, &source, &err));
    status = ap_open_source(source, NULL, o, proxy, &err);
    CHECK((status == AP_OK) == (*proxy != NULL));
    ap_source_free(source);
    ap_options_free(o);
    return status;
}

ap_options *options_for(const char *format, int strict)
{
    ap_options *o = ap_options_new();
    if (format)
        CHECK_OK(ap_options_set_text(o, AP_OPT_FORMAT, format, &err));
    CHECK_OK(ap_options_set_int(o, AP_OPT_STRICT, strict, &err));
    return o;
}

ap_status open_as(const char *path, const char *format, int strict, ap_proxy **proxy)
{
    ap_options *o = options_for(format, strict);
    *proxy = MARKED(ap_proxy);
    ap_status status = ap_open(path, o, proxy, &err);
    CHECK((status == AP_OK) == (*proxy != NULL));
    ap_options_free(o);
    return status;
}

ap_proxy *open_elements(const bytes *b, ap_dtype dtype, int ndim, const int64_t *shape,
                        int order)
{
    return layout_by(ACCESS_MEMORY, b, dtype, native_order(), ndim, shape, order, 0, 1, 0);
}

void put_counted(bytes *b, int64_t count, int byte_order)
{
    for (int64_t i = 0; i < count; i++)
        put_int(b, (uint64_t)i, 4, byte_order);
}

ap_proxy *open_counted(int ndim, const int64_t *shape, int order)
{
    bytes b = {0};
    ap_proxy *proxy;
    put_counted(&b, model_size(ndim, shape), native_order());
    proxy = open_elements(&b, AP_INT32, ndim, shape, order);
    bytes_free(&b);
    return proxy;
}
