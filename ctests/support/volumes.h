/*
 * volumes.h - series: files of one volume each that make one array
 *
 * Voxel e of file i has the value e + VOXELS * i, of AP_INT32.
 */
#ifndef VOLUMES_H
#define VOLUMES_H

#include "access.h"
#include "nifti.h"

enum { VOXELS = 4 * 3 * 2 };

extern const int64_t volume_shape[3];

/* The header of each file: zooms 2, 3 and 4.5, and an affine. */
nifti volume_header(int version, int order);
/* The voxels of file i. */
void put_voxels(bytes *b, int i, int order);
/* A file of that name: a header and the voxels of file i. Returns its path. */
const char *write_volume_as(const char *name, const nifti *n, int i, int codec);
/* File i of a series whose files take turns with the first `codecs`
 * compressions, by a name of its own; and its path alone. */
const char *write_volume(int i, int codecs);
const char *volume_path(int i, int codecs);

/* A list of the files. */
ap_series *list_paths(const char *const *paths, int n);
/* Open files with options as ap_options_parse takes them, whether that succeeds
 * or not; or, with a failed check on failure. */
ap_status try_list(const ap_series *list, const char *options, ap_proxy **proxy);
ap_status try_paths(const char *const *paths, int n, const char *options, ap_proxy **proxy);
ap_proxy *open_paths(const char *const *paths, int n, const char *options);
/* Write and open a series of `n` files. */
ap_proxy *open_volumes(int n, int codecs, const char *options);

/* Read whole volumes, turned and stepped, and one voxel of all files. */
void check_volumes(const ap_proxy *proxy);

#endif
