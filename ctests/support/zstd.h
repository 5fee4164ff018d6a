/*
 * zstd.h - zstd frames made by hand
 */
#ifndef ZSTD_H
#define ZSTD_H

#include "files.h"

enum {
    ZSTD_PLAIN = 0,
    ZSTD_SIZED = 1,         /* the header tells the size of the content */
    ZSTD_CHECKED = 2,       /* with a checksum */
    ZSTD_BAD_SUM = 4,       /* the checksum is wrong; ZSTD_CHECKED too */
    ZSTD_DICTIONARY = 8     /* the header asks for dictionary 7 */
};

/* Bytes of a block. */
enum { ZSTD_BLOCK = 3000 };

/* Append one frame that holds `data`: blocks of one repeated byte, and of bytes
 * as they are. The window is of 2^`window_log` bytes, unless ZSTD_SIZED. */
void put_zstd_window(bytes *b, const void *data, size_t n, int flags, int window_log);
/* The same with a window of 128 KiB. */
void put_zstd(bytes *b, const void *data, size_t n, int flags);
/* Append skippable frame number `kind`, 0 to 15, of `n` bytes. */
void put_zstd_skippable(bytes *b, int kind, size_t n);

#endif
