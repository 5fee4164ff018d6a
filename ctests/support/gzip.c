/* gzip members and zlib streams made by hand: RFC 1950 to 1952. */
#include "gzip.h"
#include "../test.h"

#include <stdlib.h>

uint32_t crc32_of(const void *data, size_t n)
{
    static uint32_t table[256];
    const unsigned char *p = data;
    uint32_t crc = 0xffffffffu;
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++)
                c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
            table[i] = c;
        }
    for (size_t i = 0; i < n; i++)
        crc = table[(crc ^ p[i]) & 255] ^ (crc >> 8);
    return crc ^ 0xffffffffu;
}

static void put_header(bytes *b, int flags)
{
    static const unsigned char plain[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
    size_t start = b->size;
    put(b, plain, sizeof plain);
    if (!(flags & GZIP_NAMED))
        return;
    b->data[start + 3] = 0x1e;              /* name, comment, extra, CRC16 */
    put_int(b, 6, 2, AP_LITTLE);
    put(b, "XY\2\0ab", 6);
    put(b, "name.nii", 9);
    put(b, "a comment", 10);
    put_int(b, crc32_of(b->data + start, b->size - start) & 0xffff, 2, AP_LITTLE);
}

static void put_trailer(bytes *b, const void *data, size_t n, int flags)
{
    put_int(b, crc32_of(data, n) ^ (flags & GZIP_BAD_CRC ? 1u : 0u), 4, AP_LITTLE);
    put_int(b, n + (flags & GZIP_BAD_SIZE ? 1 : 0), 4, AP_LITTLE);
}

enum { LONGEST_STORED = 65535 };

static void put_stored(bytes *b, const unsigned char *data, size_t n, size_t most)
{
    do {
        size_t part = n < most ? n : most;
        put_u8(b, part == n);               /* last block or not, type 0 */
        put_int(b, part, 2, AP_LITTLE);
        put_int(b, ~(uint64_t)part, 2, AP_LITTLE);
        put(b, data, part);
        data += part;
        n -= part;
    } while (n);
}

/* Bits go into bytes from the lowest up; Huffman codes start with their
 * highest bit. */
typedef struct {
    bytes *out;
    unsigned hold;
    int held;
} bits;

static void put_bits(bits *s, unsigned value, int n)
{
    s->hold |= value << s->held;
    for (s->held += n; s->held >= 8; s->held -= 8) {
        put_u8(s->out, s->hold & 255);
        s->hold >>= 8;
    }
}

static void put_code(bits *s, unsigned code, int length)
{
    unsigned turned = 0;
    for (int i = 0; i < length; i++)
        turned |= (code >> i & 1) << (length - 1 - i);
    put_bits(s, turned, length);
}

static void align(bits *s)
{
    if (s->held)
        put_bits(s, 0, 8 - s->held);
}

static void put_symbol(bits *s, unsigned symbol)
{
    if (symbol < 144)
        put_code(s, 0x30 + symbol, 8);
    else if (symbol < 256)
        put_code(s, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        put_code(s, symbol - 256, 7);
    else
        put_code(s, 0xc0 + symbol - 280, 8);
}

/* Literals, and runs of one byte as matches of 258 bytes at distance 1. */
static void put_fixed(bytes *b, const unsigned char *data, size_t n)
{
    bits s = {0, 0, 0};
    s.out = b;
    put_bits(&s, 3, 3);                     /* last block, type 1 */
    for (size_t i = 0; i < n;) {
        size_t run = 0;
        while (i > 0 && run < 258 && i + run < n && data[i + run] == data[i - 1])
            run++;
        if (run == 258) {
            put_symbol(&s, 285);
            put_code(&s, 0, 5);
            i += 258;
        } else {
            put_symbol(&s, data[i++]);
        }
    }
    put_symbol(&s, 256);
    align(&s);
}

static void put_match(bits *s, unsigned length, unsigned distance)
{
    static const unsigned lengths[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                       31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    int code = COUNT(lengths) - 1, more = 0, far = 0;
    while (length < lengths[code])
        code--;
    if (code >= 8 && code < 28)
        more = code / 4 - 1;
    put_symbol(s, 257 + (unsigned)code);
    put_bits(s, length - lengths[code], more);
    distance--;
    for (more = 0; distance >> more >= 4; more++)
        far += 2;
    far += (int)(distance >> more);
    put_code(s, (unsigned)far, 5);
    put_bits(s, distance & ((1u << more) - 1), more);
}

/* The bytes from `at` to `end` as a block of fixed codes, with matches that
 * reach back into the blocks before. `seen` holds where three bytes stood last,
 * one further. */
static void put_matched(bits *s, const unsigned char *data, size_t at, size_t end, int last,
                        uint32_t *seen)
{
    put_bits(s, last ? 3 : 2, 3);
    while (at < end) {
        size_t length = 0, before = 0;
        if (end - at >= 3) {
            uint32_t hash = (uint32_t)data[at] | (uint32_t)data[at + 1] << 8;
            hash = (hash | (uint32_t)data[at + 2] << 16) * 0x9e3779b1u >> 17;
            before = seen[hash];
            seen[hash] = (uint32_t)at + 1;
            while (before && at - (before - 1) <= 32768 && length < 258 && at + length < end &&
                   data[before - 1 + length] == data[at + length])
                length++;
        }
        if (length >= 3) {
            put_match(s, (unsigned)length, (unsigned)(at - (before - 1)));
            at += length;
        } else {
            put_symbol(s, data[at++]);
        }
    }
    put_symbol(s, 256);
}

void put_gzip_blocks(bytes *b, const void *data, size_t n, size_t block, int flags)
{
    uint32_t *seen = need(sizeof *seen << 15);
    bits s = {0, 0, 0};
    s.out = b;
    put_header(b, flags);
    if (!(flags & GZIP_FIXED))
        put_stored(b, data, n, block);
    else
        for (size_t at = 0; at == 0 || at < n; at += block)
            put_matched(&s, data, at, n - at < block ? n : at + block, n - at <= block, seen);
    align(&s);
    put_trailer(b, data, n, flags);
    free(seen);
}

/* A member whose header tells its size. */
static void put_bgzf_member(bytes *b, const unsigned char *data, size_t n)
{
    static const unsigned char head[16] = {0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 6, 0, 'B', 'C', 2, 0};
    size_t start = b->size, size;
    uint32_t *seen = need(sizeof *seen << 15);
    bits s = {0, 0, 0};
    put(b, head, sizeof head);
    put_int(b, 0, 2, AP_LITTLE);
    s.out = b;
    put_matched(&s, data, 0, n, 1, seen);
    align(&s);
    put_trailer(b, data, n, 0);
    size = b->size - start - 1;
    b->data[start + 16] = size & 255;
    b->data[start + 17] = (unsigned char)(size >> 8);
    free(seen);
}

void put_bgzf(bytes *b, const void *data, size_t n, size_t part)
{
    const unsigned char *p = data;
    for (size_t at = 0; at < n; at += part)
        put_bgzf_member(b, p + at, n - at < part ? n - at : part);
    put_bgzf_member(b, p, 0);
}

void put_gzip(bytes *b, const void *data, size_t n, int flags)
{
    put_header(b, flags);
    if (flags & GZIP_FIXED)
        put_fixed(b, data, n);
    else
        put_stored(b, data, n, LONGEST_STORED);
    put_trailer(b, data, n, flags);
}

void put_gzip_parts(bytes *b, const void *data, size_t n, size_t part, int flags)
{
    const unsigned char *p = data;
    while (n) {
        size_t now = n < part ? n : part;
        put_gzip(b, p, now, flags);
        p += now;
        n -= now;
    }
}

void put_zlib(bytes *b, const void *data, size_t n, int flags)
{
    const unsigned char *p = data;
    uint32_t low = 1, high = 0;
    put(b, "\x78\x01", 2);
    if (flags & GZIP_FIXED)
        put_fixed(b, data, n);
    else
        put_stored(b, data, n, LONGEST_STORED);
    for (size_t i = 0; i < n; i++) {
        low = (low + p[i]) % 65521;
        high = (high + low) % 65521;
    }
    put_int(b, high << 16 | low, 4, AP_BIG);
}
