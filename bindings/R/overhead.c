/* What a read of one voxel costs in C: the least of 20 rounds, in microseconds.
 * overhead.R takes the same read in R. */
#include <arrayproxy.h>

#include <stdio.h>
#include <time.h>

#define READS 20000

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char **argv)
{
    ap_error err;
    ap_proxy *proxy;
    if (argc != 2 || ap_open(argv[1], NULL, &proxy, &err) < 0) {
        fprintf(stderr, "%s\n", argc == 2 ? err.message : "usage: overhead IMAGE");
        return 1;
    }
    ap_slice index[] = {ap_at(2), ap_at(3), ap_at(1)};
    double least = 0, value;
    for (int round = 0; round < 20; round++) {
        double began = now();
        for (int i = 0; i < READS; i++)
            if (ap_read_slice(proxy, index, 3, AP_FLOAT64, 0, &value, sizeof value, &err) < 0) {
                fprintf(stderr, "%s\n", err.message);
                return 1;
            }
        double took = (now() - began) / READS;
        if (round == 0 || took < least)
            least = took;
    }
    ap_free(proxy);
    printf("%.3f\n", least);
    return 0;
}
