/* Arrays as tensors for other libraries, and there and back. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/numpy.h"
#include "support/tensors.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* New arrays of every type, number of axes and order. Tensors keep the memory,
 * and any number of them may be made. */
static void test_out(void)
{
    for (int i = 0; i < TENSOR_TYPES; i++)
        for (int ndim = 0; ndim <= 4; ndim++)
            for (int c = 0; c < 2; c++) {
                size_t n = (size_t)model_size(ndim, tensor_shape) * size_of(tensor_types[i].dtype);
                ap_array *array = NULL;
                test_note("%s, %d axes, %d", ap_dtype_name(tensor_types[i].dtype), ndim, c);
                CHECK_OK(ap_array_new(tensor_types[i].dtype, ndim, tensor_shape,
                                      c ? AP_ORDER_C : AP_ORDER_F, &array, &err));
                managed *one = export_of(array), *two = export_of(array);
                CHECK(one != two);
                check_tensor(one, array, i);
                check_tensor(two, array, i);
                memset(ap_array_data(array), 1, n);
                ap_array_free(array);
                CHECK_INT(first_of(one)[n - 1], 1);
                memset(first_of(one), 2, n);
                end_tensor(one);
                CHECK_INT(first_of(two)[0], 2);
                CHECK_INT(first_of(two)[n - 1], 2);
                end_tensor(two);
            }
    /* No elements. */
    static const int64_t none[3] = {3, 0, 2};
    ap_array *array = NULL;
    CHECK_OK(ap_array_new(AP_INT16, 3, none, AP_ORDER_F, &array, &err));
    managed *tensor = export_of(array);
    check_tensor(tensor, array, TENSOR_INT16);
    ap_array_free(array);
    CHECK_INTS(tensor->tensor.shape, 3, none, 3);
    end_tensor(tensor);
    test_note("");
}

static void count_release(void *user)
{
    ++*(int *)user;
}

/* The caller's memory: strides of all kinds, released when the last is gone. */
static void test_out_of_wrapped(void)
{
    static const int64_t sides[2] = {3, 2};
    static const struct {
        int64_t strides[2];
        size_t at;
    } cases[] = {{{4, 12}, 0},    {{8, 4}, 0}, {{-4, 12}, 8},
                 {{-12, -4}, 40}, {{0, 4}, 4}, {{4, 0}, 0}};
    int32_t memory[12];
    for (int i = 0; i < 12; i++)
        memory[i] = 100 + i;
    for (int i = 0; i < COUNT(cases); i++)
        for (uint32_t flags = 0; flags <= AP_ARRAY_READONLY; flags++)
            for (int first = 0; first < 2; first++) {
                int released = 0;
                ap_array *array = NULL;
                test_note("case %d, flags %u", i, (unsigned)flags);
                CHECK_OK(ap_array_wrap((char *)memory + cases[i].at, AP_INT32, 2, sides,
                                       cases[i].strides, flags, count_release, &released, &array,
                                       &err));
                managed *tensor = export_of(array);
                check_tensor(tensor, array, TENSOR_INT32);
                const int32_t *values = (const int32_t *)(void *)first_of(tensor);
                const int64_t *strides = tensor->tensor.strides;
                CHECK_INT(values[2 * strides[0] + strides[1]],
                          100 + ((int64_t)cases[i].at + 2 * cases[i].strides[0] +
                                 cases[i].strides[1]) / 4);
                if (first)
                    ap_array_free(array);
                else
                    end_tensor(tensor);
                CHECK_INT(released, 0);
                if (first)
                    end_tensor(tensor);
                else
                    ap_array_free(array);
                CHECK_INT(released, 1);
            }
    test_note("");
}

static void check_out_refused(const ap_array *array)
{
    managed *tensor = MARKED(managed);
    CHECK_STATUS(ap_array_to_dlpack(array, &tensor, &err), AP_ERR_UNSUPPORTED);
    CHECK_INT(err.code, AP_ERR_UNSUPPORTED);
    CHECK(tensor == NULL);
}

static void test_out_refused(void)
{
    static const ap_dtype strange[] = {AP_RGB24, AP_RGBA32, AP_FLOAT128, AP_COMPLEX256};
    static const int64_t sides[2] = {3, 2}, odd[][2] = {{5, 20}, {4, 13}, {-6, 20}};
    char memory[100];
    ap_array *array = NULL;
    for (int i = 0; i < COUNT(strange); i++) {
        test_note("%s", ap_dtype_name(strange[i]));
        CHECK_OK(ap_array_new(strange[i], 2, sides, AP_ORDER_F, &array, &err));
        check_out_refused(array);
        ap_array_free(array);
    }
    for (int i = 0; i < COUNT(odd); i++) {
        int released = 0;
        test_note("strides %d", i);
        CHECK_OK(ap_array_wrap(memory + 20, AP_INT32, 2, sides, odd[i], 0, count_release,
                               &released, &array, &err));
        check_out_refused(array);
        CHECK_INT(released, 0);
        ap_array_free(array);
        CHECK_INT(released, 1);
    }
    test_note("");
}

/* What was loaded and what is in the file itself outlive the proxy. */
static void test_out_of_files(void)
{
    nifti n = nifti_new(1, native_order(), AP_INT32, 4, tensor_shape);
    bytes data = {0};
    ap_options *o = ap_options_new();
    ap_proxy *proxy = NULL;
    ap_array *loaded = NULL, *seen = NULL, *own = NULL;
    ap_slice index[2] = {ap_range(AP_NONE, AP_NONE, -2), ap_at(1)};
    put_counted(&data, 120, native_order());
    write_nifti(temp_path("a.nii"), &n, data.data, data.size);
    CHECK_OK(ap_options_set_int(o, AP_OPT_MMAP, 2, &err));
    CHECK_OK(ap_open(temp_path("a.nii"), o, &proxy, &err));
    CHECK_OK(ap_load(proxy, index, 2, AP_FLOAT64, AP_READ_C, NULL, &loaded, &err));
    CHECK_OK(ap_view(proxy, index, 2, 0, &seen, &err));
    CHECK_OK(ap_view(proxy, index, 2, AP_READ_PRIVATE, &own, &err));
    ap_free(proxy);
    managed *a = export_of(loaded), *b = export_of(seen), *c = export_of(own);
    check_tensor(a, loaded, TENSOR_FLOAT64);
    check_tensor(b, seen, TENSOR_INT32);
    check_tensor(c, own, TENSOR_INT32);
    CHECK_INT(b->flags, DL_READ_ONLY);
    CHECK_INT(c->flags, 0);
    ap_array_free(loaded);
    ap_array_free(seen);
    ap_array_free(own);
    CHECK_INTS(b->tensor.shape, b->tensor.ndim, INTS(3, 3, 2));
    CHECK_INTS(b->tensor.strides, b->tensor.ndim, INTS(-2, 20, 60));
    for (int64_t x = 0; x < 3; x++)
        for (int64_t z = 0; z < 3; z++)
            for (int64_t v = 0; v < 2; v++) {
                int64_t wanted = 4 - 2 * x + 5 * (1 + 4 * (z + 3 * v));
                CHECK_REAL(((double *)(void *)first_of(a))[v + 2 * (z + 3 * x)], (double)wanted);
                CHECK_INT(((int32_t *)(void *)first_of(b))[-2 * x + 20 * z + 60 * v], wanted);
            }
    /* What is written there stays there. */
    *(int32_t *)(void *)first_of(c) = -1;
    CHECK_INT(*(int32_t *)(void *)first_of(b), 9);
    end_tensor(a);
    end_tensor(b);
    end_tensor(c);
    ap_options_free(o);
    bytes_free(&data);
}

/* Out and in again, several times: all are the same memory. */
static void test_there_and_back(void)
{
    for (uint32_t flags = 0; flags <= AP_ARRAY_READONLY; flags++) {
        int16_t memory[120];
        int released = 0;
        foreign f;
        ap_array *arrays[6];
        CHECK_OK(ap_array_wrap(memory, AP_INT16, 4, tensor_shape, NULL, flags, count_release,
                               &released, &arrays[0], &err));
        for (int i = 1; i < 6; i++) {
            managed *tensor = export_of(arrays[i - 1]);
            CHECK_OK(ap_array_from_dlpack(tensor, &arrays[i], &err));
            CHECK(ap_array_data(arrays[i]) == memory);
            CHECK_INT(ap_array_flags(arrays[i]), flags);
            CHECK_INT(ap_array_dtype(arrays[i]), AP_INT16);
        }
        for (int i = 0; i < 6; i++) {
            CHECK_INT(released, 0);
            ap_array_free(arrays[i]);
        }
        CHECK_INT(released, 1);
        /* A tensor of ours keeps one of others. */
        foreign_of(&f, memory, TENSOR_INT16, 4, tensor_shape, NULL);
        f.tensor.flags = flags ? DL_READ_ONLY : 0;
        ap_array *array = import_of(&f);
        managed *tensor = export_of(array);
        check_tensor(tensor, array, TENSOR_INT16);
        CHECK(tensor != &f.tensor);
        ap_array_free(array);
        CHECK_INT(f.deleted, 0);
        end_tensor(tensor);
        CHECK_INT(f.deleted, 1);
    }
}

/* An image over another library's memory. */
static void test_image(void)
{
    int16_t memory[120];
    foreign f;
    ap_image *image = NULL;
    ap_array *own = NULL, *wide = NULL;
    for (int i = 0; i < 120; i++)
        memory[i] = (int16_t)i;
    foreign_of(&f, memory, TENSOR_INT16, 4, tensor_shape, NULL);   /* row-major */
    ap_array *array = import_of(&f);
    CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &image, &err));
    ap_array_free(array);
    CHECK_OK(ap_image_data(image, AP_AUTO, 0, NULL, &own, &err));
    CHECK(ap_array_data(own) == memory);
    CHECK_OK(ap_image_data(image, AP_FLOAT64, 0, NULL, &wide, &err));
    managed *tensor = export_of(wide);
    CHECK_INT(f.deleted, 0);
    ap_array_free(own);
    ap_array_free(wide);
    ap_image_free(image);
    CHECK_INT(f.deleted, 1);
    const int64_t *s = tensor->tensor.strides;
    const double *values = (const double *)(void *)first_of(tensor);
    int wrong = 0;
    for (int i = 0; i < 120; i++)
        wrong += values[i / 24 * s[0] + i / 6 % 4 * s[1] + i / 2 % 3 * s[2] + i % 2 * s[3]] != i;
    CHECK_INT(wrong, 0);
    end_tensor(tensor);
}

/* Tensors of one array are made, used and deleted by many threads. */
enum { THREADS = 4 };

typedef struct {
    const ap_array *array;
    managed *last;
    int wrong;
} job;

static void *pass_on(void *given)
{
    job *j = given;
    ap_error mine;
    for (int i = 0; i < (test_small() ? 50 : 2000); i++) {
        managed *tensor = NULL, *again = NULL;
        ap_array *array = NULL;
        j->wrong += ap_array_to_dlpack(j->array, &tensor, &mine) != AP_OK;
        j->wrong += ap_array_from_dlpack(tensor, &array, &mine) != AP_OK;
        j->wrong += ap_array_to_dlpack(array, &again, &mine) != AP_OK;
        ap_array_free(array);
        j->wrong += *(int16_t *)(void *)first_of(again) != 77;
        again->deleter(again);
    }
    j->wrong += ap_array_to_dlpack(j->array, &j->last, &mine) != AP_OK;
    return NULL;
}

static void test_threads(void)
{
    int16_t memory[120];
    foreign f;
    job jobs[THREADS];
    pthread_t threads[THREADS];
    memory[0] = 77;
    foreign_of(&f, memory, TENSOR_INT16, 4, tensor_shape, NULL);
    ap_array *array = import_of(&f);
    for (int i = 0; i < THREADS; i++) {
        jobs[i].array = array;
        jobs[i].last = NULL;
        jobs[i].wrong = 0;
        if (pthread_create(&threads[i], NULL, pass_on, &jobs[i]))
            abort();
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK_INT(jobs[i].wrong, 0);
    }
    ap_array_free(array);
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(f.deleted, 0);
        end_tensor(jobs[i].last);
    }
    CHECK_INT(f.deleted, 1);
}

static void test_null(void)
{
    int16_t memory[120];
    foreign f;
    foreign_of(&f, memory, TENSOR_INT16, 4, tensor_shape, NULL);
    ap_array *array, *own = NULL;
    managed *tensor;
    CHECK_OK(ap_array_new(AP_INT16, 4, tensor_shape, AP_ORDER_F, &own, &err));
    for (int with = 0; with < 2; with++) {
        ap_error *e = with ? &err : NULL;
        array = MARKED(ap_array);
        CHECK_STATUS(ap_array_from_dlpack(NULL, &array, e), AP_ERR_NULL);
        CHECK(array == NULL);
        CHECK_STATUS(ap_array_from_dlpack(&f.tensor, NULL, e), AP_ERR_NULL);
        CHECK_INT(f.deleted, 0);
        tensor = MARKED(managed);
        CHECK_STATUS(ap_array_to_dlpack(NULL, &tensor, e), AP_ERR_NULL);
        CHECK(tensor == NULL);
        CHECK_STATUS(ap_array_to_dlpack(own, NULL, e), AP_ERR_NULL);
        CHECK_OK(ap_array_to_dlpack(own, &tensor, e));
        end_tensor(tensor);
    }
    ap_array_free(own);
}

int main(void)
{
    CHECK_INT(sizeof(managed), 80);
    test_out();
    test_out_of_wrapped();
    test_out_refused();
    test_out_of_files();
    test_there_and_back();
    test_image();
    test_threads();
    test_null();
    return test_end("dlpack");
}
