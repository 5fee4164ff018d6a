/* AP_OPT_CACHE_BYTES: values whatever is kept, what is not read again, memory. */
#include "test.h"
#include "support/series.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t rows(void)
{
    return test_small() ? 40 : 200;
}

/* Walks one after the other on one handle: each finds what the others left. */
static void test_values(void)
{
    static const char *sizes[] = {"0", "1", "5000", "100000", "1000000", "33554432",
                                  "9223372036854775807"};
    for (int kind = 0; kind < SERIES_KINDS; kind++) {
        const char *path = write_series(kind, rows());
        for (int i = 0; i < COUNT(sizes); i++)
            for (int more = 0; more < 3; more++) {
                static const char *options[] = {"", ",index_spacing=65536,threads=2",
                                                ",keep_open=0,index_mode=0"};
                char text[100];
                snprintf(text, sizeof text, "cache_bytes=%s%s", sizes[i], options[more]);
                if ((kind == SERIES_BZIP2 && i < 4) || (test_small() && (i + more) % 3))
                    continue;       /* starts over and over again */
                test_note("%s, %s", series_name(kind), text);
                ap_proxy *proxy = open_series(path, text);
                CHECK_WALKS(proxy, rows(), i % WALKS);
                ap_trim(proxy);
                CHECK_WALKS(proxy, rows(), (i + 1) % WALKS);
                ap_free(proxy);
            }
    }
    test_note("");
}

/* A source that counts. */
typedef struct {
    bytes b;
    int64_t reads, nbytes;
} counted;

static int64_t read_counted(void *user, void *buf, size_t len, uint64_t offset)
{
    counted *c = user;
    if (offset >= c->b.size)
        return 0;
    if (len > c->b.size - offset)
        len = c->b.size - (size_t)offset;
    memcpy(buf, c->b.data + offset, len);
    c->reads++;
    c->nbytes += (int64_t)len;
    return (int64_t)len;
}

static int64_t size_counted(void *user)
{
    return (int64_t)((counted *)user)->b.size;
}

static ap_proxy *open_counting(counted *c, const char *text)
{
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_parse(o, text, &err));
    CHECK_OK(ap_source_callbacks(read_counted, size_counted, NULL, c, 0, &source, &err));
    CHECK_OK(ap_open_source(source, NULL, o, &proxy, &err));
    ap_source_free(source);
    ap_options_free(o);
    return proxy;
}

/* What was decoded is not decoded again, unless it was not to be kept; a walk
 * forward reads the file about once, and so does one backward with a cache. */
static void test_reads(void)
{
    for (int kind = SERIES_GZIP; kind < SERIES_KINDS; kind++) {
        counted c = {{0}, 0, 0};
        put_series(&c.b, kind, rows());
        int64_t size = (int64_t)c.b.size, before;
        test_note("%s", series_name(kind));
        ap_proxy *proxy = open_counting(&c, "");
        c.nbytes = 0;
        CHECK_OK(walk_series(proxy, rows(), WALK_FORWARD, &err));
        CHECK(c.nbytes <= size * 5 / 4 + 300000);
        before = c.reads;
        for (int turn = 0; turn < 5; turn++)
            CHECK_OK(walk_series(proxy, rows(), turn, &err));
        CHECK(c.reads <= before + 20);      /* at most the end */
        before = c.reads;
        CHECK_OK(read_rows(proxy, 3, 9, &err));
        CHECK_INT(c.reads, before);
        ap_trim(proxy);
        CHECK_OK(read_rows(proxy, 3, 9, &err));
        CHECK(c.reads > before);
        ap_free(proxy);

        proxy = open_counting(&c, "");
        c.nbytes = 0;
        CHECK_OK(walk_series(proxy, rows(), WALK_BACKWARD, &err));
        CHECK(c.nbytes <= size * 5 / 4 + 300000);
        ap_free(proxy);

        proxy = open_counting(&c, "cache_bytes=0");
        c.nbytes = 0;
        for (int64_t row = 0; row < rows(); row++)
            CHECK_OK(read_rows(proxy, row, row + 1, &err));
        CHECK(c.nbytes <= size * 5 / 4 + 300000);
        CHECK_OK(read_rows(proxy, 3, 9, &err));
        before = c.reads;
        CHECK_OK(read_rows(proxy, 3, 9, &err));
        CHECK(c.reads > before);
        ap_free(proxy);
        bytes_free(&c.b);
    }
    test_note("");
}

/* Memory of the process that is its own, in bytes. */
static int64_t own_memory(void)
{
    char line[200];
    long long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "RssAnon: %lld kB", &kib);
    if (f)
        fclose(f);
    return kib * 1024;
}

typedef struct {
    pthread_mutex_t lock;
    int stop;
    int64_t most;
} watch;

static void *watch_memory(void *given)
{
    watch *w = given;
    for (int stop = 0; !stop; usleep(500)) {
        int64_t now = own_memory();
        pthread_mutex_lock(&w->lock);
        if (now > w->most)
            w->most = now;
        stop = w->stop;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

enum { MEBI = 1 << 20, LONG_ROWS = 16384 };

/* Most memory that a read took beyond what there was before opening, less what
 * it may take: the result, the cache, the index. */
static int64_t excess(const char *path, const char *options, ap_dtype dtype, int64_t cache)
{
    watch w = {PTHREAD_MUTEX_INITIALIZER, 0, 0};
    pthread_t watcher;
    int64_t n = (int64_t)ROW * LONG_ROWS, size = n * (dtype & 255), before = own_memory();
    void *out = malloc((size_t)size);
    int64_t wrong = 0;
    ap_proxy *proxy = open_series(path, options);
    if (!out || pthread_create(&watcher, NULL, watch_memory, &w))
        abort();
    CHECK_OK(ap_read_all(proxy, dtype, 0, out, (size_t)size, &err));
    pthread_mutex_lock(&w.lock);
    w.stop = 1;
    pthread_mutex_unlock(&w.lock);
    pthread_join(watcher, NULL);
    for (int64_t i = 0; i < n; i++)
        wrong += dtype == AP_INT32 ? ((int32_t *)out)[i] != i : ((float *)out)[i] != (float)i;
    CHECK_INT(wrong, 0);
    size += cache + info_of(proxy).memory;
    ap_free(proxy);
    free(out);
    return w.most - before - size;
}

static void test_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
    return;                                 /* it has memory of its own */
#endif
    static const int kinds[] = {SERIES_GZIP, SERIES_BGZF};
    static const char *options[] = {"threads=1", "threads=2", "threads=2,index_mode=2",
                                    "threads=1,cache_bytes=100000000"};
    if (test_small())
        return;
    for (int k = 0; k < COUNT(kinds); k++) {
        const char *path = temp_path("long.nii.gz");
        pid_t child = fork();
        int status = -1;
        if (child == 0) {                   /* its memory goes with it */
            bytes b = {0};
            put_series(&b, kinds[k], LONG_ROWS);
            write_bytes(path, &b);
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        for (int i = k; i < COUNT(options) - k; i++) {
            int64_t cache = i == 3 ? 100000000 : 32 * MEBI;
            test_note("%s, %s", series_name(kinds[k]), options[i]);
            int64_t more = excess(path, options[i], i % 2 ? AP_FLOAT32 : AP_INT32, cache);
            CHECK(more <= 32 * MEBI);
            if (more > 32 * MEBI)
                CHECK_INT(more, 32 * MEBI);
        }
        /* A walk keeps what it may, not more. */
        ap_proxy *proxy = open_series(path, "cache_bytes=4194304,index_spacing=4194304");
        int64_t before = own_memory();
        for (int64_t row = 0; row < LONG_ROWS; row += 256)
            CHECK_OK(read_rows(proxy, row, row + 2, &err));
        CHECK(own_memory() - before <= 16 * MEBI + info_of(proxy).memory);
        ap_free(proxy);
    }
    test_note("");
}

int main(void)
{
    test_memory();
    test_values();
    test_reads();
    return test_end("cached");
}
