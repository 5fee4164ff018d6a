/* fork: while no call runs, parent and children all read on; during a call, the
 * child may only free its handles. */
#include "test.h"
#include "support/series.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Address sanitizer makes fork slow. */
#ifdef __SANITIZE_ADDRESS__
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif

/* Seconds after which a child hangs. */
enum { PATIENCE = 60 };

static int64_t rows(void)
{
    return test_small() ? 60 : 280;
}

static void check_child(pid_t child)
{
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}

/* Read, have a child do the same, read on. Returns how often it went wrong. */
static int generations(const ap_proxy *proxy, int left)
{
    ap_error mine;
    int wrong = walk_series(proxy, rows(), left % WALKS, &mine) != AP_OK, status = -1;
    if (left == 0)
        return wrong;
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        wrong += generations(proxy, left - 1);
        wrong += read_rows(proxy, 7, 8, &mine) != AP_OK;
        _exit(wrong ? 1 : 0);
    }
    for (int walk = 0; walk < WALKS; walk += test_small() ? 3 : 1)
        wrong += walk_series(proxy, rows(), walk, &mine) != AP_OK;
    wrong += waitpid(child, &status, 0) != child || status != 0;
    return wrong;
}

static void test_quiet(void)
{
    static const char *options[] = {"", "threads=2", "threads=2,cache_bytes=0,index_spacing=65536",
                                    "keep_open=0", "index_mode=0"};
    const char *index = temp_path("quiet.gzidx");
    for (int kind = 0; kind < SERIES_KINDS; kind += SLOW || test_small() ? 2 : 1) {
        const char *path = write_series(kind, rows());
        ap_proxy *proxy = open_series(path, "index_mode=2,index_spacing=65536");
        if (series_is_gzip(kind))
            CHECK_OK(ap_seekindex_save(proxy, index, &err));
        ap_free(proxy);
        for (int i = 0; i < COUNT(options); i++)
            for (int before = 0; before < 3; before++) {
                if (kind == SERIES_BZIP2 && i > 1)
                    continue;           /* starts over and over again */
                proxy = open_series(path, options[i]);
                test_note("%s, %s, before %d", series_name(kind), options[i], before);
                /* A kept decoder half way, or an index whose file is open. */
                if (before == 1)
                    CHECK_OK(read_rows(proxy, 0, rows() / 2, &err));
                if (before == 2 && series_is_gzip(kind) && !strstr(options[i], "index_mode"))
                    CHECK_OK(ap_seekindex_load(proxy, index, &err));
                CHECK_INT(generations(proxy, 3), 0);
                CHECK_OK(walk_series(proxy, rows(), WALK_FORWARD, &err));
                ap_free(proxy);
            }
    }
    test_note("");
}

/* Many children at once, which share the index file and the data file. */
static void test_siblings(void)
{
    enum { CHILDREN = 8 };
    const char *path = write_series(SERIES_GZIP, rows()), *index = temp_path("siblings.gzidx");
    ap_proxy *proxy = open_series(path, "index_mode=2,index_spacing=65536");
    CHECK_OK(ap_seekindex_save(proxy, index, &err));
    ap_free(proxy);
    proxy = open_series(path, "cache_bytes=0,threads=2");
    CHECK_OK(ap_seekindex_load(proxy, index, &err));
    pid_t children[CHILDREN];
    for (int c = 0; c < CHILDREN; c++) {
        children[c] = fork();
        if (children[c] == 0) {
            ap_error mine;
            int wrong = 0;
            alarm(PATIENCE);
            for (int i = 0; i < (test_small() ? 1 : 3); i++)
                wrong += walk_series(proxy, rows(), (c + i) % WALKS, &mine) != AP_OK;
            ap_trim(proxy);
            wrong += walk_series(proxy, rows(), WALK_RANDOM, &mine) != AP_OK;
            ap_free(proxy);
            _exit(wrong ? 1 : 0);
        }
    }
    CHECK_WALKS(proxy, rows(), WALK_RANDOM);
    for (int c = 0; c < CHILDREN; c++)
        check_child(children[c]);
    CHECK_WALKS(proxy, rows(), WALK_BACKWARD);
    ap_free(proxy);
}

/* Reads until it is told to stop. */
typedef struct {
    ap_proxy *proxy;
    pthread_mutex_t lock;
    int walk, stop, wrong;
} reader;

static int stopped(reader *r)
{
    pthread_mutex_lock(&r->lock);
    int stop = r->stop;
    pthread_mutex_unlock(&r->lock);
    return stop;
}

static void *read_on(void *given)
{
    reader *r = given;
    ap_error mine;
    for (int i = r->walk; !stopped(r); i++) {
        r->wrong += walk_series(r->proxy, rows(), i % WALKS, &mine) != AP_OK;
        if (i % 5 == 0)
            ap_trim(r->proxy);
    }
    return NULL;
}

/* The child must end, whatever the others were doing. It ends by a signal, as
 * what they held is lost in it, which is no one's fault. */
static void test_during(int kind, const char *options)
{
    enum { READERS = 2 };
    const char *path = write_series(kind, rows());
    reader readers[READERS];
    pthread_t threads[READERS];
    ap_slice some = ap_range(1, 3, 1);
    test_note("%s, %s", series_name(kind), options);
    ap_proxy *proxy = open_series(path, options);
    for (int i = 0; i < READERS; i++) {
        readers[i].proxy = ap_clone(proxy);
        readers[i].walk = i;
        readers[i].stop = readers[i].wrong = 0;
        pthread_mutex_init(&readers[i].lock, NULL);
        if (pthread_create(&threads[i], NULL, read_on, &readers[i]))
            abort();
    }
    for (int turn = 0; turn < (test_small() ? 5 : SLOW ? 10 : 40); turn++) {
        static const int64_t flat[1] = {-1};
        ap_proxy *line = NULL, *clone = ap_clone(proxy), *other = open_series(path, options);
        ap_plan *plan = NULL;
        CHECK_OK(ap_reshape(proxy, 1, flat, &line, &err));
        CHECK_OK(ap_plan_new(proxy, &some, 1, AP_AUTO, 0, &plan, &err));
        pid_t child = fork();
        if (child == 0) {
            alarm(PATIENCE);
            ap_plan_free(plan);
            ap_free(line);
            ap_free(clone);
            ap_free(other);
            ap_free(proxy);
            raise(SIGKILL);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
        CHECK_INT(WTERMSIG(status), SIGKILL);       /* not SIGALRM */
        ap_plan_free(plan);
        ap_free(line);
        ap_free(clone);
        ap_free(other);
        usleep(turn % 7 * 300);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_mutex_lock(&readers[i].lock);
        readers[i].stop = 1;
        pthread_mutex_unlock(&readers[i].lock);
        pthread_join(threads[i], NULL);
        CHECK_INT(readers[i].wrong, 0);
        ap_free(readers[i].proxy);
        pthread_mutex_destroy(&readers[i].lock);
    }
    CHECK_OK(walk_series(proxy, rows(), WALK_WHOLE, &err));
    ap_free(proxy);
    test_note("");
}

int main(void)
{
    setenv("XDG_CACHE_HOME", temp_path("xdg"), 1);
    test_quiet();
    test_siblings();
    test_during(SERIES_PLAIN, "threads=2");
    test_during(SERIES_GZIP, "threads=2");
    test_during(SERIES_GZIP, "threads=2,index_path=auto,index_spacing=65536,cache_bytes=0");
    test_during(SERIES_BGZF, "index_path=auto,index_mode=2");
    test_during(SERIES_ZSTD, "threads=2,cache_bytes=100000");
    return test_end("forked");
}
