/* Checks: counting and printing. */
#include "../test.h"
#include "files.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PRINTED = 40 };

ap_error err;

static long passed, failed;
static char note[200];

void test_note(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(note, sizeof note, format, args);
    va_end(args);
    for (char *p = note; *p; p++)
        if (*p & 0x80 || *p == '\n')
            *p = '?';
}

/* Count; begin the line of a failure. Returns 1 if there is one to print. */
static int begin(int holds, const char *text, const char *file, int line)
{
    if (holds) {
        passed++;
        return 0;
    }
    failed++;
    if (failed > MOST_PRINTED)
        return 0;
    printf("%s:%d: %s", file, line, text);
    if (note[0])
        printf(" [%s]", note);
    return 1;
}

int test_true(int holds, const char *text, const char *file, int line)
{
    if (begin(holds, text, file, line))
        printf(": does not hold\n");
    return holds;
}

int test_int(int64_t found, int64_t wanted, const char *text, const char *file, int line)
{
    int holds = found == wanted;
    if (begin(holds, text, file, line))
        printf(": found %" PRId64 ", wanted %" PRId64 "\n", found, wanted);
    return holds;
}

static void print_ints(const int64_t *list, int64_t n)
{
    printf("(");
    for (int64_t i = 0; i < n && i < AP_MAX_NDIM; i++)
        printf("%s%" PRId64, i ? ", " : "", list[i]);
    printf(")");
}

int test_ints(const int64_t *found, int64_t nfound, const int64_t *wanted, int nwanted,
              const char *text, const char *file, int line)
{
    int holds = nfound == nwanted;
    for (int i = 0; holds && i < nwanted; i++)
        holds = found[i] == wanted[i];
    if (begin(holds, text, file, line)) {
        printf(": found ");
        if (nfound < 0)
            printf("status %s", ap_status_name((ap_status)nfound));
        else
            print_ints(found, nfound);
        printf(", wanted ");
        print_ints(wanted, nwanted);
        printf("\n");
    }
    return holds;
}

int test_real(double found, double wanted, double tolerance, const char *text,
              const char *file, int line)
{
    int holds = (isnan(found) && isnan(wanted)) || found == wanted ||
                fabs(found - wanted) <= tolerance;
    if (begin(holds, text, file, line))
        printf(": found %.17g, wanted %.17g\n", found, wanted);
    return holds;
}

int test_status(int64_t found, int64_t wanted, const char *text, const char *file, int line)
{
    int holds = found == wanted;
    if (begin(holds, text, file, line)) {
        printf(": found %" PRId64 " (%s), wanted %" PRId64 " (%s)", found,
               ap_status_name((ap_status)(found < 0 ? found : 0)), wanted,
               ap_status_name((ap_status)(wanted < 0 ? wanted : 0)));
        if (found < 0 && err.code == found)
            printf(": %.*s", (int)sizeof err.message, err.message);
        printf("\n");
    }
    return holds;
}

int test_text(const char *found, const char *wanted, const char *text, const char *file,
              int line)
{
    int holds = found && wanted ? strcmp(found, wanted) == 0 : found == wanted;
    if (begin(holds, text, file, line))
        printf(": found \"%s\", wanted \"%s\"\n", found ? found : "(NULL)",
               wanted ? wanted : "(NULL)");
    return holds;
}

int test_part(const char *found, const char *part, const char *text, const char *file,
              int line)
{
    int holds = found && strstr(found, part);
    if (begin(holds, text, file, line))
        printf(": found \"%s\", wanted one with \"%s\"\n", found ? found : "(NULL)", part);
    return holds;
}

int test_bytes(const void *found, const void *wanted, size_t n, const char *text,
               const char *file, int line)
{
    const unsigned char *f = found, *w = wanted;
    size_t at = 0;
    while (at < n && f[at] == w[at])
        at++;
    if (begin(at == n, text, file, line))
        printf(": byte %zu of %zu: found %u, wanted %u\n", at, n, f[at], w[at]);
    return at == n;
}

int test_small(void)
{
    const char *small = getenv("CTESTS_SMALL");
    return small && small[0] == '1';
}

void err_mark(void)
{
    memset(&err, 0x5a, sizeof err);
}

int err_untouched(void)
{
    const unsigned char *bytes = (const unsigned char *)&err;
    for (size_t i = 0; i < sizeof err; i++)
        if (bytes[i] != 0x5a)
            return 0;
    return 1;
}

int test_end(const char *name)
{
    temp_remove();
    if (failed > MOST_PRINTED)
        printf("(%ld more failures not shown)\n", failed - MOST_PRINTED);
    printf("%s: %ld passed, %ld failed\n", name, passed, failed);
    return failed || !passed;
}
