/* ap_control: reads that would take days are stopped, in every way. */
#include "test.h"
#include "support/bzip2.h"
#include "support/gzip.h"
#include "support/ways.h"
#include "support/zstd.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

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
    return test_small() ? 20 : 3;
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
    ap_slice first[2] = {ap_range(0, 500, 1), ap_at(0)};
    stopper s = {&e, control};
    pthread_t thread;
    int calls = 0;
    test_note("%s, %s, %s, %d threads", endless_names[kind], way_name(way), stop_names[stop],
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
    CHECK_STATUS(run_way(way, proxy, kind == PLAIN ? column : last, 2, control, &err),
                 AP_ERR_CANCELLED);
    if (stop == STOP_THREAD)
        pthread_join(thread, NULL);
    CHECK(seconds_since_stop() < patience());

    if (stop != STOP_CALLBACK)
        CHECK_STATUS(run_way(way, proxy, first, 2, control, &err), AP_ERR_CANCELLED);
    ap_control_set_callback(control, NULL, NULL, 0);
    ap_control_reset(control);
    if (way != BY_IMAGE) {          /* what is near can be read */
        ap_slice voxel[2] = {ap_at(7), ap_at(1)};
        ap_array *array = NULL;
        CHECK_OK(ap_load(proxy, voxel, 2, AP_AUTO, 0, control, &array, &err));
        CHECK_INT(*(unsigned char *)ap_array_data(array), 0);
        check_progress(control, 1);
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

/* One control stops all that use it. */
static void test_shared(void)
{
    ap_slice last[2] = {ap_range(0, 1000, 1), ap_at(-1)};
    endless sources[2];
    ap_proxy *proxies[2];
    way_job jobs[2];
    pthread_t threads[2];
    ap_control *control = ap_control_new();
    for (int i = 0; i < 2; i++) {
        endless_new(&sources[i], i ? FRAMES : MEMBERS);
        proxies[i] = open_endless(&sources[i], i ? FRAMES : MEMBERS, 1, 1);
        jobs[i].way = i ? BY_LOAD : BY_PLAN;
        jobs[i].proxy = proxies[i];
        jobs[i].index = last;
        jobs[i].nindex = 2;
        jobs[i].control = control;
        if (pthread_create(&threads[i], NULL, run_way_job, &jobs[i]))
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

int main(void)
{
    make_units();
    test_stops();
    test_shared();
    free_units();
    return test_end("stop");
}
