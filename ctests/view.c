/* ap_view: selections of memory and of mapped files, without a copy. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void test_memory(void)
{
    bytes b = {0};
    put_viewed(&b, native_order());
    for (int order = AP_ORDER_C; order <= AP_ORDER_F; order += AP_ORDER_F - AP_ORDER_C) {
        ap_proxy *proxy = open_viewed_memory(b.data, b.size, order);
        test_note("order %c", order);
        check_views(proxy, 0, AP_ARRAY_READONLY, (char *)b.data + VIEWED_AT);
        check_views(proxy, AP_READ_RAW, AP_ARRAY_READONLY, (char *)b.data + VIEWED_AT);
        /* Views of one selection are the same memory. */
        ap_array *one = view_of(proxy, NULL, 0, 0), *two = view_of(proxy, NULL, 0, 0);
        CHECK(ap_array_data(one) == b.data + VIEWED_AT);
        CHECK(ap_array_data(two) == b.data + VIEWED_AT);
        ap_array_free(one);
        ap_array_free(two);
        /* There is no map of which a copy could be made. */
        check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, AP_READ_PRIVATE);
        check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, AP_READ_PRIVATE | AP_READ_RAW);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&b);
}

static void test_mapped(void)
{
    static const char *options[] = {"", "mmap=1", "mmap=2", "mmap=1,keep_open=0", "threads=2"};
    for (int i = 0; i < COUNT(options); i++)
        for (int order = AP_ORDER_C; order <= AP_ORDER_F; order += AP_ORDER_F - AP_ORDER_C) {
            ap_proxy *proxy = open_viewed(write_viewed("mapped"), order, options[i]);
            test_note("\"%s\", order %c", options[i], order);
            check_views(proxy, 0, AP_ARRAY_READONLY | AP_ARRAY_MAPPED, NULL);
            check_views(proxy, AP_READ_PRIVATE, AP_ARRAY_MAPPED, NULL);
            ap_trim(proxy);
            check_views(proxy, 0, AP_ARRAY_READONLY | AP_ARRAY_MAPPED, NULL);
            ap_free(proxy);
        }
    test_note("");
}

/* Strides, written out: bytes of the file from one element to the next. */
static void test_strides(void)
{
    ap_proxy *proxy = open_viewed(write_viewed("strides"), AP_ORDER_F, "");
    int64_t found[4];
    ap_array *a = view_of(proxy, NULL, 0, 0);
    CHECK_INTS(found, ap_array_strides(a, found, 4), INTS(4, 36, 252));
    ap_array_free(a);

    ap_slice steps[3] = {ap_range(AP_NONE, AP_NONE, -1), ap_range(0, AP_NONE, 3), ap_at(1)};
    a = view_of(proxy, steps, 3, 0);
    CHECK_INTS(found, ap_array_shape(a, found, 4), INTS(9, 3));
    CHECK_INTS(found, ap_array_strides(a, found, 4), INTS(-4, 108));
    int32_t *first = ap_array_data(a);
    CHECK_INT(first[0], 63 + 8);
    CHECK_INT(first[-8], 63);
    CHECK_INT(first[27], 63 + 8 + 27);
    ap_array_free(a);

    ap_slice added[4] = {ap_at(-1), ap_newaxis(), ap_rest(), ap_range(4, AP_NONE, -2)};
    a = view_of(proxy, added, 4, 0);
    CHECK_INTS(found, ap_array_shape(a, found, 4), INTS(1, 7, 3));
    CHECK_INT(ap_array_strides(a, found, 4), 3);
    CHECK(found[1] == 36 && found[2] == -504);
    CHECK_INT(*(int32_t *)ap_array_data(a), 8 + 252);
    ap_array_free(a);
    ap_free(proxy);
}

/* The same file seen in another viewed_shape, and as NIfTI, alone and as a pair. */
static void test_kinds(void)
{
    static const int64_t flat[1] = {-1};
    ap_proxy *proxy = open_viewed(write_viewed("kinds"), AP_ORDER_F, ""), *line = NULL;
    CHECK_OK(ap_reshape(proxy, 1, flat, &line, &err));
    ap_slice some = ap_range(300, 200, -50);
    ap_array *a = view_of(line, &some, 1, 0);
    int64_t found[1];
    CHECK_INTS(found, ap_array_strides(a, found, 1), INTS(-200));
    CHECK_INT(*(int32_t *)ap_array_data(a), 300);
    ap_array_free(a);
    ap_free(line);
    ap_free(proxy);

    bytes data = {0};
    put_counted(&data, VIEWED, native_order());
    for (int pair = 0; pair < 2; pair++) {
        nifti n = pair ? nifti_pair(1, native_order(), AP_INT32, 3, viewed_shape)
                       : nifti_new(2, native_order(), AP_INT32, 3, viewed_shape);
        const char *path = temp_path(pair ? "kinds.img" : "kinds.nii");
        if (pair) {
            write_nifti_header(temp_path("kinds.hdr"), &n);
            write_bytes(path, &data);
        } else {
            write_nifti(path, &n, data.data, data.size);
        }
        test_note("pair %d", pair);
        CHECK_OK(ap_open(path, NULL, &proxy, &err));
        check_views(proxy, 0, AP_ARRAY_READONLY | AP_ARRAY_MAPPED, NULL);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&data);
}

/* What is written to a private view stays in it. */
static void test_private(void)
{
    static const char *options[] = {"", "keep_open=0"};
    for (int i = 0; i < COUNT(options); i++) {
        const char *path = write_viewed("private");
        bytes before = {0}, after = {0};
        ap_proxy *proxy = open_viewed(path, AP_ORDER_F, options[i]);
        test_note("\"%s\"", options[i]);
        read_file(&before, path);
        ap_array *plain = view_of(proxy, NULL, 0, 0);
        ap_array *mine = view_of(proxy, NULL, 0, AP_READ_PRIVATE);
        ap_array *other = view_of(proxy, NULL, 0, AP_READ_PRIVATE);
        int32_t *values = ap_array_data(mine);
        for (int k = 0; k < VIEWED; k++)
            values[k] = -5;
        ap_array *later = view_of(proxy, NULL, 0, 0);
        ap_array *late = view_of(proxy, NULL, 0, AP_READ_PRIVATE);
        CHECK_INT(values[0], -5);
        CHECK_INT(((int32_t *)ap_array_data(plain))[0], 0);
        CHECK_INT(((int32_t *)ap_array_data(plain))[VIEWED - 1], VIEWED - 1);
        CHECK_INT(((int32_t *)ap_array_data(other))[0], 0);
        CHECK_INT(((int32_t *)ap_array_data(later))[0], 0);
        CHECK_INT(((int32_t *)ap_array_data(late))[0], 0);
        CHECK_INT(read_first(proxy), 0);
        read_file(&after, path);
        CHECK_INT(after.size, before.size);
        CHECK_BYTES(after.data, before.data, before.size);
        ap_free(proxy);
        ap_array_free(plain);
        ap_array_free(later);
        ap_array_free(other);
        CHECK_INT(values[VIEWED - 1], -5);
        ((int32_t *)ap_array_data(late))[1] = 7;
        CHECK_INT(values[1], -5);
        ap_array_free(mine);
        CHECK_INT(((int32_t *)ap_array_data(late))[1], 7);
        ap_array_free(late);
        bytes_free(&before);
        bytes_free(&after);
    }
    test_note("");

    /* Of a part, backwards; and a file that may be read only. */
    const char *path = write_viewed("guarded");
    CHECK(chmod(path, 0400) == 0);
    ap_proxy *proxy = open_viewed(path, AP_ORDER_F, "");
    ap_slice part[3] = {ap_range(AP_NONE, AP_NONE, -1), ap_at(6), ap_at(4)};
    ap_array *mine = view_of(proxy, part, 3, AP_READ_PRIVATE);
    int32_t *values = ap_array_data(mine);
    CHECK_INT(values[0], VIEWED - 1);
    for (int k = 0; k < 9; k++)
        values[-k] = 1000 + k;
    CHECK_INT(values[-8], 1008);
    ap_array *plain = view_of(proxy, part, 3, 0);
    CHECK_INT(*(int32_t *)ap_array_data(plain), VIEWED - 1);
    ap_array_free(plain);
    ap_array_free(mine);
    ap_free(proxy);
}

static void count_release(void *user)
{
    ++*(int *)user;
}

/* Views outlive all other handles, and hold what they show. */
static void test_outlive(void)
{
    bytes b = {0};
    put_viewed(&b, native_order());
    ap_source *source = NULL;
    int released = 0;
    CHECK_OK(ap_source_memory(b.data, b.size, count_release, &released, &source, &err));
    ap_proxy *proxy = open_parsed(source, AP_INT32, native_order(), 3, viewed_shape, AP_ORDER_F,
                                  VIEWED_AT, 1, "");
    ap_source_free(source);
    ap_slice last[3] = {ap_at(-1), ap_at(-1), ap_at(-1)};
    ap_array *whole = view_of(proxy, NULL, 0, 0), *part = view_of(proxy, last, 3, 0);
    ap_array *clone = ap_array_clone(part);
    ap_free(proxy);
    CHECK_INT(released, 0);
    CHECK_INT(((int32_t *)ap_array_data(whole))[1], 1);
    ap_array_free(whole);
    ap_array_free(part);
    CHECK_INT(released, 0);
    CHECK_INT(*(int32_t *)ap_array_data(clone), VIEWED - 1);
    ap_array_free(clone);
    CHECK_INT(released, 1);
    bytes_free(&b);

    /* The file may go. */
    for (int keep = 0; keep < 2; keep++) {
        const char *path = write_viewed("outlived");
        proxy = open_viewed(path, AP_ORDER_F, keep ? "" : "keep_open=0");
        whole = view_of(proxy, NULL, 0, 0);
        ap_free(proxy);
        CHECK(remove(path) == 0);
        int32_t *values = ap_array_data(whole);
        CHECK(values[0] == 0 && values[VIEWED - 1] == VIEWED - 1);
        ap_array_free(whole);
    }

    /* A view in an image is the image's memory. */
    proxy = open_viewed(write_viewed("imaged"), AP_ORDER_F, "");
    whole = view_of(proxy, NULL, 0, 0);
    ap_image *image = NULL;
    ap_array *data = NULL;
    CHECK_OK(ap_image_from_array(whole, NULL, NULL, 0, &image, &err));
    CHECK_OK(ap_image_data(image, AP_AUTO, 0, NULL, &data, &err));
    CHECK(ap_array_data(data) == ap_array_data(whole));
    CHECK_INT(ap_array_flags(data), AP_ARRAY_READONLY | AP_ARRAY_MAPPED);
    ap_free(proxy);
    ap_array_free(whole);
    ap_image_free(image);
    CHECK_INT(((int32_t *)ap_array_data(data))[VIEWED - 1], VIEWED - 1);
    ap_array_free(data);
}

/* More views at once than a process may have maps or open files. */
static void test_many(void)
{
    int many = test_small() ? 1000 : 70001, wrong = 0, before = open_files();
    ap_array **views = need(sizeof(ap_array *) * (size_t)many);
    ap_proxy *proxy = open_viewed(write_viewed("many"), AP_ORDER_F, "");
    for (int i = 0; i < many; i++) {
        ap_slice column[3] = {ap_all(), ap_at(i % 7), ap_at(i % 5)};
        if (ap_view(proxy, column, 3, 0, &views[i], &err) != AP_OK) {
            wrong++;
            break;
        }
    }
    CHECK_INT(wrong, 0);
    ap_free(proxy);
    CHECK(open_files() <= before + 1);
    for (int i = 0; i < many && !wrong; i++)
        wrong += *(int32_t *)ap_array_data(views[i]) != 9 * (i % 7 + 7 * (i % 5));
    CHECK_INT(wrong, 0);
    for (int i = 0; i < many; i++)
        ap_array_free(views[i]);
    CHECK_INT(open_files(), before);
    free(views);
}

int main(void)
{
    test_memory();
    test_mapped();
    test_strides();
    test_kinds();
    test_private();
    test_outlive();
    test_many();
    return test_end("view");
}
