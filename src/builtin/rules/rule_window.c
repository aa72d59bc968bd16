/* Reads the series of rules, and keeps what those over a window need, tied to the settings it was
 * sampled under. What it means is for the rule. */
#include "builtin/rules/rule_window.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

uint64_t koa_rule_signature(uint64_t signature, const char *metric, const struct koa_pairs *match)
{
    uint64_t hash = koa_fnv(KOA_FNV_START ^ signature, metric, strlen(metric) + 1);

    for (size_t i = 0; i < match->count; i++) {
        hash = koa_fnv(hash, match->rows[i].key, strlen(match->rows[i].key) + 1);
        hash = koa_fnv(hash, match->rows[i].value, strlen(match->rows[i].value) + 1);
    }
    return hash;
}

static void drop(void *object)
{
    struct koa_rule_kept *kept = object;

    for (size_t i = 0; i < KOA_ARRAY_COUNT(kept->windows); i++)
        koa_window_destroy(kept->windows[i]);
    koa_free(kept);
}

static struct koa_rule_kept *get_kept(const struct koa_view *view, uint64_t signature,
                                      int64_t window_ms)
{
    struct koa_rule_kept *kept = koa_view_kept(view);

    if (kept != NULL && kept->signature == signature)
        return kept;
    kept = koa_calloc(1, sizeof(*kept));
    if (kept == NULL)
        return NULL;
    kept->signature = signature;
    for (size_t i = 0; window_ms > 0 && i < KOA_ARRAY_COUNT(kept->windows); i++) {
        kept->windows[i] = koa_window_create(window_ms);
        if (kept->windows[i] == NULL) {
            drop(kept);
            return NULL;
        }
    }
    koa_view_keep(view, kept, drop);
    return kept;
}

/* One row under way. */
struct reader {
    struct koa_rule_series *row;
    struct koa_window *window;
};

static void take_sample(void *context, const struct koa_sample *sample, double value)
{
    struct reader *reader = context;
    struct koa_rule_series *row = reader->row;
    char key[KOA_SERIES_TEXT];

    if (!koa_series_match_sample(row->match, sample))
        return;
    if (reader->window != NULL) {
        size_t size = koa_series_key(sample, key, sizeof(key));

        if (!koa_window_add(reader->window, (struct koa_str){.data = key, .size = size}, value,
                            sample->family->type != KOA_GAUGE, &value)) {
            row->refused++;
            return;
        }
    }
    row->take(row->context, sample, value);
}

static void read_row(const struct koa_view *view, struct koa_rule_series *row,
                     struct koa_window *window)
{
    struct reader reader = {.row = row, .window = window};

    row->window = window;
    row->refused = 0;
    if (window != NULL)
        koa_window_begin(window, koa_view_mono(view));
    row->found = koa_view_each(view, row->metric, take_sample, &reader);
    if (window != NULL)
        koa_window_end(window);
}

struct koa_rule_kept *koa_rule_read(const struct koa_view *view,
                                    const struct koa_rule_reading *reading,
                                    struct koa_observations *observations)
{
    struct koa_rule_kept *kept;
    char stale[256];

    for (size_t i = 0; i < reading->count; i++) {
        if (koa_view_is_stale(view, reading->rows[i].metric, stale, sizeof(stale))) {
            koa_observations_missing(observations, "%s", stale);
            return NULL;
        }
    }
    kept = get_kept(view, reading->signature, reading->window_ms);
    if (kept == NULL) {
        koa_observations_missing(observations, "no memory to keep samples");
        return NULL;
    }
    for (size_t i = 0; i < reading->count; i++)
        read_row(view, &reading->rows[i], kept->windows[i]);
    for (size_t i = 0; i < reading->count; i++) {
        if (reading->rows[i].found == KOA_VIEW_INCOMPLETE) {
            koa_observations_missing(observations, "no memory to read all series of '%s'",
                                     reading->rows[i].metric);
            return NULL;
        }
    }
    return kept;
}
