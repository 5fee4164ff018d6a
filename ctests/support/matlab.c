/* .mat files of Matlab's levels 4 and 5, after "MAT-File Format". */
#include "matlab.h"
#include "gzip.h"
#include "numbers.h"

#include <string.h>

matrix matrix_new(int level, int order, const char *name, const double *rows)
{
    matrix m;
    memset(&m, 0, sizeof m);
    m.level = level;
    m.order = order;
    m.name = name;
    m.kind = MATLAB_DOUBLE;
    m.dtype = AP_FLOAT64;
    m.ndim = 2;
    m.dims[0] = m.dims[1] = 4;
    for (int i = 0; i < 16; i++)
        m.values[i % 4 * 4 + i / 4] = rows[i];
    return m;
}

static size_t count_of(const matrix *m)
{
    size_t count = 1;
    for (int i = 0; i < m->ndim; i++)
        count *= (size_t)m->dims[i];
    return count;
}

static void put_values(bytes *b, const matrix *m, int imaginary)
{
    for (size_t i = 0; i < count_of(m); i++) {
        double value = imaginary ? 99 : m->values[i];
        int real = kind_of(m->dtype) == KIND_FLOAT;
        put_number(b, m->dtype, m->order, real ? from_real(value) : from_int((int64_t)value));
    }
}

static void put_level4(bytes *b, const matrix *m)
{
    static const ap_dtype types[] = {AP_FLOAT64, AP_FLOAT32, AP_INT32, AP_INT16, AP_UINT16,
                                     AP_UINT8};
    unsigned type = m->order == AP_BIG ? 1000 : 0;
    for (unsigned i = 0; i < 6; i++)
        if (types[i] == m->dtype)
            type += 10 * i;
    put_int(b, type + (m->kind == MATLAB_CHAR), 4, m->order);
    put_int(b, (uint64_t)m->dims[0], 4, m->order);
    put_int(b, (uint64_t)m->dims[1], 4, m->order);
    put_int(b, !!(m->flags & MATLAB_COMPLEX), 4, m->order);
    put_int(b, strlen(m->name) + 1, 4, m->order);
    put(b, m->name, strlen(m->name) + 1);
    put_values(b, m, 0);
    if (m->flags & MATLAB_COMPLEX)
        put_values(b, m, 1);
}

/* Types of elements. */
enum { ELEMENT_INT8 = 1, ELEMENT_INT32 = 5, ELEMENT_UINT32 = 6, ELEMENT_MATRIX = 14,
       ELEMENT_PACKED = 15 };

static int element_type(ap_dtype dtype)
{
    static const ap_dtype types[] = {0,         AP_INT8,    AP_UINT8,  AP_INT16, AP_UINT16,
                                     AP_INT32,  AP_UINT32,  AP_FLOAT32, 0,       AP_FLOAT64,
                                     0,         0,          AP_INT64,  AP_UINT64};
    for (int i = 0; i < COUNT(types); i++)
        if (types[i] == dtype)
            return i;
    return 0;
}

/* Up to four bytes can stand where their number would. */
static void put_element(bytes *b, const matrix *m, int type, const void *data, size_t n)
{
    if (n > 0 && n <= 4 && !(m->flags & MATLAB_WIDE)) {
        put_int(b, (uint64_t)n << 16 | (uint64_t)type, 4, m->order);
        put(b, data, n);
        put_fill(b, 0, 4 - n);
    } else {
        put_int(b, (uint64_t)type, 4, m->order);
        put_int(b, n, 4, m->order);
        put(b, data, n);
        put_fill(b, 0, (8 - n % 8) % 8);
    }
}

static void put_part(bytes *b, const matrix *m, int imaginary)
{
    bytes part = {0};
    put_values(&part, m, imaginary);
    put_element(b, m, element_type(m->dtype), part.data, part.size);
    bytes_free(&part);
}

static void put_level5(bytes *b, const matrix *m)
{
    bytes inside = {0}, part = {0}, element = {0};
    put_int(&part, (uint64_t)(m->kind | (m->flags & 0xff00)), 4, m->order);
    put_int(&part, 0, 4, m->order);
    put_element(&inside, m, ELEMENT_UINT32, part.data, part.size);
    part.size = 0;
    for (int i = 0; i < m->ndim; i++)
        put_int(&part, (uint64_t)m->dims[i], 4, m->order);
    put_element(&inside, m, ELEMENT_INT32, part.data, part.size);
    put_element(&inside, m, ELEMENT_INT8, m->name, strlen(m->name));
    if (m->kind == MATLAB_CELL) {
        matrix cell = *m;
        cell.name = "";
        cell.kind = MATLAB_DOUBLE;
        cell.flags &= MATLAB_WIDE;
        for (size_t i = 0; i < count_of(m); i++)
            put_level5(&inside, &cell);
    } else {
        put_part(&inside, m, 0);
        if (m->flags & MATLAB_COMPLEX)
            put_part(&inside, m, 1);
    }
    put_element(&element, m, ELEMENT_MATRIX, inside.data, inside.size);
    if (m->flags & MATLAB_PACKED) {
        part.size = 0;
        put_zlib(&part, element.data, element.size, GZIP_FIXED);
        put_int(b, ELEMENT_PACKED, 4, m->order);
        put_int(b, part.size, 4, m->order);
        put(b, part.data, part.size);
    } else {
        put(b, element.data, element.size);
    }
    bytes_free(&inside);
    bytes_free(&part);
    bytes_free(&element);
}

void put_mat_header(bytes *b, int level, int order)
{
    static const char text[] = "MATLAB 5.0 MAT-file, Platform: GLNX86, Created on: a day";
    if (level == 4)
        return;
    put(b, text, sizeof text - 1);
    put_fill(b, ' ', 116 - (sizeof text - 1));
    put_fill(b, 0, 8);
    put_int(b, 0x100, 2, order);
    put_int(b, 0x4d49, 2, order);
}

void put_mat(bytes *b, const matrix *m)
{
    if (m->level == 4)
        put_level4(b, m);
    else
        put_level5(b, m);
}

void put_mat_file(bytes *b, const matrix *m)
{
    put_mat_header(b, m->level, m->order);
    put_mat(b, m);
}
