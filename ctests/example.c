/*
 * A tour of arrayproxy: what an image is, parts of it, and a picture.
 *
 *     example IMAGE [PICTURE.png]
 *
 * Prints format, type, shape and place of the image; reads one volume, one
 * plane and one line of voxels, and nothing else of the data; draws the three
 * middle planes.
 */
#include <arrayproxy.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "png.h"

#define PICTURE_SIDE 320 /* pixels of the image's longest side */

/* What a function of the library could not do, and why. */
static int failed(ap_status status, const ap_error *err)
{
    fprintf(stderr, "%s: %s\n", ap_status_name(status), err->message);
    return -1;
}

static int print_metadata(const ap_proxy *proxy)
{
    ap_error err;
    int64_t shape[AP_MAX_NDIM];
    double zooms[AP_MAX_NDIM], affine[16];

    printf("format      %s, compression: %s\n", ap_format(proxy), ap_codec(proxy));
    printf("type        %s on disk, %s delivered%s\n",
           ap_dtype_name(ap_disk_dtype(proxy)), ap_dtype_name(ap_auto_dtype(proxy)),
           ap_is_scaled(proxy) == 1 ? ", scaled" : "");

    int32_t ndim = ap_shape(proxy, shape, AP_MAX_NDIM);
    printf("shape      ");
    for (int32_t i = 0; i < ndim; i++)
        printf(" %" PRId64, shape[i]);

    int32_t nzooms = ap_zooms(proxy, zooms, AP_MAX_NDIM, &err);
    if (nzooms < 0)
        return failed(nzooms, &err);
    printf("\nvoxel sizes");
    for (int32_t i = 0; i < nzooms; i++)
        printf(" %g", zooms[i]);

    int32_t code = ap_affine(proxy, AP_AFFINE_BEST, affine, &err);
    if (code < 0)
        return failed(code, &err);
    printf("\naffine      xform code %" PRId32 "\n", code);
    for (int row = 0; row < 4; row++)
        printf("            %10.4f %10.4f %10.4f %10.4f\n", affine[4 * row],
               affine[4 * row + 1], affine[4 * row + 2], affine[4 * row + 3]);

    const char *warning;
    for (int32_t i = 0; (warning = ap_warning(proxy, i)) != NULL; i++)
        printf("warning     %s\n", warning);
    return 0;
}

/* The index that goes through the middle voxel and takes the axes whose bit
 * is set in `whole` from end to end. */
static void through_middle(ap_slice *index, const int64_t *shape, int32_t ndim,
                           unsigned whole)
{
    for (int32_t i = 0; i < ndim; i++)
        index[i] = i < 4 && (whole >> i & 1) ? ap_all() : ap_at(shape[i] / 2);
}

/* Reads a part as float64, whatever is on disk. The caller frees the result;
 * NULL after a failure, which has been printed. */
static double *read_part(const ap_proxy *proxy, const ap_slice *index,
                         int32_t nindex, size_t *count)
{
    ap_error err;
    int64_t nbytes = ap_slice_nbytes(proxy, index, nindex, AP_FLOAT64, 0, &err);
    if (nbytes < 0) {
        failed((ap_status)nbytes, &err);
        return NULL;
    }
    double *values = malloc((size_t)nbytes);
    if (!values) {
        fprintf(stderr, "no memory for %" PRId64 " bytes\n", nbytes);
        return NULL;
    }
    ap_status status = ap_read_slice(proxy, index, nindex, AP_FLOAT64, 0, values,
                                     (size_t)nbytes, &err);
    if (status < 0) {
        failed(status, &err);
        free(values);
        return NULL;
    }
    *count = (size_t)nbytes / sizeof *values;
    return values;
}

/* Reads the axes in `whole` through the middle voxel and prints the index, as
 * NumPy writes it, and statistics of the values. */
static int print_part(const ap_proxy *proxy, const char *name,
                      const int64_t *shape, int32_t ndim, unsigned whole)
{
    ap_slice index[AP_MAX_NDIM];
    size_t count, finite = 0;
    through_middle(index, shape, ndim, whole);
    double *values = read_part(proxy, index, ndim, &count);
    if (!values)
        return -1;
    double min = INFINITY, max = -INFINITY, sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            continue;
        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
        sum += values[i];
        finite++;
    }
    free(values);

    printf("%-11s [", name);
    for (int32_t i = 0; i < ndim; i++) {
        const char *comma = i ? ", " : "";
        if (index[i].kind == AP_SLICE_AT)
            printf("%s%" PRId64, comma, index[i].start);
        else
            printf("%s:", comma);
    }
    printf("]: %zu values", count);
    if (finite)
        printf(", min %g, max %g, mean %g", min, max, sum / (double)finite);
    printf("\n");
    return 0;
}

/* Which axis of the array runs most nearly along each axis of the world, and
 * whether it runs against it. World axes: to the right, to the front, up. */
static void orientation(const double *affine, int *axis, int *flip)
{
    int used[3] = {0, 0, 0};
    for (int w = 0; w < 3; w++) {
        int best = -1;
        for (int a = 0; a < 3; a++)
            if (!used[a] &&
                (best < 0 || fabs(affine[4 * w + a]) > fabs(affine[4 * w + best])))
                best = a;
        used[best] = 1;
        axis[w] = best;
        flip[w] = affine[4 * w + best] < 0;
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The grey window: the 2nd and 98th percentile of the planes' values. */
static int window(double *const *plane, const size_t *count, double *low, double *high)
{
    double *sorted = malloc((count[0] + count[1] + count[2]) * sizeof *sorted);
    size_t n = 0;
    if (!sorted)
        return -1;
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < count[p]; i++)
            if (isfinite(plane[p][i]))
                sorted[n++] = plane[p][i];
    qsort(sorted, n, sizeof *sorted, ascending);
    *low = n ? sorted[n / 50] : 0;
    *high = n ? sorted[n - 1 - n / 50] : 0;
    free(sorted);
    return 0;
}

static unsigned char grey(double value, double low, double high)
{
    if (!(value > low)) /* NaN too */
        return 0;
    return value >= high ? 255 : (unsigned char)(255 * (value - low) / (high - low));
}

/* Draws the middle planes side by side: from the right, from behind, from
 * above. The patient's left is on the left, the head or front on top. */
static int draw(const ap_proxy *proxy, const int64_t *shape, int32_t ndim,
                const char *path)
{
    static const int across[3] = {1, 0, 0}, upward[3] = {2, 2, 1}; /* world axes */
    double affine[16], zooms[AP_MAX_NDIM], longest = 0, side[3];
    double *plane[3] = {NULL, NULL, NULL}, low, high;
    int axis[3], flip[3], pixels[3], result = -1;
    size_t count[3];
    ap_error err;
    ap_slice index[AP_MAX_NDIM];

    ap_status status = ap_affine(proxy, AP_AFFINE_BEST, affine, &err);
    if (status >= 0)
        status = ap_zooms(proxy, zooms, AP_MAX_NDIM, &err);
    if (status < 0)
        return failed(status, &err);
    orientation(affine, axis, flip);
    for (int w = 0; w < 3; w++) {
        double zoom = zooms[axis[w]];
        side[w] = (double)shape[axis[w]] * (zoom > 0 && zoom < 1e6 ? zoom : 1);
        longest = side[w] > longest ? side[w] : longest;
    }
    for (int w = 0; w < 3; w++)
        pixels[w] = 1 + (int)((PICTURE_SIDE - 1) * side[w] / longest);

    int width = pixels[1] + 2 * pixels[0];
    int height = pixels[2] > pixels[1] ? pixels[2] : pixels[1];
    unsigned char *picture = calloc((size_t)width, (size_t)height);

    for (int p = 0; p < 3; p++) {
        int x = across[p], y = upward[p];
        through_middle(index, shape, ndim, 1u << axis[x] | 1u << axis[y]);
        /* Top left comes first: an axis that runs the other way is read backwards. */
        if (flip[x])
            index[axis[x]] = ap_range(AP_NONE, AP_NONE, -1);
        if (!flip[y])
            index[axis[y]] = ap_range(AP_NONE, AP_NONE, -1);
        plane[p] = read_part(proxy, index, ndim, &count[p]);
        if (!plane[p])
            goto done;
    }
    if (!picture || window(plane, count, &low, &high) != 0) {
        fprintf(stderr, "no memory for the picture\n");
        goto done;
    }
    for (int p = 0, left = 0; p < 3; left += pixels[across[p]], p++) {
        int x = across[p], y = upward[p];
        int64_t nx = shape[axis[x]], ny = shape[axis[y]];
        int top = (height - pixels[y]) / 2;
        for (int row = 0; row < pixels[y]; row++) {
            int64_t j = row * ny / pixels[y];
            for (int column = 0; column < pixels[x]; column++) {
                int64_t i = column * nx / pixels[x];
                /* Column-major: the axis with the lower number moves fastest. */
                int64_t at = axis[x] < axis[y] ? i + j * nx : j + i * ny;
                picture[(top + row) * width + left + column] =
                    grey(plane[p][at], low, high);
            }
        }
    }
    result = png_write(path, picture, width, height);
    if (result != 0)
        perror(path);
    else
        printf("picture     %s, %d x %d\n", path, width, height);
done:
    for (int p = 0; p < 3; p++)
        free(plane[p]);
    free(picture);
    return result;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: %s IMAGE [PICTURE.png]\n", argv[0]);
        return 2;
    }
    ap_error err;
    ap_proxy *proxy;
    ap_status status = ap_open(argv[1], NULL, &proxy, &err);
    if (status < 0) {
        failed(status, &err);
        return 1;
    }
    int64_t shape[AP_MAX_NDIM];
    int32_t ndim = ap_shape(proxy, shape, AP_MAX_NDIM);
    int result = print_metadata(proxy);
    if (result == 0 && (ndim < 3 || ap_size(proxy) == 0)) {
        printf("nothing to draw: this tour needs three axes with voxels on them\n");
    } else if (result == 0) {
        result = print_part(proxy, "volume", shape, ndim, 0x7);
        if (result == 0)
            result = print_part(proxy, "plane", shape, ndim, 0x3);
        if (result == 0)
            result = ndim > 3 ? print_part(proxy, "time course", shape, ndim, 0x8)
                              : print_part(proxy, "line", shape, ndim, 0x4);
        if (result == 0 && argc == 3)
            result = draw(proxy, shape, ndim, argv[2]);
    }
    ap_free(proxy);
    return result == 0 ? 0 : 1;
}
