/* Versions and features of the library that runs. */
#include "test.h"

#include <stdio.h>

static void test_versions(void)
{
    char text[40];
    CHECK_INT(ap_version(), AP_VERSION_NUMBER);
    CHECK_INT(ap_version(),
              AP_VERSION_MAJOR * 10000 + AP_VERSION_MINOR * 100 + AP_VERSION_PATCH);
    CHECK_INT(ap_abi_version(), AP_ABI_VERSION);
    snprintf(text, sizeof text, "%d.%d.%d", AP_VERSION_MAJOR, AP_VERSION_MINOR,
             AP_VERSION_PATCH);
    CHECK_TEXT(ap_version_string(), text);
    CHECK(ap_version_string() == ap_version_string());
}

static void test_features(void)
{
    static const char *present[] = {"nifti1", "nifti1-pair", "nifti2", "nifti2-pair", "analyze",
                                    "spm99",  "spm2",        "mgh",    "afni",        "ecat",
                                    "parrec", "minc1",       "minc2",  "layout",      "gzip",
                                    "bzip2",  "zstd",
                                    "mmap"};
    static const char *absent[] = {"", "nifti", "NIFTI1", "nifti1 ", "gzip,mmap", "\xff\xfe"};
    static const char *perhaps[] = {"threads", "minc1", "minc2"};
    for (int i = 0; i < COUNT(present); i++) {
        test_note("%s", present[i]);
        CHECK_INT(ap_has(present[i]), 1);
    }
    for (int i = 0; i < COUNT(absent); i++) {
        test_note("%s", absent[i]);
        CHECK_INT(ap_has(absent[i]), 0);
    }
    for (int i = 0; i < COUNT(perhaps); i++) {
        test_note("%s", perhaps[i]);
        CHECK(ap_has(perhaps[i]) == 0 || ap_has(perhaps[i]) == 1);
    }
    test_note("");
    CHECK_INT(ap_has(NULL), 0);
}

int main(void)
{
    test_versions();
    test_features();
    return test_end("version");
}
