/*
 * Images: what NiBabel's do, line by line.
 *
 * Each test begins with lines of Python as they would be typed, and says the
 * same in C. `get_data()` is the method that NiBabel had: data in their own
 * type, loaded once and kept until `uncache()`.
 *
 * In C it is one call whose status is looked at:
 *
 *     ap_array *data = NULL;
 *     ap_image_data(img, AP_AUTO, 0, NULL, &data, &err);
 *
 * Below, `get_data(img)` stands for it; see support/images.h for this and the
 * other short names.
 */
#include "test.h"
#include "support/files.h"
#include "support/images.h"

#include <string.h>

/* An image whose array is in memory.
 *
 *     >>> array = np.arange(24, dtype=np.int16).reshape((4, 3, 2), order='F')
 *     >>> array_img = nib.Nifti1Image(array, np.diag([2, 3, 4, 1]))
 */
static void test_array_image(void)
{
    ap_array *array = arange();
    ap_image *array_img = NULL;
    CHECK_OK(ap_image_from_array(array, diag, NULL, 0, &array_img, &err));

    /* >>> nib.is_proxy(array_img.dataobj)
     * False */
    CHECK_INT(ap_image_is_proxy(array_img), 0);
    CHECK(ap_image_proxy(array_img) == NULL);

    /* >>> array_img.in_memory
     * True */
    CHECK_INT(ap_image_in_memory(array_img), 1);

    /* >>> array_img.shape
     * (4, 3, 2) */
    int64_t shape[3];
    CHECK_INTS(shape, ap_image_shape(array_img, shape, 3), INTS(4, 3, 2));
    CHECK_INT(ap_image_shape(array_img, NULL, 0), 3);

    /* >>> data = array_img.get_data()
     * >>> data is array
     * True */
    ap_array *data = get_data(array_img);
    CHECK(is(data, array));
    CHECK_INT(ap_array_dtype(data), AP_INT16);

    /* >>> data[1, 0, 0] = 99
     * >>> array[1, 0, 0]
     * 99
     * >>> array[0, 2, 1] = -5
     * >>> data[0, 2, 1]
     * -5 */
    ((int16_t *)ap_array_data(data))[1] = 99;
    CHECK_REAL(at(array, 1, 0, 0), 99);
    ((int16_t *)ap_array_data(array))[4 * 2 + 12] = -5;
    CHECK_REAL(at(data, 0, 2, 1), -5);

    /* >>> array_img.uncache()      # no effect on an image in memory
     * >>> array_img.in_memory
     * True
     * >>> array_img.get_data() is array
     * True */
    ap_image_uncache(array_img);
    CHECK_INT(ap_image_in_memory(array_img), 1);
    CHECK(is_and_free(array, get_data(array_img)));

    /* >>> del array_img, array     # data stay */
    ap_image_free(array_img);
    ap_array_free(array);
    CHECK_REAL(at(data, 1, 0, 0), 99);
    CHECK_REAL(at(data, 3, 2, 1), 23);
    ap_array_free(data);
}

/* An image whose array is in a file, behind a proxy.
 *
 *     >>> proxy_img = nib.load('scaled.nii')
 */
static void test_proxy_image(void)
{
    ap_image *proxy_img = open_image(scaled_file());

    /* >>> nib.is_proxy(proxy_img.dataobj)
     * True */
    CHECK_INT(ap_image_is_proxy(proxy_img), 1);

    /* >>> proxy_img.shape
     * (4, 3, 2) */
    int64_t shape[3];
    CHECK_INTS(shape, ap_image_shape(proxy_img, shape, 3), INTS(4, 3, 2));

    /* >>> proxy_img.in_memory
     * False */
    CHECK_INT(ap_image_in_memory(proxy_img), 0);

    /* >>> data = proxy_img.get_data()
     * >>> data.dtype, data[0, 0, 0], data[1, 0, 0], data[3, 2, 1]
     * (dtype('float64'), 0.0, 0.5, 11.5)
     * >>> proxy_img.in_memory
     * True */
    ap_array *data = get_data(proxy_img);
    CHECK_INT(ap_array_dtype(data), AP_FLOAT64);
    CHECK_REAL(at(data, 0, 0, 0), 0);
    CHECK_REAL(at(data, 1, 0, 0), 0.5);
    CHECK_REAL(at(data, 3, 2, 1), 11.5);
    CHECK_INT(ap_image_in_memory(proxy_img), 1);

    /* >>> data is proxy_img.get_data()
     * True */
    CHECK(is_and_free(data, get_data(proxy_img)));

    /* >>> data[0, 0, 0] = 123      # the memory is one and may be written
     * >>> proxy_img.get_data()[0, 0, 0]
     * 123.0 */
    CHECK_INT(ap_array_flags(data), 0);
    *(double *)ap_array_data(data) = 123;
    ap_array *again = get_data(proxy_img);
    CHECK_REAL(at(again, 0, 0, 0), 123);
    ap_array_free(again);

    /* >>> proxy_img.uncache()
     * >>> proxy_img.in_memory
     * False
     * >>> data_again = proxy_img.get_data()
     * >>> data_again is data
     * False
     * >>> data_again[0, 0, 0], data[0, 0, 0]
     * (0.0, 123.0) */
    ap_image_uncache(proxy_img);
    CHECK_INT(ap_image_in_memory(proxy_img), 0);
    ap_array *data_again = get_data(proxy_img);
    CHECK(!is(data_again, data));
    CHECK_REAL(at(data_again, 0, 0, 0), 0);
    CHECK_REAL(at(data, 0, 0, 0), 123);
    CHECK_INT(ap_image_in_memory(proxy_img), 1);

    /* >>> proxy = proxy_img.dataobj
     * >>> del proxy_img            # proxy and arrays stay
     * >>> proxy[1, 0, 0]
     * 0.5 */
    ap_proxy *proxy = ap_image_proxy(proxy_img);
    ap_image_free(proxy_img);
    ap_slice voxel[3] = {ap_at(1), ap_at(0), ap_at(0)};
    double value = -1;
    CHECK_OK(ap_read_slice(proxy, voxel, 3, AP_AUTO, 0, &value, sizeof value, &err));
    CHECK_REAL(value, 0.5);
    ap_free(proxy);
    CHECK_REAL(at(data_again, 3, 2, 1), 11.5);
    ap_array_free(data);
    ap_array_free(data_again);
}

/* get_data(caching='unchanged')
 *
 *     >>> img = nib.load('scaled.nii')
 */
static void test_caching_unchanged(void)
{
    ap_image *img = open_image(scaled_file());

    /* >>> fresh = img.get_data(caching='unchanged')    # read, but not kept
     * >>> img.in_memory
     * False
     * >>> fresh is img.get_data(caching='unchanged')
     * False */
    ap_array *fresh = get_data_as(img, AP_AUTO, AP_READ_UNCACHED);
    CHECK_REAL(at(fresh, 1, 0, 0), 0.5);
    CHECK_INT(ap_image_in_memory(img), 0);
    CHECK(!is_and_free(fresh, get_data_as(img, AP_AUTO, AP_READ_UNCACHED)));

    /* >>> kept = img.get_data()                        # caching='fill'
     * >>> kept is fresh
     * False
     * >>> kept is img.get_data(caching='unchanged')    # there is one: used
     * True */
    ap_array *kept = get_data(img);
    CHECK(!is(kept, fresh));
    CHECK(is_and_free(kept, get_data_as(img, AP_AUTO, AP_READ_UNCACHED)));

    ap_array_free(fresh);
    ap_array_free(kept);
    ap_image_free(img);
}

/* Types side by side: what is kept is kept for each of them.
 *
 *     >>> img = nib.load('scaled.nii')
 */
static void test_types_of_a_file(void)
{
    ap_image *img = open_image(scaled_file());

    /* >>> real = img.get_fdata(dtype=np.float32)
     * >>> stored = img.dataobj.get_unscaled()
     * >>> whole = np.asarray(img.dataobj).astype(np.int16)
     * >>> real[3, 2, 1], stored[3, 2, 1], whole[3, 2, 1]
     * (11.5, 123, 11) */
    ap_array *real = get_data_as(img, AP_FLOAT32, 0);
    ap_array *stored = get_data_as(img, AP_DISK, 0);
    ap_array *whole = get_data_as(img, AP_INT16, 0);
    CHECK_INT(ap_array_dtype(real), AP_FLOAT32);
    CHECK_INT(ap_array_dtype(stored), AP_INT16);
    CHECK_INT(ap_array_dtype(whole), AP_INT16);
    for (int x = 0; x < 4; x++)
        for (int y = 0; y < 3; y++)
            for (int z = 0; z < 2; z++) {
                int i = x + 4 * y + 12 * z;
                CHECK_REAL(at(real, x, y, z), i / 2.0);
                CHECK_REAL(at(stored, x, y, z), 100 + i);
                CHECK_REAL(at(whole, x, y, z), i / 2);
            }
    CHECK(!is(real, stored) && !is(real, whole) && !is(stored, whole));

    /* Each is kept. */
    CHECK(is_and_free(real, get_data_as(img, AP_FLOAT32, 0)));
    CHECK(is_and_free(stored, get_data_as(img, AP_DISK, 0)));
    CHECK(is_and_free(whole, get_data_as(img, AP_INT16, 0)));

    /* >>> img.get_fdata() is img.get_data()    # this file's own type is float64
     * True */
    ap_array *own = get_data(img);
    CHECK(is_and_free(own, get_data_as(img, AP_FLOAT64, 0)));

    /* Rows first, and rounded: other flags, other arrays. */
    ap_array *rows = get_data_as(img, AP_FLOAT64, AP_READ_C);
    ap_array *rounded = get_data_as(img, AP_INT16, AP_READ_ROUND);
    int64_t step[3];
    CHECK_INTS(step, ap_array_strides(own, step, 3), INTS(8, 32, 96));
    CHECK_INTS(step, ap_array_strides(rows, step, 3), INTS(48, 16, 8));
    CHECK_REAL(at(rows, 1, 2, 1), at(own, 1, 2, 1));
    CHECK_REAL(at(rounded, 3, 0, 0), 2);                /* 1.5, to the even one */
    CHECK_REAL(at(whole, 3, 0, 0), 1);
    CHECK(!is(rows, own) && !is(rounded, whole));
    CHECK(is_and_free(rows, get_data_as(img, AP_AUTO, AP_READ_C)));
    CHECK(is_and_free(rounded, get_data_as(img, AP_INT16, AP_READ_ROUND)));

    /* >>> img.uncache()                        # forgets all of them
     * >>> img.in_memory
     * False */
    ap_image_uncache(img);
    CHECK_INT(ap_image_in_memory(img), 0);
    CHECK(!is_and_free(real, get_data_as(img, AP_FLOAT32, 0)));
    CHECK(!is_and_free(stored, get_data_as(img, AP_DISK, 0)));
    CHECK(!is_and_free(own, get_data(img)));
    CHECK(!is_and_free(rows, get_data_as(img, AP_AUTO, AP_READ_C)));

    ap_image_free(img);
    ap_array_free(real);
    ap_array_free(stored);
    ap_array_free(whole);
    ap_array_free(own);
    ap_array_free(rows);
    ap_array_free(rounded);
}

/* The same of an image in memory: its own array where that will do, else a copy
 * that is kept.
 *
 *     >>> img = nib.Nifti1Image(array, None)
 */
static void test_types_in_memory(void)
{
    ap_array *array = arange();
    ap_image *img = NULL;
    CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &img, &err));

    /* Its own type, by any name. */
    CHECK(is_and_free(array, get_data_as(img, AP_AUTO, 0)));
    CHECK(is_and_free(array, get_data_as(img, AP_DISK, 0)));
    CHECK(is_and_free(array, get_data_as(img, AP_INT16, 0)));
    CHECK(is_and_free(array, get_data_as(img, AP_AUTO, AP_READ_UNCACHED)));

    /* >>> fdata = img.get_fdata()
     * >>> fdata is array
     * False
     * >>> fdata is img.get_fdata()
     * True */
    ap_array *fdata = get_data_as(img, AP_FLOAT64, 0);
    CHECK(!is(fdata, array));
    CHECK_INT(ap_array_dtype(fdata), AP_FLOAT64);
    CHECK_INT(ap_array_flags(fdata), 0);
    CHECK_REAL(at(fdata, 3, 2, 1), 23);
    CHECK(is_and_free(fdata, get_data_as(img, AP_FLOAT64, 0)));
    CHECK(is_and_free(fdata, get_data_as(img, AP_FLOAT64, AP_READ_UNCACHED)));

    /* >>> array[3, 2, 1] = 7                   # it is a copy
     * >>> img.get_fdata()[3, 2, 1]
     * 23.0 */
    ((int16_t *)ap_array_data(array))[23] = 7;
    CHECK_REAL(at(fdata, 3, 2, 1), 23);

    /* >>> img.uncache()
     * >>> img.get_fdata()[3, 2, 1]
     * 7.0 */
    ap_image_uncache(img);
    ap_array *fdata_again = get_data_as(img, AP_FLOAT64, 0);
    CHECK(!is(fdata, fdata_again));
    CHECK_REAL(at(fdata_again, 3, 2, 1), 7);

    /* Not kept if that is asked for. */
    ap_array *once = get_data_as(img, AP_FLOAT32, AP_READ_UNCACHED);
    CHECK_REAL(at(once, 1, 2, 0), 9);
    CHECK(!is_and_free(once, get_data_as(img, AP_FLOAT32, 0)));

    /* Its own type, but rows first. */
    ap_array *rows = get_data_as(img, AP_AUTO, AP_READ_C);
    int64_t step[3];
    CHECK(!is(rows, array));
    CHECK_INTS(step, ap_array_strides(rows, step, 3), INTS(12, 4, 2));
    CHECK_REAL(at(rows, 1, 2, 1), 21);
    CHECK(is_and_free(rows, get_data_as(img, AP_INT16, AP_READ_C)));

    ap_array_free(array);
    ap_array_free(fdata);
    ap_array_free(fdata_again);
    ap_array_free(once);
    ap_array_free(rows);
    ap_image_free(img);
}

/* img.header and img.affine */
static void test_header_and_affine(void)
{
    double affine[16];
    size_t size = 0;

    /* >>> img = nib.load('scaled.nii')
     * >>> len(img.header.binaryblock)
     * 348 */
    ap_image *img = open_image(scaled_file());
    bytes file = {0};
    read_file(&file, temp_path("scaled.nii"));
    const void *header = ap_image_header(img, &size);
    if (CHECK_INT(size, 348))
        CHECK_BYTES(header, file.data, 348);
    bytes_free(&file);

    /* >>> img.affine
     * array([[ 3.,  0.,  0., -7.], [ 0.,  3.,  0.,  0.], ... */
    CHECK_INT(ap_image_affine(img, AP_AFFINE_BEST, affine, &err), 2);
    CHECK(affine[0] == 3 && affine[3] == -7 && affine[5] == 3 && affine[15] == 1);

    /* >>> img.get_sform(coded=True)[1], img.get_qform(coded=True)[1]
     * (2, 0) */
    CHECK_INT(ap_image_affine(img, AP_AFFINE_SFORM, affine, &err), 2);
    CHECK_INT(ap_image_affine(img, AP_AFFINE_QFORM, NULL, &err), 0);
    CHECK_INT(ap_image_affine(img, AP_AFFINE_BASE, affine, &err), 0);
    ap_image_free(img);

    /* >>> img = nib.Nifti1Image(array, np.diag([2, 3, 4, 1]), header)
     * >>> img.affine
     * array([[2., 0., 0., 0.], [0., 3., 0., 0.], ... */
    ap_array *array = arange();
    double given[16];
    char text[] = "any bytes at all";
    memcpy(given, diag, sizeof given);
    CHECK_OK(ap_image_from_array(array, given, text, sizeof text, &img, &err));
    memset(given, 0, sizeof given);             /* the image has copies */
    memset(text, 0, sizeof text);
    CHECK_INT(ap_image_affine(img, AP_AFFINE_BEST, affine, &err), 0);
    CHECK_BYTES(affine, diag, sizeof diag);
    CHECK_INT(ap_image_affine(img, AP_AFFINE_BEST, NULL, &err), 0);
    CHECK_STATUS(ap_image_affine(img, AP_AFFINE_SFORM, affine, &err), AP_ERR_UNSUPPORTED);
    CHECK_STATUS(ap_image_affine(img, AP_AFFINE_QFORM, affine, &err), AP_ERR_UNSUPPORTED);
    CHECK_STATUS(ap_image_affine(img, AP_AFFINE_BASE, affine, &err), AP_ERR_UNSUPPORTED);
    header = ap_image_header(img, &size);
    if (CHECK_INT(size, sizeof text))
        CHECK_TEXT((const char *)header, "any bytes at all");
    ap_image_free(img);

    /* >>> nib.Nifti1Image(array, None).affine is None
     * True */
    CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &img, &err));
    CHECK_STATUS(ap_image_affine(img, AP_AFFINE_BEST, affine, &err), AP_ERR_UNSUPPORTED);
    CHECK_INT(err.code, AP_ERR_UNSUPPORTED);
    size = 7;
    CHECK(ap_image_header(img, &size) == NULL);
    CHECK_INT(size, 0);
    ap_image_free(img);
    ap_array_free(array);
}

/* An image around a proxy that is open already, and two around one.
 *
 *     >>> img = nib.Nifti1Image(proxy, None)
 */
static void test_from_proxy(void)
{
    ap_proxy *proxy = NULL;
    ap_image *img = NULL, *other = NULL;
    CHECK_OK(ap_open(scaled_file(), NULL, &proxy, &err));
    CHECK_OK(ap_image_from_proxy(proxy, &img, &err));
    CHECK_OK(ap_image_from_proxy(proxy, &other, &err));

    /* The proxy is shared: it can be used, or go, as it likes. */
    double value = -1;
    ap_slice voxel[3] = {ap_at(1), ap_at(0), ap_at(0)};
    CHECK_OK(ap_read_slice(proxy, voxel, 3, AP_AUTO, 0, &value, sizeof value, &err));
    CHECK_REAL(value, 0.5);
    ap_free(proxy);
    CHECK_INT(ap_image_is_proxy(img), 1);
    CHECK_INT(ap_image_in_memory(img), 0);

    /* The cache is each image's own. */
    ap_array *data = get_data(img);
    CHECK_INT(ap_image_in_memory(img), 1);
    CHECK_INT(ap_image_in_memory(other), 0);
    CHECK(!is_and_free(data, get_data(other)));
    ap_image_uncache(other);
    CHECK_INT(ap_image_in_memory(img), 1);
    ap_image_free(other);
    CHECK_REAL(at(data, 3, 2, 1), 11.5);
    CHECK(is_and_free(data, get_data(img)));
    ap_array_free(data);
    ap_image_free(img);
}

int main(void)
{
    test_array_image();
    test_proxy_image();
    test_caching_unchanged();
    test_types_of_a_file();
    test_types_in_memory();
    test_header_and_affine();
    test_from_proxy();
    return test_end("images");
}
