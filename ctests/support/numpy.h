/*
 * numpy.h - a slow and plain model of NumPy's basic indexing
 */
#ifndef NUMPY_H
#define NUMPY_H

#include "../test.h"

/* What an index selects: the shape, and for each element of the result its
 * number in storage, both in the order asked for. Free `element`. */
typedef struct {
    int ndim;
    int64_t shape[AP_MAX_NDIM];
    int64_t count;
    int64_t *element;
} selection;

/* Elements of the array are numbered in `stored` order (AP_ORDER_F or _C);
 * the result is listed in `order`. Returns AP_OK or what the library should
 * give. `out->element` is NULL after a failure. */
ap_status model_select(int ndim, const int64_t *shape, int stored, const ap_slice *index,
                       int nindex, int order, selection *out);

int64_t model_size(int ndim, const int64_t *shape);

/* "[0:2:1, ..., 5]", for messages. */
void show_index(char *text, size_t room, const ap_slice *index, int nindex);

/* Compare the shape and all elements that the library reads with the model's.
 * Element i in storage of `proxy`, of AP_INT32, must have the value i. Reads
 * in `order`. One check. */
#define CHECK_INDEX(proxy, index, nindex, order) \
    test_index(proxy, index, nindex, order, __FILE__, __LINE__)
int test_index(const ap_proxy *proxy, const ap_slice *index, int nindex, int order,
               const char *file, int line);

#endif
