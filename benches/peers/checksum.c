/* For languages without arithmetic of 64 bits that wraps: the checksum of server.h as
 * two halves, which go on. Called by Julia's `ccall` and R's `.C`. */
#include "server.h"

void checksum_halves(const void *data, const double *nbytes, double *halves)
{
    uint64_t sum = (uint64_t)halves[0] << 32 | (uint64_t)halves[1];
    sum = checksum_on(sum, data, (size_t)*nbytes);
    halves[0] = (double)(sum >> 32);
    halves[1] = (double)(sum & 0xFFFFFFFF);
}
