/*
 * Writes a grey PNG of 8 bits, not compressed: what a small program needs to
 * show a picture without a library for it.
 */
#ifndef PNG_H
#define PNG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* A chunk being written: every byte goes into its checksum. */
typedef struct {
    FILE *file;
    uint32_t crc;
} png_chunk;

static void png_put(png_chunk *chunk, const void *bytes, size_t size)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < size; i++) {
        chunk->crc ^= b[i];
        for (int bit = 0; bit < 8; bit++)
            chunk->crc = chunk->crc >> 1 ^ (chunk->crc & 1 ? 0xedb88320u : 0);
    }
    fwrite(bytes, 1, size, chunk->file);
}

static void png_put_u32(png_chunk *chunk, uint32_t value)
{
    unsigned char b[4];
    for (int i = 0; i < 4; i++)
        b[i] = (unsigned char)(value >> (24 - 8 * i));
    png_put(chunk, b, 4);
}

static void png_begin(png_chunk *chunk, const char *name, uint32_t size)
{
    png_put_u32(chunk, size);
    chunk->crc = 0xffffffffu; /* the checksum starts after the size */
    png_put(chunk, name, 4);
}

static void png_end(png_chunk *chunk)
{
    png_put_u32(chunk, ~chunk->crc);
}

/* Writes `width` x `height` pixels, top row first. Returns 0, or -1 if the
 * file cannot be written (see errno) or a side is not in 1..32767. */
static int png_write(const char *path, const unsigned char *pixels,
                     int width, int height)
{
    if (width < 1 || width > 32767 || height < 1 || height > 32767)
        return -1;
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    png_chunk chunk = {file, 0};
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);

    png_begin(&chunk, "IHDR", 13);
    png_put_u32(&chunk, (uint32_t)width);
    png_put_u32(&chunk, (uint32_t)height);
    png_put(&chunk, "\x08\0\0\0\0", 5); /* 8 bits, grey, no interlacing */
    png_end(&chunk);

    /* A zlib stream: each row is one stored block of deflate, which begins
     * with its length and the complement of that, and holds the row's filter
     * (0, none) before the pixels. */
    unsigned length = (unsigned)width + 1;
    unsigned char begin[6] = {0, (unsigned char)length, (unsigned char)(length >> 8),
                              (unsigned char)~length, (unsigned char)(~length >> 8), 0};
    uint32_t a = 1, b = 0; /* Adler-32 */
    png_begin(&chunk, "IDAT", 2 + (uint32_t)height * (5 + length) + 4);
    png_put(&chunk, "\x78\x01", 2);
    for (int y = 0; y < height; y++) {
        const unsigned char *row = pixels + (size_t)y * (size_t)width;
        begin[0] = y == height - 1; /* marks the last block */
        png_put(&chunk, begin, 6);
        png_put(&chunk, row, (size_t)width);
        b = (b + a) % 65521;
        for (int x = 0; x < width; x++) {
            a = (a + row[x]) % 65521;
            b = (b + a) % 65521;
        }
    }
    png_put_u32(&chunk, b << 16 | a);
    png_end(&chunk);

    png_begin(&chunk, "IEND", 0);
    png_end(&chunk);
    int failed = ferror(file);
    return fclose(file) || failed ? -1 : 0;
}

#endif
