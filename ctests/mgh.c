/* MGH: found by content and by name, types, space, the footer, what is refused. */
#include "test.h"
#include "support/access.h"
#include "support/mgh.h"
#include "support/nifti.h"
#include "support/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shape[4] = {4, 3, 2, 5};
enum { ELEMENTS = 4 * 3 * 2 * 5 };

/* Element i has the value i. */
static void put_elements(bytes *b, ap_dtype dtype, int order, int count)
{
    for (int i = 0; i < count; i++)
        put_number(b, dtype, order, kind_of(dtype) == KIND_FLOAT ? from_real(i) : from_int(i));
}

static void put_image(bytes *b, const mgh *m, ap_dtype dtype)
{
    bytes data = {0};
    put_elements(&data, dtype, AP_BIG, m->dims[0] * m->dims[1] * m->dims[2] * m->dims[3]);
    put_mgh(b, m, data.data, data.size);
    bytes_free(&data);
}

static mgh sound(int ndim)
{
    mgh m = mgh_new(AP_INT16, ndim, shape);
    m.footer = 5;
    m.tr = 2300;
    return m;
}

static int elements_right(const ap_proxy *proxy)
{
    int32_t out[10 * ELEMENTS];
    int wrong = 0;
    CHECK_OK(ap_read_all(proxy, AP_INT32, 0, out, sizeof out, &err));
    for (int i = 0; i < ap_size(proxy); i++)
        wrong += out[i] != i;
    return wrong == 0;
}

static ap_status open_memory(const bytes *b, const char *format, int strict, ap_proxy **proxy)
{
    ap_source *source = NULL;
    ap_options *o = options_for(format, strict);
    *proxy = MARKED(ap_proxy);
    CHECK_OK(ap_source_memory(b->data, b->size, NULL, NULL, &source, &err));
    ap_status status = ap_open_source(source, NULL, o, proxy, &err);
    CHECK((status == AP_OK) == (*proxy != NULL));
    ap_source_free(source);
    ap_options_free(o);
    return status;
}

/* A sound file is found through every source, without a name that tells. */
static void test_content(void)
{
    for (int ndim = 3; ndim <= 4; ndim++)
        for (int access = 0; access < ACCESSES; access++) {
            mgh m = sound(ndim);
            bytes b = {0}, header = {0};
            size_t size = 0;
            int64_t found[4];
            put_image(&b, &m, AP_INT16);
            put_mgh_header(&header, &m);
            ap_proxy *proxy = open_by(access, &b);
            test_note("%d axes, %s", ndim, access_name(access));
            CHECK_TEXT(ap_format(proxy), "mgh");
            CHECK_INTS(found, ap_shape(proxy, found, 4), shape, ndim);
            CHECK_INT(ap_byte_order(proxy), AP_BIG);
            CHECK_INT(ap_order(proxy), AP_ORDER_F);
            CHECK_INT(ap_data_offset(proxy), MGH_DATA);
            CHECK_INT(ap_is_scaled(proxy), 0);
            CHECK(elements_right(proxy));
            CHECK(ap_warning(proxy, 0) == NULL);
            const void *stored = ap_header(proxy, &size);
            if (CHECK_INT(size, MGH_DATA))
                CHECK_BYTES(stored, header.data, MGH_DATA);
            ap_free(proxy);
            bytes_free(&b);
            bytes_free(&header);
        }
    test_note("");
}

static void test_types(void)
{
    static const ap_dtype types[] = {AP_UINT8, AP_INT16, AP_INT32, AP_UINT16, AP_FLOAT32};
    for (int t = 0; t < COUNT(types); t++) {
        mgh m = mgh_new(types[t], 4, shape);
        unsigned char out[ELEMENTS * 4];
        bytes b = {0}, native = {0};
        ap_proxy *proxy;
        put_image(&b, &m, types[t]);
        put_elements(&native, types[t], native_order(), ELEMENTS);
        test_note("%s", ap_dtype_name(types[t]));
        CHECK_OK(open_memory(&b, NULL, 1, &proxy));
        CHECK_INT(ap_disk_dtype(proxy), types[t]);
        CHECK_INT(ap_auto_dtype(proxy), types[t]);
        CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
        CHECK_BYTES(out, native.data, native.size);
        ap_free(proxy);
        bytes_free(&b);
        bytes_free(&native);
    }
    test_note("");
}

/* The fourth axis alone goes if its length is 1. */
static void test_shapes(void)
{
    static const int64_t sides[][4] = {{5, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 2}, {2, 1, 3, 1}};
    for (int i = 0; i < COUNT(sides); i++) {
        mgh m = mgh_new(AP_UINT8, 4, sides[i]);
        int64_t found[4];
        bytes b = {0};
        ap_proxy *proxy;
        put_image(&b, &m, AP_UINT8);
        test_note("case %d", i);
        CHECK_OK(open_memory(&b, NULL, 1, &proxy));
        CHECK_INTS(found, ap_shape(proxy, found, 4), sides[i], sides[i][3] == 1 ? 3 : 4);
        CHECK(elements_right(proxy));
        ap_free(proxy);
        bytes_free(&b);
    }
    test_note("");
}

static void test_names(void)
{
    static const char *names[] = {"a.mgh", "a.mgz", "a.MGH", "a.mgh.gz", "a.mgh.bz2", "a.mgh.zst",
                                  "a",     "a.nii", "a.hdr", "\xe4.mgz", ".mgh"};
    for (int i = 0; i < COUNT(names); i++)
        for (int codec = 0; codec < CODECS; codec++)
            for (int ndim = 3; ndim <= 4; ndim++) {
                mgh m = sound(ndim);
                bytes plain = {0}, b = {0};
                double zooms[4];
                ap_proxy *proxy;
                put_image(&plain, &m, AP_INT16);
                put_packed(&b, codec, plain.data, plain.size);
                write_bytes(temp_path(names[i]), &b);
                test_note("%s, %s, %d axes", names[i], codec_name(codec), ndim);
                if (CHECK_OK(open_as(temp_path(names[i]), NULL, 1, &proxy))) {
                    CHECK_TEXT(ap_format(proxy), "mgh");
                    CHECK_TEXT(ap_codec(proxy), codec_name(codec));
                    CHECK(elements_right(proxy));
                    CHECK_INT(ap_zooms(proxy, zooms, 4, &err), ndim);
                    if (ndim == 4)
                        CHECK_REAL(zooms[3], 2300);
                    ap_free(proxy);
                }
                remove(temp_path(names[i]));
                bytes_free(&plain);
                bytes_free(&b);
            }
    test_note("");
}

/* Without magic, a fault in the content means another format; with a name or
 * the option it is told, with its byte. */
static void check_refused(const char *what, const mgh *m, int byte)
{
    static const char *names[] = {"bad.mgh", "bad.MGZ", "bad.mgh.gz"};
    bytes b = {0};
    char place[20];
    ap_proxy *proxy;
    snprintf(place, sizeof place, "(byte %d)", byte);
    put_mgh_header(&b, m);
    put_fill(&b, 0, 1000);
    for (int strict = 0; strict < 2; strict++) {
        test_note("%s, strict %d", what, strict);
        CHECK_STATUS(open_memory(&b, NULL, strict, &proxy), AP_ERR_FORMAT);
        CHECK_STATUS(open_memory(&b, "mgh", strict, &proxy), AP_ERR_HEADER);
        CHECK_PART(err.message, place);
        write_bytes(temp_path("bad"), &b);
        CHECK_STATUS(open_as(temp_path("bad"), NULL, strict, &proxy), AP_ERR_FORMAT);
        for (int i = 0; i < COUNT(names); i++) {
            write_bytes(temp_path(names[i]), &b);
            CHECK_STATUS(open_as(temp_path(names[i]), NULL, strict, &proxy), AP_ERR_HEADER);
            CHECK_PART(err.message, temp_path(names[i]));
            CHECK_PART(err.message, place);
        }
    }
    test_note("");
    bytes_free(&b);
}

static void test_refused(void)
{
    static const int32_t versions[] = {0, 2, -1, 1 << 24};
    static const int32_t types[] = {-1, 2, 5, 6, 7, 8, 9, 11, 1 << 24};
    static const int32_t sides[] = {0, -1, INT32_MIN};
    for (int i = 0; i < COUNT(versions); i++) {
        mgh m = sound(4);
        m.version = versions[i];
        check_refused("version", &m, 0);
    }
    for (int i = 0; i < COUNT(types); i++) {
        mgh m = sound(4);
        m.type = types[i];
        check_refused("type", &m, 20);
    }
    for (int axis = 0; axis < 4; axis++)
        for (int i = 0; i < COUNT(sides); i++) {
            mgh m = sound(4);
            m.dims[axis] = sides[i];
            check_refused("side", &m, 4 + 4 * axis);
        }
    mgh m = sound(4);
    for (int axis = 0; axis < 4; axis++)
        m.dims[axis] = INT32_MAX;
    check_refused("bytes overflow", &m, 4);
}

/* A header cut anywhere. */
static void test_cut_headers(void)
{
    mgh m = sound(4);
    bytes b = {0};
    ap_proxy *proxy;
    put_mgh_header(&b, &m);
    for (size_t size = 0; size < MGH_DATA; size += 1 + size / 3) {
        b.size = size;
        write_bytes(temp_path("cut"), &b);
        write_bytes(temp_path("cut.mgh"), &b);
        test_note("%zu bytes", size);
        CHECK_STATUS(open_as(temp_path("cut"), NULL, 0, &proxy), AP_ERR_FORMAT);
        CHECK_STATUS(open_as(temp_path("cut.mgh"), NULL, 0, &proxy),
                     size ? AP_ERR_HEADER : AP_ERR_FORMAT);
        CHECK_STATUS(open_as(temp_path("cut"), "mgh", 0, &proxy), AP_ERR_HEADER);
    }
    test_note("");
    bytes_free(&b);
}

/* Data that are cut short: a name or the option makes it MGH all the same. */
static void test_truncated(void)
{
    mgh m = sound(4);
    ap_slice first[2] = {ap_rest(), ap_at(0)};
    bytes b = {0};
    int16_t out[ELEMENTS];
    ap_proxy *proxy;
    m.footer = 0;
    put_image(&b, &m, AP_INT16);
    CHECK_OK(open_memory(&b, NULL, 1, &proxy));
    ap_free(proxy);
    b.size -= 1;
    CHECK_STATUS(open_memory(&b, NULL, 0, &proxy), AP_ERR_FORMAT);
    CHECK_STATUS(open_memory(&b, "mgh", 1, &proxy), AP_ERR_TRUNCATED);
    CHECK_OK(open_memory(&b, "mgh", 0, &proxy));
    CHECK(ap_warning(proxy, 0) != NULL);
    ap_free(proxy);
    write_bytes(temp_path("short.mgh"), &b);
    CHECK_STATUS(open_as(temp_path("short.mgh"), NULL, 1, &proxy), AP_ERR_TRUNCATED);
    CHECK_PART(err.message, temp_path("short.mgh"));
    CHECK_OK(open_as(temp_path("short.mgh"), NULL, 0, &proxy));
    CHECK_TEXT(ap_format(proxy), "mgh");
    CHECK(ap_warning(proxy, 0) != NULL);
    CHECK_OK(ap_read_slice(proxy, first, 2, AP_DISK, 0, out, sizeof out, &err));
    CHECK_INT(out[23], 23);
    CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_TRUNCATED);
    CHECK_PART(err.message, temp_path("short.mgh"));
    ap_free(proxy);
    /* In a compressed file, only reading tells. */
    for (int codec = CODEC_GZIP; codec < CODECS; codec++) {
        bytes packed = {0};
        put_packed(&packed, codec, b.data, b.size);
        write_bytes(temp_path("short.mgz"), &packed);
        test_note("%s", codec_name(codec));
        CHECK_OK(open_as(temp_path("short.mgz"), NULL, 0, &proxy));
        CHECK_OK(ap_read_slice(proxy, first, 2, AP_DISK, 0, out, sizeof out, &err));
        CHECK_INT(out[23], 23);
        CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_TRUNCATED);
        ap_free(proxy);
        bytes_free(&packed);
    }
    test_note("");
    bytes_free(&b);
}

/* Content of another format, under MGH's names; and content of both. */
static void test_other_formats(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_UINT8, 2, shape);
    ap_proxy *proxy;
    bytes b = {0};
    write_nifti(temp_path("nifti.mgh"), &n, "abcdefghijkl", 12);
    CHECK_OK(open_as(temp_path("nifti.mgh"), NULL, 0, &proxy));
    CHECK_TEXT(ap_format(proxy), "nifti1");
    ap_free(proxy);
    CHECK_STATUS(open_as(temp_path("nifti.mgh"), "mgh", 0, &proxy), AP_ERR_HEADER);
    write_file(temp_path("junk.mgh"), "no image at all", 15);
    CHECK_STATUS(open_as(temp_path("junk.mgh"), NULL, 0, &proxy), AP_ERR_HEADER);
    /* Voxels that read like NIfTI-1's magic. */
    mgh m = sound(4);
    put_image(&b, &m, AP_INT16);
    memcpy(b.data + 344, "n+1", 4);
    write_bytes(temp_path("both.mgh"), &b);
    CHECK_OK(open_as(temp_path("both.mgh"), NULL, 0, &proxy));
    CHECK_TEXT(ap_format(proxy), "mgh");
    ap_free(proxy);
    CHECK_OK(open_memory(&b, "mgh", 1, &proxy));
    CHECK_TEXT(ap_format(proxy), "mgh");
    ap_free(proxy);
    CHECK_STATUS(open_memory(&b, NULL, 0, &proxy), AP_ERR_HEADER);
    bytes_free(&b);
}

/* One file takes no image beside it. */
static void test_image_given(void)
{
    mgh m = sound(4);
    bytes b = {0};
    ap_source *source = NULL;
    put_image(&b, &m, AP_INT16);
    CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
    for (int asked = 0; asked < 2; asked++) {
        ap_options *o = options_for(asked ? "mgh" : NULL, 0);
        ap_proxy *proxy = MARKED(ap_proxy);
        CHECK_STATUS(ap_open_source(source, source, o, &proxy, &err),
                     asked ? AP_ERR_OPTION : AP_ERR_ARGUMENT);
        CHECK(proxy == NULL);
        ap_options_free(o);
    }
    ap_source_free(source);
    bytes_free(&b);
}

static void check_affine(const ap_proxy *proxy, int which, const double *wanted)
{
    double found[16];
    err_mark();
    CHECK_INT(ap_affine(proxy, which, found, &err), 0);
    CHECK_INT(ap_affine(proxy, which, NULL, &err), 0);
    CHECK(err_untouched());
    for (int i = 0; i < 16; i++)
        CHECK_REAL(found[i], wanted[i]);
}

/* Directions times zooms; the centre lies at half of the sides, even or odd. */
static void test_space(void)
{
    static const double oblique[9] = {0.5, 0.75, 0, -0.25, 0.5, 1, 0, -1, 0.5};
    /* Columns of the directions, times 2, 3, 0.5; centre minus M times (2, 1.5, 1). */
    static const double wanted[] = {1,   -0.75, 0,    10 - 2 + 1.125,
                                    1.5, 1.5,   -0.5, 20 - 3 - 2.25 + 0.5,
                                    0,   3,     0.25, 30 - 4.5 - 0.25,
                                    0,   0,     0,    1};
    static const double base[] = {-2, 0, 0, 3, 0, 3, 0, -3, 0, 0, 0.5, -0.25, 0, 0, 0, 1};
    static const double usual[] = {-1, 0, 0, 2, 0, 0, -1, 1, 0, 1, 0, -1.5, 0, 0, 0, 1};
    static const double usual_base[] = {-1, 0, 0, 1.5, 0, 1, 0, -1, 0, 0, 1, -0.5, 0, 0, 0, 1};
    static const double zooms[] = {2, 3, 0.5};
    for (int good = 0; good < 3; good++) {
        mgh m = sound(3);
        double found[16];
        bytes b = {0};
        ap_proxy *proxy;
        memcpy(m.mdc, oblique, sizeof m.mdc);
        memcpy(m.delta, zooms, sizeof m.delta);
        m.centre[0] = 10;
        m.centre[1] = 20;
        m.centre[2] = 30;
        m.good_ras = good == 2 ? -7 : good;
        put_image(&b, &m, AP_INT16);
        test_note("goodRAS %d", m.good_ras);
        CHECK_OK(open_memory(&b, NULL, 1, &proxy));
        check_affine(proxy, AP_AFFINE_BEST, good ? wanted : usual);
        check_affine(proxy, AP_AFFINE_BASE, good ? base : usual_base);
        CHECK_STATUS(ap_affine(proxy, AP_AFFINE_SFORM, found, &err), AP_ERR_UNSUPPORTED);
        CHECK_STATUS(ap_affine(proxy, AP_AFFINE_QFORM, found, &err), AP_ERR_UNSUPPORTED);
        CHECK_INT(ap_zooms(proxy, found, 16, &err), 3);
        for (int i = 0; i < 3; i++)
            CHECK_REAL(found[i], good ? zooms[i] : 1);
        ap_free(proxy);
        bytes_free(&b);
    }
    test_note("");
}

/* The fourth zoom is the footer's first number, if there is one. */
static void test_footer(void)
{
    for (int ndim = 3; ndim <= 4; ndim++)
        for (int footer = 0; footer <= 5; footer++) {
            mgh m = sound(ndim);
            double zooms[6] = {-9, -9, -9, -9, -9, -9};
            bytes b = {0};
            ap_proxy *proxy;
            m.footer = footer;
            put_image(&b, &m, AP_INT16);
            if (footer == 5)
                put_fill(&b, 1, 100);           /* tags, of a kind */
            test_note("%d axes, footer of %d", ndim, footer);
            CHECK_OK(open_memory(&b, NULL, 1, &proxy));
            for (int capacity = 0; capacity <= 5; capacity++) {
                CHECK_INT(ap_zooms(proxy, zooms, capacity, &err), ndim);
                for (int i = 0; i < 6; i++)
                    CHECK_REAL(zooms[i], i >= capacity || i >= ndim ? -9
                                         : i < 3                    ? 1
                                         : footer                   ? 2300
                                                                    : 0);
            }
            ap_free(proxy);
            bytes_free(&b);
        }
    test_note("");
}

/* An object whose bytes behind the data cannot be had. */
typedef struct {
    const bytes *b;
    uint64_t end;
    int reads;
} guarded;

static int64_t read_guarded(void *user, void *buf, size_t len, uint64_t offset)
{
    guarded *g = user;
    g->reads++;
    if (offset >= g->end)
        return -5;
    if (len > g->end - offset)
        len = (size_t)(g->end - offset);
    memcpy(buf, g->b->data + offset, len);
    return (int64_t)len;
}

static int64_t size_of_guarded(void *user)
{
    return (int64_t)((guarded *)user)->b->size;
}

/* The footer is read when the fourth zoom is asked for, not before, as it can
 * lie behind much that is compressed; what fails can be asked for again. */
static void test_footer_is_late(void)
{
    static const int64_t longer[4] = {4, 3, 2, 50};
    mgh m = mgh_new(AP_INT16, 4, longer);
    bytes b = {0};
    double zooms[4];
    guarded g = {&b, MGH_DATA + 2 * 10 * ELEMENTS, 0};
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    m.footer = 1;
    m.tr = 2300;
    put_image(&b, &m, AP_INT16);
    put_fill(&b, 0, 4000);
    CHECK_OK(ap_source_callbacks(read_guarded, size_of_guarded, NULL, &g, 0, &source, &err));
    CHECK_OK(ap_open_source(source, NULL, NULL, &proxy, &err));
    ap_source_free(source);
    g.reads = 0;
    CHECK_INT(ap_zooms(proxy, NULL, 0, &err), 4);
    CHECK_INT(ap_zooms(proxy, zooms, 3, &err), 4);
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err), 0);
    CHECK_INT(g.reads, 0);
    CHECK(elements_right(proxy));
    CHECK_STATUS(ap_zooms(proxy, zooms, 4, &err), AP_ERR_CALLBACK);
    CHECK_INT(err.detail, -5);
    g.end = b.size;
    CHECK_INT(ap_zooms(proxy, zooms, 4, &err), 4);
    CHECK_REAL(zooms[3], 2300);
    g.end = 0;
    CHECK_INT(ap_zooms(proxy, zooms, 4, &err), 4);
    CHECK_REAL(zooms[3], 2300);
    ap_free(proxy);
    bytes_free(&b);
}

int main(void)
{
    test_content();
    test_types();
    test_shapes();
    test_names();
    test_refused();
    test_cut_headers();
    test_truncated();
    test_other_formats();
    test_image_given();
    test_space();
    test_footer();
    test_footer_is_late();
    return test_end("mgh");
}
