/*
 * series.h - images of many rows, in every compression, and walks over them
 *
 * Element i, in the order of storage, has the value i: AP_INT32 of ROW x rows.
 */
#ifndef SERIES_H
#define SERIES_H

#include "access.h"

enum {
    ROW = 1024,             /* elements */
    ROW_BYTES = 4 * ROW,
    SERIES_HEAD = 352,      /* bytes before the data */
    SERIES_BLOCK = 16000    /* decoded bytes of a deflate block */
};

enum {
    SERIES_PLAIN,
    SERIES_GZIP,            /* one member of many blocks that need those before them */
    SERIES_STORED,          /* one member of stored blocks of SERIES_BLOCK bytes */
    SERIES_MEMBERS,         /* members of 20,000 bytes */
    SERIES_BGZF,
    SERIES_BZIP2,           /* blocks of BZIP2_BLOCK bytes */
    SERIES_ZSTD,            /* frames of 50,000 bytes */
    SERIES_KINDS
};

const char *series_name(int kind);
int series_codec(int kind);
int series_is_gzip(int kind);

/* Decoded bytes of an image. */
int64_t series_bytes(int64_t rows);
/* Append an image; or compress the bytes of one as the kind says. */
void put_series(bytes *b, int kind, int64_t rows);
void pack_series(bytes *b, int kind, const bytes *plain);
/* A file of its own that holds one. */
const char *write_series(int kind, int64_t rows);

/* Open with options as ap_options_parse takes them: NULL, with a failed check,
 * on failure; or whether that succeeds or not. */
ap_proxy *open_series(const char *path, const char *options);
ap_status try_series(const char *path, const char *options, ap_proxy **proxy);

/* Reads whose values are looked at, for any thread: AP_OK, the status of the
 * read that failed, or WRONG_VALUES. */
enum { WRONG_VALUES = 1 };

enum {
    WALK_FORWARD,           /* row after row */
    WALK_BACKWARD,
    WALK_RANDOM,            /* some rows, now and then the same */
    WALK_WHOLE,             /* all in one read, of two types */
    WALK_TURNED,            /* all in one read, the last element first */
    WALK_COLUMN,            /* one element of every row */
    WALKS
};
ap_status walk_series(const ap_proxy *proxy, int64_t rows, int walk, ap_error *e);
ap_status read_rows(const ap_proxy *proxy, int64_t from, int64_t to, ap_error *e);

/* Walks of all kinds, beginning with a given one. Checks in the main thread. */
#define CHECK_WALKS(proxy, rows, first)                                                     \
    do {                                                                                    \
        for (int walk_ = 0; walk_ < WALKS; walk_++)                                         \
            CHECK_OK(walk_series(proxy, rows, (walk_ + (first)) % WALKS, &err));            \
    } while (0)

/* What ap_seekindex_info tells. */
typedef struct {
    int64_t points, covered, memory;
} info;

info info_of(const ap_proxy *proxy);
int same_info(info a, info b);

#endif
