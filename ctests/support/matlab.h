/*
 * matlab.h - .mat files of Matlab's levels 4 and 5
 */
#ifndef MATLAB_H
#define MATLAB_H

#include "../test.h"
#include "files.h"

/* Classes of level 5; level 4 has texts and numbers only. */
enum { MATLAB_CELL = 1, MATLAB_CHAR = 4, MATLAB_DOUBLE = 6, MATLAB_SINGLE = 7, MATLAB_INT16 = 10 };

/* Flags of a variable of level 5, except for MATLAB_COMPLEX, which level 4 has
 * too. */
enum {
    MATLAB_LOGICAL = 0x200,
    MATLAB_GLOBAL = 0x400,
    MATLAB_COMPLEX = 0x800,     /* with imaginary parts, all 99 */
    MATLAB_PACKED = 0x10000,    /* compressed */
    MATLAB_WIDE = 0x20000       /* no small element is written the short way */
};

/* A variable. */
typedef struct {
    int level, order;           /* 4 or 5; AP_LITTLE or AP_BIG */
    const char *name;
    int kind;                   /* class */
    ap_dtype dtype;             /* type on disk, whatever the class is */
    int ndim;
    int32_t dims[3];
    double values[48];          /* in column-major order, as all of Matlab */
    int flags;
} matrix;

/* A 4 x 4 matrix of float64 whose `rows` are given one after the other. */
matrix matrix_new(int level, int order, const char *name, const double *rows);

/* Append what stands before the variables of a file: nothing in level 4. */
void put_mat_header(bytes *b, int level, int order);
/* Append a variable. */
void put_mat(bytes *b, const matrix *m);
/* A whole file of one variable. */
void put_mat_file(bytes *b, const matrix *m);

#endif
