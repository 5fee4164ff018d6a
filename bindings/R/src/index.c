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

/* Calls on the `...` of a function; made once, as making takes longer than
 * calling. R's API has no other way to it. */
typedef struct {
    SEXP count, missing[AP_MAX_NDIM], value[AP_MAX_NDIM];
} dot_calls;

static const dot_calls *calls(void)
{
    static dot_calls made;
    if (made.count)
        return &made;
    for (int at = 0; at < AP_MAX_NDIM; at++) {
        char name[16];
        snprintf(name, sizeof name, "..%d", at + 1);
        made.value[at] = Rf_install(name);
        made.missing[at] = Rf_lang2(Rf_install("missing"), made.value[at]);
        R_PreserveObject(made.missing[at]);
    }
    SEXP count = Rf_lang1(Rf_install("...length"));
    R_PreserveObject(count);
    made.count = count;
    return &made;
}

SEXP dots(SEXP env)
{
    const dot_calls *call = calls();
    int count = Rf_asInteger(Rf_eval(call->count, env));
    if (count > AP_MAX_NDIM)
        refuse(AP_ERR_INDEX, "incorrect number of dimensions");
    SEXP out = PROTECT(Rf_allocVector(VECSXP, count));
    for (int i = 0; i < count; i++) {
        /* f <- function(i) x[i, ]; f() leaves i out, too. */
        int is_missing = Rf_asLogical(Rf_eval(call->missing[i], env));
        SET_VECTOR_ELT(out, i, is_missing ? R_MissingArg : Rf_eval(call->value[i], env));
    }
    UNPROTECT(1);
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

void out_of_bounds(void)
{
    refuse(AP_ERR_INDEX, "subscript out of bounds");
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
            refuse(AP_ERR_INDEX, "negative indices cannot stand beside others");
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
        refuse(AP_ERR_INDEX, "(subscript) logical subscript too long");
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

void check_type(SEXP index)
{
    int type = TYPEOF(index);
    if (type == STRSXP)
        refuse(AP_ERR_INDEX, "the array has no dimnames to look up");
    if (index != R_MissingArg && type != NILSXP && type != LGLSXP && type != INTSXP &&
        type != REALSXP)
        refuse(AP_ERR_INDEX, "invalid subscript type '%s'", Rf_type2char((SEXPTYPE)type));
}

axis_index parse_index(SEXP index, int64_t n, SEXP keep, int at)
{
    axis_index out = {0, n, 1, R_NilValue};
    SEXP found;
    check_type(index);
    if (index == R_MissingArg)
        return out;
    if (index == R_NilValue) {
        out.count = 0;
        return out;
    }
    if (TYPEOF(index) == LGLSXP) {
        if (n > 0 && XLENGTH(index) == 1 && LOGICAL_ELT(index, 0) == TRUE)
            return out;
        found = chosen(index, n);
    } else {
        if (is_regular(index, n, &out))
            return out;
        found = positive(index, n);
    }
    SET_VECTOR_ELT(keep, at, found);
    if (!is_regular(found, n, &out))
        out.vector = found;
    return out;
}

int64_t one_position(SEXP index, int64_t n)
{
    check_type(index);
    if (index == R_MissingArg)
        out_of_bounds();
    if (XLENGTH(index) != 1)
        refuse(AP_ERR_INDEX, "[[ takes one element, here are %.0f", (double)XLENGTH(index));
    double value = trunc(Rf_asReal(index));
    if (value < 0)
        refuse(AP_ERR_INDEX, "[[ takes no negative index");
    if (value == 0)
        refuse(AP_ERR_INDEX, "[[ takes one element, here are 0");
    if (!(value <= (double)n))
        out_of_bounds();
    return (int64_t)value - 1;
}
