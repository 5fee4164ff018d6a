/* The library reads and writes no byte beyond what it is given: everything
 * here ends, or begins, at the edge of memory that can be touched. A failure
 * is a crash. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/mgh.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/numpy.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 8192 };

static const int64_t shape[3] = {5, 4, 3};

/* The last `n` bytes of regions of their own. */
static unsigned char *input, *output, *first_output;

static void *last_input(const void *data, size_t n)
{
    if (data)
        memcpy(input + ROOM - n, data, n);
    return input + ROOM - n;
}

static void *last_output(size_t n)
{
    return output + ROOM - n;
}

static ap_status open_layout(const void *data, size_t n, ap_dtype dtype, int order, int ndim,
                             const int64_t *sides, ap_proxy **proxy)
{
    ap_source *source = NULL;
    ap_status status;
    CHECK_OK(ap_source_memory(data, n, NULL, NULL, &source, &err));
    status = ap_open_layout(source, dtype, order, ndim, sides, AP_ORDER_F, 0, 1, 0, NULL, proxy,
                            &err);
    ap_source_free(source);
    return status;
}

/* Elements and results of every size, whole vectors and their rests. */
static void test_elements(void)
{
    static const ap_dtype types[] = {AP_UINT8, AP_INT16, AP_FLOAT16, AP_FLOAT32, AP_INT64,
                                     AP_COMPLEX64, AP_COMPLEX128, AP_FLOAT128, AP_RGB24};
    static const ap_dtype asked[] = {AP_DISK, AP_UINT8, AP_INT16, AP_FLOAT32, AP_FLOAT64,
                                     AP_COMPLEX128};
    for (int t = 0; t < COUNT(types); t++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++)
            for (int64_t n = 1; n <= 70; n += test_small() ? 23 : 1) {
                size_t nbytes = (size_t)n * size_of(types[t]);
                ap_slice back = ap_range(AP_NONE, AP_NONE, -1), odd = ap_range(0, AP_NONE, 2);
                ap_proxy *proxy = NULL;
                CHECK_OK(open_layout(last_input(NULL, nbytes), nbytes, types[t], order, 1, &n,
                                     &proxy));
                for (int a = 0; a < COUNT(asked); a++) {
                    int64_t told = ap_slice_nbytes(proxy, NULL, 0, asked[a], 0, &err);
                    size_t size = (size_t)told, half;
                    test_note("%d of %s as %d", (int)n, ap_dtype_name(types[t]), asked[a]);
                    if (told == AP_ERR_UNSUPPORTED)
                        continue;               /* RGB has no casts */
                    half = (size_t)((n + 1) / 2) * (size / (size_t)n);
                    CHECK_OK(ap_read_all(proxy, asked[a], 0, last_output(size), size, &err));
                    CHECK_OK(ap_read_all(proxy, asked[a], 0, first_output, size, &err));
                    CHECK_OK(ap_read_slice(proxy, &back, 1, asked[a], 0, last_output(size), size,
                                           &err));
                    CHECK_OK(ap_read_slice(proxy, &back, 1, asked[a], 0, first_output, size,
                                           &err));
                    CHECK_OK(ap_read_slice(proxy, &odd, 1, asked[a], 0, last_output(half), half,
                                           &err));
                }
                ap_free(proxy);
            }
    test_note("");
}

/* Strided results that touch both edges. */
static void test_strides(void)
{
    bytes b = {0};
    ap_proxy *proxy = NULL;
    ap_plan *plan = NULL;
    put_counted(&b, 60, native_order());
    CHECK_OK(open_layout(last_input(b.data, b.size), b.size, AP_INT32, native_order(), 3, shape,
                         &proxy));
    CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_INT16, 0, &plan, &err));
    for (int64_t unit = 2; unit <= 5; unit++)
        for (int signs = 0; signs < 8; signs++) {
            int64_t list[3] = {unit, 5 * unit, 20 * unit};
            size_t offset = 0, span = (size_t)(59 * unit + 2);
            for (int k = 0; k < 3; k++)
                if (signs >> k & 1) {
                    offset += (size_t)(list[k] * (shape[k] - 1));
                    list[k] = -list[k];
                }
            const int64_t *strides = at_end_of_page(list, sizeof list);
            CHECK_OK(ap_plan_read(plan, last_output(span), span, offset, strides, NULL, &err));
            CHECK_OK(ap_plan_read(plan, first_output, span, offset, strides, NULL, &err));
        }
    ap_plan_free(plan);
    ap_free(proxy);
    bytes_free(&b);
}

/* Lists of as many entries as told; and no look at a list whose length
 * cannot be right. */
static void test_lists(void)
{
    static const int32_t lengths[] = {65, 66, 100000, INT32_MAX};
    const int64_t *one = at_end_of_page(shape, 8), *three = at_end_of_page(shape, sizeof shape);
    const ap_slice whole = ap_all();
    const ap_slice *entry = at_end_of_page(&whole, sizeof whole);
    static const int64_t zeros[3] = {0, 0, 0};
    const int64_t *start = at_end_of_page(zeros, sizeof zeros);
    ap_proxy *proxy = NULL, *other = NULL;
    ap_plan *plan = NULL;
    void *out = last_output(ROOM);
    CHECK_OK(open_layout(last_input(NULL, 60), 60, AP_UINT8, AP_LITTLE, 3, three, &proxy));
    CHECK_OK(ap_reshape(proxy, 3, three, &other, &err));
    ap_free(other);
    CHECK_OK(ap_read_box(proxy, 3, start, three, NULL, AP_DISK, 0, out, ROOM, &err));
    CHECK_OK(ap_read_slice(proxy, entry, 1, AP_DISK, 0, out, ROOM, &err));
    for (int i = 0; i < COUNT(lengths); i++) {
        test_note("%d entries", lengths[i]);
        CHECK_STATUS(open_layout(last_input(NULL, 60), 60, AP_UINT8, AP_LITTLE, lengths[i], one,
                                 &other),
                     AP_ERR_ARGUMENT);
        CHECK_STATUS(ap_reshape(proxy, lengths[i], one, &other, &err), AP_ERR_ARGUMENT);
        CHECK_STATUS(ap_read_box(proxy, lengths[i], one, one, one, AP_DISK, 0, out, ROOM, &err),
                     AP_ERR_INDEX);
        CHECK_STATUS(ap_slice_shape(proxy, entry, lengths[i], NULL, 0, &err), AP_ERR_INDEX);
        CHECK_STATUS(ap_slice_nbytes(proxy, entry, lengths[i], AP_DISK, 0, &err), AP_ERR_INDEX);
        CHECK_STATUS(ap_read_slice(proxy, entry, lengths[i], AP_DISK, 0, out, ROOM, &err),
                     AP_ERR_INDEX);
        CHECK_STATUS(ap_plan_new(proxy, entry, lengths[i], AP_DISK, 0, &plan, &err),
                     AP_ERR_INDEX);
    }
    test_note("");
    /* A box of another number of axes than the array's is not looked at. */
    CHECK_STATUS(ap_read_box(proxy, 4, three, three, three, AP_DISK, 0, out, ROOM, &err),
                 AP_ERR_INDEX);
    ap_free(proxy);
}

/* Lists that the library fills. */
static void test_filled(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_UINT8, 3, shape);
    bytes b = {0};
    put_nifti(&b, &n, "", 0);
    put_fill(&b, 0, 60);
    ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
    ap_plan *plan = NULL;
    CHECK_OK(ap_plan_new(proxy, NULL, 0, AP_DISK, 0, &plan, &err));
    for (int capacity = 0; capacity <= 4; capacity++) {
        size_t size = (size_t)(capacity < 3 ? capacity : 3) * 8;
        CHECK_INT(ap_shape(proxy, last_output(size), capacity), 3);
        CHECK_INT(ap_zooms(proxy, last_output(size), capacity, &err), 3);
        CHECK_INT(ap_chunk_shape(proxy, 20, last_output(size), capacity), 3);
        CHECK_INT(ap_slice_shape(proxy, NULL, 0, last_output(size), capacity, &err), 3);
        CHECK_INT(ap_plan_shape(plan, last_output(size), capacity), 3);
        CHECK_INT(ap_slice_parse("1, 2, 3", last_output(size * 4), capacity, &err), 3);
    }
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, last_output(128), &err), 0);
    CHECK_OK(ap_scale_factors(proxy, last_output(8), (double *)(void *)first_output, 1, &err));
    ap_error *edge = last_output(sizeof *edge);
    memset(edge, 0xff, sizeof *edge);
    CHECK_STATUS(ap_affine(proxy, 77, NULL, edge), AP_ERR_ARGUMENT);
    CHECK_INT(edge->code, AP_ERR_ARGUMENT);
    CHECK(memchr(edge->message, 0, sizeof edge->message) != NULL);
    ap_plan_free(plan);
    ap_free(proxy);
    bytes_free(&b);
}

static char *last_text(const char *text)
{
    return last_input(text, strlen(text) + 1);
}

/* Texts are read up to their NUL. */
static void test_texts(void)
{
    static const char *texts[] = {"", "1", "::", "1:2:", "...", "[", "newaxis", "int16", "<i2",
                                  "mmap=1", "mmap=", "gzip", "\xc3"};
    ap_options *o = ap_options_new();
    ap_source *source = NULL;
    for (int i = 0; i < COUNT(texts); i++) {
        const char *text = last_text(texts[i]);
        ap_slice found[4];
        test_note("\"%s\"", texts[i]);
        CHECK(ap_slice_parse(text, found, 4, &err) >= AP_ERR_OPTION);
        CHECK(ap_dtype_parse(text) >= AP_ERR_OPTION);
        CHECK(ap_options_parse(o, text, &err) >= AP_ERR_OPTION);
        CHECK(ap_options_set_text(o, AP_OPT_CODEC, text, &err) >= AP_ERR_OPTION);
        CHECK(ap_options_set_text(o, AP_OPT_FORMAT, text, &err) >= AP_ERR_OPTION);
        CHECK(ap_has(text) == 0 || ap_has(text) == 1);
    }
    test_note("");
    CHECK_STATUS(ap_source_file(last_text("/no such file"), &source, &err), AP_ERR_NOT_FOUND);
    ap_options_free(o);
}

/* A file of 60 numbers: NIfTI of that version, or MGH for 0. */
static void put_file(bytes *b, int version)
{
    bytes data = {0};
    put_counted(&data, 60, version ? AP_LITTLE : AP_BIG);
    if (version) {
        nifti n = nifti_new(version, AP_LITTLE, AP_INT32, 3, shape);
        put_nifti(b, &n, data.data, data.size);
    } else {
        mgh m = mgh_new(AP_INT32, 3, shape);
        put_mgh(b, &m, data.data, data.size);
    }
    bytes_free(&data);
}

/* Files in memory, whole and cut at every place, at the edge. */
static void test_cut(int version, int codec)
{
    bytes plain = {0}, b = {0};
    int32_t out[60];
    int whole = 0;
    put_file(&plain, version);
    if (codec == CODEC_GZIP)
        put_gzip_parts(&b, plain.data, plain.size, 200, GZIP_NAMED | GZIP_FIXED);
    else
        put_packed(&b, codec, plain.data, plain.size);
    test_note("NIfTI-%d, %s", version, codec_name(codec));
    for (size_t cut = 0; cut <= b.size; cut += test_small() && b.size - cut > 40 ? 37 : 1) {
        ap_source *source = NULL;
        ap_proxy *proxy = NULL;
        void *image = last_input(b.data, cut);
        CHECK_OK(ap_source_memory(image, cut, NULL, NULL, &source, &err));
        if (ap_open_source(source, NULL, NULL, &proxy, &err) == AP_OK) {
            ap_slice voxel[3] = {ap_at(4), ap_at(3), ap_at(2)};
            ap_status all = ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err);
            ap_status one = ap_read_slice(proxy, voxel, 3, AP_DISK, 0, out, sizeof out, &err);
            whole += all == AP_OK && one == AP_OK;
        }
        ap_free(proxy);
        ap_source_free(source);
    }
    /* The end of a stream and checksums are not needed to decode. */
    if (codec)
        CHECK(whole >= 1 && whole <= 12);
    else
        CHECK_INT(whole, 1);
    test_note("");
    bytes_free(&plain);
    bytes_free(&b);
}

int main(void)
{
    input = at_end_of_page(NULL, ROOM);
    output = at_end_of_page(NULL, ROOM);
    first_output = at_start_of_page(NULL, ROOM);
    test_elements();
    test_strides();
    test_lists();
    test_filled();
    test_texts();
    for (int version = 0; version <= 2; version++)
        for (int codec = 0; codec < CODECS; codec++)
            test_cut(version, codec);
    return test_end("edges");
}
