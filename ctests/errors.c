/* Every status that a call can give, and what its error tells. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t shape[2] = {4, 3};

static ap_proxy *open_file(const char *name, const nifti *n, size_t nbytes)
{
    ap_proxy *proxy = NULL;
    bytes b = {0};
    put_nifti(&b, n, "", 0);
    put_fill(&b, 200, nbytes);
    write_bytes(temp_path(name), &b);
    CHECK_OK(ap_open(temp_path(name), NULL, &proxy, &err));
    bytes_free(&b);
    return proxy;
}

/* The error is complete: code, text ended in place, no number or errno that
 * does not belong. Clears it, so that no check sees an old one. */
static void check_error(ap_status wanted, int os_error)
{
    const char *end = memchr(err.message, 0, sizeof err.message);
    CHECK_INT(err.code, wanted);
    CHECK_INT(err.os_error, os_error);
    CHECK(end != NULL && end > err.message);
    CHECK(!strchr(err.message, '\n'));
    CHECK(strcmp(ap_status_name(wanted), "AP_ERR_UNKNOWN") != 0);
    memset(&err, 0, sizeof err);
}

static void test_arguments(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    ap_proxy *proxy = open_file("args.nii", &n, 24);
    char out[24];
    ap_slice five[3] = {ap_at(0), ap_at(0), ap_at(0)}, far = ap_at(17);
    CHECK_STATUS(ap_read_all(NULL, AP_AUTO, 0, out, sizeof out, &err), AP_ERR_NULL);
    check_error(AP_ERR_NULL, 0);
    CHECK_STATUS(ap_read_all(proxy, 4242, 0, out, sizeof out, &err), AP_ERR_ARGUMENT);
    CHECK_PART(err.message, "4242");
    check_error(AP_ERR_ARGUMENT, 0);
    CHECK_STATUS(ap_read_slice(proxy, &far, 1, AP_AUTO, 0, out, sizeof out, &err),
                 AP_ERR_INDEX);
    CHECK_PART(err.message, "17");
    CHECK_PART(err.message, "4");
    check_error(AP_ERR_INDEX, 0);
    CHECK_STATUS(ap_read_slice(proxy, five, 3, AP_AUTO, 0, out, sizeof out, &err),
                 AP_ERR_INDEX);
    CHECK_PART(err.message, "3");
    CHECK_PART(err.message, "2");
    check_error(AP_ERR_INDEX, 0);
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, 19, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 24);
    CHECK_PART(err.message, "24");
    CHECK_PART(err.message, "19");
    check_error(AP_ERR_BUFFER, 0);
    ap_free(proxy);
}

static void test_options(void)
{
    ap_options *o = ap_options_new();
    CHECK_STATUS(ap_options_set_int(o, 4711, 1, &err), AP_ERR_OPTION);
    CHECK_PART(err.message, "4711");
    check_error(AP_ERR_OPTION, 0);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_MMAP, 33, &err), AP_ERR_OPTION);
    CHECK_PART(err.message, "33");
    check_error(AP_ERR_OPTION, 0);
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_CODEC, "rot13", &err), AP_ERR_OPTION);
    CHECK_PART(err.message, "rot13");
    check_error(AP_ERR_OPTION, 0);
    CHECK_STATUS(ap_options_parse(o, "mmap=0,wings=2", &err), AP_ERR_OPTION);
    CHECK_PART(err.message, "wings");
    check_error(AP_ERR_OPTION, 0);
    ap_options_free(o);
}

static void test_system(void)
{
    ap_proxy *proxy = NULL;
    CHECK_STATUS(ap_open(temp_path("missing.nii"), NULL, &proxy, &err), AP_ERR_NOT_FOUND);
    CHECK_PART(err.message, temp_path("missing.nii"));
    check_error(AP_ERR_NOT_FOUND, ENOENT);
    CHECK(mkdir(temp_path("folder"), 0700) == 0);
    CHECK_STATUS(ap_open(temp_path("folder"), NULL, &proxy, &err), AP_ERR_IO);
    CHECK_PART(err.message, temp_path("folder"));
    check_error(AP_ERR_IO, EISDIR);
}

static void test_content(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    ap_proxy *proxy = NULL;
    char out[24];
    write_file(temp_path("junk.nii"), "not an image", 12);
    CHECK_STATUS(ap_open(temp_path("junk.nii"), NULL, &proxy, &err), AP_ERR_FORMAT);
    CHECK_PART(err.message, temp_path("junk.nii"));
    check_error(AP_ERR_FORMAT, 0);

    n.datatype = 9999;
    write_nifti(temp_path("type.nii"), &n, out, 0);
    CHECK_STATUS(ap_open(temp_path("type.nii"), NULL, &proxy, &err), AP_ERR_HEADER);
    CHECK_PART(err.message, temp_path("type.nii"));
    CHECK_PART(err.message, "9999");
    check_error(AP_ERR_HEADER, 0);

    n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    n.dim[2] = -31;
    write_nifti(temp_path("dim.nii"), &n, out, 0);
    CHECK_STATUS(ap_open(temp_path("dim.nii"), NULL, &proxy, &err), AP_ERR_HEADER);
    CHECK_PART(err.message, temp_path("dim.nii"));
    CHECK_PART(err.message, "-31");
    check_error(AP_ERR_HEADER, 0);

    n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    proxy = open_file("short.nii", &n, 13);
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err), AP_ERR_TRUNCATED);
    CHECK_PART(err.message, temp_path("short.nii"));
    CHECK_PART(err.message, "365");         /* bytes there are */
    check_error(AP_ERR_TRUNCATED, 0);
    ap_free(proxy);
}

static void test_compressed(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    ap_options *o = ap_options_new();
    ap_proxy *proxy = NULL;
    bytes plain = {0}, packed = {0};
    char out[24];
    put_nifti(&plain, &n, "", 0);
    put_fill(&plain, 7, 24);
    put_gzip(&packed, plain.data, plain.size, GZIP_BAD_CRC);
    write_bytes(temp_path("crc.nii.gz"), &packed);
    CHECK_OK(ap_open(temp_path("crc.nii.gz"), NULL, &proxy, &err));
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err), AP_ERR_CODEC);
    CHECK_PART(err.message, temp_path("crc.nii.gz"));
    check_error(AP_ERR_CODEC, 0);
    ap_free(proxy);
    CHECK_OK(ap_options_set_int(o, AP_OPT_MMAP, 2, &err));
    CHECK_STATUS(ap_open(temp_path("crc.nii.gz"), o, &proxy, &err), AP_ERR_UNSUPPORTED);
    CHECK_PART(err.message, temp_path("crc.nii.gz"));
    check_error(AP_ERR_UNSUPPORTED, 0);
    ap_options_free(o);
    bytes_free(&plain);
    bytes_free(&packed);
}

/* The seek index and batches. */
static void test_index(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    ap_proxy *plain = open_file("plain.nii", &n, 24), *proxy = NULL;
    const char *index = temp_path("index.gzidx"), *path = temp_path("index.nii.gz");
    bytes b = {0}, packed = {0};
    char out[24];
    ap_slice far[2] = {ap_at(0), ap_at(23)};
    size_t offsets[2] = {0, 3};
    put_nifti(&b, &n, "", 0);
    put_fill(&b, 7, 24);
    put_gzip(&packed, b.data, b.size, 0);
    write_bytes(path, &packed);
    write_file(index, "not an index", 12);
    CHECK_OK(ap_open(path, NULL, &proxy, &err));
    CHECK_STATUS(ap_seekindex_load(proxy, index, &err), AP_ERR_SEEKINDEX);
    CHECK_PART(err.message, index);
    check_error(AP_ERR_SEEKINDEX, 0);
    CHECK_STATUS(ap_seekindex_load(proxy, temp_path("none.gzidx"), &err), AP_ERR_NOT_FOUND);
    CHECK_PART(err.message, temp_path("none.gzidx"));
    check_error(AP_ERR_NOT_FOUND, ENOENT);
    CHECK_STATUS(ap_seekindex_save(proxy, temp_path("none/index.gzidx"), &err),
                 AP_ERR_NOT_FOUND);
    CHECK_PART(err.message, temp_path("none/index.gzidx"));
    check_error(AP_ERR_NOT_FOUND, ENOENT);
    CHECK_STATUS(ap_seekindex_save(plain, index, &err), AP_ERR_UNSUPPORTED);
    CHECK_PART(err.message, temp_path("plain.nii"));
    check_error(AP_ERR_UNSUPPORTED, 0);
    CHECK_STATUS(ap_seekindex_load(plain, index, &err), AP_ERR_UNSUPPORTED);
    check_error(AP_ERR_UNSUPPORTED, 0);

    CHECK_STATUS(ap_read_batch(plain, far, 1, 2, AP_DISK, 0, out, 24, NULL, NULL, &err),
                 AP_ERR_INDEX);
    CHECK_PART(err.message, "23");
    CHECK_PART(err.message, "selection 1");
    check_error(AP_ERR_INDEX, 0);
    far[1] = ap_at(2);
    CHECK_STATUS(ap_read_batch(plain, far, 1, 2, AP_DISK, 0, out, 11, NULL, NULL, &err),
                 AP_ERR_BUFFER);
    CHECK_INT(err.detail, 12);
    check_error(AP_ERR_BUFFER, 0);
    CHECK_STATUS(ap_read_batch(plain, far, 1, 2, AP_DISK, 0, out, 24, offsets, NULL, &err),
                 AP_ERR_ARGUMENT);
    CHECK_PART(err.message, "overlap");
    check_error(AP_ERR_ARGUMENT, 0);
    ap_free(plain);
    ap_free(proxy);
    bytes_free(&b);
    bytes_free(&packed);
}

static void test_values(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    bytes b = {0};
    ap_proxy *proxy = NULL;
    char out[24];
    put_nifti(&b, &n, "", 0);
    for (int i = 0; i < 12; i++)
        put_int(&b, i == 7 ? 12345 : 5, 2, AP_LITTLE);
    write_bytes(temp_path("range.nii"), &b);
    CHECK_OK(ap_open(temp_path("range.nii"), NULL, &proxy, &err));
    CHECK_STATUS(ap_read_all(proxy, AP_UINT8, AP_READ_CHECKED, out, sizeof out, &err),
                 AP_ERR_RANGE);
    check_error(AP_ERR_RANGE, 0);
    ap_free(proxy);
    bytes_free(&b);
}

/* Limits: AP_OPT_MAX_BYTES, and what no machine can hold. */
static void test_memory(void)
{
    static const int64_t huge[2] = {INT64_C(1) << 31, INT64_C(1) << 31};
    static const unsigned char byte = 0;
    ap_options *o = ap_options_new();
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_plan *plan = MARKED(ap_plan);
    ap_slice half = ap_range(0, INT64_C(1) << 30, 1);
    unsigned char out[24];
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    ap_free(open_file("limit.nii", &n, 24));
    CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 23, &err));
    CHECK_OK(ap_open(temp_path("limit.nii"), o, &proxy, &err));
    CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_MEMORY);
    CHECK_PART(err.message, "24");
    CHECK_PART(err.message, "23");
    check_error(AP_ERR_MEMORY, 0);
    CHECK_STATUS(ap_plan_new(proxy, NULL, 0, AP_DISK, 0, &plan, &err), AP_ERR_MEMORY);
    CHECK(plan == NULL);
    check_error(AP_ERR_MEMORY, 0);
    CHECK_INT(ap_slice_nbytes(proxy, NULL, 0, AP_DISK, 0, &err), 24);
    CHECK_OK(ap_read_all(proxy, AP_UINT8, 0, out, sizeof out, &err));
    ap_free(proxy);
    CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 24, &err));
    CHECK_OK(ap_open(temp_path("limit.nii"), o, &proxy, &err));
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    ap_free(proxy);
    ap_options_free(o);

    /* 2^62 bytes as stored; 2^65 as float64. */
    CHECK_OK(ap_source_memory(&byte, 1, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 2, huge, AP_ORDER_F, 0, 1, 0, NULL,
                            &proxy, &err));
    CHECK_INT(ap_size(proxy), INT64_C(1) << 62);
    CHECK_INT(ap_slice_nbytes(proxy, NULL, 0, AP_DISK, 0, &err), INT64_C(1) << 62);
    CHECK_STATUS(ap_slice_nbytes(proxy, NULL, 0, AP_FLOAT64, 0, &err), AP_ERR_MEMORY);
    check_error(AP_ERR_MEMORY, 0);
    CHECK_STATUS(ap_slice_nbytes(proxy, NULL, 0, AP_INT16, 0, &err), AP_ERR_MEMORY);
    CHECK_INT(ap_slice_nbytes(proxy, &half, 1, AP_UINT8, 0, &err), INT64_C(1) << 61);
    CHECK_STATUS(ap_slice_nbytes(proxy, &half, 1, AP_FLOAT32, 0, &err), AP_ERR_MEMORY);
    CHECK_STATUS(ap_read_all(proxy, AP_FLOAT64, 0, out, sizeof out, &err), AP_ERR_MEMORY);
    check_error(AP_ERR_MEMORY, 0);
    plan = MARKED(ap_plan);
    CHECK_STATUS(ap_plan_new(proxy, NULL, 0, AP_FLOAT64, 0, &plan, &err), AP_ERR_MEMORY);
    CHECK(plan == NULL);
    CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, INT64_C(1) << 62);
    ap_free(proxy);
    ap_source_free(source);
}

static int64_t size_10(void *user)
{
    (void)user;
    return 10;
}

static int64_t fail_5(void *user, void *buf, size_t len, uint64_t offset)
{
    (void)user;
    (void)buf;
    (void)len;
    (void)offset;
    return -5;
}

static void test_callback(void)
{
    static const int64_t ten[1] = {10};
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    char out[10];
    CHECK_OK(ap_source_callbacks(fail_5, size_10, NULL, NULL, 0, &source, &err));
    CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, "none", &err));
    ap_status status = ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, ten, AP_ORDER_F, 0, 1, 0,
                                      o, &proxy, &err);
    if (status == AP_OK)
        status = ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err);
    CHECK_STATUS(status, AP_ERR_CALLBACK);
    CHECK_INT(err.detail, -5);
    check_error(AP_ERR_CALLBACK, 0);
    ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
}

static void test_changed(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    ap_proxy *proxy = open_file("changed.nii", &n, 24);
    char out[24];
    ap_trim(proxy);
    write_nifti(temp_path("changed.nii"), &n, out, 0);
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err), AP_ERR_CHANGED);
    CHECK_PART(err.message, temp_path("changed.nii"));
    check_error(AP_ERR_CHANGED, 0);
    ap_free(proxy);
}

/* Is the text well-formed UTF-8? */
static int is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p) {
        int more = *p < 0x80 ? 0 : *p < 0xc2 ? -1 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2
                                                          : *p < 0xf5 ? 3 : -1;
        if (more < 0)
            return 0;
        for (p++; more; more--, p++)
            if ((*p & 0xc0) != 0x80)
                return 0;
    }
    return 1;
}

/* Paths longer than the message, of characters of several bytes, shifted so
 * that a cut would hit each of their bytes; and paths that are no UTF-8. */
static void test_long_paths(void)
{
    for (int shift = 0; shift < 4; shift++) {
        char name[1200] = "";
        memset(name, 'x', (size_t)shift + 1);
        for (int part = 0; part < 5; part++) {
            for (int i = 0; i < 60; i++)
                strcat(name, i % 2 ? "\xe2\x82\xac" : "\xc3\xa4");
            strcat(name, part < 4 ? "/" : ".nii");
        }
        ap_proxy *proxy = NULL;
        memset(err.message, 0x7f, sizeof err.message);
        CHECK_STATUS(ap_open(temp_path(name), NULL, &proxy, &err), AP_ERR_NOT_FOUND);
        CHECK(memchr(err.message, 0, sizeof err.message) != NULL);
        CHECK(is_utf8(err.message));
        CHECK(strlen(err.message) > 100);
        check_error(AP_ERR_NOT_FOUND, ENOENT);
    }
    ap_proxy *proxy = NULL;
    CHECK_STATUS(ap_open(temp_path("\xff\xfe\xe4.nii"), NULL, &proxy, &err), AP_ERR_NOT_FOUND);
    CHECK(is_utf8(err.message));
    check_error(AP_ERR_NOT_FOUND, ENOENT);
}

/* A failing call writes the whole error: nothing of an older one is left. */
static void test_overwritten(void)
{
    ap_proxy *proxy = NULL;
    CHECK_STATUS(ap_open(temp_path("missing.nii"), NULL, &proxy, &err), AP_ERR_NOT_FOUND);
    CHECK_INT(err.os_error, ENOENT);
    err.detail = 99;
    CHECK_STATUS(ap_open(NULL, NULL, &proxy, &err), AP_ERR_NULL);
    CHECK_INT(err.code, AP_ERR_NULL);
    CHECK_INT(err.os_error, 0);
    CHECK_INT(err.detail, 0);
    CHECK(!strstr(err.message, "missing.nii"));
}

/* Successful calls of every function that takes an error write nothing. */
static void test_untouched(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 2, shape);
    ap_proxy *proxy = NULL, *flat = NULL, *layout = NULL;
    ap_source *file = NULL, *memory = NULL, *callbacks = NULL;
    ap_options *o = ap_options_new();
    ap_plan *plan = NULL;
    ap_slice found[2];
    static const int64_t all[1] = {-1}, zeros[2] = {0, 0};
    double affine[16], s, t, zooms[2];
    int64_t list[2];
    char out[96];
    ap_free(open_file("fine.nii", &n, 24));
    err_mark();
    CHECK_OK(ap_options_set_int(o, AP_OPT_MMAP, 1, &err));
    CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, "auto", &err));
    CHECK_OK(ap_options_parse(o, "keep_open=1", &err));
    CHECK_OK(ap_source_file(temp_path("fine.nii"), &file, &err));
    CHECK_OK(ap_source_memory("abcdefghijkl", 12, NULL, NULL, &memory, &err));
    CHECK_OK(ap_source_callbacks(fail_5, size_10, NULL, NULL, 0, &callbacks, &err));
    CHECK_OK(ap_open_source(file, NULL, o, &proxy, &err));
    ap_free(proxy);
    CHECK_OK(ap_open(temp_path("fine.nii"), o, &proxy, &err));
    CHECK_OK(ap_open_layout(memory, AP_INT8, AP_BIG, 2, shape, AP_ORDER_C, 0, 1, 0, o, &layout,
                            &err));
    CHECK_OK(ap_reshape(proxy, 1, all, &flat, &err));
    CHECK_OK(ap_scale_factors(proxy, &s, &t, 1, &err));
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, affine, &err), 0);
    CHECK_INT(ap_zooms(proxy, zooms, 2, &err), 2);
    CHECK_INT(ap_slice_parse("1, 2", found, 2, &err), 2);
    CHECK_INT(ap_slice_shape(proxy, NULL, 0, list, 2, &err), 2);
    CHECK_INT(ap_slice_nbytes(proxy, NULL, 0, AP_AUTO, 0, &err), 24);
    CHECK_OK(ap_read_slice(proxy, NULL, 0, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_OK(ap_read_all(proxy, AP_FLOAT64, 0, out, sizeof out, &err));
    CHECK_OK(ap_read_box(proxy, 2, zeros, shape, NULL, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_AUTO, 0, &plan, &err));
    CHECK_OK(ap_plan_read(plan, out, sizeof out, 0, NULL, NULL, &err));
    CHECK(err_untouched());
    ap_plan_free(plan);
    ap_free(flat);
    ap_free(layout);
    ap_free(proxy);
    ap_source_free(file);
    ap_source_free(memory);
    ap_source_free(callbacks);
    ap_options_free(o);
}

int main(void)
{
    test_arguments();
    test_options();
    test_system();
    test_content();
    test_compressed();
    test_index();
    test_values();
    test_memory();
    test_callback();
    test_changed();
    test_long_paths();
    test_overwritten();
    test_untouched();
    return test_end("errors");
}
