/* Reading into R's vectors. */
#include "glue.h"

#include <limits.h>
#include <time.h>

/* How often a read looks, at most, whether the user has interrupted it. */
#define LOOK_EVERY_MS 50

/* The reads of one call: when R was last looked after, in ms, and the condition
 * that stopped them. */
typedef struct {
    double looked;
    SEXP condition;
} watch;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static SEXP check(void *unused)
{
    (void)unused;
    R_CheckUserInterrupt();
    return R_NilValue;
}

static SEXP keep_condition(SEXP condition, void *data)
{
    R_PreserveObject(condition);
    ((watch *)data)->condition = condition;
    return R_NilValue;
}

static void check_and_catch(void *data)
{
    SEXP classes = PROTECT(Rf_allocVector(STRSXP, 2));
    SET_STRING_ELT(classes, 0, Rf_mkChar("interrupt"));
    SET_STRING_ELT(classes, 1, Rf_mkChar("error")); /* of setTimeLimit() */
    R_tryCatch(check, NULL, classes, keep_condition, data, NULL, NULL);
    UNPROTECT(1);
}

/* Nothing that R does in here may jump out over the library. */
static int32_t look(void *user, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    watch *w = user;
    /* The library also calls at the end of each read, and looking after R takes
     * ten times as long as a small one. */
    double time = now();
    if (w->looked == 0)
        w->looked = time;
    if (time - w->looked < LOOK_EVERY_MS)
        return 0;
    w->looked = time;
    return !R_ToplevelExec(check_and_catch, w) || w->condition;
}

static ap_control *watched(watch *w)
{
    *w = (watch){0, NULL};
    ap_control *control = ap_control_new();
    if (control) /* more often than look() looks, lest it comes a moment too early */
        ap_control_set_callback(control, look, w, LOOK_EVERY_MS / 2);
    return control;
}

/* Raises what stopped the read, or the library's error. */
static void fail_watched(const watch *w, const ap_error *err)
{
    if (w->condition) {
        SEXP condition = PROTECT(w->condition);
        R_ReleaseObject(condition);
        call_r("resignal", 1, &condition);
        UNPROTECT(1);
    }
    fail(err);
}

/* Evenly spaced stretches of an axis that stand one behind the other in the
 * result; `of` holds start (from 0), count and step of each. */
typedef struct {
    R_xlen_t runs;
    const double *of;
    int64_t length;
} axis_runs;

/* Reads each combination of the axes' runs straight to its place. */
static ap_status read_all_runs(const ap_proxy *proxy, int ndim, const axis_runs *axes, element e,
                               void *out, size_t nbytes, ap_control *control, ap_error *err)
{
    ap_slice index[AP_MAX_NDIM];
    int64_t strides[AP_MAX_NDIM], place[AP_MAX_NDIM] = {0}, stride = (int64_t)e.size;
    R_xlen_t run[AP_MAX_NDIM] = {0};
    for (int a = 0; a < ndim; a++) {
        strides[a] = stride;
        stride *= axes[a].length;
    }
    for (;;) {
        int64_t offset = 0;
        for (int a = 0; a < ndim; a++) {
            const double *of = axes[a].of + 3 * run[a];
            index[a] = slice_of((int64_t)of[0], (int64_t)of[1], (int64_t)of[2]);
            offset += place[a] * strides[a];
        }
        ap_plan *plan;
        ap_status status = ap_plan_new(proxy, index, ndim, e.dtype, e.flags, &plan, err);
        if (status == AP_OK)
            status = ap_plan_read(plan, out, nbytes, (size_t)offset, strides, control, err);
        ap_plan_free(plan);
        if (status < 0)
            return status;
        int a = 0;
        while (a < ndim) {
            place[a] += (int64_t)axes[a].of[3 * run[a] + 1];
            if (++run[a] < axes[a].runs)
                break;
            run[a] = 0;
            place[a++] = 0;
        }
        if (a == ndim)
            return AP_OK;
    }
}

/* R's dim of a result, or R_NilValue for a plain vector, as R itself has it. */
static SEXP dim_of(element e, int ndim, const axis_runs *axes, int drop)
{
    int64_t n[AP_MAX_NDIM + 1];
    int count = 0, kept = 0;
    if (e.parts > 1)
        n[count++] = e.parts;
    for (int a = 0; a < ndim; a++)
        n[count++] = axes[a].length;
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
            Rf_error("an axis of the result is too long for an array of R");
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

static SEXP read_axes(SEXP x, int ndim, const axis_runs *axes, element e, int drop)
{
    ap_error err;
    watch w;
    double voxels = 1;
    for (int a = 0; a < ndim; a++)
        voxels *= (double)axes[a].length;
    if (voxels > (double)R_XLEN_T_MAX)
        Rf_error("the result is too large for R");
    SEXP dim = PROTECT(dim_of(e, ndim, axes, drop));
    SEXP out = PROTECT(allocate(e, (R_xlen_t)voxels));
    size_t nbytes = (size_t)voxels * e.size;

    /* Events that are handled while a read is looked after may close x. */
    ap_proxy *own = ap_clone(proxy_of(x));
    ap_control *control = watched(&w);
    ap_status status = read_all_runs(own, ndim, axes, e, memory_of(out), nbytes, control, &err);
    ap_control_free(control);
    ap_free(own);
    if (status < 0)
        fail_watched(&w, &err);
    out = finish(out, e, dim);
    UNPROTECT(2);
    return out;
}

SEXP subset(SEXP x, SEXP env, SEXP drop, SEXP dtype)
{
    int64_t n[AP_MAX_NDIM];
    double of[3 * AP_MAX_NDIM];
    axis_runs axes[AP_MAX_NDIM];
    SEXP given = PROTECT(dots(env));
    R_xlen_t count = XLENGTH(given);
    const ap_proxy *proxy = proxy_of(x);
    int ndim = ap_shape(proxy, n, AP_MAX_NDIM), regular = 1;
    int whole = count == 0 || (count == 1 && VECTOR_ELT(given, 0) == R_MissingArg);
    if (!whole && count == 1 && ndim != 1) {
        SEXP arguments[3] = {x, VECTOR_ELT(given, 0), dtype};
        SEXP out = call_r("one_index", 3, arguments);
        UNPROTECT(1);
        return out;
    }
    if (!whole && count != ndim)
        Rf_error("incorrect number of dimensions");

    SEXP keep = PROTECT(Rf_allocVector(VECSXP, ndim));
    for (int a = 0; a < ndim; a++) {
        SEXP index = whole ? R_MissingArg : VECTOR_ELT(given, a);
        axis_index i = parse_index(index, n[a], keep, a);
        of[3 * a] = (double)i.start;
        of[3 * a + 1] = (double)i.count;
        of[3 * a + 2] = (double)i.step;
        axes[a] = (axis_runs){1, of + 3 * a, i.count};
        if (i.vector == R_NilValue)
            SET_VECTOR_ELT(keep, a, R_NilValue);
        else
            regular = 0;
    }
    SEXP out;
    if (regular) {
        /* x[] keeps axes of length 1, as in R. */
        int drops = whole ? 0 : Rf_asLogical(drop);
        out = read_axes(x, ndim, axes, element_of(proxy, dtype), drops);
    } else {
        SEXP even = PROTECT(Rf_allocMatrix(REALSXP, 3, ndim));
        for (int k = 0; k < 3 * ndim; k++)
            REAL(even)[k] = of[k];
        SEXP arguments[5] = {x, even, keep, drop, dtype};
        out = call_r("pick", 5, arguments);
        UNPROTECT(1);
    }
    UNPROTECT(2);
    return out;
}

/* `runs`: for each axis a matrix of 3 rows (start from 0, count, step). */
SEXP read_runs(SEXP x, SEXP runs, SEXP dtype)
{
    axis_runs axes[AP_MAX_NDIM];
    const ap_proxy *proxy = proxy_of(x);
    int ndim = ap_ndim(proxy);
    for (int a = 0; a < ndim; a++) {
        SEXP one = VECTOR_ELT(runs, a);
        axes[a] = (axis_runs){XLENGTH(one) / 3, REAL(one), 0};
        for (R_xlen_t r = 0; r < axes[a].runs; r++)
            axes[a].length += (int64_t)axes[a].of[3 * r + 1];
    }
    return read_axes(x, ndim, axes, element_of(proxy, dtype), 0);
}

/* Single voxels: `points` has a row for each and a column for each axis, from
 * 1 on. They go to the library in blocks, whose entries take 4 MiB at most. */
#define BLOCK_BYTES (4 << 20)

SEXP read_points(SEXP x, SEXP points, SEXP dtype)
{
    ap_error err;
    watch w;
    int64_t n[AP_MAX_NDIM];
    const ap_proxy *proxy = proxy_of(x);
    int ndim = ap_shape(proxy, n, AP_MAX_NDIM);
    element e = element_of(proxy, dtype);
    R_xlen_t count = ndim ? XLENGTH(points) / ndim : 0;
    const double *at = REAL(points);
    if (e.parts > 1)
        Rf_error("an RGB image takes an index for each axis");
    for (int a = 0; a < ndim; a++)
        for (R_xlen_t k = 0; k < count; k++) {
            double value = at[k + a * count];
            if (!(value >= 1 && value < (double)n[a] + 1))
                Rf_error("subscript out of bounds");
        }
    R_xlen_t block = BLOCK_BYTES / (R_xlen_t)sizeof(ap_slice) / (ndim ? ndim : 1);
    size_t entries = (size_t)((count < block ? count : block) * ndim);
    ap_slice *index = (ap_slice *)R_alloc(entries, sizeof *index);
    SEXP out = PROTECT(allocate(e, count));
    char *memory = memory_of(out);

    ap_proxy *own = ap_clone(proxy); /* as in read_axes() */
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
