/* Runs the rules: decides when, hands each what it may look at, and carries what changed to the
 * store, the history, the notifiers and the readers. What changed is alert_set.c's decision. */
#include "alerts/engine_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerts/persist.h"
#include "base/memory.h"
#include "base/str.h"
#include "loop/clock.h"

enum {
    POKE_DISTANCE_MS = 1000, /* of evaluations that a changed health status asks for */
    /* How much of a hold time a kill -9 can cost. */
    CLOCK_SAVE_MS = 5000,
    TRIM_EVERY = 100, /* transitions, so that the table is at most 1 % too long */
    STOP_LOOK_MS = 20,
    SLOW_RULE_MS = 100,
    OBSERVATION_ROWS = 2 * KOA_ALERTS_PER_RULE /* all that have an alert, and as many new ones */
};

void koa_alerts_read_clocks(struct koa_alerts *alerts)
{
    alerts->now.wall = alerts->opts.wall();
    alerts->now.running.ms =
        alerts->running_base_ms + koa_mono_diff_ms(alerts->opts.mono(), alerts->started);
}

static bool arm(struct koa_alerts *alerts, struct koa_timer *timer, int64_t delay_ms,
                koa_timer_fn *fire)
{
    if (alerts->opts.loop == NULL && alerts->opts.timers == NULL)
        return false;
    if (koa_timers_arm(alerts->timers, timer, koa_mono_add_ms(alerts->opts.mono(), delay_ms), fire))
        return true;
    koa_log_error(alerts->opts.log, "alerts.timer",
                  "no memory for a timer; rules are looked at when health changes next");
    return false;
}

/* ---- what changed ---- */

/* Takes the caller's reference. */
static void adopt_transition(struct koa_alerts *alerts, struct koa_alert_record *record)
{
    koa_journal_adopt(&alerts->journal, koa_alert_record_ref(record));
    alerts->has_transitions = true;
    koa_persist_transition(alerts->opts.store, record, alerts->opts.log);
    if (++alerts->since_trim >= TRIM_EVERY) {
        koa_persist_trim(alerts->opts.store, alerts->journal.limit);
        alerts->since_trim = 0;
    }
    koa_alert_record_unref(record);
}

/* A wait that ended without firing is over for who reads the history, too; nobody is told. Without
 * memory for the picture the history keeps the beginning only. */
static void end_wait(struct koa_alerts *alerts, const struct koa_alert_record *record)
{
    struct koa_alert_record end = *record;
    struct koa_alert_record *copy;

    end.state = KOA_ALERT_RESOLVED;
    end.ends_at.ms = end.at.ms > end.starts_at.ms ? end.at.ms : end.starts_at.ms;
    copy = koa_alert_record_create(&end);
    if (copy != NULL)
        adopt_transition(alerts, copy);
}

void koa_alerts_stepped(void *context, struct koa_alert *alert, enum koa_alert_step step)
{
    struct koa_alerts *alerts = context;
    struct koa_alert_record *record = alert->record;

    koa_log_debug(alerts->opts.log, "alert.step", "%s: %s (%s)", record->rule,
                  koa_alert_step_name(step), record->message);
    if (step == KOA_STEP_CANCELLED) {
        koa_persist_forget(alerts->opts.store, alert->identity);
        end_wait(alerts, record);
        return;
    }
    if (step == KOA_STEP_NOTED) {
        koa_persist_alert(alerts->opts.store, alert, alerts->opts.log);
        return;
    }
    koa_persist_alert(alerts->opts.store, alert, alerts->opts.log);
    adopt_transition(alerts, koa_alert_record_ref(record));
    if (step == KOA_STEP_FIRING || step == KOA_STEP_RESOLVED)
        koa_dispatch_send(alerts->dispatch, record);
}

void koa_alerts_forgotten(void *context, const struct koa_alert *alert)
{
    struct koa_alerts *alerts = context;

    koa_persist_forget(alerts->opts.store, alert->identity);
}

static void fill_policy(struct koa_alerts *alerts, const struct koa_rule *rule,
                        struct koa_alert_policy *ret_policy)
{
    *ret_policy = (struct koa_alert_policy){
        .settings = rule->spec.settings,
        .stepped = koa_alerts_stepped,
        .forgotten = koa_alerts_forgotten,
        .context = alerts,
    };
    if (rule->spec.ops->threshold != NULL) {
        ret_policy->has_threshold =
            rule->spec.ops->threshold(rule->spec.config, &ret_policy->threshold);
    }
}

/* ---- one evaluation ---- */

static const char *note_result(struct koa_rule *rule, const struct koa_observations *observations)
{
    int64_t refused = koa_alert_set_refused(rule->alerts);
    bool could_look = observations->is_fresh && !observations->is_missing;

    if (refused > 0) {
        (void) snprintf(rule->last_error, sizeof(rule->last_error),
                        "%" PRId64 " alerts beyond the limit of %d are not kept", refused,
                        KOA_ALERTS_PER_RULE);
        return "limited";
    }
    (void) koa_str_copy(rule->last_error, sizeof(rule->last_error),
                        koa_str_from(observations->problem));
    if (!could_look && rule->last_error[0] == '\0') {
        (void) koa_str_copy(rule->last_error, sizeof(rule->last_error),
                            KOA_STR("the rule could not look: nothing was reported"));
    }
    return could_look ? "ok" : "missing";
}

static void evaluate_rule(struct koa_alerts *alerts, struct koa_rule *rule, struct koa_view *view)
{
    int64_t started_ns = koa_clock_ticks_ns();
    struct koa_alert_policy policy;
    const char *result;

    view->memory = &rule->memory;
    if (!koa_observations_begin(&alerts->observations, koa_rule_name(rule), rule->alerts,
                                OBSERVATION_ROWS)) {
        (void) koa_str_copy(rule->last_error, sizeof(rule->last_error),
                            KOA_STR("no memory to look; alerts keep their state"));
        return;
    }
    rule->spec.ops->evaluate(rule->spec.config, rule->spec.context, view, &alerts->observations);
    fill_policy(alerts, rule, &policy);
    koa_alert_set_apply(rule->alerts, &policy, &alerts->observations, &alerts->now);
    result = note_result(rule, &alerts->observations);
    rule->last_evaluation = alerts->now.wall;
    rule->last_duration_ms = (double) (koa_clock_ticks_ns() - started_ns) / 1e6;
    koa_metrics_count(alerts->opts.metrics, "kafka_ops_alert_evaluations_total", 1,
                      KOA_LABELS({"rule", koa_rule_name(rule)}, {"result", result}));
    koa_log_debug(alerts->opts.log, "alert.evaluate", "rule '%s': %s, %" PRId64 " looked at%s%s",
                  koa_rule_name(rule), result, alerts->observations.looked,
                  rule->last_error[0] != '\0' ? "; " : "", rule->last_error);
    if (rule->last_duration_ms > SLOW_RULE_MS) {
        koa_log_warn(alerts->opts.log, "alert.slow",
                     "rule '%s' took %.0f ms and held everything else up meanwhile",
                     koa_rule_name(rule), rule->last_duration_ms);
    }
}

/* True while some hold time runs: its progress is worth saving. */
static bool holds_run(const struct koa_alerts *alerts)
{
    const struct koa_alert *alert;

    for (size_t i = 0; i < alerts->rule_count; i++) {
        for (size_t at = 0; (alert = koa_alert_set_next(alerts->rules[i]->alerts, &at)) != NULL;) {
            if (alert->phase.state == KOA_ALERT_PENDING || alert->phase.is_clearing)
                return true;
        }
    }
    return false;
}

static void save_clock(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_alerts *alerts = KOA_CONTAINER_OF(timer, struct koa_alerts, clock_timer);

    (void) now;
    koa_alerts_read_clocks(alerts);
    koa_persist_clock(alerts->opts.store, &alerts->now);
    if (holds_run(alerts))
        (void) arm(alerts, &alerts->clock_timer, CLOCK_SAVE_MS, save_clock);
}

void koa_alerts_evaluate(struct koa_alerts *alerts)
{
    const struct koa_alert_inputs *inputs = &alerts->opts.inputs;
    int64_t started_ns = koa_clock_ticks_ns();
    KOA_AUTO(koa_board) *board = NULL;
    struct koa_view view = {0};

    koa_alerts_read_clocks(alerts);
    alerts->evaluated = alerts->opts.mono();
    if (inputs->board != NULL)
        board = inputs->board(inputs->context);
    view.now = alerts->now.wall;
    view.mono = alerts->evaluated;
    view.board = board;
    view.sources = inputs->sources != NULL ? inputs->sources(inputs->context) : NULL;
    view.is_stale = inputs->is_stale;
    view.stale_context = inputs->context;
    for (size_t i = 0; i < alerts->rule_count; i++)
        evaluate_rule(alerts, alerts->rules[i], &view);
    koa_alerts_close_orphans(alerts);
    alerts->last_check = alerts->now.wall;
    koa_metrics_observe(alerts->opts.metrics, "kafka_ops_alert_evaluation_duration_seconds",
                        (double) (koa_clock_ticks_ns() - started_ns) / 1e9, KOA_NO_LABELS);
    koa_persist_clock(alerts->opts.store, &alerts->now);
    if (holds_run(alerts) && !koa_timer_is_armed(&alerts->clock_timer))
        (void) arm(alerts, &alerts->clock_timer, CLOCK_SAVE_MS, save_clock);
    koa_alerts_publish(alerts);
}

/* ---- pictures ---- */

static void measure(struct koa_alerts *alerts, const struct koa_alert_board *board)
{
    struct koa_metrics *metrics = alerts->opts.metrics;

    for (int i = 0; i < KOA_SEVERITY_COUNT; i++) {
        const char *severity = koa_severity_name((enum koa_severity) i);

        koa_metrics_set(metrics, "kafka_ops_alerts", (double) board->firing_by_severity[i],
                        KOA_LABELS({"severity", severity}, {"state", "firing"}));
        koa_metrics_set(metrics, "kafka_ops_alerts", (double) board->pending_by_severity[i],
                        KOA_LABELS({"severity", severity}, {"state", "pending"}));
    }
    koa_dispatch_measure(alerts->dispatch);
}

void koa_alerts_publish(struct koa_alerts *alerts)
{
    struct koa_alert_board *board =
        koa_alert_board_create(alerts->rules, alerts->rule_count, alerts->last_check);
    struct koa_journal_view *history;

    if (board != NULL) {
        measure(alerts, board);
        koa_published_set(&alerts->board, &board->object);
    } else {
        koa_log_error(alerts->opts.log, "alerts.publish",
                      "no memory to show the alerts; readers see the state before");
    }
    if (!alerts->has_transitions)
        return;
    history = koa_journal_copy(&alerts->journal);
    if (history == NULL)
        return;
    koa_published_set(&alerts->history, &history->object);
    alerts->has_transitions = false;
}

struct koa_alert_board *koa_alerts_board(struct koa_alerts *alerts)
{
    struct koa_object *object = koa_published_get(&alerts->board);

    return object != NULL ? KOA_CONTAINER_OF(object, struct koa_alert_board, object) : NULL;
}

struct koa_journal_view *koa_alerts_history(struct koa_alerts *alerts)
{
    struct koa_object *object = koa_published_get(&alerts->history);

    return object != NULL ? KOA_CONTAINER_OF(object, struct koa_journal_view, object) : NULL;
}

struct koa_ledger_view *koa_alerts_ledger(struct koa_alerts *alerts)
{
    return koa_dispatch_ledger(alerts->dispatch);
}

/* ---- life ---- */

/* Queue lengths change between evaluations too. */
static void deliveries_changed(void *context)
{
    struct koa_alerts *alerts = context;

    koa_dispatch_measure(alerts->dispatch);
}

static enum koa_err make_dispatch(struct koa_alerts *alerts, struct koa_error *reterr)
{
    struct koa_dispatch_opts opts = {
        .services = {.loop = alerts->opts.loop,
                     .http = alerts->opts.http,
                     .log = alerts->opts.log,
                     .external_url = alerts->external_url},
        .workers = alerts->opts.workers,
        .timers = alerts->timers,
        .mono = alerts->opts.mono,
        .wall = alerts->opts.wall,
        .metrics = alerts->opts.metrics,
    };
    enum koa_err err = koa_dispatch_create(&opts, &alerts->dispatch, reterr);

    if (err == KOA_OK)
        koa_dispatch_on_change(alerts->dispatch, deliveries_changed, alerts);
    return err;
}

enum koa_err koa_alerts_create(const struct koa_alerts_opts *opts, struct koa_alerts **ret_alerts,
                               struct koa_error *reterr)
{
    KOA_AUTO(koa_alerts) *alerts = koa_calloc(1, sizeof(*alerts));
    enum koa_err err = koa_require_memory(alerts, reterr);

    if (err != KOA_OK)
        return err;
    alerts->opts = *opts;
    if (alerts->opts.mono == NULL)
        alerts->opts.mono = koa_clock_mono;
    if (alerts->opts.wall == NULL)
        alerts->opts.wall = koa_clock_wall;
    alerts->timers =
        opts->timers != NULL || opts->loop == NULL ? opts->timers : koa_loop_timers(opts->loop);
    koa_published_init(&alerts->board);
    koa_published_init(&alerts->history);
    alerts->started = alerts->opts.mono();
    alerts->external_url = koa_strdup(opts->external_url != NULL ? opts->external_url : "");
    err = koa_require_memory(alerts->external_url, reterr);
    if (err == KOA_OK)
        err = koa_journal_init(&alerts->journal, opts->history, reterr);
    if (err == KOA_OK)
        err = koa_observations_init(&alerts->observations, OBSERVATION_ROWS, reterr);
    if (err == KOA_OK)
        err = make_dispatch(alerts, reterr);
    if (err != KOA_OK)
        return err;
    *ret_alerts = KOA_MOVE(alerts);
    return KOA_OK;
}

void koa_alerts_destroy(struct koa_alerts *alerts)
{
    if (alerts == NULL)
        return;
    if (alerts->timers != NULL) {
        koa_timers_disarm(alerts->timers, &alerts->evaluate_timer);
        koa_timers_disarm(alerts->timers, &alerts->clock_timer);
        koa_timers_disarm(alerts->timers, &alerts->stop_timer);
    }
    koa_dispatch_destroy(alerts->dispatch);
    for (size_t i = 0; i < alerts->rule_count; i++)
        koa_rule_destroy(alerts->rules[i]);
    koa_alerts_free_orphans(alerts);
    koa_observations_deinit(&alerts->observations);
    koa_journal_deinit(&alerts->journal);
    koa_published_deinit(&alerts->board);
    koa_published_deinit(&alerts->history);
    koa_free(alerts->external_url);
    koa_free(alerts);
}

static void schedule(struct koa_alerts *alerts);

static void evaluation_due(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_alerts *alerts = KOA_CONTAINER_OF(timer, struct koa_alerts, evaluate_timer);

    (void) now;
    koa_alerts_evaluate(alerts);
    schedule(alerts);
}

static void schedule(struct koa_alerts *alerts)
{
    if (alerts->is_running)
        (void) arm(alerts, &alerts->evaluate_timer, alerts->opts.interval_ms, evaluation_due);
}

void koa_alerts_evaluate_soon(struct koa_alerts *alerts)
{
    if (alerts->is_running)
        (void) arm(alerts, &alerts->evaluate_timer, 0, evaluation_due);
}

void koa_alerts_start(struct koa_alerts *alerts)
{
    alerts->is_running = true;
    koa_alerts_publish(alerts);
    koa_alerts_evaluate_soon(alerts);
}

void koa_alerts_poke(struct koa_alerts *alerts)
{
    struct koa_mono now = alerts->opts.mono();
    int64_t wait_ms = POKE_DISTANCE_MS - koa_mono_diff_ms(now, alerts->evaluated);

    if (!alerts->is_running)
        return;
    if (alerts->last_check.ms == 0 || wait_ms < 0)
        wait_ms = 0;
    if (koa_timer_is_armed(&alerts->evaluate_timer) &&
        koa_mono_diff_ms(alerts->evaluate_timer.due, now) <= wait_ms)
        return;
    (void) arm(alerts, &alerts->evaluate_timer, wait_ms, evaluation_due);
}

static void look_whether_stopped(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_alerts *alerts = KOA_CONTAINER_OF(timer, struct koa_alerts, stop_timer);
    void (*done)(void *context) = alerts->stopped;

    if (koa_dispatch_busy(alerts->dispatch) > 0 &&
        koa_mono_diff_ms(now, alerts->stop_deadline) < 0 &&
        arm(alerts, &alerts->stop_timer, STOP_LOOK_MS, look_whether_stopped))
        return;
    alerts->stopped = NULL;
    if (done != NULL)
        done(alerts->stopped_context);
}

void koa_alerts_stop(struct koa_alerts *alerts, int64_t timeout_ms, void (*done)(void *context),
                     void *context)
{
    alerts->is_running = false;
    if (alerts->timers != NULL) {
        koa_timers_disarm(alerts->timers, &alerts->evaluate_timer);
        koa_timers_disarm(alerts->timers, &alerts->clock_timer);
    }
    koa_alerts_read_clocks(alerts);
    koa_persist_clock(alerts->opts.store, &alerts->now);
    alerts->stop_deadline = koa_mono_add_ms(alerts->opts.mono(), timeout_ms);
    alerts->stopped = done;
    alerts->stopped_context = context;
    look_whether_stopped(&alerts->stop_timer, alerts->opts.mono());
}
