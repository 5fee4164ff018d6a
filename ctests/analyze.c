/* Analyze, SPM99 and SPM2: pairs by every name, types, checks. */
#include "test.h"
#include "support/access.h"
#include "support/nifti.h"
#include "support/numbers.h"
#include "support/small.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* By content all of the family is SPM2's, by option what was asked for. */
static void check_names(const char *header_name, const char *image_name, int header_codec,
                        int image_codec)
{
    nifti n = small_analyze(AP_BIG);
    bytes header = {0}, image = {0}, packed_header = {0}, packed_image = {0};
    const char *paths[2] = {temp_path(header_name), temp_path(image_name)};
    put_nifti_header(&header, &n);
    put_small(&image, AP_BIG);
    put_packed(&packed_header, header_codec, header.data, header.size);
    put_packed(&packed_image, image_codec, image.data, image.size);
    write_bytes(paths[0], &packed_header);
    write_bytes(paths[1], &packed_image);
    for (int f = -1; f < COUNT(analyze_formats); f++)
        for (int i = 0; i < 2; i++) {
            ap_proxy *proxy;
            test_note("%s as %s", i ? image_name : header_name, f < 0 ? "any" : analyze_formats[f]);
            if (!CHECK_OK(open_as(paths[i], f < 0 ? NULL : analyze_formats[f], 1, &proxy)))
                continue;
            CHECK_TEXT(ap_format(proxy), f < 0 ? "spm2" : analyze_formats[f]);
            CHECK_TEXT(ap_codec(proxy), codec_name(image_codec));
            CHECK(small_right(proxy));
            CHECK(ap_warning(proxy, 0) == NULL);
            ap_free(proxy);
        }
    /* One half alone is an error by either name. */
    for (int gone = 0; gone < 2; gone++) {
        remove(paths[gone]);
        for (int i = 0; i < 2; i++)
            for (int f = -1; f < COUNT(analyze_formats); f++) {
                ap_proxy *proxy;
                test_note("%s gone", gone ? image_name : header_name);
                CHECK_STATUS(open_as(paths[i], f < 0 ? NULL : analyze_formats[f], 0, &proxy),
                             AP_ERR_NOT_FOUND);
            }
        write_bytes(paths[gone], gone ? &packed_image : &packed_header);
    }
    remove(paths[0]);
    remove(paths[1]);
    test_note("");
    bytes_free(&header);
    bytes_free(&image);
    bytes_free(&packed_header);
    bytes_free(&packed_image);
}

static void test_names(void)
{
    check_names("p.hdr", "p.img", CODEC_NONE, CODEC_NONE);
    check_names("P.HDR", "P.IMG", CODEC_NONE, CODEC_NONE);
    check_names("p.x.hdr", "p.x.img", CODEC_NONE, CODEC_NONE);
    check_names("\xe4.hdr", "\xe4.img", CODEC_NONE, CODEC_NONE);
    for (int codec = CODEC_GZIP; codec < CODECS; codec++) {
        char header[20], image[20];
        snprintf(header, sizeof header, "p.hdr%s", codec_suffix(codec));
        snprintf(image, sizeof image, "p.img%s", codec_suffix(codec));
        check_names(header, image, codec, codec);
        check_names("p.hdr", image, CODEC_NONE, codec);
        check_names("p.hdr", "p.img", codec, codec);
        check_names(header, "p.img", codec, CODEC_NONE);
    }
}

static void test_types(void)
{
    static const ap_dtype types[] = {AP_UINT8,     AP_INT16,   AP_INT32, AP_FLOAT32,
                                     AP_COMPLEX64, AP_FLOAT64, AP_RGB24};
    for (int order = AP_LITTLE; order <= AP_BIG; order++)
        for (int t = 0; t < COUNT(types); t++)
            for (int f = -1; f < COUNT(analyze_formats); f++) {
                nifti n = analyze_new(order, types[t], 3, small_shape);
                size_t size = 0, room = size_of(types[t]);
                unsigned char out[24 * 8], wanted[24 * 8];
                bytes header = {0}, image = {0}, native = {0};
                int64_t found[4];
                ap_proxy *proxy;
                for (int i = 0; i < 24; i++) {
                    number value = kind_of(types[t]) == KIND_COMPLEX ? from_complex(i, -i)
                                   : kind_of(types[t]) == KIND_FLOAT ? from_real(i - 3.5)
                                                                     : from_int(i);
                    if (types[t] == AP_RGB24) {
                        put_fill(&image, i, 3);
                        put_fill(&native, i, 3);
                        continue;
                    }
                    put_number(&image, types[t], order, value);
                    put_number(&native, types[t], native_order(), value);
                }
                memcpy(wanted, native.data, native.size);
                put_nifti_header(&header, &n);
                write_bytes(temp_path("types.hdr"), &header);
                write_bytes(temp_path("types.img"), &image);
                test_note("%s, order %d, %s", f < 0 ? "any" : analyze_formats[f], order,
                          ap_dtype_name(types[t]));
                if (CHECK_OK(open_as(temp_path("types.img"), f < 0 ? NULL : analyze_formats[f], 1,
                                     &proxy))) {
                    CHECK_INT(ap_disk_dtype(proxy), types[t]);
                    CHECK_INT(ap_auto_dtype(proxy), types[t]);
                    CHECK_INT(ap_byte_order(proxy), order);
                    CHECK_INT(ap_order(proxy), AP_ORDER_F);
                    CHECK_INT(ap_data_offset(proxy), 0);
                    CHECK_INT(ap_is_scaled(proxy), 0);
                    CHECK_INTS(found, ap_shape(proxy, found, 4), INTS(4, 3, 2));
                    CHECK_OK(ap_read_all(proxy, AP_AUTO, 0, out, sizeof out, &err));
                    CHECK_BYTES(out, wanted, 24 * room);
                    const void *stored = ap_header(proxy, &size);
                    if (CHECK_INT(size, 348))
                        CHECK_BYTES(stored, header.data, 348);
                    ap_free(proxy);
                }
                bytes_free(&header);
                bytes_free(&image);
                bytes_free(&native);
            }
    test_note("");
}

/* An error of the header names its file, whichever was opened, and the byte. */
static void check_refused(const char *what, const nifti *n, int byte)
{
    char place[20];
    snprintf(place, sizeof place, "(byte %d)", byte);
    write_small_pair(n);
    for (int f = -1; f < COUNT(analyze_formats); f++)
        for (int strict = 0; strict < 2; strict++) {
            ap_proxy *proxy;
            test_note("%s, %s", what, f < 0 ? "any" : analyze_formats[f]);
            if (CHECK_STATUS(open_as(temp_path("pair.img"), f < 0 ? NULL : analyze_formats[f], strict,
                                     &proxy),
                             AP_ERR_HEADER)) {
                CHECK_PART(err.message, temp_path("pair.hdr"));
                CHECK_PART(err.message, place);
            } else {
                ap_free(proxy);
            }
        }
    test_note("");
}

static void test_refused(void)
{
    static const int codes[] = {0, 1, 3, 255, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2304,
                                -4};
    static const double offsets[] = {-1, -16, NAN, INFINITY, -INFINITY};
    for (int order = AP_LITTLE; order <= AP_BIG; order++) {
        nifti n;
        for (int i = 0; i < COUNT(codes); i++) {
            n = small_analyze(order);
            n.datatype = codes[i];
            check_refused("type", &n, 70);
        }
        for (int i = 0; i < COUNT(offsets); i++) {
            n = small_analyze(order);
            n.vox_offset = offsets[i];
            check_refused("offset", &n, 108);
        }
        for (int axis = 1; axis <= 3; axis++) {
            n = small_analyze(order);
            n.dim[axis] = -axis;
            check_refused("side", &n, 40 + 2 * axis);
        }
    }
    /* Such a header counts as one in the other order than the machine's. */
    nifti n = small_analyze(AP_LITTLE + AP_BIG - native_order());
    n.dim[0] = 8;
    check_refused("8 axes", &n, 40);
    n.dim[0] = -3;
    check_refused("-3 axes", &n, 40);
    /* FreeSurfer's shapes are NIfTI-1's alone. */
    n = small_analyze(AP_LITTLE);
    n.dim[1] = -1;
    n.dim[2] = n.dim[3] = 1;
    n.glmin = 24;
    check_refused("no glmin", &n, 42);
}

static void test_shapes(void)
{
    static const int64_t sides[7] = {2, 3, 1, 2, 1, 2, 1};
    for (int ndim = 0; ndim <= 7; ndim++) {
        nifti n = analyze_new(AP_LITTLE, AP_INT16, ndim, sides);
        int64_t found[8];
        double zooms[8];
        for (int i = 1; i < 8; i++)
            n.pixdim[i] = 0.25 + i;
        ap_proxy *proxy = open_small_pair(&n, NULL);
        test_note("%d axes", ndim);
        if (ndim == 0)
            CHECK_INTS(found, ap_shape(proxy, found, 8), INTS(0));
        else
            CHECK_INTS(found, ap_shape(proxy, found, 8), sides, ndim);
        CHECK_INT(ap_zooms(proxy, zooms, 8, &err), ndim ? ndim : 1);
        for (int i = 0; i < ndim; i++)
            CHECK_REAL(zooms[i], 1.25 + i);
        ap_free(proxy);
    }
    test_note("");
}

/* Where the data begin in the image; a fraction is cut off. */
static void test_offsets(void)
{
    static const double offsets[] = {0, 7, 16.75, 352, 5000};
    for (int i = 0; i < COUNT(offsets); i++)
        for (int f = -1; f < COUNT(analyze_formats); f++) {
            nifti n = small_analyze(AP_LITTLE);
            bytes image = {0};
            ap_proxy *proxy = NULL;
            n.vox_offset = offsets[i];
            write_small_pair(&n);
            put_fill(&image, 'z', (size_t)offsets[i]);
            put_small(&image, AP_LITTLE);
            write_bytes(temp_path("pair.img"), &image);
            test_note("offset %g", offsets[i]);
            CHECK_OK(open_as(temp_path("pair.hdr"), f < 0 ? NULL : analyze_formats[f], 1, &proxy));
            CHECK_INT(ap_data_offset(proxy), (int64_t)offsets[i]);
            CHECK(small_right(proxy));
            ap_free(proxy);
            bytes_free(&image);
        }
    test_note("");
}

/* Faults that are read all the same, with a note; grave ones are errors in
 * strict mode, which name the byte. */
static void check_noted(const char *what, const nifti *n, const char *format, int grave,
                        const char *place)
{
    ap_proxy *proxy;
    test_note("%s, %s", what, format ? format : "any");
    write_small_pair(n);
    if (CHECK_OK(open_as(temp_path("pair.hdr"), format, 0, &proxy))) {
        CHECK(ap_warning(proxy, 0) != NULL && ap_warning(proxy, 0)[0]);
        CHECK(small_right(proxy));
        ap_free(proxy);
    }
    CHECK_STATUS(open_as(temp_path("pair.hdr"), format, 1, &proxy), grave ? AP_ERR_HEADER : AP_OK);
    if (grave)
        CHECK_PART(err.message, place);
    ap_free(proxy);
    test_note("");
}

static void test_noted(void)
{
    for (int order = AP_LITTLE; order <= AP_BIG; order++)
        for (int f = 0; f < COUNT(analyze_formats); f++) {
            nifti n = small_analyze(order);
            n.bitpix = 17;
            check_noted("bitpix", &n, analyze_formats[f], 0, "");
            n = small_analyze(order);
            n.pixdim[2] = 0;
            check_noted("zoom 0", &n, analyze_formats[f], 1, "(byte 84)");
            n.pixdim[2] = -3;
            check_noted("negative zoom", &n, analyze_formats[f], 1, "(byte 84)");
            n = small_analyze(order);
            n.sizeof_hdr = 0;
            check_noted("sizeof_hdr", &n, analyze_formats[f], 1, "(byte 0)");
            n = small_analyze(order);
            n.origin[1] = 77;
            if (f > 0)
                check_noted("origin", &n, analyze_formats[f], 1, "(byte 253)");
        }
    nifti n = small_analyze(AP_LITTLE);
    n.pixdim[3] = -1;
    check_noted("negative zoom", &n, NULL, 1, "(byte 88)");
    /* Analyze has no origin that could be wrong. */
    ap_proxy *proxy;
    n = small_analyze(AP_LITTLE);
    n.origin[1] = 77;
    CHECK_OK(open_as(write_small_pair(&n), "analyze", 1, &proxy));
    CHECK(ap_warning(proxy, 0) == NULL);
    ap_free(proxy);
}

/* NIfTI stays NIfTI by content; asked for, its header is one of this family. */
static void test_nifti(void)
{
    for (int magic = 0; magic < 2; magic++) {
        nifti n = nifti_pair(1, AP_BIG, AP_INT16, 3, small_shape);
        ap_proxy *proxy;
        n.magic = magic ? "n+1" : "ni1";
        n.slope = 2;
        write_small_pair(&n);
        CHECK_OK(open_as(temp_path("pair.img"), NULL, 0, &proxy));
        CHECK_TEXT(ap_format(proxy), "nifti1-pair");
        ap_free(proxy);
        for (int f = 0; f < COUNT(analyze_formats); f++) {
            test_note("%s as %s", n.magic, analyze_formats[f]);
            CHECK_OK(open_as(temp_path("pair.img"), analyze_formats[f], 0, &proxy));
            CHECK_TEXT(ap_format(proxy), analyze_formats[f]);
            CHECK_INT(ap_is_scaled(proxy), f > 0);
            CHECK(small_right(proxy));
            ap_free(proxy);
        }
    }
    /* The other way round there is no magic. */
    nifti n = small_analyze(AP_LITTLE);
    ap_proxy *proxy;
    write_small_pair(&n);
    CHECK(open_as(temp_path("pair.hdr"), "nifti1-pair", 0, &proxy) < 0);
    CHECK(open_as(temp_path("pair.hdr"), "nifti1", 0, &proxy) < 0);
    CHECK(open_as(temp_path("pair.hdr"), "nifti2-pair", 0, &proxy) < 0);
    CHECK(open_as(temp_path("pair.hdr"), "mgh", 0, &proxy) < 0);
    test_note("");
}

/* A header is 348 bytes that begin with 348; more do not matter. Who asks for
 * the format need not have the 348. */
static void test_content(void)
{
    nifti n = small_analyze(AP_LITTLE);
    bytes b = {0};
    ap_proxy *proxy;
    size_t size = 0;
    write_small_pair(&n);
    put_nifti_header(&b, &n);
    put_fill(&b, 'x', 500);
    write_bytes(temp_path("pair.hdr"), &b);
    CHECK_OK(open_as(temp_path("pair.hdr"), NULL, 1, &proxy));
    CHECK_TEXT(ap_format(proxy), "spm2");
    ap_header(proxy, &size);
    CHECK_INT(size, 348);
    ap_free(proxy);
    for (size_t cut = 0; cut < 348; cut += 1 + cut / 3) {
        test_note("%zu bytes", 347 - cut);
        write_file(temp_path("pair.hdr"), b.data, 347 - cut);
        CHECK_STATUS(open_as(temp_path("pair.hdr"), NULL, 0, &proxy), AP_ERR_FORMAT);
        for (int f = 0; f < COUNT(analyze_formats); f++)
            CHECK_STATUS(open_as(temp_path("pair.hdr"), analyze_formats[f], 0, &proxy), AP_ERR_HEADER);
    }
    b.data[0] ^= 1;
    write_bytes(temp_path("pair.hdr"), &b);
    CHECK_STATUS(open_as(temp_path("pair.hdr"), NULL, 0, &proxy), AP_ERR_FORMAT);
    for (int f = 0; f < COUNT(analyze_formats); f++) {
        CHECK_OK(open_as(temp_path("pair.hdr"), analyze_formats[f], 0, &proxy));
        CHECK_TEXT(ap_format(proxy), analyze_formats[f]);
        ap_free(proxy);
    }
    test_note("");
    bytes_free(&b);
}

/* Header and image from sources of every kind. */
static void test_sources(void)
{
    for (int access = 0; access < ACCESSES; access++)
        for (int f = -1; f < COUNT(analyze_formats); f++) {
            nifti n = small_analyze(AP_BIG);
            bytes header = {0}, image = {0};
            ap_options *o = options_for(f < 0 ? NULL : analyze_formats[f], 0);
            ap_source *first, *second;
            ap_proxy *proxy = NULL;
            put_nifti_header(&header, &n);
            put_small(&image, AP_BIG);
            first = source_by(access, &header);
            second = source_by(access, &image);
            test_note("%s as %s", access_name(access), f < 0 ? "any" : analyze_formats[f]);
            CHECK_OK(ap_open_source(first, second, o, &proxy, &err));
            CHECK_TEXT(ap_format(proxy), f < 0 ? "spm2" : analyze_formats[f]);
            CHECK(small_right(proxy));
            ap_free(proxy);
            proxy = MARKED(ap_proxy);
            CHECK_STATUS(ap_open_source(first, NULL, o, &proxy, &err), AP_ERR_NOT_FOUND);
            CHECK(proxy == NULL);
            ap_source_free(first);
            ap_source_free(second);
            ap_options_free(o);
            bytes_free(&header);
            bytes_free(&image);
        }
    test_note("");
}

/* An image that is too short opens with a note; what exists can be read. */
static void test_truncated(void)
{
    nifti n = small_analyze(AP_LITTLE);
    ap_slice plane[2] = {ap_rest(), ap_at(0)};
    bytes image = {0};
    int16_t out[24];
    ap_proxy *proxy;
    write_small_pair(&n);
    put_small(&image, AP_LITTLE);
    image.size = 30;
    write_bytes(temp_path("pair.img"), &image);
    for (int f = -1; f < COUNT(analyze_formats); f++) {
        const char *format = f < 0 ? NULL : analyze_formats[f];
        CHECK_OK(open_as(temp_path("pair.hdr"), format, 0, &proxy));
        CHECK(ap_warning(proxy, 0) != NULL);
        CHECK_OK(ap_read_slice(proxy, plane, 2, AP_DISK, 0, out, sizeof out, &err));
        CHECK_INT(out[11], 111);
        CHECK_STATUS(ap_read_all(proxy, AP_DISK, 0, out, sizeof out, &err), AP_ERR_TRUNCATED);
        CHECK_PART(err.message, temp_path("pair.img"));
        ap_free(proxy);
        CHECK_STATUS(open_as(temp_path("pair.hdr"), format, 1, &proxy), AP_ERR_TRUNCATED);
        CHECK_PART(err.message, temp_path("pair.img"));
    }
    bytes_free(&image);
}

int main(void)
{
    test_names();
    test_types();
    test_refused();
    test_shapes();
    test_offsets();
    test_noted();
    test_nifti();
    test_content();
    test_sources();
    test_truncated();
    return test_end("analyze");
}
