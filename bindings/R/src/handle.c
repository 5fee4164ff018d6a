/* Handles: R objects of class "arrayproxy", and the errors of all.
 *
 * An object is an external pointer to a proxy. What it protects is how to open
 * it again, as a pointer does not outlive its process: a list of path or bytes,
 * names and values of options, and what was sliced and reshaped since. Of a
 * closed one only its name is left. */
#include "glue.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static SEXP tag(void)
{
    static SEXP symbol; /* R keeps symbols for ever */
    if (!symbol)
        symbol = Rf_install("arrayproxy");
    return symbol;
}

/* What an evaluation would take for code. */
static SEXP as_value(SEXP value)
{
    int type = TYPEOF(value);
    if (type == LANGSXP || type == SYMSXP || type == PROMSXP)
        return Rf_lang2(Rf_install("quote"), value);
    return value;
}

SEXP call_r(const char *name, int count, const SEXP *arguments)
{
    SEXP where = PROTECT(Rf_mkString("arrayproxy"));
    SEXP space = PROTECT(R_FindNamespace(where));
    SEXP call = R_NilValue;
    PROTECT_INDEX at;
    PROTECT_WITH_INDEX(call, &at);
    while (count-- > 0) {
        SEXP value = PROTECT(as_value(arguments[count]));
        REPROTECT(call = Rf_lcons(value, call), at);
        UNPROTECT(1);
    }
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

void refuse(ap_status code, const char *format, ...)
{
    ap_error err = {.code = code};
    va_list values;
    va_start(values, format);
    vsnprintf(err.message, sizeof err.message, format, values);
    va_end(values);
    fail(&err);
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

static SEXP checked(SEXP x)
{
    if (TYPEOF(x) != EXTPTRSXP || R_ExternalPtrTag(x) != tag())
        refuse(AP_ERR_ARGUMENT, "not an arrayproxy");
    return x;
}

static void finalize(SEXP x)
{
    ap_proxy *proxy = R_ExternalPtrAddr(x);
    R_ClearExternalPtr(x);
    ap_free(proxy);
}

/* Seek indices of the user's cache folder are saved when R ends, too. */
static void finalize_once_done(SEXP x)
{
    R_RegisterCFinalizerEx(x, finalize, TRUE);
}

/* Of a proxy that comes from another process. */
static ap_proxy *reopened(SEXP x)
{
    SEXP origin = R_ExternalPtrProtected(x);
    if (TYPEOF(origin) != VECSXP)
        refuse(AP_ERR_ARGUMENT, "this arrayproxy was closed: open its file anew");
    SEXP fresh = PROTECT(call_r("open_origin", 1, &origin));
    ap_proxy *proxy = R_ExternalPtrAddr(checked(fresh));
    R_ClearExternalPtr(fresh);
    R_SetExternalPtrAddr(x, proxy);
    finalize_once_done(x);
    UNPROTECT(1);
    return proxy;
}

const ap_proxy *proxy_of(SEXP x)
{
    const ap_proxy *proxy = R_ExternalPtrAddr(checked(x));
    return proxy ? proxy : reopened(x);
}

SEXP empty_handle(SEXP origin)
{
    SEXP handle = PROTECT(R_MakeExternalPtr(NULL, tag(), origin));
    SEXP class = PROTECT(Rf_mkString("arrayproxy"));
    Rf_classgets(handle, class);
    finalize_once_done(handle);
    UNPROTECT(2);
    return handle;
}

SEXP new_handle(ap_proxy *proxy, SEXP handle)
{
    R_SetExternalPtrAddr(handle, proxy);
    return handle;
}

SEXP held(SEXP x)
{
    SEXP own = PROTECT(empty_handle(R_NilValue));
    new_handle(ap_clone(proxy_of(x)), own);
    UNPROTECT(1);
    return own;
}

void let_go(SEXP own)
{
    finalize(own);
}

SEXP close_handle(SEXP x, SEXP name)
{
    finalize(checked(x));
    R_SetExternalPtrProtected(x, name);
    return R_NilValue;
}

SEXP origin_of(SEXP x)
{
    return R_ExternalPtrProtected(checked(x));
}
