/* MGH files with chosen fields. */
#include "mgh.h"

#include <string.h>

int mgh_code(ap_dtype dtype)
{
    static const int codes[][2] = {
        {AP_UINT8, 0}, {AP_INT32, 1}, {AP_FLOAT32, 3}, {AP_INT16, 4}, {AP_UINT16, 10}};
    for (int i = 0; i < COUNT(codes); i++)
        if (codes[i][0] == dtype)
            return codes[i][1];
    return -1;
}

mgh mgh_new(ap_dtype dtype, int ndim, const int64_t *shape)
{
    static const double coronal[9] = {-1, 0, 0, 0, 0, -1, 0, 1, 0};
    mgh m;
    memset(&m, 0, sizeof m);
    m.version = 1;
    for (int i = 0; i < 4; i++)
        m.dims[i] = i < ndim ? (int32_t)shape[i] : 1;
    m.type = mgh_code(dtype);
    m.good_ras = 1;
    m.delta[0] = m.delta[1] = m.delta[2] = 1;
    memcpy(m.mdc, coronal, sizeof m.mdc);
    return m;
}

static void put_reals(bytes *b, const double *values, int count)
{
    for (int i = 0; i < count; i++)
        put_f32(b, (float)values[i], AP_BIG);
}

void put_mgh_header(bytes *b, const mgh *m)
{
    size_t start = b->size;
    put_int(b, (uint64_t)m->version, 4, AP_BIG);
    for (int i = 0; i < 4; i++)
        put_int(b, (uint64_t)m->dims[i], 4, AP_BIG);
    put_int(b, (uint64_t)m->type, 4, AP_BIG);
    put_int(b, 0, 4, AP_BIG);               /* degrees of freedom */
    put_int(b, (uint64_t)m->good_ras, 2, AP_BIG);
    put_reals(b, m->delta, 3);
    put_reals(b, m->mdc, 9);
    put_reals(b, m->centre, 3);
    put_fill(b, 0, start + MGH_DATA - b->size);
}

void put_mgh(bytes *b, const mgh *m, const void *data, size_t nbytes)
{
    const double rest[4] = {0.5, 20, 900, 256};
    put_mgh_header(b, m);
    put(b, data, nbytes);
    if (m->footer > 0)
        put_reals(b, &m->tr, 1);
    if (m->footer > 1)
        put_reals(b, rest, m->footer - 1);
}
