/* Opening, slicing and reshaping: what makes proxies. */
#include "glue.h"

#include <string.h>

/* A value with a comma goes by its key: the one option that can have one. */
static ap_status set_option(ap_options *options, const char *name, const char *value,
                            char *text, ap_error *err)
{
    if (strcmp(name, "index_path") == 0)
        return ap_options_set_text(options, AP_OPT_INDEX_PATH, value, err);
    strcpy(text, name);
    strcat(text, "=");
    strcat(text, value);
    return ap_options_parse(options, text, err);
}

/* Several paths are a series. */
static ap_status open_paths(const char **paths, R_xlen_t count, const ap_options *options,
                            ap_proxy **proxy, ap_error *err)
{
    if (count == 1)
        return ap_open(paths[0], options, proxy, err);
    ap_series *series = ap_series_new();
    ap_status status = AP_OK;
    for (R_xlen_t i = 0; i < count && status == AP_OK; i++)
        status = ap_series_add(series, paths[i], err);
    if (status == AP_OK)
        status = ap_open_series(series, options, proxy, err);
    ap_series_free(series);
    return status;
}

/* The handle protects the bytes as long as there is a proxy on them. */
static ap_status open_bytes(SEXP bytes, const ap_options *options, ap_proxy **proxy,
                            ap_error *err)
{
    ap_source *source;
    ap_status status =
        ap_source_memory(RAW_RO(bytes), (size_t)XLENGTH(bytes), NULL, NULL, &source, err);
    if (status == AP_OK)
        status = ap_open_source(source, NULL, options, proxy, err);
    ap_source_free(source);
    return status;
}

/* `origin`: see handle.c. What was done since is open_origin()'s. */
SEXP open_file(SEXP origin)
{
    ap_error err;
    ap_proxy *proxy = NULL;
    SEXP from = VECTOR_ELT(origin, 0), names = VECTOR_ELT(origin, 1);
    SEXP values = VECTOR_ELT(origin, 2);
    int in_memory = TYPEOF(from) == RAWSXP;
    R_xlen_t files = in_memory ? 0 : XLENGTH(from), settings = XLENGTH(names);
    const char **paths = (const char **)R_alloc((size_t)files + 1, sizeof *paths);
    for (R_xlen_t i = 0; i < files; i++) {
        const char *native = Rf_translateChar(STRING_ELT(from, i));
        paths[i] = strcpy(R_alloc(strlen(native) + 1, 1), native);
    }
    size_t longest = 0;
    for (R_xlen_t i = 0; i < settings; i++) {
        size_t length = strlen(CHAR(STRING_ELT(names, i))) + strlen(CHAR(STRING_ELT(values, i)));
        longest = length > longest ? length : longest;
    }
    char *text = R_alloc(longest + 2, 1);
    /* Made before the proxy, which a failing allocation would leak. */
    SEXP handle = PROTECT(empty_handle(origin));
    if (in_memory) /* expands a compact vector, which allocates */
        RAW_RO(from);

    ap_options *options = ap_options_new();
    ap_status status = AP_OK;
    for (R_xlen_t i = 0; i < settings && status == AP_OK; i++)
        status = set_option(options, CHAR(STRING_ELT(names, i)), CHAR(STRING_ELT(values, i)),
                            text, &err);
    if (status == AP_OK)
        status = in_memory ? open_bytes(from, options, &proxy, &err)
                           : open_paths(paths, files, options, &proxy, &err);
    ap_options_free(options);
    if (status < 0)
        fail(&err);
    UNPROTECT(1);
    return new_handle(proxy, handle);
}

/* The origin of what `step` makes of `x`. */
static SEXP origin_with(SEXP x, SEXP step)
{
    SEXP origin = PROTECT(Rf_shallow_duplicate(origin_of(x)));
    SEXP steps = VECTOR_ELT(origin, 3);
    R_xlen_t count = XLENGTH(steps);
    SEXP more = Rf_allocVector(VECSXP, count + 1);
    SET_VECTOR_ELT(origin, 3, more);
    for (R_xlen_t i = 0; i < count; i++)
        SET_VECTOR_ELT(more, i, VECTOR_ELT(steps, i));
    SET_VECTOR_ELT(more, count, step);
    UNPROTECT(1);
    return origin;
}

/* `step`: a column of kind, start, stop and step for each axis. Doubles hold
 * them: axes are shorter than 2^53, and AP_NONE is a power of two. */
SEXP slice_again(SEXP x, SEXP step)
{
    ap_error err;
    ap_proxy *out;
    ap_slice index[AP_MAX_NDIM];
    int ndim = (int)(XLENGTH(step) / 4);
    const double *of = REAL(step);
    for (int a = 0; a < ndim && a < AP_MAX_NDIM; a++)
        index[a] = (ap_slice){(int64_t)of[4 * a], (int64_t)of[4 * a + 1],
                              (int64_t)of[4 * a + 2], (int64_t)of[4 * a + 3]};
    proxy_of(x);
    SEXP origin = PROTECT(origin_with(x, step));
    SEXP handle = PROTECT(empty_handle(origin));
    if (ap_slice_proxy(proxy_of(x), index, ndim, &out, &err) < 0)
        fail(&err);
    UNPROTECT(2);
    return new_handle(out, handle);
}

SEXP slice_handle(SEXP x, SEXP env, SEXP drop)
{
    int64_t n[AP_MAX_NDIM];
    SEXP given = PROTECT(dots(env));
    int ndim = ap_shape(proxy_of(x), n, AP_MAX_NDIM);
    if (XLENGTH(given) != ndim)
        refuse(AP_ERR_INDEX, "incorrect number of dimensions");
    SEXP keep = PROTECT(Rf_allocVector(VECSXP, ndim));
    SEXP step = PROTECT(Rf_allocMatrix(REALSXP, 4, ndim));
    int drops = Rf_asLogical(drop);
    for (int a = 0; a < ndim; a++) {
        axis_index i = parse_index(VECTOR_ELT(given, a), n[a], keep, a);
        if (i.vector != R_NilValue)
            refuse(AP_ERR_INDEX, "axis %d: a lazy slice takes indices that are evenly spaced",
                   a + 1);
        ap_slice s = drops && i.count == 1 ? ap_at(i.start) : slice_of(i.start, i.count, i.step);
        const int64_t entry[4] = {s.kind, s.start, s.stop, s.step};
        for (int k = 0; k < 4; k++)
            REAL(step)[4 * a + k] = (double)entry[k];
    }
    SEXP out = slice_again(x, step);
    UNPROTECT(3);
    return out;
}

SEXP reshape_handle(SEXP x, SEXP shape)
{
    ap_error err;
    ap_proxy *out;
    int64_t n[AP_MAX_NDIM];
    if (!Rf_isVectorAtomic(shape) || XLENGTH(shape) < 1 || XLENGTH(shape) > AP_MAX_NDIM)
        refuse(AP_ERR_ARGUMENT,
               "dim of a proxy takes 1 to %d lengths: length(x) makes it a vector", AP_MAX_NDIM);
    int ndim = (int)XLENGTH(shape);
    shape = PROTECT(Rf_coerceVector(shape, REALSXP));
    for (int a = 0; a < ndim; a++) {
        double length = REAL(shape)[a];
        if (!(length >= 0 && length <= 9007199254740992.0))
            refuse(AP_ERR_ARGUMENT, "dim holds NA, a negative or a too large length");
        n[a] = (int64_t)length;
    }
    if (ap_order(proxy_of(x)) == AP_ORDER_C && ap_ndim(proxy_of(x)) > 1)
        refuse(AP_ERR_UNSUPPORTED,
               "the elements are stored in row-major order, so another dim cannot have them in "
               "R's order: read the array, then set dim");
    SEXP origin = PROTECT(origin_with(x, shape));
    SEXP handle = PROTECT(empty_handle(origin));
    if (ap_reshape(proxy_of(x), ndim, n, &out, &err) < 0)
        fail(&err);
    UNPROTECT(3);
    return new_handle(out, handle);
}
