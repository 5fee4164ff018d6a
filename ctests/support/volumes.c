/* Files of one volume each that make one array. */
#include "volumes.h"
#include "numpy.h"

#include <stdio.h>
#include <string.h>

const int64_t volume_shape[3] = {4, 3, 2};

nifti volume_header(int version, int order)
{
    static const double rows[12] = {2, 0, 0.5, -90, 0, 3, 0, -126, 0.25, 0, 4.5, -72};
    nifti n = nifti_new(version, order, AP_INT32, 3, volume_shape);
    n.pixdim[1] = 2;
    n.pixdim[2] = 3;
    n.pixdim[3] = 4.5;
    n.sform_code = 2;
    memcpy(n.srow, rows, sizeof rows);
    return n;
}

void put_voxels(bytes *b, int i, int order)
{
    for (int e = 0; e < VOXELS; e++)
        put_int(b, (uint64_t)(e + VOXELS * i), 4, order);
}

const char *write_volume_as(const char *name, const nifti *n, int i, int codec)
{
    const char *path = temp_path(name);
    bytes data = {0}, plain = {0}, b = {0};
    put_voxels(&data, i, n->order);
    put_nifti(&plain, n, data.data, data.size);
    put_packed(&b, codec, plain.data, plain.size);
    write_bytes(path, &b);
    bytes_free(&data);
    bytes_free(&plain);
    bytes_free(&b);
    return path;
}

const char *write_volume(int i, int codecs)
{
    nifti n = volume_header(1, AP_LITTLE);
    char name[40];
    int codec = i % codecs;
    snprintf(name, sizeof name, "part%d.nii%s", i, codec_suffix(codec));
    return write_volume_as(name, &n, i, codec);
}

const char *volume_path(int i, int codecs)
{
    char name[40];
    snprintf(name, sizeof name, "part%d.nii%s", i, codec_suffix(i % codecs));
    return temp_path(name);
}

ap_series *list_paths(const char *const *paths, int n)
{
    ap_series *list = ap_series_new();
    CHECK(list != NULL);
    for (int i = 0; i < n; i++) {
        err_mark();
        CHECK_OK(ap_series_add(list, paths[i], &err));
        CHECK(err_untouched());
    }
    return list;
}

ap_status try_list(const ap_series *list, const char *options, ap_proxy **proxy)
{
    ap_options *o = ap_options_new();
    *proxy = MARKED(ap_proxy);
    CHECK_OK(ap_options_parse(o, options, &err));
    ap_status status = ap_open_series(list, o, proxy, &err);
    CHECK((status == AP_OK) == (*proxy != NULL));
    ap_options_free(o);
    return status;
}

ap_status try_paths(const char *const *paths, int n, const char *options, ap_proxy **proxy)
{
    ap_series *list = list_paths(paths, n);
    ap_status status = try_list(list, options, proxy);
    ap_series_free(list);
    return status;
}

ap_proxy *open_paths(const char *const *paths, int n, const char *options)
{
    ap_proxy *proxy;
    CHECK_OK(try_paths(paths, n, options, &proxy));
    return proxy;
}

ap_proxy *open_volumes(int n, int codecs, const char *options)
{
    ap_series *list = ap_series_new();
    ap_proxy *proxy;
    for (int i = 0; i < n; i++)
        CHECK_OK(ap_series_add(list, write_volume(i, codecs), &err));
    CHECK_OK(try_list(list, options, &proxy));
    ap_series_free(list);
    return proxy;
}

void check_volumes(const ap_proxy *proxy)
{
    static const ap_slice all = {AP_SLICE_RANGE, AP_NONE, AP_NONE, 1};
    const ap_slice indices[][4] = {
        {all, all, all, all},
        {ap_at(3), ap_at(1), ap_at(1), all},
        {ap_at(0), ap_at(2), ap_at(0), ap_range(AP_NONE, AP_NONE, -1)},
        {all, all, all, ap_at(0)},
        {all, all, all, ap_at(-1)},
        {all, ap_at(1), all, ap_range(AP_NONE, AP_NONE, -2)},
        {ap_range(AP_NONE, AP_NONE, -1), all, ap_at(1), ap_range(1, AP_NONE, 3)},
        {ap_range(1, 3, 1), ap_range(AP_NONE, AP_NONE, 2), all, ap_range(-1, AP_NONE, -3)},
        {all, all, ap_range(1, 1, 1), all},
        {all, all, all, ap_range(0, 0, 1)},
    };
    for (int i = 0; i < COUNT(indices); i++) {
        CHECK_INDEX(proxy, indices[i], 4, AP_ORDER_F);
        CHECK_INDEX(proxy, indices[i], 4, AP_ORDER_C);
    }
}
