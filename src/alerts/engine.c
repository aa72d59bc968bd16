/* Runs the rules: decides when, hands each what it may look at, and carries what changed to the
 * store, the history, the notifiers and the readers. What changed is alert_set.c's decision. */
#include "alerts/engine.h"

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
    ORPHAN_GRACE_MS = 60 * 1000, /* for hosts that add rules after the start */
    TRIM_EVERY = 100,            /* transitions, so that the table is at most 1 % too long */
    STOP_LOOK_MS = 20,
    SLOW_RULE_MS = 100,
    OBSERVATION_ROWS = 2 * KOA_ALERTS_PER_RULE /* all that have an alert, and as many new ones */
};

/* Restored alerts whose rule has not come yet. */
struct orphan {
    struct orphan *next;
    struct koa_alert_set *alerts;
    enum koa_severity severity;
    char name[129];
};

struct koa_alerts {
    struct koa_alerts_opts opts;
    struct koa_timers *timers;
    char *external_url;
    struct koa_rule *rules[KOA_ALERT_RULES];
    size_t rule_count;
    struct orphan *orphans;
    struct koa_dispatch *dispatch;
    struct koa_journal journal;
    struct koa_observations observations;
    struct koa_published board, history;
    struct koa_alert_clock now; /* of the evaluation under way */
    struct koa_mono started;    /* system's clock at creation */
    int64_t running_base_ms;    /* running time at creation */
    struct koa_wall last_check;
    struct koa_mono evaluated; /* when the last evaluation began */
    struct koa_timer evaluate_timer, clock_timer, stop_timer;
    bool is_running;
    bool has_transitions; /* the published history is behind */
    int64_t since_trim;
    struct koa_mono stop_deadline;
    void (*stopped)(void *context);
    void *stopped_context;
};

static void publish(struct koa_alerts *alerts);

static void read_clocks(struct koa_alerts *alerts)
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

static void stepped(void *context, struct koa_alert *alert, enum koa_alert_step step)
{
    struct koa_alerts *alerts = context;
    struct koa_alert_record *record = alert->record;

    koa_log_debug(alerts->opts.log, "alert.step", "%s: %s (%s)", record->rule,
                  koa_alert_step_name(step), record->message);
    if (step == KOA_STEP_CANCELLED) {
        koa_persist_forget(alerts->opts.store, alert->identity);
        return;
    }
    if (step == KOA_STEP_NOTED) {
        koa_persist_alert(alerts->opts.store, alert, alerts->opts.log);
        return;
    }
    koa_journal_adopt(&alerts->journal, koa_alert_record_ref(record));
    alerts->has_transitions = true;
    koa_persist_alert(alerts->opts.store, alert, alerts->opts.log);
    koa_persist_transition(alerts->opts.store, record, alerts->opts.log);
    if (++alerts->since_trim >= TRIM_EVERY) {
        koa_persist_trim(alerts->opts.store, alerts->journal.limit);
        alerts->since_trim = 0;
    }
    if (step == KOA_STEP_FIRING || step == KOA_STEP_RESOLVED)
        koa_dispatch_send(alerts->dispatch, record);
}

static void forgotten(void *context, const struct koa_alert *alert)
{
    struct koa_alerts *alerts = context;

    koa_persist_forget(alerts->opts.store, alert->identity);
}

static void fill_policy(struct koa_alerts *alerts, const struct koa_rule *rule,
                        struct koa_alert_policy *ret_policy)
{
    *ret_policy = (struct koa_alert_policy){
        .settings = rule->spec.settings,
        .stepped = stepped,
        .forgotten = forgotten,
        .context = alerts,
    };
    if (rule->spec.ops->threshold != NULL)
        ret_policy->has_threshold =
            rule->spec.ops->threshold(rule->spec.config, &ret_policy->threshold);
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
    if (!could_look && rule->last_error[0] == '\0')
        (void) koa_str_copy(rule->last_error, sizeof(rule->last_error),
                            KOA_STR("the rule could not look: nothing was reported"));
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
    if (rule->last_duration_ms > SLOW_RULE_MS)
        koa_log_warn(alerts->opts.log, "alert.slow",
                     "rule '%s' took %.0f ms and held everything else up meanwhile",
                     koa_rule_name(rule), rule->last_duration_ms);
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
    read_clocks(alerts);
    koa_persist_clock(alerts->opts.store, &alerts->now);
    if (holds_run(alerts))
        (void) arm(alerts, &alerts->clock_timer, CLOCK_SAVE_MS, save_clock);
}

static void free_orphan(struct orphan *orphan)
{
    koa_alert_set_destroy(orphan->alerts);
    koa_free(orphan);
}

static void close_alerts(struct koa_alerts *alerts, const struct koa_rule_settings *settings,
                         struct koa_alert_set *set, const char *reason)
{
    struct koa_alert_policy policy = {
        .settings = settings, .stepped = stepped, .forgotten = forgotten, .context = alerts};
    struct koa_alert *alert;

    koa_alert_set_close(set, &policy, reason, &alerts->now);
    for (size_t at = 0; (alert = koa_alert_set_next(set, &at)) != NULL;)
        koa_persist_forget(alerts->opts.store, alert->identity);
}

/* Receivers that were told of them would wait for ever. */
static void close_orphans(struct koa_alerts *alerts)
{
    struct orphan *next;

    if (alerts->now.running.ms - alerts->running_base_ms < ORPHAN_GRACE_MS)
        return;
    for (struct orphan *orphan = alerts->orphans; orphan != NULL; orphan = next) {
        struct koa_rule_settings settings = {.name = orphan->name,
                                             .severity = (int) orphan->severity};

        next = orphan->next;
        close_alerts(alerts, &settings, orphan->alerts, "the rule is no longer configured");
        free_orphan(orphan);
    }
    alerts->orphans = NULL;
}

void koa_alerts_evaluate(struct koa_alerts *alerts)
{
    const struct koa_alert_inputs *inputs = &alerts->opts.inputs;
    int64_t started_ns = koa_clock_ticks_ns();
    KOA_AUTO(koa_board) *board = NULL;
    struct koa_view view = {0};

    read_clocks(alerts);
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
    close_orphans(alerts);
    alerts->last_check = alerts->now.wall;
    koa_metrics_observe(alerts->opts.metrics, "kafka_ops_alert_evaluation_duration_seconds",
                        (double) (koa_clock_ticks_ns() - started_ns) / 1e9, KOA_NO_LABELS);
    koa_persist_clock(alerts->opts.store, &alerts->now);
    if (holds_run(alerts) && !koa_timer_is_armed(&alerts->clock_timer))
        (void) arm(alerts, &alerts->clock_timer, CLOCK_SAVE_MS, save_clock);
    publish(alerts);
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

static void publish(struct koa_alerts *alerts)
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
    struct orphan *next;

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
    for (struct orphan *orphan = alerts->orphans; orphan != NULL; orphan = next) {
        next = orphan->next;
        free_orphan(orphan);
    }
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

void koa_alerts_start(struct koa_alerts *alerts)
{
    alerts->is_running = true;
    publish(alerts);
    (void) arm(alerts, &alerts->evaluate_timer, 0, evaluation_due);
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
    read_clocks(alerts);
    koa_persist_clock(alerts->opts.store, &alerts->now);
    alerts->stop_deadline = koa_mono_add_ms(alerts->opts.mono(), timeout_ms);
    alerts->stopped = done;
    alerts->stopped_context = context;
    look_whether_stopped(&alerts->stop_timer, alerts->opts.mono());
}

/* ---- rules and notifiers ---- */

static struct koa_rule **find_rule(struct koa_alerts *alerts, const char *name)
{
    for (size_t i = 0; i < alerts->rule_count; i++) {
        if (strcmp(koa_rule_name(alerts->rules[i]), name) == 0)
            return &alerts->rules[i];
    }
    return NULL;
}

/* The restored alerts of `rule`, if any wait for it. */
static void adopt_orphan(struct koa_alerts *alerts, struct koa_rule *rule)
{
    for (struct orphan **at = &alerts->orphans; *at != NULL; at = &(*at)->next) {
        struct orphan *orphan = *at;
        struct koa_alert_set *empty = rule->alerts;

        if (strcmp(orphan->name, koa_rule_name(rule)) != 0)
            continue;
        rule->alerts = orphan->alerts;
        orphan->alerts = empty;
        *at = orphan->next;
        free_orphan(orphan);
        return;
    }
}

enum koa_err koa_alerts_add_rule(struct koa_alerts *alerts, struct koa_rule *rule,
                                 struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    if (find_rule(alerts, koa_rule_name(rule)) != NULL)
        err = koa_fail(reterr, KOA_ERR_EXISTS, "there already is a rule named '%s'",
                       koa_rule_name(rule));
    else if (alerts->rule_count == KOA_ALERT_RULES)
        err = koa_fail(reterr, KOA_ERR_LIMIT, "more than %d rules", KOA_ALERT_RULES);
    if (err != KOA_OK) {
        koa_rule_destroy(rule);
        return err;
    }
    adopt_orphan(alerts, rule);
    alerts->rules[alerts->rule_count++] = rule;
    if (alerts->is_running)
        koa_alerts_poke(alerts);
    return KOA_OK;
}

enum koa_err koa_alerts_add_notifier(struct koa_alerts *alerts, struct koa_notifier *notifier,
                                     struct koa_error *reterr)
{
    const char *name = notifier->spec.settings->name;

    if (koa_dispatch_find(alerts->dispatch, name) != NULL) {
        enum koa_err err =
            koa_fail(reterr, KOA_ERR_EXISTS, "there already is a notifier named '%s'", name);

        koa_notifier_unref(notifier);
        return err;
    }
    return koa_dispatch_put(alerts->dispatch, notifier, reterr);
}

static bool is_wanted(const struct koa_alerts_config *config, const char *name)
{
    for (size_t i = 0; i < config->rule_count; i++) {
        if (strcmp(koa_rule_name(config->rules[i]), name) == 0)
            return true;
    }
    return false;
}

static void end_rules(struct koa_alerts *alerts, const struct koa_alerts_config *config)
{
    size_t kept = 0;

    for (size_t i = 0; i < alerts->rule_count; i++) {
        struct koa_rule *rule = alerts->rules[i];

        if (!rule->spec.is_configured || is_wanted(config, koa_rule_name(rule))) {
            alerts->rules[kept++] = rule;
            continue;
        }
        close_alerts(alerts, rule->spec.settings, rule->alerts, "the rule was removed");
        koa_rule_destroy(rule);
    }
    alerts->rule_count = kept;
}

static void put_rules(struct koa_alerts *alerts, const struct koa_alerts_config *config)
{
    struct koa_error error;

    for (size_t i = 0; i < config->rule_count; i++) {
        struct koa_rule *rule = config->rules[i];
        struct koa_rule **old = find_rule(alerts, koa_rule_name(rule));

        if (old != NULL && (*old)->spec.is_configured) {
            koa_rule_inherit(rule, *old);
            koa_rule_destroy(*old);
            *old = rule;
        } else if (koa_alerts_add_rule(alerts, rule, &error) != KOA_OK) {
            koa_log_error(alerts->opts.log, "alerts.configure", "%s; that rule is left out",
                          error.text);
        }
    }
}

static bool notifier_is_wanted(const struct koa_alerts_config *config, const char *name)
{
    for (size_t i = 0; i < config->notifier_count; i++) {
        if (strcmp(config->notifiers[i]->spec.settings->name, name) == 0)
            return true;
    }
    return false;
}

static void put_notifiers(struct koa_alerts *alerts, const struct koa_alerts_config *config)
{
    struct koa_notifier *old;
    struct koa_error error;

    for (size_t at = 0; (old = koa_dispatch_next(alerts->dispatch, &at)) != NULL;) {
        const char *name = old->spec.settings->name;

        if (old->spec.is_configured && !notifier_is_wanted(config, name) &&
            koa_dispatch_remove(alerts->dispatch, name))
            at--;
    }
    for (size_t i = 0; i < config->notifier_count; i++) {
        struct koa_notifier *notifier = config->notifiers[i];
        enum koa_err err;

        old = koa_dispatch_find(alerts->dispatch, notifier->spec.settings->name);
        err = old != NULL && old->spec.is_configured
                  ? koa_dispatch_put(alerts->dispatch, notifier, &error)
                  : koa_alerts_add_notifier(alerts, notifier, &error);
        if (err != KOA_OK)
            koa_log_error(alerts->opts.log, "alerts.configure", "%s; that notifier is left out",
                          error.text);
    }
}

void koa_alerts_configure(struct koa_alerts *alerts, const struct koa_alerts_config *config)
{
    struct koa_error error;

    read_clocks(alerts);
    alerts->opts.interval_ms = config->interval_ms;
    if (koa_journal_resize(&alerts->journal, config->history, &error) != KOA_OK)
        koa_log_warn(alerts->opts.log, "alerts.configure", "%s; the history keeps its length",
                     error.text);
    put_notifiers(alerts, config);
    end_rules(alerts, config);
    put_rules(alerts, config);
    publish(alerts);
    if (alerts->is_running)
        (void) arm(alerts, &alerts->evaluate_timer, 0, evaluation_due);
}

/* ---- what was kept ---- */

static struct orphan *orphan_of(struct koa_alerts *alerts, const struct koa_alert_record *record)
{
    struct orphan *orphan = alerts->orphans;

    while (orphan != NULL && strcmp(orphan->name, record->rule) != 0)
        orphan = orphan->next;
    if (orphan != NULL)
        return orphan;
    orphan = koa_calloc(1, sizeof(*orphan));
    if (orphan == NULL)
        return NULL;
    orphan->alerts = koa_alert_set_create(KOA_ALERTS_PER_RULE);
    if (orphan->alerts == NULL) {
        koa_free(orphan);
        return NULL;
    }
    (void) koa_str_copy(orphan->name, sizeof(orphan->name), koa_str_from(record->rule));
    orphan->severity = record->severity;
    orphan->next = alerts->orphans;
    alerts->orphans = orphan;
    return orphan;
}

static void restore_alert(void *context, const struct koa_alert_phase *phase,
                          struct koa_alert_record *record)
{
    struct koa_alerts *alerts = context;
    struct koa_rule **rule = find_rule(alerts, record->rule);
    struct orphan *orphan = rule == NULL ? orphan_of(alerts, record) : NULL;
    struct koa_error error;
    enum koa_err err;

    if (rule == NULL && orphan == NULL) {
        koa_alert_record_unref(record);
        return;
    }
    err = koa_alert_set_restore(rule != NULL ? (*rule)->alerts : orphan->alerts, phase, record,
                                &error);
    if (err != KOA_OK)
        koa_log_warn(alerts->opts.log, "alerts.load", "%s; a saved alert is left out", error.text);
}

static void restore_transition(void *context, struct koa_alert_record *record)
{
    struct koa_alerts *alerts = context;

    koa_journal_adopt(&alerts->journal, record);
    alerts->has_transitions = true;
}

enum koa_err koa_alerts_restore(struct koa_alerts *alerts, struct koa_error *reterr)
{
    struct koa_persist_loader loader = {
        .context = alerts,
        .alert = restore_alert,
        .transition = restore_transition,
        .log = alerts->opts.log,
    };
    enum koa_err err = koa_persist_load(alerts->opts.store, &loader, reterr);

    alerts->running_base_ms = loader.running.ms;
    alerts->started = alerts->opts.mono();
    publish(alerts);
    return err;
}
