/* The same bytes through every kind of source. */
#include "access.h"
#include "gzip.h"
#include "numpy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *access_name(int access)
{
    static const char *names[] = {"memory",    "mapped file",  "read file",   "reopened file",
                                  "callbacks", "gzip in memory", "gzip members in a file"};
    return names[access];
}

int access_compressed(int access)
{
    return access == ACCESS_GZIP || access == ACCESS_MEMBERS;
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
    if (access == ACCESS_GZIP)
        put_gzip(copy, b->data, b->size, GZIP_FIXED);
    else if (access == ACCESS_MEMBERS)
        put_gzip_parts(copy, b->data, b->size, 100 + b->size / 20, GZIP_NAMED);
    else
        put(copy, b->data, b->size);

    if (access == ACCESS_MEMORY || access == ACCESS_GZIP) {
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
    CHECK_OK(ap_options_set_int(options, AP_OPT_KEEP_OPEN, access != ACCESS_REOPEN, &err));
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
