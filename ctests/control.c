/* ap_control: progress of reads, stopping them, and the threads they may use. */
#include "test.h"
#include "support/bzip2.h"
#include "support/gzip.h"
#include "support/series.h"
#include "support/zstd.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* The calls that take a control. */
enum { BY_LOAD, BY_PLAN, BY_BATCH, BY_IMAGE, BY_BUILD, WAYS };
static const char *way_names[] = {"load", "plan", "batch", "image", "index"};

/* Make one; of images and the index, of the whole array. In any thread. */
static ap_status run(int way, const ap_proxy *proxy, const ap_slice *index, int nindex,
                     ap_control *control, ap_error *e)
{
    ap_array *array = MARKED(ap_array);
    ap_image *image = NULL;
    ap_plan *plan = NULL;
    void *out = NULL;
    int64_t nbytes = 0;
    ap_status status;
    if (way == BY_BUILD)
        return ap_seekindex_build(proxy, control, e);
    if (way == BY_PLAN || way == BY_BATCH) {
        nbytes = ap_slice_nbytes(proxy, index, nindex, AP_AUTO, 0, e);
        if (nbytes < 0 || !(out = malloc((size_t)nbytes + 1)))
            return (ap_status)nbytes;
    }
    if (way == BY_PLAN) {
        status = ap_plan_new(proxy, index, nindex, AP_AUTO, 0, &plan, e);
        if (status == AP_OK)
            status = ap_plan_read(plan, out, (size_t)nbytes, 0, NULL, control, e);
        ap_plan_free(plan);
    } else if (way == BY_BATCH) {
        status = ap_read_batch(proxy, index, nindex, 1, AP_AUTO, 0, out, (size_t)nbytes, NULL,
                               control, e);
    } else {
        if (way == BY_LOAD) {
            status = ap_load(proxy, index, nindex, AP_AUTO, 0, control, &array, e);
        } else {
            status = ap_image_from_proxy(proxy, &image, e);
            if (status == AP_OK)
                status = ap_image_data(image, AP_AUTO, 0, control, &array, e);
            if (ap_image_in_memory(image) != (status == AP_OK))
                status = WRONG_VALUES;
        }
        if ((status == AP_OK) != (array != NULL))
            status = WRONG_VALUES;
        ap_image_free(image);
        ap_array_free(array);
    }
    free(out);
    return status;
}

static int64_t rows(void)
{
    return test_small() ? 70 : 280;
}

/* 1 if that is the progress. */
static int progress_is(const ap_control *control, int64_t wanted)
{
    uint64_t done = 1, total = 2;
    ap_control_progress(control, &done, &total);
    return CHECK_INT(done, wanted) & CHECK_INT(total, wanted);
}

/* Reads that are done add up until the control is reset. */
static void test_progress(void)
{
    static const char *options[] = {"threads=1", "threads=2,index_mode=2,index_spacing=65536"};
    int64_t whole = rows() * ROW_BYTES;
    ap_slice part[2] = {ap_all(), ap_range(3, 20, 4)};
    ap_control *control = ap_control_new();
    CHECK(control != NULL);
    progress_is(control, 0);
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        const char *path = write_series(kind, rows());
        for (int i = 0; i < COUNT(options); i++) {
            ap_proxy *proxy = open_series(path, options[i]);
            int64_t wanted = 0;
            test_note("%s, %s", series_name(kind), options[i]);
            ap_control_reset(control);
            progress_is(control, 0);
            for (int way = 0; way < BY_BUILD; way++) {
                if (way != BY_IMAGE) {
                    CHECK_OK(run(way, proxy, part, 2, control, &err));
                    progress_is(control, wanted += 5 * ROW_BYTES);
                }
                CHECK_OK(run(way, proxy, NULL, 0, control, &err));
                progress_is(control, wanted += whole);
            }
            /* In bytes of the result, whatever is stored. */
            ap_array *array = NULL;
            CHECK_OK(ap_load(proxy, part, 2, AP_COMPLEX128, AP_READ_C, control, &array, &err));
            progress_is(control, wanted += 5 * ROW * 16);
            ap_array_free(array);
            /* Reads without a control do not count. */
            CHECK_OK(run(BY_LOAD, proxy, part, 2, NULL, &err));
            progress_is(control, wanted);
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
            const char *path = write_series(kind, rows());
            char text[40];
            struct stat file;
            snprintf(text, sizeof text, "threads=%d", threads);
            test_note("%s, %s", series_name(kind), text);
            CHECK(stat(path, &file) == 0);
            ap_control *control = ap_control_new();
            ap_proxy *proxy = open_series(path, text);
            CHECK_OK(ap_seekindex_build(proxy, control, &err));
            progress_is(control, (int64_t)file.st_size);
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
        const char *path = write_series(kind, rows());
        for (int i = 0; i < COUNT(options); i += 1 + 2 * test_small())
            for (int way = 0; way < WAYS; way++) {
                if (way == BY_BUILD && (kind == SERIES_PLAIN || i == 3))
                    continue;           /* there is nothing to build */
                test_note("%s, %s, %s", series_name(kind), options[i], way_names[way]);
                ap_proxy *proxy = open_series(path, options[i]);
                seen s = new_seen(0);
                ap_control_reset(control);
                ap_control_set_callback(control, look, &s, 0);
                CHECK_OK(run(way, proxy, NULL, 0, control, &err));
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
                CHECK_STATUS(run(way, proxy, NULL, 0, control, &err), AP_ERR_CANCELLED);
                CHECK_INT(err.code, AP_ERR_CANCELLED);
                CHECK_INT(s.calls, 1);
                CHECK_INT(s.strangers, 0);
                /* The handle stays usable. */
                CHECK_OK(read_rows(proxy, 5, 9, &err));
                ap_control_reset(control);
                CHECK_OK(run(way, proxy, NULL, 0, control, &err));
                CHECK_OK(walk_series(proxy, rows(), WALK_WHOLE, &err));
                ap_free(proxy);
            }
    }
    test_note("");

    /* Seldom, or none. */
    ap_proxy *proxy = open_series(write_series(SERIES_PLAIN, rows()), "");
    seen s = new_seen(0);
    ap_control_reset(control);
    ap_control_set_callback(control, look, &s, 100000000);
    CHECK_OK(run(BY_LOAD, proxy, NULL, 0, control, &err));
    CHECK(s.calls <= 2);
    s = new_seen(0);
    ap_control_set_callback(control, NULL, &s, 0);
    CHECK_OK(run(BY_LOAD, proxy, NULL, 0, control, &err));
    CHECK_INT(s.calls, 0);
    progress_is(control, 2 * rows() * ROW_BYTES);
    ap_free(proxy);
    ap_control_free(control);
}

/* A cancel stays in force until the control is reset. */
static void test_cancelled_before(void)
{
    ap_control *control = ap_control_new();
    ap_slice part[2] = {ap_all(), ap_range(3, 7, 1)};
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        const char *path = write_series(kind, rows());
        for (int way = 0; way < WAYS; way++) {
            if (kind == SERIES_PLAIN && way == BY_BUILD)
                continue;
            ap_proxy *proxy = open_series(path, "");
            test_note("%s, %s", series_name(kind), way_names[way]);
            ap_control_cancel(control);
            for (int turn = 0; turn < 3; turn++) {
                err_mark();
                CHECK_STATUS(run(way, proxy, part, 2, control, &err), AP_ERR_CANCELLED);
                CHECK_INT(err.code, AP_ERR_CANCELLED);
                CHECK_INT(err.os_error, 0);
                CHECK(err.message[0] != 0);
            }
            CHECK_OK(run(way, proxy, part, 2, NULL, &err));
            ap_free(proxy);
            proxy = open_series(path, "");
            ap_control_reset(control);
            progress_is(control, 0);
            CHECK_OK(run(way, proxy, part, 2, control, &err));
            CHECK_OK(read_rows(proxy, 3, 7, &err));
            ap_free(proxy);
        }
    }
    test_note("");
    ap_control_free(control);
}

/* Sources that no one waits to see the end of: 1 TiB of zeros, compressed, and
 * as it is, of which one byte of each MiB is read. All are `head`, then
 * `unit` over and over again. */
enum { MEBI = 1 << 20, FAR_UNITS = 1 << 20 };
enum { MEMBERS, BLOCK, FRAMES, STREAMS, PLAIN, ENDLESS };
static const char *endless_names[] = {"gzip members", "one deflate block", "zstd", "bzip2",
                                      "not compressed"};

/* How a read is stopped once it has come some way. */
enum { STOP_THREAD, STOP_CALLBACK, STOP_SIGNAL, STOP_TIMER, STOPS };
static const char *stop_names[] = {"by a thread", "by a callback", "by a signal", "by a timer"};

typedef struct {
    const bytes *head, *unit;
    int64_t size, some_way;
    unsigned pause;             /* microseconds that each read takes */
    int stop;                   /* one of STOP_, or -1 */
    pthread_mutex_t lock;
    int reached;
    sem_t reached_now;
} endless;

static int64_t read_endless(void *user, void *buf, size_t len, uint64_t offset)
{
    endless *e = user;
    unsigned char *to = buf;
    size_t left;
    int first = 0;
    if (offset >= (uint64_t)e->size)
        return 0;
    if (len > (uint64_t)e->size - offset)
        len = (size_t)((uint64_t)e->size - offset);
    pthread_mutex_lock(&e->lock);
    if (!e->reached && (int64_t)(offset + len) > e->some_way)
        first = e->reached = 1;
    pthread_mutex_unlock(&e->lock);
    if (first) {
        sem_post(&e->reached_now);
        if (e->stop == STOP_SIGNAL)
            raise(SIGUSR1);
    }
    if (e->pause)
        usleep(e->pause);
    for (left = len; left;) {
        const bytes *b = offset < e->head->size ? e->head : e->unit;
        size_t at = (size_t)(b == e->head ? offset : (offset - e->head->size) % b->size);
        size_t n = b->size - at < left ? b->size - at : left;
        memcpy(to, b->data + at, n);
        to += n;
        offset += n;
        left -= n;
    }
    return (int64_t)len;
}

static int64_t size_of_endless(void *user)
{
    return ((endless *)user)->size;
}

/* Made once for each kind. */
static bytes heads[ENDLESS], units[ENDLESS];

static void make_units(void)
{
    unsigned char *zeros = need(MEBI);
    bytes block = {0};
    put_gzip(&units[MEMBERS], zeros, MEBI, GZIP_FIXED);
    put_zstd(&units[FRAMES], zeros, MEBI, 0);
    put_bzip2(&units[STREAMS], zeros, MEBI, 0);
    put(&units[PLAIN], zeros, MEBI);
    /* Zeros are one code of 13 bits, again and again: after 13 bytes the same
     * bytes come. */
    put_gzip(&block, zeros, MEBI, GZIP_FIXED);
    put(&heads[BLOCK], block.data, 104);
    put(&units[BLOCK], block.data + 104, 13 * 400);
    bytes_free(&block);
    free(zeros);
}

static void free_units(void)
{
    for (int kind = 0; kind < ENDLESS; kind++) {
        bytes_free(&heads[kind]);
        bytes_free(&units[kind]);
    }
}

static void endless_new(endless *e, int kind)
{
    memset(e, 0, sizeof *e);
    e->stop = -1;
    e->head = &heads[kind];
    e->unit = &units[kind];
    pthread_mutex_init(&e->lock, NULL);
    sem_init(&e->reached_now, 0, 0);
    int64_t unit = (int64_t)e->unit->size;
    if (kind == BLOCK) {
        e->size = unit * 1400000;               /* more than 1 TiB */
        e->some_way = unit * 40;
    } else if (kind == PLAIN) {
        e->size = INT64_C(1) << 40;
        e->some_way = unit * 30;
        e->pause = 50;
    } else {
        e->size = unit * (FAR_UNITS + 1);
        e->some_way = unit * (kind == STREAMS ? 8 : 30);
    }
    if (test_small() && kind != PLAIN)
        e->some_way /= 8;
}

static void endless_free(endless *e)
{
    pthread_mutex_destroy(&e->lock);
    sem_destroy(&e->reached_now);
}

/* All of it, or (for images) the last bytes alone. */
static ap_proxy *open_endless(endless *e, int kind, int all, int threads)
{
    static const char *codecs[] = {"gzip", "gzip", "zstd", "bzip2", "none"};
    const int64_t whole[2] = {MEBI, kind == PLAIN ? MEBI : FAR_UNITS + 1}, last[1] = {1000};
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, codecs[kind], &err));
    CHECK_OK(ap_options_set_int(o, AP_OPT_THREADS, threads, &err));
    CHECK_OK(ap_source_callbacks(read_endless, size_of_endless, NULL, e,
                                 threads > 1 ? AP_SOURCE_CONCURRENT : 0, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, all ? 2 : 1, all ? whole : last,
                            AP_ORDER_F, all ? 0 : (uint64_t)MEBI * FAR_UNITS, 1, 0, o, &proxy,
                            &err));
    ap_options_free(o);
    ap_source_free(source);
    return proxy;
}

/* The control that the signal's handler cancels, and when it did. */
static ap_control *volatile signalled;
static struct timespec stopped;

static void stop_now(ap_control *control)
{
    clock_gettime(CLOCK_MONOTONIC, &stopped);
    ap_control_cancel(control);
}

static void on_signal(int number)
{
    (void)number;
    stop_now(signalled);
}

static int32_t stop_third(void *user, uint64_t done, uint64_t total)
{
    int *calls = user;
    (void)done;
    (void)total;
    if (++*calls < 3)
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &stopped);
    return 1;
}

static double seconds_since_stop(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - stopped.tv_sec) + (double)(now.tv_nsec - stopped.tv_nsec) / 1e9;
}

/* A read ends well within this time. Machines may be busy. */
static double patience(void)
{
    return test_small() ? 20 : 2;
}

typedef struct {
    endless *source;
    ap_control *control;
} stopper;

static void *stop_when_reached(void *given)
{
    stopper *s = given;
    while (sem_wait(&s->source->reached_now))
        ;
    stop_now(s->control);
    return NULL;
}

static void check_stop(int kind, int way, int stop, int threads)
{
    endless e;
    endless_new(&e, kind);
    ap_control *control = ap_control_new();
    ap_proxy *proxy = open_endless(&e, kind, way != BY_IMAGE, threads);
    ap_slice last[2] = {ap_range(0, 1000, 1), ap_at(-1)}, column[2] = {ap_at(5), ap_all()};
    ap_slice first[1] = {ap_range(0, 500, 1)};
    stopper s = {&e, control};
    pthread_t thread;
    int calls = 0;
    test_note("%s, %s, %s, %d threads", endless_names[kind], way_names[way], stop_names[stop],
              threads);
    e.stop = stop;
    signalled = control;
    if (stop == STOP_THREAD && pthread_create(&thread, NULL, stop_when_reached, &s))
        abort();
    if (stop == STOP_CALLBACK)
        ap_control_set_callback(control, stop_third, &calls, 5);
    if (stop == STOP_TIMER) {
        struct itimerval soon = {{0, 0}, {0, 50000}};
        CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    }
    CHECK_STATUS(run(way, proxy, kind == PLAIN ? column : last, 2, control, &err),
                 AP_ERR_CANCELLED);
    if (stop == STOP_THREAD)
        pthread_join(thread, NULL);
    CHECK(seconds_since_stop() < patience());

    if (stop != STOP_CALLBACK)
        CHECK_STATUS(run(way, proxy, first, 1, control, &err), AP_ERR_CANCELLED);
    ap_control_set_callback(control, NULL, NULL, 0);
    ap_control_reset(control);
    if (way != BY_IMAGE) {          /* what is near can be read */
        ap_slice voxel[2] = {ap_at(7), ap_at(1)};
        ap_array *array = NULL;
        CHECK_OK(ap_load(proxy, voxel, 2, AP_AUTO, 0, control, &array, &err));
        CHECK_INT(*(unsigned char *)ap_array_data(array), 0);
        progress_is(control, 1);
        ap_array_free(array);
    }
    ap_free(proxy);
    ap_control_free(control);
    endless_free(&e);
}

static void test_stops(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    for (int kind = 0; kind < ENDLESS; kind++)
        for (int way = 0; way < WAYS; way++)
            for (int stop = 0; stop < STOPS; stop++) {
                if (kind == PLAIN && way >= BY_IMAGE)
                    continue;       /* short, and nothing to do */
                if (test_small() && (kind + way + stop) % 4)
                    continue;
                check_stop(kind, way, stop, 1);
                if (stop == STOP_THREAD || stop == STOP_CALLBACK)
                    check_stop(kind, way, stop, 2);
            }
    test_note("");
}

/* One control for several reads at once. */
typedef struct {
    const ap_proxy *proxy;
    ap_control *control;
    int way;
    ap_status status;
    ap_error error;
} job;

static void *run_job(void *given)
{
    job *j = given;
    ap_slice last[2] = {ap_range(0, 1000, 1), ap_at(-1)};
    j->status = run(j->way, j->proxy, last, j->way == BY_IMAGE ? 0 : 2, j->control, &j->error);
    return NULL;
}

static void test_shared(void)
{
    enum { READS = 4 };
    for (int turn = 0; turn < (test_small() ? 1 : 10); turn++) {
        ap_control *control = ap_control_new();
        ap_proxy *proxies[READS];
        job jobs[READS];
        pthread_t threads[READS];
        uint64_t done = 0, total = 0, before = 0, wanted = 0;
        int wrong = 0;
        for (int i = 0; i < READS; i++) {
            static const int kinds[READS] = {SERIES_PLAIN, SERIES_GZIP, SERIES_BGZF, SERIES_ZSTD};
            proxies[i] = open_series(write_series(kinds[i], rows()), "threads=2");
            wanted += (uint64_t)rows() * ROW_BYTES;
            jobs[i].proxy = proxies[i];
            jobs[i].control = control;
            jobs[i].way = BY_IMAGE;
        }
        for (int i = 0; i < READS; i++)
            if (pthread_create(&threads[i], NULL, run_job, &jobs[i]))
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
        progress_is(control, (int64_t)wanted);
        ap_control_free(control);
    }

    /* All of them stop. */
    endless sources[2];
    ap_proxy *proxies[2];
    job jobs[2];
    pthread_t threads[2];
    ap_control *control = ap_control_new();
    for (int i = 0; i < 2; i++) {
        endless_new(&sources[i], i ? FRAMES : MEMBERS);
        proxies[i] = open_endless(&sources[i], i ? FRAMES : MEMBERS, 1, 1);
        jobs[i].proxy = proxies[i];
        jobs[i].control = control;
        jobs[i].way = i ? BY_LOAD : BY_PLAN;
        if (pthread_create(&threads[i], NULL, run_job, &jobs[i]))
            abort();
    }
    for (int i = 0; i < 2; i++)
        while (sem_wait(&sources[i].reached_now))
            ;
    stop_now(control);
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        err = jobs[i].error;
        CHECK_STATUS(jobs[i].status, AP_ERR_CANCELLED);
    }
    CHECK(seconds_since_stop() < patience());
    for (int i = 0; i < 2; i++) {
        ap_free(proxies[i]);
        endless_free(&sources[i]);
    }
    ap_control_free(control);
}

/* A source that counts calls on threads other than one. */
typedef struct {
    bytes b;
    pthread_t caller;
    pthread_mutex_t lock;
    int strangers;
} watched;

static int64_t read_watched(void *user, void *buf, size_t len, uint64_t offset)
{
    watched *w = user;
    int stranger = !pthread_equal(pthread_self(), w->caller);
    pthread_mutex_lock(&w->lock);
    w->strangers += stranger;
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
 * all kinds. */
static int strangers(int option, int set)
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
        put_series(&w.b, kind, rows());
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
        CHECK_OK(run(BY_BUILD, proxy, NULL, 0, control, &err));
        for (int way = 0; way < BY_BUILD; way++)
            CHECK_OK(run(way, proxy, NULL, 0, control, &err));
        sum += w.strangers;
        ap_free(proxy);
        ap_control_free(control);
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
    CHECK_INT(strangers(4, 1), 0);
    CHECK_INT(strangers(0, 1), 0);
    CHECK_INT(strangers(1, -1), 0);
    CHECK_INT(strangers(1, 1), 0);
    if (test_small())
        return;                 /* too little to read for several */
    CHECK(strangers(1, 4) > 0);
    CHECK(strangers(4, -1) > 0);
    if (cores() > 1)
        CHECK(strangers(1, 0) > 0);
}

int main(void)
{
    ap_control_free(NULL);
    test_progress();
    test_build_progress();
    test_callback();
    test_cancelled_before();
    make_units();
    test_stops();
    test_shared();
    free_units();
    test_threads();
    return test_end("control");
}
