/* What every unit test uses: cmocka, tables of cases, expectations that name the row. */
#ifndef KIT_KIT_H
#define KIT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <koa/base.h>

#include "base/memory.h"

/* KIT_EACH (c, cases) { ... c->name ... } over a table. */
/* NOLINTBEGIN(bugprone-macro-parentheses): `row` is a name to declare. */
#define KIT_EACH(row, table)                                                                       \
    for (__typeof__(&(table)[0]) row = (table); row < (table) + KOA_ARRAY_COUNT(table); row++)
/* NOLINTEND(bugprone-macro-parentheses) */

/* Each prints the row's name and both values, then fails the test. */
#define KIT_EXPECT_INT(name, expected, actual)                                                     \
    kit_expect_int((name), (int64_t) (expected), (int64_t) (actual), __FILE__, __LINE__)
#define KIT_EXPECT_TEXT(name, expected, actual)                                                    \
    kit_expect_text((name), (expected), (actual), __FILE__, __LINE__)
#define KIT_EXPECT_CONTAINS(name, part, actual)                                                    \
    kit_expect_contains((name), (part), (actual), __FILE__, __LINE__)
#define KIT_EXPECT_DOUBLE(name, expected, actual)                                                  \
    kit_expect_double((name), (expected), (actual), __FILE__, __LINE__)
#define KIT_EXPECT(name, condition) kit_expect((name), #condition, (condition), __FILE__, __LINE__)

void kit_expect_int(const char *name, int64_t expected, int64_t actual, const char *file, int line);
void kit_expect_text(const char *name, const char *expected, const char *actual, const char *file,
                     int line);
void kit_expect_contains(const char *name, const char *part, const char *actual, const char *file,
                         int line);
void kit_expect_double(const char *name, double expected, double actual, const char *file,
                       int line);
void kit_expect(const char *name, const char *text, bool condition, const char *file, int line);

/* Runs the block again and again with the first, second, ... allocation failing, until a run says
 * that everything succeeded: `ok` is a bool that is false before the loop and that the block sets.
 *     bool ok = false;
 *     KIT_FOR_EACH_ALLOC_FAILURE (ok) {
 *         ok = koa_thing_create(&thing, NULL) == KOA_OK;
 *         koa_thing_destroy(thing);
 *     }
 */
#define KIT_FOR_EACH_ALLOC_FAILURE(ok)                                                             \
    for (int64_t kit_allowed = 0; kit_fail_next_allocation(&kit_allowed, (ok));)
bool kit_fail_next_allocation(int64_t *allowed, bool is_done);

/* A file of the source tree ("tests/fuzz/corpus/..."), whole, NUL-ended; koa_free(). Fails the test
 * when it cannot be read. */
char *kit_read_file(const char *path, size_t *ret_size);

/* An empty directory of its own under the system's temporary one; removed with all in it by
 * kit_remove_directory(). */
char *kit_temporary_directory(void);
void kit_remove_directory(char *path);

#endif
