/* Indices as R has them: missing, logical, positive, negative. */
#include "glue.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

ap_slice slice_of(int64_t start, int64_t count, int64_t step)
{
    if (count == 0)
        return ap_range(0, 0, 1);
    int64_t last = start + (count - 1) * step;
    if (step > 0)
        return ap_range(start, last + 1, step);
    return ap_range(start, last == 0 ? AP_NONE : last - 1, step);
}

/* missing(..1) and so on; made once, as making takes longer than calling. */
static SEXP missing_call(int at)
{
    static SEXP calls[AP_MAX_NDIM];
    if (!calls[at]) {
        char name[16];
        snprintf(name, sizeof name, "..%d", at + 1);
        SEXP call = PROTECT(Rf_lang2(Rf_install("missing"), Rf_install(name)));
        R_PreserveObject(call);
        calls[at] = call;
        UNPROTECT(1);
    }
    return calls[at];
}

static int is_missing(SEXP value, SEXP env, int at)
{
    if (value == R_MissingArg)
        return 1;
    if (TYPEOF(value) != PROMSXP || TYPEOF(R_PromiseExpr(value)) != SYMSXP)
        return 0;
    /* f <- function(i) x[i, ]; f() leaves i out, too. */
    return Rf_asLogical(Rf_eval(missing_call(at), env));
}

SEXP dots(SEXP env)
{
    SEXP list = PROTECT(Rf_findVarInFrame(env, R_DotsSymbol));
    R_xlen_t count = TYPEOF(list) == DOTSXP ? Rf_xlength(list) : 0;
    if (count > AP_MAX_NDIM)
        Rf_error("incorrect number of dimensions");
    SEXP out = PROTECT(Rf_allocVector(VECSXP, count));
    for (R_xlen_t i = 0; i < count; i++, list = CDR(list)) {
        SEXP value = CAR(list);
        if (is_missing(value, env, (int)i))
            value = R_MissingArg;
        else if (TYPEOF(value) == PROMSXP)
            value = Rf_eval(value, env);
        SET_VECTOR_ELT(out, i, value);
    }
    UNPROTECT(2);
    return out;
}

/* Element `k` cut towards zero, as R cuts indices. */
static double number(SEXP index, R_xlen_t k)
{
    if (TYPEOF(index) == INTSXP) {
        int value = INTEGER_ELT(index, k);
        return value == NA_INTEGER ? NA_REAL : value;
    }
    return trunc(REAL_ELT(index, k));
}

static void out_of_bounds(void)
{
    Rf_error("subscript out of bounds");
}

/* If elements from 1 on stand evenly apart, tells how. */
static int is_regular(SEXP index, int64_t n, axis_index *out)
{
    R_xlen_t count = XLENGTH(index);
    double first = count ? number(index, 0) : 1;
    double step = count > 1 ? number(index, 1) - first : 1;
    if (!(first >= 1) || !(fabs(step) >= 1)) /* NaN too */
        return 0;
    double last = first;
    for (R_xlen_t k = 1; k < count; k++) {
        double next = number(index, k);
        if (!(next - last == step) || next < 1)
            return 0;
        last = next;
    }
    if (count && (first > (double)n || last > (double)n))
        out_of_bounds();
    *out = (axis_index){(int64_t)first - 1, count, (int64_t)step, R_NilValue};
    return 1;
}

/* The positions, from 1 on, that are not named by a negative index. */
static SEXP all_but(SEXP index, int64_t n)
{
    char *dropped = R_alloc((size_t)n + 1, 1);
    memset(dropped, 0, (size_t)n + 1);
    for (R_xlen_t k = 0; k < XLENGTH(index); k++) {
        double value = number(index, k);
        if (ISNAN(value) || value > 0)
            Rf_error("negative indices cannot stand beside others");
        if (-value <= (double)n)
            dropped[(int64_t)-value] = 1;
    }
    int64_t left = 0;
    for (int64_t i = 1; i <= n; i++)
        left += !dropped[i];
    SEXP out = Rf_allocVector(REALSXP, (R_xlen_t)left);
    double *to = REAL(out);
    for (int64_t i = 1; i <= n; i++)
        if (!dropped[i])
            *to++ = (double)i;
    return out;
}

/* Positions without the zeros. */
static SEXP positive(SEXP index, int64_t n)
{
    R_xlen_t count = XLENGTH(index), kept = 0;
    for (R_xlen_t k = 0; k < count; k++) {
        double value = number(index, k);
        if (value < 0)
            return all_but(index, n);
        if (value > (double)n)
            out_of_bounds();
        kept += value != 0;
    }
    SEXP out = Rf_allocVector(REALSXP, kept);
    double *to = REAL(out);
    for (R_xlen_t k = 0; k < count; k++) {
        double value = number(index, k);
        if (value != 0)
            *to++ = ISNAN(value) ? NA_REAL : value;
    }
    return out;
}

/* Positions where a logical index, repeated as often as it takes, is not FALSE. */
static SEXP chosen(SEXP index, int64_t n)
{
    R_xlen_t period = XLENGTH(index);
    if (period > n)
        Rf_error("(subscript) logical subscript too long");
    int64_t count = 0;
    const int *is = LOGICAL_RO(index);
    for (int64_t i = 0; period > 0 && i < n; i++)
        count += is[i % period] != 0;
    SEXP out = Rf_allocVector(REALSXP, (R_xlen_t)count);
    double *to = REAL(out);
    for (int64_t i = 0; period > 0 && i < n; i++)
        if (is[i % period] != 0)
            *to++ = is[i % period] == NA_LOGICAL ? NA_REAL : (double)(i + 1);
    return out;
}

axis_index parse_index(SEXP index, int64_t n, SEXP keep, int at)
{
    axis_index out = {0, n, 1, R_NilValue};
    SEXP found;
    if (index == R_MissingArg)
        return out;
    switch (TYPEOF(index)) {
    case NILSXP:
        out.count = 0;
        return out;
    case LGLSXP:
        if (n > 0 && XLENGTH(index) == 1 && LOGICAL_ELT(index, 0) == TRUE)
            return out;
        found = chosen(index, n);
        break;
    case INTSXP:
    case REALSXP:
        if (is_regular(index, n, &out))
            return out;
        found = positive(index, n);
        break;
    case STRSXP:
        Rf_error("the array has no dimnames to look up");
    default:
        Rf_error("invalid subscript type '%s'", Rf_type2char(TYPEOF(index)));
    }
    SET_VECTOR_ELT(keep, at, found);
    if (!is_regular(found, n, &out))
        out.vector = found;
    return out;
}
