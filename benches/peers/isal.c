/*
 * ISA-L: a gzip file of one member, decoded in one go, with its checksum. Work:
 * `whole`.
 */
#include "server.h"

#include <isa-l/igzip_lib.h>

/* Bytes before the array, which do not count as a result. */
#define HEADER 352

static unsigned char *content(const char *path, size_t *nbytes)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = NULL;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        *nbytes = (size_t)ftell(file);
        rewind(file);
        bytes = memory(*nbytes);
        if (fread(bytes, 1, *nbytes, file) != *nbytes) {
            free(bytes);
            bytes = NULL;
        }
    }
    if (file)
        fclose(file);
    return bytes;
}

static void work(const job *j)
{
    struct inflate_state state;
    size_t packed = 0;
    uint32_t size = 0;
    unsigned char *bytes = content(j->parts[1], &packed), *result = NULL;
    if (!bytes || packed < 18 || strcmp(j->parts[0], "whole") != 0) {
        failed("no such file or work");
        free(bytes);
        return;
    }
    memcpy(&size, bytes + packed - 4, 4);
    result = memory(size);
    memset(result, 0, size);
    double start = seconds();
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    state.next_in = bytes;
    state.avail_in = (uint32_t)packed;
    state.next_out = result;
    state.avail_out = size;
    int status = isal_inflate(&state);
    double time = seconds() - start;
    if (status != ISAL_DECOMP_OK || state.avail_out > 0)
        failed("the file does not decode to its size");
    else
        answer(time, checksum(result + HEADER, size - HEADER), "");
    free(result);
    free(bytes);
}

int main(void)
{
    serve("ISA-L " ISAL_VERSION, work);
    return 0;
}
