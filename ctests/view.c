/* ap_view: selections of memory and of mapped files, without a copy. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/numpy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t shape[3] = {9, 7, 5};
enum { ELEMENTS = 9 * 7 * 5, OFFSET = 64 };

/* Element i in storage, from byte OFFSET on, has the value i. */
static void put_image(bytes *b, int byte_order)
{
    put_fill(b, 0x77, OFFSET);
    put_counted(b, ELEMENTS, byte_order);
}

/* A layout of a source, with options as ap_options_parse takes them. */
static ap_proxy *open_at(const ap_source *source, ap_dtype dtype, int byte_order, int ndim,
                         const int64_t *sides, int order, uint64_t offset, double slope,
                         const char *options)
{
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_parse(o, options, &err));
    CHECK_OK(ap_open_layout(source, dtype, byte_order, ndim, sides, order, offset, slope, 0, o,
                            &proxy, &err));
    ap_options_free(o);
    return proxy;
}

static ap_proxy *open_memory(const void *data, size_t size, int order)
{
    ap_source *source = NULL;
    CHECK_OK(ap_source_memory(data, size, NULL, NULL, &source, &err));
    ap_proxy *proxy =
        open_at(source, AP_INT32, native_order(), 3, shape, order, OFFSET, 1, "");
    ap_source_free(source);
    return proxy;
}

static const char *write_image(const char *name)
{
    bytes b = {0};
    put_image(&b, native_order());
    write_bytes(temp_path(name), &b);
    bytes_free(&b);
    return temp_path(name);
}

static ap_proxy *open_file(const char *path, int order, const char *options)
{
    ap_source *source = NULL;
    CHECK_OK(ap_source_file(path, &source, &err));
    ap_proxy *proxy =
        open_at(source, AP_INT32, native_order(), 3, shape, order, OFFSET, 1, options);
    ap_source_free(source);
    return proxy;
}

static ap_array *view(const ap_proxy *proxy, const ap_slice *index, int nindex, uint32_t flags)
{
    ap_array *array = NULL;
    err_mark();
    if (CHECK_OK(ap_view(proxy, index, nindex, flags, &array, &err)))
        CHECK(err_untouched());
    return array;
}

static void refuse(ap_status wanted, const ap_proxy *proxy, const ap_slice *index, int nindex,
                   uint32_t flags)
{
    ap_array *array = MARKED(ap_array);
    err_mark();
    CHECK_STATUS(ap_view(proxy, index, nindex, flags, &array, &err), wanted);
    CHECK_INT(err.code, wanted);
    CHECK(array == NULL);
}

/* Some selections; the last two have no elements. */
#define ALL {AP_SLICE_RANGE, AP_NONE, AP_NONE, 1}
#define BACK {AP_SLICE_RANGE, AP_NONE, AP_NONE, -1}
#define NEW {AP_SLICE_NEWAXIS, 0, 0, 1}
#define REST {AP_SLICE_ELLIPSIS, 0, 0, 1}
#define AT(i) {AP_SLICE_AT, i, 0, 1}
#define RANGE(a, b, c) {AP_SLICE_RANGE, a, b, c}
static const ap_slice selections[][3] = {
    {ALL, ALL, ALL},
    {AT(3), AT(-1), AT(2)},
    {ALL, ALL, AT(4)},
    {AT(0), ALL, ALL},
    {BACK, BACK, BACK},
    {RANGE(8, AP_NONE, -3), RANGE(1, 6, 2), AT(4)},
    {RANGE(2, 100, 5), BACK, RANGE(4, 1, -2)},
    {NEW, REST, RANGE(1, 4, 1)},
    {REST, NEW, AT(2)},
    {RANGE(2, 2, 1), ALL, ALL},
    {NEW, REST, RANGE(4, 0, 1)},
};

/* Elements, shape and flags of views. `base`, if not NULL, is where element 0 in
 * storage must be. */
static void check_views(const ap_proxy *proxy, uint32_t flags, uint32_t wanted_flags,
                        const char *base)
{
    for (int i = 0; i < COUNT(selections); i++) {
        selection s;
        int64_t found[8], strides[8];
        CHECK_OK(model_select(3, shape, ap_order(proxy), selections[i], 3, AP_ORDER_F, &s));
        ap_array *array = view(proxy, selections[i], 3, flags);
        CHECK_INT(ap_array_dtype(array), AP_INT32);
        CHECK_INTS(found, ap_array_shape(array, found, 8), s.shape, s.ndim);
        CHECK_INT(ap_array_strides(array, strides, 8), s.ndim);
        const char *data = ap_array_data(array);
        CHECK_INT(data != NULL, s.count > 0);
        if (s.count == 0) {
            for (int k = 0; k < s.ndim; k++)
                CHECK_INT(strides[k], 0);
        } else {
            CHECK_INT(ap_array_flags(array), wanted_flags);
            CHECK_INT((uintptr_t)data % 4, 0);
            if (base)
                CHECK(data == base + 4 * s.element[0]);
        }
        int64_t at[8] = {0}, wrong = 0;
        for (int64_t e = 0; e < s.count && data; e++) {
            const char *p = data;
            int32_t value;
            for (int k = 0; k < s.ndim; k++)
                p += at[k] * strides[k];
            memcpy(&value, p, 4);
            wrong += value != s.element[e];
            for (int k = 0; k < s.ndim && ++at[k] == s.shape[k]; k++)
                at[k] = 0;
        }
        CHECK_INT(wrong, 0);
        ap_array_free(array);
        free(s.element);
    }
}

static void test_memory(void)
{
    bytes b = {0};
    put_image(&b, native_order());
    for (int order = AP_ORDER_C; order <= AP_ORDER_F; order += AP_ORDER_F - AP_ORDER_C) {
        ap_proxy *proxy = open_memory(b.data, b.size, order);
        test_note("order %c", order);
        check_views(proxy, 0, AP_ARRAY_READONLY, (char *)b.data + OFFSET);
        check_views(proxy, AP_READ_RAW, AP_ARRAY_READONLY, (char *)b.data + OFFSET);
        /* Views of one selection are the same memory. */
        ap_array *one = view(proxy, NULL, 0, 0), *two = view(proxy, NULL, 0, 0);
        CHECK(ap_array_data(one) == b.data + OFFSET);
        CHECK(ap_array_data(two) == b.data + OFFSET);
        ap_array_free(one);
        ap_array_free(two);
        /* There is no map of which a copy could be made. */
        refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, AP_READ_PRIVATE);
        refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, AP_READ_PRIVATE | AP_READ_RAW);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&b);
}

static void test_mapped(void)
{
    static const char *options[] = {"", "mmap=1", "mmap=2", "mmap=1,keep_open=0", "threads=2"};
    for (int i = 0; i < COUNT(options); i++)
        for (int order = AP_ORDER_C; order <= AP_ORDER_F; order += AP_ORDER_F - AP_ORDER_C) {
            ap_proxy *proxy = open_file(write_image("mapped"), order, options[i]);
            test_note("\"%s\", order %c", options[i], order);
            check_views(proxy, 0, AP_ARRAY_READONLY | AP_ARRAY_MAPPED, NULL);
            check_views(proxy, AP_READ_PRIVATE, AP_ARRAY_MAPPED, NULL);
            ap_trim(proxy);
            check_views(proxy, 0, AP_ARRAY_READONLY | AP_ARRAY_MAPPED, NULL);
            ap_free(proxy);
        }
    test_note("");
}

/* Strides, written out: bytes of the file from one element to the next. */
static void test_strides(void)
{
    ap_proxy *proxy = open_file(write_image("strides"), AP_ORDER_F, "");
    int64_t found[4];
    ap_array *a = view(proxy, NULL, 0, 0);
    CHECK_INTS(found, ap_array_strides(a, found, 4), INTS(4, 36, 252));
    ap_array_free(a);

    ap_slice steps[3] = {ap_range(AP_NONE, AP_NONE, -1), ap_range(0, AP_NONE, 3), ap_at(1)};
    a = view(proxy, steps, 3, 0);
    CHECK_INTS(found, ap_array_shape(a, found, 4), INTS(9, 3));
    CHECK_INTS(found, ap_array_strides(a, found, 4), INTS(-4, 108));
    int32_t *first = ap_array_data(a);
    CHECK_INT(first[0], 63 + 8);
    CHECK_INT(first[-8], 63);
    CHECK_INT(first[27], 63 + 8 + 27);
    ap_array_free(a);

    ap_slice added[4] = {ap_at(-1), ap_newaxis(), ap_rest(), ap_range(4, AP_NONE, -2)};
    a = view(proxy, added, 4, 0);
    CHECK_INTS(found, ap_array_shape(a, found, 4), INTS(1, 7, 3));
    CHECK_INT(ap_array_strides(a, found, 4), 3);
    CHECK(found[1] == 36 && found[2] == -504);
    CHECK_INT(*(int32_t *)ap_array_data(a), 8 + 252);
    ap_array_free(a);
    ap_free(proxy);
}

/* The same file seen in another shape, and as NIfTI, alone and as a pair. */
static void test_kinds(void)
{
    static const int64_t flat[1] = {-1};
    ap_proxy *proxy = open_file(write_image("kinds"), AP_ORDER_F, ""), *line = NULL;
    CHECK_OK(ap_reshape(proxy, 1, flat, &line, &err));
    ap_slice some = ap_range(300, 200, -50);
    ap_array *a = view(line, &some, 1, 0);
    int64_t found[1];
    CHECK_INTS(found, ap_array_strides(a, found, 1), INTS(-200));
    CHECK_INT(*(int32_t *)ap_array_data(a), 300);
    ap_array_free(a);
    ap_free(line);
    ap_free(proxy);

    bytes data = {0};
    put_counted(&data, ELEMENTS, native_order());
    for (int pair = 0; pair < 2; pair++) {
        nifti n = pair ? nifti_pair(1, native_order(), AP_INT32, 3, shape)
                       : nifti_new(2, native_order(), AP_INT32, 3, shape);
        const char *path = temp_path(pair ? "kinds.img" : "kinds.nii");
        if (pair) {
            write_nifti_header(temp_path("kinds.hdr"), &n);
            write_bytes(path, &data);
        } else {
            write_nifti(path, &n, data.data, data.size);
        }
        test_note("pair %d", pair);
        CHECK_OK(ap_open(path, NULL, &proxy, &err));
        check_views(proxy, 0, AP_ARRAY_READONLY | AP_ARRAY_MAPPED, NULL);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&data);
}

static int32_t read_first(const ap_proxy *proxy)
{
    ap_slice first[3] = {ap_at(0), ap_at(0), ap_at(0)};
    int32_t value = -1;
    CHECK_OK(ap_read_slice(proxy, first, 3, AP_DISK, 0, &value, sizeof value, &err));
    return value;
}

/* What is written to a private view stays in it. */
static void test_private(void)
{
    static const char *options[] = {"", "keep_open=0"};
    for (int i = 0; i < COUNT(options); i++) {
        const char *path = write_image("private");
        bytes before = {0}, after = {0};
        ap_proxy *proxy = open_file(path, AP_ORDER_F, options[i]);
        test_note("\"%s\"", options[i]);
        read_file(&before, path);
        ap_array *plain = view(proxy, NULL, 0, 0);
        ap_array *mine = view(proxy, NULL, 0, AP_READ_PRIVATE);
        ap_array *other = view(proxy, NULL, 0, AP_READ_PRIVATE);
        int32_t *values = ap_array_data(mine);
        for (int k = 0; k < ELEMENTS; k++)
            values[k] = -5;
        ap_array *later = view(proxy, NULL, 0, 0);
        ap_array *late = view(proxy, NULL, 0, AP_READ_PRIVATE);
        CHECK_INT(values[0], -5);
        CHECK_INT(((int32_t *)ap_array_data(plain))[0], 0);
        CHECK_INT(((int32_t *)ap_array_data(plain))[ELEMENTS - 1], ELEMENTS - 1);
        CHECK_INT(((int32_t *)ap_array_data(other))[0], 0);
        CHECK_INT(((int32_t *)ap_array_data(later))[0], 0);
        CHECK_INT(((int32_t *)ap_array_data(late))[0], 0);
        CHECK_INT(read_first(proxy), 0);
        read_file(&after, path);
        CHECK_INT(after.size, before.size);
        CHECK_BYTES(after.data, before.data, before.size);
        ap_free(proxy);
        ap_array_free(plain);
        ap_array_free(later);
        ap_array_free(other);
        CHECK_INT(values[ELEMENTS - 1], -5);
        ((int32_t *)ap_array_data(late))[1] = 7;
        CHECK_INT(values[1], -5);
        ap_array_free(mine);
        CHECK_INT(((int32_t *)ap_array_data(late))[1], 7);
        ap_array_free(late);
        bytes_free(&before);
        bytes_free(&after);
    }
    test_note("");

    /* Of a part, backwards; and a file that may be read only. */
    const char *path = write_image("guarded");
    CHECK(chmod(path, 0400) == 0);
    ap_proxy *proxy = open_file(path, AP_ORDER_F, "");
    ap_slice part[3] = {ap_range(AP_NONE, AP_NONE, -1), ap_at(6), ap_at(4)};
    ap_array *mine = view(proxy, part, 3, AP_READ_PRIVATE);
    int32_t *values = ap_array_data(mine);
    CHECK_INT(values[0], ELEMENTS - 1);
    for (int k = 0; k < 9; k++)
        values[-k] = 1000 + k;
    CHECK_INT(values[-8], 1008);
    ap_array *plain = view(proxy, part, 3, 0);
    CHECK_INT(*(int32_t *)ap_array_data(plain), ELEMENTS - 1);
    ap_array_free(plain);
    ap_array_free(mine);
    ap_free(proxy);
}

/* No view of what is decoded, or neither mapped nor in memory. */
static void test_no_view(void)
{
    static const uint32_t flags[] = {0, AP_READ_RAW, AP_READ_PRIVATE};
    bytes b = {0};
    put_image(&b, native_order());
    ap_slice part[2] = {ap_at(1), ap_at(2)};
    for (int access = 0; access < ACCESSES; access++) {
        if (access == ACCESS_MEMORY || access == ACCESS_MAPPED)
            continue;
        ap_proxy *proxy = layout_by(access, &b, AP_INT32, native_order(), 3, shape, AP_ORDER_F,
                                    OFFSET, 1, 0);
        test_note("%s", access_name(access));
        for (int f = 0; f < COUNT(flags); f++) {
            refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, flags[f]);
            refuse(AP_ERR_NO_VIEW, proxy, part, 2, flags[f]);
        }
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&b);

    /* A gzip file, with the options of all: it would be mapped if it could. */
    bytes plain = {0}, packed = {0};
    nifti n = nifti_new(1, native_order(), AP_INT32, 3, shape);
    bytes data = {0};
    put_counted(&data, ELEMENTS, native_order());
    put_nifti(&plain, &n, data.data, data.size);
    put_gzip(&packed, plain.data, plain.size, GZIP_FIXED);
    write_bytes(temp_path("packed.nii.gz"), &packed);
    ap_proxy *proxy = NULL;
    CHECK_OK(ap_open(temp_path("packed.nii.gz"), NULL, &proxy, &err));
    CHECK_INT(read_first(proxy), 0);
    refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, 0);
    ap_free(proxy);
    bytes_free(&data);
    bytes_free(&plain);
    bytes_free(&packed);
}

/* Types whose byte order is the machine's or not. */
static void test_byte_order(void)
{
    static const struct {
        ap_dtype dtype;
        int one_byte;       /* elements that are no numbers of several bytes */
    } cases[] = {
        {AP_BOOL, 1},    {AP_INT8, 1},      {AP_UINT8, 1},     {AP_RGB24, 1},     {AP_RGBA32, 1},
        {AP_INT16, 0},   {AP_INT32, 0},     {AP_INT64, 0},     {AP_UINT16, 0},    {AP_UINT32, 0},
        {AP_UINT64, 0},  {AP_FLOAT16, 0},   {AP_FLOAT32, 0},   {AP_FLOAT64, 0},   {AP_COMPLEX64, 0},
        {AP_COMPLEX128, 0},
    };
    static const int64_t four[1] = {4};
    static uint64_t memory[8];      /* false, zero and black */
    ap_source *source = NULL;
    CHECK_OK(ap_source_memory(memory, sizeof memory, NULL, NULL, &source, &err));
    for (int c = 0; c < COUNT(cases); c++)
        for (int byte_order = AP_LITTLE; byte_order <= AP_BIG; byte_order++) {
            ap_proxy *proxy = open_at(source, cases[c].dtype, byte_order, 1, four, AP_ORDER_F, 0,
                                      1, "");
            test_note("%s, byte order %d", ap_dtype_name(cases[c].dtype), byte_order);
            if (cases[c].one_byte || byte_order == native_order()) {
                ap_array *a = view(proxy, NULL, 0, 0);
                CHECK_INT(ap_array_dtype(a), cases[c].dtype);
                CHECK(ap_array_data(a) == memory);
                ap_array_free(a);
            } else {
                refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, 0);
                refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, AP_READ_RAW);
            }
            ap_free(proxy);
        }
    test_note("");
    ap_source_free(source);
}

/* Elements are to be where a pointer to their unit may point. */
static void test_alignment(void)
{
    static const struct {
        ap_dtype dtype;
        int unit;
    } cases[] = {
        {AP_INT8, 1},      {AP_RGB24, 1},   {AP_RGBA32, 1},   {AP_INT16, 2},   {AP_FLOAT16, 2},
        {AP_INT32, 4},     {AP_FLOAT32, 4}, {AP_COMPLEX64, 4}, {AP_INT64, 8},  {AP_FLOAT64, 8},
        {AP_COMPLEX128, 8},
    };
    static const int64_t three[1] = {3};
    static uint64_t memory[12];
    write_file(temp_path("aligned"), memory, sizeof memory);
    for (int where = 0; where < 2; where++)
        for (int base = 0; base < (where ? 1 : 3); base++)
            for (int c = 0; c < COUNT(cases); c++)
                for (int offset = 0; offset <= 16; offset++) {
                    ap_source *source = NULL;
                    char *begin = (char *)memory + base;
                    if (where)
                        CHECK_OK(ap_source_file(temp_path("aligned"), &source, &err));
                    else
                        CHECK_OK(ap_source_memory(begin, sizeof memory - 8, NULL, NULL, &source,
                                                  &err));
                    ap_proxy *proxy = open_at(source, cases[c].dtype, native_order(), 1, three,
                                              AP_ORDER_F, (uint64_t)offset, 1, "");
                    ap_source_free(source);
                    test_note("%s at %d, %s %d", ap_dtype_name(cases[c].dtype), offset,
                              where ? "file" : "memory", base);
                    if ((base + offset) % cases[c].unit == 0) {
                        ap_array *a = view(proxy, NULL, 0, 0);
                        CHECK_INT((uintptr_t)ap_array_data(a) % (unsigned)cases[c].unit, 0);
                        CHECK(where || ap_array_data(a) == begin + offset);
                        ap_array_free(a);
                    } else {
                        refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, 0);
                    }
                    ap_free(proxy);
                }
    test_note("");
}

/* Stored elements are not the values that were asked for. */
static void test_scaled(void)
{
    const char *path = write_image("scaled");
    ap_source *source = NULL;
    CHECK_OK(ap_source_file(path, &source, &err));
    ap_proxy *proxy = open_at(source, AP_INT32, native_order(), 3, shape, AP_ORDER_F, OFFSET, 0.5,
                              "");
    ap_source_free(source);
    refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, 0);
    refuse(AP_ERR_NO_VIEW, proxy, NULL, 0, AP_READ_PRIVATE);
    check_views(proxy, AP_READ_RAW, AP_ARRAY_READONLY | AP_ARRAY_MAPPED, NULL);
    check_views(proxy, AP_READ_RAW | AP_READ_PRIVATE, AP_ARRAY_MAPPED, NULL);
    ap_free(proxy);
}

static void test_refused(void)
{
    static const uint32_t unknown[] = {AP_READ_C, AP_READ_ROUND, AP_READ_CHECKED,
                                       AP_READ_UNCACHED, AP_READ_RAW | AP_READ_C, 64, 1u << 31};
    bytes b = {0};
    put_image(&b, native_order());
    ap_proxy *proxies[2] = {open_memory(b.data, b.size, AP_ORDER_F),
                            open_file(write_image("refused"), AP_ORDER_F, "")};
    for (int i = 0; i < 2; i++) {
        ap_slice far[2] = {ap_all(), ap_at(7)}, odd = ap_all();
        ap_slice many[4] = {ap_all(), ap_all(), ap_all(), ap_all()};
        ap_slice rests[2] = {ap_rest(), ap_rest()};
        test_note("source %d", i);
        for (int k = 0; k < COUNT(unknown); k++)
            refuse(AP_ERR_ARGUMENT, proxies[i], NULL, 0, unknown[k]);
        refuse(AP_ERR_INDEX, proxies[i], far, 2, 0);
        refuse(AP_ERR_INDEX, proxies[i], many, 4, 0);
        refuse(AP_ERR_INDEX, proxies[i], rests, 2, 0);
        refuse(AP_ERR_ARGUMENT, proxies[i], far, -1, 0);
        odd.step = 0;
        refuse(AP_ERR_ARGUMENT, proxies[i], &odd, 1, 0);
        odd = ap_all();
        odd.kind = 4;
        refuse(AP_ERR_ARGUMENT, proxies[i], &odd, 1, 0);
        ap_free(proxies[i]);
    }
    test_note("");
    bytes_free(&b);
}

/* Of data that end too early, what is there can be seen. */
static void test_truncated(void)
{
    bytes b = {0};
    put_image(&b, native_order());
    b.size -= 4 * 10;
    for (int mapped = 0; mapped < 2; mapped++) {
        write_bytes(temp_path("truncated"), &b);
        ap_proxy *proxy = mapped ? open_file(temp_path("truncated"), AP_ORDER_F, "")
                                 : open_memory(b.data, b.size, AP_ORDER_F);
        ap_slice last[3] = {ap_at(-1), ap_at(-1), ap_at(-1)};
        ap_slice edge[3] = {ap_at(7), ap_at(5), ap_at(4)};      /* the last that is there */
        ap_slice most[3] = {ap_all(), ap_all(), ap_range(AP_NONE, -1, 1)};
        ap_slice none[3] = {ap_range(0, 0, 1), ap_all(), ap_all()};
        test_note("mapped %d", mapped);
        refuse(AP_ERR_TRUNCATED, proxy, NULL, 0, 0);
        refuse(AP_ERR_TRUNCATED, proxy, last, 3, 0);
        edge[0] = ap_at(8);
        refuse(AP_ERR_TRUNCATED, proxy, edge, 3, 0);
        edge[0] = ap_at(7);
        ap_array *a = view(proxy, edge, 3, 0);
        CHECK_INT(*(int32_t *)ap_array_data(a), ELEMENTS - 11);
        ap_array_free(a);
        a = view(proxy, most, 3, 0);
        CHECK_INT(((int32_t *)ap_array_data(a))[63 * 4 - 1], 63 * 4 - 1);
        ap_array_free(a);
        a = view(proxy, none, 3, 0);
        CHECK(ap_array_data(a) == NULL);
        ap_array_free(a);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&b);
}

static void count_release(void *user)
{
    ++*(int *)user;
}

/* Views outlive all other handles, and hold what they show. */
static void test_outlive(void)
{
    bytes b = {0};
    put_image(&b, native_order());
    ap_source *source = NULL;
    int released = 0;
    CHECK_OK(ap_source_memory(b.data, b.size, count_release, &released, &source, &err));
    ap_proxy *proxy = open_at(source, AP_INT32, native_order(), 3, shape, AP_ORDER_F, OFFSET, 1,
                              "");
    ap_source_free(source);
    ap_slice last[3] = {ap_at(-1), ap_at(-1), ap_at(-1)};
    ap_array *whole = view(proxy, NULL, 0, 0), *part = view(proxy, last, 3, 0);
    ap_array *clone = ap_array_clone(part);
    ap_free(proxy);
    CHECK_INT(released, 0);
    CHECK_INT(((int32_t *)ap_array_data(whole))[1], 1);
    ap_array_free(whole);
    ap_array_free(part);
    CHECK_INT(released, 0);
    CHECK_INT(*(int32_t *)ap_array_data(clone), ELEMENTS - 1);
    ap_array_free(clone);
    CHECK_INT(released, 1);
    bytes_free(&b);

    /* The file may go. */
    for (int keep = 0; keep < 2; keep++) {
        const char *path = write_image("outlived");
        proxy = open_file(path, AP_ORDER_F, keep ? "" : "keep_open=0");
        whole = view(proxy, NULL, 0, 0);
        ap_free(proxy);
        CHECK(remove(path) == 0);
        int32_t *values = ap_array_data(whole);
        CHECK(values[0] == 0 && values[ELEMENTS - 1] == ELEMENTS - 1);
        ap_array_free(whole);
    }

    /* A view in an image is the image's memory. */
    proxy = open_file(write_image("imaged"), AP_ORDER_F, "");
    whole = view(proxy, NULL, 0, 0);
    ap_image *image = NULL;
    ap_array *data = NULL;
    CHECK_OK(ap_image_from_array(whole, NULL, NULL, 0, &image, &err));
    CHECK_OK(ap_image_data(image, AP_AUTO, 0, NULL, &data, &err));
    CHECK(ap_array_data(data) == ap_array_data(whole));
    CHECK_INT(ap_array_flags(data), AP_ARRAY_READONLY | AP_ARRAY_MAPPED);
    ap_free(proxy);
    ap_array_free(whole);
    ap_image_free(image);
    CHECK_INT(((int32_t *)ap_array_data(data))[ELEMENTS - 1], ELEMENTS - 1);
    ap_array_free(data);
}

/* More views at once than a process may have maps or open files. */
static void test_many(void)
{
    int many = test_small() ? 1000 : 70001, wrong = 0, before = open_files();
    ap_array **views = need(sizeof(ap_array *) * (size_t)many);
    ap_proxy *proxy = open_file(write_image("many"), AP_ORDER_F, "");
    for (int i = 0; i < many; i++) {
        ap_slice column[3] = {ap_all(), ap_at(i % 7), ap_at(i % 5)};
        if (ap_view(proxy, column, 3, 0, &views[i], &err) != AP_OK) {
            wrong++;
            break;
        }
    }
    CHECK_INT(wrong, 0);
    ap_free(proxy);
    CHECK(open_files() <= before + 1);
    for (int i = 0; i < many && !wrong; i++)
        wrong += *(int32_t *)ap_array_data(views[i]) != 9 * (i % 7 + 7 * (i % 5));
    CHECK_INT(wrong, 0);
    for (int i = 0; i < many; i++)
        ap_array_free(views[i]);
    CHECK_INT(open_files(), before);
    free(views);
}

/* A file that was cut since it was opened. */
static void test_cut(void)
{
    static const char *options[] = {"", "mmap=2", "keep_open=0"};
    for (int i = 0; i < COUNT(options); i++)
        for (int seen = 0; seen < 2; seen++) {
            const char *path = write_image("cut");
            ap_proxy *proxy = open_file(path, AP_ORDER_F, options[i]);
            ap_array *before = seen ? view(proxy, NULL, 0, 0) : NULL;
            test_note("\"%s\", seen %d", options[i], seen);
            CHECK(truncate(path, 100) == 0);
            for (uint32_t flags = 0; flags <= AP_READ_PRIVATE; flags += AP_READ_PRIVATE) {
                ap_array *array = MARKED(ap_array);
                ap_status status = ap_view(proxy, NULL, 0, flags, &array, &err);
                CHECK(status == AP_ERR_TRUNCATED || status == AP_ERR_CHANGED);
                CHECK(array == NULL);
            }
            ap_array_free(before);
            ap_free(proxy);
        }
    test_note("");
}

int main(void)
{
    test_memory();
    test_mapped();
    test_strides();
    test_kinds();
    test_private();
    test_no_view();
    test_byte_order();
    test_alignment();
    test_scaled();
    test_refused();
    test_truncated();
    test_outlive();
    test_many();
    test_cut();
    return test_end("view");
}
