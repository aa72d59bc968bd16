/* Decides whether consumer groups are too far behind, in messages or in seconds. What they may not
 * read yet, and what is nothing to read, does not count. */
#include <inttypes.h>
#include <koa/check.h>
#include <string.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "builtin/checks/group_lag.h"
#include "builtin/checks/name_choice.h"
#include "builtin/checks/snapshot_state.h"
#include "cluster/cluster.h"
#include "cluster/troubles.h"

enum { TEXT_LIMIT = 900, NAMED_IN_TEXT = 5, DETAILS_LIMIT = 8192 };

struct limits {
    int64_t warning, critical;                 /* messages; 0: off */
    int64_t warning_time_ms, critical_time_ms; /* 0: off */
};

struct override {
    struct koa_texts match;
    struct limits limits;
    struct koa_patterns *patterns; /* of prepare */
};

struct config {
    struct koa_name_choice names;
    struct limits limits;
    struct koa_list overrides; /* struct override */
};

static const struct koa_option override_options[] = {
    {KOA_TEXTS(struct override, match), .required = true, .validate = koa_pattern_validate,
     .help = "anchored regular expressions of group names; the first row that matches counts"},
    {KOA_COUNT(struct override, limits.warning), .key = "warning", .fallback = "0", .minimum = 0,
     .maximum = 9e15, .help = "messages above which it is degraded; 0: off"},
    {KOA_COUNT(struct override, limits.critical), .key = "critical", .fallback = "0", .minimum = 0,
     .maximum = 9e15, .help = "messages above which it is unhealthy; 0: off"},
    {KOA_DURATION(struct override, limits.warning_time_ms), .key = "warning_time", .fallback = "0s",
     .help = "time behind above which it is degraded; 0: off"},
    {KOA_DURATION(struct override, limits.critical_time_ms), .key = "critical_time",
     .fallback = "0s", .help = "time behind above which it is unhealthy; 0: off"},
    {0},
};

static const struct koa_option options[] = {
    KOA_NAME_CHOICE_OPTIONS(struct config, "groups"),
    {KOA_COUNT(struct config, limits.warning), .key = "warning", .fallback = "0", .minimum = 0,
     .maximum = 9e15,
     .help = "messages that a group lags in all above which it is degraded; 0: off"},
    {KOA_COUNT(struct config, limits.critical), .key = "critical", .fallback = "0", .minimum = 0,
     .maximum = 9e15, .help = "the same above which it is unhealthy; 0: off"},
    {KOA_DURATION(struct config, limits.warning_time_ms), .key = "warning_time", .fallback = "0s",
     .help = "time that a group lags on any topic above which it is degraded; 0: off"},
    {KOA_DURATION(struct config, limits.critical_time_ms), .key = "critical_time", .fallback = "0s",
     .help = "the same above which it is unhealthy; 0: off"},
    {KOA_LIST(struct config, overrides, struct override, override_options),
     .help = "limits of groups that differ; they replace all four"},
    {0},
};

static bool is_off(const struct limits *limits)
{
    return limits->warning == 0 && limits->critical == 0 && limits->warning_time_ms == 0 &&
           limits->critical_time_ms == 0;
}

static enum koa_err check_limits(const struct limits *limits, struct koa_error *reterr)
{
    if (limits->critical > 0 && limits->warning > limits->critical) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "warning (%" PRId64 ") must not be above critical (%" PRId64 ")",
                        limits->warning, limits->critical);
    }
    if (limits->critical_time_ms > 0 && limits->warning_time_ms > limits->critical_time_ms) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "warning_time (%" PRId64 " ms) must not be above critical_time (%" PRId64
                        " ms)",
                        limits->warning_time_ms, limits->critical_time_ms);
    }
    return KOA_OK;
}

static void release(void *memory)
{
    struct config *config = memory;
    struct override *rows = config->overrides.rows;

    koa_name_choice_release(&config->names);
    for (size_t i = 0; i < config->overrides.count; i++)
        koa_patterns_destroy(KOA_MOVE(rows[i].patterns));
}

static enum koa_err prepare(void *memory, struct koa_error *reterr)
{
    struct config *config = memory;
    struct override *rows = config->overrides.rows;
    bool has_limit = !is_off(&config->limits);
    enum koa_err err = check_limits(&config->limits, reterr);

    if (err == KOA_OK)
        err = koa_name_choice_prepare(&config->names, reterr);
    for (size_t i = 0; i < config->overrides.count && err == KOA_OK; i++) {
        has_limit = has_limit || !is_off(&rows[i].limits);
        err = check_limits(&rows[i].limits, reterr);
        if (err == KOA_OK) {
            err = koa_patterns_create(rows[i].match.rows, rows[i].match.count, &rows[i].patterns,
                                      reterr);
        }
    }
    if (err == KOA_OK && !has_limit) {
        err = koa_fail(reterr, KOA_ERR_INVALID,
                       "a limit is missing: set warning, critical, warning_time or critical_time");
    }
    if (err != KOA_OK)
        release(config);
    return err;
}

static const struct limits *limits_of(const struct config *config, const char *group)
{
    const struct override *rows = config->overrides.rows;

    for (size_t i = 0; i < config->overrides.count; i++) {
        if (koa_name_matches(rows[i].patterns, rows[i].match.count, group))
            return &rows[i].limits;
    }
    return &config->limits;
}

/* What of a group's lag decides. */
struct finding {
    enum koa_status status;
    bool is_time;
    int64_t limit;
    double excess; /* times the limit */
};

static void weigh(struct finding *finding, double value, int64_t limit, enum koa_status status,
                  bool is_time)
{
    if (limit == 0 || value <= (double) limit || finding->status == KOA_STATUS_UNHEALTHY)
        return;
    *finding = (struct finding){
        .status = status, .is_time = is_time, .limit = limit, .excess = value / (double) limit};
}

static struct finding judge(const struct koa_group_lag *lag, const struct limits *limits)
{
    struct finding finding = {.status = KOA_STATUS_HEALTHY};
    double ms = lag->quality != KOA_LAG_UNKNOWN ? lag->seconds * 1000.0 : 0.0;

    weigh(&finding, (double) lag->messages, limits->critical, KOA_STATUS_UNHEALTHY, false);
    weigh(&finding, ms, limits->critical_time_ms, KOA_STATUS_UNHEALTHY, true);
    weigh(&finding, (double) lag->messages, limits->warning, KOA_STATUS_DEGRADED, false);
    weigh(&finding, ms, limits->warning_time_ms, KOA_STATUS_DEGRADED, true);
    return finding;
}

/* Over all groups. */
struct tally {
    int64_t checked, critical, warning, stale, left_out, without_time;
    int64_t oldest_ms; /* of the stale ones */
    int64_t largest;   /* lag in messages */
    const char *largest_of;
    struct koa_worst worst;
};

static void look(const struct config *config, const struct koa_snapshot *snapshot, size_t index,
                 struct tally *tally)
{
    struct koa_snapshot_group group;
    const struct limits *limits;
    struct koa_group_lag lag;
    struct finding finding;

    koa_snapshot_group(snapshot, index, &group);
    if (!koa_name_choice_takes(&config->names, group.name))
        return;
    limits = limits_of(config, group.name);
    koa_group_lag(snapshot, index, &group, &lag);
    finding = judge(&lag, limits);
    tally->checked++;
    tally->left_out += lag.left_out;
    tally->critical += finding.status == KOA_STATUS_UNHEALTHY ? 1 : 0;
    tally->warning += finding.status == KOA_STATUS_DEGRADED ? 1 : 0;
    tally->without_time += lag.messages > 0 && lag.quality == KOA_LAG_UNKNOWN &&
                                   (limits->warning_time_ms > 0 || limits->critical_time_ms > 0)
                               ? 1
                               : 0;
    if (group.is_stale) {
        tally->stale++;
        tally->oldest_ms = group.age_ms > tally->oldest_ms ? group.age_ms : tally->oldest_ms;
    }
    if (lag.has_messages && (tally->largest_of == NULL || lag.messages > tally->largest)) {
        tally->largest = lag.messages;
        tally->largest_of = group.name;
    }
    if (finding.status != KOA_STATUS_HEALTHY) {
        double above = finding.status == KOA_STATUS_UNHEALTHY ? 1e15 : 0;
        double excess = finding.excess < 1e14 ? finding.excess : 1e14;

        koa_worst_add(&tally->worst,
                      (struct koa_worst_row){.weight = above + excess, .group = index});
    }
}

static void describe(const struct config *config, const struct koa_snapshot *snapshot, size_t index,
                     struct koa_buf *text)
{
    struct koa_snapshot_group group;
    struct koa_group_lag lag;
    struct finding finding;
    const char *word;

    koa_snapshot_group(snapshot, index, &group);
    koa_group_lag(snapshot, index, &group, &lag);
    finding = judge(&lag, limits_of(config, group.name));
    word = finding.status == KOA_STATUS_UNHEALTHY ? "critical" : "warning";
    if (finding.is_time) {
        koa_buf_printf(text, "%s is %s%.1f s behind (%s %.1f s)", group.name,
                       lag.quality == KOA_LAG_AT_LEAST ? "at least " : "", lag.seconds, word,
                       (double) finding.limit / 1000.0);
    } else {
        koa_buf_printf(text, "%s is %" PRId64 " messages behind (%s %" PRId64 ")", group.name,
                       lag.messages, word, finding.limit);
    }
    if (group.is_stale)
        koa_buf_printf(text, ", as of %.1f s ago", (double) group.age_ms / 1000.0);
}

static void add_worst(const struct config *config, const struct koa_snapshot *snapshot,
                      const struct tally *tally, struct koa_verdict *verdict)
{
    struct koa_buf buf = {.limit = DETAILS_LIMIT};
    struct koa_json json = {.buf = &buf};

    koa_json_list(&json, NULL);
    for (size_t i = 0; i < tally->worst.count; i++) {
        struct koa_snapshot_group group;
        struct koa_group_lag lag;

        koa_snapshot_group(snapshot, tally->worst.rows[i].group, &group);
        koa_group_lag(snapshot, tally->worst.rows[i].group, &group, &lag);
        koa_json_object(&json, NULL);
        koa_json_text(&json, "group", group.name);
        koa_json_text(&json, "status",
                      koa_status_name(judge(&lag, limits_of(config, group.name)).status));
        koa_json_int(&json, "lag", lag.messages);
        if (lag.quality != KOA_LAG_UNKNOWN)
            koa_json_double(&json, "lag_seconds", lag.seconds);
        koa_json_bool(&json, "is_stale", group.is_stale);
        koa_json_object_end(&json);
    }
    koa_json_list_end(&json);
    if (!buf.failed)
        koa_verdict_detail(verdict, "worst", KOA_VALUE_JSON(koa_buf_text(&buf)));
    koa_buf_deinit(&buf);
}

static void add_details(const struct config *config, const struct koa_snapshot *snapshot,
                        const struct tally *tally, struct koa_verdict *verdict)
{
    koa_verdict_detail(verdict, "groups", KOA_VALUE_INT(tally->checked));
    koa_verdict_detail(verdict, "groups_critical", KOA_VALUE_INT(tally->critical));
    koa_verdict_detail(verdict, "groups_warning", KOA_VALUE_INT(tally->warning));
    koa_verdict_detail(verdict, "groups_stale", KOA_VALUE_INT(tally->stale));
    koa_verdict_detail(verdict, "groups_without_time", KOA_VALUE_INT(tally->without_time));
    koa_verdict_detail(verdict, "partitions_left_out", KOA_VALUE_INT(tally->left_out));
    if (tally->largest_of != NULL) {
        koa_verdict_detail(verdict, "largest_lag", KOA_VALUE_INT(tally->largest));
        koa_verdict_detail(verdict, "largest_lag_group", KOA_VALUE_TEXT(tally->largest_of));
    }
    add_worst(config, snapshot, tally, verdict);
}

static void say_what_lags(const struct config *config, const struct koa_snapshot *snapshot,
                          const struct tally *tally, struct koa_verdict *verdict)
{
    struct koa_buf text = {.limit = TEXT_LIMIT};
    size_t named = tally->worst.count < NAMED_IN_TEXT ? tally->worst.count : NAMED_IN_TEXT;

    for (size_t i = 0; i < named; i++) {
        koa_buf_append_text(&text, i > 0 ? "; " : "");
        describe(config, snapshot, tally->worst.rows[i].group, &text);
    }
    if (tally->worst.total > (int64_t) named)
        koa_buf_printf(&text, "; and %" PRId64 " more", tally->worst.total - (int64_t) named);
    if (tally->critical > 0) {
        koa_verdict_unhealthy(verdict, "High consumer lag: %s", koa_buf_text(&text));
    } else {
        koa_verdict_degraded(verdict, "High consumer lag: %s", koa_buf_text(&text));
    }
    koa_buf_deinit(&text);
}

static void evaluate(const void *memory, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    const struct config *config = memory;
    struct tally tally = {.checked = 0};

    if (!koa_snapshot_is_usable(snapshot, now, verdict))
        return;
    for (size_t i = 0; i < koa_snapshot_group_count(snapshot); i++)
        look(config, snapshot, i, &tally);
    add_details(config, snapshot, &tally, verdict);
    if (tally.worst.total > 0) {
        say_what_lags(config, snapshot, &tally, verdict);
    } else if (tally.oldest_ms > KOA_OVERRUN_INTERVALS * koa_snapshot_interval_ms(snapshot)) {
        koa_verdict_degraded(verdict,
                             "The lag of %" PRId64 " of %" PRId64
                             " consumer groups cannot be told: their commits are up to %.1f s old",
                             tally.stale, tally.checked, (double) tally.oldest_ms / 1000.0);
    } else if (tally.largest_of != NULL) {
        koa_verdict_healthy(verdict,
                            "Consumer lag OK: %" PRId64 " groups, the largest lag is %" PRId64
                            " messages (%s)",
                            tally.checked, tally.largest, tally.largest_of);
    } else {
        koa_verdict_healthy(verdict, "Consumer lag OK: %" PRId64 " groups", tally.checked);
    }
}

const struct koa_check_ops koa_check_consumer_lag = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "consumer_lag",
    .help = "Consumer groups that are too far behind, in messages or in time",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "15s",
    .evaluate = evaluate,
    .prepare = prepare,
    .release = release,
};
