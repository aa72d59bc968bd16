/* Numbers from text and to text, whole or not at all: no blanks, no trailing characters, no locale.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <koa/base.h>
#include <koa/error.h>
#include <koa/time.h>

/* Decimal, an optional '-'. KOA_ERR_PARSE or KOA_ERR_RANGE without text: the caller knows the name.
 */
KOA_MUST_USE enum koa_err koa_parse_int(struct koa_str text, int64_t minimum, int64_t maximum,
                                        int64_t *ret_number);
/* Finite decimal or scientific notation. */
KOA_MUST_USE enum koa_err koa_parse_double(struct koa_str text, double *ret_number);
/* 500ms, 30s, 1m30s, 24h, 7d, 1.5s; a bare number counts `bare_unit_ms` each. Not negative, whole
 * milliseconds, units from large to small, at most 100 years (KOA_ERR_RANGE). */
KOA_MUST_USE enum koa_err koa_parse_duration(struct koa_str text, int64_t bare_unit_ms,
                                             int64_t *ret_ms);
/* 65536, 64KiB, 10MiB, 1GiB, 1kB, 1MB, 1GB. */
KOA_MUST_USE enum koa_err koa_parse_size(struct koa_str text, int64_t *ret_bytes);
/* true false yes no on off. */
KOA_MUST_USE enum koa_err koa_parse_bool(struct koa_str text, bool *ret_value);
/* RFC 3339 with Z or an offset: what koa_wall_format() writes, and its relatives. */
KOA_MUST_USE enum koa_err koa_wall_parse(struct koa_str text, struct koa_wall *ret_time);

enum { KOA_NUM_TEXT_SIZE = 32 };
/* Shortest text that reads back as the same double ("0.1", "1e+21", "NaN", "+Inf", "-Inf"); whole
 * numbers below 2^53 without exponent or point. Returns the length. */
size_t koa_format_double(double number, char text[KOA_NUM_TEXT_SIZE]);
size_t koa_format_int(int64_t number, char text[KOA_NUM_TEXT_SIZE]);
size_t koa_format_uint(uint64_t number, char text[KOA_NUM_TEXT_SIZE]);
/* "1m30s", "500ms", "0s": what koa_parse_duration() reads. Returns the length. */
size_t koa_format_duration(int64_t duration_ms, char text[KOA_NUM_TEXT_SIZE]);
/* "64KiB", "65537": what koa_parse_size() reads. */
size_t koa_format_size(int64_t bytes, char text[KOA_NUM_TEXT_SIZE]);

#endif
