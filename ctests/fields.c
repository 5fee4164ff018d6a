/* The header's fields by name, in numbers and in words; and its extensions. */
#include "test.h"
#include "support/access.h"
#include "support/gzip.h"
#include "support/mgh.h"
#include "support/nifti.h"
#include "support/small.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t shape[3] = {4, 3, 2};
enum { ELEMENTS = 4 * 3 * 2 };

/* Room for any text here. */
enum { ROOM = 400 };

static const char *text_of(const ap_proxy *proxy, const char *name)
{
    static char text[ROOM];
    text[0] = '\0';
    int64_t needed = ap_field_text(proxy, name, text, sizeof text, &err);
    CHECK(needed > 0 && needed <= ROOM);
    CHECK_INT(needed, strlen(text) + 1);
    return text;
}

static int64_t int_of(const ap_proxy *proxy, const char *name)
{
    int64_t value = -999;
    CHECK_INT(ap_field_ints(proxy, name, &value, 1, &err), 1);
    return value;
}

static double real_of_field(const ap_proxy *proxy, const char *name)
{
    double value = -999;
    CHECK_INT(ap_field_reals(proxy, name, &value, 1, &err), 1);
    return value;
}

static ap_proxy *open_nifti(const nifti *n)
{
    bytes b = {0};
    put_nifti(&b, n, NULL, 0);
    put_fill(&b, 0, 16 * ELEMENTS);
    ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
    bytes_free(&b);
    return proxy;
}

/* All fields of a header, as a program would list them. */
static int listed(const ap_proxy *proxy, char *out, size_t room)
{
    int32_t count = ap_field_count(proxy);
    size_t used = 0;
    for (int32_t i = 0; i < count; i++) {
        const char *name = ap_field_name(proxy, i);
        char text[ROOM];
        if (ap_field_text(proxy, name, text, sizeof text, &err) < 0)
            return -1;
        used += (size_t)snprintf(out + used, room - used, "%s = %s\n", name, text);
    }
    return count;
}

static void test_list(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 3, shape);
    char list[8000];
    n.qform_code = 1;
    n.pixdim[1] = 0.1;
    ap_proxy *proxy = open_nifti(&n);
    CHECK_INT(listed(proxy, list, sizeof list), 43 + 3);
    CHECK(strncmp(list, "sizeof_hdr = 348\ndata_type = \n", 30) == 0);
    CHECK_PART(list, "\ndim = 3, 4, 3, 2, 1, 1, 1, 1\n");
    CHECK_PART(list, "\ndatatype = int16\nbitpix = 16\n");
    CHECK_PART(list, "\npixdim = 1, 0.1, 1, 1, 1, 1, 1, 1\nvox_offset = 352\n");
    CHECK_PART(list, "\nqform_code = scanner\nsform_code = unknown\n");
    CHECK_PART(list, "\nmagic = n+1\nspace_unit = unknown\ntime_unit = unknown\norientation = RAS\n");
    ap_free(proxy);
}

/* Values are those of the header's bytes, in either byte order. */
static void test_numbers(void)
{
    for (int version = 1; version <= 2; version++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++) {
            nifti n = nifti_new(version, order, AP_INT16, 3, shape);
            int64_t dim[8];
            double reals[9];
            for (int i = 0; i < 4; i++)
                n.srow[i] = i - 1.5;
            n.sform_code = 4;
            n.slope = 0.1;
            test_note("NIfTI-%d, order %d", version, order);
            ap_proxy *proxy = open_nifti(&n);
            CHECK_INT(int_of(proxy, "sizeof_hdr"), n.sizeof_hdr);
            CHECK_INTS(dim, ap_field_ints(proxy, "dim", dim, 8, &err), n.dim, 8);
            CHECK_INT(int_of(proxy, "sform_code"), 4);
            CHECK_TEXT(text_of(proxy, "sform_code"), "mni");
            CHECK_REAL(real_of_field(proxy, "scl_slope"), version == 1 ? (double)0.1f : 0.1);
            CHECK_TEXT(text_of(proxy, "scl_slope"), "0.1");
            CHECK_TEXT(text_of(proxy, "srow_x"), "-1.5, -0.5, 0.5, 1.5");
            CHECK_INT(ap_field_reals(proxy, "srow_x", reals, 9, &err), 4);
            CHECK_REAL(reals[3], 1.5);
            /* Integers are numbers, too; numbers are no integers. */
            CHECK_REAL(real_of_field(proxy, "bitpix"), 16);
            CHECK_STATUS(ap_field_ints(proxy, "srow_x", dim, 8, &err), AP_ERR_UNSUPPORTED);
            CHECK_PART(err.message, "srow_x");
            CHECK_STATUS(ap_field_reals(proxy, "descrip", reals, 9, &err), AP_ERR_UNSUPPORTED);
            CHECK_STATUS(ap_field_ints(proxy, "orientation", dim, 8, &err), AP_ERR_UNSUPPORTED);
            if (version == 2)
                CHECK_TEXT(text_of(proxy, "eol_check"), "13, 10, 26, 10");
            ap_free(proxy);
        }
    test_note("");
}

/* A list is cut where the room ends; its length is told all the same. */
static void test_capacities(void)
{
    nifti n = nifti_new(1, AP_BIG, AP_INT16, 3, shape);
    ap_proxy *proxy = open_nifti(&n);
    for (int capacity = 0; capacity <= 10; capacity++) {
        int64_t ints[10];
        double reals[10];
        for (int i = 0; i < 10; i++)
            reals[i] = (double)(ints[i] = -9);
        CHECK_INT(ap_field_ints(proxy, "dim", ints, capacity, &err), 8);
        CHECK_INT(ap_field_reals(proxy, "dim", reals, capacity, &err), 8);
        for (int i = 0; i < 10; i++) {
            CHECK_INT(ints[i], i < capacity && i < 8 ? n.dim[i] : -9);
            CHECK_REAL(reals[i], (double)ints[i]);
        }
    }
    CHECK_INT(ap_field_ints(proxy, "dim", NULL, 0, &err), 8);
    CHECK_STATUS(ap_field_ints(proxy, "dim", NULL, 1, &err), AP_ERR_NULL);
    CHECK_STATUS(ap_field_reals(proxy, "dim", NULL, -1, &err), AP_ERR_ARGUMENT);
    ap_free(proxy);
}

static void test_names(void)
{
    nifti n = nifti_new(2, AP_LITTLE, AP_INT16, 3, shape);
    ap_proxy *proxy = open_nifti(&n), *clone = ap_clone(proxy);
    static const char *const unknown[] = {"", "dims", "Dim", "orientation ", "tr"};
    int32_t count = ap_field_count(proxy);
    CHECK_INT(count, 38 + 3);
    CHECK_TEXT(ap_field_name(proxy, 1), "magic");
    CHECK_TEXT(ap_field_name(proxy, count - 1), "orientation");
    CHECK(ap_field_name(proxy, count) == NULL);
    CHECK(ap_field_name(proxy, -1) == NULL);
    CHECK(ap_field_name(proxy, INT32_MAX) == NULL);
    /* They belong to the handle, and do not move. */
    const char *name = ap_field_name(clone, 0);
    ap_free(proxy);
    ap_trim(clone);
    CHECK(ap_field_name(clone, 0) == name);
    CHECK_TEXT(name, "sizeof_hdr");
    for (int i = 0; i < COUNT(unknown); i++) {
        CHECK_STATUS((ap_status)ap_field_text(clone, unknown[i], NULL, 0, &err), AP_ERR_ARGUMENT);
        CHECK_PART(err.message, unknown[i]);
        CHECK_PART(err.message, "nifti2");
    }
    CHECK_STATUS(ap_field_ints(clone, "\xff", NULL, 0, &err), AP_ERR_ARGUMENT);
    ap_free(clone);
}

/* A text is ended by NUL wherever it is cut, and never inside a character. */
static void test_cut_texts(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_INT16, 3, shape);
    static const char words[] = "a\xc3\xbc\xe2\x82\xac.";
    /* Bytes that fit whole in so many. */
    static const int fits[] = {0, 1, 1, 3, 3, 3, 6, 7, 7};
    bytes b = {0};
    put_nifti(&b, &n, NULL, 0);
    put_fill(&b, 0, 2 * ELEMENTS);
    memcpy(b.data + 148, words, sizeof words);
    ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
    CHECK_INT(ap_field_text(proxy, "descrip", NULL, 0, &err), sizeof words);
    for (int room = 0; room <= 10; room++) {
        char text[12];
        memset(text, 'x', sizeof text);
        CHECK_INT(ap_field_text(proxy, "descrip", text, (size_t)room, &err), sizeof words);
        int end = room ? fits[room > 8 ? 8 : room - 1] : -1;
        test_note("room for %d", room);
        if (room) {
            CHECK_BYTES(text, words, end);
            CHECK_INT(text[end], 0);
        }
        for (int i = end + 1; i < 12; i++)
            CHECK_INT(text[i], 'x');
    }
    test_note("");
    CHECK_STATUS((ap_status)ap_field_text(proxy, "descrip", NULL, 1, &err), AP_ERR_NULL);
    /* What is no UTF-8 is Latin-1. */
    ap_free(proxy);
    b.data[148 + 2] = '\0';
    proxy = open_by(ACCESS_MEMORY, &b);
    CHECK_TEXT(text_of(proxy, "descrip"), "a\xc3\x83");
    ap_free(proxy);
    bytes_free(&b);
}

/* Codes in the words of NiBabel, or numbers if there are none. */
static void test_words(void)
{
    nifti n = nifti_new(1, AP_LITTLE, AP_RGB24, 3, shape);
    bytes b = {0};
    put_nifti(&b, &n, NULL, 0);
    put_fill(&b, 0, 3 * ELEMENTS);
    b.data[39] = 1 | 2 << 2 | 3 << 4;
    b.data[68] = 5;
    b.data[122] = 3;
    b.data[123] = 2 | 8;
    b.data[252] = 77;
    ap_proxy *proxy = open_by(ACCESS_MEMORY, &b);
    CHECK_TEXT(text_of(proxy, "datatype"), "RGB");
    CHECK_TEXT(text_of(proxy, "dim_info"), "freq 0, phase 1, slice 2");
    CHECK_TEXT(text_of(proxy, "intent_code"), "z score");
    CHECK_TEXT(text_of(proxy, "slice_code"), "alternating increasing");
    CHECK_TEXT(text_of(proxy, "xyzt_units"), "mm, sec");
    CHECK_TEXT(text_of(proxy, "space_unit"), "mm");
    CHECK_TEXT(text_of(proxy, "time_unit"), "sec");
    CHECK_TEXT(text_of(proxy, "qform_code"), "77");
    CHECK_TEXT(text_of(proxy, "sform_code"), "unknown");
    ap_free(proxy);
    b.data[39] = 2 << 2;
    b.data[123] = 7 | 56;
    proxy = open_by(ACCESS_MEMORY, &b);
    CHECK_TEXT(text_of(proxy, "dim_info"), "phase 1");
    CHECK_TEXT(text_of(proxy, "xyzt_units"), "7, 56");
    ap_free(proxy);
    bytes_free(&b);
}

static void test_orientation(void)
{
    static const struct {
        double rows[12];
        const char *letters;
    } cases[] = {
        {{2, 0, 0, -9, 0, 2, 0, -9, 0, 0, 2, -9}, "RAS"},
        {{-2, 0, 0, 90, 0, -2, 0, 90, 0, 0, 2, 0}, "LPS"},
        {{0, 0, 1, 0, -1, 0, 0, 0, 0, -1, 0, 0}, "PIR"},
        {{0.8, 0.6, 0, 0, -0.6, 0.8, 0, 0, 0, 0, 1, 0}, "RAS"},
        {{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}, "R?S"},
        {{0}, "???"},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        nifti n = nifti_new(2, AP_BIG, AP_INT16, 3, shape);
        n.sform_code = 1;
        memcpy(n.srow, cases[i].rows, sizeof n.srow);
        ap_proxy *proxy = open_nifti(&n);
        CHECK_TEXT(text_of(proxy, "orientation"), cases[i].letters);
        ap_free(proxy);
    }
    /* An affine that is an error has none. */
    nifti n = nifti_new(1, AP_BIG, AP_INT16, 3, shape);
    char text[ROOM];
    n.qform_code = 1;
    n.quatern[0] = n.quatern[1] = 1;
    ap_proxy *proxy = open_nifti(&n);
    CHECK_STATUS(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err), AP_ERR_HEADER);
    CHECK_STATUS((ap_status)ap_field_text(proxy, "orientation", text, ROOM, &err), AP_ERR_HEADER);
    CHECK_REAL(real_of_field(proxy, "quatern_b"), 1);
    ap_free(proxy);
}

/* One header, of which SPM uses three fields in its own way. */
static void test_analyze(void)
{
    for (int order = AP_LITTLE; order <= AP_BIG; order++)
        for (int i = 0; i < COUNT(analyze_formats); i++) {
            const char *format = analyze_formats[i];
            int is_spm = strcmp(format, "analyze") != 0, is_spm2 = strcmp(format, "spm2") == 0;
            nifti n = small_analyze(order);
            int64_t origin[5];
            n.origin[0] = 3;
            n.origin[2] = 1;
            n.slope = 0.5;
            ap_proxy *proxy = open_small_pair(&n, format);
            test_note("%s, order %d", format, order);
            CHECK_INT(ap_field_count(proxy), 43 + 3);
            CHECK_REAL(real_of_field(proxy, is_spm ? "scl_slope" : "funused1"), 0.5);
            CHECK_STATUS(ap_field_reals(proxy, is_spm ? "funused1" : "scl_slope", NULL, 0, &err),
                         AP_ERR_ARGUMENT);
            CHECK_REAL(real_of_field(proxy, is_spm2 ? "scl_inter" : "funused2"), 0);
            if (is_spm) {
                CHECK_INTS(origin, ap_field_ints(proxy, "origin", origin, 5, &err),
                           INTS(3, 0, 1, 0, 0));
            } else {
                CHECK_STATUS(ap_field_ints(proxy, "origin", origin, 5, &err), AP_ERR_ARGUMENT);
                CHECK_TEXT(text_of(proxy, "originator"), order == AP_LITTLE ? "\3" : "");
            }
            CHECK_TEXT(text_of(proxy, "datatype"), "int16");
            CHECK_TEXT(text_of(proxy, "space_unit"), "mm");
            CHECK_TEXT(text_of(proxy, "time_unit"), "unknown");
            CHECK_TEXT(text_of(proxy, "orientation"), "LAS");
            CHECK_INT(ap_extension_count(proxy, &err), 0);
            ap_free(proxy);
        }
    test_note("");
}

/* The footer's numbers are fields, too; what is missing of it is 0. */
static void test_mgh(void)
{
    static const char *const names[5] = {"tr", "flip_angle", "te", "ti", "fov"};
    static const double numbers[5] = {2300, 0.5, 20, 900, 256};
    for (int access = 0; access < ACCESSES; access++)
        for (int footer = 0; footer <= 5; footer++) {
            mgh m = mgh_new(AP_INT16, 3, shape);
            unsigned char data[2 * ELEMENTS] = {0};
            bytes b = {0};
            m.footer = footer;
            m.tr = 2300;
            put_mgh(&b, &m, data, sizeof data);
            ap_proxy *proxy = open_by(access, &b);
            test_note("%s, %d numbers", access_name(access), footer);
            CHECK_INT(ap_field_count(proxy), 8 + 5 + 3);
            CHECK_TEXT(ap_field_name(proxy, 6), "Mdc");
            CHECK_TEXT(ap_field_name(proxy, 8), "tr");
            for (int i = 0; i < 5; i++) {
                CHECK_TEXT(ap_field_name(proxy, 8 + i), names[i]);
                CHECK_REAL(real_of_field(proxy, names[i]), i < footer ? numbers[i] : 0);
            }
            CHECK_TEXT(text_of(proxy, "type"), "int16");
            CHECK_TEXT(text_of(proxy, "goodRASFlag"), "1");
            CHECK_TEXT(text_of(proxy, "Mdc"), "-1, 0, 0, 0, 0, -1, 0, 1, 0");
            CHECK_TEXT(text_of(proxy, "space_unit"), "mm");
            CHECK_TEXT(text_of(proxy, "time_unit"), "msec");
            CHECK_TEXT(text_of(proxy, "orientation"), "LIA");
            ap_free(proxy);
            bytes_free(&b);
        }
    test_note("");
}

/* The footer of a stream whose data are damaged cannot be read; names can. */
static void test_damaged_mgh(void)
{
    static const int64_t large[3] = {100, 50, 20};
    mgh m = mgh_new(AP_UINT8, 3, large);
    bytes b = {0}, packed = {0};
    char text[ROOM];
    put_mgh_header(&b, &m);
    put_fill(&b, 1, 100 * 50 * 20);
    put_gzip(&packed, b.data, b.size, GZIP_BAD_CRC);
    ap_proxy *proxy = open_by(ACCESS_READ, &packed);
    CHECK_INT(ap_field_count(proxy), 16);
    CHECK_TEXT(text_of(proxy, "dims"), "100, 50, 20, 1");
    CHECK_STATUS((ap_status)ap_field_text(proxy, "tr", text, ROOM, &err), AP_ERR_CODEC);
    ap_free(proxy);
    bytes_free(&b);
    bytes_free(&packed);
}

static void test_layouts(void)
{
    ap_proxy *proxy = open_counted(3, shape, AP_ORDER_F);
    CHECK_INT(ap_field_count(proxy), 0);
    CHECK(ap_field_name(proxy, 0) == NULL);
    CHECK_STATUS((ap_status)ap_field_text(proxy, "orientation", NULL, 0, &err), AP_ERR_ARGUMENT);
    CHECK_PART(err.message, "layout");
    CHECK_INT(ap_extension_count(proxy, &err), 0);
    CHECK_STATUS((ap_status)ap_extension(proxy, 0, NULL, NULL, 0, &err), AP_ERR_INDEX);
    ap_free(proxy);
}

int main(void)
{
    test_list();
    test_numbers();
    test_capacities();
    test_names();
    test_cut_texts();
    test_words();
    test_orientation();
    test_analyze();
    test_mgh();
    test_damaged_mgh();
    test_layouts();
    return test_end("fields");
}
