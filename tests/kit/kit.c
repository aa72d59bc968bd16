#include "kit/kit.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A failed test leaves by longjmp: the next one must not meet failing allocations. */
static void fail_here(const char *file, int line)
{
    koa_memory_fail_after(-1);
    _fail(file, line);
}

bool kit_fail_next_allocation(int64_t *allowed, bool is_done)
{
    enum { MOST = 10000 }; /* far more than any block here allocates */

    koa_memory_fail_after(-1);
    if (is_done)
        return false;
    if (*allowed == MOST)
        fail_msg("the block did not succeed with %d allocations", MOST);
    koa_memory_fail_after((*allowed)++);
    return true;
}

void kit_expect_int(const char *name, int64_t expected, int64_t actual, const char *file, int line)
{
    if (expected == actual)
        return;
    print_error("%s: expected %lld, got %lld\n", name, (long long) expected, (long long) actual);
    fail_here(file, line);
}

void kit_expect_text(const char *name, const char *expected, const char *actual, const char *file,
                     int line)
{
    if (expected == actual || (expected != NULL && actual != NULL && strcmp(expected, actual) == 0))
        return;
    print_error("%s:\n  expected '%s'\n  got      '%s'\n", name,
                expected != NULL ? expected : "(null)", actual != NULL ? actual : "(null)");
    fail_here(file, line);
}

void kit_expect_contains(const char *name, const char *part, const char *actual, const char *file,
                         int line)
{
    if (actual != NULL && strstr(actual, part) != NULL)
        return;
    print_error("%s:\n  expected a text with '%s'\n  got '%s'\n", name, part,
                actual != NULL ? actual : "(null)");
    fail_here(file, line);
}

void kit_expect_double(const char *name, double expected, double actual, const char *file, int line)
{
    double tolerance = 1e-9 * fmax(1.0, fabs(expected));

    if ((isnan(expected) && isnan(actual)) || fabs(expected - actual) <= tolerance ||
        (isinf(expected) && isinf(actual) && signbit(expected) == signbit(actual)))
        return;
    print_error("%s: expected %.17g, got %.17g\n", name, expected, actual);
    fail_here(file, line);
}

void kit_expect(const char *name, const char *text, bool condition, const char *file, int line)
{
    if (condition)
        return;
    print_error("%s: not true: %s\n", name, text);
    fail_here(file, line);
}

char *kit_read_file(const char *path, size_t *ret_size)
{
    const char *root =
        getenv("KIT_SOURCE_ROOT"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    char full[4096];
    FILE *file;
    char *text;
    long size;

    (void) snprintf(full, sizeof(full), "%s/%s", root != NULL ? root : ".", path);
    file = fopen(full, "rbe");
    if (file == NULL)
        fail_msg("cannot open '%s'", full);
    (void) fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = calloc(1, (size_t) size + 1);
    if (text == NULL || fread(text, 1, (size_t) size, file) != (size_t) size)
        fail_msg("cannot read '%s'", full);
    (void) fclose(file);
    if (ret_size != NULL)
        *ret_size = (size_t) size;
    return text;
}

char *kit_temporary_directory(void)
{
    char *path = strdup("/tmp/koa-test-XXXXXX");

    if (path == NULL || mkdtemp(path) == NULL)
        fail_msg("cannot make a temporary directory");
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void) status;
    (void) type;
    (void) where;
    return remove(path);
}

void kit_remove_directory(char *path)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): it does not change the working directory */
    (void) nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}
