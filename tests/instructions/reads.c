/*
 * Reads whose instructions are counted (tests/instructions.sh): of an array of
 * 96x96x20x30 int16 in memory, with slope and intercept.
 *
 *   whole   all of it, to float64
 *   column  [40, :, :, :], to float32: one element of each row
 *   voxel   [40, 50, 10, 3], by a new handle each time, 1,000 times
 */
#include <arrayproxy.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shape[4] = {96, 96, 20, 30};
static const size_t elements = 96 * 96 * 20 * 30;

static ap_proxy *open_array(ap_source *source)
{
    ap_proxy *proxy = NULL;
    ap_open_layout(source, AP_INT16, AP_LITTLE, 4, shape, AP_ORDER_F, 0, 0.25, 1, NULL, &proxy,
                   NULL);
    return proxy;
}

/* Only what happens in here is counted. */
__attribute__((noinline)) ap_status counted(const char *work, ap_source *source, ap_proxy *proxy,
                                            void *out)
{
    if (strcmp(work, "whole") == 0)
        return ap_read_all(proxy, AP_FLOAT64, 0, out, elements * 8, NULL);
    ap_slice index[4] = {ap_at(40), ap_at(50), ap_at(10), ap_at(3)};
    if (strcmp(work, "column") == 0)
        return ap_read_slice(proxy, index, 1, AP_FLOAT32, 0, out, elements * 4, NULL);
    ap_status status = AP_OK;
    for (int i = 0; i < 1000 && status == AP_OK; i++) {
        ap_proxy *one = open_array(source);
        status = ap_read_slice(one, index, 4, AP_FLOAT64, 0, out, 8, NULL);
        ap_free(one);
    }
    return status;
}

int main(int argc, char **argv)
{
    int16_t *stored = malloc(2 * elements);
    void *out = malloc(8 * elements);
    ap_source *source = NULL;
    if (argc != 2 || !stored || !out)
        return 2;
    for (size_t i = 0; i < elements; i++)
        stored[i] = (int16_t)(i * 7 % 3001);
    if (ap_source_memory(stored, 2 * elements, NULL, NULL, &source, NULL) != AP_OK)
        return 1;
    ap_proxy *proxy = open_array(source);
    ap_status status = counted(argv[1], source, proxy, out);
    ap_free(proxy);
    ap_source_free(source);
    free(stored);
    free(out);
    return status == AP_OK ? 0 : 1;
}
