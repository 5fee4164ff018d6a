/* Parts of parts of an array, as they should be and as they are. */
#include "parts.h"
#include "access.h"
#include "entries.h"
#include "files.h"

#include <stdlib.h>
#include <string.h>

const int64_t parted_shape[4] = {5, 4, 3, 2};

selection whole_of(int ndim, const int64_t *sides, int stored)
{
    selection s;
    CHECK_OK(model_select(ndim, sides, stored, NULL, 0, AP_ORDER_F, &s));
    return s;
}

ap_status part_of(const selection *from, const ap_slice *index, int nindex, int order,
                  selection *out)
{
    ap_status status =
        model_select(from->ndim, from->shape, AP_ORDER_F, index, nindex, order, out);
    for (int64_t i = 0; i < out->count && !status; i++)
        out->element[i] = from->element[out->element[i]];
    return status;
}

void check_part(const ap_proxy *proxy, const selection *from, const ap_slice *index, int nindex,
                int order)
{
    uint32_t flags = order == AP_ORDER_C ? AP_READ_C : 0;
    int64_t found[AP_MAX_NDIM];
    int wrong = 0;
    selection s;
    CHECK_OK(part_of(from, index, nindex, order, &s));
    size_t nbytes = (size_t)s.count * 4;
    int32_t *out = need(nbytes);
    CHECK_INTS(found, ap_slice_shape(proxy, index, nindex, found, AP_MAX_NDIM, &err), s.shape,
               s.ndim);
    CHECK_INT(ap_slice_nbytes(proxy, index, nindex, AP_AUTO, flags, &err), nbytes);
    CHECK_OK(ap_read_slice(proxy, index, nindex, AP_AUTO, flags, nbytes ? out : NULL, nbytes,
                           &err));
    for (int64_t i = 0; i < s.count; i++)
        wrong += out[i] != s.element[i];
    CHECK_INT(wrong, 0);
    free(out);
    free(s.element);
}

nifti parted_header(int ndim)
{
    static const double rows[12] = {1.5, 0.25, -3, 10, 2, -4, 0.5, 20, 0, 1, 8, -30.75};
    nifti n = nifti_new(2, AP_BIG, AP_INT32, ndim, parted_shape);
    n.pixdim[1] = 2;
    n.pixdim[2] = 3;
    n.pixdim[3] = 4.5;
    n.pixdim[4] = 1.25;
    n.sform_code = 2;
    memcpy(n.srow, rows, sizeof rows);
    n.qform_code = 1;
    n.quatern[2] = 0.6;
    n.qoffset[0] = -7;
    return n;
}

ap_proxy *open_parted(const nifti *n)
{
    bytes data = {0}, b = {0};
    put_counted(&data, model_size((int)n->dim[0], n->dim + 1), n->order);
    put_nifti(&b, n, data.data, data.size);
    ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
    bytes_free(&data);
    bytes_free(&b);
    return proxy;
}

ap_proxy *slice_of(const ap_proxy *proxy, const ap_slice *index, int nindex)
{
    ap_proxy *out = MARKED(ap_proxy);
    err_mark();
    CHECK_OK(ap_slice_proxy(proxy, index, nindex, &out, &err));
    CHECK(err_untouched());
    return out;
}

void check_slice_proxy(const ap_proxy *proxy, const selection *wanted, int64_t offset)
{
    static const ap_slice turned[] = {REST, RANGE(AP_NONE, AP_NONE, -1)};
    static const ap_slice first[] = {RANGE(1, AP_NONE, 2), REST, NEW};
    int64_t found[AP_MAX_NDIM], count = 1;
    CHECK_INT(ap_ndim(proxy), wanted->ndim);
    CHECK_INTS(found, ap_shape(proxy, found, AP_MAX_NDIM), wanted->shape, wanted->ndim);
    CHECK_INT(ap_size(proxy), wanted->count);
    if (wanted->count > 0)
        CHECK_INT(ap_data_offset(proxy), offset + 4 * wanted->element[0]);
    CHECK_INT(ap_scale_shape(proxy, NULL, 0), 0);
    CHECK_INT(ap_chunk_shape(proxy, 100, found, AP_MAX_NDIM), wanted->ndim);
    for (int i = 0; i < wanted->ndim; i++) {
        CHECK(found[i] >= 1 && (found[i] <= wanted->shape[i] || found[i] == 1));
        count *= found[i];
    }
    CHECK(count <= 25);
    for (int c = 0; c < 2; c++) {
        int order = c ? AP_ORDER_C : AP_ORDER_F;
        check_part(proxy, wanted, NULL, 0, order);
        if (wanted->ndim == 0)
            continue;
        check_part(proxy, wanted, turned, 2, order);
        if (wanted->ndim < AP_MAX_NDIM)
            check_part(proxy, wanted, first, 3, order);
    }
    size_t nbytes = (size_t)wanted->count * 8;
    double *all = need(nbytes);
    int wrong = 0;
    CHECK_OK(ap_read_all(proxy, AP_FLOAT64, 0, all, nbytes, &err));
    for (int64_t i = 0; i < wanted->count; i++)
        wrong += all[i] != (double)wanted->element[i];
    CHECK_INT(wrong, 0);
    free(all);
}

selection reshaped_part(const selection *from, int order, int ndim, const int64_t *sides)
{
    selection before, after, out;
    /* Where the elements are, one after the other as they are stored. */
    CHECK_OK(model_select(from->ndim, from->shape, AP_ORDER_F, NULL, 0, order, &before));
    CHECK_OK(model_select(ndim, sides, AP_ORDER_F, NULL, 0, order, &after));
    CHECK_OK(model_select(ndim, sides, AP_ORDER_F, NULL, 0, AP_ORDER_F, &out));
    CHECK_INT(before.count, after.count);
    for (int64_t i = 0; i < after.count; i++)
        out.element[after.element[i]] = from->element[before.element[i]];
    free(before.element);
    free(after.element);
    return out;
}

static uint32_t state = 1;

int64_t draw(int64_t low, int64_t high)
{
    state = state * 1664525u + 1013904223u;
    return low + (int64_t)(state >> 8) % (high - low + 1);
}

int draw_index(const selection *from, ap_slice *index)
{
    static const int64_t steps[] = {1, 1, 1, 2, 3, -1, -1, -2, 7, -9};
    int n = 0, takes = (int)draw(0, from->ndim), rest = 0;
    for (int axis = 0; axis < takes; axis++) {
        int64_t length = from->shape[axis];
        if (draw(0, 7) == 0 && from->ndim < 12)
            index[n++] = ap_newaxis();
        if (!rest && takes == from->ndim && draw(0, 5) == 0) {
            index[n++] = ap_rest();         /* of no axes */
            rest = 1;
        }
        if (length > 0 && draw(0, 3) == 0) {
            index[n++] = ap_at(draw(-length, length - 1));
        } else {
            int64_t start = draw(0, 3) ? draw(-length - 2, length + 2) : AP_NONE;
            int64_t stop = draw(0, 2) ? AP_NONE : draw(-length - 2, length + 2);
            index[n++] = ap_range(start, stop, steps[draw(0, COUNT(steps) - 1)]);
        }
    }
    return n;
}
