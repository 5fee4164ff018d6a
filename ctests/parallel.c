/* Reads on several threads: many callers on one handle, and calls that use
 * several threads themselves. threads.c has what holds for every call. */
#include "test.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/series.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLERS = 64 };

/* More than what one thread reads alone. */
static int64_t rows(void)
{
    return test_small() ? 70 : 280;
}

static int callers(void)
{
    return test_small() ? 6 : CALLERS;
}

typedef struct {
    ap_proxy *proxy;
    int number;
    ap_status status;
    ap_error error;
} job;

/* What is read through a handle of its own with another shape. */
static ap_status read_reshaped(const ap_proxy *proxy, ap_error *e)
{
    static const int64_t shape[3] = {-1, 2, 4};         /* 4 is the slowest */
    ap_proxy *other = NULL;
    ap_slice part[3] = {ap_range(5, 2005, 1), ap_at(1), ap_at(2)};
    int64_t quarter = ROW * rows() / 4, first = 2 * quarter + quarter / 2 + 5;
    int32_t out[2000];
    ap_status status = ap_reshape(proxy, 3, shape, &other, e);
    if (status == AP_OK)
        status = ap_read_slice(other, part, 3, AP_DISK, 0, out, sizeof out, e);
    for (int i = 0; i < 2000 && status == AP_OK; i++)
        if (out[i] != first + i)
            status = WRONG_VALUES;
    ap_free(other);
    return status;
}

static void *call(void *given)
{
    job *j = given;
    ap_proxy *clone = j->number % 3 == 0 ? ap_clone(j->proxy) : NULL;
    const ap_proxy *proxy = clone ? clone : j->proxy;
    j->status = walk_series(proxy, rows(), j->number % WALKS, &j->error);
    if (j->status == AP_OK)
        j->status = read_reshaped(proxy, &j->error);
    if (j->number % 16 == 7)
        ap_trim(proxy);
    ap_free(clone);
    return NULL;
}

static void run(ap_proxy *proxy)
{
    static job jobs[CALLERS];
    pthread_t threads[CALLERS];
    for (int i = 0; i < callers(); i++) {
        jobs[i].proxy = proxy;
        jobs[i].number = i;
        jobs[i].status = AP_OK;
        if (pthread_create(&threads[i], NULL, call, &jobs[i]))
            abort();
    }
    for (int i = 0; i < callers(); i++) {
        pthread_join(threads[i], NULL);
        err = jobs[i].error;
        CHECK_OK(jobs[i].status);
    }
}

static void test_callers(void)
{
    static const int kinds[] = {SERIES_PLAIN, SERIES_GZIP, SERIES_MEMBERS, SERIES_BGZF,
                                SERIES_BZIP2, SERIES_ZSTD};
    static const char *options[] = {"index_mode=0,threads=2", "threads=2",
                                    "index_spacing=65536,threads=2,cache_bytes=300000",
                                    "index_mode=2,index_spacing=65536,threads=0",
                                    "threads=2,keep_open=0"};
    const char *index = temp_path("callers.gzidx");
    for (int kind = 0; kind < COUNT(kinds); kind++) {
        const char *path = write_series(kinds[kind], rows());
        ap_proxy *proxy;
        for (int i = 0; i < COUNT(options); i += test_small() ? 2 : 1) {
            /* Without what is kept, bzip2 starts over and over again. */
            if (kinds[kind] == SERIES_BZIP2 && i != 1 && i != 3)
                continue;
            test_note("%s, %s", series_name(kinds[kind]), options[i]);
            proxy = open_series(path, options[i]);
            run(proxy);
            if (series_is_gzip(kinds[kind]) && i == 3)
                CHECK_OK(ap_seekindex_save(proxy, index, &err));
            ap_free(proxy);
        }
        if (series_is_gzip(kinds[kind]) && !test_small()) {
            test_note("%s, loaded", series_name(kinds[kind]));
            proxy = open_series(path, "threads=2");
            CHECK_OK(ap_seekindex_load(proxy, index, &err));
            run(proxy);
            ap_free(proxy);
        }
    }
    test_note("");
}

static void *read_on(void *given)
{
    job *j = given;
    for (int i = 0; i < (test_small() ? 1 : 6) && j->status == AP_OK; i++)
        j->status = walk_series(j->proxy, rows(), (j->number + i) % WALKS, &j->error);
    return NULL;
}

/* The index is loaded, saved and built while others read. */
static void test_meanwhile(void)
{
    enum { READERS = 6 };
    const char *path = write_series(SERIES_GZIP, rows()), *index = temp_path("meanwhile.gzidx");
    ap_proxy *proxy = open_series(path, "index_mode=2,index_spacing=65536");
    info built = info_of(proxy);
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    ap_free(proxy);
    for (int turn = 0; turn < (test_small() ? 1 : 6); turn++) {
        pthread_t threads[READERS];
        job jobs[READERS];
        proxy = open_series(path, turn % 2 ? "index_spacing=65536,cache_bytes=0" : "threads=2");
        for (int i = 0; i < READERS; i++) {
            jobs[i].proxy = proxy;
            jobs[i].number = turn + i;
            jobs[i].status = AP_OK;
            if (pthread_create(&threads[i], NULL, read_on, &jobs[i]))
                abort();
        }
        for (int i = 0; i < 3; i++) {
            CHECK_OK(ap_seekindex_load(proxy, index, &err));
            CHECK_OK(ap_seekindex_save(proxy, temp_path("saved.gzidx"), &err));
            CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
            ap_trim(proxy);
            CHECK_INT(info_of(proxy).covered, built.covered);
        }
        for (int i = 0; i < READERS; i++) {
            pthread_join(threads[i], NULL);
            err = jobs[i].error;
            CHECK_OK(jobs[i].status);
        }
        CHECK_INT(info_of(proxy).points, built.points);
        ap_free(proxy);
    }
}

/* An image of int32 in some byte order; values are i / 2 - 7 if scaled. */
static const char *write_scaled(int kind, int order, int scaled)
{
    const int64_t shape[3] = {ROW, rows() / 10, 10};
    nifti n = nifti_new(1, order, AP_INT32, 3, shape);
    bytes data = {0}, plain = {0}, b = {0};
    const char *path = temp_path("scaled.nii");
    if (scaled) {
        n.slope = 0.5;
        n.inter = -7;
    }
    put_counted(&data, ROW * rows(), order);
    put_nifti(&plain, &n, data.data, data.size);
    pack_series(&b, kind, &plain);
    write_bytes(path, &b);
    bytes_free(&data);
    bytes_free(&plain);
    bytes_free(&b);
    return path;
}

static double at(const void *out, ap_dtype dtype, int64_t i)
{
    return dtype == AP_FLOAT32   ? (double)((const float *)out)[i]
           : dtype == AP_FLOAT64 ? ((const double *)out)[i]
                                 : (double)((const int32_t *)out)[i];
}

/* All of an image, packed in either order, and into memory with gaps in which
 * the first axis runs backwards. */
static void check_whole(const ap_proxy *proxy, int scaled, ap_dtype dtype, int way)
{
    int64_t second = rows() / 10, n = ROW * rows(), size = dtype & 255;
    int64_t strides[3] = {-size, size * (ROW + 3), size * (ROW + 3) * second};
    size_t room = (size_t)(size * (ROW + 3) * rows());
    void *out = malloc(room);
    ap_plan *plan = NULL;
    int64_t wrong = 0;
    if (!out)
        abort();
    memset(out, 0xa5, room);
    CHECK_OK(ap_plan_new(proxy, NULL, 0, dtype, way == 1 ? AP_READ_C : 0, &plan, &err));
    if (way < 2)
        CHECK_OK(ap_plan_read(plan, out, (size_t)(n * size), 0, NULL, NULL, &err));
    else
        CHECK_OK(ap_plan_read(plan, out, room, (size_t)(size * (ROW - 1)), strides, NULL, &err));
    for (int64_t i = 0; i < n; i++) {
        int64_t x = i % ROW, y = i / ROW % second, z = i / ROW / second;
        int64_t place = way == 0   ? i
                        : way == 1 ? (x * second + y) * 10 + z
                                   : (y + second * z) * (ROW + 3) + ROW - 1 - x;
        double wanted = scaled ? (double)i * 0.5 - 7 : (double)i;
        wrong += at(out, dtype, place) != wanted;
    }
    CHECK_INT(wrong, 0);
    if (way == 2)
        for (int64_t row = 0; row < rows(); row++)
            for (size_t i = 0; i < (size_t)(3 * size); i++)
                wrong += ((unsigned char *)out)[(size_t)(size * ((ROW + 3) * row + ROW)) + i] != 0xa5;
    CHECK_INT(wrong, 0);
    ap_plan_free(plan);
    free(out);
}

static void test_whole(void)
{
    static const ap_dtype types[2][2] = {{AP_INT32, AP_FLOAT32}, {AP_FLOAT64, AP_FLOAT32}};
    static const char *options[] = {"threads=1", "threads=2", "threads=2,index_mode=2",
                                    "threads=3,index_mode=2,index_spacing=65536,cache_bytes=0",
                                    "threads=2,verify=0,index_mode=0"};
    for (int kind = 0; kind < SERIES_KINDS; kind += kind == SERIES_GZIP ? 2 : 1)
        for (int swapped = 0; swapped < 2; swapped++)
            for (int scaled = 0; scaled < 2; scaled++) {
                const char *path = write_scaled(kind, swapped ? AP_BIG : AP_LITTLE, scaled);
                for (int i = 0; i < COUNT(options); i += test_small() ? 3 : 1)
                    for (int t = 0; t < (test_small() ? 1 : 2); t++) {
                        ap_proxy *proxy = open_series(path, options[i]);
                        for (int way = 0; way < 3; way++) {
                            test_note("%s, swapped %d, scaled %d, %s, %s, way %d",
                                      series_name(kind), swapped, scaled, options[i],
                                      ap_dtype_name(types[scaled][t]), way);
                            check_whole(proxy, scaled, types[scaled][t], way);
                            if (way == 1)
                                ap_trim(proxy);
                        }
                        ap_free(proxy);
                    }
            }
    test_note("");
}

/* Functions of the caller's: on the thread that called the library, or on any,
 * as they allow. */
typedef struct {
    const bytes *b;
    pthread_t caller;
    pthread_mutex_t lock;
    int inside, overlaps, strangers, reads;
} watched;

static int64_t read_watched(void *user, void *buf, size_t len, uint64_t offset)
{
    watched *w = user;
    int64_t n = 0;
    pthread_mutex_lock(&w->lock);
    w->overlaps += w->inside++ > 0;
    w->strangers += !pthread_equal(pthread_self(), w->caller);
    w->reads++;
    pthread_mutex_unlock(&w->lock);
    if (offset < w->b->size) {
        size_t left = w->b->size - (size_t)offset;
        n = (int64_t)(len < left ? len : left);
        memcpy(buf, w->b->data + offset, (size_t)n);
    }
    pthread_mutex_lock(&w->lock);
    w->inside--;
    pthread_mutex_unlock(&w->lock);
    return n;
}

static int64_t size_watched(void *user)
{
    return (int64_t)((watched *)user)->b->size;
}

static void read_two(const ap_proxy *proxy)
{
    ap_slice two[2][2] = {{ap_all(), ap_range(10, AP_NONE, 1)}, {ap_all(), ap_range(0, 30, 1)}};
    int64_t first = ROW * (rows() - 10), n = first + ROW * 30, wrong = 0;
    int32_t *out = need((size_t)n * 4);
    CHECK_OK(ap_read_batch(proxy, two[0], 2, 2, AP_DISK, 0, out, (size_t)n * 4, NULL, NULL, &err));
    for (int64_t i = 0; i < n; i++)
        wrong += out[i] != (i < first ? ROW * 10 + i : i - first);
    CHECK_INT(wrong, 0);
    free(out);
}

/* Calls of all such functions on threads that the library started. */
static int strangers;

static void test_callbacks(int kind, uint32_t flags)
{
    static const char *options[] = {"threads=4", "threads=4,cache_bytes=0,index_mode=2",
                                    "threads=0,index_spacing=65536"};
    bytes b = {0};
    put_series(&b, kind, rows());
    for (int i = 0; i < COUNT(options); i++) {
        watched w;
        ap_source *source = NULL;
        ap_proxy *proxy = NULL;
        ap_options *o = ap_options_new();
        memset(&w, 0, sizeof w);
        w.b = &b;
        w.caller = pthread_self();
        pthread_mutex_init(&w.lock, NULL);
        test_note("%s, flags %u, %s", series_name(kind), flags, options[i]);
        CHECK_OK(ap_options_parse(o, options[i], &err));
        CHECK_OK(ap_source_callbacks(read_watched, size_watched, NULL, &w, flags, &source, &err));
        CHECK_OK(ap_open_source(source, NULL, o, &proxy, &err));
        ap_source_free(source);
        ap_options_free(o);
        CHECK_OK(walk_series(proxy, rows(), WALK_RANDOM, &err));
        CHECK_OK(walk_series(proxy, rows(), WALK_WHOLE, &err));
        ap_trim(proxy);
        read_two(proxy);
        CHECK_OK(ap_seekindex_build(proxy, NULL, &err));
        ap_trim(proxy);
        CHECK_OK(walk_series(proxy, rows(), WALK_TURNED, &err));
        CHECK_OK(walk_series(proxy, rows(), WALK_COLUMN, &err));
        read_two(proxy);
        CHECK(w.reads > 0);
        CHECK_INT(w.inside, 0);
        if (!(flags & AP_SOURCE_CONCURRENT)) {
            CHECK_INT(w.overlaps, 0);
            CHECK_INT(w.strangers, 0);
        }
        strangers += w.strangers;
        ap_free(proxy);
        pthread_mutex_destroy(&w.lock);
    }
    test_note("");
    bytes_free(&b);
}

int main(void)
{
    test_callers();
    test_meanwhile();
    test_whole();
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        test_callbacks(kind, 0);
        test_callbacks(kind, AP_SOURCE_CONCURRENT);
    }
    CHECK(strangers > 0 || test_small());       /* else nothing was tried */
    return test_end("parallel");
}
