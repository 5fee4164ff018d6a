/* Arrays in memory: new ones, ones around memory of the caller's, and more
 * handles to either. */
#include "test.h"
#include "support/access.h"
#include "support/numbers.h"
#include "support/numpy.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const ap_dtype types[] = {AP_BOOL,    AP_INT8,    AP_INT16,   AP_INT32,     AP_INT64,
                                 AP_UINT8,   AP_UINT16,  AP_UINT32,  AP_UINT64,    AP_FLOAT16,
                                 AP_FLOAT32, AP_FLOAT64, AP_FLOAT128, AP_COMPLEX64,
                                 AP_COMPLEX128, AP_COMPLEX256, AP_RGB24, AP_RGBA32};

static const int64_t shape[3] = {4, 3, 2};

/* Shape, type, strides of packed elements, alignment, flags. */
static void check_new(ap_array *array, ap_dtype dtype, int ndim, const int64_t *wanted, int order)
{
    int64_t found[AP_MAX_NDIM], strides[AP_MAX_NDIM], step = (int64_t)size_of(dtype);
    int64_t count = model_size(ndim, wanted);
    CHECK_INT(ap_array_dtype(array), dtype);
    CHECK_INT(ap_array_flags(array), 0);
    CHECK_INTS(found, ap_array_shape(array, found, AP_MAX_NDIM), wanted, ndim);
    for (int k = 0; k < ndim; k++) {
        int axis = order == AP_ORDER_C ? ndim - 1 - k : k;
        strides[axis] = count ? step : 0;
        step *= wanted[axis];
    }
    CHECK_INTS(found, ap_array_strides(array, found, AP_MAX_NDIM), strides, ndim);
    CHECK_INT(ap_array_data(array) != NULL, count > 0);
    CHECK_INT((uintptr_t)ap_array_data(array) % 64, 0);
}

static void test_new(void)
{
    static const int64_t shapes[][4] = {{4, 3, 2, 5}, {7, 1, 1, 3}, {1, 1, 1, 1}, {3, 0, 5, 2},
                                        {0, 0, 0, 0}, {1, 6, 1, 1}};
    for (int t = 0; t < COUNT(types); t++)
        for (int s = 0; s < COUNT(shapes); s++)
            for (int ndim = 0; ndim <= 4; ndim += 1 + test_small())
                for (int order = AP_ORDER_C; order <= AP_ORDER_F;
                     order += AP_ORDER_F - AP_ORDER_C) {
                    ap_array *array = NULL;
                    size_t nbytes = (size_t)model_size(ndim, shapes[s]) * size_of(types[t]);
                    test_note("%s, shape %d, %d axes, order %c", ap_dtype_name(types[t]), s, ndim,
                              order);
                    err_mark();
                    CHECK_OK(ap_array_new(types[t], ndim, ndim ? shapes[s] : NULL, order, &array,
                                          &err));
                    CHECK(err_untouched());
                    check_new(array, types[t], ndim, shapes[s], order);
                    unsigned char *data = ap_array_data(array);
                    int wrong = 0;
                    for (size_t i = 0; i < nbytes; i++)
                        wrong += data[i] != 0;
                    CHECK_INT(wrong, 0);
                    if (nbytes)
                        memset(data, 0xa5, nbytes);
                    ap_array_free(array);
                }
    test_note("");
}

/* As large as takes large pages; memory that was dirty is zero again. */
static void test_large(void)
{
    static const int64_t large[2] = {1500, 1100};
    enum { LARGE = 1500 * 1100 };
    for (int turn = 0; turn < 3; turn++) {
        ap_array *array = NULL;
        CHECK_OK(ap_array_new(AP_FLOAT32, 2, large, AP_ORDER_F, &array, &err));
        check_new(array, AP_FLOAT32, 2, large, AP_ORDER_F);
        const uint32_t *data = ap_array_data(array);
        int wrong = 0;
        for (int i = 0; i < LARGE; i++)
            wrong += data[i] != 0;
        CHECK_INT(wrong, 0);
        memset(ap_array_data(array), 0xff, 4 * LARGE);
        ap_array_free(array);
    }
}

static void test_most_axes(void)
{
    int64_t many[AP_MAX_NDIM + 1];
    ap_array *array = NULL;
    for (int i = 0; i <= AP_MAX_NDIM; i++)
        many[i] = i == 40 ? 3 : 1;
    CHECK_OK(ap_array_new(AP_INT16, AP_MAX_NDIM, many, AP_ORDER_C, &array, &err));
    check_new(array, AP_INT16, AP_MAX_NDIM, many, AP_ORDER_C);
    ap_array_free(array);
    array = MARKED(ap_array);
    CHECK_STATUS(ap_array_new(AP_INT16, AP_MAX_NDIM + 1, many, AP_ORDER_F, &array, &err),
                 AP_ERR_ARGUMENT);
    CHECK(array == NULL);
}

static void refuse_new(ap_status wanted, ap_dtype dtype, int ndim, const int64_t *sides, int order)
{
    ap_array *array = MARKED(ap_array);
    err_mark();
    CHECK_STATUS(ap_array_new(dtype, ndim, sides, order, &array, &err), wanted);
    CHECK_INT(err.code, wanted);
    CHECK(array == NULL);
}

static void test_new_refused(void)
{
    static const ap_dtype unknown[] = {AP_AUTO, AP_DISK, -1, 2, 256, 777, INT32_MAX, INT32_MIN};
    static const int orders[] = {0, 1, 'c', 'f', -70, INT32_MAX};
    static const int64_t negative[3] = {4, -1, 2}, lowest_side[3] = {0, INT64_MIN, 2};
    for (int i = 0; i < COUNT(unknown); i++)
        refuse_new(AP_ERR_ARGUMENT, unknown[i], 3, shape, AP_ORDER_F);
    for (int i = 0; i < COUNT(orders); i++)
        refuse_new(AP_ERR_ARGUMENT, AP_INT16, 3, shape, orders[i]);
    refuse_new(AP_ERR_ARGUMENT, AP_INT16, -1, shape, AP_ORDER_F);
    refuse_new(AP_ERR_ARGUMENT, AP_INT16, INT32_MIN, shape, AP_ORDER_F);
    refuse_new(AP_ERR_ARGUMENT, AP_INT16, INT32_MAX, shape, AP_ORDER_F);
    refuse_new(AP_ERR_ARGUMENT, AP_INT16, 3, negative, AP_ORDER_F);
    refuse_new(AP_ERR_ARGUMENT, AP_INT16, 3, lowest_side, AP_ORDER_F);
    refuse_new(AP_ERR_NULL, AP_INT16, 3, NULL, AP_ORDER_F);

    /* More than PTRDIFF_MAX bytes, or elements. */
    static const int64_t half[1] = {INT64_C(1) << 62}, most[1] = {INT64_MAX};
    static const int64_t product[3] = {INT64_C(1) << 31, INT64_C(1) << 31, INT64_C(1) << 31};
    refuse_new(AP_ERR_MEMORY, AP_INT16, 1, half, AP_ORDER_F);
    refuse_new(AP_ERR_MEMORY, AP_COMPLEX256, 1, half, AP_ORDER_C);
    refuse_new(AP_ERR_MEMORY, AP_FLOAT64, 1, most, AP_ORDER_F);
    refuse_new(AP_ERR_MEMORY, AP_UINT8, 3, product, AP_ORDER_F);
#ifndef __SANITIZE_ADDRESS__        /* it ends the program instead */
    /* No machine has as much. */
    static const int64_t vast[2] = {INT64_C(1) << 30, INT64_C(1) << 30};
    if (!test_small())
        refuse_new(AP_ERR_MEMORY, AP_UINT8, 2, vast, AP_ORDER_F);
#endif
}

static void count_release(void *user)
{
    ++*(int *)user;
}

/* Elements i of memory around which an array of some strides is made. */
static void test_wrap(void)
{
    static const struct {
        int ndim;
        int64_t sides[3], step[3];
        size_t first;
    } cases[] = {
        {3, {4, 3, 2}, {2, 8, 24}, 0},
        {3, {4, 3, 2}, {12, 4, 2}, 1},
        {3, {4, 3, 2}, {-2, -8, -24}, 46},
        {3, {4, 3, 2}, {7, -31, 0}, 63},
        {2, {5, 3, 0}, {0, 0, 0}, 9},
        {1, {40, 0, 0}, {1, 0, 0}, 0},          /* they overlap */
        {0, {0, 0, 0}, {0, 0, 0}, 5},
    };
    unsigned char memory[120];
    for (int i = 0; i < COUNT(memory); i++)
        memory[i] = (unsigned char)(i * 29 + 3);
    for (int c = 0; c < COUNT(cases); c++)
        for (uint32_t flags = 0; flags <= AP_ARRAY_READONLY; flags++) {
            ap_array *array = NULL;
            int released = 0;
            int64_t found[3];
            char *first = (char *)memory + cases[c].first;
            test_note("case %d, flags %u", c, flags);
            err_mark();
            CHECK_OK(ap_array_wrap(first, AP_INT16, cases[c].ndim, cases[c].sides, cases[c].step,
                                   flags, count_release, &released, &array, &err));
            CHECK(err_untouched());
            CHECK_INT(ap_array_dtype(array), AP_INT16);
            CHECK_INT(ap_array_flags(array), flags);
            CHECK(ap_array_data(array) == first);
            CHECK_INTS(found, ap_array_shape(array, found, 3), cases[c].sides, cases[c].ndim);
            CHECK_INTS(found, ap_array_strides(array, found, 3), cases[c].step, cases[c].ndim);
            CHECK_INT(released, 0);
            ap_array_free(array);
            CHECK_INT(released, 1);
        }
    test_note("");
    for (int i = 0; i < COUNT(memory); i++)
        CHECK_INT(memory[i], (i * 29 + 3) & 255);
}

/* Without strides: packed, the first axis the fastest. */
static void test_wrap_packed(void)
{
    for (int t = 0; t < COUNT(types); t++) {
        static char memory[24 * 32 + 1];
        ap_array *array = NULL;
        int64_t found[3], size = (int64_t)size_of(types[t]);
        test_note("%s", ap_dtype_name(types[t]));
        CHECK_OK(ap_array_wrap(memory + 1, types[t], 3, shape, NULL, 0, NULL, NULL, &array, &err));
        CHECK(ap_array_data(array) == memory + 1);
        CHECK_INT(ap_array_dtype(array), types[t]);
        CHECK_INTS(found, ap_array_shape(array, found, 3), INTS(4, 3, 2));
        CHECK_INTS(found, ap_array_strides(array, found, 3), INTS(size, 4 * size, 12 * size));
        ap_array_free(array);
    }
    test_note("");
    ap_array *array = NULL;
    CHECK_OK(ap_array_wrap(&err, AP_UINT8, 0, NULL, NULL, 0, NULL, NULL, &array, &err));
    CHECK(ap_array_data(array) == &err);
    CHECK_INT(ap_array_shape(array, NULL, 0), 0);
    ap_array_free(array);
}

/* Arrays without elements need no memory, and have no strides. */
static void test_wrap_empty(void)
{
    static const int64_t none[3] = {4, 0, 2}, wild[3] = {INT64_MAX, INT64_MIN, -3};
    char byte;
    for (int given = 0; given < 2; given++)
        for (int strided = 0; strided < 2; strided++) {
            ap_array *array = NULL;
            int released = 0;
            int64_t found[3];
            test_note("memory %d, strides %d", given, strided);
            CHECK_OK(ap_array_wrap(given ? &byte : NULL, AP_INT16, 3, none, strided ? wild : NULL,
                                   0, count_release, &released, &array, &err));
            CHECK(ap_array_data(array) == NULL);
            CHECK_INTS(found, ap_array_shape(array, found, 3), INTS(4, 0, 2));
            CHECK_INTS(found, ap_array_strides(array, found, 3), INTS(0, 0, 0));
            CHECK_INT(released, 0);
            ap_array_free(array);
            CHECK_INT(released, 1);
        }
    test_note("");
}

static int never_released;

static void refuse_wrap(ap_status wanted, void *data, ap_dtype dtype, int ndim,
                        const int64_t *sides, const int64_t *step, uint32_t flags)
{
    ap_array *array = MARKED(ap_array);
    err_mark();
    CHECK_STATUS(ap_array_wrap(data, dtype, ndim, sides, step, flags, count_release,
                               &never_released, &array, &err),
                 wanted);
    CHECK_INT(err.code, wanted);
    CHECK(array == NULL);
    CHECK_INT(never_released, 0);
}

static void test_wrap_refused(void)
{
    static const ap_dtype unknown[] = {AP_AUTO, AP_DISK, -1, 2, 777, INT32_MIN};
    static const uint32_t flags[] = {AP_ARRAY_MAPPED, AP_ARRAY_MAPPED | AP_ARRAY_READONLY, 4,
                                     1u << 31};
    static const int64_t negative[3] = {4, -1, 2};
    int64_t many[AP_MAX_NDIM + 1];
    char memory[48];
    for (int i = 0; i <= AP_MAX_NDIM; i++)
        many[i] = 1;
    for (int i = 0; i < COUNT(unknown); i++)
        refuse_wrap(AP_ERR_ARGUMENT, memory, unknown[i], 3, shape, NULL, 0);
    for (int i = 0; i < COUNT(flags); i++)
        refuse_wrap(AP_ERR_ARGUMENT, memory, AP_INT16, 3, shape, NULL, flags[i]);
    refuse_wrap(AP_ERR_ARGUMENT, memory, AP_INT16, -1, shape, NULL, 0);
    refuse_wrap(AP_ERR_ARGUMENT, memory, AP_INT16, AP_MAX_NDIM + 1, many, NULL, 0);
    refuse_wrap(AP_ERR_ARGUMENT, memory, AP_INT16, 3, negative, NULL, 0);
    refuse_wrap(AP_ERR_NULL, NULL, AP_INT16, 3, shape, NULL, 0);
    refuse_wrap(AP_ERR_NULL, NULL, AP_INT16, 0, NULL, NULL, AP_ARRAY_READONLY);
    refuse_wrap(AP_ERR_NULL, memory, AP_INT16, 3, NULL, NULL, 0);
    CHECK_STATUS(ap_array_wrap(memory, AP_INT16, 3, shape, NULL, 0, count_release,
                               &never_released, NULL, &err),
                 AP_ERR_NULL);
    CHECK_INT(never_released, 0);

    /* Spans that no address space has. */
    static const struct {
        int64_t sides[3], step[3];
    } far[] = {
        {{3, 1, 1}, {INT64_MAX, 0, 0}},
        {{2, 1, 1}, {INT64_MIN, 0, 0}},
        {{1, 3, 2}, {0, INT64_MIN, INT64_MIN}},
        {{2, 2, 2}, {INT64_MAX, INT64_MAX, INT64_MAX}},
        {{INT64_MAX, 1, 1}, {INT64_MAX, 0, 0}},
        {{INT64_MAX, 1, 1}, {INT64_MIN, 0, 0}},
    };
    for (int i = 0; i < COUNT(far); i++) {
        test_note("span %d", i);
        refuse_wrap(AP_ERR_ARGUMENT, memory, AP_INT16, 3, far[i].sides, far[i].step, 0);
    }
    test_note("");

    /* The stride of an axis of one element leads nowhere. */
    static const int64_t one[1] = {1}, lowest_step[1] = {INT64_MIN};
    ap_array *array = NULL;
    CHECK_OK(ap_array_wrap(memory, AP_INT16, 1, one, lowest_step, 0, NULL, NULL, &array, &err));
    CHECK(ap_array_data(array) == memory);
    ap_array_free(array);
}

/* Of clones, the last one to go takes the memory with it. */
static void test_clone(void)
{
    static const int64_t step[3] = {-2, 8, 24};
    int16_t memory[24] = {0};
    int64_t found[3];
    CHECK(ap_array_clone(NULL) == NULL);
    for (int last = 0; last < 3; last++) {
        int released = 0;
        ap_array *arrays[3] = {NULL, NULL, NULL};
        CHECK_OK(ap_array_wrap(memory + 3, AP_INT16, 3, shape, step, AP_ARRAY_READONLY,
                               count_release, &released, &arrays[0], &err));
        arrays[1] = ap_array_clone(arrays[0]);
        arrays[2] = ap_array_clone(arrays[1]);
        for (int i = 0; i < 3; i++) {
            CHECK(ap_array_data(arrays[i]) == memory + 3);
            CHECK_INT(ap_array_dtype(arrays[i]), AP_INT16);
            CHECK_INT(ap_array_flags(arrays[i]), AP_ARRAY_READONLY);
            CHECK_INTS(found, ap_array_shape(arrays[i], found, 3), INTS(4, 3, 2));
            CHECK_INTS(found, ap_array_strides(arrays[i], found, 3), INTS(-2, 8, 24));
        }
        CHECK(arrays[0] != arrays[1] && arrays[1] != arrays[2]);
        for (int i = 0; i < 3; i++)
            if (i != last)
                ap_array_free(arrays[i]);
        CHECK_INT(released, 0);
        CHECK(ap_array_data(arrays[last]) == memory + 3);
        ap_array_free(arrays[last]);
        CHECK_INT(released, 1);
    }

    /* Of arrays of the library's, too. */
    ap_array *array = NULL;
    CHECK_OK(ap_array_new(AP_INT32, 3, shape, AP_ORDER_C, &array, &err));
    ap_array *clone = ap_array_clone(array);
    int32_t *data = ap_array_data(array);
    CHECK(data == ap_array_data(clone));
    data[23] = 77;
    ap_array_free(array);
    CHECK_INT(data[23], 77);
    ap_array_free(clone);

    /* And of arrays that were loaded. */
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    CHECK_OK(ap_load(proxy, NULL, 0, AP_AUTO, 0, NULL, &array, &err));
    ap_free(proxy);
    clone = ap_array_clone(array);
    ap_array_free(array);
    CHECK_INT(((int32_t *)ap_array_data(clone))[23], 23);
    ap_array_free(clone);
}

/* Images and the arrays that they hand out hold the memory, too. */
static void test_held_by_images(void)
{
    int16_t memory[24] = {0};
    for (int last = 0; last < 2; last++) {
        int released = 0;
        ap_array *array = NULL, *own = NULL, *wide = NULL;
        ap_image *image = NULL;
        CHECK_OK(ap_array_wrap(memory, AP_INT16, 3, shape, NULL, 0, count_release, &released,
                               &array, &err));
        CHECK_OK(ap_image_from_array(array, NULL, NULL, 0, &image, &err));
        ap_array_free(array);
        CHECK_INT(released, 0);
        CHECK_OK(ap_image_data(image, AP_AUTO, 0, NULL, &own, &err));
        CHECK_OK(ap_image_data(image, AP_FLOAT64, 0, NULL, &wide, &err));
        CHECK(ap_array_data(own) == memory);
        if (last == 0)
            ap_image_free(image);
        else
            ap_array_free(own);
        CHECK_INT(released, 0);
        if (last == 0)
            ap_array_free(own);
        else
            ap_image_free(image);
        CHECK_INT(released, 1);         /* a converted copy has memory of its own */
        ap_array_free(wide);
    }
}

/* Many threads let go at once: the memory is released once. */
enum { THREADS = 6 };
static pthread_barrier_t all_here;
static pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

static void count_locked(void *user)
{
    pthread_mutex_lock(&counting);
    ++*(int *)user;
    pthread_mutex_unlock(&counting);
}

static void *let_go(void *given)
{
    ap_array *array = given;
    pthread_barrier_wait(&all_here);
    ap_array *clone = ap_array_clone(array);
    ap_array_free(array);
    ap_array_free(clone);
    return NULL;
}

static void test_threads(void)
{
    int16_t memory[24] = {0};
    pthread_barrier_init(&all_here, NULL, THREADS);
    for (int turn = 0; turn < (test_small() ? 3 : 50); turn++) {
        pthread_t threads[THREADS];
        int released = 0;
        ap_array *array = NULL;
        CHECK_OK(ap_array_wrap(memory, AP_INT16, 3, shape, NULL, 0, count_locked, &released,
                               &array, &err));
        for (int i = 0; i < THREADS; i++)
            if (pthread_create(&threads[i], NULL, let_go, ap_array_clone(array)))
                abort();
        ap_array_free(array);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        CHECK_INT(released, 1);
    }
    pthread_barrier_destroy(&all_here);
}

int main(void)
{
    test_new();
    test_large();
    test_most_axes();
    test_new_refused();
    test_wrap();
    test_wrap_packed();
    test_wrap_empty();
    test_wrap_refused();
    test_clone();
    test_held_by_images();
    test_threads();
    return test_end("array");
}
