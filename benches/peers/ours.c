/*
 * The library, through its C ABI alone. Works:
 *
 *   open    open and free, `times` of them
 *   whole   the whole array, as `dtype`
 *   slices  the `boxes`, one call each, one after the other into one result
 *   batch   the same by one call
 *   voxel   the first voxel of the first box, `times` of them
 *   build   the seek index, to its end
 *   save    the same, then into the file `to`
 *
 * `threads` is 1 unless given. `index` is "none", "memory" for one that is
 * built before, a file to load, or "never": none is made, and no decoded data
 * are kept. Its `spacing` fits the size of the file unless given. `open` is
 * "before" the clock starts, "counted", or "each": opened anew for each box,
 * and counted. `again` reads the boxes so often before. With `step` elements are so
 * far apart on the first three axes; `readers` share the boxes, each a thread of
 * its own; `order=C` makes the last axis the fastest; `fresh=1` takes new memory.
 * Of a file with `reversed` axes the boxes' first is the last, and the fastest.
 */
#include "server.h"

#include <arrayproxy.h>
#include <pthread.h>

/* The one place to give up a job from. */
#define CHECK(call)               \
    do {                          \
        if ((call) < 0) {         \
            failed(err.message);  \
            goto end;             \
        }                         \
    } while (0)

static _Thread_local ap_error err;

static ap_status open_for(const job *j, ap_proxy **proxy)
{
    const char *index = job_text(j, "index", "none");
    ap_options *options = ap_options_new();
    int64_t threads = job_number(j, "threads", 1);
    ap_status status = ap_options_set_int(options, AP_OPT_THREADS, threads, &err);
    if (status == AP_OK && strchr(index, '/'))
        status = ap_options_set_text(options, AP_OPT_INDEX_PATH, index, &err);
    int64_t spacing = job_number(j, "spacing", 0);
    if (status == AP_OK && spacing > 0)
        status = ap_options_set_int(options, AP_OPT_INDEX_SPACING, spacing, &err);
    int never = strcmp(index, "never") == 0;
    if (status == AP_OK && never)
        status = ap_options_set_int(options, AP_OPT_INDEX_MODE, 0, &err);
    if (status == AP_OK && never)
        status = ap_options_set_int(options, AP_OPT_CACHE_BYTES, 0, &err);
    if (status == AP_OK)
        status = ap_open(j->parts[1], options, proxy, &err);
    ap_options_free(options);
    return status;
}

/* Open before the clock starts. An index in memory is built by reading, so
 * what that left in the cache goes: slices are to be decoded. */
static ap_status open_before(const job *j, ap_proxy **proxy)
{
    ap_status status = open_for(j, proxy);
    if (status == AP_OK && job_is(j, "index", "memory")) {
        status = ap_seekindex_build(*proxy, NULL, &err);
        ap_trim(*proxy);
    }
    return status;
}

static ap_dtype dtype_of(const job *j)
{
    const char *name = job_text(j, "dtype", "disk");
    return strcmp(name, "disk") == 0 ? AP_DISK : ap_dtype_parse(name);
}

static int is_reversed(const job *j)
{
    return job_is(j, "reversed", "1");
}

static uint32_t flags_of(const job *j)
{
    return is_reversed(j) ? AP_READ_C : 0;
}

static void open_work(const job *j)
{
    ap_proxy *proxy = NULL;
    int64_t times = job_number(j, "times", 1);
    double start = seconds();
    for (int64_t i = 0; i < times; i++) {
        CHECK(open_for(j, &proxy));
        ap_free(proxy);
        proxy = NULL;
    }
    answer((seconds() - start) / (double)times, 0, "");
end:
    ap_free(proxy);
}

/* Bytes that the index takes, for the bound on memory. */
static int64_t index_memory(const ap_proxy *proxy)
{
    int64_t memory = 0;
    return ap_seekindex_info(proxy, NULL, NULL, &memory, NULL) == AP_OK ? memory : 0;
}

static void whole(const job *j)
{
    ap_proxy *proxy = NULL;
    ap_array *array = NULL;
    void *out = NULL;
    int64_t nbytes = 0;
    uint32_t flags = job_is(j, "order", "C") ? AP_READ_C : flags_of(j);
    int fresh = job_is(j, "fresh", "1");
    char more[64];
    CHECK(open_before(j, &proxy));
    CHECK(nbytes = ap_slice_nbytes(proxy, NULL, 0, dtype_of(j), flags, &err));
    if (!fresh)
        out = memory((size_t)nbytes);
    double start = seconds();
    if (fresh)
        CHECK(ap_load(proxy, NULL, 0, dtype_of(j), flags, NULL, &array, &err));
    else
        CHECK(ap_read_all(proxy, dtype_of(j), flags, out, (size_t)nbytes, &err));
    double time = seconds() - start;
    snprintf(more, sizeof more, "\tindex_memory=%ld", index_memory(proxy));
    answer(time, checksum(fresh ? ap_array_data(array) : out, (size_t)nbytes), more);
end:
    free(out);
    ap_array_free(array);
    ap_free(proxy);
}

/* As ranges: they name the same bytes as [..., t] and the like do. */
static void index_of(const job *j, const box *b, ap_slice *index)
{
    for (int axis = 0; axis < 4; axis++) {
        int64_t step = axis < 3 ? job_number(j, "step", 1) : 1;
        int64_t reach = (b->count[axis] - 1) * step + 1;
        index[is_reversed(j) ? 3 - axis : axis] =
            ap_range(b->start[axis], b->start[axis] + reach, step);
    }
}

static ap_status read_boxes(const job *j, ap_proxy **proxy, const box *boxes, int64_t count,
                            char *out, size_t element)
{
    int each = job_is(j, "open", "each");
    ap_slice index[4];
    for (int64_t i = 0; i < count; i++) {
        if (each) {
            ap_free(*proxy);
            *proxy = NULL;
        }
        ap_status status = *proxy ? AP_OK : open_for(j, proxy);
        if (status != AP_OK)
            return status;
        size_t nbytes = box_size(&boxes[i]) * element;
        index_of(j, &boxes[i], index);
        status = ap_read_slice(*proxy, index, 4, dtype_of(j), flags_of(j), out, nbytes, &err);
        if (status != AP_OK)
            return status;
        out += nbytes;
    }
    return AP_OK;
}

/* What one of several threads reads. */
typedef struct {
    const job *j;
    ap_proxy *proxy;
    const box *boxes;
    int64_t count;
    char *out;
    size_t element;
    ap_status status;
} share;

static void *read_share(void *of)
{
    share *s = of;
    s->status = read_boxes(s->j, &s->proxy, s->boxes, s->count, s->out, s->element);
    return NULL;
}

static ap_status read_shared(const job *j, ap_proxy *proxy, const box *boxes, int64_t count,
                             char *out, size_t element)
{
    enum { MOST = 16 };
    pthread_t threads[MOST];
    share shares[MOST];
    int64_t n = job_number(j, "readers", 1), each = (count + n - 1) / n;
    ap_status status = AP_OK;
    for (int i = 0; i < n && i < MOST; i++) {
        int64_t first = i * each, left = count - first;
        shares[i] = (share){j, proxy, boxes + first, left < each ? left : each, out, element, AP_OK};
        out += boxes_size(boxes + first, shares[i].count) * element;
        pthread_create(&threads[i], NULL, read_share, &shares[i]);
    }
    for (int i = 0; i < n && i < MOST; i++) {
        pthread_join(threads[i], NULL);
        status = status == AP_OK ? shares[i].status : status;
    }
    return status;
}

static ap_status read_batch(const job *j, const ap_proxy *proxy, const box *boxes, int64_t count,
                            void *out, size_t nbytes)
{
    ap_slice *index = malloc((size_t)count * 4 * sizeof *index);
    for (int64_t i = 0; i < count; i++)
        index_of(j, &boxes[i], index + 4 * i);
    ap_status status =
        ap_read_batch(proxy, index, 4, count, dtype_of(j), 0, out, nbytes, NULL, NULL, &err);
    free(index);
    return status;
}

static void slices(const job *j)
{
    int64_t count;
    box *boxes = boxes_of(job_text(j, "boxes", ""), &count);
    ap_proxy *proxy = NULL;
    void *out = NULL;
    size_t nbytes = 0;
    int batch = strcmp(j->parts[0], "batch") == 0;
    CHECK(open_before(j, &proxy));
    ap_dtype dtype = dtype_of(j) == AP_DISK ? ap_disk_dtype(proxy) : dtype_of(j);
    size_t element = (size_t)(dtype & 255);
    nbytes = boxes_size(boxes, count) * element;
    out = memory(nbytes);
    if (strcmp(job_text(j, "open", "before"), "before") != 0) {
        ap_free(proxy);
        proxy = NULL;
    }
    for (int64_t i = job_number(j, "again", 0); i > 0; i--)
        CHECK(read_boxes(j, &proxy, boxes, count, out, element));
    double start = seconds();
    if (job_number(j, "readers", 1) > 1)
        CHECK(read_shared(j, proxy, boxes, count, out, element));
    else if (batch)
        CHECK(read_batch(j, proxy, boxes, count, out, nbytes));
    else
        CHECK(read_boxes(j, &proxy, boxes, count, out, element));
    double time = seconds() - start;
    answer(time, checksum(out, nbytes), "");
end:
    free(out);
    ap_free(proxy);
    free(boxes);
}

static void voxel(const job *j)
{
    int64_t count, times = job_number(j, "times", 1);
    box *boxes = boxes_of(job_text(j, "boxes", ""), &count);
    const int64_t *at = boxes[0].start;
    ap_slice index[] = {ap_at(at[0]), ap_at(at[1]), ap_at(at[2]), ap_at(at[3])};
    ap_proxy *proxy = NULL;
    double value = 0;
    CHECK(open_for(j, &proxy));
    double start = seconds();
    for (int64_t i = 0; i < times; i++)
        CHECK(ap_read_slice(proxy, index, 4, AP_FLOAT64, 0, &value, sizeof value, &err));
    answer((seconds() - start) / (double)times, checksum(&value, sizeof value), "");
end:
    ap_free(proxy);
    free(boxes);
}

static void build(const job *j)
{
    ap_proxy *proxy = NULL;
    const char *to = job_text(j, "to", NULL);
    char more[128];
    int64_t points = 0, memory = 0;
    CHECK(open_for(j, &proxy));
    double start = seconds();
    CHECK(ap_seekindex_build(proxy, NULL, &err));
    double time = seconds() - start;
    if (to)
        CHECK(ap_seekindex_save(proxy, to, &err));
    CHECK(ap_seekindex_info(proxy, &points, NULL, &memory, &err));
    snprintf(more, sizeof more, "\tpoints=%ld\tindex_memory=%ld", points, memory);
    answer(time, 0, more);
end:
    ap_free(proxy);
}

static void work(const job *j)
{
    const char *name = j->parts[0];
    if (strcmp(name, "open") == 0)
        open_work(j);
    else if (strcmp(name, "whole") == 0)
        whole(j);
    else if (strcmp(name, "slices") == 0 || strcmp(name, "batch") == 0)
        slices(j);
    else if (strcmp(name, "voxel") == 0)
        voxel(j);
    else if (strcmp(name, "build") == 0 || strcmp(name, "save") == 0)
        build(j);
    else
        failed("no such work");
}

int main(void)
{
    char name[64];
    snprintf(name, sizeof name, "arrayproxy %s", ap_version_string());
    serve(name, work);
    return 0;
}
