/* A verdict as the core holds it: the memory behind include/koa/check.h's opaque struct. */
#ifndef HEALTH_VERDICT_H
#define HEALTH_VERDICT_H

#include <koa/check.h>

#include "base/buf.h"

enum {
    KOA_VERDICT_TEXT_SIZE = 1024 + 1, /* longer texts are cut */
    KOA_VERDICT_DETAILS_LIMIT = 16384 /* bytes of JSON; details beyond it are dropped and counted */
};

struct koa_verdict_detail {
    char *key;
    char *json; /* the value, redacted and escaped */
    size_t size;
};

struct koa_verdict {
    enum koa_status status;
    bool is_subjectless;
    bool is_decided;
    struct koa_mono deadline;
    char text[KOA_VERDICT_TEXT_SIZE]; /* one line of well-formed UTF-8, redacted */
    struct koa_verdict_detail *details;
    size_t count, capacity;
    size_t bytes; /* of keys and values */
    size_t dropped;
};

/* Unknown, without text or details. */
void koa_verdict_init(struct koa_verdict *verdict, struct koa_mono deadline);
void koa_verdict_deinit(struct koa_verdict *verdict);
/* Adds words to the end of the text; cut to fit. */
void koa_verdict_append(struct koa_verdict *verdict, const char *format, ...) KOA_PRINTF(2, 3);
/* Appends the details as one JSON object, "{}" without any; those that were dropped are told as
 * `details_dropped`. */
void koa_verdict_print_details(const struct koa_verdict *verdict, struct koa_buf *buf);

#endif
