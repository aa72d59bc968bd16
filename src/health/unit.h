/* A check with its settings, parsed: immutable, counted, because a call that hangs may use it long
 * after the check was removed. */
#ifndef HEALTH_UNIT_H
#define HEALTH_UNIT_H

#include <stdatomic.h>

#include <koa/check.h>

#include "base/published.h"
#include "config/options.h"

/* What every check takes beside its type's own settings. */
struct koa_check_common {
    const char *name; /* of the check: as given, else the type's default name */
    const char *type;
    bool enabled;
    int64_t interval_ms;
    int64_t timeout_ms; /* resolved: the check's own, HEALTH_CHECK_TIMEOUT or the type's */
    int64_t initial_delay_ms;
    int64_t failure_threshold;
    int64_t success_threshold;
    int64_t degraded_after_ms;
    int64_t max_age_ms; /* resolved: 3 x (interval + timeout) unless given */
    bool critical;
    const char *cluster; /* "" is the first */
    struct koa_texts groups;
};

/* The rows of the above, for loading and for docs/config.md. */
extern const struct koa_option koa_check_common_options[];

struct koa_check_unit {
    struct koa_object object;
    const struct koa_check_ops *ops;
    struct koa_check_common common;
    void *config;            /* constant once loaded */
    void *context;           /* the host's */
    struct koa_arena *arena; /* all of the above lives in it */
    bool is_configured;      /* from file or defaults: a reload replaces it. Else a host's. */
    bool is_prepared;
    atomic_int hanging; /* calls that were given up and have not returned */
};

struct koa_check_load_opts {
    const char *name; /* NULL: the node's `name`, else the type's default */
    const struct koa_check_ops *ops;
    void *context;
    const char *path;           /* "checks[2]", for messages */
    int64_t default_timeout_ms; /* HEALTH_CHECK_TIMEOUT; 0: not set, then 30 s */
    bool overrides_types;       /* it was set: it replaces the types' own too */
    bool is_configured;         /* see struct koa_check_unit */
};

/* Reads common and own settings of one check in one go. `node` NULL: all defaults. All errors are
 * added to `errors`; NULL when there was one. The caller has one reference. Blocks for secrets in
 * files only. Any thread. */
KOA_MUST_USE struct koa_check_unit *koa_check_unit_load(const struct koa_check_load_opts *opts,
                                                        const struct koa_node *node,
                                                        struct koa_config_errors *errors);
void koa_check_unit_ref(struct koa_check_unit *unit);
void koa_check_unit_unref(struct koa_check_unit *unit);
KOA_DEFINE_AUTO(koa_check_unit, koa_check_unit_unref)
/* Same type, context and settings: a reload keeps such a check as it is. */
bool koa_check_unit_equal(const struct koa_check_unit *a, const struct koa_check_unit *b);

#endif
