/* Tensors as DLPack 1.0 has them, and a foreign library that makes some. */
#include "tensors.h"
#include "numbers.h"
#include "numpy.h"

#include <string.h>

const tensor_type tensor_types[TENSOR_TYPES] = {
    {AP_BOOL, DL_BOOL, 8},          {AP_INT8, DL_INT, 8},           {AP_INT16, DL_INT, 16},
    {AP_INT32, DL_INT, 32},         {AP_INT64, DL_INT, 64},         {AP_UINT8, DL_UINT, 8},
    {AP_UINT16, DL_UINT, 16},       {AP_UINT32, DL_UINT, 32},       {AP_UINT64, DL_UINT, 64},
    {AP_FLOAT16, DL_FLOAT, 16},     {AP_FLOAT32, DL_FLOAT, 32},     {AP_FLOAT64, DL_FLOAT, 64},
    {AP_COMPLEX64, DL_COMPLEX, 64}, {AP_COMPLEX128, DL_COMPLEX, 128},
};

const int64_t tensor_shape[4] = {5, 4, 3, 2};

managed *export_of(const ap_array *array)
{
    managed *tensor = MARKED(managed);
    err_mark();
    CHECK_OK(ap_array_to_dlpack(array, &tensor, &err));
    CHECK(err_untouched());
    return tensor;
}

void end_tensor(managed *tensor)
{
    if (CHECK(tensor->deleter != NULL))
        tensor->deleter(tensor);
}

char *first_of(const managed *tensor)
{
    char *data = tensor->tensor.data;
    return data ? data + tensor->tensor.byte_offset : NULL;
}

void check_tensor(const managed *tensor, const ap_array *array, int type)
{
    int64_t list[AP_MAX_NDIM], size = (int64_t)size_of(tensor_types[type].dtype), count = 1;
    int ndim = ap_array_shape(array, list, AP_MAX_NDIM);
    const dl_tensor *t = &tensor->tensor;
    CHECK_INT(tensor->version.major, 1);
    CHECK_INT(tensor->flags, ap_array_flags(array) & AP_ARRAY_READONLY ? DL_READ_ONLY : 0);
    CHECK_INT(t->device.type, DL_CPU);
    CHECK_INT(t->device.id, 0);
    CHECK_INT(t->dtype.code, tensor_types[type].code);
    CHECK_INT(t->dtype.bits, tensor_types[type].bits);
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

static void delete_foreign(managed *tensor)
{
    ++((foreign *)tensor->manager_ctx)->deleted;
}

void foreign_of(foreign *f, void *data, int type, int ndim, const int64_t *sides,
                const int64_t *strides)
{
    memset(f, 0, sizeof *f);
    f->tensor.version.major = 1;
    f->tensor.manager_ctx = f;
    f->tensor.deleter = delete_foreign;
    f->tensor.tensor.data = data;
    f->tensor.tensor.device.type = DL_CPU;
    f->tensor.tensor.ndim = ndim;
    f->tensor.tensor.dtype.code = tensor_types[type].code;
    f->tensor.tensor.dtype.bits = tensor_types[type].bits;
    f->tensor.tensor.dtype.lanes = 1;
    f->tensor.tensor.shape = f->shape;
    if (ndim > 0)
        memcpy(f->shape, sides, (size_t)ndim * sizeof *sides);
    if (strides) {
        memcpy(f->strides, strides, (size_t)ndim * sizeof *strides);
        f->tensor.tensor.strides = f->strides;
    }
}

ap_array *import_of(foreign *f)
{
    ap_array *array = MARKED(ap_array);
    err_mark();
    CHECK_OK(ap_array_from_dlpack(&f->tensor, &array, &err));
    CHECK(err_untouched());
    CHECK_INT(f->deleted, 0);
    return array;
}
