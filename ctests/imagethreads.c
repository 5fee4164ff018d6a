/* Images in many threads: one of them reads, the others wait for it, each as
 * long as its own control lets it. */
#include "test.h"
#include "support/series.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 8 };

static int64_t rows(void)
{
    return test_small() ? 70 : 280;
}

/* A source with a gate: while it is closed, reads stand before it. */
typedef struct {
    bytes b;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int closed, waiting, fail_next;
    int64_t reads, nbytes;
} gated;

static int64_t read_gated(void *user, void *buf, size_t len, uint64_t offset)
{
    gated *g = user;
    int fail;
    if (offset >= g->b.size)
        len = 0;
    else if (len > g->b.size - offset)
        len = g->b.size - (size_t)offset;
    pthread_mutex_lock(&g->lock);
    g->waiting++;
    pthread_cond_broadcast(&g->changed);
    while (g->closed)
        pthread_cond_wait(&g->changed, &g->lock);
    g->waiting--;
    g->reads++;
    g->nbytes += (int64_t)len;
    fail = g->fail_next;
    g->fail_next = 0;
    pthread_mutex_unlock(&g->lock);
    if (fail)
        return -5;
    if (len)
        memcpy(buf, g->b.data + offset, len);
    return (int64_t)len;
}

static int64_t size_of_gated(void *user)
{
    return (int64_t)((gated *)user)->b.size;
}

static void set_gate(gated *g, int closed)
{
    pthread_mutex_lock(&g->lock);
    g->closed = closed;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

/* Of the read that stands before the gate: there is only one at a time. */
static void fail_next(gated *g)
{
    pthread_mutex_lock(&g->lock);
    g->fail_next = 1;
    pthread_mutex_unlock(&g->lock);
}

/* Until a read stands before the gate. */
static void await_read(gated *g)
{
    pthread_mutex_lock(&g->lock);
    while (!g->waiting)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

/* An image of int32 0, 1, ... behind a gate, which is closed. */
static ap_image *open_gated(gated *g, int kind)
{
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_image *image = NULL;
    memset(g, 0, sizeof *g);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    put_series(&g->b, kind, rows());
    CHECK_OK(ap_source_callbacks(read_gated, size_of_gated, NULL, g, 0, &source, &err));
    CHECK_OK(ap_open_source(source, NULL, NULL, &proxy, &err));
    ap_source_free(source);
    CHECK_OK(ap_image_from_proxy(proxy, &image, &err));
    ap_free(proxy);
    g->reads = g->nbytes = 0;
    g->closed = 1;
    return image;
}

static void close_gated(gated *g, ap_image *image)
{
    ap_image_free(image);
    bytes_free(&g->b);
    pthread_mutex_destroy(&g->lock);
    pthread_cond_destroy(&g->changed);
}

/* A thread that asks an image for its data. */
typedef struct {
    const ap_image *image;
    ap_control *control;
    ap_dtype dtype;
    uint32_t flags;
    pthread_t thread;
    gated *gate;
    ap_status status;
    ap_array *array;
    ap_error error;
} reader;

static void *ask(void *given)
{
    reader *r = given;
    r->array = MARKED(ap_array);
    r->status = ap_image_data(r->image, r->dtype, r->flags, r->control, &r->array, &r->error);
    return NULL;
}

static void start(reader *r, gated *gate, const ap_image *image, ap_dtype dtype,
                  ap_control *control)
{
    memset(r, 0, sizeof *r);
    r->gate = gate;
    r->image = image;
    r->dtype = dtype;
    r->control = control;
    if (pthread_create(&r->thread, NULL, ask, r))
        abort();
}

/* A while in which the others come to wait. If it should be too short for once,
 * they come later and find the data: the tests hold all the same. */
static void a_while(void)
{
    usleep(test_small() ? 200000 : 50000);
}

/* The end of a thread, which must come soon. If it does not, the gate opens. */
static void await(reader *r, ap_status wanted)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += test_small() ? 40 : 10;
    if (!CHECK_INT(pthread_timedjoin_np(r->thread, NULL, &until), 0)) {
        set_gate(r->gate, 0);
        pthread_join(r->thread, NULL);
    }
    err = r->error;
    CHECK_STATUS(r->status, wanted);
    if (r->status == AP_OK)
        CHECK(r->array != NULL);
    else
        CHECK(r->array == NULL);
}

/* How many elements are wrong. */
static int64_t wrong_values(const ap_array *array)
{
    int64_t wrong = 0, n = ROW * rows();
    ap_dtype dtype = ap_array_dtype(array);
    const char *p = ap_array_data(array);
    if (!p)
        return n;
    for (int64_t i = 0; i < n; i++)
        wrong += dtype == AP_INT32     ? ((const int32_t *)(const void *)p)[i] != i
                 : dtype == AP_FLOAT32 ? ((const float *)(const void *)p)[i] != (float)i
                                       : ((const double *)(const void *)p)[i] != (double)i;
    return wrong;
}

static int in_memory_at(const reader *a, const reader *b)
{
    return ap_array_data(a->array) == ap_array_data(b->array);
}

/* Threads that ask at once get one array, which was read once. */
static void test_once(void)
{
    static const int kinds[] = {SERIES_PLAIN, SERIES_GZIP};
    for (int k = 0; k < COUNT(kinds); k++)
        for (int n = 2; n <= MOST; n *= 2) {
            gated g;
            ap_image *image = open_gated(&g, kinds[k]);
            reader readers[MOST];
            test_note("%s, %d threads", series_name(kinds[k]), n);
            start(&readers[0], &g, image, AP_AUTO, NULL);
            await_read(&g);
            for (int i = 1; i < n; i++)     /* the same type by two names */
                start(&readers[i], &g, image, i % 3 ? AP_AUTO : AP_INT32, NULL);
            a_while();
            CHECK_INT(ap_image_in_memory(image), 0);
            set_gate(&g, 0);
            for (int i = 0; i < n; i++)
                await(&readers[i], AP_OK);
            CHECK_INT(wrong_values(readers[0].array), 0);
            for (int i = 1; i < n; i++)
                CHECK(in_memory_at(&readers[i], &readers[0]));
            CHECK(g.nbytes < (int64_t)g.b.size * 3 / 2);
            CHECK_INT(ap_image_in_memory(image), 1);
            for (int i = 0; i < n; i++)
                ap_array_free(readers[i].array);
            close_gated(&g, image);
        }
    test_note("");
}

static int32_t stop_it(void *user, uint64_t done, uint64_t total)
{
    (void)user;
    (void)done;
    (void)total;
    return 1;
}

/* Who waits can be stopped, by its own control, while the first reads on. */
static void test_waiter_stops(void)
{
    for (int by_callback = 0; by_callback < 2; by_callback++) {
        gated g;
        ap_image *image = open_gated(&g, SERIES_GZIP);
        ap_control *control = ap_control_new();
        reader first, waiter, patient;
        test_note("by callback %d", by_callback);
        start(&first, &g, image, AP_AUTO, NULL);
        await_read(&g);
        if (by_callback)
            ap_control_set_callback(control, stop_it, NULL, 10);
        start(&waiter, &g, image, AP_AUTO, control);
        start(&patient, &g, image, AP_AUTO, NULL);
        a_while();
        if (!by_callback)
            ap_control_cancel(control);
        await(&waiter, AP_ERR_CANCELLED);       /* the gate is still closed */
        CHECK_INT(waiter.error.code, AP_ERR_CANCELLED);
        CHECK_INT(ap_image_in_memory(image), 0);
        set_gate(&g, 0);
        await(&first, AP_OK);
        await(&patient, AP_OK);
        CHECK_INT(wrong_values(first.array), 0);
        CHECK(in_memory_at(&first, &patient));
        ap_array_free(patient.array);

        /* It may come again. */
        ap_control_set_callback(control, NULL, NULL, 0);
        ap_control_reset(control);
        start(&waiter, &g, image, AP_AUTO, control);
        await(&waiter, AP_OK);
        CHECK(in_memory_at(&first, &waiter));
        ap_array_free(waiter.array);
        ap_array_free(first.array);
        ap_control_free(control);
        close_gated(&g, image);
    }
    test_note("");
}

/* If the first is stopped or fails, those who wait read themselves. */
static void test_first_fails(void)
{
    for (int n = 1; n < MOST; n += 3)
        for (int by_source = 0; by_source < 2; by_source++) {
            gated g;
            ap_image *image = open_gated(&g, SERIES_GZIP);
            ap_control *control = ap_control_new();
            reader first, waiters[MOST];
            test_note("%d waiters, by source %d", n, by_source);
            start(&first, &g, image, AP_AUTO, control);
            await_read(&g);
            for (int i = 0; i < n; i++)
                start(&waiters[i], &g, image, AP_AUTO, NULL);
            a_while();
            if (by_source)
                fail_next(&g);
            else
                ap_control_cancel(control);
            set_gate(&g, 0);
            await(&first, by_source ? AP_ERR_CALLBACK : AP_ERR_CANCELLED);
            if (by_source)
                CHECK_INT(first.error.detail, -5);
            for (int i = 0; i < n; i++)
                await(&waiters[i], AP_OK);
            CHECK_INT(wrong_values(waiters[0].array), 0);
            CHECK_INT(ap_image_in_memory(image), 1);
            for (int i = 1; i < n; i++)
                CHECK(in_memory_at(&waiters[0], &waiters[i]));

            /* What they read is kept. */
            start(&first, &g, image, AP_AUTO, NULL);
            await(&first, AP_OK);
            CHECK(in_memory_at(&first, &waiters[0]));
            ap_array_free(first.array);
            for (int i = 0; i < n; i++)
                ap_array_free(waiters[i].array);
            ap_control_free(control);
            close_gated(&g, image);
        }
    test_note("");
}

static void *uncache(void *given)
{
    reader *r = given;
    ap_image_uncache(r->image);
    r->status = AP_OK;
    r->array = MARKED(ap_array);
    return NULL;
}

/* Forgetting does not wait for a read, nor disturb it. */
static void test_uncache_meanwhile(void)
{
    gated g;
    ap_image *image = open_gated(&g, SERIES_GZIP);
    reader first, waiter, other;
    start(&first, &g, image, AP_AUTO, NULL);
    await_read(&g);
    start(&waiter, &g, image, AP_AUTO, NULL);
    a_while();
    memset(&other, 0, sizeof other);
    other.image = image;
    other.gate = &g;
    if (pthread_create(&other.thread, NULL, uncache, &other))
        abort();
    await(&other, AP_OK);                       /* the gate is still closed */
    set_gate(&g, 0);
    await(&first, AP_OK);
    await(&waiter, AP_OK);
    CHECK_INT(wrong_values(first.array), 0);
    CHECK_INT(wrong_values(waiter.array), 0);
    ap_image_uncache(image);
    CHECK_INT(ap_image_in_memory(image), 0);
    CHECK_INT(wrong_values(first.array), 0);
    ap_array_free(first.array);
    ap_array_free(waiter.array);
    close_gated(&g, image);
}

/* Different types at once: one array of each. */
static void test_types(void)
{
    static const ap_dtype types[] = {AP_AUTO, AP_FLOAT32, AP_FLOAT64, AP_DISK};
    gated g;
    ap_image *image = open_gated(&g, SERIES_GZIP);
    reader readers[MOST];
    start(&readers[0], &g, image, types[0], NULL);
    await_read(&g);
    for (int i = 1; i < MOST; i++)
        start(&readers[i], &g, image, types[i % 4], NULL);
    a_while();
    set_gate(&g, 0);
    for (int i = 0; i < MOST; i++)
        await(&readers[i], AP_OK);
    for (int i = 0; i < MOST; i++) {
        ap_dtype wanted = types[i % 4] == AP_AUTO || types[i % 4] == AP_DISK ? AP_INT32
                                                                            : types[i % 4];
        CHECK_INT(ap_array_dtype(readers[i].array), wanted);
        CHECK_INT(wrong_values(readers[i].array), 0);
        CHECK(in_memory_at(&readers[i], &readers[i % 4]));
    }
    CHECK(!in_memory_at(&readers[1], &readers[2]));
    for (int i = 0; i < MOST; i++)
        ap_array_free(readers[i].array);
    close_gated(&g, image);
}

/* Everything at once, again and again. */
typedef struct {
    ap_image *image;
    int number, wrong;
} job;

static void *work(void *given)
{
    job *j = given;
    static const ap_dtype types[] = {AP_AUTO, AP_FLOAT32, AP_FLOAT64};
    for (int i = 0; i < (test_small() ? 6 : 40); i++) {
        ap_error mine;
        ap_array *a = NULL, *b = NULL;
        ap_control *control = i % 4 == 1 ? ap_control_new() : NULL;
        ap_dtype dtype = types[(j->number + i) % 3];
        uint32_t flags = (j->number + i) % 5 == 4 ? AP_READ_UNCACHED : 0;
        j->wrong += ap_image_data(j->image, dtype, flags, control, &a, &mine) != AP_OK;
        j->wrong += wrong_values(a) != 0;
        if ((j->number + i) % 7 == 3)
            ap_image_uncache(j->image);
        j->wrong += ap_image_data(j->image, dtype, 0, NULL, &b, &mine) != AP_OK;
        ap_array_free(a);
        j->wrong += wrong_values(b) != 0;
        ap_array_free(b);
        ap_control_free(control);
        int in_memory = ap_image_in_memory(j->image);
        j->wrong += in_memory != 0 && in_memory != 1;
    }
    return NULL;
}

static void test_all_at_once(void)
{
    static const int kinds[] = {SERIES_PLAIN, SERIES_BGZF, SERIES_GZIP};
    for (int k = 0; k < COUNT(kinds) + 1; k++) {
        ap_image *image = NULL;
        ap_array *array = NULL;
        pthread_t threads[MOST];
        job jobs[MOST];
        if (k < COUNT(kinds)) {
            ap_options *o = ap_options_new();
            test_note("%s", series_name(kinds[k]));
            CHECK_OK(ap_options_set_int(o, AP_OPT_THREADS, 2, &err));
            CHECK_OK(ap_image_open(write_series(kinds[k], rows()), o, &image, &err));
            ap_options_free(o);
        } else {
            const int64_t shape[2] = {ROW, rows()};
            test_note("in memory");
            CHECK_OK(ap_array_new(AP_INT32, 2, shape, AP_ORDER_F, &array, &err));
            for (int i = 0; i < ROW * rows(); i++)
                ((int32_t *)ap_array_data(array))[i] = i;
            CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &image, &err));
            ap_array_free(array);
        }
        for (int i = 0; i < MOST; i++) {
            jobs[i].image = image;
            jobs[i].number = i;
            jobs[i].wrong = 0;
            if (pthread_create(&threads[i], NULL, work, &jobs[i]))
                abort();
        }
        for (int i = 0; i < MOST; i++) {
            pthread_join(threads[i], NULL);
            CHECK_INT(jobs[i].wrong, 0);
        }
        ap_image_free(image);
    }
    test_note("");
}

/* Of an image in memory, one converted copy is made for all. */
static void test_converted_once(void)
{
    const int64_t shape[2] = {ROW, rows()};
    for (int turn = 0; turn < (test_small() ? 2 : 10); turn++) {
        gated g;                            /* not used */
        ap_array *array = NULL;
        ap_image *image = NULL;
        reader readers[MOST];
        memset(&g, 0, sizeof g);
        pthread_mutex_init(&g.lock, NULL);
        pthread_cond_init(&g.changed, NULL);
        CHECK_OK(ap_array_new(AP_INT32, 2, shape, AP_ORDER_C, &array, &err));
        CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &image, &err));
        for (int x = 0, i = 0; x < rows(); x++)     /* element (y, x) of rows first */
            for (int y = 0; y < ROW; y++)
                ((int32_t *)ap_array_data(array))[y * rows() + x] = i++;
        for (int i = 0; i < MOST; i++)
            start(&readers[i], &g, image, AP_FLOAT64, NULL);
        for (int i = 0; i < MOST; i++)
            await(&readers[i], AP_OK);
        CHECK_INT(wrong_values(readers[0].array), 0);
        for (int i = 0; i < MOST; i++)
            CHECK(in_memory_at(&readers[i], &readers[0]));
        for (int i = 0; i < MOST; i++)
            ap_array_free(readers[i].array);
        ap_array_free(array);
        close_gated(&g, image);
    }
}

int main(void)
{
    test_once();
    test_waiter_stops();
    test_first_fails();
    test_uncache_meanwhile();
    test_types();
    test_all_at_once();
    test_converted_once();
    return test_end("imagethreads");
}
