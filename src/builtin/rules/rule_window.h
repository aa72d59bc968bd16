/* What rules over a window keep from one evaluation to the next. */
#ifndef BUILTIN_RULES_RULE_WINDOW_H
#define BUILTIN_RULES_RULE_WINDOW_H

#include "alerts/view.h"
#include "builtin/rules/window.h"

struct koa_rule_window {
    struct koa_window *window;
};

struct koa_rule_kept {
    uint64_t signature; /* of the settings that the samples belong to */
    bool was_seen;      /* the family once had series: then their absence is evidence */
    struct koa_rule_window windows[2];
};

/* A number for the settings that samples depend on. */
uint64_t koa_rule_signature(uint64_t signature, const char *metric, const struct koa_pairs *match);

/* The rule's memory, made anew when `signature` has changed. `window_ms` 0: without windows. NULL
 * when memory is out. */
struct koa_rule_kept *koa_rule_kept_get(const struct koa_view *view, uint64_t signature,
                                        int64_t window_ms);
void koa_rule_kept_begin(struct koa_rule_kept *kept, struct koa_mono now);
void koa_rule_kept_end(struct koa_rule_kept *kept);
/* koa_window_add() under the sample's labels. */
bool koa_rule_window_add(struct koa_rule_window *window, const struct koa_sample *sample,
                         double value, bool is_counter, double *ret_increase);

#endif
