/*
 * niftilib (nifti_clib) as Debian has it. It always decodes from the start,
 * opens the file anew for every part, and never scales: the loop below does,
 * as its users have to.
 */
#include "server.h"

#include <nifti/nifti1_io.h>

static void open_work(const job *j)
{
    int64_t times = job_number(j, "times", 1);
    double start = seconds();
    for (int64_t i = 0; i < times; i++)
        nifti_image_free(nifti_image_read(j->parts[1], 0));
    answer((seconds() - start) / (double)times, 0, "");
}

/* The result: what niftilib allocated itself, or floats in new memory. */
static void *scaled(const nifti_image *image, const char *dtype, size_t *nbytes)
{
    const int16_t *from = image->data;
    float slope = image->scl_slope, inter = image->scl_inter;
    size_t size = image->nvox;
    if (strcmp(dtype, "disk") == 0 || image->datatype != DT_INT16) {
        *nbytes = size * (size_t)image->nbyper;
        return NULL;
    }
    *nbytes = size * (strcmp(dtype, "float32") == 0 ? sizeof(float) : sizeof(double));
    void *out = memory(*nbytes);
    if (strcmp(dtype, "float32") == 0) {
        for (size_t i = 0; i < size; i++)
            ((float *)out)[i] = (float)from[i] * slope + inter;
    } else {
        for (size_t i = 0; i < size; i++)
            ((double *)out)[i] = (double)from[i] * (double)slope + (double)inter;
    }
    return out;
}

static void whole(const job *j)
{
    size_t nbytes;
    double start = seconds();
    nifti_image *image = nifti_image_read(j->parts[1], 1);
    if (!image || !image->data) {
        failed("niftilib cannot read it");
        nifti_image_free(image);
        return;
    }
    void *out = scaled(image, job_text(j, "dtype", "disk"), &nbytes);
    double time = seconds() - start;
    answer(time, checksum(out ? out : image->data, nbytes), "");
    free(out);
    nifti_image_free(image);
}

static void slices(const job *j)
{
    int64_t count;
    box *boxes = boxes_of(job_text(j, "boxes", ""), &count);
    double start = seconds();
    nifti_image *image = nifti_image_read(j->parts[1], 0);
    if (!image) {
        failed("niftilib cannot open it");
        free(boxes);
        return;
    }
    size_t nbytes = boxes_size(boxes, count) * (size_t)image->nbyper;
    char *out = memory(nbytes), *to = out;
    int fine = 1;
    for (int64_t i = 0; i < count && fine; i++) {
        int at[4], size[4];
        for (int axis = 0; axis < 4; axis++) {
            at[axis] = (int)boxes[i].start[axis];
            size[axis] = (int)boxes[i].count[axis];
        }
        void *place = to;
        fine = nifti_read_subregion_image(image, at, size, &place) >= 0;
        to += box_size(&boxes[i]) * (size_t)image->nbyper;
    }
    double time = seconds() - start;
    if (fine)
        answer(time, checksum(out, nbytes), "");
    else
        failed("niftilib cannot read a part");
    free(out);
    nifti_image_free(image);
    free(boxes);
}

static void work(const job *j)
{
    if (strcmp(j->parts[0], "open") == 0)
        open_work(j);
    else if (strcmp(j->parts[0], "whole") == 0)
        whole(j);
    else if (strcmp(j->parts[0], "slices") == 0)
        slices(j);
    else
        failed("no such work");
}

int main(void)
{
    nifti_set_debug_level(0);
    serve("niftilib " NIFTILIB_VERSION, work);
    return 0;
}
