/*
 * views.h - views of a small array in memory and in files
 *
 * Element i in storage, from byte VIEWED_AT on, is i, of AP_INT32 in the
 * machine's byte order unless another is asked for.
 */
#ifndef VIEWS_H
#define VIEWS_H

#include "../test.h"
#include "files.h"

enum { VIEWED = 9 * 7 * 5, VIEWED_AT = 64 };

extern const int64_t viewed_shape[3];

void put_viewed(bytes *b, int byte_order);
/* A file of that name that holds one; its path. */
const char *write_viewed(const char *name);

/* A layout of a source, with options as ap_options_parse takes them. */
ap_proxy *open_parsed(const ap_source *source, ap_dtype dtype, int byte_order, int ndim,
                      const int64_t *sides, int order, uint64_t offset, double slope,
                      const char *options);
/* The array in the caller's memory, and in a file. */
ap_proxy *open_viewed_memory(const void *data, size_t size, int order);
ap_proxy *open_viewed(const char *path, int order, const char *options);

/* A view that there must be, and one that there must not. */
ap_array *view_of(const ap_proxy *proxy, const ap_slice *index, int nindex, uint32_t flags);
void check_no_view(ap_status wanted, const ap_proxy *proxy, const ap_slice *index, int nindex,
                   uint32_t flags);

/* Elements, shape and flags of views. `base`, if not NULL, is where element 0 in
 * storage must be. */
void check_views(const ap_proxy *proxy, uint32_t flags, uint32_t wanted_flags, const char *base);

/* Element 0 as it is read. */
int32_t read_first(const ap_proxy *proxy);

#endif
