/* NULL in every pointer argument of every function: a status or NULL, never a
 * crash. Each call is made with an error and without. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"

#include <string.h>

static const int64_t shape[2] = {4, 3};

/* `call` uses `e` for its error. */
#define BOTH(call, wanted)             \
    do {                               \
        ap_error *e = &err;            \
        CHECK_STATUS(call, wanted);    \
        CHECK_INT(err.code, wanted);   \
        e = NULL;                      \
        CHECK_STATUS(call, wanted);    \
    } while (0)

static int64_t read_nothing(void *user, void *buf, size_t len, uint64_t offset)
{
    (void)user;
    (void)buf;
    (void)len;
    (void)offset;
    return 0;
}

static int64_t size_0(void *user)
{
    (void)user;
    return 0;
}

static void test_frees(void)
{
    ap_options_free(NULL);
    ap_source_free(NULL);
    ap_free(NULL);
    ap_trim(NULL);
    ap_plan_free(NULL);
    CHECK(ap_clone(NULL) == NULL);
    CHECK_INT(ap_has(NULL), 0);
    CHECK_STATUS(ap_dtype_parse(NULL), AP_ERR_NULL);
}

static void test_options(void)
{
    ap_options *o = ap_options_new();
    BOTH(ap_options_set_int(NULL, AP_OPT_MMAP, 1, e), AP_ERR_NULL);
    BOTH(ap_options_set_text(NULL, AP_OPT_CODEC, "none", e), AP_ERR_NULL);
    BOTH(ap_options_set_text(o, AP_OPT_CODEC, NULL, e), AP_ERR_NULL);
    BOTH(ap_options_set_text(NULL, AP_OPT_INDEX_PATH, "auto", e), AP_ERR_NULL);
    BOTH(ap_options_set_text(o, AP_OPT_INDEX_PATH, NULL, e), AP_ERR_NULL);
    BOTH(ap_options_parse(NULL, "mmap=1", e), AP_ERR_NULL);
    BOTH(ap_options_parse(o, NULL, e), AP_ERR_NULL);
    ap_options_free(o);
}

static void test_sources(void)
{
    ap_source *s = MARKED(ap_source);
    BOTH(ap_source_file(NULL, &s, e), AP_ERR_NULL);
    CHECK(s == NULL);
    BOTH(ap_source_file("/", NULL, e), AP_ERR_NULL);
    s = MARKED(ap_source);
    BOTH(ap_source_memory(NULL, 4, NULL, NULL, &s, e), AP_ERR_NULL);
    CHECK(s == NULL);
    BOTH(ap_source_memory("abc", 3, NULL, NULL, NULL, e), AP_ERR_NULL);
    s = MARKED(ap_source);
    BOTH(ap_source_callbacks(NULL, size_0, NULL, NULL, 0, &s, e), AP_ERR_NULL);
    CHECK(s == NULL);
    BOTH(ap_source_callbacks(read_nothing, NULL, NULL, NULL, 0, &s, e), AP_ERR_NULL);
    BOTH(ap_source_callbacks(read_nothing, size_0, NULL, NULL, 0, NULL, e), AP_ERR_NULL);
}

static void test_opens(void)
{
    ap_proxy *p = MARKED(ap_proxy), *array = open_counted(2, shape, AP_ORDER_F);
    ap_source *s = NULL;
    CHECK_OK(ap_source_memory("abcdefghijkl", 12, NULL, NULL, &s, &err));
    BOTH(ap_open(NULL, NULL, &p, e), AP_ERR_NULL);
    CHECK(p == NULL);
    BOTH(ap_open("/", NULL, NULL, e), AP_ERR_NULL);
    p = MARKED(ap_proxy);
    BOTH(ap_open_source(NULL, NULL, NULL, &p, e), AP_ERR_NULL);
    CHECK(p == NULL);
    p = MARKED(ap_proxy);
    BOTH(ap_open_source(NULL, s, NULL, &p, e), AP_ERR_NULL);
    CHECK(p == NULL);
    BOTH(ap_open_source(s, NULL, NULL, NULL, e), AP_ERR_NULL);
    p = MARKED(ap_proxy);
    BOTH(ap_open_layout(NULL, AP_INT8, AP_LITTLE, 2, shape, AP_ORDER_F, 0, 1, 0, NULL, &p, e),
         AP_ERR_NULL);
    CHECK(p == NULL);
    p = MARKED(ap_proxy);
    BOTH(ap_open_layout(s, AP_INT8, AP_LITTLE, 2, NULL, AP_ORDER_F, 0, 1, 0, NULL, &p, e),
         AP_ERR_NULL);
    CHECK(p == NULL);
    BOTH(ap_open_layout(s, AP_INT8, AP_LITTLE, 2, shape, AP_ORDER_F, 0, 1, 0, NULL, NULL, e),
         AP_ERR_NULL);
    p = MARKED(ap_proxy);
    BOTH(ap_reshape(NULL, 2, shape, &p, e), AP_ERR_NULL);
    CHECK(p == NULL);
    p = MARKED(ap_proxy);
    BOTH(ap_reshape(array, 2, NULL, &p, e), AP_ERR_NULL);
    CHECK(p == NULL);
    BOTH(ap_reshape(array, 2, shape, NULL, e), AP_ERR_NULL);
    ap_source_free(s);
    ap_free(array);
}

static void test_meta(void)
{
    ap_proxy *array = open_counted(2, shape, AP_ORDER_F);
    int64_t list[2];
    double reals[16], more[16];
    size_t size = 77;
    CHECK_STATUS(ap_ndim(NULL), AP_ERR_NULL);
    CHECK_STATUS(ap_shape(NULL, list, 2), AP_ERR_NULL);
    CHECK_STATUS(ap_shape(NULL, NULL, 0), AP_ERR_NULL);
    CHECK_STATUS(ap_shape(array, NULL, 2), AP_ERR_NULL);
    CHECK_STATUS(ap_size(NULL), AP_ERR_NULL);
    CHECK_INT(ap_disk_dtype(NULL), 0);
    CHECK_INT(ap_auto_dtype(NULL), 0);
    CHECK_INT(ap_order(NULL), 0);
    CHECK_INT(ap_byte_order(NULL), 0);
    CHECK_STATUS(ap_data_offset(NULL), AP_ERR_NULL);
    CHECK(ap_format(NULL) == NULL);
    CHECK(ap_codec(NULL) == NULL);
    CHECK_STATUS(ap_is_scaled(NULL), AP_ERR_NULL);
    CHECK_STATUS(ap_scale_shape(NULL, list, 2), AP_ERR_NULL);
    CHECK_STATUS(ap_scale_shape(array, NULL, 1), AP_ERR_NULL);
    BOTH(ap_scale_factors(NULL, reals, more, 1, e), AP_ERR_NULL);
    CHECK_OK(ap_scale_factors(array, NULL, more, 1, NULL));
    CHECK_OK(ap_scale_factors(array, reals, NULL, 1, NULL));
    BOTH(ap_affine(NULL, AP_AFFINE_BEST, reals, e), AP_ERR_NULL);
    BOTH(ap_affine(NULL, AP_AFFINE_BEST, NULL, e), AP_ERR_NULL);
    BOTH(ap_zooms(NULL, reals, 2, e), AP_ERR_NULL);
    CHECK_STATUS(ap_chunk_shape(NULL, 100, list, 2), AP_ERR_NULL);
    CHECK_STATUS(ap_chunk_shape(array, 100, NULL, 2), AP_ERR_NULL);
    CHECK(ap_header(NULL, &size) == NULL);
    CHECK_INT(size, 0);
    CHECK(ap_header(NULL, NULL) == NULL);
    CHECK(ap_header(array, NULL) == NULL);
    CHECK(ap_warning(NULL, 0) == NULL);
    ap_free(array);
}

static void test_fields(void)
{
    ap_proxy *array = open_counted(2, shape, AP_ORDER_F);
    int64_t ints[8];
    double reals[8];
    char text[8];
    int32_t code = 77;
    CHECK_STATUS(ap_field_count(NULL), AP_ERR_NULL);
    CHECK(ap_field_name(NULL, 0) == NULL);
    BOTH(ap_field_ints(NULL, "dim", ints, 8, e), AP_ERR_NULL);
    BOTH(ap_field_ints(array, NULL, ints, 8, e), AP_ERR_NULL);
    BOTH(ap_field_reals(NULL, "dim", reals, 8, e), AP_ERR_NULL);
    BOTH(ap_field_reals(array, NULL, reals, 8, e), AP_ERR_NULL);
    BOTH((ap_status)ap_field_text(NULL, "dim", text, 8, e), AP_ERR_NULL);
    BOTH((ap_status)ap_field_text(array, NULL, text, 8, e), AP_ERR_NULL);
    BOTH((ap_status)ap_field_text(array, NULL, NULL, 0, e), AP_ERR_NULL);
    BOTH(ap_extension_count(NULL, e), AP_ERR_NULL);
    BOTH((ap_status)ap_extension(NULL, 0, &code, text, 8, e), AP_ERR_NULL);
    BOTH((ap_status)ap_extension(array, 0, &code, text, 8, e), AP_ERR_INDEX);
    CHECK_INT(code, 77);
    ap_free(array);
    /* Of fields that there are. */
    nifti n = nifti_new(1, AP_LITTLE, AP_INT8, 2, shape);
    bytes b = {0};
    put_nifti(&b, &n, NULL, 0);
    put_fill(&b, 0, 12);
    array = open_by(ACCESS_MEMORY, &b);
    BOTH(ap_field_ints(array, "dim", NULL, 8, e), AP_ERR_NULL);
    BOTH(ap_field_reals(array, "dim", NULL, 8, e), AP_ERR_NULL);
    BOTH((ap_status)ap_field_text(array, "dim", NULL, 8, e), AP_ERR_NULL);
    CHECK_INT(ap_field_ints(array, "dim", NULL, 0, NULL), 8);
    CHECK_INT(ap_field_text(array, "magic", NULL, 0, NULL), 4);
    ap_free(array);
    bytes_free(&b);
}

static void test_reads(void)
{
    ap_proxy *array = open_counted(2, shape, AP_ORDER_F);
    static const int64_t zeros[2] = {0, 0}, ones[2] = {1, 1};
    ap_slice index = ap_all();
    ap_plan *plan = MARKED(ap_plan);
    int64_t list[2];
    int32_t out[12];
    BOTH(ap_slice_parse(NULL, &index, 1, e), AP_ERR_NULL);
    BOTH(ap_slice_parse("1", NULL, 1, e), AP_ERR_NULL);
    BOTH(ap_slice_shape(NULL, &index, 1, list, 2, e), AP_ERR_NULL);
    BOTH(ap_slice_shape(array, NULL, 1, list, 2, e), AP_ERR_NULL);
    BOTH(ap_slice_shape(array, &index, 1, NULL, 2, e), AP_ERR_NULL);
    BOTH((ap_status)ap_slice_nbytes(NULL, &index, 1, AP_AUTO, 0, e), AP_ERR_NULL);
    BOTH((ap_status)ap_slice_nbytes(array, NULL, 1, AP_AUTO, 0, e), AP_ERR_NULL);
    BOTH(ap_read_slice(NULL, &index, 1, AP_AUTO, 0, out, sizeof out, e), AP_ERR_NULL);
    BOTH(ap_read_slice(array, NULL, 1, AP_AUTO, 0, out, sizeof out, e), AP_ERR_NULL);
    BOTH(ap_read_slice(array, &index, 1, AP_AUTO, 0, NULL, sizeof out, e), AP_ERR_NULL);
    BOTH(ap_read_all(NULL, AP_AUTO, 0, out, sizeof out, e), AP_ERR_NULL);
    BOTH(ap_read_all(array, AP_AUTO, 0, NULL, sizeof out, e), AP_ERR_NULL);
    BOTH(ap_read_box(NULL, 2, zeros, ones, ones, AP_AUTO, 0, out, sizeof out, e), AP_ERR_NULL);
    BOTH(ap_read_box(array, 2, NULL, ones, ones, AP_AUTO, 0, out, sizeof out, e), AP_ERR_NULL);
    BOTH(ap_read_box(array, 2, zeros, NULL, ones, AP_AUTO, 0, out, sizeof out, e), AP_ERR_NULL);
    BOTH(ap_read_box(array, 2, zeros, ones, ones, AP_AUTO, 0, NULL, sizeof out, e), AP_ERR_NULL);
    CHECK_OK(ap_read_box(array, 2, zeros, ones, NULL, AP_AUTO, 0, out, sizeof out, NULL));
    CHECK_OK(ap_read_slice(array, NULL, 0, AP_AUTO, 0, out, sizeof out, NULL));
    BOTH(ap_plan_new(NULL, &index, 1, AP_AUTO, 0, &plan, e), AP_ERR_NULL);
    CHECK(plan == NULL);
    plan = MARKED(ap_plan);
    BOTH(ap_plan_new(array, NULL, 1, AP_AUTO, 0, &plan, e), AP_ERR_NULL);
    CHECK(plan == NULL);
    BOTH(ap_plan_new(array, &index, 1, AP_AUTO, 0, NULL, e), AP_ERR_NULL);
    CHECK_OK(ap_plan_new(array, &index, 1, AP_AUTO, 0, &plan, NULL));
    ap_plan_free(plan);
    const int64_t *lists[2] = {NULL, NULL}, counts[2] = {0, 0};
    plan = MARKED(ap_plan);
    BOTH(ap_plan_lists(NULL, 2, lists, counts, AP_AUTO, 0, &plan, e), AP_ERR_NULL);
    CHECK(plan == NULL);
    BOTH(ap_plan_lists(array, 2, NULL, counts, AP_AUTO, 0, &plan, e), AP_ERR_NULL);
    BOTH(ap_plan_lists(array, 2, lists, NULL, AP_AUTO, 0, &plan, e), AP_ERR_NULL);
    BOTH(ap_plan_lists(array, 2, lists, counts, AP_AUTO, 0, NULL, e), AP_ERR_NULL);
    BOTH(ap_plan_lists(array, 1, lists, counts, AP_AUTO, 0, &plan, e), AP_ERR_INDEX);
    CHECK_OK(ap_plan_lists(array, 2, lists, counts, AP_AUTO, 0, &plan, NULL));
    CHECK_STATUS(ap_plan_shape(NULL, list, 2), AP_ERR_NULL);
    CHECK_STATUS(ap_plan_shape(plan, NULL, 2), AP_ERR_NULL);
    CHECK_INT(ap_plan_dtype(NULL), 0);
    CHECK_STATUS(ap_plan_nbytes(NULL), AP_ERR_NULL);
    CHECK_STATUS(ap_plan_cost(NULL), AP_ERR_NULL);
    BOTH(ap_plan_read(NULL, out, sizeof out, 0, NULL, NULL, e), AP_ERR_NULL);
    BOTH(ap_plan_read(plan, NULL, sizeof out, 0, NULL, NULL, e), AP_ERR_NULL);
    ap_plan_free(plan);
    ap_free(array);
}

static void test_batches(void)
{
    ap_proxy *array = open_counted(2, shape, AP_ORDER_F);
    ap_slice index[2] = {ap_at(0), ap_at(2)};
    static const size_t offsets[2] = {12, 0};
    int32_t out[24];
    BOTH(ap_read_batch(NULL, index, 1, 2, AP_AUTO, 0, out, sizeof out, NULL, NULL, e),
         AP_ERR_NULL);
    BOTH(ap_read_batch(array, NULL, 1, 2, AP_AUTO, 0, out, sizeof out, NULL, NULL, e),
         AP_ERR_NULL);
    BOTH(ap_read_batch(array, index, 1, 2, AP_AUTO, 0, NULL, sizeof out, NULL, NULL, e),
         AP_ERR_NULL);
    BOTH(ap_read_batch(array, index, 1, 2, AP_AUTO, 0, NULL, 0, NULL, NULL, e), AP_ERR_BUFFER);
    BOTH(ap_read_batch(array, index, 1, 2, AP_AUTO, 0, NULL, 0, offsets, NULL, e), AP_ERR_BUFFER);
    CHECK_OK(ap_read_batch(array, index, 1, 2, AP_AUTO, 0, out, 24, offsets, NULL, NULL));
    CHECK_OK(ap_read_batch(array, NULL, 0, 2, AP_AUTO, 0, out, sizeof out, NULL, NULL, NULL));
    CHECK_OK(ap_read_batch(array, NULL, 0, 0, AP_AUTO, 0, NULL, 0, NULL, NULL, NULL));
    ap_free(array);
}

static void test_arrays(void)
{
    ap_proxy *array = open_counted(2, shape, AP_ORDER_F);
    ap_slice index[1] = {ap_at(0)};
    ap_array *loaded;
    BOTH(ap_load(NULL, index, 1, AP_AUTO, 0, NULL, &loaded, e), AP_ERR_NULL);
    BOTH(ap_load(array, NULL, 1, AP_AUTO, 0, NULL, &loaded, e), AP_ERR_NULL);
    BOTH(ap_load(array, index, 1, AP_AUTO, 0, NULL, NULL, e), AP_ERR_NULL);
    CHECK_OK(ap_load(array, NULL, 0, AP_AUTO, 0, NULL, &loaded, NULL));
    CHECK_STATUS(ap_array_shape(loaded, NULL, 2), AP_ERR_NULL);
    CHECK_STATUS(ap_array_strides(loaded, NULL, 2), AP_ERR_NULL);
    ap_array_free(loaded);
    ap_array_free(NULL);
    CHECK(ap_array_data(NULL) == NULL);
    CHECK_STATUS(ap_array_shape(NULL, NULL, 0), AP_ERR_NULL);
    CHECK_STATUS(ap_array_strides(NULL, NULL, 0), AP_ERR_NULL);
    CHECK_INT(ap_array_dtype(NULL), 0);
    CHECK_INT(ap_array_flags(NULL), 0);
    ap_free(array);
}

static void test_new_arrays(void)
{
    int16_t memory[12] = {0};
    ap_array *a = MARKED(ap_array);
    BOTH(ap_array_new(AP_INT16, 2, NULL, AP_ORDER_F, &a, e), AP_ERR_NULL);
    CHECK(a == NULL);
    BOTH(ap_array_new(AP_INT16, 2, shape, AP_ORDER_F, NULL, e), AP_ERR_NULL);
    a = MARKED(ap_array);
    BOTH(ap_array_wrap(NULL, AP_INT16, 2, shape, NULL, 0, NULL, NULL, &a, e), AP_ERR_NULL);
    CHECK(a == NULL);
    a = MARKED(ap_array);
    BOTH(ap_array_wrap(memory, AP_INT16, 2, NULL, NULL, 0, NULL, NULL, &a, e), AP_ERR_NULL);
    CHECK(a == NULL);
    BOTH(ap_array_wrap(memory, AP_INT16, 2, shape, NULL, 0, NULL, NULL, NULL, e), AP_ERR_NULL);
    CHECK(ap_array_clone(NULL) == NULL);
    CHECK_OK(ap_array_new(AP_INT16, 0, NULL, AP_ORDER_F, &a, NULL));
    ap_array_free(a);
    CHECK_OK(ap_array_wrap(memory, AP_INT16, 2, shape, NULL, 0, NULL, NULL, &a, NULL));
    ap_array_free(a);
}

static void test_views(void)
{
    ap_proxy *proxy = open_counted(2, shape, AP_ORDER_F);
    ap_slice index = ap_at(0);
    ap_array *a = MARKED(ap_array);
    BOTH(ap_view(NULL, &index, 1, 0, &a, e), AP_ERR_NULL);
    CHECK(a == NULL);
    a = MARKED(ap_array);
    BOTH(ap_view(proxy, NULL, 1, 0, &a, e), AP_ERR_NULL);
    CHECK(a == NULL);
    BOTH(ap_view(proxy, &index, 1, 0, NULL, e), AP_ERR_NULL);
    CHECK_OK(ap_view(proxy, NULL, 0, 0, &a, NULL));
    ap_array_free(a);
    ap_free(proxy);
}

static void test_controls(void)
{
    uint64_t done = 7, total = 7;
    ap_control_free(NULL);
    ap_control_cancel(NULL);
    ap_control_reset(NULL);
    ap_control_progress(NULL, &done, &total);
    CHECK(done == 0 && total == 0);
    ap_control_progress(NULL, NULL, NULL);
    ap_control_set_threads(NULL, 2);
    ap_control_set_callback(NULL, NULL, NULL, 0);
    ap_control *control = ap_control_new();
    ap_control_progress(control, NULL, NULL);
    ap_control_set_callback(control, NULL, NULL, 0);
    ap_control_free(control);
}

static void test_images(void)
{
    ap_proxy *proxy = open_counted(2, shape, AP_ORDER_F);
    ap_array *array = NULL, *data = MARKED(ap_array);
    ap_image *image = MARKED(ap_image);
    int64_t list[2];
    double affine[16] = {0};
    size_t size = 77;
    CHECK_OK(ap_array_new(AP_INT16, 2, shape, AP_ORDER_F, &array, NULL));
    BOTH(ap_image_open(NULL, NULL, &image, e), AP_ERR_NULL);
    CHECK(image == NULL);
    BOTH(ap_image_open("/", NULL, NULL, e), AP_ERR_NULL);
    image = MARKED(ap_image);
    BOTH(ap_image_from_proxy(NULL, &image, e), AP_ERR_NULL);
    CHECK(image == NULL);
    BOTH(ap_image_from_proxy(proxy, NULL, e), AP_ERR_NULL);
    image = MARKED(ap_image);
    BOTH(ap_image_from_array(NULL, affine, "abc", 3, &image, e), AP_ERR_NULL);
    CHECK(image == NULL);
    image = MARKED(ap_image);
    BOTH(ap_image_from_array(array, affine, NULL, 3, &image, e), AP_ERR_NULL);
    CHECK(image == NULL);
    BOTH(ap_image_from_array(array, affine, "abc", 3, NULL, e), AP_ERR_NULL);

    CHECK_STATUS(ap_image_is_proxy(NULL), AP_ERR_NULL);
    CHECK_STATUS(ap_image_in_memory(NULL), AP_ERR_NULL);
    CHECK(ap_image_proxy(NULL) == NULL);
    CHECK_STATUS(ap_image_shape(NULL, list, 2), AP_ERR_NULL);
    CHECK_STATUS(ap_image_shape(NULL, NULL, 0), AP_ERR_NULL);
    CHECK(ap_image_header(NULL, &size) == NULL);
    CHECK_INT(size, 0);
    CHECK(ap_image_header(NULL, NULL) == NULL);
    BOTH(ap_image_affine(NULL, AP_AFFINE_BEST, affine, e), AP_ERR_NULL);
    BOTH(ap_image_affine(NULL, AP_AFFINE_BEST, NULL, e), AP_ERR_NULL);
    BOTH(ap_image_data(NULL, AP_AUTO, 0, NULL, &data, e), AP_ERR_NULL);
    CHECK(data == NULL);
    ap_image_uncache(NULL);
    ap_image_free(NULL);

    for (int in_memory = 0; in_memory < 2; in_memory++) {
        if (in_memory)
            CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &image, NULL));
        else
            CHECK_OK(ap_image_from_proxy(proxy, &image, NULL));
        CHECK_STATUS(ap_image_shape(image, NULL, 2), AP_ERR_NULL);
        CHECK(ap_image_header(image, NULL) == NULL);
        BOTH(ap_image_data(image, AP_AUTO, 0, NULL, NULL, e), AP_ERR_NULL);
        CHECK_OK(ap_image_data(image, AP_AUTO, 0, NULL, &data, NULL));
        ap_array_free(data);
        ap_image_free(image);
    }
    ap_array_free(array);
    ap_free(proxy);
}

static void test_seekindex(void)
{
    ap_proxy *array = open_counted(2, shape, AP_ORDER_F);
    int64_t a = 7, b = 7, c = 7;
    BOTH(ap_seekindex_build(NULL, NULL, e), AP_ERR_NULL);
    BOTH(ap_seekindex_save(NULL, "/no/such/folder/x", e), AP_ERR_NULL);
    BOTH(ap_seekindex_save(array, NULL, e), AP_ERR_NULL);
    BOTH(ap_seekindex_load(NULL, "/no/such/folder/x", e), AP_ERR_NULL);
    BOTH(ap_seekindex_load(array, NULL, e), AP_ERR_NULL);
    BOTH(ap_seekindex_info(NULL, &a, &b, &c, e), AP_ERR_NULL);
    BOTH(ap_seekindex_info(NULL, NULL, NULL, NULL, e), AP_ERR_NULL);
    CHECK(a == 7 && b == 7 && c == 7);
    CHECK_OK(ap_seekindex_info(array, NULL, NULL, NULL, NULL));
    CHECK_OK(ap_seekindex_info(array, &a, NULL, &c, NULL));
    CHECK(a == 0 && b == 7 && c == 0);
    CHECK_OK(ap_seekindex_build(array, NULL, NULL));
    ap_free(array);
}

int main(void)
{
    test_frees();
    test_options();
    test_sources();
    test_opens();
    test_meta();
    test_fields();
    test_reads();
    test_batches();
    test_arrays();
    test_new_arrays();
    test_views();
    test_controls();
    test_images();
    test_seekindex();
    return test_end("null");
}
