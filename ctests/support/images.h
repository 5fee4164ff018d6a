/*
 * images.h - images, and what is asked of their data, in few words
 *
 * All that opens or loads gives NULL, with a failed check, on failure.
 */
#ifndef IMAGES_H
#define IMAGES_H

#include "../test.h"

/* 4 x 3 x 2 voxels of int16, stored as 100, 101, ..., which mean 0, 0.5, 1, ... */
const char *scaled_file(void);

/* nib.load(path), which is ap_image_open */
ap_image *open_image(const char *path);

/* img.get_data(), which is ap_image_data, with a type and flags or without */
ap_array *get_data_as(const ap_image *image, ap_dtype dtype, uint32_t flags);
ap_array *get_data(const ap_image *image);

/* `a is b`: two handles, one memory; and with a handle less */
int is(const ap_array *a, const ap_array *b);
int is_and_free(const ap_array *a, ap_array *b);

/* a[x, y, z] as float64, whatever the type and the strides */
double at(const ap_array *a, int x, int y, int z);

/* np.arange(24, dtype=np.int16).reshape((4, 3, 2), order='F') */
ap_array *arange(void);

/* np.diag([2, 3, 4, 1]) */
extern const double diag[16];

#endif
