/* Sources: files, memory, callbacks; who releases what, and when. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t shape[2] = {4, 3};

/* A NIfTI file of 4 x 3 bytes 'a', 'b', ... */
static void put_small(bytes *b)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_UINT8, 2, shape);
    put_nifti(b, &n, "abcdefghijkl", 12);
}

static void check_reads(const ap_proxy *proxy)
{
    char out[12] = {0};
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    CHECK_BYTES(out, "abcdefghijkl", 12);
}

static void count_release(void *user)
{
    ++*(int *)user;
}

/* Release comes once, when the last of source, proxy, clone, reshaped proxy
 * and plan is gone. */
static void test_memory_release(void)
{
    bytes b = {0};
    int released = 0;
    ap_source *source = NULL;
    ap_proxy *first = NULL, *second = NULL, *clone, *flat = NULL;
    ap_plan *plan = NULL;
    const int64_t all[1] = {-1};
    char out[12];
    put_small(&b);
    err_mark();
    CHECK_OK(ap_source_memory(b.data, b.size, count_release, &released, &source, &err));
    CHECK_OK(ap_open_source(source, NULL, NULL, &first, &err));
    CHECK_OK(ap_open_source(source, NULL, NULL, &second, &err));
    CHECK(err_untouched());
    ap_source_free(source);
    CHECK_INT(released, 0);
    check_reads(first);
    clone = ap_clone(first);
    CHECK_OK(ap_reshape(first, 1, all, &flat, &err));
    CHECK_OK(ap_plan_new(first, NULL, 0, AP_DISK, 0, &plan, &err));
    ap_free(second);
    ap_free(first);
    CHECK_INT(released, 0);
    check_reads(clone);
    ap_free(clone);
    CHECK_INT(released, 0);
    ap_trim(flat);
    check_reads(flat);
    ap_free(flat);
    CHECK_INT(released, 0);
    CHECK_OK(ap_plan_read(plan, out, sizeof out, 0, NULL, NULL, &err));
    CHECK_BYTES(out, "abcdefghijkl", 12);
    ap_plan_free(plan);
    CHECK_INT(released, 1);
    bytes_free(&b);
}

/* Opens that fail take nothing: the source stays the caller's. */
static void test_release_after_failures(void)
{
    bytes b = {0};
    int released = 0;
    ap_source *source = NULL;
    ap_proxy *proxy = MARKED(ap_proxy);
    put_fill(&b, 'x', 600);
    CHECK_OK(ap_source_memory(b.data, b.size, count_release, &released, &source, &err));
    CHECK_STATUS(ap_open_source(source, NULL, NULL, &proxy, &err), AP_ERR_FORMAT);
    CHECK(proxy == NULL);
    proxy = MARKED(ap_proxy);
    CHECK_STATUS(ap_open_layout(source, 12345, AP_LITTLE, 2, shape, AP_ORDER_F, 0, 1, 0, NULL,
                                &proxy, &err),
                 AP_ERR_ARGUMENT);
    CHECK(proxy == NULL);
    CHECK_INT(released, 0);
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 2, shape, AP_ORDER_F, 0, 1, 0, NULL,
                            &proxy, &err));
    ap_free(proxy);
    CHECK_INT(released, 0);
    ap_source_free(source);
    CHECK_INT(released, 1);

    /* A source that was never opened. */
    CHECK_OK(ap_source_memory(b.data, b.size, count_release, &released, &source, &err));
    ap_source_free(source);
    CHECK_INT(released, 2);

    /* Making a source fails: no release. */
    source = MARKED(ap_source);
    CHECK_STATUS(ap_source_memory(NULL, 10, count_release, &released, &source, &err),
                 AP_ERR_NULL);
    CHECK(source == NULL);
    CHECK_STATUS(ap_source_memory(b.data, SIZE_MAX, count_release, &released, &source, &err),
                 AP_ERR_ARGUMENT);
    CHECK_STATUS(ap_source_memory(b.data, b.size, count_release, &released, NULL, &err),
                 AP_ERR_NULL);
    CHECK_INT(released, 2);

    /* Without release. */
    CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
    ap_source_free(source);
    CHECK_INT(released, 2);
    bytes_free(&b);
}

/* An object behind callbacks, and what it sees. */
typedef struct {
    const bytes *b;
    pthread_t owner;
    int reads, sizes, released, wrong_thread, wrong_request;
    int64_t size;           /* told by size_of_probe */
    size_t bite;            /* most bytes given at a time, unless 0 */
    uint64_t fail_from;     /* requests that reach beyond here ... */
    int64_t (*fail)(size_t len, uint64_t offset);   /* ... give this */
} probe;

static int64_t read_probe(void *user, void *buf, size_t len, uint64_t offset)
{
    probe *p = user;
    p->reads++;
    p->wrong_thread += !pthread_equal(p->owner, pthread_self());
    p->wrong_request += !buf || !len || offset + len > (uint64_t)p->size;
    if (p->fail && offset + len > p->fail_from)
        return p->fail(len, offset);
    if (offset >= p->b->size)
        return 0;
    if (len > p->b->size - offset)
        len = p->b->size - (size_t)offset;
    if (p->bite && len > p->bite)
        len = p->bite;
    memcpy(buf, p->b->data + offset, len);
    return (int64_t)len;
}

static int64_t size_of_probe(void *user)
{
    probe *p = user;
    p->sizes++;
    p->wrong_thread += !pthread_equal(p->owner, pthread_self());
    return p->size;
}

static void release_probe(void *user)
{
    ((probe *)user)->released++;
}

static probe make_probe(const bytes *b)
{
    probe p;
    memset(&p, 0, sizeof p);
    p.b = b;
    p.owner = pthread_self();
    p.size = (int64_t)b->size;
    return p;
}

static ap_proxy *open_probe(probe *p, uint32_t flags)
{
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    CHECK_OK(ap_source_callbacks(read_probe, size_of_probe, release_probe, p, flags, &source,
                                 &err));
    CHECK_OK(ap_open_source(source, NULL, NULL, &proxy, &err));
    ap_source_free(source);
    return proxy;
}

static void test_callbacks(uint32_t flags)
{
    bytes b = {0};
    put_small(&b);
    probe p = make_probe(&b);
    ap_proxy *proxy = open_probe(&p, flags);
    CHECK(p.reads > 0);
    CHECK_TEXT(ap_format(proxy), "nifti1");
    CHECK_TEXT(ap_codec(proxy), "none");
    p.reads = 0;
    check_reads(proxy);
    CHECK(p.reads > 0);
    ap_trim(proxy);
    check_reads(proxy);
    CHECK_INT(p.sizes, 1);
    CHECK_INT(p.wrong_thread, 0);
    CHECK_INT(p.wrong_request, 0);
    CHECK_INT(p.released, 0);
    ap_free(proxy);
    CHECK_INT(p.released, 1);
    bytes_free(&b);
}

/* What is given in bites is asked for again. */
static void test_callbacks_in_bites(void)
{
    bytes b = {0};
    put_small(&b);
    probe p = make_probe(&b);
    p.bite = 7;
    ap_proxy *proxy = open_probe(&p, 0);
    p.reads = 0;
    check_reads(proxy);
    CHECK_INT(p.reads, 2);
    CHECK_INT(p.wrong_request, 0);
    ap_free(proxy);
    bytes_free(&b);
}

static void test_callbacks_gzip(void)
{
    bytes plain = {0}, b = {0};
    put_small(&plain);
    put_gzip_parts(&b, plain.data, plain.size, 50, GZIP_NAMED);
    probe p = make_probe(&b);
    ap_proxy *proxy = open_probe(&p, 0);
    CHECK_TEXT(ap_codec(proxy), "gzip");
    check_reads(proxy);
    CHECK_INT(p.wrong_thread, 0);
    CHECK_INT(p.wrong_request, 0);
    ap_free(proxy);
    CHECK_INT(p.released, 1);
    bytes_free(&plain);
    bytes_free(&b);
}

static int64_t fail_77(size_t len, uint64_t offset)
{
    (void)len;
    (void)offset;
    return -77;
}

static int64_t fail_lowest(size_t len, uint64_t offset)
{
    (void)len;
    (void)offset;
    return INT64_MIN;
}

static int64_t fail_too_long(size_t len, uint64_t offset)
{
    (void)offset;
    return (int64_t)len + 1;
}

static int64_t fail_highest(size_t len, uint64_t offset)
{
    (void)len;
    (void)offset;
    return INT64_MAX;
}

/* Bad results of read_at, while opening and while reading. The handle stays
 * usable. `detail` holds the value, where the test can know it. */
static void test_bad_result(int64_t (*fail)(size_t, uint64_t), int64_t detail)
{
    bytes b = {0};
    ap_source *source = NULL;
    ap_proxy *proxy;
    char out[12];
    put_small(&b);
    probe p = make_probe(&b);
    p.fail = fail;
    CHECK_OK(ap_source_callbacks(read_probe, size_of_probe, release_probe, &p, 0, &source,
                                 &err));
    proxy = MARKED(ap_proxy);
    CHECK_STATUS(ap_open_source(source, NULL, NULL, &proxy, &err), AP_ERR_CALLBACK);
    CHECK(proxy == NULL);
    CHECK_INT(err.code, AP_ERR_CALLBACK);
    if (detail)
        CHECK_INT(err.detail, detail);
    else
        CHECK(err.detail > 0);
    CHECK_INT(p.released, 0);

    p.fail_from = UINT64_MAX;
    CHECK_OK(ap_open_source(source, NULL, NULL, &proxy, &err));
    ap_source_free(source);
    p.fail_from = 352 + 6;
    CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_CALLBACK);
    CHECK_INT(err.code, AP_ERR_CALLBACK);
    if (detail)
        CHECK_INT(err.detail, detail);
    else
        CHECK(err.detail > 0);
    CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, NULL), AP_ERR_CALLBACK);
    p.fail_from = UINT64_MAX;
    check_reads(proxy);
    ap_free(proxy);
    CHECK_INT(p.released, 1);
    bytes_free(&b);
}

/* The size is told as larger than what can be read: the data end early. */
static void test_short_result(void)
{
    bytes whole = {0}, cut = {0};
    char out[12];
    put_small(&whole);
    put(&cut, whole.data, whole.size - 5);
    probe p = make_probe(&cut);
    p.size = (int64_t)whole.size;
    ap_proxy *proxy = open_probe(&p, 0);
    ap_slice begin[2] = {ap_all(), ap_at(0)};
    CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_TRUNCATED);
    CHECK_OK(ap_read_slice(proxy, begin, 2, AP_DISK, 0, out, 4, &err));
    CHECK_BYTES(out, "abcd", 4);
    ap_free(proxy);
    CHECK_INT(p.released, 1);
    bytes_free(&whole);
    bytes_free(&cut);
}

/* size is asked when the source is made, so its failure is found there. */
static void test_bad_size(int64_t size)
{
    bytes b = {0};
    ap_source *source = MARKED(ap_source);
    put_small(&b);
    probe p = make_probe(&b);
    p.size = size;
    CHECK_STATUS(ap_source_callbacks(read_probe, size_of_probe, release_probe, &p, 0, &source,
                                     &err),
                 AP_ERR_CALLBACK);
    CHECK(source == NULL);
    CHECK_INT(err.detail, size);
    CHECK_INT(p.sizes, 1);
    CHECK_INT(p.released, 0);
    bytes_free(&b);
}

static void test_callback_arguments(void)
{
    bytes b = {0};
    ap_source *source = MARKED(ap_source);
    put_small(&b);
    probe p = make_probe(&b);
    for (uint32_t flag = 2; flag; flag <<= 1) {
        source = MARKED(ap_source);
        CHECK_STATUS(ap_source_callbacks(read_probe, size_of_probe, release_probe, &p, flag,
                                         &source, &err),
                     AP_ERR_ARGUMENT);
        CHECK(source == NULL);
    }
    CHECK_STATUS(ap_source_callbacks(NULL, size_of_probe, release_probe, &p, 0, &source, &err),
                 AP_ERR_NULL);
    CHECK_STATUS(ap_source_callbacks(read_probe, NULL, release_probe, &p, 0, &source, &err),
                 AP_ERR_NULL);
    CHECK(source == NULL);
    CHECK_INT(p.released, 0);
    CHECK_OK(ap_source_callbacks(read_probe, size_of_probe, NULL, &p, AP_SOURCE_CONCURRENT,
                                 &source, &err));
    ap_source_free(source);
    CHECK_INT(p.released, 0);
    bytes_free(&b);
}

/* A pair from two sources; each is released once. */
static void test_pair(void)
{
    nifti n = nifti_pair(1, AP_BIG, AP_UINT8, 2, shape);
    bytes header = {0}, image = {0};
    int header_released = 0;
    ap_source *first = NULL, *second = NULL;
    ap_proxy *proxy = NULL;
    put_nifti_header(&header, &n);
    put(&image, "abcdefghijkl", 12);
    probe p = make_probe(&image);
    CHECK_OK(ap_source_memory(header.data, header.size, count_release, &header_released,
                              &first, &err));
    CHECK_OK(ap_source_callbacks(read_probe, size_of_probe, release_probe, &p, 0, &second,
                                 &err));
    CHECK_OK(ap_open_source(first, second, NULL, &proxy, &err));
    CHECK_TEXT(ap_format(proxy), "nifti1-pair");
    ap_source_free(first);
    ap_source_free(second);
    check_reads(proxy);
    CHECK_INT(p.released, 0);
    ap_free(proxy);
    CHECK_INT(header_released, 1);
    CHECK_INT(p.released, 1);

    /* Without its image, plain and compressed. */
    bytes packed = {0};
    put_gzip(&packed, header.data, header.size, 0);
    for (int i = 0; i < 2; i++) {
        const bytes *b = i ? &packed : &header;
        test_note("compressed %d", i);
        CHECK_OK(ap_source_memory(b->data, b->size, NULL, NULL, &first, &err));
        proxy = MARKED(ap_proxy);
        if (!CHECK_STATUS(ap_open_source(first, NULL, NULL, &proxy, &err), AP_ERR_NOT_FOUND))
            ap_free(proxy);
        else
            CHECK(proxy == NULL);
        ap_source_free(first);
    }
    test_note("");
    bytes_free(&packed);
    bytes_free(&header);
    bytes_free(&image);
}

/* The same source as header and as image is two references to it. */
static void test_same_source_twice(void)
{
    nifti n = nifti_pair(1, AP_LITTLE, AP_UINT8, 2, shape);
    bytes b = {0};
    int released = 0;
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    n.vox_offset = 400;
    put_nifti(&b, &n, "abcdefghijkl", 12);
    CHECK_OK(ap_source_memory(b.data, b.size, count_release, &released, &source, &err));
    CHECK_OK(ap_open_source(source, source, NULL, &proxy, &err));
    ap_source_free(source);
    check_reads(proxy);
    CHECK_INT(released, 0);
    ap_free(proxy);
    CHECK_INT(released, 1);
    bytes_free(&b);
}

/* Files: opened at once, relative paths made absolute at once. */
static void test_file(void)
{
    bytes b = {0};
    ap_source *source = MARKED(ap_source);
    ap_proxy *proxy = NULL, *other = NULL;
    ap_options *o = ap_options_new();
    const char *path = temp_path("small.nii");
    char before[4000];
    put_small(&b);
    CHECK_STATUS(ap_source_file(temp_path("not there"), &source, &err), AP_ERR_NOT_FOUND);
    CHECK(source == NULL);
    write_bytes(path, &b);
    CHECK_OK(ap_source_file(path, &source, &err));
    CHECK_OK(ap_open_source(source, NULL, NULL, &proxy, &err));
    ap_source_free(source);
    check_reads(proxy);
    ap_free(proxy);

    CHECK(getcwd(before, sizeof before) != NULL);
    CHECK(chdir(temp_path("")) == 0);
    CHECK_OK(ap_options_set_int(o, AP_OPT_KEEP_OPEN, 0, &err));
    CHECK_OK(ap_source_file("small.nii", &source, &err));
    CHECK_OK(ap_open("./small.nii", o, &other, &err));
    CHECK(chdir("/") == 0);
    CHECK_OK(ap_open_source(source, NULL, o, &proxy, &err));
    ap_source_free(source);
    check_reads(proxy);
    check_reads(other);
    ap_trim(proxy);
    check_reads(proxy);
    CHECK(chdir(before) == 0);
    ap_free(proxy);
    ap_free(other);
    ap_options_free(o);
    bytes_free(&b);
}

/* One file source serves several handles. */
static void test_file_shared(void)
{
    bytes b = {0};
    ap_source *source = NULL;
    ap_proxy *proxy[3] = {NULL, NULL, NULL};
    put_small(&b);
    write_bytes(temp_path("shared.nii"), &b);
    CHECK_OK(ap_source_file(temp_path("shared.nii"), &source, &err));
    for (int i = 0; i < 2; i++)
        CHECK_OK(ap_open_source(source, NULL, NULL, &proxy[i], &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 2, shape, AP_ORDER_F, 352, 1, 0, NULL,
                            &proxy[2], &err));
    ap_source_free(source);
    for (int i = 0; i < 3; i++) {
        check_reads(proxy[i]);
        ap_free(proxy[i]);
    }
    bytes_free(&b);
}

int main(void)
{
    test_memory_release();
    test_release_after_failures();
    test_callbacks(0);
    test_callbacks(AP_SOURCE_CONCURRENT);
    test_callbacks_in_bites();
    test_callbacks_gzip();
    test_bad_result(fail_77, -77);
    test_bad_result(fail_lowest, INT64_MIN);
    test_bad_result(fail_highest, INT64_MAX);
    test_bad_result(fail_too_long, 0);
    test_short_result();
    test_bad_size(-5);
    test_bad_size(INT64_MIN);
    test_callback_arguments();
    test_pair();
    test_same_source_twice();
    test_file();
    test_file_shared();
    return test_end("source");
}
