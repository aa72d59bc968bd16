/* What rules over a window keep from one evaluation to the next. */
#ifndef BUILTIN_RULES_RULE_WINDOW_H
#define BUILTIN_RULES_RULE_WINDOW_H

#include "alerts/observations.h"
#include "alerts/view.h"
#include "builtin/rules/series_match.h"
#include "builtin/rules/window.h"

struct koa_rule_kept {
    uint64_t signature; /* of the settings that the samples belong to */
    bool was_seen;      /* the rule's to set: then an absence of series is evidence */
    struct koa_window *windows[2];
};

/* A series that matches: its value or, over a window, how much it has grown. `context` is that of
 * the row. */
typedef void koa_rule_take_fn(void *context, const struct koa_sample *sample, double value);

/* One family that a rule reads. */
struct koa_rule_series {
    const char *metric;
    const struct koa_series_match *match;
    koa_rule_take_fn *take;
    void *context;
    /* What koa_rule_read() sets: */
    const struct koa_window *window; /* before the first `take`; NULL without a window */
    size_t found;                    /* series of the family, whether or not they match */
    size_t refused;                  /* that match, and are beyond KOA_WINDOW_SERIES */
};

struct koa_rule_reading {
    uint64_t signature;
    int64_t window_ms; /* 0: values as they are */
    struct koa_rule_series *rows;
    size_t count; /* at most two */
};

/* A number for the settings that samples depend on. */
uint64_t koa_rule_signature(uint64_t signature, const char *metric, const struct koa_pairs *match);
/* Reads all rows, and returns what the rule keeps, made anew when the signature has changed. NULL:
 * the rule could not look, and the observations say why. */
struct koa_rule_kept *koa_rule_read(const struct koa_view *view,
                                    const struct koa_rule_reading *reading,
                                    struct koa_observations *observations);

#endif
