/*
 * What the files of the glue share.
 *
 * R leaves C by a long jump when it fails. None may pass over a call of the
 * library or over a handle that nobody else frees. So each function first
 * checks and allocates on R's side, then makes what the library owns, uses and
 * frees it, and only then raises an error or a warning.
 */
#ifndef GLUE_H
#define GLUE_H

#include <arrayproxy.h>
#include <stdint.h>

#define R_NO_REMAP
#define STRICT_R_HEADERS
#include <R.h>
#include <Rinternals.h>

/* handle.c */

/* The proxy of an object of class "arrayproxy"; an error if it is closed. To be
 * asked for again after whatever may allocate: a finalizer may close it. */
const ap_proxy *proxy_of(SEXP x);
/* An object of its own with the same proxy, which none closes but let_go(). */
SEXP held(SEXP x);
void let_go(SEXP own);
/* An object without a proxy, to be made first. `origin`: see handle.c. */
SEXP empty_handle(SEXP origin);
SEXP new_handle(ap_proxy *proxy, SEXP handle);
/* Raises an R error whose classes are the code's name and "arrayproxy_error". */
_Noreturn void fail(const ap_error *err);
_Noreturn void refuse(ap_status code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Calls a function of the package's R code. */
SEXP call_r(const char *name, int count, const SEXP *arguments);
/* Integers where they fit, else doubles. */
SEXP counts(const int64_t *values, int count);

/* index.c */

/* The indices of one axis, from 0: `count` of them, `step` apart. If they are
 * not regular, `vector` holds them instead: doubles from 1 on, with NA. */
typedef struct {
    int64_t start, count, step;
    SEXP vector;
} axis_index;

/* Reads an index as R has it for an axis of length `n`. What it allocates is
 * kept in `keep[at]`. */
axis_index parse_index(SEXP index, int64_t n, SEXP keep, int at);
/* An error for what is no index. */
void check_type(SEXP index);
_Noreturn void out_of_bounds(void);
/* The position, from 0, that an index of x[[]] has on an axis of length `n`. */
int64_t one_position(SEXP index, int64_t n);
ap_slice slice_of(int64_t start, int64_t count, int64_t step);
/* The `...` of a function's environment, evaluated; R_MissingArg where empty. */
SEXP dots(SEXP env);

/* types.c */

/* How elements come to R: read as `dtype` with `flags`, then widened from
 * `size` bytes to R's type. `parts` R elements make a voxel: 1, or 3 or 4. */
typedef struct {
    ap_dtype dtype;
    uint32_t flags;
    SEXPTYPE type;
    int parts;
    size_t size;
} element;

/* `how`: NULL, or a list of the type's name and AP_READ_ flags. */
element element_of(const ap_proxy *proxy, SEXP how);
SEXP allocate(element e, R_xlen_t voxels);
/* Turns what was read into R's values. `*inexact` counts those that a double
 * does not hold. The result may be another vector. */
SEXP widen(SEXP out, element e, R_xlen_t *inexact);

/* watch.c */

/* The reads of one call: when R was last looked after, in ms, and the condition
 * that stopped them. */
typedef struct {
    double looked;
    SEXP condition;
} watch;

/* A control for calls of the library that look after the user's interrupt. */
ap_control *watched(watch *w);
/* Raises what stopped the call, or the library's error. */
_Noreturn void fail_watched(const watch *w, const ap_error *err);

/* entry points */
SEXP open_file(SEXP origin);
SEXP close_handle(SEXP x, SEXP name);
SEXP origin_of(SEXP x);
SEXP slice_handle(SEXP x, SEXP env, SEXP drop);
SEXP slice_again(SEXP x, SEXP step);
SEXP reshape_handle(SEXP x, SEXP shape);
SEXP shape(SEXP x);
SEXP size(SEXP x);
SEXP info(SEXP x);
SEXP affine_of(SEXP x, SEXP which);
SEXP affine_code_of(SEXP x, SEXP which);
SEXP zooms_of(SEXP x);
SEXP factors_of(SEXP x);
SEXP field_names(SEXP x);
SEXP field_value(SEXP x, SEXP name, SEXP as_text);
SEXP notes_of(SEXP x);
SEXP header_of(SEXP x);
SEXP extensions_of(SEXP x);
SEXP seekindex_build(SEXP x);
SEXP seekindex_file(SEXP x, SEXP path, SEXP saves);
SEXP seekindex_info(SEXP x);
SEXP subset(SEXP x, SEXP env, SEXP drop, SEXP how);
SEXP one_element(SEXP x, SEXP env);
SEXP read_lists(SEXP x, SEXP even, SEXP positions, SEXP drop, SEXP how);
SEXP read_points(SEXP x, SEXP points, SEXP how);

#endif
