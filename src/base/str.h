/* Views of text, and the few things C's strings lack. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <koa/base.h>

struct koa_str koa_str_from(const char *text); /* NULL gives an empty view */
bool koa_str_equal(struct koa_str a, struct koa_str b);
bool koa_str_equal_text(struct koa_str a, const char *text);
/* As memcmp on the common part, then the shorter first. */
int koa_str_compare(struct koa_str a, struct koa_str b);
bool koa_str_starts(struct koa_str text, struct koa_str prefix);
struct koa_str koa_str_trim(struct koa_str text); /* ASCII blanks, tabs, CR and LF on both ends */
/* Splits at the first `separator`: returns what is before, `*rest` gets what is after (empty, with
 * NULL data, when there was no separator). */
struct koa_str koa_str_split(struct koa_str text, char separator, struct koa_str *rest);
/* Copies with NUL, cut to fit at a UTF-8 boundary; false when it was cut. `size` is at least 1. */
bool koa_str_copy(char *target, size_t size, struct koa_str text);
bool koa_text_equal(const char *a, const char *b);        /* NULL equals only NULL */
bool koa_text_equal_nocase(const char *a, const char *b); /* ASCII */

/* Well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, at most U+10FFFF). */
bool koa_utf8_valid(struct koa_str text);
/* Bytes of the well-formed character at the start of `text`; 0 when there is none. */
size_t koa_utf8_character(struct koa_str text);

/* Levenshtein distance, capped at `cap`: for "did you mean". */
int koa_text_distance(const char *a, const char *b, int cap);

#endif
