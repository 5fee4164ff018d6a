/* bzip2 streams made by hand. Blocks are small and their codes all of one
 * length, so streams are larger than they might be. */
#include "bzip2.h"
#include "../test.h"

#include <stdlib.h>
#include <string.h>

/* Bits go into bytes from the highest down. */
typedef struct {
    bytes *out;
    unsigned hold;
    int held;
} bits;

static void put_bits(bits *s, uint64_t value, int n)
{
    while (n--) {
        s->hold = s->hold << 1 | (unsigned)(value >> n & 1);
        if (++s->held == 8) {
            put_u8(s->out, s->hold & 255);
            s->held = 0;
        }
    }
}

/* As in gzip, but from the highest bit down. */
static uint32_t crc_of(const unsigned char *data, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= (uint32_t)data[i] << 24;
        for (int k = 0; k < 8; k++)
            crc = crc & 0x80000000u ? crc << 1 ^ 0x04c11db7u : crc << 1;
    }
    return crc ^ 0xffffffffu;
}

/* Four to 259 equal bytes become four of them and the count of the rest. Gives
 * the bytes used up. */
static size_t pack_runs(bytes *block, const unsigned char *data, size_t n)
{
    size_t used = 0;
    while (used < n && block->size < BZIP2_BLOCK) {
        size_t run = 1;
        while (run < 259 && used + run < n && data[used + run] == data[used])
            run++;
        put_fill(block, data[used], run < 4 ? run : 4);
        if (run >= 4)
            put_u8(block, (unsigned)run - 4);
        used += run;
    }
    return used;
}

/* The block twice, for its rotations. */
static const unsigned char *rotated;
static size_t rotated_size;

static int compare_rotations(const void *a, const void *b)
{
    return memcmp(rotated + *(const size_t *)a, rotated + *(const size_t *)b, rotated_size);
}

/* Burrows and Wheeler's transform: the last bytes of the sorted rotations. Gives
 * the place of the block itself among them. */
static size_t transform(bytes *block)
{
    size_t n = block->size, origin = 0, *order = need(n * sizeof *order);
    unsigned char *last = need(n), *twice = need(2 * n);
    memcpy(twice, block->data, n);
    memcpy(twice + n, block->data, n);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    rotated = twice;
    rotated_size = n;
    qsort(order, n, sizeof *order, compare_rotations);
    for (size_t i = 0; i < n; i++) {
        last[i] = twice[order[i] + n - 1];
        if (order[i] == 0)
            origin = i;
    }
    memcpy(block->data, last, n);
    free(order);
    free(last);
    free(twice);
    return origin;
}

/* Symbols: 0 and 1 are the digits of a run of zeros, then a byte's place in the
 * list of those used last, then the end. */
enum { BYTES = 256, END = BYTES + 1, SYMBOLS, BITS = 9, GROUP = 50 };

static void put_run(bytes *symbols, size_t run)
{
    for (; run; run = (run - 1) / 2)
        put_int(symbols, (run - 1) & 1, 2, AP_LITTLE);
}

static void put_symbols(bytes *symbols, const bytes *block)
{
    unsigned char list[BYTES];
    size_t run = 0;
    for (int i = 0; i < BYTES; i++)
        list[i] = (unsigned char)i;
    for (size_t i = 0; i < block->size; i++) {
        unsigned char byte = block->data[i];
        size_t place = (size_t)((unsigned char *)memchr(list, byte, BYTES) - list);
        memmove(list + 1, list, place);
        list[0] = byte;
        if (place == 0) {
            run++;
            continue;
        }
        put_run(symbols, run);
        put_int(symbols, place + 1, 2, AP_LITTLE);
        run = 0;
    }
    put_run(symbols, run);
    put_int(symbols, END, 2, AP_LITTLE);
}

static void put_block(bits *s, bytes *block, uint32_t crc)
{
    bytes symbols = {0};
    put_bits(s, UINT64_C(0x314159265359), 48);
    put_bits(s, crc, 32);
    put_bits(s, 0, 1);                      /* not randomised */
    put_bits(s, transform(block), 24);
    for (int i = 0; i < 17; i++)            /* all bytes occur */
        put_bits(s, 0xffff, 16);
    put_symbols(&symbols, block);
    size_t groups = (symbols.size / 2 + GROUP - 1) / GROUP;
    put_bits(s, 2, 3);                      /* two tables, the least; */
    put_bits(s, groups, 15);
    for (size_t i = 0; i < groups; i++)     /* all groups use the first */
        put_bits(s, 0, 1);
    for (int table = 0; table < 2; table++) {
        put_bits(s, BITS, 5);
        for (int i = 0; i < SYMBOLS; i++)   /* all codes are as long */
            put_bits(s, 0, 1);
    }
    for (size_t i = 0; i < symbols.size; i += 2)
        put_bits(s, symbols.data[i] | (unsigned)symbols.data[i + 1] << 8, BITS);
    bytes_free(&symbols);
}

void put_bzip2(bytes *b, const void *data, size_t n, int flags)
{
    const unsigned char *p = data;
    bits s = {0, 0, 0};
    uint32_t all = 0;
    s.out = b;
    put(b, "BZh1", 4);
    while (n) {
        bytes block = {0};
        size_t used = pack_runs(&block, p, n);
        uint32_t crc = crc_of(p, used);
        if (flags & BZIP2_BAD_BLOCK && used == n)
            crc ^= 1;
        all = (all << 1 | all >> 31) ^ crc;
        put_block(&s, &block, crc);
        bytes_free(&block);
        p += used;
        n -= used;
    }
    put_bits(&s, UINT64_C(0x177245385090), 48);
    put_bits(&s, all ^ (flags & BZIP2_BAD_STREAM ? 1u : 0u), 32);
    while (s.held)
        put_bits(&s, 0, 1);
}
