/* Options: keys, ranges, the text form, and that opening copies them. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"

#include <string.h>

static const struct {
    int32_t key;
    const char *name;
    int64_t low, high;
} numbers[] = {
    {AP_OPT_MMAP, "mmap", 0, 2},
    {AP_OPT_KEEP_OPEN, "keep_open", 0, 1},
    {AP_OPT_THREADS, "threads", 0, 1024},
    {AP_OPT_CACHE_BYTES, "cache_bytes", 0, INT64_MAX},
    {AP_OPT_MAX_BYTES, "max_bytes", 1, INT64_MAX},
    {AP_OPT_INDEX_MODE, "index_mode", 0, 2},
    {AP_OPT_INDEX_SPACING, "index_spacing", 65536, INT64_MAX},
    {AP_OPT_VERIFY, "verify", 0, 1},
    {AP_OPT_STRICT, "strict", 0, 1},
};

static void test_ranges(void)
{
    ap_options *o = ap_options_new();
    CHECK(o != NULL);
    for (int i = 0; i < COUNT(numbers); i++) {
        test_note("%s", numbers[i].name);
        err_mark();
        CHECK_OK(ap_options_set_int(o, numbers[i].key, numbers[i].low, &err));
        CHECK_OK(ap_options_set_int(o, numbers[i].key, numbers[i].high, &err));
        CHECK(err_untouched());
        CHECK_STATUS(ap_options_set_int(o, numbers[i].key, -1, &err), AP_ERR_OPTION);
        CHECK_INT(err.code, AP_ERR_OPTION);
        CHECK_STATUS(ap_options_set_int(o, numbers[i].key, INT64_MIN, &err), AP_ERR_OPTION);
        if (numbers[i].high < INT64_MAX) {
            CHECK_STATUS(ap_options_set_int(o, numbers[i].key, numbers[i].high + 1, &err),
                         AP_ERR_OPTION);
            CHECK_STATUS(ap_options_set_int(o, numbers[i].key, INT64_MAX, &err),
                         AP_ERR_OPTION);
        }
        CHECK_STATUS(ap_options_set_text(o, numbers[i].key, "maybe", &err), AP_ERR_OPTION);
    }
    test_note("");
    /* 0 stands for what the library chooses; what is too near is none. */
    CHECK_OK(ap_options_set_int(o, AP_OPT_INDEX_SPACING, 0, &err));
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_INDEX_SPACING, 1, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_INDEX_SPACING, 65535, &err), AP_ERR_OPTION);
    CHECK_OK(ap_options_set_int(o, AP_OPT_FACTOR_TYPE, AP_FLOAT32, &err));
    CHECK_OK(ap_options_set_int(o, AP_OPT_FACTOR_TYPE, AP_FLOAT64, &err));
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_FACTOR_TYPE, AP_FLOAT16, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_FACTOR_TYPE, AP_INT32, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_FACTOR_TYPE, 0, &err), AP_ERR_OPTION);
    ap_options_free(o);
}

static void test_texts(void)
{
    static const char *formats[] = {"nifti1", "nifti1-pair", "nifti2", "nifti2-pair", "analyze",
                                    "spm99",  "spm2",        "mgh",    "afni",        "ecat",
                                    "minc1",  "layout"};
    static const char *codecs[] = {"auto", "none", "gzip", "bzip2", "zstd"};
    static const char *wrong[] = {"",       "lzma", "GZIP", "gzip ", "nifti", "nifti3",
                                  "spm2 ",  "SPM2", "mgz",  "bz2",   "zst",   "zstd,gzip"};
    ap_options *o = ap_options_new();
    for (int i = 0; i < COUNT(formats); i++)
        CHECK_OK(ap_options_set_text(o, AP_OPT_FORMAT, formats[i], &err));
    for (int i = 0; i < COUNT(codecs); i++)
        CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, codecs[i], &err));
    for (int i = 0; i < COUNT(wrong); i++) {
        test_note("\"%s\"", wrong[i]);
        CHECK_STATUS(ap_options_set_text(o, AP_OPT_FORMAT, wrong[i], &err), AP_ERR_OPTION);
        CHECK_STATUS(ap_options_set_text(o, AP_OPT_CODEC, wrong[i], &err), AP_ERR_OPTION);
    }
    test_note("");
    /* Formats are no codecs, and codecs no formats. */
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_CODEC, "mgh", &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_FORMAT, "zstd", &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_FORMAT, "auto", &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_FORMAT, 1, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_CODEC, 0, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_CODEC, NULL, &err), AP_ERR_NULL);
    /* Any path will do. */
    CHECK_OK(ap_options_set_text(o, AP_OPT_INDEX_PATH, "auto", &err));
    CHECK_OK(ap_options_set_text(o, AP_OPT_INDEX_PATH, "some/path, or not.gzidx", &err));
    CHECK_OK(ap_options_set_text(o, AP_OPT_INDEX_PATH, "", &err));
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_INDEX_PATH, NULL, &err), AP_ERR_NULL);
    CHECK_STATUS(ap_options_set_int(o, AP_OPT_INDEX_PATH, 1, &err), AP_ERR_OPTION);
    /* Not a name at all, as it is no UTF-8. */
    CHECK(ap_options_set_text(o, AP_OPT_CODEC, "gzip\xff", &err) < 0);
    ap_options_free(o);
}

static void check_unknown(int32_t key)
{
    ap_options *o = ap_options_new();
    test_note("key %d", key);
    CHECK_STATUS(ap_options_set_int(o, key, 1, &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_text(o, key, "1", &err), AP_ERR_OPTION);
    CHECK_INT(err.code, AP_ERR_OPTION);
    CHECK_INT(err.os_error, 0);
    ap_options_free(o);
    test_note("");
}

/* Keys that the header does not have are unknown to the library. */
static void test_unknown_keys(void)
{
    static const int32_t unknown[] = {0, -1, 18, 1000, INT32_MAX, INT32_MIN};
    for (int i = 0; i < COUNT(unknown); i++)
        check_unknown(unknown[i]);
#ifndef AP_OPT_SCALING
    check_unknown(13);
#endif
#ifndef AP_OPT_TRUNCATED
    check_unknown(14);
#endif
#ifndef AP_OPT_SORT
    check_unknown(15);
#endif
#ifndef AP_OPT_OPEN_FILES
    check_unknown(17);
#endif
}

/* Bytes that a read may make under these options: up to 8, or more. */
static int reads_with(const ap_options *o, size_t nbytes)
{
    static const unsigned char data[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const int64_t shape[1] = {8};
    unsigned char out[8];
    ap_source *source = NULL;
    ap_proxy *proxy = NULL;
    ap_slice part = ap_range(0, (int64_t)nbytes, 1);
    ap_status status;
    CHECK_OK(ap_source_memory(data, sizeof data, NULL, NULL, &source, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, shape, AP_ORDER_F, 0, 1, 0, o,
                            &proxy, &err));
    status = ap_read_slice(proxy, &part, 1, AP_DISK, 0, out, sizeof out, NULL);
    ap_free(proxy);
    ap_source_free(source);
    CHECK(status == AP_OK || status == AP_ERR_MEMORY);
    return status == AP_OK;
}

static void test_parse(void)
{
    static const char *good[] = {
        "format=layout", "codec=auto",  "codec=none", "mmap=0", "mmap=1",   "keep_open=0",
        "max_bytes=5",   "verify=0",    "strict=0",   "strict=1", "factor_type=772",
        "factor_type=float32", "threads=0", "threads=7", "cache_bytes=0",
        "cache_bytes=1000000000000", "index_mode=0", "index_mode=2", "index_spacing=0",
        "index_spacing=65536", "index_path=", "index_path=auto", "index_path=/no/such/file",
        "mmap=0,keep_open=0,verify=1", "max_bytes=7,strict=0,codec=none,format=layout"};
    for (int i = 0; i < COUNT(good); i++) {
        ap_options *o = ap_options_new();
        test_note("%s", good[i]);
        err_mark();
        CHECK_OK(ap_options_parse(o, good[i], &err));
        CHECK(err_untouched());
        CHECK_INT(reads_with(o, 5), 1);
        CHECK_INT(reads_with(o, 6), strcmp(good[i], "max_bytes=5") != 0);
        CHECK_INT(reads_with(o, 8), !strstr(good[i], "max_bytes"));
        ap_options_free(o);
    }
    test_note("");
}

/* One wrong part, wherever it stands, and nothing at all is set. */
static void test_all_or_nothing(void)
{
    static const char *bad[] = {
        "max_bytes=2,mmap=3",
        "mmap=-1,max_bytes=2",
        "max_bytes=2,nonsense=1",
        "max_bytes=2,codec=lzma",
        "codec=lzma,max_bytes=2",
        "max_bytes=2,format=nifti9",
        "max_bytes=2,factor_type=1",
        "max_bytes=2,strict",
        "max_bytes=2,strict=",
        "max_bytes=2,=1",
        "max_bytes=2,MMAP=1",
        "max_bytes=2,mmap=one",
        "max_bytes=2,mmap=1x",
        "max_bytes=2,mmap=1.0",
        "max_bytes=2,mmap=99999999999999999999",
        "max_bytes=2,threads=-1",
        "max_bytes=2,threads=1025",
        "cache_bytes=-1,max_bytes=2",
        "max_bytes=2,cache_bytes=32M",
        "max_bytes=2,index_mode=3",
        "max_bytes=2,index_mode=grow",
        "index_spacing=65535,max_bytes=2",
        "max_bytes=2,index_spacing=-65536",
        "max_bytes=2,index_path",
        "max_bytes=2,AP_OPT_MMAP=1",
        "max_bytes=2,3=1",
        "max_bytes=2;mmap=1",
        "max_bytes",
        "max_bytes=-1",
    };
    for (int i = 0; i < COUNT(bad); i++) {
        ap_options *o = ap_options_new();
        test_note("%s", bad[i]);
        CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 6, &err));
        CHECK_STATUS(ap_options_parse(o, bad[i], &err), AP_ERR_OPTION);
        CHECK_INT(err.code, AP_ERR_OPTION);
        CHECK_INT(reads_with(o, 6), 1);
        CHECK_INT(reads_with(o, 7), 0);
        ap_options_free(o);
    }
    test_note("");
}

/* The last of two values holds. */
static void test_again(void)
{
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 3, &err));
    CHECK_OK(ap_options_parse(o, "max_bytes=7", &err));
    CHECK_INT(reads_with(o, 7), 1);
    CHECK_INT(reads_with(o, 8), 0);
    CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 4, &err));
    CHECK_INT(reads_with(o, 5), 0);
    CHECK_INT(reads_with(NULL, 8), 1);
    ap_options_free(o);
}

/* Freed or changed options change no handle; a text is copied. */
static void test_copied(void)
{
    static const int64_t shape[1] = {4};
    unsigned char out[16];
    char text[] = "none";
    bytes b = {0};
    ap_source *source;
    ap_proxy *proxy = NULL;
    ap_options *o = ap_options_new();
    put_gzip(&b, "abcdabcdabcdabcd", 16, 0);
    CHECK_OK(ap_source_memory(b.data, b.size, NULL, NULL, &source, &err));
    CHECK_OK(ap_options_set_text(o, AP_OPT_CODEC, text, &err));
    memcpy(text, "gzip", 4);
    CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 2, &err));
    CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 1, shape, AP_ORDER_F, 0, 1, 0, o,
                            &proxy, &err));
    CHECK_TEXT(ap_codec(proxy), "none");
    CHECK_OK(ap_options_set_int(o, AP_OPT_MAX_BYTES, 100, &err));
    CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_MEMORY);
    ap_options_free(o);
    CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_MEMORY);
    ap_free(proxy);
    ap_source_free(source);
    bytes_free(&b);
}

static ap_status open_with(const bytes *b, const char *text)
{
    ap_source *source = NULL;
    ap_proxy *proxy = MARKED(ap_proxy);
    ap_options *o = ap_options_new();
    ap_status status;
    CHECK_OK(ap_options_parse(o, text, &err));
    CHECK_OK(ap_source_memory(b->data, b->size, NULL, NULL, &source, &err));
    status = ap_open_source(source, NULL, o, &proxy, &err);
    CHECK((status == AP_OK) == (proxy != NULL));
    if (status == AP_OK)
        ap_free(proxy);
    ap_source_free(source);
    ap_options_free(o);
    return status;
}

/* What the keys do when a file is opened. */
static void test_effects(void)
{
    static const int64_t shape[2] = {3, 2};
    nifti n = nifti_new(1, AP_LITTLE, AP_UINT8, 2, shape);
    bytes plain = {0}, packed = {0}, odd = {0};
    put_nifti(&plain, &n, "abcdef", 6);
    put_gzip(&packed, plain.data, plain.size, 0);
    n.qform_code = 77;
    put_nifti(&odd, &n, "abcdef", 6);

    CHECK_OK(open_with(&plain, "format=nifti1"));
    CHECK_STATUS(open_with(&plain, "format=layout"), AP_ERR_OPTION);
    CHECK(open_with(&plain, "format=nifti2") < 0);
    CHECK_STATUS(open_with(&plain, "format=mgh"), AP_ERR_HEADER);
    CHECK_STATUS(open_with(&plain, "format=spm2"), AP_ERR_NOT_FOUND);
    CHECK_OK(open_with(&plain, "codec=none"));
    CHECK_OK(open_with(&plain, "codec=gzip,codec=auto"));
    CHECK_STATUS(open_with(&plain, "codec=gzip"), AP_ERR_CODEC);
    CHECK_OK(open_with(&plain, "codec=auto,mmap=2,strict=1"));

    /* By path, and with a layout. */
    ap_options *o = ap_options_new();
    ap_proxy *proxy = MARKED(ap_proxy);
    ap_source *source = NULL;
    write_bytes(temp_path("plain.nii"), &plain);
    CHECK_OK(ap_options_set_text(o, AP_OPT_FORMAT, "layout", &err));
    CHECK_STATUS(ap_open(temp_path("plain.nii"), o, &proxy, &err), AP_ERR_OPTION);
    CHECK_OK(ap_options_set_text(o, AP_OPT_FORMAT, "nifti1", &err));
    CHECK_OK(ap_source_memory(plain.data, plain.size, NULL, NULL, &source, &err));
    CHECK_STATUS(ap_open_layout(source, AP_UINT8, AP_LITTLE, 2, shape, AP_ORDER_F, 352, 1, 0, o,
                                &proxy, &err),
                 AP_ERR_OPTION);
    ap_source_free(source);
    ap_options_free(o);

    CHECK_OK(open_with(&packed, "codec=gzip"));
    CHECK_OK(open_with(&packed, "codec=auto,mmap=1"));
    CHECK_STATUS(open_with(&packed, "codec=bzip2"), AP_ERR_CODEC);
    CHECK_STATUS(open_with(&packed, "codec=zstd"), AP_ERR_CODEC);
    CHECK_STATUS(open_with(&packed, "codec=none"), AP_ERR_FORMAT);
    CHECK_STATUS(open_with(&packed, "mmap=2"), AP_ERR_UNSUPPORTED);

    CHECK_OK(open_with(&odd, "strict=0"));
    CHECK_STATUS(open_with(&odd, "strict=1"), AP_ERR_HEADER);
    bytes_free(&plain);
    bytes_free(&packed);
    bytes_free(&odd);
}

int main(void)
{
    test_ranges();
    test_texts();
    test_unknown_keys();
    test_parse();
    test_all_or_nothing();
    test_again();
    test_copied();
    test_effects();
    return test_end("options");
}
