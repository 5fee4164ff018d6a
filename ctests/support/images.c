/* Images, and what is asked of their data, in few words. */
#include "images.h"
#include "nifti.h"
#include "small.h"

#include <string.h>

const double diag[16] = {2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1};

const char *scaled_file(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 3, small_shape);
    bytes stored = {0};
    n.slope = 0.5;
    n.inter = -50;
    n.sform_code = 2;
    n.srow[0] = n.srow[5] = n.srow[10] = 3;
    n.srow[3] = -7;
    put_small(&stored, AP_LITTLE);
    write_nifti(temp_path("scaled.nii"), &n, stored.data, stored.size);
    bytes_free(&stored);
    return temp_path("scaled.nii");
}

ap_image *open_image(const char *path)
{
    ap_image *image = NULL;
    CHECK_OK(ap_image_open(path, NULL, &image, &err));
    return image;
}

ap_array *get_data_as(const ap_image *image, ap_dtype dtype, uint32_t flags)
{
    ap_array *data = NULL;
    CHECK_OK(ap_image_data(image, dtype, flags, NULL, &data, &err));
    return data;
}

ap_array *get_data(const ap_image *image)
{
    return get_data_as(image, AP_AUTO, 0);
}

int is(const ap_array *a, const ap_array *b)
{
    return ap_array_data(a) && ap_array_data(a) == ap_array_data(b);
}

int is_and_free(const ap_array *a, ap_array *b)
{
    int same = is(a, b);
    ap_array_free(b);
    return same;
}

double at(const ap_array *a, int x, int y, int z)
{
    int64_t step[3] = {0, 0, 0};
    int16_t i;
    float f;
    double d;
    if (!a || ap_array_strides(a, step, 3) != 3)
        return -1e9;
    const char *p = (const char *)ap_array_data(a) + x * step[0] + y * step[1] + z * step[2];
    switch (ap_array_dtype(a)) {
    case AP_INT16: memcpy(&i, p, 2); return i;
    case AP_FLOAT32: memcpy(&f, p, 4); return (double)f;
    case AP_FLOAT64: memcpy(&d, p, 8); return d;
    default: return -1e9;
    }
}

ap_array *arange(void)
{
    ap_array *array = NULL;
    CHECK_OK(ap_array_new(AP_INT16, 3, small_shape, AP_ORDER_F, &array, &err));
    for (int i = 0; i < 24; i++)
        ((int16_t *)ap_array_data(array))[i] = (int16_t)i;
    return array;
}
