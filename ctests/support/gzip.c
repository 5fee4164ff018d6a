/* gzip members and zlib streams made by hand: RFC 1950 to 1952. */
#include "gzip.h"
#include "../test.h"

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

static void put_stored(bytes *b, const unsigned char *data, size_t n)
{
    do {
        size_t part = n < 65535 ? n : 65535;
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

static void put_bit(bits *s, unsigned bit)
{
    s->hold |= (bit & 1) << s->held;
    if (++s->held == 8) {
        put_u8(s->out, s->hold);
        s->hold = 0;
        s->held = 0;
    }
}

static void put_code(bits *s, unsigned code, int length)
{
    while (length--)
        put_bit(s, code >> length);
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
    put_bit(&s, 1);
    put_bit(&s, 1);
    put_bit(&s, 0);
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
    while (s.held)
        put_bit(&s, 0);
}

void put_gzip(bytes *b, const void *data, size_t n, int flags)
{
    put_header(b, flags);
    if (flags & GZIP_FIXED)
        put_fixed(b, data, n);
    else
        put_stored(b, data, n);
    put_int(b, crc32_of(data, n) ^ (flags & GZIP_BAD_CRC ? 1u : 0u), 4, AP_LITTLE);
    put_int(b, n + (flags & GZIP_BAD_SIZE ? 1 : 0), 4, AP_LITTLE);
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
        put_stored(b, data, n);
    for (size_t i = 0; i < n; i++) {
        low = (low + p[i]) % 65521;
        high = (high + low) % 65521;
    }
    put_int(b, high << 16 | low, 4, AP_BIG);
}
