/* Opening: formats found by content, pairs by either name, what is refused. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/nifti.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t shape[3] = {4, 3, 1};
static const char data[] = "abcdefghijkl";

static void check_open(const char *path, const char *format, const char *codec)
{
    ap_proxy *proxy = NULL;
    char out[12] = {0};
    const char *name = strrchr(path, '/');
    test_note("%s", name ? name + 1 : path);
    err_mark();
    if (CHECK_OK(ap_open(path, NULL, &proxy, &err))) {
        CHECK(err_untouched());
        CHECK_TEXT(ap_format(proxy), format);
        CHECK_TEXT(ap_codec(proxy), codec);
        CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
        CHECK_BYTES(out, data, 12);
    }
    ap_free(proxy);
    test_note("");
}

static void check_refused(const char *path, ap_status wanted, int os_error)
{
    ap_proxy *proxy = MARKED(ap_proxy);
    const char *name = strrchr(path, '/');
    test_note("%s", name && name[1] ? name + 1 : path);
    if (!CHECK_STATUS(ap_open(path, NULL, &proxy, &err), wanted)) {
        ap_free(proxy);
        return;
    }
    CHECK(proxy == NULL);
    CHECK_INT(err.code, wanted);
    if (os_error >= 0)
        CHECK_INT(err.os_error, os_error);
    CHECK_STATUS(ap_open(path, NULL, &proxy, NULL), wanted);
    test_note("");
}

/* Names say nothing about single files. */
static void test_single(void)
{
    static const char *names[] = {"a.nii", "a.NII", "a.nii.gz", "a", "a.gz", "a.txt",
                                  "a b,c.nii", ".nii", "\xc3\xa4.nii", "\xe4.nii"};
    for (int version = 1; version <= 2; version++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++)
            for (int i = 0; i < COUNT(names); i++) {
                nifti n = nifti_new(version, order, AP_UINT8, 3, shape);
                const char *format = version == 1 ? "nifti1" : "nifti2";
                bytes plain = {0};
                put_nifti(&plain, &n, data, 12);
                for (int codec = 0; codec < CODECS; codec++) {
                    bytes packed = {0};
                    put_packed(&packed, codec, plain.data, plain.size);
                    write_bytes(temp_path(names[i]), &packed);
                    check_open(temp_path(names[i]), format, codec_name(codec));
                    bytes_free(&packed);
                }
                remove(temp_path(names[i]));
                bytes_free(&plain);
            }
}

/* A pair opens by either name. `codec` is that of both files. */
static void check_pair(int version, const char *header_name, const char *image_name, int codec)
{
    nifti n = nifti_pair(version, AP_LITTLE, AP_UINT8, 3, shape);
    const char *format = version == 1 ? "nifti1-pair" : "nifti2-pair";
    bytes header = {0}, plain = {0}, image = {0};
    put_nifti_header(&plain, &n);
    put_packed(&header, codec, plain.data, plain.size);
    put_packed(&image, codec, data, 12);
    write_bytes(temp_path(header_name), &header);
    write_bytes(temp_path(image_name), &image);
    check_open(temp_path(header_name), format, codec_name(codec));
    check_open(temp_path(image_name), format, codec_name(codec));

    /* One half is missing: an error by either name. */
    remove(temp_path(image_name));
    check_refused(temp_path(header_name), AP_ERR_NOT_FOUND, -1);
    check_refused(temp_path(image_name), AP_ERR_NOT_FOUND, ENOENT);
    write_bytes(temp_path(image_name), &image);
    remove(temp_path(header_name));
    check_refused(temp_path(header_name), AP_ERR_NOT_FOUND, ENOENT);
    check_refused(temp_path(image_name), AP_ERR_NOT_FOUND, -1);
    remove(temp_path(image_name));
    bytes_free(&header);
    bytes_free(&plain);
    bytes_free(&image);
}

static void test_pairs(void)
{
    for (int version = 1; version <= 2; version++) {
        check_pair(version, "p.hdr", "p.img", CODEC_NONE);
        check_pair(version, "P.HDR", "P.IMG", CODEC_NONE);
        check_pair(version, "p.x.hdr", "p.x.img", CODEC_NONE);
        check_pair(version, "\xe4.hdr", "\xe4.img", CODEC_NONE);
        check_pair(version, "p.hdr.gz", "p.img.gz", CODEC_GZIP);
        check_pair(version, "p.hdr.bz2", "p.img.bz2", CODEC_BZIP2);
        check_pair(version, "p.hdr.zst", "p.img.zst", CODEC_ZSTD);
        check_pair(version, "P.HDR.ZST", "P.IMG.ZST", CODEC_ZSTD);
        check_pair(version, "p.hdr", "p.img.bz2", CODEC_BZIP2);
        check_pair(version, "p.hdr.bz2", "p.img", CODEC_BZIP2);
    }
}

/* Offsets into the image of a pair, whichever magic the header has. */
static void test_pair_offsets(void)
{
    static const double offsets[] = {0, 7, 16, 352, 400};
    for (int i = 0; i < COUNT(offsets); i++) {
        nifti n = nifti_pair(1, AP_LITTLE, AP_UINT8, 3, shape);
        bytes header = {0}, image = {0};
        n.vox_offset = offsets[i];
        if (offsets[i] == 0 || offsets[i] >= 352)
            n.magic = i % 2 ? "ni1" : "n+1";
        put_nifti_header(&header, &n);
        put_fill(&image, 'z', (size_t)offsets[i]);
        put(&image, data, 12);
        write_bytes(temp_path("o.hdr"), &header);
        write_bytes(temp_path("o.img"), &image);
        check_open(temp_path("o.hdr"), "nifti1-pair", "none");
        check_open(temp_path("o.img"), "nifti1-pair", "none");
        bytes_free(&header);
        bytes_free(&image);
    }
}

static void test_missing(void)
{
    char what[600];
    ap_proxy *proxy = MARKED(ap_proxy);
    CHECK(ap_open("", NULL, &proxy, &err) < 0);
    CHECK(proxy == NULL);
    check_refused(temp_path("missing.nii"), AP_ERR_NOT_FOUND, ENOENT);
    check_refused(temp_path("no/folder/missing.nii"), AP_ERR_NOT_FOUND, ENOENT);
    CHECK(symlink("nowhere", temp_path("dangling.nii")) == 0);
    check_refused(temp_path("dangling.nii"), AP_ERR_NOT_FOUND, ENOENT);
    CHECK(symlink("loop.nii", temp_path("loop.nii")) == 0);
    check_refused(temp_path("loop.nii"), AP_ERR_IO, ELOOP);
    memset(what, 'n', sizeof what);
    what[sizeof what - 1] = 0;
    check_refused(temp_path(what), AP_ERR_IO, ENAMETOOLONG);
}

/* Neither hangs on a pipe nor reads a device for ever. */
static void test_not_files(void)
{
    CHECK(mkdir(temp_path("folder.nii"), 0700) == 0);
    check_refused(temp_path("folder.nii"), AP_ERR_IO, EISDIR);
    check_refused(temp_path(""), AP_ERR_IO, EISDIR);
    CHECK(mkfifo(temp_path("pipe.nii"), 0600) == 0);
    check_refused(temp_path("pipe.nii"), AP_ERR_IO, -1);
    check_refused("/dev/null", AP_ERR_IO, -1);
    check_refused("/dev/zero", AP_ERR_IO, -1);
}

static void test_unknown_content(void)
{
    bytes b = {0};
    const int sizes[] = {0, 1, 2, 4, 10, 347, 348, 400, 540, 5000};
    for (int i = 0; i < COUNT(sizes); i++) {
        b.size = 0;
        put_fill(&b, 'x', (size_t)sizes[i]);
        write_bytes(temp_path("junk.nii"), &b);
        check_refused(temp_path("junk.nii"), AP_ERR_FORMAT, 0);
        b.size = 0;
        put_fill(&b, 0, (size_t)sizes[i]);
        write_bytes(temp_path("junk.nii"), &b);
        check_refused(temp_path("junk.nii"), AP_ERR_FORMAT, 0);
    }
    /* Junk that is well compressed. */
    bytes packed = {0};
    put_gzip(&packed, b.data, b.size, 0);
    write_bytes(temp_path("junk.nii.gz"), &packed);
    check_refused(temp_path("junk.nii.gz"), AP_ERR_FORMAT, 0);
    packed.size = 0;
    put_gzip(&packed, "", 0, 0);
    write_bytes(temp_path("junk.nii.gz"), &packed);
    check_refused(temp_path("junk.nii.gz"), AP_ERR_FORMAT, 0);
    bytes_free(&packed);
    bytes_free(&b);
}

/* A header cut anywhere never crashes and never opens. */
static void test_cut_headers(void)
{
    for (int version = 1; version <= 2; version++) {
        nifti n = nifti_new(version, AP_LITTLE, AP_UINT8, 3, shape);
        int size = n.sizeof_hdr, opened = 0, crash_free = 0;
        bytes b = {0};
        put_nifti(&b, &n, data, 12);
        for (int cut = 0; cut < size; cut += test_small() ? 20 : 3) {
            ap_source *source = NULL;
            ap_proxy *proxy = NULL;
            CHECK_OK(ap_source_memory(b.data, (size_t)cut, NULL, NULL, &source, &err));
            opened += ap_open_source(source, NULL, NULL, &proxy, &err) == AP_OK;
            crash_free += err.code < 0 && proxy == NULL;
            ap_source_free(source);
        }
        CHECK_INT(opened, 0);
        CHECK(crash_free > 0);
        bytes_free(&b);
    }
}

/* Compressions that the library does not know are content of no format, but for
 * compress, with which AFNI's files are packed. */
static void test_other_codecs(void)
{
    static const struct {
        const char *name, *magic;
        size_t n;
        ap_status status;
    } others[] = {{"a.nii.xz", "\xfd" "7zXZ\0\0\4", 8, AP_ERR_FORMAT},
                  {"a.nii.lzma", "\x5d\0\0\x80\0\xff\xff", 7, AP_ERR_FORMAT},
                  {"a.nii.lz4", "\x04\x22\x4d\x18\x64\x40", 6, AP_ERR_FORMAT},
                  {"a.nii.Z", "\x1f\x9d\x90", 3, AP_ERR_UNSUPPORTED}};
    for (int i = 0; i < COUNT(others); i++) {
        bytes b = {0};
        put(&b, others[i].magic, others[i].n);
        put_fill(&b, 0x55, 1000);
        write_bytes(temp_path(others[i].name), &b);
        check_refused(temp_path(others[i].name), others[i].status, 0);
        bytes_free(&b);
    }
}

/* Opening reads the header alone: a file whose data are missing opens, with a
 * note, and so does one that claims far more than there is. */
static void test_no_data(void)
{
    static const int64_t huge[4] = {30000, 30000, 30000, 100};
    nifti n = nifti_new(1, AP_LITTLE, AP_FLOAT64, 4, huge);
    ap_proxy *proxy = NULL;
    char out[8];
    ap_slice first[4] = {ap_at(0), ap_at(0), ap_at(0), ap_at(0)};
    write_nifti(temp_path("huge.nii"), &n, "", 0);
    CHECK_OK(ap_open(temp_path("huge.nii"), NULL, &proxy, &err));
    CHECK_INT(ap_size(proxy), INT64_C(2700000000000000));
    CHECK(ap_warning(proxy, 0) != NULL);
    CHECK_STATUS(ap_read_slice(proxy, first, 4, AP_DISK, 0, out, 8, &err), AP_ERR_TRUNCATED);
    ap_free(proxy);
}

/* Every file that was opened is closed: after the last free, after failures,
 * between reads if keep_open is 0, and by a trim. */
static void test_closed(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_UINT8, 3, shape);
    int before = open_files();
    ap_options *o = ap_options_new();
    ap_proxy *proxy = NULL, *clone;
    ap_source *source = NULL;
    char out[12];
    write_nifti(temp_path("closed.nii"), &n, data, 12);
    write_file(temp_path("closed.txt"), "nothing", 7);
    CHECK(ap_open(temp_path("closed.txt"), NULL, &proxy, &err) < 0);
    CHECK(ap_open(temp_path("closed.no"), NULL, &proxy, &err) < 0);
    CHECK_INT(open_files(), before);

    CHECK_OK(ap_open(temp_path("closed.nii"), NULL, &proxy, &err));
    clone = ap_clone(proxy);
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    ap_free(proxy);
    CHECK_OK(ap_read_all(clone, AP_DISK, 0, out, sizeof out, &err));
    ap_trim(clone);
    CHECK_INT(open_files(), before);
    CHECK_OK(ap_read_all(clone, AP_DISK, 0, out, sizeof out, &err));
    ap_free(clone);
    CHECK_INT(open_files(), before);

    CHECK_OK(ap_options_parse(o, "keep_open=0,mmap=0", &err));
    CHECK_OK(ap_open(temp_path("closed.nii"), o, &proxy, &err));
    CHECK_INT(open_files(), before);
    CHECK_OK(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err));
    CHECK_INT(open_files(), before);
    ap_free(proxy);
    ap_options_free(o);

    CHECK_OK(ap_source_file(temp_path("closed.nii"), &source, &err));
    ap_source_free(source);
    CHECK_INT(open_files(), before);
}

/* With keep_open 0, many more handles than files may be open. */
static void test_many_handles(void)
{
    enum { MANY = 300 };
    static ap_proxy *handles[MANY];
    nifti n = nifti_new(1, AP_LITTLE, AP_UINT8, 3, shape);
    ap_options *o = ap_options_new();
    struct rlimit limit, before;
    int wrong = 0;
    write_nifti(temp_path("many.nii"), &n, data, 12);
    CHECK_OK(ap_options_set_int(o, AP_OPT_KEEP_OPEN, 0, &err));
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    limit = before;
    limit.rlim_cur = 40;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    for (int i = 0; i < MANY; i++)
        wrong += ap_open(temp_path("many.nii"), o, &handles[i], &err) != AP_OK;
    CHECK_INT(wrong, 0);
    for (int i = 0; i < MANY; i++) {
        char out[12] = {0};
        wrong += ap_read_all(handles[i], AP_DISK, 0, out, sizeof out, &err) != AP_OK;
        wrong += memcmp(out, data, 12) != 0;
        ap_free(handles[i]);
    }
    CHECK_INT(wrong, 0);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    ap_options_free(o);
}

static int is_mapped(const char *path)
{
    char line[5000];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps))
        found |= strstr(line, path) != NULL;
    if (maps)
        fclose(maps);
    return found;
}

/* Scattered reads use the map from the second on, but not with mmap 0. */
static void test_mapped(void)
{
    static const int64_t wide[2] = {8192, 40};
    const char *path = temp_path("mapped");
    ap_slice row[2] = {ap_at(7), ap_all()};
    unsigned char out[40];
    bytes b = {0};
    put_fill(&b, 'm', 8192 * 40);
    write_bytes(path, &b);
    for (int mmap = 0; mmap < 3; mmap++) {
        ap_options *o = ap_options_new();
        ap_source *source = NULL;
        ap_proxy *proxy = NULL;
        test_note("mmap %d", mmap);
        CHECK_OK(ap_options_set_int(o, AP_OPT_MMAP, mmap, &err));
        CHECK_OK(ap_source_file(path, &source, &err));
        CHECK_OK(ap_open_layout(source, AP_UINT8, AP_LITTLE, 2, wide, AP_ORDER_F, 0, 1, 0, o,
                                &proxy, &err));
        CHECK_INT(is_mapped(path), mmap == 2);
        CHECK_OK(ap_read_slice(proxy, row, 2, AP_DISK, 0, out, sizeof out, &err));
        CHECK_INT(is_mapped(path), mmap == 2);
        CHECK_OK(ap_read_slice(proxy, row, 2, AP_DISK, 0, out, sizeof out, &err));
        CHECK_INT(is_mapped(path), mmap > 0);
        ap_free(proxy);
        CHECK_INT(is_mapped(path), 0);
        ap_source_free(source);
        ap_options_free(o);
    }
    test_note("");
    bytes_free(&b);
}

/* Who asks for a single file means the one named, whatever is beside it. */
static void test_single_asked(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_UINT8, 3, shape);
    ap_options *o = ap_options_new();
    ap_proxy *proxy = NULL;
    write_nifti(temp_path("asked.img"), &n, data, 12);
    write_file(temp_path("asked.hdr"), "no header", 9);
    CHECK_OK(ap_options_set_text(o, AP_OPT_FORMAT, "nifti1", &err));
    CHECK_OK(ap_open(temp_path("asked.img"), o, &proxy, &err));
    CHECK_TEXT(ap_format(proxy), "nifti1");
    ap_free(proxy);
    ap_options_free(o);
}

/* A header without its image, and too little behind it to be the array. */
static void test_lone_header(void)
{
    nifti n = nifti_pair(1, AP_LITTLE, AP_UINT8, 3, shape);
    bytes b = {0};
    put_nifti_header(&b, &n);
    put_fill(&b, 0, 4);
    put(&b, data, 11);
    write_bytes(temp_path("lone.hdr"), &b);
    check_refused(temp_path("lone.hdr"), AP_ERR_NOT_FOUND, -1);
    /* An image that is there but cannot be read is another matter. */
    CHECK(mkdir(temp_path("lone.img"), 0700) == 0);
    check_refused(temp_path("lone.hdr"), AP_ERR_IO, EISDIR);
    bytes_free(&b);
}

int main(void)
{
    test_single();
    test_pairs();
    test_pair_offsets();
    test_missing();
    test_not_files();
    test_unknown_content();
    test_cut_headers();
    test_other_codecs();
    test_no_data();
    test_closed();
    test_many_handles();
    test_mapped();
    test_single_asked();
    test_lone_header();
    return test_end("open");
}
