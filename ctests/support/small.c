#include "small.h"

#include "access.h"

const int64_t small_shape[3] = {4, 3, 2};
const char *const analyze_formats[3] = {"analyze", "spm99", "spm2"};

void put_small(bytes *b, int order)
{
    for (int i = 0; i < 24; i++)
        put_int(b, (uint64_t)(100 + i), 2, order);
}

int small_right(const ap_proxy *proxy)
{
    int16_t out[24];
    int wrong = 0;
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    for (int i = 0; i < 24; i++)
        wrong += out[i] != 100 + i;
    return wrong == 0;
}

nifti small_analyze(int order)
{
    return analyze_new(order, AP_INT16, 3, small_shape);
}

const char *write_small_pair(const nifti *n)
{
    bytes image = {0};
    put_small(&image, n->order);
    write_nifti_header(temp_path("pair.hdr"), n);
    write_bytes(temp_path("pair.img"), &image);
    bytes_free(&image);
    return temp_path("pair.hdr");
}

ap_proxy *open_small_pair(const nifti *n, const char *format)
{
    ap_proxy *proxy = NULL;
    CHECK_OK(open_as(write_small_pair(n), format, 0, &proxy));
    return proxy;
}
