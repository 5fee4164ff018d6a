/* The .mat files of SPM99 and SPM2: both levels, what is in them, damage. */
#include "test.h"
#include "support/access.h"
#include "support/matlab.h"
#include "support/nifti.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const int64_t shape[3] = {4, 3, 2};
static const char *formats[] = {"spm99", "spm2"};

static const double rows[16] = {2, 0.5, 0, -10, 1, 3, -0.25, -20, 0, -1, 4, -30, 0, 0, 0, 1};
/* The same for voxels that count from 0, and with x turned round. */
static const double by_mat[16] = {2, 0.5, 0, -7.5, 1, 3, -0.25, -16.25, 0, -1, 4, -27, 0, 0, 0, 1};
static const double by_m[16] = {-2, -0.5, 0, 7.5, 1, 3, -0.25, -16.25, 0, -1, 4, -27, 0, 0, 0, 1};
/* Of the header alone. */
static const double by_header[16] = {-1, 0, 0, 1.5, 0, 1, 0, -1, 0, 0, 1, -0.5, 0, 0, 0, 1};

/* A pair in the temporary folder; `name` is that of its header. */
static void write_pair(const char *header_name, const char *image_name)
{
    nifti n = analyze_new(AP_LITTLE, AP_UINT8, 3, shape);
    write_nifti_header(temp_path(header_name), &n);
    write_file(temp_path(image_name), "abcdefghijklmnopqrstuvwx", 24);
}

static void check_affine(const ap_proxy *proxy, int which, const double *wanted)
{
    double found[16];
    CHECK_INT(ap_affine(proxy, which, found, &err), 0);
    for (int i = 0; i < 16; i++)
        CHECK_REAL(found[i], wanted[i]);
}

static void check_data(const ap_proxy *proxy)
{
    char out[24];
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    CHECK_BYTES(out, "abcdefghijklmnopqrstuvwx", 24);
}

/* The file beside the pair, as a new one: some systems wait for the disk when
 * one is cut. */
static void write_mat(const bytes *b)
{
    remove(temp_path("pair.mat"));
    write_bytes(temp_path("pair.mat"), b);
}

/* Write the file beside the pair: the affine is the one wanted, without a
 * word. */
static void check_found(const bytes *mat, const double *wanted)
{
    write_mat(mat);
    for (int f = 0; f < COUNT(formats); f++) {
        ap_proxy *proxy;
        if (!CHECK_OK(open_as(temp_path("pair.img"), formats[f], 1, &proxy)))
            continue;
        CHECK(ap_warning(proxy, 0) == NULL);
        check_affine(proxy, AP_AFFINE_BEST, wanted);
        check_affine(proxy, AP_AFFINE_BASE, by_header);
        check_data(proxy);
        ap_free(proxy);
    }
}

/* Write it: data can be read, and the affine of the header got, but that of
 * the file is an error, which names it as the warning does. */
static void check_refused(const bytes *mat, ap_status status)
{
    const char *path = temp_path("pair.mat");
    ap_proxy *proxy;
    double found[16];
    write_mat(mat);
    for (int f = 0; f < COUNT(formats); f++) {
        if (CHECK_OK(open_as(temp_path("pair.hdr"), formats[f], 0, &proxy))) {
            CHECK_PART(ap_warning(proxy, 0), path);
            CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, found, &err), status);
            CHECK_INT(err.code, status);
            CHECK_PART(err.message, path);
            CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err), status);
            check_affine(proxy, AP_AFFINE_BASE, by_header);
            CHECK_STATUS(ap_affine(proxy, AP_AFFINE_SFORM, found, &err), AP_ERR_UNSUPPORTED);
            check_data(proxy);
            ap_free(proxy);
        }
        CHECK_STATUS(open_as(temp_path("pair.hdr"), formats[f], 1, &proxy), status);
        CHECK_PART(err.message, path);
    }
}

static void check_unknown(const bytes *mat)
{
    check_refused(mat, AP_ERR_HEADER);
}

static void check_variable(const matrix *m, const double *wanted)
{
    bytes b = {0};
    put_mat_file(&b, m);
    check_found(&b, wanted);
    bytes_free(&b);
}

/* Both levels and byte orders, every way to store the numbers. */
static void test_stored(void)
{
    static const ap_dtype types[] = {AP_FLOAT64, AP_FLOAT32, AP_INT32,  AP_INT16, AP_UINT16,
                                     AP_UINT8,   AP_INT8,    AP_UINT32, AP_INT64, AP_UINT64};
    static const int flags[] = {0, MATLAB_WIDE, MATLAB_PACKED, MATLAB_GLOBAL,
                                MATLAB_PACKED | MATLAB_WIDE};
    static const double whole[16] = {2, 1, 0, 10, 1, 3, 0, 20, 0, 1, 4, 30, 0, 0, 0, 1};
    static const double whole_mat[16] = {2, 1, 0, 13, 1, 3, 0, 24, 0, 1, 4, 35, 0, 0, 0, 1};
    static const double whole_m[16] = {-2, -1, 0, -13, 1, 3, 0, 24, 0, 1, 4, 35, 0, 0, 0, 1};
    for (int level = 4; level <= 5; level++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++)
            for (int t = 0; t < (level == 4 ? 6 : COUNT(types)); t++)
                for (int f = 0; f < (level == 4 ? 1 : COUNT(flags)); f++) {
                    matrix m = matrix_new(level, order, "mat", t < 2 ? rows : whole);
                    m.dtype = types[t];
                    m.flags = flags[f];
                    test_note("level %d, order %d, %s, flags %x", level, order,
                              ap_dtype_name(types[t]), (unsigned)flags[f]);
                    check_variable(&m, t < 2 ? by_mat : whole_mat);
                    m.name = "M";
                    check_variable(&m, t < 2 ? by_m : whole_m);
                }
    /* Level 5's single, which level 4 has only as a way to store. */
    matrix m = matrix_new(5, AP_LITTLE, "mat", rows);
    m.kind = MATLAB_SINGLE;
    m.dtype = AP_FLOAT32;
    check_variable(&m, by_mat);
    test_note("");
}

/* `mat` wins over `M`, whichever comes first. */
static void test_both(void)
{
    static const double other[16] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
    for (int level = 4; level <= 5; level++)
        for (int packed = 0; packed < 2; packed++)
            for (int first = 0; first < 2; first++) {
                matrix m = matrix_new(level, AP_BIG, "M", other);
                matrix mat = matrix_new(level, AP_BIG, "mat", rows);
                bytes b = {0};
                m.flags = mat.flags = packed ? MATLAB_PACKED : 0;
                test_note("level %d, compressed %d, %s first", level, packed, first ? "mat" : "M");
                put_mat_header(&b, level, AP_BIG);
                put_mat(&b, first ? &mat : &m);
                put_mat(&b, first ? &m : &mat);
                check_found(&b, by_mat);
                bytes_free(&b);
            }
    test_note("");
}

/* Other variables before and behind: names that are nearly the right ones,
 * texts, complex numbers, cells, none at all. */
static void test_others(void)
{
    for (int level = 4; level <= 5; level++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++)
            for (int packed = 0; packed < (level == 4 ? 1 : 2); packed++) {
                static const char *names[] = {"m", "Mat", "ma", "matt", "MM", "a_longer_name"};
                int flags = packed ? MATLAB_PACKED : 0;
                matrix mat = matrix_new(level, order, "mat", rows);
                bytes b = {0};
                put_mat_header(&b, level, order);
                for (int i = 0; i < COUNT(names); i++) {
                    matrix other = matrix_new(level, order, names[i], rows);
                    other.flags = flags;
                    if (i == 0)
                        other.flags |= MATLAB_COMPLEX;
                    if (i == 1) {
                        other.kind = MATLAB_CHAR;
                        other.dtype = level == 4 ? AP_FLOAT64 : AP_UINT16;
                        memset(other.values, 0, sizeof other.values);
                    }
                    if (i == 2)
                        other.dims[0] = other.dims[1] = 0;
                    if (i == 3 && level == 5)
                        other.kind = MATLAB_CELL;
                    if (i == 4)
                        other.dims[0] = 3, other.dims[1] = 5;
                    put_mat(&b, &other);
                    if (i == 4) {
                        mat.flags = flags;
                        put_mat(&b, &mat);
                    }
                }
                test_note("level %d, order %d, compressed %d", level, order, packed);
                check_found(&b, by_mat);
                bytes_free(&b);
            }
    test_note("");
}

/* Of several planes the first counts, and a note says so. */
static void test_planes(void)
{
    for (int order = AP_LITTLE; order <= AP_BIG; order++)
        for (int packed = 0; packed < 2; packed++)
            for (int planes = 1; planes <= 3; planes++) {
                matrix m = matrix_new(5, order, "mat", rows);
                bytes b = {0};
                ap_proxy *proxy;
                m.ndim = 3;
                m.dims[2] = planes;
                m.flags = packed ? MATLAB_PACKED : 0;
                for (int i = 16; i < 48; i++)
                    m.values[i] = 1000 + i;
                put_mat_file(&b, &m);
                write_mat(&b);
                test_note("%d planes, order %d, compressed %d", planes, order, packed);
                CHECK_OK(open_as(temp_path("pair.hdr"), NULL, 0, &proxy));
                CHECK_PART(ap_warning(proxy, 0), "mat");
                check_affine(proxy, AP_AFFINE_BEST, by_mat);
                ap_free(proxy);
                bytes_free(&b);
            }
    test_note("");
}

/* Variables of the right name that are no matrix of 4 x 4 real numbers. */
static void test_no_matrix(void)
{
    for (int level = 4; level <= 5; level++)
        for (int i = 0; i < 6; i++) {
            matrix m = matrix_new(level, AP_LITTLE, i % 2 ? "M" : "mat", rows);
            bytes b = {0};
            if (i == 0)
                m.name = "other";
            if (i == 1)
                m.dims[0] = 3;
            if (i == 2)
                m.dims[0] = 2, m.dims[1] = 8;
            if (i == 3)
                m.dims[0] = m.dims[1] = 0;
            if (i == 4)
                m.flags = MATLAB_COMPLEX;
            if (i == 5) {
                m.kind = MATLAB_CHAR;
                m.dtype = level == 4 ? AP_FLOAT64 : AP_UINT16;
                memset(m.values, 0, sizeof m.values);
            }
            test_note("level %d, case %d", level, i);
            put_mat_file(&b, &m);
            check_unknown(&b);
            bytes_free(&b);
        }
    /* No file of Matlab: an affine as text, as other programs write it, and a
     * header without a variable. */
    bytes b = {0};
    put(&b, "1 0 0 -90\n0 1 0 -126\n0 0 1 -72\n0 0 0 1\n", 39);
    test_note("text");
    check_unknown(&b);
    b.size = 0;
    put_mat_header(&b, 5, AP_BIG);
    test_note("no variable");
    check_unknown(&b);
    b.size = 0;
    put_fill(&b, 0, 1000);
    test_note("zeros");
    check_unknown(&b);
    /* Matlab 7.3 writes HDF5 behind the same text. */
    b.size = 0;
    put_mat_header(&b, 5, AP_LITTLE);
    b.data[125] = 2;
    put(&b, "\x89HDF\r\n\x1a\n", 8);
    put_fill(&b, 0, 1000);
    test_note("level 7.3");
    check_refused(&b, AP_ERR_UNSUPPORTED);
    bytes_free(&b);
    test_note("");
}

/* Cut anywhere, or with any bit turned over: the image opens, and the affine
 * is known or is not. */
static void test_damage(void)
{
    for (int kind = 0; kind < 3; kind++) {
        matrix m = matrix_new(kind ? 5 : 4, AP_LITTLE, "mat", rows);
        bytes b = {0};
        ap_proxy *proxy;
        double found[16];
        int known = 0, unknown = 0;
        m.flags = kind == 2 ? MATLAB_PACKED : 0;
        put_mat_file(&b, &m);
        for (size_t size = 1; size < b.size; size += test_small() ? 20 : 1) {
            bytes cut = {0};
            test_note("kind %d, %zu bytes of %zu", kind, size, b.size);
            put(&cut, b.data, size);
            check_unknown(&cut);
            bytes_free(&cut);
        }
        for (size_t at = 0; at < b.size; at++)
            for (int bit = 0; bit < 8; bit += test_small() ? 5 : 1) {
                b.data[at] ^= (unsigned char)(1 << bit);
                write_mat(&b);
                b.data[at] ^= (unsigned char)(1 << bit);
                test_note("kind %d, byte %zu, bit %d", kind, at, bit);
                CHECK_OK(open_as(temp_path("pair.hdr"), NULL, 0, &proxy));
                int code = ap_affine(proxy, AP_AFFINE_BEST, found, &err);
                CHECK(code == 0 || code == AP_ERR_HEADER);
                CHECK((code == 0) == (ap_warning(proxy, 0) == NULL));
                /* A checksum guards what is compressed. */
                CHECK(code || kind < 2 || memcmp(found, by_mat, sizeof found) == 0);
                known += code == 0;
                unknown += code != 0;
                ap_free(proxy);
            }
        CHECK(known > 0 && unknown > 0);
        bytes_free(&b);
    }
    test_note("");
}

/* A variable that claims to be larger than its file takes nothing. */
static void test_claims(void)
{
    matrix m = matrix_new(4, AP_LITTLE, "mat", rows);
    bytes b = {0};
    put_mat_file(&b, &m);
    memset(b.data + 4, 0x7f, 8);            /* rows and columns */
    test_note("level 4");
    check_unknown(&b);
    b.size = 0;
    m.level = 5;
    put_mat_file(&b, &m);
    memset(b.data + 128 + 4, 0x7f, 4);      /* bytes of the variable */
    test_note("level 5");
    check_unknown(&b);
    bytes_free(&b);
    test_note("");
}

/* Where there is no file, or an empty one, the header counts; and Analyze and
 * NIfTI have none. */
static void test_absent(void)
{
    matrix m = matrix_new(5, AP_LITTLE, "mat", rows);
    nifti n = nifti_pair(1, AP_LITTLE, AP_UINT8, 3, shape);
    bytes b = {0}, nothing = {0};
    ap_proxy *proxy;
    remove(temp_path("pair.mat"));
    for (int f = 0; f < COUNT(formats); f++) {
        CHECK_OK(open_as(temp_path("pair.hdr"), formats[f], 1, &proxy));
        CHECK(ap_warning(proxy, 0) == NULL);
        check_affine(proxy, AP_AFFINE_BEST, by_header);
        ap_free(proxy);
    }
    check_found(&nothing, by_header);
    /* Something that cannot be read at all is no reason not to open. */
    remove(temp_path("pair.mat"));
    CHECK(mkdir(temp_path("pair.mat"), 0700) == 0);
    CHECK_OK(open_as(temp_path("pair.hdr"), NULL, 0, &proxy));
    CHECK_PART(ap_warning(proxy, 0), temp_path("pair.mat"));
    CHECK(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err) < 0);
    check_data(proxy);
    ap_free(proxy);
    remove(temp_path("pair.mat"));

    put_mat_file(&b, &m);
    write_mat(&b);
    CHECK_OK(open_as(temp_path("pair.hdr"), "analyze", 1, &proxy));
    check_affine(proxy, AP_AFFINE_BEST, by_header);
    ap_free(proxy);
    write_nifti_header(temp_path("pair.hdr"), &n);
    CHECK_OK(open_as(temp_path("pair.hdr"), NULL, 1, &proxy));
    CHECK_TEXT(ap_format(proxy), "nifti1-pair");
    check_affine(proxy, AP_AFFINE_BEST, by_header);
    ap_free(proxy);
    write_pair("pair.hdr", "pair.img");

    /* Sources have nothing beside them. */
    ap_source *header = NULL, *image = NULL;
    CHECK_OK(ap_source_file(temp_path("pair.hdr"), &header, &err));
    CHECK_OK(ap_source_file(temp_path("pair.img"), &image, &err));
    CHECK_OK(ap_open_source(header, image, NULL, &proxy, &err));
    CHECK_TEXT(ap_format(proxy), "spm2");
    check_affine(proxy, AP_AFFINE_BEST, by_header);
    ap_free(proxy);
    ap_source_free(header);
    ap_source_free(image);
    bytes_free(&b);
}

/* Beside the path that was opened, in upper case if that is, compressed as
 * that is or not at all. */
static void test_names(void)
{
    static const struct {
        const char *header, *image, *mat;
        int codec, found;
    } cases[] = {
        {"a.hdr", "a.img", "a.mat", CODEC_NONE, 1},
        {"A.HDR", "A.IMG", "A.MAT", CODEC_NONE, 1},
        {"A.HDR", "A.IMG", "A.mat", CODEC_NONE, 0},
        {"a.x.hdr", "a.x.img", "a.x.mat", CODEC_NONE, 1},
        {"a.x.hdr", "a.x.img", "a.mat", CODEC_NONE, 0},
        {"\xe4.hdr", "\xe4.img", "\xe4.mat", CODEC_NONE, 1},
        {"a.hdr.gz", "a.img.gz", "a.mat.gz", CODEC_GZIP, 1},
        {"a.hdr.bz2", "a.img.bz2", "a.mat.bz2", CODEC_BZIP2, 1},
        {"a.hdr.zst", "a.img.zst", "a.mat.zst", CODEC_ZSTD, 1},
        {"a.hdr.gz", "a.img.gz", "a.mat", CODEC_NONE, 1},
        {"a.hdr.gz", "a.img.gz", "a.mat", CODEC_ZSTD, 1},
        {"a.hdr", "a.img", "a.mat.gz", CODEC_GZIP, 0},
    };
    for (int i = 0; i < COUNT(cases); i++)
        for (int level = 4; level <= 5; level++)
            for (int by_image = 0; by_image < 2; by_image++) {
                matrix m = matrix_new(level, AP_BIG, "mat", rows);
                bytes plain = {0}, b = {0};
                ap_proxy *proxy;
                put_mat_file(&plain, &m);
                put_packed(&b, cases[i].codec, plain.data, plain.size);
                write_pair(cases[i].header, cases[i].image);
                write_bytes(temp_path(cases[i].mat), &b);
                test_note("%s beside %s", cases[i].mat,
                          by_image ? cases[i].image : cases[i].header);
                CHECK_OK(open_as(temp_path(by_image ? cases[i].image : cases[i].header), NULL, 1,
                                 &proxy));
                check_affine(proxy, AP_AFFINE_BEST, cases[i].found ? by_mat : by_header);
                ap_free(proxy);
                remove(temp_path(cases[i].header));
                remove(temp_path(cases[i].image));
                remove(temp_path(cases[i].mat));
                bytes_free(&plain);
                bytes_free(&b);
            }
    test_note("");
}

int main(void)
{
    write_pair("pair.hdr", "pair.img");
    test_stored();
    test_both();
    test_others();
    test_planes();
    test_no_matrix();
    test_damage();
    test_claims();
    test_absent();
    test_names();
    return test_end("matlab");
}
