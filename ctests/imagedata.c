/* Images of memory and files of every kind, and what cannot be had of them. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/images.h"
#include "support/small.h"

#include <string.h>

/* Memory of other shapes of steps.
 *
 *     >>> view = array[::-1, 1:2, ::2]         # and the like
 *     >>> img = nib.Nifti1Image(view, None)
 */
static void test_strides(void)
{
    /* Steps of the axes of 4 x 3 x 2 int16, and where the first element is. */
    static const struct {
        int64_t step[3];
        int first;
    } cases[] = {
        {{2, 8, 24}, 0},            /* packed */
        {{12, 4, 2}, 0},            /* rows first */
        {{-2, 8, 24}, 6},           /* the first axis backwards */
        {{-2, -8, -24}, 46},        /* all of them */
        {{10, -40, 7}, 91},         /* gaps; steps that are no multiple of 2 */
        {{0, 5, 0}, 1},             /* broadcast */
        {{0, 0, 0}, 3},
    };
    unsigned char memory[200];
    for (int i = 0; i < 200; i++)
        memory[i] = (unsigned char)(i * 37 + 5);
    for (int c = 0; c < COUNT(cases); c++) {
        ap_array *view = NULL;
        ap_image *img = NULL;
        test_note("case %d", c);
        CHECK_OK(ap_array_wrap(memory + cases[c].first, AP_INT16, 3, small_shape, cases[c].step,
                               AP_ARRAY_READONLY, NULL, NULL, &view, &err));
        CHECK_OK(ap_image_from_array(view, NULL, NULL, 0, &img, &err));

        /* >>> img.get_data() is view
         * True */
        ap_array *own = get_data(img);
        int64_t step[3];
        CHECK(is(own, view));
        CHECK_INT(ap_array_flags(own), AP_ARRAY_READONLY);
        CHECK_INTS(step, ap_array_strides(own, step, 3), cases[c].step, 3);

        /* >>> np.array_equal(img.get_fdata(), view)
         * True */
        ap_array *fdata = get_data_as(img, AP_FLOAT64, 0);
        ap_array *rows = get_data_as(img, AP_FLOAT32, AP_READ_C);
        ap_array *same_rows = get_data_as(img, AP_INT16, AP_READ_C);
        CHECK_INT(ap_array_flags(fdata), 0);
        CHECK_INTS(step, ap_array_strides(fdata, step, 3), INTS(8, 32, 96));
        CHECK_INTS(step, ap_array_strides(rows, step, 3), INTS(24, 8, 4));
        CHECK_INTS(step, ap_array_strides(same_rows, step, 3), INTS(12, 4, 2));
        for (int x = 0; x < 4; x++)
            for (int y = 0; y < 3; y++)
                for (int z = 0; z < 2; z++) {
                    const int64_t *s = cases[c].step;
                    int16_t wanted;
                    memcpy(&wanted, memory + cases[c].first + x * s[0] + y * s[1] + z * s[2], 2);
                    CHECK_REAL(at(view, x, y, z), wanted);
                    CHECK_REAL(at(fdata, x, y, z), wanted);
                    CHECK_REAL(at(rows, x, y, z), wanted);
                    CHECK_REAL(at(same_rows, x, y, z), wanted);
                }
        ap_array_free(own);
        ap_array_free(fdata);
        ap_array_free(rows);
        ap_array_free(same_rows);
        ap_image_free(img);
        ap_array_free(view);
    }
    test_note("");
}

/* Files of every kind: compressed, mapped or not, opened for each read. Data
 * are in memory of their own, so the file may go. */
static void test_files(void)
{
    nifti n = nifti_new(1, AP_BIG, AP_INT16, 3, small_shape);
    bytes stored = {0}, plain = {0};
    put_small(&stored, AP_BIG);
    put_nifti(&plain, &n, stored.data, stored.size);
    for (int access = 0; access < ACCESSES; access++) {
        ap_image *img = NULL;
        ap_proxy *proxy = open_by(access, &plain);
        test_note("%s", access_name(access));
        CHECK_OK(ap_image_from_proxy(proxy, &img, &err));
        ap_free(proxy);
        ap_array *data = get_data(img);
        CHECK_INT(ap_array_dtype(data), AP_INT16);
        CHECK_INT(ap_array_flags(data), 0);
        CHECK(is_and_free(data, get_data_as(img, AP_INT16, 0)));    /* not scaled */
        CHECK_REAL(at(data, 0, 0, 0), 100);
        CHECK_REAL(at(data, 3, 2, 1), 123);
        memset(ap_array_data(data), 0, 48);
        ap_image_uncache(img);
        ap_array *again = get_data(img);
        CHECK_REAL(at(again, 3, 2, 1), 123);
        ap_array_free(again);
        ap_array_free(data);
        ap_image_free(img);
    }
    test_note("");

    /* By name, with options. */
    bytes packed = {0};
    put_gzip(&packed, plain.data, plain.size, GZIP_FIXED);
    write_bytes(temp_path("big.nii.gz"), &packed);
    ap_options *options = ap_options_new();
    ap_image *img = NULL;
    CHECK_OK(ap_options_parse(options, "keep_open=0,threads=2", &err));
    CHECK_OK(ap_image_open(temp_path("big.nii.gz"), options, &img, &err));
    ap_options_free(options);
    ap_array *data = get_data(img);
    ap_image_free(img);
    CHECK_REAL(at(data, 3, 2, 1), 123);
    ap_array_free(data);
    bytes_free(&packed);
    bytes_free(&plain);
    bytes_free(&stored);
}

/* Images without voxels have data, too. */
static void test_empty(void)
{
    static const int64_t none[2] = {3, 0};
    ap_array *array = NULL;
    ap_image *img = NULL;
    int64_t shape[2];
    CHECK_OK(ap_array_new(AP_INT16, 2, none, AP_ORDER_F, &array, &err));
    CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &img, &err));
    CHECK_INTS(shape, ap_image_shape(img, shape, 2), INTS(3, 0));
    CHECK_INT(ap_image_in_memory(img), 1);
    for (int wide = 0; wide < 2; wide++) {
        ap_array *data = get_data_as(img, wide ? AP_FLOAT64 : AP_AUTO, 0);
        CHECK_INTS(shape, ap_array_shape(data, shape, 2), INTS(3, 0));
        CHECK(ap_array_data(data) == NULL);
        CHECK_INT(ap_array_dtype(data), wide ? AP_FLOAT64 : AP_INT16);
        ap_array_free(data);
    }
    ap_image_free(img);
    ap_array_free(array);
}

/* There are four kinds of affine, no more. */
static void test_unknown_affine(void)
{
    double affine[16] = {-1};
    ap_array *array = arange();
    ap_image *images[2] = {open_image(scaled_file()), NULL};
    CHECK_OK(ap_image_from_array(array, diag, NULL, 0, &images[1], &err));
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(ap_image_affine(images[i], 99, affine, &err), AP_ERR_ARGUMENT);
        CHECK_REAL(affine[0], -1);
        ap_image_free(images[i]);
    }
    ap_array_free(array);
}

/* What cannot be done, and that nothing is kept of it. */
static void test_refused(void)
{
    static const uint32_t unknown[] = {AP_READ_PRIVATE, 64, 1u << 31};
    ap_image *img = MARKED(ap_image);
    CHECK_STATUS(ap_image_open(temp_path("none.nii"), NULL, &img, &err), AP_ERR_NOT_FOUND);
    CHECK(img == NULL);

    ap_array *array = arange(), *data;
    ap_image *images[2] = {open_image(scaled_file()), NULL};
    CHECK_OK(ap_image_from_array(array, diag, NULL, 0, &images[1], &err));
    for (int i = 0; i < 2; i++) {
        test_note("image %d", i);
        for (int k = 0; k < COUNT(unknown); k++) {
            data = MARKED(ap_array);
            CHECK_STATUS(ap_image_data(images[i], AP_AUTO, unknown[k], NULL, &data, &err),
                         AP_ERR_ARGUMENT);
            CHECK(data == NULL);
        }
        data = MARKED(ap_array);
        CHECK_STATUS(ap_image_data(images[i], 12345, 0, NULL, &data, &err), AP_ERR_ARGUMENT);
        CHECK(data == NULL);
        data = MARKED(ap_array);
        CHECK_STATUS(ap_image_data(images[i], AP_RGB24, 0, NULL, &data, &err),
                     AP_ERR_UNSUPPORTED);
        CHECK(data == NULL);
        CHECK_INT(ap_image_in_memory(images[i]), i);
    }
    test_note("");

    /* A value that does not fit. */
    ((int16_t *)ap_array_data(array))[5] = -1;
    data = MARKED(ap_array);
    CHECK_STATUS(ap_image_data(images[1], AP_UINT8, AP_READ_CHECKED, NULL, &data, &err),
                 AP_ERR_RANGE);
    CHECK(data == NULL);
    CHECK_OK(ap_image_data(images[1], AP_UINT8, 0, NULL, &data, &err));
    CHECK_INT(((uint8_t *)ap_array_data(data))[5], 0);
    ap_array_free(data);
    ((int16_t *)ap_array_data(array))[5] = 5;
    CHECK_OK(ap_image_data(images[1], AP_UINT8, AP_READ_CHECKED, NULL, &data, &err));
    CHECK_INT(((uint8_t *)ap_array_data(data))[5], 5);
    ap_array_free(data);

    /* A file that ends too early can be opened, not loaded. */
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 3, small_shape);
    write_nifti(temp_path("cut.nii"), &n, "abcdefghij", 10);
    img = open_image(temp_path("cut.nii"));
    data = MARKED(ap_array);
    CHECK_STATUS(ap_image_data(img, AP_AUTO, 0, NULL, &data, &err), AP_ERR_TRUNCATED);
    CHECK(data == NULL);
    CHECK_INT(ap_image_in_memory(img), 0);
    ap_image_free(img);

    ap_image_free(images[0]);
    ap_image_free(images[1]);
    ap_array_free(array);
}

int main(void)
{
    test_strides();
    test_files();
    test_empty();
    test_unknown_affine();
    test_refused();
    return test_end("imagedata");
}
