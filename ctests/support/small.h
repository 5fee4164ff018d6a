/*
 * small.h - images of 4 x 3 x 2 elements, which are 100, 101, ... of AP_INT16
 */
#ifndef SMALL_H
#define SMALL_H

#include "../test.h"
#include "files.h"
#include "nifti.h"

extern const int64_t small_shape[3];

void put_small(bytes *b, int order);
int small_right(const ap_proxy *proxy);

/* Names of the formats that have such a header: Analyze's family. */
extern const char *const analyze_formats[3];
/* A sound header of Analyze. */
nifti small_analyze(int order);
/* A header of chosen fields, and the sound image beside it. */
const char *write_small_pair(const nifti *n);
ap_proxy *open_small_pair(const nifti *n, const char *format);

#endif
