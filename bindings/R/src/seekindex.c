/* The seek index of compressed data. */
#include "glue.h"

SEXP seekindex_build(SEXP x)
{
    ap_error err;
    watch w;
    ap_proxy *own = ap_clone(proxy_of(x)); /* as in read_axes() */
    ap_control *control = watched(&w);
    ap_status status = ap_seekindex_build(own, control, &err);
    ap_control_free(control);
    ap_free(own);
    if (status < 0)
        fail_watched(&w, &err);
    return R_NilValue;
}

SEXP seekindex_file(SEXP x, SEXP path, SEXP saves)
{
    ap_error err;
    const char *native = R_ExpandFileName(Rf_translateChar(STRING_ELT(path, 0)));
    ap_status status = Rf_asLogical(saves) ? ap_seekindex_save(proxy_of(x), native, &err)
                                           : ap_seekindex_load(proxy_of(x), native, &err);
    if (status < 0)
        fail(&err);
    return R_NilValue;
}

SEXP seekindex_info(SEXP x)
{
    ap_error err;
    int64_t is[3];
    if (ap_seekindex_info(proxy_of(x), &is[0], &is[1], &is[2], &err) < 0)
        fail(&err);
    const char *names[] = {"points", "covered", "memory", ""};
    SEXP out = PROTECT(Rf_mkNamed(REALSXP, names));
    for (int i = 0; i < 3; i++)
        REAL(out)[i] = (double)is[i];
    UNPROTECT(1);
    return out;
}
