/* A slow and plain model of NumPy's basic indexing. */
#include "numpy.h"
#include "files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The indices that an entry takes of one axis. */
typedef struct {
    int64_t count;
    int64_t *at;
} walk;

/* A bound as Python's slice.indices() has it. */
static int64_t clip(int64_t bound, int64_t n, int64_t step)
{
    int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
    if (bound < 0)
        bound += n;
    return bound < low ? low : bound > high ? high : bound;
}

static walk walk_range(const ap_slice *s, int64_t n)
{
    walk w = {0, NULL};
    int64_t start = s->start, stop = s->stop, i;
    w.at = need((size_t)n * sizeof(int64_t));
    if (start == AP_NONE)
        start = s->step < 0 ? n - 1 : 0;
    else
        start = clip(start, n, s->step);
    if (stop == AP_NONE)
        stop = s->step < 0 ? -1 : n;
    else
        stop = clip(stop, n, s->step);
    for (i = start; s->step > 0 ? i < stop : i > stop; i += s->step) {
        w.at[w.count++] = i;
        if (s->step > 0 && i > INT64_MAX - s->step)
            break;
    }
    return w;
}

static walk walk_at(int64_t i)
{
    walk w = {1, NULL};
    w.at = need(sizeof(int64_t));
    w.at[0] = i;
    return w;
}

int64_t model_size(int ndim, const int64_t *shape)
{
    int64_t size = 1;
    for (int i = 0; i < ndim; i++)
        size *= shape[i];
    return size;
}

static ap_status check_entries(int ndim, const ap_slice *index, int nindex, int *takes)
{
    int ellipses = 0;
    *takes = 0;
    if (nindex > AP_MAX_NDIM)
        return AP_ERR_INDEX;
    for (int i = 0; i < nindex; i++) {
        int64_t kind = index[i].kind;
        if (kind < AP_SLICE_RANGE || kind > AP_SLICE_NEWAXIS)
            return AP_ERR_ARGUMENT;
        if (kind == AP_SLICE_RANGE && index[i].step == 0)
            return AP_ERR_ARGUMENT;
        ellipses += kind == AP_SLICE_ELLIPSIS;
        *takes += kind == AP_SLICE_RANGE || kind == AP_SLICE_AT;
    }
    return ellipses > 1 || *takes > ndim ? AP_ERR_INDEX : AP_OK;
}

/* List the elements of all combinations of the walks, one per axis. */
static void list_elements(int ndim, const int64_t *shape, int stored, const walk *walks,
                          int order, selection *out)
{
    int64_t stride[AP_MAX_NDIM], place[AP_MAX_NDIM] = {0}, step = 1;
    for (int k = 0; k < ndim; k++) {
        int axis = stored == AP_ORDER_F ? k : ndim - 1 - k;
        stride[axis] = step;
        step *= shape[axis];
    }
    out->element = need((size_t)out->count * sizeof(int64_t));
    for (int64_t i = 0; i < out->count; i++) {
        for (int axis = 0; axis < ndim; axis++)
            out->element[i] += walks[axis].at[place[axis]] * stride[axis];
        for (int k = 0; k < ndim; k++) {
            int axis = order == AP_ORDER_F ? k : ndim - 1 - k;
            if (++place[axis] < walks[axis].count)
                break;
            place[axis] = 0;
        }
    }
}

ap_status model_select(int ndim, const int64_t *shape, int stored, const ap_slice *index,
                       int nindex, int order, selection *out)
{
    walk walks[AP_MAX_NDIM];
    ap_slice all = {AP_SLICE_RANGE, AP_NONE, AP_NONE, 1};
    int takes, axis = 0, ellipsis = 0;
    ap_status status = check_entries(ndim, index, nindex, &takes);
    memset(out, 0, sizeof *out);
    if (status)
        return status;
    out->count = 1;
    for (int i = 0; i <= nindex && !status; i++) {
        int left = 1;
        if (i == nindex)                    /* what no entry took */
            left = ellipsis ? 0 : ndim - axis;
        else if (index[i].kind == AP_SLICE_ELLIPSIS)
            left = ndim - takes;
        ellipsis |= i < nindex && index[i].kind == AP_SLICE_ELLIPSIS;
        for (; left > 0 && !status; left--) {
            const ap_slice *s = i < nindex && index[i].kind != AP_SLICE_ELLIPSIS ? index + i : &all;
            int64_t length = 1;
            if (s->kind == AP_SLICE_AT) {
                int64_t n = shape[axis];
                if (s->start >= n || s->start < -n) {
                    status = AP_ERR_INDEX;
                    break;
                }
                walks[axis++] = walk_at(s->start < 0 ? s->start + n : s->start);
                continue;
            }
            if (s->kind == AP_SLICE_RANGE) {
                walks[axis] = walk_range(s, shape[axis]);
                length = walks[axis++].count;
            }
            if (out->ndim == AP_MAX_NDIM) {
                status = AP_ERR_INDEX;
                break;
            }
            out->shape[out->ndim++] = length;
            out->count *= length;
        }
    }
    if (!status)
        list_elements(ndim, shape, stored, walks, order, out);
    while (axis)
        free(walks[--axis].at);
    return status;
}

static int show_bound(char *text, size_t room, int64_t bound)
{
    if (bound == AP_NONE)
        return 0;
    return snprintf(text, room, "%" PRId64, bound);
}

void show_index(char *text, size_t room, const ap_slice *index, int nindex)
{
    size_t n = (size_t)snprintf(text, room, "[");
    for (int i = 0; i < nindex && n + 80 < room; i++) {
        const ap_slice *s = index + i;
        n += (size_t)snprintf(text + n, room - n, i ? ", " : "");
        if (s->kind == AP_SLICE_RANGE) {
            n += (size_t)show_bound(text + n, room - n, s->start);
            n += (size_t)snprintf(text + n, room - n, ":");
            n += (size_t)show_bound(text + n, room - n, s->stop);
            n += (size_t)snprintf(text + n, room - n, ":%" PRId64, s->step);
        } else if (s->kind == AP_SLICE_AT) {
            n += (size_t)snprintf(text + n, room - n, "%" PRId64, s->start);
        } else {
            n += (size_t)snprintf(text + n, room - n,
                                  s->kind == AP_SLICE_ELLIPSIS ? "..." : "newaxis");
        }
    }
    snprintf(text + n, room - n, "]");
}

static void fail(char *what, size_t room, const char *text, int64_t found, int64_t wanted)
{
    if (!what[0])
        snprintf(what, room, "%s: found %" PRId64 ", wanted %" PRId64, text, found, wanted);
}

int test_index(const ap_proxy *proxy, const ap_slice *index, int nindex, int order,
               const char *file, int line)
{
    int64_t shape[AP_MAX_NDIM], got[AP_MAX_NDIM];
    int ndim = ap_shape(proxy, shape, AP_MAX_NDIM), got_ndim;
    uint32_t flags = order == AP_ORDER_C ? AP_READ_C : 0;
    char what[200] = "", text[500];
    selection s;
    ap_status wanted = model_select(ndim, shape, ap_order(proxy), index, nindex, order, &s);
    size_t nbytes = (size_t)s.count * 4;
    int32_t *out = need(nbytes);

    got_ndim = ap_slice_shape(proxy, index, nindex, got, AP_MAX_NDIM, &err);
    if (got_ndim != (wanted ? wanted : s.ndim))
        fail(what, sizeof what, "axes or status", got_ndim, wanted ? wanted : s.ndim);
    for (int i = 0; i < got_ndim && !what[0]; i++)
        if (got[i] != s.shape[i])
            fail(what, sizeof what, "length of an axis", got[i], s.shape[i]);
    int64_t size = ap_slice_nbytes(proxy, index, nindex, AP_DISK, flags, &err);
    if (size != (wanted ? wanted : (int64_t)nbytes))
        fail(what, sizeof what, "bytes or status", size, wanted ? wanted : (int64_t)nbytes);
    ap_status status = ap_read_slice(proxy, index, nindex, AP_DISK, flags,
                                     nbytes ? out : NULL, nbytes, &err);
    if (status != wanted)
        fail(what, sizeof what, "status of the read", status, wanted);
    for (int64_t i = 0; i < s.count && !status && s.element; i++)
        if (out[i] != s.element[i])
            fail(what, sizeof what, "an element", out[i], s.element[i]);
    free(out);
    free(s.element);
    show_index(text, sizeof text, index, nindex);
    if (what[0]) {
        size_t n = strlen(text);
        snprintf(text + n, sizeof text - n, " in order %c: %s", order, what);
    }
    return test_true(!what[0], text, file, line);
}
