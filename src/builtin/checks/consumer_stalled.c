/* Decides whether consumer groups stand still while there is something to read: no commit of a
 * topic has moved for some time, whatever the size of the lag. */
#include <inttypes.h>
#include <koa/check.h>

#include "base/json_write.h"
#include "base/num.h"
#include "builtin/checks/group_lag.h"
#include "builtin/checks/name_choice.h"
#include "builtin/checks/snapshot_state.h"
#include "cluster/cluster.h"
#include "cluster/troubles.h"

enum { TEXT_LIMIT = 900, NAMED_IN_TEXT = 5, DETAILS_LIMIT = 8192 };

struct config {
    struct koa_name_choice names;
    int64_t still_ms;
    int64_t minimum_lag;
    bool members_only;
};

static const struct koa_option options[] = {
    KOA_NAME_CHOICE_OPTIONS(struct config, "groups"),
    {KOA_DURATION(struct config, still_ms), .key = "for", .fallback = "5m", .minimum = 1000,
     .maximum = 30.0 * 86400000, .help = "time without progress from which it is unhealthy"},
    {KOA_COUNT(struct config, minimum_lag), .key = "min_lag", .fallback = "1", .minimum = 1,
     .maximum = 9e15, .help = "messages that a topic must lag at least"},
    {KOA_BOOL(struct config, members_only), .fallback = "false",
     .help = "true: groups without members, which nobody runs at the moment, do not count"},
    {0},
};

static enum koa_err prepare(void *memory, struct koa_error *reterr)
{
    struct config *config = memory;

    return koa_name_choice_prepare(&config->names, reterr);
}

static void release(void *memory)
{
    struct config *config = memory;

    koa_name_choice_release(&config->names);
}

/* Over all groups. */
struct tally {
    int64_t checked, stalled, stale, unknown, left_out;
    int64_t oldest_ms;      /* of the stale ones */
    struct koa_worst worst; /* topics, by time */
};

/* When the commits were read, not now: after that nobody looked. */
static int64_t still_ms(const struct koa_snapshot *snapshot, const struct koa_snapshot_group *group,
                        const struct koa_snapshot_group_topic *topic)
{
    return koa_snapshot_time(snapshot).ms - group->age_ms - topic->progress_time.ms;
}

static void look_at_topics(const struct config *config, const struct koa_snapshot *snapshot,
                           size_t index, const struct koa_snapshot_group *group,
                           struct tally *tally)
{
    int64_t before = tally->worst.total;
    bool is_unknown = false;

    for (size_t i = 0; i < group->topics; i++) {
        struct koa_snapshot_group_topic topic;
        struct koa_group_lag lag;
        int64_t still;

        koa_snapshot_group_topic(snapshot, index, i, &topic);
        koa_group_topic_lag(snapshot, index, i, &topic, &lag);
        tally->left_out += lag.left_out;
        if (lag.messages < config->minimum_lag)
            continue;
        is_unknown = is_unknown || !topic.has_progress;
        still = still_ms(snapshot, group, &topic);
        if (topic.has_progress && still >= config->still_ms) {
            koa_worst_add(&tally->worst, (struct koa_worst_row){
                                             .weight = (double) still, .group = index, .topic = i});
        }
    }
    tally->stalled += tally->worst.total > before ? 1 : 0;
    tally->unknown += is_unknown ? 1 : 0;
}

static void look(const struct config *config, const struct koa_snapshot *snapshot, size_t index,
                 struct tally *tally)
{
    struct koa_snapshot_group group;

    koa_snapshot_group(snapshot, index, &group);
    if (!koa_name_choice_takes(&config->names, group.name) ||
        (config->members_only && group.has_members && group.members == 0))
        return;
    tally->checked++;
    if (group.is_stale) {
        tally->stale++;
        tally->oldest_ms = group.age_ms > tally->oldest_ms ? group.age_ms : tally->oldest_ms;
    }
    if (group.has_lag && group.lag >= config->minimum_lag)
        look_at_topics(config, snapshot, index, &group, tally);
}

/* One of the worst, read again. */
struct stall {
    struct koa_snapshot_group group;
    struct koa_snapshot_group_topic topic;
    struct koa_group_lag lag;
    int64_t still_ms;
};

static void recall(const struct koa_snapshot *snapshot, const struct koa_worst_row *row,
                   struct stall *stall)
{
    koa_snapshot_group(snapshot, row->group, &stall->group);
    koa_snapshot_group_topic(snapshot, row->group, row->topic, &stall->topic);
    koa_group_topic_lag(snapshot, row->group, row->topic, &stall->topic, &stall->lag);
    stall->still_ms = still_ms(snapshot, &stall->group, &stall->topic);
}

static void add_worst(const struct koa_snapshot *snapshot, const struct tally *tally,
                      struct koa_verdict *verdict)
{
    struct koa_buf buf = {.limit = DETAILS_LIMIT};
    struct koa_json json = {.buf = &buf};

    koa_json_list(&json, NULL);
    for (size_t i = 0; i < tally->worst.count; i++) {
        struct stall stall;

        recall(snapshot, &tally->worst.rows[i], &stall);
        koa_json_object(&json, NULL);
        koa_json_text(&json, "group", stall.group.name);
        koa_json_text(&json, "topic", stall.topic.name);
        koa_json_int(&json, "lag", stall.lag.messages);
        koa_json_double(&json, "still_seconds", (double) stall.still_ms / 1000.0);
        if (stall.group.has_members)
            koa_json_int(&json, "members", stall.group.members);
        koa_json_object_end(&json);
    }
    koa_json_list_end(&json);
    if (!buf.failed)
        koa_verdict_detail(verdict, "worst", KOA_VALUE_JSON(koa_buf_text(&buf)));
    koa_buf_deinit(&buf);
}

static void say_what_stands(const struct koa_snapshot *snapshot, const struct tally *tally,
                            struct koa_verdict *verdict)
{
    struct koa_buf text = {.limit = TEXT_LIMIT};
    size_t named = tally->worst.count < NAMED_IN_TEXT ? tally->worst.count : NAMED_IN_TEXT;

    for (size_t i = 0; i < named; i++) {
        struct stall stall;
        char time[KOA_NUM_TEXT_SIZE];

        recall(snapshot, &tally->worst.rows[i], &stall);
        (void) koa_format_duration(stall.still_ms / 1000 * 1000, time);
        koa_buf_printf(&text, "%s%s on %s for %s, %" PRId64 " messages behind%s", i > 0 ? "; " : "",
                       stall.group.name, stall.topic.name, time, stall.lag.messages,
                       stall.group.has_members && stall.group.members == 0 ? ", without members"
                                                                           : "");
    }
    if (tally->worst.total > (int64_t) named)
        koa_buf_printf(&text, "; and %" PRId64 " more", tally->worst.total - (int64_t) named);
    koa_verdict_unhealthy(verdict, "Consumers stand still: %s", koa_buf_text(&text));
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
    koa_verdict_detail(verdict, "groups", KOA_VALUE_INT(tally.checked));
    koa_verdict_detail(verdict, "groups_stalled", KOA_VALUE_INT(tally.stalled));
    koa_verdict_detail(verdict, "groups_stale", KOA_VALUE_INT(tally.stale));
    koa_verdict_detail(verdict, "groups_unknown", KOA_VALUE_INT(tally.unknown));
    koa_verdict_detail(verdict, "partitions_left_out", KOA_VALUE_INT(tally.left_out));
    add_worst(snapshot, &tally, verdict);
    if (tally.stalled > 0) {
        say_what_stands(snapshot, &tally, verdict);
    } else if (tally.oldest_ms > KOA_OVERRUN_INTERVALS * koa_snapshot_interval_ms(snapshot)) {
        koa_verdict_degraded(verdict,
                             "The progress of %" PRId64 " of %" PRId64
                             " consumer groups cannot be told: their commits are up to %.1f s old",
                             tally.stale, tally.checked, (double) tally.oldest_ms / 1000.0);
    } else {
        koa_verdict_healthy(verdict, "Consumers move: %" PRId64 " groups", tally.checked);
    }
}

const struct koa_check_ops koa_check_consumer_stalled = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "consumer_stalled",
    .help = "Consumer groups that make no progress although there is something to read",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "15s",
    .evaluate = evaluate,
    .prepare = prepare,
    .release = release,
};
