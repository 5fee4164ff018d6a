/* NIfTI and Analyze files with chosen fields. */
#include "nifti.h"

#include <math.h>
#include <string.h>

int nifti_code(ap_dtype dtype)
{
    static const int codes[][2] = {
        {AP_UINT8, 2},     {AP_INT16, 4},     {AP_INT32, 8},       {AP_FLOAT32, 16},
        {AP_COMPLEX64, 32}, {AP_FLOAT64, 64}, {AP_RGB24, 128},     {AP_INT8, 256},
        {AP_UINT16, 512},  {AP_UINT32, 768},  {AP_INT64, 1024},    {AP_UINT64, 1280},
        {AP_FLOAT128, 1536}, {AP_COMPLEX128, 1792}, {AP_COMPLEX256, 2048}, {AP_RGBA32, 2304},
    };
    for (int i = 0; i < COUNT(codes); i++)
        if (codes[i][0] == dtype)
            return codes[i][1];
    return 0;
}

nifti nifti_new(int version, int order, ap_dtype dtype, int ndim, const int64_t *shape)
{
    static const unsigned char eol[4] = {0x0d, 0x0a, 0x1a, 0x0a};
    nifti n;
    memset(&n, 0, sizeof n);
    n.version = version;
    n.order = order;
    n.sizeof_hdr = version == 1 ? 348 : 540;
    n.magic = version == 1 ? "n+1" : "n+2";
    memcpy(n.eol, eol, sizeof eol);
    n.dim[0] = ndim;
    for (int i = 1; i < 8; i++) {
        n.dim[i] = i <= ndim ? shape[i - 1] : 1;
        n.pixdim[i] = 1;
    }
    n.pixdim[0] = 1;
    n.datatype = nifti_code(dtype);
    n.bitpix = 8 * (dtype & 255);
    n.vox_offset = version == 1 ? 352 : 544;
    n.slope = 1;
    return n;
}

nifti nifti_pair(int version, int order, ap_dtype dtype, int ndim, const int64_t *shape)
{
    nifti n = nifti_new(version, order, dtype, ndim, shape);
    n.magic = version == 1 ? "ni1" : "ni2";
    n.vox_offset = 0;
    return n;
}

nifti analyze_new(int order, ap_dtype dtype, int ndim, const int64_t *shape)
{
    nifti n = nifti_pair(1, order, dtype, ndim, shape);
    n.magic = NULL;
    return n;
}

static void put_reals(bytes *b, const nifti *n, const double *values, int count)
{
    for (int i = 0; i < count; i++) {
        if (n->version == 1)
            put_f32(b, (float)values[i], n->order);
        else
            put_f64(b, values[i], n->order);
    }
}

static void put_magic(bytes *b, const char *magic)
{
    char four[4] = {0};
    for (int i = 0; i < 4 && magic[i]; i++)
        four[i] = magic[i];
    put(b, four, 4);
}

static void fill_to(bytes *b, size_t start, size_t end)
{
    if (b->size < start + end)
        put_fill(b, 0, start + end - b->size);
}

static void put_nifti1(bytes *b, const nifti *n)
{
    size_t start = b->size;
    put_int(b, (uint64_t)n->sizeof_hdr, 4, n->order);
    fill_to(b, start, 40);
    for (int i = 0; i < 8; i++)
        put_int(b, (uint64_t)n->dim[i], 2, n->order);
    fill_to(b, start, 70);
    put_int(b, (uint64_t)n->datatype, 2, n->order);
    put_int(b, (uint64_t)n->bitpix, 2, n->order);
    fill_to(b, start, 76);
    put_reals(b, n, n->pixdim, 8);
    put_reals(b, n, &n->vox_offset, 1);
    put_reals(b, n, &n->slope, 1);
    put_reals(b, n, &n->inter, 1);
    fill_to(b, start, 124);
    put_reals(b, n, &n->cal_max, 1);
    put_reals(b, n, &n->cal_min, 1);
    fill_to(b, start, 140);
    put_int(b, (uint64_t)n->glmax, 4, n->order);
    put_int(b, (uint64_t)n->glmin, 4, n->order);
    if (!n->magic) {
        fill_to(b, start, 253);
        for (int i = 0; i < 5; i++)
            put_int(b, (uint64_t)n->origin[i], 2, n->order);
        fill_to(b, start, 348);
        return;
    }
    fill_to(b, start, 252);
    put_int(b, (uint64_t)n->qform_code, 2, n->order);
    put_int(b, (uint64_t)n->sform_code, 2, n->order);
    put_reals(b, n, n->quatern, 3);
    put_reals(b, n, n->qoffset, 3);
    put_reals(b, n, n->srow, 12);
    fill_to(b, start, 344);
    put_magic(b, n->magic);
}

static void put_nifti2(bytes *b, const nifti *n)
{
    size_t start = b->size;
    put_int(b, (uint64_t)n->sizeof_hdr, 4, n->order);
    put_magic(b, n->magic);
    put(b, n->eol, 4);
    put_int(b, (uint64_t)n->datatype, 2, n->order);
    put_int(b, (uint64_t)n->bitpix, 2, n->order);
    for (int i = 0; i < 8; i++)
        put_int(b, (uint64_t)n->dim[i], 8, n->order);
    fill_to(b, start, 104);
    put_reals(b, n, n->pixdim, 8);
    put_int(b, (uint64_t)(int64_t)n->vox_offset, 8, n->order);
    put_reals(b, n, &n->slope, 1);
    put_reals(b, n, &n->inter, 1);
    fill_to(b, start, 344);
    put_int(b, (uint64_t)n->qform_code, 4, n->order);
    put_int(b, (uint64_t)n->sform_code, 4, n->order);
    put_reals(b, n, n->quatern, 3);
    put_reals(b, n, n->qoffset, 3);
    put_reals(b, n, n->srow, 12);
    fill_to(b, start, 540);
}

void put_nifti_header(bytes *b, const nifti *n)
{
    if (n->version == 1)
        put_nifti1(b, n);
    else
        put_nifti2(b, n);
}

void put_nifti(bytes *b, const nifti *n, const void *data, size_t nbytes)
{
    size_t start = b->size;
    put_nifti_header(b, n);
    put_fill(b, 0, 4);
    if (n->vox_offset > 0 && n->vox_offset < 1e9)
        fill_to(b, start, (size_t)n->vox_offset);
    put(b, data, nbytes);
}

void write_nifti(const char *path, const nifti *n, const void *data, size_t nbytes)
{
    bytes b = {0};
    put_nifti(&b, n, data, nbytes);
    write_bytes(path, &b);
    bytes_free(&b);
}

void write_nifti_header(const char *path, const nifti *n)
{
    bytes b = {0};
    put_nifti_header(&b, n);
    write_bytes(path, &b);
    bytes_free(&b);
}
