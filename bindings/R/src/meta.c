/* What an image says of itself. */
#include "glue.h"

#include <string.h>

SEXP shape(SEXP x)
{
    int64_t n[AP_MAX_NDIM];
    int ndim = ap_shape(proxy_of(x), n, AP_MAX_NDIM);
    return ndim > 0 ? counts(n, ndim) : R_NilValue; /* R has no dim of length 0 */
}

SEXP size(SEXP x)
{
    return Rf_ScalarReal((double)ap_size(proxy_of(x)));
}

/* The proxy of what held() gave. */
static const ap_proxy *in(SEXP own)
{
    return R_ExternalPtrAddr(own);
}

SEXP info(SEXP x)
{
    SEXP own = PROTECT(held(x));
    const ap_proxy *proxy = in(own);
    const char *names[] = {"format", "codec", "disk", "auto", "order", "scaled", ""};
    SEXP out = PROTECT(Rf_mkNamed(VECSXP, names));
    SET_VECTOR_ELT(out, 0, Rf_mkString(ap_format(proxy)));
    SET_VECTOR_ELT(out, 1, Rf_mkString(ap_codec(proxy)));
    SET_VECTOR_ELT(out, 2, Rf_mkString(ap_dtype_name(ap_disk_dtype(proxy))));
    SET_VECTOR_ELT(out, 3, Rf_mkString(ap_dtype_name(ap_auto_dtype(proxy))));
    SET_VECTOR_ELT(out, 4, Rf_mkString(ap_order(proxy) == AP_ORDER_F ? "F" : "C"));
    SET_VECTOR_ELT(out, 5, Rf_ScalarLogical(ap_is_scaled(proxy) == 1));
    let_go(own);
    UNPROTECT(2);
    return out;
}

/* `which`: AP_AFFINE_BEST and so on. Rows come first in the library. */
SEXP affine_of(SEXP x, SEXP which)
{
    ap_error err;
    double rows[16];
    if (ap_affine(proxy_of(x), Rf_asInteger(which), rows, &err) < 0)
        fail(&err);
    SEXP out = PROTECT(Rf_allocMatrix(REALSXP, 4, 4));
    for (int i = 0; i < 16; i++)
        REAL(out)[i / 4 + 4 * (i % 4)] = rows[i];
    UNPROTECT(1);
    return out;
}

SEXP affine_code_of(SEXP x, SEXP which)
{
    ap_error err;
    int code = ap_affine(proxy_of(x), Rf_asInteger(which), NULL, &err);
    if (code < 0)
        fail(&err);
    return Rf_ScalarInteger(code);
}

SEXP zooms_of(SEXP x)
{
    ap_error err;
    double zooms[AP_MAX_NDIM];
    int count = ap_zooms(proxy_of(x), zooms, AP_MAX_NDIM, &err);
    if (count < 0)
        fail(&err);
    SEXP out = Rf_allocVector(REALSXP, count);
    for (int i = 0; i < count; i++)
        REAL(out)[i] = zooms[i];
    return out;
}

SEXP factors_of(SEXP x)
{
    ap_error err;
    int64_t n[AP_MAX_NDIM], count = 1;
    SEXP own = PROTECT(held(x));
    const ap_proxy *proxy = in(own);
    int ndim = ap_scale_shape(proxy, n, AP_MAX_NDIM);
    for (int a = 0; a < ndim; a++)
        count *= n[a];
    const char *names[] = {"slope", "inter", ""};
    SEXP out = PROTECT(Rf_mkNamed(VECSXP, names));
    for (int i = 0; i < 2; i++) {
        SEXP one = Rf_allocVector(REALSXP, (R_xlen_t)count);
        SET_VECTOR_ELT(out, i, one);
        if (ndim > 0) {
            Rf_setAttrib(one, R_DimSymbol, PROTECT(counts(n, ndim)));
            UNPROTECT(1);
        }
    }
    if (ap_scale_factors(proxy, REAL(VECTOR_ELT(out, 0)), REAL(VECTOR_ELT(out, 1)),
                         (size_t)count, &err) < 0)
        fail(&err);
    let_go(own);
    UNPROTECT(2);
    return out;
}

SEXP field_names(SEXP x)
{
    SEXP own = PROTECT(held(x));
    const ap_proxy *proxy = in(own);
    int count = ap_field_count(proxy);
    SEXP out = PROTECT(Rf_allocVector(STRSXP, count));
    for (int i = 0; i < count; i++)
        SET_STRING_ELT(out, i, Rf_mkCharCE(ap_field_name(proxy, i), CE_UTF8));
    let_go(own);
    UNPROTECT(2);
    return out;
}

static SEXP field_text(const ap_proxy *proxy, const char *name)
{
    ap_error err;
    int64_t nbytes = ap_field_text(proxy, name, NULL, 0, &err);
    char *text = R_alloc(nbytes > 0 ? (size_t)nbytes : 1, 1);
    if (nbytes < 0 || ap_field_text(proxy, name, text, (size_t)nbytes, &err) < 0)
        fail(&err);
    return Rf_ScalarString(Rf_mkCharCE(text, CE_UTF8));
}

/* Integers of a field, or numbers; NULL where it has none. */
static SEXP field_numbers(const ap_proxy *proxy, const char *name)
{
    ap_error err;
    int count = ap_field_ints(proxy, name, NULL, 0, &err);
    if (count >= 0) {
        int64_t *values = (int64_t *)R_alloc((size_t)count + 1, sizeof *values);
        if (ap_field_ints(proxy, name, values, count, &err) < 0)
            fail(&err);
        return counts(values, count);
    }
    if (count == AP_ERR_UNSUPPORTED)
        count = ap_field_reals(proxy, name, NULL, 0, &err);
    if (count == AP_ERR_UNSUPPORTED)
        return R_NilValue;
    if (count < 0)
        fail(&err);
    SEXP out = PROTECT(Rf_allocVector(REALSXP, count));
    if (ap_field_reals(proxy, name, REAL(out), count, &err) < 0)
        fail(&err);
    UNPROTECT(1);
    return out;
}

/* Integers, else numbers, else text: the first that the field has. */
SEXP field_value(SEXP x, SEXP name, SEXP as_text)
{
    const char *key = Rf_translateCharUTF8(STRING_ELT(name, 0));
    SEXP own = PROTECT(held(x));
    SEXP out = Rf_asLogical(as_text) ? R_NilValue : field_numbers(in(own), key);
    if (out == R_NilValue)
        out = field_text(in(own), key);
    let_go(own);
    UNPROTECT(1);
    return out;
}

SEXP notes_of(SEXP x)
{
    SEXP own = PROTECT(held(x));
    const ap_proxy *proxy = in(own);
    int count = 0;
    while (ap_warning(proxy, count))
        count++;
    SEXP out = PROTECT(Rf_allocVector(STRSXP, count));
    for (int i = 0; i < count; i++)
        SET_STRING_ELT(out, i, Rf_mkCharCE(ap_warning(proxy, i), CE_UTF8));
    let_go(own);
    UNPROTECT(2);
    return out;
}

SEXP header_of(SEXP x)
{
    size_t nbytes = 0;
    SEXP own = PROTECT(held(x));
    const void *header = ap_header(in(own), &nbytes);
    SEXP out = Rf_allocVector(RAWSXP, (R_xlen_t)nbytes);
    if (nbytes > 0)
        memcpy(RAW(out), header, nbytes);
    let_go(own);
    UNPROTECT(1);
    return out;
}

SEXP extensions_of(SEXP x)
{
    ap_error err;
    const char *names[] = {"code", "data", ""};
    SEXP own = PROTECT(held(x));
    int count = ap_extension_count(in(own), &err);
    if (count < 0)
        fail(&err);
    SEXP out = PROTECT(Rf_allocVector(VECSXP, count));
    for (int i = 0; i < count; i++) {
        int32_t code = 0;
        int64_t nbytes = ap_extension(in(own), i, &code, NULL, 0, &err);
        if (nbytes < 0)
            fail(&err);
        SEXP one = Rf_mkNamed(VECSXP, names);
        SET_VECTOR_ELT(out, i, one);
        SET_VECTOR_ELT(one, 0, Rf_ScalarInteger(code));
        SET_VECTOR_ELT(one, 1, Rf_allocVector(RAWSXP, (R_xlen_t)nbytes));
        if (ap_extension(in(own), i, NULL, RAW(VECTOR_ELT(one, 1)), (size_t)nbytes, &err) < 0)
            fail(&err);
    }
    let_go(own);
    UNPROTECT(2);
    return out;
}
