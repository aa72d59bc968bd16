/* The memory of a rule over a window, tied to the settings it was sampled under. */
#include "builtin/rules/rule_window.h"

#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "builtin/rules/series_match.h"

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
        koa_window_destroy(kept->windows[i].window);
    koa_free(kept);
}

struct koa_rule_kept *koa_rule_kept_get(const struct koa_view *view, uint64_t signature,
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
        kept->windows[i].window = koa_window_create(window_ms);
        if (kept->windows[i].window == NULL) {
            drop(kept);
            return NULL;
        }
    }
    koa_view_keep(view, kept, drop);
    return kept;
}

void koa_rule_kept_begin(struct koa_rule_kept *kept, struct koa_mono now)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(kept->windows); i++) {
        if (kept->windows[i].window != NULL)
            koa_window_begin(kept->windows[i].window, now);
    }
}

void koa_rule_kept_end(struct koa_rule_kept *kept)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(kept->windows); i++) {
        if (kept->windows[i].window != NULL)
            koa_window_end(kept->windows[i].window);
    }
}

bool koa_rule_window_add(struct koa_rule_window *window, const struct koa_sample *sample,
                         double value, bool is_counter, double *ret_increase)
{
    char key[KOA_SERIES_TEXT];
    size_t size = koa_series_key(sample, key, sizeof(key));

    return koa_window_add(window->window, (struct koa_str){.data = key, .size = size}, value,
                          is_counter, ret_increase);
}
