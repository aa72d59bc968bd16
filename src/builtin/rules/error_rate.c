/* Errors over requests in a sliding window. Below `min_events` requests nothing is raised: one
 * error of one request is no rate. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <koa/rule.h>

#include "alerts/view.h"
#include "base/num.h"
#include "builtin/rules/rule_window.h"
#include "builtin/rules/series_match.h"
#include "metrics/pattern.h"

struct config {
    const char *errors;
    struct koa_pairs errors_match;
    const char *requests;
    struct koa_pairs requests_match;
    int64_t window_ms;
    double threshold;
    int64_t min_events;
    /* Of prepare: */
    struct koa_series_match *errors_matcher, *requests_matcher;
};

static const struct koa_option options[] = {
    {KOA_TEXT(struct config, errors), .required = true, .help = "family that counts the failures"},
    {KOA_PAIRS(struct config, errors_match), .validate = koa_pattern_validate,
     .help = "labels and anchored regular expressions that select its series"},
    {KOA_TEXT(struct config, requests), .required = true,
     .help = "family that counts everything, failures included"},
    {KOA_PAIRS(struct config, requests_match), .validate = koa_pattern_validate,
     .help = "labels and anchored regular expressions that select its series"},
    {KOA_DURATION(struct config, window_ms), .key = "window", .fallback = "5m", .minimum = 1000,
     .maximum = 24.0 * 60 * 60 * 1000, .help = "over which both are counted"},
    {KOA_NUMBER(struct config, threshold), .fallback = "0.05", .minimum = 0, .maximum = 1,
     .help = "a ratio: 0.05 is 5 %"},
    {KOA_COUNT(struct config, min_events), .fallback = "20", .minimum = 1, .maximum = 1e12,
     .help = "requests in the window below which nothing is raised"},
    {0},
};

static enum koa_err prepare(void *settings, struct koa_error *reterr)
{
    struct config *config = settings;
    enum koa_err err =
        koa_series_match_create(&config->errors_match, &config->errors_matcher, reterr);

    if (err == KOA_OK)
        err = koa_series_match_create(&config->requests_match, &config->requests_matcher, reterr);
    if (err != KOA_OK) {
        koa_series_match_destroy(config->errors_matcher);
        config->errors_matcher = NULL;
    }
    return err;
}

static void release(void *settings)
{
    struct config *config = settings;

    koa_series_match_destroy(config->errors_matcher);
    koa_series_match_destroy(config->requests_matcher);
}

static bool threshold(const void *settings, double *ret_threshold)
{
    *ret_threshold = ((const struct config *) settings)->threshold;
    return true;
}

static void add_increase(void *increase, const struct koa_sample *sample, double value)
{
    (void) sample;
    *(double *) increase += value;
}

static void report(const struct config *config, double errors, double requests, bool is_full,
                   struct koa_observations *observations)
{
    double ratio = requests > 0 ? errors / requests : 0.0;
    bool is_enough = requests >= (double) config->min_events;
    bool raises = is_enough && ratio > config->threshold;
    enum koa_evidence evidence = KOA_EVIDENCE_BETWEEN;
    char window[KOA_NUM_TEXT_SIZE];

    (void) koa_format_duration(config->window_ms, window);
    /* Few requests and some errors among them are no evidence of an end. */
    if (raises) {
        evidence = KOA_EVIDENCE_HOLDS;
    } else if (is_enough || !(errors > 0)) {
        evidence = KOA_EVIDENCE_CLEAR;
    }
    koa_observations_add_evidence(
        observations, evidence, is_full || raises ? ratio : (double) NAN, KOA_NO_LABELS,
        "error rate is %.2f%% (%.0f of %.0f in %s), limit %.2f%%", ratio * 100.0, errors, requests,
        window, config->threshold * 100.0);
}

static uint64_t signature_of(const struct config *config)
{
    uint64_t signature = koa_rule_signature(0, config->errors, &config->errors_match);

    return koa_rule_signature(signature, config->requests, &config->requests_match) ^
           (uint64_t) config->window_ms;
}

static void evaluate(const void *settings, void *context, const struct koa_view *view,
                     struct koa_observations *observations)
{
    const struct config *config = settings;
    double errors = 0;
    double requests = 0;
    struct koa_rule_series rows[] = {
        {config->requests, config->requests_matcher, add_increase, &requests},
        {config->errors, config->errors_matcher, add_increase, &errors},
    };
    struct koa_rule_reading reading = {.signature = signature_of(config),
                                       .window_ms = config->window_ms,
                                       .rows = rows,
                                       .count = KOA_ARRAY_COUNT(rows)};
    struct koa_rule_kept *kept = koa_rule_read(view, &reading, observations);
    size_t refused = rows[0].refused + rows[1].refused;

    (void) context;
    if (kept == NULL)
        return;
    kept->was_seen |= rows[0].found > 0;
    if (!kept->was_seen) {
        koa_observations_missing(observations, "no series of '%s' has been seen yet",
                                 config->requests);
    } else if (refused > 0) {
        koa_observations_missing(observations, "%zu series beyond the limit of %d", refused,
                                 KOA_WINDOW_SERIES);
    } else {
        report(config, errors, requests, koa_window_is_full(rows[0].window), observations);
    }
}

const struct koa_rule_ops koa_rule_error_rate = {
    KOA_OPS_INIT(koa_rule_ops),
    .name = "error_rate",
    .help = "Failures over requests in a sliding window are above a ratio",
    .options = options,
    .config_size = sizeof(struct config),
    .evaluate = evaluate,
    .prepare = prepare,
    .release = release,
    .threshold = threshold,
};
