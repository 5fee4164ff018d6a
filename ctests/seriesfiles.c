/* Series: how many of their files are open, and files that change. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/volumes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MOST = 1000, THREADS = 4 };

/* Reads that any thread can make: one voxel of all files, volumes, parts, there
 * and back. Returns 1 if anything is wrong. */
static int wrong_read(const ap_proxy *proxy, int n, unsigned seed)
{
    int x = (int)(seed % 4), y = (int)(seed / 4 % 3), z = (int)(seed / 12 % 2);
    int kind = (int)(seed % 5);
    int i = (int)(seed * 2654435761u % (unsigned)n), step = kind == 1 ? -1 : kind == 2 ? -7 : 1;
    ap_slice index[4] = {ap_at(x), ap_at(y), ap_at(z), ap_range(AP_NONE, AP_NONE, step)};
    int count = (n - 1) / (step < 0 ? -step : step) + 1, wrong = 0;
    int32_t *out = malloc((size_t)n * VOXELS * sizeof *out);
    ap_error mine;
    if (!out)
        return 1;
    if (kind < 3) {
        wrong = ap_read_slice(proxy, index, 4, AP_AUTO, 0, out, (size_t)count * 4, &mine) != AP_OK;
        for (int k = 0; k < count; k++) {
            int file = step < 0 ? n - 1 + k * step : k;
            wrong |= out[k] != x + 4 * (y + 3 * z) + VOXELS * file;
        }
    } else {
        int upto = kind == 3 ? i + 1 : i + 5 < n ? i + 5 : n;
        index[0] = index[1] = index[2] = ap_all();
        index[3] = ap_range(i, upto, 1);
        wrong = ap_read_slice(proxy, index, 4, AP_AUTO, 0, out,
                              (size_t)(upto - i) * VOXELS * 4, &mine) != AP_OK;
        for (int k = 0; k < (upto - i) * VOXELS; k++)
            wrong |= out[k] != k + VOXELS * i;
    }
    free(out);
    return wrong;
}

typedef struct {
    const ap_proxy *proxy;
    int n, turns, number, wrong;
    int *running;
    pthread_mutex_t *lock;
} job;

static void *read_on(void *given)
{
    job *j = given;
    for (int turn = 0; turn < j->turns; turn++) {
        j->wrong += wrong_read(j->proxy, j->n, (unsigned)(j->number + THREADS * turn));
        if (turn % 7 == 6 && j->number == 0)
            ap_trim(j->proxy);
    }
    pthread_mutex_lock(j->lock);
    --*j->running;
    pthread_mutex_unlock(j->lock);
    return NULL;
}

/* Many threads read; never are more than `limit` files open. */
static void check_threads(const ap_proxy *proxy, int n, int turns, int before, int limit)
{
    pthread_t threads[THREADS];
    job jobs[THREADS];
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int running = THREADS, most = 0, left = THREADS;
    for (int i = 0; i < THREADS; i++) {
        job one = {proxy, n, turns, i, 0, &running, &lock};
        jobs[i] = one;
        if (pthread_create(&threads[i], NULL, read_on, &jobs[i]))
            abort();
    }
    while (left) {
        int now = open_files() - before;
        most = now > most ? now : most;
        usleep(200);
        pthread_mutex_lock(&lock);
        left = running;
        pthread_mutex_unlock(&lock);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(jobs[i].wrong, 0);
    }
    CHECK(most <= limit);
    CHECK(open_files() - before <= limit);
}

/* One file at a time serves them all. */
static void test_one_open(void)
{
    static const char *options[] = {"open_files=1", "open_files=1,mmap=0", "open_files=1,threads=2",
                                    "open_files=2,keep_open=0", "open_files=1,cache_bytes=0"};
    enum { N = 12 };
    for (int codecs = 1; codecs <= CODECS; codecs += CODECS - 1)
        for (int o = 0; o < COUNT(options); o++) {
            int before = open_files(), limit = strstr(options[o], "open_files=2") ? 2 : 1;
            test_note("%d codecs, \"%s\"", codecs, options[o]);
            ap_proxy *proxy = open_volumes(N, codecs, options[o]);
            CHECK(open_files() - before <= limit);
            check_volumes(proxy);
            CHECK(open_files() - before <= limit);
            check_threads(proxy, N, test_small() ? 3 : 30, before, limit);
            ap_free(proxy);
            CHECK_INT(open_files(), before);
        }
    test_note("");
}

/* More files than may be open: in the system's count, and in ours. */
static void test_many(void)
{
    int n = test_small() ? 40 : MOST, limit = test_small() ? 8 : 64, before = open_files();
    char options[60];
    struct rlimit old, low;
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    low = old;
    /* Those open now have numbers below 32 or so; some are for this program. */
    low.rlim_cur = (rlim_t)(before + limit + 40);
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    for (int o = 0; o < 3; o++) {
        snprintf(options, sizeof options, "open_files=%d%s", limit, o == 1 ? ",mmap=0,threads=2"
                 : o == 2 ? ",keep_open=0" : "");
        if (o == 0 && limit == 64)
            options[0] = 0;                 /* the default */
        test_note("%d files, \"%s\"", n, options);
        ap_proxy *proxy = open_volumes(n, 2, options);
        CHECK(open_files() - before <= limit);
        check_volumes(proxy);
        CHECK(open_files() - before <= limit);
        for (unsigned seed = 0; seed < 10; seed++)
            CHECK_INT(wrong_read(proxy, n, seed), 0);
        check_threads(proxy, n, test_small() ? 2 : 10, before, limit);
        if (o == 2)
            CHECK_INT(open_files(), before);
        ap_trim(proxy);
        CHECK_INT(open_files(), before);
        CHECK_INT(wrong_read(proxy, n, 1), 0);
        ap_free(proxy);
        CHECK_INT(open_files(), before);
    }
    test_note("");
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

/* A file that another has replaced is named; the rest can be read. */
static void test_changed(void)
{
    enum { N = 6 };
    static const char *options[] = {"", "mmap=0", "keep_open=0", "open_files=1"};
    for (int codecs = 1; codecs <= 2; codecs++)
        for (int o = 0; o < COUNT(options); o++)
            for (int gone = 0; gone < 2; gone++) {
                nifti n = volume_header(1, AP_LITTLE);
                ap_status wanted = gone ? AP_ERR_NOT_FOUND : AP_ERR_CHANGED;
                int32_t out[VOXELS * N];
                test_note("%d codecs, \"%s\", gone %d", codecs, options[o], gone);
                ap_proxy *proxy = open_volumes(N, codecs, options[o]);
                const char *path = volume_path(3, codecs);
                check_volumes(proxy);
                ap_trim(proxy);
                CHECK(remove(path) == 0);
                n.vox_offset = 368;
                if (!gone) {
                    char name[40];
                    snprintf(name, sizeof name, "part3.nii%s", codec_suffix(3 % codecs));
                    write_volume_as(name, &n, 3, 3 % codecs);
                    set_mtime(path, 1000000000);
                }
                ap_slice column[4] = {ap_at(1), ap_at(1), ap_at(1), ap_all()};
                ap_slice others[2] = {ap_rest(), ap_range(AP_NONE, 3, 1)};
                ap_slice third[2] = {ap_rest(), ap_at(3)};
                CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err), wanted);
                CHECK_PART(err.message, path);
                CHECK_STATUS(ap_read_slice(proxy, column, 4, AP_AUTO, 0, out, sizeof out, &err),
                             wanted);
                CHECK_PART(err.message, path);
                CHECK_STATUS(ap_read_slice(proxy, third, 2, AP_AUTO, 0, out, sizeof out, &err),
                             wanted);
                CHECK_INDEX(proxy, others, 2, AP_ORDER_F);
                others[1] = ap_range(4, AP_NONE, 1);
                CHECK_INDEX(proxy, others, 2, AP_ORDER_C);
                ap_free(proxy);
            }
    test_note("");
}

static void test_option(void)
{
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_set_int(o, AP_OPT_OPEN_FILES, 1, &err));
    CHECK_OK(ap_options_set_int(o, AP_OPT_OPEN_FILES, 64, &err));
    CHECK_OK(ap_options_set_int(o, AP_OPT_OPEN_FILES, 100000, &err));
    CHECK_OK(ap_options_parse(o, "open_files=5", &err));
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_OPEN_FILES, 0, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_OPEN_FILES, -1, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_OPEN_FILES, INT64_MIN, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_OPEN_FILES, "many", &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_parse(o, "open_files=0", &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_parse(o, "open_files=", &err), AP_ERR_OPTION);
    /* It matters to series only. */
    ap_proxy *proxy = NULL;
    CHECK_OK(ap_open(write_volume(0, 1), o, &proxy, &err));
    ap_free(proxy);
    ap_options_free(o);
}

int main(void)
{
    test_one_open();
    test_many();
    test_changed();
    test_option();
    return test_end("seriesfiles");
}
