/* NIfTI headers: what is taken, noted or refused, and in strict mode. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/small.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The fault that a test puts into a sound header. */
typedef void (*fault)(nifti *n);

static nifti sound(int version, int order)
{
    return nifti_new(version, order, AP_INT16, 3, small_shape);
}

static void put_image(bytes *b, const nifti *n)
{
    put_nifti(b, n, "", 0);
    put_small(b, n->order);
}

/* Read in spite of the fault, with a note; refused in strict mode if the
 * fault is grave enough. */
static void check_noted(const char *what, int version, fault put_in, int grave)
{
    for (int order = AP_LITTLE; order <= AP_BIG; order++) {
        nifti n = sound(version, order);
        bytes b = {0};
        ap_proxy *proxy;
        put_in(&n);
        put_image(&b, &n);
        test_note("%s in NIfTI-%d, byte order %d", what, version, order);
        if (CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy))) {
            CHECK(ap_warning(proxy, 0) != NULL && ap_warning(proxy, 0)[0]);
            CHECK(small_right(proxy));
            ap_free(proxy);
        }
        CHECK_STATUS(open_with_int(&b, AP_OPT_STRICT, 1, &proxy), grave ? AP_ERR_HEADER : AP_OK);
        ap_free(proxy);
        bytes_free(&b);
    }
    test_note("");
}

static void check_refused(const char *what, int version, fault put_in)
{
    for (int order = AP_LITTLE; order <= AP_BIG; order++)
        for (int strict = 0; strict < 2; strict++) {
            nifti n = sound(version, order);
            bytes b = {0};
            ap_proxy *proxy;
            put_in(&n);
            put_image(&b, &n);
            test_note("%s in NIfTI-%d, byte order %d", what, version, order);
            CHECK_STATUS(open_with_int(&b, AP_OPT_STRICT, strict, &proxy), AP_ERR_HEADER);
            if (proxy)
                ap_free(proxy);
            bytes_free(&b);
        }
    test_note("");
}

static void no_fault(nifti *n) { n->slope = 1; }
static void bad_size(nifti *n) { n->sizeof_hdr = 347; }
static void bad_bitpix(nifti *n) { n->bitpix = 17; }
static void zero_zoom(nifti *n) { n->pixdim[2] = 0; }
static void negative_zoom(nifti *n) { n->pixdim[1] = -3; }
static void bad_qfac(nifti *n) { n->pixdim[0] = 3; }
static void zero_qfac(nifti *n) { n->pixdim[0] = 0; }
static void odd_offset(nifti *n) { n->vox_offset += 5; }
static void bad_qform(nifti *n) { n->qform_code = 6; }
static void negative_sform(nifti *n) { n->sform_code = -1; }
static void no_offset(nifti *n) { n->vox_offset = 0; }
static void no_eol(nifti *n) { memset(n->eol, 0, 4); }

static void test_sound(void)
{
    for (int version = 1; version <= 2; version++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++) {
            nifti n = sound(version, order);
            bytes b = {0};
            ap_proxy *proxy;
            no_fault(&n);
            put_image(&b, &n);
            if (CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 1, &proxy))) {
                CHECK(ap_warning(proxy, 0) == NULL);
                CHECK(small_right(proxy));
                ap_free(proxy);
            }
            bytes_free(&b);
        }
}

static void test_noted(void)
{
    check_noted("sizeof_hdr", 1, bad_size, 1);
    for (int version = 1; version <= 2; version++) {
        check_noted("bitpix", version, bad_bitpix, 0);
        check_noted("zoom 0", version, zero_zoom, 1);
        check_noted("negative zoom", version, negative_zoom, 1);
        check_noted("qfac 3", version, bad_qfac, 1);
        check_noted("qfac 0", version, zero_qfac, 1);
        check_noted("offset not divisible by 16", version, odd_offset, 1);
        check_noted("qform code 6", version, bad_qform, 1);
        check_noted("sform code -1", version, negative_sform, 1);
    }
    check_noted("no eol mark", 2, no_eol, 1);
}

/* Zooms and codes are given as put right. */
static void test_put_right(void)
{
    nifti n = sound(1, AP_LITTLE);
    bytes b = {0};
    ap_proxy *proxy;
    double zooms[3];
    n.pixdim[1] = -3;
    n.pixdim[2] = 0;
    n.pixdim[3] = 2;
    n.qform_code = 9;
    n.sform_code = -1;
    put_image(&b, &n);
    CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy));
    CHECK_INT(ap_zooms(proxy, zooms, 3, &err), 3);
    CHECK_REAL(zooms[0], 3);
    CHECK_REAL(zooms[1], 1);
    CHECK_REAL(zooms[2], 2);
    CHECK_INT(ap_affine(proxy, AP_AFFINE_BEST, NULL, &err), 0);
    CHECK_INT(ap_affine(proxy, AP_AFFINE_QFORM, NULL, &err), 0);
    CHECK_INT(ap_affine(proxy, AP_AFFINE_SFORM, NULL, &err), 0);
    ap_free(proxy);
    bytes_free(&b);
}

/* Single files: offset 0 means right behind the header, as does a small one
 * beside the magic of a pair. */
static void test_offsets(void)
{
    for (int version = 1; version <= 2; version++) {
        double least = version == 1 ? 352 : 544;
        const double offsets[] = {0, least, least + 16, least + 4096};
        check_noted("offset 0", version, no_offset, 1);
        for (int i = 0; i < COUNT(offsets); i++) {
            nifti n = sound(version, AP_LITTLE);
            bytes b = {0};
            ap_proxy *proxy;
            n.vox_offset = offsets[i];
            put_image(&b, &n);
            test_note("NIfTI-%d, offset %g", version, offsets[i]);
            CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy));
            CHECK_INT(ap_data_offset(proxy), offsets[i] > 0 ? offsets[i] : least);
            CHECK(small_right(proxy));
            ap_free(proxy);
            bytes_free(&b);
        }
    }
    for (int i = 0; i < 3; i++) {
        static const double offsets[] = {0, 16, 400};
        nifti n = sound(1, AP_LITTLE);
        bytes b = {0};
        ap_proxy *proxy = NULL;
        n.magic = "ni1";
        n.vox_offset = offsets[i];
        put_image(&b, &n);
        write_bytes(temp_path("pair-magic.nii"), &b);
        test_note("pair's magic, offset %g", offsets[i]);
        if (CHECK_OK(ap_open(temp_path("pair-magic.nii"), NULL, &proxy, &err))) {
            CHECK_INT(ap_data_offset(proxy), i < 2 ? 352 : 400);
            CHECK((ap_warning(proxy, 0) != NULL) >= (i < 2));
            CHECK(small_right(proxy));
        }
        ap_free(proxy);
        bytes_free(&b);
    }
    /* The fraction of an offset is cut off. */
    nifti n = sound(1, AP_BIG);
    bytes b = {0};
    ap_proxy *proxy;
    n.vox_offset = 352;
    put_image(&b, &n);
    static const unsigned char offset_352_75[4] = {0x43, 0xb0, 0x60, 0x00};
    memcpy(b.data + 108, offset_352_75, 4);
    CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy));
    CHECK_INT(ap_data_offset(proxy), 352);
    CHECK(small_right(proxy));
    ap_free(proxy);
    bytes_free(&b);
    test_note("");
}

static void type_0(nifti *n) { n->datatype = 0; }
static void type_1(nifti *n) { n->datatype = 1; }
static void type_255(nifti *n) { n->datatype = 255; }
static void type_3(nifti *n) { n->datatype = 3; }
static void type_negative(nifti *n) { n->datatype = -4; }
static void dim_8(nifti *n) { n->dim[0] = 8; }
static void dim_negative(nifti *n) { n->dim[0] = -1; }
static void side_negative(nifti *n) { n->dim[2] = -1; }
static void offset_small(nifti *n) { n->vox_offset = 16; }
static void offset_inside(nifti *n) { n->vox_offset = n->version == 1 ? 351 : 543; }
static void offset_negative(nifti *n) { n->vox_offset = -16; }
static void offset_nan(nifti *n) { n->vox_offset = NAN; }
static void offset_inf(nifti *n) { n->vox_offset = INFINITY; }
static void offset_huge(nifti *n) { n->vox_offset = 1e30; }
static void magic_wrong(nifti *n) { n->magic = "n+3"; }
static void eol_wrong(nifti *n) { n->eol[1] = 0x0d; }

static void sides_overflow(nifti *n)
{
    n->dim[1] = n->dim[2] = n->dim[3] = INT64_C(1) << 31;
}

static void bytes_overflow(nifti *n)
{
    n->dim[1] = INT64_C(1) << 62;
    n->dim[2] = n->dim[3] = 1;
}

static void test_refused(void)
{
    for (int version = 1; version <= 2; version++) {
        check_refused("type 0", version, type_0);
        check_refused("type 1", version, type_1);
        check_refused("type 3", version, type_3);
        check_refused("type 255", version, type_255);
        check_refused("type -4", version, type_negative);
        check_refused("dim[0] 8", version, dim_8);
        check_refused("dim[0] -1", version, dim_negative);
        check_refused("negative side", version, side_negative);
        check_refused("offset 16", version, offset_small);
        check_refused("offset just inside", version, offset_inside);
        check_refused("negative offset", version, offset_negative);
    }
    check_refused("offset NaN", 1, offset_nan);
    check_refused("offset infinite", 1, offset_inf);
    check_refused("offset 1e30", 1, offset_huge);
    check_refused("magic", 2, magic_wrong);
    check_refused("eol mark", 2, eol_wrong);
    check_refused("size overflow", 2, sides_overflow);
    check_refused("bytes overflow", 2, bytes_overflow);
}

/* Fields behind dim[0] are ignored. */
static void test_ignored_fields(void)
{
    for (int version = 1; version <= 2; version++) {
        nifti n = sound(version, AP_LITTLE);
        bytes b = {0};
        ap_proxy *proxy;
        for (int i = 4; i < 8; i++)
            n.dim[i] = i % 2 ? -5 : 30000;
        put_image(&b, &n);
        if (CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy))) {
            int64_t found[3];
            CHECK_INTS(found, ap_shape(proxy, found, 3), INTS(4, 3, 2));
            CHECK(small_right(proxy));
            ap_free(proxy);
        }
        bytes_free(&b);
    }
}

/* Two shapes that FreeSurfer writes when an axis is too long for NIfTI-1. */
static void test_freesurfer(void)
{
    static const int64_t from_glmin[5] = {-1, 1, 1, 2, 1};
    static const int64_t surface[4] = {27307, 1, 6, 3};
    int64_t found[5];
    for (int order = AP_LITTLE; order <= AP_BIG; order++) {
        nifti n = nifti_new(1, order, AP_UINT8, 5, from_glmin);
        bytes b = {0};
        ap_proxy *proxy;
        n.glmin = 70000;
        put_nifti(&b, &n, "", 0);
        if (CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy))) {
            CHECK_INTS(found, ap_shape(proxy, found, 5), INTS(70000, 1, 1, 2, 1));
            ap_free(proxy);
        }
        b.size = 0;
        n.glmin = 0;
        put_nifti(&b, &n, "", 0);
        CHECK_STATUS(open_with_int(&b, AP_OPT_STRICT, 0, &proxy), AP_ERR_HEADER);
        b.size = 0;
        n = nifti_new(1, order, AP_UINT8, 4, surface);
        put_nifti(&b, &n, "", 0);
        if (CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy))) {
            CHECK_INTS(found, ap_shape(proxy, found, 5), INTS(163842, 1, 1, 3));
            ap_free(proxy);
        }
        /* NIfTI-2 has neither. */
        b.size = 0;
        n = nifti_new(2, order, AP_UINT8, 4, surface);
        put_nifti(&b, &n, "", 0);
        if (CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy))) {
            CHECK_INTS(found, ap_shape(proxy, found, 5), INTS(27307, 1, 6, 3));
            ap_free(proxy);
        }
        bytes_free(&b);
    }
}

/* Extensions never move the data, sound or not. */
static void test_extensions(void)
{
    static const int32_t sizes[] = {32, 8, 0, -1, 7, 33, 1 << 30};
    for (int i = 0; i < COUNT(sizes); i++) {
        nifti n = sound(1, AP_LITTLE);
        bytes b = {0}, data = {0};
        ap_proxy *proxy = NULL;
        put_nifti_header(&b, &n);
        put(&b, "\1\0\0\0", 4);
        put_int(&b, (uint64_t)sizes[i], 4, AP_LITTLE);
        put_int(&b, 6, 4, AP_LITTLE);
        put_fill(&b, 'e', 24);
        n.vox_offset = 384;
        put_nifti_header(&data, &n);
        memcpy(b.data, data.data, data.size);
        for (int k = 0; k < 24; k++)
            put_int(&b, (uint64_t)(100 + k), 2, AP_LITTLE);
        test_note("extension of size %d", sizes[i]);
        if (CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy))) {
            size_t size = 0;
            CHECK_INT(ap_data_offset(proxy), 384);
            CHECK(small_right(proxy));
            CHECK(ap_header(proxy, &size) != NULL);
            CHECK_INT(size, 348);
            ap_free(proxy);
        }
        bytes_free(&b);
        bytes_free(&data);
    }
    test_note("");
}

/* Floats of 128 bits, in either of their formats. */
static void test_float128(void)
{
    static const int64_t side[1] = {2};
    for (int version = 1; version <= 2; version++)
        for (int order = AP_LITTLE; order <= AP_BIG; order++)
            for (int complex = 0; complex < 2; complex++) {
                nifti n = nifti_new(version, order, complex ? AP_COMPLEX256 : AP_FLOAT128, 1,
                                    side);
                bytes b = {0};
                double out[4] = {0, 0, 0, 0};
                ap_proxy *proxy;
                put_nifti(&b, &n, "", 0);
                put_x87(&b, 2.5, order);
                put_quad(&b, -3.25, order);
                put_x87(&b, 1e10, order);
                put_quad(&b, 7, order);
                if (!CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 1, &proxy)))
                    continue;
                CHECK_INT(ap_disk_dtype(proxy), complex ? AP_COMPLEX256 : AP_FLOAT128);
                CHECK_INT(ap_auto_dtype(proxy), complex ? AP_COMPLEX128 : AP_FLOAT64);
                CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
                CHECK_REAL(out[0], 2.5);
                CHECK_REAL(out[1], -3.25);
                CHECK_REAL(out[2], complex ? 1e10 : 0);
                CHECK_REAL(out[3], complex ? 7 : 0);
                ap_free(proxy);
                bytes_free(&b);
            }
}

/* One file may have several faults; each has its note, and notes end. */
static void test_several_notes(void)
{
    nifti n = sound(1, AP_LITTLE);
    bytes b = {0};
    ap_proxy *proxy;
    int count = 0;
    bad_size(&n);
    negative_zoom(&n);
    bad_qform(&n);
    put_image(&b, &n);
    CHECK_OK(open_with_int(&b, AP_OPT_STRICT, 0, &proxy));
    while (count < 100 && ap_warning(proxy, count))
        count++;
    CHECK(count >= 3 && count < 20);
    CHECK(ap_warning(proxy, -1) == NULL);
    ap_free(proxy);
    bytes_free(&b);
}

int main(void)
{
    test_sound();
    test_noted();
    test_put_right();
    test_offsets();
    test_refused();
    test_ignored_fields();
    test_freesurfer();
    test_extensions();
    test_float128();
    test_several_notes();
    return test_end("nifti");
}
