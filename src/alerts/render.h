/* Alerts as the JSON of the HTTP contract. Pure; any thread. */
#ifndef ALERTS_RENDER_H
#define ALERTS_RENDER_H

#include "alerts/board.h"
#include "alerts/journal.h"
#include "alerts/ledger.h"
#include "base/json_write.h"

/* ALERT, as an object. */
void koa_alert_render(struct koa_json *json, const char *key,
                      const struct koa_alert_record *record);
/* ALERT's members and fingerprint, rule, value, threshold, into the object that is open. */
void koa_alert_render_members(struct koa_json *json, const struct koa_alert_record *record);
void koa_alert_render_details(struct koa_json *json, const struct koa_alert_record *record);

/* Members of /alerts without `timestamp`, into the object that is open. `board` may be NULL. */
void koa_alerts_render_active(struct koa_json *json, const struct koa_alert_board *board);
/* The same in steps, for an answer that is streamed: head, then one object per firing alert (rows
 * of `board->alerts` whose state is firing) in a list `active_alerts` of the caller's. */
void koa_alerts_render_head(struct koa_json *json, const struct koa_alert_board *board);

/* Members of /rules without `timestamp`. `board` may be NULL. */
void koa_alerts_render_rules(struct koa_json *json, const struct koa_alert_board *board);
void koa_alerts_render_rule(struct koa_json *json, const struct koa_alert_board *board,
                            size_t index);

/* What is known of one alert: of the board, else of its last transition. Everything but the
 * fingerprint may be NULL. False, and nothing written, when nothing is known. */
KOA_MUST_USE bool koa_alert_render_explained(struct koa_json *json, const char *fingerprint,
                                             const struct koa_alert_board *board,
                                             const struct koa_journal_view *history,
                                             const struct koa_ledger_view *ledger);

#endif
