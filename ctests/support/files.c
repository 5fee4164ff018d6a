/* Bytes in memory and files in a temporary folder. */
#include "files.h"
#include "../test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void die(const char *what)
{
    perror(what);
    temp_remove();
    exit(2);
}

void *need(size_t n)
{
    void *p = calloc(n ? n : 1, 1);
    if (!p)
        die("calloc");
    return p;
}

void put(bytes *b, const void *data, size_t n)
{
    if (b->size + n > b->room) {
        size_t room = (b->size + n) * 2 + 64;
        unsigned char *grown = realloc(b->data, room);
        if (!grown)
            die("realloc");
        b->data = grown;
        b->room = room;
    }
    if (n)
        memcpy(b->data + b->size, data, n);
    b->size += n;
}

void put_fill(bytes *b, int value, size_t n)
{
    unsigned char block[4096];
    memset(block, value, sizeof block);
    while (n) {
        size_t part = n < sizeof block ? n : sizeof block;
        put(b, block, part);
        n -= part;
    }
}

void put_u8(bytes *b, unsigned value)
{
    unsigned char byte = (unsigned char)value;
    if (b->size < b->room)          /* most bytes come one by one */
        b->data[b->size++] = byte;
    else
        put(b, &byte, 1);
}

void put_int(bytes *b, uint64_t value, int size, int order)
{
    unsigned char digits[8];
    for (int i = 0; i < size; i++)
        digits[order == AP_LITTLE ? i : size - 1 - i] = (unsigned char)(value >> (8 * i));
    put(b, digits, (size_t)size);
}

void put_f32(bytes *b, float value, int order)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    put_int(b, bits, 4, order);
}

void put_f64(bytes *b, double value, int order)
{
    uint64_t bits;
    memcpy(&bits, &value, 8);
    put_int(b, bits, 8, order);
}

void bytes_free(bytes *b)
{
    free(b->data);
    b->data = NULL;
    b->size = b->room = 0;
}

static char *guarded_pages(size_t n, size_t *room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    *room = (n / page + 1) * page;
    char *p = mmap(NULL, *room + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0);
    if (p == MAP_FAILED || mprotect(p, page, PROT_NONE) ||
        mprotect(p + page + *room, page, PROT_NONE))
        die("mmap");
    return p + page;
}

void *at_end_of_page(const void *data, size_t n)
{
    size_t room;
    char *p = guarded_pages(n, &room);
    if (data)
        memcpy(p + room - n, data, n);
    return p + room - n;
}

void *at_start_of_page(const void *data, size_t n)
{
    size_t room;
    char *p = guarded_pages(n, &room);
    if (data)
        memcpy(p, data, n);
    return p;
}

int open_files(void)
{
    int count = -3;             /* ".", ".." and the list itself */
    DIR *list = opendir("/proc/self/fd");
    if (!list)
        die("/proc/self/fd");
    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

int native_order(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first ? AP_LITTLE : AP_BIG;
}

/* Every path handed out, to be freed at the end. */
typedef struct given {
    struct given *next;
    char path[1];
} given;

static char folder[1000];
static given *paths;

const char *temp_path(const char *name)
{
    if (!folder[0]) {
        const char *base = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/ctests-XXXXXX", base && base[0] ? base : "/tmp");
        if (!mkdtemp(folder)) {
            perror(folder);
            exit(2);
        }
    }
    size_t n = strlen(folder) + strlen(name) + 2;
    given *g = need(sizeof *g + n);
    snprintf(g->path, n, "%s/%s", folder, name);
    g->next = paths;
    paths = g;
    return g->path;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void temp_remove(void)
{
    if (folder[0])
        nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    folder[0] = 0;
    while (paths) {
        given *next = paths->next;
        free(paths);
        paths = next;
    }
}

void write_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        die(path);
    if (n && fwrite(data, 1, n, f) != n)
        die(path);
    if (fclose(f))
        die(path);
}

void write_bytes(const char *path, const bytes *b)
{
    write_file(path, b->data, b->size);
}

void read_file(bytes *b, const char *path)
{
    unsigned char block[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f)
        die(path);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        put(b, block, n);
    if (ferror(f) || fclose(f))
        die(path);
}

void set_mtime(const char *path, int64_t seconds)
{
    struct timespec times[2];
    memset(times, 0, sizeof times);
    times[0].tv_sec = times[1].tv_sec = (time_t)seconds;
    if (utimensat(AT_FDCWD, path, times, 0))
        die(path);
}
