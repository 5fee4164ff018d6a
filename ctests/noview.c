/* ap_view where elements are not in memory as they are asked for, or not there. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"
#include "support/views.h"

#include <unistd.h>

/* No view of what is decoded, or neither mapped nor in memory. */
static void test_no_view(void)
{
    static const uint32_t flags[] = {0, AP_READ_RAW, AP_READ_PRIVATE};
    bytes b = {0};
    put_viewed(&b, native_order());
    ap_slice part[2] = {ap_at(1), ap_at(2)};
    for (int access = 0; access < ACCESSES; access++) {
        if (access == ACCESS_MEMORY || access == ACCESS_MAPPED)
            continue;
        ap_proxy *proxy = layout_by(access, &b, AP_INT32, native_order(), 3, viewed_shape,
                                    AP_ORDER_F, VIEWED_AT, 1, 0);
        test_note("%s", access_name(access));
        for (int f = 0; f < COUNT(flags); f++) {
            check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, flags[f]);
            check_no_view(AP_ERR_NO_VIEW, proxy, part, 2, flags[f]);
        }
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&b);

    /* A gzip file, with the options of all: it would be mapped if it could. */
    bytes plain = {0}, packed = {0};
    nifti n = nifti_new(1, native_order(), AP_INT32, 3, viewed_shape);
    bytes data = {0};
    put_counted(&data, VIEWED, native_order());
    put_nifti(&plain, &n, data.data, data.size);
    put_gzip(&packed, plain.data, plain.size, GZIP_FIXED);
    write_bytes(temp_path("packed.nii.gz"), &packed);
    ap_proxy *proxy = NULL;
    CHECK_OK(ap_open(temp_path("packed.nii.gz"), NULL, &proxy, &err));
    CHECK_INT(read_first(proxy), 0);
    check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, 0);
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
            ap_proxy *proxy = open_parsed(source, cases[c].dtype, byte_order, 1, four, AP_ORDER_F,
                                          0, 1, "");
            test_note("%s, byte order %d", ap_dtype_name(cases[c].dtype), byte_order);
            if (cases[c].one_byte || byte_order == native_order()) {
                ap_array *a = view_of(proxy, NULL, 0, 0);
                CHECK_INT(ap_array_dtype(a), cases[c].dtype);
                CHECK(ap_array_data(a) == memory);
                ap_array_free(a);
            } else {
                check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, 0);
                check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, AP_READ_RAW);
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
                    ap_proxy *proxy = open_parsed(source, cases[c].dtype, native_order(), 1, three,
                                                  AP_ORDER_F, (uint64_t)offset, 1, "");
                    ap_source_free(source);
                    test_note("%s at %d, %s %d", ap_dtype_name(cases[c].dtype), offset,
                              where ? "file" : "memory", base);
                    if ((base + offset) % cases[c].unit == 0) {
                        ap_array *a = view_of(proxy, NULL, 0, 0);
                        CHECK_INT((uintptr_t)ap_array_data(a) % (unsigned)cases[c].unit, 0);
                        CHECK(where || ap_array_data(a) == begin + offset);
                        ap_array_free(a);
                    } else {
                        check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, 0);
                    }
                    ap_free(proxy);
                }
    test_note("");
}

/* Stored elements are not the values that were asked for. */
static void test_scaled(void)
{
    const char *path = write_viewed("scaled");
    ap_source *source = NULL;
    CHECK_OK(ap_source_file(path, &source, &err));
    ap_proxy *proxy = open_parsed(source, AP_INT32, native_order(), 3, viewed_shape, AP_ORDER_F,
                                  VIEWED_AT, 0.5, "");
    ap_source_free(source);
    check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, 0);
    check_no_view(AP_ERR_NO_VIEW, proxy, NULL, 0, AP_READ_PRIVATE);
    check_views(proxy, AP_READ_RAW, AP_ARRAY_READONLY | AP_ARRAY_MAPPED, NULL);
    check_views(proxy, AP_READ_RAW | AP_READ_PRIVATE, AP_ARRAY_MAPPED, NULL);
    ap_free(proxy);
}

static void test_refused(void)
{
    static const uint32_t unknown[] = {AP_READ_C, AP_READ_ROUND, AP_READ_CHECKED,
                                       AP_READ_UNCACHED, AP_READ_RAW | AP_READ_C, 64, 1u << 31};
    bytes b = {0};
    put_viewed(&b, native_order());
    ap_proxy *proxies[2] = {open_viewed_memory(b.data, b.size, AP_ORDER_F),
                            open_viewed(write_viewed("refused"), AP_ORDER_F, "")};
    for (int i = 0; i < 2; i++) {
        ap_slice far[2] = {ap_all(), ap_at(7)}, odd = ap_all();
        ap_slice many[4] = {ap_all(), ap_all(), ap_all(), ap_all()};
        ap_slice rests[2] = {ap_rest(), ap_rest()};
        test_note("source %d", i);
        for (int k = 0; k < COUNT(unknown); k++)
            check_no_view(AP_ERR_ARGUMENT, proxies[i], NULL, 0, unknown[k]);
        check_no_view(AP_ERR_INDEX, proxies[i], far, 2, 0);
        check_no_view(AP_ERR_INDEX, proxies[i], many, 4, 0);
        check_no_view(AP_ERR_INDEX, proxies[i], rests, 2, 0);
        check_no_view(AP_ERR_ARGUMENT, proxies[i], far, -1, 0);
        odd.step = 0;
        check_no_view(AP_ERR_ARGUMENT, proxies[i], &odd, 1, 0);
        odd = ap_all();
        odd.kind = 4;
        check_no_view(AP_ERR_ARGUMENT, proxies[i], &odd, 1, 0);
        ap_free(proxies[i]);
    }
    test_note("");
    bytes_free(&b);
}

/* Of data that end too early, what is there can be seen. */
static void test_truncated(void)
{
    bytes b = {0};
    put_viewed(&b, native_order());
    b.size -= 4 * 10;
    for (int mapped = 0; mapped < 2; mapped++) {
        write_bytes(temp_path("truncated"), &b);
        ap_proxy *proxy = mapped ? open_viewed(temp_path("truncated"), AP_ORDER_F, "")
                                 : open_viewed_memory(b.data, b.size, AP_ORDER_F);
        ap_slice last[3] = {ap_at(-1), ap_at(-1), ap_at(-1)};
        ap_slice edge[3] = {ap_at(7), ap_at(5), ap_at(4)};      /* the last that is there */
        ap_slice most[3] = {ap_all(), ap_all(), ap_range(AP_NONE, -1, 1)};
        ap_slice none[3] = {ap_range(0, 0, 1), ap_all(), ap_all()};
        test_note("mapped %d", mapped);
        check_no_view(AP_ERR_TRUNCATED, proxy, NULL, 0, 0);
        check_no_view(AP_ERR_TRUNCATED, proxy, last, 3, 0);
        edge[0] = ap_at(8);
        check_no_view(AP_ERR_TRUNCATED, proxy, edge, 3, 0);
        edge[0] = ap_at(7);
        ap_array *a = view_of(proxy, edge, 3, 0);
        CHECK_INT(*(int32_t *)ap_array_data(a), VIEWED - 11);
        ap_array_free(a);
        a = view_of(proxy, most, 3, 0);
        CHECK_INT(((int32_t *)ap_array_data(a))[63 * 4 - 1], 63 * 4 - 1);
        ap_array_free(a);
        a = view_of(proxy, none, 3, 0);
        CHECK(ap_array_data(a) == NULL);
        ap_array_free(a);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&b);
}

/* A file that was cut since it was opened. */
static void test_cut(void)
{
    static const char *options[] = {"", "mmap=2", "keep_open=0"};
    for (int i = 0; i < COUNT(options); i++)
        for (int seen = 0; seen < 2; seen++) {
            const char *path = write_viewed("cut");
            ap_proxy *proxy = open_viewed(path, AP_ORDER_F, options[i]);
            ap_array *before = seen ? view_of(proxy, NULL, 0, 0) : NULL;
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
    test_no_view();
    test_byte_order();
    test_alignment();
    test_scaled();
    test_refused();
    test_truncated();
    test_cut();
    return test_end("noview");
}
