/* ap_control: progress of reads, their callbacks, and the threads they may use. */
#include "test.h"
#include "support/series.h"
#include "support/ways.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t rows(void)
{
    return test_small() ? 70 : 280;
}

/* A file of each kind, written when it is first needed. */
static const char *path_of(int kind)
{
    static const char *paths[SERIES_KINDS];
    if (!paths[kind])
        paths[kind] = write_series(kind, rows());
    return paths[kind];
}

/* Reads that are done add up until the control is reset. */
static void test_progress(void)
{
    static const char *options[] = {"threads=1", "threads=2,index_mode=2,index_spacing=65536"};
    int64_t whole = rows() * ROW_BYTES;
    ap_slice part[2] = {ap_all(), ap_range(3, 20, 4)};
    ap_control *control = ap_control_new();
    CHECK(control != NULL);
    check_progress(control, 0);
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        const char *path = path_of(kind);
        for (int i = 0; i < COUNT(options); i++) {
            ap_proxy *proxy = open_series(path, options[i]);
            int64_t wanted = 0;
            test_note("%s, %s", series_name(kind), options[i]);
            ap_control_reset(control);
            check_progress(control, 0);
            for (int way = 0; way < BY_BUILD; way++) {
                if (way != BY_IMAGE) {
                    CHECK_OK(run_way(way, proxy, part, 2, control, &err));
                    check_progress(control, wanted += 5 * ROW_BYTES);
                }
                CHECK_OK(run_way(way, proxy, NULL, 0, control, &err));
                check_progress(control, wanted += whole);
            }
            /* In bytes of the result, whatever is stored. */
            ap_array *array = NULL;
            CHECK_OK(ap_load(proxy, part, 2, AP_COMPLEX128, AP_READ_C, control, &array, &err));
            check_progress(control, wanted += 5 * ROW * 16);
            ap_array_free(array);
            /* Reads without a control do not count. */
            CHECK_OK(run_way(BY_LOAD, proxy, part, 2, NULL, &err));
            check_progress(control, wanted);
            ap_free(proxy);
        }
    }
    test_note("");

    /* Either pointer may be NULL. */
    uint64_t done = 7, total = 7;
    ap_control_reset(control);
    ap_control_progress(control, &done, NULL);
    ap_control_progress(control, NULL, &total);
    ap_control_progress(control, NULL, NULL);
    CHECK(done == 0 && total == 0);
    ap_control_free(control);
}

/* Of index building: up to the size of the file. */
static void test_build_progress(void)
{
    for (int kind = SERIES_GZIP; kind < SERIES_KINDS; kind++)
        for (int threads = 1; threads < 3; threads++) {
            const char *path = path_of(kind);
            char text[40];
            struct stat file;
            snprintf(text, sizeof text, "threads=%d", threads);
            test_note("%s, %s", series_name(kind), text);
            CHECK(stat(path, &file) == 0);
            ap_control *control = ap_control_new();
            ap_proxy *proxy = open_series(path, text);
            CHECK_OK(ap_seekindex_build(proxy, control, &err));
            check_progress(control, (int64_t)file.st_size);
            ap_free(proxy);
            ap_control_free(control);
        }
    test_note("");
}

/* What a callback saw. */
typedef struct {
    pthread_t caller;
    uint64_t last, total;
    int calls, strangers, wrong, stop_at;
} seen;

static int32_t look(void *user, uint64_t done, uint64_t total)
{
    seen *s = user;
    s->strangers += !pthread_equal(pthread_self(), s->caller);
    s->wrong += done < s->last || done > total || (s->calls > 0 && total != s->total);
    s->last = done;
    s->total = total;
    s->calls++;
    return s->calls == s->stop_at ? -3 : 0;
}

static seen new_seen(int stop_at)
{
    seen s;
    memset(&s, 0, sizeof s);
    s.caller = pthread_self();
    s.stop_at = stop_at;
    return s;
}

/* Callbacks come on the thread of the call, tell the truth, and can stop it. */
static void test_callback(void)
{
    static const char *options[] = {"threads=1", "threads=2", "threads=3,cache_bytes=0",
                                    "threads=2,index_mode=2,index_spacing=65536"};
    ap_control *control = ap_control_new();
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        const char *path = path_of(kind);
        for (int i = 0; i < COUNT(options); i += 1 + 2 * test_small())
            for (int way = 0; way < WAYS; way++) {
                if (way == BY_BUILD && (kind == SERIES_PLAIN || i == 3))
                    continue;           /* there is nothing to build */
                test_note("%s, %s, %s", series_name(kind), options[i], way_name(way));
                ap_proxy *proxy = open_series(path, options[i]);
                seen s = new_seen(0);
                ap_control_reset(control);
                ap_control_set_callback(control, look, &s, 0);
                CHECK_OK(run_way(way, proxy, NULL, 0, control, &err));
                CHECK(s.calls > 0);
                CHECK_INT(s.strangers, 0);
                CHECK_INT(s.wrong, 0);
                if (way != BY_BUILD)
                    CHECK_INT(s.total, rows() * ROW_BYTES);
                ap_free(proxy);

                /* Stopped at once. A reset forgets no callback. */
                proxy = open_series(path, options[i]);
                s = new_seen(1);
                ap_control_reset(control);
                CHECK_STATUS(run_way(way, proxy, NULL, 0, control, &err), AP_ERR_CANCELLED);
                CHECK_INT(err.code, AP_ERR_CANCELLED);
                CHECK_INT(s.calls, 1);
                CHECK_INT(s.strangers, 0);
                /* The handle stays usable. */
                CHECK_OK(read_rows(proxy, 5, 9, &err));
                ap_control_reset(control);
                CHECK_OK(run_way(way, proxy, NULL, 0, control, &err));
                CHECK_OK(walk_series(proxy, rows(), WALK_WHOLE, &err));
                ap_free(proxy);
            }
    }
    test_note("");

    /* Seldom, or none. */
    ap_proxy *proxy = open_series(path_of(SERIES_PLAIN), "");
    seen s = new_seen(0);
    ap_control_reset(control);
    ap_control_set_callback(control, look, &s, 100000000);
    CHECK_OK(run_way(BY_LOAD, proxy, NULL, 0, control, &err));
    CHECK(s.calls <= 2);
    s = new_seen(0);
    ap_control_set_callback(control, NULL, &s, 0);
    CHECK_OK(run_way(BY_LOAD, proxy, NULL, 0, control, &err));
    CHECK_INT(s.calls, 0);
    check_progress(control, 2 * rows() * ROW_BYTES);
    ap_free(proxy);
    ap_control_free(control);
}

/* A cancel stays in force until the control is reset. */
static void test_cancelled_before(void)
{
    ap_control *control = ap_control_new();
    ap_slice part[2] = {ap_all(), ap_range(3, 7, 1)};
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        const char *path = path_of(kind);
        for (int way = 0; way < WAYS; way++) {
            if (kind == SERIES_PLAIN && way == BY_BUILD)
                continue;
            ap_proxy *proxy = open_series(path, "");
            test_note("%s, %s", series_name(kind), way_name(way));
            ap_control_cancel(control);
            for (int turn = 0; turn < 3; turn++) {
                err_mark();
                CHECK_STATUS(run_way(way, proxy, part, 2, control, &err), AP_ERR_CANCELLED);
                CHECK_INT(err.code, AP_ERR_CANCELLED);
                CHECK_INT(err.os_error, 0);
                CHECK(err.message[0] != 0);
            }
            CHECK_OK(run_way(way, proxy, part, 2, NULL, &err));
            ap_free(proxy);
            proxy = open_series(path, "");
            ap_control_reset(control);
            check_progress(control, 0);
            CHECK_OK(run_way(way, proxy, part, 2, control, &err));
            CHECK_OK(read_rows(proxy, 3, 7, &err));
            ap_free(proxy);
        }
    }
    test_note("");
    ap_control_free(control);
}

/* One control for several reads at once. */
static void test_shared(void)
{
    enum { READS = 4 };
    for (int turn = 0; turn < (test_small() ? 1 : 10); turn++) {
        ap_control *control = ap_control_new();
        ap_proxy *proxies[READS];
        way_job jobs[READS];
        pthread_t threads[READS];
        uint64_t done = 0, total = 0, before = 0, wanted = 0;
        int wrong = 0;
        for (int i = 0; i < READS; i++) {
            static const int kinds[READS] = {SERIES_PLAIN, SERIES_GZIP, SERIES_BGZF, SERIES_ZSTD};
            proxies[i] = open_series(path_of(kinds[i]), "threads=2");
            wanted += (uint64_t)rows() * ROW_BYTES;
            jobs[i].way = BY_IMAGE;
            jobs[i].proxy = proxies[i];
            jobs[i].index = NULL;
            jobs[i].nindex = 0;
            jobs[i].control = control;
        }
        for (int i = 0; i < READS; i++)
            if (pthread_create(&threads[i], NULL, run_way_job, &jobs[i]))
                abort();
        for (int i = 0; i < 200 || (i < 100000 && done < wanted); i++) {
            ap_control_progress(control, &done, &total);
            wrong += done > total || done < before || total > wanted;
            before = done;
            sched_yield();
        }
        for (int i = 0; i < READS; i++) {
            pthread_join(threads[i], NULL);
            err = jobs[i].error;
            CHECK_OK(jobs[i].status);
            ap_free(proxies[i]);
        }
        CHECK_INT(wrong, 0);
        check_progress(control, (int64_t)wanted);
        ap_control_free(control);
    }
}

/* A source that counts calls on threads other than one. */
typedef struct {
    bytes b;
    pthread_t caller;
    pthread_mutex_t lock;
    pthread_cond_t came;
    int strangers;
    int awaited;                /* the caller waits for the first of them ... */
    struct timespec until;      /* ... so long, however busy the machine is */
} watched;

static int64_t read_watched(void *user, void *buf, size_t len, uint64_t offset)
{
    watched *w = user;
    int stranger = !pthread_equal(pthread_self(), w->caller);
    pthread_mutex_lock(&w->lock);
    w->strangers += stranger;
    if (stranger)
        pthread_cond_signal(&w->came);
    while (w->awaited && !w->strangers)
        w->awaited = pthread_cond_timedwait(&w->came, &w->lock, &w->until) == 0;
    pthread_mutex_unlock(&w->lock);
    usleep(200);                    /* time for others */
    if (offset >= w->b.size)
        return 0;
    if (len > w->b.size - offset)
        len = w->b.size - (size_t)offset;
    memcpy(buf, w->b.data + offset, len);
    return (int64_t)len;
}

static int64_t size_watched(void *user)
{
    return (int64_t)((watched *)user)->b.size;
}

/* Calls on other threads while all is read with a control, in each way and of
 * all kinds. If they are awaited, they have some seconds to begin. */
static int strangers(int option, int set, int awaited)
{
    int sum = 0;
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        watched w;
        ap_source *source = NULL;
        ap_proxy *proxy = NULL;
        ap_options *o = ap_options_new();
        ap_control *control = ap_control_new();
        memset(&w, 0, sizeof w);
        w.caller = pthread_self();
        pthread_mutex_init(&w.lock, NULL);
        pthread_cond_init(&w.came, NULL);
        read_file(&w.b, path_of(kind));
        test_note("%s, threads=%d, set %d", series_name(kind), option, set);
        CHECK_OK(ap_options_parse(o, "cache_bytes=0,index_spacing=65536", &err));
        CHECK_OK(ap_options_set_int(o, AP_OPT_THREADS, option, &err));
        CHECK_OK(ap_source_callbacks(read_watched, size_watched, NULL, &w, AP_SOURCE_CONCURRENT,
                                     &source, &err));
        CHECK_OK(ap_open_source(source, NULL, o, &proxy, &err));
        ap_source_free(source);
        ap_options_free(o);
        ap_control_set_threads(control, set);
        ap_control_reset(control);          /* does not forget that */
        CHECK_OK(run_way(BY_BUILD, proxy, NULL, 0, control, &err));
        pthread_mutex_lock(&w.lock);
        clock_gettime(CLOCK_REALTIME, &w.until);
        w.until.tv_sec += 5;
        w.awaited = awaited && !sum && series_codec(kind) != CODEC_NONE;
        pthread_mutex_unlock(&w.lock);
        for (int way = 0; way < BY_BUILD; way++)
            CHECK_OK(run_way(way, proxy, NULL, 0, control, &err));
        sum += w.strangers;
        ap_free(proxy);
        ap_control_free(control);
        pthread_cond_destroy(&w.came);
        pthread_mutex_destroy(&w.lock);
        bytes_free(&w.b);
    }
    test_note("");
    return sum;
}

static int cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

static void test_threads(void)
{
    CHECK_INT(strangers(4, 1, 0), 0);
    CHECK_INT(strangers(0, 1, 0), 0);
    CHECK_INT(strangers(1, -1, 0), 0);
    CHECK_INT(strangers(1, 1, 0), 0);
    if (test_small())
        return;                 /* too little to read for several */
    CHECK(strangers(1, 4, 1) > 0);
    CHECK(strangers(4, -1, 1) > 0);
    if (cores() > 1)
        CHECK(strangers(1, 0, 1) > 0);
}

int main(void)
{
    ap_control_free(NULL);
    test_progress();
    test_build_progress();
    test_callback();
    test_cancelled_before();
    test_shared();
    test_threads();
    return test_end("control");
}
