/* The rule contract: a rule reads the health board and samples, and reports what it sees.
 *
 * Hold times, hysteresis, missing data, identity, persistence and delivery belong to the core. An
 * observation is one subject (its labels): a value, and whether the condition holds. No observation
 * at all means "could not look", and the rule's missing_data policy decides. A value that is not a
 * number is no evidence: it never holds, and the alert of those labels keeps its state. */
#ifndef KOA_RULE_H
#define KOA_RULE_H

#include <koa/base.h>
#include <koa/error.h>
#include <koa/health.h>
#include <koa/option.h>
#include <koa/time.h>

#ifdef __cplusplus
extern "C" {
#endif

enum koa_severity {
    KOA_SEVERITY_CRITICAL,
    KOA_SEVERITY_WARNING,
    KOA_SEVERITY_INFO,
    KOA_SEVERITY_COUNT
};
KOA_API const char *koa_severity_name(enum koa_severity severity);

enum koa_alert_state {
    KOA_ALERT_INACTIVE,
    KOA_ALERT_PENDING,
    KOA_ALERT_FIRING,
    KOA_ALERT_RESOLVED,
    KOA_ALERT_STATE_COUNT
};
KOA_API const char *koa_alert_state_name(enum koa_alert_state state);

/* What a rule may look at: the last published board and samples at one moment. Valid during the
 * call only. */
struct koa_view;

KOA_API struct koa_wall koa_view_now(const struct koa_view *view);
/* NULL before the first board. Borrowed. */
KOA_API const struct koa_board *koa_view_board(const struct koa_view *view);
/* The value of one series, exact labels. False when there is none. A histogram's is its count. */
KOA_API bool koa_view_get(const struct koa_view *view, const char *name,
                          const struct koa_labels *labels, double *ret_value);
/* The rule's own memory across evaluations (earlier samples): starts NULL, ends by `drop` when the
 * rule goes away or keeps something else. A reload hands it to the rule of the same name and type,
 * whose settings may differ. */
KOA_API void *koa_view_kept(const struct koa_view *view);
KOA_API void koa_view_keep(const struct koa_view *view, void *kept, void (*drop)(void *kept));

/* Where the rule puts what it sees; bounded by the rule's limit of alerts. Labels and text are
 * copied. Labels identify the alert together with the rule; the same labels twice is one
 * observation, the later wins. */
struct koa_observations;

KOA_API void koa_observations_add(struct koa_observations *observations, bool holds, double value,
                                  const struct koa_labels *labels, const char *format, ...)
    KOA_PRINTF(5, 6);
/* With hysteresis: a value that neither raises an alert nor is good enough to end a firing one. */
enum koa_evidence { KOA_EVIDENCE_HOLDS, KOA_EVIDENCE_BETWEEN, KOA_EVIDENCE_CLEAR };
KOA_API void koa_observations_add_evidence(struct koa_observations *observations,
                                           enum koa_evidence evidence, double value,
                                           const struct koa_labels *labels, const char *format, ...)
    KOA_PRINTF(5, 6);
/* The rule looked and saw all there is: alerts it did not mention have lost their subject, which is
 * evidence, and resolve. An observation implies it; needed only where there may be none. */
KOA_API void koa_observations_fresh(struct koa_observations *observations);
/* The source, or a part of it, is stale or failed: alerts of this rule that were not observed keep
 * their state unless missing_data says otherwise. The text is shown as the rule's last_error. */
KOA_API void koa_observations_missing(struct koa_observations *observations, const char *format,
                                      ...) KOA_PRINTF(2, 3);

/* Runs on the engine thread; must not block. One that takes longer than 100 ms is named in the log.
 */
typedef void koa_rule_evaluate_fn(const void *config, void *context, const struct koa_view *view,
                                  struct koa_observations *observations);

struct koa_rule_ops {
    size_t struct_size;
    const char *name; /* of the type: "metric_threshold" */
    const char *help;
    const struct koa_option *options;
    size_t config_size;
    koa_rule_evaluate_fn *evaluate;
    enum koa_err (*prepare)(void *config, struct koa_error *reterr); /* optional */
    void (*release)(void *config);                                   /* optional */
    /* Optional: the limit that is shown beside the value as `threshold`. NULL: none. */
    bool (*threshold)(const void *config, double *ret_threshold);
};

/* The built-in types. */
extern KOA_API const struct koa_rule_ops koa_rule_error_rate;
extern KOA_API const struct koa_rule_ops koa_rule_health_status;
extern KOA_API const struct koa_rule_ops koa_rule_metric_threshold;

#ifdef __cplusplus
}
#endif

#endif
