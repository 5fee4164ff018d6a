/*
 * parts.h - parts of parts of an array, as they should be
 *
 * A selection holds the numbers in storage of its elements, listed column-major
 * unless another order is asked for. Free `element`.
 */
#ifndef PARTS_H
#define PARTS_H

#include "numpy.h"

selection whole_of(int ndim, const int64_t *sides, int stored);

/* A part of what `from` holds, listed in `order`. */
ap_status part_of(const selection *from, const ap_slice *index, int nindex, int order,
                  selection *out);

/* The same elements in another shape, in the order in which they are stored. */
selection reshaped_part(const selection *from, int order, int ndim, const int64_t *sides);

/* Read a part of `proxy`, which should hold `from`, and compare: the shape, the
 * size, the elements, of AP_INT32 with their numbers as values. */
void check_part(const ap_proxy *proxy, const selection *from, const ap_slice *index, int nindex,
                int order);

/* Random indices, the same at every run. */
int64_t draw(int64_t low, int64_t high);
int draw_index(const selection *from, ap_slice *index);

#endif
