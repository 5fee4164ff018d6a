/*
 * nifti.h - NIfTI and Analyze files with chosen fields
 */
#ifndef NIFTI_H
#define NIFTI_H

#include "../test.h"
#include "files.h"

/* The fields that the library reads. nifti_new gives a sound single file;
 * change what the test is about. */
typedef struct {
    int version;            /* 1 or 2 */
    int order;              /* AP_LITTLE or AP_BIG */
    int32_t sizeof_hdr;
    const char *magic;      /* "n+1", "ni1", "n+2", "ni2" or another; NULL: Analyze */
    unsigned char eol[4];   /* NIfTI-2's mark against damaged line ends */
    int64_t dim[8];
    int datatype, bitpix;
    double pixdim[8];
    double vox_offset;      /* written as a whole number in NIfTI-2 */
    double slope, inter;
    double cal_max, cal_min;    /* NIfTI-1 and Analyze only, as are the next two */
    int32_t glmax, glmin;
    int origin[5];          /* Analyze, as SPM uses it; the codes below NIfTI only */
    int qform_code, sform_code;
    double quatern[3], qoffset[3], srow[12];
} nifti;

/* Offset of the data: 352 or 544, slope 1, inter 0, zooms 1, no affine. */
nifti nifti_new(int version, int order, ap_dtype dtype, int ndim, const int64_t *shape);
/* As the header of a pair: magic of pairs, vox_offset 0. */
nifti nifti_pair(int version, int order, ap_dtype dtype, int ndim, const int64_t *shape);

/* As the header of Analyze, SPM99 or SPM2, of which NIfTI-1 is a kind. */
nifti analyze_new(int order, ap_dtype dtype, int ndim, const int64_t *shape);

/* NIfTI's code for a type, or 0 if it has none. */
int nifti_code(ap_dtype dtype);

/* Append the 348 or 540 bytes of the header. */
void put_nifti_header(bytes *b, const nifti *n);
/* Header, empty extension flag, zeros up to vox_offset if that lies behind,
 * and the data. */
void put_nifti(bytes *b, const nifti *n, const void *data, size_t nbytes);
void write_nifti(const char *path, const nifti *n, const void *data, size_t nbytes);
/* The header alone, in a file of its own. */
void write_nifti_header(const char *path, const nifti *n);

#endif
