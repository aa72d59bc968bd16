/* Compares series, or an aggregate of them, with a limit. What a window does not yet know is said
 * to be unknown, never guessed. */
#include <math.h>
#include <string.h>

#include <koa/rule.h>

#include "alerts/template.h"
#include "alerts/view.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"
#include "builtin/rules/rule_window.h"
#include "builtin/rules/series_match.h"
#include "metrics/pattern.h"

enum function { VALUE, INCREASE, RATE };
enum aggregate { EACH, SUM, MIN, MAX, AVG, COUNT };
enum comparison { GREATER, LESS, EQUAL, NOT_EQUAL, GREATER_OR_EQUAL, LESS_OR_EQUAL };

struct config {
    const char *metric;
    struct koa_pairs match;
    int function;
    int64_t window_ms;
    int aggregate;
    int comparison;
    double threshold;
    const char *clear_threshold;
    /* Of prepare: */
    struct koa_series_match *matcher;
    bool has_clear;
    double clear;
};

/* One evaluation. */
struct look {
    const struct config *config;
    struct koa_observations *observations;
    struct koa_rule_series series;
    size_t matched;
    size_t unknown; /* of those, not yet known over the whole window */
    double sum, minimum, maximum;
};

static const struct koa_choice functions[] = {
    {"value", VALUE},
    {"increase", INCREASE},
    {"rate", RATE},
    {NULL, 0},
};

static const struct koa_choice aggregates[] = {
    {"each", EACH}, {"sum", SUM},     {"min", MIN}, {"max", MAX},
    {"avg", AVG},   {"count", COUNT}, {NULL, 0},
};

static const struct koa_choice comparisons[] = {
    {"greater_than", GREATER},
    {">", GREATER},
    {"less_than", LESS},
    {"<", LESS},
    {"equals", EQUAL},
    {"==", EQUAL},
    {"not_equals", NOT_EQUAL},
    {"!=", NOT_EQUAL},
    {"greater_or_equal", GREATER_OR_EQUAL},
    {">=", GREATER_OR_EQUAL},
    {"less_or_equal", LESS_OR_EQUAL},
    {"<=", LESS_OR_EQUAL},
    {NULL, 0},
};

static const char *const words[] = {
    [GREATER] = "greater than",
    [LESS] = "less than",
    [EQUAL] = "equal to",
    [NOT_EQUAL] = "different from",
    [GREATER_OR_EQUAL] = "greater than or equal to",
    [LESS_OR_EQUAL] = "less than or equal to",
};

static const char *validate_number(const char *value)
{
    double number;

    if (value[0] == '\0' || koa_parse_double(koa_str_from(value), &number) == KOA_OK)
        return NULL;
    return "a number";
}

static const struct koa_option options[] = {
    {KOA_TEXT(struct config, metric), .required = true,
     .help = "name of a family; a histogram has x_count and x_sum"},
    {KOA_PAIRS(struct config, match), .validate = koa_pattern_validate,
     .help = "labels and anchored regular expressions that select series"},
    {KOA_CHOICE(struct config, function, functions), .fallback = "value",
     .help = "increase and rate (per second) are over the window, counter resets taken out"},
    {KOA_DURATION(struct config, window_ms), .key = "window", .fallback = "5m", .minimum = 1000,
     .maximum = 24.0 * 60 * 60 * 1000, .help = "of increase and rate"},
    {KOA_CHOICE(struct config, aggregate, aggregates), .fallback = "each",
     .help = "each gives one alert per series, any other one alert"},
    {KOA_CHOICE(struct config, comparison, comparisons), .key = "operator",
     .fallback = "greater_than", .help = "how the value is compared with the threshold"},
    {KOA_NUMBER(struct config, threshold), .required = true, .help = "the limit"},
    {KOA_TEXT(struct config, clear_threshold), .fallback = "", .validate = validate_number,
     .help = "a firing alert resolves only when the value is no longer beyond this one"},
    {0},
};

static bool holds(int comparison, double value, double limit)
{
    switch (comparison) {
    case GREATER:
        return value > limit;
    case LESS:
        return value < limit;
    case GREATER_OR_EQUAL:
        return value >= limit;
    case LESS_OR_EQUAL:
        return value <= limit;
    case EQUAL:
        return !isnan(value) && !(value < limit || value > limit);
    default:
        return value < limit || value > limit;
    }
}

static enum koa_err check_clear(const struct config *config, struct koa_error *reterr)
{
    bool is_upper = config->comparison == GREATER || config->comparison == GREATER_OR_EQUAL;
    bool is_lower = config->comparison == LESS || config->comparison == LESS_OR_EQUAL;

    if (!config->has_clear)
        return KOA_OK;
    if (!is_upper && !is_lower) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "clear_threshold makes no sense with equals and not_equals");
    }
    if (is_upper ? config->clear > config->threshold : config->clear < config->threshold) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "clear_threshold must be on the good side of threshold");
    }
    return KOA_OK;
}

static enum koa_err prepare(void *settings, struct koa_error *reterr)
{
    struct config *config = settings;
    enum koa_err err = koa_series_match_create(&config->match, &config->matcher, reterr);

    config->has_clear =
        config->clear_threshold != NULL && config->clear_threshold[0] != '\0' &&
        koa_parse_double(koa_str_from(config->clear_threshold), &config->clear) == KOA_OK;
    if (err == KOA_OK)
        err = check_clear(config, reterr);
    if (err != KOA_OK) {
        koa_series_match_destroy(config->matcher);
        config->matcher = NULL;
    }
    return err;
}

static void release(void *settings)
{
    struct config *config = settings;

    koa_series_match_destroy(config->matcher);
}

static bool threshold(const void *settings, double *ret_threshold)
{
    *ret_threshold = ((const struct config *) settings)->threshold;
    return true;
}

/* " increase over 5m", or nothing. */
static const char *describe(const struct config *config, char text[64])
{
    char window[KOA_NUM_TEXT_SIZE];
    struct koa_buf buf = {.limit = 63};

    text[0] = '\0';
    if (config->function == VALUE)
        return text;
    (void) koa_format_duration(config->window_ms, window);
    koa_buf_printf(&buf, "%s over %s of ", config->function == RATE ? "rate" : "increase", window);
    (void) koa_str_copy(text, 64, koa_str_from(koa_buf_text(&buf)));
    koa_buf_deinit(&buf);
    return text;
}

static enum koa_evidence judge(const struct config *config, double value)
{
    if (holds(config->comparison, value, config->threshold))
        return KOA_EVIDENCE_HOLDS;
    if (config->has_clear && holds(config->comparison, value, config->clear))
        return KOA_EVIDENCE_BETWEEN;
    return KOA_EVIDENCE_CLEAR;
}

/* `is_known` false: the window does not reach back far enough to judge. */
static void report(struct look *look, double value, bool is_known, const struct koa_labels *labels)
{
    const struct config *config = look->config;
    enum koa_evidence evidence = judge(config, value);
    bool raises = evidence == KOA_EVIDENCE_HOLDS;
    bool only_grows = config->function == INCREASE &&
                      (config->comparison == GREATER || config->comparison == GREATER_OR_EQUAL);
    char number[KOA_ALERT_NUMBER_SIZE];
    char limit[KOA_ALERT_NUMBER_SIZE];
    char prefix[64];

    /* What a part of the window has already seen, the whole of it has too. */
    if (!is_known && !(only_grows && raises))
        value = NAN;
    koa_observations_add_evidence(look->observations, evidence, value, labels,
                                  "%s%s is %s, %s%s %s", describe(config, prefix), config->metric,
                                  koa_alert_number(value, number), raises ? "" : "not ",
                                  words[config->comparison],
                                  koa_alert_number(config->threshold, limit));
}

static void gather(struct look *look, double value)
{
    if (isnan(value))
        return;
    look->minimum = look->matched == 0 ? value : fmin(look->minimum, value);
    look->maximum = look->matched == 0 ? value : fmax(look->maximum, value);
    look->sum += value;
    look->matched++;
}

/* Of the time that the increase is known for. */
static double rate_seconds(const struct look *look)
{
    int64_t span_ms = koa_window_span_ms(look->series.window);

    return span_ms > 0 ? (double) span_ms / 1000.0 : 1.0;
}

static void take_sample(void *context, const struct koa_sample *sample, double value)
{
    struct look *look = context;
    const struct config *config = look->config;
    struct koa_series_labels labels;
    bool is_known = look->series.window == NULL || koa_window_is_full(look->series.window);

    if (config->function == RATE)
        value /= rate_seconds(look);
    if (config->aggregate != EACH) {
        gather(look, value);
        look->unknown += !is_known;
        return;
    }
    look->matched++;
    koa_series_labels_copy(sample, &labels);
    report(look, value, is_known, &labels.labels);
}

static void report_aggregate(struct look *look)
{
    const double results[] = {
        [SUM] = look->sum,
        [MIN] = look->minimum,
        [MAX] = look->maximum,
        [AVG] = look->sum / (double) look->matched,
        [COUNT] = (double) look->matched,
    };
    bool is_known = look->unknown == 0 || look->config->aggregate == COUNT;

    if (look->matched == 0 && look->config->aggregate != COUNT) {
        koa_observations_fresh(look->observations);
    } else {
        report(look, results[look->config->aggregate], is_known, KOA_NO_LABELS);
    }
}

static uint64_t signature_of(const struct config *config)
{
    uint64_t signature = koa_rule_signature(0, config->metric, &config->match);

    return signature ^ ((uint64_t) config->window_ms << 3) ^ (uint64_t) config->function;
}

static void conclude(struct look *look, const struct koa_rule_kept *kept)
{
    size_t refused = look->series.refused;

    if (!kept->was_seen) {
        koa_observations_missing(look->observations, "no series of '%s' has been seen yet",
                                 look->config->metric);
        return;
    }
    if (refused > 0) {
        koa_observations_missing(look->observations, "%zu series of '%s' beyond the limit of %d",
                                 refused, look->config->metric, KOA_WINDOW_SERIES);
    }
    if (look->config->aggregate == EACH) {
        koa_observations_fresh(look->observations);
    } else if (refused == 0) {
        report_aggregate(look);
    }
}

static void evaluate(const void *settings, void *context, const struct koa_view *view,
                     struct koa_observations *observations)
{
    const struct config *config = settings;
    struct look look = {.config = config, .observations = observations};
    struct koa_rule_reading reading = {.signature = signature_of(config),
                                       .window_ms =
                                           config->function != VALUE ? config->window_ms : 0,
                                       .rows = &look.series,
                                       .count = 1};
    struct koa_rule_kept *kept;

    (void) context;
    look.series = (struct koa_rule_series){
        .metric = config->metric, .match = config->matcher, .take = take_sample, .context = &look};
    kept = koa_rule_read(view, &reading, observations);
    if (kept == NULL)
        return;
    kept->was_seen |= look.series.found > 0;
    conclude(&look, kept);
}

const struct koa_rule_ops koa_rule_metric_threshold = {
    KOA_OPS_INIT(koa_rule_ops),
    .name = "metric_threshold",
    .help = "A series, or an aggregate of series, is beyond a limit",
    .options = options,
    .config_size = sizeof(struct config),
    .evaluate = evaluate,
    .prepare = prepare,
    .release = release,
    .threshold = threshold,
};
