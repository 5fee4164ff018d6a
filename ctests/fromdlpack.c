/* Tensors of other libraries as arrays. */
#include "test.h"
#include "support/numbers.h"
#include "support/tensors.h"

static void test_in(void)
{
    double memory[244];
    foreign f;
    for (int i = 0; i < TENSOR_TYPES; i++)
        for (int ndim = 0; ndim <= 4; ndim++)
            for (int given = 0; given < 2; given++) {
                int64_t packed[4], wanted[4], found[4];
                int64_t size = (int64_t)size_of(tensor_types[i].dtype), step = 1;
                test_note("%s, %d axes, strides %d", ap_dtype_name(tensor_types[i].dtype), ndim,
                          given);
                for (int k = 0; k < ndim; k++) {
                    int axis = given ? k : ndim - 1 - k;    /* if left out: row-major */
                    packed[axis] = step;
                    wanted[axis] = step * size;
                    step *= tensor_shape[axis];
                }
                foreign_of(&f, memory, i, ndim, tensor_shape, given ? packed : NULL);
                f.tensor.tensor.byte_offset = given ? 16 : 0;
                f.tensor.version.minor = given ? 7 : 0;
                f.tensor.flags = given ? DL_READ_ONLY | DL_COPIED : DL_COPIED;
                ap_array *array = import_of(&f), *clone = ap_array_clone(array);
                CHECK_INT(ap_array_dtype(array), tensor_types[i].dtype);
                CHECK_INTS(found, ap_array_shape(array, found, 4), tensor_shape, ndim);
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
    foreign_of(&f, memory + 4, TENSOR_INT16, 3, sides, strides);
    ap_array *array = import_of(&f);
    CHECK_INTS(found, ap_array_strides(array, found, 3), bytes_of, 3);
    CHECK(ap_array_data(array) == memory + 4);
    CHECK_INT(((int16_t *)ap_array_data(array))[-2], 2);
    ap_array_free(array);
    CHECK_INT(f.deleted, 1);
    /* Without elements there may be no data, or some. */
    for (int with = 0; with < 2; with++) {
        foreign_of(&f, with ? memory : NULL, TENSOR_INT16, 2, none, with ? some : NULL);
        array = import_of(&f);
        CHECK(ap_array_data(array) == NULL);
        CHECK_INTS(found, ap_array_shape(array, found, 3), none, 2);
        ap_array_free(array);
        CHECK_INT(f.deleted, 1);
    }
    /* A scalar, whose lists may be missing. */
    foreign_of(&f, memory + 3, TENSOR_INT16, 0, NULL, NULL);
    f.tensor.tensor.shape = NULL;
    array = import_of(&f);
    CHECK_INT(ap_array_shape(array, NULL, 0), 0);
    CHECK_INT(*(int16_t *)ap_array_data(array), 3);
    ap_array_free(array);
    /* A tensor that needs no deleter. */
    foreign_of(&f, memory, TENSOR_INT16, 3, sides, NULL);
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
        foreign_of(&f, memory, TENSOR_INT16, 4, tensor_shape, NULL);
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
        foreign_of(&f, memory, TENSOR_INT16, 1, tensor_shape, NULL);
        f.tensor.tensor.dtype.code = (uint8_t)strange[i].code;
        f.tensor.tensor.dtype.bits = (uint8_t)strange[i].bits;
        f.tensor.tensor.dtype.lanes = (uint16_t)strange[i].lanes;
        check_in_refused(&f, AP_ERR_UNSUPPORTED);
    }
    for (uint32_t major = 0; major < 4; major++) {
        test_note("version %u", (unsigned)major);
        foreign_of(&f, memory, TENSOR_INT16, 1, tensor_shape, NULL);
        f.tensor.version.major = major;
        if (major != 1)
            check_in_refused(&f, AP_ERR_UNSUPPORTED);
    }
    test_note("no sense");
    for (int i = 0; i <= AP_MAX_NDIM; i++)
        many[i] = 1;
    foreign_of(&f, memory, TENSOR_INT16, AP_MAX_NDIM, many, NULL);
    ap_array *array = import_of(&f);
    CHECK_INT(ap_array_shape(array, NULL, 0), AP_MAX_NDIM);
    ap_array_free(array);
    foreign_of(&f, memory, TENSOR_INT16, AP_MAX_NDIM + 1, many, NULL);
    check_in_refused(&f, 0);
    foreign_of(&f, memory, TENSOR_INT16, -1, NULL, NULL);
    check_in_refused(&f, 0);
    foreign_of(&f, memory, TENSOR_INT16, 4, tensor_shape, NULL);
    f.shape[2] = -3;
    check_in_refused(&f, 0);
    foreign_of(&f, memory, TENSOR_INT16, 3, vast, NULL);
    check_in_refused(&f, 0);
    static const int64_t far[2] = {INT64_MAX, 1};
    foreign_of(&f, memory, TENSOR_INT16, 2, tensor_shape, far);
    check_in_refused(&f, 0);
    foreign_of(&f, memory, TENSOR_INT16, 4, tensor_shape, NULL);
    f.tensor.tensor.shape = NULL;
    check_in_refused(&f, 0);
    foreign_of(&f, NULL, TENSOR_INT16, 4, tensor_shape, NULL);
    check_in_refused(&f, 0);
    test_note("");
}

int main(void)
{
    test_in();
    test_in_strides();
    test_devices();
    test_in_refused();
    return test_end("fromdlpack");
}
