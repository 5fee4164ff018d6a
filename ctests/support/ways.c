/* The calls that take a control. */
#include "ways.h"
#include "series.h"

#include <stdlib.h>

const char *way_name(int way)
{
    static const char *names[WAYS] = {"load", "plan", "batch", "image", "index"};
    return names[way];
}

ap_status run_way(int way, const ap_proxy *proxy, const ap_slice *index, int nindex,
                  ap_control *control, ap_error *e)
{
    ap_array *array = MARKED(ap_array);
    ap_image *image = NULL;
    ap_plan *plan = NULL;
    void *out = NULL;
    int64_t nbytes = 0;
    ap_status status;
    if (way == BY_BUILD)
        return ap_seekindex_build(proxy, control, e);
    if (way == BY_PLAN || way == BY_BATCH) {
        nbytes = ap_slice_nbytes(proxy, index, nindex, AP_AUTO, 0, e);
        if (nbytes < 0 || !(out = malloc((size_t)nbytes + 1)))
            return (ap_status)nbytes;
    }
    if (way == BY_PLAN) {
        status = ap_plan_new(proxy, index, nindex, AP_AUTO, 0, &plan, e);
        if (status == AP_OK)
            status = ap_plan_read(plan, out, (size_t)nbytes, 0, NULL, control, e);
        ap_plan_free(plan);
    } else if (way == BY_BATCH) {
        status = ap_read_batch(proxy, index, nindex, 1, AP_AUTO, 0, out, (size_t)nbytes, NULL,
                               control, e);
    } else {
        if (way == BY_LOAD) {
            status = ap_load(proxy, index, nindex, AP_AUTO, 0, control, &array, e);
        } else {
            status = ap_image_from_proxy(proxy, &image, e);
            if (status == AP_OK)
                status = ap_image_data(image, AP_AUTO, 0, control, &array, e);
            if (ap_image_in_memory(image) != (status == AP_OK))
                status = WRONG_VALUES;
        }
        if ((status == AP_OK) != (array != NULL))
            status = WRONG_VALUES;
        ap_image_free(image);
        ap_array_free(array);
    }
    free(out);
    return status;
}

void *run_way_job(void *given)
{
    way_job *j = given;
    j->status = run_way(j->way, j->proxy, j->index, j->nindex, j->control, &j->error);
    return NULL;
}

void check_progress(const ap_control *control, int64_t wanted)
{
    uint64_t done = 1, total = 2;
    ap_control_progress(control, &done, &total);
    CHECK_INT(done, wanted);
    CHECK_INT(total, wanted);
}
