/* Index files, field by field. */
#include "gzidx.h"
#include "../test.h"

#include <string.h>

static uint64_t little(const unsigned char *p, int size)
{
    uint64_t value = 0;
    while (size--)
        value = value << 8 | p[size];
    return value;
}

int gzidx_of(gzidx *index, const bytes *file)
{
    const unsigned char *p = file->data;
    memset(index, 0, sizeof *index);
    if (file->size < GZIDX_HEAD || memcmp(p, "GZIDX\1\0", 7) ||
        little(p + 27, 4) != GZIDX_WINDOW || little(p + 31, 4) > (uint64_t)COUNT(index->point))
        return 0;
    index->compressed = little(p + 7, 8);
    index->decoded = little(p + 15, 8);
    index->spacing = (uint32_t)little(p + 23, 4);
    index->points = (int)little(p + 31, 4);
    index->windows = GZIDX_HEAD + (size_t)index->points * GZIDX_POINT;
    index->ours = index->windows;
    if (file->size < index->windows)
        return 0;
    for (int i = 0; i < index->points; i++) {
        const unsigned char *field = p + GZIDX_HEAD + i * GZIDX_POINT;
        gzidx_point *point = &index->point[i];
        point->at = little(field, 8);
        point->position = little(field + 8, 8);
        point->bits = field[16];
        if (field[17] > 1)
            return 0;
        if (field[17]) {
            point->window = p + index->ours;
            index->ours += GZIDX_WINDOW;
        }
    }
    return index->ours <= file->size;
}

void put_gzidx(bytes *b, const gzidx *index)
{
    put(b, "GZIDX\1\0", 7);
    put_int(b, index->compressed, 8, AP_LITTLE);
    put_int(b, index->decoded, 8, AP_LITTLE);
    put_int(b, index->spacing, 4, AP_LITTLE);
    put_int(b, GZIDX_WINDOW, 4, AP_LITTLE);
    put_int(b, (uint64_t)index->points, 4, AP_LITTLE);
    for (int i = 0; i < index->points; i++) {
        put_int(b, index->point[i].at, 8, AP_LITTLE);
        put_int(b, index->point[i].position, 8, AP_LITTLE);
        put_u8(b, index->point[i].bits);
        put_u8(b, index->point[i].window != NULL);
    }
    for (int i = 0; i < index->points; i++)
        if (index->point[i].window)
            put(b, index->point[i].window, GZIDX_WINDOW);
}
