/*
 * What the readers in C and C++ have in common: jobs in, answers out.
 *
 * A job is one line, its parts between tabs: the work, the file, and name=value
 * as often as needed. The answer is one line too: "ok", seconds, checksum of
 * all bytes of the result, and name=value; or "error" and why. Seconds cover
 * the job alone. The first line that a reader writes is its name and version.
 */
#ifndef SERVER_H
#define SERVER_H

#ifndef _GNU_SOURCE /* C++ has it */
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_PARTS 16

typedef struct {
    char *parts[MOST_PARTS];
    int count;
} job;

/* A part of an array of four axes. */
typedef struct {
    int64_t start[4];
    int64_t count[4];
} box;

/* The value of a name, or what to take without one. */
static inline const char *job_text(const job *j, const char *name, const char *without)
{
    size_t n = strlen(name);
    for (int i = 2; i < j->count; i++)
        if (strncmp(j->parts[i], name, n) == 0 && j->parts[i][n] == '=')
            return j->parts[i] + n + 1;
    return without;
}

static inline int64_t job_number(const job *j, const char *name, int64_t without)
{
    const char *text = job_text(j, name, NULL);
    return text ? strtoll(text, NULL, 10) : without;
}

static inline int job_is(const job *j, const char *name, const char *value)
{
    return strcmp(job_text(j, name, ""), value) == 0;
}

static inline double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* For a result, written to before the clock starts; the settings of the driver say
 * what comes of it. To be freed. */
static inline void *memory(size_t nbytes)
{
    void *p = malloc(nbytes);
    if (!p) {
        fprintf(stderr, "no memory for %zu bytes\n", nbytes);
        exit(1);
    }
    memset(p, 1, nbytes);
    return p;
}

/* Cheap, and another one if anything changes its place. Goes on from `sum`; all
 * parts but the last have whole words. */
static inline uint64_t checksum_on(uint64_t sum, const void *data, size_t nbytes)
{
    const unsigned char *p = (const unsigned char *)data;
    uint64_t word;
    for (; nbytes >= 8; nbytes -= 8, p += 8) {
        memcpy(&word, p, 8);
        sum = sum * 0x9E3779B97F4A7C15u + (word ^ (word >> 32));
    }
    if (nbytes > 0) {
        word = 0;
        memcpy(&word, p, nbytes);
        sum = sum * 0x9E3779B97F4A7C15u + (word ^ (word >> 32));
    }
    return sum;
}

static inline uint64_t checksum(const void *data, size_t nbytes)
{
    return checksum_on(0, data, nbytes);
}

/* The boxes of a file of eight numbers a line. To be freed. */
static inline box *boxes_of(const char *path, int64_t *count)
{
    FILE *file = fopen(path, "r");
    box *boxes = NULL, b;
    *count = 0;
    while (file && fscanf(file, "%ld %ld %ld %ld %ld %ld %ld %ld", &b.start[0], &b.start[1],
                          &b.start[2], &b.start[3], &b.count[0], &b.count[1], &b.count[2],
                          &b.count[3]) == 8) {
        if ((*count & (*count - 1)) == 0)
            boxes = (box *)realloc(boxes, (size_t)(*count ? 2 * *count : 1) * sizeof b);
        boxes[(*count)++] = b;
    }
    if (file)
        fclose(file);
    return boxes;
}

static inline size_t box_size(const box *b)
{
    return (size_t)(b->count[0] * b->count[1] * b->count[2] * b->count[3]);
}

static inline size_t boxes_size(const box *boxes, int64_t count)
{
    size_t size = 0;
    for (int64_t i = 0; i < count; i++)
        size += box_size(&boxes[i]);
    return size;
}

static inline void answer(double time, uint64_t sum, const char *more)
{
    printf("ok\t%.9f\t%016lx%s\n", time, sum, more);
    fflush(stdout);
}

static inline void failed(const char *why)
{
    printf("error\t%s\n", why);
    fflush(stdout);
}

/* Do jobs until there are no more. */
static inline void serve(const char *name, void (*work)(const job *))
{
    static char line[1 << 16];
    puts(name);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        job j;
        j.count = 0;
        line[strcspn(line, "\n")] = 0;
        for (char *part = strtok(line, "\t"); part && j.count < MOST_PARTS;
             part = strtok(NULL, "\t"))
            j.parts[j.count++] = part;
        if (j.count < 2)
            failed("a job needs a work and a file");
        else
            work(&j);
    }
}

#endif
