/* Slices as proxies and their file: it is read late, shared, and may go. */
#include "test.h"
#include "support/access.h"
#include "support/entries.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/parts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the caller's function was called. */
typedef struct {
    const bytes *b;
    int calls;
} counted;

static int64_t read_counted(void *user, void *buf, size_t len, uint64_t offset)
{
    counted *c = user;
    c->calls++;
    if (offset >= c->b->size)
        return 0;
    if (len > c->b->size - offset)
        len = c->b->size - (size_t)offset;
    memcpy(buf, c->b->data + offset, len);
    return (int64_t)len;
}

static int64_t size_counted(void *user)
{
    return (int64_t)((counted *)user)->b->size;
}

static void test_nothing_is_read(void)
{
    static const ap_slice index[] = {RANGE(AP_NONE, AP_NONE, -1), AT(1), REST};
    bytes b = {0};
    put_counted(&b, PARTED, native_order());
    counted c = {&b, 0};
    ap_source *source = NULL;
    ap_proxy *file = NULL;
    CHECK_OK(ap_source_callbacks(read_counted, size_counted, NULL, &c, 0, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_INT32, native_order(), 4, parted_shape, AP_ORDER_F, 0, 1, 0,
                            NULL, &file, &err));
    ap_source_free(source);
    int calls = c.calls;
    ap_proxy *proxy = slice_of(file, index, 3), *again = slice_of(proxy, index, 3), *clone;
    int64_t flat[1] = {-1};
    ap_proxy *line = NULL;
    ap_slice volume[2] = {ap_rest(), ap_at(1)};
    ap_proxy *block = slice_of(file, volume, 2);
    CHECK_OK(ap_reshape(block, 1, flat, &line, &err));
    clone = ap_clone(again);
    CHECK_INT(ap_size(again), 5 * 2);
    CHECK_INT(c.calls, calls);
    int32_t one = -1;
    ap_slice at[2] = {ap_at(0), ap_at(1)};
    CHECK_OK(ap_read_slice(clone, at, 2, AP_AUTO, 0, &one, 4, &err));
    CHECK_INT(one, 0 + 5 * (1 + 4 * (1 + 3)));
    CHECK(c.calls > calls);
    ap_free(block);
    ap_free(line);
    ap_free(clone);
    ap_free(again);
    ap_free(proxy);
    ap_free(file);
    bytes_free(&b);
}

/* A slice is made of a file that is gone; reading it fails. */
static void test_file_gone(void)
{
    static const ap_slice index[] = {RANGE(1, AP_NONE, 1)};
    nifti n = parted_header(4);
    bytes data = {0};
    ap_options *o = ap_options_new();
    ap_proxy *file = NULL;
    int32_t out[PARTED];
    put_counted(&data, PARTED, n.order);
    write_nifti(temp_path("gone.nii"), &n, data.data, data.size);
    CHECK_OK(ap_options_parse(o, "keep_open=0,mmap=0", &err));
    CHECK_OK(ap_open(temp_path("gone.nii"), o, &file, &err));
    CHECK(remove(temp_path("gone.nii")) == 0);
    ap_proxy *proxy = slice_of(file, index, 1);
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err), AP_ERR_NOT_FOUND);
    CHECK_PART(err.message, "gone.nii");
    ap_free(proxy);
    ap_free(file);
    ap_options_free(o);
    bytes_free(&data);
}

/* The seek index and the cache are the file's, whoever fills them. */
static void test_shared(void)
{
    static const ap_slice index[] = {REST, AT(1)};
    bytes b = {0};
    put_counted(&b, PARTED, native_order());
    ap_proxy *file = layout_by(ACCESS_MEMBERS, &b, AP_INT32, native_order(), 4, parted_shape,
                               AP_ORDER_F, 0, 1, 0);
    ap_proxy *proxy = slice_of(file, index, 2);
    int64_t found[3], wanted[3];
    CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
    CHECK_OK(ap_seekindex_info(file, wanted, wanted + 1, wanted + 2, &err));
    CHECK_OK(ap_seekindex_info(proxy, found, found + 1, found + 2, &err));
    CHECK_INTS(found, 3, wanted, 3);
    CHECK(found[1] >= 4 * PARTED);
    ap_trim(proxy);
    selection whole = whole_of(4, parted_shape, AP_ORDER_F), part;
    CHECK_OK(part_of(&whole, index, 2, AP_ORDER_F, &part));
    ap_free(file);
    ap_trim(proxy);
    check_slice_proxy(proxy, &part, 0);
    ap_free(proxy);
    free(whole.element);
    free(part.element);
    bytes_free(&b);
}

/* Many threads slice one handle, each its own way, and free in their order. */
enum { THREADS = 4 };

typedef struct {
    ap_proxy *file;
    int number, wrong;
} job;

static void *slice_and_read(void *given)
{
    job *j = given;
    ap_error mine;
    for (int turn = 0; turn < (test_small() ? 10 : 200); turn++) {
        int x = (j->number + turn) % 5, v = turn % 2;
        ap_slice volume[2] = {ap_rest(), ap_at(v)};
        ap_slice column[2] = {ap_at(x), ap_range(AP_NONE, AP_NONE, -1)};
        ap_proxy *one = NULL, *two = NULL, *line = NULL;
        const int64_t flat[1] = {60};
        int32_t out[60];
        j->wrong += ap_slice_proxy(j->file, volume, 2, &one, &mine) != AP_OK;
        j->wrong += ap_slice_proxy(one, column, 2, &two, &mine) != AP_OK;
        j->wrong += ap_reshape(one, 1, flat, &line, &mine) != AP_OK;
        ap_free(one);
        j->wrong += ap_read_all(two, AP_AUTO, 0, out, sizeof out, &mine) != AP_OK;
        for (int i = 0; i < 12; i++)
            j->wrong += out[i] != x + 5 * (3 - i % 4 + 4 * (i / 4 + 3 * v));
        j->wrong += ap_read_all(line, AP_AUTO, 0, out, sizeof out, &mine) != AP_OK;
        for (int i = 0; i < 60; i++)
            j->wrong += out[i] != i + 60 * v;
        if (turn % 16 == 3)
            ap_trim(line);
        ap_free(line);
        ap_free(two);
    }
    return NULL;
}

static void test_threads(void)
{
    bytes b = {0};
    put_counted(&b, PARTED, native_order());
    for (int access = 0; access < ACCESSES; access++) {
        job jobs[THREADS];
        pthread_t threads[THREADS];
        ap_proxy *file = layout_by(access, &b, AP_INT32, native_order(), 4, parted_shape, AP_ORDER_F,
                                   0, 1, 0);
        test_note("%s", access_name(access));
        for (int i = 0; i < THREADS; i++) {
            jobs[i].file = file;
            jobs[i].number = i;
            jobs[i].wrong = 0;
            if (pthread_create(&threads[i], NULL, slice_and_read, &jobs[i]))
                abort();
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            CHECK_INT(jobs[i].wrong, 0);
        }
        ap_free(file);
    }
    test_note("");
    bytes_free(&b);
}

int main(void)
{
    test_nothing_is_read();
    test_file_gone();
    test_shared();
    test_threads();
    return test_end("partfile");
}
