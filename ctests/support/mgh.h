/*
 * mgh.h - MGH files with chosen fields
 */
#ifndef MGH_H
#define MGH_H

#include "../test.h"
#include "files.h"

/* The fields that the library reads; mgh_new gives a sound file. All is
 * big-endian. */
typedef struct {
    int32_t version;
    int32_t dims[4];
    int32_t type;
    int good_ras;
    double delta[3];
    double mdc[9];          /* one direction after the other */
    double centre[3];
    int footer;             /* how many numbers stand behind the data: tr, ... */
    double tr;
} mgh;

enum { MGH_DATA = 284 };

/* Up to four axes; zooms 1, directions of scanners' volumes, no footer. */
mgh mgh_new(ap_dtype dtype, int ndim, const int64_t *shape);

/* MGH's code for a type, or -1 if it has none. */
int mgh_code(ap_dtype dtype);

/* Append the 284 bytes of the header. */
void put_mgh_header(bytes *b, const mgh *m);
/* Header, data and footer. */
void put_mgh(bytes *b, const mgh *m, const void *data, size_t nbytes);

#endif
