/* Element types: values, names and parsing. */
#include "test.h"

#include <stdio.h>

static const struct {
    ap_dtype dtype;
    const char *name, *code;    /* NumPy's short code, NULL if it has none */
    int kind, bytes;
} types[] = {
    {AP_BOOL, "bool", "b1", 6, 1},
    {AP_INT8, "int8", "i1", 1, 1},
    {AP_INT16, "int16", "i2", 1, 2},
    {AP_INT32, "int32", "i4", 1, 4},
    {AP_INT64, "int64", "i8", 1, 8},
    {AP_UINT8, "uint8", "u1", 2, 1},
    {AP_UINT16, "uint16", "u2", 2, 2},
    {AP_UINT32, "uint32", "u4", 2, 4},
    {AP_UINT64, "uint64", "u8", 2, 8},
    {AP_FLOAT16, "float16", "f2", 3, 2},
    {AP_FLOAT32, "float32", "f4", 3, 4},
    {AP_FLOAT64, "float64", "f8", 3, 8},
    {AP_FLOAT128, "float128", "f16", 3, 16},
    {AP_COMPLEX64, "complex64", "c8", 4, 8},
    {AP_COMPLEX128, "complex128", "c16", 4, 16},
    {AP_COMPLEX256, "complex256", "c32", 4, 32},
    {AP_RGB24, "rgb24", NULL, 5, 3},
    {AP_RGBA32, "rgba32", NULL, 5, 4},
};

static void test_types(void)
{
    char text[16];
    for (int i = 0; i < COUNT(types); i++) {
        test_note("%s", types[i].name);
        CHECK_INT(types[i].dtype, types[i].kind * 256 + types[i].bytes);
        CHECK_INT(types[i].dtype & 255, types[i].bytes);
        CHECK_TEXT(ap_dtype_name(types[i].dtype), types[i].name);
        CHECK_INT(ap_dtype_parse(types[i].name), types[i].dtype);
        if (!types[i].code)
            continue;
        CHECK_INT(ap_dtype_parse(types[i].code), types[i].dtype);
        for (const char *order = "<>=|"; *order; order++) {
            snprintf(text, sizeof text, "%c%s", *order, types[i].code);
            test_note("%s", text);
            CHECK_INT(ap_dtype_parse(text), types[i].dtype);
        }
    }
    test_note("");
    CHECK_INT(ap_dtype_parse("?"), AP_BOOL);
}

static void test_others(void)
{
    static const char *texts[] = {"",      " ",    "int",     "float", "f3",    "i16",   "u0",
                                  "<",     "f",    "int16 ",  " int16", "i2x",  "<<i2",  "i-2",
                                  "disk",  "auto", "float8",  "c4",    "rgb",   "\xff",  "i2\n"};
    static const ap_dtype unknown[] = {AP_AUTO, AP_DISK, -1, 2, 256, 259, 777, 1536, 1284 + 256,
                                       INT32_MAX, INT32_MIN, AP_ERR_ARGUMENT};
    for (int i = 0; i < COUNT(texts); i++) {
        test_note("\"%s\"", texts[i]);
        CHECK_STATUS(ap_dtype_parse(texts[i]), AP_ERR_ARGUMENT);
    }
    test_note("");
    CHECK_STATUS(ap_dtype_parse(NULL), AP_ERR_NULL);
    for (int i = 0; i < COUNT(unknown); i++) {
        test_note("%d", unknown[i]);
        CHECK(ap_dtype_name(unknown[i]) == NULL);
    }
    test_note("");
}

int main(void)
{
    test_types();
    test_others();
    return test_end("dtype");
}
