/* Joins the pure schedule of one check to runs, clocks and timers, and makes a result of each
 * answer. What all results mean together is the engine's matter. */
#include "health/checks.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/num.h"
#include "health/verdict.h"
#include "loop/clock.h"
#include "metrics/catalog.h"

enum { DETAILS_TEXT_LIMIT = 2 * KOA_VERDICT_DETAILS_LIMIT }; /* with quotes and escapes of keys */

static void arm(struct koa_health_check *check);

static const char *name_of(const struct koa_health_check *check)
{
    return check->unit->common.name;
}

/* Puts `result` in the place of the last one; keeps that when memory is out. */
static void set_result(struct koa_health_check *check, const struct koa_result *result)
{
    struct koa_result_object *object = koa_result_create(result, &check->unit->common.groups);

    if (object == NULL) {
        koa_log_error(check->opts->services->log, "check.result",
                      "no memory for the answer of '%s'; the last one stays", name_of(check));
        return;
    }
    if (check->result != NULL)
        koa_object_unref(&check->result->object);
    check->result = object;
}

static struct koa_result plain_result(const struct koa_health_check *check)
{
    return (struct koa_result){
        .name = name_of(check),
        .details = "{}",
        .time = koa_clock_wall(),
        .is_critical = check->unit->common.critical,
    };
}

static void set_first_result(struct koa_health_check *check)
{
    struct koa_result result = plain_result(check);

    result.message = "has not run yet";
    set_result(check, &result);
}

/* The last answer is too old to be believed; it stays readable. */
static void set_stale_result(struct koa_health_check *check)
{
    struct koa_result result = check->result->result;
    struct koa_buf message = {.limit = KOA_VERDICT_TEXT_SIZE + 256};
    char age[KOA_NUM_TEXT_SIZE];

    (void) koa_format_duration(check->unit->common.max_age_ms, age);
    if (result.has_run) {
        koa_buf_printf(&message, "no answer for more than %s (max_age); the last was %s: %s", age,
                       koa_status_name(result.status), result.message);
    } else {
        koa_buf_printf(&message, "has not run yet, for more than %s (max_age)", age);
    }
    result.status = KOA_STATUS_UNKNOWN;
    result.is_stale = true;
    result.message = koa_buf_text(&message);
    set_result(check, &result);
    koa_buf_deinit(&message);
}

/* Says in words what the schedule made of the answer. */
static void explain(const struct koa_health_check *check, struct koa_verdict *verdict,
                    const struct koa_schedule_outcome *outcome, double duration_ms)
{
    char limit[KOA_NUM_TEXT_SIZE];

    if (!verdict->is_decided)
        koa_verdict_unknown(verdict, "the check did not decide");
    if (outcome->is_slow) {
        (void) koa_format_duration(check->unit->common.degraded_after_ms, limit);
        koa_verdict_append(verdict, " (took %.1fs, longer than %s)", duration_ms / 1000.0, limit);
    }
    if (outcome->needed > 0) {
        koa_verdict_append(verdict, " (%s %" PRId64 " of %" PRId64 ", still %s)",
                           verdict->status == KOA_STATUS_UNHEALTHY ? "failure" : "success",
                           outcome->streak, outcome->needed, koa_status_name(outcome->status));
    }
}

static void count_run(const struct koa_health_check *check, enum koa_status status,
                      double duration_ms)
{
    struct koa_metrics *metrics = check->opts->metrics;

    if (metrics == NULL)
        return;
    koa_metrics_observe(metrics, "kafka_ops_health_check_duration_seconds", duration_ms / 1000.0,
                        KOA_LABELS({"check", name_of(check)}));
    koa_metrics_count(metrics, "kafka_ops_health_check_runs_total", 1,
                      KOA_LABELS({"check", name_of(check)}, {"status", koa_status_name(status)}));
}

static void publish_answer(struct koa_health_check *check, const struct koa_verdict *verdict,
                           enum koa_status status, double duration_ms)
{
    struct koa_buf details = {.limit = DETAILS_TEXT_LIMIT};
    struct koa_result result = plain_result(check);

    koa_verdict_print_details(verdict, &details);
    result.status = status;
    result.message = verdict->text;
    if (!details.failed)
        result.details = koa_buf_text(&details);
    result.duration_ms = duration_ms;
    result.has_run = true;
    result.is_subjectless = verdict->is_subjectless;
    set_result(check, &result);
    koa_buf_deinit(&details);
}

static void on_ended(void *context, struct koa_verdict *verdict, double duration_ms)
{
    struct koa_health_check *check = context;
    struct koa_mono now = koa_loop_now(check->opts->services->loop);
    struct koa_schedule_outcome outcome;
    enum koa_status answered = verdict->status;

    check->run = NULL;
    koa_schedule_end(&check->schedule, now, answered, duration_ms, &outcome);
    explain(check, verdict, &outcome, duration_ms);
    publish_answer(check, verdict, outcome.status, duration_ms);
    count_run(check, answered, duration_ms);
    koa_log_debug(check->opts->services->log, "check.run", "'%s' is %s after %.1f ms: %s",
                  name_of(check), koa_status_name(outcome.status), duration_ms, verdict->text);
    arm(check);
    check->opts->events->ended(check->opts->events->context, &check->waits);
    check->opts->events->changed(check->opts->events->context);
}

static void begin(struct koa_health_check *check, bool wants_fresh)
{
    struct koa_run_opts opts = {
        .services = check->opts->services,
        .snapshots = check->opts->snapshots,
        .unit = check->unit,
        .kept = &check->kept,
        .wants_fresh = wants_fresh,
        .ended = on_ended,
        .context = check,
    };
    struct koa_verdict verdict;

    check->run = koa_run_create(&opts);
    arm(check);
    if (check->run != NULL) {
        koa_run_begin(check->run);
        return;
    }
    koa_verdict_init(&verdict, koa_loop_now(check->opts->services->loop));
    koa_verdict_unknown(&verdict, "could not run: no memory; tried again at the next interval");
    on_ended(check, &verdict, 0.0);
    koa_verdict_deinit(&verdict);
}

static void on_timer(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_health_check *check = KOA_CONTAINER_OF(timer, struct koa_health_check, timer);

    if (koa_schedule_is_stale(&check->schedule, now) && !check->result->result.is_stale) {
        set_stale_result(check);
        check->opts->events->changed(check->opts->events->context);
    }
    if (koa_schedule_tick(&check->schedule, now) == KOA_SCHEDULE_START) {
        begin(check, false);
    } else {
        arm(check);
    }
}

static void arm(struct koa_health_check *check)
{
    struct koa_loop *loop = check->opts->services->loop;
    struct koa_mono next = koa_schedule_next(&check->schedule, koa_loop_now(loop));

    if (!check->is_started || next.ms == INT64_MAX) {
        koa_timers_disarm(koa_loop_timers(loop), &check->timer);
        return;
    }
    if (!koa_timers_arm(koa_loop_timers(loop), &check->timer, next, on_timer)) {
        koa_log_error(check->opts->services->log, "check.timer",
                      "no memory to plan the next run of '%s'; tried again soon", name_of(check));
    }
}

void koa_health_check_rearm(struct koa_health_check *check)
{
    if (!koa_timer_is_armed(&check->timer))
        arm(check);
}

static void drop_kept(struct koa_health_check *check)
{
    if (check->kept.drop != NULL)
        check->kept.drop(check->kept.kept);
    check->kept = (struct koa_kept){0};
}

struct koa_health_check *koa_health_check_create(const struct koa_health_check_opts *opts,
                                                 struct koa_check_unit *unit)
{
    struct koa_health_check *check = koa_calloc(1, sizeof(*check));

    if (check == NULL)
        return NULL;
    check->opts = opts;
    check->unit = unit;
    koa_check_unit_ref(unit);
    koa_list_init(&check->waits);
    set_first_result(check);
    if (check->result == NULL) {
        koa_health_check_destroy(check);
        return NULL;
    }
    koa_metrics_start(opts->metrics, KOA_LABELS({"check", name_of(check)}));
    return check;
}

void koa_health_check_destroy(struct koa_health_check *check)
{
    if (check == NULL)
        return;
    koa_health_check_stop(check);
    if (check->result != NULL)
        koa_object_unref(&check->result->object);
    koa_check_unit_unref(check->unit);
    koa_free(check);
}

void koa_health_check_start(struct koa_health_check *check)
{
    const struct koa_check_common *common = &check->unit->common;
    struct koa_schedule_opts opts = {
        .interval_ms = common->interval_ms,
        .initial_delay_ms = common->initial_delay_ms,
        .failure_threshold = common->failure_threshold,
        .success_threshold = common->success_threshold,
        .degraded_after_ms = common->degraded_after_ms,
        .max_age_ms = common->max_age_ms,
    };

    koa_schedule_init(&check->schedule, &opts, koa_loop_now(check->opts->services->loop));
    check->is_started = true;
    arm(check);
}

void koa_health_check_stop(struct koa_health_check *check)
{
    koa_timers_disarm(koa_loop_timers(check->opts->services->loop), &check->timer);
    koa_run_cancel(KOA_MOVE(check->run));
    drop_kept(check);
    check->is_started = false;
    if (!koa_list_is_empty(&check->waits))
        check->opts->events->ended(check->opts->events->context, &check->waits);
}

enum koa_schedule_action koa_health_check_request(struct koa_health_check *check,
                                                  struct koa_list_node *wait)
{
    enum koa_schedule_action action =
        koa_schedule_request(&check->schedule, koa_loop_now(check->opts->services->loop));

    if (action != KOA_SCHEDULE_ANSWER)
        koa_list_push_back(&check->waits, wait);
    if (action == KOA_SCHEDULE_START)
        begin(check, true);
    return action;
}

void koa_health_check_snapshot(struct koa_health_check *check)
{
    struct koa_mono now = koa_loop_now(check->opts->services->loop);

    if (!check->is_started)
        return;
    if (koa_schedule_poke(&check->schedule, now) == KOA_SCHEDULE_START) {
        begin(check, false);
    } else {
        koa_run_snapshot(check->run);
    }
}
