/* Arrays to and from other libraries, as DLPack 1.0 has them. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/numpy.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* From dlpack.h 1.0. */
typedef struct {
    void *data;
    struct {
        int32_t type, id;
    } device;
    int32_t ndim;
    struct {
        uint8_t code, bits;
        uint16_t lanes;
    } dtype;
    int64_t *shape, *strides;
    uint64_t byte_offset;
} dl_tensor;

struct DLManagedTensorVersioned {
    struct {
        uint32_t major, minor;
    } version;
    void *manager_ctx;
    void (*deleter)(struct DLManagedTensorVersioned *);
    uint64_t flags;
    dl_tensor tensor;
};
typedef struct DLManagedTensorVersioned managed;

enum { DL_INT, DL_UINT, DL_FLOAT, DL_OPAQUE, DL_BFLOAT, DL_COMPLEX, DL_BOOL };
enum { DL_CPU = 1, DL_CUDA, DL_CUDA_HOST, DL_ROCM = 10, DL_ROCM_HOST, DL_CUDA_MANAGED = 13 };
enum { DL_READ_ONLY = 1, DL_COPIED = 2 };

static const struct {
    ap_dtype dtype;
    uint8_t code, bits;
} types[] = {
    {AP_BOOL, DL_BOOL, 8},          {AP_INT8, DL_INT, 8},           {AP_INT16, DL_INT, 16},
    {AP_INT32, DL_INT, 32},         {AP_INT64, DL_INT, 64},         {AP_UINT8, DL_UINT, 8},
    {AP_UINT16, DL_UINT, 16},       {AP_UINT32, DL_UINT, 32},       {AP_UINT64, DL_UINT, 64},
    {AP_FLOAT16, DL_FLOAT, 16},     {AP_FLOAT32, DL_FLOAT, 32},     {AP_FLOAT64, DL_FLOAT, 64},
    {AP_COMPLEX64, DL_COMPLEX, 64}, {AP_COMPLEX128, DL_COMPLEX, 128},
};

static const int64_t shape[4] = {5, 4, 3, 2};

static managed *export_of(const ap_array *array)
{
    managed *tensor = MARKED(managed);
    err_mark();
    CHECK_OK(ap_array_to_dlpack(array, &tensor, &err));
    CHECK(err_untouched());
    return tensor;
}

static void end(managed *tensor)
{
    if (CHECK(tensor->deleter != NULL))
        tensor->deleter(tensor);
}

static char *first_of(const managed *tensor)
{
    char *data = tensor->tensor.data;
    return data ? data + tensor->tensor.byte_offset : NULL;
}

/* The tensor says what the array says. */
static void check_same(const managed *tensor, const ap_array *array, int type)
{
    int64_t list[AP_MAX_NDIM], size = (int64_t)size_of(types[type].dtype), count = 1;
    int ndim = ap_array_shape(array, list, AP_MAX_NDIM);
    const dl_tensor *t = &tensor->tensor;
    CHECK_INT(tensor->version.major, 1);
    CHECK_INT(tensor->flags, ap_array_flags(array) & AP_ARRAY_READONLY ? DL_READ_ONLY : 0);
    CHECK_INT(t->device.type, DL_CPU);
    CHECK_INT(t->device.id, 0);
    CHECK_INT(t->dtype.code, types[type].code);
    CHECK_INT(t->dtype.bits, types[type].bits);
    CHECK_INT(t->dtype.lanes, 1);
    CHECK_INT(t->ndim, ndim);
    if (ndim && CHECK(t->shape != NULL) && CHECK(t->strides != NULL)) {
        CHECK_INTS(t->shape, ndim, list, ndim);
        count = model_size(ndim, list);
        CHECK_INT(ap_array_strides(array, list, AP_MAX_NDIM), ndim);
        for (int i = 0; i < ndim && count; i++)
            CHECK_INT(t->strides[i] * size, list[i]);
    }
    CHECK(first_of(tensor) == ap_array_data(array));
    CHECK_INT(t->data != NULL, count > 0);
}

/* New arrays of every type, number of axes and order. Tensors keep the memory,
 * and any number of them may be made. */
static void test_out(void)
{
    for (int i = 0; i < COUNT(types); i++)
        for (int ndim = 0; ndim <= 4; ndim++)
            for (int c = 0; c < 2; c++) {
                size_t n = (size_t)model_size(ndim, shape) * size_of(types[i].dtype);
                ap_array *array = NULL;
                test_note("%s, %d axes, %d", ap_dtype_name(types[i].dtype), ndim, c);
                CHECK_OK(ap_array_new(types[i].dtype, ndim, shape, c ? AP_ORDER_C : AP_ORDER_F,
                                      &array, &err));
                managed *one = export_of(array), *two = export_of(array);
                CHECK(one != two);
                check_same(one, array, i);
                check_same(two, array, i);
                memset(ap_array_data(array), 1, n);
                ap_array_free(array);
                CHECK_INT(first_of(one)[n - 1], 1);
                memset(first_of(one), 2, n);
                end(one);
                CHECK_INT(first_of(two)[0], 2);
                CHECK_INT(first_of(two)[n - 1], 2);
                end(two);
            }
    /* No elements. */
    static const int64_t none[3] = {3, 0, 2};
    ap_array *array = NULL;
    CHECK_OK(ap_array_new(AP_INT16, 3, none, AP_ORDER_F, &array, &err));
    managed *tensor = export_of(array);
    check_same(tensor, array, 2);
    ap_array_free(array);
    CHECK_INTS(tensor->tensor.shape, 3, none, 3);
    end(tensor);
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
                check_same(tensor, array, 3);
                const int32_t *values = (const int32_t *)(void *)first_of(tensor);
                const int64_t *strides = tensor->tensor.strides;
                CHECK_INT(values[2 * strides[0] + strides[1]],
                          100 + ((int64_t)cases[i].at + 2 * cases[i].strides[0] +
                                 cases[i].strides[1]) / 4);
                if (first)
                    ap_array_free(array);
                else
                    end(tensor);
                CHECK_INT(released, 0);
                if (first)
                    end(tensor);
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
    nifti n = nifti_new(1, native_order(), AP_INT32, 4, shape);
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
    check_same(a, loaded, 11);
    check_same(b, seen, 3);
    check_same(c, own, 3);
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
    end(a);
    end(b);
    end(c);
    ap_options_free(o);
    bytes_free(&data);
}

/* A tensor of another library: counts how often it is told to go. */
typedef struct {
    managed tensor;
    int64_t shape[AP_MAX_NDIM + 1], strides[AP_MAX_NDIM + 1];
    int deleted;
} foreign;

static void delete_foreign(managed *tensor)
{
    ++((foreign *)tensor->manager_ctx)->deleted;
}

static void foreign_of(foreign *f, void *data, int type, int ndim, const int64_t *sides,
                       const int64_t *strides)
{
    memset(f, 0, sizeof *f);
    f->tensor.version.major = 1;
    f->tensor.manager_ctx = f;
    f->tensor.deleter = delete_foreign;
    f->tensor.tensor.data = data;
    f->tensor.tensor.device.type = DL_CPU;
    f->tensor.tensor.ndim = ndim;
    f->tensor.tensor.dtype.code = types[type].code;
    f->tensor.tensor.dtype.bits = types[type].bits;
    f->tensor.tensor.dtype.lanes = 1;
    f->tensor.tensor.shape = f->shape;
    if (ndim > 0)
        memcpy(f->shape, sides, (size_t)ndim * sizeof *sides);
    if (strides) {
        memcpy(f->strides, strides, (size_t)ndim * sizeof *strides);
        f->tensor.tensor.strides = f->strides;
    }
}

static ap_array *import_of(foreign *f)
{
    ap_array *array = MARKED(ap_array);
    err_mark();
    CHECK_OK(ap_array_from_dlpack(&f->tensor, &array, &err));
    CHECK(err_untouched());
    CHECK_INT(f->deleted, 0);
    return array;
}

static void test_in(void)
{
    double memory[244];
    foreign f;
    for (int i = 0; i < COUNT(types); i++)
        for (int ndim = 0; ndim <= 4; ndim++)
            for (int given = 0; given < 2; given++) {
                int64_t packed[4], wanted[4], found[4];
                int64_t size = (int64_t)size_of(types[i].dtype), step = 1;
                test_note("%s, %d axes, strides %d", ap_dtype_name(types[i].dtype), ndim, given);
                for (int k = 0; k < ndim; k++) {
                    int axis = given ? k : ndim - 1 - k;    /* if left out: row-major */
                    packed[axis] = step;
                    wanted[axis] = step * size;
                    step *= shape[axis];
                }
                foreign_of(&f, memory, i, ndim, shape, given ? packed : NULL);
                f.tensor.tensor.byte_offset = given ? 16 : 0;
                f.tensor.version.minor = given ? 7 : 0;
                f.tensor.flags = given ? DL_READ_ONLY | DL_COPIED : DL_COPIED;
                ap_array *array = import_of(&f), *clone = ap_array_clone(array);
                CHECK_INT(ap_array_dtype(array), types[i].dtype);
                CHECK_INTS(found, ap_array_shape(array, found, 4), shape, ndim);
                CHECK_INTS(found, ap_array_strides(array, found, 4), wanted, ndim);
                CHECK_INT(ap_array_flags(array), given ? AP_ARRAY_READONLY : 0);
                CHECK_INT((char *)ap_array_data(array) - (char *)memory, given ? 16 : 0);
                CHECK(ap_array_data(clone) == ap_array_data(array));
                CHECK_INT(ap_array_flags(clone), ap_array_flags(array));
                ap_array_free(array);
                CHECK_INT(f.deleted, 0);
                ap_array_free(clone);
                CHECK_INT(f.deleted, 1);
            }
    test_note("");
}

static void test_in_strides(void)
{
    static const int64_t sides[3] = {3, 1, 2}, none[2] = {0, 7}, some[2] = {4, 1};
    static const int64_t strides[3] = {-2, 1000, 0}, bytes_of[3] = {-4, 2000, 0};
    int16_t memory[6] = {0, 1, 2, 3, 4, 5};
    int64_t found[3];
    foreign f;
    foreign_of(&f, memory + 4, 2, 3, sides, strides);
    ap_array *array = import_of(&f);
    CHECK_INTS(found, ap_array_strides(array, found, 3), bytes_of, 3);
    CHECK(ap_array_data(array) == memory + 4);
    CHECK_INT(((int16_t *)ap_array_data(array))[-2], 2);
    ap_array_free(array);
    CHECK_INT(f.deleted, 1);
    /* Without elements there may be no data, or some. */
    for (int with = 0; with < 2; with++) {
        foreign_of(&f, with ? memory : NULL, 2, 2, none, with ? some : NULL);
        array = import_of(&f);
        CHECK(ap_array_data(array) == NULL);
        CHECK_INTS(found, ap_array_shape(array, found, 3), none, 2);
        ap_array_free(array);
        CHECK_INT(f.deleted, 1);
    }
    /* A scalar, whose lists may be missing. */
    foreign_of(&f, memory + 3, 2, 0, NULL, NULL);
    f.tensor.tensor.shape = NULL;
    array = import_of(&f);
    CHECK_INT(ap_array_shape(array, NULL, 0), 0);
    CHECK_INT(*(int16_t *)ap_array_data(array), 3);
    ap_array_free(array);
    /* A tensor that needs no deleter. */
    foreign_of(&f, memory, 2, 3, sides, NULL);
    f.tensor.deleter = NULL;
    array = import_of(&f);
    CHECK_INT(ap_array_dtype(array), AP_INT16);
    ap_array_free(array);
}

static void test_devices(void)
{
    static const int accepted[] = {DL_CPU, DL_CUDA_HOST, DL_ROCM_HOST, DL_CUDA_MANAGED};
    int16_t memory[120];
    foreign f;
    for (int device = -1; device <= 20; device++) {
        ap_array *array = MARKED(ap_array);
        int fine = 0;
        test_note("device %d", device);
        for (int i = 0; i < COUNT(accepted); i++)
            fine |= accepted[i] == device;
        foreign_of(&f, memory, 2, 4, shape, NULL);
        f.tensor.tensor.device.type = device;
        f.tensor.tensor.device.id = fine && device != DL_CPU ? 3 : 0;
        CHECK_STATUS(ap_array_from_dlpack(&f.tensor, &array, &err),
                     fine ? AP_OK : AP_ERR_UNSUPPORTED);
        CHECK_INT(array != NULL, fine);
        CHECK_INT(f.deleted, 0);
        ap_array_free(array);
        CHECK_INT(f.deleted, fine);
    }
    test_note("");
}

/* What fails leaves the tensor to the caller. */
static void check_in_refused(foreign *f, ap_status wanted)
{
    ap_array *array = MARKED(ap_array);
    ap_status status = ap_array_from_dlpack(&f->tensor, &array, &err);
    if (wanted)
        CHECK_STATUS(status, wanted);
    CHECK(status < 0);
    CHECK_INT(err.code, status);
    CHECK(array == NULL);
    CHECK_INT(f->deleted, 0);
}

static void test_in_refused(void)
{
    static const struct {
        int code, bits, lanes;
    } strange[] = {
        {DL_OPAQUE, 64, 1}, {DL_BFLOAT, 16, 1}, {7, 8, 1},         {10, 8, 1},    {17, 4, 1},
        {255, 8, 1},        {DL_INT, 4, 1},     {DL_INT, 24, 1},   {DL_INT, 128, 1},
        {DL_INT, 0, 1},     {DL_UINT, 1, 1},    {DL_UINT, 12, 1},  {DL_FLOAT, 8, 1},
        {DL_FLOAT, 80, 1},  {DL_COMPLEX, 32, 1}, {DL_BOOL, 1, 1},  {DL_BOOL, 16, 1},
        {DL_INT, 16, 0},    {DL_INT, 16, 2},    {DL_FLOAT, 32, 4}, {DL_INT, 16, 65535},
    };
    int16_t memory[120];
    int64_t many[AP_MAX_NDIM + 1], vast[3] = {INT64_C(1) << 40, INT64_C(1) << 40, 1};
    foreign f;
    for (int i = 0; i < COUNT(strange); i++) {
        test_note("code %d, %d bits, %d lanes", strange[i].code, strange[i].bits,
                  strange[i].lanes);
        foreign_of(&f, memory, 2, 1, shape, NULL);
        f.tensor.tensor.dtype.code = (uint8_t)strange[i].code;
        f.tensor.tensor.dtype.bits = (uint8_t)strange[i].bits;
        f.tensor.tensor.dtype.lanes = (uint16_t)strange[i].lanes;
        check_in_refused(&f, AP_ERR_UNSUPPORTED);
    }
    for (uint32_t major = 0; major < 4; major++) {
        test_note("version %u", (unsigned)major);
        foreign_of(&f, memory, 2, 1, shape, NULL);
        f.tensor.version.major = major;
        if (major != 1)
            check_in_refused(&f, AP_ERR_UNSUPPORTED);
    }
    test_note("no sense");
    for (int i = 0; i <= AP_MAX_NDIM; i++)
        many[i] = 1;
    foreign_of(&f, memory, 2, AP_MAX_NDIM, many, NULL);
    ap_array *array = import_of(&f);
    CHECK_INT(ap_array_shape(array, NULL, 0), AP_MAX_NDIM);
    ap_array_free(array);
    foreign_of(&f, memory, 2, AP_MAX_NDIM + 1, many, NULL);
    check_in_refused(&f, 0);
    foreign_of(&f, memory, 2, -1, NULL, NULL);
    check_in_refused(&f, 0);
    foreign_of(&f, memory, 2, 4, shape, NULL);
    f.shape[2] = -3;
    check_in_refused(&f, 0);
    foreign_of(&f, memory, 2, 3, vast, NULL);
    check_in_refused(&f, 0);
    static const int64_t far[2] = {INT64_MAX, 1};
    foreign_of(&f, memory, 2, 2, shape, far);
    check_in_refused(&f, 0);
    foreign_of(&f, memory, 2, 4, shape, NULL);
    f.tensor.tensor.shape = NULL;
    check_in_refused(&f, 0);
    foreign_of(&f, NULL, 2, 4, shape, NULL);
    check_in_refused(&f, 0);
    test_note("");
}

static void test_null(void)
{
    int16_t memory[120];
    foreign f;
    foreign_of(&f, memory, 2, 4, shape, NULL);
    ap_array *array, *own = NULL;
    managed *tensor;
    CHECK_OK(ap_array_new(AP_INT16, 4, shape, AP_ORDER_F, &own, &err));
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
        end(tensor);
    }
    ap_array_free(own);
}

/* Out and in again, several times: all are the same memory. */
static void test_there_and_back(void)
{
    for (uint32_t flags = 0; flags <= AP_ARRAY_READONLY; flags++) {
        int16_t memory[120];
        int released = 0;
        foreign f;
        ap_array *arrays[6];
        CHECK_OK(ap_array_wrap(memory, AP_INT16, 4, shape, NULL, flags, count_release, &released,
                               &arrays[0], &err));
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
        foreign_of(&f, memory, 2, 4, shape, NULL);
        f.tensor.flags = flags ? DL_READ_ONLY : 0;
        ap_array *array = import_of(&f);
        managed *tensor = export_of(array);
        check_same(tensor, array, 2);
        CHECK(tensor != &f.tensor);
        ap_array_free(array);
        CHECK_INT(f.deleted, 0);
        end(tensor);
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
    foreign_of(&f, memory, 2, 4, shape, NULL);          /* row-major */
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
    end(tensor);
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
    foreign_of(&f, memory, 2, 4, shape, NULL);
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
        end(jobs[i].last);
    }
    CHECK_INT(f.deleted, 1);
}

int main(void)
{
    CHECK_INT(sizeof(managed), 80);
    test_out();
    test_out_of_wrapped();
    test_out_refused();
    test_out_of_files();
    test_in();
    test_in_strides();
    test_devices();
    test_in_refused();
    test_null();
    test_there_and_back();
    test_image();
    test_threads();
    return test_end("dlpack");
}
