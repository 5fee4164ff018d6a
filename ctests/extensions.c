/* Extensions of NIfTI headers: what other programs put before the data. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shape[3] = {4, 3, 2};
enum { ELEMENTS = 4 * 3 * 2 };

/* `size` is the one that the list tells, which counts 8 bytes more. */
static void put_extension(bytes *b, int order, int32_t size, int32_t code, const void *content,
                          size_t n)
{
    put_int(b, (uint64_t)size, 4, order);
    put_int(b, (uint64_t)code, 4, order);
    put(b, content, n);
}

/* The list behind a header; of a single file the data, too. */
static void put_image(bytes *b, nifti n, int flag, const bytes *list, int pair)
{
    if (!pair)
        n.vox_offset += (double)list->size;
    put_nifti_header(b, &n);
    put_u8(b, (unsigned)flag);
    put_fill(b, 0, 3);
    put(b, list->data, list->size);
    if (!pair)
        put_fill(b, 0, 2 * ELEMENTS);
}

static nifti header(int version, int order, int pair)
{
    return (pair ? nifti_pair : nifti_new)(version, order, AP_INT16, 3, shape);
}

/* Single or pair, in memory. */
static ap_proxy *open_list(int version, int order, int pair, int flag, const bytes *list)
{
    bytes head = {0}, image = {0};
    ap_source *first = NULL, *second = NULL;
    ap_proxy *proxy = NULL;
    put_image(&head, header(version, order, pair), flag, list, pair);
    put_fill(&image, 0, 2 * ELEMENTS);
    first = source_by(ACCESS_MEMORY, &head);
    second = pair ? source_by(ACCESS_MEMORY, &image) : NULL;
    CHECK_OK(ap_open_source(first, second, NULL, &proxy, &err));
    ap_source_free(first);
    ap_source_free(second);
    bytes_free(&head);
    bytes_free(&image);
    return proxy;
}

#define EACH_KIND                                             \
    for (int version = 1; version <= 2; version++)            \
        for (int order = AP_LITTLE; order <= AP_BIG; order++) \
            for (int pair = 0; pair < 2; pair++)

/* As a program reads them all. */
static void test_list(void)
{
    EACH_KIND {
        bytes list = {0};
        put_extension(&list, order, 16, 6, "comment", 8);
        put_extension(&list, order, 32, 44, "{\"a\": 1}                ", 24);
        put_extension(&list, order, 13, -7, "12345", 5);
        put_extension(&list, order, 16, 0, "\0\0\0\0\0\0\0\0", 8);
        test_note("NIfTI-%d, order %d, pair %d", version, order, pair);
        ap_proxy *proxy = open_list(version, order, pair, 1, &list);
        static const int codes[] = {6, 44, -7, 0}, sizes[] = {8, 24, 5, 8};
        int32_t count = ap_extension_count(proxy, &err);
        CHECK_INT(count, 4);
        const unsigned char *wanted = list.data;
        for (int32_t i = 0; i < count; i++) {
            int32_t code = -99;
            int64_t size = ap_extension(proxy, i, &code, NULL, 0, &err);
            CHECK_INT(size, sizes[i]);
            CHECK_INT(code, codes[i]);
            unsigned char *content = need((size_t)size);
            CHECK_INT(ap_extension(proxy, i, NULL, content, (size_t)size, &err), size);
            CHECK_BYTES(content, wanted + 8, (size_t)size);
            wanted += 8 + size;
            free(content);
        }
        CHECK_STATUS((ap_status)ap_extension(proxy, count, NULL, NULL, 0, &err), AP_ERR_INDEX);
        CHECK_STATUS((ap_status)ap_extension(proxy, -1, NULL, NULL, 0, &err), AP_ERR_INDEX);
        ap_free(proxy);
        bytes_free(&list);
    }
    test_note("");
}

/* As much as fits, and not a byte more. */
static void test_rooms(void)
{
    bytes list = {0};
    put_extension(&list, AP_LITTLE, 16, 6, "abcdefgh", 8);
    ap_proxy *proxy = open_list(1, AP_LITTLE, 0, 1, &list), *clone = ap_clone(proxy);
    for (int room = 0; room <= 10; room++) {
        char out[12];
        int32_t code = 0;
        memset(out, 'x', sizeof out);
        CHECK_INT(ap_extension(proxy, 0, &code, out, (size_t)room, &err), 8);
        CHECK_INT(code, 6);
        int n = room < 8 ? room : 8;
        CHECK_BYTES(out, "abcdefgh", (size_t)n);
        for (int i = n; i < 12; i++)
            CHECK_INT(out[i], 'x');
    }
    CHECK_STATUS((ap_status)ap_extension(proxy, 0, NULL, NULL, 1, &err), AP_ERR_NULL);
    ap_free(proxy);
    CHECK_INT(ap_extension(clone, 0, NULL, NULL, 0, &err), 8);
    ap_free(clone);
    bytes_free(&list);
}

/* A size that cannot be names its byte, and the array can be read all the
 * same. */
static void test_hostile(void)
{
    static const int32_t sizes[] = {-1, 0, 1, 7, INT32_MIN, 25, 4096, INT32_MAX};
    EACH_KIND
        for (int i = 0; i < COUNT(sizes); i++) {
            bytes list = {0};
            char byte[40];
            int16_t out[ELEMENTS];
            put_extension(&list, order, 16, 6, "abcdefgh", 8);
            put_extension(&list, order, sizes[i], 9, "0123456789abcdef", 16);
            ap_proxy *proxy = open_list(version, order, pair, 1, &list);
            test_note("NIfTI-%d, order %d, pair %d, size %d", version, order, pair, sizes[i]);
            snprintf(byte, sizeof byte, "(byte %d)", version == 1 ? 368 : 560);
            CHECK_STATUS(ap_extension_count(proxy, &err), AP_ERR_HEADER);
            CHECK_PART(err.message, byte);
            CHECK_STATUS((ap_status)ap_extension(proxy, 0, NULL, NULL, 0, &err), AP_ERR_HEADER);
            CHECK_OK(ap_read_all(proxy, AP_INT16, 0, out, sizeof out, &err));
            ap_free(proxy);
            bytes_free(&list);
        }
    test_note("");
}

static void test_ends(void)
{
    EACH_KIND {
        bytes list = {0};
        put_extension(&list, order, 16, 6, "abcdefgh", 8);
        test_note("NIfTI-%d, order %d, pair %d", version, order, pair);
        /* The flag tells of none, whatever follows. */
        ap_proxy *proxy = open_list(version, order, pair, 0, &list);
        CHECK_INT(ap_extension_count(proxy, &err), 0);
        ap_free(proxy);
        /* Zeros fill what is left; so may less than an extension has. */
        for (int rest = 0; rest <= 64; rest += rest < 8 ? 7 : 19) {
            bytes filled = {0};
            put(&filled, list.data, list.size);
            put_fill(&filled, rest < 8 ? 0xee : 0, (size_t)rest);
            proxy = open_list(version, order, pair, 255, &filled);
            CHECK_INT(ap_extension_count(proxy, &err), 1);
            ap_free(proxy);
            bytes_free(&filled);
        }
        bytes none = {0};
        proxy = open_list(version, order, pair, 1, &none);
        CHECK_INT(ap_extension_count(proxy, &err), 0);
        ap_free(proxy);
        bytes_free(&list);
    }
    test_note("");
}

/* 10,000 are listed, no more. */
static void test_many(void)
{
    bytes list = {0};
    for (int i = 0; i < 10000; i++)
        put_extension(&list, AP_BIG, 16, i, "abcdefgh", 8);
    ap_proxy *proxy = open_list(1, AP_BIG, 1, 1, &list);
    int32_t code = -1;
    CHECK_INT(ap_extension_count(proxy, &err), 10000);
    CHECK_INT(ap_extension(proxy, 9999, &code, NULL, 0, &err), 8);
    CHECK_INT(code, 9999);
    ap_free(proxy);
    put_extension(&list, AP_BIG, 16, 6, "abcdefgh", 8);
    proxy = open_list(1, AP_BIG, 1, 1, &list);
    CHECK_STATUS(ap_extension_count(proxy, &err), AP_ERR_HEADER);
    CHECK_PART(err.message, "10000");
    ap_free(proxy);
    bytes_free(&list);
}

/* Through every source and compression. */
static void test_accesses(void)
{
    bytes list = {0}, b = {0};
    unsigned char *big = need(70000), *found = need(70000);
    for (int i = 0; i < 70000; i++)
        big[i] = (unsigned char)(i * 7 / 5);
    put_extension(&list, AP_LITTLE, 16, 6, "abcdefgh", 8);
    put_extension(&list, AP_LITTLE, 70008, 4, big, 70000);
    put_extension(&list, AP_LITTLE, 16, 6, "ijklmnop", 8);
    put_image(&b, header(2, AP_LITTLE, 0), 1, &list, 0);
    for (int access = 0; access < ACCESSES; access++) {
        ap_proxy *proxy = open_by(access, &b);
        char last[8];
        test_note("%s", access_name(access));
        CHECK_INT(ap_extension_count(proxy, &err), 3);
        CHECK_INT(ap_extension(proxy, 2, NULL, last, 8, &err), 8);
        CHECK_BYTES(last, "ijklmnop", 8);
        ap_trim(proxy);
        CHECK_INT(ap_extension(proxy, 1, NULL, found, 70000, &err), 70000);
        CHECK_BYTES(found, big, 70000);
        ap_free(proxy);
    }
    test_note("");
    free(big);
    free(found);
    bytes_free(&list);
    bytes_free(&b);
}

/* The header's file of a pair is open only while it is read, and must be the
 * one that was opened. */
static void test_pairs(void)
{
    for (int codec = 0; codec < CODECS; codec++) {
        bytes list = {0}, head = {0}, packed = {0}, image = {0};
        char name[40];
        put_extension(&list, AP_LITTLE, 16, 6, "abcdefgh", 8);
        put_image(&head, header(1, AP_LITTLE, 1), 1, &list, 1);
        put_packed(&packed, codec, head.data, head.size);
        put_fill(&image, 0, 2 * ELEMENTS);
        snprintf(name, sizeof name, "ext%d.img", codec);
        write_bytes(temp_path(name), &image);
        snprintf(name, sizeof name, "ext%d.hdr", codec);
        const char *path = temp_path(name);
        write_bytes(path, &packed);
        ap_proxy *proxy = NULL;
        char content[8];
        int before = open_files();
        test_note("%s", codec_name(codec));
        CHECK_OK(ap_open(path, NULL, &proxy, &err));
        int open = open_files();
        CHECK(open <= before + 1);
        CHECK_INT(ap_extension_count(proxy, &err), 1);
        CHECK_INT(ap_extension(proxy, 0, NULL, content, 8, &err), 8);
        CHECK_BYTES(content, "abcdefgh", 8);
        CHECK_INT(open_files(), open);
        put_u8(&packed, 0);
        write_bytes(path, &packed);
        set_mtime(path, 1000);
        CHECK_INT(ap_extension_count(proxy, &err), 1);
        CHECK_STATUS((ap_status)ap_extension(proxy, 0, NULL, content, 8, &err), AP_ERR_CHANGED);
        CHECK_PART(err.message, name);
        CHECK_INT(open_files(), open);
        ap_free(proxy);
        bytes_free(&list);
        bytes_free(&head);
        bytes_free(&packed);
        bytes_free(&image);
    }
    test_note("");
}

int main(void)
{
    test_list();
    test_rooms();
    test_hostile();
    test_ends();
    test_many();
    test_accesses();
    test_pairs();
    return test_end("extensions");
}
