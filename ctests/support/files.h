/*
 * files.h - bytes in memory and files in a temporary folder
 */
#ifndef FILES_H
#define FILES_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that grow. Start with {0}, end with bytes_free. */
typedef struct {
    unsigned char *data;
    size_t size, room;
} bytes;

void put(bytes *b, const void *data, size_t n);
void put_fill(bytes *b, int value, size_t n);
void put_u8(bytes *b, unsigned value);
/* The low `size` bytes of `value`; `order` is AP_LITTLE or AP_BIG. */
void put_int(bytes *b, uint64_t value, int size, int order);
void put_f32(bytes *b, float value, int order);
void put_f64(bytes *b, double value, int order);
void bytes_free(bytes *b);

/* The byte order of this machine. */
int native_order(void);

/* Memory that must be had; zeroed. */
void *need(size_t n);

/* A copy of `n` bytes (zeros if `data` is NULL) between two pages that cannot
 * be touched: right before the second one, or right behind the first one. Never
 * freed. */
void *at_end_of_page(const void *data, size_t n);
void *at_start_of_page(const void *data, size_t n);

/* Files that are open, as the system tells. */
int open_files(void);

/* Path of `name` in the program's temporary folder, made at the first call.
 * The text stays valid until the end of the program. */
const char *temp_path(const char *name);
void temp_remove(void);

/* These end the program if the system fails. */
void write_file(const char *path, const void *data, size_t n);
void write_bytes(const char *path, const bytes *b);
/* Append what a file holds. */
void read_file(bytes *b, const char *path);
/* Set the time of the last change to `seconds` after 1970. */
void set_mtime(const char *path, int64_t seconds);

#endif
