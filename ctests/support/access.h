/*
 * access.h - the same bytes through every kind of source
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "../test.h"
#include "files.h"

/* The compressions, as streams made by hand. */
enum { CODEC_NONE, CODEC_GZIP, CODEC_BZIP2, CODEC_ZSTD, CODECS };

/* Name, as ap_codec has it, and ending of files' names. */
const char *codec_name(int codec);
const char *codec_suffix(int codec);
/* Append one stream that holds `data`; CODEC_NONE appends them as they are. */
void put_packed(bytes *b, int codec, const void *data, size_t n);

enum {
    ACCESS_MEMORY,
    ACCESS_MAPPED,      /* file, mapped */
    ACCESS_READ,        /* file, never mapped */
    ACCESS_REOPEN,      /* file, opened for each read */
    ACCESS_CALLBACKS,
    ACCESS_GZIP,        /* memory that holds one gzip member */
    ACCESS_MEMBERS,     /* file of many small gzip members */
    ACCESS_BZIP2,       /* file, opened for each read, of one bzip2 stream */
    ACCESS_ZSTD,        /* memory that holds one zstd frame */
    ACCESSES
};

const char *access_name(int access);
int access_compressed(int access);

/* A source that holds a copy of the bytes and frees it at the end. NULL, with a
 * failed check, if the library refuses. */
ap_source *source_by(int access, const bytes *b);
/* Options for that access, to be changed and freed. */
ap_options *options_by(int access);

/* Open an image; or elements at `offset`. NULL, with a failed check, on
 * failure. */
ap_proxy *open_by(int access, const bytes *b);
ap_proxy *layout_by(int access, const bytes *b, ap_dtype dtype, int byte_order, int ndim,
                    const int64_t *shape, int order, uint64_t offset, double slope,
                    double inter);

/* Open memory as an image with one option set, whether that succeeds or not. */
ap_status open_with_int(const bytes *b, int32_t key, int64_t value, ap_proxy **proxy);

/* Options that ask for a format, or for none if it is NULL. */
ap_options *options_for(const char *format, int strict);
/* Open a file with them, whether that succeeds or not. */
ap_status open_as(const char *path, const char *format, int strict, ap_proxy **proxy);

/* A layout at offset 0 of memory, not scaled, in native byte order. */
ap_proxy *open_elements(const bytes *b, ap_dtype dtype, int ndim, const int64_t *shape,
                        int order);
/* One whose element i in storage has the value i, of AP_INT32. */
ap_proxy *open_counted(int ndim, const int64_t *shape, int order);
void put_counted(bytes *b, int64_t count, int byte_order);

#endif
