/* zstd frames made by hand: RFC 8878. */
#include "zstd.h"
#include "../test.h"

#include <string.h>

static const uint64_t prime[5] = {
    UINT64_C(0x9e3779b185ebca87), UINT64_C(0xc2b2ae3d27d4eb4f), UINT64_C(0x165667b19e3779f9),
    UINT64_C(0x85ebca77c2b2ae63), UINT64_C(0x27d4eb2f165667c5)};

static uint64_t turned(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static uint64_t little(const unsigned char *p, int size)
{
    uint64_t value = 0;
    while (size--)
        value = value << 8 | p[size];
    return value;
}

static uint64_t mixed(uint64_t lane, uint64_t input)
{
    return turned(lane + input * prime[1], 31) * prime[0];
}

/* XXH64 with seed 0. */
static uint64_t xxh64(const unsigned char *p, size_t n)
{
    const unsigned char *end = p + n;
    uint64_t hash = prime[4];
    if (n >= 32) {
        uint64_t lane[4] = {prime[0] + prime[1], prime[1], 0, 0 - prime[0]};
        for (; end - p >= 32; p += 32)
            for (int i = 0; i < 4; i++)
                lane[i] = mixed(lane[i], little(p + 8 * i, 8));
        hash = turned(lane[0], 1) + turned(lane[1], 7) + turned(lane[2], 12) + turned(lane[3], 18);
        for (int i = 0; i < 4; i++)
            hash = (hash ^ mixed(0, lane[i])) * prime[0] + prime[3];
    }
    hash += n;
    for (; end - p >= 8; p += 8)
        hash = turned(hash ^ mixed(0, little(p, 8)), 27) * prime[0] + prime[3];
    for (; end - p >= 4; p += 4)
        hash = turned(hash ^ little(p, 4) * prime[0], 23) * prime[1] + prime[2];
    for (; p < end; p++)
        hash = turned(hash ^ *p * prime[4], 11) * prime[0];
    hash = (hash ^ hash >> 33) * prime[1];
    hash = (hash ^ hash >> 29) * prime[2];
    return hash ^ hash >> 32;
}

static void put_block(bytes *b, const unsigned char *data, size_t n, int last)
{
    size_t same = 1;
    while (same < n && data[same] == data[0])
        same++;
    int repeated = n > 1 && same == n;
    put_int(b, (uint64_t)n << 3 | (uint64_t)repeated << 1 | (uint64_t)last, 3, AP_LITTLE);
    put(b, data, repeated ? 1 : n);
}

void put_zstd_window(bytes *b, const void *data, size_t n, int flags, int window_log)
{
    const unsigned char *p = data;
    unsigned sized = flags & ZSTD_SIZED ? 0xa0 : 0, checked = flags & ZSTD_CHECKED ? 4 : 0;
    unsigned dictionary = flags & ZSTD_DICTIONARY ? 1 : 0;
    uint64_t sum = xxh64(p, n);
    put(b, "\x28\xb5\x2f\xfd", 4);
    put_u8(b, sized | checked | dictionary);
    if (!sized)
        put_u8(b, (unsigned)(window_log - 10) << 3);
    if (dictionary)
        put_u8(b, 7);
    if (sized)
        put_int(b, n, 4, AP_LITTLE);
    do {
        size_t part = n < ZSTD_BLOCK ? n : ZSTD_BLOCK;
        put_block(b, p, part, part == n);
        p += part;
        n -= part;
    } while (n);
    if (checked)
        put_int(b, flags & ZSTD_BAD_SUM ? ~sum : sum, 4, AP_LITTLE);
}

void put_zstd(bytes *b, const void *data, size_t n, int flags)
{
    put_zstd_window(b, data, n, flags, 17);
}

void put_zstd_skippable(bytes *b, int kind, size_t n)
{
    put_int(b, 0x184d2a50u + (unsigned)kind, 4, AP_LITTLE);
    put_int(b, n, 4, AP_LITTLE);
    put_fill(b, 's', n);
}
