/*
 * gzidx.h - index files, field by field
 */
#ifndef GZIDX_H
#define GZIDX_H

#include "files.h"

enum { GZIDX_HEAD = 35, GZIDX_POINT = 18, GZIDX_WINDOW = 32768 };

typedef struct {
    uint64_t at, position;      /* byte of the file, and of the decoded data */
    unsigned bits;              /* of the byte before `at` that are the next block's */
    const unsigned char *window;    /* NULL if it has none */
} gzidx_point;

/* What a file says; it stays the owner of the windows. */
typedef struct {
    uint64_t compressed, decoded;
    uint32_t spacing;
    int points;
    gzidx_point point[200];
    size_t windows, ours;       /* where the windows and the library's part begin */
} gzidx;

/* 1 if the file has the form of an index. */
int gzidx_of(gzidx *index, const bytes *file);

/* Append one, as other programs write it: without the library's part. */
void put_gzidx(bytes *b, const gzidx *index);

#endif
