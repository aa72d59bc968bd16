/* Sums one count over topics and compares it with two limits. */
#include "builtin/checks/partition_count.h"

#include <inttypes.h>

#include "base/json_write.h"
#include "builtin/checks/group_lag.h"
#include "builtin/checks/snapshot_state.h"

enum { TEXT_LIMIT = 900, NAMED_IN_TEXT = 5, DETAILS_LIMIT = 8192 };

struct tally {
    int64_t sum, partitions;
    struct koa_worst worst; /* topics: index in `topic` */
};

static void count(const struct koa_partition_state *state,
                  const struct koa_partition_limits *limits, const struct koa_snapshot *snapshot,
                  struct tally *tally)
{
    for (size_t i = 0; i < koa_snapshot_topic_count(snapshot); i++) {
        struct koa_snapshot_topic topic;
        int64_t found;

        koa_snapshot_topic(snapshot, i, &topic);
        if (!koa_name_choice_takes(&limits->names, topic.name))
            continue;
        found = state->count(&topic);
        tally->partitions += topic.partitions;
        tally->sum += found;
        if (found > 0) {
            koa_worst_add(&tally->worst,
                          (struct koa_worst_row){.weight = (double) found, .topic = i});
        }
    }
}

static void add_worst(const struct koa_partition_state *state, const struct koa_snapshot *snapshot,
                      const struct tally *tally, struct koa_verdict *verdict)
{
    struct koa_buf buf = {.limit = DETAILS_LIMIT};
    struct koa_json json = {.buf = &buf};

    koa_json_list(&json, NULL);
    for (size_t i = 0; i < tally->worst.count; i++) {
        struct koa_snapshot_topic topic;

        koa_snapshot_topic(snapshot, tally->worst.rows[i].topic, &topic);
        koa_json_object(&json, NULL);
        koa_json_text(&json, "topic", topic.name);
        koa_json_int(&json, "partitions", state->count(&topic));
        koa_json_object_end(&json);
    }
    koa_json_list_end(&json);
    if (!buf.failed)
        koa_verdict_detail(verdict, "topics", KOA_VALUE_JSON(koa_buf_text(&buf)));
    koa_buf_deinit(&buf);
}

static void name_topics(const struct koa_partition_state *state,
                        const struct koa_snapshot *snapshot, const struct tally *tally,
                        struct koa_buf *text)
{
    size_t named = tally->worst.count < NAMED_IN_TEXT ? tally->worst.count : NAMED_IN_TEXT;

    for (size_t i = 0; i < named; i++) {
        struct koa_snapshot_topic topic;

        koa_snapshot_topic(snapshot, tally->worst.rows[i].topic, &topic);
        koa_buf_printf(text, "%s%s (%" PRId64 ")", i > 0 ? ", " : "", topic.name,
                       state->count(&topic));
    }
    if (tally->worst.total > (int64_t) named)
        koa_buf_printf(text, " and %" PRId64 " more topics", tally->worst.total - (int64_t) named);
}

void koa_partition_judge(const struct koa_partition_state *state,
                         const struct koa_partition_limits *limits,
                         const struct koa_snapshot *snapshot, struct koa_wall now,
                         struct koa_verdict *verdict)
{
    struct koa_buf text = {.limit = TEXT_LIMIT};
    struct tally tally = {.sum = 0};

    if (!koa_snapshot_is_usable(snapshot, now, verdict))
        return;
    count(state, limits, snapshot, &tally);
    koa_verdict_detail(verdict, "partitions", KOA_VALUE_INT(tally.partitions));
    koa_verdict_detail(verdict, state->detail, KOA_VALUE_INT(tally.sum));
    add_worst(state, snapshot, &tally, verdict);
    name_topics(state, snapshot, &tally, &text);
    if (limits->critical > 0 && tally.sum >= limits->critical) {
        koa_verdict_unhealthy(verdict, "%" PRId64 " of %" PRId64 " %s: %s", tally.sum,
                              tally.partitions, state->bad, koa_buf_text(&text));
    } else if (limits->warning > 0 && tally.sum >= limits->warning) {
        koa_verdict_degraded(verdict, "%" PRId64 " of %" PRId64 " %s: %s", tally.sum,
                             tally.partitions, state->bad, koa_buf_text(&text));
    } else if (tally.sum > 0) {
        koa_verdict_healthy(verdict,
                            "%" PRId64 " of %" PRId64 " %s, which is within the limits: %s",
                            tally.sum, tally.partitions, state->bad, koa_buf_text(&text));
    } else {
        koa_verdict_healthy(verdict, "%s (%" PRId64 ")", state->good, tally.partitions);
    }
    koa_buf_deinit(&text);
}

enum koa_err koa_partition_prepare(void *config, struct koa_error *reterr)
{
    struct koa_partition_limits *limits = config;

    if (limits->critical > 0 && limits->warning > limits->critical) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "warning (%" PRId64 ") must not be above critical (%" PRId64 ")",
                        limits->warning, limits->critical);
    }
    return koa_name_choice_prepare(&limits->names, reterr);
}

void koa_partition_release(void *config)
{
    struct koa_partition_limits *limits = config;

    koa_name_choice_release(&limits->names);
}
