/* Handles: opening, closing, slicing, reshaping, and the errors of all. */
#include "glue.h"

#include <limits.h>
#include <string.h>

static SEXP tag(void)
{
    return Rf_install("arrayproxy");
}

SEXP call_r(const char *name, int count, const SEXP *arguments)
{
    SEXP where = PROTECT(Rf_mkString("arrayproxy"));
    SEXP space = PROTECT(R_FindNamespace(where));
    SEXP call = R_NilValue;
    PROTECT_INDEX at;
    PROTECT_WITH_INDEX(call, &at);
    while (count-- > 0)
        REPROTECT(call = Rf_lcons(arguments[count], call), at);
    REPROTECT(call = Rf_lcons(Rf_install(name), call), at);
    SEXP result = Rf_eval(call, space);
    UNPROTECT(3);
    return result;
}

void fail(const ap_error *err)
{
    SEXP arguments[3];
    arguments[0] = PROTECT(Rf_mkString(ap_status_name(err->code)));
    arguments[1] = PROTECT(Rf_ScalarString(Rf_mkCharCE(err->message, CE_UTF8)));
    arguments[2] = PROTECT(Rf_ScalarInteger(err->os_error));
    call_r("raise", 3, arguments);
    Rf_error("%s", err->message); /* not reached: raise() does not return */
}

SEXP counts(const int64_t *values, int count)
{
    int fit = 1;
    for (int i = 0; i < count; i++)
        fit &= values[i] <= INT_MAX && values[i] > INT_MIN;
    SEXP out = Rf_allocVector(fit ? INTSXP : REALSXP, count);
    for (int i = 0; i < count; i++) {
        if (fit)
            INTEGER(out)[i] = (int)values[i];
        else
            REAL(out)[i] = (double)values[i];
    }
    return out;
}

/* The external pointer of an object; an error if it is something else. */
static SEXP pointer_of(SEXP x)
{
    SEXP handle = TYPEOF(x) == VECSXP && XLENGTH(x) > 0 ? VECTOR_ELT(x, 0) : R_NilValue;
    if (TYPEOF(handle) != EXTPTRSXP || R_ExternalPtrTag(handle) != tag())
        Rf_error("not an arrayproxy");
    return handle;
}

const ap_proxy *proxy_of(SEXP x)
{
    const ap_proxy *proxy = R_ExternalPtrAddr(pointer_of(x));
    if (!proxy)
        Rf_error("this arrayproxy was closed, or comes from another R process: "
                 "open its file anew");
    return proxy;
}

static void finalize(SEXP handle)
{
    ap_proxy *proxy = R_ExternalPtrAddr(handle);
    R_ClearExternalPtr(handle);
    ap_free(proxy);
}

/* Made before the proxy, which a failing allocation would leak. */
SEXP empty_handle(void)
{
    SEXP handle = PROTECT(R_MakeExternalPtr(NULL, tag(), R_NilValue));
    /* Seek indices of the user's cache folder are saved when R ends, too. */
    R_RegisterCFinalizerEx(handle, finalize, TRUE);
    UNPROTECT(1);
    return handle;
}

SEXP new_handle(ap_proxy *proxy, SEXP handle)
{
    R_SetExternalPtrAddr(handle, proxy);
    return handle;
}

SEXP close_handle(SEXP x)
{
    finalize(pointer_of(x));
    return R_NilValue;
}

SEXP is_open(SEXP x)
{
    return Rf_ScalarLogical(R_ExternalPtrAddr(pointer_of(x)) != NULL);
}

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

SEXP open_file(SEXP path, SEXP names, SEXP values)
{
    ap_error err;
    ap_proxy *proxy = NULL;
    R_xlen_t files = XLENGTH(path), settings = XLENGTH(names);
    const char **paths = (const char **)R_alloc((size_t)files, sizeof *paths);
    for (R_xlen_t i = 0; i < files; i++) {
        const char *native = R_ExpandFileName(Rf_translateChar(STRING_ELT(path, i)));
        paths[i] = strcpy(R_alloc(strlen(native) + 1, 1), native);
    }
    size_t longest = 0;
    for (R_xlen_t i = 0; i < settings; i++) {
        size_t length = strlen(CHAR(STRING_ELT(names, i))) + strlen(CHAR(STRING_ELT(values, i)));
        longest = length > longest ? length : longest;
    }
    char *text = R_alloc(longest + 2, 1);
    SEXP handle = PROTECT(empty_handle());

    ap_options *options = ap_options_new();
    ap_status status = AP_OK;
    for (R_xlen_t i = 0; i < settings && status == AP_OK; i++)
        status = set_option(options, CHAR(STRING_ELT(names, i)), CHAR(STRING_ELT(values, i)),
                            text, &err);
    if (status == AP_OK)
        status = open_paths(paths, files, options, &proxy, &err);
    ap_options_free(options);
    if (status < 0)
        fail(&err);
    UNPROTECT(1);
    return new_handle(proxy, handle);
}

SEXP slice_handle(SEXP x, SEXP env, SEXP drop)
{
    ap_error err;
    ap_proxy *out;
    ap_slice index[AP_MAX_NDIM];
    int64_t n[AP_MAX_NDIM];
    SEXP given = PROTECT(dots(env));
    int ndim = ap_shape(proxy_of(x), n, AP_MAX_NDIM);
    if (XLENGTH(given) != ndim)
        Rf_error("incorrect number of dimensions");
    SEXP keep = PROTECT(Rf_allocVector(VECSXP, ndim));
    int drops = Rf_asLogical(drop);
    for (int a = 0; a < ndim; a++) {
        axis_index i = parse_index(VECTOR_ELT(given, a), n[a], keep, a);
        if (i.vector != R_NilValue)
            Rf_error("axis %d: a lazy slice takes indices that are evenly spaced", a + 1);
        index[a] = drops && i.count == 1 ? ap_at(i.start) : slice_of(i.start, i.count, i.step);
    }
    SEXP handle = PROTECT(empty_handle());
    if (ap_slice_proxy(proxy_of(x), index, ndim, &out, &err) < 0)
        fail(&err);
    UNPROTECT(3);
    return new_handle(out, handle);
}

SEXP reshape_handle(SEXP x, SEXP shape)
{
    ap_error err;
    ap_proxy *out;
    int64_t n[AP_MAX_NDIM];
    R_xlen_t ndim = XLENGTH(shape);
    if (ndim < 1 || ndim > AP_MAX_NDIM)
        Rf_error("dim must have 1 to %d lengths", AP_MAX_NDIM);
    shape = PROTECT(Rf_coerceVector(shape, REALSXP));
    for (R_xlen_t a = 0; a < ndim; a++) {
        double length = REAL(shape)[a];
        if (!(length >= 0 && length <= 9007199254740992.0))
            Rf_error("dim holds NA, a negative or a too large length");
        n[a] = (int64_t)length;
    }
    const ap_proxy *proxy = proxy_of(x);
    if (ap_order(proxy) == AP_ORDER_C && ap_ndim(proxy) > 1) {
        memset(&err, 0, sizeof err);
        err.code = AP_ERR_UNSUPPORTED;
        strcpy(err.message, "the elements are stored in row-major order, so another dim cannot "
                            "have them in R's order: read the array, then set dim");
        fail(&err);
    }
    SEXP handle = PROTECT(empty_handle());
    if (ap_reshape(proxy, (int32_t)ndim, n, &out, &err) < 0)
        fail(&err);
    UNPROTECT(2);
    return new_handle(out, handle);
}
