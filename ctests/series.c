/* Series: files that make one array, and those that make none. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/volumes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_few(void)
{
    static const char *options[] = {"", "mmap=0", "keep_open=0", "open_files=1", "threads=2"};
    for (int n = 1; n <= 9; n += 2)
        for (int codecs = 1; codecs <= CODECS; codecs += CODECS - 1)
            for (int o = 0; o < COUNT(options); o++) {
                int64_t found[4];
                int before = open_files();
                test_note("%d files, %d codecs, \"%s\"", n, codecs, options[o]);
                ap_proxy *proxy = open_volumes(n, codecs, options[o]);
                CHECK_INTS(found, ap_shape(proxy, found, 4), INTS(4, 3, 2, n));
                CHECK_INT(ap_ndim(proxy), 4);
                CHECK_INT(ap_size(proxy), VOXELS * n);
                CHECK_INT(ap_disk_dtype(proxy), AP_INT32);
                CHECK_INT(ap_auto_dtype(proxy), AP_INT32);
                CHECK_INT(ap_order(proxy), AP_ORDER_F);
                CHECK_INT(ap_byte_order(proxy), AP_LITTLE);
                CHECK_TEXT(ap_format(proxy), "nifti1");
                CHECK_TEXT(ap_codec(proxy), "none");        /* of the first */
                CHECK_INT(ap_is_scaled(proxy), 0);
                CHECK_INT(ap_scale_shape(proxy, NULL, 0), 0);
                CHECK(ap_warning(proxy, 0) == NULL);
                if (n > 1)
                    CHECK_STATUS(ap_data_offset(proxy), AP_ERR_UNSUPPORTED);
                check_volumes(proxy);
                ap_trim(proxy);
                check_volumes(proxy);
                ap_free(proxy);
                CHECK_INT(open_files(), before);
            }
    test_note("");
}

/* As any other array: boxes, plans, batches, arrays, blocks. */
static void test_ways(void)
{
    static const int64_t start[4] = {3, 1, 0, 4}, count[4] = {1, 1, 2, 3}, step[4] = {1, 1, 1, -2};
    static const int32_t box[6] = {103, 115, 55, 67, 7, 19};
    ap_proxy *proxy = open_volumes(6, CODECS, "open_files=2");
    int32_t out[VOXELS * 6];
    int64_t chunk[4];
    ap_plan *plan = NULL;
    ap_array *array = NULL;
    CHECK_OK(ap_read_box(proxy, 4, start, count, step, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_BYTES(out, box, sizeof box);
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out - 1, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, sizeof out);

    ap_slice two[4] = {ap_rest(), ap_at(5), ap_rest(), ap_at(0)};
    CHECK_OK(ap_read_batch(proxy, two, 2, 2, AP_AUTO, 0, out, sizeof out, NULL, NULL, &err));
    for (int e = 0; e < VOXELS; e++) {
        CHECK_INT(out[e], e + 5 * VOXELS);
        CHECK_INT(out[VOXELS + e], e);
    }
    CHECK_INT(ap_chunk_shape(proxy, 4 * VOXELS, chunk, 4), 4);
    CHECK_INTS(chunk, 4, INTS(4, 3, 2, 1));
    CHECK_OK(ap_load(proxy, NULL, 0, AP_FLOAT64, 0, NULL, &array, &err));
    CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_AUTO, 0, &plan, &err));
    CHECK(ap_plan_cost(plan) > 0);
    ap_free(proxy);

    /* The files' axis the fastest in memory. */
    static const int64_t strides[4] = {24, 96, 288, 4};
    CHECK_OK(ap_plan_read(plan, out, sizeof out, 0, strides, NULL, &err));
    for (int e = 0; e < VOXELS * 6; e++)
        CHECK_INT(out[e], e / 6 + VOXELS * (e % 6));
    ap_plan_free(plan);
    const double *values = ap_array_data(array);
    for (int e = 0; e < VOXELS * 6; e++)
        CHECK_REAL(values[e], e);
    ap_array_free(array);
}

/* The list may go, be used again, grow; the same file may come twice. */
static void test_list(void)
{
    ap_series *list = ap_series_new();
    ap_proxy *one, *two, *none;
    CHECK_STATUS(try_list(list, "", &none), AP_ERR_ARGUMENT);
    CHECK_OK(ap_series_add(list, write_volume(0, 1), &err));
    CHECK_OK(try_list(list, "", &one));
    CHECK_OK(ap_series_add(list, write_volume(1, 1), &err));
    CHECK_OK(ap_series_add(list, volume_path(0, 1), &err));
    CHECK_OK(try_list(list, "", &two));
    ap_series_free(list);
    int64_t found[4];
    CHECK_INTS(found, ap_shape(one, found, 4), INTS(4, 3, 2, 1));
    CHECK_INTS(found, ap_shape(two, found, 4), INTS(4, 3, 2, 3));
    ap_slice last[4] = {ap_at(1), ap_at(0), ap_at(0), ap_all()};
    int32_t out[3];
    CHECK_OK(ap_read_slice(two, last, 4, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_INT(out[0], 1);
    CHECK_INT(out[1], 1 + VOXELS);
    CHECK_INT(out[2], 1);
    ap_free(one);
    ap_proxy *clone = ap_clone(two);
    ap_free(two);
    CHECK_OK(ap_read_slice(clone, last, 4, AP_AUTO, 0, out, sizeof out, &err));
    ap_free(clone);
    ap_series_free(NULL);
}

/* Paths that start from the folder of the time. */
static void test_relative(void)
{
    char *old = getcwd(NULL, 0);
    write_volume(0, 1);
    write_volume(1, 1);
    CHECK(chdir(temp_path(".")) == 0);
    static const char *paths[] = {"part0.nii", "part1.nii"};
    ap_proxy *proxy = open_paths(paths, 2, "keep_open=0,mmap=0");
    CHECK(old && chdir(old) == 0);
    check_volumes(proxy);
    ap_free(proxy);
    free(old);
}

/* What may differ from file to file. */
static void test_mixed(void)
{
    nifti little = volume_header(1, AP_LITTLE), big = volume_header(1, AP_BIG);
    nifti two = volume_header(2, AP_BIG);
    nifti pair = nifti_pair(1, AP_LITTLE, AP_INT32, 3, volume_shape);
    bytes data = {0};
    put_voxels(&data, 3, AP_LITTLE);
    pair.sform_code = 2;
    memcpy(pair.pixdim, little.pixdim, sizeof pair.pixdim);
    memcpy(pair.srow, little.srow, sizeof pair.srow);
    write_nifti_header(temp_path("d.hdr"), &pair);
    write_bytes(temp_path("d.img"), &data);
    two.srow[0] += 1e-7;                    /* near enough */
    big.vox_offset = 480;
    const char *paths[] = {
        write_volume_as("a.nii.gz", &big, 0, CODEC_GZIP),
        write_volume_as("b.nii", &little, 1, CODEC_NONE),
        write_volume_as("c.nii.zst", &two, 2, CODEC_ZSTD),
        temp_path("d.hdr"),
        write_volume_as("e.nii.bz2", &two, 4, CODEC_BZIP2),
    };
    for (int o = 0; o < 2; o++) {
        ap_proxy *proxy = open_paths(paths, 5, o ? "open_files=1" : "");
        double affine[16], zooms[4];
        size_t size = 0;
        bytes header = {0};
        CHECK_INT(ap_byte_order(proxy), AP_BIG);
        CHECK_TEXT(ap_format(proxy), "nifti1");
        CHECK_TEXT(ap_codec(proxy), "gzip");
        put_nifti_header(&header, &big);
        const void *found = ap_header(proxy, &size);
        if (CHECK_INT(size, header.size) && CHECK(found != NULL))
            CHECK_BYTES(found, header.data, size);
        bytes_free(&header);
        CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, affine, &err), 2);
        for (int i = 0; i < 12; i++)
            CHECK_REAL(affine[i], big.srow[i]);
        CHECK_INT(ap_zooms(proxy, zooms, 4, &err), 4);
        for (int i = 0; i < 3; i++)
            CHECK_REAL(zooms[i], big.pixdim[i + 1]);
        check_volumes(proxy);
        ap_free(proxy);
    }
    /* The other name of a pair, and the pair as the first. */
    const char *turned[] = {temp_path("d.img"), paths[4]};
    ap_proxy *proxy = open_paths(turned, 2, "");
    int32_t out[2];
    ap_slice last[4] = {ap_at(-1), ap_at(-1), ap_at(-1), ap_all()};
    CHECK_TEXT(ap_format(proxy), "nifti1-pair");
    CHECK_OK(ap_read_slice(proxy, last, 4, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_INT(out[0], 4 * VOXELS - 1);
    CHECK_INT(out[1], 5 * VOXELS - 1);
    ap_free(proxy);
    bytes_free(&data);
}

/* Files of four axes make an array of five. */
static void test_five_axes(void)
{
    static const int64_t four[4] = {2, 3, 2, 2};
    const char *paths[3];
    nifti n = nifti_new(1, AP_LITTLE, AP_INT32, 4, four);
    for (int i = 0; i < 3; i++) {
        char name[20];
        snprintf(name, sizeof name, "five%d.nii", i);
        paths[i] = write_volume_as(name, &n, i, CODEC_NONE);
    }
    ap_proxy *proxy = open_paths(paths, 3, "");
    int64_t found[5];
    CHECK_INTS(found, ap_shape(proxy, found, 5), INTS(2, 3, 2, 2, 3));
    ap_slice turned[3] = {ap_rest(), ap_at(1), ap_range(AP_NONE, AP_NONE, -1)};
    CHECK_INDEX(proxy, turned, 3, AP_ORDER_C);
    CHECK_INDEX(proxy, NULL, 0, AP_ORDER_F);
    ap_free(proxy);
}

static void check_refused(const char *const *paths, int n, const char *options, ap_status wanted,
                          const char *named)
{
    ap_proxy *proxy;
    int before = open_files();
    CHECK_STATUS(try_paths(paths, n, options, &proxy), wanted);
    CHECK_INT(err.code, wanted);
    CHECK_PART(err.message, named);
    CHECK_INT(open_files(), before);
}

/* The first file that does not agree is named. */
static void test_disagreement(void)
{
    static const int64_t other[3] = {4, 2, 3}, fewer[2] = {4, 6}, more[4] = {4, 3, 2, 1};
    nifti n = volume_header(1, AP_LITTLE), bad[7];
    for (int i = 0; i < COUNT(bad); i++)
        bad[i] = n;
    for (int i = 0; i < 3; i++) {
        bad[0].dim[i + 1] = other[i];
        bad[2].dim[i + 1] = more[i];
    }
    bad[1].dim[0] = 2;
    bad[1].dim[1] = fewer[0];
    bad[1].dim[2] = fewer[1];
    bad[2].dim[0] = 4;
    bad[3].datatype = nifti_code(AP_FLOAT32);
    bad[4].datatype = nifti_code(AP_UINT32);
    bad[5].srow[3] += 0.5;
    bad[6].srow[5] = -3;
    const char *good = write_volume_as("good.nii", &n, 0, CODEC_NONE);
    for (int i = 0; i < COUNT(bad); i++) {
        char first[40], second[40];
        snprintf(first, sizeof first, "first%d.nii", i);
        snprintf(second, sizeof second, "second%d.nii.gz", i);
        const char *paths[5] = {good, good, write_volume_as(first, bad + i, 0, CODEC_NONE), good,
                                write_volume_as(second, bad + (i + 1) % 7, 0, CODEC_GZIP)};
        test_note("disagreement %d", i);
        check_refused(paths, 5, "", AP_ERR_HEADER, first);
        check_refused(paths, 5, "open_files=1", AP_ERR_HEADER, first);
        /* The first of the list is what the others are held against. */
        check_refused(paths + 2, 2, "", AP_ERR_HEADER, "good.nii");
    }
    test_note("");
}

/* Files that do not open for reasons of their own. */
static void test_broken(void)
{
    nifti n = volume_header(1, AP_LITTLE), odd = n;
    odd.datatype = 77;
    const char *good = write_volume_as("good.nii", &n, 0, CODEC_NONE);
    write_file(temp_path("text.nii"), "no image", 8);
    const char *missing[3] = {good, temp_path("missing.nii"), temp_path("text.nii")};
    check_refused(missing, 3, "", AP_ERR_NOT_FOUND, "missing.nii");
    CHECK_INT(err.os_error, ENOENT);
    check_refused(missing + 1, 1, "", AP_ERR_NOT_FOUND, "missing.nii");
    const char *text[3] = {good, temp_path("text.nii"), temp_path("missing.nii")};
    check_refused(text, 3, "", AP_ERR_FORMAT, "text.nii");
    const char *header[2] = {good, write_volume_as("odd.nii", &odd, 0, CODEC_NONE)};
    check_refused(header, 2, "", AP_ERR_HEADER, "odd.nii");
    /* Options hold for each file. */
    odd = n;
    odd.qform_code = 99;
    header[1] = write_volume_as("warned.nii", &odd, 0, CODEC_NONE);
    check_refused(header, 2, "strict=1", AP_ERR_HEADER, "warned.nii");
    header[1] = write_volume_as("packed.nii.gz", &n, 0, CODEC_GZIP);
    check_refused(header, 2, "codec=none", AP_ERR_FORMAT, "packed.nii.gz");
}

/* Notes of all files, each with the name of its file. */
static void test_warnings(void)
{
    nifti n = volume_header(1, AP_LITTLE), odd = n;
    odd.qform_code = 99;
    const char *paths[5];
    int notes[5] = {0};
    for (int i = 0; i < 5; i++) {
        char name[20];
        snprintf(name, sizeof name, "note%d.nii", i);
        paths[i] = write_volume_as(name, i % 2 ? &odd : &n, i, CODEC_NONE);
    }
    CHECK(truncate(paths[4], 352 + 50) == 0);
    ap_proxy *proxy = open_paths(paths, 5, "");
    const char *text;
    int count = 0;
    for (; (text = ap_warning(proxy, count)) != NULL && count < 99; count++)
        for (int i = 0; i < 5; i++) {
            char name[20];
            snprintf(name, sizeof name, "note%d.nii", i);
            notes[i] += strstr(text, name) != NULL;
        }
    CHECK_INT(notes[0], 0);
    CHECK_INT(notes[1], 1);
    CHECK_INT(notes[2], 0);
    CHECK_INT(notes[3], 1);
    CHECK_INT(notes[4], 1);
    CHECK_INT(count, 3);

    /* What there is of a file that was cut can be read, and all of the others. */
    ap_slice whole[2] = {ap_rest(), ap_range(0, 4, 1)};
    ap_slice there[4] = {ap_at(3), ap_at(2), ap_at(0), ap_all()};
    ap_slice missing[4] = {ap_at(3), ap_at(2), ap_at(1), ap_all()};
    int32_t out[VOXELS * 5];
    CHECK_INDEX(proxy, whole, 2, AP_ORDER_F);
    CHECK_INDEX(proxy, there, 4, AP_ORDER_F);
    CHECK_STATUS(ap_read_slice(proxy, missing, 4, AP_AUTO, 0, out, sizeof out, &err),
                 AP_ERR_TRUNCATED);
    CHECK_PART(err.message, "note4.nii");
    CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err), AP_ERR_TRUNCATED);
    CHECK_PART(err.message, "note4.nii");
    ap_free(proxy);
}

static void test_null(void)
{
    ap_series *list = ap_series_new();
    ap_proxy *proxy;
    const char *path = write_volume(0, 1);
    for (int with = 0; with < 2; with++) {
        ap_error *e = with ? &err : NULL;
        CHECK_STATUS(ap_series_add(NULL, path, e), AP_ERR_NULL);
        CHECK_STATUS(ap_series_add(list, NULL, e), AP_ERR_NULL);
        proxy = MARKED(ap_proxy);
        CHECK_STATUS(ap_open_series(NULL, NULL, &proxy, e), AP_ERR_NULL);
        CHECK(proxy == NULL);
        CHECK_STATUS(ap_open_series(list, NULL, NULL, e), AP_ERR_NULL);
        proxy = MARKED(ap_proxy);
        CHECK_STATUS(ap_open_series(list, NULL, &proxy, e), AP_ERR_ARGUMENT);
        CHECK(proxy == NULL);
    }
    /* What failed has added nothing. */
    CHECK_OK(ap_series_add(list, path, &err));
    CHECK_OK(ap_open_series(list, NULL, &proxy, &err));
    CHECK_INT(ap_size(proxy), VOXELS);
    ap_free(proxy);
    ap_series_free(list);
}

int main(void)
{
    test_few();
    test_ways();
    test_list();
    test_relative();
    test_mixed();
    test_five_axes();
    test_disagreement();
    test_broken();
    test_warnings();
    test_null();
    return test_end("series");
}
