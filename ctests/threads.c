/* Many threads on one handle, frees in any order, and fork. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numpy.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 8, MOST_ELEMENTS = 20 * 15 * 10 * 4 };

static const int64_t shape[4] = {20, 15, 10, 4};

static void put_image(bytes *b)
{
    nifti n = nifti_new(1, AP_BIG, AP_INT32, 4, shape);
    bytes data = {0};
    put_counted(&data, MOST_ELEMENTS, AP_BIG);
    put_nifti(b, &n, data.data, data.size);
    bytes_free(&data);
}

static int turns(void)
{
    return test_small() ? 6 : 60;
}

/* One read of a kind that depends on `seed`; 1 if anything is wrong. Makes no
 * checks, so that any thread can run it. */
static int wrong_read(const ap_proxy *proxy, unsigned seed)
{
    unsigned at = seed % 4, kind = seed / 4 % 4;
    ap_slice volume[2] = {ap_rest(), ap_at(at)};
    ap_slice plane[3] = {ap_all(), ap_range(AP_NONE, AP_NONE, -1), ap_at(seed % 10)};
    ap_slice voxel[4] = {ap_at(seed % 20), ap_at(seed % 15), ap_at(seed % 10), ap_at(at)};
    const ap_slice *index = kind == 0 ? volume : kind == 1 ? plane : voxel;
    int n = kind == 0 ? 2 : kind == 1 ? 3 : kind == 2 ? 4 : 0;
    int32_t *out = malloc(MOST_ELEMENTS * sizeof *out);
    ap_error mine;
    selection s;
    int wrong;
    if (!out)
        return 1;
    wrong = model_select(4, shape, AP_ORDER_F, index, n, AP_ORDER_F, &s) != AP_OK;
    wrong |= ap_read_slice(proxy, index, n, AP_DISK, 0, out, MOST_ELEMENTS * sizeof *out,
                           &mine) != AP_OK;
    for (int64_t i = 0; i < s.count && !wrong; i++)
        wrong |= out[i] != s.element[i];
    free(s.element);
    free(out);
    return wrong;
}

/* What a thread works on, and how often it went wrong. */
typedef struct {
    ap_proxy *proxy;
    const ap_plan *plan;
    unsigned number;
    int wrong;
} job;

static void run_threads(void *(*work)(void *), job *jobs, int n)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < n; i++) {
        jobs[i].number = (unsigned)i;
        jobs[i].wrong = 0;
        if (pthread_create(&threads[i], NULL, work, &jobs[i]))
            abort();
    }
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(jobs[i].wrong, 0);
    }
}

static void *read_shared(void *given)
{
    job *j = given;
    for (int i = 0; i < turns(); i++) {
        j->wrong += wrong_read(j->proxy, j->number * 7 + (unsigned)i);
        j->wrong += ap_ndim(j->proxy) != 4 || strcmp(ap_format(j->proxy), "nifti1") != 0;
        if (i % 16 == 5)
            ap_trim(j->proxy);
    }
    return NULL;
}

static void test_shared(void)
{
    bytes b = {0};
    put_image(&b);
    for (int access = 0; access < ACCESSES; access++) {
        job jobs[THREADS];
        ap_proxy *proxy = open_by(access, &b);
        test_note("%s", access_name(access));
        for (int i = 0; i < THREADS; i++)
            jobs[i].proxy = proxy;
        run_threads(read_shared, jobs, THREADS);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&b);
}

/* Each thread has its own clones, reshapes them, frees in its own order. The
 * last of them may free what all share. */
static void *read_clones(void *given)
{
    job *j = given;
    static const int64_t flat[1] = {-1};
    for (int i = 0; i < turns() / 3; i++) {
        ap_proxy *clone = ap_clone(j->proxy), *other = ap_clone(clone), *line = NULL;
        ap_plan *plan = NULL;
        int32_t out[3] = {0, 0, 0};
        ap_slice some = ap_range(100, 103, 1);
        ap_error mine;
        j->wrong += ap_reshape(clone, 1, flat, &line, &mine) != AP_OK;
        if ((j->number + (unsigned)i) % 2) {
            ap_free(clone);
            j->wrong += wrong_read(other, j->number + (unsigned)i);
            ap_free(other);
        } else {
            ap_free(other);
            j->wrong += wrong_read(clone, j->number + (unsigned)i);
            ap_free(clone);
        }
        j->wrong += ap_plan_new(line, &some, 1, AP_DISK, 0, &plan, &mine) != AP_OK;
        ap_free(line);
        j->wrong += ap_plan_read(plan, out, sizeof out, 0, NULL, NULL, &mine) != AP_OK;
        j->wrong += out[0] != 100 || out[2] != 102;
        ap_plan_free(plan);
    }
    ap_free(j->proxy);
    return NULL;
}

static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static void count_release(void *user)
{
    pthread_mutex_lock(&counting);
    ++*(int *)user;
    pthread_mutex_unlock(&counting);
}

static void test_clones(void)
{
    bytes b = {0};
    put_image(&b);
    for (int turn = 0; turn < 5; turn++) {
        job jobs[THREADS];
        int released = 0;
        ap_source *source = NULL;
        ap_proxy *proxy = NULL;
        CHECK_OK(ap_source_memory(b.data, b.size, count_release, &released, &source, &err));
        CHECK_OK(ap_open_source(source, NULL, NULL, &proxy, &err));
        ap_source_free(source);
        for (int i = 0; i < THREADS; i++)
            jobs[i].proxy = ap_clone(proxy);
        ap_free(proxy);
        run_threads(read_clones, jobs, THREADS);
        CHECK_INT(released, 1);
    }
    bytes_free(&b);
}

/* One plan, read by all into memory of their own. */
static void *read_plan(void *given)
{
    job *j = given;
    double *out = malloc(MOST_ELEMENTS * sizeof *out);
    ap_error mine;
    if (!out)
        j->wrong++;
    for (int i = 0; out && i < turns() / 2; i++) {
        memset(out, 0xff, MOST_ELEMENTS * sizeof *out);
        j->wrong += ap_plan_read(j->plan, out, MOST_ELEMENTS * sizeof *out, 0, NULL, NULL,
                                 &mine) != AP_OK;
        for (int k = 0; k < MOST_ELEMENTS; k++)
            j->wrong += out[k] != k;
    }
    free(out);
    return NULL;
}

/* All write into one array, each its own interlaced part of it. */
static int32_t shared_out[MOST_ELEMENTS * THREADS];

static void *read_interlaced(void *given)
{
    job *j = given;
    int64_t strides[4], step = 4 * THREADS;
    ap_error mine;
    for (int k = 0; k < 4; k++) {
        strides[k] = step;
        step *= shape[k];
    }
    for (int i = 0; i < turns() / 6; i++)
        j->wrong += ap_plan_read(j->plan, shared_out, sizeof shared_out, 4 * j->number, strides,
                                 NULL, &mine) != AP_OK;
    return NULL;
}

static void test_plans(void)
{
    bytes b = {0};
    put_image(&b);
    for (int access = 0; access < ACCESSES; access++) {
        job jobs[THREADS];
        ap_proxy *proxy = open_by(access, &b);
        ap_plan *wide = NULL, *plain = NULL;
        int wrong = 0;
        test_note("%s", access_name(access));
        CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_FLOAT64, 0, &wide, &err));
        CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_DISK, 0, &plain, &err));
        ap_free(proxy);
        for (int i = 0; i < THREADS; i++)
            jobs[i].plan = wide;
        run_threads(read_plan, jobs, THREADS);
        for (int i = 0; i < THREADS; i++)
            jobs[i].plan = plain;
        memset(shared_out, 0xff, sizeof shared_out);
        run_threads(read_interlaced, jobs, THREADS);
        for (int i = 0; i < MOST_ELEMENTS * THREADS; i++)
            wrong += shared_out[i] != i / THREADS;
        CHECK_INT(wrong, 0);
        ap_plan_free(wide);
        ap_plan_free(plain);
    }
    test_note("");
    bytes_free(&b);
}

/* A callback source that is not concurrent: one call at a time, on the very
 * thread that called the library. */
typedef struct {
    const bytes *b;
    pthread_key_t in_library;   /* not NULL in threads that called it */
    pthread_mutex_t lock;       /* for the counts below */
    int inside, overlaps, strangers, reads;
} guarded;

static int64_t read_guarded(void *user, void *buf, size_t len, uint64_t offset)
{
    guarded *g = user;
    int64_t n = 0;
    pthread_mutex_lock(&g->lock);
    g->overlaps += g->inside++ > 0;
    g->reads++;
    g->strangers += pthread_getspecific(g->in_library) != g;
    pthread_mutex_unlock(&g->lock);
    sched_yield();              /* let others come in, if they can */
    if (offset < g->b->size) {
        size_t left = g->b->size - (size_t)offset;
        n = (int64_t)(len < left ? len : left);
        memcpy(buf, g->b->data + offset, (size_t)n);
    }
    pthread_mutex_lock(&g->lock);
    g->inside--;
    pthread_mutex_unlock(&g->lock);
    return n;
}

static int64_t size_guarded(void *user)
{
    return (int64_t)((guarded *)user)->b->size;
}

static guarded *watched;

static void *read_watched(void *given)
{
    job *j = given;
    pthread_setspecific(watched->in_library, watched);
    for (int i = 0; i < turns(); i++)
        j->wrong += wrong_read(j->proxy, j->number * 5 + (unsigned)i);
    pthread_setspecific(watched->in_library, NULL);
    return NULL;
}

static void test_callbacks(uint32_t flags)
{
    bytes b = {0};
    guarded g;
    job jobs[THREADS];
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    put_image(&b);
    memset(&g, 0, sizeof g);
    g.b = &b;
    pthread_key_create(&g.in_library, NULL);
    pthread_mutex_init(&g.lock, NULL);
    pthread_setspecific(g.in_library, &g);
    watched = &g;
    CHECK_OK(ap_source_callbacks(read_guarded, size_guarded, NULL, &g, flags, &source, &err));
    CHECK_OK(ap_open_source(source, NULL, NULL, &proxy, &err));
    ap_source_free(source);
    for (int i = 0; i < THREADS; i++)
        jobs[i].proxy = proxy;
    run_threads(read_watched, jobs, THREADS);
    CHECK(g.reads > 0);
    if (!(flags & AP_SOURCE_CONCURRENT)) {
        CHECK_INT(g.overlaps, 0);
        CHECK_INT(g.strangers, 0);
    }
    ap_free(proxy);
    pthread_key_delete(g.in_library);
    pthread_mutex_destroy(&g.lock);
    bytes_free(&b);
}

/* Opening from many threads at once, each with an error of its own. */
static const char *good, *bad;

static void *open_often(void *given)
{
    job *j = given;
    for (int i = 0; i < turns(); i++) {
        ap_error mine;
        ap_proxy *proxy = NULL;
        if ((j->number + (unsigned)i) % 2) {
            j->wrong += ap_open(good, NULL, &proxy, &mine) != AP_OK;
            j->wrong += wrong_read(proxy, j->number + (unsigned)i);
        } else {
            j->wrong += ap_open(bad, NULL, &proxy, &mine) != AP_ERR_NOT_FOUND;
            j->wrong += mine.code != AP_ERR_NOT_FOUND || !strstr(mine.message, "never.nii");
        }
        ap_free(proxy);
    }
    return NULL;
}

static void test_opens(void)
{
    bytes b = {0};
    job jobs[THREADS];
    memset(jobs, 0, sizeof jobs);
    put_image(&b);
    good = temp_path("often.nii");
    bad = temp_path("never.nii");
    write_bytes(good, &b);
    bytes_free(&b);
    run_threads(open_often, jobs, THREADS);
}

/* The child ends without the parent's clean-up; 0 if all its reads are right. */
static void check_child(pid_t child)
{
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Parent and children all read on, with handles made before the fork and
 * after it, and free them. */
static void test_fork(void)
{
    bytes b = {0};
    put_image(&b);
    for (int access = 0; access < ACCESSES; access++)
        for (int used = 0; used < 2; used++) {
            ap_proxy *proxy = open_by(access, &b);
            ap_plan *plan = NULL;
            pid_t children[2];
            test_note("%s, used %d", access_name(access), used);
            CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_DISK, 0, &plan, &err));
            if (used)
                CHECK_INT(wrong_read(proxy, 3), 0);
            for (int c = 0; c < 2; c++) {
                children[c] = fork();
                if (children[c] == 0) {
                    int wrong = 0;
                    static int32_t out[MOST_ELEMENTS];
                    for (unsigned i = 0; i < 8; i++)
                        wrong += wrong_read(proxy, i * 3 + (unsigned)c);
                    wrong += ap_plan_read(plan, out, sizeof out, 0, NULL, NULL, NULL) != AP_OK;
                    wrong += out[MOST_ELEMENTS - 1] != MOST_ELEMENTS - 1;
                    ap_trim(proxy);
                    wrong += wrong_read(proxy, 12);
                    ap_proxy *clone = ap_clone(proxy);
                    ap_free(proxy);
                    wrong += wrong_read(clone, 1);
                    ap_free(clone);
                    ap_plan_free(plan);
                    _exit(wrong ? 1 : 0);
                }
            }
            for (unsigned i = 0; i < 16; i++)
                CHECK_INT(wrong_read(proxy, i), 0);
            for (int c = 0; c < 2; c++)
                check_child(children[c]);
            for (unsigned i = 0; i < 16; i++)
                CHECK_INT(wrong_read(proxy, i), 0);
            ap_plan_free(plan);
            ap_free(proxy);
        }
    test_note("");
    bytes_free(&b);
}

int main(void)
{
    test_fork();
    test_shared();
    test_clones();
    test_plans();
    test_callbacks(0);
    test_callbacks(AP_SOURCE_CONCURRENT);
    test_opens();
    return test_end("threads");
}
