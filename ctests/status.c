/* Names and sentences of status codes. */
#include "test.h"

#include <string.h>

#define CODE(name) {name, #name}

static const struct {
    ap_status code;
    const char *name;
} codes[] = {
    CODE(AP_OK),            CODE(AP_ERR_NULL),      CODE(AP_ERR_ARGUMENT),
    CODE(AP_ERR_INDEX),     CODE(AP_ERR_BUFFER),    CODE(AP_ERR_OPTION),
    CODE(AP_ERR_NOT_FOUND), CODE(AP_ERR_IO),        CODE(AP_ERR_TRUNCATED),
    CODE(AP_ERR_FORMAT),    CODE(AP_ERR_HEADER),    CODE(AP_ERR_CODEC),
    CODE(AP_ERR_SEEKINDEX), CODE(AP_ERR_UNSUPPORTED), CODE(AP_ERR_NO_VIEW),
    CODE(AP_ERR_RANGE),     CODE(AP_ERR_MEMORY),    CODE(AP_ERR_CANCELLED),
    CODE(AP_ERR_CALLBACK),  CODE(AP_ERR_CHANGED),   CODE(AP_ERR_INTERNAL),
};

static void test_names(void)
{
    for (int i = 0; i < COUNT(codes); i++) {
        CHECK_INT(codes[i].code, -i);
        CHECK_TEXT(ap_status_name(codes[i].code), codes[i].name);
    }
    CHECK_TEXT(ap_status_name(1), "AP_OK");
    CHECK_TEXT(ap_status_name(INT32_MAX), "AP_OK");
    CHECK_TEXT(ap_status_name(-21), "AP_ERR_UNKNOWN");
    CHECK_TEXT(ap_status_name(-1000), "AP_ERR_UNKNOWN");
    CHECK_TEXT(ap_status_name(INT32_MIN), "AP_ERR_UNKNOWN");
}

/* A sentence for people: of its own for each code, on one line. */
static void test_messages(void)
{
    static const ap_status others[] = {1, 77, INT32_MAX, -21, -1000, INT32_MIN};
    for (int i = 0; i < COUNT(codes); i++) {
        const char *message = ap_status_message(codes[i].code);
        test_note("%s", codes[i].name);
        if (!CHECK(message != NULL))
            continue;
        CHECK(strlen(message) >= 5);
        CHECK(!strchr(message, '\n'));
        CHECK(message == ap_status_message(codes[i].code));
        for (int j = 0; j < i; j++)
            CHECK(strcmp(message, ap_status_message(codes[j].code)) != 0);
    }
    for (int i = 0; i < COUNT(others); i++) {
        test_note("%d", others[i]);
        CHECK(ap_status_message(others[i]) && ap_status_message(others[i])[0]);
    }
    test_note("");
}

int main(void)
{
    test_names();
    test_messages();
    return test_end("status");
}
