/*
 * test.h - checks for the C tests
 *
 * A check that fails prints its place, what was found and what was wanted;
 * the program goes on. main ends with `return test_end("name");`. Checks are
 * for the main thread: other threads count their troubles and return them.
 */
#ifndef TEST_H
#define TEST_H

#include "arrayproxy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Every call of a test gives `&err`, so that a failing check can show it. */
extern ap_error err;

/* All return 1 if the check holds, else 0. */
int test_true(int holds, const char *text, const char *file, int line);
int test_int(int64_t found, int64_t wanted, const char *text, const char *file, int line);
int test_ints(const int64_t *found, int64_t nfound, const int64_t *wanted, int nwanted,
              const char *text, const char *file, int line);
int test_real(double found, double wanted, double tolerance, const char *text,
              const char *file, int line);
int test_status(int64_t found, int64_t wanted, const char *text, const char *file, int line);
int test_text(const char *found, const char *wanted, const char *text, const char *file,
              int line);
int test_part(const char *found, const char *part, const char *text, const char *file,
              int line);
int test_bytes(const void *found, const void *wanted, size_t n, const char *text,
               const char *file, int line);

/* What is being tested, for loops: shown with checks that fail. */
void test_note(const char *format, ...);

/* 1 if the programs should be quick because a slow tool runs them. */
int test_small(void);

/* Remove the temporary folder, print the counts, give the exit status. */
int test_end(const char *name);

/* Fill `err`, to see later that a call did not write to it. */
void err_mark(void);
int err_untouched(void);

/* A pointer that is not NULL, to see that a failing call sets it to NULL. */
#define MARKED(type) ((type *)(void *)&err)

#define CHECK(condition) test_true(!!(condition), #condition, __FILE__, __LINE__)
#define CHECK_INT(found, wanted) \
    test_int((int64_t)(found), (int64_t)(wanted), #found, __FILE__, __LINE__)
#define CHECK_REAL(found, wanted) test_real(found, wanted, 0.0, #found, __FILE__, __LINE__)
#define CHECK_NEAR(found, wanted, tolerance) \
    test_real(found, wanted, tolerance, #found, __FILE__, __LINE__)
#define CHECK_STATUS(found, wanted) test_status(found, wanted, #found, __FILE__, __LINE__)
#define CHECK_OK(found) test_status(found, AP_OK, #found, __FILE__, __LINE__)
#define CHECK_TEXT(found, wanted) test_text(found, wanted, #found, __FILE__, __LINE__)
#define CHECK_PART(found, part) test_part(found, part, #found, __FILE__, __LINE__)
#define CHECK_BYTES(found, wanted, n) \
    test_bytes(found, wanted, n, #found, __FILE__, __LINE__)

/* CHECK_INTS(shape, ap_ndim(p), INTS(2, 3)): a list of integers. */
#define INTS(...)                  \
    (const int64_t[]){__VA_ARGS__}, \
        (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))
#define CHECK_INTS(found, nfound, ...) \
    test_ints(found, nfound, __VA_ARGS__, #found, __FILE__, __LINE__)

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

#ifdef __cplusplus
}
#endif
#endif
