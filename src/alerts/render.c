/* Writes alerts with the field names of the HTTP contract; nothing else of the program knows them.
 */
#include "alerts/render.h"

#include <string.h>

#include "alerts/identity.h"

static void render_labels(struct koa_json *json, const char *key, const struct koa_labels *labels)
{
    koa_json_object(json, key);
    for (size_t i = 0; i < labels->count; i++)
        koa_json_text(json, labels->rows[i].name, labels->rows[i].value);
    koa_json_object_end(json);
}

static void render_number(struct koa_json *json, const char *key, bool is_known, double number)
{
    if (is_known) {
        koa_json_double(json, key, number);
    } else {
        koa_json_null(json, key);
    }
}

static void render_fingerprint(struct koa_json *json, uint64_t identity)
{
    char fingerprint[KOA_FINGERPRINT_SIZE];

    koa_fingerprint_format(identity, fingerprint);
    koa_json_text(json, "fingerprint", fingerprint);
}

void koa_alert_render_members(struct koa_json *json, const struct koa_alert_record *record)
{
    koa_json_text(json, "name", record->rule);
    koa_json_text(json, "severity", koa_severity_name(record->severity));
    koa_json_text(json, "state", koa_alert_state_name(record->state));
    koa_json_text(json, "message", record->message);
    render_labels(json, "labels", &record->labels);
    render_labels(json, "annotations", &record->annotations);
    koa_json_time(json, "starts_at", record->starts_at);
    koa_json_time(json, "ends_at", record->ends_at);
}

void koa_alert_render_details(struct koa_json *json, const struct koa_alert_record *record)
{
    render_fingerprint(json, record->identity);
    koa_json_text(json, "rule", record->rule);
    render_number(json, "value", record->has_value, record->value);
    render_number(json, "threshold", record->has_threshold, record->threshold);
}

void koa_alert_render(struct koa_json *json, const char *key, const struct koa_alert_record *record)
{
    koa_json_object(json, key);
    koa_alert_render_members(json, record);
    koa_json_object_end(json);
}

void koa_alerts_render_head(struct koa_json *json, const struct koa_alert_board *board)
{
    koa_json_int(json, "active_count", board != NULL ? (int64_t) board->firing : 0);
    koa_json_int(json, "total_rules", board != NULL ? (int64_t) board->rule_count : 0);
    koa_json_object(json, "severity_counts");
    for (int i = 0; i < KOA_SEVERITY_COUNT; i++) {
        koa_json_int(json, koa_severity_name((enum koa_severity) i),
                     board != NULL ? (int64_t) board->firing_by_severity[i] : 0);
    }
    koa_json_object_end(json);
    koa_json_time(json, "last_check", board != NULL ? board->last_check : (struct koa_wall){0});
}

void koa_alerts_render_active(struct koa_json *json, const struct koa_alert_board *board)
{
    koa_alerts_render_head(json, board);
    koa_json_list(json, "active_alerts");
    for (size_t i = 0; board != NULL && i < board->alert_count; i++) {
        if (board->alerts[i]->state == KOA_ALERT_FIRING)
            koa_alert_render(json, NULL, board->alerts[i]);
    }
    koa_json_list_end(json);
}

static void render_active(struct koa_json *json, const struct koa_alert_record *record)
{
    koa_json_object(json, NULL);
    render_fingerprint(json, record->identity);
    koa_json_text(json, "state", koa_alert_state_name(record->state));
    render_labels(json, "labels", &record->labels);
    render_number(json, "value", record->has_value, record->value);
    render_number(json, "threshold", record->has_threshold, record->threshold);
    koa_json_time(json, "since", record->at);
    koa_json_object_end(json);
}

void koa_alerts_render_rule(struct koa_json *json, const struct koa_alert_board *board,
                            size_t index)
{
    const struct koa_alert_board_rule *rule = &board->rules[index];

    koa_json_object(json, NULL);
    koa_json_text(json, "name", rule->name);
    koa_json_text(json, "type", rule->type);
    koa_json_text(json, "severity", koa_severity_name(rule->severity));
    koa_json_text(json, "state", koa_alert_state_name(rule->state));
    koa_json_time(json, "last_evaluation", rule->last_evaluation);
    koa_json_double(json, "last_duration_ms", rule->last_duration_ms);
    koa_json_text(json, "last_error", rule->last_error);
    koa_json_list(json, "active");
    for (size_t i = 0; i < rule->alert_count; i++) {
        const struct koa_alert_record *record = board->alerts[rule->first_alert + i];

        if (record->state != KOA_ALERT_RESOLVED)
            render_active(json, record);
    }
    koa_json_list_end(json);
    koa_json_object_end(json);
}

void koa_alerts_render_rules(struct koa_json *json, const struct koa_alert_board *board)
{
    koa_json_list(json, "rules");
    for (size_t i = 0; board != NULL && i < board->rule_count; i++)
        koa_alerts_render_rule(json, board, i);
    koa_json_list_end(json);
    koa_json_int(json, "count", board != NULL ? (int64_t) board->rule_count : 0);
}

static void render_transitions(struct koa_json *json, uint64_t identity,
                               const struct koa_journal_view *history)
{
    koa_json_list(json, "transitions");
    for (size_t i = 0; history != NULL && i < history->count; i++) {
        const struct koa_alert_record *record = history->rows[i];

        if (record->identity != identity)
            continue;
        koa_json_object(json, NULL);
        koa_json_text(json, "state", koa_alert_state_name(record->state));
        koa_json_time(json, "at", record->at);
        render_number(json, "value", record->has_value, record->value);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
}

static void render_notifications(struct koa_json *json, uint64_t identity,
                                 const struct koa_ledger_view *ledger)
{
    koa_json_list(json, "notifications");
    for (size_t i = 0; ledger != NULL && i < ledger->count; i++) {
        const struct koa_ledger_row *row = &ledger->rows[i];

        if (row->identity != identity)
            continue;
        koa_json_object(json, NULL);
        koa_json_text(json, "notifier", row->notifier);
        koa_json_text(json, "state", koa_alert_state_name(row->state));
        koa_json_time(json, "at", row->at);
        koa_json_int(json, "attempt", row->attempt);
        koa_json_text(json, "outcome", koa_ledger_outcome_name(row->outcome));
        koa_json_time(json, "next_attempt", row->next_attempt);
        koa_json_text(json, "reason", row->text[0] != '\0' ? row->text : NULL);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
}

/* Of the board, else the last transition. */
static const struct koa_alert_record *find(const char *fingerprint,
                                           const struct koa_alert_board *board,
                                           const struct koa_journal_view *history)
{
    char text[KOA_FINGERPRINT_SIZE];

    for (size_t i = 0; board != NULL && i < board->alert_count; i++) {
        koa_fingerprint_format(board->alerts[i]->identity, text);
        if (strcmp(text, fingerprint) == 0)
            return board->alerts[i];
    }
    for (size_t i = history != NULL ? history->count : 0; i > 0; i--) {
        koa_fingerprint_format(history->rows[i - 1]->identity, text);
        if (strcmp(text, fingerprint) == 0)
            return history->rows[i - 1];
    }
    return NULL;
}

bool koa_alert_render_explained(struct koa_json *json, const char *fingerprint,
                                const struct koa_alert_board *board,
                                const struct koa_journal_view *history,
                                const struct koa_ledger_view *ledger)
{
    const struct koa_alert_record *record = find(fingerprint, board, history);

    if (record == NULL)
        return false;
    koa_alert_render_members(json, record);
    koa_alert_render_details(json, record);
    koa_json_time(json, "since", record->at);
    render_transitions(json, record->identity, history);
    koa_json_null(json, "suppressed_by");
    render_notifications(json, record->identity, ledger);
    return true;
}
