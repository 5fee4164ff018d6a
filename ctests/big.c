/* Offsets, sizes and strides beyond 2 and 4 GiB, in sparse files and memory
 * that is reserved but hardly touched. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GIB (INT64_C(1) << 30)

/* 1024 x 1024 x 1280 x 4 bytes: 5 GiB. */
static const int64_t shape[4] = {1024, 1024, 1280, 4};

static void put_at(int file, int64_t offset, unsigned char value)
{
    CHECK(pwrite(file, &value, 1, (off_t)offset) == 1);
}

/* Values at both ends and on both sides of 2 and 4 GiB; the rest is a hole. */
static const int64_t places[] = {0,           1,           2 * GIB - 1, 2 * GIB,
                                 4 * GIB - 353, 4 * GIB - 352, 4 * GIB - 1, 4 * GIB,
                                 4 * GIB + 1, 5 * GIB - 2, 5 * GIB - 1};

static const char *make_sparse(const nifti *n, int64_t data_offset)
{
    const char *path = temp_path("sparse.nii");
    bytes header = {0};
    put_nifti_header(&header, n);
    write_bytes(path, &header);
    bytes_free(&header);
    int file = open(path, O_RDWR);
    CHECK(file >= 0);
    CHECK(ftruncate(file, (off_t)(data_offset + 5 * GIB)) == 0);
    for (int i = 0; i < COUNT(places); i++)
        put_at(file, data_offset + places[i], (unsigned char)(i + 1));
    CHECK(close(file) == 0);
    return path;
}

static void check_places(const ap_proxy *proxy)
{
    for (int i = 0; i < COUNT(places); i++) {
        int64_t at = places[i];
        ap_slice voxel[4];
        unsigned char one = 0, row[4] = {0};
        for (int k = 0; k < 4; k++) {
            voxel[k] = ap_at(at % shape[k]);
            at /= shape[k];
        }
        CHECK_OK(ap_read_slice(proxy, voxel, 4, AP_DISK, 0, &one, 1, &err));
        CHECK_INT(one, i + 1);
        /* The same voxel in all volumes, so with steps of more than 1 GiB. */
        int64_t volume = voxel[3].start;
        voxel[3] = ap_range(AP_NONE, AP_NONE, -1);
        CHECK_OK(ap_read_slice(proxy, voxel, 4, AP_DISK, 0, row, sizeof row, &err));
        CHECK_INT(row[3 - volume], i + 1);
    }
    /* Both ends of the array at once. */
    ap_slice ends[4] = {ap_range(0, AP_NONE, 1023), ap_range(0, AP_NONE, 1023),
                        ap_range(0, AP_NONE, 1279), ap_range(0, AP_NONE, 3)};
    unsigned char corners[16];
    CHECK_OK(ap_read_slice(proxy, ends, 4, AP_DISK, 0, corners, sizeof corners, &err));
    CHECK_INT(corners[0], 1);
    CHECK_INT(corners[15], COUNT(places));
}

static void test_sparse(void)
{
    for (int version = 1; version <= 2; version++) {
        nifti n = nifti_new(version, AP_LITTLE, AP_UINT8, 4, shape);
        const char *path = make_sparse(&n, version == 1 ? 352 : 544);
        for (int mmap_option = 0; mmap_option < 3; mmap_option++)
            for (int keep = 0; keep < 2; keep++) {
                ap_options *o = ap_options_new();
                ap_proxy *proxy = NULL;
                test_note("NIfTI-%d, mmap %d, keep_open %d", version, mmap_option, keep);
                CHECK_OK(ap_options_set_int(o, AP_OPT_MMAP, mmap_option, &err));
                CHECK_OK(ap_options_set_int(o, AP_OPT_KEEP_OPEN, keep || mmap_option == 2, &err));
                CHECK_OK(ap_open(path, o, &proxy, &err));
                CHECK_INT(ap_size(proxy), 5 * GIB);
                CHECK_INT(ap_slice_nbytes(proxy, NULL, 0, AP_FLOAT64, 0, &err), 40 * GIB);
                CHECK(ap_warning(proxy, 0) == NULL);
                check_places(proxy);
                ap_free(proxy);
                ap_options_free(o);
            }
        remove(path);
    }
    test_note("");
}

/* Data that begin beyond 4 GiB. */
static void test_far_offset(void)
{
    const char *path = temp_path("far");
    const int64_t offset = 4 * GIB + 7, sides[2] = {3, 2};
    int file = open(path, O_RDWR | O_CREAT, 0600);
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    char out[6];
    CHECK(file >= 0);
    CHECK(pwrite(file, "abcdef", 6, (off_t)offset) == 6);
    CHECK(close(file) == 0);
    CHECK_OK(ap_source_file(path, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 2, sides, AP_ORDER_F, (uint64_t)offset,
                            1, 0, NULL, &proxy, &err));
    ap_source_free(source);
    CHECK_INT(ap_data_offset(proxy), offset);
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    CHECK_BYTES(out, "abcdef", 6);
    ap_free(proxy);
    remove(path);

    /* The same in a header of NIfTI-2. */
    nifti n = nifti_new(2, AP_BIG, AP_UINT8, 2, sides);
    bytes header = {0};
    n.vox_offset = (double)(4 * GIB + 16);
    put_nifti_header(&header, &n);
    write_bytes(path, &header);
    bytes_free(&header);
    file = open(path, O_RDWR);
    CHECK(pwrite(file, "abcdef", 6, (off_t)n.vox_offset) == 6);
    CHECK(close(file) == 0);
    CHECK_OK(ap_open(path, NULL, &proxy, &err));
    CHECK_INT(ap_data_offset(proxy), 4 * GIB + 16);
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    CHECK_BYTES(out, "abcdef", 6);
    ap_free(proxy);
    remove(path);
}

/* Elements of a small array written gibibytes apart. */
static void test_strides(void)
{
    static const unsigned char data[4] = {'a', 'b', 'c', 'd'};
    static const int64_t sides[2] = {2, 2};
    size_t room = (size_t)(6 * GIB);
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_plan *plan = NULL;
    unsigned char *out = mmap(NULL, room, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!CHECK(out != MAP_FAILED))
        return;
    CHECK_OK(ap_source_memory(data, sizeof data, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 2, sides, AP_ORDER_F, 0, 1, 0, NULL,
                            &proxy, &err));
    CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_INT16, 0, &plan, &err));
    int64_t up[2] = {2 * GIB + 2, 3 * GIB + 100}, down[2] = {-4 * GIB, -GIB};
    int64_t swapped[2] = {GIB, -4 * GIB};
    int16_t value;

    CHECK_STATUS(ap_plan_read(plan, out, room, (size_t)GIB, up, NULL, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 6 * GIB + 104);
    CHECK_OK(ap_plan_read(plan, out, room, 0, up, NULL, &err));
    for (int k = 0; k < 4; k++) {
        memcpy(&value, out + k % 2 * up[0] + k / 2 * up[1], 2);
        CHECK_INT(value, 'a' + k);
    }
    CHECK_STATUS(ap_plan_read(plan, out, room, (size_t)(5 * GIB - 1), down, NULL, &err),
                 AP_ERR_ARGUMENT);
    CHECK_OK(ap_plan_read(plan, out, room, (size_t)(5 * GIB), down, NULL, &err));
    for (int k = 0; k < 4; k++) {
        memcpy(&value, out + 5 * GIB + k % 2 * down[0] + k / 2 * down[1], 2);
        CHECK_INT(value, 'a' + k);
    }
    CHECK_OK(ap_plan_read(plan, out, room, (size_t)(4 * GIB + 3), swapped, NULL, &err));
    for (int k = 0; k < 4; k++) {
        memcpy(&value, out + 4 * GIB + 3 + k % 2 * swapped[0] + k / 2 * swapped[1], 2);
        CHECK_INT(value, 'a' + k);
    }
    CHECK(munmap(out, room) == 0);
    ap_plan_free(plan);
    ap_free(proxy);
    ap_source_free(source);
}

/* Boxes and chunks of an array far larger than memory; nothing is read. */
static void test_claims(void)
{
    static const int64_t huge[3] = {INT64_C(1) << 31, INT64_C(1) << 20, 2000};
    static const unsigned char byte = 7;
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    int64_t chunk[3];
    unsigned char out[4];
    ap_slice first[3] = {ap_at(0), ap_at(0), ap_at(0)};
    ap_slice thin[3] = {ap_range(0, AP_NONE, INT64_C(1) << 30), ap_at(-1), ap_at(-1)};
    CHECK_OK(ap_source_memory(&byte, 1, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 3, huge, AP_ORDER_F, 0, 1, 0, NULL,
                            &proxy, &err));
    CHECK_INT(ap_chunk_shape(proxy, (uint64_t)(8 * GIB), chunk, 3), 3);
    CHECK_INT(chunk[0], huge[0]);
    CHECK_INT(chunk[1], 4);
    CHECK_INT(chunk[2], 1);
    CHECK_OK(ap_read_slice(proxy, first, 3, AP_DISK, 0, out, sizeof out, &err));
    CHECK_INT(out[0], 7);
    CHECK_INT(ap_slice_nbytes(proxy, thin, 3, AP_DISK, 0, &err), 2);
    CHECK_STATUS(ap_read_slice(proxy, thin, 3, AP_DISK, 0, out, sizeof out, &err),
                 AP_ERR_TRUNCATED);
    ap_free(proxy);
    ap_source_free(source);
}

int main(void)
{
    test_sparse();
    test_far_offset();
    test_strides();
    test_claims();
    return test_end("big");
}
