/* Who was told what: one row per notification and notifier, the newest thousand. */
#ifndef ALERTS_LEDGER_H
#define ALERTS_LEDGER_H

#include <koa/notifier.h>

#include "base/published.h"

enum koa_ledger_outcome {
    KOA_LEDGER_WAITING, /* queued behind others, or under way for the first time */
    KOA_LEDGER_RETRYING,
    KOA_LEDGER_DELIVERED,
    KOA_LEDGER_UNDELIVERABLE, /* the receiver refused it for good: a dead letter */
    KOA_LEDGER_GIVEN_UP,      /* max_attempts: a dead letter */
    KOA_LEDGER_DROPPED,       /* the queue was full, or the notifier was removed: a dead letter */
    KOA_LEDGER_OUTCOME_COUNT
};
const char *koa_ledger_outcome_name(enum koa_ledger_outcome outcome);

struct koa_ledger_row {
    uint64_t number; /* from 1; 0: no row */
    uint64_t identity;
    char notifier[64]; /* cut */
    char rule[64];     /* cut */
    enum koa_alert_state state;
    struct koa_wall at; /* of the last attempt; before the first, of queueing */
    int attempt;
    enum koa_ledger_outcome outcome;
    struct koa_wall next_attempt; /* 0: none */
    char text[128];               /* why, cut; "" when delivered */
};

enum { KOA_LEDGER_ROWS = 1000 };

/* The writer's ring. Zeroed is empty. */
struct koa_ledger {
    struct koa_ledger_row *rows; /* KOA_LEDGER_ROWS, made with the first row */
    uint64_t written;
};

void koa_ledger_deinit(struct koa_ledger *ledger);
/* A new row, over the oldest; NULL when memory is out. */
struct koa_ledger_row *koa_ledger_add(struct koa_ledger *ledger);
/* The row, or NULL when it has been overwritten or `number` is 0. */
struct koa_ledger_row *koa_ledger_find(struct koa_ledger *ledger, uint64_t number);

/* A picture for readers: rows in order, oldest first. */
struct koa_ledger_view {
    struct koa_object object;
    size_t count;
    struct koa_ledger_row rows[];
};
KOA_MUST_USE struct koa_ledger_view *koa_ledger_copy(const struct koa_ledger *ledger);

#endif
