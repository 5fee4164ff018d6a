/*
 * parts.h - parts of parts of an array, as they should be and as they are
 *
 * A selection holds the numbers in storage of its elements, listed column-major
 * unless another order is asked for. Free `element`.
 */
#ifndef PARTS_H
#define PARTS_H

#include "nifti.h"
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

/* The shape of files to take parts of, some of which have only its first axes. */
enum { PARTED = 5 * 4 * 3 * 2 };
extern const int64_t parted_shape[4];
/* A header: zooms 2, 3, 4.5 and 1.25, two affines. */
nifti parted_header(int ndim);
/* Such a file in memory, element i in storage with the value i. */
ap_proxy *open_parted(const nifti *n);

/* A slice as a proxy; MARKED(ap_proxy), with a failed check, on failure. */
ap_proxy *slice_of(const ap_proxy *proxy, const ap_slice *index, int nindex);
/* All that a slice tells and holds. The data of the file begin at `offset`. */
void check_slice_proxy(const ap_proxy *proxy, const selection *wanted, int64_t offset);

/* Random indices, the same at every run. */
int64_t draw(int64_t low, int64_t high);
int draw_index(const selection *from, ap_slice *index);

#endif
