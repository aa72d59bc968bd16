/* Results and boards as they are published: immutable, counted, read from any thread. */
#ifndef HEALTH_BOARD_H
#define HEALTH_BOARD_H

#include <koa/health.h>
#include <koa/option.h>

#include "base/buf.h"
#include "base/published.h"
#include "metrics/source.h"

/* One result, shared by all boards on which it stands. */
struct koa_result_object {
    struct koa_object object;
    struct koa_result result;
    const char *const *groups; /* of the check; ends with NULL */
    /* {check="...", status="..."} of each status, for the metrics source. */
    struct koa_label_view labels[KOA_STATUS_COUNT][2];
};

/* Copies all text of `result` and `groups` (NULL: none). NULL when memory is out. The caller has
 * one reference: koa_object_unref(&object->object). */
KOA_MUST_USE struct koa_result_object *koa_result_create(const struct koa_result *result,
                                                         const struct koa_texts *groups);

/* Takes references of its own on the `count` results; NULL when memory is out. The overall status
 * is decided here, once. */
KOA_MUST_USE struct koa_board *koa_board_create(struct koa_result_object *const *results,
                                                size_t count, struct koa_wall now);
void koa_board_ref(struct koa_board *board);
struct koa_object *koa_board_object(struct koa_board *board);
struct koa_board *koa_board_from_object(struct koa_object *object); /* NULL gives NULL */
const struct koa_result_object *koa_board_row(const struct koa_board *board, size_t index);
/* Results with `status`. */
size_t koa_board_status_count(const struct koa_board *board, enum koa_status status);
/* The same checks in the same order with the same statuses. */
bool koa_board_equal(const struct koa_board *a, const struct koa_board *b);

/* True when no check of `group` is unhealthy and each has answered once; an empty group is ready.
 * Else `reason` (may be NULL) gets one line that names them. */
bool koa_board_group_ready(const struct koa_board *board, const char *group,
                           struct koa_buf *reason);

/* The rule of the whole, for tests and for callers that have no board. */
enum koa_status koa_overall(struct koa_result_object *const *results, size_t count);

#endif
