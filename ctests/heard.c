/* ap_control: what is told to one thread of a call is heard by the others soon,
 * and callbacks may call the library. */
#include "test.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/small.h"
#include "support/ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MEBI = 1 << 20 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef struct {
    uint64_t last, farthest;    /* bytes done, and most from call to call */
    int calls, stop_at;
    double stopped;
} progress;

static int32_t watch(void *user, uint64_t done, uint64_t total)
{
    progress *p = user;
    (void)total;
    if (done - p->last > p->farthest)
        p->farthest = done - p->last;
    p->last = done;
    if (++p->calls != p->stop_at)
        return 0;
    p->stopped = now();
    return 1;
}

/* An array in memory is converted in parts, however its axes lie: a cancel is
 * never far. */
static void test_conversions(void)
{
    static const int64_t shapes[][3] = {{9000000, 2, 1}, {2, 9000000, 1}, {3, 2, 3000000},
                                        {18000000, 1, 1}};
    ap_control *control = ap_control_new();
    for (int i = 0; i < COUNT(shapes); i += 1 + test_small())
        for (int order = 0; order < 2; order++) {
            ap_array *array = NULL, *copy = NULL;
            ap_image *image = NULL;
            progress p = {0, 0, 0, 0, 0};
            test_note("shape %d, order %d", i, order);
            CHECK_OK(ap_array_new(AP_UINT8, 3, shapes[i], AP_ORDER_F, &array, &err));
            memset(ap_array_data(array), 7, 18000000);
            CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &image, &err));
            ap_control_reset(control);
            ap_control_set_callback(control, watch, &p, 0);
            CHECK_OK(ap_image_data(image, AP_INT16, order ? AP_READ_C : 0, control, &copy, &err));
            CHECK(p.calls > 5 && p.farthest <= 4 * MEBI);
            check_progress(control, 36000000);
            int16_t *values = ap_array_data(copy);
            CHECK(values && values[0] == 7 && values[9000001] == 7 && values[17999999] == 7);
            ap_array_free(copy);

            /* A cancel counts even where nothing is left to do. */
            ap_array *own = NULL;
            ap_control_cancel(control);
            CHECK_STATUS(ap_image_data(image, AP_AUTO, 0, control, &own, &err),
                         AP_ERR_CANCELLED);
            CHECK_STATUS(ap_image_data(image, AP_INT16, order ? AP_READ_C : 0, control, &own,
                                       &err),
                         AP_ERR_CANCELLED);
            CHECK(own == NULL);
            ap_control_reset(control);

            p.calls = 0;
            p.stop_at = 2;
            ap_image_uncache(image);
            CHECK_STATUS(ap_image_data(image, AP_FLOAT64, 0, control, &copy, &err),
                         AP_ERR_CANCELLED);
            CHECK(copy == NULL);
            CHECK_INT(p.calls, 2);
            ap_image_free(image);
            ap_array_free(array);
        }
    ap_control_free(control);
    test_note("");
}

/* 16 GiB of zeros in a small file, which take seconds to skip. */
static const char *vast_file(int64_t members)
{
    const int64_t shape[2] = {MEBI, members};
    nifti n = nifti_new(2, AP_LITTLE, AP_UINT8, 2, shape);
    unsigned char *zeros = need(MEBI);
    bytes head = {0}, packed = {0}, member = {0};
    put_nifti(&head, &n, "", 0);
    put_gzip(&packed, head.data, head.size, GZIP_STORED);
    put_gzip(&member, zeros, MEBI, GZIP_FIXED);
    for (int64_t i = 0; i < members; i++)
        put(&packed, member.data, member.size);
    write_bytes(temp_path("vast.nii.gz"), &packed);
    bytes_free(&head);
    bytes_free(&packed);
    bytes_free(&member);
    free(zeros);
    return temp_path("vast.nii.gz");
}

/* Who skips far looks up often, however little there is to read for it. */
static void test_skipping(void)
{
    const char *path = vast_file(64);
    ap_control *control = ap_control_new();
    ap_proxy *proxy = NULL;
    ap_slice last[2] = {ap_at(-1), ap_at(-1)};
    progress p = {0, 0, 0, 0, 0};
    CHECK_OK(ap_open(path, NULL, &proxy, &err));
    ap_control_set_callback(control, watch, &p, 0);
    CHECK_OK(run_way(BY_LOAD, proxy, last, 2, control, &err));
    CHECK(p.calls > 64);
    ap_free(proxy);
    ap_control_free(control);
}

/* A callback's stop ends what other threads do with other files. */
static void test_files_of_a_series(void)
{
    const char *path = vast_file(test_small() ? 64 : 16384);
    ap_series *series = ap_series_new();
    ap_options *options = ap_options_new();
    ap_proxy *proxy = NULL;
    ap_control *control = ap_control_new();
    ap_slice last[2] = {ap_range(-3, AP_NONE, 1), ap_at(-1)};
    progress p = {0, 0, 0, 3, 0};
    for (int i = 0; i < 6; i++)
        CHECK_OK(ap_series_add(series, path, &err));
    CHECK_OK(ap_options_parse(options, "threads=3", &err));
    CHECK_OK(ap_open_series(series, options, &proxy, &err));
    ap_control_set_callback(control, watch, &p, 1);
    CHECK_STATUS(run_way(BY_LOAD, proxy, last, 2, control, &err), AP_ERR_CANCELLED);
    CHECK(p.calls == 3 && now() - p.stopped < (test_small() ? 20 : 2));
    ap_free(proxy);
    ap_control_free(control);
    ap_options_free(options);
    ap_series_free(series);
}

/* A call that the callback makes, and whether it was made. */
typedef struct {
    const ap_proxy *proxy;
    ap_control *control;
    int calls, right;
} caller;

static int32_t read_inside(void *user, uint64_t done, uint64_t total)
{
    caller *c = user;
    (void)done;
    (void)total;
    c->calls++;
    if (c->calls == 1) {
        ap_slice voxel[2] = {ap_at(1), ap_at(0)};
        uint8_t out[8];
        c->right = ap_read_slice(c->proxy, voxel, 2, AP_AUTO, 0, out, sizeof out, NULL) == AP_OK;
    }
    if (c->calls == 2)
        ap_control_set_callback(c->control, NULL, NULL, 0);
    return 0;
}

/* As many files may be open, and a read of them makes another one, of the last
 * file. */
static void check_reads_inside(const char *files)
{
    const char *path = vast_file(16);
    ap_series *series = ap_series_new();
    ap_options *options = ap_options_new();
    ap_proxy *proxy = NULL, *part = NULL;
    ap_control *control = ap_control_new();
    ap_array *array = NULL;
    ap_slice last[2] = {ap_rest(), ap_at(-1)};
    test_note("%s", files);
    for (int i = 0; i < 3; i++)
        CHECK_OK(ap_series_add(series, path, &err));
    CHECK_OK(ap_options_parse(options, files, &err));
    CHECK_OK(ap_open_series(series, options, &proxy, &err));
    CHECK_OK(ap_slice_proxy(proxy, last, 2, &part, &err));
    caller c = {part, control, 0, 0};
    ap_control_set_callback(control, read_inside, &c, 0);
    CHECK_OK(ap_load(proxy, NULL, 0, AP_AUTO, 0, control, &array, &err));
    /* The second call put an end to calls. */
    CHECK_INT(c.calls, 2);
    CHECK_INT(c.right, 1);
    check_progress(control, 3 * 16 * MEBI);
    ap_array_free(array);
    ap_free(part);
    ap_free(proxy);
    ap_control_free(control);
    ap_options_free(options);
    ap_series_free(series);
}

int main(void)
{
    test_conversions();
    test_skipping();
    test_files_of_a_series();
    check_reads_inside("open_files=2");
    check_reads_inside("open_files=1");
    check_reads_inside("open_files=1,threads=3");
    return test_end("heard");
}
