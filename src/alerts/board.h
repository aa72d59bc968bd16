/* The published picture of all rules and alerts at one moment. Immutable; any thread. */
#ifndef ALERTS_BOARD_H
#define ALERTS_BOARD_H

#include "alerts/record.h"
#include "alerts/rule.h"
#include "base/arena.h"

struct koa_alert_board_rule {
    const char *name;
    const char *type;
    enum koa_severity severity;
    enum koa_alert_state state; /* the worst of its alerts */
    struct koa_wall last_evaluation;
    double last_duration_ms;
    const char *last_error; /* NULL: none */
    size_t first_alert;     /* its alerts are `alert_count` rows of the board from here */
    size_t alert_count;     /* pending, firing, and resolved ones not yet forgotten */
};

struct koa_alert_board {
    struct koa_object object;
    struct koa_arena *arena;
    struct koa_wall last_check; /* 0: never */
    struct koa_alert_board_rule *rules;
    size_t rule_count;
    struct koa_alert_record **alerts; /* a reference each */
    size_t alert_count;
    size_t firing;
    size_t firing_by_severity[KOA_SEVERITY_COUNT];
    size_t pending_by_severity[KOA_SEVERITY_COUNT];
};

/* NULL when memory is out. */
KOA_MUST_USE struct koa_alert_board *koa_alert_board_create(struct koa_rule *const *rules,
                                                            size_t rule_count,
                                                            struct koa_wall last_check);
/* NULL is nothing. */
void koa_alert_board_unref(struct koa_alert_board *board);
KOA_DEFINE_AUTO(koa_alert_board, koa_alert_board_unref)
/* The alert, or NULL. `board` may be NULL. */
const struct koa_alert_record *koa_alert_board_find(const struct koa_alert_board *board,
                                                    uint64_t identity);
/* A status with what alerts add to it: a firing critical alert makes it unhealthy, a firing warning
 * makes healthy degraded. */
enum koa_status koa_alert_board_raise(const struct koa_alert_board *board, enum koa_status status);

#endif
