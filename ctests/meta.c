/* What a handle tells about its array. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numpy.h"

#include <stdlib.h>
#include <string.h>

static const int64_t shape[4] = {5, 4, 3, 2};

static ap_proxy *open_nifti(const nifti *n)
{
    bytes b = {0};
    ap_proxy *proxy;
    put_nifti(&b, n, "", 0);
    put_fill(&b, 0, 120 * 16);
    proxy = open_by(ACCESS_MEMORY, &b);
    bytes_free(&b);
    return proxy;
}

/* `ask` writes a list. It writes no more than there is and no more than
 * asked for, and gives the whole length each time. */
typedef int32_t (*ask_fn)(const ap_proxy *, int64_t *, int32_t);

static void check_capacities(ask_fn ask, const ap_proxy *proxy, const int64_t *wanted, int n)
{
    int64_t list[10];
    CHECK_INT(ask(proxy, NULL, 0), n);
    for (int capacity = 0; capacity <= 8; capacity++) {
        test_note("capacity %d", capacity);
        for (int i = 0; i < 10; i++)
            list[i] = -999;
        CHECK_INT(ask(proxy, list, capacity), n);
        for (int i = 0; i < 10; i++)
            CHECK_INT(list[i], i < capacity && i < n ? wanted[i] : -999);
    }
    test_note("");
    CHECK_STATUS(ask(proxy, list, -1), AP_ERR_ARGUMENT);
    CHECK_STATUS(ask(proxy, list, INT32_MIN), AP_ERR_ARGUMENT);
    CHECK_STATUS(ask(proxy, NULL, -1), AP_ERR_ARGUMENT);
    CHECK_STATUS(ask(proxy, NULL, 1), AP_ERR_NULL);
    CHECK_STATUS(ask(NULL, list, 10), AP_ERR_NULL);
}

static void test_shape(void)
{
    for (int ndim = 1; ndim <= 7; ndim++) {
        static const int64_t longest[7] = {7, 1, 5, 2, 1, 3, 1};
        nifti n = nifti_new(2, AP_BIG, AP_UINT8, ndim, longest);
        ap_proxy *proxy = open_nifti(&n);
        CHECK_INT(ap_ndim(proxy), ndim);
        CHECK_INT(ap_size(proxy), model_size(ndim, longest));
        check_capacities(ap_shape, proxy, longest, ndim);
        check_capacities(ap_scale_shape, proxy, NULL, 0);
        ap_free(proxy);
    }
}

/* dim[0] = 0 is one axis of no elements. */
static void test_no_axes(void)
{
    for (int version = 1; version <= 2; version++) {
        nifti n = nifti_new(version, AP_LITTLE, AP_INT16, 0, NULL);
        ap_proxy *proxy = open_nifti(&n);
        const int64_t wanted[1] = {0};
        check_capacities(ap_shape, proxy, wanted, 1);
        CHECK_INT(ap_size(proxy), 0);
        CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, NULL, 0, &err));
        ap_free(proxy);
    }
}

static void test_types(void)
{
    static const ap_dtype types[] = {AP_INT8,   AP_INT16,  AP_INT32,  AP_INT64,
                                     AP_UINT8,  AP_UINT16, AP_UINT32, AP_UINT64,
                                     AP_FLOAT32, AP_FLOAT64, AP_COMPLEX64, AP_COMPLEX128,
                                     AP_RGB24,  AP_RGBA32};
    for (int version = 1; version <= 2; version++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++)
            for (int i = 0; i < COUNT(types); i++) {
                nifti n = nifti_new(version, order, types[i], 4, shape);
                size_t size = 0;
                bytes header = {0};
                ap_proxy *proxy = open_nifti(&n);
                test_note("NIfTI-%d, order %d, %s", version, order, ap_dtype_name(types[i]));
                CHECK_INT(ap_disk_dtype(proxy), types[i]);
                CHECK_INT(ap_auto_dtype(proxy), types[i]);
                CHECK_INT(ap_byte_order(proxy), order);
                CHECK_INT(ap_order(proxy), AP_ORDER_F);
                CHECK_INT(ap_data_offset(proxy), version == 1 ? 352 : 544);
                CHECK_TEXT(ap_format(proxy), version == 1 ? "nifti1" : "nifti2");
                CHECK_TEXT(ap_codec(proxy), "none");
                CHECK_INT(ap_is_scaled(proxy), 0);
                CHECK(ap_warning(proxy, 0) == NULL);
                put_nifti_header(&header, &n);
                const void *found = ap_header(proxy, &size);
                if (CHECK_INT(size, header.size) && CHECK(found != NULL))
                    CHECK_BYTES(found, header.data, size);
                CHECK(ap_header(proxy, &size) == found);
                CHECK(ap_header(proxy, NULL) == found);
                bytes_free(&header);
                ap_free(proxy);
            }
    test_note("");
}

/* Texts and the header belong to the handle and do not move. */
static void test_pointers_stay(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 4, shape);
    ap_proxy *proxy, *clone;
    const char *format, *codec, *warning;
    size_t size = 0;
    n.qform_code = 99;
    proxy = open_nifti(&n);
    clone = ap_clone(proxy);
    format = ap_format(clone);
    codec = ap_codec(clone);
    warning = ap_warning(clone, 0);
    const void *header = ap_header(clone, &size);
    CHECK(warning != NULL && warning[0]);
    ap_trim(clone);
    ap_free(proxy);
    CHECK_TEXT(format, "nifti1");
    CHECK_TEXT(codec, "none");
    CHECK(ap_warning(clone, 0) == warning);
    CHECK(ap_header(clone, &size) == header);
    CHECK_INT(size, 348);
    CHECK(ap_warning(clone, -1) == NULL);
    CHECK(ap_warning(clone, INT32_MIN) == NULL);
    CHECK(ap_warning(clone, INT32_MAX) == NULL);
    ap_free(clone);
}

static void check_factors(const ap_proxy *proxy, double slope, double inter)
{
    double s[3] = {-9, -9, -9}, t[3] = {-9, -9, -9};
    CHECK_OK(ap_scale_factors(proxy, s, t, 1, &err));
    CHECK_REAL(s[0], slope);
    CHECK_REAL(t[0], inter);
    CHECK_OK(ap_scale_factors(proxy, s, t, 3, &err));
    CHECK_REAL(s[1], -9);
    CHECK_REAL(t[1], -9);
    CHECK_STATUS(ap_scale_factors(proxy, s, t, 0, &err), AP_ERR_BUFFER);
    /* Only slopes, only intercepts. */
    s[0] = t[0] = -9;
    CHECK_OK(ap_scale_factors(proxy, s, NULL, 1, &err));
    CHECK_REAL(s[0], slope);
    CHECK_OK(ap_scale_factors(proxy, NULL, t, 1, &err));
    CHECK_REAL(t[0], inter);
    CHECK_OK(ap_scale_factors(proxy, NULL, NULL, 1, &err));
    CHECK_STATUS(ap_scale_factors(proxy, NULL, NULL, 0, &err), AP_ERR_BUFFER);
    CHECK_INT(err.detail, sizeof(double));
    CHECK_STATUS(ap_scale_factors(NULL, s, t, 1, &err), AP_ERR_NULL);
}

static void test_factors(void)
{
    static const struct {
        double slope, inter;
        int scaled;
    } cases[] = {{1, 0, 0}, {2, 0, 1}, {1, -3, 1}, {0.5, 7, 1}, {-1, 0, 1}, {0, 5, 0}};
    for (int version = 1; version <= 2; version++)
        for (int i = 0; i < COUNT(cases); i++) {
            nifti n = nifti_new(version, AP_LITTLE, AP_INT16, 4, shape);
            int scaled = cases[i].scaled;
            ap_proxy *proxy;
            n.slope = cases[i].slope;
            n.inter = cases[i].inter;
            proxy = open_nifti(&n);
            test_note("slope %g, inter %g", n.slope, n.inter);
            CHECK_INT(ap_is_scaled(proxy), scaled);
            CHECK_INT(ap_auto_dtype(proxy), scaled ? AP_FLOAT64 : AP_INT16);
            CHECK_INT(ap_scale_shape(proxy, NULL, 0), 0);
            check_factors(proxy, scaled ? n.slope : 1, scaled ? n.inter : 0);
            ap_free(proxy);
        }
    test_note("");
}

static void test_zooms(void)
{
    for (int version = 1; version <= 2; version++)
        for (int ndim = 1; ndim <= 7; ndim++) {
            static const int64_t ones[7] = {1, 1, 1, 1, 1, 1, 1};
            nifti n = nifti_new(version, AP_BIG, AP_UINT8, ndim, ones);
            double zooms[9];
            ap_proxy *proxy;
            for (int i = 1; i < 8; i++)
                n.pixdim[i] = 0.25 + i;
            proxy = open_nifti(&n);
            test_note("NIfTI-%d, %d axes", version, ndim);
            CHECK_INT(ap_zooms(proxy, NULL, 0, &err), ndim);
            for (int capacity = 0; capacity <= 8; capacity++) {
                for (int i = 0; i < 9; i++)
                    zooms[i] = -1;
                CHECK_INT(ap_zooms(proxy, zooms, capacity, &err), ndim);
                for (int i = 0; i < 9; i++)
                    CHECK_REAL(zooms[i], i < ndim && i < capacity ? 1.25 + i : -1);
            }
            CHECK_STATUS(ap_zooms(proxy, zooms, -1, &err), AP_ERR_ARGUMENT);
            CHECK_STATUS(ap_zooms(proxy, NULL, 1, &err), AP_ERR_NULL);
            ap_free(proxy);
        }
    test_note("");
}

/* NIfTI-1 keeps zooms as float32; they come as the float64 of that. */
static void test_zooms_float32(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_UINT8, 4, shape);
    double zooms[4];
    ap_proxy *proxy;
    n.pixdim[1] = 0.1;
    n.pixdim[4] = 2.3;
    proxy = open_nifti(&n);
    CHECK_INT(ap_zooms(proxy, zooms, 4, &err), 4);
    CHECK_REAL(zooms[0], (double)0.1f);
    CHECK_REAL(zooms[3], (double)2.3f);
    ap_free(proxy);
}

/* A block is no larger than asked, and takes an axis whole before it takes
 * more than one of a slower axis. */
static void check_chunk(const ap_proxy *proxy, const int64_t *whole, int ndim, int64_t size,
                        uint64_t nbytes)
{
    int64_t chunk[10], count = 1, elements = model_size(ndim, whole);
    int cut = 0, c_order = ap_order(proxy) == AP_ORDER_C;
    test_note("%d axes, order %c, %lu bytes", ndim, ap_order(proxy), (unsigned long)nbytes);
    CHECK_INT(ap_chunk_shape(proxy, nbytes, chunk, 10), ndim);
    for (int k = 0; k < ndim; k++) {
        int axis = c_order ? ndim - 1 - k : k;
        CHECK(chunk[axis] >= 1);
        CHECK(chunk[axis] <= whole[axis]);
        if (cut)
            CHECK_INT(chunk[axis], 1);
        cut |= chunk[axis] < whole[axis];
        count *= chunk[axis];
    }
    if (nbytes < (uint64_t)size)
        CHECK_INT(count, 1);
    else
        CHECK((uint64_t)(count * size) <= nbytes);
    if (nbytes >= (uint64_t)(elements * size))
        CHECK_INT(count, elements);
    test_note("");
}

static void test_chunks(void)
{
    static const uint64_t sizes[] = {0, 1, 3, 4, 19, 20, 79, 80, 100, 239, 240, 479, 480,
                                     10000, UINT64_MAX};
    for (int order = 0; order < 2; order++) {
        ap_proxy *proxy = open_counted(4, shape, order ? AP_ORDER_C : AP_ORDER_F);
        for (int i = 0; i < COUNT(sizes); i++)
            check_chunk(proxy, shape, 4, 4, sizes[i]);
        /* Whole volumes are in reach, so the block is made of them. */
        int64_t chunk[4];
        CHECK_INT(ap_chunk_shape(proxy, 240, chunk, 4), 4);
        if (order)
            CHECK_INTS(chunk, 4, INTS(2, 4, 3, 2));
        else
            CHECK_INTS(chunk, 4, INTS(5, 4, 3, 1));
        /* An axis that does not fit is cut into parts of about one length. */
        CHECK_INT(ap_chunk_shape(proxy, 16, chunk, 4), 4);
        if (order)
            CHECK_INTS(chunk, 4, INTS(1, 1, 2, 2));
        else
            CHECK_INTS(chunk, 4, INTS(3, 1, 1, 1));
        CHECK_INT(ap_chunk_shape(proxy, 240, NULL, 0), 4);
        CHECK_STATUS(ap_chunk_shape(proxy, 240, NULL, 4), AP_ERR_NULL);
        CHECK_STATUS(ap_chunk_shape(proxy, 240, chunk, -1), AP_ERR_ARGUMENT);
        CHECK_STATUS(ap_chunk_shape(NULL, 240, chunk, 4), AP_ERR_NULL);
        ap_free(proxy);
    }
    /* No elements, or no axes. */
    static const int64_t none[3] = {3, 0, 2};
    int64_t chunk[3] = {-1, -1, -1};
    ap_proxy *proxy = open_counted(3, none, AP_ORDER_F);
    CHECK_INT(ap_chunk_shape(proxy, 100, chunk, 3), 3);
    for (int i = 0; i < 3; i++)
        CHECK(chunk[i] >= 1);
    ap_free(proxy);
    proxy = open_counted(0, NULL, AP_ORDER_F);
    CHECK_INT(ap_chunk_shape(proxy, 100, chunk, 3), 0);
    ap_free(proxy);
}

/* Gzip gives the same array as the plain file. */
static void test_same_for_gzip(void)
{
    nifti n = nifti_new(1, AP_BIG, AP_INT16, 4, shape);
    bytes b = {0};
    ap_proxy *plain, *packed;
    int64_t a[4], c[4];
    size_t size_a, size_b;
    n.slope = 3;
    put_nifti(&b, &n, "", 0);
    put_fill(&b, 1, 240);
    plain = open_by(ACCESS_MEMORY, &b);
    packed = open_by(ACCESS_GZIP, &b);
    CHECK_TEXT(ap_codec(packed), "gzip");
    CHECK_TEXT(ap_format(packed), "nifti1");
    CHECK_INT(ap_data_offset(packed), 352);
    CHECK_INT(ap_shape(plain, a, 4), ap_shape(packed, c, 4));
    CHECK_BYTES(a, c, sizeof a);
    CHECK_INT(ap_is_scaled(packed), 1);
    const void *one = ap_header(plain, &size_a), *two = ap_header(packed, &size_b);
    CHECK_INT(size_a, size_b);
    CHECK_BYTES(one, two, size_a);
    ap_free(plain);
    ap_free(packed);
    bytes_free(&b);
}

int main(void)
{
    test_shape();
    test_no_axes();
    test_types();
    test_pointers_stay();
    test_factors();
    test_zooms();
    test_zooms_float32();
    test_chunks();
    test_same_for_gzip();
    return test_end("meta");
}
