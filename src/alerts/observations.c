/* Takes in what a rule reports: copies, bounds, redacts, and drops what can change nothing. */
#include "alerts/observations.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "alerts/alert_set.h"
#include "alerts/identity.h"
#include "base/redact.h"
#include "base/str.h"

static struct koa_str key_of(const uint64_t *identity)
{
    return (struct koa_str){.data = (const char *) identity, .size = sizeof(*identity)};
}

enum koa_err koa_observations_init(struct koa_observations *observations, size_t limit,
                                   struct koa_error *reterr)
{
    memset(observations, 0, sizeof(*observations));
    observations->arena = koa_arena_create(KOA_OBSERVATIONS_BYTES);
    observations->rows = koa_map_create(limit);
    if (observations->arena == NULL || observations->rows == NULL) {
        koa_observations_deinit(observations);
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the observations of rules");
    }
    return KOA_OK;
}

void koa_observations_deinit(struct koa_observations *observations)
{
    koa_map_destroy(observations->rows, NULL);
    koa_arena_destroy(observations->arena);
    memset(observations, 0, sizeof(*observations));
}

bool koa_observations_begin(struct koa_observations *observations, const char *rule,
                            const struct koa_alert_set *set, size_t limit)
{
    struct koa_map *rows = koa_map_create(limit);

    if (rows == NULL)
        return false;
    koa_map_destroy(observations->rows, NULL);
    koa_arena_reset(observations->arena);
    observations->rows = rows;
    observations->rule = rule;
    observations->set = set;
    observations->is_fresh = observations->is_missing = false;
    observations->looked = observations->refused = 0;
    observations->problem[0] = '\0';
    return true;
}

static char *copy_text(struct koa_arena *arena, const char *text)
{
    char *copy = koa_arena_strdup(arena, text);

    if (copy != NULL)
        koa_redact(copy);
    return copy;
}

/* `found` is the row that the same labels already have, or NULL. */
static void keep(struct koa_observations *observations, const struct koa_observation *row,
                 struct koa_observation *found)
{
    struct koa_observation *copy;

    if (found != NULL) {
        *found = *row;
        return;
    }
    copy = koa_arena_alloc(observations->arena, 1, sizeof(*copy));
    if (copy != NULL)
        *copy = *row;
    if (copy == NULL ||
        koa_map_put(observations->rows, key_of(&copy->identity), copy, NULL) != KOA_OK)
        observations->refused++;
}

static enum koa_look look_of(enum koa_evidence evidence, double value)
{
    static const enum koa_look looks[] = {
        [KOA_EVIDENCE_HOLDS] = KOA_LOOK_HOLDS,
        [KOA_EVIDENCE_BETWEEN] = KOA_LOOK_BETWEEN,
        [KOA_EVIDENCE_CLEAR] = KOA_LOOK_CLEAR,
    };

    return isnan(value) || evidence > KOA_EVIDENCE_CLEAR ? KOA_LOOK_BLIND : looks[evidence];
}

static bool matters(const struct koa_observations *observations, enum koa_look look,
                    uint64_t identity, const struct koa_observation *found)
{
    return look == KOA_LOOK_HOLDS || found != NULL ||
           koa_alert_set_is_active(observations->set, identity);
}

/* `row` carries look and value. */
KOA_PRINTF(4, 0)
static void add(struct koa_observations *observations, struct koa_observation *row,
                const struct koa_labels *labels, const char *format, va_list args)
{
    struct koa_label views[KOA_ALERT_LABELS_LIMIT];
    struct koa_labels sorted = {.rows = views};
    char text[KOA_ALERT_MESSAGE_BYTES];
    struct koa_observation *found;
    bool was_cut = false;

    observations->looked++;
    observations->is_fresh = true;
    if (row->look != KOA_LOOK_HOLDS && koa_map_count(observations->rows) == 0 &&
        koa_alert_set_active(observations->set) == 0)
        return;
    sorted.count = koa_labels_sort(labels, views, &was_cut);
    row->identity = koa_alert_identity(observations->rule, &sorted);
    found = koa_map_find(observations->rows, key_of(&row->identity));
    if (!matters(observations, row->look, row->identity, found))
        return;
    (void) vsnprintf(text, sizeof(text), format, args);
    row->labels = koa_labels_copy(&sorted, observations->arena, &was_cut);
    row->message = copy_text(observations->arena, text);
    if (row->labels == NULL || row->message == NULL) {
        observations->refused++;
        return;
    }
    if (was_cut && observations->problem[0] == '\0') {
        (void) snprintf(observations->problem, sizeof(observations->problem),
                        "labels of an alert are too many or too long and were cut");
    }
    keep(observations, row, found);
}

void koa_observations_add(struct koa_observations *observations, bool holds, double value,
                          const struct koa_labels *labels, const char *format, ...)
{
    struct koa_observation row = {.value = value, .has_value = !isnan(value)};
    va_list args;

    row.look = look_of(holds ? KOA_EVIDENCE_HOLDS : KOA_EVIDENCE_CLEAR, value);
    va_start(args, format);
    add(observations, &row, labels, format, args);
    va_end(args);
}

void koa_observations_add_evidence(struct koa_observations *observations,
                                   enum koa_evidence evidence, double value,
                                   const struct koa_labels *labels, const char *format, ...)
{
    struct koa_observation row = {
        .look = look_of(evidence, value), .value = value, .has_value = !isnan(value)};
    va_list args;

    va_start(args, format);
    add(observations, &row, labels, format, args);
    va_end(args);
}

void koa_observations_fresh(struct koa_observations *observations)
{
    observations->is_fresh = true;
}

void koa_observations_missing(struct koa_observations *observations, const char *format, ...)
{
    va_list args;

    observations->is_missing = true;
    va_start(args, format);
    (void) vsnprintf(observations->problem, sizeof(observations->problem), format, args);
    va_end(args);
    koa_redact(observations->problem);
}

void koa_observations_add_missing(struct koa_observations *observations)
{
    struct koa_observation row = {.look = KOA_LOOK_HOLDS};

    row.identity = koa_alert_identity(observations->rule, NULL);
    if (koa_map_find(observations->rows, key_of(&row.identity)) != NULL)
        return;
    row.labels = koa_arena_alloc(observations->arena, 1, sizeof(*row.labels));
    row.message = koa_arena_printf(observations->arena, "no data: %s",
                                   observations->problem[0] != '\0' ? observations->problem
                                                                    : "nothing was reported");
    if (row.labels == NULL || row.message == NULL) {
        observations->refused++;
    } else {
        keep(observations, &row, NULL);
    }
}

const struct koa_observation *koa_observations_next(const struct koa_observations *observations,
                                                    size_t *position)
{
    void *row = NULL;

    return koa_map_next(observations->rows, position, NULL, &row) ? row : NULL;
}
