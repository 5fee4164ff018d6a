/*
 * ways.h - the calls that take a control
 */
#ifndef WAYS_H
#define WAYS_H

#include "../test.h"

enum { BY_LOAD, BY_PLAN, BY_BATCH, BY_IMAGE, BY_BUILD, WAYS };

const char *way_name(int way);

/* Make one; of images and the seek index, of the whole array. In any thread.
 * WRONG_VALUES (see series.h) if what comes with the status does not fit it. */
ap_status run_way(int way, const ap_proxy *proxy, const ap_slice *index, int nindex,
                  ap_control *control, ap_error *e);

/* The same as a thread's function, which is given a job. */
typedef struct {
    int way;
    const ap_proxy *proxy;
    const ap_slice *index;
    int nindex;
    ap_control *control;
    ap_status status;
    ap_error error;
} way_job;

void *run_way_job(void *job);

/* `wanted` bytes are done, and as many are all. */
void check_progress(const ap_control *control, int64_t wanted);

#endif
