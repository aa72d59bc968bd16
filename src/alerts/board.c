/* Builds the picture that readers on other threads see. */
#include "alerts/board.h"

#include "base/memory.h"

enum {
    /* Rules' names and errors: 1,000 rules of at most 600 bytes, and pointers to their alerts. */
    BOARD_BYTES = 64 * 1024 * 1024
};

static void destroy(struct koa_object *object)
{
    struct koa_alert_board *board = KOA_CONTAINER_OF(object, struct koa_alert_board, object);

    for (size_t i = 0; i < board->alert_count; i++)
        koa_alert_record_unref(board->alerts[i]);
    koa_arena_destroy(board->arena);
    koa_free(board);
}

static size_t count_alerts(struct koa_rule *const *rules, size_t rule_count)
{
    size_t count = 0;

    for (size_t i = 0; i < rule_count; i++) {
        for (size_t at = 0; koa_alert_set_next(rules[i]->alerts, &at) != NULL;)
            count++;
    }
    return count;
}

static void add_alert(struct koa_alert_board *board, struct koa_alert_record *record)
{
    board->alerts[board->alert_count++] = koa_alert_record_ref(record);
    if (record->state == KOA_ALERT_FIRING) {
        board->firing++;
        board->firing_by_severity[record->severity]++;
    } else if (record->state == KOA_ALERT_PENDING) {
        board->pending_by_severity[record->severity]++;
    }
}

static bool add_rule(struct koa_alert_board *board, const struct koa_rule *rule)
{
    struct koa_alert_board_rule *row = &board->rules[board->rule_count];
    const struct koa_alert *alert;

    row->name = koa_arena_strdup(board->arena, koa_rule_name(rule));
    row->type = koa_arena_strdup(board->arena, rule->spec.ops->name);
    if (rule->last_error[0] != '\0')
        row->last_error = koa_arena_strdup(board->arena, rule->last_error);
    if (koa_arena_failed(board->arena))
        return false;
    row->severity = (enum koa_severity) rule->spec.settings->severity;
    row->state = koa_rule_state(rule);
    row->last_evaluation = rule->last_evaluation;
    row->last_duration_ms = rule->last_duration_ms;
    row->first_alert = board->alert_count;
    for (size_t at = 0; (alert = koa_alert_set_next(rule->alerts, &at)) != NULL;)
        add_alert(board, alert->record);
    row->alert_count = board->alert_count - row->first_alert;
    board->rule_count++;
    return true;
}

struct koa_alert_board *koa_alert_board_create(struct koa_rule *const *rules, size_t rule_count,
                                               struct koa_wall last_check)
{
    struct koa_alert_board *board = koa_calloc(1, sizeof(*board));
    bool is_whole;

    if (board == NULL)
        return NULL;
    koa_object_init(&board->object, destroy);
    board->last_check = last_check;
    board->arena = koa_arena_create(BOARD_BYTES);
    if (board->arena != NULL) {
        board->rules = koa_arena_alloc(board->arena, rule_count + 1, sizeof(*board->rules));
        board->alerts = koa_arena_alloc(board->arena, count_alerts(rules, rule_count) + 1,
                                        sizeof(struct koa_alert_record *));
    }
    is_whole = board->rules != NULL && board->alerts != NULL;
    for (size_t i = 0; is_whole && i < rule_count; i++)
        is_whole = add_rule(board, rules[i]);
    if (is_whole)
        return board;
    koa_alert_board_unref(board);
    return NULL;
}

void koa_alert_board_unref(struct koa_alert_board *board)
{
    if (board != NULL)
        koa_object_unref(&board->object);
}

const struct koa_alert_record *koa_alert_board_find(const struct koa_alert_board *board,
                                                    uint64_t identity)
{
    for (size_t i = 0; board != NULL && i < board->alert_count; i++) {
        if (board->alerts[i]->identity == identity)
            return board->alerts[i];
    }
    return NULL;
}

enum koa_status koa_alert_board_raise(const struct koa_alert_board *board, enum koa_status status)
{
    if (board == NULL)
        return status;
    if (board->firing_by_severity[KOA_SEVERITY_CRITICAL] > 0)
        return KOA_STATUS_UNHEALTHY;
    if (board->firing_by_severity[KOA_SEVERITY_WARNING] > 0 && status == KOA_STATUS_HEALTHY)
        return KOA_STATUS_DEGRADED;
    return status;
}
