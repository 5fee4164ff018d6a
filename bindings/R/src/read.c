/* Reading into R's vectors. */
#include "glue.h"

#include <limits.h>

/* What is read of each axis: `length` positions, which are `index`'s or, where
 * one axis has no even steps, all in `lists` (NULL for a whole axis). */
typedef struct {
    int ndim;
    int64_t length[AP_MAX_NDIM];
    ap_slice index[AP_MAX_NDIM];
    const int64_t *lists[AP_MAX_NDIM];
    int by_lists;
} part;

static ap_status read_part(const ap_proxy *proxy, const part *p, element e, void *out,
                           size_t nbytes, ap_control *control, ap_error *err)
{
    ap_plan *plan;
    ap_status status =
        p->by_lists
            ? ap_plan_lists(proxy, p->ndim, p->lists, p->length, e.dtype, e.flags, &plan, err)
            : ap_plan_new(proxy, p->index, p->ndim, e.dtype, e.flags, &plan, err);
    if (status == AP_OK)
        status = ap_plan_read(plan, out, nbytes, 0, NULL, control, err);
    ap_plan_free(plan);
    return status;
}

/* R's dim of a result, or R_NilValue for a plain vector, as R itself has it. */
static SEXP dim_of(element e, const part *p, int drop)
{
    int64_t n[AP_MAX_NDIM + 1];
    int count = 0, kept = 0;
    if (e.parts > 1)
        n[count++] = e.parts;
    for (int a = 0; a < p->ndim; a++)
        n[count++] = p->length[a];
    if (count == 1 && ((drop && n[0] <= 1) || n[0] > INT_MAX))
        return R_NilValue;
    if (count > 1 && drop) {
        for (int a = 0; a < count; a++)
            if (n[a] != 1)
                n[kept++] = n[a];
        count = kept > 1 ? kept : 0;
    }
    if (count == 0)
        return R_NilValue;
    SEXP dim = Rf_allocVector(INTSXP, count);
    for (int a = 0; a < count; a++) {
        if (n[a] > INT_MAX)
            refuse(AP_ERR_ARGUMENT, "an axis of the result is too long for an array of R");
        INTEGER(dim)[a] = (int)n[a];
    }
    return dim;
}

static void *memory_of(SEXP out)
{
    switch (TYPEOF(out)) {
    case LGLSXP:
        return LOGICAL(out);
    case INTSXP:
        return INTEGER(out);
    case CPLXSXP:
        return COMPLEX(out);
    default:
        return REAL(out);
    }
}

/* The values in R's type, and a warning for those that it does not hold. */
static SEXP finish(SEXP out, element e, SEXP dim)
{
    R_xlen_t inexact = 0;
    out = PROTECT(widen(out, e, &inexact));
    if (dim != R_NilValue)
        Rf_setAttrib(out, R_DimSymbol, dim);
    if (inexact > 0)
        Rf_warning("%.0f of the %s values are rounded: doubles hold integers up to 2^53",
                   (double)inexact, ap_dtype_name(e.dtype));
    UNPROTECT(1);
    return out;
}

static SEXP read_axes(SEXP x, const part *p, element e, int drop)
{
    ap_error err;
    watch w;
    double voxels = 1;
    for (int a = 0; a < p->ndim; a++)
        voxels *= (double)p->length[a];
    if (voxels > (double)R_XLEN_T_MAX)
        refuse(AP_ERR_MEMORY, "the result is too large for R");
    SEXP dim = PROTECT(dim_of(e, p, drop));
    SEXP out = PROTECT(allocate(e, (R_xlen_t)voxels));
    size_t nbytes = (size_t)voxels * e.size;

    /* Events that are handled while a read is looked after may close x. */
    ap_proxy *own = ap_clone(proxy_of(x));
    ap_control *control = watched(&w);
    ap_status status = read_part(own, p, e, memory_of(out), nbytes, control, &err);
    ap_control_free(control);
    ap_free(own);
    if (status < 0)
        fail_watched(&w, &err);
    out = finish(out, e, dim);
    UNPROTECT(2);
    return out;
}

SEXP subset(SEXP x, SEXP env, SEXP drop, SEXP how)
{
    part p = {.by_lists = 0};
    int64_t n[AP_MAX_NDIM];
    double of[3 * AP_MAX_NDIM];
    SEXP given = PROTECT(dots(env));
    R_xlen_t count = XLENGTH(given);
    int regular = 1;
    p.ndim = ap_shape(proxy_of(x), n, AP_MAX_NDIM);
    int whole = count == 0 || (count == 1 && VECTOR_ELT(given, 0) == R_MissingArg);
    if (!whole && count == 1 && p.ndim != 1) {
        SEXP arguments[3] = {x, VECTOR_ELT(given, 0), how};
        check_type(arguments[1]);
        SEXP out = call_r("one_index", 3, arguments);
        UNPROTECT(1);
        return out;
    }
    if (!whole && count != p.ndim)
        refuse(AP_ERR_INDEX, "incorrect number of dimensions");

    SEXP keep = PROTECT(Rf_allocVector(VECSXP, p.ndim));
    for (int a = 0; a < p.ndim; a++) {
        SEXP index = whole ? R_MissingArg : VECTOR_ELT(given, a);
        axis_index i = parse_index(index, n[a], keep, a);
        of[3 * a] = (double)i.start;
        of[3 * a + 1] = (double)i.count;
        of[3 * a + 2] = (double)i.step;
        p.index[a] = slice_of(i.start, i.count, i.step);
        p.length[a] = i.count;
        if (i.vector == R_NilValue)
            SET_VECTOR_ELT(keep, a, R_NilValue);
        else
            regular = 0;
    }
    SEXP out;
    if (regular) {
        /* x[] keeps axes of length 1, as in R. */
        int drops = whole ? 0 : Rf_asLogical(drop);
        out = read_axes(x, &p, element_of(proxy_of(x), how), drops);
    } else {
        SEXP even = PROTECT(Rf_allocMatrix(REALSXP, 3, p.ndim));
        for (int k = 0; k < 3 * p.ndim; k++)
            REAL(even)[k] = of[k];
        SEXP arguments[5] = {x, even, keep, drop, how};
        out = call_r("pick", 5, arguments);
        UNPROTECT(1);
    }
    UNPROTECT(2);
    return out;
}

/* x[[i]] and x[[i, j, k]]. */
SEXP one_element(SEXP x, SEXP env)
{
    part p = {.by_lists = 0};
    int64_t n[AP_MAX_NDIM], size = 1;
    SEXP given = PROTECT(dots(env));
    p.ndim = ap_shape(proxy_of(x), n, AP_MAX_NDIM);
    R_xlen_t count = XLENGTH(given);
    if (count != 1 && count != p.ndim)
        refuse(AP_ERR_INDEX, "incorrect number of subscripts");
    for (int a = 0; a < p.ndim; a++)
        size *= n[a];
    int64_t at = one_position(VECTOR_ELT(given, 0), count == p.ndim ? n[0] : size);
    for (int a = 0; a < p.ndim; a++) {
        if (a > 0 && count > 1)
            at = one_position(VECTOR_ELT(given, a), n[a]);
        p.index[a] = ap_range(at % n[a], at % n[a] + 1, 1);
        p.length[a] = 1;
        at /= n[a];
    }
    SEXP out = read_axes(x, &p, element_of(proxy_of(x), R_NilValue), 1);
    UNPROTECT(1);
    return out;
}

/* `positions`: for each axis NULL or what is wanted, from 1 on and without NA.
 * Where it is NULL a column of `even` has start (from 0), count and step. */
SEXP read_lists(SEXP x, SEXP even, SEXP positions, SEXP drop, SEXP how)
{
    part p = {.by_lists = 1};
    int64_t n[AP_MAX_NDIM];
    p.ndim = ap_shape(proxy_of(x), n, AP_MAX_NDIM);
    for (int a = 0; a < p.ndim; a++) {
        SEXP wanted = VECTOR_ELT(positions, a);
        const double *of = REAL(even) + 3 * a;
        R_xlen_t count = wanted == R_NilValue ? (R_xlen_t)of[1] : XLENGTH(wanted);
        p.length[a] = count;
        if (wanted == R_NilValue && count == n[a] && of[2] > 0)
            continue; /* all of the axis */
        /* One more, so that an empty list has an address. */
        int64_t *list = (int64_t *)R_alloc((size_t)count + 1, sizeof *list);
        for (R_xlen_t k = 0; k < count; k++)
            list[k] = wanted == R_NilValue ? (int64_t)(of[0] + (double)k * of[2])
                                           : (int64_t)REAL(wanted)[k] - 1;
        p.lists[a] = list;
    }
    return read_axes(x, &p, element_of(proxy_of(x), how), Rf_asLogical(drop));
}

/* Single voxels: `points` has a row for each and a column for each axis, from
 * 1 on. They go to the library in blocks, whose entries take 4 MiB at most. */
#define BLOCK_BYTES (4 << 20)

SEXP read_points(SEXP x, SEXP points, SEXP how)
{
    ap_error err;
    watch w;
    int64_t n[AP_MAX_NDIM];
    int ndim = ap_shape(proxy_of(x), n, AP_MAX_NDIM);
    element e = element_of(proxy_of(x), how);
    R_xlen_t count = ndim ? XLENGTH(points) / ndim : 0;
    const double *at = REAL(points);
    if (e.parts > 1)
        refuse(AP_ERR_INDEX, "an RGB image takes an index for each axis");
    for (int a = 0; a < ndim; a++)
        for (R_xlen_t k = 0; k < count; k++) {
            double value = at[k + a * count];
            if (value < 0)
                refuse(AP_ERR_INDEX, "negative values are not allowed in a matrix subscript");
            if (!(value >= 1 && value <= (double)n[a]))
                out_of_bounds();
        }
    R_xlen_t block = BLOCK_BYTES / (R_xlen_t)sizeof(ap_slice) / (ndim ? ndim : 1);
    size_t entries = (size_t)((count < block ? count : block) * ndim);
    ap_slice *index = (ap_slice *)R_alloc(entries, sizeof *index);
    SEXP out = PROTECT(allocate(e, count));
    char *memory = memory_of(out);

    ap_proxy *own = ap_clone(proxy_of(x)); /* as in read_axes() */
    ap_control *control = watched(&w);
    ap_status status = AP_OK;
    for (R_xlen_t done = 0; done < count && status == AP_OK; done += block) {
        R_xlen_t reads = count - done < block ? count - done : block;
        for (R_xlen_t k = 0; k < reads; k++)
            for (int a = 0; a < ndim; a++)
                index[k * ndim + a] = ap_at((int64_t)at[done + k + a * count] - 1);
        status = ap_read_batch(own, index, ndim, reads, e.dtype, e.flags,
                               memory + (size_t)done * e.size, (size_t)reads * e.size, NULL,
                               control, &err);
    }
    ap_control_free(control);
    ap_free(own);
    if (status < 0)
        fail_watched(&w, &err);
    out = finish(out, e, R_NilValue);
    UNPROTECT(1);
    return out;
}
