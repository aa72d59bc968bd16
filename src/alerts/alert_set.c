/* Brings observations and alerts of one rule together, by identity. The state machine decides each
 * step; this file decides what an alert that nobody mentioned has been through, and what is too
 * much. */
#include "alerts/alert_set.h"

#include <math.h>
#include <string.h>

#include "alerts/identity.h"
#include "alerts/template.h"
#include "base/memory.h"
#include "base/redact.h"

struct koa_alert_set {
    struct koa_map *alerts; /* identity -> struct koa_alert */
    struct koa_arena *scratch;
    size_t limit;
    size_t active;
    int64_t refused;
    uint64_t round;
};

/* One evaluation's arguments, so that helpers stay short. */
struct round {
    struct koa_alert_set *set;
    const struct koa_alert_policy *policy;
    const struct koa_alert_clock *clock;
};

enum {
    SCRATCH_BYTES = 128 * 1024, /* labels, annotations and text of one record */
    RESOLVED_LIMIT = 1000       /* that are remembered beside the active ones */
};

static struct koa_str key_of(const uint64_t *identity)
{
    return (struct koa_str){.data = (const char *) identity, .size = sizeof(*identity)};
}

static bool is_active_state(enum koa_alert_state state)
{
    return state == KOA_ALERT_PENDING || state == KOA_ALERT_FIRING;
}

static void free_alert(void *value)
{
    struct koa_alert *alert = value;

    koa_alert_record_unref(alert->record);
    koa_free(alert);
}

struct koa_alert_set *koa_alert_set_create(size_t limit)
{
    struct koa_alert_set *set = koa_calloc(1, sizeof(*set));

    if (set == NULL)
        return NULL;
    set->limit = limit;
    set->alerts = koa_map_create(limit + RESOLVED_LIMIT);
    set->scratch = koa_arena_create(SCRATCH_BYTES);
    if (set->alerts == NULL || set->scratch == NULL) {
        koa_alert_set_destroy(set);
        return NULL;
    }
    return set;
}

void koa_alert_set_destroy(struct koa_alert_set *set)
{
    if (set == NULL)
        return;
    koa_map_destroy(set->alerts, free_alert);
    koa_arena_destroy(set->scratch);
    koa_free(set);
}

size_t koa_alert_set_active(const struct koa_alert_set *set)
{
    return set != NULL ? set->active : 0;
}

bool koa_alert_set_is_active(const struct koa_alert_set *set, uint64_t identity)
{
    const struct koa_alert *alert =
        set != NULL ? koa_map_find(set->alerts, key_of(&identity)) : NULL;

    return alert != NULL && is_active_state(alert->phase.state);
}

int64_t koa_alert_set_refused(const struct koa_alert_set *set)
{
    return set->refused;
}

struct koa_alert *koa_alert_set_next(const struct koa_alert_set *set, size_t *position)
{
    void *alert = NULL;

    return koa_map_next(set->alerts, position, NULL, &alert) ? alert : NULL;
}

/* The rule's labels with the observed ones laid over them, sorted. False when memory is out. */
static bool merge_labels(struct koa_arena *arena, const struct koa_pairs *pairs,
                         const struct koa_labels *observed, struct koa_labels *ret_labels)
{
    size_t count = pairs->count + observed->count;
    struct koa_label *all = koa_arena_alloc(arena, count + 1, sizeof(*all));
    struct koa_label *rows = koa_arena_alloc(arena, KOA_ALERT_LABELS_LIMIT, sizeof(*rows));
    bool was_cut = false;

    if (all == NULL || rows == NULL)
        return false;
    /* The observed ones come first, so that the limit cuts the rule's, and once more last, so that
     * they win. */
    for (size_t i = 0; i < observed->count; i++)
        all[i] = observed->rows[i];
    for (size_t i = 0; i < pairs->count; i++) {
        struct koa_label *label = &all[observed->count + i];
        const char *known = koa_labels_find(observed, pairs->rows[i].key);

        label->name = pairs->rows[i].key;
        label->value = known != NULL ? known : pairs->rows[i].value;
    }
    ret_labels->rows = rows;
    ret_labels->count =
        koa_labels_sort(&(struct koa_labels){.rows = all, .count = count}, rows, &was_cut);
    return true;
}

static char *expand(struct koa_arena *arena, const char *template,
                    const struct koa_alert_record *record)
{
    struct koa_buf buf = {.limit = KOA_ALERT_MESSAGE_BYTES};
    char *text;

    koa_template_expand(template, record, &buf);
    text = koa_arena_strdup(arena, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
    if (text != NULL)
        koa_redact(text);
    return text;
}

/* Annotations and the rule's own message text, from the record as it is so far. */
static bool fill_texts(struct koa_arena *arena, const struct koa_rule_settings *settings,
                       struct koa_alert_record *record)
{
    size_t count = settings->annotations.count;
    struct koa_label *rows = koa_arena_alloc(arena, count + 1, sizeof(*rows));

    if (rows == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        rows[i].name = settings->annotations.rows[i].key;
        rows[i].value = expand(arena, settings->annotations.rows[i].value, record);
        if (rows[i].value == NULL)
            return false;
    }
    record->annotations = (struct koa_labels){.rows = rows, .count = count};
    if (settings->message == NULL || settings->message[0] == '\0')
        return true;
    record->message = expand(arena, settings->message, record);
    return record->message != NULL;
}

/* Takes over what was observed. False when memory is out. */
static bool fill_observed(struct round *round, const struct koa_observation *observation,
                          struct koa_alert_record *record)
{
    const struct koa_alert_policy *policy = round->policy;
    struct koa_arena *arena = round->set->scratch;

    record->rule = policy->settings->name;
    record->identity = observation->identity;
    record->message = observation->message;
    record->has_value = observation->has_value;
    record->value = observation->value;
    record->has_threshold = policy->has_threshold;
    record->threshold = policy->threshold;
    return merge_labels(arena, &policy->settings->labels, observation->labels, &record->labels) &&
           fill_texts(arena, policy->settings, record);
}

static void fill_step(const struct round *round, enum koa_alert_step step,
                      const struct koa_alert_phase *phase, struct koa_alert_record *record)
{
    struct koa_wall now = round->clock->wall;

    record->severity = (enum koa_severity) round->policy->settings->severity;
    if (step == KOA_STEP_NONE || step == KOA_STEP_NOTED)
        return;
    record->state = phase->state;
    record->at = now;
    if (step == KOA_STEP_PENDING)
        record->transition = 0;
    if (step == KOA_STEP_FIRING && record->ends_at.ms != 0)
        record->transition = 0;
    record->transition++;
    if (step == KOA_STEP_PENDING || step == KOA_STEP_FIRING) {
        record->starts_at = now;
        record->ends_at.ms = 0;
    } else if (step == KOA_STEP_RESOLVED) {
        /* The wall clock may have been set back since. */
        record->ends_at.ms = now.ms > record->starts_at.ms ? now.ms : record->starts_at.ms;
    }
}

static bool labels_equal(const struct koa_labels *a, const struct koa_labels *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->rows[i].name, b->rows[i].name) != 0 ||
            strcmp(a->rows[i].value, b->rows[i].value) != 0)
            return false;
    }
    return true;
}

static bool numbers_equal(bool has_a, double a, bool has_b, double b)
{
    return has_a == has_b && (!has_a || !(a < b || a > b));
}

static bool records_equal(const struct koa_alert_record *a, const struct koa_alert_record *b)
{
    return a->severity == b->severity && a->state == b->state && a->at.ms == b->at.ms &&
           numbers_equal(a->has_value, a->value, b->has_value, b->value) &&
           numbers_equal(a->has_threshold, a->threshold, b->has_threshold, b->threshold) &&
           strcmp(a->message, b->message) == 0 && labels_equal(&a->labels, &b->labels) &&
           labels_equal(&a->annotations, &b->annotations);
}

/* One look at one alert. The new picture is made before the step is taken, so that a step that
 * cannot be recorded has not happened. `observation` is NULL when nobody mentioned the alert;
 * `reason` is then a text to put before its message, or NULL. */
static bool look_at(struct round *round, struct koa_alert *alert, enum koa_look look,
                    const struct koa_observation *observation, const char *reason)
{
    struct koa_alert_hold hold = {
        .for_ms = round->policy->settings->for_ms,
        .keep_firing_ms = round->policy->settings->keep_firing_for_ms,
    };
    struct koa_alert_set *set = round->set;
    struct koa_alert_phase phase = alert->phase;
    enum koa_alert_step step = koa_alert_step(&phase, &hold, look, round->clock->running);
    struct koa_alert_record next = *alert->record;
    bool was_active = is_active_state(alert->phase.state);

    koa_arena_reset(set->scratch);
    next.number = 0;
    if (observation != NULL && !fill_observed(round, observation, &next))
        return false;
    fill_step(round, step, &phase, &next);
    if (reason != NULL && step != KOA_STEP_NONE && step != KOA_STEP_NOTED) {
        next.message = koa_arena_printf(set->scratch, "%s; last: %.900s", reason, next.message);
        if (next.message == NULL)
            return false;
    }
    if (!records_equal(&next, alert->record)) {
        struct koa_alert_record *record = koa_alert_record_create(&next);

        if (record == NULL)
            return false;
        koa_alert_record_unref(alert->record);
        alert->record = record;
    }
    alert->phase = phase;
    set->active += (size_t) is_active_state(phase.state);
    set->active -= (size_t) was_active;
    if (step != KOA_STEP_NONE && round->policy->stepped != NULL)
        round->policy->stepped(round->policy->context, alert, step);
    return true;
}

static void forget(struct round *round, struct koa_alert *alert, bool tell)
{
    if (tell && round->policy->forgotten != NULL)
        round->policy->forgotten(round->policy->context, alert);
    (void) koa_map_remove(round->set->alerts, key_of(&alert->identity));
    free_alert(alert);
}

/* Makes room by forgetting the resolved alert that was added first. */
static void forget_one(struct round *round)
{
    struct koa_alert *alert;

    for (size_t at = 0; (alert = koa_alert_set_next(round->set, &at)) != NULL;) {
        if (!is_active_state(alert->phase.state)) {
            forget(round, alert, true);
            return;
        }
    }
}

/* An inactive alert with an empty picture, or NULL: at the limit, or memory is out. */
static struct koa_alert *add_alert(struct round *round, const struct koa_observation *observation)
{
    struct koa_alert_set *set = round->set;
    struct koa_alert_record empty = {.identity = observation->identity};
    struct koa_alert *alert;

    if (set->active >= set->limit)
        return NULL;
    if (koa_map_count(set->alerts) >= set->limit + RESOLVED_LIMIT)
        forget_one(round);
    alert = koa_calloc(1, sizeof(*alert));
    if (alert == NULL)
        return NULL;
    alert->identity = observation->identity;
    alert->record = koa_alert_record_create(&empty);
    if (alert->record != NULL &&
        koa_map_put(set->alerts, key_of(&alert->identity), alert, NULL) == KOA_OK)
        return alert;
    free_alert(alert);
    return NULL;
}

static void observe(struct round *round, const struct koa_observation *observation)
{
    struct koa_alert_set *set = round->set;
    struct koa_alert *alert = koa_map_find(set->alerts, key_of(&observation->identity));
    bool is_active = alert != NULL && is_active_state(alert->phase.state);

    if (!is_active && observation->look != KOA_LOOK_HOLDS)
        return;
    if (alert == NULL) {
        alert = add_alert(round, observation);
    } else if (!is_active && set->active >= set->limit) {
        alert = NULL;
    }
    if (alert == NULL) {
        set->refused++;
        return;
    }
    alert->round = set->round;
    /* Not to have seen it says nothing new of it. */
    if (observation->look == KOA_LOOK_BLIND)
        observation = NULL;
    if (!look_at(round, alert, observation != NULL ? observation->look : KOA_LOOK_BLIND,
                 observation, NULL))
        set->refused++;
    if (alert->phase.state == KOA_ALERT_INACTIVE)
        forget(round, alert, false);
}

/* What an alert that was not mentioned has been through. */
static enum koa_look look_of_unmentioned(const struct koa_alert_policy *policy,
                                         const struct koa_observations *observations)
{
    if (observations->is_fresh && !observations->is_missing)
        return KOA_LOOK_CLEAR;
    return policy->settings->missing_data == KOA_MISSING_RESOLVE ? KOA_LOOK_CLEAR : KOA_LOOK_BLIND;
}

void koa_alert_set_apply(struct koa_alert_set *set, const struct koa_alert_policy *policy,
                         struct koa_observations *observations, const struct koa_alert_clock *clock)
{
    struct round round = {.set = set, .policy = policy, .clock = clock};
    bool could_look = observations->is_fresh && !observations->is_missing;
    const char *reason = could_look ? "no longer reported" : "no data, and missing_data is resolve";
    enum koa_look unmentioned;
    const struct koa_observation *observation;
    struct koa_alert *alert;

    set->round++;
    set->refused = observations->refused;
    if (!could_look && policy->settings->missing_data == KOA_MISSING_FIRE)
        koa_observations_add_missing(observations);
    for (size_t at = 0; (observation = koa_observations_next(observations, &at)) != NULL;)
        observe(&round, observation);
    unmentioned = look_of_unmentioned(policy, observations);
    for (size_t at = 0; (alert = koa_alert_set_next(set, &at)) != NULL;) {
        if (is_active_state(alert->phase.state)) {
            if (alert->round != set->round)
                (void) look_at(&round, alert, unmentioned, NULL, reason);
            if (alert->phase.state == KOA_ALERT_INACTIVE)
                forget(&round, alert, false);
        } else if (koa_mono_diff_ms(clock->running, alert->phase.entered) >
                   KOA_ALERT_RETENTION_MS) {
            forget(&round, alert, true);
        }
    }
}

void koa_alert_set_close(struct koa_alert_set *set, const struct koa_alert_policy *policy,
                         const char *reason, const struct koa_alert_clock *clock)
{
    struct koa_rule_settings at_once = *policy->settings;
    struct koa_alert_policy closing = *policy;
    struct round round = {.set = set, .policy = &closing, .clock = clock};
    struct koa_alert *alert;

    at_once.keep_firing_for_ms = 0;
    closing.settings = &at_once;
    for (size_t at = 0; (alert = koa_alert_set_next(set, &at)) != NULL;) {
        if (!is_active_state(alert->phase.state))
            continue;
        (void) look_at(&round, alert, KOA_LOOK_CLEAR, NULL, reason);
        if (alert->phase.state == KOA_ALERT_INACTIVE)
            forget(&round, alert, false);
    }
}

enum koa_err koa_alert_set_restore(struct koa_alert_set *set, const struct koa_alert_phase *phase,
                                   struct koa_alert_record *record, struct koa_error *reterr)
{
    struct koa_alert *alert = koa_calloc(1, sizeof(*alert));
    enum koa_err err = koa_require_memory(alert, reterr);
    void *old = NULL;

    if (err != KOA_OK) {
        koa_alert_record_unref(record);
        return err;
    }
    alert->identity = record->identity;
    alert->phase = *phase;
    alert->record = record;
    if (is_active_state(phase->state) && set->active >= set->limit) {
        err = koa_fail(reterr, KOA_ERR_LIMIT, "rule '%s' already has %zu alerts", record->rule,
                       set->limit);
    }
    if (err == KOA_OK)
        err = koa_map_put(set->alerts, key_of(&alert->identity), alert, &old);
    if (err != KOA_OK) {
        free_alert(alert);
        return err;
    }
    set->active += (size_t) is_active_state(phase->state);
    if (old != NULL) {
        set->active -= (size_t) is_active_state(((struct koa_alert *) old)->phase.state);
        free_alert(old);
    }
    return KOA_OK;
}
