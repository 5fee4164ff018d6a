/*
 * gzip.h - gzip members and zlib streams made by hand
 */
#ifndef GZIP_H
#define GZIP_H

#include "files.h"

enum {
    GZIP_STORED = 0,    /* stored blocks */
    GZIP_FIXED = 1,     /* one block of fixed Huffman codes, with matches */
    GZIP_NAMED = 2,     /* with file name, comment, extra field, header CRC */
    GZIP_BAD_CRC = 4,
    GZIP_BAD_SIZE = 8
};

uint32_t crc32_of(const void *data, size_t n);

/* Append one member that holds `data`. */
void put_gzip(bytes *b, const void *data, size_t n, int flags);
/* The same as members of at most `part` bytes each. */
void put_gzip_parts(bytes *b, const void *data, size_t n, size_t part, int flags);
/* One member of blocks of `block` bytes; with GZIP_FIXED, they refer to those
 * before them. */
void put_gzip_blocks(bytes *b, const void *data, size_t n, size_t block, int flags);
/* As the BGZF tools do: members of `part` bytes, at most some 50,000 so that
 * they surely fit, whose headers tell their sizes, and an empty one. */
void put_bgzf(bytes *b, const void *data, size_t n, size_t part);
/* Append a zlib stream; of the flags, only the kind of block counts. */
void put_zlib(bytes *b, const void *data, size_t n, int flags);

#endif
