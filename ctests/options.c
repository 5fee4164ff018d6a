/* Options: keys, ranges, the text form, and that opening copies them. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"

#include <stdio.h>
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
    {AP_OPT_TRUNCATED, "truncated", 0, 1},
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
                                    "parrec", "minc1",       "minc2",  "layout"};
    static const char *codecs[] = {"auto", "none", "gzip", "bzip2", "zstd"};
    static const char *wrong[] = {"",       "lzma", "GZIP", "gzip ", "nifti", "nifti3",
                                  "spm2 ",  "SPM2", "mgz",  "bz2",   "zst",   "zstd,gzip"};
    static const struct {
        int32_t key;
        const char *word;
    } words[] = {{AP_OPT_SCALING, "dv"},
                 {AP_OPT_SCALING, "fp"},
                 {AP_OPT_SORT, "plain"},
                 {AP_OPT_SORT, "strict"}};
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
    /* Words of PAR/REC, each its own key's. */
    for (int i = 0; i < COUNT(words); i++) {
        test_note("%s", words[i].word);
        CHECK_OK(ap_options_set_text(o, words[i].key, words[i].word, &err));
        for (int k = 0; k < COUNT(words); k++)
            if (words[k].key != words[i].key)
                CHECK_STATUS(ap_options_set_text(o, words[k].key, words[i].word, &err),
                             AP_ERR_OPTION);
        CHECK_STATUS(ap_options_set_int(o, words[i].key, 1, &err), AP_ERR_OPTION);
        CHECK_STATUS(ap_options_set_text(o, words[i].key, "", &err), AP_ERR_OPTION);
        CHECK_STATUS(ap_options_set_text(o, words[i].key, NULL, &err), AP_ERR_NULL);
    }
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_SCALING, "DV", &err), AP_ERR_OPTION);
    CHECK_STATUS(ap_options_set_text(o, AP_OPT_SORT, "strict ", &err), AP_ERR_OPTION);
    test_note("");
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
        "scaling=dv", "scaling=fp", "truncated=0", "truncated=1", "sort=plain", "sort=strict",
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
        "max_bytes=2,scaling=1",
        "scaling=plain,max_bytes=2",
        "max_bytes=2,sort=dv",
        "max_bytes=2,sort",
        "truncated=2,max_bytes=2",
        "max_bytes=2,truncated=yes",
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

/* A recording of two dynamics of two slices, of which `rows` are there. Its stored
 * values are 0, 1, 2 and 3. Returns the first value that is read, or the status. */
static double first_of_recording(int rows, const char *text)
{
    static const int places[4][2] = {{1, 2}, {2, 2}, {1, 1}, {2, 1}};
    static const unsigned char image[4] = {0, 1, 2, 3};
    char header[4000];
    int n = snprintf(header, sizeof header,
                     "# Research image export tool V4\n"
                     ". Max. number of slices/locations : 2\n"
                     ". Max. number of dynamics : 2\n"
                     ". Angulation midslice(ap,fh,rl)[degr]: 0 0 0\n"
                     ". Off Centre midslice(ap,fh,rl) [mm] : 0 0 0\n#\n");
    for (int i = 0; i < rows; i++)
        n += snprintf(header + n, sizeof header - (size_t)n,
                      "%d 1 %d 1 0 2 %d 8 62 1 1 -10 2 0.25 1 1 0 0 0 0 0 0 6 2 0 1 0 2 1 1 30 "
                      "0 0 0 1 90 0 0 0 39 0\n",
                      places[i][0], places[i][1], i);
    double value = 0;
    ap_source *parts[2] = {NULL, NULL};
    ap_proxy *proxy = MARKED(ap_proxy);
    ap_options *o = ap_options_new();
    CHECK_OK(ap_options_parse(o, text, &err));
    CHECK_OK(ap_source_memory(header, (size_t)n, NULL, NULL, &parts[0], &err));
    CHECK_OK(ap_source_memory(image, 4, NULL, NULL, &parts[1], &err));
    ap_status status = ap_open_source(parts[0], parts[1], o, &proxy, &err);
    if (status == AP_OK) {
        int64_t ndim = ap_ndim(proxy);
        ap_slice all[4] = {ap_at(0), ap_at(0), ap_at(0), ap_at(0)};
        CHECK_TEXT(ap_format(proxy), "parrec");
        CHECK_INT(ndim, rows < 4 ? 3 : 4);
        CHECK(rows == 4 || ap_warning(proxy, 0) != NULL);
        CHECK_OK(ap_read_slice(proxy, all, (int32_t)ndim, AP_AUTO, 0, &value, sizeof value, &err));
        ap_free(proxy);
    }
    ap_source_free(parts[0]);
    ap_source_free(parts[1]);
    ap_options_free(o);
    return status == AP_OK ? value : status;
}

/* Displayed values are 2 s - 10, floating point values those divided by 2 / 4. */
static void test_recordings(void)
{
    CHECK(first_of_recording(4, "") == -10);
    CHECK(first_of_recording(4, "scaling=dv,sort=plain,truncated=1,strict=1") == -10);
    CHECK(first_of_recording(4, "sort=strict") == -6);
    CHECK(first_of_recording(4, "scaling=fp") == -20);
    CHECK(first_of_recording(4, "scaling=fp,sort=strict") == -12);
    CHECK(first_of_recording(3, "") == AP_ERR_TRUNCATED);
    CHECK(first_of_recording(3, "truncated=0,sort=strict") == AP_ERR_TRUNCATED);
    CHECK(first_of_recording(3, "truncated=1") == -10);
    /* The first of slice 1 by its dynamic. */
    CHECK(first_of_recording(3, "truncated=1,sort=strict") == -6);
    CHECK(first_of_recording(2, "truncated=1,format=parrec") == -10);
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

    /* What is for another format changes nothing. */
    CHECK_OK(open_with(&plain, "scaling=fp,truncated=1,sort=strict,strict=1"));

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
    test_recordings();
    return test_end("options");
}
