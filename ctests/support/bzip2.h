/*
 * bzip2.h - bzip2 streams made by hand
 */
#ifndef BZIP2_H
#define BZIP2_H

#include "files.h"

enum {
    BZIP2_BAD_BLOCK = 1,    /* checksum of the last block */
    BZIP2_BAD_STREAM = 2    /* checksum of all blocks, at the end */
};

/* Bytes of a block, before runs in it are packed, that no run is part of. */
enum { BZIP2_BLOCK = 4000 };

/* Append one stream of such blocks that holds `data`. */
void put_bzip2(bytes *b, const void *data, size_t n, int flags);

#endif
