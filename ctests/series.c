/* Series: files that make one array. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numpy.h"
#include "support/parts.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { VOXELS = 4 * 3 * 2, MOST = 1000, THREADS = 4 };

static const int64_t shape[3] = {4, 3, 2};

/* The header of each file. */
static nifti header_of(int version, int order)
{
    static const double rows[12] = {2, 0, 0.5, -90, 0, 3, 0, -126, 0.25, 0, 4.5, -72};
    nifti n = nifti_new(version, order, AP_INT32, 3, shape);
    n.pixdim[1] = 2;
    n.pixdim[2] = 3;
    n.pixdim[3] = 4.5;
    n.sform_code = 2;
    memcpy(n.srow, rows, sizeof rows);
    return n;
}

/* Element e of file i has the value e + VOXELS * i. */
static void put_values(bytes *b, int i, int order)
{
    for (int e = 0; e < VOXELS; e++)
        put_int(b, (uint64_t)(e + VOXELS * i), 4, order);
}

static const char *write_as(const char *name, const nifti *n, int i, int codec)
{
    const char *path = temp_path(name);
    bytes data = {0}, plain = {0}, b = {0};
    put_values(&data, i, n->order);
    put_nifti(&plain, n, data.data, data.size);
    put_packed(&b, codec, plain.data, plain.size);
    write_bytes(path, &b);
    bytes_free(&data);
    bytes_free(&plain);
    bytes_free(&b);
    return path;
}

/* File i of a series, of the compression that is its turn. */
static const char *write_part(int i, int codecs)
{
    nifti n = header_of(1, AP_LITTLE);
    char name[40];
    int codec = i % codecs;
    snprintf(name, sizeof name, "part%d.nii%s", i, codec_suffix(codec));
    return write_as(name, &n, i, codec);
}

static const char *part_path(int i, int codecs)
{
    char name[40];
    snprintf(name, sizeof name, "part%d.nii%s", i, codec_suffix(i % codecs));
    return temp_path(name);
}

static ap_series *list_of(const char *const *paths, int n)
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

static ap_status try_list(const ap_series *list, const char *options, ap_proxy **proxy)
{
    ap_options *o = ap_options_new();
    *proxy = MARKED(ap_proxy);
    CHECK_OK(ap_options_parse(o, options, &err));
    ap_status status = ap_open_series(list, o, proxy, &err);
    CHECK((status == AP_OK) == (*proxy != NULL));
    ap_options_free(o);
    return status;
}

static ap_status try_files(const char *const *paths, int n, const char *options, ap_proxy **proxy)
{
    ap_series *list = list_of(paths, n);
    ap_status status = try_list(list, options, proxy);
    ap_series_free(list);
    return status;
}

static ap_proxy *open_files_of(const char *const *paths, int n, const char *options)
{
    ap_proxy *proxy;
    CHECK_OK(try_files(paths, n, options, &proxy));
    return proxy;
}

/* Write and open a series of `n` files. */
static ap_proxy *open_parts(int n, int codecs, const char *options)
{
    ap_series *list = ap_series_new();
    ap_proxy *proxy;
    for (int i = 0; i < n; i++)
        CHECK_OK(ap_series_add(list, write_part(i, codecs), &err));
    CHECK_OK(try_list(list, options, &proxy));
    ap_series_free(list);
    return proxy;
}

static const ap_slice all = {AP_SLICE_RANGE, AP_NONE, AP_NONE, 1};

/* Whole volumes, turned and stepped, and one voxel of all files. */
static void check_parts(const ap_proxy *proxy)
{
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

static void test_few(void)
{
    static const char *options[] = {"", "mmap=0", "keep_open=0", "open_files=1", "threads=2"};
    for (int n = 1; n <= 9; n += 2)
        for (int codecs = 1; codecs <= CODECS; codecs += CODECS - 1)
            for (int o = 0; o < COUNT(options); o++) {
                int64_t found[4];
                int before = open_files();
                test_note("%d files, %d codecs, \"%s\"", n, codecs, options[o]);
                ap_proxy *proxy = open_parts(n, codecs, options[o]);
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
                check_parts(proxy);
                ap_trim(proxy);
                check_parts(proxy);
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
    ap_proxy *proxy = open_parts(6, CODECS, "open_files=2");
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
    CHECK_OK(ap_series_add(list, write_part(0, 1), &err));
    CHECK_OK(try_list(list, "", &one));
    CHECK_OK(ap_series_add(list, write_part(1, 1), &err));
    CHECK_OK(ap_series_add(list, part_path(0, 1), &err));
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
    write_part(0, 1);
    write_part(1, 1);
    CHECK(chdir(temp_path(".")) == 0);
    static const char *paths[] = {"part0.nii", "part1.nii"};
    ap_proxy *proxy = open_files_of(paths, 2, "keep_open=0,mmap=0");
    CHECK(old && chdir(old) == 0);
    check_parts(proxy);
    ap_free(proxy);
    free(old);
}

/* What may differ from file to file. */
static void test_mixed(void)
{
    nifti little = header_of(1, AP_LITTLE), big = header_of(1, AP_BIG), two = header_of(2, AP_BIG);
    nifti pair = nifti_pair(1, AP_LITTLE, AP_INT32, 3, shape);
    bytes data = {0};
    put_values(&data, 3, AP_LITTLE);
    pair.sform_code = 2;
    memcpy(pair.pixdim, little.pixdim, sizeof pair.pixdim);
    memcpy(pair.srow, little.srow, sizeof pair.srow);
    write_nifti_header(temp_path("d.hdr"), &pair);
    write_bytes(temp_path("d.img"), &data);
    two.srow[0] += 1e-7;                    /* near enough */
    big.vox_offset = 480;
    const char *paths[] = {
        write_as("a.nii.gz", &big, 0, CODEC_GZIP),  write_as("b.nii", &little, 1, CODEC_NONE),
        write_as("c.nii.zst", &two, 2, CODEC_ZSTD), temp_path("d.hdr"),
        write_as("e.nii.bz2", &two, 4, CODEC_BZIP2),
    };
    for (int o = 0; o < 2; o++) {
        ap_proxy *proxy = open_files_of(paths, 5, o ? "open_files=1" : "");
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
        check_parts(proxy);
        ap_free(proxy);
    }
    /* The other name of a pair, and the pair as the first. */
    const char *turned[] = {temp_path("d.img"), paths[4]};
    ap_proxy *proxy = open_files_of(turned, 2, "");
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
        paths[i] = write_as(name, &n, i, CODEC_NONE);
    }
    ap_proxy *proxy = open_files_of(paths, 3, "");
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
    CHECK_STATUS(try_files(paths, n, options, &proxy), wanted);
    CHECK_INT(err.code, wanted);
    CHECK_PART(err.message, named);
    CHECK_INT(open_files(), before);
}

/* The first file that does not agree is named. */
static void test_disagreement(void)
{
    static const int64_t other[3] = {4, 2, 3}, fewer[2] = {4, 6}, more[4] = {4, 3, 2, 1};
    nifti n = header_of(1, AP_LITTLE), bad[7];
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
    const char *good = write_as("good.nii", &n, 0, CODEC_NONE);
    for (int i = 0; i < COUNT(bad); i++) {
        char first[40], second[40];
        snprintf(first, sizeof first, "first%d.nii", i);
        snprintf(second, sizeof second, "second%d.nii.gz", i);
        const char *paths[5] = {good, good, write_as(first, bad + i, 0, CODEC_NONE), good,
                                write_as(second, bad + (i + 1) % 7, 0, CODEC_GZIP)};
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
    nifti n = header_of(1, AP_LITTLE), odd = n;
    odd.datatype = 77;
    const char *good = write_as("good.nii", &n, 0, CODEC_NONE);
    write_file(temp_path("text.nii"), "no image", 8);
    const char *missing[3] = {good, temp_path("missing.nii"), temp_path("text.nii")};
    check_refused(missing, 3, "", AP_ERR_NOT_FOUND, "missing.nii");
    CHECK_INT(err.os_error, ENOENT);
    check_refused(missing + 1, 1, "", AP_ERR_NOT_FOUND, "missing.nii");
    const char *text[3] = {good, temp_path("text.nii"), temp_path("missing.nii")};
    check_refused(text, 3, "", AP_ERR_FORMAT, "text.nii");
    const char *header[2] = {good, write_as("odd.nii", &odd, 0, CODEC_NONE)};
    check_refused(header, 2, "", AP_ERR_HEADER, "odd.nii");
    /* Options hold for each file. */
    odd = n;
    odd.qform_code = 99;
    header[1] = write_as("warned.nii", &odd, 0, CODEC_NONE);
    check_refused(header, 2, "strict=1", AP_ERR_HEADER, "warned.nii");
    header[1] = write_as("packed.nii.gz", &n, 0, CODEC_GZIP);
    check_refused(header, 2, "codec=none", AP_ERR_FORMAT, "packed.nii.gz");
}

/* Notes of all files, each with the name of its file. */
static void test_warnings(void)
{
    nifti n = header_of(1, AP_LITTLE), odd = n;
    odd.qform_code = 99;
    const char *paths[5];
    int notes[5] = {0};
    for (int i = 0; i < 5; i++) {
        char name[20];
        snprintf(name, sizeof name, "note%d.nii", i);
        paths[i] = write_as(name, i % 2 ? &odd : &n, i, CODEC_NONE);
    }
    CHECK(truncate(paths[4], 352 + 50) == 0);
    ap_proxy *proxy = open_files_of(paths, 5, "");
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

typedef struct {
    double slope, inter;
} factors;

/* Files of 16 bits, with factors of their own. */
static ap_proxy *open_scaled(const factors *f, int n, const char *options)
{
    const char *paths[8];
    for (int i = 0; i < n; i++) {
        nifti header = nifti_new(2, AP_LITTLE, AP_INT16, 3, shape);
        bytes data = {0};
        char name[30];
        header.slope = f[i].slope;
        header.inter = f[i].inter;
        for (int e = 0; e < VOXELS; e++)
            put_int(&data, (uint64_t)(e - 5 + 100 * i), 2, AP_LITTLE);
        snprintf(name, sizeof name, "scaled%d.nii", i);
        paths[i] = temp_path(name);
        write_nifti(paths[i], &header, data.data, data.size);
        bytes_free(&data);
    }
    return open_files_of(paths, n, options);
}

/* Scaling is each file's own. */
static void test_scaling(void)
{
    static const factors own[5] = {{1, 0}, {0.5, -3}, {0, 9}, {-2, 0}, {1, 7}};
    static const int scaled[5] = {0, 1, 0, 1, 1};
    ap_proxy *proxy = open_scaled(own, 5, "open_files=2");
    double slope[6], inter[6], out[VOXELS * 5];
    int64_t found[4];
    CHECK_INT(ap_is_scaled(proxy), 1);
    CHECK_INT(ap_disk_dtype(proxy), AP_INT16);
    CHECK_INT(ap_auto_dtype(proxy), AP_FLOAT64);
    CHECK_INTS(found, ap_scale_shape(proxy, found, 4), INTS(1, 1, 1, 5));
    slope[5] = inter[5] = -777;
    CHECK_OK(ap_scale_factors(proxy, slope, inter, 5, &err));
    CHECK_STATUS(ap_scale_factors(proxy, slope, inter, 4, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, 5 * sizeof(double));
    for (int i = 0; i < 5; i++) {
        CHECK_REAL(slope[i], scaled[i] ? own[i].slope : 1);
        CHECK_REAL(inter[i], scaled[i] ? own[i].inter : 0);
    }
    CHECK_REAL(slope[5], -777);
    CHECK_REAL(inter[5], -777);
    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
    for (int i = 0; i < 5; i++)
        for (int e = 0; e < VOXELS; e++)
            CHECK_REAL(out[e + VOXELS * i], (e - 5 + 100 * i) * slope[i] + inter[i]);

    /* One voxel of all, the last file first; raw; cast. */
    ap_slice column[4] = {ap_at(3), ap_at(2), ap_at(1), ap_range(AP_NONE, AP_NONE, -1)};
    int16_t few[5];
    CHECK_INT(ap_slice_nbytes(proxy, column, 4, AP_AUTO, 0, &err), 40);
    CHECK_OK(ap_read_slice(proxy, column, 4, AP_AUTO, 0, out, sizeof out, &err));
    for (int i = 0; i < 5; i++)
        CHECK_REAL(out[4 - i], (18 + 100 * i) * slope[i] + inter[i]);
    CHECK_INT(ap_slice_nbytes(proxy, column, 4, AP_DISK, 0, &err), 10);
    CHECK_OK(ap_read_slice(proxy, column, 4, AP_DISK, 0, few, sizeof few, &err));
    for (int i = 0; i < 5; i++)
        CHECK_INT(few[4 - i], 18 + 100 * i);
    CHECK_OK(ap_read_slice(proxy, column, 4, AP_FLOAT64, AP_READ_RAW, out, sizeof out, &err));
    for (int i = 0; i < 5; i++)
        CHECK_REAL(out[4 - i], 18 + 100 * i);
    CHECK_OK(ap_read_slice(proxy, column, 4, AP_INT16, 0, few, sizeof few, &err));
    for (int i = 0; i < 5; i++)
        CHECK_INT(few[4 - i], (int)((18 + 100 * i) * slope[i] + inter[i]));

    /* Of the files that are left. */
    ap_slice odd[3] = {ap_all(), ap_rest(), ap_range(AP_NONE, AP_NONE, -2)};
    ap_slice one[2] = {ap_rest(), ap_at(1)};
    ap_proxy *part = NULL;
    CHECK_OK(ap_slice_proxy(proxy, odd, 3, &part, &err));
    CHECK_INTS(found, ap_scale_shape(part, found, 4), INTS(1, 1, 1, 3));
    CHECK_OK(ap_scale_factors(part, slope, inter, 3, &err));
    CHECK_REAL(slope[0], 1);
    CHECK_REAL(inter[0], 7);
    CHECK_REAL(inter[1], 0);
    ap_free(part);
    CHECK_OK(ap_slice_proxy(proxy, one, 2, &part, &err));
    CHECK_INT(ap_scale_shape(part, found, 4), 0);
    CHECK_OK(ap_scale_factors(part, slope, inter, 1, &err));
    CHECK_REAL(slope[0], 0.5);
    CHECK_REAL(inter[0], -3);
    CHECK_INT(ap_auto_dtype(part), AP_FLOAT64);
    CHECK_OK(ap_read_all(part, AP_AUTO, 0, out, sizeof out, &err));
    CHECK_REAL(out[7], 0.5 * 102 - 3);
    ap_free(part);
    ap_free(proxy);

    /* All the same, or none. */
    static const factors same[3] = {{0.25, 1}, {0.25, 1}, {0.25, 1}}, none[2] = {{1, 0}, {0, 5}};
    proxy = open_scaled(same, 3, "");
    CHECK_INT(ap_scale_shape(proxy, found, 4), 0);
    CHECK_INT(ap_is_scaled(proxy), 1);
    CHECK_OK(ap_scale_factors(proxy, slope, inter, 1, &err));
    CHECK_REAL(slope[0], 0.25);
    CHECK_REAL(inter[0], 1);
    ap_free(proxy);
    proxy = open_scaled(none, 2, "");
    CHECK_INT(ap_scale_shape(proxy, found, 4), 0);
    CHECK_INT(ap_is_scaled(proxy), 0);
    CHECK_INT(ap_auto_dtype(proxy), AP_INT16);
    CHECK_OK(ap_scale_factors(proxy, slope, inter, 1, &err));
    CHECK_REAL(slope[0], 1);
    CHECK_REAL(inter[0], 0);
    ap_free(proxy);
}

/* Slices of slices, as proxies, of series in their own and in other shapes. */
static void check_slices(const ap_proxy *proxy, const selection *whole, int turns)
{
    check_part(proxy, whole, NULL, 0, AP_ORDER_F);
    check_part(proxy, whole, NULL, 0, AP_ORDER_C);
    for (int turn = 0; turn < turns; turn++) {
        ap_proxy *from = ap_clone(proxy);
        selection part = *whole;
        for (int depth = 0; depth < 3; depth++) {
            ap_slice index[AP_MAX_NDIM];
            int64_t found[AP_MAX_NDIM];
            char text[500];
            selection next;
            ap_proxy *sliced = MARKED(ap_proxy);
            int n = draw_index(&part, index);
            show_index(text, sizeof text, index, n);
            test_note("turn %d, depth %d, %s", turn, depth, text);
            CHECK_OK(part_of(&part, index, n, AP_ORDER_F, &next));
            check_part(from, &part, index, n, turn % 2 ? AP_ORDER_C : AP_ORDER_F);
            CHECK_OK(ap_slice_proxy(from, index, n, &sliced, &err));
            ap_free(from);
            if (depth)
                free(part.element);
            from = sliced;
            part = next;
            CHECK_INTS(found, ap_shape(from, found, AP_MAX_NDIM), part.shape, part.ndim);
            CHECK_INT(ap_size(from), part.count);
            check_part(from, &part, NULL, 0, AP_ORDER_F);
        }
        ap_free(from);
        free(part.element);
    }
    test_note("");
}

static void test_slices(void)
{
    enum { N = 6 };
    static const int64_t sides[4] = {4, 3, 2, N};
    static const struct {
        int ndim;
        int64_t sides[5], wanted[5];
    } shapes[] = {
        {2, {VOXELS, N}, {VOXELS, N}},
        {2, {-1, N}, {VOXELS, N}},
        {3, {4, 3, 2 * N}, {4, 3, 2 * N}},
        {5, {4, 3, 2, N / 2, 2}, {4, 3, 2, N / 2, 2}},
        {5, {4, 3, 2, 2, -1}, {4, 3, 2, 2, N / 2}},
        {2, {12, 2 * N}, {12, 2 * N}},
        {5, {2, 2, 3, 2, N}, {2, 2, 3, 2, N}},
        {4, {4, 3, 2, N}, {4, 3, 2, N}},
    };
    static const int64_t irregular[][2] = {{9, 16}, {16, 9}, {18, 8}};
    ap_proxy *proxy = open_parts(N, 2, "open_files=2");
    selection whole = whole_of(4, sides, AP_ORDER_F);
    int turns = test_small() ? 3 : 40;
    check_slices(proxy, &whole, turns);
    for (int i = 0; i < COUNT(shapes); i++) {
        ap_proxy *out = MARKED(ap_proxy);
        int64_t found[5];
        test_note("shape %d", i);
        if (!CHECK_OK(ap_reshape(proxy, shapes[i].ndim, shapes[i].sides, &out, &err)))
            continue;
        CHECK_INTS(found, ap_shape(out, found, 5), shapes[i].wanted, shapes[i].ndim);
        selection other = reshaped_part(&whole, AP_ORDER_F, shapes[i].ndim, shapes[i].wanted);
        check_slices(out, &other, turns / 3);
        /* And back. */
        ap_proxy *again = NULL;
        CHECK_OK(ap_reshape(out, 4, sides, &again, &err));
        check_parts(again);
        ap_free(again);
        ap_free(out);
        free(other.element);
    }
    for (int i = 0; i < COUNT(irregular); i++) {
        ap_proxy *out = MARKED(ap_proxy);
        test_note("irregular %d", i);
        CHECK_STATUS(ap_reshape(proxy, 2, irregular[i], &out, &err), AP_ERR_UNSUPPORTED);
        CHECK(out == NULL);
    }
    test_note("");
    static const int64_t wrong[2] = {7, 21};
    ap_proxy *out = MARKED(ap_proxy);
    CHECK_STATUS(ap_reshape(proxy, 2, wrong, &out, &err), AP_ERR_ARGUMENT);
    CHECK(out == NULL);
    free(whole.element);
    ap_free(proxy);
}

/* A slice has the affine of the voxels left, whatever files are left. */
static void test_affine(void)
{
    ap_proxy *proxy = open_parts(5, 1, ""), *part = NULL;
    ap_slice index[4] = {ap_range(1, AP_NONE, 2), ap_all(), ap_range(AP_NONE, AP_NONE, -1),
                         ap_range(AP_NONE, AP_NONE, -2)};
    ap_slice one[2] = {ap_rest(), ap_at(3)}, dropped[1] = {ap_at(0)};
    double whole[16], found[16], zooms[4];
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, whole, &err), 2);
    CHECK_OK(ap_slice_proxy(proxy, index, 4, &part, &err));
    CHECK_INT(ap_affine(part, AP_AFFINE_BEST, found, &err), 2);
    for (int row = 0; row < 3; row++) {
        const double *a = whole + 4 * row;
        CHECK_NEAR(found[4 * row], 2 * a[0], 1e-9);
        CHECK_NEAR(found[4 * row + 1], a[1], 1e-9);
        CHECK_NEAR(found[4 * row + 2], -a[2], 1e-9);
        CHECK_NEAR(found[4 * row + 3], a[3] + a[0] + a[2], 1e-9);
    }
    CHECK_INT(ap_zooms(part, zooms, 4, &err), 4);
    CHECK_REAL(zooms[0], 4);
    CHECK_REAL(zooms[1], 3);
    CHECK_REAL(zooms[2], 4.5);
    ap_free(part);
    CHECK_OK(ap_slice_proxy(proxy, one, 2, &part, &err));
    CHECK_INT(ap_affine(part, AP_AFFINE_BEST, found, &err), 2);
    CHECK_BYTES(found, whole, sizeof whole);
    CHECK_INT(ap_zooms(part, zooms, 4, &err), 3);
    ap_free(part);
    CHECK_OK(ap_slice_proxy(proxy, dropped, 1, &part, &err));
    CHECK_STATUS(ap_affine(part, AP_AFFINE_BEST, NULL, &err), AP_ERR_UNSUPPORTED);
    ap_free(part);
    ap_free(proxy);
}

/* Reads that any thread can make: one voxel of all files, volumes, parts, there
 * and back. Returns 1 if anything is wrong. */
static int wrong_read(const ap_proxy *proxy, int n, unsigned seed)
{
    int x = (int)(seed % 4), y = (int)(seed / 4 % 3), z = (int)(seed / 12 % 2);
    int kind = (int)(seed % 5);
    int i = (int)(seed * 2654435761u % (unsigned)n), step = kind == 1 ? -1 : kind == 2 ? -7 : 1;
    ap_slice index[4] = {ap_at(x), ap_at(y), ap_at(z), ap_range(AP_NONE, AP_NONE, step)};
    int count = (n - 1) / (step < 0 ? -step : step) + 1, wrong = 0;
    int32_t *out = malloc((size_t)n * VOXELS * sizeof *out);
    ap_error mine;
    if (!out)
        return 1;
    if (kind < 3) {
        wrong = ap_read_slice(proxy, index, 4, AP_AUTO, 0, out, (size_t)count * 4, &mine) != AP_OK;
        for (int k = 0; k < count; k++) {
            int file = step < 0 ? n - 1 + k * step : k;
            wrong |= out[k] != x + 4 * (y + 3 * z) + VOXELS * file;
        }
    } else {
        int upto = kind == 3 ? i + 1 : i + 5 < n ? i + 5 : n;
        index[0] = index[1] = index[2] = ap_all();
        index[3] = ap_range(i, upto, 1);
        wrong = ap_read_slice(proxy, index, 4, AP_AUTO, 0, out,
                              (size_t)(upto - i) * VOXELS * 4, &mine) != AP_OK;
        for (int k = 0; k < (upto - i) * VOXELS; k++)
            wrong |= out[k] != k + VOXELS * i;
    }
    free(out);
    return wrong;
}

typedef struct {
    const ap_proxy *proxy;
    int n, turns, number, wrong;
    int *running;
    pthread_mutex_t *lock;
} job;

static void *read_on(void *given)
{
    job *j = given;
    for (int turn = 0; turn < j->turns; turn++) {
        j->wrong += wrong_read(j->proxy, j->n, (unsigned)(j->number + THREADS * turn));
        if (turn % 7 == 6 && j->number == 0)
            ap_trim(j->proxy);
    }
    pthread_mutex_lock(j->lock);
    --*j->running;
    pthread_mutex_unlock(j->lock);
    return NULL;
}

/* Many threads read; never are more than `limit` files open. */
static void check_threads(const ap_proxy *proxy, int n, int turns, int before, int limit)
{
    pthread_t threads[THREADS];
    job jobs[THREADS];
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int running = THREADS, most = 0, left = THREADS;
    for (int i = 0; i < THREADS; i++) {
        job one = {proxy, n, turns, i, 0, &running, &lock};
        jobs[i] = one;
        if (pthread_create(&threads[i], NULL, read_on, &jobs[i]))
            abort();
    }
    while (left) {
        int now = open_files() - before;
        most = now > most ? now : most;
        usleep(200);
        pthread_mutex_lock(&lock);
        left = running;
        pthread_mutex_unlock(&lock);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(jobs[i].wrong, 0);
    }
    CHECK(most <= limit);
    CHECK(open_files() - before <= limit);
}

/* One file at a time serves them all. */
static void test_one_open(void)
{
    static const char *options[] = {"open_files=1", "open_files=1,mmap=0", "open_files=1,threads=2",
                                    "open_files=2,keep_open=0", "open_files=1,cache_bytes=0"};
    enum { N = 12 };
    for (int codecs = 1; codecs <= CODECS; codecs += CODECS - 1)
        for (int o = 0; o < COUNT(options); o++) {
            int before = open_files(), limit = strstr(options[o], "open_files=2") ? 2 : 1;
            test_note("%d codecs, \"%s\"", codecs, options[o]);
            ap_proxy *proxy = open_parts(N, codecs, options[o]);
            CHECK(open_files() - before <= limit);
            check_parts(proxy);
            CHECK(open_files() - before <= limit);
            check_threads(proxy, N, test_small() ? 3 : 30, before, limit);
            ap_free(proxy);
            CHECK_INT(open_files(), before);
        }
    test_note("");
}

/* More files than may be open: in the system's count, and in ours. */
static void test_many(void)
{
    int n = test_small() ? 40 : MOST, limit = test_small() ? 8 : 64, before = open_files();
    char options[60];
    struct rlimit old, low;
    CHECK(getrlimit(RLIMIT_NOFILE, &old) == 0);
    low = old;
    /* Those open now have numbers below 32 or so; some are for this program. */
    low.rlim_cur = (rlim_t)(before + limit + 40);
    CHECK(setrlimit(RLIMIT_NOFILE, &low) == 0);
    for (int o = 0; o < 3; o++) {
        snprintf(options, sizeof options, "open_files=%d%s", limit, o == 1 ? ",mmap=0,threads=2"
                 : o == 2 ? ",keep_open=0" : "");
        if (o == 0 && limit == 64)
            options[0] = 0;                 /* the default */
        test_note("%d files, \"%s\"", n, options);
        ap_proxy *proxy = open_parts(n, 2, options);
        CHECK(open_files() - before <= limit);
        check_parts(proxy);
        CHECK(open_files() - before <= limit);
        for (unsigned seed = 0; seed < 10; seed++)
            CHECK_INT(wrong_read(proxy, n, seed), 0);
        check_threads(proxy, n, test_small() ? 2 : 10, before, limit);
        if (o == 2)
            CHECK_INT(open_files(), before);
        ap_trim(proxy);
        CHECK_INT(open_files(), before);
        CHECK_INT(wrong_read(proxy, n, 1), 0);
        ap_free(proxy);
        CHECK_INT(open_files(), before);
    }
    test_note("");
    CHECK(setrlimit(RLIMIT_NOFILE, &old) == 0);
}

/* A file that another has replaced is named; the rest can be read. */
static void test_changed(void)
{
    enum { N = 6 };
    static const char *options[] = {"", "mmap=0", "keep_open=0", "open_files=1"};
    for (int codecs = 1; codecs <= 2; codecs++)
        for (int o = 0; o < COUNT(options); o++)
            for (int gone = 0; gone < 2; gone++) {
                nifti n = header_of(1, AP_LITTLE);
                ap_status wanted = gone ? AP_ERR_NOT_FOUND : AP_ERR_CHANGED;
                int32_t out[VOXELS * N];
                test_note("%d codecs, \"%s\", gone %d", codecs, options[o], gone);
                ap_proxy *proxy = open_parts(N, codecs, options[o]);
                const char *path = part_path(3, codecs);
                check_parts(proxy);
                ap_trim(proxy);
                CHECK(remove(path) == 0);
                n.vox_offset = 368;
                if (!gone) {
                    char name[40];
                    snprintf(name, sizeof name, "part3.nii%s", codec_suffix(3 % codecs));
                    write_as(name, &n, 3, 3 % codecs);
                    set_mtime(path, 1000000000);
                }
                ap_slice column[4] = {ap_at(1), ap_at(1), ap_at(1), ap_all()};
                ap_slice others[2] = {ap_rest(), ap_range(AP_NONE, 3, 1)};
                ap_slice third[2] = {ap_rest(), ap_at(3)};
                CHECK_STATUS(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err), wanted);
                CHECK_PART(err.message, path);
                CHECK_STATUS(ap_read_slice(proxy, column, 4, AP_AUTO, 0, out, sizeof out, &err),
                             wanted);
                CHECK_PART(err.message, path);
                CHECK_STATUS(ap_read_slice(proxy, third, 2, AP_AUTO, 0, out, sizeof out, &err),
                             wanted);
                CHECK_INDEX(proxy, others, 2, AP_ORDER_F);
                others[1] = ap_range(4, AP_NONE, 1);
                CHECK_INDEX(proxy, others, 2, AP_ORDER_C);
                ap_free(proxy);
            }
    test_note("");
}

static void test_option(void)
{
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_set_int(o, AP_OPT_OPEN_FILES, 1, &err));
    CHECK_OK(ap_options_set_int(o, AP_OPT_OPEN_FILES, 64, &err));
    CHECK_OK(ap_options_set_int(o, AP_OPT_OPEN_FILES, 100000, &err));
    CHECK_OK(ap_options_parse(o, "open_files=5", &err));
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_OPEN_FILES, 0, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_OPEN_FILES, -1, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_OPEN_FILES, INT64_MIN, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_OPEN_FILES, "many", &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_parse(o, "open_files=0", &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_parse(o, "open_files=", &err), AP_ERR_OPTION);
    /* It matters to series only. */
    ap_proxy *proxy = NULL;
    CHECK_OK(ap_open(write_part(0, 1), o, &proxy, &err));
    ap_free(proxy);
    ap_options_free(o);
}

static void test_null(void)
{
    ap_series *list = ap_series_new();
    ap_proxy *proxy;
    const char *path = write_part(0, 1);
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
    test_scaling();
    test_slices();
    test_affine();
    test_one_open();
    test_many();
    test_changed();
    test_option();
    test_null();
    return test_end("series");
}
