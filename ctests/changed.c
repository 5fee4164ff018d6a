/* Files that change, vanish or end too early. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numpy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int64_t shape[2] = {100, 30};
enum { ELEMENTS = 3000, NBYTES = 12000 };

/* Element i has the value i + first. */
static void put_image(bytes *b, int first)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT32, 2, shape);
    put_nifti(b, &n, "", 0);
    for (int i = 0; i < ELEMENTS; i++)
        put_int(b, (uint64_t)(i + first), 4, AP_LITTLE);
}

static const char *make_file(const char *name, int first, int packed)
{
    bytes plain = {0}, b = {0};
    put_image(&plain, first);
    if (packed)
        put_gzip(&b, plain.data, plain.size, 0);
    write_bytes(temp_path(name), packed ? &b : &plain);
    set_mtime(temp_path(name), 1000000000);
    bytes_free(&plain);
    bytes_free(&b);
    return temp_path(name);
}

static ap_proxy *open_with(const char *path, int keep_open, int mmap)
{
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_set_int(o, AP_OPT_KEEP_OPEN, keep_open, &err));
    CHECK_OK(ap_options_set_int(o, AP_OPT_MMAP, mmap, &err));
    CHECK_OK(ap_open(path, o, &proxy, &err));
    ap_options_free(o);
    return proxy;
}

static ap_status read_rows(const ap_proxy *proxy, int64_t from, int64_t to, int first)
{
    static int32_t out[ELEMENTS];
    ap_slice part[2] = {ap_all(), ap_range(from, to, 1)};
    int wrong = 0;
    ap_status status = ap_read_slice(proxy, part, 2, AP_DISK, 0, out, sizeof out, &err);
    for (int64_t i = 0; i < 100 * (to - from) && !status; i++)
        wrong += out[i] != 100 * from + i + first;
    CHECK_INT(wrong, 0);
    return status;
}

/* Reading goes on after a trim or between reads if the file is the same. */
static void test_same(void)
{
    for (int packed = 0; packed < 2; packed++)
        for (int keep = 0; keep < 2; keep++)
            for (int mmap = 0; mmap < 2; mmap++) {
                const char *path = make_file("same", 5, packed);
                ap_proxy *proxy = open_with(path, keep, mmap);
                test_note("gzip %d, keep_open %d, mmap %d", packed, keep, mmap);
                CHECK_OK(read_rows(proxy, 0, 30, 5));
                ap_trim(proxy);
                ap_trim(proxy);
                CHECK_OK(read_rows(proxy, 10, 20, 5));
                ap_trim(proxy);
                ap_proxy *clone = ap_clone(proxy);
                ap_free(proxy);
                CHECK_OK(read_rows(clone, 29, 30, 5));
                ap_free(clone);
            }
    test_note("");
}

enum { LONGER, SHORTER, TOUCHED, REPLACED, GONE, CHANGES };
static const char *change_names[] = {"longer", "shorter", "touched", "replaced", "gone"};

static void change_file(const char *path, int change, int packed)
{
    bytes b = {0};
    switch (change) {
    case LONGER:
        put_image(&b, 5);
        put_fill(&b, 0, 10);
        write_bytes(path, &b);
        set_mtime(path, 1000000000);
        break;
    case SHORTER:
        put_image(&b, 5);
        b.size -= 10;
        write_bytes(path, &b);
        set_mtime(path, 1000000000);
        break;
    case TOUCHED:
        set_mtime(path, 1000000001);
        break;
    case REPLACED:
        remove(path);
        make_file("other", 77, packed);
        set_mtime(temp_path("other"), 1000000002);
        CHECK(rename(temp_path("other"), path) == 0);
        break;
    default:
        CHECK(remove(path) == 0);
    }
    bytes_free(&b);
}

/* The file is opened anew: for each read, or after a trim. */
static void test_reopened(void)
{
    for (int packed = 0; packed < 2; packed++)
        for (int keep = 0; keep < 2; keep++)
            for (int mmap = 0; mmap < 2; mmap++)
                for (int change = 0; change < CHANGES; change++) {
                    const char *path = make_file("reopened", 5, packed);
                    ap_proxy *proxy = open_with(path, keep, mmap);
                    ap_status wanted = change == GONE ? AP_ERR_NOT_FOUND : AP_ERR_CHANGED;
                    test_note("%s, gzip %d, keep_open %d, mmap %d", change_names[change], packed,
                              keep, mmap);
                    CHECK_OK(read_rows(proxy, 0, 1, 5));
                    /* Without a trim before it, data decoded or mapped so far
                     * may serve the read. */
                    ap_trim(proxy);
                    change_file(path, change, packed);
                    CHECK_STATUS(read_rows(proxy, 10, 30, 5), wanted);
                    CHECK_INT(err.code, wanted);
                    CHECK_INT(err.os_error, change == GONE ? ENOENT : 0);
                    CHECK_PART(err.message, path);
                    ap_trim(proxy);
                    CHECK_STATUS(read_rows(proxy, 10, 30, 5), wanted);
                    ap_free(proxy);
                }
    test_note("");
}

/* keep_open 0 sees the change without a trim. */
static void test_not_kept(void)
{
    for (int change = 0; change < CHANGES; change++) {
        const char *path = make_file("not-kept", 5, 0);
        ap_proxy *proxy = open_with(path, 0, 0);
        test_note("%s", change_names[change]);
        CHECK_OK(read_rows(proxy, 0, 1, 5));
        change_file(path, change, 0);
        CHECK_STATUS(read_rows(proxy, 0, 1, 5),
                     change == GONE ? AP_ERR_NOT_FOUND : AP_ERR_CHANGED);
        ap_free(proxy);
    }
    test_note("");
}

/* keep_open 1 goes on reading the file that it opened, though another has
 * taken its name. */
static void test_kept(void)
{
    for (int packed = 0; packed < 2; packed++)
        for (int mmap = 0; mmap < 2; mmap++)
            for (int change = REPLACED; change <= GONE; change++) {
                const char *path = make_file("kept", 5, packed);
                ap_proxy *proxy = open_with(path, 1, mmap);
                test_note("%s, gzip %d, mmap %d", change_names[change], packed, mmap);
                CHECK_OK(read_rows(proxy, 0, 1, 5));
                change_file(path, change, packed);
                CHECK_OK(read_rows(proxy, 0, 30, 5));
                ap_free(proxy);
            }
    test_note("");
}

/* A file that is cut while it is open: an error, no SIGBUS. */
static void test_cut_while_open(void)
{
    for (int mmap = 0; mmap < 3; mmap++) {
        const char *path = make_file("cut", 5, 0);
        ap_proxy *proxy = open_with(path, 1, mmap);
        test_note("mmap %d", mmap);
        CHECK_OK(read_rows(proxy, 0, 30, 5));
        CHECK(truncate(path, 352 + 400 * 20) == 0);
        ap_status status = read_rows(proxy, 0, 30, 5);
        CHECK(status == AP_ERR_TRUNCATED || status == AP_ERR_CHANGED);
        CHECK(truncate(path, 0) == 0);
        status = read_rows(proxy, 0, 1, 5);
        CHECK(status == AP_ERR_TRUNCATED || status == AP_ERR_CHANGED);
        ap_free(proxy);
    }
    test_note("");
}

/* Cut before it is opened: opens with a note, what is there can be read; in
 * strict mode it does not open. */
static void test_truncated(void)
{
    bytes b = {0};
    put_image(&b, 5);
    size_t whole = b.size;
    static const size_t missing[] = {1, 3, 4, 401, NBYTES - 400, NBYTES - 1, NBYTES};
    for (int access = 0; access <= ACCESS_CALLBACKS; access++)
        for (int i = 0; i < COUNT(missing); i++) {
            int64_t rows = (int64_t)(NBYTES - missing[i]) / 400;
            char number[30];
            b.size = whole - missing[i];
            test_note("%s, %zu bytes missing", access_name(access), missing[i]);
            ap_proxy *proxy = open_by(access, &b);
            if (!proxy)
                continue;
            CHECK_INT(ap_size(proxy), ELEMENTS);
            CHECK(ap_warning(proxy, 0) != NULL);
            snprintf(number, sizeof number, "%zu", missing[i]);
            CHECK_PART(ap_warning(proxy, 0), number);
            CHECK_STATUS(read_rows(proxy, 0, 30, 5), AP_ERR_TRUNCATED);
            CHECK_STATUS(read_rows(proxy, rows, rows + 1, 5), AP_ERR_TRUNCATED);
            CHECK_OK(read_rows(proxy, 0, rows, 5));
            if (rows)
                CHECK_OK(read_rows(proxy, rows - 1, rows, 5));
            /* Single elements up to the last that is whole. */
            int64_t last = (int64_t)(NBYTES - missing[i]) / 4 - 1;
            int32_t value = 0;
            ap_slice at[2] = {ap_at(last % 100), ap_at(last / 100)};
            if (last >= 0) {
                CHECK_OK(ap_read_slice(proxy, at, 2, AP_DISK, 0, &value, 4, &err));
                CHECK_INT(value, last + 5);
            }
            last++;
            at[0] = ap_at(last % 100);
            at[1] = ap_at(last / 100);
            CHECK_STATUS(ap_read_slice(proxy, at, 2, AP_DISK, 0, &value, 4, &err),
                         AP_ERR_TRUNCATED);
            ap_free(proxy);

            ap_options *o = options_by(access);
            ap_source *source = source_by(access, &b);
            proxy = MARKED(ap_proxy);
            CHECK_OK(ap_options_set_int(o, AP_OPT_STRICT, 1, &err));
            CHECK_STATUS(ap_open_source(source, NULL, o, &proxy, &err), AP_ERR_TRUNCATED);
            CHECK(proxy == NULL);
            ap_source_free(source);
            ap_options_free(o);
        }
    test_note("");
    bytes_free(&b);
}

/* Bytes behind the data are no fault. */
static void test_longer(void)
{
    bytes b = {0};
    ap_options *o = ap_options_new();
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    put_image(&b, 5);
    put_fill(&b, 0xee, 1000);
    CHECK_OK(ap_options_set_int(o, AP_OPT_STRICT, 1, &err));
    CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_source(source, NULL, o, &proxy, &err));
    CHECK(ap_warning(proxy, 0) == NULL);
    CHECK_OK(read_rows(proxy, 0, 30, 5));
    ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
    bytes_free(&b);
}

/* The image of a pair is cut; then it changes. */
static void test_pair(void)
{
    nifti n = nifti_pair(1, AP_LITTLE, AP_INT32, 2, shape);
    bytes header = {0}, image = {0};
    put_nifti_header(&header, &n);
    for (int i = 0; i < ELEMENTS; i++)
        put_int(&image, (uint64_t)(i + 5), 4, AP_LITTLE);
    image.size -= 50;
    write_bytes(temp_path("pair.hdr"), &header);
    write_bytes(temp_path("pair.img"), &image);
    ap_proxy *proxy = open_with(temp_path("pair.hdr"), 0, 0);
    CHECK(ap_warning(proxy, 0) != NULL);
    CHECK_OK(read_rows(proxy, 0, 29, 5));
    CHECK_STATUS(read_rows(proxy, 29, 30, 5), AP_ERR_TRUNCATED);
    CHECK_PART(err.message, temp_path("pair.img"));
    image.size += 50;
    write_bytes(temp_path("pair.img"), &image);
    CHECK_STATUS(read_rows(proxy, 0, 1, 5), AP_ERR_CHANGED);
    CHECK_PART(err.message, temp_path("pair.img"));
    ap_free(proxy);
    bytes_free(&header);
    bytes_free(&image);
}

int main(void)
{
    test_same();
    test_reopened();
    test_not_kept();
    test_kept();
    test_cut_while_open();
    test_truncated();
    test_longer();
    test_pair();
    return test_end("changed");
}
