/* The history of transitions: the newest `limit` records, and pictures of them for readers. */
#ifndef ALERTS_JOURNAL_H
#define ALERTS_JOURNAL_H

#include "alerts/record.h"

struct koa_journal {
    struct koa_alert_record **rows; /* a ring */
    size_t limit;
    size_t first, count;
    int64_t last_number;
};

/* Oldest first. */
struct koa_journal_view {
    struct koa_object object;
    size_t count;
    struct koa_alert_record *rows[];
};

KOA_MUST_USE enum koa_err koa_journal_init(struct koa_journal *journal, size_t limit,
                                           struct koa_error *reterr);
void koa_journal_deinit(struct koa_journal *journal);
/* Takes the caller's reference; over the oldest when full. A record without a number gets the next
 * one. */
void koa_journal_adopt(struct koa_journal *journal, struct koa_alert_record *record);
/* Another limit; the newest stay. */
KOA_MUST_USE enum koa_err koa_journal_resize(struct koa_journal *journal, size_t limit,
                                             struct koa_error *reterr);
KOA_MUST_USE struct koa_journal_view *koa_journal_copy(const struct koa_journal *journal);

#endif
