/*
 * tensors.h - tensors as DLPack 1.0 has them
 */
#ifndef TENSORS_H
#define TENSORS_H

#include "../test.h"

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

/* The types that both sides have, listed; some by their places. */
typedef struct {
    ap_dtype dtype;
    uint8_t code, bits;
} tensor_type;

enum { TENSOR_INT16 = 2, TENSOR_INT32 = 3, TENSOR_FLOAT64 = 11, TENSOR_TYPES = 14 };

extern const tensor_type tensor_types[TENSOR_TYPES];

/* The shape of most of them, or of their first axes. */
extern const int64_t tensor_shape[4];

/* An array as a tensor, and the end of it. */
managed *export_of(const ap_array *array);
void end_tensor(managed *tensor);
/* Its first element. */
char *first_of(const managed *tensor);
/* It says what the array says, whose type has that place. */
void check_tensor(const managed *tensor, const ap_array *array, int type);

/* A tensor of another library: counts how often it is told to go. */
typedef struct {
    managed tensor;
    int64_t shape[AP_MAX_NDIM + 1], strides[AP_MAX_NDIM + 1];
    int deleted;
} foreign;

/* Make one, of a type by its place in the list, with copies of the lists;
 * row-major if `strides` is NULL. */
void foreign_of(foreign *f, void *data, int type, int ndim, const int64_t *sides,
                const int64_t *strides);
/* That as an array, which must be possible. */
ap_array *import_of(foreign *f);

#endif
