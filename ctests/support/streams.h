/*
 * streams.h - streams made by the tools of the compressions
 *
 * All hold one little-endian NIfTI-1 file: nifti_new of AP_INT16 and this
 * shape, element i being stripe(i).
 */
#ifndef STREAMS_H
#define STREAMS_H

#include "access.h"

enum { STRIPE = 2400, STRIPES = 50 };

static inline int stripe(int64_t i)
{
    return (int)(i / STRIPE) * 211 - 5000;
}

typedef struct {
    const char *made_by;
    int codec;
    const unsigned char *data;
    size_t size;
} stream;

extern const stream streams[];
extern const int streams_count;

#endif
