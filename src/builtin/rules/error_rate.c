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
    {KOA_PAIRS(struct config, errors_match), .validate = koa_series_match_validate,
     .help = "labels and anchored regular expressions that select its series"},
    {KOA_TEXT(struct config, requests), .required = true,
     .help = "family that counts everything, failures included"},
    {KOA_PAIRS(struct config, requests_match), .validate = koa_series_match_validate,
     .help = "labels and anchored regular expressions that select its series"},
    {KOA_DURATION(struct config, window_ms), .key = "window", .fallback = "5m", .minimum = 1000,
     .maximum = 24.0 * 60 * 60 * 1000, .help = "over which both are counted"},
    {KOA_NUMBER(struct config, threshold), .fallback = "0.05", .minimum = 0, .maximum = 1,
     .help = "a ratio: 0.05 is 5 %"},
    {KOA_COUNT(struct config, min_events), .fallback = "20", .minimum = 1, .maximum = 1e12,
     .help = "requests in the window below which nothing is raised"},
    {0},
};

enum { ERRORS, REQUESTS };

/* One family's growth over the window, all matched series together. */
struct count {
    const struct koa_series_match *match;
    struct koa_rule_window *window;
    double increase;
    size_t refused;
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

static void take_sample(void *context, const struct koa_sample *sample, double value)
{
    struct count *count = context;
    double increase;

    if (!koa_series_match_sample(count->match, sample))
        return;
    if (koa_rule_window_add(count->window, sample, value, sample->family->type != KOA_GAUGE,
                            &increase)) {
        count->increase += increase;
    } else {
        count->refused++;
    }
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

static bool is_stale(const struct config *config, const struct koa_view *view,
                     struct koa_observations *observations)
{
    char stale[256];

    if (!koa_view_is_stale(view, config->requests, stale, sizeof(stale)) &&
        !koa_view_is_stale(view, config->errors, stale, sizeof(stale)))
        return false;
    koa_observations_missing(observations, "%s", stale);
    return true;
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
    struct count errors = {.match = config->errors_matcher};
    struct count requests = {.match = config->requests_matcher};
    struct koa_rule_kept *kept;
    size_t found_errors;
    size_t found;

    (void) context;
    if (is_stale(config, view, observations))
        return;
    kept = koa_rule_kept_get(view, signature_of(config), config->window_ms);
    if (kept == NULL) {
        koa_observations_missing(observations, "no memory to keep samples");
        return;
    }
    errors.window = &kept->windows[ERRORS];
    requests.window = &kept->windows[REQUESTS];
    koa_rule_kept_begin(kept, koa_view_mono(view));
    found_errors = koa_view_each(view, config->errors, take_sample, &errors);
    found = koa_view_each(view, config->requests, take_sample, &requests);
    koa_rule_kept_end(kept);
    kept->was_seen |= found > 0 && found != KOA_VIEW_INCOMPLETE;
    if (found_errors == KOA_VIEW_INCOMPLETE || found == KOA_VIEW_INCOMPLETE) {
        koa_observations_missing(observations, "no memory to read all series of '%s' and '%s'",
                                 config->errors, config->requests);
    } else if (!kept->was_seen) {
        koa_observations_missing(observations, "no series of '%s' has been seen yet",
                                 config->requests);
    } else if (errors.refused + requests.refused > 0) {
        koa_observations_missing(observations, "%zu series beyond the limit of %d",
                                 errors.refused + requests.refused, KOA_WINDOW_SERIES);
    } else {
        report(config, errors.increase, requests.increase,
               koa_window_is_full(requests.window->window), observations);
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
