/* The check contract: how ours and a host's checks are written.
 *
 * Life: the core parses the option rows into a config struct it allocates (`config_size` bytes),
 * then calls `prepare`, then runs the check every `interval`, one run at a time, and at the end
 * calls `release`. The core owns schedule, deadline, thresholds, history, metrics and endpoints;
 * the function only decides.
 *
 * Exactly one of `run`, `start` and `evaluate` is set. Everything a function reports goes through
 * redaction before it is published. */
#ifndef KOA_CHECK_H
#define KOA_CHECK_H

#include <koa/base.h>
#include <koa/error.h>
#include <koa/health.h>
#include <koa/option.h>
#include <koa/snapshot.h>
#include <koa/time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a function puts its decision. Starts as unknown with an empty text, so that a path that
 * forgets to decide shows. The last decision wins. Text over 1 KiB is cut, details over 16 KiB are
 * dropped and said so. Valid until the function returns (run, evaluate) or koa_probe_finish(). */
struct koa_verdict;

KOA_API void koa_verdict_healthy(struct koa_verdict *verdict, const char *format, ...)
    KOA_PRINTF(2, 3);
KOA_API void koa_verdict_degraded(struct koa_verdict *verdict, const char *format, ...)
    KOA_PRINTF(2, 3);
KOA_API void koa_verdict_unhealthy(struct koa_verdict *verdict, const char *format, ...)
    KOA_PRINTF(2, 3);

/* Could not look. `unknown` is also the state before any decision. */
KOA_API void koa_verdict_unknown(struct koa_verdict *verdict, const char *format, ...)
    KOA_PRINTF(2, 3);

/* Unknown because nothing to look at is configured; the text says what to set. Does not make the
 * whole bad. */
KOA_API void koa_verdict_subjectless(struct koa_verdict *verdict, const char *format, ...)
    KOA_PRINTF(2, 3);

/* Adds or replaces one detail. `key` and the value are copied. */
KOA_API void koa_verdict_detail(struct koa_verdict *verdict, const char *key,
                                struct koa_value value);

/* Any thread may ask how long the function still has; 0 when the deadline has passed. A blocking
 * function should give up by then: its worker is abandoned otherwise. */
KOA_API int64_t koa_verdict_remaining_ms(const struct koa_verdict *verdict);

/* Blocking: runs on a worker of its own key, under the check's deadline. When the deadline passes
 * the result is published without it and the thread is abandoned until it returns. */
typedef void koa_check_run_fn(const void *config, void *context, struct koa_verdict *verdict);

/* Pure: decides from a cluster's published snapshot; runs on the engine when one is published, and
 * at the check's interval. `snapshot` is NULL while none exists or no cluster is configured. */
typedef void koa_check_evaluate_fn(const void *config, const struct koa_snapshot *snapshot,
                                   struct koa_wall now, struct koa_verdict *verdict);

/* Asynchronous, for checks inside the library: starts on the engine thread, never blocks, and ends
 * with exactly one koa_probe_finish(). See health/probe.h. */
struct koa_probe;
typedef void koa_check_start_fn(const void *config, struct koa_probe *probe);

struct koa_check_ops {
    size_t struct_size;
    const char *name; /* of the type, as written in the file: "disk_space" */
    const char *help;
    const struct koa_option *options; /* NULL: none */
    size_t config_size;               /* 0: none */
    const char *timeout;              /* the type's own default, "5s"; NULL: HEALTH_CHECK_TIMEOUT */

    koa_check_run_fn *run;
    koa_check_start_fn *start;
    koa_check_evaluate_fn *evaluate;

    /* Optional. Refuses settings that rows alone cannot judge. */
    enum koa_err (*prepare)(void *config, struct koa_error *reterr);
    /* Optional. Frees what `prepare` made. Not what the rows filled. */
    void (*release)(void *config);
    /* Optional. Writes the default name of a check with these settings ("service_api"); NULL: the
     * type's name. */
    void (*default_name)(const void *config, char *name, size_t size);
    /* Optional, with `run`: the key of the worker queue ("mount:/data"). Checks that share what may
     * hang share a key. NULL: one key per check. */
    void (*worker_key)(const void *config, char *key, size_t size);
};

/* The built-in types. */
extern KOA_API const struct koa_check_ops koa_check_consumer_lag;
extern KOA_API const struct koa_check_ops koa_check_consumer_stalled;
extern KOA_API const struct koa_check_ops koa_check_database;
extern KOA_API const struct koa_check_ops koa_check_disk_space;
extern KOA_API const struct koa_check_ops koa_check_exec;
extern KOA_API const struct koa_check_ops koa_check_kafka;
extern KOA_API const struct koa_check_ops koa_check_log_dir_usage;
extern KOA_API const struct koa_check_ops koa_check_memory;
extern KOA_API const struct koa_check_ops koa_check_offline_partitions;
extern KOA_API const struct koa_check_ops koa_check_probe;
extern KOA_API const struct koa_check_ops koa_check_service;
extern KOA_API const struct koa_check_ops koa_check_under_min_isr;
extern KOA_API const struct koa_check_ops koa_check_under_replicated;

#ifdef __cplusplus
}
#endif

#endif
