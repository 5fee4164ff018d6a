/* Looking after R while the library works. */
#include "glue.h"

#include <time.h>

/* How often a read looks, at most, whether the user has interrupted it. */
#define LOOK_EVERY_MS 50

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

ap_control *watched(watch *w)
{
    *w = (watch){0, NULL};
    ap_control *control = ap_control_new();
    if (control) /* more often than look() looks, lest it comes a moment too early */
        ap_control_set_callback(control, look, w, LOOK_EVERY_MS / 2);
    return control;
}

void fail_watched(const watch *w, const ap_error *err)
{
    if (w->condition) {
        SEXP condition = PROTECT(w->condition);
        R_ReleaseObject(condition);
        call_r("resignal", 1, &condition);
        UNPROTECT(1);
    }
    fail(err);
}
